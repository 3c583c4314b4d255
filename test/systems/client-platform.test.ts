// The client platform as its documentation describes it: 004.
import { describe, expect, it } from 'vitest'
import { call } from '../contract/calls'
import { admin, ENTERPRISE, expectError, ORIGIN, scimClient, settled, USER } from '../contract/world'
import { asEntra, asJumpCloud, asOkta, newSystem, replace, type System, somebody } from './world'

const PROFILE = 'client-platform'
const PROVIDERS = [
  ['Entra', 'entra', asEntra],
  ['JumpCloud', 'jumpcloud', asJumpCloud],
  ['Okta', 'okta', asOkta],
] as const

interface Made {
  id: string
  idp: string
  baseUrl: string
  token: { id: string; value: string; hint: string }
}

const rotate = ({ at, connection }: System) =>
  admin<{ value: string }>('POST', `${at}/connections/${connection.id}/tokens`, {})
const withKey = ({ connection }: System, key: string) => scimClient(connection.baseUrl, `Bearer ${key}`)

describe('setting it up', () => {
  it.each([...PROVIDERS.map(([, idp]) => idp), 'generic'])(
    '004: the provider %s is chosen, and saving makes the URI and the key',
    async idp => {
      const { at, slug } = await newSystem(PROFILE)
      const made = await admin<Made>('POST', `${at}/connections`, { name: 'Settings', idp })
      expect(made).toMatchObject({ idp, baseUrl: `${ORIGIN}/t/${slug}/scim/v2` })
      const { status, body } = await scimClient(made.baseUrl, `Bearer ${made.token.value}`).get('/Users')
      expect([status, body.totalResults]).toEqual([200, 0])
    },
  )

  it('004: there is no provider to choose that is not in the list', async () => {
    const { at } = await newSystem(PROFILE)
    const reply = await call('POST', `${at}/connections`, { name: 'Settings', idp: 'nosuch' })
    expect([reply.status, reply.body.errors[0]?.path]).toEqual([422, 'idp'])
  })

  it('004: the key is displayed once; afterwards there are its last characters', async () => {
    const { at } = await newSystem(PROFILE)
    const { id, token } = await admin<Made>('POST', `${at}/connections`, { name: 'Settings', idp: 'okta' })
    const connections = await admin('GET', `${at}/connections`)
    const tokens = await admin('GET', `${at}/connections/${id}/tokens`)
    expect(JSON.stringify([connections, tokens])).not.toContain(token.value)
    expect(token.value.endsWith(token.hint)).toBe(true)
    expect(JSON.stringify(tokens)).toContain(token.hint)
  })

  it('004: who has lost the key gets a new one, which invalidates the old one immediately', async () => {
    const system = await newSystem(PROFILE)
    await system.scim.post('/Users', asEntra(somebody()))
    const { value } = await rotate(system)
    expectError(await system.scim.get('/Users'), 401)
    expectError(await system.scim.post('/Users', asEntra(somebody())), 401)
    expect((await withKey(system, value).get('/Users')).body.totalResults).toBe(1)
    const again = await rotate(system)
    expectError(await withKey(system, value).get('/Users'), 401)
    expect((await withKey(system, again.value).get('/Users')).status).toBe(200)
  })

  it('004: any other provider that speaks SCIM 2.0 uses the same endpoint and key', async () => {
    const system = await newSystem(PROFILE, 'generic')
    const made = await system.scim.post('/Users', { schemas: [USER], userName: somebody().login })
    expect(made.status).toBe(201)
    expect((await system.account(made.body.id)).active).toBe(true)
  })
})

