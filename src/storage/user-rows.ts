// The people of a tenant as the application has them: those who are gone for SCIM included, each with roles and target
// group, and whatever their connection.
import { type SQL, sql } from 'drizzle-orm'
import type { FilterContext } from './attribute-sql'
import { resourceColumns, VIEWED } from './resources'
import { rolesOf } from './roles'
import type { ViewRules } from './view-data'

/** One of them by id. Rows for `readResource`, with `roles` as JSON. */
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

/** Of the row `r`: what `readResource` takes, and `roles` as JSON. */
export function userColumns({ tenantId }: FilterContext, { hasRoles, privileged }: ViewRules): SQL {
  const roles = hasRoles ? rolesOf(tenantId, sql`r.id`, privileged) : sql`'[]'`
  return sql`${resourceColumns(VIEWED)}, ${roles} AS roles`
}
