// Where the application takes groups for roles (profile `groups.as: "roles"`): what is written beside a group.
import { accountTypeOf, type ResourceType } from '../scim/schema'
import { everyMember } from '../storage/members'
import type { StoredResource } from '../storage/resources'
import { loseRole, type RoleRules } from '../storage/role-members'
import { deleteRole, upsertGroupRole } from '../storage/roles'
import type { Statement } from '../storage/tenant-database'
import { occasionOf, type Tenant } from './tenant'

/** Undefined where the resources of the type are no roles. */
export function roleRulesOf(
  { application, resourceTypes }: Tenant,
  type: ResourceType,
): RoleRules | undefined {
  if (!application.hasGroupRoles || type.membersAttribute === undefined) return undefined
  const { hasTargetGroups, privileged } = application
  return { accountType: accountTypeOf(resourceTypes), hasRoles: true, hasTargetGroups, privileged }
}

/** The group has been written, if the condition holds: it is a role of its name. */
export function namedRole(
  tenant: Tenant,
  type: ResourceType,
  group: Pick<StoredResource, 'id' | 'resource'>,
  condition?: Statement,
): Statement[] {
  if (!tenant.application.groupsAreRoles || type.membersAttribute === undefined) return []
  return [upsertGroupRole(tenant.id, group.id, String(group.resource.displayName ?? ''), condition)]
}

/** Goes before the memberships of a group that is deleted: everybody in it has a role less. */
export function lostRole(tenant: Tenant, type: ResourceType, group: StoredResource): Statement[] {
  return withdrawRole(tenant, type, group.id)
}

/** The group is a role no more: everybody in it has one less. */
export function withdrawRole(tenant: Tenant, type: ResourceType, groupId: string): Statement[] {
  const rules = roleRulesOf(tenant, type)
  if (!rules) return []
  const who = everyMember(tenant.id, groupId)
  return [...loseRole({ occasion: occasionOf(tenant), rules, groupId, who }), deleteRole(tenant.id, groupId)]
}
