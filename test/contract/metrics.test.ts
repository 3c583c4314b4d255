// The contract's `GET …/metrics` and `GET /metrics`: a tenant's numbers, and those of all tenants as Prometheus text.
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { sampleLine } from '../../src/administration/prometheus'
import {
  ADMIN_TOKEN,
  admin,
  newTenant,
  ORIGIN,
  type Reply,
  readReply,
  settled,
  type Tenant,
  withBindings,
} from './world'

const send = withBindings({})

// biome-ignore lint/suspicious/noExplicitAny: a reply is whatever its test says it is
type Any = any

async function get(path: string, headers: Record<string, string> = {}): Promise<Reply<Any>> {
  const all = { authorization: `Bearer ${ADMIN_TOKEN}`, ...headers }
  return readReply<Any>(await send(new Request(`${ORIGIN}/admin/v1${path}`, { headers: all })))
}

const metricsOf = (tenant: Tenant) => admin<Any>('GET', `${tenant.at}/metrics`)

const setActive = (tenant: Tenant, { id }: { id: string }, active: boolean) =>
  tenant.scim.patch(`/Users/${id}`, [{ op: 'replace', path: 'active', value: active }])

/** A receiver that takes whatever waits for it. */
async function poller(tenant: Tenant) {
  const made = await admin<{ id: string; pollUrl: string; secret: string }>(
    'POST',
    `${tenant.at}/receivers`,
    { kind: 'ssf-poll', audience: 'https://app.example', subject: 'id' },
  )
  const poll = async (body: object) => {
    const headers = { authorization: `Bearer ${made.secret}` }
    const init = { method: 'POST', headers, body: JSON.stringify({ returnImmediately: true, ...body }) }
    return (await readReply<Any>(await send(new Request(made.pollUrl, init)))).body
  }
  return {
    id: made.id,
    async takeAll() {
      for (let { sets } = await poll({}); Object.keys(sets).length > 0; )
        ({ sets } = await poll({ ack: Object.keys(sets) }))
    },
  }
}

afterEach(async () => {
  await settled()
  await send.settled()
})

const NONE = { count: 0, p50Ms: null, p95Ms: null, p99Ms: null }

describe('a tenant’s numbers', () => {
  it('are all there when nothing is', async () => {
    expect(await metricsOf(await newTenant())).toEqual({
      users: { active: 0, inactive: 0 },
      groups: 0,
      events: 0,
      deliveries: { pending: 0, retrying: 0, delivered: 0, dead: 0 },
      overdue: 0,
      killTime: NONE,
      receivers: [],
    })
  })

  it('count users with and without access through every way in, out and back', async () => {
    const tenant = await newTenant()
    const users = async () => (await metricsOf(tenant)).users
    const [ada, bob] = [await tenant.user(), await tenant.user()]
    const eve = await tenant.user({ active: false })
    expect(await users()).toEqual({ active: 2, inactive: 1 })
    await setActive(tenant, ada, false)
    await setActive(tenant, ada, false)
    expect(await users()).toEqual({ active: 1, inactive: 2 })
    await setActive(tenant, eve, true)
    await tenant.scim.put(`/Users/${bob.id}`, { schemas: bob.schemas, userName: bob.userName, active: false })
    expect(await users()).toEqual({ active: 1, inactive: 2 })
    await tenant.scim.delete(`/Users/${eve.id}`)
    await tenant.scim.delete(`/Users/${bob.id}`)
    expect(await users()).toEqual({ active: 0, inactive: 1 })
  })

  it('leave out whom a DELETE has only deactivated, until they come back', async () => {
    const tenant = await newTenant({ profile: 'random-coffee' })
    const users = async () => (await metricsOf(tenant)).users
    const ada = await tenant.user()
    await tenant.scim.delete(`/Users/${ada.id}`)
    expect((await tenant.scim.get(`/Users/${ada.id}`)).status).toBe(404)
    expect(await users()).toEqual({ active: 0, inactive: 0 })
    await tenant.user({ userName: ada.userName, externalId: ada.externalId })
    expect(await users()).toEqual({ active: 1, inactive: 0 })
  })

  it('count the groups of all connections, the events, and nobody else’s', async () => {
    const [tenant, other] = [await newTenant(), await newTenant()]
    const second = await tenant.connect()
    const ada = await tenant.user()
    await tenant.group({ members: [{ value: ada.id }] })
    await second.scim.post('/Groups', {
      schemas: ['urn:ietf:params:scim:schemas:core:2.0:Group'],
      displayName: 'More',
    })
    await other.user()
    expect(await metricsOf(tenant)).toMatchObject({
      users: { active: 1, inactive: 0 },
      groups: 2,
      events: (await tenant.events()).length,
    })
    expect(await metricsOf(other)).toMatchObject({ users: { active: 1, inactive: 0 }, groups: 0, events: 1 })
  })

  it('say how long a leaver’s sessions lived, of all receivers and of each', async () => {
    const tenant = await newTenant()
    const [taking, idle] = [await poller(tenant), await poller(tenant)]
    const ada = await tenant.user()
    await setActive(tenant, ada, false)
    expect(await metricsOf(tenant)).toMatchObject({
      deliveries: { pending: 4, delivered: 0 },
      killTime: NONE,
    })
    await taking.takeAll()
    const metrics = await metricsOf(tenant)
    expect(metrics.deliveries).toEqual({ pending: 2, retrying: 0, delivered: 2, dead: 0 })
    expect(metrics.killTime).toEqual({
      count: 1,
      p50Ms: expect.any(Number),
      p95Ms: metrics.killTime.p50Ms,
      p99Ms: metrics.killTime.p50Ms,
    })
    expect(metrics.receivers).toEqual([
      { id: taking.id, kind: 'ssf-poll', killTime: metrics.killTime },
      { id: idle.id, kind: 'ssf-poll', killTime: NONE },
    ])
    expect((await get(`${tenant.at}/metrics?hours=168`)).body.killTime.count).toBe(1)
  })

  it('are refused for hours that are none, and for tenants that are none', async () => {
    const tenant = await newTenant()
    for (const hours of ['0', '169', '1.5', 'x', ''])
      expect((await get(`${tenant.at}/metrics?hours=${hours}`)).status).toBe(400)
    expect((await get(`${tenant.at}/metrics?days=1`)).status).toBe(400)
    expect((await get('/tenants/nobody/metrics')).status).toBe(404)
    expect((await get(`${tenant.at}/metrics`, { authorization: 'Bearer x' })).status).toBe(401)
  })
})

