// Who is let in: the ways a token may be sent, what ends it, and that a tenant, a connection or an address never
// learns of, changes or slows another.
import { env } from 'cloudflare:workers'
import { beforeAll, describe, expect, it } from 'vitest'
import {
  admin,
  type Body,
  type Connection,
  ENTERPRISE,
  expectError,
  newGroup,
  newTenant,
  newUser,
  ORIGIN,
  type Reply,
  type Scim,
  scimClient,
  settled,
  type Tenant,
  type Token,
  UNKNOWN_ID,
  withBindings,
} from './world'

function expectUnauthorized(reply: Reply) {
  expectError(reply, 401, undefined, /credential/)
  expect(reply.headers.get('WWW-Authenticate')).toBe(
    'Bearer realm="scim", error="invalid_token", Basic realm="scim"',
  )
}

/** A reply as the client sees it, byte by byte. */
function seen({ status, headers, text }: Reply) {
  return { status, headers: Object.fromEntries(headers), text }
}

const basic = (user: string, password: string) => `Basic ${btoa(`${user}:${password}`)}`

/** The environment's database with every call counted. */
function watchedDatabase() {
  let calls = 0
  const watch = (target: object): object =>
    new Proxy(target, {
      get(object, name) {
        const value: unknown = Reflect.get(object, name)
        if (typeof value !== 'function') return value
        return (...parameters: unknown[]) => {
          calls++
          return Reflect.apply(value, object, parameters)
        }
      },
    })
  return { DB: watch(env.DB) as D1Database, calls: () => calls }
}

/** A limiter that lets so many calls of each key pass. */
function limiter(allowed: number) {
  const keys: string[] = []
  const limit = async ({ key }: { key: string }) => {
    keys.push(key)
    return { success: keys.filter(one => one === key).length <= allowed }
  }
  return { keys, limiter: { limit } as RateLimit }
}

const rotate = ({ at }: Tenant, { id }: Connection, body: object = {}) =>
  admin<Token>('POST', `${at}/connections/${id}/tokens`, body)

const as = ({ baseUrl }: Connection, token: Token) => scimClient(baseUrl, `Bearer ${token.value}`)

