// The rules of the architecture as functions: source files in, violations out.
import { codeOf, importsOf, moduleName, type SourceFile, withoutComments } from './source'

export type Rule = (files: readonly SourceFile[]) => string[]

/** Which folders of src a folder's files may import from. `index`, `env`: the files of that name. */
const ARROWS: Readonly<Record<string, readonly string[]>> = {
  scim: ['scim'],
  mapping: ['mapping', 'scim'],
  storage: ['storage', 'mapping', 'scim'],
  operations: ['operations', 'storage', 'mapping', 'scim', 'env'],
  events: ['events', 'storage', 'scim', 'env'],
  administration: ['administration', 'operations', 'events', 'storage', 'mapping', 'scim', 'env'],
  http: ['http', 'operations', 'administration', 'events', 'mapping', 'scim', 'env'],
  index: ['http', 'events', 'env', 'storage', 'administration'],
  env: ['storage'],
}

/** Imports beyond the arrows, each for a reason: importing module → imported folder or module. */
const EXCEPTIONS: readonly (readonly [importer: string, imported: string])[] = [
  // A credential is read, and its rows are asked for, before there is a tenant to operate on.
  ['src/http/authenticate', 'storage'],
  ['src/http/scim-request', 'storage'],
  // The form of a queue message, for the type of the binding.
  ['src/env', 'src/events/message'],
]

/** Packages that only these folders or files may import. */
const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  'drizzle-orm': ['src/storage/'],
  hono: ['src/http/', 'src/index.ts'],
  '@hono/zod-validator': ['src/http/'],
  // Who holds a private key is read in one place; who Cloudflare Access lets in, in another, by its public keys.
  jose: ['src/events/signing-keys', 'src/administration/cloudflare-access'],
  zod: ['src/http/', 'src/env.ts', 'src/events/message.ts', 'src/mapping/profile-document.ts'],
}

const IMPURE = [
  /\basync\b/,
  /\bawait\b/,
  /\bfetch\b/,
  /\bDate\.now\b/,
  /\bnew Date\(\s*\)/,
  /\bMath\.random\b/,
  /\bcrypto\b/,
  /\bconsole\b/,
  /\benv\b/,
]

/**
 * Indexes and keys that need not lead with the tenant: the directory of tenants, the deployment's profiles, and what the
 * sweep asks for.
 */
const UNTENANTED = [
  'tenant_directory',
  'profiles',
  'due_profiles',
  'due_deliveries',
  'due_jobs',
  'watched_deliveries',
  'old_revocations',
]

/** src/scim is pure: synchronous functions of their arguments, knowing nothing outside the folder. */
export const scimIsPure: Rule = files =>
  within(files, 'src/scim/').flatMap(file => [
    ...importsOf(file)
      .filter(({ target }) => !target?.startsWith('src/scim/'))
      .map(({ specifier }) => `${file.path} imports ${specifier}`),
    ...IMPURE.map(pattern => pattern.exec(codeOf(file.text))?.[0])
      .filter(found => found !== undefined)
      .map(found => `${file.path} contains ${found}`),
  ])

/** Imports follow the arrows between the folders. */
export const importsFollowTheArrows: Rule = files =>
  within(files, 'src/').flatMap(file =>
    importsOf(file)
      .filter(({ target }) => target?.startsWith('src/') && !mayImport(file.path, target))
      .map(({ target }) => `${file.path} imports ${target}`),
  )

function mayImport(path: string, target: string): boolean {
  const importer = moduleName(path)
  const folder = folderOf(target)
  if (ARROWS[folderOf(importer)]?.includes(folder)) return true
  return EXCEPTIONS.some(
    ([from, to]) =>
      (importer === from || importer.startsWith(`${from}/`)) && (to === folder || to === target),
  )
}

/** `src/scim/schemas/user` → `scim`, `src/env` → `env`. */
function folderOf(module: string): string {
  return module.split('/')[1] ?? ''
}

/** No file imports itself by way of others; imports of types count, since a reader follows them too. */
export const noCycles: Rule = files => {
  const graph = new Map(
    within(files, 'src/').map(file => [
      moduleName(file.path),
      importsOf(file).map(({ target }) => target ?? ''),
    ]),
  )
  const cycles = new Set<string>()
  const done = new Set<string>()
  const visit = (module: string, path: readonly string[]) => {
    if (path.includes(module)) cycles.add([...path.slice(path.indexOf(module)), module].join(' → '))
    if (path.includes(module) || done.has(module)) return
    for (const next of graph.get(module) ?? []) visit(next, [...path, module])
    done.add(module)
  }
  for (const module of graph.keys()) visit(module, [])
  return [...cycles]
}

