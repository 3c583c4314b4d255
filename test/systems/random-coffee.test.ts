// RandomCoffee as its documentation describes it: 000 (custom fields, real time) and 001 (the SCIM API).
import { describe, expect, it } from 'vitest'
import { call } from '../contract/calls'
import {
  admin,
  ENTERPRISE,
  expectError,
  newUser,
  ORIGIN,
  PATCH_OP,
  scimClient,
  settled,
  USER,
} from '../contract/world'
import { asEntra, asOkta, newSystem, replace, type System, somebody } from './world'

const PROFILE = 'random-coffee'
const custom = (name: string) => `${ENTERPRISE}:${name}`
const fieldAt = (path: string, value: unknown) => [{ op: 'Add', path, value }]
const attributesOf = async ({ scim }: System) => {
  const { body } = await scim.get(`/Schemas/${ENTERPRISE}`)
  return body.attributes as { name: string; type: string }[]
}

describe('enabling', () => {
  it('000: enabling gives a base URL and a token to hand on, and both work', async () => {
    const { connection, slug } = await newSystem(PROFILE)
    expect(connection.baseUrl).toBe(`${ORIGIN}/t/${slug}/scim/v2`)
    const { status, body } = await connection.scim.get('/Users')
    expect([status, body.totalResults]).toEqual([200, 0])
  })

  it('001: the token is kept like a password: nobody is shown it again', async () => {
    const { at, connection } = await newSystem(PROFILE)
    const seen = [
      await admin('GET', `${at}/connections/${connection.id}`),
      await admin('GET', `${at}/connections/${connection.id}/tokens`),
      await admin('GET', `${at}/activity`),
    ]
    expect(JSON.stringify(seen)).not.toContain(connection.token.value)
    expectError(await scimClient(connection.baseUrl, 'Bearer guessed').get('/Users'), 401)
    expectError(await scimClient(connection.baseUrl, undefined).get('/Users'), 401)
  })

  it.each([
    ['Entra', 'entra', asEntra],
    ['Okta', 'okta', asOkta],
  ])('001: %s provisions joiners and leavers without an integration of its own', async (_, idp, body) => {
    const system = await newSystem(PROFILE, idp)
    const person = somebody()
    const { scim } = system
    expect((await scim.filter('/Users', `userName eq "${person.login}"`)).body.totalResults).toBe(0)
    const made = await scim.post('/Users', body(person))
    expect(made.status).toBe(201)
    expect(await system.account(made.body.id)).toMatchObject({
      active: true,
      profile: {
        userName: person.login,
        externalId: person.key,
        firstName: 'Ada',
        lastName: 'Lovelace',
        email: person.login,
      },
    })
    const left = await scim.patch(`/Users/${made.body.id}`, [
      idp === 'entra'
        ? { op: 'Replace', path: 'active', value: 'False' }
        : { op: 'replace', value: { active: false } },
    ])
    expect(left).toMatchObject({ status: 200, body: { active: false } })
    expect(await system.account(made.body.id)).toMatchObject({ active: false, sessionEpoch: 1 })
  })
})

