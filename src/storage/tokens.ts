// Tokens of connections: the credential of an identity provider, and the rows that say whether it still counts.
import { type SQL, sql } from 'drizzle-orm'
import { configurationVersion } from './configuration-rows'
import { type Claims, type CredentialForm, mintCredential, readCredential } from './credential'
import type { Keys } from './keys'

type TokenId = 'tenantId' | 'connectionId' | 'tokenId'
export type TokenClaims = Claims<TokenId>

const token: CredentialForm<TokenId> = { prefix: 'escim_', ids: ['tenantId', 'connectionId', 'tokenId'] }

export function mintToken(
  keys: Keys,
  ids: Readonly<Record<TokenId, string>>,
): Promise<{ value: string; claims: TokenClaims }> {
  return mintCredential(keys, token, ids)
}

export function readToken(keys: Keys, value: string): Promise<TokenClaims | undefined> {
  return readCredential(keys, token, value)
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
