// The mass-deprovision breaker as rows: its settings, the ring by which it counts, and the statements by which a write
// asks it and is counted. Each looks at a handful of rows, whatever the threshold.
import { type SQL, sql } from 'drizzle-orm'

export interface BreakerRow {
  readonly enabled: number
  readonly threshold: number
  readonly windowMinutes: number
  readonly trippedAt: number | null
}

export interface BreakerSettings {
  readonly enabled: boolean
  readonly threshold: number
  readonly windowMinutes: number
}

/** One row, or none where it was never set. */
export function selectBreaker(tenantId: string): SQL {
  return sql`SELECT enabled, threshold, window_minutes AS "windowMinutes", tripped_at AS "trippedAt"
    FROM breakers WHERE tenant_id = ${tenantId}`
}

/**
 * Sets the breaker, unless the tenant is being deleted. Another threshold, or being switched on, begins the count anew;
 * being switched off ends the trip.
 */
export function putBreaker(tenantId: string, { enabled, threshold, windowMinutes }: BreakerSettings): SQL[] {
  return [
    sql`INSERT INTO breakers (tenant_id, enabled, threshold, window_minutes, losses, tripped_at, round)
      SELECT tenant_id, ${Number(enabled)}, ${threshold}, ${windowMinutes}, 0, NULL, 0
      FROM tenants WHERE tenant_id = ${tenantId} AND status <> 'deleting'
      ON CONFLICT DO UPDATE SET enabled = excluded.enabled, threshold = excluded.threshold,
        window_minutes = excluded.window_minutes, tripped_at = iif(excluded.enabled, tripped_at, NULL),
        losses = iif(enabled = excluded.enabled AND threshold = excluded.threshold, losses, 0)`,
    sql`DELETE FROM access_losses WHERE tenant_id = ${tenantId} AND slot >= ${threshold}`,
  ]
}

/**
 * Of the breaker `b`: one more loss is above the threshold. The place in the ring that comes next has the loss of as
 * long ago as the threshold counts.
 */
function isFull(now: number): SQL {
  return sql`(b.losses >= b.threshold AND EXISTS (SELECT 1 FROM access_losses l
    WHERE l.tenant_id = b.tenant_id AND l.slot = b.losses % b.threshold AND l.at > ${now} - 60000 * b.window_minutes))`
}

/** What a DELETE has to expect. One row, `tripped` and `full`; none where the breaker is off. */
export function selectBreakerState(tenantId: string, now: number): SQL {
  return sql`SELECT b.tripped_at IS NOT NULL AS tripped, ${isFull(now)} AS "full" FROM breakers b
    WHERE b.tenant_id = ${tenantId} AND b.enabled = 1`
}

/**
 * Rolls the batch back ('stale') when the breaker does not say any more what it said: whether the DELETE, which takes
 * access away or does not, is held.
 */
export function requireHeld(tenantId: string, loses: boolean, now: number, held: boolean): SQL {
  const full = loses ? sql` OR ${isFull(now)}` : sql``
  return sql`INSERT INTO aborts (tenant_id, reason) SELECT ${tenantId}, 'stale_version'
    WHERE ${Number(held)} <> EXISTS (SELECT 1 FROM breakers b
      WHERE b.tenant_id = ${tenantId} AND b.enabled = 1 AND (b.tripped_at IS NOT NULL${full}))`
}

/** Somebody loses access: it trips, or the loss is counted. Once it has tripped there is nothing to count. */
export function countLoss(tenantId: string, now: number): SQL[] {
  const counting = sql`tenant_id = ${tenantId} AND enabled = 1 AND tripped_at IS NULL`
  return [
    sql`UPDATE breakers AS b SET tripped_at = ${now} WHERE ${counting} AND ${isFull(now)}`,
    sql`INSERT INTO access_losses (tenant_id, slot, at)
      SELECT tenant_id, losses % threshold, ${now} FROM breakers WHERE ${counting}
      ON CONFLICT DO UPDATE SET at = excluded.at`,
    sql`UPDATE breakers SET losses = losses + 1 WHERE ${counting}`,
  ]
}

/** Goes right behind the job that does what the operator has decided, and does nothing if there is none. */
export function beginNextRound(tenantId: string): SQL {
  return sql`UPDATE breakers SET tripped_at = NULL, losses = 0, round = round + 1
    WHERE tenant_id = ${tenantId} AND changes() > 0`
}
