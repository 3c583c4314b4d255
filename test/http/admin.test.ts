// The admin API call by call: what it does, what it refuses and how, and that tenants cannot be told apart from
// what does not exist.
import { beforeAll, describe, expect, it, vi } from 'vitest'
import { adminApp, adminCalls } from '../../src/http/admin/app'
import { type Outcome, TenantDatabase } from '../../src/storage/tenant-database'
import { readToken } from '../../src/storage/tokens'
import {
  ADMIN_TOKEN,
  addActivity,
  addEvents,
  addUser,
  newOperator,
  ORIGIN,
  type Reply,
  read,
  write,
} from './operator'

let operator: Awaited<ReturnType<typeof newOperator>>
beforeAll(async () => {
  operator = await newOperator()
})

const UNKNOWN = '019aa000-0000-7000-8000-000000000000'
const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/

/** Problem+json with this status, naming these paths and no others. */
function expectProblem(reply: Reply, status: number, ...paths: string[]) {
  expect({ status: reply.status, text: reply.text }).toMatchObject({ status })
  expect(reply.headers.get('content-type')).toBe('application/problem+json')
  expect(reply.body).toMatchObject({ type: 'about:blank', status })
  expect(reply.body.title).toEqual(expect.any(String))
  expect(reply.body.detail).toEqual(expect.any(String))
  if (paths.length > 0)
    expect(reply.body.errors.map((error: { path: string }) => error.path).sort()).toEqual([...paths].sort())
}

/** Every item of a list, page by page. */
async function pages(
  path: string,
  limit: number,
): Promise<{ items: Record<string, unknown>[]; pages: number }> {
  const items: Record<string, unknown>[] = []
  const joint = path.includes('?') ? '&' : '?'
  let cursor = ''
  for (let count = 1; ; count++) {
    const reply = await operator.get(`${path}${joint}limit=${limit}${cursor}`)
    expect(reply.status).toBe(200)
    expect(reply.body.items.length).toBeLessThanOrEqual(limit)
    items.push(...reply.body.items)
    if (reply.body.nextCursor === undefined) return { items, pages: count }
    cursor = `&cursor=${encodeURIComponent(reply.body.nextCursor)}`
  }
}

describe('the credential', () => {
  const attempts: [string, Record<string, string>][] = [
    ['none', {}],
    ['a wrong token', { authorization: 'Bearer admin-token-for-testz' }],
    ['a part of the token', { authorization: `Bearer ${ADMIN_TOKEN.slice(0, -1)}` }],
    ['the token twice', { authorization: `Bearer ${ADMIN_TOKEN} ${ADMIN_TOKEN}` }],
    ['another scheme', { authorization: `Basic ${btoa(`admin:${ADMIN_TOKEN}`)}` }],
    ['the bare token', { authorization: ADMIN_TOKEN }],
  ]
  it.each(attempts)('%s is 401, for known and unknown paths alike', async (_, headers) => {
    for (const path of ['/tenants', '/nowhere', '/openapi.json']) {
      const reply = await operator.raw(path, { headers })
      expectProblem(reply, 401)
      expect(reply.headers.get('www-authenticate')).toMatch(/^Bearer/)
    }
  })

  it('is asked for before the body is read, and before the method', async () => {
    expectProblem(await operator.raw('/tenants', { method: 'POST', body: '{' }), 401)
    expectProblem(await operator.raw('/tenants', { method: 'PUT' }), 401)
  })

  it('takes the scheme in any case', async () => {
    expect(
      (await operator.raw('/tenants', { headers: { authorization: `bearer ${ADMIN_TOKEN}` } })).status,
    ).toBe(200)
  })

  it('makes nothing cacheable', async () => {
    expect((await operator.get('/tenants')).headers.get('cache-control')).toBe('no-store')
    expect((await operator.get('/nowhere')).headers.get('cache-control')).toBe('no-store')
  })
})

describe('paths, methods and bodies', () => {
  it('knows its paths only', async () => {
    for (const path of ['', '/', '/nowhere', '/tenants/', '/tenants/a/b', '/Tenants'])
      expectProblem(await operator.get(path), 404)
  })

  it('says which methods a path has', async () => {
    const reply = await operator.call('PUT', '/tenants')
    expectProblem(reply, 405)
    expect(reply.headers.get('allow')).toBe('POST, GET, HEAD')
    const { at } = await operator.newTenant()
    expect((await operator.post(at, {})).headers.get('allow')).toBe('GET, PATCH, DELETE, HEAD')
    expect((await operator.get(`${at}/receivers/${UNKNOWN}/test`)).headers.get('allow')).toBe('POST')
  })

  it('answers HEAD as GET without the body', async () => {
    const reply = await operator.call('HEAD', '/tenants')
    expect(reply.status).toBe(200)
    expect(reply.text).toBe('')
  })

  it.each(['{', '', 'null', '[]', '"text"', '1', '{"slug":"x"}}'])(
    'refuses the body %j as malformed',
    async body => {
      expectProblem(await operator.post('/tenants', body), 400)
    },
  )

  it('refuses a body that is not UTF-8', async () => {
    const headers = { authorization: `Bearer ${ADMIN_TOKEN}` }
    const body = new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x7d])
    expectProblem(await operator.raw('/tenants', { method: 'POST', headers, body }), 400)
  })

  it('refuses more than 256 KB, said or unsaid', async () => {
    const body = JSON.stringify({ slug: 'large', name: 'x'.repeat(262_144) })
    expectProblem(await operator.post('/tenants', body), 413)
    const headers = { authorization: `Bearer ${ADMIN_TOKEN}` }
    const stream = new Response(body).body
    expectProblem(await operator.raw('/tenants', { method: 'POST', headers, body: stream }), 413)
  })

  it('names each field that is wrong', async () => {
    expectProblem(await operator.post('/tenants', {}), 422, 'slug', 'name')
    expectProblem(await operator.post('/tenants', { slug: 'Not!', name: '' }), 422, 'slug', 'name')
    expectProblem(await operator.post('/tenants', { slug: 'a', name: 'b', colour: 1 }), 422, 'colour')
    expectProblem(await operator.post('/tenants', '{"slug":"a","name":"b","__proto__":{}}'), 422, '__proto__')
    const { at } = await operator.newTenant()
    const receiver = { kind: 'webhook', url: 'https://a.example', retry: { schedule: [1, 0, 'x'], pause: 1 } }
    expectProblem(
      await operator.post(`${at}/receivers`, receiver),
      422,
      'retry.schedule[1]',
      'retry.schedule[2]',
      'retry.pause',
    )
  })

  it('repeats little of what it was sent', async () => {
    const reply = await operator.post('/tenants', {
      ['k'.repeat(5000)]: 1,
      slug: 'v'.repeat(5000),
      name: 'n',
    })
    expect(reply.status).toBe(422)
    expect(reply.text.length).toBeLessThan(1000)
  })

  it('tells nothing of an error that nobody foresaw', async () => {
    const log = vi.spyOn(console, 'error').mockImplementation(() => undefined)
    const failing = vi.spyOn(operator.service.d1, 'prepare').mockImplementation(() => {
      throw new Error('D1_ERROR: secret detail')
    })
    const reply = await operator.get('/tenants')
    failing.mockRestore()
    expectProblem(reply, 500)
    expect(reply.text).not.toContain('secret detail')
    expect(log).toHaveBeenCalledOnce()
    log.mockRestore()
  })
})

