// A second, naive reading of RFC 7644 §3.5.2 (rows 133–163 of the checklist): what src/scim/patch.ts is compared
// with. Written from the rows and not from that file; it shares the schemas with it and nothing else. It mutates
// plain JSON, knows no tolerance, and says "unspecified" where the RFC leaves open what happens.
import type { Attribute } from '../../src/scim/attribute'
import type { Json, JsonObject } from '../../src/scim/json'
import { commonAttributes, type ResourceType } from '../../src/scim/schema'

type Value = string | number | boolean | null | Value[] | Node
interface Node {
  [key: string]: Value
}

export type Outcome =
  | { readonly kind: 'done'; readonly resource: JsonObject }
  | { readonly kind: 'refused'; readonly scimType: string }
  | { readonly kind: 'unspecified'; readonly why: string }

class Refusal extends Error {}
class Unspecified extends Error {}

/** The resource after the operations, or why there is none. */
export function oraclePatch(
  current: JsonObject,
  operations: readonly JsonObject[],
  type: ResourceType,
): Outcome {
  const resource = copy(current) as Node
  try {
    let wasMissing = false
    for (const operation of operations) {
      apply(resource, operation, type)
      wasMissing ||= isIncomplete(resource, type)
    }
    if (isIncomplete(resource, type)) throw new Refusal('mutability') // RFC-153
    if (wasMissing) throw new Unspecified('what is required is missing on the way')
    return { kind: 'done', resource: resource as JsonObject }
  } catch (error) {
    if (error instanceof Refusal) return { kind: 'refused', scimType: error.message }
    if (error instanceof Unspecified) return { kind: 'unspecified', why: error.message }
    throw error
  }
}

function apply(resource: Node, operation: JsonObject, type: ResourceType): void {
  const op = String(operation.op).toLowerCase()
  const path = operation.path
  if (op === 'remove') {
    if (typeof path !== 'string') throw new Refusal('noTarget') // RFC-149
    at(resource, path, type, op, undefined)
    return
  }
  const { value } = operation
  if (value === undefined) throw new Refusal('invalidValue') // RFC-144
  if (typeof path === 'string') {
    at(resource, path, type, op, copy(value))
    return
  }
  // RFC-145, RFC-154: every attribute of the value as an operation of its own.
  for (const [key, item] of Object.entries(value as JsonObject)) {
    const extension = type.extensions.find(({ schema }) => schema.id.toLowerCase() === key.toLowerCase())
    if (!extension) at(resource, key, type, op, copy(item))
    else
      for (const [name, inner] of Object.entries(item as JsonObject))
        at(resource, `${extension.schema.id}:${name}`, type, op, copy(inner))
  }
}

