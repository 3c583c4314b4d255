// The resource types of one tenant: the standard's, with the tenant's own extensions.
import { isUnique } from './attribute'
import { sameUrn } from './attribute-path'
import type { Lookup, ResourceType, Schema, SchemaExtension } from './schema'

/** A schema of the tenant and the name of the resource type that it extends. */
export interface TenantSchema {
  readonly extends: string
  /** Whole: where it adds to a schema of the standard, with the standard's attributes. */
  readonly schema: Schema
}

/** In the order of the schemas; one with the URN of an extension that the type has takes its place. */
export function extendedTypes(
  types: readonly ResourceType[],
  schemas: readonly TenantSchema[],
): readonly ResourceType[] {
  if (schemas.length === 0) return types
  return types.map(type =>
    schemas
      .filter(one => one.extends === type.name)
      .reduce((extended, { schema }) => extend(extended, schema), type),
  )
}

function extend(type: ResourceType, schema: Schema): ResourceType {
  const replaces = ({ schema: { id } }: SchemaExtension) => sameUrn(id, schema.id)
  const extensions = type.extensions.some(replaces)
    ? type.extensions.map(extension => (replaces(extension) ? { ...extension, schema } : extension))
    : [...type.extensions, { schema, required: false }]
  return { ...type, extensions, lookups: [...type.lookups, ...uniqueLookups(schema)] }
}

/** RFC 7643 §2.2: `server` and `global` are both kept within the tenant, which is all that a client can see. */
function uniqueLookups(schema: Schema): Lookup[] {
  return schema.attributes
    .filter(isUnique)
    .map(({ name }) => ({ path: `${schema.id}:${name}`, scope: 'tenant', unique: true }))
}
