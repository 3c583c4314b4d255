// What each page of the console costs: as many round trips and rows in a tenant where much is and much has happened as
// in a small one.
import { env } from 'cloudflare:workers'
import { beforeAll, describe, expect, test, vi } from 'vitest'
import { type Client, type Cost, newClient, ORIGIN, open, seedUsers } from '../storage/world'
import { call } from './console-world'
import { newVisitor } from './visitor'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 180_000 })

/** More than a page of each in both. */
const SMALL = 1_000
const LARGE = 8_000
const USERS = 250_000
const IN_GROUP = 100_000
/** A row beyond what is looked for is read where there is one. */
const NEIGHBOURS = 12
const DAY = 86_400_000
/** What the quiet ones have. */
const FEW = 20

interface World {
  readonly client: Client
  readonly receiverId: string
  /** A large one of everybody. */
  readonly groupId: string
  /** Asked little and was told little, before all others. */
  readonly quiet: { readonly connectionId: string; readonly receiverId: string }
}

async function seeded(count: number, users = count, members = count): Promise<World> {
  const client = await newClient()
  const { slug, connectionId } = client
  const at = `/tenants/${slug}`
  await call('PUT', `${at}/connections/${connectionId}/mapping`, {})
  const receiver = await call('POST', `${at}/receivers`, { kind: 'webhook', url: 'https://r.example.com/' })
  const quiet = {
    connectionId: (await call('POST', `${at}/connections`, { name: 'Quiet', idp: 'okta' })).id,
    receiverId: (await call('POST', `${at}/receivers`, { kind: 'webhook', url: 'https://q.example.com/' }))
      .id,
  }
  await seedUsers(client, users)
  const groupId = await client.group('Staff')
  await client.rows(
    `INSERT INTO members (tenant_id, group_id, member_id, type, version)
      SELECT ?1, ?2, 'user-' || value, 'User', 'v' FROM json_each(?3)`,
    groupId,
    numbers(members),
  )
  const world = { client, receiverId: receiver.id, groupId, quiet }
  await happened(world, count)
  return world
}

function numbers(count: number): string {
  return JSON.stringify(Array.from({ length: count }, (_, i) => i + 1))
}

/** As many events, deliveries of each state and requests; a third of the events is one person's. */
async function happened({ client: { tenantId, connectionId }, receiverId, quiet }: World, count: number) {
  const { results } = await env.DB.prepare('SELECT max(sequence) AS last FROM events WHERE tenant_id = ?')
    .bind(tenantId)
    .all<{ last: number | null }>()
  const last = results[0]?.last ?? 0
  const list = numbers(count)
  const now = Date.now()
  const user = `iif(value % 3 = 0, 'user-1', 'user-' || value)`
  await env.DB.batch([
    env.DB.prepare(
      `INSERT INTO events (tenant_id, sequence, id, type, txn, user_id, connection_id, occurred_at, data, hash)
        SELECT ?1, ?2 + value, 'e' || value, iif(value % 2, 'user.deactivated', 'user.updated'), 'r' || value,
          ${user}, ?3, ?4 - value, '{"changed":["title"]}', 'h' FROM json_each(?5)`,
    ).bind(tenantId, last, connectionId, now - DAY, list),
    env.DB.prepare(
      `INSERT INTO deliveries (tenant_id, sequence, receiver_id, event_id, user_id, state, attempts, attempts_before,
          last_error, occurred_at, delivered_at)
        SELECT ?1, ?2 + value, iif(value <= ${FEW}, ?6, ?3), 'e' || value, ${user},
          json_array('dead', 'delivered', 'retrying', 'pending') ->> (value % 4), 1, 0, 'no', ?4, ?4
        FROM json_each(?5)`,
    ).bind(tenantId, last, receiverId, now - DAY, list, quiet.receiverId),
    env.DB.prepare(
      `INSERT INTO activity (tenant_id, id, at, outcome, connection_id, method, path, status, resource_id, tolerances,
          duration_ms)
        SELECT ?1, 'r' || value, ?2, json_array('ok', 'rejected', 'unauthorized', 'error') ->> (value % 4),
          iif(value <= ${FEW}, ?5, ?3), 'GET', '/Users', json_array(200, 400, 401, 500) ->> (value % 4),
          iif(value % 2, 'user-1', null), '[]', 1 FROM json_each(?4)`,
    ).bind(tenantId, now, connectionId, list, quiet.connectionId),
    env.DB.prepare(
      `INSERT INTO kill_times (tenant_id, hour, receiver_id, bucket, count)
        SELECT ?1, ?2 - value % 24, ?3, 10 + value % 20, 1 FROM json_each(?4) WHERE true
        ON CONFLICT DO UPDATE SET count = count + 1`,
    ).bind(tenantId, Math.floor(now / 3_600_000), receiverId, list),
    env.DB.prepare(
      `INSERT INTO tokens (tenant_id, id, connection_id, hash, hint, created_at, revoked_at)
        SELECT ?1, 'old-' || value, ?2, 'h' || value, 'aaaa', value, value FROM json_each(?3) WHERE value <= 1000`,
    ).bind(tenantId, connectionId, list),
    env.DB.prepare(
      `INSERT INTO target_groups (tenant_id, id, name, managed, members, created_at)
        SELECT ?1, 'g' || value, 'G' || value, 'operator', 0, 1 FROM json_each(?2) WHERE value <= 1000`,
    ).bind(tenantId, list),
    env.DB.prepare(
      `INSERT INTO roles (tenant_id, id, name, source, permissions, members)
        SELECT ?1, 'r' || value, 'R' || value, 'group', '[]', 0 FROM json_each(?2) WHERE value <= 5000`,
    ).bind(tenantId, list),
  ])
}

