import type { ReactNode } from 'react'
import { useSpeech, word } from '../../i18n'
import type { Optics, StatusItem } from '../../protocol/types'
import { LevelBadge } from '../../ui/light'
import { AgeWords } from '../../ui/parts'
import { isOk } from '../../ui/tone'
import { LIMITS, levelOf, MARGIN_DB, onScale, type Reader, troubleOf } from './levels'

/** The light of an ONU: what each end receives on a scale of its limits, and what else its module says. */
export function OpticsCard({ item, optics }: { item: StatusItem; optics: Optics }) {
  const { m, f } = useSpeech()
  const unit = (value: number | null, digits: number, sign: string) =>
    value === null ? null : `${f.decimal(value, digits)} ${sign}`
  const facts: [string, string | null][] = [
    [m.light.onuSends, unit(optics.tx_dbm, 2, 'dBm')],
    [m.light.distance, optics.distance_m === null ? null : f.distance(optics.distance_m)],
    [m.light.temperature, unit(optics.temperature_c, 0, '°C')],
    [m.light.voltage, unit(optics.voltage_v, 2, 'V')],
    [m.light.bias, unit(optics.bias_ma, 0, 'mA')],
  ]
  const range = (reader: Reader) =>
    m.light.range(f.decimal(LIMITS[reader].weakest, 0), f.decimal(LIMITS[reader].strongest, 0))
  const isOld = !isOk(item.state) && item.since !== null && optics.observed_at < item.since
  return (
    <section className="card light" aria-labelledby="light-title" data-testid="optics" data-level={optics.level ?? ''}>
      <header className="card-header">
        <h2 id="light-title">{m.light.title}</h2>
        {optics.level && <LevelBadge level={optics.level} />}
        <span className="faint light-read">
          <AgeWords since={optics.observed_at} words={m.light.read} />
        </span>
      </header>
      {isOld && <p className="light-old">{m.light.before(word(m.states, item.state))}</p>}
      <div className="light-levels">
        <Gauge label={m.light.onuReceives} dbm={optics.rx_dbm} reader="onu" />
        <Gauge label={m.light.oltReceives} dbm={optics.olt_rx_dbm} reader="olt" />
      </div>
      <dl className="light-facts">
        {facts.map(([label, value]) => (
          <Fact key={label} label={label}>
            {value ?? <span className="faint">{m.light.notRead}</span>}
          </Fact>
        ))}
      </dl>
      <p className="light-limits">{m.light.limits(range('onu'), range('olt'))}</p>
    </section>
  )
}

function Fact({ label, children }: { label: string; children: ReactNode }) {
  return (
    <div>
      <dt>{label}</dt>
      <dd>{children}</dd>
    </div>
  )
}

const percent = (dbm: number) => `${onScale(dbm) * 100}%`

/** One level on its scale: too weak, weak, good, too strong. The words say the same as the drawing. */
function Gauge({ label, dbm, reader }: { label: string; dbm: number | null; reader: Reader }) {
  const { m, f } = useSpeech()
  const level = levelOf(dbm, reader)
  const trouble = troubleOf(dbm, reader)
  const { weakest, strongest } = LIMITS[reader]
  return (
    <div className="gauge" data-reader={reader} data-level={level ?? ''}>
      <p className="gauge-label">{label}</p>
      <p className="gauge-value">
        {dbm === null ? (
          <span className="faint">{m.light.notRead}</span>
        ) : (
          <>
            <strong>{f.decimal(dbm, 2)}</strong> <small>dBm</small>
          </>
        )}
        {trouble && level && <span className={`gauge-trouble level-${level}`}>{m.light.trouble[trouble]}</span>}
      </p>
      <div className="gauge-scale" aria-hidden="true">
        <span
          className="gauge-weak"
          style={{ left: percent(weakest), right: `${100 - onScale(weakest + MARGIN_DB) * 100}%` }}
        />
        <span
          className="gauge-good"
          style={{ left: percent(weakest + MARGIN_DB), right: `${100 - onScale(strongest) * 100}%` }}
        />
        {dbm !== null && level && <span className={`gauge-mark level-${level}`} style={{ left: percent(dbm) }} />}
        <span className="gauge-tick" style={{ left: percent(weakest) }}>
          {f.decimal(weakest, 0)}
        </span>
        <span className="gauge-tick" style={{ left: percent(strongest) }}>
          {f.decimal(strongest, 0)}
        </span>
      </div>
    </div>
  )
}
