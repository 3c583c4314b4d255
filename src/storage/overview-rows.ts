// What the operator sees of a tenant at a glance, from rows that say how many there are or up to a bound, so that it
// costs the same whatever the tenant holds.
import { type SQL, sql } from 'drizzle-orm'
import type { IdentityProvider } from '../mapping/identity-providers'

export interface FigureRow {
  readonly users: number
  readonly groups: number
  readonly leavers: number
  /** When the breaker tripped; null: it has not. */
  readonly trippedAt: number | null
}

export interface HealthRow {
  readonly id: string
  readonly name: string
  readonly idp: IdentityProvider
  readonly status: string
  /** Milliseconds; null where its identity provider has never called. */
  readonly lastAt: number | null
  readonly lastOutcome: string | null
  readonly lastStatus: number | null
  /** How many of the last requests were refused or failed. */
  readonly failed: number
  /** How many there were. */
  readonly requests: number
  /** Tokens that work. */
  readonly tokens: number
  /** When the last of them ends, milliseconds; null where one never does, or none works. */
  readonly tokensEnd: number | null
}

/** Counting goes no further. */
export const FIGURE_BOUND = 100
/** The requests by which a connection is judged. */
const LAST_REQUESTS = 20
/** The newest tokens, among which those that work are looked for. */
const LAST_TOKENS = 20

/** Event types that end somebody's access. */
const LEAVING = ['user.deactivated', 'user.deleted']

/** One row. `types`: names of the resource types of users and of groups; `since`: leavers are counted from then on. */
export function selectFigures(
  tenantId: string,
  types: { readonly users: string; readonly groups: string },
  since: number,
): SQL {
  const live = (type: string) =>
    sql`(SELECT coalesce(sum(live), 0) FROM totals WHERE tenant_id = ${tenantId} AND type = ${type}
      AND scope NOT LIKE '@%')`
  const leavers = LEAVING.map(
    type => sql`(SELECT count(*) FROM (SELECT occurred_at FROM events WHERE tenant_id = ${tenantId} AND type = ${type}
      ORDER BY sequence DESC LIMIT ${FIGURE_BOUND}) WHERE occurred_at >= ${since})`,
  )
  return sql`SELECT ${live(types.users)} AS users, ${live(types.groups)} AS "groups",
    ${sql.join(leavers, sql` + `)} AS leavers,
    (SELECT tripped_at FROM breakers WHERE tenant_id = ${tenantId}) AS "trippedAt"`
}

/** The first connections, oldest first, each with its last requests and the tokens that work. */
export function selectHealth(tenantId: string, now: number, limit: number, connectionId?: string): SQL {
  const one = connectionId === undefined ? sql`` : sql`AND c.id = ${connectionId}`
  const last = (column: SQL) => sql`(SELECT ${column} FROM activity a WHERE a.tenant_id = ${tenantId}
    AND a.connection_id = c.id ORDER BY a.id DESC LIMIT 1)`
  const ofLast = (what: SQL) => sql`(SELECT ${what} FROM (SELECT outcome FROM activity a
    WHERE a.tenant_id = ${tenantId} AND a.connection_id = c.id ORDER BY a.id DESC LIMIT ${LAST_REQUESTS}))`
  const ofTokens = (what: SQL) => sql`(SELECT ${what} FROM (SELECT expires_at FROM (
      SELECT expires_at, revoked_at FROM tokens t WHERE t.tenant_id = ${tenantId} AND t.connection_id = c.id
      ORDER BY t.id DESC LIMIT ${LAST_TOKENS})
    WHERE revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ${now})))`
  return sql`SELECT c.id AS id, c.name AS name, c.idp AS idp, c.status AS status, ${last(sql`a.at`)} AS "lastAt",
      ${last(sql`a.outcome`)} AS "lastOutcome", ${last(sql`a.status`)} AS "lastStatus",
      ${ofLast(sql`coalesce(sum(outcome <> 'ok'), 0)`)} AS failed, ${ofLast(sql`count(*)`)} AS requests,
      ${ofTokens(sql`count(*)`)} AS tokens,
      ${ofTokens(sql`iif(count(*) = count(expires_at), max(expires_at), NULL)`)} AS "tokensEnd"
    FROM connections c WHERE c.tenant_id = ${tenantId} ${one} ORDER BY c.id LIMIT ${limit}`
}
