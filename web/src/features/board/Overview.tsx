import { memo, useCallback } from 'react'
import { store } from '../../app/services'
import { useSpeech } from '../../i18n'
import { parseEntity } from '../../lib/entity'
import { vendorName } from '../../lib/format'
import { inert } from '../../lib/text'
import { useDerived, useEntity, useRoots, useSites, useSummary } from '../../live/hooks'
import * as Icons from '../../ui/icons'
import { Age, Foreign } from '../../ui/parts'
import { StateBadge, ToneIcon } from '../../ui/state'
import { isOk, isOut, toneOf } from '../../ui/tone'
import { OpenIncidents } from '../alarms/OpenIncidents'
import { PendingCount } from '../pending/PendingPanel'
import { callsForPerson, failureOf } from '../polling/health'
import { PollSign } from '../polling/PollCard'
import { mainTone, NO_COUNTS, urgency } from './counts'
import { HeatLegend, HeatStrip } from './Heat'
import { CauseLegend, ShareBar } from './Summary'

const ATTENTION_MAX = 6
/** The list of what needs attention is worked out at most this often, in milliseconds. */
const ATTENTION_EVERY_MS = 400

type Select = (entity: string | null) => void

/** All OLTs at a glance, and first of all what needs a person. */
export function Overview(props: { site: string | null; setSite: (site: string | null) => void; select: Select }) {
  const { m } = useSpeech()
  const roots = useRoots()
  const { site, setSite, select } = props
  return (
    <div className="overview">
      <SiteChips site={site} setSite={setSite} />
      <OpenIncidents site={site} />
      <Attention site={site} select={select} />
      <section className="olt-cards" aria-label={m.summary.olts}>
        <header className="section-header">
          <h2>{m.summary.olts}</h2>
          <HeatLegend />
        </header>
        {roots.map(root => (
          <OltCard key={root} id={root} site={site} select={select} />
        ))}
      </section>
    </div>
  )
}

function SiteChips({ site, setSite }: { site: string | null; setSite: (site: string | null) => void }) {
  const { m } = useSpeech()
  const sites = useSites()
  if (sites.length < 2) return null
  return (
    <div className="chips" role="group" aria-label={m.summary.sites}>
      <button type="button" className="chip" aria-pressed={site === null} onClick={() => setSite(null)}>
        {m.board.allSites}
      </button>
      {sites.map(name => (
        <SiteChip key={name} name={name} pressed={site === name} toggle={() => setSite(site === name ? null : name)} />
      ))}
    </div>
  )
}

function SiteChip({ name, pressed, toggle }: { name: string; pressed: boolean; toggle: () => void }) {
  const { m, f } = useSpeech()
  const summary = useSummary(name)
  const counts = summary?.counts ?? NO_COUNTS
  return (
    <button type="button" className="chip" aria-pressed={pressed} onClick={toggle} data-site={name}>
      <Icons.Pin size={12} />
      {inert(name)}
      <span className="chip-count" title={m.summary.onus}>
        {f.number(counts.onus)}
      </span>
      {counts.offline > 0 && (
        <span className={`chip-bad tone-${mainTone(counts)}`} title={m.summary.offline}>
          −{f.number(counts.offline)}
        </span>
      )}
    </button>
  )
}

const sameList = (a: readonly string[], b: readonly string[]) => a.length === b.length && a.every((x, i) => x === b[i])

function Attention({ site, select }: { site: string | null; select: Select }) {
  const { m } = useSpeech()
  const compute = useCallback(() => mostUrgent(site), [site])
  const urgent = useDerived(compute, sameList, ATTENTION_EVERY_MS)
  const ids = urgent.slice(0, ATTENTION_MAX)
  return (
    <section className="attention" aria-label={m.board.attention}>
      <header className="section-header">
        <h2>{m.board.attention}</h2>
      </header>
      {ids.length === 0 ? (
        <div className="attention-none">
          <Icons.Check />
          <span>
            <strong>{m.board.attentionNone}</strong>
            <small>{m.board.attentionNoneHint}</small>
          </span>
        </div>
      ) : (
        <ul className="attention-list">
          {ids.map(id => (
            <AttentionRow key={id} id={id} select={select} />
          ))}
          {urgent.length > ids.length && (
            <li className="attention-more" data-testid="attention-more">
              {m.board.attentionMore(urgent.length - ids.length)}
            </li>
          )}
        </ul>
      )}
    </section>
  )
}

