// A tenant's signing keys as the operator handles them: which there are, and a new one.
import type { Service } from '../env'
import { inForce, isPublished, publicJwkOf, rotateKey, signingKeys } from '../events/signing-keys'
import type { JsonObject } from '../scim/json'
import type { SigningKeyRow } from '../storage/signing-keys'
import type { OpenTenant } from './open-tenant'
import { Problem } from './problem'
import { timestamp, timestampOrNull } from './timestamp'

export interface SigningKeyItem {
  readonly kid: string
  /** next: published, not signing yet; current: it signs; previous: its signatures can be checked; retired. */
  readonly status: 'next' | 'current' | 'previous' | 'retired'
  readonly createdAt: string
  readonly signsFrom: string
  /** Null while no newer key replaces it. */
  readonly publishedUntil: string | null
  readonly publicKey: JsonObject
}

/** The oldest first. There are as many as rotations, so they are one page. */
export async function listSigningKeys(
  service: Service,
  { database }: OpenTenant,
): Promise<{ items: SigningKeyItem[] }> {
  const now = service.now()
  const keys = await signingKeys(service, database)
  return { items: keys.map(key => item(key, inForce(keys, now), now)) }
}

/** Throws 409 for a tenant that is being deleted. */
export async function rotateSigningKeys(
  service: Service,
  { database }: OpenTenant,
  rotation: { signsAfterSeconds: number; overlapSeconds: number },
): Promise<SigningKeyItem> {
  const key = await rotateKey(service, database, rotation)
  if (!key) throw new Problem(409, 'The tenant is being deleted.')
  const now = service.now()
  return item(key, key.signsFrom <= now ? key : undefined, now)
}

function item(key: SigningKeyRow, current: SigningKeyRow | undefined, now: number): SigningKeyItem {
  const { kid, createdAt, signsFrom, publishedUntil } = key
  return {
    kid,
    status: statusOf(key, current, now),
    createdAt: timestamp(createdAt),
    signsFrom: timestamp(signsFrom),
    publishedUntil: timestampOrNull(publishedUntil),
    publicKey: publicJwkOf(key) as JsonObject,
  }
}

function statusOf(
  key: SigningKeyRow,
  current: SigningKeyRow | undefined,
  now: number,
): SigningKeyItem['status'] {
  if (key.kid === current?.kid) return 'current'
  if (!isPublished(key, now)) return 'retired'
  return key.signsFrom > now ? 'next' : 'previous'
}
