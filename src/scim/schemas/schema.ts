// The schema of the Schema resource itself (RFC 7643 §7, §8.7.2), the only one whose complex attributes nest;
// `binary` is a legal type by erratum 5606, `referenceTypes` of a sub-attribute is multi-valued by erratum 5607.
import { type Attribute, attribute } from '../attribute'
import type { Schema } from '../schema'

const readOnly = { mutability: 'readOnly' } as const

function oneOf(name: string, description: string, canonicalValues: readonly string[]): Attribute {
  return attribute(name, description, { ...readOnly, caseExact: true, canonicalValues })
}

function flag(name: string, description: string, required = false): Attribute {
  return attribute(name, description, { ...readOnly, type: 'boolean', required })
}

/** What is said of an attribute, and the same again of a sub-attribute. */
const characteristics: readonly Attribute[] = [
  attribute('name', 'The name of the attribute.', { ...readOnly, caseExact: true, required: true }),
  attribute('type', 'The data type.', {
    ...readOnly,
    caseExact: true,
    required: true,
    canonicalValues: [
      'string',
      'boolean',
      'decimal',
      'integer',
      'dateTime',
      'reference',
      'binary',
      'complex',
    ],
  }),
  flag('multiValued', 'Whether the attribute holds a list.', true),
  attribute('description', 'What the attribute means.', { ...readOnly, caseExact: true }),
  flag('required', 'Whether a resource must have the attribute.'),
  attribute('canonicalValues', 'Suggested values.', { ...readOnly, multiValued: true, caseExact: true }),
  flag('caseExact', 'Whether values compare with their case.'),
  oneOf('mutability', 'Whether and when a client may set the attribute.', [
    'readOnly',
    'readWrite',
    'immutable',
    'writeOnly',
  ]),
  oneOf('returned', 'When a reply has the attribute.', ['always', 'never', 'default', 'request']),
  oneOf('uniqueness', 'Among which resources a value may occur only once.', ['none', 'server', 'global']),
  attribute('referenceTypes', 'What a reference may point to: resource types, "external" or "uri".', {
    ...readOnly,
    multiValued: true,
    caseExact: true,
  }),
]

export const schemaSchema: Schema = {
  id: 'urn:ietf:params:scim:schemas:core:2.0:Schema',
  name: 'Schema',
  description: 'The attributes that a resource may have',
  attributes: [
    attribute('id', 'The URI of the schema.', { ...readOnly, caseExact: true, required: true }),
    attribute('name', 'The readable name of the schema.', readOnly),
    attribute('description', 'What the schema describes.', readOnly),
    attribute('attributes', 'The attributes and their characteristics.', {
      ...readOnly,
      type: 'complex',
      multiValued: true,
      required: true,
      subAttributes: [
        ...characteristics,
        attribute('subAttributes', 'The attributes within a complex attribute.', {
          ...readOnly,
          type: 'complex',
          multiValued: true,
          subAttributes: characteristics,
        }),
      ],
    }),
  ],
}
