// One SCIM request from its credential to its log row: everything that is the same whatever it asks for.
import type { Context } from 'hono'
import { BadEnvironment, type Service } from '../env'
import {
  type Admitted,
  admissionOf,
  assumptionFor,
  ConfigurationChanged,
  isOutdated,
} from '../operations/access'
import { type LogOwner, logLater } from '../operations/activity-log'
import { loadConfiguration } from '../operations/configuration'
import { Undeclared } from '../operations/declare'
import { internalError } from '../operations/internal-error'
import type { RequestLog, Tenant } from '../operations/tenant'
import { ScimError } from '../scim/error'
import { Interop } from '../scim/interop'
import { accountTypeOf } from '../scim/schema'
import { withDeclared } from '../scim/tenant-types'
import type { ActivityEntry } from '../storage/activity'
import { abortUnlessCurrent } from '../storage/configuration-rows'
import { TenantDatabase } from '../storage/tenant-database'
import { markUsed, type TokenClaims } from '../storage/tokens'
import { authenticate, failedCredential, hintOf, limitConnection } from './authenticate'
import type { AppEnv } from './environment'
import { isPlainHttp, PLAIN_HTTP } from './plain-http'
import { errorReply } from './scim-json'

/** A token's `lastUsedAt` is written when it is older than this. */
const USE_NOTED_EVERY_MS = 60 * 60 * 1000
/**
 * A configuration that changes more often than this while one request runs is not waited for. Users who come at once,
 * each with an attribute that nobody had before, change it one after the other.
 */
const MAX_CHANGES = 20

export type Handle = (tenant: Tenant) => Promise<Response>

/** Answers the request by `handle`, once its credential is known to be ours; every failure becomes a SCIM error. */
export async function serveScim(c: Context<AppEnv>, handle: Handle): Promise<Response> {
  const service = c.get('service')
  const log = new ScimRequestLog(c, service)
  let response: Response
  try {
    response = await admitAndHandle(c, service, log, handle)
  } catch (error) {
    const refusal = asScimError(error, log.id, c.req.method)
    log.refused(refusal)
    response = errorReply(refusal)
  }
  log.finish(response.status)
  return response
}

async function admitAndHandle(
  c: Context<AppEnv>,
  service: Service,
  log: ScimRequestLog,
  handle: Handle,
): Promise<Response> {
  if (isPlainHttp(c.req.url)) throw new ScimError(403, undefined, PLAIN_HTTP).about('plain-http')
  const claims = await authenticate(service, c.req.raw)
  log.claims = claims
  await limitConnection(service, claims)
  let declares: readonly string[] = []
  for (let changes = 0; ; ) {
    try {
      return await attemptOnce(c, service, log, { claims, declares }, handle)
    } catch (error) {
      if (error instanceof Undeclared && declares.length === 0) {
        declares = error.names
        continue
      }
      if (isOutdated(error) && changes++ < MAX_CHANGES) {
        // A write found it out in a later round trip; its batch was rolled back.
        const toBeLoaded = !(error instanceof ConfigurationChanged) || error.toBeLoaded
        if (toBeLoaded) await loadConfiguration(new TenantDatabase(service, claims.tenantId))
        // Somebody else may have declared the same: only what is still missing is declared.
        declares = []
        continue
      }
      if (error instanceof ScimError && error.status === 401)
        throw await failedCredential(service, c.req.raw, error)
      throw error
    }
  }
}

interface Attempt {
  readonly claims: TokenClaims
  /** What the attempt before found to be undeclared. */
  readonly declares: readonly string[]
}

async function attemptOnce(
  c: Context<AppEnv>,
  service: Service,
  log: ScimRequestLog,
  { claims, declares }: Attempt,
  handle: Handle,
): Promise<Response> {
  const slug = c.req.param('slug')
  const assumption = assumptionFor(claims)
  const admitted: Admitted[] = []
  const admission = admissionOf(claims, slug, assumption, log.startedAt, answer => admitted.push(answer))
  const interop = new Interop(assumption.mode)
  log.interop = interop
  const { version, resourceTypes, application, breaker } = assumption.configuration
  const unchanged = abortUnlessCurrent(claims.tenantId, version)
  const database = new TenantDatabase(service, claims.tenantId, admission, unchanged)
  const tenant: Tenant = {
    id: claims.tenantId,
    connectionId: claims.connectionId,
    resourceTypes,
    declares,
    application,
    breaker,
    interop,
    limits: application.profile.paging,
    baseUrl: baseUrlOf(c.req.url),
    database,
    now: log.startedAt,
    clock: service.now,
    txn: log.id,
    newId: service.newId,
    keys: service.keys,
    origin: {
      kind: 'scim',
      method: c.req.method,
      path: pathBelowBase(c.req.path),
      tokenHint: claims.hint,
    },
    log,
  }
  try {
    return await decideThenAdmit(handle, tenant)
  } finally {
    // A request that is refused for what it asks has used its token as well.
    await noteUse(c, service, database, claims, admitted[0])
  }
}

