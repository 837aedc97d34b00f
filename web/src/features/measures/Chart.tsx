import { type KeyboardEvent, type PointerEvent, useEffect, useMemo, useRef, useState } from 'react'
import { useTheme } from '../../app/theme'
import { useSpeech } from '../../i18n'
import { useWidth } from '../../ui/useWidth'
import { tinyWords, valueWords } from '../alarms/words'
import { draw, type Layout, LINES, type Line, layOut, MARGIN, type Scene, xOf, yOf } from './draw'
import { nearest, timeTicks } from './series'

/** A drag shorter than this is a click, in CSS pixels. */
const DRAG_MIN_PX = 6

interface Props {
  lines: readonly (Line & { label: string })[]
  from: number
  to: number
  limits?: readonly number[]
  spans?: readonly { from: number; to: number | null }[]
  height?: number
  label: string
  /** A span chosen by dragging, or `null` to go back. */
  zoom?: (span: { from: number; to: number } | null) => void
}

const NO_LIMITS: readonly number[] = []
const NO_SPANS: readonly { from: number; to: number | null }[] = []

/**
 * Measures over time on a canvas: the average as a line, lowest and highest as a band. The values under the pointer, or
 * under a cursor moved with the arrow keys, are said beside it; the drawing itself is made once.
 */
export function Chart({ lines, from, to, limits = NO_LIMITS, spans = NO_SPANS, height = 240, label, zoom }: Props) {
  const { m, f } = useSpeech()
  const theme = useTheme()
  const box = useRef<HTMLDivElement>(null)
  const canvas = useRef<HTMLCanvasElement>(null)
  const width = Math.max(160, Math.round(useWidth(box)))
  const scene = useMemo<Scene>(
    () => ({ lines, from, to, limits, spans, ticks: timeTicks(from, to, Math.max(2, Math.floor(width / 90))) }),
    [lines, from, to, limits, spans, width],
  )
  const layout = useMemo(() => layOut(scene, width, height), [scene, width, height])

  useEffect(() => {
    const element = canvas.current
    const context = element?.getContext('2d')
    if (!element || !context) return
    const scale = window.devicePixelRatio || 1
    element.width = Math.round(width * scale)
    element.height = Math.round(height * scale)
    context.setTransform(scale, 0, 0, scale, 0, 0)
    // Read after the theme has changed the page's colours.
    void theme
    const style = getComputedStyle(element)
    const colour = (name: string) => style.getPropertyValue(`--${name}`).trim() || '#888'
    const palette = {
      text: colour('faint'),
      grid: colour('line'),
      lines: LINES.map(colour),
      limit: colour('fibre'),
      span: colour('span'),
    }
    draw(context, scene, layout, palette, {
      value: (value, digits) => (digits > 3 && value !== 0 ? tinyWords(f, value) : f.decimal(value, digits)),
      time: at => f.tick(at, to - from),
    })
  }, [scene, layout, width, height, theme, f, from, to])

  return (
    <div className="chart" ref={box} style={{ height }}>
      <canvas ref={canvas} style={{ width, height }} />
      <Overlay scene={scene} layout={layout} lines={lines} label={label} {...(zoom ? { zoom } : {})} />
      {lines.every(({ series }) => series.length === 0) && <p className="chart-empty">{m.measures.nothing}</p>}
    </div>
  )
}

