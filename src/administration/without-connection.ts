// Whoever is no identity provider, as somebody on whose behalf operations run: no connection, no SCIM request to log.
import type { Service } from '../env'
import type { Configuration } from '../operations/configuration'
import type { RequestLog, Tenant } from '../operations/tenant'
import { Interop } from '../scim/interop'
import type { TenantDatabase } from '../storage/tenant-database'

export function withoutConnection(
  service: Service,
  baseUrl: string,
  database: TenantDatabase,
  { resourceTypes, application, breaker }: Configuration,
): Tenant {
  return {
    id: database.tenantId,
    connectionId: null,
    resourceTypes,
    declares: [],
    application,
    breaker,
    interop: new Interop('compat'),
    limits: { defaultCount: 100, maxCount: 500 },
    baseUrl,
    database,
    now: service.now(),
    clock: service.now,
    txn: service.newId(),
    newId: service.newId,
    keys: service.keys,
    origin: { kind: 'operator' },
    log: nothing,
  }
}

/** The activity log is of SCIM requests, and this is none. */
const nothing: RequestLog = {
  entry: () => {
    throw new Error('This is not a SCIM request.')
  },
  stored: () => undefined,
}
