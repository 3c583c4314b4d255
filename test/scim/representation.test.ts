// What a client sees of a stored resource.
import { describe, expect, test } from 'vitest'
import type { JsonObject } from '../../src/scim/json'
import { etag, location, represent, type Stored } from '../../src/scim/representation'
import { barbara, ENTERPRISE, GROUP, group, STAFF, staffUser, USER, user } from './requests'

const base = 'https://scim.example.com/t/acme/scim/v2'
const stored: Stored = {
  id: '2819c223',
  resource: barbara,
  created: Date.parse('2026-11-21T20:00:00.123Z'),
  lastModified: Date.parse('2026-11-22T00:00:00Z'),
  version: 'a330bc54',
}

test('RFC-33, RFC-35, RFC-36, RFC-37 meta', () => {
  expect(represent(stored, user, base).meta).toEqual({
    resourceType: 'User',
    created: '2026-11-21T20:00:00.123Z',
    lastModified: '2026-11-22T00:00:00.000Z',
    location: 'https://scim.example.com/t/acme/scim/v2/Users/2819c223',
    version: 'W/"a330bc54"',
  })
  expect(etag('v')).toBe('W/"v"')
  expect(location(base, group, 'a/b')).toBe(`${base}/Groups/a%2Fb`)
})

test('the keys come in the order of the schemas, meta last', () => {
  const turned = { ...stored, resource: Object.fromEntries(Object.entries(barbara).reverse()) }
  expect(Object.keys(represent(turned, user, base))).toEqual([
    'schemas',
    'id',
    'externalId',
    'userName',
    'name',
    'displayName',
    'title',
    'active',
    'emails',
    ENTERPRISE,
    'meta',
  ])
})

test('RFC-25, RFC-142 schemas lists the extensions that have data', () => {
  expect(represent(stored, staffUser, base).schemas).toEqual([USER, ENTERPRISE])
  const both = { ...stored, resource: { ...barbara, [STAFF]: { site: 'x' } } }
  expect(represent(both, staffUser, base).schemas).toEqual([USER, ENTERPRISE, STAFF])
  expect(represent({ ...stored, resource: { userName: 'a' } }, staffUser, base).schemas).toEqual([USER])
})

test('RFC-62 groups are shown when they were asked for and there are any', () => {
  const groups = [{ value: 'g', display: 'G', type: 'direct' }]
  expect(represent({ ...stored, memberships: groups }, user, base).groups).toEqual(groups)
  expect('groups' in represent({ ...stored, memberships: [] }, user, base)).toBe(false)
  expect('groups' in represent(stored, user, base)).toBe(false)
})

test('RFC-20 nothing that is unassigned, nothing that no schema has, no members', () => {
  const resource = {
    displayName: 'd',
    members: undefined as never,
    leftover: 1,
    [ENTERPRISE]: { department: 'x' },
  }
  const shown = represent({ ...stored, resource }, group, base)
  expect(Object.keys(shown)).toEqual(['schemas', 'id', 'displayName', 'meta'])
  expect(shown.schemas).toEqual([GROUP])
})

describe('who is referred to', () => {
  const path = `${ENTERPRISE}:manager`
  const reporting = { ...stored, resource: { ...barbara, [ENTERPRISE]: { manager: { value: '26' } } } }
  const managerOf = (one: Stored) => (represent(one, user, base)[ENTERPRISE] as JsonObject).manager

  test('RFC-68 is shown by URI and name, in the order of the schema', () => {
    const shown = managerOf({ ...reporting, referred: { [path]: { displayName: 'Boss' } } })
    expect(Object.entries(shown as JsonObject)).toEqual([
      ['value', '26'],
      ['$ref', `${base}/Users/26`],
      ['displayName', 'Boss'],
    ])
    const nameless = { ...reporting, referred: { [path]: { displayName: null } } }
    expect(managerOf(nameless)).toEqual({ value: '26', $ref: `${base}/Users/26` })
  })

  test('RFC-11 RFC-68 is an id alone where there is no such resource, or nobody has asked', () => {
    expect(managerOf(reporting)).toEqual({ value: '26' })
    expect(managerOf({ ...reporting, referred: { [path]: null } })).toEqual({ value: '26' })
  })
})
