// PUT (RFC 7644 §3.5.1).
import type { Json } from '../scim/json'
import { replaceResource } from '../scim/resource'
import type { Projection } from '../scim/returned'
import type { ResourceType } from '../scim/schema'
import type { Tenant } from './tenant'
import { update, type Written } from './update'

/** Throws 400, 404, 409, 412, 413. Never creates (RFC-124). */
export function replace(
  tenant: Tenant,
  type: ResourceType,
  id: string,
  body: Json,
  ifMatch: string | undefined,
  projection: Projection,
): Promise<Written> {
  return update(tenant, type, id, ifMatch, projection, stored => {
    const { resource, members, givesExternalId } = replaceResource(
      stored.resource,
      body,
      type,
      tenant.interop,
    )
    return { resource, members: members ? [members] : [], givesExternalId }
  })
}
