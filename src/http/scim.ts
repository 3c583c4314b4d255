// The SCIM endpoints of one base URL; mounted once with the tenant in the URL and once without.
import { type Context, Hono } from 'hono'
import type { Tenant } from '../operations/tenant'
import { ScimError } from '../scim/error'
import type { ResourceType } from '../scim/schema'
import { answerBulk } from './bulk'
import { resourceTypeById, resourceTypes, schemaById, schemas, serviceProviderConfig } from './discovery'
import type { AppEnv } from './environment'
import { del, get, list, patch, post, put, search } from './resources'
import { listEverything, searchEverything } from './root'
import { errorReply } from './scim-json'
import { type Handle, serveScim } from './scim-request'

type C = Context<AppEnv>
type OnType = (c: C, tenant: Tenant, type: ResourceType) => Promise<Response>
type OnResource = (c: C, tenant: Tenant, type: ResourceType, id: string) => Promise<Response>

/** Each path with its methods; any other method of a known path is 405 with Allow (RFC-191). */
export function scimRoutes(): Hono<AppEnv> {
  const app = new Hono<AppEnv>()
  app.get('/ServiceProviderConfig', c => serviceProviderConfig(c))
  app.get('/ResourceTypes', c => serve(c, tenant => resourceTypes(c, tenant)))
  app.get('/ResourceTypes/:name', c => serve(c, tenant => resourceTypeById(c, tenant)))
  app.get('/Schemas', c => serve(c, tenant => schemas(c, tenant)))
  app.get('/Schemas/:urn', c => serve(c, tenant => schemaById(c, tenant)))
  for (const path of [
    '/ServiceProviderConfig',
    '/ResourceTypes',
    '/ResourceTypes/:name',
    '/Schemas',
    '/Schemas/:urn',
  ])
    app.all(path, c => serve(c, () => notAllowed(c, ['GET'])))
  app.all('/Me', c =>
    serve(c, () => notImplemented('/Me: a provisioning credential is nobody in particular.')),
  )
  app.get('/', c => serve(c, tenant => listEverything(c, tenant)))
  app.all('/', c => serve(c, () => notAllowed(c, ['GET'])))
  app.post('/.search', c => serve(c, tenant => searchEverything(c, tenant)))
  app.all('/.search', c => serve(c, () => notAllowed(c, ['POST'])))
  app.post('/Bulk', c => serve(c, tenant => answerBulk(c, tenant)))
  app.all('/Bulk', c => serve(c, () => notAllowed(c, ['POST'])))

  app.get('/:endpoint', c => serveType(c, list))
  app.post('/:endpoint', c => serveType(c, post))
  app.all('/:endpoint', c => serveType(c, () => notAllowed(c, ['GET', 'POST'])))
  app.post('/:endpoint/.search', c => serveType(c, search))
  app.all('/:endpoint/.search', c => serveType(c, () => notAllowed(c, ['POST'])))
  app.get('/:endpoint/:id', c => serveResource(c, get))
  app.put('/:endpoint/:id', c => serveResource(c, put))
  app.patch('/:endpoint/:id', c => serveResource(c, patch))
  app.delete('/:endpoint/:id', c => serveResource(c, del))
  app.all('/:endpoint/:id', c => serveResource(c, () => notAllowed(c, ['GET', 'PUT', 'PATCH', 'DELETE'])))
  app.all('*', c => serve(c, () => noSuchPath()))
  return app
}

function serve(c: C, handle: Handle): Promise<Response> {
  return serveScim(c, handle)
}

function serveType(c: C, on: OnType): Promise<Response> {
  return serveScim(c, async tenant => on(c, tenant, typeAt(c, tenant)))
}

function serveResource(c: C, on: OnResource): Promise<Response> {
  return serveScim(c, async tenant => on(c, tenant, typeAt(c, tenant), c.req.param('id') ?? ''))
}

function typeAt(c: C, tenant: Tenant): ResourceType {
  const endpoint = `/${c.req.param('endpoint')}`
  const type = tenant.resourceTypes.find(candidate => candidate.endpoint === endpoint)
  if (!type) throw noEndpoint(tenant)
  return type
}

function noEndpoint(tenant: Tenant): ScimError {
  const endpoints = tenant.resourceTypes.map(type => type.endpoint).join(', ')
  return new ScimError(404, undefined, `No such endpoint. Resource endpoints are ${endpoints}.`).about(
    'no-such-endpoint',
  )
}

async function noSuchPath(): Promise<Response> {
  throw new ScimError(404, undefined, 'No such path below the SCIM base URL.').about('no-such-endpoint')
}

async function notAllowed(c: C, allowed: readonly string[]): Promise<Response> {
  throw new ScimError(405, undefined, `${c.req.method.slice(0, 20)} is not allowed here.`, {
    Allow: allowed.join(', '),
  })
}

async function notImplemented(detail: string): Promise<Response> {
  throw new ScimError(501, undefined, detail)
}

/** For paths outside every base: a SCIM error body, since the caller most likely is an identity provider (RFC-181). */
export function unknownPath(path: string): Response {
  const version = /\/scim\/v(\d{1,9})(?:\/|$)/.exec(path)?.[1]
  return errorReply(
    version === undefined || version === '2'
      ? new ScimError(404, undefined, 'No such path. A SCIM base URL ends in /scim/v2.').about(
          'no-such-endpoint',
        )
      : new ScimError(
          400,
          'invalidVers',
          `Version ${version} of SCIM is not served; a base URL ends in /scim/v2.`,
        ),
  )
}
