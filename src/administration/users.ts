// The people of a tenant as the application sees them, for it and for the operator to look up.
import type { Service } from '../env'
import { refuseComplexFilter } from '../operations/refusal'
import { accountType, revokeSessions } from '../operations/revoke-sessions'
import { filterContextOf, type Tenant } from '../operations/tenant'
import type { Pointer } from '../operations/update'
import { parseFilter } from '../scim/filter'
import type { Json, JsonObject } from '../scim/json'
import { readResource, type StoredResource, selectResource } from '../storage/resources'
import { pageOfUsers } from '../storage/user-rows'
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
  const type = accountType(reader)
  const context = filterContextOf(reader, type)
  const parsed = filter.filter === undefined ? undefined : parseFilter(filter.filter, type, reader.interop)
  // Nobody has a role or a target group yet, so neither filter matches anybody.
  const matchesNobody = filter.role !== undefined || filter.targetGroup !== undefined
  return readPage(
    service,
    {
      name: 'users',
      owner: reader.id,
      read: async (position, limit) => {
        if (matchesNobody) return []
        const after = Number(position?.[0] ?? 0)
        const [found] = await reader.database
          .batch([pageOfUsers(parsed, after, limit, context)])
          .catch(refuseComplexFilter)
        return (found?.rows ?? []).map(readResource)
      },
      position: user => [user.serial],
      item,
    },
    page,
  )
}

/** Throws 404. One round trip. */
export async function getUser(reader: Tenant, id: string): Promise<UserItem> {
  const type = accountType(reader)
  const [found] = await reader.database.batch([selectResource(reader.id, type, id, false)])
  const row = found?.rows[0]
  if (!row) throw notFound('user')
  return item(readResource(row))
}

/** Ends the person's sessions, whether active or not; what is to be published. Throws 404. */
export function endSessions(service: Service, tenant: OpenTenant, id: string): Promise<readonly Pointer[]> {
  return writeAsOperator(service, tenant, operator => revokeSessions(operator, id, 'operator'))
}

function item(user: StoredResource): UserItem {
  const { resource } = user
  return {
    id: user.id,
    userName: textOrNull(resource.userName) ?? '',
    externalId: textOrNull(resource.externalId),
    active: resource.active !== false,
    deletedAt: null,
    connectionId: user.connectionId,
    profile: {},
    roles: [],
    targetGroup: null,
    sessionsNotBefore: timestampOrNull(
      user.sessionsNotBefore === null ? null : user.sessionsNotBefore * 1000,
    ),
    sessionEpoch: user.sessionEpoch,
    createdAt: timestamp(user.createdAt),
    updatedAt: timestamp(user.lastModified),
  }
}

function textOrNull(value: Json | undefined): string | null {
  return typeof value === 'string' ? value : null
}
