// Entra and Okta as SCIM clients: their requests with their headers, in the dialects that their documentation shows.
import { randomBytes, randomUUID } from 'node:crypto'
import { Agent, request as httpRequest } from 'node:http'
import { performance } from 'node:perf_hooks'

const USER = 'urn:ietf:params:scim:schemas:core:2.0:User'
const ENTERPRISE = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'
const GROUP = 'urn:ietf:params:scim:schemas:core:2.0:Group'
const MICROSOFT_GROUP = 'http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group'
const PATCH_OP = 'urn:ietf:params:scim:api:messages:2.0:PatchOp'

const patchOp = (...Operations) => ({ schemas: [PATCH_OP], Operations })
const eq = (attribute, value) => `filter=${encodeURIComponent(`${attribute} eq "${value}"`)}`

/** A reply that the identity provider would report as a failure; the message shows request and reply. */
export class UnexpectedReply extends Error {
  constructor(why, { method, url, body }, reply) {
    const sent = body === undefined ? '' : `\n  ${JSON.stringify(body)}`
    super(`${why}\n  ${method} ${url}${sent}\n  → ${reply.status} ${reply.text}`)
  }
}

/**
 * Sends with exactly these headers over kept-alive connections. `onExchange` sees every request with its reply;
 * `reply.readAt` is the moment the client had read it all.
 */
function scimClient({ baseUrl, token, headers, bodyType, query = '', onExchange }) {
  const agent = new Agent({ keepAlive: true })

  function exchange(method, path, body) {
    const url = baseUrl + withQuery(path, query)
    const text = body === undefined ? undefined : JSON.stringify(body)
    const withBody = text && { 'Content-Type': bodyType, 'Content-Length': Buffer.byteLength(text) }
    const options = { method, agent, headers: { ...headers, Authorization: `Bearer ${token}`, ...withBody } }
    const startedAt = performance.now()
    return new Promise((resolve, reject) => {
      const request = httpRequest(url, options, async response => {
        try {
          const reply = { status: response.statusCode, text: await textOf(response) }
          const readAt = performance.now()
          resolve({ ...reply, readAt, ms: readAt - startedAt, body: parsed(reply.text) })
        } catch (error) {
          reject(error)
        }
      })
      request.once('error', reject)
      request.end(text)
    })
  }

  /** Sends, and throws unless the reply is one of `expected` statuses and satisfies `holds`. */
  async function send(note, method, path, { body, expected = [200], holds = () => true }) {
    const reply = await exchange(method, path, body)
    const sent = { method, url: baseUrl + withQuery(path, query), path, body }
    if (!expected.includes(reply.status))
      throw new UnexpectedReply(`Expected ${expected.join(' or ')}.`, sent, reply)
    if (!holds(reply.body)) throw new UnexpectedReply('The body is not as expected.', sent, reply)
    await onExchange({ note, ...sent, reply })
    return reply.body
  }

  return { send, close: () => agent.destroy() }
}

const withQuery = (path, query) => (query ? path + (path.includes('?') ? '&' : '?') + query : path)

