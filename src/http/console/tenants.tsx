// Tenants: the list, a new one, and one tenant's own page with its settings, suspension and deletion.
import { Hono } from 'hono'
import { listJobs } from '../../administration/job-list'
import { killTimesOf, overviewOf, type TenantOverview } from '../../administration/overview'
import { Problem } from '../../administration/problem'
import { listProfiles } from '../../administration/profiles'
import {
  createTenant,
  deleteTenant,
  getTenant,
  listTenants,
  type TenantItem,
  updateTenantSettings,
} from '../../administration/tenants'
import type { Service } from '../../env'
import { STANDARD_PROFILE } from '../../mapping/shipped-profiles'
import { checked } from '../admin/body'
import { newTenant, tenantChange } from '../admin/tenants'
import { Badge } from '../pages/badge'
import { Copy } from '../pages/copy'
import { redirect } from '../pages/document'
import { Empty } from '../pages/empty'
import { Errors, Form, type FormState, type Option, Select, TextField } from '../pages/form'
import { Moment } from '../pages/moment'
import { Pager } from '../pages/pager'
import { Table, TableRow } from '../pages/table'
import { Alarms } from './alarms'
import { HealthCells } from './connection-health'
import {
  at,
  attempt,
  attemptInTenant,
  CONSOLE,
  type ConsoleContext,
  type ConsoleEnv,
  pageOf,
  tenantOf,
  typed,
} from './context'
import { DeactivateUsers, deactivatesUsers, inWordsOfTheForm } from './deactivation'
import { JobTable } from './jobs'
import { KillTimeChart } from './kill-times'
import { show } from './layout'
import { done } from './notice'
import { Figure, NoTenants, upTo } from './overview'
import { providerNames } from './provider-names'

export const tenantRoutes = new Hono<ConsoleEnv>()
  .get('/tenants', list)
  .get('/new-tenant', c => newPage(c))
  .post('/new-tenant', create)
  .get('/tenants/:slug', c => tenantPage(c))
  .post('/tenants/:slug/settings', changeSettings)
  .post('/tenants/:slug/status', changeStatus)
  .get('/tenants/:slug/delete', c => deletePage(c))
  .post('/tenants/:slug/delete', remove)

