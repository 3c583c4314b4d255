// Resources as reply bodies. Members that do not fit the first round trip are streamed: a member list is never
// cut, since a client that reads, edits and PUTs it back would remove the rest.
import { MemberStream } from '../operations/members-stream'
import type { Tenant } from '../operations/tenant'
import type { View, Views } from '../operations/view'
import { without } from '../scim/canonical'
import type { JsonObject } from '../scim/json'
import { type ListFacts, listHead } from '../scim/list-response'
import { location, represent } from '../scim/representation'
import { type Projection, project } from '../scim/returned'
import type { ResourceType } from '../scim/schema'
import { streamOf } from './text-stream'

/** One resource, as an object or, when its members go on, as a stream of its JSON. */
export function renderOne(
  tenant: Tenant,
  type: ResourceType,
  page: Views,
  projection: Projection,
): JsonObject | ReadableStream {
  const [view] = page.views
  if (!view) throw new Error('There is nothing to show.')
  if (!page.more) return shown(tenant, type, view, view.members, projection)
  return streamOf(resourceText(tenant, type, view, new MemberStream(tenant, page), projection))
}

/** What a list shows of one resource type; a list at the root has one part for each. */
export interface ListPart {
  readonly type: ResourceType
  readonly result: Views
  readonly projection: Projection
}

/** A ListResponse (RFC 7644 §3.4.2). */
export function renderList(
  tenant: Tenant,
  parts: readonly ListPart[],
  facts: Omit<ListFacts, 'items'>,
): JsonObject | ReadableStream {
  const items = parts.reduce((sum, { result }) => sum + result.views.length, 0)
  const head = listHead({ ...facts, items })
  if (parts.some(({ result }) => result.more)) return streamOf(listText(tenant, parts, head))
  const resources = parts.flatMap(({ type, result, projection }) =>
    result.views.map(view => shown(tenant, type, view, view.members, projection)),
  )
  return { ...head, Resources: resources }
}

async function* listText(
  tenant: Tenant,
  parts: readonly ListPart[],
  head: JsonObject,
): AsyncGenerator<string> {
  let before = `${JSON.stringify(head).slice(0, -1)},"Resources":[`
  for (const { type, result, projection } of parts) {
    const members = new MemberStream(tenant, result)
    for (const view of result.views) {
      yield before
      yield* resourceText(tenant, type, view, members, projection)
      before = ','
    }
  }
  yield before === ',' ? ']}' : `${before}]}`
}

async function* resourceText(
  tenant: Tenant,
  type: ResourceType,
  view: View,
  members: MemberStream,
  projection: Projection,
): AsyncGenerator<string> {
  const name = type.membersAttribute
  const head = JSON.stringify(shown(tenant, type, view, undefined, projection))
  if (name === undefined) return yield head
  let before = `${head.slice(0, -1)},${JSON.stringify(name)}:[`
  for await (const chunk of members.membersOf(view)) {
    const some = shown(tenant, type, view, chunk, projection)[name]
    const text = Array.isArray(some) ? some.map(member => JSON.stringify(member)).join(',') : ''
    if (text === '') continue
    yield before + text
    before = ','
  }
  yield before.startsWith('{') ? `${before}]}` : ']}'
}

/** The representation that the projection leaves of one resource and (some of) its members. */
function shown(
  tenant: Tenant,
  type: ResourceType,
  { stored }: View,
  members: readonly JsonObject[] | undefined,
  projection: Projection,
): JsonObject {
  const foreign = tenant.connectionId !== null && stored.connectionId !== tenant.connectionId
  const representation = represent(
    {
      id: stored.id,
      // An externalId means something only to the connection that gave it (RFC 7643 §3.1).
      resource: foreign ? without(stored.resource, 'externalId') : stored.resource,
      created: stored.createdAt,
      lastModified: stored.lastModified,
      version: tenant.application.profile.features.etag ? stored.version : undefined,
      memberships: stored.memberships.map(group => membershipOf(tenant, group)),
      referred: stored.referred,
    },
    type,
    tenant.baseUrl,
  )
  const name = type.membersAttribute
  return project(name && members ? { ...representation, [name]: members } : representation, projection, type)
}

function membershipOf(tenant: Tenant, { resourceType, ...group }: JsonObject): JsonObject {
  const type = tenant.resourceTypes.find(candidate => candidate.name === resourceType)
  return { ...group, ...(type && { $ref: location(tenant.baseUrl, type, String(group.value)) }) }
}
