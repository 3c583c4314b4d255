// What happened is read by index: a page costs the same however much else has happened.
import { env } from 'cloudflare:workers'
import type { SQL } from 'drizzle-orm'
import { SQLiteSyncDialect } from 'drizzle-orm/sqlite-core'
import { describe, expect, it } from 'vitest'
import {
  pageOfActivity,
  pageOfDeliveries,
  pageOfEvents,
  pageOfRefusals,
} from '../../src/storage/history-rows'

const dialect = new SQLiteSyncDialect()

async function planOf(statement: SQL): Promise<string> {
  const { sql, params } = dialect.sqlToQuery(statement)
  const plan = await env.DB.prepare(`EXPLAIN QUERY PLAN ${sql}`)
    .bind(...params)
    .all<{ detail: string }>()
  return plan.results.map(row => row.detail).join('\n')
}

const none = { state: undefined, receiverId: undefined, userId: undefined }
const before = { sequence: 9, receiverId: 'r' }

describe('the plan', () => {
  const expected: [string, SQL, string][] = [
    [
      'events',
      pageOfEvents('t', { userId: undefined, type: undefined, after: 1 }, 9),
      '(tenant_id=? AND sequence>?)',
    ],
    [
      'events of a user',
      pageOfEvents('t', { userId: 'u', type: undefined, after: 1 }, 9),
      'events_user (tenant_id=? AND user_id=? AND sequence>?)',
    ],
    [
      'events of a type',
      pageOfEvents('t', { userId: undefined, type: 'x', after: 1 }, 9),
      'events_type (tenant_id=? AND type=? AND sequence>?)',
    ],
    ['deliveries', pageOfDeliveries('t', none, before, 9), '(tenant_id=? AND sequence<?)'],
    [
      'deliveries in a state',
      pageOfDeliveries('t', { ...none, state: 'dead' }, before, 9),
      'deliveries_state (tenant_id=? AND state=? AND sequence<?)',
    ],
    [
      'the first of them',
      pageOfDeliveries('t', { ...none, state: 'dead' }, undefined, 9),
      'deliveries_state (tenant_id=? AND state=?)',
    ],
    [
      'deliveries about a user',
      pageOfDeliveries('t', { ...none, userId: 'u' }, before, 9),
      'deliveries_user (tenant_id=? AND user_id=? AND sequence<?)',
    ],
    [
      'deliveries in a state to a receiver',
      pageOfDeliveries('t', { ...none, state: 'dead', receiverId: 'r' }, before, 9),
      'deliveries_receiver (tenant_id=? AND receiver_id=? AND state=? AND sequence<?)',
    ],
    [
      'refusals of a user',
      pageOfRefusals('t', 'u', 'r', 9),
      'activity_refused (tenant_id=? AND resource_id=? AND id<?)',
    ],
    [
      'activity',
      pageOfActivity('t', { outcome: undefined, connectionId: undefined }, 'x', 9),
      '(tenant_id=? AND id<?)',
    ],
    [
      'activity by outcome',
      pageOfActivity('t', { outcome: 'error', connectionId: undefined }, 'x', 9),
      'activity_outcome (tenant_id=? AND outcome=? AND id<?)',
    ],
    [
      'activity of a connection',
      pageOfActivity('t', { outcome: undefined, connectionId: 'c' }, 'x', 9),
      'activity_connection (tenant_id=? AND connection_id=? AND id<?)',
    ],
  ]
  it.each(expected)('of %s seeks and never sorts the whole', async (_, statement, seek) => {
    const plan = await planOf(statement)
    expect(plan).toContain(seek)
    expect(plan).not.toContain('SCAN')
    expect(plan.replaceAll(/USE TEMP B-TREE FOR (RIGHT PART|LAST TERM) OF ORDER BY/g, '')).not.toContain(
      'TEMP B-TREE',
    )
  })
})
