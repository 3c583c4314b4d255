// A resource as a document, and how a body makes one (RFC 7644 §3.3) or takes the place of one (§3.5.1).
import type { Attribute } from './attribute'
import { type AttributePath, formatPath, resolveExtension, resolvePath } from './attribute-path'
import { ignoreUnknown, isUnassigned, normaliseValue, refuseRepeatedKeys } from './attribute-value'
import { isList, own, sameJson, without } from './canonical'
import { ScimError } from './error'
import type { Interop } from './interop'
import { clip, isObject, type Json, type JsonObject } from './json'
import { type MemberChange, memberIds } from './member-change'
import { commonAttributes, type ResourceType, type Schema, schemasOf } from './schema'
import { composeComplex, mergeSubValues, subValuesOf } from './sub-values'

/**
 * Keyed by canonical attribute names, extensions in containers under their schema URN. It never holds id, meta,
 * schemas, the memberships (User.groups) or the members: they are stored elsewhere.
 */
export type Resource = JsonObject

export interface ReadResource {
  readonly resource: Resource
  /** The body says what its connection calls the resource. */
  readonly givesExternalId: boolean
  /** Absent when the body says nothing about members. */
  readonly members?: MemberChange
}

/** The resource that a POST creates. */
export function readResource(body: Json, type: ResourceType, interop: Interop): ReadResource {
  const given = readBody(body, type, interop)
  const resource = withAccess(given.resource, true, type)
  requireComplete(resource, type)
  return {
    resource,
    givesExternalId: givesExternalId(given),
    ...(given.members && { members: given.members }),
  }
}

function givesExternalId({ resource }: GivenBody): boolean {
  return own(resource, 'externalId') !== undefined
}

/**
 * The resource after a PUT. What the body leaves out is cleared (RFC-126), but for externalId, the access
 * attribute and what a GET does not show, which only an explicit value changes; immutable values must match
 * (RFC-127).
 */
export function replaceResource(
  current: Resource,
  body: Json,
  type: ResourceType,
  interop: Interop,
): ReadResource {
  const given = readBody(body, type, interop)
  let resource = given.resource
  for (const path of attributePaths(type)) {
    const before = attributeValue(current, path)
    if (outlivesOmission(path) && !given.named.has(formatPath(path)))
      resource = withAttribute(resource, path, before)
    else if (before !== undefined)
      resource = withAttribute(resource, path, keptValue(path, before, attributeValue(resource, path)))
  }
  if (type.accessAttribute) resource = withAccess(resource, own(current, type.accessAttribute) ?? true, type)
  requireComplete(resource, type)
  return {
    resource,
    givesExternalId: givesExternalId(given),
    ...(given.members && { members: given.members }),
  }
}

/** Canonical names of the attributes that differ: `title`, `urn:…:2.0:User:department`. */
export function changedAttributes(before: Resource, after: Resource, type: ResourceType): readonly string[] {
  return attributePaths(type)
    .filter(path => !sameJson(attributeValue(before, path), attributeValue(after, path)))
    .map(formatPath)
}

/** The value of the attribute that a path leads to, of the whole attribute if it names a sub-attribute. */
export function attributeValue(resource: Resource, path: AttributePath): Json | undefined {
  if (!path.extension) return own(resource, path.attribute.name)
  const container = own(resource, path.schema.id)
  return isObject(container) ? own(container, path.attribute.name) : undefined
}

/** A copy with another value; undefined takes the attribute away, and its container when that is empty. */
export function withAttribute(resource: Resource, path: AttributePath, value: Json | undefined): Resource {
  if (!path.extension) return withKey(resource, path.attribute.name, value)
  const container = own(resource, path.schema.id)
  const filled = withKey(isObject(container) ? container : {}, path.attribute.name, value)
  return withKey(resource, path.schema.id, Object.keys(filled).length === 0 ? undefined : filled)
}

export function isMembers(path: AttributePath, type: ResourceType): boolean {
  return !path.extension && path.attribute.name === type.membersAttribute
}

export function isReadOnly(path: AttributePath): boolean {
  return path.attribute.mutability === 'readOnly' || path.subAttribute?.mutability === 'readOnly'
}

