// The filter tree as SQL over a resource row `r`: the second reader of scim/filter.ts, which must agree with
// scim/filter-match.ts on every filter and resource (test/storage/filter-agreement.test.ts).
// Every atom is two-valued (IS, or ifnull), because `not` of an unknown would otherwise lose rows.
import { type SQL, sql } from 'drizzle-orm'
import type { Attribute } from '../scim/attribute'
import type { AttributePath } from '../scim/attribute-path'
import type { Comparable } from '../scim/comparable'
import { ScimError } from '../scim/error'
import type { CompareOperator, Filter } from '../scim/filter'
import { absentIsFalse } from '../scim/filter-match'
import { type ResourceType, schemasOf } from '../scim/schema'

export interface FilterContext {
  readonly tenantId: string
  /** Whose externalIds count; undefined for the operator, who sees all. */
  readonly connectionId: string | undefined
  readonly type: ResourceType
  readonly resourceTypes: readonly ResourceType[]
  /** Base URL of the tenant's SCIM endpoint, for meta.location and $ref. */
  readonly baseUrl: string
}

/** A condition on the row `r`, true or false, never null. */
export function filterCondition(filter: Filter, context: FilterContext): SQL {
  switch (filter.kind) {
    case 'and':
    case 'or': {
      const operands = filter.operands.map(operand => filterCondition(operand, context))
      return balanced(operands, filter.kind === 'and' ? sql` AND ` : sql` OR `)
    }
    case 'not':
      return sql`NOT ${filterCondition(filter.operand, context)}`
    case 'elements':
      return elementsCondition(filter.path, filter.filter, context)
    case 'compare':
      return compareCondition(filter.path, filter.operator, filter.value, context)
    case 'present':
      return presentCondition(filter.path, context)
  }
}

/** A chain of 50 terms as a tree of depth six: D1 refuses expressions deeper than 100. */
function balanced(operands: readonly SQL[], operator: SQL): SQL {
  const [first, second] = operands
  if (first === undefined) return sql`1`
  if (second === undefined) return first
  const middle = Math.ceil(operands.length / 2)
  return sql`(${balanced(operands.slice(0, middle), operator)}${operator}${balanced(operands.slice(middle), operator)})`
}

function compareCondition(
  path: AttributePath,
  operator: CompareOperator,
  value: Comparable | null,
  context: FilterContext,
): SQL {
  if (value === null) {
    const present = presentCondition(path, context)
    return operator === 'ne' ? present : sql`NOT ${present}`
  }
  const source = elementSource(path, context)
  const leaf = path.subAttribute ?? path.attribute
  if (!source) return comparison(comparedSingle(path, context), leaf, operator, value)
  const element = comparedElement(path, source)
  if (operator !== 'ne')
    return sql`EXISTS (${source.select} AND ${comparison(element, leaf, operator, value)})`
  // `ne`: no value at all, or one that differs.
  return sql`(NOT EXISTS (${source.select} AND ${element} IS NOT NULL)
    OR EXISTS (${source.select} AND ${element} IS NOT NULL AND ${comparison(element, leaf, 'ne', value)}))`
}

/** An element of a list, or a complex value, has the value false for a `primary` that it lacks. */
function comparedElement(path: AttributePath, source: ElementSource): SQL {
  const value = source.value(path.subAttribute)
  return absentIsFalse(path) ? sql`ifnull(${value}, 0)` : value
}

function comparedSingle(path: AttributePath, context: FilterContext): SQL {
  const value = singleValue(path, context)
  if (!absentIsFalse(path)) return value
  return sql`(CASE WHEN ${documentValue(path)} IS NOT NULL THEN ifnull(${value}, 0) END)`
}

function presentCondition(path: AttributePath, context: FilterContext): SQL {
  const source = elementSource(path, context)
  if (!source) return notEmpty(singleValue(path, context))
  if (path.attribute.type !== 'complex' || path.subAttribute)
    return sql`EXISTS (${source.select} AND ${notEmpty(source.value(path.subAttribute))})`
  return sql`EXISTS (${source.select})`
}

