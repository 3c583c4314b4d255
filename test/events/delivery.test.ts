// From the event's row to the receiver and back: contract, Receivers and Promises 2 and 4, in workerd on real D1.

import { createExecutionContext, waitOnExecutionContext } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { consume } from '../../src/events/consume'
import { buryDeadLetters } from '../../src/events/dead-letter'
import type { DeliveryPointer } from '../../src/events/message'
import { publish } from '../../src/events/publish'
import { DEFAULT_SCHEDULE } from '../../src/events/schedule'
import { prune, sweep } from '../../src/events/sweep'
import {
  abandonReceiver,
  claimDeliveries,
  deliveryKeys,
  pauseReceiver,
  recordResult,
  replayDelivery,
  replayRange,
  resumeReceiver,
} from '../../src/storage/deliveries'
import { WAKE_AFTER_MS } from '../../src/storage/outbox'
import { acknowledged, batchOf, newTenant, newWorld, rowOf, run, START, statusOf, type World } from './world'

const LEASE = { defaultTimeoutSeconds: 15, maxTimeoutSeconds: 25 }

let world: World
let tenant: Awaited<ReturnType<typeof newTenant>>

let log: string[]

beforeEach(async () => {
  log = []
  vi.spyOn(console, 'log').mockImplementation(line => void log.push(line))
  // The sweep looks at all tenants.
  await env.DB.batch(['deliveries', 'jobs', 'activity'].map(table => env.DB.prepare(`DELETE FROM ${table}`)))
  world = await newWorld()
  tenant = await newTenant(world)
})

afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
})

/** One event for one receiver, and what became of it after one attempt. */
async function attemptOnce(
  answer: Parameters<World['answer']>[0],
  receiver: Parameters<typeof tenant.receiver>[0] = {},
) {
  const receiverId = await tenant.receiver(receiver)
  const [pointer] = await tenant.event([receiverId])
  world.answer(answer)
  const messages = await run(world, [pointer])
  return { receiverId, pointer, messages, row: await rowOf(pointer) }
}

function logged(): string {
  return log.join('\n')
}

