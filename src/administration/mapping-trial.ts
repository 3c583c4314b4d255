// A mapping tried on the users that a connection has: who would change, from what to what, and who would break a rule.
// Nothing is written.
import { type Application, applicationOf, noRoles } from '../mapping/application'
import type { FieldProblem } from '../mapping/field'
import type { Mapping } from '../mapping/profile'
import type { Reading } from '../mapping/view'
import type { Tenant } from '../operations/tenant'
import { sameJson } from '../scim/canonical'
import { grantsAccess } from '../scim/event'
import type { Json, JsonObject } from '../scim/json'
import { accountTypeOf } from '../scim/schema'
import { selectAccountsAfter } from '../storage/job-steps'
import { readResource, type StoredResource } from '../storage/resources'
import { isPlaced } from '../storage/target-groups'

/** Users of one round trip. */
const USERS_AT_ONCE = 1_000
/**
 * Of a tenant with more users a mapping is not tried with every change that somebody types: a row is read for each of
 * them, a round trip for a thousand, about 20 ms of the processor's time for as many.
 */
export const MOST_TRIED_UNASKED = 5_000

export interface Seen {
  readonly profile: JsonObject
  readonly role: string | null
  readonly targetGroup: string | null
}

export interface TriedUser {
  readonly userName: string
  readonly before: Seen
  readonly after: Seen
  readonly changed: boolean
  readonly problems: readonly FieldProblem[]
}

/** The tenant's application with this mapping for the connection in the place of the one in force. */
export function withMapping(
  { application, resourceTypes }: Tenant,
  connection: { id: string; idp: string },
  mapping: Mapping,
): Application {
  const connections = new Map(application.connections)
  connections.set(connection.id, { idp: connection.idp, mapping })
  return applicationOf(application.profile, connections, noRoles, accountTypeOf(resourceTypes))
}

/** Each user of the connection in order of creation; a round trip for each thousand. `nameOf`: of target groups. */
export async function* tryOn(
  operator: Tenant,
  connectionId: string,
  application: Application,
  nameOf: (targetGroupId: string) => string | null,
): AsyncGenerator<TriedUser> {
  const type = accountTypeOf(operator.resourceTypes)
  for (let position = 0; ; ) {
    const job = { id: '', kind: 'recompute', connectionId, position }
    const [found] = await operator.database.batch([
      selectAccountsAfter(operator.id, type, job, USERS_AT_ONCE),
    ])
    const users = (found?.rows ?? []).map(readResource)
    for (const user of users) {
      const reading = application.read(user.resource, connectionId)
      // A rule keeps nobody's access alive: of whoever has none it is not asked.
      const asked = grantsAccess(user.resource, type) ? reading : { ...reading, problems: [] }
      yield tried(user, asked, nameOf)
    }
    const last = users.at(-1)
    if (!last || users.length < USERS_AT_ONCE) return
    position = last.serial
  }
}

function tried(
  { resource, view: stored }: StoredResource,
  { view, problems }: Reading,
  nameOf: (id: string) => string | null,
): TriedUser {
  const { profile = {}, role = null, targetGroupName = null } = stored ?? {}
  const before: Seen = { profile, role, targetGroup: targetGroupName }
  const { targetGroup: target } = view
  const name = target && ('id' in target ? nameOf(target.id) : target.name)
  const after: Seen = { profile: view.profile, role: view.role, targetGroup: name }
  const changed =
    !sameJson(before.profile, after.profile) || before.role !== after.role || !isPlaced(stored, target)
  return { userName: textOf(resource.userName), before, after, changed, problems }
}

function textOf(value: Json | undefined): string {
  return typeof value === 'string' ? value : ''
}
