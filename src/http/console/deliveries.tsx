// Deliveries: what was told to whom, what is outstanding, the dead letters, and sending them again.
import { Hono } from 'hono'
import { type DeliveryItem, listDeliveries } from '../../administration/history'
import { listReceivers, replayDeadLetters, replayOne } from '../../administration/receivers'
import { publish } from '../../events/publish'
import { Badge } from '../pages/badge'
import { redirect } from '../pages/document'
import { Empty } from '../pages/empty'
import { Errors, Form, type FormState, type Option, Select } from '../pages/form'
import { duration, Moment } from '../pages/moment'
import { Pager } from '../pages/pager'
import { Table, TableRow } from '../pages/table'
import { at, attemptInTenant, type ConsoleContext, type ConsoleEnv, pageOf, tenantOf } from './context'
import { show } from './layout'
import { done } from './notice'
import { receiverName } from './receiver-form'

export const deliveryRoutes = new Hono<ConsoleEnv>()
  .get('/tenants/:slug/deliveries', c => list(c))
  .post('/tenants/:slug/deliveries/:id/replay', replay)
  .post('/tenants/:slug/receivers/:id/replay-dead', replayAll)

const states: readonly Option[] = [
  ['', 'every state'],
  ['dead', 'dead: given up, to be sent again'],
  ['retrying', 'retrying'],
  ['pending', 'pending'],
  ['delivered', 'delivered'],
]

async function list(c: ConsoleContext, refusal: FormState = {}, status = 200): Promise<Response> {
  const { service } = c.var
  const tenant = await tenantOf(c)
  const { slug } = tenant
  const state = c.req.query('state') || undefined
  const receiverId = c.req.query('receiverId') || undefined
  const [{ items, nextCursor }, receivers] = await Promise.all([
    listDeliveries(service, tenant, { state, receiverId }, pageOf(c, 50)),
    listReceivers(service, tenant, { limit: 100 }),
  ])
  const names = new Map(receivers.items.map(receiver => [receiver.id, receiverName(receiver)]))
  const path = at(slug, 'deliveries')
  const page = {
    title: 'Deliveries',
    slug,
    section: 'deliveries',
    lead: 'One for each event and receiver, newest first. Nothing that happened is lost: it is delivered, on its way, or here as dead.',
    body: (
      <>
        <Errors state={refusal} />
        <section class="card">
          <Form action={path} method="get" class="inline" label="Narrow the list">
            <Select name="state" label="State" value={state} options={states} />
            <Select
              name="receiverId"
              label="Receiver"
              value={receiverId}
              options={[['', 'every receiver'], ...names]}
            />
            <button type="submit">Show</button>
          </Form>
        </section>
        {state === 'dead' && receiverId !== undefined && items.length > 0 && (
          <ReplayAll slug={slug} receiverId={receiverId} />
        )}
        <section class="card flush">
          {items.length === 0 ? (
            <Empty title={state === 'dead' ? 'No dead letters' : 'No deliveries'}>
              <p>
                {state === 'dead'
                  ? 'Everything has arrived, or is on its way.'
                  : 'Nothing has happened, nobody is to be told, or none is as you look for.'}
              </p>
            </Empty>
          ) : (
            <DeliveryTable deliveries={items} slug={slug} nameOf={id => names.get(id)} />
          )}
        </section>
        <Pager
          path={path}
          query={{ state, receiverId }}
          nextCursor={nextCursor}
          cursor={c.req.query('cursor')}
        />
      </>
    ),
  }
  return show(c, page, status)
}

function ReplayAll({ slug, receiverId }: { slug: string; receiverId: string }) {
  return (
    <Form action={at(slug, 'receivers', receiverId, 'replay-dead')} class="inline">
      <button type="submit" class="primary">
        Send all dead letters of this receiver again
      </button>
    </Form>
  )
}

export function DeliveryTable({
  deliveries,
  slug,
  nameOf,
}: {
  deliveries: readonly DeliveryItem[]
  slug: string
  /** Absent where the receiver is clear. */
  nameOf?: (receiverId: string) => string | undefined
}) {
  const columns = [
    'Event',
    ...(nameOf ? ['Receiver'] : []),
    'State',
    'Happened (UTC)',
    'Answer',
    'Took',
    'Again',
  ]
  return (
    <Table columns={columns}>
      {deliveries.map(delivery => {
        const { id, receiverId, sequence, userId, state, latencyMs } = delivery
        return (
          <TableRow>
            <th scope="row">
              <span class="nowrap">No. {sequence}</span>
              {userId !== null && (
                <div class="small">
                  <a href={at(slug, 'people', userId)}>the person</a>
                </div>
              )}
            </th>
            {nameOf && (
              <td class="break">
                <a href={at(slug, 'receivers', receiverId)}>{nameOf(receiverId) ?? 'deleted'}</a>
              </td>
            )}
            <td>
              <Badge state={state} />
              <div class="small muted">
                {delivery.attempts} {delivery.attempts === 1 ? 'attempt' : 'attempts'}
              </div>
            </td>
            <td>
              <Moment at={delivery.occurredAt} />
            </td>
            <td class="break">
              <Answer delivery={delivery} />
            </td>
            <td class="number">{latencyMs === null ? '—' : duration(latencyMs)}</td>
            <td>
              {(state === 'dead' || state === 'delivered') && (
                <Form action={at(slug, 'deliveries', id, 'replay')}>
                  <button type="submit" class="small">
                    Send<span class="hidden-visually"> event {sequence} again</span>
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

export function Answer({ delivery }: { delivery: DeliveryItem }) {
  const { attempts, lastStatus, lastError, nextAttemptAt, receipt } = delivery
  return (
    <>
      {lastError ?? (lastStatus === null ? '—' : `answered ${lastStatus}`)}
      {receipt && (
        <div class="small">
          {receipt.sessionsEnded === 1 ? '1 session ended' : `${receipt.sessionsEnded} sessions ended`}
        </div>
      )}
      {nextAttemptAt !== null && attempts > 0 && (
        <div class="small muted">
          next attempt <Moment at={nextAttemptAt} />
        </div>
      )}
    </>
  )
}

function replay(c: ConsoleContext): Promise<Response> {
  const { service } = c.var
  return attemptInTenant(
    c,
    async tenant => {
      const { due } = await replayOne(service, tenant, c.req.param('id') ?? '')
      c.executionCtx.waitUntil(publish(service, due))
      return redirect(done(at(tenant.slug, 'deliveries'), 'replayed'))
    },
    ({ problem }, status) => list(c, { problem }, status),
  )
}

function replayAll(c: ConsoleContext): Promise<Response> {
  const { service } = c.var
  return attemptInTenant(
    c,
    async tenant => {
      const { deliveries, due, more } = await replayDeadLetters(service, tenant, c.req.param('id') ?? '')
      c.executionCtx.waitUntil(publish(service, due))
      const said = more ? 'replayed-some' : deliveries === 0 ? 'nothing-to-replay' : 'replayed'
      return redirect(done(at(tenant.slug, 'deliveries'), said))
    },
    ({ problem }, status) => list(c, { problem }, status),
  )
}
