// What somebody sees who is not let into the console: why the token or Cloudflare Access does not do, and the form that
// they had sent.
import { env } from 'cloudflare:workers'
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose'
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { serviceOf } from '../../src/env'
import { ADMIN_TOKEN, decoded, newVisitor, toConsole } from './visitor'

afterEach(() => vi.unstubAllGlobals())

test('wrong tokens are limited by address, as wrong credentials everywhere, and the right one never is', async () => {
  const limited = await toConsole({ failedCredentialLimit: { limit: async () => ({ success: false }) } })
  const refused = await newVisitor(limited).post('/console/sign-in', { token: 'wrong' })
  expect([refused.status, refused.headers.get('set-cookie')]).toEqual([429, null])
  expect(refused.headers.get('retry-after')).toMatch(/^\d+$/)
  expect((await newVisitor(limited).signIn()).status).toBe(303)
})

describe('behind Cloudflare Access', () => {
  const TEAM = 'acme-words.cloudflareaccess.com'
  const AUD = 'aud-of-the-console'
  const claims: JWTPayload = { iss: `https://${TEAM}`, aud: AUD, email: 'ann@example.com' }
  let pair: Awaited<ReturnType<typeof generateKeyPair>>
  beforeAll(async () => {
    pair = await generateKeyPair('RS256', { extractable: true })
  })
  beforeEach(async () => {
    const key = { ...(await exportJWK(pair.publicKey)), kid: 'k1', alg: 'RS256', use: 'sig' }
    vi.stubGlobal('fetch', async (input: URL | string | Request) => {
      const url = String(input instanceof Request ? input.url : input)
      const isTeam = url === `https://${TEAM}/cdn-cgi/access/certs`
      return isTeam ? Response.json({ keys: [key] }) : new Response('no such team', { status: 404 })
    })
  })

  const jwt = (more: JWTPayload = {}) =>
    new SignJWT({ ...claims, exp: Date.now() / 1000 + 60, ...more })
      .setProtectedHeader({ alg: 'RS256', kid: 'k1' })
      .sign(pair.privateKey)

  async function signInPage(assertion: string, teamDomain = TEAM) {
    const visitor = newVisitor(await toConsole({ access: { teamDomain, audience: AUD } }))
    const page = await visitor.get('/console/sign-in', { 'cf-access-jwt-assertion': assertion })
    return decoded(page.html)
  }

  test.each<[string, JWTPayload]>([
    ['for another application than ACCESS_AUD says', { aud: 'another' }],
    ['of another team than ACCESS_TEAM_DOMAIN says', { iss: 'https://other.cloudflareaccess.com' }],
    ['over: load the page again', { exp: 1 }],
  ])('the sign-in says that the token is %s', async (reason, more) => {
    expect(await signInPage(await jwt(more))).toContain(`Its token is ${reason}`)
  })

  test('the sign-in says that the token names nobody, is not signed, or cannot be checked', async () => {
    expect(await signInPage(await jwt({ email: '' }))).toContain('Its token names nobody')
    expect(await signInPage(`${(await jwt()).slice(0, -20)}AAAA`)).toContain(
      `not one that ${TEAM} has signed`,
    )
    expect(await signInPage('a.b.c')).toContain(`not one that ${TEAM} has signed`)
    const lost = 'lost-words.cloudflareaccess.com'
    expect(await signInPage(await jwt({ iss: `https://${lost}` }), lost)).toContain(
      `The keys of ${lost} could not`,
    )
  })

  test('the sign-in says what is not set', async () => {
    const visitor = newVisitor(await toConsole({}))
    const page = await visitor.get('/console/sign-in', { 'cf-access-jwt-assertion': await jwt() })
    expect(page.html).toContain('ACCESS_TEAM_DOMAIN and ACCESS_AUD are not set here')
    expect((await visitor.signIn()).status).toBe(303)
  })

  test('whoever is let in needs no sign-in, and signs out of Access', async () => {
    const visitor = newVisitor(await toConsole({ access: { teamDomain: TEAM, audience: AUD } }))
    const headers = { 'cf-access-jwt-assertion': await jwt() }
    const page = await visitor.get('/console/sign-in?to=%2Fconsole%2Fprofiles', headers)
    expect([page.status, page.headers.get('location')]).toEqual([303, '/console/profiles'])
    await visitor.get('/console/profiles', headers)
    const out = await visitor.post('/console/sign-out', {}, headers)
    expect(out.headers.get('location')).toBe('/cdn-cgi/access/logout')
  })

  test.each(['ACCESS_TEAM_DOMAIN', 'ACCESS_AUD'])('%s alone is a wrong setting', async name => {
    await expect(serviceOf({ ...env, [name]: 'acme.cloudflareaccess.com' })).rejects.toThrow('ACCESS_')
  })
})

test('a form that was kept can be looked over first, filled in but for its secrets', async () => {
  const visitor = newVisitor()
  const kept = async (path: string, fields: Record<string, string>) => {
    visitor.jar.clear()
    const asked = await visitor.post(path, fields)
    const held = { kept_form: /name="kept_form" value="([^"]*)"/.exec(asked.html)?.[1] ?? '', to: path }
    const shown = await visitor.signIn(ADMIN_TOKEN, held)
    expect(shown.html).toContain('Look it over first')
    return visitor.post(path, { kept_form: held.kept_form, look_over: 'true' })
  }
  const name = `Looked over & not sent ${crypto.randomUUID()}`
  const tenant = await kept('/console/new-tenant', { name, slug: 'typed' })
  expect([tenant.status, decoded(tenant.html).includes(`value="${name}"`)]).toEqual([200, true])
  expect(decoded((await visitor.get('/console/tenants')).html)).not.toContain(name)
  const slug = `t-${crypto.randomUUID()}`
  await visitor.post('/console/new-tenant', { name: 'T', slug })
  const fields = {
    kind: 'ssf-push',
    url: 'https://typed.example.com/',
    authorizationHeader: 'Bearer of-a-secret',
  }
  const receiver = await kept(`/console/tenants/${slug}/receivers/new`, fields)
  expect(receiver.html).toContain('value="https://typed.example.com/"')
  expect(receiver.html).not.toContain('of-a-secret')
})
