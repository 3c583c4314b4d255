// SCIM over HTTP: reading a body within its limits, writing a reply with its headers.
import { ScimError } from '../scim/error'
import { checkJson, isObject, type Json, type JsonObject } from '../scim/json'

export const SCIM_JSON = 'application/scim+json; charset=utf-8'

/** A request body in bytes (contract: 4 MiB). */
export const MAX_BODY_BYTES = 4 * 1024 * 1024

const NO_STORE = { 'Cache-Control': 'no-store', 'X-Content-Type-Options': 'nosniff' }

const bodies = new WeakMap<Request, Promise<JsonObject>>()

/**
 * The body as JSON, the same however often it is asked for: a request whose configuration has changed is decided
 * again. Throws 415 for another media type (a missing one is taken as JSON: Entra's test requests), 413 over the
 * limit before it is read whole, 400 invalidSyntax for what is not a JSON object.
 */
export function readJsonBody(request: Request): Promise<JsonObject> {
  const body = bodies.get(request) ?? read(request)
  bodies.set(request, body)
  return body
}

async function read(request: Request): Promise<JsonObject> {
  requireJson(request.headers.get('Content-Type'))
  requireUncompressed(request.headers.get('Content-Encoding'))
  const text = decode(await readBytes(request))
  const body = parse(text)
  checkJson(body)
  if (!isObject(body))
    throw new ScimError(400, 'invalidSyntax', 'The body must be a JSON object.').about('body-unreadable')
  return body
}

function requireJson(contentType: string | null): void {
  const type = contentType?.split(';')[0]?.trim().toLowerCase()
  if (type === undefined || type === '' || /^[\w.+-]+\/([\w.-]+\+)?json$/.test(type)) return
  throw new ScimError(415, undefined, 'The Content-Type must be application/scim+json or application/json.', {
    'Accept-Post': 'application/scim+json, application/json',
  })
}

/** RFC 9110 §15.5.16: what is compressed is said to be unreadable, rather than read as if it were not. */
function requireUncompressed(encoding: string | null): void {
  if (encoding === null || encoding.trim().toLowerCase() === 'identity') return
  throw new ScimError(415, undefined, 'A compressed body is not taken; send it as it is.', {
    'Accept-Encoding': 'identity',
  })
}

async function readBytes(request: Request): Promise<Uint8Array> {
  const announced = Number(request.headers.get('Content-Length') ?? 0)
  if (announced > MAX_BODY_BYTES) throw tooLarge()
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of request.body ?? []) {
    size += chunk.byteLength
    if (size > MAX_BODY_BYTES) throw tooLarge()
    chunks.push(chunk)
  }
  const [only] = chunks
  if (chunks.length === 1 && only) return only
  const whole = new Uint8Array(size)
  let at = 0
  for (const chunk of chunks) {
    whole.set(chunk, at)
    at += chunk.byteLength
  }
  return whole
}

function tooLarge(): ScimError {
  return new ScimError(413, undefined, `The body is larger than ${MAX_BODY_BYTES} bytes.`)
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: false }).decode(bytes)
  } catch {
    throw new ScimError(400, 'invalidSyntax', 'The body is not UTF-8.').about('body-unreadable')
  }
}

function parse(text: string): Json {
  try {
    return JSON.parse(text) as Json
  } catch (error) {
    throw new ScimError(400, 'invalidSyntax', `The body is not JSON${placeOf(error, text)}.`).about(
      'body-unreadable',
    )
  }
}

/** V8 says where; what it quotes of the body is not repeated. */
function placeOf(error: unknown, text: string): string {
  if (text.trim() === '') return ': it is empty'
  const position = /position (\d+)/.exec(error instanceof Error ? error.message : '')?.[1]
  if (position !== undefined) return `: character ${Number(position) + 1} does not belong there`
  return /end of JSON|Unterminated/.test(String(error)) ? ': it ends too early' : ''
}

export interface ReplyHeaders {
  readonly location?: string
  readonly etag?: string
}

export function scimReply(
  status: number,
  body: JsonObject | ReadableStream,
  headers: ReplyHeaders = {},
): Response {
  return new Response(body instanceof ReadableStream ? body : JSON.stringify(body), {
    status,
    headers: { 'Content-Type': SCIM_JSON, ...NO_STORE, ...fields(headers) },
  })
}

export function emptyReply(status: 204 | 304, headers: ReplyHeaders = {}): Response {
  return new Response(null, { status, headers: { ...NO_STORE, ...fields(headers) } })
}

export function errorReply(error: ScimError): Response {
  return new Response(JSON.stringify(error.body()), {
    status: error.status,
    headers: { 'Content-Type': SCIM_JSON, ...NO_STORE, ...error.headers },
  })
}

function fields({ location, etag }: ReplyHeaders): Record<string, string> {
  return { ...(location !== undefined && { Location: location }), ...(etag !== undefined && { ETag: etag }) }
}
