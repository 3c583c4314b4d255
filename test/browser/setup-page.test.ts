// The page of a setup link in a real browser, as the customer's IT admin goes through it: with every identity provider,
// by keyboard alone, without JavaScript, on a phone, and when something is wrong.
import type { Page } from 'playwright-core'
import { describe, expect } from 'vitest'
import { entra } from '../../scripts/identity-providers.mjs'
import { instructions } from '../../src/http/setup/instructions'
import { identityProviderNames, identityProviders } from '../../src/mapping/identity-providers'
import { call } from '../process/world'
import { pressOn, tabTo } from './keyboard'
import { expectAccessible, expectNoSidewaysScroll, lookAt } from './look'
import { newTenant } from './operator'
import { comesUp } from './patience'
import { ada } from './people'
import { test } from './visitor'

const PHONE = { width: 390, height: 844 }
const TOKEN = /^escim_[\w-]+$/

const card = (page: Page, name: string) => page.getByRole('radio', { name, exact: true })
const makeToken = (page: Page) => page.getByRole('button', { name: /make the token/i })
const watchLink = (page: Page) => page.getByRole('link', { name: 'I have copied it: watch the connection' })
const tokenOn = (page: Page) => page.locator('#token').innerText()
/** What an entry of the checklist says to a screen reader. */
const entry = (page: Page, says: RegExp) => page.getByRole('listitem').filter({ hasText: says })

async function chooseAndMakeToken(page: Page, url: string, name: string): Promise<string> {
  await page.goto(url)
  await card(page, name).click()
  await makeToken(page).click()
  await page.getByRole('heading', { name: 'Your token' }).waitFor()
  return tokenOn(page)
}

/** Each value that is typed at the identity provider is copied by a button of its own; everything else is chosen there. */
async function expectCopyButtons(
  page: Page,
  known: { idp: (typeof identityProviders)[number]; token: string; baseUrl: string },
): Promise<void> {
  const { steps } = instructions[known.idp]
  const entered = steps.flatMap(({ enter = [] }) => enter.map(([, value]) => value))
  const typed = entered.flatMap(value => {
    if (value.startsWith('{base}')) return [value.replace('{base}', known.baseUrl)]
    return /^`(.*)`$/.exec(value)?.slice(1) ?? []
  })
  const template = steps.some(({ shows }) => shows === 'onelogin-template') ? ['{'] : []
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
  const copied: string[] = []
  for (const copy of await page.locator('button[data-copy]').all()) {
    await copy.click()
    copied.push(await page.evaluate<string>('navigator.clipboard.readText()'))
  }
  const expected = [known.baseUrl, known.token, ...typed, ...template]
  // It says so for a moment, and is then as it was.
  await page.getByRole('button', { name: 'Copied' }).first().waitFor({ state: 'detached' })
  await page.getByRole('button', { name: 'Copy Token' }).locator('.hidden-visually').waitFor()
  expect(copied.map(text => (text.startsWith('{') ? '{' : text)).toSorted()).toEqual(expected.toSorted())
}

describe('the IT admin', () => {
  test.for(identityProviders)(
    'chooses %s by its card, gets a token once, and the steps there',
    async (idp, { visitor }) => {
      const tenant = await newTenant()
      const { url } = await tenant.setupLink()
      const page = await visitor({ viewport: PHONE, colorScheme: 'dark' })
      const token = await chooseAndMakeToken(page, url, identityProviderNames[idp])
      expect(token).toMatch(TOKEN)
      await page.getByText(tenant.baseUrl, { exact: true }).first().waitFor()
      expect(await page.getByRole('heading', { level: 3 }).count()).toBeGreaterThanOrEqual(3)
      await expectCopyButtons(page, { idp, token, baseUrl: tenant.baseUrl })
      await expectAccessible(page, idp)
      await expectNoSidewaysScroll(page, idp)
      await watchLink(page).click()
      await page.getByRole('link', { name: 'Stop watching' }).waitFor()
      expect(await page.content()).not.toContain(token)
      expect(await call('GET', `${tenant.baseUrl}/Users`, token)).toMatchObject({ status: 200 })
    },
  )

  test.for([true, false])(
    'sees the checklist turn green by real traffic (JavaScript: %s)',
    async (javaScriptEnabled, { visitor }) => {
      const tenant = await newTenant('Acme GmbH')
      const page = await visitor({ javaScriptEnabled })
      const { url } = await tenant.setupLink()
      await page.goto(url)
      if (javaScriptEnabled) await lookAt(page, 'setup-choice')
      const token = await chooseAndMakeToken(page, url, 'Microsoft Entra ID')
      if (javaScriptEnabled) await lookAt(page, 'setup-token')
      await watchLink(page).click()
      await entry(page, /Waiting: Connection test seen/).waitFor()
      const idp = entra({ baseUrl: tenant.baseUrl, token, flag: true, onExchange: () => undefined })
      await idp.testConnection()
      await comesUp(page, entry(page, /Done: Connection test seen/))
      await entry(page, /Waiting: People/).waitFor()
      const id = await idp.join(ada)
      const group = await idp.createGroup('Engineers')
      await idp.addMembers('Ada is an engineer', group, [id])
      idp.close()
      await comesUp(page, entry(page, /Done: People\s*1 person has access/))
      await comesUp(page, entry(page, /Done: Groups\s*1 group/))
      if (javaScriptEnabled) await lookAt(page, 'setup-connected')
    },
  )

  test('marks all of the token by one click, to copy it', async ({ visitor }) => {
    const page = await visitor()
    const { url } = await (await newTenant()).setupLink()
    const token = await chooseAndMakeToken(page, url, 'Okta')
    await page.locator('#token').click()
    expect(await page.evaluate<string>('String(getSelection())')).toBe(token)
  })

  test('needs no mouse', async ({ visitor }) => {
    const page = await visitor()
    const { url } = await (await newTenant()).setupLink()
    await page.goto(url)
    await tabTo(page, card(page, 'Microsoft Entra ID'))
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('ArrowDown')
    expect(await card(page, 'JumpCloud').isChecked()).toBe(true)
    await pressOn(page, makeToken(page))
    await page.getByRole('heading', { name: 'Steps in JumpCloud' }).waitFor()
    expect(await tokenOn(page)).toMatch(TOKEN)
    await pressOn(page, watchLink(page))
    await pressOn(page, page.getByRole('link', { name: 'Stop watching' }))
    await page.getByRole('link', { name: 'Look again', exact: true }).waitFor()
  })
})

