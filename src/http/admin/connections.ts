// Calls about connections, one for each identity provider of a tenant.
import * as z from 'zod'
import {
  createConnection,
  deleteConnection,
  getConnection,
  listConnections,
  modes,
  updateConnectionSettings,
} from '../../administration/connections'
import { openTenant } from '../../administration/open-tenant'
import { identityProviders } from '../../mapping/identity-providers'
import { label } from './body'
import { call } from './call'
import { pageQuery, pageReply } from './list'
import { deleteQuery } from './tenants'
import { newToken } from './tokens'

const connection = z.object({
  id: z.string(),
  name: z.string(),
  idp: z.enum(identityProviders),
  mode: z.enum(modes),
  status: z.enum(['active', 'disabled', 'deleting']),
  baseUrl: z.url(),
  createdAt: z.iso.datetime(),
})

export const newConnection = z.strictObject({
  name: label(255),
  idp: z.enum(identityProviders),
  mode: z.enum(modes).default('compat'),
})

export const connectionChange = z.strictObject({
  name: label(255).optional(),
  mode: z.enum(modes).optional(),
  status: z.enum(['active', 'disabled']).optional(),
})

export const connectionCalls = [
  call({
    method: 'POST',
    path: '/tenants/:slug/connections',
    summary: 'Connect an identity provider; the token is shown only here',
    body: newConnection,
    replies: { 201: connection.extend({ token: newToken }) },
    handle: async ({ service, origin, params, body }) => {
      const tenant = await openTenant(service, origin, params.slug)
      return { status: 201, body: await createConnection(service, tenant, body) }
    },
  }),
  call({
    method: 'GET',
    path: '/tenants/:slug/connections',
    summary: 'List the connections, oldest first',
    query: pageQuery,
    replies: { 200: pageReply(connection) },
    handle: async ({ service, origin, params, query }) => {
      const tenant = await openTenant(service, origin, params.slug)
      return { status: 200, body: await listConnections(service, tenant, query) }
    },
  }),
  call({
    method: 'GET',
    path: '/tenants/:slug/connections/:id',
    summary: 'Read a connection',
    replies: { 200: connection },
    handle: async ({ service, origin, params }) => ({
      status: 200,
      body: await getConnection(await openTenant(service, origin, params.slug), params.id),
    }),
  }),
  call({
    method: 'PATCH',
    path: '/tenants/:slug/connections/:id',
    summary: 'Change a connection; the credentials of a disabled one answer 403',
    body: connectionChange,
    replies: { 200: connection },
    handle: async ({ service, origin, params, body }) => {
      const tenant = await openTenant(service, origin, params.slug)
      return { status: 200, body: await updateConnectionSettings(tenant, params.id, body) }
    },
  }),
  call({
    method: 'DELETE',
    path: '/tenants/:slug/connections/:id',
    summary: 'Delete a connection and its tokens; 202 while its users are still being deactivated',
    query: deleteQuery,
    replies: { 202: connection, 204: null },
    handle: async ({ service, origin, params, query }) => {
      const tenant = await openTenant(service, origin, params.slug)
      const left = await deleteConnection(service, tenant, params.id, query.deactivateUsers === 'true')
      return left ? { status: 202, body: left } : { status: 204 }
    },
  }),
]
