// Rows of docs/conformance.md that no other test has for its subject, over HTTP.
import { env } from 'cloudflare:workers'
import { beforeAll, describe, expect, it } from 'vitest'
import type { ScimType } from '../../src/scim/error'
import { expectConsistent } from './consistency'
import {
  ADMIN_TOKEN,
  admin,
  type Body,
  ENTERPRISE,
  expectError,
  newGroup,
  newTenant,
  newUser,
  ORIGIN,
  PATCH_OP,
  type Reply,
  type Scim,
  scimClient,
  settled,
  type Tenant,
  UNKNOWN_ID,
  USER,
  withBindings,
} from './world'

const BULK_REQUEST = 'urn:ietf:params:scim:api:messages:2.0:BulkRequest'

let tenant: Tenant
let scim: Scim
beforeAll(async () => {
  tenant = await newTenant()
  scim = tenant.scim
})

const idsOf = ({ body }: Reply) => body.Resources.map(({ id }) => id)

/** All that D1 holds, as text. */
async function everythingStored(): Promise<string> {
  const { results } = await env.DB.prepare(
    `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_cf%' ESCAPE '\\'`,
  ).all<{ name: string }>()
  const tables = await Promise.all(results.map(({ name }) => env.DB.prepare(`SELECT * FROM "${name}"`).all()))
  return JSON.stringify(tables.map(table => table.results))
}

describe('schemas', () => {
  interface Published {
    readonly name: string
    readonly type: string
    readonly referenceTypes?: readonly string[]
    readonly subAttributes?: readonly Published[]
  }
  interface PublishedSchema {
    readonly id: string
    readonly attributes: readonly Published[]
  }

  const everyAttribute = (attributes: readonly Published[]): Published[] =>
    attributes.flatMap(attribute => [attribute, ...everyAttribute(attribute.subAttributes ?? [])])

  let published: PublishedSchema[]
  beforeAll(async () => {
    published = (await scim.get('/Schemas')).body.Resources as unknown as PublishedSchema[]
  })

  it('RFC-3 what nothing special is said of has the characteristics of the default', () => {
    const user = published.find(({ id }) => id === USER)
    expect(user?.attributes.find(({ name }) => name === 'nickName')).toEqual({
      name: 'nickName',
      description: expect.any(String),
      type: 'string',
      multiValued: false,
      required: false,
      caseExact: false,
      mutability: 'readWrite',
      returned: 'default',
      uniqueness: 'none',
    })
  })

  it('RFC-4 RFC-50 only the eight types, and references say to what', () => {
    const types = ['string', 'boolean', 'decimal', 'integer', 'dateTime', 'binary', 'reference', 'complex']
    const referred = ['User', 'Group', 'external', 'uri']
    const attributes = published.flatMap(schema => everyAttribute(schema.attributes))
    expect(attributes.length).toBeGreaterThan(100)
    for (const { name, type, referenceTypes = [] } of attributes) {
      expect(types, name).toContain(type)
      expect(referenceTypes.length > 0, name).toBe(type === 'reference')
      for (const target of referenceTypes) expect(referred, name).toContain(target)
    }
  })

  it('RFC-38 id, externalId, meta and schemas are on every resource and in none of their schemas', async () => {
    const types = (await scim.get('/ResourceTypes')).body.Resources
    const ids = types.flatMap(type => [
      type.schema,
      ...(type.schemaExtensions as { schema: string }[]).map(({ schema }) => schema),
    ])
    expect(ids).toHaveLength(3)
    const names = published
      .filter(({ id }) => ids.includes(id))
      .flatMap(({ attributes }) => attributes.map(({ name }) => name))
    for (const common of ['id', 'externalId', 'meta', 'schemas']) expect(names).not.toContain(common)
    for (const made of [
      await tenant.user({ externalId: 'of a user' }),
      await tenant.group({ externalId: 'of a group' }),
    ])
      expect(Object.keys(made)).toEqual(expect.arrayContaining(['id', 'externalId', 'meta', 'schemas']))
  })
})

