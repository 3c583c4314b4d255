// Deliveries: who may send one now, what came of it, and the operator's pause, resume and replay.
import { type SQL, sql } from 'drizzle-orm'
import type { JsonObject } from '../scim/json'
import { endingsBefore, lostAgainBy, overtakenBy, REACTIVATED } from './access-events'
import { CLOCKS_DIFFER_MS } from './clocks'
import { FETCH_WITHIN_MS, published, WAKE_AFTER_MS, wakeAt } from './outbox'
import { takeProbes } from './receiver-circuit'
import { receiverColumns, receiverOf, type StoredReceiver } from './receivers'
import type { Row, TenantDatabase } from './tenant-database'

/** The primary key of a delivery. */
export interface DeliveryKey {
  readonly tenantId: string
  readonly sequence: number
  readonly receiverId: string
}

/** One attempt at a delivery: its `number` counts from 1 over the delivery's whole life. */
export interface Attempt extends DeliveryKey {
  readonly number: number
  /** Attempts of before the last replay. */
  readonly before: number
  /** Which of the event's messages need not be sent again: a bit each. */
  readonly answered: number
}

export interface StoredEvent {
  readonly id: string
  readonly sequence: number
  readonly type: string
  readonly txn: string
  /** Milliseconds. */
  readonly occurredAt: number
  /** What the receiver gets under `data`, without txn and sequence. */
  readonly data: JsonObject
  /** Sequence of a later event that gave the person access or took it. */
  readonly overtakenBy?: number
}

export type Claim =
  /** The caller alone has it until the lease ends. */
  | {
      readonly kind: 'claimed'
      readonly attempt: Attempt
      readonly event: StoredEvent
      readonly receiver: StoredReceiver
      /** The one by which a receiver that failed again and again is tried once more (receiver-circuit.ts). */
      readonly isProbe: boolean
      /** It would give access that was taken away again since: the sequence of the event that took it. */
      readonly lostAgainBy: number | undefined
    }
  /** It waits for an earlier event of the same person; its message is to come again then. */
  | { readonly kind: 'held'; readonly key: DeliveryKey; readonly nextAttemptAt: number }
  /** It is outstanding, but not due. */
  | { readonly kind: 'early'; readonly key: DeliveryKey; readonly nextAttemptAt: number }
  /** It is outstanding, but its receiver or its event no longer exists. */
  | { readonly kind: 'orphan'; readonly key: DeliveryKey }
  /** It was to be fetched, and its time is over. */
  | { readonly kind: 'unfetched'; readonly key: DeliveryKey }

export interface Lease {
  /** How long a receiver has that says nothing else. */
  readonly defaultTimeoutSeconds: number
  /** How long a receiver has at most. */
  readonly maxTimeoutSeconds: number
}

/** Beyond the receiver's time-out: for D1 before it and after it. */
const LEASE_MARGIN_MS = 5_000
/** The sweep looks after a lease only when it has surely ended. */
const AFTER_LEASE_MS = 1_000
/** A message may be this early: the queue counts whole seconds. */
const EARLY_MS = 500

/** So long after its event a reactivation waits for the ends of sessions before it, and so often it looks. */
const HELD_MS = 15 * 60_000
const HELD_EVERY_MS = 2_000

const OUTSTANDING = sql.raw(`state IN ('pending', 'retrying')`)

/** What was never put off is due whatever the clock says: it may have been written by one that was ahead. */
function isDue(now: number): SQL {
  return sql`(next_attempt_at <= ${now + EARLY_MS} OR (state = 'pending' AND last_error IS NULL))`
}

/**
 * Claims every delivery that is due and that nobody else has, in one round trip. What is in neither form of the
 * answer (delivered, dead, leased, paused, unknown) is nothing for this consumer.
 */
