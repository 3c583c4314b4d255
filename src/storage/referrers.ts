// Who refers to a resource, found by the lookups of the attribute, and what becomes of them when it is deleted: sets
// of rows in the batch of the deletion, however many refer.
import { type SQL, sql } from 'drizzle-orm'
import { formatPath } from '../scim/attribute-path'
import { idPath, type ReferringPath } from '../scim/reference'
import type { ResourceType } from '../scim/schema'
import { keyPath, literal } from './attribute-sql'
import { type EventDraft, eventData, eventId, lastSequence, type Occasion } from './outbox'
import { type ViewRules, viewData } from './view-data'

export interface Referrers {
  readonly type: ResourceType
  readonly path: ReferringPath
  /** Of the resource that they refer to. */
  readonly id: string
  /** Where those who refer are people: what is told of them beside. */
  readonly rules: ViewRules | undefined
}

/**
 * Takes the reference away from all who have it: each gets the version, and the event of which `draft` is the
 * template. The resource itself is gone by then.
 */
export function forgetReferences(occasion: Occasion, referrers: Referrers, draft: EventDraft): SQL[] {
  const { tenantId, txn, now } = occasion
  const { path } = referrers
  const cleared = (column: string) => withoutAttribute(sql.raw(column), path)
  return [
    lostEvents(occasion, referrers, draft),
    sql`UPDATE resources SET document = ${cleared('document')}, comparable = ${cleared('comparable')},
        version = ${txn}, last_modified = ${now}
      WHERE tenant_id = ${tenantId} AND id IN (SELECT resource_id ${found(tenantId, referrers)})`,
    sql`DELETE ${found(tenantId, referrers)}`,
  ]
}

function found(tenantId: string, { type, path, id }: Referrers): SQL {
  return sql`FROM lookups WHERE tenant_id = ${tenantId} AND type = ${type.name}
    AND attribute = ${formatPath(idPath(path))} AND scope = '' AND value = ${id}`
}

/** One event each, with what an event tells of its subject taken from the subject's row. */
function lostEvents(occasion: Occasion, referrers: Referrers, draft: EventDraft): SQL {
  const { tenantId, connectionId, txn, now } = occasion
  const sequence = sql`${lastSequence(tenantId)} + f.nth`
  const connection = sql`coalesce(${connectionId}, r.connection_id)`
  const subject = (id: string | null) => (id === null ? sql`NULL` : sql`r.id`)
  const { type, rules } = referrers
  const seen = rules
    ? sql`, '$.profile', json(coalesce(r.profile, '{}'))${viewData(tenantId, sql`r.id`, rules)}`
    : sql``
  const data = sql`json_set(${JSON.stringify(draft.data)}${identity(type)}${seen})`
  return sql`INSERT INTO events (tenant_id, sequence, id, type, txn, user_id, group_id, connection_id, occurred_at, data)
    SELECT ${tenantId}, ${sequence}, ${eventId(txn, sequence)}, ${draft.type}, ${txn}, ${subject(draft.userId)},
      ${subject(draft.groupId)}, ${connection}, ${now}, ${eventData(tenantId, connection, data)}
    FROM (SELECT resource_id AS id, row_number() OVER (ORDER BY resource_id) AS nth ${found(tenantId, referrers)}) f
      CROSS JOIN resources r WHERE r.tenant_id = ${tenantId} AND r.id = f.id`
}

/** json_set pairs of what scim/event.ts says of a subject. */
function identity({ eventNoun, eventAttributes, accessAttribute }: ResourceType): SQL {
  const at = (name: string) => literal(`$."${eventNoun}"."${name}"`)
  return sql.join([
    sql`, ${at('id')}, r.id`,
    ...eventAttributes.map(name => sql`, ${at(name)}, json_extract(r.document, ${keyPath([name])})`),
    ...(accessAttribute === undefined
      ? []
      : [
          sql`, ${at(accessAttribute)}, json(iif(r.active = 0, 'false', 'true')), '$.epoch', r.session_epoch`,
        ]),
  ])
}

/** A document without the attribute, and without an extension of which nothing else is left. */
function withoutAttribute(column: SQL, { schema, extension, attribute }: ReferringPath): SQL {
  if (!extension) return sql`json_remove(${column}, ${keyPath([attribute.name])})`
  const rest = sql`json_remove(${column}, ${keyPath([schema.id, attribute.name])})`
  const container = keyPath([schema.id])
  return sql`iif(json_extract(${rest}, ${container}) = '{}', json_remove(${column}, ${container}), ${rest})`
}
