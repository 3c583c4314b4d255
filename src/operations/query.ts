// A list (RFC 7644 §3.4.2, §3.4.3; RFC 9865): one round trip for credential, page, total and members.
import { ScimError } from '../scim/error'
import type { ListQuery } from '../scim/list-query'
import type { ResourceType } from '../scim/schema'
import { type Position, selectPage } from '../storage/list'
import { fits } from '../storage/page-bytes'
import { readResource, scopeOf } from '../storage/resources'
import type { Row } from '../storage/tenant-database'
import { makeCursor, readCursor } from './cursor'
import { refuseComplexFilter } from './refusal'
import { alongOf, wantsMembers } from './retrieve'
import { filterContextOf, type Tenant } from './tenant'
import { membersStatement, type Views, viewsOf } from './view'

export interface ListResult extends Views {
  readonly total: number
  /** The page ends before its count, because its documents are large: what follows is the next page. */
  readonly cut: boolean
  /** Where the client pages by cursor and there is more. */
  readonly nextCursor: string | undefined
}

/** Throws 400 invalidFilter for a filter that D1 cannot take; it never answers more than was asked for. */
export async function query(tenant: Tenant, type: ResourceType, list: ListQuery): Promise<ListResult> {
  refuseNotOffered(tenant, list)
  const wanted = wantsMembers(type, list.projection) && list.count > 0
  const page = {
    ...list,
    from: await firstOf(tenant, type, list),
    along: alongOf(type, list.projection),
  }
  const scope = scopeOf(type, tenant.connectionId ?? '')
  const context = filterContextOf(tenant, type)
  const [select, count] = selectPage(page, scope, context)
  // One row more than the page tells whether there is another page.
  const [ahead] =
    list.cursor === undefined ? [select] : selectPage({ ...page, count: list.count + 1 }, scope, context)
  const statements = [ahead, count, ...membersStatement(tenant, type, wanted, select)]
  const [rows, total, members] = await tenant.database.batch(statements).catch(refuseComplexFilter)
  const found = rows?.rows ?? []
  const shown = found.slice(0, list.count).filter(fits)
  return {
    ...viewsOf(tenant, type, shown.map(readResource), wanted, members),
    total: Number(total?.rows[0]?.total ?? 0),
    cut: !found.every(fits),
    nextCursor: await nextCursor(tenant, type, list, shown.at(-1), found.length > shown.length),
  }
}

/** What the tenant's profile turns off is never answered as if it had not been asked for. */
function refuseNotOffered({ application }: Tenant, { sort, cursor }: ListQuery): void {
  const { features } = application.profile
  if (sort && !features.sort)
    throw new ScimError(501, undefined, 'Sorting is not offered: leave out "sortBy".')
  if (cursor !== undefined && !features.cursor)
    throw new ScimError(400, 'invalidCursor', 'Cursors are not offered: page by "startIndex" and "count".')
}

async function firstOf(tenant: Tenant, type: ResourceType, list: ListQuery): Promise<number | Position> {
  if (list.cursor === undefined) return list.startIndex
  return list.cursor === '' ? 1 : readCursor(tenant, type, list, list.cursor)
}

async function nextCursor(
  tenant: Tenant,
  type: ResourceType,
  list: ListQuery,
  last: Row | undefined,
  more: boolean,
): Promise<string | undefined> {
  if (list.cursor === undefined || !last || !more) return undefined
  const key = last.sort_key
  const position = {
    serial: Number(last.serial),
    ...(list.sort && { key: typeof key === 'string' || typeof key === 'number' ? key : null }),
  }
  return makeCursor(tenant, type, list, position)
}