export async function claimDeliveries(
  database: TenantDatabase,
  keys: readonly Omit<DeliveryKey, 'tenantId'>[],
  now: number,
  lease: Lease,
): Promise<readonly Claim[]> {
  const { tenantId } = database
  const wanted = JSON.stringify(keys.map(key => [key.sequence, key.receiverId]))
  const user = sql`e.user_id`
  const [held, claimed, taken, found] = await database.batch([
    holdStatement(tenantId, wanted, now),
    claimStatement(tenantId, wanted, now, lease),
    takeProbes(tenantId, pairsOf(wanted), now),
    sql`SELECT d.sequence AS sequence, d.receiver_id AS receiver_id, d.state AS state, d.attempts AS attempts,
        d.attempts_before AS attempts_before, d.answered AS answered, d.next_attempt_at AS next_attempt_at,
        ${isDue(now)} AS is_due, e.id AS event_id, e.type AS type, e.txn AS txn, e.occurred_at AS occurred_at, e.data AS data,
        r.is_polled AS is_polled, ${overtakenBy(tenantId, user, sql`e.sequence`)} AS overtaken_by,
        iif(e.type = ${REACTIVATED}, ${lostAgainBy(tenantId, user, sql`e.sequence`)}, NULL) AS lost_again_by,
        ${receiverColumns}
      FROM deliveries d
      LEFT JOIN events e ON e.tenant_id = d.tenant_id AND e.sequence = d.sequence
      LEFT JOIN receivers r ON r.tenant_id = d.tenant_id AND r.id = d.receiver_id
      WHERE d.tenant_id = ${tenantId} AND (d.sequence, d.receiver_id) IN ${pairsOf(wanted)}`,
  ])
  const mine = new Set(claimed?.rows.map(rowKey))
  const waiting = new Set(held?.rows.map(rowKey))
  const probed = new Set(taken?.rows.map(row => row.id))
  return (found?.rows ?? []).flatMap(row => {
    const key = rowKey(row)
    const isMine = mine.has(key)
    // What is not going to be sent probes nothing.
    const isProbe = isMine && row.lost_again_by === null && probed.delete(row.receiver_id)
    return claimOf(tenantId, row, { isMine, isProbe, isHeld: waiting.has(key) }, now) ?? []
  })
}

/**
 * A reactivation waits while its receiver has not been told of an end of the person's sessions before it: told the
 * other way round, it would lock out somebody who has access. An end never waits.
 */
function holdStatement(tenantId: string, wanted: string, now: number): SQL {
  const waitsFor = (column: string) => sql`(SELECT min(b.${sql.raw(column)})
    FROM (${endingsBefore(tenantId, sql`deliveries.user_id`, sql`deliveries.sequence`)}) x CROSS JOIN deliveries b
    WHERE b.tenant_id = ${tenantId} AND b.sequence = x.sequence AND b.receiver_id = deliveries.receiver_id
      AND b.${OUTSTANDING})`
  const soon = sql`max(coalesce(${waitsFor('next_attempt_at')}, 0), ${now}) + ${HELD_EVERY_MS}`
  const next = sql`min(${soon}, occurred_at + ${HELD_MS}, ${now + HELD_MS})`
  return sql`UPDATE deliveries SET next_attempt_at = ${next}, wake_at = ${next} + ${WAKE_AFTER_MS},
      last_error = 'it waits until an earlier event of the same person is told: ' || ${waitsFor('sequence')}
    WHERE tenant_id = ${tenantId} AND (sequence, receiver_id) IN ${pairsOf(wanted)}
      AND ${OUTSTANDING} AND (lease_until IS NULL OR lease_until <= ${now}) AND ${isDue(now)}
      AND occurred_at > ${now - HELD_MS}
      AND EXISTS (SELECT 1 FROM events e
        WHERE e.tenant_id = ${tenantId} AND e.sequence = deliveries.sequence AND e.type = ${REACTIVATED})
      AND EXISTS (SELECT 1 FROM receivers r WHERE r.tenant_id = ${tenantId} AND r.id = deliveries.receiver_id
        AND r.status = 'active' AND r.is_polled = 0)
      AND ${waitsFor('sequence')} IS NOT NULL
    RETURNING sequence, receiver_id`
}

