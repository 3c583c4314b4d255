// Statements that read how far a connection has come, each of a bounded number of rows whatever the tenant holds.
import { type SQL, sql } from 'drizzle-orm'
import type { ResourceType } from '../scim/schema'
import type { ActivityEntry } from './activity'
import type { Outcome } from './tenant-database'

/** Newest rows of the log that are looked at. */
const LOG_ROWS = 50
/** Refused credentials, and oldest rows of the log, that are looked at. */
const FEW_ROWS = 20
/** People with access are counted up to this. */
export const MAX_COUNTED = 100
/** Newest groups that are looked at for whether they are members. */
export const MAX_NESTED = 50

export type LogRow = Pick<
  ActivityEntry,
  'id' | 'at' | 'connectionId' | 'tokenHint' | 'method' | 'path' | 'status' | 'scimType' | 'detail' | 'help'
>

export interface TokenState {
  readonly hint: string
  readonly createdAt: number
  readonly expiresAt: number | null
  readonly revokedAt: number | null
}

export interface ProgressRows {
  /** Newest first. */
  readonly log: readonly LogRow[]
  /** Of the oldest in the log, those that were not refused for their credential. */
  readonly oldest: readonly LogRow[]
  /** Credentials refused at the tenant's URL that are nobody's or the connection's, newest first. */
  readonly refused: readonly LogRow[]
  /** Refused for what they asked, newest first. */
  readonly rejected: readonly LogRow[]
  /** Newest first. */
  readonly tokens: readonly TokenState[]
  /** People with access, at most one more than MAX_COUNTED. */
  readonly people: number
  /** Of all connections of the tenant together. */
  readonly everybody: number
  readonly firstPersonAt: number | null
  readonly groups: number
  readonly firstGroupAt: number | null
  /** Of the newest groups, at most MAX_NESTED, those that are members of a group. */
  readonly nested: number
}

const columns = sql`id, at, connection_id AS "connectionId", token_hint AS "tokenHint", method, path, status,
  scim_type AS "scimType", detail, help`

/** Statements of one batch, for `readProgress`. `people` grant access, `groups` have a list for each connection. */
export function selectProgress(
  tenantId: string,
  connectionId: string,
  types: { readonly people: ResourceType; readonly groups: ResourceType },
): SQL[] {
  const ofConnection = sql`tenant_id = ${tenantId} AND connection_id = ${connectionId}`
  const people = (active: number) =>
    sql`${ofConnection} AND type = ${types.people.name} AND active = ${active}`
  const first = (active: number) =>
    sql`SELECT * FROM (SELECT created_at FROM resources WHERE ${people(active)} ORDER BY serial LIMIT 1)`
  return [
    sql`SELECT ${columns} FROM activity WHERE ${ofConnection} ORDER BY id DESC LIMIT ${LOG_ROWS}`,
    sql`SELECT * FROM (SELECT ${columns}, outcome FROM activity WHERE ${ofConnection} ORDER BY id LIMIT ${FEW_ROWS})
      WHERE outcome <> 'unauthorized'`,
    sql`SELECT * FROM (SELECT ${columns} FROM activity WHERE tenant_id = ${tenantId} AND outcome = 'unauthorized'
        ORDER BY id DESC LIMIT ${FEW_ROWS})
      WHERE "connectionId" IS NULL OR "connectionId" = ${connectionId}`,
    sql`SELECT * FROM (SELECT ${columns} FROM activity WHERE tenant_id = ${tenantId} AND outcome = 'rejected'
        ORDER BY id DESC LIMIT ${LOG_ROWS})
      WHERE "connectionId" = ${connectionId}`,
    sql`SELECT hint, created_at AS "createdAt", expires_at AS "expiresAt", revoked_at AS "revokedAt" FROM tokens
      WHERE ${ofConnection} ORDER BY id DESC LIMIT ${FEW_ROWS}`,
    sql`SELECT count(*) AS people FROM (SELECT 1 FROM resources WHERE ${people(1)} LIMIT ${MAX_COUNTED + 1})`,
    sql`SELECT live FROM totals WHERE tenant_id = ${tenantId} AND type = ${types.people.name} AND scope = ''`,
    sql`SELECT min(created_at) AS "firstAt" FROM (${first(1)} UNION ALL ${first(0)})`,
    sql`SELECT live FROM totals WHERE tenant_id = ${tenantId} AND type = ${types.groups.name}
      AND scope = ${connectionId}`,
    sql`SELECT created_at AS "firstAt" FROM resources WHERE tenant_id = ${tenantId} AND type = ${types.groups.name}
      AND scope = ${connectionId} ORDER BY serial LIMIT 1`,
    sql`SELECT count(*) AS nested FROM (SELECT id FROM resources
        WHERE tenant_id = ${tenantId} AND type = ${types.groups.name} AND scope = ${connectionId}
        ORDER BY serial DESC LIMIT ${MAX_NESTED}) g
      WHERE EXISTS (SELECT 1 FROM members m WHERE m.tenant_id = ${tenantId} AND m.member_id = g.id)`,
  ]
}

export function readProgress(outcomes: readonly Outcome[]): ProgressRows {
  const [log, oldest, refused, rejected, tokens, people, everybody, person, groups, group, nested] =
    outcomes.map(({ rows }) => rows)
  const time = (value: unknown) => (typeof value === 'number' ? value : null)
  return {
    log: (log ?? []) as unknown as LogRow[],
    oldest: (oldest ?? []) as unknown as LogRow[],
    refused: (refused ?? []) as unknown as LogRow[],
    rejected: (rejected ?? []) as unknown as LogRow[],
    tokens: (tokens ?? []) as unknown as TokenState[],
    people: Number(people?.[0]?.people ?? 0),
    everybody: Number(everybody?.[0]?.live ?? 0),
    firstPersonAt: time(person?.[0]?.firstAt),
    groups: Number(groups?.[0]?.live ?? 0),
    firstGroupAt: time(group?.[0]?.firstAt),
    nested: Number(nested?.[0]?.nested ?? 0),
  }
}
