// The operator's console in a real browser: each thing that is done there, once by hand.
import type { Page } from 'playwright-core'
import { describe, expect, inject } from 'vitest'
import { call, leaves, startReceiver, until } from '../process/world'
import { pressOn, tabTo } from './keyboard'
import { expectAccessible, expectNoSidewaysScroll, lookAt } from './look'
import { newSlug, newTenant, signIn, type Tenant } from './operator'
import { comesUp } from './patience'
import { test } from './visitor'

const USER = 'urn:ietf:params:scim:schemas:core:2.0:User'
const ENTERPRISE = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'
const GROUP = 'urn:ietf:params:scim:schemas:core:2.0:Group'
const PHONE = { width: 390, height: 844 }

const button = (page: Page, name: string | RegExp) => page.getByRole('button', { name })
const told = (page: Page, text: string) => page.getByRole('status').filter({ hasText: text }).waitFor()

/** Users of a new connection, one for each title. */
async function connectWith(tenant: Tenant, titles: readonly string[]) {
  const connection = await tenant.connect()
  const ids: string[] = []
  for (const [i, title] of titles.entries()) {
    const user = { schemas: [USER], userName: `person-${i}@example.com`, externalId: `e${i}`, title }
    ids.push(String((await connection.scim('POST', '/Users', user)).id))
  }
  return { ...connection, ids }
}

