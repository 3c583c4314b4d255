// The contract's promises about delivery, kept by whole processes: kills, receivers that are down, slow or hostile.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  allItems,
  leaves,
  makeTenant,
  makeUsers,
  type Receiver,
  type Service,
  startReceiver,
  startService,
  type Tenant,
  until,
} from './world'

let service: Service
const receivers: Receiver[] = []

beforeAll(async () => {
  service = await startService()
})

afterAll(async () => {
  await Promise.all(receivers.map(receiver => receiver.close()))
  await service.kill()
})

async function receiver(port?: number): Promise<Receiver> {
  const started = await startReceiver(port)
  receivers.push(started)
  return started
}

describe('promise 2: every event reaches every receiver', () => {
  test('FAULT-19 of two receivers one is dead: the other gets everything, the dead one when it is back', async () => {
    const tenant = await makeTenant(service, 'two-receivers')
    const alive = await receiver()
    const dead = await receiver()
    await dead.close()
    const retry = { schedule: [1, 1, 1, 1, 1, 1, 1, 1, 1, 1], timeoutSeconds: 2 }
    await tenant.admin('POST', '/receivers', { kind: 'webhook', url: alive.url })
    const made = await tenant.admin('POST', '/receivers', { kind: 'webhook', url: dead.url, retry })
    const [id] = await makeUsers(tenant, 1)
    expect((await tenant.scim('PATCH', `/Users/${id}`, leaves)).status).toBe(200)
    await until('the living receiver has both events', () => alive.calls.length === 2)
    await until('the dead one is being retried', async () => {
      const { body } = await tenant.admin('GET', `/deliveries?state=retrying&receiverId=${made.body.id}`)
      return (body.items as unknown[]).length === 2
    })
    const back = await receiver(Number(new URL(dead.url).port))
    await until('the dead one has them too', () => new Set(back.calls.map(call => call.id)).size === 2)
    expect(alive.calls.map(call => call.type)).toEqual(['user.created', 'user.deactivated'])
    expect(new Set(back.calls.map(call => call.id))).toEqual(new Set(alive.calls.map(call => call.id)))
  })

  test('FAULT-18 promise 4: a receiver that hangs delays neither the identity provider nor another receiver', async () => {
    const tenant = await makeTenant(service, 'hanging')
    const good = await receiver()
    const hanging = await receiver()
    let released = 0
    hanging.answer = response => {
      setTimeout(() => {
        released++
        response.writeHead(204).end()
      }, 20_000).unref()
    }
    await tenant.admin('POST', '/receivers', {
      kind: 'webhook',
      url: hanging.url,
      retry: { schedule: [60], timeoutSeconds: 15 },
    })
    await tenant.admin('POST', '/receivers', { kind: 'webhook', url: good.url })
    const ids = await makeUsers(tenant, 10)
    for (const id of ids) expect((await tenant.scim('PATCH', `/Users/${id}`, leaves)).status).toBe(200)
    await until('the good receiver has all of it', () => good.calls.length === 20)
    expect(released).toBe(0)
    expect(hanging.calls.length).toBeGreaterThan(0)
  })

  test('FAULT-24 410 disables the receiver and ends what is outstanding; a redirect is a failure and is not followed', async () => {
    const tenant = await makeTenant(service, 'gone')
    const gone = await receiver()
    gone.answer = response => response.writeHead(410).end()
    const elsewhere = await receiver()
    const moved = await receiver()
    moved.answer = response => response.writeHead(307, { Location: elsewhere.url }).end()
    const first = await tenant.admin('POST', '/receivers', { kind: 'webhook', url: gone.url })
    const second = await tenant.admin('POST', '/receivers', {
      kind: 'webhook',
      url: moved.url,
      retry: { schedule: [1] },
    })
    await makeUsers(tenant, 1)
    await until('the receiver that is gone is disabled', async () => {
      const { body } = await tenant.admin('GET', `/receivers/${first.body.id}`)
      return body.status === 'disabled'
    })
    await until('the redirect has used up its attempts', async () => {
      const { body } = await tenant.admin('GET', `/deliveries?state=dead&receiverId=${second.body.id}`)
      return (body.items as unknown[]).length === 1
    })
    expect(elsewhere.calls).toEqual([])
    expect(moved.calls).toHaveLength(2)
    expect(new Set(moved.calls.map(call => call.id)).size).toBe(1)
    moved.answer = response => response.writeHead(200).end('{"sessionsEnded":3}')
    const [dead] = await allItems(
      tenant,
      `/deliveries?state=dead&receiverId=${second.body.id}`,
      service.origin,
    )
    expect((await tenant.admin('POST', `/deliveries/${dead?.id}/replay`)).status).toBe(202)
    await until('the replay is delivered with its receipt', async () => {
      const [item] = await allItems(tenant, `/deliveries?receiverId=${second.body.id}`, service.origin)
      return item?.state === 'delivered' && JSON.stringify(item.receipt) === '{"sessionsEnded":3}'
    })
  })
})

