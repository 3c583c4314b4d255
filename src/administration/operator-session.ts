// The operator's session in a browser: text that only this service can have made, for as long as the admin token is
// the one that it was opened with. Nothing of it is stored, and no token is in it.
import type { Service } from '../env'
import { sameText, sha256Hex, toBase64Url } from '../storage/keys'

const SESSION_MS = 12 * 3_600_000
const encoder = new TextEncoder()

export interface OperatorSession {
  readonly id: string
  /** Who it is, where that is known. */
  readonly name?: string
}

/** A new session and when it ends (milliseconds), for whoever has shown the admin token. */
export async function openSession(
  service: Service,
): Promise<{ session: OperatorSession; value: string; lastsSeconds: number }> {
  const id = service.newId()
  const expiresAt = service.now() + SESSION_MS
  const value = `${id}.${expiresAt}.${await macOf(service, ['session', id, expiresAt])}`
  return { session: { id }, value, lastsSeconds: SESSION_MS / 1000 }
}

/** Undefined for what is no session, or none any more. */
export async function readSession(service: Service, value: string): Promise<OperatorSession | undefined> {
  const [, id, digits, mac] = /^([0-9a-f-]{36})\.(\d{13})\.([\w-]{43})$/.exec(value) ?? []
  if (id === undefined || mac === undefined) return undefined
  const expiresAt = Number(digits)
  if (!(await sameText(mac, await macOf(service, ['session', id, expiresAt])))) return undefined
  return service.now() < expiresAt ? { id } : undefined
}

/** What every form of the session carries, so that nobody else's page can send one. */
export function formTokenOf(service: Service, { id }: OperatorSession): Promise<string> {
  return macOf(service, ['form', id])
}

export async function isFormToken(
  service: Service,
  session: OperatorSession,
  token: string,
): Promise<boolean> {
  return sameText(token, await formTokenOf(service, session))
}

async function macOf({ keys, adminToken }: Service, parts: readonly (string | number)[]): Promise<string> {
  const token = await sha256Hex(encoder.encode(adminToken))
  return toBase64Url(await keys.mac(encoder.encode(['console', ...parts, token].join('\0'))))
}

/** A form that came without a session, to be kept by the page that asks for one; `place` is where it belongs. */
export function keepForm({ keys }: Service, place: string, text: string): Promise<string> {
  return keys.seal(text, `console form ${place}`)
}

/** Undefined for what was not kept for this place. */
export async function keptForm({ keys }: Service, place: string, kept: string): Promise<string | undefined> {
  try {
    return await keys.open(kept, `console form ${place}`)
  } catch {
    return undefined
  }
}
