// What a tenant has beyond the standard, read as one, and the version by which a cached copy is known to be good.
import { type SQL, sql } from 'drizzle-orm'
import { STANDARD_PROFILE } from '../mapping/shipped-profiles'
import { type BreakerRow, selectBreaker } from './breaker-rows'
import { type ConnectionMappingRow, readConnectionMappings, selectConnectionMappings } from './mapping-rows'
import { type ResourceTypeRow, readResourceTypeRows, selectResourceTypes } from './resource-type-rows'
import { hasGroupRoles, selectDecidedRoles } from './roles'
import { readSchemaRows, type SchemaRow, selectSchemas } from './schema-rows'
import type { Outcome } from './tenant-database'

export interface StoredConfiguration {
  /** See `configurationVersion`. */
  readonly version: number | null
  /** The tenant's config_version, whatever it has. */
  readonly configVersion: number
  readonly status: string
  readonly profile: ProfileCopy
  readonly mappings: readonly ConnectionMappingRow[]
  /** Roles from an attribute of which the operator says whether they are privileged. */
  readonly decidedRoles: readonly { readonly name: string; readonly privileged: number }[]
  /** Some groups are roles, whatever the profile says now. */
  readonly hasGroupRoles: boolean
  /** Undefined where it was never set. */
  readonly breaker: BreakerRow | undefined
  /** Both oldest first. */
  readonly resourceTypes: readonly ResourceTypeRow[]
  readonly schemas: readonly SchemaRow[]
}

/** The tenant's own copy of its profile. */
export interface ProfileCopy {
  readonly name: string
  readonly version: number
  /** JSON; null for one that ships with the service. */
  readonly document: string | null
}

/** Of the tenant row `t`: its config_version, or null where it has nothing beyond the standard, as most have not. */
export const configurationVersion = sql.raw('CASE WHEN t.configured THEN t.config_version END')

/** Statements of one batch, for `readConfiguration`. */
export function selectConfiguration(tenantId: string): SQL[] {
  return [
    sql`SELECT ${configurationVersion} AS version, t.config_version, t.status,
        t.profile, t.profile_version, t.profile_document, ${hasGroupRoles(tenantId)} AS has_group_roles
      FROM tenants t WHERE t.tenant_id = ${tenantId}`,
    selectResourceTypes(tenantId),
    selectSchemas(tenantId),
    selectConnectionMappings(tenantId),
    selectDecidedRoles(tenantId),
    selectBreaker(tenantId),
  ]
}

/** Undefined where there is no such tenant any more. */
export function readConfiguration(outcomes: readonly Outcome[]): StoredConfiguration | undefined {
  const [tenant, resourceTypes, schemas, mappings, roles, breakers] = outcomes.map(({ rows }) => rows)
  const row = tenant?.[0]
  return (
    row && {
      version: row.version === null ? null : Number(row.version),
      configVersion: Number(row.config_version),
      status: String(row.status),
      profile: {
        name: String(row.profile),
        version: Number(row.profile_version),
        document: row.profile_document === null ? null : String(row.profile_document),
      },
      mappings: readConnectionMappings(mappings ?? []),
      decidedRoles: (roles ?? []) as unknown as StoredConfiguration['decidedRoles'],
      hasGroupRoles: row.has_group_roles === 1,
      breaker: breakers?.[0] as BreakerRow | undefined,
      resourceTypes: readResourceTypeRows(resourceTypes ?? []),
      schemas: readSchemaRows(schemas ?? []),
    }
  )
}

/** The last of a change to what a tenant has beyond the standard: cached copies are out of date. */
export function raiseConfigurationVersion(tenantId: string, condition = sql`1`): SQL {
  const has = (table: string) =>
    sql`EXISTS (SELECT 1 FROM ${sql.raw(table)} x WHERE x.tenant_id = ${tenantId})`
  return sql`UPDATE tenants SET config_version = config_version + 1,
      configured = ${has('tenant_schemas')} OR ${has('tenant_resource_types')} OR ${has('mappings')}
        OR ${has('breakers')} OR ${hasGroupRoles(tenantId)}
        OR profile <> ${STANDARD_PROFILE} OR profile_document IS NOT NULL
    WHERE tenant_id = ${tenantId} AND ${condition}`
}

/** Ends the batch ('configuration') unless this version is the tenant's; null: it has nothing of its own. */
export function abortUnlessCurrent(tenantId: string, version: number | null): SQL {
  return sql`INSERT INTO aborts (tenant_id, reason) SELECT ${tenantId}, 'stale_configuration' WHERE NOT EXISTS (
    SELECT 1 FROM tenants t WHERE t.tenant_id = ${tenantId} AND ${configurationVersion} IS ${version})`
}

/** Ends the batch ('stale') unless the tenant is as it was read, and goes on to be. */
export function abortUnlessConfiguration(tenantId: string, configVersion: number): SQL {
  return sql`INSERT INTO aborts (tenant_id, reason) SELECT ${tenantId}, 'stale_version' WHERE NOT EXISTS (
    SELECT 1 FROM tenants WHERE tenant_id = ${tenantId} AND config_version = ${configVersion}
      AND status <> 'deleting')`
}

/** For `abortUnlessConfiguration`. One column, `config_version`. */
export function selectConfigVersion(tenantId: string): SQL {
  return sql`SELECT config_version FROM tenants WHERE tenant_id = ${tenantId}`
}
