// The admin API as a test calls it: with a clock and a queue that only remembers, and rows put in place directly.
import { createExecutionContext, waitOnExecutionContext } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { sql } from 'drizzle-orm'
import { Hono } from 'hono'
import { type Service, serviceOf } from '../../src/env'
import type { Message } from '../../src/events/message'
import { adminApp } from '../../src/http/admin/app'
import type { AdminEnv } from '../../src/http/admin/authenticate'
import { standardResourceTypes } from '../../src/scim/schemas/resource-types'
import { type ActivityEntry, insertActivity } from '../../src/storage/activity'
import { appendEvents, createDeliveries, type EventDraft } from '../../src/storage/outbox'
import { insertResource } from '../../src/storage/resources'
import { TenantDatabase } from '../../src/storage/tenant-database'

export const ORIGIN = 'https://scim.example.com'
export const ADMIN_TOKEN = 'admin-token-for-tests'

// biome-ignore lint/suspicious/noExplicitAny: a reply is whatever its test says it is
export type Reply = { status: number; headers: Headers; text: string; body: any }

export async function newOperator() {
  const clock = { now: Date.UTC(2026, 10, 21, 20) }
  const queued: Message[] = []
  const queue = {
    send: async (body: Message) => void queued.push(body),
    sendBatch: async (requests: Iterable<{ body: Message }>) => {
      for (const { body } of requests) queued.push(body)
    },
  }
  const service: Service = {
    ...(await serviceOf(env)),
    queue: queue as unknown as Service['queue'],
    now: () => clock.now,
  }
  const parent = new Hono<AdminEnv>()
  parent.use('*', async (c, next) => {
    c.set('service', service)
    await next()
  })
  parent.route('/admin/v1', adminApp)

  /** Sends what it is given: an object as JSON, text as it is. */
  async function raw(path: string, init: RequestInit = {}): Promise<Reply> {
    const context = createExecutionContext()
    const response = await parent.fetch(new Request(`${ORIGIN}/admin/v1${path}`, init), env, context)
    await waitOnExecutionContext(context)
    const text = await response.text()
    const isJson = response.headers.get('content-type')?.includes('json')
    return {
      status: response.status,
      headers: response.headers,
      text,
      body: isJson && text !== '' ? JSON.parse(text) : undefined,
    }
  }

  function call(method: string, path: string, body?: unknown): Promise<Reply> {
    const headers: Record<string, string> = { authorization: `Bearer ${ADMIN_TOKEN}` }
    if (body === undefined) return raw(path, { method, headers })
    headers['content-type'] = 'application/json'
    return raw(path, { method, headers, body: typeof body === 'string' ? body : JSON.stringify(body) })
  }

  let tenants = 0
  return {
    service,
    clock,
    queued,
    raw,
    call,
    get: (path: string) => call('GET', path),
    post: (path: string, body?: unknown) => call('POST', path, body),
    patch: (path: string, body?: unknown) => call('PATCH', path, body),
    delete: (path: string) => call('DELETE', path),
    /** A tenant, a connection and a receiver of its own. */
    async newTenant() {
      tenants += 1
      const slug = `tenant-${crypto.randomUUID().slice(0, 8)}-${tenants}`
      const tenant = await call('POST', '/tenants', { slug, name: `Tenant ${tenants}` })
      const at = `/tenants/${slug}`
      const connection = await call('POST', `${at}/connections`, { name: 'Entra', idp: 'entra' })
      const database = new TenantDatabase({ d1: env.DB, furtherDatabases: new Map() }, tenant.body.id)
      return { slug, at, id: tenant.body.id as string, database, connection: connection.body }
    },
    newReceiver: async (at: string, more: object = {}) =>
      (
        await call('POST', `${at}/receivers`, {
          kind: 'webhook',
          url: 'https://receiver.example.com/hook',
          ...more,
        })
      ).body,
  }
}

type Database = TenantDatabase

const userType = standardResourceTypes.find(type => type.accessAttribute !== undefined)

/** A user as a connection's identity provider would have made it. */
export async function addUser(database: Database, connectionId: string, userName: string, active = true) {
  if (!userType) throw new Error('no user type')
  const id = crypto.randomUUID()
  const resource = { userName, externalId: `ext-${userName}`, active }
  const created = {
    tenantId: database.tenantId,
    id,
    type: userType,
    connectionId,
    resource,
    restores: false,
    version: crypto.randomUUID(),
    now: Date.UTC(2026, 10, 20),
  }
  await database.batch(insertResource(created, sql`1`))
  return id
}

/** Events as an operation appends them, with a delivery for each receiver; their sequences follow each other. */
export async function addEvents(database: Database, drafts: readonly Partial<EventDraft>[], now: number) {
  const occasion = { tenantId: database.tenantId, connectionId: null, txn: crypto.randomUUID(), now }
  const whole = drafts.map(draft => ({
    connectionId: null,
    type: 'user.updated',
    userId: null,
    groupId: null,
    data: {},
    ...draft,
  }))
  await database.batch([appendEvents(occasion, whole), createDeliveries(occasion)])
}

export async function addActivity(database: Database, entries: readonly Partial<ActivityEntry>[]) {
  const whole = entries.map((entry, i) => ({
    id: `01a${String(i).padStart(9, '0')}`,
    at: Date.UTC(2026, 10, 21) + i,
    connectionId: null,
    tokenHint: null,
    method: 'GET',
    path: '/Users',
    status: 200,
    scimType: null,
    detail: null,
    help: null,
    resourceType: null,
    resourceId: null,
    tolerances: [],
    durationMs: 3,
    ...entry,
  }))
  await database.batch([insertActivity(database.tenantId, whole)])
}

/** Runs statements that no call of the API makes: what a sender or a job would have written. */
export async function write(text: string, ...values: unknown[]) {
  await env.DB.prepare(text)
    .bind(...values)
    .run()
}

export async function read(text: string, ...values: unknown[]) {
  return (
    await env.DB.prepare(text)
      .bind(...values)
      .all<Record<string, unknown>>()
  ).results
}
