// PATCH as it is applied: the RFC's rows, the dialects of the identity providers, what other libraries get
// wrong, and what holds after any PATCH.
import { describe, expect, test } from 'vitest'
import type { Json, JsonObject } from '../../src/scim/json'
import { isObject } from '../../src/scim/json'
import { applyPatch } from '../../src/scim/patch'
import { readPatchOp } from '../../src/scim/patch-op'
import { changedAttributes, readResource } from '../../src/scim/resource'
import { pick, seeded } from './generate'
import { growth, LINEAR } from './growth'
import {
  barbara,
  compat,
  ENTERPRISE,
  emails,
  expectRefusal,
  group,
  patch,
  patched,
  patchOp,
  refusal,
  STAFF,
  staffUser,
  strict,
  USER,
  user,
} from './requests'

const [work = {}, home = {}] = emails
const team: JsonObject = { displayName: 'Tour Guides' }

function add(path: string, value: Json): JsonObject {
  return { op: 'add', path, value }
}
function replace(path: string, value: Json): JsonObject {
  return { op: 'replace', path, value }
}
function remove(path: string): JsonObject {
  return { op: 'remove', path }
}
/** Changes of the members of a group. */
function members(...operations: Json[]) {
  return patch(team, operations, group).members
}

describe('add', () => {
  test('RFC-145 without a path', () => {
    const value = { emails: [{ value: 'babs@x.org', type: 'other' }], nickname: 'Babs' }
    expect(patched(barbara, [{ op: 'add', value }])).toEqual({
      ...barbara,
      emails: [...emails, { value: 'babs@x.org', type: 'other' }],
      nickName: 'Babs',
    })
  })

  test('RFC-146 appends one or several', () => {
    const other = { value: 'x', type: 'other' }
    expect(patched(barbara, [add('emails', other)]).emails).toEqual([...emails, other])
    expect(patched(barbara, [add('emails', [other, { value: 'y' }])]).emails).toEqual([
      ...emails,
      other,
      { value: 'y' },
    ])
    expect(patched({ userName: 'a' }, [add('emails', other)]).emails).toEqual([other])
    expect(patched({ userName: 'a' }, [add('emails', other)], user, 'strict').emails).toEqual([other])
  })

  test('RFC-146, RFC-148 what is there already is no change', () => {
    for (const value of [work, [work, home], [home], Object.fromEntries(Object.entries(work).reverse())]) {
      const result = patch(barbara, [add('emails', value)])
      expect(result.resource).toEqual(barbara)
      expect(result.changed).toEqual([])
    }
    expect(patch(barbara, [add('displayName', 'Babs Jensen')]).changed).toEqual([])
    expect(patch(barbara, [add('emails', [])]).changed).toEqual([])
    expect(patch(barbara, [add('emails', null)]).changed).toEqual([])
  })

  test('scim-patch: duplicates within one value, and with other sub-attributes', () => {
    expect(patched({ userName: 'a' }, [add('emails', [work, work])]).emails).toEqual([work])
    expect(patched(barbara, [{ op: 'add', value: { emails: [home] } }]).emails).toEqual(emails)
    expect(patched(barbara, [add('emails', { ...home, display: 'Babs' })]).emails).toEqual([
      work,
      { ...home, display: 'Babs' },
    ])
    const tagged = { userName: 'a', [STAFF]: { site: 'x', tags: ['a', 'b'] } }
    expect(patch(tagged, [add(`${STAFF}:tags`, ['A', 'b'])], staffUser).changed).toEqual([])
  })

  test('RFC-147 replaces a single value, merges a complex one', () => {
    expect(patched(barbara, [add('title', 'Chief')]).title).toBe('Chief')
    expect(patched(barbara, [add('name', { givenName: 'B', middleName: 'J' })]).name).toEqual({
      formatted: 'Ms. Barbara Jensen',
      familyName: 'Jensen',
      givenName: 'B',
      middleName: 'J',
    })
    expect(patched({ userName: 'a' }, [add('name.givenName', 'B')]).name).toEqual({ givenName: 'B' })
    expect(patched(barbara, [add('name', { givenName: 'B' })], user, 'strict').name).toMatchObject({
      familyName: 'Jensen',
    })
  })

  test('RFC-141 the new primary is the only one', () => {
    expect(patched(barbara, [add('emails', { value: 'x', primary: true })]).emails).toEqual([
      { ...work, primary: false },
      home,
      { value: 'x', primary: true },
    ])
    expect(patched(barbara, [add('emails', { ...home, primary: 'True' })]).emails).toEqual([
      { ...work, primary: false },
      { ...home, primary: true },
    ])
  })

  test('to a list within a value', () => {
    const current = { userName: 'a', [STAFF]: { site: 'x', card: { zones: ['a'] } } }
    const zone = add(`${STAFF}:card.zones`, 'b')
    expect(patch(current, [zone], staffUser, strict()).changed).toEqual([`${STAFF}:card`])
    expect(patched(current, [add(`${STAFF}:card.zones`, 'b')], staffUser)[STAFF]).toEqual({
      site: 'x',
      card: { zones: ['a', 'b'] },
    })
    expect(patched(current, [replace(`${STAFF}:card.zones`, ['b'])], staffUser)[STAFF]).toEqual({
      site: 'x',
      card: { zones: ['b'] },
    })
  })
})