async function textOf(response) {
  const chunks = []
  for await (const chunk of response) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

function parsed(text) {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const found = count => list => list?.totalResults === count
const patched = { expected: [200, 204] }

/** Entra ID. `flag`: with `?aadOptscim062020` at the end of the tenant URL, as new applications are told to use. */
export function entra({ baseUrl, token, flag = false, onExchange }) {
  const { send, close } = scimClient({
    baseUrl,
    token,
    headers: { Accept: 'application/scim+json' },
    bodyType: 'application/scim+json; charset=utf-8',
    query: flag ? 'aadOptscim062020' : '',
    onExchange,
  })
  const patchUser = (note, id, ...operations) =>
    send(note, 'PATCH', `/Users/${id}`, { body: patchOp(...operations), ...patched })
  const patchGroup = (note, id, ...operations) =>
    send(note, 'PATCH', `/Groups/${id}`, { body: patchOp(...operations), ...patched })

  return {
    close,
    testConnection: () =>
      send('Test connection', 'GET', `/Users?${eq('userName', randomUUID())}`, { holds: found(0) }),

    async join(person) {
      await send(`Is ${person.name} known?`, 'GET', `/Users?${eq('userName', person.userName)}`, {
        holds: found(0),
      })
      const body = {
        schemas: [USER, ENTERPRISE],
        externalId: randomUUID(),
        userName: person.userName,
        active: true,
        displayName: person.name,
        emails: [{ primary: true, type: 'work', value: person.userName }],
        meta: { resourceType: 'User' },
        name: { formatted: person.name, givenName: person.givenName, familyName: person.familyName },
        roles: [],
        [ENTERPRISE]: { department: person.department },
      }
      const created = { body, expected: [201], holds: user => user.id && user.active === true }
      return (await send(`${person.name} joins`, 'POST', '/Users', created)).id
    },

    /** Without the flag: capitalised operations, one an attribute, manager as a bare string. */
    moveAttributeByAttribute: (note, id, { department, title, manager }) =>
      patchUser(
        note,
        id,
        { op: 'Add', path: 'title', value: title },
        { op: 'Replace', path: `${ENTERPRISE}:department`, value: department },
        { op: 'Add', path: `${ENTERPRISE}:manager`, value: manager },
      ),

    /** With it: single-valued attributes together, under dotted and qualified keys. */
    moveMerged: (note, id, { department, familyName, userName }) =>
      patchUser(
        note,
        id,
        { op: 'replace', path: 'emails[type eq "work"].value', value: userName },
        {
          op: 'replace',
          value: { userName, 'name.familyName': familyName, [`${ENTERPRISE}:department`]: department },
        },
      ),

    disableWithText: (note, id) => patchUser(note, id, { op: 'Replace', path: 'active', value: 'False' }),
    disable: (note, id) => patchUser(note, id, { op: 'replace', path: 'active', value: false }),
    disableMerged: (note, id, displayName) =>
      patchUser(note, id, { op: 'replace', value: { active: false, displayName } }),
    delete: (note, id) => send(note, 'DELETE', `/Users/${id}`, { expected: [204] }),

    async createGroup(displayName) {
      const byName = `/Groups?excludedAttributes=members&${eq('displayName', displayName)}`
      await send(`Is there a group ${displayName}?`, 'GET', byName, { holds: found(0) })
      const body = {
        schemas: [GROUP, MICROSOFT_GROUP],
        externalId: randomUUID(),
        displayName,
        meta: { resourceType: 'Group' },
      }
      return (await send(`Group ${displayName}`, 'POST', '/Groups', { body, expected: [201] })).id
    },
    addMembers: (note, id, members) =>
      patchGroup(note, id, {
        op: 'Add',
        path: 'members',
        value: members.map(value => ({ $ref: null, value })),
      }),
    removeListed: (note, id, member) =>
      patchGroup(note, id, { op: 'Remove', path: 'members', value: [{ $ref: null, value: member }] }),
    removeByFilter: (note, id, member) =>
      patchGroup(note, id, { op: 'remove', path: `members[value eq "${member}"]` }),
    isMember: (note, id, member, count) => {
      const filter = `id eq "${id}" and members eq "${member}"`
      return send(note, 'GET', `/Groups?filter=${encodeURIComponent(filter)}&attributes=id`, {
        holds: found(count),
      })
    },
  }
}

/** Okta: self-made applications (AIW) say everything with PUT, catalogue ones (OIN) use PATCH for `active`. */
export function okta({ baseUrl, token, onExchange }) {
  const { send, close } = scimClient({
    baseUrl,
    token,
    headers: {
      'User-Agent': 'Okta SCIM Client 1.0.0',
      Accept: 'application/scim+json; charset=utf-8',
      'Accept-Charset': 'utf-8',
    },
    bodyType: 'application/scim+json; charset=utf-8',
    onExchange,
  })
  const page = 'startIndex=1&count=100'
  const patchUser = (note, id, value) =>
    send(note, 'PATCH', `/Users/${id}`, { body: patchOp({ op: 'replace', value }), ...patched })
  const patchGroup = (note, id, ...operations) =>
    send(note, 'PATCH', `/Groups/${id}`, { body: patchOp(...operations), ...patched })
  const find = (note, { userName }, count = 1) =>
    send(note, 'GET', `/Users?${eq('userName', userName)}&${page}`, { holds: found(count) })
  const membersOf = people => people.map(({ id, userName }) => ({ value: id, display: userName }))

  return {
    close,
    testConnection: () =>
      send('Test connection', 'GET', '/Users?startIndex=1&count=1', { holds: list => list.startIndex === 1 }),

    find,

    async join(person) {
      await find(`Is ${person.name} known?`, person, 0)
      const body = {
        schemas: [USER],
        userName: person.userName,
        name: { givenName: person.givenName, familyName: person.familyName },
        emails: [{ primary: true, value: person.userName, type: 'work' }],
        displayName: person.name,
        locale: 'en-US',
        externalId: `00u${randomBytes(9).toString('hex').slice(0, 17)}`,
        groups: [],
        password: randomBytes(8).toString('base64url'),
        active: true,
      }
      const created = { body, expected: [201], holds: user => user.id && user.password === undefined }
      return (await send(`${person.name} joins`, 'POST', '/Users', created)).id
    },

    /** AIW: read, change, write the whole of it back. */
    async put(note, id, changes) {
      const user = await send('Read before writing', 'GET', `/Users/${id}`, {})
      const written = answer =>
        Object.entries(changes).every(([name, value]) => typeof value === 'object' || answer[name] === value)
      await send(note, 'PUT', `/Users/${id}`, { body: { ...user, ...changes }, holds: written })
    },
    /** OIN: without a path. */
    setActive: (note, id, active) => patchUser(note, id, { active }),

    async pushGroup(displayName) {
      const byName = `/Groups?${eq('displayName', displayName)}&${page}`
      await send(`Is there a group ${displayName}?`, 'GET', byName, { holds: found(0) })
      const body = { schemas: [GROUP], displayName, members: [] }
      return (await send(`Group ${displayName}`, 'POST', '/Groups', { body, expected: [201] })).id
    },
    /** Okta repeats the read-only id inside the value. */
    renameGroup: (note, id, displayName) =>
      patchGroup(note, id, { op: 'replace', value: { id, displayName } }),
    addMembers: (note, id, people) =>
      patchGroup(note, id, { op: 'add', path: 'members', value: membersOf(people) }),
    exchangeMember: (note, id, leaving, joining) =>
      patchGroup(
        note,
        id,
        { op: 'remove', path: `members[value eq "${leaving.id}"]` },
        { op: 'add', path: 'members', value: membersOf([joining]) },
      ),
    replaceMembers: (note, id, people) =>
      patchGroup(note, id, { op: 'replace', path: 'members', value: membersOf(people) }),
    expectMembers: (note, id, people) =>
      send(note, 'GET', `/Groups/${id}`, {
        holds: group =>
          sameJson(people.map(p => p.id).sort(), (group.members ?? []).map(m => m.value).sort()),
      }),
  }
}

const sameJson = (a, b) => JSON.stringify(a) === JSON.stringify(b)
