// The circuit of a receiver: one that failed again and again is left alone for a while, and then tried by one delivery.
//
// It is D1's, so every isolate sees it, and its statements are part of the claim's batch and of the result's. It only
// saves calls: what is not sent takes its place in the delivery's schedule as a failed attempt, so that nothing is
// dead sooner or later than without it; and once the receiver answers, all that waits is due at once.
import { type SQL, sql } from 'drizzle-orm'
import { CLOCKS_DIFFER_MS } from './clocks'
import { published, WAKE_AFTER_MS } from './outbox'

/** It opens after so many failures in a row … */
const FAILURES = 10
/** … of so many deliveries … */
const DELIVERIES = 3
/** … over so long: a receiver that is being restarted is tried as its deliveries' schedules say. */
const FAILING_MS = 60_000
/** How long it is left alone at first, twice as long after each probe that fails. */
const FIRST_PAUSE_MS = 30_000
const MAX_PAUSE_MS = 600_000
/** So long a probe may take before there is another one: longer than any time-out. */
const PROBE_MS = 35_000

/** The assignments that close it. */
export const closed = sql.raw('failures = 0, failing_since = NULL, open_until = NULL')

/**
 * Right after a claim: whose pause is over and of whom something was claimed of the keys `wanted` may be tried. Returns
 * `id` of each; who gets it sends one. It is open for the others meanwhile, and for the next should this one vanish.
 */
export function takeProbes(tenantId: string, wanted: SQL, now: number): SQL {
  return sql`UPDATE receivers SET open_until = ${now + PROBE_MS}
    WHERE tenant_id = ${tenantId} AND (open_until <= ${now} OR open_until > ${now + MAX_PAUSE_MS + CLOCKS_DIFFER_MS}) AND id IN (SELECT receiver_id FROM deliveries
      WHERE tenant_id = ${tenantId} AND (sequence, receiver_id) IN ${wanted} AND lease_until > ${now})
    RETURNING id`
}

/**
 * Beside the result of an attempt that failed. What was under way when it opened does not count. Returns `id` and
 * `open_until`, which says whether it is open now.
 */
export function countFailure(tenantId: string, receiverId: string, isProbe: boolean, now: number): SQL {
  const failures = sql`iif(open_until IS NULL, min(failures + 1, ${FAILURES}), failures + 1)`
  const deliveries = sql`(SELECT count(*) FROM (SELECT 1 FROM deliveries
    WHERE tenant_id = ${tenantId} AND receiver_id = ${receiverId} AND state = 'retrying' LIMIT ${DELIVERIES}))`
  const isEnough = sql`${failures} >= ${FAILURES} AND failing_since <= ${now - FAILING_MS}
    AND ${deliveries} >= ${DELIVERIES}`
  const pause = sql`min(${MAX_PAUSE_MS}, ${FIRST_PAUSE_MS} << min(${failures} - ${FAILURES}, 8))`
  return sql`UPDATE receivers SET failures = ${failures}, failing_since = coalesce(failing_since, ${now}),
      open_until = iif(open_until IS NOT NULL OR (${isEnough}), ${now} + ${pause}, NULL)
    WHERE tenant_id = ${tenantId} AND id = ${receiverId} AND (open_until IS NULL OR ${isProbe ? 1 : 0})
    RETURNING id, open_until`
}

/**
 * Beside the result of an attempt that succeeded. If it was open, all that is outstanding is due at once: the first
 * statement returns it as `sequence`, `receiver_id`, `wake_at`.
 */
export function closeCircuit(tenantId: string, receiverId: string, now: number): readonly SQL[] {
  return [
    sql`UPDATE deliveries SET next_attempt_at = min(next_attempt_at, ${now}),
        wake_at = max(coalesce(lease_until, 0), ${now + WAKE_AFTER_MS})
      WHERE tenant_id = ${tenantId} AND state IN ('pending', 'retrying') AND receiver_id IN (SELECT id FROM receivers
        WHERE tenant_id = ${tenantId} AND id = ${receiverId} AND open_until IS NOT NULL AND status = 'active')
      RETURNING ${published(now)}`,
    sql`UPDATE receivers SET ${closed} WHERE tenant_id = ${tenantId} AND id = ${receiverId} AND failures > 0`,
  ]
}
