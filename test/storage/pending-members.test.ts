// What it costs that members may come before they are here: nothing to speak of where everybody is known, and for
// those who come what they find, however many others wait.
import { beforeAll, describe, expect, test, vi } from 'vitest'
import type { JsonObject } from '../../src/scim/json'
import { type Client, GROUP, newClient, type Reply, rows, seededIds, seedUsers, USER } from './world'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

const values = (ids: readonly string[]): JsonObject[] => ids.map(value => ({ value }))
const add = (ids: readonly string[]): JsonObject => ({ op: 'add', path: 'members', value: values(ids) })
const names = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, i) => `Name-${from + i}@Example.com`)

let n = 0
const newcomer = (client: Client, more: JsonObject = {}) =>
  client.call('POST', '/Users', { schemas: [USER], userName: `new-${++n}`, externalId: `new-${n}`, ...more })

async function count(client: Client, table = 'pending_members'): Promise<number> {
  const [row] = await client.rows(`SELECT count(*) AS n FROM ${table} WHERE tenant_id = ?`)
  return Number(row?.n)
}

describe('rows read', () => {
  let nobody: Client
  let few: Client
  let many: Client
  let fewGroup: string
  let manyGroup: string

  beforeAll(async () => {
    const awaiting = async (waiting: number) => {
      const client = await newClient()
      await seedUsers(client, 100)
      const groupId = await client.group('Staff', seededIds(1, 10))
      for (let from = 1; from <= waiting; from += 25_000)
        await client.patch(`/Groups/${groupId}`, add(names(from, Math.min(waiting, from + 24_999))))
      expect(await count(client)).toBe(waiting)
      return { client, groupId }
    }
    nobody = (await awaiting(0)).client
    const [small, large] = [await awaiting(10), await awaiting(50_000)]
    few = small.client
    many = large.client
    fewGroup = small.groupId
    manyGroup = large.groupId
    // Somebody behind, so that a search which ends at the last row of a table costs no less.
    await awaiting(10)
  })

  async function compared(request: (client: Client, groupId: string) => Promise<Reply>): Promise<Reply> {
    const [a, b] = [await request(few, fewGroup), await request(many, manyGroup)]
    expect([b.status, b.cost.calls, b.cost.rowsRead]).toEqual([a.status, a.cost.calls, a.cost.rowsRead])
    return b
  }

  test('a create for whom nobody waits is one round trip and a few rows more than where nobody waits at all', async () => {
    const none = await newcomer(nobody)
    const some = await compared(client => newcomer(client))
    expect([none.cost.calls, some.cost.calls]).toEqual([1, 1])
    expect(none.cost.rowsRead).toBeLessThanOrEqual(37)
    expect(some.cost.rowsRead - none.cost.rowsRead).toBeLessThanOrEqual(10)
  })

  test('a create for whom a group waits is one round trip', async () => {
    const { cost, body } = await compared(client => newcomer(client, { userName: 'name-7@example.com' }))
    expect(cost.calls).toBe(1)
    expect(cost.rowsRead).toBeLessThanOrEqual(80)
    expect(body.groups).toHaveLength(1)
  })

  test('who is named by a list, or removed from those who wait, costs what is named', async () => {
    const named = await compared((client, id) =>
      client.patch(`/Groups/${id}`, add(['ext-50', 'U51@example.com'])),
    )
    expect([named.status, named.cost.calls]).toEqual([204, 2])
    expect(named.cost.rowsRead).toBeLessThanOrEqual(160)
    const more = await compared((client, id) => client.patch(`/Groups/${id}`, add(['later'])))
    expect(more.cost.rowsRead).toBeLessThanOrEqual(60)
    const gone = await compared((client, id) =>
      client.patch(`/Groups/${id}`, {
        op: 'remove',
        path: 'members',
        value: values(['later', 'Name-8@Example.com']),
      }),
    )
    expect(gone.cost.rowsRead).toBeLessThanOrEqual(60)
  })
})

