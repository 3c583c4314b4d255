// Whatever races with whatever: in the end every user is read by the profile and the mapping in force, and what roles
// and target groups say of themselves is what listing the users says (contract "Profile", "Mapping").
import { env } from 'cloudflare:workers'
import { expect, test, vi } from 'vitest'
import { adopt } from '../../src/administration/adoption'
import { serviceOf } from '../../src/env'
import { profileDocument } from '../../src/mapping/profile-document'
import { seeded } from '../scim/generate'
import { call, watched } from './calls'
import { tenantIdOf } from './consistency'
import { admin, type Body, type Connection, newTenant, newUser, settled, type Tenant } from './world'

vi.setConfig({ testTimeout: 120_000 })

interface Account {
  id: string
  active: boolean
  deletedAt: string | null
  connectionId: string
  profile: Record<string, unknown>
  roles: { name: string; source: string }[]
  targetGroup: { id: string; name: string } | null
}
interface Counted {
  id: string
  name: string
  source?: string
  managed?: string
  members: number
}
interface Mapping {
  version: number
  fields: { field: string; source: string }[]
  groupBy: { source: string } | null
  targetGroup: string | null
  recompute: { state: string; done: number; total: number; invalid: number }
}

const VALUES = ['Red', 'Green', 'Blue', undefined]
const ROLES = ['OWNER', 'ADMIN', 'STANDARD']
const SOURCES = ['title', 'userType', 'nickName'] as const
type Source = (typeof SOURCES)[number]

const profile = (name: string, source: Source) => ({
  name,
  user: {
    fields: [{ field: 'team', source }],
    role: {
      source: 'roles[primary eq true].value',
      values: ROLES,
      default: 'STANDARD',
      privileged: ['OWNER'],
    },
    onDelete: 'deactivate',
  },
  groups: { as: 'roles' },
})

async function all<Item>({ at }: Tenant, path: string): Promise<Item[]> {
  const items: Item[] = []
  for (let cursor = ''; ; ) {
    const page = await admin<{ items: Item[]; nextCursor?: string }>('GET', `${at}${path}?limit=500${cursor}`)
    items.push(...page.items)
    if (page.nextCursor === undefined) return items
    cursor = `&cursor=${encodeURIComponent(page.nextCursor)}`
  }
}

const mappingOf = ({ at }: Tenant, { id }: Connection) =>
  admin<Mapping>('GET', `${at}/connections/${id}/mapping`)

/** Until no job is under way: those behind the replies, and those that the Queue carries on. */
async function rest(tenant: Tenant, connections: readonly Connection[]): Promise<void> {
  await settled()
  await vi.waitFor(
    async () => {
      for (const connection of connections)
        expect((await mappingOf(tenant, connection)).recompute.state).toBe('done')
      const left = await env.DB.prepare(
        'SELECT count(*) AS jobs FROM jobs WHERE tenant_id = ? AND wake_at IS NOT NULL',
      )
        .bind(await tenantIdOf(tenant))
        .first('jobs')
      expect(left).toBe(0)
    },
    { timeout: 60_000, interval: 50 },
  )
}

