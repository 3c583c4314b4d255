// How fast sessions ended: the percentiles of a day, and an hour's in each bar.
import type { KillTimes } from '../../administration/overview'
import { BarChart } from '../pages/chart'
import { duration } from '../pages/moment'

/** What is promised of the 95th percentile. */
const PROMISED_MS = 1_000

export function KillTimeChart({ times }: { times: KillTimes }) {
  const { whole, hours } = times
  const slowest = Math.max(...hours.map(({ p95Ms }) => p95Ms ?? 0))
  return (
    <section class="card">
      <header>
        <h2>Kill time</h2>
        <span class="small muted">of the last {hours.length} hours</span>
      </header>
      {whole.count === 0 ? (
        <p class="muted">
          No session had to end, or no receiver has taken that one did. From the change to the receiver's
          acceptance is what will be here.
        </p>
      ) : (
        <>
          <dl class="facts across">
            <Percentile name="p50" value={whole.p50Ms} />
            <Percentile name="p95" value={whole.p95Ms} />
            <div>
              <dt>Ends of sessions taken</dt>
              <dd>{whole.count.toLocaleString('en')}</dd>
            </div>
          </dl>
          <BarChart
            bars={hours.map(({ count, p50Ms, p95Ms }, i) => ({
              value: p95Ms ?? 0,
              inner: p50Ms ?? 0,
              label: `${agoOf(hours.length - 1 - i)}: ${count === 0 ? 'none' : `${count} taken, p50 ${inWords(p50Ms)}, p95 ${inWords(p95Ms)}`}`,
              bad: (p95Ms ?? 0) > PROMISED_MS,
            }))}
            most={duration(slowest)}
            from={`${hours.length} hours ago`}
            to="now"
            legend={['p50', 'p95']}
            caption="From the change until a receiver had it, by the hour. Red: p95 over a second."
          />
        </>
      )}
    </section>
  )
}

function Percentile({ name, value }: { name: string; value: number | null }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{inWords(value)}</dd>
    </div>
  )
}

export function inWords(milliseconds: number | null): string {
  return milliseconds === null ? '—' : duration(milliseconds)
}

function agoOf(hours: number): string {
  if (hours === 0) return 'This hour'
  return hours === 1 ? 'The hour before' : `${hours} hours ago`
}