describe('promises 1 and 2 through a crash', () => {
  const LEAVERS = 500
  const AT_ONCE = 25
  const KILLED_AFTER = 200

  /** The provider's cycle: deactivates them, some at a time, and keeps who was confirmed. */
  async function deactivate(
    tenant: Tenant,
    ids: readonly string[],
    { origin, confirmed }: { origin: string; confirmed: Set<string> },
    onConfirmed: () => unknown = () => undefined,
  ): Promise<void> {
    const waiting = ids.values()
    const lane = async () => {
      for (const id of waiting) {
        const reply = await tenant.scim('PATCH', `/Users/${id}`, leaves, origin).catch(() => undefined)
        if (reply?.status === 200) confirmed.add(id)
        await onConfirmed()
      }
    }
    await Promise.all(Array.from({ length: AT_ONCE }, lane))
  }

  test('FAULT-1 kill -9 amid 500 deactivations: every 2xx is stored and delivered after the restart, nothing else', async () => {
    const place = await mkdtemp(join(tmpdir(), 'edge-scim-crash-'))
    const services = [await startService({ persistTo: place })]
    try {
      const [first] = services as [Service]
      const tenant = await makeTenant(first, 'crash')
      const hook = await receiver()
      await tenant.admin('POST', '/receivers', {
        kind: 'webhook',
        url: hook.url,
        events: ['user.deactivated'],
        // Leases are as long as that, and who is killed leaves some behind.
        retry: { schedule: Array(10).fill(1), timeoutSeconds: 2 },
      })
      const ids = await makeUsers(tenant, LEAVERS)
      const confirmed = new Set<string>()
      let killed: Promise<void> | undefined
      await deactivate(tenant, ids, { origin: first.origin, confirmed }, () => {
        if (confirmed.size >= KILLED_AFTER) killed ??= first.kill()
      })
      await killed
      expect(confirmed.size).toBeGreaterThanOrEqual(KILLED_AFTER)
      expect(confirmed.size).toBeLessThan(LEAVERS)

      const again = await startService({ persistTo: place })
      services.push(again)
      const { origin, sweep } = again
      const allDelivered = () =>
        until('the sweep has delivered what is outstanding', async () => {
          await sweep()
          const open = await Promise.all(
            ['pending', 'retrying'].map(state =>
              tenant.admin('GET', `/deliveries?limit=1&state=${state}`, undefined, origin),
            ),
          )
          return open.every(({ body }) => (body.items as unknown[]).length === 0)
        })
      await allDelivered()
      const events = await allItems(tenant, '/events?type=user.deactivated', origin)
      const stored = new Map(events.map(({ userId, id }) => [userId, id]))
      expect(events).toHaveLength(stored.size)
      expect([...confirmed].filter(id => !stored.has(id))).toEqual([])
      const { body } = await tenant.scim('GET', '/Users?count=1000&attributes=active', undefined, origin)
      const inactive = (body.Resources as { id: string; active: boolean }[]).filter(user => !user.active)
      expect(new Set(inactive.map(user => user.id))).toEqual(new Set(stored.keys()))
      expect(new Map(hook.calls.map(call => [call.userId, call.id]))).toEqual(stored)
      expect(new Set(hook.calls.map(call => call.body)).size).toBe(stored.size)

      // The provider's next cycle does what it was not told of.
      await deactivate(tenant, ids, { origin, confirmed })
      await allDelivered()
      expect(confirmed.size).toBe(LEAVERS)
      expect(new Set(hook.calls.map(call => call.userId)).size).toBe(LEAVERS)
      expect(new Set(hook.calls.map(call => call.id)).size).toBe(LEAVERS)
      expect(await allItems(tenant, '/deliveries?state=dead', origin)).toEqual([])
    } finally {
      await Promise.all(services.map(service => service.kill()))
      await rm(place, { recursive: true, force: true, maxRetries: 3 })
    }
  })
})
