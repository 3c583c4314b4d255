// The contract's section "Events", sentence by sentence, as the admin API shows what SCIM requests caused.
import { env } from 'cloudflare:workers'
import { describe, expect, it } from 'vitest'
import { continueJob } from '../../src/administration/jobs'
import { serviceOf } from '../../src/env'
import {
  admin,
  type Body,
  type Connection,
  ENTERPRISE,
  expectError,
  newGroup,
  newTenant,
  newUser,
  type Scim,
  type ScimEvent,
  scimClient,
  settled,
  type Tenant,
  USER,
  withBindings,
} from './world'

interface View {
  readonly active: boolean
  readonly sessionEpoch: number
  readonly sessionsNotBefore: string | null
  readonly createdAt: string
}

const types = (events: readonly ScimEvent[]) => events.map(({ type }) => type)

const viewOf = (tenant: Tenant, { id }: Body) => admin<View>('GET', `${tenant.at}/users/${id}`)

/** When an event happened, as notBefore says it. */
const seconds = ({ occurredAt }: ScimEvent) => Math.floor(Date.parse(occurredAt) / 1000)

const setActive = (tenant: Tenant, { id }: Body, active: boolean, more: object = {}) =>
  tenant.scim.patch(`/Users/${id}`, [{ op: 'replace', value: { active, ...more } }])

/** notBefore as the application's view shows it. */
const iso = (notBefore: number) => new Date(notBefore * 1000).toISOString()

/** The only event of a list. */
function only(events: readonly ScimEvent[]): ScimEvent {
  const [event] = events
  if (!event || events.length !== 1) throw new Error(`not one event: ${types(events).join(', ')}`)
  return event
}

