// Filter text → tree, and what is refused with which words.
import { describe, expect, test } from 'vitest'
import { attribute } from '../../src/scim/attribute'
import { formatPath } from '../../src/scim/attribute-path'
import { ScimError } from '../../src/scim/error'
import {
  type Filter,
  formatFilter,
  MAX_FILTER_DEPTH,
  MAX_FILTER_LENGTH,
  MAX_FILTER_TERMS,
  parseFilter,
  parseValuePath,
} from '../../src/scim/filter'
import { Interop, type Mode } from '../../src/scim/interop'
import type { ResourceType } from '../../src/scim/schema'
import {
  badgedUserType,
  badgeSchema,
  groupType,
  randomFilter,
  seeded,
  userType,
  withExtension,
} from './generate'
import { growth, LINEAR } from './growth'

const enterprise = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'
const badge = badgeSchema.id

function parse(text: string, type: ResourceType = badgedUserType, mode: Mode = 'compat'): Filter {
  return parseFilter(text, type, new Interop(mode))
}

/** The filter read and printed: shows structure and values at once. */
function read(text: string, type: ResourceType = badgedUserType): string {
  return formatFilter(parse(text, type))
}

function refusal(action: () => unknown): ScimError {
  try {
    action()
  } catch (error) {
    if (error instanceof ScimError) return error
    throw error
  }
  throw new Error('it was accepted')
}

function refused(text: string, type: ResourceType = badgedUserType, mode: Mode = 'compat'): string {
  const error = refusal(() => parse(text, type, mode))
  expect([error.status, error.scimType]).toEqual([400, 'invalidFilter'])
  return error.detail
}

