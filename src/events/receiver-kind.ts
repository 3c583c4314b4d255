// What a kind of receiver is: how an event becomes a request to it.
import type { StoredEvent } from '../storage/deliveries'

/** A receiver as its kind sees it: opened secrets, the newest first, all still in force. */
export interface OpenReceiver {
  readonly tenantId: string
  readonly id: string
  readonly url: string
  readonly secrets: readonly string[]
}

export interface OutgoingRequest {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

export interface ReceiverKind {
  readonly kind: string
  /** What is POSTed. Its body is the same at every attempt; `now` (milliseconds) is this attempt's time. */
  request(event: StoredEvent, receiver: OpenReceiver, now: number): Promise<OutgoingRequest>
  /** A secret for a new receiver, or for a rotation; shown once. */
  newSecret(): string
}
