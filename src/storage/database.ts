// The tables, as drizzle reads and migrates them. Every key and index leads with the tenant, with two named
// exceptions: the directory of tenants, and the index by which the sweep finds what is due.
// Times are milliseconds since 1970 (UTC) unless a name says seconds.
import { sql } from 'drizzle-orm'
import { check, index, integer, primaryKey, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core'

/** The only global table: which tenants there are and which database binding holds each. */
export const tenantDirectory = sqliteTable('tenant_directory', {
  slug: text().primaryKey(),
  tenantId: text('tenant_id').notNull(),
  database: text().notNull(),
  createdAt: integer('created_at').notNull(),
})

/** One tenant and its configuration; `configVersion` grows with every change that a cached copy must notice. */
export const tenants = sqliteTable('tenants', {
  tenantId: text('tenant_id').primaryKey(),
  slug: text().notNull(),
  name: text().notNull(),
  profile: text().notNull(),
  /** active | suspended | deleting */
  status: text().notNull(),
  configVersion: integer('config_version').notNull(),
  createdAt: integer('created_at').notNull(),
})

/** A tenant's own extension of a resource type, or what it adds to one of the standard's. */
export const tenantSchemas = sqliteTable(
  'tenant_schemas',
  {
    tenantId: text('tenant_id').notNull(),
    urn: text().notNull(),
    /** Name of the resource type. */
    extends: text().notNull(),
    /** JSON of an RFC 7643 §7 schema, as the operator sent it. */
    document: text().notNull(),
    createdAt: integer('created_at').notNull(),
  },
  table => [primaryKey({ columns: [table.tenantId, table.urn] })],
)

/** One identity provider of a tenant. */
export const connections = sqliteTable(
  'connections',
  {
    tenantId: text('tenant_id').notNull(),
    id: text().notNull(),
    name: text().notNull(),
    idp: text().notNull(),
    /** compat | strict */
    mode: text().notNull(),
    /** active | disabled | deleting */
    status: text().notNull(),
    createdAt: integer('created_at').notNull(),
  },
  table => [primaryKey({ columns: [table.tenantId, table.id] })],
)

/** Credentials of a connection: never the token, only the SHA-256 of its secret and its last four characters. */
export const tokens = sqliteTable(
  'tokens',
  {
    tenantId: text('tenant_id').notNull(),
    id: text().notNull(),
    connectionId: text('connection_id').notNull(),
    hash: text().notNull(),
    hint: text().notNull(),
    createdAt: integer('created_at').notNull(),
    expiresAt: integer('expires_at'),
    lastUsedAt: integer('last_used_at'),
    revokedAt: integer('revoked_at'),
    /** The token that replaced it: its first use ends this one, whatever overlap is left. */
    supersededBy: text('superseded_by'),
  },
  table => [
    primaryKey({ columns: [table.tenantId, table.id] }),
    index('tokens_connection').on(table.tenantId, table.connectionId, table.id),
  ],
)

/** Users, groups and whatever further types there are: a document, and beside it what lists and rules need. */
export const resources = sqliteTable(
  'resources',
  {
    tenantId: text('tenant_id').notNull(),
    id: text().notNull(),
    /** Name of the resource type. */
    type: text().notNull(),
    /** Whose list it is in: '' for the tenant's, else the connection's id. */
    scope: text().notNull(),
    /** Place in that list, in order of creation: 1, 2, 3 … with gaps where resources were deleted. */
    serial: integer().notNull(),
    /** The connection whose identity provider owns it. */
    connectionId: text('connection_id').notNull(),
    /** JSON of its attributes, without id, meta, schemas, members and memberships. */
    document: text().notNull(),
    /** The same in comparable form (scim/comparable.ts), when lower() alone would not do. */
    comparable: text(),
    /** 1 or 0 where the type grants access, else null. */
    active: integer(),
    /** Opaque, new with every change: the ETag. */
    version: text().notNull(),
    createdAt: integer('created_at').notNull(),
    lastModified: integer('last_modified').notNull(),
    /** Unix seconds: sessions of before are over. Never lowered. */
    sessionsNotBefore: integer('sessions_not_before'),
    /** How often sessions were ended. Never lowered. */
    sessionEpoch: integer('session_epoch').notNull(),
  },
  table => [
    primaryKey({ columns: [table.tenantId, table.id] }),
    uniqueIndex('resources_list').on(table.tenantId, table.type, table.scope, table.serial),
    // Those of which a page may hold too many (page-bytes.ts).
    index('resources_large')
      .on(table.tenantId, table.type, table.scope)
      .where(sql`octet_length(document) > 8000`),
    index('resources_last_modified').on(table.tenantId, table.type, table.scope, table.lastModified),
    index('resources_connection').on(
      table.tenantId,
      table.connectionId,
      table.type,
      table.active,
      table.serial,
    ),
  ],
)

/** Folded values by which `eq` finds a resource, and by which uniqueness is kept. */
export const lookups = sqliteTable(
  'lookups',
  {
    tenantId: text('tenant_id').notNull(),
    type: text().notNull(),
    /** `userName`, `emails.value` */
    attribute: text().notNull(),
    /** '' where the value counts in the whole tenant, else the connection's id. */
    scope: text().notNull(),
    value: text().notNull(),
    resourceId: text('resource_id').notNull(),
    isUnique: integer('is_unique').notNull(),
  },
  table => [
    primaryKey({
      columns: [table.tenantId, table.type, table.attribute, table.scope, table.value, table.resourceId],
    }),
    uniqueIndex('lookups_unique')
      .on(table.tenantId, table.type, table.attribute, table.scope, table.value)
      .where(sql`is_unique = 1`),
  ],
)

/** Who is in which group, one row each; `version` names the change that the row came with. */
export const members = sqliteTable(
  'members',
  {
    tenantId: text('tenant_id').notNull(),
    groupId: text('group_id').notNull(),
    memberId: text('member_id').notNull(),
    /** Resource type of the member. */
    type: text().notNull(),
    version: text().notNull(),
  },
  table => [
    primaryKey({ columns: [table.tenantId, table.groupId, table.memberId] }),
    index('members_member').on(table.tenantId, table.memberId, table.groupId),
  ],
)

/** How many resources a list has, and the last serial given. */
export const totals = sqliteTable(
  'totals',
  {
    tenantId: text('tenant_id').notNull(),
    type: text().notNull(),
    scope: text().notNull(),
    live: integer().notNull(),
    lastSerial: integer('last_serial').notNull(),
  },
  table => [primaryKey({ columns: [table.tenantId, table.type, table.scope] })],
)

/** How many serials of a block of a list are gone: what turns startIndex into a serial without counting rows. */
export const gaps = sqliteTable(
  'gaps',
  {
    tenantId: text('tenant_id').notNull(),
    type: text().notNull(),
    scope: text().notNull(),
    /** Serials the block holds: there are blocks of several sizes, one inside the other. */
    size: integer().notNull(),
    /** (serial - 1) / size */
    block: integer().notNull(),
    gone: integer().notNull(),
  },
  table => [primaryKey({ columns: [table.tenantId, table.type, table.scope, table.size, table.block] })],
)

/** The outbox: what happened, written in the batch that made it happen. The last row of a tenant is never pruned. */
export const events = sqliteTable(
  'events',
  {
    tenantId: text('tenant_id').notNull(),
    sequence: integer().notNull(),
    id: text().notNull(),
    type: text().notNull(),
    /** One request, one txn: the request's id. */
    txn: text().notNull(),
    userId: text('user_id'),
    groupId: text('group_id'),
    connectionId: text('connection_id'),
    occurredAt: integer('occurred_at').notNull(),
    /** JSON: what the receiver gets under `data`, without txn and sequence. */
    data: text().notNull(),
  },
  table => [
    primaryKey({ columns: [table.tenantId, table.sequence] }),
    index('events_user').on(table.tenantId, table.userId, table.sequence),
    index('events_type').on(table.tenantId, table.type, table.sequence),
  ],
)

/** Where events are sent. */
export const receivers = sqliteTable(
  'receivers',
  {
    tenantId: text('tenant_id').notNull(),
    id: text().notNull(),
    kind: text().notNull(),
    url: text().notNull(),
    /** JSON array of event types; null for all. */
    events: text(),
    /** JSON `{schedule: [seconds], timeoutSeconds}`; null for the default. */
    retry: text(),
    /** active | paused | disabled (it answered 410) */
    status: text().notNull(),
    /** Encrypted under SECRET_KEY (storage/secret-box.ts). */
    secret: text().notNull(),
    previousSecret: text('previous_secret'),
    previousSecretUntil: integer('previous_secret_until'),
    createdAt: integer('created_at').notNull(),
  },
  table => [primaryKey({ columns: [table.tenantId, table.id] })],
)

/** One event for one receiver: its state, attempts and receipt. Written in the event's own batch. */
export const deliveries = sqliteTable(
  'deliveries',
  {
    tenantId: text('tenant_id').notNull(),
    sequence: integer().notNull(),
    receiverId: text('receiver_id').notNull(),
    eventId: text('event_id').notNull(),
    userId: text('user_id'),
    /** pending | retrying | delivered | dead */
    state: text().notNull(),
    attempts: integer().notNull(),
    /** Attempts of before the last replay: the schedule starts again. */
    attemptsBefore: integer('attempts_before').notNull(),
    lastStatus: integer('last_status'),
    lastError: text('last_error'),
    occurredAt: integer('occurred_at').notNull(),
    deliveredAt: integer('delivered_at'),
    nextAttemptAt: integer('next_attempt_at'),
    sessionsEnded: integer('sessions_ended'),
    /** Until then one consumer has it; another that gets the same message leaves it alone. */
    leaseUntil: integer('lease_until'),
    /** From then on the sweep wakes it up; null when nothing is outstanding or its receiver is not active. */
    wakeAt: integer('wake_at'),
  },
  table => [
    primaryKey({ columns: [table.tenantId, table.sequence, table.receiverId] }),
    index('deliveries_receiver').on(table.tenantId, table.receiverId, table.state, table.sequence),
    index('deliveries_state').on(table.tenantId, table.state, table.sequence),
    index('deliveries_user').on(table.tenantId, table.userId, table.sequence),
    index('due_deliveries').on(table.wakeAt).where(sql`wake_at IS NOT NULL`),
  ],
)

/** The SCIM request log: outcomes and places, no values, no secrets. */
export const activity = sqliteTable(
  'activity',
  {
    tenantId: text('tenant_id').notNull(),
    /** UUIDv7: newest last. */
    id: text().notNull(),
    at: integer().notNull(),
    /** ok | rejected | unauthorized | error */
    outcome: text().notNull(),
    connectionId: text('connection_id'),
    tokenHint: text('token_hint'),
    method: text().notNull(),
    path: text().notNull(),
    status: integer().notNull(),
    scimType: text('scim_type'),
    detail: text(),
    resourceType: text('resource_type'),
    resourceId: text('resource_id'),
    /** JSON array of text. */
    tolerances: text().notNull(),
    durationMs: integer('duration_ms').notNull(),
  },
  table => [
    primaryKey({ columns: [table.tenantId, table.id] }),
    index('activity_outcome').on(table.tenantId, table.outcome, table.id),
    index('activity_connection').on(table.tenantId, table.connectionId, table.id),
  ],
)

/** Long work, done in bounded steps: everybody's sessions, a connection's users, a tenant's rows. */
export const jobs = sqliteTable(
  'jobs',
  {
    tenantId: text('tenant_id').notNull(),
    id: text().notNull(),
    /** revoke-sessions | deactivate-users | delete-tenant */
    kind: text().notNull(),
    /** The connection the work is about, if any. */
    connectionId: text('connection_id'),
    /** The serial up to which it is done. */
    position: integer().notNull(),
    done: integer().notNull(),
    total: integer().notNull(),
    createdAt: integer('created_at').notNull(),
    /** From then on the sweep continues it; null when it is done. */
    wakeAt: integer('wake_at'),
  },
  table => [
    primaryKey({ columns: [table.tenantId, table.id] }),
    index('due_jobs').on(table.wakeAt).where(sql`wake_at IS NOT NULL`),
  ],
)

/** Never holds a row: inserting into it ends a batch by the constraint that is named after the reason. */
export const aborts = sqliteTable(
  'aborts',
  {
    tenantId: text('tenant_id').notNull(),
    reason: text().notNull(),
  },
  table => [
    check('stale_version', sql`${table.reason} <> 'stale_version'`),
    check('unknown_member', sql`${table.reason} <> 'unknown_member'`),
    check('stale_configuration', sql`${table.reason} <> 'stale_configuration'`),
    check('no_reason', sql`0`),
  ],
)
