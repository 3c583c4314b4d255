// A tenant's own schemas, from the operator's PUT to what identity providers may then send, find and see.
import { env } from 'cloudflare:workers'
import { beforeAll, describe, expect, it } from 'vitest'
import { call, plain, through, watched } from './calls'
import {
  ADMIN_TOKEN,
  type Body,
  ENTERPRISE,
  expectError,
  newTenant,
  newUser,
  ORIGIN,
  type Reply,
  type Scim,
  type Tenant,
  USER,
} from './world'

const URN = 'urn:example:scim:schemas:badge:1.0:User'
const TEAM = 'urn:example:scim:schemas:team:1.0:Group'

type Attributes = readonly Readonly<Record<string, unknown>>[]

const schemaOf = (attributes: Attributes, id = URN) => ({ id, name: 'Badge', attributes })

const put = ({ at }: Tenant, attributes: Attributes, urn = URN, extended = 'User') =>
  call('PUT', `${at}/schemas/${urn}?extends=${extended}`, schemaOf(attributes, urn))

async function tenantWith(attributes: Attributes): Promise<Tenant> {
  const tenant = await newTenant()
  expect(await put(tenant, attributes)).toMatchObject({ status: 201 })
  return tenant
}

const withBadge = (badge: object, more: object = {}) =>
  newUser({ schemas: [USER, URN], [URN]: badge, ...more })

/** The tenant's own values of the user, as a GET shows them. */
async function badgeOf(scim: Scim, id: string, query = ''): Promise<unknown> {
  return (await scim.get(`/Users/${id}${query}`)).body[URN]
}

async function found(scim: Scim, filter: string): Promise<string[]> {
  const reply = await scim.filter('/Users', filter)
  expect({ filter, status: reply.status, text: reply.text.slice(0, 300) }).toMatchObject({ status: 200 })
  return reply.body.Resources.map(({ id }) => id)
}

describe('What is published is what was put, and nobody else sees it', () => {
  const attributes = [
    { name: 'badge', type: 'string', required: true, caseExact: true, uniqueness: 'server' },
    { name: 'colour', canonicalValues: ['red', 'green'], description: 'Of the badge.' },
    { name: 'page', type: 'reference', referenceTypes: ['external'], multiValued: true },
    { name: 'pin', mutability: 'writeOnly' },
    {
      name: 'car',
      type: 'complex',
      subAttributes: [{ name: 'plate', mutability: 'immutable', returned: 'always' }],
    },
  ]
  const whole = (name: string, more: object) => ({
    name,
    type: 'string',
    multiValued: false,
    description: '',
    required: false,
    caseExact: false,
    mutability: 'readWrite',
    returned: 'default',
    uniqueness: 'none',
    ...more,
  })
  const { uniqueness: _, ...complex } = whole('car', {
    type: 'complex',
    subAttributes: [whole('plate', { mutability: 'immutable', returned: 'always' })],
  })
  const published = [
    whole('badge', { required: true, caseExact: true, uniqueness: 'server' }),
    whole('colour', { canonicalValues: ['red', 'green'], description: 'Of the badge.' }),
    whole('page', { type: 'reference', referenceTypes: ['external'], multiValued: true, caseExact: true }),
    whole('pin', { mutability: 'writeOnly', returned: 'never' }),
    complex,
  ]
  let tenant: Tenant
  let stranger: Tenant
  beforeAll(async () => {
    tenant = await tenantWith(attributes)
    stranger = await newTenant()
  })

  it('RFC-202, RFC-3 every characteristic stands in /Schemas, with the defaults of RFC 7643 §2.2', async () => {
    const { body } = await tenant.scim.get(`/Schemas/${URN}`)
    expect(body).toMatchObject({ id: URN, name: 'Badge', meta: { resourceType: 'Schema' } })
    expect(body.attributes).toEqual(published)
    const { body: all } = await tenant.scim.get('/Schemas')
    expect(all.Resources.map(({ id }) => id)).toContain(URN)
  })

  it('the admin API answers the same document, and takes it back', async () => {
    const path = `${tenant.at}/schemas/${URN}`
    const { body } = await call('GET', path)
    expect(body).toMatchObject({ id: URN, extends: 'User', attributes: published })
    expect(await call('PUT', path, body)).toEqual({ ...(await call('PUT', path, body)), status: 200, body })
    expect((await call('GET', `${tenant.at}/schemas`)).body.items).toEqual([body])
  })

  it('/ResourceTypes names it as an extension of its type only', async () => {
    const { body } = await tenant.scim.get('/ResourceTypes')
    const extensions = Object.fromEntries(body.Resources.map(type => [type.id, type.schemaExtensions]))
    expect(extensions).toEqual({
      User: [
        { schema: ENTERPRISE, required: false },
        { schema: URN, required: false },
      ],
      Group: [],
    })
  })

  it('RFC-202 another tenant has no such schema, and its users no such attribute', async () => {
    expectError(await stranger.scim.get(`/Schemas/${URN}`), 404)
    expect((await stranger.scim.get('/Schemas')).text).not.toContain(URN)
    expect((await stranger.scim.get('/ResourceTypes')).text).not.toContain(URN)
    expect((await call('GET', `${stranger.at}/schemas`)).body.items).toEqual([])
    expect((await call('GET', `${stranger.at}/schemas/${URN}`)).status).toBe(404)
    const { body } = await stranger.scim.post('/Users', withBadge({ badge: 'B1' }))
    expect(body.schemas).toEqual([USER])
    expectError(await stranger.scim.filter('/Users', `${URN}:badge eq "B1"`), 400, 'invalidFilter')
  })

  it('two tenants give one URN different meanings', async () => {
    const other = await tenantWith([{ name: 'badge', type: 'integer' }])
    expectError(await other.scim.post('/Users', withBadge({ badge: 'B7' })), 400, 'invalidValue', /badge/)
    expect((await tenant.scim.post('/Users', withBadge({ badge: 'B7' }))).status).toBe(201)
    expect((await other.scim.post('/Users', withBadge({ badge: 7 }))).status).toBe(201)
  })
})

