// Calls about a tenant's mass-deprovision breaker.
import * as z from 'zod'
import {
  getBreaker,
  releaseHeld,
  rollBackHeld,
  setBreaker,
  suggestedThreshold,
} from '../../administration/breaker'
import { openTenant } from '../../administration/open-tenant'
import { call } from './call'

const threshold = z.strictObject({
  count: z
    .int()
    .min(1)
    .max(10_000)
    .describe('So many users may lose access within the window; one more trips it'),
  windowMinutes: z.int().min(1).max(10_080),
})

const breaker = z.object({
  enabled: z.boolean(),
  threshold,
  tripped: z.boolean().describe('DELETEs of users are held until a release or a rollback'),
  trippedAt: z.iso.datetime().nullable(),
  held: z
    .array(
      z.object({
        userId: z.string(),
        userName: z.string(),
        at: z.iso.datetime(),
        keptBecause: z.string().nullable().describe('Why the last rollback has left it'),
      }),
    )
    .describe('The first thousand'),
  heldTotal: z.int(),
})

const kept = z.int().describe('How many stay held so far: `held` says why')

export const breakerSettings = z.strictObject({
  enabled: z.boolean(),
  threshold: threshold.default(suggestedThreshold),
  // What GET answers may be sent back.
  tripped: z.unknown().optional(),
  trippedAt: z.unknown().optional(),
  held: z.unknown().optional(),
  heldTotal: z.unknown().optional(),
})

export const breakerCalls = [
  call({
    method: 'GET',
    path: '/tenants/:slug/breaker',
    summary: 'Read the mass-deprovision breaker, and whose deletion it holds',
    replies: { 200: breaker },
    handle: async ({ service, origin, params }) => ({
      status: 200,
      body: await getBreaker(await openTenant(service, origin, params.slug)),
    }),
  }),
  call({
    method: 'PUT',
    path: '/tenants/:slug/breaker',
    summary: 'Set the breaker; switched off it holds nothing more, and who is held stays so',
    body: breakerSettings,
    replies: { 200: breaker },
    handle: async ({ service, origin, params, body }) => ({
      status: 200,
      body: await setBreaker(await openTenant(service, origin, params.slug), body),
    }),
  }),
  call({
    method: 'POST',
    path: '/tenants/:slug/breaker/release',
    summary: 'Delete those who are held; many go on being deleted after the reply',
    replies: { 200: z.object({ released: z.int() }) },
    handle: async ({ service, origin, params }) => {
      const { users } = await releaseHeld(service, await openTenant(service, origin, params.slug))
      return { status: 200, body: { released: users } }
    },
  }),
  call({
    method: 'POST',
    path: '/tenants/:slug/breaker/rollback',
    summary: 'Bring those back who are held; many go on coming back after the reply',
    replies: { 200: z.object({ rolledBack: z.int(), kept }) },
    handle: async ({ service, origin, params }) => {
      const { users, kept } = await rollBackHeld(service, await openTenant(service, origin, params.slug))
      return { status: 200, body: { rolledBack: users, kept } }
    },
  }),
]
