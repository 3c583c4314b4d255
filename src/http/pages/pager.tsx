// The way to the next page of a list, by its cursor; what the list is narrowed to goes along.

export function Pager({
  path,
  query = {},
  nextCursor,
  cursor,
}: {
  path: string
  query?: Readonly<Record<string, string | undefined>>
  nextCursor?: string | undefined
  /** Of this page; absent on the first. */
  cursor?: string | undefined
}) {
  if (nextCursor === undefined && cursor === undefined) return null
  return (
    <nav class="row apart" aria-label="Pages">
      {cursor === undefined ? <span></span> : <a href={withQuery(path, query)}>First page</a>}
      {nextCursor !== undefined && <a href={withQuery(path, { ...query, cursor: nextCursor })}>Next page</a>}
    </nav>
  )
}

/** The path with those of the parameters that have a value. */
export function withQuery(path: string, query: Readonly<Record<string, string | undefined>>): string {
  const said = Object.entries(query).filter((entry): entry is [string, string] => Boolean(entry[1]))
  return said.length === 0 ? path : `${path}?${new URLSearchParams(said)}`
}
