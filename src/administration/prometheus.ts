// The metrics of all tenants in the Prometheus text format 0.0.4, made page by page of the directory.
//
// The format wants all samples of a metric together, so the directory is gone through once for each, and only what a
// page of tenants says of one metric is ever held.
import type { Service } from '../env'
import { bindingOf } from '../storage/databases'
import { killTimeOf, readHistograms, selectKillTimes } from '../storage/kill-times'
import {
  deliveryStates,
  readDeliveryCounts,
  selectCounts,
  selectEventCount,
  selectReceiverCounts,
} from '../storage/metrics-rows'
import { askEach, type Row, type Statement } from '../storage/tenant-database'
import { type DirectoryEntry, pageOfDirectory } from '../storage/tenant-directory'
import { selectExpiries } from '../storage/token-rows'
import { countedTypes } from './metrics'

export const PROMETHEUS_TEXT = 'text/plain; version=0.0.4'

/** Tenants of one round trip. */
const PAGE = 100
/** Kill times of so long: what came before, a scraper has kept. */
const HOURS = 24

interface Sample {
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

interface Metric {
  readonly name: string
  readonly help: string
  readonly type: 'gauge' | 'counter'
  /** What is asked of each tenant. */
  readonly select: (tenantId: string, now: number) => Statement
  /** What its rows say; the tenant's label is added. */
  readonly samples: (rows: readonly Row[]) => readonly Sample[]
}

const metrics: readonly Metric[] = [
  {
    name: 'edge_scim_users',
    help: 'Users who have access, and who have none.',
    type: 'gauge',
    select: tenantId => selectCounts(tenantId, countedTypes),
    samples: ([row]) =>
      ['active', 'inactive'].map(state => ({ labels: { state }, value: Number(row?.[state]) })),
  },
  {
    name: 'edge_scim_groups',
    help: 'Groups.',
    type: 'gauge',
    select: tenantId => selectCounts(tenantId, countedTypes),
    samples: ([row]) => [{ labels: {}, value: Number(row?.groups) }],
  },
  {
    name: 'edge_scim_events_total',
    help: 'Events since the tenant was created.',
    type: 'counter',
    select: selectEventCount,
    samples: ([row]) => [{ labels: {}, value: Number(row?.events) }],
  },
  {
    name: 'edge_scim_deliveries',
    help: 'Deliveries by their present state.',
    type: 'gauge',
    select: selectReceiverCounts,
    samples: rows =>
      rows.flatMap(row => {
        const counts = readDeliveryCounts(row)
        return deliveryStates.map(state => ({ labels: { ...receiverOf(row), state }, value: counts[state] }))
      }),
  },
  {
    name: 'edge_scim_deliveries_overdue',
    help: 'Ends of sessions that an active receiver has not taken in time, after the alarm was raised.',
    type: 'gauge',
    select: selectReceiverCounts,
    samples: rows => rows.map(row => ({ labels: receiverOf(row), value: readDeliveryCounts(row).overdue })),
  },
  {
    name: 'edge_scim_receiver_left_alone',
    help: '1 while a receiver that failed again and again is only tried from time to time.',
    type: 'gauge',
    select: selectReceiverCounts,
    samples: rows => rows.map(row => ({ labels: receiverOf(row), value: Number(row.left_alone) })),
  },
  {
    name: 'edge_scim_kill_time_seconds',
    help: `From the commit of an end of sessions to the receiver's acceptance, last ${HOURS} hours, within 10 percent.`,
    type: 'gauge',
    select: (tenantId, now) => selectKillTimes(tenantId, HOURS, now),
    samples: rows =>
      killTimesOf(rows).flatMap(({ labels, killTime: { p50Ms, p95Ms, p99Ms } }) =>
        Object.entries({ '0.5': p50Ms, '0.95': p95Ms, '0.99': p99Ms }).map(([quantile, ms]) => ({
          labels: { ...labels, quantile },
          value: Number(ms) / 1000,
        })),
      ),
  },
  {
    name: 'edge_scim_kill_time_measured',
    help: `Acceptances that edge_scim_kill_time_seconds is made of, last ${HOURS} hours.`,
    type: 'gauge',
    select: (tenantId, now) => selectKillTimes(tenantId, HOURS, now),
    samples: rows => killTimesOf(rows).map(({ labels, killTime }) => ({ labels, value: killTime.count })),
  },
  {
    name: 'edge_scim_token_expiry_timestamp_seconds',
    help: 'When the token expires that an active connection uses, Unix time; without a sample it does not.',
    type: 'gauge',
    select: selectExpiries,
    samples: rows =>
      rows.map(({ connection, expires_at }) => ({
        labels: { connection: String(connection) },
        value: Number(expires_at) / 1000,
      })),
  },
]

const databaseUp = {
  name: 'edge_scim_database_up',
  help: 'Whether the D1 database could be asked: if not, its tenants are in none of the metrics.',
  type: 'gauge',
} as const

/** By database that could not be asked: what it said. */
type Unasked = Map<string, string>

/**
 * The whole text. A tenant that comes or goes meanwhile is in some of the metrics; those of a database that cannot be
 * asked are in none, and the last metric says so: the others are watched all the same.
 */
export async function* prometheusText(service: Service): AsyncGenerator<string> {
  const unasked: Unasked = new Map()
  for (const metric of metrics) {
    yield headOf(metric)
    yield* samplesOf(service, metric, unasked)
  }
  yield headOf(databaseUp)
  for (const database of new Set([...service.tenantDatabases, ...unasked.keys()]))
    yield sampleLine(databaseUp.name, { database }, unasked.has(database) ? 0 : 1)
  for (const [database, error] of unasked)
    console.error(JSON.stringify({ log: 'metrics-incomplete', database, error }))
}

function headOf({ name, help, type }: Pick<Metric, 'name' | 'help' | 'type'>): string {
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`
}

/** A chunk for each page of tenants. */
async function* samplesOf(service: Service, metric: Metric, unasked: Unasked): AsyncGenerator<string> {
  for (let after: string | undefined = ''; after !== undefined; ) {
    const tenants = await pageOfDirectory(service.d1, after, PAGE)
    const homes = Map.groupBy(tenants, ({ tenantId }) => bindingOf(tenantId))
    const texts = [...homes].map(([database, there]) =>
      linesOf(service, metric, there).catch((error: unknown) => {
        unasked.set(database, String(error))
        return ''
      }),
    )
    const text = (await Promise.all(texts)).join('')
    if (text !== '') yield text
    after = tenants.length < PAGE ? undefined : tenants.at(-1)?.slug
  }
}

async function linesOf(
  service: Service,
  { name, select, samples }: Metric,
  tenants: readonly DirectoryEntry[],
): Promise<string> {
  const ids = tenants.map(({ tenantId }) => tenantId)
  const answers = await askEach(service, ids, tenantId => select(tenantId, service.now()))
  const lines = tenants.flatMap(({ slug }, i) =>
    samples(answers[i] ?? []).map(({ labels, value }) =>
      sampleLine(name, { tenant: slug, ...labels }, value),
    ),
  )
  return lines.join('')
}

export function sampleLine(name: string, labels: Readonly<Record<string, string>>, value: number): string {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escapeLabel(text)}"`)
  return `${name}{${pairs.join(',')}} ${value}\n`
}

function escapeLabel(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
}

function receiverOf({ id, kind }: Row): { receiver: string; kind: string } {
  return { receiver: String(id), kind: String(kind) }
}

/** Of the receivers that there still are. */
function killTimesOf(rows: readonly Row[]) {
  const kinds = new Map(rows.map(({ receiver_id, kind }) => [String(receiver_id), kind]))
  return [...readHistograms(rows)].flatMap(([receiver, histogram]) => {
    const kind = kinds.get(receiver)
    return typeof kind === 'string' ? [{ labels: { receiver, kind }, killTime: killTimeOf(histogram) }] : []
  })
}
