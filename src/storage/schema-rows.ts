// Statements on a tenant's own schemas, each an extension of a resource type.
import { type SQL, sql } from 'drizzle-orm'
import type { Row } from './tenant-database'

export interface SchemaRow {
  readonly urn: string
  /** Name of the resource type. */
  readonly extends: string
  readonly document: string
}

/** Oldest first. */
export function selectSchemas(tenantId: string): SQL {
  return sql`SELECT urn, extends, document FROM tenant_schemas WHERE tenant_id = ${tenantId}
    ORDER BY created_at, urn`
}

export function readSchemaRows(rows: readonly Row[]): readonly SchemaRow[] {
  return rows.map(row => ({
    urn: String(row.urn),
    extends: String(row.extends),
    document: String(row.document),
  }))
}

export function upsertSchema(tenantId: string, schema: SchemaRow, now: number, condition = sql`1`): SQL {
  return sql`INSERT INTO tenant_schemas (tenant_id, urn, extends, document, created_at)
    SELECT ${tenantId}, ${schema.urn}, ${schema.extends}, ${schema.document}, ${now} WHERE ${condition}
    ON CONFLICT DO UPDATE SET document = excluded.document`
}

export function deleteSchema(tenantId: string, urn: string): SQL {
  return sql`DELETE FROM tenant_schemas WHERE tenant_id = ${tenantId} AND urn = ${urn}`
}
