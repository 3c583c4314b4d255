// The example examples/verify-evidence in plain Node, on evidence and events as the admin API gives them: what is
// genuine is proved, and one byte of it changed anywhere is not.
import { execFile } from 'node:child_process'
import { createHash, generateKeyPairSync, sign } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { verify } from '../../examples/verify-evidence/verify.mjs'
import { canonicalText } from '../../src/scim/canonical'
import type { Json } from '../../src/scim/json'
import { makeTenant, startService } from './world'

const SCRIPT = fileURLToPath(new URL('../../examples/verify-evidence/verify.mjs', import.meta.url))

interface Files {
  evidence: string
  jwks: string
  events: string
}

interface Listed {
  sequence: number
  hash: string
  previousHash: string
  [name: string]: unknown
}

const encode = (text: string) => new TextEncoder().encode(text)

const proof = ({ evidence, jwks, events }: Files) => verify(encode(evidence), encode(jwks), encode(events))

/** Whether it holds, with the files as bytes. */
async function holds(evidence: Uint8Array, jwks: Uint8Array, events?: Uint8Array): Promise<boolean> {
  return verify(evidence, jwks, events).then(
    () => true,
    () => false,
  )
}

/** What the service gives of a tenant in which somebody was deactivated, came back, and was deleted. */
async function fromTheService(): Promise<Files> {
  const service = await startService()
  try {
    const tenant = await makeTenant(service, 'proof')
    const made = await tenant.scim('POST', '/Users', {
      schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'],
      userName: 'Zoë@example.com',
      externalId: '1',
    })
    const patch = (active: boolean) =>
      tenant.scim('PATCH', `/Users/${made.body.id}`, {
        schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
        Operations: [{ op: 'replace', path: 'active', value: active }],
      })
    for (const active of [false, true, false]) await patch(active)
    const text = async (url: string) =>
      (await fetch(url, { headers: { Authorization: `Bearer ${service.adminToken}` } })).text()
    const api = `${service.origin}/admin/v1/tenants/proof`
    const evidence = await text(`${api}/users/${made.body.id}/evidence`)
    const events = await text(`${api}/events?chain=true`)
    return { evidence, events, jwks: await text(`${service.origin}/t/proof/jwks.json`) }
  } finally {
    await service.stop()
  }
}

let files: Files
let folder: string

beforeAll(async () => {
  files = await fromTheService()
  folder = await mkdtemp(join(tmpdir(), 'evidence-'))
})

afterAll(() => rm(folder, { recursive: true, force: true }))

/** Exit code and output of the script. */
async function run(given: Partial<Files>): Promise<{ code: number; output: string }> {
  const paths = await Promise.all(
    (['evidence', 'jwks', 'events'] as const).map(async name => {
      const text = given[name]
      if (text === undefined) return []
      const path = join(folder, `${name}.json`)
      await writeFile(path, text)
      return [path]
    }),
  )
  return new Promise(resolve => {
    execFile(process.execPath, [SCRIPT, ...paths.flat()], (error, stdout, stderr) =>
      resolve({ code: Number(error?.code ?? 0), output: stdout + stderr }),
    )
  })
}

/** Each byte in turn, changed to others that text may have in its place. */
function* oneByteChanged(text: string): Generator<{ at: number; bytes: Uint8Array }> {
  const original = encode(text)
  for (let at = 0; at < original.length; at++)
    for (const mask of [0x01, 0x20]) {
      const bytes = Uint8Array.from(original)
      bytes[at] = (original[at] ?? 0) ^ mask
      yield { at, bytes }
    }
}

async function survivors(text: string, check: (bytes: Uint8Array) => Promise<boolean>): Promise<string[]> {
  const found: string[] = []
  for (const { at, bytes } of oneByteChanged(text))
    if (await check(bytes)) found.push(`${at}: …${text.slice(Math.max(at - 20, 0), at + 20)}…`)
  return found
}

describe('what is genuine', () => {
  it('is proved in words, with exit 0', async () => {
    const { code, output } = await run(files)
    expect(output).toContain('PROVED')
    expect(output).toContain('user.deactivated of Zoë@example.com by')
    expect(output).toContain('there was no receiver to tell')
    expect(output).toContain('4 events, 1 to 4, are proved by the signed record.')
    expect(code).toBe(0)
  })

  it('is proved without the events, and however the JSON is spaced and ordered', async () => {
    const { evidence, jwks } = files
    expect((await run({ evidence, jwks })).code).toBe(0)
    const spaced = JSON.stringify(JSON.parse(evidence), null, 2)
    expect(await holds(encode(spaced), encode(jwks))).toBe(true)
  })

  it('is proved from a part of the events, which says where it begins', async () => {
    const items = (JSON.parse(files.events) as { items: Listed[] }).items.slice(2)
    const said = await proof({ ...files, events: JSON.stringify(items) })
    expect(said).toContain('2 events, 3 to 4, are proved by the signed record.')
  })
})

