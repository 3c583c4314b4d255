// Security Event Tokens (RFC 8417): which of them an event of ours is, and each as a signed JWT.
//
// One event per SET (CAEP interoperability profile); those of one event share its txn, and each has a jti of its own
// that stays the same however often it is sent. A SET holds nothing that depends on when it is sent.
import { isObject, type Json, type JsonObject } from '../scim/json'
import type { StoredEvent } from '../storage/deliveries'
import type { Notice } from '../storage/receivers'
import { type OpenReceiver, Unsendable } from './receiver-kind'
import { SET_SUBJECTS, scimSubject, subjectIdentifier, subjectOf, TEST_EVENT } from './subject'

const CAEP = 'https://schemas.openid.net/secevent/caep/event-type/'
const RISC = 'https://schemas.openid.net/secevent/risc/event-type/'
const PROV = 'urn:ietf:params:scim:event:prov:'
const SSF = 'https://schemas.openid.net/secevent/ssf/event-type/'
const VERIFICATION = `${SSF}verification`
const STREAM_UPDATED = `${SSF}stream-updated`

export const SET_TYPE = 'secevent+jwt'

/** What the operator gives a receiver of SETs. */
export const setFields = { audience: 'required', subject: 'optional', subjectIssuer: 'optional' } as const
export const setSubjects: readonly string[] = SET_SUBJECTS

/** One event claim: its URI, what it says, and how it names whom it is about. */
interface EventClaim {
  readonly uri: string
  readonly payload: (event: StoredEvent) => JsonObject
  readonly subject: (event: StoredEvent, receiver: OpenReceiver) => JsonObject
}

const sessionRevoked: EventClaim = {
  uri: `${CAEP}session-revoked`,
  payload: event => ({ ...caused(event), ...reasons(event) }),
  subject: subjectIdentifier,
}

function account(name: string): EventClaim {
  return { uri: `${RISC}account-${name}`, payload: caused, subject: subjectIdentifier }
}

function provisioning(name: string, payload: EventClaim['payload'] = () => ({})): EventClaim {
  return { uri: PROV + name, payload, subject: scimSubject }
}

const created = provisioning('create:notice', event => ({ attributes: namedAttributes(event) }))
const updated = provisioning('patch:notice', event => ({ attributes: event.data.changed ?? [] }))
const members = provisioning('patch:notice', () => ({ attributes: ['members'] }))

/**
 * The SETs of each type of event, in the order in which they are sent: sessions end first. A SET's place is part of
 * its jti, so further ones are added behind.
 */
const claims: ReadonlyMap<string, readonly EventClaim[]> = new Map([
  ['user.created', [created]],
  ['user.updated', [updated]],
  ['user.deactivated', [sessionRevoked, account('disabled'), provisioning('deactivate')]],
  ['user.reactivated', [account('enabled'), provisioning('activate')]],
  ['user.deleted', [sessionRevoked, account('purged'), provisioning('delete')]],
  ['user.sessions_revoked', [sessionRevoked]],
  ['group.created', [created]],
  ['group.updated', [updated]],
  ['group.deleted', [provisioning('delete')]],
  ['group.member_added', [members]],
  ['group.member_removed', [members]],
])

/** The types of events that are told by SETs. */
export const setEvents: readonly string[] = [...claims.keys()]

/** What a stream tells of itself, to every receiver. */
const STREAM_EVENTS = [VERIFICATION, STREAM_UPDATED]

/** Every URI that can stand in a SET's `events`. */
export const setEventUris: readonly string[] = [
  ...new Set([...[...claims.values()].flat().map(claim => claim.uri), ...STREAM_EVENTS]),
]

/** The URIs that an event of one of these types can become. */
export function eventUrisOf(types: readonly string[]): string[] {
  return [...new Set(types.flatMap(type => claims.get(type) ?? []).map(claim => claim.uri)), ...STREAM_EVENTS]
}

/** How many SETs the event is. */
export function countSets(event: Pick<StoredEvent, 'type'>): number {
  return event.type === TEST_EVENT ? 1 : (claims.get(event.type)?.length ?? 0)
}

