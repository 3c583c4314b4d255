// Wake-up calls: pointers into the Queue. D1 already holds the truth, so a refused one is late, never lost.
import type { Service } from '../env'
import type { DeliveryPointer, Message, WorkPointer } from './message'
import { persist } from './persist'

/** The platform's limit for one call. */
const BATCH = 100
/** Calls of one invocation: its other work needs some of the 50 it may have. The sweep publishes the rest. */
const MAX_CALLS = 20

type Publisher = Pick<Service, 'queue'>

/** After the commit, in `waitUntil`. Never throws: what the queue refuses is found by the sweep. */
export async function publish(
  service: Publisher,
  pointers: readonly (DeliveryPointer | WorkPointer)[],
): Promise<void> {
  await send(
    service,
    pointers.map(body => ({ body })),
  )
}

export interface LaterCall {
  readonly pointer: DeliveryPointer
  readonly delaySeconds: number
}

/** The same for attempts that are not due yet. */
export async function publishLater(service: Publisher, calls: readonly LaterCall[]): Promise<void> {
  await send(
    service,
    calls.map(({ pointer, delaySeconds }) => ({ body: pointer, delaySeconds })),
  )
}

async function send({ queue }: Publisher, requests: readonly MessageSendRequest<Message>[]): Promise<void> {
  const reachable = Math.min(requests.length, BATCH * MAX_CALLS)
  for (let at = 0; at < reachable; at += BATCH) {
    try {
      await persist(() => queue.sendBatch(requests.slice(at, Math.min(at + BATCH, reachable))))
    } catch {
      console.log(JSON.stringify({ log: 'queue-refused', messages: requests.length - at }))
      return
    }
  }
  if (reachable < requests.length)
    console.log(JSON.stringify({ log: 'left-to-sweep', messages: requests.length - reachable }))
}
