// The directory of tenants, the one global table: which slug is which tenant. Nothing joins it with anything.
import { STANDARD_PROFILE } from '../mapping/shipped-profiles'
import { bindingOf, type Databases, databaseOf } from './databases'
import { askEach, wasRolledBack } from './tenant-database'
import { selectTenant, type TenantRow } from './tenant-rows'

export interface DirectoryEntry {
  readonly slug: string
  readonly tenantId: string
}

/**
 * The tenant's own row, in the database that its id names, and then the directory's; a taken slug is a `unique`
 * failure, and leaves none. What ends between the two leaves a row that nothing leads to, which does no harm: an entry
 * that leads to no row would keep its slug for good.
 */
export async function insertTenant(
  databases: Databases,
  tenant: TenantRow & { readonly profileDocument: string | null },
): Promise<void> {
  const { tenantId, slug, name, profile, profileVersion, profileDocument, status, createdAt } = tenant
  const configured = profile !== STANDARD_PROFILE || profileDocument !== null
  const own = databaseOf(databases, tenantId)
  await own
    .prepare(
      `INSERT INTO tenants (tenant_id, slug, name, profile, profile_version, profile_document, status,
          config_version, configured, created_at)
        VALUES (?, ?, ?, ?, ?, ?, ?, 1, ?, ?)`,
    )
    .bind(
      ...[tenantId, slug, name, profile, profileVersion, profileDocument, status],
      ...[Number(configured), createdAt],
    )
    .run()
  try {
    await databases.d1
      .prepare('INSERT INTO tenant_directory (slug, tenant_id, database, created_at) VALUES (?, ?, ?, ?)')
      .bind(slug, tenantId, bindingOf(tenantId), createdAt)
      .run()
  } catch (error) {
    // Where the answer did not come the entry may be there all the same.
    if (wasRolledBack(error))
      await own.prepare('DELETE FROM tenants WHERE tenant_id = ?').bind(tenantId).run()
    throw error
  }
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

/** The tenants' own rows. */
export async function tenantsOf(
  databases: Databases,
  entries: readonly DirectoryEntry[],
): Promise<readonly TenantRow[]> {
  const ids = entries.map(({ tenantId }) => tenantId)
  return (await askEach(databases, ids, selectTenant)).flatMap(rows => rows as unknown as TenantRow[])
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