function elementsCondition(path: AttributePath, filter: Filter, context: FilterContext): SQL {
  const source = elementSource(path, context)
  if (source) return sql`EXISTS (${source.select} AND ${onElement(filter, source)})`
  const single: ElementSource = {
    select: sql``,
    value: sub => singleValue(sub ? { ...path, subAttribute: sub } : path, context),
  }
  return sql`(${onElement(filter, single)} AND ${presentCondition(path, context)})`
}

/** The filter inside brackets: every path is of the one element (RFC-100). */
function onElement(filter: Filter, source: ElementSource): SQL {
  switch (filter.kind) {
    case 'and':
    case 'or': {
      const operands = filter.operands.map(operand => onElement(operand, source))
      return balanced(operands, filter.kind === 'and' ? sql` AND ` : sql` OR `)
    }
    case 'not':
      return sql`NOT ${onElement(filter.operand, source)}`
    case 'compare': {
      const { path, operator, value } = filter
      if (value !== null)
        return comparison(comparedElement(path, source), path.subAttribute ?? path.attribute, operator, value)
      const present = notEmpty(source.value(path.subAttribute))
      return operator === 'ne' ? present : sql`NOT ${present}`
    }
    case 'present':
      return notEmpty(source.value(filter.path.subAttribute))
    case 'elements':
      throw new ScimError(400, 'invalidFilter', 'Brackets inside brackets are not allowed.')
  }
}

/** One value against one value; `expression` may be null, which equals nothing and differs from everything. */
function comparison(
  expression: SQL,
  attribute: Attribute,
  operator: CompareOperator,
  value: Comparable,
): SQL {
  const operand = typeof value === 'boolean' ? Number(value) : value
  const left = foldsCase(attribute) ? sql`lower(${expression})` : expression
  switch (operator) {
    case 'eq':
      return sql`(${left} IS ${operand})`
    case 'ne':
      return sql`(${left} IS NOT ${operand})`
    case 'gt':
      return sql`ifnull(${left} > ${operand}, 0)`
    case 'ge':
      return sql`ifnull(${left} >= ${operand}, 0)`
    case 'lt':
      return sql`ifnull(${left} < ${operand}, 0)`
    case 'le':
      return sql`ifnull(${left} <= ${operand}, 0)`
    case 'co':
      return sql`ifnull(instr(${left}, ${operand}) > 0, 0)`
    case 'sw':
      return sql`ifnull(substr(${left}, 1, ${codePoints(operand)}) = ${operand}, 0)`
    case 'ew':
      // substr(x, -0) would be the whole text.
      return operand === ''
        ? sql`(${left} IS NOT NULL)`
        : sql`ifnull(substr(${left}, ${codePoints(operand, -1)}) = ${operand}, 0)`
  }
}

/** A length as SQL text: one parameter less of the hundred that D1 takes. */
function codePoints(operand: string | number, sign = 1): SQL {
  return sql.raw(String(sign * [...String(operand)].length))
}

function notEmpty(expression: SQL): SQL {
  return sql`ifnull(${expression} <> '', 0)`
}

function foldsCase(attribute: Attribute): boolean {
  return attribute.type === 'string' && !attribute.caseExact
}

/** Where the elements of a multi-valued attribute come from, as `SELECT 1 FROM … WHERE …` to be continued by AND. */
interface ElementSource {
  readonly select: SQL
  value(subAttribute: Attribute | undefined): SQL
}

function elementSource(path: AttributePath, context: FilterContext): ElementSource | undefined {
  if (!path.attribute.multiValued) return undefined
  const { type } = context
  if (!path.extension && path.attribute.name === 'schemas') return schemasSource(type)
  if (!path.extension && path.attribute.name === type.membersAttribute)
    return membershipSource('group_id', 'member_id', sql`m.type`, context)
  if (!path.extension && path.attribute.name === type.membershipsAttribute)
    return membershipSource('member_id', 'group_id', sql`'direct'`, context)
  const json = documentValue(path)
  return {
    select: sql`SELECT 1 FROM json_each(${json}) e WHERE 1`,
    value: sub => (sub ? sql`json_extract(e.value, ${jsonPath([sub.name])})` : sql`e.value`),
  }
}

