// People: found by what they are called or by a filter, one person's whole story, and the end of their sessions.
import { Hono } from 'hono'
import { asOperator } from '../../administration/as-operator'
import { evidenceOf, MAX_CASES } from '../../administration/evidence'
import type { OpenTenant } from '../../administration/open-tenant'
import { Problem } from '../../administration/problem'
import { readStory, type StoryEntry } from '../../administration/story'
import { endSessions, getUser, listUsers, searchUsers, type UserItem } from '../../administration/users'
import { publish } from '../../events/publish'
import { ScimError } from '../../scim/error'
import { Badge } from '../pages/badge'
import { fileReply, redirect } from '../pages/document'
import { Empty } from '../pages/empty'
import { Errors, Form, type FormState, TextField } from '../pages/form'
import { Moment } from '../pages/moment'
import { Pager } from '../pages/pager'
import { Table, TableRow } from '../pages/table'
import { connectionNames } from './connection-names'
import { at, type ConsoleContext, type ConsoleEnv, pageOf, tenantOf } from './context'
import { show } from './layout'
import { done } from './notice'
import { Story } from './story'

export const peopleRoutes = new Hono<ConsoleEnv>()
  .get('/tenants/:slug/people', list)
  .get('/tenants/:slug/people/:id', person)
  .get('/tenants/:slug/people/:id/evidence', evidence)
  .post('/tenants/:slug/people/:id/revoke', revoke)

/** An operator of RFC 7644 §3.4.2.2 between spaces makes a filter of it. */
const FILTER = /\s(?:eq|ne|co|sw|ew|gt|ge|lt|le)\s|\spr\b/i

async function list(c: ConsoleContext): Promise<Response> {
  const tenant = await tenantOf(c)
  const { slug } = tenant
  const q = c.req.query('q')?.trim() ?? ''
  const narrowed = {
    role: c.req.query('role') || undefined,
    targetGroup: c.req.query('targetGroup') || undefined,
    group: c.req.query('group') || undefined,
  }
  const { items, nextCursor, problem } = await find(c, tenant, q, narrowed)
  const state: FormState = { values: new URLSearchParams({ q }), problem, id: 'search' }
  const path = at(slug, 'people')
  const page = {
    title: 'People',
    slug,
    section: 'people',
    body: (
      <>
        <section class="card">
          <Errors state={state} fields={['q']} />
          <Form action={path} method="get" class="inline" state={state} role="search" label="People">
            <TextField
              name="q"
              label="Find people"
              hint={
                <>
                  The beginning of a userName or displayName, an e-mail address, an externalId, an id; or a
                  SCIM filter such as <code>active eq false</code>.
                </>
              }
              type="search"
            />
            <button type="submit" class="primary">
              Find
            </button>
          </Form>
          {Object.values(narrowed).some(value => value !== undefined) && (
            <p class="small">
              Only those{' '}
              {narrowed.role === undefined ? 'in one target group' : `with the role ${narrowed.role}`}.{' '}
              <a href={path}>Show everybody</a>
            </p>
          )}
        </section>
        <section class="card flush">
          {items.length === 0 ? (
            <Nobody asked={q !== ''} goesOn={nextCursor !== undefined} />
          ) : (
            <People people={items} slug={slug} />
          )}
        </section>
        <Pager
          path={path}
          query={{ q, ...narrowed }}
          nextCursor={nextCursor}
          cursor={c.req.query('cursor')}
        />
      </>
    ),
  }
  return show(c, page, problem === undefined ? 200 : 400)
}

/** `group`: the group that is the role. */
type Narrowed = Readonly<Record<'role' | 'targetGroup' | 'group', string | undefined>>

