// Who is let into the console, for how long, and which forms are taken: the session, its cookie, CSRF, the headers of
// every page, Cloudflare Access, and what becomes of a form whose sender was signed out.
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { formTokenOn, newVisitor, seen, signedIn, toConsole, type Visitor } from './console-visitor'
import { ADMIN_TOKEN, admin, newTenant, ORIGIN, type Tenant, withBindings } from './world'

const HOUR_MS = 3_600_000

afterEach(async () => {
  vi.useRealTimers()
  vi.restoreAllMocks()
  await toConsole.settled()
})

const tenantNames = async () =>
  (await admin<{ items: { name: string }[] }>('GET', '/tenants?limit=200')).items.map(({ name }) => name)

const slugs = () => `t-${crypto.randomUUID()}`

describe('signing in', () => {
  it('is by the admin token, and gives a cookie that no script and no other site gets', async () => {
    const visitor = newVisitor()
    const reply = await visitor.signIn()
    expect([reply.status, reply.headers.get('location')]).toEqual([303, '/console'])
    const cookie = reply.headers.get('set-cookie') ?? ''
    expect(cookie).toMatch(
      /^__Host-console=[\w.-]+; Path=\/; Max-Age=43200; HttpOnly; SameSite=Strict; Secure$/,
    )
    expect(cookie).not.toContain(ADMIN_TOKEN)
    expect((await visitor.get('/console')).status).toBe(200)
  })

  it.each([
    '',
    'wrong',
    ADMIN_TOKEN.slice(0, -1),
    `${ADMIN_TOKEN}x`,
    ADMIN_TOKEN.toUpperCase(),
    `Bearer ${ADMIN_TOKEN}`,
  ])('is refused for "%s", and sets no cookie', async token => {
    const reply = await newVisitor().signIn(token)
    expect([reply.status, reply.headers.get('set-cookie')]).toEqual([401, null])
    expect(seen(reply)).toContain('This is not the admin token of this deployment.')
    if (token !== '') expect(reply.text).not.toContain(`"${token}"`)
  })

  it('is limited by address as other wrong credentials are, and the right token never', async () => {
    const limiter = { limit: async () => ({ success: false }) } as unknown as RateLimit
    const limited = withBindings({ FAILED_CREDENTIAL_LIMIT: limiter })
    const headers = { 'cf-connecting-ip': '192.0.2.7' }
    const reply = await newVisitor(limited, headers).signIn('wrong')
    expect(reply.status).toBe(429)
    expect(reply.headers.get('retry-after')).toMatch(/^\d+$/)
    expect((await newVisitor(limited, headers).signIn()).status).toBe(303)
  })

  it.each([
    'https://elsewhere.example/console',
    '//elsewhere.example',
    '/consolation',
    '/console\\@elsewhere.example',
    'javascript:alert(1)',
  ])('leads nowhere but into the console: not to %s', async to => {
    const visitor = newVisitor()
    const reply = await visitor.post('/console/sign-in', { token: ADMIN_TOKEN, to })
    expect(reply.headers.get('location')).toBe('/console')
    const page = await visitor.get(`/console/sign-in?to=${encodeURIComponent(to)}`)
    expect(page.text).toContain('name="to" value="/console"')
  })

  it('is not taken from another site', async () => {
    const fields = { token: ADMIN_TOKEN, to: '/console' }
    for (const headers of [{ origin: 'https://elsewhere.example' }, { 'sec-fetch-site': 'cross-site' }]) {
      const reply = await newVisitor().post('/console/sign-in', fields, headers)
      expect([reply.status, reply.headers.get('set-cookie')]).toEqual([403, null])
    }
  })
})

