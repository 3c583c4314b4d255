// Which events a change means, decided from before and after (contract "Events"; RFC 9967 §2.4 has the idea).
// Nothing here knows how they are stored or sent.
import { own, sameJson } from './canonical'
import { isObject, type Json, type JsonObject } from './json'
import type { Resource } from './resource'
import { changedAttributes } from './resource'
import type { ResourceType } from './schema'

/** What of a stored resource an event tells. */
export interface Subject {
  readonly id: string
  readonly resource: Resource
  readonly sessionEpoch: number
  /** Unix seconds. */
  readonly sessionsNotBefore: number | null
  /** How the application sees it; types that grant no access have no view. */
  readonly view?: SubjectView
}

/** The application's view of somebody who has, or had, access. */
export interface SubjectView {
  readonly profile: JsonObject
  /** The role from an attribute. */
  readonly role: string | null
  /** What tells one target group from another. */
  readonly targetGroup: string | null
}

/** Whether losing the role ends sessions. */
export type IsPrivileged = (role: string) => boolean

const noRoleIs: IsPrivileged = () => false

/** An event without its place: `data` is what the receiver gets, but for tenant, connection, txn and sequence. */
export interface ResourceEvent {
  readonly type: string
  readonly subjectId: string
  readonly data: JsonObject
}

/** Whether the resource grants access: true for every type that has no such attribute. */
export function grantsAccess(resource: Resource, type: ResourceType): boolean {
  return type.accessAttribute === undefined || resource[type.accessAttribute] !== false
}

/** Whether going from before to after ends the person's sessions. */
export function losesAccess(before: Resource, after: Resource, type: ResourceType): boolean {
  return type.accessAttribute !== undefined && grantsAccess(before, type) && !grantsAccess(after, type)
}

/** Whether going from before to after ends sessions: access is lost, or with access kept a privileged role. */
export function endsSessions(
  before: Subject,
  after: Pick<Subject, 'resource' | 'view'>,
  type: ResourceType,
  isPrivileged: IsPrivileged,
): boolean {
  return (
    losesAccess(before.resource, after.resource, type) || losesPrivilege(before, after, type, isPrivileged)
  )
}

function losesPrivilege(
  before: Subject,
  after: Pick<Subject, 'resource' | 'view'>,
  type: ResourceType,
  isPrivileged: IsPrivileged,
): boolean {
  const lost = lostRole(before.view, after.view)
  return (
    lost !== undefined &&
    isPrivileged(lost) &&
    grantsAccess(before.resource, type) &&
    grantsAccess(after.resource, type)
  )
}

/** A role that is changed for another is lost, whatever the other one is. */
function lostRole(before: SubjectView | undefined, after: SubjectView | undefined): string | undefined {
  return before?.role && before.role !== after?.role ? before.role : undefined
}

export function createdEvents(after: Subject, type: ResourceType): ResourceEvent[] {
  return [event('created', after, type)]
}

/**
 * A no-op means nothing; a change of access is an event of its own beside the other changes, and so is the loss of a
 * privileged role.
 */
export function updatedEvents(
  before: Subject,
  after: Subject,
  type: ResourceType,
  isPrivileged: IsPrivileged = noRoleIs,
): ResourceEvent[] {
  const changed = changedAttributes(before.resource, after.resource, type)
  const others = changed.filter(name => name !== type.accessAttribute)
  const events: ResourceEvent[] = []
  if (losesAccess(before.resource, after.resource, type))
    events.push(sessionEvent('deactivated', after, type))
  else if (grantsAccess(after.resource, type) !== grantsAccess(before.resource, type))
    events.push(event('reactivated', after, type))
  const inView = viewChange(before.view, after.view, events.length > 0)
  if (others.length > 0 || inView) events.push(event('updated', after, type, { changed: others, ...inView }))
  if (
    !losesAccess(before.resource, after.resource, type) &&
    losesPrivilege(before, after, type, isPrivileged)
  )
    events.push(sessionsRevokedEvent(after, type, 'privileged_role_lost'))
  return events
}

/** What of the view changed, undefined for nothing; `told`: another event of the request shows the new profile. */
function viewChange(
  before: SubjectView | undefined,
  after: SubjectView | undefined,
  told: boolean,
): JsonObject | undefined {
  if (!before || !after) return undefined
  const fields = [...new Set([...Object.keys(before.profile), ...Object.keys(after.profile)])].filter(
    field => !sameJson(before.profile[field], after.profile[field]),
  )
  const moved = before.targetGroup !== after.targetGroup
  if (before.role === after.role && !moved && (fields.length === 0 || told)) return undefined
  return {
    ...(fields.length > 0 && { changedFields: fields }),
    ...(before.role !== after.role && {
      rolesLost: before.role === null ? [] : [before.role],
      rolesGained: after.role === null ? [] : [after.role],
    }),
    ...(moved && { movedTargetGroup: true }),
  }
}

