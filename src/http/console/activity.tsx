// The SCIM request log: filtered, and one request explained.
import { Hono } from 'hono'
import { listConnections } from '../../administration/connections'
import { type ActivityItem, getActivity, listActivity } from '../../administration/history'
import { accountTypeOf } from '../../scim/schema'
import { standardResourceTypes } from '../../scim/schemas/resource-types'
import { Badge } from '../pages/badge'
import { Empty } from '../pages/empty'
import { Form, type Option, Select } from '../pages/form'
import { duration, Moment } from '../pages/moment'
import { Pager } from '../pages/pager'
import { Table } from '../pages/table'
import { at, type ConsoleContext, type ConsoleEnv, pageOf, tenantOf } from './context'
import { explain } from './explanation'
import type { Help } from './help'
import { show } from './layout'

export const activityRoutes = new Hono<ConsoleEnv>()
  .get('/tenants/:slug/activity', list)
  .get('/tenants/:slug/activity/:id', one)

/** Whose resources are people. */
const accountType = accountTypeOf(standardResourceTypes).name

const outcomes: readonly Option[] = [
  ['', 'whatever came of it'],
  ['ok', 'done'],
  ['rejected', 'rejected (4xx)'],
  ['unauthorized', 'unauthorized (401, 403)'],
  ['error', 'error (5xx)'],
]

async function list(c: ConsoleContext): Promise<Response> {
  const { service } = c.var
  const tenant = await tenantOf(c)
  const { slug } = tenant
  const outcome = c.req.query('outcome') || undefined
  const connectionId = c.req.query('connectionId') || undefined
  const [{ items, nextCursor }, connections] = await Promise.all([
    listActivity(service, tenant, { outcome, connectionId }, pageOf(c, 50)),
    listConnections(service, tenant, { limit: 100 }),
  ])
  const path = at(slug, 'activity')
  const names = new Map(connections.items.map(({ id, name }) => [id, name]))
  return show(c, {
    title: 'Activity',
    slug,
    section: 'activity',
    lead: 'What identity providers asked for, newest first. Values, filters and secrets are not in it.',
    body: (
      <>
        <section class="card">
          <Form action={path} method="get" class="inline" label="Narrow the log">
            <Select name="outcome" label="Outcome" value={outcome} options={outcomes} />
            <Select
              name="connectionId"
              label="Connection"
              value={connectionId}
              options={[['', 'every connection'], ...names]}
            />
            <button type="submit">Show</button>
          </Form>
        </section>
        <section class="card flush">
          {items.length === 0 ? (
            <Empty title="No requests">
              <p>Nothing was asked, or nothing of what you look for.</p>
            </Empty>
          ) : (
            <Table
              columns={['Time (UTC)', 'Request', 'Outcome', 'Connection', 'Tolerated', { number: 'Took' }]}
            >
              {items.map(entry => (
                <Row entry={entry} slug={slug} name={names.get(entry.connectionId ?? '')} />
              ))}
            </Table>
          )}
        </section>
        <Pager
          path={path}
          query={{ outcome, connectionId }}
          nextCursor={nextCursor}
          cursor={c.req.query('cursor')}
        />
      </>
    ),
  })
}

function Row({ entry, slug, name }: { entry: ActivityItem; slug: string; name: string | undefined }) {
  const { id, method, path, status, outcome, scimType, connectionId, tolerances, durationMs } = entry
  return (
    <tr>
      <td>
        <Moment at={entry.at} />
      </td>
      <th scope="row">
        <a href={at(slug, 'activity', id)}>
          <code>
            {method} {path}
          </code>
        </a>
      </th>
      <td class="nowrap">
        <Badge state={outcome} />{' '}
        <span class="small muted">
          {status} {scimType}
        </span>
      </td>
      <td class="break">
        {connectionId === null ? <span class="muted">unknown</span> : (name ?? connectionId)}
      </td>
      <td>{tolerances.length === 0 ? <span class="muted">—</span> : tolerances.length}</td>
      <td class="number">{duration(durationMs)}</td>
    </tr>
  )
}

async function one(c: ConsoleContext): Promise<Response> {
  const tenant = await tenantOf(c)
  const { slug } = tenant
  const entry = await getActivity(tenant, c.req.param('id') ?? '')
  return show(c, {
    title: `${entry.method} ${entry.path}`,
    slug,
    section: 'activity',
    trail: [[at(slug, 'activity'), 'Activity']],
    aside: <Badge state={entry.outcome} />,
    body: (
      <>
        <InWords entry={entry} />
        <Facts entry={entry} slug={slug} />
      </>
    ),
  })
}

function InWords({ entry }: { entry: ActivityItem }) {
  const { asked, outcome, help, tolerated } = explain(entry)
  return (
    <section class="card">
      <h2>In plain words</h2>
      <p>{asked}</p>
      <p>{outcome}</p>
      {help && <HelpNotice help={help} page={entry.help} />}
      {tolerated.length > 0 && (
        <>
          <h3>What was tolerated</h3>
          <Table columns={['What was sent', 'Where', 'To do without it']}>
            {tolerated.map(({ name, place, what, remedy: correction }) => (
              <tr>
                <th scope="row">
                  {what}
                  <div class="small muted">
                    <code>{name}</code>
                  </div>
                </th>
                <td>{place === undefined ? '—' : <code>{place}</code>}</td>
                <td>{correction}</td>
              </tr>
            ))}
          </Table>
        </>
      )}
    </section>
  )
}

/** The document is not part of what is deployed: its words stand here, and its name for whoever has it. */
function HelpNotice({ help: { title, meaning, provider, here }, page }: { help: Help; page: string | null }) {
  return (
    <div class="notice warn">
      <strong>What to change: {title.toLowerCase()}</strong>
      {meaning !== undefined && <p>{meaning}</p>}
      <dl class="facts">
        <dt>In the identity provider</dt>
        <dd>{provider}</dd>
        <dt>In edge-scim</dt>
        <dd>{here}</dd>
      </dl>
      <p class="small">
        More in <code>{page}</code>
      </p>
    </div>
  )
}

function Facts({ entry, slug }: { entry: ActivityItem; slug: string }) {
  const { connectionId, resourceId, resourceType } = entry
  return (
    <section class="card">
      <h2>As it was logged</h2>
      <dl class="facts">
        <dt>Time (UTC)</dt>
        <dd>
          <Moment at={entry.at} />
        </dd>
        <dt>Status</dt>
        <dd>
          {entry.status} {entry.scimType}
        </dd>
        <dt>Connection</dt>
        <dd>
          {connectionId === null ? (
            'unknown'
          ) : (
            <a href={at(slug, 'connections', connectionId)}>{connectionId}</a>
          )}
        </dd>
        <dt>Token ends in</dt>
        <dd>{entry.tokenHint === null ? '—' : <code>…{entry.tokenHint}</code>}</dd>
        <dt>Resource</dt>
        <dd>
          {resourceId === null ? (
            '—'
          ) : (
            <>
              {resourceType}{' '}
              {resourceType === accountType ? (
                <a href={at(slug, 'people', resourceId)}>{resourceId}</a>
              ) : (
                <code>{resourceId}</code>
              )}
            </>
          )}
        </dd>
        <dt>Took</dt>
        <dd>{duration(entry.durationMs)}</dd>
        <dt>Number</dt>
        <dd>
          <code>{entry.id}</code>
        </dd>
      </dl>
    </section>
  )
}
