import { useEffect, useMemo, useState } from 'react'
import { useSpeech, word } from '../../i18n'
import { useNow } from '../../live/hooks'
import type { LatestMeasure, MeasureName } from '../../protocol/measures'
import * as Icons from '../../ui/icons'
import { Age, AgeWords, Skeleton } from '../../ui/parts'
import { useAsked } from '../../ui/useAsked'
import { Select } from '../alarms/AlarmFilters'
import { measureWords, unitOf, valueWords } from '../alarms/words'
import { Chart } from './Chart'
import { PointTable } from './PointTable'
import { KNOWN_MEASURES } from './units'
import { fitsTier, type Tier, tierOf, useSeries } from './useSeries'

const HOUR = 3_600_000
const DAY = 24 * HOUR
const SPANS = { hour: HOUR, day: DAY, week: 7 * DAY, month: 30 * DAY, year: 365 * DAY, three: 3 * 365 * DAY } as const
type Span = keyof typeof SPANS
const TIERS: readonly Tier[] = ['auto', 'raw', 'hour', 'day', 'month']
/** How often what is shown is asked for again: a span's newest column moves no faster. */
const EVERY_MS: Record<Span, number> = {
  hour: 30_000,
  day: 60_000,
  week: 300_000,
  month: 300_000,
  year: 900_000,
  three: 900_000,
}
const LATEST_EVERY_MS = 30_000
const GROUPS = ['optical', 'power', 'temperature', 'electrical', 'other']

/**
 * Everything that is measured of an entity: the last values, and any of them over any span. Where nothing is measured it
 * says so if one would expect it, else it is not there.
 */
export function MeasuresCard({ entity, isExpected }: { entity: string; isExpected: boolean }) {
  const { m } = useSpeech()
  const id = encodeURIComponent(entity)
  const names = useAsked<{ items: MeasureName[] }>(`/devices/${id}/measurements`)
  const latest = useAsked<{ items: LatestMeasure[] }>(`/devices/${id}/measurements/latest`, null, LATEST_EVERY_MS)
  const items = useMemo(() => sorted(names.value?.items ?? [], latest.value?.items ?? []), [names.value, latest.value])
  const [chosen, setChosen] = useState<string | null>(null)
  const measure = items.some(item => item.measure === chosen) ? chosen : (items[0]?.measure ?? null)
  // Of most kinds nothing is measured: no need to say so.
  if (!isExpected && items.length === 0) return null
  return (
    <section className="card measures" aria-labelledby="measures-title" data-testid="measures">
      <header className="card-header">
        <h2 id="measures-title">{m.measures.title}</h2>
      </header>
      {items.length === 0 && names.state === 'loading' && <Skeleton rows={5} />}
      {items.length === 0 && names.state === 'failed' && (
        <p className="detail-note" role="status">
          {m.measures.failed}{' '}
          <button type="button" className="link-button" onClick={names.again}>
            {m.device.retry}
          </button>
        </p>
      )}
      {items.length === 0 && (names.state === 'ready' || names.state === 'missing') && (
        <p className="detail-note">{m.measures.none}</p>
      )}
      {items.length > 0 && (
        <Tiles items={items} latest={latest.value?.items ?? []} chosen={measure} choose={setChosen} />
      )}
      {measure !== null && <Plot key={measure} entity={entity} measure={measure} names={items} />}
    </section>
  )
}

/** By group as people look for them, what we know best first, then by name. What has a last value but is not in the list is there too. */
function sorted(names: readonly MeasureName[], latest: readonly LatestMeasure[]): MeasureName[] {
  const all = new Map(names.map(item => [item.measure, item]))
  for (const { measure, unit } of latest) if (!all.has(measure)) all.set(measure, { measure, unit, group: null })
  const rank = (group: string | null) => {
    const at = GROUPS.indexOf(group ?? '')
    return at < 0 ? GROUPS.length : at
  }
  const known = ({ measure }: MeasureName) => {
    const at = KNOWN_MEASURES.indexOf(measure)
    return at < 0 ? KNOWN_MEASURES.length : at
  }
  return [...all.values()].sort(
    (a, b) => rank(a.group) - rank(b.group) || known(a) - known(b) || (a.measure < b.measure ? -1 : 1),
  )
}

function Tiles(props: {
  items: readonly MeasureName[]
  latest: readonly LatestMeasure[]
  chosen: string | null
  choose: (measure: string) => void
}) {
  const { m, f } = useSpeech()
  const values = new Map(props.latest.map(item => [item.measure, item]))
  return (
    <div className="tiles" role="group" aria-label={m.measures.latest}>
      {props.items.map(({ measure }) => {
        const last = values.get(measure)
        return (
          <button
            key={measure}
            type="button"
            className="tile"
            aria-pressed={props.chosen === measure}
            onClick={() => props.choose(measure)}
            data-measure={measure}
          >
            <span className="tile-name">{measureWords(m, measure)}</span>
            <strong>{last ? valueWords(f, last.value, last.unit) : '—'}</strong>
            <span className="tile-foot">
              {last && last.quality !== 'good' && <Quality quality={last.quality} />}
              {last && <Age since={last.observed_at} />}
            </span>
          </button>
        )
      })}
    </div>
  )
}

