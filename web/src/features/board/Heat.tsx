import { memo } from 'react'
import { useSpeech, word } from '../../i18n'
import { parseEntity } from '../../lib/entity'
import { useChildren, useEntity } from '../../live/hooks'
import { isOk, isOut, toneOf } from '../../ui/tone'
import { darkShare, heatStep, mainTone, NO_COUNTS, offlineShare } from './counts'

const CELL_MIN_PX = 13
const CELL_MAX_PX = 34

interface Select {
  select: (entity: string | null) => void
}

/** All PONs of an OLT in a strip, one cell each, grouped by board. */
export function HeatStrip({ olt, name, select }: { olt: string; name: string } & Select) {
  const { m } = useSpeech()
  const boards = useChildren(olt)
  return (
    <div className="heat" role="group" aria-label={m.board.heat(name)}>
      {boards.map(board => (
        <HeatBoard key={board} board={board} select={select} />
      ))}
    </div>
  )
}

function HeatBoard({ board, select }: { board: string } & Select) {
  const { m } = useSpeech()
  const item = useEntity(board)
  const pons = useChildren(board)
  const place = parseEntity(board).place
  const bad = item && !isOk(item.state)
  // Control and power boards have no PONs: in the strip only when something is wrong with them.
  if (pons.length === 0 && !bad) return null
  const tone = item ? toneOf(item.state, item.cause) : 'unknown'
  return (
    // As wide as its PONs: boards of 8 and of 16 have cells of one size in one strip.
    <div
      className="heat-board"
      style={{
        flex: `${pons.length} 1 ${pons.length * CELL_MIN_PX}px`,
        maxWidth: Math.max(40, pons.length * CELL_MAX_PX),
      }}
    >
      <button
        type="button"
        className={`heat-slot ${bad ? `tone-${tone}` : ''}`}
        onClick={() => select(board)}
        title={`${m.board.slot(place)} · ${item ? word(m.states, item.state) : ''}`}
      >
        {place}
        {item && isOut(item.state) && ' ✕'}
      </button>
      <div className="heat-cells" style={{ gridTemplateColumns: `repeat(${pons.length}, minmax(0, 1fr))` }}>
        {pons.map(pon => (
          <HeatCell key={pon} pon={pon} select={select} />
        ))}
      </div>
    </div>
  )
}

/** Height says how many are offline, colour why, hatching how many nobody has heard of, a cross that the PON itself is down. */
const HeatCell = memo(function HeatCell({ pon, select }: { pon: string } & Select) {
  const { m, f } = useSpeech()
  const item = useEntity(pon)
  const counts = item?.counts ?? NO_COUNTS
  const down = item ? isOut(item.state) : false
  const share = offlineShare(counts)
  const dark = darkShare(counts)
  const step = heatStep(counts)
  const said = [
    `PON ${parseEntity(pon).place}`,
    counts.onus > 0 ? m.board.offlineOf(f.number(counts.offline), f.number(counts.onus)) : m.board.noOnus,
    ...(counts.unknown > 0 ? [m.board.unheard(f.number(counts.unknown))] : []),
    ...(down ? [m.board.ponDown] : []),
  ].join(' · ')
  return (
    <button
      type="button"
      className={`heat-cell step-${step} ${down ? 'down' : ''} ${counts.onus === 0 ? 'bare' : ''}`}
      onClick={() => select(pon)}
      aria-label={said}
      title={said}
      data-entity={pon}
    >
      {dark > 0 && <span className="heat-dark fill-unknown" style={{ height: `${Math.round(dark * 100)}%` }} />}
      <span
        className={`heat-fill fill-${mainTone(counts)}`}
        style={{ height: counts.offline > 0 ? `${Math.max(16, Math.round(share * 100))}%` : 0 }}
      />
    </button>
  )
})

export function HeatLegend() {
  const { m } = useSpeech()
  return (
    <p className="heat-legend">
      <span>{m.board.legend}</span>
      <span className="heat-scale" aria-hidden="true">
        {['0', '<10', '<30', '<70', '≥70 %'].map((label, step) => (
          <span key={label}>
            <i className={`heat-cell step-${step}`}>
              <i className="heat-fill fill-fibre" style={{ height: `${[0, 16, 30, 65, 100][step]}%` }} />
            </i>
            {label}
          </span>
        ))}
        <span>
          <i className="heat-cell down step-4">
            <i className="heat-fill fill-fibre" style={{ height: '100%' }} />
          </i>
          {m.board.ponDown}
        </span>
      </span>
    </p>
  )
}
