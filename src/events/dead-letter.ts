// What the platform gave up on: D1 could not be asked, attempt after attempt. Its delivery is dead and can be seen.
import type { Service } from '../env'
import { abandonDeliveries } from '../storage/deliveries'
import { TenantDatabase } from '../storage/tenant-database'
import { backoffSeconds, sortCalls } from './consume'
import { persist } from './persist'

/** Whether wrangler.toml means the queue for what was given up: a second deployment has queues of other names. */
export function isDeadLetterQueue(name: string): boolean {
  return name.endsWith('-dead')
}

/** `max_retries` of the events queue in wrangler.toml, and the first one. */
const QUEUE_ATTEMPTS = 21

/** Handles a batch of the dead-letter queue. Jobs are left to the sweep: it continues them. */
export async function buryDeadLetters(batch: MessageBatch, service: Service): Promise<void> {
  const { deliveries } = sortCalls(batch)
  await Promise.all(
    [...deliveries].map(async ([tenantId, calls]) => {
      const keys = calls.map(call => call.pointer)
      const reason = `the queue gave up after ${QUEUE_ATTEMPTS} attempts`
      try {
        const database = new TenantDatabase(service, tenantId)
        await persist(() => database.batch([abandonDeliveries(tenantId, keys, reason)]))
        console.log(JSON.stringify({ log: 'delivery-dead', tenantId, messages: keys.length, error: reason }))
      } catch {
        for (const { message } of calls) message.retry({ delaySeconds: backoffSeconds(message.attempts) })
      }
    }),
  )
}
