// The queue's batches: claim what they point to, send it, write down what came of it.
//
// D1 decides what is sent, a message only wakes somebody up: two messages for one delivery send it once, and a
// message that is acknowledged too soon, or lost, is made up for by the sweep. So nothing here throws, and a batch is
// acknowledged before all of it is done.
import type { Service } from '../env'
import {
  type Attempt,
  abandonDeliveries,
  type Claim,
  claimDeliveries,
  deliveryKeys,
  type Result,
  recordResult,
} from '../storage/deliveries'
import { closeCircuit, countFailure } from '../storage/receiver-circuit'
import type { StoredReceiver } from '../storage/receivers'
import { type Row, type Statement, TenantDatabase } from '../storage/tenant-database'
import { deliver, type Outcome } from './deliver'
import { Lanes } from './lanes'
import { type DeliveryPointer, messageSchema, type WorkPointer } from './message'
import { overtakenInWords } from './overtaken'
import { persist } from './persist'
import { type LaterCall, publish, publishLater } from './publish'
import {
  DEFAULT_TIMEOUT_SECONDS,
  delaySeconds,
  MAX_TIMEOUT_SECONDS,
  nextAttemptAt,
  type RetryPolicy,
  retryPolicy,
} from './schedule'

export interface Call<Pointer> {
  readonly message: Message
  readonly pointer: Pointer
}

type Background = Pick<ExecutionContext, 'waitUntil'>
type Claimed = Extract<Claim, { kind: 'claimed' }>

/** What belongs to the deliveries of one tenant in one batch. */
interface Round {
  readonly service: Service
  readonly database: TenantDatabase
  readonly lanes: Lanes
  readonly calls: readonly Call<DeliveryPointer>[]
}

interface Finished {
  readonly attempt: Attempt
  readonly result: Result
  /** What the attempt says of the receiver; `left`: it was not called. */
  readonly receiver: 'answered' | 'failed' | 'left'
  readonly isProbe: boolean
}

/**
 * Once it is claimed a batch is waited for this long, and then goes on in the background. Where one consumer runs at a
 * time, as it does locally, this is what slow receivers, and D1 when it takes the results, can cost the others.
 */
const PACE_MS = 25
/** D1 is asked again after 5, 10, 20 … seconds, at most this many. */
const MAX_BACKOFF_SECONDS = 600

const LEASE = { defaultTimeoutSeconds: DEFAULT_TIMEOUT_SECONDS, maxTimeoutSeconds: MAX_TIMEOUT_SECONDS }

/** So long a delivery waits for its turn, within its lease; then it takes the next attempt of its schedule. */
const MAX_WAIT_MS = 3_000
const WAITED = 'not sent: earlier deliveries, for which no answer came, took all the time'
/** Results that are there within this time are written down together, each later one by itself. */
const TOGETHER_MS = 200

/** Handles a batch of the events queue. */
export async function consume(
  batch: MessageBatch,
  service: Service,
  ctx: Background,
  continueWork: (pointer: WorkPointer) => Promise<void>,
): Promise<void> {
  const { deliveries, work } = sortCalls(batch)
  const lanes = new Lanes()
  const rounds = [...deliveries].map(([tenantId, calls]) => {
    return { service, lanes, database: new TenantDatabase(service, tenantId), calls }
  })
  const works = work.map(call => workRound(call, continueWork))
  const claims = await Promise.all(rounds.map(claim))
  const all = [...works, ...rounds.map((round, i) => deliverRound(round, claims[i] ?? []))]
  ctx.waitUntil(Promise.allSettled(all))
  await waitAtMost(PACE_MS, all)
}

/** The messages by what they point to, deliveries by tenant. What is no pointer will never be one: it is dropped. */
export function sortCalls(batch: MessageBatch): {
  readonly deliveries: ReadonlyMap<string, readonly Call<DeliveryPointer>[]>
  readonly work: readonly Call<WorkPointer>[]
} {
  const deliveries = new Map<string, Call<DeliveryPointer>[]>()
  const work: Call<WorkPointer>[] = []
  for (const message of batch.messages) {
    const pointer = messageSchema.safeParse(message.body).data
    if (!pointer) log('no-pointer', { queue: batch.queue, message: message.id })
    else if ('jobId' in pointer || 'profile' in pointer) work.push({ message, pointer })
    else deliveries.set(pointer.tenantId, [...(deliveries.get(pointer.tenantId) ?? []), { message, pointer }])
  }
  return { deliveries, work }
}

