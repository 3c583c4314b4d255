// Every page of the console of a tenant in which everything that somebody else can name carries markup: nothing of it
// is taken for markup, no secret is in any page, and nothing of another tenant.
import { env } from 'cloudflare:workers'
import { beforeAll, describe, expect, test, vi } from 'vitest'
import { call, ENTERPRISE, GROUP, scim, USER } from './console-world'
import { type Anatomy, anatomyOf, crawl, decoded, newVisitor, type Visited } from './visitor'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 120_000 })

const MARK = 'zq9'
/** One of each way out of text, an attribute, a textarea, a title, a style and a script. */
const EVIL = `${MARK}"><script>alert(1)</script>'><img src=x onerror=alert(1)></textarea></title></style><svg/onload=alert(1)>`
const LINK = `javascript:alert('${MARK}')`
const MOST_PAGES = 150

interface World {
  readonly slug: string
  readonly tenantId: string
  readonly connectionId: string
  readonly receiverId: string
  readonly deliveryId: string
  readonly userId: string
  readonly activityId: string
  readonly profile: string
  /** None of them may be in any page. */
  readonly secrets: string[]
}

async function newWorld(): Promise<World> {
  const slug = `t-${crypto.randomUUID().slice(0, 13)}`
  const at = `/tenants/${slug}`
  const profile = `p-${crypto.randomUUID().slice(0, 13)}`
  await call('PUT', `/profiles/${profile}`, {
    name: profile,
    title: EVIL,
    user: {
      fields: [
        { field: 'title', source: 'title', default: EVIL },
        { field: 'nick', source: 'nickName' },
      ],
      role: { source: 'userType', default: EVIL.slice(0, 255), privileged: [EVIL.slice(0, 255)] },
      onDelete: 'deactivate',
    },
    groups: { as: 'roles' },
  })
  const tenant = await call('POST', '/tenants', { slug, name: EVIL, profile })
  const connection = await call<{ id: string; token: { value: string } }>('POST', `${at}/connections`, {
    name: EVIL,
    idp: 'generic',
  })
  const token = connection.token.value
  await call('PUT', `${at}/connections/${connection.id}/mapping`, { groupBy: { source: 'department' } })
  const receiver = await call<{ id: string; secret: string }>('POST', `${at}/receivers`, {
    kind: 'webhook',
    url: `https://receiver.example.com/${MARK}?q="><script>alert(1)</script>`,
  })
  await call('POST', `${at}/receivers`, {
    kind: 'ssf-push',
    url: 'https://push.example.com/',
    audience: `https://push.example.com/${MARK}"><script>`,
    authorizationHeader: 'Bearer authorization-header-secret',
  })
  const key = await call<{ value: string }>('POST', `${at}/app-keys`, { name: EVIL.slice(0, 255) })
  const setup = await call<{ url: string }>('POST', `${at}/setup-links`, { expiresInHours: 24 })
  await call('POST', `${at}/target-groups`, { name: EVIL.slice(0, 255) })
  await call('PUT', `${at}/schemas/urn:example:evil:1.0:User`, {
    extends: 'User',
    name: EVIL,
    description: EVIL,
    attributes: [{ name: 'badge', type: 'string', multiValued: false, description: EVIL }],
  })
  const { userId } = await people(slug, token)
  await events(tenant.id, userId, receiver.id)
  await activity(tenant.id, connection.id, userId)
  const [delivery] = await rows(
    'SELECT event_id || ? || receiver_id AS id FROM deliveries WHERE tenant_id = ?',
    '.',
    tenant.id,
  )
  return {
    slug,
    tenantId: tenant.id,
    connectionId: connection.id,
    receiverId: receiver.id,
    deliveryId: String(delivery?.id),
    userId,
    activityId: 'evil-3',
    profile,
    secrets: [
      token,
      receiver.secret,
      key.value,
      setup.url.split('/').at(-1) ?? '',
      'authorization-header-secret',
      env.ADMIN_TOKEN,
      env.SECRET_KEY,
    ],
  }
}

async function people(slug: string, token: string): Promise<{ userId: string }> {
  const values = { value: EVIL, display: EVIL, type: EVIL }
  const user = (n: number) => ({
    schemas: [USER, ENTERPRISE, 'urn:example:evil:1.0:User'],
    userName: `${EVIL}${n}`,
    externalId: `${EVIL}${n}`,
    displayName: EVIL,
    nickName: EVIL,
    title: LINK,
    userType: EVIL.slice(0, 255),
    profileUrl: LINK,
    locale: EVIL,
    preferredLanguage: EVIL,
    timezone: EVIL,
    active: true,
    name: { formatted: EVIL, familyName: EVIL, givenName: EVIL, middleName: EVIL, honorificPrefix: EVIL },
    emails: [values],
    phoneNumbers: [values],
    ims: [values],
    photos: [{ value: LINK, display: EVIL }],
    addresses: [{ formatted: EVIL, streetAddress: EVIL, locality: EVIL, country: EVIL, type: EVIL }],
    entitlements: [values],
    roles: [values],
    [ENTERPRISE]: { department: EVIL.slice(0, 200), employeeNumber: EVIL, costCenter: EVIL },
    'urn:example:evil:1.0:User': { badge: EVIL },
  })
  const first = await scim(slug, token, 'POST', '/Users', user(1))
  const second = await scim(slug, token, 'POST', '/Users', user(2))
  await scim(slug, token, 'POST', '/Groups', {
    schemas: [GROUP],
    displayName: EVIL.slice(0, 255),
    members: [{ value: first.id }],
  })
  await scim(slug, token, 'PUT', `/Users/${first.id}`, { ...user(1), active: false, nickName: `${EVIL}!` })
  await scim(slug, token, 'DELETE', `/Users/${second.id}`)
  return { userId: first.id }
}

