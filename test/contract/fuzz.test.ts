// Some thousand requests that nearly make sense, from seeds. Whatever is sent: no 5xx, an answer in the form of the
// protocol, nothing changed by a refusal, nothing changed that was not named, and no trace in Object.prototype.
import { env } from 'cloudflare:workers'
import { expect, test, vi } from 'vitest'
import { parseFilter } from '../../src/scim/filter'
import { matches } from '../../src/scim/filter-match'
import { Interop } from '../../src/scim/interop'
import type { JsonObject } from '../../src/scim/json'
import { groupType, pick, type Random, randomFilter, randomUser, seeded, userType } from '../scim/generate'
import { expectConsistent, snapshot, tenantIdOf } from './consistency'
import { mutatedBody, noisyText, type Value } from './mutate'
import {
  ADMIN_TOKEN,
  type Connection,
  ENTERPRISE,
  ERROR,
  GROUP,
  LIST_RESPONSE,
  newGroup,
  newTenant,
  newUser,
  ORIGIN,
  PATCH_OP,
  type Reply,
  readReply,
  SEARCH_REQUEST,
  settled,
  type Tenant,
  UNKNOWN_ID,
  USER,
  withBindings,
} from './world'

// A request that hangs fails its test.
vi.setConfig({ testTimeout: 60_000 })

const BULK = 'urn:ietf:params:scim:api:messages:2.0:BulkRequest'

interface Sent {
  readonly method: string
  readonly path: string
  readonly body?: string
}

interface World {
  readonly tenant: Tenant
  readonly tenantId: string
  readonly connection: Connection
  readonly users: readonly string[]
  readonly groups: readonly string[]
}

async function newWorld(): Promise<World> {
  const tenant = await newTenant()
  const { connection } = tenant
  const users: string[] = []
  for (let n = 0; n < 6; n++) {
    const { schemas: _, id: __, meta: ___, ...more } = randomUser(seeded(n), userType())
    users.push((await tenant.user({ ...more, schemas: [USER], userName: `user-${n}` })).id)
  }
  const groups: string[] = []
  for (let n = 0; n < 3; n++)
    groups.push((await tenant.group({ members: users.slice(n, n + 3).map(value => ({ value })) })).id)
  return { tenant, tenantId: await tenantIdOf(tenant), connection, users, groups }
}

const send = ({ connection }: World, { method, path, body }: Sent) =>
  connection.scim.send(method, path, body === undefined ? undefined : bytesOf(body))

/** The text in UTF-8, a lone surrogate as the three bytes that are no UTF-8. */
function bytesOf(text: string): Uint8Array {
  const encoder = new TextEncoder()
  const bytes = text
    .split(/\p{Surrogate}/u)
    .flatMap((part, n) => [...(n > 0 ? [0xed, 0xa0, 0x80] : []), ...encoder.encode(part)])
  return new Uint8Array(bytes)
}

/** Percent-encoded, now and then wrongly. */
function encoded(random: Random, text: string): string {
  const good = encodeURIComponent(text.toWellFormed())
  return random() < 0.06
    ? good + pick(random, ['%', '%ED%A0%80', '%00', '%zz', '&filter=x', '#', '+', '%C0%AF'])
    : good
}

/** RFC 7644 §3.12 for what is refused, a resource or a list for what is not. */
function expectForm({ method }: Sent, { status, headers, text, body }: Reply): void {
  expect(status).toBeLessThan(500)
  expect(status).toBeGreaterThanOrEqual(200)
  expect(Object.keys(Object.prototype)).toEqual([])
  expect(({} as Record<string, unknown>).value).toBeUndefined()
  if (status === 204) expect(text).toBe('')
  if (status === 204) return
  expect(headers.get('Content-Type')).toBe('application/scim+json; charset=utf-8')
  expect(headers.get('Cache-Control')).toBe('no-store')
  if (status >= 400) {
    expect(body).toMatchObject({
      schemas: [ERROR],
      status: String(status),
      detail: expect.stringMatching(/./),
    })
    expect(body.detail.length).toBeLessThan(1_000)
  } else if (body.schemas.includes(LIST_RESPONSE)) {
    expect(body.Resources.length).toBe(body.itemsPerPage)
    expect(body.totalResults).toBeGreaterThanOrEqual(body.itemsPerPage)
    for (const resource of body.Resources) expect(resource.id).toMatch(/./)
  } else if (method !== 'POST' || status === 201) expect(body.meta ?? body.id).toBeDefined()
}

