// When a receiver is called again, and how long it may take to answer.

/** Seconds after each failed attempt; when they are used up, the delivery is dead. */
export const DEFAULT_SCHEDULE: readonly number[] = [
  1, 5, 30, 120, 600, 1_800, 7_200, 21_600, 43_200, 86_400, 86_400,
]
export const DEFAULT_TIMEOUT_SECONDS = 15
/** A Worker may go on for 30 s after it has given up waiting; the answer must be written down within them. */
export const MAX_TIMEOUT_SECONDS = 25

const JITTER = 0.1
const MAX_RETRY_AFTER_MS = 86_400_000
/** The queue's own limit is 24 h; half of it leaves room for clocks. A message that comes early is sent on. */
const MAX_DELAY_SECONDS = 43_200

export interface RetryPolicy {
  readonly schedule: readonly number[]
  readonly timeoutSeconds: number
}

/** A receiver's `retry`, JSON that was checked when it was stored; the default for whatever it does not say. */
export function retryPolicy(retry: string | null): RetryPolicy {
  const said = retry === null ? {} : (JSON.parse(retry) as Partial<RetryPolicy>)
  return {
    schedule: said.schedule ?? DEFAULT_SCHEDULE,
    timeoutSeconds: Math.min(said.timeoutSeconds ?? DEFAULT_TIMEOUT_SECONDS, MAX_TIMEOUT_SECONDS),
  }
}

/**
 * The time of the attempt after the `failed`th (counted from 1, anew after a replay), or undefined when there
 * is to be none. The jitter keeps deliveries that failed together from coming back together.
 */
export function nextAttemptAt(
  { schedule }: RetryPolicy,
  failed: number,
  now: number,
  retryAfterMs = 0,
  random: () => number = Math.random,
): number | undefined {
  const seconds = schedule[failed - 1]
  if (seconds === undefined) return undefined
  const jittered = seconds * 1000 * (1 - JITTER + 2 * JITTER * random())
  return now + Math.ceil(Math.max(jittered, retryAfterMs))
}

/** Retry-After, whole seconds or an HTTP date, in milliseconds from now; 0 for anything else, at most a day. */
export function retryAfterMs(header: string | null, now: number): number {
  const text = header?.trim() ?? ''
  const wait = /^\d+$/.test(text)
    ? Number(text) * 1000
    : /^[A-Z][a-z]{2}.* GMT$/.test(text)
      ? Date.parse(text) - now
      : 0
  return Number.isNaN(wait) ? 0 : Math.min(Math.max(wait, 0), MAX_RETRY_AFTER_MS)
}

/** How long the queue keeps a message for something due at `at`. */
export function delaySeconds(at: number, now: number): number {
  return Math.min(Math.max(Math.ceil((at - now) / 1000), 0), MAX_DELAY_SECONDS)
}
