// What an identity provider was refused for leads to the section of docs/troubleshooting.md that says what to change.
import { env } from 'cloudflare:workers'
import { beforeAll, describe, expect, it } from 'vitest'
import {
  admin,
  type Connection,
  newGroup,
  newTenant,
  newUser,
  type Reply,
  type Scim,
  scimClient,
  settled,
  type Tenant,
  type Token,
  UNKNOWN_ID,
} from './world'

interface Entry {
  readonly status: number
  readonly help: string | null
  readonly connectionId: string | null
}

const PAGE = 'docs/troubleshooting.md#'
const STRANGE = 'urn:example:nobody:knows'

const newest = async ({ at }: Tenant) => {
  await settled()
  return (await admin<{ items: Entry[] }>('GET', `${at}/activity?limit=1`)).items[0]
}

const as = ({ baseUrl }: Connection, token: string) => scimClient(baseUrl, `Bearer ${token}`)

const named = async (field: object, more: object = {}) => {
  const name = `p-${crypto.randomUUID()}`
  const fields = [{ field: 'level', source: 'title', ...field }]
  await admin('PUT', `/profiles/${name}`, { name, user: { fields }, ...more })
  return newTenant({ profile: name })
}

type Refused = [section: string, status: number, send: (scim: Scim) => Promise<Reply>]

async function expectHelp(tenant: Tenant, reply: Reply, status: number, section: string) {
  expect({ status: reply.status, text: reply.text }).toMatchObject({ status })
  expect(await newest(tenant)).toMatchObject({ status, help: PAGE + section })
}

describe('an entry of the activity log links to its section', () => {
  let compat: Tenant
  let strict: Tenant
  let user: string
  let group: string
  let taken: string
  beforeAll(async () => {
    compat = await newTenant()
    strict = await newTenant({ mode: 'strict' })
    const made = await compat.user()
    user = `/Users/${made.id}`
    taken = made.userName
    group = `/Groups/${(await compat.group()).id}`
  })

  const inCompat: Refused[] = [
    ['missing-required-attribute', 400, scim => scim.post('/Users', { ...newUser(), userName: undefined })],
    ['value-too-long', 400, scim => scim.post('/Users', newUser({ title: 'x'.repeat(70_000) }))],
    ['invalid-value', 400, scim => scim.post('/Users', newUser({ active: 'perhaps' }))],
    ['already-taken', 409, scim => scim.post('/Users', newUser({ userName: taken }))],
    ['body-unreadable', 400, scim => scim.post('/Users', '{"userName": "a",}')],
    ['malformed-request', 400, scim => scim.patch(user, [])],
    ['not-json', 415, scim => scim.post('/Users', '<user/>', { 'Content-Type': 'text/xml' })],
    ['filter-not-understood', 400, scim => scim.filter('/Users', 'userName eq ada')],
    ['unknown-attribute-in-filter', 400, scim => scim.filter('/Users', 'email eq "ada@example.com"')],
    [
      'path-not-understood',
      400,
      scim => scim.patch(user, [{ op: 'replace', path: 'name given', value: 'x' }]),
    ],
    ['nothing-selected', 400, scim => scim.patch(user, [{ op: 'remove' }])],
    ['attribute-cannot-change', 400, scim => scim.patch(user, [{ op: 'replace', path: 'id', value: 'x' }])],
    ['required-attribute-removed', 400, scim => scim.patch(user, [{ op: 'remove', path: 'userName' }])],
    ['cursor-unknown', 400, scim => scim.get('/Users?cursor=nonsense')],
    ['not-found', 404, scim => scim.get(`/Users/${UNKNOWN_ID}`)],
    ['no-such-endpoint', 404, scim => scim.get('/Printers')],
    ['method-not-allowed', 405, scim => scim.delete('/Users')],
    ['changed-meanwhile', 412, scim => scim.delete(user, { 'If-Match': 'W/"999"' })],
    ['feature-off', 501, scim => scim.get('/Me')],
    ['filter-on-discovery', 403, scim => scim.get('/Schemas?filter=id%20pr')],
    [
      'too-large',
      413,
      scim =>
        scim.patch(
          user,
          Array.from({ length: 1001 }, () => ({ op: 'add', path: 'title', value: 'x' })),
        ),
    ],
  ]
  it.each(inCompat)('%s', async (section, status, send) => {
    await expectHelp(compat, await send(compat.scim), status, section)
  })

  const inStrict: Refused[] = [
    ['unknown-attribute', 400, scim => scim.post('/Users', newUser({ shoeSize: 42 }))],
    ['unknown-schema', 400, scim => scim.post('/Groups', newGroup({ schemas: [STRANGE] }))],
    ['unknown-members', 400, scim => scim.post('/Groups', newGroup({ members: [{ value: UNKNOWN_ID }] }))],
  ]
  it.each(inStrict)('in strict mode, %s', async (section, status, send) => {
    await expectHelp(strict, await send(strict.scim), status, section)
  })

  const ofProfiles: [string, object, string | undefined][] = [
    ['missing-required-attribute', { required: true }, undefined],
    ['value-not-allowed', { values: ['A', 'B'] }, 'C'],
    ['value-too-long', { maxLength: 3 }, 'long'],
    ['invalid-value', { type: 'number' }, 'many'],
  ]
  it.each(ofProfiles)('of a rule of the profile: %s', async (section, field, title) => {
    const tenant = await named(field)
    await expectHelp(tenant, await tenant.scim.post('/Users', newUser({ title })), 400, section)
  })

  it('of what the profile turns off: feature-off', async () => {
    const tenant = await named({}, { features: { bulk: false, sort: false, etag: true, cursor: true } })
    await expectHelp(tenant, await tenant.scim.get('/Users?sortBy=userName'), 501, 'feature-off')
    await expectHelp(tenant, await tenant.scim.post('/Bulk', {}), 501, 'feature-off')
  })

  it('of a closed connection or tenant: connection-disabled, tenant-suspended', async () => {
    const tenant = await newTenant()
    const { id } = tenant.connection
    await admin('PATCH', `${tenant.at}/connections/${id}`, { status: 'disabled' })
    await expectHelp(tenant, await tenant.scim.get('/Users'), 403, 'connection-disabled')
    await tenant.setStatus('suspended')
    await expectHelp(tenant, await tenant.scim.get('/Users'), 403, 'tenant-suspended')
  })

  it('of credentials: unknown, revoked, expired, and of another tenant', async () => {
    const tenant = await newTenant()
    const { connection } = tenant
    await expectHelp(tenant, await as(connection, 'nonsense').get('/Users'), 401, 'credential-unknown')
    const next = await admin<Token>('POST', `${tenant.at}/connections/${connection.id}/tokens`, {})
    await expectHelp(tenant, await tenant.scim.get('/Users'), 401, 'credential-ended')
    await env.DB.prepare('UPDATE tokens SET expires_at = 1 WHERE tenant_id IS NOT NULL AND id = ?')
      .bind(next.id)
      .run()
    await expectHelp(tenant, await as(connection, next.value).get('/Users'), 401, 'credential-ended')
    const foreign = as(connection, compat.connection.token.value)
    await expectHelp(tenant, await foreign.get('/Users'), 401, 'credential-elsewhere')
    expect(await newest(tenant)).toMatchObject({ connectionId: null })
  })

  it('and one that was accepted has none', async () => {
    await compat.scim.get(group)
    expect(await newest(compat)).toMatchObject({ status: 200, help: null })
    await compat.user()
    expect(await newest(compat)).toMatchObject({ status: 201, help: null })
  })
})