describe('remove', () => {
  test('RFC-150 a single value', () => {
    const { title: _, ...rest } = barbara
    expect(patch(barbara, [remove('title')])).toEqual({ resource: rest, changed: ['title'], members: [] })
    expect(patch(barbara, [remove('nickName')]).changed).toEqual([])
    expect(patched(barbara, [remove('name.formatted')]).name).toEqual({
      familyName: 'Jensen',
      givenName: 'Barbara',
    })
    expect(patched(barbara, [remove('name')])).not.toHaveProperty('name')
  })

  test('RFC-150 all of a list', () => {
    expect(patched(barbara, [remove('emails')])).not.toHaveProperty('emails')
  })

  test('RFC-150 Entra, JumpCloud: only what is listed', () => {
    const listed = (value: Json) => patched(barbara, [{ op: 'Remove', path: 'emails', value }]).emails
    expect(listed([{ value: 'BJENSEN@example.com' }])).toEqual([home])
    expect(listed({ value: 'babs@jensen.org', type: 'home', display: 'old' })).toEqual([work])
    expect(listed('babs@jensen.org')).toEqual([work])
    expect(listed([{ VALUE: 'babs@jensen.org', type: 'work' }])).toEqual(emails)
    expect(listed([work, home])).toBeUndefined()
    for (const nobody of [
      [],
      null,
      '',
      [{}],
      [{ value: null }],
      [{ value: '' }],
      [{ type: 'work' }],
      [5],
      [{ value: 5 }],
    ])
      expect(listed(nobody)).toEqual(emails)
  })

  test('RFC-150 listed, of other kinds of lists', () => {
    const current = {
      userName: 'a',
      addresses: [
        { locality: 'X', type: 'work' },
        { locality: 'Y', type: 'work' },
      ],
      [STAFF]: { site: 'x', tags: ['a', 'b'] },
    }
    const listed = (path: string, value: Json) => patched(current, [{ op: 'remove', path, value }], staffUser)
    expect(listed('addresses', [{ locality: 'x', type: 'work' }]).addresses).toEqual([
      { locality: 'Y', type: 'work' },
    ])
    expect(listed('addresses', [{}]).addresses).toHaveLength(2)
    expect(listed(`${STAFF}:tags`, ['A'])[STAFF]).toEqual({ site: 'x', tags: ['b'] })
    expect(listed(`${STAFF}:tags`, [{}, 7])[STAFF]).toEqual({ site: 'x', tags: ['a', 'b'] })
  })

  test('in strict mode a list is refused rather than taken for everything', () => {
    expectRefusal(
      () => patch(barbara, [{ op: 'remove', path: 'emails', value: [home] }], user, strict()),
      'invalidValue',
      '^Operations\\[0\\]: emails: remove takes no value',
    )
  })

  test('RFC-151 by filter, whole or in part; the last one takes the attribute along', () => {
    expect(patched(barbara, [remove('emails[type eq "work"]')]).emails).toEqual([home])
    expect(patched(barbara, [remove('emails[type eq "work"].primary')]).emails).toEqual([
      { value: 'bjensen@example.com', type: 'work' },
      home,
    ])
    const named = { userName: 'a', emails: [{ value: 'a', display: 'A' }] }
    expect(patched(named, [{ ...remove('emails[value eq "a"].display'), value: 'A' }]).emails).toEqual([
      { value: 'a' },
    ])
    expect(patched(barbara, [remove('emails[type pr]')])).not.toHaveProperty('emails')
    expect(patched(barbara, [remove('emails[type eq "work"].value')]).emails).toEqual([home])
    expect(patched(barbara, [remove('emails.type')]).emails).toEqual([
      { value: 'bjensen@example.com', primary: true },
      { value: 'babs@jensen.org' },
    ])
  })

  test('RFC-152 what is not there: success, in strict mode noTarget', () => {
    const operation = remove('emails[type eq "other"]')
    expect(patch(barbara, [remove('emails[value co "nobody"]')]).changed).toEqual([])
    expect(patch(barbara, [operation]).changed).toEqual([])
    expectRefusal(() => patch(barbara, [operation], user, strict()), 'noTarget', '^Operations\\[0\\]: emails')
  })

  test('RFC-161 FusionAuth #2834: several filtered removals in one request', () => {
    const current = { userName: 'a', emails: ['a', 'b', 'c', 'd'].map(value => ({ value })) }
    const operations = ['a', 'c', 'd'].map(value => remove(`emails[value eq "${value}"]`))
    expect(patched(current, operations).emails).toEqual([{ value: 'b' }])
  })

  test('RFC-153 a required attribute', () => {
    for (const operation of [remove('userName'), replace('userName', null), replace('userName', [])])
      expectRefusal(
        () => patch(barbara, [operation]),
        'mutability',
        '^Operations\\[0\\]: userName is required',
      )
    for (const value of ['', '  '])
      expectRefusal(
        () => patch(barbara, [replace('userName', value)]),
        'invalidValue',
        'userName is required',
      )
    expectRefusal(() => patch(team, [remove('displayName')], group), 'mutability', 'displayName is required')
    expectRefusal(
      () => patch(barbara, [{ op: 'replace', value: { userName: null } }]),
      'mutability',
      'userName',
    )
  })

  test('nobody gets access back because active is removed', () => {
    for (const operation of [remove('active'), replace('active', null), replace('active', '')])
      expectRefusal(
        () => patch({ ...barbara, active: false }, [operation]),
        'mutability',
        'set it to true or false',
      )
  })
})

