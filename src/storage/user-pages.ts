// Pages of the people of a tenant as the application has them: by role, target group, group and filter, those who are
// gone for SCIM included. A page costs what it shows, or so many rows that are looked at.

import { type SQL, sql } from 'drizzle-orm'
import type { Filter } from '../scim/filter'
import type { FilterContext } from './attribute-sql'
import { DELETED } from './attribute-sql'
import { filterCondition } from './filter-sql'
import { filterHits, lastModifiedBound } from './lookup'
import { withinBytes } from './page-bytes'
import { scopeOf } from './resources'
import type { Outcome, Row } from './tenant-database'
import { userColumns } from './user-rows'
import type { ViewRules } from './view-data'

export interface UserQuery {
  readonly filter?: Filter | undefined
  /** Name of a role. */
  readonly role?: string | undefined
  /** Only whom an attribute gave the role, and not a group of that name. */
  readonly byAttribute?: boolean | undefined
  /** Id of a target group. */
  readonly targetGroup?: string | undefined
  /** Id of a group in which they are. */
  readonly group?: string | undefined
}

/** Behind which a page begins: a serial of the list, or a member of a group. */
export type UserPosition = number | { readonly groupId: string; readonly memberId: string }

/** The statements of a page, and what their outcomes are. */
interface UserPage {
  readonly statements: readonly SQL[]
  readonly read: (outcomes: readonly Outcome[]) => UsersRead
}

export interface UsersRead {
  /** For `readResource`, each with `roles` as JSON and `fits`. */
  readonly rows: readonly Row[]
  /** Nobody behind it was looked at; absent where `rows` are all that there are, or more than were asked for. */
  readonly upTo?: UserPosition
}

/** What an index finds at most to be sorted. */
const MOST_HITS = 5_000
/** Groups of one name that a page looks into. */
const GROUPS_A_PAGE = 5

const LAST_MEMBER = '\u{10FFFF}'
const LAST_SERIAL = sql.raw(String(Number.MAX_SAFE_INTEGER))

/** The place of a row of it. */
export function userPosition(row: Row): UserPosition {
  if (row.in_group === null) return Number(row.serial)
  return { groupId: String(row.in_group), memberId: String(row.id) }
}

/** A group of which the name is the role. */
export interface RoleGroup {
  readonly id: string
  /** Others have the role by an attribute, or by a group before it. */
  readonly isShared: boolean
}

/** From the one on that the position is in; as many as a page looks into. Rows for `readRoleGroup`. */
export function selectRoleGroups(tenantId: string, role: string, from: UserPosition): SQL {
  const first = typeof from === 'number' ? '' : from.groupId
  const named = (k: SQL) => sql`${k}.tenant_id = ${tenantId} AND ${k}.name = ${role}`
  const shared = sql`EXISTS (SELECT 1 FROM roles a INDEXED BY roles_attribute
      WHERE ${named(sql`a`)} AND a.source = 'attribute' AND a.members > 0)
    OR EXISTS (SELECT 1 FROM roles b INDEXED BY roles_group WHERE ${named(sql`b`)} AND b.source = 'group' AND b.id < k.id)`
  return sql`SELECT k.id, ${shared} AS shared FROM roles k INDEXED BY roles_group
    WHERE ${named(sql`k`)} AND k.source = 'group' AND k.id >= ${first} ORDER BY k.id LIMIT ${GROUPS_A_PAGE}`
}

export function readRoleGroup({ id, shared }: Row): RoleGroup {
  return { id: String(id), isShared: shared === 1 }
}

/** What a page is made of besides what is asked for. */
interface PageOfUsers {
  readonly after: UserPosition
  readonly count: number
  /** How many rows of an order are looked at where not each of them is shown. */
  readonly lookedAt: number
  /** By `selectRoleGroups`, where a role is asked for. */
  readonly groups: readonly RoleGroup[]
}

/**
 * In order of creation; those who have a role by a group behind those who have it from an attribute, group by group.
 */
