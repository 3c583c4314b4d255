// Tenants as the operator handles them: create, look up, rename, suspend, resume, delete.
import type { Service } from '../env'
import type { Profile } from '../mapping/profile'
import { bindingOf, tenantIdIn } from '../storage/databases'
import { insertJob } from '../storage/job-rows'
import { changeProfile } from '../storage/profile-rows'
import { failure, type Statement, TenantDatabase } from '../storage/tenant-database'
import { type DirectoryEntry, insertTenant, pageOfDirectory, tenantsOf } from '../storage/tenant-directory'
import {
  countActiveUsers,
  isAboutToBeSuspended,
  markTenantDeleting,
  mayBeDeleted,
  selectTenant,
  type TenantRow,
  type TenantStatus,
  updateTenant,
} from '../storage/tenant-rows'
import { catchUp } from './adoption'
import { beginJob } from './begin-job'
import type { OpenTenant } from './open-tenant'
import { type List, type Page, type PageRequest, readPage, textPosition } from './page'
import { invalid, notFound, Problem } from './problem'
import {
  type ChosenProfile,
  chooseProfile,
  followProfile,
  profileVersion,
  roleStatements,
} from './tenant-profile'
import { timestamp } from './timestamp'

export interface TenantItem {
  readonly id: string
  readonly slug: string
  readonly name: string
  readonly profile: string
  readonly profileVersion: number
  readonly status: TenantStatus
  readonly createdAt: string
  /** The D1 binding in which it lives. */
  readonly database: string
}

/** Throws 409 for a slug that is taken, 422 for a profile or a database that there is not. */
export async function createTenant(
  service: Service,
  input: { slug: string; name: string; profile: string; database?: string | undefined },
): Promise<TenantItem> {
  const { slug, name, database: binding = service.tenantDatabase } = input
  if (!service.tenantDatabases.includes(binding))
    throw invalid('database', 'is no D1 binding of this deployment')
  const { profile, document } = await chooseProfile(service, input.profile)
  const tenant = {
    tenantId: tenantIdIn(binding, service.newId()),
    slug,
    name,
    profile: profile.name,
    profileVersion: profile.version,
    profileDocument: document,
    status: 'active',
    createdAt: service.now(),
  } satisfies TenantRow & { profileDocument: string | null }
  try {
    await insertTenant(service, tenant)
  } catch (error) {
    if (failure(error) === 'unique') throw new Problem(409, `The slug "${slug}" is taken.`)
    throw error
  }
  const roles = roleStatements(service, tenant.tenantId, profile)
  const database = new TenantDatabase(service, tenant.tenantId)
  await database.batch(roles)
  await catchUp(service, tenant.tenantId, profile)
  const [after] = await database.batch([selectTenant(tenant.tenantId)])
  return item(rowOf(after?.rows))
}

/** In order of slug. */
export async function listTenants(service: Service, request: PageRequest): Promise<Page<TenantItem>> {
  const directory: List<DirectoryEntry, DirectoryEntry> = {
    name: 'tenants',
    owner: '',
    read: (after, limit) => pageOfDirectory(service.d1, textPosition(after), limit),
    position: entry => [entry.slug],
    item: entry => entry,
  }
  const page = await readPage(service, directory, request)
  return { ...page, items: (await tenantsOf(service, page.items)).map(item) }
}

export async function getTenant(tenant: OpenTenant): Promise<TenantItem> {
  const [found] = await tenant.database.batch([selectTenant(tenant.database.tenantId)])
  return item(rowOf(found?.rows))
}

/**
 * Suspending begins the job that ends everybody's sessions, in the batch that suspends; another profile begins the one
 * that reads everybody anew. Throws 422 for a profile that there is not.
 */
export async function updateTenantSettings(
  service: Service,
  { database }: OpenTenant,
  change: {
    name?: string | undefined
    profile?: string | undefined
    status?: 'active' | 'suspended' | undefined
  },
): Promise<TenantItem> {
  const { tenantId } = database
  const { name = null, status = null } = change
  const job = { id: service.newId(), kind: 'revoke-sessions', connectionId: null } as const
  const chosen = change.profile === undefined ? undefined : await chooseProfile(service, change.profile)
  const former = chosen && (await profileOfTenant(service, database))
  const recompute = service.newId()
  const done = await database.steps({
    job: [insertJob(tenantId, job, service.now(), isAboutToBeSuspended(tenantId, status))],
    update: [updateTenant(tenantId, { name, status })],
    profile: chosen ? profileChange(service, tenantId, { ...chosen, former }, recompute) : [],
    after: [selectTenant(tenantId)],
  })
  const row = rowOf(done.after[0]?.rows)
  if (done.update[0]?.changes === 0) throw new Problem(409, 'The tenant is being deleted.')
  if (done.job[0]?.changes === 1) await beginJob(service, { tenantId, jobId: job.id })
  if (!chosen) return item(row)
  await beginJob(service, { tenantId, jobId: recompute })
  await catchUp(service, tenantId, chosen.profile)
  const [after] = await database.batch([selectTenant(tenantId)])
  return item(rowOf(after?.rows))
}

async function profileOfTenant(service: Service, database: TenantDatabase): Promise<Profile | undefined> {
  const [found] = await database.batch([selectTenant(database.tenantId)])
  const row = rowOf(found?.rows)
  return profileVersion(service, row.profile, row.profileVersion)
}

function profileChange(
  service: Service,
  tenantId: string,
  { profile, document, former }: ChosenProfile & { former: Profile | undefined },
  jobId: string,
): Statement[] {
  const { name, version } = profile
  return [
    changeProfile(tenantId, { name, version, document }),
    ...followProfile(service, tenantId, { profile, former }, jobId),
  ]
}

/**
 * Begins the deletion: from this batch on the tenant's credentials answer 403. Its job ends everybody's access and
 * removes the rows once nothing is left to be delivered. Doing it twice begins one job.
 * Throws 409 for active users that nobody said to deactivate.
 */
export async function deleteTenant(
  service: Service,
  { database }: OpenTenant,
  deactivateUsers: boolean,
): Promise<TenantItem> {
  const { tenantId } = database
  const job = { id: service.newId(), kind: 'delete-tenant', connectionId: null } as const
  const done = await database.steps({
    job: [insertJob(tenantId, job, service.now(), mayBeDeleted(tenantId, deactivateUsers))],
    mark: [markTenantDeleting(tenantId)],
    after: [selectTenant(tenantId), countActiveUsers(tenantId, null)],
  })
  const [after, users] = done.after
  const row = rowOf(after?.rows)
  if (row.status !== 'deleting') throw stillUsed('tenant', users?.rows[0]?.active)
  if (done.job[0]?.changes === 1) await beginJob(service, { tenantId, jobId: job.id })
  return item(row)
}

export function stillUsed(noun: string, active: unknown): Problem {
  const users = Number(active) === 1 ? '1 active user' : `${Number(active)} active users`
  return new Problem(409, `The ${noun} has ${users}. With ?deactivateUsers=true they are deactivated first.`)
}

function rowOf(rows: readonly unknown[] | undefined): TenantRow {
  const row = rows?.[0] as TenantRow | undefined
  if (!row) throw notFound('tenant')
  return row
}

function item({ tenantId, slug, name, profile, profileVersion, status, createdAt }: TenantRow): TenantItem {
  return {
    id: tenantId,
    slug,
    name,
    profile,
    profileVersion,
    status,
    createdAt: timestamp(createdAt),
    database: bindingOf(tenantId),
  }
}
