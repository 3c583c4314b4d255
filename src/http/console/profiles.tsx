// The deployment's profiles: the list, each as a document to edit, and its versions.
import { Hono } from 'hono'
import { invalid, Problem } from '../../administration/problem'
import {
  getProfile,
  listProfiles,
  listProfileVersions,
  type ProfileItem,
  profileProblems,
  putProfile,
  removeProfile,
} from '../../administration/profiles'
import { checkedWhole } from '../admin/body'
import { newProfile, profileDocumentOf } from '../admin/profiles'
import { Badge } from '../pages/badge'
import { redirect } from '../pages/document'
import { Empty } from '../pages/empty'
import type { FormState } from '../pages/form'
import { Moment } from '../pages/moment'
import { Pager } from '../pages/pager'
import { Table, TableRow } from '../pages/table'
import { attempt, CONSOLE, type ConsoleContext, type ConsoleEnv, pageOf, parseTyped } from './context'
import { DOCUMENT, DocumentDeletion, DocumentForm } from './document-form'
import { show } from './layout'
import { done } from './notice'

const PROFILES = `${CONSOLE}/profiles`

export const profileRoutes = new Hono<ConsoleEnv>()
  .get('/profiles', list)
  .get('/new-profile', c => newPage(c))
  .post('/new-profile', create)
  .get('/profiles/:name', c => edit(c))
  .post('/profiles/:name', put)
  .post('/profiles/:name/delete', remove)

async function list(c: ConsoleContext): Promise<Response> {
  const { items, nextCursor } = await listProfiles(c.var.service, pageOf(c, 50))
  return show(c, {
    title: 'Profiles',
    section: 'profiles',
    lead: 'How each application sees a user: its fields, roles and rules. A tenant has one of them.',
    actions: (
      <a class="button primary" href={`${CONSOLE}/new-profile`}>
        New profile
      </a>
    ),
    body: (
      <>
        <section class="card flush">
          <Table columns={['Profile', 'Name', 'Version', { number: 'Fields' }, 'Changed (UTC)']}>
            {items.map(({ name, title, version, shipped, user, createdAt }) => (
              <TableRow>
                <th scope="row" class="break">
                  <a href={`${PROFILES}/${name}`}>{title}</a>
                </th>
                <td>
                  <code>{name}</code>
                </td>
                <td>
                  {version}{' '}
                  {shipped && <Badge state={version === 0 ? 'as it ships' : 'ships, changed here'} />}
                </td>
                <td class="number">{user.fields.length}</td>
                <td>
                  <Moment at={createdAt} />
                </td>
              </TableRow>
            ))}
          </Table>
        </section>
        <Pager path={PROFILES} nextCursor={nextCursor} cursor={c.req.query('cursor')} />
      </>
    ),
  })
}

const EXAMPLE = {
  name: 'my-application',
  title: 'My application',
  user: {
    fields: [
      { field: 'email', source: 'emails[type eq "work"].value', required: true, fallback: ['userName'] },
      { field: 'displayName', source: 'displayName' },
    ],
    role: {
      source: 'roles[primary eq true].value',
      values: ['ADMIN', 'MEMBER'],
      default: 'MEMBER',
      privileged: ['ADMIN'],
    },
  },
}

const HINT =
  'Every tenant that has the profile gets the new version in the background, and its users are read anew by it.'

function newPage(c: ConsoleContext, state: FormState = {}, status = 200): Response {
  const page = {
    title: 'New profile',
    section: 'profiles',
    trail: [[PROFILES, 'Profiles']] as const,
    body: (
      <DocumentForm
        action={`${CONSOLE}/new-profile`}
        state={state}
        document={EXAMPLE}
        hint="Its name is in it, and never changes."
        save="Create the profile"
        cancel={PROFILES}
      />
    ),
  }
  return show(c, page, status)
}

