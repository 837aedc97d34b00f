import { useMemo } from 'react'
import { alarmPath } from '../../app/router'
import { useSpeech, word } from '../../i18n'
import { ALARMS, useAlarms, useTopic } from '../../live/hooks'
import { Age, Link } from '../../ui/parts'
import { SeveritySign, severityClass } from '../../ui/severity'
import { severityRank } from './model'
import { alarmWords } from './words'

const SHOWN_MAX = 20

/** What is raised about one device. Nothing where nothing is. */
export function DeviceAlarms({ entity }: { entity: string }) {
  const { m } = useSpeech()
  useTopic(ALARMS)
  const alarms = useAlarms()
  const own = useMemo(
    () =>
      alarms
        .filter(alarm => alarm.entity === entity)
        .sort((a, b) => severityRank(a.severity) - severityRank(b.severity) || (a.raised_at < b.raised_at ? 1 : -1)),
    [alarms, entity],
  )
  if (own.length === 0) return null
  return (
    <section className="card" aria-label={m.alarms.ofDevice} data-testid="device-alarms">
      <header className="card-header">
        <h2>{m.alarms.ofDevice}</h2>
      </header>
      <ul className="device-alarms">
        {own.slice(0, SHOWN_MAX).map(alarm => (
          <li key={alarm.alarm_id}>
            <Link to={alarmPath(alarm.alarm_id)} className={severityClass(alarm.severity)}>
              <SeveritySign severity={alarm.severity} />
              <strong>
                <bdi>{alarmWords(m, alarm)}</bdi>
              </strong>
              <small className="faint">
                {[
                  word(m.severities, alarm.severity),
                  ...(alarm.operator_state === 'none' ? [] : [word(m.alarms.operator, alarm.operator_state)]),
                  ...(alarm.visibility === 'shown' ? [] : [word(m.alarms.visibility, alarm.visibility)]),
                ].join(' · ')}
              </small>
              <Age since={alarm.raised_at} />
            </Link>
          </li>
        ))}
      </ul>
      {own.length > SHOWN_MAX && <p className="detail-note">{m.alarms.andMore(own.length - SHOWN_MAX)}</p>}
    </section>
  )
}
