// A resource type that an operator sends → the ResourceType that is enforced and published, or everything that is
// wrong with it.
import { isList } from './canonical'
import { clip, isObject, type Json, type JsonObject } from './json'
import type { ResourceType, Schema, SchemaExtension } from './schema'
import { readBaseSchema, readSchema, type SchemaProblem, type SchemaReading } from './schema-reader'
import { describedSchemas } from './schemas/described'
import { ownType } from './tenant-types'

export type ResourceTypeReading =
  | { readonly type: ResourceType; readonly problems?: undefined }
  | { readonly problems: readonly SchemaProblem[] }

/** What there is in the tenant beside the type. */
export interface Others {
  readonly types: readonly ResourceType[]
  readonly schemas: readonly Schema[]
}

/** Extensions that come with one type. */
export const MAX_EXTENSIONS = 10
const MAX_NAME_LENGTH = 64
const MAX_DESCRIPTION_LENGTH = 2_000
/** More than this nobody reads. */
const MAX_PROBLEMS = 20

/** The paths that the protocol has beside those of resource types (RFC 7644 §3.2), and of ours none. */
const protocolPaths = ['/Me', '/Bulk', '/Schemas', '/ResourceTypes', '/ServiceProviderConfig']

/** `document`: `{name, endpoint, description?, schema, extensions?: [{schema, required?}]}`. */
export function readResourceType(document: JsonObject, others: Others): ResourceTypeReading {
  const problems: SchemaProblem[] = []
  const report = (path: string, message: string) => problems.push({ path, message })
  const name = readName(document.name, others, report)
  const endpoint = readEndpoint(document.endpoint, others, report)
  const description = readDescription(document.description, report)
  const known = [...others.schemas, ...describedSchemas]
  const schema = schemaOf(readBaseSchema(document.schema ?? null, known), 'schema', report)
  const extensions = readExtensions(document.extensions, schema ? [...known, schema] : known, report)
  if (problems.length > 0 || !schema) return { problems: problems.slice(0, MAX_PROBLEMS) }
  return {
    type: ownType({ name, endpoint, description: description || schema.description, schema, extensions }),
  }
}

type Report = (path: string, message: string) => void

function readName(value: Json | undefined, { types }: Others, report: Report): string {
  if (typeof value !== 'string' || !/^[a-z][\w-]*$/i.test(value) || value.length > MAX_NAME_LENGTH) {
    report(
      'name',
      `must begin with a letter and go on with letters, digits, "-" and "_", at most ${MAX_NAME_LENGTH}`,
    )
    return ''
  }
  const taken = [...types, ...describedSchemas].find(other => sameText(other.name, value))
  if (taken) report('name', `is that of the resource type ${taken.name}; letter case makes no difference`)
  return value
}

function readEndpoint(value: Json | undefined, { types }: Others, report: Report): string {
  if (typeof value !== 'string' || !/^\/[a-z][\w-]*$/i.test(value) || value.length > MAX_NAME_LENGTH) {
    report(
      'endpoint',
      `must be a path such as /Devices, of letters, digits, "-" and "_", at most ${MAX_NAME_LENGTH}`,
    )
    return ''
  }
  const owner = types.find(({ endpoint }) => sameText(endpoint, value))
  if (owner) report('endpoint', `is that of the resource type ${owner.name}; letter case makes no difference`)
  if (protocolPaths.some(path => sameText(path, value)))
    report('endpoint', 'is a path of the protocol itself')
  return value
}

function sameText(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase()
}

function readDescription(value: Json | undefined, report: Report): string {
  if (value === undefined || value === null) return ''
  if (typeof value === 'string' && value.length <= MAX_DESCRIPTION_LENGTH) return value
  report('description', `must be text of at most ${MAX_DESCRIPTION_LENGTH} characters`)
  return ''
}

function schemaOf(reading: SchemaReading, at: string, report: Report): Schema | undefined {
  for (const { path, message } of reading.problems ?? []) report(path === '' ? at : `${at}.${path}`, message)
  return reading.problems ? undefined : reading.schema
}

function readExtensions(
  value: Json | undefined,
  known: readonly Schema[],
  report: Report,
): readonly SchemaExtension[] {
  if (value === undefined || value === null) return []
  if (!isList(value) || value.length > MAX_EXTENSIONS) {
    report('extensions', `must be a list of at most ${MAX_EXTENSIONS} extensions`)
    return []
  }
  const read: SchemaExtension[] = []
  value.forEach((item, index) => {
    const others = [...known, ...read.map(({ schema }) => schema)]
    const extension = readExtension(item, `extensions[${index}]`, others, report)
    if (extension) read.push(extension)
  })
  return read
}

/** `{schema: {…}, required?}`, or the fields of the schema beside `required`. */
function readExtension(
  item: Json,
  at: string,
  known: readonly Schema[],
  report: Report,
): SchemaExtension | undefined {
  if (!isObject(item)) {
    report(at, 'must be an object, {"schema": {…}, "required": true or false}')
    return undefined
  }
  const { required = false, schema: nested, ...inline } = item
  if (typeof required !== 'boolean') report(`${at}.required`, 'must be true or false')
  const allowed = nested === undefined ? schemaFields : []
  for (const key of Object.keys(inline))
    if (!allowed.includes(key)) report(`${at}.${clip(key)}`, 'is not known here')
  const reading = readSchema(nested ?? inline, undefined, known)
  const schema = schemaOf(reading, nested === undefined ? at : `${at}.schema`, report)
  return schema && { schema, required: required === true }
}

const schemaFields = ['schemas', 'id', 'name', 'description', 'attributes', 'meta']
