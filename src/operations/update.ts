// What PUT and PATCH share: read, decide, write over the version that was read, and try again when somebody else
// was faster. Two round trips; a change that changes nothing is one, and writes nothing.
import { sameJson } from '../scim/canonical'
import { ScimError } from '../scim/error'
import { endsSessions, grantsAccess, losesAccess, type Subject, updatedEvents } from '../scim/event'
import type { MemberChange } from '../scim/member-change'
import { attributeValue, changedAttributes, type Resource } from '../scim/resource'
import type { Projection } from '../scim/returned'
import type { ResourceType } from '../scim/schema'
import { preconditionFailed } from '../scim/version'
import { insertActivity } from '../storage/activity'
import { requireOpenConnection } from '../storage/connection-rows'
import { memberStatements, requireGroup, touchGroup } from '../storage/members'
import { appendEvents, createDeliveries, hasAppended } from '../storage/outbox'
import {
  type Along,
  type Change,
  newLookups,
  readResource,
  type StoredResource,
  selectResource,
  updateResource,
  withMemberships,
} from '../storage/resources'
import { failure, type Outcome, type Statement } from '../storage/tenant-database'
import { type AccountView, accountView, viewRulesOf, viewStatements } from './account-view'
import { lossStatements } from './breaker'
import { declarations, requireDeclared } from './declare'
import { namedRole, roleRulesOf } from './group-roles'
import { attachment, type NamedMembers, namedMembers, refuseItself, requiredMembers } from './naming'
import { changedUniques, refuse, refuseLargeDocument, taken } from './refusal'
import { alongOf, notFound, wantsMembers } from './retrieve'
import { draftOf, occasionOf, type Tenant } from './tenant'
import { takeTurns } from './turns'
import { membersStatement, type Views, viewsOf } from './view'

/** Which delivery is to be woken up: its event and its receiver. */
export interface Pointer {
  readonly tenantId: string
  readonly sequence: number
  readonly receiverId: string
}

export interface Written extends Views {
  readonly status: WrittenStatus
  readonly pointers: readonly Pointer[]
}

/** What becomes of a resource: its whole new document, and what happens to its members. */
export interface Decision {
  readonly resource: Resource
  readonly members: readonly MemberChange[]
  /** The request says what its connection calls the resource, be it what another one called it as well. */
  readonly givesExternalId?: boolean
}

/** 204 where the reply shows nothing. */
export type WrittenStatus = 200 | 201 | 204

export interface WriteOptions {
  readonly status: WrittenStatus
  /** The client insisted on the version that was read (If-Match). */
  readonly guarded?: boolean
}

/**
 * Reads the resource, lets `decide` say what becomes of it, and writes that. `ifMatch`: the header, if sent;
 * `projection`: undefined when the reply shows nothing of the resource, which then is not read either.
 * Throws 404, 409 uniqueness, 412, 413 and whatever `decide` throws; nothing is written then.
 */
export async function update(
  tenant: Tenant,
  type: ResourceType,
  id: string,
  ifMatch: string | undefined,
  projection: Projection | undefined,
  decide: (stored: StoredResource) => Decision,
): Promise<Written> {
  const options = { status: projection ? 200 : 204, guarded: ifMatch !== undefined } as const
  return takeTurns(tenant, async now => {
    const stored = await read(now, type, id, ifMatch, projection)
    const decision = decide(stored)
    requireDeclared(now)
    return writeUpdate(now, type, stored, decision, projection, options)
  })
}

async function read(
  tenant: Tenant,
  type: ResourceType,
  id: string,
  ifMatch: string | undefined,
  projection: Projection | undefined,
): Promise<StoredResource> {
  const [found] = await tenant.database.batch([
    selectResource(tenant.id, type, id, { ...alongOf(type, projection), view: true }),
  ])
  const row = found?.rows[0]
  if (!row) throw notFound(type, id)
  const stored = readResource(row)
  requireMatch(ifMatch, stored, type)
  return stored
}

/** Throws 412 when the client insists on another version (RFC 9110 §13.1.1). */
export function requireMatch(ifMatch: string | undefined, stored: StoredResource, type: ResourceType): void {
  if (preconditionFailed(ifMatch, stored.version))
    throw new ScimError(
      412,
      undefined,
      `The ${type.name} has changed since that version (If-Match); read it again.`,
    )
}

