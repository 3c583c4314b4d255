// Sealing the chain of events: by the sweep, over all tenants, and by several at once.
import { env } from 'cloudflare:workers'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { GENESIS, sealAll, sealEvents } from '../../src/events/chain'
import { newTenant, newWorld, type World } from './world'

let world: World

beforeEach(async () => {
  await env.DB.prepare('DELETE FROM events').run()
  world = await newWorld()
})

afterEach(() => void vi.restoreAllMocks())

/** A tenant with as many events. */
async function withEvents(count: number) {
  const tenant = await newTenant(world)
  for (let i = 0; i < count; i++) await tenant.event([])
  return tenant
}

async function hashesOf({ tenantId }: { tenantId: string }): Promise<(string | null)[]> {
  const { results } = await env.DB.prepare('SELECT hash FROM events WHERE tenant_id = ? ORDER BY sequence')
    .bind(tenantId)
    .all<{ hash: string | null }>()
  return results.map(({ hash }) => hash)
}

describe('the sweep', () => {
  test('seals what nobody else has, in every tenant, and then finds nothing to do', async () => {
    const tenants = [await withEvents(3), await withEvents(1), await withEvents(2)]
    await sealAll(world.service)
    for (const tenant of tenants) expect(await hashesOf(tenant)).not.toContain(null)
    const asked = world.countRoundTrips()
    await sealAll(world.service)
    expect(asked).not.toHaveBeenCalled()
  })

  test('goes on where the chain ended: later events follow the head', async () => {
    const tenant = await withEvents(2)
    await sealAll(world.service)
    const before = await hashesOf(tenant)
    await tenant.event([])
    await sealAll(world.service)
    const after = await hashesOf(tenant)
    expect(after.slice(0, 2)).toEqual(before)
    expect(await sealEvents(tenant.database)).toEqual({ sequence: 3, hash: after[2] })
    expect(new Set([GENESIS, ...after]).size).toBe(4)
  })

  test('never throws: what D1 does not seal now is sealed by the next one', async () => {
    const tenant = await withEvents(1)
    const complained = vi.spyOn(console, 'error').mockImplementation(() => undefined)
    const away = vi.spyOn(env.DB, 'batch').mockRejectedValue(new Error('D1_ERROR: away'))
    await sealAll(world.service)
    expect(complained).toHaveBeenCalledOnce()
    away.mockRestore()
    await sealAll(world.service)
    expect(await hashesOf(tenant)).not.toContain(null)
  })
})

test('several at once make one chain', async () => {
  const [tenant, alone] = [await withEvents(5), await withEvents(0)]
  await Promise.all(Array.from({ length: 8 }, () => sealEvents(tenant.database)))
  const hashes = await hashesOf(tenant)
  expect(hashes).not.toContain(null)
  expect(await sealEvents(tenant.database)).toEqual({ sequence: 5, hash: hashes[4] })
  expect(await sealEvents(alone.database)).toBeUndefined()
})

test('two tenants with the same events have different hashes', async () => {
  const tenants = [await withEvents(1), await withEvents(1)]
  await sealAll(world.service)
  const [first, second] = await Promise.all(tenants.map(hashesOf))
  expect(first).not.toEqual(second)
})

test('a tenant that has gone gets no end of a chain', async () => {
  const tenant = await withEvents(1)
  await env.DB.prepare('DELETE FROM tenants WHERE tenant_id = ?').bind(tenant.tenantId).run()
  await sealEvents(tenant.database)
  const left = env.DB.prepare('SELECT count(*) AS n FROM event_chain WHERE tenant_id = ?')
  expect(await left.bind(tenant.tenantId).first('n')).toBe(0)
})
