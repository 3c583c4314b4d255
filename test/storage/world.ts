// A tenant of its own behind the whole Worker, on a D1 that counts its calls and fails where a test says so.
import { createExecutionContext } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import worker from '../../src/index'
import type { Json, JsonObject } from '../../src/scim/json'

export const ORIGIN = 'https://scim.example.com'
export const USER = 'urn:ietf:params:scim:schemas:core:2.0:User'
export const GROUP = 'urn:ietf:params:scim:schemas:core:2.0:Group'
export const ENTERPRISE = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'
export const PATCH_OP = 'urn:ietf:params:scim:api:messages:2.0:PatchOp'

/** What a request cost: round trips to D1, and the rows they touched. */
export interface Cost {
  readonly calls: number
  readonly rowsRead: number
  readonly rowsWritten: number
  /** Statements of each batch, in order. */
  readonly batches: readonly number[]
  /** Rows that each batch brought along, in order. */
  readonly brought: readonly number[]
}

export interface Reply {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  // biome-ignore lint/suspicious/noExplicitAny: a reply is whatever its test says it is
  readonly body: any
  /** Until the reply was there, its body not yet read. */
  readonly cost: Cost
  /** Until the body was read: a streamed one goes on asking. */
  readonly wholeCost: Cost
}

export type Fault =
  /** Statement `statement` (from 0) of the `batch`th batch (from 0) fails instead of running. */
  | { readonly batch: number; readonly statement: number }
  /** The `batch`th batch fails with this message: it never comes to D1, or it is committed and its answer is lost. */
  | { readonly batch: number; readonly lost: 'question' | 'answer'; readonly message: string }

interface Meter {
  calls: number
  rowsRead: number
  rowsWritten: number
  /** Statements of each batch, in order. */
  readonly batches: number[]
  /** Rows that each batch brought along, in order. */
  readonly brought: number[]
}

/** D1 with a meter: counts batch() and whatever a prepared statement runs by itself. */
function metered(d1: D1Database, meter: Meter, fault: Fault | undefined): D1Database {
  const originals = new WeakMap<object, D1PreparedStatement>()
  const add = (results: readonly D1Result[]) => {
    for (const { meta } of results) {
      meter.rowsRead += meta.rows_read
      meter.rowsWritten += meta.rows_written
    }
  }
  const wrap = (statement: D1PreparedStatement): D1PreparedStatement => {
    const wrapped = {
      bind: (...values: unknown[]) => wrap(statement.bind(...values)),
      all: async () => {
        meter.calls++
        const result = await statement.all()
        add([result])
        return result
      },
      run: async () => {
        meter.calls++
        const result = await statement.run()
        add([result])
        return result
      },
      first: async (column?: string) => {
        meter.calls++
        const result = await statement.all<Record<string, unknown>>()
        add([result])
        const [row] = result.results
        return (column === undefined ? row : row?.[column]) ?? null
      },
    }
    originals.set(wrapped, statement)
    return wrapped as unknown as D1PreparedStatement
  }
  return {
    prepare: (text: string) => wrap(d1.prepare(text)),
    batch: async (statements: D1PreparedStatement[]) => {
      // A call that fails has been made all the same.
      meter.calls++
      const nth = meter.batches.push(statements.length) - 1
      const failing = fault?.batch === nth ? fault : undefined
      const lost = failing && 'lost' in failing ? failing : undefined
      if (lost?.lost === 'question') throw new Error(lost.message)
      const raw = statements.map((statement, i) =>
        failing && 'statement' in failing && failing.statement === i
          ? d1.prepare("SELECT json('a crash')")
          : (originals.get(statement) ?? statement),
      )
      const results = await d1.batch(raw)
      if (lost) throw new Error(lost.message)
      add(results)
      meter.brought.push(results.reduce((sum, result) => sum + (result.results?.length ?? 0), 0))
      return results
    },
  } as unknown as D1Database
}