test('ten thousand members who are all known cost ten rows each, and a POST of them one call', async () => {
  const client = await newClient()
  await seedUsers(client, 10_000)
  const groupId = await client.group('Staff')
  const { cost } = await client.patch(`/Groups/${groupId}`, add(seededIds(1, 10_000)))
  expect([cost.calls, cost.rowsRead <= 10.1 * 10_000]).toEqual([2, true])
  const posted = await client.call('POST', '/Groups', {
    schemas: [GROUP],
    displayName: 'Posted',
    members: values(seededIds(1, 10_000)),
  })
  expect([posted.status, posted.cost.calls]).toEqual([201, 1])
})

test('twenty-five thousand who are not here wait, come at once by name, and are counted', async () => {
  const client = await newClient()
  const groupId = await client.group('Staff')
  const ids = Array.from({ length: 25_000 }, (_, i) => `ext-${i + 1}`)
  const { status, cost } = await client.patch(`/Groups/${groupId}`, add(ids))
  expect([status, cost.calls]).toEqual([204, 2])
  const [total] = await client.rows('SELECT live FROM pending_totals WHERE tenant_id = ?')
  expect([await count(client), total?.live]).toEqual([25_000, 25_000])
  expect((await client.patch(`/Groups/${groupId}`, add(ids))).status).toBe(204)
  const other = await newClient()
  await seedUsers(other, 25_000)
  const otherGroup = await other.group('Staff')
  expect((await other.patch(`/Groups/${otherGroup}`, add(ids))).status).toBe(204)
  expect([await count(other), await count(other, 'members')]).toEqual([0, 25_000])
  const removal = { op: 'remove', path: 'members', value: values(ids) }
  for (const [which, id] of [
    [client, groupId],
    [other, otherGroup],
  ] as const) {
    expect((await which.patch(`/Groups/${id}`, removal)).status).toBe(204)
    expect([await count(which), await count(which, 'members')]).toEqual([0, 0])
  }
})

test('a user for whom two thousand groups wait is created in one call, with an event for each', async () => {
  const client = await newClient()
  const list = JSON.stringify(Array.from({ length: 2000 }, (_, i) => i + 1))
  await rows(
    `INSERT INTO resources (tenant_id, id, type, scope, serial, connection_id, document, version, created_at, last_modified, session_epoch)
      SELECT ?1, 'group-' || value, 'Group', ?2, value, ?2, json_object('displayName', 'G' || value), 'old', 1, 1, 0 FROM json_each(?3)`,
    client.tenantId,
    client.connectionId,
    list,
  )
  await rows(
    `INSERT INTO pending_members (tenant_id, group_id, value, folded, connection_id, version, created_at)
      SELECT ?1, 'group-' || value, 'x', 'x', ?2, 'old', 1 FROM json_each(?3)`,
    client.tenantId,
    client.connectionId,
    list,
  )
  const reply = await newcomer(client, { externalId: 'x' })
  expect([reply.status, reply.cost.calls, reply.body.groups.length]).toEqual([201, 1, 1000])
  expect(reply.cost.rowsRead).toBeLessThanOrEqual(21 * 2000)
  expect([await count(client), await count(client, 'members')]).toEqual([0, 2000])
  const [events] = await client.rows(
    `SELECT count(*) AS n, count(DISTINCT group_id) AS groups, count(DISTINCT txn) AS txns FROM events
      WHERE tenant_id = ? AND type = 'group.member_added'`,
  )
  expect(events).toEqual({ n: 2000, groups: 2000, txns: 1 })
  const [log] = await client.rows(`SELECT tolerances FROM activity WHERE tenant_id = ? AND method = 'POST'`)
  expect(log?.tolerances).toBe('["pending-members: attached to 2000 groups"]')
  const read = await client.get(`/Users/${reply.body.id}`)
  expect(reply.body.groups).toEqual(read.body.groups)
})