/** The cursor and what is under it: moves without the drawing being made again. */
function Overlay(props: {
  scene: Scene
  layout: Layout
  lines: Props['lines']
  label: string
  zoom?: NonNullable<Props['zoom']>
}) {
  const { scene, layout, lines, label, zoom } = props
  const { m, f } = useSpeech()
  const [cursor, setCursor] = useState<number | null>(null)
  const [drag, setDrag] = useState<{ x: number; to: number } | null>(null)
  const waiting = useRef<{ x: number; frame: number } | null>(null)
  useEffect(
    () => () => {
      if (waiting.current) cancelAnimationFrame(waiting.current.frame)
    },
    [],
  )
  const timeAt = (x: number) =>
    scene.from + ((x - layout.left) / (layout.right - layout.left)) * (scene.to - scene.from)
  const inside = (x: number) => Math.min(layout.right, Math.max(layout.left, x))
  const xIn = (event: PointerEvent<HTMLElement>) =>
    inside(event.clientX - event.currentTarget.getBoundingClientRect().left)

  const move = (event: PointerEvent<HTMLElement>) => {
    const x = xIn(event)
    if (waiting.current) {
      waiting.current.x = x
      return
    }
    const frame = requestAnimationFrame(() => {
      const at = waiting.current?.x ?? x
      waiting.current = null
      setCursor(timeAt(at))
      setDrag(before => before && { ...before, to: at })
    })
    waiting.current = { x, frame }
  }
  const down = (event: PointerEvent<HTMLElement>) => {
    if (!zoom || event.button !== 0 || event.pointerType === 'touch') return
    event.currentTarget.setPointerCapture(event.pointerId)
    const x = xIn(event)
    setDrag({ x, to: x })
  }
  const up = (event: PointerEvent<HTMLElement>) => {
    if (!drag || !zoom) return
    setDrag(null)
    const x = xIn(event)
    if (Math.abs(x - drag.x) < DRAG_MIN_PX) return
    zoom({ from: timeAt(Math.min(x, drag.x)), to: timeAt(Math.max(x, drag.x)) })
  }
  const press = (event: KeyboardEvent) => {
    const first = lines.find(({ series }) => series.length > 0)?.series
    if (!first) return
    const step = { ArrowLeft: -1, ArrowRight: 1, PageUp: -20, PageDown: 20 }[event.key]
    let to: number | null = null
    if (step !== undefined) to = cursor === null ? (step > 0 ? 0 : first.length - 1) : nearest(first, cursor) + step
    else if (event.key === 'Home') to = 0
    else if (event.key === 'End') to = first.length - 1
    else if (event.key === 'Escape' && cursor !== null) {
      event.preventDefault()
      setCursor(null)
      return
    } else return
    event.preventDefault()
    setCursor(first.at[Math.min(first.length - 1, Math.max(0, to))] ?? null)
  }

  const under =
    cursor === null
      ? []
      : lines.flatMap((line, i) => {
          const at = nearest(line.series, cursor)
          const axis = layout.axes[i]
          if (at < 0 || !axis) return []
          const { series } = line
          const time = series.at[at] as number
          if (time < scene.from || time > scene.to) return []
          return [
            {
              i,
              line,
              time,
              x: xOf(layout, scene, time),
              y: yOf(layout, axis, series.avg[at] as number),
              avg: series.avg[at] as number,
              min: series.min[at] as number,
              max: series.max[at] as number,
              n: series.n[at] as number,
            },
          ]
        })
  const lead = under[0]
  const said = under.map(({ line, avg, min, max, n }) =>
    [
      line.label,
      valueWords(f, avg, line.unit),
      ...(n > 1 ? [m.measures.between(valueWords(f, min, line.unit), valueWords(f, max, line.unit))] : []),
    ].join(' '),
  )
  const isRight = lead !== undefined && lead.x > layout.width / 2
  return (
    <div
      className="chart-over"
      role="group"
      aria-label={`${label}. ${m.measures.keys}`}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: walked with the arrow keys
      tabIndex={0}
      onKeyDown={press}
      onPointerMove={move}
      onPointerDown={down}
      onPointerUp={up}
      onPointerLeave={() => setCursor(null)}
      onDoubleClick={() => zoom?.(null)}
      onBlur={() => setCursor(null)}
      data-testid="chart"
    >
      {drag && Math.abs(drag.to - drag.x) >= DRAG_MIN_PX && (
        <span
          className="chart-drag"
          style={{
            left: Math.min(drag.x, drag.to),
            width: Math.abs(drag.to - drag.x),
            top: MARGIN.top,
            bottom: MARGIN.bottom,
          }}
        />
      )}
      {lead && <span className="chart-cursor" style={{ left: lead.x, top: MARGIN.top, bottom: MARGIN.bottom }} />}
      {under.map(({ i, x, y }) => (
        <span key={i} className={`chart-dot line-${LINES[i]}`} style={{ left: x, top: y }} />
      ))}
      {lead && (
        <div
          className="chart-tip"
          style={isRight ? { right: layout.width - lead.x + 12 } : { left: lead.x + 12 }}
          aria-hidden="true"
        >
          <time>{f.instant(new Date(lead.time).toISOString())}</time>
          {under.map(({ i, line, avg, min, max, n }) => (
            <p key={i}>
              <span className={`line-key line-${LINES[i]}`} />
              <span>{line.label}</span>
              <strong>{valueWords(f, avg, line.unit)}</strong>
              {n > 1 && (
                <small>
                  {m.measures.between(valueWords(f, min, line.unit), valueWords(f, max, line.unit))} ·{' '}
                  {m.measures.samples(n)}
                </small>
              )}
            </p>
          ))}
        </div>
      )}
      <span className="visually-hidden" role="status">
        {lead ? `${f.instant(new Date(lead.time).toISOString())}: ${said.join('; ')}` : ''}
      </span>
    </div>
  )
}
