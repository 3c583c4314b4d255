// Somebody at a browser, whose visit fails when a page fails: console errors, exceptions, what the CSP stops, requests
// without an answer or with a refusal that the visit is not about.
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { test as base, expect, inject } from 'vitest'

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
  const context = await browser.newContext({ baseURL: inject('origin'), locale: 'en-GB', ...profile })
  context.setDefaultTimeout(15_000)
  const page = await context.newPage()
  watch(page, refusals, problems)
  return page
}

/** Writes down what goes wrong on the page from now on. */
export function watch(page: Page, refusals: readonly number[], problems: string[]): void {
  const note = (what: string) => problems.push(`${new URL(page.url()).pathname.slice(0, 60)}: ${what}`)
  const isExpected = (text: string) => refusals.some(status => text.includes(`status of ${status} `))
  page.on('console', message => {
    if (message.type() === 'error' && !isExpected(message.text())) note(message.text())
  })
  page.on('pageerror', error => note(`threw ${error.message}`))
  page.on('requestfailed', request => note(`${request.method()} ${request.failure()?.errorText}`))
  page.on('response', response => {
    const status = response.status()
    if (status >= 400 && !refusals.includes(status)) note(`was answered ${status}`)
  })
  page.on('dialog', dialog => {
    note(`opened a dialog: ${dialog.message()}`)
    dialog.dismiss()
  })
}
