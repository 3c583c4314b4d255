// SCIM over HTTP, request by request: what each verb answers, and that whatever is refused says why and changes
// nothing.
import { beforeAll, describe, expect, it } from 'vitest'
import {
  type Body,
  ENTERPRISE,
  expectError,
  GROUP,
  LIST_RESPONSE,
  newGroup,
  newTenant,
  newUser,
  type Reply,
  type Scim,
  SEARCH_REQUEST,
  type Tenant,
  UNKNOWN_ID,
  USER,
} from './world'

const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/

/** One resource with all that goes with it. */
function expectResource(reply: Reply, status: 200 | 201, location: string) {
  expect(reply).toMatchObject({ status, body: { meta: { location } } })
  expect(reply.headers.get('Location')).toBe(location)
  expect(reply.headers.get('ETag')).toBe(reply.body.meta.version)
  expect(reply.headers.get('Content-Type')).toBe('application/scim+json; charset=utf-8')
  expect(reply.headers.get('Cache-Control')).toBe('no-store')
}

function expectEmpty(reply: Reply, status: 204 | 304) {
  expect({ status: reply.status, text: reply.text }).toEqual({ status, text: '' })
  expect(reply.headers.get('Content-Type')).toBeNull()
  expect(reply.headers.get('Cache-Control')).toBe('no-store')
}

