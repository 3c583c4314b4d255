// Going through a page by keyboard alone.
import type { Locator, Page } from 'playwright-core'

const MOST_STOPS = 120

/** Presses Tab until the element has the focus; throws when the focus never comes to it. */
export async function tabTo(page: Page, element: Locator): Promise<void> {
  for (let stop = 0; stop < MOST_STOPS; stop++) {
    await page.keyboard.press('Tab')
    if ((await element.and(page.locator(':focus')).count()) > 0) return
  }
  throw new Error(`The focus never comes to ${element}.`)
}

/** Goes to the element and presses Enter, and waits for the page that this leads to. */
export async function pressOn(page: Page, element: Locator): Promise<void> {
  await tabTo(page, element)
  await Promise.all([page.waitForEvent('load'), page.keyboard.press('Enter')])
}