describe('the operator', () => {
  test('rotates a token: both work until the new one is used', async ({ visitor }) => {
    const tenant = await newTenant()
    const { id, token } = await tenant.connect()
    const status = async (value: string) => (await call('GET', `${tenant.baseUrl}/Users`, value)).status
    const page = await visitor()
    await signIn(page, `${tenant.console}/connections/${id}`)
    await button(page, 'Make a token, and show it').click()
    const next = await page.locator('#secret-1').innerText()
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
    await button(page, 'Copy Token').click()
    await button(page, 'Copied').waitFor()
    expect(await page.evaluate('navigator.clipboard.readText()')).toBe(next)
    await page.getByRole('link', { name: 'I have taken the token; to the connection' }).click()
    await page.getByText(`…${next.slice(-4)}`).waitFor()
    expect(await page.content()).not.toContain(next)
    expect([await status(token), await status(next)]).toEqual([200, 200])
    expect(await status(token)).toBe(401)
    await comesUp(
      page,
      page
        .getByRole('row')
        .filter({ hasText: token.slice(-4) })
        .getByText('revoked'),
    )
    await lookAt(page, 'connection')
  })

  test.for([true, false])(
    'tries a mapping on the users that there are, publishes it, and goes back (JavaScript: %s)',
    async (javaScriptEnabled, { visitor }) => {
      const tenant = await newTenant()
      const { id } = await connectWith(tenant, ['Captain', 'Cook', 'Cook'])
      // What is tried between two fields is refused.
      const page = await visitor({ javaScriptEnabled, refusals: javaScriptEnabled ? [422] : [] })
      await signIn(page, `${tenant.console}/connections/${id}/mapping`)
      await page.getByLabel('Field, row 1').fill('rank')
      await page.getByLabel('SCIM path, row 1').fill('title')
      await page.getByLabel('Only these values, row 1').fill('Captain')
      await button(page, 'Try it on the users that there are').click()
      const preview = page.getByRole('region', { name: 'Preview' })
      await preview.getByText('As long as users would be refused').waitFor()
      if (javaScriptEnabled) await lookAt(page, 'mapping-preview')
      expect(await page.getByLabel('Field, row 1').inputValue()).toBe('rank')
      await page.getByLabel('Only these values, row 1').fill('Captain, Cook')
      await button(page, 'Try it on the users that there are').click()
      await preview.getByRole('cell', { name: 'rank Captain' }).waitFor()
      expect(await tenant.admin('GET', `/connections/${id}/mapping`)).toMatchObject({ version: 0 })
      await button(page, 'Publish').first().click()
      await told(page, 'Published.')
      expect(await tenant.admin('GET', `/connections/${id}/mapping`)).toMatchObject({ version: 1 })
      await button(page, /Publish again.*version 0/).click()
      await told(page, 'The earlier version is published again')
    },
  )

  test('sees what a mapping would do while typing it, and goes on typing', async ({ visitor }) => {
    const tenant = await newTenant()
    const { id } = await connectWith(tenant, ['Captain', 'Cook', 'Cook'])
    const page = await visitor({ refusals: [422] })
    await signIn(page, `${tenant.console}/connections/${id}/mapping`)
    await page.evaluate('document.body.dataset.mark = "the same page"')
    const preview = page.getByRole('region', { name: 'Preview' })
    const path = page.getByLabel('SCIM path, row 2')
    await preview.getByText('whenever you stop typing').waitFor()
    await page.getByLabel('Field, row 2').fill('rank')
    await path.press('t')
    await preview.getByText('It cannot be tried like this').waitFor()
    await page.locator('[aria-invalid]').and(path).waitFor()
    expect(await path.getAttribute('aria-describedby')).toBe('form-fields-1-source-error')
    expect(await page.locator('#form-fields-1-source-error').innerText()).toContain('t')
    await page.keyboard.type('itle')
    await preview.getByRole('cell', { name: 'rank Captain' }).waitFor()
    expect(await page.locator('[aria-invalid], main .error').count()).toBe(0)
    expect(await page.locator(':focus').inputValue()).toBe('title')
    await page.getByLabel('Only these values, row 2').fill('Captain')
    await preview.getByText('As long as users would be refused').waitFor()
    await expectAccessible(page, 'a preview that came by itself')
    expect(await page.locator('body').getAttribute('data-mark')).toBe('the same page')
    expect(await tenant.admin('GET', `/connections/${id}/mapping`)).toMatchObject({ version: 0 })
  })

  test('is asked for one preview at a time, and never shown one of what stood there before', async ({
    visitor,
  }) => {
    const tenant = await newTenant()
    const { id } = await connectWith(tenant, ['Captain', 'Cook'])
    const page = await visitor()
    await signIn(page, `${tenant.console}/connections/${id}/mapping`)
    const held: { source: string | null; answer: () => void }[] = []
    await page.route('**/mapping', async route => {
      const source = new URLSearchParams(route.request().postData() ?? '').get('groupBy.source')
      await new Promise<void>(answer => held.push({ source, answer }))
      await route.continue()
    })
    const preview = page.getByRole('region', { name: 'Preview' })
    const source = page.getByLabel('Group people by')
    const asked = (n: number) => expect.poll(() => held.length, { timeout: 10_000 }).toBe(n)
    await source.fill('title')
    await asked(1)
    await source.fill('userName')
    // Longer than typing has to stop for.
    await page.waitForTimeout(1_000)
    expect(held.map(one => one.source)).toEqual(['title'])
    held[0]?.answer()
    await asked(2)
    expect(held[1]?.source).toBe('userName')
    expect(await preview.getByText('comes to').count()).toBe(0)
    held[1]?.answer()
    await preview.getByText('1 comes to person-0@example.com, 1 comes to person-1@example.com.').waitFor()
  })

  test('is told when a preview does not come, and loses nothing', async ({ visitor }) => {
    const tenant = await newTenant()
    const { id } = await connectWith(tenant, ['Captain'])
    const page = await visitor({ refusals: [401] })
    await signIn(page, `${tenant.console}/connections/${id}/mapping`)
    await page.context().clearCookies()
    await page.getByLabel('Group people by').fill('title')
    await page.getByText('It could not be tried by itself').waitFor()
    await button(page, 'Try it on the users that there are').click()
    await page.getByText('The form that you sent is kept').waitFor()
  })

  test('is told at the field what is wrong, and what was typed stays', async ({ visitor }) => {
    const page = await visitor({ refusals: [422] })
    await signIn(page, '/console/new-tenant')
    await page.getByLabel('Name').fill('Acme')
    await page.getByLabel('Slug').fill('Not A Slug')
    await button(page, 'Create the tenant').click()
    await page.getByRole('alert').getByText('Nothing was changed').waitFor()
    const slug = page.getByLabel('Slug')
    expect([await slug.inputValue(), await slug.getAttribute('aria-invalid')]).toEqual(['Not A Slug', 'true'])
    expect(await page.getByLabel('Name').inputValue()).toBe('Acme')
    await lookAt(page, 'refused')
  })

  test('sends a dead letter again', async ({ visitor }) => {
    const application = await startReceiver()
    application.answer = response => response.writeHead(500).end()
    const tenant = await newTenant()
    const retry = { schedule: [1], timeoutSeconds: 2 }
    const { id } = await tenant.admin('POST', '/receivers', { kind: 'webhook', url: application.url, retry })
    await connectWith(tenant, ['Captain'])
    await until('the letter is dead', async () => {
      const { items } = await tenant.admin('GET', '/deliveries?state=dead')
      return (items as unknown[]).length === 1
    })
    application.answer = response => response.writeHead(204).end()
    const page = await visitor()
    await signIn(page, `${tenant.console}/deliveries?state=dead`)
    await lookAt(page, 'dead-letters')
    await button(page, /again/).click()
    await told(page, 'It is being sent again.')
    await comesUp(page, page.getByRole('row').getByText('delivered'))
    await page.goto(`${tenant.console}/receivers/${id}`)
    await button(page, 'Send a test').click()
    await told(page, 'It arrived')
    await lookAt(page, 'receiver')
    await application.close()
  })

  test('decides about those whom the breaker holds', async ({ visitor }) => {
    const tenant = await newTenant()
    await tenant.admin('PUT', '/breaker', { enabled: true, threshold: { count: 1, windowMinutes: 10 } })
    const { scim, ids } = await connectWith(tenant, ['Captain', 'Cook', 'Cook'])
    for (const id of ids) await scim('DELETE', `/Users/${id}`)
    const page = await visitor()
    await signIn(page, `${tenant.console}/breaker`)
    await page.getByText('tripped', { exact: true }).waitFor()
    await lookAt(page, 'breaker')
    await button(page, 'Delete all of them').click()
    await told(page, 'They are being deleted')
    await until('nobody is held', async () => (await tenant.admin('GET', '/breaker')).heldTotal === 0)
    await page.goto(`${tenant.console}/breaker`)
    await page.getByText('Nobody is held').waitFor()
  })

  test('loses no work when the session is over', async ({ visitor }) => {
    const slug = newSlug()
    const page = await visitor({ refusals: [401] })
    await signIn(page, '/console/new-tenant')
    await page.getByLabel('Name').fill('Kept & found')
    await page.getByLabel('Slug').fill(slug)
    await page.context().clearCookies()
    await button(page, 'Create the tenant').click()
    await page.getByText('The form that you sent is kept').waitFor()
    await page.getByLabel('Admin token').fill('not the token')
    await button(page, 'Sign in').click()
    await page.getByRole('alert').waitFor()
    await lookAt(page, 'sign-in')
    await page.getByLabel('Admin token').fill(inject('adminToken'))
    await button(page, 'Sign in').click()
    await page.getByText('Kept & found').waitFor()
    await lookAt(page, 'kept-form')
    await button(page, 'Send it now').click()
    await page.getByRole('heading', { level: 1, name: 'Kept & found' }).waitFor()
  })

  test('signs out, and is out', async ({ visitor }) => {
    const page = await visitor()
    await signIn(page)
    await button(page, 'Sign out').click()
    await page.getByLabel('Admin token').waitFor()
    await page.goto('/console/tenants')
    await page.getByLabel('Admin token').waitFor()
    expect(new URL(page.url()).searchParams.get('to')).toBe('/console/tenants')
  })

  test('needs no mouse', async ({ visitor }) => {
    const slug = newSlug()
    const page = await visitor()
    await page.goto('/console')
    await tabTo(page, page.getByLabel('Admin token'))
    await page.keyboard.type(inject('adminToken'))
    await pressOn(page, button(page, 'Sign in'))
    await tabTo(page, page.getByRole('link', { name: 'Skip to the content' }))
    await page.keyboard.press('Enter')
    await pressOn(page, page.getByRole('link', { name: /New tenant|Make the first one/ }))
    await tabTo(page, page.getByLabel('Name'))
    await page.keyboard.type('By keyboard')
    await tabTo(page, page.getByLabel('Slug'))
    await page.keyboard.type(slug)
    await pressOn(page, button(page, 'Create the tenant'))
    await page.getByRole('heading', { level: 1, name: 'By keyboard' }).waitFor()
    await pressOn(page, page.getByRole('link', { name: 'People' }))
    const search = page.getByRole('search', { name: 'People', exact: true })
    await tabTo(page, search.getByRole('searchbox', { name: 'Find people', exact: true }))
    await page.keyboard.type('ada')
    await Promise.all([page.waitForEvent('load'), page.keyboard.press('Enter')])
    await page.getByText('Nobody is called so').waitFor()
    await expectAccessible(page, 'a search of people')
    await pressOn(page, page.getByRole('link', { name: 'Setup links' }))
    await pressOn(page, button(page, 'Make a link, and show it'))
    // What is shown once is next, not behind the menus.
    await page.keyboard.press('Tab')
    await button(page, 'Copy Setup link').and(page.locator(':focus')).waitFor()
    expect(await page.locator('#secret-0').innerText()).toContain('/setup/')
  })
})

