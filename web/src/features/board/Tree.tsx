import { useVirtualizer } from '@tanstack/react-virtual'
import { type KeyboardEvent, memo, useEffect, useId, useMemo, useRef, useState } from 'react'
import { store } from '../../app/services'
import { useSpeech, word } from '../../i18n'
import { parentOf, parseEntity } from '../../lib/entity'
import { inert } from '../../lib/text'
import { useEntity, useRoots, useStructure } from '../../live/hooks'
import * as Icons from '../../ui/icons'
import { Foreign, Skeleton } from '../../ui/parts'
import { KindIcon, ToneIcon } from '../../ui/state'
import { isOk, toneOf } from '../../ui/tone'
import { PendingCount } from '../pending/PendingPanel'
import { callsForPerson, failureOf } from '../polling/health'
import { PollSign } from '../polling/PollCard'
import { darkShare, mainTone, NO_COUNTS, offlineShare } from './counts'

const ROW_PX = 30
/** With this many roots or fewer the boards are shown from the start. */
const OPEN_ROOTS_MAX = 6

interface Row {
  id: string
  level: number
  open: boolean | null
  position: number
  of: number
}

interface Props {
  selected: string | null
  select: (entity: string | null) => void
  site: string | null
  loading: boolean
}

/** OLT → board → PON by the tree pattern of ARIA; the focus stays on the tree, which names its active row. */
export function Tree({ selected, select, site, loading }: Props) {
  const { m } = useSpeech()
  const treeId = useId()
  const roots = useRoots()
  const structure = useStructure()
  const [toggled, setToggled] = useState<ReadonlyMap<string, boolean>>(new Map())
  const [active, setActive] = useState<string | null>(null)
  const scroller = useRef<HTMLDivElement>(null)
  const openRoots = roots.length <= OPEN_ROOTS_MAX

  // What is selected elsewhere (the heat strip, an address) is shown in the tree.
  useEffect(() => {
    if (!selected) return
    setActive(selected)
    setToggled(before => {
      const after = new Map(before)
      for (let up = parentOf(selected); up !== null; up = parentOf(up)) after.set(up, true)
      return after
    })
  }, [selected])

  const rows = useMemo(() => {
    void structure
    const isOpen = (id: string, level: number) => toggled.get(id) ?? (level === 1 && openRoots)
    const out: Row[] = []
    const walk = (ids: readonly string[], level: number) => {
      ids.forEach((id, i) => {
        const below = store.entity(id)?.kind === 'pon' ? [] : store.children(id)
        const open = below.length > 0 ? isOpen(id, level) : null
        out.push({ id, level, open, position: i + 1, of: ids.length })
        if (open) walk(below, level + 1)
      })
    }
    walk(site === null ? roots : roots.filter(id => store.entity(id)?.site === site), 1)
    return out
  }, [roots, structure, toggled, openRoots, site])

  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_PX,
    getItemKey: i => rows[i]?.id ?? i,
    overscan: 12,
    paddingEnd: 8,
  })

  const at = Math.max(
    0,
    rows.findIndex(row => row.id === active),
  )
  // Once per selection, when its row exists: a person who scrolled away is left alone.
  const revealed = useRef<string | null>(null)
  useEffect(() => {
    if (selected === revealed.current) return
    const index = rows.findIndex(row => row.id === selected)
    if (selected !== null && index < 0) return
    revealed.current = selected
    if (index >= 0) virtual.scrollToIndex(index, { align: 'auto' })
  }, [selected, rows, virtual])

  const move = (index: number) => {
    const row = rows[Math.min(rows.length - 1, Math.max(0, index))]
    if (!row) return
    setActive(row.id)
    virtual.scrollToIndex(rows.indexOf(row), { align: 'auto' })
  }
  const toggle = (id: string, open: boolean) => setToggled(before => new Map(before).set(id, open))

  const press = (event: KeyboardEvent) => {
    const row = rows[at]
    if (!row || event.ctrlKey || event.metaKey || event.altKey) return
    const parent = parentOf(row.id)
    const acts: Record<string, () => void> = {
      ArrowDown: () => move(at + 1),
      ArrowUp: () => move(at - 1),
      Home: () => move(0),
      End: () => move(rows.length - 1),
      PageDown: () => move(at + 12),
      PageUp: () => move(at - 12),
      ArrowRight: () => (row.open === false ? toggle(row.id, true) : row.open ? move(at + 1) : undefined),
      ArrowLeft: () => {
        if (row.open) toggle(row.id, false)
        else if (parent) move(rows.findIndex(other => other.id === parent))
      },
      Enter: () => select(row.id),
      ' ': () => select(row.id),
    }
    const act = acts[event.key]
    if (!act) return
    event.preventDefault()
    act()
  }

  const allOpen = (open: boolean) => {
    const every = new Map<string, boolean>()
    for (const root of roots) {
      every.set(root, open)
      for (const board of store.children(root)) every.set(board, open)
    }
    setToggled(every)
  }

  return (
    <nav className="tree-panel" aria-label={m.tree.label}>
      <header className="panel-header">
        <h2>{m.tree.title}</h2>
        <button type="button" className="ghost-button" onClick={() => allOpen(true)} aria-label={m.tree.expandAll}>
          <Icons.Expand size={14} />
        </button>
        <button type="button" className="ghost-button" onClick={() => allOpen(false)} aria-label={m.tree.collapseAll}>
          <Icons.Collapse size={14} />
        </button>
      </header>
      {loading && <Skeleton rows={10} />}
      <div className="tree-scroll" ref={scroller}>
        <div
          role="tree"
          aria-label={m.tree.label}
          aria-activedescendant={rows[at] ? `${treeId}-${rows[at].id}` : undefined}
          className="tree"
          tabIndex={0}
          onKeyDown={press}
          style={{ height: virtual.getTotalSize() }}
          data-testid="tree"
        >
          {virtual.getVirtualItems().map(({ index, start, key }) => {
            const row = rows[index]
            return (
              row && (
                <TreeRow
                  key={key}
                  domId={`${treeId}-${row.id}`}
                  {...row}
                  start={start}
                  selected={row.id === selected}
                  active={index === at}
                  choose={() => {
                    setActive(row.id)
                    select(row.id)
                  }}
                  toggle={() => toggle(row.id, !row.open)}
                />
              )
            )
          })}
        </div>
      </div>
    </nav>
  )
}

