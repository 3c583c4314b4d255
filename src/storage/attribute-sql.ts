// Attributes as SQL expressions over a resource row `r`: what a filter compares and a list is sorted by.
import { type SQL, sql } from 'drizzle-orm'
import type { Attribute } from '../scim/attribute'
import type { AttributePath } from '../scim/attribute-path'
import { idPath, isDerived, type ReferringPath, refers } from '../scim/reference'
import { type ResourceType, schemasOf } from '../scim/schema'

/** The list of those whom a DELETE has made to vanish for SCIM, whose record is kept. */
export const DELETED = '@deleted'

export interface FilterContext {
  readonly tenantId: string
  /** Whose externalIds count; undefined for the operator, who sees all. */
  readonly connectionId: string | undefined
  /** The list of those who are gone for SCIM is asked, not the one of the living. */
  readonly deleted?: boolean
  readonly type: ResourceType
  readonly resourceTypes: readonly ResourceType[]
  /** Base URL of the tenant's SCIM endpoint, for meta.location and $ref. */
  readonly baseUrl: string
}

/** Compared in lower case: text that is not caseExact. */
export function foldsCase(attribute: Attribute): boolean {
  return attribute.type === 'string' && !attribute.caseExact
}

/** Where the elements of a multi-valued attribute come from. */
export interface ElementSource {
  /** `FROM … WHERE …`, to be continued by AND. */
  readonly from: SQL
  /** Their own order. */
  readonly order: SQL
  /** How many there are, where one that is alone may count for more. */
  readonly count?: SQL
  value(subAttribute: Attribute | undefined): SQL
}

/** Undefined for a singular attribute. */
export function elementSource(path: AttributePath, context: FilterContext): ElementSource | undefined {
  if (!path.attribute.multiValued) return undefined
  const { type } = context
  if (!path.extension && path.attribute.name === 'schemas') return schemasSource(type)
  if (!path.extension && path.attribute.name === type.membersAttribute)
    return membershipSource('group_id', 'member_id', sql`m.type`, context)
  if (!path.extension && path.attribute.name === type.membershipsAttribute)
    return membershipSource('member_id', 'group_id', sql`'direct'`, context)
  const json = documentValue(path)
  return {
    from: sql`FROM json_each(${json}) e WHERE 1`,
    order: sql`e.key`,
    count: sql`json_array_length(${json})`,
    value: sub => (sub ? sql`json_extract(e.value, ${keyPath([sub.name])})` : sql`e.value`),
  }
}

/** `schemas` is not stored: the base is always there, an extension when its container is. */
function schemasSource(type: ResourceType): ElementSource {
  const urns = literal(JSON.stringify(schemasOf(type).map(({ id }) => id)))
  return {
    order: sql`e.key`,
    from: sql`FROM json_each(${urns}) e
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
    from: sql`FROM members m WHERE m.tenant_id = r.tenant_id AND ${sql.raw(`m.${own}`)} = r.id`,
    order: row,
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
export function singleValue(path: AttributePath, context: FilterContext): SQL {
  const { column } = path.attribute
  if (column) {
    const json = sql.raw(`r.${column}`)
    return path.subAttribute ? sql`json_extract(${json}, ${keyPath([path.subAttribute.name])})` : json
  }
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
  if (refers(path) && path.subAttribute && isDerived(path.subAttribute, path.attribute))
    return derivedValue(path, path.subAttribute, context)
  const json = documentValue(path)
  return path.subAttribute ? sql`json_extract(${json}, ${keyPath([path.subAttribute.name])})` : json
}

/** What the service says of the resource referred to, in the form that is compared. */
function derivedValue(path: ReferringPath, sub: Attribute, { baseUrl }: FilterContext): SQL {
  return sub.name === '$ref'
    ? ofReferred(path, sql`${baseUrl + path.attribute.refersTo.endpoint} || '/' || o.id`)
    : ofReferred(path, borrowedValue(sub.name, sql`coalesce(o.comparable, o.document)`))
}

/** Characters shown of what a resource says of another: a page has a thousand of them. */
const MAX_BORROWED = sql.raw('255')

/** What is shown of a document's attribute by a resource that refers to it, and so what is compared. */
export function borrowedValue(name: string, document: SQL): SQL {
  return sql`substr(json_extract(${document}, ${keyPath([name])}), 1, ${MAX_BORROWED})`
}

/** The expression over the resource `o` that `r` refers to; null where there is none. */
export function ofReferred(path: ReferringPath, expression: SQL): SQL {
  const { subAttribute: sub = path.attribute } = idPath(path)
  const id = sql`json_extract(${documentValue(path)}, ${keyPath([sub.name])})`
  return sql`(SELECT ${expression} FROM resources o WHERE o.tenant_id = r.tenant_id AND o.id = ${id}
    AND o.type = ${literal(path.attribute.refersTo.name)} AND o.scope <> ${literal(DELETED)})`
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
export function documentValue(path: AttributePath): SQL {
  const leaf = path.subAttribute ?? path.attribute
  const exact = leaf.caseExact && leaf.type !== 'dateTime' && leaf.type !== 'complex'
  const names = path.extension ? [path.schema.id, path.attribute.name] : [path.attribute.name]
  return exact
    ? sql`json_extract(r.document, ${keyPath(names)})`
    : sql`json_extract(coalesce(r.comparable, r.document), ${keyPath(names)})`
}

/** A JSON path of schema names, as a literal: names come from schemas, never from a request. */
export function keyPath(names: readonly string[]): SQL {
  const path = `$${names.map(name => `."${name.replaceAll('"', '')}"`).join('')}`
  return literal(path)
}

/** Text of our own schemas as an SQL literal. */
export function literal(text: string): SQL {
  return sql.raw(`'${text.replaceAll("'", "''")}'`)
}
