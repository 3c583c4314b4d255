// Members are rows: a change costs what it changes, loses nothing that others change at the same time, and a
// list of members is complete however long it is.
import { describe, expect, test, vi } from 'vitest'
import type { Json, JsonObject } from '../../src/scim/json'
import { pick, seeded } from '../scim/generate'
import { type Client, GROUP, newClient, type Reply, rows, seededIds, seedUsers, USER } from './world'

vi.setConfig({ testTimeout: 120_000 })

interface StoredEvent {
  readonly sequence: number
  readonly type: string
  readonly groupId: string
  readonly members: readonly string[]
}

async function eventsOf(client: Client, after = 0): Promise<StoredEvent[]> {
  const found = await rows(
    'SELECT sequence, type, group_id, data FROM events WHERE tenant_id = ? AND sequence > ? ORDER BY sequence',
    client.tenantId,
    after,
  )
  return found.map(row => ({
    sequence: Number(row.sequence),
    type: String(row.type),
    groupId: String(row.group_id),
    members: JSON.parse(String(row.data)).members ?? [],
  }))
}

async function lastSequence(client: Client): Promise<number> {
  const [row] = await client.rows('SELECT max(sequence) AS last FROM events WHERE tenant_id = ?')
  return Number(row?.last ?? 0)
}

async function membersOf(client: Client, groupId: string): Promise<string[]> {
  const found = await rows(
    'SELECT member_id FROM members WHERE tenant_id = ? AND group_id = ? ORDER BY member_id',
    client.tenantId,
    groupId,
  )
  return found.map(row => String(row.member_id))
}

async function versionOf(client: Client, groupId: string): Promise<unknown> {
  const [row] = await rows(
    'SELECT version FROM resources WHERE tenant_id = ? AND id = ?',
    client.tenantId,
    groupId,
  )
  return row?.version
}

/** Who is in each group by what the events say. */
function folded(events: readonly StoredEvent[]): Map<string, Set<string>> {
  const groups = new Map<string, Set<string>>()
  for (const { type, groupId, members } of events) {
    const group = groups.get(groupId) ?? new Set()
    groups.set(groupId, group)
    for (const id of members) {
      // An event that tells nothing new would be one too many.
      expect(group.has(id)).toBe(type === 'group.member_removed')
      if (type === 'group.member_added') group.add(id)
      else group.delete(id)
    }
  }
  return groups
}

const values = (ids: readonly string[]): JsonObject[] => ids.map(value => ({ value }))
const add = (ids: readonly string[]): JsonObject => ({ op: 'add', path: 'members', value: values(ids) })
const removeOne = (id: string): JsonObject => ({ op: 'remove', path: `members[value eq "${id}"]` })
const replace = (ids: readonly string[]): JsonObject => ({
  op: 'replace',
  path: 'members',
  value: values(ids),
})

