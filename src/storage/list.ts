// A page of a list: by position or by what came last, filtered, sorted, at a cost that does not grow with the list
// where an index can answer.
import { type SQL, sql } from 'drizzle-orm'
import type { AttributePath } from '../scim/attribute-path'
import type { Filter } from '../scim/filter'
import { elementSource, type FilterContext, foldsCase, singleValue } from './attribute-sql'
import { filterCondition } from './filter-sql'
import { filterHits, lastModifiedBound } from './lookup'
import { withinBytes } from './page-bytes'
import { type Along, BLOCK_SIZES, resourceColumns } from './resources'

export interface Sort {
  readonly path: AttributePath
  readonly descending: boolean
}

/** Where a page goes on: behind this row of the same list in the same order. */
export interface Position {
  readonly serial: number
  /** What it is sorted by; null where it has no value, absent where the order is the list's own. */
  readonly key?: string | number | null
}

export interface Page {
  readonly filter: Filter | undefined
  readonly sort: Sort | undefined
  /** A 1-based index, or the row behind which the page begins. */
  readonly from: number | Position
  readonly count: number
  readonly along: Along
}

/** `resources r WHERE …`, and the `serial` to order them by. */
interface ListRows {
  readonly rows: SQL
  readonly serial: SQL
}

/** Two statements: the page (rows for `readResource`, with `sort_key` and `fits`), and one row with the `total` of all matches. */
export function selectPage(page: Page, scope: string, context: FilterContext): [SQL, SQL] {
  const list = rowsOf(page.filter, scope, context)
  const { sort, count, along } = page
  const select = (limit: SQL) =>
    sort ? sortedPage(page, sort, limit, list.rows, context) : ownOrder(page, limit, list, scope, context)
  const { tenantId, type } = context
  return [
    withinBytes(select, { tenantId, type: type.name, scope, count, memberships: along.memberships }),
    page.filter ? sql`SELECT count(*) AS total FROM ${list.rows}` : liveOf(scope, context),
  ]
}

/** In order of creation. */
function ownOrder(
  { filter, from, along }: Page,
  limit: SQL,
  { rows, serial }: ListRows,
  scope: string,
  context: FilterContext,
): SQL {
  const columns = resourceColumns(along)
  if (typeof from !== 'number')
    return sql`SELECT ${columns} FROM ${rows} AND ${serial} > ${from.serial} ORDER BY ${serial} LIMIT ${limit}`
  if (filter) return sql`SELECT ${columns} FROM ${rows} ORDER BY ${serial} LIMIT ${limit} OFFSET ${from - 1}`
  return sql`${seek(from, scope, context)} SELECT ${columns} FROM ${rows} AND r.serial >= (SELECT serial FROM seek)
    ORDER BY r.serial LIMIT ${limit} OFFSET (SELECT skip FROM seek)`
}

function liveOf(scope: string, { tenantId, type }: FilterContext): SQL {
  return sql`SELECT live AS total FROM totals
    WHERE tenant_id = ${tenantId} AND type = ${type.name} AND scope = ${scope}`
}

/**
 * Sorted by a value, resources without one last (descending: first), equal ones in order of creation (RFC-111).
 * Only ids and keys are sorted; the documents of the page are read afterwards.
 */
function sortedPage(
  page: Page,
  { path, descending }: Sort,
  limit: SQL,
  rows: SQL,
  context: FilterContext,
): SQL {
  const key = sortKey(path, context)
  const direction = descending ? sql` DESC` : sql``
  const by = (name: SQL, serial: SQL) => sql`${name} IS NULL${direction}, ${name}${direction}, ${serial}`
  const behind = typeof page.from === 'number' ? sql`` : sql` AND ${behindKey(key, page.from, descending)}`
  const offset = typeof page.from === 'number' ? page.from - 1 : 0
  return sql`SELECT ${resourceColumns(page.along)}, page.sort_key FROM (
      SELECT r.id AS id, r.serial AS serial, ${key} AS sort_key FROM ${rows}${behind}
      ORDER BY ${by(sql`sort_key`, sql`r.serial`)} LIMIT ${limit} OFFSET ${offset}) page
    CROSS JOIN resources r WHERE r.tenant_id = ${context.tenantId} AND r.id = page.id
    ORDER BY ${by(sql`page.sort_key`, sql`page.serial`)}`
}

/** The rows that come after the position in the order of `sortedPage`. */
function behindKey(key: SQL, { key: last = null, serial }: Position, descending: boolean): SQL {
  const tie = sql`(${key} IS ${last} AND r.serial > ${serial})`
  if (last === null) return descending ? sql`(${tie} OR ${key} IS NOT NULL)` : tie
  return descending
    ? sql`(${tie} OR ifnull(${key} < ${last}, 0))`
    : sql`(${tie} OR ${key} IS NULL OR ${key} > ${last})`
}

