// Calls about setup links, the pages for a customer's IT admin.
import * as z from 'zod'
import { openTenant } from '../../administration/open-tenant'
import { createSetupLink, endSetupLink, listSetupLinks, renewLink } from '../../administration/setup-links'
import { call } from './call'
import { pageQuery, pageReply } from './list'

const MAX_HOURS = 720

const expiresInHours = z
  .number()
  .positive({ error: 'must be more than 0' })
  .max(MAX_HOURS, { error: `must be at most ${MAX_HOURS}, which is 30 days` })
  .default(72)
  .describe('May be a fraction')

const setupLink = z.object({
  id: z.string(),
  connectionId: z.string().nullable().describe('null until the identity provider has been chosen'),
  expiresAt: z.iso.datetime(),
  usedAt: z.iso.datetime().nullable().describe('When it made its token'),
  createdAt: z.iso.datetime(),
})

const newSetupLink = z.object({
  id: z.string(),
  url: z.url().describe('Give it to the IT admin; it is shown only here'),
  expiresAt: z.iso.datetime(),
})

export const newLinkSettings = z.strictObject({
  connectionId: z.string().max(64).nullable().optional(),
  expiresInHours,
})

export const renewal = z.strictObject({ expiresInHours })

export const setupLinkCalls = [
  call({
    method: 'POST',
    path: '/tenants/:slug/setup-links',
    summary:
      'Make a page on which an IT admin sets up the connection, once; without a connection it makes one',
    body: newLinkSettings,
    replies: { 201: newSetupLink },
    handle: async ({ service, origin, params, body }) => {
      const tenant = await openTenant(service, origin, params.slug)
      return { status: 201, body: await createSetupLink(service, tenant, body) }
    },
  }),
  call({
    method: 'GET',
    path: '/tenants/:slug/setup-links',
    summary: 'List the setup links, oldest first',
    query: pageQuery,
    replies: { 200: pageReply(setupLink) },
    handle: async ({ service, origin, params, query }) => {
      const tenant = await openTenant(service, origin, params.slug)
      return { status: 200, body: await listSetupLinks(service, tenant, query) }
    },
  }),
  call({
    method: 'POST',
    path: '/tenants/:slug/setup-links/:id/renew',
    summary: 'A new URL, which can make a token again; the old one opens nothing from now on',
    body: renewal,
    replies: { 201: newSetupLink },
    handle: async ({ service, origin, params, body }) => {
      const tenant = await openTenant(service, origin, params.slug)
      return { status: 201, body: await renewLink(service, tenant, params.id, body) }
    },
  }),
  call({
    method: 'DELETE',
    path: '/tenants/:slug/setup-links/:id',
    summary: 'Delete a setup link: its page is gone at once, what it has set up stays',
    replies: { 204: null },
    handle: async ({ service, origin, params }) => {
      await endSetupLink(await openTenant(service, origin, params.slug), params.id)
      return { status: 204 }
    },
  }),
]
