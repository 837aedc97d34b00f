import { useVirtualizer } from '@tanstack/react-virtual'
import { type KeyboardEvent, useCallback, useEffect, useMemo, useRef, useState, useSyncExternalStore } from 'react'
import { useKeys } from '../../app/keys'
import { acts } from '../../app/services'
import { type Messages, useSpeech, word } from '../../i18n'
import { cell } from '../../lib/external'
import type { Formats } from '../../lib/format'
import { inert } from '../../lib/text'
import { ALARMS, INCIDENTS, useAlarms, useIncidents, useLoad, useTopic } from '../../live/hooks'
import type { Act, AlarmItem } from '../../protocol/alarms'
import * as Icons from '../../ui/icons'
import { Notice, Skeleton } from '../../ui/parts'
import { useWidth } from '../../ui/useWidth'
import { AlarmFilters } from './AlarmFilters'
import { AlarmRow } from './AlarmRow'
import { actsFor } from './acts'
import { IncidentRow } from './IncidentRow'
import { type AlarmFilter, foldAlarms, isFiltered, NO_ALARM_FILTER, openSymptoms, type Row, type Sort } from './model'
import { useMayAct } from './useActs'

/** What a person has chosen outlives the page: who comes back finds the list as it was. */
const chosen = cell<{ filter: AlarmFilter; sort: Sort }>({ filter: NO_ALARM_FILTER, sort: 'severity' })
const unfolded = cell<ReadonlySet<string>>(new Set())

const NARROW_PX = 760
const PX = { title: 34, incident: 66, alarm: 48, unlisted: 40 } as const
const NARROW = { title: 34, incident: 122, alarm: 78, unlisted: 40 } as const

interface Props {
  alarm: string | null
  incident: string | null
  open: (id: string) => void
  openIncident: (id: string) => void
  close: () => void
  ask: (of: AlarmItem | readonly AlarmItem[], act: Act) => void
  isAsking: boolean
}

