// How an application sees its users (contract "Profile", "Mapping"): over HTTP, with profiles of the tests' own.
import { describe, expect, it } from 'vitest'
import { call } from './calls'
import {
  admin,
  type Body,
  ENTERPRISE,
  expectError,
  newGroup,
  newTenant,
  newUser,
  PATCH_OP,
  type ScimEvent,
  settled,
  type Tenant,
} from './world'

interface Account {
  id: string
  userName: string
  active: boolean
  deletedAt: string | null
  profile: Record<string, unknown>
  roles: { name: string; permissions: string[]; privileged: boolean; source: string }[]
  targetGroup: { id: string; name: string } | null
  sessionEpoch: number
}
interface Listed<Item> {
  items: Item[]
}
interface Role {
  id: string
  name: string
  source: string
  permissions: string[]
  privileged: boolean
  members: number
}
interface TargetGroup {
  id: string
  name: string
  managed: string
  members: number
}

/** A profile of its own, put under a name that nobody else has. */
async function newProfile(user: object, more: object = {}): Promise<string> {
  const name = `p-${crypto.randomUUID()}`
  await admin('PUT', `/profiles/${name}`, { name, user, ...more })
  return name
}

async function tenantWith(user: object, more: object = {}): Promise<Tenant> {
  return newTenant({ profile: await newProfile(user, more) })
}

const account = ({ at }: Tenant, id: string) => admin<Account>('GET', `${at}/users/${id}`)
const rolesOf = async ({ at }: Tenant) => (await admin<Listed<Role>>('GET', `${at}/roles`)).items
const groupsOf = async ({ at }: Tenant) =>
  (await admin<Listed<TargetGroup>>('GET', `${at}/target-groups`)).items
const mappingAt = ({ at, connection }: Tenant) => `${at}/connections/${connection.id}/mapping`
const types = (events: readonly ScimEvent[]) => events.map(({ type }) => type)
const replace = (path: string, value: unknown) => [{ op: 'replace', path, value }]

describe('fields', () => {
  const fields = [
    { field: 'login', source: 'userName', required: true, maxLength: 40 },
    { field: 'mail', source: 'emails[type eq "work"].value', required: true, fallback: ['emails.value'] },
    { field: 'level', source: 'userType', values: ['A', 'B'], default: 'A' },
  ]

  it('are stored with the user: in its events, and in the admin API', async () => {
    const tenant = await tenantWith({ fields })
    const user = await tenant.user({ userType: 'B' })
    const profile = { login: user.userName, mail: user.userName, level: 'B' }
    expect((await account(tenant, user.id)).profile).toEqual(profile)
    const [created] = await tenant.events()
    expect(created?.data.profile).toEqual(profile)
    const [updated] = await tenant.eventsOf(() =>
      tenant.scim.patch(`/Users/${user.id}`, replace('userType', 'A')),
    )
    expect(updated?.data).toMatchObject({
      changed: ['userType'],
      changedFields: ['level'],
      profile: { level: 'A' },
    })
  })

  it('a missing required source is 400 invalidValue naming attribute, field and rule, and nothing is stored', async () => {
    const tenant = await tenantWith({ fields })
    const before = await tenant.state()
    const reply = await tenant.scim.post('/Users', newUser({ emails: [] }))
    expectError(reply, 400, 'invalidValue', /^emails\[type eq "work"\]\.value is required .*"mail"/)
    expect(await tenant.state()).toEqual(before)
  })

  it.each<[string, Record<string, unknown>, RegExp]>([
    ['too long', { userName: 'x'.repeat(41) }, /userName has 41 characters; at most 40 .*"login"/],
    ['outside the values', { userType: 'secret' }, /^userType must be one of A, B \(field "level"\)/],
  ])('a value that is %s is refused by POST, PUT and PATCH alike', async (_, more, detail) => {
    const tenant = await tenantWith({ fields })
    const user = await tenant.user()
    const before = await tenant.state()
    const [name, value] = Object.entries(more)[0] ?? []
    expectError(await tenant.scim.post('/Users', newUser(more)), 400, 'invalidValue', detail)
    expectError(await tenant.scim.put(`/Users/${user.id}`, { ...user, ...more }), 400, 'invalidValue', detail)
    expectError(
      await tenant.scim.patch(`/Users/${user.id}`, replace(name ?? '', value)),
      400,
      'invalidValue',
      detail,
    )
    expect(await tenant.state()).toEqual(before)
  })

  it('no rule keeps a leaver in: who loses access may break them all', async () => {
    const tenant = await tenantWith({ fields })
    const user = await tenant.user()
    const reply = await tenant.scim.put(`/Users/${user.id}`, {
      schemas: user.schemas,
      userName: user.userName,
      userType: 'no such level',
      active: false,
    })
    expect(reply).toMatchObject({ status: 200, body: { active: false } })
    expect(await account(tenant, user.id)).toMatchObject({ active: false, sessionEpoch: 1 })
  })

  it('can be filtered, with their case', async () => {
    const tenant = await tenantWith({ fields })
    const user = await tenant.user({ userType: 'B' })
    await tenant.user()
    const found = async (filter: string) =>
      (await admin<Listed<Account>>('GET', `${tenant.at}/users?filter=${encodeURIComponent(filter)}`)).items
    expect((await found('profile.level eq "B"')).map(({ id }) => id)).toEqual([user.id])
    expect(await found('profile.level eq "b"')).toEqual([])
    expect(await found('profile.level pr')).toHaveLength(2)
    const reply = await call('GET', `${tenant.at}/users?filter=${encodeURIComponent('profile.x eq "B"')}`)
    expect(reply.status).toBe(400)
    expectError(await tenant.scim.filter('/Users', 'profile.level eq "B"'), 400, 'invalidFilter')
  })
})

