// How the scripts run wrangler: quietly, without prompts or the network, in their process group, ending with them.
import { spawn, spawnSync } from 'node:child_process'
import { createServer } from 'node:net'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { unstable_readConfig as readConfig } from 'wrangler'

/** The repository. */
export const root = fileURLToPath(new URL('..', import.meta.url))

/** What `wrangler` runs. */
export const CLI = join(root, 'node_modules/wrangler/wrangler-dist/cli.js')
const END_WITH_PARENT = new URL('end-with-parent.mjs', import.meta.url).href
/** Wrangler gets this long to end by itself. */
const GRACE_MS = 4000
/** So long is waited for processes that were killed to be gone. */
const GONE_WITHIN_MS = 10_000

/** No prompt, no telemetry, no look-up at Cloudflare, no banner; logs and registry stay in the repository. */
const QUIET = {
  CI: '1',
  CLOUDFLARE_CF_FETCH_ENABLED: 'false',
  WRANGLER_HIDE_BANNER: 'true',
  WRANGLER_LOG: 'warn',
  WRANGLER_LOG_PATH: join(root, '.wrangler/logs'),
  WRANGLER_REGISTRY_PATH: join(root, '.wrangler/registry'),
  WRANGLER_SEND_METRICS: 'false',
  X_LOCAL_EXPLORER: 'false',
}

/**
 * Starts `wrangler …arguments_`; `onLine` gets what it writes, line by line.
 * @returns {{ pid: number, ended: Promise<number>, stop(): Promise<void>, kill(): Promise<void> }}
 */
