// One SCIM request in plain words: what was asked, what came of it, what was tolerated, and what to change in the
// identity provider.
import type { ActivityItem } from '../../administration/history'
import { type Tolerance, type ToleranceName, tolerances } from '../../scim/interop'
import { standardResourceTypes } from '../../scim/schemas/resource-types'
import helpTopics from './help-topics.json'

export interface Explanation {
  readonly asked: string
  readonly outcome: string
  /** What the refusal means and what to do about it; absent where nothing was refused, or nothing more is known. */
  readonly help?: HelpSection
  readonly tolerated: readonly {
    readonly name: string
    /** The attribute it was about, where that is known. */
    readonly place?: string
    readonly what: string
    readonly remedy: string
  }[]
}

/** A section of docs/troubleshooting.md; words between backticks are code. */
export interface HelpSection {
  readonly title: string
  readonly cause: string
  /** What to change in the identity provider, and here. */
  readonly provider: string
  readonly service: string
}

const helpSections: Readonly<Record<string, HelpSection>> = helpTopics

/** `who`: the name of the connection, where it is known. */
export function explain(entry: ActivityItem, who = 'An identity provider'): Explanation {
  const help = helpOf(entry)
  return {
    asked: `${who} ${asked(entry)}`,
    outcome: outcomeOf(entry),
    ...(help && { help }),
    tolerated: entry.tolerances.map(tolerated),
  }
}

const verbs: Readonly<Record<string, string>> = {
  GET: 'read',
  POST: 'create',
  PUT: 'replace',
  PATCH: 'change',
  DELETE: 'delete',
}

function asked({ method, path, resourceType }: ActivityItem): string {
  const [, endpoint = '', id] = path.split('/')
  if (/^\.search$/i.test(endpoint) || /\/\.search$/i.test(path)) return 'asked for resources by a search.'
  if (/^bulk$/i.test(endpoint)) return 'sent many operations at once.'
  if (/^(schemas|resourcetypes|serviceproviderconfig)$/i.test(endpoint))
    return 'asked what this service can do.'
  const noun = resourceType ?? nounOf(endpoint)
  const verb = Object.hasOwn(verbs, method) ? verbs[method] : method
  if (id !== undefined) return `asked to ${verb} the ${noun} ${id}.`
  return method === 'GET' ? `asked for a list: ${endpoint}.` : `asked to ${verb} a ${noun}.`
}

function nounOf(endpoint: string): string {
  const known = standardResourceTypes.find(type => type.endpoint.slice(1) === endpoint)
  return known?.name ?? `resource of ${endpoint}`
}

function outcomeOf({ status, detail, scimType }: ActivityItem): string {
  if (status < 400) return status === 304 ? 'It had the newest version already.' : 'It was done.'
  const said = detail ?? 'No more is known.'
  // What fails says for itself whether anything was changed.
  if (status >= 500) return `It failed with ${status}: ${said}`
  return `It was refused with ${status}${scimType === null ? '' : ` ${scimType}`}, and nothing was changed: ${said}`
}

/** `docs/troubleshooting.md#already-taken` */
function helpOf({ help }: ActivityItem): HelpSection | undefined {
  const topic = help?.split('#')[1] ?? ''
  return Object.hasOwn(helpSections, topic) ? helpSections[topic] : undefined
}

/** `quoted-boolean: active` */
function tolerated(text: string): Explanation['tolerated'][number] {
  const [name = '', ...rest] = text.split(': ')
  const place = rest.join(': ')
  const known = isTolerance(name) ? (tolerances[name] as Tolerance) : undefined
  return {
    name,
    ...(place !== '' && { place }),
    what: known?.what ?? 'This version does not know it any more.',
    remedy: isTolerance(name) ? corrections[name] : '',
  }
}

function isTolerance(name: string): name is ToleranceName {
  return Object.hasOwn(tolerances, name)
}

const FLAG =
  'In Entra ID, add ?aadOptscim062020 to the tenant URL: then it sends this as the standard has it. Elsewhere nothing can be set.'
const TEMPLATE = 'In a JSON template, leave the attribute out where it has no value.'

/** What an administrator can change so that the tolerance is not needed; a strict connection needs it changed. */
const corrections: Readonly<Record<ToleranceName, string>> = {
  'operation-case': FLAG,
  'envelope-case': 'Correct the spelling in the client, if it is one of your own.',
  'quoted-boolean': `${FLAG} In a OneLogin template, write the value without quotation marks.`,
  'empty-string': TEMPLATE,
  'single-for-many': 'In a JSON template, put the value into square brackets.',
  'several-primary': 'Give one of the values alone "primary": in PingOne, map one e-mail attribute only.',
  'list-for-one': FLAG,
  'text-for-complex': FLAG,
  'unqualified-extension': 'Write the attribute with its schema URN in the attribute mapping.',
  'unknown-schema': 'Take the schema out of the template, or define it here as a schema of the tenant.',
  'missing-schemas': 'Let the client send "schemas", if it is one of your own.',
  'unknown-attribute':
    'Take the attribute out of the attribute mapping, or define it here as a schema of the tenant if it is wanted.',
  'no-path': `${FLAG} Okta always sends it so: keep its connection compatible.`,
  'key-as-path': 'Entra ID sends it so with the flag: keep its connection compatible.',
  'read-only-in-value': 'Okta sends it so: keep its connection compatible.',
  'sole-type': 'Map the address with its type, as emails[type eq "work"].value.',
  'create-on-miss': 'Entra ID sends it so: keep its connection compatible.',
  'remove-listed': FLAG,
  'pending-members': 'Synchronise people before groups, so that members are known by the id they get here.',
  'member-by-name': 'Let the client name members by the id they got here, if it is one of your own.',
}
