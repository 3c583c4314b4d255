// Calls about deliveries: what became of each event at each receiver, and sending one again.
import * as z from 'zod'
import { listDeliveries } from '../../administration/history'
import { openTenant } from '../../administration/open-tenant'
import { replayOne } from '../../administration/receivers'
import { publish } from '../../events/publish'
import { call } from './call'
import { pageQuery, pageReply } from './list'
import { replayed } from './receivers'

const delivery = z.object({
  id: z.string(),
  eventId: z.string(),
  sequence: z.int(),
  receiverId: z.string(),
  userId: z.string().nullable(),
  state: z.enum(['pending', 'retrying', 'delivered', 'dead']),
  attempts: z.int(),
  lastStatus: z.int().nullable(),
  lastError: z.string().nullable(),
  occurredAt: z.iso.datetime(),
  deliveredAt: z.iso.datetime().nullable(),
  latencyMs: z.int().nullable().describe("From the change to the receiver's 2xx"),
  nextAttemptAt: z.iso.datetime().nullable(),
  receipt: z.object({ sessionsEnded: z.int() }).optional().describe('What the receiver says it did'),
})

export const deliveryCalls = [
  call({
    method: 'GET',
    path: '/tenants/:slug/deliveries',
    summary: 'List the deliveries, newest first',
    query: pageQuery.extend({
      state: z.string().optional(),
      receiverId: z.string().optional(),
      userId: z.string().optional(),
    }),
    replies: { 200: pageReply(delivery) },
    handle: async ({ service, origin, params, query }) => {
      const tenant = await openTenant(service, origin, params.slug)
      return { status: 200, body: await listDeliveries(service, tenant, query, query) }
    },
  }),
  call({
    method: 'POST',
    path: '/tenants/:slug/deliveries/:id/replay',
    summary: 'Send a delivery again, whatever became of it',
    replies: { 202: replayed },
    handle: async ({ service, origin, params, later }) => {
      const tenant = await openTenant(service, origin, params.slug)
      const { deliveries, due } = await replayOne(service, tenant, params.id)
      later(publish(service, due))
      return { status: 202, body: { deliveries } }
    },
  }),
]
