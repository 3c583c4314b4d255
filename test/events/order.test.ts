// Contract, Promise 3: a person's events come in their order, or the receiver can tell; and nothing late gives back
// access that was taken since.
import { env } from 'cloudflare:workers'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { DeliveryPointer } from '../../src/events/message'
import { acknowledged, newTenant, newWorld, rowOf, run, START, type World } from './world'

let world: World
let tenant: Awaited<ReturnType<typeof newTenant>>
let receiverId: string

beforeEach(async () => {
  vi.spyOn(console, 'log').mockImplementation(() => undefined)
  world = await newWorld()
  tenant = await newTenant(world)
  receiverId = await tenant.receiver()
})

afterEach(() => void vi.restoreAllMocks())

const deactivated = () => event('user.deactivated', { sessions: 'revoke_all' })
const reactivated = () => event('user.reactivated')

/** The person's next event, for the receiver. */
async function event(type: string, more: object = {}): Promise<DeliveryPointer> {
  const [pointer] = await tenant.event([receiverId], type, { user: { id: 'u1', active: true }, ...more })
  return pointer as DeliveryPointer
}

const refuse = () => world.answer(() => new Response(null, { status: 503 }))
const accept = () => world.answer(() => new Response(null, { status: 204 }))

/** Types and sequences, as they were sent. */
const sent = () =>
  world.sent.map(({ body }) => {
    const { type, data } = JSON.parse(body) as { type: string; data: { sequence: number } }
    return [type, data.sequence]
  })

describe('a reactivation behind a deactivation that the receiver has not taken', () => {
  test('waits, and says for what; it is told once the deactivation has been', async () => {
    const [first, second] = [await deactivated(), await reactivated()]
    refuse()
    await run(world, [first])
    world.clock.now += 100
    const messages = await run(world, [second])
    expect(sent()).toEqual([['user.deactivated', 1]])
    const { next_attempt_at: retry } = await rowOf(first)
    expect(await rowOf(second)).toMatchObject({
      state: 'pending',
      attempts: 0,
      last_error: 'it waits until an earlier event of the same person is told: 1',
      next_attempt_at: Number(retry) + 2_000,
      wake_at: Number(retry) + 7_000,
    })
    // Its message is not a failure that the queue could count: another one comes.
    expect(acknowledged(messages)).toBe(true)
    expect(world.queued.at(-1)).toEqual({ body: second, delaySeconds: expect.any(Number) })
    accept()
    world.clock.now = Number(retry)
    await run(world, [first])
    world.clock.now += 2_000
    await run(world, [second])
    expect(sent().slice(1)).toEqual([
      ['user.deactivated', 1],
      ['user.reactivated', 2],
    ])
    expect(await rowOf(second)).toMatchObject({ state: 'delivered', last_error: null })
  })

  test('in one batch they are told in their order', async () => {
    const pointers = [await deactivated(), await reactivated()]
    await run(world, pointers.toReversed())
    expect(sent()).toEqual([['user.deactivated', 1]])
    world.clock.now += 2_000
    await run(world, pointers)
    expect(sent()).toEqual([
      ['user.deactivated', 1],
      ['user.reactivated', 2],
    ])
  })

  test('does not wait for another receiver, for another person, or for what is dead', async () => {
    const other = await tenant.receiver()
    const [first] = await tenant.event([other])
    const second = await reactivated()
    await run(world, [second])
    expect(await rowOf(second)).toMatchObject({ state: 'delivered' })
    expect(await rowOf(first)).toMatchObject({ state: 'pending' })

    const third = await deactivated()
    await env.DB.prepare(`UPDATE events SET user_id = 'u2' WHERE tenant_id = ? AND sequence = ?`)
      .bind(tenant.tenantId, third.sequence)
      .run()
    const fourth = await reactivated()
    await run(world, [fourth])
    expect(await rowOf(fourth)).toMatchObject({ state: 'delivered' })

    const fifth = await deactivated()
    await env.DB.prepare(`UPDATE deliveries SET state = 'dead' WHERE tenant_id = ? AND sequence = ?`)
      .bind(tenant.tenantId, fifth.sequence)
      .run()
    const sixth = await reactivated()
    await run(world, [sixth])
    expect(await rowOf(sixth)).toMatchObject({ state: 'delivered' })
  })

  test('waits a quarter of an hour at most, and then the late deactivation says what has overtaken it', async () => {
    const [first, second] = [await deactivated(), await reactivated()]
    refuse()
    for (let minute = 0; minute < 16; minute++) {
      world.clock.now = START + minute * 60_000
      await run(world, [first, second])
    }
    accept()
    world.clock.now = START + 16 * 60_000
    await run(world, [second])
    expect(await rowOf(second)).toMatchObject({ state: 'delivered' })
    world.clock.now = Number((await rowOf(first)).next_attempt_at)
    await run(world, [first])
    const late = world.sent.at(-1)
    expect([sent().at(-1), late?.headers.get('scim-overtaken-by')]).toEqual([['user.deactivated', 1], '2'])
  })
})