describe('a profile', () => {
  it('that contradicts itself is 422 with the JSON path of each problem, and nothing is stored', async () => {
    const name = `p-${crypto.randomUUID()}`
    const fields = [
      { field: 'a', source: 'nosuch' },
      { field: 'b', source: 'title', values: ['X'], default: 'Y' },
    ]
    const reply = await call('PUT', `/profiles/${name}`, { name, user: { fields } })
    expect(reply.status).toBe(422)
    expect(reply.body.errors.map(({ path }) => path)).toEqual([
      'user.fields[0].source',
      'user.fields[1].default',
    ])
    expect((await call('GET', `/profiles/${name}`)).status).toBe(404)
    expect((await call('PUT', `/profiles/${name}`, { name, user: { nosuch: 1 } })).body.errors[0]?.path).toBe(
      'user.nosuch',
    )
    expect((await call('PUT', `/profiles/${name}`, { name: 'other' })).body.errors[0]?.path).toBe('name')
  })

  it('that has not its form everywhere is 422 with what is wrong with the rest as well', async () => {
    const name = `p-${crypto.randomUUID()}`
    const fields = [
      { field: 'a', source: 'title', requird: true },
      { field: 'b', source: 'nosuch' },
      { field: 'c', source: `${ENTERPRISE}:departmnt`, type: 'text' },
    ]
    const role = { source: 'nosuch', values: ['A'], default: 'B' }
    const reply = await call('PUT', `/profiles/${name}`, { name: 'other', user: { fields, role }, nosuch: 1 })
    expect(reply.status).toBe(422)
    expect(reply.body.errors.map(({ path }) => path)).toEqual([
      'user.fields[0].requird',
      'user.fields[2].type',
      'nosuch',
      'name',
      'user.fields[1].source',
      'user.role.default',
    ])
    expect((await call('GET', `/profiles/${name}`)).status).toBe(404)
  })

  it('is versioned; its tenants get the newest, and their users are read anew', async () => {
    const name = await newProfile({ fields: [{ field: 'a', source: 'title' }] })
    const tenant = await newTenant({ profile: name })
    const user = await tenant.user({ title: 'T', userType: 'U' })
    const next = { name, user: { fields: [{ field: 'a', source: 'userType' }] } }
    const events = await tenant.eventsOf(async () => {
      expect(await admin('PUT', `/profiles/${name}`, next)).toMatchObject({ version: 2 })
      await settled()
    })
    expect((await account(tenant, user.id)).profile).toEqual({ a: 'U' })
    expect(events.map(({ type, data }) => [type, data.changed, data.changedFields])).toEqual([
      ['user.updated', [], ['a']],
    ])
    expect(await admin('GET', tenant.at)).toMatchObject({ profile: name })
    const { items } = await admin<Listed<{ version: number }>>('GET', `/profiles/${name}/versions`)
    expect(items.map(({ version }) => version)).toEqual([2, 1])
    // The SCIM resource is as it was, and so is its version.
    expect((await tenant.scim.get(`/Users/${user.id}`)).body.meta.version).toBe(user.meta.version)
  })

  it('a tenant that is given another one while a version is put keeps the other one, with its roles', async () => {
    const [one, two] = [await newProfile({}), await newProfile({}, { groups: { as: 'roles' } })]
    const tenants = await Promise.all(Array.from({ length: 6 }, () => newTenant({ profile: one })))
    for (const tenant of tenants) await tenant.group({ displayName: 'Staff' })
    await Promise.all([
      ...tenants.map(({ at }) => admin('PATCH', at, { profile: two })),
      ...Array.from({ length: 3 }, () => admin('PUT', `/profiles/${one}`, { name: one, title: 'Again' })),
    ])
    await settled()
    for (const tenant of tenants) {
      expect(await admin('GET', tenant.at)).toMatchObject({ profile: two, profileVersion: 1 })
      expect((await rolesOf(tenant)).map(({ name }) => name)).toEqual(['Staff'])
    }
  })

  it('five ship, and one that a tenant has is not deleted', async () => {
    const { items } = await admin<Listed<{ name: string; shipped: boolean }>>('GET', '/profiles?limit=500')
    const shipped = items.filter(profile => profile.shipped).map(({ name }) => name)
    expect(shipped).toEqual(['cafex', 'client-platform', 'keepnet', 'random-coffee', 'standard'])
    const name = await newProfile({})
    await newTenant({ profile: name })
    expect((await call('DELETE', `/profiles/${name}`)).status).toBe(409)
    expect((await call('DELETE', '/profiles/cafex')).status).toBe(409)
    expect((await call('DELETE', `/profiles/${await newProfile({})}`)).status).toBe(204)
  })

  it('turns optional parts of SCIM off: the configuration says so, and they are refused', async () => {
    const features = { bulk: false, sort: false, etag: false, cursor: false }
    const tenant = await tenantWith({}, { features, paging: { defaultCount: 2, maxCount: 3 } })
    const { scim } = tenant
    const user = await tenant.user()
    for (let i = 0; i < 3; i++) await tenant.user()
    expect((await scim.get('/ServiceProviderConfig')).body).toMatchObject({
      bulk: { supported: false },
      sort: { supported: false },
      etag: { supported: false },
      filter: { maxResults: 3 },
      pagination: { cursor: false, defaultPageSize: 2, maxPageSize: 3 },
    })
    expectError(await scim.post('/Bulk', { schemas: [], Operations: [] }), 501)
    expectError(await scim.get('/Users?sortBy=userName'), 501)
    expectError(await scim.get('/Users?cursor='), 400, 'invalidCursor')
    expect((await scim.get('/Users')).body).toMatchObject({ itemsPerPage: 2, totalResults: 4 })
    expect((await scim.get('/Users?count=9')).body.itemsPerPage).toBe(3)
    const read = await scim.get(`/Users/${user.id}`)
    expect(read.headers.get('ETag')).toBeNull()
    expect(read.body.meta).not.toHaveProperty('version')
  })
})

