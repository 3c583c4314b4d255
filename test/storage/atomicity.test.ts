// Promise 1: a change, its events, their deliveries and its log row are one commit. A crash at any statement of
// any batch leaves nothing of them, and the identity provider is not told that it went well.
import { describe, expect, test, vi } from 'vitest'
import type { JsonObject } from '../../src/scim/json'
import { type Client, type Fault, GROUP, newClient, PATCH_OP, type Reply, rows, USER } from './world'

vi.setConfig({ testTimeout: 60_000 })

const TABLES = [
  'resources',
  'lookups',
  'members',
  'pending_members',
  'pending_totals',
  'totals',
  'gaps',
  'events',
  'deliveries',
  'delivery_totals',
  'tokens',
]

/** Every row of the tenant; of the log, what a write has stored (refusals and reads are logged later). */
async function everything(client: Client): Promise<string> {
  const all = await Promise.all(
    TABLES.map(table => client.rows(`SELECT '${table}' AS t, * FROM ${table} WHERE tenant_id = ?`)),
  )
  const log = await client.rows(
    `SELECT * FROM activity WHERE tenant_id = ? AND status < 300 AND method <> 'GET'`,
  )
  return JSON.stringify([...all, log], null, 1)
}

async function clientWithReceiver(): Promise<Client> {
  const client = await newClient()
  await rows(
    `INSERT INTO receivers (tenant_id, id, kind, url, status, secret, created_at)
      VALUES (?, 'receiver-1', 'webhook', 'https://receiver.example.com', 'active', 'x', 1)`,
    client.tenantId,
  )
  return client
}

type Request = (fault?: Fault) => Promise<Reply>
type Prepare = (client: Client) => Promise<Request>

const ann = { externalId: 'ext-ann', emails: [{ value: 'ann@example.com' }] }

function patching(path: string, ...Operations: JsonObject[]): (client: Client) => Request {
  return client => fault =>
    client.call('PATCH', path, { schemas: [PATCH_OP], Operations }, fault ? { fault } : {})
}

const operations: readonly [string, number, readonly string[], Prepare][] = [
  [
    'POST of a user',
    201,
    ['user.created'],
    async client => fault =>
      client.call('POST', '/Users', { schemas: [USER], userName: 'ann', ...ann }, fault ? { fault } : {}),
  ],
  [
    'POST of a group with members',
    201,
    ['group.created', 'group.member_added'],
    async client => {
      const members = [{ value: await client.user('ann') }, { value: await client.user('bob') }]
      return fault =>
        client.call(
          'POST',
          '/Groups',
          { schemas: [GROUP], displayName: 'Staff', members },
          fault ? { fault } : {},
        )
    },
  ],
  [
    'POST of a user for whom groups wait',
    201,
    ['user.created', 'group.member_added', 'group.member_added'],
    async client => {
      await client.group('Staff', ['ext-ann'])
      await client.group('Crew', ['ANN'])
      return fault =>
        client.call('POST', '/Users', { schemas: [USER], userName: 'ann', ...ann }, fault ? { fault } : {})
    },
  ],
  [
    'PATCH of members who are not there, and one by name',
    204,
    ['group.member_added'],
    async client => {
      await client.user('ann', ann)
      const path = `/Groups/${await client.group('Staff', ['gone'])}`
      return patching(path, {
        op: 'replace',
        path: 'members',
        value: [{ value: 'ext-ann' }, { value: 'x' }],
      })(client)
    },
  ],
  [
    'PUT',
    200,
    ['user.updated'],
    async client => {
      const id = await client.user('ann', ann)
      const body = { schemas: [USER], userName: 'Anna', emails: [{ value: 'anna@example.com' }] }
      return fault => client.call('PUT', `/Users/${id}`, body, fault ? { fault } : {})
    },
  ],
  [
    'PATCH that ends sessions',
    200,
    ['user.deactivated', 'user.updated'],
    async client => {
      const path = `/Users/${await client.user('ann', ann)}`
      return patching(path, { op: 'replace', value: { active: false, title: 'Leaver', userName: 'left' } })(
        client,
      )
    },
  ],
  [
    'PATCH of members',
    204,
    ['group.member_removed', 'group.member_added'],
    async client => {
      const [a, b] = [await client.user('ann'), await client.user('bob')]
      const path = `/Groups/${await client.group('Staff', [a])}`
      return patching(path, { op: 'replace', path: 'members', value: [{ value: b }] })(client)
    },
  ],
  [
    'PATCH of members and a name',
    204,
    ['group.updated', 'group.member_added'],
    async client => {
      const a = await client.user('ann')
      const path = `/Groups/${await client.group('Staff')}`
      const name = { op: 'replace', path: 'displayName', value: 'Crew' }
      return patching(path, name, { op: 'add', path: 'members', value: [{ value: a }] })(client)
    },
  ],
  [
    'POST of a leaver who returns',
    201,
    ['user.reactivated'],
    async client => {
      await client.user('ann', { ...ann, active: false })
      return fault =>
        client.call('POST', '/Users', { schemas: [USER], userName: 'ann', ...ann }, fault ? { fault } : {})
    },
  ],
  [
    'DELETE of a user in groups',
    204,
    ['user.deleted'],
    async client => {
      const id = await client.user('ann', ann)
      await client.group('Staff', [id])
      await client.group('Crew', [id])
      return fault => client.call('DELETE', `/Users/${id}`, undefined, fault ? { fault } : {})
    },
  ],
  [
    'DELETE of a group',
    204,
    ['group.deleted'],
    async client => {
      const id = await client.group('Staff', [await client.user('ann')])
      return fault => client.call('DELETE', `/Groups/${id}`, undefined, fault ? { fault } : {})
    },
  ],
]

