import { describe, expect, it } from 'vitest'
import { countsOf, pollItem, statusItem } from '../../lib/fixtures'
import { darkShare, hasParts, heatStep, NO_COUNTS, urgency } from './counts'

describe('a PON in the strip', () => {
  it.each([
    [{ onus: 20, unknown: 20 }, 1],
    [{ onus: 20, online: 10, absent: 10 }, 0.5],
    [{ onus: 20, online: 19, unknown: 1 }, 0],
    [{ onus: 0 }, 0],
  ])('of %j is hatched to %d', (counts, share) => {
    expect(darkShare({ ...NO_COUNTS, ...counts })).toBe(share)
  })

  it.each([
    [0, 0],
    [1, 1],
    [10, 2],
    [30, 3],
    [70, 4],
    [100, 4],
  ])('with %d %% offline is of step %d', (offline, step) => {
    expect(heatStep({ ...NO_COUNTS, onus: 100, online: 100 - offline, offline })).toBe(step)
  })
})

describe('what needs attention', () => {
  const failing = (klass: string, in_a_row = 1) =>
    pollItem({ failing_since: '2026-11-21T10:00:00.000Z', class: klass, in_a_row })

  it('is in order: OLT, board, PON that are out, an OLT that cannot be read, customers', () => {
    const olt = 'default/olt/a'
    const items = [
      statusItem(olt, { state: 'unreachable', poll: failing('timeout_tcp', 5) }),
      statusItem(`${olt}/board/0/1`, { state: 'failed' }),
      statusItem(`${olt}/pon/0/1/1`, { state: 'down', counts: countsOf({ onus: 64, offline: 64 }) }),
      statusItem(olt, { poll: failing('host_key_changed') }),
      statusItem(`${olt}/pon/0/1/1`, { counts: countsOf({ onus: 128, offline: 128 }) }),
    ]
    const order = items.map(urgency)
    expect(order).toEqual(order.toSorted((a, b) => b - a))
    expect(order.at(-1)).toBeGreaterThan(0)
  })

  it.each([
    [failing('busy'), false],
    [failing('busy', 3), true],
    [failing('refused'), true],
    [pollItem({ legacy: true }), false],
    [undefined, false],
  ])('an OLT read so: %j, %s', (poll, expected) => {
    expect(urgency(statusItem('default/olt/a', poll ? { poll } : {})) > 0).toBe(expected)
  })
})

it.each([
  [{ onus: 5, online: 5 }, false],
  [{ onus: 5, online: 4, absent: 1 }, true],
  [{ onus: 5, online: 4, unknown: 1 }, true],
  [{ onus: 5, online: 4, offline: 1 }, true],
])('the ONUs of %j have a legend: %s', (counts, expected) => {
  expect(hasParts(countsOf(counts))).toBe(expected)
})
