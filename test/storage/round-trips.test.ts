// What each request costs: how often it goes to D1, and how many rows that reads, in a tenant of a thousand users
// and in one of fifty thousand.
import { beforeAll, describe, expect, test, vi } from 'vitest'
import type { JsonObject } from '../../src/scim/json'
import { seeded as seededRandom } from '../scim/generate'
import {
  addGaps,
  type Client,
  ENTERPRISE,
  GROUP,
  newClient,
  PATCH_OP,
  type Reply,
  rows,
  seededIds,
  seedUsers,
  USER,
  unseedUsers,
} from './world'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 120_000 })

describe('round trips', () => {
  let client: Client
  let userId: string
  let groupId: string
  let n = 0
  const name = () => `name-${++n}@example.com`
  const userBody = (more: JsonObject = {}): JsonObject => ({ schemas: [USER], userName: name(), ...more })
  const patch = (operation: JsonObject): JsonObject => ({ schemas: [PATCH_OP], Operations: [operation] })

  beforeAll(async () => {
    client = await newClient()
    userId = await client.user('Ann', {
      externalId: 'ext-ann',
      displayName: 'Ann',
      emails: [{ value: 'ann@example.com', type: 'work' }],
    })
    groupId = await client.group('Staff', [userId])
  })

  test.each<[string, () => string]>([
    ['a user by id', () => `/Users/${userId}`],
    ['a group by id, with its members', () => `/Groups/${groupId}`],
    ['a list', () => '/Users'],
    ['a list of groups with members', () => '/Groups'],
    ['a page', () => '/Users?startIndex=2&count=10'],
    ...[
      'id eq "$"',
      'userName eq "ann"',
      'externalId eq "ext-ann"',
      'displayName eq "ANN"',
      'emails.value eq "ann@example.com"',
    ].map((filter): [string, () => string] => [
      filter,
      () => `/Users?filter=${encodeURIComponent(filter.replace('$', userId))}`,
    ]),
    ['groups of a user', () => `/Groups?filter=${encodeURIComponent(`members.value eq "${userId}"`)}`],
    [
      'reports of a manager',
      () => `/Users?filter=${encodeURIComponent(`${ENTERPRISE}:manager.value eq "${userId}"`)}`,
    ],
    ['a filter without an index', () => `/Users?filter=${encodeURIComponent('title co "x"')}`],
    ['ServiceProviderConfig', () => '/ServiceProviderConfig'],
    ['ResourceTypes', () => '/ResourceTypes'],
    ['Schemas', () => '/Schemas'],
  ])('a read is one: %s', async (_, path) => {
    const { status, cost, wholeCost } = await client.get(path())
    expect(status).toBe(200)
    expect(cost.calls).toBe(1)
    expect(wholeCost.calls).toBe(1)
  })

  test.each<[string, number, number, () => Promise<Reply>]>([
    ['POST of a user', 201, 1, () => client.call('POST', '/Users', userBody({ externalId: name() }))],
    [
      'POST of a user with a manager',
      201,
      1,
      () => client.call('POST', '/Users', userBody({ [ENTERPRISE]: { manager: { value: userId } } })),
    ],
    [
      'POST of a group with members',
      201,
      1,
      () =>
        client.call('POST', '/Groups', {
          schemas: [GROUP],
          displayName: name(),
          members: [{ value: userId }],
        }),
    ],
    ['PUT', 200, 2, () => client.call('PUT', `/Users/${userId}`, userBody({ externalId: 'ext-ann' }))],
    [
      'PATCH of a user',
      200,
      2,
      () => client.call('PATCH', `/Users/${userId}`, patch({ op: 'replace', path: 'title', value: name() })),
    ],
    [
      'POST of a taken name',
      409,
      1,
      () => client.call('POST', '/Users', userBody({ externalId: 'ext-ann' })),
    ],
    [
      'PUT of a taken name',
      409,
      2,
      async () =>
        client.call(
          'PUT',
          `/Users/${await client.user(name(), { externalId: name() })}`,
          userBody({ externalId: 'ext-ann' }),
        ),
    ],
    [
      'PATCH that ends sessions',
      200,
      2,
      () => client.call('PATCH', `/Users/${userId}`, patch({ op: 'replace', path: 'active', value: false })),
    ],
    [
      'PATCH of members',
      204,
      2,
      () => client.call('PATCH', `/Groups/${groupId}`, patch({ op: 'remove', path: 'members' })),
    ],
    [
      'PATCH of members and a name',
      204,
      2,
      async () =>
        client.call('PATCH', `/Groups/${groupId}`, {
          schemas: [PATCH_OP],
          Operations: [
            { op: 'add', path: 'members', value: [{ value: userId }] },
            { op: 'replace', path: 'displayName', value: name() },
          ],
        }),
    ],
    [
      'PATCH that changes nothing',
      200,
      1,
      () =>
        client.call(
          'PATCH',
          `/Users/${userId}`,
          patch({ op: 'replace', path: 'externalId', value: 'ext-ann' }),
        ),
    ],
    [
      'PATCH that adds who is there',
      204,
      2,
      () =>
        client.call(
          'PATCH',
          `/Groups/${groupId}`,
          patch({ op: 'add', path: 'members', value: [{ value: userId }] }),
        ),
    ],
    [
      'PATCH of nobody',
      404,
      1,
      () => client.call('PATCH', '/Users/nobody', patch({ op: 'replace', path: 'title', value: 'x' })),
    ],
    [
      'PATCH that is refused',
      400,
      1,
      () =>
        client.call('PATCH', `/Users/${userId}`, patch({ op: 'replace', path: 'active', value: 'perhaps' })),
    ],
    ['POST that is refused', 400, 1, () => client.call('POST', '/Users', { schemas: [USER] })],
    [
      'POST of a leaver who returns',
      201,
      2,
      () => client.call('POST', '/Users', userBody({ externalId: 'ext-ann', displayName: 'Ann' })),
    ],
    ['DELETE of a group', 204, 2, () => client.call('DELETE', `/Groups/${groupId}`)],
    ['DELETE of a user', 204, 2, () => client.call('DELETE', `/Users/${userId}`)],
  ])('%s answers %i in %i', async (_, status, calls, request) => {
    const reply = await request()
    expect([reply.status, reply.cost.calls]).toEqual([status, calls])
  })

  test('the first use of a token is one more, every other is not', async () => {
    const fresh = await newClient({ fresh: true })
    const costs = [await fresh.get('/Users'), await fresh.get('/Users')].map(({ cost }) => cost.calls)
    expect(costs).toEqual([2, 1])
    const writing = await newClient({ fresh: true })
    const written = await writing.call('POST', '/Users', userBody())
    expect([written.status, written.cost.calls]).toEqual([201, 2])
  })

  test("RFC-238 a write's log row is in its own batch, a read's comes after the reply", async () => {
    const own = await newClient()
    const logged = async (method: string) =>
      await own.rows(`SELECT status, resource_id FROM activity WHERE tenant_id = ? AND method = '${method}'`)
    const id = await own.user('ann')
    expect(await logged('POST')).toEqual([{ status: 201, resource_id: id }])
    await own.patch(`/Users/${id}`, { op: 'replace', path: 'title', value: 'x' })
    expect(await logged('PATCH')).toEqual([{ status: 200, resource_id: id }])
    await own.get(`/Users/${id}`)
    expect(await logged('GET')).toEqual([])
    await own.call('DELETE', `/Users/${id}`)
    expect(await logged('DELETE')).toEqual([{ status: 204, resource_id: id }])
  })
})

