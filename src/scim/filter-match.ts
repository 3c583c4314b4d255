// Does a resource, or one element, satisfy a filter (RFC 7644 §3.4.2.2)? storage/filter-sql.ts answers the same:
//
// - Values. The values at a path are its text, numbers and booleans, '' included; null, absent and [] are none.
//   A multi-valued attribute has all its elements' values; with a sub-attribute, each element's that has it.
//   A value of another JSON type than the attribute's is none.
// - eq co sw ew gt ge lt le v: some value satisfies it. Values and v are compared in the form of comparable.ts:
//   text without case is folded, dateTimes are milliseconds, text is ordered by code point, numbers by size.
//   '' is contained in, starts and ends every text.
// - eq and ne of URIs of resources leave out the version segment of both (RFC 7643 §2.4).
// - ne v: there is no value, or some value differs from v. So both `eq v` and `ne v` may hold of a list.
// - pr: something is not empty. '', null, [] and {} are empty, and so is a list or object of nothing else;
//   false and 0 are not. eq null: not pr. ne null: pr.
// - and, or, not: two-valued; nothing is unknown.
// - elements: some element satisfies the whole inner filter by itself; the rules above then see that element
//   alone. A single complex attribute is a list of one.
// - An only element without the sub-attribute satisfies a comparison that is marked so (`orSole`).
// - An element without `primary` has the value false for it (RFC 7643 §2.4), except to pr and null.
import type { Attribute } from './attribute'
import type { AttributePath } from './attribute-path'
import { own } from './canonical'
import { type Comparable, comparable, compareText, valuesOf } from './comparable'
import type { CompareOperator, Filter } from './filter'
import { isObject, type Json, type JsonObject } from './json'
import { isResourceReference, withoutVersion } from './reference'

/** `resource` is a full representation: id, meta, members, groups and extension containers included. */
export function matches(filter: Filter, resource: JsonObject): boolean {
  return holds(filter, path => valuesInResource(path, resource), true)
}

/** `filter` is that of a value path: its paths start at the element; `alone` when there is no other element. */
export function matchesElement(filter: Filter, element: Json, alone = false): boolean {
  return holds(filter, path => valuesInElement(path, element), alone)
}

/** Whether an element that lacks the sub-attribute counts as having false there. */
export function absentIsFalse(path: AttributePath): boolean {
  return path.subAttribute?.name === 'primary' && path.subAttribute.type === 'boolean'
}

/** The values at a path; undefined stands for an element that lacks the sub-attribute. */
type Read = (path: AttributePath) => readonly (Json | undefined)[]

function valuesInResource(path: AttributePath, resource: JsonObject): readonly (Json | undefined)[] {
  const container = path.extension ? own(resource, path.schema.id) : resource
  const elements = isObject(container) ? valuesOf(own(container, path.attribute.name)) : []
  return path.subAttribute ? elements.flatMap(element => valuesInElement(path, element)) : elements
}

function valuesInElement(path: AttributePath, element: Json): readonly (Json | undefined)[] {
  if (!path.subAttribute) return [element]
  if (!isObject(element)) return []
  const values = valuesOf(own(element, path.subAttribute.name))
  return values.length > 0 ? values : [undefined]
}

function holds(filter: Filter, read: Read, alone: boolean): boolean {
  switch (filter.kind) {
    case 'and':
      return filter.operands.every(operand => holds(operand, read, alone))
    case 'or':
      return filter.operands.some(operand => holds(operand, read, alone))
    case 'not':
      return !holds(filter.operand, read, alone)
    case 'present':
      return isPresent(filter.path, read)
    case 'elements': {
      const elements = read(filter.path)
      return elements.some(
        element => element !== undefined && matchesElement(filter.filter, element, elements.length === 1),
      )
    }
    case 'compare':
      if (filter.value === null) return isPresent(filter.path, read) === (filter.operator === 'ne')
      if (filter.orSole && alone && isLacking(read(filter.path))) return true
      return compares(
        comparablesAt(filter.path, read, typeof filter.value),
        filter.operator,
        filter.value,
        comparesVersionless(filter.path.subAttribute ?? filter.path.attribute, filter.operator),
      )
  }
}

/** There is one element, and it lacks the sub-attribute. */
function isLacking(values: readonly (Json | undefined)[]): boolean {
  return values.length === 1 && values[0] === undefined
}

function isPresent(path: AttributePath, read: Read): boolean {
  return !read(path).every(isEmpty)
}

function isEmpty(value: Json | undefined): boolean {
  if (value === undefined || value === null || value === '') return true
  return typeof value === 'object' && Object.values(value).every(isEmpty)
}

function comparablesAt(path: AttributePath, read: Read, type: string): readonly Comparable[] {
  const attribute = path.subAttribute ?? path.attribute
  const absent = absentIsFalse(path) ? false : undefined
  return read(path)
    .map(value => comparable(attribute, value ?? absent))
    .filter(value => value !== undefined)
    .filter(value => typeof value === type)
}

/** Whether the version segment of a URI says nothing to this comparison. */
export function comparesVersionless(attribute: Attribute, operator: CompareOperator): boolean {
  return (operator === 'eq' || operator === 'ne') && isResourceReference(attribute)
}

function compares(
  values: readonly Comparable[],
  operator: CompareOperator,
  wanted: Comparable,
  versionless: boolean,
): boolean {
  if (versionless) return compares(values.map(versionlessForm), operator, versionlessForm(wanted), false)
  if (operator === 'ne') return values.length === 0 || values.some(value => value !== wanted)
  return values.some(value => satisfies(value, operator, wanted))
}

function versionlessForm(value: Comparable): Comparable {
  return typeof value === 'string' ? withoutVersion(value) : value
}

function satisfies(value: Comparable, operator: Exclude<CompareOperator, 'ne'>, wanted: Comparable): boolean {
  switch (operator) {
    case 'eq':
      return value === wanted
    case 'co':
      return String(value).includes(String(wanted))
    case 'sw':
      return String(value).startsWith(String(wanted))
    case 'ew':
      return String(value).endsWith(String(wanted))
    case 'gt':
      return order(value, wanted) > 0
    case 'ge':
      return order(value, wanted) >= 0
    case 'lt':
      return order(value, wanted) < 0
    case 'le':
      return order(value, wanted) <= 0
  }
}

/** Negative, zero or positive; the two are of one type. */
function order(a: Comparable, b: Comparable): number {
  return typeof a === 'string' ? compareText(a, String(b)) : Number(a) - Number(b)
}
