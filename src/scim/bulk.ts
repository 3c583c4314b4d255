// Bulk requests (RFC 7644 §3.7): reading them, and the references by which operations name what others create.
import { ScimError } from './error'
import type { Interop } from './interop'
import { clip, isObject, type Json, type JsonObject } from './json'

export const BULK_REQUEST_SCHEMA = 'urn:ietf:params:scim:api:messages:2.0:BulkRequest'
export const BULK_RESPONSE_SCHEMA = 'urn:ietf:params:scim:api:messages:2.0:BulkResponse'

/** Each operation is up to two round trips; an invocation has a thousand statements' worth of them. */
export const MAX_BULK_OPERATIONS = 200

const REFERENCE = 'bulkId:'
const METHODS = ['POST', 'PUT', 'PATCH', 'DELETE'] as const

export interface BulkOperation {
  readonly method: (typeof METHODS)[number]
  readonly bulkId: string | undefined
  /** `/Users` */
  readonly endpoint: string
  /** An id or a reference; undefined for a POST. */
  readonly target: string | undefined
  readonly data: Json
  /** What If-Match would say. */
  readonly version: string | undefined
}

/** An operation as it can be told of in the response, and itself, unless it makes no sense. */
export interface BulkEntry {
  readonly method: string
  readonly bulkId: string | undefined
  readonly operation: BulkOperation | ScimError
}

export interface BulkRequest {
  /** Stop after so many failures; undefined: never. */
  readonly failOnErrors: number | undefined
  readonly entries: readonly BulkEntry[]
}

/** Throws 400 for what is no BulkRequest, and 413 for too many operations. A wrong operation fails by itself. */
export function readBulkRequest(body: JsonObject, interop: Interop): BulkRequest {
  const fields = new Map(Object.entries(body).map(([key, value]) => [key.toLowerCase(), value]))
  const schemas = fields.get('schemas')
  if (
    !(Array.isArray(schemas) && schemas.includes(BULK_REQUEST_SCHEMA)) &&
    !interop.allows('missing-schemas')
  )
    throw new ScimError(400, 'invalidSyntax', `"schemas" must contain ${BULK_REQUEST_SCHEMA}.`).about(
      'unknown-schema',
    )
  const operations = fields.get('operations')
  if (!Array.isArray(operations) || operations.length === 0)
    throw new ScimError(400, 'invalidSyntax', '"Operations" must be an array of at least one operation.')
  if (operations.length > MAX_BULK_OPERATIONS)
    throw new ScimError(
      413,
      undefined,
      `The request has ${operations.length} operations; maxOperations is ${MAX_BULK_OPERATIONS}.`,
    )
  const entries = operations.map(operation => readEntry(operation))
  refuseRepeatedIds(entries)
  return { failOnErrors: failOnErrorsOf(fields.get('failonerrors')), entries }
}

function failOnErrorsOf(value: Json | undefined): number | undefined {
  if (value === undefined || value === null) return undefined
  if (typeof value === 'number' && Number.isInteger(value) && value >= 1) return value
  throw new ScimError(400, 'invalidValue', '"failOnErrors" must be an integer of at least 1.')
}

function refuseRepeatedIds(entries: readonly BulkEntry[]): void {
  const seen = new Set<string>()
  for (const { bulkId } of entries) {
    if (bulkId !== undefined && seen.has(bulkId))
      throw new ScimError(400, 'invalidValue', `The bulkId ${clip(bulkId)} is given twice.`)
    if (bulkId !== undefined) seen.add(bulkId)
  }
}

function readEntry(value: Json): BulkEntry {
  const fields = new Map(
    isObject(value) ? Object.entries(value).map(([key, item]) => [key.toLowerCase(), item]) : [],
  )
  const bulkId = fields.get('bulkid')
  const method = String(fields.get('method') ?? '').toUpperCase()
  const known = typeof bulkId === 'string' && bulkId !== '' ? bulkId : undefined
  return { method: clip(method), bulkId: known, operation: readOperation(method, known, fields) }
}