describe.each([
  {
    endpoint: '/Users',
    schema: USER,
    resourceType: 'User',
    make: newUser,
    named: { userName: 'renamed@example.com' },
  },
  {
    endpoint: '/Groups',
    schema: GROUP,
    resourceType: 'Group',
    make: newGroup,
    named: { displayName: 'Renamed' },
  },
])('$endpoint', ({ endpoint, schema, resourceType, make, named }) => {
  let tenant: Tenant
  let scim: Scim
  beforeAll(async () => {
    tenant = await newTenant()
    scim = tenant.scim
  })

  it('RFC-29 RFC-34 RFC-36 RFC-70 RFC-71 RFC-183 POST is 201 with Location, ETag and the whole resource', async () => {
    const document = make()
    const reply = await scim.post(endpoint, document)
    expectResource(reply, 201, `${scim.base}${endpoint}/${reply.body.id}`)
    expect(reply.body).toMatchObject(document)
    expect(reply.body.meta).toEqual({
      resourceType,
      created: expect.stringMatching(ISO),
      lastModified: reply.body.meta.created,
      location: `${scim.base}${endpoint}/${reply.body.id}`,
      version: expect.stringMatching(/^W\/"[^"]+"$/),
    })
    expect(reply.body.id).not.toMatch(/bulkId/i)
  })

  it('RFC-30 RFC-33 RFC-72 POST ignores id, meta and groups from the client', async () => {
    const forged = {
      id: UNKNOWN_ID,
      meta: { created: '1999-01-01T00:00:00Z', version: 'W/"1"', resourceType: 'Robot' },
      groups: [{ value: UNKNOWN_ID }],
    }
    const reply = await scim.post(endpoint, { ...make(), ...forged })
    expect(reply.status).toBe(201)
    expect(reply.body.id).not.toBe(UNKNOWN_ID)
    expect(reply.body.meta).toMatchObject({ resourceType })
    expect(reply.body.meta.created).not.toContain('1999')
    expect(reply.body.groups).toBeUndefined()
    expectError(await scim.get(`${endpoint}/${UNKNOWN_ID}`), 404)
  })

  it('RFC-35 RFC-80 RFC-183 GET of one is 200 with Location and ETag, and what POST answered', async () => {
    const made = await scim.post(endpoint, make())
    const reply = await scim.get(`${endpoint}/${made.body.id}`)
    expectResource(reply, 200, made.body.meta.location)
    expect(reply.body).toEqual(made.body)
  })

  it('RFC-80 RFC-124 RFC-165 an unknown id is 404 for every verb and creates nothing', async () => {
    const before = await tenant.state()
    const at = `${endpoint}/${UNKNOWN_ID}`
    const detail = new RegExp(`${resourceType}.*${UNKNOWN_ID}`)
    expectError(await scim.get(at), 404, undefined, detail)
    expectError(await scim.put(at, make()), 404, undefined, detail)
    expectError(await scim.patch(at, [{ op: 'replace', value: named }]), 404, undefined, detail)
    expectError(await scim.delete(at), 404, undefined, detail)
    expect(await tenant.state()).toEqual(before)
  })

  it('RFC-37 an id of another resource type is an unknown id', async () => {
    const other = endpoint === '/Users' ? await tenant.group() : await tenant.user()
    const before = await tenant.state()
    const at = `${endpoint}/${other.id}`
    expectError(await scim.get(at), 404)
    expectError(await scim.put(at, make()), 404)
    expectError(await scim.patch(at, [{ op: 'replace', value: named }]), 404)
    expectError(await scim.delete(at), 404)
    expect(await tenant.state()).toEqual(before)
  })

  it('RFC-123 RFC-125 RFC-126 RFC-130 PUT is 200 with the whole new resource', async () => {
    const made = await scim.post(endpoint, make({ externalId: crypto.randomUUID() }))
    const reply = await scim.put(`${endpoint}/${made.body.id}`, { schemas: [schema], ...named })
    expectResource(reply, 200, made.body.meta.location)
    expect(reply.body).toMatchObject({ ...named, id: made.body.id, externalId: made.body.externalId })
    expect(reply.body.name).toBeUndefined()
    expect(reply.body.meta.created).toBe(made.body.meta.created)
    expect(reply.body.meta.version).not.toBe(made.body.meta.version)
    expect((await scim.get(`${endpoint}/${made.body.id}`)).body).toEqual(reply.body)
    expectEmpty(await scim.delete(`${endpoint}/${made.body.id}`), 204)
  })

  it('RFC-131 PUT ignores an id in the body', async () => {
    const made = await scim.post(endpoint, make())
    const reply = await scim.put(`${endpoint}/${made.body.id}`, { ...made.body, id: UNKNOWN_ID })
    expect(reply).toMatchObject({ status: 200, body: { id: made.body.id } })
  })

  it('RFC-132 RFC-148 a PUT or PATCH that changes nothing keeps version, lastModified, and sends no event', async () => {
    const { body } = await scim.post(endpoint, make())
    const at = `${endpoint}/${body.id}`
    const events = await tenant.eventsOf(async () => {
      expect((await scim.put(at, body)).body.meta).toEqual(body.meta)
      const [name, value] = Object.entries(body).find(([key]) => key === 'displayName') ?? []
      const patched = await scim.patch(`${at}?attributes=meta`, [
        { op: 'replace', path: name, value },
        { op: 'add', value: { displayName: value } },
      ])
      expect(patched).toMatchObject({ status: 200, body: { meta: body.meta } })
    })
    expect(events).toEqual([])
  })

  it('RFC-133 RFC-143 PATCH answers 200 for users, 204 for groups, and 200 whenever attributes are asked for', async () => {
    const { body } = await scim.post(endpoint, make())
    const at = `${endpoint}/${body.id}`
    const reply = await scim.patch(at, [{ op: 'replace', path: 'externalId', value: 'one' }])
    if (resourceType === 'User') expectResource(reply, 200, body.meta.location)
    else expectEmpty(reply, 204)
    const now = await scim.get(at)
    expect(reply.headers.get('ETag')).toBe(now.headers.get('ETag'))
    expect(reply.headers.get('Location')).toBe(body.meta.location)
    const asked = await scim.patch(`${at}?attributes=externalId`, [
      { op: 'replace', path: 'externalId', value: 'two' },
    ])
    expect(asked).toMatchObject({ status: 200 })
    expect(asked.body).toEqual({ schemas: [schema], id: body.id, externalId: 'two' })
  })

  it('RFC-164 RFC-165 DELETE is 204 without a body; afterwards everything is 404 and the list is without it', async () => {
    const { body } = await scim.post(endpoint, make())
    const at = `${endpoint}/${body.id}`
    expectEmpty(await scim.delete(at), 204)
    expectError(await scim.get(at), 404)
    expectError(await scim.put(at, make()), 404)
    expectError(await scim.patch(at, [{ op: 'replace', value: named }]), 404)
    expectError(await scim.delete(at), 404)
    const list = await scim.get(`${endpoint}?count=1000`)
    expect(list.body.Resources.map(({ id }) => id)).not.toContain(body.id)
    expect(list.body.totalResults).toBe(list.body.Resources.length)
  })

  it('RFC-77 RFC-166 what a deleted resource was called is free again, under a new id', async () => {
    const document = make({ externalId: crypto.randomUUID() })
    const first = await scim.post(endpoint, document)
    await scim.delete(`${endpoint}/${first.body.id}`)
    const second = await scim.post(endpoint, document)
    expect(second.status).toBe(201)
    expect(second.body.id).not.toBe(first.body.id)
  })

  it('RFC-48 RFC-74 RFC-130 RFC-186 a taken unique value is 409 uniqueness naming the attribute, for POST, PUT and PATCH', async () => {
    const attribute = resourceType === 'User' ? 'userName' : 'displayName'
    const one = await scim.post(endpoint, make({ externalId: crypto.randomUUID() }))
    const two = await scim.post(endpoint, make({ externalId: crypto.randomUUID() }))
    const before = await tenant.state()
    const value = String(one.body[attribute]).toUpperCase()
    const at = `${endpoint}/${two.body.id}`
    const detail = new RegExp(attribute)
    expectError(await scim.post(endpoint, make({ [attribute]: value })), 409, 'uniqueness', detail)
    expectError(await scim.put(at, { ...two.body, [attribute]: value }), 409, 'uniqueness', detail)
    expectError(await scim.patch(at, [{ op: 'replace', path: attribute, value }]), 409, 'uniqueness', detail)
    const clash = { externalId: one.body.externalId }
    expectError(await scim.post(endpoint, make(clash)), 409, 'uniqueness', /externalId/)
    expectError(await scim.patch(at, [{ op: 'add', value: clash }]), 409, 'uniqueness', /externalId/)
    expect(await tenant.state()).toEqual(before)
  })

  it('RFC-32 RFC-230 externalId is exact: another case is another value, and none never clashes', async () => {
    const externalId = `Abc-${crypto.randomUUID()}`
    expect((await scim.post(endpoint, make({ externalId }))).status).toBe(201)
    const lower = await scim.post(endpoint, make({ externalId: externalId.toLowerCase() }))
    expect(lower.status).toBe(201)
    for (const none of ['', null, undefined])
      expect((await scim.post(endpoint, make({ externalId: none }))).status).toBe(201)
    const found = await scim.filter(endpoint, `externalId eq "${externalId.toLowerCase()}"`)
    expect(found.body.Resources.map(({ id }) => id)).toEqual([lower.body.id])
  })

  it('RFC-1 attribute names and schema URNs are read in any case and written in their own', async () => {
    const document = Object.entries(make({ externalId: 'x1' })).map(([key, value]) => [
      key.toUpperCase(),
      key === 'schemas' ? [schema.toUpperCase()] : value,
    ])
    const reply = await scim.post(endpoint, Object.fromEntries(document))
    expect(reply).toMatchObject({ status: 201, body: { schemas: [schema], externalId: 'x1' } })
    expect(Object.keys(reply.body).filter(key => key === key.toUpperCase())).toEqual([])
  })

  it('RFC-184 RFC-185 If-Match of another version is 412 on PUT, PATCH and DELETE and changes nothing', async () => {
    const { body } = await scim.post(endpoint, make())
    const at = `${endpoint}/${body.id}`
    const before = await tenant.state()
    for (const stale of ['W/"stale"', '"stale"', 'W/"a", "b"', '""']) {
      const guard = { 'If-Match': stale }
      expectError(await scim.put(at, { ...body, ...named }, guard), 412, undefined, /If-Match/)
      expectError(await scim.patch(at, [{ op: 'add', value: named }], guard), 412, undefined, /If-Match/)
      expectError(await scim.delete(at, guard), 412, undefined, /If-Match/)
    }
    expect(await tenant.state()).toEqual(before)
  })

  it('RFC-184 If-Match passes for the version weak or strong, in a list, and for *', async () => {
    const { body } = await scim.post(endpoint, make())
    const at = `${endpoint}/${body.id}`
    const matches = (version: string) => [
      version,
      version.replace('W/', ''),
      `"other", ${version}`,
      `${version}, "other"`,
      '*',
    ]
    for (const [round] of matches('').entries()) {
      const { version } = (await scim.get(at)).body.meta
      const guard = { 'If-Match': matches(version)[round] ?? '' }
      const patched = await scim.patch(
        `${at}?attributes=externalId`,
        [{ op: 'replace', path: 'externalId', value: `round ${round}` }],
        guard,
      )
      expect(patched, JSON.stringify(guard)).toMatchObject({
        status: 200,
        body: { externalId: `round ${round}` },
      })
    }
    const { version } = (await scim.get(at)).body.meta
    expect((await scim.put(at, { ...body, ...named }, { 'If-Match': version })).status).toBe(200)
    expectEmpty(await scim.delete(at, { 'If-Match': '*' }), 204)
  })

  it('RFC-184 If-Match: * on what does not exist is 404', async () => {
    expectError(await scim.delete(`${endpoint}/${UNKNOWN_ID}`, { 'If-Match': '*' }), 404)
  })

  it('RFC-184 If-None-Match on GET is 304 with the ETag and an empty body when the client has the version', async () => {
    const { body } = await scim.post(endpoint, make())
    const { version } = body.meta
    const at = `${endpoint}/${body.id}`
    for (const known of [version, version.replace('W/', ''), '*', `"x", ${version}`]) {
      const reply = await scim.get(at, { 'If-None-Match': known })
      expectEmpty(reply, 304)
      expect(reply.headers.get('ETag')).toBe(version)
    }
    for (const other of ['"x"', 'W/"x", "y"']) {
      const reply = await scim.get(at, { 'If-None-Match': other })
      expectResource(reply, 200, body.meta.location)
    }
  })

  it('RFC-81 RFC-82 RFC-83 attributes and excludedAttributes hold on every verb', async () => {
    const minimum = { schemas: [schema] }
    const chosen = { externalId: expect.any(String) }
    const cases: [string, (query: string, at: string) => Promise<Reply>][] = [
      ['POST', query => scim.post(endpoint + query, make({ externalId: crypto.randomUUID() }))],
      ['GET', (query, at) => scim.get(at + query)],
      ['PUT', (query, at) => scim.put(at + query, make({ externalId: crypto.randomUUID() }))],
      [
        'PATCH',
        (query, at) =>
          scim.patch(at + query, [{ op: 'replace', path: 'externalId', value: crypto.randomUUID() }]),
      ],
    ]
    for (const [verb, call] of cases) {
      const { body } = await scim.post(endpoint, make({ externalId: crypto.randomUUID() }))
      const at = `${endpoint}/${body.id}`
      const some = await call('?attributes=EXTERNALID,nosuch', at)
      expect(some.body, verb).toEqual({ ...minimum, ...chosen, id: expect.any(String) })
      const rest = await call('?excludedAttributes=externalId,id,meta.created', at)
      expect(rest.body, verb).toMatchObject({ ...minimum, id: expect.any(String) })
      expect(rest.body.meta, verb).toMatchObject({ resourceType })
      expect(rest.body.meta, verb).not.toHaveProperty('created')
      expect(rest.body, verb).not.toHaveProperty('externalId')
    }
    const list = await scim.get(`${endpoint}?attributes=externalId&count=1&filter=externalId%20pr`)
    expect(Object.keys(list.body.Resources[0] ?? {}).sort()).toEqual(['externalId', 'id', 'schemas'])
    const search = await scim.post(`${endpoint}/.search`, {
      schemas: [SEARCH_REQUEST],
      excludedAttributes: ['meta', 'displayName'],
      count: 1,
    })
    expect(search.body.Resources[0]).not.toHaveProperty('meta')
    expect(search.body.Resources[0]).toHaveProperty('schemas')
  })

  it('RFC-84 attributes beside excludedAttributes is 400 invalidValue on every verb, and nothing is written', async () => {
    const { body } = await scim.post(endpoint, make())
    const before = await tenant.state()
    const both = '?attributes=id&excludedAttributes=meta'
    const at = `${endpoint}/${body.id}${both}`
    const detail = /attributes.*excludedAttributes/
    expectError(await scim.get(endpoint + both), 400, 'invalidValue', detail)
    expectError(await scim.get(at), 400, 'invalidValue', detail)
    expectError(await scim.post(endpoint + both, make()), 400, 'invalidValue', detail)
    expectError(await scim.put(at, make()), 400, 'invalidValue', detail)
    expectError(await scim.patch(at, [{ op: 'add', value: named }]), 400, 'invalidValue', detail)
    const search = { schemas: [SEARCH_REQUEST], attributes: ['id'], excludedAttributes: ['meta'] }
    expectError(await scim.post(`${endpoint}/.search`, search), 400, 'invalidValue', detail)
    expect(await tenant.state()).toEqual(before)
  })

  it('RFC-186 RFC-191 a known path with a wrong method is 405 with Allow', async () => {
    const { body } = await scim.post(endpoint, make())
    const before = await tenant.state()
    const wrong: [string, string, string][] = [
      ['PUT', endpoint, 'GET, POST'],
      ['PATCH', endpoint, 'GET, POST'],
      ['DELETE', endpoint, 'GET, POST'],
      ['POST', `${endpoint}/${body.id}`, 'GET, PUT, PATCH, DELETE'],
      ['GET', `${endpoint}/.search`, 'POST'],
      ['DELETE', `${endpoint}/.search`, 'POST'],
      ['POST', '/ServiceProviderConfig', 'GET'],
      ['DELETE', '/Schemas', 'GET'],
      ['PUT', `/Schemas/${schema}`, 'GET'],
      ['PATCH', '/ResourceTypes', 'GET'],
      ['POST', `/ResourceTypes/${resourceType}`, 'GET'],
    ]
    for (const [method, path, allow] of wrong) {
      const reply = await scim.send(method, path)
      expectError(reply, 405, undefined, new RegExp(method))
      expect(reply.headers.get('Allow'), `${method} ${path}`).toBe(allow)
    }
    expect(await tenant.state()).toEqual(before)
  })

  it('RFC-178 application/json, another charset parameter or no Content-Type and any Accept are taken', async () => {
    for (const type of ['application/json', 'Application/SCIM+JSON; charset="UTF-8"', '']) {
      const headers = { 'Content-Type': type, Accept: 'text/html' }
      const reply = await scim.post(endpoint, make(), headers)
      expect(reply.status, type).toBe(201)
      expect(reply.headers.get('Content-Type')).toBe('application/scim+json; charset=utf-8')
    }
  })
})