describe('a session', () => {
  it('lets nobody see a page without it, and leads back to the page that was asked for', async () => {
    const { slug } = await newTenant()
    for (const path of [
      '',
      '/tenants',
      '/profiles',
      `/tenants/${slug}`,
      `/tenants/${slug}/people?q=a`,
      '/nowhere',
    ]) {
      const reply = await newVisitor().get(`/console${path}`)
      const to = new URLSearchParams({ to: `/console${path}` })
      expect([reply.status, reply.headers.get('location')]).toEqual([303, `/console/sign-in?${to}`])
      expect(reply.text).toBe('')
    }
  })

  it('ends after twelve hours', async () => {
    vi.useFakeTimers({ toFake: ['Date'] })
    const visitor = await signedIn()
    const { cookie } = visitor
    const kept = cookie()
    vi.setSystemTime(Date.now() + 12 * HOUR_MS - 1_000)
    expect((await visitor.get('/console')).status).toBe(200)
    vi.setSystemTime(Date.now() + 2_000)
    expect(cookie()).toBe(kept)
    expect((await visitor.get('/console')).status).toBe(303)
  })

  it('is nobody else’s text: a changed one, a later end, another token’s', async () => {
    const visitor = await signedIn()
    const [name, id = '', end = '', mac = ''] = visitor.cookie().split(/[=.]/)
    const other = mac.startsWith('A') ? `B${mac.slice(1)}` : `A${mac.slice(1)}`
    const forged = [
      `${name}=${id}.${end}.${other}`,
      `${name}=${id}.${Number(end) + HOUR_MS}.${mac}`,
      `${name}=${crypto.randomUUID()}.${end}.${mac}`,
      `${name}=`,
      `${name}=x`,
    ]
    for (const cookie of forged) {
      const thief = newVisitor()
      thief.setCookie(cookie)
      expect([cookie, (await thief.get('/console')).status]).toEqual([cookie, 303])
    }
    const rotated = newVisitor(
      withBindings({ ADMIN_TOKEN: 'another-admin-token' } as unknown as Partial<Env>),
    )
    rotated.setCookie(visitor.cookie())
    expect((await rotated.get('/console')).status).toBe(303)
  })

  it('is over when its operator signs out', async () => {
    const visitor = await signedIn()
    const reply = await visitor.submit('/console/sign-out')
    expect([reply.status, reply.headers.get('location')]).toEqual([303, '/console/sign-in'])
    expect(reply.headers.get('set-cookie')).toMatch(/^__Host-console=; Path=\/; Max-Age=0; HttpOnly/)
    expect((await visitor.get('/console')).status).toBe(303)
  })

  it('is not opened by plain http', async () => {
    const url = ORIGIN.replace('https:', 'http:')
    const reply = await toConsole(new Request(`${url}/console/sign-in`))
    expect([reply.status, reply.headers.get('set-cookie')]).toEqual([403, null])
  })
})

describe('a form', () => {
  let visitor: Visitor
  beforeEach(async () => {
    visitor = await signedIn()
  })

  const create = (fields: object, headers?: Record<string, string>) => {
    const name = `Name ${crypto.randomUUID()}`
    const sent = { slug: slugs(), name, profile: 'standard', ...fields }
    return { name, reply: visitor.post('/console/new-tenant', sent, headers) }
  }

  it('is taken with the session’s own token', async () => {
    const { name, reply } = create({ form_token: visitor.formToken() })
    expect((await reply).status).toBe(303)
    expect(await tenantNames()).toContain(name)
  })

  it('does nothing without it, nor with that of another session', async () => {
    const other = await signedIn()
    for (const fields of [{}, { form_token: '' }, { form_token: 'x' }, { form_token: other.formToken() }]) {
      const blind = create(fields, {})
      expect((await blind.reply).status).toBe(403)
      const inPage = create(fields)
      expect(seen(await inPage.reply)).toContain('nothing has been done yet')
      const names = await tenantNames()
      expect([names.includes(blind.name), names.includes(inPage.name)]).toEqual([false, false])
    }
  })

  it.each<Record<string, string>>([
    { origin: 'https://elsewhere.example' },
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
    { origin: ORIGIN, 'sec-fetch-site': 'cross-site' },
    { origin: ORIGIN.replace('https:', 'http:') },
    { origin: `${ORIGIN}:8443` },
  ])('is refused from elsewhere, the right token or not: %o', async headers => {
    const { name, reply } = create({ form_token: visitor.formToken() }, headers)
    expect((await reply).status).toBe(403)
    expect(await tenantNames()).not.toContain(name)
  })

  it('is at most 4 MiB', async () => {
    const { reply } = create({ form_token: visitor.formToken(), more: 'x'.repeat(4 << 20) })
    expect((await reply).status).toBe(413)
  })
})

