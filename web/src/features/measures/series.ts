import type { MeasurePoint } from '../../protocol/measures'

/** Points by time, as arrays: 100,000 of them are looked through in about a millisecond. */
export interface Series {
  length: number
  /** In milliseconds, rising. */
  at: Float64Array
  min: Float64Array
  max: Float64Array
  avg: Float64Array
  /** Samples behind each point. */
  n: Float64Array
}

export const NO_SERIES: Series = series(0)

function series(length: number): Series {
  const of = () => new Float64Array(length)
  return { length, at: of(), min: of(), max: of(), avg: of(), n: of() }
}

/** In order of time; of two points of one instant the later told stands; what is no number is left out. */
export function toSeries(points: readonly MeasurePoint[]): Series {
  const good: { at: number; point: MeasurePoint }[] = []
  let isSorted = true
  let before = Number.NEGATIVE_INFINITY
  for (const point of points) {
    const at = Date.parse(point.at)
    if (!(Number.isFinite(at) && Number.isFinite(point.avg))) continue
    if (at < before) isSorted = false
    before = at
    good.push({ at, point })
  }
  if (!isSorted) good.sort((a, b) => a.at - b.at)
  const made = series(good.length)
  let length = 0
  for (const { at, point } of good) {
    if (length > 0 && made.at[length - 1] === at) length -= 1
    made.at[length] = at
    made.avg[length] = point.avg
    made.min[length] = Number.isFinite(point.min) ? point.min : point.avg
    made.max[length] = Number.isFinite(point.max) ? point.max : point.avg
    made.n[length] = point.n > 0 ? point.n : 1
    length += 1
  }
  if (length === made.length) return made
  const cut = (array: Float64Array) => array.subarray(0, length)
  return { length, at: cut(made.at), min: cut(made.min), max: cut(made.max), avg: cut(made.avg), n: cut(made.n) }
}

/** First index whose time is at or after `at`. */
export function lowerBound(at: Float64Array, time: number): number {
  let low = 0
  let high = at.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((at[middle] as number) < time) low = middle + 1
    else high = middle
  }
  return low
}

/** Index of the point nearest in time; -1 if there is none. */
export function nearest(of: Series, time: number): number {
  if (of.length === 0) return -1
  const after = lowerBound(of.at, time)
  if (after === 0) return 0
  if (after === of.length) return of.length - 1
  return time - (of.at[after - 1] as number) <= (of.at[after] as number) - time ? after - 1 : after
}

/** One for each pixel column that has a point: nothing that a screen could show is lost. */
export interface Columns {
  length: number
  /** Time of the column's middle sample. */
  at: Float64Array
  min: Float64Array
  max: Float64Array
  avg: Float64Array
  /** Samples behind it. */
  n: Float64Array
}

/** What `width` columns between two instants show: lowest, highest, and the average weighted by samples. */
export function toColumns(of: Series, from: number, to: number, width: number): Columns {
  const first = Math.max(0, lowerBound(of.at, from) - 1)
  const end = Math.min(of.length, lowerBound(of.at, to) + 1)
  const most = Math.max(0, Math.min(end - first, width + 2))
  const made: Columns = series(most)
  const scale = to > from ? width / (to - from) : 0
  let at = -1
  let column = Number.NaN
  let sum = 0
  let time = 0
  for (let i = first; i < end; i += 1) {
    const here = Math.max(-1, Math.min(width, Math.floor(((of.at[i] as number) - from) * scale)))
    const n = of.n[i] as number
    if (here !== column) {
      column = here
      at += 1
      sum = 0
      time = 0
      made.min[at] = Number.POSITIVE_INFINITY
      made.max[at] = Number.NEGATIVE_INFINITY
      made.n[at] = 0
    }
    made.min[at] = Math.min(made.min[at] as number, of.min[i] as number)
    made.max[at] = Math.max(made.max[at] as number, of.max[i] as number)
    made.n[at] = (made.n[at] as number) + n
    sum += (of.avg[i] as number) * n
    time += (of.at[i] as number) * n
    made.avg[at] = sum / (made.n[at] as number)
    made.at[at] = time / (made.n[at] as number)
  }
  made.length = at + 1
  return made
}

/** Beyond this between two points nothing was measured, and no line is drawn: three times the usual step. */
export function gapOf(of: Series): number {
  if (of.length < 3) return Number.POSITIVE_INFINITY
  const steps: number[] = []
  const stride = Math.max(1, Math.floor(of.length / 500))
  for (let i = 1; i < of.length; i += stride) steps.push((of.at[i] as number) - (of.at[i - 1] as number))
  steps.sort((a, b) => a - b)
  return Math.max(1, steps[Math.floor(steps.length / 2)] as number) * 3
}

