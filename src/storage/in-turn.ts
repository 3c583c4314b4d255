// Work that is done one after the other, each whatever becomes of the others.

/** One that fails keeps no other from its turn; the error is thrown at the end, or one that says all of them. */
export async function inTurn(works: readonly (() => Promise<unknown>)[]): Promise<void> {
  const errors: unknown[] = []
  for (const work of works) await work().catch((error: unknown) => errors.push(error))
  const said = new Set(errors.map(String))
  if (said.size > 1) throw new AggregateError(errors, [...said].join('; '))
  if (errors.length > 0) throw errors[0]
}