/** Compares what is stored with what reading each SCIM resource anew gives. */
async function expectTrue(tenant: Tenant, connections: readonly Connection[], source: Source): Promise<void> {
  const accounts = await all<Account>(tenant, '/users')
  const groups = await all<Counted>(tenant, '/target-groups')
  const roles = await all<Counted>(tenant, '/roles')
  const mappings = new Map<string, Mapping>()
  for (const connection of connections) mappings.set(connection.id, await mappingOf(tenant, connection))
  const users = new Map<string, Body>()
  for (const user of (await tenant.scim.get('/Users?count=1000')).body.Resources) users.set(user.id, user)
  const living = accounts.filter(({ deletedAt }) => deletedAt === null)
  expect(new Set(living.map(({ id }) => id))).toEqual(new Set(users.keys()))
  for (const { id, connectionId, profile: seen, roles: has, targetGroup } of living) {
    const user = users.get(id)
    const { fields = [], groupBy = null, targetGroup: fallback = null } = mappings.get(connectionId) ?? {}
    const team = user?.[fields.find(({ field }) => field === 'team')?.source ?? source]
    const extra = fields.find(({ field }) => field === 'extra')
    const wanted = {
      ...(team !== undefined && { team }),
      ...(extra && user?.[extra.source] !== undefined && { extra: user[extra.source] }),
    }
    expect([id, seen]).toEqual([id, wanted])
    const name = groupBy && (groupBy.source === 'team' ? team : user?.[groupBy.source])
    const kept = groups.find(group => group.id === fallback)
    expect([id, targetGroup?.name]).toEqual([id, name ?? kept?.name])
    const primary = (user?.roles as { primary?: boolean; value: string }[] | undefined)?.find(
      role => role.primary === true,
    )
    expect([id, has.filter(role => role.source === 'attribute').map(role => role.name)]).toEqual([
      id,
      [primary?.value ?? 'STANDARD'],
    ])
    const inGroups = (user?.groups ?? []).map(({ display }) => display)
    expect([id, has.filter(role => role.source === 'group').map(role => role.name)]).toEqual([
      id,
      inGroups.sort(),
    ])
  }
  const gone = accounts.filter(({ deletedAt }) => deletedAt !== null)
  for (const { roles: none, targetGroup, active } of gone)
    expect([none, targetGroup, active]).toEqual([[], null, false])
  for (const { id, name, managed, members } of groups) {
    const counted = living.filter(({ targetGroup }) => targetGroup?.id === id).length
    expect([name, members]).toEqual([name, counted])
    if (managed === 'rule') expect([name, members > 0]).toEqual([name, true])
  }
  expect(new Set(groups.map(({ name }) => name)).size).toBe(groups.length)
  for (const { name, source: from, members } of roles) {
    const counted = living.filter(({ roles: has }) =>
      has.some(role => role.name === name && role.source === from),
    ).length
    expect([from, name, members]).toEqual([from, name, counted])
  }
}

test.each([1, 2, 3])('workload %i of users, groups, mappings and profiles ends true', async seed => {
  const random = seeded(seed)
  const pick = <Item>(items: readonly Item[]): Item => items[Math.floor(random() * items.length)] as Item
  const name = `p-${crypto.randomUUID()}`
  let source: Source = 'title'
  await admin('PUT', `/profiles/${name}`, profile(name, source))
  const tenant = await newTenant({ profile: name })
  const connections = [tenant.connection, await tenant.connect({ idp: 'okta' })]
  const target = await admin<Counted>('POST', `${tenant.at}/target-groups`, { name: 'Others' })
  const someone = () =>
    newUser({
      title: pick(VALUES),
      userType: pick(VALUES),
      nickName: pick(VALUES),
      roles: random() < 0.7 ? [{ value: pick(ROLES), primary: random() < 0.8 }] : [],
    })
  const made: { body: ReturnType<typeof someone>; id: string; connection: Connection }[] = []
  const groups: string[] = []
  const create = async (connection: Connection, body: ReturnType<typeof someone>) => {
    const reply = await connection.scim.post('/Users', body)
    if (reply.status === 201) made.push({ body, id: reply.body.id, connection })
    return reply.status
  }
  for (let i = 0; i < 20; i++) await create(pick(connections), someone())
  for (const displayName of ['Staff', 'Guests'])
    groups.push(
      (await tenant.group({ displayName, members: made.slice(0, 5).map(({ id }) => ({ value: id })) })).id,
    )

  const mapping = () => ({
    fields: [
      ...(random() < 0.4 ? [{ field: 'team', source: pick(SOURCES) }] : []),
      ...(random() < 0.3 ? [{ field: 'extra', source: pick(SOURCES) }] : []),
    ],
    groupBy: random() < 0.7 ? { source: pick(['team', ...SOURCES]) } : null,
    targetGroup: random() < 0.5 ? target.id : null,
  })

  const work = (): (() => Promise<number>) => {
    const kind = random()
    const { id, connection, body } = pick(made)
    const { scim } = connection
    if (kind < 0.25) {
      const [by, next] = [pick(connections), someone()]
      return () => create(by, next)
    }
    if (kind < 0.55) {
      const operations = [
        pick([
          { op: 'replace', path: pick(SOURCES), value: pick(['Red', 'Green', 'Blue']) },
          { op: 'remove', path: pick(SOURCES) },
          { op: 'replace', path: 'roles', value: [{ value: pick(ROLES), primary: true }] },
          { op: 'replace', path: 'active', value: random() < 0.5 },
        ]),
      ]
      return async () => (await scim.patch(`/Users/${id}`, operations)).status
    }
    if (kind < 0.62) return async () => (await scim.delete(`/Users/${id}`)).status
    if (kind < 0.7) return async () => (await scim.post('/Users', body)).status
    if (kind < 0.75) {
      // Another connection takes the user over.
      const other = pick(connections)
      const operations = [{ op: 'replace', path: 'externalId', value: crypto.randomUUID() }]
      return async () => (await other.scim.patch(`/Users/${id}`, operations)).status
    }
    if (kind < 0.85) {
      const members = [{ value: id }, { value: pick(made).id }]
      const operation =
        random() < 0.5
          ? { op: 'add', path: 'members', value: members }
          : { op: 'remove', path: 'members', value: members }
      const group = pick(groups)
      return async () => (await tenant.scim.patch(`/Groups/${group}`, [operation])).status
    }
    if (kind < 0.95) {
      const [to, by] = [mapping(), pick(connections)]
      return async () => (await call('PUT', `${tenant.at}/connections/${by.id}/mapping`, to)).status
    }
    const next = pick(SOURCES)
    return async () => {
      const put = await admin<{ version: number; user: { fields: { source: Source }[] } }>(
        'PUT',
        `/profiles/${name}`,
        profile(name, next),
      )
      if (put.version > newest) {
        newest = put.version
        source = next
      }
      return 200
    }
  }
  let newest = 1

  const answers = new Map<number, number>()
  for (let round = 0; round < 10; round++) {
    const works = Array.from({ length: 14 }, work)
    for (const status of await Promise.all(works.map(one => one()))) {
      answers.set(status, (answers.get(status) ?? 0) + 1)
      expect([seed, round, status]).toEqual([
        seed,
        round,
        expect.toSatisfy((s: number) => [200, 201, 204, 400, 404, 409].includes(s)),
      ])
    }
    if (round % 5 === 4) {
      await rest(tenant, connections)
      await expectTrue(tenant, connections, source)
    }
  }
  for (const status of [200, 201, 204]) expect([status, answers.get(status) ?? 0]).not.toEqual([status, 0])
})

