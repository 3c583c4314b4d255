// The enterprise extension of User (RFC 7643 §4.3, §8.7.1); `manager.value` is caseExact by erratum 8472.
import { attribute } from '../attribute'
import type { Schema } from '../schema'

export const enterpriseUserSchema: Schema = {
  id: 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User',
  name: 'EnterpriseUser',
  description: 'What an organization says of a user who works there',
  attributes: [
    attribute('employeeNumber', 'The number or code that the organization gave the user.'),
    attribute('costCenter', 'The cost center.'),
    attribute('organization', 'The organization.'),
    attribute('division', 'The division.'),
    attribute('department', 'The department.'),
    attribute('manager', "The user's manager.", {
      type: 'complex',
      refersTo: { name: 'User', endpoint: '/Users' },
      subAttributes: [
        attribute('value', "The id of the manager's User resource.", { caseExact: true }),
        attribute('$ref', "The URI of the manager's User resource.", {
          type: 'reference',
          referenceTypes: ['User'],
          caseExact: true,
        }),
        attribute('displayName', "The manager's displayName.", { mutability: 'readOnly' }),
      ],
    }),
  ],
}
