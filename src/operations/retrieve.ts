// GET of one resource (RFC 7644 §3.4.1): one round trip.
import { formatPath } from '../scim/attribute-path'
import { ScimError } from '../scim/error'
import { referringPaths } from '../scim/reference'
import { type Projection, wants } from '../scim/returned'
import type { ResourceType } from '../scim/schema'
import { ALONE, type Along, readResource, selectResource } from '../storage/resources'
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
    selectResource(tenant.id, type, id, alongOf(type, projection)),
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

/** What the answer shows of other resources. */
export function alongOf(type: ResourceType, projection: Projection | undefined): Along {
  if (projection === undefined) return ALONE
  const { membershipsAttribute } = type
  return {
    memberships: membershipsAttribute !== undefined && wants(projection, membershipsAttribute),
    referred: referringPaths(type).filter(path =>
      wants(projection, formatPath(path), path.extension ? path.schema.id : undefined),
    ),
  }
}
