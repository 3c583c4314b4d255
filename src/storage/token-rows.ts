// Statements on the tokens of a connection as the operator handles them: issue, supersede, list, revoke.
import { type SQL, sql } from 'drizzle-orm'
import type { TokenClaims } from './tokens'

export interface TokenRow {
  readonly id: string
  readonly hint: string
  readonly createdAt: number
  readonly lastUsedAt: number | null
  readonly expiresAt: number | null
  readonly revokedAt: number | null
}

/** In order of creation. */
export function pageOfTokens(tenantId: string, connectionId: string, afterId: string, limit: number): SQL {
  return sql`SELECT id, hint, created_at AS "createdAt", last_used_at AS "lastUsedAt", expires_at AS "expiresAt",
      revoked_at AS "revokedAt"
    FROM tokens WHERE tenant_id = ${tenantId} AND connection_id = ${connectionId} AND id > ${afterId}
    ORDER BY id LIMIT ${limit}`
}

/** Newest tokens of a connection that are looked at for the one in use. */
const FEW_TOKENS = 10

/**
 * Of each active connection the token in use, if it expires: `connection`, `expires_at`. In use is the newest that has
 * been used, since its first use ended the older ones; before any was, the newest. One that has expired stays in use.
 */
export function selectExpiries(tenantId: string): SQL {
  return sql`SELECT c.id AS connection, k.expires_at AS expires_at FROM connections c
    CROSS JOIN tokens k ON k.tenant_id = c.tenant_id AND k.id = (
      SELECT id FROM (SELECT id, last_used_at, revoked_at FROM tokens
        WHERE tenant_id = c.tenant_id AND connection_id = c.id ORDER BY id DESC LIMIT ${FEW_TOKENS})
      WHERE revoked_at IS NULL ORDER BY last_used_at IS NULL, id DESC LIMIT 1)
    WHERE c.tenant_id = ${tenantId} AND c.status = 'active' AND k.expires_at IS NOT NULL ORDER BY c.id`
}

/** Issues nothing for a connection that is unknown or being deleted. */
export function issueToken(claims: TokenClaims, now: number, expiresAt: number | null): SQL {
  return sql`INSERT INTO tokens (tenant_id, id, connection_id, hash, hint, created_at, expires_at)
    SELECT tenant_id, ${claims.tokenId}, id, ${claims.hash}, ${claims.hint}, ${now}, ${expiresAt}
    FROM connections
    WHERE tenant_id = ${claims.tenantId} AND id = ${claims.connectionId} AND status <> 'deleting'`
}

/** Right behind issueToken: every older token stops working at once. */
export function revokeOlderTokens(claims: TokenClaims, now: number): SQL {
  return sql`UPDATE tokens SET revoked_at = ${now} WHERE ${isOlder(claims)} AND changes() > 0`
}

/**
 * Right behind issueToken: older tokens live until then, or until their successor is first used. A token that
 * already has a successor keeps it: the first use of that one ends it, and so does that of any later one.
 */
export function supersedeOlderTokens(claims: TokenClaims, until: number): SQL {
  return sql`UPDATE tokens SET expires_at = min(coalesce(expires_at, ${until}), ${until}),
      superseded_by = coalesce(superseded_by, ${claims.tokenId})
    WHERE ${isOlder(claims)} AND changes() > 0`
}

function isOlder({ tenantId, connectionId, tokenId }: TokenClaims): SQL {
  return sql`tenant_id = ${tenantId} AND connection_id = ${connectionId} AND id <> ${tokenId} AND revoked_at IS NULL`
}

/** Revoking twice keeps the first time; one row comes back if there is such a token. */
export function revokeToken(tenantId: string, connectionId: string, tokenId: string, now: number): SQL {
  return sql`UPDATE tokens SET revoked_at = coalesce(revoked_at, ${now})
    WHERE tenant_id = ${tenantId} AND id = ${tokenId} AND connection_id = ${connectionId} RETURNING id`
}
