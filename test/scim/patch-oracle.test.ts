// The PATCH engine and a naive second reading of the RFC give the same resource, or the same refusal, wherever the
// RFC says what is to happen and no tolerance is in play.
import { expect, test } from 'vitest'
import type { Attribute } from '../../src/scim/attribute'
import { sameJson } from '../../src/scim/canonical'
import { ScimError } from '../../src/scim/error'
import { Interop, type Mode } from '../../src/scim/interop'
import { isObject, type Json, type JsonObject } from '../../src/scim/json'
import { applyPatch } from '../../src/scim/patch'
import { readPatchOp } from '../../src/scim/patch-op'
import { readResource } from '../../src/scim/resource'
import { commonAttributes } from '../../src/scim/schema'
import { badgeSchema, pick, type Random, randomUser, seeded, withExtension } from './generate'
import { type Outcome, oraclePatch } from './patch-oracle'
import { compat, frozen, patched, patchOp, STAFF, staffUser, user } from './requests'

const type = withExtension(staffUser, badgeSchema)

interface Target {
  /** Schema URN of an extension. */
  readonly urn: string | undefined
  readonly attribute: Attribute
}

/** `active` cannot be removed, which is this service's own rule. */
const targets: readonly Target[] = [
  ...[...commonAttributes, ...type.schema.attributes].map(attribute => ({ urn: undefined, attribute })),
  ...type.extensions.flatMap(({ schema }) =>
    schema.attributes.map(attribute => ({ urn: schema.id, attribute })),
  ),
].filter(({ attribute }) => !['schemas', 'active'].includes(attribute.name))

const words = ['ann', 'Ann', 'bo', 'work', 'Work', 'home', 'x1', 'ab'] as const

function randomValue(random: Random, attribute: Attribute, depth = 0): Json {
  if (attribute.multiValued && depth === 0) {
    const many = Array.from({ length: Math.floor(random() * 3) }, () => randomValue(random, attribute, 1))
    return many
  }
  switch (attribute.type) {
    case 'boolean':
      return random() < 0.4
    case 'integer':
      return pick(random, [-1, 0, 1, 7])
    case 'decimal':
      return pick(random, [-1.5, 0, 2])
    case 'dateTime':
      return pick(random, ['2026-01-01T00:00:00Z', '2025-12-31T23:59:59Z'])
    case 'binary':
      return pick(random, ['AQID', 'aqid'])
    case 'reference':
      return pick(random, ['https://example.com/a', '/Users/1'])
    case 'string':
      return pick(random, words)
    case 'complex': {
      const subs = (attribute.subAttributes ?? []).filter(
        ({ mutability, required }) =>
          (mutability !== 'readOnly' || attribute.mutability === 'readOnly') && (required || random() < 0.5),
      )
      const given = subs.map((sub): [string, Json] => [sub.name, randomValue(random, sub)])
      return given.length > 0 || !attribute.subAttributes
        ? Object.fromEntries(given)
        : randomValue(random, attribute, depth)
    }
  }
}

/** What the resource has there already, now and then, so that an operation repeats it. */
function valueFor(random: Random, { urn, attribute }: Target, current: JsonObject): Json {
  const container = urn === undefined ? current : current[urn]
  const there = isObject(container) ? container[attribute.name] : undefined
  if (there !== undefined && random() < 0.25) {
    if (Array.isArray(there) && random() < 0.5) return [pick(random, there as readonly Json[])]
    return there
  }
  if (random() < 0.04) return null
  if (random() < 0.04) return pick<Json>(random, [17, true, { value: { a: 1 } }, [[1]]])
  return randomValue(random, attribute)
}

function literalFor(random: Random, attribute: Attribute, owner: Json | undefined): string {
  const there = isObject(owner) ? owner[attribute.name] : owner
  const text = typeof there === 'object' || there === undefined || random() < 0.4
  return JSON.stringify(text ? randomValue(random, attribute, 1) : there)
}

function randomTerm(random: Random, { attribute }: Target, elements: readonly Json[]): string {
  const subs = (attribute.subAttributes ?? []).filter(sub => !sub.multiValued)
  const sub = subs.length > 0 ? pick(random, subs) : attribute
  const name = subs.length > 0 ? anyCase(random, sub.name) : 'value'
  if (random() < 0.1) return `${name} pr`
  const operators = sub.type === 'string' ? ['eq', 'eq', 'eq', 'ne', 'co', 'sw', 'ew'] : ['eq', 'eq', 'ne']
  const element = elements.length > 0 ? pick(random, elements) : undefined
  return `${name} ${pick(random, operators)} ${literalFor(random, sub, element)}`
}

