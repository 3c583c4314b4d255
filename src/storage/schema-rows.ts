// Statements on a tenant's own schemas, and on the version by which a cached copy of them is known to be good.
import { type SQL, sql } from 'drizzle-orm'
import type { Row } from './tenant-database'

export interface SchemaRow {
  readonly urn: string
  /** Name of the resource type. */
  readonly extends: string
  readonly document: string
}

/** Of the tenant row `t`: its config_version, or null where it has no schemas of its own, as most have none. */
export const schemasVersion = sql.raw(`CASE WHEN EXISTS (SELECT 1 FROM tenant_schemas x
  WHERE x.tenant_id = t.tenant_id) THEN t.config_version END`)

/** The tenant's schemas, oldest first; each row, and the only one where there are none, has the version. */
export function selectSchemas(tenantId: string): SQL {
  return sql`SELECT ${schemasVersion} AS version, t.config_version, t.status, s.urn, s.extends, s.document
    FROM tenants t LEFT JOIN tenant_schemas s ON s.tenant_id = t.tenant_id
    WHERE t.tenant_id = ${tenantId} ORDER BY s.created_at, s.urn`
}

export function readSchemaRows(rows: readonly Row[]): readonly SchemaRow[] {
  return rows.flatMap(row =>
    row.urn === null
      ? []
      : [{ urn: String(row.urn), extends: String(row.extends), document: String(row.document) }],
  )
}

/** Ends the batch ('configuration') unless the tenant's schemas are those of this version; null: it has none. */
export function abortUnlessSchemas(tenantId: string, version: number | null): SQL {
  return sql`INSERT INTO aborts (tenant_id, reason) SELECT ${tenantId}, 'stale_configuration' WHERE NOT EXISTS (
    SELECT 1 FROM tenants t WHERE t.tenant_id = ${tenantId} AND ${schemasVersion} IS ${version})`
}

/** Ends the batch ('stale') unless the tenant is as it was read, and goes on to be. */
export function abortUnlessConfiguration(tenantId: string, configVersion: number): SQL {
  return sql`INSERT INTO aborts (tenant_id, reason) SELECT ${tenantId}, 'stale_version' WHERE NOT EXISTS (
    SELECT 1 FROM tenants WHERE tenant_id = ${tenantId} AND config_version = ${configVersion}
      AND status <> 'deleting')`
}

export function upsertSchema(tenantId: string, schema: SchemaRow, now: number): SQL {
  return sql`INSERT INTO tenant_schemas (tenant_id, urn, extends, document, created_at)
    VALUES (${tenantId}, ${schema.urn}, ${schema.extends}, ${schema.document}, ${now})
    ON CONFLICT DO UPDATE SET document = excluded.document`
}

export function deleteSchema(tenantId: string, urn: string): SQL {
  return sql`DELETE FROM tenant_schemas WHERE tenant_id = ${tenantId} AND urn = ${urn}`
}
