// Setting up a connection as a customer's IT admin does it, on the page of a setup link: without an account, and with
// the secret in the page's URL as the only credential.
import type { Service } from '../env'
import { type ExpectedAttribute, expectedAttributes } from '../mapping/expected-attributes'
import { type IdentityProvider, identityProviderNames } from '../mapping/identity-providers'
import { noMapping } from '../mapping/profile'
import { type Configuration, knownConfiguration, loadConfiguration } from '../operations/configuration'
import { accountTypeOf, type ResourceType } from '../scim/schema'
import { insertConnection } from '../storage/connection-rows'
import {
  type OpenLinkRow,
  readSetupLink,
  type SetupLinkClaims,
  selectOpenLink,
  takeSetupLink,
} from '../storage/setup-links'
import { failure, TenantDatabase } from '../storage/tenant-database'
import { raiseConfigVersion } from '../storage/tenant-rows'
import { issueToken, supersedeOlderTokens } from '../storage/token-rows'
import { mintToken } from '../storage/tokens'
import { type ConnectionProgress, readConnectionProgress } from './connection-progress'
import { type OpenTenant, openedTenant } from './open-tenant'

/** How long older tokens go on beside the one that a page made, unless that one is used before. */
const OVERLAP_MS = 24 * 3_600_000

export interface Setup {
  readonly tenant: OpenTenant
  readonly tenantName: string
  /** `paused`: the operator has suspended the tenant or disabled the connection. */
  readonly status: 'open' | 'paused'
  /** When the link made its token; null while it can. */
  readonly usedAt: number | null
  /** Null until the identity provider has been chosen. */
  readonly connection: { readonly id: string; readonly idp: IdentityProvider } | null
  readonly configurationVersion: number | null
  readonly claims: SetupLinkClaims
}

/** What the page shows of a connection beside the instructions for its identity provider. */
export interface SetupDetails {
  readonly attributes: readonly ExpectedAttribute[]
  readonly accountType: ResourceType
  readonly progress: ConnectionProgress
}

/** Undefined, always the same, for a secret that opens nothing; one that this service did not make costs no look at D1. */
export async function openSetup(
  service: Service,
  origin: string,
  secret: string,
): Promise<Setup | undefined> {
  const claims = await readSetupLink(service.keys, secret)
  if (!claims) return undefined
  const database = new TenantDatabase(service, claims.tenantId)
  const [found] = await database.batch([selectOpenLink(claims, service.now())])
  const row = found?.rows[0] as OpenLinkRow | undefined
  if (!row) return undefined
  const { slug, tenantName, usedAt, configurationVersion, connectionId, idp } = row
  const isPaused = row.tenantStatus !== 'active' || row.connectionStatus === 'disabled'
  return {
    tenant: openedTenant(origin, slug, database),
    tenantName,
    status: isPaused ? 'paused' : 'open',
    usedAt,
    connection: connectionId === null ? null : { id: connectionId, idp: idp as IdentityProvider },
    configurationVersion,
    claims,
  }
}

/** One round trip, or two at once where the isolate does not know the tenant's configuration. */
export async function readSetupDetails(
  service: Service,
  { tenant, configurationVersion }: Setup,
  { id, idp }: { readonly id: string; readonly idp: IdentityProvider },
): Promise<SetupDetails> {
  const { database } = tenant
  const known = knownConfiguration(database.tenantId)
  const isKnown = known.version === configurationVersion
  const { application, resourceTypes }: Configuration = isKnown ? known : await loadConfiguration(database)
  const { mapping } = application.connections.get(id) ?? { mapping: noMapping }
  return {
    attributes: expectedAttributes(application.profile, mapping, idp),
    accountType: accountTypeOf(resourceTypes),
    progress: await readConnectionProgress(tenant, id, resourceTypes, service.now()),
  }
}

export interface SetUpConnection {
  readonly connection: { readonly id: string; readonly idp: IdentityProvider }
  /** Shown here and never again. */
  readonly token: string
}

/**
 * The link's one token, and the connection where the link has none: `idp` is its kind. Older tokens of the connection
 * live until the new one is first used, or for a day. Undefined when the link is no longer as it was opened: used in
 * the meantime, say.
 */
export async function makeToken(
  service: Service,
  { tenant: { database }, connection, claims }: Setup,
  idp: IdentityProvider,
): Promise<SetUpConnection | undefined> {
  const { tenantId } = database
  const now = service.now()
  const isNew = connection === null
  const { id: connectionId } = connection ?? { id: service.newId() }
  const { value, claims: token } = await mintToken(service.keys, {
    tenantId,
    connectionId,
    tokenId: service.newId(),
  })
  const row = { id: connectionId, name: identityProviderNames[idp], idp, mode: 'compat' } as const
  try {
    await database.steps({
      link: takeSetupLink(claims, { isNew, connectionId }, now),
      connection: isNew
        ? [
            insertConnection(tenantId, { ...row, status: 'active', createdAt: now }),
            raiseConfigVersion(tenantId),
          ]
        : [],
      token: [issueToken(token, now, null), supersedeOlderTokens(token, now + OVERLAP_MS)],
    })
  } catch (error) {
    if (failure(error) === 'stale') return undefined
    throw error
  }
  return { connection: { id: connectionId, idp: connection?.idp ?? idp }, token: value }
}
