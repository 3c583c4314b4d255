// The operator's list of the people of a tenant: pages by key, whatever their connection.
import { type SQL, sql } from 'drizzle-orm'
import type { Filter } from '../scim/filter'
import type { FilterContext } from './attribute-sql'
import { rowsOf } from './list'
import { withinBytes } from './page-bytes'
import { ALONE, resourceColumns } from './resources'

/** Rows for `readResource`, with `fits`, in order of creation, behind the serial of the page before. */
export function pageOfUsers(
  filter: Filter | undefined,
  afterSerial: number,
  count: number,
  context: FilterContext,
): SQL {
  const { rows, serial } = rowsOf(filter, '', context)
  const page = (
    limit: SQL,
  ) => sql`SELECT ${resourceColumns(ALONE)} FROM ${rows} AND ${serial} > ${afterSerial}
    ORDER BY ${serial} LIMIT ${limit}`
  const { tenantId, type } = context
  return withinBytes(page, { tenantId, type: type.name, scope: '', count, memberships: false })
}
