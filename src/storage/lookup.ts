// Values kept beside the document so that `eq` is an index search and uniqueness an index: which rows a resource
// has, and which filters they answer.
import { type SQL, sql } from 'drizzle-orm'
import { type AttributePath, formatPath, resolveQualified } from '../scim/attribute-path'
import { own } from '../scim/canonical'
import { comparable, valuesOf } from '../scim/comparable'
import type { Filter } from '../scim/filter'
import { isObject } from '../scim/json'
import { attributeValue, type Resource } from '../scim/resource'
import type { Lookup, ResourceType } from '../scim/schema'
import type { FilterContext } from './attribute-sql'

export interface LookupRow {
  readonly attribute: string
  /** '' for the tenant, else the connection's id. */
  readonly scope: string
  readonly value: string
  readonly unique: boolean
}

/**
 * The rows of a resource, without duplicates. `deleted`: of one that is gone for SCIM, whose values are nobody's any
 * more but by which it can still be found.
 */
export function lookupRows(
  resource: Resource,
  type: ResourceType,
  connectionId: string,
  deleted = false,
): LookupRow[] {
  const rows = new Map<string, LookupRow>()
  for (const lookup of type.lookups) {
    const scope = lookupScope(lookup, connectionId, deleted)
    const unique = lookup.unique && !deleted
    for (const value of lookedUp(resource, lookup.path, type))
      rows.set(`${lookup.path}\n${value}`, { attribute: lookup.path, scope, value, unique })
  }
  return [...rows.values()]
}

function lookupScope({ scope }: Lookup, connectionId: string, deleted: boolean): string {
  const living = scope === 'tenant' ? '' : connectionId
  return deleted ? `@deleted:${living}` : living
}

/** What is in `left` and not in `right`. */
export function lookupDifference(left: readonly LookupRow[], right: readonly LookupRow[]): LookupRow[] {
  const key = (row: LookupRow) => `${row.attribute}\n${row.scope}\n${row.value}`
  const known = new Set(right.map(key))
  return left.filter(row => !known.has(key(row)))
}

/** The values in comparable form, as text. */
function lookedUp(resource: Resource, name: string, type: ResourceType): string[] {
  const path = resolveQualified(name, type)
  if (!path) return []
  const { subAttribute: sub, attribute } = path
  return valuesOf(attributeValue(resource, path)).flatMap(element => {
    const value = sub && isObject(element) ? own(element, sub.name) : element
    const found = comparable(sub ?? attribute, value) ?? value
    return (typeof found === 'string' && found !== '') || typeof found === 'number' ? [String(found)] : []
  })
}

/**
 * Ids that are all a filter can match, as `SELECT … AS id` over an index; undefined when only a scan will do.
 * The filter itself is still checked on each of them, so this may be wider than the filter, never narrower.
 * `most`: of terms joined by `or` no more are found each, for who asks no further than whether there are fewer.
 */
export function filterHits(filter: Filter, context: FilterContext, most?: number): SQL | undefined {
  switch (filter.kind) {
    case 'compare':
      return filter.operator === 'eq' && filter.value !== null
        ? equalityHits(filter.path, filter.value, context)
        : undefined
    case 'elements':
      return elementHits(filter.filter, context)
    case 'and':
      for (const operand of membershipsLast(filter.operands, context.type)) {
        const hits = filterHits(operand, context, most)
        if (hits) return hits
      }
      return undefined
    case 'or': {
      const hits = filter.operands.map(operand => filterHits(operand, context, most))
      if (!hits.every(hit => hit !== undefined)) return undefined
      return union(
        most === undefined
          ? hits
          : hits.map(hit => sql`SELECT id FROM (SELECT id FROM (${hit}) LIMIT ${most})`),
      )
    }
    default:
      return undefined
  }
}

/** A group may have a hundred thousand members; whatever else is asked for finds fewer. */
function membershipsLast(operands: readonly Filter[], type: ResourceType): readonly Filter[] {
  const isMembership = (operand: Filter) =>
    'path' in operand &&
    !operand.path.extension &&
    [type.membersAttribute, type.membershipsAttribute].includes(operand.path.attribute.name)
  return [...operands].sort((a, b) => Number(isMembership(a)) - Number(isMembership(b)))
}

