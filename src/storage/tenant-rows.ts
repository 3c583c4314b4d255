// Statements on a tenant's own row. Each change of it raises config_version, which cached copies notice.
import { type SQL, sql } from 'drizzle-orm'

export type TenantStatus = 'active' | 'suspended' | 'deleting'

export interface TenantRow {
  readonly tenantId: string
  readonly slug: string
  readonly name: string
  readonly profile: string
  readonly profileVersion: number
  readonly status: TenantStatus
  readonly createdAt: number
}

export function selectTenant(tenantId: string): SQL {
  return sql`SELECT tenant_id AS "tenantId", slug, name, profile, profile_version AS "profileVersion", status,
      created_at AS "createdAt"
    FROM tenants WHERE tenant_id = ${tenantId}`
}

/** A token outlives its tenant: what is tried with it is nobody's to be logged. */
export function tenantExists(tenantId: string): SQL {
  return sql`EXISTS (SELECT 1 FROM tenants WHERE tenant_id = ${tenantId})`
}

/** Changes nothing of a tenant that is being deleted. */
export function updateTenant(tenantId: string, change: { name: string | null; status: string | null }): SQL {
  return sql`UPDATE tenants SET name = coalesce(${change.name}, name), status = coalesce(${change.status}, status),
      config_version = config_version + 1
    WHERE tenant_id = ${tenantId} AND status <> 'deleting'`
}

/** Goes right behind the statement that decides the deletion, and does nothing if that one did nothing. */
export function markTenantDeleting(tenantId: string): SQL {
  return sql`UPDATE tenants SET status = 'deleting', config_version = config_version + 1
    WHERE tenant_id = ${tenantId} AND changes() > 0`
}

/** The tenant's cached configuration is out of date, if the statement before this one changed anything. */
export function raiseConfigVersion(tenantId: string): SQL {
  return sql`UPDATE tenants SET config_version = config_version + 1 WHERE tenant_id = ${tenantId} AND changes() > 0`
}

/** Holds while the tenant is active and this change is about to suspend it. */
export function isAboutToBeSuspended(tenantId: string, newStatus: string | null): SQL {
  return sql`${newStatus} IS 'suspended'
    AND EXISTS (SELECT 1 FROM tenants WHERE tenant_id = ${tenantId} AND status = 'active')`
}

/** Holds while the tenant is not being deleted and, unless its users are to be deactivated, has no active ones. */
export function mayBeDeleted(tenantId: string, deactivateUsers: boolean): SQL {
  const staying = sql`EXISTS (SELECT 1 FROM tenants WHERE tenant_id = ${tenantId} AND status <> 'deleting')`
  return deactivateUsers ? staying : sql`${staying} AND ${noActiveUsers(tenantId, null)}`
}

/** How many users have access, of the tenant or of one connection; one column, `active`. */
export function countActiveUsers(tenantId: string, connectionId: string | null): SQL {
  return sql`SELECT count(*) AS active FROM resources WHERE ${areActive(tenantId, connectionId)}`
}

export function noActiveUsers(tenantId: string, connectionId: string | null): SQL {
  return sql`NOT EXISTS (SELECT 1 FROM resources WHERE ${areActive(tenantId, connectionId)})`
}

function areActive(tenantId: string, connectionId: string | null): SQL {
  const ofConnection = connectionId === null ? sql`` : sql` AND connection_id = ${connectionId}`
  return sql`tenant_id = ${tenantId} AND active = 1${ofConnection}`
}
