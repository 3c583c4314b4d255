// What every route of the console finds in its context, and how it reads a form.
import type { Context } from 'hono'
import { type OpenTenant, openTenant } from '../../administration/open-tenant'
import type { OperatorSession } from '../../administration/operator-session'
import { Problem } from '../../administration/problem'
import type { Service } from '../../env'
import { ScimError } from '../../scim/error'
import type { FormState } from '../pages/form'

export const CONSOLE = '/console'
/** A form that was kept comes back under this name. */
export const KEPT = 'kept_form'
/** With this, a kept form is not done: its page is shown filled in. */
export const LOOK_OVER = 'look_over'

export interface ConsoleEnv {
  Bindings: object
  Variables: {
    service: Service
    session: OperatorSession
    /** What the session's forms carry. */
    formToken: string
    /** What was sent, empty for a GET. */
    form: URLSearchParams
    /** The form is only to be shown again. */
    isDraft: boolean
  }
}

export type ConsoleContext<Path extends string = string> = Context<ConsoleEnv, Path>

/** The path and query of a request, as a place to come back to. */
export function placeOf(c: ConsoleContext): string {
  return c.req.path + new URL(c.req.url).search
}

/** The tenant of the path. Throws 404. */
export function tenantOf(c: ConsoleContext): Promise<OpenTenant> {
  return openTenant(c.var.service, new URL(c.req.url).origin, c.req.param('slug') ?? '')
}

/** Below the console, of one tenant: `at('acme', 'people')`. */
export function at(slug: string, ...rest: readonly string[]): string {
  return [CONSOLE, 'tenants', slug, ...rest.map(encodeURIComponent)].join('/')
}

/** What was typed; undefined for a field that was left empty or is not there. */
export function typed(form: URLSearchParams, name: string): string | undefined {
  const value = form.get(name)?.trim()
  return value === '' ? undefined : value
}

/** The page of a list that a request asks for. */
export function pageOf(c: ConsoleContext, limit = 25): { cursor?: string; limit: number } {
  const cursor = c.req.query('cursor')
  return cursor === undefined ? { limit } : { cursor, limit }
}

/**
 * Does what a form asks for. A refusal that its sender can do something about shows the form again, as it was typed;
 * any other goes its way.
 */
export async function attempt(
  c: ConsoleContext,
  work: () => Promise<Response>,
  again: (state: FormState, status: number) => Response | Promise<Response>,
): Promise<Response> {
  if (c.var.isDraft) return again({ values: c.var.form }, 200)
  try {
    return await work()
  } catch (error) {
    const problem = error instanceof ScimError ? asProblem(error) : error
    if (!(problem instanceof Problem) || ![400, 409, 422].includes(problem.status)) throw error
    return again({ values: c.var.form, problem }, problem.status)
  }
}

/** The same for a form of the tenant of the path. */
export function attemptInTenant(
  c: ConsoleContext,
  work: (tenant: OpenTenant) => Promise<Response>,
  again: (state: FormState, status: number) => Response | Promise<Response>,
): Promise<Response> {
  return attempt(c, async () => work(await tenantOf(c)), again)
}

function asProblem({ status, detail }: ScimError): Problem | undefined {
  return status === 400 || status === 409 ? new Problem(status, detail) : undefined
}

/** JSON that somebody typed. Throws 422 that says where it ends to be JSON. */
export function parseTyped(text: string, field: string): object {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    const reason = error instanceof Error ? error.message : ''
    throw new Problem(422, 'The document is not valid JSON.', [
      { path: field, message: `is not valid JSON: ${reason.slice(0, 200)}` },
    ])
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value
  throw new Problem(422, 'The document must be a JSON object.', [
    { path: field, message: 'must be a JSON object' },
  ])
}
