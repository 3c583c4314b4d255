// The directory API and app keys as an application and an operator meet them, over HTTP: who may read, that no way to
// lose access is missing in the feed and nothing is ever missed in it, and what a read costs.
import { createScheduledController } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { beforeAll, describe, expect, it } from 'vitest'
import { sessionCheck } from '../../examples/session-check/session-check.mjs'
import { continueJob } from '../../src/administration/jobs'
import { serviceOf } from '../../src/env'
import worker from '../../src/index'
import { send as metered, rows } from '../storage/world'
import {
  ADMIN_TOKEN,
  admin,
  type Body,
  newTenant,
  newUser,
  ORIGIN,
  type Reply,
  readReply,
  scimClient,
  type Tenant,
  UNKNOWN_ID,
  withBindings,
} from './world'

interface AppKey {
  readonly id: string
  readonly value: string
  readonly hint: string
  readonly name: string | null
  readonly createdAt: string
}

interface Revocation {
  readonly userId: string
  readonly userName: string
  readonly externalId: string | null
  readonly notBefore: number
  readonly epoch: number
  readonly reason: string
  readonly at: string
}

interface Page<Item> {
  readonly items: Item[]
  readonly nextCursor: string
}

const toWorker = withBindings({})
const newKey = ({ at }: Tenant, body: object = {}) => admin<AppKey>('POST', `${at}/app-keys`, body)

/** An application with a key of the tenant. */
function application(slug: string, key: string | undefined, fetch = toWorker) {
  const base = `${ORIGIN}/directory/v1/tenants/${slug}`
  async function send<B = Body>(path: string, init: RequestInit = {}): Promise<Reply<B>> {
    const headers = new Headers(init.headers)
    if (key !== undefined && !headers.has('authorization')) headers.set('authorization', `Bearer ${key}`)
    return readReply<B>(await fetch(new Request(base + path, { ...init, headers })))
  }
  return {
    base,
    send,
    get: <B = Body>(path: string, headers: Record<string, string> = {}) => send<B>(path, { headers }),
    /** The whole feed behind a cursor, page by page; it must be a feed. */
    async revocations(since?: string, limit = 500): Promise<Page<Revocation>> {
      const items: Revocation[] = []
      for (let cursor = since; ; ) {
        const at = cursor === undefined ? '' : `&since=${encodeURIComponent(cursor)}`
        const reply = await send<Page<Revocation>>(`/revocations?limit=${limit}${at}`)
        expect(reply).toMatchObject({ status: 200 })
        items.push(...reply.body.items)
        cursor = reply.body.nextCursor
        if (reply.body.items.length === 0) return { items, nextCursor: cursor }
      }
    },
  }
}

async function newReader() {
  const tenant = await newTenant()
  const key = await newKey(tenant)
  return { tenant, key, app: application(tenant.slug, key.value) }
}

function expectProblem(reply: Reply<unknown>, status: number, detail: RegExp = /./) {
  expect({ status: reply.status, text: reply.text.slice(0, 500) }).toMatchObject({ status })
  expect(reply.headers.get('content-type')).toBe('application/problem+json')
  expect(reply.headers.get('cache-control')).toBe('no-store')
  expect(reply.body).toMatchObject({ type: 'about:blank', status, detail: expect.stringMatching(detail) })
  expect(reply.text.length).toBeLessThan(1000)
}

const seen = ({ status, headers, text }: Reply<unknown>) => ({ status, headers: [...headers], text })
const deactivate = (tenant: Tenant, id: string) =>
  tenant.scim.patch(`/Users/${id}`, [{ op: 'replace', path: 'active', value: false }])
const activate = (tenant: Tenant, id: string) =>
  tenant.scim.patch(`/Users/${id}`, [{ op: 'replace', path: 'active', value: true }])
const revoke = (tenant: Tenant, id: string) => admin('POST', `${tenant.at}/users/${id}/revoke-sessions`)