describe('one byte changed anywhere', () => {
  it('in the evidence: record, header, payload and signature of the jws, and all that is between', async () => {
    const jwks = encode(files.jwks)
    expect(await survivors(files.evidence, bytes => holds(bytes, jwks))).toEqual([])
  })

  it('in the events: content, hashes, and all that is between', async () => {
    const [evidence, jwks] = [encode(files.evidence), encode(files.jwks)]
    const items = JSON.stringify((JSON.parse(files.events) as { items: Listed[] }).items)
    expect(await survivors(items, bytes => holds(evidence, jwks, bytes))).toEqual([])
  })

  it('in the key that signed', async () => {
    const evidence = encode(files.evidence)
    expect(await survivors(files.jwks, bytes => holds(evidence, bytes))).toEqual([])
  })

  it('exit 1, with what does not hold', async () => {
    const evidence = files.evidence.replace('user.deactivated', 'user.deactivatee')
    expect(await run({ ...files, evidence })).toMatchObject({
      code: 1,
      output: 'NOT PROVED: The record is not what was signed.\n',
    })
    expect(await run({ evidence: 'x' })).toMatchObject({ code: 1, output: expect.stringContaining('Usage') })
  })
})

describe('forgeries that agree with themselves', () => {
  const listed = () => (JSON.parse(files.events) as { items: Listed[] }).items
  const tenantOf = () =>
    (JSON.parse(files.evidence) as { record: { tenant: { id: string } } }).record.tenant.id

  /** The hashes made anew, as somebody would who alters or removes an event. */
  function resealed(events: readonly Listed[]): string {
    let previous = '0'.repeat(64)
    const items = events.map(({ hash: _, previousHash: __, ...content }) => {
      const covered = canonicalText({ tenant: tenantOf(), ...content } as unknown as Json)
      const hash = createHash('sha256').update(`${previous}\n${covered}`).digest('hex')
      const item = { ...content, previousHash: previous, hash }
      previous = hash
      return item
    })
    return JSON.stringify(items)
  }

  it('hashes made anew over what is genuine are the same', async () => {
    await proof({ ...files, events: resealed(listed()) })
  })

  it('an event that was altered, with all hashes made anew', async () => {
    const altered = listed().map(event => (event.sequence === 1 ? { ...event, type: 'user.updated' } : event))
    await expect(proof({ ...files, events: resealed(altered) })).rejects.toThrow(
      /another one than the record/,
    )
  })

  it('an event that was removed, with all others renumbered', async () => {
    const rest = listed()
      .filter(({ sequence }) => sequence !== 3)
      .map((event, i) => ({ ...event, sequence: i + 1 }))
    await expect(proof({ ...files, events: resealed(rest) })).rejects.toThrow('Event 3 is not proved')
  })

  it.each([
    [2, 'Event 1 is not proved'],
    [3, undefined],
    [4, 'Event 3 is not proved'],
  ])('event %i left out of the list', async (left, problem) => {
    const rest = JSON.stringify(listed().filter(({ sequence }) => sequence !== left))
    // Of an event between two that the record names nothing is said, and so nothing is claimed.
    if (problem === undefined)
      expect((await proof({ ...files, events: rest })).at(-1)).toContain('others, which are not in the list')
    else await expect(proof({ ...files, events: rest })).rejects.toThrow(problem)
  })

  it('events of which none is in the record prove nothing', async () => {
    const first = listed().filter(({ sequence }) => sequence === 1)
    await expect(proof({ ...files, events: JSON.stringify(first) })).rejects.toThrow('Event 1 is not proved')
  })

  it('the record under another key of the same name, or of another name', async () => {
    const { record } = JSON.parse(files.evidence) as { record: object }
    const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const [genuine] = (JSON.parse(files.jwks) as { keys: { kid: string }[] }).keys
    for (const kid of [genuine?.kid, 'another']) {
      const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
      const input = `${part({ alg: 'RS256', typ: 'edge-scim-evidence+json', kid })}.${part(record)}`
      const jws = `${input}.${sign('RSA-SHA256', Buffer.from(input), privateKey).toString('base64url')}`
      const jwk = { ...publicKey.export({ format: 'jwk' }), kid, alg: 'RS256', use: 'sig' }
      const evidence = encode(JSON.stringify({ record, jws }))
      expect(await holds(evidence, encode(files.jwks))).toBe(false)
      expect(await holds(evidence, encode(JSON.stringify({ keys: [jwk] })))).toBe(false)
    }
  })
})
