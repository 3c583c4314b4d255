// Setup links over HTTP: what the operator's calls give and refuse, and what the page does for an IT admin who has
// nothing but its URL — what it consumes, what it shows, to whom, and what it costs.
import { createScheduledController } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { describe, expect, it } from 'vitest'
import { continueJob } from '../../src/administration/jobs'
import { serviceOf } from '../../src/env'
import worker from '../../src/index'
import { identityProviderNames, identityProviders } from '../../src/mapping/identity-providers'
import { rows } from '../storage/world'
import { call, watched } from './calls'
import {
  ADMIN_TOKEN,
  admin,
  type Fetch,
  newTenant,
  newUser,
  ORIGIN,
  scimClient,
  settled,
  type Tenant,
  UNKNOWN_ID,
  withBindings,
} from './world'

interface Link {
  readonly id: string
  readonly url: string
  readonly expiresAt: string
}

interface LinkItem {
  readonly id: string
  readonly connectionId: string | null
  readonly expiresAt: string
  readonly usedAt: string | null
  readonly createdAt: string
}

interface Page {
  readonly status: number
  readonly headers: Headers
  readonly text: string
}

const HOUR_MS = 3_600_000
const plain = withBindings({})
const FORM = 'application/x-www-form-urlencoded'

const newLink = ({ at }: Pick<Tenant, 'at'>, body: object = {}) =>
  admin<Link>('POST', `${at}/setup-links`, body)
const links = async ({ at }: Pick<Tenant, 'at'>) =>
  (await admin<{ items: LinkItem[] }>('GET', `${at}/setup-links`)).items

/** A tenant that nothing is connected to yet. */
async function bareTenant(name = 'Acme', profile = 'standard') {
  const slug = `t-${crypto.randomUUID()}`
  await admin('POST', '/tenants', { slug, name, profile })
  return { slug, at: `/tenants/${slug}`, baseUrl: `${ORIGIN}/t/${slug}/scim/v2` }
}

async function open(url: string, init: RequestInit = {}, fetch: Fetch = plain): Promise<Page> {
  const response = await fetch(new Request(url, init))
  return { status: response.status, headers: response.headers, text: await response.text() }
}

/** The page's button, as a browser sends it. */
function press(url: string, idp?: string, fetch: Fetch = plain, headers: Record<string, string> = {}) {
  const body = idp === undefined ? '' : `idp=${idp}`
  const sent = { 'content-type': FORM, origin: 'null', 'sec-fetch-site': 'same-origin', ...headers }
  return open(url, { method: 'POST', headers: sent, body }, fetch)
}

const tokensIn = ({ text }: Page) => text.match(/escim_[\w-]+/g) ?? []

/** The one token that the page shows. */
function tokenOn(page: Page): string {
  expect({ status: page.status, tokens: tokensIn(page).length }).toEqual({ status: 200, tokens: 1 })
  return tokensIn(page)[0] ?? ''
}

/** What a reader sees of a page. */
const seen = ({ text }: Page) =>
  text
    .replace(/<head>.*<\/head>/s, '')
    .replace(/<[^>]*>/g, ' ')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&')
    .replace(/\s+/g, ' ')

/** Everything of the tenant that a page could change, to be compared with what it is afterwards. */
async function stateOf({ slug, at }: Pick<Tenant, 'slug' | 'at'>) {
  const ofTenant = 'tenant_id = (SELECT tenant_id FROM tenant_directory WHERE slug = ?)'
  return {
    links: await links({ at }),
    connections: await rows(`SELECT * FROM connections WHERE ${ofTenant} ORDER BY id`, slug),
    tokens: await rows(`SELECT * FROM tokens WHERE ${ofTenant} ORDER BY id`, slug),
  }
}

async function expectUnchanged(tenant: Pick<Tenant, 'slug' | 'at'>, work: () => Promise<unknown>) {
  const before = await stateOf(tenant)
  await work()
  expect(await stateOf(tenant)).toEqual(before)
}

