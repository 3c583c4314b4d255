// The operator's test of a receiver: one real, signed request, at once. Nothing is retried, and nothing is stored but
// for a receiver that has to fetch it.
import type { Service } from '../env'
import { receiverOf, selectReceiver } from '../storage/receivers'
import type { TenantDatabase } from '../storage/tenant-database'
import { deliver } from './deliver'
import { receiverKind } from './receiver-kinds'
import { testEvent, verifyStream } from './stream'

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
  if (receiverKind(receiver.kind)?.isPolled) {
    await verifyStream(service, { slug: tenantSlug, database, receiver, isPolled: true }, null)
    return { delivered: false, status: null, latencyMs: 0, error: WAITS }
  }
  const event = testEvent(service, tenantSlug, receiverId)
  const outcome = await deliver(service, event, receiver)
  const { status } = outcome
  if (outcome.kind === 'delivered')
    return { delivered: true, status, latencyMs: outcome.at - event.occurredAt }
  return { delivered: false, status, latencyMs: service.now() - event.occurredAt, error: outcome.error }
}

const WAITS = 'a signed verification event waits for its next poll: whether it comes is the test'
