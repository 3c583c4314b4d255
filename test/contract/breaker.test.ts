// The mass-deprovision breaker (contract "…/breaker"): above a tenant's threshold sessions die at once, and DELETEs are
// held until the operator releases them or rolls them back.
import { env } from 'cloudflare:workers'
import { describe, expect, it, vi } from 'vitest'
import { call, through, watched } from './calls'
import { expectConsistent, tenantIdOf } from './consistency'
import { admin, type Body, newTenant, newUser, type ScimEvent, type Tenant } from './world'

vi.setConfig({ testTimeout: 60_000 })

interface Breaker {
  enabled: boolean
  threshold: { count: number; windowMinutes: number }
  tripped: boolean
  trippedAt: string | null
  held: { userId: string; userName: string; at: string; keptBecause: string | null }[]
  heldTotal: number
}
interface Person {
  active: boolean
  deletedAt: string | null
  sessionEpoch: number
  sessionsNotBefore: string
}

const breakerOf = ({ at }: Tenant) => admin<Breaker>('GET', `${at}/breaker`)
const set = ({ at }: Tenant, count: number, more: object = {}) =>
  admin<Breaker>('PUT', `${at}/breaker`, { enabled: true, threshold: { count, windowMinutes: 10 }, ...more })
const person = ({ at }: Tenant, id: string) => admin<Person>('GET', `${at}/users/${id}`)
const release = ({ at }: Tenant) => admin<{ released: number }>('POST', `${at}/breaker/release`)
const rollBack = ({ at }: Tenant) =>
  admin<{ rolledBack: number; kept: number }>('POST', `${at}/breaker/rollback`)
const heldIds = async (tenant: Tenant) => (await breakerOf(tenant)).held.map(({ userId }) => userId)
const typesOf = (events: readonly ScimEvent[]) => events.map(({ type }) => type)

async function tenantWith(count: number, options: Parameters<typeof newTenant>[0] = {}): Promise<Tenant> {
  const tenant = await newTenant(options)
  await set(tenant, count)
  return tenant
}

async function people({ user }: Tenant, count: number): Promise<Body[]> {
  const made: Body[] = []
  for (let n = 0; n < count; n++) made.push(await user())
  return made
}

async function deleteAll({ scim }: Tenant, users: readonly Body[]): Promise<void> {
  for (const { id } of users) expect((await scim.delete(`/Users/${id}`)).status).toBe(204)
}

const deactivate = ({ scim }: Tenant, { id }: Body) =>
  scim.patch(`/Users/${id}`, [{ op: 'replace', path: 'active', value: false }])

/** A tenant whose breaker has tripped, with these of its people held: one more was deleted before. */
async function tripped(count: number, options: Parameters<typeof newTenant>[0] = {}) {
  const tenant = await tenantWith(1, options)
  const [first, ...held] = await people(tenant, count + 1)
  return { tenant, first: first as Body, held }
}

async function keepingProfile(): Promise<string> {
  const name = `p-${crypto.randomUUID()}`
  await admin('PUT', `/profiles/${name}`, { name, user: { onDelete: 'deactivate' } })
  return name
}

