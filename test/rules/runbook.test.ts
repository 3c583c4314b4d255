// docs/runbook.md explains every line that is logged and every metric, and none that there is not; the names that it uses
// are those of wrangler.toml.
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { isDeadLetterQueue } from '../../src/events/dead-letter'

const root = fileURLToPath(new URL('../..', import.meta.url))
const read = (path: string) => readFileSync(`${root}/${path}`, 'utf8')
const runbook = read('docs/runbook.md')

const sources = readdirSync(`${root}/src`, { recursive: true, encoding: 'utf8' })
  .filter(path => /\.tsx?$/.test(path))
  .map(path => read(`src/${path}`))

/** What lines are called: `log` or `message` of the object, or the first argument of consume.ts's own `log`. */
function linesIn(source: string): string[] {
  const named = /\b(?:log: |JSON\.stringify\(\{ message: |\blog\()'([\w -]+)'/g
  return [...source.matchAll(named)].map(([, name = '']) => name)
}

/** `delivery-${result.kind}`: of the kinds of a result all but the one that is not reported. */
const results = ['delivery-retrying', 'delivery-dead', 'delivery-gone']

it('has a row for each line that is logged', () => {
  const lines = [...new Set([...sources.flatMap(linesIn), ...results])]
  expect(lines.length).toBeGreaterThan(15)
  const chapter = /## What the log lines mean\n([\s\S]*?)\n## /.exec(runbook)?.[1] ?? ''
  const rows = [...chapter.matchAll(/^\| `([^`]+)` \| [A-Z]/gm)].map(([, name]) => name)
  expect(rows.toSorted()).toEqual(lines.toSorted())
})

it('finds what is logged, however it is written', () => {
  expect(linesIn("console.log(JSON.stringify({ log: 'a-b', n }))\n  log('c-d', {})")).toEqual(['a-b', 'c-d'])
  expect(linesIn("console.error(\n  JSON.stringify({ message: 'e f', error })\n)")).toEqual(['e f'])
  expect(linesIn("fail({ path, message: 'is required' }); catalog('x')")).toEqual([])
})

it('every object that is logged is found by one of the two names', () => {
  const logged = sources.flatMap(
    source => source.match(/console\.(?:log|error|warn)\(\s*JSON\.stringify\(\{[^}]{0,40}/g) ?? [],
  )
  const known = sources.flatMap(
    source =>
      source.match(/console\.(?:log|error)\(\s*JSON\.stringify\(\{ (?:log|message): |\{ log: event/g) ?? [],
  )
  expect(logged.length).toBe(known.length)
})

it('has a row for each metric', () => {
  const names = [...read('src/administration/prometheus.ts').matchAll(/name: '(edge_scim_\w+)'/g)].map(
    ([, name]) => name,
  )
  expect(names.length).toBeGreaterThan(5)
  const rows = [...runbook.matchAll(/^\| `(edge_scim_\w+)` \|/gm)].map(([, name]) => name)
  expect(rows.toSorted()).toEqual(names.toSorted())
  const said = new Set(runbook.match(/\bedge_scim_\w+/g))
  expect([...said].filter(name => !names.includes(name))).toEqual([])
})

it('names the database and the queues of wrangler.toml, of which the dead-letter queue is known by its end', () => {
  const settings = read('wrangler.toml')
  const valuesOf = (name: string) =>
    [...settings.matchAll(new RegExp(`^${name} = "([^"]+)"`, 'gm'))].map(([, value]) => value ?? '')
  const [events = ''] = valuesOf('queue')
  const [dead = ''] = valuesOf('dead_letter_queue')
  expect([isDeadLetterQueue(events), isDeadLetterQueue(dead)]).toEqual([false, true])
  expect(new Set(valuesOf('queue'))).toEqual(new Set([events, dead]))
  for (const made of [
    `queues create ${events}`,
    `queues create ${dead}`,
    ...valuesOf('database_name').map(name => `d1 create ${name}`),
  ])
    expect(runbook).toContain(`npx wrangler ${made}\n`)
})