describe('custom fields', () => {
  it('000: department is one of them, in the documented form', async () => {
    const system = await newSystem(PROFILE)
    const made = await system.scim.post(
      '/Users',
      asEntra(somebody(), { [ENTERPRISE]: { department: 'Beans' } }),
    )
    expect((await system.account(made.body.id)).profile.department).toBe('Beans')
  })

  it('000: one that nobody has declared is taken as Entra maps it, at create and by path', async () => {
    const system = await newSystem(PROFILE)
    const { scim } = system
    const made = await scim.post('/Users', asEntra(somebody(), { [ENTERPRISE]: { customfield: 'blue' } }))
    expect(made).toMatchObject({ status: 201, body: { [ENTERPRISE]: { customfield: 'blue' } } })
    const other = await scim.post('/Users', asEntra(somebody()))
    const changed = await scim.patch(`/Users/${other.body.id}`, fieldAt(custom('costcode'), 'X1'))
    expect(changed).toMatchObject({ status: 200, body: { [ENTERPRISE]: { costcode: 'X1' } } })
    const flagged = await scim.patch(`/Users/${other.body.id}`, [
      { op: 'add', value: { [custom('floor')]: '4', displayName: 'Ada' } },
    ])
    expect(flagged).toMatchObject({ status: 200, body: { [ENTERPRISE]: { costcode: 'X1', floor: '4' } } })
    expect((await scim.filter('/Users', `${custom('floor')} eq "4"`)).body.totalResults).toBe(1)
  })

  it('000: they are text; any other value is refused and declares nothing', async () => {
    const system = await newSystem(PROFILE)
    for (const value of [7, { a: 'b' }, ['x', 'y']])
      expectError(
        await system.scim.post('/Users', asEntra(somebody(), { [ENTERPRISE]: { wrong: value } })),
        400,
        'invalidValue',
        /wrong/,
      )
    expect((await attributesOf(system)).map(({ name }) => name)).not.toContain('wrong')
  })

  it('000: a mapping of the connection may name one that is still to come', async () => {
    const system = await newSystem(PROFILE)
    const { at, connection, scim } = system
    await admin('PUT', `${at}/connections/${connection.id}/mapping`, {
      fields: [{ field: 'hobby', source: custom('hobby') }],
    })
    const made = await scim.post('/Users', asEntra(somebody(), { [ENTERPRISE]: { hobby: 'chess' } }))
    expect((await system.account(made.body.id)).profile.hobby).toBe('chess')
    expect(await system.accounts(`&filter=${encodeURIComponent('profile.hobby eq "chess"')}`)).toHaveLength(1)
  })

  it('001: the schemas of an organization hold its own attributes, and only its own', async () => {
    const [system, other] = [await newSystem(PROFILE), await newSystem(PROFILE)]
    await system.scim.post('/Users', asEntra(somebody(), { [ENTERPRISE]: { customfield: 'blue' } }))
    expect(await attributesOf(system)).toContainEqual(
      expect.objectContaining({ name: 'customfield', type: 'string' }),
    )
    expect((await attributesOf(other)).map(({ name }) => name)).not.toContain('customfield')
    const { body } = await system.scim.get('/Schemas')
    expect(body.Resources.map(({ id }) => id)).toEqual(expect.arrayContaining([USER, ENTERPRISE]))
  })

  it('000: many users at once may be the first to use the same fields', async () => {
    const system = await newSystem(PROFILE)
    const bodies = Array.from({ length: 12 }, (_, i) =>
      asEntra(somebody(), { [ENTERPRISE]: { shared: 's', [`own${i}`]: 'o' } }),
    )
    const replies = await Promise.all(bodies.map(body => system.scim.post('/Users', body)))
    expect(replies.map(({ status }) => status)).toEqual(bodies.map(() => 201))
    const declared = (await attributesOf(system)).map(({ name }) => name)
    expect(declared.filter(name => name === 'shared')).toHaveLength(1)
    for (const i of bodies.keys()) expect(declared).toContain(`own${i}`)
    const { body } = await system.scim.get('/Users')
    expect(body.Resources.every(user => (user[ENTERPRISE] as { shared: string }).shared === 's')).toBe(true)
  })

  it('000: there are at most 200 attributes in all; whatever is sent, the tenant stays readable', async () => {
    const system = await newSystem(PROFILE)
    const { scim } = system
    const known = (await attributesOf(system)).length
    const many = Object.fromEntries(Array.from({ length: 200 - known }, (_, i) => [`field${i}`, 'v']))
    expect((await scim.post('/Users', asEntra(somebody(), { [ENTERPRISE]: many }))).status).toBe(201)
    expect(await attributesOf(system)).toHaveLength(200)
    const refused = await scim.post('/Users', asEntra(somebody(), { [ENTERPRISE]: { oneMore: 'v' } }))
    expectError(refused, 400, 'invalidValue', /oneMore/)
    expect((await scim.get('/Users')).body.totalResults).toBe(1)
  })

  it.each([
    'id',
    'schemas',
    'meta',
    'externalId',
    'userName',
    'value',
    'primary',
    'members',
    'a-b_c9',
    'Department',
  ])('000: %s is a name like any other', async name => {
    const system = await newSystem(PROFILE)
    const made = await system.scim.post('/Users', asEntra(somebody(), { [ENTERPRISE]: { [name]: 'v' } }))
    expect([201, 400]).toContain(made.status)
    const next = await system.scim.post('/Users', asEntra(somebody(), { [ENTERPRISE]: { other: 'v' } }))
    expect(next).toMatchObject({ status: 201, body: { [ENTERPRISE]: { other: 'v' } } })
  })
})

describe('updates', () => {
  it('000: a newcomer is in the application with the very request, and a leaver is out with it', async () => {
    const system = await newSystem(PROFILE)
    const person = somebody()
    const [created, ...none] = await system.eventsOf(async () => {
      await system.scim.post('/Users', asEntra(person))
    })
    expect([created?.type, none]).toEqual(['user.created', []])
    const id = created?.userId ?? ''
    expect((await system.account(id)).active).toBe(true)
    const events = await system.eventsOf(() => system.scim.patch(`/Users/${id}`, replace('active', false)))
    expect(events.map(({ type }) => type)).toEqual(['user.deactivated'])
    expect((await system.account(id)).active).toBe(false)
  })
})

