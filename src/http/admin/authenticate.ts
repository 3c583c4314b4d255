// Lets the operator in, and nobody else: Authorization: Bearer <ADMIN_TOKEN>.
import { createMiddleware } from 'hono/factory'
import { isOperator } from '../../administration/operator'
import { Problem } from '../../administration/problem'
import type { Service } from '../../env'

/** `service` is set by the app that the admin API is mounted in. */
export interface AdminEnv {
  Variables: { service: Service }
}

export const authenticate = createMiddleware<AdminEnv>(async (c, next) => {
  const [, token] = /^bearer +(\S+) *$/i.exec(c.req.header('authorization') ?? '') ?? []
  if (token === undefined || !(await isOperator(c.var.service, token)))
    throw new Problem(401, 'Send "Authorization: Bearer" with the admin token of this deployment.', [], {
      'www-authenticate': 'Bearer realm="edge-scim admin"',
    })
  await next()
})
