// An identity provider that takes people's access and gives it back while the Queue, D1 and the receivers fail as a
// seed decides, and what all of them have seen in the end. Time is the storm's own; every turn is a batch of the Queue.
import { createExecutionContext, waitOnExecutionContext } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { vi } from 'vitest'
import type { Service } from '../../src/env'
import { consume } from '../../src/events/consume'
import { buryDeadLetters } from '../../src/events/dead-letter'
import type { Message } from '../../src/events/message'
import { sweep } from '../../src/events/sweep'
import { through } from '../contract/calls'
import { admin, newTenant, withBindings } from '../contract/world'
import { type DeliveryRow, newWorld, type QueueCall, type Sent } from '../events/world'
import { pick, type Random, seeded } from '../scim/generate'

/** The share of calls that fail, 0 to 1. */
export interface Weather {
  readonly queue?: number
  readonly d1?: number
  readonly receivers?: number
}

export const SCHEDULE = [1, 1, 2, 2, 3, 3, 5, 5, 8, 8]
const PEOPLE = 4
const CHANGES = 24
const SWEEP_EVERY_MS = 60_000
/** The Queue's own, as wrangler.toml has it. */
const MAX_ATTEMPTS = 21
const MOST_TURNS = 2_000

interface Waiting {
  readonly body: Message
  readonly dueAt: number
  readonly attempts: number
}

interface Delivery extends DeliveryRow {
  readonly receiver_id: string
  readonly event_id: string
  readonly sequence: number
}

/** A change that the provider was told is made, and the person's last event in the database at that moment. */
interface Promised {
  readonly type: string
  readonly stored: string | null
}

/** Everything that the changes of a storm came to. */
export interface Aftermath {
  readonly promised: readonly Promised[]
  readonly deliveries: readonly Delivery[]
  /** Ids of the events that are stored, in their order. */
  readonly events: readonly string[]
  readonly sent: readonly Sent[]
  /** Message id → the bodies that it was sent with; and the ids that the receiver has ever said 2xx to. */
  readonly bodies: ReadonlyMap<string, ReadonlySet<string>>
  readonly taken: ReadonlySet<string>
  readonly webhook: string
  /** Lets everything that is still in the Queue come, and the sweep run once more. */
  afterwards(): Promise<void>
}

