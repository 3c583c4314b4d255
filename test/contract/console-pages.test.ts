// The console's pages: each renders with nothing and with everything in it, shows as text whatever an identity provider
// or an operator wrote, says what is wrong at the field, and answers what an operator is asked.
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { rows } from '../storage/world'
import {
  crawl,
  linksOn,
  type Page,
  seen,
  signedIn,
  toConsole,
  unescaped,
  type Visitor,
} from './console-visitor'
import { admin, ENTERPRISE, newTenant, newUser, settled, type Tenant, UNKNOWN_ID } from './world'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

let visitor: Visitor
beforeAll(async () => {
  visitor = await signedIn()
})
afterEach(async () => {
  await settled()
  await toConsole.settled()
})

const consoleOf = ({ slug }: { slug: string }) => `/console/tenants/${slug}`

async function bareTenant(name = 'Nothing yet') {
  const slug = `t-${crypto.randomUUID()}`
  await admin('POST', '/tenants', { slug, name })
  return { slug, at: `/tenants/${slug}` }
}

/** Sections of the menu, and what is made new. */
const SECTIONS = [
  '',
  '/connections',
  '/connections/new',
  '/setup-links',
  '/people',
  '/roles',
  '/target-groups',
  '/breaker',
  '/receivers',
  '/receivers/new',
  '/deliveries',
  '/deliveries?state=dead',
  '/activity',
  '/schemas',
  '/schemas/edit',
  '/resource-types',
  '/resource-types/edit',
  '/app-keys',
  '/jobs',
  '/delete',
]

const setActive = ({ scim }: Tenant, id: string, active: boolean) =>
  scim.patch(`/Users/${id}`, [{ op: 'replace', path: 'active', value: active }])

