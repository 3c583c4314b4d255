// Taking access away from accounts without a SCIM request: their connection, or their tenant, is being deleted.
import { updatedEvents } from '../scim/event'
import type { ResourceType } from '../scim/schema'
import { appendEvents, type EventDraft } from '../storage/outbox'
import { type StoredResource, updateResource } from '../storage/resources'
import { viewRulesOf, viewStatements } from './account-view'
import type { AccountWrites } from './revoke-sessions'
import { draftOf, occasionOf, type Tenant } from './tenant'
import { changeOf } from './update'

/** The statements that deactivate accounts as they were read; the same events as an identity provider causes. */
export function deactivate(
  tenant: Tenant,
  type: ResourceType,
  accounts: readonly StoredResource[],
  reason: string,
): AccountWrites {
  const access = type.accessAttribute
  if (access === undefined) throw new Error('The resource type grants no access.')
  const drafts: EventDraft[] = []
  const rows = accounts.flatMap(stored => {
    const change = changeOf(tenant, type, stored, { resource: { ...stored.resource, [access]: false } })
    for (const event of updatedEvents(stored, { ...stored, ...change }, type))
      drafts.push(draftOf({ ...event, data: { ...event.data, reason } }, type, stored.connectionId))
    return [
      ...updateResource(tenant.id, type, stored, change),
      ...viewStatements(tenant, stored.id, change.account, stored),
    ]
  })
  return {
    rows,
    appended: drafts.length,
    events: [appendEvents(occasionOf(tenant), drafts, { view: viewRulesOf(tenant, type) })],
  }
}
