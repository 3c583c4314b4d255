// Setup links: the credential in the URL of a page for a customer's IT admin, and its rows.
import { type SQL, sql } from 'drizzle-orm'
import { configurationVersion } from './configuration-rows'
import { connectionIsStaying } from './connection-rows'
import { type Claims, type CredentialForm, mintCredential, readCredential } from './credential'
import type { Keys } from './keys'
import { abortUnlessChanged } from './resources'

type SetupLinkId = 'tenantId' | 'linkId'
export type SetupLinkClaims = Claims<SetupLinkId>

export interface SetupLinkRow {
  readonly id: string
  readonly connectionId: string | null
  readonly expiresAt: number
  readonly usedAt: number | null
  readonly createdAt: number
}

/** A link as its page finds it, with its tenant and, if it has one, its connection. */
export interface OpenLinkRow {
  readonly usedAt: number | null
  readonly slug: string
  readonly tenantName: string
  readonly tenantStatus: string
  readonly configurationVersion: number | null
  readonly connectionId: string | null
  readonly idp: string | null
  readonly connectionStatus: string | null
}

const setupLink: CredentialForm<SetupLinkId> = { prefix: 'eslink_', ids: ['tenantId', 'linkId'] }

export function mintSetupLink(
  keys: Keys,
  ids: Readonly<Record<SetupLinkId, string>>,
): Promise<{ value: string; claims: SetupLinkClaims }> {
  return mintCredential(keys, setupLink, ids)
}

export function readSetupLink(keys: Keys, value: string): Promise<SetupLinkClaims | undefined> {
  return readCredential(keys, setupLink, value)
}

/** One `OpenLinkRow`, or none for a link that is unknown, replaced, expired, or whose connection is gone. */
export function selectOpenLink({ tenantId, linkId, hash }: SetupLinkClaims, now: number): SQL {
  return sql`SELECT l.used_at AS "usedAt", t.slug AS slug, t.name AS "tenantName", t.status AS "tenantStatus",
      ${configurationVersion} AS "configurationVersion",
      l.connection_id AS "connectionId", c.idp AS idp, c.status AS "connectionStatus"
    FROM setup_links l CROSS JOIN tenants t
    LEFT JOIN connections c ON c.tenant_id = l.tenant_id AND c.id = l.connection_id AND c.status <> 'deleting'
    WHERE l.tenant_id = ${tenantId} AND l.id = ${linkId} AND l.hash = ${hash} AND l.expires_at > ${now}
      AND t.tenant_id = l.tenant_id AND (l.connection_id IS NULL OR c.id IS NOT NULL)`
}

/**
 * The link's one use, for its connection or, where it has none, for the one that goes right behind. Rolls the batch
 * back ('stale') when the link has been used, or is no longer as it was read.
 */
export function takeSetupLink(
  { tenantId, linkId, hash }: SetupLinkClaims,
  { isNew, connectionId }: { isNew: boolean; connectionId: string },
  now: number,
): SQL[] {
  const asRead = isNew
    ? sql`connection_id IS NULL`
    : sql`connection_id = ${connectionId} AND EXISTS (SELECT 1 FROM connections
        WHERE tenant_id = ${tenantId} AND id = ${connectionId} AND status = 'active')`
  return [
    sql`UPDATE setup_links SET used_at = ${now}, connection_id = ${connectionId}
      WHERE tenant_id = ${tenantId} AND id = ${linkId} AND hash = ${hash} AND used_at IS NULL AND expires_at > ${now}
        AND EXISTS (SELECT 1 FROM tenants WHERE tenant_id = ${tenantId} AND status = 'active') AND ${asRead}`,
    abortUnlessChanged(tenantId),
  ]
}

/** Adds no link to a tenant that is being deleted, nor for a connection that is unknown or being deleted. */
export function insertSetupLink(
  { tenantId, linkId, hash }: SetupLinkClaims,
  { connectionId, expiresAt }: { connectionId: string | null; expiresAt: number },
  now: number,
): SQL {
  const staying = connectionId === null ? sql`1` : connectionIsStaying(tenantId, connectionId)
  return sql`INSERT INTO setup_links (tenant_id, id, connection_id, hash, expires_at, created_at)
    SELECT tenant_id, ${linkId}, ${connectionId}, ${hash}, ${expiresAt}, ${now}
    FROM tenants WHERE tenant_id = ${tenantId} AND status <> 'deleting' AND ${staying}`
}

/** Another secret, with which the link can be used once more; the one before opens nothing from now on. */
export function renewSetupLink({ tenantId, linkId, hash }: SetupLinkClaims, expiresAt: number): SQL {
  return sql`UPDATE setup_links SET hash = ${hash}, expires_at = ${expiresAt}, used_at = NULL
    WHERE tenant_id = ${tenantId} AND id = ${linkId}`
}

/** In order of creation. */
export function pageOfSetupLinks(tenantId: string, afterId: string, limit: number): SQL {
  return sql`SELECT id, connection_id AS "connectionId", expires_at AS "expiresAt", used_at AS "usedAt",
      created_at AS "createdAt"
    FROM setup_links WHERE tenant_id = ${tenantId} AND id > ${afterId} ORDER BY id LIMIT ${limit}`
}

export function deleteSetupLink(tenantId: string, id: string): SQL {
  return sql`DELETE FROM setup_links WHERE tenant_id = ${tenantId} AND id = ${id}`
}

/** The links of a connection that is no more. */
export function deleteOrphanSetupLinks(tenantId: string, connectionId: string): SQL {
  return sql`DELETE FROM setup_links WHERE tenant_id = ${tenantId} AND connection_id = ${connectionId}
    AND NOT ${connectionExists(tenantId, connectionId)}`
}

function connectionExists(tenantId: string, id: string): SQL {
  return sql`EXISTS (SELECT 1 FROM connections WHERE tenant_id = ${tenantId} AND id = ${id})`
}
