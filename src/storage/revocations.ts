// The statement that reads whose sessions were ended. Nothing here writes: a trigger does, with the event.
import { type SQL, sql } from 'drizzle-orm'

export interface RevocationRow {
  readonly userId: string
  readonly userName: string | null
  readonly externalId: string | null
  /** Unix seconds. */
  readonly notBefore: number
  readonly epoch: number
  readonly reason: string
  readonly at: number
  readonly sequence: number
}

/** Each user once, in the order of their last revocation: one that comes later can only come behind. */
export function pageOfRevocations(tenantId: string, after: number, limit: number): SQL {
  return sql`SELECT user_id AS "userId", user_name AS "userName", external_id AS "externalId",
      not_before AS "notBefore", epoch, reason, at, sequence
    FROM revocations WHERE tenant_id = ${tenantId} AND sequence > ${after} ORDER BY sequence LIMIT +${limit}`
}
