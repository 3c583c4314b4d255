// Bulk (RFC 7644 §3.7) over HTTP.
import { beforeEach, describe, expect, it, vi } from 'vitest'
import {
  type Connection,
  ENTERPRISE,
  expectError,
  newGroup,
  newTenant,
  newUser,
  PATCH_OP,
  type Tenant,
} from './world'

vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 })

const REQUEST = 'urn:ietf:params:scim:api:messages:2.0:BulkRequest'

interface Result {
  readonly method: string
  readonly bulkId?: string
  readonly status: string
  readonly location?: string
  readonly version?: string
  readonly response?: { status: string; scimType?: string; detail: string; schemas: string[] }
}

let tenant: Tenant
let connection: Connection

beforeEach(async () => {
  tenant = await newTenant()
  connection = await tenant.connect()
})

async function bulk(Operations: readonly unknown[], more: object = {}): Promise<Result[]> {
  const reply = await connection.scim.post('/Bulk', { schemas: [REQUEST], Operations, ...more })
  expect({ status: reply.status, text: reply.text.slice(0, 300) }).toMatchObject({ status: 200 })
  expect(reply.body.schemas).toEqual(['urn:ietf:params:scim:api:messages:2.0:BulkResponse'])
  return (reply.body as unknown as { Operations: Result[] }).Operations
}

const idOf = (result: Result | undefined) => result?.location?.split('/').at(-1) ?? ''
const post = (bulkId: string, path: string, data: unknown) => ({ method: 'POST', path, bulkId, data })
const total = async (path: string) => (await connection.scim.get(`${path}?count=0`)).body.totalResults