/** How far a value can be trusted, as icon and word. */
export function Quality({ quality }: { quality: string }) {
  const { m } = useSpeech()
  const Icon = quality === 'good' ? Icons.Check : quality === 'stale' ? Icons.Hourglass : Icons.Rogue
  return (
    <span
      className={`quality quality-${quality === 'good' || quality === 'stale' ? quality : 'bad'}`}
      data-quality={quality}
    >
      <Icon size={12} />
      {word(m.measures.quality, quality)}
    </span>
  )
}

function Plot({ entity, measure, names }: { entity: string; measure: string; names: readonly MeasureName[] }) {
  const { m, f } = useSpeech()
  const [span, setSpan] = useState<Span>('day')
  const [tier, setTier] = useState<Tier>('auto')
  const [other, setOther] = useState('')
  const [zoomed, setZoomed] = useState<{ from: number; to: number } | null>(null)
  const [isTable, setTable] = useState(false)
  const everyMs = EVERY_MS[span]
  // On whole steps, so that the same question is the same address.
  const now = Math.ceil(useNow(everyMs) / everyMs) * everyMs
  const from = zoomed?.from ?? now - SPANS[span]
  const to = zoomed?.to ?? now
  const spanMs = to - from
  const asked = tierOf(tier, spanMs)
  const main = useSeries({ entity, measure, from, to, tier: asked }, 0)
  const compared = useSeries(other === '' ? null : { entity, measure: other, from, to, tier: asked }, 0)
  const { series, unit } = main
  const lines = useMemo(
    () => [
      { series, unit, label: measureWords(m, measure) },
      ...(other === '' ? [] : [{ series: compared.series, unit: compared.unit, label: measureWords(m, other) }]),
    ],
    [series, unit, measure, other, compared.series, compared.unit, m],
  )
  useEffect(() => {
    if (other === measure) setOther('')
  }, [other, measure])
  const newest = series.length > 0 ? new Date(series.at[series.length - 1] as number).toISOString() : null
  const choose = (next: Span) => {
    setSpan(next)
    setZoomed(null)
  }
  return (
    <div className="plot" data-state={main.state} data-points={series.length} data-tier={main.tier}>
      <div className="plot-tools">
        <div className="segments" role="group" aria-label={m.alarms.span}>
          {(Object.keys(SPANS) as Span[]).map(each => (
            <button
              key={each}
              type="button"
              aria-pressed={zoomed === null && span === each}
              onClick={() => choose(each)}
            >
              {m.measures.spans[each]}
            </button>
          ))}
        </div>
        {zoomed && (
          <button type="button" className="chip" aria-pressed="true" onClick={() => setZoomed(null)}>
            {f.duration(zoomed.to - zoomed.from)}
            <Icons.Cross size={12} />
            <span className="visually-hidden">{m.measures.zoomOut}</span>
          </button>
        )}
        <Select
          label={m.measures.tier}
          value={fitsTier(tier, spanMs) ? tier : 'auto'}
          set={next => setTier(next as Tier)}
          options={TIERS.filter(each => fitsTier(each, spanMs)).map(each => [each, m.measures.tiers[each] ?? each])}
        />
        {names.length > 1 && (
          <Select
            label={m.measures.compare}
            value={other}
            set={setOther}
            options={[
              ['', m.measures.compareNone],
              ...names
                .filter(each => each.measure !== measure)
                .map((each): [string, string] => [each.measure, m.measures.compareWith(measureWords(m, each.measure))]),
            ]}
          />
        )}
        <button
          type="button"
          className="ghost-button"
          aria-pressed={isTable}
          onClick={() => setTable(!isTable)}
          title={m.measures.table}
          aria-label={m.measures.table}
        >
          <Icons.Table size={14} />
        </button>
      </div>
      <div className="plot-legend">
        {lines.map((line, i) => (
          <span key={line.label}>
            <span className={`line-key line-${i === 0 ? 'accent' : 'compare'}`} />
            {line.label}
            {unitOf(line.unit) && <small className="faint">{unitOf(line.unit)}</small>}
          </span>
        ))}
        <span className="plot-age faint">
          {main.state === 'loading' && series.length > 0 && `${m.app.loading} `}
          {main.tier !== '' && word(m.measures.madeOf, main.tier)}
          {newest && zoomed === null && (
            <>
              {' · '}
              <AgeWords since={newest} words={m.measures.age} />
            </>
          )}
        </span>
      </div>
      {main.state === 'failed' && (
        <p className="detail-note" role="alert">
          {series.length > 0 ? m.measures.stale : m.measures.failed}{' '}
          <button type="button" className="link-button" onClick={main.again}>
            {m.device.retry}
          </button>
        </p>
      )}
      {other !== '' && compared.state === 'failed' && (
        <p className="detail-note" role="alert">
          {m.measures.compareFailed}{' '}
          <button type="button" className="link-button" onClick={compared.again}>
            {m.device.retry}
          </button>
        </p>
      )}
      {main.isCut && <p className="detail-note">{m.measures.cut}</p>}
      {main.state === 'loading' && series.length === 0 ? (
        <Skeleton rows={6} className="chart-wait" />
      ) : isTable ? (
        <PointTable lines={lines} from={from} to={to} />
      ) : (
        <Chart lines={lines} from={from} to={to} label={lines.map(line => line.label).join(', ')} zoom={setZoomed} />
      )}
      <p className="plot-foot faint">{m.measures.hint}</p>
    </div>
  )
}