async function list(c: ConsoleContext): Promise<Response> {
  const { items, nextCursor } = await listTenants(c.var.service, pageOf(c, 50))
  return show(c, {
    title: 'Tenants',
    section: 'tenants',
    actions: (
      <a class="button primary" href={`${CONSOLE}/new-tenant`}>
        New tenant
      </a>
    ),
    body: (
      <>
        <section class="card flush">
          {items.length === 0 ? (
            <NoTenants />
          ) : (
            <Table columns={['Name', 'Slug', 'Profile', 'State', 'Created']}>
              {items.map(({ slug, name, profile, status, createdAt }) => (
                <TableRow>
                  <th scope="row" class="break">
                    <a href={at(slug)}>{name}</a>
                  </th>
                  <td>
                    <code>{slug}</code>
                  </td>
                  <td>{profile}</td>
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
        <Pager path={`${CONSOLE}/tenants`} nextCursor={nextCursor} cursor={c.req.query('cursor')} />
      </>
    ),
  })
}

async function newPage(c: ConsoleContext, state: FormState = {}, status = 200): Promise<Response> {
  const { service } = c.var
  const page = {
    title: 'New tenant',
    section: 'tenants',
    trail: [[`${CONSOLE}/tenants`, 'Tenants']] as const,
    body: (
      <section class="card">
        <Errors state={state} fields={['slug', 'name', 'profile', 'database']} />
        <Form action={`${CONSOLE}/new-tenant`} state={state}>
          <div class="pair">
            <TextField name="name" label="Name" hint="As people call the customer." required />
            <TextField
              name="slug"
              label="Slug"
              hint="Part of every address of the tenant, and never changed: a-z, 0-9 and -."
              required
              code
            />
          </div>
          <Select
            name="profile"
            label="Profile"
            hint="How your application sees a user."
            value={STANDARD_PROFILE}
            options={await profileOptions(service)}
          />
          {service.tenantDatabases.length > 1 && (
            <Select
              name="database"
              label="Database"
              hint="Where everything of the tenant is kept, for good."
              value={service.tenantDatabase}
              options={service.tenantDatabases.map(binding => [binding, binding])}
            />
          )}
          <div class="row end">
            <a class="button quiet" href={`${CONSOLE}/tenants`}>
              Cancel
            </a>
            <button type="submit" class="primary">
              Create the tenant
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
      const database = form.has('database') ? { database: typed(form, 'database') } : {}
      const input = {
        slug: typed(form, 'slug'),
        name: typed(form, 'name'),
        profile: typed(form, 'profile'),
        ...database,
      }
      const { slug } = await createTenant(service, checked(newTenant, input))
      return redirect(done(at(slug), 'created'))
    },
    (state, status) => newPage(c, state, status),
  )
}

/** The first of them; a deployment with more names the others in the form's own words. */
async function profileOptions(service: Service): Promise<Option[]> {
  const { items } = await listProfiles(service, { limit: 200 })
  return items.map(({ name, title }) => [name, title === name ? name : `${title} (${name})`])
}

async function tenantPage(c: ConsoleContext, state: FormState = {}, status = 200): Promise<Response> {
  const { service } = c.var
  const tenant = await tenantOf(c)
  const item = await getTenant(tenant)
  const [figures, jobs, profiles] = await Promise.all([
    overviewOf(service, item, tenant.database),
    listJobs(service, tenant, { limit: 3 }),
    profileOptions(service),
  ])
  const running = jobs.items.filter(job => job.state === 'running')
  return show(
    c,
    {
      title: item.name,
      slug: item.slug,
      section: '',
      aside: <Badge state={item.status} />,
      body: (
        <>
          <Alarms overviews={[figures]} />
          <Figures overview={figures} />
          {running.length > 0 && (
            <section class="card flush">
              <header>
                <h2>Long work</h2>
                <a href={at(item.slug, 'jobs')}>All of it</a>
              </header>
              <JobTable jobs={running} slug={item.slug} />
            </section>
          )}
          <Connections overview={figures} />
          <KillTimeChart times={killTimesOf([figures])} />
          <div class="columns">
            <Addresses tenant={item} baseUrl={tenant.baseUrl} issuer={tenant.issuer} />
            <Settings tenant={item} state={state} profiles={profiles} />
          </div>
          {item.status !== 'deleting' && <Ending tenant={item} />}
        </>
      ),
    },
    status,
  )
}

function Figures({ overview }: { overview: TenantOverview }) {
  const { tenant, users, groups, leaversToday, undelivered, dead } = overview
  const deliveries = at(tenant.slug, 'deliveries')
  return (
    <dl class="figures" aria-label="Figures">
      <Figure name="Users" value={users.toLocaleString('en')} href={at(tenant.slug, 'people')} />
      <Figure name="Groups" value={groups.toLocaleString('en')} />
      <Figure name="Leavers today" value={upTo(leaversToday)} />
      <Figure
        name="Undelivered"
        value={undelivered.toLocaleString('en')}
        tone={undelivered > 0 ? 'warn' : ''}
        href={`${deliveries}?state=pending`}
      />
      <Figure
        name="Dead letters"
        value={dead.toLocaleString('en')}
        tone={dead > 0 ? 'bad' : ''}
        href={`${deliveries}?state=dead`}
      />
    </dl>
  )
}

function Connections({ overview: { tenant, connections } }: { overview: TenantOverview }) {
  return (
    <section class="card flush">
      <header>
        <h2>Connections</h2>
        <a class="button small" href={at(tenant.slug, 'connections', 'new')}>
          New connection
        </a>
      </header>
      {connections.length === 0 ? (
        <Empty title="No identity provider is connected">
          <p>A connection gives the customer's identity provider an address and a token.</p>
        </Empty>
      ) : (
        <Table columns={['Name', 'Identity provider', 'State', 'Last request', 'Refused or failed']}>
          {connections.map(connection => (
            <TableRow>
              <th scope="row" class="break">
                <a href={at(tenant.slug, 'connections', connection.id)}>{connection.name}</a>
              </th>
              <td>{providerNames[connection.idp]}</td>
              <HealthCells connection={connection} slug={tenant.slug} />
            </TableRow>
          ))}
        </Table>
      )}
    </section>
  )
}

function Addresses({ tenant, baseUrl, issuer }: { tenant: TenantItem; baseUrl: string; issuer: string }) {
  return (
    <section class="card">
      <h2>Addresses</h2>
      <div class="stack tight">
        <h3>SCIM base URL</h3>
        <Copy id="base-url" text={baseUrl} label="the SCIM base URL" />
      </div>
      <div class="stack tight">
        <h3>Keys of signed events</h3>
        <Copy id="jwks-url" text={`${issuer}/jwks.json`} label="the address of the keys" />
      </div>
      <p class="small muted">
        Tenant <code>{tenant.id}</code>, created <Moment at={tenant.createdAt} />, in the database{' '}
        <code>{tenant.database}</code>
      </p>
    </section>
  )
}

function Settings({
  tenant,
  state,
  profiles,
}: {
  tenant: TenantItem
  state: FormState
  profiles: readonly Option[]
}) {
  return (
    <section class="card">
      <h2>Settings</h2>
      <Errors state={state} fields={['name', 'profile']} />
      <Form action={at(tenant.slug, 'settings')} state={state}>
        <TextField name="name" label="Name" value={tenant.name} required />
        <Select
          name="profile"
          label="Profile"
          hint="With another profile all users are read anew."
          value={tenant.profile}
          options={profiles}
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

function Ending({ tenant }: { tenant: TenantItem }) {
  const { slug, status } = tenant
  return (
    <section class="card danger">
      <h2>Ending access</h2>
      {status === 'active' ? (
        <details>
          <summary>Suspend this tenant…</summary>
          <Form action={at(slug, 'status')}>
            <p>
              Its credentials answer 403, and the sessions of everybody who has access are ended at once.
              Activating it later revives none of them.
            </p>
            <input type="hidden" name="status" value="suspended" />
            <div class="row">
              <button type="submit" class="danger">
                Suspend and end all sessions
              </button>
            </div>
          </Form>
        </details>
      ) : (
        <Form action={at(slug, 'status')} class="inline">
          <input type="hidden" name="status" value="active" />
          <button type="submit">Activate again</button>
        </Form>
      )}
      <p>
        <a href={at(slug, 'delete')}>Delete this tenant…</a>
      </p>
    </section>
  )
}

function changeSettings(c: ConsoleContext): Promise<Response> {
  const { service, form } = c.var
  return attempt(
    c,
    async () => {
      const change = checked(tenantChange, {
        name: typed(form, 'name') ?? '',
        profile: typed(form, 'profile'),
      })
      const tenant = await tenantOf(c)
      const { profile, ...rest } = change
      const isOther = profile !== (await getTenant(tenant)).profile
      const { slug } = await updateTenantSettings(service, tenant, isOther ? change : rest)
      return redirect(done(at(slug), 'saved'))
    },
    (state, status) => tenantPage(c, state, status),
  )
}

function changeStatus(c: ConsoleContext): Promise<Response> {
  const { service, form } = c.var
  return attempt(
    c,
    async () => {
      const { status } = checked(tenantChange, { status: form.get('status') })
      const { slug } = await updateTenantSettings(service, await tenantOf(c), { status })
      return redirect(done(at(slug), status === 'suspended' ? 'suspended' : 'resumed'))
    },
    (state, status) => tenantPage(c, { problem: state.problem }, status),
  )
}

async function deletePage(c: ConsoleContext, state: FormState = {}, status = 200): Promise<Response> {
  const { slug, name } = await getTenant(await tenantOf(c))
  const page = {
    title: `Delete ${name}`,
    slug,
    section: '',
    trail: [[at(slug), name]] as const,
    body: (
      <section class="card danger">
        <Errors state={state} fields={['slug']} />
        <p>
          From now on the tenant's credentials answer 403. Everybody's sessions are ended, your application is
          told, and everything of the tenant goes once that is delivered. There is no way back but a backup.
        </p>
        <Form action={at(slug, 'delete')} state={state}>
          <TextField name="slug" label={`Type ${slug} to confirm`} code />
          <DeactivateUsers />
          <div class="row end">
            <a class="button quiet" href={at(slug)}>
              Cancel
            </a>
            <button type="submit" class="danger">
              Delete the tenant
            </button>
          </div>
        </Form>
      </section>
    ),
  }
  return show(c, page, status)
}

function remove(c: ConsoleContext): Promise<Response> {
  const { service, form } = c.var
  return attemptInTenant(
    c,
    async tenant => {
      if (typed(form, 'slug') !== tenant.slug)
        throw new Problem(422, 'The slug is not the one of this tenant.', [
          { path: 'slug', message: `must be ${tenant.slug}` },
        ])
      await deleteTenant(service, tenant, deactivatesUsers(form)).catch(inWordsOfTheForm)
      return redirect(done(`${CONSOLE}/tenants`, 'deleting'))
    },
    (state, status) => deletePage(c, state, status),
  )
}
