// Writes docs/conformance.md from test/conformance/rows.json and the titles of the tests, which cite rows as
// "RFC-123". With --check it writes nothing, and fails where page, rows and tests do not agree.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const PAGE = 'docs/conformance.md'
const ROWS = 'test/conformance/rows.json'
const MAX_WORDS = 12

/**
 * One row of the checklist. `declined` says why nothing of it is done, `partly` what of it is not; without either
 * all of it is done. Tests prove what is done.
 * @typedef {{ row: number, level: string, where: string, rule: string, declined?: string, partly?: string }} Row
 * @typedef {{ section: string, rows: Row[] }} Section
 * @typedef {{ path: string, text: string }} TestFile
 * @typedef {Map<number, Set<string>>} Citations row → paths of test files
 */

const LEVELS = { M: 'must', S: 'should', O: 'may', X: 'field practice' }

/** Lines that are comments: a test that does not run cites nothing. */
const COMMENTS = /^[ \t]*(?:\/\/.*|\/\*[\s\S]*?\*\/)/gm

/** A title: the first argument of a call, as `it('…'`, `test.each([…])('…'` or a helper of a test file has it. */
const TITLES = /[\w)]\(\s*(?:'((?:\\.|[^'\\\n])*)'|"((?:\\.|[^"\\\n])*)"|`((?:\\[\s\S]|[^`\\])*)`)/g

/** `RFC-7`, and `RFC-226 to 229` or `RFC-226 – RFC-229` for all between. */
const CITED = /\bRFC-(\d+)(?:\s*(?:to|–)\s*(?:RFC-)?(\d+))?/g

/**
 * The rows that the tests' titles cite.
 * @param {readonly TestFile[]} files
 * @returns {Citations}
 */
export function citationsIn(files) {
  /** @type {Citations} */
  const cited = new Map()
  for (const { path, text } of files)
    for (const title of titlesIn(text))
      for (const row of rowsIn(title)) cited.set(row, (cited.get(row) ?? new Set()).add(path))
  return cited
}

/** The titles of the tests in a file. @param {string} text */
export function titlesIn(text) {
  return [...text.replace(COMMENTS, '').matchAll(TITLES)].map(([, ...forms]) => forms.join(''))
}

/** @param {string} title */
function rowsIn(title) {
  return [...title.matchAll(CITED)].flatMap(([, from, to = from]) =>
    Array.from({ length: Math.max(1, Number(to) - Number(from) + 1) }, (_, i) => Number(from) + i),
  )
}

/**
 * What is wrong with rows and citations, in words; nothing when all is well.
 * @param {readonly Section[]} sections
 * @param {Citations} cited
 */
export function problemsOf(sections, cited) {
  const rows = sections.flatMap(section => section.rows)
  const known = new Set(rows.map(({ row }) => row))
  const strangers = [...cited].filter(([row]) => !known.has(row))
  return [
    ...rows.flatMap(({ row }, at) => (row === at + 1 ? [] : [`Row ${row} stands where ${at + 1} belongs.`])),
    ...rows.flatMap(row => problemsOfRow(row, cited.get(row.row))),
    ...strangers.map(([row, paths]) => `RFC-${row} is no row, but ${[...paths].join(', ')} cites it.`),
  ]
}

/**
 * @param {Row} row
 * @param {Set<string> | undefined} paths
 */
function problemsOfRow({ row, level, rule, declined, partly }, paths) {
  const tested = paths !== undefined
  const words = rule.split(/\s+/).length
  return [
    !(level in LEVELS) && `Row ${row} has the unknown level ${level}.`,
    (rule === '' || words > MAX_WORDS) &&
      `Row ${row} has ${words} words; at most ${MAX_WORDS}, at least one.`,
    [declined, partly].some(reason => reason?.trim() === '') && `Row ${row} gives no reason.`,
    declined !== undefined && partly !== undefined && `Row ${row} is declined, and partly done as well.`,
    declined !== undefined && tested && `Row ${row} is declined, but a test cites it; say "partly" if it is.`,
    partly !== undefined && !tested && `Row ${row} is partly done, but no test cites it.`,
    declined === undefined && partly === undefined && !tested && `Row ${row} has neither test nor reason.`,
  ].filter(problem => problem !== false)
}

/**
 * The page.
 * @param {readonly Section[]} sections
 * @param {Citations} cited
 */
export function pageOf(sections, cited) {
  const rows = sections.flatMap(section => section.rows)
  const declined = rows.filter(row => row.declined !== undefined)
  const partly = rows.filter(row => row.partly !== undefined)
  const done = rows.length - declined.length - partly.length
  return `${[
    '# Conformance',
    '',
    '<!-- Made by `node scripts/conformance.mjs`; change test/conformance/rows.json or the titles of tests. -->',
    '',
    `SCIM 2.0 (RFC 7643, 7644, 9865, 9967), its errata and two profiles as ${rows.length} rows: ${done} are`,
    `implemented, ${partly.length} in part, ${declined.length} are declined. "§" alone is RFC 7644.`,
    '',
    'Every row has a verdict. **pass**: each test whose title cites the row (`RFC-12` for row 12) passes, since',
    '`npm test` runs them all. **partly** says what is missing, **declined** why. `npm run check` fails when a row has',
    'no verdict, when a test cites a row that does not exist, and when this page is not what the tests say.',
    '',
    ...summary(sections),
    ...[
      ['Declined', declined],
      ['In part', partly],
    ].flatMap(([title, some]) => reasons(String(title), /** @type {Row[]} */ (some))),
    ...sections.flatMap(section => table(section, cited)),
  ].join('\n')}\n`
}

