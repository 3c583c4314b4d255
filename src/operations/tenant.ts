// What every operation is given: whose resources, in which dialect, at what time, and where they are kept.
import type { Application } from '../mapping/application'
import type { ResourceEvent } from '../scim/event'
import type { Interop } from '../scim/interop'
import type { PageLimits } from '../scim/list-query'
import type { ResourceType } from '../scim/schema'
import type { ActivityEntry } from '../storage/activity'
import type { FilterContext } from '../storage/attribute-sql'
import type { Keys } from '../storage/keys'
import type { EventDraft, Occasion, Origin } from '../storage/outbox'
import type { TenantDatabase } from '../storage/tenant-database'
import type { Breaker } from './configuration'

export interface Tenant {
  readonly id: string
  /** The connection on whose behalf; null for the operator. */
  readonly connectionId: string | null
  readonly resourceTypes: readonly ResourceType[]
  /** Attributes of the open extension that only this request has so far (operations/declare.ts). */
  readonly declares: readonly string[]
  /** How the tenant's application sees its users. */
  readonly application: Application
  readonly breaker: Breaker | undefined
  readonly interop: Interop
  readonly limits: PageLimits
  /** `{origin}/t/{slug}/scim/v2`, without a slash at its end. */
  readonly baseUrl: string
  readonly database: TenantDatabase
  /** Milliseconds since 1970, when this was asked or, if it had to wait its turn, when its turn came. */
  readonly now: number
  readonly clock: () => number
  /** The request's id: its events' txn, and the version of what it changes. */
  readonly txn: string
  readonly newId: () => string
  readonly keys: Keys
  /** Who asks. */
  readonly origin: Origin
  readonly log: RequestLog
}

/** The request's row in the activity log: part of a write's own batch, or else written after the reply. */
export interface RequestLog {
  /** The row as it stands if the request is answered so; `resourceId` once it is known. */
  entry(status: number, resourceType: string | null, resourceId: string | null): ActivityEntry
  /** A write's batch has stored the row. */
  stored(): void
}

export function occasionOf(tenant: Tenant): Occasion {
  const { id: tenantId, connectionId, txn, now, origin, application } = tenant
  return { tenantId, connectionId, txn, now, origin, profile: application.profile }
}

export function filterContextOf(tenant: Tenant, type: ResourceType): FilterContext {
  return {
    tenantId: tenant.id,
    connectionId: tenant.connectionId ?? undefined,
    type,
    resourceTypes: tenant.resourceTypes,
    baseUrl: tenant.baseUrl,
  }
}

/** Puts the subject where the outbox looks for it: people under user_id, groups under group_id, others in the data only. */
export function draftOf(
  event: ResourceEvent,
  type: ResourceType,
  connectionId: string | null = null,
): EventDraft {
  const isAccount = type.accessAttribute !== undefined
  return {
    type: event.type,
    userId: isAccount ? event.subjectId : null,
    groupId: type.membersAttribute === undefined ? null : event.subjectId,
    connectionId,
    data: event.data,
  }
}