describe('what an answer means', () => {
  test.each([200, 202, 204, 299])('%d: delivered', async status => {
    const { row, messages } = await attemptOnce(() => {
      world.clock.now += 30
      return new Response(null, { status })
    })
    expect(row).toMatchObject({
      state: 'delivered',
      attempts: 1,
      last_status: status,
      last_error: null,
      delivered_at: START + 30,
      sessions_ended: null,
      next_attempt_at: null,
      lease_until: null,
      wake_at: null,
    })
    expect(acknowledged(messages)).toBe(true)
    expect(world.sent).toHaveLength(1)
    expect(world.sent[0]?.init).toMatchObject({ method: 'POST', redirect: 'manual' })
    expect(world.queued).toEqual([])
  })

  test.each([400, 401, 404, 408, 500, 502, 504])('%d: tried again after about a second', async status => {
    const { row, messages, pointer } = await attemptOnce(() => new Response('secret words', { status }))
    expect(row).toMatchObject({ state: 'retrying', attempts: 1, last_status: status, lease_until: null })
    expect(row.last_error).toBe(`answered ${status}`)
    const wait = (row.next_attempt_at ?? 0) - START
    expect(wait).toBeGreaterThanOrEqual(900)
    expect(wait).toBeLessThanOrEqual(1_100)
    expect(row.wake_at).toBe((row.next_attempt_at ?? 0) + WAKE_AFTER_MS)
    expect(acknowledged(messages)).toBe(true)
    expect(world.queued).toEqual([{ body: pointer, delaySeconds: Math.ceil(wait / 1000) }])
  })

  test.each([
    [429, '120', 120_000],
    [503, 'Sat, 21 Nov 2026 20:05:00 GMT', 300_000],
    [503, '9999999', 86_400_000],
  ])('%d with Retry-After %s: not before that', async (status, header, wait) => {
    const { row } = await attemptOnce(() => new Response('', { status, headers: { 'retry-after': header } }))
    expect(row).toMatchObject({ state: 'retrying', last_status: status, next_attempt_at: START + wait })
    expect(world.queued[0]?.delaySeconds).toBe(Math.min(wait / 1000, 43_200))
  })

  test('FAULT-26 Retry-After counts on 429 and 503 only', async () => {
    const { row } = await attemptOnce(
      () => new Response('', { status: 500, headers: { 'retry-after': '3600' } }),
    )
    expect(row.next_attempt_at).toBeLessThan(START + 2_000)
  })

  test.each([301, 302, 303, 307, 308])(
    'FAULT-21 %d: a redirect is a failure and is not followed',
    async status => {
      const headers = { location: 'https://elsewhere.example/' }
      const { row } = await attemptOnce(() => new Response(null, { status, headers }))
      expect(row).toMatchObject({ state: 'retrying', last_status: status })
      expect(row.last_error).toBe(`answered ${status}, a redirect: redirects are not followed`)
      expect(world.sent).toHaveLength(1)
    },
  )

  test('FAULT-24 410: the receiver is disabled and all that is outstanding for it is dead; others go on', async () => {
    const [gone, other] = [await tenant.receiver(), await tenant.receiver()]
    const [first] = await tenant.event([gone, other])
    const [second, kept] = await tenant.event([gone, other])
    world.answer(() => new Response('', { status: 410 }))
    await run(world, [first])
    expect(await statusOf(tenant.tenantId, gone)).toBe('disabled')
    expect(await rowOf(first)).toMatchObject({
      state: 'dead',
      last_status: 410,
      wake_at: null,
      next_attempt_at: null,
    })
    expect(await rowOf(second)).toMatchObject({ state: 'dead', last_status: null, wake_at: null })
    expect((await rowOf(second)).last_error).toContain('410')
    expect(await statusOf(tenant.tenantId, other)).toBe('active')
    expect(await rowOf(kept)).toMatchObject({ state: 'pending' })
    expect(world.queued).toEqual([])
  })

  test.each([
    ['Network connection lost.', 'could not connect, or the connection was lost'],
    ['internal error; reference = abc', 'could not connect: the name is unknown or nothing answers there'],
    ['getaddrinfo ENOTFOUND https://x/?token=secret', 'DNS knows no such name'],
    ['TLS peer certificate is not trusted', 'TLS failed'],
  ])('FAULT-17 no answer (%s)', async (message, words) => {
    const { row } = await attemptOnce(() => Promise.reject(new Error(message)))
    expect(row).toMatchObject({ state: 'retrying', last_status: null, last_error: words })
  })

  test('FAULT-18 too late an answer', async () => {
    const { row } = await attemptOnce(() => new Promise(() => undefined), { retry: { timeoutSeconds: 0.05 } })
    expect(row).toMatchObject({ state: 'retrying', last_status: null, last_error: 'no answer within 0.05 s' })
  })

  test('FAULT-25 an address that has become forbidden is not sent to', async () => {
    const { row } = await attemptOnce(() => new Response(), {
      url: 'https://169.254.169.254/latest?key=secret',
    })
    expect(row.last_error).toBe('its URL must not point to a private, local or reserved address')
    expect(world.sent).toEqual([])
  })

  test('a secret sealed for another receiver is not used', async () => {
    const [one, two] = [await tenant.receiver(), await tenant.receiver()]
    await env.DB.prepare(
      'UPDATE receivers SET secret = (SELECT secret FROM receivers WHERE id = ?) WHERE id = ?',
    )
      .bind(one, two)
      .run()
    const [pointer] = await tenant.event([two])
    await run(world, [pointer])
    expect((await rowOf(pointer)).last_error).toMatch(/^its secret cannot be opened/)
    expect(world.sent).toEqual([])
  })

  test('nothing personal and nothing secret is logged', async () => {
    await attemptOnce(() => new Response('ada@example.com', { status: 500 }), {
      url: 'https://x.example/?key=secret',
    })
    expect(logged()).toContain('delivery-retrying')
    expect(logged()).not.toMatch(/ada|secret|whsec|x\.example/)
  })
})

describe('the receipt', () => {
  test.each([
    ['{"sessionsEnded":3}', 3],
    ['{"sessionsEnded":0,"more":true}', 0],
    ['{"sessionsEnded":-1}', null],
    ['{"sessionsEnded":1.5}', null],
    ['{"sessionsEnded":"3"}', null],
    ['{"sessionsEnded":1e300}', null],
    ['[]', null],
    ['null', null],
    ['', null],
    ['<html>', null],
    ['{"sessionsEnded":', null],
    [`{"sessionsEnded":3,"x":"${'x'.repeat(70_000)}"}`, null],
  ])('FAULT-20 %.40s', async (body, expected) => {
    const { row } = await attemptOnce(() => new Response(body))
    expect(row).toMatchObject({ state: 'delivered', sessions_ended: expected })
  })

  test('FAULT-22 of 10 MB is not read', async () => {
    let pulled = 0
    const cancelled = vi.fn()
    const body = new ReadableStream({
      pull(controller) {
        pulled += 16_384
        controller.enqueue(new Uint8Array(16_384).fill(32))
        if (pulled >= 10_000_000) controller.close()
      },
      cancel: cancelled,
    })
    const { row } = await attemptOnce(() => new Response(body))
    expect(row).toMatchObject({ state: 'delivered', sessions_ended: null })
    expect(cancelled).toHaveBeenCalledOnce()
    expect(pulled).toBeLessThan(200_000)
  })

  test('FAULT-23 that never ends is given up, and the delivery stays delivered', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const asked = Promise.withResolvers<void>()
    const receiverId = await tenant.receiver()
    const [pointer] = await tenant.event([receiverId])
    const endless = () => {
      asked.resolve()
      return new Promise<void>(() => undefined)
    }
    world.answer(() => new Response(new ReadableStream({ pull: endless })))
    const running = run(world, [pointer])
    await asked.promise
    await vi.advanceTimersByTimeAsync(5_000)
    await running
    expect(await rowOf(pointer)).toMatchObject({ state: 'delivered', sessions_ended: null })
  })

  test('of the first time is kept when the delivery is replayed', async () => {
    const { pointer, receiverId } = await attemptOnce(() => Response.json({ sessionsEnded: 2 }))
    world.clock.now += 60_000
    await tenant.database.batch([replayDelivery(tenant.tenantId, 1, receiverId, world.clock.now)])
    world.answer(() => Response.json({ sessionsEnded: 0 }))
    await run(world, [pointer])
    expect(world.sent).toHaveLength(2)
    expect(await rowOf(pointer)).toMatchObject({
      state: 'delivered',
      sessions_ended: 2,
      delivered_at: START,
      attempts: 2,
    })
  })
})

