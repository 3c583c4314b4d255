// Calls about the keys by which applications read the directory.
import * as z from 'zod'
import { createAppKey, endAppKey, listAppKeys } from '../../administration/app-keys'
import { openTenant } from '../../administration/open-tenant'
import { label } from './body'
import { call } from './call'
import { pageQuery, pageReply } from './list'

const appKey = z.object({
  id: z.string(),
  name: z.string().nullable(),
  hint: z.string().describe('Its last four characters'),
  createdAt: z.iso.datetime(),
  lastUsedAt: z.iso.datetime().nullable().describe('To the hour'),
})

const newAppKey = appKey
  .omit({ lastUsedAt: true })
  .extend({ value: z.string().describe('The bearer credential of the directory API, shown only here') })

export const appKeyName = z.strictObject({ name: label(255).optional() })

export const appKeyCalls = [
  call({
    method: 'POST',
    path: '/tenants/:slug/app-keys',
    summary: "Make a key that reads this tenant's directory",
    body: appKeyName,
    replies: { 201: newAppKey },
    handle: async ({ service, origin, params, body }) => {
      const tenant = await openTenant(service, origin, params.slug)
      return { status: 201, body: await createAppKey(service, tenant, body) }
    },
  }),
  call({
    method: 'GET',
    path: '/tenants/:slug/app-keys',
    summary: 'List the app keys, oldest first',
    query: pageQuery,
    replies: { 200: pageReply(appKey) },
    handle: async ({ service, origin, params, query }) => {
      const tenant = await openTenant(service, origin, params.slug)
      return { status: 200, body: await listAppKeys(service, tenant, query) }
    },
  }),
  call({
    method: 'DELETE',
    path: '/tenants/:slug/app-keys/:id',
    summary: 'Revoke an app key: it stops working at once',
    replies: { 204: null },
    handle: async ({ service, origin, params }) => {
      await endAppKey(await openTenant(service, origin, params.slug), params.id)
      return { status: 204 }
    },
  }),
]
