// Calls about target groups, into which mappings put users.
import * as z from 'zod'
import { openTenant } from '../../administration/open-tenant'
import { createTargetGroup, listTargetGroups, removeTargetGroup } from '../../administration/target-groups'
import { label } from './body'
import { call } from './call'
import { pageQuery, pageReply } from './list'

/** A target group, to the operator and to the application. */
export const targetGroup = z.object({
  id: z.string(),
  name: z.string(),
  managed: z.enum(['operator', 'rule']).describe('rule: made for a value, and gone with its last user'),
  members: z.int().describe('How many users are in it'),
})

export const newTargetGroup = z.strictObject({ name: label(255) })

export const targetGroupCalls = [
  call({
    method: 'GET',
    path: '/tenants/:slug/target-groups',
    summary: 'List the target groups, oldest first',
    query: pageQuery,
    replies: { 200: pageReply(targetGroup) },
    handle: async ({ service, origin, params, query }) => {
      const { database } = await openTenant(service, origin, params.slug)
      const reader = { id: database.tenantId, database }
      return { status: 200, body: await listTargetGroups(service, reader, query) }
    },
  }),
  call({
    method: 'POST',
    path: '/tenants/:slug/target-groups',
    summary: 'Create a target group; it stays when it is empty',
    body: newTargetGroup,
    replies: { 201: targetGroup },
    handle: async ({ service, origin, params, body }) => {
      const tenant = await openTenant(service, origin, params.slug)
      return { status: 201, body: await createTargetGroup(service, tenant, body.name.trim()) }
    },
  }),
  call({
    method: 'DELETE',
    path: '/tenants/:slug/target-groups/:id',
    summary: 'Delete a target group that nobody is in and no mapping names',
    replies: { 204: null },
    handle: async ({ service, origin, params }) => {
      await removeTargetGroup(await openTenant(service, origin, params.slug), params.id)
      return { status: 204 }
    },
  }),
]
