// The statements of a job's steps (administration/jobs.ts): who is next, how far it is, and what goes at its end.
import { type SQL, sql } from 'drizzle-orm'
import type { ResourceType } from '../scim/schema'
import { withinBytes } from './page-bytes'
import { abortUnlessChanged, resourceColumns, scopeOf, VIEWED } from './resources'
import type { Row } from './tenant-database'

export interface Job {
  readonly id: string
  readonly kind: string
  readonly connectionId: string | null
  /** The serial up to which it is done. */
  readonly position: number
}

/** A job is looked at again after this long, should its next message be lost. */
const WAKE_AFTER_MS = 30_000

/** The job while it is not done. */
export function selectJob(tenantId: string, jobId: string): SQL {
  return sql`SELECT id, kind, connection_id, position FROM jobs
    WHERE tenant_id = ${tenantId} AND id = ${jobId} AND wake_at IS NOT NULL`
}

export function readJob(row: Row): Job {
  return {
    id: String(row.id),
    kind: String(row.kind),
    connectionId: row.connection_id === null ? null : String(row.connection_id),
    position: Number(row.position),
  }
}

/** The next accounts, in order of their serial; rows for `readResource`, with `fits`. */
export function selectAccountsAfter(tenantId: string, type: ResourceType, job: Job, count: number): SQL {
  return accountsAfter(tenantId, type, job, count, sql``)
}

/** The next ones that grant access. */
export function selectActiveAfter(tenantId: string, type: ResourceType, job: Job, count: number): SQL {
  return accountsAfter(tenantId, type, job, count, sql` AND r.active = 1`)
}

function accountsAfter(tenantId: string, type: ResourceType, job: Job, count: number, only: SQL): SQL {
  const ofConnection = job.connectionId === null ? sql`` : sql` AND r.connection_id = ${job.connectionId}`
  const scope = scopeOf(type, '')
  const page = (limit: SQL) => sql`SELECT ${resourceColumns(VIEWED)} FROM resources r
    WHERE r.tenant_id = ${tenantId} AND r.type = ${type.name} AND r.scope = ${scope}
      AND r.serial > ${job.position}${only}${ofConnection}
    ORDER BY r.serial LIMIT ${limit}`
  return withinBytes(page, { tenantId, type: type.name, scope, count, memberships: false })
}

/** Moves the job on; rolls back ('stale') when another runner has moved it already. */
export function advanceJob(
  tenantId: string,
  job: Job,
  to: { position: number; done: number; invalid?: number },
  now: number,
): SQL[] {
  return [
    sql`UPDATE jobs SET position = ${to.position}, done = done + ${to.done},
        invalid = invalid + ${to.invalid ?? 0}, wake_at = ${now + WAKE_AFTER_MS}
      WHERE tenant_id = ${tenantId} AND id = ${job.id} AND position = ${job.position} AND wake_at IS NOT NULL`,
    abortUnlessChanged(tenantId),
  ]
}

export function finishJob(tenantId: string, job: Job): SQL {
  return sql`UPDATE jobs SET wake_at = NULL WHERE tenant_id = ${tenantId} AND id = ${job.id}`
}

/** Nothing of the tenant is on its way any more: every delivery is delivered or dead. One row, `outstanding`. */
export function selectOutstanding(tenantId: string): SQL {
  return sql`SELECT EXISTS (SELECT 1 FROM deliveries WHERE tenant_id = ${tenantId} AND state = 'pending')
    OR EXISTS (SELECT 1 FROM deliveries WHERE tenant_id = ${tenantId} AND state = 'retrying') AS outstanding`
}

/** Tables of a tenant with what tells their rows apart, in the order in which they are emptied. */
const tables = [
  ['members', '(group_id, member_id)'],
  ['pending_members', '(group_id, value)'],
  ['pending_totals', 'tenant_id'],
  ['lookups', '(type, attribute, scope, value, resource_id)'],
  ['held_deletions', 'serial'],
  ['access_losses', 'slot'],
  ['breakers', 'tenant_id'],
  ['resources', 'id'],
  ['totals', '(type, scope)'],
  ['gaps', '(type, scope, size, block)'],
  ['deliveries', '(sequence, receiver_id)'],
  ['delivery_totals', 'receiver_id'],
  ['kill_times', '(hour, receiver_id, bucket)'],
  ['events', 'sequence'],
  ['revocations', 'user_id'],
  ['activity', 'id'],
  ['receivers', 'id'],
  ['signing_keys', 'kid'],
  ['tokens', 'id'],
  ['app_keys', 'id'],
  ['connections', 'id'],
  ['tenant_schemas', 'urn'],
  ['mappings', '(connection_id, version)'],
  ['roles', 'id'],
  ['target_groups', 'id'],
  ['setup_links', 'id'],
  ['tenant_resource_types', 'name'],
] as const

/** Deletes up to `limit` rows of each of the tenant's tables; `changes` says how many of each. */
export function deleteSomeRows(tenantId: string, limit: number): SQL[] {
  return tables.map(([table, key]) => {
    const columns = sql.raw(key.replaceAll(/[()]/g, ''))
    return sql`DELETE FROM ${sql.raw(table)} WHERE tenant_id = ${tenantId} AND ${sql.raw(key)} IN
      (SELECT ${columns} FROM ${sql.raw(table)} WHERE tenant_id = ${tenantId} LIMIT ${limit})`
  })
}

/** The last of a tenant: the end of its chain, its jobs, its own row, and what was logged since its other rows went. */
export function deleteTenantRow(tenantId: string): SQL[] {
  return [
    sql`DELETE FROM activity WHERE tenant_id = ${tenantId}`,
    sql`DELETE FROM event_chain WHERE tenant_id = ${tenantId}`,
    sql`DELETE FROM jobs WHERE tenant_id = ${tenantId}`,
    sql`DELETE FROM tenants WHERE tenant_id = ${tenantId}`,
  ]
}
