// The people of a tenant as the application sees them, for it and for the operator to look up.
import type { Service } from '../env'
import { withProfile } from '../mapping/profile-attribute'
import { refuseComplexFilter } from '../operations/refusal'
import { revokeSessions } from '../operations/revoke-sessions'
import { filterContextOf, type Tenant } from '../operations/tenant'
import type { Pointer } from '../operations/update'
import { resolveQualified } from '../scim/attribute-path'
import { comparable } from '../scim/comparable'
import { parseFilter } from '../scim/filter'
import { type JsonObject, textOrNull } from '../scim/json'
import { accountTypeOf, type Lookup, type ResourceType } from '../scim/schema'
import { fits } from '../storage/page-bytes'
import { readResource, type StoredView } from '../storage/resources'
import type { Row } from '../storage/tenant-database'
import { namedUsers, pageOfMembers, pageOfUsers, selectUser } from '../storage/user-rows'
import { writeAsOperator } from './as-operator'
import type { OpenTenant } from './open-tenant'
import { type Page, type PageRequest, readPage, textPosition } from './page'
import { notFound } from './problem'
import { timestamp, timestampOrNull } from './timestamp'

export interface UserItem {
  readonly id: string
  readonly userName: string
  readonly externalId: string | null
  readonly active: boolean
  readonly deletedAt: string | null
  readonly connectionId: string
  readonly profile: JsonObject
  readonly roles: { name: string; permissions: string[]; privileged: boolean; source: string }[]
  readonly targetGroup: { id: string; name: string } | null
  readonly sessionsNotBefore: string | null
  readonly sessionEpoch: number
  readonly createdAt: string
  readonly updatedAt: string
}

export interface UserFilter {
  /** A SCIM filter. */
  readonly filter?: string | undefined
  /** Name of a role. */
  readonly role?: string | undefined
  /** Only whom an attribute gave the role. */
  readonly byAttribute?: boolean | undefined
  /** Id of a target group. */
  readonly targetGroup?: string | undefined
}

/** In order of creation. Throws ScimError for a filter that is none. One round trip. */
export async function listUsers(
  service: Service,
  reader: Tenant,
  filter: UserFilter,
  page: PageRequest,
): Promise<Page<UserItem>> {
  const { context, application } = lookedAt(reader)
  const { role, byAttribute, targetGroup } = filter
  const parsed =
    filter.filter === undefined ? undefined : parseFilter(filter.filter, context.type, reader.interop)
  const query = { filter: parsed, role, byAttribute, targetGroup }
  return readPage(
    service,
    {
      name: 'users',
      owner: reader.id,
      read: async (position, limit) => {
        const after = Number(position?.[0] ?? 0)
        const [found] = await reader.database
          .batch([pageOfUsers(query, after, limit, context, application)])
          .catch(refuseComplexFilter)
        return found?.rows ?? []
      },
      fits,
      position: row => [Number(row.serial)],
      item,
    },
    page,
  )
}

/** People who are members of the group, in order of their ids; nobody's of an unknown one. One round trip. */
export function listMembers(
  service: Service,
  reader: Tenant,
  groupId: string,
  page: PageRequest,
): Promise<Page<UserItem>> {
  const { context, application } = lookedAt(reader)
  return readPage(
    service,
    {
      name: `members of ${groupId}`,
      owner: reader.id,
      read: async (position, limit) => {
        const after = textPosition(position)
        const [found] = await reader.database.batch([
          pageOfMembers(groupId, after, limit, context, application),
        ])
        return found?.rows ?? []
      },
      fits,
      position: row => [String(row.id)],
      item,
    },
    page,
  )
}

/** People whom a search shows. */
const MAX_FOUND = 50

/**
 * Whoever is called so: id, userName or displayName from its beginning, a whole address, an externalId of whichever
 * connection. An index answers, so that it costs what it finds. One round trip.
 */
export async function searchUsers(reader: Tenant, text: string): Promise<UserItem[]> {
  const { context, application } = lookedAt(reader)
  const names = context.type.lookups
    .filter(lookup => lookup.scope === 'connection' || !lookup.path.includes(':'))
    .map(lookup => nameFor(lookup, text, context.type))
  const [byName, byId] = await reader.database.batch([
    namedUsers(names, MAX_FOUND, context, application),
    selectUser(text, context, application),
  ])
  return [...(byId?.rows ?? []), ...(byName?.rows ?? [])].slice(0, MAX_FOUND).map(item)
}

function nameFor({ path, scope }: Lookup, text: string, type: ResourceType) {
  const resolved = resolveQualified(path, type)
  const attribute = resolved?.subAttribute ?? resolved?.attribute
  const folded = String((attribute && comparable(attribute, text)) ?? text)
  return { attribute: path, folded, perConnection: scope === 'connection' }
}

/** Throws 404. One round trip. */
export async function getUser(reader: Tenant, id: string): Promise<UserItem> {
  const { context, application } = lookedAt(reader)
  const [found] = await reader.database.batch([selectUser(id, context, application)])
  const row = found?.rows[0]
  if (!row) throw notFound('user')
  return item(row)
}

/** Ends the person's sessions, whether active or not; what is to be published. Throws 404. */
export function endSessions(service: Service, tenant: OpenTenant, id: string): Promise<readonly Pointer[]> {
  return writeAsOperator(service, tenant, operator => revokeSessions(operator, id, 'operator'))
}

/** People with the attribute `profile`, by whose fields they can be filtered. */
function lookedAt(reader: Tenant) {
  const { application } = reader
  const type = withProfile(accountTypeOf(reader.resourceTypes), application)
  return { application, context: filterContextOf(reader, type) }
}

function item(row: Row): UserItem {
  const user = readResource(row)
  const { resource, view } = user
  return {
    id: user.id,
    userName: textOrNull(resource.userName) ?? '',
    externalId: textOrNull(resource.externalId),
    active: resource.active !== false,
    deletedAt: timestampOrNull(user.deletedAt),
    connectionId: user.connectionId,
    profile: view?.profile ?? {},
    roles: JSON.parse(String(row.roles)) as UserItem['roles'],
    targetGroup: targetGroupOf(view),
    sessionsNotBefore: timestampOrNull(
      user.sessionsNotBefore === null ? null : user.sessionsNotBefore * 1000,
    ),
    sessionEpoch: user.sessionEpoch,
    createdAt: timestamp(user.createdAt),
    updatedAt: timestamp(user.lastModified),
  }
}

function targetGroupOf(view: StoredView | undefined): UserItem['targetGroup'] {
  const { targetGroup: id, targetGroupName: name } = view ?? {}
  return id && name ? { id, name } : null
}
