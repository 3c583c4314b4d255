// App keys: the credential by which an application reads the directory of its tenant, and its rows.
import { type SQL, sql } from 'drizzle-orm'
import { configurationVersion } from './configuration-rows'
import { type Claims, type CredentialForm, mintCredential, readCredential } from './credential'
import type { Keys } from './keys'

type AppKeyId = 'tenantId' | 'keyId'
export type AppKeyClaims = Claims<AppKeyId>

export interface AppKeyRow {
  readonly id: string
  readonly name: string | null
  readonly hint: string
  readonly createdAt: number
  readonly lastUsedAt: number | null
}

const appKey: CredentialForm<AppKeyId> = { prefix: 'eskey_', ids: ['tenantId', 'keyId'] }

export function mintAppKey(
  keys: Keys,
  ids: Readonly<Record<AppKeyId, string>>,
): Promise<{ value: string; claims: AppKeyClaims }> {
  return mintCredential(keys, appKey, ids)
}

export function readAppKey(keys: Keys, value: string): Promise<AppKeyClaims | undefined> {
  return readCredential(keys, appKey, value)
}

/** The rows an app key stands for, or none when it is unknown or revoked, whatever the tenant's status. */
export function appKeyStatement({ tenantId, keyId, hash }: AppKeyClaims): SQL {
  return sql`SELECT t.slug AS slug, ${configurationVersion} AS configuration_version, k.last_used_at AS last_used_at
    FROM app_keys k CROSS JOIN tenants t
    WHERE k.tenant_id = ${tenantId} AND k.id = ${keyId} AND k.hash = ${hash} AND t.tenant_id = k.tenant_id`
}

/** What guards a write that comes with the credential: with an app key nothing is ever written. */
export const neverWrites = sql`0`

export function markAppKeyUsed({ tenantId, keyId }: AppKeyClaims, now: number): SQL {
  return sql`UPDATE app_keys SET last_used_at = ${now} WHERE tenant_id = ${tenantId} AND id = ${keyId}`
}

/** Issues nothing for a tenant that is being deleted. */
export function issueAppKey(claims: AppKeyClaims, name: string | null, now: number): SQL {
  return sql`INSERT INTO app_keys (tenant_id, id, name, hash, hint, created_at)
    SELECT tenant_id, ${claims.keyId}, ${name}, ${claims.hash}, ${claims.hint}, ${now}
    FROM tenants WHERE tenant_id = ${claims.tenantId} AND status <> 'deleting'`
}

/** In order of creation. */
export function pageOfAppKeys(tenantId: string, afterId: string, limit: number): SQL {
  return sql`SELECT id, name, hint, created_at AS "createdAt", last_used_at AS "lastUsedAt"
    FROM app_keys WHERE tenant_id = ${tenantId} AND id > ${afterId} ORDER BY id LIMIT ${limit}`
}

export function deleteAppKey(tenantId: string, keyId: string): SQL {
  return sql`DELETE FROM app_keys WHERE tenant_id = ${tenantId} AND id = ${keyId}`
}
