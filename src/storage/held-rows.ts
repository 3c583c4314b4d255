// Deleted users whose record is kept until the operator decides: who they are, what they were, and the job that decides.
import { type SQL, sql } from 'drizzle-orm'
import type { ResourceType } from '../scim/schema'
import { DELETED } from './attribute-sql'
import type { NewJob } from './job-rows'
import type { Job } from './job-steps'
import { lookupRows } from './lookup'
import type { Occasion } from './outbox'
import { readResource, resourceColumns, type StoredResource, VIEWED } from './resources'
import type { Row } from './tenant-database'

export interface Held {
  /** As it is now: without access, and gone for SCIM. */
  readonly stored: StoredResource
  /** The DELETE took access away. */
  readonly wasActive: boolean
  /** Ids of the groups it was in, as far as they are still there. */
  readonly groups: readonly string[]
}

export interface HeldItemRow {
  readonly userId: string
  readonly userName: string
  readonly at: number
  readonly keptBecause: string | null
}

/** Goes before the statements that make the user vanish, as long as the memberships are there. */
export function holdDeletion(tenantId: string, stored: StoredResource, active: boolean, now: number): SQL {
  const { id, serial, connectionId } = stored
  return sql`INSERT INTO held_deletions (tenant_id, serial, user_id, connection_id, at, active, group_ids, round)
    SELECT tenant_id, ${serial}, ${id}, ${connectionId}, ${now}, ${Number(active)},
      (SELECT json_group_array(group_id) FROM (SELECT group_id FROM members
        WHERE tenant_id = ${tenantId} AND member_id = ${id} ORDER BY group_id)), round
    FROM breakers WHERE tenant_id = ${tenantId}`
}

/** For the activity log. */
export function heldNote(): SQL {
  return sql`'held by the breaker'`
}

/** It is decided, or the user has come back by itself. */
export function dropHeld(tenantId: string, serials: readonly number[]): SQL {
  return sql`DELETE FROM held_deletions WHERE tenant_id = ${tenantId}
    AND serial IN (SELECT value FROM json_each(${JSON.stringify(serials)}))`
}

/**
 * Somebody who comes back is in the groups of before again, as far as they are still there. No event tells of it, as
 * none told that the person left. `areRoles`: groups are.
 */
export function rejoinGroups(
  { tenantId, txn, now }: Occasion,
  type: ResourceType,
  { stored: { id }, groups }: Held,
  areRoles: boolean,
): SQL[] {
  if (groups.length === 0) return []
  const list = sql`(SELECT value FROM json_each(${JSON.stringify(groups)}))`
  return [
    sql`INSERT INTO members (tenant_id, group_id, member_id, type, version)
      SELECT ${tenantId}, g.id, ${id}, ${type.name}, ${`${txn}.back`} FROM resources g
      WHERE g.tenant_id = ${tenantId} AND g.id IN ${list} ON CONFLICT DO NOTHING`,
    sql`UPDATE resources SET version = ${txn}, last_modified = ${now} WHERE tenant_id = ${tenantId} AND id IN ${list}`,
    ...(areRoles
      ? [sql`UPDATE roles SET members = members + 1 WHERE tenant_id = ${tenantId} AND id IN ${list}`]
      : []),
  ]
}

/** The next decision on it may be another. */
export function keepHeld(tenantId: string, kept: readonly { serial: number; because: string }[]): SQL {
  const list = JSON.stringify(kept)
  return sql`UPDATE held_deletions SET kept_because = (SELECT k.value ->> '$.because' FROM json_each(${list}) k
      WHERE k.value ->> '$.serial' = held_deletions.serial)
    WHERE tenant_id = ${tenantId} AND serial IN (SELECT value ->> '$.serial' FROM json_each(${list}))`
}

/** In the order in which the users were created. */
export function selectHeldItems(tenantId: string, limit: number): SQL {
  return sql`SELECT h.user_id AS "userId", r.document ->> '$.userName' AS "userName", h.at,
      h.kept_because AS "keptBecause"
    FROM held_deletions h CROSS JOIN resources r
    WHERE h.tenant_id = ${tenantId} AND r.tenant_id = h.tenant_id AND r.id = h.user_id
    ORDER BY h.serial LIMIT ${limit}`
}

/** One column, `held`. */
export function countHeld(tenantId: string): SQL {
  return sql`SELECT count(*) AS held FROM held_deletions WHERE tenant_id = ${tenantId}`
}

/** The next ones that the job is about: those of its connection, or of the rounds that are decided. */
export function selectHeldAfter(tenantId: string, job: Job, limit: number): SQL {
  const which =
    job.connectionId === null
      ? sql`h.round < (SELECT round FROM breakers WHERE tenant_id = ${tenantId})`
      : sql`h.connection_id = ${job.connectionId}`
  return sql`SELECT ${resourceColumns(VIEWED)}, h.active AS was_active,
      (SELECT json_group_array(j.value) FROM json_each(h.group_ids) j CROSS JOIN resources g
        WHERE g.tenant_id = h.tenant_id AND g.id = j.value) AS group_ids
    FROM held_deletions h CROSS JOIN resources r
    WHERE h.tenant_id = ${tenantId} AND h.serial > ${job.position} AND ${which}
      AND r.tenant_id = h.tenant_id AND r.id = h.user_id AND r.scope = ${DELETED}
    ORDER BY h.serial LIMIT ${limit}`
}

