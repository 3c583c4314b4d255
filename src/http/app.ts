// The map of the service: which path is answered where.
import { Hono } from 'hono'
import { BadEnvironment, serviceOf } from '../env'
import { adminApp } from './admin/app'
import { consoleApp } from './console/app'
import { directoryApp } from './directory/app'
import { documentSchema } from './document-schemas'
import type { AppEnv } from './environment'
import { scimRoutes, unknownPath } from './scim'
import { setupApp } from './setup/app'
import { ssfConfiguration, tenantKeysAndStreams } from './ssf'

export const app = new Hono<AppEnv>({
  // Base URLs are pasted by hand: `…/scim/v2/` + `/Users` is `…/scim/v2/Users`.
  getPath: request => new URL(request.url).pathname.replace(/\/{2,}/g, '/').replace(/(.)\/$/, '$1'),
})

app.use(async (c, next) => {
  c.set('service', await serviceOf(c.env))
  await next()
})
app.get('/healthz', c => c.json({ status: 'ok' }))
app.get('/schemas/:file', c => documentSchema(c))
app.route('/admin/v1', adminApp)
app.route('/directory/v1', directoryApp)
app.route('/console', consoleApp)
app.route('/setup', setupApp)
app.route('/t/:slug/scim/v2', scimRoutes())
app.route('/scim/v2', scimRoutes())
app.route('/t/:slug', tenantKeysAndStreams)
app.get('/.well-known/ssf-configuration/t/:slug', ssfConfiguration)
app.notFound(c => unknownPath(c.req.path))
app.onError((error, c) => {
  const bad = error instanceof BadEnvironment
  console.error(
    JSON.stringify({ message: 'request failed', error: error.name, reason: bad ? error.message : '' }),
  )
  return c.json({ status: 'error', detail: bad ? error.message : 'An internal error.' }, 500)
})