describe('replace', () => {
  test('RFC-154 without a path: the rest is left', () => {
    const value = { emails: [{ value: 'x', type: 'work' }], nickName: 'Babs' }
    expect(patched(barbara, [{ op: 'replace', value }])).toEqual({ ...barbara, ...value })
  })

  test('RFC-155 a list is replaced whole; scim-patch merges one object into every element', () => {
    expect(patched(barbara, [replace('emails', [{ value: 'x' }])]).emails).toEqual([{ value: 'x' }])
    expect(patched(barbara, [replace('emails', { value: 'x' })]).emails).toEqual([{ value: 'x' }])
  })

  test('RFC-19, RFC-156 nothing clears, and a new value is an add', () => {
    for (const value of [null, [], '']) {
      expect(patched(barbara, [replace('emails', value)])).not.toHaveProperty('emails')
      expect(patched(barbara, [replace('title', value)])).not.toHaveProperty('title')
      expect(patched(barbara, [replace('name', value)])).not.toHaveProperty('name')
    }
    expect(patched(barbara, [replace('nickName', 'B')]).nickName).toBe('B')
    expect(patched(barbara, [replace('title', '')], user, 'strict').title).toBe('')
  })

  test('RFC-157 a complex value is merged, in strict mode replaced (RFC-228)', () => {
    expect(patched(barbara, [replace('name', { givenName: 'B', formatted: null })]).name).toEqual({
      familyName: 'Jensen',
      givenName: 'B',
    })
    expect(patched(barbara, [replace('name', { givenName: 'B' })], user, 'strict').name).toEqual({
      givenName: 'B',
    })
    expect(patched(barbara, [{ op: 'replace', value: { name: { givenName: 'B' } } }]).name).toMatchObject({
      familyName: 'Jensen',
    })
  })

  test('RFC-158 the elements that a filter selects', () => {
    const address = { type: 'work', streetAddress: '911 Universal City Plaza', primary: true }
    const current = {
      userName: 'a',
      addresses: [
        { type: 'work', locality: 'old' },
        { type: 'home', locality: 'kept' },
      ],
    }
    expect(patched(current, [replace('addresses[type eq "work"]', address)]).addresses).toEqual([
      address,
      { type: 'home', locality: 'kept' },
    ])
    expect(patched(current, [replace('addresses[type eq "work"]', { locality: 'new' })]).addresses).toEqual([
      { type: 'work', locality: 'new' },
      { type: 'home', locality: 'kept' },
    ])
    expect(patched(current, [replace('addresses[type eq "work"]', null)]).addresses).toEqual([
      { type: 'home', locality: 'kept' },
    ])
  })

  test('add with a filter merges', () => {
    expect(patched(barbara, [add('emails[type eq "work"]', { display: 'B' })]).emails).toEqual([
      { ...work, display: 'B' },
      home,
    ])
    expect(patch(barbara, [add('emails[type eq "work"]', null)]).changed).toEqual([])
  })

  test('RFC-158 all that match, and no others', () => {
    const current = {
      userName: 'a',
      emails: [
        { value: 'a', type: 'work' },
        { value: 'b', type: 'home' },
        { value: 'c', type: 'work' },
      ],
    }
    expect(patched(current, [replace('emails[type eq "work"].display', 'x')]).emails).toEqual([
      { value: 'a', type: 'work', display: 'x' },
      { value: 'b', type: 'home' },
      { value: 'c', type: 'work', display: 'x' },
    ])
    expect(patched(current, [replace('emails[type eq "work"].value', 'x')]).emails).toEqual([
      { value: 'x', type: 'work' },
      { value: 'b', type: 'home' },
    ])
  })

  test('RFC-100 the halves of a filter hold on one element', () => {
    expect(patch(barbara, [remove('emails[type eq "home" and primary eq true]')]).changed).toEqual([])
    expect(patched(barbara, [remove('emails[not (type eq "work")]')]).emails).toEqual([work])
  })

  test('RFC-141 primary by filter', () => {
    expect(patched(barbara, [replace('emails[type eq "home"].primary', true)]).emails).toEqual([
      { ...work, primary: false },
      { ...home, primary: true },
    ])
    expect(patched(barbara, [replace('emails[type eq "home"].primary', 'true')]).emails).toEqual([
      { ...work, primary: false },
      { ...home, primary: true },
    ])
  })

  test('RFC-141 what is written last wins, wherever it stands', () => {
    const current = {
      userName: 'a',
      emails: [
        { value: 'a', type: 'work' },
        { value: 'b', primary: true },
      ],
    }
    const first = { value: 'a', type: 'work', primary: true }
    for (const operation of [replace('emails[type eq "work"].primary', true), add('emails', first)])
      expect(patched(current, [operation]).emails).toEqual([first, { value: 'b', primary: false }])
  })

  test('RFC-141 the old primary gives way in strict too, and nothing is noted', () => {
    const both = [
      { value: 'x', primary: true },
      { ...work, primary: undefined, display: 'Babs' },
    ]
    for (const mode of [compat, strict])
      for (const value of [both, both.toReversed()]) {
        const interop = mode()
        const { resource } = patch(barbara, [add('emails', JSON.parse(JSON.stringify(value)))], user, interop)
        expect(resource.emails).toEqual([
          { ...work, display: 'Babs', primary: false },
          home,
          { value: 'x', primary: true },
        ])
        patch(barbara, [replace('emails[type eq "home"].primary', true)], user, interop)
        expect(interop.used).toEqual([])
      }
  })

  test.each([
    ['add', add('emails', [work, { ...home, primary: true }])],
    ['replace', replace('emails', [work, { ...home, primary: true }])],
    ['one sub-attribute of all', replace('emails.primary', true)],
  ])('RFC-15 several primaries by one operation: %s', (_, operation) => {
    const interop = compat()
    expect(patch(barbara, [operation], user, interop).resource.emails).toEqual([
      { ...work, primary: false },
      { ...home, primary: true },
    ])
    expect(interop.used).toEqual(['several-primary: emails'])
    expectRefusal(
      () => patch(barbara, [operation], user, strict()),
      'invalidValue',
      '^Operations\\[0\\]: emails may have one value with primary true',
    )
  })

  test('RFC-141 of two operations the last one counts, in strict too', () => {
    const operations = [
      replace('emails[type eq "home"].primary', true),
      replace('emails[type eq "work"].primary', true),
    ]
    for (const mode of ['compat', 'strict'] as const)
      expect(patched(barbara, operations, user, mode).emails).toEqual([work, { ...home, primary: false }])
  })

  test('a sub-attribute of all, or of the first one', () => {
    expect(patched(barbara, [replace('emails.display', 'x')]).emails).toEqual([
      { ...work, display: 'x' },
      { ...home, display: 'x' },
    ])
    expect(patched({ userName: 'a' }, [replace('emails.value', 'x')]).emails).toEqual([{ value: 'x' }])
  })

  test('RFC-162 a bad value', () => {
    const bad: [string, Json, string][] = [
      ['active', 'maybe', 'active must be true or false'],
      ['userName', {}, 'userName must be a string'],
      ['emails[type eq "work"].value', { a: 1 }, 'emails\\.value must be a string'],
      ['emails', [{ value: 5 }], 'emails\\[0\\]\\.value must be a string'],
      ['name', 'Barbara', 'name must be an object'],
      ['profileUrl', 'a b', 'profileUrl must be a URI'],
    ]
    for (const [path, value, words] of bad)
      expectRefusal(
        () => patch(barbara, [replace('title', 'x'), replace(path, value)]),
        'invalidValue',
        `^Operations\\[1\\]: ${words}`,
      )
  })

  test('RFC-68 of who is referred to the id is kept, whichever of its names is set, and removing one removes it', () => {
    const current = { userName: 'a', [ENTERPRISE]: { manager: { value: '1' } } }
    const manager = (value: Json) => patched(current, [replace('manager', value)])[ENTERPRISE]
    expect(manager('2')).toEqual({ manager: { value: '2' } })
    expect(manager({ value: '2', $ref: '../Users/3' })).toEqual({ manager: { value: '2' } })
    expect(manager({ $ref: '../Users/3' })).toEqual({ manager: { value: '3' } })
    expect(manager('1')).toEqual(current[ENTERPRISE])
    expect(patched(current, [replace('manager.value', '2')])[ENTERPRISE]).toEqual({ manager: { value: '2' } })
    const byReference = replace('manager.$ref', 'https://x/scim/v2/Users/2')
    expect(patched(current, [byReference])[ENTERPRISE]).toEqual({ manager: { value: '2' } })
    expect(patched(current, [remove('manager.$ref')])).toEqual({ userName: 'a' })
    expectRefusal(() => patch(current, [replace('manager.$ref', '//')]), 'invalidValue', '\\$ref')
  })

  test('RFC-68 what the service says of who is referred to selects nothing', () => {
    const current = { userName: 'a', [ENTERPRISE]: { manager: { value: '1' } } }
    for (const filter of ['displayName eq "Boss"', 'value eq "1" and not ($ref pr)'])
      expectRefusal(
        () => patch(current, [remove(`${ENTERPRISE}:manager[${filter}]`)]),
        'invalidFilter',
        '^Operations\\[0\\]: manager is selected by its value',
      )
  })

  test('a filter on a single complex value', () => {
    const current = { userName: 'a', [ENTERPRISE]: { manager: { value: '1' } } }
    const path = (id: string) => `${ENTERPRISE}:manager[value eq "${id}"]`
    expect(patched(current, [remove(path('1'))])).toEqual({ userName: 'a' })
    expect(patch(current, [remove(path('2'))]).changed).toEqual([])
    expectRefusal(
      () => patch(current, [replace(path('2'), { value: '3' })]),
      'noTarget',
      '^Operations\\[0\\]: ',
    )
    expectRefusal(
      () => patch(current, [remove(path('2'))], user, strict()),
      'noTarget',
      '^Operations\\[0\\]: ',
    )
  })
})

