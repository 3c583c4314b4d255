// The feed of those whose sessions were ended, for applications that ask instead of being told.
import * as z from 'zod'
import { listRevocations } from '../../administration/revocations'
import { pageQuery } from '../admin/list'
import { read } from './read'

const revocation = z.object({
  userId: z.string(),
  userName: z.string().nullable(),
  externalId: z.string().nullable(),
  notBefore: z.int().describe('Unix seconds: refuse tokens with iat at or before it'),
  epoch: z.int().describe('How often sessions were ended'),
  reason: z.string(),
  at: z.iso.datetime(),
})

export const revocationReads = [
  read({
    path: '/tenants/:slug/revocations',
    summary: 'Whose sessions were ended: each user once, in the order of their last revocation',
    query: pageQuery.omit({ cursor: true }).extend({
      since: z
        .string()
        .optional()
        .describe('nextCursor of the reply before, unchanged; absent: from the beginning'),
    }),
    reply: z.object({ items: z.array(revocation), nextCursor: z.string() }),
    handle: ({ service, reader, query }) => listRevocations(service, reader, query),
  }),
]
