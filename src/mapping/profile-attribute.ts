// The application's fields as an attribute of people, so that a SCIM filter can ask for them: `profile.department eq "x"`.
import { type Attribute, attribute } from '../scim/attribute'
import type { ResourceType } from '../scim/schema'
import type { Application } from './application'
import type { Field } from './profile'

/** The type with a further core attribute `profile`; a SCIM client never sees this type. */
export function withProfile(type: ResourceType, { profile, connections }: Application): ResourceType {
  const fields = new Map<string, Field>()
  for (const { mapping } of connections.values())
    for (const field of mapping.fields) fields.set(field.field, field)
  for (const field of profile.user.fields) fields.set(field.field, field)
  if (fields.size === 0) return type
  const whole = attribute('profile', 'The fields of the application.', {
    type: 'complex',
    column: 'profile',
    mutability: 'readOnly',
    subAttributes: [...fields.values()].map(subAttributeOf),
  })
  return { ...type, schema: { ...type.schema, attributes: [...type.schema.attributes, whole] } }
}

/** Text is compared with its case: it is stored as it was mapped, not folded. */
function subAttributeOf({ field, type }: Field): Attribute {
  const types = { string: 'string', dateTime: 'string', number: 'decimal', boolean: 'boolean' } as const
  return attribute(field, '', { type: types[type], caseExact: true, mutability: 'readOnly' })
}
