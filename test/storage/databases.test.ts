// A deployment with two databases: each tenant lives whole in one of them, found by its id, and what looks after all
// tenants looks into both.
import { createExecutionContext, createScheduledController } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { describe, expect, test, vi } from 'vitest'
import { createTenant } from '../../src/administration/tenants'
import { BadEnvironment, serviceOf } from '../../src/env'
import { sealAll } from '../../src/events/chain'
import { sweep } from '../../src/events/sweep'
import worker from '../../src/index'
import type { Json, JsonObject } from '../../src/scim/json'
import { bindingOf, databaseNumber, tenantIdIn } from '../../src/storage/databases'
import { inTurn } from '../../src/storage/in-turn'
import { GROUP, ORIGIN, PATCH_OP, type Reply, send, USER } from './world'

vi.setConfig({ testTimeout: 60_000 })

const operator = { authorization: `Bearer ${env.ADMIN_TOKEN}`, 'content-type': 'application/json' }
const admin = (method: string, path: string, body?: Json): Promise<Reply> =>
  send(method, `${ORIGIN}/admin/v1${path}`, operator, body)

/** A tenant of the database, a receiver, and what its identity provider says. */
async function newTenant(more: JsonObject = {}) {
  const slug = `t-${crypto.randomUUID()}`
  const made = await admin('POST', '/tenants', { slug, name: 'T', ...more })
  expect(made.status).toBe(201)
  const at = `/tenants/${slug}`
  await admin('POST', `${at}/receivers`, { kind: 'webhook', url: 'https://r.example.com/' })
  const connection = (await admin('POST', `${at}/connections`, { name: 'C', idp: 'generic' })).body
  const token = { authorization: `Bearer ${connection.token.value}`, 'content-type': 'application/scim+json' }
  const scim = (method: string, path: string, body?: Json) =>
    send(method, `${ORIGIN}/t/${slug}/scim/v2${path}`, token, body)
  return { slug, at, id: made.body.id as string, item: made.body, scim }
}

/** Everything that a database has of the tenant. */
async function rowsIn(d1: D1Database, tenantId: string): Promise<Record<string, number>> {
  const { results } = await d1
    .prepare(
      `SELECT name FROM sqlite_master
        WHERE type = 'table' AND name <> 'tenant_directory' AND sql LIKE '%tenant_id%'`,
    )
    .all<{ name: string }>()
  const counts = await d1.batch<{ n: number }>(
    results.map(({ name }) =>
      d1.prepare(`SELECT count(*) AS n FROM ${name} WHERE tenant_id = ?`).bind(tenantId),
    ),
  )
  const found = results.map(({ name }, i) => [name, counts[i]?.results[0]?.n ?? 0] as const)
  return Object.fromEntries(found.filter(([, n]) => n > 0))
}

describe('a tenant of DB_2', () => {
  test('lives there whole, from its first user to its last delivery', async () => {
    const { scim, at, id, item } = await newTenant({ database: 'DB_2' })
    expect([item.database, bindingOf(id)]).toEqual(['DB_2', 'DB_2'])
    const user = (await scim('POST', '/Users', { schemas: [USER], userName: 'a@example.com' })).body
    expect((await scim('GET', `/Users/${user.id}`)).body.userName).toBe('a@example.com')
    const members = [{ value: user.id }]
    expect((await scim('POST', '/Groups', { schemas: [GROUP], displayName: 'G', members })).status).toBe(201)
    const Operations = [{ op: 'replace', path: 'active', value: false }]
    expect((await scim('PATCH', `/Users/${user.id}`, { schemas: [PATCH_OP], Operations })).status).toBe(200)
    const { items } = (await admin('GET', `${at}/events`)).body
    expect(items.map(({ type }: { type: string }) => type)).toContain('user.deactivated')
    expect(await rowsIn(env.DB, id)).toEqual({})
    expect(await rowsIn(env.DB_2, id)).toMatchObject({ tenants: 1, resources: 2, members: 1, tokens: 1 })
    const entry = env.DB.prepare('SELECT database FROM tenant_directory WHERE tenant_id = ?').bind(id)
    expect(await entry.first('database')).toBe('DB_2')
  })

  test('is in the list of tenants, the metrics and the overview, beside those of DB', async () => {
    const [here, there] = [await newTenant(), await newTenant({ database: 'DB_2' })]
    for (const { scim } of [here, there])
      await scim('POST', '/Users', { schemas: [USER], userName: 'a@example.com' })
    const { items } = (await admin('GET', '/tenants?limit=500')).body
    const databases = new Map(
      items.map(({ slug, database }: { slug: string; database: string }) => [slug, database]),
    )
    expect([databases.get(here.slug), databases.get(there.slug)]).toEqual(['DB', 'DB_2'])
    const metrics = await worker.fetch(
      new Request(`${ORIGIN}/admin/v1/metrics`, { headers: operator }),
      env,
      createExecutionContext(),
    )
    const text = await metrics.text()
    for (const { slug } of [here, there])
      expect(text).toContain(`edge_scim_users{tenant="${slug}",state="active"} 1\n`)
  })

  test('is given a new version of its profile, and goes with its rows when it is deleted', async () => {
    const name = `p-${crypto.randomUUID()}`
    await admin('PUT', `/profiles/${name}`, { name })
    const { at, id } = await newTenant({ database: 'DB_2', profile: name })
    await admin('PUT', `/profiles/${name}`, { name, user: { onDelete: 'deactivate' } })
    expect((await admin('GET', at)).body.profileVersion).toBe(2)
    expect((await admin('DELETE', at)).status).toBe(202)
    await worker.scheduled(createScheduledController(), env)
    expect((await admin('GET', at)).status).toBe(404)
    expect(await rowsIn(env.DB_2, id)).toEqual({})
  })
})

