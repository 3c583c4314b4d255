// What stands where nothing is yet: what would be here, and how it comes.
import type { Child } from 'hono/jsx'

export function Empty({ title, children }: { title: string; children?: Child }) {
  return (
    <div class="empty">
      <strong>{title}</strong>
      {children}
    </div>
  )
}
