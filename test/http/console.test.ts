// The console as a browser and as an attacker meet it: sessions, forms of other sites, headers, where it leads to.
import { env } from 'cloudflare:workers'
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT, UnsecuredJWT } from 'jose'
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { keysOf } from '../../src/storage/keys'
import { call } from './console-world'
import { ADMIN_TOKEN, anatomyOf, decoded, newVisitor, ORIGIN, toConsole, toWorker } from './visitor'

const HOUR = 3_600_000
const NOON = Date.UTC(2026, 10, 21, 12)

async function newTenant(): Promise<string> {
  const slug = `t-${crypto.randomUUID().slice(0, 13)}`
  await call('POST', '/tenants', { slug, name: 'Acme' })
  return slug
}

const nameOf = async (slug: string) => (await call<{ name: string }>('GET', `/tenants/${slug}`)).name

async function signedIn() {
  const visitor = newVisitor()
  await visitor.enter()
  return visitor
}

describe('signing in', () => {
  test('the admin token opens the console, and the cookie is of this host, by https, and out of reach of scripts', async () => {
    const visitor = newVisitor()
    const reply = await visitor.signIn()
    expect([reply.status, reply.headers.get('location')]).toEqual([303, '/console'])
    const cookie = reply.headers.get('set-cookie') ?? ''
    expect(cookie).toMatch(
      /^__Host-console=[^;]+; Path=\/; Max-Age=43200; HttpOnly; SameSite=Strict; Secure$/,
    )
    expect(cookie).not.toContain(ADMIN_TOKEN)
    expect((await visitor.get('/console')).status).toBe(200)
  })

  test('on a loopback host without https the cookie has no prefix that a browser would refuse', async () => {
    const visitor = newVisitor(toWorker, 'http://localhost:8787')
    const cookie = (await visitor.signIn()).headers.get('set-cookie') ?? ''
    expect(cookie).toMatch(/^console=[^;]+; Path=\/; Max-Age=43200; HttpOnly; SameSite=Strict$/)
    expect((await visitor.get('/console')).status).toBe(200)
  })

  test('by plain http from elsewhere nothing is asked and nothing taken', async () => {
    const visitor = newVisitor(toWorker, 'http://scim.example.com')
    expect((await visitor.get('/console/sign-in')).status).toBe(403)
    expect((await visitor.signIn()).status).toBe(403)
    expect(visitor.jar.size).toBe(0)
  })

  test.each(['wrong', '', `${ADMIN_TOKEN}x`, ADMIN_TOKEN.toUpperCase()])(
    'the token %j is refused, and the page does not say it again',
    async token => {
      const visitor = newVisitor()
      const reply = await visitor.signIn(token)
      expect([reply.status, visitor.jar.size]).toEqual([401, 0])
      expect(reply.html).toContain('This is not the admin token')
      if (token !== '') expect(reply.html).not.toContain(token)
      expect((await visitor.get('/console')).status).toBe(303)
    },
  )

  test('a session is over after twelve hours', async () => {
    let now = NOON
    const visitor = newVisitor(await toConsole({ now: () => now }))
    await visitor.enter()
    now += 12 * HOUR - 1
    expect((await visitor.get('/console/profiles')).status).toBe(200)
    now += 1
    const reply = await visitor.get('/console/profiles')
    expect([reply.status, reply.headers.get('location')]).toEqual([
      303,
      '/console/sign-in?to=%2Fconsole%2Fprofiles',
    ])
  })

  test('another admin token or another secret key ends every session', async () => {
    const visitor = newVisitor()
    await visitor.enter()
    const cookie = [...visitor.jar].map(([name, value]) => `${name}=${value}`).join('; ')
    const status = async (other: Parameters<typeof toConsole>[0]) =>
      (await newVisitor(await toConsole(other)).get('/console', { cookie })).status
    expect(await status({})).toBe(200)
    expect(await status({ adminToken: 'another-admin-token' })).toBe(303)
    expect(await status({ keys: await keysOf('another-secret-key-0123456789abcdef') })).toBe(303)
  })

  test('no cookie that was altered or made up is a session', async () => {
    const visitor = newVisitor()
    await visitor.enter()
    const value = visitor.jar.get('__Host-console') ?? ''
    const [id = '', expiresAt = '', mac = ''] = value.split('.')
    const flipped = `${mac.startsWith('A') ? 'B' : 'A'}${mac.slice(1)}`
    const forged = [
      `${id}.${Number(expiresAt) + 1}.${mac}`,
      `${crypto.randomUUID()}.${expiresAt}.${mac}`,
      `${id}.${expiresAt}.${flipped}`,
      `${id}.${expiresAt}.${mac}A`,
      `${id}.${expiresAt}.`,
      `${id}.${expiresAt}`,
      `${id}.${expiresAt}.${visitor.formToken}`,
      ADMIN_TOKEN,
      '',
    ]
    for (const other of forged)
      expect((await newVisitor().get('/console', { cookie: `__Host-console=${other}` })).status).toBe(303)
    // A cookie without the prefix can come from a neighbouring host.
    expect((await newVisitor().get('/console', { cookie: `console=${value}` })).status).toBe(303)
  })

  test('signing out takes the cookie away, and no other site can do it', async () => {
    const visitor = await signedIn()
    expect((await visitor.post('/console/sign-out', {}, { 'sec-fetch-site': 'cross-site' })).status).toBe(403)
    const reply = await visitor.post('/console/sign-out')
    expect(reply.headers.get('set-cookie')).toMatch(/^__Host-console=; Path=\/; Max-Age=0;/)
    expect((await visitor.get('/console')).status).toBe(303)
  })

  test('no other site signs anybody in', async () => {
    for (const headers of [
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
      { 'sec-fetch-site': 'none' },
    ]) {
      const visitor = newVisitor()
      const reply = await visitor.post('/console/sign-in', { token: ADMIN_TOKEN }, headers)
      expect([reply.status, visitor.jar.size]).toEqual([403, 0])
    }
  })

  test.each([
    'https://evil.example.com/',
    '//evil.example.com',
    '/\\evil.example.com',
    '/console\\@evil.example.com',
    '/consolex',
    '/admin/v1/tenants',
    'javascript:alert(1)',
    '/console/\r\nx: y',
    '/console/\tx',
    ' /console/x',
    '/console/../evil',
    '/console/%2e%2e/evil',
  ])('after signing in nobody is led to %j', async to => {
    const reply = await newVisitor().signIn(ADMIN_TOKEN, { to })
    const target = new URL(reply.headers.get('location') ?? '', ORIGIN)
    expect(target.origin).toBe(ORIGIN)
    expect(target.pathname).toMatch(/^\/console(?:\/|$)/)
    const page = await newVisitor().get(`/console/sign-in?to=${encodeURIComponent(to)}`)
    const kept = decoded(/name="to" value="([^"]*)"/.exec(page.html)?.[1] ?? '')
    expect(new URL(kept, ORIGIN).pathname).toMatch(/^\/console(?:\/|$)/)
  })

  test('one is led to the page that one had asked for', async () => {
    const reply = await newVisitor().get('/console/tenants/acme/people?q=ann')
    const to = new URL(reply.headers.get('location') ?? '', ORIGIN).searchParams.get('to') ?? ''
    const after = await newVisitor().signIn(ADMIN_TOKEN, { to })
    expect(after.headers.get('location')).toBe('/console/tenants/acme/people?q=ann')
  })
})

