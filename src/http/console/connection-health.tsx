// How a connection is: in words, and what its last requests came to.
import type { ConnectionHealth, Health } from '../../administration/overview'
import { Badge, type Tone } from '../pages/badge'
import { Moment } from '../pages/moment'
import { at } from './context'

/** State, last request, refused or failed: the cells of a table of connections. */
export function HealthCells({ connection, slug }: { connection: ConnectionHealth; slug: string }) {
  return (
    <>
      <td>
        <span class="row">
          <Badges connection={connection} />
        </span>
      </td>
      <td>
        <Moment at={connection.lastRequestAt} never="never" />
      </td>
      <td>
        <FailedRequests connection={connection} slug={slug} />
      </td>
    </>
  )
}

export function FailedRequests({ connection, slug }: { connection: ConnectionHealth; slug: string }) {
  const { failed, requests, id } = connection
  if (requests === 0) return <span class="muted">—</span>
  return (
    <a href={`${at(slug, 'activity')}?connectionId=${id}`}>
      {failed} of the last {requests}
    </a>
  )
}

const words: Readonly<Record<Health, readonly [text: string, tone: Tone]>> = {
  working: ['working', 'ok'],
  failing: ['failing', 'bad'],
  silent: ['silent', 'warn'],
  'never-called': ['never called', 'quiet'],
  'no-token': ['no token', 'bad'],
  disabled: ['disabled', 'quiet'],
  deleting: ['deleting', 'bad'],
}

export function HealthBadge({ health }: { health: Health }) {
  const [state, tone] = words[health]
  return <Badge state={state} tone={tone} />
}

export function Badges({ connection: { health, tokenEndsAt } }: { connection: ConnectionHealth }) {
  return (
    <>
      <HealthBadge health={health} />
      {tokenEndsAt !== null && <Badge state={`token ends ${tokenEndsAt.slice(0, 10)}`} tone="warn" />}
    </>
  )
}