describe('a page costs the same however much there is', () => {
  let small: World
  let large: World
  let cookie: string

  beforeAll(async () => {
    small = await seeded(SMALL)
    large = await seeded(LARGE, USERS, IN_GROUP)
    // The last tenant of the tables.
    await seeded(SMALL)
    const visitor = newVisitor()
    await visitor.enter()
    cookie = [...visitor.jar].map(([name, value]) => `${name}=${value}`).join('; ')
  })

  async function visit(world: World, path: string): Promise<Cost> {
    const { slug, connectionId } = world.client
    const { receiverId, groupId, quiet } = world
    const filled = path
      .replace('$connection', connectionId)
      .replace('$receiver', receiverId)
      .replace('$group', groupId)
      .replace('$quiet-connection', quiet.connectionId)
      .replace('$quiet', quiet.receiverId)
    const { response, cost } = await open('GET', `${ORIGIN}/console/tenants/${slug}${filled}`, { cookie })
    await response.text()
    expect([path, response.status]).toEqual([path, 200])
    return cost()
  }

  test.each([
    ['', 5],
    ['/connections', 2],
    ['/connections/new', 1],
    ['/connections/$connection', 5],
    ['/connections/$connection/mapping', 5],
    ['/setup-links', 3],
    ['/people', 3],
    ['/people?q=user', 3],
    ['/people?q=u1%40example.com', 3],
    ['/people?q=ext-5', 3],
    ['/people?q=user-5', 3],
    ['/people?q=nobody', 3],
    ['/people?q=userName%20eq%20%22u5%40example.com%22', 3],
    ['/people/user-1', 6],
    ['/people/user-2', 6],
    ['/people/user-2/evidence', 8],
    ['/people?role=R1', 3],
    ['/people?role=R1&group=$group', 3],
    ['/people?targetGroup=g1', 3],
    ['/roles', 3],
    ['/target-groups', 2],
    ['/breaker', 2],
    ['/receivers', 3],
    ['/receivers/new?kind=webhook', 1],
    ['/receivers/$receiver', 4],
    ['/receivers/$quiet', 4],
    ['/deliveries', 3],
    ['/deliveries?state=dead', 3],
    ['/deliveries?receiverId=$receiver', 3],
    ['/deliveries?receiverId=$quiet', 3],
    ['/deliveries?state=dead&receiverId=$receiver', 3],
    ['/activity', 3],
    ['/activity?outcome=error', 3],
    ['/activity?outcome=error&connectionId=$connection', 3],
    ['/activity?outcome=error&connectionId=$quiet-connection', 3],
    ['/activity/r5', 3],
    ['/schemas', 2],
    ['/resource-types', 2],
    ['/app-keys', 2],
    ['/jobs', 2],
    ['/delete', 2],
  ])('%s: at most %i round trips', async (path, calls) => {
    await visit(small, path)
    await visit(large, path)
    const [a, b] = [await visit(small, path), await visit(large, path)]
    expect(b.calls).toBe(a.calls)
    expect(b.calls).toBeLessThanOrEqual(calls)
    expect(Math.abs(b.rowsRead - a.rowsRead)).toBeLessThanOrEqual(NEIGHBOURS)
    expect(b.rowsRead).toBeLessThanOrEqual(600)
  })

  test.each([
    ['', 'active eq false'],
    ['&group=$group', 'active eq false'],
    ['', 'userName co "nobody"'],
  ])('a search %s that no index answers ends after so many people, and goes on: %s', async (more, filter) => {
    const path = `/people?q=${encodeURIComponent(filter)}${more}`
    const { calls, rowsRead } = await visit(large, path)
    expect(calls).toBeLessThanOrEqual(5)
    // Each is looked at once, and twice it is found, from two lists in order, where that ends.
    expect(rowsRead).toBeGreaterThan(5_000)
    expect(rowsRead).toBeLessThanOrEqual(5_200 * 5 + 600)
  })

  test('the overview costs a round trip a tenant, whatever is in them', async () => {
    const { response, cost } = await open('GET', `${ORIGIN}/console`, { cookie })
    expect(response.status).toBe(200)
    const { calls, rowsRead } = cost()
    const tenants = 3
    expect(calls).toBeLessThanOrEqual(2 + tenants)
    expect(rowsRead).toBeLessThanOrEqual(tenants * 800)
  })
})