function claimStatement(tenantId: string, wanted: string, now: number, lease: Lease): SQL {
  const timeout = sql`min(${lease.maxTimeoutSeconds}, coalesce(r.retry ->> '$.timeoutSeconds', ${lease.defaultTimeoutSeconds}))`
  const leaseUntil = sql`${now + LEASE_MARGIN_MS} + 1000 * ${timeout}`
  const longest = now + LEASE_MARGIN_MS + 1000 * lease.maxTimeoutSeconds + CLOCKS_DIFFER_MS
  return sql`UPDATE deliveries SET attempts = attempts + 1,
      lease_until = ${leaseUntil}, wake_at = ${AFTER_LEASE_MS} + ${leaseUntil}
    FROM receivers r
    WHERE deliveries.tenant_id = ${tenantId} AND (deliveries.sequence, deliveries.receiver_id) IN ${pairsOf(wanted)}
      AND ${OUTSTANDING} AND ${isDue(now)}
      AND (lease_until IS NULL OR lease_until <= ${now} OR lease_until > ${longest})
      AND r.tenant_id = ${tenantId} AND r.id = deliveries.receiver_id AND r.status = 'active'
      AND r.is_polled = 0
    RETURNING sequence, receiver_id`
}

/** The keys `[[sequence, receiver], …]` as rows. */
export function pairsOf(wanted: string): SQL {
  return sql`(SELECT value ->> 0, value ->> 1 FROM json_each(${wanted}))`
}

function rowKey(row: Row): string {
  return `${row.sequence}.${row.receiver_id}`
}

function claimOf(
  tenantId: string,
  row: Row,
  {
    isMine,
    isProbe,
    isHeld,
  }: { readonly isMine: boolean; readonly isProbe: boolean; readonly isHeld: boolean },
  now: number,
): Claim | undefined {
  const key = { tenantId, sequence: Number(row.sequence), receiverId: String(row.receiver_id) }
  if (row.state !== 'pending' && row.state !== 'retrying') return undefined
  const receiver = receiverOf(tenantId, row)
  if (!receiver || row.event_id === null) return { kind: 'orphan', key }
  if (isMine) {
    const [number, before, answered] = [row.attempts, row.attempts_before, row.answered].map(Number)
    const attempt = { ...key, number, before, answered } as Attempt
    const lost = row.lost_again_by
    const lostAgainBy = lost === null ? undefined : Number(lost)
    return { kind: 'claimed', attempt, event: eventOf(row), receiver, isProbe, lostAgainBy }
  }
  const nextAttemptAt = Number(row.next_attempt_at)
  if (isHeld) return { kind: 'held', key, nextAttemptAt }
  if (row.is_polled === 1)
    return nextAttemptAt + FETCH_WITHIN_MS > now ? undefined : { kind: 'unfetched', key }
  return row.is_due === 0 && row.r_status === 'active' ? { kind: 'early', key, nextAttemptAt } : undefined
}

function eventOf(row: Row): StoredEvent {
  return {
    id: String(row.event_id),
    sequence: Number(row.sequence),
    type: String(row.type),
    txn: String(row.txn),
    occurredAt: Number(row.occurred_at),
    data: JSON.parse(String(row.data)) as JsonObject,
    ...(row.overtaken_by !== null && { overtakenBy: Number(row.overtaken_by) }),
  }
}

/** What an attempt came to, as it is written down. */
export type Result =
  | {
      readonly kind: 'delivered'
      readonly status: number
      readonly at: number
      /** The receipt, where the receiver gave one. */
      readonly sessionsEnded: number | null
    }
  | {
      readonly kind: 'retrying'
      readonly status: number | null
      readonly error: string
      readonly nextAttemptAt: number
      /** The messages that it has taken by now, a bit each; undefined: as before. */
      readonly answered?: number
    }
  | {
      readonly kind: 'dead'
      readonly status: number | null
      readonly error: string
      readonly answered?: number
    }
  /** The receiver wants nothing more: it is disabled, and whatever is outstanding for it is dead. */
  | { readonly kind: 'gone'; readonly status: number; readonly error: string }

/**
 * Writes down a result. A success counts however late it comes, unless the delivery has been replayed since;
 * a failure only while the attempt is still the last one. Recording twice is recording once.
 */