describe('an app key', () => {
  it('is made, shown once, listed without its value and revoked at once', async () => {
    const tenant = await newTenant()
    const key = await newKey(tenant, { name: 'Our application' })
    expect(key).toEqual({
      id: expect.any(String),
      value: expect.stringMatching(/^eskey_[\w-]{96}$/),
      hint: key.value.slice(-4),
      name: 'Our application',
      createdAt: expect.stringMatching(/Z$/),
    })
    const app = application(tenant.slug, key.value)
    expect((await app.get('/users')).status).toBe(200)
    await toWorker.settled()
    const second = await newKey(tenant)
    const list = await admin<Page<AppKey>>('GET', `${tenant.at}/app-keys`)
    expect(list.items).toEqual([
      {
        id: key.id,
        name: 'Our application',
        hint: key.hint,
        createdAt: key.createdAt,
        lastUsedAt: expect.stringMatching(/Z$/),
      },
      { id: second.id, name: null, hint: second.hint, createdAt: second.createdAt, lastUsedAt: null },
    ])
    await admin('DELETE', `${tenant.at}/app-keys/${key.id}`)
    expectProblem(await app.get('/users'), 401)
    expect((await application(tenant.slug, second.value).get('/users')).status).toBe(200)
    await expect(admin('DELETE', `${tenant.at}/app-keys/${key.id}`)).rejects.toThrow('404')
  })

  it('is stored as a hash: its value is nowhere in the database', async () => {
    const { key } = await newReader()
    const [row] = await rows('SELECT * FROM app_keys WHERE id = ?', key.id)
    expect(row?.hash).toMatch(/^[0-9a-f]{64}$/)
    expect(JSON.stringify(row)).not.toContain(key.value.slice(6, 60))
  })

  it('of another tenant can neither be seen nor revoked by way of this one', async () => {
    const one = await newReader()
    const other = await newReader()
    await expect(admin('DELETE', `${other.tenant.at}/app-keys/${one.key.id}`)).rejects.toThrow('404')
    expect((await admin<Page<AppKey>>('GET', `${other.tenant.at}/app-keys`)).items).toMatchObject([
      { id: other.key.id },
    ])
    expect((await one.app.get('/users')).status).toBe(200)
  })

  it.each([[{ name: '' }], [{ name: 'a\u0007b' }], [{ name: 'x'.repeat(256) }], [{ scope: 'write' }]])(
    'is not made of %j',
    async body => {
      const tenant = await newTenant()
      await expect(newKey(tenant, body)).rejects.toThrow('422')
      expect((await admin<Page<AppKey>>('GET', `${tenant.at}/app-keys`)).items).toEqual([])
    },
  )

  it('is described with the other calls', async () => {
    const { paths } = await admin<{ paths: Record<string, object> }>('GET', '/openapi.json')
    expect(paths['/tenants/{slug}/app-keys']).toHaveProperty('post')
    expect(paths['/tenants/{slug}/app-keys/{id}']).toHaveProperty('delete')
    const own = await readReply<{ paths: object }>(
      await toWorker(new Request(`${ORIGIN}/directory/v1/openapi.json`)),
    )
    expect(own.status).toBe(200)
    expect(Object.keys(own.body.paths)).toEqual([
      '/tenants/{slug}/users',
      '/tenants/{slug}/users/{id}',
      '/tenants/{slug}/target-groups',
      '/tenants/{slug}/roles',
      '/tenants/{slug}/revocations',
    ])
  })
})

