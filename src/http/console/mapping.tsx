// The mapping of a connection: edited in rows or as a document, tried on the users that there are, published, and rolled
// back.
import { Hono } from 'hono'
import { getConnection } from '../../administration/connections'
import { MOST_TRIED_UNASKED } from '../../administration/mapping-trial'
import {
  getMappingToTry,
  listMappingVersions,
  type MappingItem,
  type MappingPreview,
  type MappingState,
  mappingProblems,
  previewMapping,
  putMapping,
  rollbackMapping,
} from '../../administration/mappings'
import { listTargetGroups } from '../../administration/target-groups'
import type { Mapping } from '../../mapping/profile'
import { checkedWhole } from '../admin/body'
import { documentOf, newMapping } from '../admin/mappings'
import { Badge } from '../pages/badge'
import { ASKS_AGAIN, redirect } from '../pages/document'
import { Errors, Form, type FormState, type Option, TextArea } from '../pages/form'
import { Moment } from '../pages/moment'
import { Pager, withQuery } from '../pages/pager'
import { Progress } from '../pages/progress'
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
import { DOCUMENT } from './document-form'
import { show } from './layout'
import { asTyped, fitsRows, MappingRows, mappingFields, mappingOfRows } from './mapping-rows'
import { done } from './notice'
import { PREVIEW, Preview } from './preview'

export const mappingRoutes = new Hono<ConsoleEnv>()
  .get('/tenants/:slug/connections/:id/mapping', c => mappingPage(c))
  .post('/tenants/:slug/connections/:id/mapping', submit)
  .post('/tenants/:slug/connections/:id/mapping/rollback', rollback)

/** Target groups that can be chosen from; others are chosen in the document. */
const CHOICE = 200

interface Shown {
  readonly state?: FormState
  readonly preview?: MappingPreview
  /** What is wrong was found by trying, not by publishing. */
  readonly isTrial?: boolean
}

async function mappingPage(c: ConsoleContext, shown: Shown = {}, status = 200): Promise<Response> {
  const { service } = c.var
  const tenant = await tenantOf(c)
  const { slug, database } = tenant
  const id = c.req.param('id') ?? ''
  const [connection, mapping, versions, groups] = await Promise.all([
    getConnection(tenant, id),
    getMappingToTry(tenant, id),
    listMappingVersions(service, tenant, id, pageOf(c, 10)),
    listTargetGroups(service, { id: database.tenantId, database }, { limit: CHOICE }),
  ])
  const path = at(slug, 'connections', id, 'mapping')
  const { preview, state = {}, isTrial = false } = shown
  const { recompute } = mapping
  const asDocument = isDocument(c) || !fitsRows(mapping)
  const fields = asDocument ? [DOCUMENT] : mappingFields(state.values ?? new URLSearchParams())
  return show(
    c,
    {
      title: 'Mapping',
      slug,
      section: 'connections',
      trail: [
        [at(slug, 'connections'), 'Connections'],
        [at(slug, 'connections', id), connection.name],
      ],
      aside: (
        <Badge state={mapping.version === 0 ? 'as the profile' : `version ${mapping.version}`} tone="info" />
      ),
      lead: 'What this connection says on top of the profile: fields of its own, or in the place of those of the profile, and where people are put.',
      body: (
        <>
          {recompute.state === 'running' && (
            <section class="card">
              <Progress done={recompute.done} total={recompute.total} label="Users read anew" />
              <p>
                <a href={at(slug, 'jobs')}>Watch it</a>
              </p>
            </section>
          )}
          {!isTrial && <Errors state={state} fields={fields} />}
          <Editor
            path={path}
            mapping={mapping}
            state={state}
            asDocument={asDocument}
            targetGroups={groups.items.map(({ id: group, name }): Option => [group, name])}
          />
          <Preview users={mapping.users} preview={preview} state={isTrial ? state : {}} fields={fields} />
          <Versions path={path} versions={versions.items} current={mapping.version} />
          <Pager path={path} nextCursor={versions.nextCursor} cursor={c.req.query('cursor')} />
        </>
      ),
    },
    status,
    ASKS_AGAIN,
  )
}

function isDocument(c: ConsoleContext): boolean {
  return c.req.query('as') === 'document' || c.var.form.has(DOCUMENT)
}

