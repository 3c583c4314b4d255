// The SCIM request log: one row a request, with outcomes and places but no values and no secrets.
import { type SQL, sql } from 'drizzle-orm'
import type { HelpTopic } from '../scim/help'

export interface ActivityEntry {
  readonly id: string
  /** Milliseconds. */
  readonly at: number
  readonly connectionId: string | null
  /** Last characters of the token, or of what was refused in its place. */
  readonly tokenHint: string | null
  readonly method: string
  /** Below the tenant's base, without the query string: filters hold personal data. */
  readonly path: string
  readonly status: number
  readonly scimType: string | null
  readonly detail: string | null
  /** Section of docs/troubleshooting.md. */
  readonly help: HelpTopic | null
  /** Of a request that was refused or failed, null where it was not come to. */
  readonly resourceType: string | null
  /** Of a request that was refused or failed, what its path names, be there such a resource or not. */
  readonly resourceId: string | null
  readonly tolerances: readonly string[]
  readonly durationMs: number
}

export function outcomeOf(status: number): string {
  if (status === 401 || status === 403) return 'unauthorized'
  if (status >= 500) return 'error'
  return status >= 400 ? 'rejected' : 'ok'
}

/**
 * Appends the entries if `condition` holds; a request has one, the first. `notes`: tolerances that only the tables know
 * of, each an expression that is text or null.
 */
export function insertActivity(
  tenantId: string,
  entries: readonly ActivityEntry[],
  { condition = sql`1`, notes = [] }: { condition?: SQL; notes?: readonly SQL[] } = {},
): SQL {
  const rows = entries.map(entry => ({ ...entry, outcome: outcomeOf(entry.status) }))
  const tolerances = notes.reduce(
    (listed, note) => sql`(SELECT iif(note IS NULL, listed, json_insert(listed, '$[#]', note))
      FROM (SELECT ${listed} AS listed, ${note} AS note))`,
    sql`e.value -> '$.tolerances'`,
  )
  return sql`INSERT INTO activity (tenant_id, id, at, outcome, connection_id, token_hint, method, path, status,
      scim_type, detail, help, resource_type, resource_id, tolerances, duration_ms)
    SELECT ${tenantId}, e.value ->> '$.id', e.value ->> '$.at', e.value ->> '$.outcome', e.value ->> '$.connectionId',
      e.value ->> '$.tokenHint', e.value ->> '$.method', e.value ->> '$.path', e.value ->> '$.status',
      e.value ->> '$.scimType', e.value ->> '$.detail', e.value ->> '$.help', e.value ->> '$.resourceType',
      e.value ->> '$.resourceId',
      ${tolerances}, e.value ->> '$.durationMs'
    FROM json_each(${JSON.stringify(rows)}) e WHERE ${condition}
    ON CONFLICT DO NOTHING`
}
