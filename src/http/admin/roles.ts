// Calls about the roles of a tenant's application.
import * as z from 'zod'
import { asOperator } from '../../administration/as-operator'
import { openTenant } from '../../administration/open-tenant'
import { listRoles, updateRoleSettings } from '../../administration/roles'
import { label } from './body'
import { call } from './call'
import { pageQuery, pageReply } from './list'

/** A role, to the operator and to the application. */
export const role = z.object({
  id: z.string(),
  name: z.string(),
  source: z.enum(['attribute', 'group']).describe('Where users have it from'),
  permissions: z.array(z.string()),
  privileged: z.boolean().describe('Whether losing it ends sessions'),
  members: z.int().describe('How many users have it'),
})

export const roleSettings = z.strictObject({
  permissions: z.array(label(200)).max(200).optional(),
  privileged: z.boolean().optional(),
})

export const roleCalls = [
  call({
    method: 'GET',
    path: '/tenants/:slug/roles',
    summary: 'List the roles, oldest first',
    query: pageQuery,
    replies: { 200: pageReply(role) },
    handle: async ({ service, origin, params, query }) => {
      const operator = await asOperator(service, await openTenant(service, origin, params.slug))
      return { status: 200, body: await listRoles(service, operator, query) }
    },
  }),
  call({
    method: 'PUT',
    path: '/tenants/:slug/roles/:id',
    summary: 'Set what a role permits, and whether its loss ends sessions; what is left out stays',
    // What the list shows may be sent back.
    body: roleSettings.extend({
      id: z.unknown().optional(),
      name: z.unknown().optional(),
      source: z.unknown().optional(),
      members: z.unknown().optional(),
    }),
    replies: { 200: role },
    handle: async ({ service, origin, params, body }) => {
      const tenant = await openTenant(service, origin, params.slug)
      const operator = await asOperator(service, tenant)
      return { status: 200, body: await updateRoleSettings(tenant, operator, params.id, body) }
    },
  }),
]
