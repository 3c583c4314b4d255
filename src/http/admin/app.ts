// The admin API as a Hono app, to be mounted under /admin/v1: every call of every noun, behind one token.
import { zValidator } from '@hono/zod-validator'
import { type Context, Hono } from 'hono'
import * as z from 'zod'
import { Problem } from '../../administration/problem'
import { isPlainHttp, PLAIN_HTTP } from '../plain-http'
import { streamOf } from '../text-stream'
import { activityCalls } from './activity'
import { appKeyCalls } from './app-keys'
import { type AdminEnv, authenticate } from './authenticate'
import { queryProblem, readBody } from './body'
import { breakerCalls } from './breaker'
import type { Call } from './call'
import { connectionCalls } from './connections'
import { deliveryCalls } from './deliveries'
import { eventCalls } from './events'
import { evidenceCalls } from './evidence'
import { mappingCalls } from './mappings'
import { metricsCalls } from './metrics'
import { openApiCall } from './openapi'
import { problemReply } from './problem'
import { profileCalls } from './profiles'
import { receiverCalls } from './receivers'
import { resourceTypeCalls } from './resource-types'
import { roleCalls } from './roles'
import { schemaCalls } from './schemas'
import { setupLinkCalls } from './setup-links'
import { signingKeyCalls } from './signing-keys'
import { targetGroupCalls } from './target-groups'
import { tenantCalls } from './tenants'
import { tokenCalls } from './tokens'
import { userCalls } from './users'

export const adminCalls: readonly Call[] = [
  ...tenantCalls,
  ...connectionCalls,
  ...tokenCalls,
  ...receiverCalls,
  ...signingKeyCalls,
  ...eventCalls,
  ...deliveryCalls,
  ...activityCalls,
  ...metricsCalls,
  ...userCalls,
  ...evidenceCalls,
  ...schemaCalls,
  ...resourceTypeCalls,
  ...profileCalls,
  ...mappingCalls,
  ...roleCalls,
  ...targetGroupCalls,
  ...breakerCalls,
  ...setupLinkCalls,
  ...appKeyCalls,
  openApiCall(() => adminCalls),
]

export const adminApp = new Hono<AdminEnv>()

adminApp.onError(problemReply)
adminApp.use('*', async (c, next) => {
  if (isPlainHttp(c.req.url)) throw new Problem(403, PLAIN_HTTP)
  await next()
})
adminApp.use('*', authenticate)
for (const call of adminCalls) adminApp.on(call.method, call.path, checkQuery(call), c => answer(call, c))
for (const path of new Set(adminCalls.map(call => call.path))) adminApp.all(path, () => refuseMethod(path))
adminApp.all('*', () => {
  throw new Problem(404, 'The admin API has no such path. GET /admin/v1/openapi.json lists those it has.')
})

/** A body has limits and messages of its own (body.ts); for the query the validator's are enough. */
function checkQuery(call: Call) {
  return zValidator('query', call.query ?? z.object({}), result => {
    if (!result.success) throw queryProblem(result.error)
  })
}

async function answer(
  call: Call,
  c: Context<AdminEnv, string, { out: { query: unknown } }>,
): Promise<Response> {
  const input = {
    service: c.var.service,
    params: c.req.param(),
    query: c.req.valid('query'),
    origin: new URL(c.req.url).origin,
    later: (work: Promise<unknown>) => c.executionCtx.waitUntil(work),
  }
  const { problems } = call
  const given =
    call.body && (await readBody(c.req.raw, call.body, problems && (body => problems({ ...input, body }))))
  const { status, body } = await call.handle({ ...input, body: given })
  const headers = { 'cache-control': 'no-store' }
  const reply = call.replies[status]
  if (reply && 'mediaType' in reply)
    return new Response(streamOf(body as AsyncGenerator<string>), {
      status,
      headers: { ...headers, 'content-type': reply.mediaType },
    })
  return body === undefined
    ? new Response(null, { status, headers })
    : Response.json(body, { status, headers })
}

function refuseMethod(path: string): never {
  const methods = adminCalls.filter(call => call.path === path).map(call => call.method as string)
  if (methods.includes('GET')) methods.push('HEAD')
  throw new Problem(405, `Use ${methods.join(' or ')} here.`, [], { allow: methods.join(', ') })
}
