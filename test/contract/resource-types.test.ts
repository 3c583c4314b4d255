// A tenant's own resource types, from the operator's PUT to what identity providers may then create, find and see.
import { env } from 'cloudflare:workers'
import { beforeAll, describe, expect, it } from 'vitest'
import { call, plain, through, watched } from './calls'
import {
  ADMIN_TOKEN,
  admin,
  type Body,
  expectError,
  GROUP,
  newTenant,
  newUser,
  ORIGIN,
  type Reply,
  type Scim,
  SEARCH_REQUEST,
  type Tenant,
  USER,
} from './world'

const DEVICE = 'urn:example:scim:schemas:1.0:Device'
const WARRANTY = 'urn:example:scim:schemas:warranty:1.0:Device'
const LEASE = 'urn:example:scim:schemas:lease:1.0:Device'

type Attributes = readonly Readonly<Record<string, unknown>>[]

const schemaOf = (attributes: Attributes, id = DEVICE) => ({ id, name: 'Device', attributes })
const deviceType = (attributes: Attributes, more: object = {}) => ({
  name: 'Device',
  endpoint: '/Devices',
  schema: schemaOf(attributes),
  ...more,
})

const put = ({ at }: Pick<Tenant, 'at'>, attributes: Attributes, more: object = {}) =>
  call('PUT', `${at}/resource-types/Device`, deviceType(attributes, more))

async function tenantWith(attributes: Attributes, more: object = {}, mode: 'compat' | 'strict' = 'compat') {
  const tenant = await newTenant({ mode })
  expect(await put(tenant, attributes, more)).toMatchObject({ status: 201 })
  return tenant
}

const device = (more: object = {}) => ({ schemas: [DEVICE], ...more })

async function created(scim: Scim, more: object): Promise<Body> {
  const reply = await scim.post('/Devices', device(more))
  expect({ status: reply.status, text: reply.text.slice(0, 300) }).toMatchObject({ status: 201 })
  return reply.body
}

async function found(scim: Scim, filter: string, endpoint = '/Devices'): Promise<string[]> {
  const reply = await scim.filter(endpoint, filter)
  expect({ filter, status: reply.status, text: reply.text.slice(0, 300) }).toMatchObject({ status: 200 })
  return reply.body.Resources.map(({ id }) => id)
}

/** What of a resource is its own: neither id, meta nor schemas. */
async function valuesOf(scim: Scim, id: string, query = ''): Promise<unknown> {
  const { schemas: _, id: __, meta: ___, ...values } = (await scim.get(`/Devices/${id}${query}`)).body
  return values
}

const replace = (scim: Scim, id: string, path: string, value: unknown) =>
  scim.patch(`/Devices/${id}`, [{ op: 'replace', path, value }])

