// What is wrong with a profile or a mapping is said with its JSON path; nothing else is refused.
import { describe, expect, test } from 'vitest'
import { checkMapping, checkProfile } from '../../src/mapping/check'
import { mappingDocument, mappingOf, profileDocument, profileOf } from '../../src/mapping/profile-document'
import { readableMapping, readableProfile } from '../../src/mapping/readable-document'
import { shippedNames, shippedProfile } from '../../src/mapping/shipped-profiles'
import type { Json } from '../../src/scim/json'
import { userType } from './user-type'

const enterprise = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'
const ofProfile = (document: object) =>
  checkProfile(profileOf(profileDocument.parse({ name: 'test', ...document }), 1), userType)
const field = (more: object) => ({ user: { fields: [{ field: 'x', source: 'title', ...more }] } })

describe('a profile', () => {
  test.each<[string, object, string, RegExp]>([
    ['unknown path', field({ source: 'nosuch' }), 'user.fields[0].source', /no path of User/],
    [
      'unknown path below an extension',
      field({ source: `${enterprise}:departmnt` }),
      'user.fields[0].source',
      /expected an attribute of urn:\S+:enterprise:2\.0:User, such as .*department/,
    ],
    ['broken filter', field({ source: 'emails[type eq].value' }), 'user.fields[0].source', /no path of User/],
    ['unknown fallback', field({ fallback: ['nosuch'] }), 'user.fields[0].fallback[0]', /no path of User/],
    [
      'complex attribute without a value',
      field({ source: 'name' }),
      'user.fields[0].source',
      /sub-attribute of name/,
    ],
    ['what no client provisions', field({ source: 'id' }), 'user.fields[0].source', /not part/],
    ['derived memberships', field({ source: 'groups.display' }), 'user.fields[0].source', /not part/],
    [
      'default outside the values',
      field({ values: ['A'], default: 'B' }),
      'user.fields[0].default',
      /one of.*A/,
    ],
    ['default of another type', field({ type: 'number', default: 'B' }), 'user.fields[0].default', /number/],
    [
      'default that is too long',
      field({ maxLength: 1, default: 'BB' }),
      'user.fields[0].default',
      /more than 1/,
    ],
    ['length of a number', field({ type: 'number', maxLength: 1 }), 'user.fields[0].maxLength', /string/],
    [
      'role default outside its values',
      { user: { role: { source: 'title', values: ['A'], default: 'B' } } },
      'user.role.default',
      /A/,
    ],
    [
      'privileged role outside its values',
      { user: { role: { source: 'title', values: ['A'], privileged: ['B'] } } },
      'user.role.privileged[0]',
      /A/,
    ],
    ['unknown source of a role', { user: { role: { source: 'nosuch' } } }, 'user.role.source', /no path/],
    [
      'default page above the maximum',
      { paging: { defaultCount: 50, maxCount: 10 } },
      'paging.defaultCount',
      /maxCount/,
    ],
    [
      'fallback of no field',
      { idps: { okta: { fallback: { y: ['title'] } } } },
      'idps.okta.fallback.y',
      /no field/,
    ],
    [
      'fallback with an unknown path',
      { ...field({}), idps: { okta: { fallback: { x: ['nosuch'] } } } },
      'idps.okta.fallback.x[0]',
      /no path/,
    ],
  ])('%s', (_, document, path, message) => {
    const problems = ofProfile(document)
    expect(problems.map(problem => problem.path)).toEqual([path])
    expect(problems[0]?.message).toMatch(message)
  })

  test.each(['x', 'X'])('a field that is given twice, as %s', name => {
    const fields = [
      { field: 'x', source: 'title' },
      { field: name, source: 'userType' },
    ]
    expect(ofProfile({ user: { fields } })).toEqual([
      {
        path: 'user.fields[1].field',
        message: `${name} is given twice; case tells no field from another`,
      },
    ])
  })

  test.each(shippedNames)('%s, which ships, has no problem', name => {
    const shipped = shippedProfile(name)
    expect(shipped && checkProfile(shipped, { ...userType })).toEqual([])
  })
})

