// The state of tenants at a glance: who left today, what is not delivered, which connections are silent or failing.
import type { Service } from '../env'
import { accountTypeOf } from '../scim/schema'
import { standardResourceTypes } from '../scim/schemas/resource-types'
import {
  FIGURE_BOUND,
  type FigureRow,
  type HealthRow,
  selectFigures,
  selectHealth,
} from '../storage/overview-rows'
import { TenantDatabase } from '../storage/tenant-database'
import type { OpenTenant } from './open-tenant'
import type { Page, PageRequest } from './page'
import { listTenants, type TenantItem } from './tenants'
import { timestampOrNull } from './timestamp'

/** Counted no further than this: a figure that reaches it stands for "or more". */
export const MOST_COUNTED = FIGURE_BOUND

/** An active connection that has not called for this long is silent. */
const SILENT_AFTER_MS = 24 * 3_600_000
/** Connections that are looked at: more than a tenant has. */
const MAX_CONNECTIONS = 50
const DAY_MS = 86_400_000

export type Health = 'working' | 'failing' | 'silent' | 'never-called' | 'disabled' | 'deleting'

export interface ConnectionHealth {
  readonly id: string
  readonly name: string
  readonly idp: string
  readonly health: Health
  readonly lastRequestAt: string | null
  readonly lastStatus: number | null
  /** Of its last requests: how many were refused or failed, and how many there are. */
  readonly failed: number
  readonly requests: number
}

export interface TenantOverview {
  readonly tenant: TenantItem
  readonly users: number
  readonly groups: number
  /** Whose access ended since midnight UTC; each figure from here on goes up to MOST_COUNTED. */
  readonly leaversToday: number
  readonly undelivered: number
  readonly dead: number
  readonly connections: readonly ConnectionHealth[]
}

/** The tenants in order of slug, each with its figures; a round trip for each. */
export async function listOverviews(service: Service, page: PageRequest): Promise<Page<TenantOverview>> {
  const { items, ...rest } = await listTenants(service, page)
  const overviews = items.map(tenant =>
    overviewOf(service, tenant, new TenantDatabase(service.d1, tenant.id)),
  )
  return { ...rest, items: await Promise.all(overviews) }
}

/** One round trip. */
export async function overviewOf(
  service: Service,
  tenant: TenantItem,
  database: TenantDatabase,
): Promise<TenantOverview> {
  const now = service.now()
  const since = now - (now % DAY_MS)
  const [figures, connections] = await database.batch([
    selectFigures(database.tenantId, typeNames(), since),
    selectHealth(database.tenantId, MAX_CONNECTIONS),
  ])
  const [row] = (figures?.rows ?? []) as unknown as FigureRow[]
  if (!row) throw new Error('Figures are one row.')
  const { users, groups, leavers, undelivered, dead } = row
  const rows = (connections?.rows ?? []) as unknown as HealthRow[]
  return {
    tenant,
    users,
    groups,
    leaversToday: Math.min(leavers, MOST_COUNTED),
    undelivered: Math.min(undelivered, MOST_COUNTED),
    dead,
    connections: rows.map(one => connectionHealth(one, now)),
  }
}

/** Undefined where there is no such connection. One round trip. */
export async function healthOf(
  service: Service,
  { database }: OpenTenant,
  connectionId: string,
): Promise<ConnectionHealth | undefined> {
  const [found] = await database.batch([selectHealth(database.tenantId, 1, connectionId)])
  const row = found?.rows[0] as unknown as HealthRow | undefined
  return row && connectionHealth(row, service.now())
}

function connectionHealth(row: HealthRow, now: number): ConnectionHealth {
  const { id, name, idp, lastAt, lastStatus, failed, requests } = row
  return {
    id,
    name,
    idp,
    health: judge(row, now),
    lastRequestAt: timestampOrNull(lastAt),
    lastStatus,
    failed,
    requests,
  }
}

/** A request that is refused is no failure where the next one went well: half of the last ones, or the last, is. */
function judge({ status, lastAt, lastOutcome, failed, requests }: HealthRow, now: number): Health {
  if (status === 'deleting' || status === 'disabled') return status
  if (lastAt === null) return 'never-called'
  if (now - lastAt > SILENT_AFTER_MS) return 'silent'
  return lastOutcome !== 'ok' || failed * 2 > requests ? 'failing' : 'working'
}

function typeNames(): { users: string; groups: string } {
  const groups = standardResourceTypes.find(({ membersAttribute }) => membersAttribute !== undefined)
  if (!groups) throw new Error('No resource type has members.')
  return { users: accountTypeOf(standardResourceTypes).name, groups: groups.name }
}