const whole = (name: string, more: object = {}) => ({
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

describe('What is published is what was put, and nobody else sees it', () => {
  const attributes = [
    { name: 'serial', required: true, caseExact: true, uniqueness: 'server' },
    { name: 'colour', canonicalValues: ['red', 'green'], description: 'Of the case.' },
    { name: 'pin', mutability: 'writeOnly' },
  ]
  const published = [
    whole('serial', { required: true, caseExact: true, uniqueness: 'server' }),
    whole('colour', { canonicalValues: ['red', 'green'], description: 'Of the case.' }),
    whole('pin', { mutability: 'writeOnly', returned: 'never' }),
  ]
  const extensions = [
    { schema: { id: WARRANTY, name: 'Warranty', attributes: [{ name: 'until', type: 'dateTime' }] } },
    { id: LEASE, name: 'Lease', attributes: [{ name: 'lessor' }], required: true },
  ]
  const leased = { [LEASE]: { lessor: 'Acme' } }
  let tenant: Tenant
  let stranger: Tenant
  beforeAll(async () => {
    tenant = await tenantWith(attributes, { description: 'Something with a plug', extensions })
    stranger = await newTenant()
  })

  it('RFC-199 /ResourceTypes names it with endpoint, schema and extensions', async () => {
    const { body } = await tenant.scim.get('/ResourceTypes/Device')
    expect(body).toEqual({
      schemas: ['urn:ietf:params:scim:schemas:core:2.0:ResourceType'],
      id: 'Device',
      name: 'Device',
      endpoint: '/Devices',
      description: 'Something with a plug',
      schema: DEVICE,
      schemaExtensions: [
        { schema: WARRANTY, required: false },
        { schema: LEASE, required: true },
      ],
      meta: { resourceType: 'ResourceType', location: `${tenant.connection.baseUrl}/ResourceTypes/Device` },
    })
    const { body: all } = await tenant.scim.get('/ResourceTypes')
    expect(all.Resources.map(({ id }) => id)).toEqual(['User', 'Group', 'Device'])
  })

  it('RFC-202, RFC-3 its schemas stand in /Schemas with every characteristic', async () => {
    expect((await tenant.scim.get(`/Schemas/${DEVICE}`)).body.attributes).toEqual(published)
    const { body } = await tenant.scim.get('/Schemas')
    expect(body.Resources.map(({ id }) => id)).toEqual(expect.arrayContaining([DEVICE, WARRANTY, LEASE]))
  })

  it('the admin API answers the same schemas, and takes its own answer back', async () => {
    const path = `${tenant.at}/resource-types/Device`
    const { body } = await call('GET', path)
    expect(body).toMatchObject({
      name: 'Device',
      endpoint: '/Devices',
      description: 'Something with a plug',
      schema: { id: DEVICE, attributes: published },
      extensions: [
        { schema: { id: WARRANTY, attributes: [whole('until', { type: 'dateTime' })] }, required: false },
        { schema: { id: LEASE, attributes: [whole('lessor')] }, required: true },
      ],
    })
    expect(await call('PUT', path, body)).toMatchObject({ status: 200, body })
    expect((await call('GET', `${tenant.at}/resource-types`)).body.items).toEqual([body])
  })

  it('another tenant has no such endpoint, schema or type', async () => {
    for (const path of ['/Devices', '/ResourceTypes/Device', `/Schemas/${DEVICE}`])
      expectError(await stranger.scim.get(path), 404)
    expectError(await stranger.scim.post('/Devices', device({ serial: 'S1' })), 404)
    for (const path of ['/ResourceTypes', '/Schemas'])
      expect((await stranger.scim.get(path)).text).not.toContain('Device')
    expect((await call('GET', `${stranger.at}/resource-types`)).body.items).toEqual([])
    expect((await call('GET', `${stranger.at}/resource-types/Device`)).status).toBe(404)
    expect((await call('DELETE', `${stranger.at}/resource-types/Device`)).status).toBe(404)
  })

  it('two tenants give one name different meanings, and never see each other’s resources', async () => {
    const other = await tenantWith([{ name: 'serial', type: 'integer' }], { endpoint: '/Machines' })
    const mine = await created(tenant.scim, { serial: 'S7', ...leased })
    expectError(await other.scim.post('/Machines', device({ serial: 'S7' })), 400, 'invalidValue', /serial/)
    const { status, body } = await other.scim.post('/Machines', device({ serial: 7 }))
    expect(status).toBe(201)
    expectError(await other.scim.get(`/Machines/${mine.id}`), 404)
    expectError(await tenant.scim.get(`/Devices/${body.id}`), 404)
    expectError(await other.scim.delete(`/Machines/${mine.id}`), 404)
    expect((await other.scim.get('/Machines')).body.totalResults).toBe(1)
    expect(await found(tenant.scim, 'serial pr')).toEqual([mine.id])
  })

  it('RFC-200 a required extension must be there', async () => {
    expectError(await tenant.scim.post('/Devices', device({ serial: 'S8' })), 400, 'invalidValue', /lease/)
    const { body } = await tenant.scim.post('/Devices', device({ serial: 'S8', ...leased }))
    expect(body.schemas).toEqual([DEVICE, LEASE])
    const removal = await tenant.scim.patch(`/Devices/${body.id}`, [{ op: 'remove', path: LEASE }])
    expectError(removal, 400, 'mutability', /lease/)
  })
})

describe('Everything that a user has, a resource of the type has', () => {
  let tenant: Tenant
  let scim: Scim
  beforeAll(async () => {
    tenant = await tenantWith(
      [
        { name: 'serial', required: true, uniqueness: 'server' },
        { name: 'displayName' },
        { name: 'ports', type: 'integer' },
        {
          name: 'owner',
          type: 'complex',
          subAttributes: [{ name: 'value' }, { name: 'since', type: 'dateTime' }],
        },
        {
          name: 'cards',
          type: 'complex',
          multiValued: true,
          subAttributes: [{ name: 'value' }, { name: 'type' }, { name: 'primary', type: 'boolean' }],
        },
      ],
      {
        extensions: [
          { schema: { id: WARRANTY, name: 'Warranty', attributes: [{ name: 'level', type: 'integer' }] } },
        ],
      },
    )
    scim = tenant.scim
  })

  it('RFC-70, RFC-126 POST, GET, PUT and DELETE', async () => {
    const { status, headers, body } = await scim.post(
      '/Devices',
      device({ serial: 'A1', externalId: 'e1', ports: 4, [WARRANTY]: { level: 2 } }),
    )
    const location = `${tenant.connection.baseUrl}/Devices/${body.id}`
    expect({ status, location: headers.get('Location'), etag: headers.get('ETag') }).toEqual({
      status: 201,
      location,
      etag: body.meta.version,
    })
    expect(body).toMatchObject({
      schemas: [DEVICE, WARRANTY],
      externalId: 'e1',
      serial: 'A1',
      meta: { resourceType: 'Device', location },
    })
    expect((await scim.get(`/Devices/${body.id}`)).body).toEqual(body)
    expectError(await scim.get(`/Users/${body.id}`), 404)
    expect((await scim.put(`/Devices/${body.id}`, device({ serial: 'A2' }))).body).toMatchObject({
      serial: 'A2',
    })
    expect(await valuesOf(scim, body.id)).toEqual({ serial: 'A2', externalId: 'e1' })
    expect((await scim.delete(`/Devices/${body.id}`)).status).toBe(204)
    expectError(await scim.get(`/Devices/${body.id}`), 404)
  })

  it('RFC-39 required holds for every resource', async () => {
    expectError(await scim.post('/Devices', device({ displayName: 'x' })), 400, 'invalidValue', /serial/)
    const { id } = await created(scim, { serial: 'A3' })
    expectError(await scim.patch(`/Devices/${id}`, [{ op: 'remove', path: 'serial' }]), 400, 'mutability')
    expectError(await scim.put(`/Devices/${id}`, device({ serial: ' ' })), 400, 'invalidValue', /serial/)
  })

  it('PATCH with value paths, sub-attributes and qualified names', async () => {
    const { id } = await created(scim, {
      serial: 'A4',
      cards: [
        { value: 'lan', type: 'wired' },
        { value: 'wifi', type: 'radio', primary: true },
      ],
    })
    const reply = await scim.patch(`/Devices/${id}`, [
      { op: 'replace', path: 'cards[type eq "wired"].value', value: 'lan2' },
      { op: 'add', path: 'cards', value: [{ value: 'bt', type: 'near' }] },
      { op: 'add', path: `${DEVICE}:owner.value`, value: 'ann' },
      { op: 'add', path: `${WARRANTY}:level`, value: 3 },
      { op: 'remove', path: 'cards[type eq "radio"]' },
    ])
    expect(reply.status).toBe(200)
    expect(await valuesOf(scim, id)).toEqual({
      serial: 'A4',
      owner: { value: 'ann' },
      cards: [
        { value: 'lan2', type: 'wired' },
        { value: 'bt', type: 'near' },
      ],
      [WARRANTY]: { level: 3 },
    })
    const { version } = reply.body.meta
    const again = await scim.patch(`/Devices/${id}`, [{ op: 'replace', path: 'serial', value: 'A4' }])
    expect(again.body.meta.version).toBe(version)
  })

  it('ETags: 304, 412, and a write over the version that was read', async () => {
    const { id, meta } = await created(scim, { serial: 'A5' })
    expect((await scim.get(`/Devices/${id}`, { 'If-None-Match': meta.version })).status).toBe(304)
    const headers = { 'If-Match': meta.version }
    expect((await scim.put(`/Devices/${id}`, device({ serial: 'A5b' }), headers)).status).toBe(200)
    expectError(await scim.put(`/Devices/${id}`, device({ serial: 'A5c' }), headers), 412)
    expectError(await scim.delete(`/Devices/${id}`, headers), 412)
  })

  it('fifty PATCHes at once lose nothing', async () => {
    const { id } = await created(scim, { serial: 'A6' })
    const values = Array.from({ length: 50 }, (_, i) => `card ${i}`)
    const replies = await Promise.all(
      values.map(value => scim.patch(`/Devices/${id}`, [{ op: 'add', path: 'cards', value: [{ value }] }])),
    )
    expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([200]))
    const { body } = await scim.get(`/Devices/${id}`)
    expect((body.cards as { value: string }[]).map(({ value }) => value).sort()).toEqual(values.sort())
  })

  it('lists by index and by cursor, filtered, sorted, projected and searched', async () => {
    const own = await tenantWith([{ name: 'rank', type: 'integer' }, { name: 'label' }])
    const ids: string[] = []
    for (const rank of [3, 1, 2, 5, 4])
      ids.push((await created(own.scim, { rank, label: `L${rank % 2}` })).id)
    await own.user()
    const get = async (query: string) => (await own.scim.get(`/Devices?${query}`)).body
    const idsOf = (body: Body) => body.Resources.map(({ id }) => id)
    expect(idsOf(await get('startIndex=2&count=3'))).toEqual(ids.slice(1, 4))
    const [ranks] = [[ids[1], ids[2], ids[0], ids[4], ids[3]]]
    expect(idsOf(await get('sortBy=rank'))).toEqual(ranks)
    expect(idsOf(await get('sortBy=rank&sortOrder=descending'))).toEqual(ranks.toReversed())
    expect(idsOf(await get(`filter=${encodeURIComponent('rank gt 2 and label eq "l1"')}`))).toEqual([
      ids[0],
      ids[3],
    ])
    const walked: string[] = []
    for (let cursor: unknown = ''; cursor !== undefined; ) {
      const page = await get(`count=2&sortBy=rank&cursor=${cursor}`)
      walked.push(...idsOf(page))
      cursor = page.nextCursor
    }
    expect(walked).toEqual(ranks)
    const search = { schemas: [SEARCH_REQUEST], filter: 'rank eq 5', attributes: ['label'] }
    const { body } = await own.scim.post('/Devices/.search', search)
    expect(body.Resources).toEqual([{ schemas: [DEVICE], id: ids[3], label: 'L1' }])
    await own.scim.delete(`/Devices/${ids[1]}`)
    expect(await get('startIndex=2&count=1')).toMatchObject({ totalResults: 4, Resources: [{ id: ids[2] }] })
  })

  it('the list over all types has it, and understands its attributes', async () => {
    const own = await tenantWith([{ name: 'displayName' }, { name: 'rank', type: 'integer' }])
    const user = await own.user({ displayName: 'Same' })
    const { id } = await created(own.scim, { displayName: 'Same', rank: 1 })
    const { body } = await own.scim.filter('/', 'displayName eq "same"')
    expect(body.Resources.map(one => [one.id, one.meta.resourceType])).toEqual([
      [user.id, 'User'],
      [id, 'Device'],
    ])
    expect(await found(own.scim, 'rank eq 1', '/')).toEqual([id])
    expect(await found(own.scim, 'meta.resourceType eq "Device"', '/')).toEqual([id])
    const search = { schemas: [SEARCH_REQUEST], filter: 'rank pr' }
    expect((await own.scim.post('/.search', search)).body.totalResults).toBe(1)
  })

  it('RFC-173, RFC-174 Bulk creates, changes and deletes it, with references both ways', async () => {
    const operation = (method: string, path: string, data?: object, bulkId?: string) => ({
      method,
      path,
      ...(data && { data }),
      ...(bulkId && { bulkId }),
    })
    const { status, body } = await scim.post('/Bulk', {
      schemas: ['urn:ietf:params:scim:api:messages:2.0:BulkRequest'],
      Operations: [
        operation('POST', '/Devices', device({ serial: 'B1', owner: { value: 'bulkId:u' } }), 'd'),
        operation('POST', '/Users', newUser(), 'u'),
        operation('PATCH', '/Devices/bulkId:d', {
          schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
          Operations: [{ op: 'add', path: 'ports', value: 2 }],
        }),
        operation('POST', '/Devices', device({ serial: 'b1' }), 'double'),
        operation('POST', '/devices', device({ serial: 'B2' }), 'spelt'),
      ],
    })
    expect(status).toBe(200)
    const results = body.Operations as { status: string; location: string }[]
    expect(results.map(result => result.status)).toEqual(['201', '201', '200', '409', '404'])
    const id = results[0]?.location.split('/').at(-1) ?? ''
    const owner = results[1]?.location.split('/').at(-1)
    expect(await valuesOf(scim, id)).toEqual({ serial: 'B1', owner: { value: owner }, ports: 2 })
  })

  it('strict mode refuses what no schema of the type defines; compat ignores it', async () => {
    const strict = await tenantWith([{ name: 'serial' }], {}, 'strict')
    expectError(
      await strict.scim.post('/Devices', device({ userName: 'x' })),
      400,
      'invalidSyntax',
      /userName/,
    )
    expectError(await strict.scim.post('/Devices', { serial: 'x' }), 400, 'invalidSyntax', /schemas/)
    expectError(await strict.scim.filter('/Devices', 'userName eq "x"'), 400, 'invalidFilter')
    const { id } = await created(scim, { serial: 'A7', userName: 'x' })
    expect(await valuesOf(scim, id)).toEqual({ serial: 'A7' })
  })

  it('another method, another letter case and anything below an id are answered as for users', async () => {
    const reply = await scim.send('PATCH', '/Devices', {})
    expectError(reply, 405)
    expect(reply.headers.get('Allow')).toBe('GET, POST')
    expectError(await scim.get('/devices'), 404)
    expectError(await scim.get('/Devices/x/y'), 404)
  })
})

describe('Every data type', () => {
  const types = ['string', 'boolean', 'decimal', 'integer', 'dateTime', 'binary', 'reference'] as const
  let scim: Scim
  beforeAll(async () => {
    const tenant = await tenantWith([
      { name: 'kind' },
      ...types.flatMap(type => [
        { name: `one-${type}`, type },
        { name: `many-${type}`, type, multiValued: true },
      ]),
      { name: 'one-complex', type: 'complex', subAttributes: types.map(type => ({ name: type, type })) },
      {
        name: 'many-complex',
        type: 'complex',
        multiValued: true,
        subAttributes: types.map(type => ({ name: type, type })),
      },
    ])
    scim = tenant.scim
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
  ])('RFC-4 %s is checked, kept, found, sorted and changed', async (type, low, high, wrong, filter) => {
    const [one, many] = [`one-${type}`, `many-${type}`]
    const values = (value: unknown) => ({
      kind: type,
      [one]: value,
      [many]: [value],
      'one-complex': { [type]: value },
      'many-complex': [{ [type]: value }],
    })
    const second = await created(scim, values(high))
    const first = await created(scim, values(low))
    expect(first).toMatchObject(values(low))
    for (const name of [one, many, 'one-complex', 'many-complex'])
      expectError(
        await scim.post('/Devices', device({ [name]: { ...values(wrong) }[name] })),
        400,
        'invalidValue',
        new RegExp(name),
      )
    for (const name of [one, many, `one-complex.${type}`, `many-complex.${type}`, `${DEVICE}:${one}`])
      expect(await found(scim, `${name} ${filter} and kind eq "${type}"`)).toEqual([first.id])
    expect(await found(scim, `many-complex[${type} ${filter}] and kind eq "${type}"`)).toEqual([first.id])
    for (const by of [one, `one-complex.${type}`, `many-complex.${type}`]) {
      const sorted = async (order: string) =>
        (await scim.get(`/Devices?filter=kind%20eq%20%22${type}%22&sortBy=${by}&sortOrder=${order}`)).body
      expect((await sorted('ascending')).Resources.map(({ id }) => id)).toEqual([first.id, second.id])
      expect((await sorted('descending')).Resources.map(({ id }) => id)).toEqual([second.id, first.id])
    }
    expect(await valuesOf(scim, first.id, `?attributes=${one}`)).toEqual({ [one]: low })

    await scim.patch(`/Devices/${first.id}`, [
      { op: 'replace', path: one, value: high },
      { op: 'add', path: many, value: [high] },
      { op: 'replace', path: `one-complex.${type}`, value: high },
      { op: 'remove', path: 'many-complex' },
    ])
    expect(await valuesOf(scim, first.id)).toEqual({
      kind: type,
      [one]: high,
      [many]: [low, high],
      'one-complex': { [type]: high },
    })
    expectError(await replace(scim, first.id, one, wrong), 400, 'invalidValue', /one-/)
    await scim.put(`/Devices/${first.id}`, device({ kind: type, [many]: [high] }))
    expect(await valuesOf(scim, first.id)).toEqual({ kind: type, [many]: [high] })
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
      { name: 'colour', canonicalValues: ['red', 'green'] },
      { name: 'folded', uniqueness: 'global' },
      { name: 'cased', uniqueness: 'server', caseExact: true },
      { name: 'number', type: 'integer', uniqueness: 'server' },
      { name: 'moment', type: 'dateTime', uniqueness: 'server' },
      { name: 'tags', multiValued: true, uniqueness: 'server' },
      { name: 'pair', type: 'complex', subAttributes: [{ name: 'key', required: true }, { name: 'note' }] },
    ])
    scim = tenant.scim
  })

  it('RFC-41 readOnly is ignored in a body and refused in a PATCH', async () => {
    const { id } = await created(scim, { given: 'x', usual: 'y' })
    expect(await valuesOf(scim, id)).toEqual({ usual: 'y' })
    expectError(await replace(scim, id, 'given', 'x'), 400, 'mutability', /given/)
  })

  it('RFC-42, RFC-127 immutable is given once', async () => {
    const { id } = await created(scim, { usual: 'y' })
    expect((await replace(scim, id, 'first', 'A')).status).toBe(200)
    expectError(await replace(scim, id, 'first', 'B'), 400, 'mutability', /first/)
    expectError(await scim.put(`/Devices/${id}`, device({ first: 'B' })), 400, 'mutability', /first/)
    await scim.put(`/Devices/${id}`, device({ usual: 'z' }))
    expect(await valuesOf(scim, id)).toEqual({ first: 'A', usual: 'z' })
  })

  it.each(['secret', 'hidden'])(
    'RFC-43, RFC-45 %s is kept and never told: not shown, found or sorted by',
    async name => {
      const { id } = await created(scim, { [name]: 'x', usual: 'y' })
      expect(await valuesOf(scim, id)).toEqual({ usual: 'y' })
      expect(await valuesOf(scim, id, `?attributes=${name},usual`)).toEqual({ usual: 'y' })
      expectError(await scim.filter('/Devices', `${name} eq "x"`), 400, 'invalidFilter')
      expectError(await scim.get(`/Devices?sortBy=${name}`), 400, 'invalidValue')
      const stored = await env.DB.prepare('SELECT document FROM resources WHERE id = ?')
        .bind(id)
        .first('document')
      expect(JSON.parse(String(stored))).toEqual({ [name]: 'x', usual: 'y' })
    },
  )

  it('RFC-44, RFC-46 returned always, default and request, by projection', async () => {
    const { id } = await created(scim, { asked: 'a', shown: 's', usual: 'u' })
    expect(await valuesOf(scim, id)).toEqual({ shown: 's', usual: 'u' })
    expect(await valuesOf(scim, id, '?attributes=colour')).toEqual({ shown: 's' })
    expect(await valuesOf(scim, id, '?attributes=asked')).toEqual({ asked: 'a', shown: 's' })
    expect(await valuesOf(scim, id, '?excludedAttributes=shown,usual')).toEqual({ shown: 's' })
  })

  it('RFC-40 caseExact decides what eq finds; canonical values are advice', async () => {
    const { id } = await created(scim, { exact: 'Straße', usual: 'Straße', colour: 'mauve' })
    expect(await found(scim, `usual eq "STRAßE" and id eq "${id}"`)).toEqual([id])
    expect(await found(scim, 'exact eq "STRAßE"')).toEqual([])
    expect(await found(scim, 'exact eq "Straße"')).toEqual([id])
    expect(await found(scim, 'colour eq "MAUVE"')).toEqual([id])
  })

  it('required within a complex value', async () => {
    expectError(
      await scim.post('/Devices', device({ pair: { note: 'x' } })),
      400,
      'invalidValue',
      /pair\.key/,
    )
  })

  it.each<[string, unknown, unknown, unknown]>([
    ['folded', 'Öl-1', 'öL-1', 'Öl-2'],
    ['cased', 'Ab', 'Ab', 'AB'],
    ['number', 12, 12, 13],
    ['moment', '2026-01-01T00:00:00Z', '2026-01-01T01:00:00+01:00', '2026-01-01T00:00:01Z'],
    ['tags', ['a', 'b'], ['c', 'B'], ['c']],
  ])(
    'RFC-74 %s is unique over POST, PUT and PATCH, and its eq is answered',
    async (name, value, same, other) => {
      const names = new RegExp(name)
      const first = await created(scim, { [name]: value })
      expectError(await scim.post('/Devices', device({ [name]: same })), 409, 'uniqueness', names)
      const second = await created(scim, { [name]: other })
      expectError(await replace(scim, second.id, name, same), 409, 'uniqueness', names)
      expectError(await scim.put(`/Devices/${second.id}`, device({ [name]: same })), 409, 'uniqueness', names)
      const sought = JSON.stringify(Array.isArray(same) ? same[1] : same)
      expect(await found(scim, `${name} eq ${sought}`)).toEqual([first.id])

      expect((await scim.delete(`/Devices/${first.id}`)).status).toBe(204)
      expect((await replace(scim, second.id, name, same)).status).toBe(200)
      expect(await found(scim, `${name} eq ${sought}`)).toEqual([second.id])
    },
  )

  it('of ten POSTs of one unique value at once one is created', async () => {
    const replies = await Promise.all(
      Array.from({ length: 10 }, () => scim.post('/Devices', device({ folded: 'contested' }))),
    )
    expect(replies.map(({ status }) => status).sort()).toEqual([201, ...Array(9).fill(409)])
  })

  it('RFC-31, RFC-32 the list is the tenant’s, an externalId its connection’s', async () => {
    const other = await tenant.connect()
    const mine = await created(scim, { externalId: 'e-1', folded: 'shared' })
    expectError(await scim.post('/Devices', device({ externalId: 'e-1' })), 409, 'uniqueness', /externalId/)
    const theirs = await created(other.scim, { externalId: 'e-1' })
    expect(await found(scim, 'externalId eq "e-1"')).toEqual([mine.id])
    expect(await found(other.scim, 'externalId eq "e-1"')).toEqual([theirs.id])
    expect((await other.scim.get(`/Devices/${mine.id}`)).body).not.toHaveProperty('externalId')
    expect(await found(other.scim, `id eq "${mine.id}"`)).toEqual([mine.id])
    expectError(await other.scim.post('/Devices', device({ folded: 'shared' })), 409, 'uniqueness', /folded/)
  })

  it('eq on id, externalId and unique attributes reads no more rows when there are more resources', async () => {
    const { id } = await created(scim, { folded: 'needle', number: 4711, externalId: 'needle' })
    const cost = async (filter: string) => {
      const { seen, fetch } = watched()
      expect(await found(through(tenant, fetch), filter)).toEqual([id])
      expect(seen.calls).toBe(1)
      return seen.rowsRead
    }
    const filters = [`id eq "${id}"`, 'externalId eq "needle"', 'folded eq "needle"', 'number eq 4711']
    const before = await Promise.all(filters.map(cost))
    for (let i = 0; i < 30; i++)
      await created(scim, { folded: `hay ${i}`, number: 5000 + i, externalId: `x${i}` })
    expect(await Promise.all(filters.map(cost))).toEqual(before)
  })
})

