// What is due in a whole database, over all its tenants: the only statements that are bound to none.
import type { DeliveryKey } from './deliveries'

/** What was taken is looked at again after this long, should its message be lost as well. */
const TAKE_AGAIN_MS = 60_000
/** Rows a statement takes: it stays far from D1's limits, and the caller comes again. */
export const SWEEP_ROWS = 1_000
export const PRUNE_ROWS = 5_000

/** Deliveries whose message must be taken for lost: the oldest first, at most SWEEP_ROWS. */
export async function takeDueDeliveries(d1: D1Database, now: number): Promise<readonly DeliveryKey[]> {
  const { results } = await d1
    .prepare(
      `UPDATE deliveries SET wake_at = ?2
        WHERE rowid IN (SELECT rowid FROM deliveries WHERE wake_at <= ?1 ORDER BY wake_at LIMIT ?3)
        RETURNING tenant_id AS tenantId, sequence, receiver_id AS receiverId`,
    )
    .bind(now, now + TAKE_AGAIN_MS, SWEEP_ROWS)
    .run<DeliveryKey>()
  return results
}

/**
 * Deliveries that sessions have waited for since before `before`, the longest wait first, at most SWEEP_ROWS: the keys
 * only, and nothing is taken. What becomes of one is decided in its tenant's own batch.
 */
export async function findOverdue(d1: D1Database, before: number): Promise<readonly DeliveryKey[]> {
  const { results } = await d1
    .prepare(
      `SELECT tenant_id AS tenantId, sequence, receiver_id AS receiverId
        FROM deliveries WHERE watch_from <= ?1 ORDER BY watch_from LIMIT ?2`,
    )
    .bind(before, SWEEP_ROWS)
    .run<DeliveryKey>()
  return results
}

/** Jobs whose next step never came: the oldest first, at most SWEEP_ROWS. */
export async function takeDueJobs(
  d1: D1Database,
  now: number,
): Promise<readonly { tenantId: string; jobId: string }[]> {
  const { results } = await d1
    .prepare(
      `UPDATE jobs SET wake_at = ?2
        WHERE rowid IN (SELECT rowid FROM jobs WHERE wake_at <= ?1 ORDER BY wake_at LIMIT ?3)
        RETURNING tenant_id AS tenantId, id AS jobId`,
    )
    .bind(now, now + TAKE_AGAIN_MS, SWEEP_ROWS)
    .run<{ tenantId: string; jobId: string }>()
  return results
}

/** Tenants that have events which are not sealed: one step of the index a tenant, however many events wait. */
export async function takeUnsealedTenants(d1: D1Database): Promise<readonly string[]> {
  const after = (id: string) => `(SELECT tenant_id FROM events INDEXED BY unsealed_events
    WHERE hash IS NULL AND tenant_id > ${id} ORDER BY tenant_id LIMIT 1)`
  const { results } = await d1
    .prepare(
      `WITH RECURSIVE unsealed (id) AS (SELECT ${after("''")} UNION ALL
          SELECT ${after('unsealed.id')} FROM unsealed WHERE id IS NOT NULL LIMIT ?1)
        SELECT id FROM unsealed WHERE id IS NOT NULL`,
    )
    .bind(SWEEP_ROWS)
    .run<{ id: string }>()
  return results.map(({ id }) => id)
}

/** What is kept for a time only, with the column that tells when a row came. */
const passing = { activity: 'at', pending_members: 'created_at', kill_times: 'hour * 3600000' } as const

/**
 * Deletes rows of before `before`; returns how many. It needs no index on the time: rows are only ever
 * appended, so the lowest rowids are the oldest, and the search ends with the first PRUNE_ROWS of them.
 */
export async function pruneRows(
  d1: D1Database,
  table: keyof typeof passing,
  before: number,
): Promise<number> {
  // Not meta.changes, which counts what triggers change as well.
  const { results } = await d1
    .prepare(
      `DELETE FROM ${table}
        WHERE rowid IN (SELECT rowid FROM ${table} ORDER BY rowid LIMIT ?2) AND ${passing[table]} < ?1
        RETURNING 1`,
    )
    .bind(before, PRUNE_ROWS)
    .run()
  return results.length
}

/** Deletes the revocations of users who were deleted before `before`; returns how many rows. */
export async function pruneRevocations(d1: D1Database, before: number): Promise<number> {
  const { meta } = await d1
    .prepare(
      `DELETE FROM revocations
        WHERE rowid IN (SELECT rowid FROM revocations WHERE deleted_at < ?1 ORDER BY deleted_at LIMIT ?2)`,
    )
    .bind(before, PRUNE_ROWS)
    .run()
  return meta.changes
}
