// One event, one receiver, one attempt: the request is made, sent, and its answer judged. Never throws.
import type { Service } from '../env'
import { isObject, type Json } from '../scim/json'
import type { Databases } from '../storage/databases'
import type { StoredEvent } from '../storage/deliveries'
import type { StoredReceiver } from '../storage/receivers'
import { refuseAddress } from './address-guard'
import { openReceiver } from './open-receiver'
import { OVERTAKEN_BY } from './overtaken'
import { type OutgoingRequest, type ReceiverKind, Unsendable } from './receiver-kind'
import { receiverKind } from './receiver-kinds'
import { retryAfterMs, retryPolicy } from './schedule'
import { NoSigningKey } from './signing-keys'

export type Outcome =
  | {
      readonly kind: 'delivered'
      readonly status: number
      /** When the answer came, milliseconds. */
      readonly at: number
      /** What the receiver says it did, if it says so. */
      readonly sessionsEnded: number | null
    }
  /** 410: it wants nothing more. */
  | { readonly kind: 'gone'; readonly status: number; readonly error: string }
  | Failure
  /** Trying again would change nothing. */
  | { readonly kind: 'unsendable'; readonly status: null; readonly error: string; readonly answered: number }

interface Failure {
  readonly kind: 'failed'
  /** Null when there was no answer. */
  readonly status: number | null
  /** In words; never anything the receiver sent, never a secret. */
  readonly error: string
  /** It asked to be left alone that long. */
  readonly retryAfterMs: number
  /** The messages that it has taken by now, a bit each. */
  readonly answered: number
}

type Surroundings = Databases & Pick<Service, 'keys' | 'allowLoopbackReceivers' | 'now'>

/** A receipt is a few bytes; whatever is longer is not read. */
const MAX_RECEIPT_BYTES = 65_536
/** It has already been delivered: its receipt is not waited for any longer than this. */
const RECEIPT_TIMEOUT_MS = 2_000

/** `answered`: the event's messages that the receiver has taken before, a bit each; those are not sent again. */
export async function deliver(
  service: Surroundings,
  event: StoredEvent,
  receiver: StoredReceiver,
  answered = 0,
): Promise<Outcome> {
  const kind = receiverKind(receiver.kind)
  if (!kind) return failed(`nothing is known of the kind ${receiver.kind}`, { answered })
  const refused = refuseAddress(receiver.url, service.allowLoopbackReceivers)
  if (refused) return failed(`its URL ${refused}`, { answered })
  try {
    const open = await openReceiver(service, kind, receiver)
    const make = async (message: number) =>
      withOvertaking(event, await kind.request(event, open, service.now(), message))
    const { timeoutSeconds } = retryPolicy(receiver.retry)
    return await sendMessages(service, kind, make, { count: kind.messages(event), answered, timeoutSeconds })
  } catch (error) {
    if (error instanceof Unsendable)
      return { kind: 'unsendable', status: null, error: error.message, answered }
    if (error instanceof NoSigningKey) return failed(error.message, { answered })
    return failed('its secret cannot be opened: is SECRET_KEY another one than before?', { answered })
  }
}

/** The body is the same at every attempt, so what has come after the event is said beside it. */
function withOvertaking({ overtakenBy }: StoredEvent, request: OutgoingRequest): OutgoingRequest {
  if (overtakenBy === undefined) return request
  return { ...request, headers: { ...request.headers, [OVERTAKEN_BY]: String(overtakenBy) } }
}

/**
 * The event's messages one after the other, within one time-out. A refusal is about one of them, so the others are
 * sent all the same; a receiver that cannot be reached, or is overloaded, is left alone.
 */
async function sendMessages(
  { now }: Surroundings,
  kind: ReceiverKind,
  make: (message: number) => Promise<OutgoingRequest>,
  { count, answered, timeoutSeconds }: { count: number; answered: number; timeoutSeconds: number },
): Promise<Outcome> {
  if (count === 0) throw new Unsendable('an event of this type means nothing to a receiver of this kind')
  const start = now()
  let taken = answered
  let refusal: Failure | undefined
  let last: Outcome | undefined
  let sessionsEnded: number | null = null
  for (let message = 0; message < count; message++) {
    if (hasBit(taken, message)) continue
    const request = await make(message)
    last = await exchange(kind, request, { timeoutSeconds, spentMs: now() - start }, now)
    if (last.kind === 'gone') return last
    if (last.kind === 'delivered') {
      taken |= 1 << message
      sessionsEnded ??= last.sessionsEnded
    } else if (last.kind === 'failed') {
      refusal ??= last
      if (!isAboutTheMessage(last)) break
    }
  }
  if (refusal) return { ...refusal, answered: taken }
  return last?.kind === 'delivered'
    ? { ...last, sessionsEnded }
    : failed('nothing was left to be sent', { answered: taken })
}

/** Whether the receiver looked at the message and refused it, so that it may take another one. */
function isAboutTheMessage({ status }: Failure): boolean {
  return status === 400 || status === 422
}

