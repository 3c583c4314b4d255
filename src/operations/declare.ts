// Attributes of an open extension (profile `customAttributes: "enterprise"`): the request that first uses one declares
// it, in its own transaction.
import { own } from '../scim/canonical'
import { isObject } from '../scim/json'
import type { Resource } from '../scim/resource'
import { accountTypeOf, type ResourceType, type Schema } from '../scim/schema'
import { schemaDocument } from '../scim/schema-document'
import { raiseConfigurationVersion } from '../storage/configuration-rows'
import { upsertSchema } from '../storage/schema-rows'
import type { Statement } from '../storage/tenant-database'
import { ConfigurationChanged } from './access'
import { standardSchema } from './configuration'
import type { Tenant } from './tenant'

/** The request names attributes that its tenant does not have yet: it is read again by a schema that has them. */
export class Undeclared extends Error {
  constructor(readonly names: readonly string[]) {
    super()
  }
}

/** Throws Undeclared; to be asked when everything that the client sent has been read. */
export function requireDeclared({ interop }: Tenant): void {
  if (interop.toBeDeclared.length > 0) throw new Undeclared(interop.toBeDeclared)
}

/**
 * Statements that make those attributes the tenant's that the resource really uses, if it is there when they run
 * (`condition`). The version that they replace has been checked by then, so no declaration undoes another.
 */
export function declarations(
  tenant: Tenant,
  type: ResourceType,
  resource: Resource,
  condition?: Statement,
): Statement[] {
  const { schema } = type.extensions.find(({ open }) => open) ?? {}
  if (!schema || tenant.declares.length === 0) return []
  const container = own(resource, schema.id)
  const isUsed = (name: string) => isObject(container) && own(container, name) !== undefined
  if (!tenant.declares.some(isUsed)) return []
  const unused = new Set(tenant.declares.filter(name => !isUsed(name)))
  const row = { urn: schema.id, extends: type.name, document: documentOf(type, schema, unused) }
  return [
    upsertSchema(tenant.id, row, tenant.now, condition),
    raiseConfigurationVersion(tenant.id, condition),
  ]
}

/**
 * For a request whose parts are transactions of their own, and so must find everything declared: throws Undeclared for
 * names that nobody has yet, and the next time, when they are the request's, declares them all; then it is read again.
 */
export async function declareAhead(tenant: Tenant, names: readonly string[]): Promise<void> {
  if (names.length > 0) throw new Undeclared(names)
  if (tenant.declares.length === 0) return
  const type = accountTypeOf(tenant.resourceTypes)
  const { schema } = type.extensions.find(({ open }) => open) ?? {}
  if (!schema) return
  const row = { urn: schema.id, extends: type.name, document: documentOf(type, schema, new Set()) }
  const { admitted } = tenant.database
  await tenant.database.batch([
    ...tenant.database.guard,
    upsertSchema(tenant.id, row, tenant.now, admitted),
    raiseConfigurationVersion(tenant.id, admitted),
  ])
  throw new ConfigurationChanged(true)
}

/** What the tenant adds to the standard's schema. */
function documentOf(type: ResourceType, schema: Schema, unused: ReadonlySet<string>): string {
  const standard = new Set(standardSchema(type.name, schema.id)?.attributes.map(({ name }) => name))
  const attributes = schema.attributes.filter(({ name }) => !standard.has(name) && !unused.has(name))
  const { schemas: _, meta: __, ...document } = schemaDocument({ ...schema, attributes }, '')
  return JSON.stringify(document)
}
