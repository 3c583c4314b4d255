// Schemas and resource types (RFC 7643 §6, §7). No code outside scim/schemas says which types there are:
// what differs between them is a field here.
import { type Attribute, attribute } from './attribute'

export interface Schema {
  /** The URN. */
  readonly id: string
  readonly name: string
  readonly description: string
  readonly attributes: readonly Attribute[]
}

export interface SchemaExtension {
  readonly schema: Schema
  readonly required: boolean
  /** Attributes that it lacks are declared, as text, by their first use. */
  readonly open?: true
}

/** Whose resources a rule looks at: the whole tenant's, or those of one connection (RFC 7643 §3.1 externalId). */
export type Scope = 'tenant' | 'connection'

/** An attribute whose values are kept beside the document, folded, so that `eq` on it is an index search. */
export interface Lookup {
  /** `userName`, `emails.value`: canonical names of an attribute and perhaps its sub-attribute. */
  readonly path: string
  readonly scope: Scope
  /** Two resources of the type may not share a value within the scope: 409 uniqueness. */
  readonly unique: boolean
}

/**
 * Whether a group may name the resource by it instead of by the id, before the resource is there and afterwards:
 * what its client calls it, or what somebody signs in with.
 */
export function namesMember({ path, unique }: Lookup, type: ResourceType): boolean {
  return unique && (path === 'externalId' || (path === 'userName' && type.accessAttribute !== undefined))
}

export interface ResourceType {
  readonly name: string
  /** `/Users` */
  readonly endpoint: string
  readonly description: string
  readonly schema: Schema
  readonly extensions: readonly SchemaExtension[]
  /** A list shows the tenant's resources, or only those of the asking connection. */
  readonly scope: Scope
  /** What refers to another resource has one for its `value`: by it those that refer are found. */
  readonly lookups: readonly Lookup[]
  /** First part of its event types, and the key of the subject in their data: `user`. */
  readonly eventNoun: string
  /** Attributes by which an event names its subject, beside the id. */
  readonly eventAttributes: readonly string[]
  /** Other types have the same noun, so that an event says which `resourceType` its subject is of. */
  readonly sharesEventNoun?: true
  /** Attributes in which an event looks for the subject's e-mail address, the first that has one. */
  readonly emailAttributes?: readonly string[]
  /** The attribute whose elements are rows of their own and never part of the document (`members`). */
  readonly membersAttribute?: string
  /** The readOnly attribute that shows in which groups the resource is (`groups`). */
  readonly membershipsAttribute?: string
  /** The boolean that grants access; when it turns false, sessions end (`active`). */
  readonly accessAttribute?: string
  /** A PATCH is answered 204 unless `attributes` asks for the resource (a group may be megabytes). */
  readonly patchAnswersNoContent: boolean
}

/** RFC 7643 §3.1: on every resource, in no schema's `attributes`. */
export const commonAttributes: readonly Attribute[] = [
  attribute('schemas', 'The URIs of the schemas of this resource.', {
    type: 'reference',
    multiValued: true,
    caseExact: true,
    required: true,
    returned: 'always',
    mutability: 'readOnly',
  }),
  attribute('id', 'The identifier that this service gave the resource.', {
    caseExact: true,
    mutability: 'readOnly',
    returned: 'always',
    uniqueness: 'server',
  }),
  attribute('externalId', 'The identifier that the provisioning client gave the resource.', {
    caseExact: true,
  }),
  attribute('meta', 'What this service knows of the resource itself.', {
    type: 'complex',
    mutability: 'readOnly',
    subAttributes: [
      attribute('resourceType', 'The name of the resource type.', {
        caseExact: true,
        mutability: 'readOnly',
      }),
      attribute('created', 'When the resource was created.', { type: 'dateTime', mutability: 'readOnly' }),
      attribute('lastModified', 'When the resource last changed.', {
        type: 'dateTime',
        mutability: 'readOnly',
      }),
      attribute('location', 'The URI of the resource.', {
        type: 'reference',
        caseExact: true,
        mutability: 'readOnly',
        referenceTypes: ['uri'],
      }),
      attribute('version', 'The version of the resource, as its ETag says it.', {
        caseExact: true,
        mutability: 'readOnly',
      }),
    ],
  }),
]

/** The type of which there are accounts: whose resources have sessions. */
export function accountTypeOf(types: readonly ResourceType[]): ResourceType {
  const type = types.find(candidate => candidate.accessAttribute !== undefined)
  if (!type) throw new Error('No resource type grants access.')
  return type
}

/** The type whose resources have members. */
export function groupTypeOf(types: readonly ResourceType[]): ResourceType {
  const type = types.find(candidate => candidate.membersAttribute !== undefined)
  if (!type) throw new Error('No resource type has members.')
  return type
}

/** The resource type's schemas, base first. */
export function schemasOf(type: ResourceType): readonly Schema[] {
  return [type.schema, ...type.extensions.map(extension => extension.schema)]
}