describe('discovery', () => {
  const documents = [
    '/ServiceProviderConfig',
    '/ResourceTypes',
    '/ResourceTypes/User',
    '/Schemas',
    `/Schemas/${USER}`,
  ]

  it.each(documents)('RFC-204 %s has an ETag over what it says, and 304 for who has that', async path => {
    const first = await scim.get(path)
    const tag = first.headers.get('ETag') ?? ''
    expect(tag).toMatch(/^W\/"[\w+/]{24}"$/)
    expect((await scim.get(path)).headers.get('ETag')).toBe(tag)
    const again = await scim.get(path, { 'If-None-Match': `W/"other", ${tag}` })
    expect([again.status, again.text, again.headers.get('ETag')]).toEqual([304, '', tag])
    const other = await scim.get(path, { 'If-None-Match': 'W/"other"' })
    expect([other.status, other.body]).toEqual([200, first.body])
    // The locations are its own.
    const elsewhere = await (await newTenant()).scim.get(path, { 'If-None-Match': tag })
    expect(elsewhere.status).toBe(200)
    expectError(await scimClient(scim.base, 'Bearer x').get(path, { 'If-None-Match': tag }), 401)
  })

  it('RFC-204 who asks without a credential is told what has not changed as well', async () => {
    const anonymous = scimClient(scim.base, undefined)
    const tag = (await anonymous.get('/ServiceProviderConfig')).headers.get('ETag') ?? ''
    expect((await anonymous.get('/ServiceProviderConfig', { 'If-None-Match': tag })).status).toBe(304)
  })

  it('RFC-204 a schema of the tenant makes another document', async () => {
    const own = await newTenant()
    const tag = (await own.scim.get('/Schemas')).headers.get('ETag') ?? ''
    await admin('PUT', `${own.at}/schemas/urn:example:badge:1.0:User?extends=User`, {
      name: 'Badge',
      attributes: [{ name: 'badge', type: 'string' }],
    })
    const now = await own.scim.get('/Schemas', { 'If-None-Match': tag })
    expect([now.status, now.headers.get('ETag') === tag]).toEqual([200, false])
  })
})

