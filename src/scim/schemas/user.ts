// The User schema (RFC 7643 §4.1, §8.7.1) with its verified errata applied: references are caseExact, complex
// attributes have no uniqueness, `groups.$ref` names only Group, `addresses` has a `primary`.
// `password` is not offered (IPSIE SCIM AL2): a body's password is dropped, never hashed or stored.
import { type Attribute, attribute } from '../attribute'
import type { Schema } from '../schema'

/** The standard sub-attributes of a multi-valued attribute (RFC 7643 §2.4) around a `value` of its own. */
function labelled(what: string, value: Attribute, types?: readonly string[]): readonly Attribute[] {
  return [
    value,
    attribute('display', `A readable form of the ${what}, for display only.`),
    attribute('type', `What the ${what} is for.`, types ? { canonicalValues: types } : {}),
    attribute('primary', `Whether this is the preferred ${what}; at most one is.`, { type: 'boolean' }),
  ]
}

export const userSchema: Schema = {
  id: 'urn:ietf:params:scim:schemas:core:2.0:User',
  name: 'User',
  description: 'A person who has, or had, an account',
  attributes: [
    attribute('userName', 'The name by which the service knows the user; unique, whatever its case.', {
      required: true,
      uniqueness: 'server',
    }),
    attribute('name', "The parts of the user's name.", {
      type: 'complex',
      subAttributes: [
        attribute('formatted', 'The whole name as it is shown, titles and suffixes included.'),
        attribute('familyName', 'The family name, or last name in most Western languages.'),
        attribute('givenName', 'The given name, or first name in most Western languages.'),
        attribute('middleName', 'The middle names.'),
        attribute('honorificPrefix', 'What stands before the name, such as "Dr.".'),
        attribute('honorificSuffix', 'What stands after the name, such as "III".'),
      ],
    }),
    attribute('displayName', 'The name to show for the user.'),
    attribute('nickName', 'The casual name of the user, not the login name.'),
    attribute('profileUrl', "A page with the user's profile.", {
      type: 'reference',
      referenceTypes: ['external'],
      caseExact: true,
    }),
    attribute('title', 'The job title.'),
    attribute('userType', "The user's relation to the organization, such as Employee or Contractor."),
    attribute('preferredLanguage', 'The languages the user prefers, as in Accept-Language.'),
    attribute('locale', 'The locale for dates, numbers and currency, such as en-US.'),
    attribute('timezone', 'The time zone in IANA form, such as Europe/Paris.'),
    attribute('active', 'Whether the user may sign in; false ends every session.', { type: 'boolean' }),
    attribute('emails', 'E-mail addresses.', {
      type: 'complex',
      multiValued: true,
      soleType: 'work',
      subAttributes: labelled('address', attribute('value', 'The e-mail address.'), [
        'work',
        'home',
        'other',
      ]),
    }),
    attribute('phoneNumbers', 'Telephone numbers.', {
      type: 'complex',
      multiValued: true,
      subAttributes: labelled('number', attribute('value', 'The telephone number, at best as in RFC 3966.'), [
        'work',
        'home',
        'mobile',
        'fax',
        'pager',
        'other',
      ]),
    }),
    attribute('ims', 'Instant messaging addresses.', {
      type: 'complex',
      multiValued: true,
      subAttributes: labelled('address', attribute('value', 'The instant messaging address.'), [
        'aim',
        'gtalk',
        'icq',
        'xmpp',
        'msn',
        'skype',
        'qq',
        'yahoo',
      ]),
    }),
    attribute('photos', 'Pictures of the user.', {
      type: 'complex',
      multiValued: true,
      subAttributes: labelled(
        'picture',
        attribute('value', 'The URL of an image file, not of a page that shows one.', {
          type: 'reference',
          referenceTypes: ['external'],
          caseExact: true,
        }),
        ['photo', 'thumbnail'],
      ),
    }),
    attribute('addresses', 'Postal addresses.', {
      type: 'complex',
      multiValued: true,
      subAttributes: [
        attribute('formatted', 'The whole address as it is printed, with line breaks.'),
        attribute('streetAddress', 'Street, house number, post-office box and the like.'),
        attribute('locality', 'The city or place.'),
        attribute('region', 'The state or region.'),
        attribute('postalCode', 'The postal code.'),
        attribute('country', 'The country, at best its two ISO 3166-1 letters.'),
        attribute('type', 'What the address is for.', { canonicalValues: ['work', 'home', 'other'] }),
        attribute('primary', 'Whether this is the preferred address; at most one is.', { type: 'boolean' }),
      ],
    }),
    attribute('groups', 'The groups that the user is in; changed through the Group resource.', {
      type: 'complex',
      multiValued: true,
      mutability: 'readOnly',
      subAttributes: [
        attribute('value', 'The id of the group.', { mutability: 'readOnly', caseExact: true }),
        attribute('$ref', 'The URI of the group.', {
          type: 'reference',
          referenceTypes: ['Group'],
          caseExact: true,
          mutability: 'readOnly',
        }),
        attribute('display', 'The name of the group.', { mutability: 'readOnly' }),
        attribute('type', 'Whether the user is a member itself or through another group.', {
          canonicalValues: ['direct', 'indirect'],
          mutability: 'readOnly',
        }),
      ],
    }),
    attribute('entitlements', 'Things that the user has a right to.', {
      type: 'complex',
      multiValued: true,
      subAttributes: labelled('entitlement', attribute('value', 'The entitlement.')),
    }),
    attribute('roles', 'What the user is to the application, such as Student or Admin.', {
      type: 'complex',
      multiValued: true,
      subAttributes: labelled('role', attribute('value', 'The role.')),
    }),
    attribute('x509Certificates', 'Certificates issued to the user.', {
      type: 'complex',
      multiValued: true,
      subAttributes: labelled(
        'certificate',
        attribute('value', 'One DER certificate in base64.', { type: 'binary', caseExact: true }),
      ),
    }),
  ],
}
