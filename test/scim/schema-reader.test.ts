// RFC 7643 §7 documents as operators send them: what is enforced of them, and every reason to refuse one.
import { describe, expect, it } from 'vitest'
import type { Json, JsonObject } from '../../src/scim/json'
import type { ResourceType, Schema } from '../../src/scim/schema'
import { demandsOf, uniquenessChange } from '../../src/scim/schema-change'
import { schemaDocument } from '../../src/scim/schema-document'
import { MAX_ATTRIBUTES, MAX_NAME_LENGTH, readSchema, type SchemaProblem } from '../../src/scim/schema-reader'
import { enterpriseUserSchema } from '../../src/scim/schemas/enterprise-user'
import { standardResourceTypes } from '../../src/scim/schemas/resource-types'
import { userSchema } from '../../src/scim/schemas/user'
import { extendedTypes } from '../../src/scim/tenant-types'

const URN = 'urn:example:scim:1.0:User'

const document = (attributes: Json, more: JsonObject = {}): JsonObject => ({
  id: URN,
  name: 'Example',
  attributes,
  ...more,
})

function schemaOf(attributes: Json, standard?: Schema): Schema {
  const reading = readSchema(document(attributes, { id: standard?.id ?? URN }), standard, [])
  if (reading.problems) throw new Error(JSON.stringify(reading.problems))
  return reading.schema
}

function problemsOf(
  document: Json,
  standard?: Schema,
  others: readonly Schema[] = [],
): readonly SchemaProblem[] {
  return readSchema(document, standard, others).problems ?? []
}

const defaults = {
  type: 'string',
  multiValued: false,
  description: '',
  required: false,
  caseExact: false,
  mutability: 'readWrite',
  returned: 'default',
  uniqueness: 'none',
}

describe('a document that is taken', () => {
  it('has the defaults of RFC 7643 §2.2 where it says nothing, or null', () => {
    const silent = Object.fromEntries(Object.keys(defaults).map(name => [name, null]))
    expect(schemaOf([{ name: 'a' }, { ...silent, name: 'b', subAttributes: null }]).attributes).toEqual([
      { ...defaults, name: 'a' },
      { ...defaults, name: 'b' },
    ])
  })

  it.each(['string', 'boolean', 'decimal', 'integer', 'dateTime', 'binary', 'reference'])(
    'may have attributes of type %s, on both levels',
    type => {
      const [attribute] = schemaOf([
        { name: 'a', type: 'complex', subAttributes: [{ name: 'b', type }] },
      ]).attributes
      expect(attribute?.subAttributes?.[0]).toMatchObject({ name: 'b', type })
      expect(schemaOf([{ name: 'a', type }]).attributes[0]).toMatchObject({ type })
    },
  )

  it('keeps every characteristic as it is given', () => {
    const given = {
      name: 'a-B_9',
      type: 'string',
      multiValued: true,
      description: 'Of many.',
      required: true,
      caseExact: true,
      mutability: 'immutable',
      returned: 'request',
      uniqueness: 'global',
      canonicalValues: ['x', 'y'],
    }
    expect(schemaOf([given]).attributes).toEqual([given])
  })

  it.each(['binary', 'reference'])('%s has case, whatever it says (§2.3.6, §2.3.7)', type => {
    expect(schemaOf([{ name: 'a', type, caseExact: false }]).attributes[0]).toMatchObject({ caseExact: true })
  })

  it('a writeOnly attribute that does not say when it is returned never is', () => {
    expect(schemaOf([{ name: 'a', mutability: 'writeOnly' }]).attributes[0]).toMatchObject({
      returned: 'never',
    })
  })

  it('$ref is the one name with a $, within a complex attribute', () => {
    const attributes = [{ name: 'a', type: 'complex', subAttributes: [{ name: '$ref', type: 'reference' }] }]
    expect(schemaOf(attributes).attributes[0]?.subAttributes?.[0]?.name).toBe('$ref')
  })

  it('is read again from what is published of it', () => {
    const schema = schemaOf([
      { name: 'a', type: 'reference', referenceTypes: ['User'], multiValued: true },
      { name: 'b', type: 'complex', subAttributes: [{ name: 'c', canonicalValues: ['x'] }] },
    ])
    expect(readSchema(schemaDocument(schema, 'https://example.com'), undefined, [])).toEqual({ schema })
  })
})