describe('Every data type', () => {
  const types = ['string', 'boolean', 'decimal', 'integer', 'dateTime', 'binary', 'reference'] as const
  let tenant: Tenant
  beforeAll(async () => {
    tenant = await tenantWith([
      ...types.flatMap(type => [
        { name: `one-${type}`, type },
        { name: `many-${type}`, type, multiValued: true },
      ]),
      {
        name: 'one-complex',
        type: 'complex',
        subAttributes: types.map(type => ({ name: type, type })),
      },
    ])
  })

  it.each<[(typeof types)[number], low: unknown, high: unknown, wrong: unknown, filter: string]>([
    ['string', 'Ålesund', 'Östersund', 5, 'eq "åLESUND"'],
    ['boolean', false, true, 'perhaps', 'eq false'],
    ['decimal', -0.5, 12.25, '12.25', 'lt 0'],
    ['integer', -7, 41, 1.5, 'le -7'],
    [
      'dateTime',
      '2026-01-01T01:00:00+02:00',
      '2026-01-01T00:00:00Z',
      '2026-02-30T00:00:00Z',
      'lt "2026-01-01T00:00:00Z"',
    ],
    ['binary', 'AQID', 'BQYH', '***', 'eq "AQID"'],
    ['reference', 'https://a.example.com/x', 'https://b.example.com/x', 'not a uri', 'sw "https://a."'],
  ])('%s is checked, kept, found, sorted and changed', async (type, low, high, wrong, filter) => {
    const { scim } = tenant
    const [one, many] = [`one-${type}`, `many-${type}`]
    const create = async (value: unknown): Promise<Body> => {
      const badge = { [one]: value, [many]: [value], 'one-complex': { [type]: value } }
      const reply = await scim.post('/Users', withBadge(badge, { title: type }))
      expect(reply).toMatchObject({ status: 201, body: { [URN]: badge } })
      return reply.body
    }
    const second = await create(high)
    const first = await create(low)
    expectError(await scim.post('/Users', withBadge({ [one]: wrong })), 400, 'invalidValue', /one-/)
    expectError(await scim.post('/Users', withBadge({ [many]: [wrong] })), 400, 'invalidValue', /many-/)

    for (const name of [one, many, `one-complex.${type}`])
      expect(await found(scim, `${URN}:${name} ${filter} and title eq "${type}"`)).toEqual([first.id])
    const sorted = (order: string) =>
      scim.get(`/Users?filter=title%20eq%20%22${type}%22&sortBy=${URN}:${one}&sortOrder=${order}`)
    expect((await sorted('ascending')).body.Resources.map(({ id }) => id)).toEqual([first.id, second.id])
    expect((await sorted('descending')).body.Resources.map(({ id }) => id)).toEqual([second.id, first.id])
    expect(await badgeOf(scim, first.id, `?attributes=${URN}:${one}`)).toEqual({ [one]: low })

    await scim.patch(`/Users/${first.id}`, [
      { op: 'replace', path: `${URN}:${one}`, value: high },
      { op: 'add', path: `${URN}:${many}`, value: [high] },
      { op: 'replace', path: `${URN}:one-complex.${type}`, value: high },
    ])
    const patched = { [one]: high, [many]: [low, high], 'one-complex': { [type]: high } }
    expect(await badgeOf(scim, first.id)).toEqual(patched)
    const refused = await scim.patch(`/Users/${first.id}`, [
      { op: 'replace', path: `${URN}:${one}`, value: wrong },
    ])
    expectError(refused, 400, 'invalidValue', /one-/)
    const { body: whole } = await scim.get(`/Users/${first.id}`)
    await scim.put(`/Users/${first.id}`, { ...whole, [URN]: { [many]: [high] } })
    expect(await badgeOf(scim, first.id)).toEqual({ [many]: [high] })
  })
})

