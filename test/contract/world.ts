// The service as its callers meet it: tenants and connections made by the admin API, SCIM calls as an identity
// provider sends them, all over HTTP to the Worker in workerd.
import { createExecutionContext, waitOnExecutionContext } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { expect } from 'vitest'
import worker from '../../src/index'

export const ORIGIN = 'https://scim.example.com'
export const ADMIN_TOKEN = 'admin-token-for-tests'
export const UNKNOWN_ID = '019aa000-0000-7000-8000-000000000000'
export const USER = 'urn:ietf:params:scim:schemas:core:2.0:User'
export const GROUP = 'urn:ietf:params:scim:schemas:core:2.0:Group'
export const ENTERPRISE = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'
export const PATCH_OP = 'urn:ietf:params:scim:api:messages:2.0:PatchOp'
export const LIST_RESPONSE = 'urn:ietf:params:scim:api:messages:2.0:ListResponse'
export const SEARCH_REQUEST = 'urn:ietf:params:scim:api:messages:2.0:SearchRequest'
export const ERROR = 'urn:ietf:params:scim:api:messages:2.0:Error'

/** A reply's body, typed as its test expects it; what is not there fails the test that looks at it. */
export interface Body {
  schemas: string[]
  id: string
  externalId: string
  userName: string
  displayName: string
  active: boolean
  meta: { resourceType: string; created: string; lastModified: string; location: string; version: string }
  members: { value: string; type: string; display: string; $ref: string }[]
  groups: { value: string; type: string; display: string; $ref: string }[]
  totalResults: number
  startIndex: number
  itemsPerPage: number
  Resources: Body[]
  status: string
  scimType: string
  detail: string
  [name: string]: unknown
}

export interface Reply<B = Body> {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  readonly body: B
}

export type Fetch = (request: Request) => Promise<Response>

/** Of all requests not yet settled: one of them writes the log of others. */
const contexts: ExecutionContext[] = []

/** The Worker with other bindings than the test runner's: a stubbed limiter, a watched database. */
export function withBindings(bindings: Partial<Env>): Fetch & { settled(): Promise<void> } {
  const other = { ...env, ...bindings }
  const send = async (request: Request) => {
    const context = createExecutionContext()
    contexts.push(context)
    return worker.fetch(request, other, context)
  }
  const settled = async () => {
    await Promise.all(contexts.splice(0).map(context => waitOnExecutionContext(context)))
  }
  return Object.assign(send, { settled })
}

/** Not `exports.default.fetch`: each call of that loopback takes longer than the one before. */
const toWorker = withBindings({})

/** Everything that goes on behind the replies is done. */
export const settled = () => toWorker.settled()

export async function readReply<B = Body>(response: Response): Promise<Reply<B>> {
  const text = await response.text()
  const isJson = response.headers.get('Content-Type')?.includes('json') ?? false
  const body = (isJson && text !== '' ? JSON.parse(text) : {}) as B
  return { status: response.status, headers: response.headers, text, body }
}

type Headings = Readonly<Record<string, string>>

/** One identity provider's calls. A body that is text, bytes or a stream is sent as it is. */
export function scimClient(base: string, authorization: string | undefined, fetch: Fetch = toWorker) {
  async function send(method: string, path: string, body?: unknown, headers: Headings = {}): Promise<Reply> {
    const init: RequestInit = { method, headers: { ...headers } }
    const all = new Headers(authorization === undefined ? {} : { Authorization: authorization })
    if (body !== undefined) {
      all.set('Content-Type', 'application/scim+json')
      const isRaw = typeof body === 'string' || body instanceof Uint8Array || body instanceof ReadableStream
      init.body = isRaw ? body : JSON.stringify(body)
    }
    for (const [name, value] of Object.entries(headers)) all.set(name, value)
    return readReply(await fetch(new Request(base + path, { ...init, headers: all })))
  }
  return {
    base,
    send,
    get: (path: string, headers?: Headings) => send('GET', path, undefined, headers),
    post: (path: string, body: unknown, headers?: Headings) => send('POST', path, body, headers),
    put: (path: string, body: unknown, headers?: Headings) => send('PUT', path, body, headers),
    patch: (path: string, operations: readonly unknown[], headers?: Headings) =>
      send('PATCH', path, { schemas: [PATCH_OP], Operations: operations }, headers),
    delete: (path: string, headers?: Headings) => send('DELETE', path, undefined, headers),
    filter: (endpoint: string, filter: string) =>
      send('GET', `${endpoint}?filter=${encodeURIComponent(filter)}`),
  }
}

export type Scim = ReturnType<typeof scimClient>

/** A call of the admin API; it must succeed. */
export async function admin<B = Body>(method: string, path: string, body?: unknown): Promise<B> {
  const headers = { Authorization: `Bearer ${ADMIN_TOKEN}`, 'Content-Type': 'application/json' }
  const init: RequestInit = { method, headers }
  if (body !== undefined) init.body = JSON.stringify(body)
  const reply = await readReply<B>(await toWorker(new Request(`${ORIGIN}/admin/v1${path}`, init)))
  if (reply.status >= 300) throw new Error(`${method} ${path} is ${reply.status}: ${reply.text}`)
  return reply.body
}

