// The comparable form: the same for memory and SQL.
import { describe, expect, test } from 'vitest'
import { attribute } from '../../src/scim/attribute'
import { comparable, comparableDocument, compareText, fold, parseDateTime } from '../../src/scim/comparable'
import { badgedUserType, badgeSchema, randomUser, seeded, userType } from './generate'

const enterprise = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'

function sqliteLower(text: string): string {
  return text.replace(/[A-Z]/g, letter => String.fromCharCode(letter.charCodeAt(0) + 32))
}

describe('fold', () => {
  test.each([
    ['Ann', 'aNN'],
    ['ÖÉ', 'öé'],
    ['é', 'e\u0301'],
    ['É', 'E\u0301'],
    ['ＡＢ１＠', 'ab1@'],
    ['ΟΔΟΣ', 'οδος'],
    ['ΟΔΟΣ', 'οδοσ'],
    ['\u212a', 'k'],
    ['a\u3000b', 'A B'],
  ])('RFC-52 RFC-218 %s and %s are the same', (a, b) => {
    expect(fold(a)).toBe(fold(b))
  })

  test.each([
    ['ss', 'ß'],
    ['а', 'a'],
    ['é', 'e'],
    ['ﬁ', 'fi'],
  ])('RFC-218 %s and %s are not', (a, b) => {
    expect(fold(a)).not.toBe(fold(b))
  })

  test('is final for every character: folding again, or lower() in SQLite, changes nothing', () => {
    const wrong: string[] = []
    for (let code = 1; code <= 0x1ffff; code++) {
      if (code >= 0xd800 && code <= 0xdfff) continue
      for (const text of [String.fromCodePoint(code), `A${String.fromCodePoint(code)}`]) {
        const folded = fold(text)
        if (fold(folded) !== folded || sqliteLower(folded) !== folded) wrong.push(code.toString(16))
      }
    }
    expect(wrong).toEqual([])
  })
})

describe('parseDateTime', () => {
  test.each([
    ['2011-05-13T04:42:34Z', 1305261754000],
    ['2011-05-13T06:42:34+02:00', 1305261754000],
    ['2011-05-13T04:42:34', 1305261754000],
    ['2011-05-13T04:42:34.5Z', 1305261754500],
    ['2011-05-13T04:42:34.123456789Z', 1305261754123],
    ['2024-02-29T00:00:00Z', 1709164800000],
    ['1969-12-31T23:59:59Z', -1000],
  ])('RFC-8 %s is %d', (text, expected) => {
    expect(parseDateTime(text)).toBe(expected)
  })

  test.each([
    '',
    'yesterday',
    '2011-05-13',
    '2011-05-13 04:42:34Z',
    '2011-05-13t04:42:34z',
    '2011-05-13T04:42Z',
    '2011-05-13T04:42:34.Z',
    '2011-02-30T00:00:00Z',
    '2023-02-29T00:00:00Z',
    '1900-02-29T00:00:00Z',
    '2011-04-31T00:00:00Z',
    '2011-13-01T00:00:00Z',
    '2011-00-01T00:00:00Z',
    '2011-05-13T25:00:00Z',
    '2011-05-13T04:60:00Z',
    'May 13 2011',
    '2011-05-13T04:42:34+0200',
    ' 2011-05-13T04:42:34Z',
  ])('RFC-8 %j is no dateTime', text => {
    expect(parseDateTime(text)).toBeUndefined()
  })
})

test('RFC-40 RFC-9 RFC-10 comparable folds text unless caseExact, never binary or references', () => {
  expect(comparable(attribute('a', ''), 'Ann')).toBe('ann')
  expect(comparable(attribute('a', '', { caseExact: true }), 'Ann')).toBe('Ann')
  expect(comparable(attribute('a', '', { type: 'binary' }), 'AQID')).toBe('AQID')
  expect(comparable(attribute('a', '', { type: 'reference' }), '/Users/A')).toBe('/Users/A')
  expect(comparable(attribute('a', '', { type: 'dateTime' }), '1970-01-01T00:00:01Z')).toBe(1000)
  expect(comparable(attribute('a', '', { type: 'dateTime' }), 'never')).toBeUndefined()
  expect(comparable(attribute('a', ''), { value: 'x' })).toBeUndefined()
  expect(comparable(attribute('a', ''), null)).toBeUndefined()
})

