// What stands in the way of a change of a schema, asked of the resources themselves; and the lookups of attributes
// that become unique, or no longer are.
import { type SQL, sql } from 'drizzle-orm'
import type { Attribute } from '../scim/attribute'
import type { Schema } from '../scim/schema'
import type { Demand } from '../scim/schema-change'
import { foldsCase } from './attribute-sql'

/** One row for each demand that is not met: `demand`, its index, and how many `resources` are in the way. */
export function selectUnmet(
  tenantId: string,
  typeName: string,
  { id }: Schema,
  demands: readonly Demand[],
): SQL {
  const asked = demands.map((demand, index) => ({ index, ...questionOf(demand) }))
  return sql`SELECT c.value ->> '$.index' AS demand, count(*) AS resources
    FROM resources r CROSS JOIN json_each(${JSON.stringify(asked.filter(({ kind }) => kind !== 'distinct'))}) c
    WHERE r.tenant_id = ${tenantId} AND r.type = ${typeName}
      AND json_type(r.document, ${keyPath(id)}) IS NOT NULL
      AND ${unmet(sql`json_extract(r.document, ${keyPath(id)})`)}
    GROUP BY demand
    UNION ALL SELECT demand, sum(sharing) AS resources FROM (
      SELECT v.demand, count(DISTINCT v.id) AS sharing FROM (${values(
        tenantId,
        typeName,
        id,
        asked.filter(({ kind }) => kind === 'distinct'),
      )}) v GROUP BY v.demand, v.value HAVING sharing > 1)
    GROUP BY demand`
}

/** Ends the batch ('stale') if a demand is not met. */
export function abortIfUnmet(
  tenantId: string,
  typeName: string,
  schema: Schema,
  demands: readonly Demand[],
): SQL {
  return sql`INSERT INTO aborts (tenant_id, reason) SELECT ${tenantId}, 'stale_version'
    WHERE EXISTS (${selectUnmet(tenantId, typeName, schema, demands)})`
}

/** For attributes that become unique. */
export function insertLookupsOf(
  tenantId: string,
  typeName: string,
  { id }: Schema,
  attributes: readonly Attribute[],
): SQL {
  const asked = attributes.map((attribute, index) => ({
    index,
    ...questionOf({ path: '', attribute, kind: 'distinct', reason: '' }),
  }))
  return sql`INSERT INTO lookups (tenant_id, type, attribute, scope, value, resource_id, is_unique)
    SELECT DISTINCT ${tenantId}, ${typeName}, ${id} || ':' || v.name, '', v.value, v.id, 1
    FROM (${values(tenantId, typeName, id, asked)}) v`
}

/** For attributes that no longer are unique. */
export function deleteLookupsOf(
  tenantId: string,
  typeName: string,
  { id }: Schema,
  attributes: readonly Attribute[],
): SQL {
  const names = JSON.stringify(attributes.map(({ name }) => `${id}:${name}`))
  return sql`DELETE FROM lookups WHERE tenant_id = ${tenantId} AND type = ${typeName}
    AND attribute IN (SELECT value FROM json_each(${names}))`
}

/** A demand as data, for one statement to ask many. */
function questionOf({ attribute, subAttribute, kind }: Demand) {
  return {
    name: attribute.name,
    at: keyPath(attribute.name),
    kind,
    ...(subAttribute && { sub: keyPath(subAttribute.name) }),
    folds: foldsCase(attribute),
    exact: !foldsCase(attribute) && attribute.type !== 'dateTime',
  }
}

function keyPath(name: string): string {
  return `$."${name}"`
}

/** Of the question `c`, about a resource that uses the extension. Text of nothing but spaces is no value. */
function unmet(container: SQL): SQL {
  const value = sql`json_extract(${container}, c.value ->> '$.at')`
  const elements = sql`json_each(CASE json_type(${container}, c.value ->> '$.at') WHEN 'array' THEN ${value}
    WHEN 'object' THEN json_array(${value}) ELSE '[]' END)`
  const part = sql`json_extract(e.value, c.value ->> '$.sub')`
  return sql`CASE WHEN c.value ->> '$.sub' IS NULL
    THEN iif(c.value ->> '$.kind' = 'unused', ${value} IS NOT NULL, ifnull(trim(${value}), '') = '')
    ELSE EXISTS (SELECT 1 FROM ${elements} e
      WHERE iif(c.value ->> '$.kind' = 'unused', ${part} IS NOT NULL, ifnull(trim(${part}), '') = '')) END`
}

/** The values as lookups hold them: `demand`, `name`, `id` of the resource, `value`. */
function values(
  tenantId: string,
  typeName: string,
  urn: string,
  questions: readonly ReturnType<typeof questionOf>[],
): SQL {
  return sql`SELECT u.value ->> '$.index' AS demand, u.value ->> '$.name' AS name, r.id AS id,
      CAST(iif(u.value ->> '$.folds', lower(e.value), e.value) AS TEXT) AS value
    FROM resources r CROSS JOIN json_each(${JSON.stringify(questions)}) u
      CROSS JOIN json_each(iif(u.value ->> '$.exact', r.document, coalesce(r.comparable, r.document)),
        ${keyPath(urn)} || substr(u.value ->> '$.at', 2)) e
    WHERE r.tenant_id = ${tenantId} AND r.type = ${typeName}
      AND json_type(r.document, ${keyPath(urn)}) IS NOT NULL AND ifnull(e.value <> '', 0)`
}
