import { useVirtualizer } from '@tanstack/react-virtual'
import { memo, useEffect, useMemo, useRef, useState } from 'react'
import { useKeys } from '../../app/keys'
import { devicePath, navigate } from '../../app/router'
import { eventWords, useSpeech, word } from '../../i18n'
import { parseEntity } from '../../lib/entity'
import { useEvents, useLoad, useNow, useTopic } from '../../live/hooks'
import type { LiveEvent } from '../../live/store'
import { CAUSES, type EventItem, SEVERITIES } from '../../protocol/types'
import * as Icons from '../../ui/icons'
import { Foreign, Notice, Skeleton } from '../../ui/parts'
import { ToneIcon } from '../../ui/state'
import { type Tone, toneOf } from '../../ui/tone'
import { Accounting } from '../accounting/Accounting'
import { type EventFilter, matchesFilter, NO_FILTER } from './filter'

const TOPIC = { topic: 'events', limit: 500 } as const
const ROW_PX = 50
/** An event this young is marked as new, in milliseconds. */
const FRESH_MS = 1_600
/** More events than this within a second are a storm. */
const STORM_EVENTS = 20
const FILTER_KINDS = ['onu', 'pon', 'board', 'olt', 'unknown'] as const

/** What happens, as it happens. Stands still while somebody reads it. */
export function EventStream({ scope }: { scope: string | null }) {
  const { m, f } = useSpeech()
  const sub = useTopic(TOPIC)
  const load = useLoad(sub)
  const live = useEvents(sub)
  const [filter, setFilter] = useState<EventFilter>(NO_FILTER)
  const [filterOpen, setFilterOpen] = useState(false)
  const [held, setHeld] = useState(false)
  const [hovered, setHovered] = useState(false)
  const [scrolled, setScrolled] = useState(false)
  const scroller = useRef<HTMLDivElement>(null)
  const [frozen, setFrozen] = useState<readonly LiveEvent[] | null>(null)

  const paused = held || hovered || scrolled
  // Frozen with the first paused render, let go with the first one that is not.
  if (paused && frozen === null) setFrozen(live)
  if (!paused && frozen !== null) setFrozen(null)

  const source = frozen ?? live
  const within = filter.here ? scope : null
  const shown = useMemo(
    () => source.filter(({ item }) => matchesFilter(item, filter, within)),
    [source, filter, within],
  )
  const newer = useMemo(() => {
    const first = frozen?.[0]
    if (!frozen) return 0
    const at = first ? live.indexOf(first) : live.length
    return live.slice(0, at < 0 ? live.length : at).filter(({ item }) => matchesFilter(item, filter, within)).length
  }, [frozen, live, filter, within])

  const virtual = useVirtualizer({
    count: shown.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_PX,
    getItemKey: i => shown[i]?.item.id ?? i,
    overscan: 6,
  })

  // In a storm everything is new: marking it would only flicker.
  const storm = shown[STORM_EVENTS]
  const calm = !storm || performance.now() - storm.arrivedAt > 1_000

  const resume = () => {
    setHeld(false)
    setHovered(false)
    setScrolled(false)
    scroller.current?.scrollTo({ top: 0 })
  }
  const togglePause = () => (held ? resume() : setHeld(true))
  useKeys({ p: togglePause })
  const filtered = filter !== NO_FILTER && JSON.stringify(filter) !== JSON.stringify(NO_FILTER)

  return (
    <aside className="stream" aria-label={m.stream.label} data-testid="event-stream" data-paused={paused}>
      <header className="panel-header">
        <h2>{m.stream.title}</h2>
        <Rate events={live} />
        {paused && (
          <span className="stream-paused">
            <Icons.Pause size={12} />
            {m.stream.paused}
          </span>
        )}
        <span className="panel-space" />
        <button
          type="button"
          className="ghost-button"
          aria-pressed={held}
          onClick={togglePause}
          aria-label={held ? m.stream.resume : m.stream.pause}
          title={`${held ? m.stream.resume : m.stream.pause} (p)`}
        >
          {held ? <Icons.Play size={14} /> : <Icons.Pause size={14} />}
        </button>
        <button
          type="button"
          className={`ghost-button ${filtered ? 'on' : ''}`}
          aria-expanded={filterOpen}
          onClick={() => setFilterOpen(!filterOpen)}
          aria-label={m.stream.filter}
          title={m.stream.filter}
        >
          <Icons.Filter size={14} />
        </button>
      </header>
      <Accounting />
      {filterOpen && <Filters filter={filter} setFilter={setFilter} scoped={scope !== null} />}
      {newer > 0 && (
        <button type="button" className="stream-newer" onClick={resume}>
          <Icons.ArrowUp size={12} />
          {m.stream.newer(newer)}
        </button>
      )}
      {load.state === 'error' && <Notice title={m.board.error(load.code)} />}
      {load.state === 'loading' && live.length === 0 && <Skeleton rows={12} />}
      {load.state === 'ready' && live.length === 0 && <Notice title={m.stream.empty} hint={m.stream.emptyHint} />}
      {live.length > 0 && shown.length === 0 && (
        <Notice title={m.stream.noMatch}>
          <button type="button" className="button button-small" onClick={() => setFilter(NO_FILTER)}>
            {m.stream.clearFilter}
          </button>
        </Notice>
      )}
      <div
        className="stream-scroll"
        ref={scroller}
        onPointerEnter={event => event.pointerType === 'mouse' && setHovered(true)}
        onPointerLeave={() => setHovered(false)}
        onScroll={event => setScrolled(event.currentTarget.scrollTop > ROW_PX / 2)}
      >
        <ul className="stream-list" style={{ height: virtual.getTotalSize() }} aria-live="off">
          {virtual.getVirtualItems().map(({ index, start, key }) => {
            const event = shown[index]
            return event && <EventRow key={key} event={event} start={start} f={f} calm={calm} />
          })}
        </ul>
      </div>
    </aside>
  )
}

