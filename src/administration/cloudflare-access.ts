// Who Cloudflare Access says has signed in: the JWT that it sends with every request to what it protects.
import { createRemoteJWKSet, errors, type JWTVerifyGetKey, jwtVerify } from 'jose'
import type { Service } from '../env'
import type { OperatorSession } from './operator-session'

/** The session, or why there is none, in words for whoever set Access up. */
export type AccessAnswer =
  | { readonly session: OperatorSession }
  | { readonly session?: undefined; readonly refusal: string }

/** Of each team: its keys, read anew when one is unknown. */
const keySets = new Map<string, JWTVerifyGetKey>()

/** What the JWT of a request is good for. */
export async function accessSession(service: Service, jwt: string): Promise<AccessAnswer> {
  const { access } = service
  if (!access) return { refusal: 'ACCESS_TEAM_DOMAIN and ACCESS_AUD are not set here.' }
  const issuer = `https://${access.teamDomain}`
  try {
    const { payload } = await jwtVerify(jwt, keysOf(issuer), {
      issuer,
      audience: access.audience,
      algorithms: ['RS256'],
      currentDate: new Date(service.now()),
      requiredClaims: ['exp'],
    })
    // A person has an e-mail address, a service token a name.
    const name = [payload.email, payload.common_name].find(value => typeof value === 'string' && value !== '')
    if (typeof name !== 'string') return { refusal: 'Its token names nobody.' }
    return { session: { id: `access ${name}`, name } }
  } catch (error) {
    return { refusal: reasonOf(error, access.teamDomain) }
  }
}

function keysOf(issuer: string): JWTVerifyGetKey {
  const known = keySets.get(issuer)
  if (known) return known
  const keys = createRemoteJWKSet(new URL('/cdn-cgi/access/certs', issuer))
  keySets.set(issuer, keys)
  return keys
}

function reasonOf(error: unknown, teamDomain: string): string {
  if (error instanceof errors.JWTExpired) return 'Its token is over: load the page again.'
  if (error instanceof errors.JWTClaimValidationFailed && error.claim === 'aud')
    return 'Its token is for another application than ACCESS_AUD says.'
  if (error instanceof errors.JWTClaimValidationFailed && error.claim === 'iss')
    return 'Its token is of another team than ACCESS_TEAM_DOMAIN says.'
  if (
    error instanceof errors.JWSSignatureVerificationFailed ||
    error instanceof errors.JWKSNoMatchingKey ||
    error instanceof errors.JWTInvalid ||
    error instanceof errors.JWSInvalid ||
    error instanceof errors.JWTClaimValidationFailed ||
    error instanceof errors.JOSEAlgNotAllowed
  )
    return `Its token is not one that ${teamDomain} has signed for this.`
  return `The keys of ${teamDomain} could not be read: is ACCESS_TEAM_DOMAIN right?`
}
