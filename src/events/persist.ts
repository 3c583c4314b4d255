// Trying again for a moment, where the next one may already be better.

const WAITS_MS = [100, 1_000]

/** Runs it up to three times within about a second; rejects with the last error. */
export async function persist<T>(work: () => Promise<T>): Promise<T> {
  for (const wait of WAITS_MS) {
    try {
      return await work()
    } catch {
      await new Promise(resolve => setTimeout(resolve, wait))
    }
  }
  return work()
}
