// What a filter says of a resource, in memory.
import { describe, expect, test } from 'vitest'
import { parseFilter, parseValuePath } from '../../src/scim/filter'
import { matches, matchesElement } from '../../src/scim/filter-match'
import { Interop } from '../../src/scim/interop'
import type { Json, JsonObject } from '../../src/scim/json'
import type { ResourceType } from '../../src/scim/schema'
import { badgedUserType, badgeSchema, groupType, randomFilter, randomUser, seeded } from './generate'
import { growth, LINEAR } from './growth'

const enterprise = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'
const badge = badgeSchema.id

const ann: JsonObject = {
  schemas: ['urn:ietf:params:scim:schemas:core:2.0:User', enterprise, badge],
  id: '2819C223',
  externalId: 'Ann-1',
  userName: 'Ann@Example.com',
  name: { givenName: 'Ann', familyName: "O'Hara" },
  displayName: 'Ann Öz',
  active: true,
  emails: [
    { value: 'ann@work.example', type: 'work', primary: true },
    { value: 'ann@home.example', type: 'home' },
    { value: 'ann@nowhere.example' },
  ],
  phoneNumbers: [{ value: '+1', type: 'work', primary: false }],
  groups: [{ value: 'G1', $ref: 'https://x/Groups/G1', display: 'Staff', type: 'direct' }],
  [enterprise]: { department: 'R&D', manager: { value: 'M1', displayName: 'Boss' } },
  [badge]: {
    level: 10,
    score: 1.5,
    hired: '2011-05-13T06:42:34+02:00',
    contractor: false,
    key: 'AQID',
    tags: ['Red', 'blue'],
    codes: ['Red'],
    counts: [1, 0],
    code: '\uffee',
  },
  meta: { resourceType: 'User', created: '2011-05-13T04:42:34Z', lastModified: '2011-05-13T04:42:34.5Z' },
}

function holds(text: string, resource: JsonObject = ann, type: ResourceType = badgedUserType): boolean {
  return matches(parseFilter(text, type, new Interop('compat')), resource)
}

/** Every filter with the answer, so that each is tested both for holding and for not. */
function both(title: string, holding: readonly string[], failing: readonly string[]): void {
  test.each([...holding.map(text => [text, true] as const), ...failing.map(text => [text, false] as const)])(
    `${title}: %s is %s`,
    (text, expected) => {
      expect(holds(text)).toBe(expected)
      expect(holds(`not (${text})`)).toBe(!expected)
    },
  )
}

describe('the only e-mail address, which has no type', () => {
  const alone = { ...ann, emails: [{ value: 'ann@nowhere.example' }] }
  const two = { ...ann, emails: [{ value: 'ann@nowhere.example' }, { value: 'ann@other.example' }] }
  const found = [
    'emails[type eq "work"].value eq "ann@nowhere.example"',
    'emails[TYPE eq "Work" and value sw "ann"]',
    'emails.type eq "work"',
  ]

  test.each(found)('%s finds it as the one for work, but neither of two', text => {
    expect([holds(text, alone), holds(`not (${text})`, alone)]).toEqual([true, false])
    expect([holds(text, two), holds(`not (${text})`, two)]).toEqual([false, true])
    expect(holds(text, { ...ann, emails: [] })).toBe(false)
  })

  test.each(['emails[type eq "home"]', 'emails[type ne "home" and type pr]', 'emails[type co "work"]'])(
    '%s does not find it',
    text => expect(holds(text, alone)).toBe(false),
  )

  test('another attribute of the same kind is not found by a type that it lacks', () => {
    expect(holds('phoneNumbers[type eq "work"]', { ...ann, phoneNumbers: [{ value: '+1' }] })).toBe(false)
  })

  test.each(found)('%s does not find it in strict mode', text => {
    expect(matches(parseFilter(text, badgedUserType, new Interop('strict')), alone)).toBe(false)
  })

  test('a filter that asks for it is noted, any other is not', () => {
    const noted = (text: string) => {
      const interop = new Interop('compat')
      parseFilter(text, badgedUserType, interop)
      return interop.used
    }
    expect(noted('emails[type eq "work"].value pr')).toEqual(['sole-type: emails.type'])
    expect(noted('emails[type eq "home"].value pr or phoneNumbers.type eq "work"')).toEqual([])
  })
})

