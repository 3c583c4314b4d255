// JSON values as values: equality whatever the order of keys, and reads that see own keys only.
import type { Json, JsonObject } from './json'

export function isList(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value)
}

/** A key of the object itself, never one inherited from Object.prototype. */
export function own(object: JsonObject, key: string): Json | undefined {
  return Object.hasOwn(object, key) ? object[key] : undefined
}

export function without(object: JsonObject, key: string): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([name]) => name !== key))
}

/** The order of keys has no meaning (RFC 7643 §2.3.8); the order of a list is kept. */
export function sameJson(a: Json | undefined, b: Json | undefined): boolean {
  return a === b || (a !== undefined && b !== undefined && canonicalText(a) === canonicalText(b))
}

/** One text for all spellings of a value; usable as the key of a Map. */
export function canonicalText(value: Json): string {
  if (isList(value)) return `[${value.map(canonicalText).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const keys = Object.keys(value).sort()
  return `{${keys.map(key => `${JSON.stringify(key)}:${canonicalText(own(value, key) ?? null)}`).join(',')}}`
}