interface Family {
  readonly name: string
  readonly help: string
  readonly type: string
  readonly samples: { labels: Record<string, string>; value: number }[]
}

/** The text format 0.0.4, strictly: HELP, TYPE, samples, each metric in one piece. */
function parse(text: string): Map<string, Family> {
  expect(text.endsWith('\n')).toBe(true)
  const families = new Map<string, Family>()
  let current: Family | undefined
  for (const line of text.slice(0, -1).split('\n')) {
    const [, name, help] = /^# HELP ([a-z_]+) (.+)$/.exec(line) ?? []
    const [, typed, type] = /^# TYPE ([a-z_]+) (counter|gauge)$/.exec(line) ?? []
    if (name !== undefined && help !== undefined) {
      expect(families.has(name)).toBe(false)
      current = { name, help, type: '', samples: [] }
      families.set(name, current)
    } else if (typed !== undefined && type !== undefined) {
      expect(current).toMatchObject({ name: typed, type: '', samples: [] })
      current = { ...(current as Family), type }
      families.set(typed, current)
    } else current?.samples.push(parseSample(line, current.name))
  }
  return families
}

function parseSample(line: string, name: string) {
  const [, metric, pairs = '', value] = /^([a-z_]+)\{(.*)\} (-?[0-9.e+-]+)$/.exec(line) ?? []
  expect([line, metric]).toEqual([line, name])
  const labels: Record<string, string> = {}
  const rest = pairs.replaceAll(/([a-z]+)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)/g, (_, label, escaped) => {
    labels[label] = escaped.replaceAll(/\\(.)/g, (_: string, c: string) => (c === 'n' ? '\n' : c))
    return ''
  })
  expect([line, rest]).toEqual([line, ''])
  expect(Number.isFinite(Number(value))).toBe(true)
  return { labels, value: Number(value) }
}