/** What breaks out of an element, an attribute, a script or a URL, wherever it is put without care. */
const HOSTILE = `"'><img src=x onerror=alert(1)></script></title></textarea><script>alert(1)</script>{{7*7}}`

/** One of everything that a page can show, called after the text. */
async function fillWith(tenant: Tenant, text: string): Promise<void> {
  const { scim } = await tenant.connect(text)
  const user = {
    schemas: [USER, ENTERPRISE],
    userName: `${text}@example.com`,
    externalId: text,
    displayName: text,
    name: { givenName: text, familyName: text, formatted: text },
    nickName: text,
    title: text,
    userType: text,
    emails: [{ value: `${text}@example.com`, type: text, display: text, primary: true }],
    roles: [{ value: text, display: text, type: text, primary: true }],
    addresses: [{ formatted: text, locality: text, type: text }],
    [ENTERPRISE]: { department: text, costCenter: text, employeeNumber: text },
  }
  const { id } = await scim('POST', '/Users', user)
  await scim('POST', '/Users', { ...user, userName: `second-${text}`, externalId: `2${text}` })
  const group = {
    schemas: [GROUP],
    displayName: text,
    externalId: text,
    members: [{ value: id, display: text }],
  }
  await scim('POST', '/Groups', group)
  await tenant.admin('POST', '/target-groups', { name: text })
  await tenant.admin('POST', '/app-keys', { name: text })
  const url = 'http://127.0.0.1:9/hook'
  await tenant.admin('POST', '/receivers', { kind: 'webhook', url, retry: { schedule: [1] } })
  await tenant.setupLink()
  await scim('PATCH', `/Users/${id}`, leaves)
  await scim('PATCH', `/Users/${text}`, { ...leaves, Operations: [{ op: text, path: text }] }).catch(() => {})
  await scim('GET', `/Users?filter=${encodeURIComponent(text)}`).catch(() => {})
}