async function find(
  c: ConsoleContext,
  tenant: OpenTenant,
  q: string,
  { role, targetGroup, group }: Narrowed,
): Promise<{ items: UserItem[]; nextCursor?: string; problem?: Problem }> {
  const { service } = c.var
  const operator = await asOperator(service, tenant)
  if (q !== '' && !FILTER.test(q)) return { items: await searchUsers(operator, q) }
  const filter = {
    filter: q === '' ? undefined : q,
    role,
    byAttribute: group === undefined,
    targetGroup,
    group,
  }
  try {
    return await listUsers(service, operator, filter, pageOf(c, 50))
  } catch (error) {
    if (!(error instanceof ScimError)) throw error
    return { items: [], problem: new Problem(400, error.detail, [{ path: 'q', message: error.detail }]) }
  }
}

/** `goesOn`: nobody among those who were looked at for this page. */
function Nobody({ asked, goesOn }: { asked: boolean; goesOn: boolean }) {
  if (goesOn)
    return (
      <Empty title="Nobody so far">
        <p>No index answers this, so that people are looked at one by one. The next page goes on.</p>
      </Empty>
    )
  return (
    <Empty title={asked ? 'Nobody is called so' : 'Nobody is here yet'}>
      <p>
        {asked
          ? 'Names are found from their beginning.'
          : 'People come with the first synchronisation of an identity provider.'}
      </p>
    </Empty>
  )
}

function People({ people, slug }: { people: readonly UserItem[]; slug: string }) {
  return (
    <Table columns={['Name', 'State', 'externalId', 'Roles', 'Target group', 'Changed (UTC)']}>
      {people.map(user => (
        <TableRow>
          <th scope="row" class="break">
            <a href={at(slug, 'people', user.id)}>{user.userName || user.id}</a>
          </th>
          <td>
            <Badge state={stateOf(user)} />
          </td>
          <td class="break">{user.externalId ?? '—'}</td>
          <td class="break">{user.roles.map(({ name }) => name).join(', ') || '—'}</td>
          <td class="break">{user.targetGroup?.name ?? '—'}</td>
          <td>
            <Moment at={user.updatedAt} />
          </td>
        </TableRow>
      ))}
    </Table>
  )
}

function stateOf({ active, deletedAt }: UserItem): string {
  if (deletedAt !== null) return 'deleted'
  return active ? 'active' : 'inactive'
}

async function person(c: ConsoleContext): Promise<Response> {
  const { service } = c.var
  const tenant = await tenantOf(c)
  const { slug } = tenant
  const id = c.req.param('id') ?? ''
  // Whoever is deleted may still have a story.
  const [user, story, connections] = await Promise.all([
    asOperator(service, tenant).then(operator => getUser(operator, id).catch(nobody)),
    readStory(service, tenant, id, pageOf(c)),
    connectionNames(service, tenant),
  ])
  if (!user && story.items.length === 0) throw new Problem(404, 'There is no such person.')
  const path = at(slug, 'people', id)
  return show(c, {
    title: user?.userName || nameIn(story.items) || id,
    slug,
    section: 'people',
    trail: [[at(slug, 'people'), 'People']],
    aside: <Badge state={user ? stateOf(user) : 'deleted'} />,
    body: (
      <>
        {user && (
          <div class="columns">
            <Facts user={user} slug={slug} connection={connections.get(user.connectionId)} />
            <Access user={user} slug={slug} />
          </div>
        )}
        <section class="card">
          <header>
            <h2>The whole story</h2>
            <a class="button small" href={`${path}/evidence`} download>
              Signed evidence (JSON)
            </a>
          </header>
          <p class="muted small">
            Newest first: what changed, the request that asked for it, and who was told; and what an identity
            provider asked about the person and was refused, as far as the activity goes back (
            {days(service.activityDays)}).
          </p>
          {story.items.length === 0 ? (
            <p>Nothing is known to have happened.</p>
          ) : (
            <Story entries={story.items} slug={slug} connections={connections} />
          )}
        </section>
        <Pager path={path} nextCursor={story.nextCursor} cursor={c.req.query('cursor')} />
      </>
    ),
  })
}

function nobody(error: unknown): undefined {
  if (error instanceof Problem && error.status === 404) return undefined
  throw error
}

