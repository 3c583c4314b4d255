// What receivers of signed messages ask for: the keys of a tenant, its transmitter's metadata, and, with the secret of
// their stream, the stream itself (SSF 1.0 §7, §8) and its events (RFC 8936).
import { type Context, Hono } from 'hono'
import * as z from 'zod'
import { type OpenTenant, openTenant } from '../administration/open-tenant'
import { Problem } from '../administration/problem'
import type { Service } from '../env'
import { MAX_SETS, poll } from '../events/poll'
import { publish } from '../events/publish'
import { PUBLISHED_MAX_AGE_SECONDS, publishedKeys } from '../events/signing-keys'
import {
  changeStreamStatus,
  openStream,
  type Stream,
  streamConfiguration,
  streamStatus,
  transmitterMetadata,
  verifyStream,
} from '../events/stream'
import { unauthorized } from '../operations/access'
import { readBody } from './admin/body'
import { failedCredential, tokenOf, withinLimit } from './authenticate'
import type { AppEnv } from './environment'

type StreamContext = Context<AppEnv & { Variables: { stream: Stream } }>

const pollRequest = z.object({
  maxEvents: z.int().min(0).default(MAX_SETS),
  returnImmediately: z.boolean().default(false),
  ack: z.array(z.string().max(300)).max(1_000).default([]),
  setErrs: z
    .record(z.string().max(300), z.object({ err: z.string().default('') }))
    .refine(errors => Object.keys(errors).length <= 1_000, { error: 'may have at most 1,000 members' })
    .default({}),
})

const statusRequest = z.object({
  stream_id: z.string(),
  status: z.enum(['enabled', 'paused', 'disabled']),
})

const verificationRequest = z.object({ stream_id: z.string(), state: z.string().max(1_000).optional() })

/** Below `/t/{slug}`. */
export const tenantKeysAndStreams = new Hono<AppEnv>()
  .get('/jwks.json', async c => {
    const tenant = await knownTenant(c)
    if (!tenant) return nothingHere()
    return published({ keys: await publishedKeys(c.var.service, tenant.database) })
  })
  .route('/ssf', streams())

/** `/.well-known/ssf-configuration/t/{slug}` */
export async function ssfConfiguration(c: Context<AppEnv>): Promise<Response> {
  const tenant = await knownTenant(c)
  return tenant ? published(transmitterMetadata(tenant.issuer)) : nothingHere()
}

/** What is public of a tenant needs no credential; of an unknown one nothing is. */
async function knownTenant(c: Context<AppEnv>): Promise<OpenTenant | undefined> {
  try {
    return await openTenant(c.var.service, new URL(c.req.url).origin, slugOf(c))
  } catch (error) {
    if (error instanceof Problem && error.status === 404) return undefined
    throw error
  }
}

function streams() {
  const app = new Hono<AppEnv & { Variables: { stream: Stream } }>()
  app.use(async (c, next) => {
    const stream = await authenticateStream(c.var.service, slugOf(c), c.req.raw)
    if (stream instanceof Response) return stream
    c.set('stream', stream)
    await next()
  })
  app.get('/stream', readStream)
  app.on(['POST', 'PUT', 'PATCH', 'DELETE'], '/stream', () =>
    refuse(403, 'access_denied', 'The operator of this service manages its streams.'),
  )
  app.get('/status', c => {
    const wanted = c.req.query('stream_id')
    return wanted === c.var.stream.receiver.id ? reply(streamStatus(c.var.stream)) : noSuchStream()
  })
  app.post('/status', writeStatus)
  app.post('/verify', askForVerification)
  app.post('/poll/:receiverId', answerPoll)
  return app
}

/** Without an id all streams of this secret are asked for, which is one. */
function readStream(c: StreamContext): Response {
  const { stream } = c.var
  const wanted = c.req.query('stream_id')
  if (wanted === undefined) return reply([streamConfiguration(stream)])
  return wanted === stream.receiver.id ? reply(streamConfiguration(stream)) : noSuchStream()
}

async function writeStatus(c: StreamContext): Promise<Response> {
  const { service, stream } = c.var
  const asked = await read(c.req.raw, statusRequest)
  if (asked instanceof Response) return asked
  if (asked.stream_id !== stream.receiver.id) return noSuchStream()
  const { status, due } = await changeStreamStatus(service, stream, asked.status)
  c.executionCtx.waitUntil(publish(service, due))
  return reply(status)
}

/** A push receiver is called behind the reply. */
async function askForVerification(c: StreamContext): Promise<Response> {
  const { service, stream } = c.var
  const asked = await read(c.req.raw, verificationRequest)
  if (asked instanceof Response) return asked
  if (asked.stream_id !== stream.receiver.id) return noSuchStream()
  c.executionCtx.waitUntil(verifyStream(service, stream, asked.state ?? null))
  return new Response(null, { status: 204, headers: { 'cache-control': 'no-store' } })
}

async function answerPoll(c: StreamContext): Promise<Response> {
  const { service, stream } = c.var
  if (c.req.param('receiverId') !== stream.receiver.id || !stream.isPolled) return noSuchStream()
  const asked = await read(c.req.raw, pollRequest)
  if (asked instanceof Response) return asked
  const setErrs = Object.entries(asked.setErrs).map(([jti, { err }]) => ({ jti, err }))
  return reply(await poll(service, stream, { ...asked, setErrs }))
}

/** The same answer to a wrong secret, an unknown tenant and another tenant's secret; 429 beyond a limit. */
async function authenticateStream(
  service: Service,
  slug: string,
  request: Request,
): Promise<Stream | Response> {
  const stream = await openStream(service, slug, tokenOf(request.headers.get('authorization')))
  if (!stream) {
    const refusal = await failedCredential(service, request, unauthorized())
    return refusal.status === 429
      ? refuse(429, 'access_denied', 'Too many failed credentials from this address.', refusal.headers)
      : refuse(401, 'authentication_failed', 'Send the secret of the stream as a bearer token.', {
          'www-authenticate': 'Bearer realm="ssf", error="invalid_token"',
        })
  }
  return (await withinLimit(service.connectionLimit, stream.receiver.id))
    ? stream
    : refuse(429, 'access_denied', 'Too many requests of this stream.', { 'retry-after': '60' })
}

/** The body as the schema reads it, or the reply that says what is wrong with it. */
async function read<Schema extends z.ZodType>(
  request: Request,
  schema: Schema,
): Promise<z.output<Schema> | Response> {
  try {
    return (await readBody(request, schema)) as z.output<Schema>
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    return refuse(error.status === 413 ? 413 : 400, 'invalid_request', error.detail)
  }
}

function noSuchStream(): Response {
  return refuse(404, 'invalid_request', 'This secret has no such stream.')
}

function refuse(
  status: number,
  err: string,
  description: string,
  headers: Readonly<Record<string, string>> = {},
): Response {
  return Response.json(
    { err, description },
    { status, headers: { ...headers, 'cache-control': 'no-store', 'content-language': 'en' } },
  )
}

function reply(body: unknown): Response {
  return Response.json(body, { headers: { 'cache-control': 'no-store' } })
}

/** What anybody may read, and keep for a while. */
function published(body: unknown): Response {
  return Response.json(body, {
    headers: {
      'cache-control': `public, max-age=${PUBLISHED_MAX_AGE_SECONDS}`,
      'x-content-type-options': 'nosniff',
    },
  })
}

function nothingHere(): Response {
  return refuse(404, 'invalid_request', 'There is nothing here.')
}

function slugOf(c: Context): string {
  return c.req.param('slug') ?? ''
}
