// The bytes of a page: a page ends before its documents are too much for an isolate, whatever was asked for.
import { type SQL, sql } from 'drizzle-orm'
import type { Row } from './tenant-database'

/** An isolate has 128 MB for all that it does at once, and a document becomes objects and text again in it. */
export const MAX_PAGE_BYTES = 8_000_000
/** A thousand documents of this size are a page's bytes; `resources_large` is the index of those that are larger. */
const LARGE = sql.raw('8000')

export interface PageOfList {
  readonly tenantId: string
  /** Name of the resource type. */
  readonly type: string
  readonly scope: string
  readonly count: number | SQL
  readonly memberships: boolean
  /** How many pages are read at once: each has its share of the bytes. At most 8, so that any document fits. */
  readonly shares?: number
}

/**
 * The rows of a statement, in its order, as far as their documents are a page's bytes together, and the first one
 * beyond, which only tells that there is more (`fits`). Adding up makes SQLite handle each row twice more, so it is
 * done only where the list has large documents: the statement is there twice, and one of the two has the limit 0.
 */
export function withinBytes(page: (limit: SQL) => SQL, list: PageOfList): SQL {
  const { tenantId, type, scope, count, memberships, shares = 1 } = list
  const isLarge = sql`EXISTS (SELECT 1 FROM resources WHERE tenant_id = ${tenantId} AND type = ${type}
    AND scope = ${scope} AND octet_length(document) > ${LARGE})`
  const bytes = sql.raw(`octet_length(document)${memberships ? ' + octet_length(memberships)' : ''}`)
  const most = sql.raw(String(Math.floor(MAX_PAGE_BYTES / shares)))
  return sql`SELECT *, 0 AS bytes, 0 AS bytes_so_far, 1 AS fits FROM (${page(sql`iif(${isLarge}, 0, ${count})`)})
    UNION ALL SELECT *, bytes_so_far <= ${most} AS fits FROM (
      SELECT *, ${bytes} AS bytes, sum(${bytes}) OVER (ROWS UNBOUNDED PRECEDING) AS bytes_so_far
      FROM (${page(sql`iif(${isLarge}, ${count}, 0)`)}))
    WHERE bytes_so_far - bytes <= ${most}`
}

/** False of the row beyond the page. */
export function fits(row: Row): boolean {
  return row.fits !== 0
}