describe('without a session', () => {
  const pages = [
    '',
    '/tenants',
    '/new-tenant',
    '/profiles',
    '/new-profile',
    '/profiles/standard',
    '/nothing',
    ...[
      '',
      '/connections',
      '/connections/new',
      '/connections/x',
      '/connections/x/mapping',
      '/setup-links',
      '/people',
      '/people/x',
      '/people/x/evidence',
      '/roles',
      '/target-groups',
      '/breaker',
      '/receivers',
      '/receivers/new',
      '/receivers/x',
      '/deliveries',
      '/activity',
      '/activity/x',
      '/schemas',
      '/schemas/edit',
      '/resource-types',
      '/app-keys',
      '/jobs',
      '/delete',
    ].map(path => `/tenants/acme${path}`),
  ]

  test.each(pages)('the page %s asks for one', async path => {
    const reply = await newVisitor().get(`/console${path}`)
    expect(reply.status).toBe(303)
    expect(reply.headers.get('location')).toMatch(/^\/console\/sign-in\?to=/)
  })

  test('a form does nothing, is kept through the sign-in, and is sent when its sender says so', async () => {
    const slug = await newTenant()
    const visitor = newVisitor()
    const path = `/console/tenants/${slug}/settings`
    const asked = await visitor.post(path, { name: 'Kept "name"', profile: 'standard' })
    expect([asked.status, await nameOf(slug)]).toEqual([401, 'Acme'])
    const wrong = await visitor.signIn('wrong', hidden(asked.html))
    expect(wrong.status).toBe(401)
    const offered = await visitor.signIn(ADMIN_TOKEN, hidden(wrong.html))
    expect([offered.status, await nameOf(slug)]).toEqual([200, 'Acme'])
    expect(offered.html).toContain('Kept &quot;name&quot;')
    const { forms } = await anatomyOf(offered.html)
    expect(forms).toContain(path)
    const sent = await visitor.post(path, hidden(offered.html))
    expect([sent.status, await nameOf(slug)]).toEqual([303, 'Kept "name"'])
  })

  test('what is kept is for its own place alone, and only in the form that offers it', async () => {
    const [slug, other] = [await newTenant(), await newTenant()]
    const visitor = newVisitor()
    const asked = await visitor.post(`/console/tenants/${slug}/settings`, { name: 'Kept' })
    const kept = hidden(asked.html).kept_form ?? ''
    await visitor.enter()
    const elsewhere = await visitor.post(`/console/tenants/${other}/settings`, { kept_form: kept })
    expect([elsewhere.status, await nameOf(other)]).toEqual([400, 'Acme'])
    const headers = { 'sec-fetch-site': 'cross-site' }
    const foreign = await visitor.post(`/console/tenants/${slug}/settings`, { kept_form: kept }, headers)
    expect([foreign.status, await nameOf(slug)]).toEqual([403, 'Acme'])
  })

  test('a secret of a kept form is shown neither by the sign-in nor by what offers it', async () => {
    const slug = await newTenant()
    const visitor = newVisitor()
    const secret = 'Bearer very-secret-header-value'
    const asked = await visitor.post(`/console/tenants/${slug}/receivers/new?kind=ssf-push`, {
      url: 'https://receiver.example.com/',
      authorizationHeader: secret,
    })
    expect(asked.html).not.toContain('very-secret')
    const offered = await visitor.signIn(ADMIN_TOKEN, hidden(asked.html))
    expect(offered.html).toContain('https://receiver.example.com/')
    expect(offered.html).not.toContain('very-secret')
  })

  function hidden(html: string): Record<string, string> {
    const inputs = html.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)"/g)
    return Object.fromEntries([...inputs].map(([, name = '', value = '']) => [name, decoded(value)]))
  }
})

