// What the console's pages say: what came of an end of access, its evidence, a refusal in words, a token about to end.
import { env } from 'cloudflare:workers'
import { beforeAll, describe, expect, test } from 'vitest'
import { call, scim, USER } from './console-world'
import { anatomyOf, decoded, newVisitor } from './visitor'

const DAY = 86_400_000
const visitor = newVisitor()

interface World {
  readonly slug: string
  readonly tenantId: string
  readonly connectionId: string
  readonly token: string
}

async function newWorld(): Promise<World> {
  const slug = `t-${crypto.randomUUID().slice(0, 13)}`
  const tenant = await call('POST', '/tenants', { slug, name: 'Acme' })
  const made = await call<{ id: string; token: { value: string } }>('POST', `/tenants/${slug}/connections`, {
    name: 'Entra',
    idp: 'entra',
  })
  return { slug, tenantId: tenant.id, connectionId: made.id, token: made.token.value }
}

const at = (slug: string, path = '') => `/console/tenants/${slug}${path}`

/** Words as they are read. */
const wordsOf = (html: string) =>
  decoded(html.replace(/<[^>]+>/g, ' '))
    .replace(/\s+/g, ' ')
    .replace(/ ([.,:])/g, '$1')

async function rows(text: string, ...values: unknown[]) {
  return (
    await env.DB.prepare(text)
      .bind(...values)
      .all<Record<string, unknown>>()
  ).results
}

beforeAll(() => visitor.enter())

