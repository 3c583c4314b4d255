// Verifies evidence of edge-scim offline, with Node (≥ 20) and nothing else:
//
//   node verify.mjs evidence.json jwks.json [events.json]
//
// Exit 0: everything that was given holds. Exit 1: something does not, and the output says what.
import { readFile } from 'node:fs/promises'
import { pathToFileURL } from 'node:url'

const TYPE = 'edge-scim-evidence+json'
const GENESIS = '0'.repeat(64)

/** Something does not hold; the message says what. */
export class NotProved extends Error {}

/**
 * The files as bytes; what holds, in words. Throws NotProved.
 * @param {Uint8Array} evidenceFile reply of GET …/users/{id}/evidence
 * @param {Uint8Array} keysFile the tenant's jwks.json, from where you trust it
 * @param {Uint8Array} [eventsFile] reply of GET …/events?chain=true
 * @returns {Promise<string[]>}
 */
export async function verify(evidenceFile, keysFile, eventsFile) {
  const evidence = readJson(evidenceFile, 'The evidence')
  const { keys } = readJson(keysFile, 'The key set')
  const { record, jws, nextCursor, ...rest } = evidence ?? {}
  expect(record && typeof jws === 'string', 'The evidence is not of the form {"record": …, "jws": "…"}.')
  expect(Object.keys(rest).length === 0, `The evidence holds what is not signed: ${Object.keys(rest)}.`)
  expect(
    (nextCursor === undefined) === (record.truncated === false),
    'nextCursor does not agree with truncated.',
  )

  const payload = await openJws(jws, keys)
  expect(canonical(payload) === canonical(record), 'The record is not what was signed.')
  const said = [
    `The signature is good: ${record.issuer} signed this record at ${record.issuedAt}.`,
    ...record.cases.map(describe),
  ]
  if (record.truncated) said.push('There are older cases, which are not in this record.')
  if (eventsFile) said.push(...(await verifyEvents(readJson(eventsFile, 'The events'), record)))
  return said
}

/** The payload of a compact JWS whose RS256 signature one of the keys has made. */
async function openJws(jws, keys) {
  const parts = jws.split('.')
  expect(parts.length === 3, 'The jws does not have three parts.')
  const [header, payload, signature] = parts.map(bytesOf)
  const { alg, typ, kid, ...more } = readJson(header, 'The header of the jws')
  expect(alg === 'RS256' && typ === TYPE, `The jws is not of the type ${TYPE} with RS256.`)
  expect(
    Object.keys(more).length === 0,
    `The header of the jws says more than is known: ${Object.keys(more)}.`,
  )
  expect(Array.isArray(keys), 'The key set is not of the form {"keys": […]}.')
  const jwk = keys.find(key => key?.kid === kid)
  expect(jwk, `The key set has no key ${kid}. Evidence is signed by a key of its time: keep the set with it.`)
  const isForThis = jwk.kty === 'RSA' && jwk.alg === 'RS256' && jwk.use === 'sig'
  expect(isForThis, `The key ${kid} is not one for RS256 signatures.`)
  expect(kid === (await thumbprint(jwk)), `The key ${kid} is not the one that it is named after.`)
  const algorithm = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }
  const key = await crypto.subtle.importKey('jwk', jwk, algorithm, false, ['verify'])
  const signed = new TextEncoder().encode(jws.slice(0, jws.lastIndexOf('.')))
  expect(
    await crypto.subtle.verify(algorithm, key, signature, signed),
    'The signature is not of this content.',
  )
  return readJson(payload, 'The payload of the jws')
}

/** RFC 7638. */
async function thumbprint({ e, kty, n }) {
  const hash = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(JSON.stringify({ e, kty, n })))
  return Buffer.from(hash).toString('base64url')
}