function Editor({
  path,
  mapping,
  state,
  asDocument,
  targetGroups,
}: {
  path: string
  mapping: MappingState & { readonly users: number }
  state: FormState
  asDocument: boolean
  targetGroups: readonly Option[]
}) {
  return (
    <section class="card">
      <header>
        <h2>Fields and groups</h2>
        {asDocument ? (
          fitsRows(mapping) && <a href={path}>Edit in rows</a>
        ) : (
          <a href={withQuery(path, { as: 'document' })}>Edit as a document</a>
        )}
      </header>
      <Form action={path} state={state}>
        {asDocument ? (
          <TextArea
            name={DOCUMENT}
            label="Document (JSON)"
            value={JSON.stringify(bare(mapping), undefined, 2)}
            code
          />
        ) : (
          <MappingRows mapping={mapping} values={state.values} targetGroups={targetGroups} />
        )}
        <div class="row">
          <button
            type="submit"
            class="primary"
            name="action"
            value="preview"
            formaction={`${path}#${PREVIEW}`}
            data-live={mapping.users > MOST_TRIED_UNASKED ? undefined : PREVIEW}
          >
            Try it on the users that there are
          </button>
          <button type="submit" name="action" value="publish">
            Publish
          </button>
          {!asDocument && (
            <button type="submit" class="quiet" name="action" value="more">
              More rows
            </button>
          )}
        </div>
      </Form>
    </section>
  )
}

/** What was published, without what the service says of it. */
function bare({ fields, groupBy, targetGroup }: Mapping): Mapping {
  return { fields, groupBy, targetGroup }
}

function Versions({
  path,
  versions,
  current,
}: {
  path: string
  versions: readonly MappingItem[]
  current: number
}) {
  if (current === 0) return null
  const earlier = versions.filter(({ version }) => version !== current)
  return (
    <section class="card flush">
      <header>
        <h2>Versions</h2>
      </header>
      <Table columns={['Version', 'Since (UTC)', 'Says', 'Go back']}>
        {versions
          .filter(({ version }) => version === current)
          .map(one => (
            <Version path={path} item={one} isCurrent />
          ))}
        {earlier.map(one => (
          <Version path={path} item={one} />
        ))}
        <TableRow>
          <th scope="row">0</th>
          <td>
            <span class="muted">—</span>
          </td>
          <td>nothing on top of the profile</td>
          <td>
            <BackTo path={path} version={0} />
          </td>
        </TableRow>
      </Table>
    </section>
  )
}

function Version({
  path,
  item,
  isCurrent = false,
}: {
  path: string
  item: MappingItem
  isCurrent?: boolean
}) {
  const { version, createdAt } = item
  return (
    <TableRow>
      <th scope="row">
        {version} {isCurrent && <Badge state="in force" tone="ok" />}
      </th>
      <td>
        <Moment at={createdAt} />
      </td>
      <td>
        <details>
          <summary>{summary(item)}</summary>
          <pre>{JSON.stringify(bare(item), undefined, 2)}</pre>
        </details>
      </td>
      <td>{!isCurrent && <BackTo path={path} version={version} />}</td>
    </TableRow>
  )
}

function summary({ fields, groupBy, targetGroup }: MappingItem): string {
  const parts = [
    `${fields.length} ${fields.length === 1 ? 'field' : 'fields'}`,
    ...(groupBy ? ['grouped'] : []),
    ...(targetGroup === null ? [] : ['a target group']),
  ]
  return parts.join(', ')
}

function BackTo({ path, version }: { path: string; version: number }) {
  return (
    <Form action={`${path}/rollback`}>
      <input type="hidden" name="version" value={String(version)} />
      <button type="submit" class="small">
        Publish again<span class="hidden-visually">: version {version}</span>
      </button>
    </Form>
  )
}

function submit(c: ConsoleContext): Promise<Response> {
  const { service, form } = c.var
  const id = c.req.param('id') ?? ''
  const action = form.get('action')
  const state = { values: form }
  if (action === 'more') return mappingPage(c, { state })
  return attemptInTenant(
    c,
    async tenant => {
      const mapping = documentOf(
        await checkedWhole(
          newMapping,
          isDocument(c) ? parseTyped(form.get(DOCUMENT) ?? '', DOCUMENT) : mappingOfRows(form),
          document => mappingProblems(service, tenant, id, document),
        ),
      )
      if (action !== 'publish')
        return mappingPage(c, { state, preview: await previewMapping(service, tenant, id, mapping) })
      await putMapping(service, tenant, id, mapping)
      return redirect(done(at(tenant.slug, 'connections', id, 'mapping'), 'published'))
    },
    ({ problem }, status) => {
      const shown = isDocument(c) ? problem : problem && asTyped(problem, form)
      return mappingPage(c, { state: { ...state, problem: shown }, isTrial: action !== 'publish' }, status)
    },
  )
}

function rollback(c: ConsoleContext): Promise<Response> {
  const { service, form } = c.var
  const id = c.req.param('id') ?? ''
  return attemptInTenant(
    c,
    async tenant => {
      const given = form.get('version') ?? ''
      await rollbackMapping(service, tenant, id, /^\d{1,9}$/.test(given) ? Number(given) : -1)
      return redirect(done(at(tenant.slug, 'connections', id, 'mapping'), 'rolled-back'))
    },
    ({ problem }, status) => mappingPage(c, { state: { problem } }, status),
  )
}
