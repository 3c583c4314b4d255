// The mapping of a connection as the operator handles it: put, tried out, published as a version, rolled back.
import type { Service } from '../env'
import { checkMapping } from '../mapping/check'
import { type Mapping, noMapping } from '../mapping/profile'
import { mappingDocument, mappingOf } from '../mapping/profile-document'
import { type ReadableMapping, readableMapping } from '../mapping/readable-document'
import type { Tenant } from '../operations/tenant'
import type { Json } from '../scim/json'
import { accountTypeOf } from '../scim/schema'
import {
  abortUnlessConfiguration,
  raiseConfigurationVersion,
  selectConfigVersion,
} from '../storage/configuration-rows'
import { selectConnection } from '../storage/connection-rows'
import { insertRecompute, selectRecompute } from '../storage/job-rows'
import {
  type MappingVersionRow,
  pageOfMappingVersions,
  putMapping as putRow,
  selectMapping,
  selectMappingVersion,
} from '../storage/mapping-rows'
import { selectCounts } from '../storage/metrics-rows'
import { selectTargetGroups } from '../storage/target-groups'
import type { Outcome } from '../storage/tenant-database'
import { asOperator } from './as-operator'
import { beginJob } from './begin-job'
import { untilSettled } from './configuration-change'
import { type TriedUser, tryOn, withMapping } from './mapping-trial'
import { countedTypes } from './metrics'
import type { OpenTenant } from './open-tenant'
import { type Page, type PageRequest, readPage } from './page'
import { type FieldError, notFound, Problem } from './problem'
import { timestamp } from './timestamp'

export interface MappingItem extends Mapping {
  /** 0: the connection says nothing on top of the profile. */
  readonly version: number
  readonly createdAt: string
}

export interface MappingState extends MappingItem {
  /** How far the users that were there are read by it. */
  readonly recompute: {
    readonly state: 'running' | 'done'
    readonly done: number
    readonly total: number
    /** Of those done: users who break a rule and were left as they were. */
    readonly invalid: number
  }
}

export interface MappingPreview {
  readonly users: { unchanged: number; changed: number; invalid: number }
  readonly roles: Shift[]
  readonly targetGroups: Shift[]
  readonly examples: (Pick<TriedUser, 'userName' | 'before' | 'after'> & { problems: string[] })[]
}

interface Shift {
  readonly name: string
  gains: number
  loses: number
}

/** Users that a preview shows, those who break a rule first. */
const MAX_EXAMPLES = 20

export async function getMapping({ database }: OpenTenant, connectionId: string): Promise<MappingState> {
  return stateOf(await database.batch(selectState(database.tenantId, connectionId)))
}

/** The same, with how many users of the tenant a preview would have to read. */
export async function getMappingToTry(
  { database }: OpenTenant,
  connectionId: string,
): Promise<MappingState & { readonly users: number }> {
  const { tenantId } = database
  const [counted, ...state] = await database.batch([
    selectCounts(tenantId, countedTypes),
    ...selectState(tenantId, connectionId),
  ])
  const { active, inactive } = counted?.rows[0] ?? {}
  return { ...stateOf(state), users: Number(active) + Number(inactive) }
}

function selectState(tenantId: string, connectionId: string) {
  return [selectMapping(tenantId, connectionId), selectRecompute(tenantId, connectionId)]
}

function stateOf([mapping, progress]: readonly Outcome[]): MappingState {
  const row = mapping?.rows[0]
  if (!row) throw notFound('connection')
  const job = progress?.rows[0]
  return {
    ...item(row as unknown as MappingVersionRow),
    recompute: {
      state: job && job.wakeAt !== null ? 'running' : 'done',
      done: Number(job?.done ?? 0),
      total: Number(job?.total ?? 0),
      invalid: Number(job?.invalid ?? 0),
    },
  }
}