describe('Every characteristic', () => {
  let tenant: Tenant
  let scim: Scim
  beforeAll(async () => {
    tenant = await tenantWith([
      { name: 'given', mutability: 'readOnly' },
      { name: 'first', mutability: 'immutable' },
      { name: 'secret', mutability: 'writeOnly' },
      { name: 'hidden', returned: 'never' },
      { name: 'asked', returned: 'request' },
      { name: 'shown', returned: 'always' },
      { name: 'usual' },
      { name: 'exact', caseExact: true },
      { name: 'folded', uniqueness: 'global' },
      { name: 'cased', uniqueness: 'server', caseExact: true },
      { name: 'number', type: 'integer', uniqueness: 'server' },
      { name: 'moment', type: 'dateTime', uniqueness: 'server' },
      { name: 'tags', multiValued: true, uniqueness: 'server' },
      {
        name: 'pair',
        type: 'complex',
        subAttributes: [
          { name: 'key', required: true },
          { name: 'secret', returned: 'never' },
          { name: 'note' },
        ],
      },
    ])
    scim = tenant.scim
  })
  const user = async (badge: object) => {
    const reply = await scim.post('/Users', withBadge(badge))
    expect({ status: reply.status, text: reply.text.slice(0, 300) }).toMatchObject({ status: 201 })
    return reply.body
  }
  const replace = (id: string, name: string, value: unknown) =>
    scim.patch(`/Users/${id}`, [{ op: 'replace', path: `${URN}:${name}`, value }])

  it('readOnly is ignored in a body and refused in a PATCH', async () => {
    const { id, [URN]: badge } = await user({ given: 'x', usual: 'y' })
    expect(badge).toEqual({ usual: 'y' })
    expectError(await replace(id, 'given', 'x'), 400, 'mutability', /given/)
  })

  it('immutable is given once', async () => {
    const { id } = await user({ usual: 'y' })
    expect((await replace(id, 'first', 'A')).status).toBe(200)
    expectError(await replace(id, 'first', 'B'), 400, 'mutability', /first/)
    const { body } = await scim.get(`/Users/${id}`)
    expectError(
      await scim.put(`/Users/${id}`, { ...body, [URN]: { first: 'B' } }),
      400,
      'mutability',
      /first/,
    )
    await scim.put(`/Users/${id}`, { ...body, [URN]: { usual: 'z' } })
    expect(await badgeOf(scim, id)).toEqual({ first: 'A', usual: 'z' })
  })

  it.each(['secret', 'hidden'])('%s is kept and never told: not shown, found or sorted by', async name => {
    const { id, [URN]: badge } = await user({ [name]: 'x', usual: 'y' })
    expect(badge).toEqual({ usual: 'y' })
    expect(await badgeOf(scim, id, `?attributes=${URN}:${name},${URN}`)).toEqual({ usual: 'y' })
    expectError(await scim.filter('/Users', `${URN}:${name} eq "x"`), 400, 'invalidFilter')
    expectError(await scim.get(`/Users?sortBy=${URN}:${name}`), 400, 'invalidValue')
    const stored = await env.DB.prepare('SELECT document FROM resources WHERE id = ?')
      .bind(id)
      .first('document')
    expect(JSON.parse(String(stored))[URN]).toEqual({ [name]: 'x', usual: 'y' })
  })

  it('a sub-attribute that is never returned is not sorted by either', async () => {
    const { [URN]: badge } = await user({ pair: { key: 'a', secret: 'x' } })
    expect(badge).toEqual({ pair: { key: 'a' } })
    expectError(await scim.get(`/Users?sortBy=${URN}:pair.secret`), 400, 'invalidValue')
    expect((await scim.get(`/Users?sortBy=${URN}:pair.key`)).status).toBe(200)
  })

  it('returned always, default and request, by projection', async () => {
    const { id } = await user({ asked: 'a', shown: 's', usual: 'u' })
    expect(await badgeOf(scim, id)).toEqual({ shown: 's', usual: 'u' })
    expect(await badgeOf(scim, id, '?attributes=userName')).toEqual({ shown: 's' })
    expect(await badgeOf(scim, id, `?attributes=${URN}:asked`)).toEqual({ asked: 'a', shown: 's' })
    expect(await badgeOf(scim, id, `?excludedAttributes=${URN}`)).toEqual({ shown: 's' })
    expect(await badgeOf(scim, id, `?excludedAttributes=${URN}:usual`)).toEqual({ shown: 's' })
  })

  it('caseExact decides what eq finds', async () => {
    const { id } = await user({ exact: 'Straße', usual: 'Straße' })
    expect(await found(scim, `${URN}:usual eq "STRAßE" and id eq "${id}"`)).toEqual([id])
    expect(await found(scim, `${URN}:exact eq "STRAßE"`)).toEqual([])
    expect(await found(scim, `${URN}:exact eq "Straße"`)).toEqual([id])
  })

  it('required holds where the extension is used', async () => {
    expectError(
      await scim.post('/Users', withBadge({ pair: { note: 'x' } })),
      400,
      'invalidValue',
      /pair\.key/,
    )
    expect((await scim.post('/Users', newUser())).status).toBe(201)
  })

  it.each<[string, unknown, unknown, unknown]>([
    ['folded', 'Öl-1', 'öL-1', 'Öl-2'],
    ['cased', 'Ab', 'Ab', 'AB'],
    ['number', 12, 12, 13],
    ['moment', '2026-01-01T00:00:00Z', '2026-01-01T01:00:00+01:00', '2026-01-01T00:00:01Z'],
    ['tags', ['a', 'b'], ['c', 'B'], ['c']],
  ])('%s is unique over POST, PUT and PATCH, and its eq is answered', async (name, value, same, other) => {
    const first = await user({ [name]: value })
    expectError(await scim.post('/Users', withBadge({ [name]: same })), 409, 'uniqueness', new RegExp(name))
    const second = await user({ [name]: other })
    expectError(await replace(second.id, name, same), 409, 'uniqueness', new RegExp(name))
    const body = { ...second, [URN]: { [name]: same } }
    expectError(await scim.put(`/Users/${second.id}`, body), 409, 'uniqueness', new RegExp(name))
    const sought = JSON.stringify(Array.isArray(same) ? same[1] : same)
    expect(await found(scim, `${URN}:${name} eq ${sought}`)).toEqual([first.id])

    expect((await scim.delete(`/Users/${first.id}`)).status).toBe(204)
    expect((await replace(second.id, name, same)).status).toBe(200)
    expect(await found(scim, `${URN}:${name} eq ${sought}`)).toEqual([second.id])
  })

  it('eq on a unique attribute reads no more rows when there are more users', async () => {
    const { id } = await user({ folded: 'needle', number: 4711 })
    const cost = async (filter: string) => {
      const { seen, fetch } = watched()
      expect(await found(through(tenant, fetch), filter)).toEqual([id])
      return seen.rowsRead
    }
    const filters = [`${URN}:folded eq "needle"`, `${URN}:number eq 4711`]
    const before = await Promise.all(filters.map(cost))
    for (let i = 0; i < 30; i++) await user({ folded: `hay ${i}`, number: 5000 + i })
    expect(await Promise.all(filters.map(cost))).toEqual(before)
  })
})

