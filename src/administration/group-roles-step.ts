// One step of taking away the roles that groups were under a former profile: some of them, in one batch with what it means
// for everybody in them.
import type { Service } from '../env'
import { publish } from '../events/publish'
import { withdrawRole } from '../operations/group-roles'
import { occasionOf, type Tenant } from '../operations/tenant'
import { pointersOf } from '../operations/update'
import { groupTypeOf } from '../scim/schema'
import { raiseConfigurationVersion } from '../storage/configuration-rows'
import { advanceJob, type Job } from '../storage/job-steps'
import { createDeliveries } from '../storage/outbox'
import { type GroupRoleRow, hasNoGroupRoles, selectGroupRoles } from '../storage/roles'

/** Five statements each. */
const ROLES_A_STEP = 20
/** People of one step, unless a single role has more: it goes as its group would by DELETE. */
const PEOPLE_A_STEP = 1_000

/** Whether there are roles that the tenant's profile does not know. */
export function hasWithdrawnRoles({ application }: Tenant): boolean {
  return application.hasGroupRoles && !application.groupsAreRoles
}

/** Takes the next of them. Rejects as 'stale' or 'configuration' when something came between. */
export async function groupRolesStep(service: Service, operator: Tenant, job: Job): Promise<void> {
  const { database } = operator
  const [found] = await database.batch([selectGroupRoles(operator.id, ROLES_A_STEP)])
  const roles = someOf((found?.rows ?? []) as unknown as GroupRoleRow[])
  // A transaction a step, since what a step appends is known to its batch alone.
  const tenant: Tenant = { ...operator, txn: `${job.id}:${roles[0]?.id ?? ''}` }
  const type = groupTypeOf(tenant.resourceTypes)
  const done = await database.steps({
    unchanged: database.guard,
    progress: advanceJob(tenant.id, job, { position: job.position, done: 0 }, tenant.now),
    roles: roles.flatMap(role => withdrawRole(tenant, type, role.id)),
    last: [raiseConfigurationVersion(tenant.id, hasNoGroupRoles(tenant.id))],
    deliveries: [createDeliveries(occasionOf(tenant))],
  })
  await publish(service, pointersOf(tenant, done.deliveries[0]))
}

/** At least one, and no more than a step is to take. */
function someOf(roles: readonly GroupRoleRow[]): readonly GroupRoleRow[] {
  let people = 0
  return roles.filter(({ members }, nth) => {
    people += members
    return nth === 0 || people <= PEOPLE_A_STEP
  })
}
