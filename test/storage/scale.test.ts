// A group of a hundred thousand: made by PATCHes of a thousand, changed by one, renamed, asked about, replaced,
// emptied, and read as a stream. A change costs what it changes, never what the group holds; a list of members is
// complete, and never held whole.
import { beforeAll, describe, expect, test, vi } from 'vitest'
import type { JsonObject } from '../../src/scim/json'
import { type Client, GROUP, newClient, type Reply, rows, seededIds, seedUsers } from './world'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 120_000 })

const ALL = 100_000
const A_PATCH = 1_000
/** What one round trip brings of a list of members (operations/view.ts), and one to see whether it goes on. */
const FIRST_CHUNK = 2_000
const CHUNK = 10_000

const values = (ids: readonly string[]): JsonObject[] => ids.map(value => ({ value }))
const add = (ids: readonly string[]): JsonObject => ({ op: 'add', path: 'members', value: values(ids) })
const removeOne = (id: string): JsonObject => ({ op: 'remove', path: `members[value eq "${id}"]` })
const replace = (path: string, value: JsonObject[] | string): JsonObject => ({ op: 'replace', path, value })

let client: Client
let large: string
let small: string
const building: Reply[] = []

beforeAll(async () => {
  client = await newClient()
  await seedUsers(client, ALL + 10)
  large = await client.group('Everybody')
  small = await client.group('Few', seededIds(1, 10))
  for (let from = 1; from <= ALL; from += A_PATCH)
    building.push(await client.patch(`/Groups/${large}`, add(seededIds(from, from + A_PATCH - 1))))
  // Somebody behind, so that a search which ends at the last row of a table costs no less.
  const behind = await newClient()
  await behind.group('Behind', [await behind.user('x')])
})

/** A group with these members, as rows that no request made. */
async function groupOf(count: number): Promise<string> {
  const id = await client.group(`G-${crypto.randomUUID()}`)
  await rows(
    `INSERT INTO members (tenant_id, group_id, member_id, type, version)
      SELECT tenant_id, ?2, id, 'User', 'seeded' FROM resources WHERE tenant_id = ?1 AND type = 'User' AND serial <= ?3`,
    client.tenantId,
    id,
    count,
  )
  return id
}

async function count(groupId: string): Promise<number> {
  const [row] = await rows(
    'SELECT count(*) AS n FROM members WHERE tenant_id = ? AND group_id = ?',
    client.tenantId,
    groupId,
  )
  return Number(row?.n)
}

/** Version, members and last event: what a refused request leaves as it was. */
async function stateOf(groupId: string): Promise<unknown> {
  return rows(
    `SELECT version, document, (SELECT max(sequence) FROM events WHERE tenant_id = ?1) AS last,
      (SELECT count(*) FROM members WHERE tenant_id = ?1 AND group_id = ?2) AS members
      FROM resources WHERE tenant_id = ?1 AND id = ?2`,
    client.tenantId,
    groupId,
  )
}

/** The membership events that the work causes: their types and how many ids each has, and all ids. */
async function membershipOf(work: () => Promise<unknown>) {
  const [before] = await client.rows('SELECT max(sequence) AS last FROM events WHERE tenant_id = ?')
  await work()
  const found = await rows(
    `SELECT type, json_array_length(data, '$.members') AS size, data FROM events
      WHERE tenant_id = ? AND sequence > ? AND type LIKE 'group.member%' ORDER BY sequence`,
    client.tenantId,
    before?.last,
  )
  return {
    types: new Set(found.map(({ type }) => type)),
    sizes: found.map(({ size }) => Number(size)),
    ids: found.flatMap(({ data }): string[] => JSON.parse(String(data)).members),
  }
}

test('it grows by PATCHes that cost the same from the first to the last', async () => {
  expect(building).toHaveLength(ALL / A_PATCH)
  const costs = building.map(({ status, cost }) => [status, cost.calls, cost.rowsRead, cost.rowsWritten])
  expect(new Set(costs.map(String)).size).toBe(1)
  const [status, calls, rowsRead = 0, rowsWritten = 0] = costs[0] ?? []
  expect([status, calls]).toEqual([204, 2])
  expect(rowsRead).toBeLessThanOrEqual(10.1 * A_PATCH)
  // The member and its place in the second index.
  expect(rowsWritten).toBeLessThanOrEqual(2.1 * A_PATCH)
  expect(await count(large)).toBe(ALL)
})