describe('lists', () => {
  it('come in pages without gaps and repetitions', async () => {
    const { at } = await operator.newTenant()
    for (let i = 0; i < 6; i++) await operator.post(`${at}/connections`, { name: `c${i}`, idp: 'okta' })
    const all = await pages(`${at}/connections`, 500)
    expect(all.items).toHaveLength(7)
    for (const limit of [1, 2, 3, 7]) {
      const some = await pages(`${at}/connections`, limit)
      expect(some.items).toEqual(all.items)
      expect(some.pages).toBe(Math.ceil(7 / limit))
    }
  })

  it.each(['0', '-1', '1.5', 'x', '', '1e2', '0x10'])('refuse limit=%s', async limit => {
    expectProblem(await operator.get(`/tenants?limit=${limit}`), 400, 'limit')
  })

  it('give at most 500, whatever is asked for', async () => {
    expect((await operator.get('/tenants?limit=99999')).status).toBe(200)
  })

  it('refuse unknown parameters', async () => {
    expectProblem(await operator.get('/tenants?colour=red'), 400, 'colour')
    const { at } = await operator.newTenant()
    expectProblem(await operator.get(`${at}/deliveries?receiver=x`), 400, 'receiver')
  })

  it('refuse cursors that they did not make', async () => {
    const { at, connection } = await operator.newTenant()
    const other = await operator.newTenant()
    for (const path of [at, other.at])
      await operator.post(`${path}/connections`, { name: 'second', idp: 'okta' })
    const cursor: string = (await operator.get(`${at}/connections?limit=1`)).body.nextCursor
    expect((await operator.get(`${at}/connections?cursor=${cursor}`)).body.items).toHaveLength(1)
    const last = cursor.slice(-1) === 'A' ? 'B' : 'A'
    // The same bytes, written otherwise: base64url has bits to spare in its last character.
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
    const respelt = cursor.slice(0, -1) + alphabet[alphabet.indexOf(cursor.slice(-1)) + 1]
    const forged = [
      respelt,
      '',
      'x',
      `${cursor}A`,
      cursor.slice(0, -1),
      cursor.slice(0, -1) + last,
      (cursor.startsWith('A') ? 'B' : 'A') + cursor.slice(1),
      btoa(JSON.stringify([connection.id])),
      'ä',
    ]
    for (const text of forged)
      expectProblem(await operator.get(`${at}/connections?cursor=${encodeURIComponent(text)}`), 400)
    // Of another tenant, and of another list of the same tenant.
    expectProblem(await operator.get(`${other.at}/connections?cursor=${cursor}`), 400)
    expectProblem(await operator.get(`${at}/receivers?cursor=${cursor}`), 400)
    expectProblem(await operator.get(`${at}/connections/${connection.id}/tokens?cursor=${cursor}`), 400)
  })
})

describe('tenants', () => {
  it('are created, read and listed', async () => {
    const reply = await operator.post('/tenants', { slug: 'acme-1', name: 'Acme «Ä»' })
    expect(reply.status).toBe(201)
    expect(reply.body).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      slug: 'acme-1',
      name: 'Acme «Ä»',
      profile: 'standard',
      profileVersion: 0,
      database: 'DB',
      status: 'active',
      createdAt: expect.stringMatching(ISO),
    })
    expect((await operator.get('/tenants/acme-1')).body).toEqual(reply.body)
    const { items } = await pages('/tenants', 3)
    expect(items).toContainEqual(reply.body)
    expect(items.map(item => item.slug)).toEqual([...items.map(item => item.slug)].sort())
  })

  it('take a slug once, also when two ask at once', async () => {
    const body = { slug: 'wanted', name: 'First' }
    const replies = await Promise.all([operator.post('/tenants', body), operator.post('/tenants', body)])
    expect(replies.map(reply => reply.status).sort()).toEqual([201, 409])
    expectProblem(await operator.post('/tenants', { slug: 'wanted', name: 'Second' }), 409)
    expect(await read("SELECT count(*) AS n FROM tenants WHERE slug = 'wanted'")).toEqual([{ n: 1 }])
  })

  it.each(['', 'Acme', 'a_b', 'a b', 'ä', 'a/b', 'a'.repeat(64)])('refuse the slug %j', async slug => {
    expectProblem(await operator.post('/tenants', { slug, name: 'n' }), 422, 'slug')
  })

  it.each(['', '   ', 'a\u0000b', 'a\nb', '\ud800', 'x'.repeat(256)])('refuse the name %j', async name => {
    expectProblem(await operator.post('/tenants', { slug: 'named', name }), 422, 'name')
  })

  it('take the longest slug, and only profiles that exist', async () => {
    expect((await operator.post('/tenants', { slug: 'a'.repeat(63), name: 'n' })).status).toBe(201)
    const reply = await operator.post('/tenants', { slug: 'profiled', name: 'n', profile: 'nosuch' })
    expectProblem(reply, 422, 'profile')
    expect(reply.text).toContain('/admin/v1/profiles')
    expectProblem(await operator.get('/tenants/profiled'), 404)
  })

  it('are renamed, suspended and resumed; each raises the version of their configuration', async () => {
    const { at, id } = await operator.newTenant()
    const version = async () =>
      (await read('SELECT config_version AS v FROM tenants WHERE tenant_id = ?', id))[0]?.v
    const before = Number(await version())
    expect((await operator.patch(at, { name: 'New' })).body).toMatchObject({ name: 'New', status: 'active' })
    expect((await operator.patch(at, { status: 'suspended' })).body).toMatchObject({
      name: 'New',
      status: 'suspended',
    })
    expect((await operator.patch(at, { status: 'active' })).body).toMatchObject({ status: 'active' })
    expect((await operator.patch(at, {})).body).toMatchObject({ name: 'New', status: 'active' })
    expect(await version()).toBeGreaterThan(before + 2)
    expectProblem(await operator.patch(at, { status: 'deleting' }), 422, 'status')
    expectProblem(await operator.patch(at, { slug: 'other' }), 422, 'slug')
    expectProblem(await operator.patch('/tenants/no-such', { name: 'x' }), 404)
  })

  it("suspending ends everybody's sessions, once; resuming revives none", async () => {
    const { at, id, database, connection } = await operator.newTenant()
    const ada = await addUser(database, connection.id, 'ada@example.com')
    const bob = await addUser(database, connection.id, 'bob@example.com', false)
    for (const status of ['suspended', 'suspended', 'active']) await operator.patch(at, { status })
    expect(await read('SELECT kind, total, done FROM jobs WHERE tenant_id = ?', id)).toEqual([
      { kind: 'revoke-sessions', total: 1, done: 1 },
    ])
    expect((await operator.get(`${at}/users/${ada}`)).body).toMatchObject({ active: true, sessionEpoch: 1 })
    expect((await operator.get(`${at}/users/${bob}`)).body).toMatchObject({ active: false, sessionEpoch: 0 })
    expect((await operator.get(`${at}/events`)).body.items).toEqual([
      expect.objectContaining({ type: 'user.sessions_revoked', userId: ada }),
    ])
    await operator.patch(at, { status: 'suspended', name: 'Again' })
    expect((await operator.get(`${at}/users/${ada}`)).body).toMatchObject({ sessionEpoch: 2 })
  })

  it('refuse to be deleted while they have active users, and say how many', async () => {
    const { at, database, connection } = await operator.newTenant()
    for (const name of ['a', 'b', 'c']) await addUser(database, connection.id, name)
    await addUser(database, connection.id, 'gone', false)
    for (const query of ['', '?deactivateUsers=false']) {
      const reply = await operator.delete(at + query)
      expectProblem(reply, 409)
      expect(reply.body.detail).toContain('3 active users')
    }
    expect((await operator.get(at)).body.status).toBe('active')
    expectProblem(await operator.delete(`${at}?deactivateUsers=yes`), 400, 'deactivateUsers')
  })

  it('are deleting from the moment they are deleted', async () => {
    const { at, id, database, connection } = await operator.newTenant()
    await operator.newReceiver(at)
    await addUser(database, connection.id, 'ada@example.com')
    const reply = await operator.delete(`${at}?deactivateUsers=true`)
    expect(reply.status).toBe(202)
    expect(reply.body).toMatchObject({ id, status: 'deleting' })
    // The receiver has not been told yet, so the rows are still there.
    expect((await operator.get(at)).body.status).toBe('deleting')
    expect((await operator.delete(`${at}?deactivateUsers=true`)).status).toBe(202)
    expect((await operator.delete(at)).status).toBe(202)
    expect(
      await read("SELECT count(*) AS n FROM jobs WHERE tenant_id = ? AND kind = 'delete-tenant'", id),
    ).toEqual([{ n: 1 }])
    expectProblem(await operator.patch(at, { status: 'active' }), 409)
    expectProblem(await operator.post(`${at}/connections`, { name: 'late', idp: 'okta' }), 409)
    expectProblem(await operator.post(`${at}/receivers`, { kind: 'webhook', url: 'https://a.example' }), 409)
  })

  it('without active users are deleted without more ado', async () => {
    const { at, slug } = await operator.newTenant()
    const reply = await operator.delete(at)
    expect(reply.status).toBe(202)
    expect(reply.body.status).toBe('deleting')
    // Nothing was left to be delivered, so its rows are gone and its slug is free.
    expectProblem(await operator.get(at), 404)
    expectProblem(await operator.delete(at), 404)
    expect((await operator.post('/tenants', { slug, name: 'Successor' })).status).toBe(201)
    expectProblem(await operator.delete('/tenants/no-such'), 404)
  })
})

