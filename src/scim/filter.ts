// Filters and PATCH paths (RFC 7644 §3.4.2.2 Figure 1, §3.5.2 Figure 7): text → tree, and the tree as text.
// The tree has two readers that must agree: filter-match.ts in memory and storage/filter-sql.ts in SQL.
import type { Attribute } from './attribute'
import {
  type AttributePath,
  formatPath,
  namedExtension,
  resolvePath,
  resolveSubAttribute,
} from './attribute-path'
import { type Comparable, comparable } from './comparable'
import { ScimError } from './error'
import { type Token, tokenize } from './filter-token'
import { acceptedValue, type CompareOperator, isOperator, operatorsOf, readOperand } from './filter-value'
import type { HelpTopic } from './help'
import type { Interop } from './interop'
import { clip } from './json'
import type { ResourceType } from './schema'

export type { CompareOperator } from './filter-value'

export type Filter =
  /** Never directly within one of the same kind. */
  | { readonly kind: 'and' | 'or'; readonly operands: readonly Filter[] }
  | { readonly kind: 'not'; readonly operand: Filter }
  /** `path` ends at a simple attribute; `value` is in comparable form, null only with eq and ne. */
  | {
      readonly kind: 'compare'
      readonly path: AttributePath
      readonly operator: CompareOperator
      readonly value: Comparable | null
      /** By tolerance satisfied too by an only element that lacks the sub-attribute. */
      readonly orSole?: true
    }
  | { readonly kind: 'present'; readonly path: AttributePath }
  /** One element satisfies all of `filter`, whose paths are `path` with a sub-attribute (or the element itself). */
  | { readonly kind: 'elements'; readonly path: AttributePath; readonly filter: Filter }

type Comparison = Extract<Filter, { kind: 'compare' }>

export const MAX_FILTER_LENGTH = 8192
/** Parentheses and brackets; checked before each is entered, so no input can exhaust the stack. */
export const MAX_FILTER_DEPTH = 32
/** Comparisons and `pr` together. */
export const MAX_FILTER_TERMS = 50

export function parseFilter(text: string, type: ResourceType, interop: Interop): Filter {
  const parser = start(text, 'filter', type, interop)
  const filter = disjunction(parser, 0)
  expect(parser, 'end', 'and, or, or the end of the filter')
  return filter
}

/**
 * The path of a PATCH operation: `attr`, `attr.sub`, `attr[filter]` or `attr[filter].sub`; with a filter,
 * its paths start at the element. A malformed path or unknown attribute is invalidPath, a bad expression
 * within the brackets invalidFilter.
 */
export function parseValuePath(
  text: string,
  type: ResourceType,
  interop: Interop,
): { path: AttributePath; filter?: Filter } {
  const parser = start(text, 'path', type, interop)
  const path = attributePath(parser, expect(parser, 'word', 'an attribute path'))
  if (peek(parser).kind === 'end') return { path }
  const opening = openElements(parser, path)
  parser.scimType = 'invalidFilter'
  const filter = descend(parser, 0, opening, path)
  if (peek(parser).kind === 'end') parser.scimType = 'invalidPath'
  const closing = close(parser, ']')
  parser.scimType = 'invalidPath'
  const target = suffix(parser, closing, path) ?? path
  expect(parser, 'end', 'a sub-attribute or the end of the path')
  return { path: target, filter }
}

interface Parser {
  readonly what: 'filter' | 'path'
  readonly tokens: readonly Token[]
  readonly type: ResourceType
  readonly interop: Interop
  next: number
  terms: number
  scimType: 'invalidFilter' | 'invalidPath'
}

function start(text: string, what: Parser['what'], type: ResourceType, interop: Interop): Parser {
  const tooLong = text.length > MAX_FILTER_LENGTH
  const parser: Parser = {
    what,
    tokens: tokenize(tooLong ? '' : text),
    type,
    interop,
    next: 0,
    terms: 0,
    scimType: what === 'filter' ? 'invalidFilter' : 'invalidPath',
  }
  if (tooLong)
    refuse(parser, MAX_FILTER_LENGTH, `${text.length} characters`, `at most ${MAX_FILTER_LENGTH} characters`)
  return parser
}

/** FILTER = attrExp / logExp / valuePath / *1"not" "(" FILTER ")" — or binds loosest, not tightest. */
function disjunction(parser: Parser, depth: number, element?: AttributePath): Filter {
  const operands = [conjunction(parser, depth, element)]
  while (takeWord(parser, 'or')) operands.push(conjunction(parser, depth, element))
  return joined('or', operands)
}