describe('the operator', () => {
  it('makes a link for 72 hours, or for a given time, a fraction of an hour included', async () => {
    const tenant = await bareTenant()
    for (const [expiresInHours, hours] of [
      [undefined, 72],
      [1.5, 1.5],
      [0.01, 0.01],
      [720, 720],
    ] as const) {
      const before = Date.now()
      const link = await newLink(tenant, { expiresInHours })
      const lasts = Date.parse(link.expiresAt) - before
      expect(lasts).toBeGreaterThanOrEqual(hours * HOUR_MS)
      expect(lasts).toBeLessThan(hours * HOUR_MS + 60_000)
      expect(Object.keys(link).sort()).toEqual(['expiresAt', 'id', 'url'])
      expect(link.url).toMatch(/^https:\/\/scim\.example\.com\/setup\/eslink_[\w-]{96}$/)
    }
  })

  it('is answered 201 for a new link and for a renewed one', async () => {
    const { at } = await bareTenant()
    const made = await call('POST', `${at}/setup-links`, {})
    expect(made.status).toBe(201)
    expect((await call('POST', `${at}/setup-links/${made.body.id}/renew`)).status).toBe(201)
  })

  it.each<[string, object, string]>([
    ['no time at all', { expiresInHours: 0 }, 'expiresInHours'],
    ['less than that', { expiresInHours: -1 }, 'expiresInHours'],
    ['more than 30 days', { expiresInHours: 720.1 }, 'expiresInHours'],
    ['text for a time', { expiresInHours: '72' }, 'expiresInHours'],
    ['null for a time', { expiresInHours: null }, 'expiresInHours'],
    ['a connection that there is not', { connectionId: UNKNOWN_ID }, 'connectionId'],
    ['a connection that is no id', { connectionId: '' }, 'connectionId'],
    ['a field that there is not', { expires: 1 }, 'expires'],
  ])('gets 422 for %s, and nothing is made', async (_, body, path) => {
    const tenant = await bareTenant()
    const refused = await call('POST', `${tenant.at}/setup-links`, body)
    expect(refused).toMatchObject({ status: 422, body: { errors: [{ path }] } })
    expect(await links(tenant)).toEqual([])
  })

  it('gets the same answer for a connection of another tenant as for an unknown one', async () => {
    const [tenant, other] = [await bareTenant(), await newTenant()]
    const unknown = await call('POST', `${tenant.at}/setup-links`, { connectionId: UNKNOWN_ID })
    const foreign = await call('POST', `${tenant.at}/setup-links`, { connectionId: other.connection.id })
    expect([foreign.status, foreign.body]).toEqual([unknown.status, unknown.body])
  })

  it('lists links with what became of them, and never their URL', async () => {
    const tenant = await newTenant({ idp: 'okta' })
    const used = await newLink(tenant, { connectionId: tenant.connection.id })
    const unused = await newLink(tenant)
    await press(used.url)
    const listed = await links(tenant)
    expect(listed).toEqual([
      {
        id: used.id,
        connectionId: tenant.connection.id,
        expiresAt: used.expiresAt,
        usedAt: expect.stringMatching(/Z$/),
        createdAt: expect.stringMatching(/Z$/),
      },
      {
        id: unused.id,
        connectionId: null,
        expiresAt: unused.expiresAt,
        usedAt: null,
        createdAt: expect.stringMatching(/Z$/),
      },
    ])
    expect(JSON.stringify(listed)).not.toContain('eslink_')
    const [row] = await rows('SELECT * FROM setup_links WHERE id = ?', used.id)
    const secret = used.url.split('eslink_')[1] ?? ''
    expect(JSON.stringify(row)).not.toContain(secret.slice(-40))
    expect(row?.hash).toMatch(/^[0-9a-f]{64}$/)
  })

  it('goes through many links page by page', async () => {
    const tenant = await bareTenant()
    for (let i = 0; i < 3; i++) await newLink(tenant)
    const first = await call('GET', `${tenant.at}/setup-links?limit=2`)
    const cursor = encodeURIComponent(first.body.nextCursor)
    const second = await call('GET', `${tenant.at}/setup-links?limit=2&cursor=${cursor}`)
    const ids = [...first.body.items, ...second.body.items].map(({ id }) => id)
    expect(ids).toEqual((await links(tenant)).map(({ id }) => id))
    expect((await call('GET', `${tenant.at}/setup-links?cursor=x`)).status).toBe(400)
  })

  it('gets 404 for a link that there is not, or that is another tenant’s, and nothing happens to it', async () => {
    const [tenant, other] = [await bareTenant(), await bareTenant()]
    const { id, url } = await newLink(other)
    for (const unknown of [id, UNKNOWN_ID, 'x', '%F0%9F%98%80'])
      for (const [method, path] of [
        ['DELETE', ''],
        ['POST', '/renew'],
      ] as const)
        expect((await call(method, `${tenant.at}/setup-links/${unknown}${path}`)).status).toBe(404)
    expect((await open(url)).status).toBe(200)
  })

  it('adds no link to a tenant that is being deleted', async () => {
    const tenant = await newTenant()
    await tenant.user()
    const hook = { kind: 'webhook', url: 'https://receiver.example.com/hook' }
    const receiver = await admin('POST', `${tenant.at}/receivers`, hook)
    await admin('PATCH', `${tenant.at}/receivers/${receiver.id}`, { status: 'paused' })
    const { url } = await newLink(tenant)
    await admin('DELETE', `${tenant.at}?deactivateUsers=true`)
    expect((await call('POST', `${tenant.at}/setup-links`, {})).status).toBe(409)
    expect((await press(url, 'okta')).status).toBe(403)
  })

  it('finds the calls in openapi.json', async () => {
    const { body } = await call('GET', '/openapi.json')
    expect(Object.keys(body.paths)).toEqual(
      expect.arrayContaining(['/tenants/{slug}/setup-links', '/tenants/{slug}/setup-links/{id}/renew']),
    )
  })
})

describe('GET and HEAD consume nothing', () => {
  it.each(['GET', 'HEAD'])('%s, as a chat preview sends it, however often', async method => {
    const tenant = await bareTenant()
    const { url } = await newLink(tenant)
    await expectUnchanged(tenant, async () => {
      for (const headers of [{}, { 'user-agent': 'Slackbot-LinkExpanding 1.0' }, { purpose: 'prefetch' }]) {
        const page = await open(url, { method, headers })
        expect(page.status).toBe(200)
        expect(page.text === '').toBe(method === 'HEAD')
      }
    })
    tokenOn(await press(url, 'okta'))
  })

  it('with a connection as well', async () => {
    const tenant = await newTenant()
    const { url } = await newLink(tenant, { connectionId: tenant.connection.id })
    await expectUnchanged(tenant, () => open(`${url}?watch`))
    expect((await tenant.scim.get('/Users')).status).toBe(200)
  })

  it('other methods are 405', async () => {
    const tenant = await bareTenant()
    const { url } = await newLink(tenant)
    for (const method of ['PUT', 'DELETE', 'PATCH', 'OPTIONS']) {
      const page = await open(url, { method })
      expect([page.status, page.headers.get('allow')]).toEqual([405, 'GET, HEAD, POST'])
    }
  })
})

