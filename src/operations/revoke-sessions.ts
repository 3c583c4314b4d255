// The operator ends a person's sessions: access stays, everybody signed in as them is out.
import { ScimError } from '../scim/error'
import { sessionsRevokedEvent } from '../scim/event'
import type { ResourceType } from '../scim/schema'
import { appendEvents, createDeliveries, type EventDraft } from '../storage/outbox'
import { readResource, type StoredResource, selectResource, updateResource } from '../storage/resources'
import { failure, type Statement } from '../storage/tenant-database'
import { notFound } from './retrieve'
import { draftOf, occasionOf, type Tenant } from './tenant'
import { endedSessions, type Pointer, pointersOf } from './update'

const ATTEMPTS = 20

/** The type of which there are accounts: whose resources have sessions. */
export function accountType(tenant: Pick<Tenant, 'resourceTypes'>): ResourceType {
  const type = tenant.resourceTypes.find(candidate => candidate.accessAttribute !== undefined)
  if (!type) throw new Error('No resource type grants access.')
  return type
}

/** Raises the person's epoch by one and appends user.sessions_revoked. Throws ScimError 404. */
export async function revokeSessions(
  tenant: Tenant,
  id: string,
  reason: string,
): Promise<readonly Pointer[]> {
  const type = accountType(tenant)
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const [found] = await tenant.database.batch([selectResource(tenant.id, type, id, false)])
    const row = found?.rows[0]
    if (!row) throw notFound(type, id)
    const stored = readResource(row)
    try {
      const { rows, events } = endSessions(tenant, type, [stored], reason)
      const done = await tenant.database.steps({
        unchanged: tenant.database.guard,
        rows,
        events,
        deliveries: [createDeliveries(occasionOf(tenant))],
      })
      return pointersOf(tenant, done.deliveries[0])
    } catch (error) {
      if (failure(error) !== 'stale') throw error
    }
  }
  throw new ScimError(503, undefined, 'Too many requests change this person at once; send it again.', {
    'Retry-After': '1',
  })
}

/** The statements that end the sessions of accounts as they were read; access stays as it is. */
export function endSessions(
  tenant: Tenant,
  type: ResourceType,
  accounts: readonly StoredResource[],
  reason: string,
): { rows: Statement[]; events: Statement[] } {
  const drafts: EventDraft[] = []
  const rows = accounts.flatMap(stored => {
    const change = { ...stored, ...endedSessions(stored, tenant.now), now: stored.lastModified }
    drafts.push(
      draftOf(sessionsRevokedEvent({ ...stored, ...change }, type, reason), type, stored.connectionId),
    )
    return updateResource(tenant.id, type, stored, change)
  })
  return { rows, events: [appendEvents(occasionOf(tenant), drafts)] }
}
