// Bearer credentials of whatever form: text that says whose it is and that only this service can have made.
//
// A credential is its form's prefix and base64url of ids (16 bytes each), a secret (24 bytes) and the first 16 bytes
// of a MAC over all of it, the prefix included. So a forged one dies without a look at D1, one of another form is no
// better than a forged one, and a real one says by itself which rows to ask. Stored are only the SHA-256 of the
// secret and the last four characters.
import { concat, fromBase64Url, type Keys, sha256Hex, toBase64Url, toHex } from './keys'

const ID_BYTES = 16
const SECRET_BYTES = 24
const MAC_BYTES = 16
const encoder = new TextEncoder()

export interface CredentialForm<Name extends string> {
  /** How its text begins; no prefix begins with another. */
  readonly prefix: string
  /** What its ids are, in their order. */
  readonly ids: readonly Name[]
}

/** The ids that a credential names; `hash` is SHA-256 of its secret, hex, `hint` its last four characters. */
export type Claims<Name extends string> = Readonly<Record<Name | 'hash' | 'hint', string>>

/** A new credential: its value, to be shown once, and what is stored of it. */
export async function mintCredential<Name extends string>(
  keys: Keys,
  form: CredentialForm<Name>,
  ids: Readonly<Record<Name, string>>,
): Promise<{ value: string; claims: Claims<Name> }> {
  const secret = crypto.getRandomValues(new Uint8Array(SECRET_BYTES))
  const body = concat(...form.ids.map(name => uuidBytes(ids[name])), secret)
  const mac = (await keys.mac(macInput(form, body))).slice(0, MAC_BYTES)
  const value = form.prefix + toBase64Url(concat(body, mac))
  return { value, claims: await claimsOf(form, value, body) }
}

/**
 * What the isolate has read of credentials that this service made. It says nothing about whether they still count:
 * that is asked of D1 with every request. What one says never changes under the keys it was read with.
 */
const known = new WeakMap<Keys, Map<string, Claims<string>>>()
const MAX_KNOWN = 5_000

/** What a credential says, if this service made it in this form; undefined otherwise. Never touches D1. */
export async function readCredential<Name extends string>(
  keys: Keys,
  form: CredentialForm<Name>,
  value: string,
): Promise<Claims<Name> | undefined> {
  if (!value.startsWith(form.prefix)) return undefined
  const knownHere = known.get(keys) ?? new Map<string, Claims<string>>()
  known.set(keys, knownHere)
  const before = knownHere.get(value)
  if (before) return before as Claims<Name>
  const claims = await verifiedClaims(keys, form, value)
  if (!claims) return undefined
  if (knownHere.size >= MAX_KNOWN) knownHere.clear()
  knownHere.set(value, claims)
  return claims
}

async function verifiedClaims<Name extends string>(
  keys: Keys,
  form: CredentialForm<Name>,
  value: string,
): Promise<Claims<Name> | undefined> {
  if (value.length > 200) return undefined
  const bytes = fromBase64Url(value.slice(form.prefix.length))
  const bodyBytes = form.ids.length * ID_BYTES + SECRET_BYTES
  if (bytes?.length !== bodyBytes + MAC_BYTES) return undefined
  const body = bytes.slice(0, bodyBytes)
  if (!(await keys.isMac(macInput(form, body), bytes.slice(bodyBytes)))) return undefined
  return claimsOf(form, value, body)
}

function macInput({ prefix }: CredentialForm<string>, body: Uint8Array): Uint8Array {
  return concat(encoder.encode(prefix), body)
}

async function claimsOf<Name extends string>(
  { ids }: CredentialForm<Name>,
  value: string,
  body: Uint8Array,
): Promise<Claims<Name>> {
  const named = ids.map((name, i) => [name, uuidText(body.slice(i * ID_BYTES, (i + 1) * ID_BYTES))])
  const hash = await sha256Hex(body.slice(ids.length * ID_BYTES))
  return { ...Object.fromEntries(named), hash, hint: value.slice(-4) } as Claims<Name>
}

function uuidBytes(uuid: string): Uint8Array {
  const hex = uuid.replaceAll('-', '')
  return Uint8Array.from({ length: ID_BYTES }, (_, i) => Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16))
}

function uuidText(bytes: Uint8Array): string {
  const hex = toHex(bytes)
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}
