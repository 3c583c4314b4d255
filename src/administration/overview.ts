// The state of tenants at a glance: who left today, what is not delivered, which connections are silent or failing.
import type { Service } from '../env'
import type { IdentityProvider } from '../mapping/identity-providers'
import {
  addHistograms,
  type Histogram,
  type KillTime,
  killTimeOf,
  readHours,
  selectKillTimesByHour,
} from '../storage/kill-times'
import { readDeliveryCounts, selectDeliveryCounts } from '../storage/metrics-rows'
import {
  FIGURE_BOUND,
  type FigureRow,
  type HealthRow,
  selectFigures,
  selectHealth,
} from '../storage/overview-rows'
import { TenantDatabase } from '../storage/tenant-database'
import { countedTypes } from './metrics'
import type { OpenTenant } from './open-tenant'
import type { Page, PageRequest } from './page'
import { listTenants, type TenantItem } from './tenants'
import { timestampOrNull } from './timestamp'
import { expiresSoon } from './tokens'

/** Counted no further than this: a figure that reaches it stands for "or more". */
export const MOST_COUNTED = FIGURE_BOUND

/** An active connection that has not called for this long is silent. */
const SILENT_AFTER_MS = 24 * 3_600_000
/** How far back kill times are shown. */
export const KILL_TIME_HOURS = 24
/** Connections that are looked at: more than a tenant has. */
const MAX_CONNECTIONS = 50
const DAY_MS = 86_400_000

export type Health = 'working' | 'failing' | 'silent' | 'never-called' | 'no-token' | 'disabled' | 'deleting'

export interface ConnectionHealth {
  readonly id: string
  readonly name: string
  readonly idp: IdentityProvider
  readonly health: Health
  readonly lastRequestAt: string | null
  readonly lastStatus: number | null
  /** Of its last requests: how many were refused or failed, and how many there are. */
  readonly failed: number
  readonly requests: number
  /** When its last token ends, if that is soon. */
  readonly tokenEndsAt: string | null
}

/** Of one hour, or of all of them. */
export interface KillTimes {
  readonly whole: KillTime
  /** The oldest first; the last one is still running. */
  readonly hours: readonly KillTime[]
}

export interface TenantOverview {
  readonly tenant: TenantItem
  readonly users: number
  readonly groups: number
  /** Whose access ended since midnight UTC, counted up to MOST_COUNTED. */
  readonly leaversToday: number
  readonly undelivered: number
  readonly dead: number
  /** Ends of sessions that a receiver has not taken in time. */
  readonly overdue: number
  /** The breaker holds whom identity providers delete. */
  readonly tripped: boolean
  readonly killHours: readonly Histogram[]
  readonly connections: readonly ConnectionHealth[]
}

/** The tenants in order of slug, each with its figures; a round trip for each. */
export async function listOverviews(service: Service, page: PageRequest): Promise<Page<TenantOverview>> {
  const { items, ...rest } = await listTenants(service, page)
  const overviews = items.map(tenant => overviewOf(service, tenant, new TenantDatabase(service, tenant.id)))
  return { ...rest, items: await Promise.all(overviews) }
}

/** One round trip. */
export async function overviewOf(
  service: Service,
  tenant: TenantItem,
  database: TenantDatabase,
): Promise<TenantOverview> {
  const { tenantId } = database
  const now = service.now()
  const since = now - (now % DAY_MS)
  const [figures, deliveries, killTimes, connections] = await database.batch([
    selectFigures(tenantId, { users: countedTypes.account.name, groups: countedTypes.group.name }, since),
    selectDeliveryCounts(tenantId),
    selectKillTimesByHour(tenantId, KILL_TIME_HOURS, now),
    selectHealth(tenantId, now, MAX_CONNECTIONS),
  ])
  const [row] = (figures?.rows ?? []) as unknown as FigureRow[]
  if (!row) throw new Error('Figures are one row.')
  const { pending, retrying, dead, overdue } = readDeliveryCounts(deliveries?.rows[0] ?? {})
  return {
    tenant,
    users: row.users,
    groups: row.groups,
    leaversToday: Math.min(row.leavers, MOST_COUNTED),
    undelivered: pending + retrying,
    dead,
    overdue,
    tripped: row.trippedAt !== null,
    killHours: readHours(killTimes?.rows ?? [], KILL_TIME_HOURS, now),
    connections: ((connections?.rows ?? []) as unknown as HealthRow[]).map(one => connectionHealth(one, now)),
  }
}

/** Of several tenants together. */
export function killTimesOf(overviews: readonly TenantOverview[]): KillTimes {
  const hours = Array.from({ length: KILL_TIME_HOURS }, (_, i) =>
    addHistograms(overviews.flatMap(({ killHours }) => killHours[i] ?? [])),
  )
  return { whole: killTimeOf(addHistograms(hours)), hours: hours.map(killTimeOf) }
}

/** Undefined where there is no such connection. One round trip. */
export async function healthOf(
  service: Service,
  { database }: OpenTenant,
  connectionId: string,
): Promise<ConnectionHealth | undefined> {
  const [found] = await database.batch([selectHealth(database.tenantId, service.now(), 1, connectionId)])
  const row = found?.rows[0] as unknown as HealthRow | undefined
  return row && connectionHealth(row, service.now())
}

function connectionHealth(row: HealthRow, now: number): ConnectionHealth {
  const { id, name, idp, lastAt, lastStatus, failed, requests, tokensEnd } = row
  return {
    id,
    name,
    idp,
    health: judge(row, now),
    lastRequestAt: timestampOrNull(lastAt),
    lastStatus,
    failed,
    requests,
    tokenEndsAt: expiresSoon({ expiresAt: tokensEnd, revokedAt: null }, now)
      ? timestampOrNull(tokensEnd)
      : null,
  }
}

/** A request that is refused is no failure where the next one went well: half of the last ones, or the last, is. */
function judge({ status, lastAt, lastOutcome, failed, requests, tokens }: HealthRow, now: number): Health {
  if (status === 'deleting' || status === 'disabled') return status
  if (lastAt === null) return 'never-called'
  if (tokens === 0) return 'no-token'
  if (now - lastAt > SILENT_AFTER_MS) return 'silent'
  return lastOutcome !== 'ok' || failed * 2 > requests ? 'failing' : 'working'
}
