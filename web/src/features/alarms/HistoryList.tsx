import { useVirtualizer } from '@tanstack/react-virtual'
import { useEffect, useMemo, useRef, useState } from 'react'
import { useKeys } from '../../app/keys'
import { useSpeech, word } from '../../i18n'
import { inert } from '../../lib/text'
import { useSites } from '../../live/hooks'
import type { AlarmItem } from '../../protocol/alarms'
import { SEVERITIES } from '../../protocol/types'
import * as Icons from '../../ui/icons'
import { Notice, Skeleton } from '../../ui/parts'
import { usePages } from '../../ui/usePages'
import { useWidth } from '../../ui/useWidth'
import { Select } from './AlarmFilters'
import { AlarmRow } from './AlarmRow'

const HOUR_MS = 3_600_000
const SPANS = { day: 24, week: 7 * 24, month: 30 * 24, year: 366 * 24 } as const
type Span = keyof typeof SPANS
const PAGE = 100
const NARROW_PX = 760
/** This near to the end of what is loaded the next page is asked for, in rows. */
const AHEAD = 20

/** What was: cleared alarms, the newest first, as far back as they are kept. */
export function HistoryList(props: { alarm: string | null; open: (id: string) => void; close: () => void }) {
  const { alarm, open, close } = props
  const { m, f } = useSpeech()
  const sites = useSites()
  const [span, setSpan] = useState<Span>('week')
  const [severity, setSeverity] = useState('')
  const [site, setSite] = useState('')
  const [began] = useState(() => Date.now())
  const path = useMemo(() => {
    const query = new URLSearchParams({ condition: 'cleared', limit: String(PAGE) })
    query.set('from', new Date(began - SPANS[span] * HOUR_MS).toISOString())
    if (severity) query.set('severity', severity)
    if (site) query.set('site', site)
    return `/alarms?${query}`
  }, [span, severity, site, began])
  const pages = usePages<AlarmItem>(path)
  const { items, hasMore, more, state } = pages
  const scroller = useRef<HTMLDivElement>(null)
  const px = useWidth(scroller) < NARROW_PX ? 78 : 48
  const [cursor, setCursor] = useState(-1)
  const virtual = useVirtualizer({
    count: items.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => px,
    overscan: 8,
    paddingEnd: 12,
  })
  // biome-ignore lint/correctness/useExhaustiveDependencies: measured anew when the height of rows changes
  useEffect(() => virtual.measure(), [px])
  const last = virtual.getVirtualItems().at(-1)?.index ?? 0
  useEffect(() => {
    if (state === 'ready' && hasMore && last >= items.length - AHEAD) more()
  }, [state, hasMore, last, items.length, more])
  const move = (step: number) => {
    const to = Math.min(items.length - 1, Math.max(0, cursor + step))
    setCursor(to)
    virtual.scrollToIndex(to, { align: 'auto' })
    const row = items[to]
    if (row && alarm !== null) open(row.alarm_id)
  }
  useKeys({
    j: () => move(1),
    k: () => move(-1),
    o: () => {
      const row = items[cursor]
      if (row) open(row.alarm_id)
    },
    Escape: () => alarm !== null && close(),
  })
  return (
    <>
      <div className="alarm-filters">
        <div className="segments" role="group" aria-label={m.alarms.span}>
          {(Object.keys(SPANS) as Span[]).map(each => (
            <button key={each} type="button" aria-pressed={span === each} onClick={() => setSpan(each)}>
              {m.alarms.spans[each]}
            </button>
          ))}
        </div>
        <div className="alarm-selects">
          <Select
            label={m.stream.severity}
            value={severity}
            set={setSeverity}
            options={[
              ['', m.alarms.anySeverity],
              ...SEVERITIES.map((each): [string, string] => [each, word(m.severities, each)]),
            ]}
          />
          {sites.length > 1 && (
            <Select
              label={m.device.site}
              value={site}
              set={setSite}
              options={[['', m.board.allSites], ...sites.map((each): [string, string] => [each, inert(each)])]}
            />
          )}
        </div>
      </div>
      {state === 'failed' && (
        <Notice title={m.alarms.historyFailed} {...(pages.code ? { hint: m.board.error(pages.code) } : {})}>
          <button type="button" className="button button-small" onClick={pages.again}>
            {m.device.retry}
          </button>
        </Notice>
      )}
      {(state === 'loading' || (state === 'ready' && hasMore)) && items.length === 0 && <Skeleton rows={12} />}
      {state === 'ready' && !hasMore && items.length === 0 && (
        <Notice title={m.alarms.historyEmpty} hint={m.alarms.historyEmptyHint} icon={<Icons.Check size={28} />} />
      )}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard */}
      <div className="alarms-scroll" ref={scroller} tabIndex={0} data-testid="history-list" hidden={items.length === 0}>
        <ul className="alarm-list" style={{ height: virtual.getTotalSize() }} aria-label={m.alarms.tabs.history}>
          {virtual.getVirtualItems().map(({ index, start, size, key }) => {
            const item = items[index]
            return (
              item && (
                <li key={key} style={{ transform: `translateY(${start}px)`, height: size }}>
                  <AlarmRow alarm={item} isCursor={index === cursor} isOpen={item.alarm_id === alarm} open={open} />
                </li>
              )
            )
          })}
        </ul>
      </div>
      {items.length > 0 && (
        <p className="alarms-hidden" role="status">
          {state === 'loading'
            ? m.device.loadingMore
            : hasMore
              ? m.alarms.shownMore(f.number(items.length))
              : m.alarms.shownAll(f.number(items.length))}
        </p>
      )}
    </>
  )
}
