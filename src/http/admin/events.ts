// The call that reads a tenant's events.
import * as z from 'zod'
import { listEvents } from '../../administration/history'
import { openTenant } from '../../administration/open-tenant'
import { call } from './call'
import { pageQuery, pageReply, wholeNumber } from './list'

const event = z.object({
  id: z.string(),
  sequence: z.int(),
  type: z.string(),
  txn: z.string(),
  userId: z.string().nullable(),
  groupId: z.string().nullable(),
  occurredAt: z.iso.datetime(),
  data: z.record(z.string(), z.unknown()),
})

export const eventCalls = [
  call({
    method: 'GET',
    path: '/tenants/:slug/events',
    summary: 'List the events, oldest first',
    query: pageQuery.extend({
      userId: z.string().optional(),
      type: z.string().optional(),
      after: wholeNumber(0).default(0).describe('Only events with a higher sequence'),
    }),
    replies: { 200: pageReply(event) },
    handle: async ({ service, origin, params, query }) => {
      const tenant = await openTenant(service, origin, params.slug)
      return { status: 200, body: await listEvents(service, tenant, query, query) }
    },
  }),
]
