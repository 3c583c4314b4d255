// What vitest.config.ts adds to the Worker's bindings, and Vite to import.meta (glob).
/// <reference types="vite/types/importMeta.d.ts" />
declare namespace Cloudflare {
  interface Env {
    DB_2: D1Database
    TEST_MIGRATIONS: import('cloudflare:test').D1Migration[]
    ADMIN_TOKEN: string
    SECRET_KEY: string
    SECRET_KEY_PREVIOUS?: string
    ALLOW_LOOPBACK_RECEIVERS: 'true'
  }
}

/** A file as text. */
declare module '*?raw' {
  const text: string
  export default text
}
