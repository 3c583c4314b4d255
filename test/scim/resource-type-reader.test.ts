// Resource types as operators send them: what is made of them, what is refused, and what a change of one demands.
import { describe, expect, it } from 'vitest'
import type { Json, JsonObject } from '../../src/scim/json'
import { type Others, readResourceType } from '../../src/scim/resource-type-reader'
import { commonAttributes, type ResourceType, schemasOf } from '../../src/scim/schema'
import { demandsOf, uniquenessChange } from '../../src/scim/schema-change'
import { standardResourceTypes } from '../../src/scim/schemas/resource-types'

const URN = 'urn:example:scim:1.0:Device'
const MORE = 'urn:example:scim:more:1.0:Device'
const OTHER = 'urn:example:scim:other:1.0:Device'

const others: Others = { types: standardResourceTypes, schemas: standardResourceTypes.flatMap(schemasOf) }

const schema = (attributes: Json = [{ name: 'a' }], id = URN): JsonObject => ({
  id,
  name: 'Device',
  attributes,
})

const document = (more: JsonObject = {}): JsonObject => ({
  name: 'Device',
  endpoint: '/Devices',
  schema: schema(),
  ...more,
})

function typeOf(more: JsonObject = {}): ResourceType {
  const reading = readResourceType(document(more), others)
  if (reading.problems) throw new Error(JSON.stringify(reading.problems))
  return reading.type
}

const problemsOf = (more: JsonObject) => readResourceType(document(more), others).problems ?? []

describe('a type that is taken', () => {
  it('is the tenant’s, is told of as a resource, and is looked up by what is unique', () => {
    const attributes = [{ name: 'serial', uniqueness: 'server' }, { name: 'a' }]
    const extension = schema([{ name: 'tag', uniqueness: 'global' }], MORE)
    expect(
      typeOf({ schema: schema(attributes), extensions: [{ schema: extension, required: true }] }),
    ).toMatchObject({
      name: 'Device',
      endpoint: '/Devices',
      scope: 'tenant',
      eventNoun: 'resource',
      extensions: [{ required: true, schema: { id: MORE } }],
      lookups: [
        { path: 'externalId', scope: 'connection', unique: true },
        { path: 'serial', scope: 'tenant', unique: true },
        { path: `${MORE}:tag`, scope: 'tenant', unique: true },
      ],
    })
  })

  it('has the description of its schema where it has none itself', () => {
    const described = { ...schema(), description: 'Of the schema.' }
    expect(typeOf({ schema: described }).description).toBe('Of the schema.')
    expect(typeOf({ schema: described, description: 'Of the type.' }).description).toBe('Of the type.')
    expect(typeOf({ description: null, extensions: null }).description).toBe('')
  })

  it('may have an extension’s fields beside "required"', () => {
    const inline = { ...schema([{ name: 'b' }], MORE), schemas: ['x'], meta: {}, required: true }
    expect(typeOf({ extensions: [inline] })).toEqual(
      typeOf({ extensions: [{ schema: schema([{ name: 'b' }], MORE), required: true }] }),
    )
  })
})

