// Conditional headers against a version.
import { expect, test } from 'vitest'
import { notModified, preconditionFailed } from '../../src/scim/version'

test.each<[string | undefined, boolean]>([
  [undefined, false],
  ['*', false],
  [' * ', false],
  ['W/"v1"', false],
  ['"v1"', false],
  ['w/"v1"', false],
  ['"v0", W/"v1"', false],
  ['v1', false],
  ['W/"v0"', true],
  ['"v0","v2"', true],
  ['""', true],
  ['', true],
  ['"v1x"', true],
  ['"*"', true],
])('RFC-184 If-Match %s fails: %s', (header, fails) => {
  expect(preconditionFailed(header, 'v1')).toBe(fails)
})

test.each<[string | undefined, boolean]>([
  [undefined, false],
  ['*', true],
  ['W/"v1"', true],
  ['"v1"', true],
  ['"a", "v1"', true],
  ['"a", "b"', false],
  ['', false],
])('RFC-184 If-None-Match %s is not modified: %s', (header, same) => {
  expect(notModified(header, 'v1')).toBe(same)
})

test('a header that is absent may be null', () => {
  expect(preconditionFailed(null, 'v1')).toBe(false)
  expect(notModified(null, 'v1')).toBe(false)
})

test('a long header takes no long time', () => {
  expect(preconditionFailed(`${'W/"'.repeat(100_000)}`, 'v1')).toBe(true)
})
