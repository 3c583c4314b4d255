// A tenant with receivers, events and deliveries in real D1, a clock, a queue that only remembers, and receivers
// that answer what a test says.

import { createExecutionContext, waitOnExecutionContext } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { vi } from 'vitest'
import { type Service, serviceOf } from '../../src/env'
import { consume } from '../../src/events/consume'
import type { DeliveryPointer, Message as Pointer, WorkPointer } from '../../src/events/message'
import { WAKE_AFTER_MS } from '../../src/storage/outbox'
import { receiverSecretContext } from '../../src/storage/receivers'
import { TenantDatabase } from '../../src/storage/tenant-database'

export const START = Date.UTC(2026, 10, 21, 20)

export interface Sent {
  readonly url: string
  readonly headers: Headers
  readonly body: string
  readonly init: RequestInit
}

export interface QueueCall {
  readonly body: Pointer
  readonly delaySeconds?: number
}

/** A message of the batch, and what the consumer did with it. */
export interface FakeMessage {
  readonly id: string
  readonly body: unknown
  readonly attempts: number
  readonly retry: ReturnType<typeof vi.fn>
  readonly ack: ReturnType<typeof vi.fn>
}

export interface DeliveryRow {
  state: string
  attempts: number
  attempts_before: number
  last_status: number | null
  last_error: string | null
  delivered_at: number | null
  next_attempt_at: number | null
  sessions_ended: number | null
  lease_until: number | null
  wake_at: number | null
  watch_from: number | null
  overdue: number
}

export async function newWorld() {
  const queued: QueueCall[] = []
  const sent: Sent[] = []
  const clock = { now: START }
  let answer: (request: Sent) => Response | Promise<Response> = () => new Response(null, { status: 204 })
  vi.spyOn(globalThis, 'fetch').mockImplementation(async (input, init = {}) => {
    const request = {
      url: String(input),
      headers: new Headers(init.headers),
      body: String(init.body),
      init: init as RequestInit,
    }
    sent.push(request)
    return answer(request)
  })
  const queue = {
    sendBatch: vi.fn(async (requests: Iterable<QueueCall>) => void queued.push(...requests)),
  }
  const service: Service = {
    ...(await serviceOf(env)),
    queue: queue as unknown as Service['queue'],
    now: () => clock.now,
  }
  return {
    service,
    clock,
    queue,
    queued,
    sent,
    answer(next: typeof answer) {
      answer = next
    },
    /** As many D1 round trips as were made since. */
    countRoundTrips() {
      return vi.spyOn(env.DB, 'batch').mockClear()
    },
  }
}

export type World = Awaited<ReturnType<typeof newWorld>>

export async function newTenant({ service }: World) {
  const tenantId = crypto.randomUUID()
  const slug = `t${tenantId.slice(0, 8)}`
  await env.DB.prepare(
    `INSERT INTO tenants (tenant_id, slug, name, profile, status, config_version, created_at) VALUES (?, ?, 'T', 'standard', 'active', 1, ?)`,
  )
    .bind(tenantId, slug, START)
    .run()
  let sequence = 0

  return {
    tenantId,
    slug,
    database: new TenantDatabase(service, tenantId),

    async receiver(
      options: {
        url?: string
        kind?: string
        events?: readonly string[]
        retry?: object
        status?: string
        secret?: string
        settings?: object
        issuer?: string
        isPolled?: boolean
        previous?: { secret: string; until: number }
      } = {},
    ): Promise<string> {
      const id = crypto.randomUUID()
      const seal = (secret: string) => service.keys.seal(secret, receiverSecretContext({ tenantId, id }))
      const { previous } = options
      await env.DB.prepare(
        `INSERT INTO receivers (tenant_id, id, kind, url, events, retry, status, secret, previous_secret, previous_secret_until, settings, issuer, is_polled, created_at)
          VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      )
        .bind(
          tenantId,
          id,
          options.kind ?? 'webhook',
          options.url ?? `https://${id}.example/hook`,
          options.events ? JSON.stringify(options.events) : null,
          options.retry ? JSON.stringify(options.retry) : null,
          options.status ?? 'active',
          await seal(options.secret ?? 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'),
          previous ? await seal(previous.secret) : null,
          previous?.until ?? null,
          options.settings ? JSON.stringify(options.settings) : null,
          options.issuer ?? null,
          options.isPolled ? 1 : 0,
          START,
        )
        .run()
      return id
    },

    /** The next event, and a due delivery of it to each of the receivers. */
    async event(
      receivers: readonly string[],
      type = 'user.deactivated',
      more: object = { user: { id: 'u1', userName: 'ada@example.com' }, sessions: 'revoke_all' },
    ): Promise<DeliveryPointer[]> {
      sequence++
      const data = { tenant: slug, ...more }
      const event = env.DB.prepare(
        `INSERT INTO events (tenant_id, sequence, id, type, txn, user_id, occurred_at, data) VALUES (?, ?, ?, ?, ?, 'u1', ?, ?)`,
      ).bind(
        tenantId,
        sequence,
        `evt_${tenantId}_${sequence}`,
        type,
        `txn${sequence}`,
        START,
        JSON.stringify(data),
      )
      const deliveries = receivers.map(id =>
        env.DB.prepare(
          `INSERT INTO deliveries (tenant_id, sequence, receiver_id, event_id, user_id, state, attempts, attempts_before, occurred_at, next_attempt_at, wake_at,
              ends_sessions, watch_from)
            VALUES (?1, ?2, ?3, ?4, 'u1', 'pending', 0, 0, ?5, ?5, ?6, 1, ?5)`,
        ).bind(tenantId, sequence, id, `evt_${tenantId}_${sequence}`, START, START + WAKE_AFTER_MS),
      )
      await env.DB.batch([event, ...deliveries])
      return receivers.map(receiverId => ({ tenantId, sequence, receiverId }))
    },
  }
}

export async function rowOf(pointer: DeliveryPointer | undefined): Promise<DeliveryRow> {
  const row = await env.DB.prepare(
    'SELECT * FROM deliveries WHERE tenant_id = ? AND sequence = ? AND receiver_id = ?',
  )
    .bind(pointer?.tenantId, pointer?.sequence, pointer?.receiverId)
    .first<DeliveryRow>()
  if (!row) throw new Error('no such delivery')
  return row
}

export async function statusOf(tenantId: string, receiverId: string): Promise<unknown> {
  return env.DB.prepare('SELECT status FROM receivers WHERE tenant_id = ? AND id = ?')
    .bind(tenantId, receiverId)
    .first('status')
}

export function batchOf(bodies: readonly unknown[], attempts = 1) {
  const messages: FakeMessage[] = bodies.map((body, i) => {
    return { id: `m${i}`, body, attempts, retry: vi.fn(), ack: vi.fn() }
  })
  const batch = { queue: 'edge-scim-events', messages } as unknown as MessageBatch
  return { batch, messages }
}

/** Lets the consumer have the messages, to the end of its work in the background. */
export async function run(
  { service }: World,
  bodies: readonly unknown[],
  continueWork: (pointer: WorkPointer) => Promise<void> = async () => undefined,
): Promise<readonly FakeMessage[]> {
  const { batch, messages } = batchOf(bodies)
  const ctx = createExecutionContext()
  await consume(batch, service, ctx, continueWork)
  await waitOnExecutionContext(ctx)
  return messages
}

/** `retry` was not called: what the runtime takes for acknowledged. */
export function acknowledged(messages: readonly FakeMessage[]): boolean {
  return messages.every(message => message.retry.mock.calls.length === 0)
}