describe('Credentials', () => {
  let tenant: Tenant
  let token: string
  beforeAll(async () => {
    tenant = await newTenant()
    token = tenant.connection.token.value
  })
  const listWith = (authorization: string | undefined) =>
    scimClient(tenant.connection.baseUrl, authorization).get('/Users')

  const accepted: [string, (token: string) => string][] = [
    ['Bearer', value => `Bearer ${value}`],
    ['bearer in lower case', value => `bearer ${value}`],
    ['BEARER in upper case', value => `BEARER ${value}`],
    ['a doubled Bearer', value => `Bearer Bearer ${value}`],
    ['a doubled Bearer in mixed case', value => `bearer BEARER ${value}`],
    ['more than one space', value => `Bearer   ${value}`],
    ['the bare token', value => value],
    ['Basic with user scim', value => basic('scim', value)],
    ['basic in lower case', value => basic('scim', value).replace('Basic', 'basic')],
  ]
  it.each(accepted)('Credentials: %s is accepted', async (_, header) => {
    expect((await listWith(header(token))).status).toBe(200)
  })

  const rejected: [string, (token: string) => string | undefined][] = [
    ['no header', () => undefined],
    ['an empty header', () => ''],
    ['the scheme alone', () => 'Bearer'],
    ['garbage', () => 'Bearer nonsense'],
    ['a JWT', () => 'Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.'],
    ['the token cut short', value => `Bearer ${value.slice(0, -1)}`],
    ['the token made longer', value => `Bearer ${value}A`],
    ['the token twice', value => `Bearer ${value} ${value}`],
    ['the token behind another scheme', value => `Token ${value}`],
    ['the token without its prefix', value => `Bearer ${value.slice('escim_'.length)}`],
    ['the token in upper case', value => `Bearer ${value.toUpperCase()}`],
    ['Basic with another user', value => basic('admin', value)],
    ['Basic without a user', value => basic('', value)],
    ['Basic with the token as the user', value => basic(value, 'scim')],
    ['Basic that is not base64', () => 'Basic ***'],
    ['Basic with half a token', value => basic('scim', value.slice(0, 40))],
    ['10,000 characters', () => `Bearer escim_${'A'.repeat(10_000)}`],
    ['the admin token', () => 'Bearer admin-token-for-tests'],
  ]
  it.each(rejected)(
    'RFC-206 RFC-239 %s is 401 with WWW-Authenticate, on every path and method',
    async (_, header) => {
      const scim = scimClient(tenant.connection.baseUrl, header(token))
      const before = await tenant.state()
      const replies = [
        await scim.get('/Users'),
        await scim.get(`/Users/${UNKNOWN_ID}`),
        await scim.post('/Users', newUser()),
        await scim.post('/Users', '{'),
        await scim.post('/Users', 'x', { 'Content-Type': 'text/plain' }),
        await scim.delete(`/Users/${UNKNOWN_ID}`),
        await scim.get('/Schemas'),
        await scim.get('/nowhere'),
        await scim.send('PUT', '/Users'),
        await scim.post('/Bulk', {}),
        await scim.post('/ServiceProviderConfig', {}),
      ]
      for (const reply of replies) {
        expectUnauthorized(reply)
        expect(seen(reply)).toEqual(seen(replies[0] ?? reply))
      }
      expect(await tenant.state()).toEqual(before)
    },
  )

  it('RFC-213 a token in the query string is no credential', async () => {
    const scim = scimClient(tenant.connection.baseUrl, undefined)
    for (const name of ['access_token', 'token', 'authorization'])
      expectUnauthorized(await scim.get(`/Users?${name}=${token}`))
  })

  it('RFC-195 RFC-196 ServiceProviderConfig needs no credential, but a wrong one is 401', async () => {
    const known = scimClient(tenant.connection.baseUrl, undefined)
    const reply = await known.get('/ServiceProviderConfig')
    expect(reply.status).toBe(200)
    expect(reply.body).toEqual((await tenant.scim.get('/ServiceProviderConfig')).body)
    expect(reply.body.authenticationSchemes).toMatchObject([
      { type: 'oauthbearertoken' },
      { type: 'httpbasic' },
    ])
    expectUnauthorized(await scimClient(tenant.connection.baseUrl, 'Bearer x').get('/ServiceProviderConfig'))
    const unknown = await scimClient(`${ORIGIN}/t/nobody/scim/v2`, undefined).get('/ServiceProviderConfig')
    const anonymous = (text: string) => text.replaceAll(`/t/${tenant.slug}/`, '/t/nobody/')
    expect(anonymous(reply.text)).toBe(unknown.text)
  })

  it('RFC-239 a forged token, one bit flipped anywhere, is 401 without any call to D1', async () => {
    const { DB, calls } = watchedDatabase()
    const fetch = withBindings({ DB })
    const good = scimClient(tenant.connection.baseUrl, `Bearer ${token}`, fetch)
    expect((await good.get('/Users')).status).toBe(200)
    expect(calls()).toBeGreaterThan(0)
    await fetch.settled()
    const bytes = Uint8Array.from(
      atob(token.slice('escim_'.length).replaceAll('-', '+').replaceAll('_', '/')),
      character => character.charCodeAt(0),
    )
    const before = calls()
    for (let at = 0; at < bytes.length; at += 3) {
      const forged = bytes.map((byte, i) => (i === at ? byte ^ 1 : byte))
      const value = btoa(String.fromCharCode(...forged))
        .replaceAll('+', '-')
        .replaceAll('/', '_')
      const scim = scimClient(`${ORIGIN}/scim/v2`, `Bearer escim_${value.replace(/=+$/, '')}`, fetch)
      expectUnauthorized(await scim.post('/Users', newUser()))
    }
    await fetch.settled()
    expect(calls()).toBe(before)
  })

  it('RFC-239 at a tenant’s URL a forged token is answered before D1 is asked, and its log row comes later', async () => {
    const { DB, calls } = watchedDatabase()
    const fetch = withBindings({ DB })
    const end = token.endsWith('AA') ? 'QA' : 'AA'
    const scim = scimClient(tenant.connection.baseUrl, `Bearer ${token.slice(0, -2)}${end}`, fetch)
    expectUnauthorized(await scim.get('/Users'))
    expect(calls()).toBe(0)
    await fetch.settled()
    const { items } = await admin<{ items: Body[] }>('GET', `${tenant.at}/activity?outcome=unauthorized`)
    const sent = { connectionId: null, tokenHint: `${token.slice(-4, -2)}${end}`, help: expect.anything() }
    expect(items[0]).toMatchObject({ status: 401, method: 'GET', path: '/Users', ...sent })
  })

  it('what was refused is known again by its last four characters, if they give nothing away', async () => {
    const { connection, at } = await newTenant()
    const other = (await newTenant()).connection.token.value
    const basic = (user: string, password: string) => `Basic ${btoa(`${user}:${password}`)}`
    const secret = 'a-secret-of-somebody'
    const sent: [credential: string | undefined, hint: string | null][] = [
      ['Bearer 0123456789abcdef', 'cdef'],
      ['0123456789abcdeg', 'cdeg'],
      ['Bearer 0123456789abcde_f=', 'e_f='],
      [basic('scim', secret), 'body'],
      // A token of another tenant: nothing of that one is shown.
      [`Bearer ${other}`, null],
      ['Bearer 0123456789abcde', null],
      [basic('scim', 'short-password'), null],
      [basic('ada', secret), null],
      ['Bearer ada.lovelace@example.com', null],
      ['Bearer two words of some length', null],
      [undefined, null],
    ]
    for (const [credential] of sent) {
      expectUnauthorized(await scimClient(connection.baseUrl, credential).get('/Users'))
      await settled()
    }
    const { items } = await admin<{ items: Body[] }>('GET', `${at}/activity?outcome=unauthorized`)
    expect(items.map(({ tokenHint }) => tokenHint).reverse()).toEqual(sent.map(([, hint]) => hint))
    expect(new Set(items.map(({ connectionId }) => connectionId))).toEqual(new Set([null]))
    for (const { status, help } of items) {
      expect(status).toBe(401)
      expect(help).toMatch(/credential-(unknown|elsewhere)$/)
    }
  })

  it('Credentials: a good read is one round trip to D1', async () => {
    const { DB, calls } = watchedDatabase()
    const fetch = withBindings({ DB })
    const scim = scimClient(tenant.connection.baseUrl, `Bearer ${token}`, fetch)
    expect((await scim.get('/Users')).status).toBe(200)
    await fetch.settled()
    const before = calls()
    const reply = await scim.get(`/Users/${UNKNOWN_ID}`)
    expect(reply.status).toBe(404)
    // Two statements are prepared and sent as one batch.
    expect(calls() - before).toBe(3)
    await fetch.settled()
  })

  it('RFC-208 The tenant-less base URL: the token alone names the tenant, and locations lead back the same way', async () => {
    const scim = scimClient(`${ORIGIN}/scim/v2`, `Bearer ${token}`)
    const made = await scim.post('/Users', newUser())
    expect(made.status).toBe(201)
    expect(made.headers.get('Location')).toBe(`${ORIGIN}/scim/v2/Users/${made.body.id}`)
    expect(made.body.meta.location).toBe(made.headers.get('Location'))
    const same = await tenant.scim.get(`/Users/${made.body.id}`)
    expect(same.body.meta.location).toBe(`${tenant.connection.baseUrl}/Users/${made.body.id}`)
    expectUnauthorized(await scimClient(`${ORIGIN}/scim/v2`, undefined).get('/Users'))
  })

  it('RFC-181 RFC-188 a base URL pasted with a slash or doubled slashes works', async () => {
    for (const base of [
      `${tenant.connection.baseUrl}/`,
      tenant.connection.baseUrl.replace('/scim', '//scim'),
    ]) {
      const reply = await scimClient(base, `Bearer ${token}`).get('/Users?count=0')
      expect(reply.status).toBe(200)
    }
  })
})

