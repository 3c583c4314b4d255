// POST /Bulk (RFC 7644 §3.7): each operation by itself, in an order in which its references are known.
import {
  type BulkEntry,
  type BulkOperation,
  type BulkRequest,
  referencesOf,
  touchedBy,
  withIds,
  withoutReferences,
} from '../scim/bulk'
import { ScimError } from '../scim/error'
import { Interop } from '../scim/interop'
import type { JsonObject } from '../scim/json'
import { applyPatch } from '../scim/patch'
import { readPatchOp } from '../scim/patch-op'
import { etag, location } from '../scim/representation'
import { readResource } from '../scim/resource'
import type { Projection } from '../scim/returned'
import type { ResourceType } from '../scim/schema'
import { failure } from '../storage/tenant-database'
import { create } from './create'
import { declareAhead, Undeclared } from './declare'
import { remove } from './delete'
import { internalError } from './internal-error'
import { modify } from './modify'
import { replace } from './replace'
import type { Tenant } from './tenant'
import type { Pointer, Written } from './update'

export interface BulkOutcome {
  /** Results in the order of the request; what was not reached is missing. */
  readonly results: readonly JsonObject[]
  readonly pointers: readonly Pointer[]
}

/** What is answered of each operation: no more than its id is read back. */
const NOTHING: Projection = { only: new Set() }

/**
 * Never throws for a single operation, be it that D1 fails in it: those before it have been done, and are answered.
 * Throws 401 and 403 when the credential does not count, and whatever keeps that from being known.
 */
export async function bulk(tenant: Tenant, request: BulkRequest): Promise<BulkOutcome> {
  return new BulkRun(tenant, request).run()
}

class BulkRun {
  readonly #ids = new Map<string, string>()
  readonly #results = new Map<number, JsonObject>()
  readonly #pointers: Pointer[] = []
  /** Created without references that were not known yet; completed at the end. */
  readonly #incomplete: { at: number; id: string; operation: BulkOperation }[] = []
  readonly #waiting: Set<number>
  readonly #touched = new Map<number, ReadonlySet<string>>()
  #errors = 0
  #transactions = 0

  constructor(
    private readonly tenant: Tenant,
    private readonly request: BulkRequest,
  ) {
    this.#waiting = new Set(request.entries.keys())
  }