describe('a form of somebody who was signed out', () => {
  const kept = (text: string) => /name="kept_form" value="([^"]*)"/.exec(text)?.[1] ?? ''

  async function sendSignedOut(path: string, fields: Record<string, string>) {
    const visitor = await signedIn()
    const form_token = visitor.formToken()
    visitor.setCookie('')
    const asked = await visitor.post(path, { form_token, ...fields })
    return { visitor, asked }
  }

  it('asks for the sign-in, is shown, and is sent when its sender says so', async () => {
    const fields = { slug: slugs(), name: `Kept & found ${crypto.randomUUID()}`, profile: 'standard' }
    const { visitor, asked } = await sendSignedOut('/console/new-tenant', fields)
    expect(asked.status).toBe(401)
    expect(seen(asked)).toContain('The form that you sent is kept')
    const wrong = await visitor.post('/console/sign-in', {
      token: 'wrong',
      to: '/console/new-tenant',
      kept_form: kept(asked.text),
    })
    const shown = await visitor.post('/console/sign-in', {
      token: ADMIN_TOKEN,
      to: '/console/new-tenant',
      kept_form: kept(wrong.text),
    })
    expect(seen(shown)).toContain(fields.name)
    expect(await tenantNames()).not.toContain(fields.name)
    const again = { form_token: formTokenOn(shown), kept_form: kept(shown.text) }
    const overlooked = await visitor.post('/console/new-tenant', { ...again, look_over: 'true' })
    expect(overlooked.text).toContain(`value="${fields.name.replace('&', '&amp;')}"`)
    expect(await tenantNames()).not.toContain(fields.name)
    expect((await visitor.post('/console/new-tenant', again)).status).toBe(303)
    expect(await tenantNames()).toContain(fields.name)
  })

  it('shows no secret that was typed', async () => {
    const { slug } = await newTenant()
    const path = `/console/tenants/${slug}/receivers/new`
    const secret = 'Bearer of-a-secret'
    const { asked, visitor } = await sendSignedOut(path, { kind: 'ssf-push', authorizationHeader: secret })
    const shown = await visitor.post('/console/sign-in', {
      token: ADMIN_TOKEN,
      to: path,
      kept_form: kept(asked.text),
    })
    const again = { form_token: formTokenOn(shown), kept_form: kept(shown.text), look_over: 'true' }
    const overlooked = await visitor.post(path, again)
    for (const { text } of [asked, shown, overlooked]) expect(text).not.toContain('of-a-secret')
    expect(seen(shown)).toContain('(not shown)')
  })

  it('is good for its own page only', async () => {
    const fields = { slug: slugs(), name: `Elsewhere ${crypto.randomUUID()}`, profile: 'standard' }
    const { asked } = await sendSignedOut('/console/new-tenant', fields)
    const visitor = await signedIn()
    const reply = await visitor.submit('/console/new-profile', { kept_form: kept(asked.text) })
    expect(reply.status).toBe(400)
    const forged = await visitor.submit('/console/new-tenant', { kept_form: `${kept(asked.text)}x` })
    expect(forged.status).toBe(400)
    expect(await tenantNames()).not.toContain(fields.name)
  })
})

describe('every reply', () => {
  let tenant: Tenant
  beforeAll(async () => {
    tenant = await newTenant()
  })

  it('runs and paints nothing but the service’s own two files, and is neither kept nor framed', async () => {
    const visitor = await signedIn()
    const pages = [
      await newVisitor().get('/console/sign-in'),
      await newVisitor().get('/console'),
      await visitor.get('/console'),
      await visitor.get('/console/nowhere'),
      await visitor.get(`/console/tenants/${tenant.slug}`),
      await visitor.get('/console/tenants/no-such-tenant'),
      await visitor.post('/console/new-tenant', {}, { origin: 'https://elsewhere.example' }),
      await visitor.submit('/console/new-tenant', { slug: 'Not A Slug' }),
    ]
    expect(pages.map(({ status }) => status)).toEqual([200, 303, 200, 404, 200, 404, 403, 422])
    for (const { headers, text } of pages) {
      const policy = headers.get('content-security-policy') ?? ''
      expect(policy.split('; ').toSorted()).toEqual([
        "base-uri 'none'",
        "default-src 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "img-src 'self' data:",
        "script-src 'self'",
        "style-src 'self'",
      ])
      expect(headers.get('cache-control')).toBe('no-store')
      expect(headers.get('x-content-type-options')).toBe('nosniff')
      expect(headers.get('referrer-policy')).toBe('no-referrer')
      expect(text).not.toMatch(/\sstyle=|\son\w+=|<style|<script(?! src="\/pages\.js" defer)/)
    }
  })
})

