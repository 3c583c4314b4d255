// Connections: the list, a new one with its token, and one connection's own page with status, mode and deletion.
import { Hono } from 'hono'
import {
  type ConnectionItem,
  createConnection,
  deleteConnection,
  getConnection,
  listConnections,
  updateConnectionSettings,
} from '../../administration/connections'
import { getMapping, type MappingState } from '../../administration/mappings'
import { type ConnectionHealth, healthOf } from '../../administration/overview'
import { listTokens } from '../../administration/tokens'
import { checked } from '../admin/body'
import { connectionChange, newConnection } from '../admin/connections'
import { Badge } from '../pages/badge'
import { Copy } from '../pages/copy'
import { redirect } from '../pages/document'
import { Empty } from '../pages/empty'
import { Errors, Form, type FormState, type Option, Select, TextField } from '../pages/form'
import { duration, Moment } from '../pages/moment'
import { Pager } from '../pages/pager'
import { Progress } from '../pages/progress'
import { Table, TableRow } from '../pages/table'
import { Badges, FailedRequests } from './connection-health'
import {
  at,
  attempt,
  attemptInTenant,
  type ConsoleContext,
  type ConsoleEnv,
  pageOf,
  tenantOf,
  typed,
} from './context'
import { DeactivateUsers, deactivatesUsers, inWordsOfTheForm } from './deactivation'
import { show } from './layout'
import { done } from './notice'
import { providerNames } from './provider-names'
import { Secret } from './secret'
import { NewTokenForm, TokenTable } from './token-forms'

export const connectionRoutes = new Hono<ConsoleEnv>()
  .get('/tenants/:slug/connections', list)
  .get('/tenants/:slug/connections/new', c => newPage(c))
  .post('/tenants/:slug/connections/new', create)
  .get('/tenants/:slug/connections/:id', c => connectionPage(c))
  .post('/tenants/:slug/connections/:id', change)
  .post('/tenants/:slug/connections/:id/delete', remove)

const modeOptions: readonly Option[] = [
  ['compat', 'Compatible with known clients'],
  ['strict', 'Strict'],
]
const MODES =
  'Compatible understands what known clients get wrong; strict takes the standard and nothing else.'

async function list(c: ConsoleContext): Promise<Response> {
  const tenant = await tenantOf(c)
  const { slug } = tenant
  const { items, nextCursor } = await listConnections(c.var.service, tenant, pageOf(c))
  return show(c, {
    title: 'Connections',
    slug,
    section: 'connections',
    lead: 'One for each identity provider of the tenant: its address, its tokens, its mapping.',
    actions: (
      <a class="button primary" href={at(slug, 'connections', 'new')}>
        New connection
      </a>
    ),
    body: (
      <>
        <section class="card flush">
          {items.length === 0 ? (
            <Empty title="No identity provider is connected">
              <p>A connection gives the customer's identity provider an address and a token.</p>
              <a class="button primary" href={at(slug, 'connections', 'new')}>
                Connect one
              </a>
            </Empty>
          ) : (
            <Table columns={['Name', 'Identity provider', 'Mode', 'State', 'Created']}>
              {items.map(({ id, name, idp, mode, status, createdAt }) => (
                <TableRow>
                  <th scope="row" class="break">
                    <a href={at(slug, 'connections', id)}>{name}</a>
                  </th>
                  <td>{providerNames[idp]}</td>
                  <td>{mode}</td>
                  <td>
                    <Badge state={status} />
                  </td>
                  <td>
                    <Moment at={createdAt} />
                  </td>
                </TableRow>
              ))}
            </Table>
          )}
        </section>
        <Pager path={at(slug, 'connections')} nextCursor={nextCursor} cursor={c.req.query('cursor')} />
      </>
    ),
  })
}

