// A receiver's row as the sending side reads it: where to, with which (still sealed) secrets, how patiently.
import { type SQL, sql } from 'drizzle-orm'
import type { Row } from './tenant-database'

export interface StoredReceiver {
  readonly tenantId: string
  readonly id: string
  readonly kind: string
  readonly url: string
  /** JSON `{schedule, timeoutSeconds}`, both optional; null for the default. */
  readonly retry: string | null
  /** Sealed for the context `receiverSecretContext`. */
  readonly secret: string
  readonly previousSecret: string | null
  readonly previousSecretUntil: number | null
}

/** What a receiver's secrets are sealed for: one cannot be moved to another receiver. */
export function receiverSecretContext(receiver: { tenantId: string; id: string }): string {
  return `receiver:${receiver.tenantId}:${receiver.id}`
}

/** The columns `receiverOf` reads, from a table named `r`. */
export const receiverColumns = sql.raw(
  `r.id AS r_id, r.kind AS r_kind, r.url AS r_url, r.status AS r_status, r.retry AS r_retry, r.secret AS r_secret,
    r.previous_secret AS r_previous_secret, r.previous_secret_until AS r_previous_secret_until`,
)

export function selectReceiver(tenantId: string, receiverId: string): SQL {
  return sql`SELECT ${receiverColumns} FROM receivers r WHERE r.tenant_id = ${tenantId} AND r.id = ${receiverId}`
}

/** Undefined where the row has no receiver: it was asked for by LEFT JOIN and has been deleted. */
export function receiverOf(tenantId: string, row: Row): StoredReceiver | undefined {
  if (row.r_id === null || row.r_id === undefined) return undefined
  return {
    tenantId,
    id: String(row.r_id),
    kind: String(row.r_kind),
    url: String(row.r_url),
    retry: textOrNull(row.r_retry),
    secret: String(row.r_secret),
    previousSecret: textOrNull(row.r_previous_secret),
    previousSecretUntil: row.r_previous_secret_until === null ? null : Number(row.r_previous_secret_until),
  }
}

function textOrNull(value: unknown): string | null {
  return typeof value === 'string' ? value : null
}
