// The deployment's profiles: every version of each document, and how far the tenants have been given the newest.
// Like the directory of tenants they belong to no tenant, and nothing joins them with anything.
import { type SQL, sql } from 'drizzle-orm'
import { abortUnlessChanged } from './resources'
import { failure } from './tenant-database'

export interface ProfileRow {
  readonly name: string
  readonly version: number
  /** JSON. */
  readonly document: string
  readonly createdAt: number
}

const columns = 'name, version, document, created_at AS createdAt'
const newest = 'version = (SELECT max(version) FROM profiles n WHERE n.name = profiles.name)'

/** The newest version of each, in order of name. */
export async function pageOfProfiles(
  d1: D1Database,
  afterName: string,
  limit: number,
): Promise<ProfileRow[]> {
  const statement = d1.prepare(
    `SELECT ${columns} FROM profiles WHERE name > ? AND ${newest} ORDER BY name LIMIT ?`,
  )
  return (await statement.bind(afterName, limit).all<ProfileRow>()).results
}

/** The newest version, or the one that is named. */
export async function findProfile(
  d1: D1Database,
  name: string,
  version?: number,
): Promise<ProfileRow | undefined> {
  const statement =
    version === undefined
      ? d1.prepare(`SELECT ${columns} FROM profiles WHERE name = ? ORDER BY version DESC LIMIT 1`).bind(name)
      : d1.prepare(`SELECT ${columns} FROM profiles WHERE name = ? AND version = ?`).bind(name, version)
  return (await statement.first<ProfileRow>()) ?? undefined
}

/** Newest first. */
export async function pageOfProfileVersions(
  d1: D1Database,
  name: string,
  before: number,
  limit: number,
): Promise<ProfileRow[]> {
  const statement = d1.prepare(
    `SELECT ${columns} FROM profiles WHERE name = ? AND version < ? ORDER BY version DESC LIMIT ?`,
  )
  return (await statement.bind(name, before, limit).all<ProfileRow>()).results
}

/** A further version, to be given to the tenants from the first one on. */
export async function insertProfile(
  d1: D1Database,
  name: string,
  document: string,
  now: number,
): Promise<ProfileRow> {
  const statement = d1.prepare(
    `INSERT INTO profiles (name, version, document, created_at, adopted_slug, wake_at)
      SELECT ?1, coalesce((SELECT max(version) FROM profiles WHERE name = ?1), 0) + 1, ?2, ?3, '', ?3
      RETURNING ${columns}`,
  )
  try {
    const row = await statement.bind(name, document, now).first<ProfileRow>()
    if (row) return row
  } catch (error) {
    // Two at once: the other one is the version before.
    if (failure(error) !== 'unique') throw error
  }
  return insertProfile(d1, name, document, now)
}

export async function deleteProfile(d1: D1Database, name: string): Promise<void> {
  await d1.prepare('DELETE FROM profiles WHERE name = ?').bind(name).run()
}

export interface Adoption {
  readonly name: string
  readonly version: number
  readonly document: string
  /** Tenants up to this slug have it. */
  readonly adoptedSlug: string
}

/** The newest version while not all tenants have it. */
export async function findAdoption(d1: D1Database, name: string): Promise<Adoption | undefined> {
  const statement = d1.prepare(
    `SELECT name, version, document, adopted_slug AS adoptedSlug FROM profiles
      WHERE name = ? AND ${newest} AND wake_at IS NOT NULL`,
  )
  return (await statement.bind(name).first<Adoption>()) ?? undefined
}

/** Tenants up to the slug have it by now; `wakeAt`: null when all have. */
export async function advanceAdoption(
  d1: D1Database,
  { name, version }: Adoption,
  adoptedSlug: string,
  wakeAt: number | null,
): Promise<void> {
  await d1
    .prepare('UPDATE profiles SET adopted_slug = ?, wake_at = ? WHERE name = ? AND version = ?')
    .bind(adoptedSlug, wakeAt, name, version)
    .run()
}

/** Names of profiles whose next step never came. */
export async function takeDueProfiles(d1: D1Database, now: number, wakeAgain: number): Promise<string[]> {
  const statement = d1.prepare(
    'UPDATE profiles SET wake_at = ? WHERE wake_at IS NOT NULL AND wake_at <= ? RETURNING name',
  )
  return (await statement.bind(wakeAgain, now).all<{ name: string }>()).results.map(({ name }) => name)
}

/** A tenant that has an older version of the profile gets this one; 'stale' (see `failure`) for any other tenant. */
export function adoptProfile(
  tenantId: string,
  { name, version, document }: { name: string; version: number; document: string },
): SQL[] {
  return [
    sql`UPDATE tenants SET profile_version = ${version}, profile_document = ${document}
      WHERE tenant_id = ${tenantId} AND profile = ${name} AND profile_version < ${version} AND status <> 'deleting'`,
    abortUnlessChanged(tenantId),
  ]
}

/** The tenant gets another profile. */
export function changeProfile(
  tenantId: string,
  { name, version, document }: { name: string; version: number; document: string | null },
): SQL {
  return sql`UPDATE tenants SET profile = ${name}, profile_version = ${version}, profile_document = ${document}
    WHERE tenant_id = ${tenantId} AND status <> 'deleting'`
}

/** Whether any of the tenants has the profile; each is asked by itself. */
export function hasProfile(tenantId: string, name: string): SQL {
  return sql`SELECT 1 AS found FROM tenants WHERE tenant_id = ${tenantId} AND profile = ${name}`
}