describe('structure', () => {
  test.each([
    ['title pr', 'title pr'],
    ['title pr or userType pr and active eq true', 'title pr or userType pr and active eq true'],
    ['(title pr or userType pr) and active eq true', '(title pr or userType pr) and active eq true'],
    ['title pr and (userType pr and (locale pr))', 'title pr and userType pr and locale pr'],
    ['title pr or (userType pr or locale pr)', 'title pr or userType pr or locale pr'],
    ['((title pr))', 'title pr'],
    ['not (title pr)', 'not (title pr)'],
    ['not(title pr)', 'not (title pr)'],
    ['not (title pr) and userType pr', 'not (title pr) and userType pr'],
    ['not (not (title pr or userType pr))', 'not (not (title pr or userType pr))'],
    ['emails[type eq "work"]', 'emails[type eq "work"]'],
    [
      'emails[not (type eq "work") and (primary eq true or value pr)]',
      'emails[not (type eq "work") and (primary eq true or value pr)]',
    ],
    ['emails[type eq "work"] or title pr', 'emails[type eq "work"] or title pr'],
    ['name[familyName sw "b"]', 'name[familyName sw "b"]'],
  ])('RFC-94 %s', (text, expected) => {
    expect(read(text)).toBe(expected)
  })

  test('RFC-94 and/or are flat lists, and binds tighter', () => {
    const tree = parse('title pr or userType pr and active eq true and locale pr')
    expect(tree).toMatchObject({
      kind: 'or',
      operands: [{ kind: 'present' }, { kind: 'and', operands: [{}, { kind: 'compare' }, {}] }],
    })
  })

  test.each([
    ['USERNAME EQ "x" AND Title PR Or nOt (ACTIVE Ne TRUE)', false],
    ['USERNAME EQ "x" AND Title PR Or nOt (ACTIVE Ne true)', true],
  ])('RFC-93 operators and keywords have no case, JSON literals have: %s', (text, accepted) => {
    if (accepted) expect(read(text)).toBe('userName eq "x" and title pr or not (active ne true)')
    else expect(refused(text)).toContain('found TRUE; expected true or false')
  })

  test('RFC-93 all operators', () => {
    for (const operator of ['eq', 'ne', 'co', 'sw', 'ew', 'gt', 'ge', 'lt', 'le'])
      expect(parse(`userName ${operator.toUpperCase()} "x"`)).toMatchObject({ kind: 'compare', operator })
  })

  test('a keyword may begin or be an attribute name where no keyword can stand', () => {
    expect(read('notes eq "x"')).toBe(`${badge}:notes eq "x"`)
    const type = withExtension(userType(), {
      ...badgeSchema,
      attributes: ['or', 'and', 'eq', 'pr', 'notable', 'orange', 'true'].map(name => attribute(name, name)),
    })
    for (const name of ['or', 'and', 'eq', 'pr', 'notable', 'orange', 'true'])
      expect(read(`${name} eq "x" or ${name} pr and ${name} pr`, type)).toBe(
        `${badge}:${name} eq "x" or ${badge}:${name} pr and ${badge}:${name} pr`,
      )
  })

  test('white space is free around brackets, parentheses and strings', () => {
    expect(read(' \t(userName  eq"a")and( emails[ type eq "work" ] )\r\n')).toBe(
      'userName eq "a" and emails[type eq "work"]',
    )
  })

  test("Entra's filter on a value path's sub-attribute means one element", () => {
    expect(read('emails[type eq "work"].value eq "A@x"')).toBe('emails[type eq "work" and value eq "a@x"]')
    expect(read('emails[type eq "work"].value pr and active eq true')).toBe(
      'emails[type eq "work" and value pr] and active eq true',
    )
    expect(read('emails[type eq "work" and primary eq true].VALUE CO "a"')).toBe(
      'emails[type eq "work" and primary eq true and value co "a"]',
    )
    expect(read('emails[type eq "work" or primary eq true].value sw "a"')).toBe(
      'emails[(type eq "work" or primary eq true) and value sw "a"]',
    )
    expect(read(`${badge}:tags[value eq "a"].value ne "b"`)).toBe(
      `${badge}:tags[value eq "a" and value ne "b"]`,
    )
    expect(refused('emails[type eq "work"].nosuch eq "x"')).toContain(
      'column 23: found .nosuch; expected a sub-attribute',
    )
    expect(refused('emails[type eq "work"] .value eq "x"')).toContain('column 24')
    expect(refused('emails[type eq "work"].value')).toContain(
      'column 29: found the end; expected an operator',
    )
  })

  test('in brackets, paths are the attribute with a sub-attribute, or the element itself', () => {
    const tree = parse('emails[type eq "work"]')
    expect(tree).toMatchObject({
      kind: 'elements',
      path: { attribute: { name: 'emails' } },
      filter: { path: { attribute: { name: 'emails' }, subAttribute: { name: 'type' } } },
    })
    expect(tree.kind === 'elements' && 'subAttribute' in tree.path).toBe(false)
    const tags = parse(`${badge}:tags[value sw "a"]`)
    expect(tags).toMatchObject({ kind: 'elements', filter: { path: { attribute: { name: 'tags' } } } })
    expect(tags.kind === 'elements' && tags.filter.kind === 'compare' && tags.filter.path).not.toHaveProperty(
      'subAttribute',
    )
  })

  test.each([
    ['emails co "x"', 'emails.value co "x"'],
    ['manager eq "ID"', `${enterprise}:manager.value eq "ID"`],
    ['photos eq "http://X"', 'photos.value eq "http://X"'],
    ['emails pr', 'emails pr'],
    ['name pr', 'name pr'],
  ])('RFC-101 %s', (text, expected) => {
    expect(read(text)).toBe(expected)
  })

  test('RFC-101 members eq compares ids', () => {
    expect(read('id eq "G" and members eq "Id"', groupType())).toBe('id eq "G" and members.value eq "Id"')
  })

  test.each([
    'schemas eq "urn:ietf:params:scim:schemas:core:2.0:User"',
    'meta.lastModified gt "2011-05-13T04:42:34.000Z"',
    'meta.resourceType eq "User"',
    'id eq "2819C223"',
    'externalId eq "X"',
    'groups.$ref eq "/Groups/1"',
    `${enterprise}:manager.$ref eq "/Users/1"`,
  ])('RFC-107 %s', text => {
    expect(read(text)).toBe(text)
  })

  test('RFC-108 qualified paths, whatever dots the URN has', () => {
    expect(read('urn:ietf:params:scim:schemas:core:2.0:User:name.familyName eq "x"')).toBe(
      'name.familyName eq "x"',
    )
    expect(read(`${enterprise.toUpperCase()}:DEPARTMENT eq "x"`)).toBe(`${enterprise}:department eq "x"`)
    expect(read(`${enterprise}:manager[value eq "X"]`)).toBe(`${enterprise}:manager[value eq "X"]`)
  })
})