describe('roles from an attribute', () => {
  const role = {
    source: 'roles[primary eq true].value',
    values: ['OWNER', 'ADMIN', 'STANDARD'],
    default: 'STANDARD',
    privileged: ['OWNER', 'ADMIN'],
  }
  const having = (value: string) => ({ roles: [{ value, primary: true }] })

  it('stand in /roles with how many have each, in the user and in its events', async () => {
    const tenant = await tenantWith({ role })
    const owner = await tenant.user(having('OWNER'))
    await tenant.user()
    expect(
      (await rolesOf(tenant)).map(({ name, members, privileged }) => [name, members, privileged]),
    ).toEqual([
      ['OWNER', 1, true],
      ['ADMIN', 0, true],
      ['STANDARD', 1, false],
    ])
    const roles = [{ name: 'OWNER', permissions: [], privileged: true, source: 'attribute' }]
    expect((await account(tenant, owner.id)).roles).toEqual(roles)
    expect((await tenant.events())[0]?.data.roles).toEqual(roles)
    const { items } = await admin<Listed<Account>>('GET', `${tenant.at}/users?role=OWNER`)
    expect(items.map(({ id }) => id)).toEqual([owner.id])
  })

  it('one outside the values is refused', async () => {
    const tenant = await tenantWith({ role })
    const reply = await tenant.scim.post('/Users', newUser(having('ROOT')))
    expectError(
      reply,
      400,
      'invalidValue',
      /^roles\[primary eq true\]\.value must be one of OWNER, ADMIN, STANDARD/,
    )
  })

  it('losing a privileged role ends sessions, whatever is gained beside it; losing another does not', async () => {
    const tenant = await tenantWith({ role })
    const user = await tenant.user(having('OWNER'))
    const change = (value: string) => () =>
      tenant.scim.patch(`/Users/${user.id}`, replace('roles', [{ value, primary: true }]))
    const [updated, revoked, ...rest] = await tenant.eventsOf(change('ADMIN'))
    expect(updated).toMatchObject({
      type: 'user.updated',
      data: { rolesLost: ['OWNER'], rolesGained: ['ADMIN'] },
    })
    expect(revoked).toMatchObject({
      type: 'user.sessions_revoked',
      txn: updated?.txn,
      data: { sessions: 'revoke_all', reason: 'privileged_role_lost', epoch: 1 },
    })
    expect(rest).toEqual([])
    expect(types(await tenant.eventsOf(change('STANDARD')))).toEqual([
      'user.updated',
      'user.sessions_revoked',
    ])
    expect(types(await tenant.eventsOf(change('OWNER')))).toEqual(['user.updated'])
    expect((await account(tenant, user.id)).sessionEpoch).toBe(2)
  })

  it.each<[string, (tenant: Tenant, name: string) => Promise<unknown>]>([
    ['another profile', async ({ at }) => admin('PATCH', at, { profile: await newProfile({}) })],
    ['a version of it', async (_, name) => admin('PUT', `/profiles/${name}`, { name })],
  ])('losing a privileged one to a profile without it ends sessions as well: %s', async (_, change) => {
    const name = await newProfile({ role })
    const tenant = await newTenant({ profile: name })
    const [owner, standard] = [await tenant.user(having('OWNER')), await tenant.user(having('STANDARD'))]
    const events = await tenant.eventsOf(async () => {
      await change(tenant, name)
      await settled()
    })
    expect(events.map(({ type, userId }) => [type, userId])).toEqual([
      ['user.updated', owner.id],
      ['user.sessions_revoked', owner.id],
      ['user.updated', standard.id],
    ])
    expect(events[1]?.data).toMatchObject({ reason: 'privileged_role_lost', epoch: 1 })
  })

  it('losing one that the profile no longer has, by the write that mends it, ends sessions', async () => {
    const name = await newProfile({ role })
    const tenant = await newTenant({ profile: name })
    const user = await tenant.user(having('OWNER'))
    const { values, ...rest } = role
    const less = { ...rest, values: values.slice(1), privileged: ['ADMIN'] }
    await admin('PUT', `/profiles/${name}`, { name, user: { role: less } })
    await settled()
    expect((await account(tenant, user.id)).roles).toMatchObject([{ name: 'OWNER', privileged: true }])
    const events = await tenant.eventsOf(() =>
      tenant.scim.patch(`/Users/${user.id}`, replace('roles', [{ value: 'STANDARD', primary: true }])),
    )
    expect(types(events)).toEqual(['user.updated', 'user.sessions_revoked'])
  })

  describe('when the profile changes', () => {
    const namesOf = async (tenant: Tenant) => (await rolesOf(tenant)).map(({ name }) => name)
    const values = ['A', 'B', 'C', 'D', 'E']
    const before = { source: 'title', values, privileged: ['D'] }

    /** C has permissions, B and E were decided on, D is privileged and somebody's, A nobody's. */
    async function changed(next: object) {
      const tenant = await tenantWith({ role: before })
      const user = await tenant.user({ title: 'D' })
      const idOf = new Map((await rolesOf(tenant)).map(({ name, id }) => [name, id]))
      await admin('PUT', `${tenant.at}/roles/${idOf.get('B')}`, { privileged: false })
      await admin('PUT', `${tenant.at}/roles/${idOf.get('C')}`, { permissions: ['read'] })
      const profile = await newProfile(next)
      await admin('PATCH', tenant.at, { profile })
      await settled()
      return { tenant, user, profile }
    }

    it('roles that the new one does not have go, save those that somebody has or the operator decided on', async () => {
      const { tenant, user, profile } = await changed({ role: { source: 'title', values: ['E', 'F'] } })
      expect(await namesOf(tenant)).toEqual(['B', 'C', 'D', 'E', 'F'])
      expect((await account(tenant, user.id)).roles).toMatchObject([{ name: 'D', privileged: true }])
      await tenant.scim.patch(`/Users/${user.id}`, replace('title', 'E'))
      await admin('PUT', `/profiles/${profile}`, {
        name: profile,
        user: { role: { source: 'title', values: ['E'] } },
      })
      await settled()
      expect(await namesOf(tenant)).toEqual(['B', 'C', 'D', 'E'])
    })

    it('all of them go that nobody decided on where the new one has no role, and come again with it', async () => {
      const { tenant } = await changed({})
      expect(await namesOf(tenant)).toEqual(['B', 'C', 'D'])
      await admin('PATCH', tenant.at, { profile: await newProfile({ role: before }) })
      await settled()
      expect(new Set(await namesOf(tenant))).toEqual(new Set(values))
      expect((await rolesOf(tenant)).map(({ members }) => members).toSorted()).toEqual([0, 0, 0, 0, 1])
    })

    it('none goes where the new one takes any role', async () => {
      const { tenant } = await changed({ role: { source: 'title' } })
      expect(await namesOf(tenant)).toEqual(values)
    })

    it('those that a job takes from the last who has them go with it; a group that is a role stays', async () => {
      const tenant = await tenantWith({ role: { source: 'title' } })
      await tenant.user({ title: 'Solo' })
      await tenant.group({ displayName: 'Empty' })
      await admin('PATCH', tenant.at, {
        profile: await newProfile(
          { role: { source: 'userType', values: ['X'] } },
          { groups: { as: 'roles' } },
        ),
      })
      await settled()
      expect((await namesOf(tenant)).toSorted()).toEqual(['Empty', 'X'])
    })

    it('one that somebody kept by an error goes with the next change of the profile, and not with a mapping', async () => {
      const name = await newProfile({ role: { source: 'title', values: ['A', 'B'] } })
      const tenant = await newTenant({ profile: name })
      const user = await tenant.user({ title: 'B' })
      const putProfile = async () => {
        await admin('PUT', `/profiles/${name}`, { name, user: { role: { source: 'title', values: ['A'] } } })
        await settled()
      }
      await putProfile()
      await tenant.scim.patch(`/Users/${user.id}`, replace('title', 'A'))
      await admin('PUT', mappingAt(tenant), { fields: [{ field: 'x', source: 'nickName' }] })
      await settled()
      expect(await namesOf(tenant)).toEqual(['A', 'B'])
      await putProfile()
      expect(await namesOf(tenant)).toEqual(['A'])
    })
  })

  it('a role that the new profile has is privileged if that says so', async () => {
    const name = await newProfile({ role })
    const tenant = await newTenant({ profile: name })
    const user = await tenant.user(having('OWNER'))
    await admin('PUT', `/profiles/${name}`, { name, user: { role: { ...role, privileged: [] } } })
    await settled()
    const events = await tenant.eventsOf(() =>
      tenant.scim.patch(`/Users/${user.id}`, replace('roles', [{ value: 'STANDARD', primary: true }])),
    )
    expect(types(events)).toEqual(['user.updated'])
  })

  it('whose source is a field refuses a value that the field refuses once', async () => {
    const values = ['Junior', 'Chief']
    const fields = [{ field: 'grade', source: 'userType', values }]
    const tenant = await tenantWith({ fields, role: { source: 'grade', values } })
    expectError(
      await tenant.scim.post('/Users', newUser({ userType: 'King' })),
      400,
      'invalidValue',
      /^userType must be one of Junior, Chief \(field "grade"\)\.$/,
    )
  })

  it('the operator says what a role permits, and whether it is privileged', async () => {
    const tenant = await tenantWith({ role })
    const user = await tenant.user(having('STANDARD'))
    const standard = (await rolesOf(tenant)).find(({ name }) => name === 'STANDARD')
    await admin('PUT', `${tenant.at}/roles/${standard?.id}`, { permissions: ['read'], privileged: true })
    expect((await account(tenant, user.id)).roles).toEqual([
      { name: 'STANDARD', permissions: ['read'], privileged: true, source: 'attribute' },
    ])
    const events = await tenant.eventsOf(() =>
      tenant.scim.patch(`/Users/${user.id}`, replace('roles', [{ value: 'ADMIN', primary: true }])),
    )
    expect(types(events)).toEqual(['user.updated', 'user.sessions_revoked'])
  })

  it('who is deleted has none, and is counted no more', async () => {
    const tenant = await tenantWith({ role })
    const user = await tenant.user(having('OWNER'))
    await tenant.scim.delete(`/Users/${user.id}`)
    expect((await rolesOf(tenant)).map(({ members }) => members)).toEqual([0, 0, 0])
  })
})

