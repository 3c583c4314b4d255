// Which attributes an answer shows.
import { describe, expect, test } from 'vitest'
import type { JsonObject } from '../../src/scim/json'
import { represent } from '../../src/scim/representation'
import { project, readProjection, wants } from '../../src/scim/returned'
import { barbara, compat, ENTERPRISE, expectRefusal, group, STAFF, staffUser, strict, USER } from './requests'

const full = represent(
  {
    id: '1',
    resource: {
      ...barbara,
      [STAFF]: { site: 'x', pin: '1234', shoe: '42', rank: 'high', card: { serial: '1', colour: 'red' } },
    },
    created: 0,
    lastModified: 0,
    version: 'v',
    memberships: [{ value: 'g', display: 'G' }],
  },
  staffUser,
  'https://x',
)

type Names = string | readonly string[] | undefined

function shown(attributes: Names, excluded?: Names): JsonObject {
  return project(full, readProjection(attributes, excluded, staffUser, compat()), staffUser)
}

function keys(attributes: Names, excluded?: Names): string[] {
  return Object.keys(shown(attributes, excluded))
}

/** RFC-44: what is always shown, of an extension too. */
const always = ['schemas', 'id']

describe('by default', () => {
  test('RFC-46 everything but never (RFC-45) and request (RFC-47)', () => {
    const { [STAFF]: staff, ...rest } = shown(undefined)
    const { [STAFF]: _, ...expected } = full
    expect(rest).toEqual(expected)
    expect(staff).toEqual({ site: 'x', rank: 'high', card: { serial: '1', colour: 'red' } })
    expect(Object.keys(shown(undefined))).toEqual(Object.keys(full))
  })

  test('RFC-19 a list that is empty stays as it is', () => {
    expect(project({ id: '1', members: [] }, {}, group)).toEqual({ id: '1', members: [] })
  })

  test('an empty list of names is none', () => {
    for (const none of ['', ' , ', []]) expect(shown(none, none)).toEqual(shown(undefined))
  })
})

describe('attributes', () => {
  test('RFC-44 RFC-82 the named ones and the minimum', () => {
    expect(shown('userName')).toEqual({
      schemas: full.schemas,
      id: '1',
      userName: 'bjensen@example.com',
      [STAFF]: { rank: 'high' },
    })
    expect(keys('meta')).toEqual([...always, STAFF, 'meta'])
  })

  test('RFC-85 in any case, with white space, in several lists', () => {
    expect(keys(' USERNAME , emails.VALUE')).toEqual([...always, 'userName', 'emails', STAFF])
    expect(keys(['userName', 'title,active'])).toEqual([...always, 'userName', 'title', 'active', STAFF])
  })

  test('RFC-82 sub-attributes', () => {
    expect(shown('emails.value').emails).toEqual([
      { value: 'bjensen@example.com' },
      { value: 'babs@jensen.org' },
    ])
    expect(shown('emails.primary').emails).toEqual([{ primary: true }])
    expect(shown('name.familyName,name.givenName').name).toEqual({
      familyName: 'Jensen',
      givenName: 'Barbara',
    })
    expect(shown('name,name.givenName').name).toEqual(full.name)
    expect(shown('meta.version').meta).toEqual({ version: 'W/"v"' })
    expect(keys('emails.display')).toEqual([...always, STAFF])
  })

  test('RFC-85 qualified names, and an extension alone', () => {
    expect(keys(`${USER}:userName`)).toEqual([...always, 'userName', STAFF])
    expect(shown(`${ENTERPRISE}:department`)[ENTERPRISE]).toEqual({ department: 'Tours' })
    expect(shown(ENTERPRISE.toUpperCase())[ENTERPRISE]).toEqual(full[ENTERPRISE])
    expect(shown('department')[ENTERPRISE]).toEqual({ department: 'Tours' })
    expect(shown(`${STAFF}:card.colour`)[STAFF]).toEqual({ rank: 'high', card: { colour: 'red' } })
    expect(keys(USER)).toEqual([
      ...always,
      'userName',
      'name',
      'displayName',
      'title',
      'active',
      'emails',
      'groups',
      STAFF,
    ])
  })

  test('RFC-85 unknown names select nothing', () => {
    expect(keys('shoe.x,__proto__,urn:x:y')).toEqual([...always, STAFF])
    expect(keys('department', undefined)).toContain(ENTERPRISE)
    const projection = readProjection('department', undefined, staffUser, strict())
    expect(Object.keys(project(full, projection, staffUser))).toEqual([...always, STAFF])
  })

  test('RFC-47 request is shown when it is named itself; RFC-45 RFC-43 never, never', () => {
    expect(shown(`${STAFF}:shoe,${STAFF}:pin`)[STAFF]).toEqual({ shoe: '42', rank: 'high' })
    expect(shown(STAFF)[STAFF]).toEqual({ site: 'x', rank: 'high', card: { serial: '1', colour: 'red' } })
  })
})

describe('excludedAttributes', () => {
  test('RFC-83 all but the named ones', () => {
    const { title: _, groups: __, ...rest } = shown(undefined)
    expect(shown(undefined, 'TITLE,groups')).toEqual(rest)
    expect(shown(undefined, 'emails.value').emails).toEqual([
      { type: 'work', primary: true },
      { type: 'home' },
    ])
    expect(keys(undefined, 'meta')).not.toContain('meta')
  })

  test('RFC-44 RFC-83 not what is always shown', () => {
    expect(shown(undefined, `id,schemas,${STAFF}:rank`)).toEqual(shown(undefined))
    expect(shown(undefined, STAFF)[STAFF]).toEqual({ rank: 'high' })
  })

  test('RFC-85 an extension, whole or in part', () => {
    expect(keys(undefined, ENTERPRISE)).not.toContain(ENTERPRISE)
    expect(shown(undefined, `${ENTERPRISE}:department`)[ENTERPRISE]).toEqual({ employeeNumber: '701984' })
    expect(keys(undefined, `${ENTERPRISE}:department,${ENTERPRISE}:employeeNumber`)).not.toContain(ENTERPRISE)
  })

  test('RFC-47 nothing is shown for not being excluded', () => {
    expect(shown(undefined, 'title')[STAFF]).not.toHaveProperty('shoe')
    expect(shown(undefined, 'title')[STAFF]).not.toHaveProperty('pin')
  })
})

test('RFC-84 not both', () => {
  for (const interop of [compat(), strict()])
    expectRefusal(() => readProjection('id', 'title', staffUser, interop), 'invalidValue', 'not both')
})

test('RFC-86 what storage need not load', () => {
  const wanted = (attributes?: string, excluded?: string) =>
    wants(readProjection(attributes, excluded, group, compat()), 'members')
  expect(wanted()).toBe(true)
  expect(wanted(undefined, 'members')).toBe(false)
  expect(wanted(undefined, 'MEMBERS')).toBe(false)
  expect(wanted(undefined, 'members.display')).toBe(true)
  expect(wanted('displayName')).toBe(false)
  expect(wanted('id')).toBe(false)
  expect(wanted('members')).toBe(true)
  expect(wanted('members.value')).toBe(true)
})