describe('connections', () => {
  it('are created with a token that is shown once', async () => {
    const { at, slug, id } = await operator.newTenant()
    const reply = await operator.post(`${at}/connections`, { name: 'Okta', idp: 'okta' })
    expect(reply.status).toBe(201)
    expect(reply.body).toEqual({
      id: expect.any(String),
      name: 'Okta',
      idp: 'okta',
      mode: 'compat',
      status: 'active',
      baseUrl: `${ORIGIN}/t/${slug}/scim/v2`,
      createdAt: expect.stringMatching(ISO),
      token: {
        id: expect.any(String),
        value: expect.stringMatching(/^escim_/),
        hint: reply.body.token.value.slice(-4),
        createdAt: expect.stringMatching(ISO),
        expiresAt: null,
      },
    })
    const { token, ...connection } = reply.body
    const claims = await readToken(operator.service.keys, token.value)
    expect(claims).toMatchObject({ tenantId: id, connectionId: connection.id, tokenId: token.id })
    expect((await operator.get(`${at}/connections/${connection.id}`)).body).toEqual(connection)
    const later = await Promise.all([
      operator.get(`${at}/connections`),
      operator.get(`${at}/connections/${connection.id}`),
      operator.get(`${at}/connections/${connection.id}/tokens`),
      operator.get(at),
    ])
    for (const { text } of later) expect(text).not.toContain(token.value)
    const stored = JSON.stringify(await read('SELECT * FROM tokens WHERE tenant_id = ?', id))
    expect(stored).not.toContain(token.value.slice(-40, -4))
  })

  it('are checked', async () => {
    const { at } = await operator.newTenant()
    expectProblem(await operator.post(`${at}/connections`, { name: 'x', idp: 'myspace' }), 422, 'idp')
    expectProblem(
      await operator.post(`${at}/connections`, { name: 'x', idp: 'okta', mode: 'lax' }),
      422,
      'mode',
    )
    expectProblem(await operator.post(`${at}/connections`, { idp: 'okta' }), 422, 'name')
    expectProblem(await operator.post('/tenants/no-such/connections', { name: 'x', idp: 'okta' }), 404)
  })

  it('are changed; each change raises the version of the configuration', async () => {
    const { at, id, connection } = await operator.newTenant()
    const path = `${at}/connections/${connection.id}`
    const version = async () =>
      (await read('SELECT config_version AS v FROM tenants WHERE tenant_id = ?', id))[0]?.v
    const before = Number(await version())
    expect((await operator.patch(path, { mode: 'strict' })).body).toMatchObject({
      mode: 'strict',
      status: 'active',
    })
    expect((await operator.patch(path, { status: 'disabled', name: 'Off' })).body).toMatchObject({
      name: 'Off',
      mode: 'strict',
      status: 'disabled',
    })
    expect(await version()).toBe(before + 2)
    expectProblem(await operator.patch(path, { idp: 'okta' }), 422, 'idp')
    expectProblem(await operator.patch(path, { status: 'deleting' }), 422, 'status')
    expectProblem(await operator.patch(`${at}/connections/${UNKNOWN}`, { name: 'x' }), 404)
    expect(await version()).toBe(before + 2)
  })

  it('go with their tokens when they have no active user', async () => {
    const { at, id, database, connection } = await operator.newTenant()
    await addUser(database, connection.id, 'gone', false)
    const path = `${at}/connections/${connection.id}`
    expect((await operator.delete(path)).status).toBe(204)
    expectProblem(await operator.get(path), 404)
    expectProblem(await operator.delete(path), 404)
    expect(await read('SELECT id FROM tokens WHERE tenant_id = ?', id)).toEqual([])
  })

  it('refuse to be deleted while they have active users, and say how many', async () => {
    const { at, database, connection } = await operator.newTenant()
    const other = (await operator.post(`${at}/connections`, { name: 'other', idp: 'okta' })).body
    await addUser(database, connection.id, 'ada')
    const reply = await operator.delete(`${at}/connections/${connection.id}`)
    expectProblem(reply, 409)
    expect(reply.body.detail).toContain('1 active user.')
    expect((await operator.get(`${at}/connections/${connection.id}/tokens`)).body.items).toHaveLength(1)
    // The users of one connection do not hold another.
    expect((await operator.delete(`${at}/connections/${other.id}`)).status).toBe(204)
  })

  it('deactivate their users first when they are told to, which ends their sessions', async () => {
    const { at, id, database, connection } = await operator.newTenant()
    const receiver = await operator.newReceiver(at)
    const ada = await addUser(database, connection.id, 'ada')
    const stayer = await addUser(database, 'another-connection', 'bob')
    operator.queued.length = 0
    const path = `${at}/connections/${connection.id}`
    expect((await operator.delete(`${path}?deactivateUsers=true`)).status).toBe(204)
    expectProblem(await operator.get(path), 404)
    expect(await read('SELECT id FROM tokens WHERE tenant_id = ?', id)).toEqual([])
    expect((await operator.get(`${at}/users/${ada}`)).body).toMatchObject({ active: false, sessionEpoch: 1 })
    expect((await operator.get(`${at}/users/${stayer}`)).body).toMatchObject({
      active: true,
      sessionEpoch: 0,
    })
    expect((await operator.get(`${at}/events`)).body.items).toEqual([
      expect.objectContaining({ type: 'user.deactivated', userId: ada }),
    ])
    expect(operator.queued).toContainEqual({ tenantId: id, sequence: 1, receiverId: receiver.id })
    expectProblem(await operator.delete(`${at}/connections/${UNKNOWN}?deactivateUsers=true`), 404)
  })

  it('are deleting while that takes long, and then cannot be changed', async () => {
    const { at, id, database, connection } = await operator.newTenant()
    await addUser(database, connection.id, 'ada')
    const path = `${at}/connections/${connection.id}`
    const log = vi.spyOn(console, 'error').mockImplementation(() => undefined)
    // The call's own steps go through; those of the job find D1 away.
    const { steps } = TenantDatabase.prototype
    const failing = vi.spyOn(TenantDatabase.prototype, 'steps').mockImplementation(function (
      this: TenantDatabase,
      given,
    ) {
      if ('progress' in given) throw new Error('D1 is away')
      return steps.call(this, given) as Promise<Record<string, readonly Outcome[]>>
    })
    const reply = await operator.delete(`${path}?deactivateUsers=true`)
    failing.mockRestore()
    expect(log).toHaveBeenCalledOnce()
    log.mockRestore()
    expect(reply.status).toBe(202)
    expect(reply.body).toMatchObject({ id: connection.id, status: 'deleting' })
    expect(await read('SELECT kind, connection_id AS c, total FROM jobs WHERE tenant_id = ?', id)).toEqual([
      { kind: 'deactivate-users', c: connection.id, total: 1 },
    ])
    expect((await operator.delete(path)).status).toBe(202)
    expect((await operator.delete(`${path}?deactivateUsers=true`)).status).toBe(202)
    expect(await read('SELECT count(*) AS n FROM jobs WHERE tenant_id = ?', id)).toEqual([{ n: 1 }])
    expectProblem(await operator.patch(path, { status: 'active' }), 409)
    expectProblem(await operator.post(`${path}/tokens`, {}), 409)
  })
})

