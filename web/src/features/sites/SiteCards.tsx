import { useVirtualizer } from '@tanstack/react-virtual'
import { memo, useEffect, useMemo, useRef, useState } from 'react'
import { devicePath, sitePath } from '../../app/router'
import { store } from '../../app/services'
import { stateWords, useSpeech } from '../../i18n'
import { compareIds, parseEntity } from '../../lib/entity'
import { fold, inert } from '../../lib/text'
import { useDerived, useTopic } from '../../live/hooks'
import type { LatestMeasure, SiteItem } from '../../protocol/measures'
import type { Page, StatusItem, Topic } from '../../protocol/types'
import * as Icons from '../../ui/icons'
import { Age, Foreign, Link, Notice, Skeleton } from '../../ui/parts'
import { StateBadge, ToneIcon } from '../../ui/state'
import { isOk, toneOf } from '../../ui/tone'
import { useAsked } from '../../ui/useAsked'
import { useWidth } from '../../ui/useWidth'
import { wordsOf } from '../alarms/model'
import { measureWords, valueWords } from '../alarms/words'
import { Quality } from '../measures/MeasuresCard'

/** Most cards of a site that the server tells at once. */
const CARDS_MAX = 1_000
const CARDS_EVERY_MS = 30_000
const VALUES_EVERY_MS = 30_000
/** Rows of the live store are looked at so often, in milliseconds. */
const LOOK_EVERY_MS = 300
const ROW_PX = 62
const NARROW_ROW_PX = 104
const NARROW_PX = 720
/** Values shown of a card in a row; all are on its page. */
const VALUES_MAX = 5

/** The cards of a site with their state and last values. */
export function SiteCards({ site, known }: { site: string; known: readonly SiteItem[] }) {
  const { m, f } = useSpeech()
  const asked = useAsked<Page<StatusItem>>(
    `/sites/${encodeURIComponent(site)}/cards?limit=${CARDS_MAX}`,
    null,
    CARDS_EVERY_MS,
  )
  const told = asked.value?.items
  const cards = useLiveCards(site, told)
  const [text, setText] = useState('')
  const [onlyBad, setOnlyBad] = useState(false)
  const shown = useMemo(() => {
    const words = wordsOf(text)
    return cards.filter(card => {
      if (onlyBad && isOk(card.state)) return false
      if (words.length === 0) return true
      const all = fold([card.serial, card.name, card.model, card.description, card.entity].filter(Boolean).join('\n'))
      return words.every(each => all.includes(each))
    })
  }, [cards, text, onlyBad])
  const bad = cards.filter(card => !isOk(card.state)).length
  const scroller = useRef<HTMLDivElement>(null)
  const px = useWidth(scroller) < NARROW_PX ? NARROW_ROW_PX : ROW_PX
  const virtual = useVirtualizer({
    count: shown.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => px,
    getItemKey: i => shown[i]?.entity ?? i,
    overscan: 4,
    paddingEnd: 16,
  })
  // biome-ignore lint/correctness/useExhaustiveDependencies: measured anew when the height of rows changes
  useEffect(() => virtual.measure(), [px])
  return (
    <div className="site-page" data-testid="site-page" data-site={site}>
      <header className="site-head">
        <nav className="crumbs" aria-label={m.tree.path}>
          <Link to={sitePath(null)}>
            <Icons.Back size={12} />
            {m.nav.sites}
          </Link>
        </nav>
        <h1>
          <Icons.Building size={18} />
          <bdi>{inert(site)}</bdi>
          {known.map(each => (
            <span key={each.root} className={`badge tone-${toneOf(each.state as StatusItem['state'], null)}`}>
              {known.length > 1 && `${inert(parseEntity(each.root).rootName)} `}
              {stateWords(m, 'site', each.state)}
            </span>
          ))}
        </h1>
        <div className="site-tools">
          <button type="button" className="chip" aria-pressed={onlyBad} onClick={() => setOnlyBad(!onlyBad)}>
            {m.sites.notUp} <span className="chip-count">{f.number(bad)}</span>
          </button>
          <input
            type="text"
            className="field-small"
            value={text}
            onChange={event => setText(event.target.value)}
            placeholder={m.sites.filter}
            aria-label={m.sites.filter}
            spellCheck={false}
          />
        </div>
      </header>
      {asked.state === 'failed' && (
        <p className="form-wrong page-note" role="alert">
          {told ? m.sites.old : m.sites.cardsFailed}{' '}
          <button type="button" className="link-button" onClick={asked.again}>
            {m.device.retry}
          </button>
        </p>
      )}
      {asked.value?.next && <p className="form-hint page-note">{m.sites.more(f.number(CARDS_MAX))}</p>}
      {asked.state === 'loading' && !told && <Skeleton rows={10} />}
      {asked.state === 'missing' && (
        <Notice title={m.sites.notFound} hint={inert(site)} icon={<Icons.Question size={28} />}>
          <Link to={sitePath(null)} className="button">
            {m.nav.sites}
          </Link>
        </Notice>
      )}
      {told && shown.length === 0 && <Notice title={cards.length === 0 ? m.sites.noCards : m.board.noMatch} />}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard */}
      <div className="site-scroll" ref={scroller} tabIndex={0} hidden={shown.length === 0}>
        <ul className="alarm-list" style={{ height: virtual.getTotalSize() }} aria-label={m.sites.cardsOf}>
          {virtual.getVirtualItems().map(({ index, start, size, key }) => {
            const card = shown[index]
            return (
              card && (
                <li key={key} style={{ transform: `translateY(${start}px)`, height: size }}>
                  <CardRow card={card} />
                </li>
              )
            )
          })}
        </ul>
      </div>
    </div>
  )
}

