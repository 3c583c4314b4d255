// JSON as it comes in: its type, and the checks that hold for every body before any attribute is looked at.
import { ScimError } from './error'

export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json }
export type JsonObject = { readonly [key: string]: Json }

/** Containers in a body; SCIM itself needs five. Deeper is refused before anything walks the value. */
export const MAX_DEPTH = 32

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function textOrNull(value: unknown): string | null {
  return typeof value === 'string' ? value : null
}

/** A container that is being walked; at most MAX_DEPTH of them are open at once, whatever the body holds. */
interface Frame {
  readonly items: readonly Json[]
  /** The keys of an object's items; undefined for an array. */
  readonly keys: readonly string[] | undefined
  next: number
}

/**
 * Refuses what no attribute may hold: nesting beyond MAX_DEPTH, keys that name the prototype, NUL, and text
 * that is not well-formed Unicode (lone surrogates cannot be stored as UTF-8). Neither deep nor long input can
 * exhaust stack or memory. Throws 400 invalidSyntax or invalidValue naming the place.
 */
export function checkJson(body: Json): void {
  const open: Frame[] = []
  enter(body, open)
  for (let frame = open.at(-1); frame; frame = open.at(-1)) {
    if (frame.next === frame.items.length) {
      open.pop()
      continue
    }
    const at = frame.next++
    const key = frame.keys?.[at]
    if (key === '__proto__')
      throw new ScimError(400, 'invalidSyntax', `The key ${clip(placeOf(open))} is not allowed.`).about(
        'body-unreadable',
      )
    if (key !== undefined) checkText(key, open)
    const item = frame.items[at]
    if (item !== undefined) enter(item, open)
  }
}

function enter(value: Json, open: Frame[]): void {
  if (typeof value === 'string') checkText(value, open)
  if (typeof value !== 'object' || value === null) return
  if (open.length >= MAX_DEPTH)
    throw new ScimError(
      400,
      'invalidSyntax',
      `Nested deeper than ${MAX_DEPTH} levels at ${clip(placeOf(open))}.`,
    ).about('body-unreadable')
  const frame = isObject(value)
    ? { items: Object.values(value), keys: Object.keys(value), next: 0 }
    : { items: value as readonly Json[], keys: undefined, next: 0 }
  open.push(frame)
}

/** `Operations[2].value.name`, made only when it is to be told. */
function placeOf(open: readonly Frame[]): string {
  return open
    .map(({ keys, next }) => (keys ? `.${keys[next - 1]}` : `[${next - 1}]`))
    .join('')
    .replace(/^\./, '')
}

function checkText(text: string, open: readonly Frame[]): void {
  const wrong = text.includes('\0') ? 'a NUL character' : text.isWellFormed() ? undefined : 'a lone surrogate'
  if (wrong === undefined) return
  const place = clip(placeOf(open)) || 'The body'
  throw new ScimError(400, 'invalidValue', `${place} contains ${wrong}, which no attribute can hold.`)
}

/** Input quoted in an error: never more than 80 characters, never a control character. */
export function clip(text: string): string {
  const visible = text
    .slice(0, 80)
    .replace(/\p{Cc}/gu, '\ufffd')
    .toWellFormed()
  return text.length > 80 ? `${visible}…` : visible
}