describe('a group of ten thousand', () => {
  const TEN_THOUSAND = 10_000

  async function groupOf(count: number): Promise<{ client: Client; groupId: string }> {
    const client = await newClient()
    await seedUsers(client, TEN_THOUSAND + 10)
    const groupId = await client.group('Staff')
    if (count > 0) {
      const { status } = await client.patch(`/Groups/${groupId}`, add(seededIds(1, count)))
      expect(status).toBe(204)
    }
    return { client, groupId }
  }

  async function change(client: Client, groupId: string, ...operations: JsonObject[]): Promise<Reply> {
    const reply = await client.patch(`/Groups/${groupId}`, ...operations)
    expect(reply.text).toBe('')
    expect([reply.status, reply.cost.calls]).toEqual([204, 2])
    return reply
  }

  test('is made by one PATCH, in ten events with exactly the ids', async () => {
    const { client, groupId } = await groupOf(0)
    const after = await lastSequence(client)
    const { cost } = await change(client, groupId, add(seededIds(1, TEN_THOUSAND)))
    expect(cost.rowsRead).toBeLessThanOrEqual(10.1 * TEN_THOUSAND)
    const events = await eventsOf(client, after)
    expect(events.map(({ type, members }) => [type, members.length])).toEqual(
      Array.from({ length: 10 }, () => ['group.member_added', 1000]),
    )
    expect(events.flatMap(({ members }) => members).sort()).toEqual(seededIds(1, TEN_THOUSAND).sort())
  })

  test('the same PATCH again changes nothing', async () => {
    const { client, groupId } = await groupOf(TEN_THOUSAND)
    const before = [await versionOf(client, groupId), await lastSequence(client)]
    await change(client, groupId, add(seededIds(1, TEN_THOUSAND)))
    await change(client, groupId, replace(seededIds(1, TEN_THOUSAND)))
    await change(client, groupId, removeOne('user-10005'))
    expect([await versionOf(client, groupId), await lastSequence(client)]).toEqual(before)
  })

  test('one comes or goes at the cost of one, whatever the size', async () => {
    const large = await groupOf(TEN_THOUSAND)
    const small = await groupOf(10)
    // Somebody behind, so that a search which ends at the last row of a table costs no less.
    await groupOf(10)
    const operations: [string, JsonObject][] = [
      ['one is added', add(['user-10001'])],
      ['and removed', removeOne('user-10001')],
      ['and not there any more', removeOne('user-10001')],
      ['one of the first is removed', { op: 'remove', path: 'members', value: values(['user-7']) }],
      ['and comes back', add(['user-7'])],
    ]
    for (const [what, operation] of operations) {
      const costs = [large, small].map(
        async ({ client, groupId }) => (await change(client, groupId, operation)).cost,
      )
      const [a, b] = await Promise.all(costs)
      expect([what, a?.rowsRead, a?.rowsWritten]).toEqual([what, b?.rowsRead, b?.rowsWritten])
      expect(a?.rowsRead).toBeLessThanOrEqual(39)
    }
    expect(await membersOf(large.client, large.groupId)).toHaveLength(TEN_THOUSAND)
    expect(await membersOf(small.client, small.groupId)).toHaveLength(10)
  })

  test('replaced by almost the same, only the difference is an event', async () => {
    const { client, groupId } = await groupOf(TEN_THOUSAND)
    const after = await lastSequence(client)
    const wanted = seededIds(4, TEN_THOUSAND + 2)
    const { cost } = await change(client, groupId, replace(wanted))
    expect(cost.rowsRead).toBeLessThanOrEqual(12.1 * TEN_THOUSAND)
    expect(cost.rowsWritten).toBeLessThanOrEqual(25)
    expect(await eventsOf(client, after)).toMatchObject([
      { type: 'group.member_removed', members: ['user-1', 'user-2', 'user-3'] },
      { type: 'group.member_added', members: ['user-10001', 'user-10002'] },
    ])
    expect(await membersOf(client, groupId)).toEqual([...wanted].sort())
  })

  test('all are removed in ten events', async () => {
    const { client, groupId } = await groupOf(TEN_THOUSAND)
    const after = await lastSequence(client)
    const { cost } = await change(client, groupId, { op: 'remove', path: 'members' })
    expect(cost.rowsRead).toBeLessThanOrEqual(5.1 * TEN_THOUSAND)
    const events = await eventsOf(client, after)
    expect(events).toHaveLength(10)
    expect(events.flatMap(({ members }) => members).sort()).toEqual(seededIds(1, TEN_THOUSAND).sort())
    expect(await membersOf(client, groupId)).toEqual([])
  })

  test('many steps of one PATCH are one step', async () => {
    const { client, groupId } = await groupOf(10)
    const after = await lastSequence(client)
    await change(
      client,
      groupId,
      removeOne('user-1'),
      add(['user-1', 'user-11']),
      removeOne('user-11'),
      add(['user-12']),
    )
    expect(await eventsOf(client, after)).toMatchObject([
      { type: 'group.member_added', members: ['user-12'] },
    ])
  })
})

test('who comes, stays and comes again in one PATCH has come once', async () => {
  const client = await newClient()
  const [ann, bob] = [await client.user('ann'), await client.user('bob')]
  const groupId = await client.group('Staff')
  const after = await lastSequence(client)
  const noGroups = { op: 'remove', path: 'members[type eq "Group"]' }
  await client.patch(`/Groups/${groupId}`, add([ann]), noGroups, add([ann, bob]))
  expect((await eventsOf(client, after)).flatMap(({ members }) => members)).toEqual([ann, bob])
  expect(await membersOf(client, groupId)).toEqual([ann, bob].sort())
})

