// Statements on receivers as the operator handles them: where a tenant's events are sent.
import { type SQL, sql } from 'drizzle-orm'

export type ReceiverStatus = 'active' | 'paused' | 'disabled'

export interface ReceiverRow {
  readonly id: string
  readonly kind: string
  readonly url: string
  /** JSON array; null for every type. */
  readonly events: string | null
  /** JSON; null for the default. */
  readonly retry: string | null
  readonly status: ReceiverStatus
  readonly createdAt: number
}

export interface ReceiverChange {
  readonly url?: string | undefined
  /** JSON; null for every type. */
  readonly events?: string | null | undefined
  /** JSON; null for the default. */
  readonly retry?: string | null | undefined
  readonly status?: string | undefined
}

const columns = sql`id, kind, url, events, retry, status, created_at AS "createdAt"`

export function selectReceiver(tenantId: string, id: string): SQL {
  return sql`SELECT ${columns} FROM receivers WHERE tenant_id = ${tenantId} AND id = ${id}`
}

/** In order of creation. */
export function pageOfReceivers(tenantId: string, afterId: string, limit: number): SQL {
  return sql`SELECT ${columns} FROM receivers WHERE tenant_id = ${tenantId} AND id > ${afterId}
    ORDER BY id LIMIT ${limit}`
}

/** Adds no receiver to a tenant that is being deleted. */
export function insertReceiver(tenantId: string, receiver: ReceiverRow, sealedSecret: string): SQL {
  const { id, kind, url, events, retry, status, createdAt } = receiver
  return sql`INSERT INTO receivers (tenant_id, id, kind, url, events, retry, status, secret, created_at)
    SELECT tenant_id, ${id}, ${kind}, ${url}, ${events}, ${retry}, ${status}, ${sealedSecret}, ${createdAt}
    FROM tenants WHERE tenant_id = ${tenantId} AND status <> 'deleting'`
}

export function updateReceiver(tenantId: string, id: string, change: ReceiverChange): SQL {
  const assignments = [sql`id = id`]
  if (change.url !== undefined) assignments.push(sql`url = ${change.url}`)
  if (change.events !== undefined) assignments.push(sql`events = ${change.events}`)
  if (change.retry !== undefined) assignments.push(sql`retry = ${change.retry}`)
  if (change.status !== undefined) assignments.push(sql`status = ${change.status}`)
  return sql`UPDATE receivers SET ${sql.join(assignments, sql`, `)} WHERE tenant_id = ${tenantId} AND id = ${id}
    RETURNING ${columns}`
}

/** The old secret signs beside the new one until `previousUntil`; null: not at all. */
export function replaceSecret(
  tenantId: string,
  id: string,
  sealedSecret: string,
  previousUntil: number | null,
): SQL {
  const previous = previousUntil === null ? sql`NULL` : sql`secret`
  return sql`UPDATE receivers SET previous_secret = ${previous}, previous_secret_until = ${previousUntil},
      secret = ${sealedSecret}
    WHERE tenant_id = ${tenantId} AND id = ${id} RETURNING id`
}

export function deleteReceiver(tenantId: string, id: string): SQL {
  return sql`DELETE FROM receivers WHERE tenant_id = ${tenantId} AND id = ${id} RETURNING id`
}