describe('nothing waits before the end of sessions', () => {
  test.each(['user.deactivated', 'user.deleted', 'user.sessions_revoked'])(
    '%s goes out behind a user.updated and a reactivation that are being retried',
    async type => {
      const before = [await event('user.updated'), await reactivated()]
      refuse()
      await run(world, before)
      accept()
      const end = await event(type, { sessions: 'revoke_all' })
      await run(world, [end])
      expect(sent().at(-1)).toEqual([type, 3])
      expect(await rowOf(end)).toMatchObject({ state: 'delivered' })
    },
  )
})

describe('a reactivation that a later loss of access has overtaken', () => {
  test.each(['user.deactivated', 'user.deleted'])('is never sent after %s, and says so', async type => {
    const late = await reactivated()
    refuse()
    await run(world, [late])
    accept()
    const loss = await event(type, { sessions: 'revoke_all' })
    await run(world, [loss])
    world.clock.now = Number((await rowOf(late)).next_attempt_at)
    await run(world, [late])
    expect(sent()).toEqual([
      ['user.reactivated', 1],
      [type, 2],
    ])
    expect(await rowOf(late)).toMatchObject({
      state: 'dead',
      last_error: 'overtaken by event 2, which took the access again',
    })
  })

  test('is not sent either once access has come back: the later reactivation says that', async () => {
    const late = await reactivated()
    refuse()
    await run(world, [late])
    accept()
    const [loss, back] = [await deactivated(), await reactivated()]
    world.clock.now += 60_000
    await run(world, [loss])
    await run(world, [late, back])
    expect(sent().slice(1)).toEqual([
      ['user.deactivated', 2],
      ['user.reactivated', 3],
    ])
  })

  test('is sent where only sessions were ended, since access stayed', async () => {
    const late = await reactivated()
    refuse()
    await run(world, [late])
    accept()
    await run(world, [await event('user.sessions_revoked', { sessions: 'revoke_all' })])
    world.clock.now += 60_000
    await run(world, [late])
    expect(await rowOf(late)).toMatchObject({ state: 'delivered' })
  })
})

describe('every other late event', () => {
  test('is the same body under the same id, with the event that has overtaken it in a header', async () => {
    const late = await event('user.created')
    refuse()
    await run(world, [late])
    await run(world, [await deactivated()])
    accept()
    world.clock.now += 60_000
    await run(world, [late])
    const [first, , last] = world.sent
    expect(last?.body).toBe(first?.body)
    expect(last?.headers.get('webhook-id')).toBe(first?.headers.get('webhook-id'))
    expect(first?.headers.has('scim-overtaken-by')).toBe(false)
    expect(last?.headers.get('scim-overtaken-by')).toBe('2')
  })
})

test('costs the claim as many rows for somebody with a thousand events as for somebody with three', async () => {
  const costs: number[] = []
  for (const past of [3, 1_000]) {
    tenant = await newTenant(world)
    receiverId = await tenant.receiver()
    const pointers = [await deactivated(), await reactivated()]
    await env.DB.prepare(
      `WITH RECURSIVE n(i) AS (SELECT 10 UNION ALL SELECT i + 1 FROM n WHERE i < 10 + ?2)
        INSERT INTO events (tenant_id, sequence, id, type, txn, user_id, occurred_at, data)
        SELECT ?1, i, 'e' || i, 'user.updated', 't' || i, 'u1', 1, '{}' FROM n`,
    )
      .bind(tenant.tenantId, past)
      .run()
    let read = 0
    const batch = env.DB.batch.bind(env.DB)
    const watched = vi.spyOn(env.DB, 'batch').mockImplementation(async statements => {
      const results = await batch(statements)
      for (const { meta } of results) read += meta.rows_read
      return results as never
    })
    await run(world, pointers)
    watched.mockRestore()
    costs.push(read)
  }
  // A search reads one row beyond what it finds, if there is one.
  expect(Math.abs(Number(costs[1]) - Number(costs[0]))).toBeLessThan(5)
})
