// A page of large documents ends early, goes on where it ended, and says how many there are all the same.
import { env } from 'cloudflare:workers'
import { beforeAll, describe, expect, test, vi } from 'vitest'
import type { JsonObject } from '../../src/scim/json'
import { MAX_PAGE_BYTES } from '../../src/storage/page-bytes'
import { type Client, newClient, ORIGIN, type Reply, seededIds, seedUsers, send } from './world'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

/** Users 1 to 40; every second one of the first 36 has almost a megabyte. */
const ALL = 40
const large = Array.from({ length: 18 }, (_, i) => 2 * i + 1)

let client: Client
beforeAll(async () => {
  client = await newClient()
  await seedUsers(client, ALL)
  await env.DB.prepare(
    `UPDATE resources SET document = json_set(document, '$.nickName', hex(zeroblob(495000)))
      WHERE tenant_id = ? AND serial IN (SELECT value FROM json_each(?))`,
  )
    .bind(client.tenantId, JSON.stringify(large))
    .run()
})

const idsOf = ({ body }: Reply): string[] => body.Resources.map(({ id }: JsonObject) => id)

function expectBounded(reply: Reply): void {
  expect(reply.status).toBe(200)
  expect(reply.cost.calls).toBe(1)
  expect(reply.body.itemsPerPage).toBe(reply.body.Resources.length)
  expect(reply.text.length).toBeLessThan(MAX_PAGE_BYTES * 1.1)
}

describe.each<[string, string, number, (id: string) => boolean]>([
  ['the list', '', ALL, () => true],
  ['a filter', `&filter=${encodeURIComponent('active eq true')}`, ALL, () => true],
  [
    'a filter with an index',
    `&filter=${encodeURIComponent('displayName eq "User 1" or displayName eq "User 3"')}`,
    2,
    id => /^user-[13]$/.test(id),
  ],
])('%s', (_, query, total, isIn) => {
  const expected = seededIds(1, ALL).filter(isIn)

  test('RFC-114 is gone through by index', async () => {
    const ids: string[] = []
    let pages = 0
    for (let startIndex = 1; startIndex <= total; pages++) {
      const reply = await client.get(`/Users?count=1000&startIndex=${startIndex}${query}`)
      expectBounded(reply)
      expect(reply.body.totalResults).toBe(total)
      expect(reply.body.itemsPerPage).toBeGreaterThan(0)
      ids.push(...idsOf(reply))
      startIndex += reply.body.itemsPerPage
    }
    expect(ids).toEqual(expected)
    expect(pages).toBe(total === ALL ? 3 : 1)
  })

  test.each(['', '&sortBy=id', '&sortBy=displayName&sortOrder=descending'])(
    'RFC-120 is gone through by cursor%s',
    async order => {
      const ids: string[] = []
      for (let cursor: string | undefined = ''; cursor !== undefined; ) {
        const reply = await client.get(`/Users?count=30&cursor=${cursor}${query}${order}`)
        expectBounded(reply)
        expect(reply.body.totalResults).toBe(total)
        ids.push(...idsOf(reply))
        cursor = reply.body.nextCursor
      }
      expect([...ids].sort()).toEqual([...expected].sort())
      if (order === '') expect(ids).toEqual(expected)
    },
  )
})

test('a page that fits is whole, and its last cursor the end', async () => {
  const end = await client.get(`/Users?count=3&cursor=&filter=${encodeURIComponent('userName sw "u4"')}`)
  expect([idsOf(end), end.body.nextCursor]).toEqual([['user-4', 'user-40'], undefined])
})

test('a list of all types does not skip what the first had no room for', async () => {
  const group = await client.group('Few')
  const ids: string[] = []
  for (let startIndex = 1; startIndex <= ALL + 1; ) {
    const { body } = await client.get(`/?count=1000&startIndex=${startIndex}`)
    expect(body.totalResults).toBe(ALL + 1)
    ids.push(...body.Resources.map(({ id }: JsonObject) => id))
    startIndex += body.itemsPerPage
  }
  expect(ids).toEqual([...seededIds(1, ALL), group])
})

describe('for the operator', () => {
  const operator = { authorization: `Bearer ${env.ADMIN_TOKEN}`, 'content-type': 'application/json' }
  const admin = (method: string, path: string, body?: JsonObject) =>
    send(method, `${ORIGIN}/admin/v1/tenants/${client.slug}${path}`, operator, body)

  test('the list of users goes on as well', async () => {
    const ids: string[] = []
    let pages = 0
    for (let cursor = ''; ; pages++) {
      const { body } = await admin('GET', `/users?limit=200${cursor}`)
      ids.push(...body.items.map(({ id }: JsonObject) => id))
      if (body.nextCursor === undefined) break
      cursor = `&cursor=${body.nextCursor}`
    }
    expect(ids).toEqual(seededIds(1, ALL))
    expect(pages).toBe(2)
  })

  test('nobody is passed over where those who are gone have room behind those who have none', async () => {
    const mixed = await newClient()
    await seedUsers(mixed, ALL)
    const set = (what: string) => mixed.rows(`UPDATE resources SET ${what} WHERE tenant_id = ?`)
    await set(`document = json_set(document, '$.nickName', hex(zeroblob(iif(serial < 19, 495000, 0))))`)
    await set(`deleted_at = iif(serial > 30, 1, NULL), scope = iif(serial > 30, '@deleted', scope)`)
    for (const filter of ['', '&filter=active%20eq%20true']) {
      const ids: string[] = []
      for (let cursor = ''; ; ) {
        const path = `${ORIGIN}/admin/v1/tenants/${mixed.slug}/users?limit=200${filter}${cursor}`
        const { body } = await send('GET', path, operator)
        ids.push(...body.items.map(({ id }: JsonObject) => id))
        if (body.nextCursor === undefined) break
        cursor = `&cursor=${body.nextCursor}`
      }
      expect(ids).toEqual(seededIds(1, ALL))
    }
  })

  test('the groups that are one role bring no more together than one list does', async () => {
    const name = `p-${crypto.randomUUID()}`
    const put = { name, groups: { as: 'roles' } }
    await send('PUT', `${ORIGIN}/admin/v1/profiles/${name}`, operator, put)
    const crew = await newClient({ profile: name })
    await seedUsers(crew, 60)
    await crew.rows(
      `UPDATE resources SET document = json_set(document, '$.nickName', hex(zeroblob(495000))) WHERE tenant_id = ?`,
    )
    for (let i = 0; i < 6; i++) await crew.group(`Crew ${i}`, seededIds(10 * i + 1, 10 * i + 10))
    await crew.rows(`UPDATE roles SET name = 'Crew' WHERE tenant_id = ?`)
    const ids: string[] = []
    for (let cursor = ''; ; ) {
      const path = `${ORIGIN}/admin/v1/tenants/${crew.slug}/users?limit=200&role=Crew${cursor}`
      const { body, cost } = await send('GET', path, operator)
      ids.push(...body.items.map(({ id }: JsonObject) => id))
      expect(Math.max(...cost.brought)).toBeLessThan(24)
      if (body.nextCursor === undefined) break
      cursor = `&cursor=${body.nextCursor}`
    }
    expect(ids.toSorted()).toEqual(seededIds(1, 60).toSorted())
  })

  test('a suspended tenant has everybody’s sessions ended, in smaller steps', async () => {
    expect((await admin('PATCH', '', { status: 'suspended' })).status).toBe(200)
    const [left] = await client.rows(
      `SELECT count(*) AS left FROM resources WHERE tenant_id = ? AND type = 'User' AND session_epoch <> 1`,
    )
    expect(left).toEqual({ left: 0 })
  })
})