describe('what looks after all tenants', () => {
  const lost = { sendBatch: async () => undefined, send: async () => undefined }

  /** The tenants whose deliveries one run publishes. */
  async function swept(broken?: 'DB' | 'DB_2'): Promise<{ tenants: Set<string>; error: unknown }> {
    const tenants = new Set<string>()
    const queue = {
      ...lost,
      sendBatch: async (messages: Iterable<MessageSendRequest<{ tenantId: string }>>) => {
        for (const { body } of messages) tenants.add(body.tenantId)
      },
    }
    const failing = {
      prepare: () => failing,
      bind: () => failing,
      all: () => Promise.reject(new Error('no such table')),
      run: () => Promise.reject(new Error('no such table')),
    }
    const bindings = { ...env, ...(broken && { [broken]: failing }), EVENTS: queue }
    const service = await serviceOf(bindings)
    // After so long every message that was sent is taken for lost.
    const later = { ...service, now: () => Date.now() + 600_000 }
    const error = await sweep(later).then(
      () => undefined,
      (reason: unknown) => reason,
    )
    return { tenants, error }
  }

  test('wakes up what waits in either database, and in the one while the other fails', async () => {
    const [here, there] = [await newTenant(), await newTenant({ database: 'DB_2' })]
    for (const { scim } of [here, there])
      await scim('POST', '/Users', { schemas: [USER], userName: 'a@example.com' })
    const both = await swept()
    expect([both.tenants.has(here.id), both.tenants.has(there.id), both.error]).toEqual([
      true,
      true,
      undefined,
    ])
    for (const { scim } of [here, there])
      await scim('POST', '/Users', { schemas: [USER], userName: 'b@example.com' })
    const one = await swept('DB_2')
    expect([one.tenants.has(here.id), String(one.error)]).toEqual([true, 'Error: no such table'])
    for (const { scim } of [here, there])
      await scim('POST', '/Users', { schemas: [USER], userName: 'c@example.com' })
    const other = await swept('DB')
    expect([other.tenants.has(there.id), String(other.error)]).toEqual([true, 'Error: no such table'])
  })
})

test('the events of one database are sealed while the other fails', async () => {
  const [here, there] = [await newTenant(), await newTenant({ database: 'DB_2' })]
  for (const { scim } of [here, there])
    await scim('POST', '/Users', { schemas: [USER], userName: 'a@example.com' })
  const failing = {
    prepare: (text: string) => env.DB_2.prepare(text),
    batch: () => Promise.reject(new Error('overloaded')),
  } as unknown as D1Database
  // The last one that was found, which is of DB_2, is taken first.
  let last = 1
  vi.spyOn(Math, 'random').mockImplementation(() => (last /= 2))
  await sealAll({ d1: env.DB, furtherDatabases: new Map([[2, failing]]) })
  vi.restoreAllMocks()
  const unsealed = async (d1: D1Database, id: string) =>
    d1.prepare('SELECT count(*) AS n FROM events WHERE tenant_id = ? AND hash IS NULL').bind(id).first('n')
  expect([await unsealed(env.DB, here.id), await unsealed(env.DB_2, there.id)]).toEqual([0, 1])
})

test('what is done in turn is done whatever fails, and every error is said', async () => {
  const done: number[] = []
  const work = (n: number, fails: boolean) => async () => {
    done.push(n)
    if (fails) throw new Error(`no. ${n}`)
  }
  const first = inTurn([work(1, true), work(2, false), work(3, true)])
  await expect(first).rejects.toThrow('Error: no. 1; Error: no. 3')
  expect(done).toEqual([1, 2, 3])
  await expect(inTurn([work(4, false), work(5, true)])).rejects.toThrow(/^no\. 5$/)
})

