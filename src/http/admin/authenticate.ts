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
  const token = bearerOf(c.req.raw)
  if (token === undefined || !(await isOperator(c.var.service, token)))
    throw new Problem(401, 'Send "Authorization: Bearer" with the admin token of this deployment.', [], {
      'www-authenticate': 'Bearer realm="edge-scim admin"',
    })
  await next()
})

/** The token of `Authorization: Bearer`, the scheme in any case. */
export function bearerOf(request: Request): string | undefined {
  return /^bearer +(\S+) *$/i.exec(request.headers.get('authorization') ?? '')?.[1]
}