interface Run {
  readonly seed: number
  readonly count: number
  readonly make: (random: Random) => Sent
  readonly send?: (sent: Sent) => Promise<Reply>
  readonly form?: (sent: Sent, reply: Reply) => void | Promise<void>
  /** What further holds of a request that has changed something. */
  readonly accepted?: (sent: Sent, before: Documents, after: Documents) => void
}

/** Sends the requests of the seeds one after the other; the message of a failure is what it takes to do it again. */
async function fuzz(world: World, { seed, count, make, ...run }: Run): Promise<Map<number, number>> {
  const answers = new Map<number, number>()
  let state = await snapshot(world.tenantId)
  let documents = await documentsOf(world)
  for (let n = seed; n < seed + count; n++) {
    const sent = make(seeded(n))
    try {
      const reply = await (run.send ?? (one => send(world, one)))(sent)
      await (run.form ?? expectForm)(sent, reply)
      answers.set(reply.status, (answers.get(reply.status) ?? 0) + 1)
      const reads = sent.method === 'GET' || sent.path.includes('.search')
      if (reads && n % 10 > 0) continue
      const after = await snapshot(world.tenantId)
      if (reads || reply.status >= 300) expect(after).toBe(state)
      if (after === state) continue
      state = after
      const before = documents
      documents = await documentsOf(world)
      run.accepted?.(sent, before, documents)
    } catch (error) {
      const told = error instanceof Error ? error.message : String(error)
      throw new Error(`seed ${n}: ${JSON.stringify(sent).slice(0, 2_000)}\n${told}`, { cause: error })
    }
  }
  await settled()
  return answers
}

type Documents = ReadonlyMap<string, JsonObject>

/** Each resource's attributes as they are stored, those of extensions by their full name, and members. */
async function documentsOf({ tenantId }: World): Promise<Documents> {
  const { results } = await env.DB.prepare(
    `SELECT id, document, (SELECT json_group_array(member_id) FROM members m
      WHERE m.tenant_id = r.tenant_id AND m.group_id = r.id) AS members FROM resources r WHERE tenant_id = ?`,
  )
    .bind(tenantId)
    .all<{ id: string; document: string; members: string }>()
  return new Map(
    results.map(({ id, document, members }) => {
      const { [ENTERPRISE]: extension = {}, ...core } = JSON.parse(document)
      const qualified = Object.entries(extension).map(([name, value]) => [`${ENTERPRISE}:${name}`, value])
      return [id, { ...core, ...Object.fromEntries(qualified), members }]
    }),
  )
}

/** What an accepted change of one resource has changed is named in the request, and is of that resource. */
function onlyWhatIsNamed({ method, path, body = '' }: Sent, before: Documents, after: Documents): void {
  const target = path.split('/')[2]?.split('?')[0] ?? ''
  const words = (body + JSON.stringify(JSON.parse(body))).toLowerCase()
  for (const [id, document] of after) {
    const was = before.get(id) ?? {}
    const names = [...new Set([...Object.keys(was), ...Object.keys(document)])]
    const changed = names.filter(name => JSON.stringify(was[name]) !== JSON.stringify(document[name]))
    if (id !== target) expect([id, changed]).toEqual([id, []])
    const unnamed = changed.filter(
      name =>
        !words.includes(name.split(':').at(-1)?.toLowerCase() ?? '') &&
        !(name.includes(':') && words.includes(ENTERPRISE.toLowerCase())),
    )
    if (method === 'PATCH') expect(unnamed).toEqual([])
  }
}

