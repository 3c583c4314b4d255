// The people of a tenant as the application has them: those who are gone for SCIM included, each with roles and target
// group, in pages by key and whatever their connection.

import { type SQL, sql } from 'drizzle-orm'
import type { Filter } from '../scim/filter'
import type { FilterContext } from './attribute-sql'
import { DELETED } from './attribute-sql'
import { filterCondition } from './filter-sql'
import { rowsOf } from './list'
import { withinBytes } from './page-bytes'
import { resourceColumns, scopeOf, VIEWED } from './resources'
import { rolesOf } from './roles'
import type { ViewRules } from './view-data'

export interface UserQuery {
  readonly filter?: Filter | undefined
  /** Name of a role. */
  readonly role?: string | undefined
  /** Only whom an attribute gave the role, and not a group of that name. */
  readonly byAttribute?: boolean | undefined
  /** Id of a target group. */
  readonly targetGroup?: string | undefined
}

/** Rows for `readResource`, each with `roles` as JSON and `fits`, in order of creation, behind the serial of the page before. */
export function pageOfUsers(
  query: UserQuery,
  afterSerial: number,
  count: number,
  context: FilterContext,
  rules: ViewRules,
): SQL {
  const columns = userColumns(context, rules)
  const { tenantId, type } = context
  const pages = sourcesOf(query, context).map(({ rows, serial, scope }) => {
    const page = (limit: SQL) => sql`SELECT ${columns} FROM ${rows} AND ${serial} > ${afterSerial}
      ORDER BY ${serial} LIMIT ${limit}`
    return sql`SELECT * FROM (${withinBytes(page, { tenantId, type: type.name, scope, count, memberships: false })})`
  })
  return sql`${sql.join(pages, sql` UNION ALL `)} ORDER BY serial LIMIT ${count}`
}

/** Members of a group, in order of their ids, behind the one of the page before; the same columns. */
export function pageOfMembers(
  groupId: string,
  afterId: string,
  count: number,
  context: FilterContext,
  rules: ViewRules,
): SQL {
  const { tenantId, type } = context
  const page = (limit: SQL) => sql`SELECT ${userColumns(context, rules)} FROM members m CROSS JOIN resources r
    WHERE m.tenant_id = ${tenantId} AND m.group_id = ${groupId} AND m.member_id > ${afterId}
      AND r.id = m.member_id AND ${living({}, context)}
    ORDER BY m.member_id LIMIT ${limit}`
  const scope = scopeOf(type, '')
  return withinBytes(page, { tenantId, type: type.name, scope, count, memberships: false })
}

/** One of them by id; the same columns. */
export function selectUser(id: string, context: FilterContext, rules: ViewRules): SQL {
  return sql`SELECT ${userColumns(context, rules)} FROM resources r
    WHERE r.tenant_id = ${context.tenantId} AND r.id = ${id} AND r.type = ${context.type.name}`
}

/**
 * People by what they are called, living or deleted: userName or displayName from their beginning, the address whole,
 * or the externalId that any connection gave. At most `count` of each, whatever the tenant holds. The same columns.
 */
export function namedUsers(
  names: readonly { attribute: string; folded: string; perConnection: boolean }[],
  count: number,
  context: FilterContext,
  rules: ViewRules,
): SQL {
  const { tenantId, type } = context
  const limit = sql.raw(String(count))
  const at = (attribute: string) =>
    sql`l.tenant_id = ${tenantId} AND l.type = ${type.name} AND l.attribute = ${attribute}`
  // A scope a hit would be more terms than D1 takes in one UNION.
  const hits = names.map(({ attribute, folded, perConnection }) =>
    perConnection
      ? sql`SELECT l.resource_id AS id FROM connections c CROSS JOIN lookups l WHERE c.tenant_id = ${tenantId}
          AND ${at(attribute)} AND l.scope IN (c.id, '@deleted:' || c.id) AND l.value = ${folded} LIMIT ${limit}`
      : sql`SELECT l.resource_id AS id FROM lookups l WHERE ${at(attribute)} AND l.scope IN ('', '@deleted:')
          AND l.value >= ${folded} AND l.value < ${folded} || char(1114111) LIMIT ${limit}`,
  )
  const found = sql.join(
    hits.map(hit => sql`SELECT id FROM (${hit})`),
    sql` UNION ALL `,
  )
  return sql`SELECT ${userColumns(context, rules)} FROM (SELECT DISTINCT id FROM (${found})) hit
    CROSS JOIN resources r WHERE r.tenant_id = ${tenantId} AND r.id = hit.id
    ORDER BY r.serial LIMIT ${limit}`
}

function userColumns({ tenantId }: FilterContext, { hasRoles, privileged }: ViewRules): SQL {
  const roles = hasRoles ? rolesOf(tenantId, sql`r.id`, privileged) : sql`'[]'`
  return sql`${resourceColumns(VIEWED)}, ${roles} AS roles`
}

/** Rows up to their condition, and the serial by which they are in order; no user is in two of the sources. */
interface UserSource {
  readonly rows: SQL
  readonly serial: SQL
  /** Of the list that they are in. */
  readonly scope: string
}

function sourcesOf(query: UserQuery, context: FilterContext): readonly UserSource[] {
  const { filter, role, targetGroup } = query
  const scope = scopeOf(context.type, '')
  // Who is deleted is in no target group and has no role.
  if (role !== undefined && query.byAttribute) return [withAttributeRole(role, query, context)]
  if (role !== undefined)
    return [withAttributeRole(role, query, context), withGroupRole(role, query, context)]
  if (targetGroup !== undefined)
    return [
      bySerial(sql`resources r INDEXED BY resources_target_group WHERE ${living(query, context)}`, context),
    ]
  return [
    { ...rowsOf(filter, scope, { ...context, deleted: false }), scope },
    { ...rowsOf(filter, DELETED, { ...context, deleted: true }), scope: DELETED },
  ]
}

function withAttributeRole(role: string, query: UserQuery, context: FilterContext): UserSource {
  return bySerial(
    sql`resources r INDEXED BY resources_role WHERE ${living(query, context)} AND r.role = ${role}`,
    context,
  )
}

/** The members of a group are read whole: they are in order of their ids. */
function withGroupRole(role: string, query: UserQuery, context: FilterContext): UserSource {
  const { tenantId } = context
  return bySerial(
    sql`(SELECT DISTINCT m.member_id AS id FROM roles k CROSS JOIN members m
      WHERE k.tenant_id = ${tenantId} AND k.name = ${role} AND k.source = 'group'
        AND m.tenant_id = ${tenantId} AND m.group_id = k.id) h
    CROSS JOIN resources r WHERE r.id = h.id AND ${living(query, context)} AND r.role IS NOT ${role}`,
    context,
  )
}

function bySerial(rows: SQL, { type }: FilterContext): UserSource {
  return { rows, serial: sql`r.serial`, scope: scopeOf(type, '') }
}

function living({ filter, targetGroup }: UserQuery, context: FilterContext): SQL {
  const { tenantId, type } = context
  const placed = targetGroup === undefined ? sql`` : sql` AND r.target_group = ${targetGroup}`
  const matching = filter ? sql` AND ${filterCondition(filter, { ...context, deleted: false })}` : sql``
  // The plus keeps the list's index out of it.
  return sql`r.tenant_id = ${tenantId} AND +r.type = ${type.name} AND +r.scope = ${scopeOf(type, '')}${placed}${matching}`
}