describe("a person's page", () => {
  const newcomer = async ({ slug, token }: World) =>
    (
      await scim(slug, token, 'POST', '/Users', {
        schemas: [USER],
        userName: 'ann@example.com',
        active: true,
      })
    ).id

  const leave = ({ slug, token }: World, id: string) =>
    scim(slug, token, 'PUT', `/Users/${id}`, {
      schemas: [USER],
      userName: 'ann@example.com',
      active: false,
    })

  test('says that nobody was told where the tenant has no receiver', async () => {
    const world = await newWorld()
    const id = await newcomer(world)
    await leave(world, id)
    const words = wordsOf((await visitor.get(at(world.slug, `/people/${id}`))).html)
    expect(words).toContain('there was no receiver to tell')
    expect(words).toMatch(new RegExp(`Asked for by Entra with the token ….{4}: PUT /Users/${id}`))
  })

  test('says who has not confirmed an end of access, and in what time all have', async () => {
    const world = await newWorld()
    const receiver = { kind: 'webhook', url: 'https://receiver.example.com/' }
    const { id: first } = await call('POST', `/tenants/${world.slug}/receivers`, receiver)
    const { id: second } = await call('POST', `/tenants/${world.slug}/receivers`, receiver)
    const id = await newcomer(world)
    await leave(world, id)
    const told = (receiverId: string, state: string, after: number | null) =>
      rows(
        `UPDATE deliveries SET state = ?3, delivered_at = occurred_at + ?4
          WHERE tenant_id = ?1 AND receiver_id = ?2 AND user_id = ?5`,
        world.tenantId,
        receiverId,
        state,
        after,
        id,
      )
    const page = async () => wordsOf((await visitor.get(at(world.slug, `/people/${id}`))).html)
    await told(first, 'delivered', 800)
    await told(second, 'dead', null)
    expect(await page()).toContain('1 receiver has it not')
    await told(second, 'delivered', 4_200)
    expect(await page()).toContain('every receiver had it after 4.2 s')
  })

  test('tells what was asked about them and refused, at its time, why, and by which request', async () => {
    const world = await newWorld()
    const { slug, token } = world
    const id = await newcomer(world)
    const unwise = { schemas: [USER], userName: 'ann@example.com', active: 'perhaps' }
    await expect(scim(slug, token, 'PUT', `/Users/${id}`, unwise)).rejects.toThrow('is 400')
    await expect(scim(slug, `${token.slice(0, -4)}AAAA`, 'DELETE', `/Users/${id}`)).rejects.toThrow('is 401')
    await leave(world, id)
    const page = await visitor.get(at(slug, `/people/${id}`))
    const words = wordsOf(page.html)
    expect(words).toMatch(
      new RegExp(
        `Deactivated.*Refused answered 401.*: DELETE /Users/${id}.*` +
          `Refused answered 400 .*and nothing was changed: .*active.*` +
          `Asked for by Entra with the token ….{4}: PUT /Users/${id}.*Created`,
      ),
    )
    expect(words).toMatch(/as far as the activity goes back \(30 days\)/)
    const [{ logged } = {}] = await rows(
      'SELECT id AS logged FROM activity WHERE tenant_id = ? AND status = 400',
      world.tenantId,
    )
    const path = at(slug, `/activity/${logged}`)
    expect((await anatomyOf(page.html)).hrefs).toContain(path)
    expect((await anatomyOf((await visitor.get(path)).html)).hrefs).toContain(at(slug, `/people/${id}`))
  })

  test('is nobody of whom only refused requests tell', async () => {
    const { slug, token } = await newWorld()
    for (const path of ['/Users/nobody', '/Groups/nobody'])
      await expect(scim(slug, token, 'DELETE', path)).rejects.toThrow('is 404')
    expect((await visitor.get(at(slug, '/people/nobody'))).status).toBe(404)
  })

  test('turns the pages of the story without losing or repeating anything, whatever the clock did', async () => {
    const world = await newWorld()
    const id = await newcomer(world)
    // Times that agree with neither order, and often with each other.
    await rows(
      `INSERT INTO events (tenant_id, sequence, id, type, txn, user_id, occurred_at, data)
        SELECT ?1, 1 + value, 'e' || value, 'user.updated', 'x' || value, ?2, 1000 + (value * 7) % 40, '{}'
        FROM json_each(?3)`,
      world.tenantId,
      id,
      JSON.stringify(Array.from({ length: 60 }, (_, i) => i + 1)),
    )
    await rows(
      `INSERT INTO activity (tenant_id, id, at, outcome, method, path, status, resource_id, tolerances, duration_ms)
        SELECT ?1, 'refused-' || (100 + value), 1000 + (value * 11) % 40, 'rejected', 'PUT', '/Users/x', 400, ?2, '[]', 1
        FROM json_each(?3)`,
      world.tenantId,
      id,
      JSON.stringify(Array.from({ length: 70 }, (_, i) => i + 1)),
    )
    const told: string[] = []
    let next: string | undefined = at(world.slug, `/people/${id}`)
    for (let pages = 0; next !== undefined && pages < 9; pages++) {
      const { html } = await visitor.get(next)
      told.push(...(html.match(/No\. \d+|refused-\d+/g) ?? []))
      next = (await anatomyOf(html)).hrefs.find(href => /[?&]cursor=/.test(href))
    }
    expect(new Set(told).size).toBe(61 + 70)
    expect(told).toHaveLength(61 + 70)
  })

  test('gives the evidence as a file that no browser shows', async () => {
    const world = await newWorld()
    const id = await newcomer(world)
    await leave(world, id)
    const path = at(world.slug, `/people/${id}/evidence`)
    expect((await anatomyOf((await visitor.get(at(world.slug, `/people/${id}`))).html)).hrefs).toContain(path)
    const file = await visitor.get(path)
    expect(file.status).toBe(200)
    expect(file.headers.get('content-type')).toBe('application/json; charset=utf-8')
    expect(file.headers.get('content-disposition')).toBe(`attachment; filename="evidence-${id}.json"`)
    expect(file.headers.get('x-content-type-options')).toBe('nosniff')
    expect(file.headers.get('cache-control')).toBe('no-store')
    const { record, jws } = JSON.parse(file.html)
    expect(record.user).toMatchObject({ id, userName: 'ann@example.com', active: false })
    expect(record.cases).toHaveLength(1)
    expect(jws.split('.')).toHaveLength(3)
    expect((await visitor.get(at(world.slug, '/people/nobody/evidence'))).status).toBe(404)
  })

  test('ends the sessions when one says so, and says that it did', async () => {
    const world = await newWorld()
    const id = await newcomer(world)
    const page = await visitor.get(at(world.slug, `/people/${id}`))
    expect((await anatomyOf(page.html)).forms).toContain(at(world.slug, `/people/${id}/revoke`))
    const reply = await visitor.post(at(world.slug, `/people/${id}/revoke`))
    expect(reply.status).toBe(303)
    const after = wordsOf((await visitor.get(reply.headers.get('location') ?? '')).html)
    expect(after).toContain('The sessions were ended')
    expect(after).toContain('once, at last')
    const user = await call<{ sessionEpoch: number; active: boolean }>(
      'GET',
      `/tenants/${world.slug}/users/${id}`,
    )
    expect([user.sessionEpoch, user.active]).toEqual([1, true])
    expect((await visitor.post(at(world.slug, '/people/nobody/revoke'))).status).toBe(404)
  })
})