/** By type of event, for a statement that has to know when all of them are answered. */
export const setCounts: Readonly<Record<string, number>> = Object.fromEntries(
  [...claims].map(([type, sets]) => [type, sets.length]),
)

/** The same at every attempt; `eventAndPlace` reads it. */
export function jtiOf(event: Pick<StoredEvent, 'id'>, place: number): string {
  return `${event.id}.${place}`
}

/** What a jti of ours says: the event's sequence and id, and which of its SETs. Undefined for any other text. */
export function eventAndPlace(jti: string): { sequence: number; eventId: string; place: number } | undefined {
  const [, eventId, digits, place] = /^(evt_.{1,100}_(\d{1,15}))\.(\d)$/.exec(jti) ?? []
  if (eventId === undefined) return undefined
  return { sequence: Number(digits), eventId, place: Number(place) }
}

/** The event's SET at that place (0 is the first), signed. Throws Unsendable. */
export async function signSet(event: StoredEvent, receiver: OpenReceiver, place: number): Promise<string> {
  if (event.type === TEST_EVENT) return signNotice(noticeIn(event), receiver)
  const claim = claims.get(event.type)?.[place]
  if (!claim) throw new Unsendable(`an event of the type ${event.type} is no security event`)
  return receiver.signer.sign(SET_TYPE, {
    iss: receiver.issuer,
    aud: receiver.settings.audience ?? '',
    iat: seconds(event),
    jti: jtiOf(event, place),
    txn: event.txn,
    sub_id: claim.subject(event, receiver),
    events: { [claim.uri]: claim.payload(event) },
  })
}

/** The claim that events reach the receiver, which it may have asked for (SSF 1.0 §8.1.4). */
export function verification(state: string | null): Pick<Notice, 'uri' | 'payload'> {
  return { uri: VERIFICATION, payload: state === null ? {} : { state } }
}

/** The claim that somebody else than the receiver has changed its stream's status (SSF 1.0 §8.1.5). */
export function streamUpdated(status: string): Pick<Notice, 'uri' | 'payload'> {
  return { uri: STREAM_UPDATED, payload: { status } }
}

/** An event that happened to nobody, as the stream tells it. Without a claim of its own it is a verification. */
function noticeIn({ id, occurredAt, data }: StoredEvent): Notice {
  const claim = isObject(data.notice) ? (data.notice as Pick<Notice, 'uri' | 'payload'>) : verification(null)
  return { jti: id, at: occurredAt, ...claim }
}

/** A SET about the stream itself. */
export function signNotice({ jti, at, uri, payload }: Notice, receiver: OpenReceiver): Promise<string> {
  return receiver.signer.sign(SET_TYPE, {
    iss: receiver.issuer,
    aud: receiver.settings.audience ?? '',
    iat: Math.floor(at / 1000),
    jti,
    txn: jti,
    sub_id: { format: 'opaque', id: receiver.id },
    events: { [uri]: payload },
  })
}

function seconds({ occurredAt }: StoredEvent): number {
  return Math.floor(occurredAt / 1000)
}

/** When, and on whose behalf: the identity provider's administrators, or the operator of this service. */
function caused(event: StoredEvent): JsonObject {
  return { event_timestamp: seconds(event), initiating_entity: 'admin' }
}

const REASONS: Readonly<Record<string, readonly [admin: string, user: string]>> = {
  'user.deactivated': ['Deactivated by SCIM', 'Your account was deactivated by your organisation.'],
  'user.deleted': ['Deleted by SCIM', 'Your account was deleted by your organisation.'],
  'user.sessions_revoked': ['Sessions revoked', 'You were signed out by your organisation.'],
}

function reasons(event: StoredEvent): JsonObject {
  const [admin, user] = REASONS[event.type] ?? ['Sessions revoked', 'You were signed out.']
  const { reason } = event.data
  return {
    reason_admin: { en: typeof reason === 'string' ? `${admin} (${reason})` : admin },
    reason_user: { en: user },
  }
}

/** The attributes that the event itself tells; what else there is can be read. */
function namedAttributes(event: StoredEvent): Json {
  const { values } = subjectOf(event)
  return Object.keys(values).filter(name => name !== 'id' && name !== 'email' && values[name] !== null)
}
