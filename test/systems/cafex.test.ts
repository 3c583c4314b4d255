// CafeX as its documentation describes it: 003, with the attribute tables of Entra, Okta, OneLogin and PingFederate.
import { describe, expect, it } from 'vitest'
import { call, plain } from '../contract/calls'
import { admin, expectError, newUser, ORIGIN, scimClient, USER } from '../contract/world'
import { asOkta, newSystem, type Person, pingClient, somebody } from './world'

const PROFILE = 'cafex'
const ROLE = 'roles[primary eq "True"].value'

/** Entra by the documented table: the principal name is userName, displayName and externalId. */
function mapped({ login, first, last }: Person, more: object = {}) {
  return {
    schemas: [USER, 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'],
    userName: login,
    active: true,
    displayName: login,
    emails: [{ primary: true, type: 'work', value: login }],
    meta: { resourceType: 'User' },
    name: { givenName: first, familyName: last },
    externalId: login,
    ...more,
  }
}

const having = (value: string) => ({ roles: [{ primary: 'True', value }] })

describe('connecting', () => {
  it('003: one URL serves every organization, the token tells which', async () => {
    const [one, two] = [await newSystem(PROFILE), await newSystem(PROFILE)]
    const person = somebody()
    // As the documentation writes it, with a slash at its end.
    const at = (token: string) => scimClient(`${ORIGIN}/scim/v2/`, `Bearer ${token}`)
    const made = await at(one.connection.token.value).post('/Users', mapped(person))
    expect(made.status).toBe(201)
    expect(made.body.meta.location).toBe(`${ORIGIN}/scim/v2/Users/${made.body.id}`)
    expect((await one.account(made.body.id)).userName).toBe(person.login)
    expect((await at(two.connection.token.value).get('/Users')).body.totalResults).toBe(0)
    expectError(await at(two.connection.token.value).get(`/Users/${made.body.id}`), 404)
    expect((await one.scim.get(`/Users/${made.body.id}`)).status).toBe(200)
  })

  it('003: connections carry a label, and their token is seen once', async () => {
    const { at } = await newSystem(PROFILE)
    const made = await admin<{ id: string; name: string; token: { value: string } }>(
      'POST',
      `${at}/connections`,
      {
        name: 'Connection from AAD',
        idp: 'entra',
      },
    )
    expect(made.name).toBe('Connection from AAD')
    const later = [
      await admin('GET', `${at}/connections`),
      await admin('GET', `${at}/connections/${made.id}/tokens`),
    ]
    expect(JSON.stringify(later)).not.toContain(made.token.value)
    expect(JSON.stringify(later[0])).toContain('Connection from AAD')
  })

  it('003: SCIM makes the identities of members and gives them roles', async () => {
    const system = await newSystem(PROFILE)
    const made = await system.scim.post('/Users', mapped(somebody(), having('ADMIN')))
    expect(await system.account(made.body.id)).toMatchObject({ active: true, roles: [{ name: 'ADMIN' }] })
    expect((await system.roles()).map(({ name, members }) => [name, members])).toEqual([
      ['OWNER', 0],
      ['ADMIN', 1],
      ['STANDARD', 0],
    ])
  })

  it('003: what SAML names a person by is found by SCIM: the externalId is kept as it is sent', async () => {
    const system = await newSystem(PROFILE)
    const person = somebody()
    const made = await system.scim.post('/Users', mapped(person))
    const found = await system.accounts(`&filter=${encodeURIComponent(`externalId eq "${person.login}"`)}`)
    expect(found.map(({ id, externalId }) => [id, externalId])).toEqual([[made.body.id, person.login]])
  })
})

describe('the attributes', () => {
  it.each([
    ['userName', { userName: undefined }, /userName/],
    ['displayName', { displayName: undefined }, /^displayName is required/],
    ['the address for work', { emails: undefined }, /^emails\[type eq "work"\]\.value is required/],
    ['externalId', { externalId: undefined }, /^externalId is required/],
  ])('003: %s is required', async (_, more, detail) => {
    const system = await newSystem(PROFILE)
    expectError(await system.scim.post('/Users', newUser(more)), 400, 'invalidValue', detail)
    expect((await system.scim.get('/Users')).body.totalResults).toBe(0)
  })

  it('003: given and family name are not', async () => {
    const system = await newSystem(PROFILE)
    const made = await system.scim.post('/Users', newUser({ name: undefined }))
    expect(made.status).toBe(201)
    expect(Object.keys((await system.account(made.body.id)).profile).sort()).toEqual([
      'displayName',
      'email',
      'externalId',
      'userName',
    ])
  })

  it('003: active is true unless it is said otherwise', async () => {
    const system = await newSystem(PROFILE)
    const silent = await system.scim.post('/Users', newUser({ active: undefined }))
    const inactive = await system.scim.post('/Users', newUser({ active: 'False' }))
    expect([silent.body.active, inactive.body.active]).toEqual([true, false])
    expect((await system.account(silent.body.id)).active).toBe(true)
    expectError(
      await system.scim.post('/Users', newUser({ active: 'perhaps' })),
      400,
      'invalidValue',
      /active/,
    )
  })

  it('003: a role is OWNER, ADMIN or STANDARD, and STANDARD where there is none', async () => {
    const system = await newSystem(PROFILE)
    for (const [more, role] of [
      [having('OWNER'), 'OWNER'],
      [having('ADMIN'), 'ADMIN'],
      [having('STANDARD'), 'STANDARD'],
      [having('admin'), 'ADMIN'],
      [{}, 'STANDARD'],
      [{ roles: [] }, 'STANDARD'],
      [
        {
          roles: [
            { primary: false, value: 'OWNER' },
            { primary: true, value: 'ADMIN' },
          ],
        },
        'ADMIN',
      ],
    ] as const) {
      const made = await system.scim.post('/Users', newUser(more))
      expect([made.status, (await system.account(made.body.id)).roles.map(({ name }) => name)]).toEqual([
        201,
        [role],
      ])
    }
    expectError(
      await system.scim.post('/Users', newUser(having('ROOT'))),
      400,
      'invalidValue',
      /roles.* must be one of OWNER, ADMIN, STANDARD/,
    )
  })
})

describe('Microsoft Entra', () => {
  it('003: its table, with active by Switch and the role by SingleAppRoleAssignment', async () => {
    const system = await newSystem(PROFILE, 'entra')
    const person = somebody()
    const made = await system.scim.post('/Users', mapped(person, { active: 'True', ...having('ADMIN') }))
    expect(made).toMatchObject({
      status: 201,
      body: { active: true, roles: [{ primary: true, value: 'ADMIN' }] },
    })
    expect(await system.account(made.body.id)).toMatchObject({
      active: true,
      profile: {
        userName: person.login,
        displayName: person.login,
        email: person.login,
        givenName: 'Ada',
        familyName: 'Lovelace',
        externalId: person.login,
      },
      roles: [{ name: 'ADMIN', source: 'attribute', privileged: true }],
    })
    const off = await system.scim.patch(`/Users/${made.body.id}`, [
      { op: 'Replace', path: 'active', value: 'False' },
    ])
    expect(off.body.active).toBe(false)
  })

  it.each<[string, object[]]>([
    ['Add by path where there is none', [{ op: 'Add', path: ROLE, value: 'ADMIN' }]],
    ['Replace by path where there is none', [{ op: 'Replace', path: ROLE, value: 'ADMIN' }]],
    ['without a path, the path as key', [{ op: 'replace', value: { [ROLE]: 'ADMIN' } }]],
    ['a list by path', [{ op: 'Add', path: 'roles', value: [{ primary: 'True', value: 'ADMIN' }] }]],
    ['a list without a path', [{ op: 'add', value: { roles: [{ primary: true, value: 'ADMIN' }] } }]],
    [
      'primary and value each by itself',
      [
        { op: 'Add', path: 'roles[value eq "ADMIN"].primary', value: 'True' },
        { op: 'Add', path: 'roles[value eq "ADMIN"].display', value: 'Administrators' },
      ],
    ],
  ])('003: the role of the manifest is assigned by PATCH: %s', async (_, operations) => {
    const system = await newSystem(PROFILE, 'entra')
    const made = await system.scim.post('/Users', mapped(somebody()))
    expect((await system.account(made.body.id)).roles.map(({ name }) => name)).toEqual(['STANDARD'])
    expect((await system.scim.patch(`/Users/${made.body.id}`, operations)).status).toBe(200)
    expect((await system.account(made.body.id)).roles.map(({ name }) => name)).toEqual(['ADMIN'])
  })

  it.each<[string, object[], string]>([
    ['Replace by path', [{ op: 'Replace', path: ROLE, value: 'OWNER' }], 'OWNER'],
    ['Add by path', [{ op: 'Add', path: ROLE, value: 'OWNER' }], 'OWNER'],
    [
      'the whole list',
      [{ op: 'Replace', path: 'roles', value: [{ primary: 'True', value: 'OWNER' }] }],
      'OWNER',
    ],
    [
      'one more that is primary',
      [{ op: 'Add', path: 'roles', value: [{ primary: true, value: 'OWNER' }] }],
      'OWNER',
    ],
    ['Remove by path', [{ op: 'Remove', path: ROLE }], 'STANDARD'],
    ['Remove of the element', [{ op: 'Remove', path: 'roles[primary eq "True"]' }], 'STANDARD'],
    ['Remove of all', [{ op: 'Remove', path: 'roles' }], 'STANDARD'],
    [
      'Remove of that one, listed',
      [{ op: 'Remove', path: 'roles', value: [{ value: 'ADMIN' }] }],
      'STANDARD',
    ],
    ['Replace by nothing', [{ op: 'Replace', path: 'roles', value: [] }], 'STANDARD'],
  ])('003: and is changed: %s', async (_, operations, role) => {
    const system = await newSystem(PROFILE, 'entra')
    const made = await system.scim.post('/Users', mapped(somebody(), having('ADMIN')))
    const reply = await system.scim.patch(`/Users/${made.body.id}`, operations)
    expect([reply.status, reply.text]).toEqual([200, expect.any(String)])
    expect((await system.account(made.body.id)).roles.map(({ name }) => name)).toEqual([role])
  })

  it('003: a role that the manifest does not have is refused by PATCH too, and changes nothing', async () => {
    const system = await newSystem(PROFILE, 'entra')
    const made = await system.scim.post('/Users', mapped(somebody(), having('ADMIN')))
    const before = await system.state()
    expectError(
      await system.scim.patch(`/Users/${made.body.id}`, [{ op: 'Replace', path: ROLE, value: 'Reader' }]),
      400,
      'invalidValue',
      /OWNER, ADMIN, STANDARD/,
    )
    expect(await system.state()).toEqual(before)
  })

  it('003: an administrator whose role changes loses access to what it allowed, at once', async () => {
    const system = await newSystem(PROFILE, 'entra')
    const made = await system.scim.post('/Users', mapped(somebody(), having('ADMIN')))
    const events = await system.eventsOf(() =>
      system.scim.patch(`/Users/${made.body.id}`, [{ op: 'Replace', path: ROLE, value: 'STANDARD' }]),
    )
    expect(events.map(({ type, data }) => [type, data.rolesLost, data.sessions])).toEqual([
      ['user.updated', ['ADMIN'], undefined],
      ['user.sessions_revoked', undefined, 'revoke_all'],
    ])
  })

  it('003: the principal name that changes is changed everywhere it is mapped to', async () => {
    const system = await newSystem(PROFILE, 'entra')
    const [before, after] = [somebody(), somebody('Augusta')]
    const made = await system.scim.post('/Users', mapped(before))
    const changed = await system.scim.patch(
      `/Users/${made.body.id}`,
      ['userName', 'displayName', 'externalId', 'emails[type eq "work"].value'].map(path => ({
        op: 'Replace',
        path,
        value: after.login,
      })),
    )
    expect(changed.status).toBe(200)
    expect((await system.account(made.body.id)).profile).toMatchObject({
      userName: after.login,
      displayName: after.login,
      externalId: after.login,
      email: after.login,
    })
  })
})

describe('Okta', () => {
  it.each([
    ['one that is primary', [{ primary: true, value: 'STANDARD' }]],
    ['bare text', ['STANDARD']],
    ['one text', 'STANDARD'],
  ])('003: its table, with the constant STANDARD as role, sent as %s', async (_, roles) => {
    const system = await newSystem(PROFILE, 'okta')
    const person = somebody()
    const made = await system.scim.post('/Users', asOkta(person, { displayName: person.login, roles }))
    expect([made.status, made.text]).toEqual([201, expect.any(String)])
    expect(await system.account(made.body.id)).toMatchObject({
      profile: {
        userName: person.login,
        email: person.login,
        displayName: person.login,
        givenName: 'Ada',
        familyName: 'Lovelace',
      },
      roles: [{ name: 'STANDARD' }],
    })
    // A custom app reads, merges and puts the whole user back.
    const { body } = await system.scim.get(`/Users/${made.body.id}`)
    const put = await system.scim.put(`/Users/${made.body.id}`, { ...body, displayName: 'Ada L.' })
    expect(put).toMatchObject({ status: 200, body: { displayName: 'Ada L.' } })
    expect((await system.account(made.body.id)).roles).toMatchObject([{ name: 'STANDARD' }])
  })
})

describe('OneLogin', () => {
  const rendered = ({ login, first, last }: Person) => ({
    schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'],
    userName: login,
    externalId: login,
    name: { givenName: first, familyName: last },
    displayName: login,
  })

  it('003: the template as it is documented, which has no address, makes a whole user', async () => {
    const system = await newSystem(PROFILE, 'onelogin')
    const person = somebody()
    const made = await system.scim.post('/Users', rendered(person))
    expect(made.status).toBe(201)
    expect(await system.account(made.body.id)).toMatchObject({
      active: true,
      profile: {
        userName: person.login,
        externalId: person.login,
        displayName: person.login,
        email: person.login,
        givenName: 'Ada',
        familyName: 'Lovelace',
      },
      roles: [{ name: 'STANDARD' }],
    })
    const put = await system.scim.put(`/Users/${made.body.id}`, rendered({ ...person, first: 'Augusta' }))
    expect(put.status).toBe(200)
    expect((await system.account(made.body.id)).profile.givenName).toBe('Augusta')
  })

  it('003: macros without a value render as empty text, which is no value', async () => {
    const system = await newSystem(PROFILE, 'onelogin')
    const person = somebody()
    expect((await system.scim.post('/Users', rendered({ ...person, first: '', last: '' }))).status).toBe(201)
    const nobody = await system.scim.post('/Users', { ...rendered(somebody()), displayName: '' })
    expectError(nobody, 400, 'invalidValue', /displayName is required/)
  })

  it('003: of another provider the address is missed', async () => {
    const system = await newSystem(PROFILE, 'okta')
    expectError(await system.scim.post('/Users', rendered(somebody())), 400, 'invalidValue', /emails/)
  })
})

describe('PingFederate', () => {
  const table = ({ login, first, last }: Person) => ({
    schemas: [USER],
    userName: login.split('@')[0],
    name: { familyName: last, givenName: first, middleName: 'King', honorificSuffix: 'Jr.' },
    title: 'Countess',
    emails: [{ type: 'work', value: login }],
    phoneNumbers: [{ type: 'work', value: '+44 20 7946 0000' }],
    active: true,
  })

  it('003: Basic with the user scim and the token as password', async () => {
    const system = await newSystem(PROFILE, 'pingfederate')
    const { value } = system.connection.token
    const ping = pingClient(`${ORIGIN}/scim/v2`, value)
    expect((await ping.get('/Users?filter=userName eq "nobody"')).status).toBe(200)
    for (const wrong of [`scim:${value}x`, `admin:${value}`, `${value}:scim`, 'scim:', value])
      expectError(await scimClient(`${ORIGIN}/scim/v2`, `Basic ${btoa(wrong)}`).get('/Users'), 401)
  })

  it('003: its table, the account name standing in for displayName and externalId', async () => {
    const system = await newSystem(PROFILE, 'pingfederate')
    const ping = pingClient(system.connection.baseUrl, system.connection.token.value)
    const person = somebody()
    const made = await ping.post('/Users', table(person))
    expect(made.status).toBe(201)
    const name = person.login.split('@')[0]
    expect((await system.account(made.body.id)).profile).toEqual({
      userName: name,
      email: person.login,
      displayName: name,
      externalId: name,
      givenName: 'Ada',
      familyName: 'Lovelace',
      middleName: 'King',
      honorificSuffix: 'Jr.',
      title: 'Countess',
      phoneNumber: '+44 20 7946 0000',
    })
    const put = await ping.put(`/Users/${made.body.id}`, { ...table(person), title: 'Analyst' })
    expect(put.status).toBe(200)
    expect((await system.account(made.body.id)).profile.title).toBe('Analyst')
    const off = await ping.patch(`/Users/${made.body.id}`, [{ op: 'replace', path: 'active', value: false }])
    expect(off.body.active).toBe(false)
  })
})

it('003: nobody who is not the operator makes connections or tokens', async () => {
  const { at, connection } = await newSystem(PROFILE)
  const asked = new Request(`${ORIGIN}/admin/v1${at}/connections`, {
    headers: { Authorization: `Bearer ${connection.token.value}` },
  })
  expect((await plain(asked)).status).toBe(401)
  expect((await call('GET', `${at}/connections`)).status).toBe(200)
})
