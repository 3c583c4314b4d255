// Clocks that are set forward or back by hours: nothing is lost or told twice under two ids, what ended sessions stays
// in force, and what has a time is judged by the clock of the moment.
import { env } from 'cloudflare:workers'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { sweep } from '../../src/events/sweep'
import { claimDeliveries } from '../../src/storage/deliveries'
import { through } from '../contract/calls'
import {
  admin,
  newTenant as contractTenant,
  newUser,
  ORIGIN,
  type ScimEvent,
  withBindings,
} from '../contract/world'
import { newTenant, newWorld, rowOf, run, START, type World } from '../events/world'

const HOURS = 3_600_000
const LEASE = { defaultTimeoutSeconds: 15, maxTimeoutSeconds: 25 }

afterEach(() => void vi.restoreAllMocks())

describe('a delivery', () => {
  let world: World
  let tenant: Awaited<ReturnType<typeof newTenant>>

  beforeEach(async () => {
    vi.spyOn(console, 'log').mockImplementation(() => undefined)
    await env.DB.batch(['deliveries', 'jobs'].map(table => env.DB.prepare(`DELETE FROM ${table}`)))
    world = await newWorld()
    tenant = await newTenant(world)
  })

  async function delivery() {
    const [pointer] = await tenant.event([await tenant.receiver()])
    if (!pointer) throw new Error('no delivery')
    return pointer
  }

  const webhookIds = () => new Set(world.sent.map(({ headers }) => headers.get('webhook-id')))

  test('FAULT-27 the clock is set forward while a receiver is called: its lease is over, it is sent twice under one id and delivered once', async () => {
    const pointer = await delivery()
    const slow = Promise.withResolvers<Response>()
    const called = Promise.withResolvers<void>()
    world.answer(() => {
      called.resolve()
      return slow.promise
    })
    const first = run(world, [pointer])
    await called.promise
    world.clock.now += 5 * HOURS
    world.answer(() => Response.json({ sessionsEnded: 1 }))
    await sweep(world.service)
    expect(world.queued).toEqual([{ body: pointer }])
    await run(world, [pointer])
    slow.resolve(Response.json({ sessionsEnded: 2 }))
    await first
    expect([world.sent.length, webhookIds().size]).toEqual([2, 1])
    expect(await rowOf(pointer)).toMatchObject({ state: 'delivered', attempts: 2, sessions_ended: 1 })
  })

  test('FAULT-27 the clock is set forward between attempts: the next one comes early, and no attempt is left out', async () => {
    const pointer = await delivery()
    world.answer(() => new Response(null, { status: 500 }))
    for (let attempt = 1; attempt <= 4; attempt++) {
      await run(world, [pointer])
      expect(await rowOf(pointer)).toMatchObject({ state: 'retrying', attempts: attempt })
      world.clock.now += 5 * HOURS
    }
    world.answer(() => new Response())
    await run(world, [pointer])
    expect(await rowOf(pointer)).toMatchObject({ state: 'delivered', attempts: 5 })
  })

  test('FAULT-28 the clock is set back before the first attempt: the message that comes sends it at once', async () => {
    const pointer = await delivery()
    world.clock.now -= 5 * HOURS
    await run(world, [pointer])
    expect(await rowOf(pointer)).toMatchObject({ state: 'delivered', attempts: 1 })
    expect(world.sent).toHaveLength(1)
  })

  test('FAULT-28 the clock is set back under the lease of a consumer that died: the next message takes it over', async () => {
    const pointer = await delivery()
    await claimDeliveries(tenant.database, [pointer], START, LEASE)
    // Two machines differ by as much: such a lease is respected.
    world.clock.now = START - 60_000
    await run(world, [pointer])
    expect(world.sent).toEqual([])
    world.clock.now = START - 5 * HOURS
    await run(world, [pointer])
    expect(await rowOf(pointer)).toMatchObject({ state: 'delivered', attempts: 2 })
  })

  test('FAULT-28 the clock is set back between attempts: the retry waits as long, and is not lost', async () => {
    const pointer = await delivery()
    world.answer(() => new Response(null, { status: 500 }))
    await run(world, [pointer])
    world.clock.now -= 5 * HOURS
    await run(world, [pointer])
    expect(world.sent).toHaveLength(1)
    const wait = world.queued.at(-1)?.delaySeconds ?? 0
    expect(wait).toBeGreaterThan(4 * 3600)
    expect(wait).toBeLessThan(6 * 3600)
    world.answer(() => new Response())
    world.clock.now += wait * 1000
    await run(world, [pointer])
    expect(await rowOf(pointer)).toMatchObject({ state: 'delivered', attempts: 2 })
  })

  test('FAULT-28 the clock is set back before a reactivation is told: it still waits for the deactivation, and not for hours', async () => {
    const receiver = await tenant.receiver()
    const [left] = await tenant.event([receiver])
    const [back] = await tenant.event([receiver], 'user.reactivated', { user: { id: 'u1' } })
    world.clock.now -= 5 * HOURS
    await run(world, [back])
    expect(world.sent).toEqual([])
    await run(world, [left])
    world.clock.now += HOURS / 4
    await run(world, [back])
    expect(world.sent.map(({ body }) => JSON.parse(body).type)).toEqual([
      'user.deactivated',
      'user.reactivated',
    ])
  })

  test('FAULT-28 the clock is set back while a receiver is left alone: it is tried by the next message', async () => {
    const pointer = await delivery()
    const openUntil = START + 30_000
    await env.DB.prepare('UPDATE receivers SET failures = 10, failing_since = ?, open_until = ? WHERE id = ?')
      .bind(START - 60_000, openUntil, pointer.receiverId)
      .run()
    world.clock.now -= 5 * HOURS
    await run(world, [pointer])
    expect(await rowOf(pointer)).toMatchObject({ state: 'delivered', attempts: 1 })
  })
})

