// `npm run demo`: people join, move and leave as Entra and as Okta say it, and an application's sessions end with it.
//
// Exit 0 only if every session of every leaver is dead, every stayer's lives, and kill time is under a second (p95).
// `npm run demo -- --keep` leaves service and application running until Ctrl-C.
import { createServer } from 'node:http'
import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { sessionApp } from '../examples/session-app/server.mjs'
import { entra, okta } from './identity-providers.mjs'
import { startService } from './service.mjs'
import { keepSweeping, onEnd } from './wrangler.mjs'

const TIME_LIMIT_MS = 55_000
const KILL_TIME_LIMIT_MS = 1000
const TENANT = 'acme'
const DEVICES = ['laptop', 'phone']
const keep = process.argv.includes('--keep')

const person = (givenName, familyName, department, leaves) => ({
  name: `${givenName} ${familyName}`,
  givenName,
  familyName,
  department,
  userName: `${givenName}.${familyName}@acme.example`.toLowerCase(),
  leaves: leaves === 'leaves',
  sessions: [],
})

const ada = person('Ada', 'Okafor', 'Finance', 'stays')
const bruno = person('Bruno', 'Keller', 'Finance', 'leaves')
const chiara = person('Chiara', 'Rossi', 'Sales', 'leaves')
const dmitri = person('Dmitri', 'Volkov', 'Sales', 'leaves')
const emma = person('Emma', 'Lindqvist', 'Sales', 'leaves')
const farid = person('Farid', 'Haddad', 'Legal', 'leaves')
const greta = person('Greta', 'Novak', 'Legal', 'stays')
const hugo = person('Hugo', 'Fernandes', 'Support', 'stays')
const ines = person('Ines', 'Moreau', 'Support', 'leaves')
const jonas = person('Jonas', 'Weber', 'Support', 'leaves')
const keiko = person('Keiko', 'Tanaka', 'Research', 'leaves')
const liam = person('Liam', 'Byrne', 'Research', 'stays')
const mina = person('Mina', 'Park', 'Research', 'stays')
const nadia = person('Nadia', 'Costa', 'Research', 'stays')
const inEntra = [ada, bruno, chiara, dmitri, emma, farid, greta]
const inOkta = [hugo, ines, jonas, keiko, liam, mina, nadia]
const everybody = [...inEntra, ...inOkta]

/** Filled as the story goes: { person, how, killMs, sessionsEnded } */
const departures = []
/** userId → { at, count }: when the application ended the sessions of a user, and how many. */
const endings = new Map()

let service
let application
let stopSweeping = () => {}

onEnd(endAll)
const timeLimit = setTimeout(
  () => fail(new Error(`The demo took longer than ${TIME_LIMIT_MS / 1000} s.`)),
  TIME_LIMIT_MS,
)

try {
  await tell()
  clearTimeout(timeLimit)
  const good = await judge()
  if (keep) await stay()
  await endAll()
  process.exit(good ? 0 : 1)
} catch (error) {
  await fail(error)
}

async function tell() {
  const { entraLegacy, entraFlagged, oktaClient } = await setUp()
  await joiners(entraLegacy, entraFlagged, oktaClient)
  await signEverybodyIn()
  await movers(entraLegacy, entraFlagged, oktaClient)
  await entraLeavers(entraLegacy, entraFlagged)
  await oktaLeavers(oktaClient)
  await returner(oktaClient)
  for (const client of [entraLegacy, entraFlagged, oktaClient]) client.close()
}

// The story

async function setUp() {
  heading('Setting up')
  service = await startService()
  line('Service', service.origin)
  application = await startApplication()
  line('Application', application.origin)
  await admin('POST', '/tenants', { slug: TENANT, name: 'Acme' })
  const entraConnection = await admin('POST', `/tenants/${TENANT}/connections`, {
    name: 'Entra ID',
    idp: 'entra',
  })
  const oktaConnection = await admin('POST', `/tenants/${TENANT}/connections`, { name: 'Okta', idp: 'okta' })
  line('Tenant', `${TENANT}, with a connection for Entra and one for Okta`)
  const url = `${application.origin}/webhooks/scim`
  const receiver = await admin('POST', `/tenants/${TENANT}/receivers`, { kind: 'webhook', url })
  application.trust(receiver.secret)
  line('Receiver', url)
  const connect = (connection, more) => ({
    baseUrl: connection.baseUrl,
    token: connection.token.value,
    ...more,
  })
  return {
    entraLegacy: entra(connect(entraConnection, { onExchange: narrate('Entra') })),
    entraFlagged: entra(connect(entraConnection, { flag: true, onExchange: narrate('Entra, flag') })),
    oktaClient: okta(connect(oktaConnection, { onExchange: narrate('Okta') })),
  }
}