describe('RFC-159 create on miss', () => {
  const bare = { userName: 'a' }

  test.each(['add', 'replace'])('%s: the filter says what the element is', op => {
    expect(patched(bare, [{ op, path: 'emails[type eq "work"].value', value: 'x' }]).emails).toEqual([
      { value: 'x', type: 'work' },
    ])
    expect(
      patched(bare, [{ op, path: 'emails[type eq "work" and primary eq true].value', value: 'x' }]).emails,
    ).toEqual([{ value: 'x', type: 'work', primary: true }])
    expect(
      patched(bare, [{ op, path: 'addresses[type eq "work"]', value: { locality: 'X' } }]).addresses,
    ).toEqual([{ type: 'work', locality: 'X' }])
  })

  test('Entra SingleAppRoleAssignment: primary as text', () => {
    const operations = [{ op: 'Replace', path: 'roles[primary eq "True"].value', value: 'admin' }]
    expect(patched(bare, operations).roles).toEqual([{ value: 'admin', primary: true }])
    const current = { userName: 'a', roles: [{ value: 'user', primary: true }, { value: 'x' }] }
    expect(patched(current, operations).roles).toEqual([{ value: 'admin', primary: true }, { value: 'x' }])
  })

  test('SimpleIdServer #376: operations address what earlier ones created', () => {
    const operations = [
      replace('emails[type eq "work"].primary', 'true'),
      add('emails[type eq "work"].value', 'x'),
      add('emails[type eq "work"].display', 'X'),
    ]
    expect(patched(bare, operations).emails).toEqual([
      { value: 'x', display: 'X', type: 'work', primary: true },
    ])
  })

  test('the new element is not primary, unless the filter says so', () => {
    expect(patched(barbara, [add('emails[type eq "other"].value', 'x')]).emails).toEqual([
      ...emails,
      { value: 'x', type: 'other' },
    ])
    expect(
      patched({ ...bare, emails: [{ ...work, primary: false }] }, [add('emails[primary eq true].value', 'x')])
        .emails,
    ).toEqual([
      { ...work, primary: false },
      { value: 'x', primary: true },
    ])
  })

  test('text in the filter keeps the spelling of the schema, or else of the client', () => {
    expect(patched(bare, [add('emails[type eq "WORK"].value', 'x')]).emails).toEqual([
      { value: 'x', type: 'work' },
    ])
    expect(patched(bare, [add('roles[display eq "Chief \\"Ö\\""].value', 'x')]).roles).toEqual([
      { value: 'x', display: 'Chief "Ö"' },
    ])
    const until = '2026-11-21T20:00:00+01:00'
    const licences = `${STAFF}:licences[until eq "${until}" and country eq "PT"].value`
    expect(patched({ ...bare, [STAFF]: { site: 'x' } }, [add(licences, '1')], staffUser)[STAFF]).toEqual({
      site: 'x',
      licences: [{ value: '1', country: 'PT', until }],
    })
  })

  test.each([
    'emails[type ne "work"].display',
    'emails[value co "x"].display',
    'emails[type eq "home" or type eq "other"].value',
    'emails[not (type eq "work")].value',
    'emails[type eq null].value',
    'emails[display pr].value',
    'emails[type eq "a" and type eq "b"].value',
    'emails[value eq ""].type',
  ])('nothing can be made of %s', path => {
    const current = { userName: 'a', emails: [{ value: 'z', type: 'work' }] }
    expectRefusal(() => patch(current, [replace(path, 'x')]), 'noTarget', /^Operations\[0\]: emails/)
  })

  test('nothing can be made of what only the service sets', () => {
    expectRefusal(
      () => patch(bare, [add(`${STAFF}:licences[issuer eq "x"].country`, 'PT')], staffUser),
      'noTarget',
      'licences',
    )
  })

  test('elements that are simple', () => {
    const tags = `${STAFF}:tags[value eq "b"]`
    const current = (...values: string[]) => ({
      userName: 'a',
      [STAFF]: { site: 'x', ...(values.length > 0 && { tags: values }) },
    })
    expect(patched(current('a', 'b'), [replace(tags, 'c')], staffUser)).toEqual(current('a', 'c'))
    expect(patched(current('a'), [replace(tags, 'c')], staffUser)).toEqual(current('a', 'c'))
    expect(patched(current('a', 'b'), [remove(tags)], staffUser)).toEqual(current('a'))
    expect(patched(current('b'), [replace(tags, null)], staffUser)).toEqual(current())
    expect(patch(current('b'), [add(tags, null)], staffUser).changed).toEqual([])
  })

  test('an empty value makes no element', () => {
    for (const value of ['', null])
      expect(patch(bare, [replace('emails[type eq "work"].value', value)]).changed).toEqual([])
    expect(patch(bare, [replace('emails[type eq "work"]', {})]).changed).toEqual([])
  })

  test('each use is noted', () => {
    const interop = compat()
    patch(bare, [add('emails[type eq "work"].value', 'x')], user, interop)
    expect(interop.used).toEqual(['create-on-miss: emails.value'])
  })

  test('in strict mode noTarget', () => {
    expectRefusal(
      () => patch(bare, [add('emails[type eq "work"].value', 'x')], user, strict()),
      'noTarget',
      'emails\\.value',
    )
  })
})

