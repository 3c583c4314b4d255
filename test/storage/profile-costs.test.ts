// What a profile costs each request: no further round trip, and the same rows in a tenant of a thousand users and in
// one of twenty thousand.
import { env } from 'cloudflare:workers'
import { beforeAll, describe, expect, test, vi } from 'vitest'
import type { Json, JsonObject } from '../../src/scim/json'
import { type Client, newClient, ORIGIN, type Reply, seedUsers, send, USER } from './world'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 120_000 })

const SMALL = 1_000
const LARGE = 20_000
const operator = { authorization: `Bearer ${env.ADMIN_TOKEN}`, 'content-type': 'application/json' }

function admin(method: string, path: string, body?: Json): Promise<Reply> {
  return send(method, `${ORIGIN}/admin/v1${path}`, operator, body)
}

const PROFILE: JsonObject = {
  user: {
    fields: [
      { field: 'login', source: 'userName', required: true },
      { field: 'team', source: 'title', values: ['Red', 'Blue'] },
    ],
    role: {
      source: 'roles.value',
      values: ['ADMIN', 'STANDARD'],
      default: 'STANDARD',
      privileged: ['ADMIN'],
    },
    onDelete: 'deactivate',
  },
  groups: { as: 'roles' },
}

describe('under a profile with roles, target groups and a mapping', () => {
  let small: Client
  let large: Client
  let staff: ReadonlyMap<Client, string>
  let n = 0

  const person = (more: JsonObject = {}): JsonObject => {
    const name = `p${++n}`
    const externalId = `x-${name}`
    return { schemas: [USER], userName: `${name}@example.com`, externalId, title: 'Red', ...more }
  }

  async function seeded(count: number, profile: string): Promise<Client> {
    const client = await newClient({ profile })
    await seedUsers(client, count)
    const at = `/tenants/${client.slug}`
    const put = await admin('PUT', `${at}/connections/${client.connectionId}/mapping`, {})
    expect(put.status).toBe(200)
    await client.user('first@example.com', { title: 'Red', roles: [{ value: 'STANDARD' }] })
    await client.rows(
      `UPDATE resources SET profile = json_object('login', id, 'team', 'Red'), role = 'STANDARD' WHERE tenant_id = ?`,
    )
    await client.rows(`UPDATE roles SET members = ?2 WHERE tenant_id = ?1 AND name = 'STANDARD'`, count + 1)
    return client
  }

  /** After the seeding, so that the job which reads everybody anew has nobody to move. */
  async function grouped(client: Client, count: number): Promise<void> {
    const { tenantId, connectionId } = client
    await client.rows(
      `INSERT INTO target_groups (tenant_id, id, name, managed, members, created_at) VALUES (?1, 'red', 'Red', 'rule', ?2, 1)`,
      count + 1,
    )
    await client.rows(`UPDATE resources SET target_group = 'red' WHERE tenant_id = ? AND type = 'User'`)
    const document = JSON.stringify({ fields: [], groupBy: { source: 'team' }, targetGroup: null })
    await client.rows('UPDATE mappings SET document = ?2 WHERE tenant_id = ?1', document)
    await env.DB.prepare('UPDATE tenants SET config_version = config_version + 1 WHERE tenant_id = ?')
      .bind(tenantId)
      .run()
    expect(connectionId).not.toBe('')
  }

  beforeAll(async () => {
    const name = `p-${crypto.randomUUID()}`
    expect((await admin('PUT', `/profiles/${name}`, { name, ...PROFILE })).status).toBe(201)
    small = await seeded(SMALL, name)
    large = await seeded(LARGE, name)
    // A search reads one row beyond what it finds, if there is one: the last tenant of the tables has none.
    const last = await seeded(10, name)
    const groups = new Map<Client, string>()
    for (const [client, count] of [
      [small, SMALL],
      [large, LARGE],
      [last, 10],
    ] as const) {
      await grouped(client, count)
      groups.set(client, await client.group('Staff', ['user-400', 'user-401'].slice(0, count > 100 ? 2 : 0)))
      await client.get('/Users?count=1')
    }
    staff = groups
  })

  async function compared(request: (client: Client) => Promise<Reply>, status: number): Promise<Reply> {
    const [a, b] = [await request(small), await request(large)]
    expect([a.status, b.status]).toEqual([status, status])
    // The neighbours in an index are other tenants' rows, or none.
    expect(Math.abs(b.wholeCost.rowsRead - a.wholeCost.rowsRead)).toBeLessThanOrEqual(10)
    return b
  }

  test('a create is one round trip', async () => {
    const reply = await compared(client => client.call('POST', '/Users', person()), 201)
    expect(reply.cost.calls).toBe(1)
    expect(reply.cost.rowsRead).toBeLessThanOrEqual(80)
  })

  test('a create that is refused for what the profile says is one', async () => {
    const reply = await compared(client => client.call('POST', '/Users', person({ title: 'Pink' })), 400)
    expect(reply.cost.calls).toBe(1)
  })

  test.each<[string, JsonObject]>([
    ['that moves to another target group', { op: 'replace', path: 'title', value: 'Blue' }],
    ['that gives a role', { op: 'add', path: 'roles', value: [{ value: 'ADMIN' }] }],
    ['that takes a privileged role', { op: 'remove', path: 'roles' }],
    ['that takes access', { op: 'replace', path: 'active', value: false }],
  ])('a change %s is two', async (_, operation) => {
    const reply = await compared(client => client.patch('/Users/user-500', operation), 200)
    expect(reply.cost.calls).toBe(2)
    expect(reply.cost.rowsRead).toBeLessThanOrEqual(120)
  })

  const member = (client: Client, operation: JsonObject) =>
    client.patch(`/Groups/${staff.get(client)}`, { path: 'members', ...operation })

  test('a change of who has a role by a group is two, and so is one that ends sessions', async () => {
    const value = [{ value: 'user-600' }]
    const come = await compared(client => member(client, { op: 'add', value }), 204)
    for (const client of [small, large])
      await admin('PUT', `/tenants/${client.slug}/roles/${staff.get(client)}`, { privileged: true })
    for (const client of [small, large]) await client.get('/Users?count=1')
    const go = await compared(client => member(client, { op: 'remove', value }), 204)
    expect([come.cost.calls, go.cost.calls]).toEqual([2, 2])
    expect(Math.max(come.cost.rowsRead, go.cost.rowsRead)).toBeLessThanOrEqual(200)
  })

  test('a DELETE that keeps the record is two, and so is the return', async () => {
    const gone = await compared(client => client.call('DELETE', '/Users/user-400'), 204)
    const back = await compared(
      client =>
        client.call('POST', '/Users', person({ userName: 'back@example.com', externalId: 'ext-400' })),
      201,
    )
    expect([gone.cost.calls, back.cost.calls]).toEqual([2, 2])
  })

  test.each([
    ['somebody', '/users/user-500'],
    ['a page', '/users?limit=50'],
    ['a page of a target group', '/users?limit=50&targetGroup=red'],
    ['a page of those with a role', '/users?limit=50&role=STANDARD'],
    ['a page of those with a role by a group', '/users?limit=50&role=Staff'],
    ['a page of those with a role in a target group', '/users?limit=50&role=STANDARD&targetGroup=red'],
    ['roles', '/roles'],
    ['target groups', '/target-groups'],
  ])('%s, as the application sees them, costs what is shown', async (_, path) => {
    const reply = await compared(({ slug }) => admin('GET', `/tenants/${slug}${path}`), 200)
    expect(reply.cost.rowsRead).toBeLessThanOrEqual(1_000)
  })
})
