// What runs every minute: wake up what a crash, a pause or a lost message left behind, and prune what is old.
import type { Service } from '../env'
import { PRUNE_ROWS, pruneRows, SWEEP_ROWS, takeDueDeliveries, takeDueJobs } from '../storage/sweep'
import { publish } from './publish'

/** One run stops here; the next one goes on. */
const MAX_ROUNDS = 10
const DAY_MS = 86_400_000
/** How long a group waits for a member who does not come. */
const PENDING_MEMBER_DAYS = 30

type Sweeper = Pick<Service, 'd1' | 'queue' | 'now' | 'activityDays'>

/** Publishes what is due, the oldest first. Rejects only when D1 does; the next run takes it up again. */
export async function sweep(
  service: Sweeper,
): Promise<{ readonly deliveries: number; readonly jobs: number }> {
  const jobs = await takeDueJobs(service.d1, service.now())
  await publish(service, jobs)
  let deliveries = 0
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const due = await takeDueDeliveries(service.d1, service.now())
    await publish(service, due)
    deliveries += due.length
    if (due.length < SWEEP_ROWS) break
  }
  if (deliveries + jobs.length > 0)
    console.log(JSON.stringify({ log: 'swept', deliveries, jobs: jobs.length }))
  return { deliveries, jobs: jobs.length }
}

/** Deletes the activity that is older than the setting, and the members who never came; returns how many rows. */
export async function prune(service: Sweeper): Promise<number> {
  const activity = await pruneTable(service, 'activity', service.activityDays)
  return activity + (await pruneTable(service, 'pending_members', PENDING_MEMBER_DAYS))
}

async function pruneTable(
  { d1, now }: Sweeper,
  table: 'activity' | 'pending_members',
  days: number,
): Promise<number> {
  const before = now() - days * DAY_MS
  let rows = 0
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const pruned = await pruneRows(d1, table, before)
    rows += pruned
    if (pruned < PRUNE_ROWS) break
  }
  return rows
}
