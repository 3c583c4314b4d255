// How far a connection has come, from its real traffic: what a customer's IT admin wants to know while setting it up.
import { accountTypeOf, groupTypeOf, type ResourceType } from '../scim/schema'
import { type LogRow, MAX_COUNTED, readProgress, selectProgress } from '../storage/connection-progress'
import type { OpenTenant } from './open-tenant'
import { expiresSoon } from './tokens'

/** As scim/resource.ts, scim/patch.ts and mapping/field.ts say it, one sentence after the other. */
const REQUIRED = /(?:^|; |: )((?:(?!; |: ).)+?) is required and (?:must not be empty|has no value)/g

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
  /** Last characters of what was sent; null where that was nothing, too short to show them, or another tenant's. */
  readonly hint: string | null
  /** It was once a token of the connection. */
  readonly isOwn: boolean
  /** Why the connection's own token does not count, where that is known. */
  readonly reason: 'revoked' | 'expired' | null
  /** Nothing has been accepted since. */
  readonly isLatest: boolean
}

export interface MissingAttribute {
  /** As the refusal names it: `emails[type eq "work"].value`. */
  readonly path: string
  /** Among the newest requests. */
  readonly count: number
  readonly lastAt: number
}

export interface ConnectionProgress {
  /** The newest token that counts. */
  readonly token: {
    readonly hint: string
    readonly createdAt: number
    readonly expiresAt: number | null
    readonly expiresSoon: boolean
  } | null
  /** The first accepted one that the log still has. */
  readonly firstRequest: SeenRequest | null
  readonly lastRequest: SeenRequest | null
  /** The last one that was answered with what it asked for. */
  readonly lastSuccess: SeenRequest | null
  readonly refused: RefusedCredential | null
  readonly lastError: SeenRequest | null
  /** Required attributes without which people were refused, the most recent one first. */
  readonly missing: readonly MissingAttribute[]
  /** `count` people have access through the connection, or more than that. */
  readonly people: { readonly count: number; readonly more: boolean; readonly everybody: number }
  readonly firstPersonAt: number | null
  readonly groups: number
  readonly firstGroupAt: number | null
  /** How many of the newest groups are members of a group. */
  readonly nestedGroups: number
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
  const lastSuccess = rows.log.find(({ status }) => status < 400)
  const [refused] = rows.refused.filter(({ status }) => status === 401)
  const isOwn = refused?.connectionId === connectionId
  const own = isOwn ? rows.tokens.find(({ hint }) => hint === refused.tokenHint) : undefined
  const token = rows.tokens.find(counts)
  return {
    token: token ? { ...token, expiresSoon: expiresSoon(token, now) } : null,
    firstRequest: firstRequest ? seen(firstRequest) : null,
    lastRequest: lastRequest ? seen(lastRequest) : null,
    lastSuccess: lastSuccess ? seen(lastSuccess) : null,
    lastError: lastError ? seen(lastError) : null,
    missing: missingIn([...rows.log, ...rows.rejected]),
    refused: refused
      ? {
          at: refused.at,
          hint: refused.tokenHint,
          isOwn,
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
    nestedGroups: rows.nested,
  }
}

function isAccepted({ status }: LogRow): boolean {
  return status !== 401 && status !== 403
}

/** Asking for somebody who is not there is how identity providers look whether somebody is. */
function isError({ method, status }: LogRow): boolean {
  return status >= 400 && status !== 401 && !(status === 404 && (method === 'GET' || method === 'HEAD'))
}

/** What the refusals name, each request counted once, however often it is among the rows. */
function missingIn(rows: readonly LogRow[]): MissingAttribute[] {
  const refusals = new Map(rows.filter(isMissing).map(row => [row.id, row]))
  const found = new Map<string, MissingAttribute>()
  for (const { at, detail } of refusals.values())
    for (const path of requiredIn(detail ?? '')) {
      const { count = 0, lastAt = 0 } = found.get(path) ?? {}
      found.set(path, { path, count: count + 1, lastAt: Math.max(lastAt, at) })
    }
  return [...found.values()].sort((a, b) => b.lastAt - a.lastAt)
}

function isMissing({ help }: LogRow): boolean {
  return help === 'missing-required-attribute'
}

/** A detail is of one sentence for each attribute; the place in a Bulk request may stand before it. */
function requiredIn(detail: string): string[] {
  return [...detail.matchAll(REQUIRED)].flatMap(([, path]) => (path === undefined ? [] : [path]))
}

function seen({ at, method, path, status, scimType, detail }: LogRow): SeenRequest {
  return { at, method, path, status, scimType, detail }
}