describe('values', () => {
  test.each([
    ['"C:\\\\Users"', 'c:\\users'],
    ['"caf\\u00e9"', 'café'],
    ['"say \\"hi\\""', 'say "hi"'],
    ['"a\\/b\\b\\f\\n\\r\\t"', 'a/b\b\f\n\r\t'],
    ['"\\ud83d\\ude00"', '😀'],
    ['"a] and (b) or \\"c\\" ["', 'a] and (b) or "c" ['],
    ['""', ''],
    ['"null"', 'null'],
    ['"12"', '12'],
    ['"O\'Hara+x@y.z"', "o'hara+x@y.z"],
  ])('RFC-95 the JSON string %s', (literal, value) => {
    expect(parse(`userName eq ${literal}`)).toMatchObject({ value })
  })

  test.each([
    ['-5', -5],
    ['0', 0],
    ['-0', 0],
    ['1e+2', 100],
    ['1E-2', 0.01],
    ['1.50', 1.5],
  ])('RFC-95 the JSON number %s', (literal, value) => {
    const tree = parse(`${badge}:score gt ${literal} and ${badge}:level le ${literal}`)
    expect(tree).toMatchObject({ kind: 'and', operands: [{ value }, { value }] })
  })

  test.each(['+5', '05', '.5', '5.', '0x10', '1e', '1e999', '-', 'NaN', 'Infinity', '1_000', '"5"', 'true'])(
    'RFC-95 %s is no number',
    literal => {
      expect(refused(`${badge}:score gt ${literal}`)).toContain('expected a number without quotes.')
    },
  )

  test('RFC-98 text is folded unless caseExact', () => {
    expect(parse('userName eq "BJÖRN"')).toMatchObject({ value: 'björn' })
    expect(parse('externalId eq "BJÖRN"')).toMatchObject({ value: 'BJÖRN' })
    expect(parse('x509Certificates eq "AQID"')).toMatchObject({ value: 'AQID' })
    expect(parse('profileUrl eq "HTTP://X"')).toMatchObject({ value: 'HTTP://X' })
  })

  test('RFC-8 dateTimes are instants', () => {
    const value = 1305261754000
    for (const text of ['2011-05-13T04:42:34Z', '2011-05-13T06:42:34.000+02:00', '2011-05-13T04:42:34'])
      expect(parse(`meta.created ge "${text}"`)).toMatchObject({ value })
    for (const text of ['"2011-05-13"', '"yesterday"', '"2011-02-30T00:00:00Z"', '2011', 'true'])
      expect(refused(`meta.created ge ${text}`)).toContain('column 17: found')
  })

  test('RFC-6 booleans', () => {
    expect(parse('active eq true')).toMatchObject({ value: true })
    expect(parse('emails[primary ne false]')).toMatchObject({ filter: { operator: 'ne', value: false } })
    for (const literal of ['1', '"yes"', '""', 'True', '"true "'])
      expect(refused(`active eq ${literal}`)).toContain('expected true or false, or null.')
  })

  test('RFC-6 quoted booleans are tolerated in compat, and noted', () => {
    const interop = new Interop('compat')
    expect(parseFilter('roles[primary eq "True"]', userType(), interop)).toMatchObject({
      filter: { value: true },
    })
    expect(parseFilter('active eq "FALSE"', userType(), interop)).toMatchObject({ value: false })
    expect(interop.used).toEqual(['quoted-boolean: roles.primary', 'quoted-boolean: active'])
    expect(refused('active eq "False"', userType(), 'strict')).toContain(
      'found "False"; expected true or false',
    )
  })

  test('RFC-103 null goes with eq and ne only', () => {
    for (const path of ['userName', 'active', 'meta.created', `${badge}:level`, 'emails', 'photos'])
      for (const operator of ['eq', 'ne'])
        expect(parse(`${path} ${operator} null`)).toMatchObject({ kind: 'compare', value: null })
    for (const operator of ['co', 'sw', 'gt', 'le'])
      expect(refused(`userName ${operator} null`)).toContain('found null; expected text in double quotes.')
  })

  test.each([
    ['active gt true', 'active (boolean): eq, ne or pr'],
    ['active co "t"', 'active (boolean): eq, ne or pr'],
    ['x509Certificates.value gt "A"', 'x509Certificates.value (binary): eq, ne, co, sw, ew or pr'],
    ['meta.created co "2011"', 'meta.created (dateTime): eq, ne, gt, ge, lt, le or pr'],
    [`${badge}:level sw 1`, `${badge}:level (integer): eq, ne, gt, ge, lt, le or pr`],
    [`${badge}:score ew 1`, `${badge}:score (decimal): eq, ne, gt, ge, lt, le or pr`],
    ['emails[primary lt true]', 'emails.primary (boolean): eq, ne or pr'],
  ])('RFC-97 %s is refused with what the type takes', (text, accepted) => {
    expect(refused(text)).toContain(`expected an operator for ${accepted}.`)
  })
})

