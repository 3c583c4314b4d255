// The call that reads the SCIM request log.
import * as z from 'zod'
import { listActivity } from '../../administration/history'
import { openTenant } from '../../administration/open-tenant'
import { call } from './call'
import { pageQuery, pageReply } from './list'

const entry = z.object({
  id: z.string(),
  at: z.iso.datetime(),
  outcome: z.string().describe('ok, rejected (4xx), unauthorized (401, 403) or error (5xx)'),
  connectionId: z.string().nullable(),
  tokenHint: z
    .string()
    .nullable()
    .describe('Last four characters of the token, or of a refused one of 16 characters or more'),
  method: z.string(),
  path: z.string(),
  status: z.int(),
  scimType: z.string().nullable(),
  detail: z.string().nullable(),
  help: z.string().nullable().describe('Where the error is explained, with what to change'),
  resourceType: z.string().nullable(),
  resourceId: z.string().nullable(),
  tolerances: z.array(z.string()).describe('Leniencies that the request needed'),
  durationMs: z.int(),
})

export const activityCalls = [
  call({
    method: 'GET',
    path: '/tenants/:slug/activity',
    summary: 'List the SCIM requests, newest first',
    query: pageQuery.extend({ outcome: z.string().optional(), connectionId: z.string().optional() }),
    replies: { 200: pageReply(entry) },
    handle: async ({ service, origin, params, query }) => {
      const tenant = await openTenant(service, origin, params.slug)
      return { status: 200, body: await listActivity(service, tenant, query, query) }
    },
  }),
]
