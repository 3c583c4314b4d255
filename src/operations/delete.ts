// DELETE (RFC 7644 §3.6): the resource, its memberships and its lookups go, and so do references to it; the event
// keeps what it was. Where the profile or the breaker keeps the record, it is gone for SCIM all the same.
import { formatPath } from '../scim/attribute-path'
import {
  deactivatedEvent,
  deletedEvents,
  grantsAccess,
  losesAccess,
  type ResourceEvent,
  referenceLostEvent,
} from '../scim/event'
import { referringPaths } from '../scim/reference'
import type { ResourceType } from '../scim/schema'
import { insertActivity } from '../storage/activity'
import { heldNote, holdDeletion } from '../storage/held-rows'
import { appendEvents, createDeliveries, groupsOf } from '../storage/outbox'
import { forgetReferences } from '../storage/referrers'
import {
  buryResource,
  deleteResource,
  readResource,
  type StoredResource,
  selectResource,
  VIEWED,
} from '../storage/resources'
import { leaveGroupRoles, leaveRole } from '../storage/roles'
import { leaveTargetGroup } from '../storage/target-groups'
import type { Statement } from '../storage/tenant-database'
import { viewRulesOf } from './account-view'
import { breakerGuard, breakerStatement, isHeld, lossStatements } from './breaker'
import { lostRole } from './group-roles'
import { notFound } from './retrieve'
import { draftOf, occasionOf, type Tenant } from './tenant'
import { takeTurns } from './turns'
import { changeOf, endedSessions, type Pointer, pointersOf, requireMatch } from './update'

/** Throws 404 and 412. Gives the deliveries to be woken up. */
export async function remove(
  tenant: Tenant,
  type: ResourceType,
  id: string,
  ifMatch: string | undefined,
): Promise<readonly Pointer[]> {
  return takeTurns(tenant, async now => {
    const [found, breaker] = await now.database.batch([
      selectResource(now.id, type, id, VIEWED),
      ...breakerStatement(now, type),
    ])
    const row = found?.rows[0]
    if (!row) throw notFound(type, id)
    const stored = readResource(row)
    requireMatch(ifMatch, stored, type)
    const loses = type.accessAttribute !== undefined && grantsAccess(stored.resource, type)
    return write(now, type, stored, { loses, held: isHeld(breaker, loses) })
  })
}

/** Whether a DELETE keeps the record for the application (profile `onDelete: "deactivate"`). */
export function keepsDeleted({ application }: Tenant, type: ResourceType): boolean {
  return type.accessAttribute !== undefined && application.profile.user.onDelete === 'deactivate'
}

interface Deprovisioning {
  /** Access is lost, and counted. */
  readonly loses: boolean
  /** The breaker keeps the record until the operator decides. */
  readonly held: boolean
}

async function write(
  tenant: Tenant,
  type: ResourceType,
  stored: StoredResource,
  deprovisioning: Deprovisioning,
): Promise<readonly Pointer[]> {
  const { loses, held } = deprovisioning
  const occasion = occasionOf(tenant)
  const {
    rows,
    events,
    more,
    referrers = [],
  } = held || keepsDeleted(tenant, type) ? burial(tenant, type, stored, held) : deletion(tenant, type, stored)
  const done = await tenant.database.steps({
    unchanged: tenant.database.guard,
    breaker: breakerGuard(tenant, type, deprovisioning),
    // Before the rows: the groups that somebody is in are known as long as the memberships are there.
    events: [
      appendEvents(
        occasion,
        events.map(event => draftOf(event, type)),
        { view: viewRulesOf(tenant, type), ...(more && { more }) },
      ),
    ],
    leaving: leavingStatements(tenant, type, stored),
    held: held ? [holdDeletion(tenant.id, stored, loses, tenant.now)] : [],
    rows,
    referrers,
    loss: loses ? lossStatements(tenant, type) : [],
    log: [
      insertActivity(tenant.id, [tenant.log.entry(204, type.name, stored.id)], {
        notes: held ? [heldNote()] : [],
      }),
    ],
    deliveries: [createDeliveries(occasion)],
  })
  tenant.log.stored()
  return pointersOf(tenant, done.deliveries[0])
}

interface Removal {
  readonly rows: readonly Statement[]
  readonly events: readonly ResourceEvent[]
  /** What the tables add to the event. */
  readonly more?: Statement
  /** Nobody goes on referring to it; whose record is kept may come back to those who do. */
  readonly referrers?: readonly Statement[]
}

function deletion(tenant: Tenant, type: ResourceType, stored: StoredResource): Removal {
  const last = { ...stored, ...endedSessions(stored, tenant.now) }
  return {
    rows: deleteResource(tenant.id, type, stored, { version: tenant.txn, now: tenant.now }),
    events: deletedEvents(last, type),
    referrers: referrersOf(tenant, type, stored.id),
    ...(type.membershipsAttribute !== undefined && { more: groupsOf(tenant.id, stored.id) }),
  }
}

/** The record stays, inactive; who had no access before has lost nothing. */
function burial(tenant: Tenant, type: ResourceType, stored: StoredResource, held: boolean): Removal {
  const { accessAttribute = '' } = type
  const change = changeOf(tenant, type, stored, {
    resource: { ...stored.resource, [accessAttribute]: false },
  })
  const lost = losesAccess(stored.resource, change.resource, type)
  return {
    rows: buryResource(tenant.id, type, stored, change),
    events: lost ? [deactivatedEvent({ ...stored, ...change }, type, 'deleted', held)] : [],
  }
}

/** One less where the application counts its users; a group that is a role is lost to everybody in it. */
function leavingStatements(tenant: Tenant, type: ResourceType, stored: StoredResource): Statement[] {
  if (type.accessAttribute === undefined) return lostRole(tenant, type, stored)
  const { id, view } = stored
  const { role = null, targetGroup = null } = view ?? {}
  return [
    ...(role === null ? [] : [leaveRole(tenant.id, role)]),
    ...(targetGroup === null ? [] : leaveTargetGroup(tenant.id, targetGroup)),
    ...(tenant.application.hasGroupRoles ? [leaveGroupRoles(tenant.id, id)] : []),
  ]
}

/** Nobody goes on referring to it (RFC-167). */
export function referrersOf(tenant: Tenant, deleted: ResourceType, id: string): Statement[] {
  return tenant.resourceTypes.flatMap(type =>
    referringPaths(type)
      .filter(({ attribute }) => attribute.refersTo.name === deleted.name)
      .flatMap(path => {
        const draft = draftOf(referenceLostEvent(formatPath(path), type), type)
        const rules = viewRulesOf(tenant, type)
        return forgetReferences(occasionOf(tenant), { type, path, id, rules }, draft)
      }),
  )
}
