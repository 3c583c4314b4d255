// The two resource types of RFC 7643 as data: all that the rest of the service knows of User and Group.
import type { ResourceType } from '../schema'
import { enterpriseUserSchema } from './enterprise-user'
import { groupSchema } from './group'
import { userSchema } from './user'

export const standardResourceTypes: readonly ResourceType[] = [
  {
    name: 'User',
    endpoint: '/Users',
    description: 'A person who has, or had, an account',
    schema: userSchema,
    extensions: [{ schema: enterpriseUserSchema, required: false }],
    scope: 'tenant',
    lookups: [
      { path: 'userName', scope: 'tenant', unique: true },
      { path: 'externalId', scope: 'connection', unique: true },
      { path: 'displayName', scope: 'tenant', unique: false },
      { path: 'emails.value', scope: 'tenant', unique: false },
      { path: `${enterpriseUserSchema.id}:manager.value`, scope: 'tenant', unique: false },
    ],
    eventNoun: 'user',
    eventAttributes: ['externalId', 'userName'],
    emailAttributes: ['emails', 'userName'],
    membershipsAttribute: 'groups',
    accessAttribute: 'active',
    patchAnswersNoContent: false,
  },
  {
    name: 'Group',
    endpoint: '/Groups',
    description: 'Users, and groups of users, that belong together',
    schema: groupSchema,
    extensions: [],
    scope: 'connection',
    lookups: [
      { path: 'displayName', scope: 'connection', unique: true },
      { path: 'externalId', scope: 'connection', unique: true },
    ],
    eventNoun: 'group',
    eventAttributes: ['displayName', 'externalId'],
    membersAttribute: 'members',
    patchAnswersNoContent: true,
  },
]
