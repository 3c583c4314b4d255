// What happened to one person's access: for each loss of it who asked, what it meant, and what each receiver said.
import type { Service } from '../env'
import { sealEvents } from '../events/chain'
import { NoSigningKey, signerOf } from '../events/signing-keys'
import { isObject, type Json, type JsonObject, textOrNull } from '../scim/json'
import { accountTypeOf } from '../scim/schema'
import { type AccessEventRow, pageOfEndings } from '../storage/access-events'
import type { ChainHead } from '../storage/event-chain'
import { selectTold, type ToldRow } from '../storage/history-rows'
import { makeCursor, readCursor } from '../storage/page-cursor'
import { readResource, type StoredResource, selectEver, VIEWED } from '../storage/resources'
import { asOperator } from './as-operator'
import { deliveryItem } from './history'
import type { OpenTenant } from './open-tenant'
import { badCursor, type PageRequest } from './page'
import { notFound, Problem } from './problem'
import { timestamp, timestampOrNull } from './timestamp'

export const EVIDENCE_TYPE = 'edge-scim-evidence+json'
/** Cases of one record. */
export const MAX_CASES = 50

export interface Identity {
  readonly id: string
  readonly userName: string | null
  readonly externalId: string | null
}

/** Who asked, when, and by which rules the person was read then. Null: it was not kept. */
export interface EvidenceRequest {
  readonly kind: string | null
  readonly at: string
  readonly txn: string
  readonly method: string | null
  readonly path: string | null
  readonly tokenHint: string | null
  readonly connection: { id: string; name: string; idp: string; mappingVersion: number } | null
  /** Which job of the operator's. */
  readonly job: string | null
  readonly profile: string | null
  readonly profileVersion: number | null
}

export interface EvidenceEvent {
  readonly id: string
  readonly sequence: number
  readonly type: string
  readonly reason: string | null
  /** As the person was called then. */
  readonly user: Identity
  readonly connectionId: string | null
  readonly epoch: number | null
  /** Unix seconds. */
  readonly notBefore: number | null
  readonly occurredAt: string
  readonly hash: string | null
}

export interface EvidenceReceiver {
  readonly receiverId: string
  /** Null: it has been deleted. */
  readonly kind: string | null
  readonly state: string
  readonly attempts: number
  readonly lastStatus: number | null
  readonly lastError: string | null
  readonly deliveredAt: string | null
  readonly latencyMs: number | null
  readonly nextAttemptAt: string | null
  readonly sessionsEnded: number | null
}

export interface EvidenceOutcome {
  /** done: every receiver has it; undelivered: some have not; nobody: there was no receiver to tell. */
  readonly state: 'done' | 'undelivered' | 'nobody'
  /** When the last receiver had it. */
  readonly at: string | null
  /** From the change to that. */
  readonly killTimeMs: number | null
  /** Ids of the receivers that do not have it. */
  readonly undelivered: string[]
}

export interface EvidenceCase {
  readonly request: EvidenceRequest
  readonly event: EvidenceEvent
  readonly receivers: EvidenceReceiver[]
  readonly outcome: EvidenceOutcome
  /** The next event that gave access back. */
  readonly restored: { sequence: number; at: string } | null
}

export interface EvidenceRecord {
  readonly issuer: string
  readonly issuedAt: string
  readonly tenant: { id: string; slug: string }
  /** As things are now; of somebody who is gone, as the last event had them. */
  readonly user: Identity & {
    readonly exists: boolean
    readonly active: boolean
    readonly deletedAt: string | null
    readonly sessionEpoch: number
    readonly sessionsNotBefore: string | null
  }
  /** Where the chain of the tenant's events ends: whoever keeps this can tell later if one of them was removed. */
  readonly chain: ChainHead | null
  /** Newest first. */
  readonly cases: EvidenceCase[]
  /** There are older cases. */
  readonly truncated: boolean
}

export interface Evidence {
  readonly record: EvidenceRecord
  /** Exactly the record, as a compact JWS under the tenant's published keys. */
  readonly jws: string
  readonly nextCursor?: string
}

/** Throws 404 for somebody who never was, 409 where the tenant has no key to sign with. */
export async function evidenceOf(
  service: Service,
  tenant: OpenTenant,
  userId: string,
  page: PageRequest,
): Promise<Evidence> {
  const { database } = tenant
  const list = `evidence ${database.tenantId} ${userId}`
  const before = await positionOf(service, list, page.cursor)
  const head = await sealEvents(database)
  const { stored, last, endings } = await read(service, tenant, userId, before, page.limit + 1)
  if (!stored && !last) throw notFound('user')
  const shown = endings.slice(0, page.limit)
  const [told] = await database.batch([
    selectTold(
      database.tenantId,
      shown.map(({ sequence }) => sequence),
    ),
  ])
  const deliveries = (told?.rows ?? []) as unknown as ToldRow[]
  const truncated = endings.length > shown.length
  const record: EvidenceRecord = {
    issuer: tenant.issuer,
    issuedAt: timestamp(service.now()),
    tenant: { id: database.tenantId, slug: tenant.slug },
    user: stored ? present(stored) : gone(userId, last),
    chain: head ?? null,
    cases: shown.map(event =>
      caseOf(
        event,
        deliveries.filter(({ sequence }) => sequence === event.sequence),
      ),
    ),
    truncated,
  }
  const oldest = shown.at(-1)
  return {
    record,
    jws: await sign(service, tenant, record),
    ...(truncated && oldest && { nextCursor: await makeCursor(service.keys, list, [oldest.sequence]) }),
  }
}