/** D1 takes five terms in a compound SELECT, so more of them are unions of unions. */
const MAX_TERMS = 5

function union(hits: readonly SQL[]): SQL {
  if (hits.length <= MAX_TERMS) return sql`SELECT id FROM (${sql.join([...hits], sql` UNION `)})`
  const fives = Array.from({ length: Math.ceil(hits.length / MAX_TERMS) }, (_, i) =>
    union(hits.slice(i * MAX_TERMS, (i + 1) * MAX_TERMS)),
  )
  return union(fives)
}

/** `emails[type eq "work" and value eq "x"]`: an `eq` that must hold in any case, seen from outside the brackets. */
function elementHits(inner: Filter, context: FilterContext): SQL | undefined {
  if (inner.kind === 'compare' && inner.operator === 'eq' && inner.value !== null)
    return equalityHits(inner.path, inner.value, context)
  if (inner.kind !== 'and') return undefined
  for (const operand of inner.operands) {
    const hits = elementHits(operand, context)
    if (hits) return hits
  }
  return undefined
}

function equalityHits(
  path: AttributePath,
  value: string | number | boolean,
  context: FilterContext,
): SQL | undefined {
  if (typeof value === 'boolean') return undefined
  const { tenantId, type } = context
  const name = formatPath(path)
  if (name === 'id') return sql`SELECT id FROM resources WHERE tenant_id = ${tenantId} AND id = ${value}`
  const core = path.extension ? undefined : path.attribute.name
  if (path.subAttribute?.name === 'value' && core !== undefined && core === type.membersAttribute)
    return sql`SELECT group_id AS id FROM members WHERE tenant_id = ${tenantId} AND member_id = ${value}`
  if (path.subAttribute?.name === 'value' && core !== undefined && core === type.membershipsAttribute)
    return sql`SELECT member_id AS id FROM members WHERE tenant_id = ${tenantId} AND group_id = ${value}`
  const lookup = type.lookups.find(candidate => candidate.path === name)
  if (!lookup) return undefined
  const rows = sql`lookups l WHERE l.tenant_id = ${tenantId} AND l.type = ${type.name} AND l.attribute = ${name}`
  if (lookup.scope === 'connection' && context.connectionId === undefined)
    return inEveryScope(rows, String(value))
  const scope = lookupScope(lookup, context.connectionId ?? '', context.deleted ?? false)
  return sql`SELECT l.resource_id AS id FROM ${rows} AND l.scope = ${scope} AND l.value = ${String(value)}`
}

/** Whatever connection says so, one that is gone included: from scope to scope by the index. */
function inEveryScope(rows: SQL, value: string): SQL {
  return sql`SELECT id FROM (
    WITH RECURSIVE s(scope) AS (SELECT min(l.scope) FROM ${rows}
      UNION ALL SELECT (SELECT min(l.scope) FROM ${rows} AND l.scope > s.scope) FROM s WHERE s.scope IS NOT NULL)
    SELECT l.resource_id AS id FROM s CROSS JOIN ${rows} AND l.scope = s.scope AND l.value = ${value})`
}

/**
 * A bound on meta.lastModified that holds of all a filter can match, for its index to lead rather than the order
 * of the list. The filter's own condition cannot: it is wrapped so as to be never null.
 */
export function lastModifiedBound(filter: Filter): SQL | undefined {
  if (filter.kind === 'and') return filter.operands.map(lastModifiedBound).find(bound => bound !== undefined)
  if (filter.kind !== 'compare' || !['eq', 'gt', 'ge'].includes(filter.operator)) return undefined
  const { attribute, subAttribute, extension } = filter.path
  if (extension || attribute.name !== 'meta' || subAttribute?.name !== 'lastModified') return undefined
  return filter.value === null ? undefined : sql`r.last_modified >= ${filter.value}`
}