/** Lowest and highest between two instants; `null` where nothing was measured. */
export function rangeOf(of: Series, from: number, to: number): { low: number; high: number } | null {
  let low = Number.POSITIVE_INFINITY
  let high = Number.NEGATIVE_INFINITY
  const end = Math.min(of.length, lowerBound(of.at, to) + 1)
  for (let i = Math.max(0, lowerBound(of.at, from) - 1); i < end; i += 1) {
    low = Math.min(low, of.min[i] as number)
    high = Math.max(high, of.max[i] as number)
  }
  return low <= high ? { low, high } : null
}

/** Round values on an axis, about `most` of them, and how many digits they need; 4: more than is readable. */
export function valueTicks(low: number, high: number, most: number): { ticks: number[]; digits: number } {
  if (!(high > low) || most < 1) return { ticks: [low], digits: 2 }
  const raw = (high - low) / (most + 1)
  const power = 10 ** Math.floor(Math.log10(raw))
  const step = power * ([1, 2, 2.5, 5, 10].find(each => power * each >= raw) ?? 10)
  const digits = [0, 1, 2, 3].find(each => Math.abs(step * 10 ** each - Math.round(step * 10 ** each)) < 1e-6) ?? 4
  const ticks: number[] = []
  const first = Math.ceil(low / step - 1e-9)
  for (let i = first; i * step <= high + step * 1e-9 && ticks.length <= most + 2; i += 1)
    ticks.push(i === 0 ? 0 : i * step)
  return { ticks, digits }
}

/** An axis a little wider than the values, so that no line runs on its edge. */
export function padded(range: { low: number; high: number }): { low: number; high: number } {
  const span = range.high - range.low
  const pad = span > 0 ? span * 0.08 : Math.max(Math.abs(range.high) * 0.02, 0.5)
  return { low: range.low - pad, high: range.high + pad }
}

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const STEPS = [
  MINUTE,
  5 * MINUTE,
  10 * MINUTE,
  15 * MINUTE,
  30 * MINUTE,
  HOUR,
  2 * HOUR,
  3 * HOUR,
  6 * HOUR,
  12 * HOUR,
  DAY,
  2 * DAY,
  5 * DAY,
  7 * DAY,
  14 * DAY,
]

/** Instants for a time axis, on whole steps of the reader's own clock; months where days would be too many. */
export function timeTicks(from: number, to: number, most: number): number[] {
  const raw = (to - from) / Math.max(1, most)
  const step = STEPS.find(each => each >= raw)
  if (step === undefined) return monthTicks(from, to, most)
  // Whole steps from local midnight, so that 6 h are 00:00, 06:00 … here and not in Greenwich.
  const start = new Date(from)
  start.setHours(0, 0, 0, 0)
  const ticks: number[] = []
  for (let at = start.getTime(); at <= to; at = nextTick(at, step)) if (at >= from) ticks.push(at)
  return ticks
}

function nextTick(at: number, step: number): number {
  if (step < DAY) return at + step
  // Days have 23 or 25 hours twice a year.
  const date = new Date(at)
  date.setDate(date.getDate() + step / DAY)
  return date.getTime()
}

function monthTicks(from: number, to: number, most: number): number[] {
  const months = Math.max(1, (to - from) / (30 * DAY) / Math.max(1, most))
  const step = [1, 2, 3, 6, 12].find(each => each >= months) ?? 12
  const date = new Date(from)
  date.setHours(0, 0, 0, 0)
  date.setDate(1)
  date.setMonth(Math.floor(date.getMonth() / step) * step)
  const ticks: number[] = []
  for (; date.getTime() <= to; date.setMonth(date.getMonth() + step))
    if (date.getTime() >= from) ticks.push(date.getTime())
  return ticks
}

/** The same in so few lines that a person can read them: for the table beside the drawing. */
export function toRows(of: Series, from: number, to: number, most: number): Columns {
  const first = lowerBound(of.at, from)
  const end = lowerBound(of.at, to)
  return end - first <= most
    ? toColumns(slice(of, first, end), from, to, 1e9)
    : toColumns(slice(of, first, end), from, to, most)
}

function slice(of: Series, first: number, end: number): Series {
  const cut = (array: Float64Array) => array.subarray(first, end)
  return { length: end - first, at: cut(of.at), min: cut(of.min), max: cut(of.max), avg: cut(of.avg), n: cut(of.n) }
}
