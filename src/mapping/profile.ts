// A profile: how one application sees a SCIM user (contract "Profile"), with its defaults filled in.
import type { Json } from '../scim/json'
import type { Features } from '../scim/service-provider-config'

export const fieldTypes = ['string', 'boolean', 'number', 'dateTime'] as const
export type FieldType = (typeof fieldTypes)[number]

/** One value of the application's user and where in the SCIM resource it comes from. */
export interface Field {
  /** Its name in the application's view. */
  readonly field: string
  /** A SCIM path: `emails[type eq "work"].value`. */
  readonly source: string
  readonly type: FieldType
  readonly required: boolean
  /** Taken where no source has a value. */
  readonly default?: Json
  /** The only values that are taken. */
  readonly values?: readonly Json[]
  /** In characters (Unicode code points). */
  readonly maxLength?: number
  /** Further paths, tried in their order where the source has no value. */
  readonly fallback: readonly string[]
}

/** The role that a user has from an attribute. */
export interface RoleRule {
  /** A SCIM path, or the name of a field. */
  readonly source: string
  readonly values?: readonly string[]
  readonly default?: string
  /** Roles whose loss ends sessions. */
  readonly privileged: readonly string[]
}

export interface Profile {
  readonly name: string
  readonly title: string
  /** Counts the documents that have stood under this name; 0 for what ships with the service. */
  readonly version: number
  readonly user: {
    readonly fields: readonly Field[]
    readonly role?: RoleRule
    /** `enterprise`: any string attribute under the enterprise URN is taken and declared by its first use. */
    readonly customAttributes: 'declared' | 'enterprise'
    readonly onDelete: 'delete' | 'deactivate'
  }
  readonly groups: { readonly as: 'groups' | 'roles' }
  readonly paging: { readonly defaultCount: number; readonly maxCount: number }
  readonly features: Features
  /** Fallbacks of fields for connections of one kind of identity provider. */
  readonly idps: Readonly<Record<string, { readonly fallback: Readonly<Record<string, readonly string[]>> }>>
}

/** What a connection says on top of the profile. */
export interface Mapping {
  /** A field with the name of one of the profile takes its place. */
  readonly fields: readonly Field[]
  /** A SCIM path, or the name of a field, whose value names a user's target group. */
  readonly groupBy: { readonly source: string } | null
  /** Id of the target group of users whom the rule puts nowhere: everybody's, when there is no rule. */
  readonly targetGroup: string | null
}

export const noMapping: Mapping = { fields: [], groupBy: null, targetGroup: null }
