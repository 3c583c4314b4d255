// Standard Webhooks: the signature as a receiver checks it, by code that shares nothing with ours.

import { env } from 'cloudflare:workers'
import { createHmac, timingSafeEqual } from 'node:crypto'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { receiverKind, receiverKinds } from '../../src/events/receiver-kinds'
import { testReceiver } from '../../src/events/test-receiver'
import { webhook } from '../../src/events/webhook'
import { newTenant, newWorld, run, START } from './world'

afterEach(() => void vi.restoreAllMocks())

const event = {
  id: 'evt_1',
  sequence: 17,
  type: 'user.deactivated',
  txn: 'b7b9',
  occurredAt: START,
  data: {
    tenant: 'acme',
    user: { id: '1', userName: 'björn@exämple.com' },
    epoch: 3,
    sessions: 'revoke_all',
  },
}
const secret = webhook.newSecret()
const receiver = { tenantId: 't', id: 'r', url: 'https://app.example/hook', secrets: [secret] }

/** https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md, with node:crypto. */
function verify(secret: string, headers: Headers | Record<string, string>, body: string): boolean {
  const { get } = { get: (name: string) => new Headers(headers).get(name) ?? '' }
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64')
  const expected = createHmac('sha256', key)
    .update(`${get('webhook-id')}.${get('webhook-timestamp')}.${body}`)
    .digest()
  return get('webhook-signature')
    .split(' ')
    .some(entry => {
      const [version, signature = ''] = entry.split(',')
      const bytes = Buffer.from(signature, 'base64')
      return version === 'v1' && bytes.length === expected.length && timingSafeEqual(bytes, expected)
    })
}

describe('the request', () => {
  test('this verifier accepts the specification’s own example', () => {
    const headers = {
      'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      'webhook-timestamp': '1614265330',
      'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    }
    expect(verify('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', headers, '{"test": 2432232314}')).toBe(true)
  })

  test('is the contract’s body under a valid signature', async () => {
    const { url, headers, body } = await webhook.request(event, receiver, START + 1_999)
    expect(url).toBe('https://app.example/hook')
    expect(JSON.parse(body)).toEqual({
      type: 'user.deactivated',
      timestamp: '2026-11-21T20:00:00.000Z',
      data: { ...event.data, txn: 'b7b9', sequence: 17 },
    })
    expect(headers).toMatchObject({
      'webhook-id': 'evt_1',
      'webhook-timestamp': String(START / 1000 + 1),
      'content-type': 'application/json',
      'user-agent': 'edge-scim/0.1',
    })
    expect(verify(secret, headers, body)).toBe(true)
  })

  test('does not verify when body, id, time or secret is another', async () => {
    const { headers, body } = await webhook.request(event, receiver, START)
    expect(verify(secret, headers, body.replace('deactivated', 'reactivated'))).toBe(false)
    expect(verify(secret, { ...headers, 'webhook-id': 'evt_2' }, body)).toBe(false)
    expect(verify(secret, { ...headers, 'webhook-timestamp': '1' }, body)).toBe(false)
    expect(verify(webhook.newSecret(), headers, body)).toBe(false)
  })

  test('has the same bytes and id at every attempt, and a new time', async () => {
    const first = await webhook.request(event, receiver, START)
    const later = await webhook.request(event, receiver, START + 3_600_000)
    expect(later.body).toBe(first.body)
    expect(later.headers['webhook-id']).toBe(first.headers['webhook-id'])
    expect(later.headers['webhook-timestamp']).not.toBe(first.headers['webhook-timestamp'])
  })

  test('is signed with every secret in force', async () => {
    const secrets = [webhook.newSecret(), webhook.newSecret()]
    const { headers, body } = await webhook.request(event, { ...receiver, secrets }, START)
    expect(headers['webhook-signature']?.split(' ')).toHaveLength(2)
    for (const each of secrets) expect(verify(each, headers, body)).toBe(true)
  })
})

test('a new secret is 32 random bytes', () => {
  const [a, b] = [webhook.newSecret(), webhook.newSecret()]
  expect(a).not.toBe(b)
  expect(a).toMatch(/^whsec_/)
  expect(Buffer.from(a.slice(6), 'base64')).toHaveLength(32)
})

test('every kind is found by its name, and no other', () => {
  expect(receiverKinds).toContain('webhook')
  for (const name of receiverKinds) expect(receiverKind(name)?.kind).toBe(name)
  expect(receiverKind('toString')).toBeUndefined()
})

describe('a rotation', () => {
  const [newer, older] = [webhook.newSecret(), webhook.newSecret()]

  async function headersAt(now: number) {
    const world = await newWorld()
    const tenant = await newTenant(world)
    const id = await tenant.receiver({ secret: newer, previous: { secret: older, until: START + 60_000 } })
    const pointers = await tenant.event([id])
    world.clock.now = now
    await run(world, pointers)
    const [request] = world.sent
    return { headers: request?.headers ?? new Headers(), body: request?.body ?? '' }
  }

  test('signs with both secrets while they overlap', async () => {
    const { headers, body } = await headersAt(START + 59_999)
    expect(verify(newer, headers, body)).toBe(true)
    expect(verify(older, headers, body)).toBe(true)
  })

  test('drops the older one when its time is over', async () => {
    const { headers, body } = await headersAt(START + 60_000)
    expect(verify(newer, headers, body)).toBe(true)
    expect(verify(older, headers, body)).toBe(false)
  })
})

describe('the operator’s test', () => {
  test('sends a signed receiver.test at once, even to a paused receiver, and stores nothing', async () => {
    const world = await newWorld()
    const tenant = await newTenant(world)
    const id = await tenant.receiver({ secret, status: 'paused' })
    world.answer(() => {
      world.clock.now += 42
      return new Response('ok')
    })
    expect(await testReceiver(world.service, tenant.database, tenant.slug, id)).toEqual({
      delivered: true,
      status: 200,
      latencyMs: 42,
    })
    const [request] = world.sent
    expect(JSON.parse(request?.body ?? '')).toMatchObject({
      type: 'receiver.test',
      data: { tenant: tenant.slug },
    })
    expect(verify(secret, request?.headers ?? new Headers(), request?.body ?? '')).toBe(true)
    const stored = await env.DB.prepare('SELECT count(*) AS n FROM deliveries WHERE tenant_id = ?')
      .bind(tenant.tenantId)
      .first('n')
    expect(stored).toBe(0)
  })

  test('says in words what went wrong', async () => {
    const world = await newWorld()
    const tenant = await newTenant(world)
    const id = await tenant.receiver()
    world.answer(() => new Response('<html>secret stack trace</html>', { status: 500 }))
    expect(await testReceiver(world.service, tenant.database, tenant.slug, id)).toEqual({
      delivered: false,
      status: 500,
      latencyMs: 0,
      error: 'answered 500',
    })
    expect(await testReceiver(world.service, tenant.database, tenant.slug, 'unknown')).toBeUndefined()
  })

  test('does not find another tenant’s receiver', async () => {
    const world = await newWorld()
    const [mine, theirs] = [await newTenant(world), await newTenant(world)]
    const id = await theirs.receiver()
    expect(await testReceiver(world.service, mine.database, mine.slug, id)).toBeUndefined()
    expect(world.sent).toEqual([])
  })
})