describe('An extension of Group, and additions to the enterprise extension', () => {
  it('a group has attributes of its own, whatever they are called', async () => {
    const tenant = await newTenant()
    const attributes = [
      { name: 'members', required: true },
      { name: 'mail', uniqueness: 'server' },
    ]
    expect((await put(tenant, attributes, TEAM, 'Group')).status).toBe(201)
    const group = (team: object) =>
      tenant.scim.post('/Groups', { displayName: crypto.randomUUID(), [TEAM]: team })
    expectError(await group({ mail: 'a@example.com' }), 400, 'invalidValue', /members/)
    const { status, body } = await group({ members: 'three', mail: 'a@example.com' })
    expect({ status, team: body[TEAM] }).toEqual({
      status: 201,
      team: { members: 'three', mail: 'a@example.com' },
    })
    expectError(await group({ members: 'four', mail: 'A@example.com' }), 409, 'uniqueness', /mail/)
    const { body: listed } = await tenant.scim.filter('/Groups', `${TEAM}:members eq "three"`)
    expect(listed.Resources.map(({ id }) => id)).toEqual([body.id])
  })

  it('the standard attributes stay and the listed ones are added', async () => {
    const tenant = await newTenant()
    const attributes = [{ name: 'department' }, { name: 'desk', type: 'integer' }]
    expect((await put(tenant, attributes, ENTERPRISE)).status).toBe(201)
    const { body } = await tenant.scim.get(`/Schemas/${ENTERPRISE}`)
    expect((body.attributes as { name: string }[]).map(({ name }) => name)).toEqual([
      'employeeNumber',
      'costCenter',
      'organization',
      'division',
      'department',
      'manager',
      'desk',
    ])
    const user = await tenant.user({ [ENTERPRISE]: { department: 'Sales', desk: 12 } })
    expect(user[ENTERPRISE]).toEqual({ department: 'Sales', desk: 12 })
    const path = `${tenant.at}/schemas/${ENTERPRISE}`
    expect((await call('DELETE', path)).body.errors.map(error => error.path)).toEqual([`${ENTERPRISE}:desk`])
    await tenant.scim.patch(`/Users/${user.id}`, [{ op: 'remove', path: `${ENTERPRISE}:desk` }])
    expect((await call('DELETE', path)).status).toBe(204)
    expect((await tenant.scim.get(`/Users/${user.id}`)).body[ENTERPRISE]).toEqual({ department: 'Sales' })
  })
})

