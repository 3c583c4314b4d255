// Five projects: what runs in workerd with real D1 and Queues, the pure kernel in plain Node, the rules of the
// architecture, whole processes that are started and killed, and the pages in a real browser.
import { fileURLToPath } from 'node:url'
import { cloudflareTest, readD1Migrations } from '@cloudflare/vitest-pool-workers'
import { defineConfig } from 'vitest/config'

const migrations = fileURLToPath(new URL('migrations', import.meta.url))

const worker = cloudflareTest(async () => ({
  wrangler: { configPath: './wrangler.toml' },
  miniflare: {
    bindings: {
      TEST_MIGRATIONS: await readD1Migrations(migrations),
      ADMIN_TOKEN: 'admin-token-for-tests',
      SECRET_KEY: 'secret-key-for-tests-0123456789abcdef',
      ALLOW_LOOPBACK_RECEIVERS: 'true',
    },
    // Beside the one of wrangler.toml, for tenants that are placed there.
    d1Databases: { DB_2: 'second' },
    // Nothing leaves the machine: whatever a test does not answer itself is accepted by nobody.
    outboundService: () => new Response(null, { status: 202 }),
  },
}))

export default defineConfig({
  test: {
    projects: [
      {
        plugins: [worker],
        test: {
          name: 'worker',
          include: ['test/{http,events,storage,contract,systems,reliability}/**/*.test.ts'],
          setupFiles: ['test/setup.ts'],
        },
      },
      { test: { name: 'scim', include: ['test/{scim,mapping}/**/*.test.ts'], testTimeout: 30_000 } },
      { test: { name: 'rules', include: ['test/rules/**/*.test.ts'] } },
      {
        test: {
          name: 'process',
          include: ['test/process/**/*.test.ts'],
          testTimeout: 180_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: 'browser',
          include: ['test/browser/**/*.test.ts'],
          globalSetup: 'test/browser/stage.ts',
          // After all others, since a browser takes every processor that there is.
          sequence: { groupOrder: 1 },
          testTimeout: 120_000,
          hookTimeout: 60_000,
          fileParallelism: false,
        },
      },
    ],
  },
})
