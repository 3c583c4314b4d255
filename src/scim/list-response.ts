// The ListResponse message (RFC 7644 §3.4.2): all of its members are always there, since clients assume them.
import type { JsonObject } from './json'

export const LIST_SCHEMA = 'urn:ietf:params:scim:api:messages:2.0:ListResponse'

export interface ListFacts {
  /** All matches, not the page's. */
  readonly total: number
  /** Absent in a reply to a cursor (RFC 9865 §2). */
  readonly startIndex: number | undefined
  /** Absent on the last page, and where the client pages by index. */
  readonly nextCursor?: string | undefined
  /** How many resources follow. */
  readonly items: number
}

/** The message without its `Resources`, which may be streamed. */
export function listHead({ total, startIndex, nextCursor, items }: ListFacts): JsonObject {
  return {
    schemas: [LIST_SCHEMA],
    totalResults: total,
    ...(startIndex !== undefined && { startIndex }),
    itemsPerPage: items,
    ...(nextCursor !== undefined && { nextCursor }),
  }
}
