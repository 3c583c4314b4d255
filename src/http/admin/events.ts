// Calls that read a tenant's events, and check that they are all there.
import * as z from 'zod'
import { checkChain } from '../../administration/event-chain'
import { listEvents, listLinks } from '../../administration/history'
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

const link = event.extend({
  connectionId: z.string().nullable(),
  origin: z.record(z.string(), z.unknown()).nullable().describe('The request that made it'),
  previousHash: z.string().nullable(),
  hash: z.string().nullable().describe('SHA-256, hex; null where it is not sealed yet'),
})

export const chainHead = z.object({
  sequence: z.int(),
  hash: z.string(),
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
      chain: z
        .enum(['true', 'false'])
        .default('false')
        .describe('true: with the hashes of the chain, and all that they cover'),
    }),
    replies: { 200: z.union([pageReply(event), pageReply(link)]) },
    handle: async ({ service, origin, params, query }) => {
      const tenant = await openTenant(service, origin, params.slug)
      const list = query.chain === 'true' ? listLinks : listEvents
      return { status: 200, body: await list(service, tenant, query, query) }
    },
  }),
  call({
    method: 'GET',
    path: '/tenants/:slug/events/chain',
    summary: 'Check that events are all there, and as they were',
    query: z.strictObject({
      from: wholeNumber(1).default(1).describe('A sequence'),
      to: wholeNumber(1).optional().describe('A sequence; without it, to the end'),
    }),
    replies: {
      200: z.object({
        head: chainHead.nullable(),
        from: z.int(),
        to: z.int().describe('The last event that was looked at'),
        ok: z.boolean(),
        firstBroken: z.int().optional().describe('It is missing, or not what was sealed'),
        nextFrom: z.int().optional().describe('There is more: go on from here'),
      }),
    },
    handle: async ({ service, origin, params, query }) => {
      const tenant = await openTenant(service, origin, params.slug)
      return { status: 200, body: await checkChain(tenant, query) }
    },
  }),
]
