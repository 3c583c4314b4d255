// POST (RFC 7644 §3.3): one round trip, or two when the user comes back.
import { ScimError } from '../scim/error'
import { createdEvents, grantsAccess, type Subject } from '../scim/event'
import type { Json } from '../scim/json'
import { type MemberChange, mergeMemberChanges } from '../scim/member-change'
import { type Resource, readResource as readBody } from '../scim/resource'
import type { Projection } from '../scim/returned'
import type { ResourceType } from '../scim/schema'
import { insertActivity } from '../storage/activity'
import { addedIds, memberStatements, requireKnown } from '../storage/members'
import { appendEvents, createDeliveries } from '../storage/outbox'
import {
  exists,
  insertResource,
  type NewResource,
  readResource,
  type ShownResource,
  type StoredResource,
  scopeOf,
  selectConflicts,
  selectResource,
} from '../storage/resources'
import type { Outcome, Row } from '../storage/tenant-database'
import { refuse, refuseLargeDocument, taken } from './refusal'
import { alongOf, wantsMembers } from './retrieve'
import { draftOf, occasionOf, type Tenant } from './tenant'
import { takeTurns } from './turns'
import { pointersOf, refersAnew, type Written, writeUpdate } from './update'
import { membersStatement, viewsOf } from './view'

/** Throws 400 for a body that is not a resource of the type, 409 uniqueness, 413. */
export async function create(
  tenant: Tenant,
  type: ResourceType,
  body: Json,
  projection: Projection,
): Promise<Written> {
  return takeTurns(tenant, now => createOnce(now, type, body, projection))
}

/** Undefined when the returning user whom it met was changed by somebody else meanwhile. */
async function createOnce(
  tenant: Tenant,
  type: ResourceType,
  body: Json,
  projection: Projection,
): Promise<Written | undefined> {
  const { resource, members } = readBody(body, type, tenant.interop)
  refuseLargeDocument(resource)
  const created: NewResource = {
    tenantId: tenant.id,
    id: tenant.newId(),
    type,
    connectionId: tenant.connectionId ?? '',
    resource,
    version: tenant.txn,
    now: tenant.now,
  }
  const changes = mergeMemberChanges(members ? [members] : []).filter(change => addedIds([change]).length > 0)
  const outcomes = await insert(tenant, created, changes, projection)
  if (outcomes.inserted) {
    tenant.log.stored()
    const { views, more } = viewsOf(
      tenant,
      type,
      [outcomes.row ? readResource(outcomes.row) : shownOf(created)],
      wantsMembers(type, projection),
      outcomes.members,
    )
    return { views, more, status: 201, pointers: outcomes.pointers }
  }
  return resolveConflict(tenant, created, outcomes.conflicts, projection)
}

/** As it is in its row, without reading that; nobody can have put it into a group yet. */
function shownOf({ now, ...created }: NewResource): ShownResource {
  return { ...created, createdAt: now, lastModified: now, memberships: [], referred: {} }
}

type Insertion =
  | { inserted: true; row: Row | undefined; members: Outcome | undefined; pointers: Written['pointers'] }
  | { inserted: false; conflicts: readonly Row[] }

async function insert(
  tenant: Tenant,
  created: NewResource,
  changes: readonly MemberChange[],
  projection: Projection,
): Promise<Insertion> {
  const { type, id, resource } = created
  const occasion = occasionOf(tenant)
  const isThere = exists(tenant.id, id)
  const along = alongOf(type, projection)
  const subject: Subject = { id, resource, sessionEpoch: 0, sessionsNotBefore: null }
  const drafts = createdEvents(subject, type).map(event => draftOf(event, type))
  const done = await tenant.database
    .steps({
      unchanged: tenant.database.guard,
      conflicts: [selectConflicts(created)],
      insertion: insertResource(created, tenant.database.admitted),
      known: requireKnown(tenant.id, changes),
      events: [appendEvents(occasion, drafts, { condition: isThere })],
      joining: memberStatements({ occasion, type, subject, changes }),
      log: [insertActivity(tenant.id, [tenant.log.entry(201, type.name, id)], isThere)],
      deliveries: [createDeliveries(occasion)],
      row: refersAnew({ resource: {} }, created, along) ? [selectResource(tenant.id, type, id, along)] : [],
      members: membersStatement(tenant, type, wantsMembers(type, projection), id),
    })
    .catch(error => refuse(tenant, changes, error))
  if (done.insertion[0]?.changes === 0) return { inserted: false, conflicts: done.conflicts[0]?.rows ?? [] }
  return {
    inserted: true,
    row: done.row[0]?.rows[0],
    members: done.members[0],
    pointers: pointersOf(tenant, done.deliveries[0]),
  }
}

/**
 * A unique value is taken. The identity provider's own leaver who comes back (same connection, same externalId,
 * inactive) is given access again under the old id; anything else is 409 (contract "SCIM"; RFC-74, RFC-78).
 */
async function resolveConflict(
  tenant: Tenant,
  created: NewResource,
  conflicts: readonly Row[],
  projection: Projection,
): Promise<Written | undefined> {
  const [row] = conflicts
  if (!row)
    throw new ScimError(
      409,
      undefined,
      'The configuration changed while the request was running; send it again.',
    )
  const existing = readResource(row)
  const others = conflicts.some(conflict => conflict.id !== existing.id)
  if (!others && returns(tenant, created, existing)) {
    return writeUpdate(
      tenant,
      created.type,
      existing,
      { resource: created.resource, members: [] },
      projection,
      { status: 201 },
    )
  }
  throw taken(created.type, [...new Set(conflicts.map(conflict => String(conflict.conflict)))])
}

function returns(tenant: Tenant, created: NewResource, existing: StoredResource): boolean {
  const { type, resource, connectionId } = created
  return (
    tenant.interop.mode === 'compat' &&
    type.accessAttribute !== undefined &&
    !grantsAccess(existing.resource, type) &&
    existing.connectionId === connectionId &&
    existing.scope === scopeOf(type, connectionId) &&
    externalIdOf(resource) !== undefined &&
    externalIdOf(resource) === externalIdOf(existing.resource)
  )
}

function externalIdOf(resource: Resource): Json | undefined {
  return resource.externalId
}
