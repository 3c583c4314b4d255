// Deliveries of receivers that fetch them: what waits, what was handed out, and what the receiver says of it.
import { type SQL, sql } from 'drizzle-orm'
import type { JsonObject } from '../scim/json'
import { lostAgainBy, REACTIVATED } from './access-events'
import type { StoredEvent } from './deliveries'
import type { Row } from './tenant-database'

/** An event that waits to be fetched, and which of its messages the receiver has answered already: a bit each. */
export interface Waiting {
  readonly event: StoredEvent
  readonly answered: number
  /** See the claims of deliveries.ts. */
  readonly lostAgainBy: number | undefined
}

/** What the receiver says of some messages of one event. */
export interface PolledAnswer {
  readonly sequence: number
  readonly eventId: string
  /** The messages, a bit each. */
  readonly bits: number
  /** Why it refuses them; null: it has them. */
  readonly error: string | null
}

/** What waits for the receiver, in order of sequence; nothing while it is paused or disabled. */
export function selectWaiting(tenantId: string, receiverId: string, limit: number): SQL {
  return sql`SELECT d.answered AS answered, e.id AS id, e.sequence AS sequence, e.type AS type, e.txn AS txn,
      e.occurred_at AS occurred_at, e.data AS data,
      iif(e.type = ${REACTIVATED}, ${lostAgainBy(tenantId, sql`e.user_id`, sql`e.sequence`)}, NULL) AS lost_again_by
    FROM deliveries d CROSS JOIN events e
    WHERE d.tenant_id = ${tenantId} AND d.receiver_id = ${receiverId} AND d.state = 'pending'
      AND e.tenant_id = d.tenant_id AND e.sequence = d.sequence
      AND EXISTS (SELECT 1 FROM receivers
        WHERE tenant_id = ${tenantId} AND id = ${receiverId} AND status = 'active')
    ORDER BY d.sequence LIMIT ${limit}`
}

export function waitingOf(row: Row): Waiting {
  return {
    answered: Number(row.answered),
    lostAgainBy: row.lost_again_by === null ? undefined : Number(row.lost_again_by),
    event: {
      id: String(row.id),
      sequence: Number(row.sequence),
      type: String(row.type),
      txn: String(row.txn),
      occurredAt: Number(row.occurred_at),
      data: JSON.parse(String(row.data)) as JsonObject,
    },
  }
}

/** They are in the reply; what is not answered is in the next one again. */
export function markHandedOut(tenantId: string, receiverId: string, sequences: readonly number[]): SQL {
  return sql`UPDATE deliveries SET attempts = attempts + 1
    WHERE tenant_id = ${tenantId} AND receiver_id = ${receiverId} AND state = 'pending'
      AND sequence IN (SELECT value FROM json_each(${JSON.stringify(sequences)}))`
}

/**
 * Writes down what the receiver says. When all messages of an event are answered it is delivered, or dead if any was
 * refused. `counts`: how many messages an event of each type is. What was never handed out cannot be answered.
 */
export function recordPolledAnswers(
  tenantId: string,
  receiverId: string,
  answers: readonly PolledAnswer[],
  counts: Readonly<Record<string, number>>,
  now: number,
): SQL {
  const said = JSON.stringify(
    answers.map(({ sequence, eventId, bits, error }) => [sequence, eventId, bits, error]),
  )
  const all = sql`((1 << (${JSON.stringify(counts)} ->> ('$."' || e.type || '"'))) - 1)`
  const complete = sql`(answered | w.bits) & ${all} = ${all}`
  const refused = sql`coalesce(w.error, last_error) IS NOT NULL`
  return sql`UPDATE deliveries SET answered = answered | w.bits, last_error = coalesce(w.error, last_error),
      state = CASE WHEN NOT (${complete}) THEN state WHEN ${refused} THEN 'dead' ELSE 'delivered' END,
      delivered_at = iif(${complete} AND NOT (${refused}), coalesce(delivered_at, ${now}), delivered_at),
      next_attempt_at = iif(${complete}, NULL, next_attempt_at),
      watch_from = iif(${complete} AND NOT (${refused}), NULL, watch_from),
      overdue = iif(${complete} AND NOT (${refused}), 0, overdue)
    FROM (SELECT value ->> 0 AS sequence, value ->> 1 AS event_id, value ->> 2 AS bits, value ->> 3 AS error
        FROM json_each(${said})) w
      CROSS JOIN events e
    WHERE deliveries.tenant_id = ${tenantId} AND deliveries.receiver_id = ${receiverId}
      AND deliveries.sequence = w.sequence AND deliveries.event_id = w.event_id
      AND state = 'pending' AND attempts > attempts_before
      AND e.tenant_id = ${tenantId} AND e.sequence = w.sequence`
}
