// The operator's test of a receiver: one real, signed request, at once. Nothing is stored, nothing is retried.
import type { Service } from '../env'
import { receiverOf, selectReceiver } from '../storage/receivers'
import type { TenantDatabase } from '../storage/tenant-database'
import { deliver } from './deliver'

export interface TestResult {
  readonly delivered: boolean
  /** Null when there was no answer. */
  readonly status: number | null
  readonly latencyMs: number
  readonly error?: string
}

/** Undefined when the tenant has no such receiver. A paused or disabled one is tested as well. */
export async function testReceiver(
  service: Service,
  database: TenantDatabase,
  tenantSlug: string,
  receiverId: string,
): Promise<TestResult | undefined> {
  const { tenantId } = database
  const [found] = await database.batch([selectReceiver(tenantId, receiverId)])
  const receiver = found?.rows[0] && receiverOf(tenantId, found.rows[0])
  if (!receiver) return undefined
  const txn = service.newId()
  const start = service.now()
  const data = { tenant: tenantSlug, receiver: receiverId }
  const event = { id: `evt_${txn}_0`, sequence: 0, type: 'receiver.test', txn, occurredAt: start, data }
  const outcome = await deliver(service, event, receiver)
  const { status } = outcome
  if (outcome.kind === 'delivered') return { delivered: true, status, latencyMs: outcome.at - start }
  return { delivered: false, status, latencyMs: service.now() - start, error: outcome.error }
}