describe('refusals', () => {
  test.each([
    ['', 'column 1: found the end; expected an attribute'],
    ['   ', 'column 4: found the end; expected an attribute'],
    ['userName', 'column 9: found the end; expected an operator for userName (string): eq, ne, co'],
    ['userName eq', 'column 12: found the end; expected text in double quotes, or null.'],
    ['userName is "x"', 'column 10: found is; expected an operator'],
    ['userName "x"', 'column 10: found "x"; expected an operator'],
    ['userName np', 'column 10: found np; expected an operator'],
    ["userName eq 'bob'", "column 13: found 'bob'; expected text in double quotes"],
    ['userName eq bob', 'column 13: found bob; expected text in double quotes'],
    ['userName eq 5', 'column 13: found 5; expected text in double quotes'],
    ['userName eq true', 'column 13: found true; expected text in double quotes'],
    ['userName eq (x)', 'column 13: found (; expected text'],
    ['userName eq "bob', 'column 13: found a string without its closing double quote; expected text'],
    ['userName eq "bob\\"', 'column 13: found a string without its closing double quote'],
    ['userName eq "a\\x"', 'column 13: found a string with an escape or control character that JSON forbids'],
    ['userName eq "a\nb"', 'column 13: found a string with an escape or control character that JSON forbids'],
    ['userName eq "\\u12"', 'column 13: found a string with an escape'],
    ['userName eq "\\u0000"', 'column 13: found a string with a character that is not text'],
    ['userName eq "\\ud800"', 'column 13: found a string with a character that is not text'],
    ['userName eq "x" and', 'column 20: found the end; expected an attribute, not (…) or (…)'],
    ['userName eq "x" or', 'column 19: found the end'],
    ['and userName pr', 'column 1: found and; expected an attribute of User'],
    ['userName eq "x" garbage', 'column 17: found garbage; expected and, or, or the end of the filter'],
    ['userName eq "x" title pr', 'column 17: found title; expected and, or'],
    ['userName eq "x")', 'column 16: found ); expected and, or, or the end'],
    ['(userName eq "x"', 'column 17: found the end; expected and, or, or ")"'],
    ['(userName eq "x"]', 'column 17: found ]; expected and, or, or ")"'],
    ['()', 'column 2: found ); expected an attribute'],
    ['not userName pr', 'column 5: found userName; expected "(" after not'],
    ['not', 'column 4: found the end; expected "(" after not'],
    ['userName eq "a" and not active eq true', 'column 25: found active; expected "(" after not'],
    ['emails[type eq "work"', 'column 22: found the end; expected and, or, or "]"'],
    ['emails[type eq "work")', 'column 22: found ); expected and, or, or "]"'],
    ['emails[]', 'column 8: found ]; expected an attribute'],
    ['emails[type eq "work"] pr', 'column 24: found pr; expected and, or, or the end'],
    [
      'emails[nosuch eq "x"]',
      'column 8: found nosuch; expected a sub-attribute, such as emails.value, emails.display',
    ],
    ['emails[emails.type eq "x"]', 'column 8: found emails.type; expected a sub-attribute'],
    ['emails[userName eq "x"]', 'column 8: found userName; expected a sub-attribute'],
    ['emails.value[type eq "x"]', 'column 13: found [; expected an operator'],
    ['userName[value eq "x"]', 'column 9: found [; expected an operator'],
    [
      'name eq "x"',
      'column 1: found name; expected a sub-attribute, such as name.formatted, name.familyName',
    ],
    ['addresses co "x"', 'column 1: found addresses; expected a sub-attribute, such as addresses.formatted'],
    ['meta eq null', 'column 1: found meta; expected a sub-attribute, such as meta.resourceType'],
    ['nosuch eq "x"', 'column 1: found nosuch; expected an attribute of User, such as userName, name'],
    [
      `${enterprise}:departmnt pr`,
      `column 1: found ${enterprise}:departmnt; expected an attribute of ${enterprise}, such as employeeNumber`,
    ],
    ['title pr and email co "x"', 'column 14: found email; expected an attribute of User'],
    ['userName.value eq "x"', 'column 1: found userName.value; expected an attribute'],
    ['_userName eq "x"', 'column 1: found _userName; expected an attribute'],
    ['__proto__ eq "x"', 'column 1: found __proto__; expected an attribute'],
    ['constructor pr', 'column 1: found constructor; expected an attribute'],
    ['name.__proto__ pr', 'column 1: found name.__proto__; expected an attribute'],
    ['emails[constructor pr]', 'column 8: found constructor; expected a sub-attribute'],
    [`${enterprise} pr`, 'column 1: found urn:ietf'],
    ['"userName" eq "x"', 'column 1: found "userName"; expected an attribute'],
    ['members eq "x"', 'column 1: found members; expected an attribute of User'],
  ])('RFC-96 RFC-104 RFC-105 %j: %s', (text, detail) => {
    expect(refused(text)).toContain(`Invalid filter at ${detail}`)
  })

  test('RFC-109 brackets do not nest', () => {
    expect(refused('emails[value[type eq "x"]]')).toContain(
      'column 13: found [; expected an operator: brackets do not nest',
    )
    expect(refused('emails[type eq "x" and value[type eq "y"]]')).toContain('brackets do not nest')
    expect(refused('emails[type eq "x"].value[type eq "y"]')).toContain(
      'column 26: found [; expected an operator',
    )
  })

  test('RFC-45 a secret attribute cannot be searched', () => {
    const secret = attribute('pin', 'Secret.', { returned: 'never', mutability: 'writeOnly' })
    const vault = attribute('vault', 'Half secret.', {
      type: 'complex',
      subAttributes: [secret, attribute('value', 'Open.')],
    })
    const type = withExtension(userType(), { ...badgeSchema, attributes: [secret, vault] })
    for (const text of [
      'pin eq "1"',
      'pin pr',
      'pin sw "1"',
      'vault.pin eq "1"',
      'vault[pin pr]',
      'vault[value eq "1"].pin sw "1"',
    ])
      expect(refused(text, type)).toContain('expected an attribute that is not secret')
    expect(read('vault eq "1"', type)).toContain('vault.value eq "1"')
    expect(parseValuePath('pin', type, new Interop('compat')).path.attribute.name).toBe('pin')
  })

  test('RFC-223 what is quoted is at most 80 characters, without control characters', () => {
    const long = 'x'.repeat(5000)
    for (const text of [
      `${long} eq "x"`,
      `userName ${long}`,
      `userName eq ${long}`,
      `userName eq "a" ${long}`,
      `emails[${long} pr]`,
      `emails[type pr].${long} pr`,
      `${badge}:level eq "${long}"`,
    ]) {
      expect(refused(text)).toContain('x'.repeat(60))
      expect(refused(text)).not.toContain('x'.repeat(81))
      expect(refused(text).length).toBeLessThan(300)
    }
    expect(refused('userName eq \u0007\u001b[31mx')).not.toMatch(/\p{Cc}/u)
  })
})

