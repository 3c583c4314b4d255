// One person's story as a line of time: each event with who asked for it, who was told, and how fast.
import type { EvidenceRequest } from '../../administration/evidence'
import type { StoryEntry } from '../../administration/story'
import { Badge } from '../pages/badge'
import { duration, Moment } from '../pages/moment'
import { at } from './context'
import { Answer } from './deliveries'
import { jobNames } from './jobs'
import { kindName } from './receiver-form'

export function Story({ entries, slug }: { entries: readonly StoryEntry[]; slug: string }) {
  return (
    <ol class="timeline">
      {entries.map(entry => (
        <Entry entry={entry} slug={slug} />
      ))}
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

function Entry({ entry, slug }: { entry: StoryEntry; slug: string }) {
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

function Asked({ entry: { asked, logged }, slug }: { entry: StoryEntry; slug: string }) {
  const { connection, tokenHint, method, path } = asked
  if (asked.kind !== 'scim' && !logged) return <p class="small muted">{withoutRequest(asked)}</p>
  const request = `${method ?? logged?.method} ${path ?? logged?.path}`
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
          with the token <code>…{tokenHint}</code>
        </>
      )}
      : {logged ? <a href={at(slug, 'activity', logged.id)}>{request}</a> : <code>{request}</code>}
    </p>
  )
}

function withoutRequest({ kind, job }: EvidenceRequest): string {
  if (kind === 'operator') return 'Done by the operator.'
  if (kind === 'job') return `Part of long work: ${(job !== null && jobNames[job]) || job}.`
  return 'Who asked for it is not kept any more.'
}

function Outcome({ entry: { outcome } }: { entry: StoryEntry }) {
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

function Told({ entry: { deliveries }, slug }: { entry: StoryEntry; slug: string }) {
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