function mostUrgent(site: string | null): string[] {
  const found: { id: string; urgency: number }[] = []
  const walk = (id: string) => {
    const item = store.entity(id)
    if (!item || item.kind === 'onu') return
    const here = urgency(item)
    if (here > 0) found.push({ id, urgency: here })
    if (item.kind !== 'pon') for (const child of store.children(id)) walk(child)
  }
  for (const root of store.children('')) if (site === null || store.entity(root)?.site === site) walk(root)
  found.sort((a, b) => b.urgency - a.urgency || (a.id < b.id ? -1 : 1))
  return found.map(({ id }) => id)
}

const AttentionRow = memo(function AttentionRow({ id, select }: { id: string; select: Select }) {
  const { m, f } = useSpeech()
  const item = useEntity(id)
  if (!item) return null
  const counts = item.counts ?? NO_COUNTS
  const entity = parseEntity(id)
  const out = isOut(item.state)
  // It is there and speaks, but we cannot read it.
  const reading = !out && callsForPerson(item) ? item.poll : undefined
  return (
    <li>
      <button
        type="button"
        className={`attention-row ${reading ? 'of-reading' : ''}`}
        onClick={() => select(id)}
        data-entity={id}
      >
        {reading ? (
          <PollSign item={item} size={16} />
        ) : (
          <ToneIcon tone={out ? toneOf(item.state, item.cause) : mainTone(counts)} size={16} />
        )}
        <span className="attention-name">
          <strong>{entity.rootName}</strong>
          {entity.place && ` ${m.kinds[entity.kind] ?? ''} ${entity.place}`}
        </span>
        {reading ? (
          <span className="attention-reading">{m.polling.failures[failureOf(reading.class)].what}</span>
        ) : (
          <span className="attention-state">{out && <StateBadge item={item} />}</span>
        )}
        <span className="attention-age">
          {out ? <Age since={item.since} /> : reading && <Age since={reading.failing_since} />}
        </span>
        {!reading && (
          <>
            <span className="attention-count">
              {item.state === 'unreachable'
                ? m.board.unseen(counts.unknown)
                : m.board.offlineOf(f.number(counts.offline), f.number(counts.onus))}
            </span>
            <span className="attention-causes">
              <CauseLegend counts={counts} short />
            </span>
          </>
        )}
        <Icons.Chevron size={14} className="faint" />
      </button>
    </li>
  )
})

const OltCard = memo(function OltCard({ id, site, select }: { id: string; site: string | null; select: Select }) {
  const { m, f } = useSpeech()
  const item = useEntity(id)
  if (!item || (site !== null && item.site !== site)) return null
  const counts = item.counts ?? NO_COUNTS
  const name = inert(item.name) || parseEntity(id).rootName
  return (
    <article
      className={`olt-card ${item.state === 'unreachable' ? 'blind' : ''}`}
      data-entity={id}
      data-state={item.state}
    >
      <header>
        <button type="button" className="olt-name" onClick={() => select(id)}>
          <ToneIcon tone={toneOf(item.state, item.cause)} size={14} />
          {name}
        </button>
        {!isOk(item.state) && <StateBadge item={item} />}
        <PollSign item={item} size={14} legacy />
        <PendingCount item={item} />
        <span className="olt-facts">
          <Foreign text={item.site} />
          <Foreign text={[vendorName(item.vendor), item.model].filter(Boolean).join(' ')} />
          {item.first_trap_at === null && (
            <span className="olt-silent">
              <Icons.Rogue size={12} />
              {m.board.neverTrapped}
            </span>
          )}
        </span>
        <span className="olt-counts">
          <CauseLegend counts={counts} short dark />
          <span className="olt-online">
            <strong data-count="online">{f.number(counts.online)}</strong>
            <small>{m.summary.ofTotal(f.number(counts.onus))}</small>
          </span>
          <span className="olt-percent">{counts.onus > 0 ? f.percent(counts.online / counts.onus) : '—'}</span>
        </span>
      </header>
      <ShareBar counts={counts} />
      <HeatStrip olt={id} name={name} select={select} />
    </article>
  )
})
