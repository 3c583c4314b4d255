// Members that a group names before they are here: rows that wait for whoever gets the name. A row that waits matches
// no resource, since whoever adds one looks for the resource in the same batch, and whoever gives a resource a name
// looks for the row; D1 runs batches one after the other, so whichever comes second finds the first.

import { type SQL, sql } from 'drizzle-orm'
import { fold, isAscii } from '../scim/comparable'
import { memberEvent } from '../scim/event'
import type { ToleranceName } from '../scim/interop'
import { namesMember, type ResourceType } from '../scim/schema'
import { DELETED } from './attribute-sql'
import type { LookupRow } from './lookup'
import { eventData, eventId, lastSequence, type Occasion } from './outbox'
import { exists, membershipColumns } from './resources'
import { gainRoles, type RoleRules } from './role-members'

/** Whose group names whom: what all statements on the names of one group need. */
export interface Naming {
  readonly tenantId: string
  readonly groupId: string
  /** The connection within which an externalId counts. */
  readonly connectionId: string
  /** The types of those who may be named. */
  readonly types: readonly ResourceType[]
}

/** The ids as rows `value`, `folded`. SQLite folds ASCII itself, so most of them travel once. */
function listed(ids: readonly string[]): SQL {
  const plain = JSON.stringify(ids.filter(isAscii))
  const others = ids.filter(id => !isAscii(id)).map(id => [id, fold(id)])
  const rows = sql`SELECT value, lower(value) AS folded FROM json_each(${plain})`
  return others.length === 0
    ? rows
    : sql`${rows} UNION ALL SELECT value ->> 0, value ->> 1 FROM json_each(${JSON.stringify(others)})`
}

/** The id of the resource that has the name of the row `p`, or null: an externalId counts before a userName. */
function bearer(types: readonly ResourceType[]): SQL {
  const names = types
    .flatMap(type =>
      type.lookups
        .filter(lookup => namesMember(lookup, type))
        .map(({ path, scope }) => ({ type: type.name, path, scope, exact: path === 'externalId' })),
    )
    .sort((a, b) => Number(b.exact) - Number(a.exact))
  return sql`(SELECT l.resource_id FROM json_each(${JSON.stringify(names)}) n CROSS JOIN lookups l
    WHERE l.tenant_id = p.tenant_id AND l.type = n.value ->> '$.type' AND l.attribute = n.value ->> '$.path'
      AND l.scope = iif(n.value ->> '$.scope' = 'tenant', '', p.connection_id)
      AND l.value = iif(n.value ->> '$.exact', p.value, p.folded) AND l.resource_id <> p.group_id
    ORDER BY n.key LIMIT 1)`
}

/**
 * Has the ids that are no resource of the tenant wait, with the version of this change; those that name a resource
 * among them, until `settleNamed`. Costs what a look at each id costs where all are known.
 */
export function awaitUnknown(naming: Naming, ids: readonly string[], version: string, now: number): SQL {
  const { tenantId, groupId, connectionId } = naming
  return sql`INSERT INTO pending_members (tenant_id, group_id, value, folded, connection_id, version, created_at)
    SELECT ${tenantId}, ${groupId}, j.value, j.folded, ${connectionId}, ${version}, ${now} FROM (${listed(ids)}) j
    WHERE ${unknown(tenantId)} AND ${exists(tenantId, groupId)}
    ON CONFLICT DO UPDATE SET version = excluded.version`
}

/** Ids of resources that waiting rows of this change name. One column, `id`; nobody twice. */
export function namedByChange({ tenantId, types }: Naming, version: string): SQL {
  return sql`SELECT DISTINCT id FROM (SELECT ${bearer(types)} AS id FROM pending_members p
    WHERE p.tenant_id = ${tenantId} AND p.version = ${version}) WHERE id IS NOT NULL`
}

/** Ids of resources that the list names otherwise than by their id. One column, `id`. */
export function namedInList({ tenantId, groupId, connectionId, types }: Naming, ids: readonly string[]): SQL {
  return sql`SELECT id FROM (SELECT ${bearer(types)} AS id FROM (
      SELECT ${tenantId} AS tenant_id, ${groupId} AS group_id, ${connectionId} AS connection_id, j.value, j.folded
      FROM (${listed(ids)}) j WHERE ${unknown(tenantId)}) p) WHERE id IS NOT NULL`
}

