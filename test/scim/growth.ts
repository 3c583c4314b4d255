// How a cost grows with its input: what a test may say of time, since the clock of a busy machine says nothing.

/** A cost that is linear is about 8, one that is quadratic 64. */
export const LINEAR = 28

/** What `run(8 * size)` costs in costs of `run(size)`: the best of several rounds in which both take turns. */
export function growth(run: (size: number) => void, size: number): number {
  let [small, large] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]
  for (let round = 0; round < 7; round++) {
    small = Math.min(small, timed(run, size))
    large = Math.min(large, timed(run, 8 * size))
  }
  return large / Math.max(small, 0.02)
}

function timed(run: (size: number) => void, size: number): number {
  const started = performance.now()
  run(size)
  return performance.now() - started
}
