// A fifth application, configured from docs/profiles.md alone: the commands of its worked example are run one after
// the other, and the application sees what the page says it sees.
import { expect, it } from 'vitest'
import page from '../../docs/profiles.md?raw'
import { plain } from '../contract/calls'
import {
  ADMIN_TOKEN,
  type Body,
  expectError,
  ORIGIN,
  type Reply,
  readReply,
  scimClient,
} from '../contract/world'

const [, chapter = ''] = /## A worked example\n([\s\S]*?)\n## /.exec(page) ?? []
const blocks = (language: string) =>
  [...chapter.matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\n\`\`\``, 'g'))].map(
    ([, text = '']) => text,
  )

/** The words of a command as a shell splits them: quotes group, a backslash at the end of a line joins. */
function wordsOf(text: string, variables: Readonly<Record<string, string>>): string[][] {
  const value = (part: string) => part.replace(/\$([A-Z]+)/g, (_, name: string) => variables[name] ?? '')
  const commands: string[][] = [[]]
  let word: string | undefined
  for (const [piece] of text.matchAll(/\\\n|\n|[ \t]+|'[^']*'|"[^"]*"|[^\s'"\\]+/g)) {
    if (piece.startsWith("'")) word = (word ?? '') + piece.slice(1, -1)
    else if (piece.startsWith('"')) word = (word ?? '') + value(piece.slice(1, -1))
    else if (!/^\\?\s/.test(piece)) word = (word ?? '') + value(piece)
    else if (word !== undefined) {
      commands.at(-1)?.push(word)
      word = undefined
    }
    if (piece === '\n') commands.push([])
  }
  if (word !== undefined) commands.at(-1)?.push(word)
  return commands.filter(([name]) => name === 'curl')
}

async function run(words: readonly string[]): Promise<Reply> {
  const headers = new Headers()
  let [method, body, url]: (string | undefined)[] = []
  for (let at = 1; at < words.length; at++) {
    const word = words[at] ?? ''
    if (word === '-s') continue
    if (!word.startsWith('-')) url = word
    else if (word === '-X') method = words[++at]
    else if (word === '-d') body = words[++at]
    else if (word === '-H') {
      const [name = '', ...rest] = (words[++at] ?? '').split(': ')
      headers.set(name, rest.join(': '))
    } else throw new Error(`curl ${word} is not known here`)
  }
  const init: RequestInit = { method: method ?? (body === undefined ? 'GET' : 'POST'), headers }
  if (body !== undefined) init.body = body
  return readReply(await plain(new Request((url ?? '').replace('http://127.0.0.1:8787', ORIGIN), init)))
}

it('the worked example of docs/profiles.md does what it says', async () => {
  const variables: Record<string, string> = {
    API: 'http://127.0.0.1:8787/admin/v1',
    ADMIN: `Authorization: Bearer ${ADMIN_TOKEN}`,
  }
  /** What the page tells to keep of a reply. */
  const keep: Record<string, (body: Body) => Record<string, string>> = {
    connections: ({ id, token }) => ({ CONNECTION: id, TOKEN: (token as { value: string }).value }),
    'target-groups': ({ id }) => ({ ASHORE: id }),
    'app-keys': ({ value }) => ({ KEY: String(value) }),
  }
  const replies: Reply[] = []
  for (const block of blocks('sh'))
    for (const text of block.split(/\n(?=curl )/))
      for (const words of wordsOf(text, variables)) {
        const reply = await run(words)
        expect([words.slice(0, 5), reply.status, reply.text]).toEqual([
          words.slice(0, 5),
          expect.toSatisfy((status: number) => status < 300),
          expect.any(String),
        ])
        replies.push(reply)
        const url = words.find(word => word.startsWith('http')) ?? ''
        Object.assign(variables, keep[url.split('/').at(-1) ?? '']?.(reply.body))
      }
  expect(replies).toHaveLength(9)
  const seen = replies.at(-1)?.body.items as Body[]
  expect(seen).toHaveLength(1)
  expect(seen[0]).toMatchObject(JSON.parse(blocks('json')[0] ?? ''))

  // And what else the page promises of this application.
  const scim = scimClient(`${ORIGIN}/t/tidewater/scim/v2`, `Bearer ${variables.TOKEN}`)
  const refused = async (more: object) =>
    scim.post('/Users', { ...maren, userName: 'other@example.com', ...more })
  const maren = {
    schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'],
    userName: 'maren@tidewater.example',
    externalId: '0a21f0f3',
    emails: [{ type: 'work', value: 'x@example.com' }],
  }
  const enterprise = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'
  for (const [more, detail] of [
    [{ emails: [] }, /emails\[type eq "work"\]\.value is required and has no value/],
    [{ userName: 'x'.repeat(81) }, /userName has 81 characters; at most 80 are taken \(field "login"\)/],
    [{ userType: 'dock' }, /userType must be one of quay, buoy \(field "berth"\)/],
    [{ roles: [{ primary: true, value: 'OWNER' }] }, /must be one of SKIPPER, CREW/],
    [
      { [enterprise]: { employeeNumber: 'seventeen' } },
      /employeeNumber must be a number \(field "crewNumber"\)/,
    ],
    [{ [enterprise]: { licensedUntil: 'soon' } }, /licensedUntil must be a date and time/],
  ] as const)
    expectError(await refused(more), 400, 'invalidValue', detail)
  expect((await scim.get('/ServiceProviderConfig')).body).toMatchObject({
    bulk: { supported: false },
    pagination: { defaultPageSize: 50, maxPageSize: 500 },
  })
  const id = seen[0]?.id
  await scim.delete(`/Users/${id}`)
  expect(await scim.post('/Users', { ...maren, externalId: '0a21f0f2' })).toMatchObject({
    status: 201,
    body: { id },
  })
  const shore = await plain(
    new Request(`${ORIGIN}/directory/v1/tenants/tidewater/users/${id}`, {
      headers: { Authorization: `Bearer ${variables.KEY}` },
    }),
  )
  expect(await shore.json()).toMatchObject({
    active: true,
    targetGroup: { name: 'Ashore' },
    roles: [{ name: 'CREW' }],
  })
})

it.each(['profile.schema.json', 'mapping.schema.json'])(
  '%s is published without a credential',
  async name => {
    const response = await plain(new Request(`${ORIGIN}/schemas/${name}`))
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'application/schema+json'])
    expect(await response.json()).toMatchObject({ type: 'object', additionalProperties: false })
    expect((await plain(new Request(`${ORIGIN}/schemas/${name}x`))).status).toBe(404)
  },
)