describe('A change that stored data contradicts', () => {
  const before = [
    { name: 'badge' },
    { name: 'level', type: 'integer' },
    { name: 'tags', multiValued: true },
    { name: 'free' },
    {
      name: 'cars',
      type: 'complex',
      multiValued: true,
      subAttributes: [{ name: 'plate' }, { name: 'colour' }],
    },
  ]
  const changed = (name: string, more: object | undefined) =>
    before.flatMap(attribute =>
      attribute.name === name ? (more ? [{ ...attribute, ...more }] : []) : [attribute],
    )
  let tenant: Tenant
  let ids: string[]
  beforeAll(async () => {
    tenant = await tenantWith(before)
    const badges = [
      { badge: 'A1', level: 1, tags: ['x'], cars: [{ plate: 'K 1', colour: 'red' }, { colour: 'blue' }] },
      { badge: 'a1', cars: [{ plate: 'K 2' }] },
      { tags: ['y'] },
      undefined,
    ]
    const users = []
    for (const badge of badges) users.push(await tenant.user(badge ? { [URN]: badge } : {}))
    ids = users.map(({ id }) => id)
  })

  it.each<[string, Attributes, string, RegExp]>([
    [
      'an attribute removed',
      changed('badge', undefined),
      'badge',
      /is removed, but 2 User resources have a value/,
    ],
    ['its name spelt otherwise', changed('badge', { name: 'Badge' }), 'badge', /is removed, but 2 /],
    [
      'another type',
      changed('level', { type: 'string' }),
      'level',
      /from integer to string, but 1 User resource has/,
    ],
    [
      'no longer multi-valued',
      changed('tags', { multiValued: false }),
      'tags',
      /no longer multi-valued, but 2 /,
    ],
    ['multi-valued', changed('badge', { multiValued: true }), 'badge', /becomes multi-valued, but 2 /],
    ['required', changed('badge', { required: true }), 'badge', /becomes required, but 1 User resource uses/],
    [
      'a new attribute that is required',
      [...before, { name: 'extra', required: true }],
      'extra',
      /required, but 3 /,
    ],
    [
      'unique',
      changed('badge', { uniqueness: 'server' }),
      'badge',
      /becomes unique, but 2 User resources share/,
    ],
    ['caseExact', changed('badge', { caseExact: true }), 'badge', /becomes caseExact, but 2 /],
    ['readOnly', changed('level', { mutability: 'readOnly' }), 'level', /becomes readOnly, but 1 /],
    [
      'a sub-attribute removed',
      changed('cars', { subAttributes: [{ name: 'plate' }] }),
      'cars.colour',
      /is removed, but 1 User resource has/,
    ],
    [
      'a sub-attribute required',
      changed('cars', { subAttributes: [{ name: 'plate', required: true }, { name: 'colour' }] }),
      'cars.plate',
      /becomes required, but 1 /,
    ],
  ])('%s is 409 with what is in the way, and changes nothing', async (_, attributes, name, message) => {
    const published = await tenant.scim.get(`/Schemas/${URN}`)
    const reply = await put(tenant, attributes)
    expect(reply).toMatchObject({ status: 409 })
    expect(reply.body.errors).toEqual([{ path: `${URN}:${name}`, message: expect.stringMatching(message) }])
    expect((await tenant.scim.get(`/Schemas/${URN}`)).body).toEqual(published.body)
  })

  it('several at once are all listed, and so is what a DELETE would take', async () => {
    const { body } = await put(tenant, [{ name: 'level' }])
    expect(body.errors.map(({ path }) => path).sort()).toEqual(
      ['badge', 'cars', 'level', 'tags'].map(name => `${URN}:${name}`),
    )
    const deletion = await call('DELETE', `${tenant.at}/schemas/${URN}`)
    expect(deletion).toMatchObject({
      status: 409,
      body: { detail: expect.stringContaining(`${URN}:tags is removed`) },
    })
    expect(await found(tenant.scim, `${URN}:tags eq "y"`)).toEqual([ids[2]])
  })

  it('another resource type is 409', async () => {
    expect(await put(tenant, before, URN, 'Group')).toMatchObject({
      status: 409,
      body: { detail: /extends User/ },
    })
  })

  it('optional attributes come, and unused ones go and change, at any time', async () => {
    const loose = await tenantWith(before)
    await loose.user({ [URN]: { badge: 'A1' } })
    const attributes = [
      { name: 'badge' },
      { name: 'free', type: 'boolean' },
      { name: 'more', multiValued: true },
    ]
    expect(await put(loose, attributes)).toMatchObject({ status: 200 })
    expect((await loose.scim.post('/Users', withBadge({ free: true, more: ['x'] }))).status).toBe(201)
  })

  it('an attribute that becomes unique is so for what is stored; one that no longer is, for nothing', async () => {
    const { scim, ...loose } = await tenantWith([{ name: 'badge' }, { name: 'on', type: 'dateTime' }])
    const badge = { badge: 'Ä 1', on: '2026-01-01T00:00:00Z' }
    const user = await loose.user({ [URN]: badge })
    const unique = ['badge', 'on'].map(name => ({
      name,
      type: name === 'on' ? 'dateTime' : 'string',
      uniqueness: 'server',
    }))
    expect(await put({ scim, ...loose }, unique)).toMatchObject({ status: 200 })
    expect(await found(scim, `${URN}:badge eq "ä 1"`)).toEqual([user.id])
    expectError(await scim.post('/Users', withBadge({ badge: 'ä 1' })), 409, 'uniqueness', /badge/)
    expectError(
      await scim.post('/Users', withBadge({ on: '2025-12-31T23:00:00-01:00' })),
      409,
      'uniqueness',
      /on/,
    )
    expect(
      await put({ scim, ...loose }, [{ name: 'badge' }, { name: 'on', type: 'dateTime' }]),
    ).toMatchObject({ status: 200 })
    const { body: twin } = await scim.post('/Users', withBadge(badge))
    expect((await put({ scim, ...loose }, unique)).body.errors.map(({ path }) => path)).toEqual(
      ['badge', 'on'].map(name => `${URN}:${name}`),
    )
    await scim.delete(`/Users/${user.id}`)
    expect(await put({ scim, ...loose }, unique)).toMatchObject({ status: 200 })
    expect(await found(scim, `${URN}:badge eq "ä 1"`)).toEqual([twin.id])
  })

  it('a list that becomes unique is so element by element', async () => {
    const tags = { name: 'tags', multiValued: true }
    const loose = await tenantWith([tags])
    const user = await loose.user({ [URN]: { tags: ['x', 'y'] } })
    const other = await loose.user({ [URN]: { tags: ['z', 'Y'] } })
    const { body } = await put(loose, [{ ...tags, uniqueness: 'server' }])
    expect(body.errors).toEqual([{ path: `${URN}:tags`, message: expect.stringMatching(/but 2 /) }])
    await loose.scim.patch(`/Users/${other.id}`, [{ op: 'remove', path: `${URN}:tags[value eq "y"]` }])
    expect(await put(loose, [{ ...tags, uniqueness: 'server' }])).toMatchObject({ status: 200 })
    expect(await found(loose.scim, `${URN}:tags eq "Y"`)).toEqual([user.id])
    expectError(await loose.scim.post('/Users', withBadge({ tags: ['a', 'Z'] })), 409, 'uniqueness', /tags/)
  })

  it('a schema whose values are gone can be deleted, and is gone from the next request on', async () => {
    const loose = await tenantWith(before)
    const user = await loose.user({ [URN]: { badge: 'A1' } })
    expect((await call('DELETE', `${loose.at}/schemas/${URN}`)).status).toBe(409)
    await loose.scim.patch(`/Users/${user.id}`, [{ op: 'remove', path: `${URN}:badge` }])
    expect((await call('DELETE', `${loose.at}/schemas/${URN}`)).status).toBe(204)
    expectError(await loose.scim.get(`/Schemas/${URN}`), 404)
    expect((await call('DELETE', `${loose.at}/schemas/${URN}`)).status).toBe(404)
  })
})