describe('its settings', () => {
  it('is off until the operator switches it on, with a threshold that is suggested', async () => {
    const tenant = await newTenant()
    const off = {
      enabled: false,
      threshold: { count: 50, windowMinutes: 10 },
      tripped: false,
      trippedAt: null,
      held: [],
      heldTotal: 0,
    }
    expect(await breakerOf(tenant)).toEqual(off)
    expect(await admin('PUT', `${tenant.at}/breaker`, { ...off, enabled: true })).toEqual({
      ...off,
      enabled: true,
    })
    expect(await set(tenant, 7)).toMatchObject({ threshold: { count: 7, windowMinutes: 10 } })
    expect(await breakerOf(tenant)).toMatchObject({ enabled: true, threshold: { count: 7 } })
  })

  it.each<[string, object]>([
    ['enabled', {}],
    ['enabled', { enabled: 'yes' }],
    ['threshold.count', { enabled: true, threshold: { count: 0, windowMinutes: 1 } }],
    ['threshold.count', { enabled: true, threshold: { count: 1.5, windowMinutes: 1 } }],
    ['threshold.windowMinutes', { enabled: true, threshold: { count: 1 } }],
    ['threshold.windowMinutes', { enabled: true, threshold: { count: 1, windowMinutes: 100_000 } }],
    ['limit', { enabled: true, limit: 1 }],
  ])('refuses %s of %j and changes nothing', async (path, body) => {
    const tenant = await tenantWith(3)
    const before = await breakerOf(tenant)
    const { status, body: problem } = await call('PUT', `${tenant.at}/breaker`, body)
    expect([status, problem.errors[0]?.path]).toEqual([422, path])
    expect(await breakerOf(tenant)).toEqual(before)
  })

  it('answers 404 for a tenant that there is not, and 409 where nothing is held', async () => {
    const tenant = await newTenant()
    for (const [method, path] of [
      ['GET', ''],
      ['POST', '/release'],
      ['POST', '/rollback'],
    ] as const)
      expect((await call(method, `/tenants/no-such-tenant/breaker${path}`)).status).toBe(404)
    for (const path of ['release', 'rollback'])
      expect(await call('POST', `${tenant.at}/breaker/${path}`)).toMatchObject({
        status: 409,
        body: { detail: 'Nothing is held.' },
      })
  })

  it('does nothing while it is off', async () => {
    const tenant = await newTenant()
    await set(tenant, 1, { enabled: false })
    const users = await people(tenant, 3)
    const events = await tenant.eventsOf(() => deleteAll(tenant, users))
    expect(typesOf(events)).toEqual(Array(3).fill('user.deleted'))
    expect(await breakerOf(tenant)).toMatchObject({ tripped: false, held: [] })
  })

  it('ends the trip when it is switched off, and leaves held who is', async () => {
    const { tenant, first, held } = await tripped(2)
    await deleteAll(tenant, [first, held[0] as Body])
    await set(tenant, 1, { enabled: false })
    expect(await breakerOf(tenant)).toMatchObject({ tripped: false, heldTotal: 1 })
    await deleteAll(tenant, [held[1] as Body])
    expect(await heldIds(tenant)).toEqual([held[0]?.id])
    await set(tenant, 1)
    expect(await breakerOf(tenant)).toMatchObject({ tripped: false, heldTotal: 1 })
    expect(await release(tenant)).toEqual({ released: 1 })
  })
})