export interface Token {
  readonly id: string
  readonly value: string
}

export interface Connection {
  readonly id: string
  readonly baseUrl: string
  readonly token: Token
  readonly scim: Scim
}

export interface ScimEvent {
  readonly id: string
  readonly sequence: number
  readonly type: string
  readonly txn: string
  readonly userId: string | null
  readonly groupId: string | null
  readonly occurredAt: string
  readonly data: Readonly<Record<string, unknown>> & {
    readonly user: { id: string; externalId: string | null; userName: string }
    readonly group: { id: string; externalId: string | null; displayName: string }
    readonly members: string[]
    readonly groups: string[]
    readonly changed: string[]
    readonly epoch: number
    readonly notBefore: number
  }
}

/** A fresh tenant with one connection. */
export async function newTenant(
  options: { mode?: 'compat' | 'strict'; idp?: string; profile?: string } = {},
) {
  const slug = `t-${crypto.randomUUID()}`
  const { profile } = options
  await admin('POST', '/tenants', { slug, name: 'A tenant', ...(profile !== undefined && { profile }) })
  const at = `/tenants/${slug}`

  async function connect({ mode = 'compat', idp = 'entra' }: typeof options = {}): Promise<Connection> {
    const made = await admin<{ id: string; baseUrl: string; token: Token }>('POST', `${at}/connections`, {
      name: 'An identity provider',
      idp,
      mode,
    })
    return { ...made, scim: scimClient(made.baseUrl, `Bearer ${made.token.value}`) }
  }

  const connection = await connect(options)
  const { scim } = connection

  async function events(query = ''): Promise<ScimEvent[]> {
    const found: ScimEvent[] = []
    for (let cursor = ''; ; ) {
      const page = await admin<{ items: ScimEvent[]; nextCursor?: string }>(
        'GET',
        `${at}/events?limit=500${query}${cursor}`,
      )
      found.push(...page.items)
      if (page.nextCursor === undefined) return found
      cursor = `&cursor=${encodeURIComponent(page.nextCursor)}`
    }
  }

  return {
    slug,
    at,
    connection,
    scim,
    connect,
    events,
    /** What the work causes, oldest first. */
    async eventsOf(work: () => Promise<unknown>): Promise<ScimEvent[]> {
      const last = (await events()).at(-1)?.sequence ?? 0
      await work()
      return events(`&after=${last}`)
    },
    /** Everything a rejected request must leave as it was. */
    async state() {
      const users = await scim.get('/Users?count=1000')
      const groups = await scim.get('/Groups?count=1000')
      expect([users.status, groups.status]).toEqual([200, 200])
      return { users: users.body, groups: groups.body, events: (await events()).length }
    },
    async user(more: Readonly<Record<string, unknown>> = {}): Promise<Body> {
      const reply = await scim.post('/Users', newUser(more))
      expect(reply).toMatchObject({ status: 201 })
      return reply.body
    },
    async group(more: Readonly<Record<string, unknown>> = {}): Promise<Body> {
      const reply = await scim.post('/Groups', newGroup(more))
      expect(reply).toMatchObject({ status: 201 })
      return reply.body
    },
    async setStatus(status: 'active' | 'suspended') {
      await admin('PATCH', at, { status })
    },
  }
}

export type Tenant = Awaited<ReturnType<typeof newTenant>>

export function newUser(more: Readonly<Record<string, unknown>> = {}) {
  const unique = crypto.randomUUID().slice(0, 8)
  return {
    schemas: [USER],
    userName: `User.${unique}@Example.com`,
    externalId: `Ext-${unique}`,
    displayName: 'Ada Lovelace',
    name: { givenName: 'Ada', familyName: 'Lovelace' },
    emails: [{ value: `User.${unique}@Example.com`, type: 'work', primary: true }],
    active: true,
    ...more,
  }
}

export function newGroup(more: Readonly<Record<string, unknown>> = {}) {
  return { schemas: [GROUP], displayName: `Group ${crypto.randomUUID().slice(0, 8)}`, ...more }
}

/** RFC-186: a SCIM error with this status and scimType, whose detail names the place. */
export function expectError(reply: Reply, status: number, scimType?: string, detail: RegExp = /./) {
  expect({ status: reply.status, text: reply.text.slice(0, 500) }).toMatchObject({ status })
  expect(reply.headers.get('Content-Type')).toBe('application/scim+json; charset=utf-8')
  expect(reply.headers.get('Cache-Control')).toBe('no-store')
  expect(reply.headers.get('X-Content-Type-Options')).toBe('nosniff')
  expect(reply.body).toEqual({
    schemas: [ERROR],
    status: String(status),
    ...(scimType !== undefined && { scimType }),
    detail: expect.stringMatching(detail),
  })
  expect(reply.body.detail.length).toBeLessThan(500)
}
