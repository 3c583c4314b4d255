// The pages of setup links as a Hono app, to be mounted under /setup: one page a link, which GET looks at and POST
// makes the token on. Its URL is a credential, so nothing of the page may give it away.
import { type Context, Hono } from 'hono'
import { makeToken, openSetup, readSetupDetails, type Setup } from '../../administration/setup'
import { ScimError } from '../../scim/error'
import { failedCredential } from '../authenticate'
import type { AppEnv } from '../environment'
import { chosenProvider, isCrossSite, readForm } from './form'
import { gonePage, noticePage, pausedPage, usedPage } from './notices'
import { choicePage, connectionPage, tokenPage } from './page'
import { isSetUp } from './progress'

type C = Context<AppEnv>

const WATCH_SECONDS = 10

/** Nothing but our own two files, no request of a script's own, in nobody's frame, kept nowhere. */
const headers = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy':
    "default-src 'none'; style-src 'self'; script-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-store',
  'x-robots-tag': 'noindex',
  'x-content-type-options': 'nosniff',
}

export const setupApp = new Hono<AppEnv>()

setupApp.onError(error => {
  console.error(JSON.stringify({ message: 'setup page failed', error: error.name }))
  return reply(
    500,
    noticePage('Something went wrong on our side', 'Nothing was lost. Try again in a minute.'),
  )
})
setupApp.get('/:secret', c => onOpenLink(c, setup => show(c, setup)))
setupApp.post('/:secret', c => onOpenLink(c, setup => make(c, setup)))
setupApp.all('/:secret', () =>
  reply(405, noticePage('This is a page', 'It is looked at with GET, and its form is sent with POST.'), {
    allow: 'GET, HEAD, POST',
  }),
)
setupApp.all('*', () => reply(410, gonePage()))

/** What opens nothing counts as a failed credential of its address. */
async function onOpenLink(c: C, answer: (setup: Setup) => Promise<Response>): Promise<Response> {
  const { service } = c.var
  const setup = await openSetup(service, new URL(c.req.url).origin, c.req.param('secret') ?? '')
  if (!setup) return refused(await failedCredential(service, c.req.raw, new Gone()))
  return setup.status === 'paused' ? reply(403, pausedPage(setup.tenantName)) : answer(setup)
}

class Gone extends Error {}

function refused(refusal: Gone | ScimError): Response {
  if (!(refusal instanceof ScimError)) return reply(410, gonePage())
  const text = 'Too many links that do not work were opened from your address. Wait a minute and try again.'
  return reply(429, noticePage('Too many attempts', text), refusal.headers)
}

/** Consumes nothing: a chat that previews the link does no harm. */
async function show(c: C, setup: Setup): Promise<Response> {
  const { service } = c.var
  const { connection } = setup
  if (!connection) return reply(200, choicePage(setup))
  const details = await readSetupDetails(service, setup, connection)
  const watching = c.req.query('watch') !== undefined && !isSetUp(details.progress)
  const page = { setup, idp: connection.idp, details, watching, now: service.now() }
  return reply(200, connectionPage(page), watching ? { refresh: String(WATCH_SECONDS) } : {})
}

async function make(c: C, setup: Setup): Promise<Response> {
  const { service } = c.var
  if (isCrossSite(c.req.raw))
    return reply(
      403,
      noticePage('Not from here', 'The form must be sent from its own page. Open the link itself.'),
    )
  const form = await readForm(c.req.raw)
  if (!form)
    return reply(415, noticePage('That was not the form', 'Open the link in a browser and use its button.'))
  if (setup.usedAt !== null) return reply(409, usedPage(setup.tenantName))
  const idp = setup.connection?.idp ?? chosenProvider(form)
  if (!idp) return reply(422, choicePage(setup, 'Choose one of these, please.'))
  const made = await makeToken(service, setup, idp)
  // Somebody else was faster, or the operator changed something: the link is looked at anew.
  if (!made) return onOpenLink(c, () => Promise.resolve(reply(409, usedPage(setup.tenantName))))
  const details = await readSetupDetails(service, setup, made.connection)
  const page = { setup, idp: made.connection.idp, details, now: service.now(), token: made.token }
  return reply(200, tokenPage(page))
}

function reply(status: number, page: string, more: Readonly<Record<string, string>> = {}): Response {
  return new Response(page, { status, headers: { ...headers, ...more } })
}
