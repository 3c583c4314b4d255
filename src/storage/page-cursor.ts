// Cursors of lists: where a page ended, as text that only this service can have made, and only for that list.
import { concat, fromBase64Url, type Keys, toBase64Url } from './keys'

/** The key of the last row of a page, in the list's order. */
export type Position = readonly (string | number)[]

const MAC_BYTES = 16
const encoder = new TextEncoder()

/** `list` names the list and whose it is: a cursor of one list is none of another. */
export async function makeCursor(keys: Keys, list: string, position: Position): Promise<string> {
  const body = encoder.encode(JSON.stringify(position))
  const mac = (await keys.mac(macInput(list, body))).slice(0, MAC_BYTES)
  return toBase64Url(concat(mac, body))
}

/** The position, or undefined for what this service has not made for this list. */
export async function readCursor(keys: Keys, list: string, cursor: string): Promise<Position | undefined> {
  const bytes = cursor.length > 1000 ? undefined : fromBase64Url(cursor)
  if (!bytes || bytes.length <= MAC_BYTES) return undefined
  const body = bytes.slice(MAC_BYTES)
  if (!(await keys.isMac(macInput(list, body), bytes.slice(0, MAC_BYTES)))) return undefined
  // Base64url leaves bits over in its last character: only the one spelling that was handed out counts.
  if (toBase64Url(bytes) !== cursor) return undefined
  return JSON.parse(new TextDecoder().decode(body)) as Position
}

function macInput(list: string, body: Uint8Array): Uint8Array {
  return concat(encoder.encode(`cursor\0${list}\0`), body)
}