  async run(): Promise<BulkOutcome> {
    await declareAhead(this.tenant, this.#undeclared())
    for (let next = this.#next(); next !== undefined && !this.#stopped(); next = this.#next()) {
      this.#waiting.delete(next.at)
      await this.#attempt(next.at, next.bare)
    }
    if (!this.#stopped()) for (const rest of this.#incomplete) await this.#complete(rest)
    const order = [...this.#results].sort(([a], [b]) => a - b)
    return { results: order.map(([, result]) => result), pointers: this.#pointers }
  }

  /** Attributes of an open extension that the tenant does not have yet. */
  #undeclared(): readonly string[] {
    const interop = new Interop(this.tenant.interop.mode)
    for (const { operation } of this.request.entries)
      if (!(operation instanceof ScimError)) this.#readAhead(operation, interop)
    return interop.toBeDeclared
  }

  /** What is wrong with it is said when its turn comes. */
  #readAhead({ method, endpoint, data }: BulkOperation, interop: Interop): void {
    const type = this.tenant.resourceTypes.find(candidate => candidate.endpoint === endpoint)
    if (!type?.extensions.some(({ open }) => open) || method === 'DELETE') return
    try {
      if (method === 'PATCH') applyPatch({}, readPatchOp(data, type, interop), type, interop)
      else readResource(data, type, interop)
    } catch (error) {
      if (!(error instanceof ScimError)) throw error
    }
  }

  #stopped(): boolean {
    return this.request.failOnErrors !== undefined && this.#errors >= this.request.failOnErrors
  }

  /**
   * The first operation that refers to nothing still to come, and has no business with an earlier one that waits
   * (RFC-176), unless that one waits for it. Where all wait for each other (RFC-174), the first POST is created bare:
   * without what refers to the others.
   */
  #next(): { at: number; bare: boolean } | undefined {
    const waiting = [...this.#waiting]
    const complete = waiting.filter(at => !this.#awaitsAnother(at))
    const ready =
      complete.find(at => !this.#waitsBehind(at)) ?? complete.find(at => this.#isAwaited(at)) ?? complete[0]
    if (ready !== undefined) return { at: ready, bare: false }
    const post = waiting.find(at => this.request.entries[at]?.method === 'POST')
    const first = post ?? waiting[0]
    return first === undefined ? undefined : { at: first, bare: true }
  }

  #awaitsAnother(at: number): boolean {
    const operation = this.#operationAt(at)
    if (!operation) return false
    const coming = new Set([...this.#waiting].map(other => this.request.entries[other]?.bulkId))
    return [...referencesOf(operation)].some(bulkId => coming.has(bulkId))
  }

  #isAwaited(at: number): boolean {
    const bulkId = this.request.entries[at]?.bulkId
    return [...this.#waiting].some(other => {
      const operation = this.#operationAt(other)
      return bulkId !== undefined && operation !== undefined && referencesOf(operation).has(bulkId)
    })
  }

  /** Whether an earlier one that still waits is about a resource that this one names, or the other way round. */
  #waitsBehind(at: number): boolean {
    const target = this.#operationAt(at)?.target
    const touched = this.#touchedAt(at)
    return [...this.#waiting].some(other => {
      if (other >= at) return false
      const earlier = this.#operationAt(other)?.target
      return (
        (earlier !== undefined && touched.has(earlier)) ||
        (target !== undefined && this.#touchedAt(other).has(target))
      )
    })
  }

  #touchedAt(at: number): ReadonlySet<string> {
    const operation = this.#operationAt(at)
    const touched = this.#touched.get(at) ?? (operation ? touchedBy(operation) : new Set<string>())
    this.#touched.set(at, touched)
    return touched
  }