export function recordResult(attempt: Attempt, result: Result): readonly SQL[] {
  const { tenantId, sequence, receiverId } = attempt
  const row = sql`tenant_id = ${tenantId} AND sequence = ${sequence} AND receiver_id = ${receiverId}`
  const current = sql`${row} AND ${OUTSTANDING} AND attempts = ${attempt.number} AND attempts_before < ${attempt.number}`
  switch (result.kind) {
    case 'delivered':
      // A replay keeps the first receipt and its time: they say when access really ended.
      return [
        sql`UPDATE deliveries SET state = 'delivered', last_status = ${result.status}, last_error = NULL,
            delivered_at = coalesce(delivered_at, ${result.at}),
            sessions_ended = coalesce(sessions_ended, ${result.sessionsEnded}),
            next_attempt_at = NULL, lease_until = NULL, wake_at = NULL, watch_from = NULL, overdue = 0
          WHERE ${row} AND state <> 'delivered' AND attempts_before < ${attempt.number}`,
      ]
    case 'retrying':
      return [
        sql`UPDATE deliveries SET state = 'retrying', last_status = ${result.status}, last_error = ${result.error},
            answered = ${answeredBy(result)}, next_attempt_at = ${result.nextAttemptAt}, lease_until = NULL,
            wake_at = ${ifActive(tenantId, receiverId, result.nextAttemptAt + WAKE_AFTER_MS)}
          WHERE ${current}`,
      ]
    case 'dead':
      return [
        sql`UPDATE deliveries SET ${dead(result.error)}, last_status = ${result.status}, answered = ${answeredBy(result)}
          WHERE ${current}`,
      ]
    case 'gone':
      return [
        sql`UPDATE deliveries SET ${dead(result.error)}, last_status = ${result.status} WHERE ${current}`,
        sql`UPDATE receivers SET status = 'disabled' WHERE tenant_id = ${tenantId} AND id = ${receiverId}`,
        abandonReceiver(tenantId, receiverId, result.error),
      ]
  }
}

function answeredBy({ answered }: { readonly answered?: number }): SQL {
  return sql`coalesce(${answered ?? null}, answered)`
}

/** Everything outstanding of a receiver is dead: it answered 410, or the operator deletes it. */
export function abandonReceiver(tenantId: string, receiverId: string, reason: string): SQL {
  return sql`UPDATE deliveries SET ${dead(reason)}
    WHERE tenant_id = ${tenantId} AND receiver_id = ${receiverId} AND ${OUTSTANDING}`
}

/** These deliveries are dead if they are still outstanding; they stay replayable. */
export function abandonDeliveries(
  tenantId: string,
  keys: readonly Omit<DeliveryKey, 'tenantId'>[],
  reason: string,
): SQL {
  const wanted = JSON.stringify(keys.map(key => [key.sequence, key.receiverId]))
  return sql`UPDATE deliveries SET ${dead(reason)}
    WHERE tenant_id = ${tenantId} AND (sequence, receiver_id) IN ${pairsOf(wanted)} AND ${OUTSTANDING}
    RETURNING sequence, receiver_id`
}

function dead(reason: string): SQL {
  return sql`state = 'dead', last_error = ${reason}, next_attempt_at = NULL, lease_until = NULL, wake_at = NULL`
}

/** The sweep must not look after what is waiting for its receiver to be resumed. */
function ifActive(tenantId: string, receiverId: string | SQL, wakeAt: number | SQL): SQL {
  return sql`(SELECT ${wakeAt} FROM receivers
    WHERE tenant_id = ${tenantId} AND id = ${receiverId} AND status = 'active')`
}

/**
 * Sends one again, whatever became of it; its schedule starts anew. Returns `sequence`, `receiver_id`, `wake_at`; what
 * has the last is to be published. No row when there is no such delivery, or its receiver is deleted.
 */
export function replayDelivery(tenantId: string, sequence: number, receiverId: string, now: number): SQL {
  return sql`UPDATE deliveries SET ${startAgain(tenantId, receiverId, now)}
    WHERE tenant_id = ${tenantId} AND sequence = ${sequence} AND receiver_id = ${receiverId}
      AND EXISTS (SELECT 1 FROM receivers WHERE tenant_id = ${tenantId} AND id = ${receiverId})
    RETURNING ${published(now)}`
}

