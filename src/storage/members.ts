// Membership as rows: a change costs what it changes, never what the group holds. Sets travel as one JSON
// parameter; the ids that an event names are those that really came or went, found by the same batch.

import { type SQL, sql } from 'drizzle-orm'
import { memberEvent, type ResourceEvent, type Subject } from '../scim/event'
import { type MemberChange, memberTypes } from '../scim/member-change'
import type { ResourceType } from '../scim/schema'
import { DELETED } from './attribute-sql'
import { eventData, eventId, lastSequence, type Occasion } from './outbox'
import {
  awaitUnknown,
  dropOtherPending,
  dropPending,
  type Naming,
  namedByChange,
  namedInList,
} from './pending-members'
import { exists } from './resources'
import { gainRole, loseRole, type RoleChange, type RoleRules } from './role-members'

/** Ids an event holds at most (contract "Events"). */
const IDS_AN_EVENT = 1_000

export interface MembershipWrite {
  readonly occasion: Occasion
  /** The group's type and state, for the events. */
  readonly type: ResourceType
  readonly subject: Subject
  readonly changes: readonly MemberChange[]
  /** Where members may be named otherwise than by their id, and before they are here; else `requireKnown` goes before. */
  readonly naming: Naming | undefined
  /** Where groups are roles. */
  readonly roles?: RoleRules | undefined
}

/** Statements that apply the changes in order, each with the events of what it really changed. */
export function memberStatements(write: MembershipWrite): SQL[] {
  return write.changes.flatMap((change, nth) => changeStatements(write, change, nth))
}

function changeStatements(write: MembershipWrite, change: MemberChange, nth: number): SQL[] {
  const { tenantId } = write.occasion
  const groupId = write.subject.id
  switch (change.kind) {
    case 'add':
      return [...awaitStatements(write, change.ids, nth), ...addStatements(write, change.ids, nth)]
    case 'remove': {
      const named = write.naming && namedInList(write.naming, change.ids)
      return [
        ...removeStatements(write, sql`member_id IN (${idsOf(change.ids, named)})`),
        dropPending(tenantId, groupId, change.ids),
      ]
    }
    case 'removeType':
      // Of what type somebody will be who is not here yet, nobody knows.
      return removeStatements(write, sql`lower(type) = ${change.type.toLowerCase()}`)
    case 'removeAll':
      return [...removeStatements(write, sql`1`), dropOtherPending(tenantId, groupId)]
    case 'replace': {
      const version = versionOf(write, nth)
      const named = write.naming && namedByChange(write.naming, version)
      return [
        ...awaitStatements(write, change.ids, nth),
        ...removeStatements(write, sql`member_id NOT IN (${idsOf(change.ids, named)})`),
        ...addStatements(write, change.ids, nth),
        dropOtherPending(tenantId, groupId, version),
      ]
    }
  }
}

/** The ids themselves, and those of the resources that they name. */
function idsOf(ids: readonly string[], named: SQL | undefined): SQL {
  const list = sql`SELECT value FROM json_each(${JSON.stringify(ids)})`
  return named ? sql`${list} UNION ALL ${named}` : list
}

/** Tells who came by this change from who was there, and from who came by an earlier one of the same request. */
function versionOf({ occasion }: MembershipWrite, nth: number): string {
  return `${occasion.txn}.${nth}`
}

function awaitStatements(write: MembershipWrite, ids: readonly string[], nth: number): SQL[] {
  const { naming, occasion } = write
  return naming ? [awaitUnknown(naming, ids, versionOf(write, nth), occasion.now)] : []
}

/**
 * CROSS JOIN keeps the JSON on the outside: left to itself the planner reads every resource for every id.
 * An id that is no resource of the tenant joins with nothing; `requireKnown` has refused it before, or it waits.
 */
