import { describe, expect, it } from 'vitest'
import type { MeasurePoint } from '../../protocol/measures'
import { runs } from './draw'
import {
  gapOf,
  lowerBound,
  nearest,
  padded,
  rangeOf,
  type Series,
  timeTicks,
  toColumns,
  toRows,
  toSeries,
  valueTicks,
} from './series'

const START = Date.parse('2026-11-21T00:00:00.000Z')
const point = (second: number, value: number, change: Partial<MeasurePoint> = {}): MeasurePoint => ({
  at: new Date(START + second * 1_000).toISOString(),
  min: value,
  max: value,
  avg: value,
  first: value,
  last: value,
  n: 1,
  ...change,
})
const many = (n: number): Series =>
  toSeries(Array.from({ length: n }, (_, i) => point(i * 60, Math.sin(i / 50) + (i === 777 ? 40 : 0))))
const list = (array: Float64Array, n = array.length) => [...array.subarray(0, n)]

describe('a series', () => {
  it('is in order, without doubles and without what is no number', () => {
    const made = toSeries([
      point(60, 2),
      point(0, 1),
      point(60, 3),
      point(120, Number.NaN),
      { ...point(180, 4), at: 'nonsense' },
    ])
    expect(list(made.avg)).toEqual([1, 3])
    expect(list(made.at)).toEqual([START, START + 60_000])
  })

  it('finds the nearest point', () => {
    const made = toSeries([point(0, 1), point(100, 2), point(110, 3)])
    expect([-50, 0, 49, 51, 104, 106, 999].map(s => nearest(made, START + s * 1_000))).toEqual([0, 0, 0, 1, 1, 2, 2])
    expect(nearest(toSeries([]), 0)).toBe(-1)
    expect(lowerBound(made.at, START + 100_000)).toBe(1)
  })
})

describe('columns', () => {
  it('keep the highest and lowest of 100,000 points in as many columns as there are pixels', () => {
    const made = many(100_000)
    const to = START + 100_000 * 60_000
    const columns = toColumns(made, START, to, 1_000)
    expect(columns.length).toBeLessThanOrEqual(1_002)
    expect(Math.max(...list(columns.max, columns.length))).toBe(Math.max(...list(made.max)))
    expect(Math.min(...list(columns.min, columns.length))).toBe(Math.min(...list(made.min)))
    expect(list(columns.n, columns.length).reduce((a, b) => a + b, 0)).toBe(100_000)
    for (let i = 0; i < columns.length; i += 1) {
      expect(columns.avg[i]).toBeGreaterThanOrEqual(columns.min[i] as number)
      expect(columns.avg[i]).toBeLessThanOrEqual(columns.max[i] as number)
    }
  })

  it('weigh points by the samples behind them', () => {
    const made = toSeries([point(0, 10, { n: 9 }), point(1, 20, { n: 1 })])
    const columns = toColumns(made, START, START + 100_000, 10)
    expect([columns.length, columns.avg[0], columns.n[0]]).toEqual([1, 11, 10])
  })

  it('have one point beyond each edge, so that a line leaves the picture', () => {
    const made = toSeries([point(0, 1), point(100, 2), point(200, 3), point(300, 4)])
    const columns = toColumns(made, START + 90_000, START + 210_000, 100)
    expect(columns.length).toBe(4)
    expect(columns.at[0]).toBe(START)
  })

  it('are nothing where nothing is', () => {
    expect(toColumns(toSeries([]), START, START + 1, 100).length).toBe(0)
    expect(rangeOf(toSeries([]), START, START + 1)).toBeNull()
  })
})

it('a line is broken where nothing was measured', () => {
  const made = toSeries([0, 60, 120, 180, 4_000, 4_060].map(at => point(at, 1)))
  expect(gapOf(made)).toBe(180_000)
  expect(runs(toColumns(made, START, START + 5_000_000, 5_000), gapOf(made))).toEqual([
    [0, 4],
    [4, 6],
  ])
})

it('a table has few enough lines, and says all points where they are few', () => {
  expect(toRows(many(5_000), START, START + 5_000 * 60_000, 240).length).toBeLessThanOrEqual(242)
  expect(toRows(many(10), START, START + 600_000, 240).length).toBe(10)
})

describe('axes', () => {
  it.each<[number, number, number, number[], number]>([
    [0, 10, 5, [0, 2, 4, 6, 8, 10], 0],
    [-27.6, -20.2, 3, [-26, -24, -22], 0],
    [-27.6, -19.2, 3, [-27.5, -25, -22.5, -20], 1],
    [0.02, 0.1, 4, [0.02, 0.04, 0.06, 0.08, 0.1], 2],
    [1_000, 9_000, 3, [2_000, 4_000, 6_000, 8_000], 0],
  ])('%s to %s in %s', (low, high, most, ticks, digits) => {
    const found = valueTicks(low, high, most)
    expect(found.ticks.map(each => Math.round(each * 1e6) / 1e6)).toEqual(ticks)
    expect(found.digits).toBe(digits)
  })

  it('have room for a line without movement', () => {
    const { low, high } = padded({ low: 3.3, high: 3.3 })
    expect(low).toBeLessThan(3.3)
    expect(high).toBeGreaterThan(3.3)
    expect(valueTicks(1, 1, 4).ticks).toEqual([1])
  })

  it.each([
    [3_600_000, 12],
    [86_400_000, 12],
    [7 * 86_400_000, 8],
    [30 * 86_400_000, 16],
    [365 * 86_400_000, 13],
    [3 * 365 * 86_400_000, 13],
  ])('of %s ms have ticks inside, rising, not too many', (span, most) => {
    const ticks = timeTicks(START, START + span, 10)
    expect(ticks.length).toBeGreaterThan(2)
    expect(ticks.length).toBeLessThanOrEqual(most)
    expect(ticks.every((tick, i) => tick >= START && tick <= START + span && tick > (ticks[i - 1] ?? 0))).toBe(true)
  })
})
