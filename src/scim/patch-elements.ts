// A PATCH step on the elements that a value filter selects, or on one sub-attribute of all of them.
// Elements are told apart by identity, never by index (RFC-161).
import { type Attribute, subAttribute } from './attribute'
import { formatPath } from './attribute-path'
import { normaliseValue, readSubValues } from './attribute-value'
import { isList, own } from './canonical'
import { comparable } from './comparable'
import { addElements, refuseSeveralPrimary, settleElements } from './elements'
import { ScimError } from './error'
import type { Filter } from './filter'
import { matchesElement } from './filter-match'
import type { Interop } from './interop'
import { clip, isObject, type Json } from './json'
import { asList } from './patch-listed'
import type { PatchStep } from './patch-op'
import { isDerived } from './reference'
import { composeComplex, mergeSubValues, refuseImmutable, type SubValues, subValuesOf } from './sub-values'

export function matchedAfter(current: readonly Json[], step: PatchStep, interop: Interop): readonly Json[] {
  const elements = withSoleType(current, step, interop)
  const alone = elements.length === 1
  const matched = new Set(
    elements.filter(element => !step.filter || matchesElement(step.filter, element, alone)),
  )
  if (step.filter && interop.mode === 'strict') refuseInStrict(matched.size, step)
  if (matched.size === 0) return step.op === 'remove' ? elements : created(elements, step, interop)
  const touched = new Set<Json>()
  const after = elements.flatMap(element => {
    if (!matched.has(element)) return [element]
    const changed = elementAfter(element, step, interop)
    if (changed === undefined) return []
    touched.add(changed)
    return [changed]
  })
  const { subAttribute: _, ...list } = step.path
  refuseSeveralPrimary(list.attribute, [...touched], formatPath(list), interop)
  return settleElements(step.path.attribute, after, touched)
}

/** The only element without a type takes the one that the filter looks for, rather than get another beside it. */
function withSoleType(elements: readonly Json[], step: PatchStep, interop: Interop): readonly Json[] {
  const [only] = elements
  const { filter, path } = step
  const type = subAttribute(path.attribute, 'type')
  if (!filter || !type || only === undefined || elements.length > 1) return elements
  const { soleType } = path.attribute
  const values = subValuesOf(path.attribute, only)
  if (soleType === undefined || values.has(type) || !matchesElement(filter, only, true)) return elements
  if (matchesElement(filter, only) || !interop.allows('sole-type', formatPath(path))) return elements
  const typed = composeComplex(path.attribute, new Map([...values, [type, soleType]]))
  return typed ? [typed] : elements
}

/** RFC-229: one element, one sub-attribute. A remove takes whole elements. */
function refuseInStrict(matches: number, step: PatchStep): void {
  const at = clip(formatPath(step.path))
  if (step.op === 'remove') {
    if (matches === 0) throw noTarget(step)
    return
  }
  if (!step.path.subAttribute)
    throw new ScimError(400, 'invalidPath', `${at}[…] must name a sub-attribute behind the brackets.`)
  if (matches > 1)
    throw new ScimError(
      400,
      'invalidFilter',
      `The filter selects ${matches} elements of ${at}; it must select one.`,
    )
}

function elementAfter(element: Json, step: PatchStep, interop: Interop): Json | undefined {
  const { op, path } = step
  if (op === 'remove' && !path.subAttribute) return undefined
  if (path.attribute.type !== 'complex')
    return simpleElement(step, interop) ?? (op === 'add' ? element : undefined)
  const given = givenSubValues(element, step, interop)
  if (!given) return op === 'add' ? element : undefined
  // RFC-158: the value takes the element's place; what the filter found it by stays, unless it is given anew.
  const replaced = op === 'replace' && !path.subAttribute
  const after = replaced
    ? composeComplex(path.attribute, new Map([...foundBy(element, step), ...given]))
    : mergeSubValues(path.attribute, element, given)
  refuseImmutable(path, element, after)
  return after
}

