// Calls about receivers, to which events are sent.
import * as z from 'zod'
import { openTenant } from '../../administration/open-tenant'
import { notFound } from '../../administration/problem'
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
import { publish } from '../../events/publish'
import { receiverKinds } from '../../events/receiver-kinds'
import { MAX_TIMEOUT_SECONDS } from '../../events/schedule'
import { announceStatus } from '../../events/stream'
import { SET_SUBJECTS } from '../../events/subject'
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

/** The fields of which each kind has some (docs/receivers.md). */
const audience = line(1000).describe('Who a SET is for')
const clientId = line(1000).describe('The application, as its login service knows it')
const subject = z.enum(SET_SUBJECTS).describe('How it knows people; default: email')
const subjectIssuer = line(1000).describe(
  'The login service whose id (externalId) iss_sub and complex name people by; default: this service and its id',
)
const authorizationHeader = z
  .string()
  .min(1)
  .max(4000)
  .regex(/^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/, { error: 'must be one line of ASCII' })
  .describe('Sent with every SET; never shown again')

const receiver = z.object({
  id: z.string(),
  kind: z.string(),
  url: z.string().optional().describe('Not of a kind that fetches its events'),
  pollUrl: z.string().optional().describe('Where it fetches its events'),
  audience: z.string().optional(),
  clientId: z.string().optional(),
  subject: z.string().optional(),
  subjectIssuer: z.string().optional(),
  issuer: z.string().optional().describe('The iss of what is signed for it'),
  events: z.array(z.string()).nullable().describe('Null: every type'),
  retry: retry.nullable().describe('Null: the default'),
  status: z.enum(['active', 'paused', 'disabled']),
  createdAt: z.iso.datetime(),
})

const secret = z.string().describe('Shown only here')

export const newReceiver = z.strictObject({
  kind: z.enum(receiverKinds),
  url: z.string().max(2000).optional().describe('Required unless the kind fetches its events'),
  audience: audience.optional(),
  clientId: clientId.optional(),
  subject: subject.optional(),
  subjectIssuer: subjectIssuer.optional(),
  authorizationHeader: authorizationHeader.optional(),
  events: events.nullable().optional(),
  retry: retry.nullable().optional(),
})

export const receiverChange = z.strictObject({
  url: z.string().max(2000).optional(),
  audience: audience.optional(),
  clientId: clientId.optional(),
  subject: subject.optional(),
  subjectIssuer: subjectIssuer.nullable().optional(),
  authorizationHeader: authorizationHeader.nullable().optional(),
  events: events.nullable().optional(),
  retry: retry.nullable().optional(),
  status: z.enum(['active', 'paused']).optional(),
})

/** What goes into a signed claim as it is. */
function line(maxLength: number) {
  return z
    .string()
    .min(1)
    .max(maxLength)
    .refine(text => text.isWellFormed() && !/[\s\p{Cc}]/u.test(text), {
      error: 'must not contain spaces or control characters',
    })
}

const sequence = z.int().min(1)

export const range = z
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

export const secretRotation = z.strictObject({ overlapSeconds })

export const receiverCalls = [
  call({
    method: 'POST',
    path: '/tenants/:slug/receivers',
    summary: 'Create a receiver; its secret, where its kind has one, is shown only here',
    body: newReceiver,
    replies: { 201: receiver.extend({ secret: secret.optional() }) },
    handle: async ({ service, origin, params, body }) => {
      const tenant = await openTenant(service, origin, params.slug)
      return { status: 201, body: await createReceiver(service, tenant, body) }
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
      const updated = await updateReceiverSettings(service, tenant, params.id, body)
      if (body.status !== undefined) later(announceStatus(service, tenant, params.id))
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
    summary: 'A new secret, shown only here; during the overlap both count',
    body: secretRotation,
    replies: { 200: z.object({ secret }) },
    handle: async ({ service, origin, params, body }) => {
      const tenant = await openTenant(service, origin, params.slug)
      const next = await rotateReceiverSecret(service, tenant, params.id, body.overlapSeconds)
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
      const { deliveries, due } = await replayMany(service, tenant, params.id, body)
      later(publish(service, due))
      return { status: 202, body: { deliveries } }
    },
  }),
]
