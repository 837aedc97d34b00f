import { useEffect, useMemo, useState } from 'react'
import { useSpeech, word } from '../../i18n'
import { useNow } from '../../live/hooks'
import type { EventItem, StatusItem } from '../../protocol/types'
import { toneOf } from '../../ui/tone'
import { type Segment, stateHistory } from './history'
import type { LoadedHistory } from './useHistory'

const HOUR = 3_600_000
const SPANS = { hour: HOUR, day: 24 * HOUR, week: 7 * 24 * HOUR } as const
const TICKS = { hour: 6, day: 6, week: 7 } as const

interface Props {
  item: StatusItem
  events: readonly EventItem[]
  history: LoadedHistory
}

/** The states of the last hour, day or week as one bar. What nobody knows is hatched, not guessed. */
export function StateBar({ item, events, history }: Props) {
  const { m, f } = useSpeech()
  const [chosen, setChosen] = useState<keyof typeof SPANS | null>(null)
  const ticked = useNow(5_000)
  // A change younger than the last tick is not in the future.
  const now = Math.max(ticked, item.since ? Date.parse(item.since) || 0 : 0)
  // A device of the last hour would be a sliver of its day.
  const young = history.state === 'ready' && !history.more && now - (Date.parse(events.at(-1)?.at ?? '') || 0) < HOUR
  const span = chosen ?? (young ? 'hour' : 'day')
  const spanMs = SPANS[span]
  const { reach } = history
  useEffect(() => reach(now - spanMs), [reach, now, spanMs])
  const { segments, inService, outages, knownMs } = useMemo(
    () => stateHistory(events, item, now, spanMs),
    [events, item, now, spanMs],
  )
  const start = now - spanMs
  const words = ({ state, cause, from, to }: Segment): string =>
    [
      state ? word(m.states, state) : m.device.notKnown,
      ...(cause ? [word(m.causes, cause)] : []),
      f.duration(to - from),
      `${f.axis(from, spanMs)} – ${f.axis(to, spanMs)}`,
    ].join(' · ')
  return (
    <section className="card" aria-label={m.device.stateBar}>
      <header className="card-header">
        <h2>{m.device.stateBar}</h2>
        <span className="faint">
          {inService !== null && m.device.online(f.percent(inService))}
          {knownMs > 0 && knownMs < spanMs * 0.98 && ` · ${m.device.knownFor(f.duration(knownMs))}`}
          {outages > 0 && ` · ${m.device.outages(outages)}`}
        </span>
        <div className="segments" role="group">
          {(['hour', 'day', 'week'] as const).map(each => (
            <button key={each} type="button" aria-pressed={span === each} onClick={() => setChosen(each)}>
              {m.device[each]}
            </button>
          ))}
        </div>
      </header>
      <ol className="state-bar" data-testid="state-bar">
        {segments.map(segment => (
          <li
            key={segment.from}
            className={segment.state === null ? 'fill-nothing' : `fill-${toneOf(segment.state, segment.cause)}`}
            style={{
              // The youngest change is seen, however short.
              left: `min(${((segment.from - start) / spanMs) * 100}%, 100% - 3px)`,
              width: `${((segment.to - segment.from) / spanMs) * 100}%`,
            }}
            title={words(segment)}
          >
            <span className="visually-hidden">{words(segment)}</span>
          </li>
        ))}
      </ol>
      <div className="state-axis" aria-hidden="true">
        {Array.from({ length: TICKS[span] + 1 }, (_, i) => i / TICKS[span]).map(part => (
          <span key={part} style={{ left: `${part * 100}%` }}>
            {part === 1 ? m.device.now : f.axis(start + spanMs * part, spanMs)}
          </span>
        ))}
      </div>
    </section>
  )
}
