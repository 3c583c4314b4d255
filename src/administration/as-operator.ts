// The operator as somebody on whose behalf operations run.
import type { Service } from '../env'
import { loadConfiguration } from '../operations/configuration'
import type { Tenant } from '../operations/tenant'
import { abortUnlessCurrent } from '../storage/configuration-rows'
import { failure, TenantDatabase } from '../storage/tenant-database'
import type { OpenTenant } from './open-tenant'
import { withoutConnection } from './without-connection'

/** One round trip, for the tenant's configuration. */
export async function asOperator(
  service: Service,
  { baseUrl, database: { tenantId } }: OpenTenant,
): Promise<Tenant> {
  const configuration = await loadConfiguration(new TenantDatabase(service, tenantId))
  const unchanged = abortUnlessCurrent(tenantId, configuration.version)
  const database = new TenantDatabase(service, tenantId, undefined, unchanged)
  return withoutConnection(service, baseUrl, database, configuration)
}

const ATTEMPTS = 5

/** The same for a write, which is done again when the tenant's configuration changes meanwhile. */
export async function writeAsOperator<Result>(
  service: Service,
  tenant: OpenTenant,
  write: (operator: Tenant) => Promise<Result>,
): Promise<Result> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await write(await asOperator(service, tenant))
    } catch (error) {
      if (failure(error) !== 'configuration' || attempt === ATTEMPTS) throw error
    }
  }
}