describe('rows read', () => {
  const SMALL = 1_000
  const LARGE = 50_000
  let small: Client
  let large: Client

  /** Groups of a hundred, three of them with user-400, and a past of as many events. */
  async function seeded(count: number): Promise<Client> {
    const client = await newClient()
    await seedUsers(client, count)
    for (let n = 0; n < 20; n++)
      await client.group(`Group ${n}`, n < 3 ? ['user-400'] : seededIds(110 + n * 10, 209 + n * 10))
    const past = JSON.stringify(Array.from({ length: count }, (_, i) => i + 1000))
    await rows(
      `INSERT INTO events (tenant_id, sequence, id, type, txn, user_id, occurred_at, data)
        SELECT ?1, value, 'past' || value, 'user.updated', 'txn' || value, 'user-' || (value % 50), 1, '{}' FROM json_each(?2)`,
      client.tenantId,
      past,
    )
    return client
  }

  beforeAll(async () => {
    small = await seeded(SMALL)
    large = await seeded(LARGE)
    // A search reads one row beyond what it finds, if there is one: the last tenant of the tables has none.
    await seeded(SMALL)
  })

  async function compared(request: (client: Client) => Promise<Reply>, items?: number): Promise<number> {
    const [a, b] = [await request(small), await request(large)]
    if (items !== undefined)
      expect([a.body.Resources.length, b.body.Resources.length]).toEqual([items, items])
    expect(b.wholeCost.rowsRead).toBe(a.wholeCost.rowsRead)
    return b.wholeCost.rowsRead
  }

  test.each<[string, string, number]>([
    ['/Users', 'id eq "user-500"', 10],
    ['/Users', 'userName eq "U500@example.com"', 12],
    ['/Users', 'externalId eq "ext-500"', 12],
    ['/Users', 'displayName eq "User 500"', 12],
    ['/Users', 'emails.value eq "mail500@example.com"', 12],
    ['/Users', 'emails eq "mail500@example.com"', 12],
    ['/Users', 'emails[value eq "mail500@example.com"]', 12],
    ['/Users', 'emails[type eq "work" and value eq "mail500@example.com"]', 12],
    ['/Users', 'emails[type eq "work"].value eq "mail500@example.com"', 12],
    ['/Users', 'userName eq "u500@example.com" and active eq true', 12],
    ['/Users', 'userName eq "u500@example.com" or externalId eq "ext-500"', 20],
    ['/Groups', 'displayName eq "Group 5"', 220],
  ])('%s %s', async (endpoint, filter, most) => {
    expect(await compared(client => client.filter(endpoint, filter), 1)).toBeLessThanOrEqual(most)
  })

  test('a user by id', async () => {
    expect(await compared(client => client.get('/Users/user-500'))).toBeLessThanOrEqual(6)
  })

  test('RFC-68 a page of those who have a manager: one search by key for each, when it is asked for', async () => {
    for (const client of [small, large])
      await client.rows(
        `UPDATE resources SET document = json_set(document, '$."${ENTERPRISE}"',
          json_object('manager', json_object('value', 'user-1')))
          WHERE tenant_id = ? AND type = 'User' AND serial BETWEEN 301 AND 350`,
      )
    const cost = (more: string) => compared(client => client.get(`/Users?startIndex=301&count=50${more}`), 50)
    const without = await cost('&attributes=userName')
    expect(await cost(`&excludedAttributes=groups,${ENTERPRISE}:manager`)).toBe(without)
    expect(await cost('&excludedAttributes=groups')).toBe(without + 50)
    const { body } = await small.get('/Users/user-301')
    expect(body[ENTERPRISE].manager).toMatchObject({ value: 'user-1', displayName: 'User 1' })
  })

  test('nobody', async () => {
    expect(await compared(client => client.filter('/Users', 'userName eq "nobody"'), 0)).toBeLessThanOrEqual(
      6,
    )
  })

  test('whoever is asked for first: one of a group, by name', async () => {
    const costs: number[] = []
    for (const order of [
      [0, 1],
      [1, 0],
    ])
      costs.push(
        await compared(async client => {
          const [group] = await client.rows(
            `SELECT id FROM resources WHERE tenant_id = ? AND document ->> '$.displayName' = 'Group 5'`,
          )
          const terms = [`groups.value eq "${group?.id}"`, 'userName eq "u200@example.com"']
          return client.filter('/Users', order.map(i => terms[i]).join(' and '))
        }, 1),
      )
    expect(Math.max(...costs)).toBeLessThanOrEqual(50)
  })

  test('who has changed since the last time', async () => {
    // The last ten: seedUsers gives each user a millisecond of its own.
    const since = (client: Client) => new Date((client === small ? SMALL : LARGE) - 10).toISOString()
    const request = (client: Client) => client.filter('/Users', `meta.lastModified gt "${since(client)}"`)
    expect(await compared(request, 10)).toBeLessThanOrEqual(40)
  })

  test('seven user names joined by or', async () => {
    const filter = [1, 2, 3, 4, 5, 6, 7].map(i => `userName eq "u${i}00@example.com"`).join(' or ')
    expect(await compared(client => client.filter('/Users', filter), 7)).toBeLessThanOrEqual(130)
  })

  test('RFC-86 the groups that somebody is in, without their members', async () => {
    const filter = 'members.value eq "user-400"'
    expect(
      await compared(client => client.filter('/Groups', filter, '&excludedAttributes=members'), 3),
    ).toBeLessThanOrEqual(40)
  })

  test('whether somebody is in a group', async () => {
    expect(
      await compared(async client => {
        const [group] = await client.rows(
          `SELECT id FROM resources WHERE tenant_id = ? AND type = 'Group' AND document ->> '$.displayName' = 'Group 5'`,
        )
        const filter = `id eq "${group?.id}" and members[value eq "user-200"]`
        return client.filter('/Groups', filter, '&excludedAttributes=members')
      }, 1),
    ).toBeLessThanOrEqual(30)
  })

  const page = (startIndex: number) => (client: Client) =>
    client.get(`/Users?count=100&startIndex=${startIndex}`)

  test('the first page, one in the middle and the last', async () => {
    const costs = [await compared(page(1), 100), await compared(page(501), 100)]
    const [end, farEnd] = [await page(SMALL - 99)(small), await page(LARGE - 99)(large)]
    const middle = await page(LARGE / 2)(large)
    for (const reply of [end, farEnd, middle]) expect(reply.body.Resources).toHaveLength(100)
    costs.push(end.cost.rowsRead, farEnd.cost.rowsRead, middle.cost.rowsRead)
    expect(Math.max(...costs)).toBe(Math.min(...costs))
    expect(costs[0]).toBeLessThanOrEqual(130)
  })

  describe('after deletions', () => {
    test('every startIndex shows what is at that place', async () => {
      const client = await newClient()
      await seedUsers(client, 1200)
      const random = seededRandom(4)
      // A whole block, both sides of a block's edge, the very first, the last, and a tenth of everything.
      const gone = new Set([1, 255, 256, 257, 1199, 1200, ...Array.from({ length: 256 }, (_, i) => 513 + i)])
      for (let n = 0; n < 120; n++) gone.add(1 + Math.floor(random() * 1200))
      await unseedUsers(
        client,
        [...gone].filter(n => n !== 257),
      )
      // One by the way everybody goes: the counters are kept by the operation.
      expect((await client.call('DELETE', '/Users/user-257')).status).toBe(204)
      const left = seededIds(1, 1200).filter((_, i) => !gone.has(i + 1))
      for (let startIndex = 1; startIndex <= left.length + 10; startIndex += 1 + Math.floor(random() * 12)) {
        const { body } = await client.get(`/Users?attributes=id&count=30&startIndex=${startIndex}`)
        expect([body.totalResults, body.startIndex]).toEqual([left.length, startIndex])
        expect((body.Resources ?? []).map((user: JsonObject) => user.id)).toEqual(
          left.slice(startIndex - 1, startIndex + 29),
        )
      }
    })

    test('with gaps everywhere, any place costs little, and the right users are there', async () => {
      // Five of each 256: every block of every size but the smallest has gaps.
      const gone = new Set(Array.from({ length: 980 }, (_, i) => 51 * i + 20))
      await unseedUsers(large, [...gone])
      const left = seededIds(1, LARGE).filter((_, i) => !gone.has(i + 1))
      for (const startIndex of [1, 64, 65, 4_014, 4_015, 4_016, 12_345, 25_001, 40_000, left.length - 99]) {
        const { body, cost } = await page(startIndex)(large)
        expect(body.Resources.map((user: JsonObject) => user.id)).toEqual(
          left.slice(startIndex - 1, startIndex + 99),
        )
        // Blocks of 64 in 4,096, and of 4,096 in all; each is read a few times; up to 64 rows are skipped.
        expect(cost.rowsRead).toBeLessThanOrEqual(700)
      }
    })

    test('beyond a quarter of a million', async () => {
      const client = await newClient()
      await seedUsers(client, 600)
      const before = 261_900
      await rows('UPDATE resources SET serial = serial + ?2 WHERE tenant_id = ?1', client.tenantId, before)
      await addGaps(client, [
        ...Array.from({ length: before }, (_, i) => i + 1),
        // Both sides of the largest block's edge, which is between user-244 and user-245.
        ...[240, 244, 245, 250].map(n => n + before),
      ])
      await rows(
        `DELETE FROM resources WHERE tenant_id = ? AND id IN ('user-240', 'user-244', 'user-245', 'user-250')`,
        client.tenantId,
      )
      const left = seededIds(1, 600).filter(id => !/-(240|244|245|250)$/.test(id))
      for (const startIndex of [1, 2, 64, 238, 239, 240, 241, 242, 243, 244, 245, 246, 247, 250, 300, 590]) {
        const { body, cost } = await client.get(`/Users?attributes=id&count=5&startIndex=${startIndex}`)
        expect(body.Resources.map((user: JsonObject) => user.id)).toEqual(
          left.slice(startIndex - 1, startIndex + 4),
        )
        expect(cost.rowsRead).toBeLessThanOrEqual(800)
      }
    })
  })

  let n = 0
  const fresh = () => `new-${n++}`
  const set = (path: string, value: string | boolean): JsonObject => ({ op: 'replace', path, value })
  test.each<[string, number, (client: Client) => Promise<Reply>]>([
    [
      'POST',
      38,
      client =>
        client.call('POST', '/Users', {
          schemas: [USER],
          userName: fresh(),
          externalId: fresh(),
          emails: [{ value: fresh() }],
        }),
    ],
    [
      'POST of a taken name',
      27,
      client => client.call('POST', '/Users', { schemas: [USER], userName: 'u700@example.com' }),
    ],
    ['PATCH', 20, client => client.patch('/Users/user-600', set('title', fresh()))],
    ['PATCH that ends sessions', 21, client => client.patch('/Users/user-601', set('active', false))],
    [
      'PUT',
      39,
      client =>
        client.call('PUT', '/Users/user-602', { schemas: [USER], userName: fresh(), displayName: fresh() }),
    ],
    ['DELETE', 50, client => client.call('DELETE', '/Users/user-603')],
  ])('a write: %s', async (_, most, request) => {
    expect(await compared(request)).toBeLessThanOrEqual(most)
  })
})