async function joiners(entraLegacy, entraFlagged, oktaClient) {
  heading('Joiners')
  await entraLegacy.testConnection()
  await entraFlagged.testConnection()
  for (const someone of inEntra) {
    const client = [ada, bruno, farid].includes(someone) ? entraLegacy : entraFlagged
    someone.id = await client.join(someone)
  }
  await oktaClient.testConnection()
  for (const someone of inOkta) someone.id = await oktaClient.join(someone)
}

async function signEverybodyIn() {
  heading('Everybody signs in at the application')
  for (const someone of everybody) await signIn(someone)
  const count = everybody.flatMap(someone => someone.sessions).length
  line('Application', `${count} sessions of ${everybody.length} people, on ${DEVICES.join(' and ')}`)
}

async function movers(entraLegacy, entraFlagged, oktaClient) {
  heading('Movers')
  await entraLegacy.moveAttributeByAttribute('Ada becomes head of Treasury under Greta', ada.id, {
    department: 'Treasury',
    title: 'Head of Treasury',
    manager: greta.id,
  })
  greta.userName = 'greta.svoboda@acme.example'
  const married = { userName: greta.userName, familyName: 'Svoboda', department: 'Compliance' }
  await entraFlagged.moveMerged('Greta marries: new name, new address', greta.id, married)
  greta.sessions.push(await signInOnce(greta))
  line('Application', 'Greta signs in under her new name; her old sessions stay')
  const sales = await entraLegacy.createGroup('Sales')
  await entraLegacy.addMembers('Three members, "$ref": null', sales, [chiara.id, dmitri.id, emma.id])
  await entraFlagged.addMembers('One more, with the flag', sales, [ada.id])
  await entraLegacy.removeListed('Dmitri goes: a value list', sales, dmitri.id)
  await entraLegacy.isMember('… he alone', sales, dmitri.id, 0)
  await entraFlagged.removeByFilter('Ada goes: a filter', sales, ada.id)
  await entraLegacy.isMember('… and Chiara is still in', sales, chiara.id, 1)

  await oktaClient.put('Hugo moves to Research (AIW)', hugo.id, { title: 'Researcher', locale: 'pt-PT' })
  const lab = await oktaClient.pushGroup('Lab')
  await oktaClient.renameGroup('Renamed, id inside the value', lab, 'Research Lab')
  await oktaClient.addMembers('Keiko and Liam are added', lab, [keiko, liam])
  await oktaClient.exchangeMember('Keiko goes, Mina comes', lab, keiko, mina)
  await oktaClient.replaceMembers('Push now: the whole list', lab, [liam, mina, nadia])
  await oktaClient.expectMembers('The group is as pushed', lab, [liam, mina, nadia])
}

async function entraLeavers(entraLegacy, entraFlagged) {
  heading('Leavers')
  await leave(bruno, 'PATCH Replace active "False"', note => entraLegacy.disableWithText(note, bruno.id))
  await leave(chiara, 'PATCH replace active false (flag)', note => entraFlagged.disable(note, chiara.id))
  await leave(dmitri, 'PATCH {active, displayName} (flag)', note =>
    entraFlagged.disableMerged(note, dmitri.id, 'Dmitri Volkov (left)'),
  )
  await leave(emma, 'DELETE', note => entraFlagged.delete(note, emma.id))
  await leave(farid, 'PATCH Replace active "False", twice', note =>
    entraLegacy.disableWithText(note, farid.id),
  )
  await entraLegacy.disableWithText('… said again in the next cycle', farid.id)
  await expectOneDeactivation(farid)
}

