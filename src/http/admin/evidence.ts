// The call that says, under the tenant's signature, what happened to one person's access.
import * as z from 'zod'
import { evidenceOf, MAX_CASES } from '../../administration/evidence'
import { openTenant } from '../../administration/open-tenant'
import { call } from './call'
import { chainHead } from './events'
import { wholeNumber } from './list'

const time = z.iso.datetime()
const nullableText = z.string().nullable()

const identity = z.object({ id: z.string(), userName: nullableText, externalId: nullableText })

const request = z.object({
  kind: nullableText.describe('scim, operator or job; null where it was not kept'),
  at: time,
  txn: z.string(),
  method: nullableText,
  path: nullableText,
  tokenHint: nullableText.describe('Last four characters of the token'),
  connection: z
    .object({ id: z.string(), name: z.string(), idp: z.string(), mappingVersion: z.int() })
    .nullable()
    .describe('As it was then'),
  job: nullableText,
  profile: nullableText,
  profileVersion: z.int().nullable(),
})

const event = z.object({
  id: z.string(),
  sequence: z.int(),
  type: z.string(),
  reason: nullableText,
  user: identity.describe('As the person was called then'),
  connectionId: nullableText,
  epoch: z.int().nullable(),
  notBefore: z.int().nullable().describe('Unix seconds'),
  occurredAt: time,
  hash: nullableText.describe("Its link in the tenant's chain of events"),
})

const receiver = z.object({
  receiverId: z.string(),
  kind: nullableText.describe('Null: the receiver has been deleted'),
  state: z.string(),
  attempts: z.int(),
  lastStatus: z.int().nullable(),
  lastError: nullableText,
  deliveredAt: time.nullable(),
  latencyMs: z.int().nullable(),
  nextAttemptAt: time.nullable(),
  sessionsEnded: z.int().nullable().describe("The receiver's receipt"),
})

const outcome = z.object({
  state: z.enum(['done', 'undelivered', 'nobody']),
  at: time.nullable().describe('When the last receiver had it'),
  killTimeMs: z.int().nullable().describe('From the change to that'),
  undelivered: z.array(z.string()).describe('Ids of the receivers that do not have it'),
})

const record = z.object({
  issuer: z.string(),
  issuedAt: time,
  tenant: z.object({ id: z.string(), slug: z.string() }),
  user: identity.extend({
    exists: z.boolean(),
    active: z.boolean(),
    deletedAt: time.nullable(),
    sessionEpoch: z.int(),
    sessionsNotBefore: time.nullable(),
  }),
  chain: chainHead.nullable().describe("Where the chain of the tenant's events ended"),
  cases: z
    .array(
      z.object({
        request,
        event,
        receivers: z.array(receiver),
        outcome,
        restored: z.object({ sequence: z.int(), at: time }).nullable(),
      }),
    )
    .describe('A loss of access each, newest first'),
  truncated: z.boolean().describe('There are older cases: nextCursor'),
})

export const evidenceCalls = [
  call({
    method: 'GET',
    path: '/tenants/:slug/users/:id/evidence',
    summary: "What happened to a person's access, signed",
    query: z.strictObject({
      cursor: z.string().optional().describe('nextCursor of the record before, unchanged'),
      limit: wholeNumber(1)
        .transform(limit => Math.min(limit, MAX_CASES))
        .pipe(z.int().min(1).max(MAX_CASES))
        .default(MAX_CASES)
        .describe(`How many cases; more are given as ${MAX_CASES}`),
    }),
    replies: {
      200: z.object({
        record,
        jws: z.string().describe("Exactly the record, as a compact JWS under the tenant's keys"),
        nextCursor: z.string().optional(),
      }),
    },
    handle: async ({ service, origin, params, query }) => {
      const tenant = await openTenant(service, origin, params.slug)
      return { status: 200, body: await evidenceOf(service, tenant, params.id, query) }
    },
  }),
]