describe('users', () => {
  it('RFC-51 RFC-52 RFC-78 userName is unique whatever its case and width, for inactive users too', async () => {
    const tenant = await newTenant()
    await tenant.user({ userName: 'Grüße@example.com', active: false, externalId: 'a' })
    for (const userName of [
      'GRÜSSE@example.com',
      'GRÜßE@EXAMPLE.COM',
      'gru\u0308ße@example.com',
      'ｇrüße@example.com',
    ]) {
      const reply = await tenant.scim.post('/Users', newUser({ userName, externalId: 'b' }))
      if (userName.includes('SS')) expect(reply.status).toBe(201)
      else expectError(reply, 409, 'uniqueness', /userName/)
    }
  })

  it('RFC-55 a password is accepted, never stored and never answered', async () => {
    const tenant = await newTenant()
    const password = `secret-${crypto.randomUUID()}`
    const made = await tenant.scim.post('/Users', newUser({ password }))
    expect(made.status).toBe(201)
    const at = `/Users/${made.body.id}`
    const replies = [
      made,
      await tenant.scim.get(`${at}?attributes=password`),
      await tenant.scim.put(at, { ...made.body, password }),
      await tenant.scim.patch(at, [{ op: 'replace', value: { password } }]),
      await tenant.scim.patch(at, [{ op: 'replace', path: 'password', value: password }]),
    ]
    expect(replies.map(({ status }) => status)).toEqual([201, 200, 200, 200, 200])
    expect(replies.map(({ text }) => text).join()).not.toContain(password)
    expect((await tenant.events()).map(({ type }) => type)).toEqual(['user.created'])
  })

  it('RFC-56 RFC-73 a user is active unless the client says otherwise', async () => {
    const tenant = await newTenant()
    expect(await tenant.user({ active: undefined })).toMatchObject({ active: true })
    expect(await tenant.user({ active: false })).toMatchObject({ active: false })
  })

  it('RFC-25 RFC-26 RFC-27 an extension is listed exactly when there is data of it', async () => {
    const tenant = await newTenant()
    const without = await tenant.user({ schemas: [USER, ENTERPRISE] })
    expect(without.schemas).toEqual([USER])
    const unlisted = await tenant.user({ [ENTERPRISE]: { department: 'R&D' } })
    expect(unlisted).toMatchObject({ schemas: [USER, ENTERPRISE], [ENTERPRISE]: { department: 'R&D' } })
    const removed = await tenant.scim.patch(`/Users/${unlisted.id}`, [
      { op: 'remove', path: `${ENTERPRISE}:department` },
    ])
    expect(removed.body.schemas).toEqual([USER])
    expect(removed.body).not.toHaveProperty(ENTERPRISE)
  })

  it('RFC-85 names may be URN-qualified, of sub-attributes, or a whole extension', async () => {
    const tenant = await newTenant()
    const { id } = await tenant.user({ [ENTERPRISE]: { department: 'R&D', costCenter: '1' } })
    const read = async (query: string) => (await tenant.scim.get(`/Users/${id}?${query}`)).body
    const envelope = { schemas: [USER, ENTERPRISE], id }
    expect(await read(`attributes=${USER}:name.familyName,emails.type`)).toEqual({
      ...envelope,
      name: { familyName: 'Lovelace' },
      emails: [{ type: 'work' }],
    })
    expect(await read(`attributes=${ENTERPRISE}`)).toEqual({
      ...envelope,
      [ENTERPRISE]: { department: 'R&D', costCenter: '1' },
    })
    expect(await read(`excludedAttributes=${ENTERPRISE}:costCenter,name`)).toMatchObject({
      [ENTERPRISE]: { department: 'R&D' },
    })
  })

  it('RFC-62 RFC-66 a user shows its groups and a group its members, each with type, display and $ref', async () => {
    const tenant = await newTenant()
    const user = await tenant.user()
    const group = await tenant.group({ displayName: 'Staff', members: [{ value: user.id }] })
    const nested = await tenant.group({ members: [{ value: group.id }] })
    expect(group.members).toEqual([
      { value: user.id, type: 'User', display: 'Ada Lovelace', $ref: user.meta.location },
    ])
    expect(nested.members).toEqual([
      { value: group.id, type: 'Group', display: 'Staff', $ref: group.meta.location },
    ])
    const shown = (await tenant.scim.get(`/Users/${user.id}`)).body.groups
    expect(shown).toEqual([{ value: group.id, type: 'direct', display: 'Staff', $ref: group.meta.location }])
  })

  it('RFC-139 a PATCH is all or nothing, and says which operation is wrong', async () => {
    const tenant = await newTenant()
    const user = await tenant.user()
    const before = await tenant.state()
    const reply = await tenant.scim.patch(`/Users/${user.id}`, [
      { op: 'replace', path: 'displayName', value: 'Changed' },
      { op: 'replace', path: 'active', value: false },
      { op: 'remove', path: 'userName' },
    ])
    expectError(reply, 400, 'mutability', /Operations\[2\].*userName/)
    expect(await tenant.state()).toEqual(before)
  })

  it('RFC-192 a plus sign in a filter means itself when it is percent-encoded', async () => {
    const tenant = await newTenant()
    const user = await tenant.user({ userName: 'a+b&c#d@example.com' })
    const found = await tenant.scim.filter('/Users', 'userName eq "a+b&c#d@example.com"')
    expect(found.body.Resources.map(({ id }) => id)).toEqual([user.id])
  })
})

