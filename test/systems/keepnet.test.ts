// Keepnet as its documentation describes it: 002, the SCIM setting of a company.
import { describe, expect, it } from 'vitest'
import { call } from '../contract/calls'
import { admin, ENTERPRISE, expectError, scimClient, settled } from '../contract/world'
import { asEntra, asJumpCloud, asOkta, names, newSystem, replace, somebody, type TargetGroup } from './world'

const PROFILE = 'keepnet'
const BADGE = 'urn:example:scim:keepnet:1.0:User'
const working = (department?: string) => (department === undefined ? {} : { [ENTERPRISE]: { department } })

async function newCompany(idp = 'entra') {
  const system = await newSystem(PROFILE, idp)
  const { at, connection } = system
  const mappingAt = `${at}/connections/${connection.id}/mapping`
  return {
    ...system,
    mappingAt,
    group: (name: string) => admin<TargetGroup>('POST', `${at}/target-groups`, { name }),
    map: async (mapping: object) => {
      await admin('PUT', mappingAt, mapping)
      await settled()
    },
    counts: async () =>
      (await system.targetGroups()).map(({ name, managed, members }) => [name, managed, members]),
  }
}

describe('a setting', () => {
  it('002: has a name and an endpoint; its token is copied when it is made and never shown again', async () => {
    const { at } = await newSystem(PROFILE)
    const made = await admin<{ id: string; name: string; baseUrl: string; token: { value: string } }>(
      'POST',
      `${at}/connections`,
      { name: 'Head office', idp: 'okta' },
    )
    expect(made.name).toBe('Head office')
    expect((await scimClient(made.baseUrl, `Bearer ${made.token.value}`).get('/Users')).status).toBe(200)
    expect(JSON.stringify(await admin('GET', `${at}/connections/${made.id}`))).not.toContain(made.token.value)
    expect(JSON.stringify(await admin('GET', `${at}/connections/${made.id}/tokens`))).not.toContain(
      made.token.value,
    )
    expect((await call('POST', `${at}/connections`, { name: '', idp: 'okta' })).status).toBe(422)
  })

  it('002: several stand beside each other, each with its token, mapping and users', async () => {
    const company = await newCompany('entra')
    const second = await company.connect({ idp: 'okta' })
    expect(second.token.value).not.toBe(company.connection.token.value)
    const staff = await company.group('Staff')
    await company.map({ targetGroup: staff.id })
    const [one, two] = [somebody('Ada'), somebody('Bob')]
    const mine = await company.scim.post('/Users', asEntra(one))
    const theirs = await second.scim.post('/Users', asOkta(two))
    expect((await company.account(mine.body.id)).targetGroup).toEqual({ id: staff.id, name: 'Staff' })
    expect(await company.account(theirs.body.id)).toMatchObject({
      connectionId: second.id,
      targetGroup: null,
    })
  })
})

