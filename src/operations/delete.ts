// DELETE (RFC 7644 §3.6): the resource, its memberships and its lookups go; the event keeps what it was.
import { ScimError } from '../scim/error'
import { deletedEvents } from '../scim/event'
import type { ResourceType } from '../scim/schema'
import { insertActivity } from '../storage/activity'
import { appendEvents, createDeliveries } from '../storage/outbox'
import { deleteResource, readResource, type StoredResource, selectResource } from '../storage/resources'
import { failure } from '../storage/tenant-database'
import { notFound } from './retrieve'
import { draftOf, occasionOf, type Tenant } from './tenant'
import { endedSessions, type Pointer, pointersOf, requireMatch } from './update'

const ATTEMPTS = 20

/** Throws 404 and 412. Gives the deliveries to be woken up. */
export async function remove(
  tenant: Tenant,
  type: ResourceType,
  id: string,
  ifMatch: string | undefined,
): Promise<readonly Pointer[]> {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const [found] = await tenant.database.batch([
      selectResource(tenant.id, type, id, type.membershipsAttribute !== undefined),
    ])
    const row = found?.rows[0]
    if (!row) throw notFound(type, id)
    const stored = readResource(row)
    requireMatch(ifMatch, stored, type)
    try {
      return await write(tenant, type, stored)
    } catch (error) {
      if (failure(error) !== 'stale') throw error
      if (attempt > 2) await scheduler.wait(attempt)
    }
  }
  throw new ScimError(503, undefined, `Too many requests change this ${type.name} at once; send it again.`, {
    'Retry-After': '1',
  })
}

async function write(
  tenant: Tenant,
  type: ResourceType,
  stored: StoredResource,
): Promise<readonly Pointer[]> {
  const occasion = occasionOf(tenant)
  const groups = stored.memberships.map(group => String(group.value))
  const last = { ...stored, ...endedSessions(stored, tenant.now) }
  const events = deletedEvents(last, type, groups).map(event => draftOf(event, type))
  const done = await tenant.database.steps({
    unchanged: tenant.database.guard,
    rows: deleteResource(tenant.id, type, stored, { version: tenant.txn, now: tenant.now }),
    events: [appendEvents(occasion, events)],
    log: [insertActivity(tenant.id, [tenant.log.entry(204, type.name, stored.id)])],
    deliveries: [createDeliveries(occasion)],
  })
  tenant.log.stored()
  return pointersOf(tenant, done.deliveries[0])
}