describe('strict mode', () => {
  test('RFC-229 a filter goes with a sub-attribute and selects one element', () => {
    const twice = {
      userName: 'a',
      emails: [
        { value: 'a', type: 'work' },
        { value: 'b', type: 'work' },
      ],
    }
    expectRefusal(
      () => patch(barbara, [replace('emails[type eq "work"]', { value: 'x' })], user, strict()),
      'invalidPath',
      'must name a sub-attribute',
    )
    expectRefusal(
      () => patch(twice, [replace('emails[type eq "work"].value', 'x')], user, strict()),
      'invalidFilter',
      'selects 2 elements',
    )
    expect(
      patched(barbara, [replace('emails[type eq "work"].value', 'x')], user, 'strict').emails,
    ).toMatchObject([{ value: 'x' }, home])
    expect(patched(barbara, [remove('emails[type eq "work"]')], user, 'strict').emails).toEqual([home])
  })

  test('RFC-226, RFC-227', () => {
    expectRefusal(
      () => patch(barbara, [{ op: 'replace', value: { title: 'x' } }], user, strict()),
      'invalidSyntax',
      'path',
    )
    expectRefusal(
      () => patch(barbara, [replace('name', { shoe: 'x' })], user, strict()),
      'invalidSyntax',
      'name\\.shoe',
    )
  })
})

describe('mutability', () => {
  const current = { userName: 'a', [STAFF]: { site: 'x', number: '7', card: { serial: '1', colour: 'red' } } }

  test('RFC-42 immutable: given once, repeated at will', () => {
    const path = `${STAFF}:number`
    expect(patched({ userName: 'a', [STAFF]: { site: 'x' } }, [add(path, '7')], staffUser)[STAFF]).toEqual({
      site: 'x',
      number: '7',
    })
    expect(patch(current, [replace(path, '7')], staffUser).changed).toEqual([])
    for (const operation of [replace(path, '8'), remove(path), replace(path, null)])
      expectRefusal(() => patch(current, [operation], staffUser), 'mutability', 'number is immutable')
  })

  test('RFC-42 immutable parts', () => {
    for (const value of ['2', null])
      expectRefusal(
        () => patch(current, [replace(`${STAFF}:card.serial`, value)], staffUser),
        'mutability',
        'serial is immutable',
      )
    expectRefusal(
      () => patch(current, [replace(`${STAFF}:card`, { serial: '2' })], staffUser),
      'mutability',
      'serial',
    )
    expect(patched(current, [replace(`${STAFF}:card`, { colour: 'blue' })], staffUser)[STAFF]).toMatchObject({
      card: { serial: '1', colour: 'blue' },
    })
    expectRefusal(
      () => patch(current, [replace(`${STAFF}:card`, { colour: 'blue' })], staffUser, strict()),
      'mutability',
      'serial',
    )
    const licensed = { userName: 'a', [STAFF]: { site: 'x', licences: [{ value: '1', country: 'PT' }] } }
    expectRefusal(
      () => patch(licensed, [replace(`${STAFF}:licences[country eq "PT"].value`, '2')], staffUser),
      'mutability',
      'licences\\.value is immutable',
    )
    expect(patched(licensed, [remove(`${STAFF}:licences[value eq "1"]`)], staffUser)[STAFF]).toEqual({
      site: 'x',
    })
  })

  test('RFC-153 what an extension requires, while it is used', () => {
    expectRefusal(
      () => patch(current, [remove(`${STAFF}:site`)], staffUser),
      'mutability',
      `${STAFF}:site is required`,
    )
    expectRefusal(
      () => patch({ userName: 'a' }, [add(`${STAFF}:level`, 1)], staffUser),
      'mutability',
      `${STAFF}:site`,
    )
    expect(
      patched({ userName: 'a' }, [add(`${STAFF}:level`, 1), add(`${STAFF}:site`, 'x')], staffUser)[STAFF],
    ).toEqual({ level: 1, site: 'x' })
    expect(patched({ userName: 'a', [STAFF]: { site: 'x', level: 1 } }, [remove(STAFF)], staffUser)).toEqual({
      userName: 'a',
    })
    const licence = add(`${STAFF}:licences`, [{ value: '1' }])
    expectRefusal(() => patch(current, [licence], staffUser), 'mutability', 'licences\\.country is required')
  })

  test('what was missing before does not stand in the way', () => {
    const old = { userName: 'a', [STAFF]: { level: 1 } }
    expect(patched(old, [replace('title', 'x')], staffUser)).toEqual({ ...old, title: 'x' })
  })
})

describe('extensions', () => {
  const bare = { userName: 'a' }

  test('RFC-142 the container comes with its first value and goes with its last', () => {
    expect(patched(bare, [add(`${ENTERPRISE}:department`, 'x')])).toEqual({
      ...bare,
      [ENTERPRISE]: { department: 'x' },
    })
    expect(
      patched({ ...bare, [ENTERPRISE]: { department: 'x' } }, [remove(`${ENTERPRISE}:department`)]),
    ).toEqual(bare)
    expect(
      patched({ ...bare, [ENTERPRISE]: { department: 'x' } }, [replace(`${ENTERPRISE}:department`, '')]),
    ).toEqual(bare)
    expect(patched(barbara, [remove(ENTERPRISE)])).not.toHaveProperty([ENTERPRISE])
    expect(patch(bare, [remove(ENTERPRISE)]).changed).toEqual([])
  })

  test('scim-patch splits the URN at its last colon: the container without a path, and as path', () => {
    const result = { ...bare, [ENTERPRISE]: { department: 'x' } }
    expect(patched(bare, [{ op: 'add', value: { [ENTERPRISE]: { department: 'x' } } }])).toEqual(result)
    expect(patched(bare, [replace(ENTERPRISE, { department: 'x' })])).toEqual(result)
    expect(patched(bare, [replace(`${ENTERPRISE.toLowerCase()}:DEPARTMENT`, 'x')])).toEqual(result)
  })

  test('changed names them by their URN', () => {
    expect(patch(barbara, [replace('department', 'x'), replace('title', 'y')]).changed).toEqual([
      'title',
      `${ENTERPRISE}:department`,
    ])
  })
})

