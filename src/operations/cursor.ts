// Cursors of lists (RFC 9865): where to go on, sealed, so that they tell and grant nothing.
import { formatPath } from '../scim/attribute-path'
import { ScimError } from '../scim/error'
import { formatFilter } from '../scim/filter'
import { CURSOR_SECONDS, type ListQuery } from '../scim/list-query'
import type { ResourceType } from '../scim/schema'
import { sha256Hex } from '../storage/keys'
import type { Position } from '../storage/list'
import type { Tenant } from './tenant'

interface Cursor extends Position {
  /** Of filter and order: a cursor goes on with the same question only. */
  readonly question: string
  /** Milliseconds. */
  readonly issuedAt: number
}

export async function makeCursor(
  tenant: Tenant,
  type: ResourceType,
  list: ListQuery,
  last: Position,
): Promise<string> {
  const cursor: Cursor = { ...last, question: await questionOf(list), issuedAt: tenant.now }
  return tenant.keys.seal(JSON.stringify(cursor), contextOf(tenant, type))
}

/**
 * The position a cursor stands for. Throws 400 invalidCursor for one that is forged, another tenant's, another
 * connection's, another list's or another question's, all alike, and expiredCursor for one that is too old.
 */
export async function readCursor(
  tenant: Tenant,
  type: ResourceType,
  list: ListQuery,
  text: string,
): Promise<Position> {
  const opened = await tenant.keys.open(text, contextOf(tenant, type)).catch(() => undefined)
  const cursor = opened === undefined ? undefined : (JSON.parse(opened) as Cursor)
  if (cursor?.question !== (await questionOf(list)))
    throw new ScimError(400, 'invalidCursor', 'The cursor is not one of this list; begin again without it.')
  if (tenant.now - cursor.issuedAt > CURSOR_SECONDS * 1000)
    throw new ScimError(
      400,
      'expiredCursor',
      `The cursor is older than ${CURSOR_SECONDS} s; begin again without it.`,
    )
  return cursor
}

function contextOf(tenant: Tenant, type: ResourceType): string {
  return `cursor:${tenant.id}:${tenant.connectionId}:${type.name}`
}

function questionOf({ filter, sort }: ListQuery): Promise<string> {
  const order = sort ? `${formatPath(sort.path)} ${sort.descending}` : ''
  return sha256Hex(new TextEncoder().encode(`${filter ? formatFilter(filter) : ''}\n${order}`))
}