describe('Events and groups', () => {
  it('tell what was created, updated and deleted, under a noun that all such types share', async () => {
    const tenant = await tenantWith([{ name: 'serial' }, { name: 'ports', type: 'integer' }], {
      extensions: [{ id: WARRANTY, name: 'Warranty', attributes: [{ name: 'level' }] }],
    })
    const { scim } = tenant
    let id = ''
    const events = await tenant.eventsOf(async () => {
      id = (await created(scim, { serial: 'A', externalId: 'e' })).id
      await replace(scim, id, 'ports', 2)
      await replace(scim, id, 'ports', 2)
      await scim.put(`/Devices/${id}`, device({ serial: 'B', ports: 2, [WARRANTY]: { level: 'x' } }))
      await scim.delete(`/Devices/${id}`)
    })
    const resource = { id, resourceType: 'Device', externalId: 'e' }
    const told = { tenant: tenant.slug, connection: tenant.connection.id, resource }
    expect(events.map(({ type, userId, groupId, data }) => ({ type, userId, groupId, data }))).toEqual([
      { type: 'resource.created', userId: null, groupId: null, data: told },
      { type: 'resource.updated', userId: null, groupId: null, data: { ...told, changed: ['ports'] } },
      {
        type: 'resource.updated',
        userId: null,
        groupId: null,
        data: { ...told, changed: ['serial', `${WARRANTY}:level`] },
      },
      { type: 'resource.deleted', userId: null, groupId: null, data: told },
    ])
  })

  it('an externalId that was not given is null', async () => {
    const tenant = await tenantWith([{ name: 'serial' }])
    const [event] = await tenant.eventsOf(() => created(tenant.scim, {}))
    expect(event?.data.resource).toMatchObject({ resourceType: 'Device', externalId: null })
  })

  it('a receiver may choose them, and gets none that it did not', async () => {
    const tenant = await tenantWith([{ name: 'serial' }])
    const receiver = (events: string[]) =>
      admin('POST', `${tenant.at}/receivers`, {
        kind: 'webhook',
        url: 'https://app.example.com/hook',
        events,
      })
    const chosen = await receiver(['resource.created', 'resource.updated', 'resource.deleted'])
    await receiver(['user.created', 'group.created'])
    await created(tenant.scim, {})
    const { items } = await admin<{ items: { receiverId: string }[] }>('GET', `${tenant.at}/deliveries`)
    expect(items.map(({ receiverId }) => receiverId)).toEqual([chosen.id])
  })

  it('RFC-66 a group takes users and groups, as its schema says, and no resource of another type', async () => {
    const tenant = await tenantWith([{ name: 'displayName', mutability: 'writeOnly' }])
    const { scim } = tenant
    const { id } = await created(scim, { displayName: 'secret' })
    const user = await tenant.user()
    const inner = await tenant.group()
    const post = await scim.post('/Groups', { schemas: [GROUP], displayName: 'G', members: [{ value: id }] })
    expectError(post, 400, 'invalidValue', new RegExp(`no User or Group of this tenant has the id ${id}`))
    const group = await tenant.group({ members: [{ value: user.id }, { value: inner.id }] })
    const add = [{ op: 'add', path: 'members', value: [{ value: id }] }]
    expectError(await scim.patch(`/Groups/${group.id}`, add), 400, 'invalidValue', new RegExp(id))
    const { members } = (await scim.get(`/Groups/${group.id}`)).body
    expect(members.map(({ type }) => type).sort()).toEqual(['Group', 'User'])
  })
})