describe('groups as roles', () => {
  const roles = { groups: { as: 'roles' } }

  it('a group is a role of its name, whose permissions the operator sets', async () => {
    const tenant = await tenantWith({}, roles)
    const user = await tenant.user()
    const group = await tenant.group({ displayName: 'Auditors', members: [{ value: user.id }] })
    expect(await rolesOf(tenant)).toEqual([
      { id: group.id, name: 'Auditors', source: 'group', permissions: [], privileged: false, members: 1 },
    ])
    await admin('PUT', `${tenant.at}/roles/${group.id}`, { permissions: ['audit:read'] })
    await tenant.scim.patch(`/Groups/${group.id}`, replace('displayName', 'Accountants'))
    expect((await account(tenant, user.id)).roles).toEqual([
      { name: 'Accountants', permissions: ['audit:read'], privileged: false, source: 'group' },
    ])
  })

  it('coming and going is an event of each person, with the roles that remain', async () => {
    const tenant = await tenantWith({}, roles)
    const [one, two] = [await tenant.user(), await tenant.user()]
    const group = await tenant.group({ displayName: 'Staff' })
    const member = (op: string, ...users: Body[]) =>
      tenant.scim.patch(`/Groups/${group.id}`, [
        { op, path: 'members', value: users.map(({ id }) => ({ value: id })) },
      ])
    const gained = await tenant.eventsOf(() => member('add', one, two))
    expect(gained.map(({ type, data }) => [type, data.rolesGained])).toEqual([
      ['group.member_added', undefined],
      ['user.updated', ['Staff']],
      ['user.updated', ['Staff']],
    ])
    expect(gained[1]?.data.roles).toEqual([
      { name: 'Staff', permissions: [], privileged: false, source: 'group' },
    ])
    const [, lost, ...rest] = await tenant.eventsOf(() => member('remove', one))
    expect(lost).toMatchObject({
      type: 'user.updated',
      userId: one.id,
      data: { rolesLost: ['Staff'], roles: [] },
    })
    expect(rest).toEqual([])
    expect((await rolesOf(tenant))[0]?.members).toBe(1)
  })

  it.each<[string, (tenant: Tenant, group: Body, user: Body) => Promise<unknown>]>([
    [
      'removed from it',
      (t, g, u) => t.scim.patch(`/Groups/${g.id}`, [{ op: 'remove', path: `members[value eq "${u.id}"]` }]),
    ],
    ['left out of a PUT', (t, g) => t.scim.put(`/Groups/${g.id}`, { ...g, members: [] })],
    ['in it when it is deleted', (t, g) => t.scim.delete(`/Groups/${g.id}`)],
  ])('losing a privileged one ends sessions: who is %s', async (_, lose) => {
    const tenant = await tenantWith({}, roles)
    const [user, inactive] = [await tenant.user(), await tenant.user({ active: false })]
    const group = await tenant.group({ members: [{ value: user.id }, { value: inactive.id }] })
    await admin('PUT', `${tenant.at}/roles/${group.id}`, { privileged: true })
    const events = await tenant.eventsOf(() => lose(tenant, group, user))
    const revoked = events.filter(({ type }) => type === 'user.sessions_revoked')
    expect(revoked.map(({ userId, data }) => [userId, data.epoch, data.reason])).toEqual([
      [user.id, 1, 'privileged_role_lost'],
    ])
    expect((await account(tenant, user.id)).sessionEpoch).toBe(1)
    expect((await account(tenant, inactive.id)).sessionEpoch).toBe(0)
  })

  it.each<[string, (tenant: Tenant, name: string) => Promise<unknown>]>([
    ['another profile', async ({ at }) => admin('PATCH', at, { profile: await newProfile({}) })],
    ['the standard profile', async ({ at }) => admin('PATCH', at, { profile: 'standard' })],
    ['a version of it', async (_, name) => admin('PUT', `/profiles/${name}`, { name })],
  ])(
    'by %s that does not take groups for roles everybody loses them, and with a privileged one the sessions',
    async (_, change) => {
      const name = await newProfile({}, roles)
      const tenant = await newTenant({ profile: name })
      const [both, inactive, one] = [
        await tenant.user(),
        await tenant.user({ active: false }),
        await tenant.user(),
      ]
      const group = (displayName: string, ...members: Body[]) =>
        tenant.group({ displayName, members: members.map(({ id }) => ({ value: id })) })
      const admins = await group('Admins', both, inactive)
      const staff = await group('Staff', both, one)
      await group('Nobody')
      await admin('PUT', `${tenant.at}/roles/${admins.id}`, { privileged: true })
      const told = await tenant.eventsOf(async () => {
        await change(tenant, name)
        await settled()
      })
      // The standard profile has other fields besides.
      const events = told.filter(({ data }) => !data.changedFields)
      expect(events.map(({ type, userId, data }) => [type, userId, data.rolesLost, data.reason])).toEqual([
        ['user.updated', both.id, ['Admins'], undefined],
        ['user.updated', inactive.id, ['Admins'], undefined],
        ['user.sessions_revoked', both.id, undefined, 'privileged_role_lost'],
        ['user.updated', both.id, ['Staff'], undefined],
        ['user.updated', one.id, ['Staff'], undefined],
      ])
      // Those who are told of hold what remains, and belong to their connection.
      expect(events[0]?.data.roles).toMatchObject([{ name: 'Staff' }])
      expect(events[3]?.data).toMatchObject({ roles: [], connection: tenant.connection.id })
      expect(await rolesOf(tenant)).toEqual([])
      expect(await account(tenant, both.id)).toMatchObject({ roles: [], sessionEpoch: 1 })
      expect((await account(tenant, inactive.id)).sessionEpoch).toBe(0)
      // They are groups all the same, and nothing more than that from now on.
      const left = await tenant.eventsOf(() =>
        tenant.scim.patch(`/Groups/${staff.id}`, [{ op: 'remove', path: `members[value eq "${one.id}"]` }]),
      )
      expect(types(left)).toEqual(['group.member_removed'])
    },
  )

  it('a member who was named ahead has the role when the user comes', async () => {
    const tenant = await tenantWith({}, roles)
    await tenant.group({ displayName: 'Early', members: [{ value: 'ext-early' }] })
    const events = await tenant.eventsOf(() => tenant.user({ externalId: 'ext-early' }))
    expect(events.map(({ type, data }) => [type, data.rolesGained])).toEqual([
      ['user.created', undefined],
      ['group.member_added', undefined],
      ['user.updated', ['Early']],
    ])
    expect((await rolesOf(tenant))[0]?.members).toBe(1)
  })
})

