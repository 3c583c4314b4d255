// Two identity providers and all that they may do, at the same time and in an order that a seed decides. Whatever
// came first, the state afterwards is one that makes sense, and the events tell how it came about.
import { expect, test, vi } from 'vitest'
import { pick, type Random, seeded } from '../scim/generate'
import { expectConsistent } from './consistency'
import {
  admin,
  type Connection,
  newGroup,
  newTenant,
  newUser,
  PATCH_OP,
  type Reply,
  settled,
  type Tenant,
} from './world'

vi.setConfig({ testTimeout: 60_000 })

const BULK = 'urn:ietf:params:scim:api:messages:2.0:BulkRequest'
/** Few, so that requests meet at the same resources. */
const NAMES = ['ann', 'Ann', 'bob', 'BOB', 'cleo', 'Émile', 'émile', 'dora', 'emil', 'fay'] as const
const GROUPS = ['Staff', 'staff', 'Crew', 'Guests'] as const

interface World {
  readonly random: Random
  readonly connections: readonly Connection[]
  /** Ids that were given out, those of resources that have gone among them. */
  readonly users: string[]
  readonly groups: { readonly id: string; readonly connection: Connection }[]
}

/** A request, decided when it is made up and not when it is sent. */
type Work = () => Promise<Reply>

const some = (random: Random, ids: readonly string[], most: number): { value: string }[] =>
  Array.from({ length: Math.floor(random() * (most + 1)) }, () => ({ value: named(random, ids) }))

/** Now and then by a name, of somebody who may be there, or come, or never come. */
function named(random: Random, ids: readonly string[]): string {
  if (random() < 0.7) return pick(random, ids)
  return random() < 0.5 ? pick(random, NAMES) : `ext-${Math.floor(random() * 14)}`
}

function change({ random }: World): object {
  const kind = random()
  if (kind < 0.35) return { op: 'replace', path: 'active', value: random() < 0.5 }
  if (kind < 0.5) return { op: 'replace', path: 'userName', value: pick(random, NAMES) }
  if (kind < 0.7)
    return { op: 'add', path: 'emails', value: [{ value: `${Math.floor(random() * 9)}@example.com` }] }
  if (kind < 0.85) return { op: 'replace', value: { title: pick(random, NAMES), active: random() < 0.7 } }
  return { op: 'remove', path: 'title' }
}

function memberChange({ random, users }: World): object {
  const kind = random()
  const value = some(random, users, 4)
  if (kind < 0.4) return { op: 'add', path: 'members', value }
  if (kind < 0.6) return { op: 'remove', path: `members[value eq "${named(random, users)}"]` }
  if (kind < 0.7) return { op: 'remove', path: 'members', value }
  if (kind < 0.85) return { op: 'replace', path: 'members', value }
  if (kind < 0.9) return { op: 'remove', path: 'members' }
  return { op: 'replace', path: 'displayName', value: pick(random, GROUPS) }
}

const randomUser = ({ random }: World) =>
  newUser({
    userName: pick(random, NAMES),
    externalId: `ext-${Math.floor(random() * 12)}`,
    active: random() < 0.8,
    title: pick(random, NAMES),
  })

function randomWork(world: World): Work {
  const { random, connections, users, groups } = world
  const { scim } = pick(random, connections)
  const kind = random()
  const user = pick(random, users)
  const group = pick(random, groups)
  const changes = Array.from({ length: 1 + Math.floor(random() * 3) }, () => memberChange(world))
  if (kind < 0.15) {
    const body = randomUser(world)
    return () => scim.post('/Users', body)
  }
  if (kind < 0.35) {
    const operations = [change(world), change(world)]
    return () => scim.patch(`/Users/${user}`, operations)
  }
  if (kind < 0.45) {
    const body = randomUser(world)
    return () => scim.put(`/Users/${user}`, body)
  }
  if (kind < 0.52) return () => scim.delete(`/Users/${user}`)
  if (kind < 0.6) {
    const body = newGroup({ displayName: pick(random, GROUPS), members: some(random, users, 5) })
    return () => scim.post('/Groups', body)
  }
  if (kind < 0.82) return () => group.connection.scim.patch(`/Groups/${group.id}`, changes)
  if (kind < 0.88) {
    const body = newGroup({ displayName: pick(random, GROUPS), members: some(random, users, 5) })
    return () => group.connection.scim.put(`/Groups/${group.id}`, body)
  }
  if (kind < 0.91) return () => group.connection.scim.delete(`/Groups/${group.id}`)
  const body = randomBulk(world, user, group.id)
  return () => group.connection.scim.post('/Bulk', body)
}