describe('A change that stored data contradicts', () => {
  const before = [
    { name: 'serial' },
    { name: 'level', type: 'integer' },
    { name: 'tags', multiValued: true },
    { name: 'free' },
    {
      name: 'cards',
      type: 'complex',
      multiValued: true,
      subAttributes: [{ name: 'value' }, { name: 'colour' }],
    },
  ]
  const warranty = (attributes: Attributes, required = false) => ({
    extensions: [{ schema: { id: WARRANTY, name: 'Warranty', attributes }, required }],
  })
  const usual = warranty([{ name: 'until' }])
  const changed = (name: string, more: object | undefined) =>
    before.flatMap(one => (one.name === name ? (more ? [{ ...one, ...more }] : []) : [one]))
  let tenant: Tenant
  beforeAll(async () => {
    tenant = await tenantWith(before, usual)
    const { scim } = tenant
    await created(scim, { serial: 'A1', level: 1, tags: ['x'], [WARRANTY]: { until: 'x' } })
    await created(scim, { serial: 'a1', cards: [{ value: 'lan', colour: 'red' }, { colour: 'blue' }] })
    await created(scim, { tags: ['y'] })
    await tenant.user()
  })

  it.each<[string, Attributes, object, path: string, RegExp]>([
    [
      'an attribute removed',
      changed('serial', undefined),
      usual,
      `${DEVICE}:serial`,
      /is removed, but 2 Device resources have a value/,
    ],
    [
      'its name spelt otherwise',
      changed('serial', { name: 'Serial' }),
      usual,
      `${DEVICE}:serial`,
      /is removed, but 2 /,
    ],
    [
      'another type',
      changed('level', { type: 'string' }),
      usual,
      `${DEVICE}:level`,
      /from integer to string, but 1 Device resource has a value/,
    ],
    [
      'no longer multi-valued',
      changed('tags', { multiValued: false }),
      usual,
      `${DEVICE}:tags`,
      /no longer multi-valued, but 2 /,
    ],
    [
      'required',
      changed('serial', { required: true }),
      usual,
      `${DEVICE}:serial`,
      /becomes required, but 1 Device resource has none/,
    ],
    [
      'a new attribute that is required',
      [...before, { name: 'extra', required: true }],
      usual,
      `${DEVICE}:extra`,
      /required, but 3 Device resources have none/,
    ],
    [
      'unique',
      changed('serial', { uniqueness: 'server' }),
      usual,
      `${DEVICE}:serial`,
      /becomes unique, but 2 Device resources share/,
    ],
    [
      'caseExact',
      changed('serial', { caseExact: true }),
      usual,
      `${DEVICE}:serial`,
      /becomes caseExact, but 2 /,
    ],
    [
      'readOnly',
      changed('level', { mutability: 'readOnly' }),
      usual,
      `${DEVICE}:level`,
      /becomes readOnly, but 1 /,
    ],
    [
      'a sub-attribute removed',
      changed('cards', { subAttributes: [{ name: 'value' }] }),
      usual,
      `${DEVICE}:cards.colour`,
      /is removed, but 1 /,
    ],
    [
      'a sub-attribute required',
      changed('cards', { subAttributes: [{ name: 'value', required: true }, { name: 'colour' }] }),
      usual,
      `${DEVICE}:cards.value`,
      /becomes required, but 1 /,
    ],
    [
      'an extension removed',
      before,
      {},
      `${WARRANTY}:until`,
      /is removed, but 1 Device resource has a value/,
    ],
    [
      'an extension changed',
      before,
      warranty([{ name: 'until', type: 'dateTime' }]),
      `${WARRANTY}:until`,
      /from string to dateTime, but 1 /,
    ],
    [
      'an attribute of an extension required',
      before,
      warranty([{ name: 'until' }, { name: 'by', required: true }]),
      `${WARRANTY}:by`,
      /but 1 Device resource uses the extension without/,
    ],
    [
      'an extension required',
      before,
      warranty([{ name: 'until' }], true),
      WARRANTY,
      /becomes required, but 2 Device resources have none/,
    ],
    [
      'another extension that is required',
      before,
      {
        extensions: [
          ...usual.extensions,
          { id: LEASE, name: 'Lease', attributes: [{ name: 'lessor' }], required: true },
        ],
      },
      LEASE,
      /becomes required, but 3 /,
    ],
  ])('%s is 409 with what is in the way, and changes nothing', async (_, attributes, more, path, message) => {
    const published = await tenant.scim.get('/Schemas')
    const types = await tenant.scim.get('/ResourceTypes')
    const reply = await put(tenant, attributes, more)
    expect(reply).toMatchObject({ status: 409 })
    expect(reply.body.errors).toEqual([{ path, message: expect.stringMatching(message) }])
    expect((await tenant.scim.get('/Schemas')).body).toEqual(published.body)
    expect((await tenant.scim.get('/ResourceTypes')).body).toEqual(types.body)
  })

  it('several at once are all listed', async () => {
    const { body } = await put(tenant, [{ name: 'level' }])
    const paths = [
      ...['cards', 'level', 'serial', 'tags'].map(name => `${DEVICE}:${name}`),
      `${WARRANTY}:until`,
    ]
    expect(body.errors.map(({ path }) => path).sort()).toEqual(paths.sort())
  })

  it('a DELETE while there are resources is 409 that says how many', async () => {
    const reply = await call('DELETE', `${tenant.at}/resource-types/Device`)
    expect(reply).toMatchObject({ status: 409, body: { detail: expect.stringContaining('3 resources') } })
    expect((await tenant.scim.get('/Devices')).body.totalResults).toBe(3)
  })

  it('endpoint, words and unused attributes change at any time, also the URN of the base schema', async () => {
    const own = await tenantWith(before, usual)
    const { id } = await created(own.scim, { serial: 'A1', externalId: 'e' })
    const urn = 'urn:example:scim:schemas:2.0:Device'
    const attributes = [...changed('free', { type: 'boolean' }), { name: 'more', returned: 'always' }]
    const moved = { endpoint: '/Machines', description: 'Moved', schema: schemaOf(attributes, urn) }
    expect(await put(own, [], moved)).toMatchObject({ status: 200 })
    expectError(await own.scim.get(`/Devices/${id}`), 404, undefined, /\/Machines/)
    expect((await own.scim.get(`/Machines/${id}`)).body).toMatchObject({
      schemas: [urn],
      serial: 'A1',
      meta: { location: `${own.connection.baseUrl}/Machines/${id}` },
    })
    expectError(await own.scim.get(`/Schemas/${DEVICE}`), 404)
    expect((await own.scim.filter('/Machines', `${urn}:serial eq "a1"`)).body.totalResults).toBe(1)
  })

  it('an attribute that becomes unique is so for what is stored; one that no longer is, for nothing', async () => {
    const own = await tenantWith([{ name: 'serial' }, { name: 'on', type: 'dateTime' }])
    const { scim } = own
    const values = { serial: 'Ä 1', on: '2026-01-01T00:00:00Z' }
    const { id } = await created(scim, values)
    const unique = [
      { name: 'serial', uniqueness: 'server' },
      { name: 'on', type: 'dateTime', uniqueness: 'server' },
    ]
    expect(await put(own, unique)).toMatchObject({ status: 200 })
    expect(await found(scim, 'serial eq "ä 1"')).toEqual([id])
    expectError(await scim.post('/Devices', device({ serial: 'ä 1' })), 409, 'uniqueness', /serial/)
    expectError(
      await scim.post('/Devices', device({ on: '2025-12-31T23:00:00-01:00' })),
      409,
      'uniqueness',
      /on/,
    )
    expect(await put(own, [{ name: 'serial' }, { name: 'on', type: 'dateTime' }])).toMatchObject({
      status: 200,
    })
    const twin = await created(scim, values)
    expect((await put(own, unique)).body.errors.map(({ path }) => path)).toEqual([
      `${DEVICE}:serial`,
      `${DEVICE}:on`,
    ])
    await scim.delete(`/Devices/${id}`)
    expect(await put(own, unique)).toMatchObject({ status: 200 })
    expect(await found(scim, 'serial eq "ä 1"')).toEqual([twin.id])
  })

  it('a type whose resources are gone can be deleted, and comes back with another meaning', async () => {
    const own = await tenantWith([{ name: 'serial' }])
    const { id } = await created(own.scim, { serial: 'A' })
    const path = `${own.at}/resource-types/Device`
    expect(await call('DELETE', path)).toMatchObject({ status: 409, body: { detail: /1 resource of/ } })
    await own.scim.delete(`/Devices/${id}`)
    expect((await call('DELETE', path)).status).toBe(204)
    expect((await call('DELETE', path)).status).toBe(404)
    expectError(await own.scim.get('/Devices'), 404)
    expectError(await own.scim.get(`/Schemas/${DEVICE}`), 404)
    expect(await put(own, [{ name: 'serial', type: 'integer', required: true }])).toMatchObject({
      status: 201,
    })
    expect(await found(own.scim, 'serial pr')).toEqual([])
    const next = await created(own.scim, { serial: 1 })
    expect((await own.scim.get('/Devices')).body).toMatchObject({
      totalResults: 1,
      Resources: [{ id: next.id }],
    })
  })
})