describe('groups', () => {
  it('RFC-65 RFC-230 a displayName is unique within its connection only; a connection lists its own groups', async () => {
    const tenant = await newTenant()
    const other = await tenant.connect()
    const one = await tenant.group({ displayName: 'Engineering' })
    const two = await other.scim.post('/Groups', newGroup({ displayName: 'ENGINEERING' }))
    expect(two.status).toBe(201)
    expectError(
      await tenant.scim.post('/Groups', newGroup({ displayName: 'engineering' })),
      409,
      'uniqueness',
      /displayName/,
    )
    const found = async (scim: Scim) =>
      (await scim.filter('/Groups', 'displayName eq "engineering"')).body.Resources.map(({ id }) => id)
    expect(await found(tenant.scim)).toEqual([one.id])
    expect(await found(other.scim)).toEqual([two.body.id])
  })

  it('RFC-31 RFC-209 two connections may use the same externalId, and neither sees the other’s', async () => {
    const tenant = await newTenant()
    const other = await tenant.connect()
    const one = await tenant.user({ externalId: 'E1' })
    const two = await other.scim.post('/Users', newUser({ externalId: 'E1' }))
    expect(two.status).toBe(201)
    const found = await other.scim.filter('/Users', 'externalId eq "E1"')
    expect(found.body.Resources.map(({ id }) => id)).toEqual([two.body.id])
    expect((await other.scim.get(`/Users/${one.id}`)).body).not.toHaveProperty('externalId')
  })

  it('RFC-126 PUT without members keeps them, with [] takes them away', async () => {
    const tenant = await newTenant()
    const user = await tenant.user()
    const group = await tenant.group({ members: [{ value: user.id }] })
    const at = `/Groups/${group.id}`
    const kept = await tenant.scim.put(at, { schemas: [GROUP], displayName: 'Other' })
    expect(kept.body.members.map(({ value }) => value)).toEqual([user.id])
    const cleared = await tenant.scim.put(at, { schemas: [GROUP], displayName: 'Other', members: [] })
    expect(cleared.body.members ?? []).toEqual([])
    expect((await tenant.scim.get(at)).body.members ?? []).toEqual([])
  })

  it('RFC-150 remove with a value list removes just those, [] and null nobody, no value everybody', async () => {
    const tenant = await newTenant()
    const [a, b] = [await tenant.user(), await tenant.user()]
    const group = await tenant.group({ members: [{ value: a.id }, { value: b.id }] })
    const at = `/Groups/${group.id}`
    const left = async (operation: object) => {
      expectEmpty(await tenant.scim.patch(at, [{ op: 'remove', path: 'members', ...operation }]), 204)
      return ((await tenant.scim.get(at)).body.members ?? []).map(({ value }) => value)
    }
    expect(await left({ value: [] })).toEqual([a.id, b.id])
    expect(await left({ value: null })).toEqual([a.id, b.id])
    expect(await left({ value: [{}] })).toEqual([a.id, b.id])
    expect(await left({ value: [{ value: UNKNOWN_ID }] })).toEqual([a.id, b.id])
    expect(await left({ value: [{ $ref: null, value: a.id }] })).toEqual([b.id])
    expect(await left({})).toEqual([])
  })

  it('RFC-66 an unknown member is 400 invalidValue naming the id in strict, for POST, PUT and PATCH, and nothing is applied', async () => {
    const tenant = await newTenant({ mode: 'strict' })
    const user = await tenant.user()
    const group = await tenant.group({ members: [{ value: user.id }] })
    const before = await tenant.state()
    const members = [{ value: user.id }, { value: UNKNOWN_ID }]
    const at = `/Groups/${group.id}`
    const detail = new RegExp(`members.*${UNKNOWN_ID}`)
    expectError(await tenant.scim.post('/Groups', newGroup({ members })), 400, 'invalidValue', detail)
    expectError(await tenant.scim.put(at, newGroup({ members })), 400, 'invalidValue', detail)
    for (const op of ['add', 'replace'])
      expectError(
        await tenant.scim.patch(at, [
          { op: 'replace', path: 'displayName', value: 'Changed' },
          { op, path: 'members', value: members },
        ]),
        400,
        'invalidValue',
        detail,
      )
    expect(await tenant.state()).toEqual(before)
  })

  it('RFC-66 RFC-86 the members of a group are read whole, alone or in a list, and not at all when excluded', async () => {
    const tenant = await newTenant()
    const users = await manyUsers(tenant, 45)
    const members = users.map(({ id }) => ({ value: id }))
    const group = await tenant.group({ members })
    expect(group.members).toHaveLength(45)
    const excluded = await tenant.scim.get(`/Groups/${group.id}?excludedAttributes=members`)
    expect(excluded.body).not.toHaveProperty('members')
    const list = await tenant.scim.get('/Groups?excludedAttributes=members')
    expect(list.body.Resources[0]).not.toHaveProperty('members')
    const whole = await tenant.scim.get('/Groups')
    expect(whole.body.Resources[0]?.members.map(({ value }) => value)).toEqual(
      members.map(({ value }) => value).sort(),
    )
  })

  it('RFC-167 a deleted user leaves its groups, which get a new version', async () => {
    const tenant = await newTenant()
    const [gone, stays] = [await tenant.user(), await tenant.user()]
    const group = await tenant.group({ members: [{ value: gone.id }, { value: stays.id }] })
    await tenant.scim.delete(`/Users/${gone.id}`)
    const after = await tenant.scim.get(`/Groups/${group.id}`)
    expect(after.body.members.map(({ value }) => value)).toEqual([stays.id])
    expect(after.body.meta.version).not.toBe(group.meta.version)
  })

  it('RFC-161 fifty single-member PATCHes at once leave fifty members', async () => {
    const tenant = await newTenant()
    const users = await manyUsers(tenant, 50)
    const group = await tenant.group()
    const replies = await Promise.all(
      users.map(({ id }) =>
        tenant.scim.patch(`/Groups/${group.id}`, [{ op: 'add', path: 'members', value: [{ value: id }] }]),
      ),
    )
    expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([204]))
    expect((await tenant.scim.get(`/Groups/${group.id}`)).body.members).toHaveLength(50)
  })
})

/** Users in the order of their creation. */
async function manyUsers(tenant: Tenant, count: number): Promise<Body[]> {
  const made: Body[] = []
  while (made.length < count) {
    const some = Array.from({ length: Math.min(50, count - made.length) }, () => tenant.user())
    made.push(...(await Promise.all(some)))
  }
  return made
}