describe('a form button (POST) makes the token', () => {
  it('of the connection that is chosen, and shows it once together with the base URL', async () => {
    const tenant = await bareTenant('Acme', 'cafex')
    const { id, url } = await newLink(tenant)
    const choice = await open(url)
    for (const idp of identityProviders) {
      expect(choice.text).toContain(`value="${idp}"`)
      // A card: its picture, which no screen reader reads, its name, and the one thing to choose.
      const name = identityProviderNames[idp]
      const card = `<label><svg viewBox="0 0 40 40" aria-hidden="true"[^>]*>((?!</?label).)+</svg><input [^>]*aria-labelledby="${idp}-name"[^>]*><span><span id="${idp}-name">${name}</span>`
      expect(choice.text).toMatch(new RegExp(card))
    }
    const page = await press(url, 'jumpcloud')
    const token = tokenOn(page)
    expect(seen(page)).toContain(`Base URL ${tenant.baseUrl} `)
    const { items } = await admin<{ items: object[] }>('GET', `${tenant.at}/connections`)
    expect(items).toMatchObject([
      { name: 'JumpCloud', idp: 'jumpcloud', mode: 'compat', status: 'active', baseUrl: tenant.baseUrl },
    ])
    const scim = scimClient(tenant.baseUrl, `Bearer ${token}`)
    expect((await scim.get('/Users')).status).toBe(200)
    expect(await links(tenant)).toMatchObject([{ id, connectionId: expect.any(String) }])
  })

  it('the link then shows progress and never the token again', async () => {
    const tenant = await bareTenant()
    const { url } = await newLink(tenant)
    const token = tokenOn(await press(url, 'entra'))
    for (const again of [await open(url), await open(`${url}?watch`)]) {
      expect(again.status).toBe(200)
      expect(tokensIn(again)).toEqual([])
      expect(seen(again)).toMatch(/Waiting: Connection test seen/)
      expect(seen(again)).toContain(`Ends in ${token.slice(-4)}`)
    }
  })

  it('and cannot make another until the operator renews it, which the page says', async () => {
    const tenant = await bareTenant()
    const link = await newLink(tenant)
    const first = tokenOn(await press(link.url, 'okta'))
    await expectUnchanged(tenant, async () => {
      const again = await press(link.url, 'entra')
      expect([again.status, tokensIn(again)]).toEqual([409, []])
      expect(seen(again)).toMatch(/ask the operator of the service to renew the link/)
    })
    const renewed = await admin<Link>('POST', `${tenant.at}/setup-links/${link.id}/renew`, {
      expiresInHours: 1,
    })
    expect(renewed.id).toBe(link.id)
    expect(renewed.url).not.toBe(link.url)
    expect(Date.parse(renewed.expiresAt) - Date.now()).toBeLessThanOrEqual(HOUR_MS)
    expect((await open(link.url)).status).toBe(410)
    expect((await press(link.url, 'okta')).status).toBe(410)
    expect(await links(tenant)).toMatchObject([{ usedAt: null }])
    const second = tokenOn(await press(renewed.url))
    expect(second).not.toBe(first)
    const { items } = await admin<{ items: object[] }>('GET', `${tenant.at}/connections`)
    expect(items).toMatchObject([{ idp: 'okta' }])
  })

  it('two at once make one token, and one connection', async () => {
    const tenant = await bareTenant()
    const { url } = await newLink(tenant)
    const pages = await Promise.all(identityProviders.map(idp => press(url, idp)))
    expect(pages.map(({ status }) => status).sort()).toEqual([200, ...Array(7).fill(409)])
    expect(pages.flatMap(tokensIn)).toHaveLength(1)
    const { connections, tokens } = await stateOf(tenant)
    expect([connections.length, tokens.length]).toEqual([1, 1])
  })

  it('two at once for a connection make one as well', async () => {
    const tenant = await newTenant()
    const { url } = await newLink(tenant, { connectionId: tenant.connection.id })
    const pages = await Promise.all([press(url), press(url), press(url)])
    expect(pages.map(({ status }) => status).sort()).toEqual([200, 409, 409])
    expect((await stateOf(tenant)).tokens).toHaveLength(2)
  })

  it('between its look and its write the link may be taken: what it finds then is answered', async () => {
    const tenant = await bareTenant()
    const link = await newLink(tenant)
    const races: [string, () => Promise<unknown>, number][] = [
      ['suspended', () => admin('PATCH', tenant.at, { status: 'suspended' }), 403],
      ['resumed, and used', () => press(link.url, 'okta'), 409],
      ['deleted', () => admin('DELETE', `${tenant.at}/setup-links/${link.id}`), 410],
    ]
    for (const [name, meanwhile, status] of races) {
      if (status === 409) await admin('PATCH', tenant.at, { status: 'active' })
      const { fetch } = watched(batch => (batch === 2 ? meanwhile() : undefined))
      if (name === 'deleted') await admin('POST', `${tenant.at}/setup-links/${link.id}/renew`)
      const page = await press(link.url, 'entra', fetch)
      expect([name, page.status, tokensIn(page)]).toEqual([name, status, []])
    }
  })

  it('with a token already: the older one lives until the new one is first used', async () => {
    const tenant = await newTenant({ idp: 'okta' })
    const { url } = await newLink(tenant, { connectionId: tenant.connection.id })
    expect(seen(await open(url))).toMatch(/goes on working until the new one is first used, or for a day/)
    const token = tokenOn(await press(url))
    expect((await tenant.scim.get('/Users')).status).toBe(200)
    const { items } = await admin<{ items: { expiresAt: string | null }[] }>(
      'GET',
      `${tenant.at}/connections/${tenant.connection.id}/tokens`,
    )
    const left = Date.parse(items[0]?.expiresAt ?? '') - Date.now()
    expect(left).toBeGreaterThan(23 * HOUR_MS)
    expect(left).toBeLessThanOrEqual(24 * HOUR_MS)
    expect((await scimClient(tenant.connection.baseUrl, `Bearer ${token}`).get('/Users')).status).toBe(200)
    expect((await tenant.scim.get('/Users')).status).toBe(401)
  })

  it.each([
    ['no choice', ''],
    ['an unknown one', 'idp=nobody'],
    ['two of them', 'idp=okta&idp=entra'],
    ['something hostile', `idp=${encodeURIComponent('"><script>alert(1)</script>')}`],
  ])('%s is 422 at the field, and consumes nothing', async (_, body) => {
    const tenant = await bareTenant()
    const { url } = await newLink(tenant)
    await expectUnchanged(tenant, async () => {
      const page = await open(url, { method: 'POST', headers: { 'content-type': FORM }, body })
      expect(page.status).toBe(422)
      expect(page.text).toMatch(/<p class="problem" id="problem" role="alert">/)
      expect(page.text).not.toContain('<script>')
    })
  })

  it('a form with files, or nothing where nothing is to be chosen, is a form as well', async () => {
    const form = new FormData()
    form.set('idp', 'google')
    const { url } = await newLink(await bareTenant())
    tokenOn(await open(url, { method: 'POST', body: form }))
    const tenant = await newTenant()
    const link = await newLink(tenant, { connectionId: tenant.connection.id })
    tokenOn(await open(link.url, { method: 'POST' }))
  })

  it.each<[string, RequestInit, number]>([
    ['JSON', { headers: { 'content-type': 'application/json' }, body: '{"idp":"okta"}' }, 415],
    ['text', { body: 'idp=okta' }, 415],
    ['a broken form', { headers: { 'content-type': 'multipart/form-data' }, body: 'idp=okta' }, 415],
    ['too much', { headers: { 'content-type': FORM }, body: `idp=okta&x=${'x'.repeat(20_000)}` }, 415],
    [
      'another site',
      { headers: { 'content-type': FORM, 'sec-fetch-site': 'cross-site' }, body: 'idp=okta' },
      403,
    ],
    [
      'a sister site',
      { headers: { 'content-type': FORM, 'sec-fetch-site': 'same-site' }, body: 'idp=okta' },
      403,
    ],
    [
      'another origin',
      { headers: { 'content-type': FORM, origin: 'https://a.example' }, body: 'idp=okta' },
      403,
    ],
  ])('what comes as or from %s is refused, and consumes nothing', async (_, init, status) => {
    const tenant = await bareTenant()
    const { url } = await newLink(tenant)
    await expectUnchanged(tenant, async () => {
      const page = await open(url, { method: 'POST', ...init })
      expect([page.status, tokensIn(page)]).toEqual([status, []])
    })
  })
})

