import { useVirtualizer } from '@tanstack/react-virtual'
import { type KeyboardEvent, memo, useCallback, useEffect, useMemo, useRef, useState } from 'react'
import { devicePath } from '../../app/router'
import { store } from '../../app/services'
import { useSpeech, word } from '../../i18n'
import { parseEntity } from '../../lib/entity'
import { recall, remember } from '../../lib/external'
import { useDerived, useEntity, useLoad, useTopic } from '../../live/hooks'
import type { Level, StatusItem } from '../../protocol/types'
import * as Icons from '../../ui/icons'
import { LevelSign } from '../../ui/light'
import { Age, Foreign, Link, Notice, Skeleton } from '../../ui/parts'
import { StateBadge, ToneIcon } from '../../ui/state'
import { type Tone, toneOf } from '../../ui/tone'
import { LevelValue } from '../light/Level'
import { type Filtered, filtered, sameResult } from './onus'

const CELL_MIN_PX = 172
const CELL_PX = 58
/** With a line for the light. */
const CELL_LIT_PX = 76
const ROW_PX = 46
const FILTER_EVERY_MS = 150
const VIEW_KEY = 'atalaia.onus'

/** The ONUs of a PON, live: a wall of cells or a table, of which only what is in sight is drawn. */
export function OnuPane({ pon }: { pon: string }) {
  const { m, f } = useSpeech()
  const topic = useMemo(() => ({ topic: 'children', entity: pon }) as const, [pon])
  const sub = useTopic(topic)
  const load = useLoad(sub)
  const [view, setView] = useState<'grid' | 'list'>(recall(VIEW_KEY) === 'list' ? 'list' : 'grid')
  const [tone, setTone] = useState<Tone | null>(null)
  const [level, setLevel] = useState<Level | null>(null)
  const [text, setText] = useState('')
  const compute = useCallback((): Filtered => {
    const items = store.children(pon).flatMap(id => store.entity(id) ?? [])
    return filtered(items, { tone, level, text })
  }, [pon, tone, level, text])
  const { ids, tones, levels, isLit, all } = useDerived(compute, sameResult, FILTER_EVERY_MS)

  if (load.state === 'error') return <Notice title={m.board.error(load.code)} />
  if (load.state === 'loading' && all === 0) return <Skeleton rows={12} className="pane-skeleton" />
  if (all === 0) return <Notice title={m.board.noOnusTitle} hint={m.board.noOnusHint} />
  const choose = (next: 'grid' | 'list') => {
    setView(next)
    remember(VIEW_KEY, next)
  }
  return (
    <>
      <div className="onu-tools">
        <div className="chips" role="group" aria-label={m.board.state}>
          <button type="button" className="chip" aria-pressed={tone === null} onClick={() => setTone(null)}>
            {m.board.filterAll} <span className="chip-count">{f.number(all)}</span>
          </button>
          {tones.map(([each, count]) => (
            <button
              key={each}
              type="button"
              className="chip"
              aria-pressed={tone === each}
              onClick={() => setTone(tone === each ? null : each)}
            >
              <ToneIcon tone={each} size={12} />
              {toneWord(m, each)} <span className="chip-count">{f.number(count)}</span>
            </button>
          ))}
        </div>
        {levels.length > 0 && (
          <div className="chips chips-light" role="group" aria-label={m.light.group}>
            {levels.map(([each, count]) => (
              <button
                key={each}
                type="button"
                className="chip"
                aria-pressed={level === each}
                onClick={() => setLevel(level === each ? null : each)}
                title={`${m.light.group}: ${m.light.levels[each]}`}
                data-level={each}
              >
                <LevelSign level={each} size={12} />
                {m.light.levels[each]} <span className="chip-count">{f.number(count)}</span>
              </button>
            ))}
          </div>
        )}
        <input
          type="text"
          className="field-small"
          value={text}
          onChange={event => setText(event.target.value)}
          placeholder={m.board.filterText}
          aria-label={m.board.filterText}
          spellCheck={false}
        />
        <div className="segments" role="group">
          <button type="button" aria-pressed={view === 'grid'} onClick={() => choose('grid')} title={m.board.grid}>
            <Icons.Grid size={14} />
            <span className="visually-hidden">{m.board.grid}</span>
          </button>
          <button type="button" aria-pressed={view === 'list'} onClick={() => choose('list')} title={m.board.list}>
            <Icons.List size={14} />
            <span className="visually-hidden">{m.board.list}</span>
          </button>
        </div>
      </div>
      {ids.length === 0 ? <Notice title={m.board.noMatch} /> : <Onus ids={ids} view={view} isLit={isLit} />}
    </>
  )
}

function toneWord(m: ReturnType<typeof useSpeech>['m'], tone: Tone): string {
  if (tone === 'ok') return m.states.online
  if (tone === 'fault') return m.states.offline
  if (tone === 'absent' || tone === 'unknown') return m.states[tone]
  return word(m.causes, tone)
}

