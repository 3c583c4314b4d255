// Statements on mappings: every version of what a connection says on top of the profile, and which is in force.
import { type SQL, sql } from 'drizzle-orm'
import type { Row } from './tenant-database'

/** A connection with the mapping that is in force. */
export interface ConnectionMappingRow {
  readonly connectionId: string
  readonly idp: string
  /** JSON; null where the connection says nothing. */
  readonly document: string | null
}

export interface MappingVersionRow {
  readonly version: number
  /** JSON. */
  readonly document: string
  readonly createdAt: number
}

/** All connections of the tenant; rows for `readConnectionMappings`. */
export function selectConnectionMappings(tenantId: string): SQL {
  return sql`SELECT c.id AS "connectionId", c.idp AS idp, m.document AS document FROM connections c
    LEFT JOIN mappings m ON m.tenant_id = c.tenant_id AND m.connection_id = c.id AND m.version = c.mapping_version
    WHERE c.tenant_id = ${tenantId}`
}

export function readConnectionMappings(rows: readonly Row[]): readonly ConnectionMappingRow[] {
  return rows as unknown as readonly ConnectionMappingRow[]
}

/** The version in force (0: none) and its document. One row, or none for an unknown connection. */
export function selectMapping(tenantId: string, connectionId: string): SQL {
  return sql`SELECT c.mapping_version AS version, c.status AS status, m.document AS document,
      coalesce(m.created_at, c.created_at) AS "createdAt"
    FROM connections c
    LEFT JOIN mappings m ON m.tenant_id = c.tenant_id AND m.connection_id = c.id AND m.version = c.mapping_version
    WHERE c.tenant_id = ${tenantId} AND c.id = ${connectionId}`
}

export function selectMappingVersion(tenantId: string, connectionId: string, version: number): SQL {
  return sql`SELECT version, document, created_at AS "createdAt" FROM mappings
    WHERE tenant_id = ${tenantId} AND connection_id = ${connectionId} AND version = ${version}`
}

/** Newest first. */
export function pageOfMappingVersions(
  tenantId: string,
  connectionId: string,
  before: number,
  limit: number,
): SQL {
  return sql`SELECT version, document, created_at AS "createdAt" FROM mappings
    WHERE tenant_id = ${tenantId} AND connection_id = ${connectionId} AND version < ${before}
    ORDER BY version DESC LIMIT ${limit}`
}

/** A further version, which is in force from now on. */
export function putMapping(tenantId: string, connectionId: string, document: string, now: number): SQL[] {
  const next = sql`(SELECT coalesce(max(version), 0) + 1 FROM mappings
    WHERE tenant_id = ${tenantId} AND connection_id = ${connectionId})`
  return [
    sql`INSERT INTO mappings (tenant_id, connection_id, version, document, created_at)
      VALUES (${tenantId}, ${connectionId}, ${next}, ${document}, ${now})`,
    sql`UPDATE connections SET mapping_version = (SELECT max(version) FROM mappings
        WHERE tenant_id = ${tenantId} AND connection_id = ${connectionId})
      WHERE tenant_id = ${tenantId} AND id = ${connectionId}`,
  ]
}
