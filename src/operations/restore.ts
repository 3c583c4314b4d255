// The return of somebody whom a DELETE made vanish while the record was kept (profile `onDelete: "deactivate"`, or held
// by the breaker): the same id and history, everything else as it is sent now.
import { updatedEvents } from '../scim/event'
import type { Projection } from '../scim/returned'
import { insertActivity } from '../storage/activity'
import { requireOpenConnection } from '../storage/connection-rows'
import { lookupRows } from '../storage/lookup'
import { appendEvents, createDeliveries } from '../storage/outbox'
import { type NewResource, raiseResource, type StoredResource, withMemberships } from '../storage/resources'
import { failure } from '../storage/tenant-database'
import { viewRulesOf, viewStatements } from './account-view'
import { heldNoMore } from './breaker'
import { declarations } from './declare'
import { attachment } from './naming'
import { refuse, taken } from './refusal'
import { wantsMembers } from './retrieve'
import { draftOf, occasionOf, type Tenant } from './tenant'
import { changeOf, pointersOf, type Written } from './update'
import { viewsOf } from './view'

/** Undefined when somebody else was faster; throws 409 when a unique value was taken meanwhile. */
export async function restore(
  tenant: Tenant,
  { type, resource, connectionId }: NewResource,
  deleted: StoredResource,
  projection: Projection,
): Promise<Written | undefined> {
  const change = { ...changeOf(tenant, type, deleted, { resource, givesExternalId: true }), connectionId }
  const after = { ...deleted, ...change, scope: '', deletedAt: null, lastModified: change.now }
  const events = updatedEvents(deleted, after, type, tenant.application.isPrivileged)
  const occasion = occasionOf(tenant)
  const attached = attachment(tenant, type, deleted.id, lookupRows(resource, type, connectionId))
  const entry = tenant.log.entry(201, type.name, deleted.id)
  try {
    const done = await tenant.database.steps({
      unchanged: tenant.database.guard,
      open: [requireOpenConnection(tenant.id, connectionId)],
      rows: raiseResource(tenant.id, type, deleted, change),
      held: heldNoMore(tenant, type, deleted),
      declared: declarations(tenant, type, resource),
      account: viewStatements(tenant, deleted.id, change.account, deleted),
      events: [
        appendEvents(
          occasion,
          events.map(event => draftOf(event, type)),
          { view: viewRulesOf(tenant, type) },
        ),
      ],
      attached: attached.statements,
      log: [insertActivity(tenant.id, [entry], { notes: attached.notes })],
      deliveries: [createDeliveries(occasion)],
    })
    tenant.log.stored()
    const memberships = withMemberships([], done.attached.at(-1)?.rows ?? [])
    const views = viewsOf(
      tenant,
      type,
      [{ ...after, memberships }],
      wantsMembers(type, projection),
      undefined,
    )
    return { ...views, status: 201, pointers: pointersOf(tenant, done.deliveries[0]) }
  } catch (error) {
    if (failure(error) === 'stale') return undefined
    if (failure(error) === 'unique') throw taken(type, uniquePaths(type))
    return refuse(tenant, type, [], error)
  }
}

/** Which of them was taken is not known; asked again, the next attempt would tell. */
function uniquePaths({ lookups }: NewResource['type']): string[] {
  return lookups.filter(({ unique }) => unique).map(({ path }) => path)
}
