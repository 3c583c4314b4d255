// How far long work is.

export function Progress({ done, total, label }: { done: number; total: number; label: string }) {
  return (
    <div class="progress">
      <progress max={Math.max(total, 1)} value={total === 0 ? 1 : done} aria-label={label}></progress>
      <span class="small muted">
        {label}: {done.toLocaleString('en')} of {total.toLocaleString('en')}
      </span>
    </div>
  )
}
