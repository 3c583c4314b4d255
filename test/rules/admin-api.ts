// docs/admin-api.md, made of the very schemas that check the calls; by hand are only the words between the tables.
import * as z from 'zod'
import { adminCalls } from '../../src/http/admin/app'
import type { Call } from '../../src/http/admin/call'

interface JsonSchema {
  readonly type?: string | readonly string[]
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly required?: readonly string[]
  readonly items?: JsonSchema
  readonly anyOf?: readonly JsonSchema[]
  readonly enum?: readonly string[]
  readonly default?: unknown
  readonly additionalProperties?: unknown
}

/** A section holds the calls whose path, without the tenant, begins with one of the nouns. */
const sections: readonly { title: string; nouns: readonly string[]; words?: string }[] = [
  {
    title: 'Tenants',
    nouns: [''],
    words: 'What suspending and deleting do step by step: [the runbook](runbook.md#suspend-a-tenant).',
  },
  {
    title: 'Connections and tokens',
    nouns: ['connections'],
    words:
      'What to enter at the identity provider: [Identity providers](identity-providers.md). Mappings are below.',
  },
  { title: 'Setup links', nouns: ['setup-links'] },
  {
    title: 'Profiles and mappings',
    nouns: ['profiles', 'mapping'],
    words:
      'Part by part, with examples: [Profiles and mappings](profiles.md). `recompute` says how far the users that are here already have been read anew.',
  },
  { title: 'Roles and target groups', nouns: ['roles', 'target-groups'] },
  {
    title: 'Schemas and resource types',
    nouns: ['schemas', 'resource-types'],
    words: 'Documents as in RFC 7643 §7. `?extends=` says whether a new schema extends `User` or `Group`.',
  },
  {
    title: 'Receivers and signing keys',
    nouns: ['receivers', 'signing-keys'],
    words: 'Which fields a kind takes: [Receivers](receivers.md).',
  },
  {
    title: 'Events and deliveries',
    nouns: ['events', 'deliveries'],
    words: 'What is in `data`: [For the developer](developers.md#events).',
  },
  { title: 'Users and evidence', nouns: ['users'] },
  {
    title: 'Breaker',
    nouns: ['breaker'],
    words: 'When it trips: [the runbook](runbook.md#too-many-people-lose-access).',
  },
  {
    title: 'App keys',
    nouns: ['app-keys'],
    words: 'What they read: [the directory API](developers.md#read-the-directory).',
  },
  {
    title: 'Activity and metrics',
    nouns: ['activity', 'metrics'],
    words:
      'What an entry of the activity means: [When an identity provider shows an error](troubleshooting.md).',
  },
  { title: 'This API', nouns: ['openapi.json'] },
]

/** What stands in the way of a call, beside what every call may answer. */
export const conflicts: Readonly<Record<string, string>> = {
  'POST /tenants': '409 the slug is taken',
  'PATCH /tenants/:slug': '409 it is being deleted',
  'DELETE /tenants/:slug': '409 it has active users (how many)',
  'POST /tenants/:slug/connections': '409 the tenant is being deleted',
  'PATCH /tenants/:slug/connections/:id': '409 it is being deleted',
  'DELETE /tenants/:slug/connections/:id': '409 it has active users (how many)',
  'POST /tenants/:slug/connections/:id/tokens': '409 tenant or connection is being deleted',
  'DELETE /profiles/:name': '409 tenants have it, or it is as it ships with the service',
  'PUT /tenants/:slug/schemas/:urn': '409 stored data contradicts it (what), or there are 20 already',
  'DELETE /tenants/:slug/schemas/:urn': '409 stored data has its attributes',
  'PUT /tenants/:slug/resource-types/:name': '409 stored data contradicts it (what), or there are 20 already',
  'DELETE /tenants/:slug/resource-types/:name': '409 there are resources of the type (how many)',
  'POST /tenants/:slug/target-groups': '409 the name is taken',
  'DELETE /tenants/:slug/target-groups/:id': '409 users are in it, or a mapping names it',
  'POST /tenants/:slug/receivers': '409 the tenant is being deleted',
  'POST /tenants/:slug/receivers/:id/rotate-secret': '409 its kind has no secret',
  'POST /tenants/:slug/receivers/:id/replay': '409 it is not active',
  'POST /tenants/:slug/deliveries/:id/replay': '409 its receiver is not active, or deleted',
  'GET /tenants/:slug/users/:id/evidence': '409 there is no key to sign with',
  'POST /tenants/:slug/breaker/release': '409 nothing is held, or a decision is being carried out',
  'POST /tenants/:slug/breaker/rollback': '409 nothing is held, or a decision is being carried out',
}

const head = `# The admin API

\`{origin}/admin/v1\`, \`Authorization: Bearer <ADMIN_TOKEN>\`, JSON both ways. This page is made of the schemas that check the
calls (\`npm run schemas\`); \`GET /admin/v1/openapi.json\` is the same for machines, with every limit.

- \`name?\` may be left out, \`name?: x\` is then \`x\`; \`{…}\` is explained where the section says. A field that is not listed is
  refused.
- **Lists** answer \`{"items": […], "nextCursor"?: "…"}\` and take \`cursor\` (the \`nextCursor\` before, unchanged) and \`limit\`
  (default 100, at most 500). A filter that matches nothing gives an empty list.
- **Times** are ISO 8601 in UTC; \`notBefore\` is in Unix seconds.
- **Secrets** (\`value\`, \`secret\`, \`url\` of a setup link) are in the reply that makes them and nowhere else.
- **Errors** are RFC 9457, \`application/problem+json\`: \`{type, title, status, detail, errors?: [{path, message}]}\`. A call that was
  refused has changed nothing.

| Status | |
|---|---|
| 400 | Not JSON, not an object, a wrong query parameter, a garbled cursor |
| 401 | The admin token is missing or wrong |
| 403 | Plain http |
| 404 | There is no such tenant, or no such thing in this tenant |
| 405 | The path exists, the method does not; \`Allow\` lists those that do |
| 409 | Something is in the way; the tables say what |
| 413 | The body has more than 262,144 bytes |
| 422 | Well-formed, but invalid: \`errors\` names every field |
| 500 | Our fault; the log has \`call-failed\` |
`

