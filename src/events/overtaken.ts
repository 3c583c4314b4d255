// Events that a later one has overtaken: how receivers and operators are told.

/** Header with the sequence of the last event that gave the person access or took it, where that came after this one. */
export const OVERTAKEN_BY = 'scim-overtaken-by'

/** Why a reactivation is never sent: it must not undo what came after it. */
export function overtakenInWords(sequence: number): string {
  return `overtaken by event ${sequence}, which took the access again`
}
