// What events tell of a person beside the identity: roles and target group as they are when the event is appended.
import { type SQL, sql } from 'drizzle-orm'
import type { ResourceType } from '../scim/schema'
import { rolesOf } from './roles'

/** Which of it there can be; what there cannot be is not asked for. */
export interface ViewRules {
  readonly hasRoles: boolean
  readonly hasTargetGroups: boolean
  /** Roles from an attribute that are privileged unless the operator says otherwise. */
  readonly privileged: readonly string[]
}

/** Pairs of json_set; `without`: a group whose members are about to leave it. */
export function viewData(tenantId: string, userId: SQL, rules: ViewRules, without?: string): SQL {
  const roles = rules.hasRoles ? rolesOf(tenantId, userId, rules.privileged, without) : sql`'[]'`
  const group = rules.hasTargetGroups ? targetGroupOf(tenantId, userId) : sql`NULL`
  return sql`, '$.roles', json(${roles}), '$.targetGroup', json(${group})`
}

function targetGroupOf(tenantId: string, userId: SQL): SQL {
  return sql`(SELECT json_object('id', t.id, 'name', t.name) FROM resources u CROSS JOIN target_groups t
    WHERE u.tenant_id = ${tenantId} AND u.id = ${userId} AND t.tenant_id = ${tenantId} AND t.id = u.target_group)`
}

/** The data of an event about the person of the row `r`, as scim/event.ts makes it. */
export function personData(type: ResourceType): SQL {
  const identity = type.eventAttributes.map(
    name => sql`, ${literal(name)}, r.document ->> ${literal(`$."${name}"`)}`,
  )
  return sql`json_object(${literal(type.eventNoun)}, json_object('id', r.id${sql.join(identity)},
      ${literal(type.accessAttribute ?? '')}, json(iif(r.active, 'true', 'false'))),
    'profile', json(coalesce(r.profile, '{}')), 'epoch', r.session_epoch)`
}

/** A name of our own schemas as an SQL literal. */
function literal(text: string): SQL {
  return sql.raw(`'${text.replaceAll("'", "''")}'`)
}