describe('what ends a token', () => {
  it('a revoked token stops at once, is named in the activity log, and no other token stops', async () => {
    const tenant = await newTenant()
    const other = await tenant.connect()
    const { connection, scim } = tenant
    await tenant.user()
    const before = await tenant.state()
    await admin('DELETE', `${tenant.at}/connections/${connection.id}/tokens/${connection.token.id}`)
    expectUnauthorized(await scim.get('/Users'))
    expectUnauthorized(await scim.post('/Users', newUser()))
    expectUnauthorized(await scim.post('/Users', '{'))
    expectUnauthorized(await scim.post('/Groups', newGroup({ members: [{ value: UNKNOWN_ID }] })))
    expectUnauthorized(await scim.get('/nowhere'))
    await settled()
    const { items } = await admin<{ items: Body[] }>('GET', `${tenant.at}/activity?outcome=unauthorized`)
    expect(items).toHaveLength(5)
    for (const { connectionId, tokenHint } of items)
      expect({ connectionId, tokenHint }).toEqual({
        connectionId: connection.id,
        tokenHint: connection.token.value.slice(-4),
      })
    expect((await other.scim.get('/Users')).body.totalResults).toBe(before.users.totalResults)
    expect(await tenant.events()).toHaveLength(before.events)
  })

  it('rotation with overlap 0: every older token of the connection stops working at once', async () => {
    const tenant = await newTenant()
    const { connection } = tenant
    const second = await rotate(tenant, connection, { overlapSeconds: 3600 })
    const third = await rotate(tenant, connection)
    expectUnauthorized(await tenant.scim.get('/Users'))
    expectUnauthorized(await as(connection, second).get('/Users'))
    expect((await as(connection, third).get('/Users')).status).toBe(200)
  })

  it('RFC-212 rotation with overlap: the old token lives until the new one is first used', async () => {
    const tenant = await newTenant()
    const { connection } = tenant
    const next = await rotate(tenant, connection, { overlapSeconds: 3600 })
    expect((await tenant.scim.get('/Users')).status).toBe(200)
    expect((await tenant.scim.post('/Users', newUser())).status).toBe(201)
    expect((await as(connection, next).get('/Users')).status).toBe(200)
    expectUnauthorized(await tenant.scim.get('/Users'))
    expect((await as(connection, next).get('/Users')).status).toBe(200)
  })

  it.each([
    ['404', (scim: Scim) => scim.get(`/Users/${UNKNOWN_ID}`)],
    ['400', (scim: Scim) => scim.post('/Users', '{')],
    ['405', (scim: Scim) => scim.send('PUT', '/Users')],
  ])('rotation with overlap: a request that ends in %s is a first use as well', async (status, call) => {
    const tenant = await newTenant()
    const { connection } = tenant
    const next = await rotate(tenant, connection, { overlapSeconds: 3600 })
    expect((await call(as(connection, next))).status).toBe(Number(status))
    expectUnauthorized(await tenant.scim.get('/Users'))
  })

  it('rotation with overlap twice: the first use of the newest ends both older ones', async () => {
    const tenant = await newTenant()
    const { connection } = tenant
    const second = await rotate(tenant, connection, { overlapSeconds: 3600 })
    const third = await rotate(tenant, connection, { overlapSeconds: 3600 })
    expect((await tenant.scim.get('/Users')).status).toBe(200)
    expect((await as(connection, third).get('/Users')).status).toBe(200)
    expectUnauthorized(await tenant.scim.get('/Users'))
    expectUnauthorized(await as(connection, second).get('/Users'))
  })

  it('rotation of one connection leaves another connection’s token alone', async () => {
    const tenant = await newTenant()
    const other = await tenant.connect()
    await rotate(tenant, tenant.connection)
    expect((await other.scim.get('/Users')).status).toBe(200)
  })

  it('RFC-211 RFC-212 an expired token is 401', async () => {
    const tenant = await newTenant()
    const { connection } = tenant
    const expiresAt = new Date(Date.now() + 3_600_000).toISOString()
    const token = await rotate(tenant, connection, { expiresAt })
    expect((await as(connection, token).get('/Users')).status).toBe(200)
    await env.DB.prepare('UPDATE tokens SET expires_at = ? WHERE id = ?')
      .bind(Date.now() - 1, token.id)
      .run()
    expectUnauthorized(await as(connection, token).get('/Users'))
  })

  it('RFC-205 a disabled connection answers 403 to its valid tokens and 401 to others, until it is active again', async () => {
    const tenant = await newTenant()
    const other = await tenant.connect()
    const { connection, scim } = tenant
    const revoked = connection.token
    const valid = as(connection, await rotate(tenant, connection))
    const at = `${tenant.at}/connections/${connection.id}`
    await admin('PATCH', at, { status: 'disabled' })
    for (const reply of [
      await valid.get('/Users'),
      await valid.post('/Users', newUser()),
      await valid.post('/Users', '{'),
    ])
      expectError(reply, 403, undefined, /disabled/)
    expectUnauthorized(await scim.get('/Users'))
    expect(revoked.value).not.toBe('')
    expect((await other.scim.get('/Users')).body.totalResults).toBe(0)
    await admin('PATCH', at, { status: 'active' })
    expect((await valid.get('/Users')).status).toBe(200)
  })

  it('a suspended tenant answers 403 to its valid tokens, writes nothing, and goes on when it is resumed', async () => {
    const tenant = await newTenant()
    const user = await tenant.user()
    await tenant.setStatus('suspended')
    for (const reply of [
      await tenant.scim.get('/Users'),
      await tenant.scim.post('/Users', newUser()),
      await tenant.scim.patch(`/Users/${user.id}`, [{ op: 'replace', path: 'displayName', value: 'X' }]),
      await tenant.scim.delete(`/Users/${user.id}`),
      await tenant.scim.get('/nowhere'),
    ])
      expectError(reply, 403, undefined, /suspended/)
    expectUnauthorized(await scimClient(tenant.connection.baseUrl, 'Bearer x').get('/Users'))
    await tenant.setStatus('active')
    expect((await tenant.scim.get(`/Users/${user.id}`)).body).toEqual(user)
    expect((await tenant.scim.get('/Users')).body.totalResults).toBe(1)
  })

  it('a connection that becomes strict is strict at its next request', async () => {
    const tenant = await newTenant()
    const odd = () => newUser({ nosuch: 1 })
    expect((await tenant.scim.post('/Users', odd())).status).toBe(201)
    await admin('PATCH', `${tenant.at}/connections/${tenant.connection.id}`, { mode: 'strict' })
    const before = await tenant.state()
    expectError(await tenant.scim.post('/Users', odd()), 400, 'invalidSyntax', /nosuch/)
    expect(await tenant.state()).toEqual(before)
    await admin('PATCH', `${tenant.at}/connections/${tenant.connection.id}`, { mode: 'compat' })
    expect((await tenant.scim.post('/Users', odd())).status).toBe(201)
  })
})

