// What a kind of receiver is: which fields and secrets it has, and how an event becomes a request to it.
import type { Json } from '../scim/json'
import type { StoredEvent } from '../storage/deliveries'
import type { KindSettings } from '../storage/receivers'
import type { Signer } from './signing-keys'

/** A receiver as its kind sees it: opened secrets, the newest first, all still in force. */
export interface OpenReceiver {
  readonly tenantId: string
  readonly id: string
  readonly url: string
  readonly secrets: readonly string[]
  readonly settings: KindSettings
  /** The Authorization header it asked for. */
  readonly authorization?: string | undefined
  /** Who speaks, for a kind that signs with the tenant's key. */
  readonly issuer: string
  readonly signer: Signer
}

export interface OutgoingRequest {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** Names of fields beside `kind`, `url`, `events` and `retry` that the operator gives a receiver. */
export type FieldName = keyof KindSettings | 'authorizationHeader'

export interface ReceiverKind {
  readonly kind: string
  /** It fetches its events at an address of this service, and has no URL. */
  readonly isPolled?: boolean
  /** It is told in the tenant's name, under the tenant's signing key. */
  readonly isSigned?: boolean
  readonly fields: Readonly<Partial<Record<FieldName, 'required' | 'optional'>>>
  /** What `subject` may be; the first is the default. */
  readonly subjects?: readonly string[]
  /** The types of events that mean something to it; undefined for all, also those to come. */
  readonly events?: readonly string[]
  /** How many messages the event is for it, at most 31; one each that may be answered apart from the others. */
  messages(event: StoredEvent): number
  /**
   * What is POSTed as the event's `message`th message, counted from 0. What names it is the same at every attempt;
   * `now` (milliseconds) is this attempt's time. Throws Unsendable.
   */
  request(event: StoredEvent, receiver: OpenReceiver, now: number, message?: number): Promise<OutgoingRequest>
  /** A refusal in words of ours, where its standard gives the answer a meaning. */
  refusal?(status: number, answer: Json | undefined): string | undefined
  /** A secret for a new receiver, or for a rotation; shown once. Undefined for a kind that has none. */
  newSecret?(receiverId: string): string
}

/** The event cannot be told to this receiver as it is configured; the message says why, naming nobody. */
export class Unsendable extends Error {}
