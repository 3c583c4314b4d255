// JSON as it comes in: its type, and the checks that hold for every body before any attribute is looked at.
import { ScimError } from './error'

export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json }
export type JsonObject = { readonly [key: string]: Json }

/** Containers in a body; SCIM itself needs five. Deeper is refused before anything walks the value. */
export const MAX_DEPTH = 32

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/**
 * Refuses what no attribute may hold: nesting beyond MAX_DEPTH, keys that name the prototype, NUL, and text
 * that is not well-formed Unicode (lone surrogates cannot be stored as UTF-8).
 * Iterative, so that no input can exhaust the stack. Throws 400 invalidSyntax or invalidValue naming the place.
 */
export function checkJson(body: Json): void {
  const open: { value: Json; path: string; depth: number }[] = [{ value: body, path: '', depth: 0 }]
  for (let next = open.pop(); next; next = open.pop()) {
    const { value, path, depth } = next
    if (typeof value === 'string') checkText(value, path)
    else if (typeof value === 'object' && value !== null) {
      if (depth >= MAX_DEPTH)
        throw new ScimError(400, 'invalidSyntax', `Nested deeper than ${MAX_DEPTH} levels at ${clip(path)}.`)
      if (Array.isArray(value)) {
        for (let i = 0; i < value.length; i++)
          open.push({ value: value[i], path: `${path}[${i}]`, depth: depth + 1 })
      } else {
        for (const [key, item] of Object.entries(value)) {
          const at = path === '' ? key : `${path}.${key}`
          if (key === '__proto__')
            throw new ScimError(400, 'invalidSyntax', `The key ${clip(at)} is not allowed.`)
          checkText(key, at)
          open.push({ value: item, path: at, depth: depth + 1 })
        }
      }
    }
  }
}

function checkText(text: string, path: string): void {
  if (text.includes('\0'))
    throw new ScimError(400, 'invalidValue', `${place(path)} contains a NUL character.`)
  if (!text.isWellFormed())
    throw new ScimError(
      400,
      'invalidValue',
      `${place(path)} contains a lone surrogate, which is not Unicode text.`,
    )
}

function place(path: string): string {
  return path === '' ? 'The body' : clip(path)
}

/** Input quoted in an error: never more than 80 characters, never a control character. */
export function clip(text: string): string {
  const visible = text
    .slice(0, 80)
    .replace(/\p{Cc}/gu, '\ufffd')
    .toWellFormed()
  return text.length > 80 ? `${visible}…` : visible
}