describe('who may read', () => {
  let reader: Awaited<ReturnType<typeof newReader>>
  let other: Awaited<ReturnType<typeof newReader>>
  beforeAll(async () => {
    reader = await newReader()
    other = await newReader()
  })

  it.each(['Bearer', 'bearer', 'BEARER', 'Bearer  '])('whoever sends the key as %j', async scheme => {
    const reply = await reader.app.get('/users', { authorization: `${scheme} ${reader.key.value}` })
    expect(reply.status).toBe(200)
  })

  it('nobody else, and every wrong key, tenant, path and method is answered alike, byte by byte', async () => {
    const revoked = await newKey(reader.tenant)
    await admin('DELETE', `${reader.tenant.at}/app-keys/${revoked.id}`)
    const { value } = reader.key
    const flipped = value.slice(0, 40) + (value[40] === 'A' ? 'B' : 'A') + value.slice(41)
    const authorizations: (string | undefined)[] = [
      undefined,
      '',
      value,
      `Basic ${btoa(`scim:${value}`)}`,
      `Bearer ${value} ${value}`,
      `Bearer ${value.slice(0, -1)}`,
      `Bearer ${value}A`,
      `Bearer ${flipped}`,
      `Bearer ${revoked.value}`,
      `Bearer ${other.key.value}`,
      `Bearer ${ADMIN_TOKEN}`,
      `Bearer ${reader.tenant.connection.token.value}`,
      `Bearer ${reader.tenant.connection.token.value.replace('escim_', 'eskey_')}`,
    ]
    const replies: Reply<unknown>[] = []
    for (const authorization of authorizations)
      for (const path of ['/users', '/users/x', '/revocations?since=x', '/users?filter=((', '/nowhere'])
        for (const method of ['GET', 'DELETE'])
          replies.push(
            await application(reader.tenant.slug, undefined).send(path, {
              method,
              headers: authorization === undefined ? {} : { authorization },
            }),
          )
    for (const slug of ['unknown', other.tenant.slug, '%00', 'x'.repeat(500)])
      replies.push(await application(slug, value).get('/users'))
    const [first, ...rest] = replies
    if (!first) throw new Error('no reply')
    expectProblem(first, 401, /app key/)
    expect(first.headers.get('www-authenticate')).toBe('Bearer realm="edge-scim directory"')
    for (const reply of rest) expect(seen(reply)).toEqual(seen(first))
  })

  it('no identity provider: the key is no SCIM token, in whatever way it is sent', async () => {
    const { base } = reader.tenant.scim
    const { value } = reader.key
    for (const authorization of [
      `Bearer ${value}`,
      value,
      `Basic ${btoa(`scim:${value}`)}`,
      `Bearer ${value.replace('eskey_', 'escim_')}`,
    ])
      expect((await scimClient(base, authorization).get('/Users')).status).toBe(401)
    await expect(
      toWorker(new Request(`${ORIGIN}/admin/v1/tenants`, { headers: { authorization: `Bearer ${value}` } })),
    ).resolves.toMatchObject({ status: 401 })
  })

  it('a forged key is refused before D1 is asked; a good one is read for in one round trip', async () => {
    const forged = `eskey_${'A'.repeat(96)}`
    const ask = (key: string, path: string) =>
      metered('GET', reader.app.base + path, { authorization: `Bearer ${key}` })
    await reader.app.get('/users')
    await toWorker.settled()
    const user = await reader.tenant.user()
    for (const path of ['/users', `/users/${user.id}`, '/revocations', '/users?role=x']) {
      expect((await ask(forged, path)).wholeCost.calls).toBe(0)
      const good = await ask(reader.key.value, path)
      expect(good).toMatchObject({ status: 200, wholeCost: { calls: 1 } })
    }
  })

  it('failed keys count against the limit of their address, good ones do not', async () => {
    const counted: string[] = []
    const limit = async ({ key }: { key: string }) => ({ success: counted.push(key) <= 2 })
    const fetch = withBindings({ FAILED_CREDENTIAL_LIMIT: { limit } as RateLimit })
    const headers = { 'cf-connecting-ip': '203.0.113.7' }
    const bad = application(reader.tenant.slug, other.key.value, fetch)
    const good = application(reader.tenant.slug, reader.key.value, fetch)
    expectProblem(await bad.get('/users', headers), 401)
    expectProblem(await bad.get('/revocations', headers), 401)
    const refused = await bad.get('/users', headers)
    expectProblem(refused, 429)
    expect(refused.headers.get('retry-after')).toMatch(/^\d+$/)
    expect((await good.get('/users', headers)).status).toBe(200)
    expect(counted).toEqual(Array(3).fill('203.0.113.7'))
  })

  it('an application of a suspended tenant: who lost access is what it must learn', async () => {
    const { tenant, app } = await newReader()
    const user = await tenant.user()
    await tenant.setStatus('suspended')
    expect((await app.revocations()).items).toMatchObject([{ userId: user.id, reason: 'tenant_suspended' }])
    expect((await app.get('/users')).status).toBe(200)
  })

  it('an application of a tenant that is being deleted, until it is gone', async () => {
    const { tenant, key, app } = await newReader()
    const user = await tenant.user()
    // A delivery that waits for its receiver holds the rows up.
    const hook = { kind: 'webhook', url: 'https://receiver.example.com/hook' }
    const receiver = await admin('POST', `${tenant.at}/receivers`, hook)
    await admin('PATCH', `${tenant.at}/receivers/${receiver.id}`, { status: 'paused' })
    const { id } = await admin('DELETE', `${tenant.at}?deactivateUsers=true`)
    expect((await app.revocations()).items).toMatchObject([{ userId: user.id, reason: 'tenant_deleted' }])
    await expect(newKey(tenant)).rejects.toThrow('409')
    await rows("UPDATE deliveries SET state = 'dead' WHERE tenant_id = ?", id)
    const [job] = await rows('SELECT id FROM jobs WHERE tenant_id = ?', id)
    await continueJob(await serviceOf(env), { tenantId: id, jobId: String(job?.id) })
    expectProblem(await application(tenant.slug, key.value).get('/users'), 401)
    for (const table of ['app_keys', 'revocations'])
      expect(await rows(`SELECT * FROM ${table} WHERE tenant_id = ?`, id)).toEqual([])
  })
})

