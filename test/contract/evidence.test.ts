// The contract's call for evidence, and the chain of events behind it, as an operator meets them.
import { env } from 'cloudflare:workers'
import { compactVerify, createLocalJWKSet, type JSONWebKeySet } from 'jose'
import { describe, expect, it } from 'vitest'
import { continueJob } from '../../src/administration/jobs'
import { serviceOf } from '../../src/env'
import {
  ADMIN_TOKEN,
  admin,
  type Body,
  newTenant,
  ORIGIN,
  PATCH_OP,
  readReply,
  type Tenant,
  UNKNOWN_ID,
  USER,
  withBindings,
} from './world'

const toWorker = withBindings({})

interface Case {
  request: Record<string, unknown>
  event: Record<string, unknown> & { sequence: number; hash: string | null }
  receivers: Record<string, unknown>[]
  outcome: { state: string; at: string | null; killTimeMs: number | null; undelivered: string[] }
  restored: { sequence: number; at: string } | null
}

interface Evidence {
  record: {
    issuer: string
    tenant: { id: string; slug: string }
    user: Record<string, unknown>
    chain: { sequence: number; hash: string } | null
    cases: Case[]
    truncated: boolean
  }
  jws: string
  nextCursor?: string
}

interface ChainCheck {
  head: { sequence: number; hash: string } | null
  from: number
  to: number
  ok: boolean
  firstBroken?: number
  nextFrom?: number
}

const evidenceOf = (tenant: Tenant, id: string, query = '') =>
  admin<Evidence>('GET', `${tenant.at}/users/${id}/evidence${query}`)

const checkChain = (tenant: Tenant, query = '') =>
  admin<ChainCheck>('GET', `${tenant.at}/events/chain${query}`)

/** The status of a call that may be refused. */
async function statusOf(path: string): Promise<{ status: number; text: string }> {
  const headers = { Authorization: `Bearer ${ADMIN_TOKEN}` }
  return readReply(await toWorker(new Request(`${ORIGIN}/admin/v1${path}`, { headers })))
}

const setActive = (tenant: Tenant, { id }: Body, active: boolean) =>
  tenant.scim.patch(`/Users/${id}`, [{ op: 'replace', value: { active } }])

const webhook = (tenant: Tenant, more: object = {}) =>
  admin<{ id: string }>('POST', `${tenant.at}/receivers`, {
    kind: 'webhook',
    url: 'https://app.example.com/hook',
    ...more,
  })

/** As if the receiver had taken the event at that time. */
async function takes(tenantId: string, receiverId: string, sequence: number, afterMs: number) {
  await env.DB.prepare(
    `UPDATE deliveries SET state = 'delivered', attempts = 1, last_status = 200, sessions_ended = 2,
      delivered_at = occurred_at + ?4 WHERE tenant_id = ?1 AND receiver_id = ?2 AND sequence = ?3`,
  )
    .bind(tenantId, receiverId, sequence, afterMs)
    .run()
}

