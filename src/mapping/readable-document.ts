// What can be read of a profile or a mapping of which some part has not its form, so that whatever else is wrong with it
// can be said in the same answer.
import { isList, own } from '../scim/canonical'
import { isObject, type Json } from '../scim/json'
import { identityProviders } from './identity-providers'
import type { Field, Mapping, Profile, RoleRule } from './profile'
import {
  fieldDocument,
  groupByRule,
  idpRules,
  mappingDocument,
  PROFILE_NAME,
  pageSizes,
  profileDocument,
  roleRule,
  userRules,
} from './profile-document'

/** In their places; undefined stands for one that cannot be read. */
export type ReadableFields = readonly (Field | undefined)[]

/** A profile, or what can be read of one. */
export interface ReadableProfile extends Pick<Profile, 'idps'> {
  readonly name: string | undefined
  readonly user: Pick<Profile['user'], 'customAttributes'> & {
    readonly fields: ReadableFields
    readonly role?: RoleRule | undefined
  }
  readonly paging: Profile['paging'] | undefined
}

/** A mapping, or what can be read of one. */
export interface ReadableMapping extends Omit<Mapping, 'fields'> {
  readonly fields: ReadableFields
}

export function readableProfile(document: Json): ReadableProfile {
  const memberOf = membersOf(document, profileDocument)
  const name = memberOf('name')
  const idps = memberOf('idps')
  return {
    name: typeof name === 'string' && PROFILE_NAME.test(name) ? name : undefined,
    user: readableUser(memberOf('user')),
    paging: readPart(pageSizes, memberOf('paging')),
    idps: Object.fromEntries(
      identityProviders.flatMap(idp => {
        const rules = isObject(idps) && readPart(idpRules, own(idps, idp))
        return rules ? [[idp, rules]] : []
      }),
    ),
  }
}

function readableUser(user: Json | undefined = {}): ReadableProfile['user'] {
  const memberOf = membersOf(user, userRules)
  const customAttributes = memberOf('customAttributes')
  return {
    fields: readableFields(memberOf('fields')),
    role: readPart(roleRule, memberOf('role')) as RoleRule | undefined,
    // What cannot be read may have been meant for the one that knows more paths.
    customAttributes:
      customAttributes === undefined || customAttributes === 'declared' ? 'declared' : 'enterprise',
  }
}

export function readableMapping(document: Json): ReadableMapping {
  const memberOf = membersOf(document, mappingDocument)
  const targetGroup = memberOf('targetGroup')
  return {
    fields: readableFields(memberOf('fields')),
    groupBy: readPart(groupByRule, memberOf('groupBy')) ?? null,
    targetGroup: typeof targetGroup === 'string' ? targetGroup : null,
  }
}

/** What is no list may have meant fields of any name. */
function readableFields(fields: Json = []): ReadableFields {
  if (!isList(fields)) return [undefined]
  return fields.map(field => readPart(fieldDocument, field) as Field | undefined)
}

/** undefined where it is left out, and false where that is not sure: an unknown key may have been meant for it. */
function membersOf(holder: Json, form: { readonly shape: object }): (key: string) => Json | undefined {
  if (!isObject(holder)) return () => false
  const isMisspelt = Object.keys(holder).some(key => !Object.hasOwn(form.shape, key))
  return key => (Object.hasOwn(holder, key) ? holder[key] : isMisspelt ? false : undefined)
}

function readPart<Part>(
  form: { safeParse(value: unknown): { data?: Part | undefined } },
  value: Json | undefined,
): Part | undefined {
  return value === undefined ? undefined : form.safeParse(value).data
}