describe('resources', () => {
  it('RFC-11 every reference that the service gives leads to its resource', async () => {
    const user = await tenant.user()
    const inner = await tenant.group({ members: [{ value: user.id }] })
    const outer = await tenant.group({ members: [{ value: inner.id }] })
    const member = (await scim.get(`/Users/${user.id}`)).body
    const references: [string | undefined, string][] = [
      [inner.members[0]?.$ref, user.id],
      [outer.members[0]?.$ref, inner.id],
      [member.groups[0]?.$ref, inner.id],
      [outer.meta.location, outer.id],
    ]
    for (const [reference = '', id] of references) {
      expect(reference.startsWith(scim.base)).toBe(true)
      expect(await scim.get(reference.slice(scim.base.length))).toMatchObject({ status: 200, body: { id } })
    }
  })

  it('RFC-28 RFC-217 an id says nothing of the person, stays, and is nobody else’s, here or elsewhere', async () => {
    const document = newUser({ userName: `grace.${crypto.randomUUID()}@example.com` })
    const elsewhere = await (await newTenant()).scim.post('/Users', document)
    const { body } = await scim.post('/Users', document)
    const group = await tenant.group()
    for (const id of [body.id, group.id, elsewhere.body.id]) expect(id).toMatch(/^[0-9a-f-]{36}$/)
    expect(new Set([body.id, group.id, elsewhere.body.id]).size).toBe(3)
    const at = `/Users/${body.id}`
    const replies = [
      await scim.put(at, newUser()),
      await scim.patch(at, [{ op: 'replace', path: 'userName', value: `${crypto.randomUUID()}@x.example` }]),
      await scim.get(`${at}?excludedAttributes=id`),
    ]
    for (const reply of replies) expect(reply).toMatchObject({ status: 200, body: { id: body.id } })
  })

  it('RFC-54 displayName is what is shown of a person, nickName never the name to sign in with', async () => {
    const named = await tenant.user({ displayName: 'Ada', nickName: 'Addie' })
    const { userName, id } = await tenant.user({ displayName: undefined, nickName: 'Gracie' })
    const group = await tenant.group({ members: [{ value: named.id }, { value: id }] })
    expect(new Map(group.members.map(({ value, display }) => [value, display]))).toEqual(
      new Map([
        [named.id, 'Ada'],
        [id, userName],
      ]),
    )
    expect(idsOf(await scim.filter('/Users', 'userName eq "Gracie"'))).toEqual([])
  })

  it('RFC-58 RFC-61 RFC-63 RFC-64 numbers, countries, certificates, roles and entitlements come back as sent', async () => {
    const sent = {
      phoneNumbers: [{ value: '+351 (21) 555-0100 x7', type: 'Front desk' }],
      addresses: [
        { country: 'Portugal', locality: 'Lisbon', primary: true },
        { country: 'PT', locality: 'Porto' },
      ],
      x509Certificates: [{ value: 'MIIBszCCAVmgAwIBAgIUQ2Vy' }],
      roles: [{ value: 'Keeper of the Keys', type: 'Castle' }],
      entitlements: [{ value: 'urn:acme:lift:7', type: 'Building B' }],
    }
    const made = await tenant.user(sent)
    expect(made).toMatchObject(sent)
    expect((await scim.get(`/Users/${made.id}`)).body).toEqual(made)
    const broken = newUser({ x509Certificates: [{ value: 'no base64!' }] })
    expectError(await scim.post('/Users', broken), 400, 'invalidValue', /x509Certificates/)
  })

  it('RFC-79 a POST that is sent again is 409, and the filter finds what the first one made', async () => {
    const document = newUser()
    const { body } = await scim.post('/Users', document)
    expectError(await scim.post('/Users', document), 409, 'uniqueness', /userName|externalId/)
    for (const name of ['userName', 'externalId'] as const)
      expect(idsOf(await scim.filter('/Users', `${name} eq "${document[name]}"`))).toEqual([body.id])
  })

  it('RFC-106 a filter compares the value that was given by default', async () => {
    const { id, userName } = await tenant.user({ active: undefined })
    const found = async (active: boolean) =>
      idsOf(await scim.filter('/Users', `userName eq "${userName}" and active eq ${active}`))
    expect([await found(true), await found(false)]).toEqual([[id], []])
  })

  it('RFC-192 a URL is decoded once: what looks encoded afterwards is meant as it stands', async () => {
    const [once, twice] = [await tenant.user({ title: 'a+b' }), await tenant.user({ title: 'a%2Bb' })]
    const found = async (encoded: string) =>
      idsOf(await scim.get(`/Users?filter=title%20eq%20%22${encoded}%22`))
    expect(await found('a%2Bb')).toEqual([once.id])
    expect(await found('a%252Bb')).toEqual([twice.id])
  })

  it('RFC-230 what clashes is what eq finds: without case for names, with case for externalId', async () => {
    const variants = (text: string) => [text, text.toUpperCase(), text.toLowerCase(), `${text}x`]
    const cases = [
      { endpoint: '/Users', name: 'userName', make: newUser },
      { endpoint: '/Users', name: 'externalId', make: newUser },
      { endpoint: '/Groups', name: 'displayName', make: newGroup },
    ]
    for (const { endpoint, name, make } of cases) {
      const text = `Ünit ${crypto.randomUUID().slice(0, 8)} Abc`
      expect((await scim.post(endpoint, make({ [name]: text }))).status).toBe(201)
      for (const variant of variants(text)) {
        const { body } = await scim.filter(endpoint, `${name} eq "${variant}"`)
        const { status } = await scim.post(endpoint, make({ [name]: variant }))
        expect({ name, variant, status }).toEqual({
          name,
          variant,
          status: body.totalResults === 0 ? 201 : 409,
        })
      }
    }
  })
})

