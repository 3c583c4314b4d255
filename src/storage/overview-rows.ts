// What the operator sees of a tenant at a glance, each figure counted up to a bound, so that it costs the same whatever
// the tenant holds.
import { type SQL, sql } from 'drizzle-orm'

export interface FigureRow {
  readonly users: number
  readonly groups: number
  readonly leavers: number
  readonly undelivered: number
  readonly dead: number
}

export interface HealthRow {
  readonly id: string
  readonly name: string
  readonly idp: string
  readonly status: string
  /** Milliseconds; null where its identity provider has never called. */
  readonly lastAt: number | null
  readonly lastOutcome: string | null
  readonly lastStatus: number | null
  /** How many of the last requests were refused or failed. */
  readonly failed: number
  /** How many there were. */
  readonly requests: number
}

/** Counting goes no further. */
export const FIGURE_BOUND = 100
/** The requests by which a connection is judged. */
const LAST_REQUESTS = 20

/** Event types that end somebody's access. */
const LEAVING = ['user.deactivated', 'user.deleted']
const UNDELIVERED = ['pending', 'retrying']

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
  const inState = (state: string) => sql`(SELECT count(*) FROM (SELECT 1 FROM deliveries
    WHERE tenant_id = ${tenantId} AND state = ${state} LIMIT ${FIGURE_BOUND}))`
  return sql`SELECT ${live(types.users)} AS users, ${live(types.groups)} AS "groups",
    ${sql.join(leavers, sql` + `)} AS leavers,
    ${sql.join(UNDELIVERED.map(inState), sql` + `)} AS undelivered, ${inState('dead')} AS dead`
}

/** The first connections, oldest first, each with its last requests. */
export function selectHealth(tenantId: string, limit: number, connectionId?: string): SQL {
  const one = connectionId === undefined ? sql`` : sql`AND c.id = ${connectionId}`
  const last = (column: SQL) => sql`(SELECT ${column} FROM activity a WHERE a.tenant_id = ${tenantId}
    AND a.connection_id = c.id ORDER BY a.id DESC LIMIT 1)`
  const ofLast = (what: SQL) => sql`(SELECT ${what} FROM (SELECT outcome FROM activity a
    WHERE a.tenant_id = ${tenantId} AND a.connection_id = c.id ORDER BY a.id DESC LIMIT ${LAST_REQUESTS}))`
  return sql`SELECT c.id AS id, c.name AS name, c.idp AS idp, c.status AS status, ${last(sql`a.at`)} AS "lastAt",
      ${last(sql`a.outcome`)} AS "lastOutcome", ${last(sql`a.status`)} AS "lastStatus",
      ${ofLast(sql`coalesce(sum(outcome <> 'ok'), 0)`)} AS failed, ${ofLast(sql`count(*)`)} AS requests
    FROM connections c WHERE c.tenant_id = ${tenantId} ${one} ORDER BY c.id LIMIT ${limit}`
}
