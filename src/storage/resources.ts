// Resources as rows: read one, and the statements of a create, an update and a delete. Each write is
// made of statements only, so that it can share one batch with its members, events, deliveries and log row.
import { type SQL, sql } from 'drizzle-orm'
import { formatPath } from '../scim/attribute-path'
import { comparableDocument } from '../scim/comparable'
import type { JsonObject } from '../scim/json'
import { borrowedNames, type ReferringPath, referringPaths } from '../scim/reference'
import type { Resource } from '../scim/resource'
import type { ResourceType } from '../scim/schema'
import { borrowedValue, literal, ofReferred } from './attribute-sql'
import { type LookupRow, lookupDifference, lookupRows } from './lookup'
import type { Row } from './tenant-database'

/** What of a stored resource an answer shows. */
export type ShownResource = Pick<
  StoredResource,
  'id' | 'connectionId' | 'resource' | 'version' | 'createdAt' | 'lastModified' | 'memberships' | 'referred'
>

export interface StoredResource {
  readonly id: string
  readonly type: string
  /** Whose list it is in: '' or a connection's id. */
  readonly scope: string
  readonly serial: number
  readonly connectionId: string
  readonly resource: Resource
  /** Opaque; new with every change. */
  readonly version: string
  /** Milliseconds. */
  readonly createdAt: number
  readonly lastModified: number
  /** Unix seconds. */
  readonly sessionsNotBefore: number | null
  readonly sessionEpoch: number
  /** Groups it is in, when they were asked for. */
  readonly memberships: readonly JsonObject[]
  /** What is said of those that it refers to, by the attribute's path, as far as it was asked for. */
  readonly referred: JsonObject
}

/** What is read of other resources along with one. */
export interface Along {
  /** The groups that it is in. */
  readonly memberships: boolean
  /** Attributes of which the resource referred to is told. */
  readonly referred: readonly ReferringPath[]
}

export const ALONE: Along = { memberships: false, referred: [] }

/** How many serials of a list the blocks hold whose gaps are counted; see `seek` in list.ts. */
export const BLOCK_SIZES = [262_144, 4_096, 64]

/**
 * Memberships are one value of the row, of which D1 takes two million bytes: who is put into ever more groups, or
 * into groups with endless names, must stay readable and, above all, deactivatable. Escaped, a character is six bytes
 * at most, so these stay below one million.
 */
const MAX_MEMBERSHIPS = sql.raw('1000')
const MAX_DISPLAY = sql.raw('120')

/** One resource by id. */
export function selectResource(tenantId: string, type: ResourceType, id: string, along: Along): SQL {
  return sql`SELECT ${resourceColumns(along)} FROM resources r
    WHERE r.tenant_id = ${tenantId} AND r.id = ${id} AND r.type = ${type.name}`
}

export function readResource(row: Row): StoredResource {
  return {
    id: String(row.id),
    type: String(row.type),
    scope: String(row.scope),
    serial: Number(row.serial),
    connectionId: String(row.connection_id),
    resource: JSON.parse(String(row.document)) as Resource,
    version: String(row.version),
    createdAt: Number(row.created_at),
    lastModified: Number(row.last_modified),
    sessionsNotBefore: row.sessions_not_before === null ? null : Number(row.sessions_not_before),
    sessionEpoch: Number(row.session_epoch),
    memberships: typeof row.memberships === 'string' ? (JSON.parse(row.memberships) as JsonObject[]) : [],
    referred: typeof row.referred === 'string' ? (JSON.parse(row.referred) as JsonObject) : {},
  }
}

/** The columns that `readResource` reads, of the row `r`. */
export function resourceColumns({ memberships, referred }: Along): SQL {
  const columns = [
    sql`r.id, r.type, r.scope, r.serial, r.connection_id, r.document, r.version, r.created_at, r.last_modified,
      r.sessions_not_before, r.session_epoch`,
    ...(memberships ? [membershipsColumn] : []),
    ...(referred.length > 0 ? [referredColumn(referred)] : []),
  ]
  return sql.join(columns, sql`, `)
}

const membershipsColumn = sql`(SELECT json_group_array(json_object('value', group_id, 'type', 'direct',
    'display', display, 'resourceType', type))
  FROM (SELECT m.group_id, substr(g.document ->> '$.displayName', 1, ${MAX_DISPLAY}) AS display, g.type
    FROM members m CROSS JOIN resources g
    WHERE m.tenant_id = r.tenant_id AND m.member_id = r.id AND g.tenant_id = m.tenant_id AND g.id = m.group_id
    LIMIT ${MAX_MEMBERSHIPS})) AS memberships`

