// Accounts that are there already, read anew by rules of the profile or a mapping that have changed. The SCIM resource
// stays as it is, with its version; what the application sees of it may change.
import type { FieldProblem } from '../mapping/field'
import { endsSessions, grantsAccess, updatedEvents } from '../scim/event'
import type { ResourceType } from '../scim/schema'
import { appendEvents, type EventDraft } from '../storage/outbox'
import { type StoredResource, updateResource } from '../storage/resources'
import { type AccountView, accountView, viewRulesOf, viewStatements } from './account-view'
import type { AccountWrites } from './revoke-sessions'
import { draftOf, occasionOf, type Tenant } from './tenant'
import { endedSessions } from './update'

export interface Recomputed extends AccountWrites {
  /** Accounts that break a rule they are to be read by; they stay as they were. */
  readonly invalid: number
}

/** The statements for accounts as they were read, with the events of what changes. */
export function recompute(
  tenant: Tenant,
  type: ResourceType,
  accounts: readonly StoredResource[],
): Recomputed {
  const drafts: EventDraft[] = []
  let invalid = 0
  const rows = accounts.flatMap(stored => {
    if (problemsOf(tenant, stored).length > 0 && grantsAccess(stored.resource, type)) {
      invalid++
      return []
    }
    const account = accountView(tenant, type, stored.resource, stored.connectionId, stored)
    return account ? rewritten(tenant, type, stored, account, drafts) : []
  })
  const events = [appendEvents(occasionOf(tenant), drafts, { view: viewRulesOf(tenant, type) })]
  return { rows, events, appended: drafts.length, invalid }
}

export function problemsOf(
  { application }: Tenant,
  { resource, connectionId }: StoredResource,
): readonly FieldProblem[] {
  return application.read(resource, connectionId).problems
}

function rewritten(
  tenant: Tenant,
  type: ResourceType,
  stored: StoredResource,
  account: AccountView,
  drafts: EventDraft[],
) {
  const { view } = account
  const ended = endsSessions(stored, { ...stored, view }, type, tenant.application.isPrivileged)
  const after = { ...stored, view, ...(ended && endedSessions(stored, tenant.now)) }
  const events = updatedEvents(stored, after, type, tenant.application.isPrivileged)
  if (events.length === 0) return []
  for (const event of events) drafts.push(draftOf(event, type, stored.connectionId))
  const change = { ...after, now: stored.lastModified }
  return [
    ...updateResource(tenant.id, type, stored, change),
    ...viewStatements(tenant, stored.id, account, stored),
  ]
}
