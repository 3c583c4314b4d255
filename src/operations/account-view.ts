// What the application will see of an account that is about to be written, and the statements that keep its role and
// target group.
import type { FieldProblem } from '../mapping/field'
import type { TargetGroup, View } from '../mapping/view'
import { ScimError } from '../scim/error'
import { grantsAccess, type SubjectView } from '../scim/event'
import type { Resource } from '../scim/resource'
import type { ResourceType } from '../scim/schema'
import type { StoredResource, StoredView } from '../storage/resources'
import { changeRole } from '../storage/roles'
import { isPlaced, moveStatements } from '../storage/target-groups'
import type { Statement } from '../storage/tenant-database'
import type { ViewRules } from '../storage/view-data'
import type { Tenant } from './tenant'

export interface AccountView {
  readonly view: SubjectView
  /** Where the rules put it; what is stored may be elsewhere. */
  readonly target: TargetGroup | null
}

/** Characters of a refusal: more than this nobody reads in the log of an identity provider. */
const MAX_TOLD = 400

/**
 * Of an account that `connectionId` owns; undefined for a type of which there are none. Throws 400 invalidValue for one
 * that breaks a rule of the profile or the mapping. A rule keeps nobody's access alive: of whoever has none, or is
 * losing it, it is not asked, and what breaks it stays in the view as it was.
 */
export function accountView(
  tenant: Tenant,
  type: ResourceType,
  resource: Resource,
  connectionId: string,
  before?: StoredResource,
): AccountView | undefined {
  if (type.accessAttribute === undefined) return undefined
  const { view, problems } = tenant.application.read(resource, connectionId)
  const [first] = problems
  if (first && before && !grantsAccess(resource, type)) return keptView(view, problems, before.view)
  if (first) throw new ScimError(400, 'invalidValue', inWords(problems)).about(first.help)
  const target = view.targetGroup
  const targetGroup = isPlaced(before?.view, target) ? (before?.view?.targetGroup ?? null) : keyOf(target)
  return { view: { profile: view.profile, role: view.role, targetGroup }, target }
}

/** What was read, and in the place of what breaks a rule what was there before. */
function keptView(
  { profile, role }: View,
  problems: readonly FieldProblem[],
  before: StoredView | undefined,
): AccountView {
  const broken = new Set(problems.map(({ field }) => field))
  const kept = Object.entries(before?.profile ?? {}).filter(([field]) => broken.has(field))
  const targetGroup = before?.targetGroup ?? null
  return {
    view: {
      profile: { ...profile, ...Object.fromEntries(kept) },
      role: broken.has('role') ? (before?.role ?? null) : role,
      targetGroup,
    },
    target: targetGroup === null ? null : { id: targetGroup },
  }
}

/** As many as there is room for, and how many there are beside them. */
function inWords(problems: readonly FieldProblem[]): string {
  let told = ''
  for (const [index, { message }] of problems.entries()) {
    const next = told === '' ? message.slice(0, MAX_TOLD) : `${told}; ${message}`
    if (next.length > MAX_TOLD) return `${told}; and ${problems.length - index} more.`
    told = next
  }
  return `${told}.`
}

/** Tells one from another, and from the id of any group that somebody can be in already. */
function keyOf(target: TargetGroup | null): string | null {
  return target && ('id' in target ? target.id : `name:${target.name}`)
}

/** Go behind the statements of the account's row; `before`: as it was read, nothing for a new one. */
export function viewStatements(
  tenant: Tenant,
  id: string,
  account: AccountView | undefined,
  before?: StoredResource,
): Statement[] {
  if (!account) return []
  const { view, target } = account
  const stored = before?.view
  const roles = changeRole(tenant.id, id, {
    from: stored?.role ?? null,
    to: view.role,
    newId: tenant.newId(),
  })
  if (isPlaced(stored, target)) return roles
  const from = stored?.targetGroup ?? null
  const move = { tenantId: tenant.id, userId: id, from, to: target, newId: tenant.newId(), now: tenant.now }
  return [...roles, ...moveStatements(move)]
}

/** What events of the type tell of roles and target groups. */
export function viewRulesOf(tenant: Tenant, type: ResourceType): ViewRules | undefined {
  return type.accessAttribute === undefined ? undefined : tenant.application
}