/** Opens every page that links of the pages lead to, one of each kind of address; their addresses. */
async function openAll(page: Page, start: string): Promise<string[]> {
  const opened = new Map([[start, start]])
  for (const path of opened.values()) {
    await page.goto(path)
    await expectAccessible(page, path)
    await expectNoSidewaysScroll(page, path)
    expect(await page.locator('main img, main script').count(), path).toBe(0)
    for (const link of await linksOf(page)) {
      const kind = link.replace(/[0-9a-f]{8}-[0-9a-f-]{27}|(?<=\/profiles\/)[\w-]+/g, '…')
      const isOthers = link.startsWith('/console/tenants/') && !link.startsWith(start)
      if (!isOthers && !opened.has(kind)) opened.set(kind, link)
    }
  }
  return [...opened.values()]
}

function linksOf(page: Page): Promise<string[]> {
  return page.evaluate<string[]>(
    `[...document.querySelectorAll('a[href^="/console"]:not([download])')].map(a => a.getAttribute('href').replace(/#.*/, ''))`,
  )
}

describe('every page', () => {
  test('opens, is accessible and narrow enough, and shows as text whatever an identity provider sends', async ({
    visitor,
  }) => {
    const tenant = await newTenant(HOSTILE)
    await fillWith(tenant, HOSTILE)
    const page = await visitor({ viewport: PHONE, colorScheme: 'dark' })
    await signIn(page, tenant.console)
    await page.getByRole('heading', { level: 1, name: HOSTILE, exact: true }).waitFor()
    const opened = await openAll(page, tenant.console)
    expect(opened.length).toBeGreaterThan(35)
  })
})