describe('managers', () => {
  const managed = (value: string, more: object = {}) => ({ [ENTERPRISE]: { manager: { value }, ...more } })
  const managerOf = (user: Body | undefined) => (user?.[ENTERPRISE] as Body | undefined)?.manager
  const shownOf = (boss: Body) => ({
    value: boss.id,
    $ref: boss.meta.location,
    displayName: boss.displayName,
  })

  it('RFC-11 RFC-68 every reply says by URI and name who the manager is', async () => {
    const [boss, other] = [
      await tenant.user({ displayName: 'Boss' }),
      await tenant.user({ displayName: 'Other' }),
    ]
    const made = await tenant.user(managed(boss.id))
    const at = `/Users/${made.id}`
    const path = `${ENTERPRISE}:manager`
    const replace = (place: string, value: unknown) => scim.patch(at, [{ op: 'replace', path: place, value }])
    expect(managerOf(made)).toEqual(shownOf(boss))
    for (const reply of [
      await scim.get(at),
      await scim.get(`${at}?attributes=${path}`),
      await scim.get(`${at}?attributes=${ENTERPRISE}`),
      await replace('title', 'x'),
      await replace('title', 'x'),
    ])
      expect(managerOf(reply.body)).toEqual(shownOf(boss))
    for (const reply of [
      await replace(path, { value: other.id }),
      await scim.put(at, { ...made, ...managed(other.id), title: 'y' }),
      await replace(`${path}.$ref`, other.meta.location.replace('/v2/', '/')),
      await replace(path, { $ref: `../Users/${other.id}`, displayName: 'ignored' }),
    ])
      expect([reply.status, managerOf(reply.body)]).toEqual([200, shownOf(other)])
    const listed = await scim.filter('/Users', `${path}.displayName eq "other" and id eq "${made.id}"`)
    expect(listed.body.Resources.map(managerOf)).toEqual([shownOf(other)])
    expect(managerOf((await scim.get(`${at}?attributes=${path}.value`)).body)).toEqual({ value: other.id })
    const { $ref } = managerOf((await scim.get(at)).body) as { $ref: string }
    expect((await scim.get($ref.slice(scim.base.length))).body.id).toBe(other.id)
  })

  it('RFC-68 what a client says of the manager beside the id is not kept', async () => {
    const { id } = await tenant.user()
    const sent = { value: id, $ref: 'https://elsewhere.example/Users/1', displayName: 'Somebody else' }
    const made = await tenant.user({ [ENTERPRISE]: { manager: sent } })
    expect(managerOf(made)).toMatchObject({
      value: id,
      $ref: `${scim.base}/Users/${id}`,
      displayName: 'Ada Lovelace',
    })
    const group = await tenant.group()
    for (const value of [UNKNOWN_ID, group.id, 'MAN-7'])
      expect(managerOf(await tenant.user({ [ENTERPRISE]: { manager: { ...sent, value } } }))).toEqual({
        value,
      })
  })

  it('RFC-132 a PUT of what a GET answered changes nothing, manager and all', async () => {
    const boss = await tenant.user()
    const { id } = await tenant.user(managed(boss.id))
    const { body } = await scim.get(`/Users/${id}`)
    const events = await tenant.eventsOf(async () => {
      expect(await scim.put(`/Users/${id}`, body)).toMatchObject({ status: 200, body })
    })
    expect(events).toEqual([])
  })

  it('RFC-167 whoever reported to a deleted user reports to nobody, and has a new version and an event', async () => {
    const own = await newTenant()
    const boss = await own.user()
    const reports = [
      await own.user(managed(boss.id)),
      // Folded beside the document, and inactive.
      await own.user({ ...managed(boss.id, { department: 'Ünits' }), active: false }),
    ]
    const stayer = await own.user(managed(reports[0]?.id ?? ''))
    await own.scim.patch(`/Users/${boss.id}`, [{ op: 'add', path: `${ENTERPRISE}:manager`, value: boss.id }])
    const events = await own.eventsOf(() => own.scim.delete(`/Users/${boss.id}`))
    const after = await Promise.all(reports.map(async ({ id }) => (await own.scim.get(`/Users/${id}`)).body))
    expect(after[0]).not.toHaveProperty([ENTERPRISE])
    expect(after[0]?.schemas).toEqual([USER])
    expect(after[1]?.[ENTERPRISE]).toEqual({ department: 'Ünits' })
    after.forEach((user, i) => {
      expect(user.meta.version).not.toBe(reports[i]?.meta.version)
      expect(Date.parse(user.meta.lastModified)).toBeGreaterThanOrEqual(
        Date.parse(reports[i]?.meta.lastModified ?? ''),
      )
    })
    expect((await own.scim.get(`/Users/${stayer.id}`)).body).toEqual(stayer)
    const filters = [`${ENTERPRISE}:manager.value eq "${boss.id}"`, `${ENTERPRISE}:department eq "ÜNITS"`]
    expect(
      await Promise.all(filters.map(async filter => idsOf(await own.scim.filter('/Users', filter)))),
    ).toEqual([[], [reports[1]?.id]])
    const [deleted, ...updated] = events
    expect([deleted?.type, deleted?.userId]).toEqual(['user.deleted', boss.id])
    // As if the manager had been taken away by a PATCH.
    const patched = await own.user({ ...managed(UNKNOWN_ID), active: false })
    const [like] = await own.eventsOf(() =>
      own.scim.patch(`/Users/${patched.id}`, [{ op: 'remove', path: `${ENTERPRISE}:manager` }]),
    )
    expect(updated).toHaveLength(2)
    for (const { userId, type, txn, data } of updated) {
      const report = reports.find(({ id }) => id === userId)
      expect([type, txn]).toEqual(['user.updated', deleted?.txn])
      const { userName, externalId, active } = report ?? {}
      const { department } = (report?.[ENTERPRISE] ?? {}) as { department?: string }
      const own = { userName, email: userName, ...(department !== undefined && { department }) }
      const profile = { ...(like?.data.profile as object), ...own }
      expect(data).toEqual({ ...like?.data, user: { id: userId, userName, externalId, active }, profile })
    }
    await expectConsistent(own, [own.connection])
  })
})

