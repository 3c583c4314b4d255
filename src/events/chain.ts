// The chain of a tenant's events: each is sealed with a hash over itself and the hash before it, so that one that was
// removed or altered afterwards shows. examples/verify-evidence computes the same without this service.
//
// SQLite knows no SHA-256 and sequences are given inside batches, so events are sealed after their commit, in order:
// by the sweep, and by whoever asks for hashes. Two that seal at once compare the head; one of them stops.
import { canonicalText } from '../scim/canonical'
import type { Json, JsonObject } from '../scim/json'
import { bindingOf, type Databases, inEachDatabase } from '../storage/databases'
import {
  type ChainHead,
  chainHeadOf,
  type LinkRow,
  linksOf,
  sealLinks,
  selectChainHead,
  selectUnsealed,
} from '../storage/event-chain'
import { sha256Hex } from '../storage/keys'
import { takeUnsealedTenants } from '../storage/sweep'
import { failure, TenantDatabase } from '../storage/tenant-database'

/** What comes before the first event. */
export const GENESIS = '0'.repeat(64)

/** Reads and writes of one call by somebody who waits, of one tenant's share of a sweep, and of a whole sweep. */
const ROUNDS_A_CALL = 20
const ROUNDS_A_TENANT = 20
const ROUNDS_A_SWEEP = 200

const encoder = new TextEncoder()

/** What an event's hash covers: all of the event, and whose it is. */
export interface LinkContent extends Omit<LinkRow, 'occurredAt' | 'data' | 'origin' | 'hash'> {
  readonly occurredAt: string
  readonly data: JsonObject
  readonly origin: JsonObject | null
}

export function contentOf(row: LinkRow): LinkContent {
  const { occurredAt, data, origin } = row
  return {
    sequence: row.sequence,
    id: row.id,
    type: row.type,
    txn: row.txn,
    userId: row.userId,
    groupId: row.groupId,
    connectionId: row.connectionId,
    occurredAt: new Date(occurredAt).toISOString(),
    data: JSON.parse(data) as JsonObject,
    origin: origin === null ? null : (JSON.parse(origin) as JsonObject),
  }
}

/** SHA-256, hex, of the hash before, a line feed, and the content as canonical JSON (keys sorted, no spaces). */
export function hashOf(tenantId: string, previous: string, content: LinkContent): Promise<string> {
  const covered = { tenant: tenantId, ...content } as unknown as Json
  return sha256Hex(encoder.encode(`${previous}\n${canonicalText(covered)}`))
}

/** Seals what is not sealed yet, a bounded number of events; the head of the chain then. Undefined: no event yet. */
export async function sealEvents(database: TenantDatabase): Promise<ChainHead | undefined> {
  return (await sealRounds(database, ROUNDS_A_CALL)).head
}

/**
 * The sweep's part: the tenants in any order, so that none waits behind the same others each time, and no database
 * behind one that fails. Never throws.
 */
export async function sealAll(service: Databases): Promise<void> {
  const tenants: string[] = []
  let left = ROUNDS_A_SWEEP
  await inEachDatabase(service, async d1 => {
    tenants.push(...(await takeUnsealedTenants(d1)))
  }).catch(notSealed)
  const failed = new Set<string>()
  for (const tenantId of shuffled(tenants)) {
    if (left <= 0) return
    const binding = bindingOf(tenantId)
    if (failed.has(binding)) continue
    const database = new TenantDatabase(service, tenantId)
    try {
      left -= (await sealRounds(database, Math.min(ROUNDS_A_TENANT, left))).rounds
    } catch (error) {
      failed.add(binding)
      notSealed(error)
    }
  }
}

function notSealed(error: unknown): void {
  console.error(JSON.stringify({ message: 'events not sealed', reason: String(error).slice(0, 200) }))
}

async function sealRounds(
  database: TenantDatabase,
  most: number,
): Promise<{ head: ChainHead | undefined; rounds: number }> {
  const { tenantId } = database
  for (let rounds = 1; ; rounds++) {
    const [heads, unsealed] = await database.batch([selectChainHead(tenantId), selectUnsealed(tenantId)])
    const head = chainHeadOf(heads?.rows[0])
    const rows = linksOf(unsealed?.rows)
    if (rows.length === 0 || rounds > most) return { head, rounds }
    const links = await linked(tenantId, head?.hash ?? GENESIS, rows)
    try {
      await database.batch(sealLinks(tenantId, head?.hash ?? GENESIS, links))
    } catch (error) {
      // Somebody else seals them.
      if (failure(error) === 'stale') return { head, rounds }
      throw error
    }
  }
}

async function linked(tenantId: string, before: string, rows: readonly LinkRow[]) {
  const links: { sequence: number; hash: string }[] = []
  for (const row of rows) {
    const previous = links.at(-1)?.hash ?? before
    links.push({ sequence: row.sequence, hash: await hashOf(tenantId, previous, contentOf(row)) })
  }
  return links
}

function shuffled<Item>(items: readonly Item[]): Item[] {
  return items
    .map(item => ({ item, at: Math.random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item)
}