describe('tokens', () => {
  async function newConnection() {
    const tenant = await operator.newTenant()
    return { ...tenant, tokens: `${tenant.at}/connections/${tenant.connection.id}/tokens` }
  }

  it('without overlap end the older ones at once', async () => {
    const { tokens, connection } = await newConnection()
    const reply = await operator.post(tokens)
    expect(reply.status).toBe(201)
    expect(reply.body).toEqual({
      id: expect.any(String),
      value: expect.stringMatching(/^escim_/),
      hint: reply.body.value.slice(-4),
      createdAt: expect.stringMatching(ISO),
      expiresAt: null,
    })
    const { items } = (await operator.get(tokens)).body
    expect(items).toEqual([
      {
        ...without(connection.token),
        lastUsedAt: null,
        revokedAt: new Date(operator.clock.now).toISOString(),
      },
      { ...without(reply.body), lastUsedAt: null, revokedAt: null },
    ])
  })

  it('with an overlap let the older ones live that long, and know their successor', async () => {
    const { tokens, connection, id } = await newConnection()
    const hour = (await operator.post(tokens, { overlapSeconds: 3600 })).body
    const until = new Date(operator.clock.now + 3_600_000).toISOString()
    const { items } = (await operator.get(tokens)).body
    expect(items[0]).toMatchObject({ id: connection.token.id, expiresAt: until, revokedAt: null })
    expect(items[1]).toMatchObject({ id: hour.id, expiresAt: null })
    // A further, longer overlap prolongs nothing, and leaves the first its own successor.
    const day = (await operator.post(tokens, { overlapSeconds: 86_400 })).body
    const rows = await read(
      'SELECT id, superseded_by AS s, expires_at AS e FROM tokens WHERE tenant_id = ? ORDER BY id',
      id,
    )
    expect(rows).toEqual([
      { id: connection.token.id, s: hour.id, e: operator.clock.now + 3_600_000 },
      { id: hour.id, s: day.id, e: operator.clock.now + 86_400_000 },
      { id: day.id, s: null, e: null },
    ])
  })

  it('have an end if they are given one', async () => {
    const { tokens } = await newConnection()
    const expiresAt = new Date(operator.clock.now + 1000).toISOString()
    expect((await operator.post(tokens, { expiresAt })).body.expiresAt).toBe(expiresAt)
    const past = new Date(operator.clock.now).toISOString()
    expectProblem(await operator.post(tokens, { expiresAt: past }), 422, 'expiresAt')
    expectProblem(await operator.post(tokens, { expiresAt: 'tomorrow' }), 422, 'expiresAt')
    for (const overlapSeconds of [-1, 1.5, '60', null])
      expectProblem(await operator.post(tokens, { overlapSeconds }), 422, 'overlapSeconds')
    // What was refused has ended nothing.
    expect((await operator.get(tokens)).body.items.at(-1)).toMatchObject({ revokedAt: null })
  })

  it('RFC-212 are marked from thirty days before they expire until they do or are revoked', async () => {
    const { tokens } = await newConnection()
    const { now } = operator.clock
    const days = (count: number) => count * 86_400_000
    const expiresAt = new Date(now + days(31)).toISOString()
    const { id } = (await operator.post(tokens, { expiresAt })).body
    const isMarked = async () => (await operator.get(tokens)).body.items.at(-1).expiresSoon
    for (const [passed, marked] of [
      [0, undefined],
      [days(1) - 1, undefined],
      [days(1), true],
      [days(31) - 1, true],
      [days(31), undefined],
    ] as const) {
      operator.clock.now = now + passed
      expect([passed, await isMarked()]).toEqual([passed, marked])
    }
    operator.clock.now = now + days(2)
    await operator.delete(`${tokens}/${id}`)
    expect(await isMarked()).toBeUndefined()
  })

  it('leave the tokens of other connections alone', async () => {
    const { tokens, at } = await newConnection()
    const other = (await operator.post(`${at}/connections`, { name: 'other', idp: 'okta' })).body
    await operator.post(tokens)
    expect((await operator.get(`${at}/connections/${other.id}/tokens`)).body.items).toEqual([
      expect.objectContaining({ id: other.token.id, revokedAt: null }),
    ])
    // A token is not found beside another connection of the same tenant.
    expectProblem(await operator.delete(`${tokens}/${other.token.id}`), 404)
  })

  it('are revoked, and stay revoked since then', async () => {
    const { tokens, connection } = await newConnection()
    const path = `${tokens}/${connection.token.id}`
    expect((await operator.delete(path)).status).toBe(204)
    const [revoked] = (await operator.get(tokens)).body.items
    operator.clock.now += 5000
    expect((await operator.delete(path)).status).toBe(204)
    expect((await operator.get(tokens)).body.items).toEqual([revoked])
    expectProblem(await operator.delete(`${tokens}/${UNKNOWN}`), 404)
  })

  function without({ value: _, ...token }: Record<string, unknown>) {
    return token
  }
})