describe('other libraries got these wrong', () => {
  test('scim-patch: names in any case make no new keys', () => {
    const operations = [
      replace('USERNAME', 'b'),
      replace('Name.givenname', 'B'),
      replace('EMAILS[TYPE eq "WORK"].VALUE', 'x'),
    ]
    expect(patched(barbara, operations)).toEqual({
      ...barbara,
      userName: 'b',
      name: { formatted: 'Ms. Barbara Jensen', familyName: 'Jensen', givenName: 'B' },
      emails: [{ ...work, value: 'x' }, home],
    })
  })

  test('scim-patch: colons in a literal', () => {
    const current = { userName: 'a', entitlements: [{ value: 'urn:acme:role:admin' }] }
    expect(
      patched(current, [replace('entitlements[value eq "urn:acme:role:admin"].display', 'Admin')])
        .entitlements,
    ).toEqual([{ value: 'urn:acme:role:admin', display: 'Admin' }])
  })

  test('scim-patch: a bracketed key is a path', () => {
    expect(patched(barbara, [{ op: 'replace', value: { 'emails[type eq "work"].value': 'x' } }])).toEqual({
      ...barbara,
      emails: [{ ...work, value: 'x' }, home],
    })
  })

  test('scim-patch: active "False" is false', () => {
    expect(patched(barbara, [replace('active', 'False')]).active).toBe(false)
  })

  test('scim-patch: null and [] are not stored', () => {
    const cleared = patched(barbara, [replace('title', null), replace('emails', []), add('nickName', null)])
    expect(Object.values(cleared)).not.toContain(null)
    expect(Object.keys(cleared)).toEqual([
      'userName',
      'externalId',
      'name',
      'displayName',
      'active',
      ENTERPRISE,
    ])
  })

  test('scim-patch: prototype pollution, by path and by key', () => {
    for (const name of [
      '__proto__.polluted',
      'constructor.prototype.polluted',
      '__proto__[a eq "b"].polluted',
    ]) {
      refusal(() => patch(barbara, [add(name, 'x')]))
      const value = JSON.parse(`{${JSON.stringify(name)}:"x","__proto__":{"polluted":"x"}}`) as Json
      expect(patched(barbara, [{ op: 'add', value }])).toEqual(barbara)
    }
    expect('polluted' in {}).toBe(false)
  })

  test('RFC-138, RFC-139 scim-patch: a failing second operation leaves nothing of the first', () => {
    const before = JSON.stringify(barbara)
    expectRefusal(
      () => patch(barbara, [replace('title', 'x'), remove('userName')]),
      'mutability',
      '^Operations\\[1\\]',
    )
    expect(JSON.stringify(barbara)).toBe(before)
    expect(patched(barbara, [replace('title', 'x'), replace('title', 'y')]).title).toBe('y')
  })

  test('scimmy: a core URN in the path, duplicates, meta', () => {
    expect(patched(barbara, [replace(`${USER}:title`, 'x')]).title).toBe('x')
    expect(patched(barbara, [add('emails', [work])]).emails).toEqual(emails)
    expectRefusal(
      () => patch(barbara, [replace('meta.created', '2026-01-01T00:00:00Z')]),
      'mutability',
      'meta\\.created',
    )
  })
})

