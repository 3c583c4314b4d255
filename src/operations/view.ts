// What an operation gives back of one resource: the stored row, and the first of its members where it has any.
import type { JsonObject } from '../scim/json'
import { location } from '../scim/representation'
import type { ResourceType } from '../scim/schema'
import { type MemberPosition, selectMembers } from '../storage/members'
import type { ShownResource } from '../storage/resources'
import type { Outcome, Statement } from '../storage/tenant-database'
import type { Tenant } from './tenant'

/** Members that come along with a group in the first round trip; further ones are streamed. */
export const FIRST_MEMBERS = 2_000
/** Members of each further round trip. */
export const MORE_MEMBERS = 10_000

export interface View {
  readonly stored: ShownResource
  /** Undefined where the type has none or they were not asked for. */
  readonly members?: readonly JsonObject[]
}

/** Views whose members may go on beyond the first round trip. */
export interface Views {
  readonly views: readonly View[]
  /** Where the members go on; undefined when they are complete. */
  readonly more: MemberPosition | undefined
}

export interface MemberRows {
  readonly byGroup: ReadonlyMap<string, readonly JsonObject[]>
  readonly last: MemberPosition | undefined
}

/** The members statement for one group or for the groups that a statement selects, or nothing where the type has no members. */
export function membersStatement(
  tenant: Tenant,
  type: ResourceType,
  wanted: boolean,
  groups: string | Statement,
): Statement[] {
  return wanted && type.membersAttribute !== undefined
    ? [selectMembers(tenant.id, groups, FIRST_MEMBERS + 1)]
    : []
}

/** Members as they are shown, by group; `last` when there are more than `limit`. */
export function readMembers(tenant: Tenant, outcome: Outcome | undefined, limit: number): MemberRows {
  const rows = outcome?.rows ?? []
  const shown = rows.slice(0, limit)
  const byGroup = new Map<string, JsonObject[]>()
  for (const row of shown) {
    const groupId = String(row.group_id)
    const members = byGroup.get(groupId) ?? []
    members.push(memberOf(tenant, String(row.id), String(row.type), row.display))
    byGroup.set(groupId, members)
  }
  const end = rows.length > limit ? shown.at(-1) : undefined
  return { byGroup, last: end && { groupId: String(end.group_id), memberId: String(end.id) } }
}

function memberOf(tenant: Tenant, id: string, typeName: string, display: unknown): JsonObject {
  const type = tenant.resourceTypes.find(candidate => candidate.name === typeName)
  return {
    value: id,
    ...(type && { $ref: location(tenant.baseUrl, type, id) }),
    type: typeName,
    ...(typeof display === 'string' && { display }),
  }
}

/** Joins resources with the members statement's rows, which come last among the outcomes. */
export function viewsOf(
  tenant: Tenant,
  type: ResourceType,
  stored: readonly ShownResource[],
  wanted: boolean,
  members: Outcome | undefined,
): Views {
  if (type.membersAttribute === undefined || !wanted)
    return { views: stored.map(one => ({ stored: one })), more: undefined }
  const { byGroup, last } = readMembers(tenant, members, FIRST_MEMBERS)
  return { views: stored.map(one => ({ stored: one, members: byGroup.get(one.id) ?? [] })), more: last }
}
