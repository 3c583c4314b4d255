// Roles as the operator handles them: what each permits, and whether its loss ends sessions.
import type { Service } from '../env'
import type { Application } from '../mapping/application'
import type { Tenant } from '../operations/tenant'
import { raiseConfigurationVersion } from '../storage/configuration-rows'
import { pageOfRoles, type RoleRow, selectRole, updateRole } from '../storage/roles'
import type { OpenTenant } from './open-tenant'
import { type Page, type PageRequest, readPage, textPosition } from './page'
import { notFound } from './problem'

export interface RoleItem {
  readonly id: string
  readonly name: string
  readonly source: 'attribute' | 'group'
  readonly permissions: string[]
  readonly privileged: boolean
  /** How many users have it. */
  readonly members: number
}

/** In order of creation. One round trip. */
export function listRoles(service: Service, reader: Tenant, page: PageRequest): Promise<Page<RoleItem>> {
  return readPage(
    service,
    {
      name: 'roles',
      owner: reader.id,
      read: async (after, limit) => {
        const [found] = await reader.database.batch([pageOfRoles(reader.id, textPosition(after), limit)])
        return (found?.rows ?? []) as unknown as RoleRow[]
      },
      position: ({ id }) => [id],
      item: item(reader.application),
    },
    page,
  )
}

/** What is left out stays. Throws 404. */
export async function updateRoleSettings(
  { database }: OpenTenant,
  { application }: Tenant,
  id: string,
  { permissions, privileged }: { permissions?: string[] | undefined; privileged?: boolean | undefined },
): Promise<RoleItem> {
  const { tenantId } = database
  const settings = {
    permissions: permissions === undefined ? null : JSON.stringify(permissions),
    privileged: privileged === undefined ? null : Number(privileged),
  }
  const [, , found] = await database.batch([
    updateRole(tenantId, id, settings),
    raiseConfigurationVersion(tenantId),
    selectRole(tenantId, id),
  ])
  const row = found?.rows[0] as unknown as RoleRow | undefined
  if (!row) throw notFound('role')
  return item(application)(row)
}

function item({ privileged: named }: Application): (row: RoleRow) => RoleItem {
  return ({ id, name, source, permissions, privileged, members }) => ({
    id,
    name,
    source,
    permissions: JSON.parse(permissions) as string[],
    privileged: privileged === null ? source === 'attribute' && named.includes(name) : privileged === 1,
    members,
  })
}
