// The profile of a tenant: which one it is, and what is written when the tenant gets another one or a newer version.
import type { Service } from '../env'
import type { Profile } from '../mapping/profile'
import { profileDocument, profileOf } from '../mapping/profile-document'
import { shippedProfile } from '../mapping/shipped-profiles'
import { accountTypeOf, groupTypeOf } from '../scim/schema'
import { standardResourceTypes } from '../scim/schemas/resource-types'
import { raiseConfigurationVersion } from '../storage/configuration-rows'
import type { Databases } from '../storage/databases'
import { insertRecompute } from '../storage/job-rows'
import { findProfile } from '../storage/profile-rows'
import { insertAttributeRoles, keepPrivileged, makeGroupsRoles } from '../storage/roles'
import type { Statement } from '../storage/tenant-database'
import { invalid } from './problem'

/** A profile as a tenant gets it. */
export interface ChosenProfile {
  readonly profile: Profile
  /** JSON; null for one that ships with the service, which is not copied. */
  readonly document: string | null
}

/** The newest version under the name. Throws 422 for a name that there is not. */
export async function chooseProfile(service: Service, name: string): Promise<ChosenProfile> {
  const row = await findProfile(service.d1, name)
  if (row) return { profile: readProfile(row.document, row.version), document: row.document }
  const profile = shippedProfile(name)
  if (!profile)
    throw invalid(
      'profile',
      'is no profile of this deployment, such as standard: GET /admin/v1/profiles lists them',
    )
  return { profile, document: null }
}

/** The version that a tenant has, or had until now. */
export async function profileVersion(
  { d1 }: Databases,
  name: string,
  version: number,
): Promise<Profile | undefined> {
  if (version === 0) return shippedProfile(name)
  const row = await findProfile(d1, name, version)
  return row && readProfile(row.document, row.version)
}

/** A document that was read without problems before it was stored. */
export function readProfile(document: string, version: number): Profile {
  return profileOf(profileDocument.parse(JSON.parse(document)), version)
}

/**
 * Goes behind the statement that gives the tenant the profile in the place of the former one: its users are read anew
 * by the job, which also takes away what groups gave where they are no roles any more.
 */
export function followProfile(
  service: Service,
  tenantId: string,
  { profile, former }: { profile: Profile; former: Profile | undefined },
  jobId: string,
): Statement[] {
  const job = { id: jobId, kind: 'recompute', connectionId: null } as const
  const withdrawn = withdrawnPrivileges(former, profile)
  return [
    ...(withdrawn.length > 0 ? [keepPrivileged(tenantId, withdrawn)] : []),
    raiseConfigurationVersion(tenantId),
    ...roleStatements(service, tenantId, profile),
    ...insertRecompute(tenantId, job, accountTypeOf(standardResourceTypes).name, service.now()),
  ]
}

/** Roles that nobody can have any more: whoever has one of them is about to lose it, and that still ends sessions. */
function withdrawnPrivileges(former: Profile | undefined, { user: { role } }: Profile): readonly string[] {
  const privileged = former?.user.role?.privileged ?? []
  if (!role) return privileged
  return privileged.filter(name => role.values && !role.values.includes(name))
}

/** Roles that are known before anybody has them, so that the operator can give them permissions. */
export function roleStatements(
  { newId }: Pick<Service, 'newId'>,
  tenantId: string,
  { user, groups }: Profile,
): Statement[] {
  const named = (user.role?.values ?? []).map(name => ({ id: newId(), name }))
  return [
    ...(named.length > 0 ? [insertAttributeRoles(tenantId, named)] : []),
    ...(groups.as === 'roles'
      ? [
          makeGroupsRoles(
            tenantId,
            groupTypeOf(standardResourceTypes).name,
            accountTypeOf(standardResourceTypes).name,
          ),
        ]
      : []),
  ]
}
