// A small bar chart as SVG: one bar a figure, the tallest as high as the chart, and how high that is.

export interface Bar {
  readonly value: number
  /** A lower figure of the same kind, drawn in front. */
  readonly inner?: number
  /** What the bar stands for, to be read where it cannot be seen. */
  readonly label: string
  readonly bad?: boolean
}

const HEIGHT = 96
const STEP = 10
/** A figure that is there is seen. */
const LEAST = 2

export function BarChart({
  bars,
  caption,
  most,
  from,
  to,
  legend,
}: {
  bars: readonly Bar[]
  caption: string
  /** The highest figure in words. */
  most?: string
  /** Below the first bar, and below the last. */
  from?: string
  to?: string
  /** What the inner and the outer bars are. */
  legend?: readonly [inner: string, outer: string]
}) {
  const highest = Math.max(1, ...bars.map(({ value }) => value))
  const width = Math.max(bars.length, 24) * STEP
  const heightOf = (value: number) =>
    value === 0 ? 0 : Math.max(LEAST, Math.round((value / highest) * HEIGHT))
  return (
    <figure class="chart">
      {(most !== undefined || legend) && (
        <div class="row apart small muted">
          <span>{most}</span>
          {legend && (
            <span class="legend">
              <span class="inner">{legend[0]}</span>
              <span class="outer">{legend[1]}</span>
            </span>
          )}
        </div>
      )}
      <svg viewBox={`0 0 ${width} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={caption}>
        <line x1="0" y1="0" x2={width} y2="0" />
        <line x1="0" y1={HEIGHT} x2={width} y2={HEIGHT} />
        {bars.map(({ value, inner, label, bad }, i) => (
          <g class={bad ? 'bad' : undefined}>
            <title>{label}</title>
            <Rectangle x={i * STEP} height={heightOf(value)} part={inner === undefined ? 'inner' : 'outer'} />
            {inner !== undefined && <Rectangle x={i * STEP} height={heightOf(inner)} part="inner" />}
          </g>
        ))}
      </svg>
      {(from !== undefined || to !== undefined) && (
        <div class="row apart small muted">
          <span>{from}</span>
          <span>{to}</span>
        </div>
      )}
      <figcaption>{caption}</figcaption>
    </figure>
  )
}

function Rectangle({ x, height, part }: { x: number; height: number; part: string }) {
  return <rect x={x + 1} y={HEIGHT - height} width={STEP - 3} height={height} class={part} />
}
