// Events by which people lost access or got it back, found by an index of their own: what overtakes what.
import { type SQL, sql } from 'drizzle-orm'

/** The index's own condition, word for word: else SQLite would not use it (database.ts). */
const ACCESS = sql.raw(
  `type IN ('user.deactivated', 'user.deleted', 'user.sessions_revoked', 'user.reactivated')`,
)
/** Access is gone after these; after a revocation somebody may still sign in again. */
const LOSSES = sql.raw(`type IN ('user.deactivated', 'user.deleted')`)
/** Sessions are over after these. */
const ENDINGS = sql.raw(`type IN ('user.deactivated', 'user.deleted', 'user.sessions_revoked')`)

export const REACTIVATED = 'user.reactivated'

/** How many ends of somebody's sessions are looked at: who has had more since has been told of later ones. */
const ENDINGS_LOOKED_AT = sql.raw('20')

function accessEvents(tenantId: string, userId: SQL): SQL {
  return sql`events a INDEXED BY events_access WHERE a.tenant_id = ${tenantId} AND a.user_id = ${userId} AND a.${ACCESS}`
}

/** The last event after this one that gave access or took it; null: things are as this event says. */
export function overtakenBy(tenantId: string, userId: SQL, sequence: SQL): SQL {
  return sql`(SELECT a.sequence FROM ${accessEvents(tenantId, userId)} AND a.sequence > ${sequence}
    AND a.type <> 'user.sessions_revoked' ORDER BY a.sequence DESC LIMIT 1)`
}

/** The first event after this one that took access away; null where there is none. */
export function lostAgainBy(tenantId: string, userId: SQL, sequence: SQL): SQL {
  return sql`(SELECT a.sequence FROM ${accessEvents(tenantId, userId)} AND a.sequence > ${sequence}
    AND a.${LOSSES} ORDER BY a.sequence LIMIT 1)`
}

/** `SELECT sequence …`: the ends of the person's sessions before this event, the last ones. */
export function endingsBefore(tenantId: string, userId: SQL, sequence: SQL): SQL {
  return sql`SELECT a.sequence AS sequence FROM ${accessEvents(tenantId, userId)} AND a.sequence < ${sequence}
    AND a.${ENDINGS} ORDER BY a.sequence DESC LIMIT ${ENDINGS_LOOKED_AT}`
}

export interface AccessEventRow {
  readonly sequence: number
  readonly id: string
  readonly type: string
  readonly txn: string
  readonly connectionId: string | null
  readonly occurredAt: number
  /** JSON. */
  readonly data: string
  /** JSON; null for what was not kept then. */
  readonly origin: string | null
  readonly hash: string | null
  /** JSON `{sequence, at}` of the next event that gave access back, or null. */
  readonly restored: string | null
}

/** The ends of somebody's sessions, the newest first, below the sequence `before`. */
export function pageOfEndings(tenantId: string, userId: string, before: number, limit: number): SQL {
  const user = sql`${userId}`
  const restored = sql`(SELECT json_object('sequence', a.sequence, 'at', a.occurred_at)
    FROM ${accessEvents(tenantId, user)} AND a.sequence > e.sequence AND a.type = 'user.reactivated'
    ORDER BY a.sequence LIMIT 1)`
  return sql`SELECT e.*, ${restored} AS restored FROM (
      SELECT a.sequence, a.id, a.type, a.txn, a.connection_id AS "connectionId", a.occurred_at AS "occurredAt",
        a.data, a.origin, a.hash
      FROM ${accessEvents(tenantId, user)} AND a.sequence < ${before} AND a.${ENDINGS}
      ORDER BY a.sequence DESC LIMIT ${limit}) e ORDER BY e.sequence DESC`
}
