// Pages of people as the application sees them, over more of them than a page looks at: whatever is asked for, all
// pages together are everybody it is true of, each once.
import { env } from 'cloudflare:workers'
import { beforeAll, describe, expect, test, vi } from 'vitest'
import type { Json, JsonObject } from '../../src/scim/json'
import { type Client, newClient, ORIGIN, type Reply, seedUsers, send } from './world'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 120_000 })

const PEOPLE = 12_000
/** Serials of those who are gone for SCIM. */
const DELETED = (n: number) => n % 1_000 === 7
const ADMIN = (n: number) => n % 3 === 0 && !DELETED(n)
const RED = (n: number) => n % 4 === 0 && !DELETED(n)
/** Of two groups that have one name with each other and with a role from an attribute. */
const FIRST = (n: number) => n % 2 === 0 && !DELETED(n)
const SECOND = (n: number) => n % 5 === 0 && !DELETED(n)
const RARE = (n: number) => n === 3 || n === 11_999
/** Spread over seven groups of that name. */
const CREW = (n: number) => n > 8_000 && n < 8_100 && !DELETED(n)
const INACTIVE = (n: number) => n === 6 || n === 10_002 || DELETED(n)

const operator = { authorization: `Bearer ${env.ADMIN_TOKEN}`, 'content-type': 'application/json' }
const admin = (method: string, path: string, body?: Json): Promise<Reply> =>
  send(method, `${ORIGIN}/admin/v1${path}`, operator, body)

const PROFILE: JsonObject = {
  user: {
    fields: [{ field: 'team', source: 'title' }],
    role: { source: 'roles.value', values: ['Admin'] },
    onDelete: 'deactivate',
  },
  groups: { as: 'roles' },
}

let client: Client
let groups: { first: string; second: string; rare: string }

const numbers = (holds: (n: number) => boolean) =>
  Array.from({ length: PEOPLE }, (_, i) => i + 1).filter(holds)

beforeAll(async () => {
  const name = `p-${crypto.randomUUID()}`
  expect((await admin('PUT', `/profiles/${name}`, { name, ...PROFILE })).status).toBe(201)
  client = await newClient({ profile: name })
  const other = await newClient({ slug: client.slug, tenantId: client.tenantId })
  await seedUsers(client, PEOPLE)
  const seeded = (serials: readonly number[]) => JSON.stringify(serials.map(n => `user-${n}`))
  const update = (what: string, holds: (n: number) => boolean) =>
    client.rows(
      `UPDATE resources SET ${what} WHERE tenant_id = ?1 AND id IN (SELECT value FROM json_each(?2))`,
      seeded(numbers(holds)),
    )
  await update(`role = 'Admin'`, ADMIN)
  await update(`target_group = 'red'`, RED)
  await update(`document = json_set(document, '$.active', json('false')), active = 0`, INACTIVE)
  await update(`scope = '@deleted', deleted_at = 1`, DELETED)
  await update('last_modified = 5000000', RARE)
  await client.rows(
    `INSERT INTO target_groups (tenant_id, id, name, managed, members, created_at) VALUES (?1, 'red', 'Red', 'rule', 1, 1)`,
  )
  await client.rows(`UPDATE roles SET members = 1 WHERE tenant_id = ?1 AND source = 'attribute'`)
  const group = async (of: Client, displayName: string, holds: (n: number) => boolean) => {
    const id = await of.group(displayName)
    await client.rows(
      `INSERT INTO members (tenant_id, group_id, member_id, type, version)
        SELECT ?1, ?2, value, 'User', 'v' FROM json_each(?3)`,
      id,
      seeded(numbers(holds)),
    )
    return id
  }
  const pair = [await group(client, 'Admin', FIRST), await group(other, 'Admin', SECOND)]
  const [first = '', second = ''] = pair
  // Of one name as well, as those of many connections can be.
  for (let i = 0; i < 7; i++) await group(client, `Crew ${i}`, n => CREW(n) && n % 7 === i)
  await client.rows(`UPDATE roles SET name = 'Crew' WHERE tenant_id = ?1 AND name LIKE 'Crew %'`)
  groups = { first, second, rare: await group(client, 'Rare', RARE) }
})

/** The pages one after the other: the serials of who is on them, how many are on each, and what each read. */
async function pages(query: string, limit = 500) {
  const found: number[] = []
  const sizes: number[] = []
  const costs: number[] = []
  for (let cursor = ''; ; ) {
    const path = `/tenants/${client.slug}/users?limit=${limit}${query}${cursor}`
    const { status, body, wholeCost } = await admin('GET', path)
    expect(status).toBe(200)
    found.push(...body.items.map(({ id }: { id: string }) => Number(id.slice('user-'.length))))
    sizes.push(body.items.length)
    costs.push(wholeCost.rowsRead)
    if (body.nextCursor === undefined) return { found, sizes, costs }
    cursor = `&cursor=${encodeURIComponent(body.nextCursor)}`
  }
}

const filter = (text: string) => `&filter=${encodeURIComponent(text)}`
const byGroup = (n: number) => FIRST(n) || SECOND(n)