/** Runs until nothing is outstanding; fails when that never comes. */
export async function storm(seed: number, weather: Weather): Promise<Aftermath> {
  const random = seeded(seed)
  const world = await newWorld()
  const { clock } = world
  vi.spyOn(Date, 'now').mockImplementation(() => clock.now)
  vi.spyOn(Math, 'random').mockImplementation(seeded(seed + 1_000))
  hurry()
  const { provider, people, tenantId, webhook } = await peopleAndReceivers()
  const waiting: Waiting[] = []
  const d1 = stormyD1(random, weather.d1 ?? 0)
  const queue = stormyQueue(random, weather.queue ?? 0, waiting, () => clock.now)
  const service: Service = { ...world.service, d1, queue }
  const worker = withBindings({ DB: d1, EVENTS: queue as unknown as Env['EVENTS'] })
  const scim = through(provider, worker)
  const bodies = new Map<string, Set<string>>()
  const taken = new Set<string>()
  world.answer(sent => {
    const id = messageId(sent)
    bodies.set(id, (bodies.get(id) ?? new Set()).add(sent.body))
    const answer = stormyAnswer(random, weather.receivers ?? 0)
    if (answer.ok) taken.add(id)
    return answer
  })

  let nextSweep = clock.now
  async function turn(): Promise<void> {
    const due = waiting.filter(({ dueAt }) => dueAt <= clock.now)
    if (due.length === 0) clock.now = Math.min(nextSweep, ...waiting.map(({ dueAt }) => dueAt))
    else clock.now += Math.ceil(random() * 300)
    if (clock.now >= nextSweep) {
      nextSweep = clock.now + SWEEP_EVERY_MS
      await sweep(service).catch(() => undefined)
    }
    await handOver(service, takeSome(random, waiting, clock.now), waiting, clock)
  }

  const promised: Promised[] = []
  const hasAccess = new Map(people.map(id => [id, true]))
  for (let change = 0; change < CHANGES; change++) {
    const id = pick(random, people)
    const value = !hasAccess.get(id)
    const { status } = await scim.patch(`/Users/${id}`, [{ op: 'replace', path: 'active', value }])
    await worker.settled()
    if (status === 200) {
      hasAccess.set(id, value)
      const type = value ? 'user.reactivated' : 'user.deactivated'
      promised.push({ type, stored: await lastEventOf(tenantId, id) })
    }
    // Of a commit that never was: no such event.
    const ghost = { tenantId, sequence: 1_000_000 + change, receiverId: webhook }
    waiting.push({ body: ghost, dueAt: clock.now, attempts: 1 })
    await turn()
  }
  for (let turns = 0; (await outstanding(tenantId)) > 0; turns++) {
    if (turns === MOST_TURNS) throw new Error(`Something is outstanding after ${MOST_TURNS} turns.`)
    await turn()
  }
  const rowsOf = async <Row>(text: string) => (await env.DB.prepare(text).bind(tenantId).all<Row>()).results
  const events = await rowsOf<{ id: string }>(
    `SELECT id FROM events WHERE tenant_id = ? AND type IN ('user.deactivated', 'user.reactivated') ORDER BY sequence`,
  )
  return {
    promised,
    deliveries: await rowsOf<Delivery>('SELECT * FROM deliveries WHERE tenant_id = ? ORDER BY sequence'),
    events: events.map(({ id }) => id),
    sent: world.sent,
    bodies,
    taken,
    webhook,
    async afterwards() {
      clock.now += 86_400_000
      await sweep(world.service)
      while (waiting.length > 0) await handOver(world.service, waiting.splice(0, 5), [], clock)
    },
  }
}

/** Made in good weather; what has happened until then is told to nobody. */
async function peopleAndReceivers() {
  const provider = await newTenant()
  const people: string[] = []
  while (people.length < PEOPLE) people.push((await provider.user()).id)
  const register = async (body: object) =>
    (await admin('POST', `${provider.at}/receivers`, { ...body, retry: { schedule: SCHEDULE } })).id
  const webhook = await register({ kind: 'webhook', url: 'https://app.example/hook' })
  await register({ kind: 'ssf-push', url: 'https://app.example/ssf', audience: 'https://app.example' })
  const tenantId = await env.DB.prepare('SELECT tenant_id FROM receivers WHERE id = ?')
    .bind(webhook)
    .first<string>('tenant_id')
  return { provider, people, webhook, tenantId: tenantId ?? '' }
}

/** The id by which a receiver knows a message that it gets twice. */
function messageId({ headers, body }: Sent): string {
  const webhookId = headers.get('webhook-id')
  if (webhookId !== null) return webhookId
  const [, claims = ''] = body.split('.')
  return JSON.parse(atob(claims.replaceAll('-', '+').replaceAll('_', '/'))).jti
}

/** The waits before a refused call is made again, or the log is written, take no time. */
function hurry(): void {
  const wait = globalThis.setTimeout
  const quick = (then: () => void, ms?: number) => wait(then, ms === 100 || ms === 1_000 ? 0 : ms)
  vi.spyOn(globalThis, 'setTimeout').mockImplementation(quick as typeof setTimeout)
  vi.spyOn(scheduler, 'wait').mockImplementation(async () => undefined)
}