describe('A schema put by itself that extends the type', () => {
  const extension = { id: LEASE, name: 'Lease', attributes: [{ name: 'lessor', uniqueness: 'server' }] }
  let tenant: Tenant
  beforeAll(async () => {
    tenant = await tenantWith([{ name: 'serial' }])
    expect(await call('PUT', `${tenant.at}/schemas/${LEASE}?extends=Device`, extension)).toMatchObject({
      status: 201,
      body: { extends: 'Device' },
    })
  })

  it('is an extension as those that came with it', async () => {
    const { scim } = tenant
    const { id } = await created(scim, { [LEASE]: { lessor: 'Acme' } })
    expect(await found(scim, `${LEASE}:lessor eq "ACME"`)).toEqual([id])
    expectError(await scim.post('/Devices', device({ [LEASE]: { lessor: 'acme' } })), 409, 'uniqueness')
    expect((await scim.get('/ResourceTypes/Device')).body.schemaExtensions).toEqual([
      { schema: LEASE, required: false },
    ])
  })

  it('outlives a PUT of the type, and is in the way of taking its URN or deleting the type', async () => {
    expect(await put(tenant, [{ name: 'serial' }, { name: 'more' }])).toMatchObject({ status: 200 })
    expect((await tenant.scim.get(`/Schemas/${LEASE}`)).status).toBe(200)
    const taken = await put(tenant, [{ name: 'serial' }], { extensions: [extension] })
    expect(taken).toMatchObject({ status: 422, body: { errors: [{ path: 'extensions[0].id' }] } })
    const own = await tenantWith([{ name: 'serial' }])
    await call('PUT', `${own.at}/schemas/${LEASE}?extends=Device`, extension)
    const path = `${own.at}/resource-types/Device`
    expect(await call('DELETE', path)).toMatchObject({ status: 409, body: { detail: /lease/ } })
    expect((await call('DELETE', `${own.at}/schemas/${LEASE}`)).status).toBe(204)
    expect((await call('DELETE', path)).status).toBe(204)
  })

  it('may not have the URN of a schema that came with a type', async () => {
    const reply = await call('PUT', `${tenant.at}/schemas/${DEVICE}?extends=User`, schemaOf([{ name: 'a' }]))
    expect(reply).toMatchObject({ status: 422, body: { errors: [{ path: 'id' }] } })
    expect((await call('GET', `${tenant.at}/schemas/${DEVICE}`)).status).toBe(404)
  })
})

