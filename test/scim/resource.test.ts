// Bodies of POST and PUT as the identity providers send them, and what a change is.
import { describe, expect, test } from 'vitest'
import type { Interop } from '../../src/scim/interop'
import type { Json, JsonObject } from '../../src/scim/json'
import { represent } from '../../src/scim/representation'
import { changedAttributes, readResource, replaceResource } from '../../src/scim/resource'
import type { ResourceType } from '../../src/scim/schema'
import { badgedUserType, randomUser, seeded } from './generate'
import {
  barbara,
  compat,
  ENTERPRISE,
  emails,
  expectRefusal,
  GROUP,
  group,
  LEGACY_GROUP,
  STAFF,
  staffUser,
  strict,
  USER,
  user,
} from './requests'

function post(body: Json, type: ResourceType = user, interop: Interop = compat()): JsonObject {
  return readResource(body, type, interop).resource
}

function put(
  current: JsonObject,
  body: Json,
  type: ResourceType = user,
  interop: Interop = compat(),
): JsonObject {
  return replaceResource(current, body, type, interop).resource
}

const minimal = { schemas: [USER], userName: 'a' }

describe('POST: what identity providers send', () => {
  test('RFC-27, RFC-33 Entra, default mapping: extension listed but absent, meta, roles: []', () => {
    const interop = compat()
    const body = {
      schemas: [USER, ENTERPRISE],
      externalId: '0a21f0f2-8d2a-4f8e-bf98-7363c4aed4ef',
      userName: 'Test_User_ab6490ee@contoso.com',
      active: true,
      emails: [{ primary: true, type: 'work', value: 'Test_User@contoso.com' }],
      meta: { resourceType: 'User' },
      name: { formatted: 'givenName familyName', familyName: 'familyName', givenName: 'givenName' },
      roles: [],
    }
    const { schemas: _, meta: __, roles: ___, ...kept } = body
    expect(post(body, user, interop)).toEqual(kept)
    expect(interop.used).toEqual([])
  })

  test('Entra, second example: nulls, department and manager at the top, misspelt URN', () => {
    const interop = compat()
    const body = {
      schemas: [USER, 'urn:ietf:params:scim:schemas:extension:enterprise:2.0User'],
      externalId: 'jyoung',
      userName: 'jyoung@testuser.com',
      active: true,
      addresses: null,
      displayName: 'Joy Young',
      emails: [{ type: 'work', value: 'jyoung@Contoso.com', primary: true }],
      meta: { resourceType: 'User' },
      name: { familyName: 'Young', givenName: 'Joy' },
      phoneNumbers: null,
      preferredLanguage: null,
      title: null,
      department: null,
      manager: null,
    }
    expect(post(body, user, interop)).toEqual({
      externalId: 'jyoung',
      userName: 'jyoung@testuser.com',
      active: true,
      displayName: 'Joy Young',
      emails: [{ type: 'work', value: 'jyoung@Contoso.com', primary: true }],
      name: { familyName: 'Young', givenName: 'Joy' },
    })
    expect(interop.used).toContain(
      'unknown-schema: urn:ietf:params:scim:schemas:extension:enterprise:2.0User',
    )
  })

  test('department at the top with a value goes into the extension', () => {
    const interop = compat()
    expect(post({ ...minimal, department: 'Tours' }, user, interop)[ENTERPRISE]).toEqual({
      department: 'Tours',
    })
    expect(interop.used).toEqual(['unqualified-extension: department'])
    expect(post({ ...minimal, department: null, [ENTERPRISE]: { department: 'Tours' } })[ENTERPRISE]).toEqual(
      {
        department: 'Tours',
      },
    )
    expectRefusal(
      () => post({ ...minimal, department: 'Tours' }, user, strict()),
      'invalidSyntax',
      'department',
    )
  })

  test('RFC-24 Entra group with the legacy schema marker', () => {
    const { resource, members } = readResource(
      { schemas: [GROUP, LEGACY_GROUP], externalId: 'x', displayName: 'd', meta: { resourceType: 'Group' } },
      group,
      compat(),
    )
    expect(resource).toEqual({ externalId: 'x', displayName: 'd' })
    expect(members).toBeUndefined()
  })

  test('RFC-55, RFC-62 Okta user: password dropped and noted, groups: [] ignored', () => {
    const interop = compat()
    const body = {
      schemas: [USER],
      userName: 'test.user@okta.local',
      name: { givenName: 'Test', familyName: 'User' },
      emails: [{ primary: true, value: 'test.user@okta.local', type: 'work' }],
      displayName: 'Test User',
      locale: 'en-US',
      externalId: '00ujl29u0le5T6Aj10h7',
      groups: [],
      password: '1mz050nq',
      active: true,
    }
    const { schemas: _, groups: __, password: ___, ...kept } = body
    expect(post(body, user, interop)).toEqual(kept)
    expect(interop.used).toEqual(['unknown-attribute: password'])
    expectRefusal(() => post(body, user, strict()), 'invalidSyntax', '^password')
  })

  test('Okta group with and without members', () => {
    const members = (list: Json) =>
      readResource({ schemas: [GROUP], displayName: 'd', members: list }, group, compat()).members
    expect(members([])).toEqual({ kind: 'replace', ids: [] })
    expect(members([{ value: 'u1', display: 'a@b.c' }, { value: 'u2' }, { value: 'u1' }])).toEqual({
      kind: 'replace',
      ids: ['u1', 'u2'],
    })
  })

  test('OneLogin template: quoted booleans, empty strings, one object for emails, id: null', () => {
    const body = {
      schemas: [USER, ENTERPRISE],
      id: null,
      externalId: '',
      userName: 'ol@example.com',
      name: { givenName: 'O', familyName: '' },
      emails: { value: 'ol@example.com', type: 'work' },
      phoneNumbers: [{ value: '', type: 'work' }],
      active: 'true',
      title: '',
      [ENTERPRISE]: { department: '', manager: { value: '' } },
    }
    expect(post(body)).toEqual({
      userName: 'ol@example.com',
      name: { givenName: 'O' },
      emails: [{ value: 'ol@example.com', type: 'work' }],
      active: true,
    })
  })

  test('RFC-26 an extension whose URN is not listed, in another case', () => {
    expect(post({ ...minimal, [ENTERPRISE.toUpperCase()]: { DEPARTMENT: 'Tours', unknown: 1 } })).toEqual({
      userName: 'a',
      active: true,
      [ENTERPRISE]: { department: 'Tours' },
    })
  })

  test('keys that are paths', () => {
    const interop = compat()
    const body = {
      ...minimal,
      [`${ENTERPRISE}:department`]: 'Tours',
      'name.givenName': 'B',
      name: { familyName: 'J' },
      [`${USER}:title`]: 'Guide',
    }
    expect(post(body, user, interop)).toEqual({
      userName: 'a',
      active: true,
      title: 'Guide',
      name: { givenName: 'B', familyName: 'J' },
      [ENTERPRISE]: { department: 'Tours' },
    })
    expect(interop.used).toContain('key-as-path: name.givenName')
    expectRefusal(
      () => post({ ...minimal, 'emails.value': 'x' }),
      'invalidSyntax',
      'emails\\.value is part of a list',
    )
    expectRefusal(
      () => post({ ...minimal, 'name.givenName': 'B' }, user, strict()),
      'invalidSyntax',
      'name\\.givenName',
    )
  })
})

