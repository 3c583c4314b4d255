// The kinds of identity providers that a connection may be of.

export const identityProviders = [
  'entra',
  'okta',
  'jumpcloud',
  'onelogin',
  'pingfederate',
  'google',
  'rippling',
  'generic',
] as const

export type IdentityProvider = (typeof identityProviders)[number]