describe('one delivery, one send', () => {
  test('FAULT-16 the same message twice in a batch, twice at once, and once more', async () => {
    const [pointer] = await tenant.event([await tenant.receiver()])
    await Promise.all([run(world, [pointer, pointer]), run(world, [pointer])])
    expect(acknowledged(await run(world, [pointer]))).toBe(true)
    expect(world.sent).toHaveLength(1)
    expect(await rowOf(pointer)).toMatchObject({ state: 'delivered', attempts: 1 })
  })

  test('a message that comes early is sent anew for when it is due', async () => {
    const { pointer, row } = await attemptOnce(
      () => new Response('', { status: 503, headers: { 'retry-after': '20' } }),
    )
    world.answer(() => new Response())
    world.clock.now = START + 5_000
    expect(acknowledged(await run(world, [pointer]))).toBe(true)
    expect(world.queued.at(-1)).toEqual({ body: pointer, delaySeconds: 15 })
    expect(world.sent).toHaveLength(1)
    world.clock.now = (row.next_attempt_at ?? 0) - 400
    await run(world, [pointer])
    expect(await rowOf(pointer)).toMatchObject({ state: 'delivered', attempts: 2 })
  })

  test('two receivers of one event do not depend on each other', async () => {
    const [good, bad] = [await tenant.receiver(), await tenant.receiver()]
    const pointers = await tenant.event([good, bad])
    world.answer(({ url }) => new Response('', { status: url.includes(good) ? 200 : 500 }))
    await run(world, pointers)
    expect(await rowOf(pointers[0])).toMatchObject({ state: 'delivered' })
    expect(await rowOf(pointers[1])).toMatchObject({ state: 'retrying' })
  })

  test('a pointer of one tenant reaches nothing of another', async () => {
    const other = await newTenant(world)
    const [pointer] = await other.event([await other.receiver()])
    const messages = await run(world, [{ ...pointer, tenantId: tenant.tenantId }])
    expect(acknowledged(messages)).toBe(true)
    expect(world.sent).toEqual([])
    expect(await rowOf(pointer)).toMatchObject({ state: 'pending', attempts: 0 })
  })

  test('FAULT-2 a consumer that died is waited for, then replaced by the sweep', async () => {
    const [pointer] = await tenant.event([await tenant.receiver()])
    if (!pointer) throw new Error('no delivery')
    const [claim] = await claimDeliveries(tenant.database, [pointer], START, LEASE)
    expect(claim?.kind).toBe('claimed')
    const { lease_until, wake_at } = await rowOf(pointer)
    expect(lease_until).toBe(START + 20_000)
    expect(wake_at).toBe(START + 21_000)
    world.clock.now = START + 19_999
    await run(world, [pointer])
    await sweep(world.service)
    expect([world.sent, world.queued]).toEqual([[], []])
    world.clock.now = START + 21_000
    await sweep(world.service)
    expect(world.queued).toEqual([{ body: pointer }])
    await run(world, [pointer])
    expect(await rowOf(pointer)).toMatchObject({ state: 'delivered', attempts: 2 })
  })

  test('the lease is as long as the receiver’s own time-out, within bounds', async () => {
    for (const [timeoutSeconds, lease] of [
      [3, 8_000],
      [900, 30_000],
    ] as const) {
      const [pointer] = await tenant.event([await tenant.receiver({ retry: { timeoutSeconds } })])
      if (pointer) await claimDeliveries(tenant.database, [pointer], START, LEASE)
      expect((await rowOf(pointer)).lease_until).toBe(START + lease)
    }
  })
})

