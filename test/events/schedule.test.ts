// When a receiver is called again: RFC 9110 §10.2.3 Retry-After, and the contract's schedule.
import { describe, expect, test } from 'vitest'
import {
  DEFAULT_SCHEDULE,
  delaySeconds,
  MAX_TIMEOUT_SECONDS,
  nextAttemptAt,
  retryAfterMs,
  retryPolicy,
} from '../../src/events/schedule'

const now = Date.UTC(2026, 10, 21, 20)
const policy = retryPolicy(null)

describe('the schedule', () => {
  test('is the contract’s: twelve attempts, 1 s to 24 h apart', () => {
    const minutes = (n: number) => 60 * n
    const hours = (n: number) => 3600 * n
    expect(DEFAULT_SCHEDULE).toEqual([
      1,
      5,
      30,
      minutes(2),
      minutes(10),
      minutes(30),
      hours(2),
      hours(6),
      hours(12),
      hours(24),
      hours(24),
    ])
    const waits = Array.from({ length: 12 }, (_, i) => nextAttemptAt(policy, i + 1, 0, 0, () => 0.5))
    expect(waits).toEqual([...DEFAULT_SCHEDULE.map(seconds => seconds * 1000), undefined])
  })

  test('is spread by ± 10 %', () => {
    expect(nextAttemptAt(policy, 3, now, 0, () => 0)).toBe(now + 27_000)
    expect(nextAttemptAt(policy, 3, now, 0, () => 1)).toBe(now + 33_000)
  })

  test('waits as long as the receiver asks, when that is longer', () => {
    expect(nextAttemptAt(policy, 1, now, 20_000)).toBe(now + 20_000)
    expect(nextAttemptAt(policy, 5, now, 20_000, () => 0.5)).toBe(now + 600_000)
    expect(nextAttemptAt(policy, 12, now, 20_000)).toBeUndefined()
  })

  test('is the receiver’s own where it has one', () => {
    expect(retryPolicy('{"schedule":[2],"timeoutSeconds":3}')).toEqual({ schedule: [2], timeoutSeconds: 3 })
    expect(retryPolicy('{"timeoutSeconds":600}')).toEqual({
      schedule: DEFAULT_SCHEDULE,
      timeoutSeconds: MAX_TIMEOUT_SECONDS,
    })
    expect(policy.timeoutSeconds).toBe(15)
  })
})

describe('Retry-After', () => {
  test.each([
    ['120', 120_000],
    [' 7 ', 7_000],
    ['0', 0],
    ['999999999', 86_400_000],
    ['Sat, 21 Nov 2026 20:01:00 GMT', 60_000],
    ['Saturday, 21-Nov-26 20:01:00 GMT', 60_000],
    ['Sat, 21 Nov 2026 19:00:00 GMT', 0],
    ['Fri, 21 Nov 2036 20:00:00 GMT', 86_400_000],
    ['-5', 0],
    ['1.5', 0],
    ['soon', 0],
    ['', 0],
    [null, 0],
  ])('%j is %d ms', (header, ms) => {
    expect(retryAfterMs(header, now)).toBe(ms)
  })
})

test('the queue keeps a message for whole seconds, at most half a day', () => {
  expect(delaySeconds(now + 1, now)).toBe(1)
  expect(delaySeconds(now + 5_000, now)).toBe(5)
  expect(delaySeconds(now - 5_000, now)).toBe(0)
  expect(delaySeconds(now + 86_400_000, now)).toBe(43_200)
})
