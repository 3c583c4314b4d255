// Statements on a tenant's own resource types.
import { type SQL, sql } from 'drizzle-orm'
import type { Row } from './tenant-database'

export interface ResourceTypeRow {
  readonly name: string
  readonly document: string
}

/** Oldest first. */
export function selectResourceTypes(tenantId: string): SQL {
  return sql`SELECT name, document FROM tenant_resource_types WHERE tenant_id = ${tenantId}
    ORDER BY created_at, name`
}

export function readResourceTypeRows(rows: readonly Row[]): readonly ResourceTypeRow[] {
  return rows.map(row => ({ name: String(row.name), document: String(row.document) }))
}

export function upsertResourceType(tenantId: string, type: ResourceTypeRow, now: number): SQL {
  return sql`INSERT INTO tenant_resource_types (tenant_id, name, document, created_at)
    VALUES (${tenantId}, ${type.name}, ${type.document}, ${now})
    ON CONFLICT DO UPDATE SET document = excluded.document`
}

/** Leaves the type's `totals` and `gaps`: should it come back, its serials go on. */
export function deleteResourceType(tenantId: string, name: string): SQL {
  return sql`DELETE FROM tenant_resource_types WHERE tenant_id = ${tenantId} AND name = ${name}`
}

/** How many resources there are of the type; one column, `resources`. */
export function countResources(tenantId: string, typeName: string): SQL {
  return sql`SELECT count(*) AS resources FROM resources WHERE ${ofType(tenantId, typeName)}`
}

/** Ends the batch ('stale') while there are resources of the type. */
export function abortIfUsed(tenantId: string, typeName: string): SQL {
  return sql`INSERT INTO aborts (tenant_id, reason) SELECT ${tenantId}, 'stale_version'
    WHERE EXISTS (SELECT 1 FROM resources WHERE ${ofType(tenantId, typeName)})`
}

function ofType(tenantId: string, typeName: string): SQL {
  return sql`tenant_id = ${tenantId} AND type = ${typeName}`
}
