// App keys, by which applications read the directory: those that there are, another one, the end of one.
import { Hono } from 'hono'
import { createAppKey, endAppKey, listAppKeys } from '../../administration/app-keys'
import { appKeyName } from '../admin/app-keys'
import { checked } from '../admin/body'
import { redirect } from '../pages/document'
import { Empty } from '../pages/empty'
import { Errors, Form, type FormState, TextField } from '../pages/form'
import { Moment } from '../pages/moment'
import { Pager } from '../pages/pager'
import { Table, TableRow } from '../pages/table'
import { at, attemptInTenant, type ConsoleContext, type ConsoleEnv, pageOf, tenantOf, typed } from './context'
import { show } from './layout'
import { done } from './notice'
import { Secret } from './secret'

export const appKeyRoutes = new Hono<ConsoleEnv>()
  .get('/tenants/:slug/app-keys', c => list(c))
  .post('/tenants/:slug/app-keys', create)
  .post('/tenants/:slug/app-keys/:id/delete', remove)

async function list(c: ConsoleContext, state: FormState = {}, status = 200): Promise<Response> {
  const tenant = await tenantOf(c)
  const { slug } = tenant
  const { items, nextCursor } = await listAppKeys(c.var.service, tenant, pageOf(c))
  const page = {
    title: 'App keys',
    slug,
    section: 'app-keys',
    lead: "Each reads this tenant's directory: its people, and whose sessions were ended. None can change anything.",
    body: (
      <>
        <section class="card">
          <h2>New app key</h2>
          <Errors state={state} fields={['name']} />
          <Form action={at(slug, 'app-keys')} state={state} class="inline">
            <TextField name="name" label="Name" hint="What uses it." />
            <button type="submit" class="primary">
              Make a key, and show it
            </button>
          </Form>
        </section>
        <section class="card flush">
          {items.length === 0 ? (
            <Empty title="No app keys yet">
              <p>
                An application that asks for people itself, or polls whose sessions were ended, needs one.
              </p>
            </Empty>
          ) : (
            <Table columns={['Name', 'Ends in', 'Created', 'Last used', 'Revoke']}>
              {items.map(({ id, name, hint, createdAt, lastUsedAt }) => (
                <TableRow>
                  <th scope="row" class="break">
                    {name ?? 'without a name'}
                  </th>
                  <td>
                    <code>…{hint}</code>
                  </td>
                  <td>
                    <Moment at={createdAt} />
                  </td>
                  <td>
                    <Moment at={lastUsedAt} never="never" />
                  </td>
                  <td>
                    <Form action={at(slug, 'app-keys', id, 'delete')}>
                      <button type="submit" class="small">
                        Revoke<span class="hidden-visually"> the key that ends in {hint}</span>
                      </button>
                    </Form>
                  </td>
                </TableRow>
              ))}
            </Table>
          )}
        </section>
        <Pager path={at(slug, 'app-keys')} nextCursor={nextCursor} cursor={c.req.query('cursor')} />
      </>
    ),
  }
  return show(c, page, status)
}

function create(c: ConsoleContext): Promise<Response> {
  const { service, form } = c.var
  return attemptInTenant(
    c,
    async tenant => {
      const key = await createAppKey(service, tenant, checked(appKeyName, { name: typed(form, 'name') }))
      const { slug } = tenant
      const directory = `${new URL(c.req.url).origin}/directory/v1/tenants/${slug}`
      return show(c, {
        title: 'The key is there',
        slug,
        section: 'app-keys',
        body: (
          <Secret
            title="Give these two to your application"
            values={[
              ['Directory', directory],
              ['App key', key.value],
            ]}
            next={[at(slug, 'app-keys'), 'I have taken the key; to the list']}
          />
        ),
      })
    },
    (state, status) => list(c, state, status),
  )
}

async function remove(c: ConsoleContext): Promise<Response> {
  const tenant = await tenantOf(c)
  await endAppKey(tenant, c.req.param('id') ?? '')
  return redirect(done(at(tenant.slug, 'app-keys'), 'revoked'))
}
