// The deployment's profiles as the operator handles them: those that ship with the service, and what has been put
// under any name, version by version.
import type { Service } from '../env'
import { checkProfile } from '../mapping/check'
import type { Profile } from '../mapping/profile'
import { profileOf } from '../mapping/profile-document'
import { type ReadableProfile, readableProfile } from '../mapping/readable-document'
import { shippedNames, shippedProfile } from '../mapping/shipped-profiles'
import type { Json } from '../scim/json'
import { accountTypeOf, type ResourceType } from '../scim/schema'
import { standardResourceTypes } from '../scim/schemas/resource-types'
import { withOpenExtensions } from '../scim/tenant-types'
import {
  deleteProfile,
  findProfile,
  insertProfile,
  type ProfileRow,
  pageOfProfiles,
  pageOfProfileVersions,
} from '../storage/profile-rows'
import { pageOfDirectory, tenantsOf } from '../storage/tenant-directory'
import { continueAdoption } from './adoption'
import { type Page, type PageRequest, readPage, textPosition } from './page'
import { type FieldError, notFound, Problem } from './problem'
import { readProfile } from './tenant-profile'
import { timestamp } from './timestamp'

export interface ProfileItem extends Profile {
  /** Null for one as it ships with the service. */
  readonly createdAt: string | null
  /** A profile of this name ships with the service. */
  readonly shipped: boolean
}

/** In order of name. */
export function listProfiles(service: Service, page: PageRequest): Promise<Page<ProfileItem>> {
  return readPage(
    service,
    {
      name: 'profiles',
      owner: '',
      read: async (position, limit) => {
        const after = textPosition(position)
        const put = (await pageOfProfiles(service.d1, after, limit)).map(item)
        const known = new Set(put.map(({ name }) => name))
        const shipped = shippedNames.filter(name => name > after && !known.has(name)).map(asShipped)
        return [...put, ...shipped].toSorted((a, b) => (a.name < b.name ? -1 : 1)).slice(0, limit)
      },
      position: ({ name }) => [name],
      item: profile => profile,
    },
    page,
  )
}

/** The newest version, or the one that is asked for (0: as it ships). Throws 404. */
export async function getProfile(service: Service, name: string, version?: number): Promise<ProfileItem> {
  const row = version === 0 ? undefined : await findProfile(service.d1, name, version)
  if (row) return item(row)
  if ((version ?? 0) === 0 && shippedProfile(name)) return asShipped(name)
  throw notFound('profile')
}

/** Newest first; one that ships with the service is the oldest, version 0. */
export function listProfileVersions(
  service: Service,
  name: string,
  page: PageRequest,
): Promise<Page<ProfileItem>> {
  return readPage(
    service,
    {
      name: `versions of profile ${name}`,
      owner: '',
      read: async (position, limit) => {
        const before = position ? Number(position[0]) : Number.MAX_SAFE_INTEGER
        const rows = (await pageOfProfileVersions(service.d1, name, before, limit)).map(item)
        const shipped = before > 0 && rows.length < limit && shippedProfile(name) ? [asShipped(name)] : []
        const found = [...rows, ...shipped]
        if (!position && found.length === 0) throw notFound('profile')
        return found
      },
      position: ({ version }) => [version],
      item: profile => profile,
    },
    page,
  )
}

/**
 * A further version, which the tenants that have the profile get in the background. Throws 422 with the JSON path of
 * everything that is wrong.
 */
export async function putProfile(
  service: Service,
  name: string,
  document: Parameters<typeof profileOf>[0],
): Promise<{ created: boolean; profile: ProfileItem }> {
  const problems = problemsOf(name, profileOf(document, 0))
  if (problems.length > 0) {
    const told = problems.map(({ path, message }) => `${path}: ${message}`)
    throw new Problem(422, told.join('; '), problems)
  }
  const row = await insertProfile(service.d1, name, JSON.stringify(document), service.now())
  await continueAdoption(service, name)
  return { created: row.version === 1 && !shippedProfile(name), profile: item(row) }
}

/** What is wrong with a document that has not its form, as far as it can be read. `name`: that of the path. */
export function profileProblems(name: string | undefined, document: Json): readonly FieldError[] {
  return problemsOf(name, readableProfile(document))
}

function problemsOf(name: string | undefined, profile: ReadableProfile): readonly FieldError[] {
  const isOther = name !== undefined && profile.name !== undefined && profile.name !== name
  return [
    ...(isOther ? [{ path: 'name', message: `must be the name of the path, ${name}` }] : []),
    ...checkProfile(profile, userType(profile.user.customAttributes === 'enterprise')),
  ]
}

/** What every tenant's users have at least; a tenant's own extensions belong into the mapping of a connection. */
function userType(open: boolean): ResourceType {
  return accountTypeOf(open ? withOpenExtensions(standardResourceTypes) : standardResourceTypes)
}

/** Every version goes; one that ships with the service is as it ships again. Throws 404, and 409 while tenants have it. */
export async function removeProfile(service: Service, name: string): Promise<void> {
  if (!(await findProfile(service.d1, name)))
    throw shippedProfile(name) ? new Problem(409, 'The profile ships with the service.') : notFound('profile')
  const tenants = await tenantsWith(service, name)
  if (tenants > 0)
    throw new Problem(409, `${tenants} ${tenants === 1 ? 'tenant has' : 'tenants have'} the profile.`)
  await deleteProfile(service.d1, name)
}

const DIRECTORY_PAGE = 500

async function tenantsWith(service: Service, name: string): Promise<number> {
  let count = 0
  for (let after = ''; ; ) {
    const entries = await pageOfDirectory(service.d1, after, DIRECTORY_PAGE)
    const tenants = await tenantsOf(service, entries)
    count += tenants.filter(({ profile }) => profile === name).length
    const last = entries.at(-1)
    if (!last || entries.length < DIRECTORY_PAGE) return count
    after = last.slug
  }
}

function item({ name, version, document, createdAt }: ProfileRow): ProfileItem {
  const shipped = shippedProfile(name) !== undefined
  return { ...readProfile(document, version), createdAt: timestamp(createdAt), shipped }
}

function asShipped(name: string): ProfileItem {
  const profile = shippedProfile(name)
  if (!profile) throw notFound('profile')
  return { ...profile, createdAt: null, shipped: true }
}
