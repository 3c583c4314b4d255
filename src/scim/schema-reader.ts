// A schema document (RFC 7643 §7) that an operator sends → the Schema that is enforced and published, or everything
// that is wrong with it. What could not be enforced is refused, so that what is published is never more.
import { type Attribute, type AttributeType, attribute, findAttribute } from './attribute'
import { sameUrn } from './attribute-path'
import { isList, sameJson } from './canonical'
import { clip, isObject, type Json, type JsonObject } from './json'
import { commonAttributes, type Schema } from './schema'

export interface SchemaProblem {
  /** `attributes[2].type`; empty for the document as a whole. */
  readonly path: string
  readonly message: string
}

export type SchemaReading =
  | { readonly schema: Schema; readonly problems?: undefined }
  | { readonly problems: readonly SchemaProblem[] }

/** Attributes and sub-attributes of one schema. */
export const MAX_ATTRIBUTES = 200
export const MAX_NAME_LENGTH = 64
const MAX_DOCUMENT_BYTES = 131_072
const MAX_URN_LENGTH = 200
const MAX_TEXT_LENGTH = 2_000
/** More than this nobody reads. */
const MAX_PROBLEMS = 20

/**
 * An extension. `standard`: the schema of the same URN that every tenant has; its attributes stay as they are and
 * come first. `others`: the other schemas that the tenant's resource types have.
 */
export function readSchema(
  document: Json,
  standard: Schema | undefined,
  others: readonly Schema[],
): SchemaReading {
  return read(document, {
    standard,
    others,
    reserved: /^urn:ietf:params:scim:(?:schemas:core|api):/i,
    taken: [],
  })
}

/** The base schema of a resource type: it may be called as the IETF calls its own, such as that of RFC 9944. */
export function readBaseSchema(document: Json, others: readonly Schema[]): SchemaReading {
  const reserved = /^urn:ietf:params:scim:api:/i
  return read(document, { standard: undefined, others, reserved, taken: commonAttributes })
}

interface Surroundings {
  readonly standard: Schema | undefined
  readonly others: readonly Schema[]
  /** URNs of the protocol itself. */
  readonly reserved: RegExp
  /** Attributes that stand beside those of the schema. */
  readonly taken: readonly Attribute[]
}

function read(document: Json, around: Surroundings): SchemaReading {
  const { standard } = around
  const problems: SchemaProblem[] = []
  const report = (path: string, message: string) => {
    if (problems.length < MAX_PROBLEMS) problems.push({ path, message })
  }
  if (!isObject(document)) return { problems: [{ path: '', message: 'must be a JSON object, a Schema' }] }
  if (new TextEncoder().encode(JSON.stringify(document)).length > MAX_DOCUMENT_BYTES)
    return { problems: [{ path: '', message: `must not exceed ${MAX_DOCUMENT_BYTES} bytes of JSON` }] }
  const own = readAttributes(document.attributes, 'attributes', false, report)
  const schema: Schema = {
    id: text(document.id, 'id', MAX_URN_LENGTH, report) ?? '',
    name: text(document.name, 'name', MAX_TEXT_LENGTH, report) ?? '',
    description: description(document.description, 'description', report),
    attributes: standard ? added(standard, own, report) : own,
  }
  checkUrn(schema, around, report)
  refuseTaken(document.attributes, around, report)
  return problems.length > 0 ? { problems } : { schema }
}

type Report = (path: string, message: string) => void

const urnForm = /^urn:[a-z0-9][a-z0-9-]{1,31}(?::[\w.-]+)+$/i

function checkUrn(
  { id, attributes }: Schema,
  { standard, others, reserved }: Surroundings,
  report: Report,
): void {
  if (id === '') return
  if (!urnForm.test(id))
    report('id', 'must be a URN such as urn:example:scim:1.0:User, of letters, digits, ".", "_", "-" and ":"')
  if (standard && standard.id !== id) report('id', `must be spelt ${standard.id}`)
  if (reserved.test(id)) report('id', 'names a schema or message of the protocol itself')
  for (const other of others) {
    if (sameUrn(other.id, id)) report('id', `is the schema ${other.id} already`)
    else if (isAttributeOf(id, other.id, other.attributes) || isAttributeOf(other.id, id, attributes))
      report('id', `could be taken for an attribute of another schema: ${clip(other.id)} and ${clip(id)}`)
  }
}