describe('Promise 6: another tenant', () => {
  let ours: Tenant
  let theirs: Tenant
  let foreign: { user: Body; manager: Body; group: Body }
  beforeAll(async () => {
    ours = await newTenant()
    theirs = await newTenant()
    const manager = await theirs.user()
    const user = await theirs.user({ [ENTERPRISE]: { manager: { value: manager.id } } })
    foreign = { user, manager, group: await theirs.group({ members: [{ value: user.id }] }) }
  })

  it('RFC-205 RFC-208 a token of another tenant at /t/{slug} is 401, changes nothing, and looks like an unknown tenant', async () => {
    const token = ours.connection.token.value
    const at = (slug: string) => scimClient(`${ORIGIN}/t/${slug}/scim/v2`, `Bearer ${token}`)
    const before = [await ours.state(), await theirs.state()]
    const everyCall = async (scim: Scim) => [
      await scim.get('/Users'),
      await scim.get(`/Users/${foreign.user.id}`),
      await scim.post('/Users', newUser()),
      await scim.post('/Users', { ...newUser(), userName: foreign.user.userName }),
      await scim.post('/Groups', newGroup({ members: [{ value: foreign.user.id }] })),
      await scim.post('/Groups', newGroup({ members: [{ value: UNKNOWN_ID }] })),
      await scim.put(`/Users/${foreign.user.id}`, newUser()),
      await scim.patch(`/Users/${foreign.user.id}`, [{ op: 'replace', path: 'active', value: false }]),
      await scim.delete(`/Users/${foreign.user.id}`),
      await scim.post('/Users', '{'),
      await scim.get('/nowhere'),
    ]
    const atTheirs = await everyCall(at(theirs.slug))
    const atNobody = await everyCall(at('nobody'))
    const wrong = await everyCall(scimClient(theirs.connection.baseUrl, 'Bearer wrong'))
    for (const reply of atTheirs) expectUnauthorized(reply)
    expect(atTheirs.map(seen)).toEqual(atNobody.map(seen))
    expect(atTheirs.map(seen)).toEqual(wrong.map(seen))
    expect([await ours.state(), await theirs.state()]).toEqual(before)
  })

  it('a slug in another case, or one that is no slug, is 401 as well', async () => {
    const authorization = `Bearer ${ours.connection.token.value}`
    for (const slug of [ours.slug.toUpperCase(), '%00', "'--", '..%2f', 'x'.repeat(500)])
      expectUnauthorized(await scimClient(`${ORIGIN}/t/${slug}/scim/v2`, authorization).get('/Users'))
  })

  it('RFC-208 an id of another tenant answers exactly as an unknown id: in paths', async () => {
    const before = [await ours.state(), await theirs.state()]
    const calls = async (id: string) => {
      const replies: Reply[] = []
      for (const endpoint of ['/Users', '/Groups'])
        replies.push(
          await ours.scim.get(`${endpoint}/${id}`),
          await ours.scim.get(`${endpoint}/${id}`, { 'If-None-Match': '*' }),
          await ours.scim.put(`${endpoint}/${id}`, { ...newUser(), ...newGroup({ displayName: 'X' }) }),
          await ours.scim.patch(`${endpoint}/${id}`, [{ op: 'replace', path: 'externalId', value: 'x' }]),
          await ours.scim.delete(`${endpoint}/${id}`),
          await ours.scim.delete(`${endpoint}/${id}`, { 'If-Match': '"x"' }),
        )
      return replies.map(reply => ({ ...seen(reply), text: reply.text.replaceAll(id, 'ID') }))
    }
    const unknown = await calls(UNKNOWN_ID)
    expect(new Set(unknown.map(({ status }) => status))).toEqual(new Set([404]))
    for (const { id } of Object.values(foreign)) expect(await calls(id)).toEqual(unknown)
    expect([await ours.state(), await theirs.state()]).toEqual(before)
  })

  /** A list of members that names the id, in every way there is. */
  async function membersCalls({ scim }: Connection, groupId: string, id: string): Promise<Reply[]> {
    const at = `/Groups/${groupId}`
    const members = [{ value: id }]
    return [
      await scim.post('/Groups', newGroup({ displayName: 'X', members })),
      await scim.put(at, newGroup({ displayName: 'Y', members })),
      await scim.patch(at, [{ op: 'add', path: 'members', value: members }]),
      await scim.patch(at, [{ op: 'replace', path: 'members', value: members }]),
      await scim.patch(at, [{ op: 'remove', path: 'members', value: members }]),
      await scim.patch(at, [{ op: 'remove', path: `members[value eq "${id}"]` }]),
    ]
  }

  it('RFC-208 an id of another tenant answers exactly as an unknown id: in members.value, in strict', async () => {
    const strict = await ours.connect({ mode: 'strict' })
    const group = (await strict.scim.post('/Groups', newGroup())).body
    const before = [await ours.state(), await theirs.state()]
    const calls = async (id: string) => {
      const replies = await membersCalls(strict, group.id, id)
      return replies.map(reply => ({ ...seen(reply), text: reply.text.replaceAll(id, 'ID') }))
    }
    const unknown = await calls(UNKNOWN_ID)
    expect(unknown.map(({ status }) => status)).toEqual([400, 400, 400, 400, 400, 204])
    for (const { id } of Object.values(foreign)) expect(await calls(id)).toEqual(unknown)
    expect([await ours.state(), await theirs.state()]).toEqual(before)
  })

  it('RFC-208 an id of another tenant answers exactly as an unknown id: in members.value, in compat', async () => {
    const before = await theirs.state()
    const calls = async (id: string) => {
      const group = await ours.group()
      const replies = await membersCalls(ours.connection, group.id, id)
      for (const gone of [group.id, replies[0]?.body.id]) await ours.scim.delete(`/Groups/${gone}`)
      return replies.map(({ status, body }) => [status, body.members])
    }
    const unknown = await calls(UNKNOWN_ID)
    expect(unknown).toEqual([[201, []], [200, []], ...Array.from({ length: 4 }, () => [204, undefined])])
    for (const { id } of Object.values(foreign)) expect(await calls(id)).toEqual(unknown)
    expect(await theirs.state()).toEqual(before)
  })

  it('RFC-208 an id of another tenant answers exactly as an unknown id: in manager.value', async () => {
    const apart = await newTenant()
    const managed = async (id: string) => {
      const made = await apart.user({ [ENTERPRISE]: { manager: { value: id } } })
      return JSON.stringify(made[ENTERPRISE]).replaceAll(id, 'ID')
    }
    expect(await managed(foreign.user.id)).toBe(await managed(UNKNOWN_ID))
  })

  it('RFC-208 an id of another tenant answers exactly as an unknown id: in filters', async () => {
    const calls = async (user: string, group: string, externalId: string, userName: string) => {
      const replies: Reply[] = []
      for (const filter of [
        `id eq "${user}"`,
        `id eq "${group}"`,
        `externalId eq "${externalId}"`,
        `userName eq "${userName}"`,
        `emails.value eq "${userName}"`,
        `emails[type eq "work"].value eq "${userName}"`,
        `groups.value eq "${group}"`,
        `groups[value eq "${group}"]`,
        `${ENTERPRISE}:manager.value eq "${user}"`,
        `manager eq "${user}"`,
        `meta.location ew "${user}"`,
      ])
        replies.push(await ours.scim.filter('/Users', filter))
      for (const filter of [
        `id eq "${group}"`,
        `members.value eq "${user}"`,
        `members[value eq "${user}"]`,
        `members[value eq "${user}" and type eq "User"]`,
        `externalId eq "${externalId}"`,
        `displayName eq "${foreign.group.displayName}"`,
      ])
        replies.push(await ours.scim.filter('/Groups', filter))
      return replies.map(seen)
    }
    const { user, group, manager } = foreign
    const unknown = await calls(UNKNOWN_ID, UNKNOWN_ID, 'nobody', 'nobody')
    expect(new Set(unknown.map(({ status }) => status))).toEqual(new Set([200]))
    expect(unknown.every(({ text }) => text.includes('"totalResults":0'))).toBe(true)
    expect(await calls(user.id, group.id, user.externalId, user.userName)).toEqual(unknown)
    expect(await calls(manager.id, group.id, manager.externalId, manager.userName)).toEqual(unknown)
  })

  it('a unique value of another tenant is free', async () => {
    const { userName, externalId } = foreign.user
    expect((await ours.scim.post('/Users', newUser({ userName, externalId }))).status).toBe(201)
    const { displayName } = foreign.group
    expect((await ours.scim.post('/Groups', newGroup({ displayName }))).status).toBe(201)
  })
})

