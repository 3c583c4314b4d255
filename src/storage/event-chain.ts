// The chain of a tenant's events: what is not sealed yet, the end of what is, and the events of a range with their links.
import { type SQL, sql } from 'drizzle-orm'
import { abortUnlessChanged } from './resources'
import type { Row } from './tenant-database'

/** Where the chain ends: the event that was sealed last. */
export interface ChainHead {
  readonly sequence: number
  readonly hash: string
}

/** What an event's hash is made of, as the table has it. */
export interface LinkRow {
  readonly sequence: number
  readonly id: string
  readonly type: string
  readonly txn: string
  readonly userId: string | null
  readonly groupId: string | null
  readonly connectionId: string | null
  /** Milliseconds. */
  readonly occurredAt: number
  /** JSON. */
  readonly data: string
  /** JSON. */
  readonly origin: string | null
  /** Null: not sealed. */
  readonly hash: string | null
}

/** Events that one statement reads, and their data together: an event of a thousand members is large. */
export const LINKS = 500
const MAX_BYTES = sql.raw('4000000')

export const linkColumns = sql.raw(`sequence, id, type, txn, user_id AS "userId", group_id AS "groupId",
  connection_id AS "connectionId", occurred_at AS "occurredAt", data, origin, hash`)

export function selectChainHead(tenantId: string): SQL {
  return sql`SELECT sequence, hash FROM event_chain WHERE tenant_id = ${tenantId}`
}

export function chainHeadOf(row: Row | undefined): ChainHead | undefined {
  return row && { sequence: Number(row.sequence), hash: String(row.hash) }
}

/** The first that are not sealed, in order. */
export function selectUnsealed(tenantId: string): SQL {
  return withinBytes(sql`SELECT ${linkColumns} FROM events INDEXED BY unsealed_events
    WHERE tenant_id = ${tenantId} AND hash IS NULL ORDER BY sequence LIMIT ${LINKS}`)
}

/** From `from` on, in order, as far as one statement goes; `to` is the last one wanted. */
export function selectLinks(tenantId: string, from: number, to: number): SQL {
  return withinBytes(sql`SELECT ${linkColumns} FROM events
    WHERE tenant_id = ${tenantId} AND sequence BETWEEN ${from} AND ${to} ORDER BY sequence LIMIT ${LINKS}`)
}

function withinBytes(links: SQL): SQL {
  const size = sql`octet_length(data)`
  return sql`SELECT * FROM (SELECT *, ${size} AS bytes, sum(${size}) OVER (ROWS UNBOUNDED PRECEDING) AS so_far
    FROM (${links})) WHERE so_far - bytes <= ${MAX_BYTES}`
}

export function linksOf(rows: readonly Row[] | undefined): readonly LinkRow[] {
  return (rows ?? []) as unknown as LinkRow[]
}

/**
 * Seals events behind the head as it was read: the batch is rolled back ('stale') when somebody else was faster. A
 * tenant that has gone meanwhile gets no row.
 */
export function sealLinks(
  tenantId: string,
  before: string,
  links: readonly Pick<LinkRow, 'sequence' | 'hash'>[],
): SQL[] {
  const last = links.at(-1)
  const sealed = JSON.stringify(Object.fromEntries(links.map(({ sequence, hash }) => [sequence, hash])))
  return [
    sql`INSERT INTO event_chain (tenant_id, sequence, hash)
      SELECT tenant_id, ${last?.sequence ?? 0}, ${last?.hash ?? ''} FROM tenants WHERE tenant_id = ${tenantId}
      ON CONFLICT (tenant_id) DO UPDATE SET sequence = excluded.sequence, hash = excluded.hash
        WHERE event_chain.hash = ${before}`,
    abortUnlessChanged(tenantId),
    sql`UPDATE events SET hash = ${sealed} ->> ('$."' || sequence || '"')
      WHERE tenant_id = ${tenantId} AND sequence BETWEEN ${links[0]?.sequence ?? 0} AND ${last?.sequence ?? 0}
        AND hash IS NULL`,
  ]
}