export function wrangler(arguments_, { onLine = () => {}, logLevel } = {}) {
  const node = ['--no-warnings', '--experimental-vm-modules', '--import', END_WITH_PARENT]
  const child = spawn(process.execPath, [...node, CLI, ...arguments_], {
    cwd: root,
    env: { ...process.env, ...QUIET, ...(logLevel && { WRANGLER_LOG: logLevel }) },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  for (const stream of [child.stdout, child.stderr]) createInterface(stream).on('line', onLine)

  const grandchildren = new Set()
  let isOver = false
  child.on('message', message => {
    if (message.started) grandchildren.add(message.started)
    if (message.ended) grandchildren.delete(message.ended)
    // What it said with its last breath may be heard after its end.
    if (isOver && message.started) endHard(message.started)
  })
  const endGrandchildren = () => {
    for (const pid of grandchildren) endHard(pid)
  }
  const silent = new Promise(resolve => child.once('close', resolve))
  const ended = new Promise(resolve => {
    child.once('error', () => resolve(1))
    child.once('exit', async code => {
      isOver = true
      endGrandchildren()
      await untilGone(grandchildren)
      await Promise.race([silent, sleep(GRACE_MS, undefined, { ref: false })])
      resolve(code ?? 1)
    })
  })

  async function kill() {
    endGrandchildren()
    child.kill('SIGKILL')
    await ended
  }
  async function stop() {
    child.kill('SIGTERM')
    const late = sleep(GRACE_MS, 'late', { ref: false })
    if ((await Promise.race([ended, late])) === 'late') await kill()
  }
  return { pid: child.pid, ended, stop, kill }
}

function endHard(pid) {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended already.
  }
}

/** Whoever was killed holds its files and its port until it is gone. */
async function untilGone(pids) {
  const deadline = Date.now() + GONE_WITHIN_MS
  while ([...pids].some(isAlive) && Date.now() < deadline) await sleep(20)
}

function isAlive(pid) {
  return isRunning(pid) && !isZombie(pid)
}

/** It has ended, and only its parent has not asked how: where nobody ever does, it stays in the list. */
function isZombie(pid) {
  const { stdout } = spawnSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' })
  return /^(Z|$)/.test((stdout ?? '').trim())
}

/** Names of the D1 databases that a configuration binds. */
export function d1Bindings(config = 'wrangler.toml') {
  return readConfig({ config: resolve(root, config) }).d1_databases.map(({ binding }) => binding)
}

/** Applies the migrations to the local databases under `persistTo` (undefined: wrangler's own place). */
export async function migrate(persistTo) {
  const place = persistTo ? ['--persist-to', persistTo] : []
  for (const binding of d1Bindings()) {
    const lines = []
    const run = wrangler(['d1', 'migrations', 'apply', binding, '--local', ...place], {
      logLevel: 'log',
      onLine: line => lines.push(line),
    })
    if ((await run.ended) !== 0)
      throw new Error(`The migrations of ${binding} could not be applied.\n${lines.join('\n')}`)
  }
}

/** Starts `wrangler dev`; it serves when `untilServing` returns. */
export function serve({ ip = '127.0.0.1', port, persistTo, settingsFile, more = [], onLine, logLevel }) {
  const place = persistTo ? ['--persist-to', persistTo] : []
  const settings = ['--env-file', settingsFile]
  const fixed = ['--test-scheduled', '--show-interactive-dev-session=false', '--inspector-port', '0']
  return wrangler(['dev', '--ip', ip, '--port', String(port), ...place, ...settings, ...fixed, ...more], {
    onLine,
    logLevel,
  })
}

/** Waits for GET /healthz to answer 200. False when the service ended, or was not ready, before that. */
export async function untilServing(origin, service, timeoutMs = 30_000) {
  let ended = false
  service.ended.then(() => {
    ended = true
  })
  for (const deadline = Date.now() + timeoutMs; !ended && Date.now() < deadline; ) {
    const status = await healthOf(origin)
    if (status === 200) return true
    // Whoever answers with an error writes why: not ten times a second.
    await sleep(status ? 1000 : 100)
  }
  return false
}

async function healthOf(origin) {
  try {
    const reply = await fetch(`${origin}/healthz`, { signal: AbortSignal.timeout(2000) })
    await reply.arrayBuffer()
    return reply.status
  } catch {
    return undefined
  }
}

/** Does what the cron trigger does in production; local crons never fire. */
export async function sweep(origin) {
  const reply = await fetch(`${origin}/__scheduled?cron=*+*+*+*+*`, { signal: AbortSignal.timeout(30_000) })
  await reply.arrayBuffer()
  return reply.ok
}

/** Sweeps now and every five seconds, one at a time, until the returned function is called. */
export function keepSweeping(origin) {
  let timer
  let over = false
  const next = async () => {
    await sweep(origin).catch(() => {})
    if (!over) timer = setTimeout(next, 5000)
  }
  next()
  return () => {
    over = true
    clearTimeout(timer)
  }
}

/** The port if nobody listens on it, or some such port for 0; throws when it is taken. */
export async function freePort(wanted = 0, ip = '127.0.0.1') {
  const server = createServer()
  await new Promise((resolve, reject) => server.once('error', reject).listen(wanted, ip, resolve))
  const { port } = server.address()
  await new Promise(resolve => server.close(resolve))
  return port
}

/**
 * Runs `end` once on SIGINT, SIGTERM or SIGHUP, or when the npm that ran the script was killed; then exits.
 * Should the script be killed itself, wrangler leaves on its own.
 */
export function onEnd(end) {
  let ending = false
  const leave = async () => {
    if (ending) return
    ending = true
    await end()
    process.exit()
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, leave)
  if (process.env.npm_lifecycle_event) whenGone([process.ppid, parentOf(process.ppid)], leave)
}

/** npm runs a script in a shell: our parent is that shell, or npm where the shell has replaced itself. */
function parentOf(pid) {
  const { stdout } = spawnSync('ps', ['-o', 'ppid=', '-p', String(pid)], { encoding: 'utf8' })
  return Number(stdout) || pid
}

function whenGone(pids, then) {
  setInterval(() => pids.every(isRunning) || then(), 500).unref()
}

function isRunning(pid) {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return error.code === 'EPERM'
  }
}
