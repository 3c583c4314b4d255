// The tenant that a call is about, found by its slug, and the door to its rows.
import type { Service } from '../env'
import { TenantDatabase } from '../storage/tenant-database'
import { findInDirectory } from '../storage/tenant-directory'
import { notFound } from './problem'

export interface OpenTenant {
  readonly slug: string
  /** What its identity providers are given. */
  readonly baseUrl: string
  /** Who its signed messages come from, and where its keys are found. */
  readonly issuer: string
  readonly database: TenantDatabase
}

/** Throws 404. */
export async function openTenant(service: Service, origin: string, slug: string): Promise<OpenTenant> {
  const entry = await findInDirectory(service.d1, slug)
  if (!entry) throw notFound('tenant')
  return openedTenant(origin, slug, new TenantDatabase(service, entry.tenantId))
}

/** One whose id is known already. */
export function openedTenant(origin: string, slug: string, database: TenantDatabase): OpenTenant {
  const issuer = `${origin}/t/${slug}`
  return { slug, baseUrl: `${issuer}/scim/v2`, issuer, database }
}