export function usersPage(
  query: UserQuery,
  page: PageOfUsers,
  context: FilterContext,
  rules: ViewRules,
): UserPage {
  const { count, groups, lookedAt } = page
  const columns = userColumns(context, rules)
  const stages = stagesOf(query, page, context)
  // Of what an index finds and what is in order only the one has rows.
  const shares = stages.filter(({ isAll }) => isAll !== true).length
  const last = groups.length === GROUPS_A_PAGE ? groups.at(-1)?.id : undefined
  return {
    statements: stages.flatMap(stage => [
      pageOf(stage, columns, page, context, shares),
      ...(stage.isSparse ? [endOf(stage, lookedAt)] : []),
      ...(stage.isAll ? [holdsAt(stage)] : []),
    ]),
    read: outcomes => {
      const rows: Row[] = []
      const next = outcomes.values()
      for (const stage of stages) {
        const found = next.next().value?.rows ?? []
        const end = stage.isSparse ? next.next().value?.rows[0]?.place : undefined
        // Where one list ends early, another may go on: what it has behind that comes with the next page.
        const beyond = found.findIndex(row => row.fits === 0)
        rows.push(...(beyond < 0 ? found : found.slice(0, beyond + 1)))
        if (rows.length >= count || beyond >= 0) return { rows: rows.slice(0, count) }
        if (end !== undefined) return { rows, upTo: positionIn(stage, end) }
        if (stage.isAll && next.next().value?.rows[0]?.holds === 1) return { rows }
      }
      return last === undefined ? { rows } : { rows, upTo: { groupId: last, memberId: LAST_MEMBER } }
    },
  }
}

/** One order of rows; of several lists where they share it. */
interface Stage {
  readonly lists: readonly List[]
  /** The group whose members they are, by whose ids they are in order; else by serial. */
  readonly groupId?: string
  readonly after: string | number
  /** The stage has rows only if it holds; `given`: the terms of a WITH by whose names it does. */
  readonly only?: { readonly given: SQL; readonly condition: SQL }
  /** If it has rows, there are no others. */
  readonly isAll?: boolean
  /** Not each row is shown, so that a page ends where enough of them were looked at. */
  readonly isSparse: boolean
}

interface List {
  /** `… WHERE …` of what leads to the rows, `place` and nothing but that being read of it. */
  readonly keys: SQL
  /** The same up to the row `r`, with what must hold of it. */
  readonly rows: SQL
  readonly place: SQL
  /** Whose large documents count. */
  readonly scope: string
}

function positionIn({ groupId }: Stage, place: unknown): UserPosition {
  return groupId === undefined ? Number(place) : { groupId, memberId: String(place) }
}

function pageOf(
  stage: Stage,
  columns: SQL,
  { count, lookedAt }: PageOfUsers,
  { tenantId, type }: FilterContext,
  shares: number,
): SQL {
  const { lists, after, only, groupId, isSparse } = stage
  const last = groupId === undefined ? LAST_SERIAL : sql`${LAST_MEMBER}`
  // As a table of its own, so that it is found once for all lists.
  const end = isSparse ? [sql`ending(place) AS MATERIALIZED (${placeOf(stage, lookedAt)})`] : []
  const upTo = (place: SQL) =>
    isSparse ? sql` AND ${place} <= ifnull((SELECT place FROM ending), ${last})` : sql``
  const pages = lists.map(({ rows, place, scope }) => {
    const page = (limit: SQL) => sql`SELECT ${columns}, ${groupId ?? null} AS in_group, ${place} AS place
      FROM ${rows} AND ${place} > ${after}${upTo(place)} ORDER BY ${place} LIMIT ${limit}`
    const most = limitOf(only, sql`${count}`)
    return sql`SELECT * FROM (${withinBytes(page, { tenantId, type: type.name, scope, count: most, memberships: false, shares })})`
  })
  return sql`${withTerms([only?.given, ...end])} ${sql.join(pages, sql` UNION ALL `)} ORDER BY place LIMIT ${count}`
}

function withTerms(terms: readonly (SQL | undefined)[]): SQL {
  const there = terms.filter(term => term !== undefined)
  return there.length === 0 ? sql`` : sql`WITH ${sql.join(there, sql`, `)}`
}

function limitOf(only: Stage['only'], count: SQL): SQL {
  return only ? sql`iif(${only.condition}, ${count}, 0)` : count
}

/** The place of the last row that is looked at, as `place`; no row where nothing is behind it. */
function endOf(stage: Stage, lookedAt: number): SQL {
  return sql`${withTerms([stage.only?.given])} ${placeOf(stage, lookedAt)}`
}

function holdsAt({ only }: Stage): SQL {
  return sql`${withTerms([only?.given])} SELECT ${only?.condition} AS holds`
}