describe('at the same time', () => {
  const FIFTY = Array.from({ length: 50 }, (_, i) => i + 1)

  test('fifty PATCHes of one group lose nothing, and the events say what is stored', async () => {
    const client = await newClient()
    await seedUsers(client, 100)
    const groupId = await client.group('Staff', seededIds(51, 100))
    const replies = await Promise.all(
      FIFTY.flatMap(n => [
        client.patch(`/Groups/${groupId}`, add([`user-${n}`])),
        client.patch(`/Groups/${groupId}`, removeOne(`user-${n + 50}`)),
      ]),
    )
    expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([204]))
    expect(await membersOf(client, groupId)).toEqual(seededIds(1, 50).sort())
    const events = (await eventsOf(client)).filter(({ type }) => type.startsWith('group.member'))
    expect(folded(events).get(groupId)).toEqual(new Set(seededIds(1, 50)))
    const sequences = (await eventsOf(client)).map(({ sequence }) => sequence)
    expect(sequences).toEqual(sequences.map((_, i) => i + 1))
  })

  test('fifty PATCHes of one group, its name among them, lose nothing', async () => {
    const client = await newClient()
    await seedUsers(client, 50)
    const groupId = await client.group('Staff')
    const replies = await Promise.all(
      FIFTY.map(n =>
        client.patch(`/Groups/${groupId}`, add([`user-${n}`]), {
          op: 'replace',
          path: 'displayName',
          value: `N${n}`,
        }),
      ),
    )
    expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([204]))
    expect(await membersOf(client, groupId)).toEqual(seededIds(1, 50).sort())
  })

  test('fifty PATCHes of one user lose nothing', async () => {
    const client = await newClient()
    const id = await client.user('ann')
    const replies = await Promise.all(
      FIFTY.map(n =>
        client.patch(`/Users/${id}`, {
          op: 'add',
          path: 'emails',
          value: [{ value: `${n}@example.com`, type: `t${n}` }],
        }),
      ),
    )
    expect(replies.map(({ status }) => status)).toEqual(FIFTY.map(() => 200))
    const { body } = await client.get(`/Users/${id}`)
    expect(body.emails.map((email: JsonObject) => email.type).sort()).toEqual(FIFTY.map(n => `t${n}`).sort())
    const [updates] = await client.rows(
      `SELECT count(*) AS n, count(DISTINCT txn) AS txns FROM events WHERE tenant_id = ? AND type = 'user.updated'`,
    )
    expect(updates).toEqual({ n: 50, txns: 50 })
    const versions = new Set(replies.map(({ headers }) => headers.get('etag')))
    expect(versions.size).toBe(50)
  })

  test('twenty POSTs of one name make one user', async () => {
    const client = await newClient()
    const spellings = Array.from({ length: 20 }, (_, n) =>
      n % 2 ? 'Müller@example.com' : 'MÜLLER@EXAMPLE.COM',
    )
    const replies = await Promise.all(
      spellings.map(userName => client.call('POST', '/Users', { schemas: [USER], userName })),
    )
    const statuses = replies.map(({ status }) => status).sort()
    expect(statuses).toEqual([201, ...Array.from({ length: 19 }, () => 409)])
    expect((await client.get('/Users')).body.totalResults).toBe(1)
    expect((await eventsOf(client)).map(({ type }) => type)).toEqual(['user.created'])
  })

  test('twenty users take one name by PATCH, and one gets it', async () => {
    const client = await newClient()
    const ids = await Promise.all(Array.from({ length: 20 }, (_, n) => client.user(`user-${n}`)))
    const replies = await Promise.all(
      ids.map(id => client.patch(`/Users/${id}`, { op: 'replace', path: 'userName', value: 'Ann' })),
    )
    expect(replies.filter(({ status }) => status === 200)).toHaveLength(1)
    expect(replies.filter(({ status }) => status === 409)).toHaveLength(19)
  })

  test('a user leaves while groups take them in: no membership is left over', async () => {
    const client = await newClient()
    const id = await client.user('ann')
    const groups = await Promise.all(Array.from({ length: 10 }, (_, n) => client.group(`G${n}`)))
    const replies = await Promise.all([
      ...groups.slice(0, 5).map(group => client.patch(`/Groups/${group}`, add([id]))),
      client.call('DELETE', `/Users/${id}`),
      ...groups.slice(5).map(group => client.patch(`/Groups/${group}`, add([id]))),
    ])
    expect(replies[5]?.status).toBe(204)
    for (const { status } of replies) expect([204, 400]).toContain(status)
    expect(await client.rows('SELECT * FROM members WHERE tenant_id = ?')).toEqual([])
    // The event names the groups of that moment, not those of the request's first look.
    const joined = (await eventsOf(client)).filter(({ type }) => type === 'group.member_added')
    const [deleted] = await client.rows(
      `SELECT data ->> '$.groups' AS groups FROM events WHERE tenant_id = ? AND type = 'user.deleted'`,
    )
    expect(JSON.parse(String(deleted?.groups))).toEqual(joined.map(({ groupId }) => groupId).sort())
  })
})