describe('a mapping', () => {
  const profile = profileOf(
    profileDocument.parse({
      name: 'test',
      user: {
        fields: [
          { field: 'mail', source: 'emails.value' },
          { field: 'team', source: 'title' },
        ],
      },
      idps: { onelogin: { fallback: { team: ['emails.value'] } } },
    }),
    1,
  )
  const ofMapping = (document: object, groups: string[] = [], idp = 'entra') =>
    checkMapping(mappingOf(mappingDocument.parse(document)), profile, idp, userType, groups)

  test.each<[string, object, string]>([
    ['unknown path', { fields: [{ field: 'x', source: 'nosuch' }] }, 'fields[0].source'],
    ['group-by over several values', { groupBy: { source: 'emails.value' } }, 'groupBy.source'],
    ['group-by on a field over several values', { groupBy: { source: 'mail' } }, 'groupBy.source'],
    ['group-by on an unknown path', { groupBy: { source: 'nosuch' } }, 'groupBy.source'],
    ['unknown target group', { targetGroup: 'none' }, 'targetGroup'],
    [
      "field of the profile's in another case",
      { fields: [{ field: 'Mail', source: 'userName' }] },
      'fields[0].field',
    ],
  ])('%s', (_, document, path) => {
    expect(ofMapping(document).map(problem => problem.path)).toEqual([path])
  })

  test('group-by on a field that may take one of several values on connections of one kind only', () => {
    const mapping = { groupBy: { source: 'team' } }
    expect(ofMapping(mapping)).toEqual([])
    expect(ofMapping(mapping, [], 'onelogin').map(({ path }) => path)).toEqual(['groupBy.source'])
  })

  test('one element, selected, is one value', () => {
    expect(ofMapping({ groupBy: { source: 'addresses[type eq "work"].locality' } })).toEqual([])
  })

  test('a target group of the tenant is taken', () => {
    expect(ofMapping({ targetGroup: 'g' }, ['g'])).toEqual([])
  })
})

describe('of a document that has not its form everywhere', () => {
  const ofReadable = (document: Json) => checkProfile(readableProfile(document), userType)
  const pathsOf = (document: Json) => ofReadable(document).map(({ path }) => path)
  const good = { field: 'x', source: 'title' }
  const misspelt = { field: 'level', source: 'title', requird: true }
  const unknown = { field: 'y', source: 'nosuch' }

  test.each<[string, Json, string[]]>([
    ['of the next field', { user: { fields: [misspelt, unknown] } }, ['user.fields[1].source']],
    ['where the role has no form', { user: { fields: [unknown], role: 1 } }, ['user.fields[0].source']],
    ['of a role', { user: { fields: [good], role: { source: 'a.b' }, x: 1 } }, ['user.role.source']],
    [
      'of a fallback',
      { user: { fields: [misspelt] }, paging: 1, idps: { okta: { fallback: { y: ['nosuch'] } }, entra: 1 } },
      ['idps.okta.fallback.y[0]'],
    ],
    [
      'of a fallback of no field',
      { paging: 1, idps: { okta: { fallback: { y: [] } } } },
      ['idps.okta.fallback.y'],
    ],
    ['of page sizes', { x: 1, paging: { defaultCount: 50, maxCount: 10 } }, ['paging.defaultCount']],
  ])('what is wrong is said %s', (_, document, paths) => {
    expect(pathsOf(document)).toEqual(paths)
  })

  const role = { source: 'level' }
  test.each<[string, Json]>([
    ['the field of a role', { user: { fields: [misspelt], role } }],
    ['the key of the fields', { user: { feilds: [], role } }],
    ['the key of the user', { usr: {}, idps: { okta: { fallback: { level: ['title'] } } } }],
    ['fields that are no list', { user: { fields: null, role } }],
    ['the type of a default', { user: { fields: [{ ...good, tpye: 'number', default: 5 }] } }],
    ['a page size', { paging: { defualtCount: 5, maxCount: 10 } }],
    [
      'the field of a fallback',
      { user: { fields: [misspelt] }, idps: { okta: { fallback: { level: ['title'] } } } },
    ],
    ['everything', { user: null, paging: null, idps: [], name: 5 }],
  ])('nothing is said that may only come of %s', (_, document) => {
    expect(pathsOf(document)).toEqual([])
  })

  test('what may have asked for open extensions is read so', () => {
    const read = (user: Json) => readableProfile({ user }).user.customAttributes
    expect([{ customAttributes: 1 }, { custom: 'enterprise' }].map(read)).toEqual([
      'enterprise',
      'enterprise',
    ])
    expect([{}, { customAttributes: 'declared', x: 1 }].map(read)).toEqual(['declared', 'declared'])
  })

  test('of a mapping the same', () => {
    const profile = profileOf(profileDocument.parse({ name: 'test' }), 1)
    const of = (document: Json) =>
      checkMapping(readableMapping(document), profile, 'entra', userType, []).map(({ path }) => path)
    const groupBy = { source: 'level' }
    expect(of({ x: 1, fields: [misspelt, unknown], targetGroup: 'none', groupBy })).toEqual([
      'fields[1].source',
      'targetGroup',
    ])
    expect(of({ x: 1, fields: [good], groupBy })).toEqual(['groupBy.source'])
    expect(of({ groupBy, targetGroup: 5 })).toEqual(['groupBy.source'])
    expect(of({ feilds: [], groupBy })).toEqual([])
    expect(of({ fields: 5, groupBy: 5 })).toEqual([])
  })
})
