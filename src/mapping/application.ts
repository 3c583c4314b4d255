// How a tenant's application sees its users: the profile, the mapping of each connection, and what roles mean.
import type { Resource } from '../scim/resource'
import type { ResourceType } from '../scim/schema'
import { type Mapping, noMapping, type Profile } from './profile'
import { type Reading, type Viewer, viewerOf } from './view'

/** What of a connection the view depends on. */
export interface ConnectionRules {
  readonly idp: string
  readonly mapping: Mapping
}

export interface Application {
  readonly profile: Profile
  /** By connection; a connection that is not there says nothing on top of the profile. */
  readonly connections: ReadonlyMap<string, ConnectionRules>
  /** Groups are roles too, or an attribute says the role. */
  readonly hasRoles: boolean
  /** A group that is made is a role. */
  readonly groupsAreRoles: boolean
  /** So are those that are there, or some of them still are by a former profile: until the job has taken them away. */
  readonly hasGroupRoles: boolean
  /** Some connection puts users into target groups. */
  readonly hasTargetGroups: boolean
  /** The view of a resource of the type that grants access, which the connection owns. */
  read(resource: Resource, connectionId: string): Reading
  /** Whether losing a role from an attribute ends sessions. */
  readonly isPrivileged: (role: string) => boolean
  /** The same by another state of the type: with attributes that are only being declared. */
  readonly withType: (accountType: ResourceType) => Application
  /** Roles from an attribute that are privileged as long as the operator says nothing else. */
  readonly privileged: readonly string[]
}

/** What a tenant's roles themselves say. */
export interface RoleState {
  /** Roles from an attribute of which the operator says whether they are privileged. */
  readonly decided: ReadonlyMap<string, boolean>
  /** Some groups are roles, whatever the profile says. */
  readonly hasGroupRoles: boolean
}

export const noRoles: RoleState = { decided: new Map(), hasGroupRoles: false }

export function applicationOf(
  profile: Profile,
  connections: ReadonlyMap<string, ConnectionRules>,
  roles: RoleState,
  accountType: ResourceType,
): Application {
  const viewers = new Map<string, Viewer>()
  const rules = [...connections.values()]
  const { role } = profile.user
  const groupsAreRoles = profile.groups.as === 'roles'
  const hasGroupRoles = groupsAreRoles || roles.hasGroupRoles
  const privileged = role?.privileged ?? []
  return {
    profile,
    connections,
    hasRoles: hasGroupRoles || role !== undefined,
    groupsAreRoles,
    hasGroupRoles,
    hasTargetGroups: rules.some(({ mapping }) => mapping.groupBy !== null || mapping.targetGroup !== null),
    privileged,
    withType: other => applicationOf(profile, connections, roles, other),
    isPrivileged: name => roles.decided.get(name) ?? privileged.includes(name),
    read: (resource, connectionId) => {
      const own = connections.get(connectionId)
      const key = own ? connectionId : ''
      let viewer = viewers.get(key)
      if (!viewer) {
        viewer = viewerOf(profile, own?.mapping ?? noMapping, own?.idp, accountType)
        viewers.set(key, viewer)
      }
      return viewer(resource)
    },
  }
}
