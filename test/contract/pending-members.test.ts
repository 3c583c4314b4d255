// Members that are named before they are here: they wait in compat, come when somebody gets the name, and are refused
// in strict. Whatever comes first, the group's list or its member, the end is the same.
import { env } from 'cloudflare:workers'
import { describe, expect, it } from 'vitest'
import { expectConsistent, tenantIdOf } from './consistency'
import {
  admin,
  type Body,
  type Connection,
  expectError,
  newGroup,
  newTenant,
  newUser,
  type Reply,
  type Tenant,
  UNKNOWN_ID,
} from './world'

const BULK = 'urn:ietf:params:scim:api:messages:2.0:BulkRequest'

const values = (...names: string[]) => names.map(value => ({ value }))
const add = (...names: string[]) => ({ op: 'add', path: 'members', value: values(...names) })
const replace = (...names: string[]) => ({ op: 'replace', path: 'members', value: values(...names) })

async function waiting(tenant: Tenant): Promise<string[]> {
  const { results } = await env.DB.prepare(
    'SELECT value FROM pending_members WHERE tenant_id = ? ORDER BY value',
  )
    .bind(await tenantIdOf(tenant))
    .all<{ value: string }>()
  return results.map(({ value }) => value)
}

async function membersOf({ scim }: Pick<Connection, 'scim'>, groupId: string): Promise<string[]> {
  return ((await scim.get(`/Groups/${groupId}`)).body.members ?? []).map(({ value }) => value)
}

/** Of the last write. */
async function noted(tenant: Tenant): Promise<string[]> {
  const log = await admin<{ items: { method: string; tolerances: string[] }[] }>(
    'GET',
    `${tenant.at}/activity`,
  )
  return log.items.find(({ method }) => method !== 'GET')?.tolerances ?? []
}

/** Every way of naming members in a group. */
const ways: [string, (tenant: Tenant, ...names: string[]) => Promise<{ groupId: string; reply: Reply }>][] = [
  [
    'POST',
    async (tenant, ...names) => {
      const reply = await tenant.scim.post('/Groups', newGroup({ members: values(...names) }))
      return { groupId: reply.body.id, reply }
    },
  ],
  [
    'PUT',
    async (tenant, ...names) => {
      const { id, displayName } = await tenant.group()
      const body = newGroup({ displayName, members: values(...names) })
      return { groupId: id, reply: await tenant.scim.put(`/Groups/${id}`, body) }
    },
  ],
  [
    'PATCH add',
    async (tenant, ...names) => {
      const { id } = await tenant.group()
      return { groupId: id, reply: await tenant.scim.patch(`/Groups/${id}`, [add(...names)]) }
    },
  ],
  [
    'PATCH replace with a new name',
    async (tenant, ...names) => {
      const { id } = await tenant.group()
      const rename = { op: 'replace', path: 'displayName', value: 'Renamed' }
      return { groupId: id, reply: await tenant.scim.patch(`/Groups/${id}`, [rename, replace(...names)]) }
    },
  ],
  [
    'Bulk',
    async (tenant, ...names) => {
      const data = newGroup({ members: values(...names) })
      const Operations = [{ method: 'POST', path: '/Groups', bulkId: 'g', data }]
      const reply = await tenant.scim.post('/Bulk', { schemas: [BULK], Operations })
      const [result] = reply.body.Operations as { location?: string }[]
      return { groupId: result?.location?.split('/').at(-1) ?? '', reply }
    },
  ],
]

