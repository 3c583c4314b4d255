// An operator's work in the console: each page with nothing in it, what is wrong said at the field, and each thing that
// is done there.
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { anatomyOf, decoded, newVisitor, type Visited } from '../http/visitor'
import { rows } from '../storage/world'
import { admin, newTenant, settled, type Tenant } from './world'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

const visitor = newVisitor()
beforeAll(() => visitor.enter())
afterEach(() => settled())

/** What a reader sees of a page. */
function seen({ html }: Visited): string {
  const text = html.replace(/<head>.*<\/head>/s, '').replace(/<[^>]*>/g, ' ')
  return decoded(text).replace(/\s+/g, ' ').trim()
}

function linksOn({ html }: Visited): string[] {
  return [...html.matchAll(/<a\b[^>]*?\bhref="([^"]*)"/g)].map(([, href = '']) => decoded(href))
}

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
      expect(page.html).toMatch(/^<!doctype html><html lang="en">.*<main id="main".*<h1>/s)
      expect(page.html).not.toMatch(/undefined|NaN|\[object /)
    }
  })

  it('of the deployment renders, one tenant or many', async () => {
    for (const path of ['', '/tenants', '/new-tenant', '/profiles', '/new-profile', '/profiles/standard'])
      expect((await visitor.get(`/console${path}`)).status).toBe(200)
  })
})

/** What breaks out of an element, of an attribute, of a text field, of a title. */
const HOSTILE = `"'><script>alert(1)</script></title></textarea><img src=x onerror=alert(2)> " autofocus onfocus=alert(3) x=" &lt;b&gt;`

