// Every tolerance has a recorded exchange that needs it, and every exchange names tolerances that exist; each rule is
// shown to fail.
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { tolerances } from '../../src/scim/interop'
import {
  everyExchangeExists,
  everyExchangeNeedsItsTolerance,
  everyNeededToleranceExists,
  leftOutOf,
  type RecordedStep,
  type RecordingRule,
  type Recordings,
  stepNamesAreUnique,
} from './tolerances'

const root = fileURLToPath(new URL('../..', import.meta.url))
const clients = `${root}/test/clients`

/** documented-requests.json are single requests of the vendors' pages, not conversations. */
const files = readdirSync(clients, { recursive: true, encoding: 'utf8' })
  .map(name => name.replaceAll('\\', '/'))
  .filter(name => name.endsWith('.json') && !name.endsWith('documented-requests.json'))

const recordings: Recordings = {
  exchanges: Object.fromEntries(Object.entries(tolerances).map(([name, { exchange }]) => [name, exchange])),
  conversations: Object.fromEntries(
    files.map(file => [file, JSON.parse(readFileSync(`${clients}/${file}`, 'utf8')) as RecordedStep[]]),
  ),
}

const step = (name: string, ...needed: string[]): RecordedStep => ({ name, expect: { tolerances: needed } })
const small = (exchange: string, ...steps: RecordedStep[]): Recordings => ({
  exchanges: { 'no-path': exchange },
  conversations: { 'okta/app.json': steps },
})

describe.each<[string, RecordingRule, Recordings]>([
  ['every exchange exists', everyExchangeExists, small('okta/app.json: Leave', step('Move', 'no-path'))],
  ['every exchange has its file', everyExchangeExists, small('okta.json: Leave', step('Leave', 'no-path'))],
  [
    'every exchange needs its tolerance',
    everyExchangeNeedsItsTolerance,
    small('okta/app.json: Leave', step('Leave'), step('Move', 'no-path')),
  ],
  [
    'every needed tolerance exists',
    everyNeededToleranceExists,
    small('okta/app.json: Leave', step('Leave', 'no-path', 'no-such')),
  ],
  [
    'step names are unique',
    stepNamesAreUnique,
    small('okta/app.json: Leave', step('Leave', 'no-path'), step('Leave')),
  ],
])('%s', (_, rule, broken) => {
  it('holds', () => expect(rule(recordings)).toEqual([]))
  it('fails where it should', () => expect(rule(broken)).toHaveLength(1))
  it('takes a name with colons', () =>
    expect(rule(small('okta/app.json: Move: a: b', step('Move: a: b', 'no-path')))).toEqual([]))
})

describe('docs/identity-providers.md', () => {
  const page = readFileSync(`${root}/docs/identity-providers.md`, 'utf8')

  it('names every tolerance and has a section for every client', () => {
    expect(leftOutOf(page, recordings)).toEqual([])
  })

  it('is found wanting without them', () => {
    const one = small('okta/app.json: Leave', step('Leave', 'no-path'))
    expect(leftOutOf('## Okta\n\n`no-path`\n', one)).toEqual([])
    expect(leftOutOf('Okta and no-path\n', one)).toEqual(['no-path', 'okta'])
  })
})

it('there is something to look at', () => {
  expect(files.length).toBeGreaterThan(12)
  expect(Object.keys(tolerances).length).toBeGreaterThan(15)
})