describe('what the identity providers send', () => {
  const dialects: [string, Json[], Json[]][] = [
    [
      'disable',
      [{ op: 'Replace', path: 'active', value: 'False' }],
      [{ op: 'replace', value: { active: false } }],
    ],
    [
      'restore',
      [{ op: 'Replace', path: 'active', value: 'True' }],
      [{ op: 'replace', path: 'active', value: true }],
    ],
    [
      'add a text',
      [{ op: 'Add', path: 'nickName', value: 'Babs' }],
      [{ op: 'add', value: { nickName: 'Babs' } }],
    ],
    [
      'names',
      [
        { op: 'Add', path: 'name.familyName', value: 'X' },
        { op: 'Replace', path: 'name.givenName', value: 'Y' },
      ],
      [{ op: 'replace', value: { 'name.familyName': 'X', 'name.givenName': 'Y' } }],
    ],
    [
      'an e-mail address',
      [{ op: 'Replace', path: 'emails[type eq "work"].value', value: 'a@b.c' }],
      [{ op: 'replace', value: { 'emails[type eq "work"].value': 'a@b.c' } }],
    ],
    [
      'many attributes',
      [
        { op: 'Replace', path: 'displayName', value: 'Pvlo' },
        { op: 'Replace', path: 'emails[type eq "work"].value', value: 'T@test.microsoft.com' },
        { op: 'Replace', path: 'name.givenName', value: 'Gtfd' },
        { op: 'Replace', path: 'name.familyName', value: 'Pkqf' },
        { op: 'Replace', path: 'externalId', value: 'Eqpj' },
        { op: 'Replace', path: `${ENTERPRISE}:employeeNumber`, value: 'Eqpj' },
      ],
      [
        { op: 'replace', path: 'emails[type eq "work"].value', value: 'T@test.microsoft.com' },
        {
          op: 'replace',
          value: {
            displayName: 'Pvlo',
            'name.givenName': 'Gtfd',
            'name.familyName': 'Pkqf',
            externalId: 'Eqpj',
            [`${ENTERPRISE}:employeeNumber`]: 'Eqpj',
          },
        },
      ],
    ],
    [
      'a manager',
      [{ op: 'Add', path: `${ENTERPRISE}:manager`, value: '26118915' }],
      [{ op: 'add', path: `${ENTERPRISE}:manager.value`, value: '26118915' }],
    ],
    [
      'no manager',
      [{ op: 'Replace', path: `${ENTERPRISE}:manager`, value: '' }],
      [{ op: 'remove', path: `${ENTERPRISE}:manager` }],
    ],
    [
      'a role',
      [{ op: 'Add', path: 'roles', value: [{ value: '{"id":"1","value":"admin","displayName":"Admin"}' }] }],
      [{ op: 'add', value: { roles: [{ value: '{"id":"1","value":"admin","displayName":"Admin"}' }] } }],
    ],
    [
      'all roles',
      [{ op: 'Replace', path: 'roles', value: [{ value: 'a' }, { value: 'b', primary: 'True' }] }],
      [{ op: 'replace', value: { roles: [{ value: 'a' }, { value: 'b', primary: true }] } }],
    ],
    [
      'primary',
      [{ op: 'Add', path: 'emails[type eq "home"].primary', value: 'true' }],
      [{ op: 'add', path: 'emails[type eq "home"].primary', value: true }],
    ],
    ['remove a text', [{ op: 'Remove', path: 'title' }], [{ op: 'replace', value: { title: '' } }]],
  ]

  test.each(dialects)('Entra, both dialects end in the same resource: %s', (_, plain, flagged) => {
    const current = {
      ...barbara,
      active: _ !== 'restore',
      [ENTERPRISE]: { department: 'x', manager: { value: '1' } },
    }
    const result = patch(current, plain)
    expect(patch(current, flagged)).toEqual(result)
    expect(result.changed).not.toEqual([])
  })

  test('Entra: the manager in a list, under its short name', () => {
    const value = [{ $ref: 'http://x/scim/Users/26', value: '26' }]
    expect(patched({ userName: 'a' }, [{ op: 'Add', path: 'manager', value }])).toEqual({
      userName: 'a',
      [ENTERPRISE]: { manager: { value: '26' } },
    })
  })

  test('Entra: no manager, however it is said, leaves nothing behind', () => {
    const current = { userName: 'a', [ENTERPRISE]: { manager: { value: '1' } } }
    for (const value of ['', null, [], { value: '' }, { value: null }])
      expect(patched(current, [{ op: 'Replace', path: `${ENTERPRISE}:manager`, value }])).toEqual({
        userName: 'a',
      })
    expect(patched(current, [{ op: 'Replace', path: `${ENTERPRISE}:manager.value`, value: '' }])).toEqual({
      userName: 'a',
    })
    expect(patched(current, [{ op: 'Remove', path: `${ENTERPRISE}:manager`, value: '1' }])).toEqual({
      userName: 'a',
    })
  })

  test('Okta: deactivate, reactivate, and a password that goes nowhere', () => {
    expect(patch(barbara, [{ op: 'replace', value: { active: false } }])).toMatchObject({
      resource: { active: false },
      changed: ['active'],
    })
    expect(patch(barbara, [{ op: 'replace', value: { active: true } }]).changed).toEqual([])
    expect(patch(barbara, [{ op: 'replace', value: { password: 's3cret' } }])).toEqual({
      resource: barbara,
      changed: [],
      members: [],
    })
  })

  test('JumpCloud: one operation per attribute', () => {
    const operations = [
      replace('name.givenName', 'B'),
      replace('name.familyName', 'J'),
      replace('userName', 'b@x.org'),
      replace('active', true),
      replace('emails', [{ value: 'b@x.org', type: 'work', primary: true }]),
    ]
    expect(patched({ userName: 'a' }, operations)).toEqual({
      userName: 'b@x.org',
      name: { givenName: 'B', familyName: 'J' },
      active: true,
      emails: [{ value: 'b@x.org', type: 'work', primary: true }],
    })
  })

  test('langwatch #7131: a rename does not touch the members', () => {
    expect(patch(team, [{ op: 'Replace', path: 'displayName', value: 'New' }], group)).toEqual({
      resource: { displayName: 'New' },
      changed: ['displayName'],
      members: [],
    })
    expect(patch(team, [{ op: 'replace', value: { id: 'g', displayName: 'New' } }], group).members).toEqual(
      [],
    )
  })

  test('members: add', () => {
    expect(members({ op: 'Add', path: 'members', value: [{ $ref: null, value: 'u' }] })).toEqual([
      { kind: 'add', ids: ['u'] },
    ])
    expect(members(add('members', { value: 'u' }))).toEqual([{ kind: 'add', ids: ['u'] }])
    expect(members({ op: 'add', value: { members: [{ value: 'u' }] } })).toEqual([
      { kind: 'add', ids: ['u'] },
    ])
    expect(members(add('members', []), add('members', null))).toEqual([])
    expect(members(add('members[value eq "u"]', { value: 'u' }))).toEqual([{ kind: 'add', ids: ['u'] }])
    expectRefusal(
      () => members(add('members', [{ display: 'x' }])),
      'invalidValue',
      '^Operations\\[0\\]: members\\[0\\]',
    )
  })

  test('RFC-150 SimpleIdServer #244: members are removed as they are listed, never all by mistake', () => {
    expect(members({ op: 'Remove', path: 'members', value: [{ $ref: null, value: 'u' }] })).toEqual([
      { kind: 'remove', ids: ['u'] },
    ])
    for (const nobody of [[], null, '', [{}], [{ $ref: null }], {}])
      expect(members({ op: 'Remove', path: 'members', value: nobody })).toEqual([])
    expect(members(remove('members'))).toEqual([{ kind: 'removeAll' }])
    expectRefusal(
      () => patch(team, [{ op: 'remove', path: 'members', value: [{ value: 'u' }] }], group, strict()),
      'invalidValue',
      'remove takes no value',
    )
    expect(patch(team, [remove('members')], group, strict()).members).toEqual([{ kind: 'removeAll' }])
  })

  test('members: remove by filter', () => {
    expect(members(remove('members[value eq "u"]'))).toEqual([{ kind: 'remove', ids: ['u'] }])
    expect(members(remove('members[type eq "Group"]'))).toEqual([{ kind: 'removeType', type: 'Group' }])
    expectRefusal(
      () => members(remove('members[display eq "x"]')),
      'invalidFilter',
      '^Operations\\[0\\]: Members are',
    )
    expect(patch(team, [remove('members[value eq "u"]')], group, strict()).members).toHaveLength(1)
  })

  test('Okta: remove by filter, then add; push now', () => {
    expect(
      members(
        remove('members[value eq "m"]'),
        add('members', [{ value: 'u', display: 'test.user@okta.local' }]),
      ),
    ).toEqual([
      { kind: 'remove', ids: ['m'] },
      { kind: 'add', ids: ['u'] },
    ])
    expect(
      members(
        replace('members', [
          { value: 'u', display: 'a' },
          { value: 'm', display: 'b' },
        ]),
      ),
    ).toEqual([{ kind: 'replace', ids: ['u', 'm'] }])
    expect(members(replace('members', []))).toEqual([{ kind: 'removeAll' }])
    expectRefusal(() => members(replace('members', [{}])), 'invalidValue', 'members\\[0\\]')
  })

  test('members change as a whole', () => {
    for (const path of ['members.value', 'members[value eq "u"].value', 'members[value eq "u"].type'])
      for (const op of ['add', 'replace', 'remove'])
        expectRefusal(() => members({ op, path, value: 'x' }), 'mutability', '^Operations\\[0\\]: ')
    expectRefusal(
      () => members(replace('members[value eq "u"]', { value: 'x' })),
      'mutability',
      'cannot become another',
    )
    expectRefusal(
      () => members(replace('members[type eq "User"]', { value: 'x' })),
      'mutability',
      'cannot become',
    )
  })

  test('a rename and members in one request', () => {
    const value = { id: 'g', displayName: 'New', members: [{ value: 'u' }] }
    expect(patch(team, [{ op: 'replace', value }], group)).toEqual({
      resource: { displayName: 'New' },
      changed: ['displayName'],
      members: [{ kind: 'replace', ids: ['u'] }],
    })
  })

  test('10,000 members are added at a cost that grows no faster than their number', () => {
    const added = (count: number) => {
      const value = Array.from({ length: count }, (_, index) => ({ value: `user-${index}` }))
      return applyPatch(team, readPatchOp(patchOp(add('members', value)), group, compat()), group, compat())
    }
    expect(added(10_000).members).toHaveLength(1)
    expect(growth(added, 1_250)).toBeLessThan(LINEAR)
  })
})