describe('Types and requests at once', () => {
  const both = [{ name: 'serial' }, { name: 'level', type: 'integer' }]
  const less = [{ name: 'serial' }]

  it.each<[string, number, string, (scim: Scim, id: string) => Promise<Reply>]>([
    ['POST, before it is written', 1, 'invalidSyntax', scim => scim.post('/Devices', device({ level: 1 }))],
    [
      'PATCH, between its read and its write',
      2,
      'invalidPath',
      (scim, id) => scim.patch(`/Devices/${id}`, [{ op: 'add', path: 'level', value: 1 }]),
    ],
    [
      'PUT, between its read and its write',
      2,
      'invalidSyntax',
      (scim, id) => scim.put(`/Devices/${id}`, device({ level: 1 })),
    ],
  ])('%s: nothing is written by a type that is gone', async (_, at, scimType, send) => {
    const tenant = await tenantWith(both, {}, 'strict')
    const { id } = await created(tenant.scim, { serial: 'A' })
    const { fetch } = watched(batch => (batch === at ? put(tenant, less) : undefined))
    expectError(await send(through(tenant, fetch), id), 400, scimType, /level/)
    expect(await valuesOf(tenant.scim, id)).toEqual({ serial: 'A' })
    expect((await tenant.scim.get('/Devices')).body.totalResults).toBe(1)
  })

  it('a POST whose type is deleted before it is written is 404, and nothing is stored', async () => {
    const tenant = await tenantWith(less)
    await tenant.scim.get('/Devices')
    const path = `${tenant.at}/resource-types/Device`
    const { fetch } = watched(batch => (batch === 1 ? call('DELETE', path) : undefined))
    expectError(await through(tenant, fetch).post('/Devices', device({ serial: 'A' })), 404)
    expect(await put(tenant, less)).toMatchObject({ status: 201 })
    expect((await tenant.scim.get('/Devices')).body.totalResults).toBe(0)
    expect(await tenant.events()).toEqual([])
  })

  it('a resource that is created while its type is deleted is in the way', async () => {
    const tenant = await tenantWith(less)
    const { fetch } = watched(batch => (batch === 2 ? created(tenant.scim, { serial: 'A' }) : undefined))
    const reply = await call('DELETE', `${tenant.at}/resource-types/Device`, undefined, fetch)
    expect(reply).toMatchObject({ status: 409, body: { detail: /1 resource/ } })
    expect((await tenant.scim.get('/Devices')).body.totalResults).toBe(1)
  })

  it('a value that is written while its attribute goes is in the way', async () => {
    const tenant = await tenantWith(both)
    const { fetch } = watched(batch => (batch === 2 ? created(tenant.scim, { level: 1 }) : undefined))
    const reply = await call('PUT', `${tenant.at}/resource-types/Device`, deviceType(less), fetch)
    expect(reply).toMatchObject({ status: 409, body: { errors: [{ path: `${DEVICE}:level` }] } })
  })

  it('of types and schemas that come at once none is lost, and no endpoint or URN is given twice', async () => {
    const tenant = await newTenant()
    const type = (n: number) => ({
      endpoint: `/Things${n}`,
      schema: schemaOf(less, `urn:example:scim:t${n}:1.0:Thing`),
    })
    const puts = [1, 2, 3].map(n => call('PUT', `${tenant.at}/resource-types/Thing${n}`, type(n)))
    const schema = call('PUT', `${tenant.at}/schemas/${LEASE}?extends=User`, schemaOf(less, LEASE))
    expect((await Promise.all([...puts, schema])).map(({ status }) => status)).toEqual([201, 201, 201, 201])
    const { body } = await tenant.scim.get('/ResourceTypes')
    expect(body.Resources).toHaveLength(5)
    const rivals = [4, 5].map(n => call('PUT', `${tenant.at}/resource-types/Thing${n}`, type(9)))
    expect((await Promise.all(rivals)).map(({ status }) => status).sort()).toEqual([201, 422])
  })
})