describe('Rate limit', () => {
  it('RFC-220 RFC-235 beyond the connection’s rate: 429, SCIM error body, integer Retry-After, nothing written', async () => {
    const tenant = await newTenant()
    const before = await tenant.state()
    const { limiter: CONNECTION_LIMIT } = limiter(2)
    const fetch = withBindings({ CONNECTION_LIMIT })
    const { baseUrl, token } = tenant.connection
    const scim = scimClient(baseUrl, `Bearer ${token.value}`, fetch)
    expect((await scim.get('/Users')).status).toBe(200)
    expect((await scim.get('/Users')).status).toBe(200)
    for (const reply of [await scim.get('/Users'), await scim.post('/Users', newUser())]) {
      expectError(reply, 429, undefined, /requests of this connection/)
      const seconds = reply.headers.get('Retry-After') ?? ''
      expect(seconds).toMatch(/^\d+$/)
      expect(Number(seconds)).toBeGreaterThanOrEqual(1)
      expect(Number(seconds)).toBeLessThanOrEqual(60)
    }
    await fetch.settled()
    expect(await tenant.state()).toEqual(before)
  })

  it('one connection’s rate is not another’s', async () => {
    const tenant = await newTenant()
    const other = await tenant.connect()
    const { limiter: CONNECTION_LIMIT } = limiter(1)
    const fetch = withBindings({ CONNECTION_LIMIT })
    const client = ({ baseUrl, token }: Connection) => scimClient(baseUrl, `Bearer ${token.value}`, fetch)
    expect((await client(tenant.connection).get('/Users')).status).toBe(200)
    expect((await client(tenant.connection).get('/Users')).status).toBe(429)
    expect((await client(other).get('/Users')).status).toBe(200)
  })

  it('RFC-220 Failed credentials are limited by address, then 429, and never slow a good credential', async () => {
    const tenant = await newTenant()
    const { limiter: FAILED_CREDENTIAL_LIMIT, keys } = limiter(2)
    const fetch = withBindings({ FAILED_CREDENTIAL_LIMIT })
    const { baseUrl, token } = tenant.connection
    const address = { 'CF-Connecting-IP': '203.0.113.7' }
    const bad = scimClient(baseUrl, 'Bearer wrong', fetch)
    expectUnauthorized(await bad.get('/Users', address))
    expectUnauthorized(await bad.get('/Users', address))
    const refused = await bad.get('/Users', address)
    expectError(refused, 429, undefined, /failed credentials/)
    expect(refused.headers.get('Retry-After')).toMatch(/^\d+$/)
    expectUnauthorized(await bad.get('/Users', { 'CF-Connecting-IP': '203.0.113.8' }))
    const good = scimClient(baseUrl, `Bearer ${token.value}`, fetch)
    for (let i = 0; i < 5; i++) expect((await good.get('/Users', address)).status).toBe(200)
    expect(new Set(keys)).toEqual(new Set(['203.0.113.7', '203.0.113.8']))
    expect(keys).toHaveLength(4)
  })

  it('a revoked token counts as a failed credential, and does not use up its connection’s rate', async () => {
    const tenant = await newTenant()
    const { connection } = tenant
    const next = await rotate(tenant, connection)
    const { limiter: CONNECTION_LIMIT } = limiter(3)
    const { limiter: FAILED_CREDENTIAL_LIMIT } = limiter(2)
    const fetch = withBindings({ CONNECTION_LIMIT, FAILED_CREDENTIAL_LIMIT })
    const client = ({ value }: Token) => scimClient(connection.baseUrl, `Bearer ${value}`, fetch)
    expectUnauthorized(await client(connection.token).get('/Users'))
    expectUnauthorized(await client(connection.token).get('/Users'))
    for (let i = 0; i < 5; i++) expectError(await client(connection.token).get('/Users'), 429)
    for (let i = 0; i < 3; i++) expect((await client(next).get('/Users')).status).toBe(200)
  })

  it('A deployment without the limiter’s binding has no limit', async () => {
    const tenant = await newTenant()
    const { CONNECTION_LIMIT: _, FAILED_CREDENTIAL_LIMIT: __, ...rest } = env
    const fetch = withBindings({
      ...rest,
      CONNECTION_LIMIT: undefined,
      FAILED_CREDENTIAL_LIMIT: undefined,
    } as unknown as Env)
    const { baseUrl, token } = tenant.connection
    expect((await scimClient(baseUrl, `Bearer ${token.value}`, fetch).get('/Users')).status).toBe(200)
    expectUnauthorized(await scimClient(baseUrl, 'Bearer x', fetch).get('/Users'))
  })
})
