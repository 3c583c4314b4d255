// The first page: how the tenants are, worst news first to see.
import {
  type ConnectionHealth,
  type KillTimes,
  killTimesOf,
  listOverviews,
  MOST_COUNTED,
  type TenantOverview,
} from '../../administration/overview'
import { Badge } from '../pages/badge'
import { Empty } from '../pages/empty'
import { Pager } from '../pages/pager'
import { Table, TableRow } from '../pages/table'
import { Alarms } from './alarms'
import { HealthBadge, HealthCells } from './connection-health'
import { at, CONSOLE, type ConsoleContext, pageOf } from './context'
import { inWords, KillTimeChart } from './kill-times'
import { show } from './layout'

/** Tenants of one page: each is a round trip. */
const TENANTS = 10

export async function overview(c: ConsoleContext): Promise<Response> {
  const { items, nextCursor } = await listOverviews(c.var.service, pageOf(c, TENANTS))
  const troubled = items.flatMap(({ tenant, connections }) =>
    connections.filter(isTroubled).map(connection => ({ slug: tenant.slug, connection })),
  )
  const isAll = nextCursor === undefined && c.req.query('cursor') === undefined
  const killTimes = killTimesOf(items)
  return show(c, {
    title: 'Overview',
    section: '',
    actions: (
      <a class="button primary" href={`${CONSOLE}/new-tenant`}>
        New tenant
      </a>
    ),
    body:
      items.length === 0 ? (
        <div class="card">
          <NoTenants />
        </div>
      ) : (
        <>
          <Alarms overviews={items} />
          <Figures overviews={items} killTimes={killTimes} isAll={isAll} />
          <KillTimeChart times={killTimes} />
          {troubled.length > 0 && <Troubled troubled={troubled} />}
          <section class="card flush">
            <header>
              <h2>Tenants</h2>
            </header>
            <Table
              columns={[
                'Tenant',
                'State',
                { number: 'Users' },
                { number: 'Groups' },
                { number: 'Leavers today' },
                { number: 'Undelivered' },
                { number: 'Dead letters' },
                'Connections',
              ]}
            >
              {items.map(one => (
                <Row {...one} />
              ))}
            </Table>
          </section>
          <Pager path={CONSOLE} nextCursor={nextCursor} cursor={c.req.query('cursor')} />
        </>
      ),
  })
}

export function NoTenants() {
  return (
    <Empty title="No tenants yet">
      <p>
        A tenant is one customer: its people, its identity providers, and the receivers of your application.
      </p>
      <a class="button primary" href={`${CONSOLE}/new-tenant`}>
        Make the first one
      </a>
    </Empty>
  )
}

interface FiguresProps {
  overviews: readonly TenantOverview[]
  killTimes: KillTimes
  isAll: boolean
}

function Figures({ overviews, killTimes, isAll }: FiguresProps) {
  const sum = (of: (one: TenantOverview) => number) => overviews.reduce((total, one) => total + of(one), 0)
  const connections = overviews.flatMap(one => one.connections)
  const isMore = overviews.some(({ leaversToday }) => leaversToday >= MOST_COUNTED)
  const [undelivered, dead] = [sum(one => one.undelivered), sum(one => one.dead)]
  const troubled = connections.filter(isTroubled).length
  return (
    <section class="stack tight" aria-label="Figures">
      <dl class="figures">
        <Figure name="Users" value={sum(one => one.users).toLocaleString('en')} />
        <Figure
          name="Leavers today"
          value={`${sum(one => one.leaversToday).toLocaleString('en')}${isMore ? '+' : ''}`}
        />
        <Figure name="Kill time, p95" value={inWords(killTimes.whole.p95Ms)} />
        <Figure
          name="Undelivered"
          value={undelivered.toLocaleString('en')}
          tone={undelivered > 0 ? 'warn' : ''}
        />
        <Figure name="Dead letters" value={dead.toLocaleString('en')} tone={dead > 0 ? 'bad' : ''} />
        <Figure name="Connections to look at" value={String(troubled)} tone={troubled > 0 ? 'warn' : ''} />
      </dl>
      {!isAll && <p class="small muted">Of the tenants on this page. Days are in UTC.</p>}
    </section>
  )
}

export function Figure({
  name,
  value,
  tone = '',
  href,
}: {
  name: string
  value: string
  tone?: string
  href?: string
}) {
  return (
    <div class={`figure ${tone}`.trim()}>
      <dt>{name}</dt>
      <dd>{href === undefined ? value : <a href={href}>{value}</a>}</dd>
    </div>
  )
}

/** `100+` where counting went no further. */
export function upTo(value: number): string {
  return value >= MOST_COUNTED ? `${MOST_COUNTED}+` : String(value)
}

function Troubled({ troubled }: { troubled: readonly { slug: string; connection: ConnectionHealth }[] }) {
  return (
    <section class="card flush">
      <header>
        <h2>Connections to look at</h2>
      </header>
      <Table columns={['Connection', 'Tenant', 'State', 'Last request', 'Refused or failed']}>
        {troubled.map(({ slug, connection }) => (
          <TableRow>
            <th scope="row">
              <a href={at(slug, 'connections', connection.id)}>{connection.name}</a>
            </th>
            <td>
              <a href={at(slug)}>{slug}</a>
            </td>
            <HealthCells connection={connection} slug={slug} />
          </TableRow>
        ))}
      </Table>
    </section>
  )
}

function isTroubled({ health, tokenEndsAt }: ConnectionHealth): boolean {
  return tokenEndsAt !== null || ['silent', 'failing', 'no-token'].includes(health)
}

function Row({ tenant, users, groups, leaversToday, undelivered, dead, connections }: TenantOverview) {
  const { slug, name, status } = tenant
  return (
    <TableRow>
      <th scope="row">
        <a href={at(slug)}>{name}</a>
        <div class="small muted">{slug}</div>
      </th>
      <td>
        <Badge state={status} />
      </td>
      <td class="number">{users.toLocaleString('en')}</td>
      <td class="number">{groups.toLocaleString('en')}</td>
      <td class="number">{upTo(leaversToday)}</td>
      <td class="number">{undelivered.toLocaleString('en')}</td>
      <td class="number">
        {dead === 0 ? 0 : <a href={`${at(slug, 'deliveries')}?state=dead`}>{dead.toLocaleString('en')}</a>}
      </td>
      <td>
        {connections.length === 0 ? (
          <span class="muted">none</span>
        ) : (
          <span class="row">
            {connections.slice(0, 4).map(({ health }) => (
              <HealthBadge health={health} />
            ))}
            {connections.length > 4 && (
              <span class="small muted">{`and ${connections.length - 4} more`}</span>
            )}
          </span>
        )}
      </td>
    </TableRow>
  )
}