describe('above the threshold', () => {
  it('ends sessions at once, keeps DELETEs as deactivations, and answers 2xx', async () => {
    const tenant = await tenantWith(2)
    const users = await people(tenant, 5)
    const events = await tenant.eventsOf(() => deleteAll(tenant, users))
    expect(typesOf(events)).toEqual([
      'user.deleted',
      'user.deleted',
      'user.deactivated',
      'user.deactivated',
      'user.deactivated',
    ])
    for (const { data } of events) expect(data).toMatchObject({ sessions: 'revoke_all', epoch: 1 })
    for (const { data } of events.slice(2)) expect(data).toMatchObject({ reason: 'deleted', held: true })
    const now = await breakerOf(tenant)
    expect(now).toMatchObject({ tripped: true, trippedAt: expect.stringMatching(/Z$/), heldTotal: 3 })
    expect(now.held).toEqual(
      users.slice(2).map(({ id, userName }) => ({
        userId: id,
        userName,
        at: expect.stringMatching(/Z$/),
        keptBecause: null,
      })),
    )
  })

  it('makes them vanish for SCIM as a DELETE does, shows them to the operator, and says so in the activity', async () => {
    const { tenant, first, held } = await tripped(1)
    const [{ id, userName }] = held as [Body]
    await deleteAll(tenant, [first, ...held])
    expect((await tenant.scim.get(`/Users/${id}`)).status).toBe(404)
    expect((await tenant.scim.delete(`/Users/${id}`)).status).toBe(404)
    expect((await tenant.scim.get('/Users')).body.totalResults).toBe(0)
    expect(await person(tenant, id)).toMatchObject({
      active: false,
      deletedAt: expect.any(String),
      sessionEpoch: 1,
    })
    const { items } = await admin<{ items: { method: string; resourceId: string; tolerances: string[] }[] }>(
      'GET',
      `${tenant.at}/activity`,
    )
    const noted = items
      .filter(({ method }) => method === 'DELETE')
      .map(one => [one.resourceId, one.tolerances])
    expect(noted).toEqual(
      expect.arrayContaining([
        [id, ['held by the breaker']],
        [first.id, []],
      ]),
    )
    const namesake = await tenant.user({ userName })
    expect(namesake.id).not.toBe(id)
    expect(await heldIds(tenant)).toEqual([id])
  })

  it('counts deactivations, of which nothing is held', async () => {
    const tenant = await tenantWith(2)
    const [a, b, c, d] = (await people(tenant, 4)) as [Body, Body, Body, Body]
    await deactivate(tenant, a)
    await tenant.scim.put(`/Users/${b.id}`, { ...b, active: false })
    expect(await breakerOf(tenant)).toMatchObject({ tripped: false })
    const events = await tenant.eventsOf(() => deactivate(tenant, c))
    expect(typesOf(events)).toEqual(['user.deactivated'])
    expect(await breakerOf(tenant)).toMatchObject({ tripped: true, held: [] })
    expect((await tenant.scim.get(`/Users/${c.id}`)).body.active).toBe(false)
    await deleteAll(tenant, [d])
    expect(await heldIds(tenant)).toEqual([d.id])
  })

  it('holds the DELETE of somebody who had no access, which is neither counted nor told', async () => {
    const tenant = await tenantWith(1)
    const [a, b, c] = (await people(tenant, 3)) as [Body, Body, Body]
    await deactivate(tenant, a)
    await deleteAll(tenant, [a])
    expect(await breakerOf(tenant)).toMatchObject({ tripped: false, held: [] })
    await deactivate(tenant, b)
    expect(await breakerOf(tenant)).toMatchObject({ tripped: true })
    expect(await tenant.eventsOf(() => deleteAll(tenant, [b]))).toEqual([])
    expect(await heldIds(tenant)).toEqual([b.id])
    expect(typesOf(await tenant.eventsOf(() => release(tenant)))).toEqual(['user.deleted'])
    await deleteAll(tenant, [c])
  })

  it('counts no-ops, gains, other changes and groups for nothing', async () => {
    const tenant = await tenantWith(1)
    const [a, b] = (await people(tenant, 2)) as [Body, Body]
    await deactivate(tenant, a)
    await deactivate(tenant, a)
    await tenant.scim.patch(`/Users/${a.id}`, [{ op: 'replace', path: 'title', value: 'x' }])
    await tenant.scim.patch(`/Users/${a.id}`, [{ op: 'replace', path: 'active', value: true }])
    for (let n = 0; n < 3; n++) await tenant.scim.delete(`/Groups/${(await tenant.group()).id}`)
    expect(await breakerOf(tenant)).toMatchObject({ tripped: false })
    await deleteAll(tenant, [b])
    expect(await breakerOf(tenant)).toMatchObject({ tripped: true, heldTotal: 1 })
  })

  it('forgets losses of before the window', async () => {
    const tenant = await tenantWith(2)
    const users = await people(tenant, 5)
    await deleteAll(tenant, users.slice(0, 2))
    await env.DB.prepare('UPDATE access_losses SET at = at - 600000 WHERE tenant_id = ? AND slot = 0')
      .bind(await tenantIdOf(tenant))
      .run()
    await deleteAll(tenant, users.slice(2, 3))
    expect(await breakerOf(tenant)).toMatchObject({ tripped: false, held: [] })
    await deleteAll(tenant, users.slice(3))
    expect(await heldIds(tenant)).toEqual(users.slice(3).map(({ id }) => id))
  })

  it('counts Bulk operations, each by itself', async () => {
    const tenant = await tenantWith(3)
    const users = await people(tenant, 6)
    const { status, body } = await tenant.scim.post('/Bulk', {
      schemas: ['urn:ietf:params:scim:api:messages:2.0:BulkRequest'],
      Operations: users.map(({ id }) => ({ method: 'DELETE', path: `/Users/${id}` })),
    })
    expect(status).toBe(200)
    expect((body.Operations as { status: string }[]).map(one => one.status)).toEqual(Array(6).fill('204'))
    expect(await heldIds(tenant)).toEqual(users.slice(3).map(({ id }) => id))
  })

  it('is one tenant’s own', async () => {
    const { tenant, first, held } = await tripped(1)
    await deleteAll(tenant, [first, ...held])
    const other = await tenantWith(1)
    await deleteAll(other, await people(other, 1))
    expect(await breakerOf(other)).toMatchObject({ tripped: false, held: [] })
    expect((await call('POST', `${other.at}/breaker/release`)).status).toBe(409)
    expect(await heldIds(tenant)).toEqual([held[0]?.id])
  })

  it('loses nobody when many DELETEs come at once around the threshold', async () => {
    const tenant = await tenantWith(7)
    const users = await people(tenant, 24)
    const group = await tenant.group({ members: users.map(({ id }) => ({ value: id })) })
    const events = await tenant.eventsOf(async () => {
      const replies = await Promise.all(users.map(({ id }) => tenant.scim.delete(`/Users/${id}`)))
      expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([204]))
    })
    expect(events.map(({ userId }) => userId).sort()).toEqual(users.map(({ id }) => id).sort())
    const kept = events.filter(({ type }) => type === 'user.deactivated').map(({ userId }) => userId)
    expect(kept).toHaveLength(17)
    expect((await heldIds(tenant)).sort()).toEqual(kept.sort())
    expect((await tenant.scim.get(`/Groups/${group.id}`)).body.members ?? []).toEqual([])
    expect(await rollBack(tenant)).toEqual({ rolledBack: 17, kept: 0 })
    expect((await tenant.scim.get('/Users')).body.totalResults).toBe(17)
    expect((await tenant.scim.get(`/Groups/${group.id}`)).body.members).toHaveLength(17)
    await expectConsistent(tenant, [tenant.connection])
  })
})

