// Receivers as the operator handles them: where a tenant's events go, their secrets, pausing and replaying.
import type { Service } from '../env'
import type { ReceiverKind } from '../events/receiver-kind'
import { receiverKind } from '../events/receiver-kinds'
import { signingKeys } from '../events/signing-keys'
import { pollUrlOf } from '../events/stream'
import {
  abandonReceiver,
  type DeliveryKey,
  deliveryKeys,
  pauseReceiver,
  replayDead,
  replayDelivery,
  replayRange,
  resumeReceiver,
} from '../storage/deliveries'
import { selectDeliveryReceiver } from '../storage/history-rows'
import { readDeliveryCounts, selectReceiverCounts } from '../storage/metrics-rows'
import {
  deleteReceiver,
  insertReceiver,
  pageOfReceivers,
  type ReceiverRow,
  type ReceiverStatus,
  replaceSecret,
  selectReceiver,
  updateReceiver,
} from '../storage/receiver-rows'
import { authorizationContext, type KindSettings, receiverSecretContext } from '../storage/receivers'
import type { Row } from '../storage/tenant-database'
import type { OpenTenant } from './open-tenant'
import { type Page, type PageRequest, readPage, textPosition } from './page'
import { notFound, Problem } from './problem'
import {
  checkChangedSettings,
  checkNewSettings,
  type ReceiverSettings,
  type Retry,
} from './receiver-settings'
import { timestamp } from './timestamp'

export const eventTypes = [
  'user.created',
  'user.updated',
  'user.deactivated',
  'user.reactivated',
  'user.deleted',
  'user.sessions_revoked',
  'group.created',
  'group.updated',
  'group.deleted',
  'group.member_added',
  'group.member_removed',
  'resource.created',
  'resource.updated',
  'resource.deleted',
  'delivery.overdue',
] as const

export interface ReceiverItem {
  readonly id: string
  readonly kind: string
  /** Undefined for a kind that is not called. */
  readonly url?: string
  /** Where a kind that is not called fetches its events. */
  readonly pollUrl?: string
  readonly audience?: string | undefined
  readonly clientId?: string | undefined
  readonly subject?: string | undefined
  readonly subjectIssuer?: string | undefined
  /** The `iss` of what is signed for it, where something is. */
  readonly issuer?: string
  /** Null: every type. */
  readonly events: string[] | null
  /** Null: the default. */
  readonly retry: Retry | null
  readonly status: ReceiverStatus
  readonly createdAt: string
}

/** The secret, where its kind has one, is in this answer and never again. Throws 422 for what its kind refuses. */
export async function createReceiver(
  service: Service,
  { database, issuer }: OpenTenant,
  input: ReceiverSettings & { kind: string },
): Promise<ReceiverItem & { secret?: string }> {
  const { tenantId } = database
  const kind = kindOf(input.kind)
  checkNewSettings(service, kind, input)
  const id = service.newId()
  const secret = kind.newSecret?.(id)
  const receiver: ReceiverRow = {
    id,
    kind: kind.kind,
    url: input.url ?? pollUrlOf(issuer, id),
    settings: settingsOf(input, kind.subjects?.[0]),
    issuer: kind.isSigned ? issuer : null,
    events: jsonOrNull(input.events ?? kind.events),
    retry: jsonOrNull(input.retry),
    status: 'active',
    createdAt: service.now(),
  }
  // A key takes a moment to make: it is there before the first event needs it.
  if (kind.isSigned) await signingKeys(service, database)
  const context = { tenantId, id }
  const [inserted] = await database.batch([
    insertReceiver(tenantId, receiver, {
      isPolled: kind.isPolled ?? false,
      sealedSecret:
        secret === undefined ? '' : await service.keys.seal(secret, receiverSecretContext(context)),
      sealedAuthorization: await sealAuthorization(service, context, input.authorizationHeader ?? null),
    }),
  ])
  if (inserted?.changes !== 1) throw new Problem(409, 'The tenant is being deleted.')
  return { ...item(receiver), ...(secret !== undefined && { secret }) }
}

async function sealAuthorization(
  { keys }: Service,
  receiver: { tenantId: string; id: string },
  header: string | null,
): Promise<string | null> {
  return header === null ? null : keys.seal(header, authorizationContext(receiver))
}

