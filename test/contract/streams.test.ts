// Receivers of signed messages over HTTP: creating each kind, the tenant's keys and metadata, and a stream as its
// receiver uses it (RFC 8936, SSF 1.0).

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { verify } from '../events/verify'
import { ADMIN_TOKEN, admin, newTenant, ORIGIN, readReply, settled, type Tenant, withBindings } from './world'

const send = withBindings({})
const POLL = 'urn:ietf:rfc:8936'
const VERIFICATION = 'https://schemas.openid.net/secevent/ssf/event-type/verification'
const STREAM_UPDATED = 'https://schemas.openid.net/secevent/ssf/event-type/stream-updated'
const SESSION_REVOKED = 'https://schemas.openid.net/secevent/caep/event-type/session-revoked'

// biome-ignore lint/suspicious/noExplicitAny: a reply is whatever its test says it is
type Any = any

async function call(method: string, url: string, options: { token?: string; body?: unknown } = {}) {
  const headers = new Headers(options.token === undefined ? {} : { authorization: `Bearer ${options.token}` })
  const init: RequestInit = { method, headers }
  if (options.body !== undefined) init.body = JSON.stringify(options.body)
  return readReply<Any>(await send(new Request(url, init)))
}

/** A call of the admin API, whatever comes of it. */
const adminReply = (method: string, path: string, body?: unknown) =>
  call(method, `${ORIGIN}/admin/v1${path}`, { token: ADMIN_TOKEN, body })

let tenant: Tenant

beforeEach(async () => {
  tenant = await newTenant()
})

afterEach(async () => {
  await settled()
  await send.settled()
  vi.restoreAllMocks()
})

const issuer = () => `${ORIGIN}/t/${tenant.slug}`
const keySet = async () => (await call('GET', `${issuer()}/jwks.json`)).body

interface Receiver {
  readonly id: string
  readonly pollUrl: string
  readonly secret: string
}

const receiver = (body: object) => admin<Receiver>('POST', `${tenant.at}/receivers`, body)
const poller = (more: object = {}) =>
  receiver({ kind: 'ssf-poll', audience: 'https://app.example', subject: 'id', ...more })

async function poll({ pollUrl, secret }: Receiver, body: object = {}) {
  const reply = await call('POST', pollUrl, { token: secret, body: { returnImmediately: true, ...body } })
  expect(reply.status).toBe(200)
  return reply.body as { sets: Record<string, string>; moreAvailable: boolean }
}

const deliveriesOf = async ({ id }: Receiver) =>
  (await admin<{ items: Any[] }>('GET', `${tenant.at}/deliveries?receiverId=${id}`)).items

async function deactivated() {
  const user = await tenant.user()
  await tenant.scim.patch(`/Users/${user.id}`, [{ op: 'replace', path: 'active', value: false }])
  return user
}