test('a user in a thousand groups is deleted in two calls, and every group has a new version', async () => {
  const client = await newClient()
  const others = await newClient()
  await seedUsers(client, 3)
  // Groups as rows; the members of others must not matter.
  const list = JSON.stringify(Array.from({ length: 1000 }, (_, i) => i + 1))
  await rows(
    `INSERT INTO resources (tenant_id, id, type, scope, serial, connection_id, document, version, created_at, last_modified, session_epoch)
      SELECT ?1, 'group-' || value, 'Group', ?2, value, ?2, json_object('displayName', 'G' || value), 'old', 1, 1, 0 FROM json_each(?3)`,
    client.tenantId,
    client.connectionId,
    list,
  )
  await rows(
    `INSERT INTO members (tenant_id, group_id, member_id, type, version)
      SELECT ?1, 'group-' || g.value, 'user-' || u.value, 'User', 'old' FROM json_each(?2) g, json_each('[1,2,3]') u`,
    client.tenantId,
    list,
  )
  await others.user('x')
  const reply = await client.call('DELETE', '/Users/user-2')
  expect([reply.status, reply.cost.calls]).toEqual([204, 2])
  expect(reply.cost.rowsRead).toBeLessThanOrEqual(11_200)
  expect(await client.rows(`SELECT count(*) AS n FROM members WHERE tenant_id = ?`)).toEqual([{ n: 2000 }])
  expect(
    await client.rows(
      `SELECT count(*) AS n FROM resources WHERE tenant_id = ? AND type = 'Group' AND version = 'old'`,
    ),
  ).toEqual([{ n: 0 }])
  const [event] = await client.rows(
    `SELECT type, data FROM events WHERE tenant_id = ? ORDER BY sequence DESC LIMIT 1`,
  )
  expect([event?.type, JSON.parse(String(event?.data)).groups.length]).toEqual(['user.deleted', 1000])
})

describe('reading', () => {
  test('a group of thirty thousand is complete', async () => {
    const client = await newClient()
    await seedUsers(client, 30_000)
    const groupId = await client.group('Everybody', seededIds(1, 25_000))
    await client.patch(`/Groups/${groupId}`, add(seededIds(25_001, 30_000)))
    const { status, body, wholeCost } = await client.get(`/Groups/${groupId}`)
    expect(status).toBe(200)
    expect(body.members.map((member: JsonObject) => member.value).sort()).toEqual(seededIds(1, 30_000).sort())
    expect(body.members[0]).toEqual({
      value: 'user-1',
      $ref: `${client.base}/Users/user-1`,
      type: 'User',
      display: 'User 1',
    })
    expect([body.id, body.displayName, body.meta.resourceType]).toEqual([groupId, 'Everybody', 'Group'])
    expect(wholeCost.calls).toBeLessThanOrEqual(5)
    expect(wholeCost.rowsRead).toBeLessThanOrEqual(2.1 * 30_000)
  })

  test('a page of groups has all members of each', async () => {
    const client = await newClient()
    await seedUsers(client, 5000)
    const sizes = [3, 2500, 0, 1999, 2001, 1, 0, 4000, 5]
    const groups = []
    for (const [n, size] of sizes.entries()) groups.push(await client.group(`G${n}`, seededIds(1, size)))
    const { body, wholeCost } = await client.get('/Groups')
    expect(body.totalResults).toBe(sizes.length)
    expect(body.Resources.map((group: JsonObject) => group.id)).toEqual(groups)
    const found = body.Resources.map((group: { members?: JsonObject[] }) => group.members ?? [])
    expect(found.map((members: JsonObject[]) => members.length)).toEqual(sizes)
    for (const members of found)
      expect(members.map((member: JsonObject) => member.value).sort()).toEqual(
        seededIds(1, members.length).sort(),
      )
    expect(wholeCost.calls).toBeLessThanOrEqual(8)
    const without = await client.get('/Groups?excludedAttributes=members')
    expect(without.text).not.toContain('user-1')
    expect(without.wholeCost.rowsRead).toBeLessThanOrEqual(40)
  })
})