describe('results that come late', () => {
  const failure = {
    kind: 'retrying',
    status: 500,
    error: 'answered 500',
    nextAttemptAt: START + 60_000,
  } as const
  const success = { kind: 'delivered', status: 200, at: START + 50_000, sessionsEnded: null } as const

  /** A first attempt whose consumer is slower than its lease, and the second one that overtakes it. */
  async function overtaken() {
    const [pointer] = await tenant.event([await tenant.receiver()])
    if (!pointer) throw new Error('no delivery')
    const attempts = []
    for (const now of [START, START + 40_000]) {
      const [claim] = await claimDeliveries(tenant.database, [pointer], now, LEASE)
      if (claim?.kind !== 'claimed') throw new Error('not claimed')
      attempts.push(claim.attempt)
    }
    const [first, second] = attempts
    if (!first || !second) throw new Error('no attempts')
    const record = async (attempt: typeof first, result: Parameters<typeof recordResult>[1]) => {
      await tenant.database.batch(recordResult(attempt, result))
      return rowOf(pointer)
    }
    return { pointer, first, second, record }
  }

  test('a failure of before does not undo a success', async () => {
    const { first, second, record } = await overtaken()
    await record(second, success)
    expect(await record(first, failure)).toMatchObject({ state: 'delivered', last_status: 200 })
  })

  test('a failure of before does not end the lease of the next attempt', async () => {
    const { first, record } = await overtaken()
    const { lease_until } = await record(first, failure)
    expect(lease_until).toBe(START + 60_000)
  })

  test('a success of before counts', async () => {
    const { first, second, record } = await overtaken()
    expect(await record(first, success)).toMatchObject({ state: 'delivered' })
    expect(await record(second, failure)).toMatchObject({ state: 'delivered' })
  })

  test('no result of before a replay counts', async () => {
    const { pointer, first, second, record } = await overtaken()
    await tenant.database.batch([replayDelivery(tenant.tenantId, 1, pointer.receiverId, START + 41_000)])
    for (const [attempt, result] of [
      [first, success],
      [second, failure],
      [second, success],
    ] as const)
      expect(await record(attempt, result)).toMatchObject({
        state: 'pending',
        next_attempt_at: START + 41_000,
      })
  })
})

describe('a receiver that hangs', () => {
  test('FAULT-18 holds up neither its batch nor the next; its time-out is recorded', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const [hanging, good] = [await tenant.receiver(), await tenant.receiver()]
    const calls: string[] = []
    const called = Promise.withResolvers<void>()
    world.answer(({ url, init }) => {
      calls.push(url.includes(hanging) ? 'hanging' : 'good')
      if (calls.length === 2) called.resolve()
      if (!url.includes(hanging)) return new Response()
      return new Promise((_, reject) =>
        init.signal?.addEventListener('abort', () => reject(new Error('aborted'))),
      )
    })
    const pointers = await tenant.event([hanging, good])
    const ctx = createExecutionContext()
    const { batch, messages } = batchOf(pointers)
    const done = vi.fn()
    const consumed = consume(batch, world.service, ctx, async () => undefined).then(done)
    await called.promise
    expect(done).not.toHaveBeenCalled()
    await vi.advanceTimersByTimeAsync(25)
    await consumed
    expect(acknowledged(messages)).toBe(true)
    await vi.advanceTimersByTimeAsync(175)
    await vi.waitFor(async () => expect(await rowOf(pointers[1])).toMatchObject({ state: 'delivered' }))
    expect(await rowOf(pointers[0])).toMatchObject({
      state: 'pending',
      attempts: 1,
      lease_until: START + 20_000,
    })

    const next = await tenant.event([hanging, good])
    const second = createExecutionContext()
    const again = consume(batchOf(next).batch, world.service, second, async () => undefined)
    await vi.waitFor(() => expect(calls).toHaveLength(4))
    await vi.advanceTimersByTimeAsync(200)
    await again

    world.clock.now += 15_000
    await vi.advanceTimersByTimeAsync(15_000)
    await Promise.all([ctx, second].map(waitOnExecutionContext))
    for (const pointer of [pointers[0], next[0]])
      expect(await rowOf(pointer)).toMatchObject({ state: 'retrying', last_error: 'no answer within 15 s' })
    expect(await rowOf(next[1])).toMatchObject({ state: 'delivered' })
  })

  test('leaves a lane to the others of its batch; what waits for it too long takes its next attempt', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const [hanging, good] = [await tenant.receiver(), await tenant.receiver()]
    const hung = []
    for (let n = 0; n < 8; n++) hung.push(...(await tenant.event([hanging])))
    const [other] = await tenant.event([good])
    let calls = 0
    world.answer(({ url, init }) => {
      if (url.includes(good)) return new Response()
      calls++
      return new Promise((_, reject) =>
        init.signal?.addEventListener('abort', () => reject(new Error('aborted'))),
      )
    })
    const ctx = createExecutionContext()
    const consumed = consume(batchOf([...hung, other]).batch, world.service, ctx, async () => undefined)
    await vi.waitFor(() => expect(calls).toBe(5))
    await vi.advanceTimersByTimeAsync(200)
    await consumed
    await vi.waitFor(async () => expect(await rowOf(other)).toMatchObject({ state: 'delivered' }))
    expect(calls).toBe(5)
    world.clock.now += 15_000
    await vi.advanceTimersByTimeAsync(15_000)
    await waitOnExecutionContext(ctx)
    expect(calls).toBe(5)
    const errors = await Promise.all(hung.map(async pointer => (await rowOf(pointer)).last_error))
    expect(errors.filter(error => error === 'no answer within 15 s')).toHaveLength(5)
    expect(errors.filter(error => error?.startsWith('not sent: earlier deliveries'))).toHaveLength(3)
  })
})