describe('evidence', () => {
  it('RFC-238 a loss of access is a case: who asked, what it meant, what each receiver said, and how long it took', async () => {
    const tenant = await newTenant()
    const receivers = [await webhook(tenant), await webhook(tenant)]
    const user = await tenant.user()
    await setActive(tenant, user, false)
    const open = await evidenceOf(tenant, user.id)
    const [only, ...others] = open.record.cases
    expect(others).toEqual([])
    expect(only).toMatchObject({
      request: {
        kind: 'scim',
        method: 'PATCH',
        path: `/Users/${user.id}`,
        txn: expect.any(String),
        tokenHint: tenant.connection.token.value.slice(-4),
        connection: {
          id: tenant.connection.id,
          name: 'An identity provider',
          idp: 'entra',
          mappingVersion: 0,
        },
        profile: 'standard',
        profileVersion: 0,
      },
      event: {
        sequence: 2,
        type: 'user.deactivated',
        user: { id: user.id, userName: user.userName, externalId: user.externalId },
        epoch: 1,
        hash: expect.stringMatching(/^[0-9a-f]{64}$/),
      },
      restored: null,
    })
    expect(only?.outcome).toEqual({
      state: 'undelivered',
      at: null,
      killTimeMs: null,
      undelivered: receivers.map(({ id }) => id).toSorted(),
    })
    const { id: tenantId } = open.record.tenant
    await takes(tenantId, receivers[0]?.id ?? '', 2, 120)
    await takes(tenantId, receivers[1]?.id ?? '', 2, 450)
    const done = (await evidenceOf(tenant, user.id)).record.cases[0]
    expect(done?.outcome).toMatchObject({ state: 'done', killTimeMs: 450, undelivered: [] })
    expect(done?.receivers).toHaveLength(2)
    expect(done?.receivers[0]).toMatchObject({
      kind: 'webhook',
      state: 'delivered',
      sessionsEnded: 2,
      lastStatus: 200,
    })
  })

  it('the jws is exactly the record, under the published keys of the tenant', async () => {
    const tenant = await newTenant()
    const user = await tenant.user()
    await setActive(tenant, user, false)
    const { record, jws } = await evidenceOf(tenant, user.id)
    const published = await toWorker(new Request(`${ORIGIN}/t/${tenant.slug}/jwks.json`))
    const keys = createLocalJWKSet((await published.json()) as JSONWebKeySet)
    const { payload, protectedHeader } = await compactVerify(jws, keys)
    expect(protectedHeader).toMatchObject({ alg: 'RS256', typ: 'edge-scim-evidence+json' })
    expect(new TextDecoder().decode(payload)).toBe(JSON.stringify(record))
    expect(record.issuer).toBe(`${ORIGIN}/t/${tenant.slug}`)
  })

  it('a person who came back: the case says when, and epoch and notBefore stay', async () => {
    const tenant = await newTenant()
    const user = await tenant.user()
    await setActive(tenant, user, false)
    await setActive(tenant, user, true)
    const { user: now, cases } = (await evidenceOf(tenant, user.id)).record
    expect(cases).toHaveLength(1)
    expect(cases[0]?.restored).toMatchObject({ sequence: 3 })
    expect(now).toMatchObject({ exists: true, active: true, sessionEpoch: 1 })
    expect(Date.parse(String(now.sessionsNotBefore)) / 1000).toBe(cases[0]?.event.notBefore)
  })

  it('somebody who is deleted for good is still told of, by the name of then', async () => {
    const tenant = await newTenant()
    const user = await tenant.user()
    await tenant.scim.delete(`/Users/${user.id}`)
    const { user: gone, cases } = (await evidenceOf(tenant, user.id)).record
    expect(gone).toMatchObject({
      id: user.id,
      userName: user.userName,
      externalId: user.externalId,
      exists: false,
      active: false,
      sessionEpoch: 1,
    })
    expect(gone.deletedAt).not.toBeNull()
    expect(cases.map(({ event }) => event.type)).toEqual(['user.deleted'])
    expect(cases[0]?.outcome.state).toBe('nobody')
  })

  it("names the operator and the operator's jobs, who have no connection", async () => {
    const tenant = await newTenant()
    const user = await tenant.user()
    await admin('POST', `${tenant.at}/users/${user.id}/revoke-sessions`)
    await admin('PATCH', tenant.at, { status: 'suspended' })
    const { cases } = (await evidenceOf(tenant, user.id)).record
    expect(
      cases.map(({ request, event }) => [request.kind, request.job, request.connection, event.reason]),
    ).toEqual([
      ['job', 'revoke-sessions', null, 'tenant_suspended'],
      ['operator', null, null, 'operator'],
    ])
  })

  it('names the operation of a Bulk, and the versions of mapping and profile that were in force', async () => {
    const tenant = await newTenant()
    await admin('PUT', `${tenant.at}/connections/${tenant.connection.id}/mapping`, {
      fields: [{ field: 'title', source: 'title' }],
    })
    const user = await tenant.user()
    await tenant.scim.post('/Bulk', {
      schemas: ['urn:ietf:params:scim:api:messages:2.0:BulkRequest'],
      Operations: [
        {
          method: 'PATCH',
          path: `/Users/${user.id}`,
          data: { schemas: [PATCH_OP], Operations: [{ op: 'replace', path: 'active', value: false }] },
        },
      ],
    })
    const [only] = (await evidenceOf(tenant, user.id)).record.cases
    expect(only?.request).toMatchObject({
      method: 'PATCH',
      path: `/Users/${user.id}`,
      txn: expect.stringMatching(/:1$/),
      connection: { mappingVersion: 1 },
    })
  })

  it('what the request was is told to no receiver, and shows in no list of events that does not ask for it', async () => {
    const tenant = await newTenant()
    const user = await tenant.user()
    await setActive(tenant, user, false)
    const hint = tenant.connection.token.value.slice(-4)
    for (const event of await tenant.events()) {
      expect(Object.keys(event)).not.toContain('origin')
      expect(JSON.stringify(event.data)).not.toContain(`"${hint}"`)
    }
  })

  it('outlives the activity log and the connection', async () => {
    const tenant = await newTenant()
    const user = await tenant.user()
    await setActive(tenant, user, false)
    await admin('DELETE', `${tenant.at}/connections/${tenant.connection.id}`)
    const { record } = await evidenceOf(tenant, user.id)
    await env.DB.prepare('DELETE FROM activity WHERE tenant_id = ?').bind(record.tenant.id).run()
    const again = (await evidenceOf(tenant, user.id)).record
    expect(again.cases).toEqual(record.cases)
    expect(again.cases[0]?.request.connection).toMatchObject({ name: 'An identity provider', idp: 'entra' })
  })

  it('pages by cursor, and says in the signed record that there is more', async () => {
    const tenant = await newTenant()
    const user = await tenant.user()
    for (const active of [false, true, false, true, false]) await setActive(tenant, user, active)
    const first = await evidenceOf(tenant, user.id, '?limit=2')
    expect(first.record.cases.map(({ event }) => event.sequence)).toEqual([6, 4])
    expect(first.record.truncated).toBe(true)
    const second = await evidenceOf(tenant, user.id, `?limit=2&cursor=${first.nextCursor}`)
    expect(second.record.cases.map(({ event }) => event.sequence)).toEqual([2])
    expect([second.record.truncated, second.nextCursor]).toEqual([false, undefined])
    expect(second.record.user).toMatchObject({ sessionEpoch: 3 })
    expect((await statusOf(`${tenant.at}/users/${user.id}/evidence?cursor=nonsense`)).status).toBe(400)
    const other = await tenant.user()
    const foreign = `${tenant.at}/users/${other.id}/evidence?cursor=${first.nextCursor}`
    expect((await statusOf(foreign)).status).toBe(400)
  })

  it("RFC-238 another tenant's user, a group and an unknown id are the same 404; somebody with a past of nothing has no case", async () => {
    const [tenant, other] = [await newTenant(), await newTenant()]
    const foreign = await other.user()
    await other.scim.delete(`/Users/${foreign.id}`)
    const group = await tenant.group()
    const replies = await Promise.all(
      [UNKNOWN_ID, foreign.id, group.id].map(id => statusOf(`${tenant.at}/users/${id}/evidence`)),
    )
    expect(replies.map(({ status }) => status)).toEqual([404, 404, 404])
    expect(new Set(replies.map(({ text }) => text)).size).toBe(1)
    const user = await tenant.user()
    expect((await evidenceOf(tenant, user.id)).record).toMatchObject({ cases: [], truncated: false })
  })

  it('reads as many rows for a person of ten thousand events as for one of ten', async () => {
    const costs: number[] = []
    for (const past of [10, 10_000]) {
      const tenant = await newTenant()
      await webhook(tenant)
      const user = await tenant.user()
      await setActive(tenant, user, false)
      const { record } = await evidenceOf(tenant, user.id)
      await env.DB.prepare(
        `WITH RECURSIVE n(i) AS (SELECT 3 UNION ALL SELECT i + 1 FROM n WHERE i < ?3)
          INSERT INTO events (tenant_id, sequence, id, type, txn, user_id, occurred_at, data, hash)
          SELECT ?1, i, 'e' || i, 'user.updated', 't' || i, ?2, 1, '{}', 'sealed' FROM n`,
      )
        .bind(record.tenant.id, user.id, past)
        .run()
      costs.push(await rowsReadBy(() => evidenceOf(tenant, user.id)))
    }
    expect(costs[1]).toBe(costs[0])
    expect(costs[0]).toBeLessThan(60)
  })
})