interface RowProps extends Row {
  domId: string
  start: number
  selected: boolean
  active: boolean
  choose: () => void
  toggle: () => void
}

const TreeRow = memo(
  function TreeRow({ id, domId, level, open, position, of, start, selected, active, choose, toggle }: RowProps) {
    const { m, f } = useSpeech()
    const item = useEntity(id)
    if (!item) return null
    const counts = item.counts ?? NO_COUNTS
    const entity = parseEntity(id)
    const tone = toneOf(item.state, item.cause)
    const dark = darkShare(counts)
    const label = inert(item.name) || (level === 1 ? entity.rootName : entity.place)
    const said = [
      `${word(m.kinds, item.kind)} ${label}, ${word(m.states, item.state)}`,
      m.tree.counts(f.number(counts.online), f.number(counts.onus), f.number(counts.offline)),
      ...(counts.absent > 0 ? [m.tree.absent(counts.absent)] : []),
      ...(item.poll && callsForPerson(item)
        ? [`${m.polling.sign}: ${m.polling.failures[failureOf(item.poll.class)].what}`]
        : []),
      ...(item.pending ? [m.pending.count(item.pending)] : []),
    ].join('. ')
    return (
      // biome-ignore lint/a11y/useKeyWithClickEvents: the tree has the focus and its keys
      // biome-ignore lint/a11y/useFocusableInteractive: the tree names its active row instead
      <div
        id={domId}
        role="treeitem"
        aria-level={level}
        aria-posinset={position}
        aria-setsize={of}
        aria-selected={selected}
        {...(open === null ? {} : { 'aria-expanded': open })}
        aria-label={said}
        className={`tree-row level-${level} ${active ? 'active' : ''}`}
        style={{ transform: `translateY(${start}px)` }}
        onClick={choose}
        data-entity={id}
        data-state={item.state}
      >
        {open === null ? (
          <span className="tree-toggle" />
        ) : (
          // biome-ignore lint/a11y/noStaticElementInteractions: the arrow keys do the same
          // biome-ignore lint/a11y/useKeyWithClickEvents: the arrow keys do the same
          <span
            className={`tree-toggle ${open ? 'open' : ''}`}
            onClick={event => {
              event.stopPropagation()
              toggle()
            }}
          >
            <Icons.Chevron size={13} />
          </span>
        )}
        {isOk(item.state) ? <KindIcon kind={item.kind} size={14} /> : <ToneIcon tone={tone} size={14} />}
        <span className="tree-label">
          <span className={level === 1 ? 'tree-name' : ''}>
            {level > 1 && word(m.kinds, item.kind)} {label}
          </span>
          <Foreign text={level === 1 ? item.site : null} className="tree-extra" />
        </span>
        <span className="tree-signs">
          <PollSign item={item} size={13} />
          <PendingCount item={item} />
          {counts.offline > 0 && (
            <span className={`tree-offline tone-${mainTone(counts)}`} data-count="offline" title={m.summary.offline}>
              −{f.number(counts.offline)}
            </span>
          )}
        </span>
        <span className="tree-onus" data-count="onus">
          {open === null && item.kind === 'board' ? '' : f.number(counts.onus)}
        </span>
        <span className={`tree-bar ${counts.onus === 0 ? 'bare' : ''}`} aria-hidden="true">
          <span
            className={`fill-${counts.offline > 0 ? mainTone(counts) : 'ok'}`}
            style={{ width: counts.offline > 0 ? `${Math.max(8, offlineShare(counts) * 100)}%` : 0 }}
          />
          {dark > 0 && <span className="bar-dark fill-unknown" style={{ width: `${dark * 100}%` }} />}
        </span>
      </div>
    )
  },
  (a, b) =>
    a.id === b.id &&
    a.level === b.level &&
    a.open === b.open &&
    a.position === b.position &&
    a.of === b.of &&
    a.start === b.start &&
    a.selected === b.selected &&
    a.active === b.active,
)
