// PATCH (RFC 7644 §3.5.2).
import type { Json } from '../scim/json'
import { applyPatch } from '../scim/patch'
import { readPatchOp } from '../scim/patch-op'
import type { Projection } from '../scim/returned'
import type { ResourceType } from '../scim/schema'
import type { Tenant } from './tenant'
import { update, type Written } from './update'

/** Throws 400, 404, 409, 412, 413. All operations or none (RFC-139). Without a projection the reply is 204. */
export async function modify(
  tenant: Tenant,
  type: ResourceType,
  id: string,
  body: Json,
  ifMatch: string | undefined,
  projection: Projection | undefined,
): Promise<Written> {
  const steps = readPatchOp(body, type, tenant.interop)
  const givesExternalId = steps.some(
    ({ op, path }) => op !== 'remove' && !path.extension && path.attribute.name === 'externalId',
  )
  return update(tenant, type, id, ifMatch, projection, stored => ({
    ...applyPatch(stored.resource, steps, type, tenant.interop),
    givesExternalId,
  }))
}
