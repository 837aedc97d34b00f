import { useSpeech } from '../../i18n'

const HOUR_MS = 3_600_000
const PRESETS = { '1h': HOUR_MS, '4h': 4 * HOUR_MS, '24h': 24 * HOUR_MS, '7d': 7 * 24 * HOUR_MS } as const
type Preset = keyof typeof PRESETS

/** Until when: so long from now, or an instant as the browser's field writes it (local time). */
export interface Until {
  preset: Preset | 'at'
  at: string
}

/** In milliseconds; `null` if it is not given or not in the future. */
export function untilOf(until: Until, now: number): number | null {
  if (until.preset !== 'at') return now + PRESETS[until.preset]
  const at = Date.parse(until.at)
  return Number.isNaN(at) || at <= now ? null : at
}

/** As a `datetime-local` field wants it. */
export function localField(ms: number): string {
  const local = new Date(ms - new Date(ms).getTimezoneOffset() * 60_000)
  return local.toISOString().slice(0, 16)
}

export function UntilPicker(props: { until: Until; setUntil: (until: Until) => void; now: number }) {
  const { m, f } = useSpeech()
  const { until, setUntil, now } = props
  const ends = untilOf(until, now)
  return (
    <fieldset className="form-field until">
      <legend>{m.alarms.until}</legend>
      <div className="segments" role="group">
        {(Object.keys(PRESETS) as Preset[]).map(preset => (
          <button
            key={preset}
            type="button"
            aria-pressed={until.preset === preset}
            onClick={() => setUntil({ ...until, preset })}
          >
            {f.duration(PRESETS[preset])}
          </button>
        ))}
        <button
          type="button"
          aria-pressed={until.preset === 'at'}
          onClick={() => setUntil({ preset: 'at', at: until.at || localField(now + HOUR_MS) })}
        >
          {m.alarms.untilAt}
        </button>
      </div>
      {until.preset === 'at' && (
        <input
          type="datetime-local"
          className="field-small"
          value={until.at}
          min={localField(now)}
          aria-label={m.alarms.until}
          onChange={event => setUntil({ preset: 'at', at: event.target.value })}
        />
      )}
      <small className={ends === null ? 'form-wrong' : 'faint'}>
        {ends === null ? m.alarms.untilPast : m.alarms.ends(f.instant(new Date(ends).toISOString()))}
      </small>
    </fieldset>
  )
}
