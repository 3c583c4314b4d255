// Which attributes an answer shows: `attributes`, `excludedAttributes` (RFC 7644 §3.9) and `returned`
// (RFC 7643 §7).
import type { Attribute } from './attribute'
import { formatPath, resolveExtension, resolvePath } from './attribute-path'
import { isList, own } from './canonical'
import { ScimError } from './error'
import type { Interop } from './interop'
import { isObject, type Json, type JsonObject } from './json'
import { commonAttributes, type ResourceType } from './schema'

/** Every attribute of both standard types, qualified by its URN, takes less than half of it. */
const MAX_NAMES_LENGTH = 65_536

/** Canonical paths: `emails`, `emails.value`, `urn:…:User:manager`, and URNs for whole extensions. */
type Selection = ReadonlySet<string>

export interface Projection {
  readonly only?: Selection
  readonly without?: Selection
}

/** Names that no schema knows select nothing (RFC-85); both lists at once are refused (RFC-84). */
export function readProjection(
  attributes: string | readonly string[] | undefined,
  excluded: string | readonly string[] | undefined,
  type: ResourceType,
  interop: Interop,
): Projection {
  const only = namesIn(attributes)
  const without = namesIn(excluded)
  if (only.length > 0 && without.length > 0)
    throw new ScimError(400, 'invalidValue', 'Send attributes or excludedAttributes, not both.')
  if (only.length > 0) return { only: select(only, type, interop) }
  return without.length > 0 ? { without: select(without, type, interop) } : {}
}

/**
 * Whether the answer needs the attribute at all, so that storage need not load what is not shown (RFC-86).
 * `container`: the URN of the extension that it is in.
 */
export function wants(projection: Projection, path: string, container?: string): boolean {
  const { only, without } = projection
  const has = (selection: Selection) =>
    selection.has(path) || (container !== undefined && selection.has(container))
  if (only) return has(only) || [...only].some(selected => selected.startsWith(`${path}.`))
  return !(without && has(without))
}

/** The representation without what the projection and the schema keep back. */
export function project(representation: JsonObject, projection: Projection, type: ResourceType): JsonObject {
  if (!projection.only && !projection.without) return projectByDefault(representation, type)
  const shown: Record<string, Json> = {}
  for (const attribute of [...commonAttributes, ...type.schema.attributes])
    put(shown, representation, attribute, attribute.name, projection, false)
  for (const { schema } of type.extensions) {
    const container = own(representation, schema.id)
    if (!isObject(container)) continue
    const named = projection.only?.has(schema.id) ?? false
    const excluded = projection.without?.has(schema.id) ?? false
    const inside: Record<string, Json> = {}
    for (const attribute of schema.attributes)
      if (!excluded || attribute.returned === 'always')
        put(inside, container, attribute, `${schema.id}:${attribute.name}`, projection, named)
    if (Object.keys(inside).length > 0) shown[schema.id] = inside
  }
  return inOrder(shown, representation)
}

/** The names that are shown, each with those of its parts; undefined where it is shown with whatever it has. */
interface DefaultNames extends ReadonlyMap<string, DefaultNames | undefined> {}

/** What a type shows when nothing is selected, which is so for most answers: worked out once. */
const shownByDefault = new WeakMap<ResourceType, DefaultNames>()

/** The same as `project` with a projection that selects nothing. */
function projectByDefault(representation: JsonObject, type: ResourceType): JsonObject {
  const names = shownByDefault.get(type) ?? defaultNamesOf(type)
  shownByDefault.set(type, names)
  return partsByDefault(representation, names) ?? {}
}

function defaultNamesOf(type: ResourceType): DefaultNames {
  const core = namesByDefault([...commonAttributes, ...type.schema.attributes])
  const extensions = type.extensions.map(
    ({ schema }) => [schema.id, namesByDefault(schema.attributes)] as const,
  )
  return new Map([...core, ...extensions])
}

function namesByDefault(attributes: readonly Attribute[]): DefaultNames {
  const shown = attributes.filter(isShownByDefault)
  return new Map(
    shown.map(({ name, subAttributes = [] }) => [
      name,
      subAttributes.every(isShownByDefault) ? undefined : namesByDefault(subAttributes),
    ]),
  )
}

