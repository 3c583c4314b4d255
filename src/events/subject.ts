// Who an event is about, as a receiver knows its people: RFC 9493 subject identifiers, and the plain value.
import { isEmailAddress } from '../scim/event'
import { isObject, type JsonObject } from '../scim/json'
import { standardResourceTypes } from '../scim/schemas/resource-types'
import type { StoredEvent } from '../storage/deliveries'
import { type OpenReceiver, Unsendable } from './receiver-kind'

/** What the operator's test is about: an event of this type happens to nobody. */
export const TEST_EVENT = 'receiver.test'

/** By which of a person's values they can be named. */
export const SIMPLE_SUBJECTS = ['email', 'userName', 'externalId', 'id'] as const
/** RFC 9493 and SSF forms that a SET can have beside those. */
export const SET_SUBJECTS = [...SIMPLE_SUBJECTS, 'iss_sub', 'complex'] as const

/** Whom a test is about. */
const NOBODY: JsonObject = {
  id: '00000000-0000-0000-0000-000000000000',
  externalId: 'nobody',
  userName: 'nobody@test.invalid',
}

const NAMES: Readonly<Record<string, string>> = {
  email: 'e-mail address',
  userName: 'userName',
  externalId: 'externalId',
  id: 'id',
}

/** The one value by which the receiver knows the person. Throws Unsendable where they have none. */
export function subjectValue(event: StoredEvent, { settings }: OpenReceiver): string {
  return namedValue(event, settings.subject ?? 'email')
}

/** The subject identifier by which the receiver knows the person (RFC 9493). Throws Unsendable. */
export function subjectIdentifier(event: StoredEvent, receiver: OpenReceiver): JsonObject {
  const { subject = 'email' } = receiver.settings
  if (subject === 'email') return { format: 'email', email: namedValue(event, 'email') }
  if (subject === 'iss_sub') return issuerAndSubject(event, receiver)
  if (subject !== 'complex') return { format: 'opaque', id: namedValue(event, subject) }
  return {
    format: 'complex',
    user: issuerAndSubject(event, receiver),
    tenant: { format: 'opaque', id: String(event.data.tenant) },
  }
}

/** The resource itself, as RFC 9967 names it: by its place, and by whatever else is unique about it. */
export function scimSubject(event: StoredEvent): JsonObject {
  const { noun, values } = subjectOf(event)
  const { id, externalId, userName } = values
  const endpoint = standardResourceTypes.find(type => type.eventNoun === noun)?.endpoint ?? ''
  return {
    format: 'scim',
    uri: `${endpoint}/${String(id)}`,
    id: String(id),
    ...(typeof externalId === 'string' && { externalId }),
    ...(typeof userName === 'string' && { userName }),
  }
}

/** What the event says of its subject, by the subject's noun. */
export function subjectOf(event: StoredEvent): { noun: string; values: JsonObject } {
  if (event.type === TEST_EVENT) return { noun: 'user', values: NOBODY }
  const noun = event.type.split('.', 1)[0] ?? ''
  const values = event.data[noun]
  if (!isObject(values)) throw new Unsendable('the event does not say whom it is about')
  return { noun, values }
}

/** The identity provider's own id of the person where its issuer is known, else ours. */
function issuerAndSubject(event: StoredEvent, { settings, issuer }: OpenReceiver): JsonObject {
  const { subjectIssuer } = settings
  return subjectIssuer === undefined
    ? { format: 'iss_sub', iss: issuer, sub: namedValue(event, 'id') }
    : { format: 'iss_sub', iss: subjectIssuer, sub: namedValue(event, 'externalId') }
}

function namedValue(event: StoredEvent, name: string): string {
  const { values } = subjectOf(event)
  const value = name === 'email' ? emailIn(values) : values[name]
  if (typeof value === 'string' && value !== '') return value
  throw new Unsendable(
    `the person has no ${NAMES[name] ?? name}, by which this receiver knows people; set its "subject" and replay`,
  )
}

function emailIn({ email, userName }: JsonObject): string | undefined {
  return [email, userName].find(text => typeof text === 'string' && isEmailAddress(text)) as
    | string
    | undefined
}
