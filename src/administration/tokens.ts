// Tokens of a connection as the operator handles them: rotate, list, revoke.
import type { Service } from '../env'
import { selectConnection } from '../storage/connection-rows'
import {
  issueToken,
  pageOfTokens,
  revokeOlderTokens,
  revokeToken,
  supersedeOlderTokens,
  type TokenRow,
} from '../storage/token-rows'
import { mintToken, type TokenClaims } from '../storage/tokens'
import type { OpenTenant } from './open-tenant'
import { type Page, type PageRequest, readPage, textPosition } from './page'
import { invalid, notFound, Problem } from './problem'
import { timestamp, timestampOrNull } from './timestamp'

export interface NewToken {
  readonly id: string
  /** Shown here and never again. */
  readonly value: string
  readonly hint: string
  readonly createdAt: string
  readonly expiresAt: string | null
}

export interface TokenItem {
  readonly id: string
  readonly hint: string
  readonly createdAt: string
  readonly lastUsedAt: string | null
  readonly expiresAt: string | null
  readonly revokedAt: string | null
  /** Only where it is so. */
  readonly expiresSoon?: true
}

const DAY_MS = 86_400_000
/** So long before a token expires it is time to replace it. */
const SOON_MS = 30 * DAY_MS

export function expiresSoon(
  { expiresAt, revokedAt }: Pick<TokenRow, 'expiresAt' | 'revokedAt'>,
  now: number,
): boolean {
  return expiresAt !== null && revokedAt === null && expiresAt > now && expiresAt - now <= SOON_MS
}

export function newToken(
  claims: TokenClaims,
  value: string,
  now: number,
  expiresAt: number | null,
): NewToken {
  const { tokenId: id, hint } = claims
  return { id, value, hint, createdAt: timestamp(now), expiresAt: timestampOrNull(expiresAt) }
}

/** A further token, which replaces the older ones: at once, or after an overlap. */
export async function rotateToken(
  service: Service,
  { database }: OpenTenant,
  connectionId: string,
  input: { overlapSeconds: number; expiresAt?: string | undefined },
): Promise<NewToken> {
  const { tenantId } = database
  const now = service.now()
  const expiresAt = input.expiresAt === undefined ? null : Date.parse(input.expiresAt)
  if (expiresAt !== null && expiresAt <= now) throw invalid('expiresAt', 'must be in the future')
  const ids = { tenantId, connectionId, tokenId: service.newId() }
  const { value, claims } = await mintToken(service.keys, ids)
  const retireOlder =
    input.overlapSeconds === 0
      ? revokeOlderTokens(claims, now)
      : supersedeOlderTokens(claims, now + input.overlapSeconds * 1000)
  const done = await database.steps({
    connection: [selectConnection(tenantId, connectionId)],
    issue: [issueToken(claims, now, expiresAt), retireOlder],
  })
  if (!done.connection[0]?.rows[0]) throw notFound('connection')
  if (done.issue[0]?.changes !== 1) throw new Problem(409, 'The connection is being deleted.')
  return newToken(claims, value, now, expiresAt)
}

export function listTokens(
  service: Service,
  { database }: OpenTenant,
  connectionId: string,
  page: PageRequest,
): Promise<Page<TokenItem>> {
  const { tenantId } = database
  return readPage(
    service,
    {
      name: `tokens of ${connectionId}`,
      owner: tenantId,
      read: async (after, limit) => {
        const [connection, found] = await database.batch([
          selectConnection(tenantId, connectionId),
          pageOfTokens(tenantId, connectionId, textPosition(after), limit),
        ])
        if (!connection?.rows[0]) throw notFound('connection')
        return (found?.rows ?? []) as unknown as TokenRow[]
      },
      position: token => [token.id],
      item: token => item(token, service.now()),
    },
    page,
  )
}

/** Stops a token at once; a second time changes nothing. */
export async function endToken(
  service: Service,
  { database }: OpenTenant,
  connectionId: string,
  tokenId: string,
): Promise<void> {
  const [revoked] = await database.batch([
    revokeToken(database.tenantId, connectionId, tokenId, service.now()),
  ])
  if (!revoked?.rows[0]) throw notFound('token')
}

function item(token: TokenRow, now: number): TokenItem {
  const { id, hint, createdAt, lastUsedAt, expiresAt, revokedAt } = token
  return {
    id,
    hint,
    createdAt: timestamp(createdAt),
    lastUsedAt: timestampOrNull(lastUsedAt),
    expiresAt: timestampOrNull(expiresAt),
    revokedAt: timestampOrNull(revokedAt),
    ...(expiresSoon(token, now) && { expiresSoon: true }),
  }
}
