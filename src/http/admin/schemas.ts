// Calls about a tenant's own schemas.
import * as z from 'zod'
import { openTenant } from '../../administration/open-tenant'
import { deleteSchema, getSchema, listSchemas, putSchema } from '../../administration/schemas'
import type { JsonObject } from '../../scim/json'
import { call } from './call'
import { pageQuery, pageReply } from './list'

const extended = z.string().optional().describe('Name of the resource type, needed at the first PUT: User')

/** The envelope; what is in `attributes` is judged by scim/schema-reader.ts. What GET answers may be sent back. */
export const givenSchema = z.strictObject({
  schemas: z.array(z.string()).optional(),
  id: z.string().optional(),
  name: z.string(),
  description: z.string().nullable().optional(),
  attributes: z.array(z.record(z.string(), z.unknown())).describe('As RFC 7643 §7 defines them'),
  meta: z.unknown().optional(),
})

export const putSchemaDocument = givenSchema.extend({
  id: z.string().optional().describe('The URN of the path'),
  extends: extended,
})

export const shownSchema = z.object({
  schemas: z.array(z.string()),
  id: z.string(),
  name: z.string(),
  description: z.string(),
  attributes: z.array(z.record(z.string(), z.unknown())),
  meta: z.object({ resourceType: z.string(), location: z.string() }),
})

const schema = shownSchema.extend({ extends: z.string() })
type Schema = z.output<typeof schema>

export const schemaCalls = [
  call({
    method: 'GET',
    path: '/tenants/:slug/schemas',
    summary: "List the tenant's own schemas, in order of URN",
    query: pageQuery,
    replies: { 200: pageReply(schema) },
    handle: async ({ service, origin, params, query }) => {
      const tenant = await openTenant(service, origin, params.slug)
      const { items, ...page } = await listSchemas(service, tenant, query)
      return { status: 200, body: { ...page, items: items as unknown as Schema[] } }
    },
  }),
  call({
    method: 'GET',
    path: '/tenants/:slug/schemas/:urn',
    summary: 'Read a schema',
    replies: { 200: schema },
    handle: async ({ service, origin, params }) => {
      const tenant = await openTenant(service, origin, params.slug)
      return { status: 200, body: (await getSchema(tenant, params.urn)) as unknown as Schema }
    },
  }),
  call({
    method: 'PUT',
    path: '/tenants/:slug/schemas/:urn',
    summary: 'Set a schema; 409 lists what of the stored data is in the way',
    query: z.strictObject({ extends: extended }),
    body: putSchemaDocument,
    replies: { 200: schema, 201: schema },
    handle: async ({ service, origin, params, query, body }) => {
      const tenant = await openTenant(service, origin, params.slug)
      const { schemas: _, meta: __, extends: inBody, ...rest } = body
      const name = query.extends ?? inBody
      const put = await putSchema(service, tenant, params.urn, name, rest as unknown as JsonObject)
      return { status: put.created ? 201 : 200, body: put.schema as unknown as Schema }
    },
  }),
  call({
    method: 'DELETE',
    path: '/tenants/:slug/schemas/:urn',
    summary: 'Delete a schema that no resource has values of; 409 lists what is in the way',
    replies: { 204: null },
    handle: async ({ service, origin, params }) => {
      await deleteSchema(await openTenant(service, origin, params.slug), params.urn)
      return { status: 204 }
    },
  }),
]
