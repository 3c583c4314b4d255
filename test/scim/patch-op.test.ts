// PatchOp messages in all dialects, read into steps.
import { describe, expect, test } from 'vitest'
import { formatPath } from '../../src/scim/attribute-path'
import { formatFilter } from '../../src/scim/filter'
import type { Interop } from '../../src/scim/interop'
import type { Json } from '../../src/scim/json'
import { inPlace, MAX_OPERATIONS, PATCH_OP_SCHEMA, readPatchOp } from '../../src/scim/patch-op'
import type { ResourceType } from '../../src/scim/schema'
import { compat, ENTERPRISE, expectRefusal, group, patchOp, staffUser, strict, USER, user } from './requests'

/** The steps in one line each: op, path, filter, value. */
function steps(
  operations: readonly Json[],
  type: ResourceType = user,
  interop: Interop = compat(),
): string[] {
  return readPatchOp(patchOp(...operations), type, interop).map(({ op, path, filter, value }) =>
    [
      op,
      formatPath(path),
      ...(filter ? [`[${formatFilter(filter)}]`] : []),
      ...(value === undefined ? [] : [JSON.stringify(value)]),
    ].join(' '),
  )
}

function notes(operations: readonly Json[], type: ResourceType = user): readonly string[] {
  const interop = compat()
  steps(operations, type, interop)
  return interop.used
}

const step = { op: 'replace', path: 'title', value: 'x' }

describe('the message', () => {
  test('RFC-134 it is an object with the PatchOp schema and operations', () => {
    for (const body of [null, [], 'x'])
      expectRefusal(() => readPatchOp(body, user, compat()), 'invalidSyntax', 'JSON object')
    for (const Operations of [undefined, null, [], {}, 'x', 5])
      expectRefusal(
        () =>
          readPatchOp(
            { schemas: [PATCH_OP_SCHEMA], ...(Operations !== undefined && { Operations }) },
            user,
            compat(),
          ),
        'invalidSyntax',
        'Operations must be a list of at least one',
      )
    for (const operation of [null, [], 'x'])
      expectRefusal(
        () => steps([step, operation]),
        'invalidSyntax',
        '^Operations\\[1\\]: An operation must be',
      )
  })

  test('RandomCoffee: without schemas', () => {
    for (const body of [
      { Operations: [step] },
      { schemas: [], Operations: [step] },
      { schemas: [USER], Operations: [step] },
    ]) {
      const interop = compat()
      expect(readPatchOp(body, user, interop)).toHaveLength(1)
      expect(interop.used).toEqual(['missing-schemas'])
      expectRefusal(() => readPatchOp(body, user, strict()), 'invalidSyntax', PATCH_OP_SCHEMA)
    }
    expect(
      readPatchOp({ schemas: [PATCH_OP_SCHEMA.toUpperCase()], Operations: [step] }, user, strict()),
    ).toHaveLength(1)
  })

  test('RFC-134 keys in any case, but each once', () => {
    const interop = strict()
    const body = { SCHEMAS: [PATCH_OP_SCHEMA], operations: [{ OP: 'add', Path: 'title', VALUE: 'x' }] }
    expect(readPatchOp(body, user, interop)).toHaveLength(1)
    expect(interop.used).toContain('envelope-case: Operations')
    expectRefusal(
      () => readPatchOp({ Operations: [step], operations: [step] }, user, compat()),
      'invalidSyntax',
      'operations is given twice',
    )
    expectRefusal(
      () => steps([{ ...step, Op: 'add' }]),
      'invalidSyntax',
      '^Operations\\[0\\]: Op is given twice',
    )
  })

  test('unknown keys are noted, in strict mode refused (RFC-226)', () => {
    expect(notes([{ ...step, name: 'addMember' }])).toEqual(['unknown-attribute: name'])
    expectRefusal(
      () => steps([{ ...step, name: 'x' }], user, strict()),
      'invalidSyntax',
      'name is not defined',
    )
  })

  test('RFC-223 a limit, named', () => {
    expect(steps(Array.from({ length: MAX_OPERATIONS }, () => step))).toHaveLength(MAX_OPERATIONS)
    expectRefusal(
      () => steps(Array.from({ length: MAX_OPERATIONS + 1 }, () => step)),
      undefined,
      'at most 1000 operations; this one has 1001',
      413,
    )
  })
})

