// The schema of the ResourceType resource (RFC 7643 §6, §8.7.2); `schemaExtensions` is multi-valued by erratum 7522.
import { type Attribute, attribute } from '../attribute'
import type { Schema } from '../schema'

const readOnly = { mutability: 'readOnly' } as const

function uri(name: string, description: string): Attribute {
  return attribute(name, description, {
    ...readOnly,
    type: 'reference',
    referenceTypes: ['uri'],
    caseExact: true,
    required: true,
  })
}

export const resourceTypeSchema: Schema = {
  id: 'urn:ietf:params:scim:schemas:core:2.0:ResourceType',
  name: 'ResourceType',
  description: 'A kind of resource that this service offers',
  attributes: [
    attribute('id', 'The same as the name.', readOnly),
    attribute('name', 'The name of the resource type, as meta.resourceType says it.', {
      ...readOnly,
      required: true,
    }),
    attribute('description', 'What such a resource is.', readOnly),
    uri('endpoint', 'Where its resources are, relative to the base URL, such as /Users.'),
    uri('schema', 'The URI of its base schema.'),
    attribute('schemaExtensions', 'The schemas that extend it.', {
      ...readOnly,
      type: 'complex',
      multiValued: true,
      subAttributes: [
        uri('schema', 'The URI of the extension schema.'),
        attribute('required', 'Whether every resource of the type must have the extension.', {
          ...readOnly,
          type: 'boolean',
          required: true,
        }),
      ],
    }),
  ],
}