describe('receivers', () => {
  const url = 'https://receiver.example.com/hook'

  it('are created with a secret that is shown once', async () => {
    const { at, id } = await operator.newTenant()
    const settings = {
      events: ['user.deactivated', 'user.deleted'],
      retry: { schedule: [1, 60], timeoutSeconds: 5 },
    }
    const reply = await operator.post(`${at}/receivers`, { kind: 'webhook', url, ...settings })
    expect(reply.status).toBe(201)
    const { secret, ...receiver } = reply.body
    expect(receiver).toEqual({
      id: expect.any(String),
      kind: 'webhook',
      url,
      ...settings,
      status: 'active',
      createdAt: expect.stringMatching(ISO),
    })
    expect(secret).toMatch(/^whsec_/)
    expect((await operator.get(`${at}/receivers/${receiver.id}`)).body).toEqual(receiver)
    expect((await operator.get(`${at}/receivers`)).body.items).toEqual([receiver])
    const [row] = await read('SELECT secret FROM receivers WHERE tenant_id = ?', id)
    expect(String(row?.secret)).not.toContain(secret)
    expect(await operator.service.keys.open(String(row?.secret), `receiver:${id}:${receiver.id}`)).toBe(
      secret,
    )
  })

  it.each([
    'http://receiver.example.com/',
    'https://10.0.0.1/',
    'https://169.254.169.254/latest',
    'https://user:pass@receiver.example.com/',
    'not a url',
  ])('refuse the url %s', async refused => {
    const { at } = await operator.newTenant()
    expectProblem(await operator.post(`${at}/receivers`, { kind: 'webhook', url: refused }), 422, 'url')
    const receiver = await operator.newReceiver(at)
    expectProblem(await operator.patch(`${at}/receivers/${receiver.id}`, { url: refused }), 422, 'url')
    expect((await operator.get(`${at}/receivers/${receiver.id}`)).body.url).toBe(url)
  })

  it('are checked', async () => {
    const { at } = await operator.newTenant()
    const post = (body: object) => operator.post(`${at}/receivers`, { kind: 'webhook', url, ...body })
    const kind = await post({ kind: 'pigeon' })
    expectProblem(kind, 422, 'kind')
    expect(kind.text).toContain('webhook')
    expectProblem(await post({ events: ['user.created', 'user.exploded'] }), 422, 'events[1]')
    expectProblem(await post({ events: [] }), 422, 'events')
    expectProblem(await post({ retry: { schedule: [] } }), 422, 'retry.schedule')
    expectProblem(await post({ retry: { schedule: Array(21).fill(1) } }), 422, 'retry.schedule')
    expectProblem(await post({ retry: { schedule: [86_401] } }), 422, 'retry.schedule[0]')
    expectProblem(await post({ retry: { timeoutSeconds: 0 } }), 422, 'retry.timeoutSeconds')
    expectProblem(await post({ secret: 'whsec_mine' }), 422, 'secret')
    expect((await operator.get(`${at}/receivers`)).body.items).toEqual([])
  })

  it('are changed, and go back to every type and the default', async () => {
    const { at } = await operator.newTenant()
    const receiver = await operator.newReceiver(at, { events: ['user.created'], retry: { schedule: [1] } })
    const path = `${at}/receivers/${receiver.id}`
    expect((await operator.patch(path, { url: 'https://b.example/' })).body).toMatchObject({
      url: 'https://b.example/',
      events: ['user.created'],
      retry: { schedule: [1] },
    })
    expect((await operator.patch(path, { events: null, retry: null })).body).toMatchObject({
      url: 'https://b.example/',
      events: null,
      retry: null,
    })
    expect((await operator.patch(path, {})).status).toBe(200)
    expectProblem(await operator.patch(path, { status: 'disabled' }), 422, 'status')
    expectProblem(await operator.patch(path, { kind: 'webhook' }), 422, 'kind')
    expectProblem(await operator.patch(`${at}/receivers/${UNKNOWN}`, {}), 404)
  })

  it('are paused and resumed: what has waited is published then', async () => {
    const { at, database, id } = await operator.newTenant()
    const receiver = await operator.newReceiver(at)
    const path = `${at}/receivers/${receiver.id}`
    expect((await operator.patch(path, { status: 'paused' })).body.status).toBe('paused')
    await addEvents(database, [{}, {}], operator.clock.now)
    operator.queued.length = 0
    expect((await operator.patch(path, { status: 'active' })).body.status).toBe('active')
    expect(operator.queued).toEqual([
      { tenantId: id, sequence: 1, receiverId: receiver.id },
      { tenantId: id, sequence: 2, receiverId: receiver.id },
    ])
    await operator.patch(path, { status: 'paused' })
    expect(await read('SELECT wake_at AS w FROM deliveries WHERE tenant_id = ?', id)).toEqual([
      { w: null },
      { w: null },
    ])
    await write("UPDATE receivers SET status = 'disabled' WHERE tenant_id = ?", id)
    expect((await operator.get(path)).body.status).toBe('disabled')
    expect((await operator.patch(path, { status: 'active' })).body.status).toBe('active')
  })

  it('leave what was still to be sent to them as dead when they are deleted', async () => {
    const { at, database } = await operator.newTenant()
    const receiver = await operator.newReceiver(at)
    const other = await operator.newReceiver(at)
    await addEvents(database, [{}], operator.clock.now)
    expect((await operator.delete(`${at}/receivers/${receiver.id}`)).status).toBe(204)
    expectProblem(await operator.get(`${at}/receivers/${receiver.id}`), 404)
    expectProblem(await operator.delete(`${at}/receivers/${receiver.id}`), 404)
    const of = async (id: string) => (await operator.get(`${at}/deliveries?receiverId=${id}`)).body.items
    expect(await of(receiver.id)).toEqual([
      expect.objectContaining({ state: 'dead', lastError: 'receiver deleted', nextAttemptAt: null }),
    ])
    expect(await of(other.id)).toEqual([expect.objectContaining({ state: 'pending' })])
    expectProblem(await operator.post(`${at}/deliveries/1.${receiver.id}/replay`), 409)
  })

  it('rotate their secret, with and without overlap', async () => {
    const { at, id } = await operator.newTenant()
    const receiver = await operator.newReceiver(at)
    const path = `${at}/receivers/${receiver.id}/rotate-secret`
    const secrets = async () => {
      const [row] = await read(
        'SELECT secret, previous_secret AS p, previous_secret_until AS u FROM receivers WHERE tenant_id = ?',
        id,
      )
      const open = (sealed: unknown) =>
        operator.service.keys.open(String(sealed), `receiver:${id}:${receiver.id}`)
      return { secret: await open(row?.secret), previous: row?.p && (await open(row.p)), until: row?.u }
    }
    const second = await operator.post(path, { overlapSeconds: 60 })
    expect(second.status).toBe(200)
    expect(second.body).toEqual({ secret: expect.stringMatching(/^whsec_/) })
    const until = operator.clock.now + 60_000
    expect(await secrets()).toEqual({ secret: second.body.secret, previous: receiver.secret, until })
    const third = await operator.post(path)
    expect(await secrets()).toEqual({ secret: third.body.secret, previous: null, until: null })
    expect(new Set([receiver.secret, second.body.secret, third.body.secret]).size).toBe(3)
    expectProblem(await operator.post(path, { overlapSeconds: 'long' }), 422, 'overlapSeconds')
    expectProblem(await operator.post(`${at}/receivers/${UNKNOWN}/rotate-secret`), 404)
  })

  it('are tested by one request', async () => {
    const { at } = await operator.newTenant()
    const receiver = await operator.newReceiver(at)
    const sent = vi
      .spyOn(globalThis, 'fetch')
      .mockImplementation(async () => new Response(null, { status: 204 }))
    const good = await operator.post(`${at}/receivers/${receiver.id}/test`)
    expect(good.body).toEqual({ delivered: true, status: 204, latencyMs: expect.any(Number) })
    sent.mockImplementation(async () => new Response('no', { status: 500 }))
    const bad = await operator.post(`${at}/receivers/${receiver.id}/test`)
    expect(bad.status).toBe(200)
    expect(bad.body).toMatchObject({ delivered: false, status: 500, error: expect.any(String) })
    expect(sent).toHaveBeenCalledTimes(2)
    expectProblem(await operator.post(`${at}/receivers/${UNKNOWN}/test`), 404)
    expect(sent).toHaveBeenCalledTimes(2)
    sent.mockRestore()
  })
})