describe('Schemas and requests at once', () => {
  const both = [{ name: 'badge' }, { name: 'level', type: 'integer' }]
  const strict = async (attributes: Attributes) => {
    const tenant = await newTenant({ mode: 'strict' })
    await put(tenant, attributes)
    return tenant
  }

  it.each<[string, number, string, (scim: Scim, id: string) => Promise<Reply>]>([
    ['POST, before it is written', 1, 'invalidSyntax', scim => scim.post('/Users', withBadge({ level: 1 }))],
    [
      'PATCH, between its read and its write',
      2,
      'invalidPath',
      (scim, id) => scim.patch(`/Users/${id}`, [{ op: 'add', path: `${URN}:level`, value: 1 }]),
    ],
    [
      'PUT, between its read and its write',
      2,
      'invalidSyntax',
      (scim, id) => scim.put(`/Users/${id}`, withBadge({ level: 1 })),
    ],
  ])('%s: nothing is written by a schema that is gone', async (_, at, scimType, send) => {
    const tenant = await strict(both)
    const user = await tenant.user()
    const { fetch } = watched(batch => (batch === at ? put(tenant, [{ name: 'badge' }]) : undefined))
    expectError(await send(through(tenant, fetch), user.id), 400, scimType, /level/)
    const stored = env.DB.prepare(
      'SELECT group_concat(r.document) AS all_of FROM resources r JOIN tenants t USING (tenant_id) WHERE t.slug = ?',
    )
    expect(await stored.bind(tenant.slug).first('all_of')).not.toContain('level')
  })

  it('a request that is right by the new schema is done by it', async () => {
    const tenant = await strict([{ name: 'badge' }])
    const user = await tenant.user()
    const { fetch } = watched(batch =>
      batch === 2 ? put(tenant, [{ name: 'badge', uniqueness: 'server' }]) : undefined,
    )
    const patch = [{ op: 'add', path: `${URN}:badge`, value: 'B1' }]
    expect((await through(tenant, fetch).patch(`/Users/${user.id}`, patch)).status).toBe(200)
    expectError(await tenant.scim.post('/Users', withBadge({ badge: 'b1' })), 409, 'uniqueness', /badge/)
  })

  it('what was done of a Bulk stays; the rest is 503, each for itself', async () => {
    const tenant = await strict(both)
    await tenant.scim.get('/Schemas')
    const { fetch } = watched(batch => (batch === 2 ? put(tenant, [{ name: 'badge' }]) : undefined))
    const operation = (n: number) => ({
      method: 'POST',
      path: '/Users',
      bulkId: `b${n}`,
      data: withBadge({ badge: `${n}` }),
    })
    const { status, body } = await through(tenant, fetch).post('/Bulk', {
      schemas: ['urn:ietf:params:scim:api:messages:2.0:BulkRequest'],
      Operations: [operation(1), operation(2)],
    })
    expect(status).toBe(200)
    expect((body.Operations as { status: string }[]).map(result => result.status)).toEqual(['201', '503'])
    expect((await tenant.scim.get('/Users')).body.totalResults).toBe(1)
  })

  it('a value that is written while its attribute goes is in the way', async () => {
    const tenant = await strict(both)
    const { fetch } = watched(batch =>
      batch === 2 ? tenant.scim.post('/Users', withBadge({ level: 1 })) : undefined,
    )
    const reply = await call('PUT', `${tenant.at}/schemas/${URN}`, schemaOf([{ name: 'badge' }]), fetch)
    expect(reply).toMatchObject({ status: 409, body: { errors: [{ path: `${URN}:level` }] } })
  })

  it('a change is judged by the schema that is there when it is made', async () => {
    const tenant = await strict([{ name: 'badge' }])
    const other = async () => {
      await put(tenant, both)
      await tenant.user({ [URN]: { level: 1 } })
    }
    const { fetch } = watched(batch => (batch === 2 ? other() : undefined))
    const reply = await call('PUT', `${tenant.at}/schemas/${URN}`, schemaOf([{ name: 'badge' }]), fetch)
    expect(reply).toMatchObject({ status: 409, body: { errors: [{ path: `${URN}:level` }] } })
  })

  it('of two changes at once none is lost', async () => {
    const tenant = await newTenant()
    const urns = [1, 2, 3].map(n => `urn:example:scim:n${n}:1.0:User`)
    const replies = await Promise.all(urns.map(urn => put(tenant, both, urn)))
    expect(replies.map(({ status }) => status)).toEqual([201, 201, 201])
    const { body } = await tenant.scim.get('/Schemas')
    expect(body.Resources.map(({ id }) => id)).toEqual(expect.arrayContaining(urns))
  })
})