describe('requests that are refused', () => {
  let tenant: Tenant
  let scim: Scim
  let user: Body
  let group: Body
  beforeAll(async () => {
    tenant = await newTenant()
    scim = tenant.scim
    user = await tenant.user()
    group = await tenant.group({ members: [{ value: user.id }] })
  })

  /** Promise 7: a rejected request changes nothing. */
  async function unchanged(work: () => Promise<void>) {
    const before = await tenant.state()
    await work()
    expect(await tenant.state()).toEqual(before)
  }

  /** The same body as POST and PUT of a user and a group, and as PATCH of both. */
  async function everywhere(body: unknown, check: (reply: Reply) => void, headers = {}) {
    await unchanged(async () => {
      for (const [method, path] of [
        ['POST', '/Users'],
        ['POST', '/Groups'],
        ['PUT', `/Users/${user.id}`],
        ['PUT', `/Groups/${group.id}`],
        ['PATCH', `/Users/${user.id}`],
        ['PATCH', `/Groups/${group.id}`],
        ['POST', '/Users/.search'],
      ] as const)
        check(await scim.send(method, path, body, headers))
    })
  }

  it.each([
    '/nowhere',
    '/users',
    '/Users/a/b',
    '/Users/a/b/c',
    '/Groups/x/members',
    '/Schemas/nosuch',
    '/ResourceTypes/nosuch',
  ])('RFC-191 the unknown path %j is a SCIM 404', async path => {
    expectError(await scim.get(path), 404)
    expectError(
      await scim.post(`${path}?x=1`, newUser()),
      path.startsWith('/Schemas') || path.startsWith('/Res') ? 405 : 404,
    )
  })

  it('RFC-66 a group is no member of itself, by PATCH or PUT', async () => {
    const { id, displayName } = (await scim.post('/Groups', newGroup())).body
    const add = { op: 'add', path: 'members', value: [{ value: id }] }
    const patched = await scim.patch(`/Groups/${id}`, [add])
    expectError(patched, 400, 'invalidValue', /itself/)
    const put = await scim.put(`/Groups/${id}`, { schemas: [GROUP], displayName, members: [{ value: id }] })
    expectError(put, 400, 'invalidValue', /itself/)
  })

  it('RFC-182 /Me is 501', async () => {
    expectError(await scim.get('/Me'), 501)
  })

  it('RFC-168 /Bulk answers as ServiceProviderConfig says', async () => {
    const config = (await scim.get('/ServiceProviderConfig')).body as unknown as {
      bulk: { supported: boolean }
    }
    const reply = await scim.post('/Bulk', { schemas: [], Operations: [] })
    if (config.bulk.supported) expect(reply.status).toBe(400)
    else expectError(reply, 501, undefined, /ServiceProviderConfig/)
  })

  it.each([
    ['malformed', '{"userName":', /JSON/],
    ['with a comma too many', '{"userName":"a",}', /character 17/],
    ['two documents', '{}{}', /JSON/],
    ['no JSON at all', 'userName=a', /JSON/],
    ['empty', '', /empty/],
    ['white space', ' \n', /empty/],
    ['an array', '[{}]', /object/],
    ['a string', '"text"', /object/],
    ['a number', '1', /object/],
    ['null', 'null', /object/],
    ['true', 'true', /object/],
  ])('RFC-76 a body that is %s is 400 invalidSyntax', async (_, body, detail) => {
    await everywhere(body, reply => expectError(reply, 400, 'invalidSyntax', detail))
  })

  it('RFC-76 no body at all is 400 invalidSyntax', async () => {
    await unchanged(async () => {
      expectError(await scim.send('POST', '/Users'), 400, 'invalidSyntax', /empty/)
      expectError(await scim.send('PATCH', `/Users/${user.id}`), 400, 'invalidSyntax', /empty/)
    })
  })

  it('RFC-179 a body that is not UTF-8 is 400 invalidSyntax', async () => {
    const bytes = new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x7d])
    await everywhere(bytes, reply => expectError(reply, 400, 'invalidSyntax', /UTF-8/))
  })

  it.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'application/xml',
    'multipart/form-data; boundary=x',
  ])('RFC-180 the media type %s is 415', async type => {
    const headers = { 'Content-Type': type }
    await everywhere(
      newUser(),
      reply => expectError(reply, 415, undefined, /application\/scim\+json/),
      headers,
    )
  })

  const LARGE = 4 * 1024 * 1024 + 1

  it('RFC-223 a body over 4 MiB is 413 when its length is announced', async () => {
    const text = JSON.stringify(newUser({ title: '' })).replace(
      '"title":""',
      `"title":"${'x'.repeat(LARGE)}"`,
    )
    await unchanged(async () => expectError(await scim.post('/Users', text), 413, undefined, /4194304 bytes/))
  })

  it('RFC-223 a body over 4 MiB is 413 when it is streamed, and is not read to its end', async () => {
    let pulled = 0
    const chunk = new TextEncoder().encode('x'.repeat(65_536))
    const endless = new ReadableStream<Uint8Array>({
      pull(controller) {
        pulled += chunk.length
        if (pulled > 4 * LARGE) controller.close()
        else controller.enqueue(chunk)
      },
    })
    await unchanged(async () =>
      expectError(await scim.post('/Users', endless), 413, undefined, /4194304 bytes/),
    )
    expect(pulled).toBeLessThan(4 * LARGE)
  })

  it('RFC-223 a resource document over 1 MB is 413 for POST, PUT and PATCH', async () => {
    const emails = Array.from({ length: 20 }, (_, i) => ({
      type: `t${i}`,
      value: `${'x'.repeat(60_000)}${i}`,
    }))
    const large = newUser({ emails })
    await unchanged(async () => {
      const detail = /\d{7} bytes.*1000000/
      expectError(await scim.post('/Users', large), 413, undefined, detail)
      expectError(await scim.put(`/Users/${user.id}`, large), 413, undefined, detail)
      const operations = [{ op: 'add', path: 'emails', value: emails }]
      expectError(await scim.patch(`/Users/${user.id}`, operations), 413, undefined, detail)
    })
  })

  it('RFC-223 a document or members that D1 cannot take, though within our own limits, are 413', async () => {
    // U+0130 takes two bytes and its lower case three, so the row holds 2.4 MB.
    const emails = Array.from({ length: 16 }, (_, i) => ({
      type: `t${i}`,
      value: `${'İ'.repeat(30_500)}${i}`,
    }))
    const large = newUser({ emails })
    const members = Array.from({ length: 25_000 }, (_, i) => ({ value: `${'x'.repeat(100)}${i}` }))
    const add = [{ op: 'add', path: 'members', value: members }]
    await unchanged(async () => {
      const detail = /fewer members.*1000000 bytes/
      expectError(await scim.post('/Users', large), 413, undefined, detail)
      expectError(await scim.put(`/Users/${user.id}`, large), 413, undefined, detail)
      expectError(await scim.post('/Groups', newGroup({ members })), 413, undefined, detail)
      expectError(await scim.patch(`/Groups/${group.id}`, add), 413, undefined, detail)
    })
  })

  it('RFC-223 text of more than 65,536 characters is 400 invalidValue', async () => {
    await unchanged(async () => {
      const long = 'x'.repeat(65_537)
      expectError(
        await scim.post('/Users', newUser({ userName: long })),
        400,
        'invalidValue',
        /userName.*65536/,
      )
      expectError(
        await scim.post('/Groups', newGroup({ displayName: long })),
        400,
        'invalidValue',
        /displayName/,
      )
    })
  })

  it('RFC-223 JSON nested 10,000 deep is 400 invalidSyntax naming the place', async () => {
    const open = 10_000
    const list = `{"emails":${'['.repeat(open)}${']'.repeat(open)}}`
    const object = `{"name":${'{"a":'.repeat(open)}1${'}'.repeat(open)}}`
    await everywhere(list, reply => expectError(reply, 400, 'invalidSyntax', /[Nn]ested.*emails/))
    await everywhere(object, reply => expectError(reply, 400, 'invalidSyntax', /[Nn]ested.*name/))
    const deepest = `{"emails":${'['.repeat(1_000_000)}`
    await everywhere(deepest, reply => expectError(reply, 400, 'invalidSyntax'))
  })

  it('RFC-224 __proto__ as a key is 400 invalidSyntax at any depth, and pollutes nothing', async () => {
    const bodies = [
      '{"__proto__":{"active":false}}',
      '{"name":{"__proto__":{"polluted":true}}}',
      '{"emails":[{"__proto__":{"polluted":true}}]}',
      `{"${ENTERPRISE}":{"__proto__":{"polluted":true}}}`,
      '{"Operations":[{"op":"add","value":{"__proto__":{"polluted":true}}}]}',
      '{"Operations":[{"op":"add","path":"name","value":{"__proto__":{"polluted":true}}}]}',
    ]
    for (const body of bodies)
      await everywhere(body, reply => expectError(reply, 400, 'invalidSyntax', /__proto__/))
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false)
  })

  it.each([
    '__proto__',
    '__proto__.polluted',
    'name.__proto__',
    'constructor',
    'constructor.prototype',
    'name.constructor',
    `${ENTERPRISE}:__proto__`,
    'emails[type eq "work"].__proto__',
    'emails[__proto__ eq "work"].value',
  ])('RFC-224 the path %s is 400, or names nothing and changes nothing', async path => {
    await unchanged(async () => {
      const replies = [
        await scim.patch(`/Users/${user.id}`, [{ op: 'add', path, value: 'x' }]),
        await scim.patch(`/Users/${user.id}`, [{ op: 'remove', path }]),
      ]
      // RFC-162: compat ignores what an extension does not define.
      for (const reply of replies)
        if (path.startsWith(ENTERPRISE)) expect(reply.status).toBe(200)
        else
          expectError(
            reply,
            400,
            path.includes('[__') ? 'invalidFilter' : 'invalidPath',
            /Operations\[0\].*(__proto__|constructor)/,
          )
      for (const key of [
        'constructor',
        'prototype',
        'hasOwnProperty',
        'toString',
        'valueOf',
        'name.constructor',
      ])
        expect((await scim.patch(`/Users/${user.id}`, [{ op: 'add', value: { [key]: 'x' } }])).status).toBe(
          200,
        )
    })
    expect('polluted' in {}).toBe(false)
  })

  it.each([
    ['a NUL', '\\u0000', /NUL/],
    ['a lone high surrogate', '\\ud800', /surrogate/],
    ['a lone low surrogate', 'x\\udc00', /surrogate/],
  ])('RFC-5 text with %s is 400 invalidValue naming the place', async (_, escaped, why) => {
    const bodies: [string, RegExp][] = [
      [`{"userName":"a${escaped}"}`, /userName/],
      [`{"name":{"familyName":"a${escaped}"}}`, /name\.familyName/],
      [`{"Operations":[{"op":"add","path":"title","value":"a${escaped}"}]}`, /Operations\[0\]\.value/],
      [`{"Operations":[{"op":"add","path":"title${escaped}","value":"a"}]}`, /Operations\[0\]\.path/],
      [`{"a${escaped}":1}`, /a/],
      [`{"members":[{"value":"${escaped}"}]}`, /members\[0\]\.value/],
    ]
    for (const [body, place] of bodies)
      await everywhere(body, reply => {
        expectError(reply, 400, 'invalidValue', place)
        expect(reply.body.detail).toMatch(why)
      })
  })

  it('RFC-5 NUL, lone surrogates and broken escapes in the URL are an unknown id or 400, never 500', async () => {
    for (const id of [
      '%00',
      'a%00b',
      '%ff',
      '%ZZ',
      '%ed%a0%80',
      '%',
      'x'.repeat(8000),
      '%2e%2e%2f',
      `'%20OR%201=1--`,
    ])
      for (const method of ['GET', 'DELETE']) expectError(await scim.send(method, `/Users/${id}`), 404)
    for (const value of ['%00', '%5Cu0000', '%5Cud800', '%ed%a0%80%00', '%5Cx'])
      expectError(
        await scim.get(`/Users?filter=userName%20eq%20%22${value}%22`),
        400,
        'invalidFilter',
        /column 13/,
      )
  })

  it('RFC-104 RFC-223 RFC-239 a filter of 20,000 parentheses is 400 invalidFilter', async () => {
    const many = '('.repeat(20_000)
    expectError(await scim.get(`/Users?filter=${many}`), 400, 'invalidFilter', /20000 characters/)
    const search = { schemas: [SEARCH_REQUEST], filter: `${many}userName pr${')'.repeat(20_000)}` }
    expectError(await scim.post('/Users/.search', search), 400, 'invalidFilter')
    const deep = `${'('.repeat(33)}userName pr${')'.repeat(33)}`
    expectError(await scim.filter('/Users', deep), 400, 'invalidFilter', /32 levels/)
    expect((await scim.filter('/Users', deep.slice(1, -1))).status).toBe(200)
    const path = `emails[${'('.repeat(4000)}type pr`
    expectError(
      await scim.patch(`/Users/${user.id}`, [{ op: 'remove', path }]),
      400,
      'invalidFilter',
      /32 levels/,
    )
  })

  it('RFC-104 RFC-223 a filter of 200 terms is 400 invalidFilter, one of 50 is answered', async () => {
    const terms = (count: number) =>
      Array.from({ length: count }, (_, i) => `emails[value co "${i}@"]`).join(' or ')
    expectError(await scim.filter('/Users', terms(200)), 400, 'invalidFilter', /50 conditions/)
    const answered = await scim.filter('/Users', terms(50))
    expect({ status: answered.status, text: answered.text.slice(0, 300) }).toMatchObject({ status: 200 })
    const kinds = [
      'displayName',
      'emails',
      'groups',
      `${ENTERPRISE}:manager`,
      'meta.created',
      'x509Certificates',
    ]
    for (const kind of kinds) {
      const many = Array.from({ length: 50 }, () => `not (${kind} pr)`).join(' and ')
      expect((await scim.filter('/Users', many)).status, kind).toBe(200)
    }
    const members = Array.from({ length: 50 }, (_, i) => `members[value eq "${i}" and type eq "User"]`)
    expect((await scim.filter('/Groups', members.slice(0, 25).join(' or '))).status).toBe(200)
  })

  it.each([
    ['userName', /column 9/],
    ['userName eq', /column 12/],
    ["userName eq 'a'", /column 13/],
    ['userName eq a', /column 13/],
    ['userName is "a"', /column 10/],
    ['nosuch eq "a"', /column 1\b.*attribute of User/],
    ['urn:nosuch:userName eq "a"', /column 1\b/],
    ['not userName eq "a"', /column 5/],
    ['active gt true', /column 8/],
    ['emails[type eq "work"', /column 22/],
    ['emails[addresses[type eq "x"]]', /column/],
    ['meta.created gt "yesterday"', /column 17/],
    ['userName eq "a" and', /column 20/],
    ['password eq "a"', /column 1\b/],
  ])('RFC-104 RFC-105 the filter %s is 400 invalidFilter, not the whole directory', async (filter, place) => {
    expectError(await scim.filter('/Users', filter), 400, 'invalidFilter', place)
    const body = { schemas: [SEARCH_REQUEST], filter }
    expectError(await scim.post('/Users/.search', body), 400, 'invalidFilter', place)
  })

  it.each([
    [{ userName: 1 }, /userName must be a string; a number/],
    [{ userName: null }, /userName is required/],
    [{ userName: '' }, /userName/],
    [{ userName: '  ' }, /userName/],
    [{ userName: ['a', 'b'] }, /userName must be one value/],
    [{ userName: {} }, /userName must be a string/],
    [{ active: 'yes' }, /active must be true or false/],
    [{ active: 1 }, /active must be true or false/],
    [{ name: 'Ada' }, /name must be an object/],
    [{ name: { givenName: 1 } }, /name\.givenName must be a string/],
    [{ emails: [1] }, /emails\[0\]/],
    [{ emails: [{ value: 1 }] }, /emails\[0\]\.value must be a string/],
    [{ emails: [{ value: 'a', primary: 'maybe' }] }, /emails\[0\]\.primary/],
    [{ [ENTERPRISE]: 'x' }, /enterprise:2\.0:User must be an object/],
    [{ [ENTERPRISE]: { department: 1 } }, /department must be a string/],
    [{ x509Certificates: [{ value: '***' }] }, /x509Certificates\[0\]\.value must be base64/],
    [{ profileUrl: 'a b' }, /profileUrl must be a URI/],
  ])(
    'RFC-76 RFC-162 %j is 400 invalidValue naming the attribute, for POST, PUT and PATCH',
    async (wrong, detail) => {
      await unchanged(async () => {
        expectError(await scim.post('/Users', newUser(wrong)), 400, 'invalidValue', detail)
        expectError(await scim.put(`/Users/${user.id}`, newUser(wrong)), 400, 'invalidValue', detail)
        const patched = await scim.patch(`/Users/${user.id}`, [{ op: 'replace', value: wrong }])
        const removes = 'userName' in wrong && wrong.userName === null
        expectError(patched, 400, removes ? 'mutability' : 'invalidValue', /Operations\[0\]: /)
      })
    },
  )

  it('RFC-129 a missing userName or displayName is 400 invalidValue', async () => {
    await unchanged(async () => {
      expectError(await scim.post('/Users', { schemas: [USER] }), 400, 'invalidValue', /userName/)
      expectError(await scim.put(`/Users/${user.id}`, { schemas: [USER] }), 400, 'invalidValue', /userName/)
      expectError(await scim.post('/Groups', { schemas: [GROUP] }), 400, 'invalidValue', /displayName/)
    })
  })

  it.each([
    [[{ op: 'move', path: 'title', value: 'x' }], 'invalidSyntax', /Operations\[0\].*op/],
    [[{ path: 'title', value: 'x' }], 'invalidSyntax', /Operations\[0\].*op/],
    [['replace'], 'invalidSyntax', /Operations\[0\]/],
    [[], 'invalidSyntax', /Operations/],
    [[{ op: 'remove' }], 'noTarget', /Operations\[0\].*path/],
    [[{ op: 'add', path: 'title' }], 'invalidValue', /Operations\[0\].*value/],
    [[{ op: 'add', value: 'x' }], 'invalidValue', /Operations\[0\]/],
    [[{ op: 'add', path: 1, value: 'x' }], 'invalidPath', /Operations\[0\].*path/],
    [[{ op: 'replace', path: 'title..x', value: 'x' }], 'invalidPath', /Operations\[0\]/],
    [[{ op: 'replace', path: 'emails[', value: 'x' }], 'invalidFilter', /Operations\[0\].*column/],
    [[{ op: 'replace', path: 'emails[type eq]', value: 'x' }], 'invalidFilter', /column/],
    [[{ op: 'replace', path: 'id', value: 'x' }], 'mutability', /id is readOnly/],
    [[{ op: 'replace', path: 'meta.created', value: 'x' }], 'mutability', /meta/],
    [[{ op: 'add', path: 'groups', value: [{ value: UNKNOWN_ID }] }], 'mutability', /groups/],
    [[{ op: 'remove', path: 'userName' }], 'mutability', /userName/],
    [[{ op: 'remove', path: 'active' }], 'mutability', /active/],
    [[{ op: 'replace', path: 'emails[type ne "work"].value', value: 'x' }], 'noTarget', /Operations\[0\]/],
  ])(
    'RFC-134 RFC-135 RFC-136 RFC-137 RFC-140 RFC-144 RFC-149 RFC-153 RFC-159 the operations %j are 400 with their scimType',
    async (operations, scimType, detail) => {
      await unchanged(async () =>
        expectError(await scim.patch(`/Users/${user.id}`, operations), 400, scimType, detail),
      )
    },
  )

  it('RFC-223 more than 1,000 operations or 25,000 members in a request are 413', async () => {
    await unchanged(async () => {
      const operations = Array.from({ length: 1001 }, () => ({ op: 'add', path: 'title', value: 'x' }))
      expectError(await scim.patch(`/Users/${user.id}`, operations), 413, undefined, /1000/)
      const members = Array.from({ length: 25_001 }, (_, i) => ({ value: `m${i}` }))
      expectError(await scim.post('/Groups', newGroup({ members })), 413, undefined, /25000/)
      const add = [{ op: 'add', path: 'members', value: members }]
      expectError(await scim.patch(`/Groups/${group.id}`, add), 413, undefined, /25000/)
    })
  })

  it('Promise 7 a refusal repeats little of what it was sent', async () => {
    const long = 'k'.repeat(5000)
    const replies = [
      await scim.get(`/Users/${long}`),
      await scim.get(`/${long}`),
      await scim.filter('/Users', `${long} eq "x"`),
      await scim.get(`/Users?count=${long}`),
      await scim.patch(`/Users/${user.id}`, [{ op: 'add', path: long, value: 1 }]),
      await scim.post('/Users', newUser({ schemas: [long], userName: 1 })),
      await scim.post('/Groups', newGroup({ members: [{ value: long }] })),
    ]
    for (const reply of replies) expect(reply.text.length).toBeLessThan(500)
    expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([400, 404]))
  })
})

