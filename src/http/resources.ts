// /{endpoint}, /{endpoint}/{id} and /{endpoint}/.search for every resource type (RFC 7644 §3.3 – §3.6).
import type { Context } from 'hono'
import { publish } from '../events/publish'
import { create } from '../operations/create'
import { remove } from '../operations/delete'
import { modify } from '../operations/modify'
import { query } from '../operations/query'
import { replace } from '../operations/replace'
import { retrieve } from '../operations/retrieve'
import type { Tenant } from '../operations/tenant'
import type { Pointer, Written } from '../operations/update'
import { ScimError } from '../scim/error'
import {
  type ListQuery,
  listQueryFromSearch,
  listQueryFromUrl,
  parameter,
  projectionFromUrl,
} from '../scim/list-query'
import { etag, location } from '../scim/representation'
import type { Projection } from '../scim/returned'
import type { ResourceType } from '../scim/schema'
import { notModified } from '../scim/version'
import type { AppEnv } from './environment'
import { renderList, renderOne } from './render'
import { emptyReply, readJsonBody, scimReply } from './scim-json'

type C = Context<AppEnv>

/** GET /{endpoint}: a page of the list. */
export async function list(c: C, tenant: Tenant, type: ResourceType): Promise<Response> {
  const parameters = new URL(c.req.url).searchParams
  return answerList(tenant, type, listQueryFromUrl(parameters, type, tenant.interop, tenant.limits))
}

/** POST /{endpoint}/.search: the same, with the question out of the URL and so out of logs. */
export async function search(c: C, tenant: Tenant, type: ResourceType): Promise<Response> {
  const body = await readJsonBody(c.req.raw)
  return answerList(tenant, type, listQueryFromSearch(body, type, tenant.interop, tenant.limits))
}

async function answerList(tenant: Tenant, type: ResourceType, listQuery: ListQuery): Promise<Response> {
  const result = await query(tenant, type, listQuery)
  const { projection, startIndex, cursor } = listQuery
  const facts = { ...result, startIndex: cursor === undefined ? startIndex : undefined }
  return scimReply(200, renderList(tenant, [{ type, result, projection }], facts))
}

/** GET /{endpoint}/{id}: 304 when the client has this version. */
export async function get(c: C, tenant: Tenant, type: ResourceType, id: string): Promise<Response> {
  const projection = projectionOf(c, tenant, type)
  const found = await retrieve(tenant, type, id, projection)
  const stored = found.views[0]?.stored
  const headers = { location: location(tenant.baseUrl, type, id), ...etagOf(tenant, stored?.version ?? '') }
  if (stored && headers.etag !== undefined && notModified(c.req.header('If-None-Match'), stored.version))
    return emptyReply(304, headers)
  return scimReply(200, renderOne(tenant, type, found, projection), headers)
}

/** POST /{endpoint} */
export async function post(c: C, tenant: Tenant, type: ResourceType): Promise<Response> {
  const projection = projectionOf(c, tenant, type)
  const body = await readJsonBody(c.req.raw)
  return answerWritten(c, tenant, type, await create(tenant, type, body, projection), projection)
}

/** PUT /{endpoint}/{id} */
export async function put(c: C, tenant: Tenant, type: ResourceType, id: string): Promise<Response> {
  const projection = projectionOf(c, tenant, type)
  const body = await readJsonBody(c.req.raw)
  const written = await replace(tenant, type, id, body, c.req.header('If-Match'), projection)
  return answerWritten(c, tenant, type, written, projection)
}

/** PATCH /{endpoint}/{id}: 200 with the resource, or 204 where the type says so and no attributes are asked for. */
export async function patch(c: C, tenant: Tenant, type: ResourceType, id: string): Promise<Response> {
  const parameters = new URL(c.req.url).searchParams
  const asked = ['attributes', 'excludedAttributes'].some(name => parameter(parameters, name) !== null)
  const silent = type.patchAnswersNoContent && !asked
  const projection = silent ? undefined : projectionOf(c, tenant, type)
  const body = await readJsonBody(c.req.raw)
  const written = await modify(tenant, type, id, body, c.req.header('If-Match'), projection)
  if (projection) return answerWritten(c, tenant, type, written, projection)
  wake(c, written.pointers)
  return emptyReply(204, writtenHeaders(tenant, type, written))
}

/** DELETE /{endpoint}/{id} */
export async function del(c: C, tenant: Tenant, type: ResourceType, id: string): Promise<Response> {
  wake(c, await remove(tenant, type, id, c.req.header('If-Match')))
  return emptyReply(204)
}

function projectionOf(c: C, tenant: Tenant, type: ResourceType): Projection {
  return projectionFromUrl(new URL(c.req.url).searchParams, type, tenant.interop)
}

function answerWritten(
  c: C,
  tenant: Tenant,
  type: ResourceType,
  written: Written,
  projection: Projection,
): Response {
  wake(c, written.pointers)
  return scimReply(
    written.status,
    renderOne(tenant, type, written, projection),
    writtenHeaders(tenant, type, written),
  )
}

function writtenHeaders(tenant: Tenant, type: ResourceType, written: Written) {
  const stored = written.views[0]?.stored
  if (!stored) throw new ScimError(500, undefined, 'The resource that was written is not there.')
  return { location: location(tenant.baseUrl, type, stored.id), ...etagOf(tenant, stored.version) }
}

/** Nothing where the profile turns ETags off; an If-Match is obeyed all the same. */
function etagOf(tenant: Tenant, version: string): { etag?: string } {
  return tenant.application.profile.features.etag ? { etag: etag(version) } : {}
}

/** After the reply: the identity provider never waits for a receiver (contract, promise 4). */
function wake(c: C, pointers: readonly Pointer[]): void {
  if (pointers.length > 0) c.executionCtx.waitUntil(publish(c.get('service'), pointers))
}
