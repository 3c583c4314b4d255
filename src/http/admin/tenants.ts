// Calls about tenants.
import * as z from 'zod'
import { openTenant } from '../../administration/open-tenant'
import {
  createTenant,
  deleteTenant,
  getTenant,
  listTenants,
  updateTenantSettings,
} from '../../administration/tenants'
import { STANDARD_PROFILE } from '../../mapping/shipped-profiles'
import { label } from './body'
import { call } from './call'
import { pageQuery, pageReply } from './list'

const tenant = z.object({
  id: z.string(),
  slug: z.string(),
  name: z.string(),
  profile: z.string(),
  profileVersion: z.int().describe('0: as it ships with the service'),
  status: z.enum(['active', 'suspended', 'deleting']),
  createdAt: z.iso.datetime(),
  database: z.string().describe('The D1 binding in which it lives'),
})

export const newTenant = z.strictObject({
  slug: z.string().regex(/^[a-z0-9-]{1,63}$/, { error: 'must be 1 to 63 characters of a-z, 0-9 and "-"' }),
  name: label(255),
  profile: z.string().max(63).default(STANDARD_PROFILE).describe('Name of a profile'),
  database: z
    .string()
    .max(63)
    .optional()
    .describe('The D1 binding in which it is to live, such as DB_2; absent: TENANT_DATABASE'),
})

export const tenantChange = z.strictObject({
  name: label(255).optional(),
  profile: z.string().max(63).optional().describe('Name of another profile; users are read anew'),
  status: z.enum(['active', 'suspended']).optional(),
})

/** DELETE with users who still have access. */
export const deleteQuery = z.strictObject({
  deactivateUsers: z
    .enum(['true', 'false'])
    .default('false')
    .describe('Deactivate its users first, which ends their sessions; without it, active users are a 409'),
})

export const tenantCalls = [
  call({
    method: 'POST',
    path: '/tenants',
    summary: 'Create a tenant',
    body: newTenant,
    replies: { 201: tenant },
    handle: async ({ service, body }) => ({ status: 201, body: await createTenant(service, body) }),
  }),
  call({
    method: 'GET',
    path: '/tenants',
    summary: 'List the tenants, in order of slug',
    query: pageQuery,
    replies: { 200: pageReply(tenant) },
    handle: async ({ service, query }) => ({ status: 200, body: await listTenants(service, query) }),
  }),
  call({
    method: 'GET',
    path: '/tenants/:slug',
    summary: 'Read a tenant',
    replies: { 200: tenant },
    handle: async ({ service, origin, params }) => ({
      status: 200,
      body: await getTenant(await openTenant(service, origin, params.slug)),
    }),
  }),
  call({
    method: 'PATCH',
    path: '/tenants/:slug',
    summary:
      "Rename, suspend or resume a tenant; suspending ends everybody's sessions, resuming revives none",
    body: tenantChange,
    replies: { 200: tenant },
    handle: async ({ service, origin, params, body }) => {
      const opened = await openTenant(service, origin, params.slug)
      return { status: 200, body: await updateTenantSettings(service, opened, body) }
    },
  }),
  call({
    method: 'DELETE',
    path: '/tenants/:slug',
    summary:
      'Delete a tenant: its credentials answer 403 from now on, its rows go when every delivery is over',
    query: deleteQuery,
    replies: { 202: tenant },
    handle: async ({ service, origin, params, query }) => {
      const opened = await openTenant(service, origin, params.slug)
      return { status: 202, body: await deleteTenant(service, opened, query.deactivateUsers === 'true') }
    },
  }),
]