describe('lists', () => {
  it('RFC-87 RFC-88 RFC-115 an empty list is 200 with every member of a ListResponse', async () => {
    const { scim } = await newTenant()
    for (const path of ['/Users', '/Groups', '/Users?filter=userName%20eq%20%22x%22']) {
      const reply = await scim.get(path)
      expect(reply.status).toBe(200)
      expect(reply.body).toEqual({
        schemas: [LIST_RESPONSE],
        totalResults: 0,
        startIndex: 1,
        itemsPerPage: 0,
        Resources: [],
      })
      expect(reply.headers.get('Cache-Control')).toBe('no-store')
    }
  })

  it('RFC-89 RFC-112 RFC-113 RFC-232 startIndex and count at and beyond their limits', async () => {
    const tenant = await newTenant()
    const all = (await manyUsers(tenant, 105)).map(({ id }) => id)
    const order = (await tenant.scim.get('/Users?count=1000')).body.Resources.map(({ id }) => id)
    expect([...order].sort()).toEqual([...all].sort())
    const pages: [string, number, readonly string[]][] = [
      ['', 1, order.slice(0, 100)],
      ['startIndex=0', 1, order.slice(0, 100)],
      ['startIndex=-1', 1, order.slice(0, 100)],
      ['startIndex=-999999999999999', 1, order.slice(0, 100)],
      ['startIndex=101', 101, order.slice(100)],
      ['startIndex=105', 105, order.slice(104)],
      ['startIndex=106', 106, []],
      ['startIndex=100000', 100_000, []],
      ['startIndex=999999999999999', 999_999_999_999_999, []],
      ['count=0', 1, []],
      ['count=-1', 1, []],
      ['count=1', 1, order.slice(0, 1)],
      ['count=1001', 1, order],
      ['count=999999999999999', 1, order],
      ['startIndex=3&count=4&nosuch=5&aadOptscim062020', 3, order.slice(2, 6)],
    ]
    for (const [query, startIndex, ids] of pages) {
      const { status, body } = await tenant.scim.get(`/Users?${query}`)
      expect({ ...body, query, status, Resources: body.Resources?.map(({ id }) => id) }).toEqual({
        query,
        status: 200,
        schemas: [LIST_RESPONSE],
        totalResults: 105,
        startIndex,
        itemsPerPage: ids.length,
        Resources: ids,
      })
    }
  })

  it('RFC-114 startIndex and count that are no integers are 400 invalidValue', async () => {
    const { scim } = await newTenant()
    for (const wrong of ['abc', '1.5', '1e3', '0x10', '', ' ', '9'.repeat(30), 'NaN', '１']) {
      const value = encodeURIComponent(wrong)
      expectError(await scim.get(`/Users?count=${value}`), 400, 'invalidValue', /count/)
      expectError(await scim.get(`/Users?startIndex=${value}`), 400, 'invalidValue', /startIndex/)
    }
    for (const wrong of [true, [], {}, 1.5, 'x', 1e300])
      for (const name of ['count', 'startIndex']) {
        const body = { schemas: [SEARCH_REQUEST], [name]: wrong }
        expectError(await scim.post('/Users/.search', body), 400, 'invalidValue', new RegExp(name))
      }
  })

  it('RFC-116 pages are exact after deletions, at every start index around the blocks of 256', async () => {
    const tenant = await newTenant()
    const made = (await manyUsers(tenant, 600)).map(({ id }) => id)
    const list = async (query: string) => {
      const { body } = await tenant.scim.get(`/Users?attributes=id&${query}`)
      return { total: body.totalResults, ids: body.Resources.map(({ id }) => id) }
    }
    const random = generator(20_261_121)
    let order = (await list('count=1000')).ids
    expect([...order].sort()).toEqual(made.sort())
    // Serials are given in order: the first deletions empty the blocks' edges, later ones strike at random.
    const edges = [1, 2, 255, 256, 257, 258, 511, 512, 513, 600]
    const rounds = [
      edges.map(position => order[position - 1]),
      pick(order, 60, random),
      order.slice(256, 512),
      pick(order, 150, random),
    ]
    for (const round of rounds) {
      const gone = new Set(round.filter(id => id !== undefined && order.includes(id)))
      await Promise.all([...gone].map(id => tenant.scim.delete(`/Users/${id}`)))
      order = order.filter(id => !gone.has(id))
      const total = order.length
      expect(await list('count=1000')).toEqual({ total, ids: order })
      const around = [1, 256, 512, total].flatMap(at => [at - 2, at - 1, at, at + 1, at + 2])
      const starts = new Set(around)
      for (let i = 0; i < 15; i++) starts.add(1 + Math.floor(random() * total))
      for (const start of starts) {
        if (start < 1) continue
        const page = await list(`startIndex=${start}&count=7`)
        expect({ start, ...page }).toEqual({ start, total, ids: order.slice(start - 1, start + 6) })
      }
      const walked: string[] = []
      for (let start = 1; start <= total; start += 41)
        walked.push(...(await list(`startIndex=${start}&count=41`)).ids)
      expect(walked).toEqual(order)
    }
    const late = (await tenant.user()).id
    expect((await list(`startIndex=${order.length + 1}`)).ids).toEqual([late])
  }, 60_000)

  it('RFC-121 RFC-122 RFC-215 .search answers 200 with what the same GET answers', async () => {
    const tenant = await newTenant()
    await tenant.group({ displayName: 'Not a user' })
    for (const displayName of ['A', 'B', 'C', 'D', 'E']) await tenant.user({ displayName })
    const filter = 'displayName gt "A"'
    const search = await tenant.scim.post('/Users/.search', {
      schemas: [SEARCH_REQUEST],
      filter,
      startIndex: 2,
      count: 2,
      attributes: ['displayName'],
    })
    const get = await tenant.scim.get(
      `/Users?filter=${encodeURIComponent(filter)}&startIndex=2&count=2&attributes=displayName`,
    )
    expect(search.status).toBe(200)
    expect(search.body).toEqual(get.body)
    expect(search.body).toMatchObject({ totalResults: 4, startIndex: 2, itemsPerPage: 2 })
    expect(search.body.Resources.map(({ displayName }) => displayName)).toEqual(['C', 'D'])
  })

  it('RFC-121 .search refuses members of the wrong type', async () => {
    const { scim } = await newTenant()
    for (const [name, value] of [
      ['filter', 1],
      ['filter', ['userName pr']],
      ['attributes', 1],
      ['attributes', [1]],
      ['excludedAttributes', { a: 1 }],
    ] as const) {
      const reply = await scim.post('/Users/.search', { schemas: [SEARCH_REQUEST], [name]: value })
      expectError(reply, 400, 'invalidValue', new RegExp(name))
    }
  })

  it('RFC-92 RFC-236 the filters every identity provider needs find their user, whatever the case', async () => {
    const tenant = await newTenant()
    const manager = await tenant.user()
    const user = await tenant.user({ [ENTERPRISE]: { manager: { value: manager.id }, department: 'R&D' } })
    const group = await tenant.group({ members: [{ value: user.id }] })
    const { userName, externalId } = user
    const filters = [
      `userName eq "${userName.toUpperCase()}"`,
      `USERNAME EQ "${userName.toLowerCase()}"`,
      `emails[type eq "work" and value eq "${userName.toUpperCase()}"]`,
      `emails[type eq "work"].value eq "${userName}"`,
      `emails[value eq "${userName}"]`,
      `emails.value eq "${userName}"`,
      `emails eq "${userName}"`,
      `externalId eq "${externalId}"`,
      `id eq "${user.id}"`,
      `id eq "${user.id}" and manager eq "${manager.id}"`,
      `${ENTERPRISE}:manager.value eq "${manager.id}"`,
      `${ENTERPRISE}:department sw "r&"`,
      `groups.value eq "${group.id}"`,
      `groups[value eq "${group.id}"]`,
      `meta.resourceType eq "User" and userName sw "${userName.slice(0, 12)}"`,
      `schemas eq "${ENTERPRISE}"`,
    ]
    for (const filter of filters) {
      const { status, body } = await tenant.scim.filter('/Users', filter)
      expect({ filter, status, ids: body.Resources?.map(({ id }) => id) }).toEqual({
        filter,
        status: 200,
        ids: [user.id],
      })
    }
    for (const filter of [
      `members[value eq "${user.id}"]`,
      `members eq "${user.id}"`,
      `displayName eq "${group.displayName}"`,
    ]) {
      const { body } = await tenant.scim.filter('/Groups', filter)
      expect({ filter, ids: body.Resources?.map(({ id }) => id) }).toEqual({ filter, ids: [group.id] })
    }
  })
})