describe('a form that is not of the console', () => {
  const evil = { name: 'Evil', profile: 'standard' }

  test.each<[string, Record<string, string>]>([
    ['another site', { 'sec-fetch-site': 'cross-site' }],
    ['a neighbouring host', { 'sec-fetch-site': 'same-site' }],
    ['another origin', { 'sec-fetch-site': '', origin: 'https://evil.example.com' }],
    ['the same host by plain http', { 'sec-fetch-site': '', origin: 'http://scim.example.com' }],
  ])('from %s is refused even with the right token, and changes nothing', async (_, headers) => {
    const slug = await newTenant()
    const visitor = await signedIn()
    const reply = await visitor.post(`/console/tenants/${slug}/settings`, evil, present(headers))
    expect([reply.status, await nameOf(slug)]).toEqual([403, 'Acme'])
  })

  test.each(['', 'x', 'of another session'])(
    'with the token %j and no word of its origin is refused',
    async token => {
      const slug = await newTenant()
      const visitor = await signedIn()
      const foreign = token === 'of another session' ? (await signedIn()).formToken : token
      for (const origin of [undefined, 'null']) {
        const fields = { ...evil, form_token: foreign }
        const headers = present({ 'sec-fetch-site': '', ...(origin && { origin }) })
        const reply = await visitor.post(`/console/tenants/${slug}/settings`, fields, headers)
        expect([reply.status, await nameOf(slug)]).toEqual([403, 'Acme'])
      }
    },
  )

  test('from the console itself, but of a session before, is offered and not done', async () => {
    const slug = await newTenant()
    const visitor = await signedIn()
    const fields = { ...evil, form_token: 'of before' }
    const reply = await visitor.post(`/console/tenants/${slug}/settings`, fields)
    expect([reply.status, await nameOf(slug)]).toEqual([200, 'Acme'])
    expect(reply.html).toContain('Your form was kept')
  })

  test('a GET changes nothing where a form would', async () => {
    const slug = await newTenant()
    const visitor = await signedIn()
    for (const path of ['settings', 'status', 'people/x/revoke', 'breaker/release'])
      expect((await visitor.get(`/console/tenants/${slug}/${path}`)).status).toBe(404)
    for (const method of ['PUT', 'DELETE', 'PATCH']) {
      const cookie = [...visitor.jar].map(([name, value]) => `${name}=${value}`).join('; ')
      const request = new Request(`${ORIGIN}/console/tenants/${slug}/settings`, {
        method,
        headers: { cookie },
      })
      expect((await toWorker(request)).status).toBe(404)
    }
    expect(await nameOf(slug)).toBe('Acme')
  })

  test('more than a form can hold is refused', async () => {
    const visitor = await signedIn()
    const reply = await visitor.post('/console/new-tenant', { name: 'x'.repeat(300_000) })
    expect(reply.status).toBe(413)
  })

  /** The fetch metadata is left out where it is empty. */
  function present(headers: Record<string, string>): Record<string, string | undefined> {
    return headers['sec-fetch-site'] === '' ? { ...headers, 'sec-fetch-site': undefined } : headers
  }
})