/** Fails before it is asked, or after it has done it. */
function stormyD1(random: Random, share: number): D1Database {
  const away = () => new Error('D1_ERROR: Network connection lost.')
  return {
    prepare(text: string) {
      if (text.startsWith('UPDATE') && random() < share / 2) throw away()
      return env.DB.prepare(text)
    },
    async batch(statements: D1PreparedStatement[]) {
      if (random() < share / 2) throw away()
      const results = await env.DB.batch(statements)
      if (random() < share / 2) throw away()
      return results
    },
  } as unknown as D1Database
}

/** Refuses, loses and doubles; what comes first is decided by `takeSome`. */
function stormyQueue(random: Random, share: number, waiting: Waiting[], now: () => number) {
  const sendBatch = async (calls: Iterable<QueueCall>) => {
    if (random() < share) throw new Error('Queue is overloaded')
    for (const { body, delaySeconds = 0 } of calls) {
      const copies = random() < share ? pick(random, [0, 2, 3]) : 1
      const message = { body, dueAt: now() + delaySeconds * 1000, attempts: 1 }
      waiting.push(...Array.from({ length: copies }, () => message))
    }
  }
  return { sendBatch, send: sendBatch } as unknown as Service['queue']
}

function stormyAnswer(random: Random, share: number): Response {
  if (random() >= share) return Response.json({ sessionsEnded: 1 })
  const kinds: readonly (() => Response)[] = [
    () => new Response('{"sessionsEnded":', { status: 200 }),
    () => new Response('<html>', { status: 500 }),
    () => new Response(null, { status: 503, headers: { 'retry-after': '2' } }),
    () => new Response(null, { status: 302, headers: { location: 'https://elsewhere.example' } }),
    () => new Response('{"err":"invalid_request"}', { status: 400 }),
    () => {
      throw new Error('Network connection lost.')
    },
  ]
  return pick(random, kinds)()
}

/** At most five that are due, whichever. */
function takeSome(random: Random, waiting: Waiting[], now: number): Waiting[] {
  const taken: Waiting[] = []
  for (let due = waiting.filter(each => each.dueAt <= now); due.length > 0 && taken.length < 5; ) {
    const one = pick(random, due)
    taken.push(one)
    waiting.splice(waiting.indexOf(one), 1)
    due = waiting.filter(each => each.dueAt <= now)
  }
  return taken
}

/** A batch of the Queue: what the consumer gives back waits again, or is a dead letter. */
async function handOver(
  service: Service,
  taken: readonly Waiting[],
  waiting: Waiting[],
  { now }: { now: number },
): Promise<void> {
  if (taken.length === 0) return
  const back = (kept: Waiting) => (options?: { delaySeconds?: number }) => {
    waiting.push({
      ...kept,
      dueAt: now + (options?.delaySeconds ?? 0) * 1000,
      attempts: kept.attempts + 1,
    })
  }
  const messages = taken.map((kept, i) => ({
    ...kept,
    id: `m${i}`,
    retry: back(kept),
    ack: () => undefined,
  }))
  const batchOf = (some: typeof messages) =>
    ({ queue: 'edge-scim-events', messages: some }) as unknown as MessageBatch
  const alive = messages.filter(({ attempts }) => attempts <= MAX_ATTEMPTS)
  const context = createExecutionContext()
  await consume(batchOf(alive), service, context, async () => undefined)
  await waitOnExecutionContext(context)
  await buryDeadLetters(batchOf(messages.filter(each => !alive.includes(each))), service)
}

async function lastEventOf(tenantId: string, userId: string): Promise<string | null> {
  return env.DB.prepare(
    'SELECT type FROM events WHERE tenant_id = ? AND user_id = ? ORDER BY sequence DESC LIMIT 1',
  )
    .bind(tenantId, userId)
    .first<string>('type')
}

async function outstanding(tenantId: string): Promise<number> {
  const count = await env.DB.prepare(
    `SELECT count(*) AS n FROM deliveries WHERE tenant_id = ? AND state IN ('pending', 'retrying')`,
  )
    .bind(tenantId)
    .first<number>('n')
  return count ?? 0
}
