// The token of a setup link: the form that makes it, the one time it is shown, and what is said of it afterwards.
import { identityProviders } from '../../mapping/identity-providers'
import { Copy } from '../pages/copy'
import { Time } from './layout'
import { ProviderCard } from './provider-card'

interface FormProps {
  /** The identity provider is known; otherwise it is chosen first. */
  isKnown: boolean
  /** The connection has a token that counts. */
  replaces: boolean
  /** What was wrong with the choice before. */
  problem?: string | undefined
}

export function TokenForm({ isKnown, replaces, problem }: FormProps) {
  return (
    <form method="post" aria-labelledby="token">
      <h2 id="token">{isKnown ? 'Token' : 'Your identity provider'}</h2>
      {!isKnown && <Choice problem={problem} />}
      <p>
        The token is what your identity provider signs in with. It is shown once, together with the base URL,
        and this link makes only one: have the settings of your identity provider open first.
      </p>
      {replaces && (
        <p class="note">
          This connection has a token already. It goes on working until the new one is first used, or for a
          day.
        </p>
      )}
      <button type="submit" class="primary">
        {isKnown ? 'Make the token' : 'Connect and make the token'}
      </button>
    </form>
  )
}

function Choice({ problem }: { problem?: string | undefined }) {
  return (
    <fieldset {...(problem !== undefined && { 'aria-describedby': 'problem' })}>
      <legend>Where do you manage your people?</legend>
      {problem !== undefined && (
        <p class="problem" id="problem" role="alert">
          {problem}
        </p>
      )}
      <div class="cards">
        {identityProviders.map(idp => (
          <ProviderCard idp={idp} />
        ))}
      </div>
    </fieldset>
  )
}

export function NewToken({ token, baseUrl }: { token: string; baseUrl: string }) {
  return (
    <section class="new" aria-labelledby="token-heading">
      <h2 id="token-heading">Copy these now</h2>
      <dl class="enter">
        <div>
          <dt>Base URL</dt>
          <dd>
            <Copy id="base-url" text={baseUrl} label="Base URL" />
          </dd>
        </div>
        <div>
          <dt>Token</dt>
          <dd>
            <Copy id="token" text={token} label="Token" />
          </dd>
        </div>
      </dl>
      <p>
        <strong>The token is shown only here.</strong> It is a password: enter it in your identity provider
        and keep it nowhere else. It does not expire.
      </p>
      <p>
        <a href="?watch">I have copied it: watch the connection</a>
      </p>
    </section>
  )
}

export function UsedToken({ usedAt, baseUrl }: { usedAt: number; baseUrl: string }) {
  return (
    <section aria-labelledby="token">
      <h2 id="token">Token</h2>
      <p>
        This link made its token on <Time at={usedAt} />, and showed it then. Is it lost? Ask the operator of
        the service to renew the link; the connection stays.
      </p>
      <dl class="enter">
        <div>
          <dt>Base URL</dt>
          <dd>
            <Copy id="base-url" text={baseUrl} label="Base URL" />
          </dd>
        </div>
      </dl>
    </section>
  )
}