describe('reading', () => {
  it('001: a user is read by the id that its creation returned, and by no other name', async () => {
    const { scim } = await newSystem(PROFILE)
    const person = somebody()
    const made = await scim.post('/Users', asEntra(person))
    expect(await scim.get(`/Users/${made.body.id}`)).toMatchObject({
      status: 200,
      body: { id: made.body.id },
    })
    expectError(await scim.get(`/Users/${person.key}`), 404)
    const found = await scim.filter('/Users', `externalId eq "${person.key}"`)
    expect(found.body.Resources.map(({ id }) => id)).toEqual([made.body.id])
  })

  it('001: all users of the organization are listed, and filtered by userName and externalId with eq', async () => {
    const [{ scim }, other] = [await newSystem(PROFILE), await newSystem(PROFILE)]
    const people = [somebody('Ada'), somebody('Bob')]
    for (const person of people) await scim.post('/Users', asEntra(person))
    await other.scim.post('/Users', asEntra(somebody()))
    expect((await scim.get('/Users')).body).toMatchObject({ totalResults: 2, itemsPerPage: 2 })
    const [ada] = people
    // The documented requests, with the spaces and quotes as they are written.
    const byName = await scim.get(`/Users?filter=userName eq "${ada?.login.toUpperCase()}"`)
    expect(byName.body.Resources.map(({ externalId }) => externalId)).toEqual([ada?.key])
    const byKey = await scim.get(`/Users?filter=externalId eq "${ada?.key}"`)
    expect(byKey.body.Resources.map(({ userName }) => userName)).toEqual([ada?.login])
  })

  it('001: a page is 1000 users when count is left out, and never more; startIndex goes on', async () => {
    const system = await newSystem('standard')
    const { scim, at } = system
    // Bulk is quick but not RandomCoffee's: the tenant becomes RandomCoffee's when they are there.
    for (let batch = 0; batch < 6; batch++) {
      const Operations = Array.from({ length: 170 }, () => ({
        method: 'POST',
        path: '/Users',
        bulkId: crypto.randomUUID(),
        data: asEntra(somebody()),
      }))
      const bulk = await scim.post('/Bulk', {
        schemas: ['urn:ietf:params:scim:api:messages:2.0:BulkRequest'],
        Operations,
      })
      expect(bulk.status).toBe(200)
    }
    await admin('PATCH', at, { profile: PROFILE })
    await settled()
    const pages = [
      await scim.get('/Users?attributes=userName'),
      await scim.get('/Users?attributes=userName&count=5000'),
      await scim.get('/Users?attributes=userName&startIndex=1001'),
      await scim.get('/Users?attributes=userName&startIndex=11&count=2'),
    ]
    expect(pages.map(({ body }) => [body.totalResults, body.startIndex, body.itemsPerPage])).toEqual([
      [1020, 1, 1000],
      [1020, 1, 1000],
      [1020, 1001, 20],
      [1020, 11, 2],
    ])
    const [first, , rest] = pages.map(({ body }) => body.Resources.map(({ id }) => id))
    expect(new Set([...(first ?? []), ...(rest ?? [])]).size).toBe(1020)
    expect((await scim.get('/ServiceProviderConfig')).body).toMatchObject({
      filter: { supported: true, maxResults: 1000 },
      pagination: { defaultPageSize: 1000, maxPageSize: 1000 },
    })
  }, 60_000)
})