describe('limits', () => {
  const nested = (depth: number) => `${'('.repeat(depth)}title pr${')'.repeat(depth)}`
  const terms = (count: number) => Array(count).fill('title pr').join(' or ')

  test(`RFC-239 depth ${MAX_FILTER_DEPTH}`, () => {
    expect(read(nested(MAX_FILTER_DEPTH))).toBe('title pr')
    expect(refused(nested(MAX_FILTER_DEPTH + 1))).toContain(
      `column ${MAX_FILTER_DEPTH + 1}: found nesting deeper than 32 levels; expected at most 32 levels.`,
    )
    const nots = (depth: number) => `${'not ('.repeat(depth)}title pr${')'.repeat(depth)}`
    expect(parse(nots(MAX_FILTER_DEPTH)).kind).toBe('not')
    expect(refused(nots(MAX_FILTER_DEPTH + 1))).toContain('deeper than 32')
    const bracket = (depth: number) => `${'('.repeat(depth)}emails[type pr]${')'.repeat(depth)}`
    expect(parse(bracket(MAX_FILTER_DEPTH - 1)).kind).toBe('elements')
    expect(refused(bracket(MAX_FILTER_DEPTH))).toContain('deeper than 32')
    const inside = (depth: number) => `emails[${'('.repeat(depth)}type pr${')'.repeat(depth)}]`
    expect(parse(inside(MAX_FILTER_DEPTH - 1)).kind).toBe('elements')
    expect(refused(inside(MAX_FILTER_DEPTH))).toContain('deeper than 32')
  })

  test(`RFC-223 ${MAX_FILTER_TERMS} terms`, () => {
    expect(parse(terms(MAX_FILTER_TERMS))).toMatchObject({ kind: 'or' })
    expect(refused(terms(MAX_FILTER_TERMS + 1))).toContain(
      'found more than 50 conditions; expected at most 50 conditions.',
    )
    expect(refused(`${terms(MAX_FILTER_TERMS - 1)} or emails[type eq "a"].value eq "b"`)).toContain(
      '50 conditions',
    )
  })

  test(`RFC-223 ${MAX_FILTER_LENGTH} characters`, () => {
    const padded = (length: number) => 'title pr'.padEnd(length)
    expect(read(padded(MAX_FILTER_LENGTH))).toBe('title pr')
    expect(refused(padded(MAX_FILTER_LENGTH + 1))).toBe(
      'Invalid filter at column 8193: found 8193 characters; expected at most 8192 characters.',
    )
  })

  test.each([
    ['20,000 parentheses', '('.repeat(20_000)],
    ['8,192 parentheses', '('.repeat(8192)],
    ['not( again and again', 'not('.repeat(2048)],
    ['a megabyte of garbage', 'x"\\[('.repeat(200_000)],
    ['a megabyte of quotes', '"'.repeat(1_000_000)],
    ['backslashes without end', `userName eq "${'\\'.repeat(8000)}`],
    ['escaped quotes without end', `userName eq "${'\\"'.repeat(4000)}`],
    ['white space', `userName eq${' '.repeat(8000)}`],
    ['digits', `urn:acme:params:scim:2.0:Badge:level eq ${'1'.repeat(8000)}`],
    ['a name that almost fits', `${'a-_1'.repeat(2000)}! pr`],
    ['dots', `name${'.a'.repeat(4000)} pr`],
    ['strings', 'userName eq "a" or '.repeat(430)],
    ['brackets', 'emails['.repeat(1170)],
  ])('RFC-239 hostile: %s is refused, at a cost that grows no faster than the text', (_, text) => {
    expect(growth(length => refused(text.slice(0, length)), text.length / 8)).toBeLessThan(LINEAR)
    expect(refused(text).length).toBeLessThan(300)
  })

  test('RFC-223 the longest valid string is read', () => {
    const value = 'ö'.repeat(8192 - 'userName eq ""'.length)
    expect(parse(`userName eq "${value}"`)).toMatchObject({ value })
  })
})