/** Rows that D1 reads for the work. */
async function rowsReadBy(work: () => Promise<unknown>): Promise<number> {
  let read = 0
  const batch = env.DB.batch.bind(env.DB)
  const watched = Object.assign(Object.create(env.DB) as D1Database, {
    batch: async (statements: D1PreparedStatement[]) => {
      const results = await batch(statements)
      for (const { meta } of results) read += meta.rows_read
      return results
    },
  })
  const original = env.DB.batch
  env.DB.batch = watched.batch as typeof env.DB.batch
  try {
    await work()
  } finally {
    env.DB.batch = original
  }
  return read
}

describe('the chain of events', () => {
  it('is whole over what SCIM requests, Bulk and jobs append, and says where it ends', async () => {
    const tenant = await newTenant()
    const users = [await tenant.user(), await tenant.user(), await tenant.user()]
    await tenant.group({ members: users.map(({ id }) => ({ value: id })) })
    await Promise.all(users.map(user => setActive(tenant, user, false)))
    const check = await checkChain(tenant)
    const last = (await tenant.events()).at(-1)?.sequence
    expect(check).toEqual({ head: { sequence: last, hash: expect.any(String) }, from: 1, to: last, ok: true })
    expect((await evidenceOf(tenant, users[0]?.id ?? '')).record.chain).toEqual(check.head)
  })

  it('a tenant without events has no head, and nothing is broken', async () => {
    expect(await checkChain(await newTenant())).toEqual({ head: null, from: 1, to: 0, ok: true })
  })

  it.each<[string, string, number]>([
    [
      'data that was altered',
      `UPDATE events SET data = json_set(data, '$.epoch', 7) WHERE tenant_id = ? AND sequence = 3`,
      3,
    ],
    [
      'a request that was altered',
      `UPDATE events SET origin = json_set(origin, '$.tokenHint', 'zzzz') WHERE tenant_id = ? AND sequence = 2`,
      2,
    ],
    [
      'somebody else as the subject',
      `UPDATE events SET user_id = 'x' WHERE tenant_id = ? AND sequence = 4`,
      4,
    ],
    ['an event that was removed', 'DELETE FROM events WHERE tenant_id = ? AND sequence = 3', 3],
    ['the last event removed', 'DELETE FROM events WHERE tenant_id = ? AND sequence = 6', 6],
    ['the first event removed', 'DELETE FROM events WHERE tenant_id = ? AND sequence = 1', 1],
    [
      'a hash that was taken off, to be sealed anew',
      `UPDATE events SET hash = NULL, type = 'user.updated' WHERE tenant_id = ? AND sequence = 4`,
      4,
    ],
    ['an end that was taken off', 'DELETE FROM event_chain WHERE tenant_id = ?', 7],
  ])('%s shows', async (_, tamper, firstBroken) => {
    const tenant = await newTenant()
    const user = await tenant.user()
    for (const active of [false, true, false, true, false]) await setActive(tenant, user, active)
    const { record } = await evidenceOf(tenant, user.id)
    expect(await checkChain(tenant)).toMatchObject({ ok: true, to: 6 })
    await env.DB.prepare(tamper).bind(record.tenant.id).run()
    if (firstBroken > 6) await setActive(tenant, user, true)
    expect(await checkChain(tenant)).toMatchObject({ ok: false, firstBroken })
  })

  it('an end that was removed shows also when others have come in its place', async () => {
    const tenant = await newTenant()
    const user = await tenant.user()
    await setActive(tenant, user, false)
    const { record } = await evidenceOf(tenant, user.id)
    await env.DB.prepare('DELETE FROM events WHERE tenant_id = ? AND sequence = 2')
      .bind(record.tenant.id)
      .run()
    await setActive(tenant, user, true)
    expect(await checkChain(tenant)).toMatchObject({ ok: false, firstBroken: 2 })
    const events = await admin<{ items: { sequence: number; hash: string }[] }>(
      'GET',
      `${tenant.at}/events?chain=true`,
    )
    expect(events.items.find(({ sequence }) => sequence === 2)?.hash).not.toBe(record.chain?.hash)
  })

  it('a range is checked alone, and a garbled one is 400', async () => {
    const tenant = await newTenant()
    const user = await tenant.user()
    for (const active of [false, true, false]) await setActive(tenant, user, active)
    const { record } = await evidenceOf(tenant, user.id)
    await env.DB.prepare(`UPDATE events SET data = '{}' WHERE tenant_id = ? AND sequence = 1`)
      .bind(record.tenant.id)
      .run()
    expect(await checkChain(tenant, '?from=3&to=4')).toMatchObject({ ok: true, from: 3, to: 4 })
    expect(await checkChain(tenant, '?from=1&to=2')).toMatchObject({ ok: false, firstBroken: 1 })
    expect((await statusOf(`${tenant.at}/events/chain?from=x`)).status).toBe(400)
    expect((await statusOf(`/tenants/t-unknown/events/chain`)).status).toBe(404)
  })

  it('more events than one call looks at: nextFrom leads through all of them', async () => {
    const tenant = await newTenant()
    const user = await tenant.user()
    const { record } = await evidenceOf(tenant, user.id)
    await env.DB.prepare(
      `WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 5100)
        INSERT INTO events (tenant_id, sequence, id, type, txn, user_id, occurred_at, data)
        SELECT ?1, i, 'e' || i, 'user.updated', 't' || i, ?2, 1, '{}' FROM n`,
    )
      .bind(record.tenant.id, user.id)
      .run()
    const first = await checkChain(tenant)
    expect(first).toMatchObject({ ok: true, head: { sequence: 5100 } })
    expect(first.nextFrom).toBe(first.to + 1)
    expect(await checkChain(tenant, `?from=${first.nextFrom}`)).toMatchObject({ ok: true, to: 5100 })
  })

  it('goes with its tenant', async () => {
    const tenant = await newTenant()
    const user = await tenant.user()
    const { record } = await evidenceOf(tenant, user.id)
    await admin('DELETE', `${tenant.at}?deactivateUsers=true`)
    const service = await serviceOf(env)
    const rows = (table: string) =>
      env.DB.prepare(`SELECT count(*) AS n FROM ${table} WHERE tenant_id = ?`)
        .bind(record.tenant.id)
        .first('n')
    const jobId = await env.DB.prepare('SELECT id FROM jobs WHERE tenant_id = ?')
      .bind(record.tenant.id)
      .first<string>('id')
    if (jobId) await continueJob(service, { tenantId: record.tenant.id, jobId })
    expect([await rows('events'), await rows('event_chain')]).toEqual([0, 0])
  })

  it(`offers events with their hashes on request only: ${USER.split(':').at(-1)} events stay as they are`, async () => {
    const tenant = await newTenant()
    await tenant.user()
    const { items } = await admin<{ items: object[] }>('GET', `${tenant.at}/events?chain=true`)
    expect(items[0]).toMatchObject({
      previousHash: '0'.repeat(64),
      origin: { kind: 'scim', method: 'POST', path: '/Users' },
    })
    expect(Object.keys((await tenant.events())[0] ?? {})).not.toContain('hash')
  })
})
