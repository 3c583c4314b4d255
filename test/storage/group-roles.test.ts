// Between a profile that no longer takes groups for roles and the last step of the job that takes them away: who leaves
// such a group meanwhile loses what the role gave, nobody is told of twice, and nothing of it is left behind.
import { env } from 'cloudflare:workers'
import { beforeEach, expect, test, vi } from 'vitest'
import type { Json } from '../../src/scim/json'
import { type Client, newClient, ORIGIN, type Reply, seededIds, seedUsers, send } from './world'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

const operator = { authorization: `Bearer ${env.ADMIN_TOKEN}`, 'content-type': 'application/json' }

/** Steps of a job that the call which begins it does itself; the Queue of these tests carries nothing on. */
const STEPS_A_CALL = 10
/** A role with more than a step's people goes in a step of its own. */
const LARGE = 1_001

let client: Client
let groups: string[]

const admin = (method: string, path: string, body?: Json): Promise<Reply> =>
  send(method, `${ORIGIN}/admin/v1${path}`, operator, body)

/** One call's steps of a job that reads everybody anew; the roles come first. */
const nextSteps = () => admin('PATCH', `/tenants/${client.slug}`, { profile: 'standard' })

const member = (group: string, op: string, id: string) =>
  client.patch(`/Groups/${group}`, { op, path: 'members', value: [{ value: id }] })

/** Those of roles, and not that the standard profile has other fields. */
async function eventsOf(work: () => Promise<unknown>) {
  const [before] = await client.rows('SELECT max(sequence) AS last FROM events WHERE tenant_id = ?')
  await work()
  const found = await client.rows(
    `SELECT type, user_id, data ->> '$.rolesLost' AS lost FROM events
      WHERE tenant_id = ?1 AND sequence > ?2 AND data ->> '$.changedFields' IS NULL ORDER BY sequence`,
    before?.last,
  )
  return found.map(({ type, user_id, lost }) => [type, user_id, lost].filter(value => value !== null))
}

const rolesLeft = async () =>
  (await client.rows(`SELECT name FROM roles WHERE tenant_id = ? ORDER BY name`)).map(({ name }) => name)

/** Twelve privileged group roles with `LARGE` people each: two more than one call takes away. */
beforeEach(async () => {
  const name = `p-${crypto.randomUUID()}`
  await admin('PUT', `/profiles/${name}`, { name, groups: { as: 'roles' } })
  client = await newClient({ profile: name })
  await seedUsers(client, LARGE + 1)
  groups = []
  for (let i = 0; i < STEPS_A_CALL + 2; i++)
    groups.push(await client.group(`Role ${String.fromCharCode(65 + i)}`))
  await client.rows(
    `INSERT INTO members (tenant_id, group_id, member_id, type, version)
      SELECT ?1, g.id, r.id, 'User', 'seeded' FROM resources g CROSS JOIN resources r
      WHERE g.tenant_id = ?1 AND g.type = 'Group' AND r.tenant_id = ?1 AND r.type = 'User' AND r.serial <= ?2`,
    LARGE,
  )
  await client.rows('UPDATE roles SET members = ?2, privileged = 1 WHERE tenant_id = ?1', LARGE)
})

test('who leaves such a group loses the role and the sessions; who comes and goes where it is gone is told nothing', async () => {
  const [user = ''] = seededIds(1, 1)
  await nextSteps()
  expect(await rolesLeft()).toEqual(['Role K', 'Role L'])
  expect(await eventsOf(() => member(groups[11] ?? '', 'remove', user))).toEqual([
    ['group.member_removed'],
    ['user.updated', user, '["Role L"]'],
    ['user.sessions_revoked', user],
  ])
  expect(await eventsOf(() => member(groups[0] ?? '', 'remove', user))).toEqual([['group.member_removed']])
  expect(await eventsOf(() => member(groups[0] ?? '', 'add', user))).toEqual([['group.member_added']])
  expect(await eventsOf(() => client.group('Role Z', [user]))).toEqual([
    ['group.created'],
    ['group.member_added'],
  ])
  expect(await rolesLeft()).toEqual(['Role K', 'Role L'])
})

test('a role is gained and lost under the name that it has, whatever its group is called meanwhile', async () => {
  const [user = ''] = seededIds(1, 1)
  const [newcomer = ''] = seededIds(LARGE + 1, LARGE + 1)
  const group = groups[11] ?? ''
  await nextSteps()
  await client.patch(`/Groups/${group}`, { op: 'replace', path: 'displayName', value: 'Renamed' })
  await member(group, 'add', newcomer)
  await member(group, 'remove', user)
  await client.call('DELETE', `/Groups/${group}`)
  const told = await client.rows(
    `SELECT DISTINCT data ->> '$.rolesGained' AS gained, data ->> '$.rolesLost' AS lost FROM events
      WHERE tenant_id = ?1 AND type = 'user.updated' AND txn IN (SELECT txn FROM events WHERE tenant_id = ?1 AND group_id = ?2)
      ORDER BY gained`,
    group,
  )
  expect(told).toEqual([
    { gained: '["Role L"]', lost: '[]' },
    { gained: '[]', lost: '["Role L"]' },
  ])
})

test('everybody is told once of each role, whoever goes on with the job', async () => {
  const told = await eventsOf(async () => {
    await nextSteps()
    await Promise.all([nextSteps(), nextSteps()])
  })
  expect(await rolesLeft()).toEqual([])
  const counted = Map.groupBy(told, ([type, id]) => `${type} ${id}`)
  expect(counted.size).toBe(2 * LARGE)
  expect(new Set([...counted.values()].map(events => events.length))).toEqual(new Set([groups.length]))
  const [epochs] = await client.rows(
    `SELECT min(session_epoch) AS least, max(session_epoch) AS most FROM resources
      WHERE tenant_id = ? AND type = 'User' AND serial <= 1001`,
  )
  expect(epochs).toEqual({ least: groups.length, most: groups.length })
  const [tenant] = await client.rows('SELECT configured FROM tenants WHERE tenant_id = ?')
  expect(tenant?.configured).toBe(0)
})

test('a profile that takes groups for roles again finds what is left as it is, and makes the rest anew', async () => {
  await nextSteps()
  await client.patch(`/Groups/${groups[11]}`, { op: 'replace', path: 'displayName', value: 'Renamed' })
  const name = `p-${crypto.randomUUID()}`
  await admin('PUT', `/profiles/${name}`, { name, groups: { as: 'roles' } })
  await admin('PATCH', `/tenants/${client.slug}`, { profile: name })
  const roles = await client.rows(
    'SELECT name, members, privileged FROM roles WHERE tenant_id = ? ORDER BY privileged, name',
  )
  expect(roles.filter(({ members }) => members === LARGE)).toHaveLength(groups.length)
  expect(roles.filter(({ privileged }) => privileged === 1).map(role => role.name)).toEqual([
    'Renamed',
    'Role K',
  ])
})