describe('comparisons', () => {
  both(
    'RFC-98 text',
    [
      'userName eq "ANN@example.COM"',
      'USERNAME co "EXAMPLE"',
      'userName sw "ann@"',
      'userName ew ".COM"',
      'displayName ew "öZ"',
      'displayName eq "ANN O\\u0308Z"',
      'name.familyName eq "o\'hara"',
      'id eq "2819C223"',
      'externalId sw "Ann"',
      'userName gt "ann@"',
      'userName ge "ANN@EXAMPLE.COM"',
      'userName le "ann@example.com"',
      'userName lt "ann@f"',
      'userName co ""',
      'userName sw ""',
      'userName ew ""',
    ],
    [
      'userName eq "ann"',
      'userName co "%"',
      'userName sw "example"',
      'userName ew "ann"',
      'id eq "2819c223"',
      'externalId sw "ann"',
      'userName gt "ann@example.com"',
      'userName lt "ANN@EXAMPLE.COM"',
      'nickName eq "x"',
      'nickName co ""',
      'nickName eq ""',
      'userName eq ""',
    ],
  )

  both(
    'RFC-97 numbers and dateTimes',
    [
      `${badge}:level gt 9`,
      `${badge}:level eq 1e1`,
      `${badge}:score lt 2`,
      `${badge}:score ge 1.5`,
      `${badge}:level gt -5 and ${badge}:score lt 1e+2`,
      'meta.lastModified gt "2011-05-13T04:42:34Z"',
      'meta.created eq "2011-05-13T06:42:34.000+02:00"',
      'meta.created lt "2011-05-13T00:42:35-04:00"',
      `${badge}:hired eq "2011-05-13T04:42:34Z"`,
      `${badge}:hired lt "2011-05-13T06:42:34Z"`,
    ],
    [
      `${badge}:level lt 9`,
      `${badge}:level gt 10`,
      `${badge}:score eq 1`,
      'meta.lastModified le "2011-05-13T04:42:34Z"',
      `${badge}:hired gt "2011-05-13T05:00:00Z"`,
    ],
  )

  both(
    'RFC-6 booleans and binary',
    [
      'active eq true',
      'active ne false',
      `${badge}:contractor eq false`,
      'active eq "True"',
      `${badge}:key eq "AQID"`,
      `${badge}:key sw "AQ"`,
    ],
    ['active eq false', `${badge}:contractor eq true`, `${badge}:key eq "aqid"`],
  )

  both(
    'RFC-111 text is ordered by code point, not by UTF-16 unit',
    [`${badge}:code lt "😀"`, `${badge}:code gt "\ud7ff"`],
    [`${badge}:code gt "😀"`],
  )

  both(
    'RFC-99 any value of a list may satisfy it, ne too',
    [
      'emails.value eq "ANN@home.example"',
      'emails.type eq "work"',
      'emails co "nowhere"',
      'emails.type ne "work"',
      `${badge}:tags eq "red"`,
      `${badge}:tags eq "blue"`,
      `${badge}:tags ne "red"`,
      `${badge}:codes eq "Red"`,
      `${badge}:counts eq 0`,
      `${badge}:counts gt 0`,
      'schemas eq "urn:ietf:params:scim:schemas:core:2.0:User"',
      'groups.display eq "staff"',
      'groups eq "G1"',
    ],
    [
      'emails.value eq "ann@example"',
      'phoneNumbers.type ne "work"',
      `${badge}:tags eq "green"`,
      `${badge}:codes eq "red"`,
      `${badge}:codes ne "Red"`,
      `${badge}:counts gt 1`,
      'groups eq "g1"',
    ],
  )

  both(
    'ne holds when there is no value at all',
    [
      'nickName ne "x"',
      'name.middleName ne "x"',
      'ims.value ne "x"',
      'ims ne "x"',
      'phoneNumbers.display ne "x"',
      `${badge}:homepage ne "x"`,
    ],
    ['userName ne "ann@example.com"'],
  )

  both(
    'RFC-16 eq and ne of URIs of resources do not ask for the version',
    [
      'groups.$ref eq "https://x/Groups/G1"',
      'groups.$ref eq "https://x/v2/Groups/G1"',
      'groups[$ref eq "https://x/v1/Groups/G1"]',
      'groups.$ref sw "https://x/Groups"',
    ],
    [
      'groups.$ref ne "https://x/v2/Groups/G1"',
      'groups.$ref eq "https://x/v3/Groups/G1"',
      'groups.$ref eq "https://x/v2/Groups/g1"',
      'groups.$ref sw "https://x/v2/Groups"',
      'profileUrl eq "https://x/v2/ann"',
    ],
  )

  both(
    'RFC-108 extensions',
    [
      `${enterprise}:department eq "r&d"`,
      `${enterprise}:manager.value eq "M1"`,
      'manager eq "M1"',
      'manager.displayName sw "b"',
      'urn:ietf:params:scim:schemas:core:2.0:User:name.givenName eq "ann"',
    ],
    [`${enterprise}:costCenter pr`, 'manager eq "m1"', 'manager.$ref pr'],
  )
})

