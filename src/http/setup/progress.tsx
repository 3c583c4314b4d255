// How far the connection has come, as a list that is ticked off by real traffic.
import type { Child } from 'hono/jsx'
import type {
  ConnectionProgress,
  MissingAttribute,
  RefusedCredential,
  SeenRequest,
} from '../../administration/connection-progress'
import { type IdentityProvider, identityProviderNames } from '../../mapping/identity-providers'
import { Time } from './layout'
import { providerAttribute } from './provider-attributes'

const DAY_MS = 86_400_000

/** Nothing more to wait for: people have come. */
export function isSetUp({ firstPersonAt }: ConnectionProgress): boolean {
  return firstPersonAt !== null
}

interface Props {
  idp: IdentityProvider
  progress: ConnectionProgress
  /** The page asks by itself, because the reader chose so. */
  watching: boolean
  now: number
}

export function Progress({ idp, progress, watching, now }: Props) {
  const { firstRequest, lastRequest, lastSuccess, refused, lastError, missing } = progress
  const { firstPersonAt, groups, firstGroupAt, nestedGroups } = progress
  return (
    <section aria-labelledby="progress">
      <h2 id="progress">Connection</h2>
      <ul class="checklist">
        <Item done={firstRequest !== null} title="Connection test seen">
          {firstRequest ? (
            <>
              First request <Time at={firstRequest.at} />
              {lastRequest && (
                <>
                  , last <Time at={lastRequest.at} />
                </>
              )}
            </>
          ) : (
            'No request with the token yet.'
          )}
        </Item>
        {refused && <Refused {...refused} newest={progress.token?.hint ?? null} />}
        <Required idp={idp} missing={missing} hasPeople={firstPersonAt !== null} now={now} />
        <Item done={firstPersonAt !== null} title="People">
          {firstPersonAt === null ? (
            'Nobody has been sent yet.'
          ) : (
            <>
              <People {...progress.people} /> First seen <Time at={firstPersonAt} />
            </>
          )}
        </Item>
        <Item done={firstGroupAt !== null} title="Groups">
          {firstGroupAt === null ? (
            'None has been sent yet; not every set-up has any.'
          ) : (
            <>
              {counted(groups, 'group', 'groups')}. First seen <Time at={firstGroupAt} />
            </>
          )}
        </Item>
        {firstGroupAt !== null && <Nested idp={idp} count={nestedGroups} />}
        <Item done={lastSuccess !== null} title="Last sync">
          {lastSuccess ? (
            <>
              The last request that was accepted came <Time at={lastSuccess.at} />.
            </>
          ) : firstRequest ? (
            'None of the latest requests was accepted.'
          ) : (
            'Nothing has come yet.'
          )}
        </Item>
        {lastError && (
          <LastError error={lastError} over={lastRequest !== null && lastRequest.at > lastError.at} />
        )}
        <TokenItem {...progress} now={now} />
      </ul>
      <Watch watching={watching} over={isSetUp(progress)} />
    </section>
  )
}

/** What is said by colour and sign is said by words for those who see neither. */
function Item(props: { done?: boolean; wrong?: boolean; title: string; children?: Child }) {
  const { done = false, wrong = false, title, children } = props
  const state = wrong ? 'wrong' : done ? 'done' : 'waiting'
  const words = { wrong: 'Look here: ', done: 'Done: ', waiting: 'Waiting: ' } as const
  return (
    <li class={state}>
      <strong>
        <span class="hidden-visually">{words[state]}</span>
        {title}
      </strong>
      <span>{children}</span>
    </li>
  )
}

function Refused(props: RefusedCredential & { newest: string | null }) {
  const { at, hint, isOwn, reason, isLatest, newest } = props
  return (
    <Item
      wrong={isLatest}
      done={!isLatest}
      title={isLatest ? 'Credential refused' : 'Credential refused before'}
    >
      <Time at={at} />:{' '}
      {hint === null ? (
        'what was sent to this base URL is no token of this connection. Copy the whole token once more.'
      ) : !isOwn ? (
        <>
          what was sent to this base URL ends in <code>{hint}</code> and is no token of this connection.{' '}
          {newest === null ? (
            'Copy the whole token once more.'
          ) : (
            <>
              Its token ends in <code>{newest}</code>: copy the whole of it once more.
            </>
          )}
        </>
      ) : (
        <>
          the token ending in <code>{hint}</code> {reason === null ? 'does not count here' : `is ${reason}`}.
          Enter the newest one.
        </>
      )}
      {!isLatest && ' Requests have been accepted since.'}
    </Item>
  )
}

