// GET of one resource (RFC 7644 §3.4.1): one round trip.
import { ScimError } from '../scim/error'
import { type Projection, wants } from '../scim/returned'
import type { ResourceType } from '../scim/schema'
import { readResource, selectResource } from '../storage/resources'
import type { Tenant } from './tenant'
import { membersStatement, type Views, viewsOf } from './view'

/** Throws 404. An id of another tenant, or of another type, is an unknown id. */
export async function retrieve(
  tenant: Tenant,
  type: ResourceType,
  id: string,
  projection: Projection,
): Promise<Views> {
  const wanted = wantsMembers(type, projection)
  const [found, members] = await tenant.database.batch([
    selectResource(tenant.id, type, id, { memberships: wantsMemberships(type, projection) }),
    ...membersStatement(tenant, type, wanted, id),
  ])
  const row = found?.rows[0]
  if (!row) throw notFound(type, id)
  return viewsOf(tenant, type, [readResource(row)], wanted, members)
}

export function notFound(type: ResourceType, id: string): ScimError {
  const quoted = id.slice(0, 80)
  // Whoever mistakes the id for an address must not find it in the log.
  return new ScimError(404, undefined, `No ${type.name} with the id ${quoted}.`, {}, quoted)
}

export function wantsMembers(type: ResourceType, projection: Projection | undefined): boolean {
  return (
    type.membersAttribute !== undefined &&
    projection !== undefined &&
    wants(projection, type.membersAttribute)
  )
}

export function wantsMemberships(type: ResourceType, projection: Projection | undefined): boolean {
  return (
    type.membershipsAttribute !== undefined &&
    projection !== undefined &&
    wants(projection, type.membershipsAttribute)
  )
}