describe('a document that is refused', () => {
  const one = (attribute: Json) => document([attribute])
  const inside = (attribute: Json) => one({ name: 'a', type: 'complex', subAttributes: [attribute] })
  const many = (count: number) => Array.from({ length: count }, (_, i) => ({ name: `a${i}` }))

  it.each<[string, Json, string]>([
    ['that is no object', [], ''],
    ['over 128 KB', document([{ name: 'a' }], { description: 'ä'.repeat(65_536) }), ''],
    ['without a name', document([{ name: 'a' }], { name: null }), 'name'],
    ['without attributes', document([]), 'attributes'],
    ['whose attributes are no list', document({ name: 'a' }), 'attributes'],
    ['with too many attributes', document(many(MAX_ATTRIBUTES + 1)), 'attributes'],
    [
      'with too many on both levels',
      document([{ name: 'a', type: 'complex', subAttributes: many(MAX_ATTRIBUTES) }]),
      'attributes',
    ],
    ['with an attribute that is no object', one('a'), 'attributes[0]'],
    ['with an attribute without a name', one({ type: 'string' }), 'attributes[0].name'],
    ['with a name that begins with a digit', one({ name: '1a' }), 'attributes[0].name'],
    ['with a name that has a space', one({ name: 'a b' }), 'attributes[0].name'],
    ['with a name that has a dot', one({ name: 'a.b' }), 'attributes[0].name'],
    ['with a name that is not ASCII', one({ name: 'größe' }), 'attributes[0].name'],
    ['with a $', one({ name: 'a$' }), 'attributes[0].name'],
    ['with $ref outside a complex attribute', one({ name: '$ref' }), 'attributes[0].name'],
    ['with $id inside', inside({ name: '$id' }), 'attributes[0].subAttributes[0].name'],
    ['with constructor', one({ name: 'constructor' }), 'attributes[0].name'],
    ['with toString inside', inside({ name: 'toString' }), 'attributes[0].subAttributes[0].name'],
    ['with __proto__', one({ name: '__proto__' }), 'attributes[0].name'],
    ['with a long name', one({ name: 'a'.repeat(MAX_NAME_LENGTH + 1) }), 'attributes[0].name'],
    ['with one name twice', document([{ name: 'a' }, { name: 'A' }]), 'attributes[1].name'],
    ['with an unknown type', one({ name: 'a', type: 'datetime' }), 'attributes[0].type'],
    ['with a characteristic misspelt', one({ name: 'a', mulitValued: true }), 'attributes[0].mulitValued'],
    ['with text for a flag', one({ name: 'a', required: 'true' }), 'attributes[0].required'],
    ['with an unknown mutability', one({ name: 'a', mutability: 'readonly' }), 'attributes[0].mutability'],
    ['with an unknown returned', one({ name: 'a', returned: 'often' }), 'attributes[0].returned'],
    ['with an unknown uniqueness', one({ name: 'a', uniqueness: 'tenant' }), 'attributes[0].uniqueness'],
    ['complex within complex', inside({ name: 'b', type: 'complex' }), 'attributes[0].subAttributes[0].type'],
    ['complex without parts', one({ name: 'a', type: 'complex' }), 'attributes[0].subAttributes'],
    ['simple with parts', one({ name: 'a', subAttributes: [{ name: 'b' }] }), 'attributes[0].subAttributes'],
    [
      'writeOnly and returned',
      one({ name: 'a', mutability: 'writeOnly', returned: 'default' }),
      'attributes[0].returned',
    ],
    [
      'readOnly and never returned',
      one({ name: 'a', mutability: 'readOnly', returned: 'never' }),
      'attributes[0].returned',
    ],
    [
      'a unique boolean',
      one({ name: 'a', type: 'boolean', uniqueness: 'server' }),
      'attributes[0].uniqueness',
    ],
    [
      'a unique decimal',
      one({ name: 'a', type: 'decimal', uniqueness: 'server' }),
      'attributes[0].uniqueness',
    ],
    [
      'a unique part',
      inside({ name: 'b', uniqueness: 'server' }),
      'attributes[0].subAttributes[0].uniqueness',
    ],
    [
      'canonical values of a number',
      one({ name: 'a', type: 'integer', canonicalValues: ['1'] }),
      'attributes[0].canonicalValues',
    ],
    [
      'canonical values that are none',
      one({ name: 'a', canonicalValues: [1] }),
      'attributes[0].canonicalValues',
    ],
    [
      'reference types of a string',
      one({ name: 'a', referenceTypes: ['User'] }),
      'attributes[0].referenceTypes',
    ],
  ])('%s', (_, document, path) => {
    expect(problemsOf(document).map(problem => problem.path)).toEqual([path])
  })

  it('names every problem, twenty at most', () => {
    const bad = Array.from({ length: 30 }, (_, i) => ({ name: `a${i}`, type: 'text' }))
    expect(problemsOf(document([{ name: '1' }, { name: 'b', required: 1 }]))).toHaveLength(2)
    expect(problemsOf(document(bad))).toHaveLength(20)
  })

  it('as large as the bounds allow it is taken', () => {
    expect(problemsOf(document(many(MAX_ATTRIBUTES)))).toEqual([])
    expect(problemsOf(one({ name: 'a'.repeat(MAX_NAME_LENGTH) }))).toEqual([])
  })

  it.each([
    'User',
    'urn:example',
    'urn:example:a b',
    'urn:example:a"b',
    "urn:example:a'b",
    'urn:example::b',
    'urn:example:a:',
    'urn:example:a(b)',
    'https://example.com/User',
    userSchema.id,
    'urn:ietf:params:scim:schemas:core:2.0:Badge',
    'urn:ietf:params:scim:api:messages:2.0:PatchOp',
  ])('the URN %s', id => {
    expect(problemsOf(document([{ name: 'a' }], { id })).map(({ path }) => path)).toEqual(['id'])
  })
})

