// Long work in bounded steps: everybody's sessions, a connection's users, rules that have changed, deletions that were
// held, a tenant's rows.
// Each step is one batch that also moves the job on, so it is done once whoever runs it; the Queue carries it on and
// the sweep revives it.
import type { Service } from '../env'
import type { JobPointer } from '../events/message'
import { publish } from '../events/publish'
import { deactivate } from '../operations/deactivate'
import { recompute } from '../operations/recompute'
import { type AccountWrites, endSessions } from '../operations/revoke-sessions'
import { occasionOf, type Tenant } from '../operations/tenant'
import { pointersOf } from '../operations/update'
import { accountTypeOf, type ResourceType } from '../scim/schema'
import { deleteDeletingConnection, deleteOrphanTokens } from '../storage/connection-rows'
import { insertOrphanRelease } from '../storage/held-rows'
import {
  advanceJob,
  deleteSomeRows,
  deleteTenantRow,
  finishJob,
  type Job,
  readJob,
  selectAccountsAfter,
  selectActiveAfter,
  selectJob,
  selectOutstanding,
} from '../storage/job-steps'
import { createDeliveries } from '../storage/outbox'
import { fits } from '../storage/page-bytes'
import { dropOrphanPending } from '../storage/pending-members'
import { readResource, type StoredResource } from '../storage/resources'
import { deleteOrphanSetupLinks } from '../storage/setup-links'
import { failure, TenantDatabase } from '../storage/tenant-database'
import { removeFromDirectory } from '../storage/tenant-directory'
import { selectTenant } from '../storage/tenant-rows'
import { asOperator } from './as-operator'
import { formerRolesStep } from './former-roles-step'
import { groupRolesStep, hasWithdrawnRoles } from './group-roles-step'
import { heldStep } from './held-step'
import type { OpenTenant } from './open-tenant'

/** Accounts of one step: a few hundred statements, far below D1's time for a batch. */
const ACCOUNTS_A_STEP = 100
/** Rows that one step takes from each table of a tenant that goes. */
const ROWS_A_STEP = 5_000
/** Steps of one call: the reply to the operator, or one message of the Queue. */
const STEPS_A_CALL = 10

/** `more`: at once; `waiting`: when deliveries have come to an end; `done`. */
type Step = 'more' | 'waiting' | 'done'

/** Does the next steps of a job, and asks the Queue for the ones after that. A job that is done is left alone. */
export async function continueJob(service: Service, pointer: JobPointer): Promise<void> {
  const { tenantId, jobId } = pointer
  const database = new TenantDatabase(service, tenantId)
  for (let i = 0; i < STEPS_A_CALL; i++) {
    const [found, tenants] = await database.batch([selectJob(tenantId, jobId), selectTenant(tenantId)])
    const row = found?.rows[0]
    if (!row) return
    const slug = String(tenants?.rows[0]?.slug)
    const step = await oneStep(service, { slug, baseUrl: '', issuer: '', database }, readJob(row))
    if (step !== 'more') return
  }
  await publish(service, [pointer])
}

async function oneStep(service: Service, tenant: OpenTenant, job: Job): Promise<Step> {
  try {
    const step = isAboutHeld(job) ? heldStep : accountsStep
    return (await step(service, tenant, job)) ? 'more' : await lastStep(service, tenant, job)
  } catch (error) {
    // Somebody else moved the job, or changed one of the accounts or the schemas, or took a name: look again.
    if (['stale', 'configuration', 'unique'].includes(failure(error) ?? '')) return 'more'
    throw error
  }
}

function isAboutHeld({ kind }: Job): boolean {
  return kind === 'release-held' || kind === 'roll-back-held'
}

/** What a step does with accounts as they were read, and how many of them it had to leave as they were. */
function stepOf(
  kind: string,
  tenant: Tenant,
  type: ResourceType,
  accounts: readonly StoredResource[],
): AccountWrites & { readonly invalid?: number } {
  switch (kind) {
    case 'recompute':
      return recompute(tenant, type, accounts)
    case 'revoke-sessions':
      return endSessions(tenant, type, accounts, 'tenant_suspended')
    default:
      return deactivate(
        tenant,
        type,
        accounts,
        kind === 'delete-tenant' ? 'tenant_deleted' : 'connection_deleted',
      )
  }
}

