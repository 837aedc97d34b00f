import { describe, expect, it } from 'vitest'
import { darkShare, heatStep, NO_COUNTS } from './counts'

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