/** Newest first. */
export function listMappingVersions(
  service: Service,
  { database }: OpenTenant,
  connectionId: string,
  page: PageRequest,
): Promise<Page<MappingItem>> {
  const { tenantId } = database
  return readPage(
    service,
    {
      name: `mappings of ${connectionId}`,
      owner: tenantId,
      read: async (position, limit) => {
        const before = position ? Number(position[0]) : Number.MAX_SAFE_INTEGER
        const [connection, found] = await database.batch([
          selectConnection(tenantId, connectionId),
          pageOfMappingVersions(tenantId, connectionId, before, limit),
        ])
        if (!connection?.rows[0]) throw notFound('connection')
        return (found?.rows ?? []) as unknown as MappingVersionRow[]
      },
      position: ({ version }) => [version],
      item,
    },
    page,
  )
}

/**
 * A further version, in force from the next request on; users who are there already are read by it through the Queue.
 * Throws 422 with everything that is wrong with it, and with how many users would break which rule.
 */
export async function putMapping(
  service: Service,
  tenant: OpenTenant,
  connectionId: string,
  mapping: Mapping,
): Promise<MappingState> {
  const jobId = service.newId()
  await untilSettled(async () => {
    const trial = await prepare(service, tenant, connectionId, mapping)
    await refuseInvalidUsers(trial)
    await write(service, trial, jobId)
  })
  await beginJob(service, { tenantId: tenant.database.tenantId, jobId })
  return getMapping(tenant, connectionId)
}

/** The version's document once more, as a version of its own. Throws 404 for a version that there is not. */
export async function rollbackMapping(
  service: Service,
  tenant: OpenTenant,
  connectionId: string,
  version: number,
): Promise<MappingState> {
  const { tenantId } = tenant.database
  const [connection, found] = await tenant.database.batch([
    selectConnection(tenantId, connectionId),
    selectMappingVersion(tenantId, connectionId, version),
  ])
  if (!connection?.rows[0]) throw notFound('connection')
  const row = found?.rows[0] as unknown as MappingVersionRow | undefined
  if (!row && version !== 0) throw notFound('version')
  return putMapping(service, tenant, connectionId, row ? readMapping(row.document) : noMapping)
}

/** What the mapping would do to the users that the connection has. Throws 422 for one that could not be put at all. */
export async function previewMapping(
  service: Service,
  tenant: OpenTenant,
  connectionId: string,
  mapping: Mapping,
): Promise<MappingPreview> {
  const trial = await prepare(service, tenant, connectionId, mapping)
  const users = { unchanged: 0, changed: 0, invalid: 0 }
  const roles = new Map<string, Shift>()
  const targetGroups = new Map<string, Shift>()
  const invalid: TriedUser[] = []
  const changed: TriedUser[] = []
  for await (const user of usersOf(trial)) {
    const kind = user.problems.length > 0 ? 'invalid' : user.changed ? 'changed' : 'unchanged'
    users[kind]++
    if (kind === 'unchanged') continue
    const examples = kind === 'invalid' ? invalid : changed
    if (examples.length < MAX_EXAMPLES) examples.push(user)
    if (kind === 'invalid') continue
    count(roles, user.before.role, user.after.role)
    count(targetGroups, user.before.targetGroup, user.after.targetGroup)
  }
  const examples = [...invalid, ...changed].slice(0, MAX_EXAMPLES)
  return {
    users,
    roles: shifts(roles),
    targetGroups: shifts(targetGroups),
    examples: examples.map(({ userName, before, after, problems }) => ({
      userName,
      before,
      after,
      problems: problems.map(({ message }) => message),
    })),
  }
}

interface Trial {
  readonly tenant: OpenTenant
  readonly operator: Tenant
  readonly configVersion: number
  readonly connection: { readonly id: string; readonly idp: string }
  readonly mapping: Mapping
  readonly targetGroupName: string | null
}

/** What is wrong with a document that has not its form, as far as it can be read. Throws 404 for the connection. */
export async function mappingProblems(
  service: Service,
  tenant: OpenTenant,
  connectionId: string,
  document: Json,
): Promise<readonly FieldError[]> {
  return (await examine(service, tenant, connectionId, readableMapping(document))).problems
}

/** Throws 404 for the connection and 422 for a document that contradicts itself or the tenant's schemas. */
async function prepare(
  service: Service,
  tenant: OpenTenant,
  connectionId: string,
  mapping: Mapping,
): Promise<Trial> {
  const { problems, ...examined } = await examine(service, tenant, connectionId, mapping)
  refuse(problems)
  return { ...examined, mapping }
}