/** A template: the attribute was taken away because what it referred to is gone; storage says of whom. */
export function referenceLostEvent(path: string, type: ResourceType): ResourceEvent {
  const nobody: Subject = { id: '', resource: {}, sessionEpoch: 0, sessionsNotBefore: null }
  return event('updated', nobody, type, { changed: [path] })
}

/** There are no member_removed events for the groups the subject was in; storage adds their ids as `groups`. */
export function deletedEvents(last: Subject, type: ResourceType): ResourceEvent[] {
  return [
    type.accessAttribute === undefined ? event('deleted', last, type) : sessionEvent('deleted', last, type),
  ]
}

/**
 * Access is lost without a change of `active` by a client: the record is deleted, or whoever vouched for it is. `held`:
 * the operator has yet to decide whether the record goes.
 */
export function deactivatedEvent(
  after: Subject,
  type: ResourceType,
  reason: string,
  held = false,
): ResourceEvent {
  return sessionEvent('deactivated', after, type, { reason, ...(held && { held }) })
}

/** The operator, a suspended tenant or a lost role ended the sessions, and nothing else changed. */
export function sessionsRevokedEvent(after: Subject, type: ResourceType, reason: string): ResourceEvent {
  return sessionEvent('sessions_revoked', after, type, { reason })
}

/** A template for member_added and member_removed; storage adds `members`, the ids that really changed. */
export function memberEvent(
  kind: 'member_added' | 'member_removed',
  group: Subject,
  type: ResourceType,
): ResourceEvent {
  return event(kind, group, type)
}

function sessionEvent(
  verb: string,
  subject: Subject,
  type: ResourceType,
  more: JsonObject = {},
): ResourceEvent {
  return event(verb, subject, type, {
    sessions: 'revoke_all',
    notBefore: subject.sessionsNotBefore,
    ...more,
  })
}

function event(verb: string, subject: Subject, type: ResourceType, more: JsonObject = {}): ResourceEvent {
  const identity: Record<string, JsonObject[string]> = { id: subject.id }
  if (type.sharesEventNoun) identity.resourceType = type.name
  for (const name of type.eventAttributes) identity[name] = subject.resource[name] ?? null
  const email = emailOf(subject.resource, type)
  // A receiver that knows people by their address finds it here, or else in what is named already (the userName).
  if (email !== undefined && !type.emailAttributes?.some(name => identity[name] === email))
    identity.email = email
  // Who is created inactive must not be let in by a receiver that knows only this event.
  if (type.accessAttribute !== undefined)
    identity[type.accessAttribute] = grantsAccess(subject.resource, type)
  return {
    type: `${type.eventNoun}.${verb}`,
    subjectId: subject.id,
    data: {
      [type.eventNoun]: identity,
      ...(type.accessAttribute !== undefined && {
        profile: subject.view?.profile ?? {},
        epoch: subject.sessionEpoch,
      }),
      ...more,
    },
  }
}

/** The subject's address: the primary one, else that for work, else the first. */
function emailOf(resource: Resource, type: ResourceType): string | undefined {
  for (const name of type.emailAttributes ?? []) {
    const value = own(resource, name)
    const elements = Array.isArray(value) ? (value as readonly Json[]) : [value]
    const ranked = elements.toSorted((a, b) => rankOf(a) - rankOf(b))
    const found = ranked.map(addressIn).find(address => address !== undefined)
    if (found !== undefined) return found
  }
  return undefined
}

function rankOf(element: Json | undefined): number {
  if (!isObject(element)) return 2
  if (own(element, 'primary') === true) return 0
  return String(own(element, 'type')).toLowerCase() === 'work' ? 1 : 2
}

function addressIn(element: Json | undefined): string | undefined {
  const text = isObject(element) ? own(element, 'value') : element
  return typeof text === 'string' && isEmailAddress(text) ? text : undefined
}

/** Whether the text can be an e-mail address: something, an @, something, and nothing unseen. */
export function isEmailAddress(text: string): boolean {
  return /^[^\s@]+@[^\s@]+$/.test(text)
}
