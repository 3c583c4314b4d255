// A small application behind edge-scim: it holds signed-in sessions and ends them when the directory says so.
// Copy it: node:http and node:crypto are all it needs. `WEBHOOK_SECRET=whsec_… PORT=3000 node server.mjs`
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { createServer } from 'node:http'
import { pathToFileURL } from 'node:url'

const TOLERANCE_SECONDS = 5 * 60
const MAX_BODY_BYTES = 1_000_000
/** What an event says about a person's access; those not named here leave it as it is. */
const LETS_IN = ['user.created', 'user.reactivated']
const SHUTS_OUT = ['user.deactivated', 'user.deleted']

/**
 * The application. `secret` is the receiver's `whsec_…`; `onSessionsEnded(userId, count)` is told of each revocation.
 * In memory here; in yours `people` and `sessions` are tables, and one transaction does what `apply` does.
 */
export function sessionApp(secret, { onSessionsEnded = () => {} } = {}) {
  /** id → { userName, active, notBefore, nameSequence, accessSequence } */
  const people = new Map()
  /** token → { userId, issuedAt } */
  const sessions = new Map()
  /** webhook-id → the answer given: a repeated delivery gets the same one. */
  const answered = new Map()

  /** Stands in for your sign-in (OIDC, SAML, password): whoever the directory lets in gets a session. */
  function signIn(userName) {
    const [userId, person] = [...people].find(([, p]) => p.active && sameName(p.userName, userName)) ?? []
    // Within the second of a revocation a new session could not be told from an old one: try again in the next.
    if (!person || now() <= person.notBefore) return undefined
    const token = randomBytes(24).toString('base64url')
    sessions.set(token, { userId, issuedAt: now() })
    return token
  }

  /** The check to copy into every request: is this session still good? */
  function signedIn(token) {
    const session = sessions.get(token)
    const person = session && people.get(session.userId)
    return person?.active && session.issuedAt > person.notBefore ? person : undefined
  }

  /** Applies one event. Returns the receipt, which edge-scim keeps with the delivery. */
  function apply({ type, data }) {
    if (!data?.user) return {} // a group's event, or a test
    const { id, userName, active = true } = data.user
    const person = people.get(id) ?? { active: false, notBefore: 0, nameSequence: 0, accessSequence: 0 }
    people.set(id, person)
    // An event that a later one has overtaken must not undo it.
    if (data.sequence > person.nameSequence) Object.assign(person, { userName, nameSequence: data.sequence })
    if ([...LETS_IN, ...SHUTS_OUT].includes(type) && data.sequence > person.accessSequence)
      Object.assign(person, { active: LETS_IN.includes(type) && active, accessSequence: data.sequence })
    return data.sessions === 'revoke_all' ? { sessionsEnded: revoke(id, person, data.notBefore) } : {}
  }

  /** Revocation only ever takes away, so it is right in whatever order events arrive. */
  function revoke(userId, person, notBefore) {
    person.notBefore = Math.max(person.notBefore, notBefore)
    let ended = 0
    for (const [token, session] of sessions) {
      if (session.userId !== userId || session.issuedAt > person.notBefore) continue
      sessions.delete(token)
      ended++
    }
    onSessionsEnded(userId, ended)
    return ended
  }

  async function webhook(request, response) {
    const body = await readBody(request)
    const refusal = refusalOf(secret, request.headers, body)
    if (refusal) return send(response, 401, { error: refusal })
    const id = request.headers['webhook-id']
    if (!answered.has(id)) answered.set(id, apply(JSON.parse(body)))
    if (answered.size > 10_000) answered.delete(answered.keys().next().value)
    send(response, 200, answered.get(id))
  }

  async function login(request, response) {
    const { userName } = JSON.parse(await readBody(request))
    const token = signIn(String(userName))
    if (!token) return send(response, 403, { error: 'No such person, or no access.' })
    response.setHeader('Set-Cookie', `session=${token}; Path=/; HttpOnly; SameSite=Lax`)
    send(response, 200, { token })
  }

  function me(request, response) {
    const person = signedIn(tokenOf(request.headers))
    if (!person) return send(response, 401, { error: 'Not signed in.' })
    send(response, 200, { userName: person.userName })
  }

  const routes = { 'POST /webhooks/scim': webhook, 'POST /login': login, 'GET /me': me }

  async function handle(request, response) {
    try {
      const route = routes[`${request.method} ${request.url.split('?')[0]}`]
      await (route ? route(request, response) : send(response, 404, { error: 'Not found.' }))
    } catch {
      send(response, 400, { error: 'Malformed request.' })
    }
  }
  return { handle }
}

/** Standard Webhooks: why the call is refused, or undefined when it is genuine and recent. */
function refusalOf(secret, headers, body) {
  const id = headers['webhook-id']
  const timestamp = headers['webhook-timestamp']
  const signatures = headers['webhook-signature']
  if (!id || !timestamp || !signatures) return 'A webhook header is missing.'
  if (!(Math.abs(now() - Number(timestamp)) <= TOLERANCE_SECONDS)) return 'The timestamp is too old or new.'
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64')
  const expected = createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest()
  const genuine = signatures.split(' ').some(signature => {
    const given = Buffer.from(signature.replace(/^v1,/, ''), 'base64')
    return signature.startsWith('v1,') && given.length === expected.length && timingSafeEqual(given, expected)
  })
  return genuine ? undefined : 'The signature is wrong.'
}

async function readBody(request) {
  const chunks = []
  let size = 0
  for await (const chunk of request) {
    size += chunk.length
    if (size > MAX_BODY_BYTES) throw new Error('too large')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function tokenOf({ authorization = '', cookie = '' }) {
  return /^Bearer (\S+)$/i.exec(authorization)?.[1] ?? /(?:^|;\s*)session=([^;]+)/.exec(cookie)?.[1]
}

const now = () => Math.floor(Date.now() / 1000)

const sameName = (a, b) => a.toLowerCase() === b.toLowerCase()

const send = (response, status, body) =>
  response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body))

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const { WEBHOOK_SECRET, PORT = '3000' } = process.env
  if (!WEBHOOK_SECRET?.startsWith('whsec_'))
    throw new Error('Set WEBHOOK_SECRET to the whsec_… of the receiver.')
  const log = (userId, count) => console.log(`${userId}: ${count} session(s) ended`)
  createServer(sessionApp(WEBHOOK_SECRET, { onSessionsEnded: log }).handle).listen(Number(PORT), '127.0.0.1')
  console.log(`http://127.0.0.1:${PORT} — receiver URL: http://127.0.0.1:${PORT}/webhooks/scim`)
}
