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
import type { Position } from '../storage/page-cursor'
import { readResource, type StoredView } from '../storage/resources'
import type { Row } from '../storage/tenant-database'
import {
  type RoleGroup,
  readRoleGroup,
  selectRoleGroups,
  type UserPosition,
  type UserQuery,
  type UsersRead,
  userPosition,
  usersPage,
} from '../storage/user-pages'
import { namedUsers, selectUser } from '../storage/user-rows'
import { writeAsOperator } from './as-operator'
import type { OpenTenant } from './open-tenant'
import { type Page, type PageRequest, readPage } from './page'
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
  /** Id of a group in which they are. */
  readonly group?: string | undefined
}

/** Rows that are looked at for a page at first, for each that is asked for, and those of one that is short then. */
const LOOKED_AT_FIRST = 4
const LOOKED_AT = 5_000

/**
 * In order of creation; those who have the role by a group behind those who have it from an attribute. A page is short,
 * or empty, where it ends at the last of `LOOKED_AT` who were looked at. Throws ScimError for a filter that is none.
 * One round trip, or one more where groups are roles and one is asked for; twice that where little is found at first.
 */
export async function listUsers(
  service: Service,
  reader: Tenant,
  filter: UserFilter,
  page: PageRequest,
): Promise<Page<UserItem>> {
  const seen = lookedAt(reader)
  const parsed =
    filter.filter === undefined ? undefined : parseFilter(filter.filter, seen.context.type, reader.interop)
  const { role, byAttribute, targetGroup, group } = filter
  const query = { filter: parsed, role, byAttribute, targetGroup, group }
  return readPage(
    service,
    {
      name: `users ${JSON.stringify({ ...query, filter: filter.filter })}`,
      owner: reader.id,
      read: async (position, limit) => {
        const { rows, upTo } = await usersBehind({ reader, seen, query }, positionOf(position), limit)
        return { rows, upTo: upTo === undefined ? undefined : cursorOf(upTo) }
      },
      fits,
      position: row => cursorOf(userPosition(row)),
      item,
    },
    page,
  )
}

/** What is found soon, else what is found among `LOOKED_AT`. */
async function usersBehind(
  {
    reader,
    seen: { context, application },
    query,
  }: { reader: Tenant; seen: ReturnType<typeof lookedAt>; query: UserQuery },
  position: UserPosition,
  limit: number,
): Promise<UsersRead> {
  const rows: Row[] = []
  let after = position
  for (const lookedAt of [LOOKED_AT_FIRST * limit, LOOKED_AT]) {
    const groups = await roleGroups(reader, query, after)
    const page = { after, count: limit - rows.length, lookedAt, groups }
    const { statements, read } = usersPage(query, page, context, application)
    const found = read(await reader.database.batch(statements).catch(refuseComplexFilter))
    rows.push(...found.rows)
    if (found.upTo === undefined) return { rows }
    after = found.upTo
  }
  return { rows, upTo: after }
}

/** None where the role is not one that a group can be, or where one group is asked for. */
async function roleGroups(
  { id, application, database }: Tenant,
  { role, group, byAttribute = false }: UserQuery,
  from: UserPosition,
): Promise<readonly RoleGroup[]> {
  if (role === undefined || group !== undefined || byAttribute || !application.hasGroupRoles) return []
  const [found] = await database.batch([selectRoleGroups(id, role, from)])
  return (found?.rows ?? []).map(readRoleGroup)
}

function positionOf(position: Position = [0]): UserPosition {
  const [first, memberId] = position
  return typeof first === 'number' ? first : { groupId: String(first), memberId: String(memberId) }
}

function cursorOf(position: UserPosition): Position {
  return typeof position === 'number' ? [position] : [position.groupId, position.memberId]
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
