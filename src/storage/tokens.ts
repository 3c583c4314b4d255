// Bearer tokens: what they carry, how one is minted and read, and the rows that say whether it still counts.
//
// A token is `escim_` and base64url of tenant id, connection id, token id (16 bytes each), a secret (24 bytes)
// and the first 16 bytes of a MAC over all of it. So a forged token dies without a look at D1, and a real one
// says by itself which rows to ask. Stored are only the SHA-256 of the secret and the last four characters.
import { type SQL, sql } from 'drizzle-orm'
import { configurationVersion } from './configuration-rows'
import { concat, fromBase64Url, type Keys, sha256Hex, toBase64Url, toHex } from './keys'

const PREFIX = 'escim_'
const ID_BYTES = 16
const SECRET_BYTES = 24
const MAC_BYTES = 16
const BODY_BYTES = 3 * ID_BYTES + SECRET_BYTES

export interface TokenClaims {
  readonly tenantId: string
  readonly connectionId: string
  readonly tokenId: string
  /** SHA-256 of the secret, hex. */
  readonly hash: string
  /** Last four characters of the token. */
  readonly hint: string
}

/** A new token: its value, to be shown once, and what is stored of it. */
export async function mintToken(
  keys: Keys,
  ids: { tenantId: string; connectionId: string; tokenId: string },
): Promise<{ value: string; claims: TokenClaims }> {
  const secret = crypto.getRandomValues(new Uint8Array(SECRET_BYTES))
  const body = concat(uuidBytes(ids.tenantId), uuidBytes(ids.connectionId), uuidBytes(ids.tokenId), secret)
  const mac = (await keys.mac(body)).slice(0, MAC_BYTES)
  const value = PREFIX + toBase64Url(concat(body, mac))
  return { value, claims: { ...ids, hash: await sha256Hex(secret), hint: value.slice(-4) } }
}

/**
 * What the isolate has read of tokens that this service made. It says nothing about whether they still count: that
 * is asked of D1 with every request. What a token says never changes under the keys it was read with.
 */
const known = new WeakMap<Keys, Map<string, TokenClaims>>()
const MAX_KNOWN = 5_000

/** What a token says, if this service made it; undefined otherwise. Never touches D1. */
export async function readToken(keys: Keys, value: string): Promise<TokenClaims | undefined> {
  const claimsOf = known.get(keys) ?? new Map<string, TokenClaims>()
  known.set(keys, claimsOf)
  const claims = claimsOf.get(value) ?? (await verifiedClaims(keys, value))
  if (!claims || claimsOf.has(value)) return claims
  if (claimsOf.size >= MAX_KNOWN) claimsOf.clear()
  claimsOf.set(value, claims)
  return claims
}

async function verifiedClaims(keys: Keys, value: string): Promise<TokenClaims | undefined> {
  if (!value.startsWith(PREFIX) || value.length > 200) return undefined
  const bytes = fromBase64Url(value.slice(PREFIX.length))
  if (bytes?.length !== BODY_BYTES + MAC_BYTES) return undefined
  const body = bytes.slice(0, BODY_BYTES)
  const mac = (await keys.mac(body)).slice(0, MAC_BYTES)
  if (!crypto.subtle.timingSafeEqual(mac, bytes.slice(BODY_BYTES))) return undefined
  return {
    tenantId: uuidText(body.slice(0, ID_BYTES)),
    connectionId: uuidText(body.slice(ID_BYTES, 2 * ID_BYTES)),
    tokenId: uuidText(body.slice(2 * ID_BYTES, 3 * ID_BYTES)),
    hash: await sha256Hex(body.slice(3 * ID_BYTES)),
    hint: value.slice(-4),
  }
}

function uuidBytes(uuid: string): Uint8Array {
  const hex = uuid.replaceAll('-', '')
  return Uint8Array.from({ length: ID_BYTES }, (_, i) => Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16))
}

function uuidText(bytes: Uint8Array): string {
  const hex = toHex(bytes)
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}

/**
 * The rows a token stands for, or none when it is unknown, revoked or expired. A successor that has been used
 * revokes its predecessors when that happens (`markUsed`), so nothing more is asked here.
 */
export function credentialStatement(claims: TokenClaims, now: number): SQL {
  return sql`SELECT t.slug AS slug, t.status AS tenant_status, ${configurationVersion} AS configuration_version,
      c.status AS connection_status, c.mode AS mode,
      k.last_used_at AS last_used_at
    FROM tokens k
    JOIN connections c ON c.tenant_id = k.tenant_id AND c.id = k.connection_id
    JOIN tenants t ON t.tenant_id = k.tenant_id
    WHERE k.tenant_id = ${claims.tenantId} AND k.id = ${claims.tokenId} AND k.connection_id = ${claims.connectionId}
      AND k.hash = ${claims.hash} AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > ${now})`
}

/**
 * Notes the use of a token; its first use ends the tokens it replaced. A predecessor names its first successor
 * only, and ids are in order of creation: so everything up to this token is meant.
 */
export function markUsed(claims: TokenClaims, now: number): SQL[] {
  return [
    sql`UPDATE tokens SET last_used_at = ${now} WHERE tenant_id = ${claims.tenantId} AND id = ${claims.tokenId}`,
    sql`UPDATE tokens SET revoked_at = ${now}
      WHERE tenant_id = ${claims.tenantId} AND connection_id = ${claims.connectionId}
        AND superseded_by <= ${claims.tokenId} AND revoked_at IS NULL`,
  ]
}

/** Holds exactly when the token counts for this tenant's URL, in this mode, with this configuration, right now. */
export function credentialCounts(
  claims: TokenClaims,
  now: number,
  { slug, mode, configuration }: { slug: string | undefined; mode: string; configuration: number | null },
): SQL {
  const ofSlug = slug === undefined ? sql`` : sql` AND slug = ${slug}`
  return sql`EXISTS (SELECT 1 FROM (${credentialStatement(claims, now)}) WHERE tenant_status = 'active'
    AND connection_status = 'active' AND mode = ${mode} AND configuration_version IS ${configuration}${ofSlug})`
}
