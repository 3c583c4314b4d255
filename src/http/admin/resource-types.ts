// Calls about a tenant's own resource types.
import * as z from 'zod'
import { openTenant } from '../../administration/open-tenant'
import {
  deleteResourceType,
  getResourceType,
  listResourceTypes,
  putResourceType,
} from '../../administration/resource-types'
import type { JsonObject } from '../../scim/json'
import { call } from './call'
import { pageQuery, pageReply } from './list'
import { givenSchema, shownSchema } from './schemas'

/** The envelope; the rest is judged by scim/resource-type-reader.ts. What GET answers may be sent back. */
export const putTypeDocument = z.strictObject({
  name: z.string().optional().describe('The name of the path'),
  endpoint: z.string().describe('/Devices'),
  description: z.string().nullable().optional(),
  schema: givenSchema,
  extensions: z
    .array(z.record(z.string(), z.unknown()))
    .nullable()
    .optional()
    .describe('Each {"schema": {…}, "required": false}, or the fields of the schema beside "required"'),
})

const resourceType = z.object({
  name: z.string(),
  endpoint: z.string(),
  description: z.string(),
  schema: shownSchema,
  extensions: z.array(z.object({ schema: shownSchema, required: z.boolean() })),
})
type ResourceType = z.output<typeof resourceType>

export const resourceTypeCalls = [
  call({
    method: 'GET',
    path: '/tenants/:slug/resource-types',
    summary: "List the tenant's own resource types, in order of name",
    query: pageQuery,
    replies: { 200: pageReply(resourceType) },
    handle: async ({ service, origin, params, query }) => {
      const tenant = await openTenant(service, origin, params.slug)
      const { items, ...page } = await listResourceTypes(service, tenant, query)
      return { status: 200, body: { ...page, items: items as unknown as ResourceType[] } }
    },
  }),
  call({
    method: 'GET',
    path: '/tenants/:slug/resource-types/:name',
    summary: 'Read a resource type',
    replies: { 200: resourceType },
    handle: async ({ service, origin, params }) => {
      const tenant = await openTenant(service, origin, params.slug)
      return { status: 200, body: (await getResourceType(tenant, params.name)) as unknown as ResourceType }
    },
  }),
  call({
    method: 'PUT',
    path: '/tenants/:slug/resource-types/:name',
    summary: 'Set a resource type; 409 lists what of the stored data is in the way',
    body: putTypeDocument,
    replies: { 200: resourceType, 201: resourceType },
    handle: async ({ service, origin, params, body }) => {
      const tenant = await openTenant(service, origin, params.slug)
      const put = await putResourceType(service, tenant, params.name, body as unknown as JsonObject)
      return { status: put.created ? 201 : 200, body: put.type as unknown as ResourceType }
    },
  }),
  call({
    method: 'DELETE',
    path: '/tenants/:slug/resource-types/:name',
    summary: 'Delete a resource type of which there are no resources; 409 says how many there are',
    replies: { 204: null },
    handle: async ({ service, origin, params }) => {
      await deleteResourceType(await openTenant(service, origin, params.slug), params.name)
      return { status: 204 }
    },
  }),
]
