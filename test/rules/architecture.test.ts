// The architecture rules hold for this repository, and each is shown to fail on a source that breaks it.
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import {
  filesAreNamedAfterWhatTheyHold,
  filesOpenWithAComment,
  importsFollowTheArrows,
  keysLeadWithTheTenant,
  noCycles,
  noResourceTypeByName,
  noTestIsSkipped,
  onlyStorageKnowsD1,
  operationsAreGivenTimeAndIds,
  packagesStayInTheirPlace,
  type Rule,
  scimIsPure,
  settingsAreInTheReadme,
} from './architecture'
import type { SourceFile } from './source'

const root = fileURLToPath(new URL('../..', import.meta.url))

function filesUnder(folder: string, extensions: RegExp): SourceFile[] {
  return readdirSync(`${root}/${folder}`, { recursive: true, encoding: 'utf8' })
    .map(name => `${folder}/${name.replaceAll('\\', '/')}`)
    .filter(path => extensions.test(path))
    .map(path => ({ path, text: readFileSync(`${root}/${path}`, 'utf8') }))
}

const code = ['src', 'test', 'scripts', 'bench', 'examples'].flatMap(folder =>
  filesUnder(folder, /\.(ts|tsx|mjs|js)$/),
)
const migrations = filesUnder('migrations', /\.sql$/)
const readme = filesUnder('.', /^\.\/README\.md$/).map(({ text }) => ({ path: 'README.md', text }))

const file = (path: string, ...lines: string[]): SourceFile => ({ path, text: lines.join('\n') })

interface Case {
  readonly rule: string
  readonly check: Rule
  readonly files: readonly SourceFile[]
  /** What breaks the rule → the files that do it. */
  readonly failsWhen: Readonly<Record<string, readonly SourceFile[]>>
  /** Looks like a breach and is none. */
  readonly allows: readonly SourceFile[]
}

const pure = (...lines: string[]) => [file('src/scim/a.ts', ...lines)]
const operation = (line: string) => [file('src/operations/a.ts', line)]

