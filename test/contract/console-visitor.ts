// The console as a browser meets it: pages asked for with the session's cookie, forms sent with what they carry.
import { expect } from 'vitest'
import { ADMIN_TOKEN, type Fetch, ORIGIN, withBindings } from './world'

export interface Page {
  readonly path: string
  readonly status: number
  readonly headers: Headers
  readonly text: string
}

type Fields = Readonly<Record<string, string>>

export const toConsole = withBindings({})

/** What a browser says of a form that the console's own page sends. */
export const SAME_ORIGIN: Fields = { origin: ORIGIN, 'sec-fetch-site': 'same-origin' }

export function newVisitor(fetch: Fetch = toConsole, headers: Fields = {}) {
  let cookie = ''
  let formToken = ''

  async function send(path: string, init: RequestInit & { headers?: Fields } = {}): Promise<Page> {
    const sent = { ...(cookie !== '' && { cookie }), ...headers, ...init.headers }
    const request = new Request(ORIGIN + path, { redirect: 'manual', ...init, headers: sent })
    const response = await fetch(request)
    const [set] = /^[^;]*/.exec(response.headers.get('set-cookie') ?? '') ?? []
    if (set) cookie = set.endsWith('=') ? '' : set
    return { path, status: response.status, headers: response.headers, text: await response.text() }
  }

  /** The form as it is, its token included only if it is among the fields. */
  function post(path: string, fields: Fields = {}, more: Fields = SAME_ORIGIN): Promise<Page> {
    const type = { 'content-type': 'application/x-www-form-urlencoded' }
    return send(path, {
      method: 'POST',
      headers: { ...type, ...more },
      body: String(new URLSearchParams(fields)),
    })
  }

  return {
    get: (path: string) => send(path),
    send,
    post,
    /** As the page's own form. */
    submit: (path: string, fields: Fields = {}) => post(path, { form_token: formToken, ...fields }),
    async signIn(token: string = ADMIN_TOKEN): Promise<Page> {
      const reply = await post('/console/sign-in', { token, to: '/console' })
      if (reply.status === 303) formToken = formTokenOn(await send('/console'))
      return reply
    },
    cookie: () => cookie,
    setCookie: (value: string) => {
      cookie = value
    },
    formToken: () => formToken,
  }
}

export type Visitor = ReturnType<typeof newVisitor>

export async function signedIn(fetch: Fetch = toConsole): Promise<Visitor> {
  const visitor = newVisitor(fetch)
  expect((await visitor.signIn()).status).toBe(303)
  return visitor
}

export function formTokenOn({ text }: Page): string {
  return /name="form_token" value="([^"]*)"/.exec(text)?.[1] ?? ''
}

/** What a reader sees of a page. */
export function seen({ text }: Page): string {
  return unescaped(text.replace(/<head>.*<\/head>/s, '').replace(/<[^>]*>/g, ' '))
    .replace(/\s+/g, ' ')
    .trim()
}

export function unescaped(text: string): string {
  return text
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&')
}

/** Addresses that the page leads to. */
export function linksOn({ text }: Page): string[] {
  return [...text.matchAll(/<a\b[^>]*?\bhref="([^"]*)"/g)].map(([, href = '']) => unescaped(href))
}

/** Every page that links lead to from there, one of each kind of address; other tenants' pages are left alone. */
export async function crawl(visitor: Visitor, start: string): Promise<Page[]> {
  const found = new Map<string, string>([[kindOf(start), start]])
  const pages: Page[] = []
  for (const path of found.values()) {
    const page = await visitor.get(path)
    pages.push(page)
    for (const link of linksOn(page).map(href => href.replace(/#.*/, ''))) {
      const isOthers = link.startsWith('/console/tenants/') && !link.startsWith(start)
      if (link.startsWith('/console') && !isOthers && !found.has(kindOf(link))) found.set(kindOf(link), link)
    }
  }
  return pages
}

/** Ids and cursors are one of a kind. */
function kindOf(path: string): string {
  return path
    .replace(/[0-9a-f]{8}-[0-9a-f-]{27}/g, '…')
    .replace(/([?&]cursor=)[^&]+/, '$1…')
    .replace(/(?<=\/profiles\/)[\w-]+/, '…')
}
