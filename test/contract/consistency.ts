// What holds of a tenant's state whatever was done to it, by whom, and in which order.
import { env } from 'cloudflare:workers'
import { expect } from 'vitest'
import { standardResourceTypes } from '../../src/scim/schemas/resource-types'
import type { Body, Connection, ScimEvent, Tenant } from './world'

type Row = Readonly<Record<string, unknown>>

async function rowsOf(tenantId: string, ...statements: readonly string[]): Promise<Row[][]> {
  const results = await env.DB.batch<Row>(statements.map(text => env.DB.prepare(text).bind(tenantId)))
  return results.map(({ results: rows }) => rows)
}

export async function tenantIdOf({ slug }: Tenant): Promise<string> {
  const row = await env.DB.prepare('SELECT tenant_id FROM tenant_directory WHERE slug = ?')
    .bind(slug)
    .first<{ tenant_id: string }>()
  if (!row) throw new Error(`no tenant ${slug}`)
  return row.tenant_id
}

/** Everything that a refused request must leave as it was, as one text. */
export async function snapshot(tenantId: string): Promise<string> {
  const state = await rowsOf(
    tenantId,
    'SELECT id, version, session_epoch FROM resources WHERE tenant_id = ? ORDER BY id',
    'SELECT type, scope, live, last_serial FROM totals WHERE tenant_id = ? ORDER BY type, scope',
    'SELECT group_id, member_id FROM members WHERE tenant_id = ? ORDER BY group_id, member_id',
    'SELECT group_id, value FROM pending_members WHERE tenant_id = ? ORDER BY group_id, value',
    'SELECT count(*) AS lookups FROM lookups WHERE tenant_id = ?',
    'SELECT count(*) AS events, max(sequence) AS last FROM events WHERE tenant_id = ?',
  )
  return JSON.stringify(state)
}

/** Fails unless the tables agree with each other, with what the API shows, and with what the events tell. */
export async function expectConsistent(tenant: Tenant, connections: readonly Connection[]): Promise<void> {
  const tenantId = await tenantIdOf(tenant)
  await expectTables(tenantId)
  await expectMirrored(connections)
  await expectPages(tenantId, connections)
  await expectFolded(tenantId, await tenant.events())
}

async function expectTables(tenantId: string): Promise<void> {
  const [orphans, doubles, strangers, unfound, late, waiting, totals, counted] = await rowsOf(
    tenantId,
    `SELECT * FROM members m WHERE tenant_id = ? AND (
      NOT EXISTS (SELECT 1 FROM resources r WHERE r.tenant_id = m.tenant_id AND r.id = m.member_id AND r.type = m.type)
      OR NOT EXISTS (SELECT 1 FROM resources r WHERE r.tenant_id = m.tenant_id AND r.id = m.group_id AND r.type = 'Group'))`,
    `SELECT type, attribute, scope, value FROM lookups WHERE tenant_id = ? AND is_unique = 1
      GROUP BY 1, 2, 3, 4 HAVING count(*) > 1`,
    `SELECT * FROM lookups l WHERE tenant_id = ?
      AND NOT EXISTS (SELECT 1 FROM resources r WHERE r.tenant_id = l.tenant_id AND r.id = l.resource_id)`,
    `SELECT id FROM resources r WHERE tenant_id = ? AND type = 'User' AND 1 <> (SELECT count(*) FROM lookups l
      WHERE l.tenant_id = r.tenant_id AND l.resource_id = r.id AND l.attribute = 'userName')`,
    // Nobody waits who is here, nor for a group that is gone.
    `SELECT value FROM pending_members p WHERE tenant_id = ? AND (
      NOT EXISTS (SELECT 1 FROM resources r WHERE r.tenant_id = p.tenant_id AND r.id = p.group_id)
      OR EXISTS (SELECT 1 FROM lookups l WHERE l.tenant_id = p.tenant_id AND l.resource_id <> p.group_id
        AND ((l.attribute = 'userName' AND l.value = p.folded)
          OR (l.attribute = 'externalId' AND l.scope = p.connection_id AND l.value = p.value))))`,
    `SELECT live FROM pending_totals WHERE tenant_id = ?1
      AND live <> (SELECT count(*) FROM pending_members WHERE tenant_id = ?1)`,
    'SELECT type, scope, live, active FROM totals WHERE tenant_id = ? AND live > 0 ORDER BY 1, 2',
    `SELECT type, scope, count(*) AS live, total(active) AS active FROM resources
      WHERE tenant_id = ? AND scope <> '@deleted'
      GROUP BY 1, 2 ORDER BY 1, 2`,
  )
  expect({ orphans, doubles, strangers, unfound, late, waiting }).toEqual({
    orphans: [],
    doubles: [],
    strangers: [],
    unfound: [],
    late: [],
    waiting: [],
  })
  expect(totals).toEqual(counted)
}

