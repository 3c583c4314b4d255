// Resources as rows: read one, and the statements of a create, an update and a delete. Each write is
// made of statements only, so that it can share one batch with its members, events, deliveries and log row.
import { type SQL, sql } from 'drizzle-orm'
import { formatPath } from '../scim/attribute-path'
import { comparableDocument } from '../scim/comparable'
import { grantsAccess, type SubjectView } from '../scim/event'
import { type JsonObject, textOrNull } from '../scim/json'
import { borrowedNames, type ReferringPath, referringPaths } from '../scim/reference'
import type { Resource } from '../scim/resource'
import type { ResourceType } from '../scim/schema'
import { borrowedValue, DELETED, literal, ofReferred } from './attribute-sql'
import { type LookupRow, lookupDifference, lookupRows } from './lookup'
import type { Row } from './tenant-database'

/** The application's view of a user as it is stored (mapping/view.ts). */
export interface StoredView extends SubjectView {
  /** Its `targetGroup` is the group's id. */
  readonly targetGroupName: string | null
}

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
  /** Where it was asked for, of a type that grants access. */
  readonly view?: StoredView
  /** Milliseconds; since then it is gone for SCIM. */
  readonly deletedAt: number | null
  /** What is said of those that it refers to, by the attribute's path, as far as it was asked for. */
  readonly referred: JsonObject
}

/** What is read of other resources along with one. */
export interface Along {
  /** The groups that it is in. */
  readonly memberships: boolean
  /** Attributes of which the resource referred to is told. */
  readonly referred: readonly ReferringPath[]
  /** How the application sees it. */
  readonly view?: boolean
}

export const ALONE: Along = { memberships: false, referred: [] }
export const VIEWED: Along = { ...ALONE, view: true }

/** How many serials of a list the blocks hold whose gaps are counted; see `seek` in list.ts. */
export const BLOCK_SIZES = [262_144, 4_096, 64]

/**
 * Memberships are one value of the row, of which D1 takes two million bytes: who is put into ever more groups, or
 * into groups with endless names, must stay readable and, above all, deactivatable. Escaped, a character is six bytes
 * at most, so these stay below one million.
 */
const MAX_SHOWN = 1000
const MAX_MEMBERSHIPS = sql.raw(String(MAX_SHOWN))
const MAX_DISPLAY = sql.raw('120')

/** One resource by id, unless it is gone for SCIM. */
export function selectResource(tenantId: string, type: ResourceType, id: string, along: Along): SQL {
  return sql`${selectEver(tenantId, type, id, along)} AND r.scope <> ${DELETED}`
}

/** The same, also of somebody who is gone for SCIM. */
export function selectEver(tenantId: string, type: ResourceType, id: string, along: Along): SQL {
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
    deletedAt: typeof row.deleted_at === 'number' ? row.deleted_at : null,
    ...(row.profile !== undefined && { view: readView(row) }),
    referred: typeof row.referred === 'string' ? (JSON.parse(row.referred) as JsonObject) : {},
  }
}

/** Who was written before the service had profiles has none until it is written again. */
function readView(row: Row): StoredView {
  return {
    profile: typeof row.profile === 'string' ? (JSON.parse(row.profile) as JsonObject) : {},
    role: textOrNull(row.role),
    targetGroup: textOrNull(row.target_group),
    targetGroupName: textOrNull(row.target_group_name),
  }
}

/** The columns that `readResource` reads, of the row `r`. */
export function resourceColumns({ memberships, referred, view }: Along): SQL {
  const columns = [
    sql`r.id, r.type, r.scope, r.serial, r.connection_id, r.document, r.version, r.created_at, r.last_modified,
      r.sessions_not_before, r.session_epoch`,
    ...(view ? [viewColumns] : []),
    ...(memberships ? [membershipsColumn] : []),
    ...(referred.length > 0 ? [referredColumn(referred)] : []),
  ]
  return sql.join(columns, sql`, `)
}

const viewColumns = sql`r.profile, r.role, r.target_group, r.deleted_at,
  (SELECT name FROM target_groups t WHERE t.tenant_id = r.tenant_id AND t.id = r.target_group) AS target_group_name`

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

