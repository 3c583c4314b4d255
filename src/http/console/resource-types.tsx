// A tenant's own resource types: the list, and each as a document to edit.
import { Hono } from 'hono'
import {
  deleteResourceType,
  getResourceType,
  listResourceTypes,
  putResourceType,
} from '../../administration/resource-types'
import type { JsonObject } from '../../scim/json'
import { checked } from '../admin/body'
import { putTypeDocument } from '../admin/resource-types'
import { redirect } from '../pages/document'
import { Empty } from '../pages/empty'
import type { FormState } from '../pages/form'
import { Pager, withQuery } from '../pages/pager'
import { Table, TableRow } from '../pages/table'
import {
  at,
  attemptInTenant,
  type ConsoleContext,
  type ConsoleEnv,
  pageOf,
  parseTyped,
  tenantOf,
} from './context'
import { DOCUMENT, DocumentDeletion, DocumentForm } from './document-form'
import { show } from './layout'
import { done } from './notice'

export const resourceTypeRoutes = new Hono<ConsoleEnv>()
  .get('/tenants/:slug/resource-types', list)
  .get('/tenants/:slug/resource-types/edit', c => edit(c))
  .post('/tenants/:slug/resource-types/edit', put)
  .post('/tenants/:slug/resource-types/delete', remove)

async function list(c: ConsoleContext): Promise<Response> {
  const tenant = await tenantOf(c)
  const { slug } = tenant
  const { items, nextCursor } = await listResourceTypes(c.var.service, tenant, pageOf(c))
  const fresh = at(slug, 'resource-types', 'edit')
  return show(c, {
    title: 'Resource types',
    slug,
    section: 'resource-types',
    lead: 'What this tenant has beside people and groups, with all that people have: filters, PATCH, paging, discovery.',
    actions: (
      <a class="button primary" href={fresh}>
        New resource type
      </a>
    ),
    body: (
      <>
        <section class="card flush">
          {items.length === 0 ? (
            <Empty title="People and groups, and nothing else">
              <p>A type of the tenant's own gets an endpoint below its base URL.</p>
            </Empty>
          ) : (
            <Table columns={['Name', 'Endpoint', 'Schema', { number: 'Extensions' }]}>
              {items.map(({ name, endpoint, schema, extensions }) => (
                <TableRow>
                  <th scope="row">
                    <a href={withQuery(fresh, { name })}>{name}</a>
                  </th>
                  <td>
                    <code>{endpoint}</code>
                  </td>
                  <td>
                    <code>{String(schema.id)}</code>
                  </td>
                  <td class="number">{extensions.length}</td>
                </TableRow>
              ))}
            </Table>
          )}
        </section>
        <Pager path={at(slug, 'resource-types')} nextCursor={nextCursor} cursor={c.req.query('cursor')} />
      </>
    ),
  })
}

const EXAMPLE = {
  name: 'Device',
  endpoint: '/Devices',
  description: 'What people are given',
  schema: {
    id: 'urn:example:scim:1.0:Device',
    name: 'Device',
    attributes: [{ name: 'serial', type: 'string', required: true, uniqueness: 'server' }],
  },
}

async function edit(c: ConsoleContext, state: FormState = {}, status = 200): Promise<Response> {
  const tenant = await tenantOf(c)
  const { slug } = tenant
  const name = c.req.query('name')
  const type = name === undefined ? undefined : await getResourceType(tenant, name)
  const page = {
    title: type ? type.name : 'New resource type',
    slug,
    section: 'resource-types',
    trail: [[at(slug, 'resource-types'), 'Resource types']] as const,
    body: (
      <>
        <DocumentForm
          action={withQuery(at(slug, 'resource-types', 'edit'), { name })}
          state={state}
          document={type ?? EXAMPLE}
          hint="Name, endpoint, schema and extensions. It counts from the next request on; stored data that contradicts it is named."
          save={type ? 'Save' : 'Create the resource type'}
          cancel={at(slug, 'resource-types')}
        />
        {name !== undefined && (
          <DocumentDeletion
            action={withQuery(at(slug, 'resource-types', 'delete'), { name })}
            what="resource type"
          >
            It can be deleted while there are no resources of it.
          </DocumentDeletion>
        )}
      </>
    ),
  }
  return show(c, page, status)
}

function put(c: ConsoleContext): Promise<Response> {
  const { service, form } = c.var
  return attemptInTenant(
    c,
    async tenant => {
      const document = checked(putTypeDocument, parseTyped(form.get(DOCUMENT) ?? '', DOCUMENT))
      const name = c.req.query('name') ?? document.name ?? ''
      const { created } = await putResourceType(service, tenant, name, document as unknown as JsonObject)
      return redirect(done(at(tenant.slug, 'resource-types'), created ? 'created' : 'saved'))
    },
    (state, status) => edit(c, state, status),
  )
}

function remove(c: ConsoleContext): Promise<Response> {
  return attemptInTenant(
    c,
    async tenant => {
      await deleteResourceType(tenant, c.req.query('name') ?? '')
      return redirect(done(at(tenant.slug, 'resource-types'), 'deleted'))
    },
    ({ problem }, status) => edit(c, { problem }, status),
  )
}
