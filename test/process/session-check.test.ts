// The example examples/session-check in plain Node, against a small feed on a real socket and a clock of the test.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { sessionCheck } from '../../examples/session-check/session-check.mjs'

const KEY = 'eskey_of-the-test'
const AT = Date.UTC(2026, 10, 21, 20)

interface Item {
  userId: string
  userName: string | null
  externalId: string | null
  notBefore: number
}

/** Items in their order; a cursor is how many came before. `answer` may be replaced to make it fail. */
async function startFeed() {
  const items: Item[] = []
  const asked: string[] = []
  const statuses: number[] = []
  const feed = {
    items,
    asked,
    statuses,
    url: '',
    answer(request: IncomingMessage, response: ServerResponse) {
      const query = new URL(request.url ?? '', 'http://feed').searchParams
      const since = Number(query.get('since') ?? 0)
      const page = items.slice(since, since + Number(query.get('limit')))
      const etag = `"${since}-${items.length}"`
      if (request.headers.authorization !== `Bearer ${KEY}`) return send(response, 401)
      if (Number.isNaN(since)) return send(response, 400)
      if (request.headers['if-none-match'] === etag) return send(response, 304)
      const body = { items: page, nextCursor: String(since + page.length) }
      response.writeHead(200, { 'content-type': 'application/json', etag }).end(JSON.stringify(body))
      statuses.push(200)
    },
    revoke: (userId: string, notBefore = AT / 1000) =>
      items.push({ userId, userName: `${userId}@Example.com`, externalId: null, notBefore }),
    close: async () => {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    },
  }
  const send = (response: ServerResponse, status: number) => {
    statuses.push(status)
    response.writeHead(status).end()
  }
  const server = createServer((request, response) => {
    asked.push(request.url ?? '')
    feed.answer(request, response)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  feed.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/revocations`
  return feed
}

const OLD = AT / 1000 - 100
const down = (_: IncomingMessage, response: ServerResponse) => void response.writeHead(503).end()

let feed: Awaited<ReturnType<typeof startFeed>>
let clock: number
const checkWith = (more: Partial<Parameters<typeof sessionCheck>[0]> = {}) =>
  sessionCheck({ feed: feed.url, key: KEY, now: () => clock, ...more })

beforeEach(async () => {
  feed = await startFeed()
  clock = AT
})
afterEach(() => feed.close())

describe('a session', () => {
  it('is refused when it began at or before notBefore, and is good when it began after it', async () => {
    feed.revoke('ann')
    const check = checkWith()
    expect(await check.refusal('ann', AT / 1000 - 1)).toBe('revoked')
    expect(await check.refusal('ann', AT / 1000)).toBe('revoked')
    expect(await check.refusal('ann', AT / 1000 + 1)).toBeUndefined()
    expect(await check.refusal('bob', 0)).toBeUndefined()
  })

  it.each([undefined, Number.NaN, 'yesterday'])('that began %s is refused, whoever it is', async iat => {
    expect(await checkWith().refusal('bob', iat as number)).toBe('revoked')
  })

  it('stays refused by the later of two revocations, in whatever order they are read', async () => {
    feed.revoke('ann', AT / 1000)
    feed.revoke('ann', AT / 1000 - 50)
    expect(await checkWith().refusal('ann', AT / 1000 - 10)).toBe('revoked')
  })

  it('is known by what the application says', async () => {
    feed.revoke('ann')
    const check = checkWith({ subjectOf: item => item.userName?.toLowerCase() ?? null })
    expect(await check.refusal('ann@example.com', OLD)).toBe('revoked')
    expect(await check.refusal('ann', OLD)).toBeUndefined()
  })

  it('is forgotten once all sessions of that time have ended by themselves', async () => {
    feed.revoke('ann')
    const check = checkWith({ sessionSeconds: 3600 })
    await check.refusal('ann', OLD)
    expect(check.status().subjects).toBe(1)
    clock += 3601_000
    await check.refusal('ann', clock / 1000)
    expect(check.status().subjects).toBe(0)
  })
})

describe('the feed', () => {
  it('is asked again after pollSeconds, from where it stopped, and with the ETag once nothing was new', async () => {
    feed.revoke('ann')
    const check = checkWith({ pollSeconds: 5 })
    await check.refusal('bob', OLD)
    clock += 4_999
    await check.refusal('bob', OLD)
    expect(feed.asked).toEqual(['/revocations?limit=500'])
    for (let poll = 0; poll < 3; poll++) {
      clock += 5_000
      expect(await check.refusal('bob', OLD)).toBeUndefined()
    }
    expect(feed.asked.slice(1)).toEqual(Array(3).fill('/revocations?limit=500&since=1'))
    expect(feed.statuses).toEqual([200, 200, 304, 304])
    feed.revoke('bob', clock / 1000)
    clock += 5_000
    expect(await check.refusal('bob', OLD)).toBe('revoked')
  })

  it('is read to its end, page by page', async () => {
    for (let i = 0; i < 1_234; i++) feed.revoke(`u${i}`)
    const check = checkWith()
    expect(await check.refusal('u1233', OLD)).toBe('revoked')
    expect(feed.asked).toHaveLength(3)
    expect(check.status()).toEqual({ staleSeconds: 0, subjects: 1_234, error: undefined })
  })

  it('that is longer than one poll reads is read on by the next; until then nobody is let in', async () => {
    for (let i = 0; i < 20_001; i++) feed.revoke(`u${i}`)
    const check = checkWith()
    expect(await check.refusal('bob', OLD)).toBe('stale')
    expect(check.status().error).toMatch(/longer/)
    expect(await check.refusal('u20000', OLD)).toBe('revoked')
    expect(await check.refusal('bob', OLD)).toBeUndefined()
  })

  it('that does not know its cursor any more is read from the beginning', async () => {
    feed.revoke('ann')
    const check = checkWith()
    await check.poll()
    const { answer } = feed
    feed.answer = (request, response) =>
      request.url?.includes('since=1') ? void response.writeHead(400).end() : answer(request, response)
    feed.items.length = 0
    feed.revoke('bob')
    await check.poll()
    expect(await check.refusal('bob', OLD)).toBe('revoked')
    expect(await check.refusal('ann', OLD)).toBe('revoked')
  })

  it('is asked by one of those who come at the same time; the others go by what is known', async () => {
    const check = checkWith()
    await check.poll()
    clock += 5_000
    await Promise.all(Array.from({ length: 20 }, () => check.refusal('bob', OLD)))
    expect(feed.asked).toHaveLength(2)
  })
})

describe('a feed out of reach', () => {
  it.each<['closed' | 'open', string | undefined]>([
    ['closed', 'stale'],
    ['open', undefined],
  ])('fails %s after maxStaleSeconds, not before, and revoked stays revoked', async (whenStale, then) => {
    feed.revoke('ann')
    const check = checkWith({ whenStale, maxStaleSeconds: 60 })
    await check.poll()
    const { answer } = feed
    feed.answer = down
    clock += 60_000
    expect(await check.refusal('bob', OLD)).toBeUndefined()
    expect(check.status()).toEqual({ staleSeconds: 60, subjects: 1, error: 'the feed answers 503' })
    clock += 1
    expect(await check.refusal('bob', OLD)).toBe(then)
    expect(await check.refusal('ann', OLD)).toBe('revoked')
    feed.answer = answer
    clock += 5_000
    expect(await check.refusal('bob', OLD)).toBeUndefined()
    expect(check.status()).toEqual({ staleSeconds: 0, subjects: 1, error: undefined })
  })

  it('lets nobody in before it was read once', async () => {
    feed.answer = down
    expect(await checkWith().refusal('bob', OLD)).toBe('stale')
    expect(await checkWith({ whenStale: 'open' }).refusal('bob', OLD)).toBeUndefined()
  })

  it('is not waited for by every request', async () => {
    feed.answer = down
    const check = checkWith()
    for (let i = 0; i < 10; i++) await check.refusal('bob', OLD)
    expect(feed.asked).toHaveLength(1)
    clock += 5_000
    await check.refusal('bob', OLD)
    expect(feed.asked).toHaveLength(2)
  })

  it('hangs for timeoutSeconds at most', async () => {
    feed.answer = () => undefined
    const check = checkWith({ timeoutSeconds: 0.05 })
    expect(await check.refusal('bob', OLD)).toBe('stale')
    expect(check.status().error).toMatch(/abort|timeout/i)
  })

  it.each<[string, (response: ServerResponse) => void, RegExp]>([
    ['a page of HTML', response => response.writeHead(200).end('<html>'), /JSON|token/i],
    ['JSON of something else', response => response.writeHead(200).end('{"items":1}'), /not the feed/],
    ['a redirect', response => response.writeHead(302, { location: '/elsewhere' }).end(), /302/],
    ['401', response => response.writeHead(401).end(), /401/],
  ])('is one that answers with %s', async (_, answer, error) => {
    feed.answer = (_request, response) => void answer(response)
    const check = checkWith()
    expect(await check.refusal('bob', OLD)).toBe('stale')
    expect(check.status().error).toMatch(error)
  })
})

describe('settings', () => {
  it('that cannot mean anything are refused at once', () => {
    expect(() => checkWith({ key: '' })).toThrow(/key/)
    expect(() => checkWith({ whenStale: 'maybe' as 'open' })).toThrow(/whenStale/)
  })
})
