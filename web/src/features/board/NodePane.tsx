import { memo } from 'react'
import { devicePath } from '../../app/router'
import { useSpeech, word } from '../../i18n'
import { parseEntity, pathTo } from '../../lib/entity'
import { vendorName } from '../../lib/format'
import { useChildren, useEntity } from '../../live/hooks'
import type { StatusItem } from '../../protocol/types'
import * as Icons from '../../ui/icons'
import { Age, Foreign, Link, Notice, useNaming } from '../../ui/parts'
import { KindIcon, StateBadge, ToneIcon } from '../../ui/state'
import { isOk, isOut, toneOf } from '../../ui/tone'
import { PendingPanel } from '../pending/PendingPanel'
import { PollCard, PollSign } from '../polling/PollCard'
import { darkShare, hasParts, mainTone, NO_COUNTS, offlineShare } from './counts'
import { OnuPane } from './OnuPane'
import { CauseLegend, ShareBar } from './Summary'

type Select = (entity: string | null) => void

/** What is selected in the tree: an OLT's boards, a board's PONs, a PON's ONUs. */
export function NodePane({ item, select }: { item: StatusItem; select: Select }) {
  return (
    <div className="node">
      <NodeHeader item={item} select={select} />
      {item.kind === 'pon' ? (
        <OnuPane pon={item.entity} />
      ) : item.kind === 'board' ? (
        <div className="node-body">
          <Pons board={item.entity} select={select} />
        </div>
      ) : (
        <div className="node-body">
          {item.kind === 'olt' && <PollCard item={item} />}
          <PendingPanel item={item} />
          <Boards olt={item.entity} select={select} />
        </div>
      )}
    </div>
  )
}

function NodeHeader({ item, select }: { item: StatusItem; select: Select }) {
  const { m, f } = useSpeech()
  const name = useNaming()
  const counts = item.counts ?? NO_COUNTS
  const path = pathTo(item.entity).slice(0, -1)
  return (
    <header className="node-header">
      <nav className="crumbs" aria-label={m.tree.path}>
        <button type="button" onClick={() => select(null)}>
          {m.tree.overview}
        </button>
        {path.map(id => (
          <span key={id}>
            <Icons.Chevron size={12} />
            <button type="button" onClick={() => select(id)}>
              {name(id)}
            </button>
          </span>
        ))}
      </nav>
      <div className="node-title">
        <KindIcon kind={item.kind} size={18} />
        <h2>{name(item.entity, item)}</h2>
        <StateBadge item={item} />
        <PollSign item={item} size={15} legacy />
        {isOut(item.state) && (
          <span className="faint">
            <Age since={item.since} long />
          </span>
        )}
        <Foreign
          text={[item.site, vendorName(item.vendor), item.model].filter(Boolean).join(' · ')}
          className="node-model"
        />
        <Link to={devicePath(item.entity)} className="button button-small node-open">
          {m.board.openPage}
        </Link>
      </div>
      <div className="node-counts">
        <span className="node-online">
          <strong data-count="online">{f.number(counts.online)}</strong>
          <small>
            {m.summary.ofTotal(f.number(counts.onus))} · {m.summary.online}
          </small>
        </span>
        <ShareBar counts={counts} />
        {hasParts(counts) && <CauseLegend counts={counts} dark />}
      </div>
    </header>
  )
}

function Boards({ olt, select }: { olt: string; select: Select }) {
  const { m } = useSpeech()
  const boards = useChildren(olt)
  if (boards.length === 0) return <Notice title={m.board.noOnusTitle} hint={m.board.noOnusHint} />
  return boards.map(board => <BoardSection key={board} id={board} select={select} />)
}

const BoardSection = memo(function BoardSection({ id, select }: { id: string; select: Select }) {
  const { m, f } = useSpeech()
  const item = useEntity(id)
  const root = useEntity(parseEntity(id).root)
  const hasPons = useChildren(id).length > 0
  if (!item) return null
  const counts = item.counts ?? NO_COUNTS
  // What an OLT that nobody reaches last said of its boards is not the present.
  const tone = root?.state === 'unreachable' && isOk(item.state) ? 'unknown' : toneOf(item.state, item.cause)
  return (
    <section className={`board-section ${hasPons ? '' : 'bare'}`} data-entity={id}>
      <header>
        <button type="button" className="olt-name" onClick={() => select(id)}>
          <ToneIcon tone={tone} size={14} />
          {m.board.slot(parseEntity(id).place)}
        </button>
        <Foreign text={item.model ?? item.description} className="faint" />
        {!isOk(item.state) && <StateBadge item={item} />}
        {hasPons && (
          <span className="olt-counts">
            <CauseLegend counts={counts} short dark />
            <span className="olt-online">
              <strong data-count="online">{f.number(counts.online)}</strong>
              <small>{m.summary.ofTotal(f.number(counts.onus))}</small>
            </span>
          </span>
        )}
      </header>
      {hasPons && <Pons board={id} select={select} />}
    </section>
  )
})

function Pons({ board, select }: { board: string; select: Select }) {
  const pons = useChildren(board)
  return (
    <div className="pon-tiles">
      {pons.map(pon => (
        <PonTile key={pon} id={pon} select={select} />
      ))}
    </div>
  )
}

const PonTile = memo(function PonTile({ id, select }: { id: string; select: Select }) {
  const { m, f } = useSpeech()
  const item = useEntity(id)
  if (!item) return null
  const counts = item.counts ?? NO_COUNTS
  const down = isOut(item.state)
  const dark = darkShare(counts)
  const tone = down ? toneOf(item.state, item.cause) : counts.offline > 0 ? mainTone(counts) : 'ok'
  return (
    <button
      type="button"
      className={`pon-tile ${down ? 'down' : ''}`}
      onClick={() => select(id)}
      data-entity={id}
      data-state={item.state}
    >
      <span className="pon-top">
        <span className="pon-name">{parseEntity(id).place}</span>
        {counts.offline > 0 && (
          <span className={`pon-off tone-${mainTone(counts)}`}>
            <ToneIcon tone={mainTone(counts)} size={12} />
            {f.number(counts.offline)}
          </span>
        )}
      </span>
      <span className="pon-bottom">
        <span>
          {counts.onus > 0 ? (
            <>
              <strong>{f.number(counts.online)}</strong>/{f.number(counts.onus)}
            </>
          ) : (
            m.board.noOnus
          )}
        </span>
        {down && <span className={`pon-down tone-${tone}`}>{word(m.states, item.state)}</span>}
      </span>
      <span className="pon-bar" aria-hidden="true">
        <span className={`fill-${tone}`} style={{ width: `${offlineShare(counts) * 100}%` }} />
        {dark > 0 && <span className="bar-dark fill-unknown" style={{ width: `${dark * 100}%` }} />}
      </span>
    </button>
  )
})