describe('parseValuePath', () => {
  function target(text: string, type: ResourceType = badgedUserType): [string, string | undefined] {
    const { path, filter } = parseValuePath(text, type, new Interop('compat'))
    return [formatPath(path), filter && formatFilter(filter)]
  }

  test.each([
    ['userName', 'userName', undefined],
    ['NAME.givenname', 'name.givenName', undefined],
    ['emails', 'emails', undefined],
    ['emails.type', 'emails.type', undefined],
    ['emails[type eq "work"]', 'emails', 'emails.type eq "work"'],
    ['emails[type eq "work"].value', 'emails.value', 'emails.type eq "work"'],
    ['EMAILS[TYPE EQ "Work"].VALUE', 'emails.value', 'emails.type eq "work"'],
    [
      'emails[type eq "work" and value ew "@x"].primary',
      'emails.primary',
      'emails.type eq "work" and emails.value ew "@x"',
    ],
    [
      'entitlements[value eq "urn:acme:role:admin"].display',
      'entitlements.display',
      'entitlements.value eq "urn:acme:role:admin"',
    ],
    ['entitlements[value eq "a.b] c"]', 'entitlements', 'entitlements.value eq "a.b] c"'],
    ['roles[primary eq "True"].value', 'roles.value', 'roles.primary eq true'],
    [`${enterprise}:department`, `${enterprise}:department`, undefined],
    [`${enterprise}:manager.value`, `${enterprise}:manager.value`, undefined],
    ['manager', `${enterprise}:manager`, undefined],
    ['urn:ietf:params:scim:schemas:core:2.0:User:emails[type eq "home"]', 'emails', 'emails.type eq "home"'],
    [`${badge}:tags[value eq "A"]`, `${badge}:tags`, `${badge}:tags eq "a"`],
    [`${badge}:tags[value eq "A"].value`, `${badge}:tags`, `${badge}:tags eq "a"`],
    ['id', 'id', undefined],
  ])('RFC-137 %s', (text, path, filter) => {
    expect(target(text)).toEqual([path, filter])
  })

  test('RFC-137 members by id', () => {
    expect(target('members[value eq "2819C223"]', groupType())).toEqual([
      'members',
      'members.value eq "2819C223"',
    ])
  })

  test('without a filter there is none', () => {
    expect(parseValuePath('emails', userType(), new Interop('compat'))).not.toHaveProperty('filter')
  })

  test.each([
    ['', 'column 1: found the end; expected an attribute path'],
    ['nosuch', 'column 1: found nosuch; expected an attribute of User'],
    ['nosuch[type eq "x"]', 'column 1: found nosuch'],
    [
      `${enterprise}:departmnt`,
      `column 1: found ${enterprise}:departmnt; expected an attribute of ${enterprise}, such as employeeNumber, costCenter, organization, division, department, manager.`,
    ],
    [
      `${userType().schema.id}:nosuch`,
      `column 1: found ${userType().schema.id}:nosuch; expected an attribute of User, such as userName`,
    ],
    ['name.nosuch', 'column 1: found name.nosuch'],
    ['userName.value', 'column 1'],
    ['userName[value eq "x"]', 'column 9: found [; expected the end of the path.'],
    ['emails.value[type eq "x"]', 'column 13: found [; expected the end of the path.'],
    ['emails.', 'column 1: found emails.'],
    ['emails eq "x"', 'column 8: found eq; expected "[" or the end of the path'],
    ['emails[type eq "work"', 'column 22: found the end; expected and, or, or "]"'],
    [
      'emails[type eq "work"].nosuch',
      'column 23: found .nosuch; expected a sub-attribute, such as emails.value',
    ],
    ['emails[type eq "work"].', 'column 23: found .'],
    ['emails[type eq "work"]value', 'column 23: found value; expected a sub-attribute or the end'],
    ['emails[type eq "work"].value eq "x"', 'column 30: found eq; expected a sub-attribute or the end'],
    ['emails[type eq "work"].value.x', 'column 23: found .value.x'],
    ['emails[type eq "work"][primary eq true]', 'column 23: found ['],
    ['"emails"', 'column 1: found "emails"; expected an attribute path'],
    ['"emails', 'column 1: found a string without its closing double quote'],
    ['(emails)', 'column 1: found ('],
    ['[type eq "work"]', 'column 1: found ['],
    ['__proto__.polluted', 'column 1: found __proto__.polluted'],
    ['constructor.prototype.x', 'column 1'],
    [enterprise, 'column 1: found urn:ietf'],
    ['not (emails)', 'column 1: found not'],
    ['x'.repeat(9000), 'column 8193: found 9000 characters; expected at most 8192'],
  ])('RFC-137 %j is an invalid path: %s', (text, detail) => {
    const error = refusal(() => parseValuePath(text, userType(), new Interop('compat')))
    expect([error.status, error.scimType]).toEqual([400, 'invalidPath'])
    expect(error.detail).toContain(`Invalid path at ${detail}`)
  })

  test.each([
    ['emails[]', 'column 8: found ]; expected an attribute'],
    ['emails[type is "work"]', 'column 13: found is; expected an operator'],
    ['emails[type eq work]', 'column 16: found work; expected text in double quotes'],
    ['emails[type eq "work].value', 'column 16: found a string without its closing double quote'],
    ['emails[nosuch eq "x"]', 'column 8: found nosuch; expected a sub-attribute'],
    ['emails[value[type eq "x"]]', 'column 13: found [; expected an operator: brackets do not nest'],
    ['emails[primary gt true]', 'column 16: found gt'],
    ['emails[0]', 'column 8: found 0'],
    ['emails[type eq "work" x]', 'column 23: found x; expected and, or, or "]"'],
    ['emails[type eq', 'column 15: found the end; expected text in double quotes'],
    [`emails[${'('.repeat(4000)}`, 'column 39: found nesting deeper than 32 levels'],
  ])('RFC-137 %j has an invalid filter: %s', (text, detail) => {
    const error = refusal(() => parseValuePath(text, userType(), new Interop('compat')))
    expect([error.status, error.scimType]).toEqual([400, 'invalidFilter'])
    expect(error.detail).toContain(`Invalid path at ${detail}`)
  })
})

