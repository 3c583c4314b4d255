// A PatchOp message read into steps, one target each, whatever dialect it came in (RFC 7644 §3.5.2).

import { type AttributePath, formatPath, resolveExtension, resolvePath } from './attribute-path'
import { ignoreUnknown, isUnassigned, refuseRepeatedKeys } from './attribute-value'
import { isList } from './canonical'
import { ScimError } from './error'
import { type Filter, parseValuePath } from './filter'
import type { Interop } from './interop'
import { clip, isObject, type Json, type JsonObject } from './json'
import { isReadOnly } from './resource'
import type { ResourceType, SchemaExtension } from './schema'

export const PATCH_OP_SCHEMA = 'urn:ietf:params:scim:api:messages:2.0:PatchOp'
export const MAX_OPERATIONS = 1_000

export interface PatchStep {
  readonly op: 'add' | 'remove' | 'replace'
  /** `Operations[2]`: every refusal starts with it. */
  readonly place: string
  readonly path: AttributePath
  readonly filter?: Filter
  /** The texts that the filter quotes, as the client spelt them: the filter itself holds them folded. */
  readonly quoted?: readonly string[]
  /** Absent only from a remove; null is a value. */
  readonly value?: Json
}

export function readPatchOp(body: Json, type: ResourceType, interop: Interop): readonly PatchStep[] {
  if (!isObject(body)) throw new ScimError(400, 'invalidSyntax', 'The body must be a JSON object, a PatchOp.')
  const message = readFields(body, ['schemas', 'Operations'], interop)
  checkSchemas(message.get('schemas'), interop)
  const operations = message.get('Operations')
  if (!isList(operations) || operations.length === 0)
    throw new ScimError(400, 'invalidSyntax', 'Operations must be a list of at least one operation.')
  if (operations.length > MAX_OPERATIONS)
    throw new ScimError(
      413,
      undefined,
      `One PATCH may have at most ${MAX_OPERATIONS} operations; this one has ${operations.length}.`,
    )
  return operations.flatMap((operation, index) => {
    const place = `Operations[${index}]`
    return inPlace(place, () => readOperation(operation, place, type, interop))
  })
}

/** Does the work; a refusal says where in the message it arose. */
export function inPlace<Result>(place: string, work: () => Result): Result {
  try {
    return work()
  } catch (error) {
    throw error instanceof ScimError ? error.within(place) : error
  }
}

/** What the steps of one operation have in common. */
interface Operation {
  readonly op: PatchStep['op']
  readonly place: string
  readonly value: Json | undefined
  readonly type: ResourceType
  readonly interop: Interop
}

/** RFC-134: message keys in any case. */
function readFields(
  object: JsonObject,
  names: readonly string[],
  interop: Interop,
): ReadonlyMap<string, Json> {
  refuseRepeatedKeys(object, '')
  const fields = new Map<string, Json>()
  for (const [key, value] of Object.entries(object)) {
    const name = names.find(candidate => candidate.toLowerCase() === key.toLowerCase())
    if (name === undefined) ignoreUnknown(key, interop)
    else if (name === key || interop.allows('envelope-case', name)) fields.set(name, value)
  }
  return fields
}

function checkSchemas(schemas: Json | undefined, interop: Interop): void {
  const urns = isList(schemas) ? schemas : []
  const isPatchOp = urns.some(
    urn => typeof urn === 'string' && urn.toLowerCase() === PATCH_OP_SCHEMA.toLowerCase(),
  )
  if (!isPatchOp && !interop.allows('missing-schemas'))
    throw new ScimError(400, 'invalidSyntax', `schemas must contain ${PATCH_OP_SCHEMA}.`).about(
      'unknown-schema',
    )
}

function readOperation(operation: Json, place: string, type: ResourceType, interop: Interop): PatchStep[] {
  if (!isObject(operation)) throw new ScimError(400, 'invalidSyntax', 'An operation must be a JSON object.')
  const fields = readFields(operation, ['op', 'path', 'value'], interop)
  const op = readOp(fields.get('op'), interop)
  const path = readPath(fields.get('path'), interop)
  const value = fields.get('value')
  if (path === undefined && op === 'remove')
    throw new ScimError(400, 'noTarget', 'remove needs a path that says what to remove.')
  if (path === undefined && !interop.allows('no-path'))
    throw new ScimError(400, 'invalidSyntax', `${op} needs a path.`)
  if (value === undefined && op !== 'remove') throw new ScimError(400, 'invalidValue', `${op} needs a value.`)
  const read: Operation = { op, place, value, type, interop }
  return path === undefined ? withoutPath(read) : atPath(path, read)
}

function readOp(op: Json | undefined, interop: Interop): PatchStep['op'] {
  const word = typeof op === 'string' ? op.toLowerCase() : undefined
  if (
    (word === 'add' || word === 'remove' || word === 'replace') &&
    (op === word || interop.allows('operation-case'))
  )
    return word
  throw new ScimError(400, 'invalidSyntax', 'op must be add, remove or replace.')
}

function readPath(path: Json | undefined, interop: Interop): string | undefined {
  if (path === undefined || path === null) return undefined
  if (typeof path !== 'string') throw new ScimError(400, 'invalidPath', 'path must be a string.')
  return path === '' && interop.allows('empty-string', 'path') ? undefined : path
}

