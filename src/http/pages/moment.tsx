// Times: ISO 8601 in, a time of day and date in UTC that people can read out.

export function Moment({ at, never = '—' }: { at: string | null | undefined; never?: string }) {
  if (at === null || at === undefined) return <span class="muted">{never}</span>
  return (
    <time datetime={at} class="nowrap">
      {at.slice(0, 10)} {at.slice(11, 19)}
    </time>
  )
}

/** `850 ms`, `4.2 s`, `3 min`, `2.5 h`, `4 d` */
export function duration(milliseconds: number): string {
  if (milliseconds < 1_000) return `${milliseconds} ms`
  if (milliseconds < 60_000) return `${(milliseconds / 1_000).toFixed(1)} s`
  if (milliseconds < 3_600_000) return `${Math.round(milliseconds / 60_000)} min`
  if (milliseconds < 86_400_000) return `${(milliseconds / 3_600_000).toFixed(1)} h`
  return `${Math.round(milliseconds / 86_400_000)} d`
}
