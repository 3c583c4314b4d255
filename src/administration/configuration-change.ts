// A change of what a tenant has beyond the standard: judged by what is there, made in the batch that looks whether
// stored data contradicts it, so that nothing can come between.
import { tenantSchema, tenantType } from '../operations/configuration'
import type { ResourceType } from '../scim/schema'
import { type Demand, demandsOf, uniquenessChange } from '../scim/schema-change'
import type { SchemaProblem } from '../scim/schema-reader'
import { standardResourceTypes } from '../scim/schemas/resource-types'
import { extendedTypes, type TenantSchema } from '../scim/tenant-types'
import {
  abortUnlessConfiguration,
  raiseConfigurationVersion,
  readConfiguration,
  selectConfiguration,
} from '../storage/configuration-rows'
import { abortIfUnmet, deleteLookupsOf, insertLookupsOf, selectUnmet } from '../storage/schema-demands'
import { failure, type Statement } from '../storage/tenant-database'
import type { OpenTenant } from './open-tenant'
import { type FieldError, notFound, Problem } from './problem'

const ATTEMPTS = 5

/** What the tenant has, as a change finds it. */
export interface State {
  readonly configVersion: number
  /** The tenant's own, each as it was put: without the schemas that extend it besides. */
  readonly ownTypes: readonly ResourceType[]
  readonly schemas: readonly TenantSchema[]
}

/** Throws 404, and 409 for a tenant that is being deleted. */
export async function readState({ database }: OpenTenant): Promise<State> {
  const stored = readConfiguration(await database.batch(selectConfiguration(database.tenantId)))
  if (!stored) throw notFound('tenant')
  if (stored.status === 'deleting') throw new Problem(409, 'The tenant is being deleted.')
  return {
    configVersion: stored.configVersion,
    ownTypes: stored.resourceTypes.map(tenantType),
    schemas: stored.schemas.map(tenantSchema),
  }
}

/** Every type of the tenant, the standard's first, with all that extends it. */
export function typesOf({ ownTypes, schemas }: Pick<State, 'ownTypes' | 'schemas'>): readonly ResourceType[] {
  return extendedTypes([...standardResourceTypes, ...ownTypes], schemas)
}

/** 422 that lists what is wrong with a document. */
export function invalidDocument(what: string, problems: readonly SchemaProblem[]): Problem {
  const detail = problems.map(({ path, message }) => `${path || what}: ${message}`).join('; ')
  return new Problem(422, detail, problems)
}

/** A type, or another set of its schemas, in the place of the one before. */
export interface TypeChange {
  readonly before: ResourceType
  readonly after: ResourceType
}

/**
 * One batch: the tenant is as it was read, nothing is in the way, the rows, their version, the lookups. Throws 409
 * with what is in the way when stored data contradicts the change; `failure` 'stale' when the tenant has changed.
 */
export async function makeChange(
  { database }: OpenTenant,
  { configVersion }: State,
  { before, after }: TypeChange,
  rows: readonly Statement[],
): Promise<void> {
  const { tenantId } = database
  const { name } = after
  const demands = demandsOf(before, after)
  const { gained, lost } = uniquenessChange(before, after)
  try {
    await database.steps({
      unchanged: [abortUnlessConfiguration(tenantId, configVersion)],
      demands: demands.length > 0 ? [abortIfUnmet(tenantId, name, demands)] : [],
      rows,
      version: [raiseConfigurationVersion(tenantId)],
      lost: lost.length > 0 ? [deleteLookupsOf(tenantId, name, lost)] : [],
      gained: gained.length > 0 ? [insertLookupsOf(tenantId, after, gained)] : [],
    })
  } catch (error) {
    if (failure(error) !== 'stale' || demands.length === 0) throw error
    const [found] = await database.batch([selectUnmet(tenantId, name, demands)])
    const errors = (found?.rows ?? []).flatMap(({ demand, resources }) => {
      const contradicted = demands[Number(demand)]
      return contradicted ? [inTheWay(contradicted, Number(resources), name)] : []
    })
    throw errors.length > 0 ? contradiction(errors) : error
  }
}

function inTheWay({ path, container, kind, reason }: Demand, resources: number, name: string): FieldError {
  const one = resources === 1
  const who = `${resources} ${name} resource${one ? '' : 's'}`
  const have = one ? 'has' : 'have'
  const missing =
    container === undefined ? `${have} none` : `${one ? 'uses' : 'use'} the extension without a value`
  const what = {
    unused: `${have} a value`,
    present: missing,
    distinct: 'share a value with another',
  }[kind]
  return { path, message: `${reason}, but ${who} ${what}` }
}

function contradiction(errors: readonly FieldError[]): Problem {
  const list = errors.map(({ path, message }) => `${path} ${message}`).join('; ')
  return new Problem(409, `Stored data contradicts the change. ${list}.`, errors)
}

/** Somebody else has changed the tenant in between: look again. */
export async function untilSettled<Result>(attempt: () => Promise<Result>): Promise<Result> {
  for (let left = ATTEMPTS; ; left--) {
    try {
      return await attempt()
    } catch (error) {
      if (failure(error) !== 'stale') throw error
      if (left === 1) throw new Problem(409, 'The tenant is being changed by others; send the call again.')
    }
  }
}