test('a job of several steps reads everybody, while they change', async () => {
  const name = `p-${crypto.randomUUID()}`
  await admin('PUT', `/profiles/${name}`, profile(name, 'title'))
  const tenant = await newTenant()
  const bulk = { schemas: ['urn:ietf:params:scim:api:messages:2.0:BulkRequest'] }
  const ids: string[] = []
  for (let n = 0; n < 2; n++) {
    const Operations = Array.from({ length: 175 }, (_, i) => ({
      method: 'POST',
      path: '/Users',
      bulkId: `b${i}`,
      data: newUser({
        title: VALUES[i % 3],
        userType: VALUES[(i + 1) % 4],
        roles: [{ value: ROLES[i % 3], primary: true }],
      }),
    }))
    const { body } = await tenant.scim.post('/Bulk', { ...bulk, Operations })
    ids.push(
      ...(body.Operations as { location: string }[]).map(({ location }) => location.split('/').at(-1) ?? ''),
    )
  }
  expect(ids).toHaveLength(350)
  await admin('PATCH', tenant.at, { profile: name })
  const put = admin('PUT', `${tenant.at}/connections/${tenant.connection.id}/mapping`, {
    fields: [{ field: 'team', source: 'userType' }],
    groupBy: { source: 'team' },
  })
  const changes = Array.from({ length: 40 }, (_, i) =>
    tenant.scim.patch(`/Users/${ids[i * 8]}`, [{ op: 'replace', path: 'userType', value: VALUES[i % 3] }]),
  )
  await Promise.all([put, ...changes])
  await rest(tenant, [tenant.connection])
  expect((await mappingOf(tenant, tenant.connection)).recompute).toMatchObject({
    total: 350,
    done: 350,
    invalid: 0,
  })
  await expectTrue(tenant, [tenant.connection], 'title')
})