describe('a receiver of each kind', () => {
  const url = 'https://app.example.com/in'

  it.each([
    [
      {
        kind: 'ssf-push',
        url,
        audience: 'https://app.example',
        authorizationHeader: 'Bearer for-the-receiver',
      },
      { url, audience: 'https://app.example', subject: 'email', secret: expect.stringMatching(/^ssf_/) },
    ],
    [
      { kind: 'backchannel-logout', url, clientId: 'app-1', subject: 'externalId' },
      {
        url,
        clientId: 'app-1',
        subject: 'externalId',
        events: ['user.deactivated', 'user.deleted', 'user.sessions_revoked'],
      },
    ],
    [
      { kind: 'global-token-revocation', url, clientId: 'app-1' },
      { url, clientId: 'app-1', subject: 'email' },
    ],
  ])('is created, read and shown without its secrets: %j', async (body, shown) => {
    const created = await admin<Any>('POST', `${tenant.at}/receivers`, body)
    expect(created).toMatchObject({ ...shown, kind: body.kind, issuer: issuer(), status: 'active' })
    const { secret, ...rest } = created
    expect(secret === undefined).toBe(body.kind !== 'ssf-push')
    const read = await adminReply('GET', `${tenant.at}/receivers/${created.id}`)
    expect(read.body).toEqual(rest)
    expect(read.text).not.toContain('for-the-receiver')
  })

  it('ssf-poll has a pollUrl in the place of a url', async () => {
    const created = await poller({ subject: 'complex', subjectIssuer: 'https://login.acme.com/' })
    expect(created).toMatchObject({
      pollUrl: `${issuer()}/ssf/poll/${created.id}`,
      subject: 'complex',
      subjectIssuer: 'https://login.acme.com/',
    })
    expect(created).not.toHaveProperty('url')
  })

  it.each<[object, string]>([
    [{ kind: 'ssf-push', audience: 'a' }, 'url'],
    [{ kind: 'ssf-push', url }, 'audience'],
    [{ kind: 'ssf-push', url: 'http://app.example.com', audience: 'a' }, 'url'],
    [{ kind: 'ssf-push', url, audience: 'a', subject: 'phone' }, 'subject'],
    [{ kind: 'ssf-push', url, audience: 'a', clientId: 'c' }, 'clientId'],
    [{ kind: 'ssf-push', url, audience: 'a b' }, 'audience'],
    [
      { kind: 'ssf-push', url, audience: 'a', authorizationHeader: 'Bearer x\r\nX: y' },
      'authorizationHeader',
    ],
    [{ kind: 'ssf-poll', audience: 'a', url }, 'url'],
    [{ kind: 'ssf-poll' }, 'audience'],
    [{ kind: 'backchannel-logout', url }, 'clientId'],
    [{ kind: 'backchannel-logout', url, clientId: 'c', subject: 'iss_sub' }, 'subject'],
    [
      { kind: 'backchannel-logout', url, clientId: 'c', events: ['user.deleted', 'group.created'] },
      'events[1]',
    ],
    [{ kind: 'global-token-revocation', url }, 'clientId'],
    [{ kind: 'global-token-revocation', url, clientId: 'c', subject: 'complex' }, 'subject'],
    [{ kind: 'webhook', url, audience: 'a' }, 'audience'],
    [{ kind: 'webhook', url, subject: 'email' }, 'subject'],
    [{ kind: 'carrier-pigeon', url }, 'kind'],
  ])('422 for %j, naming %s', async (body, path) => {
    const reply = await adminReply('POST', `${tenant.at}/receivers`, body)
    expect(reply.status).toBe(422)
    expect(reply.body.errors.map((error: Any) => error.path)).toContain(path)
    expect((await admin<{ items: unknown[] }>('GET', `${tenant.at}/receivers`)).items).toEqual([])
  })

  it('is changed by its own fields and no others', async () => {
    const created = await receiver({
      kind: 'ssf-push',
      url,
      audience: 'a',
      subjectIssuer: 'https://idp.example',
    })
    const at = `${tenant.at}/receivers/${created.id}`
    const changed = await adminReply('PATCH', at, { audience: 'b', subject: 'iss_sub', subjectIssuer: null })
    expect(changed.body).toMatchObject({ audience: 'b', subject: 'iss_sub', url })
    expect(changed.body).not.toHaveProperty('subjectIssuer')
    expect((await adminReply('PATCH', at, { clientId: 'c' })).status).toBe(422)
    expect((await adminReply('GET', at)).body).toEqual(changed.body)
  })

  it('rotate-secret is 409 where there is no secret', async () => {
    const created = await receiver({ kind: 'backchannel-logout', url, clientId: 'c' })
    const reply = await adminReply('POST', `${tenant.at}/receivers/${created.id}/rotate-secret`)
    expect(reply.status).toBe(409)
    expect(reply.body.detail).toMatch(/no secret/)
  })

  it('gets a delivery only of what means something to it', async () => {
    const created = await receiver({ kind: 'global-token-revocation', url, clientId: 'c' })
    await tenant.group()
    const user = await deactivated()
    expect(await deliveriesOf(created)).toEqual([expect.objectContaining({ userId: user.id })])
  })
})

