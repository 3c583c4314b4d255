// What identity providers are called.
import { type IdentityProvider, identityProviderNames } from '../../mapping/identity-providers'

/** For whoever chooses among them, and has no other one in mind. */
export const providerNames: Readonly<Record<IdentityProvider, string>> = {
  ...identityProviderNames,
  generic: 'Anything else that speaks SCIM 2.0',
}