function placeOf({ lists, after, only }: Stage, nth: number): SQL {
  const n = sql.raw(String(nth))
  const places = lists.map(
    ({ keys, place }) => sql`SELECT * FROM (SELECT ${place} AS place FROM ${keys} AND ${place} > ${after}
      ORDER BY ${place} LIMIT ${limitOf(only, n)})`,
  )
  return sql`SELECT place FROM (${sql.join(places, sql` UNION ALL `)}) ORDER BY place LIMIT 1 OFFSET ${n} - 1`
}

/** What an index says of the filter, if that is little; else the rows in their own order, as far as a page looks. */
function stagesOf(query: UserQuery, page: PageOfUsers, context: FilterContext): readonly Stage[] {
  const inOrder = stagesInOrder(query, page, context)
  const hits = query.filter && hitLists(query, query.filter, context)
  if (!hits) return inOrder
  const counted = hits.map(({ keys }) => sql`(SELECT count(*) FROM ${keys})`)
  const few = sql`few(holds) AS MATERIALIZED (SELECT ${sql.join(counted, sql` + `)} < ${MOST_HITS})`
  const given = sql.join([...hits.map(({ found }) => found), few], sql`, `)
  const areFew = sql`(SELECT holds FROM few)`
  return [
    {
      lists: hits,
      after: serialOf(page.after),
      only: { given, condition: areFew },
      isAll: true,
      isSparse: false,
    },
    ...inOrder.map(stage => ({ ...stage, only: { given, condition: sql`NOT ${areFew}` } })),
  ]
}

/** Of a place in a group nothing follows for the list: it begins again. */
function serialOf(position: UserPosition): number {
  return typeof position === 'number' ? position : 0
}

/** `found`: the term of a WITH by which its rows are known: said once, since a filter can be long. */
interface Hits extends List {
  readonly found: SQL
}

/** By an index over values or over the time of the last change; what is found is sorted. */
function hitLists(query: UserQuery, filter: Filter, context: FilterContext): readonly Hits[] | undefined {
  const lists = scopesOf(query, context).flatMap(({ scope, deleted }): Hits[] => {
    const hits =
      filterHits(filter, { ...context, deleted }, MOST_HITS) ?? changedSince(filter, scope, context)
    if (!hits) return []
    const name = deleted ? sql`deleted_hits` : sql`hits`
    const rows = sql`${name} hit CROSS JOIN resources r WHERE r.id = hit.id
      AND ${isIn(scope, context)} AND ${matching(query, { ...context, deleted })}`
    const found = sql`${name}(id) AS MATERIALIZED (SELECT id FROM (${hits}) LIMIT ${MOST_HITS})`
    return [{ found, keys: sql`${name} hit WHERE 1`, rows, place: sql`+r.serial`, scope }]
  })
  return lists.length > 0 ? lists : undefined
}

function changedSince(filter: Filter, scope: string, { tenantId, type }: FilterContext): SQL | undefined {
  const bound = lastModifiedBound(filter)
  return (
    bound &&
    sql`SELECT r.id AS id FROM resources r INDEXED BY resources_last_modified
      WHERE r.tenant_id = ${tenantId} AND r.type = ${type.name} AND r.scope = ${scope} AND ${bound}`
  )
}

/** Who is deleted is in no group and no target group, and has no role. */
function scopesOf({ role, targetGroup, group }: UserQuery, { type }: FilterContext) {
  const living = { scope: scopeOf(type, ''), deleted: false }
  const only = role !== undefined || targetGroup !== undefined || group !== undefined
  return only ? [living] : [living, { scope: DELETED, deleted: true }]
}

function stagesInOrder(
  query: UserQuery,
  { after, groups }: PageOfUsers,
  context: FilterContext,
): readonly Stage[] {
  const { role, targetGroup, group } = query
  if (group !== undefined) return [memberStage(group, after, query, context)]
  if (role !== undefined) {
    const byGroup = groups.map(({ id, isShared }) =>
      memberStage(id, after, query, context, isShared ? role : undefined),
    )
    return typeof after === 'number' ? [roleStage(role, after, query, context), ...byGroup] : byGroup
  }
  if (targetGroup !== undefined) return [targetGroupStage(targetGroup, serialOf(after), query, context)]
  return [everybody(serialOf(after), query, context)]
}

function everybody(after: number, query: UserQuery, context: FilterContext): Stage {
  const { tenantId, type } = context
  const lists = scopesOf(query, context).map(({ scope, deleted }) => {
    const keys = sql`resources r INDEXED BY resources_list
      WHERE r.tenant_id = ${tenantId} AND r.type = ${type.name} AND r.scope = ${scope}`
    return serials(keys, sql`${keys} AND ${matching(query, { ...context, deleted })}`, scope)
  })
  return { lists, after, isSparse: query.filter !== undefined }
}