describe('a tenant', () => {
  /** The Worker's clock, `hours` from the real one. */
  function setClock(hours: number): void {
    vi.restoreAllMocks()
    const real = Date.now.bind(Date)
    vi.spyOn(Date, 'now').mockImplementation(() => real() + hours * HOURS)
  }

  test('FAULT-29 the clock is set forward and back: notBefore never falls, epochs and sequences go on, the feed misses nothing', async () => {
    const tenant = await contractTenant()
    const { scim } = tenant.connection
    const { value: key } = await admin<{ value: string }>('POST', `${tenant.at}/app-keys`, { name: 'app' })
    const fetch = withBindings({})
    const feed = async (query = '') => {
      const url = `${ORIGIN}/directory/v1${tenant.at}/revocations${query}`
      const reply = await fetch(new Request(url, { headers: { Authorization: `Bearer ${key}` } }))
      expect(reply.status).toBe(200)
      return (await reply.json()) as {
        items: { userId: string; notBefore: number; epoch: number }[]
        nextCursor: string
      }
    }
    const { id } = (await scim.post('/Users', newUser())).body
    const { id: other } = (await scim.post('/Users', newUser())).body
    const setActive = async (user: string, value: boolean) => {
      const { status } = await scim.patch(`/Users/${user}`, [{ op: 'replace', path: 'active', value }])
      expect(status).toBe(200)
    }
    let cursor = (await feed()).nextCursor
    const seen: { notBefore: number; epoch: number }[] = []
    for (const hours of [0, 5, -5, 0, -10, 1]) {
      setClock(hours)
      await setActive(id, false)
      await setActive(other, false)
      const page = await feed(`?since=${cursor}`)
      expect(page.items.map(({ userId }) => userId)).toEqual([id, other])
      cursor = page.nextCursor
      seen.push(...page.items.filter(({ userId }) => userId === id))
      await setActive(id, true)
      await setActive(other, true)
    }
    expect(seen.map(({ epoch }) => epoch)).toEqual([1, 2, 3, 4, 5, 6])
    const times = seen.map(({ notBefore }) => notBefore)
    expect(times).toEqual(times.toSorted((a, b) => a - b))
    // As far as the clock ever was.
    expect((times[5] ?? 0) - (times[0] ?? 0)).toBeGreaterThanOrEqual(5 * 3600)
    const events = await tenant.events()
    expect(events.map(({ sequence }) => sequence)).toEqual(events.map((_, i) => i + 1))
    const ofUser = events.filter(
      ({ userId, data }: ScimEvent) => userId === id && data.notBefore !== undefined,
    )
    const told = ofUser.map(({ data }) => data.notBefore)
    expect(told).toEqual(told.toSorted((a, b) => a - b))
  })

  test('FAULT-29 the clock is set back between two pages: the cursor goes on, and everybody is shown once', async () => {
    const tenant = await contractTenant()
    const { scim } = tenant.connection
    const ids: string[] = []
    for (const hours of [0, 3, -3, 0]) {
      setClock(hours)
      for (let i = 0; i < 2; i++) ids.push((await scim.post('/Users', newUser())).body.id)
    }
    const shown: string[] = []
    let cursor: unknown = ''
    for (let hours = 0; cursor !== undefined; hours -= 2) {
      setClock(hours)
      const { status, body } = await scim.get(`/Users?count=3&cursor=${cursor}`)
      expect(status).toBe(200)
      shown.push(...body.Resources.map(user => user.id))
      cursor = body.nextCursor
    }
    expect(shown).toEqual(ids)
  })

  test('FAULT-30 a token expires by the clock of the moment, and counts again when that is set right', async () => {
    const tenant = await contractTenant()
    const before = through(tenant, withBindings({}))
    await admin('POST', `${tenant.at}/connections/${tenant.connection.id}/tokens`, { overlapSeconds: 3600 })
    const statuses: number[] = []
    for (const hours of [0, 2, 0, -5]) {
      setClock(hours)
      statuses.push((await before.get('/Users?count=0')).status)
    }
    expect(statuses).toEqual([200, 401, 200, 200])
  })
})
