// The ListResponse message (RFC 7644 §3.4.2): all of its members are always there, since clients assume them.
import type { JsonObject } from './json'

export const LIST_SCHEMA = 'urn:ietf:params:scim:api:messages:2.0:ListResponse'

export interface ListFacts {
  /** All matches, not the page's. */
  readonly total: number
  readonly startIndex: number
  /** How many resources follow. */
  readonly items: number
}

/** The message without its `Resources`, which may be streamed. */
export function listHead({ total, startIndex, items }: ListFacts): JsonObject {
  return { schemas: [LIST_SCHEMA], totalResults: total, startIndex, itemsPerPage: items }
}
