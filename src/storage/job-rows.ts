// The row that begins a job: long work that is done in bounded steps (administration/jobs.ts).
import { type SQL, sql } from 'drizzle-orm'

export interface NewJob {
  readonly id: string
  readonly kind:
    | 'revoke-sessions'
    | 'deactivate-users'
    | 'delete-tenant'
    | 'recompute'
    | 'release-held'
    | 'roll-back-held'
  /** The connection whose users it is about; null for the whole tenant's. */
  readonly connectionId: string | null
}

/**
 * Begins the job if the condition holds; its total is how many users have access at that moment.
 * Due at once: should the caller die before continuing it, the sweep does.
 */
export function insertJob(tenantId: string, job: NewJob, now: number, condition = sql`1`): SQL {
  const ofConnection = job.connectionId === null ? sql`` : sql` AND connection_id = ${job.connectionId}`
  return sql`INSERT INTO jobs (tenant_id, id, kind, connection_id, position, done, total, created_at, wake_at)
    SELECT ${tenantId}, ${job.id}, ${job.kind}, ${job.connectionId}, 0, 0,
      (SELECT count(*) FROM resources WHERE tenant_id = ${tenantId} AND active = 1${ofConnection}), ${now}, ${now}
    WHERE ${condition}`
}

/**
 * Begins to read users anew; its total is how many there are. One that reads the same users anew and is under way is
 * over: this one goes on with what the rules are by then.
 */
export function insertRecompute(tenantId: string, job: NewJob, typeName: string, now: number): SQL[] {
  const ofConnection = job.connectionId === null ? sql`` : sql` AND connection_id = ${job.connectionId}`
  return [
    sql`UPDATE jobs SET wake_at = NULL WHERE tenant_id = ${tenantId} AND kind = ${job.kind} AND wake_at IS NOT NULL
      ${ofConnection}`,
    sql`INSERT INTO jobs (tenant_id, id, kind, connection_id, position, done, total, created_at, wake_at)
      SELECT ${tenantId}, ${job.id}, ${job.kind}, ${job.connectionId}, 0, 0,
        (SELECT count(*) FROM resources WHERE tenant_id = ${tenantId} AND type = ${typeName} AND scope = ''${ofConnection}),
        ${now}, ${now}`,
  ]
}

export interface JobRow {
  readonly id: string
  readonly kind: NewJob['kind']
  readonly connectionId: string | null
  readonly done: number
  readonly total: number
  readonly invalid: number
  readonly createdAt: number
  /** Null when it is done. */
  readonly wakeAt: number | null
}

/** Newest first. */
export function pageOfJobs(tenantId: string, beforeId: string | undefined, limit: number): SQL {
  const start = beforeId === undefined ? sql`` : sql`AND id < ${beforeId}`
  return sql`SELECT id, kind, connection_id AS "connectionId", done, total, invalid, created_at AS "createdAt",
      wake_at AS "wakeAt"
    FROM jobs WHERE tenant_id = ${tenantId} ${start} ORDER BY id DESC LIMIT ${limit}`
}

/** How far the last one is that read the users of the connection anew. One row, or none. */
export function selectRecompute(tenantId: string, connectionId: string): SQL {
  return sql`SELECT done, total, invalid, wake_at AS "wakeAt" FROM jobs
    WHERE tenant_id = ${tenantId} AND kind = 'recompute' AND (connection_id = ${connectionId} OR connection_id IS NULL)
    ORDER BY id DESC LIMIT 1`
}
