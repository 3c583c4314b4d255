// What a change of profile does at its end: roles from an attribute that only a former profile knew go, where nobody has
// them and the operator said nothing of them.
import type { Service } from '../env'
import { deleteUnusedRoles } from '../storage/roles'
import { asOperator } from './as-operator'
import type { OpenTenant } from './open-tenant'

/** There may have been one for each user. */
const ROLES_A_STEP = 5_000

/** Takes the next of them; false when there are no more. Rejects as 'configuration' when something came between. */
export async function formerRolesStep(service: Service, open: OpenTenant): Promise<boolean> {
  const { id, database, application } = await asOperator(service, open)
  const { role } = application.profile.user
  const known = role ? role.values : []
  // Any role may come again where the profile does not say which there are.
  if (!known) return false
  const { roles } = await database.steps({
    unchanged: database.guard,
    roles: [deleteUnusedRoles(id, known, ROLES_A_STEP)],
  })
  return roles[0]?.changes === ROLES_A_STEP
}