/** Takes the next accounts; false when there are no more. */
async function accountsStep(service: Service, open: OpenTenant, job: Job): Promise<boolean> {
  const origin = { kind: 'job', job: job.kind } as const
  const tenant = { ...(await asOperator(service, open)), txn: job.id, origin }
  const { database } = tenant
  if (job.kind === 'recompute' && hasWithdrawnRoles(tenant)) {
    await groupRolesStep(service, tenant, job)
    return true
  }
  const type = accountTypeOf(tenant.resourceTypes)
  const next = job.kind === 'recompute' ? selectAccountsAfter : selectActiveAfter
  const [found] = await database.batch([next(tenant.id, type, job, ACCOUNTS_A_STEP)])
  const accounts = (found?.rows ?? []).filter(fits).map(readResource)
  const last = accounts.at(-1)
  if (!last) return false
  const { rows, events, appended, invalid = 0 } = stepOf(job.kind, tenant, type, accounts)
  const done = await database.steps({
    unchanged: database.guard,
    progress: advanceJob(
      tenant.id,
      job,
      { position: last.serial, done: accounts.length, invalid },
      tenant.now,
    ),
    rows,
    events,
    deliveries: [createDeliveries(occasionOf(tenant), appended)],
  })
  await publish(service, pointersOf(tenant, done.deliveries[0]))
  return true
}

/** What follows when nobody is left: roles of a former profile, the connection, or the tenant's rows, go. */
async function lastStep(service: Service, open: OpenTenant, job: Job): Promise<Step> {
  const { database } = open
  const { tenantId } = database
  const { kind, connectionId } = job
  if (kind === 'deactivate-users' || kind === 'delete-tenant') {
    const [left] = await database.batch([
      selectActiveAfter(
        tenantId,
        accountTypeOf((await asOperator(service, open)).resourceTypes),
        { ...job, position: 0 },
        1,
      ),
    ])
    // A request that was admitted before the connection, or the tenant, was closed has given somebody access again.
    if (left?.rows[0]) {
      await database.batch(advanceJob(tenantId, job, { position: 0, done: 0 }, service.now()))
      return 'more'
    }
  }
  if (kind === 'delete-tenant') return deleteTenantStep(service, open)
  if (kind === 'recompute' && connectionId === null && (await formerRolesStep(service, open))) return 'more'
  if (kind === 'deactivate-users' && connectionId !== null) {
    const jobId = service.newId()
    const [, , , released] = await database.batch([
      deleteDeletingConnection(tenantId, connectionId),
      deleteOrphanTokens(tenantId, connectionId),
      dropOrphanPending(tenantId, connectionId),
      insertOrphanRelease(tenantId, jobId, connectionId, service.now()),
      deleteOrphanSetupLinks(tenantId, connectionId),
    ])
    if (released?.changes === 1) await publish(service, [{ tenantId, jobId }])
  }
  await database.batch([finishJob(tenantId, job)])
  return 'done'
}

/** Waits, step by step of the sweep, until every delivery is delivered or dead; then the rows go. */
async function deleteTenantStep(service: Service, { slug, database }: OpenTenant): Promise<Step> {
  const { tenantId } = database
  const [outstanding] = await database.batch([selectOutstanding(tenantId)])
  if (outstanding?.rows[0]?.outstanding === 1) return 'waiting'
  const deleted = await database.batch(deleteSomeRows(tenantId, ROWS_A_STEP))
  if (deleted.some(outcome => outcome.changes > 0)) return 'more'
  // The directory first: without it the slug answers 404, and the job is still there should this be interrupted.
  await removeFromDirectory(service.d1, { slug, tenantId })
  await database.batch(deleteTenantRow(tenantId))
  return 'done'
}
