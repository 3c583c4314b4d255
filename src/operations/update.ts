// What PUT and PATCH share: read, decide, write over the version that was read, and try again when somebody else
// was faster. Two round trips; a change that changes nothing is one, and writes nothing.
import { ScimError } from '../scim/error'
import { losesAccess, type Subject, updatedEvents } from '../scim/event'
import type { MemberChange } from '../scim/member-change'
import { changedAttributes, type Resource } from '../scim/resource'
import type { Projection } from '../scim/returned'
import type { ResourceType } from '../scim/schema'
import { preconditionFailed } from '../scim/version'
import { insertActivity } from '../storage/activity'
import {
  addedIds,
  memberStatements,
  requireGroup,
  requireKnown,
  selectUnknown,
  touchGroup,
} from '../storage/members'
import { appendEvents, createDeliveries, hasAppended } from '../storage/outbox'
import {
  type Change,
  readResource,
  type StoredResource,
  selectResource,
  updateResource,
} from '../storage/resources'
import { failure, type Outcome, type Statement } from '../storage/tenant-database'
import { notFound, wantsMembers, wantsMemberships } from './retrieve'
import { draftOf, occasionOf, type Tenant } from './tenant'
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
}

/** 204 where the reply shows nothing. */
export type WrittenStatus = 200 | 201 | 204

export interface WriteOptions {
  readonly status: WrittenStatus
  /** The client insisted on the version that was read (If-Match). */
  readonly guarded?: boolean
}

/** A resource document in bytes of JSON; D1 takes two million a row, which may hold a second, folded copy. */
export const MAX_DOCUMENT_BYTES = 1_000_000

