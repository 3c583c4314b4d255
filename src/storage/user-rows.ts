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
  const part = (scope: string, deleted: boolean) => {
    const { rows, serial } = rowsIn(query, scope, { ...context, deleted })
    const page = (limit: SQL) => sql`SELECT ${columns} FROM ${rows} AND ${serial} > ${afterSerial}
      ORDER BY ${serial} LIMIT ${limit}`
    const { tenantId, type } = context
    return sql`SELECT * FROM (${withinBytes(page, { tenantId, type: type.name, scope, count, memberships: false })})`
  }
  const living = part(scopeOf(context.type, ''), false)
  // Who is deleted is in no target group and has no role.
  if (query.role !== undefined || query.targetGroup !== undefined) return living
  return sql`${living} UNION ALL ${part(DELETED, true)} ORDER BY serial LIMIT ${count}`
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
  const hits = names.flatMap(({ attribute, folded, perConnection }) =>
    ['', '@deleted:'].map(scope =>
      perConnection
        ? sql`SELECT l.resource_id AS id FROM connections c CROSS JOIN lookups l WHERE c.tenant_id = ${tenantId}
            AND ${at(attribute)} AND l.scope = ${scope} || c.id AND l.value = ${folded} LIMIT ${limit}`
        : sql`SELECT l.resource_id AS id FROM lookups l WHERE ${at(attribute)} AND l.scope = ${scope}
            AND l.value >= ${folded} AND l.value < ${folded} || char(1114111) LIMIT ${limit}`,
    ),
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

function rowsIn({ filter, role, targetGroup }: UserQuery, scope: string, context: FilterContext) {
  const { tenantId, type } = context
  if (role === undefined && targetGroup === undefined) return rowsOf(filter, scope, context)
  const placed = targetGroup === undefined ? sql`` : sql` AND r.target_group = ${targetGroup}`
  const having = role === undefined ? sql`` : sql` AND r.id IN (${withRole(tenantId, role)})`
  const index = targetGroup === undefined ? sql`` : sql` INDEXED BY resources_target_group`
  const matching = filter ? sql` AND ${filterCondition(filter, context)}` : sql``
  return {
    rows: sql`resources r${index} WHERE r.tenant_id = ${tenantId} AND r.type = ${type.name} AND r.scope = ${scope}
      ${placed}${having}${matching}`,
    serial: sql`r.serial`,
  }
}

/** From an attribute, or by a group. */
function withRole(tenantId: string, name: string): SQL {
  return sql`SELECT u.id FROM resources u INDEXED BY resources_role WHERE u.tenant_id = ${tenantId} AND u.role = ${name}
    UNION SELECT m.member_id FROM roles k CROSS JOIN members m
    WHERE k.tenant_id = ${tenantId} AND k.name = ${name} AND k.source = 'group'
      AND m.tenant_id = ${tenantId} AND m.group_id = k.id`
}
