// The table of what the identity provider is to send: its own attribute, the SCIM attribute, and the rule.
import type { ExpectedAttribute } from '../../mapping/expected-attributes'
import { type IdentityProvider, identityProviderNames } from '../../mapping/identity-providers'
import type { ResourceType } from '../../scim/schema'
import { Table, TableRow } from '../pages/table'
import { macro } from './onelogin-template'
import { isNeverSent, providerAttribute } from './provider-attributes'

interface Props {
  idp: IdentityProvider
  attributes: readonly ExpectedAttribute[]
  accountType: ResourceType
}

export function AttributeTable({ idp, attributes, accountType }: Props) {
  const named = attributes.some(({ sources: [path = ''] }) => providerAttribute(idp, path) !== undefined)
  return (
    <section aria-labelledby="attributes">
      <h2 id="attributes">Attributes</h2>
      <p>
        What is read of each person. A required one that is missing, or a value that is not allowed, is
        refused, and the message in your identity provider’s log names it.
      </p>
      <Table
        label="Attributes, one a row"
        columns={[
          ...(named ? [identityProviderNames[idp]] : []),
          'SCIM attribute',
          'Required',
          'Values',
          'In the application',
        ]}
      >
        {attributes.map(attribute => (
          <Row idp={idp} attribute={attribute} named={named} />
        ))}
      </Table>
      {accountType.extensions.map(
        ({ open, schema }) => open && <OwnAttributes idp={idp} example={`${schema.id}:office`} />,
      )}
    </section>
  )
}

/** The application takes what its profile does not name, too. */
function OwnAttributes({ idp, example }: { idp: IdentityProvider; example: string }) {
  return (
    <p>
      You may send text attributes of your own as well, each under a name of your choice in the place of the
      last word: <code>{example}</code>.
      {idp === 'entra' &&
        ' In Entra add it to the attribute list under Show advanced options first, then choose Add New Mapping.'}
    </p>
  )
}

function Row({
  idp,
  attribute,
  named,
}: {
  idp: IdentityProvider
  attribute: ExpectedAttribute
  named: boolean
}) {
  const { field, required } = attribute
  const [source = '', ...others] = attribute.sources
  return (
    <TableRow>
      {named && <td>{sent(idp, attribute)}</td>}
      <th scope="row">
        <code>{source}</code>
        {others.length > 0 && (
          <small>
            {' '}
            or, without a value, {others.map((other, i) => [i > 0 && ', then ', <code>{other}</code>])}
          </small>
        )}
      </th>
      <td>{required ? <strong>yes</strong> : 'no'}</td>
      <td>{rulesOf(attribute).join('; ')}</td>
      <td>{field === null ? '–' : <bdi>{field}</bdi>}</td>
    </TableRow>
  )
}

function sent(idp: IdentityProvider, { field, sources: [path = ''] }: ExpectedAttribute) {
  if (isNeverSent(idp, path)) return <em>cannot be sent</em>
  const name = providerAttribute(idp, path) ?? (idp === 'onelogin' ? macro(path, field) : undefined)
  return name === undefined ? 'as you keep it' : <code>{name}</code>
}

const types = {
  string: '',
  boolean: 'true or false',
  number: 'a number',
  dateTime: 'a date and time',
} as const

function rulesOf({ type, values, maxLength, default: otherwise }: ExpectedAttribute): string[] {
  return [
    ...(types[type] === '' ? [] : [types[type]]),
    ...(values ? [`one of ${values.map(String).join(', ')}`] : []),
    ...(maxLength === undefined ? [] : [`at most ${maxLength} characters`]),
    ...(otherwise === undefined ? [] : [`${String(otherwise)} if none is sent`]),
  ]
}
