// /ServiceProviderConfig, /ResourceTypes, /Schemas (RFC 7644 §4): what is offered is what is enforced.
import type { Context } from 'hono'
import type { Tenant } from '../operations/tenant'
import { ScimError } from '../scim/error'
import type { JsonObject } from '../scim/json'
import { parameter } from '../scim/list-query'
import { LIST_SCHEMA } from '../scim/list-response'
import { type ResourceType, type Schema, schemasOf } from '../scim/schema'
import { resourceTypeDocument, schemaDocument } from '../scim/schema-document'
import { describedSchemas } from '../scim/schemas/described'
import { serviceProviderConfigDocument } from '../scim/service-provider-config'
import type { AppEnv } from './environment'
import { MAX_BODY_BYTES, scimReply } from './scim-json'
import { baseUrlOf, PAGE_LIMITS, serveScim } from './scim-request'

type C = Context<AppEnv>

/** Readable without a credential, so that a client can learn which to send (RFC-196); a wrong one is still 401. */
export async function serviceProviderConfig(c: C): Promise<Response> {
  if (c.req.header('Authorization') === undefined) return configReply(baseUrlOf(c.req.url))
  return serveScim(c, async tenant => configReply(tenant.baseUrl))
}

function configReply(baseUrl: string): Response {
  return scimReply(200, serviceProviderConfigDocument(baseUrl, PAGE_LIMITS, MAX_BODY_BYTES))
}

export async function resourceTypes(c: C, tenant: Tenant): Promise<Response> {
  refuseFilter(c)
  return listReply(tenant.resourceTypes.map(type => resourceTypeDocument(type, typeLocation(tenant, type))))
}

export async function resourceTypeById(c: C, tenant: Tenant): Promise<Response> {
  const name = c.req.param('name')
  const type = tenant.resourceTypes.find(candidate => candidate.name === name)
  if (!type) throw new ScimError(404, undefined, 'No such resource type.')
  return scimReply(200, resourceTypeDocument(type, typeLocation(tenant, type)))
}

export async function schemas(c: C, tenant: Tenant): Promise<Response> {
  refuseFilter(c)
  return listReply(
    publishedSchemas(tenant).map(schema => schemaDocument(schema, schemaLocation(tenant, schema))),
  )
}

export async function schemaById(c: C, tenant: Tenant): Promise<Response> {
  const urn = c.req.param('urn')?.toLowerCase()
  const schema = publishedSchemas(tenant).find(candidate => candidate.id.toLowerCase() === urn)
  if (!schema) throw new ScimError(404, undefined, 'No such schema.')
  return scimReply(200, schemaDocument(schema, schemaLocation(tenant, schema)))
}

function publishedSchemas(tenant: Tenant): readonly Schema[] {
  return [...new Set([...tenant.resourceTypes.flatMap(schemasOf), ...describedSchemas])]
}

/** All of it is one page; a filter is refused, sorting and paging are ignored (RFC-198). */
function refuseFilter(c: C): void {
  if (parameter(new URL(c.req.url).searchParams, 'filter') !== null)
    throw new ScimError(403, undefined, 'Discovery endpoints do not take a filter (RFC 7644 §4).')
}

function listReply(resources: readonly JsonObject[]): Response {
  return scimReply(200, {
    schemas: [LIST_SCHEMA],
    totalResults: resources.length,
    startIndex: 1,
    itemsPerPage: resources.length,
    Resources: resources,
  })
}

function typeLocation(tenant: Tenant, type: ResourceType): string {
  return `${tenant.baseUrl}/ResourceTypes/${type.name}`
}

function schemaLocation(tenant: Tenant, schema: Schema): string {
  return `${tenant.baseUrl}/Schemas/${schema.id}`
}
