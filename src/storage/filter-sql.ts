// The filter tree as SQL over a resource row `r`: the second reader of scim/filter.ts, which must agree with
// scim/filter-match.ts on every filter and resource (test/storage/filter-agreement.test.ts).
// Every atom is two-valued (IS, or ifnull), because `not` of an unknown would otherwise lose rows.
import { type SQL, sql } from 'drizzle-orm'
import type { Attribute } from '../scim/attribute'
import type { AttributePath } from '../scim/attribute-path'
import type { Comparable } from '../scim/comparable'
import { ScimError } from '../scim/error'
import type { CompareOperator, Filter } from '../scim/filter'
import { absentIsFalse, comparesVersionless } from '../scim/filter-match'
import { VERSION_SEGMENTS, withoutVersion } from '../scim/reference'
import {
  documentValue,
  type ElementSource,
  elementSource,
  type FilterContext,
  foldsCase,
  literal,
  singleValue,
} from './attribute-sql'

/** A condition on the row `r`, true or false, never null. */
export function filterCondition(filter: Filter, context: FilterContext): SQL {
  switch (filter.kind) {
    case 'and':
    case 'or': {
      const operands = filter.operands.map(operand => filterCondition(operand, context))
      return balanced(operands, filter.kind === 'and' ? sql` AND ` : sql` OR `)
    }
    case 'not':
      return sql`NOT ${filterCondition(filter.operand, context)}`
    case 'elements':
      return elementsCondition(filter.path, filter.filter, context)
    case 'compare':
      return compareCondition(filter, context)
    case 'present':
      return presentCondition(filter.path, context)
  }
}

/** A chain of 50 terms as a tree of depth six: D1 refuses expressions deeper than 100. */
function balanced(operands: readonly SQL[], operator: SQL): SQL {
  const [first, second] = operands
  if (first === undefined) return sql`1`
  if (second === undefined) return first
  const middle = Math.ceil(operands.length / 2)
  return sql`(${balanced(operands.slice(0, middle), operator)}${operator}${balanced(operands.slice(middle), operator)})`
}

type Comparison = Extract<Filter, { kind: 'compare' }>

function compareCondition(filter: Comparison, context: FilterContext): SQL {
  const { path, operator, value } = filter
  if (value === null) {
    const present = presentCondition(path, context)
    return operator === 'ne' ? present : sql`NOT ${present}`
  }
  const source = elementSource(path, context)
  const leaf = path.subAttribute ?? path.attribute
  if (!source) return comparison(comparedSingle(path, context), leaf, operator, value)
  const element = comparedElement(path, source)
  if (operator !== 'ne')
    return sql`EXISTS (SELECT 1 ${source.from} AND ${elementComparison(filter, value, source)})`
  // `ne`: no value at all, or one that differs.
  return sql`(NOT EXISTS (SELECT 1 ${source.from} AND ${element} IS NOT NULL)
    OR EXISTS (SELECT 1 ${source.from} AND ${element} IS NOT NULL AND ${comparison(element, leaf, 'ne', value)}))`
}

/** One element against one value, or an only element that lacks it where the filter says so. */
function elementComparison(
  { path, operator, orSole }: Comparison,
  value: Comparable,
  source: ElementSource,
): SQL {
  const element = comparedElement(path, source)
  const compared = comparison(element, path.subAttribute ?? path.attribute, operator, value)
  if (!orSole || !source.count) return compared
  return sql`(${compared} OR (${element} IS NULL AND ${source.count} = 1))`
}

/** An element of a list, or a complex value, has the value false for a `primary` that it lacks. */
function comparedElement(path: AttributePath, source: ElementSource): SQL {
  const value = source.value(path.subAttribute)
  return absentIsFalse(path) ? sql`ifnull(${value}, 0)` : value
}

function comparedSingle(path: AttributePath, context: FilterContext): SQL {
  const value = singleValue(path, context)
  if (!absentIsFalse(path)) return value
  return sql`(CASE WHEN ${documentValue(path)} IS NOT NULL THEN ifnull(${value}, 0) END)`
}

