import { type Columns, gapOf, padded, rangeOf, type Series, toColumns, valueTicks } from './series'

/** A line to draw: what is measured, and how it is called. */
export interface Line {
  series: Series
  unit: string
}

export interface Scene {
  lines: readonly Line[]
  from: number
  to: number
  /** Values drawn across: limits of a rule. */
  limits: readonly number[]
  /** Spans drawn behind: alarms. `to: null` reaches to the end. */
  spans: readonly { from: number; to: number | null }[]
  ticks: readonly number[]
}

export interface Axis {
  low: number
  high: number
  ticks: number[]
  digits: number
}

/** Space around the drawing, in CSS pixels. */
export const MARGIN = { top: 10, bottom: 24, left: 58, right: 16, rightAxis: 58 } as const
/** Lines and their bands: the first, and the one it is compared with. Told apart by dashes too. */
export const LINES = ['accent', 'compare'] as const

export interface Layout {
  width: number
  height: number
  left: number
  right: number
  top: number
  bottom: number
  /** One for each line; the same one for lines of one unit. */
  axes: (Axis | null)[]
}

/** On one axis two lines that lie far apart are both flat: then each gets its own, though their unit is the same. */
const APART = 4

function isNear(ranges: readonly (ReturnType<typeof rangeOf> | undefined)[]): boolean {
  const [a, b] = ranges
  if (!a || !b) return true
  const own = Math.max(a.high - a.low, b.high - b.low)
  return Math.max(a.high, b.high) - Math.min(a.low, b.low) <= own * APART
}

/** Where everything lies, for a canvas of this size in CSS pixels. */
export function layOut(scene: Scene, width: number, height: number): Layout {
  const { lines, from, to, limits } = scene
  const ranges = lines.map(({ series }) => rangeOf(series, from, to))
  const joined = (of: (ReturnType<typeof rangeOf> | undefined)[], marks: readonly number[]) => {
    const known = of.filter(each => each !== null && each !== undefined)
    if (known.length === 0) return null
    return {
      low: Math.min(...known.map(each => each.low), ...marks),
      high: Math.max(...known.map(each => each.high), ...marks),
    }
  }
  const shared = lines.length < 2 || (lines[0]?.unit === lines[1]?.unit && isNear(ranges))
  const axis = (range: { low: number; high: number } | null): Axis | null => {
    if (range === null) return null
    const { low, high } = padded(range)
    return { low, high, ...valueTicks(low, high, Math.max(2, Math.floor(height / 48))) }
  }
  const first = axis(joined(shared ? ranges : [ranges[0]], limits))
  const axes = shared ? lines.map(() => first) : [first, axis(joined([ranges[1]], []))]
  return {
    width,
    height,
    left: MARGIN.left,
    right: width - (shared ? MARGIN.right : MARGIN.rightAxis),
    top: MARGIN.top,
    bottom: height - MARGIN.bottom,
    axes,
  }
}

export const xOf = (layout: Layout, scene: Pick<Scene, 'from' | 'to'>, at: number): number =>
  layout.left + ((at - scene.from) / (scene.to - scene.from)) * (layout.right - layout.left)

export const yOf = (layout: Layout, axis: Axis, value: number): number =>
  layout.bottom - ((value - axis.low) / (axis.high - axis.low)) * (layout.bottom - layout.top)

export interface Palette {
  text: string
  grid: string
  lines: readonly string[]
  limit: string
  span: string
}

/** How numbers and instants are written on the axes. */
export interface Words {
  value: (value: number, digits: number) => string
  time: (at: number) => string
}

/** Draws the whole chart. The canvas' scale is set before; sizes are CSS pixels. */
export function draw(to: CanvasRenderingContext2D, scene: Scene, layout: Layout, palette: Palette, words: Words): void {
  const { left, right, top, bottom } = layout
  to.clearRect(0, 0, layout.width, layout.height)
  to.font = '11px Inter, system-ui, sans-serif'
  to.lineWidth = 1
  to.textBaseline = 'middle'
  to.fillStyle = palette.span
  for (const span of scene.spans) {
    const x = Math.max(left, xOf(layout, scene, span.from))
    const end = Math.min(right, xOf(layout, scene, span.to ?? scene.to))
    if (end > left && x < right) to.fillRect(x, top, Math.max(2, end - x), bottom - top)
  }
  axes(to, scene, layout, palette, words)
  to.save()
  to.beginPath()
  to.rect(left, top, right - left, bottom - top)
  to.clip()
  for (let i = scene.lines.length - 1; i >= 0; i -= 1) {
    const line = scene.lines[i]
    const axis = layout.axes[i]
    if (line && axis) drawLine(to, scene, layout, line, axis, palette.lines[i] ?? palette.text, i > 0)
  }
  const axis = layout.axes[0]
  if (axis) {
    to.strokeStyle = palette.limit
    to.setLineDash([6, 4])
    for (const limit of scene.limits) {
      const y = Math.round(yOf(layout, axis, limit)) + 0.5
      stroke(to, [left, y], [right, y])
    }
    to.setLineDash([])
  }
  to.restore()
}

