// The operator's list of the people of a tenant: pages by key, whatever their connection.
import { type SQL, sql } from 'drizzle-orm'
import type { Filter } from '../scim/filter'
import type { FilterContext } from './filter-sql'
import { matchingRows, resourceColumns } from './resources'

/** Rows for `readResource`, in order of creation, behind the serial of the page before. */
export function pageOfUsers(
  filter: Filter | undefined,
  afterSerial: number,
  limit: number,
  context: FilterContext,
): SQL {
  const { rows, serial } = filter ? matchingRows(filter, '', context) : everybody(context)
  return sql`SELECT ${resourceColumns(false)} FROM ${rows} AND ${serial} > ${afterSerial}
    ORDER BY ${serial} LIMIT ${limit}`
}

function everybody({ tenantId, type }: FilterContext): { rows: SQL; serial: SQL } {
  const rows = sql`resources r WHERE r.tenant_id = ${tenantId} AND r.type = ${type.name} AND r.scope = ''`
  return { rows, serial: sql`r.serial` }
}
