// Looking at a page: with axe, at its width, and by taking a picture of it.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import type { AxeResults } from 'axe-core'
import type { Locator, Page } from 'playwright-core'
import { expect } from 'vitest'

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const pictures = fileURLToPath(new URL('../../screenshots', import.meta.url))

const DESK = { width: 1120, height: 760 }
const PHONE = { width: 390, height: 844 }

/** Accessible in light and dark and no wider than a phone or what stands on a desk; with a picture of both. The page is then as it was. */
export async function lookAt(page: Page, name: string): Promise<void> {
  await page.emulateMedia({ colorScheme: 'dark' })
  await page.setViewportSize(PHONE)
  await expectAccessible(page, `${name}, dark`)
  await expectNoSidewaysScroll(page, name)
  await takePicture(page, `${name}-phone`)
  await page.emulateMedia({ colorScheme: 'light' })
  await page.setViewportSize(DESK)
  await expectAccessible(page, `${name}, light`)
  await expectNoSidewaysScroll(page, `${name} on a desk`)
  await takePicture(page, name)
}

/** Brought into each page before it, where no CSP stops it; compiled only where it is called. */
export const axeScript = `globalThis.loadAxe = () => {${axe}}`

const OPTIONS = JSON.stringify({ resultTypes: ['violations'], preload: false })

/** No violation that axe calls serious or critical. */
export async function expectAccessible(page: Page, name: string): Promise<void> {
  // Without its stylesheet a page has other colours.
  await page.waitForLoadState('load')
  const { violations } = await page.evaluate<AxeResults>(`loadAxe(), axe.run(${OPTIONS})`)
  const found = violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, help, nodes }) => nodes.map(({ html }) => `${id}: ${help}: ${html.slice(0, 200)}`))
  expect(found, `what axe finds on ${name}`).toEqual([])
}

/** Neither the page nor a part of it. */
export async function expectNoSidewaysScroll(page: Page, name: string): Promise<void> {
  const [content, window] = await page.evaluate<[number, number]>(
    '[document.documentElement.scrollWidth, document.documentElement.clientWidth]',
  )
  expect(content, `width of ${name}`).toBeLessThanOrEqual(window)
  const cut = await page.evaluate<string[]>(
    `[...document.querySelectorAll('main div, main section, main article, nav ul')]
      .filter(part => getComputedStyle(part).overflowX !== 'visible' && part.scrollWidth > part.clientWidth)
      .map(part => part.outerHTML.slice(0, 200))`,
  )
  expect(cut, `what is cut off on ${name}`).toEqual([])
}

async function takePicture(page: Page, name: string): Promise<void> {
  await page.screenshot({ path: pictureOf(name), fullPage: true, animations: 'disabled' })
}

export async function takePictureOf(part: Locator, name: string): Promise<void> {
  await part.screenshot({ path: pictureOf(name), animations: 'disabled' })
}

function pictureOf(name: string): string {
  return `${pictures}/${name}.png`
}
