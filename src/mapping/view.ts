// The application's view of a user, made of its SCIM resource by the profile and the mapping of its connection.
import type { Json, JsonObject } from '../scim/json'
import type { Resource } from '../scim/resource'
import type { ResourceType } from '../scim/schema'
import { type FieldProblem, type ReadyField, readField } from './field'
import type { Field, Mapping, Profile } from './profile'
import { readSource } from './source'

export interface View {
  /** The mapped fields that have a value. */
  readonly profile: JsonObject
  /** The role that the user has from an attribute. */
  readonly role: string | null
  readonly targetGroup: TargetGroup | null
}

/** A group of the operator's by its id, or the group that the rule makes for a value. */
export type TargetGroup = { readonly id: string } | { readonly name: string }

export interface Reading {
  readonly view: View
  /** What the resource lacks to be a user of the application; its view holds what could be read all the same. */
  readonly problems: readonly FieldProblem[]
}

export type Viewer = (resource: Resource) => Reading

/** Characters of a target group's name: a longer value is cut. */
export const MAX_TARGET_GROUP_NAME = 255

/** Resolves every path once; `idp`: the kind of the connection, for the profile's fallbacks. */
export function viewerOf(
  profile: Profile,
  mapping: Mapping,
  idp: string | undefined,
  type: ResourceType,
): Viewer {
  const fields = fieldsOf(profile, mapping, idp).map(field => ready(field, type))
  const role = roleField(profile, fields, type)
  const groupBy = mapping.groupBy && valueReader(mapping.groupBy.source, fields, type)
  return resource => {
    const problems: FieldProblem[] = []
    const values: Record<string, Json> = {}
    for (const field of fields) {
      const { value, problem } = readField(field, resource)
      if (problem) problems.push(problem)
      if (value !== undefined) values[field.field] = value
    }
    const { value: found, problem } = role ? readField(role, resource) : noRole
    // What a field that is the role's source says against a value needs to be said once.
    if (problem && !problems.some(({ field }) => field === profile.user.role?.source)) problems.push(problem)
    return {
      view: {
        profile: values,
        role: found === undefined ? null : String(found),
        targetGroup: targetGroupOf(mapping, groupBy?.(resource)),
      },
      problems,
    }
  }
}

/** The profile's fields, each replaced by the mapping's of the same name, and then the mapping's own. */
export function fieldsOf(profile: Profile, mapping: Mapping, idp: string | undefined): readonly Field[] {
  const further = (idp === undefined ? undefined : profile.idps[idp])?.fallback ?? {}
  const own = new Map(mapping.fields.map(field => [field.field, field]))
  const known = profile.user.fields.map(({ field }) => field)
  return [
    ...profile.user.fields.map(field => own.get(field.field) ?? field),
    ...mapping.fields.filter(({ field }) => !known.includes(field)),
  ].map(field => ({ ...field, fallback: [...field.fallback, ...(further[field.field] ?? [])] }))
}

function ready(field: Field, type: ResourceType): ReadyField {
  const sources = [field.source, ...field.fallback].flatMap(text => {
    const source = readSource(text, type)
    return 'problem' in source ? [] : [source]
  })
  return { ...field, sources }
}

/** A rule's source is a field of that name, with its fallbacks, or else a path of its own. */
function roleField(
  { user: { role } }: Profile,
  fields: readonly ReadyField[],
  type: ResourceType,
): ReadyField | undefined {
  if (!role) return undefined
  const same = fields.find(({ field }) => field === role.source)
  const own = same ?? ready({ ...blank, field: 'role', source: role.source }, type)
  const { values, default: otherwise } = role
  return {
    ...blank,
    field: 'role',
    source: own.source,
    sources: own.sources,
    ...(values && { values }),
    ...(otherwise !== undefined && { default: otherwise }),
  }
}

const noRole = { value: undefined, problem: undefined }
const blank = { type: 'string', required: false, fallback: [] } as const

function valueReader(
  text: string,
  fields: readonly ReadyField[],
  type: ResourceType,
): (resource: Resource) => Json | undefined {
  const field =
    fields.find(candidate => candidate.field === text) ?? ready({ ...blank, field: text, source: text }, type)
  return resource => readField(field, resource).value
}

function targetGroupOf({ targetGroup }: Mapping, value: Json | undefined): TargetGroup | null {
  const name = value === undefined ? '' : [...String(value).trim()].slice(0, MAX_TARGET_GROUP_NAME).join('')
  if (name !== '') return { name }
  return targetGroup === null ? null : { id: targetGroup }
}
