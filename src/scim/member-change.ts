// A change to the members of a group as a change of a set of ids: no group is ever read to change it.
import { subAttribute } from './attribute'
import { isUnassigned, refuseRepeatedKeys } from './attribute-value'
import { isList, sameJson } from './canonical'
import { ScimError } from './error'
import type { Filter } from './filter'
import type { Interop } from './interop'
import { clip, isObject, type Json } from './json'
import { idInReference } from './reference'
import type { ResourceType } from './schema'

export type MemberChange =
  | { readonly kind: 'add'; readonly ids: readonly string[] }
  | { readonly kind: 'remove'; readonly ids: readonly string[] }
  | { readonly kind: 'removeType'; readonly type: string }
  | { readonly kind: 'removeAll' }
  | { readonly kind: 'replace'; readonly ids: readonly string[] }

/** Ids in one request: they travel as one JSON parameter, which must stay below 1 MB. */
export const MAX_MEMBER_CHANGES = 25_000
/** Members of all groups of a tenant that are named before they are here. */
export const MAX_PENDING_MEMBERS = 100_000
const MAX_ID_LENGTH = 128

/** RFC-66: the resource types of which a member may be, as the schema says it of the member's `$ref`. */
export function memberTypes({ schema, membersAttribute }: ResourceType): readonly string[] {
  const members = schema.attributes.find(({ name }) => name === membersAttribute)
  return (members && subAttribute(members, '$ref')?.referenceTypes) ?? []
}

/**
 * The ids of a list of members. An element that names nobody is refused, but ignored where the list says whom
 * to remove: a list of nothing removes nothing (RFC-150).
 */
export function memberIds(value: Json, at: string, forRemoval: boolean, interop: Interop): readonly string[] {
  if (isUnassigned(value, at, interop)) return []
  if (!isList(value) && !interop.allows('single-for-many', at))
    throw new ScimError(400, 'invalidValue', `${clip(at)} must be a list of members.`)
  const ids = new Set<string>()
  const elements = isList(value) ? value : [value]
  elements.forEach((element, index) => {
    const place = `${at}[${index}]`
    const id = memberId(element, place, interop)
    if (id === undefined && !forRemoval)
      throw new ScimError(400, 'invalidValue', `${clip(place)} must have a "value", the id of a member.`)
    if (id !== undefined) ids.add(checkedId(id, place))
  })
  return checkCount([...ids])
}

/** `value eq "…"`, alone or joined by `or` and `and`: ids; `type eq "User"`: all members of that type. */
export function membersFilter(filter: Filter): { ids: readonly string[] } | { type: string } {
  const type = comparedWith(filter, 'type')
  if (type !== undefined) return { type: canonicalType(filter, type) }
  return { ids: checkCount([...selectedIds(filter)]) }
}

/** Consecutive changes as the fewest that end in the same members; the last word on an id counts. */
export function mergeMemberChanges(changes: readonly MemberChange[]): readonly MemberChange[] {
  let settled: MemberChange[] = []
  let replaced = false
  const pending = new Map<string, boolean>()
  const settle = () => {
    settled.push(...pendingChanges(pending, replaced))
    replaced = false
    pending.clear()
  }
  for (const change of changes) {
    if (change.kind === 'replace' || change.kind === 'removeAll') {
      settled = []
      replaced = true
      pending.clear()
    }
    if (change.kind === 'removeType') {
      settle()
      if (!sameJson(settled.at(-1), change)) settled.push(change)
    } else if (change.kind !== 'removeAll') {
      for (const id of change.ids) pending.set(id, change.kind !== 'remove')
    }
  }
  settle()
  checkCount(settled.flatMap(change => ('ids' in change ? change.ids : [])))
  return settled
}

function pendingChanges(pending: ReadonlyMap<string, boolean>, replaced: boolean): MemberChange[] {
  const added = [...pending].filter(([, present]) => present).map(([id]) => id)
  if (replaced) return added.length === 0 ? [{ kind: 'removeAll' }] : [{ kind: 'replace', ids: added }]
  const removed = [...pending].filter(([, present]) => !present).map(([id]) => id)
  const changes: MemberChange[] = []
  if (removed.length > 0) changes.push({ kind: 'remove', ids: removed })
  if (added.length > 0) changes.push({ kind: 'add', ids: added })
  return changes
}

function memberId(element: Json, at: string, interop: Interop): string | undefined {
  if (typeof element === 'string' && element !== '' && interop.allows('text-for-complex', at)) return element
  if (!isObject(element)) return undefined
  refuseRepeatedKeys(element, at)
  const fields = new Map(Object.entries(element).map(([key, item]) => [key.toLowerCase(), item]))
  const value = fields.get('value')
  if (value === undefined || value === null || value === '') return idInReference(fields.get('$ref'))
  if (typeof value !== 'string')
    throw new ScimError(400, 'invalidValue', `${clip(at)}.value must be a string, the id of a member.`)
  return value
}

function checkedId(id: string, at: string): string {
  if (id.length <= MAX_ID_LENGTH) return id
  throw new ScimError(
    400,
    'invalidValue',
    `${clip(at)}.value must have at most ${MAX_ID_LENGTH} characters.`,
  ).about('value-too-long')
}

function checkCount(ids: readonly string[]): readonly string[] {
  if (ids.length <= MAX_MEMBER_CHANGES) return ids
  throw new ScimError(
    413,
    undefined,
    `One request may name at most ${MAX_MEMBER_CHANGES} members; this one names ${ids.length}.`,
  )
}

function selectedIds(filter: Filter): ReadonlySet<string> {
  const id = comparedWith(filter, 'value')
  if (id !== undefined) return new Set([checkedId(id, 'members')])
  if (filter.kind === 'or') return new Set(filter.operands.flatMap(operand => [...selectedIds(operand)]))
  if (filter.kind === 'and') {
    const sets = filter.operands.map(selectedIds)
    return new Set([...(sets[0] ?? [])].filter(candidate => sets.every(set => set.has(candidate))))
  }
  throw unselectable()
}

/** The text that a filter compares the sub-attribute with, when `eq` is all it says. */
function comparedWith(filter: Filter, name: string): string | undefined {
  if (filter.kind !== 'compare' || filter.operator !== 'eq' || typeof filter.value !== 'string')
    return undefined
  return filter.path.subAttribute?.name === name ? filter.value : undefined
}

/** Resource type names compare without case in a filter; storage compares them exactly. */
function canonicalType(filter: Filter, type: string): string {
  const known = filter.kind === 'compare' ? filter.path.subAttribute?.canonicalValues : undefined
  return known?.find(candidate => candidate.toLowerCase() === type.toLowerCase()) ?? type
}

function unselectable(): ScimError {
  return new ScimError(
    400,
    'invalidFilter',
    'Members are selected by value or by type: members[value eq "…"], several joined by "or", or members[type eq "…"].',
  )
}
