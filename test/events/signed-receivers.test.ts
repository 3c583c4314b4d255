// The kinds that are told in the tenant's name: every claim and signature as a receiver checks it by the standards,
// from the event's row to the request.

import { env } from 'cloudflare:workers'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { DeliveryPointer } from '../../src/events/message'
import { publishedKeys, rotateKey } from '../../src/events/signing-keys'
import { testReceiver } from '../../src/events/test-receiver'
import { createDeliveries } from '../../src/storage/outbox'
import { verify } from './verify'
import { newTenant, newWorld, rowOf, run, START, type World } from './world'

const SECONDS = START / 1000
const WEEK_MS = 7 * 86_400_000
const CAEP = 'https://schemas.openid.net/secevent/caep/event-type/'
const RISC = 'https://schemas.openid.net/secevent/risc/event-type/'
const PROV = 'urn:ietf:params:scim:event:prov:'
const ADA = { id: 'u1', externalId: '00u1', userName: 'ada', email: 'ada@example.com' }

let world: World
let tenant: Awaited<ReturnType<typeof newTenant>>
let log: string[]

beforeEach(async () => {
  log = []
  for (const method of ['log', 'error', 'warn'] as const)
    vi.spyOn(console, method).mockImplementation(line => void log.push(String(line)))
  world = await newWorld()
  tenant = await newTenant(world)
})

afterEach(() => void vi.restoreAllMocks())

const issuer = () => `https://scim.example.com/t/${tenant.slug}`
const keySet = async () => ({ keys: await publishedKeys(world.service, tenant.database) })

/** A receiver of the kind, as the admin API would have made it. */
async function signedReceiver(kind: string, settings: object, url = 'https://app.example/in?x=1') {
  return tenant.receiver({ kind, url, settings, issuer: issuer() })
}

/** The event for this receiver, after one attempt. */
async function attempt(receiverId: string, type: string, data: object = { user: ADA }) {
  const [pointer] = await tenant.event([receiverId], type, data)
  await run(world, [pointer])
  return pointer as DeliveryPointer
}

async function tokensSent() {
  const keys = await keySet()
  return Promise.all(world.sent.map(({ body }) => verify(body, keys)))
}