/** What a receiver answered, and an event whose every value is markup. */
async function events(tenantId: string, userId: string, receiverId: string): Promise<void> {
  const data = {
    user: { id: userId, userName: EVIL, externalId: EVIL },
    changed: [EVIL, LINK],
    reason: EVIL,
    sessions: 'revoke_all',
  }
  await rows(
    `INSERT INTO events (tenant_id, sequence, id, type, txn, user_id, occurred_at, data)
      SELECT ?1, max(sequence) + 1, 'evil-event', ?2, 'evil-3', ?3, 1, ?4 FROM events WHERE tenant_id = ?1`,
    tenantId,
    EVIL,
    userId,
    JSON.stringify(data),
  )
  await rows(
    `UPDATE deliveries SET state = 'dead', attempts = 12, last_status = 500, last_error = ?2, wake_at = NULL
      WHERE tenant_id = ?1 AND receiver_id = ?3`,
    tenantId,
    EVIL,
    receiverId,
  )
}

async function activity(tenantId: string, connectionId: string, userId: string): Promise<void> {
  for (const [i, [outcome, status]] of (
    [
      ['ok', 200],
      ['rejected', 400],
      ['unauthorized', 401],
      ['error', 500],
    ] as const
  ).entries())
    await rows(
      `INSERT INTO activity (tenant_id, id, at, outcome, connection_id, token_hint, method, path, status, scim_type,
          detail, help, resource_type, resource_id, tolerances, duration_ms)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6, ?6, ?7, ?6, ?6, ?6, ?8, ?9, ?10, 3)`,
      tenantId,
      `evil-${i}`,
      Date.now(),
      outcome,
      connectionId,
      EVIL,
      status,
      i === 1 ? EVIL : 'User',
      i === 1 ? `${EVIL}/..` : userId,
      JSON.stringify([`quoted-boolean: ${EVIL}`, EVIL, `__proto__: ${LINK}`, `constructor: ${EVIL}`]),
    )
}

async function rows(text: string, ...values: unknown[]) {
  return (
    await env.DB.prepare(text)
      .bind(...values)
      .all<Record<string, unknown>>()
  ).results
}

/** What its source says outright: no marker is followed by what would end the text that it stands in. */
function isClean({ html }: Visited): boolean {
  return !/<script>alert|<img src=x|<svg\/onload|<\/textarea><\/title>|zq9"/i.test(html)
}