/** `schemas` is not stored: the base is always there, an extension when its container is. */
function schemasSource(type: ResourceType): ElementSource {
  const urns = literal(JSON.stringify(schemasOf(type).map(({ id }) => id)))
  return {
    select: sql`SELECT 1 FROM json_each(${urns}) e
      WHERE (e.key = 0 OR json_type(r.document, '$."' || e.value || '"') IS NOT NULL)`,
    value: () => sql`e.value`,
  }
}

/** Membership rows seen from the group (its members) or from the member (its groups). */
function membershipSource(
  own: 'group_id' | 'member_id',
  other: 'group_id' | 'member_id',
  kind: SQL,
  context: FilterContext,
): ElementSource {
  const row = sql.raw(`m.${other}`)
  const ofOther = (expression: SQL) =>
    sql`(SELECT ${expression} FROM resources o WHERE o.tenant_id = m.tenant_id AND o.id = ${row})`
  return {
    select: sql`SELECT 1 FROM members m WHERE m.tenant_id = r.tenant_id AND ${sql.raw(`m.${own}`)} = r.id`,
    value: sub => {
      switch (sub?.name) {
        case 'type':
          return kind
        case 'display':
          return ofOther(sql`coalesce(coalesce(o.comparable, o.document) ->> '$.displayName',
            coalesce(o.comparable, o.document) ->> '$.userName')`)
        case '$ref':
          return ofOther(sql`${context.baseUrl} || ${endpointOf(sql`o.type`, context)} || '/' || o.id`)
        default:
          return row
      }
    },
  }
}

function endpointOf(type: SQL, context: FilterContext): SQL {
  const cases = context.resourceTypes.map(
    ({ name, endpoint }) => sql` WHEN ${literal(name)} THEN ${literal(endpoint)}`,
  )
  return sql`CASE ${type}${sql.join(cases)} END`
}

/** A singular attribute's value: a column where one has it, else the document's. */
function singleValue(path: AttributePath, context: FilterContext): SQL {
  if (!path.extension) {
    switch (path.attribute.name) {
      case 'id':
        return sql`r.id`
      case 'externalId':
        return context.connectionId === undefined
          ? sql`(r.document ->> '$.externalId')`
          : sql`(CASE WHEN r.connection_id = ${context.connectionId} THEN r.document ->> '$.externalId' END)`
      case 'meta':
        return metaValue(path.subAttribute, context)
    }
  }
  const json = documentValue(path)
  return path.subAttribute ? sql`json_extract(${json}, ${jsonPath([path.subAttribute.name])})` : json
}

function metaValue(sub: Attribute | undefined, context: FilterContext): SQL {
  switch (sub?.name) {
    case 'resourceType':
      return sql`r.type`
    case 'created':
      return sql`r.created_at`
    case 'lastModified':
      return sql`r.last_modified`
    case 'location':
      return sql`(${context.baseUrl + context.type.endpoint} || '/' || r.id)`
    case 'version':
      return sql`('W/"' || r.version || '"')`
    default:
      return sql`r.id`
  }
}

/** The attribute in the document, or in its comparable form where case or time matters. */
function documentValue(path: AttributePath): SQL {
  const leaf = path.subAttribute ?? path.attribute
  const exact = leaf.caseExact && leaf.type !== 'dateTime' && leaf.type !== 'complex'
  const names = path.extension ? [path.schema.id, path.attribute.name] : [path.attribute.name]
  return exact
    ? sql`json_extract(r.document, ${jsonPath(names)})`
    : sql`json_extract(coalesce(r.comparable, r.document), ${jsonPath(names)})`
}

/** A JSON path of schema names, as a literal: names come from schemas, never from a request. */
function jsonPath(names: readonly string[]): SQL {
  const path = `$${names.map(name => `."${name.replaceAll('"', '')}"`).join('')}`
  return literal(path)
}

/** Text of our own schemas as an SQL literal. */
function literal(text: string): SQL {
  return sql.raw(`'${text.replaceAll("'", "''")}'`)
}
