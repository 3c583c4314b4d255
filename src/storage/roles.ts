// Roles of the application: their rows, how many users have each, and the roles of one user as JSON.
import { type SQL, sql } from 'drizzle-orm'

export interface RoleRow {
  readonly id: string
  readonly name: string
  readonly source: 'attribute' | 'group'
  /** JSON array of text. */
  readonly permissions: string
  /** 1 or 0 as the operator says; null as the profile says. */
  readonly privileged: number | null
  readonly members: number
}

const columns = sql`id, name, source, permissions, privileged, members`

/** The role from an attribute changes of a user whose row is there; nothing is done for one whose row is not. */
export function changeRole(
  tenantId: string,
  userId: string,
  { from, to, newId }: { from: string | null; to: string | null; newId: string },
): SQL[] {
  if (from === to) return []
  const isThere = sql`EXISTS (SELECT 1 FROM resources WHERE tenant_id = ${tenantId} AND id = ${userId})`
  const made = to === null ? [] : [insertAttributeRoles(tenantId, [{ id: newId, name: to }], isThere)]
  return [
    ...made,
    sql`UPDATE roles SET members = members + iif(name = ${to}, 1, -1)
      WHERE tenant_id = ${tenantId} AND source = 'attribute' AND name IN (${to}, ${from}) AND ${isThere}`,
  ]
}

/** Of these roles from an attribute those that somebody has are privileged, where the operator says nothing else. */
export function keepPrivileged(tenantId: string, names: readonly string[]): SQL {
  return sql`UPDATE roles SET privileged = 1 WHERE tenant_id = ${tenantId} AND source = 'attribute'
    AND privileged IS NULL AND members > 0 AND name IN (SELECT value FROM json_each(${JSON.stringify(names)}))`
}

/** A user is no more. */
export function leaveRole(tenantId: string, name: string): SQL {
  return sql`UPDATE roles SET members = members - 1
    WHERE tenant_id = ${tenantId} AND source = 'attribute' AND name = ${name}`
}

/** Those of the roles that are not there yet. */
export function insertAttributeRoles(
  tenantId: string,
  roles: readonly { id: string; name: string }[],
  condition = sql`1`,
): SQL {
  return sql`INSERT INTO roles (tenant_id, id, name, source, permissions, members)
    SELECT ${tenantId}, value ->> '$.id', value ->> '$.name', 'attribute', '[]', 0
    FROM json_each(${JSON.stringify(roles)}) WHERE ${condition} ON CONFLICT DO NOTHING`
}

/** Goes where groups are roles: the group that has just been written is a role of its name. */
export function upsertGroupRole(tenantId: string, groupId: string, name: string, condition = sql`1`): SQL {
  return sql`INSERT INTO roles (tenant_id, id, name, source, permissions, members)
    SELECT ${tenantId}, ${groupId}, ${name}, 'group', '[]', 0 WHERE ${condition}
    ON CONFLICT (tenant_id, id) DO UPDATE SET name = excluded.name`
}

export function deleteRole(tenantId: string, id: string): SQL {
  return sql`DELETE FROM roles WHERE tenant_id = ${tenantId} AND id = ${id}`
}

/** Of the roles from an attribute that nobody has and the operator says nothing of, those with none of the names. */
export function deleteUnusedRoles(tenantId: string, names: readonly string[], limit: number): SQL {
  return sql`DELETE FROM roles WHERE tenant_id = ${tenantId} AND id IN (
    SELECT id FROM roles INDEXED BY roles_attribute
    WHERE tenant_id = ${tenantId} AND source = 'attribute' AND members = 0 AND permissions = '[]' AND privileged IS NULL
      AND name NOT IN (SELECT value FROM json_each(${JSON.stringify(names)}))
    LIMIT ${limit})`
}

/** Every group becomes a role, with the users that it has; one that still was a role stays it, as it is now. */
export function makeGroupsRoles(tenantId: string, groupType: string, accountType: string): SQL {
  return sql`INSERT INTO roles (tenant_id, id, name, source, permissions, members)
    SELECT ${tenantId}, g.id, g.document ->> '$.displayName', 'group', '[]',
      (SELECT count(*) FROM members m WHERE m.tenant_id = g.tenant_id AND m.group_id = g.id AND m.type = ${accountType})
    FROM resources g WHERE g.tenant_id = ${tenantId} AND g.type = ${groupType}
    ON CONFLICT (tenant_id, id) DO UPDATE SET name = excluded.name, members = excluded.members`
}