/** @param {readonly Section[]} sections */
function summary(sections) {
  const rows = sections.flatMap(section => section.rows)
  const lines = Object.entries(LEVELS).map(([level, name]) => {
    const some = rows.filter(row => row.level === level)
    const declined = some.filter(row => row.declined !== undefined).length
    const partly = some.filter(row => row.partly !== undefined).length
    return `| ${level} | ${name} | ${some.length} | ${some.length - declined - partly} | ${partly} | ${declined} |`
  })
  return ['| | Level | Rows | Pass | Partly | Declined |', '|---|---|--:|--:|--:|--:|', ...lines, '']
}

/**
 * @param {string} title
 * @param {readonly Row[]} rows
 */
function reasons(title, rows) {
  if (rows.length === 0) return []
  const lines = rows.map(
    ({ row, rule, declined, partly }) => `| ${row} | ${cell(rule)} | ${cell(declined ?? partly ?? '')} |`,
  )
  return [`## ${title}`, '', '| Row | Rule | Why |', '|--:|---|---|', ...lines, '']
}

/**
 * @param {Section} section
 * @param {Citations} cited
 */
function table({ section, rows }, cited) {
  const lines = rows.map(row => {
    const verdict = row.declined !== undefined ? 'declined' : row.partly !== undefined ? 'partly' : 'pass'
    const cells = [row.row, row.level, places(row.where), cell(row.rule), verdict, tests(cited.get(row.row))]
    return `| ${cells.join(' | ')} |`
  })
  return [
    `## ${section}`,
    '',
    '| Row | | Section | Rule | Verdict | Tests |',
    '|--:|---|---|---|---|---|',
    ...lines,
    '',
  ]
}

/** Sections of RFCs as links. @param {string} where */
function places(where) {
  const linked = where.split(', ').map(place => {
    const [, rfc = '7644', section] = /^(?:(\d{4}) )?§([\d.]+)$/.exec(place) ?? []
    return section ? `[${place}](https://www.rfc-editor.org/rfc/rfc${rfc}#section-${section})` : cell(place)
  })
  return linked.join(', ')
}

/** The files whose tests cite a row, as links. @param {Set<string> | undefined} paths */
export function tests(paths) {
  const links = [...(paths ?? [])]
    .sort()
    .map(path => `[${path.replace(/^test\//, '').replace(/\.test\.ts$/, '')}](../${path})`)
  return links.join(', ')
}

/** Text as a table takes it. @param {string} text */
export function cell(text) {
  return text.replaceAll('|', '\\|').replaceAll('<', '&lt;')
}

/** The rows, the tests (those of the rules cite made-up rows) and the page as they are now. */
export function readEverything() {
  /** @type {Section[]} */
  const sections = JSON.parse(readFileSync(`${root}/${ROWS}`, 'utf8'))
  return { sections, files: testFiles(), page: textOf(PAGE) }
}

/** Every file of tests but those of the rules. @returns {TestFile[]} */
export function testFiles() {
  return readdirSync(`${root}/test`, { recursive: true, encoding: 'utf8' })
    .map(name => `test/${name.replaceAll('\\', '/')}`)
    .filter(path => path.endsWith('.test.ts') && !path.startsWith('test/rules/'))
    .map(path => ({ path, text: readFileSync(`${root}/${path}`, 'utf8') }))
}

/** The page as it is now; nothing where there is none. @param {string} page */
export function textOf(page) {
  try {
    return readFileSync(`${root}/${page}`, 'utf8')
  } catch {
    return ''
  }
}

/**
 * What keeps rows, tests and page from agreeing.
 * @param {{ sections: readonly Section[], files: readonly TestFile[], page: string }} everything
 */
export function check({ sections, files, page }) {
  const cited = citationsIn(files)
  const stale =
    page === pageOf(sections, cited) ? [] : [`${PAGE} is out of date: node scripts/conformance.mjs`]
  return [...problemsOf(sections, cited), ...stale]
}

function main() {
  const everything = readEverything()
  if (!process.argv.includes('--check'))
    writeFileSync(`${root}/${PAGE}`, pageOf(everything.sections, citationsIn(everything.files)))
  const problems = check(process.argv.includes('--check') ? everything : readEverything())
  for (const problem of problems) console.error(problem)
  if (problems.length > 0) process.exitCode = 1
}

if (relative(process.argv[1] ?? '', fileURLToPath(import.meta.url)) === '') main()
