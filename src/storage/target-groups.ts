// Target groups: who is in which, and how many, kept by the batch that moves somebody.
import { type SQL, sql } from 'drizzle-orm'
import type { TargetGroup } from '../mapping/view'
import type { StoredView } from './resources'

export interface TargetGroupRow {
  readonly id: string
  readonly name: string
  readonly managed: 'operator' | 'rule'
  readonly members: number
}

const columns = sql`id, name, managed, members`

/** Whether somebody who is stored with this view already is where the rule says. */
export function isPlaced(stored: StoredView | undefined, target: TargetGroup | null): boolean {
  if (target === null) return (stored?.targetGroup ?? null) === null
  return 'id' in target ? stored?.targetGroup === target.id : stored?.targetGroupName === target.name
}

export interface Move {
  readonly tenantId: string
  readonly userId: string
  /** Id of the group that is left. */
  readonly from: string | null
  readonly to: TargetGroup | null
  /** For a group that the rule makes for this. */
  readonly newId: string
  readonly now: number
}

/**
 * Moves a user whose row is there, and does nothing for one whose row is not. The rule makes the group it needs, and
 * the one that it made goes with its last user. A group of the operator's that is no more is no group.
 */
export function moveStatements({ tenantId, userId, from, to, newId, now }: Move): SQL[] {
  const user = sql`tenant_id = ${tenantId} AND id = ${userId}`
  const isThere = sql`EXISTS (SELECT 1 FROM resources WHERE ${user})`
  const current = sql`(SELECT target_group FROM resources WHERE ${user})`
  const statements: SQL[] = []
  if (to && 'name' in to)
    statements.push(sql`INSERT INTO target_groups (tenant_id, id, name, managed, members, created_at)
      SELECT ${tenantId}, ${newId}, ${to.name}, 'rule', 0, ${now} WHERE ${isThere} ON CONFLICT DO NOTHING`)
  if (to)
    statements.push(
      sql`UPDATE resources SET target_group = (SELECT id FROM target_groups WHERE tenant_id = ${tenantId}
        AND ${'name' in to ? sql`name = ${to.name}` : sql`id = ${to.id}`}) WHERE ${user}`,
      sql`UPDATE target_groups SET members = members + 1 WHERE tenant_id = ${tenantId} AND id = ${current}`,
    )
  else statements.push(sql`UPDATE resources SET target_group = NULL WHERE ${user}`)
  return from === null ? statements : [...statements, ...leaveTargetGroup(tenantId, from)]
}

/** One user less in it. */
export function leaveTargetGroup(tenantId: string, id: string): SQL[] {
  return [
    sql`UPDATE target_groups SET members = members - 1 WHERE tenant_id = ${tenantId} AND id = ${id}`,
    sql`DELETE FROM target_groups WHERE tenant_id = ${tenantId} AND id = ${id} AND managed = 'rule' AND members <= 0`,
  ]
}

/** In order of creation. */
export function pageOfTargetGroups(tenantId: string, afterId: string, limit: number): SQL {
  return sql`SELECT ${columns} FROM target_groups WHERE tenant_id = ${tenantId} AND id > ${afterId}
    ORDER BY id LIMIT ${limit}`
}

/** Those of the ids that exist. Rows: `id`, `name`. */
export function selectTargetGroups(tenantId: string, ids: readonly string[]): SQL {
  return sql`SELECT id, name FROM target_groups WHERE tenant_id = ${tenantId}
    AND id IN (SELECT value FROM json_each(${JSON.stringify(ids)}))`
}

export function selectTargetGroup(tenantId: string, id: string): SQL {
  return sql`SELECT ${columns} FROM target_groups WHERE tenant_id = ${tenantId} AND id = ${id}`
}

export function selectTargetGroupByName(tenantId: string, name: string): SQL {
  return sql`SELECT ${columns} FROM target_groups WHERE tenant_id = ${tenantId} AND name = ${name}`
}

/** A group that the rule has made becomes the operator's, and stays when it is empty. */
export function insertTargetGroup(tenantId: string, id: string, name: string, now: number): SQL {
  return sql`INSERT INTO target_groups (tenant_id, id, name, managed, members, created_at)
    SELECT tenant_id, ${id}, ${name}, 'operator', 0, ${now} FROM tenants
    WHERE tenant_id = ${tenantId} AND status <> 'deleting'
    ON CONFLICT DO UPDATE SET managed = 'operator' WHERE managed = 'rule'`
}

/** Deletes an empty group that no mapping in force names. */
export function deleteTargetGroup(tenantId: string, id: string): SQL {
  return sql`DELETE FROM target_groups WHERE tenant_id = ${tenantId} AND id = ${id} AND members <= 0
    AND NOT EXISTS (${mappingsNaming(tenantId, id)})`
}

/** Mappings in force whose fallback the group is. Rows: `connection_id`. */
export function mappingsNaming(tenantId: string, id: string): SQL {
  return sql`SELECT c.id AS connection_id FROM connections c CROSS JOIN mappings m
    WHERE c.tenant_id = ${tenantId} AND m.tenant_id = ${tenantId} AND m.connection_id = c.id
      AND m.version = c.mapping_version AND m.document ->> '$.targetGroup' = ${id}`
}
