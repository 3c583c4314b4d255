// The application's view of a user: which value counts, what is refused and in which words, and where a user belongs.
import { describe, expect, test } from 'vitest'
import { type Mapping, noMapping, type Profile } from '../../src/mapping/profile'
import { mappingDocument, mappingOf, profileDocument, profileOf } from '../../src/mapping/profile-document'
import { shippedNames, shippedProfile } from '../../src/mapping/shipped-profiles'
import { viewerOf } from '../../src/mapping/view'
import type { JsonObject } from '../../src/scim/json'
import { userType } from './user-type'

const profile = (user: object, more: object = {}): Profile =>
  profileOf(profileDocument.parse({ name: 'test', user, ...more }), 1)
const mapping = (document: object): Mapping => mappingOf(mappingDocument.parse(document))

function read(of: Profile, resource: JsonObject, { on = noMapping, idp = 'generic' } = {}) {
  return viewerOf(of, on, idp, userType)(resource)
}

const oneField = (field: object, resource: JsonObject) =>
  read(profile({ fields: [{ field: 'x', ...field }] }), resource)

const emails = [
  { value: 'home@a.test', type: 'home' },
  { value: 'work@a.test', type: 'work' },
  { value: 'main@a.test', type: 'other', primary: true },
]

describe('which value counts', () => {
  test.each<[string, string, JsonObject, unknown]>([
    ['a simple attribute', 'userName', { userName: 'ada' }, 'ada'],
    ['a sub-attribute', 'name.givenName', { name: { givenName: 'Ada' } }, 'Ada'],
    ['a value path', 'emails[type eq "work"].value', { emails }, 'work@a.test'],
    ['of several elements the primary one', 'emails.value', { emails }, 'main@a.test'],
    ['else the first', 'emails.value', { emails: emails.slice(0, 2) }, 'home@a.test'],
    ['a complex attribute is its value', 'emails', { emails }, 'main@a.test'],
    [
      'the quoted boolean of Entra',
      'roles[primary eq "True"].value',
      { roles: [{ value: 'A', primary: true }] },
      'A',
    ],
    [
      'an extension attribute',
      'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department',
      { 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User': { department: 'R&D' } },
      'R&D',
    ],
    ['a value path that nothing matches', 'emails[type eq "x"].value', { emails }, undefined],
    ['nothing but spaces', 'title', { title: '  ' }, undefined],
    ['false is a value', 'active', { active: false }, 'false'],
  ])('%s', (_, source, resource, expected) => {
    expect(oneField({ source }, resource).view.profile.x).toBe(expected)
  })

  test('fallbacks are tried in their order, then the default', () => {
    const field = { source: 'title', fallback: ['nickName', 'displayName'], default: 'none' }
    expect(oneField(field, { displayName: 'D', nickName: 'N' }).view.profile).toEqual({ x: 'N' })
    expect(oneField(field, { displayName: 'D' }).view.profile).toEqual({ x: 'D' })
    expect(oneField(field, {}).view.profile).toEqual({ x: 'none' })
  })

  test('a fallback of the kind of identity provider counts for its connections only', () => {
    const of = profile(
      { fields: [{ field: 'email', source: 'emails.value', required: true }] },
      { idps: { onelogin: { fallback: { email: ['userName'] } } } },
    )
    expect(read(of, { userName: 'a@b.c' }, { idp: 'onelogin' }).view.profile).toEqual({ email: 'a@b.c' })
    expect(read(of, { userName: 'a@b.c' }, { idp: 'okta' }).problems).toHaveLength(1)
  })

  test('values take the type of their field', () => {
    expect(oneField({ source: 'title', type: 'number' }, { title: '12.5' }).view.profile.x).toBe(12.5)
    expect(oneField({ source: 'title', type: 'boolean' }, { title: 'True' }).view.profile.x).toBe(true)
    expect(oneField({ source: 'active', type: 'boolean' }, { active: true }).view.profile.x).toBe(true)
  })
})

describe('what is refused, in words for the log of an identity provider', () => {
  test.each<[string, object, JsonObject, string, string]>([
    [
      'a missing value',
      { source: 'displayName', required: true },
      {},
      'displayName is required and has no value (field "x")',
      'missing-required-attribute',
    ],
    [
      'a missing value with fallbacks',
      { source: 'displayName', required: true, fallback: ['title'] },
      {},
      'displayName is required and has no value, and title has none either (field "x")',
      'missing-required-attribute',
    ],
    [
      'a value that is too long, counted in characters',
      { source: 'title', maxLength: 3 },
      { title: '😀😀😀😀' },
      'title has 4 characters; at most 3 are taken (field "x")',
      'value-too-long',
    ],
    [
      'a value outside the list',
      { source: 'title', values: ['A', 'B'] },
      { title: 'secret' },
      'title must be one of A, B (field "x")',
      'value-not-allowed',
    ],
    [
      'a value of another type',
      { source: 'title', type: 'number' },
      { title: 'x' },
      'title must be a number (field "x")',
      'invalid-value',
    ],
  ])('%s', (_, field, resource, message, help) => {
    const { problems } = oneField(field, resource)
    expect(problems).toEqual([{ field: 'x', message, rule: expect.any(String), help }])
  })

  test('the rule of a problem says nothing of the value', () => {
    const rules = ['😀😀😀😀', '5 and more'].map(title => {
      const { problems } = oneField({ source: 'title', maxLength: 3 }, { title })
      return problems.map(({ rule }) => rule)
    })
    const rule = 'title has more than 3 characters (field "x")'
    expect(rules).toEqual([[rule], [rule]])
  })

  test('a value at its limit is taken', () => {
    expect(oneField({ source: 'title', maxLength: 3 }, { title: '😀😀😀' }).problems).toEqual([])
  })

  test('an attribute without case is compared without, and has the spelling of the list', () => {
    expect(oneField({ source: 'title', values: ['Admin'] }, { title: 'ADMIN' }).view.profile.x).toBe('Admin')
  })
})

describe('role', () => {
  const role = { source: 'roles[primary eq true].value', values: ['OWNER', 'STANDARD'], default: 'STANDARD' }

  test('comes from its source, else it is the default', () => {
    expect(read(profile({ role }), { roles: [{ value: 'OWNER', primary: true }] }).view.role).toBe('OWNER')
    expect(read(profile({ role }), { roles: [{ value: 'OWNER' }] }).view.role).toBe('STANDARD')
  })

  test('outside its values it is refused', () => {
    const { problems } = read(profile({ role }), { roles: [{ value: 'ROOT', primary: true }] })
    expect(problems[0]?.message).toBe(
      'roles[primary eq true].value must be one of OWNER, STANDARD (field "role")',
    )
  })

  test('may come from a field, which a mapping may replace', () => {
    const of = profile({ fields: [{ field: 'level', source: 'title' }], role: { source: 'level' } })
    const on = mapping({ fields: [{ field: 'level', source: 'userType' }] })
    expect(read(of, { title: 'T', userType: 'U' }).view.role).toBe('T')
    expect(read(of, { title: 'T', userType: 'U' }, { on }).view.role).toBe('U')
  })
})

describe('target group', () => {
  const fallback = '0190a000-0000-7000-8000-000000000001'
  const of = profile({ fields: [{ field: 'team', source: 'title' }] })

  test.each<[string, object, JsonObject, unknown]>([
    ['no rule and no group: single users', {}, { title: 'T' }, null],
    ["a group without a rule is everybody's", { targetGroup: fallback }, { title: 'T' }, { id: fallback }],
    ['a rule by path', { groupBy: { source: 'title' } }, { title: ' T ' }, { name: 'T' }],
    ['a rule by field', { groupBy: { source: 'team' } }, { title: 'T' }, { name: 'T' }],
    [
      'who has no value is in the fallback',
      { groupBy: { source: 'title' }, targetGroup: fallback },
      {},
      { id: fallback },
    ],
    ['who has no value and no fallback is single', { groupBy: { source: 'title' } }, {}, null],
  ])('%s', (_, document, resource, expected) => {
    expect(read(of, resource, { on: mapping(document) }).view.targetGroup).toEqual(expected)
  })
})

test.each(shippedNames)('the shipped profile %s reads a full user without a problem', name => {
  const shipped = shippedProfile(name)
  if (!shipped) throw new Error('It does not ship.')
  const resource = {
    userName: 'ada@a.test',
    externalId: '1',
    displayName: 'Ada',
    name: { givenName: 'Ada', familyName: 'L' },
    emails: [{ value: 'ada@a.test', type: 'work', primary: true }],
    active: true,
  }
  const { problems, view } = read(shipped, resource)
  expect(problems).toEqual([])
  expect(view.profile.email).toBe('ada@a.test')
})