describe('an operation', () => {
  test('RFC-135 op in any case, and no other', () => {
    expect(
      steps([
        { ...step, op: 'Replace' },
        { ...step, op: 'ADD' },
        { op: 'Remove', path: 'title' },
      ]),
    ).toEqual(['replace title "x"', 'add title "x"', 'remove title'])
    expect(notes([{ ...step, op: 'Replace' }])).toEqual(['operation-case'])
    for (const op of ['set', '', null, 5, undefined])
      expectRefusal(
        () => steps([{ path: 'title', value: 'x', ...(op !== undefined && { op }) }]),
        'invalidSyntax',
        '^Operations\\[0\\]: op must be add, remove or replace',
      )
  })

  test('RFC-136, RFC-149 remove without path', () => {
    for (const path of [{}, { path: null }, { path: '' }])
      expectRefusal(
        () => steps([step, { op: 'remove', ...path }]),
        'noTarget',
        '^Operations\\[1\\]: remove needs a path',
      )
  })

  test('RFC-144 add and replace without value', () => {
    for (const op of ['add', 'replace']) {
      expectRefusal(
        () => steps([{ op, path: 'title' }]),
        'invalidValue',
        `^Operations\\[0\\]: ${op} needs a value`,
      )
      expectRefusal(() => steps([{ op }]), 'invalidValue', `${op} needs a value`)
    }
    expect(steps([{ ...step, value: null }])).toEqual(['replace title null'])
  })

  test('a value on remove is kept, null too', () => {
    expect(steps([{ op: 'remove', path: 'title', value: null }])).toEqual(['remove title null'])
  })

  test('a refusal that is none of ours passes through', () => {
    expect(() =>
      inPlace('x', () => {
        throw new TypeError('bug')
      }),
    ).toThrow(TypeError)
  })
})