// attrPath or valuePath[.subAttr] (RFC-137).
const PATH = /^(?:(urn:[^[]*):)?([a-z$][\w$-]*)(?:\[(.*)\])?(?:\.([a-z$][\w$-]*))?$/i

function at(resource: Node, path: string, type: ResourceType, op: string, value: Value | undefined): void {
  const [, urn, name = '', filter, subName] = PATH.exec(path) ?? []
  const isCore = urn === undefined || same(urn, type.schema.id)
  const extension = type.extensions.find(({ schema }) => urn !== undefined && same(schema.id, urn))?.schema
  const attributes = isCore ? [...commonAttributes, ...type.schema.attributes] : (extension?.attributes ?? [])
  const attribute = attributes.find(candidate => same(candidate.name, name))
  const sub = attribute?.subAttributes?.find(
    candidate => subName !== undefined && same(candidate.name, subName),
  )
  if (!attribute || (subName !== undefined && !sub)) throw new Refusal('invalidPath') // RFC-162
  if (filter !== undefined && !attribute.multiValued) throw new Refusal('invalidPath')
  if ((sub ?? attribute).mutability === 'readOnly' || attribute.mutability === 'readOnly')
    throw new Refusal('mutability') // RFC-140
  if (value !== undefined)
    checkType(filter === undefined || sub ? (sub ?? attribute) : single(attribute), value)
  if (attribute.refersTo && sub?.name === '$ref')
    throw new Unspecified('a $ref, which is another name of the value (RFC-68)')
  const container = extension ? (asNode(resource[extension.id]) ?? {}) : resource
  const before = copy(container[attribute.name] ?? null)
  if (filter !== undefined) filtered(container, attribute, filter, sub, op, value)
  else if (sub) {
    if (attribute.multiValued) throw new Unspecified('a sub-attribute of a list, without a filter')
    const owner = asNode(container[attribute.name]) ?? {}
    plain(owner, sub, op, value)
    container[attribute.name] = owner
  } else plain(container, attribute, op, value)
  tidy(container, attribute)
  settledElsewhere(attribute, before, container[attribute.name] ?? null)
  checkImmutable(attribute, before, container[attribute.name] ?? null)
  if (!extension) return
  // RFC-142: a container that has become empty is gone, a new one is there.
  if (Object.keys(container).length > 0) resource[extension.id] = container
  else delete resource[extension.id]
}

/** An attribute, or a sub-attribute of a complex value, as a whole. */
function plain(owner: Node, attribute: Attribute, op: string, value: Value | undefined): void {
  const { name } = attribute
  const nothing = value === undefined || value === null || (Array.isArray(value) && value.length === 0)
  if (op === 'add' && nothing && !attribute.multiValued) throw new Unspecified('null added to one value')
  if (op === 'add' && nothing) return
  if (op === 'remove' || nothing)
    delete owner[name] // RFC-150
  else if (attribute.multiValued) {
    // RFC-146 appends what is not there, RFC-155 takes the place of everything.
    const list = op === 'add' ? asList(owner[name] ?? []) : []
    const added: Value[] = []
    for (const item of asList(value).map(element => pruned(attribute, element)))
      if (!isEmpty(item) && ![...list, ...added].some(other => sameElement(attribute, other, item)))
        added.push(item)
    owner[name] = [...onlyPrimary(list, added), ...added]
  } else if (attribute.type === 'complex') {
    // RFC-147, RFC-157: what is given is set, the rest is left.
    const merged = asNode(owner[name]) ?? {}
    for (const sub of attribute.subAttributes ?? []) {
      const given = keyOf(value as Node, sub.name)
      if (given === undefined || sub.mutability === 'readOnly') continue
      if (op === 'add' && sub.multiValued && merged[sub.name] !== undefined)
        throw new Unspecified('a list in a complex value that is added to')
      plain(merged, sub, given === null ? 'replace' : op, given)
    }
    owner[name] = merged
  } else owner[name] = value
}

function filtered(
  container: Node,
  attribute: Attribute,
  filter: string,
  sub: Attribute | undefined,
  op: string,
  value: Value | undefined,
): void {
  const list = asList(container[attribute.name] ?? [])
  const matching = list.filter(element => matches(attribute, element, filter))
  const others = list.filter(element => !matching.includes(element))
  if (matching.length === 0) {
    if (op === 'replace') throw new Refusal('noTarget') // RFC-159
    if (op === 'add') throw new Unspecified('add to what no element matches')
    throw new Unspecified('remove of what no element matches') // RFC-152 settles it for members alone.
  }
  if (!sub && op === 'remove') {
    container[attribute.name] = others // RFC-151
    return
  }
  const changed = list.map(element => {
    if (!matching.includes(element)) return element
    if (!sub && (value === null || value === undefined)) throw new Unspecified('an element set to nothing')
    // RFC-158: a matching element is replaced; one that is added to keeps what it has (RFC-147).
    if (!sub && op === 'replace')
      return replacing(attribute, element, pruned(attribute, value ?? null), filter)
    const holder: Node = { [attribute.name]: element }
    if (!sub) plain(holder, single(attribute), op, value)
    else plain(asNode(holder[attribute.name]) ?? {}, sub, op, value)
    return holder[attribute.name] ?? null
  })
  const setters = changed.filter((element, i) => isPrimary(element) && matching.includes(list[i] ?? null))
  const setsPrimary = sub ? same(sub.name, 'primary') && value === true : isPrimary(value ?? null)
  if (setsPrimary && setters.length > 1) throw new Unspecified('several elements made primary')
  const left = changed.filter(element => !isEmpty(element))
  if (left.some((element, i) => left.slice(0, i).some(other => equal(other, element))))
    throw new Unspecified('two elements became one')
  container[attribute.name] = setsPrimary ? onlyPrimary(left, setters) : left
}

/** Whether what the filter asks for survives, when the new value does not give it, is left open. */
function replacing(attribute: Attribute, element: Value, value: Value, filter: string): Value {
  for (const { name } of attribute.subAttributes ?? [])
    if (
      new RegExp(`\\b${name} `, 'i').test(filter) &&
      asNode(element)?.[name] !== undefined &&
      asNode(value)?.[name] === undefined
    )
      throw new Unspecified('a value without what its filter asks for')
  return value
}

/** RFC-141: where one of the new elements is primary, no other is. */
function onlyPrimary(list: Value[], news: readonly Value[]): Value[] {
  const primaries = news.filter(isPrimary)
  if (primaries.length > 1) throw new Unspecified('several elements made primary')
  if (primaries.length === 0) return list
  return list.map(element =>
    isPrimary(element) && !primaries.includes(element) ? { ...(element as Node), primary: false } : element,
  )
}

/** No value, an empty list and an empty object are the same: unassigned (RFC 7643 §2.5). */
function tidy(container: Node, { name }: Attribute): void {
  const value = container[name]
  if (Array.isArray(value)) container[name] = value.filter(element => !isEmpty(element))
  if (isEmpty(container[name] ?? null)) delete container[name]
}

/** RFC-140: what is immutable is given once; neither another value nor none takes its place. */
function checkImmutable(attribute: Attribute, before: Value, after: Value): void {
  if (attribute.mutability === 'immutable' && !isEmpty(before) && !equal(before, after))
    throw new Refusal('mutability')
  const fixed = (attribute.subAttributes ?? []).filter(({ mutability }) => mutability === 'immutable')
  if (fixed.length === 0 || isEmpty(before) || equal(before, after)) return
  if (attribute.multiValued || isEmpty(after)) throw new Unspecified('a value with immutable parts')
  for (const { name } of fixed) {
    const old = asNode(before)?.[name]
    if (old !== undefined && !equal(old, asNode(after)?.[name] ?? null)) throw new Refusal('mutability')
  }
}

/** What §3.5.2 does not say and other rows settle: compared by the tests that name those rows. */
function settledElsewhere(attribute: Attribute, before: Value, after: Value): void {
  const subs = attribute.subAttributes ?? []
  if (!subs.some(({ name }) => name === 'value')) return
  const nodes = (value: Value): Node[] =>
    asList(value)
      .map(asNode)
      .filter(node => node !== undefined)
  const [old, now] = [nodes(before), nodes(after)]
  const valued = now.filter(({ value }) => value !== undefined)
  if (new Set(valued.map(({ value, type }) => fold(`${value} ${type}`))).size < valued.length)
    throw new Unspecified('one value and type twice (RFC-18)')
  if (now.length - valued.length > old.filter(({ value }) => value === undefined).length)
    throw new Unspecified('an element without its value')
  const hasReference = subs.some(({ name }) => name === '$ref')
  if (hasReference && !equal(old[0]?.value ?? null, now[0]?.value ?? null))
    throw new Unspecified('a $ref whose value changes')
  if (attribute.refersTo && now.some(({ $ref }) => $ref !== undefined))
    throw new Unspecified('a $ref, which is another name of the value (RFC-68)')
}

function isIncomplete(resource: Node, type: ResourceType): boolean {
  const containers = type.extensions.map(({ schema }) => ({ schema, owner: asNode(resource[schema.id]) }))
  return [{ schema: type.schema, owner: resource }, ...containers].some(({ schema, owner }) =>
    schema.attributes.some(
      ({ name, required, mutability }) =>
        owner !== undefined && required && mutability !== 'readOnly' && owner[name] === undefined,
    ),
  )
}

/** RFC-162. What is no list where one belongs is judged as its element (RFC-146). */
function checkType(attribute: Attribute, value: Value): void {
  if (value === null) return
  if (attribute.multiValued) {
    for (const item of asList(value)) checkType(single(attribute), item)
    return
  }
  const node = asNode(value)
  if (attribute.type === 'complex') {
    if (!node) throw new Refusal('invalidValue')
    for (const sub of attribute.subAttributes ?? []) {
      const given = keyOf(node, sub.name)
      if (given !== undefined && sub.mutability !== 'readOnly') checkType(sub, given)
    }
    return
  }
  const kind =
    attribute.type === 'boolean' ? 'boolean' : /integer|decimal/.test(attribute.type) ? 'number' : 'string'
  if (typeof value !== kind || (attribute.type === 'integer' && !Number.isInteger(value)))
    throw new Refusal('invalidValue')
}

/** RFC 7644 §3.4.2.2 for one element: `a eq "x" and b pr or not (c co "y")`, without further brackets. */
function matches(attribute: Attribute, element: Value, filter: string): boolean {
  const negated = /^not ?\((.*)\)$/i.exec(filter)?.[1]
  if (negated !== undefined) return !matches(attribute, element, negated)
  for (const [word, every] of [
    ['or', false],
    ['and', true],
  ] as const) {
    const parts = filter.split(new RegExp(` ${word} `, 'i'))
    if (parts.length > 1)
      return every
        ? parts.every(part => matches(attribute, element, part))
        : parts.some(part => matches(attribute, element, part))
  }
  const [, name = '', operator = '', literal = 'null'] = /^(\S+) (\S+)(?: (.*))?$/.exec(filter) ?? []
  const sub = attribute.subAttributes?.find(candidate => same(candidate.name, name)) ?? attribute
  const there = asNode(element) ? (keyOf(element as Node, name) ?? null) : element
  // RFC 7643 §2.4: what does not say that it is primary is not.
  const found = there === null && sub.name === 'primary' && operator !== 'pr' ? false : there
  const wanted = JSON.parse(literal) as Value
  if (operator === 'pr') return found !== null
  if (operator === 'ne') return !compare(sub, found, 'eq', wanted)
  return compare(sub, found, operator, wanted)
}

function compare(attribute: Attribute, found: Value, operator: string, wanted: Value): boolean {
  if (typeof found !== typeof wanted || found === null || wanted === null) return found === wanted
  if (typeof found !== 'string' || typeof wanted !== 'string') {
    if (operator === 'gt') return found > wanted
    return operator === 'lt' ? found < wanted : found === wanted
  }
  const [a, b] = attribute.caseExact ? [found, wanted] : [fold(found), fold(wanted)]
  if (operator === 'co') return a.includes(b)
  if (operator === 'sw') return a.startsWith(b)
  return operator === 'ew' ? a.endsWith(b) : a === b
}

/** A value with the names of the schema, without what is unassigned or readOnly (RFC-72). */
function pruned(attribute: Attribute, value: Value): Value {
  const node = asNode(value)
  if (!node) return value
  const holder: Node = {}
  plain(holder, single(attribute), 'replace', node)
  return holder[attribute.name] ?? null
}

const single = (attribute: Attribute): Attribute => ({ ...attribute, multiValued: false })
const fold = (text: string) => text.normalize('NFKC').toLowerCase()
const same = (a: string, b: string) => fold(a) === fold(b)
const copy = (value: Json): Value => JSON.parse(JSON.stringify(value)) as Value
const asList = (value: Value): Value[] => (Array.isArray(value) ? value : [value])
const isPrimary = (value: Value) => asNode(value)?.primary === true

function asNode(value: Value | undefined): Node | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined
}

function keyOf(node: Node, name: string): Value | undefined {
  return Object.entries(node).find(([key]) => same(key, name))?.[1]
}

function isEmpty(value: Value): boolean {
  return value === null || (typeof value === 'object' && Object.keys(value).length === 0)
}

/** Texts are the same whatever their case, unless the attribute says that case matters (RFC 7643 §2.2). */
function sameElement({ caseExact }: Attribute, a: Value, b: Value): boolean {
  return typeof a === 'string' && typeof b === 'string' && !caseExact ? same(a, b) : equal(a, b)
}

function equal(a: Value, b: Value): boolean {
  const [x, y] = [asNode(a), asNode(b)]
  if (x && y) {
    const keys = [...new Set([...Object.keys(x), ...Object.keys(y)])]
    return keys.every(key => equal(x[key] ?? null, y[key] ?? null))
  }
  if (Array.isArray(a) && Array.isArray(b))
    return a.length === b.length && a.every((v, i) => equal(v, b[i] ?? null))
  return a === b
}
