import { useMemo } from 'react'
import { standing } from '../features/alarms/model'
import { useSpeech, word } from '../i18n'
import { ALARMS, INCIDENTS, useAlarms, useIncidents, useLoad, useTopic } from '../live/hooks'
import * as Icons from '../ui/icons'
import { Link } from '../ui/parts'
import { SeveritySign, severityClass } from '../ui/severity'
import { parseRoute, usePath } from './router'

/** Where one can go, and how many alarms wait there for somebody. */
export function Navigation() {
  const { m } = useSpeech()
  const route = parseRoute(usePath())
  // A card's page belongs to its site.
  const page = route.page === 'device' && route.id.includes('/card/') ? 'sites' : route.page
  const isOn = (...pages: string[]) => pages.includes(page)
  return (
    <nav className="nav" aria-label={m.nav.label}>
      <Link to="/" isCurrent={isOn('board', 'device')}>
        <Icons.Grid size={16} />
        <span>{m.nav.board}</span>
      </Link>
      <Link to="/alarms" isCurrent={isOn('alarms', 'rules', 'silences')} testId="nav-alarms">
        <Icons.Bell size={16} />
        <span>{m.nav.alarms}</span>
        <AlarmCount />
      </Link>
      <Link to="/sites" isCurrent={isOn('sites')}>
        <Icons.Building size={16} />
        <span>{m.nav.sites}</span>
      </Link>
    </nav>
  )
}

/** Incidents and alarms that nobody has acknowledged, coloured by the worst. Nothing while it is not known. */
function AlarmCount() {
  const { m, f } = useSpeech()
  const load = useLoad(useTopic(ALARMS))
  useTopic(INCIDENTS)
  const alarms = useAlarms()
  const incidents = useIncidents()
  const { incidents: events, alarms: open, worst } = useMemo(() => standing(alarms, incidents), [alarms, incidents])
  if (load.state === 'error') {
    return (
      <span className="nav-count nav-unknown" title={m.alarms.failed}>
        ?<span className="visually-hidden">{m.alarms.failed}</span>
      </span>
    )
  }
  if (events + open === 0 || worst === null) return null
  const said = m.nav.waiting(events, open, word(m.severities, worst))
  return (
    <span
      className={`nav-count ${severityClass(worst)}`}
      title={said}
      data-testid="nav-count"
      data-incidents={events}
      data-alarms={open}
    >
      <SeveritySign severity={worst} size={12} />
      <span aria-hidden="true">{f.number(events + open)}</span>
      <span className="visually-hidden">{said}</span>
    </span>
  )
}
