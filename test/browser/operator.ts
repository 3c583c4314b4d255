// The operator: what is done through the admin API before a page is opened, and how the console is entered.
import { randomUUID } from 'node:crypto'
import type { Page } from 'playwright-core'
import { inject } from 'vitest'
import { call, type Reply } from '../process/world'

/** A tenant that nothing is connected to yet. */
export async function newTenant(name = 'Acme') {
  const slug = newSlug()
  await admin('POST', '/tenants', { slug, name })
  return tenantOf(slug)
}

export type Tenant = ReturnType<typeof tenantOf>

export function newSlug(): string {
  return `acme-${randomUUID().slice(0, 8)}`
}

export function tenantOf(slug: string) {
  const baseUrl = `${inject('origin')}/t/${slug}/scim/v2`
  const ofTenant = (method: string, path: string, body?: unknown) =>
    admin(method, `/tenants/${slug}${path}`, body)
  return {
    slug,
    baseUrl,
    console: `/console/tenants/${slug}`,
    admin: ofTenant,
    setupLink: async (body: object = {}) => {
      const { id, url } = await ofTenant('POST', '/setup-links', body)
      return { id: String(id), url: String(url) }
    },
    connect: async (name = 'Acme Entra') => {
      const { id, token } = await ofTenant('POST', '/connections', { name, idp: 'entra' })
      const { value } = token as { value: string }
      const scim = async (method: string, path: string, body?: unknown) =>
        expectDone(`${method} ${path}`, await call(method, baseUrl + path, value, body))
      return { id: String(id), token: value, scim }
    },
  }
}

async function admin(method: string, path: string, body?: unknown): Promise<Reply['body']> {
  const reply = await call(method, `${inject('origin')}/admin/v1${path}`, inject('adminToken'), body)
  return expectDone(`${method} ${path}`, reply)
}

function expectDone(request: string, { status, body }: Reply): Reply['body'] {
  if (status >= 400) throw new Error(`${request} → ${status} ${JSON.stringify(body)}`)
  return body
}

/** Asks for a page of the console, and signs in on the way. */
export async function signIn(page: Page, to = '/console'): Promise<void> {
  await page.goto(to)
  await page.getByLabel('Admin token').fill(inject('adminToken'))
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByRole('button', { name: 'Sign out' }).waitFor()
}
