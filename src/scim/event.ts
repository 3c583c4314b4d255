// Which events a change means, decided from before and after (contract "Events"; RFC 9967 §2.4 has the idea).
// Nothing here knows how they are stored or sent.
import type { JsonObject } from './json'
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
}

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

export function createdEvents(after: Subject, type: ResourceType): ResourceEvent[] {
  return [event('created', after, type)]
}

/** A no-op means nothing; a change of access is an event of its own beside the other changes. */
export function updatedEvents(before: Subject, after: Subject, type: ResourceType): ResourceEvent[] {
  const changed = changedAttributes(before.resource, after.resource, type)
  const others = changed.filter(name => name !== type.accessAttribute)
  const events: ResourceEvent[] = []
  if (losesAccess(before.resource, after.resource, type))
    events.push(sessionEvent('deactivated', after, type))
  else if (grantsAccess(after.resource, type) !== grantsAccess(before.resource, type))
    events.push(event('reactivated', after, type))
  if (others.length > 0) events.push(event('updated', after, type, { changed: others }))
  return events
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
  for (const name of type.eventAttributes) identity[name] = subject.resource[name] ?? null
  // Who is created inactive must not be let in by a receiver that knows only this event.
  if (type.accessAttribute !== undefined)
    identity[type.accessAttribute] = grantsAccess(subject.resource, type)
  return {
    type: `${type.eventNoun}.${verb}`,
    subjectId: subject.id,
    data: {
      [type.eventNoun]: identity,
      ...(type.accessAttribute !== undefined && { profile: {}, epoch: subject.sessionEpoch }),
      ...more,
    },
  }
}
