// A service of one's own on a free port with throw-away state: for the demo, the tests and whoever wants one.
import { rmSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseEnv } from 'node:util'
import { envText, freshSettings } from './settings.mjs'
import { freePort, migrate, serve, sweep, untilServing } from './wrangler.mjs'

/** Folders of services without a place of their own, removed at the latest when this process ends. */
const throwAway = new Set()
process.once('exit', () => {
  for (const place of throwAway) rmSync(place, { recursive: true, force: true })
})

/** What it wrote last is kept for diagnosis. */
const KEPT_LINES = 500
/** Between looking for a free port and listening on it, somebody else may take it: then another one is tried. */
const PORTS_TRIED = 5
const READY_WITHIN_MS = 60_000

/**
 * Starts the service and waits until it answers. Without `persistTo` its state goes when it is stopped; with it a
 * later start takes the state, and the secrets, up again. `kill` is a crash: everything ends at once, unasked.
 *
 * @param {{ port?: number, persistTo?: string, adminToken?: string, logLevel?: string }} options
 * @returns {Promise<{ origin: string, adminToken: string, settingsFile: string, persistTo: string, pid: number,
 *   output(): string, sweep(): Promise<boolean>, stop(): Promise<void>, kill(): Promise<void> }>}
 */
export async function startService({ port, persistTo, adminToken, logLevel } = {}) {
  const place = persistTo ?? (await mkdtemp(join(tmpdir(), 'edge-scim-')))
  if (!persistTo) throwAway.add(place)
  const forget = async () => {
    if (throwAway.delete(place)) await rm(place, { recursive: true, force: true, maxRetries: 3 })
  }
  try {
    const { settingsFile, token } = await settingsAt(place, adminToken)
    await migrate(place)
    const { origin, run, lines } = await startOnFreePort(port, { persistTo: place, settingsFile, logLevel })
    const end = how => async () => {
      await run[how]()
      await forget()
    }
    return {
      origin,
      adminToken: token,
      settingsFile,
      persistTo: place,
      pid: run.pid,
      output: () => lines.join('\n'),
      sweep: () => sweep(origin),
      stop: end('stop'),
      kill: end('kill'),
    }
  } catch (error) {
    await forget()
    throw error
  }
}

/** Serves once it returns; a port that was asked for is not exchanged for another. */
async function startOnFreePort(wanted, options) {
  for (let tried = 1; ; tried++) {
    const port = await freePort(wanted)
    const origin = `http://127.0.0.1:${port}`
    const lines = []
    const run = serve({
      port,
      ...options,
      onLine: line => lines.push(line) > KEPT_LINES && lines.shift(),
    })
    if (await untilServing(origin, run, READY_WITHIN_MS)) return { origin, run, lines }
    await run.kill()
    const isTaken = lines.some(line => line.includes('Address already in use'))
    if (!isTaken || wanted || tried === PORTS_TRIED)
      throw new Error(`The service did not start.\n${lines.join('\n')}`)
  }
}

/** The env file beside the state: made at the first start, kept for the next, since tokens hang on its secrets. */
async function settingsAt(place, adminToken) {
  const file = join(place, 'service.env')
  await mkdir(place, { recursive: true })
  const known = await readFile(file, 'utf8').then(parseEnv, () => freshSettings())
  const settings = adminToken ? { ...known, ADMIN_TOKEN: adminToken } : known
  await writeFile(file, envText(settings), { mode: 0o600 })
  return { settingsFile: file, token: settings.ADMIN_TOKEN }
}
