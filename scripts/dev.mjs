// `npm run dev`: the service on this machine, with state that survives a restart or a kill.
//
//   npm run dev -- [--port 8787] [--ip 127.0.0.1] [--persist-to DIR] [anything else `wrangler dev` takes]
import { existsSync } from 'node:fs'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join, relative, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseEnv } from 'node:util'
import { envText, freshSettings } from './settings.mjs'
import { freePort, keepSweeping, migrate, onEnd, root, serve, untilServing } from './wrangler.mjs'

const DEV_VARS = join(root, '.dev.vars')
const CONSOLE = '/console'

const { ip, port, persistTo, more } = choices(process.argv.slice(2))
const origin = `http://${ip.includes(':') ? `[${ip}]` : ip}:${port}`
await refuseTakenPort()
const fresh = await ensureDevVars()
const settingsFile = await writeSettings()
const forget = () => rm(settingsFile, { force: true })
await migrate(persistTo)
const service = serve({ ip, port, persistTo, settingsFile, more, onLine: line => console.error(line) })

let stopSweeping = () => {}
onEnd(async () => {
  stopSweeping()
  await service.stop()
  await forget()
})
service.ended.then(async code => {
  await forget()
  process.exit(code)
})

while (!(await untilServing(origin, service))) console.error(`Waiting for ${origin}/healthz to answer 200.`)
await introduce()
stopSweeping = keepSweeping(origin)

/** Our own options, and what is passed on untouched. */
function choices(given) {
  const own = { ip: '127.0.0.1', port: '8787', 'persist-to': undefined }
  const more = []
  for (let i = 0; i < given.length; i++) {
    const [, name, value] = /^--([a-z-]+)(?:=(.*))?$/.exec(given[i]) ?? []
    if (name in own) own[name] = value ?? given[++i]
    else more.push(given[i])
  }
  const place = own['persist-to']
  return { ip: own.ip, port: Number(own.port), persistTo: place && resolve(place), more }
}

/** A predecessor that was killed may need a moment to let go of the port. */
async function refuseTakenPort() {
  for (let attempt = 1; ; attempt++) {
    try {
      return await freePort(port, ip)
    } catch (error) {
      if (error.code !== 'EADDRINUSE' || attempt === 20) {
        console.error(
          `Cannot listen on ${ip}:${port} (${error.code}). Another port: npm run dev -- --port 9000`,
        )
        process.exit(1)
      }
      await sleep(200)
    }
  }
}

/** Makes `.dev.vars` when there is none; true if it did. */
async function ensureDevVars() {
  if (existsSync(DEV_VARS)) return false
  await writeFile(DEV_VARS, envText(freshSettings()), { mode: 0o600, flag: 'wx' })
  return true
}

/**
 * What the service is given: loopback receivers are for local work, `.dev.vars` says the rest, an ADMIN_TOKEN in the
 * environment wins. Handed over in a private file, since arguments can be read by everybody (`ps`).
 */
async function writeSettings() {
  const fromFile = parseEnv(await readFile(DEV_VARS, 'utf8'))
  const fromEnvironment = process.env.ADMIN_TOKEN ? { ADMIN_TOKEN: process.env.ADMIN_TOKEN } : {}
  const file = join(root, `.wrangler/dev-${port}.env`)
  await mkdir(dirname(file), { recursive: true })
  await rm(file, { force: true })
  const settings = { ALLOW_LOOPBACK_RECEIVERS: 'true', ...fromFile, ...fromEnvironment }
  await writeFile(file, envText(settings), { mode: 0o600, flag: 'wx' })
  return file
}

async function introduce() {
  const vars = relative(process.cwd(), DEV_VARS)
  const fromEnvironment = Boolean(process.env.ADMIN_TOKEN)
  const token = fromEnvironment ? 'ADMIN_TOKEN of your environment' : `ADMIN_TOKEN in ${vars}`
  const bearer = fromEnvironment ? '$ADMIN_TOKEN' : `$(sed -n 's/^ADMIN_TOKEN=//p' ${vars})`
  const lines = [
    `edge-scim     ${origin}`,
    ...((await exists(CONSOLE)) ? [`Console       ${origin}${CONSOLE}`] : []),
    `Admin token   ${token}${fresh ? `; ${vars} was made with fresh secrets` : ''}`,
    `State         ${persistTo ?? '.wrangler/state'}`,
    '',
    'Make a tenant:',
    `  curl ${origin}/admin/v1/tenants -H "Authorization: Bearer ${bearer}" \\`,
    `    -H 'Content-Type: application/json' -d '{"slug":"acme","name":"Acme"}'`,
    '',
    'Ctrl-C ends it.',
  ]
  console.log(`\n${lines.map(line => `  ${line}`.trimEnd()).join('\n')}\n`)
}

async function exists(path) {
  const reply = await fetch(origin + path, { redirect: 'manual' })
  await reply.arrayBuffer()
  return reply.status !== 404
}