const sameCards = (a: readonly StatusItem[], b: readonly StatusItem[]) =>
  a.length === b.length && a.every((card, i) => card === b[i])
const NO_CARDS: readonly StatusItem[] = []

/** What was asked for, and over it what the live stream says of the same cards. */
function useLiveCards(site: string, told: readonly StatusItem[] | undefined): readonly StatusItem[] {
  const parent = told?.[0] ? (told[0].parent ?? told[0].root) : null
  const topic = useMemo<Topic | null>(
    () => (parent === null ? null : { topic: 'children', entity: parent, filter: { site, kind: 'card' } }),
    [parent, site],
  )
  useTopic(topic)
  const compute = useMemo(
    () => () =>
      told === undefined
        ? NO_CARDS
        : told
            .map(card => store.entity(card.entity) ?? card)
            .sort((a, b) => Number(isOk(a.state)) - Number(isOk(b.state)) || compareIds(a.entity, b.entity)),
    [told],
  )
  return useDerived(compute, sameCards, LOOK_EVERY_MS)
}

const newestOf = (values: readonly LatestMeasure[]): string =>
  values.reduce((newest, { observed_at: at }) => (at > newest ? at : newest), '')

const CardRow = memo(function CardRow({ card }: { card: StatusItem }) {
  const { m, f } = useSpeech()
  const latest = useAsked<{ items: LatestMeasure[] }>(
    `/devices/${encodeURIComponent(card.entity)}/measurements/latest`,
    null,
    VALUES_EVERY_MS,
  )
  const values = latest.value?.items ?? []
  const tone = toneOf(card.state, card.cause)
  const place = parseEntity(card.entity).place
  return (
    <Link to={devicePath(card.entity)} className={`card-row edge-${tone}`} testId="site-card-row">
      <ToneIcon tone={tone} size={16} />
      <span className="card-what" data-entity={card.entity} data-state={card.state}>
        <strong>
          <Foreign text={card.name ?? card.serial ?? place} />
        </strong>
        <small>
          <Foreign text={card.model} />
          <span className="mono">{inert(card.serial ?? place)}</span>
        </small>
      </span>
      <span className="card-state">
        <StateBadge item={card} quiet />
        <small className="faint">
          <Age since={card.since} />
        </small>
      </span>
      <span className="card-values">
        {values.slice(0, VALUES_MAX).map(each => (
          <span key={each.measure} className={`card-value quality-of-${each.quality === 'good' ? 'good' : 'other'}`}>
            <small>{measureWords(m, each.measure)}</small>
            <strong>{valueWords(f, each.value, each.unit)}</strong>
            {each.quality !== 'good' && <Quality quality={each.quality} />}
          </span>
        ))}
        {latest.state === 'failed' && values.length === 0 && <small className="faint">{m.sites.valuesFailed}</small>}
        {(latest.state === 'ready' || latest.state === 'missing') && values.length === 0 && (
          <small className="faint">{m.measures.none}</small>
        )}
        {values.length > VALUES_MAX && <small className="faint">+{f.number(values.length - VALUES_MAX)}</small>}
      </span>
      <small className="card-age faint" title={m.sites.age}>
        {values.length > 0 && <Age since={newestOf(values)} />}
      </small>
      <Icons.Chevron size={14} className="faint" />
    </Link>
  )
})
