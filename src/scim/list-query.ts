// What a list is asked for, from the URL (RFC 7644 §3.4.2) or a SearchRequest (§3.4.3).
import { subAttribute } from './attribute'
import { type AttributePath, resolvePath } from './attribute-path'
import { ScimError, type ScimType } from './error'
import { type Filter, parseFilter } from './filter'
import type { Interop } from './interop'
import { clip, isObject, type Json } from './json'
import { type Projection, readProjection } from './returned'
import type { ResourceType } from './schema'

export const SEARCH_SCHEMA = 'urn:ietf:params:scim:api:messages:2.0:SearchRequest'

/** How long a cursor can be gone on from (RFC 9865 §4 cursorTimeout). */
export const CURSOR_SECONDS = 3600

export interface ListQuery {
  readonly filter: Filter | undefined
  readonly sort: { readonly path: AttributePath; readonly descending: boolean } | undefined
  /** 1-based. */
  readonly startIndex: number
  /** Given, perhaps empty, when the client pages by cursor (RFC 9865 §2): then startIndex counts for nothing. */
  readonly cursor: string | undefined
  /** Between 0 and the service's maximum. */
  readonly count: number
  readonly projection: Projection
}

export interface PageLimits {
  readonly defaultCount: number
  readonly maxCount: number
}

/** Unknown parameters are ignored (RFC-89). */
export function listQueryFromUrl(
  parameters: URLSearchParams,
  type: ResourceType,
  interop: Interop,
  limits: PageLimits,
): ListQuery {
  const given = (name: string) => parameter(parameters, name)
  return {
    filter: filterOf(given('filter'), type, interop),
    sort: sortOf(given('sortBy'), given('sortOrder'), type, interop),
    ...placeOf(given('startIndex'), given('cursor'), given('count'), limits),
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
    throw new ScimError(400, 'invalidSyntax', `"schemas" must contain ${SEARCH_SCHEMA}.`).about(
      'unknown-schema',
    )
  return {
    filter: filterOf(text(fields.get('filter'), 'filter'), type, interop),
    sort: sortOf(
      text(fields.get('sortby'), 'sortBy'),
      text(fields.get('sortorder'), 'sortOrder'),
      type,
      interop,
    ),
    ...placeOf(
      number(fields.get('startindex'), 'startIndex'),
      text(fields.get('cursor'), 'cursor'),
      number(fields.get('count'), 'count'),
      limits,
    ),
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

/** By a simple value, ascending unless said otherwise; a complex attribute means its `value` (RFC-111). */
function sortOf(
  by: string | null,
  order: string | null,
  type: ResourceType,
  interop: Interop,
): ListQuery['sort'] {
  if (by === null) return undefined
  const named = resolvePath(by, type, interop)
  const path = named && simplePath(named)
  // The order would tell what is never shown.
  if (!path || path.attribute.returned === 'never' || path.subAttribute?.returned === 'never')
    throw new ScimError(400, 'invalidValue', `"sortBy": ${type.name} has no attribute ${clip(by)}.`)
  return { path, descending: isDescending(order) }
}

function simplePath(path: AttributePath): AttributePath {
  if (path.subAttribute || path.attribute.type !== 'complex') return path
  const value = subAttribute(path.attribute, 'value')
  if (value) return { ...path, subAttribute: value }
  throw new ScimError(400, 'invalidValue', `"sortBy": name a sub-attribute of ${path.attribute.name}.`)
}

function isDescending(order: string | null): boolean {
  const name = order?.toLowerCase() ?? 'ascending'
  if (name !== 'ascending' && name !== 'descending')
    throw new ScimError(400, 'invalidValue', '"sortOrder" must be "ascending" or "descending".')
  return name === 'descending'
}

function placeOf(startIndex: string | null, cursor: string | null, count: string | null, limits: PageLimits) {
  return {
    startIndex: startIndexOf(startIndex),
    cursor: cursor ?? undefined,
    count: countOf(count, limits, cursor === null ? 'invalidValue' : 'invalidCount'),
  }
}

/** Less than 1 is 1 (RFC-112). */
function startIndexOf(value: string | null): number {
  return value === null ? 1 : Math.max(1, integer(value, 'startIndex'))
}

/** Negative is 0 (RFC-113); more than the maximum is answered with fewer (RFC-232). */
function countOf(value: string | null, limits: PageLimits, scimType: ScimType): number {
  if (value === null) return limits.defaultCount
  return Math.min(limits.maxCount, Math.max(0, integer(value, 'count', scimType)))
}

function integer(value: string, name: string, scimType: ScimType = 'invalidValue'): number {
  if (!/^[+-]?\d{1,15}$/.test(value))
    throw new ScimError(400, scimType, `"${name}" must be an integer, not "${clip(value)}".`, {}, clip(value))
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
