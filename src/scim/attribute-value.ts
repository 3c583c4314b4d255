// The value a client sends for one attribute, checked against the attribute's type and rebuilt in canonical
// form (RFC 7643 §2.3–2.5).
import { type Attribute, subAttribute } from './attribute'
import { isList } from './canonical'
import { refuseSeveralPrimary, settleElements } from './elements'
import { ScimError } from './error'
import type { Interop } from './interop'
import { clip, isObject, type Json, type JsonObject } from './json'
import { composeComplex, type SubValues } from './sub-values'

/** Characters in one string value. A name needs 255, a certificate a few thousand. */
export const MAX_VALUE_LENGTH = 65_536

/** The value as it is kept, or undefined when it says "unassigned". `at` names the attribute in refusals. */
export function normaliseValue(
  attribute: Attribute,
  value: Json,
  at: string,
  interop: Interop,
): Json | undefined {
  if (isUnassigned(value, at, interop)) return undefined
  if (attribute.multiValued) return readList(attribute, value, at, interop)
  const single = unwrap(value, at, interop)
  return isUnassigned(single, at, interop) ? undefined : readSingle(attribute, single, at, interop)
}

/** null and [] are no value (RFC-19), and by tolerance "" (RFC-21). */
export function isUnassigned(value: Json, at: string, interop: Interop): boolean {
  if (value === null || (isList(value) && value.length === 0)) return true
  return value === '' && interop.allows('empty-string', at)
}

/** The sub-attributes that a value of a complex attribute gives; undefined when the value is unassigned. */
export function readSubValues(
  attribute: Attribute,
  value: Json,
  at: string,
  interop: Interop,
): SubValues | undefined {
  if (isUnassigned(value, at, interop)) return undefined
  const single = unwrap(value, at, interop)
  return isUnassigned(single, at, interop) ? undefined : subValues(attribute, single, at, interop)
}

/** Names that no schema defines: ignored and noted, in strict mode refused (RFC-75, RFC-226). */
export function ignoreUnknown(at: string, interop: Interop): void {
  if (interop.isUndeclared(at)) return
  if (!interop.allows('unknown-attribute', at))
    throw new ScimError(
      400,
      'invalidSyntax',
      `${clip(at)} is not defined by any schema of this resource type.`,
    ).about('unknown-attribute')
}

/** Names compare without case (RFC-1), so `userName` beside `USERNAME` leaves open which is meant. */
export function refuseRepeatedKeys(object: JsonObject, at: string): void {
  const seen = new Set<string>()
  for (const key of Object.keys(object)) {
    const folded = key.toLowerCase()
    if (seen.has(folded))
      throw new ScimError(400, 'invalidSyntax', `${join(at, clip(key))} is given twice, in different case.`)
    seen.add(folded)
  }
}

function join(at: string, name: string): string {
  return at === '' ? name : `${at}.${name}`
}

function readList(attribute: Attribute, value: Json, at: string, interop: Interop): Json | undefined {
  const given = isList(value) ? value : [value]
  if (!isList(value) && !interop.allows('single-for-many', at)) throw invalid(at, 'a list', value)
  const elements: Json[] = []
  given.forEach((item, index) => {
    const place = `${at}[${index}]`
    if (isUnassigned(item, place, interop)) return
    const element = readSingle(attribute, item, place, interop)
    if (element !== undefined) elements.push(element)
  })
  refuseSeveralPrimary(attribute, elements, at, interop)
  return elements.length === 0 ? undefined : settleElements(attribute, elements)
}

function unwrap(value: Json, at: string, interop: Interop): Json {
  if (!isList(value)) return value
  const [only] = value
  if (only !== undefined && value.length === 1 && interop.allows('list-for-one', at)) return only
  throw invalid(at, 'one value', value)
}