test('RFC-111 compareText orders by code point, as UTF-8 bytes do', () => {
  const texts = ['', 'a', 'ab', 'b', 'é', '\u0fff', '\ud7ff', '\ue000', '\uffee', '😀', '😀a', '\u{10ffff}']
  const byBytes = (a: string, b: string) => Math.sign(Buffer.compare(Buffer.from(a), Buffer.from(b)))
  for (const a of texts)
    for (const b of texts) expect([a, b, Math.sign(compareText(a, b))]).toEqual([a, b, byBytes(a, b)])
})

describe('comparableDocument', () => {
  const type = badgedUserType

  test('is not needed for ASCII without dateTimes', () => {
    const document = {
      userName: 'Ann@Example.com',
      emails: [{ value: 'ANN@example.com', primary: true }],
      name: { givenName: 'Ann' },
      [badgeSchema.id]: { level: 3, codes: ['Ö'], code: 'Straße', contractor: false },
    }
    expect(comparableDocument(document, type)).toBeUndefined()
  })

  test.each([
    [{ userName: 'ANN', nickName: 'ö' }, undefined],
    [
      { userName: 'ANN', nickName: 'Ö' },
      { userName: 'ann', nickName: 'ö' },
    ],
    [{ name: { givenName: 'Zoë', familyName: 'ŻAK' } }, { name: { givenName: 'zoë', familyName: 'żak' } }],
    [
      { emails: [{ value: 'A@x' }, { value: 'Ö@x', primary: true }] },
      { emails: [{ value: 'a@x' }, { value: 'ö@x', primary: true }] },
    ],
    [
      { [enterprise]: { department: 'E\u0301', manager: { value: 'ID', displayName: 'BOSS' } } },
      { [enterprise]: { department: 'é', manager: { value: 'ID', displayName: 'boss' } } },
    ],
    [
      { [badgeSchema.id]: { tags: ['X', 'Ö'], codes: ['X', 'Ö'] } },
      { [badgeSchema.id]: { tags: ['x', 'ö'], codes: ['X', 'Ö'] } },
    ],
    [
      { externalId: 'X', [badgeSchema.id]: { hired: '1970-01-01T00:00:01Z', code: 'É' } },
      { externalId: 'X', [badgeSchema.id]: { hired: 1000, code: 'É' } },
    ],
    [{ meta: { created: '1970-01-01T00:00:01+00:00' } }, { meta: { created: 1000 } }],
  ])('RFC-98 %j becomes %j', (document, expected) => {
    expect(comparableDocument(document, type)).toEqual(expected)
  })

  test('an extension that the type no longer has, and what no schema defines, is left out', () => {
    const document = { userName: 'Ö', shoe: 'X', [badgeSchema.id]: { tags: ['Ö'] } }
    expect(comparableDocument(document, userType())).toEqual({ userName: 'ö' })
  })

  test('RFC-224 a key that no schema has is never written', () => {
    const document = JSON.parse('{"userName":"Ö","__proto__":{"polluted":true},"constructor":"x"}')
    const result = comparableDocument(document, type)
    expect(Object.keys(result ?? {})).toEqual(['userName'])
    expect(({} as Record<string, unknown>).polluted).toBeUndefined()
  })

  test('either form read with lower() gives the comparable values, for generated users', () => {
    const random = seeded(7)
    let needed = 0
    for (let i = 0; i < 300; i++) {
      const user = randomUser(random)
      const { meta: _, ...document } = user
      const result = comparableDocument(document, type)
      if (result) needed++
      const read = JSON.stringify((result ?? document).nickName ?? null)
      expect(sqliteLower(read)).toBe(JSON.stringify(comparable(attribute('n', ''), user.nickName) ?? null))
    }
    expect(needed).toBeGreaterThan(50)
    expect(needed).toBeLessThan(300)
  })
})
