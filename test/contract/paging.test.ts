// Sorting (RFC 7644 §3.4.2.3) and paging by cursor (RFC 9865), over HTTP.
import { beforeAll, describe, expect, it, vi } from 'vitest'
import {
  type Connection,
  expectError,
  LIST_RESPONSE,
  newGroup,
  newTenant,
  newUser,
  SEARCH_REQUEST,
  type Tenant,
} from './world'

vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 })

let tenant: Tenant
let connection: Connection

/** Titles in the order they were created; some have none, some differ only in case. */
const TITLES = ['beta', undefined, 'Alpha', 'gamma', 'alpha', undefined, 'Émile', 'zeta', 'Beta', 'delta']

beforeAll(async () => {
  tenant = await newTenant()
  connection = await tenant.connect()
  for (const [i, title] of TITLES.entries())
    await connection.scim.post('/Users', {
      ...newUser({ userName: `u${i}@example.com` }),
      title,
      emails: [
        { type: 'home', value: `${9 - i}@home.example` },
        { type: 'work', value: `${(i * 7) % 10}@work.example`, primary: i % 2 === 0 },
      ],
    })
})

async function order(query: string): Promise<(string | undefined)[]> {
  const { status, body } = await connection.scim.get(`/Users?attributes=title,emails,userName&${query}`)
  expect(status).toBe(200)
  return body.Resources.map(user => (user as unknown as { title?: string }).title)
}

/** Walks from cursor to cursor; the userNames in their order, and how many pages it took. */
async function walk(path: string): Promise<{ names: string[]; pages: number }> {
  const names: string[] = []
  for (let pages = 1, cursor = ''; ; pages++) {
    const { status, body } = await connection.scim.get(`${path}&cursor=${cursor}`)
    expect(status).toBe(200)
    expect(body.schemas).toEqual([LIST_RESPONSE])
    expect(body.totalResults).toBe(TITLES.length)
    expect(body.itemsPerPage).toBe(body.Resources.length)
    expect(body).not.toHaveProperty('startIndex')
    names.push(...body.Resources.map(user => String(user.userName)))
    const next = (body as unknown as { nextCursor?: string }).nextCursor
    if (next === undefined) return { names, pages }
    expect(next).toMatch(/^[A-Za-z0-9._~-]+$/)
    cursor = next
  }
}

describe('sorting', () => {
  it('RFC-110, RFC-111 ascending by default, without case, equal ones in order of creation, no value last', async () => {
    expect(await order('sortBy=title')).toEqual([
      ...['Alpha', 'alpha', 'beta', 'Beta', 'delta', 'gamma', 'zeta', 'Émile'],
      ...[undefined, undefined],
    ])
  })

  it('RFC-111 descending: no value first', async () => {
    expect((await order('sortBy=title&sortOrder=descending')).slice(0, 4)).toEqual([
      ...[undefined, undefined],
      ...['Émile', 'zeta'],
    ])
  })

  it('RFC-111 a multi-valued attribute by its primary element, else its first; bare it means its value', async () => {
    const key = (i: number) => (i % 2 === 0 ? `${(i * 7) % 10}@work.example` : `${9 - i}@home.example`)
    const expected = TITLES.map((title, i) => ({ title, key: key(i), i }))
      .sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : a.i - b.i))
      .map(({ title }) => title)
    expect(await order('sortBy=emails.value')).toEqual(expected)
    expect(await order('sortBy=EMAILS')).toEqual(expected)
  })

  it('RFC-111 by a column, with a filter and a page of it', async () => {
    const all = await order('sortBy=meta.created&sortOrder=descending')
    expect(all).toEqual([...TITLES].reverse())
    expect(await order('sortBy=title&filter=title pr&startIndex=3&count=2')).toEqual(['beta', 'Beta'])
  })

  it('RFC-121 in a SearchRequest as well', async () => {
    const { body } = await connection.scim.post('/Users/.search', {
      schemas: [SEARCH_REQUEST],
      sortBy: 'userName',
      sortOrder: 'descending',
      count: 2,
    })
    expect(body.Resources.map(user => user.userName)).toEqual(['u9@example.com', 'u8@example.com'])
  })

  it('promise 7: what cannot be sorted by is refused', async () => {
    expectError(await connection.scim.get('/Users?sortBy=nosuch'), 400, 'invalidValue', /nosuch/)
    expectError(await connection.scim.get('/Users?sortBy=name'), 400, 'invalidValue', /sub-attribute/)
    expectError(
      await connection.scim.get('/Users?sortBy=title&sortOrder=up'),
      400,
      'invalidValue',
      /ascending/,
    )
  })
})