describe('where a tenant is placed', () => {
  test.each(['DB_3', 'DB_1', 'db_2', 'EVENTS', ''])(
    'not in %j, which is no database of the deployment',
    async database => {
      const reply = await admin('POST', '/tenants', { slug: `t-${crypto.randomUUID()}`, name: 'T', database })
      expect([reply.status, reply.body.errors[0].path]).toEqual([422, 'database'])
    },
  )

  test('a slug is taken whatever the database, and nothing is left of who wanted it', async () => {
    const { slug, id } = await newTenant()
    const count = async () =>
      (await env.DB_2.prepare('SELECT count(*) AS n FROM tenants').first('n')) as number
    const before = await count()
    const reply = await admin('POST', '/tenants', { slug, name: 'T', database: 'DB_2' })
    expect([reply.status, await count()]).toEqual([409, before])
    expect((await admin('GET', `/tenants/${slug}`)).body.id).toBe(id)
  })

  test('who is placed although the answer does not come has the slug, and can be deleted', async () => {
    const service = await serviceOf(env)
    const lost = {
      prepare: (text: string) => {
        const statement = env.DB.prepare(text)
        if (!text.includes('INSERT INTO tenant_directory')) return statement
        const run = async (...values: unknown[]) => {
          await statement.bind(...values).run()
          throw new Error('D1_ERROR: Network connection lost.')
        }
        return { bind: (...values: unknown[]) => ({ run: () => run(...values) }) }
      },
      batch: (statements: D1PreparedStatement[]) => env.DB.batch(statements),
    } as unknown as D1Database
    const slug = `t-${crypto.randomUUID()}`
    const input = { slug, name: 'T', profile: 'standard', database: 'DB_2' }
    await expect(createTenant({ ...service, d1: lost }, input)).rejects.toThrow('Network connection lost')
    expect((await admin('GET', `/tenants/${slug}`)).body.database).toBe('DB_2')
    expect((await admin('DELETE', `/tenants/${slug}`)).status).toBe(202)
  })

  test('where TENANT_DATABASE says, unless the call says otherwise', async () => {
    const service = await serviceOf({ ...env, TENANT_DATABASE: 'DB_2' })
    expect(service.tenantDatabase).toBe('DB_2')
    await expect(serviceOf({ ...env, TENANT_DATABASE: 'DB_7' })).rejects.toThrow(BadEnvironment)
    await expect(serviceOf({ ...env, TENANT_DATABASE: 'DB_7' })).rejects.toThrow('no D1 binding DB_7')
    await expect(serviceOf({ ...env, DB_3: 'edge-scim-3' })).rejects.toThrow('DB_3: is no D1 binding')
  })

  test('its id says so, and stays in order of creation', () => {
    const uuid = '01a21261-dd21-7bde-be2b-e30d92563234'
    expect(tenantIdIn('DB', uuid)).toBe(uuid)
    expect(tenantIdIn('DB_2', uuid)).toBe('01a21261-dd21-8bde-be2b-e30d92563202')
    expect(tenantIdIn('DB_255', uuid)).toBe('01a21261-dd21-8bde-be2b-e30d925632ff')
    expect(['DB', 'DB_2', 'DB_255'].map(binding => bindingOf(tenantIdIn(binding, uuid)))).toEqual([
      'DB',
      'DB_2',
      'DB_255',
    ])
    expect(['DB_1', 'DB_02', 'DB_256', 'DB', 'DB_x'].map(databaseNumber)).toEqual(Array(5).fill(undefined))
  })

  test('whose database cannot be asked is in no metric, which says so, and everybody else is', async () => {
    const [here, there] = [await newTenant(), await newTenant({ database: 'DB_2' })]
    const { DB_2: _, ...without } = env
    const request = new Request(`${ORIGIN}/admin/v1/metrics`, { headers: operator })
    const reply = await worker.fetch(request, without as typeof env, createExecutionContext())
    const text = await reply.text()
    expect(text).toContain(`edge_scim_users{tenant="${here.slug}",state="active"} 0\n`)
    expect(text).not.toContain(there.slug)
    expect(text).toContain(
      'edge_scim_database_up{database="DB"} 1\nedge_scim_database_up{database="DB_2"} 0\n',
    )
  })

  test('whose database is no longer bound is answered with an error, and no other tenant is', async () => {
    const [here, there] = [await newTenant(), await newTenant({ database: 'DB_2' })]
    const { DB_2: _, ...without } = env
    const status = async (slug: string) => {
      const request = new Request(`${ORIGIN}/admin/v1/tenants/${slug}`, { headers: operator })
      return (await worker.fetch(request, without as typeof env, createExecutionContext())).status
    }
    expect([await status(here.slug), await status(there.slug)]).toEqual([200, 500])
  })
})