function presentCondition(path: AttributePath, context: FilterContext): SQL {
  const source = elementSource(path, context)
  if (!source) return notEmpty(singleValue(path, context))
  if (path.attribute.type !== 'complex' || path.subAttribute)
    return sql`EXISTS (SELECT 1 ${source.from} AND ${notEmpty(source.value(path.subAttribute))})`
  return sql`EXISTS (SELECT 1 ${source.from})`
}

function elementsCondition(path: AttributePath, filter: Filter, context: FilterContext): SQL {
  const source = elementSource(path, context)
  if (source) return sql`EXISTS (SELECT 1 ${source.from} AND ${onElement(filter, source)})`
  const single: ElementSource = {
    from: sql``,
    order: sql``,
    value: sub => singleValue(sub ? { ...path, subAttribute: sub } : path, context),
  }
  return sql`(${onElement(filter, single)} AND ${presentCondition(path, context)})`
}

/** The filter inside brackets: every path is of the one element (RFC-100). */
function onElement(filter: Filter, source: ElementSource): SQL {
  switch (filter.kind) {
    case 'and':
    case 'or': {
      const operands = filter.operands.map(operand => onElement(operand, source))
      return balanced(operands, filter.kind === 'and' ? sql` AND ` : sql` OR `)
    }
    case 'not':
      return sql`NOT ${onElement(filter.operand, source)}`
    case 'compare': {
      const { path, operator, value } = filter
      if (value !== null) return elementComparison(filter, value, source)
      const present = notEmpty(source.value(path.subAttribute))
      return operator === 'ne' ? present : sql`NOT ${present}`
    }
    case 'present':
      return notEmpty(source.value(filter.path.subAttribute))
    case 'elements':
      throw new ScimError(400, 'invalidFilter', 'Brackets inside brackets are not allowed.')
  }
}

/** One value against one value; `expression` may be null, which equals nothing and differs from everything. */
function comparison(
  expression: SQL,
  attribute: Attribute,
  operator: CompareOperator,
  value: Comparable,
): SQL {
  const versionless = comparesVersionless(attribute, operator) && typeof value === 'string'
  const operand = typeof value === 'boolean' ? Number(value) : versionless ? withoutVersion(value) : value
  const left = comparedForm(expression, attribute, versionless)
  switch (operator) {
    case 'eq':
      return sql`(${left} IS ${operand})`
    case 'ne':
      return sql`(${left} IS NOT ${operand})`
    case 'gt':
      return sql`ifnull(${left} > ${operand}, 0)`
    case 'ge':
      return sql`ifnull(${left} >= ${operand}, 0)`
    case 'lt':
      return sql`ifnull(${left} < ${operand}, 0)`
    case 'le':
      return sql`ifnull(${left} <= ${operand}, 0)`
    case 'co':
      return sql`ifnull(instr(${left}, ${operand}) > 0, 0)`
    case 'sw':
      return sql`ifnull(substr(${left}, 1, ${codePoints(operand)}) = ${operand}, 0)`
    case 'ew':
      // substr(x, -0) would be the whole text.
      return operand === ''
        ? sql`(${left} IS NOT NULL)`
        : sql`ifnull(substr(${left}, ${codePoints(operand, -1)}) = ${operand}, 0)`
  }
}

function comparedForm(expression: SQL, attribute: Attribute, versionless: boolean): SQL {
  if (versionless)
    return VERSION_SEGMENTS.reduce(
      (uri, segment) => sql`replace(${uri}, ${literal(segment)}, '/')`,
      expression,
    )
  return foldsCase(attribute) ? sql`lower(${expression})` : expression
}

/** A length as SQL text: one parameter less of the hundred that D1 takes. */
function codePoints(operand: string | number, sign = 1): SQL {
  return sql.raw(String(sign * [...String(operand)].length))
}

function notEmpty(expression: SQL): SQL {
  return sql`ifnull(${expression} <> '', 0)`
}
