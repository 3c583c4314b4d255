// Attribute paths: which text names which attribute, and which names none.
import { describe, expect, test } from 'vitest'
import { attribute } from '../../src/scim/attribute'
import { formatPath, resolveExtension, resolvePath } from '../../src/scim/attribute-path'
import { Interop, type Mode } from '../../src/scim/interop'
import type { ResourceType, Schema } from '../../src/scim/schema'
import { badgedUserType, groupType, userType, withExtension } from './generate'

const core = 'urn:ietf:params:scim:schemas:core:2.0:User'
const enterprise = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'

function resolved(
  text: string,
  type: ResourceType = badgedUserType,
  mode: Mode = 'compat',
): string | undefined {
  const path = resolvePath(text, type, new Interop(mode))
  return path && formatPath(path)
}

function schemaOf(id: string, ...names: readonly string[]): Schema {
  return { id, name: id, description: id, attributes: names.map(name => attribute(name, name)) }
}

describe('resolvePath', () => {
  test.each([
    ['userName', 'userName'],
    ['USERNAME', 'userName'],
    ['Name.givenname', 'name.givenName'],
    ['EMAILS.VALUE', 'emails.value'],
    ['groups.$REF', 'groups.$ref'],
    ['x509certificates.value', 'x509Certificates.value'],
    ['externalid', 'externalId'],
    ['META.lastmodified', 'meta.lastModified'],
    ['schemas', 'schemas'],
    ['Id', 'id'],
  ])('RFC-1 RFC-107 %s is %s', (text, expected) => {
    expect(resolved(text)).toBe(expected)
  })

  test.each([
    [`${core}:userName`, 'userName'],
    [`${core}:name.givenName`, 'name.givenName'],
    [`${core}:externalId`, 'externalId'],
    [`${core.toUpperCase()}:NAME.GIVENNAME`, 'name.givenName'],
    [`${enterprise}:department`, `${enterprise}:department`],
    [`${enterprise.toLowerCase()}:Manager.VALUE`, `${enterprise}:manager.value`],
    [`${enterprise}:manager.$ref`, `${enterprise}:manager.$ref`],
    ['urn:acme:params:scim:2.0:badge:level', 'urn:acme:params:scim:2.0:Badge:level'],
  ])('RFC-108 %s is cut at the known schema', (text, expected) => {
    expect(resolved(text)).toBe(expected)
  })

  test('RFC-108 the longest known schema wins where one id begins another', () => {
    const short = schemaOf('urn:x:a', 'b', 'one')
    const long = schemaOf('urn:x:a:b', 'one', 'two')
    for (const order of [
      [short, long],
      [long, short],
    ]) {
      const type = order.reduce(withExtension, userType())
      expect(resolved('urn:x:a:b:one', type)).toBe('urn:x:a:b:one')
      expect(resolvePath('urn:x:a:b:one', type, new Interop('compat'))?.schema).toBe(long)
      expect(resolvePath('urn:x:a:one', type, new Interop('compat'))?.schema).toBe(short)
      expect(resolved('urn:x:a:two', type)).toBeUndefined()
      // The bare URN of the long schema is that schema, not the attribute b of the short one.
      expect(resolved('urn:x:a:b', type)).toBeUndefined()
    }
  })

  test('says where the attribute lives', () => {
    const interop = new Interop('compat')
    expect(resolvePath('emails.type', userType(), interop)).toMatchObject({
      schema: { id: core },
      extension: false,
      attribute: { name: 'emails' },
      subAttribute: { name: 'type' },
    })
    expect(resolvePath(`${enterprise}:manager`, userType(), interop)).toMatchObject({
      schema: { id: enterprise },
      extension: true,
      attribute: { name: 'manager' },
    })
    expect(resolvePath('userName', userType(), interop)).not.toHaveProperty('subAttribute')
  })

  test.each([
    '',
    '.',
    'userName.',
    '.userName',
    'nosuch',
    'name.nosuch',
    'userName.value',
    'active.value',
    'name.givenName.x',
    'emails..value',
    'emails.value ',
    ' userName',
    enterprise,
    core,
    `${core}:`,
    `${enterprise}:`,
    `${enterprise}:userName`,
    `${enterprise}:id`,
    `${enterprise}.department`,
    `${core}:department`,
    'urn:ietf:params:scim:schemas:core:2.0:Group:displayName',
    'urn:ietf:params:scim:schemas:extension:enterprise:2.0User:department',
    'urn:unknown:thing',
    '$ref',
    '_userName',
    'password',
  ])('%j names no attribute', text => {
    expect(resolved(text)).toBeUndefined()
  })

  test.each([
    '__proto__',
    'constructor',
    'toString',
    'hasOwnProperty',
    '__proto__.polluted',
    'name.__proto__',
    'name.constructor',
    'constructor.prototype',
    `${enterprise}:__proto__`,
    `${enterprise}:constructor`,
  ])('RFC-224 %s names no attribute', text => {
    expect(resolved(text)).toBeUndefined()
  })

  test('RFC-224 not even when a schema of a tenant has such names', () => {
    const type = withExtension(
      userType(),
      schemaOf('urn:x:evil', 'constructor', 'valueOf', '__proto__', 'fine'),
    )
    expect(resolved('urn:x:evil:fine', type)).toBe('urn:x:evil:fine')
    for (const name of ['constructor', 'CONSTRUCTOR', 'valueof', '__proto__'])
      expect([name, resolved(`urn:x:evil:${name}`, type), resolved(name, type)]).toEqual([
        name,
        undefined,
        undefined,
      ])
  })

  test('RFC-14 value of a multi-valued simple attribute is the element itself', () => {
    expect(resolved('urn:acme:params:scim:2.0:Badge:tags.value')).toBe('urn:acme:params:scim:2.0:Badge:tags')
    expect(resolved('schemas.Value')).toBe('schemas')
    expect(resolved('schemas.type')).toBeUndefined()
    expect(resolved('urn:acme:params:scim:2.0:Badge:level.value')).toBeUndefined()
  })

  test('a group has the attributes of a group', () => {
    expect(resolved('members.value', groupType())).toBe('members.value')
    expect(resolved('userName', groupType())).toBeUndefined()
  })
})