/** How long the queue keeps a message that D1 could not be asked about. */
export function backoffSeconds(attempts: number): number {
  return Math.min(5 * 2 ** Math.max(attempts - 1, 0), MAX_BACKOFF_SECONDS)
}

async function deliverRound(round: Round, claims: readonly Claim[]): Promise<void> {
  const claimed: Claimed[] = []
  const orphans: DeliveryPointer[] = []
  const unfetched: DeliveryPointer[] = []
  const later: LaterCall[] = []
  for (const claim of claims) {
    if (claim.kind === 'claimed') claimed.push(claim)
    else if (claim.kind === 'orphan') orphans.push(claim.key)
    else if (claim.kind === 'unfetched') unfetched.push(claim.key)
    else later.push(laterCall(claim, round.service.now()))
  }
  await Promise.all([
    // Not sent back: the queue would count it as a failure, and one day give up.
    publishLater(round.service, later),
    sendAll(round, claimed),
    bury(round, orphans, 'its receiver or its event no longer exists'),
    bury(round, unfetched, 'its receiver did not fetch it within a week'),
  ])
}

async function claim({ service, database, calls }: Round): Promise<readonly Claim[]> {
  const keys = calls.map(call => call.pointer)
  try {
    return await persist(() => claimDeliveries(database, keys, service.now(), LEASE))
  } catch (error) {
    log('claim-failed', { tenantId: database.tenantId, error: String(error) })
    for (const { message } of calls) message.retry({ delaySeconds: backoffSeconds(message.attempts) })
    return []
  }
}

async function sendAll(round: Round, claimed: readonly Claimed[]): Promise<void> {
  const early: Finished[] = []
  let waiting = true
  const attempts = claimed.map(async claim => {
    const finished = await attempt(round, claim)
    if (waiting) early.push(finished)
    else await settle(round, [finished])
  })
  await waitAtMost(TOGETHER_MS, attempts)
  waiting = false
  await settle(round, early)
  await Promise.all(attempts)
}

function laterCall(
  { key, nextAttemptAt }: Extract<Claim, { kind: 'held' | 'early' }>,
  now: number,
): LaterCall {
  return { pointer: key, delaySeconds: delaySeconds(nextAttemptAt, now) }
}

async function attempt({ service, lanes }: Round, claimed: Claimed): Promise<Finished> {
  const { attempt, event, receiver, isProbe, lostAgainBy } = claimed
  if (lostAgainBy !== undefined) {
    const result: Result = { kind: 'dead', status: null, error: overtakenInWords(lostAgainBy) }
    return { attempt, result, receiver: 'left', isProbe }
  }
  const start = service.now()
  const left =
    receiver.openUntil === null || isProbe ? undefined : unsent(claimed, leftAlone(receiver), start)
  if (left) return left
  await lanes.enter(receiver.id)
  try {
    const late = service.now() - start > MAX_WAIT_MS ? unsent(claimed, WAITED, start) : undefined
    if (late) return late
    const outcome = await deliver(service, event, receiver, attempt.answered)
    const result = resultOf(outcome, attempt, retryPolicy(receiver.retry), service.now())
    return { attempt, result, receiver: saysOf(outcome), isProbe }
  } finally {
    lanes.leave(receiver.id)
  }
}

/**
 * An attempt that is passed over takes its place in the schedule as a failed one would. Undefined for the last of a
 * schedule, which is made all the same: nothing is dead that nobody has tried.
 */
function unsent({ attempt, receiver, isProbe }: Claimed, error: string, now: number): Finished | undefined {
  const outcome: Outcome = { kind: 'failed', status: null, error, retryAfterMs: 0, answered: 0 }
  const result = resultOf(outcome, attempt, retryPolicy(receiver.retry), now)
  return result.kind === 'retrying' ? { attempt, result, receiver: 'left', isProbe } : undefined
}

/** Why nothing is sent in the pause of a receiver that failed again and again. */
function leftAlone({ failures }: StoredReceiver): string {
  return `not sent: the receiver has failed ${failures} times in a row or more, and is tried again from time to time`
}

