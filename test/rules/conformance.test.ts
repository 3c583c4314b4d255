// docs/conformance.md says what the tests say, every row has a verdict, and the check that sees to it can fail.
import { describe, expect, it } from 'vitest'
import {
  check,
  citationsIn,
  pageOf,
  problemsOf,
  type Row,
  readEverything,
  type Section,
  type TestFile,
} from '../../scripts/conformance.mjs'

const row = (number: number, more: Partial<Row> = {}): Row => ({
  row: number,
  level: 'M',
  where: '§3.5',
  rule: 'PUT is offered',
  ...more,
})
const sections = (...rows: Row[]): Section[] => [{ section: 'A. Made up', rows }]
const file = (...lines: string[]): TestFile => ({ path: 'test/scim/a.test.ts', text: lines.join('\n') })
const cited = (...lines: string[]) => [...citationsIn([file(...lines)]).keys()]

describe('docs/conformance.md', () => {
  it('is what rows and tests say', () => {
    expect(check(readEverything())).toEqual([])
  })

  it('is made of all rows and of real tests', () => {
    const { sections: real, files, page } = readEverything()
    expect(real.flatMap(({ rows }) => rows)).toHaveLength(239)
    expect(files.length).toBeGreaterThan(20)
    expect(page.match(/^\| \d+ \| [MSOX] \|/gm)).toHaveLength(239)
  })
})

describe('citations', () => {
  it.each([
    ['one', "it('RFC-7 whole numbers', () => {})", [7]],
    ['several', "test('RFC-1, RFC-3 RFC-5 names', () => {})", [1, 3, 5]],
    ['a range by words', "it('RFC-2 to 4 strict', () => {})", [2, 3, 4]],
    ['a range by a dash', "it('RFC-2 – RFC-4 strict', () => {})", [2, 3, 4]],
    ['at the end', "it('is refused in strict (RFC-9)', () => {})", [9]],
    ['a block', "describe('RFC-9 create on miss', () => {})", [9]],
    ['in double quotes', 'it("RFC-9 a group\'s name", () => {})', [9]],
    ['in a template', `it(\`RFC-9 depth \${DEPTH}\`, () => {})`, [9]],
    ['behind a table', "it.each([\n  ['x', /'/],\n])(\n  'RFC-9 %s', () => {})", [9]],
    ['by a helper', "both(\n  'RFC-9 text',\n  [])", [9]],
  ])('are found: %s', (_, text, rows) => {
    expect(cited(text)).toEqual(rows)
  })

  it.each([
    ['a comment', '/** RFC-7: as above. */'],
    ['a test that is commented out', "  // it('RFC-7 whole numbers', () => {})"],
    ['a block of comment', "/*\nit('RFC-7 whole numbers', () => {})\n*/"],
    ['a value', "const title = 'RFC-7'"],
    ['a second argument', "expect(reply, 'RFC-7').toBe(1)"],
    ['another document', "it('RFC 7644 says so', () => {})"],
  ])('are not: %s', (_, text) => {
    expect(cited(text)).toEqual([])
  })
})

describe('the check', () => {
  const tests = [file("it('RFC-1 replaces', () => {})")]
  const problems = (rows: Row[], files = tests) => problemsOf(sections(...rows), citationsIn(files))
  const declined = 'Not offered yet.'

  it('does not cry wolf', () => {
    expect(problems([row(1), row(2, { declined })])).toEqual([])
    expect(problems([row(1, { partly: 'Without If-Match.' })])).toEqual([])
    const rows = sections(row(1), row(2, { declined }))
    const page = pageOf(rows, citationsIn(tests))
    expect(check({ sections: rows, files: tests, page })).toEqual([])
  })

  it.each<[string, Row[], RegExp]>([
    ['a row has neither test nor reason', [row(1), row(2)], /Row 2 has neither/],
    ['a row is declined and tested', [row(1, { declined })], /Row 1 is declined, but a test/],
    ['a row is partly done without a test', [row(1), row(2, { partly: declined })], /Row 2 is partly/],
    ['a row is both', [row(1, { declined, partly: declined })], /Row 1 is declined, and partly/],
    ['a reason is empty', [row(1), row(2, { declined: ' ' })], /Row 2 gives no reason/],
    ['a test cites no row', [], /RFC-1 is no row.*test\/scim\/a\.test\.ts/],
    ['a row is missing', [row(1), row(3, { declined })], /Row 3 stands where 2 belongs/],
    ['a row comes twice', [row(1), row(1)], /Row 1 stands where 2 belongs/],
    ['a level is unknown', [row(1, { level: 'Z' })], /unknown level Z/],
    ['a rule is long', [row(1, { rule: 'so '.repeat(13).trim() })], /13 words/],
    ['a rule is empty', [row(1, { rule: '' })], /at least one/],
  ])('fails when %s', (_, rows, problem) => {
    expect(problems(rows).join('\n')).toMatch(problem)
  })

  it.each<[string, Row[], TestFile[]]>([
    ['a rule is reworded', [row(1, { rule: 'PUT exists' })], tests],
    ['a reason is reworded', [row(1, { partly: 'Half.' })], tests],
    ['another test proves it', [row(1)], [...tests, { path: 'test/scim/b.test.ts', text: "it('RFC-1', x)" }]],
  ])('fails when %s and the page is not written again', (_, rows, files) => {
    const page = pageOf(sections(row(1)), citationsIn(tests))
    expect(check({ sections: sections(...rows), files, page })).toEqual([
      'docs/conformance.md is out of date: node scripts/conformance.mjs',
    ])
  })
})

describe('the page', () => {
  const page = pageOf(
    sections(
      row(1),
      row(2, { where: '7643 §2.1, errata', declined: 'No | at all.' }),
      row(3, { partly: 'Half.' }),
    ),
    citationsIn([file("it('RFC-1 RFC-3 replaces', () => {})")]),
  )

  it('links sections and tests, and says the verdict', () => {
    const test = '[scim/a](../test/scim/a.test.ts)'
    expect(page).toContain(
      `| 1 | M | [§3.5](https://www.rfc-editor.org/rfc/rfc7644#section-3.5) | PUT is offered | pass | ${test} |`,
    )
    const names = '[7643 §2.1](https://www.rfc-editor.org/rfc/rfc7643#section-2.1), errata'
    expect(page).toContain(`| 2 | M | ${names} | PUT is offered | declined |  |`)
    expect(page).toContain(`| PUT is offered | partly | ${test} |`)
  })

  it('counts, and gives reasons', () => {
    expect(page).toMatch(/as 3 rows: 1 are\s+implemented, 1 in part, 1 are declined/)
    expect(page).toContain('| M | must | 3 | 1 | 1 | 1 |')
    expect(page).toContain('| 2 | PUT is offered | No \\| at all. |')
    expect(page).toContain('| 3 | PUT is offered | Half. |')
  })
})
