// Statements on receivers as the operator handles them: where a tenant's events are sent.
import { type SQL, sql } from 'drizzle-orm'
import { closed } from './receiver-circuit'

export type ReceiverStatus = 'active' | 'paused' | 'disabled'

export interface ReceiverRow {
  readonly id: string
  readonly kind: string
  readonly url: string
  /** JSON of what only its kind has. */
  readonly settings: string | null
  readonly issuer: string | null
  /** JSON array; null for every type. */
  readonly events: string | null
  /** JSON; null for the default. */
  readonly retry: string | null
  readonly status: ReceiverStatus
  readonly createdAt: number
}

/** What a new receiver has and nobody is shown again, and how it is told. */
export interface ReceiverMake {
  /** It fetches its events itself. */
  readonly isPolled: boolean
  /** '' for a kind that has none. */
  readonly sealedSecret: string
  readonly sealedAuthorization: string | null
}

export interface ReceiverChange {
  readonly url?: string | undefined
  /** JSON to be merged into what there is; a null in it removes. */
  readonly settings?: string | undefined
  /** Sealed; null for none. */
  readonly authorization?: string | null | undefined
  /** JSON; null for every type. */
  readonly events?: string | null | undefined
  /** JSON; null for the default. */
  readonly retry?: string | null | undefined
  readonly status?: string | undefined
}

const columns = sql`id, kind, url, settings, issuer, events, retry, status, created_at AS "createdAt"`

export function selectReceiver(tenantId: string, id: string): SQL {
  return sql`SELECT ${columns} FROM receivers WHERE tenant_id = ${tenantId} AND id = ${id}`
}

/** In order of creation. */
export function pageOfReceivers(tenantId: string, afterId: string, limit: number): SQL {
  return sql`SELECT ${columns} FROM receivers WHERE tenant_id = ${tenantId} AND id > ${afterId}
    ORDER BY id LIMIT ${limit}`
}

/** Adds no receiver to a tenant that is being deleted. */
export function insertReceiver(tenantId: string, receiver: ReceiverRow, make: ReceiverMake): SQL {
  const { id, kind, url, settings, issuer, events, retry, status, createdAt } = receiver
  return sql`INSERT INTO receivers (tenant_id, id, kind, url, is_polled, settings, issuer, events, retry, status,
      secret, authorization, created_at)
    SELECT tenant_id, ${id}, ${kind}, ${url}, ${make.isPolled ? 1 : 0}, ${settings}, ${issuer}, ${events}, ${retry},
      ${status}, ${make.sealedSecret}, ${make.sealedAuthorization}, ${createdAt}
    FROM tenants WHERE tenant_id = ${tenantId} AND status <> 'deleting'`
}

export function updateReceiver(tenantId: string, id: string, change: ReceiverChange): SQL {
  const assignments = [sql`id = id`]
  if (change.url !== undefined) assignments.push(sql`url = ${change.url}`)
  if (change.settings !== undefined)
    assignments.push(sql`settings = json_patch(coalesce(settings, '{}'), ${change.settings})`)
  if (change.authorization !== undefined) assignments.push(sql`authorization = ${change.authorization}`)
  if (change.events !== undefined) assignments.push(sql`events = ${change.events}`)
  if (change.retry !== undefined) assignments.push(sql`retry = ${change.retry}`)
  if (change.status !== undefined) assignments.push(sql`status = ${change.status}`)
  // Whoever resumes it, or puts it elsewhere, says that it is worth trying.
  if (change.status !== undefined || change.url !== undefined) assignments.push(closed)
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
    WHERE tenant_id = ${tenantId} AND id = ${id} AND secret <> '' RETURNING id`
}

export function deleteReceiver(tenantId: string, id: string): SQL {
  return sql`DELETE FROM receivers WHERE tenant_id = ${tenantId} AND id = ${id} RETURNING id`
}