describe.each(PROVIDERS)('users of %s', (name, idp, body) => {
  const off = {
    entra: [{ op: 'Replace', path: 'active', value: 'False' }],
    jumpcloud: replace('active', false),
    okta: [{ op: 'replace', value: { active: false } }],
  }[idp]
  const on = {
    entra: [{ op: 'Replace', path: 'active', value: 'True' }],
    jumpcloud: replace('active', true),
    okta: [{ op: 'replace', value: { active: true } }],
  }[idp]

  it(`004: ${name} creates, updates, deactivates and reactivates them, from their first day to their last`, async () => {
    const system = await newSystem(PROFILE, idp)
    const person = somebody()
    const { scim } = system
    const { id } = (await scim.post('/Users', body(person))).body
    const types = async (work: () => Promise<unknown>) =>
      (await system.eventsOf(work)).map(({ type }) => type)
    expect(
      await types(async () => {
        if (idp !== 'okta') return scim.patch(`/Users/${id}`, replace('title', 'Engineer'))
        return scim.put(`/Users/${id}`, { ...(await scim.get(`/Users/${id}`)).body, title: 'Engineer' })
      }),
    ).toEqual(['user.updated'])
    expect((await system.account(id)).profile.position).toBe('Engineer')
    expect(await types(() => scim.patch(`/Users/${id}`, off))).toEqual(['user.deactivated'])
    expect(await system.account(id)).toMatchObject({
      active: false,
      profile: { status: false },
      sessionEpoch: 1,
    })
    expect((await scim.get(`/Users/${id}`)).body.active).toBe(false)
    expect(await types(() => scim.patch(`/Users/${id}`, on))).toEqual(['user.reactivated'])
    expect(await system.account(id)).toMatchObject({
      active: true,
      profile: { status: true },
      sessionEpoch: 1,
    })
  })
})

describe('the mapping table', () => {
  const address = {
    type: 'work',
    streetAddress: '1 Main St',
    locality: 'Springfield',
    region: 'OR',
    postalCode: '97477',
    country: 'US',
  }
  const whole = {
    username: expect.any(String),
    firstName: 'Ada',
    lastName: 'Lovelace',
    email: expect.any(String),
    mobileNumber: '+1 555 0101',
    position: 'Engineer',
    streetAddress: '1 Main St',
    city: 'Springfield',
    state: 'OR',
    postalCode: '97477',
    country: 'US',
    status: true,
  }
  const mobile = { type: 'mobile', value: '+1 555 0101' }
  const work = { type: 'work', value: '+1 555 0102' }
  const more = { title: 'Engineer', addresses: [address] }

  it.each([
    ['Okta', 'okta', asOkta, [mobile], whole],
    ['JumpCloud', 'jumpcloud', asJumpCloud, [mobile, work], { ...whole, workNumber: '+1 555 0102' }],
    ['Entra', 'entra', asEntra, [mobile, work], { ...whole, workNumber: '+1 555 0102' }],
  ] as const)(
    '004: of %s, every attribute is in the place where the platform shows it',
    async (_, idp, body, phoneNumbers, profile) => {
      const system = await newSystem(PROFILE, idp)
      const made = await system.scim.post('/Users', body(somebody(), { ...more, phoneNumbers }))
      expect(made.status).toBe(201)
      expect((await system.account(made.body.id)).profile).toEqual(profile)
    },
  )

  it('004: Entra fills what was empty, attribute by attribute, and empties it again', async () => {
    const system = await newSystem(PROFILE, 'entra')
    const { id } = (await system.scim.post('/Users', asEntra(somebody()))).body
    const paths = {
      mobileNumber: 'phoneNumbers[type eq "mobile"].value',
      workNumber: 'phoneNumbers[type eq "work"].value',
      position: 'title',
      streetAddress: 'addresses[type eq "work"].streetAddress',
      city: 'addresses[type eq "work"].locality',
      state: 'addresses[type eq "work"].region',
      postalCode: 'addresses[type eq "work"].postalCode',
      country: 'addresses[type eq "work"].country',
    }
    const operations = Object.entries(paths).map(([field, path]) => ({ op: 'Add', path, value: field }))
    expect((await system.scim.patch(`/Users/${id}`, operations)).status).toBe(200)
    const { profile } = await system.account(id)
    for (const field of Object.keys(paths)) expect([field, profile[field]]).toEqual([field, field])
    const gone = Object.values(paths).map(path => ({ op: 'Remove', path }))
    expect((await system.scim.patch(`/Users/${id}`, gone)).status).toBe(200)
    expect(Object.keys((await system.account(id)).profile).sort()).toEqual([
      'email',
      'firstName',
      'lastName',
      'status',
      'username',
    ])
  })

  it('004: the status is active for a user of whom the provider says nothing else', async () => {
    const system = await newSystem(PROFILE, 'jumpcloud')
    const made = await system.scim.post('/Users', asJumpCloud(somebody(), { active: undefined }))
    expect((await system.account(made.body.id)).profile.status).toBe(true)
  })

  it('004: attributes beyond the table are not taken by the provider itself; the operator can add them', async () => {
    const system = await newSystem(PROFILE)
    const { at, connection } = system
    const odd = { [ENTERPRISE]: { customfield: 'x', department: 'Sales' } }
    const made = await system.scim.post('/Users', asEntra(somebody(), odd))
    expect(made.body[ENTERPRISE]).toEqual({ department: 'Sales' })
    expect((await system.account(made.body.id)).profile).not.toHaveProperty('department')
    await admin('PUT', `${at}/connections/${connection.id}/mapping`, {
      fields: [{ field: 'department', source: `${ENTERPRISE}:department` }],
    })
    await settled()
    expect((await system.account(made.body.id)).profile.department).toBe('Sales')
  })
})