describe('users', () => {
  it('are shown as the operator sees them, and filtered alike', async () => {
    const { tenant, app } = await newReader()
    const ada = await tenant.user({ userName: 'ada@example.com' })
    const bob = await tenant.user({ userName: 'bob@example.com' })
    await deactivate(tenant, bob.id)
    for (const query of [
      '',
      '?limit=1',
      `?filter=${encodeURIComponent('userName sw "ada"')}`,
      `?filter=${encodeURIComponent('active eq false')}`,
      `?filter=${encodeURIComponent(`externalId eq "${ada.externalId}"`)}`,
      '?role=nobody',
      '?targetGroup=nothing',
    ]) {
      const here = (await app.get<Page<Body>>(`/users${query}`)).body
      expect(here).toEqual(await admin('GET', `${tenant.at}/users${query}`))
    }
    expect((await app.get(`/users/${bob.id}`)).body).toEqual(
      await admin('GET', `${tenant.at}/users/${bob.id}`),
    )
    expect((await app.get(`/users/${bob.id}`)).body).toMatchObject({
      userName: 'bob@example.com',
      active: false,
    })
  })

  it('come in pages without gaps and repetitions', async () => {
    const { tenant, app } = await newReader()
    const ids: string[] = []
    for (let i = 0; i < 7; i++) ids.push((await tenant.user()).id)
    const found: string[] = []
    for (let query = '?limit=2'; ; ) {
      const { body } = await app.get<Page<Body>>(`/users${query}`)
      found.push(...body.items.map(({ id }) => id))
      if (body.nextCursor === undefined) break
      query = `?limit=2&cursor=${encodeURIComponent(body.nextCursor)}`
    }
    expect(found).toEqual(ids)
  })

  it("can be filtered by a tenant's own attributes from the request after they were declared", async () => {
    const { tenant, app } = await newReader()
    const urn = 'urn:example:badge:1.0:User'
    const filter = `?filter=${encodeURIComponent(`${urn}:badge eq "b1"`)}`
    expectProblem(await app.get(`/users${filter}`), 400)
    await admin('PUT', `${tenant.at}/schemas/${urn}?extends=User`, {
      name: 'Badge',
      attributes: [{ name: 'badge', type: 'string' }],
    })
    const user = await tenant.user({ schemas: [...newUser().schemas, urn], [urn]: { badge: 'b1' } })
    expect((await app.get<Page<Body>>(`/users${filter}`)).body.items).toMatchObject([{ id: user.id }])
  })

  it('of another tenant are unknown ids', async () => {
    const one = await newReader()
    const other = await newReader()
    const user = await other.tenant.user()
    const foreign = await one.app.get(`/users/${user.id}`)
    expectProblem(foreign, 404)
    expect(seen(foreign)).toEqual(seen(await one.app.get(`/users/${UNKNOWN_ID}`)))
    expect((await one.app.get<Page<Body>>('/users')).body.items).toEqual([])
  })

  it.each([
    '/users?limit=0',
    '/users?limit=x',
    '/users?colour=red',
    '/users?limit=1&limit=2',
    '/users?cursor=x',
    '/users?__proto__=x',
    `/users?filter=${encodeURIComponent('userName eq')}`,
    `/users?filter=${'('.repeat(8_000)}`,
    `/users?filter=${encodeURIComponent(Array(60).fill('userName eq "a"').join(' or '))}`,
    `/users?filter=${encodeURIComponent(`userName eq "${'a'.repeat(9_000)}"`)}`,
    `/users/${UNKNOWN_ID}?colour=red`,
    '/revocations?limit=-1',
    '/revocations?cursor=x',
    '/revocations?since=',
    '/revocations?since=x',
    '/revocations?since=a&since=b',
    `/revocations?since=${'A'.repeat(2_000)}`,
  ])('refuses %.60s as a bad request', async path => {
    const { app } = await newReader()
    expectProblem(await app.get(path), 400)
  })

  it.each(['/users/%00', "/users/'%20OR%201=1--", `/users/${'x'.repeat(3_000)}`, '/users/%F0%9F%92%A9'])(
    'knows nobody at %.30s',
    async path => {
      const { app } = await newReader()
      expectProblem(await app.get(path), 404)
    },
  )
})