const cases: Case[] = [
  {
    rule: 'src/scim is pure',
    check: scimIsPure,
    files: code,
    failsWhen: {
      'it imports another folder': pure("import { x } from '../storage/x'"),
      'it imports a package': pure("import * as z from 'zod'"),
      'a function is async': pure('export async function f() {}'),
      'it awaits': pure('const x = await y'),
      'it fetches': pure("fetch('https://example.com')"),
      'it reads the clock by Date.now': pure('const now = Date.now()'),
      'it reads the clock by new Date()': pure('const now = new Date( )'),
      'it makes randomness': pure('const x = Math.random()'),
      'it uses crypto': pure('crypto.randomUUID()'),
      'it logs': pure("console.log('x')"),
      'it reads the environment, inside a template': pure(`const x = \`\${env.NAME}\``),
    },
    allows: pure(
      '// async, await, fetch and console in a comment, or `crypto` in a template:',
      "import { a } from './b'",
      "import type { c } from './schemas/c'",
      "const x = { 'await': new Date(text), parsed: Date.parse(text), said: `crypto`, pattern: /env'/ }",
    ),
  },
  {
    rule: 'imports follow the arrows',
    check: importsFollowTheArrows,
    files: code,
    failsWhen: {
      'scim imports storage': [file('src/scim/a.ts', "import { b } from '../storage/b'")],
      'storage imports operations': [file('src/storage/a.ts', "import { b } from '../operations/b'")],
      'storage imports the environment': [file('src/storage/a.ts', "import type { Service } from '../env'")],
      'operations imports http': [file('src/operations/a.ts', "export { b } from '../http/b'")],
      'events imports operations, over several lines': [
        file('src/events/a.ts', 'import {', '  b,', '  c,', "} from '../operations/b'"),
      ],
      'events imports administration': [file('src/events/a.ts', "import { b } from '../administration/b'")],
      'a page of http imports storage': [file('src/http/pages/a.tsx', "import { b } from '../../storage/b'")],
      'an import is dynamic': [file('src/scim/a.ts', "const b = import('../http/b')")],
      'a new folder has no arrow yet': [file('src/other/a.ts', "import { b } from '../scim/b'")],
    },
    allows: [
      file('src/http/authenticate.ts', "import { b } from '../storage/tokens'"),
      file('src/administration/a.ts', "import type { JobPointer } from '../events/message'"),
      file('src/index.ts', "import { app } from './http/app'"),
      file('src/scim/a.ts', "// import { b } from '../http/b'"),
    ],
  },
  {
    rule: 'no cycles',
    check: noCycles,
    files: code,
    failsWhen: {
      'two files import each other': [
        file('src/scim/a.ts', "import { b } from './b'"),
        file('src/scim/b.ts', "import { a } from './a'"),
      ],
      'three files do, once for a type': [
        file('src/scim/a.ts', "import { b } from './b'"),
        file('src/scim/b.ts', "import { c } from './deeper/c'"),
        file('src/scim/deeper/c.ts', "import type { a } from '../a'"),
      ],
    },
    allows: [
      file('src/scim/a.ts', "import { b } from './b'", "import { c } from './c'"),
      file('src/scim/b.ts', "import { c } from './c'"),
      file('src/scim/c.ts', ''),
    ],
  },
  {
    rule: 'packages stay in their place',
    check: packagesStayInTheirPlace,
    files: code,
    failsWhen: {
      'operations imports drizzle-orm': operation("import { sql } from 'drizzle-orm'"),
      'administration imports a part of drizzle-orm': [
        file('src/administration/a.ts', "import type { SQL } from 'drizzle-orm/sqlite-core'"),
      ],
      'events imports hono': [file('src/events/a.ts', "import { html } from 'hono/html'")],
      'http imports jose': [file('src/http/a.ts', "import { SignJWT } from 'jose'")],
      'operations imports zod': operation("import * as z from 'zod'"),
    },
    allows: [
      file('src/storage/a.ts', "import { sql } from 'drizzle-orm'"),
      file('src/env.ts', "import * as z from 'zod'"),
    ],
  },
  {
    rule: 'only storage knows D1',
    check: onlyStorageKnowsD1,
    files: code,
    failsWhen: {
      'an operation names the type': operation('export function f(db: D1Database) {}'),
      'administration prepares a statement': [file('src/administration/a.ts', "db.prepare('SELECT 1')")],
    },
    allows: operation('// D1 rolls a batch back'),
  },
  {
    rule: 'no resource type is called by its name',
    check: noResourceTypeByName,
    files: code,
    failsWhen: {
      'an operation asks for a User': operation("if (type.name === 'User') {}"),
      'http asks for a Group': [file('src/http/a.ts', 'const groups = types.get("Group")')],
      'SQL does': [file('src/storage/a.ts', "sql`SELECT 1 FROM resources WHERE type = 'User'`")],
    },
    allows: [
      file('src/scim/schemas/user.ts', "const name = 'User'"),
      file('src/http/a.ts', "// 'User'", "const x = 'Users'"),
    ],
  },
  {
    rule: 'operations are given time and ids',
    check: operationsAreGivenTimeAndIds,
    files: code,
    failsWhen: {
      'one reads the clock': operation('const now = Date.now()'),
      'one makes an id': operation('const id = crypto.randomUUID()'),
    },
    allows: operation('const made = new Date(tenant.now)'),
  },
  {
    rule: 'files open with a comment',
    check: filesOpenWithAComment,
    files: code,
    failsWhen: { 'one opens with an import': [file('src/a.ts', "import { b } from './b'", '// b')] },
    allows: [file('scripts/a.mjs', '#!/usr/bin/env node', '// What it holds.')],
  },
  {
    rule: 'files are named after what they hold',
    check: filesAreNamedAfterWhatTheyHold,
    files: code,
    failsWhen: {
      'one is called utils': [file('src/http/utils.ts')],
      'one is called types': [file('src/scim/types.ts')],
      'a folder is called shared': [file('src/shared/a.ts')],
    },
    allows: [file('src/scim/schemas/resource-types.ts')],
  },
  {
    rule: 'no test is skipped',
    check: noTestIsSkipped,
    files: code,
    failsWhen: {
      'a test is skipped': [file('test/a.test.ts', "it.skip('works', () => {})")],
      'only one runs': [file('test/a.test.ts', "describe.only('x', () => {})")],
    },
    allows: [file('test/a.test.ts', "it('says it.skip(', () => {})")],
  },
  {
    rule: 'keys and indexes lead with the tenant',
    check: keysLeadWithTheTenant,
    files: migrations,
    failsWhen: {
      'an index does not': [
        file('migrations/1.sql', 'CREATE INDEX `users_name` ON `users` (`name`,`tenant_id`);'),
      ],
      'a unique index does not': [file('migrations/1.sql', 'CREATE UNIQUE INDEX "u" ON "users" ("name");')],
      "a table's key does not": [
        file('migrations/1.sql', 'CREATE TABLE `a` (', '`id` text,', 'PRIMARY KEY(`id`, `tenant_id`)', ');'),
      ],
      "a column's key does not": [
        file(
          'migrations/1.sql',
          'CREATE TABLE `a` (',
          '\t`id` text PRIMARY KEY NOT NULL,',
          '\t`tenant_id` text',
          ');',
        ),
      ],
    },
    allows: [
      file('migrations/1.sql', 'CREATE TABLE `tenants` (', '\t`tenant_id` text PRIMARY KEY NOT NULL', ');'),
      file('migrations/2.sql', 'CREATE INDEX `due_jobs` ON `jobs` (`wake_at`) WHERE wake_at IS NOT NULL;'),
    ],
  },
  {
    rule: 'settings are in the README',
    check: settingsAreInTheReadme,
    files: [...code, ...readme],
    failsWhen: {
      'one is not': [
        file('README.md', 'ADMIN_TOKEN'),
        file('src/env.ts', '  ADMIN_TOKEN: z.string(),', '  DAYS: z.number(),'),
      ],
      'there is no README': [file('src/env.ts', '  ADMIN_TOKEN: z.string(),')],
    },
    allows: [
      file('README.md', '`ADMIN_TOKEN`: a secret'),
      file('src/env.ts', '  ADMIN_TOKEN: z.string(),', '  DB: binding(),'),
    ],
  },
]

for (const { rule, check, files, failsWhen, allows } of cases) {
  describe(`the rule "${rule}"`, () => {
    it('holds', () => {
      expect(check(files)).toEqual([])
    })

    for (const [breach, offending] of Object.entries(failsWhen)) {
      it(`fails when ${breach}`, () => {
        expect(check(offending)).not.toEqual([])
      })
    }

    it('does not cry wolf', () => {
      expect(check(allows)).toEqual([])
    })
  })
}

it('the rules look at real files', () => {
  expect(code.length).toBeGreaterThan(50)
  expect(migrations.length).toBeGreaterThan(0)
})
