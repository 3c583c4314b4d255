// What the connections of a tenant are called, for pages that would otherwise show their ids.
import { listConnections } from '../../administration/connections'
import type { OpenTenant } from '../../administration/open-tenant'
import type { Service } from '../../env'

/** More than a tenant has; of any further one the id is shown. */
const NAMED = 100

/** By id, oldest first. One round trip. */
export async function connectionNames(
  service: Service,
  tenant: OpenTenant,
): Promise<ReadonlyMap<string, string>> {
  const { items } = await listConnections(service, tenant, { limit: NAMED })
  return new Map(items.map(({ id, name }) => [id, name]))
}