function refuseTaken(given: Json | undefined, { taken }: Surroundings, report: Report): void {
  if (!isList(given)) return
  given.forEach((item, index) => {
    const name = isObject(item) ? item.name : undefined
    if (typeof name === 'string' && findAttribute(taken, name))
      report(`attributes[${index}].name`, `${clip(name)} is an attribute of every resource already`)
  })
}

/** `urn:a:b` would be the attribute `b` of the schema `urn:a`. */
function isAttributeOf(urn: string, schemaId: string, attributes: readonly Attribute[]): boolean {
  if (!urn.toLowerCase().startsWith(`${schemaId.toLowerCase()}:`)) return false
  return findAttribute(attributes, urn.slice(schemaId.length + 1).split('.', 1)[0] ?? '') !== undefined
}

/** A standard attribute may be listed as it is, for instance because /Schemas was copied. */
function added(standard: Schema, own: readonly Attribute[], report: Report): readonly Attribute[] {
  const more = own.filter(candidate => {
    const known = findAttribute(standard.attributes, candidate.name)
    if (known && !sameJson(bare(known), bare(candidate)))
      report('attributes', `${candidate.name} is an attribute of the standard and stays as it is`)
    return !known
  })
  return [...standard.attributes, ...more]
}

/** What is enforced of an attribute, without the words about it. */
function bare(whole: Attribute): JsonObject {
  const { description: _, refersTo: __, subAttributes, ...rest } = whole
  return { ...rest, ...(subAttributes && { subAttributes: subAttributes.map(bare) }) }
}

function readAttributes(given: Json | undefined, path: string, inside: boolean, report: Report): Attribute[] {
  if (!isList(given as Json) || (given as readonly Json[]).length === 0) {
    report(path, 'must be a list of at least one attribute')
    return []
  }
  const list = given as readonly Json[]
  if (countOf(list) > MAX_ATTRIBUTES) {
    report(path, `has ${countOf(list)} attributes and sub-attributes; at most ${MAX_ATTRIBUTES} are taken`)
    return []
  }
  const seen = new Set<string>()
  return list.flatMap((item, index) => {
    const at = `${path}[${index}]`
    const read = isObject(item) ? readAttribute(item, at, inside, report) : undefined
    if (!isObject(item)) report(at, 'must be an object')
    if (!read) return []
    if (seen.has(read.name.toLowerCase())) report(`${at}.name`, `${clip(read.name)} is given twice`)
    seen.add(read.name.toLowerCase())
    return [read]
  })
}

function countOf(list: readonly Json[]): number {
  return list.reduce<number>(
    (count, item) =>
      count + 1 + (isObject(item) && isList(item.subAttributes) ? item.subAttributes.length : 0),
    0,
  )
}

const types: readonly AttributeType[] = [
  'string',
  'boolean',
  'decimal',
  'integer',
  'dateTime',
  'binary',
  'reference',
  'complex',
]
const mutabilities = ['readOnly', 'readWrite', 'immutable', 'writeOnly'] as const
const returnedAt = ['always', 'never', 'default', 'request'] as const
const uniquenesses = ['none', 'server', 'global'] as const
const characteristics = new Set([
  'name',
  'type',
  'multiValued',
  'description',
  'required',
  'canonicalValues',
  'caseExact',
  'mutability',
  'returned',
  'uniqueness',
  'referenceTypes',
  'subAttributes',
])

/** Absent characteristics, and those that are null, have the defaults of RFC 7643 §2.2. */
function readAttribute(item: JsonObject, at: string, inside: boolean, report: Report): Attribute | undefined {
  for (const key of Object.keys(item))
    if (!characteristics.has(key))
      report(`${at}.${clip(key)}`, `is none of ${[...characteristics].join(', ')}`)
  const name = readName(item.name, `${at}.name`, inside, report)
  const type = oneOf(item.type, types, 'string', `${at}.type`, report)
  const mutability = oneOf(item.mutability, mutabilities, 'readWrite', `${at}.mutability`, report)
  const canonicalValues = texts(item.canonicalValues, `${at}.canonicalValues`, type === 'string', report)
  const referenceTypes = texts(item.referenceTypes, `${at}.referenceTypes`, type === 'reference', report)
  const subAttributes = readSubAttributes(item, type, at, inside, report)
  const whole = attribute(name ?? '', description(item.description, `${at}.description`, report), {
    type,
    mutability,
    multiValued: flag(item.multiValued, `${at}.multiValued`, report),
    required: flag(item.required, `${at}.required`, report),
    // RFC 7643 §2.3.6, §2.3.7: these two have case whatever is said.
    caseExact: flag(item.caseExact, `${at}.caseExact`, report) || type === 'binary' || type === 'reference',
    returned: oneOf(
      item.returned,
      returnedAt,
      mutability === 'writeOnly' ? 'never' : 'default',
      `${at}.returned`,
      report,
    ),
    uniqueness: oneOf(item.uniqueness, uniquenesses, 'none', `${at}.uniqueness`, report),
    ...(canonicalValues && { canonicalValues }),
    ...(referenceTypes && { referenceTypes }),
    ...(subAttributes && { subAttributes }),
  })
  checkTogether(whole, at, inside, report)
  return name === undefined ? undefined : whole
}

