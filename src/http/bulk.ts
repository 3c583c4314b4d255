// POST /Bulk: always 200, with each operation's own status inside (RFC-171).
import type { Context } from 'hono'
import { publish } from '../events/publish'
import { bulk } from '../operations/bulk'
import type { Tenant } from '../operations/tenant'
import { BULK_RESPONSE_SCHEMA, readBulkRequest } from '../scim/bulk'
import { ScimError } from '../scim/error'
import type { AppEnv } from './environment'
import { readJsonBody, scimReply } from './scim-json'

export async function answerBulk(c: Context<AppEnv>, tenant: Tenant): Promise<Response> {
  if (!tenant.application.profile.features.bulk)
    throw new ScimError(501, undefined, 'Bulk requests are not offered; send each operation by itself.')
  const request = readBulkRequest(await readJsonBody(c.req.raw), tenant.interop)
  const { results, pointers } = await bulk(tenant, request)
  if (pointers.length > 0) c.executionCtx.waitUntil(publish(c.get('service'), pointers))
  return scimReply(200, { schemas: [BULK_RESPONSE_SCHEMA], Operations: results })
}
