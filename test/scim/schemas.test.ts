// The published schemas against RFC 7643 §8.7 and its errata.
import { describe, expect, test } from 'vitest'
import { type Attribute, findAttribute, subAttribute } from '../../src/scim/attribute'
import { formatPath, resolveQualified } from '../../src/scim/attribute-path'
import type { Json } from '../../src/scim/json'
import { idPath, referringPaths } from '../../src/scim/reference'
import type { ResourceType, Schema } from '../../src/scim/schema'
import { resourceTypeDocument, schemaDocument } from '../../src/scim/schema-document'
import { enterpriseUserSchema } from '../../src/scim/schemas/enterprise-user'
import { groupSchema } from '../../src/scim/schemas/group'
import { resourceTypeSchema } from '../../src/scim/schemas/resource-type'
import { standardResourceTypes } from '../../src/scim/schemas/resource-types'
import { schemaSchema } from '../../src/scim/schemas/schema'
import { serviceProviderConfigSchema } from '../../src/scim/schemas/service-provider-config'
import { userSchema } from '../../src/scim/schemas/user'
import { groupType, userType } from './generate'

const resourceSchemas = [userSchema, enterpriseUserSchema, groupSchema]
const allSchemas = [...resourceSchemas, resourceTypeSchema, schemaSchema, serviceProviderConfigSchema]

function at(schema: Schema, path: string): Attribute {
  const [name = '', sub] = path.split('.')
  const attribute = findAttribute(schema.attributes, name)
  const found = attribute && sub !== undefined ? subAttribute(attribute, sub) : attribute
  if (!found) throw new Error(`${path} is missing`)
  return found
}

function leafOf(name: string, type: ResourceType): Attribute | undefined {
  const path = resolveQualified(name, type)
  return path?.subAttribute ?? path?.attribute
}

function everyAttribute(schema: Schema): Attribute[] {
  const below = (attribute: Attribute): Attribute[] => [
    attribute,
    ...(attribute.subAttributes ?? []).flatMap(below),
  ]
  return schema.attributes.flatMap(below)
}

describe('the User schema', () => {
  test('RFC-69 has the attributes of RFC 7643 §4.1, and no password (RFC-237)', () => {
    expect(userSchema.attributes.map(({ name }) => name)).toEqual([
      'userName',
      'name',
      'displayName',
      'nickName',
      'profileUrl',
      'title',
      'userType',
      'preferredLanguage',
      'locale',
      'timezone',
      'active',
      'emails',
      'phoneNumbers',
      'ims',
      'photos',
      'addresses',
      'groups',
      'entitlements',
      'roles',
      'x509Certificates',
    ])
  })

  test('RFC-51 userName is required, unique on the server and without case', () => {
    expect(at(userSchema, 'userName')).toMatchObject({
      required: true,
      uniqueness: 'server',
      caseExact: false,
    })
    expect(userSchema.attributes.filter(({ required }) => required)).toHaveLength(1)
  })

  test('RFC-56 active is a boolean', () => {
    expect(at(userSchema, 'active').type).toBe('boolean')
  })

  test('RFC-62 groups is readOnly in all its parts and refers to groups only (erratum 8471)', () => {
    const groups = at(userSchema, 'groups')
    expect([groups, ...(groups.subAttributes ?? [])].map(({ mutability }) => mutability)).toEqual(
      Array(5).fill('readOnly'),
    )
    expect(at(userSchema, 'groups.$ref').referenceTypes).toEqual(['Group'])
  })

  test('RFC-61 addresses has a primary and no value', () => {
    expect(at(userSchema, 'addresses.primary').type).toBe('boolean')
    expect(() => at(userSchema, 'addresses.value')).toThrow('missing')
  })

  test('RFC-14 the other multi-valued attributes have value, display, type and primary', () => {
    const labelled = userSchema.attributes.filter(
      ({ name, multiValued }) => multiValued && !['addresses', 'groups'].includes(name),
    )
    expect(labelled).toHaveLength(7)
    for (const { name, subAttributes } of labelled)
      expect([name, ...(subAttributes ?? []).map(sub => sub.name)]).toEqual([
        name,
        'value',
        'display',
        'type',
        'primary',
      ])
  })
})