describe('every page', () => {
  test.each<[string, () => Promise<{ headers: Headers }>]>([
    ['a page', async () => (await signedIn()).get('/console')],
    ['the sign-in', () => newVisitor().get('/console/sign-in')],
    ['a refused sign-in', () => newVisitor().signIn('wrong')],
    ['a way to the sign-in', () => newVisitor().get('/console')],
    ['a page that is not there', async () => (await signedIn()).get('/console/nothing')],
    ['a refused form', async () => (await signedIn()).post('/console/new-tenant', { slug: 'X' })],
  ])('of the kind "%s" lets nothing in, no other site around it, and is stored nowhere', async (_, ask) => {
    const { headers } = await ask()
    const policy = headers.get('content-security-policy') ?? ''
    expect(policy.split('; ').sort()).toEqual([
      "base-uri 'none'",
      "default-src 'none'",
      "form-action 'self'",
      "frame-ancestors 'none'",
      "img-src 'self' data:",
      "script-src 'self'",
      "style-src 'self'",
    ])
    expect(policy).not.toMatch(/unsafe|\*|https?:/)
    expect(headers.get('x-content-type-options')).toBe('nosniff')
    expect(headers.get('referrer-policy')).toBe('no-referrer')
    expect(headers.get('cache-control')).toBe('no-store')
    expect(headers.get('cross-origin-opener-policy')).toBe('same-origin')
    expect(headers.get('access-control-allow-origin')).toBeNull()
  })
})

describe('Cloudflare Access', () => {
  const TEAM = 'acme-test.cloudflareaccess.com'
  const ISSUER = `https://${TEAM}`
  const AUD = 'aud-of-the-console'
  let privateKey: CryptoKey
  let stranger: CryptoKey
  let keySet: { keys: object[] }

  beforeAll(async () => {
    const pair = await generateKeyPair('RS256', { extractable: true })
    privateKey = pair.privateKey
    stranger = (await generateKeyPair('RS256')).privateKey
    keySet = { keys: [{ ...(await exportJWK(pair.publicKey)), kid: 'k1', alg: 'RS256', use: 'sig' }] }
  })

  afterEach(() => vi.unstubAllGlobals())

  const good: JWTPayload = { iss: ISSUER, aud: [AUD], email: 'ann@example.com', exp: NOON / 1000 + 60 }

  function jwt(claims: JWTPayload = good, key: CryptoKey = privateKey): Promise<string> {
    return new SignJWT(claims).setProtectedHeader({ alg: 'RS256', kid: 'k1' }).sign(key)
  }

  async function visit(assertion: string, configured = true) {
    const asked: string[] = []
    vi.stubGlobal('fetch', async (input: URL | string | Request) => {
      asked.push(String(input instanceof Request ? input.url : input))
      return Response.json(keySet)
    })
    const access = configured ? { access: { teamDomain: TEAM, audience: AUD } } : {}
    const visitor = newVisitor(await toConsole({ now: () => NOON, ...access }))
    const reply = await visitor.get('/console/profiles', { 'cf-access-jwt-assertion': assertion })
    expect(asked.every(url => url === `${ISSUER}/cdn-cgi/access/certs`)).toBe(true)
    return { visitor, reply }
  }

  test('whoever it has let in needs no admin token, is named, and sends forms of their own', async () => {
    const assertion = await jwt()
    const { visitor, reply } = await visit(assertion)
    expect(reply.status).toBe(200)
    expect(reply.html).toContain('ann@example.com')
    const headers = { 'cf-access-jwt-assertion': assertion }
    expect((await visitor.post('/console/new-tenant', { slug: 'X' }, headers)).status).toBe(422)
    const foreign = { ...headers, 'sec-fetch-site': 'cross-site' }
    expect((await visitor.post('/console/new-tenant', { slug: 'X' }, foreign)).status).toBe(403)
  })

  test('where it is not configured its header is nothing', async () => {
    expect((await visit(await jwt(), false)).reply.status).toBe(303)
  })

  test.each<[string, () => Promise<string> | string]>([
    ['of another application', () => jwt({ ...good, aud: ['another'] })],
    ['of another team', () => jwt({ ...good, iss: 'https://other.cloudflareaccess.com' })],
    ['that is over', () => jwt({ ...good, exp: NOON / 1000 - 1 })],
    ['that never ends', () => jwt({ iss: ISSUER, aud: [AUD], email: 'ann@example.com' })],
    ['that is not valid yet', () => jwt({ ...good, nbf: NOON / 1000 + 60 })],
    ['that names nobody', () => jwt({ iss: ISSUER, aud: [AUD], exp: NOON / 1000 + 60 })],
    ['signed by somebody else', () => jwt(good, stranger)],
    ['without a signature', () => new UnsecuredJWT(good).encode()],
    [
      'signed with a shared secret',
      () =>
        new SignJWT(good)
          .setProtectedHeader({ alg: 'HS256', kid: 'k1' })
          .sign(new TextEncoder().encode(JSON.stringify(keySet.keys[0]))),
    ],
    ['that is none', () => 'a.b.c'],
    ['that is empty', () => ''],
  ])('a JWT %s is refused', async (_, make) => {
    expect((await visit(await make())).reply.status).toBe(303)
  })
})

