// The outbox: events and their deliveries, appended by statements that go into the batch of the change itself.
import { type SQL, sql } from 'drizzle-orm'
import type { JsonObject } from '../scim/json'
import { type ViewRules, viewData } from './view-data'

/** An event as a write decides it; its sequence is given in the batch. */
export interface EventDraft {
  readonly type: string
  readonly userId: string | null
  readonly groupId: string | null
  /** The connection it belongs to where the occasion has none (what the operator does). */
  readonly connectionId: string | null
  /** What the receiver gets under `data`, without tenant, connection, txn and sequence. */
  readonly data: JsonObject
}

/** Who asked for it, as evidence will need to know when the activity log has long forgotten. */
export type Origin =
  | {
      readonly kind: 'scim'
      readonly method: string
      /** Below the tenant's base, without the query string. */
      readonly path: string
      readonly tokenHint: string | null
    }
  | { readonly kind: 'operator' }
  | { readonly kind: 'job'; readonly job: string }

export interface Occasion {
  readonly tenantId: string
  readonly connectionId: string | null
  /** Kept with what happens to people, and never told to a receiver. */
  readonly origin?: Origin | undefined
  /** By which people are read. */
  readonly profile?: { readonly name: string; readonly version: number } | undefined
  /** The request's id; shared by all that it caused. */
  readonly txn: string
  /** Milliseconds. */
  readonly now: number
}

/** A consumer gets this long before the sweep takes the message for lost. */
export const WAKE_AFTER_MS = 5_000
/** A receiver that fetches its events has a week; then the sweep finds that nobody came. */
export const FETCH_WITHIN_MS = 7 * 86_400_000

/** Whether the event `e` means that nobody may go on with the person's sessions. */
const ENDS_SESSIONS = sql.raw(`e.data ->> '$.sessions' IS 'revoke_all'`)

/**
 * Appends the events in their order. `condition`: append only if it holds (default: always); `more`: pairs of
 * json_set that the tables add to the data; `view`: for events about people, what can be told of their roles.
 */
export function appendEvents(
  occasion: Occasion,
  drafts: readonly EventDraft[],
  {
    condition = sql`1`,
    more = sql``,
    view,
  }: { condition?: SQL; more?: SQL; view?: ViewRules | undefined } = {},
): SQL {
  const { tenantId, connectionId, txn, now } = occasion
  const seen = view ? viewData(tenantId, sql`e.value ->> '$.userId'`, view) : sql``
  const sequence = sql`${lastSequence(tenantId)} + e.key + 1`
  const connection = sql`coalesce(${connectionId}, e.value ->> '$.connectionId')`
  return sql`INSERT INTO events (tenant_id, sequence, id, type, txn, user_id, group_id, connection_id, occurred_at, origin, data)
    SELECT ${tenantId}, ${sequence}, ${eventId(txn, sequence)}, e.value ->> '$.type', ${txn},
      e.value ->> '$.userId', e.value ->> '$.groupId', ${connection}, ${now}, ${originOf(occasion)},
      ${eventData(tenantId, connection, sql`e.value -> '$.data'`, sql`${seen}${more}`)}
    FROM json_each(${JSON.stringify(drafts)}) e WHERE ${condition}`
}

/** `groups`: where the resource is a member in the running batch, which what was read before may not know. */
export function groupsOf(tenantId: string, memberId: string): SQL {
  return sql`, '$.groups', json((SELECT json_group_array(group_id) FROM
    (SELECT group_id FROM members WHERE tenant_id = ${tenantId} AND member_id = ${memberId} ORDER BY group_id)))`
}

/** The stored data of an event: what was decided, and whose it is. `more`: further json_set pairs. */
export function eventData(tenantId: string, connectionId: SQL, data: SQL, more = sql``): SQL {
  return sql`json_set(${data}, '$.tenant', (SELECT slug FROM tenants WHERE tenant_id = ${tenantId}),
    '$.connection', ${connectionId}${more})`
}