describe('release', () => {
  it('really deletes them, with one event and an epoch higher by one', async () => {
    const { tenant, first, held } = await tripped(2)
    const group = await tenant.group({ members: [{ value: held[0]?.id }] })
    const gone = await tenant.group({ members: [{ value: held[0]?.id }] })
    await deleteAll(tenant, [first, ...held])
    await tenant.scim.delete(`/Groups/${gone.id}`)
    const events = await tenant.eventsOf(async () => expect(await release(tenant)).toEqual({ released: 2 }))
    expect(events.map(({ type, userId }) => [type, userId])).toEqual(
      held.map(({ id }) => ['user.deleted', id]),
    )
    for (const { data } of events) expect(data).toMatchObject({ epoch: 2, sessions: 'revoke_all' })
    expect(events.map(({ data }) => data.groups)).toEqual([[group.id], []])
    for (const { id } of held) expect((await call('GET', `${tenant.at}/users/${id}`)).status).toBe(404)
    expect(await breakerOf(tenant)).toMatchObject({ enabled: true, tripped: false, held: [] })
    expect((await call('POST', `${tenant.at}/breaker/release`)).status).toBe(409)
    await expectConsistent(tenant, [tenant.connection])
  })

  it('lets it count anew', async () => {
    const tenant = await tenantWith(2)
    const users = await people(tenant, 6)
    await deleteAll(tenant, users.slice(0, 3))
    await release(tenant)
    await deleteAll(tenant, users.slice(3, 5))
    expect(await breakerOf(tenant)).toMatchObject({ tripped: false, held: [] })
    await deleteAll(tenant, users.slice(5))
    expect(await heldIds(tenant)).toEqual([users[5]?.id])
  })

  it('keeps the record where the profile keeps who is deleted', async () => {
    const { tenant, first, held } = await tripped(1, { profile: await keepingProfile() })
    await deleteAll(tenant, [first, ...held])
    expect(await heldIds(tenant)).toEqual([held[0]?.id])
    expect(await tenant.eventsOf(() => release(tenant))).toEqual([])
    expect(await person(tenant, String(held[0]?.id))).toMatchObject({
      deletedAt: expect.any(String),
      sessionEpoch: 1,
    })
    expect(await breakerOf(tenant)).toMatchObject({ tripped: false, held: [] })
  })

  it('takes many in steps', async () => {
    const tenant = await tenantWith(1)
    const users = await people(tenant, 61)
    await Promise.all(users.map(({ id }) => tenant.scim.delete(`/Users/${id}`)))
    const events = await tenant.eventsOf(async () => expect(await release(tenant)).toEqual({ released: 60 }))
    expect(events).toHaveLength(60)
    expect(new Set(events.map(({ userId }) => userId)).size).toBe(60)
    expect(await heldIds(tenant)).toEqual([])
    await expectConsistent(tenant, [tenant.connection])
  })
})