describe('What it costs', () => {
  const calls = async (tenant: Tenant, send: (scim: Scim) => Promise<Reply>) => {
    const { seen, fetch } = watched()
    expect((await send(through(tenant, fetch))).status).toBeLessThan(300)
    return seen.calls
  }

  it('a read and a create are one call to D1, another write is two', async () => {
    const tenant = await tenantWith([{ name: 'serial', uniqueness: 'server' }])
    const { id } = await created(tenant.scim, { serial: 'A' })
    expect(await calls(tenant, scim => scim.get(`/Devices/${id}`))).toBe(1)
    expect(await calls(tenant, scim => scim.get('/Devices?sortBy=serial'))).toBe(1)
    expect(await calls(tenant, scim => scim.get('/Users'))).toBe(1)
    expect(await calls(tenant, scim => scim.post('/Devices', device({ serial: 'B' })))).toBe(1)
    expect(await calls(tenant, scim => replace(scim, id, 'serial', 'C'))).toBe(2)
    expect(await calls(tenant, scim => scim.put(`/Devices/${id}`, device({ serial: 'D' })))).toBe(2)
    expect(await calls(tenant, scim => scim.delete(`/Devices/${id}`))).toBe(2)
  })

  it('three once after the type has changed, two after the last is gone', async () => {
    const tenant = await tenantWith([{ name: 'serial' }])
    await tenant.scim.get('/Devices')
    await put(tenant, [{ name: 'serial' }, { name: 'more' }])
    expect(await calls(tenant, scim => scim.get('/Devices'))).toBe(3)
    expect(await calls(tenant, scim => scim.get('/Devices'))).toBe(1)
    await call('DELETE', `${tenant.at}/resource-types/Device`)
    expect(await calls(tenant, scim => scim.get('/Users'))).toBe(2)
    expect(await calls(tenant, scim => scim.get('/Users'))).toBe(1)
  })
})