async function oktaLeavers(oktaClient) {
  await leave(ines, 'PUT active false (AIW)', note => oktaClient.put(note, ines.id, { active: false }))
  await leave(jonas, 'PATCH {active: false} (OIN)', note => oktaClient.setActive(note, jonas.id, false))
  await leave(keiko, 'PATCH {active: false} (OIN), returns', note =>
    oktaClient.setActive(note, keiko.id, false),
  )
}

async function returner(oktaClient) {
  heading('One comes back')
  await oktaClient.find('Is she still known?', keiko)
  await oktaClient.setActive('Keiko is reactivated', keiko.id, true)
  const returned = await signInOnce(keiko)
  const old = await Promise.all(keiko.sessions.map(isAlive))
  const lives = await isAlive(returned)
  line(
    'Application',
    `Keiko's old sessions: ${old.some(Boolean) ? 'ALIVE' : 'dead'}; her new one: ${lives ? 'lives' : 'DEAD'}`,
  )
  keiko.returned = returned
}

/** The identity provider says that somebody leaves; waits until the application has ended the sessions. */
async function leave(someone, how, say) {
  let repliedAt
  narrate.onReply = reply => {
    repliedAt = reply.readAt
  }
  await say(`${someone.name} leaves`)
  narrate.onReply = undefined
  const ending = await eventually(() => endings.get(someone.id), 10_000)
  const killMs = ending ? Math.max(0, ending.at - repliedAt) : Number.POSITIVE_INFINITY
  departures.push({ person: someone, how, killMs, sessionsEnded: ending?.count ?? 0 })
  const outcome = ending
    ? `${ending.count} sessions dead ${milliseconds(killMs)} after the reply`
    : 'no call within 10 s'
  line('Application', outcome)
}

async function expectOneDeactivation(someone) {
  const query = `userId=${someone.id}&type=user.deactivated`
  const { items } = await admin('GET', `/tenants/${TENANT}/events?${query}`)
  if (items.length !== 1)
    throw new Error(`${items.length} user.deactivated events for ${someone.name}, expected 1.`)
  line('Service', 'still one event: nothing changed, nothing was sent')
}

// The application

/** The example application on a free loopback port, in this process so that the moment of revocation is known. */
async function startApplication() {
  let app
  const server = createServer((request, response) => app.handle(request, response))
  await new Promise((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve))
  const onSessionsEnded = (userId, count) => {
    if (!endings.has(userId)) endings.set(userId, { at: performance.now(), count })
  }
  return {
    origin: `http://127.0.0.1:${server.address().port}`,
    trust(secret) {
      app = sessionApp(secret, { onSessionsEnded })
    },
    close() {
      server.closeAllConnections()
      server.close()
    },
  }
}

async function signIn(someone) {
  for (const _device of DEVICES) someone.sessions.push(await signInOnce(someone))
}

/** The application learns people from events, so a sign-in right after joining may have to wait for one. */
async function signInOnce({ name, userName }) {
  const token = await eventually(async () => {
    const reply = await fetch(`${application.origin}/login`, {
      method: 'POST',
      body: JSON.stringify({ userName }),
    })
    return (await reply.json()).token
  }, 10_000)
  if (!token) throw new Error(`${name} could not sign in: the application has not heard of ${userName}.`)
  return token
}

async function isAlive(token) {
  const reply = await fetch(`${application.origin}/me`, { headers: { Authorization: `Bearer ${token}` } })
  await reply.arrayBuffer()
  return reply.ok
}

// The result

async function judge() {
  const leavers = departures.map(departure => departure.person)
  const stayers = everybody.filter(someone => !someone.leaves)
  heading('Result')
  row('Leaver', 'How the identity provider said it', 'Dead after', 'Sessions')
  for (const { person: someone, how, killMs, sessionsEnded } of departures)
    row(someone.name, how, milliseconds(killMs), `${sessionsEnded} ended`)

  const killTimes = departures.map(departure => departure.killMs).sort((a, b) => a - b)
  const p95 = percentile(killTimes, 0.95)
  console.log()
  line(
    'Kill time',
    `p50 ${milliseconds(percentile(killTimes, 0.5))}   p95 ${milliseconds(p95)}   limit 1000 ms`,
  )
  const dead = await count(leavers, alive => !alive)
  line('Leavers', `${dead.hits} of ${dead.all} sessions are dead`)
  const living = await count(stayers, alive => alive)
  line(
    'Stayers',
    `${living.hits} of ${living.all} sessions live: ${stayers.map(s => s.givenName).join(', ')}`,
  )
  const returned = await isAlive(keiko.returned)
  line('Returner', `Keiko's new session ${returned ? 'lives' : 'is DEAD'}`)
  await showReceipts()

  const leaversExpected = everybody.filter(someone => someone.leaves).length
  const good =
    leavers.length === leaversExpected &&
    dead.hits === dead.all &&
    living.hits === living.all &&
    returned &&
    p95 < KILL_TIME_LIMIT_MS
  const seconds = (performance.now() / 1000).toFixed(1)
  console.log(
    `\n  ${good ? 'All as it must be' : 'NOT as it must be: see above'}. The demo took ${seconds} s.\n`,
  )
  return good
}

