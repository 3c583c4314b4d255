// A tenant's own schemas as the operator handles them. A change is made in the batch that looks whether stored data
// contradicts it, so that nothing can come between.

import type { Service } from '../env'
import { standardSchema, tenantSchema } from '../operations/configuration'
import { sameUrn } from '../scim/attribute-path'
import { checkJson, type JsonObject } from '../scim/json'
import { type ResourceType, type Schema, schemasOf } from '../scim/schema'
import { type Demand, demandsOf, uniquenessChange } from '../scim/schema-change'
import { schemaDocument } from '../scim/schema-document'
import { readSchema } from '../scim/schema-reader'
import { standardResourceTypes } from '../scim/schemas/resource-types'
import { extendedTypes, type TenantSchema } from '../scim/tenant-types'
import { abortIfUnmet, deleteLookupsOf, insertLookupsOf, selectUnmet } from '../storage/schema-demands'
import {
  abortUnlessConfiguration,
  deleteSchema as deleteRow,
  readSchemaRows,
  selectSchemas,
  upsertSchema,
} from '../storage/schema-rows'
import { failure, type Statement } from '../storage/tenant-database'
import { raiseConfigVersion } from '../storage/tenant-rows'
import type { OpenTenant } from './open-tenant'
import { type Page, type PageRequest, readPage, textPosition } from './page'
import { type FieldError, invalid, notFound, Problem } from './problem'

/** Schemas of one tenant: each request of it is answered by all of them. */
const MAX_SCHEMAS = 20
const ATTEMPTS = 5

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
    const type = typeOf(known, extended)
    const standard = standardSchema(type.name, urn)
    const schema = checked(state, document, urn, standard)
    if (known && known.schema.id !== schema.id) throw invalid('id', `must be spelt ${known.schema.id}`)
    if (!known && state.schemas.length >= MAX_SCHEMAS)
      throw new Problem(409, `A tenant has at most ${MAX_SCHEMAS} schemas of its own.`)
    const row = {
      urn: schema.id,
      extends: type.name,
      document: JSON.stringify({ ...document, id: schema.id }),
    }
    await change(tenant, state, type, known?.schema ?? standard, schema, [
      upsertSchema(tenant.database.tenantId, row, service.now()),
    ])
    return { created: !known, schema: item(tenant)({ extends: type.name, schema }) }
  })
}

/** Throws 404, and 409 while resources have values of it. */
export async function deleteSchema(tenant: OpenTenant, urn: string): Promise<void> {
  await untilSettled(async () => {
    const state = await readState(tenant)
    const known = existing(state, urn)
    const type = typeOf(known, undefined)
    await change(tenant, state, type, known.schema, standardSchema(type.name, urn), [
      deleteRow(tenant.database.tenantId, known.schema.id),
    ])
  })
}

interface State {
  readonly configVersion: number
  readonly schemas: readonly TenantSchema[]
}

async function readState({ database }: OpenTenant): Promise<State> {
  const [found] = await database.batch([selectSchemas(database.tenantId)])
  const rows = found?.rows ?? []
  const [first] = rows
  if (!first) throw notFound('tenant')
  if (first.status === 'deleting') throw new Problem(409, 'The tenant is being deleted.')
  return { configVersion: Number(first.config_version), schemas: readSchemaRows(rows).map(tenantSchema) }
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
function typeOf(known: TenantSchema | undefined, extended: string | undefined): ResourceType {
  const name = extended ?? known?.extends
  const names = standardResourceTypes.map(type => type.name).join(' or ')
  const type = standardResourceTypes.find(candidate => candidate.name === name)
  if (!type) throw invalid('extends', `must be the name of a resource type, ${names}`)
  if (known && known.extends !== type.name)
    throw new Problem(
      409,
      `The schema extends ${known.extends}. Delete it first, or send it under another URN.`,
    )
  return type
}

function checked(state: State, document: JsonObject, urn: string, standard: Schema | undefined): Schema {
  checkJson(document)
  const { id = urn } = document
  if (typeof id === 'string' && !sameUrn(id, urn)) throw invalid('id', 'must be the URN of the path')
  const rest = state.schemas.filter(({ schema }) => !sameUrn(schema.id, urn))
  const others = extendedTypes(standardResourceTypes, rest).flatMap(schemasOf)
  const reading = readSchema(
    { ...document, id },
    standard,
    others.filter(other => other !== standard),
  )
  if (!reading.problems) return reading.schema
  const errors = reading.problems
  throw new Problem(
    422,
    errors.map(({ path, message }) => `${path || 'The schema'}: ${message}`).join('; '),
    errors,
  )
}

/** One batch: the tenant is as it was read, no data is in the way, the row, its version, the lookups. */
async function change(
  { database }: OpenTenant,
  state: State,
  type: ResourceType,
  before: Schema | undefined,
  after: Schema | undefined,
  row: readonly Statement[],
): Promise<void> {
  const { tenantId } = database
  const schema = after ?? before
  if (!schema) throw new Error('There is no schema to change.')
  const demands = demandsOf(before, after)
  const { gained, lost } = uniquenessChange(before, after)
  const unmet = () => selectUnmet(tenantId, type.name, schema, demands)
  try {
    await database.steps({
      unchanged: [abortUnlessConfiguration(tenantId, state.configVersion)],
      demands: demands.length > 0 ? [abortIfUnmet(tenantId, type.name, schema, demands)] : [],
      row,
      version: [raiseConfigVersion(tenantId)],
      lost: lost.length > 0 ? [deleteLookupsOf(tenantId, type.name, schema, lost)] : [],
      gained: gained.length > 0 ? [insertLookupsOf(tenantId, type.name, schema, gained)] : [],
    })
  } catch (error) {
    if (failure(error) !== 'stale' || demands.length === 0) throw error
    const [found] = await database.batch([unmet()])
    const errors = (found?.rows ?? []).flatMap(({ demand, resources }) => {
      const contradicted = demands[Number(demand)]
      return contradicted ? [inTheWay(contradicted, Number(resources), type)] : []
    })
    throw errors.length > 0 ? contradiction(errors) : error
  }
}

function inTheWay({ path, kind, reason }: Demand, resources: number, type: ResourceType): FieldError {
  const one = resources === 1
  const who = `${resources} ${type.name} resource${one ? '' : 's'}`
  const what = {
    unused: one ? 'has a value' : 'have a value',
    present: `${one ? 'uses' : 'use'} the extension without a value`,
    distinct: 'share a value with another',
  }[kind]
  return { path, message: `${reason}, but ${who} ${what}` }
}

function contradiction(errors: readonly FieldError[]): Problem {
  const list = errors.map(({ path, message }) => `${path} ${message}`).join('; ')
  return new Problem(409, `Stored data contradicts the change. ${list}.`, errors)
}

/** Somebody else has changed the tenant in between: look again. */
async function untilSettled<Result>(attempt: () => Promise<Result>): Promise<Result> {
  for (let left = ATTEMPTS; ; left--) {
    try {
      return await attempt()
    } catch (error) {
      if (failure(error) !== 'stale') throw error
      if (left === 1) throw new Problem(409, 'The tenant is being changed by others; send the call again.')
    }
  }
}

/** As the tenant's own /Schemas shows it. */
function item({ baseUrl }: OpenTenant): (one: TenantSchema) => SchemaItem {
  return ({ extends: name, schema }) => ({
    ...schemaDocument(schema, `${baseUrl}/Schemas/${schema.id}`),
    extends: name,
  })
}