export function listReceivers(
  service: Service,
  { database }: OpenTenant,
  page: PageRequest,
): Promise<Page<ReceiverItem>> {
  const { tenantId } = database
  return readPage(
    service,
    {
      name: 'receivers',
      owner: tenantId,
      read: async (after, limit) => {
        const [found] = await database.batch([pageOfReceivers(tenantId, textPosition(after), limit)])
        return (found?.rows ?? []) as unknown as ReceiverRow[]
      },
      position: receiver => [receiver.id],
      item,
    },
    page,
  )
}

export async function getReceiver({ database }: OpenTenant, id: string): Promise<ReceiverItem> {
  const [found] = await database.batch([selectReceiver(database.tenantId, id)])
  return item(rowOf(found?.rows))
}

export interface ReceiverLoad {
  /** Deliveries that it does not have yet. */
  readonly waiting: number
  readonly dead: number
  /** It has failed so often that it is left alone for a while. */
  readonly leftAlone: boolean
}

/** What each has and has not, by its id. One round trip. */
export async function receiverLoads({ database }: OpenTenant): Promise<ReadonlyMap<string, ReceiverLoad>> {
  const [found] = await database.batch([selectReceiverCounts(database.tenantId)])
  return new Map(
    (found?.rows ?? []).map(row => {
      const { pending, retrying, dead } = readDeliveryCounts(row)
      return [String(row.id), { waiting: pending + retrying, dead, leftAlone: row.left_alone === 1 }]
    }),
  )
}

/** With what is to be published now: resuming makes all that has waited due. Throws 422 for what its kind refuses. */
export async function updateReceiverSettings(
  service: Service,
  tenant: OpenTenant,
  id: string,
  change: ReceiverSettings & { status?: 'active' | 'paused' | undefined },
): Promise<{ receiver: ReceiverItem; due: DeliveryKey[] }> {
  const { database } = tenant
  const { tenantId } = database
  const kind = kindOf((await getReceiver(tenant, id)).kind)
  checkChangedSettings(service, kind, change)
  const { url, events, retry, status, authorizationHeader } = change
  const update = updateReceiver(tenantId, id, {
    url,
    settings: settingsOf(change, undefined) ?? undefined,
    authorization:
      authorizationHeader === undefined
        ? undefined
        : await sealAuthorization(service, { tenantId, id }, authorizationHeader),
    events: events === undefined ? undefined : jsonOrNull(events ?? kind.events),
    retry: retry === undefined ? undefined : jsonOrNull(retry),
    status,
  })
  const outstanding = {
    active: [resumeReceiver(tenantId, id, service.now())],
    paused: [pauseReceiver(tenantId, id)],
  }
  const [updated, resumed] = await database.batch([update, ...(status ? outstanding[status] : [])])
  return { receiver: item(rowOf(updated?.rows)), due: deliveryKeys(tenantId, resumed?.rows ?? []) }
}

/** What was still to be sent to it is dead, and stands in the deliveries as that. */
export async function removeReceiver({ database }: OpenTenant, id: string): Promise<void> {
  const { tenantId } = database
  const [deleted] = await database.batch([
    deleteReceiver(tenantId, id),
    abandonReceiver(tenantId, id, 'receiver deleted'),
  ])
  if (!deleted?.rows[0]) throw notFound('receiver')
}

/** The new secret; during the overlap the old one counts beside it. Throws 409 for a kind that has none. */
export async function rotateReceiverSecret(
  service: Service,
  tenant: OpenTenant,
  id: string,
  overlapSeconds: number,
): Promise<string> {
  const { database } = tenant
  const { tenantId } = database
  const kind = kindOf((await getReceiver(tenant, id)).kind)
  const secret = kind.newSecret?.(id)
  if (secret === undefined)
    throw new Problem(
      409,
      `A ${kind.kind} receiver has no secret: what it gets is signed with the tenant's key.`,
    )
  const sealed = await service.keys.seal(secret, receiverSecretContext({ tenantId, id }))
  const previousUntil = overlapSeconds === 0 ? null : service.now() + overlapSeconds * 1000
  const [replaced] = await database.batch([replaceSecret(tenantId, id, sealed, previousUntil)])
  if (!replaced?.rows[0]) throw notFound('receiver')
  return secret
}