describe('rollback', () => {
  it('brings them back as they were, under the old id and in their groups, but signed out', async () => {
    const { tenant, first, held } = await tripped(2)
    const [active, inactive] = held as [Body, Body]
    const group = await tenant.group({ members: held.map(({ id }) => ({ value: id })) })
    const gone = await tenant.group({ members: held.map(({ id }) => ({ value: id })) })
    await deleteAll(tenant, [first, active])
    const before = await person(tenant, active.id)
    await deactivate(tenant, inactive)
    await deleteAll(tenant, [inactive])
    await tenant.scim.delete(`/Groups/${gone.id}`)
    const events = await tenant.eventsOf(async () =>
      expect(await rollBack(tenant)).toEqual({ rolledBack: 2, kept: 0 }),
    )
    expect(events.map(({ type, userId, groupId }) => [type, userId ?? groupId])).toEqual([
      ['user.reactivated', active.id],
    ])
    const { members } = (await tenant.scim.get(`/Groups/${group.id}`)).body
    expect(members.map(({ value }) => value).sort()).toEqual(held.map(({ id }) => id).sort())
    const now = (await tenant.scim.get(`/Users/${active.id}`)).body
    expect(now).toMatchObject({ userName: active.userName, externalId: active.externalId, active: true })
    expect(now.groups.map(({ value }) => value)).toEqual([group.id])
    // Whoever had no access before the DELETE gets none by its being undone.
    expect((await tenant.scim.get(`/Users/${inactive.id}`)).body).toMatchObject({ active: false })
    expect(await person(tenant, active.id)).toMatchObject({
      deletedAt: null,
      sessionEpoch: before.sessionEpoch,
      sessionsNotBefore: before.sessionsNotBefore,
    })
    expect(await breakerOf(tenant)).toMatchObject({ tripped: false, held: [] })
    await expectConsistent(tenant, [tenant.connection])
  })

  it('leaves held, and says so, whose name somebody else has by now', async () => {
    const { tenant, first, held } = await tripped(3)
    await deleteAll(tenant, [first, ...held])
    const [a, b] = held as [Body, Body, Body]
    await tenant.user({ userName: a.userName.toUpperCase() })
    expect(await rollBack(tenant)).toEqual({ rolledBack: 2, kept: 1 })
    expect((await tenant.scim.get(`/Users/${b.id}`)).status).toBe(200)
    expect(await breakerOf(tenant)).toMatchObject({
      tripped: false,
      heldTotal: 1,
      held: [{ userId: a.id, keptBecause: 'another User has its userName' }],
    })
    expect(await release(tenant)).toEqual({ released: 1 })
    await expectConsistent(tenant, [tenant.connection])
  })

  it.each([4, 5, 6])('leaves held whose name is taken while it runs, before its batch %i', async nth => {
    const { tenant, first, held } = await tripped(2)
    await deleteAll(tenant, [first, ...held])
    const { fetch } = watched(batch =>
      batch === nth ? tenant.user({ userName: held[0]?.userName }) : undefined,
    )
    const { body } = await call('POST', `${tenant.at}/breaker/rollback`, undefined, fetch)
    expect(body).toEqual({ rolledBack: 1, kept: 1 })
    expect(await heldIds(tenant)).toEqual([held[0]?.id])
    await expectConsistent(tenant, [tenant.connection])
  })

  it('brings one back of two who had the same name', async () => {
    const { tenant, first, held } = await tripped(1)
    const [a] = held as [Body]
    await deleteAll(tenant, [first, a])
    const b = await tenant.user({ userName: a.userName })
    await deleteAll(tenant, [b])
    expect(await rollBack(tenant)).toEqual({ rolledBack: 1, kept: 1 })
    expect(await heldIds(tenant)).toEqual([b.id])
    await expectConsistent(tenant, [tenant.connection])
  })

  it('leaves held whom the profile would not take by now', async () => {
    const { tenant, first, held } = await tripped(1)
    await deleteAll(tenant, [first, ...held])
    await admin('PUT', `${tenant.at}/connections/${tenant.connection.id}/mapping`, {
      fields: [{ field: 'badge', source: 'nickName', required: true }],
      groupBy: null,
      targetGroup: null,
    })
    expect(await rollBack(tenant)).toEqual({ rolledBack: 0, kept: 1 })
    expect((await breakerOf(tenant)).held[0]?.keptBecause).toMatch(/breaks a rule.*badge/)
  })

  it('brings back those whose record the profile keeps as well', async () => {
    const { tenant, first, held } = await tripped(1, { profile: await keepingProfile() })
    await deleteAll(tenant, [first, ...held])
    expect(await rollBack(tenant)).toEqual({ rolledBack: 1, kept: 0 })
    expect((await tenant.scim.get('/Users')).body.Resources.map(({ id }) => id)).toEqual([held[0]?.id])
  })

  it('counts roles and their members as before', async () => {
    const name = `p-${crypto.randomUUID()}`
    const role = { source: 'roles[primary eq true].value', values: ['ADMIN'], default: 'ADMIN' }
    await admin('PUT', `/profiles/${name}`, { name, user: { role }, groups: { as: 'roles' } })
    const { tenant, first, held } = await tripped(2, { profile: name })
    await tenant.group({ displayName: 'Staff', members: held.map(({ id }) => ({ value: id })) })
    const roles = async () =>
      (await admin<{ items: { name: string; members: number }[] }>('GET', `${tenant.at}/roles`)).items
        .map(one => `${one.name} ${one.members}`)
        .sort()
    await deleteAll(tenant, [first])
    const before = await roles()
    await deleteAll(tenant, held)
    expect(await roles()).toEqual(['ADMIN 0', 'Staff 0'])
    await rollBack(tenant)
    expect(await roles()).toEqual(before)
  })
})