function randomBulk(world: World, user: string, group: string) {
  const { random } = world
  const patch = (Operations: object[]) => ({ schemas: [PATCH_OP], Operations })
  const all = [
    { method: 'POST', path: '/Users', bulkId: 'q1', data: randomUser(world) },
    {
      method: 'POST',
      path: '/Groups',
      bulkId: 'q2',
      data: newGroup({
        displayName: pick(random, GROUPS),
        members: [{ value: 'bulkId:q1' }, { value: user }],
      }),
    },
    { method: 'PATCH', path: `/Users/${user}`, data: patch([change(world)]) },
    { method: 'PATCH', path: `/Groups/${group}`, data: patch([memberChange(world)]) },
    { method: 'DELETE', path: `/Users/${user}` },
  ]
  const Operations = all.filter(({ bulkId }) => bulkId === 'q1' || random() < 0.5)
  return { schemas: [BULK], Operations, ...(random() < 0.3 && { failOnErrors: 1 }) }
}

/** Notes what a request has made, for those after it. */
function note(world: World, { status, body }: Reply, connections: readonly Connection[]): void {
  if (status !== 201) return
  const connection = connections.find(({ baseUrl }) => body.meta.location.startsWith(baseUrl))
  if (body.meta.resourceType === 'User') world.users.push(body.id)
  else if (connection) world.groups.push({ id: body.id, connection })
}

async function populated(seed: number): Promise<{ tenant: Tenant; world: World }> {
  const tenant = await newTenant()
  await admin('POST', `${tenant.at}/receivers`, { kind: 'webhook', url: 'https://receiver.example.com/a' })
  await admin('POST', `${tenant.at}/receivers`, { kind: 'webhook', url: 'https://receiver.example.com/b' })
  const connections = [tenant.connection, await tenant.connect({ idp: 'okta' })]
  const world: World = { random: seeded(seed), connections, users: [], groups: [] }
  for (const connection of connections) {
    for (let n = 0; n < 4; n++) world.users.push((await connection.scim.post('/Users', newUser())).body.id)
    for (let n = 0; n < 2; n++)
      world.groups.push({ id: (await connection.scim.post('/Groups', newGroup())).body.id, connection })
  }
  return { tenant, world }
}

const ROUNDS = 12
const AT_ONCE = 12

test.each([1, 2, 3, 4])('workload %i ends in a state that makes sense', async seed => {
  const { tenant, world } = await populated(seed)
  const answers = new Map<number, number>()
  for (let round = 0; round < ROUNDS; round++) {
    const works = Array.from({ length: AT_ONCE }, () => randomWork(world))
    const replies = await Promise.all(works.map(work => work()))
    for (const reply of replies) {
      answers.set(reply.status, (answers.get(reply.status) ?? 0) + 1)
      expect({ seed, round, status: reply.status, text: reply.text.slice(0, 300) }).toMatchObject({
        status: expect.toSatisfy((status: number) => [200, 201, 204, 400, 404, 409].includes(status)),
      })
      note(world, reply, world.connections)
    }
  }
  await settled()
  await expectConsistent(tenant, world.connections)
  // A workload that is refused throughout shows nothing.
  for (const status of [200, 201, 204, 409])
    expect([status, answers.get(status) ?? 0]).not.toEqual([status, 0])
})
