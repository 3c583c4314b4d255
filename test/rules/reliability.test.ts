// docs/reliability.md says what the tests say, every fault has a test, and the check that sees to it can fail.
import { describe, expect, it } from 'vitest'
import {
  check,
  type Fault,
  faultsIn,
  pageOf,
  problemsOf,
  readEverything,
  type Section,
  type TestFile,
} from '../../scripts/reliability.mjs'

const fault = (number: number, more: Partial<Fault> = {}): Fault => ({
  number,
  fault: 'D1 is away',
  outcome: 'Tried again',
  ...more,
})
const sections = (...faults: Fault[]): Section[] => [{ section: 'Made up', faults }]
const file = (text: string, path = 'test/events/a.test.ts'): TestFile => ({ path, text })

describe('docs/reliability.md', () => {
  it('is what faults and tests say', () => {
    expect(check(readEverything())).toEqual([])
  })

  it('has a row for each fault, with the tests that cite it', () => {
    const page = pageOf(sections(fault(1)), faultsIn([file("test.each([1])('FAULT-1 seed %i', () => {})")]))
    expect(page).toContain('| 1 | D1 is away | Tried again | [events/a](../test/events/a.test.ts) |')
  })
})

describe('the check', () => {
  const tests = [file("it('FAULT-1 is away', () => {})")]

  it('does not cry wolf', () => {
    const faults = sections(fault(1))
    expect(check({ sections: faults, files: tests, page: pageOf(faults, faultsIn(tests)) })).toEqual([])
  })

  it.each<[string, Fault[], RegExp]>([
    ['a fault has no test', [fault(1), fault(2)], /Fault 2 has no test/],
    ['a test cites no fault', [], /FAULT-1 is no fault.*test\/events\/a\.test\.ts/],
    ['a fault is missing', [fault(1), fault(3)], /Fault 3 stands where 2 belongs/],
    ['a fault comes twice', [fault(1), fault(1)], /Fault 1 stands where 2 belongs/],
    ['nothing becomes of it', [fault(1, { outcome: ' ' })], /Fault 1 says too little/],
  ])('fails when %s', (_, faults, problem) => {
    expect(problemsOf(sections(...faults), faultsIn(tests)).join('\n')).toMatch(problem)
  })

  it.each<[string, Fault[], TestFile[]]>([
    ['an outcome is reworded', [fault(1, { outcome: 'Lost' })], tests],
    ['another test makes it happen', [fault(1)], [...tests, file("it('FAULT-1', x)", 'test/http/b.test.ts')]],
  ])('fails when %s and the page is not written again', (_, faults, files) => {
    const page = pageOf(sections(fault(1)), faultsIn(tests))
    expect(check({ sections: sections(...faults), files, page })).toEqual([
      'docs/reliability.md is out of date: node scripts/reliability.mjs',
    ])
  })

  it('takes a test that is commented out for none', () => {
    expect(faultsIn([file("  // it('FAULT-1 is away', () => {})")]).size).toBe(0)
  })
})
