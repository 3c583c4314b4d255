// Waiting for what the service does behind its replies.
import type { Locator, Page } from 'playwright-core'
import { expect } from 'vitest'

/** Loads the page again until it is there. */
export async function comesUp(page: Page, what: Locator): Promise<void> {
  await expect
    .poll(() => page.reload().then(() => what.first().isVisible()), { timeout: 30_000, interval: 100 })
    .toBe(true)
}