describe('the schedule', () => {
  test('FAULT-19 of twelve attempts ends in dead, and a replay starts it anew with the same bytes', async () => {
    const { pointer, receiverId } = await attemptOnce(() => new Response('', { status: 500 }))
    for (const [failed, seconds] of DEFAULT_SCHEDULE.entries()) {
      const { state, attempts, next_attempt_at } = await rowOf(pointer)
      expect({ state, attempts }).toEqual({ state: 'retrying', attempts: failed + 1 })
      const wait = ((next_attempt_at ?? 0) - world.clock.now) / 1000
      expect(wait).toBeGreaterThanOrEqual(seconds * 0.9)
      expect(wait).toBeLessThanOrEqual(seconds * 1.1 + 0.001)
      world.clock.now = next_attempt_at ?? 0
      await run(world, [pointer])
    }
    expect(await rowOf(pointer)).toMatchObject({
      state: 'dead',
      attempts: 12,
      last_error: 'answered 500',
      next_attempt_at: null,
      lease_until: null,
      wake_at: null,
    })
    expect(world.queued).toHaveLength(11)
    expect(logged()).toContain('delivery-dead')

    const [replayed] = await tenant.database.batch([
      replayDelivery(tenant.tenantId, 1, receiverId, world.clock.now),
    ])
    expect(deliveryKeys(tenant.tenantId, replayed?.rows ?? [])).toEqual([pointer])
    expect(await rowOf(pointer)).toMatchObject({ state: 'pending', attempts: 12, attempts_before: 12 })
    await run(world, [pointer])
    expect(await rowOf(pointer)).toMatchObject({ state: 'retrying', attempts: 13 })
    expect((await rowOf(pointer)).next_attempt_at).toBeLessThanOrEqual(world.clock.now + 1_100)
    expect(new Set(world.sent.map(({ body }) => body)).size).toBe(1)
    expect(new Set(world.sent.map(({ headers }) => headers.get('webhook-id'))).size).toBe(1)
  })

  test('may be the receiver’s own', async () => {
    const { row, pointer } = await attemptOnce(() => new Response('', { status: 500 }), {
      retry: { schedule: [100] },
    })
    expect(row.next_attempt_at).toBeGreaterThanOrEqual(START + 90_000)
    world.clock.now = row.next_attempt_at ?? 0
    await run(world, [pointer])
    expect(await rowOf(pointer)).toMatchObject({ state: 'dead', attempts: 2 })
  })
})

