// One event, one receiver, one attempt: the request is made, sent, and its answer judged. Never throws.
import type { Service } from '../env'
import type { StoredEvent } from '../storage/deliveries'
import type { Keys } from '../storage/keys'
import { receiverSecretContext, type StoredReceiver } from '../storage/receivers'
import { refuseAddress } from './address-guard'
import type { OutgoingRequest, ReceiverKind } from './receiver-kind'
import { receiverKind } from './receiver-kinds'
import { retryAfterMs, retryPolicy } from './schedule'

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
  | {
      readonly kind: 'failed'
      /** Null when there was no answer. */
      readonly status: number | null
      /** In words; never anything the receiver sent, never a secret. */
      readonly error: string
      /** It asked to be left alone that long. */
      readonly retryAfterMs: number
    }

type Surroundings = Pick<Service, 'keys' | 'allowLoopbackReceivers' | 'now'>

/** A receipt is a few bytes; whatever is longer is not read. */
const MAX_RECEIPT_BYTES = 65_536
/** It has already been delivered: its receipt is not waited for any longer than this. */
const RECEIPT_TIMEOUT_MS = 2_000

export async function deliver(
  service: Surroundings,
  event: StoredEvent,
  receiver: StoredReceiver,
): Promise<Outcome> {
  const kind = receiverKind(receiver.kind)
  if (!kind) return failed(`nothing is known of the kind ${receiver.kind}`)
  const refused = refuseAddress(receiver.url, service.allowLoopbackReceivers)
  if (refused) return failed(`its URL ${refused}`)
  const request = await prepare(kind, service, event, receiver)
  if (!request) return failed('its secret cannot be opened: is SECRET_KEY another one than before?')
  return exchange(request, retryPolicy(receiver.retry).timeoutSeconds, service.now)
}

async function prepare(
  kind: ReceiverKind,
  { keys, now }: Surroundings,
  event: StoredEvent,
  receiver: StoredReceiver,
): Promise<OutgoingRequest | undefined> {
  try {
    const secrets = await openSecrets(keys, receiver, now())
    return await kind.request(
      event,
      { tenantId: receiver.tenantId, id: receiver.id, url: receiver.url, secrets },
      now(),
    )
  } catch {
    return undefined
  }
}

/** The secret, and during a rotation's overlap the one before it. */
async function openSecrets(keys: Keys, receiver: StoredReceiver, now: number): Promise<string[]> {
  const { secret, previousSecret, previousSecretUntil } = receiver
  const overlaps = previousSecret !== null && previousSecretUntil !== null && previousSecretUntil > now
  const sealed = overlaps ? [secret, previousSecret] : [secret]
  return Promise.all(sealed.map(text => keys.open(text, receiverSecretContext(receiver))))
}

async function exchange(
  request: OutgoingRequest,
  timeoutSeconds: number,
  now: () => number,
): Promise<Outcome> {
  const deadline = new AbortController()
  let timer = setTimeout(() => deadline.abort(), timeoutSeconds * 1000)
  try {
    const { url, headers, body } = request
    const sent = fetch(url, { method: 'POST', headers, body, redirect: 'manual', signal: deadline.signal })
    const response = await orAborted(sent, deadline.signal)
    const at = now()
    if (!response.ok) {
      discard(response)
      return judgeRefusal(response, at)
    }
    clearTimeout(timer)
    timer = setTimeout(() => deadline.abort(), RECEIPT_TIMEOUT_MS)
    return {
      kind: 'delivered',
      status: response.status,
      at,
      sessionsEnded: await receiptOf(response, deadline.signal),
    }
  } catch (error) {
    return failed(deadline.signal.aborted ? `no answer within ${timeoutSeconds} s` : inWords(error))
  } finally {
    clearTimeout(timer)
  }
}

function judgeRefusal({ status, headers }: Response, now: number): Outcome {
  if (status === 410) return { kind: 'gone', status, error: 'answered 410: the receiver is disabled' }
  if ([301, 302, 303, 307, 308].includes(status))
    return failed(`answered ${status}, a redirect: redirects are not followed`, status)
  const wait = status === 429 || status === 503 ? retryAfterMs(headers.get('retry-after'), now) : 0
  const meaning = CLOUDFLARE_STATUS[status]
  return failed(meaning ? `answered ${status}: ${meaning}` : `answered ${status}`, status, wait)
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

function failed(error: string, status: number | null = null, wait = 0): Outcome {
  return { kind: 'failed', status, error, retryAfterMs: wait }
}

/** `{"sessionsEnded": n}` from the body, if that is what it is. */
async function receiptOf(response: Response, signal: AbortSignal): Promise<number | null> {
  try {
    const text = await readAtMost(response, MAX_RECEIPT_BYTES, signal)
    const receipt: unknown = text === undefined ? undefined : JSON.parse(text)
    if (typeof receipt !== 'object' || receipt === null || !('sessionsEnded' in receipt)) return null
    const ended = receipt.sessionsEnded
    return typeof ended === 'number' && Number.isSafeInteger(ended) && ended >= 0 ? ended : null
  } catch {
    return null
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
