// One value against its attribute: types, coercions by tolerance, and what counts as no value.
import { describe, expect, test } from 'vitest'
import type { Attribute } from '../../src/scim/attribute'
import { findAttribute, subAttribute } from '../../src/scim/attribute'
import { MAX_VALUE_LENGTH, normaliseValue } from '../../src/scim/attribute-value'
import { MAX_ELEMENTS } from '../../src/scim/elements'
import type { Interop } from '../../src/scim/interop'
import type { Json } from '../../src/scim/json'
import type { Schema } from '../../src/scim/schema'
import { enterpriseUserSchema } from '../../src/scim/schemas/enterprise-user'
import { userSchema } from '../../src/scim/schemas/user'
import { compat, expectRefusal, staffSchema, strict } from './requests'

function named(name: string, schema: Schema = userSchema): Attribute {
  const [first = '', second] = name.split('.')
  const found = findAttribute(schema.attributes, first)
  const wanted = found && second ? subAttribute(found, second) : found
  if (!wanted) throw new Error(name)
  return wanted
}

function read(name: string, value: Json, interop: Interop = compat(), schema?: Schema): Json | undefined {
  return normaliseValue(named(name, schema), value, name, interop)
}

const staff = (name: string, value: Json, interop?: Interop) => read(name, value, interop, staffSchema)
const enterprise = (name: string, value: Json, interop?: Interop) =>
  read(name, value, interop, enterpriseUserSchema)

describe('types', () => {
  test('RFC-5 text is kept as it is sent', () => {
    expect(read('title', '  Übergrößenträger 👩‍🚀 ')).toBe('  Übergrößenträger 👩‍🚀 ')
    expectRefusal(() => read('title', 5), 'invalidValue', /^title must be a string; a number was sent\.$/)
    expectRefusal(() => read('title', true), 'invalidValue', 'title must be a string')
    expectRefusal(() => read('title', { a: 1 }), 'invalidValue', 'title must be a string; an object')
  })

  test('text has a limit', () => {
    expect(read('title', 'a'.repeat(MAX_VALUE_LENGTH))).toHaveLength(MAX_VALUE_LENGTH)
    expectRefusal(() => read('title', 'a'.repeat(MAX_VALUE_LENGTH + 1)), 'invalidValue', 'at most 65536')
  })

  test('RFC-6 booleans, quoted in any case for those who send them so', () => {
    expect(read('active', false)).toBe(false)
    for (const text of ['False', 'false', 'FALSE']) expect(read('active', text)).toBe(false)
    for (const text of ['True', 'true']) expect(read('active', text)).toBe(true)
    for (const value of ['yes', '0', ' true', 0, 1, {}])
      expectRefusal(() => read('active', value), 'invalidValue', '^active must be true or false')
    expectRefusal(() => read('active', 'yes'), 'invalidValue', 'or false; text was sent')
    expectRefusal(() => read('title', true), 'invalidValue', 'a string; true was sent')
    expectRefusal(() => read('active', 'False', strict()), 'invalidValue', 'true or false')
  })

  test('RFC-6 only boolean attributes are coerced', () => {
    expect(read('title', 'False')).toBe('False')
  })

  test('RFC-7 integers and decimals', () => {
    expect(staff('level', 3)).toBe(3)
    expect(staff('level', 0)).toBe(0)
    for (const value of [1.5, '3', 2 ** 53, JSON.parse('1e999') as number])
      expectRefusal(() => staff('level', value), 'invalidValue', '^level must be an integer')
    expect(staff('score', 1.5)).toBe(1.5)
    for (const value of ['1.5', JSON.parse('1e999') as number])
      expectRefusal(() => staff('score', value), 'invalidValue', '^score must be a number')
  })

  test.each([
    '2011-05-13T04:42:34Z',
    '2011-05-13T04:42:34.123456789+05:30',
    '2011-05-13T04:42:34',
    '2024-02-29T00:00:00Z',
    '2000-02-29T00:00:00-12:00',
  ])('RFC-8 dateTime %s is kept as sent', text => {
    expect(staff('hired', text)).toBe(text)
  })

  test.each([
    '2011-05-13',
    '04:42:34Z',
    '2011-02-29T00:00:00Z',
    '1900-02-29T00:00:00Z',
    '2011-04-31T00:00:00Z',
    '2011-13-01T00:00:00Z',
    '2011-05-13T25:00:00Z',
    '2011-05-13 04:42:34Z',
    'Fri May 13 2011 04:42:34',
    ' 2011-05-13T04:42:34Z',
    '2011-05-13T04:42:34.Z',
  ])('RFC-8 dateTime %s is refused', text => {
    expectRefusal(() => staff('hired', text), 'invalidValue', '^hired must be a date and time')
  })

  test('RFC-8 a number is no dateTime', () => {
    expectRefusal(() => staff('hired', 1305261754), 'invalidValue', 'a number was sent')
  })

  test('RFC-9 binary is base64, its padding may be absent', () => {
    for (const text of ['AAAA', 'AAA=', 'AAA', 'AA==', 'AA', 'a+/9'.repeat(15_000)])
      expect(staff('key', text)).toBe(text)
    for (const text of ['A', 'AAAAA', 'AA=', 'A===', 'AA-_', 'AA\nAA', '=', `${'AAAA'.repeat(15_000)}!`])
      expectRefusal(() => staff('key', text), 'invalidValue', '^key must be base64')
  })

  test('RFC-10 a reference is text without white space', () => {
    expect(read('profileUrl', '../Users/1')).toBe('../Users/1')
    for (const text of ['https://a b', 'https://a\u0007', ' https://a'])
      expectRefusal(() => read('profileUrl', text), 'invalidValue', '^profileUrl must be a URI')
    expectRefusal(() => read('profileUrl', '', strict()), 'invalidValue', 'an empty string was sent')
  })
})

