// An SSF stream, which is a receiver of SETs as the receiving side sees it: who may ask, what it is told, its status.
//
// Streams are the operator's: a receiver reads its configuration, pauses and resumes it, and has it verified.
import type { Service } from '../env'
import type { JsonObject } from '../scim/json'
import {
  abandonReceiver,
  type DeliveryKey,
  deliveryKeys,
  pauseReceiver,
  resumeReceiver,
  type StoredEvent,
} from '../storage/deliveries'
import { sameText } from '../storage/keys'
import { updateReceiver } from '../storage/receiver-rows'
import { type Notice, receiverOf, type StoredReceiver, selectReceiver, setNotice } from '../storage/receivers'
import { TenantDatabase } from '../storage/tenant-database'
import { findInDirectory } from '../storage/tenant-directory'
import { deliver, type Outcome } from './deliver'
import { openSecrets } from './open-receiver'
import { eventUrisOf, setEvents, setEventUris, streamUpdated, verification } from './security-event-token'
import { POLL_METHOD, ssfPoll } from './ssf-poll'
import { PUSH_METHOD, ssfPush } from './ssf-push'
import { receiverNamedBy } from './stream-secret'
import { TEST_EVENT } from './subject'

export interface Stream {
  readonly slug: string
  readonly database: TenantDatabase
  readonly receiver: StoredReceiver
  /** The receiver fetches its events. */
  readonly isPolled: boolean
}

export type StreamStatus = 'enabled' | 'paused' | 'disabled'

const METHODS: Readonly<Record<string, string>> = {
  [ssfPush.kind]: PUSH_METHOD,
  [ssfPoll.kind]: POLL_METHOD,
}

export function pollUrlOf(issuer: string, receiverId: string): string {
  return `${issuer}/ssf/poll/${receiverId}`
}

/** What a receiver reads of the tenant's transmitter (SSF 1.0 §7.1). */
export function transmitterMetadata(issuer: string): JsonObject {
  return {
    spec_version: '1_0',
    issuer,
    jwks_uri: `${issuer}/jwks.json`,
    delivery_methods_supported: [PUSH_METHOD, POLL_METHOD],
    configuration_endpoint: `${issuer}/ssf/stream`,
    status_endpoint: `${issuer}/ssf/status`,
    verification_endpoint: `${issuer}/ssf/verify`,
    authorization_schemes: [{ spec_urn: 'urn:ietf:rfc:6750' }],
    default_subjects: 'ALL',
  }
}

/** The stream whose bearer secret this is, in the tenant that the URL names; undefined for anybody else. */
export async function openStream(
  service: Service,
  slug: string,
  secret: string | undefined,
): Promise<Stream | undefined> {
  const receiverId = secret === undefined ? undefined : receiverNamedBy(secret)
  if (secret === undefined || receiverId === undefined) return undefined
  const entry = await findInDirectory(service.d1, slug)
  if (!entry) return undefined
  const database = new TenantDatabase(service, entry.tenantId)
  const receiver = await readReceiver(database, receiverId)
  if (!receiver || METHODS[receiver.kind] === undefined) return undefined
  const secrets = await openSecrets(service.keys, receiver, service.now())
  const same = await Promise.all(secrets.map(known => sameText(known, secret)))
  if (!same.includes(true)) return undefined
  return { slug, database, receiver, isPolled: receiver.kind === ssfPoll.kind }
}

async function readReceiver(
  database: TenantDatabase,
  receiverId: string,
): Promise<StoredReceiver | undefined> {
  const { tenantId } = database
  const [found] = await database.batch([selectReceiver(tenantId, receiverId)])
  return found?.rows[0] && receiverOf(tenantId, found.rows[0])
}

/** As SSF 1.0 §8.1.1 describes a stream; the Authorization header that it asked for is not shown. */
export function streamConfiguration({ receiver }: Stream): JsonObject {
  const types = receiver.events === null ? setEvents : (JSON.parse(receiver.events) as string[])
  const delivered = eventUrisOf(types)
  return {
    stream_id: receiver.id,
    iss: receiver.issuer,
    aud: receiver.settings.audience ?? '',
    events_supported: setEventUris,
    events_requested: delivered,
    events_delivered: delivered,
    delivery: { method: METHODS[receiver.kind] ?? '', endpoint_url: receiver.url },
  }
}

export function streamStatus({ receiver }: Stream): JsonObject {
  return {
    stream_id: receiver.id,
    status: receiver.status === 'active' ? 'enabled' : receiver.status,
  }
}

/**
 * What the receiver wants of its stream. Paused: what happens waits. Disabled: what waits is dead, as after a 410.
 * Gives the new status, and what is to be published.
 */
export async function changeStreamStatus(
  service: Service,
  stream: Stream,
  status: StreamStatus,
): Promise<{ status: JsonObject; due: DeliveryKey[] }> {
  const { database, receiver } = stream
  const { tenantId } = database
  const wanted = status === 'enabled' ? 'active' : status
  const outstanding = {
    enabled: resumeReceiver(tenantId, receiver.id, service.now()),
    paused: pauseReceiver(tenantId, receiver.id),
    disabled: abandonReceiver(tenantId, receiver.id, 'the receiver disabled its stream'),
  }
  const [, after] = await database.batch([
    updateReceiver(tenantId, receiver.id, { status: wanted }),
    outstanding[status],
  ])
  return {
    status: streamStatus({ ...stream, receiver: { ...receiver, status: wanted } }),
    due: status === 'enabled' ? deliveryKeys(tenantId, after?.rows ?? []) : [],
  }
}

/** Answers the question whether events arrive, with the `state` that was given along (SSF 1.0 §8.1.4). */
export function verifyStream(service: Service, stream: Stream, state: string | null) {
  return tellOfStream(service, stream, verification(state))
}

/** Tells the receiver that the operator paused or resumed its stream; a kind that is no stream is told nothing. */
export async function announceStatus(
  service: Service,
  tenant: Pick<Stream, 'slug' | 'database'>,
  receiverId: string,
): Promise<void> {
  const receiver = await readReceiver(tenant.database, receiverId)
  if (!receiver || METHODS[receiver.kind] === undefined) return
  const stream = { ...tenant, receiver, isPolled: receiver.kind === ssfPoll.kind }
  await tellOfStream(service, stream, streamUpdated(String(streamStatus(stream).status)))
}

/** A push receiver is called at once, whatever its status, and a polling one finds it: then undefined. */
async function tellOfStream(
  service: Service,
  { slug, database, receiver, isPolled }: Stream,
  claim: Pick<Notice, 'uri' | 'payload'>,
): Promise<Outcome | undefined> {
  const event = testEvent(service, slug, receiver.id, claim)
  if (!isPolled) return deliver(service, event, receiver)
  const notice = { jti: event.id, at: event.occurredAt, ...claim }
  await database.batch([setNotice(database.tenantId, receiver.id, notice)])
  return undefined
}

/** An event that happened to nobody and is stored nowhere. */
export function testEvent(
  { newId, now }: Pick<Service, 'newId' | 'now'>,
  tenant: string,
  receiver: string,
  claim?: Pick<Notice, 'uri' | 'payload'>,
): StoredEvent {
  const txn = newId()
  return {
    id: `evt_${txn}_0`,
    sequence: 0,
    type: TEST_EVENT,
    txn,
    occurredAt: now(),
    data: { tenant, receiver, ...(claim && { notice: { ...claim } }) },
  }
}
