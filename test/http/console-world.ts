// What the console's pages show in a test: made by the admin API and by SCIM requests.
import { ADMIN_TOKEN, ORIGIN, toWorker } from './visitor'

export const USER = 'urn:ietf:params:scim:schemas:core:2.0:User'
export const GROUP = 'urn:ietf:params:scim:schemas:core:2.0:Group'
export const ENTERPRISE = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'

/** A call of the admin API; it must succeed. */
export async function call<Body = { id: string }>(
  method: string,
  path: string,
  body?: object,
): Promise<Body> {
  return send(method, `/admin/v1${path}`, ADMIN_TOKEN, 'application/json', body)
}

/** A request of an identity provider; it must succeed. */
export async function scim<Body = { id: string }>(
  slug: string,
  token: string,
  method: string,
  path: string,
  body?: object,
): Promise<Body> {
  return send(method, `/t/${slug}/scim/v2${path}`, token, 'application/scim+json', body)
}

async function send<Body>(method: string, path: string, token: string, type: string, body?: object) {
  const headers: Record<string, string> = { authorization: `Bearer ${token}` }
  const init: RequestInit = { method, headers }
  if (body !== undefined) {
    headers['content-type'] = type
    init.body = JSON.stringify(body)
  }
  const response = await toWorker(new Request(ORIGIN + path, init))
  const text = await response.text()
  if (!response.ok) throw new Error(`${method} ${path} is ${response.status}: ${text}`)
  return (text === '' ? undefined : JSON.parse(text)) as Body
}
