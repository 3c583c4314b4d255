// Attribute paths (RFC 7644 §3.10): the text a client names an attribute with → the Attribute of a schema.
// A path that resolves carries only names of ours, so nothing a client wrote ever becomes an object key.
import { type Attribute, findAttribute, subAttribute } from './attribute'
import type { Interop } from './interop'
import { commonAttributes, type ResourceType, type Schema, type SchemaExtension, schemasOf } from './schema'

export interface AttributePath {
  readonly schema: Schema
  /** The attribute lives inside the container named by `schema.id`. */
  readonly extension: boolean
  readonly attribute: Attribute
  readonly subAttribute?: Attribute
}

/** `userName`, `name.givenName`, `urn:…:2.0:User:manager.value`; undefined when no schema of the type has it. */
export function resolvePath(text: string, type: ResourceType, interop: Interop): AttributePath | undefined {
  const schema = schemaPrefix(text, type)
  if (!schema) return unqualified(text, type, interop)
  const dotted = text.slice(schema.id.length + 1)
  const path = inSchema(dotted, schema, type)
  if (!path) noteUndeclared(dotted, schema, type, interop)
  return path
}

/** An open extension will have the attribute from now on, if it comes to be used. */
function noteUndeclared(name: string, schema: Schema, type: ResourceType, interop: Interop): void {
  const isOpen = type.extensions.some(extension => extension.open && extension.schema === schema)
  const isName = /^[a-z][\w-]{0,63}$/i.test(name) && !(name in Object.prototype)
  if (isOpen && isName) interop.undeclared(schema.id, name)
}

/** The same for a path that names the schema of every extension attribute, such as a lookup's. */
export function resolveQualified(text: string, type: ResourceType): AttributePath | undefined {
  const schema = schemaPrefix(text, type)
  return schema ? inSchema(text.slice(schema.id.length + 1), schema, type) : inCore(text, type)
}

/** `urn:…:enterprise:2.0:User` alone: the whole extension, which is a container and no attribute. */
export function resolveExtension(text: string, type: ResourceType): SchemaExtension | undefined {
  return type.extensions.find(extension => sameUrn(extension.schema.id, text))
}

/** The extension that a path names, whether it has what the path goes on with or not. */
export function namedExtension(text: string, type: ResourceType): Schema | undefined {
  const schema = schemaPrefix(text, type)
  return schema === type.schema ? undefined : schema
}

/** The path as its schema spells it; extension attributes qualified, core attributes not. */
export function formatPath(path: AttributePath): string {
  const name = path.extension ? `${path.schema.id}:${path.attribute.name}` : path.attribute.name
  return path.subAttribute ? `${name}.${path.subAttribute.name}` : name
}

/** URNs have dots and colons of their own, so they are cut at the longest known schema id and nowhere else. */
function schemaPrefix(text: string, type: ResourceType): Schema | undefined {
  const schemas = schemasOf(type)
  if (schemas.some(schema => sameUrn(schema.id, text))) return undefined
  const named = schemas.filter(
    ({ id }) => text.charAt(id.length) === ':' && sameUrn(id, text.slice(0, id.length)),
  )
  return named.reduce<Schema | undefined>(
    (longest, schema) => (longest && longest.id.length >= schema.id.length ? longest : schema),
    undefined,
  )
}

/** RFC 7643 §2.1: schema URNs compare without case. */
export function sameUrn(id: string, text: string): boolean {
  return id.length === text.length && id.toLowerCase() === text.toLowerCase()
}

function inSchema(dotted: string, schema: Schema, type: ResourceType): AttributePath | undefined {
  if (schema === type.schema) return inCore(dotted, type)
  return within(dotted, schema.attributes, { schema, extension: true })
}

function inCore(dotted: string, type: ResourceType): AttributePath | undefined {
  const place = { schema: type.schema, extension: false }
  return within(dotted, type.schema.attributes, place) ?? within(dotted, commonAttributes, place)
}

function unqualified(text: string, type: ResourceType, interop: Interop): AttributePath | undefined {
  const core = inCore(text, type)
  if (core) return core
  const name = text.split('.', 1)[0] ?? ''
  if (findAttribute(type.schema.attributes, name) || findAttribute(commonAttributes, name)) return undefined
  const owners = type.extensions.filter(({ schema }) => findAttribute(schema.attributes, name))
  const [owner] = owners
  if (!owner || owners.length > 1) return undefined
  const path = inSchema(text, owner.schema, type)
  return path && interop.allows('unqualified-extension', path.attribute.name) ? path : undefined
}

/** Names as RFC 7643 §2.1 has them, so `__proto__` is none; `$ref` is the only one with a `$`. */
const dottedName = /^([a-z][\w-]*)(?:\.([a-z][\w-]*|\$ref))?$/i

function within(
  dotted: string,
  attributes: readonly Attribute[],
  place: { readonly schema: Schema; readonly extension: boolean },
): AttributePath | undefined {
  const [, name, subName] = dottedName.exec(dotted) ?? []
  const attribute = name === undefined ? undefined : own(findAttribute(attributes, name))
  if (!attribute) return undefined
  const path = { ...place, attribute }
  return subName === undefined ? path : resolveSubAttribute(subName, path)
}

/** What `name` means within the attribute, as in `emails[name eq …]` and `emails[…].name`. */
export function resolveSubAttribute(name: string, path: AttributePath): AttributePath | undefined {
  const sub = own(subAttribute(path.attribute, name))
  if (sub) return { ...path, subAttribute: sub }
  return isElementItself(path.attribute, name) ? path : undefined
}

/** RFC 7643 §2.4: an element of a multi-valued simple attribute is addressed as `value`. */
function isElementItself(attribute: Attribute, name: string): boolean {
  return attribute.multiValued && attribute.type !== 'complex' && name.toLowerCase() === 'value'
}

/** Even a schema of a tenant may not lead to a member that every object inherits, such as `constructor`. */
function own(attribute: Attribute | undefined): Attribute | undefined {
  return attribute && attribute.name in Object.prototype ? undefined : attribute
}
