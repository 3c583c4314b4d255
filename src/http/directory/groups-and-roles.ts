// Reads of what users are to the application: their target groups and roles.
import { listRoles } from '../../administration/roles'
import { listTargetGroups } from '../../administration/target-groups'
import { pageQuery, pageReply } from '../admin/list'
import { role } from '../admin/roles'
import { targetGroup } from '../admin/target-groups'
import { read } from './read'

export const groupAndRoleReads = [
  read({
    path: '/tenants/:slug/target-groups',
    summary: 'List the target groups, oldest first',
    query: pageQuery,
    reply: pageReply(targetGroup),
    handle: ({ service, reader, query }) => listTargetGroups(service, reader, query),
  }),
  read({
    path: '/tenants/:slug/roles',
    summary: 'List the roles, oldest first',
    query: pageQuery,
    reply: pageReply(role),
    handle: ({ service, reader, query }) => listRoles(service, reader, query),
  }),
]
