// A receiver's own reading of signed messages: compact JWS verified by WebCrypto and the standards, sharing nothing
// with the sending side.

export interface Verified {
  readonly header: Readonly<Record<string, unknown>>
  // biome-ignore lint/suspicious/noExplicitAny: claims are whatever their test says they are
  readonly claims: any
}

interface KeySet {
  readonly keys: readonly { readonly kid?: string | undefined }[]
}

/** Header and claims of an RS256 token that one of the keys has signed; rejects for any other. */
export async function verify(token: string, { keys }: KeySet): Promise<Verified> {
  const [head = '', body = '', signature = '', ...rest] = token.split('.')
  if (rest.length > 0) throw new Error('not a compact JWS')
  const header = JSON.parse(text(head))
  if (header.alg !== 'RS256') throw new Error(`alg is ${header.alg}`)
  const jwk = keys.find(key => key.kid === header.kid)
  if (!jwk) throw new Error('unknown kid')
  const algorithm = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }
  const key = await crypto.subtle.importKey('jwk', jwk as JsonWebKey, algorithm, false, ['verify'])
  const signed = new TextEncoder().encode(`${head}.${body}`)
  if (!(await crypto.subtle.verify(algorithm, key, bytes(signature), signed)))
    throw new Error('the signature is wrong')
  return { header, claims: JSON.parse(text(body)) }
}

function bytes(base64url: string): Uint8Array<ArrayBuffer> {
  const binary = atob(base64url.replaceAll('-', '+').replaceAll('_', '/'))
  return Uint8Array.from(binary, character => character.charCodeAt(0))
}

function text(base64url: string): string {
  return new TextDecoder().decode(bytes(base64url))
}
