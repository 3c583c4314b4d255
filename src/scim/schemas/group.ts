// The Group schema (RFC 7643 §4.2, §8.7.1): displayName is required by erratum 5368, and `members.display`,
// which the RFC uses in its examples but does not define (erratum 6011), is published readOnly.
import { attribute } from '../attribute'
import type { Schema } from '../schema'

export const groupSchema: Schema = {
  id: 'urn:ietf:params:scim:schemas:core:2.0:Group',
  name: 'Group',
  description: 'Users, and groups of users, that belong together',
  attributes: [
    attribute('displayName', 'The name to show for the group.', { required: true }),
    attribute('members', 'The members of the group.', {
      type: 'complex',
      multiValued: true,
      subAttributes: [
        attribute('value', 'The id of the member.', { mutability: 'immutable', caseExact: true }),
        attribute('$ref', 'The URI of the member.', {
          type: 'reference',
          referenceTypes: ['User', 'Group'],
          caseExact: true,
          mutability: 'immutable',
        }),
        attribute('type', 'The resource type of the member.', {
          canonicalValues: ['User', 'Group'],
          mutability: 'immutable',
        }),
        attribute('display', 'The displayName of the member.', { mutability: 'readOnly' }),
      ],
    }),
  ],
}
