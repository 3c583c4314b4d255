// Requests that nearly make sense: valid ones with a few things wrong, as JSON and as bytes, from a seed.
import { pick, type Random } from '../scim/generate'

export type Value = string | number | boolean | null | Value[] | { [key: string]: Value }

const LONG = 'x'.repeat(5_000)
const NOISE = [
  ...[
    '"',
    "'",
    '\\',
    '[',
    ']',
    '(',
    ')',
    '{',
    '}',
    ',',
    ':',
    '.',
    '$',
    '*',
    '%',
    '/',
    ' ',
    '\t',
    '\n',
    '-',
    '_',
    ';',
  ],
  ...['\0', '\u202e', '\ufeff', '\ud800', 'é', '😀', 'İ', '\u2028'],
  ...[
    ' and ',
    ' or ',
    'not (',
    ' eq ',
    ' pr',
    'null',
    'true',
    '""',
    '\\u0000',
    '\\ud800',
    '9'.repeat(400),
    '1e999',
  ],
  ...[
    '((((((((((((((((((((',
    '[[[[[[[[[[[[[[[[[[[[',
    ' or a eq 1'.repeat(60),
    "' OR 1=1 --",
    'urn:ietf:params:scim:schemas:',
  ],
  ...['__proto__', 'constructor', 'members', 'emails[type eq "work"].value', 'userName', 'password', LONG],
]

export function noisyText(random: Random, text: string): string {
  const characters = [...text]
  for (let n = 1 + Math.floor(random() * 3); n > 0; n--) {
    const at = Math.floor(random() * (characters.length + 1))
    const kind = random()
    if (kind < 0.35) characters.splice(at, 0, pick(random, NOISE))
    else if (kind < 0.6) characters.splice(at, 1 + Math.floor(random() * 3))
    else if (kind < 0.75) characters.splice(at, 0, ...characters.slice(at, at + 8))
    else if (kind < 0.9) characters.splice(at, 1, pick(random, NOISE))
    else characters.length = at
  }
  return characters.join('')
}

const KEYS = [
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  '',
  ' ',
  'é',
  'a.b',
  'a[b eq 1]',
  '$ref',
  'id',
]
const SCALARS: readonly Value[] = [
  ...[
    null,
    '',
    ' ',
    'x',
    '\0',
    '\ud800',
    LONG,
    'true',
    'False',
    '2026-02-31T00:00:00Z',
    '<script>',
    'bulkId:q1',
  ],
  ...[0, -1, 1.5, 1e308, -1e308, Number.MAX_SAFE_INTEGER + 2, true, false],
]

function nasty(random: Random): Value {
  const kind = random()
  if (kind < 0.6) return pick(random, SCALARS)
  if (kind < 0.7) return []
  if (kind < 0.78) return {}
  if (kind < 0.84) return Array.from({ length: 30 }, () => pick(random, SCALARS))
  if (kind < 0.9) return entries([[pick(random, KEYS), pick(random, SCALARS)]])
  let deep: Value = pick(random, SCALARS)
  for (let n = Math.floor(random() * 60); n > 0; n--) deep = n % 2 ? [deep] : { value: deep }
  return deep
}

/** Object.fromEntries makes an own key of `__proto__`, which is what a hostile body has. */
function entries(list: readonly (readonly [string, Value])[]): Value {
  return Object.fromEntries(list)
}

/** The value with one node changed, somewhere in it. */
export function mutated(random: Random, value: Value): Value {
  if (typeof value === 'string' && random() < 0.5) return noisyText(random, value)
  if (typeof value !== 'object' || value === null || random() < 0.15) return nasty(random)
  if (Array.isArray(value)) {
    const kind = random()
    const at = Math.floor(random() * value.length)
    const item = value[at]
    if (item === undefined || kind < 0.1) return [...value, nasty(random)]
    if (kind < 0.2) return [...value, item]
    if (kind < 0.25) return value.toSpliced(at, 1)
    if (kind < 0.3) return item
    return value.with(at, mutated(random, item))
  }
  const list = Object.entries(value)
  const [key, item] = list.length > 0 ? pick(random, list) : ['x', null]
  const others = list.filter(([name]) => name !== key)
  const kind = random()
  if (kind < 0.12) return entries(others)
  if (kind < 0.2) return entries([...others, [pick(random, [...KEYS, key.toUpperCase(), `${key}x`]), item]])
  if (kind < 0.26) return entries([...list, [key.toUpperCase(), nasty(random)]])
  if (kind < 0.32) return entries([...list, [pick(random, KEYS), nasty(random)]])
  if (kind < 0.36) return entries([...others, [key, [item]]])
  return entries(list.map(([name, one]) => [name, name === key ? mutated(random, one) : one]))
}

/** The body as it is sent: mostly JSON with something wrong in it, now and then not JSON at all. */
export function mutatedBody(random: Random, value: Value): string {
  let body = value
  for (let n = Math.floor(random() * 3); n > 0; n--) body = mutated(random, body)
  const text = JSON.stringify(body)
  return random() < 0.2 ? noisyText(random, text) : text
}
