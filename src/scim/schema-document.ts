// Schemas and resource types as the JSON that /Schemas and /ResourceTypes show (RFC 7643 §6, §7).
// What is published is what is enforced: both come from the same Attribute.
import type { Attribute } from './attribute'
import type { JsonObject } from './json'
import type { ResourceType, Schema } from './schema'
import { resourceTypeSchema } from './schemas/resource-type'
import { schemaSchema } from './schemas/schema'

export function schemaDocument(schema: Schema, location: string): JsonObject {
  return {
    schemas: [schemaSchema.id],
    id: schema.id,
    name: schema.name,
    description: schema.description,
    attributes: schema.attributes.map(attributeDocument),
    meta: { resourceType: schemaSchema.name, location },
  }
}

/** Absent characteristics are left out, not null: Entra's reader of /Schemas takes no null. */
function attributeDocument(attribute: Attribute): JsonObject {
  const { canonicalValues, referenceTypes, subAttributes } = attribute
  return {
    name: attribute.name,
    type: attribute.type,
    multiValued: attribute.multiValued,
    description: attribute.description,
    required: attribute.required,
    ...(canonicalValues && { canonicalValues }),
    caseExact: attribute.caseExact,
    mutability: attribute.mutability,
    returned: attribute.returned,
    // Erratum 6004: a complex value as a whole has no uniqueness.
    ...(attribute.type !== 'complex' && { uniqueness: attribute.uniqueness }),
    ...(referenceTypes && { referenceTypes }),
    ...(subAttributes && { subAttributes: subAttributes.map(attributeDocument) }),
  }
}

export function resourceTypeDocument(type: ResourceType, location: string): JsonObject {
  return {
    schemas: [resourceTypeSchema.id],
    id: type.name,
    name: type.name,
    endpoint: type.endpoint,
    description: type.description,
    schema: type.schema.id,
    schemaExtensions: type.extensions.map(({ schema, required }) => ({ schema: schema.id, required })),
    meta: { resourceType: resourceTypeSchema.name, location },
  }
}
