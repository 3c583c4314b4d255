// Keys derived from the Worker's one secret, and what is done with them: MACs, sealed secrets, hashes. While the secret is
// being rotated, what the one before it made counts as well.

const encoder = new TextEncoder()
const decoder = new TextDecoder()

export interface Keys {
  /** HMAC-SHA256 of the bytes, 32 bytes. */
  mac(bytes: Uint8Array): Promise<Uint8Array>
  /** Whether `mac` is how the HMAC of the bytes begins, under this key or the previous one. */
  isMac(bytes: Uint8Array, mac: Uint8Array): Promise<boolean>
  /** Text → AES-256-GCM, base64url; `context` must be the same when it is opened. */
  seal(text: string, context: string): Promise<string>
  /** Throws when the text was not sealed for this context, by this key or the previous one. */
  open(sealed: string, context: string): Promise<string>
}

const derived = new Map<string, Promise<Keys>>()

/** The keys of SECRET_KEY, beside those of SECRET_KEY_PREVIOUS where there is one; derived once an isolate. */
export async function keysOf(secretKey: string, previousKey?: string): Promise<Keys> {
  if (previousKey === undefined) return derivedOnce(secretKey)
  const [keys, previous] = await Promise.all([derivedOnce(secretKey), derivedOnce(previousKey)])
  return {
    ...keys,
    isMac: async (bytes, mac) => (await keys.isMac(bytes, mac)) || previous.isMac(bytes, mac),
    open: (sealed, context) => keys.open(sealed, context).catch(() => previous.open(sealed, context)),
  }
}

function derivedOnce(secretKey: string): Promise<Keys> {
  let keys = derived.get(secretKey)
  if (!keys) {
    keys = derive(secretKey)
    derived.set(secretKey, keys)
  }
  return keys
}

async function derive(secretKey: string): Promise<Keys> {
  const root = await crypto.subtle.importKey('raw', encoder.encode(secretKey), 'HKDF', false, ['deriveKey'])
  const from = (info: string) => ({
    name: 'HKDF',
    hash: 'SHA-256',
    salt: new Uint8Array(32),
    info: encoder.encode(info),
  })
  const macKey = await crypto.subtle.deriveKey(
    from('edge-scim token mac'),
    root,
    { name: 'HMAC', hash: 'SHA-256', length: 256 },
    false,
    ['sign'],
  )
  const boxKey = await crypto.subtle.deriveKey(
    from('edge-scim secret box'),
    root,
    { name: 'AES-GCM', length: 256 },
    false,
    ['encrypt', 'decrypt'],
  )
  const macOf = async (bytes: Uint8Array) => new Uint8Array(await crypto.subtle.sign('HMAC', macKey, bytes))
  return {
    mac: macOf,
    isMac: async (bytes, mac) =>
      crypto.subtle.timingSafeEqual((await macOf(bytes)).slice(0, mac.length), mac),
    seal: async (text, context) => {
      const iv = crypto.getRandomValues(new Uint8Array(12))
      const parameters = { name: 'AES-GCM', iv, additionalData: encoder.encode(context) }
      const sealed = new Uint8Array(await crypto.subtle.encrypt(parameters, boxKey, encoder.encode(text)))
      return toBase64Url(concat(iv, sealed))
    },
    open: async (sealed, context) => {
      const bytes = fromBase64Url(sealed)
      if (!bytes) throw new Error('A sealed secret is not base64url.')
      const parameters = { name: 'AES-GCM', iv: bytes.slice(0, 12), additionalData: encoder.encode(context) }
      return decoder.decode(await crypto.subtle.decrypt(parameters, boxKey, bytes.slice(12)))
    },
  }
}

export async function sha256Hex(bytes: Uint8Array): Promise<string> {
  return toHex(new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)))
}

/** Compares without telling by its duration where two secrets differ. */
export async function sameText(a: string, b: string): Promise<boolean> {
  const [left, right] = await Promise.all(
    [a, b].map(text => crypto.subtle.digest('SHA-256', encoder.encode(text))),
  )
  return left !== undefined && right !== undefined && crypto.subtle.timingSafeEqual(left, right)
}

export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, byte => byte.toString(16).padStart(2, '0')).join('')
}

export function toBase64(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += String.fromCharCode(byte)
  return btoa(text)
}

export function toBase64Url(bytes: Uint8Array): string {
  return toBase64(bytes).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')
}

/** The bytes of unpadded base64url, or undefined for anything else. */
export function fromBase64Url(text: string): Uint8Array | undefined {
  if (!/^[A-Za-z0-9_-]*$/.test(text) || text.length % 4 === 1) return undefined
  const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'))
  return Uint8Array.from(binary, character => character.charCodeAt(0))
}