function atPath(text: string, operation: Operation): PatchStep[] {
  const { type, interop } = operation
  const extension = resolveExtension(text, type)
  if (extension) return onExtension(extension, operation)
  if (isIgnored(text, type, interop)) return []
  const target = readTarget(text, type, interop)
  if (isReadOnly(target.path))
    throw new ScimError(
      400,
      'mutability',
      `${clip(formatPath(target.path))} is readOnly: only this service sets it.`,
    )
  return [stepAt(target, operation)]
}

type Target = Pick<PatchStep, 'path' | 'filter' | 'quoted'>

function readTarget(text: string, type: ResourceType, interop: Interop): Target {
  const { path, filter } = parseValuePath(text, type, interop)
  return filter ? { path, filter, quoted: quotedTexts(text) } : { path }
}

/** The path has been parsed, so its quotes are balanced and their content is JSON. */
function quotedTexts(text: string): readonly string[] {
  return [...text.matchAll(/"(?:[^"\\]|\\.)*"/g)].map(([literal]) => String(JSON.parse(literal)))
}

function stepAt(target: Target, { op, place, value }: Operation): PatchStep {
  return { op, place, ...target, ...(value !== undefined && { value }) }
}

/**
 * RFC-162: an extension that the tenant does not have must not undo the rest of the request, nor a password,
 * which this service never keeps. A core attribute that nobody defines is a mistake: invalidPath.
 */
function isIgnored(text: string, type: ResourceType, interop: Interop): boolean {
  const name = nameOf(text)
  if (resolvePath(name, type, interop)) return false
  const core = `${name}:`.toLowerCase().startsWith(`${type.schema.id.toLowerCase()}:`)
  const foreign = /^[a-z][a-z0-9+.-]*:./i.test(name) && !core
  return (foreign || name.toLowerCase() === 'password') && interop.allows('unknown-attribute', name)
}

/** What comes before the brackets. */
function nameOf(text: string): string {
  return text.split('[', 1)[0] ?? ''
}

/** RFC-145, RFC-154: one step per attribute of the value. */
function withoutPath(operation: Operation): PatchStep[] {
  const { interop } = operation
  const value = isList(operation.value) ? onlyItem(operation.value, interop) : operation.value
  if (!isObject(value))
    throw new ScimError(
      400,
      'invalidValue',
      `${operation.op} without a path needs an object of attributes as its value.`,
    )
  return atKeys(value, operation)
}

function atKeys(value: JsonObject, operation: Operation): PatchStep[] {
  const { type, interop } = operation
  refuseRepeatedKeys(value, '')
  return Object.entries(value).flatMap(([key, item]) => {
    const extension = resolveExtension(key, type)
    const one = { ...operation, value: item }
    if (extension) return onExtension(extension, one)
    // The core schema has no container; who sends one means what is in it, and it may be `active`.
    const core = key.toLowerCase() === type.schema.id.toLowerCase()
    if (core && isObject(item) && interop.allows('key-as-path', type.schema.id))
      return atKeys(item, operation)
    return atKey(key, key, one)
  })
}

function onlyItem(list: readonly Json[], interop: Interop): Json | undefined {
  return list.length === 1 && interop.allows('list-for-one', 'value') ? list[0] : undefined
}

/** The bare URN stands for all attributes of the extension. */
function onExtension(extension: SchemaExtension, operation: Operation): PatchStep[] {
  const { schema } = extension
  const { op, value, interop } = operation
  const cleared = op === 'remove' || (value !== undefined && isUnassigned(value, schema.id, interop))
  if (cleared) return op === 'add' ? [] : clearing(extension, operation)
  if (!isObject(value)) throw new ScimError(400, 'invalidValue', `${clip(schema.id)} must be an object.`)
  refuseRepeatedKeys(value, schema.id)
  return Object.entries(value).flatMap(([key, item]) =>
    atKey(key, `${schema.id}:${key}`, { ...operation, value: item }),
  )
}

function clearing({ schema }: SchemaExtension, { place }: Operation): PatchStep[] {
  return schema.attributes
    .map((attribute): PatchStep => ({ op: 'remove', place, path: { schema, extension: true, attribute } }))
    .filter(step => !isReadOnly(step.path))
}

/** A key within a value: an attribute name, or by tolerance anything that a path may be (RFC-160). */
function atKey(key: string, qualified: string, operation: Operation): PatchStep[] {
  const { type, interop } = operation
  const named = resolvePath(nameOf(qualified), type, interop)
  if (!named || (/[.:[]/.test(key) && !interop.allows('key-as-path', formatPath(named)))) {
    ignoreUnknown(nameOf(qualified), interop)
    return []
  }
  const target = readTarget(qualified, type, interop)
  const at = formatPath(target.path)
  if (!isReadOnly(target.path)) return [stepAt(target, operation)]
  // RFC-140: Okta repeats the id inside the value when it renames a group.
  if (interop.allows('read-only-in-value', at)) return []
  throw new ScimError(400, 'mutability', `${clip(at)} is readOnly: only this service sets it.`)
}