describe('a path', () => {
  test.each([
    ['userName', 'userName'],
    ['USERNAME', 'userName'],
    ['Name.givenname', 'name.givenName'],
    [`${USER}:name.givenName`, 'name.givenName'],
    [`${ENTERPRISE}:manager.value`, `${ENTERPRISE}:manager.value`],
    [`${ENTERPRISE.toLowerCase()}:DEPARTMENT`, `${ENTERPRISE}:department`],
    ['manager', `${ENTERPRISE}:manager`],
    ['externalId', 'externalId'],
  ])('RFC-1, RFC-137 %s', (path, canonical) => {
    expect(steps([{ op: 'replace', path, value: 'x' }])).toEqual([`replace ${canonical} "x"`])
  })

  test('RFC-137 value paths, with anything inside the quotes', () => {
    expect(
      steps([
        { op: 'replace', path: 'EMAILS[TYPE eq "work" and Value co "a].b"].VALUE', value: 'x' },
        { op: 'remove', path: 'entitlements[value eq "urn:acme:role:admin"].display' },
      ]),
    ).toEqual([
      'replace emails.value [emails.type eq "work" and emails.value co "a].b"] "x"',
      'remove entitlements.display [entitlements.value eq "urn:acme:role:admin"]',
    ])
  })

  test.each([
    '',
    '.',
    'emails[type eq "work"',
    'emails]',
    'a b',
    'emails[type eq "work"]..value',
    '[type eq "work"]',
    '_x',
    '$ref',
  ])('RFC-137 malformed: "%s"', path => {
    expectRefusal(
      () => steps([{ op: 'replace', path, value: 'x' }], user, strict()),
      'invalidPath',
      '^Operations\\[0\\]: ',
    )
  })

  test('RFC-137 a bad expression within the brackets is invalidFilter', () => {
    for (const path of ['emails[type = "work"].value', 'emails[shoe eq "x"].value', 'emails[type eq work]'])
      expectRefusal(
        () => steps([{ op: 'replace', path, value: 'x' }]),
        'invalidFilter',
        '^Operations\\[0\\]: ',
      )
  })

  test('a path is text', () => {
    for (const path of [5, {}, [], true])
      expectRefusal(
        () => steps([{ op: 'replace', path, value: 'x' }]),
        'invalidPath',
        'path must be a string',
      )
  })

  test('RFC-162 an unknown core attribute', () => {
    for (const path of ['shoe', 'name.shoe', 'title.shoe', 'shoe[type eq "x"]', `${USER}:shoe`, USER]) {
      expectRefusal(() => steps([{ op: 'replace', path, value: 'x' }]), 'invalidPath', '^Operations\\[0\\]: ')
      expectRefusal(
        () => steps([{ op: 'replace', path, value: 'x' }], user, strict()),
        'invalidPath',
        '^Operations',
      )
    }
  })

  test('RFC-162 an unknown extension attribute is ignored, in strict mode refused', () => {
    for (const path of [
      `${ENTERPRISE}:shoe`,
      'urn:acme:x:2.0:User:shoe',
      `${ENTERPRISE}:manager.shoe`,
      'urn:x:y[a eq "b"].c',
    ]) {
      const interop = compat()
      expect(steps([{ op: 'replace', path, value: 'x' }, step], user, interop)).toEqual(['replace title "x"'])
      expect(interop.used).toEqual([`unknown-attribute: ${path.split('[', 1)}`])
      expectRefusal(
        () => steps([{ op: 'replace', path, value: 'x' }], user, strict()),
        'invalidPath',
        '^Operations',
      )
    }
  })

  test('RFC-55 a password is dropped', () => {
    expect(steps([{ op: 'replace', path: 'password', value: 's3cret' }])).toEqual([])
    expect(notes([{ op: 'replace', value: { password: 's3cret' } }])).toEqual([
      'no-path',
      'unknown-attribute: password',
    ])
    expectRefusal(
      () => steps([{ op: 'replace', path: 'password', value: 's' }], user, strict()),
      'invalidPath',
      'Operations',
    )
  })

  test('RFC-41, RFC-140 readOnly', () => {
    for (const path of [
      'id',
      'ID',
      'schemas',
      'meta',
      'meta.created',
      'groups',
      'groups[value eq "g"]',
      'groups.display',
      `${ENTERPRISE}:manager.displayName`,
    ])
      for (const op of ['add', 'replace', 'remove'])
        expectRefusal(
          () => steps([{ op, path, value: 'x' }]),
          'mutability',
          /^Operations\[0\]: .* is readOnly/,
        )
    expectRefusal(
      () => steps([{ op: 'remove', path: 'members[value eq "m"].display' }], group),
      'mutability',
      'readOnly',
    )
  })

  test('scim-patch GHSA-9m6g-wc8r-q59c: names of the prototype are no attributes', () => {
    for (const path of [
      '__proto__.polluted',
      '__proto__',
      'constructor.prototype',
      'constructor',
      'toString.x',
      'name.__proto__',
    ])
      expectRefusal(() => steps([{ op: 'replace', path, value: 'x' }]), 'invalidPath', '^Operations\\[0\\]: ')
    expect('polluted' in {}).toBe(false)
  })

  test('a path that is too long or too deep is refused without being echoed', () => {
    for (const path of [`emails[${'('.repeat(20_000)}`, 'a'.repeat(20_000)])
      expectRefusal(() => steps([{ op: 'replace', path, value: 'x' }]), 'invalidPath', /^.{0,300}$/)
  })
})