describe('writing', () => {
  const without = (path: string) => {
    const body: Record<string, unknown> = newUser()
    const [name = '', sub] = path.split('.')
    if (sub) body[name] = { ...(body[name] as object), [sub]: undefined }
    else delete body[name]
    return body
  }

  it.each(['userName', 'externalId', 'name.givenName', 'name.familyName', 'emails'])(
    '001: %s is mandatory',
    async path => {
      const { scim, state } = await newSystem(PROFILE)
      const before = await state()
      expectError(await scim.post('/Users', without(path)), 400, 'invalidValue', new RegExp(path))
      expect(await state()).toEqual(before)
    },
  )

  const long = (path: string, value: string) => {
    const [name = '', sub] = path.split('.')
    return newUser({ [name]: sub ? { givenName: 'Ada', familyName: 'Lovelace', [sub]: value } : value })
  }

  it.each(['userName', 'externalId', 'name.givenName', 'name.familyName'])(
    '001: %s has at most 255 characters, whatever they are',
    async path => {
      const { scim } = await newSystem(PROFILE)
      for (const character of ['x', 'é', '漢', '😀'])
        expect((await scim.post('/Users', long(path, character.repeat(255)))).status).toBe(201)
      expectError(
        await scim.post('/Users', long(path, '😀'.repeat(256))),
        400,
        'invalidValue',
        new RegExp(`${path} has 256 characters; at most 255 are taken`),
      )
    },
  )

  it('001: at least one address is needed, and the documented form will do', async () => {
    const system = await newSystem(PROFILE)
    const emails = [{ primary: true, value: 'juliette@random-coffee.com' }]
    const made = await system.scim.post('/Users', newUser({ emails }))
    expect(made).toMatchObject({ status: 201, body: { emails } })
    expect((await system.account(made.body.id)).profile.email).toBe('juliette@random-coffee.com')
    expectError(await system.scim.post('/Users', newUser({ emails: [] })), 400, 'invalidValue', /emails/)
  })

  it('001: PUT updates a user, by the same rules', async () => {
    const system = await newSystem(PROFILE)
    const { id, ...user } = await system.user()
    const changed = { ...user, name: { givenName: 'Augusta', familyName: 'King' } }
    expect(await system.scim.put(`/Users/${id}`, changed)).toMatchObject({ status: 200, body: { id } })
    expect((await system.account(id)).profile).toMatchObject({ firstName: 'Augusta', lastName: 'King' })
    const reply = await system.scim.put(`/Users/${id}`, { ...changed, name: { givenName: 'Augusta' } })
    expectError(reply, 400, 'invalidValue', /name\.familyName is required/)
  })

  it('001: PATCH changes what it names; the documented example has no schemas', async () => {
    const system = await newSystem(PROFILE)
    const user = await system.user()
    const reply = await system.scim.send('PATCH', `/Users/${user.id}`, {
      Operations: [
        { op: 'replace', path: 'externalId', value: '34567' },
        { op: 'replace', path: 'name.familyName', value: 'Changed' },
      ],
    })
    expect(reply).toMatchObject({
      status: 200,
      body: { externalId: '34567', name: { givenName: 'Ada', familyName: 'Changed' } },
    })
    expect((await system.account(user.id)).profile).toMatchObject({
      externalId: '34567',
      firstName: 'Ada',
      lastName: 'Changed',
    })
  })

  it('001: the trailing comma of that example is no JSON, and the refusal says so', async () => {
    const system = await newSystem(PROFILE)
    const user = await system.user()
    const before = await system.state()
    const reply = await system.scim.send(
      'PATCH',
      `/Users/${user.id}`,
      '{"Operations": [{"op": "replace","path": "externalId","value": "34567"},{"op": "replace","path": "name.familyName","value": "Changed"},]}',
    )
    expectError(reply, 400, 'invalidSyntax', /JSON/)
    expect(await system.state()).toEqual(before)
  })

  it('001: PATCH cannot take a mandatory attribute away', async () => {
    const system = await newSystem(PROFILE)
    const user = await system.user()
    for (const path of ['externalId', 'name.givenName', 'emails'])
      expectError(
        await system.scim.patch(`/Users/${user.id}`, [{ op: 'remove', path }]),
        400,
        'invalidValue',
        /is required/,
      )
    expect((await system.scim.get(`/Users/${user.id}`)).body).toEqual(user)
  })

  it('001: DELETE deletes that user and nobody else', async () => {
    const system = await newSystem(PROFILE)
    const [user, other] = [await system.user(), await system.user()]
    expect((await system.scim.delete(`/Users/${user.id}`)).status).toBe(204)
    expectError(await system.scim.get(`/Users/${user.id}`), 404)
    expect((await call('GET', `${system.at}/users/${user.id}`)).status).toBe(404)
    expect((await system.scim.get('/Users')).body.Resources.map(({ id }) => id)).toEqual([other.id])
  })
})

describe('what is offered', () => {
  it('001: the configuration tells the capabilities, and is right about each', async () => {
    const { scim } = await newSystem(PROFILE)
    const { status, body } = await scim.get('/ServiceProviderConfig')
    expect(status).toBe(200)
    expect(body).toMatchObject({
      patch: { supported: true },
      bulk: { supported: false },
      etag: { supported: true },
    })
    expect(body.authenticationSchemes).toEqual(
      expect.arrayContaining([expect.objectContaining({ type: 'oauthbearertoken' })]),
    )
  })

  it('001: Bulk is not supported: 501, and nothing of it is done', async () => {
    const { scim } = await newSystem(PROFILE)
    const Operations = [{ method: 'POST', path: '/Users', bulkId: 'b', data: newUser() }]
    const reply = await scim.post('/Bulk', {
      schemas: ['urn:ietf:params:scim:api:messages:2.0:BulkRequest'],
      Operations,
    })
    expectError(reply, 501)
    expect((await scim.get('/Users')).body.totalResults).toBe(0)
  })

  it('001: everything else of SCIM 2.0 holds, with schemas in a PATCH as well as without', async () => {
    const { scim, user } = await newSystem(PROFILE)
    const { id } = await user()
    const body = { schemas: [PATCH_OP], Operations: replace('title', 'Barista') }
    expect((await scim.send('PATCH', `/Users/${id}`, body)).body.title).toBe('Barista')
  })
})
