// Signing in by the admin token, and out again.
import { Hono } from 'hono'
import { isOperator } from '../../administration/operator'
import { openSession } from '../../administration/operator-session'
import { Problem } from '../../administration/problem'
import { readText } from '../admin/body'
import { failedCredential } from '../authenticate'
import { redirect } from '../pages/document'
import { CONSOLE, type ConsoleContext, type ConsoleEnv, KEPT } from './context'
import { offerKept } from './kept-form'
import { comesFrom, sessionCookie } from './session'
import { signInPage } from './sign-in-page'

export const signInRoutes = new Hono<ConsoleEnv>()
  .get('/sign-in', c => signInPage(200, { to: placeWithin(c.req.query('to')) }))
  .post('/sign-in', signIn)

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

export function signOut(c: ConsoleContext): Response {
  return redirect(`${CONSOLE}/sign-in`, { 'set-cookie': sessionCookie(c.req.url, '', 0) })
}

/** A place of the console, whatever was asked for: as a browser reads it, `..` and `\` included. */
function placeWithin(to: string | undefined): string {
  if (to === undefined || !/^\/console(?:[/?][\x21-\x7e]*)?$/.test(to)) return CONSOLE
  const base = 'https://console.invalid'
  return URL.parse(to, base)?.href === base + to ? to : CONSOLE
}
