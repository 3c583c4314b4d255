// The numbered steps for one identity provider, with what to enter in which field.
import type { ExpectedAttribute } from '../../mapping/expected-attributes'
import { type IdentityProvider, identityProviderNames } from '../../mapping/identity-providers'
import type { ResourceType } from '../../scim/schema'
import { Copy } from '../pages/copy'
import { instructions, type Step } from './instructions'
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
        {steps.map((step, i) => (
          <li>
            <OneStep step={step} id={`step-${i + 1}`} {...known} />
          </li>
        ))}
      </ol>
      <p class="note">{leaving}</p>
    </section>
  )
}

function OneStep({
  step,
  id,
  baseUrl,
  attributes,
  accountType,
}: Omit<Props, 'idp'> & { step: Step; id: string }) {
  const { title, text, enter, shows } = step
  return (
    <>
      <h3>{title}</h3>
      <p>{text}</p>
      {enter && (
        <dl class="enter">
          {enter.map(([field, value], i) => (
            <div>
              <dt>{field}</dt>
              <dd>
                <Entered id={`${id}-${i + 1}`} field={field} value={value} baseUrl={baseUrl} />
              </dd>
            </div>
          ))}
        </dl>
      )}
      {shows === 'onelogin-template' && (
        <Copy id={`${id}-template`} text={oneLoginTemplate(attributes, accountType)} label="Template" />
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
function Entered({
  id,
  field,
  value,
  baseUrl,
}: {
  id: string
  field: string
  value: string
  baseUrl: string
}) {
  if (value === '{token}') return <a href="#token">the token</a>
  if (value.startsWith('{base}'))
    return <Copy id={id} text={value.replace('{base}', () => baseUrl)} label={field} />
  const [, typed] = /^`(.*)`$/.exec(value) ?? []
  return typed === undefined ? <span>{value}</span> : <Copy id={id} text={typed} label={field} />
}
