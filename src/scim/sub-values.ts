// The sub-attributes of one complex value, by Attribute: read from a document, merged, and made a value again.
import { type Attribute, subAttribute } from './attribute'
import { type AttributePath, formatPath } from './attribute-path'
import { own, sameJson } from './canonical'
import { ScimError } from './error'
import { clip, isObject, type Json, type JsonObject } from './json'
import { idInReference } from './reference'

/** undefined for a sub-attribute that is given as unassigned. */
export type SubValues = ReadonlyMap<Attribute, Json | undefined>

export function subValuesOf(attribute: Attribute, value: Json | undefined): SubValues {
  const values = new Map<Attribute, Json>()
  for (const sub of attribute.subAttributes ?? []) {
    const item = isObject(value) ? own(value, sub.name) : undefined
    if (item !== undefined) values.set(sub, item)
  }
  return values
}

/**
 * In the schema's order; undefined when nothing is left. Type, display and the like describe a value: when
 * `value` is emptied they describe nothing and go too.
 */
export function composeComplex(attribute: Attribute, given: SubValues): JsonObject | undefined {
  const values = withOneName(attribute, given)
  const main = subAttribute(attribute, 'value')
  if (main && values.has(main) && values.get(main) === undefined) return undefined
  const composed: Record<string, Json> = {}
  for (const sub of attribute.subAttributes ?? []) {
    const value = values.get(sub)
    if (value !== undefined) composed[sub.name] = value
  }
  return Object.keys(composed).length === 0 ? undefined : composed
}

/** RFC-147, RFC-157: what is given is set, the rest is left. */
export function mergeSubValues(
  attribute: Attribute,
  before: Json | undefined,
  subValues: SubValues,
): JsonObject | undefined {
  const given = withOneName(attribute, subValues)
  const values = new Map([...subValuesOf(attribute, before), ...given])
  dropStaleReference(attribute, before, given, values)
  return composeComplex(attribute, values)
}

/**
 * Of an attribute that refers to a resource, `value` and `$ref` are two names of the same; what is kept is the id.
 * Given both, `value` counts.
 */
function withOneName(attribute: Attribute, values: SubValues): SubValues {
  const main = subAttribute(attribute, 'value')
  const reference = subAttribute(attribute, '$ref')
  if (!attribute.refersTo || !main || !reference || !values.has(reference)) return values
  const one = new Map(values)
  one.delete(reference)
  if (!one.has(main)) one.set(main, namedBy(values.get(reference), attribute.refersTo))
  return one
}

function namedBy(reference: Json | undefined, { name, endpoint }: { name: string; endpoint: string }) {
  const id = idInReference(reference)
  if (reference === undefined || id !== undefined) return id
  throw new ScimError(400, 'invalidValue', `$ref must be the URI of a ${name}, such as ..${endpoint}/{id}.`)
}

/** `$ref` is the URI of what `value` names: it cannot outlive it. */
function dropStaleReference(
  attribute: Attribute,
  before: Json | undefined,
  given: SubValues,
  values: Map<Attribute, Json | undefined>,
): void {
  const main = subAttribute(attribute, 'value')
  const reference = subAttribute(attribute, '$ref')
  if (!main || !reference || given.has(reference) || !given.has(main)) return
  if (!sameJson(subValuesOf(attribute, before).get(main), given.get(main))) values.delete(reference)
}

/** RFC-42: an immutable sub-attribute can be given once; it goes only with its whole value. */
export function refuseImmutable(
  path: AttributePath,
  before: Json | undefined,
  after: Json | undefined,
): void {
  if (after === undefined) return
  const values = subValuesOf(path.attribute, after)
  for (const [sub, value] of subValuesOf(path.attribute, before))
    if (sub.mutability === 'immutable' && !sameJson(value, values.get(sub)))
      throw new ScimError(
        400,
        'mutability',
        `${clip(formatPath({ ...path, subAttribute: sub }))} is immutable: it has a value already and cannot change.`,
      )
}
