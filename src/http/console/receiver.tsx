// One receiver: its page with test, secret, history and pause, and what its forms do.
import { Hono } from 'hono'
import { type DeliveryItem, listDeliveries } from '../../administration/history'
import { notFound } from '../../administration/problem'
import {
  getReceiver,
  type ReceiverItem,
  type ReceiverLoad,
  receiverLoads,
  removeReceiver,
  replayMany,
  rotateReceiverSecret,
  updateReceiverSettings,
} from '../../administration/receivers'
import { publish } from '../../events/publish'
import type { ReceiverKind } from '../../events/receiver-kind'
import { receiverKind } from '../../events/receiver-kinds'
import { announceStatus } from '../../events/stream'
import { type TestResult, testReceiver } from '../../events/test-receiver'
import { checked } from '../admin/body'
import { range, receiverChange, secretRotation } from '../admin/receivers'
import { Badge } from '../pages/badge'
import { BarChart } from '../pages/chart'
import { Copy } from '../pages/copy'
import { redirect } from '../pages/document'
import { Empty } from '../pages/empty'
import { Errors, Form, type FormState, Select, TextField } from '../pages/form'
import { duration, Moment } from '../pages/moment'
import { Pager, withQuery } from '../pages/pager'
import { at, attemptInTenant, type ConsoleContext, type ConsoleEnv, pageOf, tenantOf, typed } from './context'
import { DeliveryTable } from './deliveries'
import { show } from './layout'
import { done } from './notice'
import { changedSettings, kindName, ReceiverFields, receiverFields } from './receiver-form'
import { Secret } from './secret'
import { overlapOptions } from './token-forms'

export const receiverRoutes = new Hono<ConsoleEnv>()
  .get('/tenants/:slug/receivers/:id', c => receiverPage(c))
  .post('/tenants/:slug/receivers/:id', change)
  .post('/tenants/:slug/receivers/:id/status', changeStatus)
  .post('/tenants/:slug/receivers/:id/test', test)
  .post('/tenants/:slug/receivers/:id/secret', rotate)
  .post('/tenants/:slug/receivers/:id/replay', replay)
  .post('/tenants/:slug/receivers/:id/delete', remove)

/** Deliveries of the chart and the history. */
const HISTORY = 25

interface Around {
  readonly slug: string
  readonly receiver: ReceiverItem
}

async function receiverPage(
  c: ConsoleContext,
  { state = {}, result }: { state?: FormState; result?: TestResult } = {},
  status = 200,
): Promise<Response> {
  const { service } = c.var
  const tenant = await tenantOf(c)
  const { slug } = tenant
  const id = c.req.param('id') ?? ''
  const [receiver, loads, history] = await Promise.all([
    getReceiver(tenant, id),
    receiverLoads(tenant),
    listDeliveries(service, tenant, { receiverId: id }, pageOf(c, HISTORY)),
  ])
  const kind = receiverKind(receiver.kind)
  const around = { slug, receiver }
  return show(
    c,
    {
      title: kindName(receiver.kind),
      slug,
      section: 'receivers',
      trail: [[at(slug, 'receivers'), 'Receivers']],
      aside: (
        <>
          <Badge state={receiver.status} />
          {loads.get(id)?.leftAlone && <LeftAlone />}
        </>
      ),
      body: (
        <>
          <Errors state={state} fields={state.id === undefined ? receiverFields : []} />
          {result && <Result result={result} />}
          <div class="columns">
            <Facts {...around} load={loads.get(id)} />
            <History deliveries={history.items} />
          </div>
          <section class="card flush">
            <header>
              <h2>Delivery history</h2>
              <a href={`${at(slug, 'deliveries')}?receiverId=${id}&state=dead`}>Its dead letters</a>
            </header>
            {history.items.length === 0 ? (
              <Empty title="Nothing was to be told yet" />
            ) : (
              <DeliveryTable deliveries={history.items} slug={slug} />
            )}
          </section>
          <Pager
            path={at(slug, 'receivers', id)}
            nextCursor={history.nextCursor}
            cursor={c.req.query('cursor')}
          />
          {kind && <Settings {...around} kind={kind} state={state.id === undefined ? state : {}} />}
          <div class="columns">
            {kind?.newSecret && (
              <NewSecret {...around} state={state.id === 'secret' ? state : { id: 'secret' }} />
            )}
            <Replay {...around} state={state.id === 'replay' ? state : { id: 'replay' }} />
          </div>
          <section class="card danger">
            <details>
              <summary>Delete this receiver…</summary>
              <Form action={at(slug, 'receivers', id, 'delete')}>
                <p>What was still to be told to it is dead, and stays in the deliveries as that.</p>
                <div class="row">
                  <button type="submit" class="danger">
                    Delete the receiver
                  </button>
                </div>
              </Form>
            </details>
          </section>
        </>
      ),
    },
    status,
  )
}