describe('events', () => {
  it('are listed oldest first, by user, type and sequence', async () => {
    const { at, database } = await operator.newTenant()
    const drafts = [
      { type: 'user.created', userId: 'u1', data: { n: 1, nested: { list: [true, null] } } },
      { type: 'user.created', userId: 'u2' },
      { type: 'user.deactivated', userId: 'u1' },
      { type: 'group.created', groupId: 'g1' },
    ]
    await addEvents(database, drafts, operator.clock.now)
    const { items } = await pages(`${at}/events`, 3)
    expect(items.map(item => item.sequence)).toEqual([1, 2, 3, 4])
    expect(items[0]).toEqual({
      id: expect.stringMatching(/^evt_/),
      sequence: 1,
      type: 'user.created',
      txn: expect.any(String),
      userId: 'u1',
      groupId: null,
      occurredAt: new Date(operator.clock.now).toISOString(),
      data: expect.objectContaining({ n: 1, nested: { list: [true, null] } }),
    })
    const sequences = async (query: string) =>
      (await pages(`${at}/events?${query}`, 1)).items.map(item => item.sequence)
    expect(await sequences('userId=u1')).toEqual([1, 3])
    expect(await sequences('type=user.created')).toEqual([1, 2])
    expect(await sequences('userId=u1&type=user.deactivated')).toEqual([3])
    expect(await sequences('after=2')).toEqual([3, 4])
    expect(await sequences('after=1&userId=u1')).toEqual([3])
    for (const nothing of ['userId=nobody', 'type=user.exploded', 'type=', 'after=4', 'after=999999999999'])
      expect(await sequences(nothing)).toEqual([])
    for (const garbage of ['x', '-1', '1.5', '1e3', ''])
      expectProblem(await operator.get(`${at}/events?after=${garbage}`), 400, 'after')
  })
})