/** One search by key for each reference; none where there is no value. */
function referredColumn(paths: readonly ReferringPath[]): SQL {
  const pairs = paths.map(path => {
    const borrowed = borrowedNames(path).map(
      name => sql`${literal(name)}, ${borrowedValue(name, sql`o.document`)}`,
    )
    const found = ofReferred(path, sql`json_object(${sql.join(borrowed, sql`, `)})`)
    return sql`${literal(formatPath(path))}, json(${found})`
  })
  return sql`json_object(${sql.join(pairs, sql`, `)}) AS referred`
}

/** What a create needs beside the document. */
export interface NewResource {
  readonly tenantId: string
  readonly id: string
  readonly type: ResourceType
  readonly connectionId: string
  readonly resource: Resource
  readonly version: string
  readonly now: number
}

export function scopeOf(type: ResourceType, connectionId: string): string {
  return type.scope === 'tenant' ? '' : connectionId
}

/** The resources that already have one of the unique values, with the `attribute` that clashes, and their groups. */
export function selectConflicts(created: NewResource): SQL {
  const along = {
    memberships: created.type.membershipsAttribute !== undefined,
    referred: referringPaths(created.type),
  }
  return sql`SELECT l.attribute AS conflict, ${resourceColumns(along)} ${conflicts(created)}`
}

function conflicts({ tenantId, type, connectionId, resource }: NewResource): SQL {
  const unique = lookupRows(resource, type, connectionId).filter(row => row.unique)
  return sql`FROM json_each(${JSON.stringify(unique)}) u CROSS JOIN lookups l CROSS JOIN resources r
    WHERE l.tenant_id = ${tenantId} AND l.type = ${type.name} AND l.attribute = u.value ->> '$.attribute'
      AND l.scope = u.value ->> '$.scope' AND l.value = u.value ->> '$.value'
      AND r.tenant_id = l.tenant_id AND r.id = l.resource_id`
}

/** True inside the batch once the row is there: guards everything that belongs to the create. */
export function exists(tenantId: string, id: string): SQL {
  return sql`EXISTS (SELECT 1 FROM resources WHERE tenant_id = ${tenantId} AND id = ${id})`
}

/**
 * Creates the resource if `condition` holds and none of its unique values is taken; otherwise changes nothing.
 * The first statement's `changes` says which.
 */
export function insertResource(created: NewResource, condition = sql`1`): SQL[] {
  const { tenantId, id, type, connectionId, resource, version, now } = created
  const scope = scopeOf(type, connectionId)
  const document = documentColumns(resource, type)
  return [
    sql`INSERT INTO resources (tenant_id, id, type, scope, serial, connection_id, document, comparable, active,
        version, created_at, last_modified, session_epoch)
      SELECT ${tenantId}, ${id}, ${type.name}, ${scope},
        coalesce((SELECT last_serial FROM totals WHERE tenant_id = ${tenantId} AND type = ${type.name} AND scope = ${scope}), 0) + 1,
        ${connectionId}, ${document.text}, ${document.comparable}, ${document.active}, ${version}, ${now}, ${now}, 0
      WHERE ${condition} AND NOT EXISTS (SELECT 1 ${conflicts(created)})`,
    sql`INSERT INTO totals (tenant_id, type, scope, live, last_serial)
      SELECT ${tenantId}, ${type.name}, ${scope}, 1, 1 WHERE ${exists(tenantId, id)}
      ON CONFLICT DO UPDATE SET live = live + 1, last_serial = last_serial + 1`,
    insertLookups(tenantId, id, type, lookupRows(resource, type, connectionId), exists(tenantId, id)),
  ]
}

/** The new state of a stored resource; everything else stays. */
export interface Change {
  readonly resource: Resource
  readonly connectionId: string
  readonly version: string
  readonly now: number
  readonly sessionsNotBefore: number | null
  readonly sessionEpoch: number
}

/**
 * Writes the new state over the version that was read. Rolls the batch back ('stale', see `failure`) when
 * somebody else was faster, and ('unique') when a unique value is taken.
 */
