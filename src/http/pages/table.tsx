// A table: its columns' headings above its rows, scrolling sideways where the page is narrow.
import type { Child } from 'hono/jsx'

/** A heading, or that of a column of numbers. */
export type Column = string | { readonly number: string }

export function Table({
  columns,
  label,
  children,
}: {
  columns: readonly Column[]
  /** What it is, where nothing within takes the focus: it is scrolled by keyboard itself then. */
  label?: string
  children: Child
}) {
  const alone = label === undefined ? {} : { role: 'region', tabindex: 0, 'aria-label': label }
  return (
    <div class="scroll" {...alone}>
      <table>
        <thead>
          <tr>
            {columns.map(column =>
              typeof column === 'string' ? (
                <th scope="col">{column}</th>
              ) : (
                <th scope="col" class="number">
                  {column.number}
                </th>
              ),
            )}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </div>
  )
}