describe('What it costs', () => {
  const calls = async (tenant: Tenant, path: string) => {
    const { seen, fetch } = watched()
    const { status } = await through(tenant, fetch).get(path)
    expect(status).toBe(200)
    return seen.calls
  }

  it('a read is one call to D1 without schemas, however often the tenant is changed', async () => {
    const tenant = await newTenant()
    await tenant.user()
    expect(await calls(tenant, '/Users')).toBe(1)
    await tenant.connect()
    expect(await calls(tenant, '/Users')).toBe(1)
    expect(await calls(tenant, '/Schemas')).toBe(1)
  })

  it('with schemas it is one once they are known, and three when they have changed', async () => {
    const tenant = await tenantWith([{ name: 'badge' }])
    await tenant.user()
    expect(await calls(tenant, '/Users')).toBe(1)
    await put(tenant, [{ name: 'badge' }, { name: 'more' }])
    expect(await calls(tenant, '/Users')).toBe(3)
    expect(await calls(tenant, `/Users?filter=${URN}:more%20pr`)).toBe(1)
    await tenant.scim.get('/Schemas')
    await call('DELETE', `${tenant.at}/schemas/${URN}`)
    expect(await calls(tenant, '/Users')).toBe(2)
    expect(await calls(tenant, '/Users')).toBe(1)
  })
})

