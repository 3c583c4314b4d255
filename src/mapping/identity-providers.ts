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

/** What people call them. */
export const identityProviderNames: Readonly<Record<IdentityProvider, string>> = {
  entra: 'Microsoft Entra ID',
  okta: 'Okta',
  jumpcloud: 'JumpCloud',
  onelogin: 'OneLogin',
  pingfederate: 'PingFederate',
  google: 'Google Workspace',
  rippling: 'Rippling',
  generic: 'Another identity provider',
}