/** Contenders for one resource take turns; this many are enough for a burst of fifty. */
const ATTEMPTS = 60

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
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const stored = await read(tenant, type, id, ifMatch, projection)
    const options = { status: projection ? 200 : 204, guarded: ifMatch !== undefined } as const
    const written = await writeUpdate(tenant, type, stored, decide(stored), projection, options)
    if (written) return written
    if (attempt > 2) await scheduler.wait(attempt)
  }
  throw new ScimError(503, undefined, `Too many requests change this ${type.name} at once; send it again.`, {
    'Retry-After': '1',
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
    selectResource(tenant.id, type, id, wantsMemberships(type, projection)),
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
  const changed = changedAttributes(stored.resource, decision.resource, type).length > 0
  const wanted = wantsMembers(type, projection)
  if (!changed && decision.members.length === 0) return unchanged(tenant, type, stored, wanted, status)
  if (changed) refuseLargeDocument(decision.resource)
  const occasion = occasionOf(tenant)
  try {
    const done = await tenant.database.steps({
      unchanged: tenant.database.guard,
      document: changed ? documentStatements(tenant, type, stored, decision) : [],
      members: membershipStatements(tenant, type, stored, decision, guarded),
      log: [insertActivity(tenant.id, [tenant.log.entry(status, type.name, stored.id)])],
      deliveries: [createDeliveries(occasion)],
      after: [selectResource(tenant.id, type, stored.id, wantsMemberships(type, projection))],
      shown: membersStatement(tenant, type, wanted, stored.id),
    })
    tenant.log.stored()
    const row = done.after[0]?.rows[0]
    const views = viewsOf(tenant, type, [row ? readResource(row) : stored], wanted, done.shown[0])
    return { ...views, status, pointers: pointersOf(tenant, done.deliveries[0]) }
  } catch (error) {
    if (failure(error) === 'stale') return undefined
    if (failure(error) === 'unique')
      throw taken(type, changedUniques(type, stored.resource, decision.resource))
    return refuse(tenant, decision.members, error)
  }
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
  decision: Decision,
): Statement[] {
  const change = changeOf(tenant, type, stored, decision.resource)
  const events = updatedEvents(stored, { ...stored, ...change }, type).map(event => draftOf(event, type))
  return [...updateResource(tenant.id, type, stored, change), appendEvents(occasionOf(tenant), events)]
}

/** The new state; whoever loses access gets a new epoch, and nothing ever lowers it (contract "Events"). */
export function changeOf(
  tenant: Tenant,
  type: ResourceType,
  stored: StoredResource,
  resource: Resource,
): Change {
  const ended = losesAccess(stored.resource, resource, type)
  return {
    resource,
    connectionId: ownerOf(tenant, stored, resource),
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
function ownerOf(tenant: Tenant, stored: StoredResource, resource: Resource): string {
  if (tenant.connectionId === null || stored.scope !== '') return stored.connectionId
  return resource.externalId !== stored.resource.externalId ? tenant.connectionId : stored.connectionId
}

/** Set changes commute, so members need no version of their own unless the client insists on one. */
function membershipStatements(
  tenant: Tenant,
  type: ResourceType,
  stored: StoredResource,
  decision: Decision,
  guarded: boolean,
): Statement[] {
  const { members } = decision
  if (members.length === 0) return []
  if (addedIds(members).includes(stored.id))
    throw new ScimError(400, 'invalidValue', `members: a ${type.name} cannot be a member of itself.`)
  const occasion = occasionOf(tenant)
  const subject: Subject = { ...stored, resource: decision.resource }
  const changed = changedAttributes(stored.resource, decision.resource, type).length > 0
  return [
    // A changed document has checked its version already, and has the new one by now.
    ...(changed ? [] : [requireGroup(tenant.id, stored.id, guarded ? stored.version : undefined)]),
    ...requireKnown(tenant.id, members),
    ...memberStatements({ occasion, type, subject, changes: members }),
    ...(changed ? [] : [touchGroup(occasion, stored.id, hasAppended(tenant.id, tenant.txn))]),
  ]
}

export function pointersOf(tenant: Tenant, deliveries: Outcome | undefined): readonly Pointer[] {
  return (deliveries?.rows ?? []).map(row => ({
    tenantId: tenant.id,
    sequence: Number(row.sequence),
    receiverId: String(row.receiver_id),
  }))
}

/** 413 for a document over the limit; members are not part of it. */
export function refuseLargeDocument(resource: Resource): void {
  const text = JSON.stringify(resource)
  // A UTF-16 unit is at most three bytes.
  if (text.length * 3 <= MAX_DOCUMENT_BYTES) return
  const bytes = new TextEncoder().encode(text).length
  if (bytes > MAX_DOCUMENT_BYTES)
    throw new ScimError(
      413,
      undefined,
      `The resource has ${bytes} bytes of JSON; at most ${MAX_DOCUMENT_BYTES} are stored.`,
    )
}

/** The one 409 of a taken unique value: names the attributes, never whose they are. */
export function taken(type: ResourceType, attributes: readonly string[]): ScimError {
  return new ScimError(
    409,
    'uniqueness',
    `Another ${type.name} already has this ${attributes.join(' or this ')}.`,
  )
}

function changedUniques(type: ResourceType, before: Resource, after: Resource): string[] {
  const changed = new Set(changedAttributes(before, after, type))
  return type.lookups.filter(lookup => lookup.unique && changed.has(lookup.path)).map(lookup => lookup.path)
}

/** Turns the refusal of unknown members into a 400 that names them; any other error of the tables goes on. */
export async function refuse(
  tenant: Tenant,
  changes: readonly MemberChange[],
  error: unknown,
): Promise<never> {
  if (isTooBig(error)) throw tooBig()
  if (failure(error) !== 'unknown') throw error
  const [unknown] = await tenant.database.batch([selectUnknown(tenant.id, addedIds(changes))])
  const ids = (unknown?.rows ?? []).map(row => String(row.id))
  throw new ScimError(
    400,
    'invalidValue',
    `members: no resource of this tenant has the id ${ids.slice(0, 10).join(', ')}${ids.length > 10 ? ' and others' : ''}. Nothing was changed.`,
  )
}

/** D1's two million bytes for a row or a parameter: folding may double a document, and ids may be long. */
function isTooBig(error: unknown): boolean {
  return error instanceof Error && /SQLITE_TOOBIG|string or blob too big/.test(error.message)
}

function tooBig(): ScimError {
  return new ScimError(
    413,
    undefined,
    `The request is too large to be stored at once. Send fewer members, or less than ${MAX_DOCUMENT_BYTES} bytes of attributes.`,
  )
}
