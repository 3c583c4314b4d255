// Calls about the people of a tenant, as the application sees them.
import * as z from 'zod'
import { asOperator } from '../../administration/as-operator'
import { openTenant } from '../../administration/open-tenant'
import { endSessions, getUser, listUsers } from '../../administration/users'
import { publish } from '../../events/publish'
import { call } from './call'
import { pageQuery, pageReply } from './list'

const role = z.object({
  name: z.string(),
  permissions: z.array(z.string()),
  privileged: z.boolean(),
  source: z.string(),
})

/** A person, to the operator and to the application. */
export const user = z.object({
  id: z.string(),
  userName: z.string(),
  externalId: z.string().nullable(),
  active: z.boolean(),
  deletedAt: z.iso.datetime().nullable(),
  connectionId: z.string(),
  profile: z.record(z.string(), z.unknown()),
  roles: z.array(role),
  targetGroup: z.object({ id: z.string(), name: z.string() }).nullable(),
  sessionsNotBefore: z.iso.datetime().nullable().describe('Sessions of before are over'),
  sessionEpoch: z.int().describe('How often sessions were ended'),
  createdAt: z.iso.datetime(),
  updatedAt: z.iso.datetime(),
})

export const usersQuery = pageQuery.extend({
  filter: z.string().optional().describe('A SCIM filter'),
  role: z.string().optional().describe('Name of a role'),
  targetGroup: z.string().optional().describe('Id of a target group'),
})

export const userCalls = [
  call({
    method: 'GET',
    path: '/tenants/:slug/users',
    summary: 'List the users, oldest first',
    query: usersQuery,
    replies: { 200: pageReply(user) },
    handle: async ({ service, origin, params, query }) => {
      const operator = await asOperator(service, await openTenant(service, origin, params.slug))
      return { status: 200, body: await listUsers(service, operator, query, query) }
    },
  }),
  call({
    method: 'GET',
    path: '/tenants/:slug/users/:id',
    summary: 'Read a user',
    replies: { 200: user },
    handle: async ({ service, origin, params }) => {
      const operator = await asOperator(service, await openTenant(service, origin, params.slug))
      return { status: 200, body: await getUser(operator, params.id) }
    },
  }),
  call({
    method: 'POST',
    path: '/tenants/:slug/users/:id/revoke-sessions',
    summary: "End a user's sessions; the event is user.sessions_revoked",
    replies: { 202: z.object({ deliveries: z.int().describe('How many receivers are told') }) },
    handle: async ({ service, origin, params, later }) => {
      const tenant = await openTenant(service, origin, params.slug)
      const due = await endSessions(service, tenant, params.id)
      later(publish(service, due))
      return { status: 202, body: { deliveries: due.length } }
    },
  }),
]
