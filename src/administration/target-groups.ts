// Target groups as the operator handles them: made ahead, looked at, taken away while nobody is in them.
import type { Service } from '../env'
import type { Tenant } from '../operations/tenant'
import {
  deleteTargetGroup,
  insertTargetGroup,
  mappingsNaming,
  pageOfTargetGroups,
  selectTargetGroup,
  selectTargetGroupByName,
  type TargetGroupRow,
} from '../storage/target-groups'
import { raiseConfigVersion } from '../storage/tenant-rows'
import type { OpenTenant } from './open-tenant'
import { type Page, type PageRequest, readPage, textPosition } from './page'
import { notFound, Problem } from './problem'

/** `managed`: made by the operator, or by the rule of a mapping, with whose last user it goes. */
export type TargetGroupItem = TargetGroupRow

/** In order of creation. One round trip. */
export function listTargetGroups(
  service: Service,
  reader: Pick<Tenant, 'id' | 'database'>,
  page: PageRequest,
): Promise<Page<TargetGroupItem>> {
  return readPage(
    service,
    {
      name: 'target groups',
      owner: reader.id,
      read: async (after, limit) => {
        const [found] = await reader.database.batch([
          pageOfTargetGroups(reader.id, textPosition(after), limit),
        ])
        return (found?.rows ?? []) as unknown as TargetGroupRow[]
      },
      position: ({ id }) => [id],
      item: row => row,
    },
    page,
  )
}

/** One that the rule has made already becomes the operator's. Throws 409 for a name that is taken. */
export async function createTargetGroup(
  service: Service,
  { database }: OpenTenant,
  name: string,
): Promise<TargetGroupItem> {
  const { tenantId } = database
  const [inserted, found] = await database.batch([
    insertTargetGroup(tenantId, service.newId(), name, service.now()),
    selectTargetGroupByName(tenantId, name),
  ])
  const row = found?.rows[0] as unknown as TargetGroupRow | undefined
  if (!row) throw new Problem(409, 'The tenant is being deleted.')
  if (inserted?.changes === 0) throw new Problem(409, 'There is a target group of this name already.')
  return row
}

/** Throws 404, and 409 while users are in it or a mapping puts users there. */
export async function removeTargetGroup({ database }: OpenTenant, id: string): Promise<void> {
  const { tenantId } = database
  const done = await database.steps({
    before: [selectTargetGroup(tenantId, id), mappingsNaming(tenantId, id)],
    // A mapping that has been checked meanwhile, and would name it, is checked again.
    delete: [deleteTargetGroup(tenantId, id), raiseConfigVersion(tenantId)],
  })
  const [group, mappings] = done.before
  const row = group?.rows[0] as unknown as TargetGroupRow | undefined
  if (!row) throw notFound('target group')
  if (done.delete[0]?.changes === 1) return
  const naming = (mappings?.rows ?? []).map(({ connection_id }) => String(connection_id))
  throw new Problem(
    409,
    naming.length > 0
      ? `The mapping of connection ${naming.join(', ')} puts users there; change it first.`
      : `The target group has ${row.members} ${row.members === 1 ? 'user' : 'users'}.`,
  )
}