describe('users', () => {
  it('user.created: the subject, tenant, connection, and no session is revoked', async () => {
    const tenant = await newTenant()
    const user = await tenant.user()
    expect(only(await tenant.events())).toEqual({
      id: expect.any(String),
      sequence: 1,
      type: 'user.created',
      txn: expect.any(String),
      userId: user.id,
      groupId: null,
      occurredAt: user.meta.created,
      data: {
        tenant: tenant.slug,
        connection: tenant.connection.id,
        user: { id: user.id, externalId: user.externalId, userName: user.userName, active: true },
        // As the standard profile maps it.
        profile: {
          userName: user.userName,
          email: user.userName,
          displayName: 'Ada Lovelace',
          givenName: 'Ada',
          familyName: 'Lovelace',
        },
        epoch: 0,
        roles: [],
        targetGroup: null,
      },
    })
  })

  it('a user that is created inactive is user.created alone, and the event says so', async () => {
    const tenant = await newTenant()
    await tenant.user({ active: false })
    const event = only(await tenant.events())
    expect(event).toMatchObject({ type: 'user.created', data: { user: { active: false }, epoch: 0 } })
    expect(event.data).not.toHaveProperty('sessions')
  })

  it('RFC-238 active true → false: user.deactivated, epoch up by exactly 1, notBefore the time of the change', async () => {
    const tenant = await newTenant()
    const user = await tenant.user()
    const event = only(await tenant.eventsOf(() => setActive(tenant, user, false)))
    expect(event).toMatchObject({
      type: 'user.deactivated',
      userId: user.id,
      data: {
        user: { id: user.id, externalId: user.externalId, userName: user.userName },
        sessions: 'revoke_all',
        epoch: 1,
        notBefore: seconds(event),
      },
    })
    expect(event.data).not.toHaveProperty('changed')
    expect(await viewOf(tenant, user)).toMatchObject({
      active: false,
      sessionEpoch: 1,
      sessionsNotBefore: iso(seconds(event)),
    })
  })

  it.each([
    [
      'PATCH with a path',
      (t: Tenant, { id }: Body) =>
        t.scim.patch(`/Users/${id}`, [{ op: 'Replace', path: 'active', value: 'False' }]),
    ],
    [
      'PATCH without a path',
      (t: Tenant, { id }: Body) =>
        t.scim.patch(`/Users/${id}`, [{ op: 'replace', value: { active: false } }]),
    ],
    ['PUT', (t: Tenant, user: Body) => t.scim.put(`/Users/${user.id}`, { ...user, active: false })],
  ])('active true → false by %s is one user.deactivated', async (_, call) => {
    const tenant = await newTenant()
    const user = await tenant.user()
    expect(types(await tenant.eventsOf(() => call(tenant, user)))).toEqual(['user.deactivated'])
  })

  it('with other attributes in the same request also user.updated, which names them; both share txn', async () => {
    const tenant = await newTenant()
    const user = await tenant.user()
    const events = await tenant.eventsOf(() =>
      setActive(tenant, user, false, {
        title: 'Gone',
        [`${ENTERPRISE}:department`]: 'None',
        'name.givenName': 'A',
      }),
    )
    expect(types(events)).toEqual(['user.deactivated', 'user.updated'])
    expect(new Set(events.map(({ txn }) => txn)).size).toBe(1)
    expect(events[1]?.data.changed.toSorted()).toEqual(['name', 'title', `${ENTERPRISE}:department`])
    expect(events[1]?.data).not.toHaveProperty('sessions')
    expect(events[1]?.data.epoch).toBe(1)
  })

  it('user.updated: changed names what changed and nothing else, for PATCH and PUT', async () => {
    const tenant = await newTenant()
    const user = await tenant.user({ title: 'Engineer', [ENTERPRISE]: { department: 'R&D' } })
    const changed = async (call: () => Promise<unknown>) =>
      only(await tenant.eventsOf(call)).data.changed.toSorted()
    const at = `/Users/${user.id}`
    expect(
      await changed(() =>
        tenant.scim.patch(at, [
          { op: 'replace', path: 'title', value: 'Engineer' },
          { op: 'replace', path: 'displayName', value: 'Other' },
          { op: 'replace', path: 'emails[type eq "work"].value', value: 'new@example.com' },
          { op: 'remove', path: `${ENTERPRISE}:department` },
        ]),
      ),
    ).toEqual(['displayName', 'emails', `${ENTERPRISE}:department`])
    const { userName, externalId } = user
    expect(
      await changed(() => tenant.scim.put(at, { schemas: [USER], userName: `x${userName}`, externalId })),
    ).toEqual(['displayName', 'emails', 'name', 'title', 'userName'])
  })

  it('sequence is strictly increasing per tenant, and ids are unique', async () => {
    const [tenant, other] = [await newTenant(), await newTenant()]
    const made = await Promise.all(Array.from({ length: 20 }, () => tenant.user()))
    await other.user()
    await Promise.all(made.map(user => setActive(tenant, user, false, { title: 'x' })))
    await Promise.all(made.map(({ id }) => tenant.scim.delete(`/Users/${id}`)))
    const events = await tenant.events()
    expect(events.map(({ sequence }) => sequence)).toEqual(Array.from({ length: 80 }, (_, i) => i + 1))
    expect(new Set(events.map(({ id }) => id)).size).toBe(80)
    expect((await other.events()).map(({ sequence }) => sequence)).toEqual([1])
    for (const { id } of made) {
      const own = await tenant.events(`&userId=${id}`)
      expect(types(own)).toEqual(['user.created', 'user.deactivated', 'user.updated', 'user.deleted'])
      expect(own.map(({ data }) => data.epoch)).toEqual([0, 1, 1, 2])
    }
  })

  it('a no-op: nothing', async () => {
    const tenant = await newTenant()
    const [user, inactive] = [await tenant.user(), await tenant.user({ active: false })]
    const group = await tenant.group({ members: [{ value: user.id }] })
    const [at, groupAt] = [`/Users/${user.id}`, `/Groups/${group.id}`]
    const events = await tenant.eventsOf(async () => {
      const replies = [
        await tenant.scim.put(at, user),
        await setActive(tenant, user, true),
        await setActive(tenant, inactive, false),
        await tenant.scim.patch(at, [{ op: 'add', path: 'emails', value: user.emails }]),
        await tenant.scim.patch(at, [{ op: 'remove', path: 'title' }]),
        await tenant.scim.patch(at, [
          { op: 'replace', path: 'active', value: false },
          { op: 'replace', path: 'active', value: true },
        ]),
        await tenant.scim.patch(at, [{ op: 'replace', value: { nosuch: 1, id: 'x' } }]),
        await tenant.scim.put(groupAt, group),
        await tenant.scim.patch(groupAt, [{ op: 'add', path: 'members', value: [{ value: user.id }] }]),
        await tenant.scim.patch(groupAt, [{ op: 'replace', path: 'members', value: [{ value: user.id }] }]),
        await tenant.scim.patch(groupAt, [{ op: 'remove', path: `members[value eq "${inactive.id}"]` }]),
        await tenant.scim.patch(groupAt, [{ op: 'replace', path: 'displayName', value: group.displayName }]),
      ]
      for (const { status, text } of replies)
        expect({ status, text }).toMatchObject({ status: expect.toBeOneOf([200, 204]) })
    })
    expect(types(events)).toEqual([])
    expect((await tenant.scim.get(groupAt)).body.meta).toEqual(group.meta)
  })

  it('false → true is user.reactivated; nothing lowers epoch or notBefore', async () => {
    const tenant = await newTenant()
    const user = await tenant.user()
    const gone = only(await tenant.eventsOf(() => setActive(tenant, user, false)))
    const back = only(await tenant.eventsOf(() => setActive(tenant, user, true)))
    expect(back).toMatchObject({ type: 'user.reactivated', data: { epoch: 1 } })
    expect(back.data).not.toHaveProperty('sessions')
    const after = { sessionEpoch: 1, sessionsNotBefore: iso(gone.data.notBefore) }
    expect(await viewOf(tenant, user)).toMatchObject({ active: true, ...after })
    await tenant.scim.put(`/Users/${user.id}`, newUser())
    expect(await viewOf(tenant, user)).toMatchObject(after)
    const again = only(await tenant.eventsOf(() => setActive(tenant, user, false)))
    expect(again.data.epoch).toBe(2)
    expect(again.data.notBefore).toBeGreaterThanOrEqual(gone.data.notBefore)
  })

  it('fifty requests at once that deactivate one user are one event and one epoch', async () => {
    const tenant = await newTenant()
    const user = await tenant.user()
    const events = await tenant.eventsOf(() =>
      Promise.all(Array.from({ length: 50 }, () => setActive(tenant, user, false))),
    )
    expect(types(events)).toEqual(['user.deactivated'])
    expect(await viewOf(tenant, user)).toMatchObject({ sessionEpoch: 1 })
  })

  it('DELETE of an active user: user.deleted alone, revoking sessions and listing its groups', async () => {
    const tenant = await newTenant()
    const user = await tenant.user()
    const groups = [
      await tenant.group({ members: [{ value: user.id }] }),
      await tenant.group({ members: [{ value: user.id }] }),
    ]
    await tenant.group()
    const event = only(await tenant.eventsOf(() => tenant.scim.delete(`/Users/${user.id}`)))
    expect(event).toMatchObject({
      type: 'user.deleted',
      userId: user.id,
      data: {
        user: { id: user.id, userName: user.userName, externalId: user.externalId },
        sessions: 'revoke_all',
        epoch: 1,
        notBefore: seconds(event),
      },
    })
    expect(event.data.groups.toSorted()).toEqual(groups.map(({ id }) => id).toSorted())
  })

  it('DELETE of an inactive user: user.deleted as well, with the next epoch', async () => {
    const tenant = await newTenant()
    const user = await tenant.user()
    await setActive(tenant, user, false)
    const event = only(await tenant.eventsOf(() => tenant.scim.delete(`/Users/${user.id}`)))
    expect(event).toMatchObject({
      type: 'user.deleted',
      data: { sessions: 'revoke_all', epoch: 2, notBefore: seconds(event), groups: [] },
    })
  })

  it('a refused request: nothing', async () => {
    const tenant = await newTenant()
    const user = await tenant.user()
    const events = await tenant.eventsOf(async () => {
      const replies = [
        await setActive(tenant, user, false, { userName: null }),
        await tenant.scim.patch(`/Users/${user.id}`, [{ op: 'replace', path: 'active', value: false }], {
          'If-Match': '"x"',
        }),
        await tenant.scim.put(`/Users/${user.id}`, { active: false }),
        await tenant.scim.delete(`/Users/${user.id}`, { 'If-Match': '"x"' }),
      ]
      expect(replies.map(({ status }) => status)).toEqual([400, 412, 400, 412])
    })
    expect(events).toEqual([])
    expect(await viewOf(tenant, user)).toMatchObject({
      active: true,
      sessionEpoch: 0,
      sessionsNotBefore: null,
    })
  })
})