/** The columns of a group that `withMemberships` reads, as the statement gives them that has changed it. */
export function membershipColumns(): SQL {
  return sql`id, substr(document ->> '$.displayName', 1, ${MAX_DISPLAY}) AS display, type`
}

/** The memberships of before and those in the groups of the rows, as `resourceColumns` has them. */
export function withMemberships(before: readonly JsonObject[], rows: readonly Row[]): readonly JsonObject[] {
  if (rows.length === 0) return before
  const groups = rows.map(({ id, display, type }) => ({
    value: String(id),
    type: 'direct',
    display: display === null ? null : String(display),
    resourceType: String(type),
  }))
  const all = [...before, ...groups].sort((a, b) => (String(a.value) < String(b.value) ? -1 : 1))
  return all.slice(0, MAX_SHOWN)
}

/** What a create needs beside the document. */
export interface NewResource {
  readonly tenantId: string
  readonly id: string
  readonly type: ResourceType
  readonly connectionId: string
  readonly resource: Resource
  /** How the application sees it, where the type grants access. */
  readonly view?: SubjectView
  /** Who was deleted with the same externalId comes back under the old id. */
  readonly restores: boolean
  readonly version: string
  readonly now: number
}

export function scopeOf(type: ResourceType, connectionId: string): string {
  return type.scope === 'tenant' ? '' : connectionId
}

/**
 * The resources that already have one of the unique values, with the `attribute` that clashes, and their groups; and
 * the deleted one that this one is.
 */
export function selectConflicts(created: NewResource): SQL {
  const along = {
    memberships: created.type.membershipsAttribute !== undefined,
    referred: referringPaths(created.type),
    view: true,
  }
  return sql`SELECT l.attribute AS conflict, ${resourceColumns(along)} ${conflicts(created)}`
}

function conflicts({ tenantId, type, connectionId, resource, restores }: NewResource): SQL {
  const living = lookupRows(resource, type, connectionId).filter(row => row.unique)
  const deleted = restores ? lookupRows(resource, type, connectionId, true).filter(isExternalId) : []
  const unique = [...living, ...deleted]
  return sql`FROM json_each(${JSON.stringify(unique)}) u CROSS JOIN lookups l CROSS JOIN resources r
    WHERE l.tenant_id = ${tenantId} AND l.type = ${type.name} AND l.attribute = u.value ->> '$.attribute'
      AND l.scope = u.value ->> '$.scope' AND l.value = u.value ->> '$.value'
      AND r.tenant_id = l.tenant_id AND r.id = l.resource_id`
}

