// The operator as somebody on whose behalf operations run: no connection, no SCIM request to log.
import type { Service } from '../env'
import { loadConfiguration } from '../operations/configuration'
import type { RequestLog, Tenant } from '../operations/tenant'
import { Interop } from '../scim/interop'
import { abortUnlessCurrent } from '../storage/configuration-rows'
import { failure, TenantDatabase } from '../storage/tenant-database'
import type { OpenTenant } from './open-tenant'

/** One round trip, for the tenant's resource types. */
export async function asOperator(
  service: Service,
  { baseUrl, database: { tenantId } }: OpenTenant,
): Promise<Tenant> {
  const { version, resourceTypes } = await loadConfiguration(new TenantDatabase(service.d1, tenantId))
  const unchanged = abortUnlessCurrent(tenantId, version)
  const database = new TenantDatabase(service.d1, tenantId, undefined, unchanged)
  return {
    id: tenantId,
    connectionId: null,
    resourceTypes,
    interop: new Interop('compat'),
    limits: { defaultCount: 100, maxCount: 500 },
    baseUrl,
    database,
    now: service.now(),
    clock: service.now,
    txn: service.newId(),
    newId: service.newId,
    keys: service.keys,
    log: nothing,
  }
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

/** The activity log is of SCIM requests, and this is none. */
const nothing: RequestLog = {
  entry: () => {
    throw new Error('What the operator does is not a SCIM request.')
  },
  stored: () => undefined,
}