describe('deliveries', () => {
  async function withDeliveries() {
    const tenant = await operator.newTenant()
    const first = await operator.newReceiver(tenant.at)
    const second = await operator.newReceiver(tenant.at)
    await addEvents(
      tenant.database,
      [{ userId: 'u1' }, { userId: 'u2' }, { userId: 'u1' }],
      operator.clock.now,
    )
    const set = (columns: string, sequence: number) =>
      write(
        `UPDATE deliveries SET ${columns} WHERE tenant_id = ? AND sequence = ? AND receiver_id = ?`,
        tenant.id,
        sequence,
        first.id,
      )
    return { ...tenant, first, second, set }
  }

  it('are listed newest first, by state, receiver and user', async () => {
    const { at, first, second, set } = await withDeliveries()
    await set("state = 'dead', attempts = 12, last_status = 500, last_error = 'answered 500'", 2)
    const delivered = operator.clock.now + 420
    await set(
      `state = 'delivered', attempts = 1, last_status = 200, delivered_at = ${delivered}, sessions_ended = 0, next_attempt_at = NULL`,
      1,
    )
    const all = await pages(`${at}/deliveries`, 4)
    expect(all.items.map(item => item.sequence)).toEqual([3, 3, 2, 2, 1, 1])
    expect(new Set(all.items.map(item => item.id)).size).toBe(6)
    for (const limit of [1, 5]) expect((await pages(`${at}/deliveries`, limit)).items).toEqual(all.items)
    const one = all.items.find(item => item.id === `1.${first.id}`)
    expect(one).toEqual({
      id: `1.${first.id}`,
      eventId: expect.stringMatching(/^evt_/),
      sequence: 1,
      receiverId: first.id,
      userId: 'u1',
      state: 'delivered',
      attempts: 1,
      lastStatus: 200,
      lastError: null,
      occurredAt: new Date(operator.clock.now).toISOString(),
      deliveredAt: new Date(delivered).toISOString(),
      latencyMs: 420,
      nextAttemptAt: null,
      receipt: { sessionsEnded: 0 },
    })
    const pending = all.items.find(item => item.id === `3.${second.id}`)
    expect(pending).toMatchObject({ state: 'pending', deliveredAt: null, latencyMs: null })
    expect(pending).not.toHaveProperty('receipt')
    expect(pending?.nextAttemptAt).toMatch(ISO)
    expect(all.items.find(item => item.id === `2.${first.id}`)).toMatchObject({
      state: 'dead',
      nextAttemptAt: null,
    })

    const ids = async (query: string) =>
      (await pages(`${at}/deliveries?${query}`, 2)).items.map(item => item.id)
    expect(await ids('state=dead')).toEqual([`2.${first.id}`])
    expect(await ids(`receiverId=${second.id}`)).toEqual([3, 2, 1].map(n => `${n}.${second.id}`))
    expect(await ids('userId=u2&state=pending')).toEqual([`2.${second.id}`])
    expect(await ids(`userId=u1&receiverId=${first.id}`)).toEqual([`3.${first.id}`, `1.${first.id}`])
    for (const nothing of ['state=lost', 'receiverId=x', 'userId=nobody'])
      expect(await ids(nothing)).toEqual([])
  })

  it('are replayed one by one', async () => {
    const { at, id, first, set } = await withDeliveries()
    await set("state = 'dead', next_attempt_at = NULL", 2)
    operator.queued.length = 0
    const reply = await operator.post(`${at}/deliveries/2.${first.id}/replay`)
    expect(reply.status).toBe(202)
    expect(reply.body).toEqual({ deliveries: 1 })
    expect(operator.queued).toEqual([{ tenantId: id, sequence: 2, receiverId: first.id }])
    expect((await operator.get(`${at}/deliveries?state=dead`)).body.items).toEqual([])
    for (const unknown of [`9.${first.id}`, `2.${UNKNOWN}`, 'x', '2', `2.`, `-2.${first.id}`])
      expectProblem(await operator.post(`${at}/deliveries/${unknown}/replay`), 404)
  })

  it('are replayed by a range of sequences, also those of before the receiver', async () => {
    const { at, id } = await withDeliveries()
    const late = await operator.newReceiver(at)
    operator.queued.length = 0
    const path = `${at}/receivers/${late.id}/replay`
    const reply = await operator.post(path, { fromSequence: 2, toSequence: 99 })
    expect(reply.status).toBe(202)
    expect(reply.body).toEqual({ deliveries: 2 })
    expect(operator.queued).toEqual([2, 3].map(sequence => ({ tenantId: id, sequence, receiverId: late.id })))
    expect((await operator.post(path, { fromSequence: 50, toSequence: 60 })).body).toEqual({ deliveries: 0 })
    expectProblem(await operator.post(path, { fromSequence: 3, toSequence: 2 }), 422, 'toSequence')
    expectProblem(
      await operator.post(path, { fromSequence: 0, toSequence: '2' }),
      422,
      'fromSequence',
      'toSequence',
    )
    expectProblem(await operator.post(path, {}), 422, 'fromSequence', 'toSequence')
    expectProblem(
      await operator.post(`${at}/receivers/${UNKNOWN}/replay`, { fromSequence: 1, toSequence: 2 }),
      404,
    )
  })

  it('are not replayed to a receiver that takes nothing now', async () => {
    const { at, id, first, set } = await withDeliveries()
    await set("state = 'delivered'", 1)
    await operator.patch(`${at}/receivers/${first.id}`, { status: 'paused' })
    for (const status of ['paused', 'disabled']) {
      await write('UPDATE receivers SET status = ? WHERE tenant_id = ? AND id = ?', status, id, first.id)
      const one = await operator.post(`${at}/deliveries/1.${first.id}/replay`)
      expectProblem(one, 409)
      expect(one.body.detail).toContain(status)
      expectProblem(
        await operator.post(`${at}/receivers/${first.id}/replay`, { fromSequence: 1, toSequence: 1 }),
        409,
      )
    }
    expect((await operator.get(`${at}/deliveries?state=delivered`)).body.items).toHaveLength(1)
  })
})

describe('activity', () => {
  it('is listed newest first, by outcome and connection', async () => {
    const { at, database } = await operator.newTenant()
    await addActivity(database, [
      { status: 200, connectionId: 'c1', tokenHint: 'abcd', tolerances: ['quoted-boolean: active'] },
      {
        status: 409,
        connectionId: 'c1',
        method: 'POST',
        scimType: 'uniqueness',
        detail: 'userName is taken',
      },
      { status: 401 },
      { status: 403, connectionId: 'c2' },
      { status: 503, connectionId: 'c2', resourceType: 'User', resourceId: 'u1' },
    ])
    const { items } = await pages(`${at}/activity`, 2)
    expect(items.map(item => item.outcome)).toEqual([
      'error',
      'unauthorized',
      'unauthorized',
      'rejected',
      'ok',
    ])
    expect(items[4]).toEqual({
      id: expect.any(String),
      at: expect.stringMatching(ISO),
      outcome: 'ok',
      connectionId: 'c1',
      tokenHint: 'abcd',
      method: 'GET',
      path: '/Users',
      status: 200,
      scimType: null,
      detail: null,
      help: null,
      resourceType: null,
      resourceId: null,
      tolerances: ['quoted-boolean: active'],
      durationMs: 3,
    })
    const statuses = async (query: string) =>
      (await pages(`${at}/activity?${query}`, 1)).items.map(item => item.status)
    expect(await statuses('outcome=unauthorized')).toEqual([403, 401])
    expect(await statuses('connectionId=c1')).toEqual([409, 200])
    expect(await statuses('connectionId=c2&outcome=error')).toEqual([503])
    expect(await statuses('outcome=splendid')).toEqual([])
  })
})

describe('users', () => {
  it('are listed in order of creation, and by filter', async () => {
    const { at, database, connection } = await operator.newTenant()
    const ada = await addUser(database, connection.id, 'Ada@Example.com')
    await addUser(database, connection.id, 'bob@example.com', false)
    await addUser(database, 'another-connection', 'cyn@example.com')
    const { items } = await pages(`${at}/users`, 2)
    expect(items.map(item => item.userName)).toEqual([
      'Ada@Example.com',
      'bob@example.com',
      'cyn@example.com',
    ])
    expect(items[0]).toEqual({
      id: ada,
      userName: 'Ada@Example.com',
      externalId: 'ext-Ada@Example.com',
      active: true,
      deletedAt: null,
      connectionId: connection.id,
      profile: {},
      roles: [],
      targetGroup: null,
      sessionsNotBefore: null,
      sessionEpoch: 0,
      createdAt: '2026-11-20T00:00:00.000Z',
      updatedAt: '2026-11-20T00:00:00.000Z',
    })
    expect((await operator.get(`${at}/users/${ada}`)).body).toEqual(items[0])
    const names = async (filter: string) =>
      (await pages(`${at}/users?filter=${encodeURIComponent(filter)}`, 1)).items.map(item => item.userName)
    expect(await names('userName eq "ada@example.com"')).toEqual(['Ada@Example.com'])
    expect(await names('active eq false')).toEqual(['bob@example.com'])
    expect(await names('userName co "example" and active eq true')).toEqual([
      'Ada@Example.com',
      'cyn@example.com',
    ])
    expect(await names('externalId eq "ext-cyn@example.com"')).toEqual(['cyn@example.com'])
    expect(await names('userName eq "nobody"')).toEqual([])
    for (const none of ['role=admin', `targetGroup=${UNKNOWN}`])
      expect((await operator.get(`${at}/users?${none}`)).body).toEqual({ items: [] })
    for (const garbage of ['userName eq', 'userName zz "x"', '('])
      expectProblem(await operator.get(`${at}/users?filter=${encodeURIComponent(garbage)}`), 400)
  })

  it('have their sessions ended by the operator', async () => {
    const { at, id, database, connection } = await operator.newTenant()
    const receiver = await operator.newReceiver(at)
    const ada = await addUser(database, connection.id, 'ada')
    operator.queued.length = 0
    const reply = await operator.post(`${at}/users/${ada}/revoke-sessions`)
    expect(reply.status).toBe(202)
    expect(operator.queued).toEqual([{ tenantId: id, sequence: 1, receiverId: receiver.id }])
    const { items } = (await operator.get(`${at}/events?userId=${ada}`)).body
    expect(items).toEqual([expect.objectContaining({ type: 'user.sessions_revoked' })])
    expect((await operator.get(`${at}/users/${ada}`)).body).toMatchObject({
      active: true,
      sessionEpoch: 1,
      sessionsNotBefore: new Date(Math.floor(operator.clock.now / 1000) * 1000).toISOString(),
    })
    expectProblem(await operator.post(`${at}/users/${UNKNOWN}/revoke-sessions`), 404)
  })
})

