// The steps of a PATCH applied to a resource (RFC 7644 §3.5.2). Nothing is changed in place, so a step that is
// refused leaves nothing behind.
import { formatPath } from './attribute-path'
import { isList, sameJson } from './canonical'
import { ScimError } from './error'
import type { Filter } from './filter'
import type { Interop } from './interop'
import { clip, type Json } from './json'
import { type MemberChange, mergeMemberChanges } from './member-change'
import { membersAfter } from './patch-members'
import { inPlace, type PatchStep } from './patch-op'
import { valueAfter } from './patch-value'
import {
  attributeValue,
  changedAttributes,
  isBlank,
  isMembers,
  missingAttributes,
  type Resource,
  withAttribute,
} from './resource'
import type { ResourceType } from './schema'
import { refuseImmutable } from './sub-values'

export interface PatchedResource {
  readonly resource: Resource
  /** Empty when nothing but perhaps the members changes. */
  readonly changed: readonly string[]
  readonly members: readonly MemberChange[]
}

/** Each step works on what the one before left (RFC-138); the first refusal ends it all (RFC-139). */
export function applyPatch(
  current: Resource,
  steps: readonly PatchStep[],
  type: ResourceType,
  interop: Interop,
): PatchedResource {
  let resource = current
  const members: MemberChange[] = []
  let work = 0
  for (const step of steps)
    inPlace(step.place, () => {
      if (isMembers(step.path, type)) return void members.push(...membersAfter(step, interop))
      work += comparisons(resource, step)
      if (work > MAX_COMPARISONS) throw tooMuchWork()
      resource = resourceAfter(resource, step, type, interop)
    })
  refuseIncomplete(current, resource, type)
  return {
    resource,
    changed: changedAttributes(current, resource, type),
    members: mergeMemberChanges(members),
  }
}

/**
 * How often an element is looked at: a thousand operations that each compare a thousand elements with fifty
 * conditions are one megabyte, and would hold up everybody else's requests for twenty seconds.
 */
export const MAX_COMPARISONS = 250_000

function comparisons(resource: Resource, { path, filter, value, op }: PatchStep): number {
  const before = attributeValue(resource, path)
  const elements = isList(before) ? before.length : 0
  const listed = op === 'remove' && isList(value) ? value.length : 0
  return elements * (1 + listed + (filter ? conditionsOf(filter) : 0))
}

function conditionsOf(filter: Filter): number {
  if ('operands' in filter) return filter.operands.reduce((sum, operand) => sum + conditionsOf(operand), 0)
  return 'operand' in filter ? conditionsOf(filter.operand) : 1
}

function tooMuchWork(): ScimError {
  return new ScimError(
    413,
    undefined,
    'The operations before this one have compared too many elements; send these in several PATCH requests.',
  )
}

function resourceAfter(resource: Resource, step: PatchStep, type: ResourceType, interop: Interop): Resource {
  const before = attributeValue(resource, step.path)
  const after = valueAfter(before, step, interop)
  if (before === after) return resource
  refuseUnassigned(after, step, type)
  if (step.path.attribute.mutability === 'immutable' && before !== undefined && !sameJson(before, after))
    throw new ScimError(
      400,
      'mutability',
      `${clip(formatPath(step.path))} is immutable: it has a value already.`,
    )
  if (!step.path.attribute.multiValued) refuseImmutable(step.path, before, after)
  return withAttribute(resource, step.path, after)
}

/** RFC-153, and RFC-21 for text that is empty. */
function refuseUnassigned(after: Json | undefined, { path, value }: PatchStep, type: ResourceType): void {
  if (path.extension || !isBlank(after)) return
  const { name, required } = path.attribute
  if (required && typeof value === 'string')
    throw new ScimError(400, 'invalidValue', `${name} is required and must not be empty.`).about(
      'missing-required-attribute',
    )
  if (required)
    throw new ScimError(400, 'mutability', `${name} is required and cannot be removed.`).about(
      'required-attribute-removed',
    )
  // Without a value it would mean "may sign in" (RFC-56): nobody gets access back by a removal.
  if (name === type.accessAttribute)
    throw new ScimError(400, 'mutability', `${name} cannot be removed; set it to true or false.`).about(
      'required-attribute-removed',
    )
}

/** Steps may together leave an extension without what it requires; what was missing before is let be. */
function refuseIncomplete(before: Resource, after: Resource, type: ResourceType): void {
  if (before === after) return
  const known = new Set(missingAttributes(before, type))
  const missing = missingAttributes(after, type).find(path => !known.has(path))
  if (missing !== undefined)
    throw new ScimError(
      400,
      'mutability',
      `${clip(missing)} is required and would be left without a value.`,
    ).about('required-attribute-removed')
}
