// The directory of tenants, the one global table: which slug is which tenant. Nothing joins it with anything.
import { STANDARD_PROFILE } from '../mapping/shipped-profiles'
import type { Row } from './tenant-database'
import type { TenantRow } from './tenant-rows'

/** Name of the D1 binding that new tenants live in; a second database is a second binding. */
const DATABASE = 'DB'

export interface DirectoryEntry {
  readonly slug: string
  readonly tenantId: string
}

/** The directory's row and the tenant's own, both or neither; a taken slug is a `unique` failure. */
export async function insertTenant(
  d1: D1Database,
  tenant: TenantRow & { readonly profileDocument: string | null },
): Promise<void> {
  const { tenantId, slug, name, profile, profileVersion, profileDocument, status, createdAt } = tenant
  const configured = profile !== STANDARD_PROFILE || profileDocument !== null
  await d1.batch([
    d1
      .prepare('INSERT INTO tenant_directory (slug, tenant_id, database, created_at) VALUES (?, ?, ?, ?)')
      .bind(slug, tenantId, DATABASE, createdAt),
    d1
      .prepare(
        `INSERT INTO tenants (tenant_id, slug, name, profile, profile_version, profile_document, status,
            config_version, configured, created_at)
          VALUES (?, ?, ?, ?, ?, ?, ?, 1, ?, ?)`,
      )
      .bind(
        ...[tenantId, slug, name, profile, profileVersion, profileDocument, status],
        ...[Number(configured), createdAt],
      ),
  ])
}

export async function findInDirectory(d1: D1Database, slug: string): Promise<DirectoryEntry | undefined> {
  const statement = d1.prepare('SELECT slug, tenant_id AS tenantId FROM tenant_directory WHERE slug = ?')
  return (await statement.bind(slug).first<DirectoryEntry>()) ?? undefined
}

/** Entries in order of slug, the table's own order. */
export async function pageOfDirectory(
  d1: D1Database,
  afterSlug: string,
  limit: number,
): Promise<readonly DirectoryEntry[]> {
  const statement = d1.prepare(
    'SELECT slug, tenant_id AS tenantId FROM tenant_directory WHERE slug > ? ORDER BY slug LIMIT ?',
  )
  return (await statement.bind(afterSlug, limit).all<DirectoryEntry>()).results
}

/** The tenants' own rows, one statement each: no statement touches two tenants. One round trip. */
export async function tenantsOf(
  d1: D1Database,
  entries: readonly DirectoryEntry[],
): Promise<readonly TenantRow[]> {
  if (entries.length === 0) return []
  const statement = d1.prepare(
    `SELECT tenant_id AS tenantId, slug, name, profile, profile_version AS profileVersion, status,
        created_at AS createdAt
      FROM tenants WHERE tenant_id = ?`,
  )
  const results = await d1.batch<Row>(entries.map(entry => statement.bind(entry.tenantId)))
  return results.flatMap(result => result.results as unknown as TenantRow[])
}

/** The last step of deleting a tenant: its slug is free again. */
export async function removeFromDirectory(d1: D1Database, entry: DirectoryEntry): Promise<void> {
  await d1
    .prepare('DELETE FROM tenant_directory WHERE slug = ? AND tenant_id = ?')
    .bind(entry.slug, entry.tenantId)
    .run()
}

/** Tenant ids of those slugs that exist. */
export async function tenantIdsOf(
  d1: D1Database,
  slugs: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const statement = d1.prepare(
    'SELECT slug, tenant_id AS tenantId FROM tenant_directory WHERE slug IN (SELECT value FROM json_each(?))',
  )
  const { results } = await statement.bind(JSON.stringify(slugs)).all<DirectoryEntry>()
  return new Map(results.map(entry => [entry.slug, entry.tenantId]))
}
