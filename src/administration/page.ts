// Pages of a list: a cursor in, items and the next cursor out. One row more than asked for tells if there are more.
import type { Service } from '../env'
import { makeCursor, type Position, readCursor } from '../storage/page-cursor'
import { Problem } from './problem'

export interface PageRequest {
  readonly cursor?: string | undefined
  readonly limit: number
}

export interface Page<Item> {
  readonly items: Item[]
  readonly nextCursor?: string
}

/** What a list is made of. `name` and `owner` (a tenant's id) bind its cursors to it. */
export interface List<Row, Item> {
  readonly name: string
  readonly owner: string
  /** At most `limit` rows behind the position (from the start without one). */
  readonly read: (after: Position | undefined, limit: number) => Promise<readonly Row[] | Stretch<Row>>
  /** Absent where all do; false of a row that is there only to tell that there is more. */
  readonly fits?: (row: Row) => boolean
  readonly position: (row: Row) => Position
  readonly item: (row: Row) => Item
}

/** Rows of a part of the list that a page does not look beyond; `upTo`: where that ends, if the list goes on. */
interface Stretch<Row> {
  readonly rows: readonly Row[]
  readonly upTo: Position | undefined
}

/** Throws 400 for a cursor that is not of this list. */
export async function readPage<Row, Item>(
  service: Service,
  list: List<Row, Item>,
  { cursor, limit }: PageRequest,
): Promise<Page<Item>> {
  const key = `${list.name} ${list.owner}`
  const after = cursor === undefined ? undefined : await readCursor(service.keys, key, cursor)
  if (cursor !== undefined && !after) throw badCursor()
  const found = await list.read(after, limit + 1)
  const { rows, upTo } = 'rows' in found ? found : { rows: found, upTo: undefined }
  const shown = rows.slice(0, limit).filter(row => list.fits?.(row) ?? true)
  const last = rows.length > shown.length ? shown.at(-1) : undefined
  const next = last === undefined ? upTo : list.position(last)
  return {
    items: shown.map(list.item),
    ...(next !== undefined && { nextCursor: await makeCursor(service.keys, key, next) }),
  }
}

export function badCursor(): Problem {
  return new Problem(400, 'The cursor is not one of this list. Use nextCursor of the page before, unchanged.')
}

/** The position of a list that is ordered by one text. */
export function textPosition(after: Position | undefined): string {
  return String(after?.[0] ?? '')
}
