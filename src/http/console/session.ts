// Lets the operator into the console, and no form but the console's own: the session's cookie or Cloudflare Access,
// where a request comes from, and what its form carries.
import { getCookie } from 'hono/cookie'
import { createMiddleware } from 'hono/factory'
import { accessSession } from '../../administration/cloudflare-access'
import {
  formTokenOf,
  isFormToken,
  keptForm,
  type OperatorSession,
  readSession,
} from '../../administration/operator-session'
import { Problem } from '../../administration/problem'
import { readText } from '../admin/body'
import { redirect } from '../pages/document'
import { FORM_TOKEN } from '../pages/form'
import { withQuery } from '../pages/pager'
import { CONSOLE, type ConsoleContext, type ConsoleEnv, KEPT, LOOK_OVER, placeOf } from './context'
import { keepAndAsk, offerKept } from './kept-form'

/** Cloudflare Access puts it on every request that it lets through. */
export const ACCESS_HEADER = 'cf-access-jwt-assertion'

/** Everything behind it has a session, and its form, if any, is the session's. */
export const withSession = createMiddleware<ConsoleEnv>(async (c, next) => {
  const session = await sessionOf(c)
  const { service } = c.var
  c.set('isDraft', false)
  if (c.req.method !== 'POST') {
    if (!session) return redirect(withQuery(`${CONSOLE}/sign-in`, { to: placeOf(c) }))
    c.set('form', new URLSearchParams())
  } else {
    const origin = comesFrom(c.req.raw)
    if (origin === 'elsewhere')
      throw new Problem(403, 'This form was sent by another site. Nothing was done.')
    const form = new URLSearchParams(await readText(c.req.raw))
    if (!session) return keepAndAsk(c, form)
    const isOurs = await isFormToken(service, session, form.get(FORM_TOKEN) ?? '')
    if (!isOurs && origin === 'here') return offerKept(c, session, placeOf(c), form)
    if (!isOurs) throw new Problem(403, 'This form is not one of the console. Nothing was done.')
    c.set('form', await unpacked(c, form))
  }
  c.set('session', session)
  c.set('formToken', await formTokenOf(service, session))
  await next()
})

async function sessionOf(c: ConsoleContext): Promise<OperatorSession | undefined> {
  const { service } = c.var
  const jwt = c.req.header(ACCESS_HEADER)
  const value = getCookie(c, cookieName(c.req.url))
  const session = value === undefined ? undefined : await readSession(service, value)
  if (session || jwt === undefined) return session
  return (await accessSession(service, jwt)).session
}

/** What was kept while its sender had no session stands for the form itself. */
async function unpacked(c: ConsoleContext, form: URLSearchParams): Promise<URLSearchParams> {
  const kept = form.get(KEPT)
  if (kept === null) return form
  const text = await keptForm(c.var.service, placeOf(c), kept)
  if (text === undefined) throw new Problem(400, 'The form could not be kept. Fill it in once more.')
  c.set('isDraft', form.has(LOOK_OVER))
  return new URLSearchParams(text)
}

/** A browser says where a form was sent from; without a referrer `Origin` is null, and then nothing is known. */
export function comesFrom(request: Request): 'here' | 'elsewhere' | 'unknown' {
  const site = request.headers.get('sec-fetch-site')
  if (site !== null) return site === 'same-origin' ? 'here' : 'elsewhere'
  const origin = request.headers.get('origin')
  if (origin === null || origin === 'null') return 'unknown'
  return origin === new URL(request.url).origin ? 'here' : 'elsewhere'
}

/** With its prefix, a browser takes the cookie from nobody but this very host, and by https. */
export function cookieName(url: string): string {
  return isSecure(url) ? '__Host-console' : 'console'
}

export function sessionCookie(url: string, value: string, lastsSeconds: number): string {
  const secure = isSecure(url) ? '; Secure' : ''
  return `${cookieName(url)}=${value}; Path=/; Max-Age=${lastsSeconds}; HttpOnly; SameSite=Strict${secure}`
}

function isSecure(url: string): boolean {
  return new URL(url).protocol === 'https:'
}
