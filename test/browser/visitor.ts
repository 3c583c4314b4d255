// Somebody at a browser, whose visit fails when a page fails: console errors, exceptions, what the CSP stops, requests
// without an answer or with a refusal that the visit is not about.
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { test as base, expect, inject } from 'vitest'
import { axeScript } from './look'

export interface Visit extends BrowserContextOptions {
  /** Statuses of 400 and above that the visit is about. */
  readonly refusals?: readonly number[]
}

/** Opens an empty page in a browser profile of its own. */
export type Visitor = (visit?: Visit) => Promise<Page>

export const test = base.extend<{ visitor: Visitor }>({
  // biome-ignore lint/correctness/noEmptyPattern: vitest reads from it which fixtures are needed
  visitor: async ({}, use) => {
    const browser = await chromium.connect(inject('browser'))
    const problems: string[] = []
    await use(visit => openPage(browser, visit, problems))
    await browser.close()
    expect(problems, 'what went wrong on the pages').toEqual([])
  },
})

async function openPage(
  browser: Browser,
  { refusals = [], ...profile }: Visit = {},
  problems: string[],
): Promise<Page> {
  // Without motion, since a colour on its way to another has no contrast to speak of.
  const fixed = { baseURL: inject('origin'), locale: 'en-GB', reducedMotion: 'reduce' } as const
  const context = await browser.newContext({ ...fixed, ...profile })
  context.setDefaultTimeout(30_000)
  await context.addInitScript(axeScript)
  const page = await context.newPage()
  watch(page, refusals, problems)
  return page
}

/** Writes down what goes wrong on the page from now on. */
export function watch(page: Page, refusals: readonly number[], problems: string[]): void {
  const note = (what: string, url = page.url()) => problems.push(`${new URL(url).pathname}: ${what}`)
  page.on('console', message => {
    // What a refusal is to the console is noted as an answer.
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource'))
      note(message.text())
  })
  page.on('pageerror', error => note(`threw ${error.message}`))
  page.on('requestfailed', request => {
    const { errorText = '' } = request.failure() ?? {}
    // Whoever goes on before all of a page is there aborts the rest.
    if (errorText !== 'net::ERR_ABORTED') note(`failed: ${errorText}`, request.url())
  })
  page.on('response', response => {
    const status = response.status()
    if (status >= 400 && !refusals.includes(status)) note(`was answered ${status}`, response.url())
  })
  page.on('dialog', dialog => {
    note(`opened a dialog: ${dialog.message()}`)
    dialog.dismiss()
  })
}