/** user.groups says what group.members says, and userName is unique whatever its case. */
async function expectMirrored(connections: readonly Connection[]): Promise<void> {
  const groups: Body[] = []
  for (const { scim } of connections) groups.push(...(await all(scim, '/Groups')))
  const [first] = connections
  const users = first ? await all(first.scim, '/Users') : []
  const isUser = new Set(users.map(({ id }) => id))
  const byGroup = groups.flatMap(({ id, members = [] }) => members.map(({ value }) => `${id} ${value}`))
  const byUser = users.flatMap(({ id, groups: of = [] }) => of.map(({ value }) => `${value} ${id}`))
  expect(byUser.sort()).toEqual(byGroup.filter(pair => isUser.has(pair.split(' ')[1] ?? '')).sort())
  const names = users.map(({ userName }) => userName.normalize('NFKC').toLowerCase())
  expect(new Set(names).size).toBe(names.length)
}

async function all(scim: Connection['scim'], endpoint: string): Promise<Body[]> {
  const { status, body } = await scim.get(`${endpoint}?count=1000`)
  expect([status, body.totalResults]).toEqual([200, body.Resources.length])
  return body.Resources
}

/** Both ways of paging show everybody once, in the same order. */
async function expectPages(tenantId: string, connections: readonly Connection[]): Promise<void> {
  const [stored = []] = await rowsOf(
    tenantId,
    'SELECT type, scope, id FROM resources WHERE tenant_id = ? ORDER BY type, scope, serial',
  )
  for (const { name, endpoint, scope } of standardResourceTypes)
    for (const { id, scim } of connections) {
      const mine = stored.filter(row => row.type === name && row.scope === (scope === 'tenant' ? '' : id))
      const ids = mine.map(row => String(row.id))
      expect(await indexPages(scim, endpoint, ids.length)).toEqual(ids)
      expect(await cursorPages(scim, endpoint)).toEqual(ids)
    }
}

const PAGE = 'attributes=id&count=7'

async function indexPages(scim: Connection['scim'], endpoint: string, total: number): Promise<string[]> {
  const ids: string[] = []
  for (let startIndex = 1; startIndex <= total; startIndex += 7) {
    const { body } = await scim.get(`${endpoint}?${PAGE}&startIndex=${startIndex}`)
    expect(body.totalResults).toBe(total)
    ids.push(...body.Resources.map(({ id }) => id))
  }
  return ids
}

async function cursorPages(scim: Connection['scim'], endpoint: string): Promise<string[]> {
  const ids: string[] = []
  for (let cursor: unknown = ''; cursor !== undefined; ) {
    const { status, body } = await scim.get(`${endpoint}?${PAGE}&cursor=${cursor}`)
    expect(status).toBe(200)
    ids.push(...body.Resources.map(({ id }) => id))
    cursor = body.nextCursor
  }
  return ids
}

interface Folded {
  readonly users: Map<string, { active: boolean; epoch: number }>
  readonly groups: Map<string, Set<string>>
}

/** The state that a receiver has who has seen nothing but the events. */
export function fold(events: readonly ScimEvent[]): Folded {
  const state: Folded = { users: new Map(), groups: new Map() }
  for (const event of events) {
    const [noun, verb] = event.type.split('.')
    const place = `${event.sequence} ${event.type}`
    if (noun === 'user') foldUser(state, event, verb ?? '', place)
    else foldGroup(state, event, verb ?? '', place)
  }
  return state
}