describe('presence', () => {
  both(
    'RFC-102 pr',
    [
      'userName pr',
      'name pr',
      'name.givenName pr',
      'emails pr',
      'emails.type pr',
      'emails.primary pr',
      'manager pr',
      `${badge}:contractor pr`,
      `${badge}:tags pr`,
      'meta pr',
      'id pr',
    ],
    [
      'nickName pr',
      'name.middleName pr',
      'ims pr',
      'ims.value pr',
      'phoneNumbers.display pr',
      'addresses pr',
    ],
  )

  both(
    'RFC-103 null',
    [
      'nickName eq null',
      'userName ne null',
      'ims eq null',
      'active ne null',
      'emails ne null',
      `${badge}:contractor ne null`,
    ],
    ['nickName ne null', 'userName eq null', 'ims ne null', 'active eq null', 'emails.value eq null'],
  )

  test.each<[Json, boolean]>([
    ['', false],
    [null, false],
    [[], false],
    [{}, false],
    [[{}], false],
    [[null, ''], false],
    [{ formatted: '' }, false],
    [{ formatted: null, givenName: [] }, false],
    ['x', true],
    [{ givenName: 'x' }, true],
    [['', 'x'], true],
    [0, true],
    [false, true],
  ])('RFC-19 RFC-102 %j is present: %s', (value, expected) => {
    expect(holds('name pr', { name: value })).toBe(expected)
    expect(holds('emails pr', { emails: value })).toBe(expected)
  })

  test('an empty text is a value to compare, though not present', () => {
    const user = { nickName: '' }
    expect(['nickName eq ""', 'nickName ne "x"', 'nickName eq null'].map(text => holds(text, user))).toEqual([
      true,
      true,
      true,
    ])
    expect(['nickName ne ""', 'nickName pr', 'nickName ne null'].map(text => holds(text, user))).toEqual([
      false,
      false,
      false,
    ])
  })

  test('false and 0 are present', () => {
    const user = { active: false, [badge]: { level: 0 } }
    expect(holds(`active pr and ${badge}:level pr and active ne null`, user)).toBe(true)
  })
})

