// What a tenant amounts to, in numbers: people, groups, events, deliveries, and how fast sessions ended.
import type { Service } from '../env'
import { accountTypeOf, groupTypeOf } from '../scim/schema'
import { standardResourceTypes } from '../scim/schemas/resource-types'
import {
  addHistograms,
  type KillTime,
  killTimeOf,
  readHistograms,
  selectKillTimes,
} from '../storage/kill-times'
import {
  type CountedTypes,
  type DeliveryCounts,
  readDeliveryCounts,
  selectCounts,
  selectDeliveryCounts,
  selectEventCount,
  selectReceiverCounts,
} from '../storage/metrics-rows'
import type { Row } from '../storage/tenant-database'
import type { OpenTenant } from './open-tenant'

export interface Metrics {
  readonly users: { readonly active: number; readonly inactive: number }
  readonly groups: number
  readonly events: number
  readonly deliveries: Omit<DeliveryCounts, 'overdue'>
  /** Ends of sessions for which the alarm was raised, and which are not delivered yet. */
  readonly overdue: number
  readonly killTime: KillTime
  readonly receivers: { readonly id: string; readonly kind: string; readonly killTime: KillTime }[]
}

/** The lists that are counted are those of the standard's types. */
export const countedTypes: CountedTypes = {
  account: accountTypeOf(standardResourceTypes),
  group: groupTypeOf(standardResourceTypes),
}

/** One round trip; kill times are those of the last `hours`. */
export async function getMetrics(
  service: Service,
  { database }: OpenTenant,
  hours: number,
): Promise<Metrics> {
  const { tenantId } = database
  const [counts, events, deliveries, receivers, killTimes] = await database.batch([
    selectCounts(tenantId, countedTypes),
    selectEventCount(tenantId),
    selectDeliveryCounts(tenantId),
    selectReceiverCounts(tenantId),
    selectKillTimes(tenantId, hours, service.now()),
  ])
  const count: Row = counts?.rows[0] ?? {}
  const { overdue, ...states } = readDeliveryCounts(deliveries?.rows[0] ?? {})
  const histograms = readHistograms(killTimes?.rows ?? [])
  return {
    users: { active: Number(count.active), inactive: Number(count.inactive) },
    groups: Number(count.groups),
    events: Number(events?.rows[0]?.events),
    deliveries: states,
    overdue,
    killTime: killTimeOf(addHistograms(histograms.values())),
    receivers: (receivers?.rows ?? []).map(({ id, kind }) => ({
      id: String(id),
      kind: String(kind),
      killTime: killTimeOf(histograms.get(String(id)) ?? new Map()),
    })),
  }
}
