// What the operator decides of deleted users whom the breaker has kept: they go as if they had gone at once, or they
// come back as if they had never gone, but for their sessions.
import { deletedEvents, grantsAccess, type ResourceEvent, updatedEvents } from '../scim/event'
import type { Resource } from '../scim/resource'
import type { ResourceType } from '../scim/schema'
import { dropHeld, type Held, keepHeld, rejoinGroups, requireStaying } from '../storage/held-rows'
import { lookupRows } from '../storage/lookup'
import { appendEvents, type EventDraft } from '../storage/outbox'
import { eraseResource, raiseResource, type StoredResource } from '../storage/resources'
import type { Row, Statement } from '../storage/tenant-database'
import { viewRulesOf, viewStatements } from './account-view'
import { keepsDeleted, referrersOf } from './delete'
import { attachment } from './naming'
import { problemsOf } from './recompute'
import { draftOf, occasionOf, type Tenant } from './tenant'
import { type AccountChange, changeOf, endedSessions } from './update'

/** The statements of a decision, and how many of those it was about it had to leave held. */
export interface Decided {
  readonly statements: readonly Statement[]
  readonly kept: number
}

/** They are deleted, or, where the profile keeps who is deleted, nobody can bring them back at once any more. */
export function release(tenant: Tenant, type: ResourceType, held: readonly Held[]): Decided {
  const dropped = dropHeld(tenant.id, serialsOf(held))
  if (keepsDeleted(tenant, type)) return { statements: [dropped], kept: 0 }
  const drafts = held.flatMap(({ stored, groups }) =>
    deletedEvents({ ...stored, ...endedSessions(stored, tenant.now) }, type).map(event =>
      draftOf({ ...event, data: { ...event.data, groups } }, type, stored.connectionId),
    ),
  )
  return {
    // Before the rows: the events tell what those show.
    statements: [
      told(tenant, type, drafts),
      dropped,
      ...held.flatMap(({ stored }) => [
        ...eraseResource(tenant.id, type, stored),
        ...referrersOf(tenant, type, stored.id),
      ]),
    ],
    kept: 0,
  }
}

/**
 * They are in SCIM again under the old id, in the groups they were in, and with access if the DELETE took it: whoever
 * had none gets none. Sessions of before stay over. `obstacles`: see `selectObstacles`.
 */
export function rollBack(
  tenant: Tenant,
  type: ResourceType,
  held: readonly Held[],
  obstacles: readonly Row[],
): Decided {
  const { returning, kept } = sorted(tenant, type, held, obstacles)
  const changes = returning.map(one => ({
    ...one,
    change: changeOf(tenant, type, one.stored, { resource: resourceBack(type, one) }),
  }))
  const drafts = changes.flatMap(({ stored, change }) =>
    eventsBack(tenant, type, stored, change).map(event => draftOf(event, type, stored.connectionId)),
  )
  const owners = [...new Set(returning.map(({ stored }) => stored.connectionId))]
  return {
    statements: [
      requireStaying(tenant.id, owners),
      ...changes.flatMap(({ stored, change }) => [
        ...raiseResource(tenant.id, type, stored, change),
        ...viewStatements(tenant, stored.id, change.account, stored),
      ]),
      ...returning.flatMap(one =>
        rejoinGroups(occasionOf(tenant), type, one, tenant.application.hasGroupRoles),
      ),
      told(tenant, type, drafts),
      ...returning.flatMap(({ stored }) => awaited(tenant, type, stored)),
      dropHeld(tenant.id, serialsOf(returning)),
      ...(kept.length > 0 ? [keepHeld(tenant.id, kept)] : []),
    ],
    kept: kept.length,
  }
}

type Kept = { readonly serial: number; readonly because: string }

/** Who can come back, and why the others cannot. */
function sorted(tenant: Tenant, type: ResourceType, held: readonly Held[], obstacles: readonly Row[]) {
  const returning: Held[] = []
  const kept: Kept[] = []
  // Two of them may have had the same name one after the other.
  const names = new Set<string>()
  for (const one of held) {
    const { id, serial, resource, connectionId } = one.stored
    const unique = lookupRows(resource, type, connectionId).filter(row => row.unique)
    const doubled = unique.filter(row => names.has(nameOf(row))).map(({ attribute }) => attribute)
    const mine = obstacles.filter(obstacle => obstacle.id === id).map(({ attribute }) => attribute)
    const because = reason(tenant, type, one, [...mine, ...doubled])
    if (because !== undefined) kept.push({ serial, because })
    else {
      returning.push(one)
      for (const row of unique) names.add(nameOf(row))
    }
  }
  return { returning, kept }
}

function nameOf({ attribute, scope, value }: { attribute: string; scope: string; value: string }): string {
  return JSON.stringify([attribute, scope, value])
}

function reason(
  tenant: Tenant,
  type: ResourceType,
  held: Held,
  obstacles: readonly unknown[],
): string | undefined {
  if (obstacles.includes(null)) return 'its connection is being deleted or is no more'
  if (obstacles.length > 0) return `another ${type.name} has its ${[...new Set(obstacles)].join(' and its ')}`
  const returned = { ...held.stored, resource: resourceBack(type, held) }
  const [problem] = held.wasActive ? problemsOf(tenant, returned) : []
  return problem && `it breaks a rule of the profile or the mapping: ${problem.message}`
}

function resourceBack({ accessAttribute = '' }: ResourceType, { stored, wasActive }: Held): Resource {
  return wasActive ? { ...stored.resource, [accessAttribute]: true } : stored.resource
}

/** user.reactivated tells the whole view; of whoever has none there is what is stored to compare with. */
function eventsBack(
  tenant: Tenant,
  type: ResourceType,
  stored: StoredResource,
  change: AccountChange,
): readonly ResourceEvent[] {
  const { view } = change
  const before = grantsAccess(change.resource, type) && view ? { ...stored, view } : stored
  return updatedEvents(before, { ...stored, ...change }, type, tenant.application.isPrivileged)
}

/** Groups that have come to wait for somebody of the name meanwhile. */
function awaited(tenant: Tenant, type: ResourceType, stored: StoredResource): readonly Statement[] {
  const { id, resource, connectionId } = stored
  return attachment({ ...tenant, connectionId }, type, id, lookupRows(resource, type, connectionId))
    .statements
}

function told(tenant: Tenant, type: ResourceType, drafts: readonly EventDraft[]): Statement {
  return appendEvents(occasionOf(tenant), drafts, { view: viewRulesOf(tenant, type) })
}

function serialsOf(held: readonly Held[]): number[] {
  return held.map(({ stored }) => stored.serial)
}