describe('The operator', () => {
  it('finds people by the attributes of the tenant, and changes them by its schemas', async () => {
    const tenant = await tenantWith([{ name: 'town' }, { name: 'from', type: 'dateTime' }])
    const user = await tenant.user({ [URN]: { town: 'ÅRHUS', from: '2026-01-01T00:00:00Z' } })
    const found = () =>
      call('GET', `${tenant.at}/users?filter=${encodeURIComponent(`${URN}:town eq "århus"`)}`)
    expect((await found()).body.items.map(({ id }) => id)).toEqual([user.id])
    expect((await call('POST', `${tenant.at}/users/${user.id}/revoke-sessions`)).status).toBe(202)
    expect((await found()).body.items.map(({ id }) => id)).toEqual([user.id])
    await tenant.setStatus('suspended')
    await tenant.setStatus('active')
    expect((await found()).body.items.map(({ id }) => id)).toEqual([user.id])
    expect(
      (await tenant.scim.filter('/Users', `${URN}:from lt "2026-01-02T00:00:00Z"`)).body.totalResults,
    ).toBe(1)
  })

  it('is told every problem of a document by its place', async () => {
    const { at } = await newTenant()
    const reply = await call('PUT', `${at}/schemas/${URN}?extends=User`, {
      id: URN,
      name: 'Badge',
      attributes: [{ name: '1st' }, { name: 'b', type: 'text' }, { name: 'c', type: 'complex' }],
    })
    expect(reply).toMatchObject({ status: 422 })
    expect(reply.body.errors.map(({ path }) => path)).toEqual([
      'attributes[0].name',
      'attributes[1].type',
      'attributes[2].subAttributes',
    ])
    expect((await call('GET', `${at}/schemas/${URN}`)).status).toBe(404)
  })

  it.each([
    ['without its type', '', 'extends'],
    ['of an unknown type', '?extends=Printer', 'extends'],
  ])('a first PUT %s is 422', async (_, query, path) => {
    const { at } = await newTenant()
    const reply = await call('PUT', `${at}/schemas/${URN}${query}`, schemaOf([{ name: 'badge' }]))
    expect(reply).toMatchObject({ status: 422, body: { errors: [{ path }] } })
  })

  it('a document with another id than its path is 422, and so is one spelt otherwise than before', async () => {
    const tenant = await tenantWith([{ name: 'badge' }])
    const at = `${tenant.at}/schemas`
    const other = schemaOf([{ name: 'badge' }], 'urn:example:other:1.0:User')
    expect(await call('PUT', `${at}/${URN}`, other)).toMatchObject({
      status: 422,
      body: { errors: [{ path: 'id' }] },
    })
    const spelt = schemaOf([{ name: 'badge' }], URN.toUpperCase())
    expect(await call('PUT', `${at}/${URN.toUpperCase()}`, spelt)).toMatchObject({ status: 422 })
    expect((await call('GET', `${at}/${URN.toUpperCase()}`)).body.id).toBe(URN)
  })

  it('has at most twenty schemas in a tenant', async () => {
    const tenant = await newTenant()
    const nth = (n: number) => put(tenant, [{ name: 'badge' }], `urn:example:scim:n${n}:1.0:User`)
    for (let n = 1; n <= 20; n++) expect(await nth(n)).toMatchObject({ status: 201 })
    expect(await nth(21)).toMatchObject({ status: 409 })
    expect(await nth(20)).toMatchObject({ status: 200 })
  })

  it('JSON that is deeper than anything in it could be is 400', async () => {
    const { at } = await newTenant()
    const deep = `${'['.repeat(60_000)}${']'.repeat(60_000)}`
    const init = { method: 'PUT', headers: { Authorization: `Bearer ${ADMIN_TOKEN}` } }
    const body = `{"name":"Badge","attributes":[{"name":"a","canonicalValues":${deep}}]}`
    const url = `${ORIGIN}/admin/v1${at}/schemas/${URN}?extends=User`
    expect((await plain(new Request(url, { ...init, body }))).status).toBe(400)
  })

  it('takes the schemas along when a tenant is deleted', async () => {
    const tenant = await tenantWith([{ name: 'badge' }])
    const { body } = await call('GET', tenant.at)
    const left = env.DB.prepare('SELECT count(*) AS n FROM tenant_schemas WHERE tenant_id = ?').bind(body.id)
    expect(await left.first('n')).toBe(1)
    expect((await call('DELETE', tenant.at)).status).toBe(202)
    expect(await left.first('n')).toBe(0)
  })

  it('reads of the calls in openapi.json', async () => {
    const { paths } = (await call('GET', '/openapi.json')).body
    expect(Object.keys(paths['/tenants/{slug}/schemas'] ?? {})).toEqual(['get'])
    expect(Object.keys(paths['/tenants/{slug}/schemas/{urn}'] ?? {})).toEqual(['get', 'put', 'delete'])
  })
})
