// Signing in by the admin token, and out again.
import { Hono } from 'hono'
import { accessSession } from '../../administration/cloudflare-access'
import { isOperator } from '../../administration/operator'
import { openSession } from '../../administration/operator-session'
import { Problem } from '../../administration/problem'
import { readText } from '../admin/body'
import { failedCredential } from '../authenticate'
import { redirect } from '../pages/document'
import { CONSOLE, type ConsoleContext, type ConsoleEnv, KEPT } from './context'
import { offerKept } from './kept-form'
import { ACCESS_HEADER, comesFrom, sessionCookie } from './session'
import { signInPage } from './sign-in-page'

export const signInRoutes = new Hono<ConsoleEnv>().get('/sign-in', ask).post('/sign-in', signIn)

async function ask(c: ConsoleContext): Promise<Response> {
  const jwt = c.req.header(ACCESS_HEADER)
  const access = jwt === undefined ? undefined : await accessSession(c.var.service, jwt)
  const to = placeWithin(c.req.query('to'))
  if (access?.session) return redirect(to)
  return signInPage(200, { to, ...(access && { accessRefusal: access.refusal }) })
}

async function signIn(c: ConsoleContext): Promise<Response> {
  const { service } = c.var
  if (comesFrom(c.req.raw) === 'elsewhere')
    throw new Problem(403, 'This form was sent by another site. Nothing was done.')
  const form = new URLSearchParams(await readText(c.req.raw))
  const to = placeWithin(form.get('to') ?? undefined)
  const kept = form.get(KEPT)
  if (!(await isOperator(service, form.get('token')?.trim() ?? ''))) {
    const refusal = new Problem(401, 'This is not the admin token of this deployment.')
    const told = await failedCredential(service, c.req.raw, refusal)
    const retry = told.headers['Retry-After']
    const headers: Record<string, string> = retry === undefined ? {} : { 'retry-after': retry }
    return signInPage(told.status, { to, kept, refusal: told.detail }, headers)
  }
  const { session, value, lastsSeconds } = await openSession(service)
  const headers = { 'set-cookie': sessionCookie(c.req.url, value, lastsSeconds) }
  return kept === null ? redirect(to, headers) : offerKept(c, session, to, form, headers)
}

/** Where Access signs in, it signs out too: else it would let its user in again at once. */
export function signOut(c: ConsoleContext): Response {
  const isBehindAccess = c.var.service.access && c.req.header(ACCESS_HEADER) !== undefined
  return redirect(isBehindAccess ? '/cdn-cgi/access/logout' : `${CONSOLE}/sign-in`, {
    'set-cookie': sessionCookie(c.req.url, '', 0),
  })
}

/** A place of the console, whatever was asked for: as a browser reads it, `..` and `\` included. */
function placeWithin(to: string | undefined): string {
  if (to === undefined || !/^\/console(?:[/?][\x21-\x7e]*)?$/.test(to)) return CONSOLE
  const base = 'https://console.invalid'
  return URL.parse(to, base)?.href === base + to ? to : CONSOLE
}
