import { useMemo } from 'react'
import { incidentPath } from '../../app/router'
import { useSpeech, word } from '../../i18n'
import { parseEntity } from '../../lib/entity'
import { inert } from '../../lib/text'
import { INCIDENTS, useIncidents, useTopic } from '../../live/hooks'
import { Age, Link } from '../../ui/parts'
import { severityClass } from '../../ui/severity'
import { VerdictSign } from './IncidentRow'
import { severityRank } from './model'

const SHOWN_MAX = 4

/** On the board: what is one cause and many losses. Nothing while there is none. */
export function OpenIncidents({ site }: { site: string | null }) {
  const { m, f } = useSpeech()
  useTopic(INCIDENTS)
  const incidents = useIncidents()
  const open = useMemo(
    () =>
      incidents
        .filter(incident => site === null || incident.site === site)
        .sort((a, b) => severityRank(a.severity) - severityRank(b.severity) || b.still_lost - a.still_lost),
    [incidents, site],
  )
  if (open.length === 0) return null
  return (
    <section aria-label={m.alarms.titles.incidents} data-testid="board-incidents">
      <header className="section-header">
        <h2>{m.alarms.titles.incidents}</h2>
      </header>
      <ul className="board-incidents">
        {open.slice(0, SHOWN_MAX).map(incident => {
          const entity = parseEntity(incident.entity)
          return (
            <li key={incident.incident_id}>
              <Link to={incidentPath(incident.incident_id)} className={severityClass(incident.severity)}>
                <VerdictSign verdict={incident.verdict} size={16} />
                <strong>
                  {word(m.alarms.verdicts, incident.verdict)} · {inert(entity.rootName)}
                  {entity.place && ` ${word(m.kinds, entity.kind)} ${inert(entity.place)}`}
                </strong>
                <small>
                  {f.number(incident.still_lost)}{' '}
                  {m.alarms.stillLost(f.number(incident.lost), f.number(incident.total))}
                </small>
                <Age since={incident.began_at} />
              </Link>
            </li>
          )
        })}
        {open.length > SHOWN_MAX && (
          <li>
            <Link to="/alarms">
              <span />
              <strong>{m.alarms.andMore(open.length - SHOWN_MAX)}</strong>
            </Link>
          </li>
        )}
      </ul>
    </section>
  )
}