describe('the Group and enterprise schemas', () => {
  test('RFC-65 Group.displayName is required (erratum 5368)', () => {
    expect(at(groupSchema, 'displayName').required).toBe(true)
  })

  test('RFC-66 members is readWrite; value, $ref and type are immutable; display is readOnly (RFC-67)', () => {
    const mutability = ['members', 'members.value', 'members.$ref', 'members.type', 'members.display'].map(
      path => at(groupSchema, path).mutability,
    )
    expect(mutability).toEqual(['readWrite', 'immutable', 'immutable', 'immutable', 'readOnly'])
  })

  test('RFC-68 manager.value is caseExact (erratum 8472) and displayName readOnly', () => {
    expect(at(enterpriseUserSchema, 'manager.value').caseExact).toBe(true)
    expect(at(enterpriseUserSchema, 'manager.displayName').mutability).toBe('readOnly')
    expect(at(enterpriseUserSchema, 'manager.$ref').referenceTypes).toEqual(['User'])
  })
})

describe('every schema', () => {
  test('RFC-10 references and binaries are caseExact (erratum 6001) and references say to what', () => {
    for (const attribute of allSchemas.flatMap(everyAttribute)) {
      if (attribute.type === 'reference' || attribute.type === 'binary')
        expect([attribute.name, attribute.caseExact]).toEqual([attribute.name, true])
      expect([attribute.name, attribute.referenceTypes !== undefined]).toEqual([
        attribute.name,
        attribute.type === 'reference',
      ])
    }
  })

  test('RFC-13 no sub-attribute of a resource is complex (erratum 8415); complex ones have sub-attributes', () => {
    for (const { attributes } of [...resourceSchemas, resourceTypeSchema, serviceProviderConfigSchema])
      for (const attribute of attributes) {
        expect(attribute.subAttributes?.some(sub => sub.type === 'complex') ?? false).toBe(false)
        expect((attribute.subAttributes?.length ?? 0) > 0).toBe(attribute.type === 'complex')
      }
  })

  test('RFC-2 names follow the ABNF and differ without case', () => {
    for (const schema of allSchemas) {
      for (const { name } of everyAttribute(schema)) expect(name).toMatch(/^([A-Za-z][\w-]*|\$ref)$/)
      const names = schema.attributes.map(({ name }) => name.toLowerCase())
      expect(new Set(names).size).toBe(names.length)
    }
  })

  test('RFC-39 discovery resources are readOnly throughout', () => {
    for (const schema of [resourceTypeSchema, schemaSchema, serviceProviderConfigSchema])
      for (const attribute of everyAttribute(schema))
        expect([attribute.name, attribute.mutability]).toEqual([attribute.name, 'readOnly'])
  })

  test('binary is a legal type (erratum 5606), schemaExtensions and referenceTypes are lists (7522, 5607)', () => {
    expect(at(schemaSchema, 'attributes.type').canonicalValues).toContain('binary')
    expect(at(resourceTypeSchema, 'schemaExtensions').multiValued).toBe(true)
    const nested = findAttribute(
      at(schemaSchema, 'attributes.subAttributes').subAttributes ?? [],
      'referenceTypes',
    )
    expect(nested?.multiValued).toBe(true)
  })

  test('RFC-194 ServiceProviderConfig has the required members of RFC 7643 §5', () => {
    const required = serviceProviderConfigSchema.attributes.filter(attribute => attribute.required)
    expect(required.map(({ name }) => name)).toEqual([
      'patch',
      'bulk',
      'filter',
      'changePassword',
      'sort',
      'etag',
      'authenticationSchemes',
    ])
    expect(at(serviceProviderConfigSchema, 'pagination.cursorTimeout').type).toBe('integer')
    expect(at(serviceProviderConfigSchema, 'interopProfileConformant').type).toBe('boolean')
  })
})

