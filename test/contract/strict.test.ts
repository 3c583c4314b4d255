// A connection in `mode: strict`: RFC 7644 with the rules of the interop profile, and what compat takes beside it.
import { beforeAll, describe, expect, it } from 'vitest'
import {
  admin,
  type Body,
  ENTERPRISE,
  expectError,
  GROUP,
  newGroup,
  newTenant,
  newUser,
  PATCH_OP,
  type Reply,
  SEARCH_REQUEST,
  scimClient,
  type Tenant,
  USER,
} from './world'

describe('strict', () => {
  let strict: Tenant
  let compat: Tenant
  let user: Body
  let group: Body
  beforeAll(async () => {
    strict = await newTenant({ mode: 'strict' })
    compat = await newTenant()
    user = await strict.user({ [ENTERPRISE]: { department: 'R&D' }, schemas: [USER, ENTERPRISE] })
    group = await strict.group({ members: [{ value: user.id }] })
  })

  async function refused(call: () => Promise<Reply>, scimType: string, detail: RegExp) {
    const before = await strict.state()
    expectError(await call(), 400, scimType, detail)
    expect(await strict.state()).toEqual(before)
  }

  const patched = (operations: readonly unknown[]) => () => strict.scim.patch(`/Users/${user.id}`, operations)

  it('the first request of a strict connection is decided by strict, and read whole', async () => {
    const first = await newTenant({ mode: 'strict' })
    const made = await first.scim.post('/Users', newUser({ userName: 'first@example.com' }))
    expect(made).toMatchObject({ status: 201, body: { userName: 'first@example.com' } })
    const second = await newTenant({ mode: 'strict' })
    expectError(await second.scim.post('/Users', newUser({ nosuch: 1 })), 400, 'invalidSyntax', /nosuch/)
    const third = await newTenant({ mode: 'strict' })
    const search = { schemas: [SEARCH_REQUEST], filter: 'userName eq "x"' }
    expect((await third.scim.post('/Users/.search', search)).status).toBe(200)
    for (const { state } of [first, second, third]) expect((await state()).users.totalResults).toBeLessThan(2)
  })

  it('RFC-225 a strict connection is told that the interop profile holds; a compat one, and nobody, are not', async () => {
    const own = await newTenant({ mode: 'strict' })
    const config = (await own.scim.get('/ServiceProviderConfig')).body
    expect(config.interopProfileConformant).toBe(true)
    const published = await own.scim.get(`/Schemas/${config.schemas[0]}`)
    expect(published.body.attributes).toContainEqual(
      expect.objectContaining({ name: 'interopProfileConformant', type: 'boolean', required: false }),
    )
    const anonymous = [compat, own].map(({ connection }) => scimClient(connection.baseUrl, undefined))
    for (const scim of [compat.scim, ...anonymous])
      expect((await scim.get('/ServiceProviderConfig')).body).not.toHaveProperty('interopProfileConformant')
  })

  it.each([
    ['a core attribute', { nosuch: 1 }, /nosuch/],
    ['null for it', { nosuch: null }, /nosuch/],
    ['a sub-attribute', { name: { nosuch: 'x' } }, /name\.nosuch/],
    ['a sub-attribute of an element', { emails: [{ value: 'a', nosuch: 'x' }] }, /emails\[0\]\.nosuch/],
    ['an extension attribute', { schemas: [USER, ENTERPRISE], [ENTERPRISE]: { nosuch: 1 } }, /nosuch/],
    ['an unknown extension', { 'urn:example:Nosuch': { a: 1 } }, /urn:example:Nosuch/],
    ['an extension attribute without its URN', { department: 'x' }, /department/],
    ['password', { password: 'x' }, /password/],
    ['an unknown schema', { schemas: [USER, 'urn:example:Nosuch'] }, /urn:example:Nosuch/],
    ['a misspelt schema', { schemas: [USER, ENTERPRISE.replace('2.0:', '2.0')] }, /2\.0User/],
    ['no schemas', { schemas: undefined }, /schemas/],
    ['empty schemas', { schemas: [] }, /schemas/],
    ['schemas without the base schema', { schemas: [ENTERPRISE] }, /schemas/],
  ])('RFC-226 %s in a POST or PUT is 400 invalidSyntax, which compat takes', async (_, more, detail) => {
    await refused(() => strict.scim.post('/Users', newUser(more)), 'invalidSyntax', detail)
    await refused(() => strict.scim.put(`/Users/${user.id}`, newUser(more)), 'invalidSyntax', detail)
    const taken = await compat.scim.post('/Users', newUser(more))
    expect({ status: taken.status, text: taken.text }).toMatchObject({ status: 201 })
    expect(taken.text).not.toMatch(/nosuch/i)
  })

  it('RFC-226 an unknown attribute or schema of a group is 400 invalidSyntax', async () => {
    await refused(() => strict.scim.post('/Groups', newGroup({ nosuch: 1 })), 'invalidSyntax', /nosuch/)
    const legacy = 'http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group'
    await refused(
      () => strict.scim.post('/Groups', newGroup({ schemas: [GROUP, legacy] })),
      'invalidSyntax',
      /ADSCIM/,
    )
    await refused(
      () => strict.scim.put(`/Groups/${group.id}`, newGroup({ nosuch: 1 })),
      'invalidSyntax',
      /nosuch/,
    )
  })

  it('RFC-226 an unknown attribute in a PATCH value is 400 invalidSyntax, in its path 400', async () => {
    await refused(
      patched([{ op: 'replace', path: 'name', value: { nosuch: 'x' } }]),
      'invalidSyntax',
      /Operations\[0\].*name\.nosuch/,
    )
    await refused(
      patched([{ op: 'replace', path: ENTERPRISE, value: { nosuch: 'x' } }]),
      'invalidSyntax',
      /Operations\[0\].*nosuch/,
    )
    for (const path of ['nosuch', 'name.nosuch', `${ENTERPRISE}:nosuch`, 'urn:example:x', 'password']) {
      const before = await strict.state()
      const reply = await strict.scim.patch(`/Users/${user.id}`, [{ op: 'add', path, value: 'x' }])
      expectError(reply, 400, reply.body.scimType, /Operations\[0\]/)
      expect(['invalidPath', 'invalidSyntax']).toContain(reply.body.scimType)
      expect(await strict.state()).toEqual(before)
    }
  })

  it('RFC-134 RFC-226 an unknown key of a message, or a PatchOp without its schema, is 400 invalidSyntax', async () => {
    const at = `/Users/${user.id}`
    const Operations = [{ op: 'replace', path: 'title', value: 'x' }]
    await refused(() => strict.scim.send('PATCH', at, { Operations }), 'invalidSyntax', /schemas/)
    await refused(
      () => strict.scim.send('PATCH', at, { schemas: [PATCH_OP], Operations, nosuch: 1 }),
      'invalidSyntax',
      /nosuch/,
    )
    await refused(
      () => strict.scim.post('/Users/.search', { filter: 'userName pr' }),
      'invalidSyntax',
      /schemas/,
    )
  })

  it('RFC-227 an operation without a path is 400 invalidSyntax', async () => {
    for (const op of ['add', 'replace'])
      await refused(patched([{ op, value: { title: 'x' } }]), 'invalidSyntax', /Operations\[0\].*path/)
    await refused(
      () => strict.scim.patch(`/Groups/${group.id}`, [{ op: 'replace', value: { displayName: 'x' } }]),
      'invalidSyntax',
      /path/,
    )
  })

  it('RFC-228 replace on a complex attribute replaces it completely; in compat it merges', async () => {
    const operations = [{ op: 'replace', path: 'name', value: { givenName: 'Augusta' } }]
    const own = await strict.user()
    const replaced = await strict.scim.patch(`/Users/${own.id}`, operations)
    expect(replaced).toMatchObject({ status: 200, body: { name: { givenName: 'Augusta' } } })
    expect(replaced.body.name).toEqual({ givenName: 'Augusta' })
    const other = await compat.user()
    const merged = await compat.scim.patch(`/Users/${other.id}`, operations)
    expect(merged.body.name).toEqual({ givenName: 'Augusta', familyName: 'Lovelace' })
  })

  it('RFC-229 a filtered path without a sub-attribute is 400 invalidPath', async () => {
    await refused(
      patched([{ op: 'replace', path: 'emails[type eq "work"]', value: { value: 'x@example.com' } }]),
      'invalidPath',
      /Operations\[0\]/,
    )
  })

  it('RFC-229 a path filter that matches more than one element is 400 invalidFilter', async () => {
    const emails = [
      { type: 'work', value: 'a@example.com' },
      { type: 'work', value: 'b@example.com' },
    ]
    const own = await strict.user({ emails })
    const operations = [{ op: 'replace', path: 'emails[type eq "work"].value', value: 'c@example.com' }]
    await refused(() => strict.scim.patch(`/Users/${own.id}`, operations), 'invalidFilter', /Operations\[0\]/)
    const other = await compat.user({ emails })
    expect((await compat.scim.patch(`/Users/${other.id}`, operations)).status).toBe(200)
  })

  it('RFC-159 replace where nothing matches is 400 noTarget', async () => {
    await refused(
      patched([{ op: 'replace', path: 'emails[type eq "home"].value', value: 'x' }]),
      'noTarget',
      /Operations\[0\]/,
    )
  })

  it.each([
    ['a boolean as text', { active: 'False' }, /active/],
    ['one value for a list', { emails: { value: 'a@example.com' } }, /emails/],
    ['a list for one value', { title: ['x'] }, /title/],
    ['text for a complex value', { schemas: [USER, ENTERPRISE], [ENTERPRISE]: { manager: 'x' } }, /manager/],
  ])('%s is 400 invalidValue, which compat takes', async (_, more, detail) => {
    await refused(() => strict.scim.post('/Users', newUser(more)), 'invalidValue', detail)
    expect((await compat.scim.post('/Users', newUser(more))).status).toBe(201)
  })

  it('RFC-15 two primary values of one attribute are 400 invalidValue; compat keeps the last, and notes it', async () => {
    const emails = [
      { type: 'work', value: 'a@example.com', primary: true },
      { type: 'home', value: 'b@example.com', primary: true },
    ]
    const [work, home] = emails
    const added = [{ op: 'add', path: 'emails', value: emails }]
    await refused(
      () => strict.scim.post('/Users', newUser({ emails })),
      'invalidValue',
      /^emails may have one/,
    )
    await refused(
      () => strict.scim.put(`/Users/${user.id}`, newUser({ emails })),
      'invalidValue',
      /^emails may/,
    )
    await refused(patched(added), 'invalidValue', /^Operations\[0\]: emails may have one/)
    const kept = [{ ...work, primary: false }, home]
    const made = await compat.scim.post('/Users', newUser({ emails }))
    expect(made).toMatchObject({ status: 201, body: { emails: kept } })
    const own = await compat.user({ emails: [] })
    expect((await compat.scim.patch(`/Users/${own.id}`, added)).body.emails).toEqual(kept)
    const { items } = await admin<{ items: Body[] }>('GET', `${compat.at}/activity?limit=3`)
    expect(items.map(({ tolerances }) => tolerances)).toEqual([
      ['several-primary: emails'],
      [],
      ['several-primary: emails'],
    ])
  })

  it('RFC-141 one new primary beside a stored one is neither refused nor noted', async () => {
    for (const tenant of [strict, compat]) {
      const old = { type: 'work', value: 'a@example.com', primary: true }
      const own = await tenant.user({ emails: [old] })
      const value = [{ type: 'home', value: 'b@example.com', primary: true }]
      const reply = await tenant.scim.patch(`/Users/${own.id}`, [{ op: 'add', path: 'emails', value }])
      expect(reply.body.emails).toEqual([{ ...old, primary: false }, ...value])
      const { items } = await admin<{ items: Body[] }>('GET', `${tenant.at}/activity?limit=1`)
      expect(items[0]).toMatchObject({ method: 'PATCH', tolerances: [] })
    }
  })

  it('RFC-1 RFC-135 names in any case and capitalised operations are no tolerance', async () => {
    const own = await strict.user()
    const reply = await strict.scim.patch(`/Users/${own.id}`, [
      { op: 'Replace', path: 'DISPLAYNAME', value: 'Other' },
      { op: 'Add', path: `${ENTERPRISE}:DEPARTMENT`, value: 'Sales' },
    ])
    expect(reply).toMatchObject({
      status: 200,
      body: { displayName: 'Other', [ENTERPRISE]: { department: 'Sales' } },
    })
  })

  it('RFC-231 an unknown attribute in a filter is 400 invalidFilter', async () => {
    for (const filter of ['nosuch eq "x"', 'manager eq "x"', 'active eq "True"'])
      expectError(await strict.scim.filter('/Users', filter), 400, 'invalidFilter', /column/)
  })

  it('RFC-78 an inactive duplicate is 409 in strict, whatever its externalId', async () => {
    const own = await strict.user({ active: false })
    const { userName, externalId } = own
    await refusedDuplicate({ userName, externalId })
    await refusedDuplicate({ userName, externalId: 'other' })
    async function refusedDuplicate(more: object) {
      const before = await strict.state()
      expectError(await strict.scim.post('/Users', newUser({ ...more })), 409, 'uniqueness', /userName/)
      expect(await strict.state()).toEqual(before)
    }
  })

  it('RFC-132 what strict answers to a GET it takes back by PUT, as no change', async () => {
    const read = (await strict.scim.get(`/Users/${user.id}`)).body
    const written = await strict.scim.put(`/Users/${user.id}`, read)
    expect({ status: written.status, text: written.text }).toMatchObject({ status: 200 })
    expect(written.body).toEqual(read)
    const readGroup = (await strict.scim.get(`/Groups/${group.id}`)).body
    const writtenGroup = await strict.scim.put(`/Groups/${group.id}`, readGroup)
    expect({ status: writtenGroup.status, text: writtenGroup.text }).toMatchObject({ status: 200 })
    expect(writtenGroup.body).toEqual(readGroup)
  })
})