describe('Expired or deleted: 410 with a page that says whom to ask', () => {
  it('all alike: expired, deleted, replaced, forged, of another form, and unknown', async () => {
    const tenant = await newTenant()
    const deleted = await newLink(tenant)
    await admin('DELETE', `${tenant.at}/setup-links/${deleted.id}`)
    const expired = await newLink(tenant, { expiresInHours: 1e-9 })
    await rows('UPDATE setup_links SET expires_at = ? WHERE id = ?', Date.now() - 1, expired.id)
    const replaced = await newLink(tenant)
    await admin('POST', `${tenant.at}/setup-links/${replaced.id}/renew`)
    const { url } = await newLink(tenant)
    const forged = url.slice(0, -1) + (url.endsWith('A') ? 'B' : 'A')
    const ofAnotherForm = `${ORIGIN}/setup/${tenant.connection.token.value}`
    const unknown = `${ORIGIN}/setup/eslink_x`
    const all = [deleted.url, expired.url, replaced.url, forged, ofAnotherForm, unknown, `${url}/x`]
    const pages = await Promise.all(all.flatMap(at => [open(at), press(at, 'okta')]))
    for (const page of pages) {
      expect(page.status).toBe(410)
      expect(page.text).toBe(pages[0]?.text)
      expect([...page.headers]).toEqual([...(pages[0]?.headers ?? [])])
    }
    expect(pages[0]?.text).toMatch(/the operator of the service can send another/)
    expect((await stateOf(tenant)).connections).toHaveLength(1)
  })

  it('a forged one is refused without a look at D1', async () => {
    const { url } = await newLink(await bareTenant())
    const { seen: cost, fetch } = watched()
    expect((await open(`${url.slice(0, -2)}AA`, {}, fetch)).status).toBe(410)
    expect(cost.calls).toBe(0)
  })

  it('a link of a connection that was deleted goes with it', async () => {
    const tenant = await newTenant()
    const link = await newLink(tenant, { connectionId: tenant.connection.id })
    const other = await newLink(tenant)
    await admin('DELETE', `${tenant.at}/connections/${tenant.connection.id}`)
    expect((await open(link.url)).status).toBe(410)
    expect((await press(link.url)).status).toBe(410)
    expect((await links(tenant)).map(({ id }) => id)).toEqual([other.id])
  })

  it('and so do all of a tenant that is gone', async () => {
    const tenant = await bareTenant()
    const { url } = await newLink(tenant)
    const { id } = await admin('DELETE', tenant.at)
    const [job] = await rows('SELECT id FROM jobs WHERE tenant_id = ?', id)
    if (job) await continueJob(await serviceOf(env), { tenantId: id, jobId: String(job.id) })
    await worker.scheduled(createScheduledController(), env)
    expect((await open(url)).status).toBe(410)
    expect(await rows('SELECT * FROM setup_links WHERE tenant_id = ?', id)).toEqual([])
  })

  it('counts as a failed credential of its address: 429 beyond the limit, good links are never slowed', async () => {
    const tenant = await bareTenant()
    const link = await newLink(tenant)
    const left = new Map<string, number>()
    const limit = async ({ key }: { key: string }) => {
      left.set(key, (left.get(key) ?? 2) - 1)
      return { success: (left.get(key) ?? 0) >= 0 }
    }
    const fetch = withBindings({ FAILED_CREDENTIAL_LIMIT: { limit } as RateLimit })
    const headers = { 'cf-connecting-ip': '192.0.2.7' }
    const tries = []
    for (let i = 0; i < 3; i++) tries.push(await open(`${ORIGIN}/setup/eslink_x`, { headers }, fetch))
    expect(tries.map(({ status }) => status)).toEqual([410, 410, 429])
    expect(tries[2]?.headers.get('retry-after')).toMatch(/^\d+$/)
    expect(tries[2]?.headers.get('content-type')).toContain('text/html')
    expect((await open(link.url, { headers }, fetch)).status).toBe(200)
    expect([...left.keys()]).toEqual(['192.0.2.7'])
  })

  it.each(['suspended tenant', 'disabled connection'])('a %s is a page that says so', async what => {
    const tenant = await newTenant()
    const { url } = await newLink(tenant, { connectionId: tenant.connection.id })
    const at = what === 'suspended tenant' ? tenant.at : `${tenant.at}/connections/${tenant.connection.id}`
    await admin('PATCH', at, { status: what === 'suspended tenant' ? 'suspended' : 'disabled' })
    await expectUnchanged(tenant, async () => {
      for (const page of [await open(url), await press(url)]) {
        expect(page.status).toBe(403)
        expect(seen(page)).toContain('Provisioning is paused')
      }
    })
    await admin('PATCH', at, { status: 'active' })
    tokenOn(await press(url))
  })
})

