// Calls that tell numbers: of one tenant as JSON, of all of them as Prometheus text.
import * as z from 'zod'
import { getMetrics } from '../../administration/metrics'
import { openTenant } from '../../administration/open-tenant'
import { PROMETHEUS_TEXT, prometheusText } from '../../administration/prometheus'
import { call } from './call'
import { wholeNumber } from './list'

const WEEK_HOURS = 168

const count = z.int()

const killTime = z.object({
  count,
  p50Ms: z.int().nullable().describe('Within 10 %; null where nothing was accepted'),
  p95Ms: z.int().nullable(),
  p99Ms: z.int().nullable(),
})

const metrics = z.object({
  users: z.object({ active: count, inactive: count }),
  groups: count,
  events: count.describe('Since the tenant was created'),
  deliveries: z.object({ pending: count, retrying: count, delivered: count, dead: count }),
  overdue: count.describe('Ends of sessions that an active receiver has not taken in time'),
  killTime: killTime.describe("From the commit of an end of sessions to the receiver's acceptance"),
  receivers: z.array(z.object({ id: z.string(), kind: z.string(), killTime })),
})

const query = z.strictObject({
  hours: wholeNumber(1)
    .pipe(z.int().max(WEEK_HOURS))
    .default(24)
    .describe('How far back kill times reach, to the hour'),
})

export const metricsCalls = [
  call({
    method: 'GET',
    path: '/tenants/:slug/metrics',
    summary: "Read a tenant's numbers",
    query,
    replies: { 200: metrics },
    handle: async ({ service, origin, params, query }) => {
      const tenant = await openTenant(service, origin, params.slug)
      return { status: 200, body: await getMetrics(service, tenant, query.hours) }
    },
  }),
  call({
    method: 'GET',
    path: '/metrics',
    summary: 'Read the numbers of all tenants, for Prometheus',
    replies: { 200: { mediaType: PROMETHEUS_TEXT } },
    handle: async ({ service }) => ({ status: 200, body: prometheusText(service) }),
  }),
]
