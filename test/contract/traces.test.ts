// Every request that Entra, Okta and Ping document, replayed against the service (test/clients, as the vendors'
// pages have them).
import { describe, expect, it } from 'vitest'
import entra from '../clients/entra/documented-requests.json'
import okta from '../clients/okta/documented-requests.json'
import ping from '../clients/ping/documented-requests.json'
import { encodePath, fillIn } from './placeholders'
import { type Body, ENTERPRISE, newTenant, type Reply, readReply, type Tenant, withBindings } from './world'

interface Entry {
  readonly idp: string
  readonly name: string
  readonly setup?: { readonly members?: readonly string[] }
  readonly request: {
    readonly method: string
    readonly path: string
    readonly headers: Readonly<Record<string, string>>
    readonly body: unknown
  }
  readonly expect: {
    readonly status: number | readonly number[]
    readonly response_js?: string
    readonly after?: readonly { readonly get: string; readonly status?: number; readonly js?: string }[]
  }
}

type Check = (reply: Reply, fixtures: Fixtures) => unknown

/** Where the vendors leave more than one status, what `compat` answers. */
const compat: Readonly<Record<string, Check>> = {
  'Create user (doc example 2: explicit nulls, top-level department/manager, misspelt schema URN)': reply => {
    expect(reply.status).toBe(201)
    expect(reply.body).not.toHaveProperty(ENTERPRISE)
    expect(reply.text).not.toContain('2.0User')
    expect(reply.text).not.toContain('null')
  },
  "Query user by externalId, value NOT quoted (as in Microsoft's worked example)": reply => {
    expect(reply).toMatchObject({ status: 400, body: { scimType: 'invalidFilter' } })
  },
  'Add manager with array of {$ref,value}, unqualified path': (reply, { memberId }) => {
    expect(reply).toMatchObject({ status: 200, body: { [ENTERPRISE]: { manager: { value: memberId } } } })
  },
  "User match filter on unknown attribute 'email' (literal doc example)": reply => {
    expect(reply).toMatchObject({ status: 400, body: { scimType: 'invalidFilter' } })
  },
}

type Fixtures = Awaited<ReturnType<typeof makeFixtures>>

/** Fresh for each entry: U and M, and G with M as its only member. */
async function makeFixtures(tenant: Tenant, members: readonly string[] | undefined) {
  const person = async (given: string) => {
    const unique = crypto.randomUUID().slice(0, 6)
    const address = `user.${given}.${unique}@Example.com`
    return tenant.user({
      userName: address,
      emails: [{ value: address, type: 'work', primary: true }],
      externalId: `Ext-${unique}`,
      displayName: `${given} Example`,
      nickName: given,
      title: 'Engineer',
      preferredLanguage: 'en-US',
      name: { formatted: `${given} Example`, givenName: given, familyName: 'Example' },
      [ENTERPRISE]: { employeeNumber: '701984', department: 'R&D' },
    })
  }
  const [user, member] = [await person('Ursula'), await person('Max')]
  const ids: Record<string, string> = { '{{memberId}}': member.id, '{{userId}}': user.id }
  const group = await tenant.group({
    displayName: `Group ${crypto.randomUUID().slice(0, 6)}`,
    externalId: crypto.randomUUID(),
    members: (members ?? ['{{memberId}}']).map(name => ({ value: ids[name] })),
  })
  return {
    token: tenant.connection.token.value,
    userId: user.id,
    userName: user.userName,
    userEmail: user.userName,
    userExternalIdBare: user.externalId,
    memberId: member.id,
    groupId: group.id,
    groupName: group.displayName,
    new: crypto.randomUUID().slice(0, 8),
    guid: crypto.randomUUID(),
  }
}

/** The entries' own condition on a reply. The test pool gives workerd the Function constructor for it. */
function holds(expression: string, reply: Body): boolean {
  return new Function('r', `return ${expression}`)(reply) === true
}

async function send(tenant: Tenant, request: Partial<Entry['request']> & { path: string }): Promise<Reply> {
  const { method = 'GET', path, headers, body = null } = request
  const init: RequestInit = {
    method,
    headers: headers ?? { Authorization: `Bearer ${tenant.connection.token.value}` },
  }
  if (body !== null) init.body = JSON.stringify(body)
  return readReply(await fetchWorker(new Request(tenant.connection.baseUrl + encodePath(path), init)))
}

const fetchWorker = withBindings({})

const clients = { entra, okta, ping } as unknown as Readonly<Record<string, readonly Entry[]>>

describe.each(Object.entries(clients))('%s', (_, entries) => {
  it.each(entries.map(entry => [`${entry.idp}: ${entry.name}`, entry] as const))('%s', async (__, given) => {
    const tenant = await newTenant()
    const fixtures = await makeFixtures(tenant, given.setup?.members)
    const entry = fillIn(given, fixtures)
    const reply = await send(tenant, entry.request)
    const wanted = [entry.expect.status].flat()
    expect({ status: reply.status, text: reply.text.slice(0, 500) }).toMatchObject({
      status: expect.toSatisfy((status: number) => wanted.includes(status)),
    })
    const { response_js: condition, after = [] } = entry.expect
    if (condition !== undefined && reply.text !== '')
      expect(holds(condition, reply.body), `${condition}\n${reply.text}`).toBe(true)
    if (reply.status < 300)
      for (const { get, status = 200, js } of after) {
        const later = await send(tenant, { path: get })
        expect(later.status).toBe(status)
        if (js !== undefined) expect(holds(js, later.body), `${js}\n${later.text}`).toBe(true)
      }
    if (entry.request.method === 'PATCH')
      expect(reply.status).toBe(entry.request.path.startsWith('/Groups') ? 204 : 200)
    compat[given.name]?.(reply, fixtures)
  })
})

it('the choices of compat are about entries that exist', () => {
  const names = Object.values(clients).flatMap(entries => entries.map(({ name }) => name))
  expect(names).toEqual(expect.arrayContaining(Object.keys(compat)))
  expect(names).toHaveLength(33 + 16 + 6)
})