/** How many deliveries are made anew, and which of them are to be published: all but those that are polled. */
export interface Replay {
  readonly deliveries: number
  readonly due: DeliveryKey[]
}

/** Sends one delivery again. `id` is `{sequence}.{receiverId}`. */
export async function replayOne(service: Service, { database }: OpenTenant, id: string): Promise<Replay> {
  const { tenantId } = database
  const [, digits, receiverId] = /^(\d{1,15})\.(.+)$/.exec(id) ?? []
  if (digits === undefined || receiverId === undefined) throw notFound('delivery')
  const sequence = Number(digits)
  const [found] = await database.batch([selectDeliveryReceiver(tenantId, sequence, receiverId)])
  if (!found?.rows[0]) throw notFound('delivery')
  mustBeActive(found.rows[0].status)
  const [replayed] = await database.batch([replayDelivery(tenantId, sequence, receiverId, service.now())])
  return replayOf(tenantId, replayed?.rows)
}

/** Sends the events of a range of sequences (again). */
export async function replayMany(
  service: Service,
  tenant: OpenTenant,
  receiverId: string,
  range: { fromSequence: number; toSequence: number },
): Promise<Replay> {
  const { database } = tenant
  mustBeActive((await getReceiver(tenant, receiverId)).status)
  const { tenantId } = database
  const [replayed] = await database.batch([
    replayRange(tenantId, receiverId, range.fromSequence, range.toSequence, service.now()),
  ])
  return replayOf(tenantId, replayed?.rows)
}

/** Dead deliveries that one call makes anew. */
const MAX_DEAD_AT_ONCE = 500

/** Sends what is dead of a receiver again, the oldest first; `more`: there is more than one call takes. */
export async function replayDeadLetters(
  service: Service,
  tenant: OpenTenant,
  receiverId: string,
): Promise<Replay & { more: boolean }> {
  const { database } = tenant
  mustBeActive((await getReceiver(tenant, receiverId)).status)
  const { tenantId } = database
  const [replayed] = await database.batch([replayDead(tenantId, receiverId, MAX_DEAD_AT_ONCE, service.now())])
  const replay = replayOf(tenantId, replayed?.rows)
  return { ...replay, more: replay.deliveries === MAX_DEAD_AT_ONCE }
}

function replayOf(tenantId: string, rows: readonly Row[] = []): Replay {
  return { deliveries: rows.length, due: deliveryKeys(tenantId, rows) }
}

/** A replay that nobody would send must not look as if it were under way. */
function mustBeActive(status: unknown): void {
  if (status === 'active') return
  if (status === null) throw new Problem(409, 'The receiver of this delivery has been deleted.')
  throw new Problem(409, `The receiver is ${String(status)}. Set its status to "active" first.`)
}

function rowOf(rows: readonly unknown[] | undefined): ReceiverRow {
  const row = rows?.[0] as ReceiverRow | undefined
  if (!row) throw notFound('receiver')
  return row
}

function item({
  id,
  kind,
  url,
  settings,
  issuer,
  events,
  retry,
  status,
  createdAt,
}: ReceiverRow): ReceiverItem {
  return {
    id,
    kind,
    ...(receiverKind(kind)?.isPolled ? { pollUrl: url } : { url }),
    ...((settings === null ? {} : JSON.parse(settings)) as KindSettings),
    ...(issuer !== null && { issuer }),
    events: events === null ? null : (JSON.parse(events) as string[]),
    retry: retry === null ? null : (JSON.parse(retry) as Retry),
    status,
    createdAt: timestamp(createdAt),
  }
}

/** What is kept of a kind's own fields; null when there is nothing. */
function settingsOf(input: ReceiverSettings, defaultSubject: string | undefined): string | null {
  const { audience, clientId, subject = defaultSubject, subjectIssuer } = input
  const said = Object.entries({ audience, clientId, subject, subjectIssuer }).filter(
    ([, value]) => value !== undefined,
  )
  return said.length === 0 ? null : JSON.stringify(Object.fromEntries(said))
}

function kindOf(name: string): ReceiverKind {
  const kind = receiverKind(name)
  if (!kind) throw new Error('A stored receiver is of no known kind.')
  return kind
}

function jsonOrNull(value: object | null | undefined): string | null {
  return value === null || value === undefined ? null : JSON.stringify(value)
}
