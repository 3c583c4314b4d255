// The tables, as drizzle reads and migrates them. Every key and index leads with the tenant, with two named
// exceptions: the directory of tenants, and the indexes by which the sweep finds what is due.
// Times are milliseconds since 1970 (UTC) unless a name says seconds.
import { sql } from 'drizzle-orm'
import { check, index, integer, primaryKey, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core'
import { MAX_PENDING_MEMBERS } from '../scim/member-change'

/** The only global table: which tenants there are and which database binding holds each. */
export const tenantDirectory = sqliteTable('tenant_directory', {
  slug: text().primaryKey(),
  tenantId: text('tenant_id').notNull(),
  database: text().notNull(),
  createdAt: integer('created_at').notNull(),
})

/**
 * The deployment's profiles, every version of each: what the operator has put under a name. A tenant has a copy of
 * its own, so nothing joins this table either; `adoptedSlug` is how far the tenants have been given the version.
 */
export const profiles = sqliteTable(
  'profiles',
  {
    name: text().notNull(),
    version: integer().notNull(),
    /** JSON, as the operator sent it. */
    document: text().notNull(),
    createdAt: integer('created_at').notNull(),
    adoptedSlug: text('adopted_slug').notNull(),
    /** From then on the sweep continues to give it to the tenants; null when all have it. */
    wakeAt: integer('wake_at'),
  },
  table => [
    primaryKey({ columns: [table.name, table.version] }),
    index('due_profiles').on(table.wakeAt).where(sql`wake_at IS NOT NULL`),
  ],
)

/** One tenant and its configuration; `configVersion` grows with every change that a cached copy must notice. */
export const tenants = sqliteTable('tenants', {
  tenantId: text('tenant_id').primaryKey(),
  slug: text().notNull(),
  name: text().notNull(),
  profile: text().notNull(),
  /** Of the profile below; 0 for one that ships with the service. */
  profileVersion: integer('profile_version').notNull().default(0),
  /** JSON of the profile, the tenant's own copy; null for one that ships with the service. */
  profileDocument: text('profile_document'),
  /** active | suspended | deleting */
  status: text().notNull(),
  configVersion: integer('config_version').notNull(),
  /** 1 where the tenant has something beyond the standard, so that a request must know its configuration. */
  configured: integer().notNull().default(0),
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

/** A tenant's own resource type, with its schema and the extensions that come with it. */
export const tenantResourceTypes = sqliteTable(
  'tenant_resource_types',
  {
    tenantId: text('tenant_id').notNull(),
    name: text().notNull(),
    /** JSON `{name, endpoint, description?, schema, extensions?: [{schema, required?}]}`, as the operator sent it. */
    document: text().notNull(),
    createdAt: integer('created_at').notNull(),
  },
  table => [primaryKey({ columns: [table.tenantId, table.name] })],
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
    /** Of its mapping in force; 0 for none. */
    mappingVersion: integer('mapping_version').notNull().default(0),
    createdAt: integer('created_at').notNull(),
  },
  table => [primaryKey({ columns: [table.tenantId, table.id] })],
)

/** What a connection says on top of the profile, every version of it. */
export const mappings = sqliteTable(
  'mappings',
  {
    tenantId: text('tenant_id').notNull(),
    connectionId: text('connection_id').notNull(),
    version: integer().notNull(),
    /** JSON, as the operator sent it. */
    document: text().notNull(),
    createdAt: integer('created_at').notNull(),
  },
  table => [primaryKey({ columns: [table.tenantId, table.connectionId, table.version] })],
)

/** Groups of the application's users: made by the operator, or by a rule for the value of an attribute. */
export const targetGroups = sqliteTable(
  'target_groups',
  {
    tenantId: text('tenant_id').notNull(),
    id: text().notNull(),
    name: text().notNull(),
    /** operator | rule: one of the rule's goes with its last user. */
    managed: text().notNull(),
    /** How many users are in it. */
    members: integer().notNull(),
    createdAt: integer('created_at').notNull(),
  },
  table => [
    primaryKey({ columns: [table.tenantId, table.id] }),
    uniqueIndex('target_groups_name').on(table.tenantId, table.name),
  ],
)

/** Roles of the application: the values of the profile's role attribute, and groups where those are roles. */
export const roles = sqliteTable(
  'roles',
  {
    tenantId: text('tenant_id').notNull(),
    /** The group's id where a group is the role. */
    id: text().notNull(),
    name: text().notNull(),
    /** attribute | group */
    source: text().notNull(),
    /** JSON array of text: the operator's. */
    permissions: text().notNull(),
    /** 1 or 0 as the operator says; null as the profile says. */
    privileged: integer(),
    /** How many users have it. */
    members: integer().notNull(),
  },
  table => [
    primaryKey({ columns: [table.tenantId, table.id] }),
    uniqueIndex('roles_attribute').on(table.tenantId, table.name).where(sql`source = 'attribute'`),
    index('roles_group').on(table.tenantId, table.name, table.id).where(sql`source = 'group'`),
  ],
)

/** Pages for a customer's IT admin: one use each, known by the hash of what is in their URL. */
export const setupLinks = sqliteTable(
  'setup_links',
  {
    tenantId: text('tenant_id').notNull(),
    id: text().notNull(),
    /** Null until the IT admin has chosen the identity provider. */
    connectionId: text('connection_id'),
    /** SHA-256 of the secret in the URL, hex. */
    hash: text().notNull(),
    expiresAt: integer('expires_at').notNull(),
    /** When it made its token. */
    usedAt: integer('used_at'),
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

/** Keys by which an application reads its tenant's directory: like tokens, never the key itself. */
export const appKeys = sqliteTable(
  'app_keys',
  {
    tenantId: text('tenant_id').notNull(),
    id: text().notNull(),
    name: text(),
    hash: text().notNull(),
    hint: text().notNull(),
    createdAt: integer('created_at').notNull(),
    lastUsedAt: integer('last_used_at'),
  },
  table => [primaryKey({ columns: [table.tenantId, table.id] })],
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
    /** JSON of the application's fields (mapping/view.ts), where the type grants access. */
    profile: text(),
    /** The role that it has from an attribute. */
    role: text(),
    /** Id of its target group. */
    targetGroup: text('target_group'),
    /** When a DELETE that keeps the record was: it is in the list of the deleted then, and gone for SCIM. */
    deletedAt: integer('deleted_at'),
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
    index('resources_role').on(table.tenantId, table.role, table.serial).where(sql`role IS NOT NULL`),
    index('resources_target_group')
      .on(table.tenantId, table.targetGroup, table.serial)
      .where(sql`target_group IS NOT NULL`),
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

/** Who a group is to get as members as soon as they are here, by the name that the client has for them. */
export const pendingMembers = sqliteTable(
  'pending_members',
  {
    tenantId: text('tenant_id').notNull(),
    groupId: text('group_id').notNull(),
    /** As it was sent: what will be an externalId or a userName. */
    value: text().notNull(),
    /** The same without case (scim/comparable.ts): how it is found. */
    folded: text().notNull(),
    /** The connection within which the value is an externalId. */
    connectionId: text('connection_id').notNull(),
    /** Names the change that the row came with, or last came again with. */
    version: text().notNull(),
    createdAt: integer('created_at').notNull(),
  },
  table => [
    primaryKey({ columns: [table.tenantId, table.groupId, table.value] }),
    index('pending_members_folded').on(table.tenantId, table.folded),
    index('pending_members_version').on(table.tenantId, table.version),
  ],
)

/** How many pending members a tenant has: triggers of pending_members keep it, and one too many fails here. */
export const pendingTotals = sqliteTable(
  'pending_totals',
  {
    tenantId: text('tenant_id').primaryKey(),
    live: integer().notNull(),
  },
  table => [check('too_many_pending', sql`${table.live} <= ${sql.raw(String(MAX_PENDING_MEMBERS))}`)],
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
    /** How many of them grant access. */
    active: integer().notNull().default(0),
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

/**
 * The outbox: what happened, written in the batch that made it happen. The last row of a tenant is never pruned.
 * A trigger of its keeps `revocations`: whoever makes this table anew makes the trigger anew.
 */
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
    /** JSON of the request that made it (outbox.ts), which no receiver is told; null for events of before this was kept. */
    origin: text(),
    /** Its link in the tenant's chain, hex; null until it is sealed. */
    hash: text(),
  },
  table => [
    primaryKey({ columns: [table.tenantId, table.sequence] }),
    index('events_user').on(table.tenantId, table.userId, table.sequence),
    // Access lost and given back (access-events.ts), apart from all else that happened to the person.
    index('events_access')
      .on(table.tenantId, table.userId, table.sequence)
      .where(sql`type IN ('user.deactivated', 'user.deleted', 'user.sessions_revoked', 'user.reactivated')`),
    index('unsealed_events').on(table.tenantId, table.sequence).where(sql`hash IS NULL`),
    index('events_type').on(table.tenantId, table.type, table.sequence),
  ],
)

/** The end of each tenant's chain of events: the event that was sealed last, and its hash. */
export const eventChain = sqliteTable('event_chain', {
  tenantId: text('tenant_id').primaryKey(),
  sequence: integer().notNull(),
  hash: text().notNull(),
})

/**
 * When the sessions of each user were last ended, in the order of the events that ended them. Kept by the trigger
 * `events_revocation`, so that no way to end sessions can leave it out.
 */
export const revocations = sqliteTable(
  'revocations',
  {
    tenantId: text('tenant_id').notNull(),
    userId: text('user_id').notNull(),
    /** Of the event. */
    sequence: integer().notNull(),
    /** Unix seconds. */
    notBefore: integer('not_before').notNull(),
    epoch: integer().notNull(),
    reason: text().notNull(),
    at: integer().notNull(),
    /** What the user was called then. */
    userName: text('user_name'),
    externalId: text('external_id'),
    /** From then on it is kept for a while only; null while the user is there. */
    deletedAt: integer('deleted_at'),
  },
  table => [
    primaryKey({ columns: [table.tenantId, table.userId] }),
    index('revocations_sequence').on(table.tenantId, table.sequence),
    index('old_revocations').on(table.deletedAt).where(sql`deleted_at IS NOT NULL`),
  ],
)

/** Where events are sent. */
export const receivers = sqliteTable(
  'receivers',
  {
    tenantId: text('tenant_id').notNull(),
    id: text().notNull(),
    kind: text().notNull(),
    /** Where it is called, or where a receiver that polls calls. */
    url: text().notNull(),
    /** 1: it fetches its events; they never go through the Queue. */
    isPolled: integer('is_polled').notNull().default(0),
    /** JSON of what only its kind has: `{audience, clientId, subject, subjectIssuer}`. */
    settings: text(),
    /** `{origin}/t/{slug}` as it was created: the `iss` of what is signed for it; null where nothing is. */
    issuer: text(),
    /** JSON array of event types; null for all. */
    events: text(),
    /** JSON `{schedule: [seconds], timeoutSeconds}`; null for the default. */
    retry: text(),
    /** active | paused | disabled (it answered 410) */
    status: text().notNull(),
    /** Encrypted under SECRET_KEY (storage/keys.ts); '' for a kind that has none. */
    secret: text().notNull(),
    previousSecret: text('previous_secret'),
    previousSecretUntil: integer('previous_secret_until'),
    /** The Authorization header it asked for, encrypted as the secret is. */
    authorization: text(),
    /** JSON `{jti, at, uri, payload}` of what the stream itself has to tell, until it is polled. */
    notice: text(),
    /** Failed attempts since the last success; while the circuit is closed it counts no further than opens it. */
    failures: integer().notNull().default(0),
    failingSince: integer('failing_since'),
    /** The circuit is open: until then nothing is sent to it, after it one probe; null: it is closed. */
    openUntil: integer('open_until'),
    createdAt: integer('created_at').notNull(),
  },
  table => [primaryKey({ columns: [table.tenantId, table.id] })],
)

/** The keys by which a tenant's receivers know who speaks: RS256, the newest in force signs. */
export const signingKeys = sqliteTable(
  'signing_keys',
  {
    tenantId: text('tenant_id').notNull(),
    /** RFC 7638 thumbprint. */
    kid: text().notNull(),
    /** JSON. */
    publicJwk: text('public_jwk').notNull(),
    /** JSON, encrypted under SECRET_KEY; null once it signs no more. */
    privateJwk: text('private_jwk'),
    createdAt: integer('created_at').notNull(),
    /** It is published before it signs, so that receivers know it by then. */
    signsFrom: integer('signs_from').notNull(),
    /** Its signatures can be checked until then; null: no other key has been made since. */
    publishedUntil: integer('published_until'),
  },
  table => [primaryKey({ columns: [table.tenantId, table.kid] })],
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
    /** Which of the messages that the event is for this receiver need not be sent again: a bit each. */
    answered: integer().notNull().default(0),
    /** Until then one consumer has it; another that gets the same message leaves it alone. */
    leaseUntil: integer('lease_until'),
    /** From then on the sweep wakes it up; null when nothing is outstanding or its receiver is not active. */
    wakeAt: integer('wake_at'),
    /** 1: its event ends sessions, so that its time counts as kill time. */
    endsSessions: integer('ends_sessions').notNull().default(0),
    /** While sessions wait for it: since when; null once it is delivered, or the alarm has been raised. */
    watchFrom: integer('watch_from'),
    /** 1: the alarm has been raised, and it is not delivered yet. */
    overdue: integer().notNull().default(0),
  },
  table => [
    primaryKey({ columns: [table.tenantId, table.sequence, table.receiverId] }),
    index('deliveries_receiver').on(table.tenantId, table.receiverId, table.state, table.sequence),
    index('deliveries_state').on(table.tenantId, table.state, table.sequence),
    index('deliveries_user').on(table.tenantId, table.userId, table.sequence),
    index('due_deliveries').on(table.wakeAt).where(sql`wake_at IS NOT NULL`),
    index('watched_deliveries').on(table.watchFrom).where(sql`watch_from IS NOT NULL`),
  ],
)

/** How many deliveries a receiver has in each state; kept by triggers on `deliveries`. */
export const deliveryTotals = sqliteTable(
  'delivery_totals',
  {
    tenantId: text('tenant_id').notNull(),
    receiverId: text('receiver_id').notNull(),
    pending: integer().notNull(),
    retrying: integer().notNull(),
    delivered: integer().notNull(),
    dead: integer().notNull(),
    overdue: integer().notNull(),
  },
  table => [primaryKey({ columns: [table.tenantId, table.receiverId] })],
)

/** Histograms of kill times by the hour of the receipt; kept by a trigger on `deliveries` (kill-times.ts). */
export const killTimes = sqliteTable(
  'kill_times',
  {
    tenantId: text('tenant_id').notNull(),
    /** Hours since 1970. */
    hour: integer().notNull(),
    receiverId: text('receiver_id').notNull(),
    /** The least n for which 1.2 to the power of n milliseconds are not less than the time. */
    bucket: integer().notNull(),
    count: integer().notNull(),
  },
  table => [primaryKey({ columns: [table.tenantId, table.hour, table.receiverId, table.bucket] })],
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
    /** Section of docs/troubleshooting.md. */
    help: text(),
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
    // For a person's story; what is done costs no entry.
    index('activity_refused')
      .on(table.tenantId, table.resourceId, table.id)
      .where(sql`status >= 400 AND resource_id IS NOT NULL`),
  ],
)

/** Above how many losses of access a tenant's DELETEs are held back until the operator decides. */
export const breakers = sqliteTable('breakers', {
  tenantId: text('tenant_id').primaryKey(),
  /** 1 or 0 */
  enabled: integer().notNull(),
  /** This many people may lose access within the window; with one more it trips. */
  threshold: integer().notNull(),
  windowMinutes: integer('window_minutes').notNull(),
  /** How many have lost access since it began to count: where in the ring of `access_losses` the next one goes. */
  losses: integer().notNull(),
  /** Null while it has not tripped. */
  trippedAt: integer('tripped_at'),
  /** How often the operator has decided: what was held in an earlier round is decided. */
  round: integer().notNull(),
})

/** When people last lost access by requests of identity providers: a ring of as many places as the threshold has. */
export const accessLosses = sqliteTable(
  'access_losses',
  {
    tenantId: text('tenant_id').notNull(),
    slot: integer().notNull(),
    at: integer().notNull(),
  },
  table => [primaryKey({ columns: [table.tenantId, table.slot] })],
)

/** Deleted users whose record is kept because the breaker had tripped, until the operator decides. */
export const heldDeletions = sqliteTable(
  'held_deletions',
  {
    tenantId: text('tenant_id').notNull(),
    /** Of the user's row. */
    serial: integer().notNull(),
    userId: text('user_id').notNull(),
    connectionId: text('connection_id').notNull(),
    at: integer().notNull(),
    /** 1 where the DELETE took access away, 0 where there was none. */
    active: integer().notNull(),
    /** JSON array of the ids of the groups it was in. */
    groupIds: text('group_ids').notNull(),
    /** Of the breaker, when it was held. */
    round: integer().notNull(),
    /** Why the last rollback has left it; null as long as none has. */
    keptBecause: text('kept_because'),
  },
  table => [primaryKey({ columns: [table.tenantId, table.serial] })],
)

/** Long work, done in bounded steps: everybody's sessions, a connection's users, a tenant's rows. */
export const jobs = sqliteTable(
  'jobs',
  {
    tenantId: text('tenant_id').notNull(),
    id: text().notNull(),
    /** revoke-sessions | deactivate-users | delete-tenant | recompute | release-held | roll-back-held */
    kind: text().notNull(),
    /** The connection the work is about, if any. */
    connectionId: text('connection_id'),
    /** The serial up to which it is done. */
    position: integer().notNull(),
    done: integer().notNull(),
    total: integer().notNull(),
    /** Of those done: users who break a rule that they are to be read by, and were left as they were. */
    invalid: integer().notNull().default(0),
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
