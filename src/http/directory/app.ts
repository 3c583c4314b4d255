// The directory API as a Hono app, to be mounted under /directory/v1: what an application reads of its tenant, each
// call behind an app key. Nothing here changes anything.
import { type Context, Hono } from 'hono'
import { readAsApplication } from '../../administration/as-application'
import { Problem } from '../../administration/problem'
import type { Tenant } from '../../operations/tenant'
import { notModified } from '../../scim/version'
import { bearerOf } from '../admin/authenticate'
import { queryProblem } from '../admin/body'
import { openApiDocument } from '../admin/openapi'
import { problemReply } from '../admin/problem'
import { failedCredential } from '../authenticate'
import type { AppEnv } from '../environment'
import { groupAndRoleReads } from './groups-and-roles'
import type { Read } from './read'
import { revocationReads } from './revocations'
import { userReads } from './users'

export const directoryReads: readonly Read[] = [...userReads, ...groupAndRoleReads, ...revocationReads]

/** How long a reply may be taken for the answer without asking again, by the one who got it. */
const MAX_AGE_SECONDS = 5

export const directoryApp = new Hono<AppEnv>()

directoryApp.onError(problemReply)
directoryApp.get('/openapi.json', c => c.json(description(new URL(c.req.url).origin)))
for (const read of directoryReads) {
  directoryApp.get(read.path, c => answer(c, reader => read.handle({ ...inputOf(c, read), reader })))
  directoryApp.all(read.path, c => answer(c, refuseMethod))
}
directoryApp.all('/tenants/:slug/*', c => answer(c, refusePath))
directoryApp.all('*', refusePath)

/** The key comes first, so that whoever has none learns of nothing else. */
async function answer(c: Context<AppEnv>, handle: (reader: Tenant) => Promise<unknown>): Promise<Response> {
  const { service } = c.var
  const application = {
    key: bearerOf(c.req.raw),
    slug: c.req.param('slug') ?? '',
    origin: new URL(c.req.url).origin,
    later: (work: Promise<unknown>) => c.executionCtx.waitUntil(work),
  }
  try {
    return await reply(c, await readAsApplication(service, application, handle))
  } catch (error) {
    if (error instanceof Problem && error.status === 401)
      throw await failedCredential(service, c.req.raw, error)
    throw error
  }
}

/** 304 where the application has this very reply already. */
async function reply(c: Context<AppEnv>, body: unknown): Promise<Response> {
  const text = JSON.stringify(body)
  const tag = await tagOf(text)
  const headers = {
    etag: `"${tag}"`,
    'cache-control': `private, max-age=${MAX_AGE_SECONDS}`,
    vary: 'Authorization',
    'x-content-type-options': 'nosniff',
  }
  if (notModified(c.req.header('if-none-match'), tag)) return new Response(null, { status: 304, headers })
  return new Response(text, { headers: { ...headers, 'content-type': 'application/json' } })
}

async function tagOf(text: string): Promise<string> {
  const hash = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))
  return btoa(String.fromCharCode(...new Uint8Array(hash)))
}

/** A parameter that comes twice is a list, which none of them takes. */
function inputOf(c: Context<AppEnv>, { query }: Read) {
  const sent = Object.entries(c.req.queries()).map(([name, values]) => [
    name,
    values.length === 1 ? values[0] : values,
  ])
  const checked = query.safeParse(Object.fromEntries(sent))
  if (!checked.success) throw queryProblem(checked.error)
  return { service: c.var.service, query: checked.data, param: (name: string) => c.req.param(name) ?? '' }
}

async function refuseMethod(): Promise<never> {
  throw new Problem(405, 'The directory is only read: use GET or HEAD.', [], { allow: 'GET, HEAD' })
}

async function refusePath(): Promise<never> {
  throw new Problem(
    404,
    'The directory API has no such path. GET /directory/v1/openapi.json lists those it has.',
  )
}

function description(origin: string): Record<string, unknown> {
  const calls = directoryReads.map(({ reply: schema, ...read }) => ({
    ...read,
    method: 'GET' as const,
    replies: { 200: schema, 304: null },
  }))
  return openApiDocument('directory', calls, origin)
}