describe('target groups', () => {
  const profile = { fields: [{ field: 'team', source: 'title' }] }

  it('follow the attribute at every write; the rule makes what it needs and takes away what is empty', async () => {
    const tenant = await tenantWith(profile)
    await admin('PUT', mappingAt(tenant), { groupBy: { source: 'team' } })
    const [one, two] = [await tenant.user({ title: 'Red' }), await tenant.user({ title: 'Red' })]
    expect((await groupsOf(tenant)).map(({ name, managed, members }) => [name, managed, members])).toEqual([
      ['Red', 'rule', 2],
    ])
    const [moved] = await tenant.eventsOf(() =>
      tenant.scim.patch(`/Users/${one.id}`, replace('title', 'Blue')),
    )
    expect(moved?.data).toMatchObject({ movedTargetGroup: true, targetGroup: { name: 'Blue' } })
    expect((await groupsOf(tenant)).map(({ name, members }) => [name, members])).toEqual([
      ['Red', 1],
      ['Blue', 1],
    ])
    await tenant.scim.patch(`/Users/${two.id}`, [{ op: 'remove', path: 'title' }])
    expect((await groupsOf(tenant)).map(({ name }) => name)).toEqual(['Blue'])
    expect((await account(tenant, two.id)).targetGroup).toBeNull()
    await tenant.scim.delete(`/Users/${one.id}`)
    expect(await groupsOf(tenant)).toEqual([])
  })

  it('who has no value is in the fallback group; one of the operator stays when it is empty', async () => {
    const tenant = await tenantWith(profile)
    const others = await admin<TargetGroup>('POST', `${tenant.at}/target-groups`, { name: 'Others' })
    await admin('PUT', mappingAt(tenant), { groupBy: { source: 'title' }, targetGroup: others.id })
    const user = await tenant.user()
    expect((await account(tenant, user.id)).targetGroup).toEqual({ id: others.id, name: 'Others' })
    const { items } = await admin<Listed<Account>>('GET', `${tenant.at}/users?targetGroup=${others.id}`)
    expect(items.map(({ id }) => id)).toEqual([user.id])
    expect((await call('DELETE', `${tenant.at}/target-groups/${others.id}`)).status).toBe(409)
    await tenant.scim.patch(`/Users/${user.id}`, replace('title', 'Green'))
    expect((await groupsOf(tenant)).map(({ name, members }) => [name, members])).toEqual([
      ['Others', 0],
      ['Green', 1],
    ])
    expect((await call('DELETE', `${tenant.at}/target-groups/${others.id}`)).status).toBe(409)
  })

  it('a rule that changes moves the users who are there, through a job that says how far it is', async () => {
    const tenant = await tenantWith(profile)
    const users = await Promise.all(
      ['a', 'b', 'a'].map(department => tenant.user({ [ENTERPRISE]: { department } })),
    )
    const put = await admin<{ version: number; recompute: object }>('PUT', mappingAt(tenant), {
      groupBy: { source: `${ENTERPRISE}:department` },
    })
    await settled()
    expect(put.version).toBe(1)
    expect(await admin('GET', mappingAt(tenant))).toMatchObject({
      recompute: { state: 'done', done: 3, total: 3, invalid: 0 },
    })
    expect((await groupsOf(tenant)).map(({ name, members }) => [name, members]).sort()).toEqual([
      ['a', 2],
      ['b', 1],
    ])
    await admin('PUT', mappingAt(tenant), {})
    await settled()
    expect(await groupsOf(tenant)).toEqual([])
    expect((await account(tenant, users[0]?.id ?? '')).targetGroup).toBeNull()
  })
})

