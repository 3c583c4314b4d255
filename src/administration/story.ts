// What happened to one person's access, newest first: what changed, who asked for it, who was told and how fast; and
// what was asked and refused.
import type { Service } from '../env'
import {
  type ActivityRow,
  type PersonEventRow,
  pageOfPersonEvents,
  pageOfRefusals,
  selectActivity,
  selectTold,
  type ToldRow,
} from '../storage/history-rows'
import type { Position } from '../storage/page-cursor'
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

export type StoryEntry = Happening | Refusal

/** Something became of the person. */
export interface Happening {
  readonly event: EventItem
  readonly asked: EvidenceRequest
  /** Absent for what the operator did, and for what the log no longer keeps. */
  readonly logged?: ActivityItem
  /** `kind`: of the receiver; null: it has been deleted. */
  readonly deliveries: readonly (DeliveryItem & { readonly kind: string | null })[]
  readonly outcome: EvidenceOutcome
}

/** A request about the person that was refused or failed; known as long as the log keeps it. */
export interface Refusal {
  readonly refused: ActivityItem
}

/** Of either source, with the place in both that comes behind it. */
type StoryRow = { readonly behind: Position } & (
  | { readonly event: PersonEventRow }
  | { readonly refused: ActivityRow }
)

/** Before the newest event and the newest request. */
const NEWEST: Position = [Number.MAX_SAFE_INTEGER, '~']

/**
 * Two round trips. Events and refusals are found by their person, all else by what the event says, so nothing is
 * searched.
 */
export async function readStory(
  service: Service,
  { database }: OpenTenant,
  userId: string,
  page: PageRequest,
): Promise<Page<StoryEntry>> {
  const { tenantId } = database
  const { items: rows, ...rest } = await readPage<StoryRow, StoryRow>(
    service,
    {
      name: `events and refusals of ${userId}`,
      owner: tenantId,
      read: async (position = NEWEST, limit) => {
        const [events, refusals] = await database.batch([
          pageOfPersonEvents(tenantId, userId, Number(position[0]), limit),
          pageOfRefusals(tenantId, userId, String(position[1]), limit),
        ])
        return inOrderOfTime(
          (events?.rows ?? []) as unknown as PersonEventRow[],
          (refusals?.rows ?? []) as unknown as ActivityRow[],
          position,
        ).slice(0, limit)
      },
      position: ({ behind }) => behind,
      item: row => row,
    },
    page,
  )
  const happened = rows.flatMap(row => ('event' in row ? [row.event] : []))
  const [requests, deliveries] = await database.batch([
    selectActivity(tenantId, [...new Set(happened.map(logNumber))]),
    selectTold(
      tenantId,
      happened.map(({ sequence }) => sequence),
    ),
  ])
  const logged = new Map(
    (requests?.rows as unknown as ActivityRow[] | undefined)?.map(row => [row.id, activityItem(row)]),
  )
  const told = (deliveries?.rows ?? []) as unknown as ToldRow[]
  return {
    ...rest,
    items: rows.map(row =>
      'event' in row
        ? happeningOf(row.event, logged.get(logNumber(row.event)), told)
        : { refused: activityItem(row.refused) },
    ),
  }
}

/**
 * Each source keeps its own order, whatever the clock did, and its own place in the cursor: so nothing comes twice or
 * is left out, since a page of the merged rows needs no more than a page of either.
 */
function inOrderOfTime(
  events: readonly PersonEventRow[],
  refusals: readonly ActivityRow[],
  from: Position,
): StoryRow[] {
  const rows: StoryRow[] = []
  let [sequence = 0, id = ''] = from
  for (let e = 0, r = 0; e < events.length || r < refusals.length; ) {
    const [event, refused] = [events[e], refusals[r]]
    if (event && (!refused || event.occurredAt >= refused.at)) {
      sequence = event.sequence
      e++
      rows.push({ event, behind: [sequence, id] })
    } else if (refused) {
      id = refused.id
      r++
      rows.push({ refused, behind: [sequence, id] })
    }
  }
  return rows
}

function happeningOf(
  { origin, ...row }: PersonEventRow,
  logged: ActivityItem | undefined,
  told: readonly ToldRow[],
): Happening {
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
