// What a request is refused for by the tables and their limits, in words for the client.
import { ScimError } from '../scim/error'
import { MAX_PENDING_MEMBERS, type MemberChange, memberTypes } from '../scim/member-change'
import { changedAttributes, type Resource } from '../scim/resource'
import type { ResourceType } from '../scim/schema'
import { addedIds, selectUnknown } from '../storage/members'
import { failure } from '../storage/tenant-database'
import type { Tenant } from './tenant'

/** A resource document in bytes of JSON; D1 takes two million a row, which may hold a second, folded copy. */
export const MAX_DOCUMENT_BYTES = 1_000_000

/** 413 for a document over the limit; members are not part of it. */
export function refuseLargeDocument(resource: Resource): void {
  const text = JSON.stringify(resource)
  // A UTF-16 unit is at most three bytes.
  if (text.length * 3 <= MAX_DOCUMENT_BYTES) return
  const bytes = new TextEncoder().encode(text).length
  if (bytes > MAX_DOCUMENT_BYTES)
    throw new ScimError(
      413,
      undefined,
      `The resource has ${bytes} bytes of JSON; at most ${MAX_DOCUMENT_BYTES} are stored.`,
    )
}

/** The one 409 of a taken unique value: names the attributes, never whose they are. */
export function taken(type: ResourceType, attributes: readonly string[]): ScimError {
  return new ScimError(
    409,
    'uniqueness',
    `Another ${type.name} already has this ${attributes.join(' or this ')}.`,
  )
}

export function changedUniques(
  type: ResourceType,
  before: Resource,
  { resource, givesExternalId }: { resource: Resource; givesExternalId?: boolean },
): string[] {
  const changed = new Set(changedAttributes(before, resource, type))
  if (givesExternalId) changed.add('externalId')
  return type.lookups.filter(lookup => lookup.unique && changed.has(lookup.path)).map(lookup => lookup.path)
}

/**
 * Turns the refusal of unknown members into a 400 that names them, and of too many who are awaited into one that names
 * the limit; any other error of the tables goes on.
 */
export async function refuse(
  tenant: Tenant,
  type: ResourceType,
  changes: readonly MemberChange[],
  error: unknown,
): Promise<never> {
  if (isTooBig(error)) throw tooBig()
  if (failure(error) === 'pending') throw tooManyPending()
  if (failure(error) !== 'unknown') throw error
  const [unknown] = await tenant.database.batch([selectUnknown(tenant.id, type, addedIds(changes))])
  const ids = (unknown?.rows ?? []).map(row => String(row.id))
  const quoted = ids.slice(0, 10).join(', ')
  throw new ScimError(
    400,
    'invalidValue',
    `members: no ${memberTypes(type).join(' or ')} of this tenant has the id ${quoted}${ids.length > 10 ? ' and others' : ''}. Nothing was changed.`,
    {},
    quoted,
  ).about('unknown-members')
}

function tooManyPending(): ScimError {
  return new ScimError(
    400,
    'invalidValue',
    `members: at most ${MAX_PENDING_MEMBERS} members can be named before they are provisioned. Nothing was changed.`,
  ).about('too-many-awaited')
}

/** D1's two million bytes for a row or a parameter: folding may double a document, and ids may be long. */
function isTooBig(error: unknown): boolean {
  return error instanceof Error && /SQLITE_TOOBIG|string or blob too big/.test(error.message)
}

function tooBig(): ScimError {
  return new ScimError(
    413,
    undefined,
    `The request is too large to be stored at once. Send fewer members, or less than ${MAX_DOCUMENT_BYTES} bytes of attributes.`,
  )
}

/** D1's limits on one statement, should a filter within our own limits still meet one; any other error as it is. */
export function refuseComplexFilter(error: unknown): never {
  const meetsLimit =
    error instanceof Error &&
    /Expression tree is too large|too many SQL variables|parser stack overflow|too long/.test(error.message)
  throw meetsLimit
    ? new ScimError(400, 'invalidFilter', 'The filter is too complex; use fewer terms.')
    : error
}
