// A step of a PATCH on the members of a group, as a change of a set (RFC 7644 §3.5.2 without the group).
import { formatPath } from './attribute-path'
import { ScimError } from './error'
import type { Filter } from './filter'
import type { Interop } from './interop'
import { clip, type Json } from './json'
import { type MemberChange, memberIds, membersFilter } from './member-change'
import { asList } from './patch-listed'
import type { PatchStep } from './patch-op'

/** None when the step changes nothing, whoever the members are. */
export function membersAfter(step: PatchStep, interop: Interop): readonly MemberChange[] {
  const at = formatPath(step.path)
  // The sub-attributes are immutable or readOnly: membership changes by whole members (RFC 7643 §4.2).
  if (step.path.subAttribute)
    throw new ScimError(400, 'mutability', `${clip(at)} cannot change: add and remove members instead.`)
  if (step.filter) return selected(step, step.filter, at, interop)
  if (step.op === 'remove') return removed(step.value, at, interop)
  const ids = memberIds(asList(step.value ?? null), at, false, interop)
  if (step.op === 'replace') return [{ kind: 'replace', ids }]
  return ids.length === 0 ? [] : [{ kind: 'add', ids }]
}

function selected(step: PatchStep, filter: Filter, at: string, interop: Interop): readonly MemberChange[] {
  const selection = membersFilter(filter)
  if (step.op === 'remove')
    return 'type' in selection
      ? [{ kind: 'removeType', type: selection.type }]
      : [{ kind: 'remove', ids: selection.ids }]
  const given = memberIds(asList(step.value ?? null), at, true, interop)
  const same = 'ids' in selection && given.every(id => selection.ids.includes(id))
  if (same && given.length > 0) return [{ kind: 'add', ids: given }]
  throw new ScimError(
    400,
    'mutability',
    `${clip(at)}: a member cannot become another; remove it and add the other.`,
  )
}

/** No value: all of them. A list: just those. An empty list: nobody, least of all everybody (RFC-150). */
function removed(value: Json | undefined, at: string, interop: Interop): readonly MemberChange[] {
  if (value === undefined) return [{ kind: 'removeAll' }]
  if (!interop.allows('remove-listed', at))
    throw new ScimError(
      400,
      'invalidValue',
      `${at}: remove takes no value; select members with members[value eq "…"].`,
    )
  const ids = memberIds(asList(value), at, true, interop)
  return ids.length === 0 ? [] : [{ kind: 'remove', ids }]
}
