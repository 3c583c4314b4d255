// The operator ends a person's sessions: access stays, everybody signed in as them is out.
import { sessionsRevokedEvent } from '../scim/event'
import type { ResourceType } from '../scim/schema'
import { appendEvents, createDeliveries, type EventDraft } from '../storage/outbox'
import {
  ALONE,
  readResource,
  type StoredResource,
  selectResource,
  updateResource,
} from '../storage/resources'
import type { Statement } from '../storage/tenant-database'
import { notFound } from './retrieve'
import { draftOf, occasionOf, type Tenant } from './tenant'
import { takeTurns } from './turns'
import { endedSessions, type Pointer, pointersOf } from './update'

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
  return takeTurns(tenant, async now => {
    const [found] = await now.database.batch([selectResource(now.id, type, id, ALONE)])
    const row = found?.rows[0]
    if (!row) throw notFound(type, id)
    const done = await now.database.steps({
      unchanged: now.database.guard,
      ...endSessions(now, type, [readResource(row)], reason),
      deliveries: [createDeliveries(occasionOf(now))],
    })
    return pointersOf(now, done.deliveries[0])
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
