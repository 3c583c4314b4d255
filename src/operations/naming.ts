// Members by other names than their ids: what is written beside a change of members, and beside a resource that gets
// a name for which groups may be waiting.
import { ScimError } from '../scim/error'
import { type MemberChange, memberTypes } from '../scim/member-change'
import type { Resource } from '../scim/resource'
import type { ResourceType } from '../scim/schema'
import type { LookupRow } from '../storage/lookup'
import { addedIds, requireKnown, requireMemberTypes } from '../storage/members'
import {
  attachedNote,
  attachStatements,
  memberNames,
  type Naming,
  pendingNotes,
  settleNamed,
} from '../storage/pending-members'
import type { Statement } from '../storage/tenant-database'
import { roleRulesOf } from './group-roles'
import { occasionOf, type Tenant } from './tenant'

/** Statements at their places in the batch: `notes` in the log row's, `settled` behind it. */
export interface NamedMembers {
  /** Undefined where members are named by their ids alone, and must be there. */
  readonly naming: Naming | undefined
  readonly notes: readonly Statement[]
  readonly settled: readonly Statement[]
}

export function namedMembers(
  tenant: Tenant,
  group: { readonly id: string; readonly connectionId: string },
  changes: readonly MemberChange[],
): NamedMembers {
  const { id: groupId, connectionId } = group
  if (!tenant.interop.permits('pending-members')) return { naming: undefined, notes: [], settled: [] }
  const naming: Naming = { tenantId: tenant.id, groupId, connectionId, types: tenant.resourceTypes }
  if (addedIds(changes).length === 0) return { naming, notes: [], settled: [] }
  return { naming, notes: pendingNotes(naming, tenant.txn), settled: [settleNamed(naming, tenant.txn)] }
}

/** Goes before the memberships: rolls back ('unknown') for an id that cannot be, or wait to be, a member. */
export function requiredMembers(
  tenant: Tenant,
  type: ResourceType,
  changes: readonly MemberChange[],
  naming: Naming | undefined,
): readonly Statement[] {
  if (!naming) return requireKnown(tenant.id, type, changes)
  const takesAll = tenant.resourceTypes.every(({ name }) => memberTypes(type).includes(name))
  return takesAll ? [] : requireMemberTypes(tenant.id, type, changes)
}

/** Statements that go right before the log row, which has the `notes`. */
export interface Attachment {
  readonly statements: readonly Statement[]
  readonly notes: readonly Statement[]
}

/** `found`: by what the resource is found from now on. */
export function attachment(
  tenant: Tenant,
  type: ResourceType,
  id: string,
  found: readonly LookupRow[],
): Attachment {
  const names = memberNames(found, type)
  if (names.length === 0) return { statements: [], notes: [] }
  const groups = tenant.resourceTypes.find(({ membersAttribute }) => membersAttribute !== undefined)
  const roles = groups && roleRulesOf(tenant, groups)
  const arrival = { occasion: occasionOf(tenant), type, id, names, types: tenant.resourceTypes, roles }
  return { statements: attachStatements(arrival), notes: [attachedNote()] }
}

/** Throws 400 for a group among its own members, by its id or by what its client calls it. */
export function refuseItself(
  tenant: Tenant,
  type: ResourceType,
  { id, resource }: { readonly id: string; readonly resource: Resource },
  changes: readonly MemberChange[],
): void {
  const added = addedIds(changes)
  const byName = tenant.interop.permits('member-by-name') && added.some(name => name === resource.externalId)
  if (byName || added.includes(id))
    throw new ScimError(400, 'invalidValue', `members: a ${type.name} cannot be a member of itself.`)
}