/** Writes the decision over the stored version; undefined when that is no longer the current one. */
export async function writeUpdate(
  tenant: Tenant,
  type: ResourceType,
  stored: StoredResource,
  decision: Decision,
  projection: Projection | undefined,
  { status, guarded = false }: WriteOptions,
): Promise<Written | undefined> {
  const changed = changesDocument(tenant, type, stored, decision)
  const wanted = wantsMembers(type, projection)
  if (!changed && decision.members.length === 0) return unchanged(tenant, type, stored, wanted, status)
  // Taking access away may make a full document longer by a letter: it is never refused for that.
  if (changed && !losesAccess(stored.resource, decision.resource, type))
    refuseLargeDocument(decision.resource)
  const change = changed ? changeOf(tenant, type, stored, decision) : undefined
  const occasion = occasionOf(tenant)
  const named = namedMembers(tenant, stored, decision.members)
  const attached = attachment(tenant, type, stored.id, change ? newLookups(type, stored, change) : [])
  const entry = tenant.log.entry(status, type.name, stored.id)
  const along = alongOf(type, projection)
  try {
    const done = await tenant.database.steps({
      unchanged: tenant.database.guard,
      document: change ? documentStatements(tenant, type, stored, change) : [],
      members: membershipStatements(tenant, type, stored, decision, { changed, guarded, named }),
      attached: attached.statements,
      log: [insertActivity(tenant.id, [entry], { notes: [...named.notes, ...attached.notes] })],
      settled: named.settled,
      deliveries: [createDeliveries(occasion)],
      // A changed document is known: it was written over the version that was read.
      after:
        change && !refersAnew(stored, change, along)
          ? []
          : [selectResource(tenant.id, type, stored.id, along)],
      shown: membersStatement(tenant, type, wanted, stored.id),
    })
    tenant.log.stored()
    const row = done.after[0]?.rows[0]
    const memberships = withMemberships(stored.memberships, done.attached.at(-1)?.rows ?? [])
    const written = change ? { ...stored, ...change, lastModified: change.now, memberships } : stored
    const views = viewsOf(tenant, type, [row ? readResource(row) : written], wanted, done.shown[0])
    return { ...views, status, pointers: pointersOf(tenant, done.deliveries[0]) }
  } catch (error) {
    if (failure(error) === 'stale') return undefined
    if (failure(error) === 'unique') throw taken(type, changedUniques(type, stored.resource, decision))
    return refuse(tenant, type, decision.members, error)
  }
}

/** Whether it refers to a resource of which nothing has been read. */
export function refersAnew(
  before: Pick<StoredResource, 'resource'>,
  after: Pick<StoredResource, 'resource'>,
  { referred }: Along,
): boolean {
  return referred.some(path => {
    const value = attributeValue(after.resource, path)
    return value !== undefined && !sameJson(attributeValue(before.resource, path), value)
  })
}

/** A resource that changes hands has other lookups, even where no attribute changes. */
function changesDocument(
  tenant: Tenant,
  type: ResourceType,
  stored: StoredResource,
  decision: Decision,
): boolean {
  return (
    changedAttributes(stored.resource, decision.resource, type).length > 0 ||
    ownerOf(tenant, stored, decision) !== stored.connectionId
  )
}

/** Nothing to write: the resource as it is, with its version (RFC-132, RFC-148). */
async function unchanged(
  tenant: Tenant,
  type: ResourceType,
  stored: StoredResource,
  wanted: boolean,
  status: WrittenStatus,
): Promise<Written> {
  const [members] = await tenant.database.batch(membersStatement(tenant, type, wanted, stored.id))
  return { ...viewsOf(tenant, type, [stored], wanted, members), status, pointers: [] }
}

