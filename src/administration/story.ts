// What happened to one person's access, newest first: what changed, who asked for it, who was told and how fast.
import type { Service } from '../env'
import {
  type ActivityRow,
  type PersonEventRow,
  pageOfPersonEvents,
  selectActivity,
  selectTold,
  type ToldRow,
} from '../storage/history-rows'
import { type EvidenceOutcome, type EvidenceRequest, outcomeOf, requestOf } from './evidence'
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
  readonly asked: EvidenceRequest
  /** Absent for what the operator did, and for what the log no longer keeps. */
  readonly logged?: ActivityItem
  /** `kind`: of the receiver; null: it has been deleted. */
  readonly deliveries: readonly (DeliveryItem & { readonly kind: string | null })[]
  readonly outcome: EvidenceOutcome
}

/** Two round trips. An event is found by its person, all else by what the event says, so nothing is searched. */
export async function readStory(
  service: Service,
  { database }: OpenTenant,
  userId: string,
  page: PageRequest,
): Promise<Page<StoryEntry>> {
  const { tenantId } = database
  const { items: rows, ...rest } = await readPage(
    service,
    {
      name: `story of ${userId}`,
      owner: tenantId,
      read: async (position, limit) => {
        const before = position ? Number(position[0]) : Number.MAX_SAFE_INTEGER
        const [found] = await database.batch([pageOfPersonEvents(tenantId, userId, before, limit)])
        return (found?.rows ?? []) as unknown as PersonEventRow[]
      },
      position: ({ sequence }) => [sequence],
      item: row => row,
    },
    page,
  )
  const [requests, deliveries] = await database.batch([
    selectActivity(tenantId, [...new Set(rows.map(logNumber))]),
    selectTold(
      tenantId,
      rows.map(({ sequence }) => sequence),
    ),
  ])
  const logged = new Map(
    (requests?.rows as unknown as ActivityRow[] | undefined)?.map(row => [row.id, activityItem(row)]),
  )
  const told = (deliveries?.rows ?? []) as unknown as ToldRow[]
  return { ...rest, items: rows.map(row => entryOf(row, logged.get(logNumber(row)), told)) }
}

function entryOf(
  { origin, ...row }: PersonEventRow,
  logged: ActivityItem | undefined,
  told: readonly ToldRow[],
): StoryEntry {
  const ofEvent = told.filter(({ sequence }) => sequence === row.sequence)
  return {
    event: eventItem(row),
    asked: requestOf({ ...row, origin }),
    ...(logged && { logged }),
    deliveries: ofEvent.map(delivery => ({ ...deliveryItem(delivery), kind: delivery.kind })),
    outcome: outcomeOf(row.occurredAt, ofEvent),
  }
}

/** A request's log row has the number of its transaction; the operations of a Bulk request count on from it. */
function logNumber({ txn }: PersonEventRow): string {
  return txn.split(':')[0] ?? txn
}
