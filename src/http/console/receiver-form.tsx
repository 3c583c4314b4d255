// The fields of a receiver, by its kind: shown, and read as the API would be sent them.
import { eventTypes, type ReceiverItem } from '../../administration/receivers'
import type { FieldName, ReceiverKind } from '../../events/receiver-kind'
import { Checkbox, type Option, Select, TextField } from '../pages/form'
import { typed } from './context'

export const kindNames: Readonly<Record<string, readonly [title: string, what: string]>> = {
  webhook: ['Webhook', 'Every event as signed JSON. For an application that has nothing yet.'],
  'ssf-push': ['Shared Signals, pushed', 'Security event tokens (CAEP, RISC, RFC 9967), one POST each.'],
  'ssf-poll': ['Shared Signals, polled', 'The same, fetched by an application that cannot be reached.'],
  'backchannel-logout': [
    'OpenID Connect back-channel logout',
    'Tells a relying party that sessions are over.',
  ],
  'global-token-revocation': ['Universal Logout', 'Global token revocation, as Okta sends it.'],
}

/** What a receiver is called where there are several. */
export function receiverName({ kind, url }: Pick<ReceiverItem, 'kind' | 'url'>): string {
  return [kindName(kind), url].filter(part => part !== undefined).join(' ')
}

export function kindName(kind: string): string {
  return Object.hasOwn(kindNames, kind) ? (kindNames[kind]?.[0] ?? kind) : kind
}

const subjectNames: Readonly<Record<string, string>> = {
  email: 'e-mail address',
  userName: 'userName',
  externalId: 'externalId',
  id: 'id of this service',
  iss_sub: 'issuer and subject',
  complex: 'several of them (complex)',
}

/** Names of the fields, for the list of what is wrong. */
export const receiverFields = [
  'url',
  'audience',
  'clientId',
  'subject',
  'subjectIssuer',
  'authorizationHeader',
  'events',
  'retry.schedule',
  'retry.timeoutSeconds',
]

export function ReceiverFields({ kind, receiver }: { kind: ReceiverKind; receiver?: ReceiverItem }) {
  const has = (name: FieldName) => kind.fields[name] !== undefined
  return (
    <>
      {!kind.isPolled && (
        <TextField
          name="url"
          label="URL"
          hint="https, reachable from the internet."
          value={receiver?.url}
          code
        />
      )}
      <div class="pair">
        {has('audience') && (
          <TextField
            name="audience"
            label="Audience"
            hint="Who the tokens are for."
            value={receiver?.audience}
            code
          />
        )}
        {has('clientId') && (
          <TextField
            name="clientId"
            label="Client id"
            hint="The application, as its login service knows it."
            value={receiver?.clientId}
            code
          />
        )}
        {has('subject') && (
          <Select
            name="subject"
            label="How it knows people"
            value={receiver?.subject ?? kind.subjects?.[0]}
            options={(kind.subjects ?? []).map(
              (subject): Option => [subject, subjectNames[subject] ?? subject],
            )}
          />
        )}
        {has('subjectIssuer') && (
          <TextField
            name="subjectIssuer"
            label="Issuer of subjects"
            hint="For issuer and subject: the login service whose id the externalId is. Empty: this service."
            value={receiver?.subjectIssuer}
            code
          />
        )}
        {has('authorizationHeader') && (
          <TextField
            name="authorizationHeader"
            label="Authorization header"
            hint={
              receiver
                ? 'Left empty: as it is. It is never shown.'
                : 'Sent with every token, and never shown.'
            }
            type="password"
            autocomplete="off"
          />
        )}
      </div>
      <Events kind={kind} receiver={receiver} />
      <details>
        <summary>Attempts</summary>
        <div class="pair">
          <TextField
            name="retry.schedule"
            label="Seconds before each further attempt"
            hint="Separated by commas. Empty: eleven more within nearly three days."
            value={receiver?.retry?.schedule?.join(', ')}
          />
          <TextField
            name="retry.timeoutSeconds"
            label="Seconds to answer in"
            hint="Empty: 15."
            value={receiver?.retry?.timeoutSeconds?.toString()}
          />
        </div>
      </details>
    </>
  )
}

function Events({ kind, receiver }: { kind: ReceiverKind; receiver: ReceiverItem | undefined }) {
  return (
    <fieldset>
      <legend>Events</legend>
      <p class="small muted">None ticked: all that mean something to it, also those to come.</p>
      <div class="checks">
        {(kind.events ?? eventTypes).map(type => (
          <Checkbox
            name="events"
            value={type}
            label={<code>{type}</code>}
            checked={receiver?.events?.includes(type) ?? false}
          />
        ))}
      </div>
    </fieldset>
  )
}

/** Of a new receiver: what was typed, for its schema to judge. */
export function newSettings(kind: string, form: URLSearchParams) {
  const own = ['url', 'audience', 'clientId', 'subject', 'subjectIssuer', 'authorizationHeader']
  const given = own.map(name => [name, typed(form, name)]).filter(([, value]) => value !== undefined)
  const { events, retry } = shared(form)
  return {
    kind,
    ...Object.fromEntries(given),
    ...(events !== null && { events }),
    ...(retry !== null && { retry }),
  }
}

/** Of one that is there: what is empty is taken away where that can be. */
export function changedSettings({ fields, isPolled }: ReceiverKind, form: URLSearchParams) {
  const stays = ['url', 'audience', 'clientId', 'subject', 'authorizationHeader']
  const given = stays
    .filter(name => (name === 'url' ? !isPolled : name in fields))
    .map(name => [name, typed(form, name) ?? (name === 'url' ? '' : undefined)])
    .filter(([, value]) => value !== undefined)
  const issuer = typed(form, 'subjectIssuer') ?? null
  return {
    ...Object.fromEntries(given),
    ...('subjectIssuer' in fields && { subjectIssuer: issuer }),
    ...shared(form),
  }
}

function shared(form: URLSearchParams) {
  const events = form.getAll('events')
  const schedule = typed(form, 'retry.schedule')
    ?.split(/[\s,;]+/)
    .filter(Boolean)
    .map(number)
  const timeout = typed(form, 'retry.timeoutSeconds')
  const retry = {
    ...(schedule && { schedule }),
    ...(timeout !== undefined && { timeoutSeconds: number(timeout) }),
  }
  return {
    events: events.length === 0 ? null : events,
    retry: Object.keys(retry).length === 0 ? null : retry,
  }
}

/** The number, or the text for the schema to refuse. */
function number(text: string): number | string {
  return /^\d{1,9}$/.test(text) ? Number(text) : text
}
