// What one step of a PATCH makes of the value of one attribute (RFC 7644 §3.5.2.1 add, §3.5.2.2 remove,
// §3.5.2.3 replace).
import type { Attribute } from './attribute'
import { type AttributePath, formatPath } from './attribute-path'
import { normaliseValue, readSubValues } from './attribute-value'
import { isList } from './canonical'
import { addElements } from './elements'
import { ScimError } from './error'
import type { Filter } from './filter'
import { matchesElement } from './filter-match'
import type { Interop } from './interop'
import { clip, type Json } from './json'
import { givenSubValue, matchedAfter } from './patch-elements'
import { asList, withoutListed } from './patch-listed'
import type { PatchStep } from './patch-op'
import { isDerived } from './reference'
import { composeComplex, mergeSubValues } from './sub-values'

/** The value after the step; undefined is unassigned, and the very same value means that nothing changes. */
export function valueAfter(before: Json | undefined, step: PatchStep, interop: Interop): Json | undefined {
  if (!step.path.attribute.multiValued) return singleAfter(before, step, interop)
  const elements = isList(before) ? before : []
  const selects = step.filter !== undefined || step.path.subAttribute !== undefined
  const after = selects ? matchedAfter(elements, step, interop) : listAfter(elements, step, interop)
  if (after === elements) return before
  return after.length === 0 ? undefined : after
}

function singleAfter(before: Json | undefined, step: PatchStep, interop: Interop): Json | undefined {
  const { op, path, filter, value = null } = step
  const at = formatPath(path)
  if (filter) refuseDerived(filter, path.attribute)
  if (filter && (before === undefined || !matchesElement(filter, before))) {
    if (op === 'remove' && interop.mode === 'compat') return before
    throw new ScimError(400, 'noTarget', `${clip(at)} has no value that the filter selects.`)
  }
  if (path.subAttribute)
    return mergeSubValues(path.attribute, before, givenSubValue(path.subAttribute, before, step, interop))
  if (op === 'remove') return undefined
  if (path.attribute.type !== 'complex') return normaliseValue(path.attribute, value, at, interop)
  const given = readSubValues(path.attribute, value, at, interop)
  if (!given) return undefined
  // RFC-157 merges; for the interop profile a replace takes the place of the whole value (RFC-228).
  const whole = op === 'replace' && interop.mode === 'strict'
  return whole ? composeComplex(path.attribute, given) : mergeSubValues(path.attribute, before, given)
}

/** What the service says of the resource referred to is not there to be compared before it is answered. */
function refuseDerived(filter: Filter, attribute: Attribute): void {
  if (!pathsIn(filter).some(({ subAttribute: sub }) => sub && isDerived(sub, attribute))) return
  throw new ScimError(400, 'invalidFilter', `${attribute.name} is selected by its value, the id.`)
}

function pathsIn(filter: Filter): readonly AttributePath[] {
  if ('operands' in filter) return filter.operands.flatMap(pathsIn)
  return 'operand' in filter ? pathsIn(filter.operand) : [filter.path]
}

function listAfter(elements: readonly Json[], step: PatchStep, interop: Interop): readonly Json[] {
  const { op, path, value } = step
  if (op === 'remove') return value === undefined ? [] : withoutListed(elements, path, value, interop)
  const given = normaliseValue(path.attribute, asList(value ?? null), formatPath(path), interop)
  if (op === 'replace') return isList(given) ? given : []
  return isList(given) ? addElements(path.attribute, elements, given) : elements
}
