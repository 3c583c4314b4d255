// Deliveries that are overdue: sessions that should have ended wait for them, and the alarm is raised once for each.
import { type SQL, sql } from 'drizzle-orm'
import { type DeliveryKey, pairsOf } from './deliveries'
import { createDeliveries, eventData, eventId, lastSequence, type Occasion } from './outbox'

export const OVERDUE_EVENT = 'delivery.overdue'

/**
 * Appends an event for each of the deliveries that is still watched since before `before` and undelivered while its
 * receiver is active, and makes its deliveries to all other receivers. An event of this type ends no sessions, so it
 * is never watched itself. The batch also ends the watch: whoever comes second finds none.
 */
export function raiseAlarms(
  occasion: Occasion,
  keys: readonly Omit<DeliveryKey, 'tenantId'>[],
  before: number,
): Readonly<Record<'events' | 'deliveries' | 'raised', readonly SQL[]>> {
  const { tenantId, txn, now } = occasion
  const watched = sql`watch_from <= ${before} AND (sequence, receiver_id)
    IN ${pairsOf(JSON.stringify(keys.map(key => [key.sequence, key.receiverId])))}`
  const isOverdue = sql`state <> 'delivered' AND receiver_id IN (SELECT id FROM receivers
    WHERE tenant_id = ${tenantId} AND status = 'active')`
  const sequence = sql`${lastSequence(tenantId)} + d.nth`
  return {
    events: [
      sql`INSERT INTO events (tenant_id, sequence, id, type, txn, user_id, connection_id, occurred_at, data)
        SELECT ${tenantId}, ${sequence}, ${eventId(txn, sequence)}, ${OVERDUE_EVENT}, ${txn}, d.user_id,
          e.connection_id, ${now}, ${eventData(tenantId, sql`e.connection_id`, overdueData(now))}
        FROM (SELECT *, row_number() OVER (ORDER BY sequence, receiver_id) AS nth FROM deliveries
            WHERE tenant_id = ${tenantId} AND ${watched} AND ${isOverdue}) d
          CROSS JOIN events e
        WHERE e.tenant_id = ${tenantId} AND e.sequence = d.sequence`,
    ],
    deliveries: [createDeliveries(occasion, undefined, sql`r.id = e.data ->> '$.delivery.receiverId'`)],
    raised: [
      sql`UPDATE deliveries SET overdue = ${isOverdue}, watch_from = NULL WHERE tenant_id = ${tenantId} AND ${watched}
        RETURNING sequence, receiver_id, overdue`,
    ],
  }
}

/** Which delivery `d` of the event `e`, whose sessions, and how many whole minutes they have waited. */
function overdueData(now: number): SQL {
  return sql`json_object('delivery', json_object('receiverId', d.receiver_id, 'eventId', d.event_id,
      'sequence', d.sequence, 'type', e.type, 'state', d.state, 'attempts', d.attempts, 'lastStatus', d.last_status,
      'lastError', d.last_error),
    'user', e.data -> '$.user', 'minutes', CAST((${now} - d.watch_from) / 60000 AS INTEGER))`
}