describe('operations', () => {
  it('RFC-170, RFC-171, RFC-176 each has its status, location and version; failures say why, and the rest is done', async () => {
    const ada = (await connection.scim.post('/Users', newUser())).body
    const [made, twin, changed, replaced, gone, nowhere] = await bulk([
      post('q1', '/Users', newUser({ userName: 'new@example.com' })),
      post('q2', '/Users', newUser({ userName: ada.userName })),
      {
        method: 'patch',
        path: `/Users/${ada.id}`,
        data: { schemas: [PATCH_OP], Operations: [{ op: 'replace', path: 'title', value: 'x' }] },
      },
      { method: 'PUT', path: `/Users/${ada.id}`, data: { ...newUser(), userName: ada.userName, title: 'y' } },
      { method: 'DELETE', path: `/Users/${ada.id}` },
      { method: 'DELETE', path: `/Users/${ada.id}` },
    ])
    expect(made).toMatchObject({
      method: 'POST',
      bulkId: 'q1',
      status: '201',
      version: expect.stringMatching(/^W\/"/),
    })
    expect(made?.location).toBe(`${connection.baseUrl}/Users/${idOf(made)}`)
    expect(twin).toMatchObject({
      bulkId: 'q2',
      status: '409',
      response: { status: '409', scimType: 'uniqueness' },
    })
    expect(twin).not.toHaveProperty('location')
    expect(changed).toMatchObject({
      method: 'PATCH',
      status: '200',
      location: `${connection.baseUrl}/Users/${ada.id}`,
    })
    expect(replaced).toMatchObject({ status: '200' })
    expect(replaced?.version).not.toBe(changed?.version)
    expect(gone).toMatchObject({ status: '204' })
    expect(nowhere).toMatchObject({ status: '404', response: { detail: expect.stringContaining('User') } })
    expect(await total('/Users')).toBe(1)
  })

  it('RFC-170 what makes no sense fails by itself', async () => {
    const results = await bulk([
      { method: 'GET', path: '/Users' },
      { method: 'POST', path: '/Users', data: newUser() },
      { method: 'POST', path: '/Users/x', bulkId: 'a', data: {} },
      { method: 'PUT', path: '/Users', data: {} },
      { method: 'PATCH', path: '/Users/x' },
      { method: 'POST', path: '/Nowhere', bulkId: 'b', data: {} },
      'nonsense',
      post('ok', '/Users', newUser()),
    ])
    expect(results.map(({ status }) => status)).toEqual([
      '400',
      '400',
      '400',
      '400',
      '400',
      '404',
      '400',
      '201',
    ])
  })

  it('RFC-170, RFC-184 "version" is If-Match', async () => {
    const { id } = (await connection.scim.post('/Users', newUser())).body
    const [stale] = await bulk([{ method: 'DELETE', path: `/Users/${id}`, version: 'W/"another"' }])
    expect(stale).toMatchObject({ status: '412' })
    expect(await total('/Users')).toBe(1)
  })
})

describe('references', () => {
  it('RFC-173 in members and manager, forwards and backwards, and in a path', async () => {
    const [group, ada, bob, change] = await bulk([
      post('g', '/Groups', newGroup({ members: [{ value: 'bulkId:ada' }, { value: 'bulkId:bob' }] })),
      post('ada', '/Users', newUser()),
      post('bob', '/Users', { ...newUser(), [ENTERPRISE]: { manager: { value: 'bulkId:ada' } } }),
      {
        method: 'PATCH',
        path: '/Users/bulkId:bob',
        data: { schemas: [PATCH_OP], Operations: [{ op: 'add', path: 'title', value: 't' }] },
      },
    ])
    expect([group, ada, bob, change].map(result => result?.status)).toEqual(['201', '201', '201', '200'])
    expect(idOf(change)).toBe(idOf(bob))
    const { body } = await connection.scim.get(`/Groups/${idOf(group)}`)
    expect(body.members.map(({ value }) => value).sort()).toEqual([idOf(ada), idOf(bob)].sort())
    const read = (await connection.scim.get(`/Users/${idOf(bob)}`)).body as unknown as Record<string, unknown>
    expect(read[ENTERPRISE]).toMatchObject({ manager: { value: idOf(ada) } })
    expect(read.title).toBe('t')
  })

  it('RFC-174 in a circle: groups that hold each other, users who manage each other', async () => {
    const [one, two, ada, bob] = await bulk([
      post('one', '/Groups', newGroup({ members: [{ value: 'bulkId:two' }] })),
      post('two', '/Groups', newGroup({ members: [{ value: 'bulkId:one' }] })),
      post('ada', '/Users', {
        ...newUser(),
        [ENTERPRISE]: { department: 'x', manager: { value: 'bulkId:bob' } },
      }),
      post('bob', '/Users', { ...newUser(), [ENTERPRISE]: { manager: { value: 'bulkId:ada' } } }),
    ])
    expect([one, two, ada, bob].map(result => result?.status)).toEqual(['201', '201', '201', '201'])
    const members = async (result: Result | undefined) =>
      (await connection.scim.get(`/Groups/${idOf(result)}`)).body.members.map(({ value }) => value)
    expect(await members(one)).toEqual([idOf(two)])
    expect(await members(two)).toEqual([idOf(one)])
    const read = (await connection.scim.get(`/Users/${idOf(ada)}`)).body as unknown as Record<string, unknown>
    expect(read[ENTERPRISE]).toMatchObject({ department: 'x', manager: { value: idOf(bob) } })
  })

  it('RFC-173 to nothing, or to what failed: that operation fails', async () => {
    const [dangling, bad, user] = await bulk([
      post('g', '/Groups', newGroup({ members: [{ value: 'bulkId:nobody' }] })),
      post('h', '/Groups', newGroup({ members: [{ value: 'bulkId:u' }] })),
      post('u', '/Users', {}),
    ])
    expect(dangling).toMatchObject({
      status: '400',
      response: { scimType: 'invalidValue', detail: expect.stringContaining('nobody') },
    })
    expect(user?.status).toBe('400')
    expect(bad).toMatchObject({ status: '400', response: { detail: expect.stringContaining('u') } })
    expect(await total('/Groups')).toBe(0)
  })
})

describe('order', () => {
  it('RFC-176 operations on one resource keep their order, also where the first waits for a reference', async () => {
    const group = (await connection.scim.post('/Groups', newGroup())).body
    const member = (op: string, value: unknown) => ({
      schemas: [PATCH_OP],
      Operations: [{ op, path: 'members', ...(value ? { value } : {}) }],
    })
    const results = await bulk([
      { method: 'PATCH', path: `/Groups/${group.id}`, data: member('add', [{ value: 'bulkId:x' }]) },
      { method: 'PATCH', path: `/Groups/${group.id}`, data: member('remove', undefined) },
      post('x', '/Users', newUser()),
    ])
    expect(results.map(({ status }) => status)).toEqual(['200', '200', '201'])
    expect((await connection.scim.get(`/Groups/${group.id}`)).body.members ?? []).toEqual([])
  })
})

describe('order, where one names what another is about', () => {
  const adding = (value: string) => ({
    schemas: [PATCH_OP],
    Operations: [{ op: 'add', path: 'members', value: [{ value }, { value: 'bulkId:late' }] }],
  })
  const late = post('late', '/Users', newUser({ userName: 'late@example.com', externalId: 'late' }))

  it('RFC-176 a user is deleted after the operation before it that names the user and waits', async () => {
    const ada = (await connection.scim.post('/Users', newUser())).body
    const group = (await connection.scim.post('/Groups', newGroup())).body
    const results = await bulk([
      { method: 'PATCH', path: `/Groups/${group.id}`, data: adding(ada.id) },
      { method: 'DELETE', path: `/Users/${ada.id}` },
      late,
    ])
    expect(results.map(({ status }) => status)).toEqual(['200', '204', '201'])
    const { body } = await connection.scim.get(`/Groups/${group.id}`)
    expect(body.members.map(({ value }) => value)).toEqual([idOf(results[2])])
  })

  it('RFC-176 a group is filled after the operation before it that is about a member and waits', async () => {
    const ada = (await connection.scim.post('/Users', newUser())).body
    const [renamed, made] = await bulk([
      {
        method: 'PUT',
        path: `/Users/${ada.id}`,
        data: { ...ada, displayName: 'Renamed', [ENTERPRISE]: { manager: { value: 'bulkId:late' } } },
      },
      post('g', '/Groups', newGroup({ members: [{ value: ada.id }] })),
      late,
    ])
    expect([renamed?.status, made?.status]).toEqual(['200', '201'])
    const events = (await tenant.events()).filter(({ type }) => /^user.updated|^group.created/.test(type))
    expect(events.map(({ type }) => type)).toEqual(['user.updated', 'group.created'])
  })

  it('RFC-174 RFC-176 what an earlier one waits for goes first, though it names what that one is about', async () => {
    const ada = (await connection.scim.post('/Users', newUser())).body
    const results = await bulk([
      {
        method: 'PATCH',
        path: `/Users/${ada.id}`,
        data: {
          schemas: [PATCH_OP],
          Operations: [{ op: 'add', path: `${ENTERPRISE}:manager.value`, value: 'bulkId:boss' }],
        },
      },
      { method: 'DELETE', path: `/Users/${ada.id}` },
      post('boss', '/Users', newUser({ [ENTERPRISE]: { manager: { value: ada.id } } })),
    ])
    expect(results.map(({ status }) => status)).toEqual(['200', '204', '201'])
    const types = (await tenant.events()).map(({ type }) => type)
    expect(types).toEqual([
      ...['user.created', 'user.created', 'user.updated', 'user.deleted'],
      // The boss reported to the one who is gone.
      'user.updated',
    ])
  })
})

describe('limits', () => {
  it('RFC-172 failOnErrors stops, and answers what was done', async () => {
    const results = await bulk(
      [
        post('a', '/Users', newUser()),
        post('b', '/Users', {}),
        post('c', '/Users', {}),
        post('d', '/Users', newUser()),
      ],
      { failOnErrors: 2 },
    )
    expect(results.map(({ bulkId, status }) => [bulkId, status])).toEqual([
      ['a', '201'],
      ['b', '400'],
      ['c', '400'],
    ])
    expect(await total('/Users')).toBe(1)
  })

  it('RFC-175, RFC-235 maxOperations as advertised: one more is 413 naming it, and nothing is done', async () => {
    const config = (await connection.scim.get('/ServiceProviderConfig')).body as unknown as {
      bulk: { supported: boolean; maxOperations: number; maxPayloadSize: number }
    }
    expect(config.bulk).toEqual({ supported: true, maxOperations: 200, maxPayloadSize: 4 * 1024 * 1024 })
    const many = Array.from({ length: 201 }, (_, i) => post(`b${i}`, '/Users', newUser()))
    const reply = await connection.scim.post('/Bulk', { schemas: [REQUEST], Operations: many })
    expectError(reply, 413, undefined, /200/)
    expect(await total('/Users')).toBe(0)
    const results = await bulk(many.slice(0, 200))
    expect(new Set(results.map(({ status }) => status))).toEqual(new Set(['201']))
    expect(await total('/Users')).toBe(200)
  })

  it('RFC-169 what is no BulkRequest is 400', async () => {
    const send = (body: unknown) => connection.scim.post('/Bulk', body)
    expectError(await send({ schemas: [REQUEST] }), 400, 'invalidSyntax', /Operations/)
    expectError(await send({ schemas: [REQUEST], Operations: [] }), 400, 'invalidSyntax', /Operations/)
    expectError(
      await send({ schemas: [REQUEST], Operations: [{}], failOnErrors: 0 }),
      400,
      'invalidValue',
      /failOnErrors/,
    )
    const twice = [post('x', '/Users', newUser()), post('x', '/Users', newUser())]
    expectError(await send({ schemas: [REQUEST], Operations: twice }), 400, 'invalidValue', /twice/)
    expectError(await connection.scim.get('/Bulk'), 405)
  })
})

describe('around it', () => {
  it('contract: each operation that ends access is told, with a txn of its own', async () => {
    const ids = [
      (await connection.scim.post('/Users', newUser())).body.id,
      (await connection.scim.post('/Users', newUser())).body.id,
    ]
    await bulk(
      ids.map(id => ({
        method: 'PATCH',
        path: `/Users/${id}`,
        data: { schemas: [PATCH_OP], Operations: [{ op: 'Replace', path: 'active', value: 'False' }] },
      })),
    )
    const events = (await tenant.events()).filter(({ type }) => type === 'user.deactivated')
    expect(events.map(({ userId }) => userId)).toEqual(ids)
    const [first, second] = events.map(({ txn }) => txn)
    expect(first?.replace(/:1$/, '')).toBe(second?.replace(/:2$/, ''))
  })

  it('promise 7: a token that does not count gets 401 for the whole, and nothing is done', async () => {
    const other = await (await newTenant()).connect()
    const stolen = { Authorization: `Bearer ${other.token.value}` }
    const body = { schemas: [REQUEST], Operations: [post('a', '/Users', newUser()), post('b', '/Users', {})] }
    expectError(await connection.scim.post('/Bulk', body, stolen), 401)
    expect(await total('/Users')).toBe(0)
  })
})
