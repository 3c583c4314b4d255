// The code of docs/developers.md runs, and does what the page says: it takes what the specification and this service sign, and
// an event twice, late or in the wrong order ends no session too few and lets nobody in.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { beforeEach, describe, expect, it } from 'vitest'
import { webhook } from '../../src/events/webhook'

interface Person {
  active: boolean
  notBefore: number
  sessions: { issuedAt: number }[]
}

interface Event {
  id: string
  type: string
  data: Record<string, unknown>
}

interface Code {
  verified(secret: string, headers: Record<string, string>, body: string, now?: number): Event
  apply(store: { people: Map<string, Person>; answers: Map<string, object> }, event: Event): object
}

const page = readFileSync(fileURLToPath(new URL('../../docs/developers.md', import.meta.url)), 'utf8')
const blocks = [...page.matchAll(/^```js\n([\s\S]*?)^```$/gm)].map(([, block]) => block)
const { verified, apply } = (await import(
  `data:text/javascript,${encodeURIComponent(blocks.join('\n'))}`
)) as Code

describe('verified', () => {
  const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
  const AT = 1614265330
  const body = '{"test": 2432232314}'
  const headers = {
    'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    'webhook-timestamp': String(AT),
    'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
  }

  it('takes the example of Standard Webhooks', () => {
    expect(verified(SECRET, headers, body, AT)).toEqual({ id: headers['webhook-id'], test: 2432232314 })
  })

  it('takes what this service sends, during a rotation under either secret', async () => {
    const secrets = [webhook.newSecret(), webhook.newSecret()]
    const event = {
      id: 'evt_1',
      sequence: 7,
      type: 'user.updated',
      txn: 't',
      occurredAt: AT * 1000,
      data: { user: { name: 'Zoë' } },
    }
    const sent = await webhook.request(event, { url: 'https://app.example/hook', secrets }, AT * 1000)
    for (const secret of secrets)
      expect(verified(secret, sent.headers, sent.body, AT)).toMatchObject({
        id: 'evt_1',
        type: 'user.updated',
      })
    expect(() => verified(webhook.newSecret(), sent.headers, sent.body, AT)).toThrow('not signed')
  })

  it.each([
    ['a changed body', headers, `${body} `, AT, 'not signed'],
    ['another id', { ...headers, 'webhook-id': 'msg_2' }, body, AT, 'not signed'],
    ['no signature', { ...headers, 'webhook-signature': '' }, body, AT, 'not signed'],
    [
      'another version',
      { ...headers, 'webhook-signature': headers['webhook-signature'].replace('v1,', 'v2,') },
      body,
      AT,
      'not signed',
    ],
    ['an old call', headers, body, AT + 301, 'too old'],
    ['a call from the future', headers, body, AT - 301, 'future'],
    ['a time that is none', { ...headers, 'webhook-timestamp': 'now' }, body, AT, 'too old'],
  ])('refuses %s', (_, given, text, now, why) => {
    expect(() => verified(SECRET, given, text, now)).toThrow(why)
  })
})

describe('apply', () => {
  let store: { people: Map<string, Person>; answers: Map<string, object> }
  const ada = () => store.people.get('ada') as Person
  const tell = (sequence: number, type: string, more: object = {}) =>
    apply(store, {
      id: `evt_${sequence}`,
      type,
      data: { sequence, user: { id: 'ada', active: true }, ...more },
    })
  const ends = (notBefore: number) => ({
    sessions: 'revoke_all',
    notBefore,
    user: { id: 'ada', active: false },
  })

  beforeEach(() => {
    store = { people: new Map(), answers: new Map() }
    tell(1, 'user.created')
    ada().sessions.push({ issuedAt: 99 }, { issuedAt: 100 }, { issuedAt: 101 })
  })

  it('ends what began at or before notBefore, and says how many', () => {
    expect(tell(2, 'user.deactivated', ends(100))).toEqual({ sessionsEnded: 2 })
    expect(ada()).toMatchObject({ active: false, notBefore: 100, sessions: [{ issuedAt: 101 }] })
  })

  it('does nothing the second time, and answers the same', () => {
    tell(2, 'user.deactivated', ends(100))
    tell(3, 'user.reactivated')
    expect(tell(2, 'user.deactivated', ends(100))).toEqual({ sessionsEnded: 2 })
    expect(ada().active).toBe(true)
  })

  it('ends sessions also by an event that comes late, and does not take access back by it', () => {
    tell(3, 'user.reactivated')
    expect(tell(2, 'user.deactivated', ends(100))).toEqual({ sessionsEnded: 2 })
    expect(ada()).toMatchObject({ active: true, notBefore: 100 })
  })

  it('lets nobody in by an event that comes late, and never lowers notBefore', () => {
    tell(4, 'user.deleted', { ...ends(200), user: { id: 'ada', active: true } })
    tell(3, 'user.reactivated')
    tell(2, 'user.deactivated', ends(100))
    expect(ada()).toMatchObject({ active: false, notBefore: 200, sessions: [] })
  })

  it('takes events about other things', () => {
    expect(
      apply(store, { id: 'evt_9', type: 'group.created', data: { sequence: 9, group: { id: 'g' } } }),
    ).toEqual({})
    tell(10, 'delivery.overdue')
    expect(ada().sessions).toHaveLength(3)
  })
})
