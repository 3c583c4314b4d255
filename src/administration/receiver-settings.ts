// What the operator may say of a receiver, by its kind: which fields it has, and what may stand in them.
import type { Service } from '../env'
import { refuseAddress } from '../events/address-guard'
import type { FieldName, ReceiverKind } from '../events/receiver-kind'
import { type FieldError, Problem } from './problem'

export interface Retry {
  /** Seconds before each further attempt. */
  readonly schedule?: number[] | undefined
  readonly timeoutSeconds?: number | undefined
}

export interface ReceiverSettings {
  readonly url?: string | undefined
  readonly audience?: string | undefined
  readonly clientId?: string | undefined
  readonly subject?: string | undefined
  readonly subjectIssuer?: string | null | undefined
  /** Null for none. */
  readonly authorizationHeader?: string | null | undefined
  readonly events?: readonly string[] | null | undefined
  readonly retry?: Retry | null | undefined
}

const FIELDS: readonly FieldName[] = [
  'audience',
  'clientId',
  'subject',
  'subjectIssuer',
  'authorizationHeader',
]

/** Throws 422 that names every field which the kind lacks or does not have. */
export function checkNewSettings(service: Service, kind: ReceiverKind, input: ReceiverSettings): void {
  const missing = FIELDS.filter(name => kind.fields[name] === 'required' && input[name] === undefined)
  refuse([
    ...(input.url === undefined && !kind.isPolled ? [{ path: 'url', message: 'is required' }] : []),
    ...missing.map(path => ({ path, message: `is required for a ${kind.kind} receiver` })),
    ...problemsOf(service, kind, input),
  ])
}

/** Throws 422 that names every field which the kind does not have. */
export function checkChangedSettings(service: Service, kind: ReceiverKind, change: ReceiverSettings): void {
  refuse(problemsOf(service, kind, change))
}

function problemsOf(service: Service, kind: ReceiverKind, input: ReceiverSettings): FieldError[] {
  const unknown = FIELDS.filter(name => kind.fields[name] === undefined && input[name] !== undefined)
  return [
    ...addressProblems(service, kind, input.url),
    ...unknown.map(path => ({ path, message: `is no field of a ${kind.kind} receiver` })),
    ...subjectProblems(kind, input.subject),
    ...(input.events ?? []).flatMap((type, i) => eventProblems(kind, type, i)),
  ]
}

/** Where a receiver may be is the sending side's rule. */
function addressProblems(service: Service, kind: ReceiverKind, url: string | undefined): FieldError[] {
  if (url === undefined) return []
  const refused = kind.isPolled
    ? `must not be given: a ${kind.kind} receiver calls its pollUrl`
    : refuseAddress(url, service.allowLoopbackReceivers)
  return refused === undefined ? [] : [{ path: 'url', message: refused }]
}

function subjectProblems(
  { kind, fields, subjects = [] }: ReceiverKind,
  subject: string | undefined,
): FieldError[] {
  if (subject === undefined || fields.subject === undefined || subjects.includes(subject)) return []
  return [{ path: 'subject', message: `of a ${kind} receiver must be one of ${subjects.join(', ')}` }]
}

function eventProblems({ kind, events }: ReceiverKind, type: string, i: number): FieldError[] {
  if (events === undefined || events.includes(type)) return []
  return [{ path: `events[${i}]`, message: `${type} means nothing to a ${kind} receiver` }]
}

function refuse(errors: readonly FieldError[]): void {
  if (errors.length === 0) return
  throw new Problem(422, errors.map(({ path, message }) => `${path}: ${message}`).join('; '), errors)
}