describe('elements', () => {
  both(
    'RFC-100 one element satisfies it all',
    [
      'emails[type eq "work" and primary eq true]',
      'emails[type eq "home" and value sw "ann@home"]',
      'emails[not (type eq "work")]',
      'emails[type ne "work" and value ew "nowhere.example"]',
      'emails[type eq null]',
      'emails[type eq "work" or type eq "home"]',
      'emails[type eq "work"].value eq "ANN@work.example"',
      'emails[type eq "home"].value co "home"',
      'emails[type eq "home"].value pr',
      'emails[display ne "x"]',
      'name[givenName eq "ann" and familyName co "h"]',
      'manager[value eq "M1"]',
      `${badge}:tags[value eq "RED"]`,
      `${badge}:tags[value sw "b" and value ew "e"]`,
      `${badge}:counts[value gt -1 and value lt 1]`,
      'emails.type eq "home" and emails.primary eq true',
    ],
    [
      'emails[type eq "home" and primary eq true]',
      'emails[type eq "home"].value eq "ann@work.example"',
      'emails[type eq "home"].display pr',
      'emails[type eq "other"]',
      'emails[not (value pr)]',
      'phoneNumbers[not (type eq "work")]',
      'phoneNumbers[type ne "work"]',
      'ims[value eq "x"]',
      'ims[value ne "x"]',
      'ims[not (value pr)]',
      'name[givenName eq "ann" and familyName eq "x"]',
      `${badge}:tags[value eq "red" and value eq "blue"]`,
      'addresses[type eq null]',
    ],
  )

  both(
    'RFC-15 an element without primary is not primary',
    [
      'emails[primary eq false]',
      'emails[type eq "home" and primary eq false]',
      'emails[primary ne true]',
      'emails.primary eq false',
      'emails.primary eq true',
      'phoneNumbers[primary eq false]',
      'phoneNumbers.primary ne true',
      'ims.primary ne true',
      'emails[primary eq null]',
    ],
    [
      'emails[type eq "work" and primary eq false]',
      'emails[type eq "home" and primary ne false]',
      'phoneNumbers.primary ne false',
      'ims.primary eq false',
      'emails[type eq "home" and primary pr]',
      'phoneNumbers.primary eq null',
    ],
  )

  test('RFC-101 members of a group', () => {
    const group = {
      id: 'G',
      displayName: 'Staff',
      members: [
        { value: 'A', type: 'User' },
        { value: 'B', type: 'Group' },
      ],
    }
    const answers = (text: string) => holds(text, group, groupType())
    expect(answers('id eq "G" and members eq "A"')).toBe(true)
    expect(answers('members[value eq "B"]')).toBe(true)
    expect(answers('members.value eq "a"')).toBe(false)
    expect(answers('members[value eq "A" and type eq "Group"]')).toBe(false)
    expect(answers('displayName eq "STAFF"')).toBe(true)
  })
})

describe('logic', () => {
  both(
    'RFC-94 and, or, not',
    [
      'active eq true or nickName pr and title pr',
      'not (nickName pr)',
      'not (nickName pr or title pr) and active eq true',
      'title pr or userName pr',
      'not (not (active eq true))',
      'not (nickName eq "x")',
    ],
    [
      '(active eq true or nickName pr) and title pr',
      'title pr and userName pr',
      'not (userName pr)',
      'not (nickName pr) and not (active eq true)',
    ],
  )
})

describe('values that no attribute should have', () => {
  test('a value of another type than the attribute is no value', () => {
    const odd: JsonObject = {
      userName: 5,
      active: 'true',
      displayName: { x: 'y' },
      emails: ['ann@x', { value: 7 }, null, [{ value: 'deep@x' }]],
      name: 'Ann',
      [badge]: { level: '10', hired: 'yesterday', tags: 'alone' },
      [enterprise]: 'not an object',
    }
    for (const text of [
      'userName eq "5"',
      'userName co ""',
      'active eq true',
      'displayName co ""',
      'emails co ""',
      'name.givenName co ""',
      `${badge}:level ge 10`,
      `${badge}:hired gt "1970-01-01T00:00:00Z"`,
      `${enterprise}:department co ""`,
      'emails[value pr and type pr]',
    ])
      expect([text, holds(text, odd)]).toEqual([text, false])
    for (const text of [
      'userName ne "5"',
      'active ne true',
      `${badge}:level ne 10`,
      `${badge}:hired ne "1970-01-01T00:00:00Z"`,
      `${badge}:tags eq "alone"`,
    ])
      expect([text, holds(text, odd)]).toEqual([text, true])
  })

  test('RFC-224 what every object inherits is no value', () => {
    const type = { ...badgedUserType, schema: { ...badgedUserType.schema, id: '__proto__' } }
    expect(holds('__proto__:userName pr', {}, type)).toBe(false)
    expect(holds('displayName pr', Object.create({ displayName: 'inherited' }))).toBe(false)
  })
})