async function expectHarmless({ html }: Visited) {
  const { foreign, scripts, hrefs, forms } = await anatomyOf(html)
  expect({ foreign, scripts }).toEqual({ foreign: [], scripts: ['/pages.js'] })
  for (const place of [...hrefs, ...forms]) expect(place).toMatch(/^(?:#[\w-]+$|\/console(?:[/?]|$))/)
}

describe('whatever somebody wrote', () => {
  it('is text in forms that are shown again, and in the address', async () => {
    const tenant = await bareTenant()
    const at = consoleOf(tenant)
    const encoded = encodeURIComponent(HOSTILE)
    const pages = [
      await visitor.post('/console/new-tenant', { slug: HOSTILE, name: HOSTILE, profile: HOSTILE }),
      await visitor.post('/console/new-profile', { document: `{"name": "${HOSTILE}` }),
      await visitor.post('/console/new-profile', { document: JSON.stringify({ [HOSTILE]: HOSTILE }) }),
      await visitor.post(`${at}/connections/new`, { name: '', idp: HOSTILE, mode: HOSTILE }),
      await visitor.post(`${at}/receivers/new`, { kind: 'webhook', url: HOSTILE }),
      await visitor.post(`${at}/receivers/new`, { kind: HOSTILE, url: HOSTILE }),
      await visitor.post(`${at}/schemas/edit?urn=${encoded}`, { document: '{}' }),
      await visitor.post(`${at}/breaker`, { 'threshold.count': HOSTILE }),
      await visitor.post(`${at}/delete`, { slug: HOSTILE }),
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
    expect(pages.filter(({ status }) => status >= 500)).toEqual([])
    for (const page of pages) await expectHarmless(page)
  })
})

describe('a form that is refused', () => {
  const values = (page: Visited) =>
    Object.fromEntries(
      [...page.html.matchAll(/<input[^>]*\sname="([^"]*)"[^>]*\svalue="([^"]*)"/g)].map(([, name, value]) => [
        name,
        decoded(value ?? ''),
      ]),
    )

  it('keeps what was typed, says at the field what is wrong, and changes nothing', async () => {
    const page = await visitor.post('/console/new-tenant', { slug: 'Not A Slug', name: 'Typed "so"' })
    expect(page.status).toBe(422)
    expect(values(page)).toMatchObject({ slug: 'Not A Slug', name: 'Typed "so"' })
    expect(page.html).toMatch(
      /<input id="form-slug" name="slug" aria-invalid="true" aria-describedby="form-slug-hint form-slug-error"/,
    )
    expect(page.html).toContain('<a href="#form-slug">')
    expect(seen(page)).toContain('Nothing was changed')
  })

  it('does so for a taken slug, a wrong URL, a wrong number, a wrong confirmation', async () => {
    const tenant = await newTenant()
    const at = consoleOf(tenant)
    const taken = await visitor.post('/console/new-tenant', { slug: tenant.slug, name: 'Twice' })
    expect([taken.status, values(taken).slug]).toEqual([409, tenant.slug])
    const url = 'http://10.0.0.1/'
    const receiver = await visitor.post(`${at}/receivers/new`, { kind: 'webhook', url })
    expect([receiver.status, values(receiver).url]).toEqual([422, url])
    expect(receiver.html).toContain('id="form-url-error"')
    const breaker = await visitor.post(`${at}/breaker`, {
      'threshold.count': 'many',
      'threshold.windowMinutes': '5',
    })
    expect([breaker.status, values(breaker)['threshold.count']]).toEqual([422, 'many'])
    const deletion = await visitor.post(`${at}/delete`, { slug: 'another' })
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
    const page = await visitor.post('/console/new-profile', { document })
    expect(page.status).toBe(422)
    expect(seen(page)).toContain('user.fields[1].source:')
    expect(decoded(page.html)).toContain(document)
    const cut = await visitor.post('/console/new-profile', { document: '{"name": ' })
    expect([cut.status, seen(cut).includes('is not valid JSON')]).toEqual([422, true])
  })

  it('names the row of a mapping in which it was typed', async () => {
    const tenant = await newTenant()
    const path = `${consoleOf(tenant)}/connections/${tenant.connection.id}/mapping`
    const page = await visitor.post(path, {
      'fields[0].field': 'rank',
      'fields[0].source': 'title',
      'fields[4].field': 'other',
      'fields[4].source': 'nothing[',
      action: 'publish',
    })
    expect(page.status).toBe(422)
    expect(page.html).toContain('<a href="#form-fields-4-source">')
    expect(values(page)).toMatchObject({ 'fields[0].field': 'rank', 'fields[4].source': 'nothing[' })
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
    expect(told.html).toContain('<title>5 hours ago: 4 taken, p50 3.3 s, p95 3.3 s</title>')
    expect(told.html).toMatch(/<g class="bad"><title>5 hours ago/)
    expect(told.html).toContain('<title>This hour: 4 taken, p50 35 ms, p95 35 ms</title>')
  })

  it('sees first what cannot wait: what was not taken in time, and a breaker that has tripped', async () => {
    const tenant = await newTenant()
    const at = consoleOf(tenant)
    const { id } = await admin('POST', `${tenant.at}/receivers`, {
      kind: 'ssf-poll',
      audience: 'https://app.example',
      subject: 'id',
    })
    const users = [await tenant.user(), await tenant.user()]
    expect(seen(await visitor.get(at))).not.toContain('To be looked at now')
    await admin('PUT', `${tenant.at}/breaker`, { enabled: true, threshold: { count: 1, windowMinutes: 10 } })
    for (const user of users) await tenant.scim.delete(`/Users/${user.id}`)
    await rows(`UPDATE deliveries SET overdue = 1 WHERE receiver_id = ? AND ends_sessions = 1`, id)
    const page = await visitor.get(at)
    expect(seen(page)).toContain('A tenant: 2 ends of sessions were not taken in time')
    expect(seen(page)).toContain('A tenant: the breaker has tripped; decide about those who are held')
    expect(linksOn(page)).toEqual(expect.arrayContaining([`${at}/receivers`, `${at}/breaker`]))
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
    expect([wrong.status, wrong.html.includes('aria-invalid="true"')]).toEqual([400, true])
  })

  it('follows a role to those who have it, by an attribute or by a group', async () => {
    const profile = `p-${crypto.randomUUID()}`
    const user = { fields: [{ field: 'login', source: 'userName' }], role: { source: 'title' } }
    await admin('PUT', `/profiles/${profile}`, { name: profile, user, groups: { as: 'roles' } })
    const tenant = await newTenant({ profile })
    const [ada, bob] = [
      await tenant.user({ userName: 'ada@acme.example', title: 'Cook' }),
      await tenant.user({ userName: 'bob@acme.example', title: 'Captain' }),
    ]
    const staff = await tenant.group({
      displayName: 'Staff',
      members: [{ value: ada.id }, { value: bob.id }],
    })
    await tenant.group({ displayName: 'Cook', members: [{ value: bob.id }] })
    const roles = linksOn(await visitor.get(`${consoleOf(tenant)}/roles`)).filter(href =>
      href.includes('role='),
    )
    expect(roles).toHaveLength(4)
    const named = async (path: string) => {
      const page = seen(await visitor.get(path))
      return ['ada', 'bob'].filter(name => page.includes(`${name}@acme.example active`))
    }
    const found = async (role: string, isGroup: boolean) => {
      const path = roles.find(href => href.includes(`role=${role}`) && href.includes('group=') === isGroup)
      return named(path ?? '')
    }
    expect(await found('Cook', false)).toEqual(['ada'])
    expect(await found('Cook', true)).toEqual(['bob'])
    expect(await found('Captain', false)).toEqual(['bob'])
    expect(await found('Staff', true)).toEqual(['ada', 'bob'])
    const other = await newTenant()
    expect(await named(`${consoleOf(other)}/people?group=${staff.id}`)).toEqual([])
  })

  it('tries a mapping on the users that there are, publishes it, and goes back', async () => {
    const tenant = await newTenant()
    for (const title of ['Captain', 'Cook', 'Cook']) await tenant.user({ title })
    const path = `${consoleOf(tenant)}/connections/${tenant.connection.id}/mapping`
    const mapping = { 'groupBy.source': 'title' }
    const tried = await visitor.post(path, { ...mapping, action: 'preview' })
    expect(seen(tried)).toContain('1 comes to Captain, 2 come to Cook.')
    expect(seen(tried)).toContain('Nothing is written yet.')
    const version = async () =>
      (await admin('GET', `${tenant.at}/connections/${tenant.connection.id}/mapping`)).version
    expect(await version()).toBe(0)
    expect((await visitor.post(path, { ...mapping, action: 'publish' })).status).toBe(303)
    expect(await version()).toBe(1)
    expect((await visitor.post(`${path}/rollback`, { version: '0' })).status).toBe(303)
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
    const page = await visitor.post(path, {
      'fields[0].field': 'rank',
      'fields[0].source': 'title',
      'fields[0].values': 'Captain',
      action: 'preview',
    })
    expect(page.status).toBe(200)
    expect(seen(page)).toContain('1 user would be refused. Nobody would change.')
    expect(seen(page)).toContain('As long as users would be refused it cannot be published.')
    const refused = await visitor.post(path, {
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
    const made = await visitor.post(`${at}/tokens`, {
      overlapSeconds: '3600',
      expiresAt: '2030-01-02T03:04',
    })
    const [, value = ''] = /<code id="secret-1">([^<]*)</.exec(made.html) ?? []
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
    expect((await visitor.post(`${at}/tokens/${id}/revoke`)).status).toBe(303)
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
    expect((await visitor.post(`${at}/deliveries/${first?.id}/replay`)).status).toBe(303)
    expect(await dead()).toHaveLength(2)
    const all = await visitor.post(`${at}/receivers/${receiver}/replay-dead`)
    expect(all.headers.get('location')).toBe(`${at}/deliveries?done=replayed`)
    expect(await dead()).toHaveLength(0)
  })

  it('sees what a receiver does not have, what is dead, and that it does not answer', async () => {
    const tenant = await newTenant()
    const stream = { kind: 'ssf-poll', audience: 'https://app.example', subject: 'id' }
    const { id } = await admin('POST', `${tenant.at}/receivers`, stream)
    for (let n = 0; n < 3; n++) await tenant.user()
    await settled()
    await rows(`UPDATE deliveries SET state = 'dead' WHERE receiver_id = ? AND sequence = 1`, id)
    const list = await visitor.get(`${consoleOf(tenant)}/receivers`)
    expect(seen(list)).toMatch(/Shared Signals, polled active 11 types 2 1 /)
    expect(linksOn(list)).toContain(`${consoleOf(tenant)}/deliveries?state=dead&receiverId=${id}`)
    const page = () => visitor.get(`${consoleOf(tenant)}/receivers/${id}`)
    expect(seen(await page())).toMatch(/Undelivered 2 Dead letters 1 /)
    expect(seen(await page())).not.toContain('not answering')
    await rows(`UPDATE receivers SET open_until = ?2, failures = 10 WHERE id = ?1`, id, Date.now() + 60_000)
    expect(seen(await page())).toContain('not answering')
  })

  it('decides about those whom the breaker holds', async () => {
    const tenant = await newTenant()
    const at = consoleOf(tenant)
    const set = { enabled: 'true', 'threshold.count': '1', 'threshold.windowMinutes': '10' }
    expect((await visitor.post(`${at}/breaker`, set)).status).toBe(303)
    const users = [await tenant.user(), await tenant.user(), await tenant.user()]
    for (const { id } of users) await tenant.scim.delete(`/Users/${id}`)
    const tripped = await visitor.get(`${at}/breaker`)
    expect(seen(tripped)).toContain('2 held')
    expect(linksOn(tripped)).toContain(`${at}/people/${users[2]?.id}`)
    const back = await visitor.post(`${at}/breaker/rollback`)
    expect(back.headers.get('location')).toBe(`${at}/jobs?done=rolling-back`)
    expect(seen(await visitor.get(`${at}/breaker`))).toContain('Nobody is held')
    expect((await tenant.scim.get(`/Users/${users[2]?.id}`)).status).toBe(200)
    expect((await visitor.post(`${at}/breaker/release`)).status).toBe(409)
  })

  it('edits a profile: each version is kept, and counts for the tenants that have it', async () => {
    const name = `p-${crypto.randomUUID()}`
    const document = (source: string) =>
      JSON.stringify({ name, title: 'Mine', user: { fields: [{ field: 'login', source }] } })
    const made = await visitor.post('/console/new-profile', { document: document('userName') })
    expect(made.headers.get('location')).toBe(`/console/profiles/${name}?done=created`)
    const twice = await visitor.post('/console/new-profile', { document: document('userName') })
    expect(twice.status).toBe(422)
    const path = `/console/profiles/${name}`
    expect((await visitor.post(path, { document: document('displayName') })).status).toBe(303)
    expect(seen(await visitor.get(path))).toContain('version 2')
    expect(decoded((await visitor.get(`${path}?version=1`)).html)).toContain('"source": "userName"')
    const tenant = await newTenant({ profile: name })
    expect((await visitor.post(`${path}/delete`)).status).toBe(409)
    expect(
      (await visitor.post(`${consoleOf(tenant)}/settings`, { name: 'T', profile: 'standard' })).status,
    ).toBe(303)
    expect((await visitor.post(`${path}/delete`)).status).toBe(303)
  })

  it('suspends a tenant, watches the long work, and deletes it only by its slug', async () => {
    const tenant = await newTenant()
    await tenant.user()
    const at = consoleOf(tenant)
    expect((await visitor.post(`${at}/status`, { status: 'suspended' })).status).toBe(303)
    expect((await tenant.scim.get('/Users')).status).toBe(403)
    expect(seen(await visitor.get(`${at}/jobs`))).toContain('Ending everybody')
    expect((await visitor.post(`${at}/status`, { status: 'active' })).status).toBe(303)
    const blocked = await visitor.post(`${at}/delete`, { slug: tenant.slug })
    expect(blocked.status).toBe(409)
    expect(seen(blocked)).toContain('Tick the box')
    const gone = await visitor.post(`${at}/delete`, { slug: tenant.slug, deactivateUsers: 'true' })
    expect(gone.headers.get('location')).toBe('/console/tenants?done=deleting')
    expect(seen(await visitor.get(at))).toContain('There is no such tenant.')
  })
})
