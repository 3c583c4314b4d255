// A receiver's row as the sending side reads it: where to, with which (still sealed) secrets, how patiently.
import { type SQL, sql } from 'drizzle-orm'
import { type JsonObject, textOrNull } from '../scim/json'
import type { Row } from './tenant-database'

/** What only some kinds have; each kind says which (events/receiver-kinds.ts). */
export interface KindSettings {
  /** Who a SET is for. */
  readonly audience?: string | undefined
  /** Who a logout token is for, or who asks for a revocation. */
  readonly clientId?: string | undefined
  /** How a person is named. */
  readonly subject?: string | undefined
  /** The identity provider by whose id (externalId) `iss_sub` names a person; without it, this service and its id. */
  readonly subjectIssuer?: string | undefined
}

export interface StoredReceiver {
  readonly tenantId: string
  readonly id: string
  readonly kind: string
  readonly url: string
  /** active | paused | disabled */
  readonly status: string
  readonly settings: KindSettings
  /** `{origin}/t/{slug}`; null where nothing is signed for it by the tenant. */
  readonly issuer: string | null
  /** JSON array of event types; null for all. */
  readonly events: string | null
  /** JSON `{schedule, timeoutSeconds}`, both optional; null for the default. */
  readonly retry: string | null
  /** Sealed for the context `receiverSecretContext`; null where the kind has none. */
  readonly secret: string | null
  readonly previousSecret: string | null
  readonly previousSecretUntil: number | null
  /** Sealed for the context `authorizationContext`. */
  readonly authorization: string | null
  /** What waits to be polled beside the events. */
  readonly notice: Notice | null
  /** Failed attempts since the last success. */
  readonly failures: number
  /** It failed again and again: until then nothing is sent to it; null: it is well (receiver-circuit.ts). */
  readonly openUntil: number | null
}

/** What a stream has to tell of itself; of several the newest alone counts. */
export interface Notice {
  readonly jti: string
  /** Milliseconds. */
  readonly at: number
  /** The event claim. */
  readonly uri: string
  readonly payload: JsonObject
}

/** What a receiver's secrets are sealed for: one cannot be moved to another receiver. */
export function receiverSecretContext(receiver: { tenantId: string; id: string }): string {
  return `receiver:${receiver.tenantId}:${receiver.id}`
}

export function authorizationContext(receiver: { tenantId: string; id: string }): string {
  return `${receiverSecretContext(receiver)}:authorization`
}

/** The columns `receiverOf` reads, from a table named `r`. */
export const receiverColumns = sql.raw(
  `r.id AS r_id, r.kind AS r_kind, r.url AS r_url, r.status AS r_status, r.settings AS r_settings,
    r.issuer AS r_issuer, r.events AS r_events, r.retry AS r_retry, r.secret AS r_secret,
    r.previous_secret AS r_previous_secret, r.previous_secret_until AS r_previous_secret_until,
    r.authorization AS r_authorization, r.notice AS r_notice, r.failures AS r_failures,
    r.open_until AS r_open_until`,
)

export function selectReceiver(tenantId: string, receiverId: string): SQL {
  return sql`SELECT ${receiverColumns} FROM receivers r WHERE r.tenant_id = ${tenantId} AND r.id = ${receiverId}`
}

/** Undefined where the row has no receiver: it was asked for by LEFT JOIN and has been deleted. */
export function receiverOf(tenantId: string, row: Row): StoredReceiver | undefined {
  if (row.r_id === null || row.r_id === undefined) return undefined
  return {
    tenantId,
    id: String(row.r_id),
    kind: String(row.r_kind),
    url: String(row.r_url),
    status: String(row.r_status),
    settings: (jsonOrNull(row.r_settings) ?? {}) as KindSettings,
    issuer: textOrNull(row.r_issuer),
    events: textOrNull(row.r_events),
    retry: textOrNull(row.r_retry),
    secret: textOrNull(row.r_secret) || null,
    previousSecret: textOrNull(row.r_previous_secret),
    previousSecretUntil: row.r_previous_secret_until === null ? null : Number(row.r_previous_secret_until),
    authorization: textOrNull(row.r_authorization),
    notice: jsonOrNull(row.r_notice) as Notice | null,
    failures: Number(row.r_failures),
    openUntil: row.r_open_until === null ? null : Number(row.r_open_until),
  }
}

/** Puts a notice where the next poll finds it. */
export function setNotice(tenantId: string, receiverId: string, notice: Notice): SQL {
  return sql`UPDATE receivers SET notice = ${JSON.stringify(notice)}
    WHERE tenant_id = ${tenantId} AND id = ${receiverId}`
}

/** The receiver has it. */
export function endNotice(tenantId: string, receiverId: string, jti: string): SQL {
  return sql`UPDATE receivers SET notice = NULL
    WHERE tenant_id = ${tenantId} AND id = ${receiverId} AND notice ->> '$.jti' = ${jti}`
}

function jsonOrNull(value: unknown): unknown {
  return typeof value === 'string' ? JSON.parse(value) : null
}