/** Paths of required attributes that have no value: of extensions only where one is used or required itself. */
export function missingAttributes(resource: Resource, type: ResourceType): readonly string[] {
  const inCore = missingIn(resource, type.schema, '', type)
  const inExtensions = type.extensions.flatMap(({ schema, required }) => {
    const container = own(resource, schema.id)
    if (isObject(container)) return missingIn(container, schema, `${schema.id}:`, type)
    return required ? [schema.id] : []
  })
  return [...inCore, ...inExtensions]
}

interface GivenBody {
  resource: Resource
  members?: MemberChange
  /** Paths of the attributes that the body names, with a value or without. */
  readonly named: Set<string>
}

interface GivenAttribute {
  readonly path: AttributePath
  readonly value: Json
}

function readBody(body: Json, type: ResourceType, interop: Interop): GivenBody {
  if (!isObject(body))
    throw new ScimError(400, 'invalidSyntax', `The body must be a JSON object, a ${type.name}.`)
  refuseRepeatedKeys(body, '')
  checkSchemas(body, type, interop)
  const given: GivenBody = { resource: {}, named: new Set() }
  for (const { path, value } of givenAttributes(body, type, interop)) {
    const at = formatPath(path)
    if (!path.subAttribute && given.named.has(at))
      throw new ScimError(400, 'invalidSyntax', `${clip(at)} is given twice.`)
    given.named.add(at)
    if (isReadOnly(path)) continue
    if (isMembers(path, type) && !path.subAttribute)
      given.members = { kind: 'replace', ids: memberIds(value, at, false, interop) }
    else given.resource = assign(given.resource, path, value, at, interop)
  }
  return given
}

/** RFC-23 to RFC-27: which URNs are listed is checked here and then forgotten; the data says what is used. */
function checkSchemas(body: JsonObject, type: ResourceType, interop: Interop): void {
  const listed = Object.entries(body).find(([key]) => key.toLowerCase() === 'schemas')?.[1] ?? []
  const urns = isList(listed) ? listed : [listed]
  const known = new Set(schemasOf(type).map(schema => schema.id.toLowerCase()))
  const found = new Set<string>()
  for (const urn of urns) {
    if (typeof urn !== 'string' || (!isList(listed) && !interop.allows('single-for-many', 'schemas')))
      throw new ScimError(400, 'invalidSyntax', 'schemas must be a list of schema URNs.')
    if (!known.has(urn.toLowerCase()) && !interop.allows('unknown-schema', urn))
      throw new ScimError(
        400,
        'invalidSyntax',
        `schemas: ${clip(urn)} is not a schema of ${type.name}.`,
      ).about('unknown-schema')
    found.add(urn.toLowerCase())
  }
  if (!found.has(type.schema.id.toLowerCase()) && !interop.allows('missing-schemas'))
    throw new ScimError(400, 'invalidSyntax', `schemas must contain ${type.schema.id}.`).about(
      'unknown-schema',
    )
}

function givenAttributes(body: JsonObject, type: ResourceType, interop: Interop): GivenAttribute[] {
  return Object.entries(body).flatMap(([key, value]) => {
    const extension = resolveExtension(key, type)
    return extension
      ? containedAttributes(extension.schema, value, type, interop)
      : givenByKey(key, key, value, type, interop)
  })
}

function containedAttributes(
  schema: Schema,
  value: Json,
  type: ResourceType,
  interop: Interop,
): GivenAttribute[] {
  if (isUnassigned(value, schema.id, interop)) return []
  if (!isObject(value)) throw new ScimError(400, 'invalidValue', `${clip(schema.id)} must be an object.`)
  refuseRepeatedKeys(value, schema.id)
  return Object.entries(value).flatMap(([key, item]) =>
    givenByKey(key, `${schema.id}:${key}`, item, type, interop),
  )
}

function givenByKey(
  key: string,
  qualified: string,
  value: Json,
  type: ResourceType,
  interop: Interop,
): GivenAttribute[] {
  const path = resolvePath(qualified, type, interop)
  if (!path || (/[.:]/.test(key) && !interop.allows('key-as-path', formatPath(path)))) {
    ignoreUnknown(qualified, interop)
    return []
  }
  // Entra's own example has "department": null beside the extension; it says nothing about the extension.
  return path.extension && !qualified.includes(':') && value === null ? [] : [{ path, value }]
}