function hasBit(bits: number, place: number): boolean {
  return (bits & (1 << place)) !== 0
}

async function exchange(
  kind: ReceiverKind,
  request: OutgoingRequest,
  { timeoutSeconds, spentMs }: { timeoutSeconds: number; spentMs: number },
  now: () => number,
): Promise<Outcome> {
  const deadline = new AbortController()
  let timer = setTimeout(() => deadline.abort(), Math.max(timeoutSeconds * 1000 - spentMs, 0))
  const allowReading = () => {
    clearTimeout(timer)
    timer = setTimeout(() => deadline.abort(), RECEIPT_TIMEOUT_MS)
  }
  try {
    const { url, headers, body } = request
    const sent = fetch(url, { method: 'POST', headers, body, redirect: 'manual', signal: deadline.signal })
    const response = await orAborted(sent, deadline.signal)
    const at = now()
    allowReading()
    if (!response.ok) return judgeRefusal(response, at, await explain(kind, response, deadline.signal))
    const answer = await answerOf(response, deadline.signal)
    return { kind: 'delivered', status: response.status, at, sessionsEnded: receiptIn(answer) }
  } catch (error) {
    return failed(deadline.signal.aborted ? `no answer within ${timeoutSeconds} s` : inWords(error))
  } finally {
    clearTimeout(timer)
  }
}

/** What the refusal means by the kind's own standard. The answer is read only where that may say so. */
async function explain(
  kind: ReceiverKind,
  response: Response,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (kind.refusal && response.status === 400) return kind.refusal(400, await answerOf(response, signal))
  discard(response)
  return kind.refusal?.(response.status, undefined)
}

function judgeRefusal({ status, headers }: Response, now: number, explanation: string | undefined): Outcome {
  if (status === 410) return { kind: 'gone', status, error: 'answered 410: the receiver is disabled' }
  if ([301, 302, 303, 307, 308].includes(status))
    return failed(`answered ${status}, a redirect: redirects are not followed`, { status })
  const wait = status === 429 || status === 503 ? retryAfterMs(headers.get('retry-after'), now) : 0
  const meaning = explanation ?? CLOUDFLARE_STATUS[status]
  const error = meaning ? `answered ${status}: ${meaning}` : `answered ${status}`
  return failed(error, { status, retryAfterMs: wait })
}

/** What Cloudflare's edge answers in the place of an origin that it could not reach. */
const CLOUDFLARE_STATUS: Readonly<Record<number, string>> = {
  521: 'the connection was refused',
  522: 'connecting took too long',
  523: 'the server cannot be reached',
  525: 'TLS failed',
  526: 'its TLS certificate is not valid',
  530: 'DNS knows no such name',
}

/** The runtime's errors, without whatever else they quote. */
function inWords(error: unknown): string {
  const message = error instanceof Error ? error.message : ''
  if (/certificate|tls|ssl/i.test(message)) return 'TLS failed'
  if (/dns|resolve|getaddrinfo|enotfound/i.test(message)) return 'DNS knows no such name'
  if (/connection (lost|refused|reset|closed)|disconnect/i.test(message))
    return 'could not connect, or the connection was lost'
  return 'could not connect: the name is unknown or nothing answers there'
}

function failed(error: string, more: Partial<Failure> = {}): Failure {
  return { kind: 'failed', status: null, error, retryAfterMs: 0, answered: 0, ...more }
}

/** `n` of `{"sessionsEnded": n}`, if that is what was answered. */
function receiptIn(answer: Json | undefined): number | null {
  if (!isObject(answer)) return null
  const ended = answer.sessionsEnded
  return typeof ended === 'number' && Number.isSafeInteger(ended) && ended >= 0 ? ended : null
}

/** The answer's JSON; undefined for anything else, and for what is too long or comes too slowly. */
async function answerOf(response: Response, signal: AbortSignal): Promise<Json | undefined> {
  try {
    const text = await readAtMost(response, MAX_RECEIPT_BYTES, signal)
    return text === undefined ? undefined : (JSON.parse(text) as Json)
  } catch {
    return undefined
  }
}

/** The body as text, or undefined when it is longer; then the rest is not read. */
async function readAtMost(
  response: Response,
  limit: number,
  signal: AbortSignal,
): Promise<string | undefined> {
  const reader = response.body?.getReader()
  if (!reader) return undefined
  const decoder = new TextDecoder()
  let text = ''
  try {
    for (let length = 0; ; ) {
      const { done, value } = await orAborted(reader.read(), signal)
      if (done) return text + decoder.decode()
      length += value.byteLength
      if (length > limit) return undefined
      text += decoder.decode(value, { stream: true })
    }
  } finally {
    reader.cancel().catch(() => undefined)
  }
}

function discard(response: Response): void {
  response.body?.cancel().catch(() => undefined)
}

/** Rejects when the signal fires, whether or not the work itself notices. */
function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>()
  const give = () => reject(signal.reason)
  signal.addEventListener('abort', give, { once: true })
  return Promise.race([work, promise]).finally(() => signal.removeEventListener('abort', give))
}