describe('fields', () => {
  it.each([
    ['Entra', 'entra', asEntra],
    ['Okta', 'okta', asOkta],
    ['JumpCloud', 'jumpcloud', asJumpCloud],
  ])(
    '002: e-mail, names, department and telephone come without any mapping, from %s',
    async (_, idp, body) => {
      const company = await newCompany(idp)
      const person = somebody('Grace', 'Hopper')
      const sent = body(person, {
        ...working('Navy'),
        phoneNumbers: [{ type: 'mobile', value: '+1 555 0100' }],
      })
      const made = await company.scim.post('/Users', sent)
      expect((await company.account(made.body.id)).profile).toEqual({
        email: person.login,
        firstName: 'Grace',
        lastName: 'Hopper',
        department: 'Navy',
        phoneNumber: '+1 555 0100',
      })
    },
  )

  it('002: a field of their own is made first, then mapped, and is synchronized from then on', async () => {
    const company = await newCompany()
    const early = await company.scim.post('/Users', asEntra(somebody(), { [BADGE]: { badge: 'too early' } }))
    const unknown = await call('PUT', company.mappingAt, {
      fields: [{ field: 'badge', source: `${BADGE}:badge` }],
    })
    expect([unknown.status, unknown.body.errors[0]?.path]).toEqual([422, 'fields[0].source'])
    await admin('PUT', `${company.at}/schemas/${BADGE}?extends=User`, {
      name: 'Keepnet',
      attributes: [{ name: 'badge', type: 'string' }],
    })
    await company.map({ fields: [{ field: 'badge', source: `${BADGE}:badge` }] })
    const made = await company.scim.post('/Users', asEntra(somebody(), { [BADGE]: { badge: 'B-7' } }))
    expect((await company.account(made.body.id)).profile.badge).toBe('B-7')
    await company.scim.patch(`/Users/${made.body.id}`, [
      { op: 'Replace', path: `${BADGE}:badge`, value: 'B-8' },
    ])
    expect((await company.account(made.body.id)).profile.badge).toBe('B-8')
    expect((await company.account(early.body.id)).profile).not.toHaveProperty('badge')
  })

  it('002: an attribute of the standard is mapped to a column of any name, for those who are there as well', async () => {
    const company = await newCompany()
    const made = await company.scim.post('/Users', asEntra(somebody(), { title: 'Analyst' }))
    await company.map({ fields: [{ field: 'jobTitle', source: 'title' }] })
    expect((await company.account(made.body.id)).profile).toMatchObject({
      jobTitle: 'Analyst',
      firstName: 'Ada',
    })
  })
})

describe('the target group', () => {
  it('002: everybody is synchronized to the one that is chosen', async () => {
    const company = await newCompany()
    const all = await company.group('All users')
    await company.map({ targetGroup: all.id })
    const made = await company.scim.post('/Users', asEntra(somebody(), working('Sales')))
    await company.scim.post('/Users', asEntra(somebody()))
    expect(await company.counts()).toEqual([['All users', 'operator', 2]])
    expect((await company.accounts(`&targetGroup=${all.id}`)).map(({ id }) => id)).toContain(made.body.id)
  })

  it('002: it has to be there: another one is refused, and nothing changes', async () => {
    const company = await newCompany()
    const reply = await call('PUT', company.mappingAt, { targetGroup: 'nosuch' })
    expect([reply.status, reply.body.errors]).toMatchObject([422, [{ path: 'targetGroup' }]])
    expect(await admin('GET', company.mappingAt)).toMatchObject({ version: 0, targetGroup: null })
  })

  it('002: where none is chosen, users are single users', async () => {
    const company = await newCompany()
    const made = await company.scim.post('/Users', asEntra(somebody(), working('Sales')))
    expect((await company.account(made.body.id)).targetGroup).toBeNull()
    expect(await company.targetGroups()).toEqual([])
  })
})