/** undefined when the step's value is unassigned. */
function givenSubValues(holder: Json | undefined, step: PatchStep, interop: Interop): SubValues | undefined {
  const { path, value = null } = step
  if (path.subAttribute) return givenSubValue(path.subAttribute, holder, step, interop)
  return readSubValues(path.attribute, value, formatPath(path), interop)
}

function simpleElement({ path, value = null }: PatchStep, interop: Interop): Json | undefined {
  return normaliseValue({ ...path.attribute, multiValued: false }, value, formatPath(path), interop)
}

function foundBy(element: Json, { path, filter }: PatchStep): SubValues {
  const named = new Set(filter ? comparedIn(filter) : [])
  return new Map([...subValuesOf(path.attribute, element)].filter(([sub]) => named.has(sub)))
}

function comparedIn(filter: Filter): readonly (Attribute | undefined)[] {
  if ('operands' in filter) return filter.operands.flatMap(comparedIn)
  return 'operand' in filter ? comparedIn(filter.operand) : [filter.path.subAttribute]
}

/** RFC-159: no such element yet. Every identity provider expects that it is made; the RFC alone says noTarget. */
function created(elements: readonly Json[], step: PatchStep, interop: Interop): readonly Json[] {
  const { attribute } = step.path
  const equal = equalities(step, interop)
  if (!equal || (step.filter && !interop.allows('create-on-miss', formatPath(step.path))))
    throw noTarget(step)
  const element = createdElement(equal, step, interop)
  return element === undefined ? elements : addElements(attribute, elements, [element])
}

function createdElement(equal: SubValues, step: PatchStep, interop: Interop): Json | undefined {
  if (step.path.attribute.type !== 'complex') return simpleElement(step, interop)
  const given = new Map(givenSubValues(undefined, step, interop) ?? [])
  const saysSomething = [...given.values()].some(value => value !== undefined)
  return saysSomething ? composeComplex(step.path.attribute, new Map([...equal, ...given])) : undefined
}

/** The sub-attributes of an element that a conjunction of `eq` describes; undefined for any other filter. */
function equalities({ path, filter, quoted = [] }: PatchStep, interop: Interop): SubValues | undefined {
  const equal = new Map<Attribute, Json>()
  if (!filter) return equal
  for (const operand of filter.kind === 'and' ? filter.operands : [filter]) {
    if (operand.kind !== 'compare' || operand.operator !== 'eq' || operand.value === null) return undefined
    const sub = operand.path.subAttribute
    if (!sub) continue
    const at = formatPath({ ...path, subAttribute: sub })
    const value = normaliseValue(sub, spelling(sub, operand.value, quoted), at, interop)
    if (sub.mutability === 'readOnly' || value === undefined || equal.has(sub)) return undefined
    equal.set(sub, value)
  }
  return equal
}

/** The filter compares folded text; the element gets what the schema or the client spelt. */
function spelling(sub: Attribute, value: string | number | boolean, quoted: readonly string[]): Json {
  if (typeof value === 'boolean') return value
  const spelt = [...(sub.canonicalValues ?? []), ...quoted].find(text => comparable(sub, text) === value)
  return spelt ?? value
}

function noTarget(step: PatchStep): ScimError {
  return new ScimError(
    400,
    'noTarget',
    `${clip(formatPath(step.path))}: no element is selected by the filter.`,
  )
}

/** The sub-attribute that the path names and what the step makes of it in `holder`, the value it is part of. */
export function givenSubValue(
  sub: Attribute,
  holder: Json | undefined,
  step: PatchStep,
  interop: Interop,
): SubValues {
  const { op, path, value = null } = step
  const current = isObject(holder) ? own(holder, sub.name) : undefined
  const given =
    op === 'remove'
      ? undefined
      : normaliseValue(sub, sub.multiValued ? asList(value) : value, formatPath(path), interop)
  // A `value` that was never there takes nothing with it, and nothing added to a list leaves it as it is.
  const isThere = current !== undefined || isDerived(sub, path.attribute)
  if (given === undefined && (!isThere || (op === 'add' && sub.multiValued))) return new Map()
  const appends = op === 'add' && isList(given) && isList(current)
  return new Map([[sub, appends ? addElements(sub, current, given) : given]])
}
