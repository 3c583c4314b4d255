// Receivers: the list, and a new one of each kind.
import { Hono } from 'hono'
import { createReceiver, listReceivers, receiverLoads } from '../../administration/receivers'
import { receiverKind, receiverKinds } from '../../events/receiver-kinds'
import { checked } from '../admin/body'
import { newReceiver } from '../admin/receivers'
import { Badge } from '../pages/badge'
import { redirect } from '../pages/document'
import { Empty } from '../pages/empty'
import { Errors, Form, type FormState } from '../pages/form'
import { Moment } from '../pages/moment'
import { Pager } from '../pages/pager'
import { Table, TableRow } from '../pages/table'
import { at, attemptInTenant, type ConsoleContext, type ConsoleEnv, pageOf, tenantOf } from './context'
import { show } from './layout'
import { done } from './notice'
import { DeadLetters, LeftAlone, secretPage } from './receiver'
import { kindName, kindNames, newSettings, ReceiverFields, receiverFields } from './receiver-form'

export const receiversRoutes = new Hono<ConsoleEnv>()
  .get('/tenants/:slug/receivers', list)
  .get('/tenants/:slug/receivers/new', c => newPage(c))
  .post('/tenants/:slug/receivers/new', create)

async function list(c: ConsoleContext): Promise<Response> {
  const tenant = await tenantOf(c)
  const { slug } = tenant
  const [{ items, nextCursor }, loads] = await Promise.all([
    listReceivers(c.var.service, tenant, pageOf(c)),
    receiverLoads(tenant),
  ])
  const fresh = at(slug, 'receivers', 'new')
  return show(c, {
    title: 'Receivers',
    slug,
    section: 'receivers',
    lead: 'Where your application is told that somebody came, changed or left.',
    actions: (
      <a class="button primary" href={fresh}>
        New receiver
      </a>
    ),
    body: (
      <>
        <section class="card flush">
          {items.length === 0 ? (
            <Empty title="Nobody is told yet">
              <p>Without a receiver or an app key your application does not learn who left.</p>
              <a class="button primary" href={fresh}>
                Make a receiver
              </a>
            </Empty>
          ) : (
            <Table
              columns={[
                'Address',
                'Kind',
                'State',
                'Events',
                { number: 'Undelivered' },
                { number: 'Dead letters' },
                'Created',
              ]}
            >
              {items.map(({ id, kind, url, pollUrl, status, events, createdAt }) => (
                <TableRow>
                  <th scope="row" class="break">
                    <a href={at(slug, 'receivers', id)}>{url ?? pollUrl}</a>
                  </th>
                  <td>{kindName(kind)}</td>
                  <td>
                    <Badge state={status} /> {loads.get(id)?.leftAlone && <LeftAlone />}
                  </td>
                  <td>{events === null ? 'all' : `${events.length} types`}</td>
                  <td class="number">{(loads.get(id)?.waiting ?? 0).toLocaleString('en')}</td>
                  <td class="number">
                    <DeadLetters slug={slug} receiverId={id} dead={loads.get(id)?.dead ?? 0} />
                  </td>
                  <td>
                    <Moment at={createdAt} />
                  </td>
                </TableRow>
              ))}
            </Table>
          )}
        </section>
        <Pager path={at(slug, 'receivers')} nextCursor={nextCursor} cursor={c.req.query('cursor')} />
      </>
    ),
  })
}

async function newPage(c: ConsoleContext, state: FormState = {}, status = 200): Promise<Response> {
  const { slug } = await tenantOf(c)
  const path = at(slug, 'receivers', 'new')
  const kind = receiverKind(c.var.form.get('kind') ?? c.req.query('kind') ?? '')
  const page = {
    title: kind ? `New receiver: ${kindName(kind.kind)}` : 'New receiver',
    slug,
    section: 'receivers',
    trail: [[at(slug, 'receivers'), 'Receivers']] as const,
    body: kind ? (
      <section class="card">
        <Errors state={state} fields={receiverFields} />
        <Form action={path} state={state}>
          <input type="hidden" name="kind" value={kind.kind} />
          <ReceiverFields kind={kind} />
          <div class="row end">
            <a class="button quiet" href={path}>
              Another kind
            </a>
            <button type="submit" class="primary">
              Create the receiver
            </button>
          </div>
        </Form>
      </section>
    ) : (
      <ul class="columns plain-list">
        {receiverKinds.map(name => {
          const [title, what] = kindNames[name] ?? [name, '']
          return (
            <li class="card">
              <h2>
                <a href={`${path}?kind=${name}`}>{title}</a>
              </h2>
              <p class="muted">{what}</p>
            </li>
          )
        })}
      </ul>
    ),
  }
  return show(c, page, status)
}

function create(c: ConsoleContext): Promise<Response> {
  const { service, form } = c.var
  return attemptInTenant(
    c,
    async tenant => {
      const { slug } = tenant
      const input = checked(newReceiver, newSettings(form.get('kind') ?? '', form))
      const made = await createReceiver(service, tenant, input)
      if (made.secret === undefined) return redirect(done(at(slug, 'receivers', made.id), 'created'))
      return secretPage(c, slug, made, made.secret)
    },
    (state, status) => newPage(c, state, status),
  )
}
