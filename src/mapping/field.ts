// One field of the application's user: the value that its sources give, and what of the rules it breaks.
import { comparable, parseDateTime } from '../scim/comparable'
import type { HelpTopic } from '../scim/help'
import { clip, type Json } from '../scim/json'
import type { Resource } from '../scim/resource'
import type { Field } from './profile'
import { type Source, sourceValue } from './source'

/** A field with its paths resolved; a path that the tenant's schemas no longer know is left out. */
export interface ReadyField extends Field {
  /** The source first, then the fallbacks. */
  readonly sources: readonly Source[]
}

/** Why a value is refused, for an administrator to read in the log of the identity provider. */
export interface FieldProblem {
  /** The field, or `role`. */
  readonly field: string
  readonly message: string
  /** The message without what is the value's own, so that it is the same for everybody who breaks the rule. */
  readonly rule: string
  readonly help: HelpTopic
}

export type FieldReading =
  | { readonly value: Json | undefined; readonly problem?: undefined }
  | { readonly value?: undefined; readonly problem: FieldProblem }

/** Characters of a list of allowed values in a message. */
const MAX_LISTED = 200

/** The first source that has a value counts, then the default. */
export function readField(field: ReadyField, resource: Resource): FieldReading {
  for (const source of field.sources) {
    const found = sourceValue(resource, source)
    if (found === undefined) continue
    const value = convert(found, field.type)
    if (value === undefined) return refused(field, source, 'invalid-value', `must be ${named[field.type]}`)
    return judged(field, source, value)
  }
  if (field.default !== undefined) return { value: field.default }
  if (!field.required) return { value: undefined }
  const message = missing(field)
  return { problem: { field: field.field, message, rule: message, help: 'missing-required-attribute' } }
}

const named = {
  string: 'text',
  boolean: 'true or false',
  number: 'a number',
  dateTime: 'a date and time such as "2026-11-21T20:00:00Z"',
} as const

/** The value as the field's type, or undefined where it is none. */
export function convert(value: Json, type: Field['type']): Json | undefined {
  switch (type) {
    case 'string':
      return typeof value === 'string' ? value : String(value)
    case 'boolean':
      if (typeof value === 'boolean') return value
      return /^(true|false)$/i.test(String(value)) ? String(value).toLowerCase() === 'true' : undefined
    case 'number':
      if (typeof value === 'number') return value
      return typeof value === 'string' && /^-?\d+(\.\d+)?$/.test(value.trim()) ? Number(value) : undefined
    case 'dateTime':
      return typeof value === 'string' && parseDateTime(value) !== undefined ? value : undefined
  }
}

function judged(field: ReadyField, source: Source, value: Json): FieldReading {
  const { maxLength, values } = field
  const length = typeof value === 'string' ? [...value].length : 0
  if (maxLength !== undefined && length > maxLength)
    return refused(
      field,
      source,
      'value-too-long',
      `has ${length} characters; at most ${maxLength} are taken`,
      `has more than ${maxLength} characters`,
    )
  if (!values) return { value }
  const known = listed(values, value, source)
  return known === undefined
    ? refused(
        field,
        source,
        'value-not-allowed',
        `must be one of ${values.map(String).join(', ').slice(0, MAX_LISTED)}`,
      )
    : { value: known }
}

/** The listed value that is meant: attributes without case are compared without (RFC 7643 §2.2). */
export function listed(values: readonly Json[], value: Json, { path }: Source): Json | undefined {
  const attribute = path.subAttribute ?? path.attribute
  return (
    values.find(candidate => candidate === value) ??
    values.find(candidate => comparable(attribute, candidate) === comparable(attribute, value))
  )
}

function refused(
  { field }: ReadyField,
  source: Source,
  help: HelpTopic,
  message: string,
  rule = message,
): FieldReading {
  const told = (what: string) => `${clip(source.text)} ${what} (field "${field}")`
  return { problem: { field, message: told(message), rule: told(rule), help } }
}

function missing({ field, source, fallback }: Field): string {
  const others = fallback.length > 0 ? `, and ${clip(fallback.join(', '))} has none either` : ''
  return `${clip(source)} is required and has no value${others} (field "${field}")`
}