describe('what was typed', () => {
  test('is kept and its fault is told at the field', async () => {
    const visitor = await signedIn()
    const reply = await visitor.post('/console/new-tenant', { slug: 'NOT a slug', name: 'Kept "name"' })
    expect(reply.status).toBe(422)
    expect(reply.html).toContain('value="NOT a slug"')
    expect(reply.html).toContain('value="Kept &quot;name&quot;"')
    expect(reply.html).toContain('Nothing was changed')
    const field = /<input[^>]*name="slug"[^>]*>/.exec(reply.html)?.[0] ?? ''
    expect(field).toContain('aria-invalid="true"')
    const described = /aria-describedby="([^"]+)"/.exec(field)?.[1]?.split(' ').at(-1) ?? ''
    expect(reply.html).toContain(`<span class="error" id="${described}">`)
    expect(reply.html).toContain(`href="#${/ id="([^"]+)"/.exec(field)?.[1]}"`)
  })

  test.each<[string, string, Record<string, string>, string]>([
    ['a profile', '/console/new-profile', { document: '{"name": "x",' }, 'is not valid JSON'],
    ['a profile', '/console/new-profile', { document: '[]' }, 'must be a JSON object'],
    [
      'a profile',
      '/console/new-profile',
      { document: '{"user":{"fields":[{"field":"a","source":"x"}]}}' },
      'no path',
    ],
    ['a mapping', 'connections/$/mapping', { document: '{"x":1,"targetGroup":"x"}' }, 'no target group'],
    ['a schema', 'schemas/edit', { urn: '', document: '{}' }, 'is required'],
    ['a connection', 'connections/new', { name: '', idp: 'nothing' }, 'name'],
    ['a receiver', 'receivers/new?kind=webhook', { url: 'ftp://x' }, 'url'],
    ['the breaker', 'breaker', { 'threshold.count': 'many', 'threshold.windowMinutes': '0' }, 'threshold'],
    ['a mapping', 'connections/$/mapping', { 'fields[0].field': 'no such' }, 'field'],
    ['a target group', 'target-groups', { name: '' }, 'name'],
  ])('of %s is shown again with what is wrong: %s', async (_, path, fields, said) => {
    const slug = await newTenant()
    const { id } = await call<{ id: string }>('POST', `/tenants/${slug}/connections`, {
      name: 'C',
      idp: 'okta',
    })
    const visitor = await signedIn()
    const place = path.startsWith('/') ? path : `/console/tenants/${slug}/${path.replace('$', id)}`
    const reply = await visitor.post(place, fields)
    expect(reply.status).toBe(422)
    expect(reply.html).toContain('Nothing was changed')
    expect(reply.html).toContain(said)
    for (const value of Object.values(fields)) if (value !== '') expect(decoded(reply.html)).toContain(value)
    const anatomy = await anatomyOf(reply.html)
    expect([anatomy.headings, anatomy.unlabelled, anatomy.doubleIds]).toEqual([1, [], []])
  })
})

test('the bindings of these tests are those that the pages are searched for', () => {
  expect(env.ADMIN_TOKEN).toBe(ADMIN_TOKEN)
})