describe('discovery', () => {
  it('RFC-92 RFC-133 RFC-190 RFC-193 RFC-194 RFC-197 RFC-234 the three documents agree with each other', async () => {
    const { scim } = await newTenant()
    const config = await scim.get('/ServiceProviderConfig')
    expect(config).toMatchObject({
      status: 200,
      body: {
        patch: { supported: true },
        filter: { supported: true, maxResults: 1000 },
        etag: { supported: true },
      },
    })
    const types = (await scim.get('/ResourceTypes')).body
    const schemas = (await scim.get('/Schemas')).body
    const ids = schemas.Resources.map(({ id }) => id)
    expect(types.Resources.map(({ id }) => id)).toEqual(['User', 'Group'])
    expect(ids.filter(id => id.includes(':messages:'))).toEqual([])
    expect(JSON.stringify(schemas)).not.toContain('null')
    for (const type of types.Resources) {
      expect(ids).toContain(type.schema)
      expect((await scim.get(`/ResourceTypes/${type.id}`)).body).toEqual(type)
    }
    for (const schema of schemas.Resources) {
      expect((await scim.get(`/Schemas/${schema.id}`)).body).toEqual(schema)
      expect(schema.meta.location).toBe(`${scim.base}/Schemas/${schema.id}`)
    }
  })

  it('RFC-198 a filter on discovery is 403; paging and projection are ignored', async () => {
    const { scim } = await newTenant()
    for (const path of ['/Schemas', '/ResourceTypes']) {
      expectError(await scim.get(`${path}?filter=id%20pr`), 403)
      const whole = (await scim.get(path)).body
      expect((await scim.get(`${path}?count=1&startIndex=2&attributes=id`)).body).toEqual(whole)
    }
  })
})

function pick(from: readonly string[], count: number, random: () => number): string[] {
  const left = [...from]
  return Array.from({ length: count }, () => left.splice(Math.floor(random() * left.length), 1)).flat()
}

/** Numbers below 1 that look random and are the same each time. */
function generator(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
    return state / 2_147_483_648
  }
}
