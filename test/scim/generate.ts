// Random filters and users from a seed, for the properties that hold of all of them: a tree printed and read
// again is the same tree, and SQL answers what memory answers.
import { type Attribute, attribute } from '../../src/scim/attribute'
import { operatorsOf } from '../../src/scim/filter-value'
import { isObject, type Json, type JsonObject } from '../../src/scim/json'
import { commonAttributes, type ResourceType, type Schema } from '../../src/scim/schema'
import { standardResourceTypes } from '../../src/scim/schemas/resource-types'

export type Random = () => number

/** Numbers in [0, 1), the same for the same seed (mulberry32). */
export function seeded(seed: number): Random {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}

export function pick<T>(random: Random, list: readonly T[]): T {
  const item = list[Math.floor(random() * list.length)]
  if (item === undefined) throw new Error('nothing to pick from')
  return item
}

/** One attribute of each type, single and multi-valued, which the standard schemas do not have. */
export const badgeSchema: Schema = {
  id: 'urn:acme:params:scim:2.0:Badge',
  name: 'Badge',
  description: 'What a tenant may add',
  attributes: [
    attribute('level', 'An integer.', { type: 'integer' }),
    attribute('score', 'A decimal.', { type: 'decimal' }),
    attribute('hired', 'A dateTime.', { type: 'dateTime' }),
    attribute('contractor', 'A boolean.', { type: 'boolean' }),
    attribute('key', 'Binary.', { type: 'binary', caseExact: true }),
    attribute('homepage', 'A reference.', {
      type: 'reference',
      caseExact: true,
      referenceTypes: ['external'],
    }),
    attribute('code', 'Text with case.', { caseExact: true }),
    attribute('tags', 'Texts.', { multiValued: true }),
    attribute('codes', 'Texts with case.', { multiValued: true, caseExact: true }),
    attribute('counts', 'Integers.', { type: 'integer', multiValued: true }),
    attribute('visits', 'Times and places.', {
      type: 'complex',
      multiValued: true,
      subAttributes: [
        attribute('value', 'When.', { type: 'dateTime' }),
        attribute('rank', 'How good.', { type: 'integer' }),
        attribute('primary', 'The one.', { type: 'boolean' }),
      ],
    }),
    attribute('notes', 'Begins with a keyword.'),
    attribute('desk', 'A complex attribute without value.', {
      type: 'complex',
      subAttributes: [attribute('floor', 'Which.', { type: 'integer' }), attribute('room', 'Which.')],
    }),
  ],
}

/** User with the enterprise extension and the one above. */
export const badgedUserType: ResourceType = withExtension(userType(), badgeSchema)

export function userType(): ResourceType {
  return standard('User')
}

export function groupType(): ResourceType {
  return standard('Group')
}

function standard(name: string): ResourceType {
  const type = standardResourceTypes.find(candidate => candidate.name === name)
  if (!type) throw new Error(`no ${name}`)
  return type
}

export function withExtension(type: ResourceType, schema: Schema): ResourceType {
  return { ...type, extensions: [...type.extensions, { schema, required: false }] }
}

/** Few enough that filters hit, odd enough that readers could differ. */
const words = [
  'ann',
  'Ann',
  'ANNA',
  'bo',
  'b',
  'work',
  'Work',
  'home',
  '50%_off',
  'C:\\Users',
  'say "hi"',
  'é',
  'E\u0301',
  'Ö',
  'straße',
  'STRASSE',
  'ΟΔΟΣ',
  'οδος',
  'ＡＮＮ',
  'İ',
  'Ａ',
  '\uffee',
  '😀',
  'x😀y',
  "o'hara",
  ' a b ',
]
const plainWords = words.filter(word => /^[ -~]*$/.test(word))
const dateTimes = [
  '2026-01-01T00:00:00Z',
  '2026-01-01T01:00:00+01:00',
  '2026-01-01T00:00:00.5Z',
  '2025-12-31T23:59:59.999Z',
  '1969-12-31T00:00:00',
]
const numbers = [-5, -1, 0, 1, 2, 10, 100]
const decimals = [-1.5, 0, 0.25, 1, 1.5, 1e2]
const references = ['https://example.com/a', 'https://EXAMPLE.com/a', '/Users/1', 'https://example.com/é']
const binaries = ['AQID', 'aqid', 'AQIDBA==']

function randomValue(random: Random, attribute: Attribute, texts = words): string | number | boolean {
  switch (attribute.type) {
    case 'boolean':
      return random() < 0.5
    case 'integer':
      return pick(random, numbers)
    case 'decimal':
      return pick(random, decimals)
    case 'dateTime':
      return pick(random, dateTimes)
    case 'reference':
      return pick(random, references)
    case 'binary':
      return pick(random, binaries)
    default:
      return pick(random, texts)
  }
}

/** The text of a valid filter (compat) for the type, with at most 18 conditions. */
export function randomFilter(random: Random, type: ResourceType): string {
  return disjunction(random, 2, () => topLevelTerm(random, type))
}

function disjunction(random: Random, depth: number, term: () => string): string {
  const operands = Array.from({ length: 1 + Math.floor(random() * 3) }, () => factor(random, depth, term))
  return operands.reduce((left, right) => `${left} ${pick(random, ['and', 'or', 'AND', 'Or'])} ${right}`)
}

function factor(random: Random, depth: number, term: () => string): string {
  const kind = random()
  if (depth === 0 || kind < 0.6) return term()
  const inner = disjunction(random, depth - 1, term)
  return kind < 0.8 ? `(${inner})` : `${pick(random, ['not', 'NOT'])}${pick(random, ['', ' '])}(${inner})`
}