  #operationAt(at: number): BulkOperation | undefined {
    const operation = this.request.entries[at]?.operation
    return operation instanceof ScimError ? undefined : operation
  }

  async #attempt(at: number, bare: boolean): Promise<void> {
    const entry = this.request.entries[at]
    if (!entry) return
    try {
      if (entry.operation instanceof ScimError) throw entry.operation
      const written = await this.#perform(at, entry.operation, bare)
      this.#results.set(at, this.#succeeded(entry, written))
    } catch (error) {
      this.#failed(at, entry, this.#refusalOf(error))
    }
  }

  /** What was done before cannot be done again, so that the operation is left to the client. */
  #refusalOf(error: unknown): unknown {
    if (failure(error) === 'configuration' || error instanceof Undeclared)
      return new ScimError(503, undefined, 'The configuration changed meanwhile; send the operation again.')
    const isAdmitted = this.tenant.database.admitted === undefined
    return error instanceof ScimError || !isAdmitted ? error : internalError(error, this.tenant.txn)
  }

  async #perform(at: number, operation: BulkOperation, bare: boolean): Promise<Written | undefined> {
    const type = this.#typeOf(operation)
    const unknown = [...referencesOf(operation)].filter(bulkId => !this.#ids.has(bulkId))
    if (unknown.length > 0 && !(bare && operation.method === 'POST'))
      throw new ScimError(
        400,
        'invalidValue',
        `Nothing was created with the bulkId ${unknown.slice(0, 5).join(', ')}.`,
      )
    const known = withIds(operation.data, this.#ids)
    const data = unknown.length > 0 ? withoutReferences(known) : known
    const id = String(withIds(operation.target ?? '', this.#ids))
    const tenant = this.#tenantFor(operation, id)
    const written = await perform(tenant, type, operation, id, data)
    if (!written) return undefined
    this.#pointers.push(...written.pointers)
    const created = written.views[0]?.stored.id ?? id
    if (operation.bulkId !== undefined) this.#ids.set(operation.bulkId, created)
    if (unknown.length > 0) this.#incomplete.push({ at, id: created, operation })
    return written
  }

  /** Puts in what a bare create had to leave out. */
  async #complete({
    at,
    id,
    operation,
  }: {
    at: number
    id: string
    operation: BulkOperation
  }): Promise<void> {
    const entry = this.request.entries[at]
    if (!entry) return
    const whole: BulkOperation = { ...operation, method: 'PUT', target: id, version: undefined }
    try {
      const written = await this.#perform(at, whole, false)
      this.#results.set(at, { ...this.#succeeded(entry, written), status: '201' })
    } catch (error) {
      this.#failed(at, entry, this.#refusalOf(error))
    }
  }

  #typeOf({ endpoint }: BulkOperation): ResourceType {
    const type = this.tenant.resourceTypes.find(candidate => candidate.endpoint === endpoint)
    if (!type) throw new ScimError(404, undefined, 'No such endpoint.').about('no-such-endpoint')
    return type
  }

  /** Its own transaction, numbered within the request (RFC 9967 §2.5), and its own row in the log. */
  #tenantFor({ method, endpoint }: BulkOperation, id: string): Tenant {
    const { tenant } = this
    const path = id === '' ? endpoint : `${endpoint}/${id}`
    const logId = tenant.newId()
    return {
      ...tenant,
      txn: `${tenant.txn}:${++this.#transactions}`,
      origin: { ...tenant.origin, ...(tenant.origin.kind === 'scim' && { method, path }) },
      log: {
        entry: (status, resourceType, resourceId) => ({
          ...tenant.log.entry(status, resourceType, resourceId),
          id: logId,
          method,
          path,
        }),
        stored: () => undefined,
      },
    }
  }

  #succeeded(entry: BulkEntry, written: Written | undefined): JsonObject {
    const stored = written?.views[0]?.stored
    const operation = entry.operation as BulkOperation
    const id = stored?.id ?? String(withIds(operation.target ?? '', this.#ids))
    return {
      ...described(entry),
      location: location(this.tenant.baseUrl, this.#typeOf(operation), id),
      ...(stored && this.tenant.application.profile.features.etag && { version: etag(stored.version) }),
      status: String(written?.status ?? 204),
    }
  }

  #failed(at: number, entry: BulkEntry, error: unknown): void {
    // The credential does not count: that is an answer to the whole request.
    if (!(error instanceof ScimError) || error.status === 401 || error.status === 403) throw error
    this.#errors++
    const { operation } = entry
    const target = operation instanceof ScimError ? undefined : operation.target
    this.#results.set(at, {
      ...described(entry),
      ...(target !== undefined &&
        !(operation instanceof ScimError) && {
          location: `${this.tenant.baseUrl}${operation.endpoint}/${String(withIds(target, this.#ids))}`,
        }),
      status: String(error.status),
      response: { ...error.body() },
    })
  }
}

function described({ method, bulkId }: BulkEntry): JsonObject {
  return { method, ...(bulkId !== undefined && { bulkId }) }
}

/** Undefined for a DELETE, of which nothing is left to tell. */
async function perform(
  tenant: Tenant,
  type: ResourceType,
  { method, version }: BulkOperation,
  id: string,
  data: BulkOperation['data'],
): Promise<Written | undefined> {
  switch (method) {
    case 'POST':
      return create(tenant, type, data, NOTHING)
    case 'PUT':
      return replace(tenant, type, id, data, version, NOTHING)
    case 'PATCH':
      return modify(tenant, type, id, data, version, NOTHING)
    case 'DELETE':
      return { views: [], more: undefined, status: 204, pointers: await remove(tenant, type, id, version) }
  }
}
