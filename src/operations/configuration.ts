// What a tenant's own schemas and types make of the resource types: built once an isolate and version, and kept.
import { type Application, applicationOf, type ConnectionRules, noRoles } from '../mapping/application'
import { noMapping, type Profile } from '../mapping/profile'
import { mappingDocument, mappingOf, profileDocument, profileOf } from '../mapping/profile-document'
import { STANDARD_PROFILE, shippedProfile } from '../mapping/shipped-profiles'
import type { Json, JsonObject } from '../scim/json'
import { readResourceType } from '../scim/resource-type-reader'
import { accountTypeOf, type ResourceType, type Schema } from '../scim/schema'
import { readSchema } from '../scim/schema-reader'
import { standardResourceTypes } from '../scim/schemas/resource-types'
import { extendedTypes, type TenantSchema, withOpenExtensions } from '../scim/tenant-types'
import {
  type ProfileCopy,
  readConfiguration,
  type StoredConfiguration,
  selectConfiguration,
} from '../storage/configuration-rows'
import type { ResourceTypeRow } from '../storage/resource-type-rows'
import type { SchemaRow } from '../storage/schema-rows'
import type { TenantDatabase } from '../storage/tenant-database'

export interface Configuration {
  /** The tenant's config_version; null for one that has nothing beyond the standard, for which it does not matter. */
  readonly version: number | null
  readonly resourceTypes: readonly ResourceType[]
  readonly application: Application
  readonly breaker: Breaker | undefined
}

/** Undefined of a tenant whose breaker was never set: nothing can be held there. */
export interface Breaker {
  readonly enabled: boolean
}

/** How an application sees its users whose tenant says nothing else. */
export const standardApplication = applicationOf(
  profileNamed(STANDARD_PROFILE),
  new Map(),
  noRoles,
  accountTypeOf(standardResourceTypes),
)

const standard: Configuration = {
  version: null,
  resourceTypes: standardResourceTypes,
  application: standardApplication,
  breaker: undefined,
}

interface Kept {
  readonly configuration: Configuration
  /** Length of the documents it was made of: a measure of its size. */
  readonly characters: number
}

/** By tenant, the one built last at the end. */
const kept = new Map<string, Kept>()
/** Documents of all that is kept; built, they take a few times that. */
const MAX_CHARACTERS = 4_000_000

/** What is known here of the tenant's configuration, without a look at D1: perhaps out of date. */
export function knownConfiguration(tenantId: string): Configuration {
  return kept.get(tenantId)?.configuration ?? standard
}

/** The tenant has nothing of its own any more. */
export function forgetConfiguration(tenantId: string): void {
  kept.delete(tenantId)
}

/** The tenant's configuration as it is now; one round trip. */
export async function loadConfiguration(database: TenantDatabase): Promise<Configuration> {
  const { tenantId } = database
  const stored = readConfiguration(await database.batch(selectConfiguration(tenantId)))
  const known = knownConfiguration(tenantId)
  if (!stored) return standard
  if (known.version === stored.version) return known
  const configuration = built(stored)
  const documents = [stored.profile, ...stored.mappings, ...stored.resourceTypes, ...stored.schemas]
  keep(tenantId, {
    configuration,
    characters: documents.reduce((sum, { document }) => sum + (document?.length ?? 0), 0),
  })
  return configuration
}

function built(stored: StoredConfiguration): Configuration {
  const profile = profileCopy(stored.profile)
  const resourceTypes =
    profile.user.customAttributes === 'enterprise'
      ? withOpenExtensions(builtTypes(stored))
      : builtTypes(stored)
  return {
    version: stored.version,
    resourceTypes,
    application: applicationOf(
      profile,
      connectionRules(stored),
      {
        decided: new Map(stored.decidedRoles.map(({ name, privileged }) => [name, privileged === 1])),
        hasGroupRoles: stored.hasGroupRoles,
      },
      accountTypeOf(resourceTypes),
    ),
    breaker: stored.breaker && { enabled: stored.breaker.enabled === 1 },
  }
}

/** The profile of a tenant's own copy, which was read without problems before it was stored. */
export function profileCopy({ name, version, document }: ProfileCopy): Profile {
  if (document === null) return profileNamed(name)
  return profileOf(profileDocument.parse(JSON.parse(document)), version)
}

function profileNamed(name: string): Profile {
  const profile = shippedProfile(name)
  if (!profile) throw new Error(`No profile ${name} ships with the service.`)
  return profile
}

function connectionRules({ mappings }: StoredConfiguration): ReadonlyMap<string, ConnectionRules> {
  return new Map(
    mappings.map(({ connectionId, idp, document }) => [
      connectionId,
      {
        idp,
        mapping: document === null ? noMapping : mappingOf(mappingDocument.parse(JSON.parse(document))),
      },
    ]),
  )
}

function builtTypes({ resourceTypes, schemas }: StoredConfiguration): readonly ResourceType[] {
  const types = [...standardResourceTypes, ...resourceTypes.map(tenantType)]
  return extendedTypes(types, schemas.map(tenantSchema))
}

function keep(tenantId: string, built: Kept): void {
  kept.delete(tenantId)
  if (built.configuration.version === null) return
  kept.set(tenantId, built)
  let characters = [...kept.values()].reduce((sum, one) => sum + one.characters, 0)
  for (const [oldest, { characters: freed }] of kept) {
    if (characters <= MAX_CHARACTERS || oldest === tenantId) return
    kept.delete(oldest)
    characters -= freed
  }
}

/** The type of a row without what extends it besides; it was read without problems before it was stored. */
export function tenantType({ name, document }: ResourceTypeRow): ResourceType {
  const reading = readResourceType(JSON.parse(document) as JsonObject, { types: [], schemas: [] })
  if (reading.problems) throw new Error(`The stored resource type ${name} cannot be read.`)
  return reading.type
}

/** The schema of a row, which was read without problems before it was stored. */
export function tenantSchema(row: SchemaRow): TenantSchema {
  const reading = readSchema(JSON.parse(row.document) as Json, standardSchema(row.extends, row.urn), [])
  if (reading.problems) throw new Error(`The stored schema ${row.urn} cannot be read.`)
  return { extends: row.extends, schema: reading.schema }
}

/** The schema that every tenant has under this URN as an extension of the resource type. */
export function standardSchema(typeName: string, urn: string): Schema | undefined {
  const type = standardResourceTypes.find(({ name }) => name === typeName)
  return type?.extensions.find(({ schema }) => schema.id.toLowerCase() === urn.toLowerCase())?.schema
}
