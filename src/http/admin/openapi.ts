// GET /openapi.json: an API as OpenAPI 3.1, made of the very schemas that check it.
import * as z from 'zod'
import { type Call, call, type TextReply } from './call'

/** The call that describes all of them, itself included; `calls` is asked when it is made. */
export function openApiCall(calls: () => readonly Call[]): Call {
  return call({
    method: 'GET',
    path: '/openapi.json',
    summary: 'This document',
    replies: { 200: z.record(z.string(), z.unknown()) },
    handle: async ({ origin }) => ({ status: 200, body: openApiDocument('admin', calls(), origin) }),
  })
}

/** What of a call is described. */
export type Described = Omit<Call, 'handle'>

/** The document of the API at `{origin}/{name}/v1`, whose calls need a bearer credential. */
export function openApiDocument(
  name: string,
  calls: readonly Described[],
  origin: string,
): Record<string, unknown> {
  const paths: Record<string, Record<string, unknown>> = {}
  for (const described of calls) {
    const path = described.path.replaceAll(/:(\w+)/g, '{$1}')
    paths[path] = { ...paths[path], [described.method.toLowerCase()]: operation(described) }
  }
  return {
    openapi: '3.1.0',
    info: { title: `edge-scim ${name} API`, version: '1' },
    servers: [{ url: `${origin}/${name}/v1` }],
    security: [{ bearer: [] }],
    paths,
    components: {
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } },
      schemas: { Problem: jsonSchema(problem, 'output') },
    },
  }
}

const problem = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string(),
  errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
})

function operation({ path, summary, body, query, replies }: Described): Record<string, unknown> {
  return {
    summary,
    parameters: [...pathParameters(path), ...queryParameters(query)],
    ...(body && { requestBody: { required: true, content: json(jsonSchema(body, 'input')) } }),
    responses: {
      ...Object.fromEntries(Object.entries(replies).map(([status, schema]) => [status, response(schema)])),
      default: {
        description: 'What was wrong',
        content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
      },
    },
  }
}

function response(reply: z.ZodType | TextReply | null): Record<string, unknown> {
  if (reply === null) return { description: 'Done' }
  const content =
    'mediaType' in reply
      ? { [reply.mediaType]: { schema: { type: 'string' } } }
      : json(jsonSchema(reply, 'output'))
  return { description: 'Done', content }
}

function pathParameters(path: string): Record<string, unknown>[] {
  const names = [...path.matchAll(/:(\w+)/g)].map(match => match[1])
  return names.map(name => ({ name, in: 'path', required: true, schema: { type: 'string' } }))
}

function queryParameters(query: z.ZodObject | undefined): Record<string, unknown>[] {
  if (!query) return []
  const properties = jsonSchema(query, 'output').properties as Record<string, Record<string, unknown>>
  return Object.entries(properties).map(([name, { description, ...schema }]) => ({
    name,
    in: 'query',
    ...(description !== undefined && { description }),
    schema,
  }))
}

function json(schema: unknown): Record<string, unknown> {
  return { 'application/json': { schema } }
}

function jsonSchema(schema: z.ZodType, io: 'input' | 'output'): Record<string, unknown> {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io })
  return rest
}
