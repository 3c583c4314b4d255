// App keys as the operator handles them: make, list, revoke.
import type { Service } from '../env'
import { type AppKeyRow, deleteAppKey, issueAppKey, mintAppKey, pageOfAppKeys } from '../storage/app-keys'
import type { OpenTenant } from './open-tenant'
import { type Page, type PageRequest, readPage, textPosition } from './page'
import { notFound, Problem } from './problem'
import { timestamp, timestampOrNull } from './timestamp'

export interface AppKeyItem {
  readonly id: string
  readonly name: string | null
  readonly hint: string
  readonly createdAt: string
  readonly lastUsedAt: string | null
}

export interface NewAppKey extends Omit<AppKeyItem, 'lastUsedAt'> {
  /** Shown here and never again. */
  readonly value: string
}

/** A key that reads the tenant's directory from now on. */
export async function createAppKey(
  service: Service,
  { database }: OpenTenant,
  { name = null }: { name?: string | undefined | null },
): Promise<NewAppKey> {
  const { tenantId } = database
  const now = service.now()
  const id = service.newId()
  const { value, claims } = await mintAppKey(service.keys, { tenantId, keyId: id })
  const [issued] = await database.batch([issueAppKey(claims, name, now)])
  if (issued?.changes !== 1) throw new Problem(409, 'The tenant is being deleted.')
  return { id, value, hint: claims.hint, name, createdAt: timestamp(now) }
}

export function listAppKeys(
  service: Service,
  { database }: OpenTenant,
  page: PageRequest,
): Promise<Page<AppKeyItem>> {
  const { tenantId } = database
  return readPage(
    service,
    {
      name: 'app keys',
      owner: tenantId,
      read: async (after, limit) => {
        const [found] = await database.batch([pageOfAppKeys(tenantId, textPosition(after), limit)])
        return (found?.rows ?? []) as unknown as AppKeyRow[]
      },
      position: key => [key.id],
      item,
    },
    page,
  )
}

/** Stops a key at once. Throws 404. */
export async function endAppKey({ database }: OpenTenant, id: string): Promise<void> {
  const [deleted] = await database.batch([deleteAppKey(database.tenantId, id)])
  if (deleted?.changes !== 1) throw notFound('app key')
}

function item({ createdAt, lastUsedAt, ...key }: AppKeyRow): AppKeyItem {
  return { ...key, createdAt: timestamp(createdAt), lastUsedAt: timestampOrNull(lastUsedAt) }
}