describe('cursors', () => {
  it.each([
    ["in the list's own order", ''],
    ['filtered', '&filter=userName sw "u"'],
    ['sorted', '&sortBy=title'],
    ['sorted descending', '&sortBy=title&sortOrder=descending'],
    ['sorted and filtered', '&sortBy=emails.value&filter=not (title eq "nobody")'],
  ])('RFC-117 pages %s are the list in its order, each once', async (_name, query) => {
    const { body } = await connection.scim.get(`/Users?count=100${query}`)
    const whole = body.Resources.map(user => String(user.userName))
    for (const count of [1, 3, 5, 10])
      expect(await walk(`/Users?count=${count}${query}`)).toEqual({
        names: whole,
        pages: Math.ceil(10 / count),
      })
  })

  it('RFC-117 somebody deleted or created meanwhile neither doubles nor hides the others', async () => {
    const other = await tenant.connect()
    const made = await Promise.all(
      [0, 1, 2, 3].map(() => other.scim.post('/Users', newUser({ title: 'passing' }))),
    )
    const first = await other.scim.get('/Users?filter=title eq "passing"&count=2&cursor=')
    await other.scim.delete(`/Users/${first.body.Resources[0]?.id}`)
    const late = await other.scim.post('/Users', newUser({ title: 'passing' }))
    const next = (first.body as unknown as { nextCursor: string }).nextCursor
    const second = await other.scim.get(`/Users?filter=title eq "passing"&count=10&cursor=${next}`)
    const seen = [...first.body.Resources, ...second.body.Resources].map(({ id }) => id)
    expect(seen.sort()).toEqual([...made, late].map(({ body }) => body.id).sort())
    for (const id of seen) await other.scim.delete(`/Users/${id}`)
  })

  it('RFC-118, RFC-119 a cursor that is forged, of another question, list, connection or tenant: all alike', async () => {
    const { body } = await connection.scim.get('/Users?count=1&cursor=')
    const cursor = (body as unknown as { nextCursor: string }).nextCursor
    const stranger = await (await newTenant()).connect()
    const colleague = await tenant.connect()
    const replies = [
      await connection.scim.get('/Users?count=1&cursor=garbage'),
      await connection.scim.get(
        `/Users?count=1&cursor=${cursor.slice(0, -2)}${cursor.endsWith('AA') ? 'BB' : 'AA'}`,
      ),
      await connection.scim.get(`/Users?count=1&filter=title pr&cursor=${cursor}`),
      await connection.scim.get(`/Users?count=1&sortBy=title&cursor=${cursor}`),
      await connection.scim.get(`/Groups?count=1&cursor=${cursor}`),
      await colleague.scim.get(`/Users?count=1&cursor=${cursor}`),
      await stranger.scim.get(`/Users?count=1&cursor=${cursor}`),
    ]
    for (const reply of replies) {
      expectError(reply, 400, 'invalidCursor')
      expect(reply.text).toBe(replies[0]?.text)
    }
  })

  it('RFC-118 an old cursor is expiredCursor, a count that is no number invalidCount', async () => {
    const { body } = await connection.scim.get('/Users?count=1&cursor=')
    const cursor = (body as unknown as { nextCursor: string }).nextCursor
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 3_601_000 })
    try {
      expectError(await connection.scim.get(`/Users?count=1&cursor=${cursor}`), 400, 'expiredCursor')
    } finally {
      vi.useRealTimers()
    }
    expectError(await connection.scim.get('/Users?count=many&cursor='), 400, 'invalidCount')
  })

  it('RFC-110, RFC-120 ServiceProviderConfig says so', async () => {
    const { body } = await connection.scim.get('/ServiceProviderConfig')
    expect(body).toMatchObject({
      sort: { supported: true },
      pagination: { cursor: true, index: true, defaultPaginationMethod: 'index', cursorTimeout: 3600 },
    })
  })
})

describe('all types in one list', () => {
  it('RFC-90, RFC-122 GET at the root and .search: users, then groups, with positions through both', async () => {
    const one = await (await newTenant()).connect()
    for (const n of [1, 2, 3]) await one.scim.post('/Users', newUser({ displayName: `Ada ${n}` }))
    for (const n of [1, 2]) await one.scim.post('/Groups', newGroup({ displayName: `Ada's ${n}` }))
    const names = async (query: string) => {
      const { status, body } = await one.scim.get(`/?${query}`)
      expect(status).toBe(200)
      return { total: body.totalResults, names: body.Resources.map(({ displayName }) => displayName) }
    }
    const all = ['Ada 1', 'Ada 2', 'Ada 3', "Ada's 1", "Ada's 2"]
    expect(await names('filter=displayName sw "ada"')).toEqual({ total: 5, names: all })
    expect(await names('startIndex=3&count=2')).toEqual({ total: 5, names: all.slice(2, 4) })
    expect(await names('startIndex=5&count=2')).toEqual({ total: 5, names: all.slice(4) })
    expect(await names('count=2')).toEqual({ total: 5, names: all.slice(0, 2) })
    expect(await names('filter=meta.resourceType eq "Group"')).toEqual({ total: 2, names: all.slice(3) })
    const { body } = await one.scim.post('/.search', {
      schemas: [SEARCH_REQUEST],
      filter: 'userName pr',
      count: 1,
    })
    expect(body).toMatchObject({ totalResults: 3, itemsPerPage: 1, startIndex: 1 })
  })

  it('RFC-90 an attribute that a type lacks is no value; one that none has is refused', async () => {
    const { scim } = connection
    expect((await scim.get('/?filter=userName eq "u1@example.com"')).body.totalResults).toBe(1)
    expectError(await scim.get('/?filter=nosuch eq "x"'), 400, 'invalidFilter')
    expectError(await scim.get('/?sortBy=id'), 400, 'invalidValue')
    expectError(await scim.get('/?cursor='), 400, 'invalidCursor')
    expectError(await scim.put('/', {}), 405)
  })
})