describe('group by', () => {
  it.each([
    ['department', 'department'],
    ['its path', `${ENTERPRISE}:department`],
  ])(
    '002: everybody is in the group of their department, said by %s, instead of in the one',
    async (_, source) => {
      const company = await newCompany()
      const others = await company.group('Others')
      await company.map({ groupBy: { source }, targetGroup: others.id })
      for (const department of ['Sales', 'Sales', 'Legal'])
        await company.scim.post('/Users', asEntra(somebody(), working(department)))
      expect(await company.counts()).toEqual([
        ['Others', 'operator', 0],
        ['Sales', 'rule', 2],
        ['Legal', 'rule', 1],
      ])
    },
  )

  it('002: who has no value is in the group that was chosen', async () => {
    const company = await newCompany()
    const others = await company.group('Others')
    await company.map({ groupBy: { source: 'department' }, targetGroup: others.id })
    const made = await company.scim.post('/Users', asEntra(somebody()))
    expect((await company.account(made.body.id)).targetGroup?.name).toBe('Others')
    for (const blank of ['', '   '])
      await company.scim.post('/Users', asEntra(somebody(), { [ENTERPRISE]: { department: blank } }))
    expect(await company.counts()).toEqual([['Others', 'operator', 3]])
  })

  it('002: it goes by the custom mapped field as well', async () => {
    const company = await newCompany()
    await admin('PUT', `${company.at}/schemas/${BADGE}?extends=User`, {
      name: 'Keepnet',
      attributes: [{ name: 'site', type: 'string' }],
    })
    await company.map({
      fields: [{ field: 'site', source: `${BADGE}:site` }],
      groupBy: { source: 'site' },
    })
    const made = await company.scim.post('/Users', asEntra(somebody(), { [BADGE]: { site: 'Ankara' } }))
    expect((await company.account(made.body.id)).targetGroup?.name).toBe('Ankara')
  })

  it('002: with the attribute the user moves: Entra changes it, clears it, and sends it without a path', async () => {
    const company = await newCompany()
    const others = await company.group('Others')
    await company.map({ groupBy: { source: 'department' }, targetGroup: others.id })
    const made = await company.scim.post('/Users', asEntra(somebody(), working('Sales')))
    const at = `${ENTERPRISE}:department`
    const moved = async (operation: object) => {
      expect((await company.scim.patch(`/Users/${made.body.id}`, [operation])).status).toBe(200)
      return (await company.account(made.body.id)).targetGroup?.name
    }
    expect(await moved({ op: 'Replace', path: at, value: 'Legal' })).toBe('Legal')
    expect(await moved({ op: 'replace', value: { [at]: 'Finance' } })).toBe('Finance')
    expect(await moved({ op: 'Remove', path: at })).toBe('Others')
    expect(await moved({ op: 'Add', path: at, value: 'Legal' })).toBe('Legal')
    // Rule-made groups without users are gone.
    expect(await company.counts()).toEqual([
      ['Others', 'operator', 0],
      ['Legal', 'rule', 1],
    ])
  })

  it('002: left empty, all are in the one group again; whoever is there moves', async () => {
    const company = await newCompany()
    const all = await company.group('All users')
    for (const department of ['Sales', 'Legal'])
      await company.scim.post('/Users', asEntra(somebody(), working(department)))
    await company.map({ groupBy: { source: 'department' }, targetGroup: all.id })
    expect(names(await company.targetGroups())).toEqual(['All users', 'Sales', 'Legal'])
    await company.map({ groupBy: null, targetGroup: all.id })
    expect(await company.counts()).toEqual([['All users', 'operator', 2]])
  })

  it('002: by an attribute with several values it is refused', async () => {
    const company = await newCompany()
    for (const source of ['emails.value', 'phoneNumbers', 'roles'])
      expect((await call('PUT', company.mappingAt, { groupBy: { source } })).body.errors).toMatchObject([
        { path: 'groupBy.source', message: expect.stringContaining('several values') },
      ])
  })
})

describe('synchronizing', () => {
  it('002: users are told apart by the setting that brought them, and leave with it', async () => {
    const company = await newCompany()
    await company.map({ groupBy: { source: 'department' } })
    const made = await company.scim.post('/Users', asEntra(somebody(), working('Sales')))
    await company.scim.patch(`/Users/${made.body.id}`, replace('active', false))
    expect(await company.counts()).toEqual([['Sales', 'rule', 1]])
    await company.scim.delete(`/Users/${made.body.id}`)
    expect(await company.counts()).toEqual([])
    expectError(await company.scim.get(`/Users/${made.body.id}`), 404)
  })

  it('002: an address is needed; where Entra sends none, the user name is one', async () => {
    const company = await newCompany()
    const person = somebody()
    const made = await company.scim.post('/Users', asEntra(person, { emails: [] }))
    expect((await company.account(made.body.id)).profile.email).toBe(person.login)
  })
})
