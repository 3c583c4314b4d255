// The cards of identity providers to choose one from: a picture, the name, and what else it is known as.
import type { Child } from 'hono/jsx'
import { type IdentityProvider, identityProviderNames } from '../../mapping/identity-providers'

export function ProviderCard({ idp }: { idp: IdentityProvider }) {
  const [name, note] = [`${idp}-name`, `${idp}-note`]
  return (
    <label>
      <svg viewBox="0 0 40 40" aria-hidden="true" focusable="false">
        {pictures[idp]}
      </svg>
      <input type="radio" name="idp" value={idp} required aria-labelledby={name} aria-describedby={note} />
      <span>
        <span id={name}>{identityProviderNames[idp]}</span>
        <small id={note}>{alsoKnown[idp]}</small>
      </span>
    </label>
  )
}

const alsoKnown: Readonly<Record<IdentityProvider, string>> = {
  entra: 'Azure AD, Microsoft 365',
  okta: 'Workforce Identity',
  jumpcloud: 'Directory platform',
  onelogin: 'Workforce identity',
  pingfederate: 'And PingOne',
  google: 'Cloud Identity',
  rippling: 'HR and IT platform',
  generic: 'Whatever speaks SCIM 2.0',
}

/** Drawn for this page, of two shades of one colour: nobody's trademark, and the same in light and dark. */
const pictures: Readonly<Record<IdentityProvider, Child>> = {
  entra: (
    <>
      <path class="faint" d="M20 4 36 23 20 36 4 23Z" />
      <path d="M20 4 36 23 20 28Z" />
      <path d="M20 36 36 23 20 28 4 23Z" fill-opacity=".55" />
    </>
  ),
  okta: (
    <path
      d="M20 5a15 15 0 1 0 0 30 15 15 0 0 0 0-30Zm0 8a7 7 0 1 1 0 14 7 7 0 0 1 0-14Z"
      fill-rule="evenodd"
    />
  ),
  jumpcloud: (
    <>
      <path class="faint" d="M11 33a8 8 0 0 1-1-15.900A11 11 0 0 1 31 17a8 8 0 0 1-1 16Z" />
      <path d="M20 15l7 8h-4v7h-6v-7h-4Z" />
    </>
  ),
  onelogin: (
    <>
      <circle class="faint" cx="20" cy="20" r="16" />
      <path d="M15.5 14.5 21 11h2.500v18H19V16l-3.5 2Z" />
    </>
  ),
  pingfederate: (
    <>
      <rect class="faint" x="5" y="5" width="30" height="30" rx="6" />
      <path d="M14 30V11h7.500a6 6 0 0 1 0 12H18v7Zm4-10.500h3a2.5 2.5 0 0 0 0-5h-3Z" fill-rule="evenodd" />
    </>
  ),
  google: (
    <>
      <rect class="faint" x="5" y="9" width="30" height="22" rx="3" />
      <path d="M5 12a3 3 0 0 1 5-2l10 8 10-8a3 3 0 0 1 5 2L20 24Z" />
    </>
  ),
  rippling: (
    <g fill="none" stroke="currentColor" stroke-width="4" stroke-linecap="round">
      <path d="M6 13c5-5 9-5 14 0s9 5 14 0" />
      <path d="M6 22c5-5 9-5 14 0s9 5 14 0" stroke-opacity=".6" />
      <path d="M6 31c5-5 9-5 14 0s9 5 14 0" stroke-opacity=".3" />
    </g>
  ),
  generic: (
    <>
      <circle class="faint" cx="14" cy="20" r="10" />
      <path
        d="M14 15a5 5 0 1 0 4.6 7H25v4h4v-4h6v-4H18.600A5 5 0 0 0 14 15Zm0 3a2 2 0 1 1 0 4 2 2 0 0 1 0-4Z"
        fill-rule="evenodd"
      />
    </>
  ),
}
