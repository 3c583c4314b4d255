// The operator's console as a Hono app, to be mounted under /console: pages behind a session, one noun a file.
import { Hono } from 'hono'
import { Problem } from '../../administration/problem'
import { ScimError } from '../../scim/error'
import { Document, pageReply } from '../pages/document'
import { isPlainHttp } from '../plain-http'
import { activityRoutes } from './activity'
import { appKeyRoutes } from './app-keys'
import { breakerRoutes } from './breaker'
import { connectionRoutes } from './connections'
import { CONSOLE, type ConsoleEnv } from './context'
import { deliveryRoutes } from './deliveries'
import { jobRoutes } from './jobs'
import { mappingRoutes } from './mapping'
import { overview } from './overview'
import { peopleRoutes } from './people'
import { profileRoutes } from './profiles'
import { receiverRoutes } from './receiver'
import { receiversRoutes } from './receivers'
import { resourceTypeRoutes } from './resource-types'
import { roleRoutes } from './roles'
import { schemaRoutes } from './schemas'
import { withSession } from './session'
import { setupLinkRoutes } from './setup-links'
import { signInRoutes, signOut } from './sign-in'
import { targetGroupRoutes } from './target-groups'
import { tenantRoutes } from './tenants'
import { tokenRoutes } from './tokens'

export const consoleApp = new Hono<ConsoleEnv>()

consoleApp.onError(refusalPage)
consoleApp.use(async (c, next) => {
  if (isPlainHttp(c.req.url))
    throw new Problem(403, 'Use https: what is typed here must not travel in the clear.')
  await next()
})
consoleApp.route('/', signInRoutes)
consoleApp.use(withSession)
consoleApp.post('/sign-out', signOut)
consoleApp.get('/', overview)
for (const routes of [
  tenantRoutes,
  connectionRoutes,
  tokenRoutes,
  mappingRoutes,
  setupLinkRoutes,
  peopleRoutes,
  roleRoutes,
  targetGroupRoutes,
  breakerRoutes,
  // `new` before what could be an id.
  receiversRoutes,
  receiverRoutes,
  deliveryRoutes,
  activityRoutes,
  schemaRoutes,
  resourceTypeRoutes,
  appKeyRoutes,
  jobRoutes,
  profileRoutes,
])
  consoleApp.route('/', routes)
consoleApp.all('*', () => {
  throw new Problem(404, 'There is no such page.')
})

const titles: Readonly<Record<number, string>> = {
  403: 'Refused',
  404: 'Not found',
  409: 'Not possible now',
  413: 'Too much at once',
  500: 'Something went wrong on our side',
}

/** What no form can show beside its fields; of an error that nobody foresaw the page says nothing, the log its text. */
function refusalPage(error: unknown): Response {
  if (error instanceof Problem || error instanceof ScimError) return refused(error.status, error.detail)
  const text = error instanceof Error ? error.message : 'not an Error'
  console.error(JSON.stringify({ log: 'page-failed', error: text }))
  return refused(500, 'Look at what it was to change, if anything, and try again.')
}

function refused(status: number, detail: string): Response {
  const title = titles[status] ?? 'This did not work'
  return pageReply(
    status,
    <Document title={title} frame="narrow">
      <main id="main" tabindex={-1}>
        <h1>{title}</h1>
        <p>{detail}</p>
        <p>
          <a href={CONSOLE}>To the overview</a>
        </p>
      </main>
    </Document>,
  )
}
