// Which section of docs/troubleshooting.md explains an error. The names are kept: links to them are stored.

/** What an error is about as far as its scimType tells. */
export const topicOfScimType = {
  invalidFilter: 'filter-not-understood',
  invalidPath: 'path-not-understood',
  noTarget: 'nothing-selected',
  mutability: 'attribute-cannot-change',
  uniqueness: 'already-taken',
  invalidSyntax: 'malformed-request',
  invalidValue: 'invalid-value',
  invalidVers: 'other-scim-version',
  invalidCount: 'invalid-value',
  invalidCursor: 'cursor-unknown',
  expiredCursor: 'cursor-expired',
  tooMany: 'too-large',
  sensitive: 'filter-not-understood',
} as const

/** And its status, where it has no scimType; any other is internal-error. */
export const topicOfStatus = {
  400: 'malformed-request',
  401: 'credential-ended',
  403: 'tenant-suspended',
  404: 'not-found',
  405: 'method-not-allowed',
  409: 'configuration-changed',
  412: 'changed-meanwhile',
  413: 'too-large',
  415: 'not-json',
  429: 'too-many-requests',
  501: 'feature-off',
  503: 'busy',
} as const

/** Kinds that status and scimType do not tell: whoever refuses says which it is. */
type OwnTopic =
  | 'body-unreadable'
  | 'unknown-attribute'
  | 'unknown-schema'
  | 'unknown-attribute-in-filter'
  | 'required-attribute-removed'
  | 'missing-required-attribute'
  | 'value-not-allowed'
  | 'value-too-long'
  | 'unknown-members'
  | 'too-many-awaited'
  | 'credential-unknown'
  | 'credential-elsewhere'
  | 'connection-disabled'
  | 'plain-http'
  | 'filter-on-discovery'
  | 'no-such-endpoint'
  | 'too-many-failed-credentials'
  | 'internal-error'
  | 'wrong-settings'

export type HelpTopic =
  | (typeof topicOfScimType)[keyof typeof topicOfScimType]
  | (typeof topicOfStatus)[keyof typeof topicOfStatus]
  | OwnTopic