describe('without a path', () => {
  test('RFC-136, RFC-145, RFC-154 one step per attribute', () => {
    expect(steps([{ op: 'replace', value: { active: false, DISPLAYNAME: 'y' } }])).toEqual([
      'replace active false',
      'replace displayName "y"',
    ])
    expect(notes([{ op: 'add', value: { title: 'x' } }])).toEqual(['no-path'])
    expectRefusal(
      () => steps([{ op: 'replace', value: { active: false } }], user, strict()),
      'invalidSyntax',
      '^Operations\\[0\\]: replace needs a path',
    )
  })

  test('RFC-160 Entra: dotted, bracketed and URN-qualified keys', () => {
    const value = {
      displayName: 'Bjfe',
      'name.givenName': 'Kkom',
      'emails[type eq "work"].value': 'a@b.c',
      [`${ENTERPRISE}:employeeNumber`]: 'Aklq',
      [`${USER}:title`]: 't',
    }
    expect(steps([{ op: 'replace', value }])).toEqual([
      'replace displayName "Bjfe"',
      'replace name.givenName "Kkom"',
      'replace emails.value [emails.type eq "work"] "a@b.c"',
      `replace ${ENTERPRISE}:employeeNumber "Aklq"`,
      'replace title "t"',
    ])
    expect(notes([{ op: 'replace', value }])).toEqual([
      'no-path',
      'key-as-path: name.givenName',
      'key-as-path: emails',
      `key-as-path: ${ENTERPRISE}:employeeNumber`,
      'key-as-path: title',
    ])
  })

  test('an extension container, any case, dotted keys within', () => {
    const value = { [ENTERPRISE.toUpperCase()]: { Department: 'x', 'manager.value': 'm', shoe: 1 } }
    expect(steps([{ op: 'add', value }])).toEqual([
      `add ${ENTERPRISE}:department "x"`,
      `add ${ENTERPRISE}:manager.value "m"`,
    ])
    expectRefusal(
      () => steps([{ op: 'add', value: { [ENTERPRISE]: 5 } }]),
      'invalidValue',
      'must be an object',
    )
  })

  test('RFC-140 Okta: readOnly attributes inside the value are ignored', () => {
    const value = { id: 'g', displayName: 'New', schemas: ['x'], meta: { version: '1' } }
    expect(steps([{ op: 'replace', value }], group)).toEqual(['replace displayName "New"'])
    expect(notes([{ op: 'replace', value }], group)).toContain('read-only-in-value: id')
  })

  test('unknown attributes are ignored and noted', () => {
    expect(
      steps([{ op: 'replace', value: { shoe: 1, 'shoe.x': 1, 'shoe[a eq "b"].c': 1, title: 'x' } }]),
    ).toEqual(['replace title "x"'])
  })

  test('scim-patch GHSA-2mhw-wcx5-v3xj: hostile keys go nowhere', () => {
    const value = JSON.parse(
      '{"__proto__":{"polluted":1},"__proto__.polluted":1,"constructor.prototype.polluted":1,"toString.x":1,"title":"x"}',
    ) as Json
    expect(steps([{ op: 'add', value }])).toEqual(['add title "x"'])
    expect('polluted' in {}).toBe(false)
  })

  test('the value is an object of attributes', () => {
    for (const value of ['x', 5, null, [], [{ title: 'x' }, { title: 'y' }]])
      expectRefusal(() => steps([{ op: 'add', value }]), 'invalidValue', 'needs an object of attributes')
    expect(steps([{ op: 'add', value: [{ title: 'x' }] }])).toEqual(['add title "x"'])
    expect(steps([{ op: 'add', value: {} }])).toEqual([])
    expectRefusal(
      () => steps([{ op: 'add', value: { title: 'x', TITLE: 'y' } }]),
      'invalidSyntax',
      'TITLE is given twice',
    )
  })

  test('errors in a bracketed key', () => {
    expectRefusal(
      () => steps([{ op: 'replace', value: { 'emails[type eq "work"': 'x' } }]),
      'invalidPath',
      '^Operations\\[0\\]: ',
    )
  })
})

describe('the URN of an extension as path', () => {
  test('add and replace take an object, in strict mode too', () => {
    for (const interop of [compat(), strict()]) {
      expect(steps([{ op: 'replace', path: ENTERPRISE, value: { department: 'x' } }], user, interop)).toEqual(
        [`replace ${ENTERPRISE}:department "x"`],
      )
      expect(interop.used).toEqual([])
    }
    expectRefusal(
      () => steps([{ op: 'add', path: ENTERPRISE, value: 'x' }]),
      'invalidValue',
      'must be an object',
    )
    expectRefusal(
      () => steps([{ op: 'add', path: ENTERPRISE, value: { shoe: 'x' } }], user, strict()),
      'invalidSyntax',
      'shoe is not defined',
    )
  })

  test('remove, or replace by nothing, takes all of it away', () => {
    const cleared = steps([{ op: 'remove', path: ENTERPRISE }])
    expect(cleared).toContain(`remove ${ENTERPRISE}:manager`)
    expect(cleared).toHaveLength(6)
    expect(steps([{ op: 'replace', path: ENTERPRISE, value: null }])).toEqual(cleared)
    expect(steps([{ op: 'add', path: ENTERPRISE, value: null }])).toEqual([])
  })

  test('the longest URN is meant', () => {
    expect(steps([{ op: 'add', path: 'urn:acme:params:scim:Staff:site', value: 'x' }], staffUser)).toEqual([
      'add urn:acme:params:scim:Staff:site "x"',
    ])
  })
})

describe('a container for the core schema', () => {
  test('RFC-160 is read for what is in it, in a value without path: it may take access away', () => {
    expect(steps([{ op: 'replace', value: { [USER]: { active: false, 'name.givenName': 'x' } } }])).toEqual([
      'replace active false',
      'replace name.givenName "x"',
    ])
    expect(notes([{ op: 'replace', value: { [USER]: { active: false } } }])).toContain(`key-as-path: ${USER}`)
  })
})
