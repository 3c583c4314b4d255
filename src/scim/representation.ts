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
  readonly version: string
  /** The groups that the resource is in, when they were asked for. */
  readonly memberships?: readonly JsonObject[]
}

/** Without the members, which follow `meta` and are streamed. What is unassigned is left out (RFC-20). */
export function represent(stored: Stored, type: ResourceType, baseUrl: string): JsonObject {
  const used = type.extensions.filter(({ schema }) => isObject(own(stored.resource, schema.id)))
  return {
    // RFC-25: an extension is listed when there is data of it.
    schemas: [type.schema.id, ...used.map(({ schema }) => schema.id)],
    id: stored.id,
    ...picked(stored.resource, commonAttributes),
    ...core(stored, type),
    ...Object.fromEntries(used.map(({ schema }) => [schema.id, contained(stored.resource, schema)])),
    meta: {
      resourceType: type.name,
      created: new Date(stored.created).toISOString(),
      lastModified: new Date(stored.lastModified).toISOString(),
      location: location(baseUrl, type, stored.id),
      version: etag(stored.version),
    },
  }
}

/** `baseUrl` ends without a slash. */
export function location(baseUrl: string, type: ResourceType, id: string): string {
  return `${baseUrl}${type.endpoint}/${encodeURIComponent(id)}`
}

/** Weak: what is stored is compared, not the bytes sent (RFC-36). */
export function etag(version: string): string {
  return `W/"${version}"`
}

function core({ resource, memberships = [] }: Stored, type: ResourceType): JsonObject {
  const shown =
    type.membershipsAttribute !== undefined && memberships.length > 0
      ? { ...resource, [type.membershipsAttribute]: memberships }
      : resource
  return picked(shown, type.schema.attributes)
}

function contained(resource: Resource, schema: Schema): JsonObject {
  const container = own(resource, schema.id)
  return isObject(container) ? picked(container, schema.attributes) : {}
}

/** In the schema's order. */
function picked(object: JsonObject, attributes: readonly Attribute[]): JsonObject {
  const found: Record<string, Json> = {}
  for (const { name } of attributes) {
    const value = own(object, name)
    if (value !== undefined) found[name] = value
  }
  return found
}
