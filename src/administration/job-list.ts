// The long work of a tenant as the operator watches it: what it is, and how far.
import type { Service } from '../env'
import { type JobRow, pageOfJobs } from '../storage/job-rows'
import type { OpenTenant } from './open-tenant'
import { type Page, type PageRequest, readPage } from './page'
import { timestamp } from './timestamp'

export interface JobItem {
  readonly id: string
  readonly kind: JobRow['kind']
  readonly connectionId: string | null
  readonly state: 'running' | 'done'
  readonly done: number
  /** How many there were when it began. */
  readonly total: number
  /** Of those done: users who break a rule and were left as they were. */
  readonly invalid: number
  readonly createdAt: string
}

/** Newest first. */
export function listJobs(
  service: Service,
  { database }: OpenTenant,
  page: PageRequest,
): Promise<Page<JobItem>> {
  const { tenantId } = database
  return readPage(
    service,
    {
      name: 'jobs',
      owner: tenantId,
      read: async (position, limit) => {
        const before = position && String(position[0])
        const [found] = await database.batch([pageOfJobs(tenantId, before, limit)])
        return (found?.rows ?? []) as unknown as JobRow[]
      },
      position: ({ id }) => [id],
      item,
    },
    page,
  )
}

function item({ createdAt, wakeAt, ...job }: JobRow): JobItem {
  return { ...job, state: wakeAt === null ? 'done' : 'running', createdAt: timestamp(createdAt) }
}