describe('only reading', () => {
  it('is what the directory is for: other methods are 405, HEAD is GET without its body', async () => {
    const { tenant, app } = await newReader()
    const user = await tenant.user()
    const paths = ['/users', `/users/${user.id}`, '/revocations']
    for (const path of paths) {
      for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']) {
        const body = method === 'OPTIONS' ? {} : { body: '{"active":true}' }
        const reply = await app.send(path, { method, ...body })
        expectProblem(reply, 405)
        expect(reply.headers.get('allow')).toBe('GET, HEAD')
      }
      const head = await app.send(path, { method: 'HEAD' })
      expect(head).toMatchObject({ status: 200, text: '' })
      expect(head.headers.get('etag')).toBe((await app.get(path)).headers.get('etag'))
    }
    expect((await app.get(`/users/${user.id}`)).status).toBe(200)
  })

  it('knows its paths only', async () => {
    const { app } = await newReader()
    for (const path of ['', '/', '/nowhere', '/users/a/b', '/Users', '/revocations/x'])
      expectProblem(await app.get(path), 404)
    expectProblem(await readReply(await toWorker(new Request(`${ORIGIN}/directory/v1/tenants`))), 404)
  })
})

describe('ETag', () => {
  it('of a reply answers 304 until the reply would be another; both are private and fresh for seconds', async () => {
    const { tenant, app } = await newReader()
    const user = await tenant.user()
    for (const path of ['/users', `/users/${user.id}`, '/revocations']) {
      const first = await app.get(path)
      const etag = first.headers.get('etag') ?? ''
      expect(etag).toMatch(/^"[^"]{20,}"$/)
      for (const tag of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
        const again = await app.get(path, { 'if-none-match': tag })
        expect(again).toMatchObject({ status: 304, text: '' })
        for (const name of ['etag', 'cache-control', 'vary'])
          expect(again.headers.get(name)).toBe(first.headers.get(name))
      }
      expect(first.headers.get('cache-control')).toBe('private, max-age=5')
      expect(first.headers.get('vary')).toBe('Authorization')
      await revoke(tenant, user.id)
      const changed = await app.get(path, { 'if-none-match': etag })
      expect(changed.status).toBe(200)
      expect(changed.headers.get('etag')).not.toBe(etag)
    }
  })

  it('does not let a revoked key go on', async () => {
    const { tenant, key, app } = await newReader()
    const etag = (await app.get('/users')).headers.get('etag') ?? ''
    await admin('DELETE', `${tenant.at}/app-keys/${key.id}`)
    expectProblem(await app.get('/users', { 'if-none-match': etag }), 401)
  })
})

