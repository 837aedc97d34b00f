import { describe, expect, it } from 'vitest'
import { ruleItem } from '../../lib/fixtures'
import type { RuleItem } from '../../protocol/alarms'
import { previewRule } from './preview'

/** Samples a minute apart; answers `[from, to, worst]` in minutes. */
function check(change: Partial<RuleItem>, values: readonly number[]): (number | null)[][] {
  const rule = ruleItem({ raise_after_s: 0, clear_after_s: 0, reraise_after_s: 0, ...change })
  const samples = values.map((value, i) => ({ at: i * 60_000, value }))
  return previewRule(rule, samples, (values.length - 1) * 60_000).map(({ from, to, worst }) => [
    from / 60_000,
    to === null ? null : to / 60_000,
    worst,
  ])
}

describe('a rule over samples', () => {
  it.each<[string, Partial<RuleItem>, number[], (number | null)[][]]>([
    ['nothing where nothing is out', {}, [-20, -27, -26], []],
    ['raises below the limit, clears beyond the dead band', {}, [-20, -28, -26.8, -26.5, -20], [[1, 3, -28]]],
    ['stands while it is only inside the dead band', {}, [-28, -26.9, -26.9], [[0, null, -28]]],
    ['waits for the raise delay', { raise_after_s: 120 }, [-20, -28, -28, -28, -20], [[3, 4, -28]]],
    ['goes on waiting inside the dead band', { raise_after_s: 120 }, [-28, -26.9, -26.9, -26.9], [[2, null, -28]]],
    ['forgets a short excursion', { raise_after_s: 120 }, [-20, -28, -20, -28, -20], []],
    ['waits for the clear delay', { clear_after_s: 120 }, [-28, -20, -28, -20, -20, -20], [[0, 5, -28]]],
    [
      'opens the same alarm again',
      { reraise_after_s: 180 },
      [-28, -20, -20, -29, -20, -20, -20, -20, -20, -30],
      [
        [0, 4, -29],
        [9, null, -30],
      ],
    ],
    ['above', { condition: 'above', low: null, high: 50 }, [49, 51, 50, 49.4], [[1, 3, 51]]],
    [
      'outside, on both sides',
      { condition: 'outside', low: 0, high: 10 },
      [5, -1, 5, 12, 5],
      [
        [1, 2, -1],
        [3, 4, 12],
      ],
    ],
  ])('%s', (_, change, values, expected) => {
    expect(check(change, values)).toEqual(expected)
  })

  it('raises at the end of the delay, not at the next sample', () => {
    const rule = ruleItem({ raise_after_s: 60, clear_after_s: 0, reraise_after_s: 0 })
    const samples = [
      { at: 0, value: -28 },
      { at: 600_000, value: -20 },
    ]
    expect(previewRule(rule, samples, 700_000)).toEqual([{ from: 60_000, to: 600_000, worst: -28 }])
    // One that still waits at the last sample may have been raised since.
    expect(previewRule(rule, samples.slice(0, 1), 60_000)).toEqual([{ from: 60_000, to: null, worst: -28 }])
  })
})