describe.each(operations)('%s', (_, status, types, prepare) => {
  test('stores all of it', async () => {
    const client = await clientWithReceiver()
    const request = await prepare(client)
    const [before] = await client.rows(
      'SELECT coalesce(max(sequence), 0) AS last FROM events WHERE tenant_id = ?',
    )
    expect((await request()).status).toBe(status)
    const events = await rows(
      'SELECT sequence, id, type, txn FROM events WHERE tenant_id = ? AND sequence > ? ORDER BY sequence',
      client.tenantId,
      before?.last,
    )
    expect(events.map(({ type }) => type)).toEqual(types)
    expect(new Set(events.map(({ txn }) => txn)).size).toBe(1)
    const deliveries = await rows(
      'SELECT sequence, event_id AS id FROM deliveries WHERE tenant_id = ? AND sequence > ? ORDER BY sequence',
      client.tenantId,
      before?.last,
    )
    expect(deliveries).toEqual(events.map(({ sequence, id }) => ({ sequence, id })))
    const log = await rows(
      'SELECT status FROM activity WHERE tenant_id = ? AND id = ?',
      client.tenantId,
      events[0]?.txn,
    )
    expect(log).toEqual([{ status }])
  })

  test('a crash at any statement stores nothing of it', async () => {
    const rehearsal = await (await prepare(await clientWithReceiver()))()
    const faults = rehearsal.cost.batches.flatMap((statements, batch) =>
      Array.from({ length: statements }, (_, statement) => ({ batch, statement })),
    )
    expect(faults.length).toBeGreaterThan(7)
    const client = await clientWithReceiver()
    const request = await prepare(client)
    const before = await everything(client)
    for (const fault of faults) {
      const reply = await request(fault)
      expect([fault, reply.status]).toEqual([fault, 500])
      expect(reply.body.schemas).toEqual(['urn:ietf:params:scim:api:messages:2.0:Error'])
      // Nothing of D1 or of the data in what the client reads.
      expect(reply.body.detail).toMatch(
        /^An internal error; nothing was changed\. Its number is [0-9a-f-]{36}\.$/,
      )
      expect([fault, await everything(client)]).toEqual([fault, before])
    }
    expect((await request()).status).toBe(status)
    expect(await everything(client)).not.toBe(before)
  })
})

test('what is only noted beside a write does not undo its answer', async () => {
  const client = await newClient({ fresh: true })
  const body = { schemas: [USER], userName: 'ann' }
  // The second batch notes the first use of the token; the user is stored by then.
  const reply = await client.call('POST', '/Users', body, { fault: { batch: 1, statement: 0 } })
  expect([reply.status, reply.cost.batches.length]).toEqual([201, 2])
  const used = async () =>
    (await client.rows('SELECT last_used_at AS at FROM tokens WHERE tenant_id = ?'))[0]?.at
  expect(await used()).toBe(null)
  await client.get(`/Users/${reply.body.id}`)
  expect(await used()).toBeGreaterThan(0)
})
