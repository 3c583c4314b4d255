// Whether a token may do what it asks, answered in the same round trip as the data it asks for.
import { ScimError } from '../scim/error'
import type { Mode } from '../scim/interop'
import type { Admission, Row } from '../storage/tenant-database'
import { credentialCounts, credentialStatement, type TokenClaims } from '../storage/tokens'

/** What a connection's configuration is taken to be, until the round trip says otherwise. */
export interface Assumption {
  readonly mode: Mode
}

/** The rows say something else than was assumed: what was computed may be wrong and is done again. */
export class ConfigurationChanged extends Error {}

/** What the credential row tells beside being there. */
export interface Admitted {
  readonly slug: string
  readonly lastUsedAt: number | null
}

const assumed = new Map<string, Assumption>()
const MAX_ASSUMED = 5_000

export function assumptionFor({ connectionId }: TokenClaims): Assumption {
  return assumed.get(connectionId) ?? { mode: 'compat' }
}

/**
 * The question to ask along with the first statements. `slug`: the tenant that the URL names, if it names one.
 * Its `admit` throws 401 for a token that does not count here, 403 for a suspended tenant or a disabled connection,
 * and ConfigurationChanged when the assumption was out of date (it is corrected then).
 */
export function admissionOf(
  claims: TokenClaims,
  slug: string | undefined,
  assumption: Assumption,
  now: number,
  onAdmitted: (admitted: Admitted) => void,
): Admission {
  const statement = credentialStatement(claims, now)
  return {
    statement,
    condition: credentialCounts(claims, now, { slug, mode: assumption.mode }),
    admit: rows => {
      const [row] = rows
      if (!row || (slug !== undefined && row.slug !== slug)) throw unauthorized()
      refuseInactive(row)
      const actual: Assumption = { mode: row.mode === 'strict' ? 'strict' : 'compat' }
      remember(claims.connectionId, actual)
      if (actual.mode !== assumption.mode) throw new ConfigurationChanged()
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
    throw new ScimError(403, undefined, 'This connection is disabled. Ask the operator of the service.')
}

/** The one answer to every credential that does not count: wrong, revoked, expired, or of another tenant. */
export function unauthorized(): ScimError {
  return new ScimError(401, undefined, 'The credential is missing, wrong, expired or revoked.', {
    'WWW-Authenticate': 'Bearer realm="scim", error="invalid_token", Basic realm="scim"',
  })
}

function remember(connectionId: string, actual: Assumption): void {
  if (!assumed.has(connectionId) && assumed.size >= MAX_ASSUMED) assumed.clear()
  assumed.set(connectionId, actual)
}