describe('ssf-push', () => {
  const push = (settings: object = {}) =>
    signedReceiver('ssf-push', { audience: 'https://app.example', subject: 'email', ...settings })

  const byEmail = { format: 'email', email: 'ada@example.com' }
  const byScim = { format: 'scim', uri: '/Users/u1', id: 'u1', externalId: '00u1', userName: 'ada' }
  const cause = { event_timestamp: SECONDS, initiating_entity: 'admin' }
  const revoked = {
    ...cause,
    reason_admin: { en: expect.stringMatching(/./) },
    reason_user: { en: expect.stringMatching(/./) },
  }

  test.each<[string, object, readonly (readonly [string, object, object])[]]>([
    ['user.created', {}, [[`${PROV}create:notice`, { attributes: ['externalId', 'userName'] }, byScim]]],
    [
      'user.updated',
      { changed: ['title', 'emails'] },
      [[`${PROV}patch:notice`, { attributes: ['title', 'emails'] }, byScim]],
    ],
    [
      'user.deactivated',
      {},
      [
        [`${CAEP}session-revoked`, revoked, byEmail],
        [`${RISC}account-disabled`, cause, byEmail],
        [`${PROV}deactivate`, {}, byScim],
      ],
    ],
    [
      'user.reactivated',
      {},
      [
        [`${RISC}account-enabled`, cause, byEmail],
        [`${PROV}activate`, {}, byScim],
      ],
    ],
    [
      'user.deleted',
      {},
      [
        [`${CAEP}session-revoked`, revoked, byEmail],
        [`${RISC}account-purged`, cause, byEmail],
        [`${PROV}delete`, {}, byScim],
      ],
    ],
    ['user.sessions_revoked', {}, [[`${CAEP}session-revoked`, revoked, byEmail]]],
  ])('%s: its SETs, one event each, under one txn', async (type, more, expected) => {
    const pointer = await attempt(await push(), type, { user: ADA, ...more })
    const tokens = await tokensSent()
    expect(tokens.map(({ claims }) => claims)).toEqual(
      expected.map(([uri, payload, sub_id], place) => ({
        iss: issuer(),
        aud: 'https://app.example',
        iat: SECONDS,
        jti: `evt_${tenant.tenantId}_${pointer.sequence}.${place}`,
        txn: `txn${pointer.sequence}`,
        sub_id,
        events: { [uri]: payload },
      })),
    )
    for (const { header } of tokens)
      expect(header).toEqual({ alg: 'RS256', typ: 'secevent+jwt', kid: expect.any(String) })
    expect(await rowOf(pointer)).toMatchObject({ state: 'delivered', attempts: 1 })
  })

  test.each([
    ['group.created', { attributes: ['displayName'] }, 'create:notice'],
    ['group.updated', { attributes: ['displayName'] }, 'patch:notice'],
    ['group.deleted', {}, 'delete'],
    ['group.member_added', { attributes: ['members'] }, 'patch:notice'],
    ['group.member_removed', { attributes: ['members'] }, 'patch:notice'],
  ])('%s is a provisioning event of the group', async (type, payload, name) => {
    const group = { id: 'g1', displayName: 'Staff', externalId: null }
    await attempt(await push(), type, { group, changed: ['displayName'] })
    const [token] = await tokensSent()
    expect(token?.claims).toMatchObject({
      sub_id: { format: 'scim', uri: '/Groups/g1', id: 'g1' },
      events: { [PROV + name]: payload },
    })
    expect(world.sent).toHaveLength(1)
  })

  test('RFC 8935: the SET alone is the body, under its media type', async () => {
    await attempt(await push(), 'user.sessions_revoked')
    const [sent] = world.sent
    expect(sent?.url).toBe('https://app.example/in?x=1')
    expect(Object.fromEntries(sent?.headers ?? [])).toEqual({
      'content-type': 'application/secevent+jwt',
      accept: 'application/json',
      'user-agent': 'edge-scim/0.1',
    })
  })

  test.each([
    ['email', byEmail],
    ['userName', { format: 'opaque', id: 'ada' }],
    ['externalId', { format: 'opaque', id: '00u1' }],
    ['id', { format: 'opaque', id: 'u1' }],
  ])('the subject %s', async (subject, sub_id) => {
    await attempt(await push({ subject }), 'user.sessions_revoked')
    expect((await tokensSent())[0]?.claims.sub_id).toEqual(sub_id)
  })

  test('the subjects iss_sub and complex: our id under our issuer, or the login service’s under its own', async () => {
    for (const settings of [
      { subject: 'iss_sub' },
      { subject: 'complex', subjectIssuer: 'https://login.acme.com/' },
    ])
      await attempt(await push(settings), 'user.sessions_revoked')
    expect((await tokensSent()).map(({ claims }) => claims.sub_id)).toEqual([
      { format: 'iss_sub', iss: issuer(), sub: 'u1' },
      {
        format: 'complex',
        user: { format: 'iss_sub', iss: 'https://login.acme.com/', sub: '00u1' },
        tenant: { format: 'opaque', id: tenant.slug },
      },
    ])
  })

  test('a userName that is an address serves where there is no e-mail', async () => {
    await attempt(await push(), 'user.sessions_revoked', { user: { id: 'u1', userName: 'ada@corp.example' } })
    expect((await tokensSent())[0]?.claims.sub_id).toEqual({ format: 'email', email: 'ada@corp.example' })
  })

  test('somebody whom the receiver cannot know is dead at once, with the reason and no name', async () => {
    const pointer = await attempt(await push(), 'user.deactivated', { user: { id: 'u1', userName: 'ada' } })
    const { state, last_error } = await rowOf(pointer)
    expect(state).toBe('dead')
    expect(last_error).toMatch(/no e-mail address.*"subject"/)
    expect(last_error).not.toContain('ada')
    expect(world.sent).toEqual([])
  })

  test('a retry repeats only what was not taken, byte for byte', async () => {
    world.answer(request =>
      request === world.sent[1]
        ? Response.json({ err: 'invalid_request' }, { status: 400 })
        : new Response(null, { status: 202 }),
    )
    const pointer = await attempt(await push(), 'user.deactivated')
    expect(world.sent).toHaveLength(3)
    const row = await rowOf(pointer)
    expect(row).toMatchObject({ state: 'retrying', last_status: 400 })
    expect(row.last_error).toBe('answered 400: it cannot read the SET (invalid_request)')

    const [, refused] = world.sent.splice(0)
    world.answer(() => new Response(null, { status: 202 }))
    world.clock.now = row.next_attempt_at ?? 0
    await run(world, [pointer])
    expect(world.sent.map(({ body }) => body)).toEqual([refused?.body])
    expect(await rowOf(pointer)).toMatchObject({ state: 'delivered', attempts: 2, last_error: null })
  })

  test('a receiver that is down is not asked about the other SETs', async () => {
    world.answer(() => new Response(null, { status: 503 }))
    const pointer = await attempt(await push(), 'user.deactivated')
    expect(world.sent).toHaveLength(1)
    expect(await rowOf(pointer)).toMatchObject({ state: 'retrying', last_status: 503 })
  })

  test.each([
    ['invalid_key', 'it refuses the key or the signature (invalid_key)'],
    ['invalid_issuer', 'it does not know the issuer (invalid_issuer)'],
    ['invalid_audience', 'it is not the audience (invalid_audience)'],
    ['<script>', 'it gives an error code that RFC 8935 does not have'],
    ['constructor', 'it gives an error code that RFC 8935 does not have'],
  ])('the error %s is recorded in words', async (err, words) => {
    world.answer(() => Response.json({ err, description: 'secret words' }, { status: 400 }))
    const pointer = await attempt(await push(), 'user.sessions_revoked')
    expect((await rowOf(pointer)).last_error).toBe(`answered 400: ${words}`)
  })
})