async function newPage(c: ConsoleContext, state: FormState = {}, status = 200): Promise<Response> {
  const { slug } = await tenantOf(c)
  const page = {
    title: 'New connection',
    slug,
    section: 'connections',
    trail: [[at(slug, 'connections'), 'Connections']] as const,
    body: (
      <section class="card">
        <Errors state={state} fields={['name', 'idp', 'mode']} />
        <Form action={at(slug, 'connections', 'new')} state={state}>
          <TextField name="name" label="Name" hint="For people, such as “Acme Entra”." required />
          <Select name="idp" label="Identity provider" options={Object.entries(providerNames)} />
          <Select name="mode" label="Mode" hint={MODES} options={modeOptions} value="compat" />
          <div class="row end">
            <a class="button quiet" href={at(slug, 'connections')}>
              Cancel
            </a>
            <button type="submit" class="primary">
              Create, and show the token
            </button>
          </div>
        </Form>
      </section>
    ),
  }
  return show(c, page, status)
}

function create(c: ConsoleContext): Promise<Response> {
  const { service, form } = c.var
  return attempt(
    c,
    async () => {
      const input = { name: typed(form, 'name'), idp: typed(form, 'idp'), mode: typed(form, 'mode') }
      const tenant = await tenantOf(c)
      const made = await createConnection(service, tenant, checked(newConnection, input))
      return show(c, {
        title: 'The connection is there',
        slug: tenant.slug,
        section: 'connections',
        trail: [[at(tenant.slug, 'connections'), 'Connections']],
        body: (
          <Secret
            title="Give these two to whoever sets up the identity provider"
            values={[
              ['SCIM base URL', made.baseUrl],
              ['Token', made.token.value],
            ]}
            next={[at(tenant.slug, 'connections', made.id), 'I have taken the token; to the connection']}
          />
        ),
      })
    },
    (state, status) => newPage(c, state, status),
  )
}

interface Around {
  readonly slug: string
  readonly connection: ConnectionItem
}

export async function connectionPage(
  c: ConsoleContext,
  { settings = {}, token = {} }: { settings?: FormState; token?: FormState } = {},
  status = 200,
): Promise<Response> {
  const { service } = c.var
  const tenant = await tenantOf(c)
  const { slug } = tenant
  const id = c.req.param('id') ?? ''
  const [connection, health, mapping, tokens] = await Promise.all([
    getConnection(tenant, id),
    healthOf(service, tenant, id),
    getMapping(tenant, id),
    listTokens(service, tenant, id, pageOf(c, 20)),
  ])
  const around = { slug, connection }
  return show(
    c,
    {
      title: connection.name,
      slug,
      section: 'connections',
      trail: [[at(slug, 'connections'), 'Connections']],
      aside: (
        <>
          <Badge state={connection.status} />
          {connection.status === 'active' && health && <Badges connection={health} />}
        </>
      ),
      body: (
        <>
          {health?.tokenEndsAt && <TokenEnds at={health.tokenEndsAt} now={service.now()} />}
          <div class="columns">
            <State {...around} health={health} />
            <Mapping {...around} mapping={mapping} />
          </div>
          <section class="card flush">
            <header>
              <h2>Tokens</h2>
            </header>
            <TokenTable tokens={tokens.items} slug={slug} connectionId={id} now={service.now()} />
          </section>
          <Pager
            path={at(slug, 'connections', id)}
            nextCursor={tokens.nextCursor}
            cursor={c.req.query('cursor')}
          />
          <div class="columns">
            <NewTokenForm slug={slug} connectionId={id} state={{ ...token, id: 'token' }} />
            <Settings {...around} state={{ ...settings, id: 'settings' }} />
          </div>
          {connection.status !== 'deleting' && <Deletion {...around} />}
        </>
      ),
    },
    status,
  )
}

function TokenEnds({ at: end, now }: { at: string; now: number }) {
  return (
    <div class="notice warn">
      <strong>The last token of this connection ends in {duration(Date.parse(end) - now)}</strong>
      <p>
        From <Moment at={end} /> (UTC) on the identity provider is refused, and who leaves keeps access. Make
        another token below, and enter it there before.
      </p>
    </div>
  )
}