describe('no value', () => {
  test('RFC-19 null and [] are unassigned', () => {
    for (const name of ['title', 'active', 'name', 'emails']) {
      expect(read(name, null)).toBeUndefined()
      expect(read(name, [])).toBeUndefined()
      expect(read(name, null, strict())).toBeUndefined()
    }
  })

  test('RFC-21 so is "", by tolerance, and false is not', () => {
    const interop = compat()
    for (const name of ['title', 'active', 'name', 'emails']) expect(read(name, '', interop)).toBeUndefined()
    expect(interop.used).toEqual([
      'empty-string: title',
      'empty-string: active',
      'empty-string: name',
      'empty-string: emails',
    ])
    expect(read('title', '', strict())).toBe('')
    expect(read('active', false)).toBe(false)
    expect(staff('level', 0)).toBe(0)
  })

  test('an object of nothing is unassigned', () => {
    expect(read('name', {})).toBeUndefined()
    expect(read('name', { givenName: null, familyName: '' })).toBeUndefined()
  })
})

describe('complex', () => {
  test('RFC-1 sub-attribute names have the spelling of the schema, in its order', () => {
    const name = read('name', { GIVENNAME: 'B', familyname: 'J' })
    expect(name).toEqual({ familyName: 'J', givenName: 'B' })
    expect(Object.keys(Object(name))).toEqual(['familyName', 'givenName'])
  })

  test('unknown sub-attributes are ignored and noted, in strict mode refused (RFC-226)', () => {
    const interop = compat()
    expect(read('name', { givenName: 'B', nick: 'x' }, interop)).toEqual({ givenName: 'B' })
    expect(interop.used).toEqual(['unknown-attribute: name.nick'])
    expectRefusal(() => read('name', { nick: 'x' }, strict()), 'invalidSyntax', '^name\\.nick')
  })

  test('a sub-attribute twice in different case is refused', () => {
    expectRefusal(
      () => read('name', { givenName: 'B', GivenName: 'C' }),
      'invalidSyntax',
      '^name\\.GivenName',
    )
  })

  test('readOnly sub-attributes are dropped silently, and $ref: null too', () => {
    const interop = compat()
    expect(enterprise('manager', { value: '26', $ref: null, displayName: 'X' }, interop)).toEqual({
      value: '26',
    })
    expect(interop.used).toEqual([])
  })

  test('RFC-10 RFC-16 RFC-68 a manager by id or by URI, of which the id is kept', () => {
    expect(enterprise('manager', { value: '26', $ref: 'http://x/Users/27' })).toEqual({ value: '26' })
    for (const $ref of [
      'http://x/scim/v2/Users/26',
      'http://x/scim/Users/26/',
      '../Users/26',
      '/Users/26?x=1#y',
    ])
      expect(enterprise('manager', { $ref }, strict())).toEqual({ value: '26' })
    for (const $ref of ['/', '?x'])
      expectRefusal(() => enterprise('manager', { $ref }), 'invalidValue', '\\$ref must be the URI of a User')
  })

  test('RFC-68 a manager as text, in a list, and empty', () => {
    expect(enterprise('manager', '26118915')).toEqual({ value: '26118915' })
    expect(enterprise('manager', [{ $ref: 'http://x/Users/26', value: '26' }])).toEqual({ value: '26' })
    for (const empty of [
      '',
      { value: '' },
      { value: '', $ref: '' },
      [''],
      [null],
      { value: null, $ref: 'x' },
    ])
      expect(enterprise('manager', empty)).toBeUndefined()
  })

  test('strict takes none of these', () => {
    expectRefusal(() => enterprise('manager', '26', strict()), 'invalidValue', 'must be an object with value')
    expectRefusal(
      () => enterprise('manager', [{ value: '2' }], strict()),
      'invalidValue',
      'must be one value',
    )
  })

  test('a complex attribute without a value takes no text', () => {
    expectRefusal(() => read('name', 'Barbara'), 'invalidValue', 'name must be an object with formatted')
  })

  test('a list of several is no single value', () => {
    expectRefusal(() => read('title', ['a', 'b']), 'invalidValue', 'title must be one value; a list of 2')
    expect(read('title', ['a'])).toBe('a')
  })

  test('hostile keys go nowhere', () => {
    const value = JSON.parse(
      '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"givenName":"B"}',
    ) as Json
    expect(Object.keys(Object(read('name', value)))).toEqual(['givenName'])
    expect('polluted' in {}).toBe(false)
  })
})