describe('the revocation feed', () => {
  type Way = (tenant: Tenant, user: Body) => Promise<unknown>
  const ways: [string, string, Way][] = [
    ['PATCH active false', 'deactivated', (tenant, user) => deactivate(tenant, user.id)],
    [
      'PATCH as Entra sends it',
      'deactivated',
      (tenant, user) =>
        tenant.scim.patch(`/Users/${user.id}`, [{ op: 'Replace', path: 'active', value: 'False' }]),
    ],
    [
      'PATCH with another attribute',
      'deactivated',
      (tenant, user) =>
        tenant.scim.patch(`/Users/${user.id}`, [{ op: 'replace', value: { active: false, title: 'Gone' } }]),
    ],
    [
      'PUT',
      'deactivated',
      (tenant, user) =>
        tenant.scim.put(`/Users/${user.id}`, newUser({ userName: user.userName, active: false })),
    ],
    [
      'Bulk',
      'deactivated',
      (tenant, user) =>
        tenant.scim.post('/Bulk', {
          schemas: ['urn:ietf:params:scim:api:messages:2.0:BulkRequest'],
          Operations: [
            {
              method: 'PATCH',
              path: `/Users/${user.id}`,
              data: {
                schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
                Operations: [{ op: 'replace', path: 'active', value: false }],
              },
            },
          ],
        }),
    ],
    ['DELETE', 'deleted', (tenant, user) => tenant.scim.delete(`/Users/${user.id}`)],
    ['the operator', 'operator', (tenant, user) => revoke(tenant, user.id)],
    ['a suspended tenant', 'tenant_suspended', tenant => tenant.setStatus('suspended')],
    [
      'a deleted connection',
      'connection_deleted',
      tenant => admin('DELETE', `${tenant.at}/connections/${tenant.connection.id}?deactivateUsers=true`),
    ],
  ]
  it.each(ways)(
    'has who lost access by %s, once, with the epoch and notBefore of the event',
    async (_, reason, lose) => {
      const { tenant, app } = await newReader()
      const user = await tenant.user()
      const before = await app.revocations()
      expect(before.items).toEqual([])
      const events = await tenant.eventsOf(() => lose(tenant, user))
      const event = events.find(({ data }) => data.sessions === 'revoke_all')
      if (!event) throw new Error('no event')
      const { items } = await app.revocations(before.nextCursor)
      expect(items).toEqual([
        {
          userId: user.id,
          userName: event.data.user.userName,
          externalId: event.data.user.externalId,
          notBefore: event.data.notBefore,
          epoch: 1,
          reason,
          at: event.occurredAt,
        },
      ])
      expect(items[0]?.notBefore).toBe(Math.floor(Date.parse(event.occurredAt) / 1000))
    },
  )

  it('has nobody who did not lose access: joiners, changes, no-ops, refused requests', async () => {
    const { tenant, app } = await newReader()
    const user = await tenant.user()
    const inactive = await tenant.user({ active: false })
    await deactivate(tenant, inactive.id)
    await activate(tenant, inactive.id)
    await tenant.scim.patch(`/Users/${user.id}`, [{ op: 'replace', path: 'title', value: 'x' }])
    await tenant.group({ members: [{ value: user.id }] })
    expect((await tenant.scim.delete(`/Users/${user.id}`, undefined)).status).toBe(204)
    const other = await tenant.user()
    const refused = await tenant.scim.send(
      'PATCH',
      `/Users/${other.id}`,
      {
        schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
        Operations: [{ op: 'replace', path: 'active', value: false }],
      },
      { 'if-match': 'W/"other"' },
    )
    expect(refused.status).toBe(412)
    expect((await app.revocations()).items.map(({ userId }) => userId)).toEqual([user.id])
  })

  it('has each user once, behind everybody else when revoked again, with nothing lowered', async () => {
    const { tenant, app } = await newReader()
    const [ann, bob] = [await tenant.user(), await tenant.user()]
    await deactivate(tenant, ann.id)
    const afterAnn = (await app.revocations()).nextCursor
    await deactivate(tenant, bob.id)
    await activate(tenant, ann.id)
    expect((await app.revocations()).items.map(({ userId }) => userId)).toEqual([ann.id, bob.id])
    await revoke(tenant, ann.id)
    const all = (await app.revocations()).items
    expect(all.map(({ userId, epoch, reason }) => [userId, epoch, reason])).toEqual([
      [bob.id, 1, 'deactivated'],
      [ann.id, 2, 'operator'],
    ])
    expect((await app.revocations(afterAnn)).items).toEqual(all)
    const users = await admin<Page<{ id: string; sessionEpoch: number; sessionsNotBefore: string }>>(
      'GET',
      `${tenant.at}/users`,
    )
    for (const { userId, epoch, notBefore } of all) {
      const user = users.items.find(({ id }) => id === userId)
      expect(user).toMatchObject({ sessionEpoch: epoch })
      expect(Date.parse(user?.sessionsNotBefore ?? '') / 1000).toBe(notBefore)
    }
  })

  it('always says where to go on, and the same place while nothing is new', async () => {
    const { tenant, app } = await newReader()
    const empty = (await app.get<Page<Revocation>>('/revocations')).body
    expect(empty).toEqual({ items: [], nextCursor: expect.any(String) })
    expect((await app.revocations(empty.nextCursor)).nextCursor).toBe(empty.nextCursor)
    const user = await tenant.user()
    await deactivate(tenant, user.id)
    const { items, nextCursor } = (
      await app.get<Page<Revocation>>(`/revocations?since=${encodeURIComponent(empty.nextCursor)}`)
    ).body
    expect(items).toHaveLength(1)
    const then = await app.get<Page<Revocation>>(`/revocations?since=${encodeURIComponent(nextCursor)}`)
    expect(then.body).toEqual({ items: [], nextCursor })
  })

  it('takes no cursor of another tenant or of another list', async () => {
    const one = await newReader()
    const other = await newReader()
    await one.tenant.user()
    await one.tenant.user()
    const { nextCursor } = await other.app.revocations()
    expectProblem(await one.app.get(`/revocations?since=${encodeURIComponent(nextCursor)}`), 400, /since/)
    const users = (await one.app.get<Page<Body>>('/users?limit=1')).body.nextCursor
    expectProblem(await one.app.get(`/revocations?since=${encodeURIComponent(users)}`), 400)
    const own = (await one.app.revocations()).nextCursor
    expectProblem(await one.app.get(`/users?cursor=${encodeURIComponent(own)}`), 400)
  })

  it('has nobody of another tenant', async () => {
    const one = await newReader()
    const other = await newReader()
    await deactivate(other.tenant, (await other.tenant.user()).id)
    expect((await one.app.revocations()).items).toEqual([])
  })

  it('never lets a poller miss anybody, while revocations go on in between its pages', async () => {
    const { tenant, app } = await newReader()
    const users: Body[] = []
    for (let i = 0; i < 30; i++) users.push(await tenant.user())
    /** What the poller knows: the last of each user that it was told. */
    const known = new Map<string, number>()
    let since: string | undefined
    let busy = true
    const poll = async () => {
      const at = since === undefined ? '' : `&since=${encodeURIComponent(since)}`
      const { items, nextCursor } = (await app.get<Page<Revocation>>(`/revocations?limit=3${at}`)).body
      for (const { userId, epoch } of items) {
        expect(epoch).toBeGreaterThan(known.get(userId) ?? 0)
        known.set(userId, epoch)
      }
      since = nextCursor
      return items.length
    }
    const polling = (async () => {
      while (busy || (await poll()) > 0) await poll()
    })()
    // Each is revoked twice, in an order that moves those to the end that the poller is about to come to.
    await Promise.all(users.map(user => revoke(tenant, user.id)))
    await Promise.all(users.toReversed().map(user => deactivate(tenant, user.id)))
    busy = false
    await polling
    expect(known).toEqual(new Map(users.map(user => [user.id, 2])))
  })

  it('costs a handful of rows when nothing is new, whatever the feed holds', async () => {
    const { tenant, key, app } = await newReader()
    await deactivate(tenant, (await tenant.user()).id)
    const [{ id } = {}] = await rows('SELECT tenant_id AS id FROM tenants WHERE slug = ?', tenant.slug)
    await rows(
      `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
        INSERT INTO revocations (tenant_id, user_id, sequence, not_before, epoch, reason, at)
        SELECT ?, 'u' || i, 100 + i, 1, 1, 'deactivated', 1 FROM n`,
      id,
    )
    await toWorker.settled()
    const poll = (query: string) =>
      metered('GET', `${app.base}/revocations?${query}`, { authorization: `Bearer ${key.value}` })
    const first = await poll('limit=500')
    expect(first.body.items).toHaveLength(500)
    expect(first.wholeCost.rowsRead).toBeLessThan(1_100)
    let since = first.body.nextCursor
    for (let length = 500; length > 0; ) {
      const reply = await poll(`limit=500&since=${encodeURIComponent(since)}`)
      length = reply.body.items.length
      since = reply.body.nextCursor
    }
    const nothing = await poll(`since=${encodeURIComponent(since)}`)
    expect(nothing.body.items).toEqual([])
    expect(nothing.wholeCost).toMatchObject({ calls: 1 })
    expect(nothing.wholeCost.rowsRead).toBeLessThan(10)
  })

  it('keeps the deleted for 90 days, and everybody else for good', async () => {
    const { tenant, app } = await newReader()
    const [stays, late, gone] = [await tenant.user(), await tenant.user(), await tenant.user()]
    await deactivate(tenant, stays.id)
    await tenant.scim.delete(`/Users/${gone.id}`)
    await tenant.scim.delete(`/Users/${late.id}`)
    const days = (count: number) => Date.now() - count * 86_400_000
    await rows('UPDATE revocations SET deleted_at = ?2 WHERE user_id = ?1', gone.id, days(90) - 1_000)
    await rows('UPDATE revocations SET deleted_at = ?2 WHERE user_id = ?1', late.id, days(90) + 60_000)
    await rows('UPDATE revocations SET at = ?2 WHERE user_id = ?1', stays.id, days(900))
    await worker.scheduled(createScheduledController(), env)
    expect((await app.revocations()).items.map(({ userId }) => userId)).toEqual([stays.id, late.id])
  })

  it('has those whose sessions were ended before there was a feed, once it is migrated', async () => {
    const { tenant, app } = await newReader()
    const [ann, bob, eve] = [await tenant.user(), await tenant.user(), await tenant.user()]
    for (const { id } of [ann, bob, ann]) await revoke(tenant, id)
    await tenant.scim.delete(`/Users/${eve.id}`)
    const all = (await app.revocations()).items
    const kept = await rows('SELECT * FROM revocations ORDER BY tenant_id, user_id')
    const queries = env.TEST_MIGRATIONS.flatMap(migration => migration.queries)
    const fill = queries.find(query => /^(--.*\s)*INSERT INTO `revocations`/.test(query)) ?? ''
    await env.DB.batch([env.DB.prepare('DELETE FROM revocations'), env.DB.prepare(fill)])
    expect(all.map(({ userId }) => userId)).toEqual([bob.id, ann.id, eve.id])
    expect((await app.revocations()).items).toEqual(all)
    const made = await rows('SELECT * FROM revocations ORDER BY tenant_id, user_id')
    const ofTest = (row: { tenant_id?: unknown; user_id?: unknown }) =>
      [ann.id, bob.id, eve.id].includes(String(row.user_id))
    expect(made.filter(ofTest)).toEqual(kept.filter(ofTest))
  })

  it('is what examples/session-check goes by', async () => {
    const { tenant, key, app } = await newReader()
    const [ann, bob] = [await tenant.user(), await tenant.user()]
    let now = Date.now()
    const fetch = (url: string | URL | Request, init?: RequestInit) =>
      toWorker(new Request(url as string, init))
    const check = sessionCheck({ feed: `${app.base}/revocations`, key: key.value, now: () => now, fetch })
    const iat = now / 1000 - 60
    expect(await check.refusal(ann.id, iat)).toBeUndefined()
    await deactivate(tenant, ann.id)
    now += 5_000
    expect(await check.refusal(ann.id, iat)).toBe('revoked')
    expect(await check.refusal(ann.id, now / 1000)).toBeUndefined()
    expect(await check.refusal(bob.id, iat)).toBeUndefined()
    for (let poll = 0; poll < 2; poll++) {
      now += 5_000
      expect(await check.refusal(bob.id, iat)).toBeUndefined()
      expect(check.status()).toEqual({ staleSeconds: 0, subjects: 1, error: undefined })
    }
    await admin('DELETE', `${tenant.at}/app-keys/${key.id}`)
    now += 61_000
    expect(await check.refusal(bob.id, iat)).toBe('stale')
    expect(check.status().error).toContain('401')
  })
})
