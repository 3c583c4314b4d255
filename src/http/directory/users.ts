// Reads of the people of a tenant.
import * as z from 'zod'
import { getUser, listUsers } from '../../administration/users'
import { pageReply } from '../admin/list'
import { user, usersQuery } from '../admin/users'
import { read } from './read'

export const userReads = [
  read({
    path: '/tenants/:slug/users',
    summary: 'List the users, oldest first',
    query: usersQuery,
    reply: pageReply(user),
    handle: ({ service, reader, query }) => listUsers(service, reader, query, query),
  }),
  read({
    path: '/tenants/:slug/users/:id',
    summary: 'Read a user',
    query: z.strictObject({}),
    reply: user,
    handle: ({ reader, param }) => getUser(reader, param('id')),
  }),
]