describe('the numbers of all tenants', () => {
  let tenant: Tenant
  let other: Tenant
  let taking: Awaited<ReturnType<typeof poller>>
  let reply: Reply<Any>
  let families: Map<string, Family>

  beforeAll(async () => {
    tenant = await newTenant()
    other = await newTenant()
    taking = await poller(tenant)
    const ada = await tenant.user()
    await setActive(tenant, ada, false)
    await taking.takeAll()
    await other.group()
    reply = await get('/metrics')
    families = parse(reply.text)
  })

  const samples = (name: string, { slug }: Tenant) =>
    families
      .get(name)
      ?.samples.flatMap(({ labels: { tenant: of, ...labels }, value }) =>
        of === slug ? [[labels, value]] : [],
      )

  it('are Prometheus text: each metric once, with help, type and the prefix, each series once', () => {
    expect(reply.status).toBe(200)
    expect(reply.headers.get('content-type')).toBe('text/plain; version=0.0.4')
    expect([...families].map(([name, { type }]) => `${name} ${type}`)).toEqual([
      'edge_scim_users gauge',
      'edge_scim_groups gauge',
      'edge_scim_events_total counter',
      'edge_scim_deliveries gauge',
      'edge_scim_deliveries_overdue gauge',
      'edge_scim_receiver_left_alone gauge',
      'edge_scim_kill_time_seconds gauge',
      'edge_scim_kill_time_measured gauge',
      'edge_scim_token_expiry_timestamp_seconds gauge',
      'edge_scim_database_up gauge',
    ])
    for (const { samples } of families.values()) {
      const series = samples.map(({ labels }) => JSON.stringify(labels))
      expect(new Set(series).size).toBe(series.length)
    }
  })

  it('are those that each tenant shows', async () => {
    const of = { receiver: taking.id, kind: 'ssf-poll' }
    expect(samples('edge_scim_users', tenant)).toEqual([
      [{ state: 'active' }, 0],
      [{ state: 'inactive' }, 1],
    ])
    expect(samples('edge_scim_groups', tenant)).toEqual([[{}, 0]])
    expect(samples('edge_scim_groups', other)).toEqual([[{}, 1]])
    expect(samples('edge_scim_events_total', tenant)).toEqual([[{}, 2]])
    expect(samples('edge_scim_deliveries', tenant)).toEqual([
      [{ ...of, state: 'pending' }, 0],
      [{ ...of, state: 'retrying' }, 0],
      [{ ...of, state: 'delivered' }, 2],
      [{ ...of, state: 'dead' }, 0],
    ])
    expect(samples('edge_scim_deliveries', other)).toEqual([])
    expect(samples('edge_scim_deliveries_overdue', tenant)).toEqual([[of, 0]])
    expect(samples('edge_scim_receiver_left_alone', tenant)).toEqual([[of, 0]])
    const { killTime } = await metricsOf(tenant)
    expect(samples('edge_scim_kill_time_seconds', tenant)).toEqual([
      [{ ...of, quantile: '0.5' }, killTime.p50Ms / 1000],
      [{ ...of, quantile: '0.95' }, killTime.p95Ms / 1000],
      [{ ...of, quantile: '0.99' }, killTime.p99Ms / 1000],
    ])
    expect(samples('edge_scim_kill_time_measured', tenant)).toEqual([[of, 1]])
  })

  it('say when the token in use expires, however many are older, and nothing of one that does not', async () => {
    const expiring = await newTenant()
    const { connection, at } = expiring
    const second = await expiring.connect()
    const disabled = await expiring.connect()
    const tokens = (id: string) => `${at}/connections/${id}/tokens`
    const rotate = (id: string, days: number, overlapSeconds = 0) =>
      admin<{ value: string }>('POST', tokens(id), {
        expiresAt: new Date(Date.UTC(2100, 0, days)).toISOString(),
        overlapSeconds,
      })
    const expiry = async () => {
      const { samples = [] } =
        parse((await get('/metrics')).text).get('edge_scim_token_expiry_timestamp_seconds') ?? {}
      const own = samples.filter(({ labels }) => labels.tenant === expiring.slug)
      return own.map(({ labels, value }) => [labels.connection, value])
    }
    const seconds = (days: number) => Date.UTC(2100, 0, days) / 1000
    expect(await expiry()).toEqual([])
    for (let i = 1; i <= 12; i++) await rotate(connection.id, i)
    await rotate(disabled.id, 1)
    await admin('PATCH', `${at}/connections/${disabled.id}`, { status: 'disabled' })
    expect(await expiry()).toEqual([[connection.id, seconds(12)]])
    // The one in use ends with the overlap, until its successor is used.
    const { value } = await rotate(second.id, 20)
    const use = (token: string) =>
      send(new Request(`${second.baseUrl}/Users`, { headers: { authorization: `Bearer ${token}` } }))
    await use(value)
    const next = await rotate(second.id, 30, 3600)
    const [before, after] = (await admin<{ items: Any[] }>('GET', tokens(second.id))).items.slice(-2)
    expect(await expiry()).toContainEqual([second.id, Date.parse(before.expiresAt) / 1000])
    expect([before.expiresSoon, after.expiresSoon]).toEqual([true, undefined])
    await use(next.value)
    expect(await expiry()).toContainEqual([second.id, seconds(30)])
  })

  it('go on over the pages of the directory', async () => {
    const count = 120
    const { env } = await import('cloudflare:workers')
    await env.DB.batch(
      Array.from({ length: count }, (_, i) =>
        env.DB.prepare('INSERT INTO tenant_directory VALUES (?1, ?1, ?2, 1)').bind(`many-${i}`, 'DB'),
      ),
    )
    const batches = vi.spyOn(env.DB, 'batch')
    const { samples = [] } = parse((await get('/metrics')).text).get('edge_scim_groups') ?? {}
    const slugs = samples.map(({ labels }) => labels.tenant)
    expect(slugs.filter(slug => slug?.startsWith('many-'))).toHaveLength(count)
    expect(slugs).toEqual([...slugs].sort())
    for (const [statements] of batches.mock.calls) expect(statements.length).toBeLessThanOrEqual(100)
    batches.mockRestore()
  })

  it('escape what a label may not hold', () => {
    const line = sampleLine('x', { label: 'a "quoted"\\ back\nnew' }, 1)
    expect(line).toBe('x{label="a \\"quoted\\"\\\\ back\\nnew"} 1\n')
    expect(parseSample(line.slice(0, -1), 'x').labels).toEqual({ label: 'a "quoted"\\ back\nnew' })
  })

  it('are the operator’s alone, and described in the document', async () => {
    expect((await get('/metrics', { authorization: 'Bearer x' })).status).toBe(401)
    const { body } = await get('/openapi.json')
    expect(body.paths['/metrics'].get.responses['200'].content).toEqual({
      'text/plain; version=0.0.4': { schema: { type: 'string' } },
    })
  })
})
