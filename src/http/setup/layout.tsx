// The frame of every page of a setup link: its head, its heading, and small parts that all of them use.
import type { Child } from 'hono/jsx'

/** The whole document. `name`: whose provisioning the page is about, where that may be told. */
export function document(props: { title: string; name?: string; children?: Child }): string {
  return `<!doctype html>${(<Page {...props} />).toString()}`
}

function Page({ title, name, children }: { title: string; name?: string; children?: Child }) {
  return (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="robots" content="noindex" />
        <meta name="referrer" content="no-referrer" />
        <title>{name === undefined ? title : `${title} – ${name}`}</title>
        <link rel="stylesheet" href="/pages.css" />
        <script src="/pages.js" defer></script>
      </head>
      <body>
        <main class="guide">
          <header>
            {name !== undefined && (
              <p class="for">
                <bdi>{name}</bdi>
              </p>
            )}
            <h1>{title}</h1>
          </header>
          {children}
        </main>
      </body>
    </html>
  )
}

const format = new Intl.DateTimeFormat('en-GB', {
  timeZone: 'UTC',
  day: 'numeric',
  month: 'short',
  year: 'numeric',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
})

/** In UTC, since only a script would know the reader's zone. */
export function Time({ at }: { at: number }) {
  const date = new Date(at)
  return <time datetime={date.toISOString()}>{format.format(date)} UTC</time>
}