function expectSome(answers: Map<number, number>, ...statuses: readonly number[]): void {
  for (const status of statuses) expect([status, answers.get(status) ?? 0]).not.toEqual([status, 0])
}

test('filters, whose answer is also what memory says', async () => {
  const world = await newWorld()
  const types = { '/Users': userType(), '/Groups': groupType() }
  const { scim } = world.connection
  const all = {
    '/Users': (await scim.get('/Users?count=1000')).body.Resources as unknown as JsonObject[],
    '/Groups': (await scim.get('/Groups?count=1000')).body.Resources as unknown as JsonObject[],
  }
  const filters = new Map<Sent, { endpoint: keyof typeof types; filter: string }>()
  const make = (random: Random): Sent => {
    const endpoint = pick(random, ['/Users', '/Groups'] as const)
    const valid = randomFilter(random, types[endpoint])
    const filter = random() < 0.75 ? noisyText(random, valid) : valid
    const searched = random() < 0.3
    const sent: Sent = searched
      ? {
          method: 'POST',
          path: `${endpoint}/.search`,
          body: JSON.stringify({ schemas: [SEARCH_REQUEST], filter, count: 1000 }),
        }
      : { method: 'GET', path: `${endpoint}?count=1000&filter=${encodeURIComponent(filter.toWellFormed())}` }
    filters.set(sent, { endpoint, filter: filter.toWellFormed() })
    return sent
  }
  const form = (sent: Sent, reply: Reply) => {
    expectForm(sent, reply)
    const asked = filters.get(sent)
    if (reply.status !== 200 || !asked) return
    const filter = parseFilter(asked.filter, types[asked.endpoint], new Interop('compat'))
    const expected = all[asked.endpoint].filter(resource => matches(filter, resource)).map(({ id }) => id)
    expect(reply.body.Resources.map(({ id }) => id)).toEqual(expected)
  }
  expectSome(await fuzz(world, { seed: 1, count: 700, make, form }), 200, 400)
})

test('parameters and cursors of lists', async () => {
  const world = await newWorld()
  const { scim } = world.connection
  const { body } = await scim.get('/Users?count=2&cursor=')
  const cursor = String(body.nextCursor)
  const parameters: readonly [string, readonly string[]][] = [
    ['startIndex', ['1', '0', '-1', '3', '2147483648', '1e3', '٣', '']],
    ['count', ['1', '0', '-1', '1000', '999999999', '0x10', '']],
    ['cursor', ['', cursor, `${cursor}x`, cursor.slice(1), btoa('{"a":1}'), 'a.b.c']],
    [
      'sortBy',
      [
        'userName',
        'emails',
        'emails.value',
        'name',
        'name.familyName',
        'meta.created',
        'groups',
        'members',
        'nothing',
        `${ENTERPRISE}:department`,
        'active',
        'id',
        'schemas',
        'x509Certificates',
      ],
    ],
    ['sortOrder', ['ascending', 'descending', 'DESCENDING', 'x']],
    ['attributes', ['userName', 'id', 'emails.value', 'members', 'nothing', ENTERPRISE, 'name,groups', '']],
    ['excludedAttributes', ['members', 'id', 'emails', 'nothing', '']],
    ['filter', ['active eq true', 'userName sw "user"', 'x', '']],
  ]
  const make = (random: Random): Sent => {
    const query = Array.from({ length: Math.floor(random() * 4) }, () => {
      const [name, values] = pick(random, parameters)
      const value = pick(random, values)
      return `${random() < 0.9 ? name : noisyText(random, name).replaceAll(/[&#]/g, '').toWellFormed()}=${encoded(random, random() < 0.3 ? noisyText(random, value) : value)}`
    })
    const id = pick(random, [
      ...world.users,
      ...world.groups,
      UNKNOWN_ID,
      '%',
      '..',
      '.search',
      '%2F',
      'x'.repeat(3000),
    ])
    const path = pick(random, [
      '/Users',
      '/Groups',
      '/',
      `/Users/${id}`,
      `/Groups/${id}`,
      '/Schemas',
      '/ResourceTypes',
      '/ServiceProviderConfig',
      '/nothing',
    ])
    return { method: 'GET', path: `${path}?${query.join('&')}` }
  }
  expectSome(await fuzz(world, { seed: 10_001, count: 400, make }), 200, 400, 404)
})