async function count(people, wanted) {
  const sessions = people.flatMap(someone => someone.sessions)
  const alive = await Promise.all(sessions.map(isAlive))
  return { hits: alive.filter(wanted).length, all: sessions.length }
}

/** What the service itself keeps as proof: the application's receipts, one with each delivery of a revocation. */
async function showReceipts() {
  const { items } = await admin('GET', `/tenants/${TENANT}/deliveries?state=delivered&limit=100`)
  const receipts = items.map(item => item.receipt?.sessionsEnded).filter(ended => ended !== undefined)
  const sum = receipts.reduce((total, ended) => total + ended, 0)
  line('Receipts', `the service holds ${receipts.length}, for ${sum} sessions`)
}

// The admin API, the pace and the page

async function admin(method, path, body) {
  const reply = await fetch(`${service.origin}/admin/v1${path}`, {
    method,
    headers: { Authorization: `Bearer ${service.adminToken}`, 'Content-Type': 'application/json' },
    ...(body && { body: JSON.stringify(body) }),
  })
  const text = await reply.text()
  if (!reply.ok) {
    const sent = body ? `\n  ${JSON.stringify(body)}` : ''
    throw new Error(
      `The admin API refused.\n  ${method} /admin/v1${path}${sent}\n  → ${reply.status} ${text}`,
    )
  }
  return JSON.parse(text)
}

async function eventually(probe, limitMs) {
  for (const deadline = performance.now() + limitMs; performance.now() < deadline; await sleep(10)) {
    const outcome = await probe()
    if (outcome) return outcome
  }
  return undefined
}

function percentile(sorted, share) {
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.POSITIVE_INFINITY
}

/** Prints each exchange of a client as a line. */
function narrate(who) {
  return ({ note, method, path, reply }) => {
    narrate.onReply?.(reply)
    const place = path.split('?')[0].replace(/[0-9a-f-]{30,}(?=[0-9a-f]{4}$)/, '…')
    const columns = [method.padEnd(6), place.padEnd(16), reply.status, milliseconds(reply.ms).padStart(8)]
    line(who, `${columns.join(' ')}   ${note}`)
  }
}

function heading(text) {
  console.log(`\n  ${text}\n`)
}

function line(who, text) {
  console.log(`    ${who.padEnd(13)}${text}`)
}

function row(...columns) {
  const [leaver, how, deadAfter, sessions] = columns
  console.log(`    ${leaver.padEnd(18)}${how.padEnd(40)}${deadAfter.padStart(11)}   ${sessions}`)
}

function milliseconds(ms) {
  return Number.isFinite(ms) ? `${ms.toFixed(ms < 10 ? 1 : 0)} ms` : 'never'
}

// The end

async function stay() {
  stopSweeping = keepSweeping(service.origin)
  line('Service', service.origin)
  line('Admin token', `ADMIN_TOKEN in ${service.settingsFile}`)
  line('Application', `${application.origin}   POST /login {"userName"}, GET /me`)
  console.log('\n  Running until Ctrl-C.\n')
  await new Promise(() => {})
}

async function endAll() {
  stopSweeping()
  application?.close()
  await service?.stop()
}

async function fail(error) {
  clearTimeout(timeLimit)
  console.error(`\n  The demo failed. ${error.message}\n`)
  const output = service?.output()
  if (output) console.error(`  What the service wrote last:\n${output.split('\n').slice(-40).join('\n')}\n`)
  await endAll().catch(() => {})
  process.exit(1)
}
