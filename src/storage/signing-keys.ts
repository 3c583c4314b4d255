// Statements on a tenant's signing keys: the first one, the next one, and those whose signatures can be checked.
import { type SQL, sql } from 'drizzle-orm'
import type { Row } from './tenant-database'

export interface SigningKeyRow {
  readonly kid: string
  /** JSON. */
  readonly publicJwk: string
  /** JSON, sealed for the context `signingKeyContext`; null once it signs no more. */
  readonly privateJwk: string | null
  readonly createdAt: number
  readonly signsFrom: number
  /** Null while no other key has been made since. */
  readonly publishedUntil: number | null
}

/** What a private key is sealed for: it cannot be moved to another tenant. */
export function signingKeyContext(tenantId: string, kid: string): string {
  return `signing-key:${tenantId}:${kid}`
}

const columns = sql`kid, public_jwk AS "publicJwk", private_jwk AS "privateJwk", created_at AS "createdAt",
  signs_from AS "signsFrom", published_until AS "publishedUntil"`

/** In order of creation. */
export function selectSigningKeys(tenantId: string): SQL {
  return sql`SELECT ${columns} FROM signing_keys WHERE tenant_id = ${tenantId} ORDER BY created_at, signs_from, kid`
}

export function signingKeysOf(rows: readonly Row[] | undefined): readonly SigningKeyRow[] {
  return (rows ?? []) as unknown as SigningKeyRow[]
}

/** The tenant's first key; of several made at once one is kept. A tenant that is being deleted gets none. */
export function insertFirstSigningKey(tenantId: string, key: SigningKeyRow): SQL {
  return insert(
    tenantId,
    key,
    sql`NOT EXISTS (SELECT 1 FROM signing_keys WHERE tenant_id = ${tenantId}) AND ${staysAlive(tenantId)}`,
  )
}

/**
 * A further key. Those of before are published until `publishedUntil`, unless they were to go sooner, and what signs
 * no more forgets its private half.
 */
export function rotateSigningKey(
  tenantId: string,
  key: SigningKeyRow,
  publishedUntil: number,
  now: number,
): SQL[] {
  return [
    sql`UPDATE signing_keys SET published_until = min(coalesce(published_until, ${publishedUntil}), ${publishedUntil})
      WHERE tenant_id = ${tenantId}`,
    sql`UPDATE signing_keys SET private_jwk = NULL WHERE tenant_id = ${tenantId} AND published_until <= ${now}`,
    insert(tenantId, key, staysAlive(tenantId)),
  ]
}

function insert(tenantId: string, key: SigningKeyRow, condition: SQL): SQL {
  return sql`INSERT INTO signing_keys (tenant_id, kid, public_jwk, private_jwk, created_at, signs_from, published_until)
    SELECT ${tenantId}, ${key.kid}, ${key.publicJwk}, ${key.privateJwk}, ${key.createdAt}, ${key.signsFrom}, NULL
    WHERE ${condition}`
}

function staysAlive(tenantId: string): SQL {
  return sql`EXISTS (SELECT 1 FROM tenants WHERE tenant_id = ${tenantId} AND status <> 'deleting')`
}
