// The form of a setup page as it comes back: whether it is one, whether it comes from the page, and what was chosen.
import { type IdentityProvider, identityProviders } from '../../mapping/identity-providers'

const MAX_BYTES = 16_384

/**
 * Whether a browser says that another site sent the form. The page's own form says `Origin: null`, since the page
 * sends no referrer; then, and where neither header is there, the secret in the URL is what keeps strangers out.
 */
export function isCrossSite(request: Request): boolean {
  const site = request.headers.get('sec-fetch-site')
  if (site !== null) return site !== 'same-origin' && site !== 'none'
  const origin = request.headers.get('origin')
  return origin !== null && origin !== 'null' && origin !== new URL(request.url).origin
}

/** The fields of a form, or of nothing at all; undefined for anything else. */
export async function readForm(request: Request): Promise<FormData | undefined> {
  const type = request.headers.get('content-type')
  const body = await readBytes(request)
  if (!body) return undefined
  if (type === null && body.length === 0) return new FormData()
  if (!/^\s*(application\/x-www-form-urlencoded|multipart\/form-data)\s*(;|$)/i.test(type ?? ''))
    return undefined
  try {
    return await new Response(body, { headers: { 'content-type': type ?? '' } }).formData()
  } catch {
    return undefined
  }
}

/** No further than the limit, whatever the header says. */
async function readBytes(request: Request): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const bytes = new Uint8Array(MAX_BYTES)
  let size = 0
  for await (const chunk of request.body ?? []) {
    if (size + chunk.length > MAX_BYTES) return undefined
    bytes.set(chunk, size)
    size += chunk.length
  }
  return bytes.slice(0, size)
}

export function chosenProvider(form: FormData): IdentityProvider | undefined {
  const chosen = form.getAll('idp')
  return chosen.length === 1 ? identityProviders.find(idp => idp === chosen[0]) : undefined
}
