// Standard Webhooks: an event as signed JSON. https://www.standardwebhooks.com

import type { StoredEvent } from '../storage/deliveries'
import { toBase64 } from '../storage/keys'
import type { OpenReceiver, ReceiverKind } from './receiver-kind'

const PREFIX = 'whsec_'
const SECRET_BYTES = 32
export const USER_AGENT = 'edge-scim/0.1'

const encoder = new TextEncoder()

export const webhook = {
  kind: 'webhook',
  fields: {},
  messages: () => 1,
  async request(event: StoredEvent, receiver: Pick<OpenReceiver, 'url' | 'secrets'>, now: number) {
    const body = bodyOf(event)
    const timestamp = String(Math.floor(now / 1000))
    const content = encoder.encode(`${event.id}.${timestamp}.${body}`)
    const signatures = await Promise.all(receiver.secrets.map(secret => sign(secret, content)))
    return {
      url: receiver.url,
      headers: {
        'content-type': 'application/json',
        'user-agent': USER_AGENT,
        'webhook-id': event.id,
        'webhook-timestamp': timestamp,
        'webhook-signature': signatures.join(' '),
      },
      body,
    }
  },
  newSecret: () => PREFIX + toBase64(crypto.getRandomValues(new Uint8Array(SECRET_BYTES))),
} satisfies ReceiverKind

/** The same bytes at every attempt: nothing in it depends on when it is sent. */
function bodyOf(event: StoredEvent): string {
  return JSON.stringify({
    type: event.type,
    timestamp: new Date(event.occurredAt).toISOString(),
    data: { ...event.data, txn: event.txn, sequence: event.sequence },
  })
}

async function sign(secret: string, content: Uint8Array): Promise<string> {
  const bytes = Uint8Array.from(atob(secret.slice(PREFIX.length)), character => character.charCodeAt(0))
  const key = await crypto.subtle.importKey('raw', bytes, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign'])
  return `v1,${toBase64(new Uint8Array(await crypto.subtle.sign('HMAC', key, content)))}`
}