export type GroupRoleRow = Pick<RoleRow, 'id' | 'members'>

/** Roles that groups are. Rows: `GroupRoleRow`. */
export function selectGroupRoles(tenantId: string, limit: number): SQL {
  return sql`SELECT id, members FROM ${groupRoles(tenantId)} ORDER BY name, id LIMIT ${limit}`
}

/** Whether there is one. */
export function hasGroupRoles(tenantId: string): SQL {
  return sql`EXISTS (SELECT 1 FROM ${groupRoles(tenantId)})`
}

export function hasNoGroupRoles(tenantId: string): SQL {
  return sql`NOT ${hasGroupRoles(tenantId)}`
}

/** By the index of their own: before the first of them there can be as many roles from an attribute. */
function groupRoles(tenantId: string): SQL {
  return sql`roles INDEXED BY roles_group WHERE tenant_id = ${tenantId} AND source = 'group'`
}

/** Somebody leaves every group: goes before the memberships do. */
export function leaveGroupRoles(tenantId: string, userId: string): SQL {
  return sql`UPDATE roles SET members = members - 1 WHERE tenant_id = ${tenantId} AND source = 'group'
    AND id IN (SELECT group_id FROM members WHERE tenant_id = ${tenantId} AND member_id = ${userId})`
}

/** In order of creation. */
export function pageOfRoles(tenantId: string, afterId: string, limit: number): SQL {
  return sql`SELECT ${columns} FROM roles WHERE tenant_id = ${tenantId} AND id > ${afterId} ORDER BY id LIMIT ${limit}`
}

export function selectRole(tenantId: string, id: string): SQL {
  return sql`SELECT ${columns} FROM roles WHERE tenant_id = ${tenantId} AND id = ${id}`
}

/** `permissions`: JSON; null leaves a setting as it is. */
export function updateRole(
  tenantId: string,
  id: string,
  { permissions, privileged }: { permissions: string | null; privileged: number | null },
): SQL {
  return sql`UPDATE roles SET permissions = coalesce(${permissions}, permissions),
      privileged = coalesce(${privileged}, privileged)
    WHERE tenant_id = ${tenantId} AND id = ${id}`
}

/** Roles from an attribute of which the operator says whether they are privileged. Rows: `name`, `privileged`. */
export function selectDecidedRoles(tenantId: string): SQL {
  // By the index of its own: a tenant can have as many roles as groups.
  return sql`SELECT name, privileged FROM roles INDEXED BY roles_attribute
    WHERE tenant_id = ${tenantId} AND source = 'attribute' AND privileged IS NOT NULL`
}

/**
 * The roles of a user as a JSON array of `{name, permissions, privileged, source}`, in order of their names.
 * `privileged`: those from an attribute that are as long as the operator says nothing else; `without`: a group whose
 * members are about to leave it.
 */
export function rolesOf(tenantId: string, userId: SQL, privileged: readonly string[], without?: string): SQL {
  const others = without === undefined ? sql`` : sql` AND m.group_id <> ${without}`
  return sql`(SELECT json_group_array(json_object('name', k.name, 'permissions', json(k.permissions),
      'privileged', json(iif(k.privileged, 'true', 'false')), 'source', k.source))
    FROM (SELECT u.role AS name, coalesce(a.permissions, '[]') AS permissions, 'attribute' AS source,
        coalesce(a.privileged, u.role IN (SELECT value FROM json_each(${JSON.stringify(privileged)}))) AS privileged
      FROM resources u LEFT JOIN roles a ON a.tenant_id = u.tenant_id AND a.source = 'attribute' AND a.name = u.role
      WHERE u.tenant_id = ${tenantId} AND u.id = ${userId} AND u.role IS NOT NULL
      UNION ALL SELECT g.name, g.permissions, 'group', coalesce(g.privileged, 0)
      FROM members m CROSS JOIN roles g
      WHERE m.tenant_id = ${tenantId} AND m.member_id = ${userId}${others}
        AND g.tenant_id = ${tenantId} AND g.id = m.group_id AND g.source = 'group'
      ORDER BY 1) k)`
}