describe('costs what a group of ten costs', () => {
  async function compared(request: (groupId: string) => Promise<Reply>, status: number): Promise<number> {
    const [a, b] = [await request(small), await request(large)]
    expect([a.status, b.status]).toEqual([status, status])
    const [ofSmall, ofLarge] = [a.wholeCost, b.wholeCost]
    expect([ofLarge.calls, ofLarge.rowsRead, ofLarge.rowsWritten]).toEqual([
      ofSmall.calls,
      ofSmall.rowsRead,
      ofSmall.rowsWritten,
    ])
    expect(ofLarge.calls).toBeLessThanOrEqual(2)
    return ofLarge.rowsRead
  }
  const newcomer = `user-${ALL + 1}`
  const without = 'excludedAttributes=members'
  let n = 0

  test.each<[string, number, number, (groupId: string) => Promise<Reply>]>([
    ['one comes', 39, 204, id => client.patch(`/Groups/${id}`, add([newcomer]))],
    ['is there already', 39, 204, id => client.patch(`/Groups/${id}`, add([newcomer]))],
    ['goes', 39, 204, id => client.patch(`/Groups/${id}`, removeOne(newcomer))],
    ['is gone already', 39, 204, id => client.patch(`/Groups/${id}`, removeOne(newcomer))],
    ['a new name', 40, 204, id => client.patch(`/Groups/${id}`, replace('displayName', `Name ${n++}`))],
    [
      'a new name and one member',
      60,
      204,
      id => client.patch(`/Groups/${id}`, replace('displayName', `Name ${n++}`), add([newcomer])),
    ],
    [
      'a new name by PUT, which says nothing about members',
      40,
      200,
      id => client.call('PUT', `/Groups/${id}?${without}`, { schemas: [GROUP], displayName: `Name ${n++}` }),
    ],
    ['read without members', 10, 200, id => client.get(`/Groups/${id}?${without}`)],
    [
      'whether somebody is in it',
      30,
      200,
      id => client.filter('/Groups', `id eq "${id}" and members[value eq "user-7"]`, `&${without}`),
    ],
    [
      'whether somebody is not in it',
      30,
      200,
      id => client.filter('/Groups', `id eq "${id}" and members.value eq "user-${ALL + 9}"`, `&${without}`),
    ],
  ])('%s', async (_, most, status, request) => {
    expect(await compared(request, status)).toBeLessThanOrEqual(most)
    expect(await count(large)).toBeGreaterThanOrEqual(ALL)
  })

  test('in which groups somebody is', async () => {
    const found = await client.filter('/Groups', 'members.value eq "user-7"', `&${without}`)
    expect(found.body.Resources.map((group: JsonObject) => group.id).sort()).toEqual([large, small].sort())
    expect(found.wholeCost.calls).toBe(1)
    expect(found.wholeCost.rowsRead).toBeLessThanOrEqual(40)
    const of = await client.get('/Users/user-7')
    expect(of.body.groups.map((group: JsonObject) => group.value).sort()).toEqual([large, small].sort())
    expect(of.wholeCost.rowsRead).toBeLessThanOrEqual(15)
  })

  test('a list without members', async () => {
    const { body, wholeCost } = await client.get(`/Groups?${without}`)
    expect(body.totalResults).toBeGreaterThanOrEqual(2)
    expect(wholeCost.calls).toBe(1)
    expect(wholeCost.rowsRead).toBeLessThanOrEqual(40)
  })
})

