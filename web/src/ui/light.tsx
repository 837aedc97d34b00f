import { useSpeech } from '../i18n'
import type { Level } from '../protocol/types'

/** Bars like those of a telephone: three good, two weak, one crossed bad. Told apart without colour. */
const BARS: Record<Level, number> = { good: 3, weak: 2, bad: 1 }

export function LevelSign({ level, size = 13 }: { level: Level; size?: number }) {
  return (
    <svg
      className={`icon level-sign level-${level}`}
      width={size}
      height={size}
      viewBox="0 0 16 16"
      aria-hidden="true"
      focusable="false"
    >
      {[0, 1, 2].map(bar => (
        <rect
          key={bar}
          x={1.5 + bar * 5}
          y={10 - bar * 4}
          width="3.4"
          height={4.5 + bar * 4}
          rx="0.8"
          className={bar < BARS[level] ? 'lit' : 'dim'}
        />
      ))}
      {level === 'bad' && <path d="m8.2 2.4 5.6 5.6M13.8 2.4 8.2 8" />}
    </svg>
  )
}

/** A level as sign and word. */
export function LevelBadge({ level }: { level: Level }) {
  const { m } = useSpeech()
  return (
    <span className={`badge level-${level}`} data-level={level}>
      <LevelSign level={level} size={12} />
      <span>{m.light.levels[level]}</span>
    </span>
  )
}