function conjunction(parser: Parser, depth: number, element?: AttributePath): Filter {
  const operands = [factor(parser, depth, element)]
  while (takeWord(parser, 'and')) operands.push(factor(parser, depth, element))
  return joined('and', operands)
}

function joined(kind: 'and' | 'or', filters: readonly Filter[]): Filter {
  const operands = filters.flatMap(filter => (filter.kind === kind ? filter.operands : [filter]))
  const [only] = operands
  return only && operands.length === 1 ? only : { kind, operands }
}

function factor(parser: Parser, depth: number, element?: AttributePath): Filter {
  if (takeWord(parser, 'not')) {
    const operand = group(parser, depth, expect(parser, '(', '"(" after not'), element)
    return { kind: 'not', operand }
  }
  if (peek(parser).kind === '(') return group(parser, depth, take(parser), element)
  const name = expect(parser, 'word', 'an attribute, not (…) or (…)')
  const path = attributePath(parser, name, element)
  if (peek(parser).kind !== '[') return term(parser, name, path)
  if (element) return fail(parser, peek(parser), 'an operator: brackets do not nest')
  return elements(parser, depth, path)
}

function group(parser: Parser, depth: number, opening: Token, element?: AttributePath): Filter {
  const filter = descend(parser, depth, opening, element)
  close(parser, ')')
  return filter
}

function descend(parser: Parser, depth: number, opening: Token, element?: AttributePath): Filter {
  if (depth >= MAX_FILTER_DEPTH)
    refuse(
      parser,
      opening.start,
      `nesting deeper than ${MAX_FILTER_DEPTH} levels`,
      `at most ${MAX_FILTER_DEPTH} levels`,
    )
  return disjunction(parser, depth + 1, element)
}

function close(parser: Parser, closing: ')' | ']'): Token {
  return expect(parser, closing, `and, or, or "${closing}"`)
}

/** `emails[…]`, and Entra's `emails[…].value eq "x"`, which Figure 1 lacks: the same element satisfies both. */
function elements(parser: Parser, depth: number, path: AttributePath): Filter {
  const opening = openElements(parser, path)
  const filter = descend(parser, depth, opening, path)
  const closing = close(parser, ']')
  const name = peek(parser)
  const target = suffix(parser, closing, path)
  if (!target) return { kind: 'elements', path, filter }
  return { kind: 'elements', path, filter: joined('and', [filter, term(parser, name, target)]) }
}

function openElements(parser: Parser, path: AttributePath): Token {
  const { attribute, subAttribute } = path
  const hasElements = !subAttribute && (attribute.multiValued || attribute.type === 'complex')
  const otherwise = parser.what === 'filter' ? 'an operator' : 'the end of the path'
  if (!hasElements) return fail(parser, peek(parser), otherwise)
  return expect(parser, '[', `"[" or ${otherwise}`)
}

/** `.value` directly behind the closing bracket. */
function suffix(parser: Parser, closing: Token, path: AttributePath): AttributePath | undefined {
  const token = peek(parser)
  if (token.kind !== 'word' || token.start !== closing.start + 1 || !token.text.startsWith('.'))
    return undefined
  return resolveSubAttribute(take(parser).text.slice(1), path) ?? failUnknown(parser, token, path)
}

function attributePath(parser: Parser, name: Token, element?: AttributePath): AttributePath {
  const path = element
    ? resolveSubAttribute(name.text, element)
    : resolvePath(name.text, parser.type, parser.interop)
  return path ?? failUnknown(parser, name, element)
}

/** attrExp = attrPath SP "pr" / attrPath SP compareOp SP compValue */
function term(parser: Parser, name: Token, path: AttributePath): Filter {
  parser.terms++
  if (parser.terms > MAX_FILTER_TERMS)
    refuse(
      parser,
      name.start,
      `more than ${MAX_FILTER_TERMS} conditions`,
      `at most ${MAX_FILTER_TERMS} conditions`,
    )
  if (path.attribute.returned === 'never' || path.subAttribute?.returned === 'never')
    fail(parser, name, 'an attribute that is not secret')
  if (takeWord(parser, 'pr')) return { kind: 'present', path }
  const target = compared(parser, name, path)
  const attribute = target.subAttribute ?? target.attribute
  const operators = operatorsOf[attribute.type]
  const operator = peek(parser).text.toLowerCase()
  if (peek(parser).kind !== 'word' || !isOperator(operator) || !operators.includes(operator))
    return fail(
      parser,
      peek(parser),
      `an operator for ${formatPath(target)} (${attribute.type}): ${operators.join(', ')} or pr`,
    )
  take(parser)
  const value = readOperand(peek(parser), target, operator, parser.interop)
  if (value === undefined) return fail(parser, peek(parser), acceptedValue(attribute, operator))
  take(parser)
  const compare = { kind: 'compare', path: target, operator, value } as const
  return namesSoleType(compare, parser) ? { ...compare, orSole: true } : compare
}

