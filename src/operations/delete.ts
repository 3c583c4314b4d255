// DELETE (RFC 7644 §3.6): the resource, its memberships and its lookups go, and so do references to it; the event
// keeps what it was.
import { formatPath } from '../scim/attribute-path'
import { deletedEvents, referenceLostEvent } from '../scim/event'
import { referringPaths } from '../scim/reference'
import type { ResourceType } from '../scim/schema'
import { insertActivity } from '../storage/activity'
import { appendEvents, createDeliveries, groupsOf } from '../storage/outbox'
import { forgetReferences } from '../storage/referrers'
import {
  ALONE,
  deleteResource,
  readResource,
  type StoredResource,
  selectResource,
} from '../storage/resources'
import type { Statement } from '../storage/tenant-database'
import { notFound } from './retrieve'
import { draftOf, occasionOf, type Tenant } from './tenant'
import { takeTurns } from './turns'
import { endedSessions, type Pointer, pointersOf, requireMatch } from './update'

/** Throws 404 and 412. Gives the deliveries to be woken up. */
export async function remove(
  tenant: Tenant,
  type: ResourceType,
  id: string,
  ifMatch: string | undefined,
): Promise<readonly Pointer[]> {
  return takeTurns(tenant, async now => {
    const [found] = await now.database.batch([selectResource(now.id, type, id, ALONE)])
    const row = found?.rows[0]
    if (!row) throw notFound(type, id)
    const stored = readResource(row)
    requireMatch(ifMatch, stored, type)
    return write(now, type, stored)
  })
}

async function write(
  tenant: Tenant,
  type: ResourceType,
  stored: StoredResource,
): Promise<readonly Pointer[]> {
  const occasion = occasionOf(tenant)
  const last = { ...stored, ...endedSessions(stored, tenant.now) }
  const events = deletedEvents(last, type).map(event => draftOf(event, type))
  const more = type.membershipsAttribute === undefined ? undefined : groupsOf(tenant.id, stored.id)
  const done = await tenant.database.steps({
    unchanged: tenant.database.guard,
    // Before the rows: the groups that somebody is in are known as long as the memberships are there.
    events: [appendEvents(occasion, events, more && { more })],
    rows: deleteResource(tenant.id, type, stored, { version: tenant.txn, now: tenant.now }),
    referrers: referrersOf(tenant, type, stored.id),
    log: [insertActivity(tenant.id, [tenant.log.entry(204, type.name, stored.id)])],
    deliveries: [createDeliveries(occasion)],
  })
  tenant.log.stored()
  return pointersOf(tenant, done.deliveries[0])
}

/** Nobody goes on referring to it (RFC-167). */
function referrersOf(tenant: Tenant, deleted: ResourceType, id: string): Statement[] {
  return tenant.resourceTypes.flatMap(type =>
    referringPaths(type)
      .filter(({ attribute }) => attribute.refersTo.name === deleted.name)
      .flatMap(path => {
        const draft = draftOf(referenceLostEvent(formatPath(path), type), type)
        return forgetReferences(occasionOf(tenant), { type, path, id }, draft)
      }),
  )
}
