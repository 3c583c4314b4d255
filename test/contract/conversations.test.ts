// Each identity provider from its connection test over joiner, mover and leaver to the returner, as it really
// talks (test/clients), and what must hold after any conversation.
import { beforeAll, describe, expect, it } from 'vitest'
import { tolerances } from '../../src/scim/interop'
import { type Exchange, type Played, play, type Step, valueAt } from './conversation'
import type { Body, ScimEvent } from './world'

const files = import.meta.glob<readonly Step[]>(['../clients/*/*.json', '!**/documented-requests.json'], {
  eager: true,
  import: 'default',
})

/** Kinds of connection that the admin API knows; any other is generic. */
const kinds = ['entra', 'okta', 'jumpcloud', 'onelogin', 'pingfederate', 'google', 'rippling']

const conversations = Object.entries(files).map(([path, steps]) => {
  const [client = '', file = ''] = path.split('/').slice(-2)
  return { name: `${client}/${file}`, steps, idp: kinds.includes(client) ? client : 'generic' }
})

describe.each(conversations)('$name', ({ steps, idp }) => {
  let played: Played
  beforeAll(async () => {
    played = await play(steps, idp)
  })

  it.each(steps.map(({ name }, index) => [name, index] as const))('%s', (_, index) => {
    const exchange = played.exchanges[index]
    expect(exchange).toBeDefined()
    if (exchange) expectAsRecorded(exchange)
  })

  it('means an end of access exactly once for each leaver, and only then ends sessions', async () => {
    expectLeaversLeftOnce(await played.tenant.events())
  })

  it('no reply has a null, or two primary values of one attribute', () => {
    for (const { step, reply } of played.exchanges) {
      const at = `${step.name}: ${reply.text.slice(0, 500)}`
      const found = [...parts(reply.body)]
      expect(found, at).not.toContain(null)
      for (const list of found.filter(part => Array.isArray(part)))
        expect(list.filter(element => valueAt(element, '/primary') === true).length, at).toBeLessThan(2)
    }
  })

  it('PUT of what GET gives changes nothing', async () => {
    const { scim, eventsOf } = played.tenant
    for (const endpoint of ['/Users', '/Groups']) {
      const { body } = await scim.get(`${endpoint}?count=1000`)
      for (const { id } of body.Resources) {
        const before = await scim.get(`${endpoint}/${id}`)
        const events = await eventsOf(async () => {
          const after = await scim.put(`${endpoint}/${id}`, before.body)
          expect(after).toMatchObject({ status: 200, body: before.body })
        })
        expect(events).toEqual([])
      }
    }
  })
})

describe('all conversations', () => {
  const clients = Map.groupBy(conversations, ({ name }) => name.split('/')[0] ?? '')

  it('are those of the identity providers that the documentation names', () => {
    expect([...clients.keys()].sort()).toEqual([
      'cyberark',
      'entra',
      'generic',
      'google',
      'jumpcloud',
      'okta',
      'onelogin',
      'pingfederate',
      'rippling',
      'sailpoint',
    ])
  })

  it.each([...clients])('%s: somebody joins, moves, leaves and returns', (_, of) => {
    const all = of.flatMap(({ steps }) => steps.flatMap(step => step.expect.events ?? []))
    expect(all).toEqual(expect.arrayContaining(['user.created', 'user.updated']))
    expect(all.some(type => type === 'user.deactivated' || type === 'user.deleted')).toBe(true)
    const left = all.findIndex(type => type === 'user.deactivated' || type === 'user.deleted')
    const returned = all.findLastIndex(type => type === 'user.reactivated' || type === 'user.created')
    expect(returned).toBeGreaterThan(left)
  })
})

/** Status, headers and body of the reply; the events; and in the activity log the tolerances, by name. */
function expectAsRecorded({ step, reply, activity, events }: Exchange): void {
  const { status, headers = {}, body, absent = [], events: types = [], tolerances: needed = [] } = step.expect
  const at = `${step.method} ${step.path}\n${reply.text.slice(0, 1000)}`
  expect(reply.status, at).toBe(status)
  for (const [name, value] of Object.entries(headers)) expect(reply.headers.get(name), at).toBe(value)
  if (body) expect(reply.body, at).toMatchObject(body)
  for (const pointer of absent) expect(valueAt(reply.body, pointer), `${pointer} of ${at}`).toBeUndefined()
  expect(events.map(({ type }) => type)).toEqual(types)
  if (!('Authorization' in step.headers)) return
  expect(activity).toMatchObject({ method: step.method, path: step.path.split('?')[0], status })
  const used = new Set(activity?.tolerances.map(tolerance => tolerance.split(': ')[0]))
  expect([...used].sort()).toEqual([...needed].sort())
  expect(Object.keys(tolerances)).toEqual(expect.arrayContaining([...used]))
}

/** Contract "Events": one end of access for each leaver, with a new epoch; no other event says so. */
function expectLeaversLeftOnce(events: readonly ScimEvent[]): void {
  const people = Map.groupBy(
    events.filter(({ userId }) => userId !== null),
    ({ userId }) => userId,
  )
  for (const history of people.values()) {
    let access = false
    let epoch = 0
    for (const { type, data } of history) {
      if (type === 'user.deactivated') expect(access).toBe(true)
      if (type === 'user.reactivated' || type === 'user.created') expect(access).toBe(false)
      const ends = type === 'user.deactivated' || type === 'user.deleted'
      expect(data.sessions).toBe(ends ? 'revoke_all' : undefined)
      if (ends) expect(data.notBefore).toEqual(expect.any(Number))
      epoch += ends ? 1 : 0
      expect(data.epoch).toBe(epoch)
      if (ends) access = false
      else if (type !== 'user.updated') access = true
    }
  }
}

/** Every value within the document, itself included. */
function* parts(value: unknown): Generator<unknown> {
  yield value
  if (typeof value === 'object' && value !== null)
    for (const part of Object.values(value as Body)) yield* parts(part)
}
