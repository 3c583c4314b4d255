// A small bar chart as SVG: one bar a figure, the tallest as high as the chart.

export interface Bar {
  readonly value: number
  /** What the bar stands for, to be read where it cannot be seen. */
  readonly label: string
  readonly bad?: boolean
}

const HEIGHT = 96
const STEP = 10

export function BarChart({ bars, caption }: { bars: readonly Bar[]; caption: string }) {
  const most = Math.max(1, ...bars.map(({ value }) => value))
  const width = Math.max(bars.length, 24) * STEP
  return (
    <figure class="chart">
      <svg viewBox={`0 0 ${width} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={caption}>
        <line x1="0" y1={HEIGHT} x2={width} y2={HEIGHT} />
        <g class="bars">
          {bars.map(({ value, label, bad }, i) => {
            const height = Math.max(2, Math.round((value / most) * HEIGHT))
            return (
              <rect
                x={i * STEP + 1}
                y={HEIGHT - height}
                width={STEP - 3}
                height={height}
                class={bad ? 'bad' : undefined}
              >
                <title>{label}</title>
              </rect>
            )
          })}
        </g>
      </svg>
      <figcaption>{caption}</figcaption>
    </figure>
  )
}