function Rate({ events }: { events: readonly LiveEvent[] }) {
  const { m, f } = useSpeech()
  const now = useNow(2_000)
  const since = new Date(now - 60_000).toISOString()
  let n = 0
  while (n < events.length && (events[n]?.item.received_at ?? '') > since) n += 1
  return (
    <span className="stream-rate" title={m.stream.rateHint}>
      {m.stream.rate(n > 0 && n === events.length ? `${f.number(n)}+` : f.number(n))}
    </span>
  )
}

function Filters(props: { filter: EventFilter; setFilter: (filter: EventFilter) => void; scoped: boolean }) {
  const { m } = useSpeech()
  const { filter, setFilter, scoped } = props
  const select = (
    key: 'kind' | 'severity' | 'cause',
    label: string,
    words: Record<string, string>,
    of: readonly string[],
  ) => (
    <label>
      <span>{label}</span>
      <select value={filter[key] ?? ''} onChange={event => setFilter({ ...filter, [key]: event.target.value || null })}>
        <option value="">{m.stream.all}</option>
        {of.map(value => (
          <option key={value} value={value}>
            {word(words, value)}
          </option>
        ))}
      </select>
    </label>
  )
  return (
    <div className="stream-filters">
      {select('kind', m.stream.kind, m.kinds, FILTER_KINDS)}
      {select('severity', m.stream.severity, m.severities, SEVERITIES)}
      {select('cause', m.stream.cause, m.causes, CAUSES)}
      <label className="check">
        <input
          type="checkbox"
          checked={filter.here}
          disabled={!scoped && !filter.here}
          onChange={event => setFilter({ ...filter, here: event.target.checked })}
        />
        <span>{m.stream.here}</span>
      </label>
      <button type="button" className="link-button" onClick={() => setFilter(NO_FILTER)}>
        {m.stream.clearFilter}
      </button>
    </div>
  )
}

/** How an event looks: the state it led to, else whether it begins or ends something. */
export function eventTone(item: EventItem): Tone {
  if (item.state !== null) return toneOf(item.state, item.cause)
  if (item.phase === 'clear') return 'ok'
  if (item.cause) return toneOf('offline', item.cause)
  return item.severity === 'critical' || item.severity === 'major' ? 'fault' : 'other'
}

interface RowProps {
  event: LiveEvent
  start: number
  f: ReturnType<typeof useSpeech>['f']
  calm: boolean
}

const EventRow = memo(function EventRow({ event, start, f, calm }: RowProps) {
  const { m } = useSpeech()
  const { item, arrivedAt } = event
  const [fresh, setFresh] = useState(() => calm && arrivedAt > 0 && performance.now() - arrivedAt < FRESH_MS)
  useEffect(() => {
    if (!fresh) return
    const timer = setTimeout(() => setFresh(false), FRESH_MS)
    return () => clearTimeout(timer)
  }, [fresh])
  const entity = parseEntity(item.entity)
  const to = devicePath(item.entity)
  return (
    <li
      className={`event-row severity-${item.phase === 'clear' ? 'clear' : (item.severity ?? 'none')} ${fresh ? 'fresh' : ''}`}
      style={{ transform: `translateY(${start}px)` }}
      data-testid="event-row"
      data-entity={item.entity}
      data-event={item.event}
      data-phase={item.phase}
    >
      <a
        href={to}
        onClick={click => {
          if (click.button !== 0 || click.metaKey || click.ctrlKey || click.shiftKey) return
          click.preventDefault()
          navigate(to)
        }}
      >
        <ToneIcon tone={eventTone(item)} size={15} />
        <span className="event-what">
          <span className="event-name">{eventWords(m, item)}</span>
          {item.phase === 'event' && item.state && <span className="event-to">→ {word(m.states, item.state)}</span>}
          {item.severity && item.phase !== 'clear' && (
            <span className={`event-severity sev-${item.severity}`}>{word(m.severities, item.severity)}</span>
          )}
        </span>
        <time dateTime={item.at} title={f.instant(item.at)}>
          {f.clock(item.at)}
        </time>
        <span className="event-where">
          <span className="event-place">
            {entity.rootName}
            {entity.place && ` ${entity.kind === 'onu' ? '' : `${word(m.kinds, entity.kind)} `}${entity.place}`}
          </span>
          {item.serial && <span className="mono">{item.serial}</span>}
          <Foreign text={item.name ?? item.description} className="event-description" />
        </span>
      </a>
    </li>
  )
})