describe('another tenant', () => {
  it('cannot be told from nothing, whatever is asked of its ids', async () => {
    const mine = await operator.newTenant()
    const theirs = await operator.newTenant()
    const receiver = await operator.newReceiver(theirs.at)
    const user = await addUser(theirs.database, theirs.connection.id, 'ada')
    await addEvents(theirs.database, [{ userId: user }], operator.clock.now)
    const before = await snapshot(theirs.id)
    const calls: [
      string,
      (id: { connection: string; token: string; receiver: string; user: string }) => string,
      unknown?,
    ][] = [
      ['GET', id => `/connections/${id.connection}`],
      ['PATCH', id => `/connections/${id.connection}`, { name: 'taken over' }],
      ['DELETE', id => `/connections/${id.connection}`],
      ['DELETE', id => `/connections/${id.connection}?deactivateUsers=true`],
      ['GET', id => `/connections/${id.connection}/tokens`],
      ['POST', id => `/connections/${id.connection}/tokens`, {}],
      ['DELETE', id => `/connections/${id.connection}/tokens/${id.token}`],
      ['DELETE', id => `/connections/${mine.connection.id}/tokens/${id.token}`],
      ['GET', id => `/receivers/${id.receiver}`],
      ['PATCH', id => `/receivers/${id.receiver}`, { status: 'paused' }],
      ['DELETE', id => `/receivers/${id.receiver}`],
      ['POST', id => `/receivers/${id.receiver}/test`],
      ['POST', id => `/receivers/${id.receiver}/rotate-secret`],
      ['POST', id => `/receivers/${id.receiver}/replay`, { fromSequence: 1, toSequence: 9 }],
      ['POST', id => `/deliveries/1.${id.receiver}/replay`],
      ['GET', id => `/deliveries?receiverId=${id.receiver}`],
      ['GET', id => `/deliveries?userId=${id.user}`],
      ['GET', id => `/events?userId=${id.user}`],
      ['GET', id => `/activity?connectionId=${id.connection}`],
      ['GET', id => `/users/${id.user}`],
      ['GET', id => `/users?filter=${encodeURIComponent(`id eq "${id.user}"`)}`],
      ['POST', id => `/users/${id.user}/revoke-sessions`],
    ]
    const foreign = {
      connection: theirs.connection.id,
      token: theirs.connection.token.id,
      receiver: receiver.id,
      user,
    }
    const unknown = { connection: UNKNOWN, token: UNKNOWN, receiver: UNKNOWN, user: UNKNOWN }
    for (const [method, path, body] of calls) {
      const replies = await Promise.all(
        [foreign, unknown].map(ids => operator.call(method, mine.at + path(ids), body)),
      )
      const seen = replies.map(({ status, text }) => ({
        status,
        text: Object.values(foreign).reduce((rest, id) => rest.replaceAll(id, UNKNOWN), text),
      }))
      expect(seen[0], `${method} ${path(foreign)}`).toEqual(seen[1])
    }
    expect(await snapshot(theirs.id)).toEqual(before)
  })

  async function snapshot(tenantId: string) {
    const tables = [
      'tenants',
      'connections',
      'tokens',
      'receivers',
      'events',
      'deliveries',
      'resources',
      'jobs',
      'breakers',
      'held_deletions',
    ]
    return Promise.all(tables.map(table => read(`SELECT * FROM ${table} WHERE tenant_id = ?`, tenantId)))
  }
})

describe('the description', () => {
  interface Operation {
    parameters: { name: string; in: string }[]
    requestBody?: {
      content: Record<string, { schema: { properties: object; additionalProperties: boolean } }>
    }
    responses: Record<string, { content?: Record<string, { schema: { properties: object } }> }>
  }
  let document: {
    openapi: string
    servers: { url: string }[]
    paths: Record<string, Record<string, Operation>>
  }
  beforeAll(async () => {
    document = (await operator.get('/openapi.json')).body
  })

  it('has every call that the app answers', () => {
    const routes = adminApp.routes.filter(route => route.method !== 'ALL')
    // Checking the query and answering are two entries of one route.
    const registered = [...new Map(routes.map(route => [`${route.method} ${route.path}`, route])).values()]
    expect(registered.length).toBe(adminCalls.length)
    for (const { method, path } of registered) {
      const operation = document.paths[path.replaceAll(/:(\w+)/g, '{$1}')]?.[method.toLowerCase()]
      expect(operation, `${method} ${path}`).toBeDefined()
      const named = operation?.parameters.filter(parameter => parameter.in === 'path').map(({ name }) => name)
      expect(named).toEqual([...path.matchAll(/:(\w+)/g)].map(match => match[1]))
    }
  })

  it('says what a body, a query and a reply are', () => {
    expect(document.openapi).toBe('3.1.0')
    expect(document.servers).toEqual([{ url: `${ORIGIN}/admin/v1` }])
    const create = document.paths['/tenants']?.post
    expect(create?.requestBody?.content['application/json']?.schema).toMatchObject({
      required: ['slug', 'name'],
      additionalProperties: false,
      properties: {
        slug: { type: 'string', pattern: '^[a-z0-9-]{1,63}$' },
        profile: { default: 'standard' },
      },
    })
    expect(create?.responses['201']?.content?.['application/json']?.schema.properties).toHaveProperty(
      'createdAt',
    )
    expect(document.paths['/tenants']?.get?.parameters).toContainEqual(
      expect.objectContaining({
        name: 'limit',
        in: 'query',
        schema: { type: 'integer', minimum: 1, maximum: 500, default: 100 },
      }),
    )
    expect(document.paths['/tenants/{slug}/connections/{id}']?.delete?.responses).toHaveProperty('204')
  })
})
