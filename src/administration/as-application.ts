// An application as somebody on whose behalf the directory of its tenant is read: by its app key, which is checked in
// the same round trip as what it asks for.
import type { Service } from '../env'
import { ConfigurationChanged } from '../operations/access'
import {
  type Configuration,
  forgetConfiguration,
  knownConfiguration,
  loadConfiguration,
} from '../operations/configuration'
import type { Tenant } from '../operations/tenant'
import { ScimError } from '../scim/error'
import {
  type AppKeyClaims,
  appKeyStatement,
  markAppKeyUsed,
  neverWrites,
  readAppKey,
} from '../storage/app-keys'
import { type Row, TenantDatabase } from '../storage/tenant-database'
import { Problem } from './problem'
import { withoutConnection } from './without-connection'

export interface Caller {
  /** What it sent as its key, if anything. */
  readonly key: string | undefined
  /** The tenant that the URL names. */
  readonly slug: string
  readonly origin: string
  /** Work that the reply does not wait for. */
  readonly later: (work: Promise<unknown>) => void
}

/** A configuration that changes more often than this while one request runs is not waited for. */
const ATTEMPTS = 3
/** A key's `lastUsedAt` is written when it is older than this. */
const USE_NOTED_EVERY_MS = 60 * 60 * 1000

/**
 * What `read` gives, if the key counts for the tenant right now; it may read more than once. Throws 401, the same for
 * every key that does not count and every tenant that there is not, without a look at D1 for a key that this service
 * did not make. A suspended tenant is read like any other: who lost access is what an application must learn.
 */
export async function readAsApplication<Result>(
  service: Service,
  caller: Caller,
  read: (reader: Tenant) => Promise<Result>,
): Promise<Result> {
  const { key } = caller
  const claims = key === undefined ? undefined : await readAppKey(service.keys, key)
  if (!claims) throw wrongKey()
  for (let attempt = 1; ; attempt++) {
    try {
      return await readOnce(service, caller, claims, read)
    } catch (error) {
      if (!(error instanceof ConfigurationChanged) || attempt === ATTEMPTS) throw error
      if (error.toBeLoaded) await loadConfiguration(new TenantDatabase(service, claims.tenantId))
    }
  }
}

async function readOnce<Result>(
  service: Service,
  { slug, origin, later }: Caller,
  claims: AppKeyClaims,
  read: (reader: Tenant) => Promise<Result>,
): Promise<Result> {
  const configuration = knownConfiguration(claims.tenantId)
  const database = new TenantDatabase(service, claims.tenantId, {
    statement: appKeyStatement(claims),
    condition: neverWrites,
    admit: rows => {
      const row = admittedRow(rows, claims, slug, configuration)
      if (service.now() - Number(row.last_used_at ?? 0) >= USE_NOTED_EVERY_MS) later(noteUse(service, claims))
    },
  })
  const baseUrl = `${origin}/t/${slug}/scim/v2`
  const reader = withoutConnection(service, baseUrl, database, configuration)
  try {
    const result = await read(reader)
    await database.admit()
    return result
  } catch (error) {
    // What is refused for what it asks is refused first for its key.
    if (error instanceof Problem || error instanceof ScimError) await database.admit()
    throw error
  }
}

/** Throws 401, and ConfigurationChanged when the assumption was out of date. */
function admittedRow(
  [row]: readonly Row[],
  { tenantId }: AppKeyClaims,
  slug: string,
  { version }: Configuration,
): Row {
  if (row?.slug !== slug) throw wrongKey()
  if (row.configuration_version === null) forgetConfiguration(tenantId)
  if (row.configuration_version !== version)
    throw new ConfigurationChanged(row.configuration_version !== null)
  return row
}

/** Nothing depends on it: when it fails, the next use is noted. */
async function noteUse(service: Service, claims: AppKeyClaims): Promise<void> {
  const database = new TenantDatabase(service, claims.tenantId)
  await database.batch([markAppKeyUsed(claims, service.now())]).catch(() => undefined)
}

/** The one answer to every key that does not count: missing, wrong, revoked, or of another tenant. */
function wrongKey(): Problem {
  const detail =
    'Send "Authorization: Bearer" with an app key of this tenant; this one is missing, wrong or revoked.'
  return new Problem(401, detail, [], { 'www-authenticate': 'Bearer realm="edge-scim directory"' })
}
