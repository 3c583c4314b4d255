// The operator as somebody on whose behalf operations run: no connection, no SCIM request to log.
import type { Service } from '../env'
import type { RequestLog, Tenant } from '../operations/tenant'
import { Interop } from '../scim/interop'
import { standardResourceTypes } from '../scim/schemas/resource-types'
import type { OpenTenant } from './open-tenant'

export function asOperator(service: Service, { baseUrl, database }: OpenTenant): Tenant {
  return {
    id: database.tenantId,
    connectionId: null,
    resourceTypes: standardResourceTypes,
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

/** The activity log is of SCIM requests, and this is none. */
const nothing: RequestLog = {
  entry: () => {
    throw new Error('What the operator does is not a SCIM request.')
  },
  stored: () => undefined,
}
