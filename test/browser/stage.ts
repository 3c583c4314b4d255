// What all browser tests share: the real service with fresh state, and one Chromium; started before, ended after them.
import type { TestProject } from 'vitest/node'
import { startService } from '../../scripts/service.mjs'
import { launchChromium } from './chromium'

declare module 'vitest' {
  interface ProvidedContext {
    readonly origin: string
    readonly adminToken: string
    /** Where the browser listens for who drives it. */
    readonly browser: string
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const service = await startService()
  try {
    const browser = await launchChromium()
    project.provide('origin', service.origin)
    project.provide('adminToken', service.adminToken)
    project.provide('browser', browser.wsEndpoint())
    return async () => {
      await browser.close()
      await service.stop()
    }
  } catch (error) {
    await service.kill()
    throw error
  }
}