test("a user's groups and a group's members say the same after whatever was done", async () => {
  const client = await newClient()
  const random = seeded(5)
  const users: string[] = []
  const groups: string[] = []
  for (let n = 0; n < 8; n++) users.push(await client.user(`user-${n}`))
  for (let n = 0; n < 5; n++) groups.push(await client.group(`Group ${n}`))
  const some = () => users.filter(() => random() < 0.4)
  for (let step = 0; step < 120; step++) {
    const path = `/Groups/${pick(random, groups)}`
    const kind = random()
    let reply: Reply
    if (kind < 0.3) reply = await client.patch(path, add([...some(), pick(random, users)]))
    else if (kind < 0.5) reply = await client.patch(path, removeOne(pick(random, users)))
    else if (kind < 0.6) reply = await client.patch(path, replace(some()))
    else if (kind < 0.65) reply = await client.patch(path, { op: 'remove', path: 'members' })
    else if (kind < 0.7)
      reply = await client.patch(path, { op: 'remove', path: 'members[type eq "user"]' }, add(some()))
    else if (kind < 0.8) {
      const body: JsonObject = { schemas: [GROUP], displayName: `G${step}`, members: values(some()) as Json }
      reply = await client.call('PUT', path, body)
    } else if (kind < 0.9) {
      const id = pick(random, users)
      reply = await client.call('DELETE', `/Users/${id}`)
      users.splice(users.indexOf(id), 1, await client.user(`user-${step}-new`))
    } else {
      const id = pick(random, groups)
      reply = await client.call('DELETE', `/Groups/${id}`)
      groups.splice(groups.indexOf(id), 1, await client.group(`group-${step}-new`, some()))
    }
    expect([200, 204]).toContain(reply.status)
  }
  const listed = async (path: string, attribute: string) => {
    const { body } = await client.get(path)
    return body.Resources.flatMap((resource: Record<string, { value: string }[]> & { id: string }) =>
      (resource[attribute] ?? []).map(({ value }) =>
        path === '/Users' ? [value, resource.id] : [resource.id, value],
      ),
    )
      .map(String)
      .sort()
  }
  const pairs = await listed('/Groups', 'members')
  expect(pairs.length).toBeGreaterThan(5)
  expect(await listed('/Users', 'groups')).toEqual(pairs)
  for (const id of users) {
    const { body } = await client.get(`/Users/${id}`)
    const own = (body.groups ?? []).map((group: JsonObject) => `${group.value},${id}`)
    expect(own.sort()).toEqual(pairs.filter((pair: string) => pair.endsWith(id)))
  }
})

describe('strangers', () => {
  test('a user of another tenant is no member, and is answered as an id that is nobody’s', async () => {
    const client = await newClient()
    const others = await newClient()
    const stranger = await others.user('stranger')
    const own = await client.user('own')
    const groupId = await client.group('Staff', [own])
    const before = [await versionOf(client, groupId), await lastSequence(client)]
    const answers = []
    for (const id of [stranger, crypto.randomUUID()]) {
      const reply = await client.patch(`/Groups/${groupId}`, add([own, id]))
      answers.push([reply.status, reply.text, reply.cost.batches])
    }
    // Promise 6.
    expect(answers[0]).toEqual(answers[1])
    expect([await versionOf(client, groupId), await lastSequence(client)]).toEqual(before)
    expect(await membersOf(client, groupId)).toEqual([own])
    expect(await client.rows('SELECT count(*) AS n FROM pending_members WHERE tenant_id = ?')).toEqual([
      { n: 2 },
    ])
    expect(await others.rows('SELECT * FROM pending_members WHERE tenant_id = ?')).toEqual([])
  })
})
