// The alarm: an end of sessions that an active receiver has not taken in time is told once, to everybody else.
import { env } from 'cloudflare:workers'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { alarm } from '../../src/events/alarm'
import { replayDelivery, resumeReceiver } from '../../src/storage/deliveries'
import { newTenant, newWorld, rowOf, run, START, type World } from './world'

const MINUTE = 60_000

let world: World
let tenant: Awaited<ReturnType<typeof newTenant>>
let log: string[]

beforeEach(async () => {
  log = []
  vi.spyOn(console, 'log').mockImplementation(line => void log.push(line))
  // The alarm looks at all tenants.
  await env.DB.prepare('DELETE FROM deliveries').run()
  world = await newWorld()
  tenant = await newTenant(world)
})

afterEach(() => vi.restoreAllMocks())

async function alarms(tenantId = tenant.tenantId) {
  const { results } = await env.DB.prepare(
    `SELECT sequence, id, user_id, occurred_at, data FROM events WHERE tenant_id = ? AND type = 'delivery.overdue'
      ORDER BY sequence`,
  )
    .bind(tenantId)
    .all<{ sequence: number; id: string; user_id: string; occurred_at: number; data: string }>()
  return results.map(row => ({ ...row, data: JSON.parse(row.data) }))
}

async function overdue() {
  const row = await env.DB.prepare('SELECT total(overdue) AS n FROM delivery_totals WHERE tenant_id = ?')
    .bind(tenant.tenantId)
    .first<{ n: number }>()
  return row?.n
}

/** A deactivation that the receiver has refused once. */
async function refused(receiverId: string) {
  const [pointer] = await tenant.event([receiverId])
  world.answer(() => new Response('', { status: 503 }))
  await run(world, [pointer])
  return pointer
}

