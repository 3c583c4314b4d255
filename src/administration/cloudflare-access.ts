// Who Cloudflare Access says has signed in: the JWT that it sends with every request to what it protects.
import { createRemoteJWKSet, type JWTVerifyGetKey, jwtVerify } from 'jose'
import type { Service } from '../env'
import type { OperatorSession } from './operator-session'

/** Of each team: its keys, read anew when one is unknown. */
const keySets = new Map<string, JWTVerifyGetKey>()

/** Undefined where Access is not configured, and for a JWT that is not of this team and application, or is over. */
export async function accessSession(service: Service, jwt: string): Promise<OperatorSession | undefined> {
  const { access } = service
  if (!access) return undefined
  const issuer = `https://${access.teamDomain}`
  try {
    const { payload } = await jwtVerify(jwt, keysOf(issuer), {
      issuer,
      audience: access.audience,
      algorithms: ['RS256', 'ES256'],
      currentDate: new Date(service.now()),
      requiredClaims: ['exp'],
    })
    // A person has an e-mail address, a service token a name.
    const name = [payload.email, payload.common_name].find(value => typeof value === 'string' && value !== '')
    return typeof name === 'string' ? { id: `access ${name}`, name } : undefined
  } catch {
    return undefined
  }
}

function keysOf(issuer: string): JWTVerifyGetKey {
  const known = keySets.get(issuer)
  if (known) return known
  const keys = createRemoteJWKSet(new URL('/cdn-cgi/access/certs', issuer))
  keySets.set(issuer, keys)
  return keys
}
