// Roles: what each permits, and whether its loss ends sessions.
import { Hono } from 'hono'
import { asOperator } from '../../administration/as-operator'
import { listRoles, type RoleItem, updateRoleSettings } from '../../administration/roles'
import { checked } from '../admin/body'
import { roleSettings } from '../admin/roles'
import { Badge } from '../pages/badge'
import { redirect } from '../pages/document'
import { Empty } from '../pages/empty'
import { Checkbox, Errors, Form, type FormState, TextArea } from '../pages/form'
import { Pager, withQuery } from '../pages/pager'
import { at, attemptInTenant, type ConsoleContext, type ConsoleEnv, pageOf, tenantOf } from './context'
import { show } from './layout'
import { done } from './notice'

export const roleRoutes = new Hono<ConsoleEnv>()
  .get('/tenants/:slug/roles', c => list(c))
  .post('/tenants/:slug/roles/:id', change)

async function list(c: ConsoleContext, state: FormState = {}, status = 200): Promise<Response> {
  const { service } = c.var
  const tenant = await tenantOf(c)
  const { slug } = tenant
  const { items, nextCursor } = await listRoles(service, await asOperator(service, tenant), pageOf(c))
  const page = {
    title: 'Roles',
    slug,
    section: 'roles',
    lead: 'Which people have in your application, from an attribute or from a group. Losing a privileged one ends sessions.',
    body: (
      <>
        <Errors state={state} fields={['permissions', 'privileged']} />
        {items.length === 0 ? (
          <section class="card">
            <Empty title="No roles yet">
              <p>
                The profile says where roles come from; they are here once it names some or somebody has one.
              </p>
            </Empty>
          </section>
        ) : (
          <div class="columns">
            {items.map(role => (
              <Role
                role={role}
                slug={slug}
                cursor={c.req.query('cursor')}
                state={state.id === role.id ? state : { id: role.id }}
              />
            ))}
          </div>
        )}
        <Pager path={at(slug, 'roles')} nextCursor={nextCursor} cursor={c.req.query('cursor')} />
      </>
    ),
  }
  return show(c, page, status)
}

function Role({
  role,
  slug,
  cursor,
  state,
}: {
  role: RoleItem
  slug: string
  cursor: string | undefined
  state: FormState
}) {
  const { id, name, source, permissions, privileged, members } = role
  const people = withQuery(at(slug, 'people'), { role: name, group: source === 'group' ? id : undefined })
  return (
    <section class="card">
      <header>
        <h2 class="break">{name}</h2>
        <span class="row">
          {privileged && <Badge state="privileged" />}
          <Badge state={`from ${source === 'group' ? 'a group' : 'an attribute'}`} />
        </span>
      </header>
      <p>
        <a href={people}>{members === 1 ? '1 person' : `${members.toLocaleString('en')} people`}</a>
      </p>
      <Form action={withQuery(at(slug, 'roles', id), { cursor })} state={state}>
        <TextArea
          name="permissions"
          label="Permissions"
          hint="One a line, as your application knows them."
          value={permissions.join('\n')}
          rows={4}
        />
        <Checkbox name="privileged" label="Privileged: losing it ends sessions" checked={privileged} />
        <div class="row end">
          <button type="submit">Save</button>
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
      const lines = (form.get('permissions') ?? '').split(/\r?\n/).map(line => line.trim())
      const permissions = lines.filter(line => line !== '')
      const settings = checked(roleSettings, { permissions, privileged: form.get('privileged') === 'true' })
      await updateRoleSettings(tenant, await asOperator(service, tenant), id, settings)
      return redirect(done(at(tenant.slug, 'roles'), 'saved'))
    },
    (state, status) => list(c, { ...state, id }, status),
  )
}
