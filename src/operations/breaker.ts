// The mass-deprovision breaker as a write of an identity provider meets it: whether it is counted, and whether a DELETE
// is held. What the operator does is neither.
import type { ResourceType } from '../scim/schema'
import { countLoss, requireHeld, selectBreakerState } from '../storage/breaker-rows'
import { dropHeld } from '../storage/held-rows'
import type { StoredResource } from '../storage/resources'
import type { Outcome, Statement } from '../storage/tenant-database'
import type { Tenant } from './tenant'

/** A tenant without a breaker, or with one that is off, pays nothing. */
function isWatched(tenant: Tenant, type: ResourceType): boolean {
  return (
    type.accessAttribute !== undefined && tenant.connectionId !== null && tenant.breaker?.enabled === true
  )
}

/** Statement of the read before a DELETE, for `isHeld`. */
export function breakerStatement(tenant: Tenant, type: ResourceType): Statement[] {
  return isWatched(tenant, type) ? [selectBreakerState(tenant.id, tenant.now)] : []
}

/** Whether the DELETE is held: the breaker has tripped, or does so with this very loss. */
export function isHeld(state: Outcome | undefined, loses: boolean): boolean {
  const row = state?.rows[0]
  return row !== undefined && (row.tripped === 1 || (loses && row.full === 1))
}

/** Goes first: what was read of the breaker still holds, or the write takes another turn. */
export function breakerGuard(
  tenant: Tenant,
  type: ResourceType,
  { loses, held }: { loses: boolean; held: boolean },
): Statement[] {
  return isWatched(tenant, type) ? [requireHeld(tenant.id, loses, tenant.now, held)] : []
}

/** Somebody loses access by the write. */
export function lossStatements(tenant: Tenant, type: ResourceType): Statement[] {
  return isWatched(tenant, type) ? countLoss(tenant.id, tenant.now) : []
}

/** Whether somebody may be held, so that a POST with the same externalId brings the person back. */
export function mayBeHeld(tenant: Tenant, type: ResourceType): boolean {
  return type.accessAttribute !== undefined && tenant.breaker !== undefined
}

/** Whoever comes back is not held any more. */
export function heldNoMore(tenant: Tenant, type: ResourceType, { serial }: StoredResource): Statement[] {
  return mayBeHeld(tenant, type) ? [dropHeld(tenant.id, [serial])] : []
}