describe('after any PATCH', () => {
  const types = ['work', 'home', 'other']
  const texts = ['a', 'b', 'c', '', 'A']
  type Random = () => number

  function element(random: Random): Json {
    return {
      ...(random() < 0.8 && { value: pick(random, texts) }),
      ...(random() < 0.6 && { type: pick(random, types) }),
      ...(random() < 0.4 && { primary: pick(random, [true, false, 'True', 'false']) }),
      ...(random() < 0.2 && { display: pick(random, texts) }),
      ...(random() < 0.1 && { shoe: 'x' }),
    }
  }

  function listValue(random: Random): Json {
    return pick<Json>(random, [
      [element(random), element(random)],
      element(random),
      [element(random)],
      [],
      null,
      pick(random, texts),
    ])
  }

  function operation(random: Random): Json {
    const list = pick(random, ['emails', 'roles', 'phoneNumbers'])
    const filter = pick(random, [
      `type eq "${pick(random, types)}"`,
      'primary eq true',
      `value eq "${pick(random, texts)}"`,
      `type eq "${pick(random, types)}" and primary eq "true"`,
      'not (type eq "work")',
      'value pr',
    ])
    const text = pick<Json>(random, [...texts, null])
    const [path, value] = pick<[string, Json]>(random, [
      [list, listValue(random)],
      [`${list}[${filter}]`, pick<Json>(random, [element(random), null])],
      [`${list}[${filter}].value`, text],
      [`${list}[${filter}].primary`, pick<Json>(random, [true, 'True', false, null])],
      [`${list}[${filter}].type`, pick(random, types)],
      [`${list}.display`, text],
      ['name', pick<Json>(random, [{ givenName: text, familyName: text }, {}, null])],
      ['name.givenName', text],
      ['manager', pick<Json>(random, [text, { value: text, $ref: text }, [{ value: text }]])],
      [`${ENTERPRISE}:department`, text],
      [ENTERPRISE, pick<Json>(random, [{ department: text, manager: { value: text } }, null])],
      ['userName', text],
      ['active', pick<Json>(random, [true, 'False', null])],
      ['constructor', 'x'],
    ])
    const op = pick(random, ['add', 'replace', 'remove', 'Replace'])
    if (op === 'remove' && random() < 0.7) return { op, path }
    return random() < 0.2 && op !== 'remove' ? { op, value: { [path]: value } } : { op, path, value }
  }

  function problems(value: Json, at: string): string[] {
    if (value === null || value === '') return [`${at} is empty`]
    if (Array.isArray(value)) {
      const primaries = value.filter(item => isObject(item) && item.primary === true).length
      return [
        ...(value.length === 0 ? [`${at} is empty`] : []),
        ...(primaries > 1 ? [`${at} has ${primaries} primaries`] : []),
        ...value.flatMap((item: Json, index) => problems(item, `${at}[${index}]`)),
      ]
    }
    if (!isObject(value)) return []
    return [
      ...(Object.keys(value).length === 0 ? [`${at} is empty`] : []),
      ...Object.entries(value).flatMap(([key, item]) => problems(item, `${at}.${key}`)),
    ]
  }

  test('property: at most one primary, nothing empty, no strange key, and the input is untouched', () => {
    const keys = new Set([
      'userName',
      'externalId',
      'name',
      'displayName',
      'title',
      'active',
      'emails',
      'roles',
      'phoneNumbers',
      ENTERPRISE,
    ])
    let accepted = 0
    let changes = 0
    for (let seed = 1; seed <= 1500; seed++) {
      const random = seeded(seed)
      const operations = Array.from({ length: 1 + Math.floor(random() * 4) }, () => operation(random))
      const before = JSON.stringify(barbara)
      let current = barbara
      for (const one of operations) {
        const result = attempt(current, [one])
        if (!result) continue
        accepted++
        expect(problems(result.resource, 'resource'), JSON.stringify(one)).toEqual([])
        expect(Object.keys(result.resource).filter(key => !keys.has(key))).toEqual([])
        expect(result.changed).toEqual(changedAttributes(current, result.resource, user))
        if (result.changed.length > 0) changes++
        expect(attempt(result.resource, [])).toBeUndefined()
        current = result.resource
      }
      expect(JSON.stringify(barbara)).toBe(before)
      const together = attempt(barbara, operations)
      if (together && operations.every((_, index) => attempt(barbara, operations.slice(0, index + 1))))
        expect(together.resource).toEqual(current)
      const body = { ...current, schemas: [USER] }
      expect(readResource(body, user, compat()).resource).toEqual(current)
    }
    expect(accepted).toBeGreaterThan(1500)
    expect(changes).toBeGreaterThan(700)
    expect(Object.keys(Object.prototype)).toEqual([])
  })

  function attempt(current: JsonObject, operations: readonly Json[]) {
    try {
      return patch(current, operations)
    } catch (error) {
      if (error instanceof Error && error.name === 'ScimError') return undefined
      throw error
    }
  }
})

test('a PATCH that would compare too many elements is refused before it does', () => {
  const many = Array.from({ length: 1_000 }, (_, i) => ({ value: `${i}@example.com` }))
  const { resource } = readResource({ schemas: [USER], userName: 'many', emails: many }, user, compat())
  const path = `emails[${Array.from({ length: 49 }, (_, i) => `value co "b${i}"`).join(' or ')} or value sw "0"].display`
  const steps = readPatchOp(
    patchOp(...Array.from({ length: 1_000 }, () => replace(path, 'x'))),
    user,
    compat(),
  )
  const refusedAfter = (count: number) =>
    expect(() => applyPatch(resource, steps.slice(0, count), user, compat())).toThrow(/too many elements/)
  // The first of them are enough, however many follow.
  expect(growth(refusedAfter, 125)).toBeLessThan(2)
})
