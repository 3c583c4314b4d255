// What the operator does through the admin API, for pages to be looked at afterwards.
import { randomUUID } from 'node:crypto'
import { inject } from 'vitest'
import { call, type Reply } from '../process/world'

/** A tenant that nothing is connected to yet. */
export async function newTenant(name = 'Acme') {
  const slug = `acme-${randomUUID().slice(0, 8)}`
  const admin = async (method: string, path: string, body?: unknown): Promise<Reply['body']> => {
    const reply = await call(method, `${inject('origin')}/admin/v1${path}`, inject('adminToken'), body)
    if (reply.status >= 400)
      throw new Error(`${method} ${path} → ${reply.status} ${JSON.stringify(reply.body)}`)
    return reply.body
  }
  await admin('POST', '/tenants', { slug, name })
  const ofTenant = (method: string, path: string, body?: unknown) =>
    admin(method, `/tenants/${slug}${path}`, body)
  return {
    slug,
    baseUrl: `${inject('origin')}/t/${slug}/scim/v2`,
    admin: ofTenant,
    setupLink: async (body: object = {}) => {
      const { id, url } = await ofTenant('POST', '/setup-links', body)
      return { id: String(id), url: String(url) }
    },
  }
}

export type Tenant = Awaited<ReturnType<typeof newTenant>>
