// A page as a document: its head, its frame of landmarks, and the headers that every page goes out with.
import type { Child } from 'hono/jsx'

/** Nothing but our own two files runs or paints, no form leaves, and no other site frames a page. */
const POLICY = [
  "default-src 'none'",
  "style-src 'self'",
  "script-src 'self'",
  "img-src 'self' data:",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ')

/** Of a page whose script asks for that page anew while its form is filled in. */
export const ASKS_AGAIN = { 'content-security-policy': `${POLICY}; connect-src 'self'` }

const HEADERS: Readonly<Record<string, string>> = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': POLICY,
  'cache-control': 'no-store',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'x-robots-tag': 'noindex',
}

export function pageReply(
  status: number,
  page: Child,
  headers: Readonly<Record<string, string>> = {},
): Response {
  return new Response(`<!doctype html>${String(page)}`, { status, headers: { ...HEADERS, ...headers } })
}

/** To be kept as a file of that name. */
export function fileReply(name: string, json: string): Response {
  const headers = {
    ...HEADERS,
    'content-type': 'application/json; charset=utf-8',
    'content-disposition': `attachment; filename="${name}"`,
  }
  return new Response(json, { headers })
}

/** To another page, after a form has done what it was for. */
export function redirect(to: string, headers: Readonly<Record<string, string>> = {}): Response {
  return new Response(null, { status: 303, headers: { ...HEADERS, ...headers, location: to } })
}

/** `bar`: what stands above everything; the children begin with whatever stands beside `main`. */
export function Document({
  title,
  bar,
  frame = '',
  children,
}: {
  title: string
  bar?: Child
  /** `with-side` or `narrow`. */
  frame?: string
  children: Child
}) {
  return (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>{`${title} · edge-scim`}</title>
        <link rel="icon" href="data:," />
        <link rel="stylesheet" href="/pages.css" />
        <script src="/pages.js" defer></script>
      </head>
      <body>
        <a class="skip" href="#main">
          Skip to the content
        </a>
        {bar}
        <div class={`frame ${frame}`.trim()}>{children}</div>
      </body>
    </html>
  )
}

export function Mark() {
  return (
    <svg width="22" height="22" viewBox="0 0 22 22" aria-hidden="true">
      <rect x="1" y="1" width="20" height="20" rx="6" fill="currentColor" opacity=".14" />
      <circle cx="8" cy="9" r="3" fill="currentColor" />
      <path
        d="M4 17c.6-2.6 2.1-4 4-4s3.400 1.400 4 4M13.500 8h5M13.500 11.500h5"
        fill="none"
        stroke="currentColor"
        stroke-width="1.800"
        stroke-linecap="round"
      />
    </svg>
  )
}
