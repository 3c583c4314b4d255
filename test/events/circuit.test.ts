// A receiver that fails again and again is left alone for a while: contract, Receivers, and that a dead one does not
// slow the others.
import { env } from 'cloudflare:workers'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { DeliveryPointer } from '../../src/events/message'
import { updateReceiver } from '../../src/storage/receiver-rows'
import { selectReceiver } from '../../src/storage/receivers'
import { newTenant, newWorld, rowOf, run, START, type World } from './world'

const SECOND = 1_000
const MINUTE = 60_000
/** Attempts enough, a second apart. */
const SCHEDULE = { schedule: Array.from({ length: 20 }, () => 1) }

let world: World
let tenant: Awaited<ReturnType<typeof newTenant>>
let log: string[]

beforeEach(async () => {
  log = []
  vi.spyOn(console, 'log').mockImplementation(line => void log.push(line))
  await env.DB.prepare('DELETE FROM deliveries').run()
  world = await newWorld()
  tenant = await newTenant(world)
})

afterEach(() => vi.restoreAllMocks())

const down = () => new Response('', { status: 500 })
const up = () => new Response()

async function receiverRow(id: string) {
  const [found] = await tenant.database.batch([selectReceiver(tenant.tenantId, id)])
  const { r_failures: failures, r_open_until: openUntil } = found?.rows[0] ?? {}
  return { failures, openUntil }
}

async function events(receiverId: string, count: number): Promise<DeliveryPointer[]> {
  const pointers: DeliveryPointer[] = []
  for (let n = 0; n < count; n++) pointers.push(...(await tenant.event([receiverId])))
  return pointers
}

/** Lets every one be tried so often, two seconds apart. */
async function tryAll(pointers: readonly DeliveryPointer[], rounds: number) {
  for (let round = 0; round < rounds; round++) {
    await run(world, pointers)
    world.clock.now += 2 * SECOND
  }
}

/** Five deliveries to a receiver that has failed for a minute: it is left alone from now on. */
async function leftAlone() {
  const receiverId = await tenant.receiver({ retry: SCHEDULE })
  const pointers = await events(receiverId, 5)
  world.answer(down)
  await tryAll(pointers, 2)
  world.clock.now = START + MINUTE
  await run(world, pointers)
  return { receiverId, pointers, openUntil: START + MINUTE + 30 * SECOND }
}