describe('a type that is refused', () => {
  it.each<[string, JsonObject, string[]]>([
    ['a name that is none', { name: '' }, ['name']],
    ['a name that is no text', { name: 5 }, ['name']],
    ['the name of a type of the standard', { name: 'gROUP' }, ['name']],
    ['the name of a document of the protocol', { name: 'Schema' }, ['name']],
    ['an endpoint that ends in a slash', { endpoint: '/Devices/' }, ['endpoint']],
    ['an endpoint with a line break', { endpoint: '/Devices\n' }, ['endpoint']],
    ['an endpoint of the protocol', { endpoint: '/bulk' }, ['endpoint']],
    ['a description that is no text', { description: ['x'] }, ['description']],
    ['no schema', { schema: null }, ['schema']],
    ['no attributes', { schema: schema([]) }, ['schema.attributes']],
    ['an extension that is no object', { extensions: ['x'] }, ['extensions[0]']],
    ['an extension of nothing', { extensions: [null] }, ['extensions[0]']],
    [
      'an extension of the base’s URN, whatever its case',
      { extensions: [schema(undefined, URN.toUpperCase())] },
      ['extensions[0].id'],
    ],
    [
      'a URN that is an attribute of another',
      { extensions: [schema(undefined, `${URN}:a`)] },
      ['extensions[0].id'],
    ],
    [
      'the enterprise extension',
      { extensions: [schema(undefined, others.schemas[1]?.id)] },
      ['extensions[0].id'],
    ],
    [
      'a second extension that is like the first',
      { extensions: [schema(undefined, MORE), schema(undefined, MORE)] },
      ['extensions[1].id'],
    ],
  ])('%s', (_, more, paths) => {
    expect(problemsOf(more).map(({ path }) => path)).toEqual(paths)
  })

  it.each(commonAttributes.map(({ name }) => name))('RFC-38 %s is no attribute of a base schema', name => {
    const given = schema([{ name: 'a' }, { name: name.toUpperCase() }])
    expect(problemsOf({ schema: given }).map(({ path }) => path)).toEqual(['schema.attributes[1].name'])
    expect(problemsOf({ extensions: [schema([{ name }], MORE)] })).toEqual([])
  })

  it('names twenty problems at most', () => {
    const attributes = Array.from({ length: 15 }, () => ({ name: '1' }))
    const extensions = [schema(attributes, MORE), schema(attributes, OTHER)]
    expect(problemsOf({ extensions })).toHaveLength(20)
  })
})

describe('what a change of a type demands of stored data', () => {
  const more = (required: boolean, attributes: Json = [{ name: 'b' }]): JsonObject => ({
    extensions: [{ schema: schema(attributes, MORE), required }],
  })

  it.each<[string, JsonObject, JsonObject, [path: string, container: string | undefined, kind: string][]]>([
    ['nothing changed', more(true), more(true), []],
    ['another place and other words', {}, { endpoint: '/Machines', description: 'x' }, []],
    ['another URN of the base schema', {}, { schema: schema(undefined, OTHER) }, []],
    [
      'an attribute of the base removed',
      { schema: schema([{ name: 'a' }, { name: 'c' }]) },
      {},
      [[`${URN}:c`, undefined, 'unused']],
    ],
    [
      'an attribute of the base required',
      {},
      { schema: schema([{ name: 'a', required: true }]) },
      [[`${URN}:a`, undefined, 'present']],
    ],
    ['an extension more', {}, more(false), []],
    ['an extension more that is required', {}, more(true), [[MORE, undefined, 'present']]],
    ['an extension required', more(false), more(true), [[MORE, undefined, 'present']]],
    ['an extension required no longer', more(true), more(false), []],
    ['an extension removed', more(true), {}, [[`${MORE}:b`, MORE, 'unused']]],
    [
      'an extension spelt otherwise',
      more(false),
      { extensions: [schema([{ name: 'b' }], MORE.toUpperCase())] },
      [[`${MORE}:b`, MORE, 'unused']],
    ],
    [
      'an attribute of an extension unique',
      more(false),
      more(false, [{ name: 'b', uniqueness: 'server' }]),
      [[`${MORE}:b`, MORE, 'distinct']],
    ],
  ])('%s', (_, before, after, expected) => {
    const demands = demandsOf(typeOf(before), typeOf(after))
    expect(demands.map(({ path, container, kind }) => [path, container, kind])).toEqual(expected)
  })

  it('lookups come and go with uniqueness, but for externalId', () => {
    const before = typeOf({ schema: schema([{ name: 'a', uniqueness: 'server' }]) })
    const after = typeOf(more(false, [{ name: 'b', uniqueness: 'server' }]))
    expect(uniquenessChange(before, after)).toEqual({ gained: [`${MORE}:b`], lost: ['a'] })
  })
})
