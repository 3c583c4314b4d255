// Setup links: the pages on which a customer's IT admin connects the identity provider.
import { Hono } from 'hono'
import {
  createSetupLink,
  endSetupLink,
  listSetupLinks,
  type NewSetupLink,
  renewLink,
  type SetupLinkItem,
} from '../../administration/setup-links'
import { checked } from '../admin/body'
import { newLinkSettings, renewal } from '../admin/setup-links'
import { Badge } from '../pages/badge'
import { redirect } from '../pages/document'
import { Empty } from '../pages/empty'
import { Errors, Form, type FormState, type Option, Select } from '../pages/form'
import { Moment } from '../pages/moment'
import { Pager } from '../pages/pager'
import { Table, TableRow } from '../pages/table'
import { connectionNames } from './connection-names'
import { at, attemptInTenant, type ConsoleContext, type ConsoleEnv, pageOf, tenantOf, typed } from './context'
import { show } from './layout'
import { done } from './notice'
import { Secret } from './secret'

export const setupLinkRoutes = new Hono<ConsoleEnv>()
  .get('/tenants/:slug/setup-links', c => list(c))
  .post('/tenants/:slug/setup-links', create)
  .post('/tenants/:slug/setup-links/:id/renew', renew)
  .post('/tenants/:slug/setup-links/:id/delete', remove)

const lifetimes: readonly Option[] = [
  ['24', '1 day'],
  ['72', '3 days'],
  ['168', '7 days'],
  ['720', '30 days'],
]

async function list(c: ConsoleContext, state: FormState = {}, status = 200): Promise<Response> {
  const { service } = c.var
  const tenant = await tenantOf(c)
  const { slug } = tenant
  const [{ items, nextCursor }, names] = await Promise.all([
    listSetupLinks(service, tenant, pageOf(c)),
    connectionNames(service, tenant),
  ])
  const page = {
    title: 'Setup links',
    slug,
    section: 'setup-links',
    lead: "A page for the customer's IT admin, who needs no account: it makes one token, shows every step, and ticks off what has arrived.",
    body: (
      <>
        <section class="card">
          <h2>New setup link</h2>
          <Errors state={state} fields={['connectionId', 'expiresInHours']} />
          <Form action={at(slug, 'setup-links')} state={state} class="inline">
            <Select
              name="connectionId"
              label="Connection"
              options={[['', 'a new one, as the IT admin chooses'], ...names]}
            />
            <Select name="expiresInHours" label="Works for" value="72" options={lifetimes} />
            <button type="submit" class="primary">
              Make a link, and show it
            </button>
          </Form>
        </section>
        <section class="card flush">
          {items.length === 0 ? (
            <Empty title="No setup links yet" />
          ) : (
            <Table columns={['Made (UTC)', 'Connection', 'State', 'Expires (UTC)', 'Renew', 'Delete']}>
              {items.map(link => (
                <Row link={link} slug={slug} name={names.get(link.connectionId ?? '')} now={service.now()} />
              ))}
            </Table>
          )}
        </section>
        <Pager path={at(slug, 'setup-links')} nextCursor={nextCursor} cursor={c.req.query('cursor')} />
      </>
    ),
  }
  return show(c, page, status)
}

function Row({
  link,
  slug,
  name,
  now,
}: {
  link: SetupLinkItem
  slug: string
  name: string | undefined
  now: number
}) {
  const { id, connectionId, expiresAt, usedAt, createdAt } = link
  const made = createdAt.slice(0, 16).replace('T', ' ')
  return (
    <TableRow>
      <th scope="row">
        <Moment at={createdAt} />
      </th>
      <td class="break">
        {connectionId === null ? (
          <span class="muted">to be chosen</span>
        ) : (
          <a href={at(slug, 'connections', connectionId)}>{name ?? connectionId}</a>
        )}
      </td>
      <td>
        {Date.parse(expiresAt) <= now ? (
          <Badge state="expired" />
        ) : (
          <Badge state={usedAt === null ? 'waits' : 'token made'} tone={usedAt === null ? 'info' : 'ok'} />
        )}
      </td>
      <td>
        <Moment at={expiresAt} />
      </td>
      <td>
        <Form action={at(slug, 'setup-links', id, 'renew')}>
          <input type="hidden" name="expiresInHours" value="72" />
          <button type="submit" class="small">
            Renew<span class="hidden-visually"> the link of {made} for three days</span>
          </button>
        </Form>
      </td>
      <td>
        <Form action={at(slug, 'setup-links', id, 'delete')}>
          <button type="submit" class="small">
            Delete<span class="hidden-visually"> the link of {made}</span>
          </button>
        </Form>
      </td>
    </TableRow>
  )
}

function shown(c: ConsoleContext, slug: string, { url, expiresAt }: NewSetupLink): Response {
  return show(c, {
    title: 'The link is there',
    slug,
    section: 'setup-links',
    body: (
      <Secret
        title={`Send it to the customer's IT admin; it works until ${expiresAt.slice(0, 16).replace('T', ' ')} UTC`}
        values={[['Setup link', url]]}
        next={[at(slug, 'setup-links'), 'I have taken the link; to the list']}
      />
    ),
  })
}

function create(c: ConsoleContext): Promise<Response> {
  const { service, form } = c.var
  return attemptInTenant(
    c,
    async tenant => {
      const input = { connectionId: typed(form, 'connectionId'), expiresInHours: hours(form) }
      const link = await createSetupLink(service, tenant, checked(newLinkSettings, input))
      return shown(c, tenant.slug, link)
    },
    (state, status) => list(c, state, status),
  )
}

function renew(c: ConsoleContext): Promise<Response> {
  const { service, form } = c.var
  return attemptInTenant(
    c,
    async tenant => {
      const settings = checked(renewal, { expiresInHours: hours(form) })
      return shown(c, tenant.slug, await renewLink(service, tenant, c.req.param('id') ?? '', settings))
    },
    ({ problem }, status) => list(c, { problem }, status),
  )
}

function hours(form: URLSearchParams): number | undefined {
  const text = typed(form, 'expiresInHours')
  return text === undefined ? undefined : Number(text)
}

async function remove(c: ConsoleContext): Promise<Response> {
  const tenant = await tenantOf(c)
  await endSetupLink(tenant, c.req.param('id') ?? '')
  return redirect(done(at(tenant.slug, 'setup-links'), 'deleted'))
}
