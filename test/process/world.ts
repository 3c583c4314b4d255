// A running service and a receiver of one's own, for tests of whole processes: over real HTTP, with real kills.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { startService } from '../../scripts/service.mjs'

export { sleep, startService }
export type Service = Awaited<ReturnType<typeof startService>>

export interface Reply {
  readonly status: number
  // Replies of several shapes; a test looks at what it asked for.
  readonly body: Record<string, unknown>
}

export interface Call {
  readonly id: string
  readonly type: string
  readonly userId: string
  readonly sequence: number
  readonly body: string
}

/** A webhook endpoint that remembers what it got; `answer` may be replaced while it runs. */
export interface Receiver {
  readonly url: string
  readonly calls: Call[]
  answer: (response: ServerResponse, call: Call) => void
  close(): Promise<void>
}

export async function startReceiver(port = 0): Promise<Receiver> {
  const calls: Call[] = []
  const receiver: { answer: Receiver['answer'] } = { answer: response => response.writeHead(204).end() }
  const server: Server = createServer(async (request: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const body = Buffer.concat(chunks).toString()
    const { type, data } = JSON.parse(body) as {
      type: string
      data: { sequence: number; user?: { id: string } }
    }
    const call = {
      id: String(request.headers['webhook-id']),
      type,
      userId: data.user?.id ?? '',
      sequence: data.sequence,
      body,
    }
    calls.push(call)
    receiver.answer(response, call)
  })
  await new Promise<void>(resolve => server.listen(port, '127.0.0.1', resolve))
  const address = server.address() as AddressInfo
  return Object.assign(receiver, {
    url: `http://127.0.0.1:${address.port}/hook`,
    calls,
    close: async () => {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    },
  })
}

export async function call(method: string, url: string, token: string, body?: unknown): Promise<Reply> {
  const reply = await fetch(url, {
    method,
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
  const text = await reply.text()
  return { status: reply.status, body: text === '' ? {} : (JSON.parse(text) as Record<string, unknown>) }
}

/** A tenant with one connection; `scim` and `admin` call below its base URLs. */
export async function makeTenant(service: Service, slug: string) {
  const api = `${service.origin}/admin/v1/tenants`
  await call('POST', api, service.adminToken, { slug, name: slug })
  const made = await call('POST', `${api}/${slug}/connections`, service.adminToken, {
    name: 'idp',
    idp: 'entra',
  })
  const token = (made.body.token as { value: string }).value
  return {
    scim: (method: string, path: string, body?: unknown, origin = service.origin) =>
      call(method, `${origin}/t/${slug}/scim/v2${path}`, token, body),
    admin: (method: string, path: string, body?: unknown, origin = service.origin) =>
      call(method, `${origin}/admin/v1/tenants/${slug}${path}`, service.adminToken, body),
  }
}

export type Tenant = Awaited<ReturnType<typeof makeTenant>>

/** Users, some of them made at a time; their ids. */
export async function makeUsers(tenant: Tenant, count: number): Promise<string[]> {
  const ids: string[] = []
  const make = async (i: number) => {
    const { body } = await tenant.scim('POST', '/Users', {
      schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'],
      userName: `person-${i}@example.test`,
      externalId: `e${i}`,
    })
    return String(body.id)
  }
  while (ids.length < count) {
    const places = Array.from({ length: Math.min(20, count - ids.length) }, (_, i) => ids.length + i)
    ids.push(...(await Promise.all(places.map(make))))
  }
  return ids
}

/** Entra's way to say that somebody has left. */
export const leaves = {
  schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
  Operations: [{ op: 'Replace', path: 'active', value: 'False' }],
}

/** Waits until the condition holds; fails naming it when it has not after a minute or more. */
export async function until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  for (let i = 0; i < 600; i++) {
    if (await condition()) return
    await sleep(100)
  }
  throw new Error(`It never came to this: ${what}`)
}

export async function allItems(
  tenant: Tenant,
  path: string,
  origin: string,
): Promise<Record<string, unknown>[]> {
  const items: Record<string, unknown>[] = []
  for (let cursor = ''; ; ) {
    const separator = path.includes('?') ? '&' : '?'
    const { body } = await tenant.admin('GET', `${path}${separator}limit=500${cursor}`, undefined, origin)
    items.push(...(body.items as Record<string, unknown>[]))
    if (body.nextCursor === undefined) return items
    cursor = `&cursor=${encodeURIComponent(String(body.nextCursor))}`
  }
}
