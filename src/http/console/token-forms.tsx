// The tokens of a connection as they are shown, and the form that makes another.
import type { TokenItem } from '../../administration/tokens'
import { Badge } from '../pages/badge'
import { Empty } from '../pages/empty'
import { Errors, Form, type FormState, type Option, Select, TextField } from '../pages/form'
import { duration, Moment } from '../pages/moment'
import { Table, TableRow } from '../pages/table'
import { at } from './context'

const HOUR = 3_600

/** How long something old goes on beside the new. */
export const overlapOptions: readonly Option[] = [
  ['0', 'not at all: stop it now'],
  [String(HOUR), '1 hour'],
  [String(24 * HOUR), '1 day'],
  [String(7 * 24 * HOUR), '7 days'],
  [String(30 * 24 * HOUR), '30 days'],
]

export function TokenTable({
  tokens,
  slug,
  connectionId,
  now,
}: {
  tokens: readonly TokenItem[]
  slug: string
  connectionId: string
  now: number
}) {
  if (tokens.length === 0) return <Empty title="No tokens" />
  return (
    <Table columns={['Ends in', 'State', 'Created', 'Last used', 'Expires', 'Revoke']}>
      {tokens.map(token => {
        const state = stateOf(token, now)
        return (
          <TableRow>
            <th scope="row">
              <code>…{token.hint}</code>
            </th>
            <td>
              <Badge state={state} />
            </td>
            <td>
              <Moment at={token.createdAt} />
            </td>
            <td>
              <Moment at={token.lastUsedAt} never="never" />
            </td>
            <td>
              <Moment at={token.expiresAt} never="never" />
              {token.expiresSoon && <EndsSoon token={token} now={now} />}
            </td>
            <td>
              {state === 'active' && (
                <Form action={at(slug, 'connections', connectionId, 'tokens', token.id, 'revoke')}>
                  <button type="submit" class="small">
                    Revoke<span class="hidden-visually"> the token that ends in {token.hint}</span>
                  </button>
                </Form>
              )}
            </td>
          </TableRow>
        )
      })}
    </Table>
  )
}

/** A warning from 30 days before. */
function EndsSoon({ token: { expiresAt }, now }: { token: TokenItem; now: number }) {
  return (
    <div>
      <Badge state={`in ${duration(Date.parse(expiresAt ?? '') - now)}`} tone="warn" />
    </div>
  )
}

function stateOf({ revokedAt, expiresAt }: TokenItem, now: number): string {
  if (revokedAt !== null && Date.parse(revokedAt) <= now) return 'revoked'
  return expiresAt !== null && Date.parse(expiresAt) <= now ? 'expired' : 'active'
}

export function NewTokenForm({
  slug,
  connectionId,
  state,
}: {
  slug: string
  connectionId: string
  state: FormState
}) {
  return (
    <section class="card">
      <h2>Another token</h2>
      <Errors state={state} fields={['overlapSeconds', 'expiresAt']} />
      <Form action={at(slug, 'connections', connectionId, 'tokens')} state={state}>
        <Select
          name="overlapSeconds"
          label="The older tokens go on working"
          hint="At the longest: they end when the new one is used for the first time."
          value={String(24 * HOUR)}
          options={overlapOptions}
        />
        <TextField
          name="expiresAt"
          label="The new one expires (UTC)"
          hint="Left empty: never."
          type="datetime-local"
        />
        <div class="row end">
          <button type="submit" class="primary">
            Make a token, and show it
          </button>
        </div>
      </Form>
    </section>
  )
}
