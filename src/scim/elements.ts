// The elements of a multi-valued attribute as a set: which are the same, and which one is primary
// (RFC 7643 §2.4).
import { type Attribute, subAttribute } from './attribute'
import { canonicalText, own } from './canonical'
import { comparable } from './comparable'
import { ScimError } from './error'
import type { Interop } from './interop'
import { clip, isObject, type Json, type JsonObject } from './json'

/** Elements of one attribute. Members are not among them: they are rows. */
export const MAX_ELEMENTS = 1_000

interface Entry {
  readonly element: Json
  /** When it was written last: the elements just touched come after all others. */
  readonly written: number
  /** When it was last said to be primary; -1: never. */
  readonly chosen: number
}

/**
 * Makes the list a set. The same value under the same type is one element (RFC-18): what was touched last
 * decides its other sub-attributes. At most one element stays primary (RFC-15): the one last said to be it.
 */
export function settleElements(
  attribute: Attribute,
  elements: readonly Json[],
  touched: ReadonlySet<Json> = new Set(elements),
): readonly Json[] {
  const entries = new Map<string, Entry>()
  elements.forEach((element, index) => {
    const written = touched.has(element) ? index + elements.length : index
    const entry = { element, written, chosen: isPrimary(element) ? written : -1 }
    const identity = identityOf(attribute, element)
    const earlier = entries.get(identity)
    entries.set(identity, earlier ? merged(earlier, entry) : entry)
  })
  if (entries.size > MAX_ELEMENTS)
    throw new ScimError(400, 'invalidValue', `${attribute.name} may have at most ${MAX_ELEMENTS} values.`)
  return onePrimary([...entries.values()])
}

/** RFC 7644 §3.5.2.1: `added` comes after what is there, without duplicates. */
export function addElements(
  attribute: Attribute,
  current: readonly Json[],
  added: readonly Json[],
): readonly Json[] {
  return settleElements(attribute, [...current, ...added], new Set(added))
}

/** RFC-15: of what is given at once one element is primary; by tolerance the last of those that say so. */
export function refuseSeveralPrimary(
  attribute: Attribute,
  given: readonly Json[],
  at: string,
  interop: Interop,
): void {
  const primaries = given.filter(isPrimary)
  if (primaries.length < 2) return
  if (new Set(primaries.map(element => identityOf(attribute, element))).size < 2) return
  if (!interop.allows('several-primary', at))
    throw new ScimError(
      400,
      'invalidValue',
      `${clip(at)} may have one value with primary true, and several were sent.`,
    )
}

/** Value and type where there is a value, else the whole element. */
function identityOf(attribute: Attribute, element: Json): string {
  if (!isObject(element)) return canonicalText(comparable(attribute, element) ?? element)
  const value = comparableSub(attribute, element, 'value')
  if (value === undefined) return canonicalText(element)
  return canonicalText([value, comparableSub(attribute, element, 'type') ?? null])
}

function comparableSub(attribute: Attribute, element: JsonObject, name: string): Json | undefined {
  const sub = subAttribute(attribute, name)
  return sub && comparable(sub, own(element, sub.name))
}

/** Simple values that compare equal keep the spelling that was there. */
function merged(earlier: Entry, later: Entry): Entry {
  if (!isObject(earlier.element) || !isObject(later.element)) return earlier
  const written = Math.max(earlier.written, later.written)
  const chosen = Math.max(earlier.chosen, later.chosen)
  return earlier.written > later.written
    ? { element: { ...later.element, ...earlier.element }, written, chosen }
    : { element: { ...earlier.element, ...later.element }, written, chosen }
}

function onePrimary(entries: readonly Entry[]): readonly Json[] {
  const primaries = entries.filter(({ element }) => isPrimary(element))
  if (primaries.length < 2) return entries.map(({ element }) => element)
  const latest = primaries.reduce((a, b) => (b.chosen > a.chosen ? b : a))
  return entries.map(entry =>
    entry === latest || !isObject(entry.element) || !isPrimary(entry.element)
      ? entry.element
      : { ...entry.element, primary: false },
  )
}

function isPrimary(element: Json): boolean {
  return isObject(element) && own(element, 'primary') === true
}