function Onus({ ids, view, isLit }: { ids: readonly string[]; view: 'grid' | 'list'; isLit: boolean }) {
  const { m } = useSpeech()
  const scroller = useRef<HTMLDivElement>(null)
  const width = useWidth(scroller)
  const columns = view === 'list' ? 1 : Math.max(1, Math.floor((width + 6) / (CELL_MIN_PX + 6)))
  const rowPx = view === 'list' ? ROW_PX : isLit ? CELL_LIT_PX : CELL_PX
  const virtual = useVirtualizer({
    count: Math.ceil(ids.length / columns),
    getScrollElement: () => scroller.current,
    estimateSize: () => rowPx,
    overscan: 6,
    paddingEnd: 16,
  })
  // The rows change their height with the view.
  // biome-ignore lint/correctness/useExhaustiveDependencies: measured anew when the height of rows changes
  useEffect(() => virtual.measure(), [rowPx])

  const press = (event: KeyboardEvent<HTMLDivElement>) => {
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns }[event.key]
    const from = document.activeElement?.closest<HTMLElement>('[data-index]')?.dataset.index
    if (step === undefined || from === undefined) return
    const to = Number(from) + step
    if (to < 0 || to >= ids.length) return
    event.preventDefault()
    virtual.scrollToIndex(Math.floor(to / columns), { align: 'auto' })
    requestAnimationFrame(() =>
      scroller.current?.querySelector<HTMLElement>(`[data-index="${to}"] a, a[data-index="${to}"]`)?.focus(),
    )
  }

  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: arrow keys between the links inside
    <div className={`onus onus-${view} ${isLit ? 'lit' : ''}`} onKeyDown={press}>
      {view === 'list' && (
        <div className="onu-head" aria-hidden="true">
          <span>{m.board.place}</span>
          <span>{m.board.state}</span>
          <span>{m.board.customer}</span>
          {isLit && (
            <>
              <span>{m.light.onuRx}</span>
              <span>{m.light.oltRx}</span>
              <span>{m.light.distance}</span>
            </>
          )}
          <span>{m.board.since}</span>
        </div>
      )}
      <div className="onu-scroll" ref={scroller}>
        <ul className="onu-list" style={{ height: virtual.getTotalSize() }}>
          {virtual.getVirtualItems().map(({ index, start, key }) => (
            <li
              key={key}
              style={{ transform: `translateY(${start}px)`, gridTemplateColumns: `repeat(${columns}, minmax(0, 1fr))` }}
            >
              {ids.slice(index * columns, (index + 1) * columns).map((id, i) => (
                <div key={id} data-index={index * columns + i} className="onu-slot">
                  {view === 'grid' ? <OnuCell id={id} isLit={isLit} /> : <OnuRow id={id} isLit={isLit} />}
                </div>
              ))}
            </li>
          ))}
        </ul>
      </div>
    </div>
  )
}

const OnuCell = memo(function OnuCell({ id, isLit }: { id: string; isLit: boolean }) {
  const { m } = useSpeech()
  const item = useEntity(id)
  if (!item) return null
  const tone = toneOf(item.state, item.cause)
  return (
    <Link to={devicePath(id)} className={`onu-cell edge-${tone}`} testId="onu">
      <span className="onu-top" data-entity={id} data-state={item.state}>
        <ToneIcon tone={tone} size={13} />
        <span className="onu-id">{parseEntity(id).place.split('/')[3]}</span>
        <span className="mono onu-serial">{item.serial ?? '—'}</span>
      </span>
      <span className="onu-bottom">
        <Customer item={item} />
        <span className={`onu-since tone-${tone}`}>
          <span className="visually-hidden">
            {word(m.states, item.state)} {word(m.causes, item.cause)}
          </span>
          <Age since={item.since} />
        </span>
      </span>
      {isLit && (
        <span className="onu-light">
          <LevelValue dbm={item.optics?.rx_dbm ?? null} reader="onu" arrow />
          <LevelValue dbm={item.optics?.olt_rx_dbm ?? null} reader="olt" arrow />
        </span>
      )}
    </Link>
  )
})

/** Who is at the end of the fibre: name and description, as far as there are both. */
function Customer({ item }: { item: StatusItem }) {
  return (
    <span className="onu-customer">
      <Foreign text={item.name} className="onu-name" />
      <Foreign text={item.description} className="onu-description" />
    </span>
  )
}

const OnuRow = memo(function OnuRow({ id, isLit }: { id: string; isLit: boolean }) {
  const { m, f } = useSpeech()
  const item = useEntity(id)
  if (!item) return null
  return (
    <Link to={devicePath(id)} className="onu-row" testId="onu">
      <span className="mono onu-place" data-entity={id} data-state={item.state}>
        {parseEntity(id).place}
      </span>
      <span className="onu-state">
        <StateBadge item={item} quiet />
      </span>
      <span className="onu-who">
        <span className="onu-who-top">
          <span className="mono">{item.serial ?? '—'}</span>
          <Foreign text={item.name} className="onu-name" />
        </span>
        <Foreign text={item.description} className="onu-description" />
      </span>
      {isLit && (
        <>
          <span className="onu-rx">
            <LevelValue dbm={item.optics?.rx_dbm ?? null} reader="onu" arrow />
          </span>
          <span className="onu-olt-rx">
            <LevelValue dbm={item.optics?.olt_rx_dbm ?? null} reader="olt" arrow />
          </span>
          <span className="onu-distance" title={m.light.distance}>
            {item.optics?.distance_m != null ? f.distance(item.optics.distance_m) : '—'}
          </span>
        </>
      )}
      <span className="onu-since">
        <Age since={item.since} />
      </span>
    </Link>
  )
})

/** Width of an element, followed. */
function useWidth(element: { current: HTMLElement | null }): number {
  const [width, setWidth] = useState(800)
  useEffect(() => {
    if (!element.current) return
    const observer = new ResizeObserver(entries => setWidth(entries[0]?.contentRect.width ?? 800))
    observer.observe(element.current)
    return () => observer.disconnect()
  }, [element])
  return width
}