describe('in the meantime', () => {
  it('a POST with the same externalId brings the person back, who is held no more', async () => {
    const { tenant, first, held } = await tripped(2)
    await deleteAll(tenant, [first, ...held])
    const [a, b] = held as [Body, Body]
    const events = await tenant.eventsOf(async () => {
      const { status, body } = await tenant.scim.post('/Users', newUser({ externalId: a.externalId }))
      expect([status, body.id]).toEqual([201, a.id])
    })
    expect(typesOf(events)).toContain('user.reactivated')
    expect(await heldIds(tenant)).toEqual([b.id])
    expect(await person(tenant, a.id)).toMatchObject({ active: true, deletedAt: null, sessionEpoch: 1 })
    expect(await release(tenant)).toEqual({ released: 1 })
    expect((await tenant.scim.get(`/Users/${a.id}`)).status).toBe(200)
    await expectConsistent(tenant, [tenant.connection])
  })

  it('what the operator does is neither counted nor held, and a deleted connection leaves nobody held', async () => {
    const { tenant, first, held } = await tripped(1)
    const other = await tenant.connect()
    for (let n = 0; n < 3; n++) await other.scim.post('/Users', newUser())
    await admin('DELETE', `${tenant.at}/connections/${other.id}?deactivateUsers=true`)
    expect(await breakerOf(tenant)).toMatchObject({ tripped: false, held: [] })
    await deleteAll(tenant, [first, ...held])
    expect(await heldIds(tenant)).toEqual([held[0]?.id])
    const events = await tenant.eventsOf(() =>
      admin('DELETE', `${tenant.at}/connections/${tenant.connection.id}`),
    )
    expect(events.map(({ type, userId }) => [type, userId])).toEqual([['user.deleted', held[0]?.id]])
    expect(await breakerOf(tenant)).toMatchObject({ held: [] })
    expect((await call('GET', `${tenant.at}/users/${held[0]?.id}`)).status).toBe(404)
  })
})

