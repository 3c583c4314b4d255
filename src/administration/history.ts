// What happened, as the operator reads it: events, deliveries, the SCIM request log.
import type { Service } from '../env'
import { contentOf, GENESIS, type LinkContent, sealEvents } from '../events/chain'
import type { JsonObject } from '../scim/json'
import {
  type ActivityRow,
  type DeliveryRow,
  type EventFilter,
  type EventRow,
  type ListedLinkRow,
  pageOfActivity,
  pageOfDeliveries,
  pageOfEvents,
  pageOfLinks,
  selectActivity,
} from '../storage/history-rows'
import type { Statement } from '../storage/tenant-database'
import type { OpenTenant } from './open-tenant'
import { type Page, type PageRequest, readPage } from './page'
import { notFound } from './problem'
import { timestamp, timestampOrNull } from './timestamp'

/** A section for every error that an identity provider can cause. */
const HELP_PAGE = 'docs/troubleshooting.md'

export interface EventItem {
  readonly id: string
  readonly sequence: number
  readonly type: string
  readonly txn: string
  readonly userId: string | null
  readonly groupId: string | null
  readonly occurredAt: string
  readonly data: JsonObject
}

/** An event with all that its hash covers. */
export interface LinkItem extends LinkContent {
  /** Null: the event before it is not there, or not sealed. */
  readonly previousHash: string | null
  /** Null: not sealed yet. */
  readonly hash: string | null
}

export interface DeliveryItem {
  readonly id: string
  readonly eventId: string
  readonly sequence: number
  readonly receiverId: string
  readonly userId: string | null
  readonly state: DeliveryRow['state']
  readonly attempts: number
  readonly lastStatus: number | null
  readonly lastError: string | null
  readonly occurredAt: string
  readonly deliveredAt: string | null
  /** From the change to the receiver's 2xx. */
  readonly latencyMs: number | null
  readonly nextAttemptAt: string | null
  /** What the receiver answered, if it said so. */
  readonly receipt?: { readonly sessionsEnded: number }
}

export interface ActivityItem extends Omit<ActivityRow, 'at' | 'tolerances' | 'help'> {
  readonly at: string
  /** Where an error is explained. */
  readonly help: string | null
  readonly tolerances: string[]
}

/** Oldest first. */
export function listEvents(
  service: Service,
  tenant: OpenTenant,
  filter: EventFilter,
  page: PageRequest,
): Promise<Page<EventItem>> {
  return bySequence(service, tenant, { filter, select: pageOfEvents, item: eventItem }, page)
}

/** The same with hashes, all of them sealed before as far as a call goes. */
export async function listLinks(
  service: Service,
  tenant: OpenTenant,
  filter: EventFilter,
  page: PageRequest,
): Promise<Page<LinkItem>> {
  await sealEvents(tenant.database)
  return bySequence(service, tenant, { filter, select: pageOfLinks, item: linkItem }, page)
}

/** One list of events has the cursors of the other. */
function bySequence<EventLike extends { readonly sequence: number }, Item>(
  service: Service,
  { database }: OpenTenant,
  list: {
    readonly filter: EventFilter
    readonly select: (tenantId: string, filter: EventFilter, limit: number) => Statement
    readonly item: (event: EventLike) => Item
  },
  page: PageRequest,
): Promise<Page<Item>> {
  const { tenantId } = database
  return readPage(
    service,
    {
      name: 'events',
      owner: tenantId,
      read: async (position, limit) => {
        const after = Math.max(list.filter.after, Number(position?.[0] ?? 0))
        const [found] = await database.batch([list.select(tenantId, { ...list.filter, after }, limit)])
        return (found?.rows ?? []) as unknown as EventLike[]
      },
      position: event => [event.sequence],
      item: list.item,
    },
    page,
  )
}

function linkItem(row: ListedLinkRow): LinkItem {
  const previousHash = row.sequence === 1 ? GENESIS : row.previousHash
  return { ...contentOf(row), previousHash, hash: row.hash }
}

export function eventItem({ occurredAt, data, ...event }: EventRow): EventItem {
  return { ...event, occurredAt: timestamp(occurredAt), data: JSON.parse(data) as JsonObject }
}

/** Newest first. */
export function listDeliveries(
  service: Service,
  { database }: OpenTenant,
  filter: { state?: string | undefined; receiverId?: string | undefined; userId?: string | undefined },
  page: PageRequest,
): Promise<Page<DeliveryItem>> {
  const { tenantId } = database
  const { state, receiverId, userId } = filter
  return readPage(
    service,
    {
      name: 'deliveries',
      owner: tenantId,
      read: async (position, limit) => {
        const before = position && { sequence: Number(position[0]), receiverId: String(position[1]) }
        const wanted = { state, receiverId, userId }
        const [found] = await database.batch([pageOfDeliveries(tenantId, wanted, before, limit)])
        return (found?.rows ?? []) as unknown as DeliveryRow[]
      },
      position: delivery => [delivery.sequence, delivery.receiverId],
      item: deliveryItem,
    },
    page,
  )
}

export function deliveryItem(row: DeliveryRow): DeliveryItem {
  const { occurredAt, deliveredAt, nextAttemptAt, sessionsEnded, ...delivery } = row
  const isOver = row.state === 'delivered' || row.state === 'dead'
  return {
    id: `${row.sequence}.${row.receiverId}`,
    ...delivery,
    occurredAt: timestamp(occurredAt),
    deliveredAt: timestampOrNull(deliveredAt),
    latencyMs: deliveredAt === null ? null : deliveredAt - occurredAt,
    nextAttemptAt: isOver ? null : timestampOrNull(nextAttemptAt),
    ...(sessionsEnded !== null && { receipt: { sessionsEnded } }),
  }
}

/** Newest first. */
export function listActivity(
  service: Service,
  { database }: OpenTenant,
  filter: { outcome?: string | undefined; connectionId?: string | undefined },
  page: PageRequest,
): Promise<Page<ActivityItem>> {
  const { tenantId } = database
  const wanted = { outcome: filter.outcome, connectionId: filter.connectionId }
  return readPage(
    service,
    {
      name: 'activity',
      owner: tenantId,
      read: async (position, limit) => {
        const before = position && String(position[0])
        const [found] = await database.batch([pageOfActivity(tenantId, wanted, before, limit)])
        return (found?.rows ?? []) as unknown as ActivityRow[]
      },
      position: entry => [entry.id],
      item: activityItem,
    },
    page,
  )
}

/** Throws 404. */
export async function getActivity({ database }: OpenTenant, id: string): Promise<ActivityItem> {
  const [found] = await database.batch([selectActivity(database.tenantId, [id])])
  const row = found?.rows[0]
  if (!row) throw notFound('request')
  return activityItem(row as unknown as ActivityRow)
}

export function activityItem({ at, tolerances, help, ...entry }: ActivityRow): ActivityItem {
  return {
    ...entry,
    at: timestamp(at),
    help: help && `${HELP_PAGE}#${help}`,
    tolerances: JSON.parse(tolerances) as string[],
  }
}