function Facts({ slug, receiver, load }: Around & { load: ReceiverLoad | undefined }) {
  const { id, url, pollUrl, status, events, issuer, createdAt } = receiver
  const isActive = status === 'active'
  return (
    <section class="card">
      <h2>Where and how</h2>
      <Copy id="address" text={url ?? pollUrl ?? ''} label="the address" />
      <dl class="facts">
        <dt>Undelivered</dt>
        <dd>{(load?.waiting ?? 0).toLocaleString('en')}</dd>
        <dt>Dead letters</dt>
        <dd>
          <DeadLetters slug={slug} receiverId={id} dead={load?.dead ?? 0} />
        </dd>
        <dt>Events</dt>
        <dd>{events === null ? 'all' : events.join(', ')}</dd>
        {issuer !== undefined && (
          <>
            <dt>Signed by</dt>
            <dd>{issuer}</dd>
          </>
        )}
        <dt>Created</dt>
        <dd>
          <Moment at={createdAt} />
        </dd>
      </dl>
      <div class="row">
        <Form action={at(slug, 'receivers', id, 'test')}>
          <button type="submit" class="primary">
            Send a test
          </button>
        </Form>
        <Form action={at(slug, 'receivers', id, 'status')}>
          <input type="hidden" name="status" value={isActive ? 'paused' : 'active'} />
          <button type="submit">{isActive ? 'Pause' : 'Resume, and send what has waited'}</button>
        </Form>
      </div>
      {status === 'disabled' && (
        <p class="small">It answered 410 Gone, and is told nothing more until it is resumed.</p>
      )}
    </section>
  )
}

function History({ deliveries }: { deliveries: readonly DeliveryItem[] }) {
  const told = deliveries.filter(({ latencyMs }) => latencyMs !== null).toReversed()
  return (
    <section class="card">
      <h2>How fast</h2>
      {told.length === 0 ? (
        <p class="muted">Nothing has arrived yet.</p>
      ) : (
        <BarChart
          bars={told.map(({ sequence, latencyMs }) => ({
            value: latencyMs ?? 0,
            label: `No. ${sequence}: ${duration(latencyMs ?? 0)}`,
            bad: (latencyMs ?? 0) > 60_000,
          }))}
          caption={`From the change to the receiver's answer: the ${told.length} newest that arrived, the slowest after ${duration(Math.max(...told.map(({ latencyMs }) => latencyMs ?? 0)))}.`}
        />
      )}
    </section>
  )
}

function Result({ result }: { result: TestResult }) {
  const { delivered, status, latencyMs, error } = result
  return delivered ? (
    <div class="notice ok" role="status" tabindex={-1}>
      <strong>It arrived</strong>
      <p>
        The receiver answered {status} after {duration(latencyMs)}.
      </p>
    </div>
  ) : (
    <div class={status === null && latencyMs === 0 ? 'notice' : 'notice bad'} role="status">
      <strong>{status === null && latencyMs === 0 ? 'It is waiting' : 'It did not arrive'}</strong>
      <p>{error?.startsWith('answered') ? `The receiver ${error}.` : error}</p>
    </div>
  )
}

function Settings({ slug, receiver, kind, state }: Around & { kind: ReceiverKind; state: FormState }) {
  return (
    <section class="card">
      <h2>Settings</h2>
      <Form action={at(slug, 'receivers', receiver.id)} state={state}>
        <ReceiverFields kind={kind} receiver={receiver} />
        <div class="row end">
          <button type="submit" class="primary">
            Save
          </button>
        </div>
      </Form>
    </section>
  )
}

function NewSecret({ slug, receiver, state }: Around & { state: FormState }) {
  return (
    <section class="card">
      <h2>Another secret</h2>
      <Form action={at(slug, 'receivers', receiver.id, 'secret')} state={state}>
        <Select name="overlapSeconds" label="The old one goes on" value="86400" options={overlapOptions} />
        <div class="row end">
          <button type="submit">Make a secret, and show it</button>
        </div>
      </Form>
    </section>
  )
}

function Replay({ slug, receiver, state }: Around & { state: FormState }) {
  return (
    <section class="card">
      <h2>Tell it again</h2>
      <Form action={at(slug, 'receivers', receiver.id, 'replay')} state={state}>
        <div class="pair">
          <TextField name="fromSequence" label="From event No." required />
          <TextField name="toSequence" label="To event No." required />
        </div>
        <p class="small muted">Also events of before it was created.</p>
        <div class="row end">
          <button type="submit">Send them</button>
        </div>
      </Form>
    </section>
  )
}

