// What docs/troubleshooting.md says of each kind of refusal, to be shown where the refusal is: its words, without its
// links.
import type { HelpTopic } from '../../scim/help'

export interface Help {
  readonly title: string
  /** What has happened, where the title does not say it. */
  readonly meaning?: string
  /** What to do in the identity provider. */
  readonly provider: string
  /** And what here. */
  readonly here: string
}

/** test/rules/help.test.ts holds it to the document. */
const topics: Readonly<Record<HelpTopic, Help>> = {
  'credential-unknown': {
    title: 'Credential unknown',
    meaning:
      'What was sent is no token of this service: nothing, half of one, one with a space in it, a password with another user name than scim, or a token from before SECRET_KEY was replaced. The entry names no connection.',
    provider:
      'Paste the whole token again, without quotes. With Basic the user name is scim and the token is the password.',
    here: 'If the token is lost, make another: POST …/connections/{id}/tokens, or a setup link.',
  },
  'credential-ended': {
    title: 'Credential ended',
    meaning:
      'The token was good once: it was revoked, it has expired, a newer one took its place, or its connection was deleted. The entry names the connection and the last characters of the token (tokenHint).',
    provider:
      'Enter the newest token, then test the connection. Entra stops a job with wrong credentials (quarantine): restart provisioning afterwards.',
    here: 'GET …/connections/{id}/tokens says which token ended when. Rotate with overlapSeconds, so that the old one lives until the new one is used.',
  },
  'credential-elsewhere': {
    title: 'Credential elsewhere',
    meaning:
      'The token belongs to another tenant than the URL. Nothing of the other tenant is shown, not even in the activity.',
    provider: 'Base URL and token must come from the same connection; copy both again.',
    here: 'Nothing, unless two customers were mixed up. Then replace the token that was given away.',
  },
  'tenant-suspended': {
    title: 'Tenant suspended',
    meaning: "The operator has suspended the tenant, or is deleting it. Everybody's sessions were ended.",
    provider: 'Nothing. Entra retries with growing pauses and may put the job in quarantine.',
    here: 'PATCH /tenants/{slug} with {"status":"active"}, unless it is being deleted. Resuming gives nobody a session back.',
  },
  'connection-disabled': {
    title: 'Connection disabled',
    provider: 'Nothing.',
    here: 'PATCH …/connections/{id} with {"status":"active"}.',
  },
  'plain-http': {
    title: 'Plain http',
    meaning:
      'The request came by http. It was refused before its token was looked at. It is not in the activity.',
    provider: 'Begin the base URL with https://, with a new token.',
    here: 'Rotate the token with overlap 0. Somebody may have read it on the way.',
  },
  'filter-on-discovery': {
    title: 'Filter on discovery',
    provider: 'Ask /Schemas and /ResourceTypes without a filter, or for one by its name.',
    here: 'Nothing.',
  },
  'too-many-requests': {
    title: 'Too many requests',
    meaning:
      'One connection sent more than CONNECTION_LIMIT allows (3,000 a minute). Retry-After says in how many seconds to try again. Okta keeps to it; whether Entra does is not known. It is not in the activity.',
    provider: 'Nothing, if it comes once with the first full cycle. Otherwise look for a loop.',
    here: 'Raise the limit in wrangler.toml and deploy. Another tenant is not affected.',
  },
  'too-many-failed-credentials': {
    title: 'Too many failed credentials',
    meaning:
      'One address has sent more than 300 wrong credentials within a minute. A good credential from there still works. It is not in the activity.',
    provider: 'Correct the token, see credential-unknown.',
    here: 'Nothing. FAILED_CREDENTIAL_LIMIT in wrangler.toml is the limit.',
  },
  'missing-required-attribute': {
    title: 'Missing required attribute',
    meaning:
      "The schema needs the attribute (userName; displayName of a group), or the tenant's profile does: then the detail names the field. No fallback of the profile had a value either. The attribute is not mapped, or this person's is empty in the directory.",
    provider:
      'Fill the value in for this person, or map the attribute. In Entra an empty source is not sent at all; in OneLogin a macro without a value is empty text.',
    here: "Give the field a fallback or a default in the connection's mapping (PUT …/connections/{id}/mapping), or make it optional in the profile. POST …/mapping/preview shows who would be refused.",
  },
  'value-not-allowed': {
    title: 'Value not allowed',
    meaning: 'The profile lists the values that the field, or the role, may have.',
    provider: 'Send one of those. In Entra the value of an app role is what counts, not its display name.',
    here: 'Extend values in the profile, or let the mapping read another attribute.',
  },
  'value-too-long': {
    title: 'Value too long',
    meaning:
      "The first is the profile's maxLength; the second is the service's own limit of 65,536 characters a value and 128 an id of a member.",
    provider: 'Shorten the value, or map a shorter attribute.',
    here: 'Raise maxLength in the profile, if the application can take it.',
  },
  'invalid-value': {
    title: 'Invalid value',
    meaning:
      'The value has the wrong type: a word for active, text for a list, a date without a time. Or it is a value that no request may have: "count" that is no integer, a member without value, more than 1,000 elements.',
    provider:
      'Correct the mapping or template named in the detail. active takes true and false, in quotes too.',
    here: "Nothing; for a field of your own the profile's type may be wrong.",
  },
  'already-taken': {
    title: 'Already taken',
    meaning:
      "Somebody of this tenant, active or not, has that userName, or this connection has given that externalId (or a group's displayName) already. Or an attribute of the tenant's own is declared unique. The detail names the attributes, never whose they are.",
    provider:
      'Let it match by that attribute instead of creating, or change one of the two people. Okta does not try again by itself: remove the clash and retry the task.',
    here: 'GET …/users?filter=userName eq "…" shows who has it, and connectionId by which connection. A customer who changes identity provider keeps the users: the new connection must match them by userName.',
  },
  'unknown-attribute': {
    title: 'Unknown attribute',
    meaning: 'Only in strict. In compat the attribute is dropped, and the entry notes unknown-attribute.',
    provider: 'Remove the mapping, or correct its name. Entra and Okta always send some.',
    here: "Declare the attribute (PUT …/schemas/{urn}?extends=User), or set the connection's mode to compat.",
  },
  'unknown-schema': {
    title: 'Unknown schema',
    meaning:
      'Schemas of the body lists a URN that the tenant does not have, or lacks the one that it must have. Both are only refused in strict.',
    provider: 'Correct the URN in the mapping or template.',
    here: 'Put the schema, or set the connection to compat.',
  },
  'unknown-members': {
    title: 'Unknown members',
    meaning:
      'Only in strict: the request names members who are not here. In compat a member waits for 30 days and is attached on arrival.',
    provider:
      'Provision the people first, then the group. In Okta do not use the pushed group for the assignment.',
    here: 'Compat lets members wait.',
  },
  'too-many-awaited': {
    title: 'Too many awaited',
    provider: 'Assign the people too, not only the groups.',
    here: 'Nothing; who waits is forgotten after 30 days, and with the group or the connection.',
  },
  'attribute-cannot-change': {
    title: 'Attribute cannot change',
    meaning:
      'The PATCH writes id, meta, groups of a user, or an attribute that its schema declares immutable.',
    provider: 'Remove the mapping. Memberships are changed at the group, not at the user.',
    here: 'For an attribute of your own, mutability in its schema document.',
  },
  'required-attribute-removed': {
    title: 'Required attribute removed',
    meaning:
      'A PATCH takes away what every user must have, or active: without it somebody would have access again.',
    provider: 'Send another value instead of clearing it; to take access away send active: false.',
    here: 'Nothing.',
  },
  'filter-not-understood': {
    title: 'Filter not understood',
    meaning:
      'The search is not RFC 7644: often a text value without quotes, or an operator that does not fit the type. The whole list is never returned for it.',
    provider: 'Write userName eq "ada@example.com". Special characters must be percent-encoded.',
    here: 'Nothing. The limits are 8,192 characters, 50 terms and 32 levels.',
  },
  'unknown-attribute-in-filter': {
    title: 'Unknown attribute in filter',
    meaning: 'There is no such attribute: email is emails in SCIM.',
    provider: 'Choose userName (or emails) as the unique or matching attribute.',
    here: 'Declare the attribute, if it is one of your own.',
  },
  'path-not-understood': {
    title: 'Path not understood',
    meaning: 'The path of a PATCH operation is malformed, or, in strict, names an unknown attribute.',
    provider:
      'Correct the target attribute, for instance emails[type eq "work"].value. In Entra it is the name in the list of the application\'s attributes.',
    here: 'Declare the attribute, or set the connection to compat.',
  },
  'nothing-selected': {
    title: 'Nothing selected',
    meaning:
      'A PATCH selects an element that is not there. In compat add and replace make the element, and remove does nothing, so this is left for filters of which no element can be made.',
    provider: 'In Entra restart provisioning, so that it reads what is here.',
    here: 'Compat, or correct the client.',
  },
  'malformed-request': {
    title: 'Malformed request',
    meaning: 'JSON, but not a SCIM message.',
    provider:
      'Correct the script or template; identity providers that are named in these docs do not send it.',
    here: 'Nothing. In strict a PATCH needs a path, which Okta and Entra leave out.',
  },
  'body-unreadable': {
    title: 'Body unreadable',
    provider: 'Look for a trailing comma, or an unescaped quote that a macro put into the template.',
    here: 'Nothing.',
  },
  'not-json': {
    title: 'Not JSON',
    provider: 'Choose JSON, SCIM 2.0 (1.1 also spoke XML), and no compression.',
    here: 'Nothing.',
  },
  'other-scim-version': {
    title: 'Other SCIM version',
    provider: 'Choose SCIM 2.0, and copy the base URL again.',
    here: 'Nothing.',
  },
  'no-such-endpoint': {
    title: 'No such endpoint',
    meaning: 'Usually a base URL with something too much behind it, or too little.',
    provider: 'Enter baseUrl of the connection as it is.',
    here: 'For a resource type of your own, GET …/resource-types/{name}.',
  },
  'not-found': {
    title: 'Not found',
    meaning: 'The user was deleted here, or never existed. An id of another tenant gets the same answer.',
    provider:
      'Unlink or restart, so that it searches again and creates. A 404 to a DELETE means that the work is done.',
    here: 'GET …/events?type=user.deleted says when it was deleted, and by which request (txn).',
  },
  'method-not-allowed': {
    title: 'Method not allowed',
    provider: 'The base URL may already contain /Users.',
    here: 'Nothing.',
  },
  'changed-meanwhile': {
    title: 'Changed meanwhile',
    provider: 'Read, and send again; clients that send If-Match do.',
    here: 'Nothing. Identity providers that are named in these docs send no If-Match.',
  },
  'too-large': {
    title: 'Too large',
    provider: 'Send fewer members or operations at once; a group may have any number.',
    here: 'Nothing; the limits stand in the README.',
  },
  'feature-off': {
    title: 'Feature off',
    meaning:
      "The tenant's profile turns the feature off, or, for /Me, a provisioning token is nobody in particular.",
    provider: 'Leave it out; /ServiceProviderConfig says what is offered.',
    here: 'Features in the profile.',
  },
  'cursor-unknown': {
    title: 'Cursor unknown',
    meaning: 'A cursor belongs to one list with one filter. Or the profile turns cursors off.',
    provider: 'Begin the list again, with the same filter throughout.',
    here: 'Features.cursor in the profile.',
  },
  'cursor-expired': { title: 'Cursor expired', provider: 'Fetch the next page sooner.', here: 'Nothing.' },
  'configuration-changed': {
    title: 'Configuration changed',
    meaning: "Somebody changed the tenant's schemas, profile or mapping at that moment, more than once.",
    provider: 'Send it again; identity providers do by themselves with their next cycle.',
    here: 'Nothing.',
  },
  busy: {
    title: 'Busy',
    meaning:
      'D1 was overloaded or restarting, or very many requests change one resource. Retry-After is there. Should the change have been made after all, sending it again changes nothing, and a user who was created is a 409.',
    provider: 'Nothing.',
    here: 'If it lasts, see the runbook.',
  },
  'internal-error': {
    title: 'Internal error',
    meaning:
      'A fault of the service. The second one: D1 may have made the change, and only its answer was lost.',
    provider: 'Nothing; it will send the request again.',
    here: 'The number is requestId of the log line request failed: tail the logs.',
  },
  'wrong-settings': {
    title: 'Wrong settings',
    meaning: 'The deployment lacks a secret or a binding, and answers nobody.',
    provider: 'Nothing.',
    here: 'The text names each setting: npx wrangler secret list, and README.',
  },
}

/** `help` of an activity entry: `docs/troubleshooting.md#topic`. Undefined for what this version does not know. */
export function helpOn(help: string | null): Help | undefined {
  const topic = help?.split('#')[1] ?? ''
  return isTopic(topic) ? topics[topic] : undefined
}

function isTopic(topic: string): topic is HelpTopic {
  return Object.hasOwn(topics, topic)
}