describe('delivery.overdue', () => {
  test('says after five minutes, and not before, which delivery, whose sessions and why', async () => {
    const late = await tenant.receiver()
    await refused(late)
    world.clock.now = START + 5 * MINUTE - 1
    expect(await alarm(world.service)).toBe(0)
    world.clock.now = START + 5 * MINUTE
    expect(await alarm(world.service)).toBe(1)
    const [raised] = await alarms()
    expect(raised).toMatchObject({ sequence: 2, user_id: 'u1', occurred_at: START + 5 * MINUTE })
    expect(raised?.data).toEqual({
      tenant: tenant.slug,
      connection: null,
      delivery: {
        receiverId: late,
        eventId: `evt_${tenant.tenantId}_1`,
        sequence: 1,
        type: 'user.deactivated',
        state: 'retrying',
        attempts: 1,
        lastStatus: 503,
        lastError: 'answered 503',
      },
      user: { id: 'u1', userName: 'ada@example.com' },
      minutes: 5,
    })
    expect(log.join()).toContain('delivery-overdue')
    expect(log.join()).not.toContain('ada')
    expect(await overdue()).toBe(1)
  })

  test('goes to the other receivers that want it, never to the one that is late', async () => {
    const late = await tenant.receiver()
    const other = await tenant.receiver()
    const wanting = await tenant.receiver({ events: ['delivery.overdue'] })
    await tenant.receiver({ events: ['user.deactivated'] })
    await refused(late)
    world.clock.now += 5 * MINUTE
    world.queued.length = 0
    await alarm(world.service)
    const told = world.queued.map(({ body }) => body)
    expect(told).toEqual(
      [other, wanting].sort().map(receiverId => ({ tenantId: tenant.tenantId, sequence: 2, receiverId })),
    )
    world.answer(() => new Response())
    await run(world, told)
    expect(world.sent.slice(1).map(({ body }) => JSON.parse(body).type)).toEqual([
      'delivery.overdue',
      'delivery.overdue',
    ])
  })

  test('is raised once, although runs overlap, and never about an alarm', async () => {
    const late = await tenant.receiver()
    const alsoLate = await tenant.receiver()
    await tenant.event([late, alsoLate])
    world.clock.now += 5 * MINUTE
    const raised = await Promise.all([1, 2, 3].map(() => alarm(world.service)))
    expect(raised.reduce((a, b) => a + b)).toBe(2)
    expect((await alarms()).map(({ data }) => data.delivery.receiverId).sort()).toEqual(
      [late, alsoLate].sort(),
    )
    // Each is told of the other, and takes neither.
    world.clock.now += 60 * MINUTE
    expect(await alarm(world.service)).toBe(0)
    expect(await alarms()).toHaveLength(2)
  })

  test('is raised by the next run when D1 fails, and a tenant that fails does not keep another waiting', async () => {
    const other = await newTenant(world)
    await tenant.event([await tenant.receiver()])
    await other.event([await other.receiver()])
    world.clock.now += 5 * MINUTE
    const batch = env.DB.batch.bind(env.DB)
    vi.spyOn(env.DB, 'batch').mockRejectedValueOnce(new Error('D1_ERROR: away')).mockImplementation(batch)
    expect(await alarm(world.service)).toBe(1)
    expect(log.join()).toContain('alarm-failed')
    expect(await alarm(world.service)).toBe(1)
    for (const { tenantId } of [tenant, other]) expect(await alarms(tenantId)).toHaveLength(1)
  })

  test('is not raised for what was taken in time, and is over once it is taken', async () => {
    const receiverId = await tenant.receiver()
    const [taken] = await tenant.event([receiverId])
    await run(world, [taken])
    expect(await rowOf(taken)).toMatchObject({ watch_from: null })
    const late = await refused(receiverId)
    world.clock.now += 5 * MINUTE
    expect(await alarm(world.service)).toBe(1)
    world.answer(() => new Response())
    await run(world, [late])
    expect(await rowOf(late)).toMatchObject({ state: 'delivered', overdue: 0 })
    expect(await overdue()).toBe(0)
  })

  test('is raised for what is dead, and not again when that is replayed', async () => {
    const receiverId = await tenant.receiver({ retry: { schedule: [] } })
    const pointer = await refused(receiverId)
    expect(await rowOf(pointer)).toMatchObject({ state: 'dead' })
    world.clock.now += 5 * MINUTE
    expect(await alarm(world.service)).toBe(1)
    await tenant.database.batch([replayDelivery(tenant.tenantId, 1, receiverId, world.clock.now)])
    world.clock.now += 5 * MINUTE
    expect(await alarm(world.service)).toBe(0)
    expect(await overdue()).toBe(1)
  })

  test('is not raised while the receiver is paused; five minutes after it is resumed it is', async () => {
    const receiverId = await tenant.receiver({ status: 'paused' })
    const { tenantId, database } = tenant
    await tenant.event([receiverId])
    world.clock.now += 60 * MINUTE
    expect(await alarm(world.service)).toBe(0)
    expect(await alarms()).toEqual([])
    await env.DB.prepare(`UPDATE receivers SET status = 'active' WHERE id = ?`).bind(receiverId).run()
    await database.batch([resumeReceiver(tenantId, receiverId, world.clock.now)])
    world.clock.now += 5 * MINUTE - 1
    expect(await alarm(world.service)).toBe(0)
    world.clock.now += 1
    expect(await alarm(world.service)).toBe(1)
  })

  test('can be switched off', async () => {
    await tenant.event([await tenant.receiver()])
    world.clock.now += 60 * MINUTE
    expect(await alarm({ ...world.service, alarmMinutes: 0 })).toBe(0)
    expect(await alarms()).toEqual([])
  })

  test('is found by an index of what waits, a thousand at a time', async () => {
    const receiverId = await tenant.receiver()
    await env.DB.prepare(
      `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1500)
        INSERT INTO deliveries (tenant_id, sequence, receiver_id, event_id, state, attempts, attempts_before, occurred_at, ends_sessions, watch_from)
        SELECT ?1, i, ?2, 'e', 'pending', 0, 0, ?3, 1, ?3 FROM n`,
    )
      .bind(tenant.tenantId, receiverId, START)
      .run()
    world.clock.now += 5 * MINUTE
    expect(await alarm(world.service)).toBe(1_500)
    const plan = await env.DB.prepare(
      'EXPLAIN QUERY PLAN SELECT sequence FROM deliveries WHERE watch_from <= 1 ORDER BY watch_from LIMIT 1000',
    ).run<{ detail: string }>()
    expect(plan.results.map(row => row.detail)).toEqual([
      expect.stringContaining('watched_deliveries (watch_from<?)'),
    ])
  })
})