describe('A POST of a user who exists', () => {
  const leaver = async (tenant: Tenant, connection: Connection, more: object = {}) => {
    const made = await connection.scim.post('/Users', newUser({ title: 'Before', ...more }))
    await connection.scim.patch(`/Users/${made.body.id}`, [{ op: 'replace', path: 'active', value: false }])
    expect(await viewOf(tenant, made.body)).toMatchObject({ active: false })
    return made.body
  }

  it('active → 409 uniqueness', async () => {
    const tenant = await newTenant()
    const { userName, externalId } = await tenant.user()
    const events = await tenant.eventsOf(async () =>
      expectError(await tenant.scim.post('/Users', newUser({ userName, externalId })), 409, 'uniqueness'),
    )
    expect(events).toEqual([])
  })

  it('RFC-78 inactive, same connection and same externalId → reactivated under the same id, 201', async () => {
    const tenant = await newTenant()
    const left = await leaver(tenant, tenant.connection)
    const group = await tenant.group({ members: [{ value: left.id }] })
    const { userName, externalId } = left
    const before = await viewOf(tenant, left)
    let reply: Awaited<ReturnType<typeof tenant.scim.post>> | undefined
    const events = await tenant.eventsOf(async () => {
      reply = await tenant.scim.post('/Users', newUser({ userName: userName.toUpperCase(), externalId }))
    })
    expect(reply).toMatchObject({
      status: 201,
      body: { id: left.id, active: true, userName: userName.toUpperCase() },
    })
    expect(reply?.body).not.toHaveProperty('title')
    expect(reply?.body.meta.created).toBe(left.meta.created)
    expect(reply?.body.groups.map(({ value }) => value)).toEqual([group.id])
    expect(reply?.headers.get('Location')).toBe(left.meta.location)
    expect(types(events)).toEqual(['user.reactivated', 'user.updated'])
    expect(new Set(events.map(({ txn }) => txn)).size).toBe(1)
    expect(await viewOf(tenant, left)).toEqual({ ...before, ...(await viewOf(tenant, left)), active: true })
    expect(await viewOf(tenant, left)).toMatchObject({
      sessionEpoch: 1,
      sessionsNotBefore: before.sessionsNotBefore,
    })
    expect((await tenant.scim.get('/Users')).body.totalResults).toBe(1)
  })

  it('inactive and found by externalId alone, under a new userName → reactivated with it', async () => {
    const tenant = await newTenant()
    const left = await leaver(tenant, tenant.connection)
    const reply = await tenant.scim.post(
      '/Users',
      newUser({ userName: 'new@example.com', externalId: left.externalId }),
    )
    expect(reply).toMatchObject({ status: 201, body: { id: left.id, userName: 'new@example.com' } })
    expect((await tenant.scim.filter('/Users', `userName eq "${left.userName}"`)).body.totalResults).toBe(0)
  })

  it.each([
    ['another externalId', () => ({ externalId: 'another' })],
    ['no externalId', () => ({ externalId: undefined })],
    ['its externalId in another case', ({ externalId }: Body) => ({ externalId: externalId.toUpperCase() })],
  ])('inactive, but %s → 409', async (_, more) => {
    const tenant = await newTenant()
    const left = await leaver(tenant, tenant.connection, { externalId: 'ext-abc' })
    const events = await tenant.eventsOf(async () => {
      const body = newUser({ userName: left.userName, ...more(left) })
      expectError(await tenant.scim.post('/Users', body), 409, 'uniqueness', /userName/)
    })
    expect(events).toEqual([])
    expect(await viewOf(tenant, left)).toMatchObject({ active: false })
  })

  it('inactive and without an externalId on either side → 409', async () => {
    const tenant = await newTenant()
    const { userName } = await leaver(tenant, tenant.connection, { externalId: undefined })
    const body = newUser({ userName, externalId: undefined })
    expectError(await tenant.scim.post('/Users', body), 409, 'uniqueness', /userName/)
  })

  it('inactive, but of another connection → 409', async () => {
    const tenant = await newTenant()
    const other = await tenant.connect()
    const left = await leaver(tenant, tenant.connection)
    const { userName, externalId } = left
    const events = await tenant.eventsOf(async () =>
      expectError(await other.scim.post('/Users', newUser({ userName, externalId })), 409, 'uniqueness'),
    )
    expect(events).toEqual([])
  })

  it('inactive, but strict → 409', async () => {
    const tenant = await newTenant({ mode: 'strict' })
    const { userName, externalId } = await leaver(tenant, tenant.connection)
    expectError(await tenant.scim.post('/Users', newUser({ userName, externalId })), 409, 'uniqueness')
  })

  it('userName of one leaver and externalId of another → 409, and neither comes back', async () => {
    const tenant = await newTenant()
    const [one, two] = [await leaver(tenant, tenant.connection), await leaver(tenant, tenant.connection)]
    const body = newUser({ userName: one.userName, externalId: two.externalId })
    expectError(await tenant.scim.post('/Users', body), 409, 'uniqueness', /userName|externalId/)
    for (const user of [one, two]) expect(await viewOf(tenant, user)).toMatchObject({ active: false })
  })

  it('ten returns at once are one user.reactivated and one user', async () => {
    const tenant = await newTenant()
    const { userName, externalId } = await leaver(tenant, tenant.connection)
    const events = await tenant.eventsOf(async () => {
      const body = newUser({ userName, externalId })
      const replies = await Promise.all(Array.from({ length: 10 }, () => tenant.scim.post('/Users', body)))
      for (const { status } of replies) expect([201, 409]).toContain(status)
      expect(replies.map(({ status }) => status)).toContain(201)
    })
    expect(types(events).filter(type => type === 'user.reactivated')).toHaveLength(1)
    expect((await tenant.scim.get('/Users')).body.totalResults).toBe(1)
  })

  it('ten creations at once are one user.created and nine 409', async () => {
    const tenant = await newTenant()
    const body = newUser()
    const replies = await Promise.all(Array.from({ length: 10 }, () => tenant.scim.post('/Users', body)))
    expect(replies.map(({ status }) => status).toSorted()).toEqual([201, ...Array(9).fill(409)])
    expect(types(await tenant.events())).toEqual(['user.created'])
  })
})