describe('every page of a tenant full of markup', () => {
  let world: World
  let other: World
  let pages: Map<string, Visited & { anatomy: Anatomy }>
  /** And what is no page. */
  let files: typeof pages
  const visitor = newVisitor()

  beforeAll(async () => {
    ;[world, other] = [await newWorld(), await newWorld()]
    await visitor.enter()
    const own = `/console/tenants/${world.slug}`
    const from = [
      own,
      '/console',
      '/console/tenants',
      '/console/new-tenant',
      '/console/profiles',
      '/console/new-profile',
      `/console/profiles/${world.profile}`,
      ...['webhook', 'ssf-push', 'ssf-poll', 'backchannel-logout', 'global-token-revocation'].map(
        kind => `${own}/receivers/new?kind=${kind}`,
      ),
      `${own}/deliveries?state=dead&receiverId=${world.receiverId}`,
      `${own}/people?q=${encodeURIComponent(EVIL)}`,
      `${own}/people?q=${encodeURIComponent(`userName eq "${EVIL}`)}`,
      `${own}/people?role=${encodeURIComponent(EVIL)}`,
      `${own}/activity?outcome=rejected&connectionId=${encodeURIComponent(EVIL)}`,
      `${own}?done=${encodeURIComponent(EVIL)}`,
    ]
    const isOwn = (path: string) => path === own || path.startsWith(`${own}/`) || path.startsWith(`${own}?`)
    files = await crawl(path => visitor.get(path), from, isOwn, MOST_PAGES)
    pages = new Map([...files].filter(([, { headers }]) => isHtml(headers)))
  })

  const ill = (is: (page: Visited & { anatomy: Anatomy }, path: string) => boolean) =>
    [...pages].filter(([path, page]) => is(page, path)).map(([path]) => path)

  test('the crawl comes to every section, to a person, to a request and to a receiver', () => {
    const seen = [...pages.keys()].join('\n')
    for (const section of [
      'connections',
      'setup-links',
      'people',
      'roles',
      'target-groups',
      'breaker',
      'receivers',
      'deliveries',
      'activity',
      'schemas',
      'resource-types',
      'app-keys',
      'jobs',
      `people/${world.userId}`,
      `connections/${world.connectionId}/mapping`,
      `receivers/${world.receiverId}`,
      `activity/${world.activityId}`,
      'schemas/edit?urn=',
    ])
      expect(seen).toContain(`/console/tenants/${world.slug}/${section}`)
    expect(pages.size).toBeLessThan(MOST_PAGES)
    expect([...pages.values()].filter(({ html }) => decoded(html).includes(MARK)).length).toBeGreaterThan(20)
  })

  test('is there, but for a search that is refused', () => {
    const refused = ill(({ status }) => status !== 200)
    expect(refused.filter(path => !/q=userName|connectionId=zq9|^\/console[^?]*evidence/.test(path))).toEqual(
      [],
    )
    expect(ill(({ status }) => status >= 500)).toEqual([])
  })

  test('takes nothing of it for markup', () => {
    expect(ill(page => !isClean(page))).toEqual([])
    expect(ill(({ anatomy }) => anatomy.foreign.length > 0)).toEqual([])
    expect(ill(({ anatomy }) => anatomy.scripts.join() !== '/pages.js')).toEqual([])
  })

  test('leads and sends nowhere but within the console', () => {
    const foreign = [...pages.values()].flatMap(({ anatomy }) =>
      [...anatomy.hrefs, ...anatomy.forms].filter(href => !/^(?:#[\w-]+$|\/console(?:[/?]|$))/.test(href)),
    )
    expect(foreign).toEqual([])
  })

  test('has a language, a title, one heading, a label for each field and no id twice', () => {
    const of = (is: (anatomy: Anatomy) => boolean) => ill(({ anatomy }) => is(anatomy))
    expect(of(({ lang }) => lang !== 'en')).toEqual([])
    expect(of(({ title }) => title.trim() === '')).toEqual([])
    expect(of(({ headings }) => headings !== 1)).toEqual([])
    expect(of(({ unlabelled }) => unlabelled.length > 0)).toEqual([])
    expect(of(({ doubleIds }) => doubleIds.length > 0)).toEqual([])
  })

  test('has no secret in it', () => {
    expect(world.secrets.length).toBeGreaterThanOrEqual(7)
    for (const secret of [...world.secrets, ...other.secrets])
      expect(ill(({ html }) => html.includes(secret) || decoded(html).includes(secret))).toEqual([])
  })

  test('has nothing of another tenant, and nothing of another is behind its addresses', async () => {
    const own = ill(({ html }, path) => path.startsWith('/console/tenants/') && html.includes(other.slug))
    expect(own).toEqual([])
    const at = `/console/tenants/${world.slug}`
    for (const path of [
      `connections/${other.connectionId}`,
      `connections/${other.connectionId}/mapping`,
      `people/${other.userId}`,
      `people/${other.userId}/evidence`,
      `receivers/${other.receiverId}`,
      `activity/01a-of-nobody`,
    ]) {
      const reply = await visitor.get(`${at}/${path}`)
      expect([path, reply.status]).toEqual([path, 404])
      expect((await anatomyOf(reply.html)).headings).toBe(1)
    }
    for (const path of [
      `connections/${other.connectionId}`,
      `connections/${other.connectionId}/delete`,
      `connections/${other.connectionId}/tokens`,
      `connections/${other.connectionId}/mapping`,
      `people/${other.userId}/revoke`,
      `receivers/${other.receiverId}`,
      `receivers/${other.receiverId}/delete`,
      `receivers/${other.receiverId}/replay-dead`,
      `deliveries/${other.deliveryId}/replay`,
    ]) {
      const reply = await visitor.post(`${at}/${path}`, { name: 'x', mode: 'compat', overlapSeconds: '0' })
      expect([path, reply.status]).toEqual([path, 404])
    }
    const kept = await call<{ name: string; status: string }>(
      'GET',
      `/tenants/${other.slug}/connections/${other.connectionId}`,
    )
    expect([kept.name, kept.status]).toEqual([EVIL, 'active'])
  })

  test('a token is shown once, by the page that makes it, and by none after it', async () => {
    const at = `/console/tenants/${world.slug}/connections/${world.connectionId}`
    const made = await visitor.post(`${at}/tokens`, { overlapSeconds: '3600' })
    expect(made.status).toBe(200)
    const [value = ''] = /\bescim_[\w-]{40,}/.exec(made.html) ?? []
    expect(value).not.toBe('')
    expect(made.html.split(value).length - 1).toBe(1)
    expect(made.headers.get('cache-control')).toBe('no-store')
    for (const path of [at, `/console/tenants/${world.slug}`, `/console/tenants/${world.slug}/activity`])
      expect((await visitor.get(path)).html).not.toContain(value)
  })
})

function isHtml(headers: Headers): boolean {
  return headers.get('content-type')?.includes('html') ?? false
}
