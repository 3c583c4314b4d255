// The tenants of a profile get its newest version, page by page of the directory: each in one batch of its own, which
// also begins to read its users anew.
import type { Service } from '../env'
import { publish } from '../events/publish'
import type { Profile } from '../mapping/profile'
import {
  adoptProfile,
  advanceAdoption,
  findAdoption,
  findProfile,
  type ProfileRow,
} from '../storage/profile-rows'
import { failure, TenantDatabase } from '../storage/tenant-database'
import { pageOfDirectory, tenantsOf } from '../storage/tenant-directory'
import { beginJob } from './begin-job'
import { followProfile, profileVersion, readProfile } from './tenant-profile'

/** Tenants of one step: a few statements each. */
const TENANTS_A_STEP = 50
/** Steps of one call: the reply to the operator, or one message of the Queue. */
const STEPS_A_CALL = 4
/** The next step is looked for after this long, should its message be lost. */
const WAKE_AFTER_MS = 30_000

/** Does the next steps for the profile, and asks the Queue for the ones after that. */
export async function continueAdoption(service: Service, name: string): Promise<void> {
  for (let step = 0; step < STEPS_A_CALL; step++) {
    const adoption = await findAdoption(service.d1, name)
    if (!adoption) return
    const entries = await pageOfDirectory(service.d1, adoption.adoptedSlug, TENANTS_A_STEP)
    const tenants = await tenantsOf(service, entries)
    const formerOf = versionsOf(service, name)
    for (const { tenantId, profile, profileVersion } of tenants)
      if (profile === name) await adopt(service, tenantId, adoption, await formerOf(profileVersion))
    const last = entries.at(-1)
    const more = last !== undefined && entries.length === TENANTS_A_STEP
    const until = last?.slug ?? adoption.adoptedSlug
    await advanceAdoption(service.d1, adoption, until, more ? service.now() + WAKE_AFTER_MS : null)
  }
  await publish(service, [{ profile: name }])
}

/** Versions of the profile, each read once. */
function versionsOf(service: Service, name: string): (version: number) => Promise<Profile | undefined> {
  const known = new Map<number, Promise<Profile | undefined>>()
  return version => {
    const found = known.get(version) ?? profileVersion(service, name, version)
    known.set(version, found)
    return found
  }
}

/**
 * A tenant that has been given another profile meanwhile, or a newer version, keeps that; one that has this version has
 * the job as well.
 */
export async function adopt(
  service: Service,
  tenantId: string,
  { name, version, document }: Omit<ProfileRow, 'createdAt'>,
  former: Profile | undefined,
): Promise<void> {
  const profile = readProfile(document, version)
  const jobId = service.newId()
  try {
    await new TenantDatabase(service, tenantId).batch([
      ...adoptProfile(tenantId, { name, version, document }),
      ...followProfile(service, tenantId, { profile, former }, jobId),
    ])
  } catch (error) {
    if (failure(error) !== 'stale') throw error
    return
  }
  await beginJob(service, { tenantId, jobId })
}

/**
 * For a tenant that has just got the profile: a version that was put while it was chosen may have been given to all
 * tenants that had the profile before this one did.
 */
export async function catchUp(service: Service, tenantId: string, chosen: Profile): Promise<void> {
  const newest = await findProfile(service.d1, chosen.name)
  if (newest && newest.version > chosen.version) await adopt(service, tenantId, newest, chosen)
}