describe('the page gives nothing away', () => {
  it('by its headers, whatever it says', async () => {
    const tenant = await bareTenant()
    const { url } = await newLink(tenant)
    const pages = [
      await open(url),
      await open(url, { method: 'HEAD' }),
      await press(url, 'nobody'),
      await press(url, 'okta', plain, { 'sec-fetch-site': 'cross-site' }),
      await press(url, 'okta'),
      await press(url, 'okta'),
      await open(url),
      await open(`${url}x`),
      await open(url, { method: 'PUT' }),
    ]
    expect(pages.map(({ status }) => status)).toEqual([200, 200, 422, 403, 200, 409, 200, 410, 405])
    for (const { headers } of pages) {
      expect(headers.get('referrer-policy')).toBe('no-referrer')
      expect(headers.get('cache-control')).toBe('no-store')
      expect(headers.get('x-robots-tag')).toBe('noindex')
      expect(headers.get('x-content-type-options')).toBe('nosniff')
      expect(headers.get('content-type')).toBe('text/html; charset=utf-8')
      expect(headers.get('content-security-policy')).toBe(
        "default-src 'none'; style-src 'self'; script-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
      )
    }
  })

  it('by what it loads or says: no script but our own file, nothing from elsewhere, no secret of its URL', async () => {
    const { url } = await newLink(await bareTenant())
    for (const { text } of [await open(url), await press(url, 'onelogin'), await open(url)]) {
      expect(text.match(/<script.*?<\/script>/gs)).toEqual(['<script src="/pages.js" defer=""></script>'])
      expect(text).not.toMatch(/<img|<iframe|<style|\son\w+=|style=|javascript:/i)
      const loaded = [...text.matchAll(/(?:src|href|action)="([^"]*)"/g)].map(([, to]) => to)
      expect(loaded.filter(to => !/^(#[\w-]+|\?(watch)?|\/pages\.(?:css|js))$/.test(to ?? ''))).toEqual([])
      expect(text).not.toContain('eslink_')
    }
  })

  it('a failure on our side is a page as well', async () => {
    const { url } = await newLink(await bareTenant())
    const { fetch } = watched(() => Promise.reject(new Error('D1 is away')))
    const page = await open(url, {}, fetch)
    expect([page.status, page.headers.get('referrer-policy')]).toEqual([500, 'no-referrer'])
    expect(page.text).not.toContain('D1')
  })

  it('nothing of another tenant, nor of another connection', async () => {
    const [tenant, other] = [await newTenant(), await newTenant()]
    const second = await tenant.connect({ idp: 'okta' })
    await second.scim.post('/Users', newUser())
    await second.scim.post('/Groups', { displayName: 'Theirs' })
    await second.scim.post('/Users', { userName: '' })
    await other.user()
    await admin('DELETE', `${tenant.at}/connections/${second.id}/tokens/${second.token.id}`)
    expect((await second.scim.get('/Users')).status).toBe(401)
    await settled()
    const { url } = await newLink(tenant, { connectionId: tenant.connection.id })
    await press(url)
    const text = seen(await open(url))
    expect(text).toContain('No request with the token yet')
    expect(text).toContain('Nobody has been sent yet')
    expect(text).toContain('None has been sent yet')
    expect(text).not.toMatch(/Credential refused|Last error/)
  })

  it('a link is of its tenant: its secret and its MAC cover which', async () => {
    const [one, two] = [await newLink(await bareTenant('One')), await newLink(await bareTenant('Two'))]
    const [a = '', b = ''] = [one, two].map(({ url }) => url.split('eslink_')[1])
    for (const at of [22, 43, 75])
      expect((await open(`${ORIGIN}/setup/eslink_${a.slice(0, at)}${b.slice(at)}`)).status).toBe(410)
  })
})

describe('hostile text is text', () => {
  const hostile = '</title><script>alert(1)</script>"\' onload=x <img src=x onerror=y>'

  it('in the name of a tenant, of a profile and its fields, and in what a client sends', async () => {
    const name = `p-${crypto.randomUUID().slice(0, 8)}`
    const values = ['<i>A</i>', '"><script>']
    const fields = [{ field: 'title', source: 'title', values, default: values[0], required: true }]
    await admin('PUT', `/profiles/${name}`, { name, title: hostile, user: { fields } })
    const tenant = await bareTenant(hostile, name)
    const link = await newLink(tenant)
    for (const page of [await open(link.url), await press(link.url, 'onelogin')]) {
      expect(page.text).toContain('&lt;script&gt;alert(1)')
      expect(page.text).not.toMatch(/<script>|<img|<i>|onload=x[^ ]*>/)
    }
    const renewed = await admin<Link>('POST', `${tenant.at}/setup-links/${link.id}/renew`)
    const scim = scimClient(tenant.baseUrl, `Bearer ${tokenOn(await press(renewed.url))}`)
    const refused = await scim.post('/Users', newUser({ title: '<script>' }))
    expect(refused.body.detail).toContain('<i>A</i>')
    await scim.get('/Users/<script>alert(2)</script>')
    await scim.send('GET', '/<script>', undefined)
    await settled()
    const page = await open(renewed.url)
    expect(page.text).toContain('&lt;i&gt;A&lt;/i&gt;')
    expect(page.text).not.toMatch(/<script>|<img|<i>/)
  })
})

describe('instructions for each identity provider', () => {
  /** What each must name, beside the base URL, the token and the attributes. */
  const fields: Record<string, readonly string[]> = {
    entra: [
      'Tenant URL',
      'Secret Token',
      '/scim/v2?aadOptscim062020',
      'Test Connection',
      'objectId',
      'Switch([IsSoftDeleted], , "False", "True", "True", "False")',
      'userPrincipalName',
      'Groups within groups are not sent',
      'SingleAppRoleAssignment([appRoleAssignments])',
    ],
    okta: [
      'SCIM connector base URL',
      'Unique identifier field for users userName',
      'HTTP Header',
      'Test Connector Configuration',
      'Deactivate Users',
      'user.displayName is empty for many people',
      'user.firstName',
    ],
    jumpcloud: ['Base URL', 'Token Key', 'Test User Email', 'Activate', 'firstname', 'no extensions'],
    onelogin: [
      'SCIM Base URL',
      'SCIM Bearer Token',
      'SCIM JSON Template',
      '{$user.firstname}',
      'Do Nothing',
      'the parameter Groups',
    ],
    pingfederate: ['SCIM URL', 'Basic Authentication', 'Username scim', 'Password', 'sAMAccountName', 'sn'],
    google: ['Endpoint URL', 'Access token', 'Deprovisioning', 'within 24 hours', 'Primary email'],
    rippling: ['SCIM Base URL', 'Bearer Token', 'Use PATCH for groups', 'hired again'],
    generic: [
      'Base URL',
      'Bearer token',
      'User name scim',
      'externalId must be something that never changes',
    ],
  }

  it.each([...identityProviders])('%s', async idp => {
    const tenant = await newTenant({ idp, profile: 'cafex' })
    const { url } = await newLink(tenant, { connectionId: tenant.connection.id })
    for (const page of [await open(url), await press(url), await open(url)]) {
      const text = seen(page)
      for (const wanted of fields[idp] ?? ['?']) expect(text).toContain(wanted)
      expect(text).toContain(tenant.connection.baseUrl)
      if (idp !== 'generic') expect(text).toContain(`Steps in ${identityProviderNames[idp]}`)
      expect(page.text).toMatch(/<ol class="steps"><li><h3>/)
      expect(text).toContain('the token')
      expect(text).toMatch(
        /roles\[primary eq true\]\.value .*one of OWNER, ADMIN, STANDARD; STANDARD if none is sent/,
      )
      expect(text).toMatch(/userName yes at most 255 characters/)
      expect(text).not.toMatch(/\{base\}|\{token\}|undefined|\[object/)
    }
  })

  it.each<[string, string, boolean]>([
    ['random-coffee', 'entra', true],
    ['random-coffee', 'okta', true],
    ['client-platform', 'entra', false],
  ])('of %s, for %s, say how to send attributes of one’s own where they are taken: %#', async (...given) => {
    const [profile, idp, taken] = given
    const tenant = await newTenant({ idp, profile })
    const { url } = await newLink(tenant, { connectionId: tenant.connection.id })
    const text = seen(await open(url))
    const own = 'text attributes of your own'
    if (taken) expect(text).toMatch(new RegExp(`${own}.* urn:.*:enterprise:2\\.0:User:office`))
    else expect(text).not.toContain(own)
    expect(text.includes('Add New Mapping')).toBe(taken && idp === 'entra')
  })

  it('OneLogin’s template is JSON that the service takes, for what the profile reads', async () => {
    const tenant = await newTenant({ idp: 'onelogin', profile: 'client-platform' })
    const { url } = await newLink(tenant, { connectionId: tenant.connection.id })
    const page = await press(url)
    const quoted = /<code id="step-\d-template">([\s\S]*?)<\/code>/.exec(page.text)?.[1] ?? ''
    const template = JSON.parse(quoted.replaceAll('&quot;', '"'))
    expect(template).toMatchObject({
      schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'],
      userName: '{$parameters.scimusername}',
      name: { givenName: '{$user.firstname}', familyName: '{$user.lastname}' },
      emails: [{ value: '{$user.email}', type: 'work' }],
      title: '{$user.title}',
      phoneNumbers: [
        { type: 'mobile', value: '{$parameters.mobileNumber}' },
        { type: 'work', value: '{$user.phone}' },
      ],
      addresses: [{ type: 'work', locality: '{$parameters.city}' }],
    })
    expect(template).not.toHaveProperty('active')
    const scim = scimClient(tenant.connection.baseUrl, `Bearer ${tokenOn(page)}`)
    expect((await scim.post('/Users', template)).status).toBe(201)
  })

  it('and its template has the enterprise extension, with its schema, where the profile reads that', async () => {
    const tenant = await newTenant({ idp: 'onelogin' })
    const { url } = await newLink(tenant, { connectionId: tenant.connection.id })
    const quoted = /<code id="step-\d-template">([\s\S]*?)<\/code>/.exec((await open(url)).text)?.[1] ?? ''
    const enterprise = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'
    expect(JSON.parse(quoted.replaceAll('&quot;', '"'))).toMatchObject({
      schemas: ['urn:ietf:params:scim:schemas:core:2.0:User', enterprise],
      [enterprise]: { department: '{$user.department}' },
    })
  })

  it('the table follows the mapping of the connection and the fallbacks of its kind', async () => {
    const tenant = await newTenant({ idp: 'pingfederate', profile: 'cafex' })
    const mapping = {
      fields: [{ field: 'title', source: 'userType', required: true, maxLength: 12 }],
      groupBy: { source: 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department' },
    }
    await admin('PUT', `${tenant.at}/connections/${tenant.connection.id}/mapping`, mapping)
    const { url } = await newLink(tenant, { connectionId: tenant.connection.id })
    const text = seen(await open(url))
    expect(text).toMatch(/userType yes at most 12 characters title/)
    expect(text).toMatch(/displayName or, without a value, userName yes/)
    expect(text).toMatch(/department urn:\S+:department no target group/)
  })

  it('what is to be typed is there to be copied, and nothing but the token is left to look for', async () => {
    const tenant = await newTenant({ idp: 'pingfederate' })
    const { url } = await newLink(tenant, { connectionId: tenant.connection.id })
    const page = await press(url)
    const copied = [
      ...page.text.matchAll(/<dt>([^<]*)<\/dt><dd><div class="copy"><code[^>]*>([^<]*)<\/code>/g),
    ]
    expect(copied.map(([, field, value]) => [field, value])).toEqual([
      ['Base URL', tenant.connection.baseUrl],
      ['Token', tokenOn(page)],
      ['SCIM URL', tenant.connection.baseUrl],
      ['Username', 'scim'],
      ['Unique User Identifier', 'userName'],
    ])
    expect(page.text).toContain('<dt>Password</dt><dd><a href="#token">the token</a>')
  })

  it('what an identity provider cannot send is said in its table, and in no other', async () => {
    const says = async (idp: string) => {
      const tenant = await newTenant({ idp })
      const { url } = await newLink(tenant, { connectionId: tenant.connection.id })
      return seen(await open(url))
    }
    expect(await says('jumpcloud')).toMatch(/cannot be sent urn:\S+:enterprise:2\.0:User:department/)
    expect(await says('okta')).not.toContain('cannot be sent')
  })

  it('what SCIM needs is in the table even where the profile reads nothing of it', async () => {
    const name = `p-${crypto.randomUUID().slice(0, 8)}`
    await admin('PUT', `/profiles/${name}`, { name, user: { fields: [] } })
    const tenant = await newTenant({ profile: name })
    const { url } = await newLink(tenant, { connectionId: tenant.connection.id })
    expect(seen(await open(url))).toMatch(/ userName yes – .* externalId no – .* active no true or false –/)
  })
})

describe('live status from real traffic', () => {
  async function setUp() {
    const tenant = await bareTenant()
    const { url } = await newLink(tenant)
    const token = tokenOn(await press(url, 'okta'))
    const scim = scimClient(tenant.baseUrl, `Bearer ${token}`)
    const status = async () => {
      await settled()
      return seen(await open(url))
    }
    return { tenant, url, token, scim, status }
  }

  const connectionOf = async ({ at }: Pick<Tenant, 'at'>) => {
    const { items } = await admin<{ items: { id: string }[] }>('GET', `${at}/connections`)
    return items[0] ?? { id: '' }
  }

  it('sees the connection test, the first person and the first group, and counts them', async () => {
    const { scim, status } = await setUp()
    expect(await status()).toMatch(/Waiting: Connection test seen .*Waiting: People .*Waiting: Groups/)
    await scim.filter('/Users', 'userName eq "nobody"')
    expect(await status()).toMatch(/Done: Connection test seen First request .*last .*Waiting: People/)
    await scim.post('/Users', newUser())
    await scim.post('/Users', newUser({ active: false }))
    expect(await status()).toMatch(/Done: People 1 person has access\. First seen/)
    await scim.post('/Users', newUser())
    await scim.post('/Groups', { displayName: 'Staff' })
    const text = await status()
    expect(text).toMatch(/Done: People 2 people have access\..*Done: Groups 1 group\. First seen/)
    expect(text).not.toMatch(/Last error|Credential refused/)
  })

  it('sees the last error with its detail in plain words, and that it is over', async () => {
    const { scim, status } = await setUp()
    await scim.get(`/Users/${UNKNOWN_ID}`)
    expect(await status()).not.toContain('error')
    const refused = await scim.post('/Users', { schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'] })
    expect(refused.status).toBe(400)
    const text = await status()
    expect(text).toMatch(/Look here: Last error .*A value is missing or not allowed/)
    expect(text).toContain(refused.body.detail)
    expect(text).toContain('POST /Users was answered 400')
    await scim.post('/Users', newUser())
    expect(await status()).toMatch(/Done: Last error, with accepted requests since/)
  })

  it('sees rejected credentials: no token of ours, and the connection’s own by its last four', async () => {
    const { tenant, url, token, scim, status } = await setUp()
    await scimClient(tenant.baseUrl, 'Bearer garbage').get('/Users')
    expect(await status()).toMatch(/Look here: Credential refused .*no token of this connection/)
    await scim.get('/Users')
    expect(await status()).toMatch(/Done: Credential refused before .*accepted since/)
    const [link] = await links(tenant)
    const renewed = await admin<Link>('POST', `${tenant.at}/setup-links/${link?.id}/renew`)
    const next = tokenOn(await press(renewed.url))
    await scimClient(tenant.baseUrl, `Bearer ${next}`).get('/Users')
    expect((await scim.get('/Users')).status).toBe(401)
    await settled()
    const text = seen(await open(renewed.url))
    expect(text).toContain(`the token ending in ${token.slice(-4)} is revoked`)
    expect((await open(url)).status).toBe(410)
    await rows('UPDATE tokens SET expires_at = 1 WHERE hint = ?', next.slice(-4))
    expect((await scimClient(tenant.baseUrl, `Bearer ${next}`).get('/Users')).status).toBe(401)
    await settled()
    const after = seen(await open(renewed.url))
    expect(after).toContain(`the token ending in ${next.slice(-4)} is expired`)
    expect(after).toContain('No token counts any more')
  })

  it('sees a rejected token that was never one of the connection’s, by its last four', async () => {
    const { tenant, token, status } = await setUp()
    await scimClient(tenant.baseUrl, 'Bearer somebody-elses-token-1a2b').get('/Users')
    expect(await status()).toContain(
      `ends in 1a2b and is no token of this connection. Its token ends in ${token.slice(-4)}`,
    )
    await scimClient(tenant.baseUrl, `Basic ${btoa('scim:hunter2')}`).get('/Users')
    const text = await status()
    expect(text).toMatch(/Look here: Credential refused .*what was sent to this base URL is no token/)
    expect(text).not.toContain('ter2')
  })

  it('sees which required attribute is missing, how often, and says what to do there', async () => {
    const { tenant, scim, status } = await setUp()
    expect(await status()).toMatch(/Waiting: Required attributes/)
    await admin('PUT', `${tenant.at}/connections/${(await connectionOf(tenant)).id}/mapping`, {
      fields: [
        { field: 'title', source: 'title', required: true },
        { field: 'mail', source: 'emails[type eq "work"].value', required: true },
      ],
    })
    const complete = { title: 'Clerk', emails: [{ value: 'a@example.com', type: 'work' }] }
    expect((await scim.post('/Users', newUser({ ...complete, title: '' }))).status).toBe(400)
    const both = await scim.post('/Users', newUser({ title: '', emails: [] }))
    expect(both.status).toBe(400)
    const text = await status()
    expect(text).toMatch(
      /Look here: Required attribute missing title had no value in 2 recent requests, last [^.]* UTC \(it usually comes from user\.title \)\..* In Okta check that it is mapped/,
    )
    expect(text).toMatch(/emails\[type eq "work"\]\.value had no value in 1 recent request, last/)
    await scim.post('/Users', newUser(complete))
    expect(await status()).toMatch(/Look here: Required attribute missing title/)
    await rows("UPDATE activity SET at = at - 90000000 WHERE help = 'missing-required-attribute'")
    expect(await status()).toMatch(/Done: Required attribute missing before/)
  })

  it('says that none is missing once people have come, and when the last sync was', async () => {
    const { scim, status } = await setUp()
    expect(await status()).toMatch(/Waiting: Last sync Nothing has come yet/)
    await scim.post('/Users', {})
    expect(await status()).toMatch(/Waiting: Last sync None of the latest requests was accepted/)
    await scim.post('/Users', newUser())
    await rows("UPDATE activity SET at = 1790000000000 WHERE status = 201 AND path = '/Users'")
    await scim.post('/Users', { userName: '' })
    expect(await status()).toMatch(
      /Done: Last sync The last request that was accepted came 21 Sept 2026, 14:13:20/,
    )
    const fine = await setUp()
    await fine.scim.post('/Users', newUser())
    expect(await fine.status()).toMatch(/Done: Required attributes None was missing/)
  })

  it('sees nested groups, and says that they give nobody anything, which is so', async () => {
    const { tenant, scim, status } = await setUp()
    const user = (await scim.post('/Users', newUser())).body
    const inner = (await scim.post('/Groups', { displayName: 'In', members: [{ value: user.id }] })).body
    expect(await status()).toMatch(/Done: Nested groups None/)
    const outer = await scim.post('/Groups', { displayName: 'Out', members: [{ value: inner.id }] })
    expect(outer.status).toBe(201)
    const text = await status()
    expect(text).toMatch(/Look here: Nested groups 1 of the newest groups is a member of another group/)
    expect(text).toContain('Send the people themselves as members of the outer group')
    const { groups } = (await scim.get(`/Users/${user.id}`)).body
    expect(groups).toEqual([expect.objectContaining({ value: inner.id })])
    const other = await newLink(tenant, { connectionId: (await connectionOf(tenant)).id })
    expect(seen(await open(other.url))).toContain('Nested groups')
  })

  it('sees when the token expires, and warns for thirty days', async () => {
    const { token, status } = await setUp()
    expect(await status()).toContain('it does not expire')
    const expires = (days: number) =>
      rows(
        'UPDATE tokens SET expires_at = ? WHERE hint = ?',
        Date.now() + days * 24 * HOUR_MS,
        token.slice(-4),
      )
    await expires(31)
    expect(await status()).toMatch(/Done: Token Ends in .*it expires \d[^,]*, [\d:]+ UTC \./)
    await expires(29.5)
    expect(await status()).toMatch(
      /Look here: Token expires soon Ends in .*it expires \d.*, in 29 days\. Ask the operator of the service to renew this link/,
    )
    await expires(0.5)
    expect(await status()).toContain(', within a day.')
  })

  it('watches by itself only when asked to, and until people have come', async () => {
    const { url, scim } = await setUp()
    expect((await open(url)).headers.get('refresh')).toBeNull()
    expect((await open(`${url}?watch`)).headers.get('refresh')).toBe('10')
    await scim.post('/Users', newUser())
    expect((await open(`${url}?watch`)).headers.get('refresh')).toBeNull()
  })

  it('costs three round trips at most and a few hundred rows, whatever the tenant holds', async () => {
    const { tenant, url } = await setUp()
    const [found] = await rows(
      'SELECT c.tenant_id AS tenant, c.id FROM connections c JOIN tenants t USING (tenant_id) WHERE slug = ?',
      tenant.slug,
    )
    const many = `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)`
    await rows(
      `${many} INSERT INTO resources (tenant_id, id, type, scope, serial, connection_id, document, active, version,
          created_at, last_modified, session_epoch)
        SELECT ?1, 'u' || i, 'User', '', i, ?2, '{}', i % 2, 'v', i, i, 0 FROM n`,
      found?.tenant,
      found?.id,
    )
    await rows(
      `${many} INSERT INTO activity (tenant_id, id, at, outcome, connection_id, method, path, status, tolerances, duration_ms)
        SELECT ?1, 'a' || i, i, iif(i % 3 = 0, 'unauthorized', 'ok'), iif(i % 2, ?2, NULL), 'GET', '/Users',
          iif(i % 3 = 0, 401, 200), '[]', 1 FROM n`,
      found?.tenant,
      found?.id,
    )
    await rows(
      `${many} INSERT INTO resources (tenant_id, id, type, scope, serial, connection_id, document, version,
          created_at, last_modified, session_epoch)
        SELECT ?1, 'g' || i, 'Group', ?2, i, ?2, '{}', 'v', i, i, 0 FROM n`,
      found?.tenant,
      found?.id,
    )
    await rows(
      `${many} INSERT INTO members (tenant_id, group_id, member_id, type, version)
        SELECT ?1, 'g' || i, 'g' || (i % 7 + 2994), 'Group', 'v' FROM n`,
      found?.tenant,
    )
    await rows(
      `${many} INSERT INTO activity (tenant_id, id, at, outcome, connection_id, method, path, status, detail, help,
          tolerances, duration_ms)
        SELECT ?1, 'b' || i, i, 'rejected', ?2, 'POST', '/Users', 400, 'userName is required and must not be empty.',
          'missing-required-attribute', '[]', 1 FROM n`,
      found?.tenant,
      found?.id,
    )
    const { seen: cost, fetch } = watched()
    const page = await open(url, {}, fetch)
    expect(seen(page)).toMatch(
      /userName had no value in \d+ recent requests.*7 of the newest groups are members/,
    )
    expect(seen(page)).toContain('More than 100 people have access')
    expect(cost.calls).toBeLessThanOrEqual(3)
    expect(cost.rowsRead).toBeLessThan(600)
  })
})

it('the operator’s token opens no page, and a link’s secret no API', async () => {
  const tenant = await bareTenant()
  const { url } = await newLink(tenant)
  const secret = url.split('/setup/')[1] ?? ''
  expect((await open(`${ORIGIN}/setup/${ADMIN_TOKEN}`)).status).toBe(410)
  expect((await scimClient(tenant.baseUrl, `Bearer ${secret}`).get('/Users')).status).toBe(401)
  const headers = { authorization: `Bearer ${secret}` }
  expect((await open(`${ORIGIN}/admin/v1/tenants`, { headers })).status).toBe(401)
  expect((await open(`${ORIGIN}/directory/v1${tenant.at}/users`, { headers })).status).toBe(401)
})