describe('everybody of whom it is true, once', () => {
  test.each<[string, (n: number) => boolean]>([
    ['', () => true],
    [filter('active eq false'), INACTIVE],
    [filter('userName sw "u1199"'), n => String(n).startsWith('1199')],
    [filter('externalId eq "ext-77"'), n => n === 77],
    [filter('externalId eq "ext-77" or userName eq "u78@example.com"'), n => n === 77 || n === 78],
    [filter('meta.lastModified ge "1970-01-01T01:20:00Z"'), RARE],
    [filter('meta.lastModified ge "1970-01-01T00:00:00Z"'), () => true],
    ['&targetGroup=red', RED],
    [`&targetGroup=red${filter('active eq false')}`, n => RED(n) && INACTIVE(n)],
    ['&role=Admin', n => ADMIN(n) || byGroup(n)],
    ['&role=Admin&targetGroup=red', n => RED(n)],
    [`&role=Admin${filter('active eq false')}`, n => (ADMIN(n) || byGroup(n)) && INACTIVE(n)],
    [`&role=Admin${filter('userName eq "u10@example.com"')}`, n => n === 10],
    [`&role=Admin${filter('userName eq "u7@example.com"')}`, () => false],
    ['&role=Rare', RARE],
    [`&role=Rare${filter('active eq true')}`, RARE],
    ['&role=Crew', CREW],
    [`&role=Crew${filter('userName eq "u8001@example.com"')}`, n => n === 8_001],
    [`&role=Crew${filter('userName sw "u80"')}`, CREW],
    ['&role=Nothing', () => false],
  ])('%s', async (query, holds) => {
    const { found } = await pages(query)
    expect(found.toSorted((a, b) => a - b)).toEqual(numbers(holds))
  })

  test('who is in a group, be it small or large', async () => {
    for (const [id, holds] of [
      [groups.rare, RARE],
      [groups.first, FIRST],
    ] as const) {
      const { found } = await pages(filter(`groups.value eq "${id}"`))
      expect(found.toSorted((a, b) => a - b)).toEqual(numbers(holds))
    }
  })

  test('whatever the size of a page', async () => {
    const { found, sizes } = await pages(`&role=Rare`, 1)
    expect([found.toSorted((a, b) => a - b), sizes]).toEqual([
      [3, 11_999],
      [1, 1],
    ])
    expect((await pages(filter('active eq false'), 1)).found).toEqual(numbers(INACTIVE))
  })
})

test('who has a role by several ways comes with the first of them', async () => {
  const { found } = await pages('&role=Admin')
  const admins = numbers(ADMIN)
  expect(found.slice(0, admins.length)).toEqual(admins)
  const rest = new Set(found.slice(admins.length, admins.length + numbers(n => FIRST(n) && !ADMIN(n)).length))
  const [one, other] = groups.first < groups.second ? [FIRST, SECOND] : [SECOND, FIRST]
  expect([...rest].filter(n => !one(n) && other(n))).toEqual([])
})

test('a page ends after five thousand were looked at, and the next goes on', async () => {
  const { found, sizes, costs } = await pages(filter('active eq false'), 100)
  expect(found).toHaveLength(numbers(INACTIVE).length)
  expect(sizes.length).toBeGreaterThan(1)
  expect(sizes.length).toBeLessThanOrEqual(4)
  expect(Math.max(...costs)).toBeLessThanOrEqual(5_400 * 5 + 1_000)
})

test('what an index answers costs what it finds', async () => {
  for (const query of [
    'externalId eq "ext-77"',
    'userName eq "u10@example.com"',
    'meta.lastModified ge "1970-01-01T01:20:00Z"',
  ]) {
    const { costs } = await pages(filter(query))
    expect([query, costs.length]).toEqual([query, 1])
    expect(costs[0]).toBeLessThanOrEqual(150)
  }
})

test('a filter that finds a group besides somebody costs the same however large the group is', async () => {
  const everybody = await client.group('Everybody')
  await client.rows(
    `INSERT INTO members (tenant_id, group_id, member_id, type, version)
      SELECT ?1, ?2, 'user-' || value, 'User', 'v' FROM json_each(?3)`,
    everybody,
    JSON.stringify(numbers(n => !DELETED(n))),
  )
  const costOf = async (id: string) => {
    const text = `groups.value eq "${id}" or userName eq "u10@example.com"`
    return (await admin('GET', `/tenants/${client.slug}/users?limit=500${filter(text)}`)).wholeCost.rowsRead
  }
  expect(await costOf(everybody)).toBeLessThanOrEqual(await costOf(groups.first))
})

test('fifty names at once are one page, whoever calls people so', async () => {
  for (const name of ['externalId', 'userName', 'emails.value', 'title']) {
    const terms = Array.from({ length: 50 }, (_, i) => `${name} eq "ext-${20 + i}"`)
    const { found } = await pages(filter(terms.join(' or ')))
    const here = name === 'externalId' ? numbers(n => n >= 20 && n < 70) : []
    expect([name, found]).toEqual([name, here])
  }
})

test('a cursor is of the list that it comes from', async () => {
  const at = `/tenants/${client.slug}/users?limit=1`
  const { body } = await admin('GET', `${at}&role=Admin`)
  for (const other of ['', '&role=Rare', '&targetGroup=red', filter('active eq true')])
    expect((await admin('GET', `${at}${other}&cursor=${encodeURIComponent(body.nextCursor)}`)).status).toBe(
      400,
    )
})