describe('properties', () => {
  test.each([
    ['User', badgedUserType],
    ['Group', groupType()],
  ])('a generated filter of %s printed and read again is the same tree', (_, type) => {
    const random = seeded(20261121)
    const kinds = new Set<string>()
    for (let i = 0; i < 1500; i++) {
      const text = randomFilter(random, type)
      const tree = parse(text, type)
      kinds.add(tree.kind)
      const printed = formatFilter(tree)
      expect(parse(printed, type, 'strict'), `${text} → ${printed}`).toEqual(tree)
      expect(formatFilter(parse(printed, type))).toBe(printed)
    }
    expect([...kinds].sort()).toEqual(['and', 'compare', 'elements', 'not', 'or', 'present'])
  })

  test('and and or never hold their own kind', () => {
    const random = seeded(3)
    const flat = (filter: Filter): boolean => {
      if (filter.kind === 'not') return flat(filter.operand)
      if (filter.kind === 'elements') return flat(filter.filter)
      if (filter.kind !== 'and' && filter.kind !== 'or') return true
      return (
        filter.operands.length > 1 &&
        filter.operands.every(operand => operand.kind !== filter.kind && flat(operand))
      )
    }
    for (let i = 0; i < 500; i++) expect(flat(parse(randomFilter(random, badgedUserType)))).toBe(true)
  })

  test('text cut or changed anywhere is read or refused, never anything else', () => {
    const random = seeded(4)
    let refusals = 0
    for (let i = 0; i < 3000; i++) {
      const text = randomFilter(random, badgedUserType)
      const at = Math.floor(random() * text.length)
      const noise = ['', '"', '(', ')', '[', ']', '.', '\\', ' ', '\0', 'not', '😀', '\ud83d'][
        Math.floor(random() * 13)
      ]
      try {
        parse(`${text.slice(0, at)}${noise}${text.slice(at + 1)}`)
      } catch (error) {
        if (!(error instanceof ScimError)) throw error
        expect(error.scimType).toBe('invalidFilter')
        expect(error.detail).toMatch(/^Invalid filter at column \d+: found .+; expected .+\.$/)
        refusals++
      }
    }
    expect(refusals).toBeGreaterThan(1000)
  })
})