describe('documents', () => {
  test('RFC-201 a schema document has the envelope of §7 and no null', () => {
    const document = schemaDocument(groupSchema, 'https://x/Schemas/g')
    expect(Object.keys(document)).toEqual(['schemas', 'id', 'name', 'description', 'attributes', 'meta'])
    expect(document).toMatchObject({
      schemas: ['urn:ietf:params:scim:schemas:core:2.0:Schema'],
      id: 'urn:ietf:params:scim:schemas:core:2.0:Group',
      meta: { resourceType: 'Schema', location: 'https://x/Schemas/g' },
    })
    for (const schema of allSchemas) expect(JSON.stringify(schemaDocument(schema, 'l'))).not.toContain('null')
  })

  test('RFC-202 characteristics are published as they are, uniqueness not on complex (erratum 6004)', () => {
    const { attributes } = schemaDocument(groupSchema, 'l') as { attributes: { [key: string]: Json }[] }
    expect(attributes[0]).toEqual({
      name: 'displayName',
      type: 'string',
      multiValued: false,
      description: 'The name to show for the group.',
      required: true,
      caseExact: false,
      mutability: 'readWrite',
      returned: 'default',
      uniqueness: 'none',
    })
    expect(attributes[1]).not.toHaveProperty('uniqueness')
    expect(attributes[1]).toMatchObject({
      multiValued: true,
      subAttributes: [
        { name: 'value', mutability: 'immutable', uniqueness: 'none' },
        { name: '$ref', referenceTypes: ['User', 'Group'] },
        { name: 'type', canonicalValues: ['User', 'Group'] },
        { name: 'display' },
      ],
    })
  })

  test('RFC-199 RFC-234 a resource type document has id = name and its schemas', () => {
    expect(resourceTypeDocument(userType(), 'https://x/ResourceTypes/User')).toEqual({
      schemas: ['urn:ietf:params:scim:schemas:core:2.0:ResourceType'],
      id: 'User',
      name: 'User',
      endpoint: '/Users',
      description: userType().description,
      schema: 'urn:ietf:params:scim:schemas:core:2.0:User',
      schemaExtensions: [
        { schema: 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User', required: false },
      ],
      meta: { resourceType: 'ResourceType', location: 'https://x/ResourceTypes/User' },
    })
    expect(resourceTypeDocument(groupType(), 'l')).toMatchObject({ schemaExtensions: [] })
  })

  test('RFC-201 documents are their own: what is published reads as the schema of Schema says', () => {
    const allowed = everyAttribute(schemaSchema).map(({ name }) => name)
    for (const schema of allSchemas) {
      const { attributes } = schemaDocument(schema, 'l') as { attributes: { [key: string]: Json }[] }
      for (const attribute of attributes)
        for (const key of Object.keys(attribute)) expect(allowed).toContain(key)
    }
  })
})

describe('resource types', () => {
  test('name only attributes that exist', () => {
    for (const type of standardResourceTypes) {
      for (const name of [type.membersAttribute, type.membershipsAttribute, type.accessAttribute])
        if (name !== undefined) expect(at(type.schema, name).name).toBe(name)
      for (const { path } of type.lookups)
        if (path !== 'externalId') expect(leafOf(path, type)?.type).toBe('string')
      for (const name of type.emailAttributes ?? []) expect(at(type.schema, name).name).toBe(name)
      for (const name of type.eventAttributes)
        if (name !== 'externalId') expect(at(type.schema, name).name).toBe(name)
    }
  })

  test('RFC-167 what refers to a resource says to which, and is found by its id', () => {
    const paths = standardResourceTypes.flatMap(type => referringPaths(type).map(path => ({ type, path })))
    expect(paths.map(({ path }) => formatPath(path))).toEqual([`${enterpriseUserSchema.id}:manager`])
    for (const { type, path } of paths) {
      const { name, endpoint } = path.attribute.refersTo
      expect(standardResourceTypes).toContainEqual(expect.objectContaining({ name, endpoint }))
      expect(at(path.schema, `${path.attribute.name}.$ref`).referenceTypes).toEqual([name])
      const id = formatPath(idPath(path))
      expect(type.lookups).toContainEqual({ path: id, scope: 'tenant', unique: false })
    }
  })

  test('RFC-65 RFC-209 what is unique, and where', () => {
    const unique = standardResourceTypes.map(type =>
      type.lookups.filter(lookup => lookup.unique).map(({ path, scope }) => `${path} ${scope}`),
    )
    expect(unique).toEqual([
      ['userName tenant', 'externalId connection'],
      ['displayName connection', 'externalId connection'],
    ])
  })

  test('RFC-200 no extension is required', () => {
    expect(standardResourceTypes.flatMap(type => type.extensions.map(({ required }) => required))).toEqual([
      false,
    ])
  })
})
