// Reads Markdown for what its links lead to: files, and the anchors that GitHub gives to headings.
import { posix } from 'node:path'

export interface Page {
  /** From the repository's root: `docs/receivers.md`. */
  readonly path: string
  readonly text: string
}

/** Text without fenced blocks, in which nothing is a heading or a link. Lines stay where they are. */
function prose(text: string): string {
  return text.replace(/^( *)(```+|~~~+)[\s\S]*?^ *\2.*$/gm, block => block.replace(/[^\n]/g, ''))
}

/** The anchors of a page, as GitHub makes them of its headings. */
export function anchorsOf(text: string): string[] {
  const seen = new Map<string, number>()
  return headingsOf(text).map(({ title }) => {
    const slug = slugOf(title)
    const before = seen.get(slug) ?? 0
    seen.set(slug, before + 1)
    return before === 0 ? slug : `${slug}-${before}`
  })
}

export function headingsOf(text: string): { level: number; title: string }[] {
  return [...prose(text).matchAll(/^(#{1,6}) +(.+?) *#*$/gm)].map(([, marks = '', title = '']) => ({
    level: marks.length,
    title,
  }))
}

export function slugOf(title: string): string {
  return title
    .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replaceAll(/\s/g, '-')
}

/** What a page links to within the repository, as written. */
export function linksOf(text: string): string[] {
  const shown = prose(text).replaceAll(/`[^`\n]+`/g, code => 'x'.repeat(code.length))
  const targets = [...shown.matchAll(/\]\(([^()\s]+(?:\([^()]*\))?)(?: "[^"]*")?\)/g)].map(
    ([, target = '']) => target,
  )
  return targets.filter(target => !/^(?:[a-z]+:|\/\/)/i.test(target))
}

/** Links that lead nowhere: `docs/a.md → b.md#c`. `isThere` knows files and folders, from the root. */
export function brokenLinks(pages: readonly Page[], isThere: (path: string) => boolean): string[] {
  const anchors = new Map(pages.map(({ path, text }) => [path, anchorsOf(text)]))
  return pages.flatMap(({ path, text }) =>
    linksOf(text)
      .filter(link => {
        const [file = '', anchor] = link.split('#')
        const target = file === '' ? path : posix.join(posix.dirname(path), decodeURIComponent(file))
        if (target.startsWith('..') || !isThere(target)) return true
        return anchor !== undefined && !(anchors.get(target) ?? []).includes(decodeURIComponent(anchor))
      })
      .map(link => `${path} → ${link}`),
  )
}
