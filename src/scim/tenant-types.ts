// The resource types of one tenant: the standard's and its own, with its own extensions.
import { type Attribute, attribute, isUnique } from './attribute'
import { sameUrn } from './attribute-path'
import { ScimError } from './error'
import { clip } from './json'
import { accountTypeOf, type Lookup, type ResourceType, type Schema, type SchemaExtension } from './schema'
import { MAX_ATTRIBUTES } from './schema-reader'

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
      .reduce((extended, { schema }) => extend(extended, { schema, required: false }), type),
  )
}

/** What an operator says of a type of the tenant's own. */
export type OwnType = Pick<ResourceType, 'name' | 'endpoint' | 'description' | 'schema' | 'extensions'>

/** Its resources are the tenant's, as people are, and what happens to them is told as `resource.…`. */
export function ownType({ extensions, ...own }: OwnType): ResourceType {
  const bare: ResourceType = {
    ...own,
    extensions: [],
    scope: 'tenant',
    lookups: [
      { path: 'externalId', scope: 'connection', unique: true },
      ...uniqueLookups(own.schema.attributes, ''),
    ],
    eventNoun: 'resource',
    eventAttributes: ['externalId'],
    sharesEventNoun: true,
    patchAnswersNoContent: false,
  }
  return extensions.reduce(extend, bare)
}

function extend(type: ResourceType, extension: SchemaExtension): ResourceType {
  const { schema } = extension
  const replaces = (one: SchemaExtension) => sameUrn(one.schema.id, schema.id)
  const extensions = type.extensions.some(replaces)
    ? type.extensions.map(one => (replaces(one) ? { ...one, schema } : one))
    : [...type.extensions, extension]
  const lookups = [...type.lookups, ...uniqueLookups(schema.attributes, `${schema.id}:`)]
  return { ...type, extensions, lookups }
}

/** The standard's extensions of people take attributes that nobody has declared yet. */
export function withOpenExtensions(types: readonly ResourceType[]): readonly ResourceType[] {
  const account = accountTypeOf(types)
  const isStandard = ({ schema: { id } }: SchemaExtension) => standardUrn.test(id)
  const extensions = account.extensions.map(one => (isStandard(one) ? { ...one, open: true as const } : one))
  return types.map(type => (type === account ? { ...account, extensions } : type))
}

const standardUrn = /^urn:ietf:params:scim:schemas:extension:/i

/** Further attributes, as text, of the extension that is open. Throws 400 for more than a schema may have. */
export function withDeclared(
  types: readonly ResourceType[],
  names: readonly string[],
): readonly ResourceType[] {
  const account = accountTypeOf(types)
  return types.map(type => (type === account ? declaring(account, names) : type))
}

/** The same of one type. */
export function declaring(type: ResourceType, names: readonly string[]): ResourceType {
  const extensions = type.extensions.map(extension => {
    if (!extension.open) return extension
    const { schema } = extension
    const attributes = [...schema.attributes, ...names.map(name => attribute(name, ''))]
    if (attributes.length > MAX_ATTRIBUTES)
      throw new ScimError(
        400,
        'invalidValue',
        `${clip(schema.id)} has ${MAX_ATTRIBUTES} attributes already, as many as are taken; ${clip(names.join(', '))} would be more.`,
      )
    return { ...extension, schema: { ...schema, attributes } }
  })
  return { ...type, extensions }
}

/** RFC 7643 §2.2: `server` and `global` are both kept within the tenant, which is all that a client can see. */
function uniqueLookups(attributes: readonly Attribute[], prefix: string): Lookup[] {
  return attributes
    .filter(isUnique)
    .map(({ name }) => ({ path: prefix + name, scope: 'tenant', unique: true }))
}
