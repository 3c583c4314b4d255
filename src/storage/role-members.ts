// Where groups are roles: what it means for each person that comes into a group or leaves it, as sets.
import { type SQL, sql } from 'drizzle-orm'
import type { ResourceType } from '../scim/schema'
import { eventData, eventId, lastSequence, type Occasion, originOf } from './outbox'
import { personData, type ViewRules, viewData } from './view-data'

/** What the tenant's application takes a group for. */
export interface RoleRules extends ViewRules {
  /** The type of which there are accounts. */
  readonly accountType: ResourceType
}

export interface RoleChange {
  readonly occasion: Occasion
  readonly rules: RoleRules
  readonly groupId: string
  /** `SELECT member_id …`: who came, or who is about to go. */
  readonly who: SQL
}

/** Right behind the rows that came: each person has the role more. Nothing is done of a group that is no role. */
export function gainRole(change: RoleChange): SQL[] {
  const told = sql`, '$.changed', json('[]'), '$.rolesLost', json('[]'), '$.rolesGained', json_array(${nameOf(change)})`
  return [countMembers(change, sql.raw('+')), personEvents(change, 'updated', told, { only: isRole(change) })]
}

/**
 * Right before the rows go, or the role itself: each person has the role less, and with a privileged one sessions end.
 * Nothing is done of a group that is no role.
 */
export function loseRole(change: RoleChange): SQL[] {
  const { occasion, groupId, who } = change
  const { tenantId, now } = occasion
  const told = sql`, '$.changed', json('[]'), '$.rolesLost', json_array(${nameOf(change)}), '$.rolesGained', json('[]')`
  const ended = sql`, '$.sessions', 'revoke_all', '$.reason', 'privileged_role_lost', '$.notBefore', r.sessions_not_before`
  const endsSessions = sql`active = 1 AND ${isRole(change, sql` AND k.privileged = 1`)}`
  return [
    countMembers(change, sql.raw('-')),
    personEvents(change, 'updated', told, { without: groupId, only: isRole(change) }),
    sql`UPDATE resources SET session_epoch = session_epoch + 1,
        sessions_not_before = max(coalesce(sessions_not_before, 0), ${Math.floor(now / 1000)})
      WHERE tenant_id = ${tenantId} AND id IN (${who}) AND ${endsSessions}`,
    personEvents(change, 'sessions_revoked', ended, { without: groupId, only: endsSessions }),
  ]
}

/** The other way round: one person comes into several groups, which `groups` selects, at once. */
export function gainRoles({
  occasion,
  rules,
  personId,
  groups,
}: Pick<RoleChange, 'occasion' | 'rules'> & { personId: string; groups: SQL }): SQL[] {
  const { tenantId } = occasion
  const those = sql`FROM roles k WHERE k.tenant_id = ${tenantId} AND k.id IN (${groups})`
  const names = sql`(SELECT json_group_array(k.name) ${those})`
  const told = sql`, '$.changed', json('[]'), '$.rolesLost', json('[]'), '$.rolesGained', json(${names})`
  const who = sql`SELECT ${personId} WHERE EXISTS (SELECT 1 ${those})`
  return [
    personEvents({ occasion, rules, groupId: '', who }, 'updated', told),
    sql`UPDATE roles SET members = members + 1 WHERE tenant_id = ${tenantId} AND id IN (${groups})`,
  ]
}

/** People among those who came or go; the plus keeps an index out of it by which all people of the tenant are read. */
function isAccount({ rules, who }: Pick<RoleChange, 'rules' | 'who'>): SQL {
  return sql`r.id IN (${who}) AND +r.type = ${rules.accountType.name}`
}

function isRole({ occasion, groupId }: Pick<RoleChange, 'occasion' | 'groupId'>, more = sql``): SQL {
  return sql`EXISTS (SELECT 1 FROM roles k WHERE k.tenant_id = ${occasion.tenantId} AND k.id = ${groupId}${more})`
}

/** As everybody has been told of it: a group that is renamed while its role is being taken away keeps the role's name. */
function nameOf({ occasion, groupId }: Pick<RoleChange, 'occasion' | 'groupId'>): SQL {
  return sql`(SELECT k.name FROM roles k WHERE k.tenant_id = ${occasion.tenantId} AND k.id = ${groupId})`
}

/** Only people count: a group within a group has no sessions. */
function countMembers(change: RoleChange, sign: SQL): SQL {
  const { occasion, groupId } = change
  const { tenantId } = occasion
  return sql`UPDATE roles SET members = members ${sign} (SELECT count(*) FROM resources r
      WHERE r.tenant_id = ${tenantId} AND ${isAccount(change)})
    WHERE tenant_id = ${tenantId} AND id = ${groupId}`
}

/**
 * An event for each person, of the person's own connection where the occasion has none. `told`: json_set pairs over the
 * person's row `r`; `without`: see `viewData`; `only`: for whom of them it holds.
 */
function personEvents(
  { occasion, rules, who }: RoleChange,
  verb: string,
  told: SQL,
  { without, only = sql`1` }: { without?: string; only?: SQL } = {},
): SQL {
  const { tenantId, connectionId, txn, now } = occasion
  const { accountType } = rules
  const pairs = sql`${told}${viewData(tenantId, sql`r.id`, rules, without)}`
  const connection = sql`coalesce(${connectionId}, r.connection_id)`
  const data = eventData(tenantId, connection, personData(accountType), pairs)
  return sql`INSERT INTO events (tenant_id, sequence, id, type, txn, user_id, connection_id, occurred_at, origin, data)
    SELECT ${tenantId}, p.sequence, ${eventId(txn, sql`p.sequence`)}, ${`${accountType.eventNoun}.${verb}`}, ${txn},
      p.id, p.connection_id, ${now}, ${originOf(occasion)}, p.data
    FROM (SELECT r.id AS id, ${connection} AS connection_id, ${data} AS data, ${lastSequence(tenantId)} + row_number() OVER (ORDER BY r.id) AS sequence
      FROM resources r WHERE r.tenant_id = ${tenantId} AND ${isAccount({ rules, who })} AND ${only}) p`
}