export function readHeld(row: Row): Held {
  return {
    stored: readResource(row),
    wasActive: row.was_active === 1,
    groups: JSON.parse(String(row.group_ids)) as string[],
  }
}

/**
 * What of the users' unique values somebody has by now: rows `id`, `attribute`. A connection that is no more, or is
 * being deleted, takes nobody back: its rows have no `attribute`.
 */
export function selectObstacles(tenantId: string, type: ResourceType, held: readonly Held[]): SQL {
  const values = held.flatMap(({ stored: { id, resource, connectionId } }) =>
    lookupRows(resource, type, connectionId)
      .filter(({ unique }) => unique)
      .map(({ attribute, scope, value }) => ({ id, attribute, scope, value })),
  )
  const owners = held.map(({ stored: { id, connectionId } }) => ({ id, connectionId }))
  return sql`SELECT u.value ->> '$.id' AS id, l.attribute AS attribute
    FROM json_each(${JSON.stringify(values)}) u CROSS JOIN lookups l
    WHERE l.tenant_id = ${tenantId} AND l.type = ${type.name} AND l.attribute = u.value ->> '$.attribute'
      AND l.scope = u.value ->> '$.scope' AND l.value = u.value ->> '$.value' AND l.is_unique = 1
    UNION ALL SELECT o.value ->> '$.id', NULL FROM json_each(${JSON.stringify(owners)}) o
    WHERE ${isClosing(tenantId, sql`o.value ->> '$.connectionId'`)}`
}

/** Rolls the batch back ('stale') when one of the connections, or the tenant, is being deleted or is no more. */
export function requireStaying(tenantId: string, connectionIds: readonly string[]): SQL {
  return sql`INSERT INTO aborts (tenant_id, reason) SELECT ${tenantId}, 'stale_version'
    WHERE EXISTS (SELECT 1 FROM json_each(${JSON.stringify(connectionIds)}) o
      WHERE ${isClosing(tenantId, sql`o.value`)})`
}

function isClosing(tenantId: string, connectionId: SQL): SQL {
  return sql`NOT EXISTS (SELECT 1 FROM connections c CROSS JOIN tenants t WHERE c.tenant_id = ${tenantId}
    AND c.id = ${connectionId} AND c.status <> 'deleting' AND t.tenant_id = ${tenantId} AND t.status <> 'deleting')`
}

/** Begins the job on everybody who is held, unless nobody is, or one like it is under way. */
export function insertDecision(tenantId: string, job: NewJob, now: number): SQL {
  return sql`INSERT INTO jobs (tenant_id, id, kind, connection_id, position, done, total, created_at, wake_at)
    SELECT t.tenant_id, ${job.id}, ${job.kind}, NULL, 0, 0,
      (SELECT count(*) FROM held_deletions WHERE tenant_id = ${tenantId}), ${now}, ${now}
    FROM tenants t WHERE t.tenant_id = ${tenantId} AND t.status <> 'deleting'
      AND EXISTS (SELECT 1 FROM held_deletions WHERE tenant_id = ${tenantId})
      AND NOT EXISTS (${decisionUnderWay(tenantId)})`
}

/** Rows: those jobs. */
export function decisionUnderWay(tenantId: string): SQL {
  return sql`SELECT id FROM jobs WHERE tenant_id = ${tenantId} AND wake_at IS NOT NULL AND connection_id IS NULL
    AND kind IN ('release-held', 'roll-back-held')`
}

/** Behind a connection that is no more: nobody can bring its users back, so those of them who are held are released. */
export function insertOrphanRelease(tenantId: string, jobId: string, connectionId: string, now: number): SQL {
  const held = sql`FROM held_deletions WHERE tenant_id = ${tenantId} AND connection_id = ${connectionId}`
  return sql`INSERT INTO jobs (tenant_id, id, kind, connection_id, position, done, total, created_at, wake_at)
    SELECT ${tenantId}, ${jobId}, 'release-held', ${connectionId}, 0, 0, (SELECT count(*) ${held}), ${now}, ${now}
    WHERE EXISTS (SELECT 1 ${held})
      AND NOT EXISTS (SELECT 1 FROM connections WHERE tenant_id = ${tenantId} AND id = ${connectionId})`
}

/** How far the job is: one row. */
export function selectDecision(tenantId: string, jobId: string): SQL {
  return sql`SELECT done, total, invalid FROM jobs WHERE tenant_id = ${tenantId} AND id = ${jobId}`
}
