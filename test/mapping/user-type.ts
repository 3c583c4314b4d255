// The resource type of users, as the standard has it.
import { standardResourceTypes } from '../../src/scim/schemas/resource-types'

const [type] = standardResourceTypes
if (!type) throw new Error('There is no resource type.')
export const userType = type