describe('groups', () => {
  it.each(PROVIDERS)('004: %s creates and deletes groups, and memberships follow', async (_, idp, body) => {
    const system = await newSystem(PROFILE, idp)
    const { scim } = system
    const { id } = (await scim.post('/Users', body(somebody()))).body
    const group = (await scim.post('/Groups', { schemas: [], displayName: 'Accountants', members: [] })).body
    const removal = {
      entra: [{ op: 'Remove', path: 'members', value: [{ $ref: null, value: id }] }],
      jumpcloud: [{ op: 'remove', path: 'members', value: [{ value: id }] }],
      okta: [{ op: 'remove', path: `members[value eq "${id}"]` }],
    }[idp]
    const has = async () => (await system.account(id)).roles.map(({ name }) => name)
    await scim.patch(`/Groups/${group.id}`, [{ op: 'Add', path: 'members', value: [{ value: id }] }])
    expect(await has()).toEqual(['Accountants'])
    expect((await scim.patch(`/Groups/${group.id}`, removal)).status).toBeLessThan(300)
    expect(await has()).toEqual([])
    await scim.patch(`/Groups/${group.id}`, [{ op: 'add', path: 'members', value: [{ value: id }] }])
    expect((await scim.delete(`/Groups/${group.id}`)).status).toBe(204)
    expect([await has(), await system.roles()]).toEqual([[], []])
  })

  it('004: they are roles; what a role permits is added in the platform, and stays through a rename', async () => {
    const system = await newSystem(PROFILE)
    const user = await system.user()
    const group = await system.group({ displayName: 'Auditors', members: [{ value: user.id }] })
    expect(await system.roles()).toEqual([
      { id: group.id, name: 'Auditors', source: 'group', permissions: [], privileged: false, members: 1 },
    ])
    await admin('PUT', `${system.at}/roles/${group.id}`, { permissions: ['audit:read', 'audit:export'] })
    await system.scim.patch(`/Groups/${group.id}`, replace('displayName', 'Accountants'))
    const role = {
      name: 'Accountants',
      permissions: ['audit:read', 'audit:export'],
      privileged: false,
      source: 'group',
    }
    expect((await system.account(user.id)).roles).toEqual([role])
    const [event] = await system.eventsOf(() => system.scim.patch(`/Users/${user.id}`, replace('title', 'x')))
    expect(event?.data.roles).toEqual([role])
    expect((await system.accounts('&role=Accountants')).map(({ id }) => id)).toEqual([user.id])
  })

  it('004: a change of roles is in the platform with the request, and access that a privileged one gave ends', async () => {
    const system = await newSystem(PROFILE)
    const user = await system.user()
    const group = await system.group({ displayName: 'Admins', members: [{ value: user.id }] })
    await admin('PUT', `${system.at}/roles/${group.id}`, { privileged: true })
    const events = await system.eventsOf(() =>
      system.scim.patch(`/Groups/${group.id}`, [{ op: 'remove', path: `members[value eq "${user.id}"]` }]),
    )
    expect(events.map(({ type }) => type)).toEqual([
      'group.member_removed',
      'user.updated',
      'user.sessions_revoked',
    ])
    expect(await system.account(user.id)).toMatchObject({ roles: [], sessionEpoch: 1, active: true })
  })
})