describe('The operator', () => {
  it.each<[string, object, path: string]>([
    ['no endpoint', { endpoint: undefined }, 'endpoint'],
    ['an endpoint without a slash', { endpoint: 'Devices' }, 'endpoint'],
    ['an endpoint of two parts', { endpoint: '/Devices/x' }, 'endpoint'],
    ['an endpoint with anything else', { endpoint: '/Devices?x' }, 'endpoint'],
    ['an endpoint of another type', { endpoint: '/users' }, 'endpoint'],
    ['/Groups', { endpoint: '/GROUPS' }, 'endpoint'],
    ...['/Bulk', '/Me', '/me', '/Schemas', '/resourcetypes', '/ServiceProviderConfig', '/.search'].map(
      (endpoint): [string, object, string] => [`the endpoint ${endpoint}`, { endpoint }, 'endpoint'],
    ),
    ['no schema', { schema: undefined }, 'schema'],
    ['a schema that is none', { schema: 'urn:x' }, 'schema'],
    ['a schema without a URN', { schema: { name: 'Device', attributes: [{ name: 'a' }] } }, 'schema.id'],
    [
      'an attribute of no type',
      { schema: schemaOf([{ name: 'a' }, { name: 'b' }, { name: 'c', type: 'text' }]) },
      'schema.attributes[2].type',
    ],
    ...['id', 'externalid', 'schemas', 'META'].map((name): [string, object, string] => [
      `an attribute ${name}, which every resource has`,
      { schema: schemaOf([{ name: 'a' }, { name }]) },
      'schema.attributes[1].name',
    ]),
    ['the URN of User', { schema: schemaOf([{ name: 'a' }], USER) }, 'schema.id'],
    [
      'the URN of the protocol’s own schema',
      { schema: schemaOf([{ name: 'a' }], 'urn:ietf:params:scim:schemas:core:2.0:Schema') },
      'schema.id',
    ],
    [
      'the URN of a message',
      { schema: schemaOf([{ name: 'a' }], 'urn:ietf:params:scim:api:messages:2.0:PatchOp') },
      'schema.id',
    ],
    ['one URN twice', { extensions: [{ schema: schemaOf([{ name: 'a' }]) }] }, 'extensions[0].schema.id'],
    [
      'one extension twice',
      { extensions: [schemaOf([{ name: 'a' }], LEASE), schemaOf([{ name: 'a' }], LEASE)] },
      'extensions[1].id',
    ],
    ['an extension that is none', { extensions: [{}] }, 'extensions[0].attributes'],
    ['an extension by its URN', { extensions: [{ schema: LEASE, required: true }] }, 'extensions[0].schema'],
    [
      'an extension with more',
      { extensions: [{ schema: schemaOf([{ name: 'a' }], LEASE), id: LEASE }] },
      'extensions[0].id',
    ],
    [
      'required that is no truth value',
      { extensions: [{ ...schemaOf([{ name: 'a' }], LEASE), required: 'yes' }] },
      'extensions[0].required',
    ],
    ['extensions that are no list', { extensions: {} }, 'extensions'],
    [
      'too many extensions',
      {
        extensions: Array.from({ length: 11 }, (_, n) =>
          schemaOf([{ name: 'a' }], `urn:example:scim:n${n}:1.0:D`),
        ),
      },
      'extensions',
    ],
    ['another name than the path’s', { name: 'Gadget' }, 'name'],
    ['a field that nobody knows', { plural: 'Devices' }, 'plural'],
  ])('%s is 422 by its place', async (_, more, path) => {
    const tenant = await newTenant()
    const reply = await put(tenant, [{ name: 'a' }], more)
    expect(reply).toMatchObject({ status: 422 })
    expect(reply.body.errors.map(error => error.path)).toContain(path)
    expect((await call('GET', `${tenant.at}/resource-types`)).body.items).toEqual([])
  })

  it.each([
    'User',
    'user',
    'Group',
    'Schema',
    'ResourceType',
    'serviceproviderconfig',
    '1st',
    'a.b',
    'a b',
    'é',
    'x'.repeat(65),
  ])('the name %s is 422', async name => {
    const { at } = await newTenant()
    const { name: _, ...rest } = deviceType([{ name: 'a' }])
    const reply = await call('PUT', `${at}/resource-types/${encodeURIComponent(name)}`, rest)
    expect(reply).toMatchObject({ status: 422, body: { errors: [{ path: 'name' }] } })
  })

  it('a name or an endpoint that differs from another only by letter case is 422', async () => {
    const tenant = await tenantWith([{ name: 'a' }])
    const other = { ...deviceType([{ name: 'a' }]), name: 'DEVICE', endpoint: '/DEVICES' }
    const { body } = await call('PUT', `${tenant.at}/resource-types/DEVICE`, {
      ...other,
      schema: schemaOf([{ name: 'a' }], LEASE),
    })
    expect(body.errors.map(({ path }) => path)).toEqual(['name', 'endpoint'])
  })

  it('every problem is told at once, and JSON that is deeper than anything could be is 400', async () => {
    const { at } = await newTenant()
    const { body } = await call('PUT', `${at}/resource-types/User`, {
      endpoint: '/Users',
      schema: schemaOf([{ name: '1st' }]),
      extensions: [{ schema: schemaOf([{ name: 'c', type: 'complex' }], LEASE) }],
    })
    expect(body.errors.map(({ path }) => path)).toEqual([
      'name',
      'endpoint',
      'schema.attributes[0].name',
      'extensions[0].schema.attributes[0].subAttributes',
    ])
    const deep = `${'['.repeat(60_000)}${']'.repeat(60_000)}`
    const init = { method: 'PUT', headers: { Authorization: `Bearer ${ADMIN_TOKEN}` } }
    const text = JSON.stringify(deviceType([{ name: 'a', canonicalValues: '?' }])).replace('"?"', deep)
    const url = `${ORIGIN}/admin/v1${at}/resource-types/Device`
    expect((await plain(new Request(url, { ...init, body: text }))).status).toBe(400)
    expect((await plain(new Request(url, { ...init, body: '[]' }))).status).toBe(400)
    expect((await call('GET', `${at}/resource-types`)).body.items).toEqual([])
  })

  it('takes the schema of RFC 9944 under its own URN', async () => {
    const urn = 'urn:ietf:params:scim:schemas:core:2.0:Device'
    const attributes = [{ name: 'displayName' }, { name: 'active', type: 'boolean', required: true }]
    const tenant = await tenantWith([], { schema: schemaOf(attributes, urn) })
    const { status, body } = await tenant.scim.post('/Devices', { schemas: [urn], active: false })
    expect(status).toBe(201)
    expect(body).toMatchObject({ schemas: [urn], active: false })
    expect((await tenant.events()).map(({ type }) => type)).toEqual(['resource.created'])
  })

  it('has at most twenty types in a tenant, listed in pages', async () => {
    const { at } = await newTenant()
    const nth = (n: number) =>
      call('PUT', `${at}/resource-types/Thing${n}`, {
        endpoint: `/Things${n}`,
        schema: schemaOf([{ name: 'a' }], `urn:example:scim:n${n}:1.0:Thing`),
      })
    for (let n = 11; n <= 30; n++) expect(await nth(n)).toMatchObject({ status: 201 })
    expect(await nth(31)).toMatchObject({ status: 409, body: { detail: /at most 20/ } })
    expect(await nth(30)).toMatchObject({ status: 200 })
    const first = await call('GET', `${at}/resource-types?limit=15`)
    const cursor = encodeURIComponent(first.body.nextCursor)
    const second = await call('GET', `${at}/resource-types?limit=15&cursor=${cursor}`)
    expect([...first.body.items, ...second.body.items].map(({ name }) => name)).toEqual(
      Array.from({ length: 20 }, (_, i) => `Thing${i + 11}`),
    )
    expect((await call('GET', `${at}/schemas?cursor=${cursor}`)).status).toBe(400)
  })

  it('of an unknown tenant is 404, of one that is being deleted 409, and its types go with it', async () => {
    expect((await put({ at: '/tenants/nobody' }, [{ name: 'a' }])).status).toBe(404)
    const tenant = await tenantWith([{ name: 'serial' }])
    await created(tenant.scim, { serial: 'A' })
    const { body } = await call('GET', tenant.at)
    const count = (table: string) =>
      env.DB.prepare(`SELECT count(*) AS n FROM ${table} WHERE tenant_id = ?`).bind(body.id).first('n')
    expect([await count('tenant_resource_types'), await count('resources')]).toEqual([1, 1])
    expect((await call('DELETE', tenant.at)).status).toBe(202)
    expect([await count('tenant_resource_types'), await count('resources')]).toEqual([0, 0])
  })

  it('suspends, resumes and looks people up in a tenant with types as in any other', async () => {
    const tenant = await tenantWith([{ name: 'active', type: 'boolean' }])
    await created(tenant.scim, { active: true })
    const user = await tenant.user()
    await tenant.setStatus('suspended')
    await tenant.setStatus('active')
    const types = (await tenant.events()).map(({ type }) => type)
    expect(types).toEqual(['resource.created', 'user.created', 'user.sessions_revoked'])
    expect((await call('GET', `${tenant.at}/users`)).body.items.map(({ id }) => id)).toEqual([user.id])
  })

  it('reads of the calls in openapi.json', async () => {
    const { paths } = (await call('GET', '/openapi.json')).body
    expect(Object.keys(paths['/tenants/{slug}/resource-types'] ?? {})).toEqual(['get'])
    expect(Object.keys(paths['/tenants/{slug}/resource-types/{name}'] ?? {})).toEqual([
      'get',
      'put',
      'delete',
    ])
  })
})
