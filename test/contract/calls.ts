// Calls of the admin API whatever they answer, and calls through a database that a test watches.
import { env } from 'cloudflare:workers'
import { ADMIN_TOKEN, type Fetch, ORIGIN, readReply, scimClient, type Tenant, withBindings } from './world'

export interface Answer {
  readonly status: number
  readonly body: {
    readonly id: string
    readonly name: string
    readonly extends: string
    readonly attributes: { name: string }[]
    readonly items: { id: string; name: string }[]
    readonly nextCursor: string
    readonly detail: string
    readonly errors: { path: string; message: string }[]
    readonly paths: Record<string, object>
  }
}

export const plain = withBindings({})

/** A call of the admin API, whatever it answers. */
export async function call(
  method: string,
  path: string,
  body?: unknown,
  fetch: Fetch = plain,
): Promise<Answer> {
  const init: RequestInit = { method, headers: { Authorization: `Bearer ${ADMIN_TOKEN}` } }
  if (body !== undefined) init.body = JSON.stringify(body)
  return readReply(await fetch(new Request(`${ORIGIN}/admin/v1${path}`, init))) as Promise<Answer>
}

/** The test runner's database, with what a test wants to know or do before each batch. */
export function watched(before: (batch: number) => Promise<unknown> | undefined = () => undefined) {
  const seen = { calls: 0, rowsRead: 0 }
  const DB = new Proxy(env.DB, {
    get(target, name) {
      if (name !== 'batch') return Reflect.get(target, name).bind(target)
      return async (statements: D1PreparedStatement[]) => {
        await before(++seen.calls)
        const results = await target.batch(statements)
        for (const { meta } of results) seen.rowsRead += meta.rows_read
        return results
      }
    },
  })
  return { seen, fetch: withBindings({ DB }) }
}

/** The tenant's identity provider, by way of another database. */
export const through = ({ connection }: Tenant, fetch: Fetch) =>
  scimClient(connection.baseUrl, `Bearer ${connection.token.value}`, fetch)
