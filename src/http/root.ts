// GET {base}/ and POST {base}/.search: all resource types in one list (RFC 7644 §3.4.2.1, §3.4.3).
import type { Context } from 'hono'
import { queryAll, questionsOf } from '../operations/query-all'
import type { Tenant } from '../operations/tenant'
import { type ListQuery, listQueryFromSearch, listQueryFromUrl } from '../scim/list-query'
import type { ResourceType } from '../scim/schema'
import type { AppEnv } from './environment'
import { renderList } from './render'
import { readJsonBody, scimReply } from './scim-json'

export async function listEverything(c: Context<AppEnv>, tenant: Tenant): Promise<Response> {
  const parameters = new URL(c.req.url).searchParams
  return answer(tenant, type => listQueryFromUrl(parameters, type, tenant.interop, tenant.limits))
}

export async function searchEverything(c: Context<AppEnv>, tenant: Tenant): Promise<Response> {
  const body = await readJsonBody(c.req.raw)
  return answer(tenant, type => listQueryFromSearch(body, type, tenant.interop, tenant.limits))
}

async function answer(tenant: Tenant, ask: (type: ResourceType) => ListQuery): Promise<Response> {
  const results = await queryAll(tenant, questionsOf(tenant, ask))
  const parts = results.map(({ type, result, list }) => ({ type, result, projection: list.projection }))
  const total = results.reduce((sum, { result }) => sum + result.total, 0)
  return scimReply(200, renderList(tenant, parts, { total, startIndex: results[0]?.list.startIndex }))
}