function axes(to: CanvasRenderingContext2D, scene: Scene, layout: Layout, palette: Palette, words: Words): void {
  const { left, right, bottom } = layout
  const isShared = layout.axes.length < 2 || layout.axes[0] === layout.axes[1]
  layout.axes.forEach((axis, i) => {
    if (!axis || (i > 0 && isShared)) return
    to.textAlign = i === 0 ? 'right' : 'left'
    for (const tick of axis.ticks) {
      const y = Math.round(yOf(layout, axis, tick)) + 0.5
      if (i === 0) {
        to.strokeStyle = palette.grid
        stroke(to, [left, y], [right, y])
      }
      to.fillStyle = isShared ? palette.text : (palette.lines[i] ?? palette.text)
      to.fillText(words.value(tick, axis.digits), i === 0 ? left - 8 : right + 8, y)
    }
  })
  to.textAlign = 'center'
  to.fillStyle = palette.text
  to.strokeStyle = palette.grid
  stroke(to, [left, bottom + 0.5], [right, bottom + 0.5])
  let free = Number.NEGATIVE_INFINITY
  for (const tick of scene.ticks) {
    const text = words.time(tick)
    const half = to.measureText(text).width / 2
    const x = xOf(layout, scene, tick)
    if (x - half < free || x - half < 0 || x + half > layout.width) continue
    free = x + half + 10
    stroke(to, [Math.round(x) + 0.5, bottom], [Math.round(x) + 0.5, bottom + 4])
    to.fillText(text, x, bottom + 14)
  }
}

function drawLine(
  to: CanvasRenderingContext2D,
  scene: Scene,
  layout: Layout,
  line: Line,
  axis: Axis,
  colour: string,
  dashed: boolean,
): void {
  const width = Math.max(1, Math.round(layout.right - layout.left))
  const columns = toColumns(line.series, scene.from, scene.to, width)
  // A column holds many samples: its gap is never less than its own width.
  const gap = Math.max(gapOf(line.series), ((scene.to - scene.from) / width) * 2.5)
  to.strokeStyle = colour
  to.fillStyle = colour
  for (const [first, end] of runs(columns, gap)) {
    const x = (i: number) => xOf(layout, scene, columns.at[i] as number)
    const y = (values: Float64Array, i: number) => yOf(layout, axis, values[i] as number)
    if (end - first === 1) {
      to.fillRect(x(first) - 1.5, y(columns.avg, first) - 1.5, 3, 3)
      const low = y(columns.min, first)
      const high = y(columns.max, first)
      if (low - high > 1) to.fillRect(x(first) - 0.5, high, 1, low - high)
      continue
    }
    to.globalAlpha = 0.2
    to.beginPath()
    for (let i = first; i < end; i += 1) to.lineTo(x(i), y(columns.max, i))
    for (let i = end - 1; i >= first; i -= 1) to.lineTo(x(i), y(columns.min, i))
    to.closePath()
    to.fill()
    to.globalAlpha = 1
    to.lineWidth = 1.5
    to.lineJoin = 'round'
    if (dashed) to.setLineDash([9, 3])
    to.beginPath()
    for (let i = first; i < end; i += 1) to.lineTo(x(i), y(columns.avg, i))
    to.stroke()
    to.setLineDash([])
    to.lineWidth = 1
  }
}

/** Runs of columns without a gap: from, and up to but not. */
export function runs(columns: Columns, gap: number): [number, number][] {
  const found: [number, number][] = []
  let first = 0
  for (let i = 1; i <= columns.length; i += 1) {
    if (i < columns.length && (columns.at[i] as number) - (columns.at[i - 1] as number) <= gap) continue
    found.push([first, i])
    first = i
  }
  return found
}

function stroke(to: CanvasRenderingContext2D, from: [number, number], end: [number, number]): void {
  to.beginPath()
  to.moveTo(...from)
  to.lineTo(...end)
  to.stroke()
}
