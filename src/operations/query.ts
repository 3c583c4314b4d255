// A list (RFC 7644 §3.4.2, §3.4.3): one round trip for credential, page, total and members.
import { ScimError } from '../scim/error'
import type { ListQuery } from '../scim/list-query'
import type { ResourceType } from '../scim/schema'
import { readResource, scopeOf, selectPage } from '../storage/resources'
import { wantsMembers, wantsMemberships } from './retrieve'
import { filterContextOf, type Tenant } from './tenant'
import { membersStatement, type Views, viewsOf } from './view'

export interface ListResult extends Views {
  readonly total: number
}

/** Throws 400 invalidFilter for a filter that D1 cannot take; it never answers more than was asked for. */
export async function query(tenant: Tenant, type: ResourceType, list: ListQuery): Promise<ListResult> {
  const wanted = wantsMembers(type, list.projection) && list.count > 0
  const page = { ...list, memberships: wantsMemberships(type, list.projection) }
  const [select, count] = selectPage(
    page,
    scopeOf(type, tenant.connectionId ?? ''),
    filterContextOf(tenant, type),
  )
  const statements = [select, count, ...membersStatement(tenant, type, wanted, select)]
  const [rows, total, members] = await tenant.database.batch(statements).catch(error => {
    throw tooComplex(error)
      ? new ScimError(400, 'invalidFilter', 'The filter is too complex; use fewer terms.')
      : error
  })
  const stored = (rows?.rows ?? []).map(readResource)
  return {
    ...viewsOf(tenant, type, stored, wanted, members),
    total: Number(total?.rows[0]?.total ?? 0),
  }
}

/** D1's limits on one statement, should a filter within our own limits still meet one. */
function tooComplex(error: unknown): boolean {
  return (
    error instanceof Error &&
    /Expression tree is too large|too many SQL variables|parser stack overflow|too long/.test(error.message)
  )
}
