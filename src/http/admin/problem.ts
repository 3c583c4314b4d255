// Errors of the admin and the directory API on the wire: application/problem+json (RFC 9457).
import { Problem } from '../../administration/problem'
import { ScimError } from '../../scim/error'

const titles: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  409: 'Conflict',
  413: 'Content Too Large',
  422: 'Unprocessable Content',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
}

/** What went wrong as a reply. Of an error that nobody foresaw the caller learns nothing, the log its text. */
export function problemReply(error: unknown): Response {
  if (error instanceof Problem) {
    const { status, detail, errors, headers } = error
    return reply(status, detail, errors.length > 0 ? { errors } : {}, headers)
  }
  // What the protocol's own code refuses: a filter that is none, a person who is unknown.
  if (error instanceof ScimError) return reply(error.status, error.detail, {}, error.headers)
  const text = error instanceof Error ? error.message : 'not an Error'
  console.error(JSON.stringify({ log: 'call-failed', error: text }))
  return reply(
    500,
    'The call failed on our side. Look at what it was to change, if anything, and send it again.',
    {},
    {},
  )
}

function reply(
  status: number,
  detail: string,
  more: object,
  headers: Readonly<Record<string, string>>,
): Response {
  const title = titles[status] ?? 'Error'
  return new Response(JSON.stringify({ type: 'about:blank', title, status, detail, ...more }), {
    status,
    headers: {
      ...headers,
      'content-type': 'application/problem+json',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    },
  })
}