function readSingle(attribute: Attribute, value: Json, at: string, interop: Interop): Json | undefined {
  switch (attribute.type) {
    case 'complex':
      return composeComplex(attribute, subValues(attribute, value, at, interop))
    case 'boolean':
      return readBoolean(value, at, interop)
    case 'integer':
      if (typeof value === 'number' && Number.isSafeInteger(value)) return value
      throw invalid(at, 'an integer between -(2^53 - 1) and 2^53 - 1', value)
    case 'decimal':
      if (typeof value === 'number' && Number.isFinite(value)) return value
      throw invalid(at, 'a number', value)
    case 'dateTime':
      if (typeof value === 'string' && isDateTime(value)) return value
      throw invalid(at, 'a date and time such as "2026-11-21T20:00:00Z"', value)
    case 'binary':
      return readText(value, at, base64, 'base64 text')
    case 'reference':
      return readText(value, at, uri, 'a URI: text that is not empty and has no white space')
    case 'string':
      return readText(value, at, anyText, 'a string')
  }
}

function subValues(attribute: Attribute, value: Json, at: string, interop: Interop): SubValues {
  const object = asObject(attribute, value, at, interop)
  refuseRepeatedKeys(object, at)
  const given = new Map<Attribute, Json | undefined>()
  for (const [key, item] of Object.entries(object)) {
    const sub = subAttribute(attribute, key)
    if (!sub) ignoreUnknown(`${at}.${key}`, interop)
    // RFC-72: readOnly is ignored inside a value.
    else if (sub.mutability !== 'readOnly')
      given.set(sub, normaliseValue(sub, item, `${at}.${sub.name}`, interop))
  }
  return given
}

function asObject(attribute: Attribute, value: Json, at: string, interop: Interop): JsonObject {
  if (isObject(value)) return value
  const main = subAttribute(attribute, 'value')
  if (main && typeof value === 'string' && interop.allows('text-for-complex', at))
    return { [main.name]: value }
  throw invalid(
    at,
    `an object with ${(attribute.subAttributes ?? []).map(sub => sub.name).join(', ')}`,
    value,
  )
}

function readBoolean(value: Json, at: string, interop: Interop): boolean {
  if (typeof value === 'boolean') return value
  if (typeof value === 'string' && /^(true|false)$/i.test(value) && interop.allows('quoted-boolean', at))
    return value.toLowerCase() === 'true'
  throw invalid(at, 'true or false', value)
}

const anyText = /^/
/** RFC-9: the padding may be absent; what remains of a group of four is never one character. */
const base64 = /^(?=.)(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}(?:==)?|[A-Za-z0-9+/]{3}=?)?$/
const uri = /^[^\s\p{Cc}]+$/u

function readText(value: Json, at: string, form: RegExp, accepted: string): string {
  if (typeof value !== 'string') throw invalid(at, accepted, value)
  if (value.length > MAX_VALUE_LENGTH)
    throw new ScimError(
      400,
      'invalidValue',
      `${clip(at)} must have at most ${MAX_VALUE_LENGTH} characters.`,
    ).about('value-too-long')
  if (!form.test(value)) throw invalid(at, accepted, value)
  return value
}

const dateTime = /^(-?\d{4,6})-(\d\d)-(\d\d)T\d\d:\d\d:\d\d(?:\.\d{1,30})?(?:Z|[+-]\d\d:\d\d)?$/

/** xsd:dateTime with date and time (RFC-8). Date.parse alone takes the 31st of February for a day in March. */
function isDateTime(text: string): boolean {
  const [, year, month, day] = dateTime.exec(text) ?? []
  if (year === undefined || Number.isNaN(Date.parse(text))) return false
  return Number(day) <= daysIn(Number(year), Number(month))
}

function daysIn(year: number, month: number): number {
  if (month !== 2) return [4, 6, 9, 11].includes(month) ? 30 : 31
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28
}

function invalid(at: string, accepted: string, sent: Json): ScimError {
  return new ScimError(400, 'invalidValue', `${clip(at)} must be ${accepted}; ${kindOf(sent)} was sent.`)
}

/** The kind of a value, not the value: it may be personal. */
function kindOf(value: Json): string {
  if (value === '') return 'an empty string'
  if (typeof value === 'string') return 'text'
  if (typeof value === 'number') return 'a number'
  if (typeof value === 'boolean') return String(value)
  return isList(value) ? `a list of ${value.length}` : 'an object'
}
