// What a filter may compare an attribute with: operators and literals by attribute type (RFC 7644 §3.4.2.2).
import type { Attribute, AttributeType } from './attribute'
import { type AttributePath, formatPath } from './attribute-path'
import { type Comparable, comparable } from './comparable'
import type { Token } from './filter-token'
import type { Interop } from './interop'

export type CompareOperator = 'eq' | 'ne' | 'co' | 'sw' | 'ew' | 'gt' | 'ge' | 'lt' | 'le'

const equality: readonly CompareOperator[] = ['eq', 'ne']
const substring: readonly CompareOperator[] = ['co', 'sw', 'ew']
const order: readonly CompareOperator[] = ['gt', 'ge', 'lt', 'le']

/** Complex attributes are compared by a sub-attribute, never as a whole. */
export const operatorsOf: Readonly<Record<AttributeType, readonly CompareOperator[]>> = {
  string: [...equality, ...substring, ...order],
  reference: [...equality, ...substring, ...order],
  binary: [...equality, ...substring],
  boolean: equality,
  integer: [...equality, ...order],
  decimal: [...equality, ...order],
  dateTime: [...equality, ...order],
  complex: [],
}

const everyOperator = new Set<string>(operatorsOf.string)

export function isOperator(word: string): word is CompareOperator {
  return everyOperator.has(word)
}

/** The literal in comparable form; undefined when it is none that the attribute can be compared with. */
export function readOperand(
  token: Token,
  path: AttributePath,
  operator: CompareOperator,
  interop: Interop,
): Comparable | null | undefined {
  const attribute = path.subAttribute ?? path.attribute
  const value = literal(token)
  if (value === null) return equality.includes(operator) ? null : undefined
  switch (attribute.type) {
    case 'boolean':
      if (typeof value === 'string') return quotedBoolean(value, path, interop)
      return typeof value === 'boolean' ? value : undefined
    case 'integer':
    case 'decimal':
      return typeof value === 'number' ? value : undefined
    default:
      return typeof value === 'string' ? comparable(attribute, value) : undefined
  }
}

const jsonNumber = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:e[+-]?\d+)?$/i

/** RFC 7644 Figure 1: compValue is a JSON literal. Anything else, such as text without quotes, is undefined. */
function literal(token: Token): string | number | boolean | null | undefined {
  if (token.kind === 'string') return token.value
  if (token.kind !== 'word') return undefined
  if (token.text === 'null') return null
  if (token.text === 'true' || token.text === 'false') return token.text === 'true'
  // Adding 0 makes -0 the 0 it equals.
  const number = jsonNumber.test(token.text) ? Number(token.text) + 0 : undefined
  return number !== undefined && Number.isFinite(number) ? number : undefined
}

function quotedBoolean(text: string, path: AttributePath, interop: Interop): boolean | undefined {
  const word = text.toLowerCase()
  if (word !== 'true' && word !== 'false') return undefined
  return interop.allows('quoted-boolean', formatPath(path)) ? word === 'true' : undefined
}

/** In words for an error: what the attribute can be compared with. */
export function acceptedValue(attribute: Attribute, operator: CompareOperator): string {
  const value = acceptedLiteral[attribute.type]
  return equality.includes(operator) ? `${value}, or null` : value
}

const text = 'text in double quotes'
const acceptedLiteral: Readonly<Record<AttributeType, string>> = {
  string: text,
  reference: text,
  binary: text,
  complex: text,
  boolean: 'true or false',
  integer: 'a number without quotes',
  decimal: 'a number without quotes',
  dateTime: 'a dateTime in double quotes, such as "2011-05-13T04:42:34Z"',
}