describe('matchesElement', () => {
  function element(path: string, value: Json): boolean {
    const { filter } = parseValuePath(path, badgedUserType, new Interop('compat'))
    if (!filter) throw new Error('no filter')
    return matchesElement(filter, value)
  }

  test.each<[string, Json, boolean]>([
    ['emails[type eq "work"]', { type: 'Work', value: 'x' }, true],
    ['emails[type eq "work"]', { type: 'home' }, false],
    ['emails[type eq "work"].value', { value: 'x' }, false],
    ['emails[type ne "work"]', { value: 'x' }, true],
    ['emails[type ne "work"]', { type: 'WORK' }, false],
    ['emails[type eq "work" and primary eq true]', { type: 'work', primary: true }, true],
    ['emails[primary eq false]', { type: 'work' }, true],
    ['emails[primary eq false]', { primary: true }, false],
    ['emails[not (type eq "work")]', {}, true],
    ['emails[type eq "work"]', 'work', false],
    ['emails[type eq null]', { value: 'x' }, true],
    ['photos[value eq "http://X"]', { value: 'http://x' }, false],
    [`${badge}:tags[value eq "red"]`, 'RED', true],
    [`${badge}:tags[value eq "red"]`, 'blue', false],
    [`${badge}:visits[value gt "2026-01-01T00:00:00Z"]`, { value: '2026-01-01T00:00:01+00:00' }, true],
    [`${enterprise}:manager[value eq "M1"]`, { value: 'M1' }, true],
  ])('RFC-100 %s on %j is %s', (path, value, expected) => {
    expect(element(path, value)).toBe(expected)
  })
})

describe('properties', () => {
  test('brackets around one condition mean the same as a dotted path, where both have a value', () => {
    const random = seeded(11)
    let held = 0
    for (let i = 0; i < 500; i++) {
      const user = randomUser(random)
      for (const condition of [
        'type eq "work"',
        'value co "a"',
        'value sw "x"',
        'display gt "b"',
        'primary eq true',
        'primary eq false',
        'type pr',
      ]) {
        const dotted = holds(`emails.${condition}`, user)
        expect(holds(`emails[${condition}]`, user)).toBe(dotted)
        if (dotted) held++
      }
    }
    expect(held).toBeGreaterThan(100)
  })

  test('generated filters hold of some generated users and not of others, and not () turns each answer', () => {
    const random = seeded(12)
    const answers = { true: 0, false: 0 }
    for (let i = 0; i < 2000; i++) {
      const text = randomFilter(random, badgedUserType)
      const user = randomUser(random)
      const answer = holds(text, user)
      expect(holds(`not (${text})`, user)).toBe(!answer)
      answers[`${answer}`]++
    }
    expect(answers.true).toBeGreaterThan(400)
    expect(answers.false).toBeGreaterThan(400)
  })

  test('RFC-99 ten thousand members are searched at a cost that grows no faster than their number', () => {
    const members = Array.from({ length: 10_000 }, (_, i) => ({ value: `id-${i}`, type: 'User' }))
    const among = (text: string) => parseFilter(text, groupType(), new Interop('strict'))
    expect(matches(among('members[value eq "id-9999" and type eq "user"]'), { members })).toBe(true)
    const nobody = among('members[value eq "nobody" and type eq "user"]')
    expect(growth(count => matches(nobody, { members: members.slice(0, count) }), 1_250)).toBeLessThan(LINEAR)
  })
})