/** Each event is what its hash says, each follows the one before it, and they are those that the record is about. */
async function verifyEvents(list, record) {
  const events = Array.isArray(list) ? list : list?.items
  expect(Array.isArray(events) && events.length > 0, 'The events are not a list of events.')
  const sealed = events.filter(event => event?.hash !== null)
  expect(sealed.length > 0, 'None of the events is sealed yet.')
  let last
  for (const event of sealed) {
    const { hash, previousHash, ...content } = event
    const name = `Event ${content.sequence}`
    expect(typeof hash === 'string', `${name} has no hash: ask for the events with ?chain=true.`)
    expect(!last || content.sequence > last.sequence, `${name} is not in its place.`)
    if (content.sequence === 1) expect(previousHash === GENESIS, `${name} does not begin the chain.`)
    const covered = `${previousHash}\n${canonical({ tenant: record.tenant.id, ...content })}`
    expect(hash === (await sha256(covered)), `${name} is not what was sealed.`)
    if (last && content.sequence === last.sequence + 1)
      expect(
        previousHash === last.hash,
        `${name} does not follow the event before it: one was removed or altered.`,
      )
    last = event
  }
  return [`${sealed.length} events are what was sealed.`, ...anchors(sealed, record)]
}

/**
 * Hashes alone can be made anew by anybody. What proves an event is that the signed record names it, or names one to
 * which a list without a gap leads from it.
 */
function anchors(events, { cases, chain }) {
  const named = new Map(cases.map(({ event }) => [event.sequence, event]))
  let isProved = false
  let next
  for (const event of events.toReversed()) {
    const { sequence, hash } = event
    const known = named.get(sequence)
    const agrees = !known || ['id', 'type', 'occurredAt', 'hash'].every(name => event[name] === known[name])
    expect(agrees, `Event ${sequence} is another one than the record is about.`)
    const isEnd = sequence === chain?.sequence
    expect(
      !isEnd || hash === chain.hash,
      `Event ${sequence} is not the one that the signed chain ended with.`,
    )
    isProved = Boolean(known) || isEnd || (isProved && next === sequence + 1)
    const isLater = sequence > (chain?.sequence ?? 0)
    expect(isProved || isLater, `Event ${sequence} is not proved: one that follows it is not in the list.`)
    next = sequence
  }
  expect(isProved, 'None of these events is in the signed record, so that nothing proves them.')
  const proved = events.filter(({ sequence }) => sequence <= chain.sequence)
  const said = [
    `${proved.length} events, ${proved[0].sequence} to ${proved.at(-1).sequence}, are proved by the signed record.`,
  ]
  if (proved.at(-1).sequence - proved[0].sequence >= proved.length)
    said.push('Between them are others, which are not in the list.')
  if (proved.length < events.length)
    said.push(`What came after event ${chain.sequence} is not: it is later than the record.`)
  return said
}

function describe({ request, event, receivers, outcome, restored }) {
  const by = { scim: request.connection?.name, operator: 'the operator', job: `the job ${request.job}` }
  const who = event.user.userName ?? event.user.id
  const ends = {
    done: `every receiver (${receivers.length}) had it ${outcome.killTimeMs} ms later`,
    undelivered: `still undelivered to ${outcome.undelivered.join(', ')}`,
    nobody: 'there was no receiver to tell',
  }
  const back = restored ? `; access came back at ${restored.at}` : ''
  return `${event.occurredAt} ${event.type} of ${who} by ${by[request.kind] ?? 'somebody unknown'}: ${ends[outcome.state]}${back}.`
}

/** JSON with sorted keys and no spaces: one text for all spellings of a value. */
function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const members = Object.keys(value).sort()
  return `{${members.map(name => `${JSON.stringify(name)}:${canonical(value[name])}`).join(',')}}`
}

async function sha256(text) {
  return Buffer.from(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))).toString('hex')
}

/** Base64url in the one spelling that there is for these bytes. */
function bytesOf(text) {
  const bytes = Buffer.from(text, 'base64url')
  expect(bytes.toString('base64url') === text, 'A part of the jws is not base64url.')
  return bytes
}

function readJson(bytes, what) {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch {
    throw new NotProved(`${what} cannot be read as JSON.`)
  }
}

function expect(condition, message) {
  if (!condition) throw new NotProved(message)
}

async function main([evidence, jwks, events]) {
  if (!evidence || !jwks) {
    console.error('Usage: node verify.mjs evidence.json jwks.json [events.json]')
    return 1
  }
  try {
    const [first, second, third] = await Promise.all([
      readFile(evidence),
      readFile(jwks),
      events ? readFile(events) : undefined,
    ])
    for (const line of await verify(first, second, third)) console.log(line)
    console.log('PROVED')
    return 0
  } catch (error) {
    console.error(`NOT PROVED: ${error instanceof Error ? error.message : error}`)
    return 1
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href)
  process.exitCode = await main(process.argv.slice(2))