describe('who is deleted', () => {
  it('004: is deactivated, not deleted: without access, and with everything that was known', async () => {
    const system = await newSystem(PROFILE)
    const person = somebody()
    const { id } = (await system.scim.post('/Users', asEntra(person, { title: 'Engineer' }))).body
    const before = await system.account(id)
    const events = await system.eventsOf(() => system.scim.delete(`/Users/${id}`))
    expect(events.map(({ type, data }) => [type, data.reason, data.sessions])).toEqual([
      ['user.deactivated', 'deleted', 'revoke_all'],
    ])
    expect(await system.account(id)).toEqual({
      ...before,
      active: false,
      deletedAt: expect.any(String),
      profile: { ...before.profile, status: false },
      sessionEpoch: 1,
      sessionsNotBefore: expect.any(String),
      updatedAt: expect.any(String),
    })
    expectError(await system.scim.get(`/Users/${id}`), 404)
    expect((await system.scim.filter('/Users', `userName eq "${person.login}"`)).body.totalResults).toBe(0)
    // What happened to them is still told.
    expect((await system.events(`&userId=${id}`)).map(({ type }) => type)).toEqual([
      'user.created',
      'user.deactivated',
    ])
  })

  it('004: is reactivated when the provider restores them, with the same id and history', async () => {
    const system = await newSystem(PROFILE)
    const person = somebody()
    const made = await system.scim.post('/Users', asEntra(person))
    await system.scim.delete(`/Users/${made.body.id}`)
    const events = await system.eventsOf(async () => {
      const back = await system.scim.post('/Users', asEntra(person))
      expect(back).toMatchObject({ status: 201, body: { id: made.body.id, active: true } })
    })
    expect(events.map(({ type }) => type)).toEqual(['user.reactivated'])
    expect(await system.account(made.body.id)).toMatchObject({
      active: true,
      deletedAt: null,
      createdAt: made.body.meta.created,
      profile: { status: true },
    })
  })

  it('004: a soft deletion that Entra takes back is the same user all along', async () => {
    const system = await newSystem(PROFILE)
    const group = await system.group({ displayName: 'Staff' })
    const { id } = (await system.scim.post('/Users', asEntra(somebody()))).body
    await system.scim.patch(`/Groups/${group.id}`, [{ op: 'Add', path: 'members', value: [{ value: id }] }])
    for (const value of ['False', 'True'])
      await system.scim.patch(`/Users/${id}`, [{ op: 'Replace', path: 'active', value }])
    expect(await system.account(id)).toMatchObject({ active: true, roles: [{ name: 'Staff' }] })
  })
})

describe('deleting the setup', () => {
  it('004: is refused while users are attached, with how many, and everything goes on', async () => {
    const system = await newSystem(PROFILE)
    const users = [await system.user(), await system.user()]
    const path = `${system.at}/connections/${system.connection.id}`
    const refused = await call('DELETE', path)
    expect([refused.status, refused.body.detail]).toEqual([409, expect.stringContaining('2 active users')])
    expect((await system.scim.get('/Users')).body.totalResults).toBe(2)
    for (const { id } of users) await system.scim.patch(`/Users/${id}`, replace('active', false))
    expect((await call('DELETE', path)).status).toBe(204)
    expectError(await system.scim.get('/Users'), 401)
    for (const { id } of users) expect((await system.account(id)).active).toBe(false)
  })

  it('004: or disables them first, so that nobody stays in by it', async () => {
    const system = await newSystem(PROFILE)
    const users = [await system.user(), await system.user()]
    const path = `${system.at}/connections/${system.connection.id}?deactivateUsers=true`
    expect((await call('DELETE', path)).status).toBeLessThan(300)
    await settled()
    for (const { id } of users)
      expect(await system.account(id)).toMatchObject({ active: false, sessionEpoch: 1 })
  })
})

describe('trouble', () => {
  it('004: a wrong URL or key, and an attribute that does not fit, are each told apart in the log', async () => {
    const system = await newSystem(PROFILE)
    expectError(await scimClient(`${system.connection.baseUrl}`, 'Bearer wrong').get('/Users'), 401)
    expectError(
      await scimClient(`${ORIGIN}/t/${system.slug}`, `Bearer ${system.connection.token.value}`).get('/Users'),
      404,
    )
    const wrong = await system.scim.post('/Users', asEntra(somebody(), { active: 'perhaps' }))
    expectError(wrong, 400, 'invalidValue', /active/)
    await settled()
    const { items } = await admin<{ items: { outcome: string; detail: string; status: number }[] }>(
      'GET',
      `${system.at}/activity`,
    )
    expect(items.map(({ outcome, status }) => [outcome, status])).toEqual(
      expect.arrayContaining([
        ['unauthorized', 401],
        ['rejected', 400],
      ]),
    )
    expect(items.find(({ status }) => status === 400)?.detail).toMatch(/active/)
  })

  it('004: nobody needs single sign-on for it: SCIM alone creates and keeps the account', async () => {
    const system = await newSystem(PROFILE, 'okta')
    const made = await system.scim.post('/Users', asOkta(somebody()))
    expect([made.status, made.text.includes('Placeholder-1')]).toEqual([201, false])
    expect((await system.account(made.body.id)).active).toBe(true)
  })
})