const PATHS = [
  ...[
    'userName',
    'displayName',
    'title',
    'active',
    'name',
    'name.familyName',
    'emails',
    'emails.value',
    'nickName',
  ],
  ...[
    'emails[type eq "work"]',
    'emails[type eq "work"].value',
    'emails[primary eq true].display',
    'addresses[type eq "home" and country pr].locality',
  ],
  ...[
    'phoneNumbers[not (type eq "fax")].value',
    'externalId',
    'id',
    'meta.version',
    'groups',
    'schemas',
    ENTERPRISE,
  ],
  ...[
    `${ENTERPRISE}:department`,
    `${ENTERPRISE}:manager`,
    `${ENTERPRISE}:manager.value`,
    'manager',
    `${USER}:title`,
    'nothing',
    'urn:x:y',
  ],
] as const

function patchValue(random: Random, path: string): Value {
  if (/^active/.test(path)) return pick<Value>(random, [true, false, 'False', 'true'])
  if (/^(emails|phoneNumbers|addresses)$/.test(path))
    return [{ value: pick(random, ['a@x.org', 'B@x.org']), type: 'work', primary: true }]
  if (/\]$/.test(path)) return { value: 'c@x.org', display: 'C' }
  if (/manager$/.test(path)) return { value: 'boss' }
  if (path === 'name') return { givenName: 'Ada' }
  return pick(random, ['x', 'Ann', '', 'work'])
}

function userOperation(random: Random): Value {
  const path = pick(random, PATHS)
  const op = pick(random, ['add', 'replace', 'remove', 'Replace'])
  const sent = random() < 0.25 ? noisyText(random, path) : path
  const kind = random()
  if (op === 'remove' && kind < 0.8) return { op, path: sent }
  if (kind < 0.25) return { op, value: { [sent]: patchValue(random, path), title: 'x' } }
  return { op, path: sent, value: patchValue(random, path) }
}

test('PATCH of users', async () => {
  const world = await newWorld()
  const make = (random: Random): Sent => {
    const Operations = Array.from({ length: 1 + Math.floor(random() * 3) }, () => userOperation(random))
    const body = mutatedBody(random, { schemas: [PATCH_OP], Operations })
    return { method: 'PATCH', path: `/Users/${pick(random, world.users)}`, body }
  }
  expectSome(await fuzz(world, { seed: 20_001, count: 650, make, accepted: onlyWhatIsNamed }), 200, 400)
  await expectConsistent(world.tenant, [world.connection])
})

test('PATCH of groups', async () => {
  const world = await newWorld()
  const make = (random: Random): Sent => {
    const value = () => ({ value: pick(random, [...world.users, ...world.groups, UNKNOWN_ID]) })
    const operation = (): Value => {
      const kind = random()
      const members = Array.from({ length: Math.floor(random() * 3) }, value)
      if (kind < 0.3) return { op: 'add', path: 'members', value: members }
      if (kind < 0.5) return { op: 'remove', path: `members[value eq "${value().value}"]` }
      if (kind < 0.6) return { op: 'remove', path: 'members', value: members }
      if (kind < 0.75) return { op: 'replace', path: 'members', value: members }
      if (kind < 0.85)
        return { op: 'replace', value: { displayName: pick(random, ['A', 'B', 'C']), members } }
      return {
        op: pick(random, ['add', 'replace', 'remove']),
        path: noisyText(random, 'members[type eq "User"].value'),
        value: 'x',
      }
    }
    const Operations = Array.from({ length: 1 + Math.floor(random() * 3) }, operation)
    const asked = random() < 0.2 ? '?attributes=members' : ''
    const body = mutatedBody(random, { schemas: [PATCH_OP], Operations })
    return { method: 'PATCH', path: `/Groups/${pick(random, world.groups)}${asked}`, body }
  }
  expectSome(await fuzz(world, { seed: 30_001, count: 350, make, accepted: onlyWhatIsNamed }), 200, 204, 400)
  await expectConsistent(world.tenant, [world.connection])
})