/** RFC 7643 §2.1: ALPHA *("-" / "_" / DIGIT / ALPHA), and `$ref` within a complex attribute (§2.4). */
function readName(value: Json | undefined, at: string, inside: boolean, report: Report): string | undefined {
  const name = text(value, at, MAX_NAME_LENGTH, report)
  if (name === undefined || (inside && name === '$ref')) return name
  if (!/^[a-z][\w-]*$/i.test(name))
    report(at, 'must begin with a letter and go on with letters, digits, "-" and "_"')
  // What every object inherits can be no key of a document.
  else if (name in Object.prototype) report(at, `${name} cannot be the name of an attribute`)
  else return name
  return undefined
}

function readSubAttributes(
  item: JsonObject,
  type: AttributeType,
  at: string,
  inside: boolean,
  report: Report,
): readonly Attribute[] | undefined {
  const given = item.subAttributes ?? null
  if (type !== 'complex') {
    if (given !== null && !(isList(given) && given.length === 0))
      report(`${at}.subAttributes`, 'belong to an attribute of type complex')
    return undefined
  }
  if (!inside) return readAttributes(given, `${at}.subAttributes`, true, report)
  report(`${at}.type`, 'must not be complex within a complex attribute')
  return undefined
}

/** Characteristics that contradict each other, or that could not be enforced. */
function checkTogether(
  { type, mutability, returned, uniqueness }: Attribute,
  at: string,
  inside: boolean,
  report: Report,
): void {
  if (mutability === 'writeOnly' && returned !== 'never')
    report(`${at}.returned`, 'must be never where mutability is writeOnly')
  if (mutability === 'readOnly' && returned === 'never')
    report(`${at}.returned`, 'must not be never where mutability is readOnly: nobody could ever use it')
  if (uniqueness === 'none') return
  if (inside) report(`${at}.uniqueness`, 'must be none within a complex attribute')
  else if (['complex', 'boolean', 'decimal'].includes(type))
    report(`${at}.uniqueness`, `must be none for the type ${type}`)
}

function text(value: Json | undefined, at: string, maxLength: number, report: Report): string | undefined {
  if (typeof value === 'string' && value.trim() !== '' && value.length <= maxLength && isClean(value))
    return value
  report(at, `must be text of 1 to ${maxLength} characters`)
  return undefined
}

function description(value: Json | undefined, at: string, report: Report): string {
  if (value === undefined || value === null || value === '') return ''
  return text(value, at, MAX_TEXT_LENGTH, report) ?? ''
}

function flag(value: Json | undefined, at: string, report: Report): boolean {
  if (typeof value === 'boolean') return value
  if (value !== undefined && value !== null) report(at, 'must be true or false')
  return false
}

function oneOf<const Text extends string>(
  value: Json | undefined,
  allowed: readonly Text[],
  otherwise: Text,
  at: string,
  report: Report,
): Text {
  if (value === undefined || value === null) return otherwise
  const found = allowed.find(candidate => candidate === value)
  if (found === undefined) report(at, `must be one of ${allowed.join(', ')}`)
  return found ?? otherwise
}

function texts(
  value: Json | undefined,
  at: string,
  allowed: boolean,
  report: Report,
): readonly string[] | undefined {
  if (value === undefined || value === null || (isList(value) && value.length === 0)) return undefined
  const given = isList(value) ? value.filter(item => typeof item === 'string' && isClean(item)) : []
  if (!allowed) report(at, 'do not belong to an attribute of this type')
  else if (!isList(value) || given.length < value.length || given.includes(''))
    report(at, 'must be a list of texts')
  else return given as readonly string[]
  return undefined
}

function isClean(value: string): boolean {
  return value.isWellFormed() && !value.includes('\0')
}