/** Of the row `j`: its value is the id of no resource, or of one that is gone for SCIM. */
function unknown(tenantId: string): SQL {
  return sql`NOT EXISTS (SELECT 1 FROM resources r
    WHERE r.tenant_id = ${tenantId} AND r.id = j.value AND r.scope <> ${DELETED})`
}

/** The listed ones do not wait for this group any longer. A group for which nobody waits is one row to look at. */
export function dropPending(tenantId: string, groupId: string, ids: readonly string[]): SQL {
  return sql`DELETE FROM pending_members WHERE rowid IN (
    SELECT p.rowid FROM (SELECT 1 WHERE EXISTS (SELECT 1 FROM pending_members
        WHERE tenant_id = ${tenantId} AND group_id = ${groupId}))
      CROSS JOIN json_each(${JSON.stringify(ids)}) j CROSS JOIN pending_members p
    WHERE p.tenant_id = ${tenantId} AND p.group_id = ${groupId} AND p.value = j.value)`
}

/** Nobody waits for this group any longer, but those of the change with this version. */
export function dropOtherPending(tenantId: string, groupId: string, version = ''): SQL {
  return sql`DELETE FROM pending_members
    WHERE tenant_id = ${tenantId} AND group_id = ${groupId} AND version <> ${version}`
}

/** Behind a connection that is no more: its groups get no members by it. */
export function dropOrphanPending(tenantId: string, connectionId: string): SQL {
  return sql`DELETE FROM pending_members WHERE tenant_id = ${tenantId} AND connection_id = ${connectionId}
    AND NOT EXISTS (SELECT 1 FROM connections WHERE tenant_id = ${tenantId} AND id = ${connectionId})`
}

/** For the activity log: how many the request has left waiting, and how many it named by another name than the id. */
export function pendingNotes({ tenantId, types }: Naming, txn: string): SQL[] {
  const note = (name: ToleranceName, which: SQL) => sql`(SELECT ${`${name}: `} || nullif(sum(${which}), 0)
    FROM pending_members p WHERE ${ofRequest(tenantId, txn)})`
  const id = bearer(types)
  return [note('pending-members', sql`${id} IS NULL`), note('member-by-name', sql`${id} IS NOT NULL`)]
}

/** Goes behind the log row: who is here does not wait. */
export function settleNamed({ tenantId, types }: Naming, txn: string): SQL {
  return sql`DELETE FROM pending_members AS p WHERE ${ofRequest(tenantId, txn)} AND ${bearer(types)} IS NOT NULL`
}

/** The versions of a request's changes are its txn, a dot and their number. */
function ofRequest(tenantId: string, txn: string): SQL {
  return sql`p.tenant_id = ${tenantId} AND p.version > ${`${txn}.`} AND p.version < ${`${txn}/`}`
}

/** A resource that gets names: those for which groups may be waiting. */
export interface Arrival {
  readonly occasion: Occasion
  readonly type: ResourceType
  readonly id: string
  readonly names: readonly LookupRow[]
  /** All types, some of which have members. */
  readonly types: readonly ResourceType[]
  /** Where groups are roles. */
  readonly roles?: RoleRules | undefined
}

/** Of what a resource is found by, that by which a group may name it. */
export function memberNames(rows: readonly LookupRow[], type: ResourceType): LookupRow[] {
  const paths = type.lookups.filter(lookup => namesMember(lookup, type)).map(({ path }) => path)
  return rows.filter(row => paths.includes(row.attribute))
}

/**
 * Puts the resource into the groups that wait for it, each with its event and its new version. Nothing is done unless
 * the resource is there. The last statement's rows are the groups, as its memberships show them, and its changes say
 * how many; `attachedNote` goes right behind it. A tenant for which nobody waits is two rows to look at.
 */