/** A multi-valued attribute is sorted by its primary element, else by its first (RFC-111). */
function sortKey(path: AttributePath, context: FilterContext): SQL {
  const source = elementSource(path, context)
  const primary = path.attribute.subAttributes?.find(sub => sub.name === 'primary')
  const main = primary && source ? sql`ifnull(${source.value(primary)}, 0) DESC, ` : sql``
  const value = source
    ? sql`(SELECT ${source.value(path.subAttribute)} ${source.from} ORDER BY ${main}${source.order} LIMIT 1)`
    : singleValue(path, context)
  return foldsCase(path.subAttribute ?? path.attribute) ? sql`lower(${value})` : value
}

/** `resources r WHERE …` of the whole list or of the matches, and the `serial` to order them by. */
function rowsOf(filter: Filter | undefined, scope: string, context: FilterContext): ListRows {
  if (filter) return matchingRows(filter, scope, context)
  const rows = sql`resources r WHERE r.tenant_id = ${context.tenantId} AND r.type = ${context.type.name}
    AND r.scope = ${scope}`
  return { rows, serial: sql`r.serial` }
}

/**
 * `resources r WHERE …`, led by an index where the filter has an equality or a bound that one answers, and the
 * `serial` to order them by: the list's own index would serve the order and let SQLite read every row of the
 * list, and the plus sign forbids it.
 */
function matchingRows(filter: Filter, scope: string, context: FilterContext): ListRows {
  const hits = filterHits(filter, context)
  const bound = hits ? undefined : lastModifiedBound(filter)
  const from = hits
    ? sql`(${hits}) hit CROSS JOIN resources r WHERE r.id = hit.id AND`
    : sql`resources r WHERE`
  const rows = sql`${from} r.tenant_id = ${context.tenantId} AND r.type = ${context.type.name} AND r.scope = ${scope}
    ${bound ? sql`AND ${bound}` : sql``} AND ${filterCondition(filter, context)}`
  return { rows, serial: hits || bound ? sql`+r.serial` : sql`r.serial` }
}

/**
 * From a position in the list to a serial, without counting the rows before it: serials are given in order, and
 * `gaps` counts those that are gone, block by block. The position is in the first block that does not end before
 * it; of the largest blocks, then of the smaller ones inside that, so that a place costs a few hundred rows at
 * most, whatever the list holds. Only inside a smallest block that has gaps are rows skipped.
 */
function seek(position: number, scope: string, { tenantId, type }: FilterContext): SQL {
  // One text for every position, so that the statement is prepared once; D1 binds numbers as floating point.
  const p = sql`CAST(${position} AS INTEGER)`
  const gapsOfSize = (size: SQL) =>
    sql`gaps g WHERE g.tenant_id = ${tenantId} AND g.type = ${type.name} AND g.scope = ${scope} AND g.size = ${size}`
  const steps = BLOCK_SIZES.map((blockSize, i) => {
    const [from, gone, to] = [sql.raw(`at${i}`), sql.raw(`gone${i}`), sql.raw(`at${i + 1}`)]
    const size = sql.raw(String(blockSize))
    const inside = sql.raw(String((BLOCK_SIZES[i - 1] ?? Number.MAX_SAFE_INTEGER) / blockSize))
    return sql`${gone} AS (SELECT g.block, a.gone + sum(g.gone) OVER (ORDER BY g.block) AS so_far
        FROM ${from} a CROSS JOIN ${gapsOfSize(size)}
          AND g.block >= a.block * ${inside} AND g.block < (a.block + 1) * ${inside}),
      ${to} AS MATERIALIZED (SELECT gone, (${p} + gone - 1) / ${size} AS block FROM (
        SELECT coalesce(max(so_far), (SELECT gone FROM ${from})) AS gone FROM ${gone}
        WHERE (block + 1) * ${size} - so_far < ${p}))`
  })
  const smallest = sql.raw(String(BLOCK_SIZES.at(-1)))
  const at = sql.raw(`at${BLOCK_SIZES.length}`)
  return sql`WITH at0 AS (SELECT 0 AS gone, 0 AS block), ${sql.join(steps, sql`, `)},
    seek AS MATERIALIZED (SELECT iif(has_gaps, block * ${smallest} + 1, ${p} + gone) AS serial,
      iif(has_gaps, ${p} - 1 - block * ${smallest} + gone, 0) AS skip
      FROM (SELECT gone, block, EXISTS (SELECT 1 FROM ${gapsOfSize(smallest)} AND g.block = a.block) AS has_gaps
        FROM ${at} a))`
}
