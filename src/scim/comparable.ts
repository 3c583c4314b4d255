// The form in which values are compared, the same for memory and SQL: text without case folded, dateTimes as
// milliseconds. What SQLite's ASCII-only lower() cannot do is done here, once, when a resource is written.
import type { Attribute } from './attribute'
import { isList, own } from './canonical'
import { isObject, type Json, type JsonObject } from './json'
import { commonAttributes, type ResourceType } from './schema'

/** A value ready to compare: text is folded unless caseExact, a dateTime is milliseconds since 1970. */
export type Comparable = string | number | boolean

/**
 * Folds text for comparison without case: full-width forms to ASCII width, lower case, composed
 * (the preparation of PRECIS UsernameCaseMapped, RFC 8265 §3.3, as RFC 7643 §4.1.1 asks for names).
 */
export function fold(text: string): string {
  if (isAscii(text)) return text.toLowerCase()
  return text
    .replace(/[\uff01-\uff5e]/g, wide => String.fromCharCode(wide.charCodeAt(0) - 0xfee0))
    .replace(/\u3000/g, ' ')
    .toLowerCase()
    .replace(/\u03c2/g, '\u03c3')
    .normalize('NFC')
}

export function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 127) return false
  return true
}

/** One simple value of an attribute in comparable form; undefined for what cannot be compared (objects, null). */
export function comparable(attribute: Attribute, value: Json | undefined): Comparable | undefined {
  if (typeof value === 'string') {
    if (attribute.type === 'dateTime') return parseDateTime(value)
    return isCaseExact(attribute) ? value : fold(value)
  }
  return typeof value === 'number' || typeof value === 'boolean' ? value : undefined
}

/** RFC 7643 §2.3.6, §2.3.7: binary and references have case, whatever a tenant's schema says of them. */
function isCaseExact(attribute: Attribute): boolean {
  return attribute.caseExact || attribute.type === 'binary' || attribute.type === 'reference'
}

const dateTime = /^\d{4}-(\d\d)-(\d\d)T\d\d:\d\d:\d\d(?:\.\d+)?(Z|[+-]\d\d:\d\d)?$/

/**
 * The milliseconds of an xsd:dateTime (RFC 7643 §2.3.5); without an offset it is taken as UTC, so that the
 * same text means the same everywhere. undefined for what is none: Date.parse alone takes 30 February.
 */
export function parseDateTime(text: string): number | undefined {
  const [, month, day, offset] = dateTime.exec(text) ?? []
  if (month === undefined || Number(day) > daysIn(Number(month), Number(text.slice(0, 4)))) return undefined
  const milliseconds = Date.parse(offset ? text : `${text}Z`)
  return Number.isNaN(milliseconds) ? undefined : milliseconds
}

function daysIn(month: number, year: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28
  return [4, 6, 9, 11].includes(month) ? 30 : 31
}

/** The values of an attribute as they stand in JSON: a list's elements, one value, or none (absent, null). */
export function valuesOf(value: Json | undefined): readonly Json[] {
  if (value === undefined || value === null) return []
  return isList(value) ? value : [value]
}

/**
 * The document with every text without case folded and every dateTime as milliseconds, for SQL to compare;
 * undefined when SQLite's lower() makes the same of the document itself and it holds no dateTime, which is so
 * for most. Keys are the names of the schemas' attributes; whatever else the document has is left out.
 */
export function comparableDocument(document: JsonObject, type: ResourceType): JsonObject | undefined {
  const walk: Walk = { differs: false }
  const core = comparableObject([...commonAttributes, ...type.schema.attributes], document, walk)
  const extensions = type.extensions.flatMap(({ schema }): [string, Json][] => {
    const container = own(document, schema.id)
    return isObject(container) ? [[schema.id, comparableObject(schema.attributes, container, walk)]] : []
  })
  return walk.differs ? { ...core, ...Object.fromEntries(extensions) } : undefined
}

interface Walk {
  /** Something was met that SQLite would not compare as we do. */
  differs: boolean
}

function comparableObject(attributes: readonly Attribute[], object: JsonObject, walk: Walk): JsonObject {
  return Object.fromEntries(
    attributes.flatMap((attribute): [string, Json][] => {
      const value = own(object, attribute.name)
      return value === undefined ? [] : [[attribute.name, comparableJson(attribute, value, walk)]]
    }),
  )
}

function comparableJson(attribute: Attribute, value: Json, walk: Walk): Json {
  if (isList(value)) return value.map(element => comparableJson(attribute, element, walk))
  if (isObject(value)) return comparableObject(attribute.subAttributes ?? [], value, walk)
  const result = comparable(attribute, value) ?? value
  if (typeof value === 'string' && result !== sqliteLower(attribute, value)) walk.differs = true
  return result
}

/** What SQL compares when it reads the document itself: lower() folds ASCII and no more. */
function sqliteLower(attribute: Attribute, text: string): string {
  return isCaseExact(attribute) ? text : text.replace(/[A-Z]+/g, letters => letters.toLowerCase())
}

/** Unicode code point order, which is the byte order of UTF-8 that SQLite compares by. */
export function compareText(a: string, b: string): number {
  if (a === b) return 0
  const left = a[Symbol.iterator]()
  const right = b[Symbol.iterator]()
  for (;;) {
    const x = left.next()
    const y = right.next()
    if (x.done) return y.done ? 0 : -1
    if (y.done) return 1
    const difference = (x.value.codePointAt(0) ?? 0) - (y.value.codePointAt(0) ?? 0)
    if (difference !== 0) return difference
  }
}