describe('POST: the envelope', () => {
  test('RFC-76 the body is an object', () => {
    for (const body of [null, [], 'x', 5])
      expectRefusal(() => post(body), 'invalidSyntax', 'must be a JSON object')
  })

  test('RFC-23 schemas is a list of texts', () => {
    for (const schemas of [[5], [USER, null], { a: 1 }, 5])
      expectRefusal(() => post({ ...minimal, schemas }), 'invalidSyntax', 'schemas must be a list')
    expect(post({ SCHEMAS: [USER], userName: 'a' }, user, strict())).toEqual({ userName: 'a', active: true })
    expect(post({ ...minimal, schemas: USER })).toEqual({ userName: 'a', active: true })
    expectRefusal(
      () => post({ ...minimal, schemas: USER }, user, strict()),
      'invalidSyntax',
      'must be a list',
    )
  })

  test('RFC-25 the base schema is listed, unless tolerated', () => {
    for (const body of [
      { userName: 'a' },
      { userName: 'a', schemas: [] },
      { userName: 'a', schemas: [ENTERPRISE] },
    ]) {
      const interop = compat()
      expect(post(body, user, interop).userName).toBe('a')
      expect(interop.used).toEqual(['missing-schemas'])
      expectRefusal(() => post(body, user, strict()), 'invalidSyntax', `schemas must contain ${USER}`)
    }
    expect(post({ ...minimal, schemas: [USER.toLowerCase()] }, user, strict()).userName).toBe('a')
  })

  test('RFC-24 an unknown schema is dropped, in strict mode refused', () => {
    expect(post({ ...minimal, schemas: [USER, 'urn:x'] })).toEqual({ userName: 'a', active: true })
    expectRefusal(
      () => post({ ...minimal, schemas: [USER, 'urn:x'] }, user, strict()),
      'invalidSyntax',
      'urn:x',
    )
  })

  test('RFC-1 names in any case, but each once', () => {
    expect(post({ ...minimal, DISPLAYNAME: 'd' })).toMatchObject({ displayName: 'd' })
    expectRefusal(
      () => post({ ...minimal, title: 'a', Title: 'b' }),
      'invalidSyntax',
      '^Title is given twice',
    )
    expectRefusal(
      () => post({ ...minimal, department: 'a', [ENTERPRISE]: { department: 'b' } }),
      'invalidSyntax',
      'department is given twice',
    )
  })

  test('RFC-30, RFC-41 id, meta and groups are ignored', () => {
    const interop = strict()
    expect(
      post({ ...minimal, id: 'x', meta: { version: '1' }, groups: [{ value: 'g' }] }, user, interop),
    ).toEqual({ userName: 'a', active: true })
    expect(interop.used).toEqual([])
  })

  test('RFC-75, RFC-226 unknown attributes', () => {
    const interop = compat()
    expect(post({ ...minimal, shoe: 5, 'urn:x:y': { a: 1 } }, user, interop)).toEqual({
      userName: 'a',
      active: true,
    })
    expect(interop.used).toEqual(['unknown-attribute: shoe', 'unknown-attribute: urn:x:y'])
    expectRefusal(
      () => post({ ...minimal, shoe: 5 }, user, strict()),
      'invalidSyntax',
      '^shoe is not defined',
    )
  })

  test('RFC-22, RFC-39 required attributes', () => {
    for (const userName of ['', null, '  ', []])
      expectRefusal(() => post({ schemas: [USER], userName }), 'invalidValue', '^userName is required')
    expectRefusal(() => post({ schemas: [USER], userName: '' }, user, strict()), 'invalidValue', 'userName')
    expectRefusal(() => post({ schemas: [USER] }), 'invalidValue', 'userName is required')
    expectRefusal(() => post({ schemas: [USER], userName: {} }), 'invalidValue', 'userName must be a string')
    expectRefusal(
      () => post({ schemas: [GROUP], members: [] }, group),
      'invalidValue',
      'displayName is required',
    )
  })

  test('RFC-39, RFC-200 required in an extension: only where it is used', () => {
    expect(post(minimal, staffUser)).toEqual({ userName: 'a', active: true })
    expectRefusal(
      () => post({ ...minimal, [STAFF]: { level: 1 } }, staffUser),
      'invalidValue',
      `${STAFF}:site`,
    )
    const needed = {
      ...staffUser,
      extensions: staffUser.extensions.map(extension => ({ ...extension, required: true })),
    }
    expectRefusal(() => post({ ...minimal, [STAFF]: { site: 'x' } }, needed), 'invalidValue', ENTERPRISE)
    const licences = [{ value: '1', country: 'PT' }, { value: '2' }]
    expectRefusal(
      () => post({ ...minimal, [STAFF]: { site: 'x', licences } }, staffUser),
      'invalidValue',
      'licences\\.country',
    )
  })

  test('RFC-56 who is not said to be inactive is active', () => {
    expect(post(minimal)).toEqual({ userName: 'a', active: true })
    expect(post({ ...minimal, active: null })).toEqual({ userName: 'a', active: true })
    expect(post({ ...minimal, active: 'False' })).toEqual({ userName: 'a', active: false })
    expect(post({ schemas: [GROUP], displayName: 'd' }, group)).toEqual({ displayName: 'd' })
  })

  test('an extension is an object', () => {
    expectRefusal(() => post({ ...minimal, [ENTERPRISE]: 'x' }), 'invalidValue', 'must be an object')
    expect(post({ ...minimal, [ENTERPRISE]: null })).toEqual({ userName: 'a', active: true })
    expect(post({ ...minimal, [ENTERPRISE]: {} })).toEqual({ userName: 'a', active: true })
  })

  test('RFC-224 hostile keys go nowhere', () => {
    const body = JSON.parse(
      `{"schemas":["${USER}"],"userName":"a","__proto__":{"polluted":1},"constructor.prototype.polluted":1,"__proto__.polluted":1}`,
    ) as Json
    expect(post(body)).toEqual({ userName: 'a', active: true })
    expect('polluted' in {}).toBe(false)
  })
})

