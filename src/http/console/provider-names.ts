// What identity providers are called.
import type { IdentityProvider } from '../../mapping/identity-providers'

export const providerNames: Readonly<Record<IdentityProvider, string>> = {
  entra: 'Microsoft Entra ID',
  okta: 'Okta',
  jumpcloud: 'JumpCloud',
  onelogin: 'OneLogin',
  pingfederate: 'PingFederate',
  google: 'Google Workspace',
  rippling: 'Rippling',
  generic: 'Anything else that speaks SCIM 2.0',
}
