// The numbered steps for one identity provider, with what to enter in which field.
import type { ExpectedAttribute } from '../../mapping/expected-attributes'
import { type IdentityProvider, identityProviderNames } from '../../mapping/identity-providers'
import type { ResourceType } from '../../scim/schema'
import { instructions, type Step } from './instructions'
import { Copied } from './layout'
import { oneLoginTemplate } from './onelogin-template'

interface Props {
  idp: IdentityProvider
  baseUrl: string
  attributes: readonly ExpectedAttribute[]
  accountType: ResourceType
}

export function Steps({ idp, ...known }: Props) {
  const { steps, leaving } = instructions[idp]
  return (
    <section aria-labelledby="steps">
      <h2 id="steps">Steps in {idp === 'generic' ? 'your identity provider' : identityProviderNames[idp]}</h2>
      <ol class="steps">
        {steps.map(step => (
          <li>
            <OneStep step={step} {...known} />
          </li>
        ))}
      </ol>
      <p class="note">{leaving}</p>
    </section>
  )
}

function OneStep({ step, baseUrl, attributes, accountType }: Omit<Props, 'idp'> & { step: Step }) {
  const { title, text, enter, shows } = step
  return (
    <>
      <h3>{title}</h3>
      <p>{text}</p>
      {enter && (
        <dl class="enter">
          {enter.map(([field, value]) => (
            <div>
              <dt>{field}</dt>
              <dd>
                <Entered value={value} baseUrl={baseUrl} />
              </dd>
            </div>
          ))}
        </dl>
      )}
      {shows === 'onelogin-template' && (
        <pre>
          <Copied>{oneLoginTemplate(attributes, accountType)}</Copied>
        </pre>
      )}
      {shows === 'attributes' && (
        <p>
          <a href="#attributes">To the table</a>
        </p>
      )}
    </>
  )
}

/** The token stands in one place of one reply, so a step only points to it. */
function Entered({ value, baseUrl }: { value: string; baseUrl: string }) {
  if (value === '{token}') return <a href="#token">the token</a>
  if (value.startsWith('{base}')) return <Copied>{value.replace('{base}', () => baseUrl)}</Copied>
  const [, typed] = /^`(.*)`$/.exec(value) ?? []
  return typed === undefined ? <span>{value}</span> : <Copied>{typed}</Copied>
}
