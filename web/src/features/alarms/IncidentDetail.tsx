import { useMemo, useState } from 'react'
import { alarmPath, devicePath } from '../../app/router'
import { useSpeech, word } from '../../i18n'
import { parseEntity } from '../../lib/entity'
import { inert } from '../../lib/text'
import { ALARMS, INCIDENTS, useAlarms, useIncident, useTopic } from '../../live/hooks'
import type { Act, AlarmItem, IncidentItem } from '../../protocol/alarms'
import * as Icons from '../../ui/icons'
import { Age, CopyButton, Foreign, Link, Notice, Skeleton } from '../../ui/parts'
import { SeverityBadge, SeveritySign } from '../../ui/severity'
import { useAsked } from '../../ui/useAsked'
import { DetailHead, Fact } from './AlarmDetail'
import { Confidence, Losses, VerdictSign } from './IncidentRow'
import { openSymptoms } from './model'
import { useMayAct } from './useActs'

/** So many of what it took down are listed at once. */
const SHOWN_MAX = 60

interface Props {
  id: string
  close: () => void
  ask: (of: readonly AlarmItem[], act: Act) => void
}

/** Everything about one incident: the verdict, what it took down, and its symptoms. */
export function IncidentDetail({ id, close, ask }: Props) {
  const { m } = useSpeech()
  useTopic(INCIDENTS)
  useTopic(ALARMS)
  const live = useIncident(id)
  const asked = useAsked<IncidentItem>(`/incidents/${encodeURIComponent(id)}`)
  const incident = live ?? asked.value
  return (
    <aside className="detail" aria-label={m.alarms.incident} data-testid="incident-detail" data-incident={id}>
      {incident ? (
        <Known incident={incident} told={asked.value?.symptoms ?? []} close={close} ask={ask} />
      ) : (
        <>
          <DetailHead close={close} />
          {asked.state === 'loading' && <Skeleton rows={8} />}
          {asked.state === 'missing' && <Notice title={m.alarms.incidentNotFound} hint={m.alarms.notFoundHint} />}
          {asked.state === 'failed' && (
            <Notice title={m.alarms.oneFailed}>
              <button type="button" className="button button-small" onClick={asked.again}>
                {m.device.retry}
              </button>
            </Notice>
          )}
        </>
      )}
    </aside>
  )
}

function Known(props: { incident: IncidentItem; told: readonly AlarmItem[] } & Omit<Props, 'id'>) {
  const { incident, told, close, ask } = props
  const may = useMayAct()
  const { m, f } = useSpeech()
  const [all, setAll] = useState(false)
  const alarms = useAlarms()
  const symptoms = useMemo(() => {
    const found = new Map(told.map(alarm => [alarm.alarm_id, alarm]))
    for (const alarm of alarms) if (alarm.incident_id === incident.incident_id) found.set(alarm.alarm_id, alarm)
    return [...found.values()]
  }, [alarms, told, incident.incident_id])
  const open = openSymptoms(symptoms, incident.incident_id).filter(alarm => alarm.condition !== 'cleared')
  const affected = all ? incident.affected : incident.affected.slice(0, SHOWN_MAX)
  const rest = incident.affected.length - affected.length
  return (
    <>
      <DetailHead close={close}>
        <SeverityBadge severity={incident.severity} />
        <span className="badge tone-admin">{word(m.alarms.incidentStates, incident.state)}</span>
      </DetailHead>
      <div className="detail-body">
        <h2 className="detail-title verdict-title">
          <VerdictSign verdict={incident.verdict} size={22} />
          {word(m.alarms.verdicts, incident.verdict)}
        </h2>
        <p className="verdict-sentence">{word(m.alarms.verdictSentences, incident.verdict)}</p>
        <Confidence share={incident.confidence} />
        <p className="incident-words">
          <bdi>{inert(incident.text)}</bdi>
        </p>
        <Losses incident={incident} />
        <section className="detail-part" aria-labelledby="incident-facts">
          <h3 id="incident-facts">{m.device.details}</h3>
          <dl className="facts">
            <Fact label={m.alarms.place}>
              <Link to={devicePath(incident.entity)}>
                <span className="mono">{inert(incident.entity)}</span>
              </Link>
              <CopyButton text={incident.entity} label={m.alarms.place} />
            </Fact>
            {incident.site && (
              <Fact label={m.device.site}>
                <Foreign text={incident.site} />
              </Fact>
            )}
            <Fact label={m.alarms.began}>
              {f.instant(incident.began_at)}
              {incident.state !== 'closed' && (
                <small className="faint">
                  <Age since={incident.began_at} long />
                </small>
              )}
            </Fact>
            {incident.ended_at && <Fact label={m.alarms.ended}>{f.instant(incident.ended_at)}</Fact>}
            <Fact label={m.alarms.gasps}>{m.alarms.gaspsOf(f.number(incident.gasps), f.number(incident.lost))}</Fact>
            <Fact label={m.alarms.dark}>{m.alarms.gaspsOf(f.number(incident.dark), f.number(incident.lost))}</Fact>
            {incident.pons.length > 1 && (
              <Fact label={m.board.pons}>
                <span className="tags">
                  {incident.pons.map(pon => (
                    <Link key={pon} to={devicePath(pon)}>
                      {inert(parseEntity(pon).place)}
                    </Link>
                  ))}
                </span>
              </Fact>
            )}
          </dl>
        </section>
        <section className="detail-part" aria-labelledby="incident-symptoms">
          <h3 id="incident-symptoms">{m.alarms.symptoms(symptoms.length)}</h3>
          {may && open.length > 0 && (
            <button
              type="button"
              className="button button-small symptoms-act"
              onClick={() => ask(open, 'acknowledge')}
              data-act="acknowledge"
            >
              <Icons.Acknowledge size={14} />
              {m.alarms.acknowledgeAll(open.length)}
            </button>
          )}
          {symptoms.length === 0 && <p className="detail-note">{m.alarms.noSymptoms}</p>}
          <ul className="symptom-list" data-open={open.length}>
            {symptoms.slice(0, SHOWN_MAX).map(alarm => (
              <li key={alarm.alarm_id}>
                <SeveritySign severity={alarm.severity} size={13} />
                <Link to={alarmPath(alarm.alarm_id)}>
                  <bdi>{inert(alarm.text)}</bdi>
                </Link>
                <Age since={alarm.raised_at} />
              </li>
            ))}
          </ul>
          {symptoms.length > SHOWN_MAX && (
            <p className="detail-note">{m.alarms.andMore(symptoms.length - SHOWN_MAX)}</p>
          )}
        </section>
        <section className="detail-part" aria-labelledby="incident-affected">
          <h3 id="incident-affected">{m.alarms.affected(incident.affected.length + incident.affected_more)}</h3>
          <ul className="tags">
            {affected.map(entity => (
              <li key={entity}>
                <Link to={devicePath(entity)} className="mono">
                  {inert(parseEntity(entity).place) || inert(entity)}
                </Link>
              </li>
            ))}
          </ul>
          {rest > 0 && (
            <button type="button" className="link-button" onClick={() => setAll(true)}>
              {m.alarms.showAll(f.number(incident.affected.length))}
            </button>
          )}
          {incident.affected_more > 0 && <p className="detail-note">{m.alarms.andMore(incident.affected_more)}</p>}
          {incident.affected.length === 0 && <p className="detail-note">{m.alarms.affectedNone}</p>}
          <p className="detail-note">
            <Icons.Pon size={12} /> {m.alarms.affectedHint}
          </p>
        </section>
      </div>
    </>
  )
}
