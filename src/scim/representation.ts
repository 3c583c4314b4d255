// A stored resource as the client sees it, before any projection (RFC 7643 §3).
import type { Attribute } from './attribute'
import { own } from './canonical'
import { isObject, type Json, type JsonObject } from './json'
import type { Resource } from './resource'
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
}

/** Without the members, which follow `meta` and are streamed. What is unassigned is left out (RFC-20). */
export function represent(stored: Stored, type: ResourceType, baseUrl: string): JsonObject {
  const { resource, memberships = [] } = stored
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

/** `baseUrl` ends without a slash. */
export function location(baseUrl: string, type: ResourceType, id: string): string {
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
