// Statements that read what happened: events, deliveries, the SCIM request log.
import { type SQL, sql } from 'drizzle-orm'
import type { ActivityEntry } from './activity'
import { type LinkRow, linkColumns } from './event-chain'
import { deliveryStates } from './metrics-rows'

export interface EventRow {
  readonly id: string
  readonly sequence: number
  readonly type: string
  readonly txn: string
  readonly userId: string | null
  readonly groupId: string | null
  readonly occurredAt: number
  /** JSON. */
  readonly data: string
}

export interface DeliveryRow {
  readonly eventId: string
  readonly sequence: number
  readonly receiverId: string
  readonly userId: string | null
  readonly state: 'pending' | 'retrying' | 'delivered' | 'dead'
  readonly attempts: number
  readonly lastStatus: number | null
  readonly lastError: string | null
  readonly occurredAt: number
  readonly deliveredAt: number | null
  readonly nextAttemptAt: number | null
  readonly sessionsEnded: number | null
}

/** An entry as its row has it. */
export interface ActivityRow extends Omit<ActivityEntry, 'tolerances'> {
  readonly outcome: string
  /** JSON array of text. */
  readonly tolerances: string
}

const eventColumns = sql`id, sequence, type, txn, user_id AS "userId", group_id AS "groupId", occurred_at AS "occurredAt", data`

export interface EventFilter {
  readonly userId?: string | undefined
  readonly type?: string | undefined
  /** A sequence: only what is behind it. */
  readonly after: number
}

/** Oldest first. */
export function pageOfEvents(tenantId: string, filter: EventFilter, limit: number): SQL {
  return sql`SELECT ${eventColumns} FROM events WHERE tenant_id = ${tenantId} AND sequence > ${filter.after}
      ${equals('user_id', filter.userId)} ${equals('type', filter.type)}
    ORDER BY sequence LIMIT ${limit}`
}

export interface PersonEventRow extends EventRow {
  /** JSON: who asked (outbox.ts); null for events of before this was kept. */
  readonly origin: string | null
}

/** One person's, newest first; `before` is the sequence of the last one of the page before. */
export function pageOfPersonEvents(tenantId: string, userId: string, before: number, limit: number): SQL {
  return sql`SELECT ${eventColumns}, origin FROM events
    WHERE tenant_id = ${tenantId} AND user_id = ${userId} AND sequence < ${before}
    ORDER BY sequence DESC LIMIT ${limit}`
}

export interface ListedLinkRow extends LinkRow {
  /** Hash of the event before it in the tenant's chain. */
  readonly previousHash: string | null
}

/** The same, with what the chain is made of. */
export function pageOfLinks(tenantId: string, filter: EventFilter, limit: number): SQL {
  return sql`SELECT ${linkColumns}, (SELECT p.hash FROM events p
      WHERE p.tenant_id = ${tenantId} AND p.sequence = events.sequence - 1) AS "previousHash"
    FROM events WHERE tenant_id = ${tenantId} AND sequence > ${filter.after}
      ${equals('user_id', filter.userId)} ${equals('type', filter.type)}
    ORDER BY sequence LIMIT ${limit}`
}

const deliveryColumns = sql`event_id AS "eventId", sequence, receiver_id AS "receiverId", user_id AS "userId", state,
  attempts, last_status AS "lastStatus", last_error AS "lastError", occurred_at AS "occurredAt",
  delivered_at AS "deliveredAt", next_attempt_at AS "nextAttemptAt", sessions_ended AS "sessionsEnded"`

/**
 * Newest first; `before` is the last delivery of the page before. The plus signs keep the primary key from serving
 * the whole order: it would, by reading every delivery of the tenant in search of the few that are dead.
 */