describe('every page', () => {
  it('renders for a tenant in which nothing is', async () => {
    const tenant = await bareTenant()
    for (const section of SECTIONS) {
      const page = await visitor.get(consoleOf(tenant) + section)
      expect([section, page.status]).toEqual([section, 200])
      expect(page.text).toMatch(/^<!doctype html><html lang="en">.*<main id="main".*<h1>/s)
      expect(page.text).not.toMatch(/undefined|NaN|\[object /)
    }
  })

  it('of the deployment renders, one tenant or many', async () => {
    for (const path of ['', '/tenants', '/new-tenant', '/profiles', '/new-profile', '/profiles/standard'])
      expect((await visitor.get(`/console${path}`)).status).toBe(200)
  })

  it('is reached by links, and every link leads to a page', async () => {
    const tenant = await filledTenant('Plain')
    const pages = await crawl(visitor, consoleOf(tenant))
    expect(pages.filter(({ status }) => status !== 200).map(({ path, status }) => [path, status])).toEqual([])
    expect(pages.length).toBeGreaterThan(40)
    for (const { text, path } of pages) {
      if (path.endsWith('/evidence')) continue
      expect([path, /undefined|NaN|\[object /.exec(text)?.[0]]).toEqual([path, undefined])
    }
  })
})

/** A tenant with one of everything that a page can show, each called after the text. */
async function filledTenant(text: string, profile?: string) {
  const tenant = await newTenant({ ...(profile !== undefined && { profile }) })
  const { at, scim, connection } = tenant
  await admin('PATCH', at, { name: text })
  await admin('PATCH', `${at}/connections/${connection.id}`, { name: text })
  await admin('PUT', `${at}/breaker`, { enabled: true, threshold: { count: 1, windowMinutes: 10 } })
  const word = text.replace(/\s/g, '')
  for (const kind of [
    { kind: 'webhook', url: 'https://receiver.example.com/hook' },
    { kind: 'ssf-push', url: 'https://receiver.example.com/push', audience: word },
    { kind: 'ssf-poll', audience: word },
    { kind: 'backchannel-logout', url: 'https://receiver.example.com/logout', clientId: word },
  ])
    await admin('POST', `${at}/receivers`, kind)
  await admin('POST', `${at}/target-groups`, { name: text })
  await admin('POST', `${at}/app-keys`, { name: text })
  await admin('POST', `${at}/setup-links`, { connectionId: connection.id })
  const attribute = { name: 'badge', type: 'string', description: text, canonicalValues: [text] }
  await admin('PUT', `${at}/schemas/urn:example:scim:badge:1.0:User?extends=User`, {
    name: text,
    description: text,
    attributes: [attribute],
  })
  await admin('PUT', `${at}/resource-types/Device`, {
    name: 'Device',
    endpoint: '/Devices',
    description: text,
    schema: { id: 'urn:example:scim:1.0:Device', name: text, description: text, attributes: [attribute] },
  })
  const everything = (n: number) => ({
    ...newUser(),
    schemas: [...newUser().schemas, ENTERPRISE],
    userName: `${n}${text}`,
    externalId: `${n}${text}`,
    displayName: text,
    name: { givenName: text, familyName: text, formatted: text },
    nickName: text,
    profileUrl: `javascript:alert(${n})`,
    title: text,
    userType: text,
    emails: [{ value: `${n}${text}`, type: text, display: text, primary: true }],
    photos: [{ value: 'javascript:alert(1)', type: text }],
    roles: [{ value: text, display: text, type: text, primary: true }],
    entitlements: [{ value: text }],
    addresses: [{ formatted: text, locality: text, type: text }],
    [ENTERPRISE]: { department: text, costCenter: text, employeeNumber: text },
    [text]: text,
  })
  const ids: string[] = []
  for (const n of [1, 2, 3, 4]) {
    const made = await scim.post('/Users', everything(n))
    expect(made).toMatchObject({ status: 201 })
    ids.push(made.body.id)
  }
  await tenant.group({ displayName: text, externalId: text, members: ids.map(value => ({ value })) })
  const [first = '', second = '', third = ''] = ids
  await setActive(tenant, first, false)
  for (const id of [second, third]) await scim.delete(`/Users/${id}`)
  await scim.patch(`/Users/${text}`, [{ op: text, path: text, value: text }])
  await scim.get(`/Users/${encodeURIComponent(text)}`)
  await scim.get(`/${encodeURIComponent(text)}`)
  await scim.filter('/Users', text)
  const department = { source: `${ENTERPRISE}:department` }
  await admin('PUT', `${at}/connections/${connection.id}/mapping`, {
    fields: [{ field: 'rank', ...department, default: text, values: [text, `other ${text}`] }],
    groupBy: department,
  })
  await settled()
  await rows(
    `UPDATE deliveries SET state = 'dead', last_error = ?2 WHERE sequence <= 3
      AND tenant_id = (SELECT tenant_id FROM tenant_directory WHERE slug = ?1)`,
    tenant.slug,
    text,
  )
  return { ...tenant, ids, everything }
}

/** What breaks out of an element, of an attribute, of a text field, of a title. */
const HOSTILE = `"'><script>alert(1)</script></title></textarea><img src=x onerror=alert(2)> " autofocus onfocus=alert(3) x=" &lt;b&gt;`
const BROKEN_OUT = [/<script>/, /<img/, /" autofocus/, /' autofocus/, /[^&]<b>/, /"'>/]

function expectHarmless({ path, text }: Page) {
  const found = BROKEN_OUT.flatMap(pattern => pattern.exec(text)?.[0] ?? [])
  expect([path, found]).toEqual([path, []])
  expect([path, text.match(/<script/g)?.length]).toEqual([path, 1])
  for (const [, value = ''] of text.matchAll(/\s(?:href|src|action|formaction)="([^"]*)"/g))
    expect(unescaped(value)).toMatch(/^(?:\/(?!\/)|#|data:,$)/)
}

describe('whatever somebody wrote', () => {
  it('is shown as text and nothing else, on every page', async () => {
    const profile = `p-${crypto.randomUUID()}`
    await admin('PUT', `/profiles/${profile}`, {
      name: profile,
      title: HOSTILE,
      user: {
        fields: [
          { field: 'email', source: 'emails.value' },
          { field: 'title', source: 'title', default: HOSTILE },
        ],
        role: { source: 'roles.value', values: [HOSTILE], default: HOSTILE, privileged: [HOSTILE] },
      },
      groups: { as: 'roles' },
    })
    const tenant = await filledTenant(HOSTILE, profile)
    const pages = await crawl(visitor, consoleOf(tenant))
    const others = ['/console', '/console/tenants', '/console/profiles', `/console/profiles/${profile}`]
    for (const path of others) pages.push(await visitor.get(path))
    const html = pages.filter(({ headers }) => headers.get('content-type')?.startsWith('text/html'))
    expect(html.length).toBeGreaterThan(40)
    for (const page of html) expectHarmless(page)
    const showing = html.filter(page => unescaped(page.text).includes(HOSTILE))
    expect(showing.length).toBeGreaterThan(20)
  })

  it('is text in forms that are shown again, in the address, and in what was kept', async () => {
    const tenant = await bareTenant()
    const at = consoleOf(tenant)
    const encoded = encodeURIComponent(HOSTILE)
    const pages = [
      await visitor.submit('/console/new-tenant', { slug: HOSTILE, name: HOSTILE, profile: HOSTILE }),
      await visitor.submit('/console/new-profile', { document: `{"name": "${HOSTILE}` }),
      await visitor.submit('/console/new-profile', { document: JSON.stringify({ [HOSTILE]: HOSTILE }) }),
      await visitor.submit(`${at}/connections/new`, { name: '', idp: HOSTILE, mode: HOSTILE }),
      await visitor.submit(`${at}/receivers/new`, { kind: 'webhook', url: HOSTILE }),
      await visitor.submit(`${at}/receivers/new`, { kind: 'webhook', url: 'javascript:alert(1)' }),
      await visitor.submit(`${at}/receivers/new`, { kind: HOSTILE, url: HOSTILE }),
      await visitor.submit(`${at}/schemas/edit?urn=${encoded}`, { document: '{}' }),
      await visitor.submit(`${at}/breaker`, { 'threshold.count': HOSTILE }),
      await visitor.submit(`${at}/delete`, { slug: HOSTILE }),
      await visitor.get(`${at}/people?q=${encoded}`),
      await visitor.get(`${at}/people?q=${encodeURIComponent(`userName eq ${HOSTILE}`)}`),
      await visitor.get(`${at}/people?role=${encoded}&targetGroup=${encoded}`),
      await visitor.get(`${at}/people/${encoded}`),
      await visitor.get(`${at}/activity?outcome=${encoded}&connectionId=${encoded}`),
      await visitor.get(`${at}/deliveries?state=${encoded}&receiverId=${encoded}`),
      await visitor.get(`${at}/receivers/new?kind=${encoded}`),
      await visitor.get(`${at}/schemas/edit?urn=${encoded}`),
      await visitor.get(`${at}?done=${encoded}`),
      await visitor.get(`${at}?done=constructor`),
      await visitor.get(`/console/profiles/${encoded}`),
      await visitor.get(`/console/tenants/${encoded}`),
      await visitor.get(`/console/sign-in?to=${encodeURIComponent(`/console/${HOSTILE}`)}`),
    ]
    for (const page of pages) {
      expect([page.path, page.status < 500]).toEqual([page.path, true])
      expectHarmless(page)
    }
  })
})

describe('a tenant’s pages', () => {
  it('show nothing of another tenant, and do nothing to it', async () => {
    const mine = await newTenant()
    const other = await filledTenant(`Other ${crypto.randomUUID()}`)
    const receivers = await admin<{ items: { id: string }[] }>('GET', `${other.at}/receivers`)
    const activity = await admin<{ items: { id: string }[] }>('GET', `${other.at}/activity`)
    const [receiver] = receivers.items
    const [request] = activity.items
    const [person] = other.ids
    const at = consoleOf(mine)
    const readings: [path: string, id: string | undefined][] = [
      ['people', person],
      ['connections', other.connection.id],
      ['receivers', receiver?.id],
      ['activity', request?.id],
    ]
    for (const [path, id] of readings) {
      const [theirs, unknown] = [
        await visitor.get(`${at}/${path}/${id}`),
        await visitor.get(`${at}/${path}/${UNKNOWN_ID}`),
      ]
      expect([path, theirs.status]).toEqual([path, 404])
      expect(theirs.text).toBe(unknown.text)
    }
    expect((await visitor.get(`${at}/connections/${other.connection.id}/mapping`)).status).toBe(404)
    expect((await visitor.get(`${at}/people/${person}/evidence`)).status).toBe(404)
    const before = await other.state()
    for (const path of [
      `people/${person}/revoke`,
      `connections/${other.connection.id}/delete`,
      `connections/${other.connection.id}/tokens`,
      `connections/${other.connection.id}/tokens/${other.connection.token.id}/revoke`,
      `receivers/${receiver?.id}/delete`,
      `receivers/${receiver?.id}/status`,
      `deliveries/1.${receiver?.id}/replay`,
    ]) {
      const reply = await visitor.submit(`${at}/${path}`, { status: 'paused', overlapSeconds: '0' })
      expect([path, reply.status]).toEqual([path, 404])
    }
    expect(await other.state()).toEqual(before)
    expect(await admin('GET', `${other.at}/receivers`)).toEqual(receivers)
  })
})

describe('a secret', () => {
  it('is on the page that makes it, once, and on no other', async () => {
    const tenant = await newTenant()
    const at = consoleOf(tenant)
    const made = [
      await visitor.submit(`${at}/connections/new`, { name: 'Second', idp: 'okta', mode: 'compat' }),
      await visitor.submit(`${at}/connections/${tenant.connection.id}/tokens`, { overlapSeconds: '86400' }),
      await visitor.submit(`${at}/app-keys`, { name: 'Key' }),
      await visitor.submit(`${at}/setup-links`, { expiresInHours: '72' }),
      await visitor.submit(`${at}/receivers/new`, { kind: 'webhook', url: 'https://receiver.example.com/' }),
      await visitor.submit(`${at}/receivers/new`, { kind: 'ssf-poll', audience: 'https://app.example' }),
    ]
    const secrets = made.map(page => {
      expect([page.path, page.status]).toEqual([page.path, 200])
      const [secret = ''] =
        [...page.text.matchAll(/<code id="secret-\d">([^<]*)<\/code>/g)].at(-1)?.slice(1) ?? []
      expect(secret.length).toBeGreaterThan(20)
      return unescaped(secret)
    })
    const everywhere = (await crawl(visitor, at)).map(({ text }) => text).join()
    for (const secret of [...secrets, tenant.connection.token.value])
      expect(everywhere.includes(secret)).toBe(false)
    expect(everywhere.includes(`…${secrets[2]?.slice(-4)}`)).toBe(true)
  })
})

describe('a form that is refused', () => {
  const values = (page: Page) =>
    Object.fromEntries(
      [...page.text.matchAll(/<input[^>]*\sname="([^"]*)"[^>]*\svalue="([^"]*)"/g)].map(([, name, value]) => [
        name,
        unescaped(value ?? ''),
      ]),
    )

  it('keeps what was typed, says at the field what is wrong, and changes nothing', async () => {
    const page = await visitor.submit('/console/new-tenant', { slug: 'Not A Slug', name: 'Typed "so"' })
    expect(page.status).toBe(422)
    expect(values(page)).toMatchObject({ slug: 'Not A Slug', name: 'Typed "so"' })
    expect(page.text).toMatch(
      /<input id="form-slug" name="slug" aria-invalid="true" aria-describedby="form-slug-hint form-slug-error"/,
    )
    expect(page.text).toContain('<a href="#form-slug">')
    expect(seen(page)).toContain('Nothing was changed')
  })

  it('does so for a taken slug, a wrong URL, a wrong number, a wrong confirmation', async () => {
    const tenant = await newTenant()
    const at = consoleOf(tenant)
    const taken = await visitor.submit('/console/new-tenant', { slug: tenant.slug, name: 'Twice' })
    expect([taken.status, values(taken).slug]).toEqual([409, tenant.slug])
    const url = 'http://10.0.0.1/'
    const receiver = await visitor.submit(`${at}/receivers/new`, { kind: 'webhook', url })
    expect([receiver.status, values(receiver).url]).toEqual([422, url])
    expect(receiver.text).toContain('id="form-url-error"')
    const breaker = await visitor.submit(`${at}/breaker`, {
      'threshold.count': 'many',
      'threshold.windowMinutes': '5',
    })
    expect([breaker.status, values(breaker)['threshold.count']]).toEqual([422, 'many'])
    const deletion = await visitor.submit(`${at}/delete`, { slug: 'another' })
    expect([deletion.status, values(deletion).slug]).toEqual([422, 'another'])
    expect((await visitor.get(at)).status).toBe(200)
  })

  it('names the place in a document by its path, and keeps the document', async () => {
    const document = JSON.stringify({
      name: 'x',
      user: {
        fields: [
          { field: 'a', source: 'userName' },
          { field: 'b', source: 'no such path' },
        ],
      },
    })
    const page = await visitor.submit('/console/new-profile', { document })
    expect(page.status).toBe(422)
    expect(seen(page)).toContain('user.fields[1].source:')
    expect(unescaped(page.text)).toContain(document)
    const cut = await visitor.submit('/console/new-profile', { document: '{"name": ' })
    expect([cut.status, seen(cut).includes('is not valid JSON')]).toEqual([422, true])
  })

  it('names the row of a mapping', async () => {
    const tenant = await newTenant()
    const path = `${consoleOf(tenant)}/connections/${tenant.connection.id}/mapping`
    const page = await visitor.submit(path, {
      'fields[0].field': 'rank',
      'fields[0].source': 'title',
      'fields[4].field': 'other',
      'fields[4].source': 'nothing[',
      action: 'publish',
    })
    expect(page.status).toBe(422)
    expect(page.text).toContain('<a href="#form-fields-1-source">')
    expect(values(page)).toMatchObject({ 'fields[0].field': 'rank', 'fields[1].source': 'nothing[' })
    expect(await admin('GET', `${tenant.at}/connections/${tenant.connection.id}/mapping`)).toMatchObject({
      version: 0,
    })
  })
})

describe('the operator', () => {
  it('sees on the overview who left, what is not delivered, and how fast sessions ended', async () => {
    const tenant = await newTenant()
    await admin('POST', `${tenant.at}/receivers`, { kind: 'webhook', url: 'https://receiver.example.com/' })
    const { id } = await tenant.user()
    await setActive(tenant, id, false)
    await settled()
    const page = await visitor.get(consoleOf(tenant))
    expect(seen(page)).toMatch(/Leavers today 1 /)
    expect(seen(page)).toMatch(/Kill time of the last 24 hours/)
    const ofTenant = `(SELECT tenant_id FROM tenant_directory WHERE slug = ?1)`
    const hour = Math.floor(Date.now() / 3_600_000)
    for (const [ago, bucket] of [
      [0, 20],
      [5, 45],
    ] as const)
      await rows(
        `INSERT INTO kill_times (tenant_id, hour, receiver_id, bucket, count) VALUES (${ofTenant}, ?2, 'r', ?3, 4)`,
        tenant.slug,
        hour - ago,
        bucket,
      )
    const told = await visitor.get(consoleOf(tenant))
    expect(seen(told)).toMatch(/p50 35 ms p95 3\.3 s Ends of sessions taken 8 /)
    expect(told.text).toContain('<title>5 hours ago: 4 taken, p50 3.3 s, p95 3.3 s</title>')
    expect(told.text).toMatch(/<g class="bad"><title>5 hours ago/)
    expect(told.text).toContain('<title>This hour: 4 taken, p50 35 ms, p95 35 ms</title>')
  })

  it('is warned of a connection that fails, is silent, or whose last token ends within 30 days', async () => {
    const tenant = await newTenant()
    const { id } = tenant.connection
    const at = consoleOf(tenant)
    const badges = async () => seen(await visitor.get(at))
    expect(await badges()).toContain('never called')
    await tenant.scim.get('/Users')
    await settled()
    expect(await badges()).toContain('working')
    for (let n = 0; n < 3; n++) await tenant.scim.filter('/Users', 'x')
    await settled()
    expect(await badges()).toContain('failing')
    await rows(`UPDATE activity SET at = at - 90000000 WHERE connection_id = ?`, id)
    expect(await badges()).toContain('silent')
    expect(await badges()).not.toContain('token ends')
    const inDays = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString()
    const rotate = (expiresAt: string) =>
      admin('POST', `${tenant.at}/connections/${id}/tokens`, { expiresAt: expiresAt.replace(/\.\d+/, '') })
    await rotate(inDays(31))
    expect(await badges()).not.toContain('token ends')
    const end = inDays(29)
    await rotate(end)
    expect(await badges()).toContain(`token ends ${end.slice(0, 10)}`)
    const page = await visitor.get(`${at}/connections/${id}`)
    expect(seen(page)).toContain('The last token of this connection ends in 29 d')
  })

  it('learns why Ada was not provisioned: what was asked, what was wrong, and what to change where', async () => {
    const tenant = await newTenant()
    const { userName } = await tenant.user()
    await tenant.scim.post('/Users', newUser({ userName }))
    await settled()
    const list = await visitor.get(`${consoleOf(tenant)}/activity?outcome=rejected`)
    const [entry = ''] = linksOn(list).filter(href => /\/activity\/[0-9a-f-]{36}$/.test(href))
    const page = seen(await visitor.get(entry))
    expect(page).toContain('An identity provider asked to create a User.')
    expect(page).toContain(
      'It was refused with 409 uniqueness, and nothing was changed: Another User already has',
    )
    expect(page).toContain('Already taken')
    expect(page).toContain('In the identity provider let it match by that attribute')
    expect(page).toContain('docs/troubleshooting.md#already-taken')
  })

  it('learns what was tolerated, where, and what would make it unnecessary', async () => {
    const tenant = await newTenant()
    const { id } = await tenant.user()
    await tenant.scim.patch(`/Users/${id}`, [{ op: 'Replace', path: 'active', value: 'False' }])
    await settled()
    const list = await visitor.get(`${consoleOf(tenant)}/activity`)
    const [entry = ''] = linksOn(list).filter(href => /\/activity\/[0-9a-f-]{36}$/.test(href))
    const page = seen(await visitor.get(entry))
    expect(page).toContain('What was tolerated')
    expect(page).toMatch(/quoted-boolean active In Entra ID, add \?aadOptscim062020/)
  })

  it('learns whether Bob was really signed out, and takes the evidence along', async () => {
    const tenant = await newTenant()
    const receiver = { kind: 'ssf-poll', audience: 'https://app.example', subject: 'id' }
    await admin('POST', `${tenant.at}/receivers`, receiver)
    const { id, userName } = await tenant.user()
    await setActive(tenant, id, false)
    await settled()
    const at = `${consoleOf(tenant)}/people/${id}`
    const page = await visitor.get(at)
    expect(seen(page)).toContain(userName)
    expect(seen(page)).toMatch(
      /Deactivated sessions ended .*Asked for by An identity provider with the token …\S{4} : PATCH \/Users\/.*1 receiver has it not pending Shared Signals, polled/,
    )
    await rows(
      `UPDATE deliveries SET state = 'delivered', delivered_at = occurred_at + 420, sessions_ended = 2
        WHERE user_id = ? AND ends_sessions = 1`,
      id,
    )
    const told = seen(await visitor.get(at))
    expect(told).toContain('every receiver had it after 420 ms')
    expect(told).toContain('2 sessions ended')
    expect(linksOn(page)).toContain(`${at}/evidence`)
    const file = await visitor.get(`${at}/evidence`)
    expect(file.headers.get('content-disposition')).toBe(`attachment; filename="evidence-${id}.json"`)
    const { record, jws } = JSON.parse(file.text)
    expect(record).toMatchObject({ user: { id, active: false }, cases: [{ outcome: { killTimeMs: 420 } }] })
    expect(jws).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+$/)
  })

  it('ends somebody’s sessions at once', async () => {
    const tenant = await newTenant()
    const { id } = await tenant.user()
    const at = `${consoleOf(tenant)}/people/${id}`
    const [event] = await tenant.eventsOf(() => visitor.submit(`${at}/revoke`))
    expect(event).toMatchObject({ type: 'user.sessions_revoked', userId: id })
    expect(seen(await visitor.get(at))).toMatch(/Sessions ended once, at last .*Done by the operator\./)
  })

  it('finds people by the beginning of a name, by address, by id, and by a filter', async () => {
    const tenant = await newTenant()
    const ada = await tenant.user({ userName: 'ada@acme.example', displayName: 'Ada L', externalId: 'E-1' })
    await tenant.user({ userName: 'bob@acme.example', displayName: 'Bob' })
    const found = async (q: string) => {
      const page = await visitor.get(`${consoleOf(tenant)}/people?q=${encodeURIComponent(q)}`)
      return ['ada@acme.example', 'bob@acme.example'].filter(name => seen(page).includes(`${name} active`))
    }
    for (const q of ['ada', 'ADA@', 'Ada L', 'E-1', ada.id, 'displayName eq "ada l"', 'userName sw "ada"'])
      expect([q, await found(q)]).toEqual([q, ['ada@acme.example']])
    expect(await found('nobody')).toEqual([])
    expect(await found('active eq true')).toHaveLength(2)
    const wrong = await visitor.get(`${consoleOf(tenant)}/people?q=${encodeURIComponent('shoe eq 1')}`)
    expect([wrong.status, wrong.text.includes('aria-invalid="true"')]).toEqual([400, true])
  })

  it('tries a mapping on the users that there are, publishes it, and goes back', async () => {
    const tenant = await newTenant()
    for (const title of ['Captain', 'Cook', 'Cook']) await tenant.user({ title })
    const path = `${consoleOf(tenant)}/connections/${tenant.connection.id}/mapping`
    const mapping = { 'groupBy.source': 'title' }
    const tried = await visitor.submit(path, { ...mapping, action: 'preview' })
    expect(seen(tried)).toContain('1 comes to Captain, 2 come to Cook.')
    expect(seen(tried)).toContain('Nothing is written yet.')
    const version = async () =>
      (await admin('GET', `${tenant.at}/connections/${tenant.connection.id}/mapping`)).version
    expect(await version()).toBe(0)
    expect((await visitor.submit(path, { ...mapping, action: 'publish' })).status).toBe(303)
    expect(await version()).toBe(1)
    expect((await visitor.submit(`${path}/rollback`, { version: '0' })).status).toBe(303)
    expect(await admin('GET', `${tenant.at}/connections/${tenant.connection.id}/mapping`)).toMatchObject({
      version: 2,
      groupBy: null,
    })
  })

  it('sees in the preview who would gain and lose a role, and cannot publish what would refuse users', async () => {
    const profile = `p-${crypto.randomUUID()}`
    const role = { source: 'roles.value', values: ['ADMIN', 'STANDARD'], default: 'STANDARD' }
    await admin('PUT', `/profiles/${profile}`, {
      name: profile,
      user: { fields: [{ field: 'userName', source: 'userName' }], role },
    })
    const tenant = await newTenant({ profile })
    await tenant.user({ title: 'Cook' })
    const path = `${consoleOf(tenant)}/connections/${tenant.connection.id}/mapping`
    const page = await visitor.submit(path, {
      'fields[0].field': 'rank',
      'fields[0].source': 'title',
      'fields[0].values': 'Captain',
      action: 'preview',
    })
    expect(page.status).toBe(200)
    expect(seen(page)).toContain('As long as users would be refused it cannot be published.')
    const refused = await visitor.submit(path, {
      'fields[0].field': 'rank',
      'fields[0].source': 'title',
      'fields[0].values': 'Captain',
      action: 'publish',
    })
    expect(refused.status).toBe(422)
  })

  it('rotates a token with overlap, and one that expires', async () => {
    const tenant = await newTenant()
    const at = `${consoleOf(tenant)}/connections/${tenant.connection.id}`
    const made = await visitor.submit(`${at}/tokens`, {
      overlapSeconds: '3600',
      expiresAt: '2030-01-02T03:04',
    })
    const [, value = ''] = /<code id="secret-1">([^<]*)</.exec(made.text) ?? []
    expect((await tenant.scim.get('/Users')).status).toBe(200)
    const page = seen(await visitor.get(at))
    expect(page).toContain(`…${value.slice(-4)} active`)
    expect(page).toContain('2030-01-02 03:04:00')
    const { id } = (
      await admin<{ items: { id: string }[] }>(
        'GET',
        `${tenant.at}/connections/${tenant.connection.id}/tokens`,
      )
    ).items[0] ?? { id: '' }
    expect((await visitor.submit(`${at}/tokens/${id}/revoke`)).status).toBe(303)
    expect((await tenant.scim.get('/Users')).status).toBe(401)
  })

  it('sends dead letters again, one or all of a receiver', async () => {
    const tenant = await newTenant()
    const { id: receiver } = await admin('POST', `${tenant.at}/receivers`, {
      kind: 'ssf-poll',
      audience: 'https://app.example',
      subject: 'id',
    })
    for (let n = 0; n < 3; n++) await tenant.user()
    await settled()
    const kill = () =>
      rows(
        `UPDATE deliveries SET state = 'dead', last_error = 'answered 500' WHERE receiver_id = ?`,
        receiver,
      )
    const dead = async () =>
      (await admin<{ items: { id: string }[] }>('GET', `${tenant.at}/deliveries?state=dead`)).items
    await kill()
    const at = consoleOf(tenant)
    const page = await visitor.get(`${at}/deliveries?state=dead&receiverId=${receiver}`)
    expect(seen(page)).toContain('answered 500')
    const [first] = await dead()
    expect((await visitor.submit(`${at}/deliveries/${first?.id}/replay`)).status).toBe(303)
    expect(await dead()).toHaveLength(2)
    const all = await visitor.submit(`${at}/receivers/${receiver}/replay-dead`)
    expect(all.headers.get('location')).toBe(`${at}/deliveries?done=replayed`)
    expect(await dead()).toHaveLength(0)
  })

  it('decides about those whom the breaker holds', async () => {
    const tenant = await newTenant()
    const at = consoleOf(tenant)
    const set = { enabled: 'true', 'threshold.count': '1', 'threshold.windowMinutes': '10' }
    expect((await visitor.submit(`${at}/breaker`, set)).status).toBe(303)
    const users = [await tenant.user(), await tenant.user(), await tenant.user()]
    for (const { id } of users) await tenant.scim.delete(`/Users/${id}`)
    const tripped = await visitor.get(`${at}/breaker`)
    expect(seen(tripped)).toContain('2 held')
    expect(linksOn(tripped)).toContain(`${at}/people/${users[2]?.id}`)
    const back = await visitor.submit(`${at}/breaker/rollback`)
    expect(back.headers.get('location')).toBe(`${at}/jobs?done=rolling-back`)
    await toConsole.settled()
    expect(seen(await visitor.get(`${at}/breaker`))).toContain('Nobody is held')
    expect((await tenant.scim.get(`/Users/${users[2]?.id}`)).status).toBe(200)
    expect((await visitor.submit(`${at}/breaker/release`)).status).toBe(409)
  })

  it('edits a profile: each version is kept, and counts for the tenants that have it', async () => {
    const name = `p-${crypto.randomUUID()}`
    const document = (source: string) =>
      JSON.stringify({ name, title: 'Mine', user: { fields: [{ field: 'login', source }] } })
    const made = await visitor.submit('/console/new-profile', { document: document('userName') })
    expect(made.headers.get('location')).toBe(`/console/profiles/${name}?done=created`)
    const twice = await visitor.submit('/console/new-profile', { document: document('userName') })
    expect(twice.status).toBe(422)
    const path = `/console/profiles/${name}`
    expect((await visitor.submit(path, { document: document('displayName') })).status).toBe(303)
    expect(seen(await visitor.get(path))).toContain('version 2')
    expect(unescaped((await visitor.get(`${path}?version=1`)).text)).toContain('"source": "userName"')
    const tenant = await newTenant({ profile: name })
    expect((await visitor.submit(`${path}/delete`)).status).toBe(409)
    expect(
      (await visitor.submit(`${consoleOf(tenant)}/settings`, { name: 'T', profile: 'standard' })).status,
    ).toBe(303)
    expect((await visitor.submit(`${path}/delete`)).status).toBe(303)
  })

  it('suspends a tenant, watches the long work, and deletes it only by its slug', async () => {
    const tenant = await newTenant()
    await tenant.user()
    const at = consoleOf(tenant)
    expect((await visitor.submit(`${at}/status`, { status: 'suspended' })).status).toBe(303)
    expect((await tenant.scim.get('/Users')).status).toBe(403)
    expect(seen(await visitor.get(`${at}/jobs`))).toContain('Ending everybody')
    expect((await visitor.submit(`${at}/status`, { status: 'active' })).status).toBe(303)
    const blocked = await visitor.submit(`${at}/delete`, { slug: tenant.slug })
    expect(blocked.status).toBe(409)
    expect(seen(blocked)).toContain('Tick the box')
    const gone = await visitor.submit(`${at}/delete`, { slug: tenant.slug, deactivateUsers: 'true' })
    expect(gone.headers.get('location')).toBe('/console/tenants?done=deleting')
    await toConsole.settled()
    expect(seen(await visitor.get(at))).toContain('There is no such tenant.')
  })
})