async function examine(
  service: Service,
  tenant: OpenTenant,
  connectionId: string,
  mapping: ReadableMapping,
): Promise<Omit<Trial, 'mapping'> & { readonly problems: readonly FieldError[] }> {
  const operator = await asOperator(service, tenant)
  const { tenantId } = tenant.database
  const wanted = mapping.targetGroup === null ? [] : [mapping.targetGroup]
  const [connections, groups, state] = await tenant.database.batch([
    selectConnection(tenantId, connectionId),
    selectTargetGroups(tenantId, wanted),
    selectConfigVersion(tenantId),
  ])
  const connection = connections?.rows[0]
  if (!connection) throw notFound('connection')
  if (connection.status === 'deleting') throw new Problem(409, 'The connection is being deleted.')
  const known = (groups?.rows ?? []).map(({ id }) => String(id))
  const { profile } = operator.application
  const idp = String(connection.idp)
  const name = groups?.rows[0]?.name
  return {
    tenant,
    operator,
    configVersion: Number(state?.rows[0]?.config_version),
    connection: { id: connectionId, idp },
    targetGroupName: typeof name === 'string' ? name : null,
    problems: checkMapping(mapping, profile, idp, accountTypeOf(operator.resourceTypes), known),
  }
}

function usersOf({ operator, connection, mapping, targetGroupName }: Trial): AsyncGenerator<TriedUser> {
  const application = withMapping(operator, connection, mapping)
  return tryOn(operator, connection.id, application, () => targetGroupName)
}

async function refuseInvalidUsers(trial: Trial): Promise<void> {
  const affected = new Map<string, { field: string; users: number }>()
  for await (const { problems } of usersOf(trial))
    for (const { field, rule } of problems) {
      const known = affected.get(rule) ?? { field, users: 0 }
      affected.set(rule, { ...known, users: known.users + 1 })
    }
  const errors = [...affected].map(([rule, { field, users }]) => ({
    path: pathOf(trial.mapping, field),
    message: `${users} ${users === 1 ? 'user' : 'users'} would be refused: ${rule}`,
  }))
  refuse(errors)
}

/** Of the field in the mapping, or in the profile where the mapping does not say it. */
function pathOf({ fields }: Mapping, field: string): string {
  const at = fields.findIndex(one => one.field === field)
  return at < 0 ? `profile.${field}` : `fields[${at}]`
}

function refuse(errors: readonly FieldError[]): void {
  if (errors.length === 0) return
  throw new Problem(422, errors.map(({ path, message }) => `${path}: ${message}`).join('; '), errors)
}

async function write(service: Service, trial: Trial, jobId: string): Promise<void> {
  const { tenant, operator, configVersion, connection, mapping } = trial
  const { tenantId } = tenant.database
  const job = { id: jobId, kind: 'recompute', connectionId: connection.id } as const
  const now = service.now()
  await tenant.database.batch([
    abortUnlessConfiguration(tenantId, configVersion),
    ...putRow(tenantId, connection.id, JSON.stringify(mapping), now),
    raiseConfigurationVersion(tenantId),
    ...insertRecompute(tenantId, job, accountTypeOf(operator.resourceTypes).name, now),
  ])
}

function count(shifts: Map<string, Shift>, before: string | null, after: string | null): void {
  if (before === after) return
  if (before !== null) shiftOf(shifts, before).loses++
  if (after !== null) shiftOf(shifts, after).gains++
}

function shiftOf(shifts: Map<string, Shift>, name: string): Shift {
  const shift = shifts.get(name) ?? { name, gains: 0, loses: 0 }
  shifts.set(name, shift)
  return shift
}

function shifts(counted: ReadonlyMap<string, Shift>): Shift[] {
  return [...counted.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1))
}

function readMapping(document: string): Mapping {
  return mappingOf(mappingDocument.parse(JSON.parse(document)))
}

function item({ version, document, createdAt }: MappingVersionRow): MappingItem {
  const mapping = document === null ? noMapping : readMapping(document)
  return { version, ...mapping, createdAt: timestamp(createdAt) }
}