function withDeclarations(tenant: Tenant): Tenant {
  const { declares, resourceTypes } = tenant
  if (declares.length === 0) return tenant
  const declared = withDeclared(resourceTypes, declares)
  return {
    ...tenant,
    resourceTypes: declared,
    application: tenant.application.withType(accountTypeOf(declared)),
  }
}

/** A request may be refused, or answered, without a look at D1; its credential is checked all the same. */
async function decideThenAdmit(handle: Handle, tenant: Tenant): Promise<Response> {
  let response: Response
  try {
    response = await handle(withDeclarations(tenant))
  } catch (error) {
    if (error instanceof ScimError) await tenant.database.admit()
    throw error
  }
  await tenant.database.admit()
  return response
}

/**
 * The first use of a token ends its predecessors, so it is written before the reply; later ones only now and then.
 * What the request did is stored by then: when noting fails it is still answered, and the next use is noted.
 */
async function noteUse(
  c: Context<AppEnv>,
  service: Service,
  database: TenantDatabase,
  claims: TokenClaims,
  admitted: Admitted | undefined,
): Promise<void> {
  const now = service.now()
  if (!admitted || (admitted.lastUsedAt !== null && now - admitted.lastUsedAt < USE_NOTED_EVERY_MS)) return
  const noted = database.batch(markUsed(claims, now)).catch(() => undefined)
  if (admitted.lastUsedAt === null) await noted
  else c.executionCtx.waitUntil(noted)
}

/** `https://host/t/acme/scim/v2`: what the client calls, so that its locations lead back the same way. */
export function baseUrlOf(url: string): string {
  const { origin, pathname } = new URL(url)
  const end = /\/scim\/v2(?=\/|$)/.exec(pathname)
  return origin + (end ? pathname.slice(0, end.index + '/scim/v2'.length) : pathname).replace(/\/{2,}/g, '/')
}

function asScimError(error: unknown, requestId: string, method: string): ScimError {
  if (error instanceof ScimError) return error
  if (error instanceof BadEnvironment)
    return new ScimError(500, undefined, error.message).about('wrong-settings')
  return internalError(error, requestId, method === 'GET')
}

/** The request's row in the activity log, filled in as things become known. */
class ScimRequestLog implements RequestLog {
  readonly id: string
  readonly startedAt: number
  claims: TokenClaims | undefined
  interop: Interop | undefined
  #resourceType: string | null = null
  #resourceId: string | null = null
  #refusal: ScimError | undefined
  #stored = false

  constructor(
    private readonly c: Context<AppEnv>,
    private readonly service: Service,
  ) {
    this.id = service.newId()
    this.startedAt = service.now()
  }

  entry(status: number, resourceType: string | null, resourceId: string | null): ActivityEntry {
    this.#resourceType = resourceType
    this.#resourceId = resourceId
    return this.#row(status)
  }

  stored(): void {
    this.#stored = true
  }

  refused(refusal: ScimError): void {
    this.#refusal = refusal
  }

  /** Writes the row after the reply, unless a write's batch has it. */
  finish(status: number): void {
    if (this.#stored) return
    const owner = this.#owner(status)
    if (!owner || status === 429) return
    const writing = logLater(this.service, owner, this.#row(status))
    if (writing) this.c.executionCtx.waitUntil(writing)
  }

  #owner(status: number): LogOwner | undefined {
    const slug = this.c.req.param('slug')
    if (status === 401 && slug !== undefined) return { slug, claimedTenantId: this.claims?.tenantId }
    return this.claims && { tenantId: this.claims.tenantId }
  }

  #row(status: number): ActivityEntry {
    return {
      id: this.id,
      at: this.startedAt,
      connectionId: this.claims?.connectionId ?? null,
      tokenHint: this.claims?.hint ?? hintOf(this.c.req.header('Authorization') ?? null),
      method: this.c.req.method,
      path: pathBelowBase(this.c.req.path),
      status,
      scimType: this.#refusal?.scimType ?? null,
      detail: this.#refusal?.loggedDetail ?? null,
      help: this.#refusal?.help ?? null,
      resourceType: this.#resourceType,
      resourceId: this.#resourceId ?? (status >= 400 ? this.#named() : null),
      tolerances: this.interop?.used ?? [],
      durationMs: this.service.now() - this.startedAt,
    }
  }

  /** The resource that the path is about. */
  #named(): string | null {
    const id = this.c.req.param('id')
    return id !== undefined && ID.test(id) ? id : null
  }
}

/** What an id can look like: nothing that a path would have to escape. */
const ID = /^[\w-]{1,64}$/

/** An address or a name where an id belongs is not kept: ids need no escapes, however often they are escaped. */
function pathBelowBase(path: string): string {
  const at = path.indexOf('/scim/v2')
  const below = at < 0 ? path : path.slice(at + '/scim/v2'.length) || '/'
  return below.replace(/[^/]*[@%][^/]*/g, '…').slice(0, 200)
}
