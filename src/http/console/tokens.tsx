// Tokens of a connection: another one, shown once, and the end of one.
import { Hono } from 'hono'
import { endToken, rotateToken } from '../../administration/tokens'
import { checked } from '../admin/body'
import { rotation } from '../admin/tokens'
import { redirect } from '../pages/document'
import { connectionPage } from './connections'
import { at, attemptInTenant, type ConsoleContext, type ConsoleEnv, tenantOf, typed } from './context'
import { show } from './layout'
import { done } from './notice'
import { Secret } from './secret'

export const tokenRoutes = new Hono<ConsoleEnv>()
  .post('/tenants/:slug/connections/:id/tokens', rotate)
  .post('/tenants/:slug/connections/:id/tokens/:tokenId/revoke', revoke)

function rotate(c: ConsoleContext): Promise<Response> {
  const { service, form } = c.var
  const id = c.req.param('id') ?? ''
  return attemptInTenant(
    c,
    async tenant => {
      const expiresAt = typed(form, 'expiresAt')
      const input = {
        overlapSeconds: Number(form.get('overlapSeconds') ?? Number.NaN),
        ...(expiresAt !== undefined && { expiresAt: asUtc(expiresAt) }),
      }
      const { value } = await rotateToken(service, tenant, id, checked(rotation, input))
      return show(c, {
        title: 'The token is there',
        slug: tenant.slug,
        section: 'connections',
        body: (
          <Secret
            title="Enter it in the identity provider in the place of the old one"
            values={[
              ['SCIM base URL', tenant.baseUrl],
              ['Token', value],
            ]}
            next={[at(tenant.slug, 'connections', id), 'I have taken the token; to the connection']}
          />
        ),
      })
    },
    (state, status) => connectionPage(c, { token: state }, status),
  )
}

/** What a browser's field gives has no zone, and seconds only where they are not zero. */
function asUtc(local: string): string {
  if (/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}$/.test(local)) return `${local}:00Z`
  return /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?$/.test(local) ? `${local}Z` : local
}

async function revoke(c: ConsoleContext): Promise<Response> {
  const tenant = await tenantOf(c)
  const { id = '', tokenId = '' } = c.req.param() as { id?: string; tokenId?: string }
  await endToken(c.var.service, tenant, id, tokenId)
  return redirect(done(at(tenant.slug, 'connections', id), 'revoked'))
}
