// The operator ends a person's sessions: access stays, everybody signed in as them is out.
import { sessionsRevokedEvent } from '../scim/event'
import { accountTypeOf, type ResourceType } from '../scim/schema'
import { appendEvents, createDeliveries, type EventDraft } from '../storage/outbox'
import { readResource, type StoredResource, selectEver, updateResource, VIEWED } from '../storage/resources'
import type { Statement } from '../storage/tenant-database'
import { viewRulesOf } from './account-view'
import { notFound } from './retrieve'
import { draftOf, occasionOf, type Tenant } from './tenant'
import { takeTurns } from './turns'
import { endedSessions, type Pointer, pointersOf } from './update'

/** Raises the person's epoch by one and appends user.sessions_revoked. Throws ScimError 404. */
export async function revokeSessions(
  tenant: Tenant,
  id: string,
  reason: string,
): Promise<readonly Pointer[]> {
  const type = accountTypeOf(tenant.resourceTypes)
  return takeTurns(tenant, async now => {
    const [found] = await now.database.batch([selectEver(now.id, type, id, VIEWED)])
    const row = found?.rows[0]
    if (!row) throw notFound(type, id)
    const ended = endSessions(now, type, [readResource(row)], reason)
    const done = await now.database.steps({
      unchanged: now.database.guard,
      rows: ended.rows,
      events: ended.events,
      deliveries: [createDeliveries(occasionOf(now))],
    })
    return pointersOf(now, done.deliveries[0])
  })
}

/** Statements for many accounts at once. */
export interface AccountWrites {
  readonly rows: Statement[]
  readonly events: Statement[]
  /** How many events those are. */
  readonly appended: number
}

/** The statements that end the sessions of accounts as they were read; access stays as it is. */
export function endSessions(
  tenant: Tenant,
  type: ResourceType,
  accounts: readonly StoredResource[],
  reason: string,
): AccountWrites {
  const drafts: EventDraft[] = []
  const rows = accounts.flatMap(stored => {
    const change = { ...stored, ...endedSessions(stored, tenant.now), now: stored.lastModified }
    drafts.push(
      draftOf(sessionsRevokedEvent({ ...stored, ...change }, type, reason), type, stored.connectionId),
    )
    return updateResource(tenant.id, type, stored, change)
  })
  return {
    rows,
    appended: drafts.length,
    events: [appendEvents(occasionOf(tenant), drafts, { view: viewRulesOf(tenant, type) })],
  }
}