describe.each(ways)('members named by %s', (_, name) => {
  it('wait, are shown to nobody, and make no event', async () => {
    const tenant = await newTenant()
    const own = await tenant.user()
    const { groupId, reply } = await name(tenant, own.id, 'ext-1', 'Ann@Example.com', UNKNOWN_ID)
    expect(reply.status).toBeLessThan(300)
    expect(await membersOf(tenant, groupId)).toEqual([own.id])
    expect(await waiting(tenant)).toEqual([UNKNOWN_ID, 'Ann@Example.com', 'ext-1'].sort())
    expect(await noted(tenant)).toEqual(['pending-members: 3'])
    const added = (await tenant.events()).filter(({ type }) => type === 'group.member_added')
    expect(added.map(({ data }) => data.members)).toEqual([[own.id]])
  })

  it('come with whoever gets the externalId or the userName, and the group has a new version', async () => {
    const tenant = await newTenant()
    const { groupId } = await name(tenant, 'ext-1', 'ÄNN@Example.com')
    const before = (await tenant.scim.get(`/Groups/${groupId}`)).body
    const joined: Body[] = []
    const events = await tenant.eventsOf(async () => {
      joined.push(await tenant.user({ externalId: 'ext-1' }))
      expect(await noted(tenant)).toEqual(['pending-members: attached to 1 group'])
      joined.push(await tenant.user({ userName: 'änn@example.COM' }))
    })
    for (const { groups } of joined)
      expect(groups).toMatchObject([{ value: groupId, display: before.displayName, type: 'direct' }])
    expect(await membersOf(tenant, groupId)).toEqual(joined.map(({ id }) => id))
    expect(await waiting(tenant)).toEqual([])
    const after = (await tenant.scim.get(`/Groups/${groupId}`)).body
    expect(after.meta.version).not.toBe(before.meta.version)
    expect(events.map(({ type }) => type)).toEqual(
      joined.flatMap(() => ['user.created', 'group.member_added']),
    )
    const [created, added] = events
    expect(added).toMatchObject({
      txn: created?.txn,
      userId: null,
      groupId,
      data: {
        group: { id: groupId, displayName: before.displayName, externalId: null },
        members: [joined[0]?.id],
        connection: tenant.connection.id,
        tenant: tenant.slug,
      },
    })
    await expectConsistent(tenant, [tenant.connection])
  })

  it('are found at once when they are here', async () => {
    const tenant = await newTenant()
    const [one, two] = [await tenant.user({ externalId: 'ext-1' }), await tenant.user({ userName: 'Ann' })]
    const { groupId } = await name(tenant, 'ext-1', 'ANN', two.id)
    expect(await membersOf(tenant, groupId)).toEqual([one.id, two.id])
    expect(await waiting(tenant)).toEqual([])
    expect(await noted(tenant)).toEqual(['member-by-name: 2'])
    const added = (await tenant.events()).filter(({ type }) => type === 'group.member_added')
    expect(added.flatMap(({ data }) => data.members).sort()).toEqual([one.id, two.id])
  })

  it('RFC-66 are refused in strict, and nothing is kept', async () => {
    const tenant = await newTenant({ mode: 'strict' })
    await tenant.user({ externalId: 'ext-1' })
    const { reply } = await name(tenant, 'ext-1')
    const [result] = (reply.body.Operations ?? []) as { status: string }[]
    expect(result?.status ?? String(reply.status)).toBe('400')
    expect(await waiting(tenant)).toEqual([])
    expect((await tenant.events()).filter(({ type }) => type === 'group.member_added')).toEqual([])
  })
})

