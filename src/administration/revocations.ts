// Whose sessions were ended, as an application asks for it: from where it stopped, and where to go on.
import type { Service } from '../env'
import type { Tenant } from '../operations/tenant'
import { makeCursor, readCursor } from '../storage/page-cursor'
import { pageOfRevocations, type RevocationRow } from '../storage/revocations'
import { Problem } from './problem'
import { timestamp } from './timestamp'

export interface RevocationItem extends Omit<RevocationRow, 'sequence' | 'at'> {
  readonly at: string
}

export interface RevocationPage {
  readonly items: RevocationItem[]
  /** Always there: where there is nothing more now, it is where the next revocation will be. */
  readonly nextCursor: string
}

/** Behind `since`, or from the beginning. Throws 400 for a cursor that is not this tenant's. One round trip. */
export async function listRevocations(
  service: Service,
  reader: Tenant,
  { since, limit }: { since?: string | undefined; limit: number },
): Promise<RevocationPage> {
  const list = `revocations ${reader.id}`
  const position = since === undefined ? [0] : await readCursor(service.keys, list, since)
  if (!position)
    throw new Problem(
      400,
      'since is not a cursor of this feed. Use nextCursor of the reply before, unchanged.',
    )
  const after = Number(position[0])
  const [found] = await reader.database.batch([pageOfRevocations(reader.id, after, limit)])
  const rows = (found?.rows ?? []) as unknown as RevocationRow[]
  return {
    items: rows.map(item),
    nextCursor: await makeCursor(service.keys, list, [rows.at(-1)?.sequence ?? after]),
  }
}

function item({ sequence: _, at, ...revocation }: RevocationRow): RevocationItem {
  return { ...revocation, at: timestamp(at) }
}