function change(c: ConsoleContext): Promise<Response> {
  const { service, form } = c.var
  const id = c.req.param('id') ?? ''
  return attemptInTenant(
    c,
    async tenant => {
      const kind = receiverKind((await getReceiver(tenant, id)).kind)
      if (!kind) throw notFound('receiver')
      const settings = checked(receiverChange, changedSettings(kind, form))
      const { due } = await updateReceiverSettings(service, tenant, id, settings)
      c.executionCtx.waitUntil(publish(service, due))
      return redirect(done(at(tenant.slug, 'receivers', id), 'saved'))
    },
    (state, status) => receiverPage(c, { state }, status),
  )
}

function changeStatus(c: ConsoleContext): Promise<Response> {
  const { service, form } = c.var
  const id = c.req.param('id') ?? ''
  return attemptInTenant(
    c,
    async tenant => {
      const wanted = checked(receiverChange, { status: form.get('status') })
      const { due } = await updateReceiverSettings(service, tenant, id, wanted)
      c.executionCtx.waitUntil(announceStatus(service, tenant, id))
      c.executionCtx.waitUntil(publish(service, due))
      const said = wanted.status === 'paused' ? 'paused' : 'receiver-resumed'
      return redirect(done(at(tenant.slug, 'receivers', id), said))
    },
    ({ problem }, status) => receiverPage(c, { state: { problem, id: 'status' } }, status),
  )
}

async function test(c: ConsoleContext): Promise<Response> {
  const tenant = await tenantOf(c)
  const result = await testReceiver(c.var.service, tenant.database, tenant.slug, c.req.param('id') ?? '')
  if (!result) throw notFound('receiver')
  return receiverPage(c, { result })
}

function rotate(c: ConsoleContext): Promise<Response> {
  const { service, form } = c.var
  const id = c.req.param('id') ?? ''
  return attemptInTenant(
    c,
    async tenant => {
      const { overlapSeconds } = checked(secretRotation, {
        overlapSeconds: Number(form.get('overlapSeconds') ?? Number.NaN),
      })
      const secret = await rotateReceiverSecret(service, tenant, id, overlapSeconds)
      return secretPage(c, tenant.slug, await getReceiver(tenant, id), secret)
    },
    (state, status) => receiverPage(c, { state: { ...state, id: 'secret' } }, status),
  )
}

function replay(c: ConsoleContext): Promise<Response> {
  const { service, form } = c.var
  const id = c.req.param('id') ?? ''
  return attemptInTenant(
    c,
    async tenant => {
      const wanted = checked(range, {
        fromSequence: wholeNumber(typed(form, 'fromSequence')),
        toSequence: wholeNumber(typed(form, 'toSequence')),
      })
      const { deliveries, due } = await replayMany(service, tenant, id, wanted)
      c.executionCtx.waitUntil(publish(service, due))
      const said = deliveries === 0 ? 'nothing-to-replay' : 'replayed'
      return redirect(done(at(tenant.slug, 'receivers', id), said))
    },
    (state, status) => receiverPage(c, { state: { ...state, id: 'replay' } }, status),
  )
}

function wholeNumber(text: string | undefined): number | string | undefined {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : text
}

async function remove(c: ConsoleContext): Promise<Response> {
  const tenant = await tenantOf(c)
  await removeReceiver(tenant, c.req.param('id') ?? '')
  return redirect(done(at(tenant.slug, 'receivers'), 'deleted'))
}

export function DeadLetters({ slug, receiverId, dead }: { slug: string; receiverId: string; dead: number }) {
  if (dead === 0) return <>0</>
  return (
    <a href={withQuery(at(slug, 'deliveries'), { state: 'dead', receiverId })}>{dead.toLocaleString('en')}</a>
  )
}

/** It failed so often that only now and then somebody looks whether it is back. */
export function LeftAlone() {
  return <Badge state="not answering" tone="bad" />
}

/** With the secret, which is shown once. */
export function secretPage(
  c: ConsoleContext,
  slug: string,
  receiver: ReceiverItem,
  secret: string,
): Response {
  const { id, pollUrl } = receiver
  return show(c, {
    title: 'The secret is there',
    slug,
    section: 'receivers',
    trail: [[at(slug, 'receivers'), 'Receivers']],
    body: (
      <Secret
        title="Give this to your application"
        values={[...(pollUrl === undefined ? [] : [['Poll URL', pollUrl] as const]), ['Secret', secret]]}
        next={[at(slug, 'receivers', id), 'I have taken the secret; to the receiver']}
      />
    ),
  })
}