describe('the queue', () => {
  const pointers = (count: number): DeliveryPointer[] =>
    Array.from({ length: count }, (_, i) => ({ tenantId: tenant.tenantId, sequence: i + 1, receiverId: 'r' }))

  test('gets at most a hundred messages a call, and at most twenty calls', async () => {
    await publish(world.service, pointers(250))
    expect(world.queue.sendBatch.mock.calls.map(([requests]) => [...requests].length)).toEqual([100, 100, 50])
    expect(world.queued.map(call => call.body)).toEqual(pointers(250))
    await publish(world.service, pointers(5_000))
    expect(world.queue.sendBatch).toHaveBeenCalledTimes(23)
    await publish(world.service, [])
    expect(world.queue.sendBatch).toHaveBeenCalledTimes(23)
  })

  test('FAULT-12 may refuse twice', async () => {
    const refuse = new Error('Queue is overloaded')
    world.queue.sendBatch.mockRejectedValueOnce(refuse).mockRejectedValueOnce(refuse)
    vi.useFakeTimers({ toFake: ['setTimeout'] })
    const published = publish(world.service, pointers(3))
    await vi.advanceTimersByTimeAsync(1_100)
    await published
    expect(world.queued).toHaveLength(3)
  })

  test('FAULT-12 may refuse for good: nobody is told but the log, and the sweep delivers', async () => {
    const [pointer] = await tenant.event([await tenant.receiver()])
    world.queue.sendBatch.mockRejectedValue(new Error('Queue is overloaded'))
    vi.useFakeTimers({ toFake: ['setTimeout'] })
    const published = publish(world.service, pointer ? [pointer] : [])
    await vi.advanceTimersByTimeAsync(1_100)
    await published
    vi.useRealTimers()
    expect(logged()).toContain('queue-refused')

    world.queue.sendBatch.mockImplementation(async requests => void world.queued.push(...requests))
    world.clock.now = START + WAKE_AFTER_MS - 1
    await sweep(world.service)
    expect(world.queued).toEqual([])
    world.clock.now = START + WAKE_AFTER_MS
    await sweep(world.service)
    expect(world.queued).toEqual([{ body: pointer }])
    await sweep(world.service)
    expect(world.queued).toHaveLength(1)
    await run(world, [pointer])
    expect(await rowOf(pointer)).toMatchObject({ state: 'delivered', wake_at: null })
    world.clock.now = START + 3_600_000
    await sweep(world.service)
    expect(world.queued).toHaveLength(1)
  })

  test('FAULT-13 may lose the wake-up call of a retry, or the sweep’s own', async () => {
    const { pointer, row } = await attemptOnce(() => new Response('', { status: 500 }))
    world.queued.length = 0
    world.clock.now = row.wake_at ?? 0
    await sweep(world.service)
    world.clock.now += 59_999
    await sweep(world.service)
    expect(world.queued).toEqual([{ body: pointer }])
    world.clock.now += 1
    await sweep(world.service)
    expect(world.queued).toHaveLength(2)
  })

  test('FAULT-12 may refuse the wake-up call of a retry without changing its result', async () => {
    world.queue.sendBatch.mockRejectedValue(new Error('Queue is overloaded'))
    const { row, messages } = await attemptOnce(() => new Response('', { status: 500 }))
    expect(row.state).toBe('retrying')
    expect(acknowledged(messages)).toBe(true)
  })

  test('FAULT-14 may bring rubbish', async () => {
    const [pointer] = await tenant.event([await tenant.receiver()])
    const rubbish = [
      null,
      'ada@example.com',
      7,
      {},
      { tenantId: 't' },
      { ...pointer, sequence: '1' },
      { ...pointer, tenantId: 7 },
    ]
    const unknown = [
      { ...pointer, sequence: 99 },
      { tenantId: 'nobody', sequence: 1, receiverId: 'x' },
    ]
    const messages = await run(world, [...rubbish, ...unknown, pointer])
    expect(acknowledged(messages)).toBe(true)
    expect(logged().match(/no-pointer/g)).toHaveLength(rubbish.length)
    expect(logged()).not.toContain('ada')
    expect(await rowOf(pointer)).toMatchObject({ state: 'delivered' })
  })

  test('may bring the step of a job, which fails or not', async () => {
    const job = { tenantId: tenant.tenantId, jobId: 'j1' }
    const step = vi.fn(async () => undefined)
    expect(acknowledged(await run(world, [job], step))).toBe(true)
    expect(step).toHaveBeenCalledExactlyOnceWith(job)
    const [message] = await run(world, [job], () => Promise.reject(new Error('D1 is away')))
    expect(message?.retry).toHaveBeenCalledExactlyOnceWith({ delaySeconds: 5 })
  })

  test('FAULT-15 may give up: the delivery is dead and says so, unless it is done', async () => {
    const receiverId = await tenant.receiver()
    const [lost] = await tenant.event([receiverId])
    const [done] = await tenant.event([receiverId])
    await run(world, [done])
    const { batch } = batchOf([lost, done, { tenantId: tenant.tenantId, jobId: 'j' }, 'rubbish'])
    await buryDeadLetters(batch, world.service)
    expect(await rowOf(lost)).toMatchObject({
      state: 'dead',
      last_error: 'the queue gave up after 21 attempts',
      wake_at: null,
    })
    expect(await rowOf(done)).toMatchObject({ state: 'delivered' })
  })
})

describe('D1', () => {
  test('is asked once for a tenant’s share of a batch, and told once what came of it', async () => {
    const other = await newTenant(world)
    const receivers = [await tenant.receiver(), await tenant.receiver(), await tenant.receiver()]
    const pointers = [...(await tenant.event(receivers)), ...(await other.event([await other.receiver()]))]
    const roundTrips = world.countRoundTrips()
    await run(world, pointers)
    expect(world.sent).toHaveLength(4)
    expect(roundTrips).toHaveBeenCalledTimes(4)
  })

  test('reads the rows of the batch, however many others there are', async () => {
    const receiverId = await tenant.receiver()
    const [pointer] = await tenant.event([receiverId])
    await env.DB.prepare(
      `WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)
        INSERT INTO deliveries (tenant_id, sequence, receiver_id, event_id, state, attempts, attempts_before, occurred_at, next_attempt_at)
        SELECT ?, i, ?, 'e', 'pending', 0, 0, 0, 0 FROM n`,
    )
      .bind(tenant.tenantId, receiverId)
      .run()
    const rowsRead: number[] = []
    const batch = env.DB.batch.bind(env.DB)
    vi.spyOn(env.DB, 'batch').mockImplementation(async statements => {
      const results = await batch(statements)
      rowsRead.push(...results.map(result => result.meta.rows_read))
      return results as never
    })
    await run(world, [pointer])
    expect(Math.max(...rowsRead)).toBeLessThan(20)
  })

  test('FAULT-9 away: the messages come back later, and nothing is lost', async () => {
    const [pointer] = await tenant.event([await tenant.receiver()])
    const away = vi.spyOn(env.DB, 'batch').mockRejectedValue(new Error('D1_ERROR: away'))
    const dead = batchOf([pointer])
    const waits = [1, 3, 20].map(async attempts => {
      const { batch, messages } = batchOf([pointer], attempts)
      await consume(batch, world.service, createExecutionContext(), async () => undefined)
      return messages[0]?.retry.mock.calls
    })
    await buryDeadLetters(dead.batch, world.service)
    expect(await Promise.all(waits)).toEqual([5, 20, 600].map(delaySeconds => [[{ delaySeconds }]]))
    expect(dead.messages[0]?.retry).toHaveBeenCalledOnce()
    away.mockRestore()
    expect(world.sent).toEqual([])
    expect(acknowledged(await run(world, [pointer]))).toBe(true)
    expect(await rowOf(pointer)).toMatchObject({ state: 'delivered' })
  })

  test('FAULT-10 away when the result is to be written down: sent again after the lease, rather than lost', async () => {
    const [pointer] = await tenant.event([await tenant.receiver()])
    world.answer(() => {
      vi.spyOn(env.DB, 'batch').mockRejectedValue(new Error('D1_ERROR: away'))
      return new Response()
    })
    await run(world, [pointer])
    vi.mocked(env.DB.batch).mockRestore()
    world.answer(() => new Response())
    world.queued.length = 0
    world.clock.now += 35_000
    await sweep(world.service)
    expect(world.queued).toEqual([{ body: pointer }])
    await run(world, [pointer])
    expect(world.sent).toHaveLength(2)
    expect(await rowOf(pointer)).toMatchObject({ state: 'delivered', attempts: 2 })
  })
})