describe('what is public of a tenant', () => {
  it('are its keys, to be kept for five minutes, and its transmitter’s metadata', async () => {
    const keys = await call('GET', `${issuer()}/jwks.json`)
    expect(keys.status).toBe(200)
    expect(keys.headers.get('cache-control')).toBe('public, max-age=300')
    expect(keys.body.keys).toHaveLength(1)
    expect(Object.keys(keys.body.keys[0]).toSorted()).toEqual(['alg', 'e', 'kid', 'kty', 'n', 'use'])

    const metadata = await call('GET', `${ORIGIN}/.well-known/ssf-configuration/t/${tenant.slug}`)
    expect(metadata.body).toEqual({
      spec_version: '1_0',
      issuer: issuer(),
      jwks_uri: `${issuer()}/jwks.json`,
      delivery_methods_supported: ['urn:ietf:rfc:8935', POLL],
      configuration_endpoint: `${issuer()}/ssf/stream`,
      status_endpoint: `${issuer()}/ssf/status`,
      verification_endpoint: `${issuer()}/ssf/verify`,
      authorization_schemes: [{ spec_urn: 'urn:ietf:rfc:6750' }],
      default_subjects: 'ALL',
    })
  })

  it('an unknown tenant is 404 and nothing more', async () => {
    const replies = await Promise.all(
      ['/t/nobody/jwks.json', '/.well-known/ssf-configuration/t/nobody'].map(path =>
        call('GET', ORIGIN + path),
      ),
    )
    for (const reply of replies) {
      expect(reply.status).toBe(404)
      expect(reply.body).toEqual(replies[0]?.body)
    }
  })

  it('the operator sees and rotates the keys; both are published', async () => {
    const first = (await admin<{ items: Any[] }>('GET', `${tenant.at}/signing-keys`)).items
    expect(first).toEqual([expect.objectContaining({ status: 'current', publishedUntil: null })])
    const next = await admin<Any>('POST', `${tenant.at}/signing-keys/rotate`, {})
    expect(next).toMatchObject({ status: 'next', publishedUntil: null, publicKey: { alg: 'RS256' } })
    expect((await keySet()).keys.map((key: Any) => key.kid)).toEqual([first[0].kid, next.kid])
    const listed = await adminReply('GET', `${tenant.at}/signing-keys`)
    expect(listed.body.items.map((key: Any) => key.status)).toEqual(['current', 'next'])
    expect(listed.text).not.toMatch(/"(?:d|p|q|dp|dq|qi)":|private/i)
  })
})