describe('PUT', () => {
  test('RFC-126 what is left out is cleared, but not externalId and active', () => {
    expect(put({ ...barbara, active: false }, { schemas: [USER], userName: 'b' })).toEqual({
      userName: 'b',
      externalId: '701984',
      active: false,
    })
    expect(put({ userName: 'a' }, minimal).active).toBe(true)
    expect(put({ ...barbara, active: false }, { ...minimal, active: null }).active).toBe(false)
    expect(put({ ...barbara, active: false }, { ...minimal, active: true }).active).toBe(true)
  })

  test('an externalId that is given as empty is cleared', () => {
    expect(put(barbara, { ...minimal, externalId: null })).toEqual({ userName: 'a', active: true })
    expect(put(barbara, { ...minimal, ExternalID: '' })).toEqual({ userName: 'a', active: true })
  })

  test('RFC-125 lists are replaced whole', () => {
    expect(put(barbara, { ...minimal, emails: [{ value: 'x' }] }).emails).toEqual([{ value: 'x' }])
  })

  test('RFC-129 required attributes must be there', () => {
    expectRefusal(() => put(barbara, { schemas: [USER], title: 'x' }), 'invalidValue', 'userName is required')
  })

  test('RFC-128, RFC-131 readOnly is ignored: Okta repeats id, groups and meta, and sends middleName ""', () => {
    const body = {
      schemas: [USER],
      id: 'other',
      userName: 'b',
      name: { givenName: 'Another', middleName: '', familyName: 'User' },
      emails: [{ primary: true, value: 'b', type: 'work', display: 'b' }],
      active: false,
      groups: [],
      meta: { resourceType: 'User' },
    }
    expect(put(barbara, body)).toEqual({
      userName: 'b',
      externalId: '701984',
      name: { givenName: 'Another', familyName: 'User' },
      emails: body.emails,
      active: false,
    })
  })

  test('PingFederate deprovisions with PUT', () => {
    const body = {
      schemas: [USER],
      id: '1',
      userName: 'b',
      name: { givenName: 'Janet', familyName: 'Smith' },
      emails: [{ value: 'b', type: 'work', primary: true }],
      active: false,
    }
    expect(put(barbara, body).active).toBe(false)
  })

  test('RFC-127 immutable values must match or be left out', () => {
    const current = {
      userName: 'a',
      active: true,
      [STAFF]: { number: '7', site: 'x', card: { serial: '1', colour: 'red' } },
    }
    const body = (staff: Json) => ({ schemas: [USER], userName: 'a', [STAFF]: staff })
    expectRefusal(
      () => put(current, body({ site: 'x', number: '8' }), staffUser),
      'mutability',
      'number is immutable',
    )
    expectRefusal(
      () => put(current, body({ site: 'x', card: { serial: '2' } }), staffUser),
      'mutability',
      'card\\.serial is immutable',
    )
    expect(
      put(current, body({ site: 'y', number: '7', card: { colour: 'blue' } }), staffUser)[STAFF],
    ).toEqual({
      number: '7',
      site: 'y',
      card: { serial: '1', colour: 'blue' },
    })
    expect(put({ userName: 'a' }, body({ site: 'y', number: '9' }), staffUser)[STAFF]).toEqual({
      site: 'y',
      number: '9',
    })
  })

  test('RFC-43 what a GET does not show is not lost by leaving it out', () => {
    const current = { userName: 'a', active: true, [STAFF]: { pin: '1', shoe: '42', site: 'x', level: 3 } }
    const body = (staff: Json) => ({ schemas: [USER], userName: 'a', [STAFF]: staff })
    expect(put(current, body({ site: 'y' }), staffUser)[STAFF]).toEqual({ pin: '1', shoe: '42', site: 'y' })
    expect(put(current, body({ site: 'y', pin: '2', shoe: null }), staffUser)[STAFF]).toEqual({
      pin: '2',
      site: 'y',
    })
  })

  test('members: kept when the key is absent, none when it is empty', () => {
    const members = (body: JsonObject) =>
      replaceResource({ displayName: 'd' }, { schemas: [GROUP], displayName: 'd', ...body }, group, compat())
        .members
    expect(members({})).toBeUndefined()
    for (const empty of [[], null]) expect(members({ members: empty })).toEqual({ kind: 'replace', ids: [] })
    expect(members({ members: [{ value: 'u' }] })).toEqual({ kind: 'replace', ids: ['u'] })
    expectRefusal(
      () => members({ members: [{ display: 'x' }] }),
      'invalidValue',
      'members\\[0\\] must have a "value"',
    )
    expectRefusal(() => members({ 'members.value': 'u' }), 'invalidSyntax', 'members\\.value')
  })

  test('RFC-132 property: PUT of what GET answered changes nothing', () => {
    for (let seed = 1; seed <= 300; seed++) {
      const sent = randomUser(seeded(seed), badgedUserType)
      const resource = post({ ...sent, userName: `u${seed}` }, badgedUserType)
      const stored = { id: '1', resource, created: 1, lastModified: 2, version: 'v' }
      const shown = represent(stored, badgedUserType, 'https://x')
      const again = put(resource, shown, badgedUserType)
      expect(changedAttributes(resource, again, badgedUserType)).toEqual([])
      expect(again).toEqual(resource)
    }
  })
})

describe('changedAttributes', () => {
  test('RFC-12 the order of keys is no change', () => {
    const other = Object.fromEntries(Object.entries(barbara).reverse())
    const turned = {
      ...other,
      emails: emails.map(email => Object.fromEntries(Object.entries(email).reverse())),
    }
    expect(changedAttributes(barbara, turned, user)).toEqual([])
  })

  test('canonical names, extensions by their URN', () => {
    const after = {
      ...barbara,
      title: 'Chief',
      emails: [],
      [ENTERPRISE]: { employeeNumber: '701984', department: 'Ops' },
    }
    expect(changedAttributes(barbara, after, user)).toEqual(['title', 'emails', `${ENTERPRISE}:department`])
    expect(changedAttributes(barbara, { ...barbara, externalId: 'x' }, user)).toEqual(['externalId'])
    expect(changedAttributes({ a: 1 }, {}, user)).toEqual([])
  })
})
