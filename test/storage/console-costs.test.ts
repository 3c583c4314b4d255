// What each page of the console costs: the same round trips and the same rows, whether its tenant has had five hundred
// of everything or ten thousand.
import { env } from 'cloudflare:workers'
import { beforeAll, describe, expect, test, vi } from 'vitest'
import { openSession } from '../../src/administration/operator-session'
import { serviceOf } from '../../src/env'
import type { Json } from '../../src/scim/json'
import { type Client, type Cost, newClient, ORIGIN, open, rows, seedUsers, send } from './world'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 120_000 })

const SMALL = 500
const LARGE = 10_000
/** A page shows up to fifty of a list and looks for one more, by an index and by the row; a person has a story. */
const MOST_ROWS = 2_000
const MOST_CALLS = 14

const operator = { authorization: `Bearer ${env.ADMIN_TOKEN}`, 'content-type': 'application/json' }
const admin = (method: string, path: string, body?: Json) =>
  send(method, `${ORIGIN}/admin/v1${path}`, operator, body)

const PROFILE = {
  user: {
    fields: [{ field: 'login', source: 'userName' }],
    role: {
      source: 'roles.value',
      values: ['ADMIN', 'STANDARD'],
      default: 'STANDARD',
      privileged: ['ADMIN'],
    },
    onDelete: 'deactivate',
  },
  groups: { as: 'roles' },
}

let client: Client
let cookie: string
/** Everything is said by one and told to one; few requests and deliveries of the others are the oldest. */
let quiet: { connection: string; receiver: string }
let loud: { connection: string; receiver: string }
let group: string
let person: string
let done = 0

async function newReceiver(url: string): Promise<string> {
  return (await admin('POST', `/tenants/${client.slug}/receivers`, { kind: 'webhook', url })).body.id
}

/** Up to that many users, of whom everyone is in the group and has the role, and as many events, requests, deliveries. */
async function growTo(count: number): Promise<void> {
  const { tenantId } = client
  const numbers = JSON.stringify(Array.from({ length: count - done }, (_, i) => done + i + 1))
  const isFirst = done === 0
  const ids = "'user-' || value"
  const state =
    "CASE value % 4 WHEN 0 THEN 'dead' WHEN 1 THEN 'retrying' WHEN 2 THEN 'pending' ELSE 'delivered' END"
  const outcome =
    "CASE value % 4 WHEN 0 THEN 'rejected' WHEN 1 THEN 'unauthorized' WHEN 2 THEN 'error' ELSE 'ok' END"
  const run = (text: string, ...values: unknown[]) =>
    env.DB.prepare(text)
      .bind(tenantId, numbers, ...values)
      .run()
  if (isFirst) await seedUsers(client, count)
  else await addUsers(numbers, count)
  await run(
    `INSERT INTO members (tenant_id, group_id, member_id, type, version)
      SELECT ?1, ?3, ${ids}, 'User', 'v' FROM json_each(?2)`,
    group,
  )
  await run(
    `UPDATE resources SET role = 'STANDARD', target_group = 'all', profile = json_object('login', id)
      WHERE tenant_id = ?1 AND type = 'User' AND id IN (SELECT ${ids} FROM json_each(?2))`,
  )
  await run(
    `INSERT INTO events (tenant_id, sequence, id, type, txn, user_id, connection_id, occurred_at, data, hash)
      SELECT ?1, 1000 + value, 'e' || value, iif(value % 2, 'user.deactivated', 'user.updated'), 't' || value,
        iif(value % 3 = 0, ?3, ${ids}), ?4, ?5 + value, '{"sessions":"revoke_all","epoch":1}', 'h' FROM json_each(?2)`,
    person,
    loud.connection,
    Date.now(),
  )
  await run(
    `INSERT INTO deliveries (tenant_id, sequence, receiver_id, event_id, user_id, state, attempts, attempts_before,
        occurred_at, ends_sessions)
      SELECT ?1, 1000 + value, iif(value <= 20, ?3, ?4), 'e' || value, iif(value % 3 = 0, ?5, ${ids}), ${state}, 1, 0,
        value, 0 FROM json_each(?2)`,
    quiet.receiver,
    loud.receiver,
    person,
  )
  await run(
    `INSERT INTO activity (tenant_id, id, at, outcome, connection_id, token_hint, method, path, status, tolerances,
        duration_ms)
      SELECT ?1, printf('02000000-0000-7000-8000-%012d', value), value, ${outcome}, iif(value <= 20, ?3, ?4), 'abcd',
        'PATCH', '/Users/' || value, 200, '[]', 1 FROM json_each(?2)`,
    quiet.connection,
    loud.connection,
  )
  await run(
    `INSERT INTO kill_times (tenant_id, hour, receiver_id, bucket, count)
      SELECT ?1, ?3 - value % 24, iif(value % 2, ?4, ?5), 10 + value % 20, 1 FROM json_each(?2)
      WHERE true ON CONFLICT DO UPDATE SET count = count + 1`,
    Math.floor(Date.now() / 3_600_000),
    quiet.receiver,
    loud.receiver,
  )
  await rows(`UPDATE roles SET members = ?2 WHERE tenant_id = ?1`, tenantId, count)
  await rows(`UPDATE target_groups SET members = ?2 WHERE tenant_id = ?1`, tenantId, count)
  done = count
}

