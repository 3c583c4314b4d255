// A tenant's mass-deprovision breaker as the operator handles it: its threshold, who is held, and what becomes of them.
import type { Service } from '../env'
import { type BreakerRow, beginNextRound, putBreaker, selectBreaker } from '../storage/breaker-rows'
import { raiseConfigurationVersion } from '../storage/configuration-rows'
import {
  countHeld,
  decisionUnderWay,
  type HeldItemRow,
  insertDecision,
  selectDecision,
  selectHeldItems,
} from '../storage/held-rows'
import type { NewJob } from '../storage/job-rows'
import type { Outcome } from '../storage/tenant-database'
import { beginJob } from './begin-job'
import type { OpenTenant } from './open-tenant'
import { Problem } from './problem'
import { timestamp, timestampOrNull } from './timestamp'

export interface Threshold {
  readonly count: number
  readonly windowMinutes: number
}

export interface BreakerItem {
  readonly enabled: boolean
  readonly threshold: Threshold
  readonly tripped: boolean
  readonly trippedAt: string | null
  /** At most MAX_SHOWN. */
  readonly held: { userId: string; userName: string; at: string; keptBecause: string | null }[]
  readonly heldTotal: number
}

/** What is suggested to a tenant whose breaker was never set. */
export const suggestedThreshold: Threshold = { count: 50, windowMinutes: 10 }

const MAX_SHOWN = 1_000

export async function getBreaker({ database }: OpenTenant): Promise<BreakerItem> {
  return item(await database.batch(shown(database.tenantId)))
}

/** Who is held stays so. Throws 409 for a tenant that is being deleted. */
export async function setBreaker(
  { database }: OpenTenant,
  { enabled, threshold }: { enabled: boolean; threshold: Threshold },
): Promise<BreakerItem> {
  const { tenantId } = database
  const { count, windowMinutes } = threshold
  const done = await database.steps({
    put: putBreaker(tenantId, { enabled, threshold: count, windowMinutes }),
    version: [raiseConfigurationVersion(tenantId)],
    after: shown(tenantId),
  })
  if (done.put[0]?.changes === 0) throw new Problem(409, 'The tenant is being deleted.')
  return item(done.after)
}

export interface Decision {
  /** How many of them it is about, and can be done with. */
  readonly users: number
  /** How many it had to leave held so far; `held` says why. */
  readonly kept: number
}

/** Deletes for good who is held now, a step at a time. Throws 409 for nobody. */
export function releaseHeld(service: Service, tenant: OpenTenant): Promise<Decision> {
  return decide(service, tenant, 'release-held')
}

/** Brings back who is held now, a step at a time. Throws 409 for nobody. */
export function rollBackHeld(service: Service, tenant: OpenTenant): Promise<Decision> {
  return decide(service, tenant, 'roll-back-held')
}

/** In one batch with the decision the breaker is closed again, and begins to count anew. */
async function decide(
  service: Service,
  { database }: OpenTenant,
  kind: 'release-held' | 'roll-back-held',
): Promise<Decision> {
  const { tenantId } = database
  const job: NewJob = { id: service.newId(), kind, connectionId: null }
  const done = await database.steps({
    before: [decisionUnderWay(tenantId), countHeld(tenantId)],
    job: [insertDecision(tenantId, job, service.now()), beginNextRound(tenantId)],
  })
  if (done.job[0]?.changes !== 1) throw notNow(done.before)
  await beginJob(service, { tenantId, jobId: job.id })
  const [progress] = await database.batch([selectDecision(tenantId, job.id)])
  const { total = 0, invalid = 0 } = progress?.rows[0] ?? {}
  return { users: Number(total) - Number(invalid), kept: Number(invalid) }
}

function notNow([underWay, held]: readonly Outcome[]): Problem {
  if (underWay?.rows[0])
    return new Problem(409, 'What was held is being released or rolled back already; wait until it is done.')
  return Number(held?.rows[0]?.held) === 0
    ? new Problem(409, 'Nothing is held.')
    : new Problem(409, 'The tenant is being deleted.')
}

function shown(tenantId: string) {
  return [selectBreaker(tenantId), selectHeldItems(tenantId, MAX_SHOWN), countHeld(tenantId)]
}

function item([breaker, held, total]: readonly Outcome[]): BreakerItem {
  const row = breaker?.rows[0] as BreakerRow | undefined
  const items = (held?.rows ?? []) as unknown as HeldItemRow[]
  const trippedAt = row?.trippedAt ?? null
  return {
    enabled: row?.enabled === 1,
    threshold: row ? { count: row.threshold, windowMinutes: row.windowMinutes } : suggestedThreshold,
    tripped: trippedAt !== null,
    trippedAt: timestampOrNull(trippedAt),
    held: items.map(one => ({ ...one, at: timestamp(one.at) })),
    heldTotal: Number(total?.rows[0]?.held ?? 0),
  }
}