/** drizzle-orm in storage, hono in http, zod at the edges. */
export const packagesStayInTheirPlace: Rule = files =>
  within(files, 'src/').flatMap(file =>
    importsOf(file)
      .filter(({ specifier }) => {
        const [, places] = Object.entries(PACKAGES).find(([name]) => isOf(name, specifier)) ?? []
        return places && !places.some(place => file.path.startsWith(place))
      })
      .map(({ specifier }) => `${file.path} imports ${specifier}`),
  )

function isOf(packageName: string, specifier: string): boolean {
  return specifier === packageName || specifier.startsWith(`${packageName}/`)
}

/** Only storage, and the list of bindings, know that the database is D1. */
export const onlyStorageKnowsD1: Rule = files =>
  within(files, 'src/')
    .filter(({ path }) => !path.startsWith('src/storage/') && path !== 'src/env.ts')
    .filter(({ text }) => /\bD1[A-Z]\w*\b|\.prepare\(/.test(codeOf(text)))
    .map(({ path }) => `${path} speaks D1`)

/** A resource type is data: its name stands nowhere but in its schema, not even inside SQL. */
export const noResourceTypeByName: Rule = files =>
  within(files, 'src/')
    .filter(({ path }) => !path.startsWith('src/scim/schemas/'))
    .flatMap(({ path, text }) =>
      [...withoutComments(text).matchAll(/(['"`])(?:User|Group)\1/g)].map(
        ([name]) => `${path} contains ${name}`,
      ),
    )

/** What an operation does depends on its arguments: time, ids and randomness are among them. */
export const operationsAreGivenTimeAndIds: Rule = files =>
  within(files, 'src/operations/')
    .filter(({ text }) =>
      /\bDate\.now\b|\bnew Date\(\s*\)|\bMath\.random\b|\bcrypto\b|\buuidv7\b/.test(codeOf(text)),
    )
    .map(({ path }) => `${path} makes time, ids or randomness itself`)

/** Every file opens with a sentence that says what it holds. */
export const filesOpenWithAComment: Rule = files =>
  files
    .filter(({ text }) => !/^(#![^\n]*\n)?\s*(\/\/|\/\*)/.test(text))
    .map(({ path }) => `${path} opens without a comment`)

/** A file holds one noun, and is called after it. */
export const filesAreNamedAfterWhatTheyHold: Rule = files =>
  files
    .filter(({ path }) => /(^|\/)(utils?|helpers?|common|shared|misc|types?)(\.|\/)/i.test(path))
    .map(({ path }) => `${path} says nothing by its name`)

/** A test that does not run proves nothing. */
export const noTestIsSkipped: Rule = files =>
  within(files, 'test/')
    .filter(({ text }) => /\b(?:it|test|describe)\.(?:skip|only|todo|skipIf|runIf)\b/.test(codeOf(text)))
    .map(({ path }) => `${path} skips tests, or all others`)

/** Every primary key and index of the migrations leads with the tenant. */
export const keysLeadWithTheTenant: Rule = files =>
  within(files, 'migrations/')
    .flatMap(({ path, text }) => keysOf(text).map(key => ({ path, ...key })))
    .filter(({ name, first }) => first !== 'tenant_id' && !UNTENANTED.includes(name))
    .map(({ path, name, first }) => `${path}: ${name} leads with ${first}`)

/** The first column of every primary key (named after its table) and index. */
function keysOf(sql: string): { name: string; first: string }[] {
  const tables = [...sql.matchAll(/CREATE TABLE (?:IF NOT EXISTS )?[`"]?(\w+)[`"]? \(([^;]*)\)/gi)]
  const primaryKeys = tables.flatMap(([, name = '', body = '']) => {
    const ofTable = /PRIMARY KEY\s*\(\s*[`"]?(\w+)/i.exec(body)
    const ofColumn = /^\s*[`"]?(\w+)[`"]?[^,\n]*\bPRIMARY KEY\b/im.exec(body)
    const first = ofTable?.[1] ?? ofColumn?.[1]
    return first ? [{ name, first }] : []
  })
  const indexes = sql.matchAll(
    /CREATE (?:UNIQUE )?INDEX (?:IF NOT EXISTS )?[`"]?(\w+)[`"]?\s+ON\s+\S+\s*\(\s*[`"]?(\w+)/gi,
  )
  return [...primaryKeys, ...[...indexes].map(([, name = '', first = '']) => ({ name, first }))]
}

/** Every setting that src/env.ts reads is explained in the README. */
export const settingsAreInTheReadme: Rule = files => {
  const readme = files.find(({ path }) => path === 'README.md')?.text ?? ''
  const env = files.find(({ path }) => path === 'src/env.ts')?.text ?? ''
  const settings = [...codeOf(env).matchAll(/^\s*([A-Z][A-Z0-9_]+):\s*z\./gm)].map(([, name = '']) => name)
  return settings.filter(name => !readme.includes(name)).map(name => `README.md does not name ${name}`)
}

function within(files: readonly SourceFile[], folder: string): SourceFile[] {
  return files.filter(({ path }) => path.startsWith(folder))
}
