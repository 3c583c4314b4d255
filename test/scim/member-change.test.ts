// Members as changes of a set: whom a list or a filter names, and how changes join.
import { describe, expect, test } from 'vitest'
import { parseValuePath } from '../../src/scim/filter'
import type { Interop } from '../../src/scim/interop'
import type { Json } from '../../src/scim/json'
import {
  MAX_MEMBER_CHANGES,
  type MemberChange,
  memberIds,
  membersFilter,
  mergeMemberChanges,
} from '../../src/scim/member-change'
import { pick, seeded } from './generate'
import { compat, expectRefusal, group, strict } from './requests'

const given = (value: Json, interop: Interop = compat()) => memberIds(value, 'members', false, interop)
const removed = (value: Json) => memberIds(value, 'members', true, compat())

function selected(filter: string) {
  const path = parseValuePath(`members[${filter}]`, group, compat())
  if (!path.filter) throw new Error(filter)
  return membersFilter(path.filter)
}

describe('memberIds', () => {
  test('Entra, Okta and JumpCloud elements', () => {
    expect(
      given([
        { $ref: null, value: 'a' },
        { value: 'b', display: 'x' },
        { VALUE: 'c', type: 'User' },
      ]),
    ).toEqual(['a', 'b', 'c'])
  })

  test('each id once', () => {
    expect(given([{ value: 'a' }, { value: 'b' }, { value: 'a' }])).toEqual(['a', 'b'])
  })

  test('bare text and one object by tolerance', () => {
    expect(given(['a', 'b'])).toEqual(['a', 'b'])
    expect(given({ value: 'a' })).toEqual(['a'])
    expect(given('a')).toEqual(['a'])
    expectRefusal(() => given(['a'], strict()), 'invalidValue', 'members\\[0\\]')
    expectRefusal(() => given({ value: 'a' }, strict()), 'invalidValue', 'members must be a list')
  })

  test('a $ref names the member', () => {
    expect(
      given([{ $ref: 'https://x/scim/v2/Users/2819c223' }, { value: '', $ref: '../Groups/g1/?x=1#y' }]),
    ).toEqual(['2819c223', 'g1'])
  })

  test('nobody is none', () => {
    for (const nobody of [null, [], '']) expect(given(nobody)).toEqual([])
  })

  test('an element that names nobody: refused when adding, ignored when removing', () => {
    for (const element of [{}, { display: 'x' }, { value: null }, { value: '' }, 5, null, ''])
      expectRefusal(
        () => given([{ value: 'a' }, element]),
        'invalidValue',
        '^members\\[1\\] must have a "value"',
      )
    expect(removed([{ value: 'a' }, {}, { value: null }, null])).toEqual(['a'])
    expect(removed([{ $ref: null }])).toEqual([])
  })

  test('an id is text of reasonable length', () => {
    expectRefusal(() => given([{ value: 5 }]), 'invalidValue', 'members\\[0\\]\\.value must be a string')
    expect(given([{ value: 'x'.repeat(128) }])).toHaveLength(1)
    expectRefusal(() => given([{ value: 'x'.repeat(129) }]), 'invalidValue', 'at most 128')
    expectRefusal(() => given([{ value: 'a', Value: 'b' }]), 'invalidSyntax', 'given twice')
  })

  test('RFC-223 a limit, named', () => {
    const many = Array.from({ length: MAX_MEMBER_CHANGES + 1 }, (_, index) => ({ value: `id-${index}` }))
    expect(given(many.slice(1))).toHaveLength(MAX_MEMBER_CHANGES)
    expectRefusal(() => given(many), undefined, 'at most 25000 members; this one names 25001', 413)
  })
})

