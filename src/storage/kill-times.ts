// Kill times as histograms: from the commit of an event that ends sessions to the receiver's first acceptance.
//
// A bucket is the power of 1.2 that a time's milliseconds do not exceed; a percentile is read at the bucket's middle
// (of its logarithm), so it is at most 10 % from the true one, of however many. A trigger on `deliveries` counts, in
// the transaction that writes the receipt down; the rows of an hour are as many as it had receivers and buckets.
import { type SQL, sql } from 'drizzle-orm'
import type { Row } from './tenant-database'

const BASE = 1.2
const HOUR_MS = 3_600_000

export interface KillTime {
  readonly count: number
  /** Null where there is nothing to tell. */
  readonly p50Ms: number | null
  readonly p95Ms: number | null
  readonly p99Ms: number | null
}

/** How often each bucket was met. */
export type Histogram = ReadonlyMap<number, number>

/**
 * The buckets of a tenant's receivers in the last `hours`, begun ones included, added up: rows for `readHistograms`,
 * with the receiver's `kind` (null: it is deleted).
 */
export function selectKillTimes(tenantId: string, hours: number, now: number): SQL {
  return sql`SELECT k.receiver_id AS receiver_id, r.kind AS kind, k.bucket AS bucket, sum(k.count) AS count
    FROM kill_times k LEFT JOIN receivers r ON r.tenant_id = k.tenant_id AND r.id = k.receiver_id
    WHERE k.tenant_id = ${tenantId} AND k.hour >= ${Math.floor(now / HOUR_MS) - hours}
    GROUP BY k.receiver_id, k.bucket`
}

/** The same by the hour (hours since 1970) and of all receivers together: rows for `readHours`. */
export function selectKillTimesByHour(tenantId: string, hours: number, now: number): SQL {
  return sql`SELECT hour, bucket, sum(count) AS count FROM kill_times
    WHERE tenant_id = ${tenantId} AND hour > ${Math.floor(now / HOUR_MS) - hours}
    GROUP BY hour, bucket`
}

/** One for each of the last `hours`, the oldest first and the running one last. */
export function readHours(rows: readonly Row[], hours: number, now: number): Histogram[] {
  const last = Math.floor(now / HOUR_MS)
  const histograms = Array.from({ length: hours }, () => new Map<number, number>())
  for (const row of rows)
    histograms[hours - 1 - last + Number(row.hour)]?.set(Number(row.bucket), Number(row.count))
  return histograms
}

/** By receiver. */
export function readHistograms(rows: readonly Row[]): ReadonlyMap<string, Histogram> {
  const histograms = new Map<string, Map<number, number>>()
  for (const row of rows) {
    const receiverId = String(row.receiver_id)
    const histogram = histograms.get(receiverId) ?? new Map<number, number>()
    histograms.set(receiverId, histogram.set(Number(row.bucket), Number(row.count)))
  }
  return histograms
}

export function addHistograms(histograms: Iterable<Histogram>): Histogram {
  const sum = new Map<number, number>()
  for (const histogram of histograms)
    for (const [bucket, count] of histogram) sum.set(bucket, (sum.get(bucket) ?? 0) + count)
  return sum
}

export function killTimeOf(histogram: Histogram): KillTime {
  const buckets = [...histogram].sort(([a], [b]) => a - b)
  const count = buckets.reduce((sum, [, n]) => sum + n, 0)
  const at = (quantile: number) => (count === 0 ? null : percentile(buckets, Math.ceil(quantile * count)))
  return { count, p50Ms: at(0.5), p95Ms: at(0.95), p99Ms: at(0.99) }
}

/** The time that so many do not exceed (`rank`, counted from 1). */
function percentile(buckets: readonly (readonly [bucket: number, count: number])[], rank: number): number {
  let before = 0
  const found = buckets.find(([, count]) => {
    before += count
    return before >= rank
  })
  return Math.round(BASE ** ((found?.[0] ?? 0) - 0.5))
}