function isShownByDefault({ returned }: Attribute): boolean {
  return returned === 'always' || returned === 'default'
}

function valueByDefault(value: Json, names: DefaultNames | undefined): Json | undefined {
  if (!names) return value
  if (isObject(value)) return partsByDefault(value, names)
  if (!isList(value)) return value
  const elements = value.map(element => valueByDefault(element, names)).filter(left => left !== undefined)
  return elements.length > 0 || value.length === 0 ? elements : undefined
}

function partsByDefault(object: JsonObject, names: DefaultNames): JsonObject | undefined {
  const parts: Record<string, Json> = {}
  for (const key of Object.keys(object)) {
    const value = names.has(key) ? object[key] : undefined
    const left = value === undefined ? undefined : valueByDefault(value, names.get(key))
    if (left !== undefined) parts[key] = left
  }
  return Object.keys(parts).length > 0 ? parts : undefined
}

function namesIn(list: string | readonly string[] | undefined): readonly string[] {
  const texts = typeof list === 'string' ? [list] : (list ?? [])
  const length = texts.reduce((sum, text) => sum + text.length + 1, 0)
  if (length > MAX_NAMES_LENGTH)
    throw new ScimError(
      400,
      'invalidValue',
      `The names in attributes or excludedAttributes have ${length} characters; at most ${MAX_NAMES_LENGTH} are read.`,
    )
  return texts
    .flatMap(text => text.split(','))
    .map(name => name.trim())
    .filter(name => name !== '')
}

function select(names: readonly string[], type: ResourceType, interop: Interop): Selection {
  return new Set(names.flatMap(name => selected(name, type, interop)))
}

function selected(name: string, type: ResourceType, interop: Interop): readonly string[] {
  const extension = resolveExtension(name, type)
  if (extension) return [extension.schema.id]
  if (name.toLowerCase() === type.schema.id.toLowerCase())
    return type.schema.attributes.map(({ name }) => name)
  const path = resolvePath(name, type, interop)
  return path ? [formatPath(path)] : []
}

/** `named`: the selection names what the attribute is in, such as its extension. */
function put(
  shown: Record<string, Json>,
  from: JsonObject,
  attribute: Attribute,
  path: string,
  projection: Projection,
  named: boolean,
): void {
  const value = own(from, attribute.name)
  if (value === undefined || !isShown(attribute, path, projection, named)) return
  const whole = named || attribute.returned === 'always' || projection.only?.has(path) === true
  const left = withShownParts(attribute, value, path, projection, whole)
  if (left !== undefined) shown[attribute.name] = left
}

function isShown(attribute: Attribute, path: string, { only, without }: Projection, named: boolean): boolean {
  if (attribute.returned === 'never') return false
  if (attribute.returned === 'always') return true
  if (!only) return attribute.returned === 'default' && !without?.has(path)
  return only.has(path) || names(attribute, path, only) || (named && attribute.returned === 'default')
}

function names(attribute: Attribute, path: string, selection: Selection): boolean {
  return (attribute.subAttributes ?? []).some(sub => selection.has(`${path}.${sub.name}`))
}

/** `named`: the selection names the attribute as a whole. */
function withShownParts(
  attribute: Attribute,
  value: Json,
  path: string,
  projection: Projection,
  named: boolean,
): Json | undefined {
  if (isList(value)) {
    const elements = value
      .map(element => withShownParts(attribute, element, path, projection, named))
      .filter(element => element !== undefined)
    return elements.length > 0 || value.length === 0 ? elements : undefined
  }
  if (!isObject(value)) return value
  const parts: Record<string, Json> = {}
  for (const sub of attribute.subAttributes ?? []) {
    const part = own(value, sub.name)
    if (part !== undefined && isShown(sub, `${path}.${sub.name}`, projection, named)) parts[sub.name] = part
  }
  return Object.keys(parts).length > 0 ? parts : undefined
}

function inOrder(shown: JsonObject, representation: JsonObject): JsonObject {
  const ordered: Record<string, Json> = {}
  for (const key of Object.keys(representation)) {
    const value = own(shown, key)
    if (value !== undefined) ordered[key] = value
  }
  return ordered
}