test('bodies of users and groups', async () => {
  const world = await newWorld()
  const make = (random: Random): Sent => {
    const users = random() < 0.6
    const members = [{ value: pick(random, [...world.users, UNKNOWN_ID]) }]
    const { id: _, ...one } = randomUser(random, userType()) as { [key: string]: Value }
    const whole = random() < 0.5 ? newUser() : { ...one, schemas: [USER, ENTERPRISE] }
    const body = mutatedBody(random, (users ? whole : newGroup({ members })) as Value)
    const [endpoint, ids] = users ? (['/Users', world.users] as const) : (['/Groups', world.groups] as const)
    if (random() < 0.5) return { method: 'POST', path: endpoint, body }
    return { method: 'PUT', path: `${endpoint}/${pick(random, [...ids, UNKNOWN_ID])}`, body }
  }
  const form = async (sent: Sent, reply: Reply) => {
    expectForm(sent, reply)
    if (reply.status >= 300) return
    // What was taken is kept as it was sent, and a GET shows what the reply showed.
    const given = JSON.parse(sent.body ?? '') as Record<string, unknown>
    for (const name of ['userName', 'displayName', 'title', 'nickName', 'externalId'])
      if (typeof given[name] === 'string' && given[name] !== '') expect(reply.body[name]).toBe(given[name])
    const { body } = await world.connection.scim.get(
      new URL(reply.body.meta.location).pathname.replace(/.*\/v2/, ''),
    )
    expect(body).toEqual(reply.body)
  }
  const accepted: Run['accepted'] = (sent, before, after) => {
    if (sent.method === 'PUT') onlyWhatIsNamed(sent, before, after)
  }
  expectSome(await fuzz(world, { seed: 40_001, count: 500, make, form, accepted }), 200, 201, 400, 404)
  await expectConsistent(world.tenant, [world.connection])
})

test('bulk requests', async () => {
  const world = await newWorld()
  const make = (random: Random): Sent => {
    const operation = (_: unknown, n: number): Value => {
      const method = pick(random, ['POST', 'PUT', 'PATCH', 'DELETE', 'post'])
      const id = pick(random, [...world.users, `bulkId:q${n - 1}`, 'bulkId:q9', UNKNOWN_ID])
      const data = /patch/i.test(method)
        ? { schemas: [PATCH_OP], Operations: [userOperation(random)] }
        : random() < 0.6
          ? (newUser() as Value)
          : { schemas: [GROUP], displayName: `G${Math.floor(random() * 9)}`, members: [{ value: id }] }
      const path = /post/i.test(method)
        ? pick(random, ['/Users', '/Groups'])
        : `/Users/${method === 'DELETE' ? UNKNOWN_ID : id}`
      return { method, path, bulkId: `q${n}`, ...(method !== 'DELETE' && { data }) }
    }
    const Operations = Array.from({ length: 1 + Math.floor(random() * 4) }, operation)
    const body = mutatedBody(random, {
      schemas: [BULK],
      Operations,
      ...(random() < 0.4 && { failOnErrors: 1 }),
    })
    return { method: 'POST', path: '/Bulk', body }
  }
  const form = (sent: Sent, reply: Reply) => {
    expect(reply.status).not.toBe(201)
    if (reply.status >= 300) expectForm(sent, reply)
    if (reply.status >= 300) return
    expect(reply.status).toBe(200)
    const { Operations } = reply.body as unknown as {
      Operations: { status: string; response?: JsonObject }[]
    }
    for (const { status, response } of Operations) {
      expect(Number(status)).toBeLessThan(500)
      if (Number(status) >= 400) expect(response).toMatchObject({ schemas: [ERROR], status })
    }
  }
  expectSome(await fuzz(world, { seed: 50_001, count: 200, make, form }), 200, 400)
  await expectConsistent(world.tenant, [world.connection])
})

