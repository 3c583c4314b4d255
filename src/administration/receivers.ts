// Receivers as the operator handles them: where a tenant's events go, their secrets, pausing and replaying.
import type { Service } from '../env'
import {
  abandonReceiver,
  type DeliveryKey,
  deliveryKeys,
  pauseReceiver,
  replayDelivery,
  replayRange,
  resumeReceiver,
} from '../storage/deliveries'
import { selectDeliveryReceiver } from '../storage/history-rows'
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
import { receiverSecretContext } from '../storage/receivers'
import type { OpenTenant } from './open-tenant'
import { type Page, type PageRequest, readPage, textPosition } from './page'
import { notFound, Problem } from './problem'
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
] as const

export interface Retry {
  /** Seconds before each further attempt. */
  readonly schedule?: number[] | undefined
  readonly timeoutSeconds?: number | undefined
}

export interface ReceiverItem {
  readonly id: string
  readonly kind: string
  readonly url: string
  /** Null: every type. */
  readonly events: string[] | null
  /** Null: the default. */
  readonly retry: Retry | null
  readonly status: ReceiverStatus
  readonly createdAt: string
}

export interface ReceiverSettings {
  readonly url?: string | undefined
  readonly events?: readonly string[] | null | undefined
  readonly retry?: Retry | null | undefined
}

/** The secret is in this answer and never again. */
export async function createReceiver(
  service: Service,
  { database }: OpenTenant,
  input: ReceiverSettings & { kind: string; url: string },
  secret: string,
): Promise<ReceiverItem & { secret: string }> {
  const { tenantId } = database
  const receiver: ReceiverRow = {
    id: service.newId(),
    kind: input.kind,
    url: input.url,
    events: jsonOrNull(input.events),
    retry: jsonOrNull(input.retry),
    status: 'active',
    createdAt: service.now(),
  }
  const sealed = await service.keys.seal(secret, receiverSecretContext({ tenantId, id: receiver.id }))
  const [inserted] = await database.batch([insertReceiver(tenantId, receiver, sealed)])
  if (inserted?.changes !== 1) throw new Problem(409, 'The tenant is being deleted.')
  return { ...item(receiver), secret }
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

/** With what is to be published now: resuming makes all that has waited due. */
export async function updateReceiverSettings(
  service: Service,
  { database }: OpenTenant,
  id: string,
  change: ReceiverSettings & { status?: 'active' | 'paused' | undefined },
): Promise<{ receiver: ReceiverItem; due: DeliveryKey[] }> {
  const { tenantId } = database
  const { url, events, retry, status } = change
  const update = updateReceiver(tenantId, id, {
    url,
    events: events === undefined ? undefined : jsonOrNull(events),
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

/** During the overlap the old secret signs beside the new one. */
export async function rotateReceiverSecret(
  service: Service,
  { database }: OpenTenant,
  id: string,
  overlapSeconds: number,
  secret: string,
): Promise<void> {
  const { tenantId } = database
  const sealed = await service.keys.seal(secret, receiverSecretContext({ tenantId, id }))
  const previousUntil = overlapSeconds === 0 ? null : service.now() + overlapSeconds * 1000
  const [replaced] = await database.batch([replaceSecret(tenantId, id, sealed, previousUntil)])
  if (!replaced?.rows[0]) throw notFound('receiver')
}

/** Sends one delivery again; what is to be published. `id` is `{sequence}.{receiverId}`. */
export async function replayOne(
  service: Service,
  { database }: OpenTenant,
  id: string,
): Promise<DeliveryKey[]> {
  const { tenantId } = database
  const [, digits, receiverId] = /^(\d{1,15})\.(.+)$/.exec(id) ?? []
  if (digits === undefined || receiverId === undefined) throw notFound('delivery')
  const sequence = Number(digits)
  const [found] = await database.batch([selectDeliveryReceiver(tenantId, sequence, receiverId)])
  if (!found?.rows[0]) throw notFound('delivery')
  mustBeActive(found.rows[0].status)
  const [replayed] = await database.batch([replayDelivery(tenantId, sequence, receiverId, service.now())])
  return deliveryKeys(tenantId, replayed?.rows ?? [])
}

/** Sends the events of a range of sequences (again); what is to be published. */
export async function replayMany(
  service: Service,
  tenant: OpenTenant,
  receiverId: string,
  range: { fromSequence: number; toSequence: number },
): Promise<DeliveryKey[]> {
  const { database } = tenant
  mustBeActive((await getReceiver(tenant, receiverId)).status)
  const { tenantId } = database
  const [replayed] = await database.batch([
    replayRange(tenantId, receiverId, range.fromSequence, range.toSequence, service.now()),
  ])
  return deliveryKeys(tenantId, replayed?.rows ?? [])
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

function item({ id, kind, url, events, retry, status, createdAt }: ReceiverRow): ReceiverItem {
  return {
    id,
    kind,
    url,
    events: events === null ? null : (JSON.parse(events) as string[]),
    retry: retry === null ? null : (JSON.parse(retry) as Retry),
    status,
    createdAt: timestamp(createdAt),
  }
}

function jsonOrNull(value: object | null | undefined): string | null {
  return value === null || value === undefined ? null : JSON.stringify(value)
}