/** As `seedUsers`, behind those that are there. */
async function addUsers(numbers: string, count: number): Promise<void> {
  const { tenantId, connectionId } = client
  const copied = `type, scope, connection_id, active, version, session_epoch`
  await env.DB.batch([
    env.DB.prepare(
      `INSERT INTO resources (tenant_id, id, serial, document, created_at, last_modified, ${copied})
        SELECT ?1, 'user-' || value, value, json_object('userName', 'u' || value || '@example.com', 'externalId',
          'ext-' || value, 'active', json('true')), value, value, 'User', '', ?2, 1, 'v', 0 FROM json_each(?3)`,
    ).bind(tenantId, connectionId, numbers),
    ...[
      ['userName', "'u' || value || '@example.com'", 1],
      ['displayName', "'user ' || value", 0],
    ].map(([attribute, value, unique]) =>
      env.DB.prepare(
        `INSERT INTO lookups (tenant_id, type, attribute, scope, value, resource_id, is_unique)
          SELECT ?1, 'User', ?3, '', ${value}, 'user-' || value, ?4 FROM json_each(?2)`,
      ).bind(tenantId, numbers, attribute, unique),
    ),
    env.DB.prepare(
      `UPDATE totals SET live = ?2, active = ?2, last_serial = ?2 WHERE tenant_id = ?1 AND type = 'User'`,
    ).bind(tenantId, count),
  ])
}

/** Pages by what they are, with addresses below the tenant; those of the deployment begin with `//`. */
function addresses(): Record<string, string> {
  return {
    overview: '//',
    tenants: '//tenants',
    'the tenant': '',
    connections: '/connections',
    'a connection': `/connections/${loud.connection}`,
    'another connection': `/connections/${quiet.connection}`,
    'its mapping': `/connections/${loud.connection}/mapping`,
    'setup links': '/setup-links',
    people: '/people',
    'people of a role': '/people?role=STANDARD',
    'people in a target group': '/people?targetGroup=all',
    'people by a name': '/people?q=user',
    'people by an address': '/people?q=mail1%40example.com',
    'people by a filter': `/people?q=${encodeURIComponent('userName eq "u7@example.com"')}`,
    'a person of whom much is known': `/people/${person}`,
    'a person of a large group': '/people/user-7',
    'their evidence': `/people/${person}/evidence`,
    roles: '/roles',
    'target groups': '/target-groups',
    breaker: '/breaker',
    receivers: '/receivers',
    'a receiver': `/receivers/${loud.receiver}`,
    'a receiver that was told little, long ago': `/receivers/${quiet.receiver}`,
    deliveries: '/deliveries',
    'dead letters': '/deliveries?state=dead',
    'deliveries of a receiver': `/deliveries?receiverId=${quiet.receiver}`,
    'dead letters of a receiver': `/deliveries?receiverId=${quiet.receiver}&state=dead`,
    activity: '/activity',
    'refused requests': '/activity?outcome=rejected',
    'requests of a connection': `/activity?connectionId=${quiet.connection}`,
    'refused requests of a connection': `/activity?connectionId=${quiet.connection}&outcome=rejected`,
    'a request': '/activity/02000000-0000-7000-8000-000000000007',
    schemas: '/schemas',
    'resource types': '/resource-types',
    'app keys': '/app-keys',
    'long work': '/jobs',
  }
}