function randomPath(random: Random, target: Target, current: JsonObject): string {
  const { urn, attribute } = target
  const name = `${urn === undefined ? '' : `${urn}:`}${anyCase(random, attribute.name)}`
  const subs = attribute.subAttributes ?? []
  const sub = subs.length > 0 && random() < 0.6 ? `.${anyCase(random, pick(random, subs).name)}` : ''
  if (!attribute.multiValued) return name + sub
  const plain = random() < 0.4
  if (plain) return name + (random() < 0.05 ? sub : '')
  const container = urn === undefined ? current : current[urn]
  const there = isObject(container) ? container[attribute.name] : undefined
  const elements = Array.isArray(there) ? (there as readonly Json[]) : []
  const term = () => randomTerm(random, target, elements)
  const form = random()
  const filter =
    form < 0.7
      ? term()
      : form < 0.85
        ? `${term()} and ${term()}`
        : form < 0.95
          ? `${term()} or ${term()}`
          : `not (${term()})`
  return `${name}[${filter}]${sub}`
}

function anyCase(random: Random, text: string): string {
  return random() < 0.9 ? text : text.toUpperCase()
}

function randomOperation(random: Random, current: JsonObject): JsonObject {
  const present = targets.filter(({ urn, attribute }) => {
    const container = urn === undefined ? current : current[urn]
    return isObject(container) && container[attribute.name] !== undefined
  })
  const target = pick(random, random() < 0.7 && present.length > 0 ? present : targets)
  const op = pick(random, ['add', 'replace', 'remove'])
  if (op !== 'remove' && random() < 0.15) {
    const some = Array.from({ length: 1 + Math.floor(random() * 3) }, () => pick(random, targets)).filter(
      ({ attribute }) => attribute.mutability !== 'readOnly',
    )
    const value: Record<string, Json> = {}
    for (const one of some) {
      const item = valueFor(random, one, current)
      if (one.urn === undefined) value[one.attribute.name] = item
      else
        value[one.urn] = {
          ...(isObject(value[one.urn]) ? (value[one.urn] as JsonObject) : {}),
          [one.attribute.name]: item,
        }
    }
    return { op, value }
  }
  if (random() < 0.02)
    return {
      op,
      path: pick(random, ['nothing', 'name.nothing', 'emails.', 'a b', 'title[value eq "x"]']),
      value: 'x',
    }
  const path = randomPath(random, target, current)
  if (op === 'remove') return random() < 0.03 ? { op } : { op, path }
  if (random() < 0.02) return { op, path }
  const subName = /\.([\w$]+)$/.exec(path.replace(/\[.*\]/, ''))?.[1]?.toLowerCase()
  const sub =
    subName === undefined
      ? undefined
      : target.attribute.subAttributes?.find(({ name }) => name.toLowerCase() === subName)
  if (sub) return { op, path, value: random() < 0.05 ? null : randomValue(random, sub) }
  if (path.endsWith(']')) return { op, path, value: randomValue(random, target.attribute, 1) }
  return { op, path, value: valueFor(random, target, current) }
}

function randomStart(random: Random): JsonObject {
  const { schemas: _, id: __, meta: ___, ...body } = randomUser(random, type)
  const staff = body[STAFF]
  const licences = [
    { value: 'ann', country: 'x1', until: '2026-01-01T00:00:00Z' },
    { value: 'bo', country: 'home' },
  ]
  // Short values, so that what is there and what is asked for meet.
  const own = {
    emails: randomValue(random, required('emails')),
    phoneNumbers: randomValue(random, required('phoneNumbers')),
  }
  const read = readResource(
    { ...body, ...onePrimary(own), ...(isObject(staff) && { [STAFF]: { ...staff, site: 'A', licences } }) },
    type,
    compat(),
  )
  return frozen(read.resource)
}

function required(name: string): Attribute {
  const found = type.schema.attributes.find(attribute => attribute.name === name)
  if (!found) throw new Error(`no ${name}`)
  return found
}

function onePrimary(own: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(own).map(([name, list]) => [
      name,
      (list as readonly JsonObject[]).map((element, i) => (i > 0 ? { ...element, primary: false } : element)),
    ]),
  )
}

