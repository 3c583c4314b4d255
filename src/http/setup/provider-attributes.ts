// What identity providers call the attributes they send: SCIM attribute → the provider's own, as data.
import type { IdentityProvider } from '../../mapping/identity-providers'

type Names = Readonly<Record<string, string>>

/**
 * By SCIM attribute: `name.givenName`, `phoneNumbers[mobile]` for one of a type, `emails` for the main one or the one
 * for work, and those of the enterprise extension without its URN. What is not here the provider has no usual name for.
 */
const names: Partial<Record<IdentityProvider, Names>> = {
  entra: {
    userName: 'userPrincipalName',
    externalId: 'objectId',
    active: 'Switch([IsSoftDeleted], , "False", "True", "True", "False")',
    displayName: 'displayName',
    'name.givenName': 'givenName',
    'name.familyName': 'surname',
    'name.formatted': 'Join(" ", [givenName], [surname])',
    emails: 'mail',
    title: 'jobTitle',
    preferredLanguage: 'preferredLanguage',
    roles: 'SingleAppRoleAssignment([appRoleAssignments])',
    phoneNumbers: 'telephoneNumber',
    'phoneNumbers[mobile]': 'mobile',
    'phoneNumbers[fax]': 'facsimileTelephoneNumber',
    'addresses.streetAddress': 'streetAddress',
    'addresses.locality': 'city',
    'addresses.region': 'state',
    'addresses.postalCode': 'postalCode',
    'addresses.country': 'country',
    employeeNumber: 'employeeId',
    department: 'department',
    organization: 'companyName',
    manager: 'manager',
  },
  okta: {
    userName: 'Application username (Sign On tab)',
    externalId: 'sent by itself: the Okta user id',
    active: 'sent by itself',
    displayName: 'user.displayName',
    nickName: 'user.nickName',
    'name.givenName': 'user.firstName',
    'name.familyName': 'user.lastName',
    'name.middleName': 'user.middleName',
    'name.honorificPrefix': 'user.honorificPrefix',
    'name.honorificSuffix': 'user.honorificSuffix',
    emails: 'user.email',
    title: 'user.title',
    userType: 'user.userType',
    locale: 'user.locale',
    timezone: 'user.timezone',
    preferredLanguage: 'user.preferredLanguage',
    phoneNumbers: 'user.primaryPhone',
    'phoneNumbers[mobile]': 'user.mobilePhone',
    'addresses.streetAddress': 'user.streetAddress',
    'addresses.locality': 'user.city',
    'addresses.region': 'user.state',
    'addresses.postalCode': 'user.zipCode',
    'addresses.country': 'user.countryCode',
    employeeNumber: 'user.employeeNumber',
    costCenter: 'user.costCenter',
    organization: 'user.organization',
    division: 'user.division',
    department: 'user.department',
    manager: 'user.managerId',
    roles: 'a constant or an expression for each group',
  },
  jumpcloud: {
    userName: 'username',
    externalId: 'id',
    active: 'activated, sent by itself',
    displayName: 'displayname',
    'name.givenName': 'firstname',
    'name.familyName': 'lastname',
    'name.middleName': 'middlename',
    emails: 'email',
    title: 'jobTitle',
    phoneNumbers: 'phone',
    'phoneNumbers[mobile]': 'mobile',
    'addresses.streetAddress': 'address.streetAddress',
    'addresses.locality': 'address.locality',
    'addresses.region': 'address.region',
    'addresses.postalCode': 'address.postalCode',
    'addresses.country': 'address.country',
  },
  onelogin: {
    userName: '{$parameters.scimusername}',
    externalId: '{$user.id}',
    active: 'sent by itself',
    displayName: '{$user.display_name}',
    'name.givenName': '{$user.firstname}',
    'name.familyName': '{$user.lastname}',
    'name.formatted': '{$user.display_name}',
    emails: '{$user.email}',
    title: '{$user.title}',
    phoneNumbers: '{$user.phone}',
    department: '{$user.department}',
    organization: '{$user.company}',
  },
  pingfederate: {
    userName: 'sAMAccountName',
    externalId: 'objectGUID',
    active: 'sent by itself, from userAccountControl',
    displayName: 'displayName',
    'name.givenName': 'givenName',
    'name.familyName': 'sn',
    'name.middleName': 'middleName',
    'name.honorificSuffix': 'generationQualifier',
    emails: 'mail',
    title: 'title',
    preferredLanguage: 'preferredLanguage',
    phoneNumbers: 'telephoneNumber',
    'phoneNumbers[mobile]': 'mobile',
    'addresses.streetAddress': 'streetAddress',
    'addresses.locality': 'l',
    'addresses.region': 'st',
    'addresses.postalCode': 'postalCode',
    'addresses.country': 'co',
    department: 'department',
    employeeNumber: 'employeeID',
    organization: 'company',
  },
  google: {
    userName: 'Primary email',
    externalId: 'User ID',
    active: 'sent by itself',
    'name.givenName': 'First name',
    'name.familyName': 'Last name',
    emails: 'Primary email',
    title: 'Job title',
    phoneNumbers: 'Phone (work)',
    'phoneNumbers[mobile]': 'Phone (mobile)',
    'addresses.formatted': 'Address (work)',
    department: 'Department',
    costCenter: 'Cost center',
    employeeNumber: 'Employee ID',
    manager: "Manager's email",
  },
}

/** The provider's usual attribute for a SCIM path; undefined where it has none. */
export function providerAttribute(idp: IdentityProvider, path: string): string | undefined {
  const known = names[idp]
  if (!known) return undefined
  const { attribute, type } = keyOf(path)
  const [list = '', ...subAttribute] = attribute.split('.')
  const ofType = [`${list}[${type}]`, ...subAttribute].join('.')
  const isMain = type === '' || type.toLowerCase() === 'work'
  return lookUp(known, ofType) ?? (isMain ? lookUp(known, attribute) : undefined)
}

/** JumpCloud knows no extensions, whatever is mapped there. */
export function isNeverSent(idp: IdentityProvider, path: string): boolean {
  return idp === 'jumpcloud' && /^urn:/i.test(path) && !/^urn:ietf:params:scim:schemas:core:2\.0:/i.test(path)
}

/** `urn:…:User:phoneNumbers[type eq "work"].value` → `phoneNumbers`, `work`; `value` is what a list means. */
function keyOf(path: string): { attribute: string; type: string } {
  const [, type = ''] = /\[\s*type\s+eq\s+"([^"]*)"\s*\]/i.exec(path) ?? []
  const attribute = path
    .replace(/\[.*\]/, '')
    .replace(/^urn:ietf:params:scim:schemas:(core|extension:enterprise):2\.0:User:/i, '')
    .replace(/\.value$/i, '')
  return { attribute, type }
}

/** Attribute names compare without case (RFC 7643 §2.1). */
function lookUp(known: Names, key: string): string | undefined {
  return Object.entries(known).find(([name]) => name.toLowerCase() === key.toLowerCase())?.[1]
}
