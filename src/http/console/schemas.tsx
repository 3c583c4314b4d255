// A tenant's own schemas: the list, and each as a document to edit.
import { Hono } from 'hono'
import { asOperator } from '../../administration/as-operator'
import type { OpenTenant } from '../../administration/open-tenant'
import { Problem } from '../../administration/problem'
import { deleteSchema, getSchema, listSchemas, putSchema } from '../../administration/schemas'
import type { JsonObject } from '../../scim/json'
import { checked } from '../admin/body'
import { putSchemaDocument } from '../admin/schemas'
import { redirect } from '../pages/document'
import { Empty } from '../pages/empty'
import { type FormState, Select, TextField } from '../pages/form'
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
  typed,
} from './context'
import { DOCUMENT, DocumentDeletion, DocumentForm } from './document-form'
import { show } from './layout'
import { done } from './notice'

/** A URN has colons and, seldom, a slash: it travels in the query. */
export const schemaRoutes = new Hono<ConsoleEnv>()
  .get('/tenants/:slug/schemas', list)
  .get('/tenants/:slug/schemas/edit', c => edit(c))
  .post('/tenants/:slug/schemas/edit', put)
  .post('/tenants/:slug/schemas/delete', remove)

async function list(c: ConsoleContext): Promise<Response> {
  const tenant = await tenantOf(c)
  const { slug } = tenant
  const { items, nextCursor } = await listSchemas(c.var.service, tenant, pageOf(c))
  const fresh = at(slug, 'schemas', 'edit')
  return show(c, {
    title: 'Schemas',
    slug,
    section: 'schemas',
    lead: 'Attributes of this tenant beyond the standard. What is published in /Schemas is what is enforced.',
    actions: (
      <a class="button primary" href={fresh}>
        New schema
      </a>
    ),
    body: (
      <>
        <section class="card flush">
          {items.length === 0 ? (
            <Empty title="Nothing beyond the standard">
              <p>A schema adds attributes to people, groups or resources of the tenant's own types.</p>
            </Empty>
          ) : (
            <Table columns={['Name', 'URN', 'Extends', { number: 'Attributes' }]}>
              {items.map(schema => (
                <TableRow>
                  <th scope="row" class="break">
                    <a href={withQuery(fresh, { urn: String(schema.id) })}>{String(schema.name)}</a>
                  </th>
                  <td>
                    <code>{String(schema.id)}</code>
                  </td>
                  <td>{String(schema.extends)}</td>
                  <td class="number">{Array.isArray(schema.attributes) ? schema.attributes.length : 0}</td>
                </TableRow>
              ))}
            </Table>
          )}
        </section>
        <Pager path={at(slug, 'schemas')} nextCursor={nextCursor} cursor={c.req.query('cursor')} />
      </>
    ),
  })
}

const EXAMPLE = {
  name: 'Badge',
  description: 'What opens doors',
  attributes: [{ name: 'badge', type: 'string', multiValued: false, uniqueness: 'server' }],
}

async function edit(c: ConsoleContext, state: FormState = {}, status = 200): Promise<Response> {
  const tenant = await tenantOf(c)
  const { slug } = tenant
  const urn = c.req.query('urn')
  const schema = urn === undefined ? undefined : await getSchema(tenant, urn)
  const page = {
    title: schema ? String(schema.name) : 'New schema',
    slug,
    section: 'schemas',
    trail: [[at(slug, 'schemas'), 'Schemas']] as const,
    body: (
      <>
        <DocumentForm
          action={withQuery(at(slug, 'schemas', 'edit'), { urn })}
          state={state}
          document={schema ? withoutMeta(schema) : EXAMPLE}
          hint="A schema document of RFC 7643 §7. It counts from the next request on; stored data that contradicts it is named."
          save={schema ? 'Save' : 'Create the schema'}
          cancel={at(slug, 'schemas')}
        >
          {!schema && <NewFields types={await typesOf(c, tenant)} />}
        </DocumentForm>
        {urn !== undefined && (
          <DocumentDeletion action={withQuery(at(slug, 'schemas', 'delete'), { urn })} what="schema">
            It can be deleted while no resource has a value of it.
          </DocumentDeletion>
        )}
      </>
    ),
  }
  return show(c, page, status)
}

function NewFields({ types }: { types: readonly string[] }) {
  return (
    <div class="pair">
      <TextField
        name="urn"
        label="URN"
        hint="Such as urn:example:scim:badge:1.0:User. The enterprise URN adds to the enterprise extension."
        required
        code
      />
      <Select name="extends" label="Extends" options={types.map(name => [name, name])} />
    </div>
  )
}

async function typesOf(c: ConsoleContext, tenant: OpenTenant): Promise<string[]> {
  return (await asOperator(c.var.service, tenant)).resourceTypes.map(({ name }) => name)
}

/** What is made of it need not be sent back. */
function withoutMeta({ meta: _, schemas: __, ...document }: JsonObject): JsonObject {
  return document
}

function put(c: ConsoleContext): Promise<Response> {
  const { service, form } = c.var
  const urn = c.req.query('urn') ?? typed(form, 'urn')
  return attemptInTenant(
    c,
    async tenant => {
      if (urn === undefined)
        throw new Problem(422, 'The URN is required.', [{ path: 'urn', message: 'is required' }])
      const given = checked(putSchemaDocument, parseTyped(form.get(DOCUMENT) ?? '', DOCUMENT))
      const { schemas: _, meta: __, extends: inDocument, ...document } = given
      const extended = typed(form, 'extends') ?? inDocument
      const { created } = await putSchema(service, tenant, urn, extended, document as unknown as JsonObject)
      return redirect(done(at(tenant.slug, 'schemas'), created ? 'created' : 'saved'))
    },
    (state, status) => edit(c, state, status),
  )
}

function remove(c: ConsoleContext): Promise<Response> {
  return attemptInTenant(
    c,
    async tenant => {
      await deleteSchema(tenant, c.req.query('urn') ?? '')
      return redirect(done(at(tenant.slug, 'schemas'), 'deleted'))
    },
    ({ problem }, status) => edit(c, { problem }, status),
  )
}
