// What the console says of a refused request: the sections of docs/troubleshooting.md, as data.
// `npm run schemas` writes the file anew.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { topicOfScimType, topicOfStatus } from '../../src/scim/help'

const root = fileURLToPath(new URL('../..', import.meta.url))
const page = readFileSync(`${root}/docs/troubleshooting.md`, 'utf8')

interface HelpSection {
  readonly title: string
  readonly cause: string
  readonly provider: string
  readonly service: string
}

/** Those that say what to change on both sides, by their anchor. */
function sectionsOf(markdown: string): Record<string, HelpSection> {
  const sections = markdown.split(/^### /m).slice(1)
  return Object.fromEntries(
    sections.flatMap(text => {
      const [title = '', ...rest] = (text.split(/^## /m)[0] ?? '').split('\n')
      const body = rest.join('\n')
      const provider = bullet(body, 'In the identity provider')
      const service = bullet(body, 'In edge-scim')
      if (provider === undefined || service === undefined) return []
      const anchor = title.toLowerCase().replaceAll(' ', '-')
      return [[anchor, { title, cause: causeOf(body), provider, service }]]
    }),
  )
}

function bullet(body: string, name: string): string | undefined {
  const [, found] = new RegExp(`^- \\*\\*${name}:\\*\\* ((?:.+\\n)(?:  .+\\n)*)`, 'm').exec(body) ?? []
  return found && oneLine(found)
}

/** What stands between the reply's text and the bullets. */
function causeOf(body: string): string {
  const [before = ''] = body.split(/^- \*\*/m)
  const [, ...paragraphs] = before.trim().split('\n\n')
  return oneLine(paragraphs.join(' '))
}

/** Links are left as their text: they lead out of the page that they are written for. */
function oneLine(text: string): string {
  return text
    .replace(/\s+/g, ' ')
    .replace(/\[([^\]]+)\]\([^)]*\)/g, '$1')
    .trim()
}

describe('help topics', () => {
  const sections = sectionsOf(page)

  it('are what docs/troubleshooting.md says (npm run schemas writes them anew)', async () => {
    const text = `${JSON.stringify(sections, undefined, 2)}\n`
    await expect(text).toMatchFileSnapshot(`${root}/src/http/console/help-topics.json`)
  })

  it('are there for every kind of error', () => {
    const topics = new Set([...Object.values(topicOfScimType), ...Object.values(topicOfStatus)])
    expect([...topics].filter(topic => !(topic in sections))).toEqual([])
  })

  it('leave out a section that says nothing to change', () => {
    expect(sectionsOf('### Nothing\n\nNobody knows.\n')).toEqual({})
  })
})
