// The credential of a SCIM request: where it stands, and whether this service made it. No look at D1 here.
import type { Service } from '../env'
import { unauthorized } from '../operations/access'
import { ScimError } from '../scim/error'
import { readToken, type TokenClaims } from '../storage/tokens'

/**
 * The token of an Authorization header: `Bearer x` in any case, `Bearer Bearer x` (Okta), the bare token (Okta's
 * header mode), or Basic with user `scim` (PingFederate).
 */
export function tokenOf(header: string | null): string | undefined {
  if (header === null) return undefined
  const text = header.trim().replace(/^(bearer\s+)+/i, '')
  const basic = /^basic\s+([A-Za-z0-9+/=_-]+)$/i.exec(text)
  if (!basic?.[1]) return text === '' || /\s/.test(text) ? undefined : text
  try {
    const [user, ...password] = atob(basic[1]).split(':')
    return user?.toLowerCase() === 'scim' ? password.join(':') : undefined
  } catch {
    return undefined
  }
}

/** RFC 6750 §2.1, and so long that four characters of it give nothing away. */
const hinted = /^[A-Za-z0-9._~+/-]{16,}=*$/

/** The last four characters of a credential that is no token of ours, so that whoever sent it knows it again. */
export function hintOf(header: string | null): string | null {
  const token = tokenOf(header)
  return token !== undefined && hinted.test(token) ? token.slice(-4) : null
}

/**
 * The claims of the request's token. Throws 401 for a token that this service did not make, and 429 when the
 * address has sent too many of those; neither touches D1 or slows a good credential.
 */
export async function authenticate(service: Service, request: Request): Promise<TokenClaims> {
  const token = tokenOf(request.headers.get('Authorization'))
  const claims = token === undefined ? undefined : await readToken(service.keys, token)
  if (claims) return claims
  throw await failedCredential(service, request, unauthorized().about('credential-unknown'))
}

/** Counts a failed credential against its address: the refusal, or 429 beyond the limit. */
export async function failedCredential<Refusal extends Error>(
  service: Service,
  request: Request,
  refusal: Refusal,
): Promise<Refusal | ScimError> {
  const address = request.headers.get('CF-Connecting-IP') ?? 'unknown'
  const allowed = await withinLimit(service.failedCredentialLimit, address)
  if (allowed) return refusal
  return tooManyRequests('Too many failed credentials from this address', service.now()).about(
    'too-many-failed-credentials',
  )
}

/**
 * Throws 429 beyond the connection's rate. Counted by its token, of which one is in use at a time: nobody has asked
 * D1 yet, and whoever still holds a revoked one must not slow the connection.
 */
export async function limitConnection(service: Service, claims: TokenClaims): Promise<void> {
  if (!(await withinLimit(service.connectionLimit, claims.tokenId)))
    throw tooManyRequests('Too many requests of this connection', service.now())
}

/** Counts one more under the key. */
export async function withinLimit(limiter: RateLimit | undefined, key: string): Promise<boolean> {
  if (!limiter) return true
  return (await limiter.limit({ key })).success
}

/** Okta reads only whole seconds; the limiter counts by the minute. */
function tooManyRequests(what: string, now: number): ScimError {
  const seconds = 60 - (Math.floor(now / 1000) % 60)
  return new ScimError(429, undefined, `${what}; send it again in ${seconds} s.`, {
    'Retry-After': String(seconds),
  })
}
