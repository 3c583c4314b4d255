// The SCIM request log: filtered, and one request explained.
import { Hono } from 'hono'
import { type ActivityItem, getActivity, listActivity } from '../../administration/history'
import { accountTypeOf } from '../../scim/schema'
import { standardResourceTypes } from '../../scim/schemas/resource-types'
import { Badge } from '../pages/badge'
import { Empty } from '../pages/empty'
import { Form, type Option, Select } from '../pages/form'
import { duration, Moment } from '../pages/moment'
import { Pager } from '../pages/pager'
import { Table, TableRow } from '../pages/table'
import { connectionNames } from './connection-names'
import { at, type ConsoleContext, type ConsoleEnv, pageOf, tenantOf } from './context'
import { explain, type HelpSection } from './explanation'
import { show } from './layout'

export const activityRoutes = new Hono<ConsoleEnv>()
  .get('/tenants/:slug/activity', list)
  .get('/tenants/:slug/activity/:id', one)

/** Whose resources are people. */
const accountType = accountTypeOf(standardResourceTypes)

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
  const [{ items, nextCursor }, names] = await Promise.all([
    listActivity(service, tenant, { outcome, connectionId }, pageOf(c, 50)),
    connectionNames(service, tenant),
  ])
  const path = at(slug, 'activity')
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
  const { id, method, path, status, outcome, scimType, detail, connectionId, tolerances, durationMs } = entry
  return (
    <TableRow>
      <td>
        <Moment at={entry.at} />
      </td>
      <th scope="row">
        <a href={at(slug, 'activity', id)}>
          <code>
            {method} {path}
          </code>
        </a>
        {detail !== null && <div class="small muted break">{detail}</div>}
      </th>
      <td>
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
    </TableRow>
  )
}

async function one(c: ConsoleContext): Promise<Response> {
  const tenant = await tenantOf(c)
  const { slug } = tenant
  const [entry, names] = await Promise.all([
    getActivity(tenant, c.req.param('id') ?? ''),
    connectionNames(c.var.service, tenant),
  ])
  const connection = names.get(entry.connectionId ?? '')
  return show(c, {
    title: `${entry.method} ${entry.path}`,
    slug,
    section: 'activity',
    trail: [[at(slug, 'activity'), 'Activity']],
    aside: <Badge state={entry.outcome} />,
    body: (
      <>
        <InWords entry={entry} connection={connection} />
        <Facts entry={entry} slug={slug} connection={connection} />
      </>
    ),
  })
}

function InWords({ entry, connection }: { entry: ActivityItem; connection: string | undefined }) {
  const { asked, outcome, help, tolerated } = explain(entry, connection)
  return (
    <section class="card">
      <h2>In plain words</h2>
      <p class="break">{asked}</p>
      <p class="break">{outcome}</p>
      {help && <Help help={help} />}
      {tolerated.length > 0 && (
        <>
          <h3>What was tolerated</h3>
          <Table label="What was tolerated" columns={['What was sent', 'Where', 'To do without it']}>
            {tolerated.map(({ name, place, what, remedy: correction }) => (
              <TableRow>
                <th scope="row">
                  {what}
                  <div class="small muted">
                    <code>{name}</code>
                  </div>
                </th>
                <td>{place === undefined ? '—' : <code>{place}</code>}</td>
                <td>{correction}</td>
              </TableRow>
            ))}
          </Table>
        </>
      )}
    </section>
  )
}

function Help({ help: { title, cause, provider, service } }: { help: HelpSection }) {
  return (
    <div class="notice warn">
      <strong>{title}</strong>
      {cause !== '' && (
        <p>
          <WithCode text={cause} />
        </p>
      )}
      <dl class="facts">
        <dt>In the identity provider</dt>
        <dd>
          <WithCode text={provider} />
        </dd>
        <dt>In edge-scim</dt>
        <dd>
          <WithCode text={service} />
        </dd>
      </dl>
    </div>
  )
}

/** Words between backticks are code. */
function WithCode({ text }: { text: string }) {
  return <>{text.split('`').map((part, i) => (i % 2 === 1 ? <code>{part}</code> : part))}</>
}

/** Of a refused request the path alone tells; whoever was not found may never have been there. */
function isPerson({ resourceType, path, status }: ActivityItem): boolean {
  if (resourceType !== null) return resourceType === accountType.name
  return status !== 404 && path.startsWith(`${accountType.endpoint}/`)
}

function Facts({
  entry,
  slug,
  connection,
}: {
  entry: ActivityItem
  slug: string
  connection: string | undefined
}) {
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
            <a href={at(slug, 'connections', connectionId)}>{connection ?? connectionId}</a>
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
              {isPerson(entry) ? (
                <a href={at(slug, 'people', resourceId)}>{resourceId}</a>
              ) : (
                <code>{resourceId}</code>
              )}
            </>
          )}
        </dd>
        {entry.help !== null && (
          <>
            <dt>Explained in</dt>
            <dd>
              <code>{entry.help}</code>
            </dd>
          </>
        )}
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