test("the operator's calls", async () => {
  const world = await newWorld()
  const { slug, connection } = world.tenant
  const fetch = withBindings({})
  const at = `/tenants/${slug}`
  const calls: readonly [string, string, Value | undefined][] = [
    ['POST', '/tenants', { slug: 'fuzzed', name: 'Fuzzed' }],
    ['PATCH', at, { name: 'Renamed' }],
    ['POST', `${at}/connections`, { name: 'C', idp: 'okta', mode: 'strict' }],
    ['PATCH', `${at}/connections/${connection.id}`, { name: 'D', mode: 'compat' }],
    [
      'POST',
      `${at}/connections/${connection.id}/tokens`,
      { overlapSeconds: 3600, expiresAt: '2030-01-01T00:00:00Z' },
    ],
    [
      'POST',
      `${at}/receivers`,
      {
        kind: 'webhook',
        url: 'https://receiver.example.com',
        events: ['user.created'],
        retry: { schedule: [1, 5], timeoutSeconds: 5 },
      },
    ],
    ['POST', `${at}/receivers/${UNKNOWN_ID}/replay`, { fromSequence: 1, toSequence: 5 }],
    ['GET', `${at}/users?filter=userName+eq+"user-1"&limit=5&cursor=`, undefined],
    ['GET', `${at}/events?after=3&type=user.created&limit=2`, undefined],
    ['GET', `${at}/deliveries?state=pending&limit=3&cursor=x`, undefined],
    ['GET', `${at}/activity?outcome=ok&limit=1000&connectionId=${connection.id}`, undefined],
    ['GET', '/tenants?limit=0&cursor=a', undefined],
    ['GET', `${at}/users/${UNKNOWN_ID}`, undefined],
  ]
  const make = (random: Random): Sent => {
    const [method, path, body] = pick(random, calls)
    const [where = '', query] = path.split('?')
    const noisy =
      query === undefined
        ? where
        : `${where}?${random() < 0.7 ? noisyText(random, query).replaceAll('#', '').toWellFormed() : query}`
    const text = body === undefined ? undefined : mutatedBody(random, body)
    // The slug that is taken is not the next seed's.
    const fresh = text?.replace('"fuzzed"', `"f-${crypto.randomUUID()}"`)
    return {
      method,
      path: random() < 0.05 ? `${where}/${encoded(random, noisyText(random, 'x'))}` : noisy,
      ...(fresh !== undefined && { body: fresh }),
    }
  }
  const sendAdmin = async ({ method, path, body }: Sent) => {
    const headers = { Authorization: `Bearer ${ADMIN_TOKEN}`, 'Content-Type': 'application/json' }
    const init = { method, headers, ...(body !== undefined && { body: body.toWellFormed() }) }
    return readReply(await fetch(new Request(`${ORIGIN}/admin/v1${path}`, init)))
  }
  const form = (_: Sent, { status, headers, body }: Reply) => {
    expect(status).toBeLessThan(500)
    if (status < 400) return
    expect(headers.get('Content-Type')).toMatch(/^application\/problem\+json/)
    expect(body).toMatchObject({ status, detail: expect.stringMatching(/./) })
  }
  const answers = await fuzz(world, { seed: 60_001, count: 300, make, send: sendAdmin, form })
  expectSome(answers, 200, 201, 400, 404, 422)
})