/** A filter is noted as it asks; of a PATCH it is known whether it made a difference (patch-elements.ts). */
function namesSoleType({ path, operator, value }: Comparison, { what, interop }: Parser): boolean {
  const { attribute, subAttribute: sub } = path
  if (sub?.name !== 'type' || operator !== 'eq' || attribute.soleType === undefined) return false
  if (comparable(sub, attribute.soleType) !== value) return false
  return what === 'path' ? interop.mode === 'compat' : interop.allows('sole-type', formatPath(path))
}

/** RFC 7644 §3.4.2.2 compares `emails co "x"`: a complex attribute stands for its `value`. */
function compared(parser: Parser, name: Token, path: AttributePath): AttributePath {
  if (path.subAttribute || path.attribute.type !== 'complex') return path
  return resolveSubAttribute('value', path) ?? fail(parser, name, `a sub-attribute, ${examplesWithin(path)}`)
}

function peek(parser: Parser): Token {
  const token = parser.tokens[Math.min(parser.next, parser.tokens.length - 1)]
  return token ?? { kind: 'end', text: '', start: 0, value: '' }
}

function take(parser: Parser): Token {
  const token = peek(parser)
  parser.next++
  return token
}

/** Operators, and, or and not have no case. */
function takeWord(parser: Parser, word: string): boolean {
  const token = peek(parser)
  if (token.text.toLowerCase() !== word) return false
  parser.next++
  return true
}

function expect(parser: Parser, kind: Token['kind'], accepted: string): Token {
  return peek(parser).kind === kind ? take(parser) : fail(parser, peek(parser), accepted)
}

function failUnknown(parser: Parser, token: Token, element?: AttributePath): never {
  const expected = element ? `a sub-attribute, ${examplesWithin(element)}` : attributeOf(parser.type, token)
  return fail(parser, token, expected, 'unknown-attribute-in-filter')
}

/** Of the extension that was named, all that a reader can take in: a misspelt name is found by its right spelling. */
function attributeOf(type: ResourceType, { text }: Token): string {
  const extension = namedExtension(text, type)
  return extension
    ? `an attribute of ${extension.id}, ${examples(namesOf(extension.attributes), 20)}`
    : `an attribute of ${type.name}, ${examples(namesOf(type.schema.attributes))}`
}

function examplesWithin({ attribute }: AttributePath): string {
  return examples(namesOf(attribute.subAttributes ?? []).map(name => `${attribute.name}.${name}`))
}

function namesOf(attributes: readonly Attribute[]): readonly string[] {
  return attributes.map(({ name }) => name)
}

function examples(names: readonly string[], limit = 5): string {
  return `such as ${names.slice(0, limit).join(', ') || 'value'}`
}

function fail(parser: Parser, token: Token, accepted: string, about?: HelpTopic): never {
  const found = token.kind === 'end' || token.kind === 'bad' ? token.value : clip(token.text)
  return refuse(parser, token.start, found, accepted, about)
}

function refuse(parser: Parser, at: number, found: string, accepted: string, about?: HelpTopic): never {
  const detail = `Invalid ${parser.what} at column ${at + 1}: found ${found}; expected ${accepted}.`
  const refusal = new ScimError(400, parser.scimType, detail, {}, found)
  throw about && parser.scimType === 'invalidFilter' ? refusal.about(about) : refusal
}

/** The tree in the grammar it was read from, for tests and logs; values are in comparable form. */
export function formatFilter(filter: Filter): string {
  return format(filter, formatPath)
}

function format(filter: Filter, name: (path: AttributePath) => string): string {
  switch (filter.kind) {
    case 'or':
      return filter.operands.map(operand => format(operand, name)).join(' or ')
    case 'and':
      return filter.operands
        .map(operand => (operand.kind === 'or' ? `(${format(operand, name)})` : format(operand, name)))
        .join(' and ')
    case 'not':
      return `not (${format(filter.operand, name)})`
    case 'present':
      return `${name(filter.path)} pr`
    case 'compare':
      return `${name(filter.path)} ${filter.operator} ${formatValue(filter.path, filter.value)}`
    case 'elements':
      return `${formatPath(filter.path)}[${format(filter.filter, path => path.subAttribute?.name ?? 'value')}]`
  }
}

function formatValue(path: AttributePath, value: Comparable | null): string {
  const { type } = path.subAttribute ?? path.attribute
  return JSON.stringify(
    type === 'dateTime' && typeof value === 'number' ? new Date(value).toISOString() : value,
  )
}
