// What an IT admin is told to send, and the resource that stands for it: rows, rules, and paths that cannot be filled.
import { describe, expect, test } from 'vitest'
import { exampleResource } from '../../src/mapping/example-resource'
import { expectedAttributes } from '../../src/mapping/expected-attributes'
import { noMapping } from '../../src/mapping/profile'
import { mappingDocument, mappingOf, profileDocument, profileOf } from '../../src/mapping/profile-document'
import { shippedNames, shippedProfile } from '../../src/mapping/shipped-profiles'
import { readSource } from '../../src/mapping/source'
import { userType } from './user-type'

const profile = (user: object, more: object = {}) =>
  profileOf(profileDocument.parse({ name: 'test', user, ...more }), 1)

describe('expected attributes', () => {
  test('are the fields with their rules, after what SCIM needs', () => {
    const fields = [
      { field: 'login', source: 'USERNAME', maxLength: 9 },
      { field: 'level', source: 'userType', values: ['A', 'B'], default: 'A' },
      { field: 'since', source: 'title', type: 'dateTime', required: true },
    ]
    expect(expectedAttributes(profile({ fields }), noMapping, 'okta')).toEqual([
      { field: null, sources: ['externalId'], required: false, type: 'string' },
      { field: null, sources: ['active'], required: false, type: 'boolean' },
      { field: 'login', sources: ['USERNAME'], required: true, type: 'string', maxLength: 9 },
      {
        field: 'level',
        sources: ['userType'],
        required: false,
        type: 'string',
        values: ['A', 'B'],
        default: 'A',
      },
      { field: 'since', sources: ['title'], required: true, type: 'dateTime' },
    ])
  })

  test('have the fallbacks of the connection’s kind, and not those of others', () => {
    const fields = [{ field: 'email', source: 'emails.value', fallback: ['nickName'] }]
    const of = profile({ fields }, { idps: { onelogin: { fallback: { email: ['userName'] } } } })
    const sources = (idp: string) =>
      expectedAttributes(of, noMapping, idp).find(({ field }) => field === 'email')?.sources
    expect(sources('onelogin')).toEqual(['emails.value', 'nickName', 'userName'])
    expect(sources('okta')).toEqual(['emails.value', 'nickName'])
  })

  test('name the attribute of the role and of the target group, directly or by a field', () => {
    const user = { fields: [{ field: 'kind', source: 'userType' }], role: { source: 'kind', values: ['A'] } }
    const mapped = (source: string) => mappingOf(mappingDocument.parse({ groupBy: { source } }))
    const last = (source: string) => expectedAttributes(profile(user), mapped(source), undefined).slice(-2)
    expect(last('department')).toMatchObject([
      { field: 'role', sources: ['userType'], values: ['A'] },
      { field: 'target group', sources: ['department'] },
    ])
    expect(last('kind')).toMatchObject([{ field: 'kind' }, { field: 'role' }])
  })
})

describe('an example resource', () => {
  test.each(shippedNames)('has a text at every text of the profile %s', name => {
    const shipped = shippedProfile(name)
    if (!shipped) throw new Error(name)
    const texts = expectedAttributes(shipped, noMapping, undefined).filter(({ type }) => type === 'string')
    const paths = texts.flatMap(({ sources: [path] }) => (path === undefined ? [] : [path]))
    const whole = JSON.stringify(
      exampleResource(new Map(paths.map((path, i) => [path, `text ${i}`])), userType),
    )
    for (const i of paths.keys()) expect(whole).toContain(`"text ${i}"`)
    for (const path of paths) expect(readSource(path, userType)).not.toHaveProperty('problem')
  })

  test('leaves out what cannot hold a text, and what there is not', () => {
    const texts = new Map([
      ['active', 'x'],
      ['nobody', 'x'],
      ['meta.created', 'x'],
      ['emails[type ne "work"].value', 'x'],
      ['title', 'A title'],
    ])
    expect(exampleResource(texts, userType)).toEqual({ schemas: [userType.schema.id], title: 'A title' })
  })
})
