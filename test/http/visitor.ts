// Whoever opens the console in a test: a browser's cookie jar and its headers, and what a page is made of.
import { createExecutionContext, waitOnExecutionContext } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { Hono } from 'hono'
import { type Service, serviceOf } from '../../src/env'
import { consoleApp } from '../../src/http/console/app'
import type { ConsoleEnv } from '../../src/http/console/context'
import worker from '../../src/index'

export const ORIGIN = 'https://scim.example.com'
export const ADMIN_TOKEN = 'admin-token-for-tests'

export interface Visited {
  readonly status: number
  readonly headers: Headers
  readonly html: string
}

type Send = (request: Request) => Promise<Response>

/** The whole Worker. */
export async function toWorker(request: Request): Promise<Response> {
  const context = createExecutionContext()
  const response = await worker.fetch(request, env, context)
  await waitOnExecutionContext(context)
  return response
}

/** The console alone, on a service of which the test says something else. */
export async function toConsole(other: Partial<Service>): Promise<Send> {
  const service: Service = { ...(await serviceOf(env)), ...other }
  const parent = new Hono<ConsoleEnv>()
  parent.use('*', async (c, next) => {
    c.set('service', service)
    await next()
  })
  parent.route('/console', consoleApp)
  return async request => {
    const context = createExecutionContext()
    const response = await parent.fetch(request, env, context)
    await waitOnExecutionContext(context)
    return response
  }
}

type Fields = Readonly<Record<string, string>> | URLSearchParams

export function newVisitor(send: Send = toWorker, origin = ORIGIN) {
  const jar = new Map<string, string>()
  let formToken = ''

  async function visit(method: string, path: string, headers: object, body?: URLSearchParams) {
    const all = new Headers()
    for (const [name, value] of Object.entries(headers)) if (value !== undefined) all.set(name, value)
    const cookies = [...jar].map(([name, value]) => `${name}=${value}`).join('; ')
    if (cookies !== '' && !all.has('cookie')) all.set('cookie', cookies)
    const init: RequestInit = { method, headers: all, redirect: 'manual' }
    if (body) init.body = body
    const response = await send(new Request(origin + path, init))
    const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(response.headers.get('set-cookie') ?? '') ?? []
    if (value !== '') jar.set(name, value)
    else jar.delete(name)
    const html = await response.text()
    formToken = tokenOf(html) ?? formToken
    return { status: response.status, headers: response.headers, html }
  }

  const visitor = {
    jar,
    get formToken() {
      return formToken
    },
    get: (path: string, headers: object = {}): Promise<Visited> => visit('GET', path, headers),
    /** As the console's own page sends it, unless `headers` say otherwise. */
    post: (path: string, fields: Fields = {}, headers: object = {}): Promise<Visited> => {
      const form = new URLSearchParams(fields instanceof URLSearchParams ? fields : { ...fields })
      if (!form.has('form_token') && formToken !== '') form.set('form_token', formToken)
      return visit('POST', path, { 'sec-fetch-site': 'same-origin', ...headers }, form)
    },
    signIn: (token = ADMIN_TOKEN, more: Fields = {}): Promise<Visited> =>
      visitor.post('/console/sign-in', new URLSearchParams({ token, ...Object.fromEntries(entries(more)) })),
    /** Signed in, and a page seen. */
    async enter(): Promise<void> {
      await visitor.signIn()
      await visitor.get('/console')
    },
  }
  return visitor
}

function entries(fields: Fields): [string, string][] {
  return fields instanceof URLSearchParams ? [...fields] : Object.entries(fields)
}

function tokenOf(html: string): string | undefined {
  return /name="form_token" value="([^"]+)"/.exec(html)?.[1]
}

/** What a parser finds in a page. */
export interface Anatomy {
  readonly lang: string
  readonly title: string
  readonly headings: number
  readonly hrefs: string[]
  readonly forms: string[]
  readonly scripts: string[]
  /** Elements that fetch or run something, and attributes that do: a page has none of them. */
  readonly foreign: string[]
  /** Fields without a label. */
  readonly unlabelled: string[]
  readonly doubleIds: string[]
}

const FOREIGN = [
  'img',
  'iframe',
  'object',
  'embed',
  'base',
  'style',
  'video',
  'audio',
  'math',
  'foreignobject',
]

export async function anatomyOf(html: string): Promise<Anatomy> {
  const found = {
    lang: '',
    title: '',
    headings: 0,
    hrefs: [] as string[],
    forms: [] as string[],
    scripts: [] as string[],
    foreign: [] as string[],
  }
  const ids: string[] = []
  const labels = new Set<string>()
  const fields: { id: string; name: string; isLabelled: boolean }[] = []
  let inLabel = 0
  const rewriter = new HTMLRewriter()
    .on('*', {
      element(element) {
        const { tagName } = element
        const at = (name: string) => decoded(element.getAttribute(name) ?? '')
        for (const [name = '', value = ''] of element.attributes) {
          const isHarmful = /^on/i.test(name) || name === 'style' || name === 'srcdoc'
          if (isHarmful || /^\s*(?:javascript|vbscript):/i.test(decoded(value)))
            found.foreign.push(`${tagName}[${name}=${value}]`)
        }
        if (FOREIGN.includes(tagName)) found.foreign.push(tagName)
        if (element.hasAttribute('id')) ids.push(at('id'))
        if (tagName === 'html') found.lang = at('lang')
        if (tagName === 'h1') found.headings += 1
        if (tagName === 'a') found.hrefs.push(at('href'))
        if (tagName === 'form') found.forms.push(at('action'))
        if (tagName === 'script') found.scripts.push(at('src'))
        if (tagName === 'label') {
          labels.add(at('for'))
          inLabel += 1
          element.onEndTag(() => {
            inLabel -= 1
          })
        }
        if (['input', 'select', 'textarea'].includes(tagName) && at('type') !== 'hidden') {
          const isLabelled = inLabel > 0 || element.hasAttribute('aria-label')
          fields.push({ id: at('id'), name: at('name'), isLabelled })
        }
      },
    })
    .on('title', {
      text({ text }) {
        found.title += text
      },
    })
  await rewriter.transform(new Response(html)).text()
  return {
    ...found,
    unlabelled: fields.filter(({ id, isLabelled }) => !isLabelled && !labels.has(id)).map(({ name }) => name),
    doubleIds: ids.filter((id, i) => ids.indexOf(id) !== i),
  }
}

export function decoded(text: string): string {
  return text
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&amp;', '&')
}

/** Every page that links lead to from `from`, each path and query once; `within` says which are followed. */
export async function crawl(
  get: (path: string) => Promise<Visited>,
  from: readonly string[],
  within: (path: string) => boolean,
  most: number,
): Promise<Map<string, Visited & { anatomy: Anatomy }>> {
  const pages = new Map<string, Visited & { anatomy: Anatomy }>()
  const queue = [...from]
  while (queue.length > 0 && pages.size < most) {
    const path = queue.shift() ?? ''
    if (pages.has(path)) continue
    const page = await get(path)
    const anatomy = await anatomyOf(page.html)
    pages.set(path, { ...page, anatomy })
    for (const href of anatomy.hrefs) {
      const url = URL.parse(href, ORIGIN + path)
      const next = url ? url.pathname + url.search : ''
      if (url?.origin === ORIGIN && within(next) && !pages.has(next)) queue.push(next)
    }
  }
  return pages
}