/** The response as it comes, its body not yet read, and what it has cost so far. */
export async function open(
  method: string,
  url: string,
  headers: Record<string, string>,
  body?: Json,
  fault?: Fault,
): Promise<{ response: Response; cost: () => Cost }> {
  const meter: Meter = { calls: 0, rowsRead: 0, rowsWritten: 0, batches: [], brought: [] }
  // No limits, and a queue that takes everything and delivers nothing.
  const { CONNECTION_LIMIT: _, FAILED_CREDENTIAL_LIMIT: __, ...bindings } = env
  const queue = { send: async () => undefined, sendBatch: async () => undefined }
  const init: RequestInit = { method, headers }
  if (body !== undefined) init.body = JSON.stringify(body)
  const response = await worker.fetch(
    new Request(url, init),
    { ...bindings, EVENTS: queue as unknown as typeof env.EVENTS, DB: metered(env.DB, meter, fault) },
    createExecutionContext(),
  )
  return {
    response,
    cost: () => ({ ...meter, batches: [...meter.batches], brought: [...meter.brought] }),
  }
}

export async function send(
  method: string,
  url: string,
  headers: Record<string, string>,
  body?: Json,
  fault?: Fault,
): Promise<Reply> {
  const { response, cost: costSoFar } = await open(method, url, headers, body, fault)
  const cost = costSoFar()
  const text = await response.text()
  return {
    status: response.status,
    headers: response.headers,
    text,
    body: text === '' ? undefined : JSON.parse(text),
    cost,
    wholeCost: costSoFar(),
  }
}

export type Client = Awaited<ReturnType<typeof newClient>>

/** A connection of a tenant (a new one, unless `slug` names one) and its token, used once unless `fresh`. */
export async function newClient(
  options: { slug?: string; tenantId?: string; fresh?: boolean; profile?: string } = {},
) {
  const operator = { authorization: `Bearer ${env.ADMIN_TOKEN}`, 'content-type': 'application/json' }
  const admin = (path: string, body: Json) => send('POST', `${ORIGIN}/admin/v1${path}`, operator, body)
  const slug = options.slug ?? `t-${crypto.randomUUID()}`
  const { profile = 'standard' } = options
  const tenantId: string = options.tenantId ?? (await admin('/tenants', { slug, name: 'T', profile })).body.id
  const connection = (await admin(`/tenants/${slug}/connections`, { name: 'C', idp: 'generic' })).body
  const base = `${ORIGIN}/t/${slug}/scim/v2`
  const authorization = `Bearer ${connection.token.value}`

  function call(method: string, path: string, body?: Json, more: { fault?: Fault; ifMatch?: string } = {}) {
    const headers: Record<string, string> = { authorization }
    if (body !== undefined) headers['content-type'] = 'application/scim+json'
    if (more.ifMatch !== undefined) headers['if-match'] = more.ifMatch
    return send(method, base + path, headers, body, more.fault)
  }

  const client = {
    slug,
    tenantId,
    connectionId: connection.id as string,
    base,
    call,
    /** A GET whose body is not read yet. */
    open: (path: string) => open('GET', base + path, { authorization }),
    get: (path: string) => call('GET', path),
    filter: (endpoint: string, filter: string, more = '') =>
      call('GET', `${endpoint}?filter=${encodeURIComponent(filter)}${more}`),
    patch: (path: string, ...operations: JsonObject[]) =>
      call('PATCH', path, { schemas: [PATCH_OP], Operations: operations }),
    /** The id of a new user. */
    async user(userName: string, more: JsonObject = {}): Promise<string> {
      return created(await call('POST', '/Users', { schemas: [USER], userName, ...more }))
    },
    /** The id of a new group. */
    async group(displayName: string, ids: readonly string[] = []): Promise<string> {
      const members = ids.map(value => ({ value }))
      return created(await call('POST', '/Groups', { schemas: [GROUP], displayName, members }))
    },
    /** Rows of the tenant, `?` being its id. */
    rows: (text: string, ...values: unknown[]) => rows(text, tenantId, ...values),
  }
  if (!options.fresh) await client.get('/Users?count=0')
  return client
}

