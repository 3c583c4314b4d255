// A table: its columns' headings above its rows; where there is no room beside each other, one under the other, each
// cell behind its heading.
import { type Child, Children, cloneElement, createContext, isValidElement, useContext } from 'hono/jsx'

/** A heading, or that of a column of numbers. */
export type Column = string | { readonly number: string }

const Columns = createContext<readonly Column[]>([])

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
    <div class="table">
      <div class="scroll" {...alone}>
        <table>
          <thead>
            <tr>
              {columns.map(column => (
                <th scope="col" class={typeof column === 'string' ? undefined : 'number'}>
                  {headingOf(column)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            <Columns.Provider value={columns}>{children}</Columns.Provider>
          </tbody>
        </table>
      </div>
    </div>
  )
}

/** A cell for each column, in their order. */
export function TableRow({ children }: { children?: Child }) {
  const columns = useContext(Columns)
  const cells = Children.toArray(children as Child[]).filter(cell => isValidElement(cell))
  return <tr>{cells.map((cell, i) => cloneElement(cell, { 'data-label': headingOf(columns[i] ?? '') }))}</tr>
}

function headingOf(column: Column): string {
  return typeof column === 'string' ? column : column.number
}
