// What metrics count: rows that say how many there are, so that nothing is counted when somebody asks.
import { type SQL, sql } from 'drizzle-orm'
import type { ResourceType } from '../scim/schema'
import type { Row } from './tenant-database'

/** Which types' lists are counted: the one with access, and the one with members. */
export interface CountedTypes {
  readonly account: ResourceType
  readonly group: ResourceType
}

/** One row: `active` and `inactive` accounts, `groups`. */
export function selectCounts(tenantId: string, { account, group }: CountedTypes): SQL {
  const sum = (type: ResourceType, column: SQL) =>
    sql`coalesce(sum(${column}) FILTER (WHERE type = ${type.name}), 0)`
  return sql`SELECT ${sum(account, sql`active`)} AS active, ${sum(account, sql`live - active`)} AS inactive,
      ${sum(group, sql`live`)} AS groups
    FROM totals WHERE tenant_id = ${tenantId}`
}

/** One row, `events`: how many there ever were. */
export function selectEventCount(tenantId: string): SQL {
  return sql`SELECT coalesce(max(sequence), 0) AS events FROM events WHERE tenant_id = ${tenantId}`
}

export const deliveryStates = ['pending', 'retrying', 'delivered', 'dead'] as const

/** Deliveries by state, and how many receivers that are told something have not taken in time: `overdue`. */
export type DeliveryCounts = Readonly<Record<(typeof deliveryStates)[number] | 'overdue', number>>

/** One row, `readDeliveryCounts`; also those of receivers that are deleted. */
export function selectDeliveryCounts(tenantId: string): SQL {
  return sql`SELECT sum(t.pending) AS pending, sum(t.retrying) AS retrying, sum(t.delivered) AS delivered,
      sum(t.dead) AS dead, sum(t.overdue) FILTER (WHERE r.status = 'active') AS overdue
    FROM delivery_totals t LEFT JOIN receivers r ON r.tenant_id = t.tenant_id AND r.id = t.receiver_id
    WHERE t.tenant_id = ${tenantId}`
}

/** In order of creation: `id`, `kind`, `left_alone` (1: its circuit is open), and `readDeliveryCounts`. */
export function selectReceiverCounts(tenantId: string): SQL {
  return sql`SELECT r.id AS id, r.kind AS kind, r.open_until IS NOT NULL AS left_alone, t.pending AS pending,
      t.retrying AS retrying, t.delivered AS delivered, t.dead AS dead, iif(r.status = 'active', t.overdue, 0) AS overdue
    FROM receivers r LEFT JOIN delivery_totals t ON t.tenant_id = r.tenant_id AND t.receiver_id = r.id
    WHERE r.tenant_id = ${tenantId} ORDER BY r.id`
}

export function readDeliveryCounts(row: Row): DeliveryCounts {
  const { pending, retrying, delivered, dead, overdue } = row
  return {
    pending: Number(pending),
    retrying: Number(retrying),
    delivered: Number(delivered),
    dead: Number(dead),
    overdue: Number(overdue),
  }
}