function documentStatements(
  tenant: Tenant,
  type: ResourceType,
  stored: StoredResource,
  change: AccountChange,
): Statement[] {
  const after = { ...stored, ...change }
  const events = updatedEvents(stored, after, type, tenant.application.isPrivileged)
  const gains = grantsAccess(change.resource, type) && !grantsAccess(stored.resource, type)
  return [
    // Its connection may have been closed since the request was admitted: then nobody would take this access away.
    ...(gains && tenant.connectionId !== null ? [requireOpenConnection(tenant.id, tenant.connectionId)] : []),
    ...updateResource(tenant.id, type, stored, change),
    ...declarations(tenant, type, change.resource),
    ...viewStatements(tenant, stored.id, change.account, stored),
    ...namedRole(tenant, type, after),
    ...(losesAccess(stored.resource, change.resource, type) ? lossStatements(tenant, type) : []),
    appendEvents(
      occasionOf(tenant),
      events.map(event => draftOf(event, type)),
      { view: viewRulesOf(tenant, type) },
    ),
  ]
}

/** A change together with where the account of it belongs. */
export interface AccountChange extends Change {
  readonly account: AccountView | undefined
}

/**
 * The new state; whoever loses access, or a privileged role, gets a new epoch, and nothing ever lowers it (contract
 * "Events"). Throws 400 for an account that the application could not take.
 */
export function changeOf(
  tenant: Tenant,
  type: ResourceType,
  stored: StoredResource,
  decision: Pick<Decision, 'resource' | 'givesExternalId'>,
): AccountChange {
  const { resource } = decision
  const connectionId = ownerOf(tenant, stored, decision)
  const account = accountView(tenant, type, resource, connectionId, stored)
  const after = { resource, ...(account && { view: account.view }) }
  const ended = endsSessions(stored, after, type, tenant.application.isPrivileged)
  return {
    ...after,
    account,
    connectionId,
    version: tenant.txn,
    now: tenant.now,
    ...(ended ? endedSessions(stored, tenant.now) : sessionsOf(stored)),
  }
}

export function endedSessions(
  stored: StoredResource,
  now: number,
): Pick<Change, 'sessionsNotBefore' | 'sessionEpoch'> {
  return {
    sessionsNotBefore: Math.max(stored.sessionsNotBefore ?? 0, Math.floor(now / 1000)),
    sessionEpoch: stored.sessionEpoch + 1,
  }
}

function sessionsOf({
  sessionsNotBefore,
  sessionEpoch,
}: StoredResource): Pick<Change, 'sessionsNotBefore' | 'sessionEpoch'> {
  return { sessionsNotBefore, sessionEpoch }
}

/** A connection that gives a user its own externalId takes the user over: a customer changed identity provider. */
function ownerOf(
  tenant: Tenant,
  stored: StoredResource,
  { resource, givesExternalId = false }: Pick<Decision, 'resource' | 'givesExternalId'>,
): string {
  if (tenant.connectionId === null || stored.scope !== '') return stored.connectionId
  const gives = givesExternalId || resource.externalId !== stored.resource.externalId
  return gives ? tenant.connectionId : stored.connectionId
}

/** Set changes commute, so members need no version of their own unless the client insists on one. */
function membershipStatements(
  tenant: Tenant,
  type: ResourceType,
  stored: StoredResource,
  decision: Decision,
  { changed, guarded, named }: { changed: boolean; guarded: boolean; named: NamedMembers },
): Statement[] {
  const { members } = decision
  if (members.length === 0) return []
  const occasion = occasionOf(tenant)
  const subject: Subject = { ...stored, resource: decision.resource }
  refuseItself(tenant, type, subject, members)
  return [
    // A changed document has checked its version already, and has the new one by now.
    ...(changed ? [] : [requireGroup(tenant.id, stored.id, guarded ? stored.version : undefined)]),
    ...requiredMembers(tenant, type, members, named.naming),
    ...memberStatements({
      occasion,
      type,
      subject,
      changes: members,
      naming: named.naming,
      roles: roleRulesOf(tenant, type),
    }),
    ...(changed ? [] : [touchGroup(occasion, stored.id, hasAppended(tenant.id, tenant.txn))]),
  ]
}

export function pointersOf(tenant: Tenant, deliveries: Outcome | undefined): readonly Pointer[] {
  const due = (deliveries?.rows ?? []).filter(row => row.wake_at !== null)
  return due.map(row => ({
    tenantId: tenant.id,
    sequence: Number(row.sequence),
    receiverId: String(row.receiver_id),
  }))
}