describe('a member of groups with endless names', () => {
  it('can be read, listed, deactivated and deleted; user.deleted lists every group', async () => {
    const tenant = await newTenant()
    const { id } = await tenant.user()
    const groups: string[] = []
    for (let i = 0; i < 34; i++)
      groups.push(
        (await tenant.group({ displayName: `${i}${'n'.repeat(65_000)}`, members: [{ value: id }] })).id,
      )
    const { status, body } = await tenant.scim.get(`/Users/${id}`)
    expect([status, body.groups.length]).toEqual([200, 34])
    expect((await tenant.scim.get('/Users')).status).toBe(200)
    const off = await tenant.scim.patch(`/Users/${id}`, [{ op: 'replace', path: 'active', value: false }])
    expect([off.status, off.body.active]).toEqual([200, false])
    const deleted = only(await tenant.eventsOf(() => tenant.scim.delete(`/Users/${id}`)))
    expect(deleted.type).toBe('user.deleted')
    expect(deleted.data.groups).toEqual(groups.toSorted())
  })
})

describe('a request whose body comes slowly', () => {
  it('ends the sessions that were begun while it was on its way', async () => {
    const tenant = await newTenant()
    const { id } = await tenant.user()
    const text = JSON.stringify({
      schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
      Operations: [{ op: 'replace', path: 'active', value: false }],
    })
    let signedInAt = 0
    const body = new ReadableStream<Uint8Array>({
      async start(controller) {
        await scheduler.wait(2_100)
        signedInAt = Math.floor(Date.now() / 1000)
        controller.enqueue(new TextEncoder().encode(text))
        controller.close()
      },
    })
    const event = only(
      await tenant.eventsOf(async () => {
        expect((await tenant.scim.send('PATCH', `/Users/${id}`, body)).status).toBe(200)
      }),
    )
    expect(event.data.notBefore).toBeGreaterThanOrEqual(signedInAt)
    expect(seconds(event)).toBeGreaterThanOrEqual(signedInAt)
  })
})