function assign(
  resource: Resource,
  path: AttributePath,
  value: Json,
  at: string,
  interop: Interop,
): Resource {
  const { attribute, subAttribute: sub } = path
  const current = attributeValue(resource, path)
  if (!sub)
    return withAttribute(
      resource,
      path,
      besideSubValues(current, normaliseValue(attribute, value, at, interop)),
    )
  if (attribute.multiValued)
    throw new ScimError(
      400,
      'invalidSyntax',
      `${clip(at)} is part of a list; send ${clip(attribute.name)} as a list.`,
    )
  const given = new Map([[sub, normaliseValue(sub, value, at, interop)]])
  return withAttribute(resource, path, mergeSubValues(attribute, current, given))
}

/** `name` may come after a `name.givenName` of the same body. */
function besideSubValues(earlier: Json | undefined, value: Json | undefined): Json | undefined {
  return isObject(earlier) && isObject(value) ? { ...earlier, ...value } : (value ?? earlier)
}

function withKey(object: JsonObject, key: string, value: Json | undefined): JsonObject {
  if (value !== undefined) return { ...object, [key]: value }
  return Object.hasOwn(object, key) ? without(object, key) : object
}

/** RFC-56: who has not been told otherwise has access. */
function withAccess(resource: Resource, access: Json, type: ResourceType): Resource {
  const name = type.accessAttribute
  return name === undefined || own(resource, name) !== undefined ? resource : withKey(resource, name, access)
}

/** Every attribute that a document may hold, in the order of the schemas. */
function attributePaths(type: ResourceType): readonly AttributePath[] {
  const core = [...commonAttributes, ...type.schema.attributes]
  return [
    ...core.map(attribute => ({ schema: type.schema, extension: false, attribute })),
    ...type.extensions.flatMap(({ schema }) =>
      schema.attributes.map(attribute => ({ schema, extension: true, attribute })),
    ),
  ].filter(path => !isReadOnly(path) && !isMembers(path, type))
}

function outlivesOmission({ extension, attribute }: AttributePath): boolean {
  if (attribute.returned === 'never' || attribute.returned === 'request') return true
  return !extension && attribute.name === 'externalId'
}

/** RFC-127: an immutable value that is set must be repeated or left out; it stays in both cases. */
function keptValue(path: AttributePath, before: Json, given: Json | undefined): Json | undefined {
  const { attribute } = path
  if (attribute.mutability === 'immutable') return unchanged(before, given, formatPath(path))
  if (attribute.multiValued || attribute.type !== 'complex') return given
  const values = new Map(subValuesOf(attribute, given))
  for (const [sub, value] of subValuesOf(attribute, before))
    if (value !== undefined && sub.mutability === 'immutable')
      values.set(sub, unchanged(value, values.get(sub), formatPath({ ...path, subAttribute: sub })))
  return composeComplex(attribute, values)
}

function unchanged(before: Json, given: Json | undefined, at: string): Json {
  if (given === undefined || sameJson(before, given)) return before
  throw new ScimError(
    400,
    'mutability',
    `${clip(at)} is immutable: it has a value already and cannot change.`,
  )
}

function requireComplete(resource: Resource, type: ResourceType): void {
  const [missing] = missingAttributes(resource, type)
  if (missing !== undefined)
    throw new ScimError(400, 'invalidValue', `${clip(missing)} is required and must not be empty.`).about(
      'missing-required-attribute',
    )
}

function missingIn(object: JsonObject, schema: Schema, prefix: string, type: ResourceType): string[] {
  return schema.attributes
    .filter(attribute => !isMembers({ schema, extension: prefix !== '', attribute }, type))
    .filter(attribute => attribute.mutability !== 'readOnly')
    .flatMap(attribute => missingOf(attribute, own(object, attribute.name), prefix + attribute.name))
}

function missingOf(attribute: Attribute, value: Json | undefined, at: string): string[] {
  if (isBlank(value)) return attribute.required ? [at] : []
  const elements = isList(value) ? value : [value]
  return (attribute.subAttributes ?? [])
    .filter(sub => sub.required && sub.mutability !== 'readOnly')
    .filter(sub => elements.some(element => isObject(element) && isBlank(own(element, sub.name))))
    .map(sub => `${at}.${sub.name}`)
}

/** RFC-22: a name of nothing but spaces is no name. */
export function isBlank(value: Json | undefined): boolean {
  return value === undefined || (typeof value === 'string' && value.trim() === '')
}
