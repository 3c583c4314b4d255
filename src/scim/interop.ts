// Every leniency towards a named client: what is sent, what is done, who sends it, where it was seen.
// `compat` takes all of them at all times; `strict` (RFC 7644 with the interop profile's rules) only those
// marked so. Each use is noted, so that the activity log can say what an identity provider really does.

export interface Tolerance {
  /** What the client sends and what is made of it, in words for the activity log. */
  readonly what: string
  readonly clients: readonly string[]
  readonly source: string
  /** Recorded exchange under test/clients, or the test that replays it. */
  readonly exchange: string
  /** Taken in strict mode too. */
  readonly strict: boolean
}

export type Mode = 'compat' | 'strict'

/** What one request was allowed; `used` goes into its activity row. */
export class Interop {
  readonly #used = new Set<string>()

  constructor(readonly mode: Mode) {}

  /** Whether the tolerance applies in this mode; a use is noted. `at` names the attribute, never a value. */
  allows(name: ToleranceName, at?: string): boolean {
    if (this.mode === 'strict' && !tolerances[name].strict) return false
    if (this.#used.size < 20)
      this.#used.add(at === undefined ? name : `${name}: ${withoutValues(at).slice(0, 80)}`)
    return true
  }

  get used(): readonly string[] {
    return [...this.#used]
  }
}

/** `emails[type eq "work"].value` without what it is compared with. */
function withoutValues(path: string): string {
  return path.replace(/\[[^\]]*"[^\]]*\]?/g, '[…]')
}

export type ToleranceName = keyof typeof tolerances

export const tolerances = {
  'operation-case': {
    what: '"Add", "Replace" or "Remove" read as the lower-case operation',
    clients: ['Entra'],
    source: 'Entra SCIM compatibility page',
    exchange: 'entra.json: Replace multi-valued + complex attributes (capitalised op)',
    strict: true,
  },
  'envelope-case': {
    what: 'a message key such as "operations" read in any case',
    clients: ['several hand-written clients'],
    source: 'RFC 7643 §2.1: names compare without case',
    exchange: 'test/scim/patch-op.test.ts',
    strict: true,
  },
  'quoted-boolean': {
    what: '"True" or "False" as text read as a boolean',
    clients: ['Entra', 'OneLogin'],
    source: 'Entra SCIM compatibility page; OneLogin JSON templates',
    exchange: 'entra.json: Disable user, default behaviour (string "False")',
    strict: false,
  },
  'empty-string': {
    what: 'an empty string read as no value',
    clients: ['OneLogin', 'Okta', 'Entra'],
    source: 'OneLogin templates; Okta PUT; Entra manager removal',
    exchange: 'okta.json: Deactivate with PUT active:false',
    strict: false,
  },
  'single-for-many': {
    what: 'one value where a list belongs, wrapped',
    clients: ['OneLogin'],
    source: 'django-scim2 OneLogin adapter',
    exchange: 'test/scim/resource.test.ts',
    strict: false,
  },
  'list-for-one': {
    what: 'a list of one where one value belongs, unwrapped',
    clients: ['Entra'],
    source: 'Entra SCIM compatibility page, manager',
    exchange: 'entra.json: Add manager with array of {$ref,value}, unqualified path',
    strict: false,
  },
  'text-for-complex': {
    what: 'bare text for a complex attribute read as its "value"',
    clients: ['Entra'],
    source: 'Entra provisioning tutorial, manager',
    exchange: 'test/scim/patch.test.ts',
    strict: false,
  },
  'unqualified-extension': {
    what: 'an extension attribute named without its schema URN',
    clients: ['Entra'],
    source: 'Entra SCIM compatibility page, manager',
    exchange: 'entra.json: Reference check before a manager change (id + manager)',
    strict: false,
  },
  'unknown-schema': {
    what: 'a schema URN that is not of the resource type, dropped',
    clients: ['Entra'],
    source: 'Entra provisioning tutorial, legacy group schema',
    exchange: 'entra.json: Create group with legacy Microsoft schema marker',
    strict: false,
  },
  'missing-schemas': {
    what: 'a body without "schemas"',
    clients: ['RandomCoffee integrations', 'Okta'],
    source: 'RandomCoffee SCIM page, PATCH example',
    exchange: 'test/scim/patch-op.test.ts',
    strict: false,
  },
  'unknown-attribute': {
    what: 'an attribute that no schema defines, ignored',
    clients: ['Entra', 'Okta', 'Google'],
    source: 'RFC 7644 §3.3',
    exchange: 'entra.json: Create user (doc example 2)',
    strict: false,
  },
  'no-path': {
    what: 'an operation without "path", its value taken attribute by attribute',
    clients: ['Okta', 'Entra'],
    source: 'RFC 7644 §3.5.2.1, refused by the interop profile',
    exchange: 'okta.json: Deactivate, path-less',
    strict: false,
  },
  'key-as-path': {
    what: 'a dotted, bracketed or URN-qualified key in a value without "path" read as a path',
    clients: ['Entra'],
    source: 'Entra SCIM compatibility page, aadOptscim062020',
    exchange: 'entra.json: Path-less replace with dotted and URN-qualified keys',
    strict: false,
  },
  'read-only-in-value': {
    what: 'a readOnly attribute inside a value without "path", ignored',
    clients: ['Okta'],
    source: 'Okta SCIM 2.0 reference, group rename',
    exchange: 'okta.json: Push group: rename with id inside the value',
    strict: false,
  },
  'create-on-miss': {
    what: 'a value path that no element matches creates the element',
    clients: ['Entra'],
    source: 'Entra provisioning tutorial; RFC says noTarget',
    exchange: 'entra.json: Replace many attributes, one operation each',
    strict: false,
  },
  'remove-listed': {
    what: '"remove" with a list of values removes just those',
    clients: ['Entra', 'JumpCloud'],
    source: 'Entra SCIM compatibility page; JumpCloud captures',
    exchange: 'entra.json: Remove member, default behaviour (value list on path members)',
    strict: false,
  },
} as const satisfies Record<string, Tolerance>
