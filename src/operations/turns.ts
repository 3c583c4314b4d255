// Taking turns: a write over a version that is no longer the current one is decided and tried again.
import { ScimError } from '../scim/error'
import { failure } from '../storage/tenant-database'
import type { Tenant } from './tenant'

/** Contenders for one resource; this many turns are enough for a burst of fifty. */
const TURNS = 60

/**
 * Runs `write` until it gives something. It gives undefined, or rejects as 'stale', when somebody else was faster;
 * whatever else it throws goes on. Each turn has its own time, so that sessions of while it waited end as well.
 * Throws 503 with Retry-After when nobody ever lets it through.
 */
export async function takeTurns<Result>(
  tenant: Tenant,
  write: (tenant: Tenant) => Promise<Result | undefined>,
): Promise<Result> {
  for (let turn = 1; turn <= TURNS; turn++) {
    const result = await write({ ...tenant, now: tenant.clock() }).catch((error: unknown) => {
      if (failure(error) === 'stale') return undefined
      throw error
    })
    if (result !== undefined) return result
    if (turn > 2) await scheduler.wait(turn)
  }
  throw new ScimError(503, undefined, 'Too many requests change this resource at once; send it again.', {
    'Retry-After': '1',
  })
}
