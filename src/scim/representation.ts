// A stored resource as the client sees it, before any projection (RFC 7643 §3).
import type { Attribute } from './attribute'
import { formatPath } from './attribute-path'
import { own } from './canonical'
import { isObject, type Json, type JsonObject } from './json'
import { isDerived, type ReferringPath, referringPaths } from './reference'
import { attributeValue, type Resource, withAttribute } from './resource'
import { commonAttributes, type ResourceType, type Schema } from './schema'

export interface Stored {
  readonly id: string
  readonly resource: Resource
  /** Milliseconds since 1970. */
  readonly created: number
  readonly lastModified: number
  /** Undefined where the tenant is shown no versions. */
  readonly version: string | undefined
  /** The groups that the resource is in, when they were asked for. */
  readonly memberships?: readonly JsonObject[]
  /** What is said of the resources that it refers to, by the attribute's path; nothing of those that do not exist. */
  readonly referred?: JsonObject
}

/** Without the members, which follow `meta` and are streamed. What is unassigned is left out (RFC-20). */
export function represent(stored: Stored, type: ResourceType, baseUrl: string): JsonObject {
  const { memberships = [], referred = {} } = stored
  const resource = withReferred(stored.resource, referred, type, baseUrl)
  const used = type.extensions.filter(({ schema }) => isObject(own(resource, schema.id)))
  // RFC-25: an extension is listed when there is data of it.
  const schemas = [type.schema.id, ...used.map(({ schema }) => schema.id)]
  const shown: Record<string, Json> = { schemas, id: stored.id }
  pick(resource, commonAttributes, shown)
  pick(resource, type.schema.attributes, shown)
  if (type.membershipsAttribute !== undefined && memberships.length > 0)
    shown[type.membershipsAttribute] = memberships
  for (const { schema } of used) shown[schema.id] = contained(resource, schema)
  shown.meta = {
    resourceType: type.name,
    created: new Date(stored.created).toISOString(),
    lastModified: new Date(stored.lastModified).toISOString(),
    location: location(baseUrl, type, stored.id),
    ...(stored.version !== undefined && { version: etag(stored.version) }),
  }
  return shown
}

/** With `$ref` and the like of what it refers to, said anew each time: they are not kept (RFC-68). */
function withReferred(
  resource: Resource,
  referred: JsonObject,
  type: ResourceType,
  baseUrl: string,
): Resource {
  return referringPaths(type).reduce((shown, path) => {
    const value = attributeValue(resource, path)
    if (!isObject(value)) return shown
    return withAttribute(shown, path, withDerived(value, own(referred, formatPath(path)), path, baseUrl))
  }, resource)
}

function withDerived(
  value: JsonObject,
  found: Json | undefined,
  { attribute }: ReferringPath,
  baseUrl: string,
): JsonObject {
  const shown: Record<string, Json> = {}
  for (const sub of attribute.subAttributes ?? []) {
    const item = isDerived(sub, attribute)
      ? derived(sub.name, found, value, attribute, baseUrl)
      : own(value, sub.name)
    if (item !== undefined && item !== null) shown[sub.name] = item
  }
  return shown
}

function derived(
  name: string,
  found: Json | undefined,
  { value }: JsonObject,
  { refersTo }: ReferringPath['attribute'],
  baseUrl: string,
): Json | undefined {
  if (!isObject(found)) return undefined
  return name === '$ref' ? location(baseUrl, refersTo, String(value)) : own(found, name)
}

/** `baseUrl` ends without a slash. */
export function location(baseUrl: string, type: Pick<ResourceType, 'endpoint'>, id: string): string {
  return `${baseUrl}${type.endpoint}/${encodeURIComponent(id)}`
}

/** Weak: what is stored is compared, not the bytes sent (RFC-36). */
export function etag(version: string): string {
  return `W/"${version}"`
}

function contained(resource: Resource, schema: Schema): JsonObject {
  const shown: Record<string, Json> = {}
  const container = own(resource, schema.id)
  if (isObject(container)) pick(container, schema.attributes, shown)
  return shown
}

/** In the schema's order. */
function pick(object: JsonObject, attributes: readonly Attribute[], shown: Record<string, Json>): void {
  for (const { name } of attributes) {
    const value = own(object, name)
    if (value !== undefined) shown[name] = value
  }
}
