// Requests that changed nothing are logged after the reply, many in one round trip, so that a read stays a read.
import type { Service } from '../env'
import { type ActivityEntry, insertActivity } from '../storage/activity'
import type { Databases } from '../storage/databases'
import { TenantDatabase } from '../storage/tenant-database'
import { tenantIdsOf } from '../storage/tenant-directory'
import { tenantExists } from '../storage/tenant-rows'

/**
 * Whose log: the token's tenant, or, for a credential that was rejected, the tenant whose URL it was tried at.
 * What such a token says of itself is kept only if it was that tenant's own (a revoked one, say).
 */
export type LogOwner =
  | { readonly tenantId: string }
  | { readonly slug: string; readonly claimedTenantId: string | undefined }

const waiting: { owner: LogOwner; entry: ActivityEntry }[] = []

/** How long entries gather before they are written: what an isolate that dies may lose of its reads. */
const GATHER_MS = 300
/** A request that gathers for longer has been ended before it could write; the next one takes over. */
const WRITER_GONE_MS = 5_000
/** More than this at once are dropped, oldest first: the log must not bring the service down. */
const MAX_WAITING = 5_000

type Logger = Databases & Pick<Service, 'now'>

/** Since when a request gathers; undefined when none does. */
let gatheringSince: number | undefined

/**
 * Keeps the entry for the next write. Who is given a promise does that write, for all who come until then, and must
 * wait for it (waitUntil); it never rejects.
 */
export function logLater(service: Logger, owner: LogOwner, entry: ActivityEntry): Promise<void> | undefined {
  waiting.push({ owner, entry })
  if (waiting.length > MAX_WAITING) waiting.shift()
  const now = service.now()
  if (gatheringSince !== undefined && Math.abs(now - gatheringSince) < WRITER_GONE_MS) return undefined
  gatheringSince = now
  return gather(service)
}

async function gather(service: Logger): Promise<void> {
  await scheduler.wait(GATHER_MS).catch(() => undefined)
  gatheringSince = undefined
  const batch = waiting.splice(0)
  await write(service, batch).catch(error => notWritten(batch.length, error))
}

function notWritten(entries: number, error: unknown): void {
  const reason = String(error).slice(0, 200)
  console.error(JSON.stringify({ message: 'activity not written', entries, error: reason }))
}

async function write(service: Logger, batch: typeof waiting): Promise<void> {
  const slugs = batch.flatMap(({ owner }) => ('slug' in owner ? [owner.slug] : []))
  const known = slugs.length > 0 ? await tenantIdsOf(service.d1, slugs) : new Map<string, string>()
  const byTenant = new Map<string, ActivityEntry[]>()
  for (const { owner, entry } of batch) {
    const tenantId = 'tenantId' in owner ? owner.tenantId : known.get(owner.slug)
    if (tenantId === undefined) continue
    const entries = byTenant.get(tenantId) ?? []
    entries.push('slug' in owner ? refusedAt(tenantId, owner.claimedTenantId, entry) : entry)
    byTenant.set(tenantId, entries)
  }
  for (const [tenantId, entries] of byTenant)
    await new TenantDatabase(service, tenantId)
      .batch([insertActivity(tenantId, entries, { condition: tenantExists(tenantId) })])
      .catch(error => notWritten(entries.length, error))
}

/** A tenant is not told whose a token is that is not its own. */
function refusedAt(tenantId: string, claimed: string | undefined, entry: ActivityEntry): ActivityEntry {
  if (claimed === undefined || claimed === tenantId) return entry
  return { ...entry, help: 'credential-elsewhere', connectionId: null, tokenHint: null }
}
