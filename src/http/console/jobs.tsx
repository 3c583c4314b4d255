// Long work: what runs, how far it is, and what was done.
import { Hono } from 'hono'
import { type JobItem, listJobs } from '../../administration/job-list'
import { Badge } from '../pages/badge'
import { Empty } from '../pages/empty'
import { Moment } from '../pages/moment'
import { Pager } from '../pages/pager'
import { Progress } from '../pages/progress'
import { Table, TableRow } from '../pages/table'
import { at, type ConsoleContext, type ConsoleEnv, pageOf, tenantOf } from './context'
import { show } from './layout'

/** The page has nothing to fill in, so that it may come anew by itself while something runs. */
const REFRESH_SECONDS = '3'

export const jobRoutes = new Hono<ConsoleEnv>().get('/tenants/:slug/jobs', list)

async function list(c: ConsoleContext): Promise<Response> {
  const tenant = await tenantOf(c)
  const { items, nextCursor } = await listJobs(c.var.service, tenant, pageOf(c))
  const path = at(tenant.slug, 'jobs')
  const page = {
    title: 'Long work',
    slug: tenant.slug,
    section: 'jobs',
    lead: 'What takes longer than a request: ending sessions, deactivating users, reading users anew by other rules.',
    body: (
      <>
        <section class="card flush">
          {items.length === 0 ? (
            <Empty title="Nothing was to be done">
              <p>Suspending, deleting, another profile or another mapping begin such work.</p>
            </Empty>
          ) : (
            <JobTable jobs={items} slug={tenant.slug} />
          )}
        </section>
        <Pager path={path} nextCursor={nextCursor} cursor={c.req.query('cursor')} />
      </>
    ),
  }
  const runs = items.some(({ state }) => state === 'running')
  return show(c, page, 200, runs ? { refresh: REFRESH_SECONDS } : {})
}

/** By their kind. */
export const jobNames: Readonly<Record<string, string>> = {
  'revoke-sessions': "Ending everybody's sessions",
  'deactivate-users': "Deactivating a connection's users",
  'delete-tenant': 'Deleting the tenant',
  recompute: 'Reading users anew',
  'release-held': 'Deleting who was held',
  'roll-back-held': 'Bringing back who was held',
}

export function JobTable({ jobs, slug }: { jobs: readonly JobItem[]; slug: string }) {
  return (
    <Table label="Long work" columns={['Work', 'State', 'Progress', 'Left as they were', 'Begun']}>
      {jobs.map(({ kind, connectionId, state, done, total, invalid, createdAt }) => (
        <TableRow>
          <th scope="row">
            {jobNames[kind] ?? kind}
            {connectionId !== null && (
              <div class="small">
                <a href={at(slug, 'connections', connectionId)}>its connection</a>
              </div>
            )}
          </th>
          <td>
            <Badge state={state} />
          </td>
          <td>
            <Progress done={done} total={Math.max(total, done)} label="Users" />
          </td>
          <td>{invalid > 0 ? `${invalid} who break a rule` : '—'}</td>
          <td>
            <Moment at={createdAt} />
          </td>
        </TableRow>
      ))}
    </Table>
  )
}
