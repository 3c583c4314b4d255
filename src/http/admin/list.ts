// What all lists take and answer: cursor and limit, items and nextCursor.
import * as z from 'zod'

const MAX_LIMIT = 500

export const pageQuery = z.strictObject({
  cursor: z.string().optional().describe('nextCursor of the page before, unchanged'),
  limit: wholeNumber(1)
    .transform(limit => Math.min(limit, MAX_LIMIT))
    .pipe(z.int().min(1).max(MAX_LIMIT))
    .default(100)
    .describe(`How many items; more than ${MAX_LIMIT} are given as ${MAX_LIMIT}`),
})

export function pageReply<Item extends z.ZodType>(item: Item) {
  return z.object({ items: z.array(item), nextCursor: z.string().optional() })
}

/** A query parameter of decimal digits. */
export function wholeNumber(minimum: number) {
  return z
    .string()
    .regex(/^\d{1,15}$/, { error: 'must be a whole number' })
    .transform(Number)
    .pipe(z.int().min(minimum))
}