test('a mapping never names a target group that is deleted beside it', async () => {
  const tenant = await newTenant()
  const path = `${tenant.at}/connections/${tenant.connection.id}/mapping`
  for (let round = 0; round < 10; round++) {
    const { id } = await admin<Counted>('POST', `${tenant.at}/target-groups`, { name: `Group ${round}` })
    const [put, gone] = await Promise.all([
      call('PUT', path, { targetGroup: id }),
      call('DELETE', `${tenant.at}/target-groups/${id}`),
    ])
    expect([put.status, gone.status]).toEqual(put.status === 200 ? [200, 409] : [422, 204])
    const { targetGroup } = await mappingOf(tenant, tenant.connection)
    const known = (await all<Counted>(tenant, '/target-groups')).map(group => group.id)
    expect([null, ...known]).toContain(targetGroup)
  }
})

test('a new version reaches every tenant of the profile, in several steps, and no other', async () => {
  const name = `p-${crypto.randomUUID()}`
  await admin('PUT', `/profiles/${name}`, profile(name, 'title'))
  const tenants: Tenant[] = []
  // The directory is gone through fifty tenants at a time.
  for (let n = 0; n < 60; n++) {
    const slug = `s-${crypto.randomUUID()}`
    await admin('POST', '/tenants', { slug, name: 'T', ...(n % 2 === 0 && { profile: name }) })
    if (n < 4) tenants.push(await newTenant(n % 2 === 0 ? { profile: name } : {}))
  }
  const people = await Promise.all(tenants.map(tenant => tenant.user({ title: 'T', userType: 'U' })))
  const [one, two] = await Promise.all([
    admin<{ version: number }>('PUT', `/profiles/${name}`, profile(name, 'userType')),
    admin<{ version: number }>('PUT', `/profiles/${name}`, profile(name, 'userType')),
  ])
  expect([one.version, two.version].sort()).toEqual([2, 3])
  await vi.waitFor(
    async () => {
      for (const { profile: of, profileVersion } of await allTenants())
        if (of === name) expect(profileVersion).toBe(3)
    },
    { timeout: 30_000, interval: 50 },
  )
  for (const [n, tenant] of tenants.entries()) {
    await rest(tenant, [tenant.connection])
    const seen = await admin<Account>('GET', `${tenant.at}/users/${people[n]?.id}`)
    expect([n, seen.profile.team]).toEqual([n, n % 2 === 0 ? 'U' : undefined])
  }
})

test('a version that comes late takes nobody back, and no tenant that has another profile by now', async () => {
  const [old, next] = [`p-${crypto.randomUUID()}`, `p-${crypto.randomUUID()}`]
  await admin('PUT', `/profiles/${old}`, profile(old, 'title'))
  await admin('PUT', `/profiles/${next}`, profile(next, 'title'))
  const [ahead, away] = [await newTenant({ profile: old }), await newTenant({ profile: old })]
  const user = await ahead.user({ title: 'T', userType: 'U' })
  await away.group({ displayName: 'Staff' })
  await admin('PUT', `/profiles/${old}`, profile(old, 'userType'))
  await admin('PATCH', away.at, { profile: next })
  await rest(ahead, [ahead.connection])
  const document = JSON.stringify(profileDocument.parse({ name: old }))
  for (const tenant of [ahead, away])
    await adopt(
      await serviceOf(env),
      await tenantIdOf(tenant),
      { name: old, version: 1, document },
      undefined,
    )
  expect(await admin('GET', ahead.at)).toMatchObject({ profile: old, profileVersion: 2 })
  expect(await admin('GET', away.at)).toMatchObject({ profile: next, profileVersion: 1 })
  expect((await admin<Account>('GET', `${ahead.at}/users/${user.id}`)).profile.team).toBe('U')
  expect((await all<Counted>(away, '/roles')).map(({ name }) => name)).toContain('Staff')
})

test('a tenant that is made while a version is put has that version', async () => {
  const name = `p-${crypto.randomUUID()}`
  await admin('PUT', `/profiles/${name}`, profile(name, 'title'))
  const { fetch } = watched(batch =>
    batch === 1 ? admin('PUT', `/profiles/${name}`, profile(name, 'userType')) : undefined,
  )
  const made = await call(
    'POST',
    '/tenants',
    { slug: `t-${crypto.randomUUID()}`, name: 'T', profile: name },
    fetch,
  )
  expect([made.status, made.body]).toMatchObject([201, { profileVersion: 2 }])
})

