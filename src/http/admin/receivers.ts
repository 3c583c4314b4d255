// Calls about receivers, to which events are sent.
import * as z from 'zod'
import { openTenant } from '../../administration/open-tenant'
import { invalid, notFound } from '../../administration/problem'
import {
  createReceiver,
  eventTypes,
  getReceiver,
  listReceivers,
  removeReceiver,
  replayMany,
  rotateReceiverSecret,
  updateReceiverSettings,
} from '../../administration/receivers'
import type { Service } from '../../env'
import { refuseAddress } from '../../events/address-guard'
import { publish } from '../../events/publish'
import { receiverKind, receiverKinds } from '../../events/receiver-kinds'
import { MAX_TIMEOUT_SECONDS } from '../../events/schedule'
import { testReceiver } from '../../events/test-receiver'
import { call } from './call'
import { pageQuery, pageReply } from './list'
import { overlapSeconds } from './tokens'

const DAY_SECONDS = 86_400

const retry = z.strictObject({
  schedule: z
    .array(z.int().min(1).max(DAY_SECONDS))
    .min(1)
    .max(20)
    .optional()
    .describe('Seconds before each further attempt; after the last one a delivery is dead'),
  timeoutSeconds: z.int().min(1).max(MAX_TIMEOUT_SECONDS).optional(),
})

const events = z.array(z.enum(eventTypes)).min(1).max(100)

const receiver = z.object({
  id: z.string(),
  kind: z.string(),
  url: z.string(),
  events: z.array(z.string()).nullable().describe('Null: every type'),
  retry: retry.nullable().describe('Null: the default'),
  status: z.enum(['active', 'paused', 'disabled']),
  createdAt: z.iso.datetime(),
})

const secret = z.string().describe('Shown only here')

const newReceiver = z.strictObject({
  kind: z.enum(receiverKinds),
  url: z.string().max(2000),
  events: events.nullable().optional(),
  retry: retry.nullable().optional(),
})

const receiverChange = z.strictObject({
  url: z.string().max(2000).optional(),
  events: events.nullable().optional(),
  retry: retry.nullable().optional(),
  status: z.enum(['active', 'paused']).optional(),
})

const sequence = z.int().min(1)

const range = z
  .strictObject({ fromSequence: sequence, toSequence: sequence })
  .refine(({ fromSequence, toSequence }) => fromSequence <= toSequence, {
    path: ['toSequence'],
    error: 'must not be less than fromSequence',
  })

const testResult = z.object({
  delivered: z.boolean(),
  status: z.int().nullable().describe('Null: there was no answer'),
  latencyMs: z.int(),
  error: z.string().optional(),
})

export const replayed = z.object({ deliveries: z.int().describe('How many are sent again') })

export const receiverCalls = [
  call({
    method: 'POST',
    path: '/tenants/:slug/receivers',
    summary: 'Create a receiver; its secret is shown only here',
    body: newReceiver,
    replies: { 201: receiver.extend({ secret }) },
    handle: async ({ service, origin, params, body }) => {
      const tenant = await openTenant(service, origin, params.slug)
      checkAddress(service, body.url)
      return { status: 201, body: await createReceiver(service, tenant, body, newSecret(body.kind)) }
    },
  }),
  call({
    method: 'GET',
    path: '/tenants/:slug/receivers',
    summary: 'List the receivers, oldest first',
    query: pageQuery,
    replies: { 200: pageReply(receiver) },
    handle: async ({ service, origin, params, query }) => {
      const tenant = await openTenant(service, origin, params.slug)
      return { status: 200, body: await listReceivers(service, tenant, query) }
    },
  }),
  call({
    method: 'GET',
    path: '/tenants/:slug/receivers/:id',
    summary: 'Read a receiver',
    replies: { 200: receiver },
    handle: async ({ service, origin, params }) => ({
      status: 200,
      body: await getReceiver(await openTenant(service, origin, params.slug), params.id),
    }),
  }),
  call({
    method: 'PATCH',
    path: '/tenants/:slug/receivers/:id',
    summary: 'Change, pause or resume a receiver; resuming sends at once what has waited',
    body: receiverChange,
    replies: { 200: receiver },
    handle: async ({ service, origin, params, body, later }) => {
      const tenant = await openTenant(service, origin, params.slug)
      if (body.url !== undefined) checkAddress(service, body.url)
      const updated = await updateReceiverSettings(service, tenant, params.id, body)
      later(publish(service, updated.due))
      return { status: 200, body: updated.receiver }
    },
  }),
  call({
    method: 'DELETE',
    path: '/tenants/:slug/receivers/:id',
    summary: 'Delete a receiver; what was still to be sent to it is dead',
    replies: { 204: null },
    handle: async ({ service, origin, params }) => {
      await removeReceiver(await openTenant(service, origin, params.slug), params.id)
      return { status: 204 }
    },
  }),
  call({
    method: 'POST',
    path: '/tenants/:slug/receivers/:id/test',
    summary: 'Send a signed test event at once; nothing of it is stored or repeated',
    replies: { 200: testResult },
    handle: async ({ service, origin, params }) => {
      const tenant = await openTenant(service, origin, params.slug)
      const result = await testReceiver(service, tenant.database, tenant.slug, params.id)
      if (!result) throw notFound('receiver')
      return { status: 200, body: result }
    },
  }),
  call({
    method: 'POST',
    path: '/tenants/:slug/receivers/:id/rotate-secret',
    summary: 'A new secret, shown only here; during the overlap both sign',
    body: z.strictObject({ overlapSeconds }),
    replies: { 200: z.object({ secret }) },
    handle: async ({ service, origin, params, body }) => {
      const tenant = await openTenant(service, origin, params.slug)
      const { kind } = await getReceiver(tenant, params.id)
      const next = newSecret(kind)
      await rotateReceiverSecret(service, tenant, params.id, body.overlapSeconds, next)
      return { status: 200, body: { secret: next } }
    },
  }),
  call({
    method: 'POST',
    path: '/tenants/:slug/receivers/:id/replay',
    summary: 'Send the events of a range of sequences again, also those of before the receiver was created',
    body: range,
    replies: { 202: replayed },
    handle: async ({ service, origin, params, body, later }) => {
      const tenant = await openTenant(service, origin, params.slug)
      const due = await replayMany(service, tenant, params.id, body)
      later(publish(service, due))
      return { status: 202, body: { deliveries: due.length } }
    },
  }),
]

/** Where a receiver may be is the sending side's rule. */
function checkAddress(service: Service, url: string): void {
  const refused = refuseAddress(url, service.allowLoopbackReceivers)
  if (refused !== undefined) throw invalid('url', refused)
}

function newSecret(kind: string): string {
  const known = receiverKind(kind)
  if (!known) throw new Error('A stored receiver is of no known kind.')
  return known.newSecret()
}
