// The people of a tenant as the application sees them, for the operator to look up.
import type { Service } from '../env'
import { accountType, revokeSessions } from '../operations/revoke-sessions'
import { filterContextOf } from '../operations/tenant'
import type { Pointer } from '../operations/update'
import { parseFilter } from '../scim/filter'
import type { Json, JsonObject } from '../scim/json'
import { fits } from '../storage/page-bytes'
import { ALONE, readResource, type StoredResource, selectResource } from '../storage/resources'
import { pageOfUsers } from '../storage/user-rows'
import { asOperator, writeAsOperator } from './as-operator'
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

/** In order of creation. Throws ScimError for a filter that is none. */
export async function listUsers(
  service: Service,
  tenant: OpenTenant,
  filter: { filter?: string | undefined; role?: string | undefined; targetGroup?: string | undefined },
  page: PageRequest,
): Promise<Page<UserItem>> {
  const { database } = tenant
  const operator = await asOperator(service, tenant)
  const type = accountType(operator)
  const context = filterContextOf(operator, type)
  const parsed = filter.filter === undefined ? undefined : parseFilter(filter.filter, type, operator.interop)
  // Nobody has a role or a target group yet, so neither filter matches anybody.
  const matchesNobody = filter.role !== undefined || filter.targetGroup !== undefined
  return readPage(
    service,
    {
      name: 'users',
      owner: database.tenantId,
      read: async (position, limit) => {
        if (matchesNobody) return []
        const [found] = await database.batch([
          pageOfUsers(parsed, Number(position?.[0] ?? 0), limit, context),
        ])
        return found?.rows ?? []
      },
      fits,
      position: row => [Number(row.serial)],
      item: row => item(readResource(row)),
    },
    page,
  )
}

export async function getUser(service: Service, tenant: OpenTenant, id: string): Promise<UserItem> {
  const { database } = tenant
  const type = accountType(await asOperator(service, tenant))
  const [found] = await database.batch([selectResource(database.tenantId, type, id, ALONE)])
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
