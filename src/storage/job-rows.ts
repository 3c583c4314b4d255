// The row that begins a job: long work that is done in bounded steps (administration/jobs.ts).
import { type SQL, sql } from 'drizzle-orm'

export interface NewJob {
  readonly id: string
  readonly kind: 'revoke-sessions' | 'deactivate-users' | 'delete-tenant'
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
