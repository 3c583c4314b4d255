// A boss of two thousand: reports are found by an index, and when the boss is deleted they are cleared as a set.
import { env } from 'cloudflare:workers'
import { beforeAll, describe, expect, test, vi } from 'vitest'
import { type Client, ENTERPRISE, newClient, seededIds, seedUsers } from './world'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

const PATH = `${ENTERPRISE}:manager.value`

/** Users 1 to `reports` report to the boss; the others to nobody. */
async function seeded(reports: number): Promise<{ client: Client; boss: string }> {
  const client = await newClient()
  await seedUsers(client, 3_000)
  const boss = await client.user('boss', { displayName: 'Boss' })
  const { tenantId } = client
  await env.DB.batch([
    env.DB.prepare(
      `UPDATE resources SET document = json_set(document, '$."${ENTERPRISE}"',
        json_object('department', 'D', 'manager', json_object('value', ?2)))
        WHERE tenant_id = ?1 AND type = 'User' AND serial <= ?3`,
    ).bind(tenantId, boss, reports),
    env.DB.prepare(
      `INSERT INTO lookups (tenant_id, type, attribute, scope, value, resource_id, is_unique)
        SELECT tenant_id, 'User', ?4, '', ?2, id, 0 FROM resources
        WHERE tenant_id = ?1 AND type = 'User' AND serial <= ?3`,
    ).bind(tenantId, boss, reports, PATH),
    // A receiver, so that there are deliveries.
    env.DB.prepare(
      `INSERT INTO receivers (tenant_id, id, kind, url, status, secret, created_at)
        VALUES (?, 'receiver', 'webhook', 'https://app.example.com', 'active', 'x', 0)`,
    ).bind(tenantId),
  ])
  return { client, boss }
}

describe('a boss', () => {
  let few: { client: Client; boss: string }
  let many: { client: Client; boss: string }
  beforeAll(async () => {
    few = await seeded(20)
    many = await seeded(2_000)
    // Somebody behind, so that a search which ends at the last row of a table costs no less.
    await seeded(1)
  })

  test('RFC-68 the reports are found by an index', async () => {
    const { client, boss } = few
    const { body, cost } = await client.filter('/Users', `${PATH} eq "${boss}"`, '&attributes=userName')
    expect(body.totalResults).toBe(20)
    // The index, the row and the answer of each, for the page and for the total.
    expect(cost.rowsRead).toBeLessThanOrEqual(6 * 20)
  })

  test('RFC-167 of two thousand is deleted in two round trips, at a cost of so many a report', async () => {
    const cost = async ({ client, boss }: typeof few) => {
      const reply = await client.call('DELETE', `/Users/${boss}`)
      expect([reply.status, reply.cost.calls]).toEqual([204, 2])
      return reply.cost
    }
    const [small, large] = [await cost(few), await cost(many)]
    expect((large.rowsRead - small.rowsRead) / 1_980).toBeLessThanOrEqual(18)
    expect((large.rowsWritten - small.rowsWritten) / 1_980).toBeLessThanOrEqual(16)
    const { client, boss } = many
    const [left] = await client.rows(
      `SELECT count(*) FILTER (WHERE document LIKE '%"manager"%') AS managed,
        count(*) FILTER (WHERE document LIKE '%{"department":"D"}%') AS rest,
        count(DISTINCT version) AS versions FROM resources WHERE tenant_id = ? AND serial <= 2000`,
    )
    expect(left).toEqual({ managed: 0, rest: 2_000, versions: 1 })
    const events = await client.rows(
      `SELECT e.user_id, e.type, e.data ->> '$.changed[0]' AS changed, d.state FROM events e
        JOIN deliveries d ON d.tenant_id = e.tenant_id AND d.sequence = e.sequence
        WHERE e.tenant_id = ? ORDER BY e.sequence`,
    )
    const cleared = { type: 'user.updated', changed: `${ENTERPRISE}:manager`, state: 'pending' }
    expect(events).toEqual([
      { user_id: boss, type: 'user.deleted', changed: null, state: 'pending' },
      ...seededIds(1, 2_000)
        .sort()
        .map(id => ({ user_id: id, ...cleared })),
    ])
    const { body } = await client.filter('/Users', `${PATH} pr`)
    expect(body.totalResults).toBe(0)
    expect((await client.get('/Users/user-7')).body[ENTERPRISE]).toEqual({ department: 'D' })
  })
})
