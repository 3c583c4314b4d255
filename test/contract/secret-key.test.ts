// SECRET_KEY is rotated without anybody noticing: what the previous one made counts while it is given as well, and what
// is made meanwhile needs only the new one.
import { env } from 'cloudflare:workers'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { keysOf } from '../../src/storage/keys'
import { readCursor } from '../../src/storage/page-cursor'
import {
  ADMIN_TOKEN,
  admin,
  type Fetch,
  newTenant,
  ORIGIN,
  readReply,
  scimClient,
  withBindings,
} from './world'

afterEach(() => void vi.restoreAllMocks())

const NEXT = 'the-next-secret-key-0123456789abcdef'
const before = withBindings({})
const during = withBindings({ SECRET_KEY: NEXT, SECRET_KEY_PREVIOUS: env.SECRET_KEY })
const after = withBindings({ SECRET_KEY: NEXT })

async function send<B>(fetch: Fetch, path: string, key: string, method = 'GET', body?: object) {
  const headers = { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json' }
  const init = { method, headers, ...(body && { body: JSON.stringify(body) }) }
  return readReply<B>(await fetch(new Request(ORIGIN + path, init)))
}

const operator = <B>(fetch: Fetch, method: string, path: string, body?: object) =>
  send<B>(fetch, `/admin/v1${path}`, ADMIN_TOKEN, method, body)

describe('while SECRET_KEY_PREVIOUS is given', () => {
  it('tokens of before and of now count; without it only those of now', async () => {
    const { at, connection } = await newTenant()
    const users = (fetch: Fetch, token: string) =>
      scimClient(connection.baseUrl, `Bearer ${token}`, fetch).get('/Users')
    const old = connection.token.value
    expect((await users(during, old)).status).toBe(200)
    expect((await users(after, old)).status).toBe(401)

    const path = `${at}/connections/${connection.id}/tokens`
    const made = await operator<{ value: string }>(during, 'POST', path, { overlapSeconds: 3600 })
    expect((await users(before, made.body.value)).status).toBe(401)
    expect((await users(during, made.body.value)).status).toBe(200)
    expect((await users(after, made.body.value)).status).toBe(200)
  })

  it('app keys and the cursors of their feed count', async () => {
    const tenant = await newTenant()
    const user = await tenant.user()
    await tenant.scim.patch(`/Users/${user.id}`, [{ op: 'replace', path: 'active', value: false }])
    const { value } = await admin<{ value: string }>('POST', `${tenant.at}/app-keys`, {})
    const feed = `/directory/v1${tenant.at}/revocations`
    const { body } = await send<{ items: unknown[]; nextCursor: string }>(before, feed, value)
    expect(body.items).toHaveLength(1)
    const since = `${feed}?since=${encodeURIComponent(body.nextCursor)}`
    expect(await send(during, since, value)).toMatchObject({ status: 200, body: { items: [] } })
    expect((await send(after, since, value)).status).toBe(401)
  })

  it('receivers are told under the secrets that they have', async () => {
    const { at } = await newTenant()
    const { id } = await admin('POST', `${at}/receivers`, {
      kind: 'webhook',
      url: 'https://app.example/hook',
    })
    const sent: (string | null)[] = []
    vi.spyOn(globalThis, 'fetch').mockImplementation(async (_, init = {}) => {
      sent.push(new Headers(init.headers).get('webhook-signature'))
      return new Response(null, { status: 204 })
    })
    const test = async (fetch: Fetch) =>
      (await operator<{ delivered: boolean }>(fetch, 'POST', `${at}/receivers/${id}/test`)).body.delivered
    expect([await test(before), await test(during), await test(after)]).toEqual([true, true, false])

    const rotate = { overlapSeconds: 3600 }
    await operator(during, 'POST', `${at}/receivers/${id}/rotate-secret`, rotate)
    // The secret of before still signs beside the new one, so both keys are needed until the overlap is over.
    expect([await test(during), await test(after)]).toEqual([true, false])
    expect(sent.at(-1)?.split(' ')).toHaveLength(2)
    await operator(during, 'POST', `${at}/receivers/${id}/rotate-secret`, {})
    expect(await test(after)).toBe(true)
  })

  it('signing keys go on signing', async () => {
    const tenant = await newTenant()
    const user = await tenant.user()
    const evidence = `${tenant.at}/users/${user.id}/evidence`
    await operator(before, 'GET', `${tenant.at}/signing-keys`)
    expect((await operator(after, 'GET', evidence)).status).toBe(409)
    expect((await operator(during, 'GET', evidence)).status).toBe(200)
    const now = { signsAfterSeconds: 0, overlapSeconds: 0 }
    expect((await operator(during, 'POST', `${tenant.at}/signing-keys/rotate`, now)).status).toBe(201)
    expect((await operator(after, 'GET', evidence)).status).toBe(200)
  })
})

describe('two keys', () => {
  it('open what either has sealed, for its own context only', async () => {
    const old = await keysOf(env.SECRET_KEY)
    const both = await keysOf(NEXT, env.SECRET_KEY)
    const sealed = await old.seal('secret', 'here')
    expect(await both.open(sealed, 'here')).toBe('secret')
    await expect(both.open(sealed, 'there')).rejects.toThrow()
    await expect(old.open(await both.seal('secret', 'here'), 'here')).rejects.toThrow()
  })

  it('refuse what neither has made', async () => {
    const both = await keysOf(NEXT, env.SECRET_KEY)
    expect(
      await readCursor(both, 'a list', btoa('nobody has made this cursor').replaceAll('=', '')),
    ).toBeUndefined()
  })

  it('a previous key that is too short names its setting', async () => {
    const wrong = withBindings({ SECRET_KEY_PREVIOUS: 'short' })
    expect(await readReply(await wrong(new Request(`${ORIGIN}/healthz`)))).toMatchObject({
      status: 500,
      body: { detail: 'Wrong settings. SECRET_KEY_PREVIOUS: must have at least 32 characters.' },
    })
  })
})
