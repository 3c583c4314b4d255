// A refusal that the operator or an application is told; http/admin/problem.ts makes the reply of it.

export interface FieldError {
  /** `retry.schedule[1]`; empty for the body as a whole. */
  readonly path: string
  readonly message: string
}

export class Problem extends Error {
  constructor(
    readonly status: 400 | 401 | 403 | 404 | 405 | 409 | 413 | 422,
    /** What is wrong and what would be accepted; names nothing of another tenant. */
    readonly detail: string,
    readonly errors: readonly FieldError[] = [],
    /** Header fields the reply must carry (WWW-Authenticate, Allow). */
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(detail)
    this.name = 'Problem'
  }
}

/** The same for an id that never was and for one of another tenant. */
export function notFound(noun: string): Problem {
  return new Problem(404, `There is no such ${noun}.`)
}

/** 422 about one field. */
export function invalid(path: string, message: string): Problem {
  return new Problem(422, `${path}: ${message}`, [{ path, message }])
}