export function attachStatements({ occasion, type, id, names, types, roles }: Arrival): SQL[] {
  const { tenantId, txn, now } = occasion
  const version = `${txn}.attached`
  const waiting = sql`FROM (SELECT 1 WHERE EXISTS (SELECT 1 FROM pending_members WHERE tenant_id = ${tenantId})
      AND ${exists(tenantId, id)})
    CROSS JOIN json_each(${JSON.stringify(names.map(sought))}) n CROSS JOIN pending_members p
    WHERE p.tenant_id = ${tenantId} AND p.folded = n.value ->> '$.folded'
      AND (n.value ->> '$.exact' IS NULL
        OR (p.value = n.value ->> '$.exact' AND p.connection_id = n.value ->> '$.scope'))`
  // Asked only if the statement before has found something. The memberships twice: SQLite takes the second index for
  // what is in it alone, and else reads every membership of the tenant.
  const attached = sql`FROM (SELECT 1 WHERE changes() > 0) CROSS JOIN members i CROSS JOIN members m
    WHERE i.tenant_id = ${tenantId} AND i.member_id = ${id}
      AND m.tenant_id = ${tenantId} AND m.group_id = i.group_id AND m.member_id = ${id} AND m.version = ${version}`
  const groups = sql`SELECT m.group_id ${attached}`
  return [
    sql`INSERT INTO members (tenant_id, group_id, member_id, type, version)
      SELECT ${tenantId}, p.group_id, ${id}, ${type.name}, ${version} ${waiting} AND p.group_id <> ${id}
      ON CONFLICT DO NOTHING`,
    sql`DELETE FROM pending_members WHERE rowid IN (SELECT p.rowid ${waiting})`,
    attachedEvents(occasion, id, types, sql`SELECT json_group_array(m.group_id) ${attached}`),
    // Each of them changes a row wherever there are such groups, as the statement behind it asks.
    ...(roles && type.accessAttribute !== undefined
      ? gainRoles({ occasion, rules: roles, personId: id, groups })
      : []),
    sql`UPDATE resources SET version = ${txn}, last_modified = ${now}
      WHERE tenant_id = ${tenantId} AND id IN (${groups})
      RETURNING ${membershipColumns()}`,
  ]
}

/** For the log row right behind `attachStatements`. */
export function attachedNote(): SQL {
  const name: ToleranceName = 'pending-members'
  return sql`iif(changes() > 0, ${`${name}: attached to `} || changes() || iif(changes() = 1, ' group', ' groups'), NULL)`
}

function sought({ attribute, value, scope }: LookupRow) {
  return attribute === 'externalId' ? { folded: fold(value), exact: value, scope } : { folded: value }
}

/** One event for each of the groups, a JSON array of ids, which tells of the group what the tables know of it. */
function attachedEvents(
  occasion: Occasion,
  memberId: string,
  types: readonly ResourceType[],
  groups: SQL,
): SQL {
  const { tenantId, connectionId, txn, now } = occasion
  const sequence = sql`${lastSequence(tenantId)} + a.key + 1`
  const ofType = (what: (type: ResourceType) => SQL) =>
    sql`CASE g.type ${sql.join(
      types
        .filter(type => type.membersAttribute !== undefined)
        .map(type => sql`WHEN ${type.name} THEN ${what(type)}`),
      sql` `,
    )} END`
  const more = sql`, '$.members', json_array(${memberId})`
  return sql`INSERT INTO events (tenant_id, sequence, id, type, txn, group_id, connection_id, occurred_at, data)
    SELECT ${tenantId}, ${sequence}, ${eventId(txn, sequence)}, ${ofType(type => sql`${templateOf(type).type}`)}, ${txn},
      g.id, ${connectionId}, ${now}, ${eventData(tenantId, sql`${connectionId}`, ofType(groupData), more)}
    FROM json_each((${groups})) a CROSS JOIN resources g WHERE g.tenant_id = ${tenantId} AND g.id = a.value`
}

function templateOf(type: ResourceType) {
  return memberEvent('member_added', { id: '', resource: {}, sessionEpoch: 0, sessionsNotBefore: null }, type)
}

/** The data of a member event, filled in from the row `g`. */
function groupData(type: ResourceType): SQL {
  const at = (name: string) => `$.${type.eventNoun}.${name}`
  const attributes = type.eventAttributes.map(
    name => sql`, ${at(name)}, json(coalesce(g.document -> ${`$.${name}`}, 'null'))`,
  )
  return sql`json_set(${JSON.stringify(templateOf(type).data)}, ${at('id')}, g.id${sql.join(attributes, sql``)})`
}