describe('multi-valued', () => {
  test('OneLogin: one object where a list belongs is wrapped', () => {
    const interop = compat()
    expect(read('emails', { value: 'a@b.c' }, interop)).toEqual([{ value: 'a@b.c' }])
    expect(interop.used).toEqual(['single-for-many: emails'])
    expectRefusal(() => read('emails', { value: 'a@b.c' }, strict()), 'invalidValue', 'emails must be a list')
  })

  test('text stands for an element', () => {
    expect(read('emails', ['a@b.c'])).toEqual([{ value: 'a@b.c' }])
    expect(read('emails', 'a@b.c')).toEqual([{ value: 'a@b.c' }])
    expectRefusal(() => read('emails', [5]), 'invalidValue', '^emails\\[0\\] must be an object')
    expectRefusal(() => read('emails', [[{ value: 'a' }]]), 'invalidValue', '^emails\\[0\\]')
  })

  test('errors name the element and the sub-attribute', () => {
    expectRefusal(
      () => read('emails', [{ value: 'a' }, { primary: 'maybe' }]),
      'invalidValue',
      '^emails\\[1\\]\\.primary must be true or false',
    )
  })

  test('SailPoint: type and primary are not needed', () => {
    expect(read('emails', [{ value: 'a' }])).toEqual([{ value: 'a' }])
  })

  test('elements that say nothing are dropped', () => {
    expect(
      read('emails', [null, {}, '', { value: '' }, { value: '', type: 'work', primary: true }]),
    ).toBeUndefined()
    expect(read('emails', [{ value: null, display: 'x' }, { value: 'a' }])).toEqual([{ value: 'a' }])
  })

  test('RFC-18 the same value and type are one element; another type is another', () => {
    expect(
      read('emails', [
        { value: 'a', type: 'work' },
        { type: 'work', value: 'a' },
      ]),
    ).toHaveLength(1)
    expect(
      read('emails', [
        { value: 'a', type: 'work' },
        { value: 'A', type: 'WORK', display: 'x' },
      ]),
    ).toEqual([{ value: 'A', type: 'WORK', display: 'x' }])
    expect(
      read('emails', [
        { value: 'a', type: 'work' },
        { value: 'a', type: 'home' },
      ]),
    ).toHaveLength(2)
    expect(read('addresses', [{ locality: 'x' }, { locality: 'x' }, { locality: 'X' }])).toHaveLength(2)
    expect(staff('tags', ['a', 'A', 'b'])).toEqual(['a', 'b'])
  })

  test('RFC-15 several primaries are refused in strict; the same value twice is one', () => {
    const twice = { value: 'a', type: 'work', primary: true }
    const list = [twice, { value: 'b' }, { value: 'c', primary: true }]
    expectRefusal(
      () => read('emails', list, strict()),
      'invalidValue',
      '^emails may have one value with primary',
    )
    expect(read('emails', [twice, { value: 'b', primary: false }, twice], strict())).toHaveLength(2)
  })

  test('RFC-15 the last primary wins', () => {
    const interop = compat()
    const list = [{ value: 'a', primary: true }, { value: 'b' }, { value: 'c', primary: 'True' }]
    expect(read('emails', list, interop)).toEqual([
      { value: 'a', primary: false },
      { value: 'b' },
      { value: 'c', primary: true },
    ])
    expect(interop.used).toContain('several-primary: emails')
  })

  test('RFC-49 a type that nobody suggested is kept', () => {
    expect(read('emails', [{ value: 'a', type: 'boat' }])).toEqual([{ value: 'a', type: 'boat' }])
  })

  test('a list has a limit', () => {
    const list = Array.from({ length: MAX_ELEMENTS + 1 }, (_, index) => `tag ${index}`)
    expect(staff('tags', list.slice(1))).toHaveLength(MAX_ELEMENTS)
    expectRefusal(() => staff('tags', list), 'invalidValue', 'tags may have at most 1000 values')
  })
})