describe('the operator', () => {
  test('pauses a receiver and resumes it: nothing is sent meanwhile, nothing is lost', async () => {
    const { tenantId, database } = tenant
    const { pointer, receiverId } = await attemptOnce(() => new Response('', { status: 500 }))
    const [fresh] = await tenant.event([receiverId])
    await env.DB.prepare(`UPDATE receivers SET status = 'paused' WHERE id = ?`).bind(receiverId).run()
    await database.batch([pauseReceiver(tenantId, receiverId)])
    world.clock.now += 86_400_000
    await sweep(world.service)
    expect(acknowledged(await run(world, [pointer, fresh]))).toBe(true)
    expect(world.sent).toHaveLength(1)
    expect(await rowOf(pointer)).toMatchObject({ state: 'retrying', wake_at: null })

    await env.DB.prepare(`UPDATE receivers SET status = 'active' WHERE id = ?`).bind(receiverId).run()
    const [resumed] = await database.batch([resumeReceiver(tenantId, receiverId, world.clock.now)])
    expect(deliveryKeys(tenantId, resumed?.rows ?? [])).toEqual([pointer, fresh])
    expect(await rowOf(fresh)).toMatchObject({ wake_at: world.clock.now + WAKE_AFTER_MS })
    world.answer(() => new Response())
    await run(world, [pointer, fresh])
    for (const each of [pointer, fresh]) expect(await rowOf(each)).toMatchObject({ state: 'delivered' })
  })

  test('resumes even what was due much later', async () => {
    const { pointer, receiverId } = await attemptOnce(
      () => new Response('', { status: 429, headers: { 'retry-after': '9000' } }),
    )
    await tenant.database.batch([resumeReceiver(tenant.tenantId, receiverId, world.clock.now)])
    world.answer(() => new Response())
    await run(world, [pointer])
    expect(await rowOf(pointer)).toMatchObject({ state: 'delivered' })
  })

  test('a failure that ends while its receiver is being paused is not woken up', async () => {
    const receiverId = await tenant.receiver()
    const [pointer] = await tenant.event([receiverId])
    world.answer(async () => {
      await env.DB.prepare(`UPDATE receivers SET status = 'paused' WHERE id = ?`).bind(receiverId).run()
      return new Response('', { status: 500 })
    })
    await run(world, [pointer])
    expect(await rowOf(pointer)).toMatchObject({ state: 'retrying', wake_at: null })
  })

  test('replays a range: what the receiver wants, and also what it never had', async () => {
    const { tenantId, database } = tenant
    const early = await tenant.receiver()
    for (const type of ['user.created', 'user.updated', 'user.deactivated', 'user.deleted'])
      await tenant.event([early], type)
    const late = await tenant.receiver({ events: ['user.deactivated', 'user.deleted', 'user.created'] })
    const outcomes = await database.batch([replayRange(tenantId, late, 2, 9, START)])
    const keys = deliveryKeys(tenantId, outcomes[0]?.rows ?? [])
    expect(keys.map(key => key.sequence)).toEqual([3, 4])
    await run(world, keys)
    expect(await rowOf(keys[0])).toMatchObject({ state: 'delivered', attempts: 1 })
    world.clock.now += 1_000
    await database.batch([replayRange(tenantId, late, 3, 3, world.clock.now)])
    expect(await rowOf(keys[0])).toMatchObject({ state: 'pending', attempts: 1, attempts_before: 1 })
    expect(await rowOf(keys[1])).toMatchObject({ state: 'delivered' })
    const [foreign] = await database.batch([replayRange(tenantId, 'unknown', 1, 9, START)])
    expect(foreign?.rows).toEqual([])
  })

  test('cannot replay what is unknown, or another tenant’s', async () => {
    const other = await newTenant(world)
    const receiverId = await other.receiver()
    await other.event([receiverId])
    for (const [sequence, id] of [
      [1, receiverId],
      [1, 'unknown'],
    ] as const) {
      const [outcome] = await tenant.database.batch([replayDelivery(tenant.tenantId, sequence, id, START)])
      expect(outcome?.rows).toEqual([])
    }
  })

  test('deletes a receiver: what is outstanding is dead, and what was made meanwhile too', async () => {
    const receiverId = await tenant.receiver()
    const [before] = await tenant.event([receiverId])
    await tenant.database.batch([abandonReceiver(tenant.tenantId, receiverId, 'its receiver was deleted')])
    await env.DB.prepare('DELETE FROM receivers WHERE id = ?').bind(receiverId).run()
    const [meanwhile] = await tenant.event([receiverId])
    expect(acknowledged(await run(world, [meanwhile]))).toBe(true)
    expect(await rowOf(before)).toMatchObject({
      state: 'dead',
      last_error: 'its receiver was deleted',
      wake_at: null,
    })
    expect(await rowOf(meanwhile)).toMatchObject({ state: 'dead', wake_at: null })
    expect(world.sent).toEqual([])
  })
})

