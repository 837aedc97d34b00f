import { useMemo, useState } from 'react'
import { useSpeech } from '../../i18n'
import { inert } from '../../lib/text'
import { useNow } from '../../live/hooks'
import type { RuleFields } from '../../protocol/alarms'
import type { StatusItem } from '../../protocol/types'
import { Skeleton } from '../../ui/parts'
import { useAsked } from '../../ui/useAsked'
import { valueWords } from '../alarms/words'
import { Chart } from '../measures/Chart'
import { useSeries } from '../measures/useSeries'
import { canPreview, previewRule, type Sample } from './preview'

const DAY_MS = 86_400_000
const STEP_MS = 300_000

/** What the rule would have raised on one device in the last 24 hours, worked out here from its samples. */
export function Preview(props: { fields: RuleFields; isValid: boolean; unit: string | null }) {
  const { fields, isValid } = props
  const { m } = useSpeech()
  const [wanted, setWanted] = useState('')
  const [id, setId] = useState('')
  return (
    <section className="card preview" aria-labelledby="preview-title" data-testid="rule-preview">
      <h2 id="preview-title">{m.rules.preview}</h2>
      {!canPreview(fields.condition) ? (
        <p className="form-hint">{m.rules.previewNot}</p>
      ) : (
        <>
          <p className="form-hint">{m.rules.previewHint}</p>
          <div className="preview-ask">
            <input
              type="text"
              className="field-small"
              value={wanted}
              onChange={event => setWanted(event.target.value)}
              onKeyDown={event => {
                if (event.key !== 'Enter') return
                // Not the whole form.
                event.preventDefault()
                setId(wanted.trim())
              }}
              placeholder={m.rules.previewWhich}
              aria-label={m.rules.previewWhich}
              spellCheck={false}
              data-testid="preview-device"
            />
            <button type="button" className="button button-small" onClick={() => setId(wanted.trim())}>
              {m.rules.previewShow}
            </button>
          </div>
          {id !== '' && <OfDevice key={id} id={id} fields={fields} isValid={isValid} unit={props.unit} />}
        </>
      )}
    </section>
  )
}

interface OfProps {
  fields: RuleFields
  isValid: boolean
  unit: string | null
}

function OfDevice({ id, ...props }: OfProps & { id: string }) {
  const { m } = useSpeech()
  const device = useAsked<StatusItem>(`/devices/${encodeURIComponent(id)}/status`)
  if (device.value) return <OfEntity entity={device.value.entity} {...props} />
  if (device.state === 'loading') return <Skeleton rows={3} />
  return <p className="form-wrong">{device.state === 'missing' ? m.device.notFoundHint(inert(id)) : m.device.failed}</p>
}

function OfEntity({ entity, fields, isValid, unit }: OfProps & { entity: string }) {
  const { m, f } = useSpeech()
  const now = Math.ceil(useNow(STEP_MS) / STEP_MS) * STEP_MS
  const from = now - DAY_MS
  const measure = fields.measure
  const loaded = useSeries(measure === null || !isValid ? null : { entity, measure, from, to: now, tier: 'raw' }, 0)
  const { series } = loaded
  const raised = useMemo(() => {
    const samples: Sample[] = Array.from({ length: series.length }, (_, i) => ({
      at: series.at[i] as number,
      value: series.avg[i] as number,
    }))
    return previewRule(fields, samples, now)
  }, [series, fields, now])
  const shownUnit = loaded.unit || unit || ''
  const lines = useMemo(() => [{ series, unit: shownUnit, label: m.rules.preview }], [series, shownUnit, m])
  const limits = useMemo(
    () =>
      [fields.condition === 'above' ? null : fields.low, fields.condition === 'below' ? null : fields.high].filter(
        each => each !== null,
      ),
    [fields.condition, fields.low, fields.high],
  )
  // Points that hold several samples have lost the order that the delays need.
  const isThinned = useMemo(() => series.n.some(n => n > 1), [series])
  if (!isValid) return <p className="form-hint">{m.rules.previewInvalid}</p>
  if (loaded.state === 'failed')
    return (
      <p className="form-wrong" role="alert">
        {m.measures.failed}{' '}
        <button type="button" className="link-button" onClick={loaded.again}>
          {m.device.retry}
        </button>
      </p>
    )
  if (loaded.state === 'loading' && series.length === 0) return <Skeleton rows={5} />
  return (
    <div data-raised={raised.length} data-testid="preview-answer">
      <p className="preview-answer">
        <strong>{series.length === 0 ? m.rules.previewNothing : m.rules.previewRaised(raised.length)}</strong>
      </p>
      <Chart lines={lines} from={from} to={now} limits={limits} spans={raised} height={170} label={m.rules.preview} />
      <ul className="preview-list">
        {raised.slice(-8).map(each => (
          <li key={each.from}>
            <span>{f.instant(new Date(each.from).toISOString())}</span>
            <span>{each.to === null ? m.rules.previewStands : f.duration(each.to - each.from)}</span>
            <span>{valueWords(f, each.worst, shownUnit)}</span>
          </li>
        ))}
      </ul>
      <p className="form-hint">
        {m.rules.previewHonest(f.number(series.length))}
        {isThinned && ` ${m.rules.previewThinned}`}
      </p>
    </div>
  )
}
