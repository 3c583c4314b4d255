// Calls about the mapping of a connection: what it says on top of the profile.
import * as z from 'zod'
import {
  getMapping,
  listMappingVersions,
  mappingProblems,
  previewMapping,
  putMapping,
  rollbackMapping,
} from '../../administration/mappings'
import { openTenant } from '../../administration/open-tenant'
import type { Service } from '../../env'
import { mappingDocument, mappingOf } from '../../mapping/profile-document'
import type { Json } from '../../scim/json'
import { call } from './call'
import { pageQuery, pageReply } from './list'

const version = mappingDocument.omit({ $schema: true }).extend({
  version: z.int().describe('0: nothing is said on top of the profile'),
  createdAt: z.iso.datetime(),
})

const state = version.extend({
  recompute: z
    .object({
      state: z.enum(['running', 'done']),
      done: z.int(),
      total: z.int(),
      invalid: z.int().describe('Users who break a rule and were left as they were'),
    })
    .describe('How far the users who were there are read by it'),
})

/** What GET answers may be sent back. */
export const newMapping = mappingDocument.extend({
  version: z.unknown().optional(),
  createdAt: z.unknown().optional(),
  recompute: z.unknown().optional(),
})

const seen = z.object({
  profile: z.record(z.string(), z.unknown()),
  role: z.string().nullable(),
  targetGroup: z.string().nullable(),
})

const shift = z.object({ name: z.string(), gains: z.int(), loses: z.int() })

const preview = z.object({
  users: z.object({ unchanged: z.int(), changed: z.int(), invalid: z.int() }),
  roles: z.array(shift),
  targetGroups: z.array(shift),
  examples: z.array(
    z.object({ userName: z.string(), before: seen, after: seen, problems: z.array(z.string()) }),
  ),
})

export function documentOf({
  version: _,
  createdAt: __,
  recompute: ___,
  ...document
}: z.output<typeof newMapping>) {
  return mappingOf(document)
}

type State = z.output<typeof state>

export const mappingCalls = [
  call({
    method: 'GET',
    path: '/tenants/:slug/connections/:id/mapping',
    summary: 'Read the mapping in force, and how far the users are read by it',
    replies: { 200: state },
    handle: async ({ service, origin, params }) => {
      const tenant = await openTenant(service, origin, params.slug)
      return { status: 200, body: (await getMapping(tenant, params.id)) as State }
    },
  }),
  call({
    method: 'PUT',
    path: '/tenants/:slug/connections/:id/mapping',
    summary: 'Publish a mapping; 422 lists what is wrong, and how many users would be refused by which rule',
    body: newMapping,
    replies: { 200: state },
    problems,
    handle: async ({ service, origin, params, body }) => {
      const tenant = await openTenant(service, origin, params.slug)
      const put = await putMapping(service, tenant, params.id, documentOf(body))
      return { status: 200, body: put as State }
    },
  }),
  call({
    method: 'GET',
    path: '/tenants/:slug/connections/:id/mapping/versions',
    summary: 'List the versions of the mapping, newest first',
    query: pageQuery,
    replies: { 200: pageReply(version) },
    handle: async ({ service, origin, params, query }) => {
      const tenant = await openTenant(service, origin, params.slug)
      const { items, ...page } = await listMappingVersions(service, tenant, params.id, query)
      return { status: 200, body: { ...page, items: items as z.output<typeof version>[] } }
    },
  }),
  call({
    method: 'POST',
    path: '/tenants/:slug/connections/:id/mapping/rollback',
    summary: 'Publish an earlier version again',
    body: z.strictObject({ version: z.int().min(0) }),
    replies: { 200: state },
    handle: async ({ service, origin, params, body }) => {
      const tenant = await openTenant(service, origin, params.slug)
      const put = await rollbackMapping(service, tenant, params.id, body.version)
      return { status: 200, body: put as State }
    },
  }),
  call({
    method: 'POST',
    path: '/tenants/:slug/connections/:id/mapping/preview',
    summary: 'What a mapping would do to the users of the connection; nothing is written',
    body: newMapping,
    replies: { 200: preview },
    problems,
    handle: async ({ service, origin, params, body }) => {
      const tenant = await openTenant(service, origin, params.slug)
      const found = await previewMapping(service, tenant, params.id, documentOf(body))
      return { status: 200, body: found as z.output<typeof preview> }
    },
  }),
]

interface ProblemsInput {
  readonly service: Service
  readonly origin: string
  readonly params: { readonly slug: string; readonly id: string }
  readonly body: Json
}

async function problems({ service, origin, params, body }: ProblemsInput) {
  return mappingProblems(service, await openTenant(service, origin, params.slug), params.id, body)
}