describe('changes', () => {
  it.each(['compat', 'strict'] as const)(
    'RFC-163 in %s an attribute without a value is no missing target',
    async mode => {
      const own = await newTenant({ mode })
      const { id } = await own.user({ emails: undefined })
      for (const path of ['nickName', 'name.middleName', 'emails', 'emails.display', `${ENTERPRISE}:manager`])
        expect(await own.scim.patch(`/Users/${id}`, [{ op: 'remove', path }]), path).toMatchObject({
          status: 200,
        })
      const named = await own.scim.patch(`/Users/${id}`, [
        { op: 'replace', path: 'nickName', value: 'Addie' },
        { op: 'replace', path: 'name.middleName', value: 'King' },
        { op: 'replace', path: 'emails', value: [{ value: 'ada@x.example' }] },
      ])
      expect(named).toMatchObject({
        status: 200,
        body: { nickName: 'Addie', name: { middleName: 'King' }, emails: [{ value: 'ada@x.example' }] },
      })
    },
  )

  it('RFC-177 in a Bulk each PATCH is all or nothing, and reaches no other tenant', async () => {
    const user = await tenant.user({ title: 'before' })
    const foreign = await (await newTenant()).user()
    const operation = (path: string, ...Operations: unknown[]) => ({
      method: 'PATCH',
      path,
      data: { schemas: [PATCH_OP], Operations },
    })
    const replace = (path: string, value: unknown) => ({ op: 'replace', path, value })
    const { body } = await scim.post('/Bulk', {
      schemas: [BULK_REQUEST],
      Operations: [
        operation(`/Users/${user.id}`, replace('title', 'after'), replace('userName', null)),
        operation(`/Users/${foreign.id}`, replace('title', 'after')),
        operation(`/Users/${user.id}`, replace('nickName', 'done')),
      ],
    })
    const results = body.Operations as { status: string }[]
    expect(results.map(({ status }) => status)).toEqual(['400', '404', '200'])
    expect((await scim.get(`/Users/${user.id}`)).body).toMatchObject({ title: 'before', nickName: 'done' })
  })

  it('RFC-233 a PATCH takes access and deletes nobody; a DELETE is no deactivation and frees the name', async () => {
    const { id, userName } = await tenant.user()
    const at = `/Users/${id}`
    const deactivated = await tenant.eventsOf(() =>
      scim.patch(at, [{ op: 'replace', path: 'active', value: false }]),
    )
    expect(await scim.get(at)).toMatchObject({ status: 200, body: { id, active: false } })
    expect(idsOf(await scim.filter('/Users', `userName eq "${userName}"`))).toEqual([id])
    const deleted = await tenant.eventsOf(() => scim.delete(at))
    expect([...deactivated, ...deleted].map(({ type }) => type)).toEqual(['user.deactivated', 'user.deleted'])
    expectError(await scim.get(at), 404)
    const next = await tenant.user({ userName })
    expect(next.id).not.toBe(id)
  })

  it('RFC-237 an empty group takes a PATCH of sixty membership operations, and is found by its names', async () => {
    const [ada, bob] = [await tenant.user(), await tenant.user()]
    const group = await tenant.group({ externalId: crypto.randomUUID() })
    expect(group.members ?? []).toEqual([])
    const operations = Array.from({ length: 30 }, () => [
      { op: 'add', path: 'members', value: [{ value: ada.id }, { value: bob.id }] },
      { op: 'remove', path: `members[value eq "${bob.id}"]` },
    ]).flat()
    expect((await scim.patch(`/Groups/${group.id}`, operations)).status).toBe(204)
    for (const filter of [
      `externalId eq "${group.externalId}"`,
      `displayName eq "${group.displayName}"`,
      `members[value eq "${ada.id}"]`,
    ])
      expect(idsOf(await scim.filter('/Groups', filter)), filter).toEqual([group.id])
    expect(idsOf(await scim.filter('/Groups', `members[value eq "${bob.id}"]`))).toEqual([])
  })

  it('RFC-235 one PATCH operation changes several attributes', async () => {
    const { id } = await tenant.user()
    const value = { title: 'Countess', nickName: 'Addie', [`${ENTERPRISE}:department`]: 'Engines' }
    expect(await scim.patch(`/Users/${id}`, [{ op: 'replace', value }])).toMatchObject({
      status: 200,
      body: { title: 'Countess', nickName: 'Addie', [ENTERPRISE]: { department: 'Engines' } },
    })
  })
})

