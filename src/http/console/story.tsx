// One person's story as a line of time: each event with who asked for it, who was told, and how fast; and each request
// that was refused.
import type { Child } from 'hono/jsx'
import type { EvidenceRequest } from '../../administration/evidence'
import type { Happening, Refusal, StoryEntry } from '../../administration/story'
import { Badge } from '../pages/badge'
import { duration, Moment } from '../pages/moment'
import { at } from './context'
import { Answer } from './deliveries'
import { explain } from './explanation'
import { jobNames } from './jobs'
import { kindName } from './receiver-form'

/** `connections`: their names by id. */
export function Story({
  entries,
  slug,
  connections,
}: {
  entries: readonly StoryEntry[]
  slug: string
  connections: ReadonlyMap<string, string>
}) {
  return (
    <ol class="timeline">
      {entries.map(entry =>
        'refused' in entry ? (
          <Refused {...entry} slug={slug} connections={connections} />
        ) : (
          <Entry entry={entry} slug={slug} />
        ),
      )}
    </ol>
  )
}

const happenings: Readonly<Record<string, string>> = {
  'user.created': 'Created',
  'user.updated': 'Changed',
  'user.deactivated': 'Deactivated',
  'user.reactivated': 'Active again',
  'user.deleted': 'Deleted',
  'user.sessions_revoked': 'Sessions ended',
  'delivery.overdue': 'Alarm: a receiver has not taken the end of sessions in time',
}

const ALARM = 'delivery.overdue'

const bad = ['user.deactivated', 'user.deleted', 'user.sessions_revoked', ALARM]

const reasons: Readonly<Record<string, string>> = {
  deleted: 'The identity provider deleted the person; the profile keeps who is deleted, or the breaker does.',
  privileged_role_lost: 'A privileged role was lost.',
  operator: 'The operator ended them.',
}

function Entry({ entry, slug }: { entry: Happening; slug: string }) {
  const { type, data, sequence, occurredAt } = entry.event
  const endsSessions = data.sessions === 'revoke_all'
  const tone = bad.includes(type) ? 'bad' : type === 'user.updated' ? undefined : 'ok'
  const changed = Array.isArray(data.changed) ? data.changed.join(', ') : ''
  return (
    <li class={tone}>
      <div class="row apart">
        <h3>
          {happenings[type] ?? type} {endsSessions && <Badge state="sessions ended" tone="bad" />}{' '}
          {data.held === true && <Badge state="held by the breaker" tone="warn" />}
        </h3>
        <span class="small muted">
          <Moment at={occurredAt} /> · No. {sequence}
        </span>
      </div>
      {changed !== '' && (
        <p class="small break">
          Of it: <code>{changed}</code>
        </p>
      )}
      {typeof data.reason === 'string' && (
        <p class="small break">{reasons[data.reason] ?? `Reason: ${data.reason}`}</p>
      )}
      {type !== ALARM && <Asked entry={entry} slug={slug} />}
      {endsSessions && <Outcome entry={entry} />}
      <Told entry={entry} slug={slug} />
    </li>
  )
}

function Asked({ entry: { asked, logged }, slug }: { entry: Happening; slug: string }) {
  const { connection, tokenHint, method, path } = asked
  if (asked.kind !== 'scim' && !logged) return <p class="small muted">{withoutRequest(asked)}</p>
  const request = `${method ?? logged?.method} ${path ?? logged?.path}`
  return (
    <AskedBy connection={connection} tokenHint={tokenHint} slug={slug}>
      {logged ? <a href={at(slug, 'activity', logged.id)}>{request}</a> : <code>{request}</code>}
    </AskedBy>
  )
}

function AskedBy({
  connection,
  tokenHint,
  slug,
  children,
}: {
  connection: { readonly id: string; readonly name: string } | null
  tokenHint: string | null
  slug: string
  /** The request. */
  children: Child
}) {
  return (
    <p class="small break">
      Asked for by{' '}
      {connection ? (
        <a href={at(slug, 'connections', connection.id)}>{connection.name}</a>
      ) : (
        'an identity provider'
      )}
      {tokenHint !== null && (
        <>
          {' '}
          with the token <code class="nowrap">…{tokenHint}</code>
        </>
      )}
      : {children}
    </p>
  )
}

/** Nothing became of it, or it is not known: its explanation is at its entry of the log. */
function Refused({
  refused,
  slug,
  connections,
}: Refusal & { slug: string; connections: ReadonlyMap<string, string> }) {
  const { id, at: time, method, path, status, outcome, connectionId, tokenHint } = refused
  const name = connectionId === null ? undefined : connections.get(connectionId)
  const { outcome: inWords, help } = explain(refused)
  return (
    <li class="warn">
      <div class="row apart">
        <h3>
          {outcome === 'error' ? 'Failed' : 'Refused'}{' '}
          <Badge state={`answered ${status}`} tone={outcome === 'error' ? 'bad' : 'warn'} />
        </h3>
        <span class="small muted">
          <Moment at={time} />
        </span>
      </div>
      {help && <p class="small strong">{help.title}</p>}
      <p class="small break">{inWords}</p>
      <AskedBy
        connection={connectionId !== null && name !== undefined ? { id: connectionId, name } : null}
        tokenHint={tokenHint}
        slug={slug}
      >
        <a href={at(slug, 'activity', id)}>
          {method} {path}
        </a>
      </AskedBy>
    </li>
  )
}

function withoutRequest({ kind, job }: EvidenceRequest): string {
  if (kind === 'operator') return 'Done by the operator.'
  if (kind === 'job') return `Part of long work: ${(job !== null && jobNames[job]) || job}.`
  return 'Who asked for it is not kept any more.'
}

function Outcome({ entry: { outcome } }: { entry: Happening }) {
  const { state, killTimeMs, undelivered } = outcome
  if (state === 'done')
    return (
      <p class="small">
        <Badge state={`every receiver had it after ${duration(killTimeMs ?? 0)}`} tone="ok" />
      </p>
    )
  return (
    <p class="small">
      {state === 'nobody' ? (
        <Badge state="there was no receiver to tell" tone="warn" />
      ) : (
        <Badge
          state={
            undelivered.length === 1 ? '1 receiver has it not' : `${undelivered.length} receivers have it not`
          }
          tone="bad"
        />
      )}
    </p>
  )
}

function Told({ entry: { deliveries }, slug }: { entry: Happening; slug: string }) {
  if (deliveries.length === 0) return null
  return (
    <ul class="plain-list">
      {deliveries.map(delivery => {
        const { state, kind, receiverId, latencyMs } = delivery
        return (
          <li class="row small">
            <Badge state={state} />
            {kind === null ? (
              <span class="muted">a deleted receiver</span>
            ) : (
              <a href={at(slug, 'receivers', receiverId)}>{kindName(kind)}</a>
            )}
            {latencyMs !== null && <span>after {duration(latencyMs)}</span>}
            <span class="break">
              <Answer delivery={delivery} />
            </span>
          </li>
        )
      })}
    </ul>
  )
}