describe('whoever gets the name', () => {
  it.each<[string, (tenant: Tenant, user: Body) => Promise<Reply>]>([
    [
      'by PATCH',
      ({ scim }, { id }) => scim.patch(`/Users/${id}`, [{ op: 'replace', path: 'externalId', value: 'x1' }]),
    ],
    ['by PUT', ({ scim }, { id }) => scim.put(`/Users/${id}`, newUser({ externalId: 'x1' }))],
    [
      'as userName',
      ({ scim }, { id }) => scim.patch(`/Users/${id}`, [{ op: 'replace', path: 'userName', value: 'X1' }]),
    ],
    [
      'returning',
      async ({ scim }, { id, externalId }) => {
        await scim.patch(`/Users/${id}`, [{ op: 'replace', path: 'active', value: false }])
        return scim.post('/Users', newUser({ externalId, userName: 'x1' }))
      },
    ],
  ])('%s comes into every group that waits', async (_, rename) => {
    const tenant = await newTenant()
    const groups = [
      await tenant.group({ members: values('x1') }),
      await tenant.group({ members: values('x1', 'y') }),
    ]
    const user = await tenant.user()
    const events = await tenant.eventsOf(async () => {
      const reply = await rename(tenant, user)
      expect(reply.status).toBeLessThan(300)
      expect(reply.body.groups.map(({ value }) => value)).toEqual(groups.map(({ id }) => id))
    })
    expect(await noted(tenant)).toEqual(['pending-members: attached to 2 groups'])
    const added = events.filter(({ type }) => type === 'group.member_added')
    expect(added.map(({ groupId, data }) => [groupId, data.members])).toEqual(
      groups.map(({ id }) => [id, [user.id]]),
    )
    expect(new Set(events.slice(-2).map(({ txn }) => txn)).size).toBe(1)
    expect(await waiting(tenant)).toEqual(['y'])
    await expectConsistent(tenant, [tenant.connection])
  })

  it('who is in the group already is not told of twice', async () => {
    const tenant = await newTenant()
    const user = await tenant.user()
    const group = await tenant.group({ members: values(user.id, 'x1') })
    const events = await tenant.eventsOf(() =>
      tenant.scim.patch(`/Users/${user.id}`, [{ op: 'replace', path: 'externalId', value: 'x1' }]),
    )
    expect(events.map(({ type }) => type)).toEqual(['user.updated'])
    expect((await tenant.scim.get(`/Groups/${group.id}`)).body.meta.version).toBe(group.meta.version)
    expect([await waiting(tenant), await noted(tenant)]).toEqual([[], []])
  })

  it('a group comes into a group by its externalId, a name of a group is nobody', async () => {
    const tenant = await newTenant()
    const outer = await tenant.group({ members: values('inner', 'Inner Circle') })
    const inner = await tenant.group({ externalId: 'inner', displayName: 'Inner Circle' })
    expect(await membersOf(tenant, outer.id)).toEqual([inner.id])
    expect(await waiting(tenant)).toEqual(['Inner Circle'])
    await expectConsistent(tenant, [tenant.connection])
  })

  it('in another case is somebody else by externalId', async () => {
    const tenant = await newTenant()
    const group = await tenant.group({ members: values('EXT-1') })
    await tenant.user({ externalId: 'ext-1' })
    expect([await membersOf(tenant, group.id), await waiting(tenant)]).toEqual([[], ['EXT-1']])
  })

  it('by a foreign connection’s externalId does not come, by userName does, also from a strict connection', async () => {
    const tenant = await newTenant()
    const other = await tenant.connect({ mode: 'strict', idp: 'okta' })
    const group = await tenant.group({ members: values('ext-1', 'ann') })
    const foreign = (await other.scim.post('/Users', newUser({ externalId: 'ext-1' }))).body
    expect(await membersOf(tenant, group.id)).toEqual([])
    const ann = (await other.scim.post('/Users', newUser({ userName: 'Ann' }))).body
    expect(await membersOf(tenant, group.id)).toEqual([ann.id])
    // Named by a list, it is no other.
    await tenant.scim.patch(`/Groups/${group.id}`, [add('ext-1')])
    expect([await membersOf(tenant, group.id), await waiting(tenant)]).toEqual([[ann.id], ['ext-1']])
    // The connection takes the user over: now it is its own.
    await tenant.scim.patch(`/Users/${foreign.id}`, [{ op: 'replace', path: 'externalId', value: 'ext-1' }])
    expect(await membersOf(tenant, group.id)).toEqual([foreign.id, ann.id])
    await expectConsistent(tenant, [tenant.connection, other])
  })

  it('in another tenant is nobody: promise 6', async () => {
    const [tenant, other] = [await newTenant(), await newTenant()]
    const stranger = await other.user({ externalId: 'ext-1', userName: 'ann' })
    const group = await tenant.group({ members: values(stranger.id, 'ext-1', 'ann') })
    await other.user({ userName: stranger.id })
    expect([await membersOf(tenant, group.id), (await waiting(tenant)).length]).toEqual([[], 3])
    await other.group({ members: values('later') })
    const own = await tenant.user({ externalId: 'later' })
    expect(own).not.toHaveProperty('groups')
    expect(await waiting(other)).toEqual(['later'])
  })

  it('a refused create attaches nobody', async () => {
    const tenant = await newTenant()
    const { userName } = await tenant.user()
    await tenant.group({ members: values('ext-1') })
    const events = await tenant.eventsOf(async () =>
      expectError(
        await tenant.scim.post('/Users', newUser({ userName, externalId: 'ext-1' })),
        409,
        'uniqueness',
      ),
    )
    expect([events, await waiting(tenant)]).toEqual([[], ['ext-1']])
  })
})