describe('refusals', () => {
  it('RFC-181 another version in the URL is 400 invalidVers, no version 404', async () => {
    for (const base of [`${ORIGIN}/scim/v1`, `${ORIGIN}/t/acme/scim/v3`]) {
      const old = scimClient(base, undefined)
      expectError(await old.get('/Users'), 400, 'invalidVers', /v2/)
    }
    expectError(await scimClient(`${ORIGIN}/scim`, undefined).get('/Users'), 404)
    expectError(await scimClient(`${ORIGIN}/scim/v2x`, undefined).get('/Users'), 404)
  })

  it('RFC-186 RFC-187 whatever the status, the body is a SCIM error with a scimType that is defined', async () => {
    // The compiler asks for every ScimType that the service knows, and for no other.
    const defined: Record<ScimType, true> = {
      invalidFilter: true,
      tooMany: true,
      uniqueness: true,
      mutability: true,
      invalidSyntax: true,
      invalidPath: true,
      noTarget: true,
      invalidValue: true,
      invalidVers: true,
      sensitive: true,
      invalidCursor: true,
      expiredCursor: true,
      invalidCount: true,
    }
    const user = await tenant.user()
    const at = `/Users/${user.id}`
    const suspended = await newTenant()
    await suspended.setStatus('suspended')
    const limited = withBindings({
      CONNECTION_LIMIT: { limit: async () => ({ success: false }) } as RateLimit,
    })
    const broken = withBindings({ DB: {} as D1Database })
    const bearer = `Bearer ${tenant.connection.token.value}`
    const refused: [number, Reply, string?][] = [
      [400, await scim.post('/Users', '{'), 'invalidSyntax'],
      [400, await scim.patch(at, [{ op: 'remove' }]), 'noTarget'],
      [401, await scimClient(scim.base, 'Bearer x').get('/Users')],
      [403, await suspended.scim.get('/Users')],
      [404, await scim.get(`/Users/${UNKNOWN_ID}`)],
      [404, await scimClient(`${ORIGIN}/elsewhere`, bearer).get('/Users')],
      [405, await scim.send('PUT', '/Users')],
      [409, await scim.post('/Users', newUser({ userName: user.userName })), 'uniqueness'],
      [412, await scim.delete(at, { 'If-Match': 'W/"other"' })],
      [413, await scim.patch(at, Array(1_001).fill({ op: 'remove', path: 'title' }))],
      [415, await scim.post('/Users', 'x', { 'Content-Type': 'text/plain' })],
      [429, await scimClient(scim.base, bearer, limited).get('/Users')],
      [500, await scimClient(scim.base, bearer, broken).get('/Users')],
      [501, await scim.get('/Me')],
    ]
    for (const [status, reply, scimType] of refused) {
      expectError(reply, status, scimType)
      if (scimType !== undefined) expect(Object.keys(defined)).toContain(scimType)
    }
  })

  it('RFC-189 a failure inside says a number to ask for, and nothing of what failed', async () => {
    const DB = new Proxy({} as D1Database, {
      get: () => () => {
        throw new Error('D1_ERROR: no such column: secret_of_tenant_7 at storage/tokens.ts:42: SQLITE_ERROR')
      },
    })
    const bearer = `Bearer ${tenant.connection.token.value}`
    const reply = await scimClient(scim.base, bearer, withBindings({ DB })).post('/Users', newUser())
    expectError(
      reply,
      500,
      undefined,
      /^An internal error; nothing was changed\. Its number is [0-9a-f-]{36}\.$/,
    )
  })

  it('RFC-219 nobody creates an account without a credential', async () => {
    const before = await tenant.state()
    const anonymous = scimClient(scim.base, undefined)
    for (const path of ['/Me', '/Users', '/Bulk']) expectError(await anonymous.post(path, newUser()), 401)
    expectError(await scim.post('/Me', newUser()), 501)
    expect(await tenant.state()).toEqual(before)
  })
})

