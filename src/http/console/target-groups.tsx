// Target groups: those that there are, a new one, and the end of one that nobody is in.
import { Hono } from 'hono'
import {
  createTargetGroup,
  listTargetGroups,
  removeTargetGroup,
  type TargetGroupItem,
} from '../../administration/target-groups'
import { checked } from '../admin/body'
import { newTargetGroup } from '../admin/target-groups'
import { redirect } from '../pages/document'
import { Empty } from '../pages/empty'
import { Errors, Form, type FormState, TextField } from '../pages/form'
import { Pager, withQuery } from '../pages/pager'
import { Table, TableRow } from '../pages/table'
import { at, attemptInTenant, type ConsoleContext, type ConsoleEnv, pageOf, tenantOf, typed } from './context'
import { show } from './layout'
import { done } from './notice'

export const targetGroupRoutes = new Hono<ConsoleEnv>()
  .get('/tenants/:slug/target-groups', c => list(c))
  .post('/tenants/:slug/target-groups', create)
  .post('/tenants/:slug/target-groups/:id/delete', remove)

async function list(c: ConsoleContext, state: FormState = {}, status = 200): Promise<Response> {
  const { slug, database } = await tenantOf(c)
  const reader = { id: database.tenantId, database }
  const { items, nextCursor } = await listTargetGroups(c.var.service, reader, pageOf(c, 50))
  const page = {
    title: 'Target groups',
    slug,
    section: 'target-groups',
    lead: 'Where a mapping puts people in your application: by the value of an attribute, or one group for all others.',
    body: (
      <>
        <section class="card">
          <h2>New target group</h2>
          <Errors state={state} fields={['name']} />
          <Form action={at(slug, 'target-groups')} state={state} class="inline">
            <TextField name="name" label="Name" required />
            <button type="submit" class="primary">
              Create
            </button>
          </Form>
        </section>
        <section class="card flush">
          {items.length === 0 ? (
            <Empty title="No target groups yet">
              <p>
                A mapping makes those that its rule needs; one that it names as its fallback is made here
                first.
              </p>
            </Empty>
          ) : (
            <Table columns={['Name', 'Made by', { number: 'People' }, 'Id', 'Delete']}>
              {items.map(group => (
                <Row group={group} slug={slug} />
              ))}
            </Table>
          )}
        </section>
        <Pager path={at(slug, 'target-groups')} nextCursor={nextCursor} cursor={c.req.query('cursor')} />
      </>
    ),
  }
  return show(c, page, status)
}

function Row({ group, slug }: { group: TargetGroupItem; slug: string }) {
  const { id, name, managed, members } = group
  return (
    <TableRow>
      <th scope="row" class="break">
        {name}
      </th>
      <td>{managed === 'rule' ? 'a rule; goes with its last user' : 'you'}</td>
      <td class="number">
        <a href={withQuery(at(slug, 'people'), { targetGroup: id })}>{members.toLocaleString('en')}</a>
      </td>
      <td>
        <code>{id}</code>
      </td>
      <td>
        {members === 0 && (
          <Form action={at(slug, 'target-groups', id, 'delete')}>
            <button type="submit" class="small">
              Delete<span class="hidden-visually"> {name}</span>
            </button>
          </Form>
        )}
      </td>
    </TableRow>
  )
}

function create(c: ConsoleContext): Promise<Response> {
  const { service, form } = c.var
  return attemptInTenant(
    c,
    async tenant => {
      await createTargetGroup(service, tenant, checked(newTargetGroup, { name: typed(form, 'name') }).name)
      return redirect(done(at(tenant.slug, 'target-groups'), 'created'))
    },
    (state, status) => list(c, state, status),
  )
}

function remove(c: ConsoleContext): Promise<Response> {
  return attemptInTenant(
    c,
    async tenant => {
      await removeTargetGroup(tenant, c.req.param('id') ?? '')
      return redirect(done(at(tenant.slug, 'target-groups'), 'deleted'))
    },
    ({ problem }, status) => list(c, { problem }, status),
  )
}