describe('backchannel-logout', () => {
  const logout = (settings: object = {}) =>
    signedReceiver('backchannel-logout', { clientId: 'app-1', subject: 'email', ...settings })

  test('is a form with a logout token: sub without sid, the event, and no nonce', async () => {
    await attempt(await logout(), 'user.deactivated')
    const [sent] = world.sent
    expect(sent?.headers.get('content-type')).toBe('application/x-www-form-urlencoded')
    const form = new URLSearchParams(sent?.body)
    expect([...form.keys()]).toEqual(['logout_token'])
    const { header, claims } = await verify(form.get('logout_token') ?? '', await keySet())
    expect(header).toMatchObject({ typ: 'logout+jwt', alg: 'RS256' })
    expect(claims).toEqual({
      iss: issuer(),
      aud: 'app-1',
      iat: SECONDS,
      exp: SECONDS + 120,
      jti: `evt_${tenant.tenantId}_1`,
      sub: 'ada@example.com',
      events: { 'http://schemas.openid.net/event/backchannel-logout': {} },
    })
  })

  test('names the person as its subject says; a retry has the jti of before and its own time', async () => {
    world.answer(() => Response.json({ error: 'invalid_request' }, { status: 400 }))
    const pointer = await attempt(await logout({ subject: 'externalId' }), 'user.deleted')
    const row = await rowOf(pointer)
    expect(row.last_error).toBe(
      'answered 400: it refuses the logout token (invalid_request), or could not log out',
    )
    world.clock.now = (row.next_attempt_at ?? 0) + 600_000
    await run(world, [pointer])
    const keys = await keySet()
    const [first, second] = await Promise.all(
      world.sent.map(({ body }) => verify(new URLSearchParams(body).get('logout_token') ?? '', keys)),
    )
    expect(first?.claims.sub).toBe('00u1')
    expect(second?.claims.jti).toBe(first?.claims.jti)
    expect(second?.claims.iat).toBe(Math.floor(world.clock.now / 1000))
    expect(second?.claims.exp).toBe(second?.claims.iat + 120)
  })
})

