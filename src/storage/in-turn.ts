// Work that is done one after the other, each whatever becomes of the others.

/** One that fails keeps no other from its turn; the first error is thrown at the end. */
export async function inTurn(works: readonly (() => Promise<unknown>)[]): Promise<void> {
  const errors: unknown[] = []
  for (const work of works) await work().catch((error: unknown) => errors.push(error))
  if (errors.length > 0) throw errors[0]
}