/**
 * Sends every event from `from` to `to` (both included) that the receiver wants, also those of before it existed.
 * Returns `sequence`, `receiver_id`, `wake_at`; what has the last is to be published.
 */
export function replayRange(
  tenantId: string,
  receiverId: string,
  from: number,
  to: number,
  now: number,
): SQL {
  return sql`INSERT INTO deliveries (tenant_id, sequence, receiver_id, event_id, user_id, state, attempts,
      attempts_before, occurred_at, next_attempt_at, wake_at)
    SELECT e.tenant_id, e.sequence, r.id, e.id, e.user_id, 'pending', 0, 0, e.occurred_at, ${now},
      ${ifActive(tenantId, receiverId, wakeAt(sql`receivers`, now))}
    FROM receivers r CROSS JOIN events e
    WHERE r.tenant_id = ${tenantId} AND r.id = ${receiverId}
      AND e.tenant_id = ${tenantId} AND e.sequence BETWEEN ${from} AND ${to}
      AND (r.events IS NULL OR e.type IN (SELECT value FROM json_each(r.events)))
    ON CONFLICT (tenant_id, sequence, receiver_id) DO UPDATE SET ${startAgain(tenantId, receiverId, now)}
    RETURNING ${published(now)}`
}

/** Anew from `now`, unless the alarm has been raised; the sweep sees to those whose receiver is not active. */
function watchedFrom(now: number): SQL {
  return sql`iif(ends_sessions = 1 AND delivered_at IS NULL AND overdue = 0, ${now}, NULL)`
}

/** Sends those again that are dead, the oldest first and no more than `limit`; the same columns. */
export function replayDead(tenantId: string, receiverId: string, limit: number, now: number): SQL {
  return sql`UPDATE deliveries SET ${startAgain(tenantId, receiverId, now)}
    WHERE tenant_id = ${tenantId} AND receiver_id = ${receiverId} AND sequence IN (SELECT sequence FROM deliveries
      WHERE tenant_id = ${tenantId} AND receiver_id = ${receiverId} AND state = 'dead' ORDER BY sequence LIMIT ${limit})
    RETURNING ${published(now)}`
}

function startAgain(tenantId: string, receiverId: string, now: number): SQL {
  return sql`state = 'pending', attempts_before = attempts, answered = 0, last_error = NULL, next_attempt_at = ${now}, lease_until = NULL,
    watch_from = ${watchedFrom(now)}, wake_at = ${ifActive(tenantId, receiverId, wakeAt(sql`receivers`, now))}`
}

/** Goes beside the receiver's change to `paused`: nothing of it is woken up until `resumeReceiver`. */
export function pauseReceiver(tenantId: string, receiverId: string): SQL {
  return sql`UPDATE deliveries SET wake_at = NULL
    WHERE tenant_id = ${tenantId} AND receiver_id = ${receiverId} AND ${OUTSTANDING}`
}

/**
 * Goes beside the receiver's change to `active`: all that is outstanding is due at once.
 * Returns `sequence`, `receiver_id`, `wake_at`; what has the last is to be published.
 */
export function resumeReceiver(tenantId: string, receiverId: string, now: number): SQL {
  return sql`UPDATE deliveries SET next_attempt_at = min(coalesce(next_attempt_at, ${now}), ${now}),
      watch_from = ${watchedFrom(now)},
      wake_at = max(coalesce(lease_until, 0), ${ifActive(tenantId, receiverId, wakeAt(sql`receivers`, now))})
    WHERE tenant_id = ${tenantId} AND receiver_id = ${receiverId} AND ${OUTSTANDING}
    RETURNING ${published(now)}`
}

/** The rows `sequence`, `receiver_id`, `wake_at` of the statements here and in outbox.ts, as keys to publish. */
export function deliveryKeys(tenantId: string, rows: readonly Row[]): DeliveryKey[] {
  return rows
    .filter(row => row.wake_at !== null)
    .map(row => ({ tenantId, sequence: Number(row.sequence), receiverId: String(row.receiver_id) }))
}
