// A tenant's own resource types as the operator handles them, each with its schema and the extensions that come
// with it.

import type { Service } from '../env'
import { checkJson, type JsonObject } from '../scim/json'
import { readResourceType } from '../scim/resource-type-reader'
import { type ResourceType, type Schema, schemasOf } from '../scim/schema'
import { schemaDocument } from '../scim/schema-document'
import {
  abortIfUsed,
  countResources,
  deleteResourceType as deleteRow,
  upsertResourceType,
} from '../storage/resource-type-rows'
import { failure } from '../storage/tenant-database'
import {
  invalidDocument,
  makeChange,
  readState,
  type State,
  typesOf,
  untilSettled,
} from './configuration-change'
import type { OpenTenant } from './open-tenant'
import { type Page, type PageRequest, readPage, textPosition } from './page'
import { invalid, notFound, Problem } from './problem'

/** Types of one tenant's own: a list over all types asks for one after the other. */
const MAX_TYPES = 20

export interface ResourceTypeItem {
  readonly name: string
  readonly endpoint: string
  readonly description: string
  /** An RFC 7643 §7 schema. */
  readonly schema: JsonObject
  /** Those that were put with the type. */
  readonly extensions: { readonly schema: JsonObject; readonly required: boolean }[]
}

/** In order of name. */
export function listResourceTypes(
  service: Service,
  tenant: OpenTenant,
  page: PageRequest,
): Promise<Page<ResourceTypeItem>> {
  return readPage(
    service,
    {
      name: 'resource-types',
      owner: tenant.database.tenantId,
      read: async (after, limit) => {
        const { ownTypes } = await readState(tenant)
        const inOrder = ownTypes.toSorted((a, b) => (a.name < b.name ? -1 : 1))
        return inOrder.filter(({ name }) => name > textPosition(after)).slice(0, limit)
      },
      position: ({ name }) => [name],
      item: type => item(tenant, type),
    },
    page,
  )
}

/** Throws 404, also for a type that every tenant has. */
export async function getResourceType(tenant: OpenTenant, name: string): Promise<ResourceTypeItem> {
  return item(tenant, existing(await readState(tenant), name))
}

/**
 * Puts the type in the place of the one with this name, or adds it. Throws 422 for what is no resource type (400 for
 * JSON that nothing should walk), 409 with what is in the way when stored data contradicts it.
 */
export async function putResourceType(
  service: Service,
  tenant: OpenTenant,
  name: string,
  document: JsonObject,
): Promise<{ created: boolean; type: ResourceTypeItem }> {
  return untilSettled(async () => {
    const state = await readState(tenant)
    const type = checked(state, document, name)
    const known = find(state, name)
    if (!known && state.ownTypes.length >= MAX_TYPES)
      throw new Problem(409, `A tenant has at most ${MAX_TYPES} resource types of its own.`)
    const row = { name, document: JSON.stringify({ ...document, name }) }
    // Of a type that is new there are no resources, so that it may be anything.
    await makeChange(tenant, state, { before: known ?? type, after: type }, [
      upsertResourceType(tenant.database.tenantId, row, service.now()),
    ])
    return { created: !known, type: item(tenant, type) }
  })
}

/** Throws 404, and 409 while there are resources of the type or schemas that extend it. */
export async function deleteResourceType(tenant: OpenTenant, name: string): Promise<void> {
  const { database } = tenant
  const { tenantId } = database
  await untilSettled(async () => {
    const state = await readState(tenant)
    const type = existing(state, name)
    refuseExtended(state, name)
    try {
      await makeChange(tenant, state, { before: type, after: type }, [
        abortIfUsed(tenantId, name),
        deleteRow(tenantId, name),
      ])
    } catch (error) {
      if (failure(error) !== 'stale') throw error
      const [found] = await database.batch([countResources(tenantId, name)])
      const resources = Number(found?.rows[0]?.resources)
      throw resources === 0 ? error : inUse(name, resources)
    }
  })
}

function find({ ownTypes }: State, name: string): ResourceType | undefined {
  return ownTypes.find(type => type.name === name)
}

function existing(state: State, name: string): ResourceType {
  const type = find(state, name)
  if (!type) throw notFound('resource type')
  return type
}

function checked(state: State, document: JsonObject, name: string): ResourceType {
  checkJson(document)
  const { name: given = name } = document
  if (given !== name) throw invalid('name', 'must be the name of the path')
  const ownTypes = state.ownTypes.filter(type => type.name !== name)
  const types = typesOf({ ...state, ownTypes })
  const schemas = [...types.flatMap(schemasOf), ...extensionsOf(state, name)]
  const reading = readResourceType({ ...document, name }, { types, schemas })
  if (reading.problems) throw invalidDocument('The resource type', reading.problems)
  return reading.type
}

/** The tenant's schemas that extend the type without having been put with it. */
function extensionsOf({ schemas }: State, name: string): readonly Schema[] {
  return schemas.filter(one => one.extends === name).map(({ schema }) => schema)
}

function refuseExtended(state: State, name: string): void {
  const [first] = extensionsOf(state, name)
  if (first) throw new Problem(409, `The schema ${first.id} extends ${name}. Delete it first.`)
}

function inUse(name: string, resources: number): Problem {
  const are = resources === 1 ? 'is 1 resource' : `are ${resources} resources`
  return new Problem(409, `There ${are} of the type ${name}. Delete them first.`)
}

/** Its schemas as the tenant's own /Schemas shows them. */
function item({ baseUrl }: OpenTenant, type: ResourceType): ResourceTypeItem {
  const document = (schema: Schema) => schemaDocument(schema, `${baseUrl}/Schemas/${schema.id}`)
  return {
    name: type.name,
    endpoint: type.endpoint,
    description: type.description,
    schema: document(type.schema),
    extensions: type.extensions.map(({ schema, required }) => ({ schema: document(schema), required })),
  }
}
