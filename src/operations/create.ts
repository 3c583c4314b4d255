// POST (RFC 7644 §3.3): one round trip, or two when the user comes back.

import { ScimError } from '../scim/error'
import { createdEvents, grantsAccess, type Subject } from '../scim/event'
import type { Json } from '../scim/json'
import { type MemberChange, mergeMemberChanges } from '../scim/member-change'
import { type Resource, readResource as readBody } from '../scim/resource'
import type { Projection } from '../scim/returned'
import type { ResourceType } from '../scim/schema'
import { insertActivity } from '../storage/activity'
import { DELETED } from '../storage/attribute-sql'
import { lookupRows } from '../storage/lookup'
import { addedIds, memberStatements } from '../storage/members'
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
  withMemberships,
} from '../storage/resources'
import type { Outcome, Row } from '../storage/tenant-database'
import { type AccountView, accountView, viewRulesOf, viewStatements } from './account-view'
import { mayBeHeld } from './breaker'
import { declarations, requireDeclared } from './declare'
import { keepsDeleted } from './delete'
import { namedRole, roleRulesOf } from './group-roles'
import { attachment, namedMembers, refuseItself, requiredMembers } from './naming'
import { refuse, refuseLargeDocument, taken } from './refusal'
import { restore } from './restore'
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
  requireDeclared(tenant)
  refuseLargeDocument(resource)
  const account = accountView(tenant, type, resource, tenant.connectionId ?? '')
  const created: NewResource = {
    tenantId: tenant.id,
    id: tenant.newId(),
    type,
    connectionId: tenant.connectionId ?? '',
    resource,
    ...(account && { view: account.view }),
    restores: keepsDeleted(tenant, type) || mayBeHeld(tenant, type),
    version: tenant.txn,
    now: tenant.now,
  }
  const changes = mergeMemberChanges(members ? [members] : []).filter(change => addedIds([change]).length > 0)
  refuseItself(tenant, type, created, changes)
  const outcomes = await insert(tenant, created, account, changes, projection)
  if (outcomes.inserted) {
    tenant.log.stored()
    const { views, more } = viewsOf(
      tenant,
      type,
      [outcomes.row ? readResource(outcomes.row) : shownOf(created, outcomes.groups)],
      wantsMembers(type, projection),
      outcomes.members,
    )
    return { views, more, status: 201, pointers: outcomes.pointers }
  }
  return resolveConflict(tenant, created, outcomes.conflicts, projection)
}

/** As it is in its row, without reading that; it can only be in groups that have waited for it. */
function shownOf({ now, ...created }: NewResource, groups: readonly Row[]): ShownResource {
  const memberships = withMemberships([], groups)
  return { ...created, createdAt: now, lastModified: now, memberships, referred: {} }
}

type Insertion =
  | {
      inserted: true
      row: Row | undefined
      groups: readonly Row[]
      members: Outcome | undefined
      pointers: Written['pointers']
    }
  | { inserted: false; conflicts: readonly Row[] }

async function insert(
  tenant: Tenant,
  created: NewResource,
  account: AccountView | undefined,
  changes: readonly MemberChange[],
  projection: Projection,
): Promise<Insertion> {
  const { type, id, resource, connectionId } = created
  const occasion = occasionOf(tenant)
  const isThere = exists(tenant.id, id)
  const view = account && { view: account.view }
  const along = alongOf(type, projection)
  const subject: Subject = { id, resource, sessionEpoch: 0, sessionsNotBefore: null, ...view }
  const drafts = createdEvents(subject, type).map(event => draftOf(event, type))
  const { naming, notes, settled } = namedMembers(tenant, created, changes)
  const attached = attachment(tenant, type, id, lookupRows(resource, type, connectionId))
  const entry = tenant.log.entry(201, type.name, id)
  const done = await tenant.database
    .steps({
      unchanged: tenant.database.guard,
      conflicts: [selectConflicts(created)],
      insertion: insertResource(created, tenant.database.admitted),
      known: requiredMembers(tenant, type, changes, naming),
      declared: declarations(tenant, type, resource, isThere),
      account: viewStatements(tenant, id, account),
      role: namedRole(tenant, type, created, isThere),
      events: [appendEvents(occasion, drafts, { condition: isThere, view: viewRulesOf(tenant, type) })],
      joining: memberStatements({
        occasion,
        type,
        subject,
        changes,
        naming,
        roles: roleRulesOf(tenant, type),
      }),
      attached: attached.statements,
      log: [insertActivity(tenant.id, [entry], { condition: isThere, notes: [...notes, ...attached.notes] })],
      settled,
      deliveries: [createDeliveries(occasion)],
      row: refersAnew({ resource: {} }, created, along) ? [selectResource(tenant.id, type, id, along)] : [],
      members: membersStatement(tenant, type, wantsMembers(type, projection), id),
    })
    .catch(error => refuse(tenant, type, changes, error))
  if (done.insertion[0]?.changes === 0) return { inserted: false, conflicts: done.conflicts[0]?.rows ?? [] }
  return {
    inserted: true,
    row: done.row[0]?.rows[0],
    groups: done.attached.at(-1)?.rows ?? [],
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
  const row = conflicts.find(conflict => conflict.scope !== DELETED) ?? conflicts[0]
  if (!row)
    throw new ScimError(
      409,
      undefined,
      'The configuration changed while the request was running; send it again.',
    )
  const deleted = conflicts.filter(conflict => conflict.scope === DELETED)
  if (deleted.length > 0 && deleted.length === conflicts.length)
    return restore(tenant, created, newest(deleted), projection)
  const existing = readResource(row)
  const others = conflicts.some(conflict => conflict.scope !== DELETED && conflict.id !== existing.id)
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
  const living = conflicts.filter(conflict => conflict.scope !== DELETED)
  throw taken(created.type, [...new Set(living.map(conflict => String(conflict.conflict)))])
}

/** Who was deleted last, should the same externalId have been given more than once. */
function newest(rows: readonly Row[]): StoredResource {
  const [last] = rows.map(readResource).toSorted((a, b) => (b.deletedAt ?? 0) - (a.deletedAt ?? 0))
  if (!last) throw new Error('There is nobody to bring back.')
  return last
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