function isExternalId({ attribute }: LookupRow): boolean {
  return attribute === 'externalId'
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
  const profile = created.view ? JSON.stringify(created.view.profile) : null
  return [
    sql`INSERT INTO resources (tenant_id, id, type, scope, serial, connection_id, document, comparable, active,
        profile, role, version, created_at, last_modified, session_epoch)
      SELECT ${tenantId}, ${id}, ${type.name}, ${scope},
        coalesce((SELECT last_serial FROM totals WHERE tenant_id = ${tenantId} AND type = ${type.name} AND scope = ${scope}), 0) + 1,
        ${connectionId}, ${document.text}, ${document.comparable}, ${document.active}, ${profile}, ${created.view?.role ?? null},
        ${version}, ${now}, ${now}, 0
      WHERE ${condition} AND NOT EXISTS (SELECT 1 ${conflicts(created)})`,
    sql`INSERT INTO totals (tenant_id, type, scope, live, last_serial, active)
      SELECT ${tenantId}, ${type.name}, ${scope}, 1, 1, ${document.active ?? 0} WHERE ${exists(tenantId, id)}
      ON CONFLICT DO UPDATE SET live = live + 1, last_serial = last_serial + 1, active = active + excluded.active`,
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
  /** Of somebody with a view: the new one. The target group has statements of its own (target-groups.ts). */
  readonly view?: SubjectView
}

/** By what the resource is found from now on and was not before. */
export function newLookups(type: ResourceType, before: StoredResource, change: Change): LookupRow[] {
  return lookupDifference(
    lookupRows(change.resource, type, change.connectionId),
    lookupRows(before.resource, type, before.connectionId),
  )
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
  const { view } = change
  const columns = view ? sql`profile = ${JSON.stringify(view.profile)}, role = ${view.role},` : sql``
  return [
    sql`UPDATE resources SET document = ${document.text}, comparable = ${document.comparable}, ${columns}
        active = ${document.active}, connection_id = ${change.connectionId}, version = ${change.version},
        last_modified = ${change.now}, sessions_not_before = ${change.sessionsNotBefore},
        session_epoch = ${change.sessionEpoch}
      WHERE ${isAsRead(tenantId, before)}`,
    abortUnlessChanged(tenantId),
    ...countAccess(tenantId, type, before, change.resource),
    ...(gone.length > 0 ? [deleteLookups(tenantId, before.id, type, gone)] : []),
    ...(added.length > 0 ? [insertLookups(tenantId, before.id, type, added, sql`1`)] : []),
  ]
}

/**
 * The row as it was read. Revoked sessions raise the epoch, and a new mapping moves people, while the version stays:
 * an event's epoch must still be the next one, and the counts of roles and target groups must still be right.
 */
function isAsRead(tenantId: string, { id, version, sessionEpoch, view }: StoredResource): SQL {
  const placed = view ? sql` AND role IS ${view.role} AND target_group IS ${view.targetGroup}` : sql``
  return sql`tenant_id = ${tenantId} AND id = ${id} AND version = ${version} AND session_epoch = ${sessionEpoch}${placed}`
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
  return [
    sql`DELETE FROM resources WHERE ${isAsRead(tenantId, before)}`,
    abortUnlessChanged(tenantId),
    deleteLookups(tenantId, before.id, type, lookupRows(before.resource, type, before.connectionId)),
    ...leaveGroups(tenantId, before.id, { version, now }),
    ...(type.membersAttribute === undefined
      ? []
      : [
          sql`DELETE FROM members WHERE tenant_id = ${tenantId} AND group_id = ${before.id}`,
          sql`DELETE FROM pending_members WHERE tenant_id = ${tenantId} AND group_id = ${before.id}`,
        ]),
    ...countOut(tenantId, type, before),
  ]
}

/** Out of every group it is in; these get the new version. */
function leaveGroups(
  tenantId: string,
  id: string,
  { version, now }: { version: string; now: number },
): SQL[] {
  const groups = sql`(SELECT group_id FROM members WHERE tenant_id = ${tenantId} AND member_id = ${id})`
  return [
    sql`UPDATE resources SET version = ${version}, last_modified = ${now} WHERE tenant_id = ${tenantId}
      AND id IN ${groups}`,
    // Without the groups SQLite takes the key and reads every membership of the tenant.
    sql`DELETE FROM members WHERE tenant_id = ${tenantId} AND member_id = ${id} AND group_id IN ${groups}`,
  ]
}

/** One more, or one less, of its list who has access. */
function countAccess(
  tenantId: string,
  type: ResourceType,
  { scope, resource }: StoredResource,
  after: Resource,
): SQL[] {
  const difference = (activeOf(after, type) ?? 0) - (activeOf(resource, type) ?? 0)
  if (difference === 0) return []
  return [
    sql`UPDATE totals SET active = active + ${difference}
      WHERE tenant_id = ${tenantId} AND type = ${type.name} AND scope = ${scope}`,
  ]
}

/** One less in its list, and a gap where it was. */
function countOut(tenantId: string, type: ResourceType, before: StoredResource): SQL[] {
  const { scope, serial } = before
  return [
    sql`UPDATE totals SET live = live - 1, active = active - ${activeOf(before.resource, type) ?? 0}
      WHERE tenant_id = ${tenantId} AND type = ${type.name} AND scope = ${scope}`,
    sql`INSERT INTO gaps (tenant_id, type, scope, size, block, gone)
      SELECT ${tenantId}, ${type.name}, ${scope}, value, CAST(${serial - 1} AS INTEGER) / value, 1
      FROM json_each(${JSON.stringify(BLOCK_SIZES)}) WHERE 1
      ON CONFLICT DO UPDATE SET gone = gone + 1`,
  ]
}

/**
 * Makes the version that was read vanish for SCIM and keeps its record: it leaves its list, its groups and the names
 * it was found and unique by. Rolls back ('stale') when somebody else was faster.
 */
export function buryResource(
  tenantId: string,
  type: ResourceType,
  before: StoredResource,
  change: Change,
): SQL[] {
  const document = documentColumns(change.resource, type)
  const profile = change.view ? JSON.stringify(change.view.profile) : null
  return [
    sql`UPDATE resources SET scope = ${DELETED}, profile = ${profile}, deleted_at = ${change.now}, document = ${document.text},
        comparable = ${document.comparable}, active = ${document.active}, role = NULL, target_group = NULL,
        version = ${change.version}, last_modified = ${change.now},
        sessions_not_before = ${change.sessionsNotBefore}, session_epoch = ${change.sessionEpoch}
      WHERE ${isAsRead(tenantId, before)}`,
    abortUnlessChanged(tenantId),
    deleteLookups(tenantId, before.id, type, lookupRows(before.resource, type, before.connectionId)),
    insertLookups(
      tenantId,
      before.id,
      type,
      lookupRows(change.resource, type, before.connectionId, true),
      sql`1`,
    ),
    ...leaveGroups(tenantId, before.id, change),
    ...countOut(tenantId, type, before),
  ]
}

/**
 * Brings back whom `buryResource` has made vanish, in the old place of the list and with the new document. Rolls back
 * ('stale') when somebody else was faster, and ('unique') when a unique value is taken by now.
 */
export function raiseResource(
  tenantId: string,
  type: ResourceType,
  before: StoredResource,
  change: Change,
): SQL[] {
  const document = documentColumns(change.resource, type)
  const scope = scopeOf(type, change.connectionId)
  const ofList = sql`tenant_id = ${tenantId} AND type = ${type.name} AND scope = ${scope}`
  return [
    sql`UPDATE resources SET scope = ${scope}, deleted_at = NULL, document = ${document.text},
        comparable = ${document.comparable}, active = ${document.active}, connection_id = ${change.connectionId},
        profile = ${JSON.stringify(change.view?.profile ?? {})}, role = ${change.view?.role ?? null},
        version = ${change.version}, last_modified = ${change.now}
      WHERE ${isAsRead(tenantId, before)} AND scope = ${DELETED}`,
    abortUnlessChanged(tenantId),
    deleteLookups(tenantId, before.id, type, lookupRows(before.resource, type, before.connectionId, true)),
    insertLookups(tenantId, before.id, type, lookupRows(change.resource, type, change.connectionId), sql`1`),
    sql`UPDATE totals SET live = live + 1, active = active + ${document.active ?? 0} WHERE ${ofList}`,
    sql`UPDATE gaps SET gone = gone - 1 WHERE ${ofList}
      AND (size, block) IN (SELECT value, CAST(${before.serial - 1} AS INTEGER) / value
        FROM json_each(${JSON.stringify(BLOCK_SIZES)}))`,
  ]
}

/** Deletes the record of whom `buryResource` has made vanish. Rolls back ('stale') when somebody else was faster. */
export function eraseResource(tenantId: string, type: ResourceType, before: StoredResource): SQL[] {
  return [
    sql`DELETE FROM resources WHERE ${isAsRead(tenantId, before)} AND scope = ${DELETED}`,
    abortUnlessChanged(tenantId),
    deleteLookups(tenantId, before.id, type, lookupRows(before.resource, type, before.connectionId, true)),
  ]
}

/** Ends the batch when the statement before it found nothing to change. */
export function abortUnlessChanged(tenantId: string): SQL {
  return sql`INSERT INTO aborts (tenant_id, reason) SELECT ${tenantId}, 'stale_version' WHERE changes() = 0`
}

function documentColumns(resource: Resource, type: ResourceType) {
  const comparable = comparableDocument(resource, type)
  return {
    text: JSON.stringify(resource),
    comparable: comparable === undefined ? null : JSON.stringify(comparable),
    active: activeOf(resource, type),
  }
}

/** 1 or 0 where the type grants access, else null. */
function activeOf(resource: Resource, type: ResourceType): number | null {
  return type.accessAttribute === undefined ? null : Number(grantsAccess(resource, type))
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