/** A client of the tenant's connection, behind whose first round trip to D1 something else is done. */
function overtakenBy(tenant: Tenant, work: () => Promise<unknown>): Scim {
  let meanwhile: typeof work | undefined = work
  const overtaken = {
    prepare: (text: string) => env.DB.prepare(text),
    batch: async (statements: D1PreparedStatement[]) => {
      const results = await env.DB.batch(statements)
      const now = meanwhile
      meanwhile = undefined
      await now?.()
      return results
    },
  } as unknown as D1Database
  const { baseUrl, token } = tenant.connection
  return scimClient(baseUrl, `Bearer ${token.value}`, withBindings({ DB: overtaken }))
}

describe('a DELETE while the operator ends the sessions', () => {
  it('raises the epoch by one for each, whoever is first', async () => {
    const tenant = await newTenant()
    const { id } = await tenant.user()
    const scim = overtakenBy(tenant, () => admin('POST', `${tenant.at}/users/${id}/revoke-sessions`))
    const events = await tenant.eventsOf(() => scim.delete(`/Users/${id}`))
    expect(events.map(({ type, data }) => [type, data.epoch])).toEqual([
      ['user.sessions_revoked', 1],
      ['user.deleted', 2],
    ])
  })
})

describe('a user whose document is as large as it may be', () => {
  it('can be deactivated', async () => {
    const tenant = await newTenant()
    const { id, userName } = await tenant.user({ externalId: 'x' })
    const put = (last: number) =>
      tenant.scim.put(`/Users/${id}?attributes=id`, {
        schemas: [USER],
        userName,
        externalId: 'x',
        active: true,
        addresses: Array.from({ length: 16 }, (_, i) => ({ formatted: 'x'.repeat(i < 15 ? 62_400 : last) })),
      })
    const tooMuch = /has (\d+) bytes/.exec((await put(65_000)).body.detail)?.[1]
    expect((await put(65_000 - (Number(tooMuch) - 1_000_000))).status).toBe(200)
    const off = await setActive(tenant, { id } as Body, false)
    expect([off.status, off.body.active]).toEqual([200, false])
  })
})

