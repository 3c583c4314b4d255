// The documents hold together: every link leads somewhere, every refusal has its section and every identity provider its
// guide, and nothing is explained that there is not.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { identityProviders } from '../../src/mapping/identity-providers'
import { topicOfScimType, topicOfStatus } from '../../src/scim/help'
import { anchorsOf, brokenLinks, headingsOf, linksOf, type Page, slugOf } from './links'

const root = fileURLToPath(new URL('../..', import.meta.url))
const read = (path: string) => readFileSync(`${root}/${path}`, 'utf8')

/** Every Markdown file of the repository: what is installed, built or hidden is not of it. */
function pagesBelow(folder: string): Page[] {
  return readdirSync(`${root}/${folder}`, { withFileTypes: true }).flatMap(entry => {
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`
    if (entry.name.startsWith('.') || ['node_modules', 'dist'].includes(entry.name)) return []
    if (entry.isDirectory()) return pagesBelow(path)
    return path.endsWith('.md') ? [{ path, text: read(path) }] : []
  })
}

const pages = pagesBelow('')

/** Sections of the page under `##` headings that `takes` accepts. */
function sectionsOf(text: string, takes: (chapter: string) => boolean): string[] {
  let chapter = ''
  return headingsOf(text).flatMap(({ level, title }) => {
    if (level === 2) chapter = title
    return level === 3 && takes(chapter) ? [slugOf(title)] : []
  })
}

describe('links', () => {
  it('all lead to a file and an anchor that there are', () => {
    expect(pages.length).toBeGreaterThan(15)
    expect(pages.flatMap(({ text }) => linksOf(text)).length).toBeGreaterThan(100)
    expect(brokenLinks(pages, path => existsSync(`${root}/${path}`))).toEqual([])
  })

  it('that lead nowhere are found', () => {
    const there = ['docs/a.md', 'b.md', 'src']
    const page = (path: string, text: string) => ({ path, text })
    const a = page(
      'docs/a.md',
      '[ok](../b.md#two-words) [gone](c.md) [here](#one) [no](#two) [x](../b.md#three) [s](../src)',
    )
    const b = page(
      'b.md',
      '# Two `words`!\n\n```\n# three\n[in code](nowhere.md)\n```\n[out](https://example.com/x#y) `[code](no.md)`',
    )
    const found = brokenLinks([{ ...a, text: `# One\n${a.text}` }, b], path => there.includes(path))
    expect(found).toEqual(['docs/a.md → c.md', 'docs/a.md → #two', 'docs/a.md → ../b.md#three'])
  })

  it('anchors are GitHub’s', () => {
    expect(
      anchorsOf('# A first `deploy`: why?\n## Rotate SECRET_KEY\n## Same\n## Same\n## An alarm at 3 a.m.'),
    ).toEqual(['a-first-deploy-why', 'rotate-secret_key', 'same', 'same-1', 'an-alarm-at-3-am'])
  })
})

describe('docs/troubleshooting.md', () => {
  it('has a section for every kind of refusal, and no section that nothing leads to', () => {
    const own = /type OwnTopic =([\s\S]*?)\n\n/.exec(read('src/scim/help.ts'))?.[1] ?? ''
    const topics = [
      ...Object.values(topicOfScimType),
      ...Object.values(topicOfStatus),
      ...[...own.matchAll(/'([\w-]+)'/g)].map(([, topic]) => topic ?? ''),
    ]
    expect(topics.length).toBeGreaterThan(40)
    const sections = sectionsOf(read('docs/troubleshooting.md'), chapter => chapter !== 'What is no error')
    expect(sections.toSorted()).toEqual([...new Set(topics)].toSorted())
  })
})

describe('docs/identity-providers', () => {
  it('has a guide for every kind of connection, and no other', () => {
    const guides = readdirSync(`${root}/docs/identity-providers`)
    expect(guides.toSorted()).toEqual(identityProviders.map(idp => `${idp}.md`).toSorted())
    const linked = linksOf(read('docs/identity-providers.md'))
    expect(guides.filter(guide => !linked.includes(`identity-providers/${guide}`))).toEqual([])
  })
})

describe('docs', () => {
  it('are all reached from README.md', () => {
    const reached = new Set(linksOf(read('README.md')).map(link => link.split('#')[0]))
    const all = readdirSync(`${root}/docs`).filter(name => name.endsWith('.md'))
    expect(all.filter(name => !reached.has(`docs/${name}`))).toEqual([])
  })
})