function addStatements(write: MembershipWrite, ids: readonly string[], nth: number): SQL[] {
  const { occasion, type, subject, naming } = write
  const { tenantId } = occasion
  const groupId = subject.id
  const list = JSON.stringify(ids)
  const version = versionOf(write, nth)
  // Who came by a name has another version than who came by the id, so that nobody is told of twice.
  const byName = `${version}.named`
  const named = naming && sql`FROM (${namedByChange(naming, version)}) j`
  const newcomers = (from: SQL, how: string) => sql`SELECT ${tenantId}, ${groupId}, r.id, r.type, ${how}
    ${from} CROSS JOIN resources r WHERE r.tenant_id = ${tenantId} AND ${mayBeMember(type)}`
  const arrived = (from: SQL, id: SQL, how: string) => sql`SELECT m.member_id ${from} CROSS JOIN members m
    WHERE m.tenant_id = ${tenantId} AND m.group_id = ${groupId} AND m.member_id = ${id} AND m.version = ${how}`
  const listed = sql`FROM json_each(${list}) j`
  const came = sql`${arrived(listed, sql`j.value`, version)}
    ${named ? sql`UNION ALL ${arrived(named, sql`j.id`, byName)}` : sql``}`
  return [
    sql`INSERT INTO members (tenant_id, group_id, member_id, type, version)
      ${newcomers(listed, version)} AND r.id = j.value AND ${exists(tenantId, groupId)}
      ${named ? sql`UNION ALL ${newcomers(named, byName)} AND r.id = j.id` : sql``} ON CONFLICT DO NOTHING`,
    memberEvents(occasion, memberEvent('member_added', subject, type), sql`FROM (${came}) m`),
    ...roleChange(write, gainRole, came),
  ]
}

/** Where groups are roles: the same for each person that comes or goes. */
function roleChange(
  { occasion, subject, roles }: MembershipWrite,
  changed: (change: RoleChange) => SQL[],
  who: SQL,
): SQL[] {
  if (!roles) return []
  return changed({ occasion, rules: roles, groupId: subject.id, who })
}

/** Of a resource `r`: what the group's type takes, and is not gone for SCIM. */
function mayBeMember(type: ResourceType): SQL {
  return sql`r.type IN (${memberTypeNames(type)}) AND r.scope <> ${DELETED}`
}

function memberTypeNames(type: ResourceType): SQL {
  return sql.join(
    memberTypes(type).map(name => sql`${name}`),
    sql`, `,
  )
}

function removeStatements(write: MembershipWrite, which: SQL): SQL[] {
  const { occasion, type, subject } = write
  const ofGroup = sql`tenant_id = ${occasion.tenantId} AND group_id = ${subject.id} AND ${which}`
  return [
    memberEvents(
      occasion,
      memberEvent('member_removed', subject, type),
      sql`FROM members m WHERE ${ofGroup}`,
    ),
    ...roleChange(write, loseRole, sql`SELECT member_id FROM members WHERE ${ofGroup}`),
    sql`DELETE FROM members WHERE ${ofGroup}`,
  ]
}

/** One event for each thousand of the `member_id`s that `from` finds; none where it finds none. */
function memberEvents(occasion: Occasion, event: ResourceEvent, from: SQL): SQL {
  const { tenantId, connectionId, txn, now } = occasion
  const size = sql.raw(String(IDS_AN_EVENT))
  const sequence = sql`${lastSequence(tenantId)} + chunk + 1`
  return sql`INSERT INTO events (tenant_id, sequence, id, type, txn, group_id, connection_id, occurred_at, data)
    SELECT ${tenantId}, ${sequence}, ${eventId(txn, sequence)}, ${event.type}, ${txn},
      ${event.subjectId}, ${connectionId}, ${now}, ${eventData(tenantId, sql`${connectionId}`, sql`${JSON.stringify(event.data)}`, sql`, '$.members', json_group_array(id)`)}
    FROM (SELECT m.member_id AS id, (row_number() OVER (ORDER BY m.member_id) - 1) / ${size} AS chunk ${from})
    GROUP BY chunk`
}

/** `SELECT member_id …` of everybody in the group. */
export function everyMember(tenantId: string, groupId: string): SQL {
  return sql`SELECT member_id FROM members WHERE tenant_id = ${tenantId} AND group_id = ${groupId}`
}

