// What stands in the way of a change of a type's schemas, asked of the resources themselves; and the lookups of
// attributes that become unique, or no longer are.
import { type SQL, sql } from 'drizzle-orm'
import type { Attribute } from '../scim/attribute'
import { resolveQualified } from '../scim/attribute-path'
import type { ResourceType } from '../scim/schema'
import type { Demand } from '../scim/schema-change'
import { foldsCase } from './attribute-sql'

/** One row for each demand that is not met: `demand`, its index, and how many `resources` are in the way. */
export function selectUnmet(tenantId: string, typeName: string, demands: readonly Demand[]): SQL {
  const asked = demands.map((demand, index) => ({
    index,
    kind: demand.kind,
    ...(demand.subAttribute && { sub: keyPath(demand.subAttribute.name) }),
    ...placeOf(demand.attribute, demand.container),
  }))
  const [distinct, others] = [true, false].map(is => asked.filter(({ kind }) => (kind === 'distinct') === is))
  return sql`SELECT c.value ->> '$.index' AS demand, count(*) AS resources
    FROM resources r CROSS JOIN json_each(${JSON.stringify(others)}) c
    WHERE r.tenant_id = ${tenantId} AND r.type = ${typeName}
      AND json_type(r.document, c.value ->> '$.within') IS NOT NULL AND ${unmet}
    GROUP BY demand
    UNION ALL SELECT demand, sum(sharing) AS resources FROM (
      SELECT v.demand, count(DISTINCT v.id) AS sharing FROM (${values(tenantId, typeName, distinct ?? [])}) v
      GROUP BY v.demand, v.value HAVING sharing > 1)
    GROUP BY demand`
}

/** Ends the batch ('stale') if a demand is not met. */
export function abortIfUnmet(tenantId: string, typeName: string, demands: readonly Demand[]): SQL {
  return sql`INSERT INTO aborts (tenant_id, reason) SELECT ${tenantId}, 'stale_version'
    WHERE EXISTS (${selectUnmet(tenantId, typeName, demands)})`
}

/** For attributes that become unique; `paths` as the type's lookups have them. */
export function insertLookupsOf(tenantId: string, type: ResourceType, paths: readonly string[]): SQL {
  const asked = paths.flatMap((name, index) => {
    const path = resolveQualified(name, type)
    const container = path?.extension ? path.schema.id : undefined
    return path ? [{ index, name, ...placeOf(path.attribute, container) }] : []
  })
  return sql`INSERT INTO lookups (tenant_id, type, attribute, scope, value, resource_id, is_unique)
    SELECT DISTINCT ${tenantId}, ${type.name}, v.name, '', v.value, v.id, 1
    FROM (${values(tenantId, type.name, asked)}) v`
}

/** For attributes that no longer are unique. */
export function deleteLookupsOf(tenantId: string, typeName: string, paths: readonly string[]): SQL {
  return sql`DELETE FROM lookups WHERE tenant_id = ${tenantId} AND type = ${typeName}
    AND attribute IN (SELECT value FROM json_each(${JSON.stringify(paths)}))`
}

/** Where in a document an attribute is, and how its values are compared: as data, for one statement to ask many. */
interface Place {
  /** What must be there for the attribute to be missed: the extension, or the document itself. */
  readonly within: string
  readonly at: string
  readonly folds: boolean
  readonly exact: boolean
}

function placeOf(attribute: Attribute, container: string | undefined): Place {
  const within = container === undefined ? '$' : keyPath(container)
  return {
    within,
    at: within + keyPath(attribute.name).slice(1),
    folds: foldsCase(attribute),
    exact: !foldsCase(attribute) && attribute.type !== 'dateTime',
  }
}

function keyPath(name: string): string {
  return `$."${name}"`
}

/** Of the question `c`, about a resource `r`. Text of nothing but spaces is no value. */
const unmet = unmetBy(sql`json_extract(r.document, c.value ->> '$.at')`)

function unmetBy(value: SQL): SQL {
  const elements = sql`json_each(CASE json_type(r.document, c.value ->> '$.at') WHEN 'array' THEN ${value}
    WHEN 'object' THEN json_array(${value}) ELSE '[]' END)`
  const part = sql`json_extract(e.value, c.value ->> '$.sub')`
  return sql`CASE WHEN c.value ->> '$.sub' IS NULL
    THEN iif(c.value ->> '$.kind' = 'unused', ${value} IS NOT NULL, ifnull(trim(${value}), '') = '')
    ELSE EXISTS (SELECT 1 FROM ${elements} e
      WHERE iif(c.value ->> '$.kind' = 'unused', ${part} IS NOT NULL, ifnull(trim(${part}), '') = '')) END`
}

/** The values as lookups hold them: `demand`, `name`, `id` of the resource, `value`. */
function values(tenantId: string, typeName: string, questions: readonly Place[]): SQL {
  return sql`SELECT u.value ->> '$.index' AS demand, u.value ->> '$.name' AS name, r.id AS id,
      CAST(iif(u.value ->> '$.folds', lower(e.value), e.value) AS TEXT) AS value
    FROM resources r CROSS JOIN json_each(${JSON.stringify(questions)}) u
      CROSS JOIN json_each(iif(u.value ->> '$.exact', r.document, coalesce(r.comparable, r.document)),
        u.value ->> '$.at') e
    WHERE r.tenant_id = ${tenantId} AND r.type = ${typeName} AND ifnull(e.value <> '', 0)`
}
