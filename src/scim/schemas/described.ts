// The schemas that describe the service itself; published beside those of the resource types (RFC 7643 §8.7.2).
import type { Schema } from '../schema'
import { resourceTypeSchema } from './resource-type'
import { schemaSchema } from './schema'
import { serviceProviderConfigSchema } from './service-provider-config'

export const describedSchemas: readonly Schema[] = [
  serviceProviderConfigSchema,
  resourceTypeSchema,
  schemaSchema,
]
