// What happened to one person's access, newest first: what changed, the request that asked for it, who was told.
import type { Service } from '../env'
import {
  type ActivityRow,
  type DeliveryRow,
  type EventRow,
  pageOfPersonEvents,
  selectActivity,
  selectTold,
} from '../storage/history-rows'
import {
  type ActivityItem,
  activityItem,
  type DeliveryItem,
  deliveryItem,
  type EventItem,
  eventItem,
} from './history'
import type { OpenTenant } from './open-tenant'
import { type Page, type PageRequest, readPage } from './page'

export interface StoryEntry {
  readonly event: EventItem
  /** Absent for what the operator did, and for what the log no longer keeps. */
  readonly request?: ActivityItem
  readonly deliveries: readonly DeliveryItem[]
}

/** Two round trips. An event is found by its person, all else by what the event says, so nothing is searched. */
export async function readStory(
  service: Service,
  { database }: OpenTenant,
  userId: string,
  page: PageRequest,
): Promise<Page<StoryEntry>> {
  const { tenantId } = database
  const { items: events, ...rest } = await readPage(
    service,
    {
      name: `story of ${userId}`,
      owner: tenantId,
      read: async (position, limit) => {
        const before = position ? Number(position[0]) : Number.MAX_SAFE_INTEGER
        const [found] = await database.batch([pageOfPersonEvents(tenantId, userId, before, limit)])
        return (found?.rows ?? []) as unknown as EventRow[]
      },
      position: ({ sequence }) => [sequence],
      item: eventItem,
    },
    page,
  )
  const [requests, deliveries] = await database.batch([
    selectActivity(tenantId, [...new Set(events.map(requestOf))]),
    selectTold(
      tenantId,
      events.map(({ sequence }) => sequence),
    ),
  ])
  const byId = new Map(
    (requests?.rows as unknown as ActivityRow[] | undefined)?.map(row => [row.id, activityItem(row)]),
  )
  const told = ((deliveries?.rows ?? []) as unknown as DeliveryRow[]).map(deliveryItem)
  return { ...rest, items: events.map(event => entryOf(event, byId, told)) }
}

function entryOf(
  event: EventItem,
  requests: ReadonlyMap<string, ActivityItem>,
  told: readonly DeliveryItem[],
): StoryEntry {
  const request = requests.get(requestOf(event))
  const deliveries = told.filter(({ sequence }) => sequence === event.sequence)
  return { event, ...(request && { request }), deliveries }
}

/** A request's log row has the number of its transaction; the operations of a Bulk request count on from it. */
function requestOf({ txn }: EventItem): string {
  return txn.split(':')[0] ?? txn
}