describe('a mapping', () => {
  const user = { fields: [{ field: 'level', source: 'title' }], role: { source: 'level' } }

  it('its preview says who would change, from what to what, and writes nothing', async () => {
    const tenant = await tenantWith(user)
    await tenant.user({ title: 'X', userType: 'admin' })
    await tenant.user({ title: 'Y', userType: 'Y' })
    await tenant.user({ userType: undefined })
    const before = await tenant.events()
    const preview = await admin<{
      users: object
      roles: object[]
      targetGroups: object[]
      examples: object[]
    }>('POST', `${mappingAt(tenant)}/preview`, {
      fields: [{ field: 'level', source: 'userType', required: true }],
      groupBy: { source: 'level' },
    })
    expect(preview.users).toEqual({ unchanged: 0, changed: 2, invalid: 1 })
    expect(preview.roles).toEqual([
      { name: 'X', gains: 0, loses: 1 },
      { name: 'admin', gains: 1, loses: 0 },
    ])
    expect(preview.targetGroups).toEqual([
      { name: 'Y', gains: 1, loses: 0 },
      { name: 'admin', gains: 1, loses: 0 },
    ])
    expect(preview.examples[0]).toMatchObject({ problems: [expect.stringMatching(/^userType is required/)] })
    expect(await tenant.events()).toEqual(before)
    expect(await admin('GET', mappingAt(tenant))).toMatchObject({ version: 0 })
    expect(await groupsOf(tenant)).toEqual([])
  })

  it('that has not its form everywhere is 422 with what is wrong with the rest as well', async () => {
    const tenant = await tenantWith(user)
    const fields = [
      { field: 'a', source: 'title', requird: true },
      { field: 'b', source: 'nosuch' },
    ]
    for (const [method, path] of [
      ['PUT', mappingAt(tenant)],
      ['POST', `${mappingAt(tenant)}/preview`],
    ] as const) {
      const reply = await call(method, path, { fields, targetGroup: 'none' })
      expect(reply.status).toBe(422)
      expect(reply.body.errors.map(({ path: at }) => at)).toEqual([
        'fields[0].requird',
        'fields[1].source',
        'targetGroup',
      ])
    }
    expect(await admin('GET', mappingAt(tenant))).toMatchObject({ version: 0 })
    const nowhere = mappingAt(tenant).replace(/connections\/[^/]+/, 'connections/none')
    expect((await call('PUT', nowhere, { fields: 1 })).status).toBe(404)
  })

  it('that would make stored users invalid is refused with how many each rule affects; nothing is stored', async () => {
    const tenant = await tenantWith(user)
    await tenant.user()
    await tenant.user()
    await tenant.user({ active: false })
    const reply = await call('PUT', mappingAt(tenant), {
      fields: [{ field: 'level', source: 'userType', required: true }],
    })
    expect(reply.status).toBe(422)
    expect(reply.body.errors).toEqual([
      {
        path: 'fields[0]',
        message: expect.stringMatching(/^2 users would be refused: userType is required/),
      },
    ])
    expect(await admin('GET', mappingAt(tenant))).toMatchObject({ version: 0 })
  })

  it('counts whom one rule affects together, whatever their values', async () => {
    const tenant = await tenantWith(user)
    await tenant.user({ title: 'seven77' })
    await tenant.user({ title: 'eight888' })
    const reply = await call('PUT', mappingAt(tenant), {
      fields: [{ field: 'level', source: 'title', maxLength: 6 }],
    })
    expect(reply.body.errors).toEqual([
      {
        path: 'fields[0]',
        message: '2 users would be refused: title has more than 6 characters (field "level")',
      },
    ])
  })

  it('is published as a version and can be rolled back', async () => {
    const tenant = await tenantWith(user)
    const person = await tenant.user({ title: 'T', userType: 'U' })
    await admin('PUT', mappingAt(tenant), { fields: [{ field: 'level', source: 'userType' }] })
    await admin('PUT', mappingAt(tenant), { fields: [{ field: 'level', source: 'nickName', default: 'N' }] })
    await settled()
    expect((await account(tenant, person.id)).profile.level).toBe('N')
    expect(await admin('POST', `${mappingAt(tenant)}/rollback`, { version: 1 })).toMatchObject({ version: 3 })
    await settled()
    expect((await account(tenant, person.id)).profile.level).toBe('U')
    const { items } = await admin<Listed<{ version: number }>>('GET', `${mappingAt(tenant)}/versions`)
    expect(items.map(({ version }) => version)).toEqual([3, 2, 1])
    expect((await call('POST', `${mappingAt(tenant)}/rollback`, { version: 9 })).status).toBe(404)
  })

  it('is that of one connection: users of another are read without it', async () => {
    const tenant = await tenantWith(user)
    const other = await tenant.connect()
    await admin('PUT', mappingAt(tenant), { fields: [{ field: 'level', source: 'userType' }] })
    const mine = await tenant.user({ title: 'T', userType: 'U' })
    const theirs = await other.scim.post('/Users', newUser({ title: 'T', userType: 'U' }))
    expect((await account(tenant, mine.id)).profile.level).toBe('U')
    expect((await account(tenant, theirs.body.id)).profile.level).toBe('T')
  })
})

