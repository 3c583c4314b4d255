// One SCIM request in plain words: what was asked, what came of it, what was tolerated, and what to change in the
// identity provider.
import type { ActivityItem } from '../../administration/history'
import { type Tolerance, type ToleranceName, tolerances } from '../../scim/interop'
import { type Help, helpOn } from './help'

export interface Explanation {
  readonly asked: string
  readonly outcome: string
  /** Of a refusal: what it means and what to do about it. */
  readonly help?: Help
  readonly tolerated: readonly {
    readonly name: string
    /** The attribute it was about, where that is known. */
    readonly place?: string
    readonly what: string
    readonly remedy: string
  }[]
}

export function explain(entry: ActivityItem): Explanation {
  const help = helpOn(entry.help)
  return {
    asked: asked(entry),
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
  if (/^\.search$/i.test(endpoint) || path.endsWith('/.search')) return 'It asked for resources by a search.'
  if (/^bulk$/i.test(endpoint)) return 'It sent many operations at once.'
  if (/^(schemas|resourcetypes|serviceproviderconfig)$/i.test(endpoint))
    return 'It asked what this service can do.'
  const noun = resourceType ?? endpoint
  if (method === 'GET' && id === undefined) return `It asked for a list of ${endpoint}.`
  return `It asked to ${verbs[method] ?? method} ${id === undefined ? `one of ${endpoint}` : `the ${noun} ${id}`}.`
}

function outcomeOf({ status, detail, scimType }: ActivityItem): string {
  if (status < 400) return status === 304 ? 'It had the newest version already.' : 'It was done.'
  const said = detail ?? 'No more is known.'
  return `It was refused with ${status}${scimType === null ? '' : ` ${scimType}`}, and nothing was changed: ${said}`
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
