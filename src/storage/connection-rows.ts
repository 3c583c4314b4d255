// Statements on connections: the identity providers of a tenant.
import { type SQL, sql } from 'drizzle-orm'
import { noActiveUsers } from './tenant-rows'

export interface ConnectionRow {
  readonly id: string
  readonly name: string
  readonly idp: string
  readonly mode: string
  readonly status: 'active' | 'disabled' | 'deleting'
  readonly createdAt: number
}

export interface ConnectionChange {
  readonly name: string | null
  readonly mode: string | null
  readonly status: string | null
}

const columns = sql`id, name, idp, mode, status, created_at AS "createdAt"`

export function selectConnection(tenantId: string, id: string): SQL {
  return sql`SELECT ${columns} FROM connections WHERE tenant_id = ${tenantId} AND id = ${id}`
}

/** In order of creation. */
export function pageOfConnections(tenantId: string, afterId: string, limit: number): SQL {
  return sql`SELECT ${columns} FROM connections WHERE tenant_id = ${tenantId} AND id > ${afterId}
    ORDER BY id LIMIT ${limit}`
}

/** Adds no connection to a tenant that is being deleted. */
export function insertConnection(tenantId: string, connection: ConnectionRow): SQL {
  const { id, name, idp, mode, status, createdAt } = connection
  return sql`INSERT INTO connections (tenant_id, id, name, idp, mode, status, created_at)
    SELECT tenant_id, ${id}, ${name}, ${idp}, ${mode}, ${status}, ${createdAt}
    FROM tenants WHERE tenant_id = ${tenantId} AND status <> 'deleting'`
}

/** Changes nothing of a connection that is being deleted. */
export function updateConnection(tenantId: string, id: string, change: ConnectionChange): SQL {
  return sql`UPDATE connections SET name = coalesce(${change.name}, name), mode = coalesce(${change.mode}, mode),
      status = coalesce(${change.status}, status)
    WHERE tenant_id = ${tenantId} AND id = ${id} AND status <> 'deleting'`
}

/** Goes right behind the statement that decides the deletion, and does nothing if that one did nothing. */
export function markConnectionDeleting(tenantId: string, id: string): SQL {
  return sql`UPDATE connections SET status = 'deleting' WHERE tenant_id = ${tenantId} AND id = ${id} AND changes() > 0`
}

/** Deletes the connection unless it has active users, or is already being deleted by a job. */
export function deleteUnusedConnection(tenantId: string, id: string): SQL {
  return sql`DELETE FROM connections WHERE tenant_id = ${tenantId} AND id = ${id} AND status <> 'deleting'
    AND ${noActiveUsers(tenantId, id)}`
}

/** The credentials of a connection that is no more. */
export function deleteOrphanTokens(tenantId: string, connectionId: string): SQL {
  return sql`DELETE FROM tokens WHERE tenant_id = ${tenantId} AND connection_id = ${connectionId}
    AND NOT EXISTS (SELECT 1 FROM connections WHERE tenant_id = ${tenantId} AND id = ${connectionId})`
}

export function connectionIsStaying(tenantId: string, id: string): SQL {
  return sql`EXISTS (SELECT 1 FROM connections WHERE tenant_id = ${tenantId} AND id = ${id} AND status <> 'deleting')`
}

/** The end of a connection whose users its job has deactivated. */
export function deleteDeletingConnection(tenantId: string, id: string): SQL {
  return sql`DELETE FROM connections WHERE tenant_id = ${tenantId} AND id = ${id} AND status = 'deleting'
    AND ${noActiveUsers(tenantId, id)}`
}

/** Rolls the batch back ('stale') when the connection, or its tenant, is no longer open to requests. */
export function requireOpenConnection(tenantId: string, id: string): SQL {
  return sql`INSERT INTO aborts (tenant_id, reason) SELECT ${tenantId}, 'stale_version' WHERE NOT EXISTS (
    SELECT 1 FROM connections c JOIN tenants t ON t.tenant_id = c.tenant_id
    WHERE c.tenant_id = ${tenantId} AND c.id = ${id} AND c.status = 'active' AND t.status = 'active')`
}
