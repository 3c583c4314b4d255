// Calls about the keys by which a tenant's receivers know that a message is from here.
import * as z from 'zod'
import { openTenant } from '../../administration/open-tenant'
import { listSigningKeys, rotateSigningKeys } from '../../administration/signing-keys'
import { DEFAULT_OVERLAP_SECONDS, DEFAULT_SIGNS_AFTER_SECONDS } from '../../events/signing-keys'
import { call } from './call'
import { pageReply } from './list'

const DAY_SECONDS = 86_400
const YEAR_SECONDS = 31_536_000

const signingKey = z.object({
  kid: z.string(),
  status: z.enum(['next', 'current', 'previous', 'retired']),
  createdAt: z.iso.datetime(),
  signsFrom: z.iso.datetime().describe('It is published before it signs'),
  publishedUntil: z.iso.datetime().nullable().describe('Null while no newer key replaces it'),
  publicKey: z.record(z.string(), z.unknown()).describe('A JSON Web Key'),
})

const rotation = z.strictObject({
  signsAfterSeconds: z
    .int()
    .min(0)
    .max(DAY_SECONDS)
    .default(DEFAULT_SIGNS_AFTER_SECONDS)
    .describe('So long the new key is published without signing, for receivers that keep the keys'),
  overlapSeconds: z
    .int()
    .min(0)
    .max(YEAR_SECONDS)
    .default(DEFAULT_OVERLAP_SECONDS)
    .describe('So long after that the older keys stay published'),
})

export const signingKeyCalls = [
  call({
    method: 'GET',
    path: '/tenants/:slug/signing-keys',
    summary: 'List the signing keys, oldest first; the first is made when it is first needed',
    replies: { 200: pageReply(signingKey) },
    handle: async ({ service, origin, params }) => ({
      status: 200,
      body: await listSigningKeys(service, await openTenant(service, origin, params.slug)),
    }),
  }),
  call({
    method: 'POST',
    path: '/tenants/:slug/signing-keys/rotate',
    summary: 'A new signing key; with both numbers 0 the older ones count no more at once',
    body: rotation,
    replies: { 201: signingKey },
    handle: async ({ service, origin, params, body }) => {
      const tenant = await openTenant(service, origin, params.slug)
      return { status: 201, body: await rotateSigningKeys(service, tenant, body) }
    },
  }),
]