describe('deleting a connection', () => {
  it('lets no request that is under way give somebody access after it', async () => {
    const tenant = await newTenant()
    const user = await tenant.user()
    await setActive(tenant, user, false)
    const scim = overtakenBy(tenant, () =>
      admin('DELETE', `${tenant.at}/connections/${tenant.connection.id}?deactivateUsers=true`),
    )
    const reply = await scim.patch(`/Users/${user.id}`, [{ op: 'replace', path: 'active', value: true }])
    expect(reply.status).toBe(503)
    expect((await viewOf(tenant, user)).active).toBe(false)
  })
})

describe('deleting a tenant', () => {
  it('takes access away again that a request under way has given back meanwhile', async () => {
    const tenant = await newTenant()
    const user = await tenant.user()
    await setActive(tenant, user, false)
    // Its deliveries wait, and so does the end of the tenant.
    const { id: receiver } = await admin('POST', `${tenant.at}/receivers`, {
      kind: 'webhook',
      url: 'https://receiver.example.com',
    })
    await admin('PATCH', `${tenant.at}/receivers/${receiver}`, { status: 'paused' })
    await tenant.user()
    const scim = overtakenBy(tenant, () => admin('DELETE', `${tenant.at}?deactivateUsers=true`))
    await scim.patch(`/Users/${user.id}`, [{ op: 'replace', path: 'active', value: true }])
    const jobs = await env.DB.prepare(
      `SELECT tenant_id AS tenantId, id AS jobId FROM jobs WHERE tenant_id = (SELECT tenant_id FROM tenants WHERE slug = ?)`,
    )
      .bind(tenant.slug)
      .all<{ tenantId: string; jobId: string }>()
    for (const job of jobs.results) await continueJob(await serviceOf(env), job)
    expect((await viewOf(tenant, user)).active).toBe(false)
    expect((await tenant.events(`&userId=${user.id}`)).at(-1)?.type).toBe('user.deactivated')
  })

  it('leaves no rows behind, nor do its tokens make new ones', async () => {
    const tenant = await newTenant()
    const { id } = await admin('GET', tenant.at)
    await admin('DELETE', tenant.at)
    const { token } = tenant.connection
    const scim = scimClient('https://scim.example.com/scim/v2', `Bearer ${token.value}`)
    expect((await scim.get('/Users')).status).toBe(401)
    await settled()
    const left = await env.DB.prepare('SELECT count(*) AS n FROM activity WHERE tenant_id = ?')
      .bind(id)
      .first()
    expect(left).toEqual({ n: 0 })
  })
})

describe('a receiver that answered 410', () => {
  it('has a dead delivery for every event since, to be replayed once it is back', async () => {
    const tenant = await newTenant()
    const user = await tenant.user()
    const { id: receiver } = await admin('POST', `${tenant.at}/receivers`, {
      kind: 'webhook',
      url: 'https://receiver.example.com',
    })
    await env.DB.prepare(`UPDATE receivers SET status = 'disabled' WHERE id = ?`).bind(receiver).run()
    await setActive(tenant, user, false)
    const { items } = await admin<{ items: { id: string; state: string; lastError: string }[] }>(
      'GET',
      `${tenant.at}/deliveries?userId=${user.id}`,
    )
    expect(items).toMatchObject([{ state: 'dead', lastError: 'the receiver is disabled' }])
    await admin('PATCH', `${tenant.at}/receivers/${receiver}`, { status: 'active' })
    expect(await admin('POST', `${tenant.at}/deliveries/${items[0]?.id}/replay`)).toEqual({ deliveries: 1 })
  })
})

