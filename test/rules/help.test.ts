// The console explains a refusal in the words of docs/troubleshooting.md.
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { helpOn } from '../../src/http/console/help'

const page = readFileSync('docs/troubleshooting.md', 'utf8').split('## What is no error')[0] ?? ''
const sections = page
  .split(/^### /m)
  .slice(1)
  .map(text => ({ title: text.split('\n')[0] ?? '', text: plain(text) }))

/** Without links, marks and line breaks. */
function plain(text: string): string {
  return text
    .replace(/\[([^\]]+)\]\([^)]*\)/g, '$1')
    .replace(/\*\*|`/g, '')
    .replace(/\s+/g, ' ')
}

/** A list's item goes on in small letters behind what it is about. */
const begins = (text: string) => [text, text.charAt(0).toLowerCase() + text.slice(1)]

describe('what the console says of a refusal', () => {
  it('is there for every section', () => {
    expect(sections.length).toBeGreaterThan(30)
  })

  it.each(sections)('is what the document says: $title', ({ title, text }) => {
    const help = helpOn(`docs/troubleshooting.md#${title.toLowerCase().replaceAll(' ', '-')}`)
    expect(help?.title).toBe(title)
    for (const said of [help?.meaning ?? title, help?.provider ?? '?', help?.here ?? '?'])
      expect(begins(said).some(words => text.includes(words))).toBe(true)
  })

  it('is nothing for what is no section', () => {
    for (const none of [null, '', 'docs/troubleshooting.md', 'x#nothing', 'x#constructor', 'x#__proto__'])
      expect(helpOn(none)).toBeUndefined()
  })
})
