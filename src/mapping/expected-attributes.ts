// What an identity provider is expected to send: each attribute that the application reads, with its rule, for an
// administrator to enter there.
import type { Json } from '../scim/json'
import type { Field, Mapping, Profile } from './profile'
import { fieldsOf } from './view'

export interface ExpectedAttribute {
  /** What it is in the application: a field, `role` or `target group`; null for what only SCIM needs. */
  readonly field: string | null
  /** SCIM paths: the one to send, then those that are taken in its place. */
  readonly sources: readonly string[]
  readonly required: boolean
  readonly type: Field['type']
  readonly values?: readonly Json[]
  readonly maxLength?: number
  /** Taken where none is sent. */
  readonly default?: Json
}

/** Those that SCIM itself needs first, unless the application reads them under its own rules. */
export function expectedAttributes(
  profile: Profile,
  mapping: Mapping,
  idp: string | undefined,
): readonly ExpectedAttribute[] {
  const fields = fieldsOf(profile, mapping, idp)
  const expected = [
    ...fields.map(ofField),
    ...roleAttribute(profile, fields),
    ...targetGroupAttribute(mapping, fields),
  ]
  const named = new Set(expected.map(({ sources }) => sources[0]?.toLowerCase()))
  return [...ofScim.filter(({ sources }) => !named.has(sources[0]?.toLowerCase())), ...expected]
}

/** Who it is, who it stays when renamed, and whether there is access. */
const ofScim: readonly ExpectedAttribute[] = [
  { field: null, sources: ['userName'], required: true, type: 'string' },
  { field: null, sources: ['externalId'], required: false, type: 'string' },
  { field: null, sources: ['active'], required: false, type: 'boolean' },
]

function ofField({ field, source, fallback, required, type, ...rules }: Field): ExpectedAttribute {
  const { values, maxLength, default: otherwise } = rules
  const always = source.toLowerCase() === 'username'
  return {
    field,
    sources: [source, ...fallback],
    required: required || always,
    type,
    ...(values && { values }),
    ...(maxLength !== undefined && { maxLength }),
    ...(otherwise !== undefined && { default: otherwise }),
  }
}

function roleAttribute({ user: { role } }: Profile, fields: readonly Field[]): ExpectedAttribute[] {
  if (!role) return []
  const { values, default: otherwise } = role
  return [
    {
      field: 'role',
      sources: sourcesOf(role.source, fields),
      required: false,
      type: 'string',
      ...(values && { values }),
      ...(otherwise !== undefined && { default: otherwise }),
    },
  ]
}

/** Only where it is an attribute of its own: a field that groups people stands among the fields already. */
function targetGroupAttribute({ groupBy }: Mapping, fields: readonly Field[]): ExpectedAttribute[] {
  if (!groupBy || fields.some(({ field }) => field === groupBy.source)) return []
  return [{ field: 'target group', sources: [groupBy.source], required: false, type: 'string' }]
}

/** A rule's source is the name of a field, or a path. */
function sourcesOf(source: string, fields: readonly Field[]): readonly string[] {
  const field = fields.find(candidate => candidate.field === source)
  return field ? [field.source, ...field.fallback] : [source]
}
