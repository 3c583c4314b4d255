// Setup links as the operator handles them: make, list, renew, delete.
import type { Service } from '../env'
import { selectConnection } from '../storage/connection-rows'
import {
  deleteSetupLink,
  insertSetupLink,
  mintSetupLink,
  pageOfSetupLinks,
  renewSetupLink,
  type SetupLinkRow,
} from '../storage/setup-links'
import type { OpenTenant } from './open-tenant'
import { type Page, type PageRequest, readPage, textPosition } from './page'
import { invalid, notFound, Problem } from './problem'
import { timestamp, timestampOrNull } from './timestamp'

export interface SetupLinkItem {
  readonly id: string
  /** Null until the IT admin has chosen the identity provider. */
  readonly connectionId: string | null
  readonly expiresAt: string
  /** When it made its token; null while it can. */
  readonly usedAt: string | null
  readonly createdAt: string
}

export interface NewSetupLink {
  readonly id: string
  /** Shown here and never again. */
  readonly url: string
  readonly expiresAt: string
}

const HOUR_MS = 3_600_000

/** Throws 422 for a connection that is none of the tenant's, 409 for what is being deleted. */
export async function createSetupLink(
  service: Service,
  { baseUrl, database }: OpenTenant,
  {
    connectionId = null,
    expiresInHours,
  }: { connectionId?: string | undefined | null; expiresInHours: number },
): Promise<NewSetupLink> {
  const { tenantId } = database
  const now = service.now()
  const expiresAt = now + Math.ceil(expiresInHours * HOUR_MS)
  const { value, claims } = await mintSetupLink(service.keys, { tenantId, linkId: service.newId() })
  const done = await database.steps({
    connection: connectionId === null ? [] : [selectConnection(tenantId, connectionId)],
    insert: [insertSetupLink(claims, { connectionId, expiresAt }, now)],
  })
  if (connectionId !== null && !done.connection[0]?.rows[0])
    throw invalid('connectionId', 'is no connection of this tenant')
  if (done.insert[0]?.changes !== 1)
    throw new Problem(409, 'The tenant, or the connection, is being deleted.')
  return newLink(baseUrl, claims.linkId, value, expiresAt)
}

export function listSetupLinks(
  service: Service,
  { database }: OpenTenant,
  page: PageRequest,
): Promise<Page<SetupLinkItem>> {
  const { tenantId } = database
  return readPage(
    service,
    {
      name: 'setup links',
      owner: tenantId,
      read: async (after, limit) => {
        const [found] = await database.batch([pageOfSetupLinks(tenantId, textPosition(after), limit)])
        return (found?.rows ?? []) as unknown as SetupLinkRow[]
      },
      position: link => [link.id],
      item,
    },
    page,
  )
}

/** The old URL opens nothing from now on; with the new one a token can be made again. Throws 404. */
export async function renewLink(
  service: Service,
  { baseUrl, database }: OpenTenant,
  id: string,
  { expiresInHours }: { expiresInHours: number },
): Promise<NewSetupLink> {
  const { tenantId } = database
  const expiresAt = service.now() + Math.ceil(expiresInHours * HOUR_MS)
  // An id is turned into bytes below, so one that can be none is looked for first.
  if (!UUID.test(id)) throw notFound('setup link')
  const { value, claims } = await mintSetupLink(service.keys, { tenantId, linkId: id })
  const [renewed] = await database.batch([renewSetupLink(claims, expiresAt)])
  if (renewed?.changes !== 1) throw notFound('setup link')
  return newLink(baseUrl, id, value, expiresAt)
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** The page is gone at once; the connection and the token that it may have made stay. Throws 404. */
export async function endSetupLink({ database }: OpenTenant, id: string): Promise<void> {
  const [deleted] = await database.batch([deleteSetupLink(database.tenantId, id)])
  if (deleted?.changes !== 1) throw notFound('setup link')
}

function newLink(baseUrl: string, id: string, secret: string, expiresAt: number): NewSetupLink {
  return { id, url: `${new URL(baseUrl).origin}/setup/${secret}`, expiresAt: timestamp(expiresAt) }
}

function item({ expiresAt, usedAt, createdAt, ...link }: SetupLinkRow): SetupLinkItem {
  return {
    ...link,
    expiresAt: timestamp(expiresAt),
    usedAt: timestampOrNull(usedAt),
    createdAt: timestamp(createdAt),
  }
}
