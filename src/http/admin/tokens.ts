// Calls about the tokens of a connection.
import * as z from 'zod'
import { openTenant } from '../../administration/open-tenant'
import { endToken, listTokens, rotateToken } from '../../administration/tokens'
import { call } from './call'
import { pageQuery, pageReply } from './list'

const YEAR_SECONDS = 31_536_000

/** How long something old goes on beside the new. */
export const overlapSeconds = z.int().min(0).max(YEAR_SECONDS).default(0)

export const newToken = z.object({
  id: z.string(),
  value: z.string().describe('The bearer token, shown only here'),
  hint: z.string().describe('Its last four characters'),
  createdAt: z.iso.datetime(),
  expiresAt: z.iso.datetime().nullable(),
})

const token = z.object({
  id: z.string(),
  hint: z.string(),
  createdAt: z.iso.datetime(),
  lastUsedAt: z.iso.datetime().nullable(),
  expiresAt: z.iso.datetime().nullable(),
  revokedAt: z.iso.datetime().nullable(),
  expiresSoon: z.literal(true).optional().describe('There from 30 days before it expires, until then'),
})

export const rotation = z.strictObject({
  overlapSeconds,
  expiresAt: z.iso.datetime({ offset: true, error: 'must be an ISO 8601 time with its zone' }).optional(),
})

export const tokenCalls = [
  call({
    method: 'POST',
    path: '/tenants/:slug/connections/:id/tokens',
    summary:
      'Rotate: a new token; older ones stop at once, or live for the overlap or until it is first used',
    body: rotation,
    replies: { 201: newToken },
    handle: async ({ service, origin, params, body }) => {
      const tenant = await openTenant(service, origin, params.slug)
      return { status: 201, body: await rotateToken(service, tenant, params.id, body) }
    },
  }),
  call({
    method: 'GET',
    path: '/tenants/:slug/connections/:id/tokens',
    summary: 'List the tokens of a connection, oldest first',
    query: pageQuery,
    replies: { 200: pageReply(token) },
    handle: async ({ service, origin, params, query }) => {
      const tenant = await openTenant(service, origin, params.slug)
      return { status: 200, body: await listTokens(service, tenant, params.id, query) }
    },
  }),
  call({
    method: 'DELETE',
    path: '/tenants/:slug/connections/:id/tokens/:tokenId',
    summary: 'Revoke a token: it stops working at once',
    replies: { 204: null },
    handle: async ({ service, origin, params }) => {
      const tenant = await openTenant(service, origin, params.slug)
      await endToken(service, tenant, params.id, params.tokenId)
      return { status: 204 }
    },
  }),
]
