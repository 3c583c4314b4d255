// "remove" with a list of values, as Entra and JumpCloud send it: just these elements go (RFC-150).
import { type Attribute, subAttribute } from './attribute'
import { type AttributePath, formatPath } from './attribute-path'
import { isList, own } from './canonical'
import { comparable } from './comparable'
import { ScimError } from './error'
import type { Interop } from './interop'
import { clip, isObject, type Json } from './json'

/** RFC-146: the value of an operation on a list may be one element. */
export function asList(value: Json): Json {
  return isList(value) || value === null || value === '' ? value : [value]
}

/** What is listed without saying which element is meant removes nothing: never more than was asked for. */
export function withoutListed(
  elements: readonly Json[],
  path: AttributePath,
  value: Json,
  interop: Interop,
): readonly Json[] {
  const at = formatPath(path)
  if (!interop.allows('remove-listed', at))
    throw new ScimError(
      400,
      'invalidValue',
      `${clip(at)}: remove takes no value; select with a filter in the path.`,
    )
  const given = asList(value)
  const wanted = isList(given) ? given.flatMap(item => criteriaOf(path.attribute, item)) : []
  const kept = elements.filter(element => !wanted.some(criteria => meets(path.attribute, element, criteria)))
  return kept.length === elements.length ? elements : kept
}

/** What an element must have, by sub-attribute; for a simple attribute by the attribute itself. */
type Criteria = ReadonlyMap<Attribute, Json>

function criteriaOf(attribute: Attribute, item: Json): Criteria[] {
  const main = subAttribute(attribute, 'value')
  if (attribute.type !== 'complex') return usable(new Map([[attribute, item]]))
  if (!isObject(item)) return main ? usable(new Map([[main, item]])) : []
  const given = new Map<Attribute, Json>()
  for (const [key, part] of Object.entries(item)) {
    const sub = subAttribute(attribute, key)
    if (sub && part !== null && part !== '') given.set(sub, part)
  }
  if (!main) return usable(given)
  if (!given.has(main)) return []
  // The other sub-attributes only describe the value, and may be out of date.
  return usable(new Map([...given].filter(([sub]) => sub === main || sub.name === 'type')))
}

function usable(criteria: Criteria): Criteria[] {
  const comparables = [...criteria].every(([attribute, value]) => comparable(attribute, value) !== undefined)
  return criteria.size > 0 && comparables ? [criteria] : []
}

function meets(attribute: Attribute, element: Json, criteria: Criteria): boolean {
  return [...criteria].every(([wanted, value]) => {
    const found = wanted === attribute ? element : isObject(element) ? own(element, wanted.name) : undefined
    return comparable(wanted, found) === comparable(wanted, value)
  })
}
