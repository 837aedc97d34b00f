import { memo } from 'react'
import { devicePath } from '../../app/router'
import { useSpeech, word } from '../../i18n'
import { parseEntity } from '../../lib/entity'
import { inert } from '../../lib/text'
import type { IncidentItem } from '../../protocol/alarms'
import * as Icons from '../../ui/icons'
import { Age, Foreign, Link } from '../../ui/parts'
import { SeverityBadge, severityClass } from '../../ui/severity'

const VERDICT_ICONS: Record<string, typeof Icons.Check> = {
  forming: Icons.Hourglass,
  feeder: Icons.Cut,
  port: Icons.Pon,
  branch: Icons.Branch,
  power_area: Icons.Area,
  single_drop: Icons.Onu,
  board: Icons.Board,
  monitoring_loss: Icons.EyeOff,
  unexplained: Icons.Question,
}

export function VerdictSign({ verdict, size = 18 }: { verdict: string; size?: number }) {
  const Icon = (Object.hasOwn(VERDICT_ICONS, verdict) && VERDICT_ICONS[verdict]) || Icons.Question
  return <Icon size={size} />
}

/** How sure the verdict is, as words and a bar. */
export function Confidence({ share }: { share: number }) {
  const { m, f } = useSpeech()
  const bounded = Math.min(1, Math.max(0, Number.isFinite(share) ? share : 0))
  return (
    <span className="confidence" title={m.alarms.confidenceHint}>
      <span className="confidence-bar" aria-hidden="true">
        <span style={{ width: `${bounded * 100}%` }} />
      </span>
      {m.alarms.confidence(f.number(Math.floor(bounded * 100)))}
    </span>
  )
}

interface Props {
  incident: IncidentItem
  symptoms: number
  /** Its symptoms are shown below it. */
  unfolded: boolean
  isCursor: boolean
  isOpen: boolean
  toggle: (id: string) => void
  open: (id: string) => void
}

/** Losses with one cause: what it is held to be, how sure, where, and how many are out. */
export const IncidentRow = memo(function IncidentRow(props: Props) {
  const { incident, symptoms, unfolded, isCursor, isOpen, toggle, open } = props
  const { m, f } = useSpeech()
  const entity = parseEntity(incident.entity)
  const words = word(m.alarms.verdicts, incident.verdict)
  return (
    <div
      className={`incident-row ${severityClass(incident.severity)} ${isCursor ? 'cursor' : ''} ${isOpen ? 'opened' : ''} ${
        incident.state === 'settling' ? 'calm' : ''
      }`}
      data-testid="incident"
      data-incident={incident.incident_id}
      data-verdict={incident.verdict}
      data-state={incident.state}
    >
      <button
        type="button"
        className="incident-fold"
        aria-expanded={unfolded}
        onClick={() => toggle(incident.incident_id)}
        tabIndex={-1}
        title={`${m.alarms.symptoms(symptoms)} (e)`}
        aria-label={`${m.alarms.symptoms(symptoms)}: ${words}`}
      >
        <Icons.Chevron size={14} className={unfolded ? 'turned' : ''} />
      </button>
      <span className="incident-sign">
        <VerdictSign verdict={incident.verdict} size={20} />
      </span>
      <span className="incident-what">
        <button type="button" className="incident-title" onClick={() => open(incident.incident_id)} tabIndex={-1}>
          <strong>{words}</strong>
          {incident.state !== 'open' && (
            <span className="badge tone-admin">{word(m.alarms.incidentStates, incident.state)}</span>
          )}
          <SeverityBadge severity={incident.severity} />
        </button>
        <span className="incident-line">
          <Confidence share={incident.confidence} />
          <Foreign text={incident.text} className="incident-text" />
        </span>
      </span>
      <span className="incident-where">
        <Link to={devicePath(incident.entity)} className="alarm-entity">
          {inert(entity.rootName)}
          {entity.place && ` ${word(m.kinds, entity.kind)} ${inert(entity.place)}`}
        </Link>
        <small>
          {incident.site && (
            <span className="alarm-site">
              <Icons.Pin size={11} />
              {inert(incident.site)}
            </span>
          )}
          {incident.pons.length > 1 && <span>{m.alarms.pons(incident.pons.length)}</span>}
        </small>
      </span>
      <Losses incident={incident} />
      <span className="alarm-age" title={m.alarms.since(f.instant(incident.began_at))}>
        <Age since={incident.began_at} />
      </span>
    </div>
  )
})

/** How many are out: still, at all, and of how many. */
export function Losses({ incident }: { incident: IncidentItem }) {
  const { m, f } = useSpeech()
  const { lost, still_lost: still, total } = incident
  const share = total > 0 ? Math.min(1, still / total) : 0
  const back = total > 0 ? Math.min(1, lost / total) : 0
  return (
    <span className="losses" title={m.alarms.lossesHint(f.number(still), f.number(lost), f.number(total))}>
      <span className="losses-words">
        <strong>{f.number(still)}</strong>
        <small>{m.alarms.stillLost(f.number(lost), f.number(total))}</small>
      </span>
      <span className="losses-bar" aria-hidden="true">
        <span className="losses-lost" style={{ width: `${back * 100}%` }} />
        <span className="losses-still" style={{ width: `${share * 100}%` }} />
      </span>
    </span>
  )
}
