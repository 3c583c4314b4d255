// Every leniency towards a named client: what is sent, what is done, who sends it, where it was seen.
// `compat` takes all of them at all times; `strict` (RFC 7644 with the interop profile's rules) only those
// marked so. Each use is noted, so that the activity log can say what an identity provider really does.

export interface Tolerance {
  /** What the client sends and what is made of it, in words for the activity log. */
  readonly what: string
  readonly clients: readonly string[]
  readonly source: string
  /** A recorded exchange that needs it: file under test/clients, colon, name of the step. */
  readonly exchange: string
  /** Taken in strict mode too. */
  readonly strict: boolean
}

export type Mode = 'compat' | 'strict'

/** What one request was allowed; `used` goes into its activity row. */
export class Interop {
  readonly #used = new Set<string>()
  readonly #undeclared = new Map<string, string>()

  constructor(readonly mode: Mode) {}

  /** Whether the tolerance applies in this mode, for those who learn of its use later, and note it themselves. */
  permits(name: ToleranceName): boolean {
    return this.mode === 'compat' || tolerances[name].strict
  }

  /** Whether the tolerance applies in this mode; a use is noted. `at` names the attribute, never a value. */
  allows(name: ToleranceName, at?: string): boolean {
    if (!this.permits(name)) return false
    if (this.#used.size < 20)
      this.#used.add(at === undefined ? name : `${name}: ${withoutValues(at).slice(0, 80)}`)
    return true
  }

  /** An attribute of an open extension that its first use is about to declare. `urn` and name as they were sent. */
  undeclared(urn: string, name: string): void {
    this.#undeclared.set(`${urn}:${name}`.toLowerCase(), name)
  }

  isUndeclared(qualified: string): boolean {
    return this.#undeclared.has(qualified.toLowerCase())
  }

  /** Their names, once each. */
  get toBeDeclared(): readonly string[] {
    return [...this.#undeclared.values()]
  }

  get used(): readonly string[] {
    return [...this.#used]
  }
}

/** `emails[type eq "work"].value` without what it is compared with. */
function withoutValues(path: string): string {
  return path.replace(/\[[^\]]*"[^\]]*\]?/g, '[…]').replace(/[^:.\s]*@.*/s, '…')
}

export type ToleranceName = keyof typeof tolerances

export const tolerances = {
  'operation-case': {
    what: '"Add", "Replace" or "Remove" read as the lower-case operation',
    clients: ['Entra'],
    source: 'Entra SCIM compatibility page',
    exchange: 'entra/custom-app.json: Move: one operation for each attribute',
    strict: true,
  },
  'envelope-case': {
    what: 'a message key such as "operations" read in any case',
    clients: ['hand-written clients'],
    source: 'RFC 7643 §2.1: names compare without case',
    exchange: 'generic/hand-written.json: Move: the envelope in other letter case',
    strict: true,
  },
  'quoted-boolean': {
    what: '"True" or "False" as text read as a boolean',
    clients: ['Entra', 'OneLogin'],
    source: 'Entra SCIM compatibility page; OneLogin JSON templates',
    exchange: 'entra/custom-app.json: Disable the leaver',
    strict: false,
  },
  'empty-string': {
    what: 'an empty string read as no value',
    clients: ['OneLogin', 'Okta', 'Entra'],
    source: 'OneLogin templates; Okta PUT; Entra manager removal',
    exchange: 'onelogin/template.json: Create the joiner from the template',
    strict: false,
  },
  'single-for-many': {
    what: 'one value where a list belongs, wrapped',
    clients: ['OneLogin'],
    source: 'django-scim2 OneLogin adapter',
    exchange: 'onelogin/template.json: Create the joiner from the template',
    strict: false,
  },
  'several-primary': {
    what: 'several values of one attribute marked as primary, of which the last stays it',
    clients: ['PingOne'],
    source: 'PingOne SCIM provisioning limitations, on an application with two e-mail attributes',
    exchange: 'pingfederate/pingone.json: Create the joiner, the one address under both types',
    strict: false,
  },
  'list-for-one': {
    what: 'a list of one where one value belongs, unwrapped',
    clients: ['Entra'],
    source: 'Entra SCIM compatibility page, manager',
    exchange: 'entra/custom-app.json: Set the manager again, as a list of one reference',
    strict: false,
  },
  'text-for-complex': {
    what: 'bare text for a complex attribute read as its "value"',
    clients: ['Entra'],
    source: 'Entra provisioning tutorial, manager',
    exchange: 'entra/custom-app.json: Set the manager by bare id',
    strict: false,
  },
  'unqualified-extension': {
    what: 'an extension attribute named without its schema URN',
    clients: ['Entra'],
    source: 'Entra SCIM compatibility page, manager',
    exchange: 'entra/custom-app.json: Ask whether the manager is set already',
    strict: false,
  },
  'unknown-schema': {
    what: 'a schema URN that is not of the resource type, dropped',
    clients: ['Entra'],
    source: 'Entra provisioning tutorial, legacy group schema',
    exchange: 'entra/custom-app.json: Create the group with the legacy schema',
    strict: false,
  },
  'missing-schemas': {
    what: 'a body without "schemas"',
    clients: ['RandomCoffee integrations', 'hand-written clients'],
    source: 'RandomCoffee SCIM page, PATCH example',
    exchange: 'generic/hand-written.json: Move: a PATCH without schemas',
    strict: false,
  },
  'unknown-attribute': {
    what: 'an attribute that no schema defines, ignored',
    clients: ['Entra', 'Okta', 'Google'],
    source: 'RFC 7644 §3.3',
    exchange: 'okta/catalogue-app.json: Create the joiner with a placeholder password',
    strict: false,
  },
  'no-path': {
    what: 'an operation without "path", its value taken attribute by attribute',
    clients: ['Okta', 'Entra'],
    source: 'RFC 7644 §3.5.2.1, refused by the interop profile',
    exchange: 'okta/catalogue-app.json: Deactivate the leaver',
    strict: false,
  },
  'key-as-path': {
    what: 'a dotted, bracketed or URN-qualified key in a value without "path" read as a path',
    clients: ['Entra'],
    source: 'Entra SCIM compatibility page, aadOptscim062020',
    exchange: 'entra/aadoptscim062020.json: Move: one value for the single-valued, a path for the rest',
    strict: false,
  },
  'read-only-in-value': {
    what: 'a readOnly attribute inside a value without "path", ignored',
    clients: ['Okta'],
    source: 'Okta SCIM 2.0 reference, group rename',
    exchange: 'okta/group-push.json: Rename with the id inside the value',
    strict: false,
  },
  'sole-type': {
    what: 'the only e-mail address, sent without "type", found as the one for work',
    clients: ['SailPoint', 'CyberArk', 'OneLogin'],
    source: 'SailPoint community on IdentityIQ e-mail updates; ZITADEL pull request 9690',
    exchange: 'sailpoint/identityiq.json: Find the joiner by work address',
    strict: false,
  },
  'create-on-miss': {
    what: 'a value path that no element matches creates the element',
    clients: ['Entra'],
    source: 'Entra provisioning tutorial; RFC says noTarget',
    exchange: 'entra/custom-app.json: Move: a first telephone number',
    strict: false,
  },
  'remove-listed': {
    what: '"remove" with a list of values removes just those',
    clients: ['Entra', 'JumpCloud'],
    source: 'Entra SCIM compatibility page; JumpCloud captures',
    exchange: 'jumpcloud/activation-and-lifecycle.json: Remove one of the two by a list',
    strict: false,
  },
  'pending-members': {
    what: 'a member named by an externalId or userName that nobody has yet, kept until the member comes',
    clients: ['Okta', 'hand-written clients'],
    source: 'fleetdm issue 52600 on Okta group push; RFC 7643 §4.2 knows members by id alone',
    exchange: 'generic/groups-first.json: Push the group before its members',
    strict: false,
  },
  'member-by-name': {
    what: 'a member named by the externalId or userName of a resource that is there',
    clients: ['hand-written clients'],
    source: 'RFC 7643 §3.1: the externalId is what the client knows; members by id alone are its §4.2',
    exchange: 'generic/groups-first.json: Push the group again, by its own names',
    strict: false,
  },
} as const satisfies Record<string, Tolerance>