const withRoles = async (...values: string[]) => {
  const name = `p-${crypto.randomUUID()}`
  await admin('PUT', `/profiles/${name}`, { name, user: { role: { source: 'title', values } } })
  return name
}

test('roles of a former profile go, never those of one that has come meanwhile', async () => {
  const values = { [await withRoles('A', 'B')]: ['A', 'B'], [await withRoles('B', 'C')]: ['B', 'C'] }
  const [former = '', next = ''] = Object.keys(values)
  const seen = new Set<string>()
  for (let nth = 1; nth <= 12; nth++) {
    const tenant = await newTenant({ profile: former })
    const { fetch } = watched(batch =>
      batch === nth ? call('PATCH', tenant.at, { profile: next }) : undefined,
    )
    await call('PATCH', tenant.at, { profile: former }, fetch)
    await rest(tenant, [tenant.connection])
    const { profile: last } = await admin<{ profile: string }>('GET', tenant.at)
    seen.add(last)
    const names = (await all<Counted>(tenant, '/roles')).map(role => role.name).toSorted()
    expect([nth, names]).toEqual([nth, values[last]])
  }
  expect([...seen]).toContain(next)
})

test('roles of a former profile go, however many there are', async () => {
  const tenant = await newTenant({ profile: await withRoles('A') })
  const tenantId = await tenantIdOf(tenant)
  await env.DB.prepare(
    `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5001)
      INSERT INTO roles (tenant_id, id, name, source, permissions, members)
      SELECT ?, 'r' || i, 'Role ' || i, 'attribute', '[]', 0 FROM n`,
  )
    .bind(tenantId)
    .run()
  await admin('PATCH', tenant.at, { profile: await withRoles('A', 'B') })
  await rest(tenant, [tenant.connection])
  expect((await all<Counted>(tenant, '/roles')).map(({ name }) => name)).toEqual(['A', 'B'])
})

async function allTenants(): Promise<{ profile: string; profileVersion: number }[]> {
  const items: { profile: string; profileVersion: number }[] = []
  for (let cursor = ''; ; ) {
    const page = await admin<{ items: typeof items; nextCursor?: string }>(
      'GET',
      `/tenants?limit=500${cursor}`,
    )
    items.push(...page.items)
    if (page.nextCursor === undefined) return items
    cursor = `&cursor=${encodeURIComponent(page.nextCursor)}`
  }
}

test('a tenant that is deleted leaves no row of any table behind', async () => {
  const name = `p-${crypto.randomUUID()}`
  await admin('PUT', `/profiles/${name}`, profile(name, 'title'))
  const tenant = await newTenant({ profile: name })
  const user = await tenant.user({ title: 'Red' })
  await tenant.group({ displayName: 'Staff', members: [{ value: user.id }, { value: 'still to come' }] })
  await admin('POST', `${tenant.at}/target-groups`, { name: 'Others' })
  await admin('POST', `${tenant.at}/app-keys`, { name: 'Key' })
  await admin('PUT', `${tenant.at}/connections/${tenant.connection.id}/mapping`, {
    groupBy: { source: 'team' },
  })
  await tenant.scim.delete(`/Users/${(await tenant.user()).id}`)
  await rest(tenant, [tenant.connection])
  const tenantId = await tenantIdOf(tenant)
  expect((await call('DELETE', `${tenant.at}?deactivateUsers=true`)).status).toBe(202)
  await settled()
  await vi.waitFor(async () => expect((await call('GET', tenant.at)).status).toBe(404), { timeout: 30_000 })
  const tables = await env.DB.prepare(
    `SELECT name FROM sqlite_master WHERE type = 'table' AND sql LIKE '%tenant_id%'`,
  ).all<{ name: string }>()
  expect(tables.results.length).toBeGreaterThan(15)
  for (const { name: table } of tables.results) {
    const left = await env.DB.prepare(`SELECT count(*) AS rows FROM "${table}" WHERE tenant_id = ?`)
      .bind(tenantId)
      .first('rows')
    expect([table, left]).toEqual([table, 0])
  }
})