function topLevelTerm(random: Random, type: ResourceType): string {
  const place = random()
  const extension = place < 0.3 && type.extensions.length > 0 ? pick(random, type.extensions) : undefined
  const attributes =
    extension?.schema.attributes ?? (place < 0.45 ? commonAttributes : type.schema.attributes)
  const target = pick(random, attributes)
  const qualified = extension && random() < 0.9
  const name = qualified
    ? `${anyCase(random, extension.schema.id)}:${anyCase(random, target.name)}`
    : `${!extension && random() < 0.1 ? `${type.schema.id}:` : ''}${anyCase(random, target.name)}`
  return attributeTerm(random, target, name)
}

function attributeTerm(random: Random, target: Attribute, name: string): string {
  const subs = target.subAttributes ?? []
  if (subs.length === 0 && !target.multiValued) return comparison(random, target, name)
  const inside = () => {
    const sub = subs.length > 0 ? pick(random, subs) : target
    return comparison(random, sub, anyCase(random, subs.length > 0 ? sub.name : 'value'))
  }
  if (random() < 0.5) {
    const brackets = `${name}[${disjunction(random, 0, inside)}]`
    return random() < 0.3 ? `${brackets}.${inside()}` : brackets
  }
  if (random() < 0.2) return `${name} pr`
  if (subs.length === 0) return comparison(random, target, name)
  const value = subs.find(sub => sub.name === 'value')
  if (value && random() < 0.3) return comparison(random, value, name)
  const sub = pick(random, subs)
  return comparison(random, sub, `${name}.${anyCase(random, sub.name)}`)
}

function comparison(random: Random, target: Attribute, name: string): string {
  const kind = random()
  if (kind < 0.12) return `${name} ${pick(random, ['pr', 'PR'])}`
  if (kind < 0.2) return `${name} ${pick(random, ['eq', 'ne'])} null`
  const operator = pick(random, operatorsOf[target.type])
  const value = randomValue(random, target)
  const part = typeof value === 'string' && /^(co|sw|ew)$/.test(operator) ? substringOf(random, value) : value
  return `${name} ${anyCase(random, operator)} ${literal(random, part)}`
}

/** By characters, so that no surrogate is left alone. */
function substringOf(random: Random, text: string): string {
  const characters = [...text]
  const from = Math.floor(random() * characters.length)
  return characters.slice(from, from + Math.floor(random() * 4)).join('')
}

function literal(random: Random, value: string | number | boolean): string {
  if (typeof value === 'string' && random() < 0.2)
    return `"${value.replace(/[\s\S]/g, unit => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)}"`
  if (typeof value === 'boolean' && random() < 0.2) return value ? '"True"' : '"False"'
  return JSON.stringify(value)
}

function anyCase(random: Random, text: string): string {
  const kind = random()
  if (kind < 0.8) return text
  return kind < 0.9 ? text.toUpperCase() : text.toLowerCase()
}

/**
 * A full representation as the kernel leaves it: nothing empty, at most one primary; no groups. Every third is
 * plain: ASCII without dateTimes, so that it needs no comparable document.
 */
export function randomUser(random: Random, type: ResourceType = badgedUserType): JsonObject {
  const id = Array.from({ length: 32 }, () => Math.floor(random() * 16).toString(16)).join('')
  const fill: Fill = { random, plain: random() < 0.33 }
  const own = type.schema.attributes.filter(({ name }) => name !== type.membershipsAttribute)
  const extensions = type.extensions
    .map(({ schema }): [string, JsonObject] => [schema.id, randomAttributes(fill, schema.attributes)])
    .filter(([, container]) => Object.keys(container).length > 0 && random() < 0.7)
  return {
    schemas: [type.schema.id, ...extensions.map(([urn]) => urn)],
    id,
    ...(random() < 0.5 && { externalId: `${pick(random, words)}${id.slice(0, 4)}` }),
    ...randomAttributes(fill, own),
    userName: `${pick(random, fill.plain ? plainWords : words)}${id.slice(4, 8)}`,
    ...Object.fromEntries(extensions),
    meta: {
      resourceType: type.name,
      created: pick(random, dateTimes),
      lastModified: pick(random, dateTimes),
      location: `https://example.com/Users/${id}`,
      version: 'W/"1"',
    },
  }
}

interface Fill {
  readonly random: Random
  readonly plain: boolean
}

function randomAttributes(fill: Fill, attributes: readonly Attribute[]): JsonObject {
  return Object.fromEntries(
    attributes
      .filter(({ type }) => fill.random() < 0.5 && !(fill.plain && type === 'dateTime'))
      .map((attribute): [string, Json] => [attribute.name, randomJson(fill, attribute)])
      .filter(([, value]) => !isEmpty(value)),
  )
}

function randomJson(fill: Fill, attribute: Attribute): Json {
  if (!attribute.multiValued) return randomSingle(fill, attribute)
  const elements = Array.from({ length: 1 + Math.floor(fill.random() * 3) }, () =>
    randomSingle(fill, attribute),
  )
  return onePrimary(elements.filter(element => !isEmpty(element)))
}

function randomSingle(fill: Fill, attribute: Attribute): Json {
  return attribute.subAttributes
    ? randomAttributes(fill, attribute.subAttributes)
    : randomValue(fill.random, attribute, fill.plain ? plainWords : words)
}

function isEmpty(value: Json): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0
}

function onePrimary(elements: readonly Json[]): Json {
  const first = elements.findIndex(isPrimary)
  return elements.map((element, index) =>
    index !== first && isPrimary(element) ? { ...element, primary: false } : element,
  )
}

function isPrimary(element: Json): element is JsonObject {
  return isObject(element) && element.primary === true
}