describe('global-token-revocation', () => {
  test('is Okta’s request: sub_id, under a JWT for this very endpoint', async () => {
    const receiverId = await signedReceiver('global-token-revocation', {
      clientId: 'client-1',
      subject: 'email',
    })
    world.answer(() => new Response(null, { status: 204 }))
    const pointer = await attempt(receiverId, 'user.sessions_revoked')
    const [sent] = world.sent
    expect(sent?.headers.get('content-type')).toBe('application/json')
    expect(JSON.parse(sent?.body ?? '')).toEqual({ sub_id: { format: 'email', email: 'ada@example.com' } })
    const [scheme, token = ''] = sent?.headers.get('authorization')?.split(' ') ?? []
    expect(scheme).toBe('Bearer')
    const { header, claims } = await verify(token, await keySet())
    expect(header).toMatchObject({ typ: 'global-token-revocation+jwt', alg: 'RS256' })
    expect(claims).toEqual({
      iss: issuer(),
      sub: 'client-1',
      aud: 'https://app.example/in',
      iat: SECONDS,
      nbf: SECONDS - 300,
      exp: SECONDS + 300,
      jti: `evt_${tenant.tenantId}_1`,
    })
    expect(await rowOf(pointer)).toMatchObject({ state: 'delivered', last_status: 204 })
  })

  test.each([
    [401, 'it refuses the signature or the claims of the token'],
    [404, 'it knows no such person'],
    [422, 'it cannot log the person out'],
  ])('%d in words', async (status, words) => {
    const receiverId = await signedReceiver('global-token-revocation', { clientId: 'c', subject: 'id' })
    world.answer(() => new Response('secret words', { status }))
    const pointer = await attempt(receiverId, 'user.deleted')
    expect(await rowOf(pointer)).toMatchObject({
      state: 'retrying',
      last_error: `answered ${status}: ${words}`,
    })
  })
})

describe('ssf-poll', () => {
  test('what nobody fetches within a week is dead, and is looked at only then', async () => {
    const receiverId = await tenant.receiver({ kind: 'ssf-poll', isPolled: true, issuer: issuer() })
    const [pointer] = await tenant.event([receiverId])
    await run(world, [pointer])
    world.clock.now += WEEK_MS - 1
    await run(world, [pointer])
    expect(await rowOf(pointer)).toMatchObject({ state: 'pending', attempts: 0 })
    world.clock.now += 1
    await run(world, [pointer])
    expect(await rowOf(pointer)).toMatchObject({
      state: 'dead',
      last_error: 'its receiver did not fetch it within a week',
    })
    expect(world.sent).toEqual([])
  })

  test('the outbox makes its deliveries due for the sweep in a week, and for nobody before', async () => {
    const receiverId = await tenant.receiver({ kind: 'ssf-poll', isPolled: true, issuer: issuer() })
    await tenant.event([])
    const occasion = { tenantId: tenant.tenantId, connectionId: null, txn: 'txn1', now: START }
    const [made] = await tenant.database.batch([createDeliveries(occasion)])
    expect(made?.rows).toEqual([{ sequence: 1, receiver_id: receiverId, wake_at: null }])
    const pointer = { tenantId: tenant.tenantId, sequence: 1, receiverId }
    expect(await rowOf(pointer)).toMatchObject({ state: 'pending', wake_at: START + WEEK_MS })
  })
})

describe('the test button', () => {
  test.each(['ssf-push', 'backchannel-logout', 'global-token-revocation'])(
    '%s: a real signed request, about nobody',
    async kind => {
      const receiverId = await signedReceiver(kind, { audience: 'a', clientId: 'c', subject: 'email' })
      const result = await testReceiver(world.service, tenant.database, tenant.slug, receiverId)
      expect(result).toMatchObject({ delivered: true, status: 204 })
      const [sent] = world.sent
      const token =
        new URLSearchParams(sent?.body).get('logout_token') ??
        sent?.headers.get('authorization')?.slice('Bearer '.length) ??
        sent?.body ??
        ''
      const { claims } = await verify(token, await keySet())
      if (kind === 'ssf-push') {
        expect(claims).toMatchObject({
          sub_id: { format: 'opaque', id: receiverId },
          events: { 'https://schemas.openid.net/secevent/ssf/event-type/verification': {} },
        })
      } else {
        expect(claims.iss).toBe(issuer())
        expect(sent?.body).not.toContain('ada')
      }
    },
  )
})

