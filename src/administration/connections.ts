// Connections as the operator handles them: one for each identity provider of a tenant, with its first token.
import type { Service } from '../env'
import type { IdentityProvider } from '../mapping/identity-providers'
import {
  type ConnectionRow,
  connectionIsStaying,
  deleteOrphanTokens,
  deleteUnusedConnection,
  insertConnection,
  markConnectionDeleting,
  pageOfConnections,
  selectConnection,
  updateConnection,
} from '../storage/connection-rows'
import { insertOrphanRelease } from '../storage/held-rows'
import { insertJob } from '../storage/job-rows'
import { dropOrphanPending } from '../storage/pending-members'
import { deleteOrphanSetupLinks } from '../storage/setup-links'
import { countActiveUsers, raiseConfigVersion } from '../storage/tenant-rows'
import { issueToken } from '../storage/token-rows'
import { mintToken } from '../storage/tokens'
import { beginJob } from './begin-job'
import type { OpenTenant } from './open-tenant'
import { type Page, type PageRequest, readPage, textPosition } from './page'
import { notFound, Problem } from './problem'
import { stillUsed } from './tenants'
import { timestamp } from './timestamp'
import { type NewToken, newToken } from './tokens'

export const modes = ['compat', 'strict'] as const

export interface ConnectionItem {
  readonly id: string
  readonly name: string
  readonly idp: IdentityProvider
  readonly mode: (typeof modes)[number]
  readonly status: ConnectionRow['status']
  /** What is pasted into the identity provider. */
  readonly baseUrl: string
  readonly createdAt: string
}

export interface NewConnection {
  readonly name: string
  readonly idp: ConnectionItem['idp']
  readonly mode: ConnectionItem['mode']
}

/** The token's value is in this answer and never again. */
export async function createConnection(
  service: Service,
  tenant: OpenTenant,
  input: NewConnection,
): Promise<ConnectionItem & { token: NewToken }> {
  const { tenantId } = tenant.database
  const now = service.now()
  const connection: ConnectionRow = { id: service.newId(), ...input, status: 'active', createdAt: now }
  const ids = { tenantId, connectionId: connection.id, tokenId: service.newId() }
  const { value, claims } = await mintToken(service.keys, ids)
  const [inserted] = await tenant.database.batch([
    insertConnection(tenantId, connection),
    raiseConfigVersion(tenantId),
    issueToken(claims, now, null),
  ])
  if (inserted?.changes !== 1) throw new Problem(409, 'The tenant is being deleted.')
  return { ...item(tenant)(connection), token: newToken(claims, value, now, null) }
}

export function listConnections(
  service: Service,
  tenant: OpenTenant,
  page: PageRequest,
): Promise<Page<ConnectionItem>> {
  const { database } = tenant
  return readPage(
    service,
    {
      name: 'connections',
      owner: database.tenantId,
      read: async (after, limit) => {
        const [found] = await database.batch([
          pageOfConnections(database.tenantId, textPosition(after), limit),
        ])
        return (found?.rows ?? []) as unknown as ConnectionRow[]
      },
      position: connection => [connection.id],
      item: item(tenant),
    },
    page,
  )
}

export async function getConnection(tenant: OpenTenant, id: string): Promise<ConnectionItem> {
  const [found] = await tenant.database.batch([selectConnection(tenant.database.tenantId, id)])
  return item(tenant)(rowOf(found?.rows))
}

export async function updateConnectionSettings(
  tenant: OpenTenant,
  id: string,
  change: {
    name?: string | undefined
    mode?: ConnectionItem['mode'] | undefined
    status?: 'active' | 'disabled' | undefined
  },
): Promise<ConnectionItem> {
  const { tenantId } = tenant.database
  const { name = null, mode = null, status = null } = change
  const done = await tenant.database.steps({
    update: [updateConnection(tenantId, id, { name, mode, status }), raiseConfigVersion(tenantId)],
    after: [selectConnection(tenantId, id)],
  })
  const row = rowOf(done.after[0]?.rows)
  if (done.update[0]?.changes === 0) throw new Problem(409, 'The connection is being deleted.')
  return item(tenant)(row)
}

/**
 * Deletes the connection with its tokens. Throws 409 for active users that nobody said to deactivate; with
 * `deactivateUsers` a job does that first: the connection comes back, `deleting`, unless the job is done already.
 */
export async function deleteConnection(
  service: Service,
  tenant: OpenTenant,
  id: string,
  deactivateUsers: boolean,
): Promise<ConnectionItem | undefined> {
  if (deactivateUsers) return deactivateAndDelete(service, tenant, id)
  const { tenantId } = tenant.database
  const jobId = service.newId()
  const done = await tenant.database.steps({
    before: [selectConnection(tenantId, id), countActiveUsers(tenantId, id)],
    delete: [
      deleteUnusedConnection(tenantId, id),
      raiseConfigVersion(tenantId),
      deleteOrphanTokens(tenantId, id),
      dropOrphanPending(tenantId, id),
      deleteOrphanSetupLinks(tenantId, id),
    ],
    job: [insertOrphanRelease(tenantId, jobId, id, service.now())],
  })
  const [before, users] = done.before
  const row = rowOf(before?.rows)
  if (done.job[0]?.changes === 1) await beginJob(service, { tenantId, jobId })
  if (done.delete[0]?.changes === 1) return undefined
  if (row.status === 'deleting') return item(tenant)(row)
  throw stillUsed('connection', users?.rows[0]?.active)
}

async function deactivateAndDelete(
  service: Service,
  tenant: OpenTenant,
  id: string,
): Promise<ConnectionItem | undefined> {
  const { tenantId } = tenant.database
  const job = { id: service.newId(), kind: 'deactivate-users', connectionId: id } as const
  const done = await tenant.database.steps({
    before: [selectConnection(tenantId, id)],
    job: [insertJob(tenantId, job, service.now(), connectionIsStaying(tenantId, id))],
    mark: [markConnectionDeleting(tenantId, id), raiseConfigVersion(tenantId)],
  })
  rowOf(done.before[0]?.rows)
  if (done.job[0]?.changes === 1) await beginJob(service, { tenantId, jobId: job.id })
  const [after] = await tenant.database.batch([selectConnection(tenantId, id)])
  const left = after?.rows[0] as ConnectionRow | undefined
  return left && item(tenant)(left)
}

function rowOf(rows: readonly unknown[] | undefined): ConnectionRow {
  const row = rows?.[0] as ConnectionRow | undefined
  if (!row) throw notFound('connection')
  return row
}

function item(tenant: OpenTenant): (row: ConnectionRow) => ConnectionItem {
  return ({ id, name, idp, mode, status, createdAt }) => ({
    id,
    name,
    idp: idp as ConnectionItem['idp'],
    mode: mode as ConnectionItem['mode'],
    status,
    baseUrl: tenant.baseUrl,
    createdAt: timestamp(createdAt),
  })
}
