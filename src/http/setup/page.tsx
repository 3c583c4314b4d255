// The page of a setup link that works: choosing, the token, the connection, the steps, the attributes.
import type { Setup, SetupDetails } from '../../administration/setup'
import type { IdentityProvider } from '../../mapping/identity-providers'
import { AttributeTable } from './attribute-table'
import { document } from './layout'
import { Progress } from './progress'
import { Steps } from './steps'
import { NewToken, TokenForm, UsedToken } from './token'

const title = 'Connect your identity provider'

/** Before the identity provider is chosen. */
export function choicePage({ tenantName }: Setup, problem?: string): string {
  return document({
    title,
    name: tenantName,
    children: (
      <>
        <Introduction />
        <TokenForm isKnown={false} replaces={false} problem={problem} />
      </>
    ),
  })
}

interface ConnectionPage {
  readonly setup: Setup
  readonly idp: IdentityProvider
  readonly details: SetupDetails
  readonly watching: boolean
  readonly now: number
}

/** Whoever has a token sees how far it got first; whoever has not, how to get one. */
export function connectionPage({ setup, idp, details, watching, now }: ConnectionPage): string {
  const { tenant, tenantName, usedAt } = setup
  const { baseUrl } = tenant
  const { progress } = details
  const status = <Progress idp={idp} progress={progress} watching={watching} now={now} />
  const hasTraffic = progress.lastRequest !== null || progress.refused !== null
  return document({
    title,
    name: tenantName,
    children: (
      <>
        {usedAt === null && <Introduction />}
        {usedAt === null && <TokenForm isKnown replaces={progress.token !== null} />}
        {(usedAt !== null || hasTraffic) && status}
        {usedAt !== null && <UsedToken usedAt={usedAt} baseUrl={baseUrl} />}
        <Guide idp={idp} baseUrl={baseUrl} details={details} />
      </>
    ),
  })
}

/** The one reply that holds the token. */
export function tokenPage(page: Omit<ConnectionPage, 'watching'> & { readonly token: string }): string {
  const { setup, idp, details, now, token } = page
  const { baseUrl } = setup.tenant
  return document({
    title: 'Your token',
    name: setup.tenantName,
    children: (
      <>
        <NewToken token={token} baseUrl={baseUrl} />
        <Guide idp={idp} baseUrl={baseUrl} details={details} />
        <Progress idp={idp} progress={details.progress} watching={false} now={now} />
      </>
    ),
  })
}

function Introduction() {
  return (
    <p>
      Once your identity provider is connected, people get access when they are assigned there, and lose it as
      soon as they leave. You need an administrator’s account there, and none here.
    </p>
  )
}

function Guide(props: { idp: IdentityProvider; baseUrl: string; details: SetupDetails }) {
  const { idp, baseUrl, details } = props
  const { attributes, accountType } = details
  return (
    <>
      <Steps idp={idp} baseUrl={baseUrl} attributes={attributes} accountType={accountType} />
      <AttributeTable idp={idp} attributes={attributes} accountType={accountType} />
    </>
  )
}
