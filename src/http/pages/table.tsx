// A table: its columns' headings above its rows, scrolling sideways where the page is narrow.
import type { Child } from 'hono/jsx'

/** A heading, or that of a column of numbers. */
export type Column = string | { readonly number: string }

export function Table({ columns, children }: { columns: readonly Column[]; children: Child }) {
  return (
    <div class="scroll">
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