test('a mapping is tried while it is typed only where that does not read thousands of users each time', async () => {
  const { slug, token, tenantId, connectionId } = await newWorld()
  await scim(slug, token, 'POST', '/Users', { schemas: [USER], userName: 'ann' })
  const path = at(slug, `/connections/${connectionId}/mapping`)
  const pageWith = async (users: number) => {
    await rows(
      `UPDATE totals SET live = ?2, active = 1 WHERE tenant_id = ?1 AND type = 'User'`,
      tenantId,
      users,
    )
    return visitor.get(path)
  }
  const few = await pageWith(5_000)
  expect(few.html).toContain('data-live="preview"')
  expect(few.headers.get('content-security-policy')).toMatch(/default-src 'none';.*; connect-src 'self'$/)
  const many = await pageWith(5_001)
  expect(many.html).not.toContain('data-live="')
  expect(wordsOf(many.html)).toContain('that would read all 5,001 users of the tenant each time')
})

test('a refusal is explained on its page: what it means, what to change there and here', async () => {
  const { slug, token } = await newWorld()
  await scim(slug, token, 'POST', '/Users', { schemas: [USER], userName: 'ann' })
  await expect(scim(slug, token, 'POST', '/Users', { schemas: [USER], userName: 'ann' })).rejects.toThrow()
  const list = await visitor.get(at(slug, '/activity?outcome=rejected'))
  const { hrefs } = await anatomyOf(list.html)
  const path = hrefs.find(href => href.startsWith(at(slug, '/activity/'))) ?? ''
  const words = wordsOf((await visitor.get(path)).html)
  expect(words).toContain('It was refused with 409 uniqueness, and nothing was changed')
  expect(words).toContain('Already taken')
  expect(words).toContain('In the identity provider let it match by that attribute')
  expect(words).toContain('docs/troubleshooting.md#already-taken')
})

test('a token is warned of from thirty days before it expires, and says when it was last used', async () => {
  const { slug, tenantId, connectionId } = await newWorld()
  const now = Date.now()
  for (const [hint, days] of Object.entries({ aaaa: 30.1, bbbb: 29.5, cccc: 1.5, dddd: 0.5, eeee: -1 }))
    await rows(
      `INSERT INTO tokens (tenant_id, id, connection_id, hash, hint, created_at, expires_at, last_used_at)
        VALUES (?1, ?2, ?3, ?2, ?2, 1, ?4, ?5)`,
      tenantId,
      hint,
      connectionId,
      now + days * DAY,
      hint === 'aaaa' ? Date.UTC(2026, 4, 6, 7, 8, 9) : null,
    )
  const { html } = await visitor.get(at(slug, `/connections/${connectionId}`))
  const saidOf = (hint: string) =>
    wordsOf(/<tr>.*?<\/tr>/s.exec(html.slice(html.lastIndexOf('<tr>', html.indexOf(`…${hint}`))))?.[0] ?? '')
  expect(saidOf('aaaa')).not.toMatch(/ in \d/)
  expect(saidOf('aaaa')).toContain('2026-05-06 07:08:09')
  expect(saidOf('bbbb')).toContain('in 29 d')
  expect(saidOf('cccc')).toContain('in 1 d')
  expect(saidOf('dddd')).toContain('in 12.0 h')
  expect(saidOf('eeee')).toContain('expired')
  expect(saidOf('eeee')).not.toMatch(/ in \d/)
  expect(saidOf('eeee')).toContain('never')
})
