// A tenant's own schemas as the operator handles them: extensions of its resource types.

import type { Service } from '../env'
import { standardSchema } from '../operations/configuration'
import { sameUrn } from '../scim/attribute-path'
import { checkJson, type JsonObject } from '../scim/json'
import { type ResourceType, type Schema, schemasOf } from '../scim/schema'
import { schemaDocument } from '../scim/schema-document'
import { readSchema } from '../scim/schema-reader'
import type { TenantSchema } from '../scim/tenant-types'
import { deleteSchema as deleteRow, upsertSchema } from '../storage/schema-rows'
import type { Statement } from '../storage/tenant-database'
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

/** Schemas of one tenant: each request of it is answered by all of them. */
const MAX_SCHEMAS = 20

/** An RFC 7643 §7 schema, and `extends`, the name of its resource type. */
export type SchemaItem = JsonObject

/** In order of URN. */
export function listSchemas(
  service: Service,
  tenant: OpenTenant,
  page: PageRequest,
): Promise<Page<SchemaItem>> {
  return readPage(
    service,
    {
      name: 'schemas',
      owner: tenant.database.tenantId,
      read: async (after, limit) => {
        const { schemas } = await readState(tenant)
        const inOrder = schemas.toSorted((a, b) => (a.schema.id < b.schema.id ? -1 : 1))
        return inOrder.filter(({ schema }) => schema.id > textPosition(after)).slice(0, limit)
      },
      position: ({ schema }) => [schema.id],
      item: item(tenant),
    },
    page,
  )
}

/** Throws 404, also for a schema that every tenant has and this one adds nothing to. */
export async function getSchema(tenant: OpenTenant, urn: string): Promise<SchemaItem> {
  return item(tenant)(existing(await readState(tenant), urn))
}

/**
 * Puts the schema in the place of the one with this URN, or adds it. Throws 422 for a document that is none (400 for
 * JSON that nothing should walk), 409 with what is in the way when stored data contradicts it.
 */
export async function putSchema(
  service: Service,
  tenant: OpenTenant,
  urn: string,
  extended: string | undefined,
  document: JsonObject,
): Promise<{ created: boolean; schema: SchemaItem }> {
  return untilSettled(async () => {
    const state = await readState(tenant)
    const known = find(state, urn)
    const name = nameOfType(state, known, extended)
    const schema = checked(state, document, urn, standardSchema(name, urn))
    if (known && known.schema.id !== schema.id) throw invalid('id', `must be spelt ${known.schema.id}`)
    if (!known && state.schemas.length >= MAX_SCHEMAS)
      throw new Problem(409, `A tenant has at most ${MAX_SCHEMAS} schemas of its own.`)
    const row = { urn: schema.id, extends: name, document: JSON.stringify({ ...document, id: schema.id }) }
    const put = { extends: name, schema }
    await change(tenant, state, urn, put, [upsertSchema(tenant.database.tenantId, row, service.now())])
    return { created: !known, schema: item(tenant)(put) }
  })
}

/** Throws 404, and 409 while resources have values of it. */
export async function deleteSchema(tenant: OpenTenant, urn: string): Promise<void> {
  await untilSettled(async () => {
    const state = await readState(tenant)
    const { schema } = existing(state, urn)
    await change(tenant, state, urn, undefined, [deleteRow(tenant.database.tenantId, schema.id)])
  })
}

function find({ schemas }: State, urn: string): TenantSchema | undefined {
  return schemas.find(({ schema }) => sameUrn(schema.id, urn))
}

function existing(state: State, urn: string): TenantSchema {
  const known = find(state, urn)
  if (!known) throw notFound('schema')
  return known
}

/** The type that the schema extends already, or the one that it is to extend. */
function nameOfType(state: State, known: TenantSchema | undefined, extended: string | undefined): string {
  const wanted = extended ?? known?.extends
  const names = typesOf(state).map(({ name }) => name)
  const name = names.find(candidate => candidate === wanted)
  if (name === undefined)
    throw invalid('extends', `must be the name of a resource type, ${names.join(' or ')}`)
  if (known && known.extends !== name)
    throw new Problem(
      409,
      `The schema extends ${known.extends}. Delete it first, or send it under another URN.`,
    )
  return name
}

function checked(state: State, document: JsonObject, urn: string, standard: Schema | undefined): Schema {
  checkJson(document)
  const { id = urn } = document
  if (typeof id === 'string' && !sameUrn(id, urn)) throw invalid('id', 'must be the URN of the path')
  const others = typesOf({ ...state, schemas: without(state, urn) }).flatMap(schemasOf)
  const reading = readSchema(
    { ...document, id },
    standard,
    others.filter(other => other !== standard),
  )
  if (reading.problems) throw invalidDocument('The schema', reading.problems)
  return reading.schema
}

function without({ schemas }: State, urn: string): readonly TenantSchema[] {
  return schemas.filter(({ schema }) => !sameUrn(schema.id, urn))
}

/** `put`: in the place of the one with this URN, if there is one; undefined: it goes. */
async function change(
  tenant: OpenTenant,
  state: State,
  urn: string,
  put: TenantSchema | undefined,
  rows: readonly Statement[],
): Promise<void> {
  const name = (put ?? existing(state, urn)).extends
  const rest = without(state, urn)
  const before = typeNamed(state, name)
  const after = typeNamed({ ...state, schemas: put ? [...rest, put] : rest }, name)
  await makeChange(tenant, state, { before, after }, rows)
}

function typeNamed(state: State, name: string): ResourceType {
  const type = typesOf(state).find(candidate => candidate.name === name)
  if (!type) throw new Error(`There is no resource type ${name} to extend.`)
  return type
}

/** As the tenant's own /Schemas shows it. */
function item({ baseUrl }: OpenTenant): (one: TenantSchema) => SchemaItem {
  return ({ extends: name, schema }) => ({
    ...schemaDocument(schema, `${baseUrl}/Schemas/${schema.id}`),
    extends: name,
  })
}