describe('read as a stream', () => {
  /** The members' ids, piece by piece; `onPiece` sees the size of each before the next is asked for. */
  async function streamed(
    path: string,
    onPiece: (bytes: number) => void,
  ): Promise<{ ids: string[]; end: string }> {
    const { response } = await opened(path)
    const ids: string[] = []
    const decoder = new TextDecoder()
    let rest = ''
    for await (const piece of response.body ?? []) {
      onPiece(piece.byteLength)
      rest += decoder.decode(piece, { stream: true })
      const last = rest.lastIndexOf('"value":"')
      if (last < 0) continue
      for (const [, id = ''] of rest.slice(0, last).matchAll(/"value":"([^"]+)"/g)) ids.push(id)
      rest = rest.slice(last)
    }
    for (const [, id = ''] of rest.matchAll(/"value":"([^"]+)"/g)) ids.push(id)
    return { ids, end: rest.slice(-3) }
  }

  let cost: Awaited<ReturnType<Client['open']>>['cost']
  async function opened(path: string) {
    const found = await client.open(path)
    cost = found.cost
    expect(found.response.status).toBe(200)
    return found
  }

  test.each([
    ['by id', () => `/Groups/${large}`],
    ['in a list', () => `/Groups?filter=${encodeURIComponent(`id eq "${large}"`)}`],
  ])('%s it is complete, and no more than one chunk is under way', async (_, path) => {
    const groupId = await groupOf(ALL)
    const sizes: number[] = []
    let asked = 0
    const { ids } = await streamed(path().replace(large, groupId), bytes => {
      sizes.push(bytes)
      // One chunk is being read, one may be waiting behind it.
      const { calls } = cost()
      expect(calls - asked).toBeLessThanOrEqual(2)
      asked = calls
    })
    expect(ids).toHaveLength(ALL)
    expect(new Set(ids)).toEqual(new Set(seededIds(1, ALL)))
    const { calls, brought, rowsRead } = cost()
    expect(calls).toBe(1 + Math.ceil((ALL - FIRST_CHUNK) / CHUNK))
    expect(Math.max(...brought)).toBeLessThanOrEqual(CHUNK + 1)
    expect(rowsRead).toBeLessThanOrEqual(2.01 * ALL)
    expect(Math.max(...sizes)).toBeLessThanOrEqual(200 * CHUNK)
    expect(sizes.length).toBeGreaterThanOrEqual(ALL / CHUNK)
  })

  test('nothing more is read for a client that has gone', async () => {
    const { response } = await opened(`/Groups/${large}`)
    const reader = response.body?.getReader()
    expect((await reader?.read())?.value?.byteLength).toBeGreaterThan(0)
    await reader?.cancel()
    const { calls } = cost()
    expect(calls).toBeLessThanOrEqual(3)
    await scheduler.wait(20)
    expect(cost().calls).toBe(calls)
  })
})

describe('many at once', () => {
  test('a PUT of more than 25,000 is refused by its limit, and changes nothing', async () => {
    const before = await stateOf(large)
    for (const members of [25_001, ALL]) {
      const body = { schemas: [GROUP], displayName: 'Cut', members: values(seededIds(1, members)) }
      const reply = await client.call('PUT', `/Groups/${large}`, body)
      expect([reply.status, reply.body.status]).toEqual([413, '413'])
      expect(reply.body.detail).toMatch(/25,?000/)
      const patched = await client.patch(`/Groups/${large}`, replace('members', body.members))
      expect([patched.status, patched.body.detail]).toEqual([413, expect.stringMatching(/25,?000/)])
    }
    expect(await stateOf(large)).toEqual(before)
  })

  test('a PUT of 25,000 leaves these, and tells of those who went', async () => {
    const groupId = await groupOf(ALL)
    const members = values(seededIds(1, 25_000))
    const body = { schemas: [GROUP], displayName: 'Quarter', members }
    const { types, sizes, ids } = await membershipOf(async () => {
      const { status, cost } = await client.call('PUT', `/Groups/${groupId}?excludedAttributes=members`, body)
      expect([status, cost.calls]).toEqual([200, 2])
      expect(cost.rowsRead).toBeLessThanOrEqual(9.1 * ALL)
    })
    expect([...types]).toEqual(['group.member_removed'])
    expect(sizes).toEqual(Array.from({ length: 75 }, () => 1_000))
    expect(new Set(ids)).toEqual(new Set(seededIds(25_001, ALL)))
    expect(await count(groupId)).toBe(25_000)
  })

  test('all are removed in two calls, and told of in a hundred events', async () => {
    const groupId = await groupOf(ALL)
    const { sizes, ids } = await membershipOf(async () => {
      const { status, cost } = await client.patch(`/Groups/${groupId}`, replace('members', []))
      expect([status, cost.calls]).toEqual([204, 2])
      expect(cost.rowsRead).toBeLessThanOrEqual(5.1 * ALL)
    })
    expect(sizes).toEqual(Array.from({ length: ALL / 1_000 }, () => 1_000))
    expect(new Set(ids)).toEqual(new Set(seededIds(1, ALL)))
    expect(await count(groupId)).toBe(0)
  })

  test('it is deleted in two calls, without an event for each member', async () => {
    const groupId = await groupOf(ALL)
    const { sizes } = await membershipOf(async () => {
      const { status, cost } = await client.call('DELETE', `/Groups/${groupId}`)
      expect([status, cost.calls]).toEqual([204, 2])
      expect(cost.rowsRead).toBeLessThanOrEqual(1.01 * ALL)
    })
    expect(sizes).toEqual([])
    expect(await count(groupId)).toBe(0)
  })
})
