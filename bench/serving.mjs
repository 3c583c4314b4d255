// Serves Workers as production does but on this machine: bundled, in workerd, on a socket with nothing before it.
import { randomBytes } from 'node:crypto'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { readFileSync, rmSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { unstable_readConfig } from 'wrangler'
import { freePort, root, wrangler } from '../scripts/wrangler.mjs'

// The Miniflare that wrangler itself uses.
const { Miniflare } = createRequire(createRequire(import.meta.url).resolve('wrangler'))('miniflare')

const config = unstable_readConfig({ config: join(root, 'wrangler.toml') })

/** The production bundle, as `npm run deploy` uploads it. */
export async function bundle() {
  const folder = await mkdtemp(join(tmpdir(), 'edge-scim-bundle-'))
  try {
    const lines = []
    const run = wrangler(['deploy', '--dry-run', '--outdir', folder], { onLine: line => lines.push(line) })
    if ((await run.ended) !== 0) throw new Error(`The Worker could not be bundled.\n${lines.join('\n')}`)
    return await readFile(join(folder, 'index.js'), 'utf8')
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** A folder for D1 and the secrets that belong to what is in it: a second service can take up where one left off. */
export async function newState() {
  const folder = await mkdtemp(join(tmpdir(), 'edge-scim-state-'))
  // On a signal wrangler and Miniflare end workerd and leave at once; what is removed then is removed here.
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  return {
    folder,
    adminToken: randomBytes(24).toString('base64url'),
    secretKey: randomBytes(32).toString('base64url'),
  }
}

/** Serves the bundle with D1 and Queue and without a rate limiter; `counting` puts a counter before D1. */
export async function serveService(source, state, { port, counting = false } = {}) {
  const service = { type: 'ESModule', path: 'index.js', contents: source }
  const counter = { type: 'ESModule', path: 'counting-worker.js', contents: await ours('counting-worker.js') }
  const { producers, consumers } = config.queues
  return serveWorker({
    port,
    state,
    modules: counting ? [counter, service] : [service],
    bindings: {
      ...config.vars,
      ADMIN_TOKEN: state.adminToken,
      SECRET_KEY: state.secretKey,
      ALLOW_LOOPBACK_RECEIVERS: 'true',
    },
    queueProducers: Object.fromEntries(producers.map(({ binding, queue }) => [binding, queue])),
    queueConsumers: Object.fromEntries(consumers.map(consumer => [consumer.queue, asMiniflare(consumer)])),
    statements: await migrations(),
  })
}

/** Serves the bare Worker over one table. */
export async function serveBare(state) {
  return serveWorker({
    state,
    modules: [{ type: 'ESModule', path: 'bare-worker.js', contents: await ours('bare-worker.js') }],
    statements: ['CREATE TABLE rows (id TEXT PRIMARY KEY, document TEXT NOT NULL)'],
  })
}

async function serveWorker({ port, state, statements, ...options }) {
  const direct = await freePort(port)
  const output = []
  const started = watchForWorkerd()
  let workerd
  const miniflare = new Miniflare({
    compatibilityDate: config.compatibility_date,
    compatibilityFlags: config.compatibility_flags,
    modulesRoot: '/',
    d1Databases: { DB: 'benchmark' },
    d1Persist: state.folder,
    host: '127.0.0.1',
    port: 0,
    cf: false,
    unsafeDirectSockets: [{ host: '127.0.0.1', port: direct }],
    handleRuntimeStdio: (stdout, stderr) => {
      for (const stream of [stdout, stderr]) stream.on('data', chunk => output.push(String(chunk)))
    },
    ...options,
  })
  try {
    await miniflare.ready
    workerd = started()
    const database = await miniflare.getD1Database('DB')
    const { n } = await database
      .prepare("SELECT count(*) n FROM sqlite_master WHERE name NOT LIKE '\\_%' ESCAPE '\\'")
      .first()
    if (n === 0) await database.batch(statements.map(statement => database.prepare(statement)))
  } catch (error) {
    await miniflare.dispose()
    throw error
  }
  return {
    origin: `http://127.0.0.1:${direct}`,
    cpuMs: () => cpuMs(workerd),
    output: () => output.slice(-50).join(''),
    stop: () => miniflare.dispose(),
  }
}

/** Miniflare does not say which process it starts, but Node does. The returned function ends the watch. */
function watchForWorkerd() {
  let workerd
  const onChild = ({ process: child }) =>
    child.once('spawn', () => {
      if (child.spawnfile.includes('workerd')) workerd = child
    })
  subscribe('child_process', onChild)
  return () => {
    unsubscribe('child_process', onChild)
    return workerd
  }
}

/** Processor time that a process has used, to 10 ms; NaN where /proc does not tell. */
function cpuMs(child) {
  try {
    const fields = readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ')[1].split(' ')
    return (Number(fields[11]) + Number(fields[12])) * 10
  } catch {
    return Number.NaN
  }
}

const ours = name => readFile(new URL(name, import.meta.url), 'utf8')

async function migrations() {
  const folder = join(root, 'migrations')
  const names = (await readdir(folder)).filter(name => name.endsWith('.sql')).sort()
  const texts = await Promise.all(names.map(name => readFile(join(folder, name), 'utf8')))
  const statements = texts.flatMap(text => text.split('--> statement-breakpoint'))
  return statements.filter(statement => statement.replace(/^\s*--.*$/gm, '').trim())
}

/** max_batch_size → maxBatchSize */
function asMiniflare({ queue: _name, ...settings }) {
  const camel = name => name.replace(/_(\w)/g, (_, letter) => letter.toUpperCase())
  return Object.fromEntries(Object.entries(settings).map(([name, value]) => [camel(name), value]))
}
