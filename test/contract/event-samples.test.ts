// The samples of docs/developers.md are what a webhook is really sent: the story that they tell happens, and each body is
// compared with the one on the page, ids and times by their order.
import { createExecutionContext, waitOnExecutionContext } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import page from '../../docs/developers.md?raw'
import { eventTypes } from '../../src/administration/receivers'
import { serviceOf } from '../../src/env'
import { alarm } from '../../src/events/alarm'
import { consume } from '../../src/events/consume'
import type { Message as Pointer } from '../../src/events/message'
import {
  ADMIN_TOKEN,
  type Body,
  GROUP,
  ORIGIN,
  readReply,
  type Scim,
  scimClient,
  USER,
  withBindings,
} from './world'

const APPLICATION = 'https://app.example.com/webhooks/scim'
const BROKEN = 'https://broken.example.com/hook'
const DEVICE = 'urn:example:scim:1.0:Device'

const queued: Pointer[] = []
const queue = {
  sendBatch: async (requests: Iterable<{ body: Pointer }>) =>
    void queued.push(...Array.from(requests, ({ body }) => body)),
} as unknown as Queue<Pointer>
const fetch = withBindings({ EVENTS: queue })
const sent: { type: string }[] = []

async function operator<B = Body>(method: string, path: string, body?: object): Promise<B> {
  const headers = { Authorization: `Bearer ${ADMIN_TOKEN}`, 'Content-Type': 'application/json' }
  const init = { method, headers, ...(body && { body: JSON.stringify(body) }) }
  const reply = await readReply<B>(await fetch(new Request(`${ORIGIN}/admin/v1${path}`, init)))
  expect({ status: reply.status < 300, text: reply.text }).toMatchObject({ status: true })
  return reply.body
}

/** What waits in the queue is sent, one event after the other. */
async function deliverAll(service: Awaited<ReturnType<typeof serviceOf>>) {
  await fetch.settled()
  const pointers = queued.splice(0)
  for (const body of pointers) {
    const context = createExecutionContext()
    const message = { id: 'm', body, attempts: 1, retry: () => undefined, ack: () => undefined }
    const batch = { queue: 'edge-scim-events', messages: [message] } as unknown as MessageBatch
    await consume(batch, service, context, async () => undefined)
    await waitOnExecutionContext(context)
  }
}

/** Joiner, mover, leaver; a group; a device. What each step means has arrived before the next one. */
async function story(scim: Scim, at: string, arrive: () => Promise<void>) {
  const ada = (
    await scim.post('/Users', {
      schemas: [USER],
      userName: 'ada@acme.test',
      externalId: '00u1',
      displayName: 'Ada Lovelace',
      emails: [{ value: 'ada@acme.test', type: 'work', primary: true }],
    })
  ).body
  await arrive()
  const user = `/Users/${ada.id}`
  await scim.patch(user, [{ op: 'replace', value: { title: 'Analyst', displayName: 'Ada King' } }])
  await arrive()
  const team = (await scim.post('/Groups', { schemas: [GROUP], displayName: 'Analysts', externalId: '00g1' }))
    .body
  await arrive()
  const group = `/Groups/${team.id}`
  await scim.patch(group, [{ op: 'add', path: 'members', value: [{ value: ada.id }] }])
  await arrive()
  await scim.patch(group, [{ op: 'replace', path: 'displayName', value: 'Analytics' }])
  await arrive()
  await scim.patch(group, [{ op: 'remove', path: `members[value eq "${ada.id}"]` }])
  await arrive()
  await scim.patch(user, [{ op: 'replace', path: 'active', value: false }])
  await arrive()
  await scim.patch(user, [{ op: 'replace', path: 'active', value: true }])
  await arrive()
  await operator('POST', `${at}/users/${ada.id}/revoke-sessions`)
  await arrive()
  await scim.delete(user)
  await arrive()
  await scim.delete(group)
  await arrive()
  const device = (await scim.post('/Devices', { schemas: [DEVICE], serial: 'A-1', externalId: 'd1' })).body
  await arrive()
  await scim.patch(`/Devices/${device.id}`, [{ op: 'replace', path: 'serial', value: 'A-2' }])
  await arrive()
  await scim.delete(`/Devices/${device.id}`)
  await arrive()
}

/** Ids and times differ from run to run: each is told by its place among those that came before. */
function withoutChance(bodies: readonly unknown[]): unknown[] {
  const ids = new Map<string, string>()
  const nth = (id: string) => {
    if (!ids.has(id)) ids.set(id, `id ${ids.size + 1}`)
    return ids.get(id) ?? ''
  }
  const text = JSON.stringify(bodies)
    .replaceAll(/[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}/g, nth)
    .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g, 'a time')
    .replaceAll(/"notBefore":\d{10}/g, '"notBefore":"a time"')
  return JSON.parse(text) as unknown[]
}

const samples = [
  ...page.matchAll(/^### ((?:user|group|resource|delivery)\.\w+)\n[\s\S]*?```json\n([\s\S]*?)```/gm),
].map(([, heading, json = '']) => ({ heading, body: JSON.parse(json) as { type: string } }))

beforeAll(async () => {
  vi.spyOn(console, 'log').mockReturnValue()
  vi.spyOn(globalThis, 'fetch').mockImplementation(async (input, init = {}) => {
    if (String(input) === BROKEN) return new Response(null, { status: 503 })
    sent.push(JSON.parse(String(init.body)) as { type: string })
    return new Response(null, { status: 204 })
  })
  const service = { ...(await serviceOf(env)), queue }
  const at = '/tenants/acme'
  await operator('POST', '/tenants', { slug: 'acme', name: 'Acme' })
  const { baseUrl, token } = await operator<{ baseUrl: string; token: { value: string } }>(
    'POST',
    `${at}/connections`,
    { name: 'Acme Entra', idp: 'entra' },
  )
  await operator('PUT', `${at}/resource-types/Device`, {
    name: 'Device',
    endpoint: '/Devices',
    schema: { id: DEVICE, name: 'Device', attributes: [{ name: 'serial', type: 'string' }] },
  })
  await operator('POST', `${at}/receivers`, { kind: 'webhook', url: APPLICATION })
  await operator('POST', `${at}/receivers`, {
    kind: 'webhook',
    url: BROKEN,
    events: ['user.sessions_revoked'],
  })
  await story(scimClient(baseUrl, `Bearer ${token.value}`, fetch), at, () => deliverAll(service))
  await alarm({ ...service, now: () => Date.now() + 6 * 60_000 })
  await deliverAll({ ...service, now: () => Date.now() + 6 * 60_000 })
})

afterAll(() => void vi.restoreAllMocks())

describe('docs/developers.md', () => {
  it('has a sample of every event type, in the order in which they happened', () => {
    expect(sent.map(({ type }) => type)).toEqual(samples.map(({ body }) => body.type))
    expect(samples.map(({ heading }) => heading)).toEqual(samples.map(({ body }) => body.type))
    expect([...new Set(samples.map(({ body }) => body.type))].toSorted()).toEqual(eventTypes.toSorted())
  })

  it('shows what is sent', () => {
    expect(withoutChance(sent)).toEqual(withoutChance(samples.map(({ body }) => body)))
  })
})