export function updateResource(
  tenantId: string,
  type: ResourceType,
  before: StoredResource,
  change: Change,
): SQL[] {
  const document = documentColumns(change.resource, type)
  const oldRows = lookupRows(before.resource, type, before.connectionId)
  const newRows = lookupRows(change.resource, type, change.connectionId)
  const gone = lookupDifference(oldRows, newRows)
  const added = lookupDifference(newRows, oldRows)
  return [
    sql`UPDATE resources SET document = ${document.text}, comparable = ${document.comparable},
        active = ${document.active}, connection_id = ${change.connectionId}, version = ${change.version},
        last_modified = ${change.now}, sessions_not_before = ${change.sessionsNotBefore},
        session_epoch = ${change.sessionEpoch}
      WHERE tenant_id = ${tenantId} AND id = ${before.id} AND version = ${before.version}
        AND session_epoch = ${before.sessionEpoch}`,
    abortUnlessChanged(tenantId),
    ...(gone.length > 0 ? [deleteLookups(tenantId, before.id, type, gone)] : []),
    ...(added.length > 0 ? [insertLookups(tenantId, before.id, type, added, sql`1`)] : []),
  ]
}

/**
 * Deletes the version that was read, its lookups and its memberships in both directions; groups it leaves get the
 * new version. Rolls back ('stale') when somebody else was faster.
 */
export function deleteResource(
  tenantId: string,
  type: ResourceType,
  before: StoredResource,
  { version, now }: { version: string; now: number },
): SQL[] {
  const ofList = sql`tenant_id = ${tenantId} AND type = ${type.name} AND scope = ${before.scope}`
  return [
    // Revoked sessions raise the epoch and leave the version: the event's epoch must still be the next one.
    sql`DELETE FROM resources WHERE tenant_id = ${tenantId} AND id = ${before.id} AND version = ${before.version}
      AND session_epoch = ${before.sessionEpoch}`,
    abortUnlessChanged(tenantId),
    deleteLookups(tenantId, before.id, type, lookupRows(before.resource, type, before.connectionId)),
    sql`UPDATE resources SET version = ${version}, last_modified = ${now} WHERE tenant_id = ${tenantId}
      AND id IN (SELECT group_id FROM members WHERE tenant_id = ${tenantId} AND member_id = ${before.id})`,
    // Without the groups SQLite takes the key and reads every membership of the tenant.
    sql`DELETE FROM members WHERE tenant_id = ${tenantId} AND member_id = ${before.id}
      AND group_id IN (SELECT group_id FROM members WHERE tenant_id = ${tenantId} AND member_id = ${before.id})`,
    ...(type.membersAttribute === undefined
      ? []
      : [sql`DELETE FROM members WHERE tenant_id = ${tenantId} AND group_id = ${before.id}`]),
    sql`UPDATE totals SET live = live - 1 WHERE ${ofList}`,
    sql`INSERT INTO gaps (tenant_id, type, scope, size, block, gone)
      SELECT ${tenantId}, ${type.name}, ${before.scope}, value, CAST(${before.serial - 1} AS INTEGER) / value, 1
      FROM json_each(${JSON.stringify(BLOCK_SIZES)}) WHERE 1
      ON CONFLICT DO UPDATE SET gone = gone + 1`,
  ]
}

/** Ends the batch when the statement before it found nothing to change. */
export function abortUnlessChanged(tenantId: string): SQL {
  return sql`INSERT INTO aborts (tenant_id, reason) SELECT ${tenantId}, 'stale_version' WHERE changes() = 0`
}

function documentColumns(resource: Resource, type: ResourceType) {
  const comparable = comparableDocument(resource, type)
  const access = type.accessAttribute === undefined ? undefined : resource[type.accessAttribute]
  return {
    text: JSON.stringify(resource),
    comparable: comparable === undefined ? null : JSON.stringify(comparable),
    active: type.accessAttribute === undefined ? null : access === false ? 0 : 1,
  }
}

function insertLookups(
  tenantId: string,
  id: string,
  type: ResourceType,
  rows: readonly LookupRow[],
  condition: SQL,
): SQL {
  return sql`INSERT INTO lookups (tenant_id, type, attribute, scope, value, resource_id, is_unique)
    SELECT ${tenantId}, ${type.name}, value ->> '$.attribute', value ->> '$.scope', value ->> '$.value', ${id},
      value ->> '$.unique'
    FROM json_each(${JSON.stringify(rows)}) WHERE ${condition}`
}

function deleteLookups(tenantId: string, id: string, type: ResourceType, rows: readonly LookupRow[]): SQL {
  return sql`DELETE FROM lookups WHERE (tenant_id, type, attribute, scope, value, resource_id) IN
    (SELECT ${tenantId}, ${type.name}, value ->> '$.attribute', value ->> '$.scope', value ->> '$.value', ${id}
      FROM json_each(${JSON.stringify(rows)}))`
}
