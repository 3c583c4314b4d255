// What runs every minute: wake up what a crash, a pause or a lost message left behind, and prune what is old.
import type { Service } from '../env'
import { type Database, type Databases, inEachDatabase } from '../storage/databases'
import { inTurn } from '../storage/in-turn'
import { takeDueProfiles } from '../storage/profile-rows'
import {
  PRUNE_ROWS,
  pruneRevocations,
  pruneRows,
  SWEEP_ROWS,
  takeDueDeliveries,
  takeDueJobs,
} from '../storage/sweep'
import { publish } from './publish'

/** One run stops here; the next one goes on. */
const MAX_ROUNDS = 10
/** What was taken is looked at again after this long, should its message be lost as well. */
const WORK_AGAIN_MS = 60_000
const DAY_MS = 86_400_000
/** So long an application may be away and still learn that somebody who is gone lost access (contract "Directory API"). */
const DELETED_USER_DAYS = 90
/** How long a group waits for a member who does not come. */
const PENDING_MEMBER_DAYS = 30
/** How far back metrics reach. */
const KILL_TIME_DAYS = 90

type Sweeper = Databases & Pick<Service, 'queue' | 'now' | 'activityDays'>

/** Publishes what is due, the oldest first. Rejects only when D1 does; the next run takes it up again. */
export async function sweep(
  service: Sweeper,
): Promise<{ readonly deliveries: number; readonly jobs: number }> {
  let deliveries = 0
  let jobs = 0
  const sweepTenants = () =>
    inEachDatabase(service, async d1 => {
      const due = await takeDueJobs(d1, service.now())
      await publish(service, due)
      jobs += due.length
      deliveries += await sweepDeliveries(service, d1)
    })
  await inTurn([() => sweepProfiles(service), sweepTenants])
  if (deliveries + jobs > 0) console.log(JSON.stringify({ log: 'swept', deliveries, jobs }))
  return { deliveries, jobs }
}

async function sweepProfiles(service: Sweeper): Promise<void> {
  const profiles = await takeDueProfiles(service.d1, service.now(), service.now() + WORK_AGAIN_MS)
  await publish(
    service,
    profiles.map(profile => ({ profile })),
  )
}

async function sweepDeliveries(service: Sweeper, d1: Database): Promise<number> {
  let deliveries = 0
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const due = await takeDueDeliveries(d1, service.now())
    await publish(service, due)
    deliveries += due.length
    if (due.length < SWEEP_ROWS) break
  }
  return deliveries
}

/**
 * Deletes activity that is older than the setting, members who never came, revocations of users long gone, and kill
 * times that no metric asks for; returns how many rows.
 */
export async function prune(service: Sweeper): Promise<number> {
  let rows = 0
  await inEachDatabase(service, async d1 => {
    rows += await pruneDatabase(service, d1)
  })
  return rows
}

async function pruneDatabase({ now, activityDays }: Sweeper, d1: Database): Promise<number> {
  const before = (days: number) => now() - days * DAY_MS
  const activity = await inRounds(() => pruneRows(d1, 'activity', before(activityDays)))
  const pending = await inRounds(() => pruneRows(d1, 'pending_members', before(PENDING_MEMBER_DAYS)))
  const revocations = await inRounds(() => pruneRevocations(d1, before(DELETED_USER_DAYS)))
  const killTimes = await inRounds(() => pruneRows(d1, 'kill_times', before(KILL_TIME_DAYS)))
  return activity + pending + revocations + killTimes
}

/** Rows of all rounds; one that finds less than it may take is the last. */
async function inRounds(pruneSome: () => Promise<number>): Promise<number> {
  let rows = 0
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const pruned = await pruneSome()
    rows += pruned
    if (pruned < PRUNE_ROWS) break
  }
  return rows
}
