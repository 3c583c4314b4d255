// Writes docs/reliability.md: what breaks, what becomes of it, and which tests break it to see that.
//
//   node scripts/reliability.mjs          # write the page anew
//   node scripts/reliability.mjs --check  # fail when it is not what faults and tests say
import { readFileSync, writeFileSync } from 'node:fs'
import { relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { cell, testFiles, tests, textOf, titlesIn } from './conformance.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const PAGE = 'docs/reliability.md'
const FAULTS = 'test/reliability/faults.json'

/**
 * What breaks and what becomes of it, in words.
 * @typedef {{ number: number, fault: string, outcome: string }} Fault
 * @typedef {{ section: string, faults: Fault[] }} Section
 * @typedef {{ path: string, text: string }} TestFile
 * @typedef {Map<number, Set<string>>} Citations fault → paths of test files
 */

/** `FAULT-7` in the title of a test that makes fault 7 happen. */
const CITED = /\bFAULT-(\d+)\b/g

/**
 * The faults that the tests' titles cite.
 * @param {readonly TestFile[]} files
 * @returns {Citations}
 */
export function faultsIn(files) {
  /** @type {Citations} */
  const cited = new Map()
  for (const { path, text } of files)
    for (const title of titlesIn(text))
      for (const [, number] of title.matchAll(CITED))
        cited.set(Number(number), (cited.get(Number(number)) ?? new Set()).add(path))
  return cited
}

/**
 * What is wrong with faults and citations, in words; nothing when all is well.
 * @param {readonly Section[]} sections
 * @param {Citations} cited
 */
export function problemsOf(sections, cited) {
  const faults = sections.flatMap(section => section.faults)
  const known = new Set(faults.map(({ number }) => number))
  const strangers = [...cited].filter(([number]) => !known.has(number))
  return [
    ...faults.flatMap(({ number }, at) =>
      number === at + 1 ? [] : [`Fault ${number} stands where ${at + 1} belongs.`],
    ),
    ...faults.flatMap(({ number, fault, outcome }) =>
      [fault, outcome].some(text => text.trim() === '') ? [`Fault ${number} says too little.`] : [],
    ),
    ...faults.flatMap(({ number }) => (cited.has(number) ? [] : [`Fault ${number} has no test.`])),
    ...strangers.map(
      ([number, paths]) => `FAULT-${number} is no fault, but ${[...paths].join(', ')} cites it.`,
    ),
  ]
}

/**
 * The page.
 * @param {readonly Section[]} sections
 * @param {Citations} cited
 */
export function pageOf(sections, cited) {
  const faults = sections.flatMap(section => section.faults)
  return `${[
    '# Reliability',
    '',
    '<!-- Made by `node scripts/reliability.mjs`; change test/reliability/faults.json or the titles of tests. -->',
    '',
    `What breaks, and what becomes of it: ${faults.length} faults. Each is made to happen by every test whose title cites it`,
    '(`FAULT-7` for 7), on the real runtime, and `npm test` runs them all. Random ones come from seeds. Through all of them',
    'these hold:',
    '',
    '- A deactivation that was answered 2xx is stored with its event, and the event is delivered to every receiver, or is',
    '  dead there, says why, and can be replayed.',
    '- What was not committed is never sent.',
    '- A message is the same message however often it comes: the same `webhook-id` or `jti`, and the same bytes.',
    "- A person's events are numbered as they were committed (`sequence`), and one that comes late says so.",
    '',
    '`npm run check` fails when a fault has no test, when a test cites a fault that does not exist, and when this page is',
    'not what the tests say.',
    '',
    ...sections.flatMap(section => table(section, cited)),
  ]
    .join('\n')
    .trimEnd()}\n`
}

/**
 * @param {Section} section
 * @param {Citations} cited
 */
function table({ section, faults }, cited) {
  const lines = faults.map(
    ({ number, fault, outcome }) =>
      `| ${number} | ${cell(fault)} | ${cell(outcome)} | ${tests(cited.get(number))} |`,
  )
  return [
    `## ${section}`,
    '',
    '| | What breaks | What becomes of it | Tests |',
    '|--:|---|---|---|',
    ...lines,
    '',
  ]
}

/** The faults, the tests and the page as they are now. */
export function readEverything() {
  /** @type {Section[]} */
  const sections = JSON.parse(readFileSync(`${root}/${FAULTS}`, 'utf8'))
  return { sections, files: testFiles(), page: textOf(PAGE) }
}

/**
 * What keeps faults, tests and page from agreeing.
 * @param {{ sections: readonly Section[], files: readonly TestFile[], page: string }} everything
 */
export function check({ sections, files, page }) {
  const cited = faultsIn(files)
  const stale =
    page === pageOf(sections, cited) ? [] : [`${PAGE} is out of date: node scripts/reliability.mjs`]
  return [...problemsOf(sections, cited), ...stale]
}

function main() {
  const everything = readEverything()
  if (!process.argv.includes('--check'))
    writeFileSync(`${root}/${PAGE}`, pageOf(everything.sections, faultsIn(everything.files)))
  const problems = check(process.argv.includes('--check') ? everything : readEverything())
  for (const problem of problems) console.error(problem)
  if (problems.length > 0) process.exitCode = 1
}

if (relative(process.argv[1] ?? '', fileURLToPath(import.meta.url)) === '') main()
