// Kill times and the numbers of deliveries, as triggers keep them: exact in number, close in time, cheap to read.
import { env } from 'cloudflare:workers'
import { beforeEach, describe, expect, test } from 'vitest'
import { prune } from '../../src/events/sweep'
import {
  type Attempt,
  abandonReceiver,
  type Result,
  recordResult,
  replayDelivery,
  replayRange,
} from '../../src/storage/deliveries'
import {
  addHistograms,
  type KillTime,
  killTimeOf,
  readHistograms,
  selectKillTimes,
} from '../../src/storage/kill-times'
import { readDeliveryCounts, selectDeliveryCounts } from '../../src/storage/metrics-rows'
import { newTenant, newWorld, START, type World } from '../events/world'
import { seeded } from '../scim/generate'

const HOUR = 3_600_000

let world: World
let tenant: Awaited<ReturnType<typeof newTenant>>

beforeEach(async () => {
  world = await newWorld()
  tenant = await newTenant(world)
})

type Database = typeof tenant.database

async function histograms({ tenantId }: { tenantId: string }, database: Database, hours = 24, now = START) {
  const [found] = await database.batch([selectKillTimes(tenantId, hours, now)])
  return readHistograms(found?.rows ?? [])
}

const killTime = async (hours = 24, now = START): Promise<KillTime> =>
  killTimeOf(addHistograms((await histograms(tenant, tenant.database, hours, now)).values()))

async function counts() {
  const [found] = await tenant.database.batch([selectDeliveryCounts(tenant.tenantId)])
  return readDeliveryCounts(found?.rows[0] ?? {})
}

function attempt(receiverId: string, sequence = 1, number = 1): Attempt {
  return { tenantId: tenant.tenantId, sequence, receiverId, number, before: number - 1, answered: 0 }
}

const accepted = (at: number): Result => ({ kind: 'delivered', status: 204, at, sessionsEnded: null })

/** As many deliveries as times, each taken after its time; their events are not needed. */
async function acceptAfter(receiverId: string, times: readonly number[]) {
  await env.DB.prepare(
    `INSERT INTO deliveries (tenant_id, sequence, receiver_id, event_id, state, attempts, attempts_before, occurred_at, ends_sessions)
      SELECT ?1, key + 1000, ?2, 'e', 'pending', 0, 0, ?4 - value, 1 FROM json_each(?3)`,
  )
    .bind(tenant.tenantId, receiverId, JSON.stringify(times), START)
    .run()
  await env.DB.prepare(
    `UPDATE deliveries SET state = 'delivered', delivered_at = ?3 WHERE tenant_id = ?1 AND receiver_id = ?2`,
  )
    .bind(tenant.tenantId, receiverId, START)
    .run()
}