describe('membersFilter', () => {
  test('values', () => {
    expect(selected('value eq "a"')).toEqual({ ids: ['a'] })
    expect(selected('Value EQ "aB"')).toEqual({ ids: ['aB'] })
    expect(selected('value eq "a" or value eq "b" or (value eq "c")')).toEqual({ ids: ['a', 'b', 'c'] })
    expect(selected('value eq "a" and value eq "b"')).toEqual({ ids: [] })
    expect(selected('(value eq "a" or value eq "b") and value eq "b"')).toEqual({ ids: ['b'] })
  })

  test('types, as the schema spells them', () => {
    expect(selected('type eq "User"')).toEqual({ type: 'User' })
    expect(selected('type eq "group"')).toEqual({ type: 'Group' })
  })

  test.each([
    'value ne "a"',
    'value sw "a"',
    'not (value eq "a")',
    'display eq "x"',
    'value pr',
    'value eq null',
    'type eq "User" or value eq "a"',
    'type eq "User" and value eq "a"',
    '$ref eq "x"',
  ])('anything else is refused: %s', filter => {
    expectRefusal(() => selected(filter), 'invalidFilter', 'Members are selected by value or by type')
  })
})

describe('mergeMemberChanges', () => {
  const add = (...ids: string[]): MemberChange => ({ kind: 'add', ids })
  const remove = (...ids: string[]): MemberChange => ({ kind: 'remove', ids })
  const replace = (...ids: string[]): MemberChange => ({ kind: 'replace', ids })
  const all: MemberChange = { kind: 'removeAll' }
  const users: MemberChange = { kind: 'removeType', type: 'User' }

  test.each<[string, MemberChange[], MemberChange[]]>([
    ['nothing', [], []],
    ['nobody', [add(), remove()], []],
    ['adds', [add('a'), add('b', 'a')], [add('a', 'b')]],
    ['Okta: remove, then add another', [remove('a'), add('b')], [remove('a'), add('b')]],
    ['the last word counts', [remove('a'), add('a')], [add('a')]],
    ['the last word counts, the other way', [add('a', 'b'), remove('a')], [remove('a'), add('b')]],
    ['a replace forgets what was before', [add('a'), users, replace('b'), add('c')], [replace('b', 'c')]],
    ['a replace less some', [replace('a', 'b'), remove('a')], [replace('b')]],
    ['a replace less all', [replace('a'), remove('a')], [all]],
    ['replaced by nobody', [replace()], [all]],
    ['all removed, then some added', [all, add('a')], [replace('a')]],
    ['types stay in their place', [add('a'), users, users, add('b')], [add('a'), users, add('b')]],
    ['types after a replace', [replace('a'), users], [replace('a'), users]],
  ])('%s', (_, changes, merged) => {
    expect(mergeMemberChanges(changes)).toEqual(merged)
  })

  test('property: the members are the same, whatever they were', () => {
    const ids = ['u1', 'u2', 'u3', 'g1']
    for (let seed = 1; seed <= 2000; seed++) {
      const random = seeded(seed)
      const some = () => ids.filter(() => random() < 0.4)
      const changes = Array.from({ length: 1 + Math.floor(random() * 6) }, () =>
        pick(random, [add(...some()), remove(...some()), replace(...some()), all, users, add(...some())]),
      )
      const before = some()
      expect(result(before, mergeMemberChanges(changes))).toEqual(result(before, changes))
    }
  })

  test('10,000 operations on members are few changes, at once', () => {
    const changes = Array.from({ length: 10_000 }, (_, index) =>
      index % 2 ? add(`a${index}`) : remove(`r${index}`),
    )
    expect(mergeMemberChanges(changes).map(change => change.kind)).toEqual(['remove', 'add'])
  })

  test('the limit holds for all operations together', () => {
    const half = (letter: string) => add(...Array.from({ length: 13_000 }, (_, index) => `${letter}${index}`))
    expectRefusal(() => mergeMemberChanges([half('a'), half('b')]), undefined, 'names 26000', 413)
  })

  function result(before: readonly string[], changes: readonly MemberChange[]): string[] {
    let members = new Set(before)
    for (const change of changes) {
      if (change.kind === 'removeAll') members = new Set()
      else if (change.kind === 'replace') members = new Set(change.ids)
      else if (change.kind === 'removeType') members = new Set([...members].filter(id => !id.startsWith('u')))
      else for (const id of change.ids) change.kind === 'add' ? members.add(id) : members.delete(id)
    }
    return [...members].sort()
  }
})