/** The whole page. A call that no section takes is an error: whoever adds a noun says where it belongs. */
export function adminApiPage(calls: readonly Call[] = adminCalls): string {
  const lost = calls.filter(call => !sections.some(({ nouns }) => nouns.includes(nounOf(call.path))))
  if (lost.length > 0) throw new Error(`No section has ${lost.map(({ path }) => path).join(', ')}`)
  return [head, ...sections.map(section => sectionOf(section, calls))].join('\n')
}

export function nameOf({ method, path }: Pick<Call, 'method' | 'path'>): string {
  return `${method} ${path}`
}

/** `/tenants/:slug/connections/:id/mapping/preview` is about mappings. */
function nounOf(path: string): string {
  const below = path.replace(/^\/tenants(\/:slug)?/, '')
  if (/^\/connections\/:id\/mapping/.test(below)) return 'mapping'
  return below.split('/')[1] ?? ''
}

function sectionOf({ title, nouns, words }: (typeof sections)[number], calls: readonly Call[]): string {
  const known = new Map<string, string>()
  const rows = calls.filter(call => nouns.includes(nounOf(call.path))).map(call => row(call, known))
  const table = ['| Call | Takes | Answers |', '|---|---|---|', ...rows]
  return `${[`## ${title}`, ...(words ? [words] : []), table.join('\n')].join('\n\n')}\n`
}

function row(call: Call, known: Map<string, string>): string {
  const path = call.path.replaceAll(/:(\w+)/g, '{$1}').replace('/tenants/{slug}/', '…/')
  const replies = Object.entries(call.replies).map(([status, reply]) => {
    if (reply === null) return status
    if ('mediaType' in reply) return `${status} \`${reply.mediaType}\``
    return `${status} ${replyOf(reply, `${call.method} \`${path}\``, known)}`
  })
  const conflict = conflicts[nameOf(call)]
  const answers = [...replies, ...(conflict ? [conflict] : [])].join('<br>')
  return `| **${call.method}** \`${path}\`<br>${sentence(call.summary)} | ${takes(call)} | ${answers} |`
}

function takes({ body, query }: Call): string {
  const asked = query ? Object.entries(jsonSchema(query, 'output').properties ?? {}) : []
  const parameters = asked
    .filter(([name]) => name !== 'cursor' && name !== 'limit')
    .map(([name]) => `\`?${name}=\``)
  return [...parameters, ...(body ? [code(shape(jsonSchema(body, 'input')))] : [])].join('<br>')
}

/** A shape that the section has shown is not shown again. */
function replyOf(reply: z.ZodType, where: string, known: Map<string, string>): string {
  const schema = jsonSchema(reply, 'output')
  const item = itemOf(schema)
  const text = shape(item ?? schema)
  const before = known.get(text)
  if (before === undefined) known.set(text, where)
  const shown = before === undefined ? code(text) : `as ${before}`
  return item ? `list: ${shown}` : shown
}

/** What a page holds; undefined for what is no page. Of two kinds of page the fuller one. */
function itemOf({ anyOf, properties }: JsonSchema): JsonSchema | undefined {
  if (anyOf) return anyOf.map(itemOf).findLast(item => item !== undefined)
  return properties && 'nextCursor' in properties ? properties.items?.items : undefined
}

function shape(schema: JsonSchema, depth = 0): string {
  const { anyOf, properties, items } = schema
  if (schema.enum) return schema.enum.length > 8 ? 'text' : schema.enum.join(' | ')
  if (anyOf) return [...new Set(anyOf.map(one => shape(one, depth)))].join(' | ')
  if (properties) return depth > 2 ? '{…}' : `{${fields(schema, depth)}}`
  if (items) return `[${shape(items, depth + 1)}]`
  const types = [schema.type ?? 'any'].flat()
  return types.map(type => names[type] ?? type).join(' | ')
}

const names: Readonly<Record<string, string>> = { string: 'text', integer: 'number', object: '{…}' }

function fields({ properties = {}, required = [] }: JsonSchema, depth: number): string {
  return Object.entries(properties)
    .map(([name, schema]) => {
      const optional = required.includes(name) && schema.default === undefined ? '' : '?'
      const value = schema.default === undefined ? shape(schema, depth + 1) : JSON.stringify(schema.default)
      return value === 'text' || value === 'any' ? name + optional : `${name}${optional}: ${value}`
    })
    .join(', ')
}

function jsonSchema(schema: z.ZodType, io: 'input' | 'output'): JsonSchema {
  return z.toJSONSchema(schema, { io }) as JsonSchema
}

function code(text: string): string {
  return `\`${text.replaceAll('|', '\\|')}\``
}

function sentence(text: string): string {
  return text.replaceAll('|', '\\|')
}
