// The guard of all browser tests can fail: what it is to see on a page, it sees.

import type { Browser, Page } from 'playwright-core'
import { chromium } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { axeScript, expectAccessible, expectNoSidewaysScroll } from './look'
import { watch } from './visitor'

let browser: Browser
beforeAll(async () => {
  browser = await chromium.connect(inject('browser'))
})
afterAll(() => browser.close())

/** A page with this body, under the CSP that pages of the service have. */
async function pageWith(body: string, refusals: readonly number[] = []) {
  const page = await browser.newPage()
  await page.addInitScript(axeScript)
  const problems: string[] = []
  watch(page, refusals, problems)
  const headers = { 'content-security-policy': "default-src 'self'; img-src *" }
  const html = `<!doctype html><html lang="en"><meta name="viewport" content="width=device-width"><title>Test</title><main><h1>Test</h1>${body}</main></html>`
  await page.route('http://page.test/**', route => {
    const { pathname } = new URL(route.request().url())
    if (pathname === '/') return route.fulfill({ headers, contentType: 'text/html', body: html })
    if (pathname === '/throws.js')
      return route.fulfill({ contentType: 'text/javascript', body: 'throw new Error("broken")' })
    return pathname === '/closed.png' ? route.abort() : route.fulfill({ status: 404 })
  })
  await page.goto('http://page.test/')
  return { page, problems }
}

async function problemsOf(body: string, refusals?: readonly number[]): Promise<string[]> {
  const { page, problems } = await pageWith(body, refusals)
  // Whatever came before the answer has been noted by then.
  await page.evaluate('true')
  await page.close()
  return problems
}

describe('a visit', () => {
  it.concurrent('is without problems on a page without', async () => {
    expect(await problemsOf('<p>Nothing wrong</p>')).toEqual([])
  })

  it.concurrent.each([
    ['a handler in an attribute', '<img src="data:," alt="" onerror="alert(1)">', /Content Security Policy/],
    ['a style in an attribute', '<p style="color: red">x</p>', /Content Security Policy/],
    ['a script in the page', '<script>alert(1)</script>', /Content Security Policy/],
    [
      'a script from elsewhere',
      '<script src="http://elsewhere.test/x.js"></script>',
      /Content Security Policy/,
    ],
    ['a script that throws', '<script src="/throws.js"></script>', /threw broken/],
    ['a request without an answer', '<img src="/closed.png" alt="">', /ERR_FAILED/],
    ['an answer of 404', '<img src="/missing.png" alt="">', /was answered 404/],
  ])('sees %s', async (_, body, problem) => {
    expect(await problemsOf(body)).toContainEqual(expect.stringMatching(problem))
  })

  it.concurrent('is about the statuses that it names, and no others', async () => {
    expect(await problemsOf('<img src="/missing.png" alt="">', [404])).toEqual([])
    expect(await problemsOf('<img src="/missing.png" alt="">', [410])).not.toEqual([])
  })
})

describe('a look', () => {
  const lookAt = async (body: string, look: (page: Page, name: string) => Promise<void>) => {
    const { page } = await pageWith(body)
    await page.setViewportSize({ width: 390, height: 844 })
    await look(page, 'the page').finally(() => page.close())
  }

  it('finds what axe calls serious', async () => {
    await expect(lookAt('<input name="x">', expectAccessible)).rejects.toThrow(/axe finds/)
    await lookAt('<label>X <input name="x"></label>', expectAccessible)
  })

  it('finds what is wider than the window', async () => {
    await expect(lookAt(`<pre>${'x'.repeat(400)}</pre>`, expectNoSidewaysScroll)).rejects.toThrow(/width/)
    await lookAt('<pre>x</pre>', expectNoSidewaysScroll)
  })

  it('finds what is wider than what it is in, and cut off there', async () => {
    const within = (overflow: string, text: string) =>
      lookAt(`<div id="part"><pre>${text}</pre></div>`, async (page, name) => {
        await page.evaluate(`document.getElementById('part').style.overflow = '${overflow}'`)
        await expectNoSidewaysScroll(page, name)
      })
    for (const overflow of ['auto', 'hidden'])
      await expect(within(overflow, 'x'.repeat(400))).rejects.toThrow(/cut off/)
    await within('auto', 'x')
  })
})
