// Promise 1: a change, its events, their deliveries and its log row are one commit. Whatever fails of D1, at whichever
// statement or call, it leaves all of them or none, and the identity provider is told what it can rely on.
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
/** What a request is about: a request that changes nothing leaves them, whatever else it notes. */
const MATTERS = ['resources', 'members', 'events', 'deliveries']

/** What may have become of a request whose failure D1 has not explained. */
const UNKNOWN =
  /^An internal error; whether anything was changed is not known, so read before you send it again\. Its number is /
const BUSY = 'The service is busy; send the request again.'

/** What D1 says when it, or the way to it, is in trouble; and what the client is told then. */
const troubles = [
  ['D1_ERROR: Network connection lost.', 503, BUSY],
  ['D1_ERROR: D1 DB is overloaded. Requests queued for too long.', 503, BUSY],
  ['D1_ERROR: Cannot resolve D1 DB due to transient issue on remote node.', 503, BUSY],
  ['D1_ERROR: internal error; reference = 7c1f', 500, expect.stringMatching(UNKNOWN)],
] as const

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

async function whatMatters(client: Client): Promise<string> {
  const all = await Promise.all(
    MATTERS.map(table => client.rows(`SELECT * FROM ${table} WHERE tenant_id = ?`)),
  )
  return JSON.stringify(all, null, 1)
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

  test('FAULT-3 any statement fails: nothing of the request is stored', async () => {
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

  test('FAULT-4 any call does not come to D1: nothing of the request is stored', async () => {
    const rehearsal = await (await prepare(await clientWithReceiver()))()
    const client = await clientWithReceiver()
    const request = await prepare(client)
    const before = await everything(client)
    for (const batch of rehearsal.cost.batches.keys())
      for (const [message, told, detail] of troubles) {
        const { status: answered, headers, body } = await request({ batch, lost: 'question', message })
        expect([batch, answered, body.detail]).toEqual([batch, told, detail])
        expect(headers.get('retry-after')).toBe(told === 503 ? '2' : null)
        expect(await everything(client)).toBe(before)
      }
    expect((await request()).status).toBe(status)
  })

  test('FAULT-5 the answer of any call is lost: all is stored or nothing, and sending it again adds nothing', async () => {
    const rehearsal = await (await prepare(await clientWithReceiver()))()
    const last = rehearsal.cost.batches.length - 1
    for (const [i, [message, told, detail]] of troubles.entries()) {
      const client = await clientWithReceiver()
      const request = await prepare(client)
      const before = await everything(client)
      for (let batch = 0; batch < last; batch++) {
        expect((await request({ batch, lost: 'answer', message })).status).toBe(told)
        expect([i, batch, await everything(client)]).toEqual([i, batch, before])
      }
      const lost = await request({ batch: last, lost: 'answer', message })
      expect([lost.status, lost.body.detail]).toEqual([told, detail])
      const stored = await whatMatters(client)
      const seen = await rows(
        'SELECT count(*) AS n FROM deliveries WHERE tenant_id = ? AND event_id IN (SELECT id FROM events WHERE type IN (SELECT value FROM json_each(?)))',
        client.tenantId,
        JSON.stringify(types),
      )
      expect(seen[0]?.n).toBeGreaterThanOrEqual(types.length)
      expect(SENT_AGAIN[status]).toContain((await request()).status)
      expect(await whatMatters(client)).toBe(stored)
    }
  })
})

/** What the same request is answered once it has been carried out: it is there, or no change, or gone already. */
const SENT_AGAIN: Readonly<Record<number, readonly number[]>> = { 200: [200], 201: [409], 204: [204, 404] }

describe('Bulk', () => {
  const BULK = 'urn:ietf:params:scim:api:messages:2.0:BulkRequest'
  const EVENTS = ['user.created', 'user.deactivated', 'group.member_added', 'user.deleted']

  /** Four operations on four resources, each of which causes one event of its own type. */
  async function prepared() {
    const client = await clientWithReceiver()
    const [leaver, bob] = [await client.user('ann', ann), await client.user('bob')]
    const group = await client.group('Staff')
    const patch = (Operations: JsonObject[]) => ({ schemas: [PATCH_OP], Operations })
    const leave = patch([{ op: 'replace', path: 'active', value: false }])
    const join = patch([{ op: 'add', path: 'members', value: [{ value: leaver }] }])
    const Operations: JsonObject[] = [
      { method: 'POST', path: '/Users', bulkId: 'q', data: { schemas: [USER], userName: 'cleo' } },
      { method: 'PATCH', path: `/Users/${leaver}`, data: leave },
      { method: 'PATCH', path: `/Groups/${group}`, data: join },
      { method: 'DELETE', path: `/Users/${bob}` },
    ]
    const [mark] = await client.rows('SELECT max(sequence) AS last FROM events WHERE tenant_id = ?')
    return {
      request: (fault?: Fault) =>
        client.call('POST', '/Bulk', { schemas: [BULK], Operations }, fault ? { fault } : {}),
      /** Which of the operations have been carried out, by their events, each of which has its delivery. */
      async done(): Promise<boolean[]> {
        const told = await rows(
          `SELECT e.type AS type, d.receiver_id AS receiver FROM events e
            LEFT JOIN deliveries d ON d.tenant_id = e.tenant_id AND d.sequence = e.sequence
            WHERE e.tenant_id = ? AND e.sequence > ?`,
          client.tenantId,
          mark?.last,
        )
        expect(told.every(({ receiver }) => receiver === 'receiver-1')).toBe(true)
        return EVENTS.map(type => told.some(event => event.type === type))
      },
    }
  }

  const isDone = ({ status }: { status: string }) => Number(status) < 300

  test('FAULT-6 anything of D1 fails within a Bulk: each operation is done and says so, or is not and says so', async () => {
    const rehearsal = await (await prepared()).request()
    expect(rehearsal.body.Operations.map(isDone)).toEqual([true, true, true, true])
    const [message] = troubles[3]
    const faults = rehearsal.cost.batches.flatMap((statements, batch): Fault[] => [
      { batch, lost: 'question', message },
      ...[0, Math.floor(statements / 2), statements - 1].map(statement => ({ batch, statement })),
    ])
    expect(faults.length).toBeGreaterThan(25)
    for (const fault of faults) {
      const { request, done } = await prepared()
      const { status, body } = await request(fault)
      // Before the credential is known to be good, the request as a whole has failed.
      const told = fault.batch === 0 ? [false, false, false, false] : body.Operations.map(isDone)
      expect([fault, status]).toEqual([fault, fault.batch === 0 ? 500 : 200])
      expect([fault, await done()]).toEqual([fault, told])
      expect(told.filter((each: boolean) => each).length).toBe(fault.batch === 0 ? 0 : 3)
      await request()
      expect([fault, await done()]).toEqual([fault, [true, true, true, true]])
    }
  })

  test('FAULT-6 a lost answer within a Bulk is said to be unknown, and the others are done', async () => {
    const rehearsal = await (await prepared()).request()
    for (const batch of rehearsal.cost.batches.keys()) {
      if (batch === 0) continue
      const { request, done } = await prepared()
      const [message] = troubles[3]
      const { body } = await request({ batch, lost: 'answer', message })
      const failed = body.Operations.filter((each: { status: string }) => !isDone(each))
      expect(failed).toHaveLength(1)
      expect(failed[0]).toMatchObject({
        status: '500',
        response: { detail: expect.stringMatching(UNKNOWN) },
      })
      const before = await done()
      for (const [i, each] of body.Operations.entries()) if (isDone(each)) expect(before[i]).toBe(true)
      await request()
      expect(await done()).toEqual([true, true, true, true])
    }
  })
})

test('FAULT-7 what is only noted beside a write fails: its answer stands', async () => {
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

test('FAULT-5 an answer is lost: the log keeps what was stored, and the entries of other requests', async () => {
  const client = await clientWithReceiver()
  const path = `/Users/${await client.user('ann', ann)}`
  const leave = patching(path, { op: 'replace', path: 'active', value: false })(client)
  expect((await leave({ batch: 1, lost: 'answer', message: troubles[0][0] })).status).toBe(503)
  await client.get(path)
  const logged = async () =>
    client.rows('SELECT method, status FROM activity WHERE tenant_id = ? AND path = ? ORDER BY id', path)
  await vi.waitFor(
    async () =>
      expect(await logged()).toEqual([
        { method: 'PATCH', status: 200 },
        { method: 'GET', status: 200 },
      ]),
    { timeout: 10_000, interval: 100 },
  )
})
