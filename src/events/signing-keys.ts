// A tenant's signing keys: made when the first is needed, published, rotated, and what is signed with them (RS256).
//
// A key is an RSA key of 2048 bits; its private half leaves this file only sealed. Making one takes the processor a
// moment, so it is never done in a SCIM request: a receiver's creation, the published keys or a delivery does it.
import {
  calculateJwkThumbprint,
  exportJWK,
  generateKeyPair,
  importJWK,
  type JWK,
  type JWTPayload,
  SignJWT,
} from 'jose'
import type { Service } from '../env'
import {
  insertFirstSigningKey,
  rotateSigningKey,
  type SigningKeyRow,
  selectSigningKeys,
  signingKeyContext,
  signingKeysOf,
} from '../storage/signing-keys'
import type { TenantDatabase } from '../storage/tenant-database'
import { persist } from './persist'

const ALGORITHM = 'RS256'
const MODULUS_BITS = 2048

/** How long a receiver may keep the published keys; a new key waits twice as long before it signs. */
export const PUBLISHED_MAX_AGE_SECONDS = 300
export const DEFAULT_SIGNS_AFTER_SECONDS = 2 * PUBLISHED_MAX_AGE_SECONDS
/** Beyond that the old key's signatures can be checked for a week. */
export const DEFAULT_OVERLAP_SECONDS = 604_800

/** Keys are read again after this long: a rotation counts everywhere by then. */
const KEPT_MS = 60_000
const MAX_TENANTS = 1_000

type Surroundings = Pick<Service, 'keys' | 'now'>

interface Kept {
  readonly keys: readonly SigningKeyRow[]
  readonly at: number
}

const keptKeys = new Map<string, Kept>()
const importedKeys = new Map<string, Promise<CryptoKey>>()

/** What is signed: a JWT of that `typ`. */
export interface Signer {
  sign(typ: string, claims: JWTPayload): Promise<string>
}

/** There is no key to sign with: D1 or SECRET_KEY does not give it, or the tenant is being deleted. */
export class NoSigningKey extends Error {}

/** Signs with the tenant's key that is in force. Rejects with NoSigningKey. */
export async function signerOf(service: Surroundings, database: TenantDatabase): Promise<Signer> {
  const { row, key } = await currentKey(service, database).catch(() => {
    throw new NoSigningKey('the signing key of the tenant cannot be read')
  })
  return {
    sign: (typ, claims) =>
      new SignJWT(claims).setProtectedHeader({ alg: ALGORITHM, typ, kid: row.kid }).sign(key),
  }
}

async function currentKey(
  service: Surroundings,
  database: TenantDatabase,
): Promise<{ row: SigningKeyRow; key: CryptoKey }> {
  const row = inForce(await recentKeys(service, database), service.now())
  if (!row) throw new NoSigningKey('the tenant has no signing key')
  return { row, key: await importedKey(service, database.tenantId, row) }
}

/** The keys by which signatures can be checked, as a JSON Web Key Set holds them; makes the first if there is none. */
export async function publishedKeys(service: Surroundings, database: TenantDatabase): Promise<JWK[]> {
  const keys = await signingKeys(service, database)
  return keys.filter(key => isPublished(key, service.now())).map(publicJwkOf)
}

/** All there ever were, the oldest first; makes the first if there is none. */
export async function signingKeys(
  service: Surroundings,
  database: TenantDatabase,
): Promise<readonly SigningKeyRow[]> {
  const { tenantId } = database
  const [found] = await database.batch([selectSigningKeys(tenantId)])
  const keys = signingKeysOf(found?.rows)
  if (keys.length > 0) return keys
  const first = await newKey(service, tenantId, service.now())
  const done = await database.batch([insertFirstSigningKey(tenantId, first), selectSigningKeys(tenantId)])
  return signingKeysOf(done[1]?.rows)
}

/**
 * A new key: published at once, signing after `signsAfterSeconds`; the ones of before are published until
 * `overlapSeconds` after that. Undefined for a tenant that is being deleted.
 */
export async function rotateKey(
  service: Surroundings,
  database: TenantDatabase,
  { signsAfterSeconds, overlapSeconds }: { signsAfterSeconds: number; overlapSeconds: number },
): Promise<SigningKeyRow | undefined> {
  const { tenantId } = database
  const now = service.now()
  const key = await newKey(service, tenantId, now + signsAfterSeconds * 1000)
  const done = await database.batch(
    rotateSigningKey(tenantId, key, key.signsFrom + overlapSeconds * 1000, now),
  )
  keptKeys.delete(tenantId)
  return done.at(-1)?.changes === 1 ? key : undefined
}

export function isPublished({ publishedUntil }: SigningKeyRow, now: number): boolean {
  return publishedUntil === null || publishedUntil > now
}

/** Of the published keys the one that began to sign last; where a clock says that none has, the first to do so. */
export function inForce(keys: readonly SigningKeyRow[], now: number): SigningKeyRow | undefined {
  const usable = keys
    .filter(key => isPublished(key, now) && key.privateJwk !== null)
    .toSorted((a, b) => a.signsFrom - b.signsFrom)
  return usable.findLast(key => key.signsFrom <= now) ?? usable[0]
}

export function publicJwkOf({ publicJwk }: SigningKeyRow): JWK {
  return JSON.parse(publicJwk) as JWK
}

async function recentKeys(
  service: Surroundings,
  database: TenantDatabase,
): Promise<readonly SigningKeyRow[]> {
  const now = service.now()
  const kept = keptKeys.get(database.tenantId)
  if (kept && Math.abs(now - kept.at) < KEPT_MS) return kept.keys
  // A delivery whose key cannot be read has used up an attempt.
  const keys = await persist(() => signingKeys(service, database))
  if (keptKeys.size >= MAX_TENANTS) keptKeys.clear()
  keptKeys.set(database.tenantId, { keys, at: now })
  return keys
}

function importedKey(
  { keys }: Surroundings,
  tenantId: string,
  { kid, privateJwk }: SigningKeyRow,
): Promise<CryptoKey> {
  const name = signingKeyContext(tenantId, kid)
  let imported = importedKeys.get(name)
  if (!imported) {
    imported = open(keys, privateJwk ?? '', name)
    if (importedKeys.size >= MAX_TENANTS) importedKeys.clear()
    importedKeys.set(name, imported)
    imported.catch(() => importedKeys.delete(name))
  }
  return imported
}

async function open(keys: Service['keys'], sealed: string, context: string): Promise<CryptoKey> {
  const jwk = JSON.parse(await keys.open(sealed, context)) as JWK
  return (await importJWK(jwk, ALGORITHM, { extractable: false })) as CryptoKey
}

async function newKey(
  { keys, now }: Surroundings,
  tenantId: string,
  signsFrom: number,
): Promise<SigningKeyRow> {
  const pair = await generateKeyPair(ALGORITHM, { modulusLength: MODULUS_BITS, extractable: true })
  const [publicHalf, privateHalf] = await Promise.all([exportJWK(pair.publicKey), exportJWK(pair.privateKey)])
  const kid = await calculateJwkThumbprint(publicHalf)
  return {
    kid,
    publicJwk: JSON.stringify({ ...publicHalf, kid, alg: ALGORITHM, use: 'sig' }),
    privateJwk: await keys.seal(JSON.stringify(privateHalf), signingKeyContext(tenantId, kid)),
    createdAt: now(),
    signsFrom,
    publishedUntil: null,
  }
}