interface Case {
  readonly seed: number
  readonly start: JsonObject
  readonly operations: readonly JsonObject[]
}

function randomCase(seed: number): Case {
  const random = seeded(seed)
  const start = randomStart(random)
  const operations = Array.from({ length: 1 + Math.floor(random() * 3) }, () =>
    randomOperation(random, start),
  )
  return { seed, start, operations }
}

interface Answer {
  readonly outcome: Outcome
  readonly detail: string
  readonly tolerances: readonly string[]
}

function engine({ start, operations }: Case, mode: Mode): Answer {
  const interop = new Interop(mode)
  try {
    const { resource } = applyPatch(start, readPatchOp(patchOp(...operations), type, interop), type, interop)
    return { outcome: { kind: 'done', resource }, detail: '', tolerances: interop.used }
  } catch (error) {
    if (!(error instanceof ScimError)) throw error
    const outcome = { kind: 'refused', scimType: String(error.scimType) } as const
    return { outcome, detail: error.detail, tolerances: interop.used }
  }
}

/** What differs, attribute by attribute, for whoever has to find out why. */
function difference(
  { seed, start, operations }: Case,
  expected: Outcome,
  { outcome, detail }: Answer,
): string {
  const resources = [start, resourceOf(expected), resourceOf(outcome)]
  const names = [...new Set(resources.flatMap(resource => Object.keys(resource)))]
  const differing = names.filter(name => !sameJson(resourceOf(expected)[name], resourceOf(outcome)[name]))
  const lines = differing.map(name =>
    JSON.stringify([name, ...resources.map(resource => resource[name] ?? null)]),
  )
  const refusals = [expected, outcome]
    .map(one => (one.kind === 'refused' ? one.scimType : one.kind))
    .join(' / ')
  return [`seed ${seed}: oracle / engine ${refusals} ${detail}`, JSON.stringify(operations), ...lines].join(
    '\n',
  )
}

function resourceOf(outcome: Outcome): JsonObject {
  return outcome.kind === 'done' ? outcome.resource : {}
}

const CASES = 5000

test('what the RFC says of a PATCH is what becomes of the resource', () => {
  const differences: string[] = []
  const compared = { done: 0, refused: 0 }
  for (let seed = 1; seed <= CASES; seed++) {
    const one = randomCase(seed)
    const expected = oraclePatch(one.start, one.operations, type)
    const answer = engine(one, 'compat')
    const { outcome, tolerances } = answer
    if (expected.kind === 'unspecified' || tolerances.some(name => !name.startsWith('no-path'))) continue
    compared[expected.kind]++
    // Of several mistakes either may be told.
    const agree =
      expected.kind === 'done'
        ? outcome.kind === 'done' && sameJson(expected.resource, outcome.resource)
        : outcome.kind === 'refused' && (one.operations.length > 1 || outcome.scimType === expected.scimType)
    if (!agree) differences.push(difference(one, expected, answer))
  }
  expect(differences.slice(0, 5)).toEqual([])
  expect(compared.done).toBeGreaterThan(CASES / 2)
  expect(compared.refused).toBeGreaterThan(CASES / 6)
})

test('strict refuses more and does nothing else', () => {
  const differences: string[] = []
  let done = 0
  for (let seed = 1; seed <= CASES; seed++) {
    const one = randomCase(seed)
    // RFC-228: a complex value is replaced whole.
    if (one.operations.some(({ op, value }) => op === 'replace' && isObject(value))) continue
    const expected = oraclePatch(one.start, one.operations, type)
    const answer = engine(one, 'strict')
    if (expected.kind === 'unspecified' || answer.outcome.kind !== 'done') continue
    done++
    const agree = expected.kind === 'done' && sameJson(expected.resource, answer.outcome.resource)
    if (!agree) differences.push(difference(one, expected, answer))
  }
  expect(differences.slice(0, 5)).toEqual([])
  expect(done).toBeGreaterThan(CASES / 4)
})

test('what was never there takes nothing with it when it is removed', () => {
  const current = { userName: 'ann', phoneNumbers: [{ display: 'Desk', type: 'work' }] }
  const path = 'phoneNumbers[type eq "work"].value'
  for (const mode of ['compat', 'strict'] as const)
    expect(patched(current, [{ op: 'remove', path }], user, mode)).toEqual(current)
})