function saysOf({ kind }: Outcome): Finished['receiver'] {
  if (kind === 'delivered') return 'answered'
  return kind === 'failed' ? 'failed' : 'left'
}

function resultOf(outcome: Outcome, attempt: Attempt, policy: RetryPolicy, now: number): Result {
  if (outcome.kind === 'delivered' || outcome.kind === 'gone') return outcome
  const { status, error, answered } = outcome
  if (outcome.kind === 'unsendable') return { kind: 'dead', status, error, answered }
  const next = nextAttemptAt(policy, attempt.number - attempt.before, now, outcome.retryAfterMs)
  return next === undefined
    ? { kind: 'dead', status, error, answered }
    : { kind: 'retrying', status, error, nextAttemptAt: next, answered }
}

/**
 * Writes down the results, in one round trip, and orders the next wake-up calls. When D1 will not take them, the leases
 * run out and the deliveries are sent again.
 */
async function settle({ service, database }: Round, finished: readonly Finished[]): Promise<void> {
  if (finished.length === 0) return
  const { tenantId } = database
  const now = service.now()
  const steps = {
    results: finished.flatMap(({ attempt, result }) => recordResult(attempt, result)),
    circuits: finished.flatMap(each => circuitStatements(each, now)),
  }
  let said: readonly Row[]
  try {
    said = (await persist(() => database.steps(steps))).circuits.flatMap(({ rows }) => rows)
  } catch (error) {
    log('record-failed', { tenantId, error: String(error) })
    return
  }
  for (const { attempt, result } of finished) report(attempt, result)
  for (const { id, open_until } of said)
    if (typeof open_until === 'number')
      log('receiver-left-alone', { tenantId, receiverId: id, until: open_until })
  const due = said.filter(row => row.sequence !== undefined)
  await Promise.all([
    publish(service, deliveryKeys(tenantId, due)),
    publishLater(service, laterCalls(finished, now)),
  ])
}

function circuitStatements({ attempt, receiver, isProbe }: Finished, now: number): readonly Statement[] {
  const { tenantId, receiverId } = attempt
  if (receiver === 'answered') return closeCircuit(tenantId, receiverId, now)
  return receiver === 'failed' ? [countFailure(tenantId, receiverId, isProbe, now)] : []
}

function laterCalls(finished: readonly Finished[], now: number) {
  return finished.flatMap(({ attempt, result }) => {
    if (result.kind !== 'retrying') return []
    const { tenantId, sequence, receiverId } = attempt
    return [
      { pointer: { tenantId, sequence, receiverId }, delaySeconds: delaySeconds(result.nextAttemptAt, now) },
    ]
  })
}

/** What an operator should be able to find in the logs: everything that did not go through. */
function report({ tenantId, sequence, receiverId, number }: Attempt, result: Result): void {
  if (result.kind === 'delivered') return
  log(`delivery-${result.kind}`, { tenantId, sequence, receiverId, attempt: number, error: result.error })
}

/**
 * Deliveries to nowhere: a deleted receiver's, should they have been made while it was being deleted, and those of a
 * receiver that fetches its events and did not come.
 */
async function bury({ database }: Round, orphans: readonly DeliveryPointer[], reason: string): Promise<void> {
  if (orphans.length === 0) return
  try {
    await database.batch([abandonDeliveries(database.tenantId, orphans, reason)])
  } catch (error) {
    log('record-failed', { tenantId: database.tenantId, error: String(error) })
  }
}

/** A job's next step. */
async function workRound(
  { message, pointer }: Call<WorkPointer>,
  continueWork: (pointer: WorkPointer) => Promise<void>,
): Promise<void> {
  try {
    await continueWork(pointer)
  } catch (error) {
    log('job-failed', { ...pointer, error: String(error) })
    // In vain once the batch has been acknowledged: then the sweep finds that no step came.
    message.retry({ delaySeconds: backoffSeconds(message.attempts) })
  }
}

async function waitAtMost(ms: number, work: readonly Promise<unknown>[]): Promise<void> {
  const patience = Promise.withResolvers<void>()
  const timer = setTimeout(patience.resolve, ms)
  await Promise.race([Promise.allSettled(work), patience.promise])
  clearTimeout(timer)
}

function log(event: string, details: Readonly<Record<string, unknown>>): void {
  console.log(JSON.stringify({ log: event, ...details }))
}
