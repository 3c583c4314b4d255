// The operator's list of the people of a tenant: pages by key, whatever their connection.
import { type SQL, sql } from 'drizzle-orm'
import type { Filter } from '../scim/filter'
import { type FilterContext, filterCondition } from './filter-sql'
import { boundedByLastModified, filterHits } from './lookup'

/** Rows for `readResource`, in order of creation, behind the serial of the page before. */
export function pageOfUsers(
  filter: Filter | undefined,
  afterSerial: number,
  limit: number,
  context: FilterContext,
): SQL {
  const hits = filter && filterHits(filter, context)
  // With few candidates the list's own index would only serve the order, by reading the whole list.
  const bounded = hits !== undefined || (filter !== undefined && boundedByLastModified(filter))
  const serial = bounded ? sql`+r.serial` : sql`r.serial`
  const from = hits
    ? sql`(${hits}) hit CROSS JOIN resources r WHERE r.id = hit.id AND`
    : sql`resources r WHERE`
  return sql`SELECT r.id, r.type, r.scope, r.serial, r.connection_id, r.document, r.version, r.created_at,
      r.last_modified, r.sessions_not_before, r.session_epoch
    FROM ${from} r.tenant_id = ${context.tenantId} AND r.type = ${context.type.name} AND r.scope = ''
      AND ${serial} > ${afterSerial} ${filter ? sql`AND ${filterCondition(filter, context)}` : sql``}
    ORDER BY ${serial} LIMIT ${limit}`
}