describe('DELETE that deactivates', () => {
  const keeping = { onDelete: 'deactivate', fields: [{ field: 'active', source: 'active', type: 'boolean' }] }

  it('gone for SCIM: 404, in no list, the userName free; kept for the application', async () => {
    const tenant = await tenantWith(keeping)
    const user = await tenant.user()
    const group = await tenant.group({ members: [{ value: user.id }] })
    const events = await tenant.eventsOf(() => tenant.scim.delete(`/Users/${user.id}`))
    expect(events).toMatchObject([
      {
        type: 'user.deactivated',
        data: { reason: 'deleted', sessions: 'revoke_all', epoch: 1, profile: { active: false } },
      },
    ])
    expectError(await tenant.scim.get(`/Users/${user.id}`), 404)
    expectError(await tenant.scim.patch(`/Users/${user.id}`, replace('title', 'x')), 404)
    expectError(await tenant.scim.delete(`/Users/${user.id}`), 404)
    expect((await tenant.scim.get('/Users')).body.totalResults).toBe(0)
    expect((await tenant.scim.filter('/Users', `userName eq "${user.userName}"`)).body.totalResults).toBe(0)
    expect((await tenant.scim.filter('/Users', 'active eq false')).body.totalResults).toBe(0)
    expect((await tenant.scim.get(`/Groups/${group.id}`)).body.members ?? []).toEqual([])
    expect(await account(tenant, user.id)).toMatchObject({ active: false, deletedAt: expect.any(String) })
    const found = await admin<Listed<Account>>(
      'GET',
      `${tenant.at}/users?filter=${encodeURIComponent(`userName eq "${user.userName}"`)}`,
    )
    expect(found.items.map(({ id }) => id)).toEqual([user.id])
  })

  it('the same person comes back: same id, same history, 201, user.reactivated', async () => {
    const tenant = await tenantWith(keeping)
    const user = await tenant.user()
    const other = await tenant.user()
    await tenant.scim.delete(`/Users/${user.id}`)
    const again = newUser({ userName: 'new.name@example.com', externalId: user.externalId, title: 'Back' })
    let reply: { status: number; body: Body } | undefined
    const events = await tenant.eventsOf(async () => {
      reply = await tenant.scim.post('/Users', again)
    })
    expect(reply).toMatchObject({
      status: 201,
      body: { id: user.id, userName: 'new.name@example.com', title: 'Back' },
    })
    expect(reply?.body.meta.created).toBe(user.meta.created)
    expect(types(events)).toEqual(['user.reactivated', 'user.updated'])
    expect(await account(tenant, user.id)).toMatchObject({ deletedAt: null, active: true, sessionEpoch: 1 })
    const list = (await tenant.scim.get('/Users')).body
    expect([list.totalResults, list.Resources.map(({ id }) => id)]).toEqual([2, [user.id, other.id]])
    expect((await tenant.scim.get('/Users?startIndex=2')).body.Resources.map(({ id }) => id)).toEqual([
      other.id,
    ])
  })

  it('another externalId, or none, with a recycled userName is a new person', async () => {
    const tenant = await tenantWith(keeping)
    const user = await tenant.user()
    await tenant.scim.delete(`/Users/${user.id}`)
    const other = await tenant.scim.post(
      '/Users',
      newUser({ userName: user.userName, externalId: 'another' }),
    )
    expect(other.status).toBe(201)
    expect(other.body.id).not.toBe(user.id)
    // Whose name is taken by now comes back under another one only.
    const taken = await tenant.scim.post(
      '/Users',
      newUser({ userName: user.userName, externalId: user.externalId }),
    )
    expectError(taken, 409, 'uniqueness', /userName/)
  })

  it('who had lost access before loses nothing more', async () => {
    const tenant = await tenantWith(keeping)
    const user = await tenant.user({ active: false })
    expect(await tenant.eventsOf(() => tenant.scim.delete(`/Users/${user.id}`))).toEqual([])
    expectError(await tenant.scim.get(`/Users/${user.id}`), 404)
  })

  it('twenty returns at once bring one person back once', async () => {
    const tenant = await tenantWith(keeping)
    const user = await tenant.user()
    await tenant.scim.delete(`/Users/${user.id}`)
    const body = newUser({ externalId: user.externalId })
    const replies = await Promise.all(Array.from({ length: 20 }, () => tenant.scim.post('/Users', body)))
    const statuses = replies.map(({ status }) => status).toSorted()
    expect(statuses.filter(status => status === 201)).toHaveLength(1)
    expect(statuses.every(status => status === 201 || status === 409)).toBe(true)
    expect((await tenant.scim.get('/Users')).body).toMatchObject({ totalResults: 1 })
  })
})

