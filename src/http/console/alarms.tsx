// What cannot wait: ends of sessions that a receiver has not taken in time, and breakers that have tripped.
import type { TenantOverview } from '../../administration/overview'
import { at } from './context'

export function Alarms({ overviews }: { overviews: readonly TenantOverview[] }) {
  const alarmed = overviews.filter(({ overdue, tripped }) => overdue > 0 || tripped)
  if (alarmed.length === 0) return null
  return (
    <section class="notice bad" aria-label="Alarms">
      <strong>To be looked at now</strong>
      <ul>
        {alarmed.map(overview => (
          <>
            {overview.overdue > 0 && <Overdue {...overview} />}
            {overview.tripped && <Tripped {...overview} />}
          </>
        ))}
      </ul>
    </section>
  )
}

function Overdue({ tenant: { slug, name }, overdue }: TenantOverview) {
  return (
    <li>
      {name}:{' '}
      <a href={at(slug, 'receivers')}>
        {overdue === 1
          ? 'one end of sessions was not taken in time'
          : `${overdue.toLocaleString('en')} ends of sessions were not taken in time`}
      </a>
    </li>
  )
}

function Tripped({ tenant: { slug, name } }: TenantOverview) {
  return (
    <li>
      {name}: <a href={at(slug, 'breaker')}>the breaker has tripped; decide about those who are held</a>
    </li>
  )
}