describe('a customer who changes identity provider', () => {
  it('takes users over who have the same externalId there, by PATCH and by PUT', async () => {
    for (const how of ['patch', 'put']) {
      const tenant = await newTenant()
      const user = await tenant.user({ externalId: 'employee-1' })
      const { id, scim } = await tenant.connect({ idp: 'okta' })
      const at = `/Users/${user.id}`
      const reply =
        how === 'put'
          ? await scim.put(at, { schemas: [USER], userName: user.userName, externalId: 'employee-1' })
          : await scim.patch(at, [{ op: 'replace', path: 'externalId', value: 'employee-1' }])
      expect([reply.status, reply.body.externalId]).toEqual([200, 'employee-1'])
      expect((await scim.filter('/Users', 'externalId eq "employee-1"')).body.totalResults).toBe(1)
      await admin('DELETE', `${tenant.at}/connections/${tenant.connection.id}?deactivateUsers=true`)
      expect((await viewOf(tenant, user)).active).toBe(true)
      await admin('DELETE', `${tenant.at}/connections/${id}?deactivateUsers=true`)
      expect((await viewOf(tenant, user)).active).toBe(false)
    }
  })
})

describe('groups', () => {
  it('group.created, group.updated, group.deleted carry id, displayName and externalId', async () => {
    const tenant = await newTenant()
    const events = await tenant.eventsOf(async () => {
      const { id } = await tenant.group({ displayName: 'One', externalId: 'G1' })
      await tenant.scim.patch(`/Groups/${id}`, [{ op: 'replace', path: 'displayName', value: 'Two' }])
      await tenant.scim.delete(`/Groups/${id}`)
    })
    expect(types(events)).toEqual(['group.created', 'group.updated', 'group.deleted'])
    const { groupId } = events[0] ?? { groupId: '' }
    expect(events.map(({ data }) => data.group)).toEqual([
      { id: groupId, displayName: 'One', externalId: 'G1' },
      { id: groupId, displayName: 'Two', externalId: 'G1' },
      { id: groupId, displayName: 'Two', externalId: 'G1' },
    ])
    expect(events[1]?.data.changed).toEqual(['displayName'])
    for (const { userId, data } of events) {
      expect(userId).toBeNull()
      expect(data).toMatchObject({ tenant: tenant.slug, connection: tenant.connection.id })
      expect(data).not.toHaveProperty('sessions')
    }
  })

  it('member_added and member_removed carry the user ids that really came or went, under one txn', async () => {
    const tenant = await newTenant()
    const [a, b, c] = [await tenant.user(), await tenant.user(), await tenant.user()]
    const created = await tenant.eventsOf(() => tenant.group({ members: [{ value: a.id }, { value: a.id }] }))
    expect(types(created)).toEqual(['group.created', 'group.member_added'])
    expect(created[1]?.data.members).toEqual([a.id])
    expect(created[1]?.txn).toBe(created[0]?.txn)
    const groupId = created[0]?.groupId ?? ''
    const at = `/Groups/${groupId}`
    const members = (...users: Body[]) => users.map(({ id }) => ({ value: id }))
    const added = only(
      await tenant.eventsOf(() =>
        tenant.scim.patch(at, [{ op: 'add', path: 'members', value: members(a, b) }]),
      ),
    )
    expect(added).toMatchObject({ type: 'group.member_added', groupId, data: { members: [b.id] } })
    const replaced = await tenant.eventsOf(() =>
      tenant.scim.patch(at, [
        { op: 'replace', path: 'members', value: members(b, c) },
        { op: 'replace', path: 'displayName', value: 'Renamed' },
      ]),
    )
    expect(new Set(replaced.map(({ txn }) => txn)).size).toBe(1)
    expect(types(replaced).toSorted()).toEqual([
      'group.member_added',
      'group.member_removed',
      'group.updated',
    ])
    for (const { type, data } of replaced) {
      expect(data.group).toEqual({ id: groupId, displayName: 'Renamed', externalId: null })
      if (type === 'group.member_removed') expect(data.members).toEqual([a.id])
      if (type === 'group.member_added') expect(data.members).toEqual([c.id])
    }
    const put = await tenant.eventsOf(() =>
      tenant.scim.put(at, newGroup({ displayName: 'Renamed', members: [] })),
    )
    expect(types(put)).toEqual(['group.member_removed'])
    expect(put[0]?.data.members.toSorted()).toEqual([b.id, c.id].toSorted())
  })

  it('removing and adding the same member in one request is nothing', async () => {
    const tenant = await newTenant()
    const user = await tenant.user()
    const group = await tenant.group({ members: [{ value: user.id }] })
    const events = await tenant.eventsOf(() =>
      tenant.scim.patch(`/Groups/${group.id}`, [
        { op: 'remove', path: `members[value eq "${user.id}"]` },
        { op: 'add', path: 'members', value: [{ value: user.id }] },
      ]),
    )
    expect(types(events)).toEqual([])
  })

  it('at most 1,000 members an event: 2,500 make three, in creation, removal and replacement', async () => {
    const tenant = await newTenant()
    const ids: string[] = []
    while (ids.length < 2500) {
      const made = await Promise.all(
        Array.from({ length: 100 }, () =>
          tenant.scim.post('/Users?attributes=id', { schemas: [USER], userName: crypto.randomUUID() }),
        ),
      )
      ids.push(...made.map(({ body }) => body.id))
    }
    const members = ids.map(value => ({ value }))
    const expectChunks = (events: readonly ScimEvent[], type: string) => {
      const chunks = events.filter(event => event.type === type)
      expect(chunks.map(({ data }) => data.members.length)).toEqual([1000, 1000, 500])
      expect(chunks.flatMap(({ data }) => data.members).toSorted()).toEqual(ids.toSorted())
      expect(new Set(events.map(({ txn }) => txn)).size).toBe(1)
    }
    let id = ''
    const created = await tenant.eventsOf(async () => {
      const reply = await tenant.scim.post('/Groups', newGroup({ members }))
      id = reply.body.id
      // More members than one round trip brings are streamed, and none is left out.
      expect(reply.body.members.map(({ value }) => value).toSorted()).toEqual(ids.toSorted())
    })
    expect(types(created)).toEqual(['group.created', ...Array(3).fill('group.member_added')])
    expectChunks(created, 'group.member_added')
    const alone = await tenant.scim.get(`/Groups/${id}`)
    expect(alone.body.members).toHaveLength(2500)
    await tenant.group({ members: members.slice(0, 3) })
    const list = await tenant.scim.get('/Groups')
    expect(list.body.Resources.map(group => group.members.length)).toEqual([2500, 3])
    const cleared = await tenant.eventsOf(() =>
      tenant.scim.patch(`/Groups/${id}`, [{ op: 'remove', path: 'members' }]),
    )
    expect(cleared).toHaveLength(3)
    expectChunks(cleared, 'group.member_removed')
    const again = await tenant.eventsOf(() =>
      tenant.scim.patch(`/Groups/${id}`, [{ op: 'replace', path: 'members', value: members }]),
    )
    expect(again).toHaveLength(3)
    expectChunks(again, 'group.member_added')
  }, 60_000)

  it('deleting a user or a group makes no member_removed', async () => {
    const tenant = await newTenant()
    const [a, b] = [await tenant.user(), await tenant.user()]
    const group = await tenant.group({ members: [{ value: a.id }, { value: b.id }] })
    const events = await tenant.eventsOf(async () => {
      await tenant.scim.delete(`/Users/${a.id}`)
      await tenant.scim.delete(`/Groups/${group.id}`)
    })
    expect(types(events)).toEqual(['user.deleted', 'group.deleted'])
    expect(events[0]?.data.groups).toEqual([group.id])
  })

  it('a connection that changes another connection’s user is named in the event', async () => {
    const tenant = await newTenant()
    const other = await tenant.connect()
    const user = await tenant.user()
    const event = only(
      await tenant.eventsOf(() =>
        other.scim.patch(`/Users/${user.id}`, [{ op: 'replace', path: 'title', value: 'x' }]),
      ),
    )
    expect(event.data).toMatchObject({ connection: other.id, user: { id: user.id } })
  })
})