describe('an extension attribute without its URN (Entra)', () => {
  test('is found in compat, and the use is noted', () => {
    const interop = new Interop('compat')
    const path = resolvePath('MANAGER.value', userType(), interop)
    expect(path && formatPath(path)).toBe(`${enterprise}:manager.value`)
    expect(interop.used).toEqual(['unqualified-extension: manager'])
  })

  test('is unknown in strict', () => {
    const interop = new Interop('strict')
    expect(resolvePath('manager', userType(), interop)).toBeUndefined()
    expect(interop.used).toEqual([])
  })

  test('is unknown when two extensions have it', () => {
    const type = withExtension(userType(), schemaOf('urn:x:more', 'Department', 'shoe'))
    expect(resolved('department', type)).toBeUndefined()
    expect(resolved('shoe', type)).toBe('urn:x:more:shoe')
  })

  test('never hides a core or common attribute, and a name that resolves at once notes nothing', () => {
    const type = withExtension(userType(), schemaOf('urn:x:more', 'title', 'meta', 'externalId'))
    const interop = new Interop('compat')
    for (const name of ['title', 'meta', 'externalId'])
      expect(resolvePath(name, type, interop)?.extension).toBe(false)
    const shoe = attribute('name', 'Complex.', {
      type: 'complex',
      subAttributes: [attribute('shoe', 'A size.')],
    })
    const shod = withExtension(userType(), { ...schemaOf('urn:x:shoes'), attributes: [shoe] })
    expect(resolvePath('name.shoe', shod, interop)).toBeUndefined()
    expect(resolved('urn:x:shoes:name.shoe', shod)).toBe('urn:x:shoes:name.shoe')
    expect(resolvePath('manager.nosuch', type, interop)).toBeUndefined()
    expect(interop.used).toEqual([])
  })
})

describe('resolveExtension', () => {
  test('RFC-1 takes the URN alone, without case', () => {
    expect(resolveExtension(enterprise, userType())?.schema.id).toBe(enterprise)
    expect(resolveExtension(enterprise.toUpperCase(), userType())?.schema.id).toBe(enterprise)
  })

  test.each([core, `${enterprise}:`, `${enterprise}:department`, enterprise.slice(0, -1), '', 'userName'])(
    '%j is no extension',
    text => {
      expect(resolveExtension(text, userType())).toBeUndefined()
    },
  )
})