async function positionOf(service: Service, list: string, cursor: string | undefined): Promise<number> {
  if (cursor === undefined) return Number.MAX_SAFE_INTEGER
  const position = await readCursor(service.keys, list, cursor)
  if (!position) throw badCursor()
  return Number(position[0])
}

async function read(service: Service, tenant: OpenTenant, userId: string, before: number, limit: number) {
  const operator = await asOperator(service, tenant)
  const { id: tenantId, database } = operator
  const type = accountTypeOf(operator.resourceTypes)
  const [user, last, endings] = await database.batch([
    selectEver(tenantId, type, userId, VIEWED),
    pageOfEndings(tenantId, userId, Number.MAX_SAFE_INTEGER, 1),
    pageOfEndings(tenantId, userId, before, limit),
  ])
  const row = user?.rows[0]
  return {
    stored: row && readResource(row),
    last: last?.rows[0] as unknown as AccessEventRow | undefined,
    endings: (endings?.rows ?? []) as unknown as AccessEventRow[],
  }
}

async function sign(service: Service, { database }: OpenTenant, record: EvidenceRecord): Promise<string> {
  try {
    const signer = await signerOf(service, database)
    return await signer.sign(EVIDENCE_TYPE, { ...record })
  } catch (error) {
    if (error instanceof NoSigningKey) throw new Problem(409, `Nothing can be signed: ${error.message}.`)
    throw error
  }
}

function present(stored: StoredResource): EvidenceRecord['user'] {
  const { id, resource, deletedAt, sessionEpoch, sessionsNotBefore } = stored
  return {
    id,
    userName: textOrNull(resource.userName),
    externalId: textOrNull(resource.externalId),
    exists: true,
    active: resource.active !== false && deletedAt === null,
    deletedAt: timestampOrNull(deletedAt),
    sessionEpoch,
    sessionsNotBefore: secondsOrNull(sessionsNotBefore),
  }
}

/** Whoever is deleted for good is known by their last event. */
function gone(userId: string, last: AccessEventRow | undefined): EvidenceRecord['user'] {
  const data = dataOf(last?.data)
  return {
    ...identityIn(data, userId),
    exists: false,
    active: false,
    deletedAt: timestampOrNull(last?.occurredAt ?? null),
    sessionEpoch: numberOrNull(data.epoch) ?? 0,
    sessionsNotBefore: secondsOrNull(numberOrNull(data.notBefore)),
  }
}

function caseOf(row: AccessEventRow, told: readonly ToldRow[]): EvidenceCase {
  const data = dataOf(row.data)
  const restored =
    row.restored === null ? null : (JSON.parse(row.restored) as { sequence: number; at: number })
  return {
    request: requestOf(row),
    event: {
      id: row.id,
      sequence: row.sequence,
      type: row.type,
      reason: textOrNull(data.reason),
      user: identityIn(data, null),
      connectionId: row.connectionId,
      epoch: numberOrNull(data.epoch),
      notBefore: numberOrNull(data.notBefore),
      occurredAt: timestamp(row.occurredAt),
      hash: row.hash,
    },
    receivers: told.map(receiverOf),
    outcome: outcomeOf(row.occurredAt, told),
    restored: restored && { sequence: restored.sequence, at: timestamp(restored.at) },
  }
}

export function requestOf({
  origin,
  occurredAt,
  txn,
}: Pick<AccessEventRow, 'origin' | 'occurredAt' | 'txn'>): EvidenceRequest {
  const said = dataOf(origin ?? '{}')
  return {
    kind: textOrNull(said.kind),
    at: timestamp(occurredAt),
    txn,
    method: textOrNull(said.method),
    path: textOrNull(said.path),
    tokenHint: textOrNull(said.tokenHint),
    connection: isObject(said.connection) ? (said.connection as EvidenceRequest['connection']) : null,
    job: textOrNull(said.job),
    profile: textOrNull(said.profile),
    profileVersion: numberOrNull(said.profileVersion),
  }
}

function receiverOf(row: ToldRow): EvidenceReceiver {
  const delivery = deliveryItem(row)
  return {
    receiverId: delivery.receiverId,
    kind: row.kind,
    state: delivery.state,
    attempts: delivery.attempts,
    lastStatus: delivery.lastStatus,
    lastError: delivery.lastError,
    deliveredAt: delivery.deliveredAt,
    latencyMs: delivery.latencyMs,
    nextAttemptAt: delivery.nextAttemptAt,
    sessionsEnded: delivery.receipt?.sessionsEnded ?? null,
  }
}

export function outcomeOf(occurredAt: number, told: readonly ToldRow[]): EvidenceOutcome {
  const undelivered = told.filter(({ state }) => state !== 'delivered').map(({ receiverId }) => receiverId)
  if (undelivered.length > 0) return { state: 'undelivered', at: null, killTimeMs: null, undelivered }
  if (told.length === 0) return { state: 'nobody', at: null, killTimeMs: null, undelivered }
  const at = Math.max(...told.map(({ deliveredAt }) => deliveredAt ?? occurredAt))
  return { state: 'done', at: timestamp(at), killTimeMs: at - occurredAt, undelivered }
}

function identityIn(data: JsonObject, id: string | null): Identity {
  const user = isObject(data.user) ? data.user : {}
  return {
    id: textOrNull(user.id) ?? id ?? '',
    userName: textOrNull(user.userName),
    externalId: textOrNull(user.externalId),
  }
}

function dataOf(data: string | undefined): JsonObject {
  return JSON.parse(data ?? '{}') as JsonObject
}

function secondsOrNull(seconds: number | null): string | null {
  return timestampOrNull(seconds === null ? null : seconds * 1000)
}

function numberOrNull(value: Json | undefined): number | null {
  return typeof value === 'number' ? value : null
}
