// One SCIM request in plain words: what was asked, what came of it, what was tolerated, and what to change in the
// identity provider.
import type { ActivityItem } from '../../administration/history'
import { type Tolerance, type ToleranceName, tolerances } from '../../scim/interop'

export interface Explanation {
  readonly asked: string
  readonly outcome: string
  /** What to do about it; absent where nothing is to be done. */
  readonly remedy?: string
  readonly tolerated: readonly {
    readonly name: string
    /** The attribute it was about, where that is known. */
    readonly place?: string
    readonly what: string
    readonly remedy: string
  }[]
}

export function explain(entry: ActivityItem): Explanation {
  const remedy = remedyOf(entry)
  return {
    asked: asked(entry),
    outcome: outcomeOf(entry),
    ...(remedy !== undefined && { remedy }),
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

/** By `status scimType`, then by status alone. */
const remedies: Readonly<Record<string, string>> = {
  '400 invalidFilter':
    'Correct the filter, or the attribute it is built of, in the matching rule of the provider.',
  '400 invalidValue':
    'Correct the attribute mapping in the identity provider: the attribute is missing, or has a value that the profile or the schema does not take. If the value is right, change the profile or the mapping here.',
  '400 invalidPath':
    'Correct the target attribute in the mapping of the identity provider: there is none of that name.',
  '400 noTarget':
    'The identity provider changes a value that is not there. Let it synchronise this person anew.',
  '400 mutability':
    'The identity provider sets or removes an attribute that cannot be. Take it out of its attribute mapping.',
  '400 invalidSyntax':
    'The message is not SCIM. Where the connection is strict, set it to compatible; otherwise the provider has to be corrected.',
  '400 tooMany': 'Too many results. Let the identity provider ask for fewer at once.',
  '401':
    'Enter the current token in the identity provider. If nobody has it any more, make another token here.',
  '403':
    'The connection or its tenant is not active, or the request came by plain http. Activate it here, or use https.',
  '404':
    'The identity provider knows somebody who is not here (any more). Let it synchronise this person anew.',
  '409 uniqueness':
    'Somebody has this name already. Match by that attribute in the identity provider, or give one of the two another.',
  '409': 'Something else was changed at the same moment. The identity provider tries again by itself.',
  '412': 'The identity provider had an old version. It reads again and tries again by itself.',
  '413': 'The message is too large. Let the identity provider send fewer members or operations at once.',
  '429': 'Too many requests in a minute. The identity provider waits and goes on by itself.',
  '501': 'The profile of the tenant does not offer this part of SCIM. Turn it off in the identity provider.',
}

function remedyOf({ status, scimType }: ActivityItem): string | undefined {
  if (status < 400) return undefined
  if (status >= 500 && status !== 501)
    return 'The fault is on our side. The identity provider tries again by itself; look at the logs if it goes on.'
  return remedies[`${status} ${scimType}`] ?? remedies[status]
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