function foldUser({ users, groups }: Folded, { userId, data }: ScimEvent, verb: string, place: string): void {
  const id = String(userId)
  const before = users.get(id)
  expect([place, before !== undefined]).toEqual([place, verb !== 'created'])
  const active = (data.user as unknown as { active: boolean }).active
  const revoked = data.sessions === 'revoke_all'
  // Raised by exactly one where sessions end, and never otherwise.
  expect([place, data.epoch]).toEqual([place, (before?.epoch ?? 0) + (revoked ? 1 : 0)])
  expect([place, revoked]).toEqual([place, /^(deactivated|deleted|sessions_revoked)$/.test(verb)])
  if (verb !== 'deleted') {
    if (verb === 'deactivated' || verb === 'reactivated')
      expect([place, before?.active, active]).toEqual([place, verb === 'deactivated', verb === 'reactivated'])
    users.set(id, { active, epoch: data.epoch })
    return
  }
  users.delete(id)
  const left = [...groups].filter(([, members]) => members.delete(id)).map(([groupId]) => groupId)
  expect([place, [...data.groups].sort()]).toEqual([place, left.sort()])
}

function foldGroup(
  { users, groups }: Folded,
  { groupId, data }: ScimEvent,
  verb: string,
  place: string,
): void {
  const id = String(groupId)
  const members = groups.get(id)
  expect([place, members !== undefined]).toEqual([place, verb !== 'created'])
  if (verb === 'created') groups.set(id, new Set())
  if (verb === 'deleted') groups.delete(id)
  if (verb === 'deleted') for (const others of groups.values()) others.delete(id)
  if (!verb.startsWith('member_')) return
  expect([place, data.members.length > 0 && data.members.length <= 1000]).toEqual([place, true])
  for (const member of data.members) {
    // An event that tells nothing new would be one too many.
    expect([place, member, members?.has(member)]).toEqual([place, member, verb === 'member_removed'])
    if (verb === 'member_removed') members?.delete(member)
    else {
      expect([place, member, users.has(member) || groups.has(member)]).toEqual([place, member, true])
      members?.add(member)
    }
  }
}

async function expectFolded(tenantId: string, events: readonly ScimEvent[]): Promise<void> {
  const { users, groups } = fold(events)
  const [resources = [], members = [], receivers = [], deliveries = []] = await rowsOf(
    tenantId,
    'SELECT id, type, active, session_epoch AS epoch FROM resources WHERE tenant_id = ?',
    'SELECT group_id, member_id FROM members WHERE tenant_id = ?',
    'SELECT id FROM receivers WHERE tenant_id = ?',
    'SELECT sequence, receiver_id, event_id FROM deliveries WHERE tenant_id = ?',
  )
  const stored = resources.filter(({ type }) => type === 'User')
  const seen = [...users].map(([id, { active, epoch }]) => `${id} ${active} ${epoch}`)
  expect(seen.sort()).toEqual(stored.map(row => `${row.id} ${row.active === 1} ${row.epoch}`).sort())
  const ids = resources.filter(({ type }) => type === 'Group').map(({ id }) => id)
  expect([...groups.keys()].sort()).toEqual(ids.sort())
  const pairs = [...groups].flatMap(([id, of]) => [...of].map(member => `${id} ${member}`))
  expect(pairs.sort()).toEqual(members.map(row => `${row.group_id} ${row.member_id}`).sort())
  // One after the other, none twice, none left out; the parts of one request are neighbours.
  expect(events.map(({ sequence }) => sequence)).toEqual(events.map((_, i) => i + 1))
  expect(new Set(events.map(({ id }) => id)).size).toBe(events.length)
  const runs = events.filter(({ txn }, i) => txn !== events[i - 1]?.txn)
  expect(new Set(events.map(({ txn }) => txn)).size).toBe(runs.length)
  const expected = events.flatMap(event => receivers.map(({ id }) => `${event.sequence} ${event.id} ${id}`))
  expect(deliveries.map(row => `${row.sequence} ${row.event_id} ${row.receiver_id}`).sort()).toEqual(
    expected.sort(),
  )
}