describe('signing keys', () => {
  test('two who need the first key at once get the same one', async () => {
    const [a, b] = await Promise.all([keySet(), keySet()])
    expect(a.keys).toHaveLength(1)
    expect(b).toEqual(a)
    expect(a.keys[0]).toMatchObject({ kty: 'RSA', alg: 'RS256', use: 'sig', e: 'AQAB' })
    expect(a.keys[0]?.n?.length).toBeGreaterThanOrEqual(342)
  })

  test('only public halves are published, and the private one is stored sealed', async () => {
    const { keys } = await keySet()
    for (const key of keys)
      for (const name of ['d', 'p', 'q', 'dp', 'dq', 'qi']) expect(key).not.toHaveProperty(name)
    const row = await env.DB.prepare('SELECT * FROM signing_keys WHERE tenant_id = ?')
      .bind(tenant.tenantId)
      .first<Record<string, string>>()
    expect(row?.private_jwk).toMatch(/^[\w-]+$/)
    expect(row?.public_jwk).not.toContain('"d"')
  })

  test('a new key is published before it signs, and the old one beyond that', async () => {
    const receiverId = await signedReceiver('backchannel-logout', { clientId: 'c', subject: 'id' })
    const signedBy = async () => {
      world.sent.splice(0)
      await attempt(receiverId, 'user.deactivated')
      const token = new URLSearchParams(world.sent[0]?.body).get('logout_token') ?? ''
      return (await verify(token, await keySet())).header.kid
    }
    const kids = async () => (await keySet()).keys.map(({ kid }) => kid)
    const first = await signedBy()
    const next = await rotateKey(world.service, tenant.database, {
      signsAfterSeconds: 600,
      overlapSeconds: 3_600,
    })
    expect(await kids()).toEqual([first, next?.kid])
    expect(await signedBy()).toBe(first)
    world.clock.now += 601_000
    expect(await signedBy()).toBe(next?.kid)
    expect(await kids()).toEqual([first, next?.kid])
    world.clock.now += 3_600_000
    expect(await kids()).toEqual([next?.kid])
    expect(await signedBy()).toBe(next?.kid)
  })

  test('without an overlap the old key counts no more at once, and its private half is gone', async () => {
    const [old] = (await keySet()).keys
    const next = await rotateKey(world.service, tenant.database, { signsAfterSeconds: 0, overlapSeconds: 0 })
    expect((await keySet()).keys.map(({ kid }) => kid)).toEqual([next?.kid])
    const kept = await env.DB.prepare('SELECT private_jwk AS p FROM signing_keys WHERE kid = ?')
      .bind(old?.kid)
      .first('p')
    expect(kept).toBeNull()
  })

  test('of another tenant do not verify, and nothing of a key is logged', async () => {
    const other = await newTenant(world)
    const foreign = { keys: await publishedKeys(world.service, other.database) }
    await attempt(await signedReceiver('ssf-push', { audience: 'a', subject: 'id' }), 'user.sessions_revoked')
    await expect(verify(world.sent[0]?.body ?? '', foreign)).rejects.toThrow('unknown kid')
    await expect(verify(world.sent[0]?.body ?? '', await keySet())).resolves.toBeDefined()
    expect(log.join()).not.toMatch(/"d"|private|BEGIN/)
  })

  test('that cannot be opened: the delivery says so, and is tried again', async () => {
    await keySet()
    await env.DB.prepare("UPDATE signing_keys SET private_jwk = 'AAAA' WHERE tenant_id = ?")
      .bind(tenant.tenantId)
      .run()
    const pointer = await attempt(
      await signedReceiver('ssf-push', { audience: 'a', subject: 'id' }),
      'user.sessions_revoked',
    )
    expect(await rowOf(pointer)).toMatchObject({
      state: 'retrying',
      last_error: 'the signing key of the tenant cannot be read',
    })
  })
})