/** The stored origin: who asked, and what the connection was called and told of its mapping then. */
export function originOf({ tenantId, connectionId, origin, profile }: Occasion): SQL {
  if (!origin) return sql`NULL`
  const known = JSON.stringify({ ...origin, profile: profile?.name, profileVersion: profile?.version })
  if (connectionId === null) return sql`${known}`
  return sql`json_set(${known}, '$.connection', json((
    SELECT json_object('id', id, 'name', name, 'idp', idp, 'mappingVersion', mapping_version)
    FROM connections WHERE tenant_id = ${tenantId} AND id = ${connectionId})))`
}

/**
 * Makes a delivery for each event of this txn at the end of the outbox and each receiver that wants its type: it is
 * dead from the start where the receiver is disabled, to be seen and replayed once it is back, and nobody is woken up
 * for one that is paused or that fetches its events. `appended`: how many
 * events there are, where the batch knows (a txn of many batches must). `except`: of the event `e` the receiver `r` is
 * told nothing.
 * Returns the rows `sequence`, `receiver_id`, `wake_at`; what has the last is to be published.
 */
export function createDeliveries({ tenantId, txn, now }: Occasion, appended?: number, except = sql`0`): SQL {
  const before =
    appended === undefined ? lastSequenceBefore(tenantId, txn) : sql`${lastSequence(tenantId)} - ${appended}`
  return sql`INSERT INTO deliveries (tenant_id, sequence, receiver_id, event_id, user_id, state, attempts,
      attempts_before, last_error, occurred_at, next_attempt_at, wake_at, ends_sessions, watch_from)
    SELECT e.tenant_id, e.sequence, r.id, e.id, e.user_id, iif(r.status = 'disabled', 'dead', 'pending'), 0, 0,
      iif(r.status = 'disabled', 'the receiver is disabled', NULL), e.occurred_at,
      iif(r.status = 'disabled', NULL, e.occurred_at), ${wakeAt(sql`r`, now)}, ${ENDS_SESSIONS},
      iif(${ENDS_SESSIONS} AND r.status = 'active', e.occurred_at, NULL)
    FROM events e CROSS JOIN receivers r
    WHERE e.tenant_id = ${tenantId} AND e.sequence > ${before}
      AND r.tenant_id = ${tenantId}
      AND (r.events IS NULL OR e.type IN (SELECT value FROM json_each(r.events))) AND NOT (${except})
    ON CONFLICT DO NOTHING
    RETURNING ${published(now)}`
}

/**
 * When the sweep looks after a delivery that is made due at `now`; never where its receiver is not active. `receiver`:
 * the name of its row in the statement.
 */
export function wakeAt(receiver: SQL, now: number): SQL {
  return sql`CASE WHEN ${receiver}.status <> 'active' THEN NULL
    WHEN ${receiver}.is_polled THEN ${now + FETCH_WITHIN_MS} ELSE ${now + WAKE_AFTER_MS} END`
}

/** The columns `sequence`, `receiver_id`, `wake_at`; the last is null where nobody is to be woken up now. */
export function published(now: number): SQL {
  return sql`sequence, receiver_id, iif(wake_at < ${now + FETCH_WITHIN_MS}, wake_at, NULL) AS wake_at`
}

/** Unique and stable: it is the webhook-id, by which a receiver knows an event that it gets twice. */
export function eventId(txn: string, sequence: SQL): SQL {
  return sql`${`evt_${txn}_`} || (${sequence})`
}

/** The tenant's last sequence, 0 before the first event. The last event is never pruned, so it never falls. */
export function lastSequence(tenantId: string): SQL {
  return sql`(SELECT coalesce(max(sequence), 0) FROM events WHERE tenant_id = ${tenantId})`
}

/** Whether this txn has appended an event in the running batch: whether anything really changed. */
export function hasAppended(tenantId: string, txn: string): SQL {
  return sql`(SELECT txn FROM events WHERE tenant_id = ${tenantId} ORDER BY sequence DESC LIMIT 1) IS ${txn}`
}

/** Walks back over the events of this txn only, so it costs what the batch itself appended. */
function lastSequenceBefore(tenantId: string, txn: string): SQL {
  return sql`coalesce((SELECT sequence FROM events WHERE tenant_id = ${tenantId} AND txn <> ${txn}
    ORDER BY sequence DESC LIMIT 1), 0)`
}