async function edit(c: ConsoleContext, state: FormState = {}, status = 200): Promise<Response> {
  const { service } = c.var
  const name = c.req.param('name') ?? ''
  const chosen = c.req.query('version')
  const version = chosen !== undefined && /^\d{1,9}$/.test(chosen) ? Number(chosen) : undefined
  const [profile, versions] = await Promise.all([
    getProfile(service, name, version),
    listProfileVersions(service, name, pageOf(c, 20)),
  ])
  const path = `${PROFILES}/${name}`
  const page = {
    title: profile.title,
    section: 'profiles',
    trail: [[PROFILES, 'Profiles']] as const,
    aside: <Badge state={`version ${profile.version}`} tone="info" />,
    body: (
      <>
        <DocumentForm
          action={path}
          state={state}
          document={documentOf(profile)}
          hint={HINT}
          save={version === undefined ? 'Publish as a new version' : 'Publish this version again'}
          cancel={PROFILES}
        />
        <Versions path={path} versions={versions.items} shown={profile.version} />
        <Pager path={path} nextCursor={versions.nextCursor} cursor={c.req.query('cursor')} />
        {profile.createdAt !== null && (
          <DocumentDeletion action={`${path}/delete`} what="profile">
            Every version goes, while no tenant has the profile. One that ships with the service is as it
            ships again.
          </DocumentDeletion>
        )}
      </>
    ),
  }
  return show(c, page, status)
}

function Versions({
  path,
  versions,
  shown,
}: {
  path: string
  versions: readonly ProfileItem[]
  shown: number
}) {
  return (
    <section class="card flush">
      <header>
        <h2>Versions</h2>
      </header>
      {versions.length === 0 ? (
        <Empty title="No versions" />
      ) : (
        <Table columns={['Version', 'Since (UTC)', { number: 'Fields' }]}>
          {versions.map(({ version, createdAt, user }) => (
            <TableRow>
              <th scope="row">
                <a href={`${path}?version=${version}`} aria-current={version === shown ? 'true' : undefined}>
                  {version === 0 ? '0, as it ships' : version}
                </a>
              </th>
              <td>
                <Moment at={createdAt} />
              </td>
              <td class="number">{user.fields.length}</td>
            </TableRow>
          ))}
        </Table>
      )}
    </section>
  )
}

/** What is edited: the document without what the service says of it. */
function documentOf({ version: _, shipped: __, createdAt: ___, ...document }: ProfileItem): object {
  return document
}

function create(c: ConsoleContext): Promise<Response> {
  const { service, form } = c.var
  return attempt(
    c,
    async () => {
      const document = await documentFrom(form)
      if (await getProfile(service, document.name).catch(none))
        throw invalid('name', 'is taken: open that profile to make a new version of it')
      await putProfile(service, document.name, document)
      return redirect(done(`${PROFILES}/${document.name}`, 'created'))
    },
    (state, status) => newPage(c, state, status),
  )
}

/** `name`: of the profile that is edited. */
async function documentFrom(form: URLSearchParams, name?: string) {
  const typed = parseTyped(form.get(DOCUMENT) ?? '', DOCUMENT)
  const given = await checkedWhole(newProfile, typed, async document => profileProblems(name, document))
  return profileDocumentOf(given)
}

function none(error: unknown): undefined {
  if (error instanceof Problem && error.status === 404) return undefined
  throw error
}

function put(c: ConsoleContext): Promise<Response> {
  const { service, form } = c.var
  const name = c.req.param('name') ?? ''
  return attempt(
    c,
    async () => {
      await putProfile(service, name, await documentFrom(form, name))
      return redirect(done(`${PROFILES}/${name}`, 'saved'))
    },
    (state, status) => edit(c, state, status),
  )
}

function remove(c: ConsoleContext): Promise<Response> {
  return attempt(
    c,
    async () => {
      await removeProfile(c.var.service, c.req.param('name') ?? '')
      return redirect(done(PROFILES, 'deleted'))
    },
    ({ problem }, status) => edit(c, { problem }, status),
  )
}
