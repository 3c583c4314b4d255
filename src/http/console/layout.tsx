// The frame of the console's pages: what is above them, beside them, and where they are.
import type { Child } from 'hono/jsx'
import { Document, Mark, pageReply } from '../pages/document'
import { Form, FormToken } from '../pages/form'
import { at, CONSOLE, type ConsoleContext } from './context'
import { type Section, sections, tenantSections } from './navigation'
import { Notice } from './notice'

export interface Page {
  readonly title: string
  /** The section it belongs to: a path of navigation.ts. */
  readonly section?: string
  /** The tenant it is about. */
  readonly slug?: string
  /** Pages above it, the topmost first. */
  readonly trail?: readonly (readonly [href: string, text: string])[]
  /** Beside the heading: badges. */
  readonly aside?: Child
  /** At the other end of the heading: what can be done. */
  readonly actions?: Child
  readonly lead?: Child
  readonly body: Child
}

/** The page as a reply, in the frame. */
export function show(
  c: ConsoleContext,
  page: Page,
  status = 200,
  headers: Readonly<Record<string, string>> = {},
): Response {
  const { title, slug, section, trail = [], aside, actions, lead, body } = page
  const inTenant = slug !== undefined
  return pageReply(
    status,
    <FormToken.Provider value={c.var.formToken}>
      <Document
        title={inTenant ? `${title} · ${slug}` : title}
        bar={<Bar current={inTenant ? 'tenants' : section} name={c.var.session.name} />}
        frame={inTenant ? 'with-side' : ''}
      >
        {inTenant && <Side slug={slug} current={section} />}
        <main id="main" tabindex={-1}>
          {trail.length > 0 && <Trail trail={trail} />}
          <div class="head">
            <div class="title">
              <h1>{title}</h1>
              {aside}
            </div>
            {actions && <div class="row">{actions}</div>}
          </div>
          {lead && <p class="lead">{lead}</p>}
          <Notice name={c.req.query('done')} />
          {body}
        </main>
      </Document>
    </FormToken.Provider>,
    headers,
  )
}

function Bar({ current, name }: { current?: string | undefined; name?: string | undefined }) {
  return (
    <header class="bar">
      <a class="brand" href={CONSOLE}>
        <Mark />
        edge-scim
      </a>
      <nav aria-label="Console">
        <Menu sections={sections} base={CONSOLE} current={current} />
      </nav>
      <Form action={`${CONSOLE}/sign-out`} label="Session">
        {name && <span class="small muted">{name}</span>}
        <button type="submit" class="quiet">
          Sign out
        </button>
      </Form>
    </header>
  )
}

function Side({ slug, current }: { slug: string; current?: string | undefined }) {
  return (
    <nav class="side" aria-label="Tenant">
      <p class="title">{slug}</p>
      <Menu sections={tenantSections} base={at(slug)} current={current} />
    </nav>
  )
}

function Menu({
  sections: listed,
  base,
  current,
}: {
  sections: readonly Section[]
  base: string
  current?: string | undefined
}) {
  return (
    <ul>
      {listed.map(({ path, title }) => (
        <li>
          <a
            href={path === '' ? base : `${base}/${path}`}
            aria-current={path === current ? 'page' : undefined}
          >
            {title}
          </a>
        </li>
      ))}
    </ul>
  )
}

function Trail({ trail }: { trail: NonNullable<Page['trail']> }) {
  return (
    <nav class="crumbs" aria-label="Above this page">
      <ol>
        {trail.map(([href, text]) => (
          <li>
            <a href={href}>{text}</a>
          </li>
        ))}
      </ol>
    </nav>
  )
}