describe('beside other schemas', () => {
  const other = { ...schemaOf([{ name: 'badge' }]), id: 'urn:example:other:1.0:User' }
  const named = (id: string, name = 'a') => problemsOf(document([{ name }], { id }), undefined, [other])

  it('a URN of another schema is refused in any case', () => {
    expect(named('urn:EXAMPLE:other:1.0:user')).toMatchObject([{ path: 'id' }])
  })

  it('a URN that reads as an attribute of another schema is refused, in both directions', () => {
    expect(named('urn:example:other:1.0:User:badge')).toMatchObject([{ path: 'id' }])
    expect(named('urn:example:other:1.0', 'user')).toMatchObject([{ path: 'id' }])
    expect(named('urn:example:other:1.0:User:lanyard')).toEqual([])
  })

  it('of a standard extension all attributes stay, first, and a copy of one changes nothing', () => {
    const standard = enterpriseUserSchema
    const copied = (schemaDocument(standard, '').attributes as JsonObject[]).slice(0, 6)
    const { attributes } = schemaOf([...copied, { name: 'desk' }], standard)
    expect(attributes.slice(0, -1)).toEqual(standard.attributes)
    expect(attributes.at(-1)).toEqual({ ...defaults, name: 'desk' })
  })

  it('an attribute of a standard extension cannot be made another', () => {
    const changed = document([{ name: 'department', required: true }], { id: enterpriseUserSchema.id })
    expect(problemsOf(changed, enterpriseUserSchema)).toMatchObject([{ path: 'attributes' }])
    const spelt = document([{ name: 'a' }], { id: enterpriseUserSchema.id.toUpperCase() })
    expect(problemsOf(spelt, enterpriseUserSchema).length).toBeGreaterThan(0)
  })

  it('a type has the tenant’s extensions behind the standard’s, and a lookup for each unique attribute', () => {
    const schema = schemaOf([{ name: 'badge', uniqueness: 'server' }, { name: 'level' }])
    const [user, group] = extendedTypes(standardResourceTypes, [{ extends: 'User', schema }])
    expect(user?.extensions.map(extension => extension.schema.id)).toEqual([enterpriseUserSchema.id, URN])
    expect(user?.lookups.at(-1)).toEqual({ path: `${URN}:badge`, scope: 'tenant', unique: true })
    expect(user?.lookups).toHaveLength((standardResourceTypes[0]?.lookups.length ?? 0) + 1)
    expect(group).toEqual(standardResourceTypes[1])
  })
})

describe('what a change demands of stored data', () => {
  const typeWith = (attributes: Json | undefined): ResourceType => {
    const schemas = attributes ? [{ extends: 'User', schema: schemaOf(attributes) }] : []
    const [type] = extendedTypes(standardResourceTypes, schemas)
    if (!type) throw new Error('there is no type')
    return type
  }
  const demands = (before: Json | undefined, after: Json | undefined) =>
    demandsOf(typeWith(before), typeWith(after)).map(
      ({ path, kind }) => `${path.slice(URN.length + 1)} ${kind}`,
    )

  it.each<[string, Json | undefined, Json | undefined, string[]]>([
    ['a first schema', undefined, [{ name: 'a' }, { name: 'b', required: true }], ['b present']],
    ['no schema any more', [{ name: 'a' }, { name: 'b' }], undefined, ['a unused', 'b unused']],
    ['nothing changed', [{ name: 'a', required: true }], [{ name: 'a', required: true }], []],
    [
      'words and what is shown',
      [{ name: 'a' }],
      [{ name: 'a', description: 'A', returned: 'request', mutability: 'immutable', canonicalValues: ['x'] }],
      [],
    ],
    ['less demanded', [{ name: 'a', required: true, uniqueness: 'server' }], [{ name: 'a' }], []],
    [
      'required but readOnly',
      [{ name: 'a' }],
      [{ name: 'b', required: true, mutability: 'readOnly' }],
      ['a unused'],
    ],
    [
      'a part added, one removed',
      [{ name: 'a', type: 'complex', subAttributes: [{ name: 'b' }, { name: 'c' }] }],
      [{ name: 'a', type: 'complex', subAttributes: [{ name: 'b', type: 'integer' }, { name: 'd' }] }],
      ['a.b unused', 'a.c unused'],
    ],
    [
      'unique and required',
      [{ name: 'a' }],
      [{ name: 'a', required: true, uniqueness: 'global' }],
      ['a present', 'a distinct'],
    ],
  ])('%s', (_, before, after, expected) => {
    expect(demands(before, after)).toEqual(expected)
  })

  it('lookups come and go with uniqueness', () => {
    const before = typeWith([
      { name: 'a', uniqueness: 'server' },
      { name: 'b' },
      { name: 'c', uniqueness: 'server' },
    ])
    const after = typeWith([
      { name: 'a', uniqueness: 'global' },
      { name: 'b', uniqueness: 'server' },
      { name: 'c' },
    ])
    expect(uniquenessChange(before, after)).toEqual({ gained: [`${URN}:b`], lost: [`${URN}:c`] })
  })
})
