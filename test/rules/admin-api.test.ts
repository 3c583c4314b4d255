// docs/admin-api.md is what the admin API's schemas say, every call is on it, and what is by hand is about a call that there is.
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import * as z from 'zod'
import { adminCalls } from '../../src/http/admin/app'
import { call } from '../../src/http/admin/call'
import { adminApiPage, conflicts, nameOf } from './admin-api'

const file = fileURLToPath(new URL('../../docs/admin-api.md', import.meta.url))
const made = (path: string) =>
  call({
    method: 'POST',
    path,
    summary: 'A call | made up',
    body: z.strictObject({
      name: z.string(),
      kind: z.enum(['a', 'b']).default('a'),
      n: z.int().nullable().optional(),
    }),
    replies: {
      201: z.object({ items: z.array(z.object({ id: z.string() })), nextCursor: z.string().optional() }),
    },
    handle: () => Promise.reject(new Error('only described')),
  })

it('is what the schemas say (npm run schemas writes it anew)', async () => {
  await expect(adminApiPage()).toMatchFileSnapshot(file)
})

it('has every call, and no conflict of a call that is gone', () => {
  const calls = adminCalls.map(nameOf)
  expect(calls.length).toBeGreaterThan(50)
  expect(adminApiPage().match(/^\| \*\*/gm)).toHaveLength(calls.length)
  expect(Object.keys(conflicts).filter(name => !calls.includes(name))).toEqual([])
})

it('shows what a call takes and answers', () => {
  expect(adminApiPage([made('/tenants/:slug/roles')])).toContain(
    '| **POST** `…/roles`<br>A call \\| made up | `{name, kind?: "a", n?: number \\| null}` | 201 list: `{id}` |',
  )
})

it('a noun that no section has is found', () => {
  expect(() => adminApiPage([made('/tenants/:slug/novelties')])).toThrow('novelties')
})
