// A recorded conversation (test/clients) played against a fresh tenant, and what the service noted meanwhile.
import { encodePath, fillIn } from './placeholders'
import {
  admin,
  newTenant,
  type Reply,
  readReply,
  type ScimEvent,
  settled,
  type Tenant,
  withBindings,
} from './world'

export interface Step {
  /** Unique within its conversation. */
  readonly name: string
  readonly method: string
  readonly path: string
  /** All of them, as sent; nothing is added. */
  readonly headers: Readonly<Record<string, string>>
  readonly body?: unknown
  /** Name of an earlier step: its reply is sent back, with the members of `body` in place of its own. */
  readonly merged?: string
  readonly expect: {
    readonly status: number
    readonly headers?: Readonly<Record<string, string>>
    /** What the reply must contain; lists in full length. */
    readonly body?: object
    /** JSON pointers to what the reply must not contain. */
    readonly absent?: readonly string[]
    /** Types of the events that the request means, in their order; none unless given. */
    readonly events?: readonly string[]
    /** Tolerances that the request needs; none unless given. */
    readonly tolerances?: readonly string[]
  }
  /** Placeholders for later steps: name → JSON pointer into the reply. */
  readonly save?: Readonly<Record<string, string>>
}

export interface ActivityEntry {
  readonly id: string
  readonly method: string
  readonly path: string
  readonly status: number
  readonly tolerances: readonly string[]
}

export interface Exchange {
  /** With its placeholders filled in. */
  readonly step: Step
  readonly reply: Reply
  /** The request's entry in the activity log; none for a step without a credential. */
  readonly activity: ActivityEntry | undefined
  readonly events: readonly ScimEvent[]
}

export interface Played {
  readonly tenant: Tenant
  readonly exchanges: readonly Exchange[]
}

const fetchWorker = withBindings({})

export async function play(steps: readonly Step[], idp: string): Promise<Played> {
  const tenant = await newTenant({ idp })
  const { baseUrl, token } = tenant.connection
  const values: Record<string, string> = { baseUrl, token: token.value, basic: btoa(`scim:${token.value}`) }
  const sent: { step: Step; reply: Reply }[] = []
  for (const recorded of steps) {
    const { expect: expected, save = {}, ...request } = recorded
    const reply = await send(fillIn(request, values), baseUrl, sent)
    for (const [name, pointer] of Object.entries(save)) values[name] = textAt(reply, pointer, recorded.name)
    sent.push({ step: { ...fillIn(request, values), expect: fillIn(expected, values) }, reply })
  }
  await fetchWorker.settled()
  await settled()
  return { tenant, exchanges: await withNotes(sent, tenant) }
}

type Request_ = Omit<Step, 'expect' | 'save'>

async function send(
  { method, path, headers, body, merged }: Request_,
  baseUrl: string,
  earlier: readonly { readonly step: Step; readonly reply: Reply }[],
): Promise<Reply> {
  const init: RequestInit = { method, headers: { ...headers } }
  const base = earlier.find(({ step }) => step.name === merged)?.reply.body
  if (merged !== undefined && base === undefined) throw new Error(`No step is called ${merged}.`)
  const whole = base === undefined ? body : { ...base, ...(body as object | undefined) }
  // Bytes, since text would be given a Content-Type.
  if (whole !== undefined) init.body = new TextEncoder().encode(JSON.stringify(whole))
  return readReply(await fetchWorker(new Request(baseUrl + encodePath(path), init)))
}

/** What a JSON pointer (RFC 6901) leads to; undefined when there is nothing. */
export function valueAt(document: unknown, pointer: string): unknown {
  return pointer
    .split('/')
    .slice(1)
    .map(key => key.replaceAll('~1', '/').replaceAll('~0', '~'))
    .reduce<unknown>(
      (value, key) =>
        typeof value === 'object' && value !== null && Object.hasOwn(value, key)
          ? (value as Record<string, unknown>)[key]
          : undefined,
      document,
    )
}

function textAt(reply: Reply, pointer: string, name: string): string {
  const value = valueAt(reply.body, pointer)
  if (typeof value === 'string') return value
  throw new Error(`"${name}" is ${reply.status} without ${pointer}: ${reply.text.slice(0, 500)}`)
}

/** Entries stand in the order of their ids, and events carry the id of the request that caused them. */
async function withNotes(
  sent: readonly { readonly step: Step; readonly reply: Reply }[],
  tenant: Tenant,
): Promise<Exchange[]> {
  const log = await admin<{ items: ActivityEntry[] }>('GET', `${tenant.at}/activity?limit=500`)
  const entries = log.items.toSorted((a, b) => (a.id < b.id ? -1 : 1))
  const events = await tenant.events()
  return sent.map(({ step, reply }) => {
    const activity = 'Authorization' in step.headers ? entries.shift() : undefined
    return { step, reply, activity, events: events.filter(({ txn }) => txn === activity?.id) }
  })
}
