import { describe, expect, it } from 'vitest'
import { levelOf, onScale, troubleOf } from './levels'

describe('a level', () => {
  // The same cases as the server's, so that the two verdicts cannot part unseen.
  it.each([
    [-21.9, 'onu', 'good', null],
    [-25, 'onu', 'good', null],
    [-25.1, 'onu', 'weak', 'weak'],
    [-27, 'onu', 'weak', 'weak'],
    [-27.1, 'onu', 'bad', 'too_weak'],
    [-8, 'onu', 'good', null],
    [-7.9, 'onu', 'bad', 'too_strong'],
    [-26, 'olt', 'good', null],
    [-26.1, 'olt', 'weak', 'weak'],
    [-28.1, 'olt', 'bad', 'too_weak'],
    [null, 'olt', null, null],
    [undefined, 'onu', null, null],
    [Number.NaN, 'onu', null, null],
  ] as const)('of %s dBm at the %s is %s', (dbm, reader, level, trouble) => {
    expect(levelOf(dbm, reader)).toBe(level)
    expect(troubleOf(dbm, reader)).toBe(trouble)
  })

  it.each([
    [-34, 0],
    [-19, 0.5],
    [-4, 1],
    [-60, 0],
    [3, 1],
  ])('of %s dBm lies at %s of the scale', (dbm, expected) => {
    expect(onScale(dbm)).toBe(expected)
  })
})