describe('privacy', () => {
  it('RFC-210 plain http is refused, not redirected and not looked at, but for this very machine', async () => {
    const bearer = `Bearer ${tenant.connection.token.value}`
    const at = (origin: string) => scimClient(scim.base.replace(ORIGIN, origin), bearer)
    const before = await tenant.state()
    for (const origin of [
      'http://scim.example.com',
      'http://10.0.0.7:8787',
      'http://localhost.example.com',
    ]) {
      expectError(await at(origin).post('/Users', newUser()), 403, undefined, /https/)
      expectError(await at(origin).get('/ServiceProviderConfig'), 403, undefined, /https/)
      const response = await withBindings({})(
        new Request(`${origin}/admin/v1/tenants`, { headers: { Authorization: `Bearer ${ADMIN_TOKEN}` } }),
      )
      expect([response.status, response.headers.get('Content-Type')]).toEqual([
        403,
        'application/problem+json',
      ])
    }
    expect(await tenant.state()).toEqual(before)
    for (const origin of [
      'http://127.0.0.1:8787',
      'http://localhost',
      'http://app.localhost:1',
      'http://[::1]:8787',
    ])
      expect((await at(origin).get('/Users?count=0')).status).toBe(200)
  })

  it('RFC-211 a token has 24 secret bytes of its own, which D1 does not hold, and an end that it does', async () => {
    const { connection, at } = tenant
    const mint = async () => {
      const body = { overlapSeconds: 3600, expiresAt: '2099-01-01T00:00:00.000Z' }
      return admin<{ id: string; value: string; expiresAt: string }>(
        'POST',
        `${at}/connections/${connection.id}/tokens`,
        body,
      )
    }
    // 48 bytes of ids are 64 characters of base64url; 24 bytes of secret are the next 32.
    const secretOf = (value: string) => value.slice('escim_'.length + 64, 'escim_'.length + 96)
    const tokens = [await mint(), await mint(), await mint()]
    expect(new Set(tokens.map(({ value }) => secretOf(value))).size).toBe(3)
    const stored = (await everythingStored()).toLowerCase()
    for (const { id, value } of tokens) {
      const secret = atob(secretOf(value).replaceAll('-', '+').replaceAll('_', '/'))
      const hex = [...secret].map(byte => byte.charCodeAt(0).toString(16).padStart(2, '0')).join('')
      expect(hex).toHaveLength(48)
      expect(stored).toContain(id)
      for (const form of [secretOf(value).toLowerCase(), btoa(secret).toLowerCase(), hex])
        expect(stored).not.toContain(form)
    }
    for (const { expiresAt } of tokens) expect(expiresAt).toBe('2099-01-01T00:00:00.000Z')
  })

  it('RFC-214 what a filter asks for is in no log, and no reply may be stored', async () => {
    const own = await newTenant()
    const replies = [
      await own.scim.filter('/Users', 'emails.value eq "grace.hopper@navy.example"'),
      await own.scim.filter('/Users', 'emails.value eq "grace.hopper@navy.example" and'),
    ]
    expect(replies.map(({ status }) => status)).toEqual([200, 400])
    for (const { headers } of replies) expect(headers.get('Cache-Control')).toBe('no-store')
    await settled()
    const { items } = await admin<{ items: Body[] }>('GET', `${own.at}/activity`)
    expect(items.filter(({ method }) => method === 'GET')).toHaveLength(2)
    expect(JSON.stringify(items)).not.toMatch(/grace|navy|filter=/)
  })

  it('RFC-216 a password that was sent is nowhere in D1', async () => {
    const password = `open sesame ${crypto.randomUUID()}`
    const { id } = await tenant.user({ password })
    const at = `/Users/${id}`
    await scim.put(at, newUser({ password }))
    await scim.patch(at, [{ op: 'replace', path: 'password', value: password }])
    await scim.patch(at, [{ op: 'replace', value: { password, title: 'x' } }])
    await scim.filter('/Users', `password eq "${password}"`)
    await settled()
    const stored = await everythingStored()
    expect(stored).toContain(id)
    expect(stored).not.toContain('open sesame')
  })

  it('RFC-222 no reply may be stored or guessed at, or be read by another page’s script', async () => {
    const { id } = await tenant.user()
    const group = await tenant.group()
    const Origin = 'https://elsewhere.example'
    const replies = [
      await scim.get('/Users', { Origin }),
      await scim.get(`/Users/${id}`, { Origin }),
      await scim.get(`/Users/${id}`, { Origin, 'If-None-Match': '*' }),
      await scim.get('/ServiceProviderConfig', { Origin }),
      await scim.post('/Users', newUser(), { Origin }),
      await scim.patch(`/Groups/${group.id}`, [{ op: 'remove', path: 'members' }], { Origin }),
      await scim.delete(`/Users/${id}`, { Origin }),
      await scim.send('OPTIONS', '/Users', undefined, { Origin, 'Access-Control-Request-Method': 'POST' }),
      await scimClient(scim.base, undefined).get('/Users', { Origin }),
    ]
    expect(replies.map(({ status }) => status)).toEqual([200, 200, 304, 200, 201, 204, 204, 405, 401])
    for (const { headers } of replies) {
      expect(headers.get('Cache-Control')).toBe('no-store')
      expect(headers.get('X-Content-Type-Options')).toBe('nosniff')
      expect([...headers.keys()].filter(name => name.startsWith('access-control-'))).toEqual([])
    }
  })
})