export function pageOfDeliveries(
  tenantId: string,
  filter: { state: string | undefined; receiverId: string | undefined; userId: string | undefined },
  before: { sequence: number; receiverId: string } | undefined,
  limit: number,
): SQL {
  const { state, receiverId, userId } = filter
  const start = before
    ? sql`AND sequence <= ${before.sequence}
      AND (sequence, +receiver_id) < (${before.sequence}, ${before.receiverId})`
    : sql``
  const page = (inState: string | undefined) =>
    sql`SELECT ${deliveryColumns} FROM deliveries WHERE tenant_id = ${tenantId}
      ${equals('state', inState)} ${equals('receiver_id', receiverId)} ${equals('user_id', userId)} ${start}
    ORDER BY sequence DESC, +receiver_id DESC LIMIT ${limit}`
  // The index of a receiver's deliveries has them by state: the newest of each are found, whatever others were told.
  if (receiverId === undefined || state !== undefined || userId !== undefined) return page(state)
  const ofEach = deliveryStates.map(one => sql`SELECT * FROM (${page(one)})`)
  return sql`${sql.join(ofEach, sql` UNION ALL `)} ORDER BY sequence DESC LIMIT ${limit}`
}

export interface ToldRow extends DeliveryRow {
  /** Of the receiver; null: it has been deleted. */
  readonly kind: string | null
}

/** Every delivery of these events. */
export function selectTold(tenantId: string, sequences: readonly number[]): SQL {
  const kind = sql`(SELECT r.kind FROM receivers r WHERE r.tenant_id = ${tenantId} AND r.id = d.receiver_id)`
  return sql`SELECT ${deliveryColumns}, ${kind} AS kind
    FROM json_each(${JSON.stringify(sequences)}) k CROSS JOIN deliveries d
    WHERE d.tenant_id = ${tenantId} AND d.sequence = k.value ORDER BY d.sequence, d.receiver_id`
}

/** Of the events with these sequences, oldest first. */
export function deliveriesOf(tenantId: string, sequences: readonly number[]): SQL {
  return sql`SELECT ${deliveryColumns} FROM json_each(${JSON.stringify(sequences)}) s CROSS JOIN deliveries
    WHERE tenant_id = ${tenantId} AND sequence = s.value ORDER BY sequence, receiver_id`
}

/** Whether there is such a delivery, and its receiver's status (null: the receiver is gone). */
export function selectDeliveryReceiver(tenantId: string, sequence: number, receiverId: string): SQL {
  return sql`SELECT r.status AS status FROM deliveries d
    LEFT JOIN receivers r ON r.tenant_id = d.tenant_id AND r.id = d.receiver_id
    WHERE d.tenant_id = ${tenantId} AND d.sequence = ${sequence} AND d.receiver_id = ${receiverId}`
}

const activityColumns = sql`activity.id AS id, at, outcome, connection_id AS "connectionId", token_hint AS "tokenHint",
  method, activity.path AS path, status, scim_type AS "scimType", detail, help, resource_type AS "resourceType",
  resource_id AS "resourceId",
  tolerances, duration_ms AS "durationMs"`

/** Those of the requests that are in the log. */
export function selectActivity(tenantId: string, ids: readonly string[]): SQL {
  return sql`SELECT ${activityColumns} FROM json_each(${JSON.stringify(ids)}) i CROSS JOIN activity
    WHERE tenant_id = ${tenantId} AND activity.id = i.value`
}

/**
 * Requests about one person that were refused or failed, newest first; `beforeId` is the last one of the page before.
 * Nobody of whom no event tells was ever there: what is asked about such an id is no person's story.
 */
export function pageOfRefusals(tenantId: string, userId: string, beforeId: string, limit: number): SQL {
  return sql`SELECT ${activityColumns} FROM activity INDEXED BY activity_refused
    WHERE tenant_id = ${tenantId} AND resource_id = ${userId} AND status >= 400 AND id < ${beforeId}
      AND EXISTS (SELECT 1 FROM events WHERE tenant_id = ${tenantId} AND user_id = ${userId})
    ORDER BY activity.id DESC LIMIT ${limit}`
}

/** Newest first. */
export function pageOfActivity(
  tenantId: string,
  filter: { outcome: string | undefined; connectionId: string | undefined },
  beforeId: string | undefined,
  limit: number,
): SQL {
  const start = beforeId === undefined ? sql`` : sql`AND id < ${beforeId}`
  return sql`SELECT ${activityColumns} FROM activity WHERE tenant_id = ${tenantId}
      ${equals('outcome', filter.outcome)} ${equals('connection_id', filter.connectionId)} ${start}
    ORDER BY activity.id DESC LIMIT ${limit}`
}

function equals(column: string, value: string | undefined): SQL {
  return value === undefined ? sql`` : sql`AND ${sql.raw(column)} = ${value}`
}