it('goes with its tenant', async () => {
  const { tenant, first, held } = await tripped(1)
  await deleteAll(tenant, [first, ...held])
  const tenantId = await tenantIdOf(tenant)
  await admin('DELETE', tenant.at)
  for (const table of ['held_deletions', 'access_losses', 'breakers', 'resources', 'tenants'])
    expect([
      table,
      await env.DB.prepare(`SELECT * FROM ${table} WHERE tenant_id = ?`).bind(tenantId).first(),
    ]).toEqual([table, null])
})

describe('what it costs', () => {
  const costOf = async (tenant: Tenant, work: (scim: Tenant['scim']) => Promise<unknown>) => {
    const { seen, fetch } = watched()
    await work(through(tenant, fetch))
    return { ...seen }
  }

  /** As if so many had lost access before, the last of them now. */
  async function past(tenant: Tenant, threshold: number, losses: number): Promise<void> {
    const tenantId = await tenantIdOf(tenant)
    await set(tenant, threshold)
    await env.DB.batch([
      env.DB.prepare(
        'INSERT INTO access_losses (tenant_id, slot, at) SELECT ?1, value, ?2 FROM json_each(?3)',
      ).bind(tenantId, Date.now(), JSON.stringify(Array.from({ length: losses }, (_, slot) => slot))),
      env.DB.prepare('UPDATE breakers SET losses = ?2 WHERE tenant_id = ?1').bind(tenantId, losses),
    ])
  }

  it('two round trips a DELETE, and a handful of rows whatever the threshold', async () => {
    const costs: { calls: number; rowsRead: number }[] = []
    for (const [threshold, losses] of [
      [10, 8],
      [5_000, 4_998],
    ] as const) {
      const tenant = await newTenant()
      await past(tenant, threshold, losses)
      for (const { id } of await people(tenant, 4))
        costs.push(await costOf(tenant, scim => scim.delete(`/Users/${id}`)))
      expect(await breakerOf(tenant)).toMatchObject({ tripped: true, heldTotal: 2 })
    }
    expect(costs.slice(4)).toEqual(costs.slice(0, 4))
    expect(new Set(costs.map(({ calls }) => calls))).toEqual(new Set([2]))
    const plain = await newTenant()
    const [user] = (await people(plain, 1)) as [Body]
    const without = await costOf(plain, scim => scim.delete(`/Users/${user.id}`))
    for (const { rowsRead } of costs.slice(0, 2)) expect(rowsRead - without.rowsRead).toBeLessThanOrEqual(24)
  })

  it('nothing where somebody keeps access, and no round trip where access is lost', async () => {
    const [off, on] = [await tenantWith(100), await tenantWith(100)]
    await set(off, 100, { enabled: false })
    const ids = new Map<Tenant, string>()
    for (const tenant of [off, on]) ids.set(tenant, (await tenant.user()).id)
    // A search reads one row beyond what it finds, if there is one: the last tenant of the tables has none.
    await (await tenantWith(5)).user()
    const measured = async (tenant: Tenant) => {
      const user = `/Users/${ids.get(tenant)}`
      const path = (value: unknown, at: string) => [{ op: 'replace', path: at, value }]
      return {
        read: await costOf(tenant, scim => scim.get(user)),
        change: await costOf(tenant, scim => scim.patch(user, path('x', 'title'))),
        loss: await costOf(tenant, scim => scim.patch(user, path(false, 'active'))),
      }
    }
    const [a, b] = [await measured(off), await measured(on)]
    expect(b.read).toEqual(a.read)
    expect(b.change).toEqual(a.change)
    expect([a.loss.calls, b.loss.calls]).toEqual([2, 2])
    expect(b.loss.rowsRead - a.loss.rowsRead).toBeLessThanOrEqual(12)
  })
})
