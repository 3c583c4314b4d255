// The form of a profile and of a mapping as JSON documents; what contradicts itself is found by mapping/check.ts.
import * as z from 'zod'
import { identityProviders } from './identity-providers'
import { fieldTypes, type Mapping, type Profile } from './profile'

export const PROFILE_NAME = /^[a-z0-9][a-z0-9-]{0,62}$/
const MAX_FIELDS = 100
const MAX_VALUES = 200
const MAX_FALLBACKS = 10
/** What the protocol itself answers at most (README "Limits"). */
const MAX_PAGE = 1_000

const path = z.string().min(1).max(300).describe('A SCIM path, such as emails[type eq "work"].value')
const paths = z.array(path).max(MAX_FALLBACKS)
const value = z.union([z.string().max(1_000), z.boolean(), z.number()])
const fieldName = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9_-]{0,63}$/, {
    error: 'must begin with a letter and go on with up to 63 letters, digits, "_" and "-"',
  })
  // What every object inherits can be no key of a document.
  .refine(name => !(name in Object.prototype), { error: 'cannot be the name of a field' })
  .describe("The field's name in the application's view of a user")

export const fieldDocument = z
  .strictObject({
    field: fieldName,
    source: path,
    type: z.enum(fieldTypes).default('string'),
    required: z.boolean().default(false).describe('A user without a value is refused'),
    default: value.optional().describe('Taken where no source has a value'),
    values: z.array(value).min(1).max(MAX_VALUES).optional().describe('The only values that are taken'),
    maxLength: z.int().min(1).max(65_536).optional().describe('In characters'),
    fallback: paths.default([]).describe('Further paths, tried in their order where the source has no value'),
  })
  .describe("One value of the application's user and where it comes from")

const roleName = z.string().min(1).max(255)

export const roleRule = z
  .strictObject({
    source: path.describe('A SCIM path, or the name of a field'),
    values: z.array(roleName).min(1).max(MAX_VALUES).optional().describe('The only roles that are taken'),
    default: roleName.optional().describe('The role of a user whose source has no value'),
    privileged: z.array(roleName).max(MAX_VALUES).default([]).describe('Roles whose loss ends sessions'),
  })
  .describe('The role that a user has from an attribute')

export const userRules = z.strictObject({
  fields: z.array(fieldDocument).max(MAX_FIELDS).default([]),
  role: roleRule.optional(),
  customAttributes: z
    .enum(['declared', 'enterprise'])
    .default('declared')
    .describe(
      'declared: only attributes with a schema document. enterprise: any string attribute under the enterprise URN',
    ),
  onDelete: z
    .enum(['delete', 'deactivate'])
    .default('delete')
    .describe('What DELETE of a user means; deactivate keeps the record and its history'),
})

const features = z.strictObject({
  bulk: z.boolean().default(true),
  sort: z.boolean().default(true),
  etag: z.boolean().default(true),
  cursor: z.boolean().default(true),
})

const count = z.int().min(1).max(MAX_PAGE)

export const pageSizes = z.strictObject({
  defaultCount: count.default(100),
  maxCount: count.default(MAX_PAGE),
})

export const idpRules = z.strictObject({
  fallback: z.record(fieldName, paths).default({}).describe('By field: further paths for such connections'),
})

const idps = z.strictObject(Object.fromEntries(identityProviders.map(idp => [idp, idpRules.optional()])))

export const profileDocument = z
  .strictObject({
    $schema: z.string().max(1_000).optional().describe('For editors'),
    name: z.string().regex(PROFILE_NAME, {
      error: 'must be 1 to 63 characters of a-z, 0-9 and "-", not beginning with "-"',
    }),
    title: z.string().min(1).max(255).optional().describe('For people; the name where it is left out'),
    user: userRules.prefault({}),
    groups: z
      .strictObject({ as: z.enum(['groups', 'roles']).default('groups') })
      .prefault({})
      .describe('What SCIM groups are to the application'),
    paging: pageSizes.prefault({}).describe('Page sizes of SCIM lists'),
    features: features.prefault({}).describe('The optional parts of SCIM that are offered'),
    idps: idps.prefault({}).describe('What differs for connections of one kind of identity provider'),
  })
  .describe('How one application sees a SCIM user')

export const groupByRule = z.strictObject({ source: path.describe('A SCIM path, or the name of a field') })

export const mappingDocument = z
  .strictObject({
    $schema: z.string().max(1_000).optional().describe('For editors'),
    fields: z.array(fieldDocument).max(MAX_FIELDS).default([]),
    groupBy: groupByRule.nullable().default(null),
    targetGroup: z.string().max(64).nullable().default(null).describe('Id of a target group'),
  })
  .describe('What a connection says on top of the profile')

/** The document as the profile it stands for, with its defaults. */
export function profileOf(document: z.output<typeof profileDocument>, version: number): Profile {
  const { $schema: _, title = document.name, ...rest } = document
  return { ...rest, title, version } as Profile
}

export function mappingOf(document: z.output<typeof mappingDocument>): Mapping {
  const { $schema: _, ...mapping } = document
  return mapping as Mapping
}
