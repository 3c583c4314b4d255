// The chain of a tenant's events as the operator checks it: are they all there, and as they were?
import { contentOf, GENESIS, hashOf, sealEvents } from '../events/chain'
import type { ChainHead, LinkRow } from '../storage/event-chain'
import { linksOf, selectLinks } from '../storage/event-chain'
import type { OpenTenant } from './open-tenant'

export interface ChainCheck {
  /** Null before the first event. */
  readonly head: ChainHead | null
  readonly from: number
  /** The last event that was looked at. */
  readonly to: number
  readonly ok: boolean
  /** The first event that is missing, or is not what was sealed. */
  readonly firstBroken?: number
  /** Where to go on: there is more. */
  readonly nextFrom?: number
}

/** Reads of one call. */
const ROUNDS = 10

/** Recomputes the hashes of the events from `from` to `to` (undefined: to the end), a bounded number of them. */
export async function checkChain(
  { database }: OpenTenant,
  range: { from: number; to?: number | undefined },
): Promise<ChainCheck> {
  const { tenantId } = database
  const from = Math.max(range.from, 1)
  const head = await sealEvents(database)
  // What came after the sealing is not looked at; what the chain ends with has to be there.
  const end = head?.sequence ?? 0
  const to = Math.min(range.to ?? end, end)
  const seen = (last: number, more: Partial<ChainCheck>) =>
    ({ head: head ?? null, from, to: last, ok: true, ...more }) satisfies ChainCheck
  let previous: string | null = from === 1 ? GENESIS : null
  let next = Math.max(from - 1, 1)
  for (let round = 0; round < ROUNDS && next <= to; round++) {
    const [found] = await database.batch([selectLinks(tenantId, next, to)])
    const links = linksOf(found?.rows)
    for (const link of links) {
      const isBroken = link.sequence !== next || !(await isSealed(tenantId, previous, link, head))
      if (isBroken) return seen(next, { ok: false, firstBroken: next })
      previous = link.hash
      next++
    }
    if (links.length === 0) return seen(next, { ok: false, firstBroken: next })
  }
  return seen(next - 1, next <= to ? { nextFrom: next } : {})
}

/** `previous`: null for the event before the range, whose own hash is taken as it is. */
async function isSealed(
  tenantId: string,
  previous: string | null,
  link: LinkRow,
  head: ChainHead | undefined,
): Promise<boolean> {
  if (link.hash === null) return false
  if (link.sequence === head?.sequence && link.hash !== head.hash) return false
  return previous === null || link.hash === (await hashOf(tenantId, previous, contentOf(link)))
}