function created(reply: Reply): string {
  if (reply.status !== 201) throw new Error(`not created: ${reply.text}`)
  return reply.body.id
}

export async function rows(text: string, ...values: unknown[]) {
  const { results } = await env.DB.prepare(text)
    .bind(...values)
    .all<Record<string, unknown>>()
  return results
}

/** Many users at once, as rows that no request made: `u1@example.com` … with every look-up a user has. */
export async function seedUsers(client: Client, count: number): Promise<void> {
  const numbers = Array.from({ length: count }, (_, i) => i + 1)
  const list = JSON.stringify(numbers)
  const { tenantId, connectionId } = client
  const id = "'user-' || value"
  const document = `json_object('userName', 'u' || value || '@example.com', 'externalId', 'ext-' || value,
    'displayName', 'User ' || value, 'active', json('true'),
    'emails', json_array(json_object('value', 'mail' || value || '@example.com', 'type', 'work')))`
  const lookups = [
    ['userName', '', "'u' || value || '@example.com'", 1],
    ['externalId', connectionId, "'ext-' || value", 1],
    ['displayName', '', "'user ' || value", 0],
    ['emails.value', '', "'mail' || value || '@example.com'", 0],
  ] as const
  await env.DB.batch([
    env.DB.prepare(
      `INSERT INTO resources (tenant_id, id, type, scope, serial, connection_id, document, active, version,
        created_at, last_modified, session_epoch)
        SELECT ?1, ${id}, 'User', '', value, ?2, ${document}, 1, 'v' || value, value, value, 0 FROM json_each(?3)`,
    ).bind(tenantId, connectionId, list),
    ...lookups.map(([attribute, scope, value, unique]) =>
      env.DB.prepare(
        `INSERT INTO lookups (tenant_id, type, attribute, scope, value, resource_id, is_unique)
          SELECT ?1, 'User', ?2, ?3, ${value}, ${id}, ?4 FROM json_each(?5)`,
      ).bind(tenantId, attribute, scope, unique, list),
    ),
    env.DB.prepare(
      `INSERT INTO totals (tenant_id, type, scope, live, last_serial, active) VALUES (?1, 'User', '', ?2, ?2, ?2)`,
    ).bind(tenantId, count),
  ])
}

/** The ids that `seedUsers` gave. */
export function seededIds(from: number, to: number): string[] {
  return Array.from({ length: to - from + 1 }, (_, i) => `user-${from + i}`)
}

/** Deletes seeded users as rows; `numbers` are their numbers, which are their serials. */
export async function unseedUsers(client: Client, numbers: readonly number[]): Promise<void> {
  const { tenantId } = client
  await rows(
    `DELETE FROM resources WHERE tenant_id = ?1 AND id IN (SELECT 'user-' || value FROM json_each(?2))`,
    tenantId,
    JSON.stringify(numbers),
  )
  await rows(
    `UPDATE totals SET live = live - ?2, active = active - ?2 WHERE tenant_id = ?1 AND type = 'User'`,
    tenantId,
    numbers.length,
  )
  await addGaps(client, numbers)
}

/** Counts these serials of the list of users as gone. */
export async function addGaps({ tenantId }: Client, serials: readonly number[]): Promise<void> {
  const counts = new Map<string, number>()
  for (const size of [262_144, 4_096, 64])
    for (const serial of serials) {
      const block = `[${size},${Math.floor((serial - 1) / size)}]`
      counts.set(block, (counts.get(block) ?? 0) + 1)
    }
  await rows(
    `INSERT INTO gaps (tenant_id, type, scope, size, block, gone)
      SELECT ?, 'User', '', value ->> '$[0][0]', value ->> '$[0][1]', value ->> '$[1]' FROM json_each(?)`,
    tenantId,
    JSON.stringify([...counts].map(([block, count]) => [JSON.parse(block), count])),
  )
}