describe('what goes wrong', () => {
  test('a rejected token is shown by its last four characters', async ({ visitor }) => {
    const tenant = await newTenant()
    const page = await visitor()
    const { id, url } = await tenant.setupLink()
    const old = await chooseAndMakeToken(page, url, 'Okta')
    await watchLink(page).click()
    const renewed = String((await tenant.admin('POST', `/setup-links/${id}/renew`)).url)
    await page.goto(renewed)
    await makeToken(page).click()
    const token = await tokenOn(page)
    await call('GET', `${tenant.baseUrl}/Users`, token)
    const refused = await call('GET', `${tenant.baseUrl}/Users`, `${token.slice(0, -6)}AAAAAA`)
    expect(refused.status).toBe(401)
    expect((await call('GET', `${tenant.baseUrl}/Users`, old)).status).toBe(401)
    await page.goto(renewed)
    const problem = entry(page, /Look here: Credential refused/)
    await comesUp(page, problem.getByText(old.slice(-4)))
    await lookAt(page, 'setup-refused')
  })

  test('a value that is refused is shown as text, whatever the identity provider sends', async ({
    visitor,
  }) => {
    const tenant = await newTenant('"><img src=x onerror=alert(1)>')
    const page = await visitor()
    const { url } = await tenant.setupLink()
    const token = await chooseAndMakeToken(page, url, identityProviderNames.generic)
    const name = `<script>alert(1)</script>"'><img src=x onerror=alert(1)>`
    const body = { schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'], userName: name, active: name }
    expect((await call('POST', `${tenant.baseUrl}/Users`, token, body)).status).toBe(400)
    await page.goto(url)
    await comesUp(page, entry(page, /Look here: Last error/))
    await page.getByText('"><img src=x onerror=alert(1)>', { exact: true }).waitFor()
    expect(await page.locator('main img, main script').count()).toBe(0)
  })

  test('a link that has expired, or never was one, says so and whom to ask', async ({ visitor }) => {
    const page = await visitor({ refusals: [410] })
    const { url } = await (await newTenant()).setupLink({ expiresInHours: 1e-7 })
    for (const place of [url, `${url.slice(0, -4)}AAAA`]) {
      await page.goto(place)
      await page.getByRole('heading', { name: /does not work/ }).waitFor()
      await page.getByText(/operator of the service can send another/).waitFor()
    }
    await lookAt(page, 'setup-gone')
  })

  test('a form that is sent a second time makes nothing, and says what to do', async ({ visitor }) => {
    const page = await visitor({ refusals: [409] })
    const { url } = await (await newTenant()).setupLink()
    const late = await visitor({ refusals: [409] })
    await late.goto(url)
    await chooseAndMakeToken(page, url, 'Okta')
    await card(late, 'Google Workspace').click()
    await makeToken(late).click()
    await late.getByRole('heading', { name: 'This link has made its token already' }).waitFor()
    await lookAt(late, 'setup-used')
    await late.getByRole('link', { name: 'To the connection' }).click()
    await late.getByRole('heading', { name: 'Steps in Okta' }).waitFor()
  })
})