describe('kill time', () => {
  test.each([
    ['milliseconds', 1, 20],
    ['seconds', 100, 10_000],
    ['days', 1_000, 3 * 86_400_000],
  ])('percentiles of %s are within a tenth of the exact ones', async (_, least, most) => {
    const random = seeded(7)
    const times = Array.from({ length: 2_000 }, () => Math.round(least * (most / least) ** random()))
    await acceptAfter(await tenant.receiver(), times)
    times.sort((a, b) => a - b)
    const found = await killTime()
    expect(found.count).toBe(2_000)
    for (const [share, ms] of [
      [0.5, found.p50Ms],
      [0.95, found.p95Ms],
      [0.99, found.p99Ms],
    ] as const) {
      const exact = times[Math.ceil(share * times.length) - 1] ?? 0
      // Half a millisecond is what rounding takes.
      expect(Math.abs((ms ?? 0) - exact)).toBeLessThanOrEqual(exact * 0.1 + 0.5)
    }
  })

  test('is that of the first acceptance of an end of sessions, and of nothing else', async () => {
    const receiverId = await tenant.receiver()
    await tenant.event([receiverId])
    const { database, tenantId } = tenant
    await database.batch(recordResult(attempt(receiverId), accepted(START + 100)))
    expect(await killTime()).toMatchObject({ count: 1 })
    // Written down again, replayed, and made anew for a receiver that was not there.
    await database.batch(recordResult(attempt(receiverId), accepted(START + 100)))
    await database.batch([replayDelivery(tenantId, 1, receiverId, START + HOUR)])
    await database.batch(recordResult(attempt(receiverId), accepted(START + HOUR)))
    const late = await tenant.receiver()
    await database.batch([replayRange(tenantId, late, 1, 1, START + HOUR)])
    await database.batch(recordResult(attempt(late), accepted(START + HOUR)))
    expect(await killTime()).toMatchObject({ count: 1 })
    expect(await counts()).toMatchObject({ delivered: 2, pending: 0 })
  })

  test('an event that ends no session has none', async () => {
    const receiverId = await tenant.receiver()
    await tenant.event([receiverId])
    await env.DB.prepare('UPDATE deliveries SET ends_sessions = 0 WHERE tenant_id = ?')
      .bind(tenant.tenantId)
      .run()
    await tenant.database.batch(recordResult(attempt(receiverId), accepted(START + 100)))
    expect(await killTime()).toEqual({ count: 0, p50Ms: null, p95Ms: null, p99Ms: null })
  })

  test('is each receiver’s own, and each tenant’s', async () => {
    const [quick, slow] = [await tenant.receiver(), await tenant.receiver()]
    await acceptAfter(quick, [100, 100, 100])
    await acceptAfter(slow, [60_000])
    const other = await newTenant(world)
    const found = await histograms(tenant, tenant.database)
    expect(killTimeOf(found.get(quick) ?? new Map())).toMatchObject({ count: 3 })
    expect(killTimeOf(found.get(slow) ?? new Map()).p50Ms).toBeGreaterThan(54_000)
    expect((await histograms(other, other.database)).size).toBe(0)
  })

  test('is of the hours that are asked for', async () => {
    await acceptAfter(await tenant.receiver(), [100])
    expect(await killTime(1, START + HOUR)).toMatchObject({ count: 1 })
    expect(await killTime(1, START + 2 * HOUR)).toMatchObject({ count: 0 })
    expect(await killTime(2, START + 2 * HOUR)).toMatchObject({ count: 1 })
  })

  test('is read by few rows, however many there are', async () => {
    const random = seeded(3)
    await acceptAfter(
      await tenant.receiver(),
      Array.from({ length: 5_000 }, () => Math.round(10 + 10_000 * random())),
    )
    const { rows_read } = (
      await env.DB.prepare(
        'SELECT receiver_id, bucket, sum(count) FROM kill_times WHERE tenant_id = ? AND hour >= 0 GROUP BY 1, 2',
      )
        .bind(tenant.tenantId)
        .run()
    ).meta
    expect(rows_read).toBeLessThan(200)
  })

  test('is kept for ninety days', async () => {
    // The sweep looks at all tenants.
    await env.DB.prepare('DELETE FROM kill_times').run()
    await acceptAfter(await tenant.receiver(), [100, 200])
    const days = (n: number) => ({ ...world.service, now: () => START + n * 24 * HOUR })
    expect(await prune(days(90))).toBe(0)
    expect(await prune(days(91))).toBe(2)
    expect(await killTime()).toMatchObject({ count: 0 })
  })
})

test('deliveries are counted by state, whatever is done to them', async () => {
  const { tenantId, database } = tenant
  const random = seeded(11)
  const receivers = [await tenant.receiver(), await tenant.receiver(), await tenant.receiver()]
  for (let n = 0; n < 8; n++) await tenant.event(receivers)
  const results: Result[] = [
    accepted(START),
    { kind: 'retrying', status: 500, error: 'x', nextAttemptAt: START },
    { kind: 'dead', status: 500, error: 'x' },
  ]
  for (let n = 0; n < 120; n++) {
    const receiverId = receivers[Math.floor(random() * 3)] ?? ''
    const sequence = 1 + Math.floor(random() * 8)
    const result = results[Math.floor(random() * 4)]
    const row = await env.DB.prepare(
      'SELECT attempts FROM deliveries WHERE tenant_id = ? AND sequence = ? AND receiver_id = ?',
    )
      .bind(tenantId, sequence, receiverId)
      .first<{ attempts: number }>()
    const number = Number(row?.attempts) + 1
    await env.DB.prepare(
      'UPDATE deliveries SET attempts = ?2 WHERE tenant_id = ?1 AND sequence = ?3 AND receiver_id = ?4',
    )
      .bind(tenantId, number, sequence, receiverId)
      .run()
    await database.batch(
      result
        ? [...recordResult(attempt(receiverId, sequence, number), result)]
        : [replayDelivery(tenantId, sequence, receiverId, START)],
    )
  }
  await database.batch([abandonReceiver(tenantId, receivers[0] ?? '', 'gone')])
  const counted = await env.DB.prepare(
    `SELECT sum(state = 'pending') AS pending, sum(state = 'retrying') AS retrying, sum(state = 'delivered') AS delivered,
      sum(state = 'dead') AS dead, sum(overdue) AS overdue FROM deliveries WHERE tenant_id = ?`,
  )
    .bind(tenantId)
    .first()
  expect(await counts()).toEqual(counted)
})
