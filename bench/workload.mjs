// The tenant that is measured, and the requests of each row of the table.
import { randomUUID } from 'node:crypto'
import { clientOf, forEach, send } from './load.mjs'

const USER = 'urn:ietf:params:scim:schemas:core:2.0:User'
const ENTERPRISE = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'
const GROUP = 'urn:ietf:params:scim:schemas:core:2.0:Group'
const PATCH_OP = 'urn:ietf:params:scim:api:messages:2.0:PatchOp'
const MEMBERS_A_REQUEST = 1000

/** Makes an empty tenant with one connection. */
export async function newTenant({ origin, adminToken }) {
  const admin = async (path, body) => {
    const reply = await fetch(`${origin}/admin/v1${path}`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${adminToken}`, 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    })
    if (!reply.ok) throw new Error(`POST ${path} → ${reply.status} ${await reply.text()}`)
    return reply.json()
  }
  await admin('/tenants', { slug: 'bench', name: 'Benchmark' })
  const connection = await admin('/tenants/bench/connections', { name: 'Load', idp: 'generic' })
  return { base: `${origin}/t/bench/scim/v2`, token: connection.token.value }
}

/** A user as identity providers make them, of about a kilobyte. */
export function newUser() {
  const name = `user.${randomUUID()}`
  return {
    schemas: [USER, ENTERPRISE],
    userName: `${name}@bench.example`,
    externalId: randomUUID(),
    active: true,
    displayName: 'Ada Okafor',
    name: { formatted: 'Ada Okafor', givenName: 'Ada', familyName: 'Okafor' },
    title: 'Engineer',
    preferredLanguage: 'en-GB',
    emails: [{ type: 'work', primary: true, value: `${name}@bench.example` }],
    phoneNumbers: [{ type: 'work', value: '+44 20 7946 0000' }],
    addresses: [{ type: 'work', locality: 'London', postalCode: 'EC1A 1BB', country: 'GB' }],
    [ENTERPRISE]: { employeeNumber: '4711', department: 'Finance', costCenter: '4130' },
  }
}

/** Fills the tenant: users, and a group of the first `groupSize` of them. */
export async function fill({ base, token }, { users: count, groupSize, concurrency }) {
  const agent = clientOf(concurrency)
  const call = caller({ base, token })
  const answered = async request => {
    const reply = await send(agent, request)
    if (reply.status >= 300)
      throw new Error(`${request.method} ${request.url} → ${reply.status} ${reply.text}`)
    return reply.text && JSON.parse(reply.text)
  }
  const users = []
  await forEach(Array.from({ length: count }, newUser), concurrency, async user => {
    const { id, userName, externalId } = await answered(call('POST', '/Users', user))
    users.push({ id, userName, externalId, active: true })
  })
  const group = await answered(call('POST', '/Groups', { schemas: [GROUP], displayName: 'Everybody' }))
  for (let from = 0; from < groupSize; from += MEMBERS_A_REQUEST) {
    const some = users.slice(from, Math.min(from + MEMBERS_A_REQUEST, groupSize))
    await answered(call('PATCH', `/Groups/${group.id}`, addMembers(some)))
  }
  agent.destroy()
  return { users, groupId: group.id, groupSize, outside: users.slice(groupSize) }
}

/**
 * The rows: `next()` gives a request, or undefined when there is nothing left to do; `after()` undoes what would
 * make the next run do nothing.
 */
export function rows(tenant, { users, groupId, groupSize, outside }) {
  const call = caller(tenant)
  const anyone = () => users[Math.floor(Math.random() * users.length)]
  const filter = text => `/Users?filter=${encodeURIComponent(text)}`
  let patched = 0
  let added = 0
  const read = (name, path) => ({ name, kind: 'read', next: () => call('GET', path()) })
  return [
    read('GET a user by id', () => `/Users/${anyone().id}`),
    read('filter userName eq', () => filter(`userName eq "${anyone().userName}"`)),
    read('filter externalId eq', () => filter(`externalId eq "${anyone().externalId}"`)),
    read(
      'list a page of 100',
      () => `/Users?startIndex=${1 + Math.floor(Math.random() * (users.length - 100))}&count=100`,
    ),
    { name: 'POST a user', kind: 'write', next: () => call('POST', '/Users', newUser()) },
    {
      name: 'PATCH active',
      kind: 'write',
      next() {
        const user = users[patched++ % users.length]
        user.active = !user.active
        return call(
          'PATCH',
          `/Users/${user.id}`,
          patchOp({ op: 'replace', path: 'active', value: user.active }),
        )
      },
    },
    {
      name: `PATCH 1 member into a group of ${groupSize.toLocaleString('en')}`,
      kind: 'write',
      next: () =>
        added < outside.length
          ? call('PATCH', `/Groups/${groupId}`, addMembers([outside[added++]]))
          : undefined,
      after() {
        const back = outside.slice(0, added)
        added = 0
        return back.map(user =>
          call('PATCH', `/Groups/${groupId}`, patchOp({ op: 'remove', path: memberPath(user) })),
        )
      },
    },
  ]
}

function caller({ base, token }) {
  const headers = { Authorization: `Bearer ${token}`, Accept: 'application/scim+json' }
  const withBody = { ...headers, 'Content-Type': 'application/scim+json; charset=utf-8' }
  return (method, path, body) => ({
    method,
    url: base + path,
    headers: body ? withBody : headers,
    body: body && JSON.stringify(body),
  })
}

const patchOp = (...Operations) => ({ schemas: [PATCH_OP], Operations })
const addMembers = users =>
  patchOp({ op: 'add', path: 'members', value: users.map(({ id }) => ({ value: id })) })
const memberPath = ({ id }) => `members[value eq "${id}"]`
