// How far a connection has come, from its real traffic: what a customer's IT admin wants to know while setting it up.
import { accountTypeOf, type ResourceType } from '../scim/schema'
import { type LogRow, MAX_COUNTED, readProgress, selectProgress } from '../storage/connection-progress'
import type { OpenTenant } from './open-tenant'

export interface SeenRequest {
  /** Milliseconds. */
  readonly at: number
  readonly method: string
  /** Below the base URL. */
  readonly path: string
  readonly status: number
  readonly scimType: string | null
  readonly detail: string | null
}

export interface RefusedCredential {
  readonly at: number
  /** Last characters of a token that was the connection's own; null for anything else. */
  readonly hint: string | null
  /** Why the connection's own token does not count, where that is known. */
  readonly reason: 'revoked' | 'expired' | null
  /** Nothing has been accepted since. */
  readonly isLatest: boolean
}

export interface ConnectionProgress {
  /** The newest token that counts. */
  readonly token: {
    readonly hint: string
    readonly createdAt: number
    readonly expiresAt: number | null
  } | null
  /** The first accepted one that the log still has. */
  readonly firstRequest: SeenRequest | null
  readonly lastRequest: SeenRequest | null
  readonly refused: RefusedCredential | null
  readonly lastError: SeenRequest | null
  /** `count` people have access through the connection, or more than that. */
  readonly people: { readonly count: number; readonly more: boolean; readonly everybody: number }
  readonly firstPersonAt: number | null
  readonly groups: number
  readonly firstGroupAt: number | null
}

/** One round trip that reads a few hundred rows at most, whatever the tenant holds. */
export async function readConnectionProgress(
  { database }: OpenTenant,
  connectionId: string,
  resourceTypes: readonly ResourceType[],
  now: number,
): Promise<ConnectionProgress> {
  const types = { people: accountTypeOf(resourceTypes), groups: groupTypeOf(resourceTypes) }
  const rows = readProgress(await database.batch(selectProgress(database.tenantId, connectionId, types)))
  const counts = ({ expiresAt, revokedAt }: { expiresAt: number | null; revokedAt: number | null }) =>
    revokedAt === null && (expiresAt === null || expiresAt > now)
  const lastRequest = rows.log.find(isAccepted)
  const lastError = rows.log.find(isError)
  const firstRequest = rows.oldest[0]
  const [refused] = rows.refused.filter(({ status }) => status === 401)
  const own = refused && rows.tokens.find(({ hint }) => hint === refused.tokenHint)
  return {
    token: rows.tokens.find(counts) ?? null,
    firstRequest: firstRequest ? seen(firstRequest) : null,
    lastRequest: lastRequest ? seen(lastRequest) : null,
    lastError: lastError ? seen(lastError) : null,
    refused: refused
      ? {
          at: refused.at,
          hint: refused.tokenHint,
          reason: own ? (own.revokedAt === null ? 'expired' : 'revoked') : null,
          isLatest: lastRequest === undefined || lastRequest.at < refused.at,
        }
      : null,
    people: {
      count: Math.min(rows.people, MAX_COUNTED),
      more: rows.people > MAX_COUNTED,
      everybody: rows.everybody,
    },
    firstPersonAt: rows.firstPersonAt,
    groups: rows.groups,
    firstGroupAt: rows.firstGroupAt,
  }
}

function groupTypeOf(types: readonly ResourceType[]): ResourceType {
  const type = types.find(({ membersAttribute }) => membersAttribute !== undefined)
  if (!type) throw new Error('No resource type has members.')
  return type
}

function isAccepted({ status }: LogRow): boolean {
  return status !== 401 && status !== 403
}

/** Asking for somebody who is not there is how identity providers look whether somebody is. */
function isError({ method, status }: LogRow): boolean {
  return status >= 400 && status !== 401 && !(status === 404 && (method === 'GET' || method === 'HEAD'))
}

function seen({ at, method, path, status, scimType, detail }: LogRow): SeenRequest {
  return { at, method, path, status, scimType, detail }
}