async function costOf(address: string): Promise<Cost> {
  const path = address.startsWith('//') ? address.slice(1) : `/tenants/${client.slug}${address}`
  const { response, cost } = await open('GET', `${ORIGIN}/console${path}`, { cookie })
  const text = await response.text()
  expect([address, response.status, text.slice(0, response.status === 200 ? 0 : 2_000)]).toEqual([
    address,
    200,
    '',
  ])
  return cost()
}

const names = Object.keys({ ...pagesOf() })

/** The names alone: addresses are known once there is a tenant. */
function pagesOf() {
  quiet = loud = { connection: '', receiver: '' }
  person = group = ''
  return addresses()
}

const costs = new Map<string, [small: Cost, large: Cost]>()

beforeAll(async () => {
  const name = `p-${crypto.randomUUID()}`
  expect((await admin('PUT', `/profiles/${name}`, { name, ...PROFILE })).status).toBe(201)
  client = await newClient({ profile: name })
  cookie = `__Host-console=${(await openSession(await serviceOf(env))).value}`
  const second = await newClient({ slug: client.slug, tenantId: client.tenantId })
  quiet = { connection: second.connectionId, receiver: await newReceiver('https://quiet.example/hook') }
  loud = { connection: client.connectionId, receiver: await newReceiver('https://loud.example/hook') }
  // The first of the users is made as the others are, and has most of the events.
  person = 'user-3'
  group = 'everybody'
  await client.rows(
    `INSERT INTO resources (tenant_id, id, type, scope, serial, connection_id, document, active, version, created_at,
      last_modified, session_epoch) VALUES (?1, 'everybody', 'Group', ?2, 1, ?2, '{"displayName":"Everybody"}', 0, 'v', 1, 1, 0)`,
    client.connectionId,
  )
  await client.rows(
    `INSERT INTO target_groups (tenant_id, id, name, managed, members, created_at) VALUES (?1, 'all', 'All', 'operator', 0, 1)`,
  )
  await growTo(SMALL)
  // Somebody behind, so that a search which ends at the last row of a table costs no less.
  const behind = await newClient()
  await behind.user('x')
  const small = new Map<string, Cost>()
  for (const [page, address] of Object.entries(addresses())) {
    await costOf(address)
    small.set(page, await costOf(address))
  }
  await growTo(LARGE)
  for (const [page, address] of Object.entries(addresses())) {
    await costOf(address)
    const before = small.get(page)
    if (before) costs.set(page, [before, await costOf(address)])
  }
})

describe('a page costs what it shows, not what there is', () => {
  test.each(names)('%s', name => {
    const [small, large] = costs.get(name) ?? []
    if (!small || !large) throw new Error(`${name} was not opened`)
    expect({ calls: large.calls, rowsRead: large.rowsRead }).toEqual({
      calls: small.calls,
      rowsRead: small.rowsRead,
    })
    expect(large.calls).toBeLessThanOrEqual(MOST_CALLS)
    expect(large.rowsRead).toBeLessThanOrEqual(MOST_ROWS)
    expect(large.rowsWritten).toBe(0)
  })
})