describe('a poll (RFC 8936)', () => {
  it('never gives back access that was taken since: a reactivation that was not acknowledged in time is dead', async () => {
    const stream = await poller({ events: ['user.deactivated', 'user.reactivated'] })
    const user = await deactivated()
    const setActive = (active: boolean) =>
      tenant.scim.patch(`/Users/${user.id}`, [{ op: 'replace', value: { active } }])
    await setActive(true)
    const before = Object.keys((await poll(stream)).sets)
    expect(before).toHaveLength(5)
    await setActive(false)
    const { sets } = await poll(stream, { ack: before.slice(0, 3) })
    expect(Object.keys(sets)).toHaveLength(3)
    const dead = (await deliveriesOf(stream)).filter(({ state }) => state === 'dead')
    expect(dead).toEqual([
      expect.objectContaining({ lastError: expect.stringMatching(/^overtaken by event \d+, which took/) }),
    ])
  })

  it('gives the SETs by jti, again until they are acknowledged, and then never', async () => {
    const stream = await poller({ events: ['user.deactivated'] })
    const user = await deactivated()
    const first = await poll(stream)
    const jtis = Object.keys(first.sets)
    expect(jtis).toHaveLength(3)
    expect(first.moreAvailable).toBe(false)
    const keys = await keySet()
    for (const [jti, token] of Object.entries(first.sets)) {
      const { header, claims } = await verify(token, keys)
      expect(header.typ).toBe('secevent+jwt')
      expect(claims).toMatchObject({ iss: issuer(), aud: 'https://app.example', jti })
      expect(Object.keys(claims.events)).toHaveLength(1)
    }
    const revoked = await verify(first.sets[jtis[0] ?? ''] ?? '', keys)
    expect(revoked.claims.events).toHaveProperty([SESSION_REVOKED])
    expect(revoked.claims.sub_id).toEqual({ format: 'opaque', id: user.id })

    expect((await poll(stream)).sets).toEqual(first.sets)
    expect(await deliveriesOf(stream)).toEqual([
      expect.objectContaining({ state: 'pending', attempts: 2, nextAttemptAt: expect.any(String) }),
    ])
    expect(Object.keys((await poll(stream, { ack: jtis.slice(0, 2) })).sets)).toEqual(jtis.slice(2))
    expect((await poll(stream, { ack: jtis.slice(2) })).sets).toEqual({})
    expect(await deliveriesOf(stream)).toEqual([
      expect.objectContaining({ state: 'delivered', lastError: null, latencyMs: expect.any(Number) }),
    ])
  })

  it('maxEvents bounds it and 0 only acknowledges; moreAvailable says that there is more', async () => {
    const stream = await poller({ events: ['user.created'] })
    for (let i = 0; i < 3; i++) await tenant.user()
    const two = await poll(stream, { maxEvents: 2 })
    expect(Object.keys(two.sets)).toHaveLength(2)
    expect(two.moreAvailable).toBe(true)
    expect(await poll(stream, { maxEvents: 0, ack: Object.keys(two.sets) })).toEqual({
      sets: {},
      moreAvailable: false,
    })
    const last = await poll(stream)
    expect(Object.keys(last.sets)).toHaveLength(1)
    expect(last.moreAvailable).toBe(false)
  })

  it('setErrs: the delivery is dead with the error in words, and can be replayed', async () => {
    const stream = await poller({ events: ['user.deactivated'] })
    await deactivated()
    const jtis = Object.keys((await poll(stream)).sets)
    const [first = '', ...others] = jtis
    const setErrs = { [first]: { err: 'invalid_audience', description: 'secret words' } }
    expect((await poll(stream, { setErrs, ack: others })).sets).toEqual({})
    const [dead] = await deliveriesOf(stream)
    expect(dead).toMatchObject({
      state: 'dead',
      lastError: 'refused: it is not the audience (invalid_audience)',
    })

    await admin('POST', `${tenant.at}/deliveries/${dead.id}/replay`)
    expect(Object.keys((await poll(stream)).sets)).toEqual(jtis)
    await poll(stream, { ack: jtis })
    expect(await deliveriesOf(stream)).toEqual([
      expect.objectContaining({ state: 'delivered', lastError: null }),
    ])
  })

  it('what was never handed out, or is nobody’s, cannot be acknowledged', async () => {
    const stream = await poller({ events: ['user.created'] })
    await tenant.user()
    const [event] = await tenant.events('&type=user.created')
    await poll(stream, { maxEvents: 0, ack: [`${event?.id}.0`, 'x', `${event?.id}.9`, 'evt__1.0'] })
    expect(Object.keys((await poll(stream)).sets)).toEqual([`${event?.id}.0`])
  })

  it('waits for an event unless it is to return immediately', async () => {
    const stream = await poller({ events: ['user.created'] })
    const waiting = poll(stream, { returnImmediately: false })
    await tenant.user()
    expect(Object.keys((await waiting).sets)).toHaveLength(1)
  })

  it('its deliveries never go to the Queue', async () => {
    const stream = await poller()
    const sendBatch = vi.fn(async () => undefined)
    const quiet = withBindings({ EVENTS: { sendBatch } as unknown as Env['EVENTS'] })
    const { token, baseUrl } = tenant.connection
    const created = await quiet(
      new Request(`${baseUrl}/Users`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token.value}`, 'content-type': 'application/scim+json' },
        body: JSON.stringify({ schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'], userName: 'ada' }),
      }),
    )
    expect(created.status).toBe(201)
    await quiet.settled()
    expect(sendBatch.mock.calls.flat(2)).toEqual([])
    await admin('PATCH', `${tenant.at}/receivers/${stream.id}`, { status: 'paused' })
    await admin('PATCH', `${tenant.at}/receivers/${stream.id}`, { status: 'active' })
    await admin('POST', `${tenant.at}/receivers/${stream.id}/replay`, { fromSequence: 1, toSequence: 1 })
    expect(await deliveriesOf(stream)).toEqual([expect.objectContaining({ state: 'pending', attempts: 0 })])
  })

  it('somebody whom the receiver cannot know stands in the deliveries as dead, with the reason', async () => {
    const stream = await poller({ subject: 'externalId', events: ['user.deactivated'] })
    const user = await tenant.user({ externalId: undefined })
    await tenant.scim.patch(`/Users/${user.id}`, [{ op: 'replace', path: 'active', value: false }])
    await poll(stream)
    expect(await deliveriesOf(stream)).toEqual([
      expect.objectContaining({ state: 'dead', lastError: expect.stringMatching(/no externalId/) }),
    ])
  })

  it.each([
    { maxEvents: -1 },
    { maxEvents: 'x' },
    { ack: 'x' },
    { ack: [1] },
    { setErrs: [] },
    { returnImmediately: 'yes' },
  ])('400 invalid_request for %j', async body => {
    const { pollUrl, secret } = await poller()
    const reply = await call('POST', pollUrl, { token: secret, body })
    expect(reply.status).toBe(400)
    expect(reply.body).toEqual({ err: 'invalid_request', description: expect.any(String) })
  })
})

describe('a stream, to its receiver (SSF 1.0)', () => {
  const at = (path: string) => `${issuer()}/ssf/${path}`

  it('shows its configuration, and leaves it to the operator', async () => {
    const stream = await receiver({
      kind: 'ssf-push',
      url: 'https://app.example.com/in',
      audience: 'https://app.example',
      authorizationHeader: 'Bearer for-the-receiver',
      events: ['user.sessions_revoked'],
    })
    const reply = await call('GET', at(`stream?stream_id=${stream.id}`), { token: stream.secret })
    expect(reply.body).toEqual({
      stream_id: stream.id,
      iss: issuer(),
      aud: 'https://app.example',
      events_supported: expect.arrayContaining([SESSION_REVOKED, VERIFICATION]),
      events_requested: [SESSION_REVOKED, VERIFICATION, STREAM_UPDATED],
      events_delivered: [SESSION_REVOKED, VERIFICATION, STREAM_UPDATED],
      delivery: { method: 'urn:ietf:rfc:8935', endpoint_url: 'https://app.example.com/in' },
    })
    expect((await call('GET', at('stream'), { token: stream.secret })).body).toEqual([reply.body])
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE'])
      expect((await call(method, at('stream'), { token: stream.secret })).status).toBe(403)
  })

  it('is paused and resumed by it: what happens meanwhile waits', async () => {
    const stream = await poller({ events: ['user.created'] })
    const { id: stream_id, secret: token } = stream
    const status = (value: string) =>
      call('POST', at('status'), { token, body: { stream_id, status: value } })
    expect((await call('GET', at(`status?stream_id=${stream_id}`), { token })).body).toEqual({
      stream_id,
      status: 'enabled',
    })
    expect((await status('paused')).body).toEqual({ stream_id, status: 'paused' })
    await tenant.user()
    expect((await poll(stream)).sets).toEqual({})
    expect((await adminReply('GET', `${tenant.at}/receivers/${stream_id}`)).body.status).toBe('paused')
    expect((await status('enabled')).body).toEqual({ stream_id, status: 'enabled' })
    expect(Object.keys((await poll(stream)).sets)).toHaveLength(1)
    expect((await status('disabled')).body).toEqual({ stream_id, status: 'disabled' })
    expect((await poll(stream)).sets).toEqual({})
    expect(await deliveriesOf(stream)).toEqual([
      expect.objectContaining({ state: 'dead', lastError: 'the receiver disabled its stream' }),
    ])
    expect((await status('asleep')).status).toBe(400)
  })

  it('a verification comes with the next poll, with the state that was given, until it is acknowledged', async () => {
    const stream = await poller()
    const asked = await call('POST', at('verify'), {
      token: stream.secret,
      body: { stream_id: stream.id, state: 'abc' },
    })
    expect(asked.status).toBe(204)
    await send.settled()
    const { sets } = await poll(stream)
    const [jti = ''] = Object.keys(sets)
    expect((await verify(sets[jti] ?? '', await keySet())).claims).toMatchObject({
      sub_id: { format: 'opaque', id: stream.id },
      events: { [VERIFICATION]: { state: 'abc' } },
    })
    expect((await poll(stream, { ack: [jti] })).sets).toEqual({})
  })

  it('a verification of a push stream is pushed, under the header that the receiver gave', async () => {
    const stream = await receiver({
      kind: 'ssf-push',
      url: 'https://app.example.com/in',
      audience: 'a',
      authorizationHeader: 'Bearer for-the-receiver',
    })
    const pushed: RequestInit[] = []
    vi.spyOn(globalThis, 'fetch').mockImplementation(async (_, init) => {
      pushed.push(init ?? {})
      return new Response(null, { status: 202 })
    })
    const body = { stream_id: stream.id, state: 'abc' }
    expect((await call('POST', at('verify'), { token: stream.secret, body })).status).toBe(204)
    await send.settled()
    expect(pushed).toHaveLength(1)
    expect(new Headers(pushed[0]?.headers).get('authorization')).toBe('Bearer for-the-receiver')
    const { claims } = await verify(String(pushed[0]?.body), await keySet())
    expect(claims.events).toEqual({ [VERIFICATION]: { state: 'abc' } })

    await admin('PATCH', `${tenant.at}/receivers/${stream.id}`, { authorizationHeader: null })
    await admin('POST', `${tenant.at}/receivers/${stream.id}/test`)
    expect(new Headers(pushed[1]?.headers).has('authorization')).toBe(false)
  })

  it('stream-updated tells it that the operator paused or resumed, whatever its status', async () => {
    const stream = await poller({ events: ['user.created'] })
    const keys = await keySet()
    for (const [status, word] of [
      ['paused', 'paused'],
      ['active', 'enabled'],
    ]) {
      await admin('PATCH', `${tenant.at}/receivers/${stream.id}`, { status })
      await settled()
      const { sets } = await poll(stream)
      const [jti = ''] = Object.keys(sets)
      expect((await verify(sets[jti] ?? '', keys)).claims).toMatchObject({
        sub_id: { format: 'opaque', id: stream.id },
        events: { [STREAM_UPDATED]: { status: word } },
      })
      expect((await poll(stream, { ack: [jti] })).sets).toEqual({})
    }
  })

  it('the test button lays a verification out for the next poll, and says so', async () => {
    const stream = await poller()
    const result = await admin<Any>('POST', `${tenant.at}/receivers/${stream.id}/test`)
    expect(result).toMatchObject({
      delivered: false,
      status: null,
      error: expect.stringMatching(/next poll/),
    })
    expect(Object.keys((await poll(stream)).sets)).toHaveLength(1)
  })

  it('a rotated secret counts at once, the old one for its overlap', async () => {
    const stream = await poller()
    const rotate = (overlapSeconds: number) =>
      admin<{ secret: string }>('POST', `${tenant.at}/receivers/${stream.id}/rotate-secret`, {
        overlapSeconds,
      })
    const status = async (token: string) =>
      (await call('GET', at(`status?stream_id=${stream.id}`), { token })).status
    const second = await rotate(60)
    expect([await status(stream.secret), await status(second.secret)]).toEqual([200, 200])
    const third = await rotate(0)
    expect([await status(second.secret), await status(third.secret)]).toEqual([401, 200])
  })

  it('another secret, another tenant’s, and an unknown tenant get one answer', async () => {
    const stream = await poller()
    const other = await newTenant()
    const foreign = await admin<Receiver>('POST', `${other.at}/receivers`, {
      kind: 'ssf-poll',
      audience: 'a',
    })
    const logout = await receiver({ kind: 'webhook', url: 'https://app.example.com/in' })
    const paths = [`poll/${stream.id}`, 'status', 'verify']
    for (const path of paths) {
      const tokens = [undefined, 'x', foreign.secret, logout.secret, `${stream.secret.slice(0, -1)}-`, 'a b']
      const replies = await Promise.all([
        ...tokens.map(token => call('POST', at(path), { ...(token !== undefined && { token }), body: {} })),
        call('POST', `${ORIGIN}/t/nobody/ssf/${path}`, { token: stream.secret, body: {} }),
        call('POST', `${ORIGIN}/t/${other.slug}/ssf/${path}`, { token: stream.secret, body: {} }),
      ])
      for (const reply of replies) {
        expect(reply.status).toBe(401)
        expect(reply.headers.get('www-authenticate')).toMatch(/^Bearer /)
        expect(reply.body).toEqual(replies[0]?.body)
      }
    }
  })

  it('a stream that is not this secret’s is as unknown as one that never was', async () => {
    const [mine, sibling] = [await poller(), await poller()]
    for (const stream_id of [sibling.id, 'nothing']) {
      const { secret: token } = mine
      const replies = await Promise.all([
        call('GET', at(`stream?stream_id=${stream_id}`), { token }),
        call('GET', at(`status?stream_id=${stream_id}`), { token }),
        call('POST', at('status'), { token, body: { stream_id, status: 'disabled' } }),
        call('POST', at('verify'), { token, body: { stream_id } }),
        call('POST', at(`poll/${stream_id}`), { token, body: {} }),
      ])
      expect(replies.map(({ status }) => status)).toEqual([404, 404, 404, 404, 404])
    }
    expect((await adminReply('GET', `${tenant.at}/receivers/${sibling.id}`)).body.status).toBe('active')
  })
})

describe('the event tells the e-mail address by which receivers know people', () => {
  it.each([
    [
      [
        { value: 'a@x.example', type: 'home' },
        { value: 'b@x.example', type: 'work' },
      ],
      'b@x.example',
    ],
    [
      [
        { value: 'a@x.example', type: 'work' },
        { value: 'b@x.example', primary: true },
      ],
      'b@x.example',
    ],
    [[{ value: 'a@x.example' }, { value: 'b@x.example', type: 'home' }], 'a@x.example'],
    [undefined, undefined],
  ])('%j: %s', async (emails, email) => {
    await tenant.user({ emails })
    const [event] = await tenant.events('&type=user.created')
    expect((event?.data.user as Any)?.email).toBe(email)
  })
})