describe('Cloudflare Access', () => {
  const TEAM = 'acme.cloudflareaccess.com'
  const AUDIENCE = 'a'.repeat(64)
  const settings = { ACCESS_TEAM_DOMAIN: TEAM, ACCESS_AUD: AUDIENCE } as unknown as Partial<Env>

  let keys: CryptoKeyPair
  let strangers: CryptoKeyPair
  beforeAll(async () => {
    keys = (await generateKeyPair('RS256', { extractable: true })) as CryptoKeyPair
    strangers = (await generateKeyPair('RS256')) as CryptoKeyPair
  })
  beforeEach(async () => {
    const jwk = { ...(await exportJWK(keys.publicKey)), kid: 'k1', alg: 'RS256', use: 'sig' }
    vi.spyOn(globalThis, 'fetch').mockImplementation(async input => {
      const url = input instanceof Request ? input.url : String(input)
      if (url === `https://${TEAM}/cdn-cgi/access/certs`) return Response.json({ keys: [jwk] })
      return new Response('no such team', { status: 404 })
    })
  })

  interface Claims {
    readonly iss?: string
    readonly aud?: string
    readonly exp?: string
    readonly email?: string | null
    readonly key?: CryptoKey
  }

  function jwt({
    iss = `https://${TEAM}`,
    aud = AUDIENCE,
    exp = '1h',
    email = 'op@acme.example',
    key,
  }: Claims = {}) {
    return new SignJWT(email === null ? {} : { email })
      .setProtectedHeader({ alg: 'RS256', kid: 'k1' })
      .setIssuer(iss)
      .setAudience(aud)
      .setIssuedAt()
      .setExpirationTime(exp)
      .sign(key ?? keys.privateKey)
  }

  const behind = (token: string, bindings = settings) =>
    newVisitor(withBindings(bindings), { 'cf-access-jwt-assertion': token })

  it('lets whoever it has signed in into the console, by name', async () => {
    const visitor = behind(await jwt())
    const page = await visitor.get('/console')
    expect(page.status).toBe(200)
    expect(seen(page)).toContain('op@acme.example')
    const name = `By Access ${crypto.randomUUID()}`
    const fields = { slug: slugs(), name, profile: 'standard' }
    expect((await visitor.post('/console/new-tenant', fields, {})).status).toBe(403)
    const form_token = formTokenOn(page)
    expect((await visitor.post('/console/new-tenant', { ...fields, form_token })).status).toBe(303)
    const out = await visitor.post('/console/sign-out', { form_token })
    expect(out.headers.get('location')).toBe('/cdn-cgi/access/logout')
  })

  it.each<[string, Claims, RegExp]>([
    ['of another application', { aud: 'b'.repeat(64) }, /another application than ACCESS_AUD/],
    [
      'of another team',
      { iss: 'https://other.cloudflareaccess.com' },
      /another team than ACCESS_TEAM_DOMAIN/,
    ],
    ['that is over', { exp: '-1h' }, /is over/],
    ['that names nobody', { email: null }, /names nobody/],
  ])('does not by a token %s, and says so', async (_, claims, reason) => {
    const visitor = behind(await jwt(claims))
    expect((await visitor.get('/console')).status).toBe(303)
    expect(seen(await visitor.get('/console/sign-in'))).toMatch(reason)
  })

  it('does not by a token that the team has not signed', async () => {
    const [header, payload] = (await jwt()).split('.')
    const unsigned = `${btoa('{"alg":"none"}').replace(/=+$/, '')}.${payload}.`
    for (const token of [
      await jwt({ key: strangers.privateKey }),
      `${header}.${payload}.AAAA`,
      unsigned,
      'x',
      '',
    ]) {
      const visitor = behind(token)
      expect([token, (await visitor.get('/console')).status]).toEqual([token, 303])
      if (token !== '') expect(seen(await visitor.get('/console/sign-in'))).toContain('has signed for this')
    }
  })

  it('lets nobody in where nothing is said of it, or its keys cannot be read', async () => {
    const nothing = behind(await jwt(), {})
    expect((await nothing.get('/console')).status).toBe(303)
    expect(seen(await nothing.get('/console/sign-in'))).toContain(
      'ACCESS_TEAM_DOMAIN and ACCESS_AUD are not set',
    )
    const other = 'other.cloudflareaccess.com'
    const lost = behind(await jwt({ iss: `https://${other}` }), {
      ...settings,
      ACCESS_TEAM_DOMAIN: other,
    } as unknown as Partial<Env>)
    expect((await lost.get('/console')).status).toBe(303)
    expect(seen(await lost.get('/console/sign-in'))).toContain(`The keys of ${other} could not be read`)
  })

  it('is set with both of its settings or with neither', async () => {
    vi.spyOn(console, 'error').mockImplementation(() => undefined)
    const half = withBindings({ ACCESS_TEAM_DOMAIN: TEAM } as unknown as Partial<Env>)
    const reply = await half(new Request(`${ORIGIN}/console`))
    expect(reply.status).toBe(500)
    expect(await reply.text()).toContain('ACCESS_AUD')
  })
})
