// The Queue, D1 and the receivers failing at random, one by one and together, while people lose access and get it back:
// every change that was confirmed is delivered or dead, what was not committed is never sent, a message is the same
// message however often it comes, and each person's events can be told apart by their order.
import { env } from 'cloudflare:workers'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Sent } from '../events/world'
import { type Aftermath, SCHEDULE, storm } from './storm'

vi.setConfig({ testTimeout: 180_000 })

beforeEach(async () => {
  vi.spyOn(console, 'log').mockImplementation(() => undefined)
  vi.spyOn(console, 'error').mockImplementation(() => undefined)
  // The sweep looks at all tenants.
  await env.DB.batch(['deliveries', 'jobs'].map(table => env.DB.prepare(`DELETE FROM ${table}`)))
})

afterEach(() => void vi.restoreAllMocks())

/** The event of a message: a SET's id has its place behind it. */
const eventOf = (id: string) => id.replace(/\.\d$/, '')

async function expectAllIsWell(after: Aftermath): Promise<void> {
  const { promised, deliveries, events, bodies, taken } = after
  expect(promised.length).toBeGreaterThan(0)
  for (const { type, stored } of promised) expect(stored).toBe(type)
  expect(deliveries).toHaveLength(2 * events.length)
  const ids = Map.groupBy(bodies.keys(), eventOf)
  for (const { state, event_id, receiver_id, attempts, last_error } of deliveries) {
    const own = (ids.get(event_id) ?? []).filter(id => (id === event_id) === (receiver_id === after.webhook))
    if (state === 'delivered') {
      expect([event_id, own.length > 0, own.filter(id => !taken.has(id))]).toEqual([event_id, true, []])
    } else if (!/^the queue gave up|^overtaken by event/.test(String(last_error)))
      expect([event_id, state, attempts > SCHEDULE.length]).toEqual([event_id, 'dead', true])
  }
  // Nothing of events that are not there, and the same bytes under the same id.
  for (const id of ids.keys()) expect(events).toContain(id)
  for (const [id, different] of bodies) expect([id, different.size]).toEqual([id, 1])
  expectOrder(after)
  const before = after.sent.length
  await after.afterwards()
  expect(after.sent.length).toBe(before)
}

/** Whatever comes after a later event of the same person says so. */
function expectOrder({ sent }: Aftermath): void {
  const latest = new Map<string, number>()
  for (const message of sent.filter(isWebhook)) {
    const { sequence, user } = JSON.parse(message.body).data
    const last = latest.get(user.id) ?? 0
    const overtakenBy = Number(message.headers.get('scim-overtaken-by') ?? 0)
    if (sequence < last) expect(overtakenBy).toBeGreaterThanOrEqual(last)
    latest.set(user.id, Math.max(last, sequence))
  }
}

const isWebhook = ({ headers }: Sent) => headers.has('webhook-id')

const delivered = ({ deliveries }: Aftermath) =>
  deliveries.filter(({ state }) => state === 'delivered').length

test.each([1, 2])(
  'FAULT-11 the Queue refuses, loses, doubles and reorders (seed %i): all is delivered, each once',
  async seed => {
    const after = await storm(seed, { queue: 0.5 })
    await expectAllIsWell(after)
    const overtaken = after.deliveries.filter(({ last_error }) => /^overtaken/.test(String(last_error)))
    expect(delivered(after) + overtaken.length).toBe(after.deliveries.length)
    expect(after.sent).toHaveLength(after.bodies.size)
  },
)

test.each([3, 4])(
  'FAULT-8 D1 fails at random, when people lose access and when that is told (seed %i)',
  async seed => {
    const after = await storm(seed, { d1: 0.3 })
    await expectAllIsWell(after)
    expect(delivered(after)).toBeGreaterThan(after.deliveries.length / 2)
  },
)

test.each([5, 6])(
  'FAULT-17 receivers flap (seed %i): tried until taken or the schedule is used up',
  async seed => {
    const after = await storm(seed, { receivers: 0.6 })
    await expectAllIsWell(after)
    const calls = after.sent.filter(isWebhook).length
    const attempts = after.deliveries
      .filter(({ receiver_id }) => receiver_id === after.webhook)
      .reduce((sum, { attempts }) => sum + attempts, 0)
    expect(calls).toBeGreaterThan(after.events.length)
    expect(calls).toBeLessThanOrEqual(attempts)
  },
)

test.each([7, 8, 9])('FAULT-31 all of it at once (seed %i)', async seed => {
  await expectAllIsWell(await storm(seed, { queue: 0.3, d1: 0.3, receivers: 0.4 }))
})
