// /ServiceProviderConfig, /ResourceTypes, /Schemas (RFC 7644 §4): what is offered is what is enforced. Each has an
// ETag over what it says, so that a client can ask whether anything is new (RFC-204).
import type { Context } from 'hono'
import type { Application } from '../mapping/application'
import { standardApplication } from '../operations/configuration'
import type { Tenant } from '../operations/tenant'
import { ScimError } from '../scim/error'
import type { JsonObject } from '../scim/json'
import { parameter } from '../scim/list-query'
import { LIST_SCHEMA } from '../scim/list-response'
import { etag } from '../scim/representation'
import { type ResourceType, type Schema, schemasOf } from '../scim/schema'
import { resourceTypeDocument, schemaDocument } from '../scim/schema-document'
import { describedSchemas } from '../scim/schemas/described'
import { serviceProviderConfigDocument } from '../scim/service-provider-config'
import { notModified } from '../scim/version'
import type { AppEnv } from './environment'
import { emptyReply, MAX_BODY_BYTES, scimReply } from './scim-json'
import { baseUrlOf, serveScim } from './scim-request'

type C = Context<AppEnv>

/** Readable without a credential, so that a client can learn which to send (RFC-196); a wrong one is still 401. */
export async function serviceProviderConfig(c: C): Promise<Response> {
  if (c.req.header('Authorization') === undefined)
    return configReply(c, baseUrlOf(c.req.url), standardApplication, false)
  return serveScim(c, tenant =>
    configReply(c, tenant.baseUrl, tenant.application, tenant.interop.mode === 'strict'),
  )
}

/** Without a credential it is what every tenant has that says nothing else. */
function configReply(
  c: C,
  baseUrl: string,
  { profile: { features, paging } }: Application,
  conformant: boolean,
): Promise<Response> {
  const offer = { features, limits: paging, maxBodyBytes: MAX_BODY_BYTES, conformant }
  return reply(c, serviceProviderConfigDocument(baseUrl, offer))
}

export async function resourceTypes(c: C, tenant: Tenant): Promise<Response> {
  refuseFilter(c)
  return listReply(
    c,
    tenant.resourceTypes.map(type => resourceTypeDocument(type, typeLocation(tenant, type))),
  )
}

export async function resourceTypeById(c: C, tenant: Tenant): Promise<Response> {
  const name = c.req.param('name')
  const type = tenant.resourceTypes.find(candidate => candidate.name === name)
  if (!type) throw new ScimError(404, undefined, 'No such resource type.')
  return reply(c, resourceTypeDocument(type, typeLocation(tenant, type)))
}

export async function schemas(c: C, tenant: Tenant): Promise<Response> {
  refuseFilter(c)
  return listReply(
    c,
    publishedSchemas(tenant).map(schema => schemaDocument(schema, schemaLocation(tenant, schema))),
  )
}

export async function schemaById(c: C, tenant: Tenant): Promise<Response> {
  const urn = c.req.param('urn')?.toLowerCase()
  const schema = publishedSchemas(tenant).find(candidate => candidate.id.toLowerCase() === urn)
  if (!schema) throw new ScimError(404, undefined, 'No such schema.')
  return reply(c, schemaDocument(schema, schemaLocation(tenant, schema)))
}

function publishedSchemas(tenant: Tenant): readonly Schema[] {
  return [...new Set([...tenant.resourceTypes.flatMap(schemasOf), ...describedSchemas])]
}

/** All of it is one page; a filter is refused, sorting and paging are ignored (RFC-198). */
function refuseFilter(c: C): void {
  if (parameter(new URL(c.req.url).searchParams, 'filter') !== null)
    throw new ScimError(403, undefined, 'Discovery endpoints do not take a filter (RFC 7644 §4).').about(
      'filter-on-discovery',
    )
}

function listReply(c: C, resources: readonly JsonObject[]): Promise<Response> {
  return reply(c, {
    schemas: [LIST_SCHEMA],
    totalResults: resources.length,
    startIndex: 1,
    itemsPerPage: resources.length,
    Resources: resources,
  })
}

async function reply(c: C, document: JsonObject): Promise<Response> {
  const version = await versionOf(document)
  const headers = { etag: etag(version) }
  const known = notModified(c.req.header('If-None-Match'), version)
  return known ? emptyReply(304, headers) : scimReply(200, document, headers)
}

async function versionOf(document: JsonObject): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(JSON.stringify(document)))
  return btoa(String.fromCharCode(...new Uint8Array(digest, 0, 18)))
}

function typeLocation(tenant: Tenant, type: ResourceType): string {
  return `${tenant.baseUrl}/ResourceTypes/${type.name}`
}

function schemaLocation(tenant: Tenant, schema: Schema): string {
  return `${tenant.baseUrl}/Schemas/${schema.id}`
}