/** Incidents on top with their symptoms folded, below them the other alarms; walked with j and k. */
export function ActiveList({ alarm, incident, open, openIncident, close, ask, isAsking }: Props) {
  const { m, f } = useSpeech()
  const load = useLoad(useTopic(ALARMS))
  const incidentsLoad = useLoad(useTopic(INCIDENTS))
  const alarms = useAlarms()
  const incidents = useIncidents()
  const { filter, sort } = useSyncExternalStore(chosen.listen, chosen.get)
  const opened = useSyncExternalStore(unfolded.listen, unfolded.get)
  const may = useMayAct()
  const folded = useMemo(
    () => foldAlarms(alarms, incidents, filter, sort, opened),
    [alarms, incidents, filter, sort, opened],
  )
  const { rows } = folded
  const [cursor, setCursor] = useState<string | null>(null)
  const scroller = useRef<HTMLDivElement>(null)
  const filterText = useRef<HTMLInputElement>(null)
  const px = useWidth(scroller) < NARROW_PX ? NARROW : PX
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: i => px[rows[i]?.kind ?? 'alarm'],
    getItemKey: i => rows[i]?.key ?? i,
    overscan: 8,
    paddingEnd: 24,
  })
  // Rows move and change their kind under one number.
  // biome-ignore lint/correctness/useExhaustiveDependencies: measured anew when the rows or their heights change
  useEffect(() => virtual.measure(), [rows, px])

  const toggle = useCallback((id: string) => {
    const next = new Set(unfolded.get())
    if (!next.delete(id)) next.add(id)
    unfolded.set(next)
  }, [])
  const setFilter = (next: AlarmFilter) => chosen.set({ ...chosen.get(), filter: next })

  const at = rows.findIndex(row => row.key === cursor)
  const current = rows[at]
  const move = (step: number) => {
    const stops = rows
      .map((row, i) => ({ row, i }))
      .filter(({ row }) => row.kind === 'alarm' || row.kind === 'incident')
    const from = stops.findIndex(({ i }) => i === at)
    const to =
      stops[from < 0 ? (step > 0 ? 0 : stops.length - 1) : Math.min(stops.length - 1, Math.max(0, from + step))]
    if (!to) return
    setCursor(to.row.key)
    virtual.scrollToIndex(to.i, { align: 'auto' })
    if (alarm !== null || incident !== null) show(to.row)
  }
  const show = (row: Row | undefined) => {
    if (row?.kind === 'alarm') open(row.alarm.alarm_id)
    else if (row?.kind === 'incident') openIncident(row.incident.incident_id)
  }
  const act = (wanted: readonly Act[]) => {
    if (isAsking || !may) return
    if (current?.kind === 'incident' && wanted.includes('acknowledge')) {
      const open = openSymptoms(alarms, current.incident.incident_id)
      if (open.length > 0) ask(open, 'acknowledge')
      return
    }
    if (current?.kind !== 'alarm') return
    const possible = actsFor(current.alarm).find(each => wanted.includes(each))
    if (!possible) return
    if (possible === 'unacknowledge' || possible === 'unsilence') void acts.begin(current.alarm.alarm_id, possible)
    else ask(current.alarm, possible)
  }
  const askOrDo = useCallback(
    (of: AlarmItem, wanted: Act) => {
      if (wanted === 'unacknowledge' || wanted === 'unsilence') void acts.begin(of.alarm_id, wanted)
      else ask(of, wanted)
    },
    [ask],
  )
  const onKey = (run: () => void) => (event: globalThis.KeyboardEvent) => {
    event.preventDefault()
    run()
  }
  useKeys({
    j: onKey(() => move(1)),
    k: onKey(() => move(-1)),
    o: onKey(() => show(current)),
    e: onKey(() => current?.kind === 'incident' && toggle(current.incident.incident_id)),
    a: onKey(() => act(['acknowledge'])),
    u: onKey(() => act(['unacknowledge'])),
    c: onKey(() => act(['comment'])),
    s: onKey(() => act(['silence', 'unsilence'])),
    x: onKey(() => act(['clear'])),
    f: onKey(() => filterText.current?.focus()),
    Escape: () => {
      if (alarm !== null || incident !== null) close()
      else setCursor(null)
    },
  })
  const press = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key]
    if (step) {
      event.preventDefault()
      move(step)
    } else if ((event.key === 'Enter' || event.key === ' ') && event.target === event.currentTarget) {
      event.preventDefault()
      if (event.key === ' ' && current?.kind === 'incident') toggle(current.incident.incident_id)
      else show(current)
    }
  }

  const isLoading = load.state === 'loading' && alarms.length === 0
  const isEmpty = load.state === 'ready' && rows.length === 0
  const hidden = [...folded.hidden].filter(([, n]) => n > 0)
  return (
    <>
      <AlarmFilters
        filter={filter}
        setFilter={setFilter}
        sort={sort}
        setSort={next => chosen.set({ ...chosen.get(), sort: next })}
        bySeverity={folded.bySeverity}
        alarms={alarms}
        textRef={filterText}
      />
      {incidentsLoad.state === 'error' && load.state !== 'error' && (
        <p className="alarms-note" role="alert">
          {m.alarms.incidentsFailed(incidentsLoad.code)}
        </p>
      )}
      {load.state === 'error' && (
        <Notice title={m.alarms.failed} hint={m.board.error(load.code)} icon={<Icons.Rogue size={28} />} />
      )}
      {isLoading && <Skeleton rows={12} />}
      {isEmpty && (isFiltered(filter) ? <NothingFits reset={() => setFilter(NO_ALARM_FILTER)} /> : <Quiet />)}
      {/* biome-ignore lint/a11y/noStaticElementInteractions: a list walked by keys; what is in its rows has names of its own */}
      <div
        className="alarms-scroll"
        ref={scroller}
        onKeyDown={press}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard
        tabIndex={0}
        data-testid="alarm-list"
        data-alarms={folded.alarms}
        data-incidents={folded.incidents}
        hidden={rows.length === 0}
      >
        <ul className="alarm-list" style={{ height: virtual.getTotalSize() }} aria-label={m.nav.alarms}>
          {virtual.getVirtualItems().map(({ index, start, size, key }) => {
            const row = rows[index]
            if (!row) return null
            return (
              <li key={key} style={{ transform: `translateY(${start}px)`, height: size }}>
                {row.kind === 'title' && (
                  <h2 className="alarms-title">
                    {m.alarms.titles[row.of]} <span>{f.number(row.n)}</span>
                  </h2>
                )}
                {row.kind === 'incident' && (
                  <IncidentRow
                    incident={row.incident}
                    symptoms={row.symptoms}
                    unfolded={row.open}
                    isCursor={row.key === cursor}
                    isOpen={row.incident.incident_id === incident}
                    toggle={toggle}
                    open={openIncident}
                  />
                )}
                {row.kind === 'alarm' && (
                  <AlarmRow
                    alarm={row.alarm}
                    isSymptom={row.isSymptom}
                    isCursor={row.key === cursor}
                    isOpen={row.alarm.alarm_id === alarm}
                    open={open}
                    ask={askOrDo}
                  />
                )}
                {row.kind === 'unlisted' && <p className="alarms-unlisted">{m.alarms.noSymptoms}</p>}
              </li>
            )
          })}
        </ul>
      </div>
      <span className="visually-hidden" role="status">
        {current && saidOf(m, f, current, at, rows.length)}
      </span>
      {hidden.length > 0 && (
        <p className="alarms-hidden">
          {m.alarms.hidden}
          {hidden.map(([visibility, n]) => (
            <button
              key={visibility}
              type="button"
              className="link-button"
              onClick={() => setFilter({ ...filter, visibility })}
            >
              {f.number(n)}{' '}
              {Object.hasOwn(m.alarms.visibility, visibility)
                ? m.alarms.visibility[visibility]?.toLowerCase()
                : visibility}
            </button>
          ))}
        </p>
      )}
    </>
  )
}

/** The line under the cursor, for who does not see it. */
function saidOf(m: Messages, f: Formats, row: Row, at: number, n: number): string {
  const place = m.alarms.cursor(f.number(at + 1), f.number(n))
  if (row.kind === 'incident') {
    const { verdict, severity, text, site } = row.incident
    return [word(m.alarms.verdicts, verdict), word(m.severities, severity), inert(text), inert(site), place]
      .filter(Boolean)
      .join(', ')
  }
  if (row.kind !== 'alarm') return ''
  const { severity, text, site, operator_state: operator, visibility } = row.alarm
  return [
    word(m.severities, severity),
    inert(text),
    inert(site),
    word(m.alarms.operator, operator),
    visibility === 'shown' ? '' : word(m.alarms.visibility, visibility),
    place,
  ]
    .filter(Boolean)
    .join(', ')
}

function Quiet() {
  const { m } = useSpeech()
  return (
    <Notice title={m.alarms.quiet} hint={m.alarms.quietHint} icon={<Icons.Check size={28} className="tone-ok" />} />
  )
}

function NothingFits({ reset }: { reset: () => void }) {
  const { m } = useSpeech()
  return (
    <Notice title={m.alarms.noMatch}>
      <button type="button" className="button button-small" onClick={reset}>
        {m.stream.clearFilter}
      </button>
    </Notice>
  )
}