/** Gives the group its new version if the condition (that something changed) holds. */
export function touchGroup({ tenantId, txn, now }: Occasion, groupId: string, changed: SQL): SQL {
  return sql`UPDATE resources SET version = ${txn}, last_modified = ${now}
    WHERE tenant_id = ${tenantId} AND id = ${groupId} AND ${changed}`
}

/** Rolls the batch back ('stale') when the group is gone, or is not at the version that the client insisted on. */
export function requireGroup(tenantId: string, groupId: string, version: string | undefined): SQL {
  const atVersion = version === undefined ? sql`` : sql` AND version = ${version}`
  return sql`INSERT INTO aborts (tenant_id, reason) SELECT ${tenantId}, 'stale_version'
    WHERE NOT EXISTS (SELECT 1 FROM resources WHERE tenant_id = ${tenantId} AND id = ${groupId}${atVersion})`
}

/** Rolls the batch back ('unknown') when an id to be added is of nothing that the group's type takes. */
export function requireKnown(tenantId: string, type: ResourceType, changes: readonly MemberChange[]): SQL[] {
  const ids = addedIds(changes)
  if (ids.length === 0) return []
  return [
    sql`INSERT INTO aborts (tenant_id, reason) SELECT ${tenantId}, 'unknown_member'
      WHERE EXISTS (${selectUnknown(tenantId, type, ids)})`,
  ]
}

export function addedIds(changes: readonly MemberChange[]): readonly string[] {
  return changes.flatMap(change => (change.kind === 'add' || change.kind === 'replace' ? change.ids : []))
}

/** Of the ids, those of no resource of the tenant that may be a member; at most twenty are named. Rows: `id`. */
export function selectUnknown(tenantId: string, type: ResourceType, ids: readonly string[]): SQL {
  return sql`SELECT j.value AS id FROM json_each(${JSON.stringify(ids)}) j
    WHERE NOT EXISTS (SELECT 1 FROM resources r WHERE r.tenant_id = ${tenantId} AND r.id = j.value
      AND ${mayBeMember(type)}) LIMIT 20`
}

/**
 * The same where members may be named before they are here: only what is here, and is nothing that the group's type
 * takes, is refused.
 */
export function requireMemberTypes(
  tenantId: string,
  type: ResourceType,
  changes: readonly MemberChange[],
): SQL[] {
  const ids = addedIds(changes)
  if (ids.length === 0) return []
  return [
    sql`INSERT INTO aborts (tenant_id, reason) SELECT ${tenantId}, 'unknown_member'
      WHERE EXISTS (SELECT 1 FROM json_each(${JSON.stringify(ids)}) j CROSS JOIN resources r
        WHERE r.tenant_id = ${tenantId} AND r.id = j.value AND r.type NOT IN (${memberTypeNames(type)}))`,
  ]
}

/** Where a list of members goes on: after this member of this group. */
export interface MemberPosition {
  readonly groupId: string
  readonly memberId: string
}

/**
 * The first members of the groups, ordered by group and member. Rows: `group_id`, `id`, `type`, `display`.
 * `groups`: one id, or the statement whose rows they are.
 */
export function selectMembers(tenantId: string, groups: string | SQL, limit: number): SQL {
  const ids = typeof groups === 'string' ? sql`${groups}` : sql`SELECT id FROM (${groups})`
  return membersWhere(tenantId, sql`m.group_id IN (${ids})`, limit)
}

/** The next members of the same group. Two comparisons: a row value behind IN would search from the first again. */
export function selectMembersAfter(tenantId: string, after: MemberPosition, limit: number): SQL {
  return membersWhere(tenantId, sql`m.group_id = ${after.groupId} AND m.member_id > ${after.memberId}`, limit)
}

function membersWhere(tenantId: string, which: SQL, limit: number): SQL {
  return sql`SELECT m.group_id, m.member_id AS id, m.type,
      (SELECT substr(coalesce(r.document ->> '$.displayName', r.document ->> '$.userName'), 1, 255) FROM resources r
        WHERE r.tenant_id = m.tenant_id AND r.id = m.member_id) AS display
    FROM members m WHERE m.tenant_id = ${tenantId} AND ${which}
    ORDER BY m.group_id, m.member_id LIMIT +${limit}`
}