/** Others may have come since, and whoever lacks the attribute is refused again: so it counts for a day. */
function Required(props: {
  idp: IdentityProvider
  missing: readonly MissingAttribute[]
  hasPeople: boolean
  now: number
}) {
  const { idp, missing, hasPeople, now } = props
  const [latest] = missing
  if (!latest)
    return (
      <Item done={hasPeople} title="Required attributes">
        {hasPeople ? 'None was missing in the latest requests.' : 'Seen once people are sent.'}
      </Item>
    )
  const isOver = now - latest.lastAt > DAY_MS
  return (
    <Item
      wrong={!isOver}
      done={isOver}
      title={isOver ? 'Required attribute missing before' : 'Required attribute missing'}
    >
      {missing.map(attribute => (
        <Missing idp={idp} {...attribute} />
      ))}
      In {idp === 'generic' ? 'your identity provider' : identityProviderNames[idp]} check that it is mapped
      and filled in for everybody, then send these people again. <a href="#attributes">All attributes</a>
    </Item>
  )
}

function Missing({ idp, path, count, lastAt }: MissingAttribute & { idp: IdentityProvider }) {
  const from = providerAttribute(idp, path)
  return (
    <>
      <code>
        <bdi>{path}</bdi>
      </code>{' '}
      had no value in {counted(count, 'recent request', 'recent requests')}, last <Time at={lastAt} />
      {from !== undefined && (
        <>
          {' '}
          (it usually comes from <code>{from}</code>)
        </>
      )}
      .{' '}
    </>
  )
}

function Nested({ idp, count }: { idp: IdentityProvider; count: number }) {
  if (count === 0)
    return (
      <Item done title="Nested groups">
        None among the newest groups.
      </Item>
    )
  return (
    <Item wrong title="Nested groups">
      {counted(count, 'of the newest groups is a member', 'of the newest groups are members')} of another
      group. That is kept as it is sent, but gives nobody anything: the people of the inner group do not count
      as members of the outer one.{' '}
      {idp === 'entra'
        ? 'Assign the inner groups themselves.'
        : 'Send the people themselves as members of the outer group.'}
    </Item>
  )
}

function LastError({ error, over }: { error: SeenRequest; over: boolean }) {
  return (
    <Item wrong={!over} done={over} title={over ? 'Last error, with accepted requests since' : 'Last error'}>
      <Time at={error.at} />: {inWords(error)}
      {error.detail !== null && (
        <>
          {' '}
          <q>
            <bdi>{error.detail}</bdi>
          </q>
        </>
      )}{' '}
      <small>
        <code>
          {error.method} {error.path}
        </code>{' '}
        was answered {error.status}
      </small>
    </Item>
  )
}

/** What an answer means to somebody who does not know the protocol. */
function inWords({ status, scimType }: SeenRequest): string {
  if (scimType === 'uniqueness') return 'Somebody else already has this name or id.'
  if (scimType === 'invalidFilter') return 'A search was not understood.'
  if (scimType === 'invalidValue') return 'A value is missing or not allowed; look at the attributes below.'
  if (status === 403) return 'The operator of the service has paused this connection.'
  if (status === 404) return 'It was about somebody, or a group, that is not here.'
  if (status === 413) return 'The request was too large.'
  if (status === 412) return 'It was changed by somebody else in the meantime.'
  if (status === 429) return 'There were too many requests; your identity provider will try again.'
  if (status >= 500) return 'The service failed; if it stays so, tell its operator.'
  return 'The request was not as it should be.'
}

function People({ count, more, everybody }: ConnectionProgress['people']) {
  if (!more) return `${counted(count, 'person has', 'people have')} access.`
  return `More than ${count} people have access; ${everybody.toLocaleString('en')} are known through all connections.`
}

function counted(count: number, one: string, many: string): string {
  return `${count.toLocaleString('en')} ${count === 1 ? one : many}`
}

function TokenItem({ token, now }: Pick<ConnectionProgress, 'token'> & { now: number }) {
  if (!token)
    return (
      <Item wrong title="Token">
        No token counts any more. Ask the operator of the service to renew this link.
      </Item>
    )
  const { hint, createdAt, expiresAt, expiresSoon } = token
  return (
    <Item done wrong={expiresSoon} title={expiresSoon ? 'Token expires soon' : 'Token'}>
      Ends in <code>{hint}</code>, made <Time at={createdAt} />;{' '}
      {expiresAt === null ? (
        'it does not expire.'
      ) : (
        <>
          it expires <Time at={expiresAt} />
          {expiresSoon
            ? `, ${inDays(expiresAt - now)}. Ask the operator of the service to renew this link, make another token on it and enter that one: once this one has expired, nobody gets or loses access.`
            : '.'}
        </>
      )}
    </Item>
  )
}

function inDays(ms: number): string {
  const days = Math.floor(ms / DAY_MS)
  return days === 0 ? 'within a day' : `in ${counted(days, 'day', 'days')}`
}

/** A page that reloads by itself is the reader's choice, and can be ended. */
function Watch({ watching, over }: { watching: boolean; over: boolean }) {
  return (
    <p>
      <a href="?">{watching ? 'Stop watching' : 'Look again'}</a>
      {!watching && !over && (
        <>
          {' · '}
          <a href="?watch">Watch: look again every 10 seconds</a>
        </>
      )}
    </p>
  )
}
