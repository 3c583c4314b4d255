// The alarm: an end of sessions that a receiver has not taken after some minutes becomes an event of its own.
import type { Service } from '../env'
import { type Database, type Databases, inEachDatabase } from '../storage/databases'
import { type DeliveryKey, deliveryKeys } from '../storage/deliveries'
import { raiseAlarms } from '../storage/overdue-deliveries'
import { findOverdue, SWEEP_ROWS } from '../storage/sweep'
import { TenantDatabase } from '../storage/tenant-database'
import { publish } from './publish'

const MINUTE_MS = 60_000
/** One run stops here; the next one goes on. */
const MAX_ROUNDS = 10

type Alarm = Databases & Pick<Service, 'queue' | 'now' | 'newId' | 'alarmMinutes'>

/**
 * Raises what is overdue, the longest wait first; returns how many. A tenant's events, their deliveries and the end of
 * its watch are one batch, so runs that overlap, or end in the middle, raise each once.
 */
export async function alarm(service: Alarm): Promise<number> {
  if (service.alarmMinutes === 0) return 0
  const before = service.now() - service.alarmMinutes * MINUTE_MS
  let raised = 0
  await inEachDatabase(service, async d1 => {
    raised += await alarmDatabase(service, d1, before)
  })
  return raised
}

async function alarmDatabase(service: Alarm, d1: Database, before: number): Promise<number> {
  let raised = 0
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const found = await findOverdue(d1, before)
    const tenants = Map.groupBy(found, key => key.tenantId)
    const counts: (number | undefined)[] = []
    for (const [tenantId, keys] of tenants) counts.push(await alarmTenant(service, tenantId, keys, before))
    for (const count of counts) raised += count ?? 0
    if (found.length < SWEEP_ROWS || counts.includes(undefined)) break
  }
  return raised
}

/** Undefined when D1 would not take it: the next run tries again, and the other tenants need not wait for that. */
async function alarmTenant(
  service: Alarm,
  tenantId: string,
  keys: readonly DeliveryKey[],
  before: number,
): Promise<number | undefined> {
  const occasion = { tenantId, connectionId: null, txn: service.newId(), now: service.now() }
  const steps = raiseAlarms(occasion, keys, before)
  const done = await new TenantDatabase(service, tenantId).steps(steps).catch((error: unknown) => {
    console.log(JSON.stringify({ log: 'alarm-failed', tenantId, error: String(error) }))
  })
  if (!done) return undefined
  const overdue = done.raised[0]?.rows.filter(row => row.overdue === 1) ?? []
  for (const { sequence, receiver_id: receiverId } of overdue)
    console.log(JSON.stringify({ log: 'delivery-overdue', tenantId, sequence, receiverId }))
  await publish(service, deliveryKeys(tenantId, done.deliveries[0]?.rows ?? []))
  return overdue.length
}