function readOperation(
  name: string,
  bulkId: string | undefined,
  fields: ReadonlyMap<string, Json>,
): BulkOperation | ScimError {
  const refuse = (detail: string) => new ScimError(400, 'invalidSyntax', detail)
  const method = METHODS.find(candidate => candidate === name)
  if (!method) return refuse('"method" must be POST, PUT, PATCH or DELETE.')
  const path = /^\/?([^/?#]+)(?:\/([^/?#]+))?\/?$/.exec(String(fields.get('path') ?? ''))
  if (!path) return refuse('"path" must be an endpoint such as /Users, or a resource such as /Users/{id}.')
  const target = path[2]
  if (method === 'POST' && target !== undefined)
    return refuse('"path" of a POST must be an endpoint such as /Users.')
  if (method !== 'POST' && target === undefined) return refuse(`"path" of a ${method} must name a resource.`)
  if (method === 'POST' && bulkId === undefined) return refuse('A POST must have a "bulkId".')
  const data = fields.get('data')
  if (method !== 'DELETE' && !isObject(data)) return refuse(`"data" of a ${method} must be an object.`)
  const version = fields.get('version')
  return {
    method,
    bulkId,
    endpoint: `/${path[1]}`,
    target,
    data: data ?? null,
    version: typeof version === 'string' ? version : undefined,
  }
}

/** The bulkIds that an operation refers to, in its path and anywhere in its data (RFC-173). */
export function referencesOf({ target, data }: BulkOperation): ReadonlySet<string> {
  return referencesIn([target ?? null, data])
}

/**
 * What an operation touches, as text: the resource that it is about, and all that it names, be it an id or a
 * reference to one that is still to come.
 */
export function touchedBy({ target, data }: BulkOperation): ReadonlySet<string> {
  return textsIn([target ?? null, data])
}

function textsIn(value: Json, found = new Set<string>()): ReadonlySet<string> {
  if (typeof value === 'string') found.add(value)
  else if (Array.isArray(value)) for (const item of value) textsIn(item, found)
  else if (isObject(value)) for (const item of Object.values(value)) textsIn(item, found)
  return found
}

/** The same value with known references replaced by ids. */
export function withIds(value: Json, ids: ReadonlyMap<string, string>): Json {
  return rebuilt(value, text => {
    const id = text.startsWith(REFERENCE) ? ids.get(text.slice(REFERENCE.length)) : undefined
    return id ?? text
  })
}

/**
 * The same resource without what refers to others: what can be created before they are (RFC-174). An element or a
 * complex value that holds a reference goes as a whole.
 */
export function withoutReferences(resource: Json): Json {
  if (!isObject(resource)) return resource
  const kept = Object.entries(resource).map(([key, value]): [string, Json | undefined] => {
    if (Array.isArray(value)) return [key, value.filter((item: Json) => !refers(item))]
    if (isObject(value)) return [key, withoutReferences(value)]
    return [key, refers(value) ? undefined : value]
  })
  return Object.fromEntries(kept.filter((entry): entry is [string, Json] => entry[1] !== undefined))
}

function refers(value: Json): boolean {
  return referencesIn(value).size > 0
}

function referencesIn(value: Json, found = new Set<string>()): ReadonlySet<string> {
  if (typeof value === 'string') {
    if (value.startsWith(REFERENCE)) found.add(value.slice(REFERENCE.length))
  } else if (Array.isArray(value)) for (const item of value) referencesIn(item, found)
  else if (isObject(value)) for (const item of Object.values(value)) referencesIn(item, found)
  return found
}

function rebuilt(value: Json, change: (text: string) => string): Json {
  if (typeof value === 'string') return change(value)
  if (Array.isArray(value)) return value.map(item => rebuilt(item, change))
  if (!isObject(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, rebuilt(item, change)]))
}