describe('the sweep', () => {
  test('wakes deliveries and jobs of all tenants, a thousand at a time, the oldest first', async () => {
    const many = await newTenant(world)
    await env.DB.prepare(
      `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1500)
        INSERT INTO deliveries (tenant_id, sequence, receiver_id, event_id, state, attempts, attempts_before, occurred_at, next_attempt_at, wake_at)
        SELECT ?, i, 'r', 'e', 'pending', 0, 0, 0, 0, ? - i FROM n`,
    )
      .bind(many.tenantId, START)
      .run()
    await env.DB.prepare(
      `INSERT INTO jobs (tenant_id, id, kind, position, done, total, created_at, wake_at)
        VALUES (?1, 'due', 'revoke-sessions', 0, 0, 9, 0, ?2), (?1, 'later', 'revoke-sessions', 0, 0, 9, 0, ?2 + 1), (?1, 'done', 'revoke-sessions', 0, 9, 9, 0, NULL)`,
    )
      .bind(tenant.tenantId, START)
      .run()
    expect(await sweep(world.service)).toEqual({ deliveries: 1_500, jobs: 1 })
    expect(world.queued[0]?.body).toEqual({ tenantId: tenant.tenantId, jobId: 'due' })
    const sequences = world.queued.slice(1).map(({ body }) => ('sequence' in body ? body.sequence : 0))
    expect(Math.min(...sequences.slice(0, 1_000))).toBe(501)
    expect(new Set(sequences).size).toBe(1_500)
  })

  test('reads only what is due', async () => {
    const plan = await env.DB.prepare(
      'EXPLAIN QUERY PLAN SELECT rowid FROM deliveries WHERE wake_at <= 1 ORDER BY wake_at LIMIT 1000',
    ).run<{ detail: string }>()
    expect(plan.results.map(row => row.detail)).toEqual([
      expect.stringContaining('due_deliveries (wake_at<?)'),
    ])
  })

  test('prunes activity by age, without looking at what stays', async () => {
    const days = (n: number) => START - n * 86_400_000
    await env.DB.prepare(
      `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 12000)
        INSERT INTO activity (tenant_id, id, at, outcome, method, path, status, tolerances, duration_ms)
        SELECT ?, i, iif(i <= 6000, ?, ?), 'ok', 'GET', '/', 200, '[]', 1 FROM n`,
    )
      .bind(tenant.tenantId, days(31), days(29))
      .run()
    expect(await prune(world.service)).toBe(6_000)
    expect(await prune(world.service)).toBe(0)
    const left = await env.DB.prepare('SELECT count(*) AS n, min(at) AS oldest FROM activity').first()
    expect(left).toEqual({ n: 6_000, oldest: days(29) })
  })

  test('prunes the members who did not come in thirty days, and their number', async () => {
    const before = START - 30 * 86_400_000
    await env.DB.prepare(
      `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 12000)
        INSERT INTO pending_members (tenant_id, group_id, value, folded, connection_id, version, created_at)
        SELECT ?1, 'g', i, i, 'c', 'v', iif(i <= 6000, ?2 - 1, ?2) FROM n`,
    )
      .bind(tenant.tenantId, before)
      .run()
    expect(await prune(world.service)).toBe(6_000)
    expect(await prune(world.service)).toBe(0)
    const left = await env.DB.prepare(
      'SELECT count(*) AS n, min(created_at) AS oldest FROM pending_members',
    ).first()
    expect(left).toEqual({ n: 6_000, oldest: before })
    const total = await env.DB.prepare('SELECT live FROM pending_totals WHERE tenant_id = ?')
      .bind(tenant.tenantId)
      .first()
    expect(total).toEqual({ live: 6_000 })
  })
})