describe('who waits no longer', () => {
  it.each<[string, object[], string[]]>([
    ['a listed one', [{ op: 'remove', path: 'members', value: values('x') }], ['y']],
    ['a filtered one', [{ op: 'remove', path: 'members[value eq "x"]' }], ['y']],
    ['all', [{ op: 'remove', path: 'members' }], []],
    ['whom a replace leaves out', [replace('y', 'z')], ['y', 'z']],
    ['all of a type, which nobody knows', [{ op: 'remove', path: 'members[type eq "User"]' }], ['x', 'y']],
    [
      'added and removed at once',
      [add('z'), { op: 'remove', path: 'members', value: values('z', 'x') }],
      ['y'],
    ],
  ])('%s, without an event or a new version', async (_, operations, left) => {
    const tenant = await newTenant()
    const group = await tenant.group({ members: values('x', 'y') })
    const events = await tenant.eventsOf(async () => {
      expect((await tenant.scim.patch(`/Groups/${group.id}`, operations)).status).toBe(204)
    })
    expect([events, await waiting(tenant)]).toEqual([[], left])
    expect((await tenant.scim.get(`/Groups/${group.id}`)).body.meta.version).toBe(group.meta.version)
    const user = await tenant.user({ externalId: 'x' })
    expect(await membersOf(tenant, group.id)).toEqual(left.includes('x') ? [user.id] : [])
  })

  it('whom a PUT leaves out, but not if it says nothing about members', async () => {
    const tenant = await newTenant()
    const group = await tenant.group({ members: values('x', 'y') })
    await tenant.scim.put(`/Groups/${group.id}`, newGroup())
    expect(await waiting(tenant)).toEqual(['x', 'y'])
    await tenant.scim.put(`/Groups/${group.id}`, newGroup({ members: values('y') }))
    expect(await waiting(tenant)).toEqual(['y'])
    await tenant.scim.put(`/Groups/${group.id}`, newGroup({ members: [] }))
    expect(await waiting(tenant)).toEqual([])
  })

  it('those of a group that is deleted', async () => {
    const tenant = await newTenant()
    const [gone, stays] = [
      await tenant.group({ members: values('x') }),
      await tenant.group({ members: values('x') }),
    ]
    await tenant.scim.delete(`/Groups/${gone.id}`)
    const user = await tenant.user({ externalId: 'x' })
    expect(user.groups.map(({ value }) => value)).toEqual([stays.id])
  })

  it('those of a connection, and of a tenant, that is deleted', async () => {
    const tenant = await newTenant()
    const other = await tenant.connect()
    await tenant.group({ members: values('x') })
    await other.scim.post('/Groups', newGroup({ members: values('y') }))
    await admin('DELETE', `${tenant.at}/connections/${other.id}`)
    expect(await waiting(tenant)).toEqual(['x'])
    const tenantId = await tenantIdOf(tenant)
    await admin('DELETE', `${tenant.at}?deactivateUsers=true`)
    for (const table of ['pending_members', 'pending_totals']) {
      const row = await env.DB.prepare(`SELECT count(*) AS n FROM ${table} WHERE tenant_id = ?`)
        .bind(tenantId)
        .first()
      expect(row).toEqual({ n: 0 })
    }
  })

  it('a deleted user does not become one of them', async () => {
    const tenant = await newTenant()
    const user = await tenant.user({ externalId: 'x' })
    const group = await tenant.group({ members: values('x') })
    await tenant.scim.delete(`/Users/${user.id}`)
    expect(await waiting(tenant)).toEqual([])
    await tenant.user({ externalId: 'x' })
    expect(await membersOf(tenant, group.id)).toEqual([])
  })
})

describe('a member who is here', () => {
  it.each<[string, object[], number]>([
    ['is removed by a list of its names', [{ op: 'remove', path: 'members', value: values('ext-1') }], 1],
    ['is removed by a filter on its name', [{ op: 'remove', path: 'members[value eq "ÄNN"]' }], 1],
    ['stays when a replace names it', [replace('ext-1', 'änn')], 0],
    ['goes when a replace names others', [replace('ext-2')], 1],
    [
      'does not come back behind its type',
      [add('ext-1'), { op: 'remove', path: 'members[type eq "User"]' }, add('z')],
      1,
    ],
  ])('%s', async (_, operations, removed) => {
    const tenant = await newTenant()
    const user = await tenant.user({ externalId: 'ext-1', userName: 'Änn' })
    const group = await tenant.group({ members: values(user.id) })
    const events = await tenant.eventsOf(() => tenant.scim.patch(`/Groups/${group.id}`, operations))
    expect(events.map(({ type, data }) => [type, data.members])).toEqual(
      Array.from({ length: removed }, () => ['group.member_removed', [user.id]]),
    )
    expect(await membersOf(tenant, group.id)).toEqual(removed ? [] : [user.id])
    await expectConsistent(tenant, [tenant.connection])
  })

  it('is not removed by a name in strict, where a name says nothing', async () => {
    const tenant = await newTenant({ mode: 'strict' })
    const user = await tenant.user({ externalId: 'ext-1' })
    const group = await tenant.group({ members: values(user.id) })
    const operation = { op: 'remove', path: 'members[value eq "ext-1"]' }
    expect((await tenant.scim.patch(`/Groups/${group.id}`, [operation])).status).toBe(204)
    expect(await membersOf(tenant, group.id)).toEqual([user.id])
  })

  it('is who has the externalId before who has the userName', async () => {
    const tenant = await newTenant()
    await tenant.user({ userName: 'both' })
    const exact = await tenant.user({ externalId: 'both' })
    const group = await tenant.group({ members: values('both') })
    expect(await membersOf(tenant, group.id)).toEqual([exact.id])
  })
})

