// A poll of an SSF receiver (RFC 8936): what it says of the SETs it has got, and the next ones for it.
import type { Service } from '../env'
import { abandonDeliveries } from '../storage/deliveries'
import {
  markHandedOut,
  type PolledAnswer,
  recordPolledAnswers,
  selectWaiting,
  type Waiting,
  waitingOf,
} from '../storage/polled-deliveries'
import { endNotice, receiverOf, selectReceiver } from '../storage/receivers'
import { openReceiver } from './open-receiver'
import { overtakenInWords } from './overtaken'
import { type OpenReceiver, Unsendable } from './receiver-kind'
import { countSets, eventAndPlace, jtiOf, setCounts, signNotice, signSet } from './security-event-token'
import { ssfPoll } from './ssf-poll'
import { setErrorInWords } from './ssf-push'
import type { Stream } from './stream'

export interface Poll {
  /** 0: it only answers for what it has got. */
  readonly maxEvents: number
  /** False: the reply may wait until there is something. */
  readonly returnImmediately: boolean
  /** The jti of SETs that it has. */
  readonly ack: readonly string[]
  /** The jti of SETs that it refuses, with RFC 8935's error code. */
  readonly setErrs: readonly { readonly jti: string; readonly err: string }[]
}

export interface PollReply {
  /** By jti. */
  readonly sets: Readonly<Record<string, string>>
  readonly moreAvailable: boolean
}

/** SETs of one reply, whatever it asks for: each is a signature. */
export const MAX_SETS = 100
/** A reply waits for events this long at most; it looks once a second, each time one round trip. */
const LOOKS = 15
const LOOK_EVERY_MS = 1_000

/** One SET that is to be in the reply. */
interface Next {
  readonly jti: string
  /** Undefined for a notice. */
  readonly sequence?: number
  readonly sign: (receiver: OpenReceiver) => Promise<string>
}

/** Takes its answers, and gives what it has not answered yet, the oldest first. */
export async function poll(service: Service, stream: Stream, asked: Poll): Promise<PollReply> {
  await recordAnswers(service, stream, asked)
  const wanted = Math.min(asked.maxEvents, MAX_SETS)
  if (wanted === 0) return { sets: {}, moreAvailable: false }
  for (let look = 1; ; look++) {
    const next = await nextSets(stream, wanted)
    if (next.length > 0) return handOut(service, stream, next, wanted)
    if (asked.returnImmediately || look > LOOKS) return { sets: {}, moreAvailable: false }
    await new Promise(resolve => setTimeout(resolve, LOOK_EVERY_MS))
  }
}

async function recordAnswers(service: Service, { database, receiver }: Stream, asked: Poll): Promise<void> {
  const { tenantId } = database
  const refused = asked.setErrs.map(({ jti, err }) => ({
    jti,
    error: `refused: ${setErrorInWords({ err }) ?? 'it gives no reason'}`,
  }))
  const said = [...refused, ...asked.ack.map(jti => ({ jti, error: null }))]
  const { notice } = receiver
  const noticed = notice !== null && said.some(({ jti }) => jti === notice.jti)
  const answers = answersOf(said)
  await database.batch([
    ...(noticed ? [endNotice(tenantId, receiver.id, notice.jti)] : []),
    ...(answers.length > 0
      ? [recordPolledAnswers(tenantId, receiver.id, answers, setCounts, service.now())]
      : []),
  ])
}

/** What is said of single SETs, by event: one row is changed once. A jti that is none of ours says nothing. */
function answersOf(said: readonly { jti: string; error: string | null }[]): PolledAnswer[] {
  const byEvent = new Map<string, PolledAnswer>()
  for (const { jti, error } of said) {
    const named = eventAndPlace(jti)
    if (!named) continue
    const { sequence, eventId, place } = named
    const known = byEvent.get(eventId) ?? { sequence, eventId, bits: 0, error: null }
    byEvent.set(eventId, { ...known, bits: known.bits | (1 << place), error: known.error ?? error })
  }
  return [...byEvent.values()]
}

/** What is to be told next; one more than wanted, where there is more. */
async function nextSets({ database, receiver }: Stream, wanted: number): Promise<Next[]> {
  const { tenantId } = database
  const [now, found] = await database.batch([
    selectReceiver(tenantId, receiver.id),
    selectWaiting(tenantId, receiver.id, wanted + 1),
  ])
  const current = now?.rows[0] && receiverOf(tenantId, now.rows[0])
  const notice = current?.notice
  const notices = notice ? [{ jti: notice.jti, sign: (open: OpenReceiver) => signNotice(notice, open) }] : []
  const sets = (found?.rows ?? []).map(waitingOf).flatMap(unansweredOf)
  return [...notices, ...sets].slice(0, wanted + 1)
}

function unansweredOf({ event, answered, lostAgainBy }: Waiting): Next[] {
  const places = Array.from({ length: countSets(event) }, (_, place) => place)
  return places
    .filter(place => (answered & (1 << place)) === 0)
    .map(place => ({
      jti: jtiOf(event, place),
      sequence: event.sequence,
      sign: open =>
        lostAgainBy === undefined
          ? signSet(event, open, place)
          : Promise.reject(new Unsendable(overtakenInWords(lostAgainBy))),
    }))
}

/** Signs them. An event that cannot be told to this receiver is dead, and stands in the deliveries with the reason. */
async function handOut(
  service: Service,
  { database, receiver }: Stream,
  next: readonly Next[],
  wanted: number,
): Promise<PollReply> {
  const { tenantId } = database
  const open = await openReceiver(service, ssfPoll, receiver)
  const sets: Record<string, string> = {}
  const told = new Set<number>()
  const untold = new Map<number, string>()
  for (const { jti, sequence, sign } of next.slice(0, wanted)) {
    try {
      sets[jti] = await sign(open)
      if (sequence !== undefined) told.add(sequence)
    } catch (error) {
      if (!(error instanceof Unsendable) || sequence === undefined) throw error
      untold.set(sequence, error.message)
    }
  }
  await database.batch([
    ...(told.size > 0 ? [markHandedOut(tenantId, receiver.id, [...told])] : []),
    ...[...untold].map(([sequence, reason]) =>
      abandonDeliveries(tenantId, [{ sequence, receiverId: receiver.id }], reason),
    ),
  ])
  return { sets, moreAvailable: next.length > wanted }
}