function State({ slug, connection, health }: Around & { health: ConnectionHealth | undefined }) {
  return (
    <section class="card">
      <h2>State</h2>
      <Copy id="base-url" text={connection.baseUrl} label="the SCIM base URL" />
      <dl class="facts">
        <dt>Identity provider</dt>
        <dd>{providerNames[connection.idp]}</dd>
        <dt>Mode</dt>
        <dd>{connection.mode}</dd>
        <dt>Last request</dt>
        <dd>
          <Moment at={health?.lastRequestAt} never="none yet" />
        </dd>
        <dt>Refused or failed</dt>
        <dd>{health ? <FailedRequests connection={health} slug={slug} /> : '—'}</dd>
        <dt>Created</dt>
        <dd>
          <Moment at={connection.createdAt} />
        </dd>
      </dl>
    </section>
  )
}

function Mapping({ slug, connection, mapping }: Around & { mapping: MappingState }) {
  const { recompute, version, fields, groupBy, targetGroup } = mapping
  const place = at(slug, 'connections', connection.id, 'mapping')
  return (
    <section class="card">
      <header>
        <h2>Mapping</h2>
        <a class="button small" href={place}>
          Edit and try out
        </a>
      </header>
      {version === 0 ? (
        <p class="muted">Nothing is said on top of the profile.</p>
      ) : (
        <dl class="facts">
          <dt>Version</dt>
          <dd>
            {version}, since <Moment at={mapping.createdAt} />
          </dd>
          <dt>Fields</dt>
          <dd>
            {fields.length === 0 ? 'as the profile has them' : fields.map(({ field }) => field).join(', ')}
          </dd>
          <dt>Grouped by</dt>
          <dd>{groupBy?.source ?? 'nothing'}</dd>
          <dt>Target group</dt>
          <dd>{targetGroup ?? 'none'}</dd>
        </dl>
      )}
      {recompute.state === 'running' && (
        <Progress done={recompute.done} total={recompute.total} label="Users read anew" />
      )}
      {recompute.invalid > 0 && (
        <p class="notice warn">{`${recompute.invalid} users break a rule and were left as they were.`}</p>
      )}
    </section>
  )
}

function Settings({ slug, connection, state }: Around & { state: FormState }) {
  return (
    <section class="card">
      <h2>Settings</h2>
      <Errors state={state} fields={['name', 'mode', 'status']} />
      <Form action={at(slug, 'connections', connection.id)} state={state}>
        <TextField name="name" label="Name" value={connection.name} required />
        <Select name="mode" label="Mode" hint={MODES} value={connection.mode} options={modeOptions} />
        <Select
          name="status"
          label="Status"
          hint="The credentials of a disabled connection answer 403; nobody's access changes."
          value={connection.status}
          options={[
            ['active', 'active'],
            ['disabled', 'disabled'],
          ]}
        />
        <div class="row end">
          <button type="submit" class="primary">
            Save
          </button>
        </div>
      </Form>
    </section>
  )
}

function Deletion({ slug, connection }: Around) {
  return (
    <section class="card danger">
      <h2>Ending access</h2>
      <details>
        <summary>Delete this connection…</summary>
        <Form action={at(slug, 'connections', connection.id, 'delete')}>
          <p>
            Its tokens stop working at once. Users who still have access are in the way, unless they lose it
            first.
          </p>
          <DeactivateUsers />
          <div class="row">
            <button type="submit" class="danger">
              Delete the connection
            </button>
          </div>
        </Form>
      </details>
    </section>
  )
}

function change(c: ConsoleContext): Promise<Response> {
  const { form } = c.var
  const id = c.req.param('id') ?? ''
  return attemptInTenant(
    c,
    async tenant => {
      const input = {
        name: typed(form, 'name') ?? '',
        mode: typed(form, 'mode'),
        status: typed(form, 'status'),
      }
      await updateConnectionSettings(tenant, id, checked(connectionChange, input))
      return redirect(done(at(tenant.slug, 'connections', id), 'saved'))
    },
    (state, status) => connectionPage(c, { settings: state }, status),
  )
}

function remove(c: ConsoleContext): Promise<Response> {
  const { service, form } = c.var
  const id = c.req.param('id') ?? ''
  return attemptInTenant(
    c,
    async tenant => {
      const left = await deleteConnection(service, tenant, id, deactivatesUsers(form)).catch(inWordsOfTheForm)
      return redirect(done(at(tenant.slug, 'connections'), left ? 'deleting' : 'deleted'))
    },
    ({ problem }, status) => connectionPage(c, { settings: { problem } }, status),
  )
}