describe('custom attributes under the enterprise URN', () => {
  const open = { customAttributes: 'enterprise' }

  it('are taken from their first use on, and stand in the /Schemas of that tenant and of no other', async () => {
    const [tenant, other] = [await tenantWith(open), await tenantWith(open)]
    const attributes = async ({ scim }: Tenant) => {
      const { body } = await scim.get(`/Schemas/${ENTERPRISE}`)
      return (body.attributes as { name: string }[]).map(({ name }) => name)
    }
    expect(await attributes(tenant)).not.toContain('shoeSize')
    const user = await tenant.user({ [ENTERPRISE]: { shoeSize: '42', department: 'D' } })
    expect(user[ENTERPRISE]).toEqual({ shoeSize: '42', department: 'D' })
    expect(await attributes(tenant)).toContain('shoeSize')
    expect(await attributes(other)).not.toContain('shoeSize')
    await tenant.scim.patch(`/Users/${user.id}`, replace(`${ENTERPRISE}:hat`, 'L'))
    expect((await tenant.scim.get(`/Users/${user.id}`)).body[ENTERPRISE]).toMatchObject({
      shoeSize: '42',
      hat: 'L',
    })
    expect((await tenant.scim.filter('/Users', `${ENTERPRISE}:hat eq "l"`)).body.totalResults).toBe(1)
    expect(await attributes(tenant)).toEqual(expect.arrayContaining(['shoeSize', 'hat', 'department']))
  })

  it('a request that is refused declares nothing', async () => {
    const tenant = await tenantWith({ ...open, fields: [{ field: 'x', source: 'title', required: true }] })
    expectError(
      await tenant.scim.post('/Users', newUser({ [ENTERPRISE]: { stray: 'x' } })),
      400,
      'invalidValue',
    )
    expectError(
      await tenant.scim.post('/Users', newUser({ title: 't', [ENTERPRISE]: { number: 7 } })),
      400,
      'invalidValue',
      /number/,
    )
    const { body } = await tenant.scim.get(`/Schemas/${ENTERPRISE}`)
    expect(JSON.stringify(body)).not.toMatch(/stray|"number"/)
  })

  it('many first uses at once are all declared', async () => {
    const tenant = await tenantWith(open)
    const names = Array.from({ length: 10 }, (_, i) => `extra${i}`)
    const replies = await Promise.all(
      names.map(name => tenant.scim.post('/Users', newUser({ [ENTERPRISE]: { [name]: 'v' } }))),
    )
    expect(replies.map(({ status }) => status)).toEqual(names.map(() => 201))
    const { body } = await tenant.scim.get(`/Schemas/${ENTERPRISE}`)
    const declared = (body.attributes as { name: string }[]).map(({ name }) => name)
    expect(declared).toEqual(expect.arrayContaining(names))
  })

  it('of a Bulk request are declared ahead of its operations, none of which is done twice', async () => {
    const tenant = await tenantWith(open)
    const there = await tenant.user()
    const post = (bulkId: string, more: Record<string, unknown>) => ({
      method: 'POST',
      path: '/Users',
      bulkId,
      data: newUser(more),
    })
    const { status, body } = await tenant.scim.post('/Bulk', {
      schemas: ['urn:ietf:params:scim:api:messages:2.0:BulkRequest'],
      Operations: [
        post('a', {}),
        post('b', { [ENTERPRISE]: { hat: 'L' } }),
        post('c', { [ENTERPRISE]: { shoe: '42' }, active: 'perhaps' }),
        {
          method: 'PATCH',
          path: `/Users/${there.id}`,
          data: { schemas: [PATCH_OP], Operations: replace(`${ENTERPRISE}:glove`, 'S') },
        },
        post('d', { [ENTERPRISE]: { hat: 'M', scarf: 'red' } }),
      ],
    })
    expect([status, (body.Operations as { status: string }[]).map(operation => operation.status)]).toEqual([
      200,
      ['201', '201', '400', '200', '201'],
    ])
    expect((await tenant.scim.get('/Users')).body.totalResults).toBe(4)
    expect((await tenant.scim.get(`/Users/${there.id}`)).body[ENTERPRISE]).toEqual({ glove: 'S' })
    expect((await tenant.scim.filter('/Users', `${ENTERPRISE}:scarf eq "red"`)).body.totalResults).toBe(1)
  })

  it('where only declared ones count they are dropped, as ever', async () => {
    const tenant = await tenantWith({})
    const user = await tenant.user({ [ENTERPRISE]: { shoeSize: '42', department: 'D' } })
    expect(user[ENTERPRISE]).toEqual({ department: 'D' })
  })
})

it('groups of a tenant whose groups are roles are still groups for SCIM', async () => {
  const tenant = await tenantWith({}, { groups: { as: 'roles' } })
  expect((await tenant.scim.post('/Groups', newGroup())).status).toBe(201)
})
