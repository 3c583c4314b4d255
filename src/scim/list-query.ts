// What a list is asked for, from the URL (RFC 7644 §3.4.2) or a SearchRequest (§3.4.3).
import { ScimError } from './error'
import { type Filter, parseFilter } from './filter'
import type { Interop } from './interop'
import { clip, isObject, type Json } from './json'
import { type Projection, readProjection } from './returned'
import type { ResourceType } from './schema'

export const SEARCH_SCHEMA = 'urn:ietf:params:scim:api:messages:2.0:SearchRequest'

export interface ListQuery {
  readonly filter: Filter | undefined
  /** 1-based. */
  readonly startIndex: number
  /** Between 0 and the service's maximum. */
  readonly count: number
  readonly projection: Projection
}

export interface PageLimits {
  readonly defaultCount: number
  readonly maxCount: number
}

/** Unknown parameters are ignored (RFC-89); so are `sortBy` and `sortOrder` (sort is not offered). */
export function listQueryFromUrl(
  parameters: URLSearchParams,
  type: ResourceType,
  interop: Interop,
  limits: PageLimits,
): ListQuery {
  return {
    filter: filterOf(parameter(parameters, 'filter'), type, interop),
    startIndex: startIndexOf(parameter(parameters, 'startIndex')),
    count: countOf(parameter(parameters, 'count'), limits),
    projection: projectionFromUrl(parameters, type, interop),
  }
}

export function projectionFromUrl(
  parameters: URLSearchParams,
  type: ResourceType,
  interop: Interop,
): Projection {
  return readProjection(
    parameter(parameters, 'attributes') ?? undefined,
    parameter(parameters, 'excludedAttributes') ?? undefined,
    type,
    interop,
  )
}

/**
 * A parameter by its name in any case: a misspelt `Filter` that is ignored would answer with everybody. Given twice
 * it could be read two ways, so it is refused.
 */
export function parameter(parameters: URLSearchParams, name: string): string | null {
  const values = [...parameters].flatMap(([key, value]) =>
    key.toLowerCase() === name.toLowerCase() ? [value] : [],
  )
  if (values.length > 1)
    throw new ScimError(
      400,
      name === 'filter' ? 'invalidFilter' : 'invalidValue',
      `"${name}" is given twice.`,
    )
  return values[0] ?? null
}

/** Keys are matched as they are spelt in the RFC, without case. */
export function listQueryFromSearch(
  body: Json,
  type: ResourceType,
  interop: Interop,
  limits: PageLimits,
): ListQuery {
  if (!isObject(body)) throw new ScimError(400, 'invalidSyntax', 'A SearchRequest is a JSON object.')
  const fields = new Map(Object.entries(body).map(([key, value]) => [key.toLowerCase(), value]))
  const schemas = fields.get('schemas')
  if (!(Array.isArray(schemas) && schemas.includes(SEARCH_SCHEMA)) && !interop.allows('missing-schemas'))
    throw new ScimError(400, 'invalidSyntax', `"schemas" must contain ${SEARCH_SCHEMA}.`)
  return {
    filter: filterOf(text(fields.get('filter'), 'filter'), type, interop),
    startIndex: startIndexOf(number(fields.get('startindex'), 'startIndex')),
    count: countOf(number(fields.get('count'), 'count'), limits),
    projection: readProjection(
      names(fields.get('attributes'), 'attributes'),
      names(fields.get('excludedattributes'), 'excludedAttributes'),
      type,
      interop,
    ),
  }
}

function filterOf(value: string | null, type: ResourceType, interop: Interop): Filter | undefined {
  return value === null ? undefined : parseFilter(value, type, interop)
}

/** Less than 1 is 1 (RFC-112). */
function startIndexOf(value: string | null): number {
  return value === null ? 1 : Math.max(1, integer(value, 'startIndex'))
}

/** Negative is 0 (RFC-113); more than the maximum is answered with fewer (RFC-232). */
function countOf(value: string | null, limits: PageLimits): number {
  if (value === null) return limits.defaultCount
  return Math.min(limits.maxCount, Math.max(0, integer(value, 'count')))
}

function integer(value: string, name: string): number {
  if (!/^[+-]?\d{1,15}$/.test(value))
    throw new ScimError(400, 'invalidValue', `"${name}" must be an integer, not "${clip(value)}".`)
  return Number(value)
}

function text(value: Json | undefined, name: string): string | null {
  if (value === undefined || value === null) return null
  if (typeof value !== 'string') throw new ScimError(400, 'invalidValue', `"${name}" must be a string.`)
  return value
}

function number(value: Json | undefined, name: string): string | null {
  if (value === undefined || value === null) return null
  if (typeof value !== 'number' && typeof value !== 'string')
    throw new ScimError(400, 'invalidValue', `"${name}" must be an integer.`)
  return String(value)
}

function names(value: Json | undefined, name: string): readonly string[] | undefined {
  if (value === undefined || value === null) return undefined
  const list = typeof value === 'string' ? [value] : value
  if (!Array.isArray(list) || !list.every(item => typeof item === 'string'))
    throw new ScimError(400, 'invalidValue', `"${name}" must be an array of attribute names.`)
  return list
}