function roleStage(role: string, after: number, query: UserQuery, context: FilterContext): Stage {
  const keys = sql`resources r INDEXED BY resources_role WHERE r.tenant_id = ${context.tenantId} AND r.role = ${role}`
  const { filter, targetGroup } = query
  return living(keys, after, { filter, targetGroup }, context)
}

function targetGroupStage(id: string, after: number, query: UserQuery, context: FilterContext): Stage {
  const keys = sql`resources r INDEXED BY resources_target_group
    WHERE r.tenant_id = ${context.tenantId} AND r.target_group = ${id}`
  return living(keys, after, { filter: query.filter }, context)
}

/** `besides`: what the keys do not say yet. */
function living(keys: SQL, after: number, besides: UserQuery, context: FilterContext): Stage {
  const scope = scopeOf(context.type, '')
  const rows = sql`${keys} AND ${isIn(scope, context)} AND ${matching(besides, context)}`
  const isSparse = besides.filter !== undefined || besides.targetGroup !== undefined
  return { lists: [serials(keys, rows, scope)], after, isSparse }
}

function serials(keys: SQL, rows: SQL, scope: string): List {
  return { keys, rows, place: sql`r.serial`, scope }
}

/** Who is in the group. `role`: without those to whom an attribute or a group before it gives the role. */
function memberStage(
  groupId: string,
  after: UserPosition,
  { filter, targetGroup }: UserQuery,
  context: FilterContext,
  role?: string,
): Stage {
  const { tenantId, type } = context
  const keys = sql`members m WHERE m.tenant_id = ${tenantId} AND m.group_id = ${groupId}`
  const elsewhere =
    role === undefined
      ? undefined
      : sql`r.role IS NOT ${role} AND NOT EXISTS (SELECT 1 FROM roles k INDEXED BY roles_group CROSS JOIN members o
          WHERE k.tenant_id = ${tenantId} AND k.source = 'group' AND k.name = ${role} AND k.id < ${groupId}
            AND o.tenant_id = ${tenantId} AND o.group_id = k.id AND o.member_id = m.member_id)`
  const scope = scopeOf(type, '')
  const rows = sql`members m CROSS JOIN resources r WHERE m.tenant_id = ${tenantId} AND m.group_id = ${groupId}
    AND r.id = m.member_id AND ${isIn(scope, context)} AND ${matching({ filter, targetGroup }, context)}
    ${elsewhere ? sql`AND ${elsewhere}` : sql``}`
  const isHere = typeof after !== 'number' && after.groupId === groupId
  return {
    lists: [{ keys, rows, place: sql`m.member_id`, scope }],
    groupId,
    after: isHere ? after.memberId : '',
    isSparse: filter !== undefined || targetGroup !== undefined || elsewhere !== undefined,
  }
}

/** The plus keeps the index of the list out of it. */
function isIn(scope: string, { tenantId, type }: FilterContext): SQL {
  return sql`r.tenant_id = ${tenantId} AND +r.type = ${type.name} AND +r.scope = ${scope}`
}

/** What is asked for of the row `r`, whatever it was found by. */
function matching({ filter, role, byAttribute, targetGroup, group }: UserQuery, context: FilterContext): SQL {
  const { tenantId } = context
  const isMember = (groups: SQL) => sql`EXISTS (SELECT 1 FROM ${groups} CROSS JOIN members m
    WHERE m.tenant_id = ${tenantId} AND m.group_id = g.id AND m.member_id = r.id)`
  const named = sql`(SELECT id FROM roles INDEXED BY roles_group
    WHERE tenant_id = ${tenantId} AND source = 'group' AND name = ${role}) g`
  const conditions = [
    ...(filter ? [filterCondition(filter, context)] : []),
    ...(targetGroup === undefined ? [] : [sql`r.target_group = ${targetGroup}`]),
    ...(group === undefined ? [] : [isMember(sql`(SELECT ${group} AS id) g`)]),
    ...(group !== undefined || role === undefined
      ? []
      : [byAttribute ? sql`r.role = ${role}` : sql`(r.role IS ${role} OR ${isMember(named)})`]),
  ]
  return conditions.length === 0 ? sql`1` : sql.join(conditions, sql` AND `)
}