describe('the circuit', () => {
  test('opens after ten failures in a row, of three deliveries, over a minute: for half a minute', async () => {
    const { receiverId, openUntil } = await leftAlone()
    expect(await receiverRow(receiverId)).toEqual({ failures: 10, openUntil })
    expect(log.join()).toContain('receiver-left-alone')
  })

  test.each([
    ['within a minute', 5, MINUTE - 1],
    ['of two deliveries', 2, 10 * MINUTE],
  ])('does not open for failures %s', async (_, deliveries, after) => {
    const receiverId = await tenant.receiver({ retry: SCHEDULE })
    const pointers = await events(receiverId, deliveries)
    world.answer(down)
    await tryAll(pointers, 8)
    world.clock.now = START + after
    await run(world, pointers)
    expect(await receiverRow(receiverId)).toEqual({ failures: 10, openUntil: null })
    expect(world.sent).toHaveLength(9 * deliveries)
  })

  test('does not open for a receiver that answers now and then', async () => {
    const receiverId = await tenant.receiver({ retry: SCHEDULE })
    const pointers = await events(receiverId, 5)
    world.answer(down)
    await tryAll(pointers, 3)
    world.answer(up)
    await run(world, await tenant.event([receiverId]))
    expect(await receiverRow(receiverId)).toEqual({ failures: 0, openUntil: null })
    world.answer(down)
    world.clock.now = START + MINUTE
    await run(world, pointers)
    expect(await receiverRow(receiverId)).toEqual({ failures: 5, openUntil: null })
  })

  test('FAULT-19 sends nothing while it is open; the schedule of each delivery goes on', async () => {
    const { pointers, receiverId } = await leftAlone()
    const other = await tenant.receiver()
    const [fresh, elsewhere] = await tenant.event([receiverId, other])
    world.sent.length = 0
    world.clock.now += 2 * SECOND
    await run(world, [...pointers, fresh, elsewhere])
    expect(world.sent.map(({ url }) => url)).toEqual([`https://${other}.example/hook`])
    expect(await rowOf(fresh)).toMatchObject({ state: 'retrying', attempts: 1, last_status: null })
    const row = await rowOf(pointers[0])
    expect(row).toMatchObject({ state: 'retrying', attempts: 4 })
    expect(row.last_error).toContain('not sent')
    expect(row.next_attempt_at).toBeLessThanOrEqual(world.clock.now + 1_100)
  })

  test('FAULT-19 nothing is dead that was not tried at the end of its schedule', async () => {
    const { receiverId } = await leftAlone()
    await env.DB.prepare(`UPDATE receivers SET retry = '{"schedule":[1]}' WHERE id = ?`)
      .bind(receiverId)
      .run()
    const [pointer] = await tenant.event([receiverId])
    world.sent.length = 0
    await run(world, [pointer])
    expect(world.sent).toEqual([])
    world.clock.now += 2 * SECOND
    await run(world, [pointer])
    expect(world.sent).toHaveLength(1)
    expect(await rowOf(pointer)).toMatchObject({ state: 'dead', attempts: 2, last_error: 'answered 500' })
  })

  test('lets one probe through after the pause, and is open twice as long if that fails, up to ten minutes', async () => {
    const { receiverId, pointers, openUntil } = await leftAlone()
    const pauses: number[] = []
    let until = openUntil
    for (let probe = 0; probe < 7; probe++) {
      world.clock.now = until
      world.sent.length = 0
      await Promise.all([
        run(world, pointers.slice(0, 3)),
        run(world, pointers.slice(3)),
        run(world, pointers),
      ])
      expect(world.sent).toHaveLength(1)
      until = Number((await receiverRow(receiverId)).openUntil)
      pauses.push((until - world.clock.now) / SECOND)
    }
    expect(pauses).toEqual([60, 120, 240, 480, 600, 600, 600])
  })

  test('is tried by another when the probe is never heard of again', async () => {
    const { pointers, openUntil } = await leftAlone()
    world.clock.now = openUntil
    world.sent.length = 0
    world.answer(() => {
      vi.spyOn(env.DB, 'batch').mockRejectedValue(new Error('D1_ERROR: away'))
      return down()
    })
    await run(world, pointers.slice(0, 1))
    vi.mocked(env.DB.batch).mockRestore()
    world.answer(down)
    await run(world, pointers.slice(1))
    expect(world.sent).toHaveLength(1)
    world.clock.now += 35 * SECOND
    await run(world, pointers.slice(1))
    expect(world.sent).toHaveLength(2)
  })

  test('FAULT-19 a success closes it: all that waits is due at once, in order, and nothing is lost', async () => {
    const { receiverId, pointers, openUntil } = await leftAlone()
    await env.DB.prepare('UPDATE receivers SET retry = NULL WHERE id = ?').bind(receiverId).run()
    world.clock.now += 2 * SECOND
    await run(world, pointers.slice(1))
    world.clock.now = openUntil
    world.queued.length = 0
    world.answer(up)
    await run(world, pointers.slice(0, 1))
    expect(await receiverRow(receiverId)).toEqual({ failures: 0, openUntil: null })
    const due = world.queued.map(({ body }) => body)
    expect(due).toEqual(pointers.slice(1))
    await run(world, due)
    for (const pointer of pointers) expect(await rowOf(pointer)).toMatchObject({ state: 'delivered' })
  })

  test('the operator who resumes the receiver, or puts it elsewhere, closes it', async () => {
    for (const change of [{ status: 'active' }, { url: 'https://elsewhere.example/' }]) {
      const { receiverId } = await leftAlone()
      await tenant.database.batch([updateReceiver(tenant.tenantId, receiverId, change)])
      expect(await receiverRow(receiverId)).toEqual({ failures: 0, openUntil: null })
      world.clock.now = START
    }
  })

  test('is the receiver’s own: another tenant’s with the same id is not concerned', async () => {
    const { receiverId, openUntil } = await leftAlone()
    const other = await newTenant(world)
    await env.DB.prepare(
      `INSERT INTO receivers (tenant_id, id, kind, url, status, secret, created_at, failures, open_until)
        SELECT ?, id, kind, url, status, secret, created_at, 10, 1 FROM receivers WHERE id = ?`,
    )
      .bind(other.tenantId, receiverId)
      .run()
    world.answer(up)
    world.clock.now = openUntil
    await run(world, await tenant.event([receiverId]))
    const { results } = await env.DB.prepare(
      'SELECT open_until FROM receivers WHERE id = ? ORDER BY failures',
    )
      .bind(receiverId)
      .all()
    expect(results).toEqual([{ open_until: null }, { open_until: 1 }])
  })
})