describe('a group that names itself', () => {
  it('is 400 invalidValue, by its id and by its externalId', async () => {
    const tenant = await newTenant()
    const group = await tenant.group({ externalId: 'g1' })
    const before = await tenant.state()
    for (const name of [group.id, 'g1'])
      expectError(await tenant.scim.patch(`/Groups/${group.id}`, [add(name)]), 400, 'invalidValue', /itself/)
    const body = newGroup({ externalId: 'g2', members: values('g2') })
    expectError(await tenant.scim.post('/Groups', body), 400, 'invalidValue', /itself/)
    expect([await tenant.state(), await waiting(tenant)]).toEqual([before, []])
  })

  it('before it has the name does not become its own member', async () => {
    const tenant = await newTenant()
    const group = await tenant.group({ members: values('g1') })
    const operation = { op: 'add', path: 'externalId', value: 'g1' }
    expect((await tenant.scim.patch(`/Groups/${group.id}`, [operation])).status).toBe(204)
    expect([await membersOf(tenant, group.id), await waiting(tenant)]).toEqual([[], []])
  })
})

describe('the limits', () => {
  it('of a tenant: one more than 100,000 is 400 invalidValue naming it, and nothing is changed', async () => {
    const tenant = await newTenant()
    const group = await tenant.group({ members: values('x') })
    const tenantId = await tenantIdOf(tenant)
    const seed = (from: number, to: number) =>
      env.DB.prepare(
        `WITH RECURSIVE n(i) AS (SELECT ?2 UNION ALL SELECT i + 1 FROM n WHERE i < ?3)
          INSERT INTO pending_members (tenant_id, group_id, value, folded, connection_id, version, created_at)
          SELECT ?1, 'elsewhere', 'v' || i, 'v' || i, 'c', 'seed', 1 FROM n`,
      )
        .bind(tenantId, from, to)
        .run()
    await seed(1, 99_998)
    const own = await tenant.user()
    const before = await tenant.state()
    const at = `/Groups/${group.id}`
    const name = { op: 'replace', path: 'displayName', value: 'Other' }
    const tooMany = await tenant.scim.patch(at, [name, add(own.id, 'y', 'z')])
    expectError(tooMany, 400, 'invalidValue', /members.*100000/)
    expectError(
      await tenant.scim.post('/Groups', newGroup({ members: values('y', 'z') })),
      400,
      'invalidValue',
    )
    expect(await tenant.state()).toEqual(before)
    expect((await tenant.scim.patch(at, [add('x', 'y')])).status).toBe(204)
    expectError(await tenant.scim.patch(at, [add('z')]), 400, 'invalidValue')
    // Whoever is known counts for nothing, and who comes makes room.
    expect((await tenant.scim.patch(at, [add(own.id)])).status).toBe(204)
    await tenant.user({ externalId: 'x' })
    expect((await tenant.scim.patch(at, [add('z')])).status).toBe(204)
    await (await newTenant()).group({ members: values('z') })
  })
})

describe('at the same time', () => {
  it('a user comes while groups name it: it is in all of them in the end, and was told of once', async () => {
    for (let round = 0; round < 8; round++) {
      const tenant = await newTenant()
      const groups = await Promise.all(Array.from({ length: 6 }, () => tenant.group()))
      const work = groups.map(
        ({ id }, i) =>
          () =>
            tenant.scim.patch(`/Groups/${id}`, [add(i % 2 ? 'ext-1' : 'ANN')]),
      )
      const post = () => tenant.scim.post('/Users', newUser({ externalId: 'ext-1', userName: 'ann' }))
      const replies = await Promise.all(
        [...work.slice(0, round), post, ...work.slice(round)].map(one => one()),
      )
      expect(replies.map(({ status }) => status).sort()).toEqual([201, ...groups.map(() => 204)])
      const user = replies.find(({ status }) => status === 201)?.body.id
      for (const { id } of groups) expect(await membersOf(tenant, id)).toEqual([user])
      expect(await waiting(tenant)).toEqual([])
      await expectConsistent(tenant, [tenant.connection])
    }
  })
})
