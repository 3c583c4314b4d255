// Whether a token may do what it asks, answered in the same round trip as the data it asks for.
import { ScimError } from '../scim/error'
import type { Mode } from '../scim/interop'
import { type Admission, failure, type Row } from '../storage/tenant-database'
import { credentialCounts, credentialStatement, type TokenClaims } from '../storage/tokens'
import { type Configuration, forgetConfiguration, knownConfiguration } from './configuration'

/** What a connection's configuration is taken to be, until the round trip says otherwise. */
export interface Assumption {
  readonly mode: Mode
  readonly configuration: Configuration
}

/** The rows say something else than was assumed: what was computed may be wrong and is done again. */
export class ConfigurationChanged extends Error {
  /** `toBeLoaded`: the tenant's schemas and resource types have to be read before that. */
  constructor(readonly toBeLoaded: boolean) {
    super()
  }
}

/** Whether the tenant's configuration is no longer what the request was done by; nothing has been written then. */
export function isOutdated(error: unknown): boolean {
  return error instanceof ConfigurationChanged || failure(error) === 'configuration'
}

/** What the credential row tells beside being there. */
export interface Admitted {
  readonly slug: string
  readonly lastUsedAt: number | null
}

const assumedModes = new Map<string, Mode>()
const MAX_ASSUMED = 5_000

export function assumptionFor({ tenantId, connectionId }: TokenClaims): Assumption {
  return {
    mode: assumedModes.get(connectionId) ?? 'compat',
    configuration: knownConfiguration(tenantId),
  }
}

/**
 * The question to ask along with the first statements. `slug`: the tenant that the URL names, if it names one.
 * Its `admit` throws 401 for a token that does not count here, 403 for a suspended tenant or a disabled connection,
 * and ConfigurationChanged when the assumption was out of date (it is corrected then).
 */
export function admissionOf(
  claims: TokenClaims,
  slug: string | undefined,
  { mode, configuration }: Assumption,
  now: number,
  onAdmitted: (admitted: Admitted) => void,
): Admission {
  const statement = credentialStatement(claims, now)
  return {
    statement,
    condition: credentialCounts(claims, now, { slug, mode, configuration: configuration.version }),
    admit: rows => {
      const [row] = rows
      if (!row || (slug !== undefined && row.slug !== slug)) throw unauthorized()
      refuseInactive(row)
      const actualMode = row.mode === 'strict' ? 'strict' : 'compat'
      remember(claims.connectionId, actualMode)
      const isAnother = row.configuration_version !== configuration.version
      if (row.configuration_version === null) forgetConfiguration(claims.tenantId)
      if (isAnother || actualMode !== mode)
        throw new ConfigurationChanged(isAnother && row.configuration_version !== null)
      const lastUsedAt = row.last_used_at
      onAdmitted({ slug: String(row.slug), lastUsedAt: lastUsedAt === null ? null : Number(lastUsedAt) })
    },
  }
}

function refuseInactive(row: Row): void {
  if (row.tenant_status !== 'active')
    throw new ScimError(
      403,
      undefined,
      'Provisioning of this tenant is suspended. Ask the operator of the service.',
    )
  if (row.connection_status !== 'active')
    throw new ScimError(
      403,
      undefined,
      'This connection is disabled. Ask the operator of the service.',
    ).about('connection-disabled')
}

/** The one answer to every credential that does not count: wrong, revoked, expired, or of another tenant. */
export function unauthorized(): ScimError {
  return new ScimError(401, undefined, 'The credential is missing, wrong, expired or revoked.', {
    'WWW-Authenticate': 'Bearer realm="scim", error="invalid_token", Basic realm="scim"',
  })
}

function remember(connectionId: string, actual: Mode): void {
  if (!assumedModes.has(connectionId) && assumedModes.size >= MAX_ASSUMED) assumedModes.clear()
  assumedModes.set(connectionId, actual)
}