describe('what the operator does', () => {
  it('revoke-sessions: user.sessions_revoked, epoch up by 1, access stays', async () => {
    const tenant = await newTenant()
    const user = await tenant.user()
    const event = only(
      await tenant.eventsOf(() => admin('POST', `${tenant.at}/users/${user.id}/revoke-sessions`)),
    )
    expect(event).toMatchObject({
      type: 'user.sessions_revoked',
      userId: user.id,
      data: { sessions: 'revoke_all', epoch: 1, notBefore: seconds(event), connection: tenant.connection.id },
    })
    expect(await viewOf(tenant, user)).toMatchObject({ active: true, sessionEpoch: 1 })
    const read = await tenant.scim.get(`/Users/${user.id}`)
    expect(read.body.meta.lastModified).toBe(user.meta.lastModified)
  })

  it('type, userId and after select events', async () => {
    const tenant = await newTenant()
    const [a, b] = [await tenant.user(), await tenant.user()]
    await setActive(tenant, a, false)
    await setActive(tenant, b, false)
    expect(types(await tenant.events(`&userId=${a.id}`))).toEqual(['user.created', 'user.deactivated'])
    expect((await tenant.events('&type=user.deactivated')).map(({ userId }) => userId)).toEqual([a.id, b.id])
    expect((await tenant.events('&after=3')).map(({ sequence }) => sequence)).toEqual([4])
    expect(await tenant.events('&type=nosuch')).toEqual([])
  })
})