function days(n: number): string {
  return n === 1 ? '1 day' : `${n} days`
}

/** What the last event called them. */
function nameIn(story: readonly StoryEntry[]): string | undefined {
  const user = story.flatMap(entry => ('event' in entry ? [entry.event] : []))[0]?.data.user
  const name = typeof user === 'object' && user !== null && 'userName' in user ? user.userName : undefined
  return typeof name === 'string' ? name : undefined
}

function Facts({ user, slug, connection }: { user: UserItem; slug: string; connection: string | undefined }) {
  const fields = Object.entries(user.profile).filter(([name]) => name !== 'userName' && name !== 'externalId')
  return (
    <section class="card">
      <h2>As your application sees them</h2>
      <dl class="facts">
        <dt>userName</dt>
        <dd>{user.userName || '—'}</dd>
        <dt>externalId</dt>
        <dd>{user.externalId ?? '—'}</dd>
        <dt>Id</dt>
        <dd>
          <code>{user.id}</code>
        </dd>
        <dt>Connection</dt>
        <dd>
          <a href={at(slug, 'connections', user.connectionId)}>{connection ?? user.connectionId}</a>
        </dd>
        <dt>Target group</dt>
        <dd>{user.targetGroup?.name ?? '—'}</dd>
        {fields.map(([name, value]) => (
          <>
            <dt>{name}</dt>
            <dd>{typeof value === 'string' ? value : JSON.stringify(value)}</dd>
          </>
        ))}
      </dl>
    </section>
  )
}

function Access({ user, slug }: { user: UserItem; slug: string }) {
  return (
    <section class="card">
      <h2>Access</h2>
      <dl class="facts">
        <dt>Roles</dt>
        <dd>
          {user.roles.length === 0 ? (
            'none'
          ) : (
            <ul class="plain-list">
              {user.roles.map(({ name, permissions, privileged }) => (
                <li>
                  {name} {privileged && <Badge state="privileged" />}
                  {permissions.length > 0 && <div class="small muted">{permissions.join(', ')}</div>}
                </li>
              ))}
            </ul>
          )}
        </dd>
        <dt>Sessions ended</dt>
        <dd>
          {user.sessionEpoch === 0 ? (
            'never'
          ) : (
            <>
              {user.sessionEpoch === 1 ? 'once' : `${user.sessionEpoch} times`}, at last{' '}
              <Moment at={user.sessionsNotBefore} />
            </>
          )}
        </dd>
        <dt>Created</dt>
        <dd>
          <Moment at={user.createdAt} />
        </dd>
        <dt>Changed</dt>
        <dd>
          <Moment at={user.updatedAt} />
        </dd>
      </dl>
      {user.deletedAt === null && (
        <Form action={at(slug, 'people', user.id, 'revoke')}>
          <p class="small muted">
            Every session that began before now is over, and each receiver is told. Whether the person may
            sign in again does not change.
          </p>
          <div class="row">
            <button type="submit" class="danger">
              Revoke now
            </button>
          </div>
        </Form>
      )}
    </section>
  )
}

/** The signed record as a file. */
async function evidence(c: ConsoleContext): Promise<Response> {
  const id = c.req.param('id') ?? ''
  const page = { limit: MAX_CASES, cursor: c.req.query('cursor') }
  const { record, jws, nextCursor } = await evidenceOf(c.var.service, await tenantOf(c), id, page)
  return fileReply(
    `evidence-${record.user.id.replace(/[^\w-]/g, '')}.json`,
    JSON.stringify({ record, jws, ...(nextCursor !== undefined && { nextCursor }) }, undefined, 2),
  )
}

async function revoke(c: ConsoleContext): Promise<Response> {
  const { service } = c.var
  const tenant = await tenantOf(c)
  const id = c.req.param('id') ?? ''
  c.executionCtx.waitUntil(publish(service, await endSessions(service, tenant, id)))
  return redirect(done(at(tenant.slug, 'people', id), 'sessions-revoked'))
}
