// One step of what the operator has decided of deletions that were held: some of them, in one batch that also moves the
// job on.
import type { Service } from '../env'
import { publish } from '../events/publish'
import { release, rollBack } from '../operations/held'
import { occasionOf, type Tenant } from '../operations/tenant'
import { pointersOf } from '../operations/update'
import { accountTypeOf } from '../scim/schema'
import { readHeld, selectHeldAfter, selectObstacles } from '../storage/held-rows'
import { advanceJob, type Job } from '../storage/job-steps'
import { createDeliveries } from '../storage/outbox'
import { asOperator } from './as-operator'
import type { OpenTenant } from './open-tenant'

/** Who comes back is some twenty statements: a few hundred a step. */
const USERS_A_STEP = 25

/** Takes the next of them; false when there are no more. Rejects as 'stale' or 'unique' when something came between. */
export async function heldStep(service: Service, open: OpenTenant, job: Job): Promise<boolean> {
  const operator = await asOperator(service, open)
  // A transaction a step, since what a step appends is known to its batch alone.
  const tenant: Tenant = { ...operator, txn: `${job.id}:${job.position}` }
  const { database } = tenant
  const type = accountTypeOf(tenant.resourceTypes)
  const [found] = await database.batch([selectHeldAfter(tenant.id, job, USERS_A_STEP)])
  const held = (found?.rows ?? []).map(readHeld)
  const last = held.at(-1)
  if (!last) return false
  const decided =
    job.kind === 'release-held'
      ? release(tenant, type, held)
      : rollBack(
          tenant,
          type,
          held,
          (await database.batch([selectObstacles(tenant.id, type, held)]))[0]?.rows ?? [],
        )
  const done = await database.steps({
    unchanged: database.guard,
    progress: advanceJob(
      tenant.id,
      job,
      { position: last.stored.serial, done: held.length, invalid: decided.kept },
      tenant.now,
    ),
    decided: decided.statements,
    deliveries: [createDeliveries(occasionOf(tenant))],
  })
  await publish(service, pointersOf(tenant, done.deliveries[0]))
  return true
}
